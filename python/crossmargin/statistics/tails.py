"""Value at risk and expected shortfall of scenarios, how sure they are, and who contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, optional, table, whole, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Interval",
    "Ranks",
    "SamplingErrors",
    "ShortfallContributions",
    "Tail",
    "effective_size",
    "expected_shortfall_error",
    "order_statistic_coverage",
    "order_statistic_ranks",
    "sampling_errors",
    "shortfall_contributions",
    "tail",
    "value_at_risk_interval",
]

Ties = Literal["mean", "first_listed"]
_TIES = ("mean", "first_listed")


@dataclass(frozen=True)
class Tail:
    """The tail of a sample of losses.

    Parameters
    ----------
    value_at_risk
        Lower empirical quantile of the losses, no interpolation.
    expected_shortfall
        Average of the losses in the tail, the one at the quantile with what the others leave over.
    scenarios
        Places of the scenarios in the tail, from 0.
    weights
        Their weights in the expected shortfall; they sum to 1.
    """

    value_at_risk: float
    expected_shortfall: float
    scenarios: npt.NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True)
class ShortfallContributions:
    """Expected shortfall of a book and what every position adds to it.

    Parameters
    ----------
    pnl
        P&L of the book in each scenario, gains positive.
    value_at_risk, expected_shortfall
        Measures of the book, losses positive.
    component
        Average loss of each position in the tail; they add up to the expected shortfall, negative
        for a hedge.
    stand_alone
        Expected shortfall of each position by itself.
    incremental
        Expected shortfall of the book less that without the position.
    """

    pnl: Floats
    value_at_risk: float
    expected_shortfall: float
    component: Floats
    stand_alone: Floats
    incremental: Floats


@dataclass(frozen=True)
class Interval:
    """An interval for a value at risk.

    Parameters
    ----------
    lower, upper
        Its ends; None where the sample has none: without an upper end the value at risk is at least
        the lower one.
    coverage
        Probability that the interval holds the quantile.
    """

    lower: float | None
    upper: float | None
    coverage: float


@dataclass(frozen=True)
class Ranks:
    """Order statistics that enclose a quantile, counted from the smallest loss, the first being 1.

    Parameters
    ----------
    lower, upper
        Their ranks; None where no loss is small or large enough.
    coverage
        Probability that the quantile lies from the lower one to below the upper one.
    """

    lower: int | None
    upper: int | None
    coverage: float


@dataclass(frozen=True)
class SamplingErrors:
    """Standard errors of both measures, in the unit of the volatility."""

    value_at_risk: float
    expected_shortfall: float


def tail(
    losses: npt.ArrayLike,
    *,
    confidence: float,
    probabilities: npt.ArrayLike | None = None,
    ties: Ties = "mean",
) -> Tail:
    """Return value at risk and expected shortfall of a sample of losses.

    With `n` scenarios the value at risk is the loss of rank `ceil(n x confidence)`; the expected
    shortfall gives it the fraction that the losses above it leave over (Acerbi and Tasche 2002).

    Parameters
    ----------
    losses
        One loss per scenario, losses positive, shape ``(S,)``.
    confidence
        0.99 for 99 %; 0.01 is refused.
    probabilities
        Weights of the scenarios, at least 0; they are divided by their sum. All alike if left out.
    ties
        Who gets the fraction among equal losses: all of them (`mean`), or those listed first.

    Raises
    ------
    OutOfRangeError
        For a number that is not finite, a negative probability or a confidence below 0.5.
    NoAnswerError
        For too few scenarios for the confidence; it says how many are needed.
    ShapeError, UnknownWordError
        For other lengths or another word.

    Examples
    --------
    >>> found = tail(range(1, 101), confidence=0.975)
    >>> found.value_at_risk, round(found.expected_shortfall, 12)
    (98.0, 99.2)
    """
    var, shortfall, scenarios, weights = _core.sample_tail(
        numbers("losses", _listed(losses)),
        optional("probabilities", probabilities),
        confidence,
        word("ties", ties, _TIES) == "first_listed",
    )
    return Tail(var, shortfall, np.array(scenarios, dtype=np.int64), weights)


def shortfall_contributions(
    pnl: npt.ArrayLike,
    *,
    confidence: float,
    probabilities: npt.ArrayLike | None = None,
    ties: Ties = "mean",
) -> ShortfallContributions:
    """Return what every position adds to the expected shortfall of a book (Tasche 1999).

    Parameters
    ----------
    pnl
        P&L by scenario and position, gains positive, shape ``(S, P)``.
    confidence, probabilities, ties
        As for `tail`.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError, UnknownWordError
        As `tail`.

    Examples
    --------
    >>> found = shortfall_contributions([[-3, 1], [2, -2], [1, 0], [4, 1]], confidence=0.75)
    >>> found.expected_shortfall, found.component.tolist()
    (2.0, [3.0, -1.0])
    """
    rows, positions = table("pnl", pnl)
    return ShortfallContributions(
        *_core.shortfall_contributions(
            rows,
            positions,
            optional("probabilities", probabilities),
            confidence,
            word("ties", ties, _TIES) == "first_listed",
        )
    )


def value_at_risk_interval(
    losses: npt.ArrayLike,
    *,
    confidence: float,
    coverage: float = 0.95,
    probabilities: npt.ArrayLike | None = None,
) -> Interval:
    """Return an interval for the value at risk by order statistics, free of any law.

    Parameters
    ----------
    losses, confidence, probabilities
        As for `tail`; weighted scenarios count as their effective size.
    coverage
        How sure the interval shall be at least; each side takes half of the rest.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        As `tail`.

    Examples
    --------
    >>> value_at_risk_interval(range(250), confidence=0.99).upper is None
    True
    """
    return Interval(
        *_core.value_at_risk_interval(
            numbers("losses", _listed(losses)),
            optional("probabilities", probabilities),
            confidence,
            coverage,
        )
    )


def order_statistic_ranks(count: int, *, confidence: float, coverage: float = 0.95) -> Ranks:
    """Return the ranks of the losses that enclose a value at risk.

    Parameters
    ----------
    count
        Number of losses.
    confidence
        0.99 for 99 %.
    coverage
        How sure the interval shall be at least; each side takes half of the rest.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a confidence or coverage outside its range, or no losses.

    Examples
    --------
    >>> order_statistic_ranks(1000, confidence=0.95).lower
    936
    """
    return Ranks(*_core.order_statistic_ranks(whole("count", count), confidence, coverage))


def order_statistic_coverage(
    count: int, lower: int | None, upper: int | None, *, confidence: float
) -> float:
    """Return the probability that a value at risk lies from one order statistic to below another.

    `sum over k from lower to upper - 1 of binom(n, k) a^k (1 - a)^(n - k)`.

    Parameters
    ----------
    count
        Number of losses.
    lower, upper
        Ranks from 1, counted from the smallest loss; None for no bound on that side.
    confidence
        0.99 for 99 %.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a confidence outside its range, or ranks that are not in order.

    Examples
    --------
    >>> round(order_statistic_coverage(10, 2, 9, confidence=0.5), 6)
    0.978516
    """
    return _core.order_statistic_coverage(
        whole("count", count),
        confidence,
        None if lower is None else whole("lower", lower),
        None if upper is None else whole("upper", upper),
    )


def sampling_errors(
    volatility: float,
    *,
    confidence: float,
    count: float,
    degrees_of_freedom: float | None = None,
) -> SamplingErrors:
    """Return the asymptotic standard errors of measures that rest on `count` losses of a known law.

    `se(VaR) = sqrt(a (1 - a) / n) / f(q)`;
    `se(ES) = sqrt([Var(L | tail) + a (ES - VaR)^2] / (n (1 - a)))`.

    Parameters
    ----------
    volatility
        Standard deviation of the losses.
    confidence
        0.99 for 99 %.
    count
        Number of losses, or what weighted ones are worth.
    degrees_of_freedom
        Of Student's law, above 2; normal if left out.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(sampling_errors(1.0, confidence=0.99, count=10_000).value_at_risk, 6)
    0.037332
    """
    return SamplingErrors(*_core.sampling_errors(volatility, confidence, count, degrees_of_freedom))


def expected_shortfall_error(
    losses: npt.ArrayLike,
    *,
    confidence: float,
    probabilities: npt.ArrayLike | None = None,
) -> float:
    """Return the standard error of an expected shortfall from the losses of its scenarios.

    Parameters
    ----------
    losses, confidence, probabilities
        As for `tail`; weighted scenarios count as their effective size.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        As `tail`.

    Examples
    --------
    >>> expected_shortfall_error([0.0] * 99 + [3.0], confidence=0.99) > 0
    True
    """
    return _core.expected_shortfall_error(
        numbers("losses", _listed(losses)), optional("probabilities", probabilities), confidence
    )


def effective_size(weights: npt.ArrayLike) -> float:
    """Return how many equal scenarios weighted ones are worth: `1 / sum w^2`.

    Parameters
    ----------
    weights
        At least 0 each; they are divided by their sum.

    Raises
    ------
    OutOfRangeError, NoAnswerError
        For a weight below zero or not finite, or weights that are all zero.

    Examples
    --------
    >>> effective_size([2.0, 2.0, 2.0, 2.0])
    4.0
    """
    return _core.effective_size(numbers("weights", weights))


def _listed(values: npt.ArrayLike) -> npt.ArrayLike:
    return list(values) if isinstance(values, range) else values
