"""Tables of results: the formula, the rows reserved for a longer answer, and how they look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from crossmargin.template.headers import header_of
from crossmargin.template.style import LINE, NUMBERS, STATUS_WORDS, number_format
from crossmargin.template.values import is_error

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from crossmargin.template.calls import Call
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

__all__ = ["Block", "Looks", "count_formula", "rows_shown", "word_count", "write"]

Looks = Mapping[str, Mapping[str, object]]
"""Words that a table may show, and the format that marks each."""

_LINE_HEIGHT: Final = 10.8
_LETTER_WIDTH: Final = 0.69  # of small print, in the unit of column widths
_BOLD_LETTER_WIDTH: Final = 0.88
_USUAL_WIDTH: Final = 8.43  # of a column that says nothing else
_TWO_LINES: Final = 20.9
_FAINT: Final = "#A8AFB9"
_LEFT_OUT: Final = "#8A94A6"  # a row that does not count
_NO_ROOM: Final = "MORE ROWS THAN SPACE: insert rows below"


class Block:
    """Where a table of results stands.

    Parameters
    ----------
    sheet
        The name of its sheet.
    place
        The row and column of its header, from 0.
    header
        The words of its columns.
    capacity
        The rows reserved below the header.
    rows
        What it shows, header first; one error if there is no answer.
    function
        The function that shows it.
    """

    def __init__(  # noqa: PLR0913  # a table and where it stands
        self,
        sheet: str,
        place: tuple[int, int],
        *,
        header: Sequence[str],
        capacity: int,
        rows: Rows,
        function: str = "",
    ) -> None:
        self.function = function
        self.sheet, self.header, self.capacity, self.rows = sheet, list(header), capacity, rows
        self.top, self.left = place
        self.failed = is_error(rows[0][0])

    @property
    def bottom(self) -> int:
        """Return the last reserved row, from 0."""
        return self.top + self.capacity

    @property
    def right(self) -> int:
        """Return the last column, from 0."""
        return self.left + len(self.header) - 1

    def printed(self, least: int) -> int:
        """Return the last row that is worth printing, from 1; at least so many below the header."""
        return self.top + 1 + max(len(self.rows) - 1, least)

    def column(self, name: str, *, sheet: bool = False) -> str:
        """Return the reserved cells of a column, without the header, as an absolute reference."""
        place = self.left + self.header.index(name)
        area = f"{_address(self.top + 1, place)}:{_address(self.bottom, place)}"
        return f"{self.sheet}!{area}" if sheet else area

    def cell(self, row: int, name: str) -> str:
        """Return the address of a cell, row 0 being the header."""
        return _address(self.top + row, self.left + self.header.index(name))

    def values(self, name: str) -> list[Value]:
        """Return what a column shows, without the header."""
        place = self.header.index(name)
        return [row[place] for row in self.rows[1:]]


def write(  # noqa: PLR0913  # a table and how it looks
    page: Page,
    address: str,
    made: Call,
    capacity: int,
    *,
    wrap: Collection[str] = (),
    words: Looks | None = None,
) -> Block:
    """Write a call that shows a table, with rows reserved for a longer one.

    Rows beyond the result are hidden by a conditional format; so is a header that LibreOffice
    repeats when a table has no rows.

    Parameters
    ----------
    page
        The sheet.
    address
        The cell of the formula, which becomes the first word of the header.
    made
        The call.
    capacity
        Rows to reserve; more if the answer is longer.
    wrap
        Columns whose texts go over several lines, in small print.
    words
        Words to mark; left out, those of a status.
    """
    rows = page.calculator.rows(made)
    block = Block(
        page.name,
        xl_cell_to_rowcol(address),
        header=header_of(made),
        capacity=max(capacity, len(rows) + 2),
        rows=rows,
        function=made.function,
    )
    styles = [_column_style(page, block, name, small=name in wrap) for name in block.header]
    area = (block.top, block.left, block.bottom, block.right)
    page.sheet.write_dynamic_array_formula(*area, made.formula, None, rows[0][0])
    for place, name in enumerate(block.header):
        style = page.styles.header(right=_is_numeric(block, name))
        if place:
            page.value(block.top, block.left + place, None if block.failed else name, style)
        else:
            first = page.sheet.table[block.top]
            first[block.left] = first[block.left]._replace(format=style)
    _fit_header(page, block)
    for number in range(1, block.capacity + 1):
        known = number < len(rows)
        for place, style in enumerate(styles):
            value = rows[number][place] if known else None
            page.value(block.top + number, block.left + place, value, style)
        if known:
            _fit(page, block, number, wrap)
    for place, name in enumerate(block.header):
        if number_format(name, block.function) == NUMBERS["quantity"]:
            column = block.left + place
            page.group_thousands((block.top + 1, column, block.bottom, column))
    _mark(page, block, words or (STATUS_WORDS if "status" in block.header else {}))
    return block


def count_formula(block: Block) -> str:
    """Return a formula that says how many rows a table has, and whether there is room for all."""
    head = xl_rowcol_to_cell(block.top, block.left)
    first = xl_rowcol_to_cell(block.top + 1, block.left)
    area = f"{first}:{xl_rowcol_to_cell(block.bottom, block.left)}"
    number = f"SUMPRODUCT(--ISTEXT({area}))+COUNT({area})"
    return (
        f'=IF(ISERROR({head}),"no answer",IF(ISERROR({first}),"no rows",'
        f'IF({first}&""={head}&"","no rows",IF({number}>={block.capacity},"{_NO_ROOM}",'
        f'IF({number}=0,"no rows","rows: "&({number}))))))'
    )


def word_count(area: str, word: str) -> str:
    """Return a term that counts a word in an area; see :func:`_mark` about `&""`."""
    return f'SUM(IFERROR(--({area}&""="{word}"),0))'


def rows_shown(rows: Rows, capacity: int) -> str:
    """Return what the formula of :func:`count_formula` says."""
    if is_error(rows[0][0]):
        return "no answer"
    number = len(rows) - 1
    if number >= capacity:
        return _NO_ROOM
    return f"rows: {number}" if number else "no rows"


def _column_style(page: Page, block: Block, name: str, *, small: bool) -> Any:  # noqa: ANN401
    look: dict[str, object] = {
        "num_format": number_format(name, block.function),
        "align": "right",
    }
    if not _is_numeric(block, name):
        look |= {"align": "left", "indent": 1}
    if small:
        look |= {"text_wrap": True, "font_size": 8}
    return page.styles.get(**look)


def _is_numeric(block: Block, name: str) -> bool:
    """Return whether a column holds numbers; without a single value its format decides."""
    cells = [] if block.failed else block.values(name)
    known = [cell for cell in cells if cell not in {None, ""} and not is_error(cell)]
    if known:
        return all(isinstance(cell, float) for cell in known)
    return number_format(name, block.function) != "General"


def _fit_header(page: Page, block: Block) -> None:
    """Make the header high enough for a word that goes over two lines."""
    for place, name in enumerate(block.header):
        width = page.column_widths.get(block.left + place, _USUAL_WIDTH)
        if len(name) * _BOLD_LETTER_WIDTH > width:
            page.sheet.set_row(block.top, _TWO_LINES)


def _fit(page: Page, block: Block, row: int, wrap: Collection[str]) -> None:
    """Make a row high enough for its wrapped texts."""
    lines = 1
    for place, name in enumerate(block.header):
        if name in wrap:
            width = page.column_widths.get(block.left + place, 10.0)
            text = str(block.rows[row][place])
            lines = max(lines, math.ceil(len(text) * _LETTER_WIDTH / width))
    if lines > 1:
        page.sheet.set_row(block.top + row, _LINE_HEIGHT * lines + 2)


def _mark(page: Page, block: Block, words: Looks) -> None:
    """Add the conditional formats of a table; LibreOffice applies the first that holds.

    Texts are compared with `&""`: LibreOffice finds all texts of a table that an add-in returned
    equal to one another until they are copied.
    """
    key = xl_rowcol_to_cell(block.top + 1, block.left, col_abs=True)
    header = _address(block.top, block.left)
    own = xl_rowcol_to_cell(block.top + 1, block.left)
    hidden = f'=IF(ISERROR({key}),TRUE,IF(LEN({key})=0,FALSE,{key}&""={header}&""))'
    line: dict[str, object] = {"bottom": 1, "bottom_color": LINE}
    rules: list[tuple[str, Mapping[str, object]]] = [(hidden, {"font_color": "#FFFFFF"})]
    rules += [(f'={own}&""="{word}"', look) for word, look in words.items()]
    if "counts" in block.header:
        left_out = xl_rowcol_to_cell(
            block.top + 1, block.left + block.header.index("counts"), col_abs=True
        )
        rules.append((f'={left_out}&""="no"', {"font_color": _LEFT_OUT, "italic": True, **line}))
    rules += [
        (f'=AND(ISERROR({own}),{key}&""="TOTAL")', {"font_color": _FAINT, "top": 1}),
        (f"=ISERROR({own})", {"font_color": _FAINT, **line}),
        (f'={key}&""="TOTAL"', {"bold": True, "top": 1}),
        (f"=LEN({key})>0", line),
    ]
    for number, (criteria, look) in enumerate(rules):
        page.sheet.conditional_format(
            block.top + 1,
            block.left,
            block.bottom,
            block.right,
            {
                "type": "formula",
                "criteria": criteria,
                "stop_if_true": number == 0,
                "format": page.styles.rule(**look),
            },
        )


def _address(row: int, column: int) -> str:
    """Return an absolute address; XlsxWriter's own function has no types."""
    return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))
