"""Questions about several positions or several books at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.errors import UnknownWordError
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book

__all__ = ["compare", "risk_contributions"]


def risk_contributions(book: Book, *, measure: str = "MM") -> Table:
    """Return how much of the maintenance measure each position is responsible for.

    `component` is Euler's share (Aumann-Shapley's along the ray where the measure is not
    homogeneous) and sums to the measure; `marginal` is the component per unit of notional;
    `incremental` is what the measure loses when the position is closed. The orders that they give
    differ and stand side by side.

    Parameters
    ----------
    book
        The book.
    measure
        `MM`, the maintenance measure.

    Returns
    -------
    Table
        One row per position, money in the reporting currency, and a TOTAL row.

    Raises
    ------
    UnknownWordError
        For another measure.
    """
    if measure.upper() != "MM":
        raise UnknownWordError(f"unknown measure '{measure}'; known: MM")
    header, rows, _ = book.contributions("position")
    return Table(header, rows)


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
