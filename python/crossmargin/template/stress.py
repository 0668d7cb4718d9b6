"""The sheet Stress: named crises, scenarios of one's own, a heat map, the horizon, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs, matrix
from crossmargin.template.breakdown import SHOWN, bars, say_which
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.style import NUMBERS

if TYPE_CHECKING:
    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["OWN", "prepare", "settings", "write"]

OWN: Final[Rows] = [
    ["scenario", "coin", "move", "vol", "vol_points", "peg", "venue", "days"],
    ["desk crash", "BTC", -0.25, 0.4, None, None, None, None],
    [None, "other", "beta", 0.4, None, None, None, None],
    ["desk rally", "other", 0.2, -0.1, None, None, None, 2.0],
]
"""Scenarios of the desk's own, to begin with."""
_BEFORE: Final = call(
    "CM_BOOK",
    Whole("OptionPositions"),
    Named("BeforeRule"),
    Whole("OptionCollateral"),
    Whole("OptionMarket"),
    None,
    Named("BeforeAsOf"),
)
_LAST: Final = 14
_CASES: Final = ("case=mild", "case=central", "case=severe", "case=all")
_MEASURES: Final = ("MM", "IM", "equity", "usage", "excess")
_TOTAL: Final = {"TOTAL": {"bold": True}}
_NOTES: Final = (
    (
        "pnl is what contracts gain, collateral_change what balances gain; equity and margin are "
        "measured again at those prices. call_amount lifts every pool to its initial margin."
    ),
    (
        "shortfall is what is owed after the liquidation. Options: case=severe; cascade=1 lets the "
        "own liquidation move the price; group_by=account."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {
        "StressOptions": "case=central",
        "GridCoin": "ALL",
        "GridMoves": "-0.4;-0.3;-0.2;-0.1;-0.05;0;0.05;0.1;0.2;0.3;0.4",
        "GridVols": "-0.2;0;0.2;0.5;1",
        "HorizonDates": "1;7;30;90",
        "HorizonMeasure": "MM",
        "DiffMeasure": "MM",
        "BeforeRule": "deribit-sm",
        "BeforeAsOf": "2026-01-12T12:00:00Z",
        "AccountStress": "stress=OCT2025",
    }


def prepare(calculator: Calculator) -> None:
    """Make the earlier book known before any sheet refers to it."""
    calculator.define("BookBefore", _BEFORE)


def write(page: Page, own: Rows) -> None:
    """Write the sheet: crises, own scenarios, grid, horizon, difference, accounts, sources."""
    page.head(
        "Stress",
        "The book measured again after named crises and scenarios of your own, at every node of "
        "price and volatility, and as time passes.",
        book="Shown",
    )
    page.widths("B", 20, 15, 16, 15, 15, 15, 12, 14, 15, 34, 15, 38, 14, 40)
    say_which(page, 5)
    page.text("B6", "Options", page.styles.label)
    page.input("C6", "StressOptions", page.calculator.value("StressOptions"), choices=_CASES,
               hint="case=mild, central, severe or all; cascade=1; group_by=account.")  # fmt: skip
    for number, text in enumerate(_NOTES):
        page.text(f"B{7 + number}", text, page.styles.note)
    page.section(10, "Named crises", _LAST)
    crises = page.block(
        "B11", call("CM_STRESS", SHOWN, "LIB", Named("StressOptions")), 24, wrap=("note",)
    )
    page.count("O10", crises)
    bars(page, crises, ("pnl",))
    top = crises.bottom + 3
    page.section(top, "Scenarios of your own: the yellow table", _LAST)
    bottom = inputs.table(
        page, "OwnStress", own, kind="stress", header_row=top + 2, spare=8, widths=False
    )
    made = page.block(
        f"B{bottom + 2}", call("CM_STRESS", SHOWN, Whole("OwnStress"), Named("StressOptions")), 12,
        wrap=("note",),
    )  # fmt: skip
    page.count(f"O{top}", made)
    first = made.bottom + 3
    ladder = _grid(page, first)
    last = _time(page, ladder + 3)
    page.print_ranges(f"A1:O{first - 1}", f"A{first - 1}:O{ladder}", f"A{ladder + 2}:O{last}")


def _grid(page: Page, top: int) -> int:
    """Write the heat map and the ladder; return the last row."""
    value = page.calculator.value
    page.section(top, "Excess over the trigger by price and volatility: below zero is liquidated",
                 _LAST)  # fmt: skip
    page.text(f"B{top + 1}", "Coin", page.styles.label)
    page.input(f"C{top + 1}", "GridCoin", value("GridCoin"),
               hint="A coin, or ALL: every coin by one ratio.")  # fmt: skip
    page.text(f"D{top + 1}", "Price moves", page.styles.label)
    page.input(f"E{top + 1}", "GridMoves", value("GridMoves"),
               hint="Relative moves with semicolons between.")  # fmt: skip
    page.text(f"G{top + 1}", "Volatility moves", page.styles.label)
    page.input(f"I{top + 1}", "GridVols", value("GridVols"),
               hint="Relative to each option's own, with semicolons between.")  # fmt: skip
    page.text(f"K{top + 1}", "the worst node", page.styles.label)
    worst = f"$L${top + 1}"
    table = matrix.write(
        page,
        f"B{top + 3}",
        call("CM_GRID", SHOWN, Named("GridCoin"), Named("GridMoves"), Named("GridVols"), None,
             "excess"),
        rows=24,
        columns=9,
        look=matrix.results(worst),
    )  # fmt: skip
    numbers = [cell for row in table.rows[1:] for cell in row[1:] if isinstance(cell, float)]
    area = f"$C${table.top + 2}:$J${table.bottom + 1}"
    page.formula(
        worst.replace("$", ""), f'=IFERROR(MIN(IF(ISNUMBER({area}),{area},0)),"")',
        min([*numbers, 0.0]), page.styles.get(num_format=NUMBERS["money"], bold=True), array=True,
    )  # fmt: skip
    page.section(table.bottom + 3, "Ladder: usage by price, 1 is liquidation", _LAST)
    ladder = page.block(
        f"B{table.bottom + 4}",
        call("CM_GRID", SHOWN, Named("GridCoin"), None, None, None, "usage"),
        24,
    )  # fmt: skip
    page.count(f"O{table.bottom + 3}", ladder)
    return ladder.bottom + 1


def _time(page: Page, top: int) -> int:
    """Write horizon, difference, accounts and sources; return the last row."""
    value = page.calculator.value
    page.section(top, "Horizon: time alone, with nobody moving a price", _LAST)
    page.text(f"B{top + 1}", "Days or dates", page.styles.label)
    page.input(f"C{top + 1}", "HorizonDates", value("HorizonDates"),
               hint="Days from the as-of, or dates, with semicolons between.")  # fmt: skip
    page.text(f"E{top + 1}", "Figure of the note", page.styles.label)
    page.input(f"G{top + 1}", "HorizonMeasure", value("HorizonMeasure"), choices=_MEASURES[:4])
    ahead = page.block(
        f"B{top + 3}", call("CM_HORIZON", SHOWN, Named("HorizonDates"), Named("HorizonMeasure")),
        30, wrap=("note",),
    )  # fmt: skip
    page.count(f"O{top}", ahead)
    top = ahead.bottom + 3
    page.section(top, "What changed: from the book before to the option book", _LAST)
    page.text(f"B{top + 1}", "Rulebook before", page.styles.label)
    page.input(f"C{top + 1}", "BeforeRule", value("BeforeRule"), hint="Of the book before.")
    page.text(f"E{top + 1}", "As-of before", page.styles.label)
    page.input(f"F{top + 1}", "BeforeAsOf", value("BeforeAsOf"))
    page.text(f"H{top + 1}", "Measure", page.styles.label)
    page.input(f"I{top + 1}", "DiffMeasure", value("DiffMeasure"), choices=_MEASURES)
    page.text(f"B{top + 2}", "Book before (key)", page.styles.label)
    page.single(f"C{top + 2}", _BEFORE, page.styles.get(align="left"), "BookBefore")
    page.text(f"B{top + 3}", "It is the sheet Options at another moment and under another "
              "rulebook; let its formula name yesterday's tables instead.",
              page.styles.note)  # fmt: skip
    changed = page.block(
        f"B{top + 4}",
        call("CM_DIFF", Named("BookBefore"), Named("OptionBook"), Named("DiffMeasure")),
        12, words=_TOTAL,
    )  # fmt: skip
    page.count(f"O{top}", changed)
    bars(page, changed, ("change",))
    top = changed.bottom + 3
    page.section(top, "Accounts, the one with least above its trigger first", _LAST)
    accounts = page.block(f"B{top + 1}", call("CM_ACCOUNTS", SHOWN), 12)
    page.count(f"O{top}", accounts)
    top = accounts.bottom + 3
    page.section(top, "Accounts under a stress: the first to fail, and what saves it", _LAST)
    page.text(f"B{top + 1}", "Stress", page.styles.label)
    page.input(f"C{top + 1}", "AccountStress", value("AccountStress"),
               hint="stress=OCT2025; case=severe")  # fmt: skip
    struck = page.block(
        f"B{top + 2}", call("CM_ACCOUNTS", SHOWN, None, None, Named("AccountStress")), 12,
        wrap=("note",),
    )  # fmt: skip
    page.count(f"O{top}", struck)
    top = struck.bottom + 3
    page.section(top, "Moves of the library, with range and source", _LAST)
    sources = page.block(f"B{top + 1}", call("CM_STRESS", SHOWN, "LIB", "layout=sources"), 70)
    page.count(f"O{top}", sources)
    return sources.printed(4)
