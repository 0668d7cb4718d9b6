"""The sheet Rulebook: which there are, every number of one, their differences, and your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin.template import inputs
from crossmargin.template.calls import Named, call

if TYPE_CHECKING:
    from collections.abc import Collection

    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["write"]

PARTS = (
    "all", "general", "levels", "shocks", "charges", "tiers", "haircuts", "liquidation", "sources",
)  # fmt: skip


def write(page: Page, brackets: Rows, own: Rows, known: Collection[str]) -> None:
    """Write the sheet.

    Parameters
    ----------
    page
        The sheet.
    brackets
        The table of brackets, header first.
    own
        The rows of a rulebook that the user changes, header first.
    known
        The names of the built-in rulebooks.
    """
    page.head(
        "Rulebook",
        "A rulebook is data: each number with its source, the day it was read, and how sure it is.",
    )
    page.widths("B", 15, 17, 31, 15, 14, 46, 46, 27)
    page.section(5, "Rulebooks of this version", 8)
    listed = page.block("B6", call("CM_RULEBOOKS"), 6, wrap=("mode", "source", "status"))
    page.count("I5", listed)
    top = listed.bottom + 3
    page.section(top, "Brackets of your own", 8)
    page.text(
        f"B{top + 1}",
        "Only for brackets that no built-in rulebook has: fill the table, name the rulebook "
        "that it completes in its first row, and write Brackets[#All] in place of Rule in "
        "the formula of the cell Book.",
        page.styles.note,
    )
    bottom = inputs.table(
        page, "Brackets", brackets, kind="brackets", header_row=top + 3, spare=6, widths=False
    )
    top = bottom + 2
    page.section(top, "A rulebook of your own", 8)
    page.text(
        f"B{top + 1}",
        "One key in each row, as in the table below; copy rows from there, change the values, keep "
        "or replace the sources. Write OwnRules[#All] in place of Rule in the formula of the cell "
        "Book to use it; an error names key and row.",
        page.styles.note,
    )
    bottom = inputs.table(
        page, "OwnRules", own, kind="rules", header_row=top + 3, spare=12, widths=False, left=2
    )
    top = bottom + 2
    page.section(top, "Every number of the chosen rulebook", 8)
    page.text(f"B{top + 1}", "Rulebook", page.styles.label)
    chosen = page.calculator.value("Rule")
    page.formula(f"C{top + 1}", "=Rule", chosen, page.styles.get(bold=True))
    page.text(f"D{top + 1}", "Part", page.styles.get(align="right", indent=1))
    page.input(f"E{top + 1}", "RulePart", "liquidation", choices=PARTS)
    page.text(f"F{top + 1}", "choose all, or one part of it",
              page.styles.note)  # fmt: skip
    made = call("CM_RULEBOOKS", Named("Rule"), Named("RulePart"))
    parts = page.block(f"C{top + 2}", made, 160, wrap=("value", "unit", "source", "note"))
    page.count(f"I{top}", parts)
    page.sheet.print_area(0, 0, parts.printed(5), 8)
    _differences(page, known)


def _differences(page: Page, known: Collection[str]) -> None:
    """Write the block of differences, to the right of the rest."""
    page.widths("K", 11, 40, 22, 22, 12, 40, 40)
    page.text("K5", "Difference of two rulebooks", page.styles.section)
    page.input("M5", "RuleA", page.calculator.value("RuleA"), choices=known)
    page.input("N5", "RuleB", page.calculator.value("RuleB"), choices=known)
    block = page.block("K6", call("CM_RULEDIFF", Named("RuleA"), Named("RuleB")), 120)
    page.count("Q5", block)
