"""What every sheet function does with its arguments and with the core's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from crossmargin import _core, explain, history_functions
from crossmargin.errors import TableError, UnknownWordError
from crossmargin.table import Table

__all__ = ["book_of", "history_of", "matrix_of", "pairs_of", "rows_of"]


def book_of(book: object) -> _core.Book:
    """Return a book, found in memory where its key is given."""
    held, other = explain.target(book)
    if held is None:
        raise UnknownWordError(f"book must be a book or the key of one, was {other!r:.80}")
    return held


def history_of(history: object) -> _core.History:
    """Return a history: itself, found in memory by its key, or read from a table."""
    known = explain.history(history)
    return history_functions.history(history) if known is None else known


def matrix_of(correlations: object) -> list[list[float]] | None:
    """Return rows of numbers as the core reads them; None stays None."""
    if correlations is None:
        return None
    rows = None if isinstance(correlations, str) else correlations
    try:
        return [[float(value) for value in row] for row in rows]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise TableError(
            "correlations are a matrix of numbers with a row per symbol of the positions, and only "
            f"Python can hand one over, was {correlations!r:.80}"
        ) from None


def rows_of(rows: tuple[tuple[str, ...], list[tuple[float | str | None, ...]], str]) -> Table:
    """Return an answer of the core as a table.

    Raises
    ------
    TableError
        If two columns have one name: columns that moves, sizes or coins name are found by it.
    """
    header, cells, _ = rows
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise TableError(
            f"two columns of the answer would be called {twice!r}: give each move, size or coin "
            "once, and moves that differ in what is shown of them"
        )
    return Table(header, cells)


def pairs_of(options: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Return options as pairs of words; a list becomes its items with commas between."""
    return [(str(key), _words(value)) for key, value in (options or {}).items()]


def _words(value: object) -> str:
    """Return an option as words: lists with commas, mappings as name:value."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
