"""The sheet Exposure: sensitivities by underlying, expiry and strike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.breakdown import SHOWN, bars, say_which
from crossmargin.template.calls import Named, call

if TYPE_CHECKING:
    from crossmargin.template.page import Page

__all__ = ["write"]

_LAST: Final = 11
_GROUPS: Final = (("underlying", 16), ("expiry", 20), ("strike", 40), ("symbol", 80))
_BARS: Final = ("delta_usd", "gamma_1pct", "vega", "theta")
_UNITS: Final = (
    (
        "delta in coins, delta_usd in the reporting currency: what a rise of 100 % of the coin "
        "would bring at today's delta."
    ),
    (
        "gamma_1pct: change of delta_usd if the coin rises by 1 %. vega: result of one volatility "
        "point up. theta: result of one day that passes."
    ),
    (
        "gross and net: notional of all contracts, without and with their signs. leverage: gross "
        "over adjusted equity. beta_delta: delta_usd times the beta of the market table."
    ),
)


def write(page: Page) -> None:
    """Write the sheet; bars show the size of each sensitivity within its column."""
    page.head(
        "Exposure",
        "What the book gains or loses from a move of price, volatility or time, and where it "
        "stands.",
        book="Shown",
    )
    page.widths("B", 27, 14, 17, 17, 15, 15, 16, 16, 11, 16, 10)
    say_which(page, 5)
    page.text("B6", "Unit", page.styles.label)
    page.input(
        "C6", "ExposureUnit", page.calculator.value("ExposureUnit"), choices=("usd", "coin"),
        hint="usd: the reporting currency; coin: coins of the underlying.",
    )  # fmt: skip
    page.text("D6", "usd (the reporting currency) or coin", page.styles.note)
    for number, text in enumerate(_UNITS):
        page.text(f"B{7 + number}", text, page.styles.note)
    top, ranges = 11, []
    for group, capacity in _GROUPS:
        page.section(top, f"By {group}", _LAST)
        _coins(page, f"E{top + 2}:I{top + 1 + capacity}")
        block = page.block(
            f"B{top + 1}",
            call("CM_EXPOSURE", SHOWN, group, Named("ExposureUnit")),
            capacity,
        )
        page.count(f"L{top}", block)
        bars(page, block, _BARS)
        if group != "underlying":  # it is printed with the next
            first = 1 if group == "expiry" else top - 1
            ranges.append(f"A{first}:L{block.printed(3) + 1}")
        top = block.bottom + 3
    page.print_ranges(*ranges)


def _coins(page: Page, area: str) -> None:
    """Show decimals where the unit is a coin; before the table, so that its rules come later."""
    page.sheet.conditional_format(
        area,
        {"type": "formula", "criteria": '=ExposureUnit="coin"',
         "format": page.styles.rule(num_format="#,##0.0000;[Red]-#,##0.0000;0")},
    )  # fmt: skip
