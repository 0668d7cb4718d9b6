"""Simulated tails by a copula against a second simulation in numpy that knows nothing of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest

import crossmargin as cm

Array = npt.NDArray[np.float64]
MARKS = np.array([90_000.0, 3_000.0])
QUANTITIES = np.array([1.0, -20.0])
PATHS, MINE = 100_000, 400_000
DEGREES = 4.0


def _moves() -> Array:
    """Return moves with a fat and lopsided tail: rare crashes, small gains."""
    draw = np.random.default_rng(11)
    market = 0.01 * draw.standard_normal(699) - 0.06 * (draw.random(699) < 0.02)
    own = 0.008 * draw.standard_normal((699, 2))
    return np.asarray(market[:, None] * [1.0, 1.3] + own)


MOVES = _moves()


def _shortfall(**tail: str) -> float:
    levels = MARKS * np.exp(np.vstack([np.zeros(2), np.cumsum(MOVES, axis=0)]))
    levels *= MARKS / levels[-1]
    first = dt.date(2024, 1, 1)
    rows = [
        ["date", "BTC", "ETH"],
        *(
            [(first + dt.timedelta(days=day)).isoformat(), *map(float, level)]
            for day, level in enumerate(levels)
        ),
    ]
    book = cm.book(
        {
            "symbol": ["BTC", "ETH"],
            "contracts": QUANTITIES.tolist(),
            "entryPrice": MARKS.tolist(),
            "markPrice": MARKS.tolist(),
        },
        "es",
        collateral={"currency": ["USD"], "cash": [50_000.0]},
        options={"history": rows},
    )
    options = {"window": "699", "covariance": "sample", "paths": str(PATHS), "seed": "3"} | tail
    answer = cm.tail_measures(book, measure="ES", method="simulated", options=options)
    return float(answer.records()[0]["value"] or 0)


def _cumulative(t: Array) -> Array:
    """Return the probability of Student's law with four degrees of freedom, in closed form."""
    share = t * t / (1 + t * t / 4)
    return np.asarray(0.5 + 3 / 8 * t / np.sqrt(1 + t * t / 4) * (1 - share / 12))


def _mine(*, shaped: bool) -> tuple[float, float]:
    """Return the shortfall of 99 % and its standard error."""
    draw = np.random.default_rng(29)
    deviations = np.sqrt((MOVES**2).mean(axis=0))
    correlation = (MOVES[:, 0] * MOVES[:, 1]).mean() / deviations.prod()
    root = np.linalg.cholesky(np.array([[1.0, correlation], [correlation, 1.0]]))
    scale = np.sqrt(DEGREES / draw.chisquare(DEGREES, MINE))[:, None]
    student = draw.standard_normal((MINE, 2)) @ root.T * scale
    if shaped:
        ranks = (np.arange(699) + 0.5) / 699
        columns = [
            np.interp(_cumulative(student[:, coin]), ranks, np.sort(MOVES[:, coin]))
            for coin in range(2)
        ]
        moves = np.column_stack(columns)
    else:
        moves = student * deviations * np.sqrt((DEGREES - 2) / DEGREES)
    losses = np.sort(-(np.expm1(moves) @ (QUANTITIES * MARKS)))[::-1][: MINE // 100]
    error = np.sqrt((losses.var() + 0.99 * (losses.mean() - losses[-1]) ** 2) / (MINE // 100))
    return float(losses.mean()), float(error)


@pytest.mark.parametrize("shaped", [False, True])
def test_both_simulations_agree_within_their_errors(*, shaped: bool) -> None:
    mine, error = _mine(shaped=shaped)
    marginals = "history" if shaped else "law"
    found = _shortfall(law="student_t", degrees_of_freedom="4", marginals=marginals)
    both = error * np.sqrt(1 + MINE / PATHS)
    assert abs(found - mine) < 4 * both
    assert both < 0.02 * mine


def test_the_shape_of_the_history_matters() -> None:
    by_law = _shortfall(law="normal")
    shaped = _shortfall(law="normal", marginals="history")
    assert shaped > 1.1 * by_law


def test_a_copula_without_a_history_is_refused() -> None:
    with pytest.raises(cm.CrossmarginError, match="covariance = market takes none"):
        _shortfall(marginals="history", covariance="market")
