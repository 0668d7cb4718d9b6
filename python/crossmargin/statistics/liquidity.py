"""What it costs and how long it takes to leave a position."""

from __future__ import annotations

from dataclasses import dataclass

from crossmargin import _core
from crossmargin.statistics._coerce import whole

__all__ = [
    "Concentration",
    "HorizonFactor",
    "LiquidityAdjusted",
    "SquareRootImpact",
    "autocorrelated_factor",
    "concentration",
    "elasticity_ratio",
    "liquidity_adjusted_value_at_risk",
    "scaled_haircut",
    "square_root_impact",
    "unwind_factor",
]


@dataclass(frozen=True)
class LiquidityAdjusted:
    """A value at risk and what leaving the position costs on top, money.

    Parameters
    ----------
    value_at_risk
        Of the price alone.
    spread_cost
        Half of the spread that is allowed for.
    total
        Both together. They are not at their worst together, so this is conservative.
    """

    value_at_risk: float
    spread_cost: float
    total: float


@dataclass(frozen=True)
class SquareRootImpact:
    """Price impact of one order.

    Parameters
    ----------
    peak
        At the end of the order, a fraction of the price.
    average
        Average cost, a fraction of the price: two thirds of the peak.
    price_move
        The peak in quote currency per unit.
    cost
        Of the whole order, quote currency.
    """

    peak: float
    average: float
    price_move: float
    cost: float


@dataclass(frozen=True)
class Concentration:
    """What a position that is large for its market adds to a margin.

    Parameters
    ----------
    days
        To sell it at the participation given.
    impact
        Average impact of what is beyond the free share, a fraction of the price.
    addon
        Half spread and impact on the whole position, quote currency.
    """

    days: float
    impact: float
    addon: float


@dataclass(frozen=True)
class HorizonFactor:
    """Factors on a one-day variance, and on a one-day volatility or value at risk."""

    variance: float
    volatility: float


def liquidity_adjusted_value_at_risk(
    value: float,
    volatility: float,
    *,
    spread: float,
    confidence: float | None = None,
    multiple: float | None = None,
    spread_volatility: float = 0.0,
    spread_multiple: float = 0.0,
) -> LiquidityAdjusted:
    """Return a value at risk with the cost of the spread (Bangia and others 1999).

    `value x multiple x sigma + value x (spread + a x spread volatility) / 2`.

    Parameters
    ----------
    value
        Of the position, money, at least 0.
    volatility
        Of the price over the horizon, a fraction.
    spread
        Mean difference of bid and ask, a fraction of the price.
    confidence
        Of a normal price, 0.99 for 99 %.
    multiple
        Volatilities in the place of a confidence.
    spread_volatility
        A fraction of the price; 0 for a constant spread.
    spread_multiple
        `a`: how many of them the spread may be above its mean.

    Raises
    ------
    MissingError
        Unless exactly one of confidence and multiple is given.
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> found = liquidity_adjusted_value_at_risk(1000, 0.01, spread=0.002, multiple=2)
    >>> found.value_at_risk, found.spread_cost, found.total
    (20.0, 1.0, 21.0)
    """
    return LiquidityAdjusted(
        *_core.liquidity_adjusted_value_at_risk(
            value, volatility, confidence, multiple, spread, spread_volatility, spread_multiple
        )
    )


def elasticity_ratio(elasticity: float, traded_share: float) -> float:
    """Return the liquidity-adjusted over the plain value at risk: `1 - elasticity x share`.

    Parameters
    ----------
    elasticity
        Of the price to the amount sold, at most 0.
    traded_share
        Part of the outstanding amount that is sold, at least 0.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> elasticity_ratio(-0.4, 0.1)
    1.04
    """
    return _core.elasticity_ratio(elasticity, traded_share)


def square_root_impact(
    quantity: float,
    *,
    daily_volume: float,
    daily_volatility: float,
    coefficient: float = 1.0,
    price: float = 1.0,
) -> SquareRootImpact:
    """Return the price impact of an order by the square-root law.

    `coefficient x sigma x sqrt(quantity / volume)`; source: Donier and Bonart 2015 (bitcoin). Near
    the touch the order book says more.

    Parameters
    ----------
    quantity
        Units; the sign does not count.
    daily_volume
        Units traded in a day, above 0.
    daily_volatility
        Of a day, a fraction.
    coefficient
        About 1.
    price
        Quote currency per unit, for the amounts of money.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(square_root_impact(500, daily_volume=20_000, daily_volatility=0.04).peak, 6)
    0.006325
    """
    return SquareRootImpact(
        *_core.square_root_impact(quantity, price, daily_volume, daily_volatility, coefficient)
    )


def concentration(
    quantity: float,
    price: float,
    *,
    half_spread: float,
    daily_volume: float,
    daily_volatility: float,
    coefficient: float = 1.0,
    free_share: float = 0.0,
    participation: float = 0.1,
) -> Concentration:
    """Return what a position that is large for its market adds to a margin.

    `|Q| P [s/2 + (2/3) Y sigma sqrt((|Q| - theta V)^+ / V)]`, days `|Q| / (eta V)`.

    Parameters
    ----------
    quantity
        Units; the sign does not count.
    price
        Quote currency per unit, above 0.
    half_spread
        `s/2`, a fraction of the price.
    daily_volume, daily_volatility, coefficient
        As for `square_root_impact`.
    free_share
        `theta`, the share of a day's volume that has no impact.
    participation
        `eta`, the share of a day's volume that can be sold in a day, above 0.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> market = {"daily_volume": 20_000, "daily_volatility": 0.04, "half_spread": 0.0002}
    >>> round(concentration(3_000, 60_000, free_share=0.05, **market).addon)
    1553893
    """
    return Concentration(
        *_core.concentration(
            quantity,
            price,
            half_spread,
            daily_volume,
            daily_volatility,
            coefficient,
            free_share,
            participation,
        )
    )


def unwind_factor(days: float) -> float:
    """Return the factor on a one-day value at risk of a position sold in equal parts over days.

    `sqrt((1 + T)(1 + 2T) / (6T))`, which tends to `sqrt(T / 3)`.

    Parameters
    ----------
    days
        At least 1.

    Raises
    ------
    OutOfRangeError
        For less.

    Examples
    --------
    >>> round(unwind_factor(5), 6)
    1.48324
    """
    return _core.unwind_factor(days)


def autocorrelated_factor(days: int, autocorrelation: float) -> HorizonFactor:
    """Return the factors of a horizon for returns that follow each other: not the root of time.

    Variance: `h + 2 sum over j below h of (h - j) rho^j`.

    Parameters
    ----------
    days
        `h`, at least 1.
    autocorrelation
        `rho` of the returns of two days in a row, above -1 and below 1.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a number outside its range.

    Examples
    --------
    >>> round(autocorrelated_factor(2, 0.5).variance, 6)
    3.0
    """
    return HorizonFactor(*_core.autocorrelated_factor(whole("days", days), autocorrelation))


def scaled_haircut(haircut: float, *, days_between: float, holding_days: float) -> float:
    """Return a haircut for other periods, `H sqrt((N + T - 1) / T)`.

    Source: Basel Framework, comprehensive approach to collateral.

    Parameters
    ----------
    haircut
        For the holding period and daily revaluation, from 0 to 1.
    days_between
        `N`, days between revaluations, at least 1.
    holding_days
        `T`, the holding period that the haircut is for, at least 1.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(scaled_haircut(0.1, days_between=5, holding_days=10), 6)
    0.118322
    """
    return _core.scaled_haircut(haircut, days_between, holding_days)
