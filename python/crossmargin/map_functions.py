"""Where an account is safe: zones of a price, maps over two axes, the nearest liquidating scenario.

Standard library and the compiled core only.
"""

from __future__ import annotations

from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import BookArgument, Options, TableResult, Text
from crossmargin.registry import register

__all__ = ["liquidation_zones"]

LIQUIDATION = "Liquidation"


@register("CM_LIQZONES", category=LIQUIDATION, example='=CM_LIQZONES(Book,"BTC")')
def liquidation_zones(
    book: BookArgument,
    underlying: Text | None = None,
    *,
    path: Text = "alone",
    which: Text = "trigger",
    options: Options | None = None,
) -> TableResult:
    """Safe set of an account: every range of a price in which it is safe, and every other.

    An option book may be liquidated at a price and safe again beyond it. Zones are found by
    halving the searched range until bounds on the slope of the excess leave room for no other
    (search: proven), in closed form for positions in brackets, on a grid where neither is known.
    A zone begins and ends at a root (equity equals the requirement), at a jump of the requirement,
    at the end of the search, or is open.

    Parameters
    ----------
    book
        The book.
    underlying
        A coin or symbol; left out: every coin that touches the account.
    path
        alone (others unchanged), together (all coins by one ratio) or beta (along betas).
    which
        trigger (liquidatable) or bankrupt (gross equity zero).
    options
        max=10 (searched from 1/max squared to max times the mark), betas=ETH:1.2,SOL:1.5,
        vol=-0.5 (volatilities times the price ratio to this power), days=3 (that much later).

    Returns
    -------
    Table
        One row per zone from the lowest price up, prices in quote currency, distances as
        fractions of the mark and in one-day sigmas.
    """
    found = book_of(book).liquidation_zones(underlying, path, which, pairs_of(options))
    return rows_of(found)
