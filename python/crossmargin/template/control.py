"""The sheets Recon and Checks: whether the numbers can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crossmargin.template.accounts import TABLES as ACCOUNT_TABLES
from crossmargin.template.blocks import word_count
from crossmargin.template.calls import Named, Whole, call
from crossmargin.template.options import TABLES as OPTION_TABLES
from crossmargin.template.style import INPUT_FILL, INPUT_INK, INPUT_LINE, STATUS_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.template.blocks import Block
    from crossmargin.template.calls import Call
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["Checked", "write_checks", "write_recon"]

BOOK: Final = Named("Book")
_OWN: Final = ("comment", "owner", "resolved")
"""The columns of Recon that the user fills."""
_SECOND_BAND: Final = 10  # column K
_OTHERS: Final = (
    *((name, kind, "Options") for name, kind in OPTION_TABLES),
    *((name, kind, "Accounts") for name, kind in ACCOUNT_TABLES),
)
"""Tables of the other books: name, what they hold, their sheet."""
NO_ENGINE: Final = "the engine is not loaded"
_GOOD, _BAD, _FAIR = STATUS_COLOURS["ok"], STATUS_COLOURS["call"], STATUS_COLOURS["watch"]
_COLOURS: Final = {
    "agrees": _GOOD,
    "differs": _BAD,
    "OK": _GOOD,
    "ERROR": STATUS_COLOURS["liquidatable"],
    "WARNING": _FAIR,
}
_WORDS: Final = {
    word: {"bg_color": fill, "font_color": ink, "bold": True}
    for word, (fill, ink) in _COLOURS.items()
}


@dataclass(frozen=True)
class Checked:
    """Cells of the sheet Checks that Start refers to."""

    as_of: tuple[str, Value]
    why: tuple[str, Value]
    why_options: tuple[str, Value]


def write_recon(page: Page) -> None:
    """Write the sheet Recon."""
    page.head(
        "Recon",
        "Our figures beside the venue's own of the same paste, with the likely cause of a "
        "difference.",
    )
    page.widths("B", 14, 20, 15, 15, 14, 10, 11, 56, 32, 12, 13)
    page.text("B5", "Tolerance", page.styles.label)
    page.input(
        "C5", "Tolerance", 0.005, "General",
        hint="Below 1 a fraction of the venue's figure (0.005 = 0.5 %), from 1 on money.",
    )  # fmt: skip
    page.text("D5", "Below 1 a fraction of the venue's figure, from 1 on an amount of money.",
              page.styles.note)  # fmt: skip
    page.text("B6", "Scope", page.styles.label)
    page.input("C6", "ReconScope", "all", choices=("all", "account", "position"))
    made = call("CM_RECON", BOOK, Named("Tolerance"), Named("ReconScope"))
    block = page.block("B9", made, 120, words=_WORDS)
    last = block.right + len(_OWN)
    page.section(8, "Ours and the venue's", last)
    page.count("L8", block)
    _own_columns(page, block)
    area = f"$H$10:$H${block.bottom + 1}"
    status = [] if block.failed else block.values("status")
    agree, differ = (status.count(word) for word in ("agrees", "differs"))
    result = (
        "no venue figures were pasted: nothing to compare"
        if block.failed
        else f"{agree} agree, {differ} differ"
    )
    page.formula(
        "D6",
        f'=IF(ISERROR(B9),"no venue figures were pasted: nothing to compare",'
        f'{word_count(area, "agrees")}&" agree, "&{word_count(area, "differs")}&" differ")',
        result,
        page.styles.get(bold=True),
        array=True,
    )
    page.define("ReconResult", "D6")
    page.calculator.note("ReconResult", result)
    page.sheet.print_area(0, 0, block.printed(5), last)
    page.sheet.repeat_rows(0, block.top)


def _own_columns(page: Page, block: Block) -> None:
    """Write the columns that the user fills, right of a table; they are yellow beside its rows."""
    page.text(
        "I6",
        f"{', '.join(_OWN[:-1])} and {_OWN[-1]} are for you to type; they stay beside the row, not "
        "the symbol: look at them again after another paste.",
        page.styles.note,
    )
    first = block.right + 1
    area = (block.top + 1, first, block.bottom, block.right + len(_OWN))
    style = page.styles.get(font_color=INPUT_INK, locked=False, align="left", indent=1, shrink=True)
    for place, word in enumerate(_OWN, start=first):
        page.value(block.top, place, word, page.styles.header())
        for row in range(block.top + 1, block.bottom + 1):
            page.value(row, place, None, style)
    key, header = block.cell(1, block.header[0]).replace("$", ""), block.cell(0, block.header[0])
    shown = f'IF(ISERROR(${key}),FALSE,AND(LEN(${key})>0,${key}&""<>{header}&""))'
    page.sheet.conditional_format(
        *area,
        {"type": "formula", "criteria": f"={shown}",
         "format": page.styles.rule(bg_color=INPUT_FILL, border=1, border_color=INPUT_LINE)},
    )  # fmt: skip


def write_checks(page: Page, others: Sequence[Page], inputs: Sequence[tuple[str, str]]) -> Checked:
    """Write the sheet Checks; `inputs` are the names of the tables and of what they hold."""
    page.head("Checks", "What was noticed, how columns were understood, and what was assumed.")
    page.widths("B", 12, 13, 8, 19, 25, 22, 62, 46, 3, 14, 22, 32, 34, 24, 46)
    page.section(5, "At a glance", 8)
    top = 13
    page.section(top, "Stamp: what these numbers rest on", 8)
    stamp = _why(page, top, "stamp", 8)
    _aside(page, top, ("The hash covers tables, rulebook, options and engine.",
                       "The same hash is the same calculation.",
                       "It stands at the top of every printed page."))  # fmt: skip
    top = stamp.bottom + 3
    page.section(top, "The book, and the reason if there is none", 8)
    made = _why(page, top, "", 4)
    _aside(
        page,
        top,
        ("If a row refuses the book, it is named here,", "and listed with its repair below."),
    )
    top = made.bottom + 3
    page.section(top, "The book of the sheet Options, and the reason if there is none", 8)
    options = page.block(
        f"G{top + 1}", call("CM_WHY", Named("OptionBook")), 4, wrap=("sentence", "reference")
    )
    top = options.bottom + 3
    page.section(top, "Assumptions in force", 8)
    assumed = _why(page, top, "assumptions", 8)
    _aside(
        page,
        top,
        ("What the rulebook says and what it leaves open,", "with the page it comes from."),
    )
    top = assumed.bottom + 3
    first = top
    page.section(top, "Findings in the book", 8)
    top = _findings(page, top, call("CM_CHECK", BOOK), 8).bottom + 3
    for name, kind, sheet in _OTHERS:
        page.section(top, f"Findings in the table {name} of the sheet {sheet}", 8)
        made_of = call("CM_CHECK", Whole(name), None, kind)
        top = _findings(page, top, made_of, 12 if kind == "positions" else 4).bottom + 3
    findings = []
    for name, kind in sorted(inputs, key=lambda one: one[0] == "Positions"):
        page.section(top, f"Findings in the table {name}", 8)
        capacity = 200 if name == "Positions" else 4
        one = _findings(page, top, call("CM_CHECK", Whole(name), None, kind), capacity)
        findings.append(one)
        top = one.bottom + 3
    last = findings[-1].printed(1)
    units, columns = _understood(page)
    _glance(page, [*others, page], findings, inputs)
    page.print_ranges(
        f"A1:I{first - 2}",
        f"A{first - 1}:I{last}",
        f"K4:P{units.printed(1)}",
        f"K{columns.top - 1}:P{columns.printed(1)}",
    )
    as_of, value = _row_of(stamp, "as-of")
    reason = NO_ENGINE if made.failed else made.rows[1][1]
    other = NO_ENGINE if options.failed else options.rows[1][1]
    return Checked(
        (as_of, value),
        (f"Checks!{made.cell(1, 'sentence')}", reason),
        (f"Checks!{options.cell(1, 'sentence')}", other),
    )


def _understood(page: Page) -> tuple[Block, Block]:
    """Write, right of the findings, how quantities and columns were read."""
    page.stamp("K", "Checks: how the tables were understood")
    heading = page.styles.section
    for row, text in ((5, "How quantities were read"), (60, "How columns were understood")):
        for column in range(_SECOND_BAND, _SECOND_BAND + 6):
            shown = text if column == _SECOND_BAND else None
            page.value(row - 1, column, shown, heading)
    units = page.block("K6", call("CM_CHECK", BOOK, "units"), 50, wrap=("because",))
    page.count("P5", units)
    columns = page.block("K61", call("CM_CHECK", BOOK, "columns"), 120, wrap=("unit", "note"))
    page.count("P60", columns)
    return units, columns


def _aside(page: Page, top: int, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        page.text(f"B{top + 2 + number}", line, page.styles.note)


def _why(page: Page, top: int, topic: str, capacity: int) -> Block:
    made = call("CM_WHY", BOOK, topic) if topic else call("CM_WHY", BOOK)
    return page.block(f"G{top + 1}", made, capacity, wrap=("sentence", "reference"))


def _findings(page: Page, top: int, made: Call, capacity: int) -> Block:
    block = page.block(f"B{top + 1}", made, capacity, wrap=("message", "fix"), words=_WORDS)
    page.count(f"I{top}", block)
    return block


def _row_of(block: Block, topic: str) -> tuple[str, Value]:
    """Return the formula and the value of the sentence about a topic."""
    topics, sentences = block.column("topic", sheet=True), block.column("sentence", sheet=True)
    known = (
        {}
        if block.failed
        else dict(zip(block.values("topic"), block.values("sentence"), strict=True))
    )
    shown = known.get(topic, "no answer")
    return f'=IFERROR(INDEX({sentences},MATCH("{topic}",{topics}&"",0)),"no answer")', shown


def _glance(
    page: Page,
    pages: Sequence[Page],
    findings: Sequence[Block],
    inputs: Sequence[tuple[str, str]],
) -> None:
    """Write the few lines at the top that Start repeats."""
    for number, (word, text) in enumerate((("ERROR", "errors"), ("WARNING", "warnings"))):
        area = [block.column("severity") for block in findings]
        terms = "+".join(word_count(one, word) for one in area)
        total = sum(block.values("severity").count(word) for block in findings if not block.failed)
        page.text(f"B{6 + number}", f"{text} in the pasted tables", page.styles.label)
        page.formula(f"E{6 + number}", f"={terms}", float(total), _strong(page), array=True)
        page.define(f"Pasted{text.title()}", f"E{6 + number}")
    cells = [f"{name}!{address}" for one in pages for name, address in one.checks]
    cut = "+".join(f'(LEFT({cell},4)="MORE")' for cell in cells)
    page.text("B8", "result tables without room", page.styles.label)
    page.formula("E8", f"={cut}", 0.0, _strong(page))
    page.define("TablesCut", "E8")
    below = {name: area for one in pages for name, area in one.below.items()}
    outside = "+".join(f"COUNTA({below[name]})" for name, *_ in (*inputs, *_OTHERS))
    page.text("B9", "cells filled below an input table", page.styles.label)
    page.formula("E9", f"={outside}", 0.0, _strong(page))
    page.define("CellsOutside", "E9")
    page.text("B10", "figures that differ from the venue's", page.styles.label)
    page.formula("E10", "=ReconResult", page.calculator.value("ReconResult"), _strong(page))
    for row, text in (
        (6, "Rows with errors refuse the book; each is listed below with its repair."),
        (7, "Warnings do not stop the calculation; read them once."),
        (8, ("A table that says MORE ROWS THAN SPACE, or #SPILL! in Excel, needs rows "
             "inserted below it.")),
        (9, ("Rows below a table are not read: in LibreOffice insert rows inside the table "
             "before pasting.")),
        (10, "See Recon."),
    ):  # fmt: skip
        page.text(f"F{row}", text, page.styles.note)
    page.sheet.conditional_format(
        "E6:E9",
        {"type": "cell", "criteria": ">", "value": 0,
         "format": page.styles.rule(bg_color=_BAD[0], font_color=_BAD[1])},
    )  # fmt: skip


def _strong(page: Page) -> object:
    return page.styles.get(bold=True, align="left", font_color="#1B2A41", num_format="0")
