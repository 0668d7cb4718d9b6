"""How large a position may be, and how near its liquidation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, square, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Distance",
    "Kelly",
    "distance_to_liquidation",
    "growth_rate",
    "kelly",
    "leverage_cap",
    "liquidation_probability",
    "open_interest_rate",
    "risk_budget_weights",
    "size_premium",
    "volatility_target_weight",
]

_SIDES = ("long", "short")


@dataclass(frozen=True)
class Kelly:
    """Kelly's fraction and what other fractions do: an upper limit, never a recommendation.

    The drift is the least known number of all: four years at a volatility of 80 % tell 40 % from 0
    by one standard error. And liquidation ends paths that the formula lets go on.

    Parameters
    ----------
    fraction
        `mu / sigma^2`, exposure over equity.
    growth
        Growth rate at the fraction, per period of the drift.
    half_share
        Growth at half of the fraction as a share of it: 0.75.
    double_growth
        Growth at twice the fraction: 0.
    """

    fraction: float
    growth: float
    half_share: float
    double_growth: float


@dataclass(frozen=True)
class Distance:
    """How far a price is from a liquidation price, on either side.

    Parameters
    ----------
    logarithmic
        `|ln(price / liquidation price)|`.
    daily_sigmas
        The same in standard deviations of one day.
    relative
        `|liquidation price / price - 1|`.
    hours_to_one_sigma
        Hours until one standard deviation of the price spans the distance.
    """

    logarithmic: float
    daily_sigmas: float
    relative: float
    hours_to_one_sigma: float


def kelly(drift: float, volatility: float) -> Kelly:
    """Return Kelly's fraction, with what half and twice of it do.

    An upper limit and no recommendation: see the result.

    Parameters
    ----------
    drift
        Expected excess return of a period, other than 0.
    volatility
        Of the same period, above 0.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(kelly(0.4, 0.8).fraction, 6)
    0.625
    """
    return Kelly(*_core.kelly(drift, volatility))


def growth_rate(fraction: float, *, drift: float, volatility: float) -> float:
    """Return the growth rate of equity at a fraction, `mu f - f^2 sigma^2 / 2`.

    Parameters
    ----------
    fraction
        Exposure over equity.
    drift, volatility
        Of the same period.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(growth_rate(0.3125, drift=0.4, volatility=0.8), 6)
    0.09375
    """
    return _core.growth_rate(fraction, drift, volatility)


def risk_budget_weights(
    covariance: npt.ArrayLike, *, budgets: npt.ArrayLike | None = None
) -> Floats:
    """Return long weights whose contributions to the volatility are in proportion to budgets.

    They minimise `x' Sigma x / 2 - sum b ln x` (Spinu 2013). Equal budgets give the portfolio of
    equal risk contributions.

    Parameters
    ----------
    covariance
        Shape ``(N, N)``.
    budgets
        Shares of the risk, above 0, shape ``(N,)``; they are divided by their sum. All alike if
        left out.

    Returns
    -------
    numpy.ndarray
        Weights above 0 that sum to 1, shape ``(N,)``.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a budget or variance that is not above 0, a matrix that is not symmetric, or a mixture
        of the assets without volatility.

    Examples
    --------
    >>> risk_budget_weights([[0.04, 0.01], [0.01, 0.25]]).round(6).tolist()
    [0.714286, 0.285714]
    """
    matrix, size = square("covariance", covariance)
    shares = [1.0] * size if budgets is None else budgets
    return _core.risk_budget_weights(matrix, numbers("budgets", shares))


def volatility_target_weight(target: float, volatility: float) -> float:
    """Return the weight at which a position has the volatility aimed at: `target / volatility`.

    Parameters
    ----------
    target
        Volatility aimed at, at least 0.
    volatility
        Of the asset, of the same period, above 0.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> volatility_target_weight(0.2, 0.8)
    0.25
    """
    return _core.volatility_target_weight(target, volatility)


def leverage_cap(
    budget: float,
    volatility: float,
    *,
    confidence: float,
    horizon_days: float = 1.0,
    days_per_year: float = 365.0,
) -> float:
    """Return the largest leverage whose normal value at risk stays within a budget.

    `budget / (z sigma sqrt(days / days per year))`.

    Parameters
    ----------
    budget
        Value at risk that is allowed, a share of equity.
    volatility
        Yearly, a fraction, above 0.
    confidence
        0.99 for 99 %.
    horizon_days, days_per_year
        In the same kind of days.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(leverage_cap(0.05, 0.8, confidence=0.99), 6)
    0.513277
    """
    return _core.leverage_cap(budget, volatility, confidence, horizon_days, days_per_year)


def liquidation_probability(
    leverage: float,
    *,
    maintenance_rate: float,
    volatility: float,
    years: float,
    drift: float = 0.0,
    side: str = "long",
) -> float:
    """Return the probability that a position is liquidated within a time.

    First passage of a geometric Brownian motion to the liquidation price,
    `N((b - nu T) / s) + e^(2 nu b / sigma^2) N((b + nu T) / s)` with
    `b = ln((1 - 1/L) / (1 - m))`. There are no jumps and no clusters of volatility in it: take it
    as optimistic.

    Parameters
    ----------
    leverage
        Notional over equity, above 0.
    maintenance_rate
        On the notional, at least 0 and below 1.
    volatility, drift
        Yearly, fractions.
    years
        Time, years of 365 days.
    side
        `long` or `short`.

    Raises
    ------
    OutOfRangeError, NoAnswerError, UnknownWordError
        For a number outside its range, a drift beyond what numbers hold, another side.

    Examples
    --------
    >>> day = {"maintenance_rate": 0.005, "volatility": 0.8, "years": 1 / 365}
    >>> [round(liquidation_probability(leverage, **day), 4) for leverage in (10, 20, 50)]
    [0.0174, 0.2753, 0.7222]
    """
    is_long = word("side", side, _SIDES) == "long"
    return _core.barrier_liquidation_probability(
        leverage, maintenance_rate, is_long, volatility, years, drift
    )


def distance_to_liquidation(
    price: float, liquidation_price: float, *, volatility: float, days_per_year: float = 365.0
) -> Distance:
    """Return how far a price is from a liquidation price, in sigmas, in per cent and in hours.

    Parameters
    ----------
    price, liquidation_price
        Quote currency per unit, above 0, either side.
    volatility
        Yearly, a fraction, above 0.
    days_per_year
        Days of its year.

    Raises
    ------
    OutOfRangeError
        For a number that is not above 0.

    Examples
    --------
    >>> found = distance_to_liquidation(60_000, 54_000, volatility=0.6)
    >>> round(found.daily_sigmas, 4), round(found.hours_to_one_sigma, 1)
    (3.3548, 270.1)
    """
    return Distance(
        *_core.distance_to_liquidation(price, liquidation_price, volatility, days_per_year)
    )


def open_interest_rate(rate: float, *, open_interest: float, lower: float, upper: float) -> float:
    """Return an initial margin rate raised by open interest, as dYdX does.

    `min(1, rate + max(0, (open interest - lower) / (upper - lower)) (1 - rate))`.

    Parameters
    ----------
    rate
        Without it, from 0 to 1.
    open_interest, lower, upper
        In one unit; it begins to count at the lower bound and the rate is 1 at the upper one.

    Raises
    ------
    OutOfRangeError
        For a rate outside its range, or bounds that do not rise.

    Examples
    --------
    >>> open_interest_rate(0.5, open_interest=15, lower=10, upper=20)
    0.75
    """
    return _core.open_interest_rate(rate, open_interest, lower, upper)


def size_premium(weight: float, *, coefficient: float, size: float) -> float:
    """Return a margin weight that grows with the root of the size: `max(w, 0.8 w + k sqrt(size))`.

    Source: Drift's and FTX's rule; the root is that of the law of impact.

    Parameters
    ----------
    weight
        Of a small position, at least 0.
    coefficient
        `k`, per root of a unit.
    size
        Units, at least 0.

    Raises
    ------
    OutOfRangeError
        For a number below 0.

    Examples
    --------
    >>> round(size_premium(0.1, coefficient=0.0005, size=40_000), 6)
    0.18
    """
    return _core.size_premium(weight, coefficient, size)
