"""From a cell to an argument, from a result to cells."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from crossmargin import books
from crossmargin._texts import LONGEST_CELL, cut
from crossmargin.cells import ERROR_TEXTS, CellContent, SheetError
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from crossmargin._declaration import Argument

__all__ = ["HISTORY_PREFIX", "Refusal", "argument", "is_blank", "result", "text_of_number"]

KEY_PREFIX: Final = "book:"
HISTORY_PREFIX: Final = "history:"
NOT_IN_MEMORY: Final = (
    "this book key is not in memory: recalculate (Ctrl+Alt+F9; LibreOffice Ctrl+Shift+F9)"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_STATUS_COLUMNS: Final = ("status", "note", "comment", "reason")
_EXACT_INTEGERS: Final = 1e15

CellResult = float | str | SheetError


class Refusal(Exception):  # noqa: N818  # carries an error of the sheet, is none itself
    """Carries a :class:`SheetError` out of a conversion."""

    def __init__(self, error: SheetError) -> None:
        super().__init__(error.reason)
        self.error = error


def is_blank(cell: object) -> bool:
    """Return whether a cell counts as left out: empty, or text of nothing but spaces."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def argument(what: Argument, cell: object) -> object:
    """Return the Python value of a cell.

    Raises
    ------
    Refusal
        If the cell cannot be this argument.
    """
    cell = _unwrapped(what, cell)
    if is_blank(cell):
        if what.optional:
            return what.default
        raise _wrong(what, "is required and was left out")
    if what.kind != "cell" and isinstance(cell, str) and cell.strip() in ERROR_TEXTS:
        raise Refusal(SheetError("#N/A", f"{what.name} refers to a cell with the error {cell}"))
    value = _CONVERSIONS[what.kind](what, cell)
    if what.kind in {"list", "options"} and not value:
        return argument(what, None)
    return value


def text_of_number(number: float) -> str:
    """Return the shortest text of a number; whole numbers have no point."""
    exact = _float(number)
    if math.isfinite(exact) and abs(exact) < _EXACT_INTEGERS and exact == int(exact):
        return str(int(exact))
    return repr(exact)


def _unwrapped(what: Argument, cell: object) -> object:
    """Return the only cell of a range of one, and the plain value behind a reference."""
    if what.kind == "cell":
        if isinstance(cell, CellContent) and is_blank(cell.value) and not cell.formula:
            return None
        return cell
    if isinstance(cell, CellContent):
        cell = cell.value
    rows = _rows(cell)
    if rows is not None and len(rows) == 1 and len(rows[0]) == 1 and what.kind != "block":
        return rows[0][0]
    if rows is not None and all(is_blank(value) for row in rows[:2] for value in row):
        # Two blank rows are looked at, not a million: a table begins with its header.
        return None if len(rows) <= 2 else cell  # noqa: PLR2004
    return cell


def _rows(cell: object) -> Sequence[Sequence[object]] | None:
    """Return the rows of a range, or None for a single cell."""
    if not isinstance(cell, Sequence) or isinstance(cell, str | bytes):
        return None
    if cell and not (isinstance(cell[0], Sequence) and not isinstance(cell[0], str | bytes)):
        return [cell]
    return cell


def _book(what: Argument, cell: object) -> object:
    if not isinstance(cell, str):
        if hasattr(cell, "key"):
            return cell
        raise _wrong(what, f"must be the key that CM_BOOK returns, was {_shown(cell)}")
    key = cell.strip()
    book = books.recall(key) if key.startswith(KEY_PREFIX) else None
    if book is not None:
        return book
    if key.startswith(KEY_PREFIX):
        raise Refusal(SheetError("#N/A", NOT_IN_MEMORY))
    raise _wrong(what, f"must be the key that CM_BOOK returns, was {_shown(key)}")


def _block(what: Argument, cell: object) -> object:
    if _rows(cell) is not None:
        return _rows(cell)
    if what.literal:
        return text_of_number(cell) if _is_number(cell) else str(cell).strip()  # type: ignore[arg-type]
    return [[cell]]


def _text(what: Argument, cell: object) -> str:
    _refuse_range(what, cell)
    if isinstance(cell, str):
        return cell.strip()
    if _is_number(cell):
        return text_of_number(cell)  # type: ignore[arg-type]
    raise _wrong(what, f"must be a text, was {_shown(cell)}")


def _number(what: Argument, cell: object) -> float:
    _refuse_range(what, cell)
    if isinstance(cell, str):
        raise _wrong(what, f"must be a number, was the text {_shown(cell)}")
    if not _is_number(cell):
        raise _wrong(what, f"must be a number, was {_shown(cell)}")
    number = _float(cell)
    if not math.isfinite(number):
        raise Refusal(SheetError("#NUM!", f"{what.name} must be finite, was {number}"))
    return number


