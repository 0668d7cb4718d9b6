"""One sheet: texts, inputs, single results, and tables of results with reserved rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from crossmargin.template import blocks
from crossmargin.template.style import guard
from crossmargin.template.values import ERROR_MARK, is_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from crossmargin.template.blocks import Block, Looks
    from crossmargin.template.calls import Calculator, Call
    from crossmargin.template.style import Styles
    from crossmargin.template.values import Value

__all__ = ["Page"]

Workbook = Any  # of XlsxWriter, which has no types
_LONGEST_LIST = 255  # of the words of a validation
_MADE_ON = {
    "Book": "Start",
    "RiskBook": "Tail",
    "LimitBook": "Limits",
    "AccountsBook": "Accounts",
    "HandBook": "Worked",
}
"""The sheet on which a book is made; the rest are made on Options."""


class Page:
    """One worksheet with its title, its stamp and its print setup.

    Parameters
    ----------
    workbook
        The XlsxWriter workbook.
    name
        The name of the sheet.
    styles
        The formats.
    calculator
        What the formulas answer.
    """

    def __init__(
        self,
        workbook: Workbook,
        name: str,
        styles: Styles,
        calculator: Calculator,
        *,
        tab: str = "",
    ) -> None:
        self.workbook, self.name, self.styles, self.calculator = workbook, name, styles, calculator
        self.sheet = workbook.add_worksheet(name)
        self.column_widths: dict[int, float] = {}
        self.printed: str = ""  # where more than one range is printed
        self.below: dict[str, str] = {}  # the cells under each input table
        self.checks: list[tuple[str, str]] = []  # cells that say whether a table is complete
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0, 2)
        self.sheet.set_footer(
            "&L&8crossmargin: an estimate, not the venue's calculation&C&8&A&R&8page &P of &N"
        )
        if tab:
            self.sheet.set_tab_color(tab)

    def head(self, title: str, purpose: str, *, freeze: int = 3, book: str = "Book") -> None:
        """Write title, purpose and stamp into the rows that every printed page repeats."""
        self.sheet.set_row(0, 24)
        self.sheet.set_row(2, 13)
        self.sheet.set_column(0, 0, 1.5, self.styles.text)
        self.text("B2", purpose, self.styles.note)
        self.stamp("B", title, book)
        if freeze:
            self.freeze(freeze)

    def stamp(self, column: str, title: str, name: str = "Book") -> None:
        """Write title and stamp at the top of a column from which printed pages begin."""
        self.text(f"{column}1", title, self.styles.title)
        book = self.calculator.value(name)
        where = _MADE_ON.get(name, "Options")
        self.formula(
            f"{column}3",
            f'=IF(ISERROR({name}),"no book: see {where} and Checks",{name})',
            f"no book: see {where} and Checks" if is_error(book) else book,
            self.styles.stamp,
        )

    def freeze(self, rows: int) -> None:
        """Keep this many rows in sight."""
        self.sheet.freeze_panes(rows, 0)

    def widths(self, first: str, *widths: float) -> None:
        """Set the widths of neighbouring columns, from the column of this letter on."""
        place = xl_cell_to_rowcol(f"{first}1")[1]
        for number, width in enumerate(widths):
            self.column_widths[place + number] = width
            self.sheet.set_column(place + number, place + number, width, self.styles.text)

    def text(self, address: str, text: str, style: Any = None) -> None:  # noqa: ANN401
        """Write a text, which never becomes a formula or a link."""
        row, column = xl_cell_to_rowcol(address)
        self.value(row, column, text, style)

    def value(self, row: int, column: int, value: Value, style: Any = None) -> None:  # noqa: ANN401
        """Write a number, a text, an error or nothing."""
        style = style or self.styles.text
        if value is None or value == "":
            self.sheet.write_blank(row, column, None, style)
        elif isinstance(value, str):
            self.sheet.write_string(row, column, value, style)
        else:
            self.sheet.write_number(row, column, value, style)

    def section(self, row: int, text: str, last: int) -> None:
        """Write a heading with a line under it to the column of number `last`, row from 1."""
        self.sheet.set_row(row - 1, 20)
        for column in range(1, last + 1):
            self.value(row - 1, column, text if column == 1 else None, self.styles.section)

    def input(  # noqa: PLR0913  # a cell with all that belongs to it
        self,
        address: str,
        name: str,
        value: Value,
        number: str = "General",
        *,
        choices: Collection[str] = (),
        hint: str = "",
    ) -> None:
        """Write a cell that the user fills, under a name, with its choices and its hint."""
        row, column = xl_cell_to_rowcol(address)
        self.value(row, column, value, self.styles.input(number, align="left", **guard(value)))
        self.define(name, address)
        if choices:
            self.choose((row, column, row, column), choices, hint)
        elif hint:
            self.sheet.data_validation(
                row, column, row, column,
                {"validate": "any", "input_title": name, "input_message": hint[:255]},
            )  # fmt: skip

    def choose(
        self, area: tuple[int, int, int, int], choices: Collection[str], hint: str = ""
    ) -> None:
        """Offer a list of words in an area; another word gets a warning and may stay."""
        words = list(choices)
        while len(",".join(words)) > _LONGEST_LIST:
            words.pop()  # the hint or the sheet says where all of them are
        self.sheet.data_validation(
            *area,
            {
                "validate": "list",
                "source": words,
                "error_type": "warning",
                "error_title": "Not in the list",
                "error_message": "Known words: " + ", ".join(choices)[:200],
                "input_message": hint[:255],
            },
        )

    def group_thousands(self, area: tuple[int, int, int, int]) -> None:
        """Show large short quantities with thousands; their format leaves that to the long."""
        first = xl_rowcol_to_cell(area[0], area[1])
        self.sheet.conditional_format(
            *area,
            {"type": "formula", "criteria": f"=IF(ISNUMBER({first}),{first}<=-1000,FALSE)",
             "format": self.styles.rule(num_format="#,##0")},
        )  # fmt: skip

    def print_ranges(self, *ranges: str) -> None:
        """Print these ranges, each on a new page."""
        self.sheet.print_area(ranges[0])
        made = []
        for one in ranges:
            first, last = (xl_cell_to_rowcol(corner) for corner in one.split(":"))
            corners = [xl_rowcol_to_cell(*at, row_abs=True, col_abs=True) for at in (first, last)]
            made.append(f"{self.name}!{':'.join(corners)}")
        self.printed = ",".join(made)

    def define(self, name: str, address: str) -> None:
        """Give a cell a name of the workbook."""
        row, column = xl_cell_to_rowcol(address)
        cell = xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
        self.workbook.define_name(name, f"={self.name}!{cell}")

    def formula(
        self,
        address: str,
        text: str,
        value: Value,
        style: Any = None,  # noqa: ANN401
        *,
        array: bool = False,
    ) -> None:
        """Write an ordinary formula and what it shows; `array` if it works on whole columns."""
        row, column = xl_cell_to_rowcol(address)
        style = style or self.styles.text
        if array:
            self.sheet.write_dynamic_array_formula(f"{address}:{address}", text, style, value)
            return
        shown = value[len(ERROR_MARK) :] if isinstance(value, str) and is_error(value) else value
        self.sheet.write_formula(row, column, text, style, shown)

    def single(self, address: str, made: Call, style: Any = None, name: str = "") -> None:  # noqa: ANN401
        """Write a call that shows one value, under a name if one is given."""
        value = self.calculator.define(name, made) if name else self.calculator.rows(made)[0][0]
        if name:
            self.define(name, address)
        self.sheet.write_dynamic_array_formula(
            f"{address}:{address}", made.formula, style or self.styles.text, value
        )

    def block(
        self,
        address: str,
        made: Call,
        capacity: int,
        *,
        wrap: Collection[str] = (),
        words: Looks | None = None,
    ) -> Block:
        """Write a call that shows a table; see :func:`crossmargin.template.blocks.write`."""
        return blocks.write(self, address, made, capacity, wrap=wrap, words=words)

    def count(self, address: str, block: Block) -> None:
        """Write how many rows a table has, and whether there is room for all of them."""
        text = blocks.count_formula(block)
        shown = blocks.rows_shown(block.rows, block.capacity)
        self.formula(address, text, shown, self.styles.count)
        self.checks.append((self.name, address))
