"""The sheet Rulebook: which there are, every number of the chosen one, and brackets of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin.template import inputs
from crossmargin.template.calls import Named, call

if TYPE_CHECKING:
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows

__all__ = ["write"]

PARTS = ("all", "general", "tiers", "haircuts", "shocks", "liquidation")


def write(page: Page, brackets: Rows) -> None:
    """Write the sheet."""
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
    page.section(top, "Every number of the chosen rulebook", 8)
    page.text(f"B{top + 1}", "Rulebook", page.styles.label)
    chosen = page.calculator.value("Rule")
    page.formula(f"C{top + 1}", "=Rule", chosen, page.styles.get(bold=True))
    page.text(f"D{top + 1}", "Part", page.styles.get(align="right", indent=1))
    page.input(f"E{top + 1}", "RulePart", "liquidation", choices=PARTS)
    page.text(f"F{top + 1}", "choose all, general, tiers, haircuts, shocks or liquidation",
              page.styles.note)  # fmt: skip
    made = call("CM_RULEBOOKS", Named("Rule"), Named("RulePart"))
    parts = page.block(f"C{top + 2}", made, 160, wrap=("value", "unit", "source", "note"))
    page.count(f"I{top}", parts)
    page.sheet.print_area(0, 0, parts.printed(5), 8)
