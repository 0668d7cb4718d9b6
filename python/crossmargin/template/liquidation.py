"""The sheet Liquidation: prices, order, a worked example, their charts; policies follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import charts, policies
from crossmargin.template.calls import Named, call

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["OPTIONS", "PATH", "SCENARIO", "write"]

BOOK: Final = Named("Book")
SCENARIO: Final = "nearest"
PATH: Final = "alone"
OPTIONS: Final = "until=healthy"
_EXAMPLE: Final = (
    ("quantity, long +", "ExampleQuantity", 1.0),
    ("entry price", "ExampleEntry", 100.0),
    ("collateral", "ExampleCollateral", 5.0),
    ("maintenance rate", "ExampleRate", 0.004),
    ("MM of other positions", "ExampleOtherMM", 4.0),
)
_LAST: Final = 18  # column S


def write(page: Page) -> Block:
    """Write the sheet; return the table of prices."""
    page.head(
        "Liquidation",
        "At which price of one coin the whole account becomes liquidatable, and what is closed "
        "first and next.",
    )
    page.widths("B", 8.5, 12, 9, 12, 9.5, 11, 10.5, 9, *[10.5] * 6, 11, 11, 47, 17)
    page.section(5, "The answer", _LAST)
    page.single(
        "B6",
        call("CM_LIQFIRST", BOOK, 1.0, Named("Scenario"), "sentence"),
        page.styles.get(bold=True, font_size=12),
        "Headline",
    )
    page.section(8, "Pictures", _LAST)
    top = 31
    page.section(top, "Liquidation price of each coin", _LAST)
    _panel(page, top + 1)
    prices = page.block(
        f"F{top + 1}",
        call("CM_LIQPRICE", BOOK, None, None, Named("PricePath"), Named("PriceTarget")),
        48, wrap=("status",),
    )  # fmt: skip
    page.count(f"S{top}", prices)
    top = prices.bottom + 3
    page.section(top, "Order of liquidation", _LAST)
    _order_inputs(page, top + 1)
    order = page.block(
        f"B{top + 4}",
        call("CM_LIQORDER", BOOK, Named("Scenario"), Named("MaxSteps"), Named("OrderOptions")),
        120, wrap=("reason",),
    )  # fmt: skip
    page.count(f"S{top}", order)
    parts = [(top - 1, order.printed(4)), *policies.write(page, order.bottom + 3, _LAST)]
    charts.write(page, prices, top=8)
    link = page.styles.get(font_color="#1F3FBF", underline=1, font_size=9)
    page.sheet.write_url(
        "R7", f"internal:'{page.name}'!B{top}", link, "to the order of liquidation"
    )
    last = max(prices.printed(4) + 1, 46)
    page.print_ranges(f"A1:S{last}", *(f"A{first}:S{end}" for first, end in parts))
    return prices


def _panel(page: Page, top: int) -> None:
    """Write settings of the price table and the worked example at its left."""
    small = page.styles.get(font_size=9, font_color="#374151")
    page.text(f"B{top}", "Settings", page.styles.get(bold=True))
    page.text(f"B{top + 1}", "path of the prices", small)
    page.input(
        f"E{top + 1}", "PricePath", PATH, choices=("alone", "together", "beta"),
        hint="alone: other coins unchanged; together: all by one ratio; beta: along their betas.",
    )  # fmt: skip
    page.text(f"B{top + 2}", "measured to", small)
    page.input(
        f"E{top + 2}", "PriceTarget", "trigger", choices=("trigger", "bankrupt"),
        hint="trigger: liquidatable; bankrupt: gross equity zero.",
    )  # fmt: skip
    page.text(f"B{top + 4}", "Worked example", page.styles.get(bold=True))
    page.text(f"B{top + 5}", "one position, no book", page.styles.note)
    for number, (text, name, value) in enumerate(_EXAMPLE):
        row = top + 6 + number
        page.text(f"B{row}", text, small)
        page.input(f"E{row}", name, value, "General")
    row = top + 6 + len(_EXAMPLE)
    page.text(f"B{row}", "liquidation price", page.styles.get(bold=True, font_size=9))
    names = [Named(name) for _, name, _ in _EXAMPLE]
    page.single(
        f"E{row}",
        call("CM_LIQ1", *names[:4], None, names[4]),
        page.styles.get(bold=True, num_format="0.00", align="left", top=1),
        "Example",
    )
    for number, line in enumerate(
        (
            "(1 x 100 - 5 + 4) / (1 - 0.004)",
            "Forgetting the other 4 would",
            "say 95.38: too far away.",
        )
    ):
        page.text(f"B{row + 1 + number}", line, page.styles.note)


def _order_inputs(page: Page, top: int) -> None:
    page.text(f"B{top}", "Scenario", page.styles.label)
    page.input(
        f"D{top}", "Scenario", SCENARIO,
        hint="nearest, now, a move of everything such as -0.2, or BTC:-0.2,ETH:-0.3",
    )  # fmt: skip
    page.text(f"F{top}", "Options", page.styles.label)
    page.input(
        f"G{top}", "OrderOptions", OPTIONS,
        hint="until=healthy or flat; policy=largest_loss; stop=usage:0.7; slippage=0.001 or depth; "
        "more in the glossary. Empty: the venue's own rule, until nothing is left.",
    )  # fmt: skip
    page.text(f"J{top}", "Steps at most", page.styles.label)
    page.input(f"L{top}", "MaxSteps", 50.0, "0")
    page.text(
        f"B{top + 1}",
        "nearest: just past the nearest trigger of the settings above, then on with the move of "
        "that coin. Several rows of one step are closed together. Empty options follow the "
        "venue's own rule to the end.",
        page.styles.note,
    )


def settings() -> dict[str, Value]:
    """Return the input cells of the sheet by name."""
    return {
        "PricePath": PATH,
        "PriceTarget": "trigger",
        "Scenario": SCENARIO,
        "OrderOptions": OPTIONS,
        "MaxSteps": 50.0,
        **policies.settings(),
        **{name: value for _, name, value in _EXAMPLE},
    }
