"""Accounts side by side as a sheet function; standard library and the compiled core only."""

from __future__ import annotations

from collections.abc import Sequence

from crossmargin import _core
from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import BlockOrText, Number, Options, TableResult, Text
from crossmargin.cells import ERROR_TEXTS
from crossmargin.errors import MissingError
from crossmargin.registry import register

__all__ = ["account_ranking"]

ACCOUNTS = "Accounts"


@register("CM_ACCOUNTS", category=ACCOUNTS, example="=CM_ACCOUNTS(Book)")
def account_ranking(
    books: BlockOrText,
    *,
    top: Number = 50.0,
    sort: Text = "excess",
    options: Options | None = None,
) -> TableResult:
    """Accounts ranked by what is left above their trigger, or by what a stress leaves of it.

    Accounts are shown side by side and never netted, each in its own reporting currency. Under a
    stress the first to fail stands first: the part of the stress at which it is liquidated, the
    transfer that saves it and who can spare it (measured again on both sides, the giver keeps its
    initial margin), and the delta that is left in all accounts once its legs are closed.

    Parameters
    ----------
    books
        The key of a book with several accounts, or a range of keys.
    top
        Rows at most; triggers are sought for these only.
    sort
        excess, usage, shortfall, mm, call or nearest.
    options
        stress=OCT2025 (a scenario of CM_STRESS), case=mild, central or severe.

    Returns
    -------
    Table
        rank, account, equity_adjusted, mm, usage, excess_mm, nearest_pct, sigmas, first_liquidated,
        call_amount, age_in_state (not known from one book), status. Under a stress rank, account,
        venue, equity_adjusted, mm, usage, excess_mm, fails_at (a part of the stress; blank: it
        bears all), first_liquidated, transfer, transfer_from, delta_left, status, note.

    Raises
    ------
    UnknownWordError
        For a sort, a stress or an option that is not known.

    References
    ----------
    Excess, usage and calls as in CM_SUMMARY, triggers as in CM_LIQPRICE, stresses as in
    CM_STRESS; the ranking by money is crossmargin's own.
    """
    held = [book_of(book) for book in _items(books)]
    return rows_of(_core.accounts(held, float(top), sort, pairs_of(options)))


def _items(books: object) -> list[object]:
    """Return the cells of a range that hold something, or the only one."""
    if isinstance(books, str) or not isinstance(books, Sequence):
        return [books]
    cells: list[object] = []
    for row in books:
        cells.extend(row if isinstance(row, Sequence) and not isinstance(row, str) else [row])
    filled = [cell for cell in cells if cell is not None and str(cell).strip()]
    for cell in filled:
        if isinstance(cell, str) and cell in ERROR_TEXTS:
            raise MissingError(f"books holds a cell with the error {cell}")
    return filled
