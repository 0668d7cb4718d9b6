"""The sheet Tail: the main book under a rulebook of the tail, and what it loses in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.breakdown import bars
from crossmargin.template.calls import Named, Whole, call, main_book
from crossmargin.template.style import NUMBERS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page

__all__ = ["RISK_BOOK", "prepare", "settings", "write"]

RISK_BOOK: Final = Named("RiskBook")
_BOOK: Final = main_book("RiskRule", "RiskOptions")
_HISTORY: Final = call("CM_HISTORY", Whole("History"))
_OPTIONS: Final = '=IFERROR(HistoryKey,"")'
_RULES: Final = ("es", "var")
_METHODS: Final = ("filtered", "historical", "age_weighted", "simulated")
_LAST: Final = 12
_RESULTS: Final = (
    ("maintenance margin", call("CM_MM", RISK_BOOK)),
    ("initial margin", call("CM_IM", RISK_BOOK)),
)
_NOTES: Final = (
    (
        "The main book, measured by its tail instead of its venue's rule. Value at risk is the "
        "loss that is not exceeded with the confidence; expected shortfall the mean of those "
        "beyond it."
    ),
    (
        "low and high hold the measure with 95 %. effective: scenarios that count, after weights "
        "and overlap. The margin adds stress and the cost of liquidation; Explain takes it apart."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {
        "RiskRule": "es",
        "TailConfidence": 0.99,
        "TailHorizon": 1.0,
        "TailMethod": "filtered",
    }


def prepare(calculator: Calculator) -> None:
    """Make history and book known before any sheet refers to them."""
    key = calculator.define("HistoryKey", _HISTORY)
    calculator.note("RiskOptions", "" if is_error(key) else key)
    calculator.define("RiskBook", _BOOK)


def write(page: Page) -> None:
    """Write the sheet."""
    page.head(
        "Tail",
        "Value at risk and expected shortfall of the main book over the sheet History, and the "
        "days on which it would have lost most.",
        book="RiskBook",
    )
    page.widths("B", 21, 13, 16, 13, 13, 13, 13, 15, 14, 14, 14, 60)
    page.section(5, "Book and tail", _LAST)
    _inputs(page)
    for number, text in enumerate(_NOTES):
        page.text(f"B{11 + number}", text, page.styles.note)
    page.section(14, "All methods side by side", _LAST)
    tail = ("all", Named("TailConfidence"), Named("TailHorizon"))
    measures = page.block("B15", call("CM_TAIL", RISK_BOOK, *tail, "all"), 20, wrap=("note",))
    page.count("M14", measures)
    bars(page, measures, ("value",))
    top = measures.bottom + 3
    page.section(top, "The largest losses, with what lost most", _LAST)
    losses = page.block(
        f"B{top + 1}",
        call("CM_TAIL", RISK_BOOK, "losses", *tail[1:], Named("TailMethod")),
        14,
    )
    page.count(f"M{top}", losses)
    bars(page, losses, ("loss",))
    first = losses.bottom + 3
    _history(page, first, losses)


def _history(page: Page, top: int, losses: Block) -> None:
    """Write what the history has and what was noticed about it."""
    page.section(top, "Series of the history", _LAST)
    series = page.block(f"B{top + 1}", call("CM_CHECK", Named("HistoryKey"), "columns"), 40)
    page.count(f"M{top}", series)
    end = series.bottom + 3
    page.section(end, "What was noticed about the history", _LAST)
    found = page.block(f"B{end + 1}", call("CM_CHECK", Named("HistoryKey")), 20, wrap=("fix",))
    page.count(f"M{end}", found)
    page.print_ranges(f"A1:M{losses.printed(4)}", f"A{top - 1}:M{found.printed(3)}")


def _inputs(page: Page) -> None:
    value = page.calculator.value
    label = page.styles.label
    page.text("B6", "Rulebook", label)
    page.input("C6", "RiskRule", value("RiskRule"), choices=_RULES,
               hint="es or var, or the name of a rulebook that is measured by a tail.")  # fmt: skip
    page.text("B7", "Confidence", label)
    page.input("C7", "TailConfidence", value("TailConfidence"), "0.0##%",
               hint="Of the two tables below; empty: as the rulebook says.")  # fmt: skip
    page.text("B8", "Horizon, days", label)
    page.input("C8", "TailHorizon", value("TailHorizon"), hint="Of the two tables below.")
    page.text("B9", "Method of the losses", label)
    page.input("C9", "TailMethod", value("TailMethod"), choices=_METHODS)
    page.text("E6", "History (key)", label)
    page.single("G6", _HISTORY, page.styles.get(align="left"), "HistoryKey")
    page.text("E7", "Options of the book", label)
    page.formula("G7", _OPTIONS, value("RiskOptions"), page.styles.stamp)
    page.define("RiskOptions", "G7")
    page.text("E8", "Book (key)", label)
    page.single("G8", _BOOK, page.styles.get(align="left"), "RiskBook")
    bold = page.styles.get(num_format=NUMBERS["money"], bold=True, align="left")
    for number, (text, made) in enumerate(_RESULTS, start=9):
        page.text(f"E{number}", text, label)
        page.single(f"G{number}", made, bold)
