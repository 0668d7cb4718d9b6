"""A few sheet functions of the standard library alone, to prove the way through a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from crossmargin import registry
from crossmargin._types import (
    Block,
    BlockOrText,
    BookArgument,
    Cell,
    CellResult,
    KeyResult,
    ListOf,
    Number,
    NumberResult,
    Options,
    TableResult,
    Text,
    TextResult,
)
from crossmargin.cells import CellContent
from crossmargin.table import Table

if TYPE_CHECKING:
    from crossmargin._core import Book


class SampleError(ValueError):
    """A refusal with a sign, as those of the core."""

    def __init__(self, sign: str, reason: str) -> None:
        super().__init__(reason)
        self.sign = sign


class PanicError(BaseException):
    """What a panic of the core looks like: no Exception."""


@dataclass(frozen=True)
class SampleBook:
    key: str
    row_count: int
    total: float


def _total(positions: object) -> float:
    assert isinstance(positions, list | tuple)
    header = list(positions[0])
    if "qty" not in header:
        found = ", ".join(map(str, header))
        raise SampleError("#VALUE!", f"positions need a column named 'qty'; found {found}")
    column = header.index("qty")
    total = 0.0
    for number, row in enumerate(positions[1:], start=2):
        if isinstance(row[column], str):
            raise SampleError("#N/A", f"row {number}, qty: {row[column]}")
        total += row[column] or 0.0
    return total


def _held(book: object) -> float:
    return cast("SampleBook", book).total


@registry.register(
    "CM_SAMPLEBOOK", category="Sample", example='=CM_SAMPLEBOOK(Positions[#All],"linear")'
)
def sample_book(
    positions: Block,
    rulebook: BlockOrText,
    *,
    collateral: Block | None = None,
    options: Options | None = None,
) -> KeyResult:
    """Key of a book. Never wrong & always < 255 characters.

    Parameters
    ----------
    positions
        Block with a header row.
    rulebook
        One name, or a range account to rulebook.
    collateral
        Block with a header row.
    options
        Settings.
    """
    total = _total(positions) + (_total(collateral) if collateral else 0.0)
    shown = rulebook if isinstance(rulebook, str) else "several"
    made = SampleBook(f"book:{total:g}|{shown}|{dict(options or {})}", 3, total)
    return cast("Book", made)


@registry.register("CM_SAMPLETOTAL", category="Sample", example="=CM_SAMPLETOTAL(Book)")
def sample_total(
    book: BookArgument, *, shock: Number = 2.0, scope: Text = "all", as_of: Number | None = None
) -> NumberResult:
    """Total of a book.

    Parameters
    ----------
    book
        The key.
    shock
        A factor.
    scope
        Ignored, unless it is unknown.
    as_of
        A date.
    """
    if scope == "none":
        return None
    if scope == "nan":
        return float("nan")
    if scope == "panic":
        raise PanicError("index out of bounds")
    if scope != "all":
        raise SampleError("#VALUE!", f"scope must be all, was {scope!r}")
    if shock <= 0:
        raise SampleError("#NUM!", f"shock must be above zero, was {shock}")
    return _held(book) * shock + (as_of or 0.0)


@registry.register("CM_SAMPLETABLE", category="Sample", example="=CM_SAMPLETABLE(Book)")
def sample_table(book: BookArgument, *, moves: ListOf[float] | None = None) -> TableResult:
    """Table with every kind of cell.

    Parameters
    ----------
    book
        The key.
    moves
        Numbers.
    """
    rows: list[tuple[float | str | None, ...]] = [
        (f"move {move:g}", _held(book) * move, "ok") for move in moves or (1.0,)
    ]
    rows.append(("=1+1", None, "no price"))
    rows.append(("infinite", float("inf"), "too large"))
    return Table(("name", "value", "status"), rows)


@registry.register("CM_SAMPLEEITHER", category="Sample", example='=CM_SAMPLEEITHER(Book,"BTC")')
def sample_either(book: BookArgument, *, underlying: Text | None = None) -> CellResult:
    """One number, or a table for all.

    Parameters
    ----------
    book
        The key.
    underlying
        One coin.
    """
    if underlying:
        return _held(book)
    return Table(("underlying", "total"), [("BTC", _held(book))])


@registry.register("CM_SAMPLEWHY", category="Sample", example="=CM_SAMPLEWHY(F12)")
def sample_why(cell: Cell, *, topic: Text = "error") -> TextResult:
    """Sentence about a cell.

    Parameters
    ----------
    cell
        The cell, or a range.
    topic
        What about.
    """
    del topic
    assert isinstance(cell, CellContent)
    if not cell.formula:
        return f"value {cell.value!r}"
    name = cell.formula[1:].partition("(")[0]
    if cell.arguments is None:
        return f"{cell.formula} has an expression as argument"
    result = registry.call(name, cell.arguments)
    if isinstance(result, registry.SheetError):
        return f"{result.sign}: {result.reason}"
    return f"{cell.formula} is {result if not isinstance(result, list) else 'a table'}"
