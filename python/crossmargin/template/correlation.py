"""The sheet Correlation: how the coins of the main book move together, and how that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import matrix
from crossmargin.template.breakdown import bars
from crossmargin.template.calls import call
from crossmargin.template.style import STATUS_COLOURS
from crossmargin.template.tail import RISK_BOOK

if TYPE_CHECKING:
    from crossmargin.template.page import Page

__all__ = ["write"]

_LAST: Final = 16
_COINS: Final = 16
_ALERT: Final = {"yes": {"bg_color": STATUS_COLOURS["call"][0], "bold": True}}
_TABLES: Final = (
    ("What stressed correlations would do to the tail", "stress", 10, ("VaR", "ES"), None),
    ("Volatility: fast, slow, long run, and the forecast of one day", "volatility", 24, (), None),
    ("Betas, and the delta of the book weighted by them", "beta", 24, ("beta_delta",), None),
    ("Fast against slow correlations, pair by pair", "change", 130, (), _ALERT),
)
_NOTES: Final = (
    (
        "Exponentially weighted correlations of logarithmic moves over the sheet History, one "
        "decay for all pairs (0.94 unless said): blue moves together, red against each other."
    ),
    (
        "Diversified and hedged books fail in opposite ways, so that both ends are shown: all "
        "towards one, all towards zero, and hedges that break. z counts standard deviations of a "
        "change; beyond 3 it is an alert."
    ),
)


def write(page: Page) -> None:
    """Write the sheet."""
    page.head(
        "Correlation",
        "How the coins of the main book move together, how that has changed, and what it would do "
        "to the margin.",
        book="RiskBook",
    )
    page.widths("B", 15, 23, 14, *[11] * 12, 30)  # the third holds downside_beta
    for number, text in enumerate(_NOTES):
        page.text(f"B{4 + number}", text, page.styles.note)
    page.section(7, "Correlations", _LAST)
    table = matrix.write(
        page, "B8", call("CM_CORREL", RISK_BOOK), rows=_COINS, columns=_COINS,
        look=matrix.correlations(),
    )  # fmt: skip
    page.count("Q7", table)
    top, first, ranges = table.bottom + 3, 1, []
    for title, view, capacity, shown, words in _TABLES:
        page.section(top, title, _LAST)
        made = call("CM_CORREL", RISK_BOOK, view)
        block = page.block(f"B{top + 1}", made, capacity, words=words)
        page.count(f"Q{top}", block)
        bars(page, block, shown)
        if view in {"stress", "beta", "change"}:
            ranges.append(f"A{first}:Q{block.printed(3)}")
            first = block.bottom + 2
        top = block.bottom + 3
    page.print_ranges(*ranges)
