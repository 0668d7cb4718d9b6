"""The cheapest reduction, and how to spread it over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from crossmargin import _core
from crossmargin.statistics._coerce import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Cuts",
    "ExecutionSchedule",
    "Reduction",
    "ScenarioReduction",
    "cheapest_reduction",
    "execution_schedule",
    "fraction_to_close",
    "greedy_cuts",
    "quadratic_reduction",
    "scenario_reduction",
]


@dataclass(frozen=True)
class Reduction:
    """How much of each position is closed.

    Parameters
    ----------
    parts
        Fractions, or sizes where the function says so.
    cost
        What that costs, money.
    """

    parts: tuple[float, ...]
    cost: float


@dataclass(frozen=True)
class ScenarioReduction:
    """A reduction under the worst of a list of scenarios, money.

    Parameters
    ----------
    parts
        Fraction of each position that is closed.
    cost
        What that costs.
    bound
        No reduction costs less: the dual objective of the linear programme.
    margin_before
        Worst loss before.
    margin_after
        Worst loss after.
    margin_without
        Worst loss where each position alone is closed whole; closing a hedge raises it.
    """

    parts: tuple[float, ...]
    cost: float
    bound: float
    margin_before: float
    margin_after: float
    margin_without: tuple[float, ...]


@dataclass(frozen=True)
class Cuts:
    """Cuts of positions under the worst of a list of scenarios.

    Parameters
    ----------
    order
        The position cut at each step, from 0.
    margins
        Worst loss before the first and after every step.
    quantities
        What is left of each position.
    """

    order: tuple[int, ...]
    margins: tuple[float, ...]
    quantities: tuple[float, ...]


@dataclass(frozen=True)
class ExecutionSchedule:
    """A schedule with its expected cost and risk.

    Parameters
    ----------
    holdings
        Units left at the beginning of each period and at the end.
    trades
        Units sold in each period.
    expected_cost
        Money.
    variance
        Of the cost, money squared.
    urgency
        kappa, 1 / days; 0 at an even rate, None for a sale at once.
    half_life
        1 / kappa, days; None where that does not exist.
    """

    holdings: tuple[float, ...]
    trades: tuple[float, ...]
    expected_cost: float
    variance: float
    urgency: float | None
    half_life: float | None


def cheapest_reduction(
    relief: Sequence[float],
    cost: Sequence[float],
    need: float,
    *,
    kind: Literal["fractions", "whole", "exact"] = "fractions",
) -> Reduction:
    """Return the cheapest positions to close where relief adds up.

    Parameters
    ----------
    relief
        Margin that closing each position whole frees.
    cost
        What that costs, at least 0.
    need
        Margin to be freed.
    kind
        fractions: the optimum by cost per relief (Dantzig 1957); whole: the same rule in whole
        positions, which is not the cheapest; exact: the cheapest set of at most 24 positions.

    Raises
    ------
    NoAnswerError
        If everything together frees less than is needed.
    """
    parts, money = _core.cheapest_reduction([*relief], [*cost], need, kind)
    return Reduction(tuple(parts), money)


def quadratic_reduction(impact: Sequence[float], relief: Sequence[float], need: float) -> Reduction:
    """Return the sizes that free a margin at the least cost of impact x size^2; not bounded.

    Parameters
    ----------
    impact
        Money per unit squared, above 0.
    relief
        Margin that one unit frees.
    need
        Margin to be freed.
    """
    parts, money = _core.quadratic_reduction([*impact], [*relief], need)
    return Reduction(tuple(parts), money)


def fraction_to_close(
    notional: float,
    maintenance_rate: float,
    equity: float,
    *,
    cost: float = 0.0,
    multiple: float = 1.0,
) -> float:
    """Return the fraction of one position to close until its margin is covered.

    `(h m N - E) / (N (h m - s))`, 0 where it is covered already.

    Parameters
    ----------
    notional
        N, money.
    maintenance_rate
        m, a fraction.
    equity
        E, money.
    cost
        s: slippage and fee, a fraction of what is closed.
    multiple
        h: how often equity must cover the margin.

    Raises
    ------
    NoAnswerError
        If the cost is not below h m, so that every closing makes it worse, or closing all does not
        suffice.
    """
    return _core.fraction_to_close(notional, maintenance_rate, equity, cost, multiple)


def scenario_reduction(
    results: npt.ArrayLike,
    cost: Sequence[float],
    equity: float,
    *,
    multiple: float = 1.0,
    charges: float = 0.0,
) -> ScenarioReduction:
    """Return the cheapest fractions to close so that equity covers the worst scenario.

    Linear programme: least cost where `equity - costs >= multiple x (worst loss + charges)`.

    Parameters
    ----------
    results
        Profit and loss of each position (row) in each scenario (column), of all that is held.
    cost
        Of closing each position whole, at least 0.
    equity
        Money.
    multiple
        How often equity must cover the margin.
    charges
        What the margin has besides, money.

    Raises
    ------
    NoAnswerError
        If no reduction suffices.
    """
    table = np.ascontiguousarray(results, dtype=np.float64)
    found = _core.scenario_reduction(table, [*cost], equity, multiple, charges)
    parts, money, bound, before, after, without = found
    return ScenarioReduction(tuple(parts), money, bound, before, after, tuple(without))


def greedy_cuts(
    results: npt.ArrayLike,
    quantities: npt.ArrayLike,
    *,
    target: float,
    share: float = 0.25,
    most_steps: int = 2000,
) -> Cuts:
    """Cut positions one after the other, each time the one that leaves the smallest worst loss.

    Parameters
    ----------
    results
        Profit and loss of one unit of each position (row) in each scenario (column).
    quantities
        Signed.
    target
        Worst loss at which to stop; earlier where no cut lowers it.
    share
        Of the original quantity that a step cuts.
    most_steps
        Steps at most.
    """
    table = np.ascontiguousarray(results, dtype=np.float64)
    steps = whole("most_steps", most_steps)
    held = np.ascontiguousarray(quantities, dtype=np.float64)
    order, margins, left = _core.greedy_cuts(table, held, share, target, steps)
    return Cuts(tuple(order), tuple(margins), tuple(left))


def execution_schedule(  # the terms of one formula
    quantity: float,
    days: float,
    periods: int,
    *,
    volatility: float,
    temporary: float,
    permanent: float = 0.0,
    half_spread: float = 0.0,
    risk_aversion: float = 0.0,
    kind: Literal["optimal", "even", "at_once"] = "optimal",
) -> ExecutionSchedule:
    """Return how to sell over time: Almgren and Chriss (2000), an even rate, or at once.

    Parameters
    ----------
    quantity
        Units, above 0.
    days
        Days in which it must be done.
    periods
        Trades, evenly spaced.
    volatility
        Money per unit and root day.
    temporary
        Temporary impact, money x days per unit squared.
    permanent
        Permanent impact, money per unit squared.
    half_spread
        Half spread and fees, money per unit.
    risk_aversion
        1 / money; 0 sells at an even rate.
    kind
        optimal, even or at_once.

    Raises
    ------
    OutOfRangeError
        For a number outside its range, or `temporary - permanent x period / 2` not above 0.
    """
    found = _core.execution_schedule(
        quantity, days, whole("periods", periods), volatility, half_spread, permanent, temporary,
        risk_aversion, kind,
    )  # fmt: skip
    holdings, trades, cost, variance, urgency, half_life = found
    return ExecutionSchedule(tuple(holdings), tuple(trades), cost, variance, urgency, half_life)
