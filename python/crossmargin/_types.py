"""What the arguments and results of a sheet function may be.

Each alias is an ordinary type to a type checker and carries, for the registry, how a spreadsheet
cell becomes that type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from crossmargin.table import Table

if TYPE_CHECKING:
    from crossmargin._core import Book, History
else:
    Book = History = object  # the markers must load without the compiled core

__all__ = [
    "Block",
    "BlockOrText",
    "BookArgument",
    "Cell",
    "CellResult",
    "HistoryResult",
    "KeyResult",
    "ListOf",
    "Number",
    "NumberResult",
    "Options",
    "Progress",
    "TableResult",
    "Text",
    "TextResult",
]


@dataclass(frozen=True)
class ArgumentKind:
    """How a cell becomes an argument; `literal` blocks may also be one text or number."""

    name: str
    literal: bool = False


@dataclass(frozen=True)
class ResultKind:
    """What a function puts into its cell: `number`, `text`, `table`, `key`, or `cell` for any."""

    name: str


Element = TypeVar("Element", str, float)

BookArgument = Annotated[Book, ArgumentKind("book")]
"""A book; in a sheet the key that `CM_BOOK` returned."""

Block = Annotated[object, ArgumentKind("block")]
"""A table with a header row: rows of cells, or a data frame."""

BlockOrText = Annotated[object, ArgumentKind("block", literal=True)]
"""A table, or one word or number in its place."""

Text = Annotated[str, ArgumentKind("text")]
"""One text; a number in the cell becomes its shortest text."""

Number = Annotated[float, ArgumentKind("number")]
"""One finite number; a number written as text is refused."""

Options = Annotated[Mapping[str, object], ArgumentKind("options")]
"""Settings: `key=value; key=value`, or a two-column range; in Python a value may be a table."""

ListOf = Annotated[Sequence[Element], ArgumentKind("list")]
"""`ListOf[float]` or `ListOf[str]`: a range, or text with semicolons between the items."""

Cell = Annotated[object, ArgumentKind("cell")]
"""What a referenced cell or range holds, as CellContent; in Python a book or a table will do."""

Progress = Annotated[Callable[[int, int], None], ArgumentKind("python")]
"""Called with steps done and expected; an argument of Python alone, which no sheet has."""

NumberResult = Annotated[float | None, ResultKind("number")]
TextResult = Annotated[str | None, ResultKind("text")]
TableResult = Annotated[Table, ResultKind("table")]
KeyResult = Annotated[Book, ResultKind("key")]
HistoryResult = Annotated[History, ResultKind("key")]
CellResult = Annotated[float | str | Table | None, ResultKind("cell")]
