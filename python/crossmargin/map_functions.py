"""Where an account is safe: zones of a price, maps over two axes, the nearest liquidating scenario.

Standard library and the compiled core only.
"""

from __future__ import annotations

from crossmargin import _core
from crossmargin._answers import book_of, pairs_of, rows_of
from crossmargin._types import BookArgument, ListOf, Options, TableResult, Text
from crossmargin.registry import register

__all__ = ["liquidation_map", "liquidation_zones", "nearest_scenarios"]

LIQUIDATION = "Liquidation"
MOVES = [round(0.05 * step, 2) for step in range(-10, 11)]


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

    References
    ----------
    Certified halving with bounds on the slope, as in CM_LIQPRICE.
    """
    pairs = pairs_of(options)
    return rows_of(_core.liquidation_zones(book_of(book), underlying, path, which, pairs))


@register("CM_LIQMAP", category=LIQUIDATION, example='=CM_LIQMAP(Book,"BTC","VOL")')
def liquidation_map(
    book: BookArgument,
    x: Text,
    y: Text = "VOL",
    *,
    x_moves: ListOf[float] | None = None,
    y_moves: ListOf[float] | None = None,
    measure: Text = "usage",
    scope: Text = "all",
) -> TableResult:
    """Liquidation map: a figure of the account on two axes of the market, evaluated at every node.

    Nothing is interpolated: scan grids are centred anew, tiers, floors and collateral rates follow
    each node. A node where no equity is left holds the status instead of a usage.

    Parameters
    ----------
    book
        The book.
    x
        What moves from left to right: a coin, ALL (every coin), VOL (all implied volatilities),
        VOL:BTC, or a currency off its peg such as PEG:USDT.
    y
        What moves from top to bottom, likewise.
    x_moves
        Relative moves of x, such as -0.5;0;0.5; left out: from -50 % to +50 % by 5 %.
    y_moves
        Relative moves of y.
    measure
        usage (1 is liquidation), excess, equity, mm, or first (what is closed first). Usage and
        excess are those of the pool that decides, equity and mm the sums of all pools.
    scope
        An account, or all.

    Returns
    -------
    Table
        A matrix: moves of x in the first row, moves of y in the first column.

    References
    ----------
    The whole measure of the rulebook at every node; nothing is interpolated.
    """
    along = (x, MOVES if x_moves is None else list(x_moves))
    across = (y, MOVES if y_moves is None else list(y_moves))
    return rows_of(_core.liquidation_map(book_of(book), along, across, measure, scope))


@register("CM_NEAREST", category=LIQUIDATION, example="=CM_NEAREST(Book)")
def nearest_scenarios(
    book: BookArgument,
    factors: Text = "all",
    *,
    unit: Text = "sigma",
    options: Options | None = None,
) -> TableResult:
    """Nearest scenarios that liquidate the account: reverse stress, least unusual first.

    One row per coin and side alone, and one for all coins together: of all combinations of moves
    that liquidate the account the one with the fewest one-day standard deviations under the
    covariance of the coins. The search turns a line towards the boundary from several directions;
    along each line the first trigger is proven where search says so. Another combination as near
    may exist.

    Parameters
    ----------
    book
        The book.
    factors
        all, or the coins that may move, such as BTC,ETH.
    unit
        sigma (deviations and correlations of the history or the Market sheet) or pct (every coin
        counts alike, nothing goes together).
    options
        Where volatilities come from, as for CM_LIMITS: volatility=market or history, window,
        lambda.

    Returns
    -------
    Table
        rank, the scenario in words, its two largest moves, the distance, the probability of going
        beyond it in one day under the normal law, today's usage, what is closed first just beyond
        it, how it was found, the account, a comment. No answer if nothing within reach liquidates.

    References
    ----------
    The design point of first-order reliability: Hasofer and Lind 1974; Rackwitz and Fiessler
    1978.
    """
    pairs = pairs_of(options)
    return rows_of(_core.nearest_scenarios(book_of(book), factors, unit, pairs))
