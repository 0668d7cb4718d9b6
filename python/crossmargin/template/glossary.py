"""The sheet Glossary: misunderstandings, directions, units, and every function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crossmargin import registry
from crossmargin.template.words import MISUNDERSTANDINGS, RATIOS, UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.template.page import Page

__all__ = ["write"]

_WIDTHS = (20, 34, 20, 14, 60, 40)


def write(page: Page) -> None:
    """Write the sheet; the list of functions comes from the registry."""
    page.head("Glossary", "What people believe, what is true, and what every function does.")
    page.widths("B", *_WIDTHS)
    page.section(5, "Eighteen misunderstandings", 6)
    row = 6
    for column, word in (("B", "No."), ("C", "people say"), ("D", "in fact")):
        page.text(f"{column}{row}", word, page.styles.header())
    for column in "EFG":
        page.value(row - 1, ord(column) - 65, None, page.styles.header())
    for number, (claim, truth) in enumerate(MISUNDERSTANDINGS, start=1):
        row += 1
        line = page.styles.get(text_wrap=True, indent=1, bottom=1, bottom_color="#D5DAE1")
        page.value(row - 1, 1, float(number), page.styles.get(
            align="left", indent=1, bottom=1, bottom_color="#D5DAE1", num_format="0"))  # fmt: skip
        page.text(f"C{row}", claim, page.styles.get(
            text_wrap=True, bold=True, indent=1, bottom=1, bottom_color="#D5DAE1"))  # fmt: skip
        page.sheet.merge_range(row - 1, 3, row - 1, 6, "", line)
        page.value(row - 1, 3, truth, line)
        page.sheet.set_row(row - 1, 14.5 * max(_lines(truth, 134), _lines(claim, 34)))
    header: tuple[str, ...]
    header = ("venue", "ratio", "towards liquidation it", "liquidated at", "in our scale")
    row = _list(page, row + 3, "Which way the venue's ratio goes", header, RATIOS)
    sizes = [(venue, column, unit, "", note) for venue, column, unit, note in UNITS]
    header = ("export", "column", "unit", "", "note")
    row = _list(page, row + 3, "What a size means", header, sizes)
    first = row + 3
    header = ("function", "example", "returns", "group", "what it does", "arguments, [optional]")
    row = _list(page, first, "Functions", header, list(map(_function, registry.records())))
    page.text(f"B{row + 2}", "Arguments from left to right; leave one out with two commas. Tables "
              "come with a header row whose words do not change; only a matrix names its "
              "columns by the rulebook.", page.styles.note)  # fmt: skip
    page.sheet.set_h_pagebreaks([7 + len(MISUNDERSTANDINGS), first - 1])
    page.sheet.print_area(0, 0, row + 1, 6)


def _list(
    page: Page, top: int, heading: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> int:
    """Write a table of texts; return its last row, from 1."""
    page.section(top, heading, 6)
    for place in range(6):
        word = header[place] if place < len(header) else ""
        page.value(top, 1 + place, word, page.styles.header())
    row = top + 1
    for texts in rows:
        row += 1
        cells = [*texts, *[""] * (6 - len(texts))]
        heights = [_lines(text, width) for text, width in zip(cells, _WIDTHS, strict=True)]
        page.sheet.set_row(row - 1, 14.5 * max(heights))
        for place, text in enumerate(cells):
            page.value(row - 1, 1 + place, text, _cell(page, place, text))
    return row


def _cell(page: Page, place: int, text: str) -> Any:  # noqa: ANN401
    more = {"bold": True} if place == 0 else {}
    if text[:1] == "=":
        more["quote_prefix"] = True  # stays a text when somebody edits it
    return page.styles.get(text_wrap=True, indent=1, bottom=1, bottom_color="#D5DAE1", **more)


def _function(record: registry.Record) -> tuple[str, ...]:
    arguments = ", ".join(f"[{a.name}]" if a.optional else a.name for a in record.arguments)
    returns = {
        "number": "a number",
        "text": "a text",
        "key": "the key of a book",
        "table": "a table",
        "cell": "a value, or a table",
    }[record.returns]
    return (record.sheet_name, record.example, returns, record.category, record.summary,
            arguments or "none")  # fmt: skip


def _lines(text: str, width: float) -> int:
    """Return how many lines a text needs in a column; words are a little wider than digits."""
    return max(1, math.ceil(len(text) * 0.9 / width))
