"""A workbook as Excel sees it: values, formulas, and what a reference in a formula means."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl import load_workbook
from openpyxl.formula import Tokenizer
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import to_excel as to_serial
from openpyxl.worksheet.formula import ArrayFormula

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Area", "Cell", "ErrorValue", "SheetModel", "UnsupportedFormulaError", "Value"]

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


class ErrorValue(str):
    """An error value of a cell, equal to its sign; a text of the same letters is a plain str."""

    __slots__ = ()


class UnsupportedFormulaError(ValueError):
    """A formula that the harness cannot resolve."""


Value = float | str | bool | ErrorValue | None
Cell = tuple[str, int, int]


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, rows and columns from 1."""

    sheet: str
    top: int
    left: int
    bottom: int
    right: int

    def overlaps(self, other: Area) -> bool:
        """Tell whether the two have a cell in common."""
        return (
            self.sheet == other.sheet
            and self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    def contains(self, cell: Cell) -> bool:
        """Tell whether the cell lies inside."""
        return self.overlaps(Area(cell[0], cell[1], cell[2], cell[1], cell[2]))


Argument = Area | Value | tuple[tuple[Value, ...], ...]


class SheetModel:
    """The cells of a workbook file.

    Parameters
    ----------
    path
        An .xlsx or .xlsm file. Values are its cached ones.
    """

    def __init__(self, path: Path) -> None:
        self.values: dict[Cell, Value] = {}
        self.formulas: dict[Cell, str] = {}
        self.arrays: dict[Cell, Area] = {}
        self._book = load_workbook(path)
        for sheet in load_workbook(path, data_only=True).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value is not None:
                        self.values[sheet.title, cell.row, cell.column] = _plain(cell)
        for sheet in self._book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f" and cell.row and cell.column:
                        self._add_formula((sheet.title, cell.row, cell.column), cell.value)

    def _add_formula(self, cell: Cell, value: Any) -> None:
        if isinstance(value, ArrayFormula):
            self.arrays[cell] = _area(cell[0], value.ref)
            value = value.text
        text = str(value)
        self.formulas[cell] = text if text.startswith("=") else f"={text}"

    def used(self, sheet: str) -> Area:
        """Return the used range of a sheet, A1 if it is empty."""
        cells = [cell for cell in {*self.values, *self.formulas} if cell[0] == sheet]
        if not cells:
            return Area(sheet, 1, 1, 1, 1)
        rows, columns = [cell[1] for cell in cells], [cell[2] for cell in cells]
        return Area(sheet, min(rows), min(columns), max(rows), max(columns))

    def read(self, area: Area) -> tuple[tuple[Value, ...], ...]:
        """Return the values of an area, row by row."""
        columns = range(area.left, area.right + 1)
        return tuple(
            tuple(self.values.get((area.sheet, row, column)) for column in columns)
            for row in range(area.top, area.bottom + 1)
        )

    def resolve(self, text: str, at: Cell) -> tuple[str, list[Argument]]:
        """Return the name and the arguments of the one call that a formula consists of.

        Parameters
        ----------
        text
            The formula, ``=CM_NAME(...)``.
        at
            The cell that holds it, for references to its own sheet and row.
        """
        where = f"{at[0]}!{get_column_letter(at[2])}{at[1]}"
        tokens = [token for token in Tokenizer(text).items if token.type != "WHITE-SPACE"]
        depth, groups = 0, [[]]  # type: int, list[list[Any]]
        for position, token in enumerate(tokens[1:], start=1):
            if token.subtype == "OPEN":
                depth += 1
            elif token.subtype == "CLOSE":
                depth -= 1
                if depth < 0 and position < len(tokens) - 1:
                    raise UnsupportedFormulaError(f"{where}: {text} is more than one call")
            if depth == 0 and token.type == "SEP":
                groups.append([])
            elif depth >= 0:
                groups[-1].append(token)
        if tokens[0].type != "FUNC" or depth != -1:
            raise UnsupportedFormulaError(f"{where}: {text} is not one call")
        name = re.sub(r"^(_xlfn\.|_xlws\.|_xludf\.)+", "", tokens[0].value.rstrip("("))
        if groups == [[]]:
            return name, []
        try:
            return name, [self._argument(group, at) for group in groups]
        except UnsupportedFormulaError as error:
            raise UnsupportedFormulaError(f"{where}: {text}: {error}") from None

    def _argument(self, tokens: list[Any], at: Cell) -> Argument:
        if not tokens:
            return None
        first, last = tokens[0], tokens[-1]
        if len(tokens) == 1 and first.subtype == "RANGE":
            return self._reference(first.value, at)
        if first.type == "FUNC" and first.value.upper() == "_XLFN.ANCHORARRAY(":
            anchor = self._argument(tokens[1:-1], at)
            if not isinstance(anchor, Area):
                raise UnsupportedFormulaError("ANCHORARRAY wants a cell")
            cell = anchor.sheet, anchor.top, anchor.left
            return self.arrays.get(cell, anchor)
        if first.type == "FUNC" and first.value.upper() == "_XLFN.SINGLE(":
            return self._argument(tokens[1:-1], at)
        if first.value == "{" and last.value == "}":
            return self._constant_rows(tokens)
        return _literal(tokens)

    def _constant_rows(self, tokens: list[Any]) -> tuple[tuple[Value, ...], ...]:
        rows: list[list[list[Any]]] = [[[]]]
        for token in tokens:
            if token.value in {"{", "}"} or token.type == "ARRAYROW":
                continue
            if token.type == "SEP" and token.value == ";":
                rows.append([[]])
            elif token.type == "SEP":
                rows[-1].append([])
            else:
                rows[-1][-1].append(token)
        return tuple(tuple(_literal(cell) for cell in row) for row in rows)

    def _reference(self, text: str, at: Cell) -> Argument:
        match = re.fullmatch(r"(?:(?:'((?:[^']|'')+)'|([^'!\[\]]+))!)?(.+)", text)
        if match is None:
            raise UnsupportedFormulaError(f"{text} is no reference")
        quoted, plain, rest = match.groups()
        sheet = quoted.replace("''", "'") if quoted else plain or at[0]
        if re.fullmatch(r"\$?[A-Z]{0,3}\$?\d*(:\$?[A-Z]{0,3}\$?\d*)?", rest) and (
            ":" in rest or re.search(r"[A-Z]\$?\d", rest)
        ):
            return _area(sheet, rest)
        names = {**self._book.defined_names, **self._book[sheet].defined_names}
        for name, definition in names.items():
            if name.lower() == rest.lower():
                tokens = Tokenizer("=" + definition.attr_text.lstrip("=")).items
                return self._argument(tokens, at)
        return self._table_reference(rest, at)

    def _table_reference(self, text: str, at: Cell) -> Area:
        name, _, inner = text.partition("[")
        inner = inner.removesuffix("]")
        for sheet in self._book.worksheets:
            for table in sheet.tables.values():
                area = _area(sheet.title, table.ref)
                if table.displayName.lower() == name.lower() or (not name and area.contains(at)):
                    return _table_area(table, area, inner, at)
        raise UnsupportedFormulaError(f"{text} is no name, table or cell of the workbook")


def _table_area(table: Any, area: Area, inner: str, at: Cell) -> Area:
    """Return the part of a table that the text inside the brackets names."""
    if inner.startswith("@"):
        inner = f"[#This Row],[{inner[1:].strip('[]')}]" if inner != "@" else "[#This Row]"
    pieces = re.findall(r"\[((?:[^\[\]']|'.)*)\]", inner) if "[" in inner else [inner]
    sections = {piece.lower() for piece in pieces if piece.startswith("#")} or {"#data"}
    wanted = [re.sub("'(.)", r"\1", piece) for piece in pieces if piece and piece[0] != "#"]
    headers = 1 if table.headerRowCount is None else table.headerRowCount
    totals = table.totalsRowCount or 0
    rows = {
        "#all": (area.top, area.bottom),
        "#headers": (area.top, area.top),
        "#data": (area.top + headers, area.bottom - totals),
        "#totals": (area.bottom, area.bottom),
        "#this row": (at[1], at[1]),
    }
    names = [column.name.lower() for column in table.tableColumns]
    try:
        spans = [rows[section] for section in sections]
        columns = [area.left + names.index(name.lower()) for name in wanted]
    except (KeyError, ValueError) as error:
        raise UnsupportedFormulaError(f"{table.displayName}[{inner}]: {error}") from None
    return Area(
        area.sheet,
        min(span[0] for span in spans),
        min(columns, default=area.left),
        max(span[1] for span in spans),
        max(columns, default=area.right),
    )


def _area(sheet: str, reference: str) -> Area:
    left, top, right, bottom = range_boundaries(reference.replace("$", ""))
    return Area(sheet, top or 1, left or 1, bottom or LAST_ROW, right or LAST_COLUMN)


def _literal(tokens: list[Any]) -> Value:
    text = "".join(token.value for token in tokens)
    kind = tokens[-1].subtype if tokens else ""
    if kind == "TEXT" and len(tokens) == 1:
        return text[1:-1].replace('""', '"')
    if kind == "NUMBER" and re.fullmatch(r"[-+]?[\d.]+(E[-+]?\d+)?", text, re.IGNORECASE):
        return float(text)
    if kind == "LOGICAL":
        return text.upper() == "TRUE"
    if kind == "ERROR":
        return ErrorValue(text)
    raise UnsupportedFormulaError(f"{text} is neither a reference nor a literal")


def _plain(cell: Any) -> Value:
    value = cell.value
    if cell.data_type == "e":
        return ErrorValue(value)
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        return float(to_serial(value))  # type: ignore[no-untyped-call]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, (float, str, bool)) else str(value)
