"""Backtests of value at risk and expected shortfall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Coverage",
    "Exceedances",
    "LikelihoodTest",
    "ShortfallTest",
    "TrafficLight",
    "accepted_failures",
    "conditional_coverage",
    "exceedances",
    "independence",
    "proportion_of_failures",
    "shortfall_critical_values",
    "shortfall_test",
    "traffic_light",
]


@dataclass(frozen=True)
class Exceedances:
    """Days, exceedances and how they followed each other.

    Parameters
    ----------
    days, exceeded
        Days that were looked at, and those with a loss beyond the limit.
    calm_calm, calm_exceeded, exceeded_calm, exceeded_exceeded
        Pairs of days, by the day before and the day; one fewer than days.
    """

    days: int
    exceeded: int
    calm_calm: int
    calm_exceeded: int
    exceeded_calm: int
    exceeded_exceeded: int


@dataclass(frozen=True)
class LikelihoodTest:
    """A likelihood-ratio statistic, and the probability of one as large if the model is right."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class Coverage:
    """Kupiec's test of the number of exceedances.

    Parameters
    ----------
    statistic, p_value
        Likelihood ratio, and its probability by the chi-square law with one degree of freedom.
    exact_p_value
        Binomial probability of all numbers no more likely than the one observed; at 250 days the
        chi-square law is poor.
    at_least, at_most
        Binomial probability of as many exceedances or more, and of as many or fewer.
    """

    statistic: float
    p_value: float
    exact_p_value: float
    at_least: float
    at_most: float


@dataclass(frozen=True)
class TrafficLight:
    """Zone of the Basel traffic light (`green`, `yellow`, `red`) and the probability it goes by."""

    zone: str
    cumulative_probability: float


@dataclass(frozen=True)
class ShortfallTest:
    """Acerbi and Szekely's statistics: 0 for a right model, below 0 for losses beyond predictions.

    Parameters
    ----------
    first
        `sum(x I / ES) / N + 1` over the ``N`` exceedances; None without any.
    second
        `sum(x I / ES) / (T p) + 1` over ``T`` days.
    exceeded
        Days with a loss beyond the value at risk.
    verdict
        `accepted`, `rejected at 5 %` or `rejected at 0.01 %` by the published critical values of
        the second statistic (-0.70, -1.8); None for other days or rates, see
        `shortfall_critical_values`.
    reason
        Why there is no verdict; empty where there is one.
    """

    first: float | None
    second: float
    exceeded: int
    verdict: str | None
    reason: str


def exceedances(exceeded: npt.ArrayLike) -> Exceedances:
    """Return the counts of a series of days with or without a loss beyond a limit.

    Parameters
    ----------
    exceeded
        True for a day with a loss beyond it, in the order of days: `pnl < -value_at_risk`.

    Examples
    --------
    >>> counts = exceedances([False, True, True, False])
    >>> counts.exceeded, counts.exceeded_exceeded
    (2, 1)
    """
    days, count, pairs = _core.count_exceedances(np.ascontiguousarray(exceeded, dtype=np.bool_))
    return Exceedances(days, count, *pairs)


def proportion_of_failures(days: int, exceeded: int, *, expected_rate: float) -> Coverage:
    """Return Kupiec's (1995) test of the number of exceedances.

    `-2 ln [(1 - p)^(n - x) p^x / ((1 - x/n)^(n - x) (x/n)^x)]`, with `0 ln 0 = 0`.

    Parameters
    ----------
    days, exceeded
        Days, and those with a loss beyond the value at risk.
    expected_rate
        1 less the confidence: 0.01 for a value at risk at 99 %; 0.5 and above are refused.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a rate outside its range, no days, or more exceedances than days.

    Examples
    --------
    >>> round(proportion_of_failures(250, 0, expected_rate=0.01).statistic, 6)
    5.025168
    """
    return Coverage(
        *_core.proportion_of_failures(
            whole("days", days), whole("exceeded", exceeded), expected_rate
        )
    )


def accepted_failures(days: int, *, expected_rate: float, level: float = 0.05) -> tuple[int, int]:
    """Return the smallest and largest number of exceedances that Kupiec's test does not reject.

    Parameters
    ----------
    days
        Days that are looked at.
    expected_rate
        1 less the confidence.
    level
        Probability of rejecting a right model.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a rate or level outside its range, no days, or where every number is rejected.

    Examples
    --------
    >>> accepted_failures(1000, expected_rate=0.01)
    (5, 16)
    """
    return _core.accepted_failures(whole("days", days), expected_rate, level)


