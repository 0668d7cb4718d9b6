"""What `--product` of the peer benchmarks (`j1.py`, `j2.py`, `j3.py`) runs in crossmargin's row.

Peers get prepared columns (logarithms of moneyness, forwards of the scenarios, types of their
choice), and so do we: strikes and scenarios are made once. The account of J1a is made anew in every
call, because the peers too add up its positions in every call; the accounts of J1b are prepared, as
the peers' rows are. J2 is given the logarithms of the moves, of prices and of volatilities, where
peers are given the moved forwards, the logarithms of prices and the ratios of volatilities; its
book is netted beforehand, as the peers' quantities are. Accounts of J3 are those of J1b, prepared.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from crossmargin import linear_liquidation_prices, tier_amounts
from crossmargin.revaluation import Account, Accounts, JointBook, Scenarios, Strikes
from crossmargin.statistics import (
    descending_order,
    greedy_cuts,
    largest_rows,
    losses_in_scenarios,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from crossmargin.joint import Method

    Column = npt.NDArray[np.float64]


def _strikes(book: Mapping[str, Any]) -> Strikes:
    return Strikes(book["K"], book["f0"], book["T"], book["vol"], tenor_weight=book["h"])


def j1a(book: Mapping[str, Any], price_shocks: Column, vol_shocks: Column) -> Callable[[], Column]:
    """Return a call that gives the P&L of one account in every scenario."""
    strikes, scenarios = _strikes(book), Scenarios(price_shocks, vol_shocks)
    index, is_call, quantity = book["idx"].astype(np.int64), book["flag"] > 0, book["qty"]
    return lambda: Account(strikes, index, is_call, quantity).scenario_pnl(scenarios)


def j1b(book: Mapping[str, Any], price_shocks: Column, vol_shocks: Column) -> Callable[[], Column]:
    """Return a call that gives the worst loss of every account."""
    scenarios = Scenarios(price_shocks, vol_shocks)
    accounts = Accounts(_strikes(book), book["indptr"], book["inst"], book["qty"])
    threads = _threads()
    return lambda: accounts.worst_loss(scenarios, threads=threads)


def _threads() -> int | None:
    return int(os.environ.get("NUMBA_NUM_THREADS", "0")) or None


def _tail(space: Mapping[str, Any], method: Method) -> Callable[[], Column]:
    underlying = space["und"].astype(np.int64)
    forward = space["F0"][underlying]
    strikes = Strikes(space["K"], forward, space["T"], space["VOL"], underlying=underlying)
    book = JointBook(strikes, space["posm"], space["posw"] > 0, space["posq"])
    prices, volatilities = space["L"], np.log(space["V"])
    threads = _threads()

    def call() -> Column:
        found = book.tail(prices, volatilities, 0.99, method=method, threads=threads)
        return np.concatenate([[found.expected_shortfall], found.components])

    return call


def j2_full(space: Mapping[str, Any]) -> Callable[[], Column]:
    """Return a call that gives expected shortfall and components, every scenario valued."""
    return _tail(space, "full")


def j2_screened(space: Mapping[str, Any]) -> Callable[[], Column]:
    """Return a call that gives the same, those scenarios alone valued that can be in the tail."""
    return _tail(space, "screened")


def j3_contrib(
    offsets: npt.NDArray[np.int64],
    instrument: npt.NDArray[np.int32],
    quantity: Column,
    worst: npt.NDArray[np.int32],
    results: Column,
) -> Callable[[], Column]:
    """Return a call that gives what every position loses in its account's worst scenario."""
    rows, columns = instrument.astype(np.int64), worst.astype(np.int64)  # types of our choice
    threads = _threads()
    return lambda: losses_in_scenarios(offsets, rows, quantity, columns, results, threads=threads)


def j3_order(values: Column) -> Callable[[], npt.NDArray[np.int64]]:
    """Return a call that gives the rows from the largest value to the smallest."""
    return lambda: descending_order(values)


def j3_top(values: Column, count: int) -> Callable[[], npt.NDArray[np.int64]]:
    """Return a call that gives the rows of the largest values, in order."""
    return lambda: largest_rows(values, count)


def j3_greedy(
    pnl: Column, quantity: Column, share: float, target: float
) -> Callable[[], tuple[float, ...]]:
    """Return a call that gives the margins after every cut."""
    return lambda: greedy_cuts(pnl, quantity, share=share, target=target).margins


def j3_liqprice(  # noqa: PLR0913, PLR0917  # the columns of the job
    quantity: Column,
    entry: Column,
    collateral: Column,
    cap: Column,
    rates: Column,
    amounts: Column,
) -> Callable[[], Column]:
    """Return a call that gives the liquidation prices of linear accounts."""
    floors, rates_given = [0.0, *cap[:-1].tolist()], rates.tolist()
    found = tier_amounts(rates_given, floors=floors)
    np.testing.assert_allclose(found, amounts, rtol=1e-12)  # the brackets are those of the peers
    return lambda: linear_liquidation_prices(
        quantity, entry, collateral, floors=floors, rates=rates_given
    )


def j3_optliq(book: Mapping[str, Any]) -> Callable[[], Column]:
    """Return a call that gives the nearest liquidation price of every account of options."""
    accounts = Accounts(_strikes(book), book["indptr"], book["inst"], book["qty"])
    need, threads = book["mm"] - book["cash"], _threads()
    return lambda: accounts.liquidation_prices(need, lowest=book["f_low"], threads=threads)
