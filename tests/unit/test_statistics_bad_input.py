"""Statistics refuse what has no answer with a sentence that names argument, value and rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossmargin import statistics as st
from crossmargin.errors import (
    CrossmarginError,
    MissingError,
    NoAnswerError,
    NotCoveredError,
    OutOfRangeError,
    ShapeError,
    UnknownWordError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAN, INF = math.nan, math.inf
TWO = [[1.0, 0.3], [0.3, 1.0]]
WAY_ROUND = "confidence must be at least 0.5 and below 1 (0.99 for 99 %, not the tail's 0.01), was "
# two series that equal a third one equal each other: the smallest eigenvalue is 1 - sqrt(2)
IMPOSSIBLE = [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
LOSSES = [float(loss) for loss in range(100)]

TAKING_A_CONFIDENCE: dict[str, Callable[[float], object]] = {
    "tail": lambda a: st.tail(LOSSES, confidence=a),
    "contributions by scenario": lambda a: st.shortfall_contributions([LOSSES], confidence=a),
    "interval": lambda a: st.value_at_risk_interval(LOSSES, confidence=a),
    "ranks": lambda a: st.order_statistic_ranks(100, confidence=a),
    "coverage": lambda a: st.order_statistic_coverage(100, 1, 2, confidence=a),
    "errors": lambda a: st.sampling_errors(1.0, confidence=a, count=100),
    "error": lambda a: st.expected_shortfall_error(LOSSES, confidence=a),
    "normal": lambda a: st.normal_tail(1.0, confidence=a),
    "student": lambda a: st.student_tail(1.0, degrees_of_freedom=4, confidence=a),
    "gamma": lambda a: st.pure_gamma_tail(-1.0, 1.0, confidence=a),
    "rate": st.expected_shortfall_exceedance_rate,
    "contributions": lambda a: st.contributions([1.0], [[1.0]], confidence=a),
    "liquidity": lambda a: st.liquidity_adjusted_value_at_risk(1, 1, spread=0, confidence=a),
    "leverage": lambda a: st.leverage_cap(0.1, 0.8, confidence=a),
}


@pytest.mark.parametrize("name", TAKING_A_CONFIDENCE)
@pytest.mark.parametrize("given", [0.01, 0.0, 1.0, -0.99, 99.0, NAN, INF])
def test_a_confidence_the_wrong_way_round_says_which_way_is_meant(name: str, given: float) -> None:
    with pytest.raises(OutOfRangeError) as refused:
        TAKING_A_CONFIDENCE[name](given)
    assert str(refused.value).startswith(WAY_ROUND)


TAKING_A_RATE: dict[str, Callable[[float], object]] = {
    "failures": lambda p: st.proportion_of_failures(250, 3, expected_rate=p),
    "accepted": lambda p: st.accepted_failures(250, expected_rate=p),
    "light": lambda p: st.traffic_light(250, 3, expected_rate=p),
    "conditional": lambda p: st.conditional_coverage(
        st.exceedances([False, True]), expected_rate=p
    ),
    "shortfall": lambda p: st.shortfall_test([1.0], [1.0], [1.0], expected_rate=p),
    "critical": lambda p: st.shortfall_critical_values(250, expected_rate=p, levels=[0.5]),
}


@pytest.mark.parametrize("name", TAKING_A_RATE)
@pytest.mark.parametrize("given", [0.99, 0.975, 0.0, 1.0, NAN])
def test_a_rate_of_exceedances_that_is_a_confidence_is_refused(name: str, given: float) -> None:
    with pytest.raises(OutOfRangeError, match="1 less the confidence"):
        TAKING_A_RATE[name](given)


TAKING_A_DECAY: dict[str, Callable[[float], object]] = {
    "volatility": lambda d: st.ewma_volatility_update(0.1, 0.1, decay=d),
    "volatilities": lambda d: st.ewma_volatilities([0.1, 0.2], decay=d, start=1),
    "covariance": lambda d: st.ewma_covariance([[0.1], [0.2]], decay=d, start=1),
    "update": lambda d: st.ewma_covariance_update([[0.1]], [0.2], decay=d),
    "half-life": st.half_life,
    "ages": lambda d: st.age_weights(10, decay=d),
}


@pytest.mark.parametrize("name", TAKING_A_DECAY)
@pytest.mark.parametrize("given", [1.0, 0.0, -0.1, 94.0, NAN])
def test_a_decay_of_one_never_forgets_and_is_refused(name: str, given: float) -> None:
    with pytest.raises(OutOfRangeError, match="decay must be above 0 and below 1, was"):
        TAKING_A_DECAY[name](given)


CASES: list[tuple[Callable[[], object], type[CrossmarginError], str]] = [
    # degrees of freedom
    (
        lambda: st.student_tail(1.0, degrees_of_freedom=2, confidence=0.99),
        OutOfRangeError,
        "nu must be finite and above 2, else the law has no variance, was 2",
    ),
    (
        lambda: st.student_tail(scale=1.0, degrees_of_freedom=1, confidence=0.99),
        OutOfRangeError,
        "nu must be finite and above 1, else the law has no shortfall, was 1",
    ),
    (
        lambda: st.student_tail(degrees_of_freedom=4, confidence=0.99),
        MissingError,
        "volatility or scale is missing: give one of the two",
    ),
    (
        lambda: st.factor_moves(TWO, 8, seed=1, degrees_of_freedom=2),
        OutOfRangeError,
        "degrees_of_freedom must be above 2 (the variance is infinite otherwise) and at most 1000",
    ),
    (
        lambda: st.sampling_errors(1.0, confidence=0.99, count=100, degrees_of_freedom=1.5),
        OutOfRangeError,
        "nu must be finite and above 2, else the law has no variance, was 1.5",
    ),
    (lambda: st.tail_dependence(0, 0.5), OutOfRangeError, "nu must be finite and above zero"),
    # constant series
    (
        lambda: st.beta([0.1, 0.2], [0.3, 0.3]),
        NoAnswerError,
        "market must vary to have a beta, its variance was 0",
    ),
    (
        lambda: st.ledoit_wolf([[0.1, 1.0], [0.1, 2.0]], of="correlation"),
        NoAnswerError,
        "a series must vary to have a correlation: the variance at index 0 was 0",
    ),
    (
        lambda: st.correlation_of(st.sample_covariance([[1.0, 2.0], [3.0, 2.0]])),
        NoAnswerError,
        "a series must vary to have a correlation: the variance at index 1 was 0",
    ),
    (
        lambda: st.ewma_volatilities([0.0, 0.0, 0.1], decay=0.9, start=2),
        NoAnswerError,
        "the first 2 returns must vary to start a volatility, all were 0",
    ),
    (
        lambda: st.contributions([1.0, -1.0], [[1.0, 1.0], [1.0, 1.0]], multiple=1.0),
        NoAnswerError,
        "exposures must have a volatility to have contributions, theirs was zero",
    ),
    # correlations
    (
        lambda: st.check_correlation([[1.0, 1.2], [1.2, 1.0]]),
        OutOfRangeError,
        "correlation must be from -1 to 1, was 1.2 (row 0, column 1)",
    ),
    (
        lambda: st.check_correlation([[1.0, 0.2], [0.3, 1.0]]),
        NoAnswerError,
        "correlation must be symmetric: row 1, column 0 was 0.3, and row 0, column 1 was 0.2",
    ),
    (
        lambda: st.check_correlation([[0.9, 0.2], [0.2, 1.0]]),
        OutOfRangeError,
        "correlation must be 1 on the diagonal, was 0.9 (row 0, column 0)",
    ),
    (
        lambda: st.check_correlation(IMPOSSIBLE),
        NoAnswerError,
        "no moves have this correlation: its smallest eigenvalue was -0.414214",
    ),
    (
        lambda: st.factor_moves(IMPOSSIBLE, 8, seed=1),
        NoAnswerError,
        "covariance must have no negative eigenvalue, its smallest was -4.14",
    ),
    (
        lambda: st.correlation_of([[0.04, 0.07], [0.07, 0.09]]),
        OutOfRangeError,
        "covariance gives a correlation that must be from -1 to 1",
    ),
    (lambda: st.check_correlation([1.0, 0.2]), ShapeError, "must be a square matrix"),
    (lambda: st.check_correlation([[1.0, 0.2]]), ShapeError, "had the shape (1, 2)"),
    (
        lambda: st.stressed_correlation(TWO, 1.5),
        OutOfRangeError,
        "share must be from 0 to 1, was 1.5",
    ),
    (
        lambda: st.stressed_correlation(TWO, 0.5, signs=[1.0, 0.5]),
        OutOfRangeError,
        "signs must be -1 or 1, was 0.5 (index 1)",
    ),
    (
        lambda: st.stressed_correlation(TWO, 0.5, target=[[1.0, 2.0], [2.0, 1.0]]),
        OutOfRangeError,
        "correlation must be from -1 to 1, was 2",
    ),
    (
        lambda: st.correlation_change(1.0, 0.5, effective_observations=32),
        OutOfRangeError,
        "fast must be above -1 and below 1, was 1",
    ),
    (
        lambda: st.correlation_change(0.4, 0.5, effective_observations=3),
        OutOfRangeError,
        "effective_observations must be finite and above 3, was 3",
    ),
    (lambda: st.kendall_tau(1.1), OutOfRangeError, "correlation must be from -1 to 1, was 1.1"),
    (
        lambda: st.nearest_correlation([[1.0, NAN], [NAN, 1.0]]),
        OutOfRangeError,
        "matrix must be a finite number, was NaN (row 0, column 1)",
    ),
    (
        lambda: st.spectral_correlation(TWO, smallest_eigenvalue=1.0),
        OutOfRangeError,
        "smallest_eigenvalue must be at least 0 and below 1, was 1",
    ),
    # NaN, empty, too few
    (
        lambda: st.tail([1.0, NAN, *LOSSES], confidence=0.99),
        OutOfRangeError,
        "losses must be a finite number, was NaN (index 1)",
    ),
    (
        lambda: st.tail([], confidence=0.99),
        NoAnswerError,
        "losses must have at least one scenario, had none",
    ),
    (
        lambda: st.tail(LOSSES[:-1], confidence=0.99),
        NoAnswerError,
        "99 scenarios are too few for a confidence of 0.99: at least 100 are needed",
    ),
    (
        lambda: st.tail([1.0] * 250, confidence=0.99, probabilities=[0.98**k for k in range(250)]),
        NoAnswerError,
        "250 weighted scenarios, worth 97.7 equal ones, are too few",
    ),
    (
        lambda: st.tail(LOSSES, confidence=0.99, probabilities=[1.0]),
        ShapeError,
        "probabilities has 1 rows, expected 100",
    ),
    (
        lambda: st.tail(LOSSES, confidence=0.5, probabilities=[-1.0, *LOSSES[1:]]),
        OutOfRangeError,
        "probabilities must be at least 0, was -1 (index 0)",
    ),
    (
        lambda: st.shortfall_contributions(np.empty((0, 3)), confidence=0.99),
        NoAnswerError,
        "pnl must have at least 1 rows, had 0",
    ),
    (
        lambda: st.shortfall_contributions([[1.0, NAN]], confidence=0.5),
        OutOfRangeError,
        "pnl must be a finite number, was NaN (row 0, column 1)",
    ),
    (lambda: st.effective_size([0.0, 0.0]), NoAnswerError, "must sum to more than 0"),
    (
        lambda: st.sample_covariance([[0.1, 0.2]]),
        NoAnswerError,
        "returns must have at least 2 rows, had 1",
    ),
    (lambda: st.sample_covariance([0.1, 0.2]), ShapeError, "returns must have rows and columns"),
    (
        lambda: st.downside_beta([0.1] * 5, [0.1] * 5),
        NoAnswerError,
        "5 scenarios are too few for a confidence of 0.9: at least 10 are needed",
    ),
    (lambda: st.beta([0.1, 0.2], [0.1]), ShapeError, "asset has 2 rows, expected 1"),
    (
        lambda: st.proportion_of_failures(0, 0, expected_rate=0.01),
        NoAnswerError,
        "a backtest needs at least one day, had none",
    ),
    (
        lambda: st.proportion_of_failures(10, 11, expected_rate=0.01),
        NoAnswerError,
        "exceedances must be at most the 10 days, were 11",
    ),
    (
        lambda: st.independence(st.exceedances([True])),
        NoAnswerError,
        "independence needs at least one pair of days, had none",
    ),
    (
        lambda: st.shortfall_test([], [], [], expected_rate=0.025),
        NoAnswerError,
        "a backtest needs at least one day, had none",
    ),
    (
        lambda: st.shortfall_test([-3.0], [2.0], [0.0], expected_rate=0.025),
        OutOfRangeError,
        "expected_shortfall must be finite and above zero, was 0 (index 0)",
    ),
    (
        lambda: st.shortfall_critical_values(250, histories=1000),
        NoAnswerError,
        "1000 histories are too few for a level of 0.0001: at least 100000 are needed",
    ),
    (
        lambda: st.procyclicality([1.0, 0.0], steps=1),
        OutOfRangeError,
        "margins must be finite and above zero, was 0 (index 1)",
    ),
    (
        lambda: st.procyclicality([1.0, 2.0], steps=2),
        NoAnswerError,
        "steps must be at least 1 and below the 2 margins, were 2",
    ),
    (
        lambda: st.step_multiplier(1.0, thresholds=[2.0, 1.0], multipliers=[1.0, 2.0, 3.0]),
        NoAnswerError,
        "thresholds must rise from each to the next",
    ),
    # laws and sizes
    (
        lambda: st.cornish_fisher_quantile(0.01, skewness=-1.5, excess_kurtosis=1.0),
        NoAnswerError,
        "it is outside Maillard's domain",
    ),
    (
        lambda: st.lognormal_shortfall_rates(0.99, 1.0, years=1),
        OutOfRangeError,
        "tail_probability must be above 0 and below 0.5, was 0.99",
    ),
    (
        lambda: st.normal_tail(1.0, confidence=0.99, value=-100),
        OutOfRangeError,
        "value must be finite and at least 0, was -100",
    ),
    (
        lambda: st.contributions([1.0], [[1.0]]),
        MissingError,
        "confidence or multiple is missing: give one of the two",
    ),
    (
        lambda: st.Garch(1e-6, 0.2, 0.8).long_run_volatility(),
        OutOfRangeError,
        "alpha + beta must be below 1 for a long-run volatility, was 1",
    ),
    (
        lambda: st.filtered_returns([0.1], [0.0], today=0.1),
        OutOfRangeError,
        "forecasts must be finite and above zero, was 0 (index 0)",
    ),
    (
        lambda: st.filtered_returns([0.1], [0.1], today=0.1, cap=0.5),
        OutOfRangeError,
        "cap must be finite and at least 1, was 0.5",
    ),
    (lambda: st.kelly(0.0, 0.8), OutOfRangeError, "drift must be other than 0, was 0"),
    (lambda: st.kelly(0.1, 0.0), OutOfRangeError, "volatility must be finite and above zero"),
    (
        lambda: st.liquidation_probability(5, maintenance_rate=1.0, volatility=0.8, years=1.0),
        OutOfRangeError,
        "maintenance_rate must be at least 0 and below 1, was 1",
    ),
    (
        lambda: st.liquidation_probability(
            5, maintenance_rate=0.1, volatility=0.8, years=1.0, side="Long"
        ),
        UnknownWordError,
        "unknown side 'Long'; known: long, short",
    ),
    (
        lambda: st.distance_to_liquidation(0, 1, volatility=1),
        OutOfRangeError,
        "price must be finite and above zero, was 0",
    ),
    (
        lambda: st.open_interest_rate(0.1, open_interest=1, lower=2, upper=2),
        OutOfRangeError,
        "upper must be above the lower bound, was 2",
    ),
    (
        lambda: st.elasticity_ratio(0.4, 0.1),
        OutOfRangeError,
        "elasticity must be finite and at most 0, was 0.4",
    ),
    (lambda: st.unwind_factor(0.5), OutOfRangeError, "days must be finite and at least 1, was 0.5"),
    (
        lambda: st.autocorrelated_factor(10, 1.0),
        OutOfRangeError,
        "autocorrelation must be above -1 and below 1, was 1",
    ),
    (
        lambda: st.autocorrelated_factor(-1, 0.1),
        OutOfRangeError,
        "days must be at least 0, was -1",
    ),
    (
        lambda: st.autocorrelated_factor(1.5, 0.1),  # type: ignore[arg-type]
        OutOfRangeError,
        "days must be a whole number, was 1.5",
    ),
    (
        lambda: st.scaled_haircut(1.2, days_between=1, holding_days=10),
        OutOfRangeError,
        "haircut must be from 0 to 1, was 1.2",
    ),
    (
        lambda: st.risk_budget_weights(TWO, budgets=[1.0, 0.0]),
        OutOfRangeError,
        "budgets must be finite and above zero, was 0 (index 1)",
    ),
    # draws and words
    (lambda: st.factor_moves(TWO, 0, seed=1), OutOfRangeError, "paths must be 1 or above, was 0"),
    (
        lambda: st.factor_moves(TWO, 3, seed=1, antithetic=True),
        OutOfRangeError,
        "paths must be even where they are antithetic, was 3",
    ),
    (
        lambda: st.factor_moves(TWO, 4, seed=1, antithetic=True, sampler="sobol"),
        NotCoveredError,
        "an antithetic Sobol sample is not covered",
    ),
    (
        lambda: st.factor_moves(TWO, 4, seed=-1),
        OutOfRangeError,
        "seed must be at least 0, was -1",
    ),
    (
        lambda: st.tail(LOSSES, confidence=0.9, ties="first"),  # type: ignore[arg-type]
        UnknownWordError,
        "unknown ties 'first'; known: mean, first_listed",
    ),
    (
        lambda: st.tail(["a"], confidence=0.9),
        ShapeError,
        "losses must be numbers in an array",
    ),
    (lambda: st.tail([[1.0]], confidence=0.9), ShapeError, "losses must have one dimension, had 2"),
]


@pytest.mark.parametrize(("call", "error", "sentence"), CASES)
def test_what_has_no_answer_is_refused_by_name(
    call: Callable[[], object], error: type[CrossmarginError], sentence: str
) -> None:
    with pytest.raises(error) as refused:
        call()
    assert sentence in str(refused.value)
    assert type(refused.value) is error


def test_every_function_that_takes_an_array_refuses_nan_by_its_place() -> None:
    bad: Any = [0.01, NAN, 0.02]
    calls: dict[str, Callable[[], object]] = {
        "returns": lambda: st.ewma_volatilities(bad, decay=0.9, start=1),
        "asset": lambda: st.beta(bad, [0.1, 0.2, 0.3]),
        "market": lambda: st.beta([0.1, 0.2, 0.3], bad),
        "pnl": lambda: st.shortfall_test(bad, [1.0] * 3, [1.0] * 3, expected_rate=0.1),
        "margins": lambda: st.procyclicality(bad, steps=1),
        "exposures": lambda: st.contributions(bad, np.eye(3), multiple=1.0),
        "latest": lambda: st.ewma_covariance_update(np.eye(3), bad, decay=0.9),
        "volatilities": lambda: st.covariance_of(bad, np.eye(3)),
        "multipliers": lambda: st.step_multiplier(1.0, thresholds=[0.0, 1.0], multipliers=bad),
        "forecasts": lambda: st.filtered_returns([0.1] * 3, bad, today=0.1),
    }
    for name, call in calls.items():
        with pytest.raises(OutOfRangeError, match=rf"{name} must be .* was NaN \(index 1\)"):
            call()
