"""The sheet Compare: the same holdings under several rulebooks or modes, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin import registry
from crossmargin.template.breakdown import bars
from crossmargin.template.calls import Named, call
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.template.page import Page

__all__ = ["MODES", "covering", "write"]

MODES: Final = ("cross", "isolated", "pm")
_LAST: Final = 11
_BOOKS: Final = (
    ("The option book", "OptionBook", "OptionRules", "deribit-spm;span-16"),
    ("The main book", "Book", "MainRules", "cross;isolated"),
)
_REMARKS: Final = (
    (
        "The first row is what the others are compared with: capital_efficiency 30 % needs "
        "30 % less maintenance margin, -30 % needs 30 % more."
    ),
    (
        "Each row books the same quantities and marks anew; the note says what had to be "
        "re-booked, which components are estimated, or why a rulebook refuses the book."
    ),
    "Illustrative rulebooks (see the status on the sheet Rulebook) show the method, not a venue.",
)


def covering(book: object, rulebook: str, known: Sequence[str]) -> str:
    """Return the modes and rulebooks under which a book can be measured, its own first."""
    wanted = [*MODES, rulebook, *(name for name in known if name != rulebook)]
    words = list(dict.fromkeys(wanted))
    answer = registry.call("CM_COMPARE", [book, ";".join(words), "no"])
    if not isinstance(answer, list):
        return rulebook
    name, *needed = (answer[0].index(word) for word in ("rulebook", "im", "mm"))
    found = [
        str(row[name])
        for row in answer[1:]
        if all(isinstance(row[place], float) for place in needed)
    ]
    modes = [word for word in found if word in MODES]
    if len(modes) > 1:
        return ";".join(word for word in found if word != rulebook)
    return ";".join(word for word in found if word not in MODES)


def write(page: Page) -> None:
    """Write the sheet."""
    page.head(
        "Compare",
        "What the same holdings would need elsewhere: margins, usage, the nearest trigger and what "
        "goes first, under other rulebooks and modes.",
    )
    page.widths("B", 16, 13, 13, 9, 14, 17, 24, 30, 18, 13, 84)
    for number, text in enumerate(_REMARKS):
        page.text(f"B{5 + number}", text, page.styles.note)
    top, ends = 9, []
    for title, book, name, example in _BOOKS:
        page.section(top, title, _LAST)
        page.text(f"B{top + 1}", "Rulebooks", page.styles.label)
        page.input(
            f"C{top + 1}", name, page.calculator.value(name),
            hint=f"Names with semicolons between, such as {example}; or the modes cross, isolated "
            "and pm of the book's venue.",
        )  # fmt: skip
        page.sheet.merge_range(
            top, 2, top, 8, page.calculator.value(name), page.styles.input(align="left")
        )
        if not is_error(page.calculator.value(book)):
            page.formula(f"K{top + 1}", f"={book}", page.calculator.value(book), page.styles.stamp)
        block = page.block(
            f"B{top + 2}", call("CM_COMPARE", Named(book), Named(name)), 12,
            wrap=("note", "nearest_trigger", "first_liquidated"),
        )  # fmt: skip
        page.count(f"L{top}", block)
        bars(page, block, ("mm",))
        top = block.bottom + 3
        ends.append(block)
    page.sheet.print_area(0, 0, ends[-1].printed(3), _LAST)
