"""Volatilities that change, weights by age, returns filtered by the volatility of their day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "AgeWeights",
    "Garch",
    "age_weights",
    "ewma_volatilities",
    "ewma_volatility_update",
    "filtered_returns",
    "half_life",
]


@dataclass(frozen=True)
class Garch:
    """A GARCH(1,1) law of the variance: `s^2 <- omega + alpha r^2 + beta s^2`.

    Parameters
    ----------
    omega
        Constant part, above 0, in squared returns.
    alpha, beta
        Weights of the latest squared return and of the last variance, at least 0.

    Examples
    --------
    >>> law = Garch(omega=2e-6, alpha=0.13, beta=0.86)
    >>> round(law.next_volatility(0.016, 0.01), 6), round(law.long_run_volatility(), 6)
    (0.015335, 0.014142)
    """

    omega: float
    alpha: float
    beta: float

    def next_volatility(self, volatility: float, latest: float) -> float:
        """Return the volatility that follows `volatility` after the return `latest`.

        Raises
        ------
        OutOfRangeError
            For parameters, a volatility or a return outside their range.
        """
        return _core.garch_volatility_update(self.omega, self.alpha, self.beta, volatility, latest)

    def long_run_volatility(self) -> float:
        """Return the volatility that forecasts tend to, `sqrt(omega / (1 - alpha - beta))`.

        Raises
        ------
        OutOfRangeError
            For parameters outside their range, or where `alpha + beta` is 1 or more: there is none.
        """
        return _core.garch_long_run_volatility(self.omega, self.alpha, self.beta)


@dataclass(frozen=True)
class AgeWeights:
    """Weights of scenarios by their age.

    Parameters
    ----------
    weights
        The oldest first, as scenarios are; the last one is today's.
    total
        Their sum, 1 but for rounding.
    effective_size
        How many equal scenarios they are worth: about `(1 + decay) / (1 - decay)` at most, so that
        at 0.98 the quantile at 99 % is the largest loss.
    """

    weights: Floats
    total: float
    effective_size: float


def ewma_volatility_update(volatility: float, latest: float, *, decay: float) -> float:
    """Return an exponentially weighted volatility after one more return.

    `sqrt(decay s^2 + (1 - decay) r^2)`, mean zero.

    Parameters
    ----------
    volatility
        Before, above 0, of the same period as the return.
    latest
        The return, a fraction.
    decay
        Above 0 and below 1.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(ewma_volatility_update(0.01, 0.02, decay=0.9), 6)
    0.011402
    """
    return _core.ewma_volatility_update(volatility, latest, decay)


def ewma_volatilities(returns: npt.ArrayLike, *, decay: float, start: int = 30) -> Floats:
    """Return exponentially weighted forecasts, each made the day before.

    Entry ``k`` is for day ``start + k`` and knows only the returns before it; the last one is for
    the day after the last return.

    Parameters
    ----------
    returns
        The oldest first, fractions.
    decay
        Above 0 and below 1.
    start
        Returns whose volatility the first forecast is.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a decay outside its range, fewer returns than `start`, or first returns that are all 0.

    Examples
    --------
    >>> ewma_volatilities([0.01, 0.02, 0.0], decay=0.9, start=1).round(6).tolist()
    [0.01, 0.011402, 0.010817]
    """
    return _core.ewma_volatilities(numbers("returns", returns), decay, whole("start", start))


def half_life(decay: float) -> float:
    """Return the days after which a weight has halved: `ln(1/2) / ln(decay)`.

    Parameters
    ----------
    decay
        Above 0 and below 1; for GARCH, `alpha + beta`.

    Raises
    ------
    OutOfRangeError
        Outside it.

    Examples
    --------
    >>> round(half_life(0.97), 4)
    22.7566
    """
    return _core.half_life(decay)


def age_weights(count: int, *, decay: float) -> AgeWeights:
    """Return weights of scenarios by their age, `decay^age (1 - decay) / (1 - decay^n)`.

    Boudoukh, Richardson and Whitelaw 1998.

    Parameters
    ----------
    count
        Number of scenarios.
    decay
        Above 0 and below 1.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a decay outside its range, or no scenarios.

    Examples
    --------
    >>> age_weights(3, decay=0.5).weights.round(6).tolist()
    [0.142857, 0.285714, 0.571429]
    """
    return AgeWeights(*_core.age_weights(whole("count", count), decay))


def filtered_returns(
    returns: npt.ArrayLike,
    forecasts: npt.ArrayLike,
    *,
    today: float,
    cap: float | None = None,
    floor: float | None = None,
) -> Floats:
    """Return the returns of each day as they would be at today's volatility (Hull and White 1998).

    `r_s today / s_s`.

    Parameters
    ----------
    returns
        Fractions, the oldest first, shape ``(T,)``.
    forecasts
        Volatility of each day as forecast the day before, above 0, shape ``(T,)``.
    today
        Volatility now, above 0.
    cap
        The ratio of volatilities stays within ``[1 / cap, cap]``; at least 1.
    floor
        Today's volatility counts as this at least, so that calm days do not lower margins for ever.

    Raises
    ------
    OutOfRangeError, ShapeError
        For a number outside its range, or other lengths.

    Examples
    --------
    >>> filtered_returns([0.01, -0.03], [0.01, 0.02], today=0.03).round(6).tolist()
    [0.03, -0.045]
    """
    return _core.filtered_returns(
        numbers("returns", returns), numbers("forecasts", forecasts), today, cap, floor
    )
