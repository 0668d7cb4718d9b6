"""The sheet Limits: limits of the desk, what is left of each, and the dynamic leverage cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template import inputs
from crossmargin.template.breakdown import bars
from crossmargin.template.calls import Named, Whole, call, main_book
from crossmargin.template.style import STATUS_COLOURS

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.calls import Calculator
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["BREACHED", "QUICK", "prepare", "settings", "write"]

BOOK: Final = Named("LimitBook")
_MADE: Final = main_book("Rule", "RiskOptions")
_PROFILES: Final = ("conservative", "standard", "aggressive")
_LAST: Final = 13
QUICK: Final = (
    "paths=2000; steps=12"  # of the probability of liquidation: a sheet recalculates often
)
_COLOURS: Final = {
    "ok": STATUS_COLOURS["ok"],
    "watch": STATUS_COLOURS["watch"],
    "call": STATUS_COLOURS["call"],
    "restricted": STATUS_COLOURS["restricted"],
    "suspended": STATUS_COLOURS["liquidatable"],
    "error": STATUS_COLOURS["liquidatable"],
}
BREACHED: Final = ("restricted", "suspended")
"""The words of a status beyond the limit and beyond the hard limit."""
_WORDS: Final = {
    word: {"bg_color": fill, "font_color": ink, "bold": True}
    for word, (fill, ink) in _COLOURS.items()
}
_BINDING: Final = {"yes": {"bold": True, "bg_color": "#EEF2F7"}}
_NOTES: Final = (
    (
        "Fill the yellow table: what is limited (metric), of whom (scope), from where to watch "
        "(warn), the limit, and the hard limit. Empty: the limits of the risk profile."
    ),
    (
        "ok below half of the limit, then watch, call from 0.7, restricted beyond the limit, "
        "suspended beyond the hard limit. money is what must be reduced or deposited to be inside."
    ),
)


def settings() -> dict[str, float | str | None]:
    """Return the input cells of the sheet."""
    return {"RiskProfile": "standard", "SizeSymbol": "BTC", "SizeSide": "buy", "SizeLimit": "MM"}


def prepare(calculator: Calculator) -> None:
    """Make the book known: that of the main sheets, under its own rulebook, with the history."""
    calculator.define("LimitBook", _MADE)


def write(page: Page, rows: Rows) -> Block:
    """Write findings, caps, size and the limits themselves; return the table of findings."""
    page.head(
        "Limits",
        "What the limits say of the main book now: how much of each is used, and the money that "
        "would bring it inside.",
        book="LimitBook",
    )
    page.widths("B", 22, 15, 22, 14, 13, 14, 11, 13, 14, 62, 12, 14, 24)
    for number, text in enumerate(_NOTES):
        page.text(f"B{4 + number}", text, page.styles.note)
    page.text("B7", "Risk profile", page.styles.label)
    page.input("C7", "RiskProfile", page.calculator.value("RiskProfile"), choices=_PROFILES,
               hint="A set of parameters: confidence, horizon, budgets, depth.")  # fmt: skip
    page.text("E7", "Book (key)", page.styles.label)
    page.single("F7", _MADE, page.styles.get(align="left"), "LimitBook")
    profile = Named("RiskProfile")
    page.section(9, "Findings", _LAST)
    limited = page.block(
        "B10", call("CM_LIMITS", BOOK, Whole("Limits"), profile, QUICK), 30,
        wrap=("rule",), words=_WORDS,
    )  # fmt: skip
    page.count("N9", limited)
    bars(page, limited, ("use_pct",))
    top = limited.bottom + 3
    page.section(top, "The limits", _LAST)
    bottom = inputs.table(
        page, "Limits", rows, kind="limits", header_row=top + 2, spare=10, widths=False
    )
    first = top = bottom + 2
    page.section(top, "Dynamic leverage cap, term by term", _LAST)
    caps = page.block(
        f"B{top + 1}", call("CM_LEVERAGE", BOOK, None, profile), 110,
        words=_BINDING,
    )  # fmt: skip
    page.count(f"N{top}", caps)
    top = caps.bottom + 3
    page.section(top, "Probability of liquidation within a day", _LAST)
    chances = page.block(
        f"B{top + 1}", call("CM_LIQPROB", BOOK, 1.0, "each account", profile, QUICK), 12
    )
    page.count(f"N{top}", chances)
    _size(page, chances.bottom + 3)
    page.print_ranges(f"A1:N{bottom}", f"A{first - 1}:N{caps.printed(4)}")
    return limited


def _size(page: Page, top: int) -> None:
    """Write the largest size of one contract before a limit."""
    page.section(top, "Largest size before a limit", _LAST)
    value = page.calculator.value
    for row, (text, name, choices, hint) in enumerate(
        (
            ("Contract", "SizeSymbol", (), "Of the book, or one with a price on Market."),
            ("Side", "SizeSide", ("buy", "sell"), ""),
            ("Limit", "SizeLimit", ("IM", "MM", "usage=0.7", "leverage=3", "ES=5%"),
             "IM, MM, usage=0.7, leverage=3, ES=50000, VaR=5%, nearest>=0.15 ..."),
        ),
        start=top + 1,
    ):  # fmt: skip
        page.text(f"B{row}", text, page.styles.label)
        page.input(f"C{row}", name, value(name), choices=choices, hint=hint)
    asked = [Named(name) for name in ("SizeSymbol", "SizeSide", "SizeLimit")]
    page.block(
        f"B{top + 5}", call("CM_MAXSIZE", BOOK, *asked, "table"), 3,
        wrap=("reason",), words=_WORDS,
    )  # fmt: skip
