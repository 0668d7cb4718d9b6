"""The sheet Options: an option book in three tables, and its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.style import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from crossmargin.template.calls import Calculator
    from crossmargin.template.control import Checked
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["BOOK", "TABLES", "explain", "prepare", "write"]

BOOK: Final = call(
    "CM_BOOK",
    Whole("OptionPositions"),
    Named("OptionRule"),
    Whole("OptionCollateral"),
    Whole("OptionMarket"),
    None,
    Named("OptionAsOf"),
)
TABLES: Final = (
    ("OptionPositions", "positions"),
    ("OptionCollateral", "collateral"),
    ("OptionMarket", "market"),
)
"""The names of the tables and what they hold."""
_HEADER_ROW: Final = 18
_SPARE: Final = 12
_NOTES: Final = (
    (
        "Symbols such as BTC-27MAR26-95000-C say coin, expiry, strike and right; other names need "
        "the columns underlying, expiry, strike, optionType."
    ),
    (
        "markPrice of a coin-settled option is in coins. A missing mark follows from forward and "
        "markIv, a missing markIv from the mark; forward is the price for delivery at the expiry."
    ),
    (
        "Quantities of options in coins, of coin-settled perpetuals in USD; short is negative. The "
        "time to expiry counts from the as-of."
    ),
)
_RESULTS: Final = (
    ("E8", "G8", "initial margin", call("CM_IM", Named("OptionBook")), "money"),
    ("E9", "G9", "maintenance margin", call("CM_MM", Named("OptionBook")), "money"),
    ("E10", "G10", "usage (1 = liquidation)", call("CM_RATIO", Named("OptionBook")), "usage"),
)


def prepare(calculator: Calculator) -> None:
    """Make the book known before any sheet refers to it."""
    calculator.define("OptionBook", BOOK)


def write(page: Page, tables: Mapping[str, Rows], known: Collection[str]) -> None:
    """Write the sheet: rulebook, as-of and key, and three tables side by side."""
    page.head(
        "Options",
        "A second book beside the one of the four yellow sheets; Explain, Scenarios, Exposure and "
        "Compare show it.",
        book="OptionBook",
    )
    page.section(5, "Book", 17)
    _label(page, "B6", "Rulebook")
    value = page.calculator.value
    page.input("C6", "OptionRule", value("OptionRule"), choices=known,
               hint="A rulebook that covers options.")  # fmt: skip
    _label(page, "B7", "As-of")
    page.input("C7", "OptionAsOf", value("OptionAsOf"), hint="A text such as 2026-01-13T12:00:00Z: "
               "options need the moment from which the time to expiry counts.")  # fmt: skip
    _label(page, "E6", "Option book (key)")
    page.single("G6", BOOK, page.styles.get(align="left"), "OptionBook")
    _label(page, "E7", "About it")
    for place, cell, text, made, number in _RESULTS:
        _label(page, place, text)
        page.single(cell, made, page.styles.get(num_format=NUMBERS[number], align="left"))
    for row, note in enumerate(_NOTES, start=12):
        page.text(f"B{row}", note, page.styles.note)
    left, bottoms = 1, []
    for name, kind in TABLES:
        rows = tables[name]
        spare = max(_SPARE, len(tables["OptionPositions"]) - 1 + _SPARE - (len(rows) - 1))
        bottoms.append(
            inputs.table(
                page, name, rows, kind=kind, header_row=_HEADER_ROW, spare=spare, left=left
            )
        )
        left += len(rows[0]) + 1
    page.sheet.set_row(_HEADER_ROW - 2, 36)
    page.sheet.print_area(0, 0, max(bottoms) - 1, left - 2)


def _label(page: Page, address: str, text: str) -> None:
    page.text(address, text, page.styles.label)


def explain(page: Page, checked: Checked) -> None:
    """Write what there is to say about the book, once the sheet Checks says it."""
    why, reason = checked.why_options
    page.formula("G7", f'=IFERROR({why},"the engine is not loaded")', reason,
                 page.styles.get(font_size=9))  # fmt: skip
