"""A page laid out on narrow columns: merged cells that show what other cells hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import xl_rowcol_to_cell

from crossmargin.template.style import INK, LINE, NUMBERS, STATUS_WORDS
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["Column", "Grid", "held", "linked"]

Cell = tuple[str, "Value"]
"""A formula and what it shows."""
Column = tuple[str, int, str]
"""A heading, the columns that it takes, and the number format below it; `text` is to the left."""

_SMALL: Final = 8
_ROW_HEIGHT: Final = 13.5


def held(block: Block, row: int, name: str) -> Value:
    """Return what a cell of a table shows, row 1 being the first; an empty text if nothing."""
    if block.failed or row >= len(block.rows):
        return ""
    value = block.values(name)[row - 1]
    return "" if value is None or is_error(value) else value


def linked(block: Block, row: int, name: str, *, thousands: bool = False) -> Cell:
    """Return a formula that shows a cell of a table, and nothing for an error or an empty cell."""
    cell, value = block.cell(row, name), held(block, row, name)
    if not thousands:
        return f'=IF(ISERROR({cell}),"",IF(LEN({cell})=0,"",{cell}))', value
    shown = value / 1000.0 if isinstance(value, float) else ""
    return f'=IF(ISNUMBER({cell}),{cell}/1000,"")', shown


class Grid:
    """Writes merged cells of one sheet.

    Parameters
    ----------
    page
        The sheet.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def span(
        self,
        row: int,
        column: int,
        width: int,
        shown: Cell | str,
        **look: object,
    ) -> None:
        """Write a text, or a formula with its value, over some columns; row from 1, A being 0."""
        style = self.page.styles.get(**look)
        if width > 1:
            self.page.sheet.merge_range(row - 1, column, row - 1, column + width - 1, "", style)
        if isinstance(shown, str):
            self.page.value(row - 1, column, shown, style)
        else:
            self.page.formula(xl_rowcol_to_cell(row - 1, column), shown[0], shown[1], style)

    def heading(self, row: int, column: int, width: int, shown: Cell | str) -> None:
        """Write a heading with a line below it."""
        self.page.sheet.set_row(row - 1, 17)
        self.span(row, column, width, shown, bold=True, font_size=11, font_color=INK, bottom=1,
                  bottom_color=INK)  # fmt: skip

    def header(self, row: int, column: int, columns: Sequence[Column]) -> None:
        """Write the headings of a table."""
        for word, width, number in columns:
            side: dict[str, Any] = (
                {"align": "left", "indent": 1} if number == "text" else {"align": "right"}
            )
            self.span(
                row, column, width, word, bold=True, font_size=_SMALL, font_color="#FFFFFF",
                bg_color=INK, **side,
            )  # fmt: skip
            column += width

    def row(self, row: int, column: int, columns: Sequence[Column], cells: Sequence[Cell]) -> None:
        """Write one row of a table; a line below it shows once its first cell holds something."""
        self.page.sheet.set_row(row - 1, _ROW_HEIGHT)
        first, start = xl_rowcol_to_cell(row - 1, column, col_abs=True), column
        for (_, width, number), cell in zip(columns, cells, strict=True):
            look: dict[str, Any] = {"num_format": NUMBERS[number]}
            look |= {"align": "left", "indent": 1} if number == "text" else {"align": "right"}
            self.span(row, column, width, cell, font_size=_SMALL, shrink=number == "text", **look)
            column += width
        self.page.sheet.conditional_format(
            row - 1, start, row - 1, column - 1,
            {"type": "formula", "criteria": f"=LEN({first})>0",
             "format": self.page.styles.rule(bottom=1, bottom_color=LINE)},
        )  # fmt: skip

    def colour(
        self, first: int, last: int, column: int, width: int, more: Sequence[str] = ()
    ) -> None:
        """Colour the words of a status in these rows; `more` are words as bad as liquidatable."""
        looks = {**STATUS_WORDS, **dict.fromkeys(more, STATUS_WORDS["liquidatable"])}
        for word, look in looks.items():
            self.page.sheet.conditional_format(
                first - 1, column, last - 1, column + width - 1,
                {"type": "formula",
                 "criteria": f'=${xl_rowcol_to_cell(first - 1, column)}&""="{word}"',
                 "format": self.page.styles.rule(**look)},
            )  # fmt: skip
