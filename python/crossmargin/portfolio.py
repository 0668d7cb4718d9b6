"""Questions about several books at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book

__all__ = ["compare"]


def compare(books: Sequence[tuple[str, Book]]) -> Table:
    """Return the same positions under several rulebooks, side by side.

    Parameters
    ----------
    books
        Pairs of a name and a book.

    Returns
    -------
    Table
        One row per book; `capital_efficiency` is 1 less the ratio of its maintenance margin to the
        first book's.
    """
    header, rows, _ = _core.compare([(name, book) for name, book in books])
    return Table(header, rows)
