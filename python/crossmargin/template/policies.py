"""On the sheet Liquidation: policies side by side, and auto-deleveraging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs
from crossmargin.template.calls import Named, Whole, call

if TYPE_CHECKING:
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

__all__ = ["CANDIDATES", "settings", "write"]

BOOK: Final = Named("Book")
CANDIDATES: Final[Rows] = [
    ["account", "symbol", "qty", "entry", "mark", "equity", "mm", "leverage"],
    ["user 1", "EXAMPLE", -40.0, 120.0, 100.0, 900.0, 40.0, 20.0],
    ["user 2", "EXAMPLE", -25.0, 104.0, 100.0, 400.0, 25.0, 10.0],
    ["user 3", "EXAMPLE", -60.0, 110.0, 100.0, 3000.0, 60.0, 5.0],
    ["user 4", "EXAMPLE", -10.0, 95.0, 100.0, 250.0, 10.0, 10.0],
]
"""Illustrative: who else is short of a contract whose longs have gone bankrupt."""
_FORMS: Final = (
    "all", "binance", "bybit", "hyperliquid", "okx", "pnl_ratio", "size", "pro_rata",
    "water_filling",
)  # fmt: skip


def settings() -> dict[str, Value]:
    """Return the input cells by name."""
    return {
        "PolicyList": "usual",
        "PolicyOptions": "slippage=0.001",
        "AdlForm": "all",
        "AdlDeficit": 5_000.0,
    }


def write(page: Page, top: int, last: int) -> list[tuple[int, int]]:
    """Write the three tables from a row on; return the rows of each, to print by itself."""
    start = top - 1
    page.section(top, "Policies side by side", last)
    page.text(f"B{top + 1}", "Policies", page.styles.label)
    page.input(
        f"D{top + 1}", "PolicyList", page.calculator.value("PolicyList"),
        hint="usual, all, venue, or names with commas: pro_rata, equal_slice, largest_loss, "
        "futures_then_options, collateral_first, marginal_per_cost ...",
    )  # fmt: skip
    page.text(f"F{top + 1}", "Options", page.styles.label)
    page.input(
        f"G{top + 1}", "PolicyOptions", page.calculator.value("PolicyOptions"),
        hint="slippage=0.001 or slippage=depth (adv, dailyVol and halfSpread on Market); "
        "stop=usage:0.7; step=0.25; until=flat.",
    )  # fmt: skip
    page.text(
        f"B{top + 2}",
        "The same account at the same prices under each policy, until it is healthy. warnings "
        "counts steps that raised the margin or cost more than they freed; certainty says how well "
        "the venue's own rule is known.",
        page.styles.note,
    )
    compared = page.block(
        f"C{top + 4}",
        call("CM_LIQCOMPARE", BOOK, Named("Scenario"), Named("PolicyList"), None,
             Named("PolicyOptions")),
        20, wrap=("policy", "first", "end"),
    )  # fmt: skip
    page.count(f"S{top}", compared)
    top = compared.bottom + 3
    page.section(top, "Auto-deleveraging: the book's own winners in the queues of venues", last)
    page.text(f"B{top + 1}", "Form", page.styles.label)
    page.input(
        f"D{top + 1}", "AdlForm", page.calculator.value("AdlForm"), choices=_FORMS,
        hint="Which queue or sharing; all shows each.",
    )  # fmt: skip
    page.text(
        f"B{top + 2}",
        "lights: 5 is the first fifth. Ranked among the book's own positions; a venue ranks among "
        "all its users, so give candidates below where you know or assume them.",
        page.styles.note,
    )
    own = page.block(
        f"B{top + 4}", call("CM_ADL", BOOK, None, None, Named("AdlForm")), 60,
        wrap=("form",),
    )  # fmt: skip
    page.count(f"S{top}", own)
    parts = [(start, compared.printed(3)), (top - 1, own.printed(3))]
    top = own.bottom + 3
    page.section(top, "Auto-deleveraging: who gives up how much of a deficit", last)
    page.text(f"B{top + 1}", "Deficit", page.styles.label)
    page.input(f"D{top + 1}", "AdlDeficit", page.calculator.value("AdlDeficit"), "#,##0")
    page.text(
        f"F{top + 1}",
        "Notional at the mark that nobody else takes over. Illustrative users and figures: "
        "replace them.",
        page.styles.note,
    )
    bottom = inputs.table(
        page, "Candidates", CANDIDATES, kind="candidates", header_row=top + 4, spare=6,
        widths=False, left=2,
    )  # fmt: skip
    shared = page.block(
        f"B{bottom + 2}",
        call("CM_ADL", BOOK, Whole("Candidates"), Named("AdlDeficit"), Named("AdlForm")),
        70, wrap=("form",),
    )  # fmt: skip
    page.count(f"S{top}", shared)
    return [*parts, (top - 1, shared.printed(4))]
