"""Runs inside LibreOffice: reads a range, its errors, and the arguments of a cell's formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from crossmargin.cells import CellContent
from crossmargin.hosts.libreoffice_names import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["arguments_of", "plain_rows", "read_range", "split_arguments"]

Rows = tuple[tuple[object, ...], ...]

_ERROR_TEXTS: Final = {
    32767: "#N/A",
    503: "#NUM!",
    519: "#VALUE!",
    524: "#REF!",
    525: "#NAME?",
    532: "#DIV/0!",
}
_OTHER_ERROR: Final = "#VALUE!"
_LONG_RANGE: Final = 10_000  # rows from which a range is cut to the used area
_CALL: Final = re.compile(r"\{?=([A-Z0-9_.]+)\((.*)\)\}?", re.DOTALL | re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?(\d+(\.\d*)?|\.\d+)(E[+-]?\d+)?", re.IGNORECASE)
_TABLE: Final = re.compile(r"(\w+)(?:\[(#ALL|#DATA)?\])?", re.IGNORECASE)


def read_range(cells: Any, names: Mapping[str, str]) -> object:
    """Return a range's rows, errors as their texts; for one cell its content with the formula.

    Parameters
    ----------
    cells
        The range.
    names
        From the add-in's methods in capitals to the names of the sheet functions.
    """
    address = cells.getRangeAddress()
    if (address.StartRow, address.StartColumn) == (address.EndRow, address.EndColumn):
        value = _rows(cells)[0][0]
        formula = cells.getCellByPosition(0, 0).getFormula()
        if not formula.startswith(("=", "{=")):
            return CellContent(value)
        return CellContent(value, _readable(formula, names), arguments_of(cells, formula))
    return _rows(_used(cells, address))


def arguments_of(cells: Any, formula: str) -> tuple[object, ...] | None:
    """Return the cells that a formula's own arguments stand for, or None if one is an expression.

    Parameters
    ----------
    cells
        The cell that holds the formula.
    formula
        Its text as `getFormula` gives it, with semicolons; it is read and not evaluated.
    """
    call = _CALL.fullmatch(formula.strip())
    if not call:
        return None
    try:
        return tuple(_argument(cells, text) for text in split_arguments(call[2]))
    except LookupError:
        return None


def split_arguments(text: str) -> Iterator[str]:
    """Yield the arguments of a call: the parts between semicolons outside quotes and brackets."""
    if not text.strip():
        return
    depth, quote, start = 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == ";" and depth == 0:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()


def _argument(cells: Any, text: str) -> object:
    if not text:
        return None
    if text.startswith('"') and text.endswith('"') and '"' not in text[1:-1].replace('""', ""):
        return text[1:-1].replace('""', '"')
    if _NUMBER.fullmatch(text):
        return float(text)
    found = _referred(cells, text)
    rows = _rows(_used(found, found.getRangeAddress()))
    return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows


def _referred(cells: Any, text: str) -> Any:
    """Return the range of a name, a table or an address.

    Raises
    ------
    LookupError
        If the text is none of them.
    """
    sheet = cells.getSpreadsheet()
    document = sheet.getDrawPage().getForms().getParent()
    table = _TABLE.fullmatch(text)
    for collection in (sheet.NamedRanges, document.NamedRanges, document.DatabaseRanges):
        if table and collection.hasByName(table[1]):
            found = collection.getByName(table[1]).getReferredCells()
            if collection is document.DatabaseRanges and (table[2] or "").upper() != "#ALL":
                return _without_header(found)
            return found
    if re.fullmatch(r"[$'\w .:!-]+", text):
        try:
            if "." in text:
                return document.Sheets.getCellRangesByName(text)[0]
            return sheet.getCellRangeByName(text)
        except Exception as unknown:  # a UNO exception has no base class to name here
            raise LookupError(text) from unknown
    raise LookupError(text)


def _without_header(cells: Any) -> Any:
    address = cells.getRangeAddress()
    return cells.getSpreadsheet().getCellRangeByPosition(
        address.StartColumn, address.StartRow + 1, address.EndColumn, address.EndRow
    )


def _used(cells: Any, address: Any) -> Any:
    """Return the part of a range that lies in the used area of its sheet; at least one row."""
    if address.EndRow - address.StartRow < _LONG_RANGE:
        return cells
    sheet = cells.getSpreadsheet()
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    used = cursor.getRangeAddress()
    return sheet.getCellRangeByPosition(
        address.StartColumn,
        address.StartRow,
        max(address.StartColumn, min(address.EndColumn, used.EndColumn)),
        max(address.StartRow, min(address.EndRow, used.EndRow)),
    )


def plain_rows(rows: Rows) -> Rows:
    """Return rows with None for empty cells, without the empty rows at the end.

    Parameters
    ----------
    rows
        A range's values; a whole column has a million.
    """
    end = len(rows)
    empty = ("",) * len(rows[0])
    while end > 1 and rows[end - 1] == empty:
        end -= 1
    return tuple(tuple(map(_blank, row)) if "" in row else row for row in rows[:end])


def _rows(cells: Any) -> Rows:
    rows: Rows = cells.getDataArray()
    if not any(None in row for row in rows):
        return plain_rows(rows)
    return tuple(
        tuple(
            _error_text(cells.getCellByPosition(column, row)) if value is None else _blank(value)
            for column, value in enumerate(values)
        )
        for row, values in enumerate(rows)
    )


def _blank(value: object) -> object:
    return None if value == "" else value


def _error_text(cell: Any) -> str | None:
    code = cell.getError()
    return _ERROR_TEXTS.get(code, _OTHER_ERROR) if code else None


def _readable(formula: str, names: Mapping[str, str]) -> str:
    """Return a formula with the name that a person typed in place of the add-in's own."""
    call = _CALL.fullmatch(formula.strip())
    if not call or not call[1].upper().startswith(f"{SERVICE.upper()}."):
        return formula
    method = call[1].rpartition(".")[2].upper()
    return f"={names.get(method, method)}({call[2]})"
