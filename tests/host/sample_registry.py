"""A few functions behind the registry's interface, to test the way through Excel alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin.cells import CellContent, SheetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Argument", "Record", "call", "record", "records"]


@dataclass(frozen=True)
class Argument:
    """An argument of a worksheet function."""

    name: str
    kind: str
    optional: bool = False
    default: object = None
    doc: str = "What it is."


@dataclass(frozen=True)
class Record:
    """A worksheet function."""

    sheet_name: str
    function: Callable[..., object]
    arguments: tuple[Argument, ...]
    returns: str
    category: str = "Crypto margin"
    summary: str = 'Says "what" it\nreceived — in one line.'
    doc: str = ""
    example: str = ""


def records() -> tuple[Record, ...]:
    """Return the sample functions."""
    return _RECORDS


def record(sheet_name: str) -> Record:
    """Return the function of that name."""
    return next(one for one in _RECORDS if one.sheet_name == sheet_name)


def call(sheet_name: str, cells: Sequence[object]) -> object:
    """Call a function; unlike the true registry this one lets exceptions through."""
    return record(sheet_name).function(*cells)


class Panic(BaseException):
    """Not an Exception, as a panic of the Rust core."""


def _echo(*cells: object) -> object:
    return json.dumps(cells, default=_shown)


def _shown(content: object) -> object:
    if not isinstance(content, CellContent):
        raise TypeError(f"{content!r} is no cell")
    return {"value": content.value, "formula": content.formula, "arguments": content.arguments}


def _book(positions: list[list[object]], rulebook: object) -> object:
    return f"book:{len(positions)}|{rulebook}"


def _double(book: object, number: float) -> object:
    if not str(book).startswith("book:"):
        return SheetError("#VALUE!", "not a book")
    return 2 * number


def _table(rows: float) -> object:
    header: list[object] = ["symbol", "qty", "status"]
    return [header, *([f"S{row}", float(row), ""] for row in range(int(rows)))]


def _answers(name: str) -> object:
    return {
        "errors": [[SheetError(sign, "") for sign in ("#N/A", "#VALUE!", "#NUM!")]],
        "no answer": [[None, math.nan, math.inf, True, 3]],
        "none": None,
        "nothing": [],
        "jagged": [["a", "b"], [1.0]],
        "blank": "",
        "marker": "\ue0c3#N/A",
        "long": "x" * 40000,
        "text": "#N/A",
    }[name]


def _fail(name: str) -> object:
    if name == "panic":
        raise Panic("the core panicked")
    raise RuntimeError("Traceback (most recent call last): secret")


_BOOK = Argument("book", "book")
_RECORDS = (
    Record("CM_ANSWERS", _answers, (Argument("name", "text"),), "table"),
    Record("CM_BOOK", _book, (Argument("positions", "block"), Argument("rulebook", "text")), "key"),
    Record("CM_DOUBLE", _double, (_BOOK, Argument("number", "number")), "number"),
    Record(
        "CM_ECHO",
        _echo,
        (
            Argument("positions", "block"),
            Argument("number", "number", optional=True),
            Argument("options", "options", optional=True, default="all"),
        ),
        "text",
    ),
    Record("CM_FAIL", _fail, (Argument("name", "text"),), "number"),
    Record("CM_STAMP", lambda: "stamp", (), "text"),
    Record("CM_TABLE", _table, (Argument("height", "number"),), "table"),
    Record(
        "CM_WHY",
        _echo,
        (Argument("book", "cell"), Argument("topic", "text", optional=True)),
        "cell",
    ),
)
