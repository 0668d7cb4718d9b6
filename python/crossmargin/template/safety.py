"""The sheet Map: where the account is safe, the nearest liquidating scenarios, a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import matrix
from crossmargin.template.breakdown import SHOWN, say_which
from crossmargin.template.calls import Named, call

if TYPE_CHECKING:
    from crossmargin.template.page import Page

__all__ = ["settings", "write"]

_LAST: Final = 13
_PATHS: Final = ("alone", "together", "beta")
_MEASURES: Final = ("usage", "excess", "equity", "mm", "first")
_NOTES: Final = (
    (
        "An option book may be liquidated at a price and safe again beyond it. proven: bounds on "
        "the slope of the excess leave room for no other zone."
    ),
    (
        "A root is where equity equals the requirement; at a jump the requirement steps over the "
        "equity. sigmas: one-day deviations from today to the zone."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {
        "ZonePath": "alone",
        "NearestUnit": "sigma",
        "MapX": "BTC",
        "MapY": "VOL",
        "MapXMoves": "-0.5;-0.4;-0.3;-0.2;-0.1;0;0.1;0.2;0.3;0.4;0.5",
        "MapYMoves": "-0.5;-0.3;-0.2;-0.1;0;0.1;0.2;0.3;0.5;1",
        "MapMeasure": "usage",
    }


def write(page: Page) -> None:
    """Write the sheet: the heat map, the nearest scenarios, the zones of every coin."""
    value = page.calculator.value
    page.head(
        "Map",
        "Where the account is safe and where it is liquidated: on two axes of the market, along "
        "the price of every coin, and by the least unusual scenario.",
        book="Shown",
    )
    page.widths("B", 27, 14, 14, 14, 14, 18, *[14] * 4, 22, 14, 16)
    say_which(page, 5)
    page.section(7, "Heat map: 1 is liquidation, every node measured anew", _LAST)
    page.text("B8", "From left to right, its moves", page.styles.label)
    page.input("C8", "MapX", value("MapX"),
               hint="A coin, ALL, VOL, VOL:BTC, or a currency off its peg: PEG:USDT.")  # fmt: skip
    page.input("D8", "MapXMoves", value("MapXMoves"),
               hint="Relative moves with semicolons between.")  # fmt: skip
    page.text("B9", "From top to bottom, its moves", page.styles.label)
    page.input("C9", "MapY", value("MapY"), hint="Likewise.")
    page.input("D9", "MapYMoves", value("MapYMoves"))
    page.text("J8", "Figure", page.styles.label)
    page.input("K8", "MapMeasure", value("MapMeasure"), choices=_MEASURES)
    heat = matrix.write(
        page,
        "B11",
        call(
            "CM_LIQMAP", SHOWN, Named("MapX"), Named("MapY"), Named("MapXMoves"),
            Named("MapYMoves"), Named("MapMeasure"),
        ),
        rows=22,
        columns=12,
        look=matrix.usage(),
    )  # fmt: skip
    top = heat.bottom + 3
    page.section(top, "Nearest scenarios that liquidate: reverse stress", _LAST)
    page.text(f"B{top + 1}", "Distances in", page.styles.label)
    page.input(f"C{top + 1}", "NearestUnit", value("NearestUnit"), choices=("sigma", "pct"),
               hint="sigma: under deviations and correlations; pct: every coin alike.")  # fmt: skip
    nearest = page.block(
        f"B{top + 3}", call("CM_NEAREST", SHOWN, "all", Named("NearestUnit")), 12,
        wrap=("first_liquidated", "comment"),
    )  # fmt: skip
    page.count(f"N{top}", nearest)
    top = nearest.bottom + 3
    page.section(top, "Zones: every range of a price, safe or not", _LAST)
    page.text(f"B{top + 1}", "Path", page.styles.label)
    page.input(f"C{top + 1}", "ZonePath", value("ZonePath"), choices=_PATHS,
               hint="alone, together by one ratio, or by betas.")  # fmt: skip
    for number, text in enumerate(_NOTES):
        page.text(f"B{top + 2 + number}", text, page.styles.note)
    zones = page.block(f"B{top + 4}", call("CM_LIQZONES", SHOWN, None, Named("ZonePath")), 40)
    page.count(f"N{top}", zones)
    page.sheet.print_area(0, 0, zones.printed(4) - 1, _LAST)
    page.sheet.fit_to_pages(1, 1)
