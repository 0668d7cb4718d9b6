"""The sheet Accounts: many accounts at several venues, who is nearest to trouble, under stress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import bands, inputs
from crossmargin.template.breakdown import bars
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["TABLES", "prepare", "settings", "write"]

RANKED: Final = Named("RankedBook")
"""The key where there is one: LibreOffice hands no cell with an error over to a ranking."""
_MADE: Final = call(
    "CM_BOOK",
    Whole("AccountPositions"),
    Whole("AccountRules"),
    Whole("AccountCollateral"),
    Whole("AccountMarket"),
    None,
    Named("AccountsAsOf"),
)
TABLES: Final = (
    ("AccountPositions", "positions"),
    ("AccountCollateral", "collateral"),
    ("AccountMarket", "market"),
)
"""The names of the tables and what they hold; AccountRules names the rulebook of each account."""
_LAST: Final = 14
_SHOWN: Final = 16
_SPARE: Final = 5
_CHART_ROWS: Final = 17
_SORTS: Final = ("excess", "usage", "shortfall", "mm", "call", "nearest")
_STRESSES: Final = tuple(
    f"stress={name}" for name in ("OCT2025", "AUG2024", "USDC2023", "FTX2022", "MAY2021", "MAR2020")
)
_NOTES: Final = (
    (
        "Accounts stand side by side and are never netted, each in the reporting currency of its "
        "own rulebook. call_amount lifts every pool of the account to its initial margin."
    ),
    (
        "fails_at is the part of the stress at which the account is liquidated, 1 being all of it; "
        "empty: it bears all. transfer is what saves it, from accounts that keep their own initial "
        "margin."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {"RankBy": "excess", "AccountsStress": "stress=OCT2025"}


def prepare(calculator: Calculator) -> None:
    """Make the book known before any sheet refers to it."""
    key = calculator.define("AccountsBook", _MADE)
    calculator.note("RankedBook", "" if is_error(key) else key)


def write(page: Page, tables: Mapping[str, Rows]) -> None:
    """Write the sheet: the ranking, its picture, the accounts under a stress, the tables."""
    page.head(
        "Accounts",
        "For who watches many accounts at several venues: who is nearest to liquidation now, who "
        "fails first under a stress, and what would save it.",
        book="AccountsBook",
    )
    page.widths("B", 10, 20, 12, 12, 11, 12, 11, 10, 26, 12, 24, 22, 13, 30)
    value = page.calculator.value
    for row, (text, name, choices, hint) in enumerate(
        (
            ("As-of", "AccountsAsOf", (), "A text such as 2026-01-13T12:00:00Z."),
            ("Ranked by", "RankBy", _SORTS, "What decides which account comes first."),
        ),
        start=5,
    ):
        page.text(f"B{row}", text, page.styles.label)
        page.input(f"C{row}", name, value(name), choices=choices, hint=hint)
    page.text("E5", "Book (key)", page.styles.label)
    page.single("F5", _MADE, page.styles.get(align="left"), "AccountsBook")
    page.text("E6", "Ranked", page.styles.label)
    page.formula("F6", '=IFERROR(AccountsBook,"")', value("RankedBook"), page.styles.stamp)
    page.define("RankedBook", "F6")
    page.text("E7", _NOTES[0], page.styles.note)
    page.section(8, "Accounts, the one nearest to trouble first", _LAST)
    ranked = page.block("B9", call("CM_ACCOUNTS", RANKED, 50.0, Named("RankBy")), _SHOWN,
                        wrap=("age_in_state",))  # fmt: skip
    page.count("O8", ranked)
    bars(page, ranked, ("excess_mm",))
    top = ranked.bottom + 3
    page.section(top, "Usage of the first twelve over the bands: trade, watch, call, liquidate",
                 _LAST)  # fmt: skip
    page.widths("P", 14, 13, 17, 16, 4, 14, 13, 12, 15, 4, 14, 26, 3, 12, *[9] * 5)
    page.text(f"AC{top}", "Feeds the picture; not printed", page.styles.section)
    fed = bands.feed(page, f"AC{top + 1}", ranked, 12)
    bands.draw(fed, f"B{top + 1}", 1080, 20 * _CHART_ROWS - 8)
    top = first = top + _CHART_ROWS + 2
    page.section(top, "Under a stress: the first to fail, and the transfer that saves it", _LAST)
    page.text(f"B{top + 1}", "Stress", page.styles.label)
    page.input(f"C{top + 1}", "AccountsStress", value("AccountsStress"), choices=_STRESSES,
               hint="A crisis of the library; more options with semicolons between, such as "
               "case=severe.")  # fmt: skip
    page.text(f"E{top + 1}", _NOTES[1], page.styles.note)
    struck = page.block(
        f"B{top + 2}", call("CM_ACCOUNTS", RANKED, 50.0, None, Named("AccountsStress")), _SHOWN,
        wrap=("note", "transfer_from", "delta_left"),
    )  # fmt: skip
    page.count(f"O{top}", struck)
    bars(page, struck, ("excess_mm",))
    filled = _inputs(page, tables, struck.bottom + 3)
    page.print_ranges(f"A1:O{first - 1}", f"A{first - 1}:O{struck.printed(4)}", *filled)


def _inputs(page: Page, tables: Mapping[str, Rows], top: int) -> tuple[str, str]:
    """Write the four tables side by side; return the ranges of positions and of the others."""
    page.section(top, "The yellow tables: paste here, header included", 26)
    height = max(len(tables[name]) for name in ("AccountPositions", "AccountRules")) + _SPARE
    page.stamp("P", "Accounts: balances, market, rules", "AccountsBook")
    last, first = top, top - 1
    for left, name, kind in (
        (1, *TABLES[0]),
        (15, *TABLES[1]),
        (20, *TABLES[2]),
        (25, "AccountRules", "account_rules"),
    ):
        held = tables[name]
        last = inputs.table(
            page, name, held, kind=kind, header_row=top + 2, spare=height - len(held),
            widths=False, left=left,
        )  # fmt: skip
    page.sheet.set_row(top, 36)  # the units of volatilities take three lines
    return f"A{first}:N{last}", f"P{first}:AA{last}"
