"""The books and histories that this process holds in memory, found by their keys.

A key is a hash of the book's contents, so the same tables give the same key and an entry never goes
stale. Nothing is written to disk. The least recently used books leave first.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from crossmargin._core import Book, History

__all__ = ["MAXIMUM_BOOKS", "MAXIMUM_ROWS", "clear", "recall", "recall_history", "remember"]

MAXIMUM_BOOKS: Final = 64
MAXIMUM_ROWS: Final = 4_000_000


class Keyed(Protocol):
    """What a book must tell about itself to be kept."""

    @property
    def key(self) -> str:
        """Return the hash of the contents, with a readable tail."""

    @property
    def row_count(self) -> int:
        """Return the rows of all tables together."""


_held: OrderedDict[str, Keyed] = OrderedDict()
_lock = Lock()


def remember(book: Keyed) -> str:
    """Keep a book and return its key; the newest book is always kept.

    Parameters
    ----------
    book
        The book to keep.

    Returns
    -------
    str
        The key under which :func:`recall` finds it.
    """
    with _lock:
        _held[book.key] = book
        _held.move_to_end(book.key)
        rows = sum(held.row_count for held in _held.values())
        while len(_held) > 1 and (len(_held) > MAXIMUM_BOOKS or rows > MAXIMUM_ROWS):
            _, dropped = _held.popitem(last=False)
            rows -= dropped.row_count
    return book.key


def recall(key: str) -> Book | None:
    """Return the book of a key, or None if it is not in memory.

    Parameters
    ----------
    key
        What :func:`remember` returned.

    Returns
    -------
    Book or None
        The book; None after a restart, or when newer books took its place.
    """
    return cast("Book | None", _recalled(key))


def recall_history(key: str) -> History | None:
    """Return the history of a key, or None if it is not in memory.

    Parameters
    ----------
    key
        What :func:`remember` returned.
    """
    return cast("History | None", _recalled(key))


def _recalled(key: str) -> Keyed | None:
    with _lock:
        found = _held.get(key)
        if found is not None:
            _held.move_to_end(key)
    return found


def clear() -> None:
    """Forget every book."""
    with _lock:
        _held.clear()