def _options(what: Argument, cell: object) -> dict[str, str]:
    rows = _rows(cell)
    if isinstance(cell, Mapping):
        pairs = [(str(key), str(value)) for key, value in cell.items()]
    elif rows is not None:
        pairs = [_pair(what, row) for row in rows if not all(map(is_blank, row))]
    else:
        # the key of a history may stand alone, so that an argument can be the name of its cell
        pieces = [
            f"history={piece.strip()}" if piece.strip().startswith(HISTORY_PREFIX) else piece
            for piece in str(cell).split(";")
            if piece.strip()
        ]
        for piece in pieces:
            if "=" not in piece:
                raise _wrong(what, f"must be written key=value; key=value, was {_shown(piece)}")
        pairs = [(piece.split("=", 1)[0], piece.split("=", 1)[1]) for piece in pieces]
    options: dict[str, str] = {}
    for raw_key, value in pairs:
        key = raw_key.strip().lower()
        if key in options:
            raise _wrong(what, f"names {key} twice")
        options[key] = value.strip()
    return options


def _pair(what: Argument, row: Sequence[object]) -> tuple[str, str]:
    cells = list(row)
    while len(cells) > 2 and is_blank(cells[-1]):  # noqa: PLR2004  # key and value
        cells.pop()
    if len(cells) != 2 or is_blank(cells[0]):  # noqa: PLR2004
        raise _wrong(what, f"must have a key and a value in each row, was {_shown(row)}")
    return _item_text(what, cells[0]), "" if is_blank(cells[1]) else _item_text(what, cells[1])


def _list(what: Argument, cell: object) -> list[float | str]:
    rows = _rows(cell)
    if rows is not None:
        items = [value for row in rows for value in row if not is_blank(value)]
    elif isinstance(cell, str):
        pieces = [piece.strip() for piece in cell.split(";") if piece.strip()]
        if what.element == "text":
            return list(pieces)
        items = [_read(piece) for piece in pieces]
    else:
        items = [cell]
    if what.element == "text":
        return [_item_text(what, item) for item in items]
    if what.element == "number":
        return [_item_number(what, item) for item in items]
    return [_item_text(what, i) if isinstance(i, str) else _item_number(what, i) for i in items]


def _read(piece: str) -> float | str:
    return float(piece) if _NUMBER.fullmatch(piece) else piece


def _item_text(what: Argument, item: object) -> str:
    if isinstance(item, str):
        if item.strip() in ERROR_TEXTS:
            raise Refusal(SheetError("#N/A", f"{what.name} holds a cell with the error {item}"))
        return item.strip()
    if _is_number(item):
        return text_of_number(item)  # type: ignore[arg-type]
    raise _wrong(what, f"must hold texts and numbers, was {_shown(item)}")


def _item_number(what: Argument, item: object) -> float:
    if isinstance(item, str) and item.strip() in ERROR_TEXTS:
        raise Refusal(SheetError("#N/A", f"{what.name} holds a cell with the error {item}"))
    if not _is_number(item):
        raise _wrong(what, f"must hold numbers, was {_shown(item)}")
    number = _float(item)
    if not math.isfinite(number):
        raise Refusal(SheetError("#NUM!", f"{what.name} must hold finite numbers, was {number}"))
    return number


def _cell(what: Argument, cell: object) -> CellContent:
    del what
    return cell if isinstance(cell, CellContent) else CellContent(cell)


_CONVERSIONS: Final[dict[str, Callable[[Argument, object], object]]] = {
    "book": _book,
    "block": _block,
    "text": _text,
    "number": _number,
    "options": _options,
    "list": _list,
    "cell": _cell,
}


def _is_number(cell: object) -> bool:
    return isinstance(cell, float | int) or (
        not isinstance(cell, str) and hasattr(cell, "__float__") and not hasattr(cell, "__len__")
    )


def _float(number: object) -> float:
    """Return a number as float; one beyond the range of floats as infinity."""
    try:
        return float(number)  # type: ignore[arg-type]  # the caller has asked _is_number
    except OverflowError:
        return math.inf


def _refuse_range(what: Argument, cell: object) -> None:
    rows = _rows(cell)
    if rows is not None:
        shape = f"{len(rows)} by {len(rows[0]) if rows else 0}"
        raise _wrong(what, f"must be one cell, was a range of {shape}")


def _wrong(what: Argument, sentence: str) -> Refusal:
    return Refusal(SheetError("#VALUE!", f"{what.name} {sentence}"))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  # one short line


def result(value: object, returns: str) -> CellResult | list[list[CellResult]]:
    """Return what the cells of a function's result hold.

    Parameters
    ----------
    value
        What the function returned.
    returns
        The kind of result that the function's record names.
    """
    if isinstance(value, Table):
        return _table(value)
    if returns == "key" and value is not None:
        return books.remember(value)  # type: ignore[arg-type]  # a function that returns a key returns a book
    return _one(value, "no answer exists for these arguments")


def _table(table: Table) -> list[list[CellResult]]:
    statuses = [table.header.index(name) for name in _STATUS_COLUMNS if name in table.header]
    rows: list[list[CellResult]] = [list(table.header)]
    for row in table.rows:
        said = [row[position] for position in statuses]
        status = next((text for text in said if isinstance(text, str) and text), "no value exists")
        rows.append([_one(value, status) for value in row])
    return rows


def _one(value: object, missing: str) -> CellResult:
    if value is None:
        return SheetError("#N/A", missing)
    if isinstance(value, SheetError):
        return value
    if isinstance(value, str):
        return cut(value, LONGEST_CELL)
    if not _is_number(value):
        raise TypeError(f"a cell holds a number or a text, was {type(value).__name__}")
    number = _float(value)
    if not math.isfinite(number):
        return SheetError("#NUM!", f"the result is not a finite number, was {number}")
    return number