def independence(counts: Exceedances) -> LikelihoodTest:
    """Return Christoffersen's (1998) test that exceedances do not follow each other.

    Parameters
    ----------
    counts
        As `exceedances` counts them; days and exceedances by themselves are not used.

    Raises
    ------
    NoAnswerError
        For no pairs of days.

    Examples
    --------
    >>> round(independence(Exceedances(499, 7, 484, 7, 7, 0)).statistic, 6)
    0.199599
    """
    return LikelihoodTest(*_core.independence(_pairs(counts)))


def conditional_coverage(counts: Exceedances, *, expected_rate: float) -> LikelihoodTest:
    """Return Christoffersen's test of both: number and independence, two degrees of freedom.

    Parameters
    ----------
    counts
        As `exceedances` counts them.
    expected_rate
        1 less the confidence.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        As `proportion_of_failures` and `independence`.

    Examples
    --------
    >>> counts = Exceedances(1043, 57, 932, 53, 53, 4)
    >>> round(conditional_coverage(counts, expected_rate=0.05).p_value, 5)
    0.69763
    """
    return LikelihoodTest(
        *_core.conditional_coverage(
            whole("days", counts.days),
            whole("exceeded", counts.exceeded),
            _pairs(counts),
            expected_rate,
        )
    )


def traffic_light(days: int, exceeded: int, *, expected_rate: float = 0.01) -> TrafficLight:
    """Return the zone of the Basel traffic light: yellow from 95 %, red from 99.99 %.

    The zones go by the binomial probability of as many exceedances or fewer. The multipliers that
    belong to them are a table of the regulator's and no formula; they are not here.

    Parameters
    ----------
    days, exceeded
        Days, and those with a loss beyond the value at risk.
    expected_rate
        1 less the confidence.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        As `proportion_of_failures`.

    Examples
    --------
    >>> [traffic_light(250, count).zone for count in (4, 5, 9, 10)]
    ['green', 'yellow', 'yellow', 'red']
    """
    return TrafficLight(
        *_core.traffic_light(whole("days", days), whole("exceeded", exceeded), expected_rate)
    )


def shortfall_test(
    pnl: npt.ArrayLike,
    value_at_risk: npt.ArrayLike,
    expected_shortfall: npt.ArrayLike,
    *,
    expected_rate: float,
) -> ShortfallTest:
    """Return Acerbi and Szekely's (2014) backtests of an expected shortfall.

    Parameters
    ----------
    pnl
        P&L of days, gains positive, shape ``(T,)``.
    value_at_risk, expected_shortfall
        What was predicted for each day, losses positive, shape ``(T,)``.
    expected_rate
        1 less the confidence, 0.025 for 97.5 %.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a number outside its range, no days, other lengths.

    Examples
    --------
    >>> found = shortfall_test([-3.0, 1.0], [2.0, 2.0], [2.5, 2.5], expected_rate=0.4)
    >>> round(found.first, 12), round(found.second, 12)
    (-0.2, -0.5)
    """
    return ShortfallTest(
        *_core.shortfall_test(
            numbers("pnl", pnl),
            numbers("value_at_risk", value_at_risk),
            numbers("expected_shortfall", expected_shortfall),
            expected_rate,
        )
    )


def shortfall_critical_values(
    days: int,
    *,
    expected_rate: float = 0.025,
    levels: npt.ArrayLike = (0.05, 0.0001),
    degrees_of_freedom: float | None = None,
    histories: int = 100_000,
    seed: int = 0,
    threads: int | None = None,
) -> Floats:
    """Return the values below which Acerbi and Szekely's second statistic rejects, by simulation.

    Histories of independent days are drawn from a law that the model knows; a value is an order
    statistic of theirs. The same arguments give the same bits for any number of threads.

    Parameters
    ----------
    days
        Days of a history.
    expected_rate
        1 less the confidence, 0.025 for 97.5 %.
    levels
        Probabilities of rejecting a right model.
    degrees_of_freedom
        Of Student's law, above 2 and at most 1000; normal if left out.
    histories
        At least ten beyond the smallest level.
    seed
        Of the random numbers.
    threads
        Most workers; all processors if left out.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a number outside its range, or too few histories for a level.

    Examples
    --------
    >>> shortfall_critical_values(250, levels=[0.05], histories=4000).round(1).tolist()
    [-0.7]
    """
    return _core.shortfall_critical_values(
        whole("days", days),
        expected_rate,
        numbers("levels", levels),
        degrees_of_freedom,
        whole("histories", histories),
        whole("seed", seed),
        threads,
    )


def _pairs(counts: Exceedances) -> tuple[int, int, int, int]:
    return (
        whole("calm_calm", counts.calm_calm),
        whole("calm_exceeded", counts.calm_exceeded),
        whole("exceeded_calm", counts.exceeded_calm),
        whole("exceeded_exceeded", counts.exceeded_exceeded),
    )
