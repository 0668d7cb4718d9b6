"""Simulated measures against closed forms: no bias, errors as large as they should be, same bits.

Seeds are fixed. The mean z-score times the root of their number is a standard normal number (3 is
its 99.7 % bound), and the sum of squares a chi-square one with as many degrees of freedom. A margin
of a rulebook is looked at with 100 seeds: the first 20 happen to lie close together (6.4 for one of
four figures, a case in 600), and the errors of 4,000 seeds are as large as they should be.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import crossmargin as cm
from crossmargin import _core
from crossmargin import statistics as st

SEEDS = range(1, 21)
MANY_SEEDS = range(1, 101)
# half a per cent of the chi-square law lies on either side
SQUARES = {20: (7.4, 40.0), 100: (67.3, 140.2)}
FACTORS = 10
VOLATILITIES = np.linspace(0.02, 0.08, FACTORS)
# a common factor and two groups, so that the matrix is no simple one
LOADINGS = np.linspace(0.9, 0.5, FACTORS)
GROUPS = np.array([0.3, -0.3] * (FACTORS // 2))
CORRELATION = np.outer(LOADINGS, LOADINGS) + np.outer(GROUPS, GROUPS)
np.fill_diagonal(CORRELATION, 1)
COVARIANCE = st.covariance_of(VOLATILITIES, CORRELATION)
EXPOSURES = np.array([5.0, -3.0, 2.0, 4.0, -1.0, 2.0, -2.0, 1.0, 3.0, -4.0]) * 1e5
VOLATILITY = math.sqrt(EXPOSURES @ COVARIANCE @ EXPOSURES)


def measured(seed: int, paths: int, confidence: float, **how: Any) -> st.Tail:
    moves = st.factor_moves(COVARIANCE, paths, seed=seed, **how)
    return st.tail(-(EXPOSURES @ moves), confidence=confidence)


def check_scores(scores: list[float]) -> None:
    count = len(scores)
    assert abs(sum(scores) / count) * math.sqrt(count) <= 3
    low, high = SQUARES[count]
    assert low <= sum(score**2 for score in scores) <= high


@pytest.mark.parametrize("confidence", [0.975, 0.99])
@pytest.mark.parametrize("nu", [None, 6.0])
def test_simulated_measures_are_unbiased_with_the_errors_of_their_law(
    nu: float | None, confidence: float
) -> None:
    paths = 20_000
    if nu is None:
        expected = st.normal_tail(VOLATILITY, confidence=confidence)
    else:
        expected = st.student_tail(VOLATILITY, degrees_of_freedom=nu, confidence=confidence)
    errors = st.sampling_errors(
        VOLATILITY, confidence=confidence, count=paths, degrees_of_freedom=nu
    )
    found = [measured(seed, paths, confidence, degrees_of_freedom=nu) for seed in SEEDS]
    check_scores(
        [(one.value_at_risk - expected.value_at_risk) / errors.value_at_risk for one in found]
    )
    check_scores(
        [
            (one.expected_shortfall - expected.expected_shortfall) / errors.expected_shortfall
            for one in found
        ]
    )


def _rulebook(kind: str, seed: int, paths: int) -> dict[str, object]:
    return {
        "id": "simulated",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USD",
        "source": "test",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "measure": {"kind": kind, "confidence": 0.99, "horizon_days": 1},
        "tail": {
            "scenarios": "simulated",
            "option_volatility": "unmoved",
            "simulation": {"paths": paths, "seed": seed, "law": "normal", "covariance": "market"},
        },
    }


def _margin(kind: str, seed: int, paths: int, side: float, volatility: float) -> float:
    book = cm.book(
        [
            {
                "symbol": "BTC-PERP",
                "underlying": "BTC",
                "settle": "USD",
                "contracts": side,
                "contractSize": 1.0,
                "entryPrice": 1000.0,
                "markPrice": 1000.0,
            }
        ],
        _rulebook(kind, seed, paths),
        collateral=[{"currency": "USD", "cash": 1e6}],
        market=[{"underlying": "BTC", "indexPrice": 1000.0, "dailyVol": volatility}],
    )
    margin = cm.maintenance_margin(book)
    assert margin is not None
    return margin


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_margin_of_a_simulated_rulebook_is_the_lognormal_closed_form(side: float) -> None:
    paths, volatility, tail = 10_000, 0.05, 0.01
    z = st.normal_tail(1.0, confidence=0.99).value_at_risk
    # log moves have mean zero, hence the drift of half the variance
    rates = st.lognormal_shortfall_rates(tail, volatility, years=1, drift=volatility**2 / 2)
    shortfall = 1000 * (rates.long if side > 0 else rates.short)
    quantile = 1000 * side * (1 - math.exp(-side * z * volatility))
    # the density of the loss at its quantile is that of the log move over the slope of the price
    normal = st.sampling_errors(volatility, confidence=0.99, count=paths)
    slope = 1000 * math.exp(-side * z * volatility)
    spread = _shortfall_error(side, volatility, quantile, shortfall, paths)
    for kind, expected, error in (
        ("value_at_risk", quantile, slope * normal.value_at_risk),
        ("expected_shortfall", shortfall, spread),
    ):
        found = [_margin(kind, seed, paths, side, volatility) for seed in MANY_SEEDS]
        check_scores([(one - expected) / error for one in found])


def _shortfall_error(
    side: float, volatility: float, quantile: float, shortfall: float, paths: int
) -> float:
    """Return the standard error of the shortfall of one coin, its second moment by a fine sum."""
    beyond = (np.arange(200_000) + 0.5) / 200_000 * 0.01  # even probabilities in the tail
    nodes = np.linspace(-8, -2.3, 4001)
    below = np.array([0.5 * math.erfc(-node / math.sqrt(2)) for node in nodes])
    moves = np.interp(beyond, below, nodes) * volatility
    losses = 1000 * side * (1 - np.exp(side * moves))
    variance = losses.var() + 0.99 * (shortfall - quantile) ** 2
    return math.sqrt(variance / (paths * 0.01))


def test_scrambled_sobol_points_have_at_most_seven_tenths_of_the_plain_error() -> None:
    paths, scrambles = 8192, 64
    expected = st.normal_tail(VOLATILITY, confidence=0.99)

    def errors(sampler: str) -> tuple[float, float]:
        found = [measured(seed, paths, 0.99, sampler=sampler) for seed in range(scrambles)]
        quantiles = np.array([one.value_at_risk for one in found]) - expected.value_at_risk
        shortfalls = np.array([one.expected_shortfall for one in found])
        shortfalls -= expected.expected_shortfall
        return math.sqrt((quantiles**2).mean()), math.sqrt((shortfalls**2).mean())

    plain, sobol = errors("plain"), errors("sobol")
    assert sobol[0] <= 0.7 * plain[0]
    assert sobol[1] <= 0.7 * plain[1]
    # plain draws have the error that theory gives them; 64 of them know it to a tenth
    theory = st.sampling_errors(VOLATILITY, confidence=0.99, count=paths)
    assert plain[0] == pytest.approx(theory.value_at_risk, rel=0.3)
    assert plain[1] == pytest.approx(theory.expected_shortfall, rel=0.3)


def test_moves_have_the_covariance_asked_for_under_both_laws() -> None:
    for nu in (None, 8.0):
        moves = st.factor_moves(COVARIANCE, 200_000, seed=3, degrees_of_freedom=nu)
        assert moves.shape == (FACTORS, 200_000)
        found = np.cov(moves)
        scale = np.outer(VOLATILITIES, VOLATILITIES)
        # a covariance of 200,000 draws is known to a third of a per cent of its volatilities
        assert abs((found - COVARIANCE) / scale).max() < 0.02
    mirrored = st.factor_moves(COVARIANCE, 1000, seed=3, antithetic=True)
    assert (mirrored[:, ::2] == -mirrored[:, 1::2]).all()


def test_more_paths_or_factors_leave_the_ones_before_them_as_they_were() -> None:
    few = st.factor_moves(np.eye(3), 500, seed=9)
    more = st.factor_moves(np.eye(3), 2000, seed=9)
    assert (few == more[:, :500]).all()
    assert (few != st.factor_moves(np.eye(3), 500, seed=10)).all()


HOW: tuple[dict[str, Any], ...] = (
    {},
    {"degrees_of_freedom": 4.0},
    {"sampler": "sobol"},
    {"sampler": "sobol", "degrees_of_freedom": 4.0},
    {"antithetic": True},
)


@pytest.mark.parametrize("how", HOW)
def test_the_number_of_threads_changes_no_bit(how: dict[str, Any]) -> None:
    found = [
        hashlib.sha256(
            st.factor_moves(COVARIANCE, 20_000, seed=11, threads=threads, **how).tobytes()
        ).hexdigest()
        for threads in (1, 2, 8, None)
    ]
    assert len(set(found)) == 1


SCRIPT = """
import json
import numpy as np
from crossmargin import _core
from crossmargin import statistics as st

covariance = st.covariance_of(np.linspace(0.02, 0.08, 6), 0.4 + 0.6 * np.eye(6))
exposures = np.array([3.0, -2.0, 1.0, 4.0, -5.0, 2.0])
figures = []
for how in ({}, {"degrees_of_freedom": 4.0}, {"sampler": "sobol"}):
    moves = st.factor_moves(covariance, 5000, seed=2, **how)
    pnl = (exposures[:, None] * moves).T
    found = st.shortfall_contributions(pnl, confidence=0.975)
    figures += [found.expected_shortfall, found.value_at_risk, *found.component.tolist()]
    figures += st.ewma_covariance(moves.T[:200], decay=0.97).ravel().tolist()
    figures += st.ledoit_wolf(moves.T[:50]).covariance.ravel().tolist()
    figures += moves[:, -7:].ravel().tolist()
figures += st.contributions(exposures, covariance, confidence=0.99).component.tolist()
repaired = st.nearest_correlation([[1, 0.9, 0.7], [0.9, 1, 0.2], [0.7, 0.2, 1]])
figures += repaired.correlation.ravel().tolist()
critical = st.shortfall_critical_values(
    100, levels=[0.05], histories=2000, degrees_of_freedom=5, seed=4
)
figures += critical.tolist()
print(json.dumps({"level": _core.simd_level(), "figures": [each.hex() for each in figures]}))
"""


def _figures(level: str, threads: str) -> list[float]:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"CROSSMARGIN_SIMD": level, "RAYON_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert printed["level"] == level
    return [float.fromhex(each) for each in printed["figures"]]


def test_the_same_seed_gives_the_same_bits_on_every_instruction_set_and_thread() -> None:
    portable, *fused = _core.simd_levels()
    found = [_figures(level, threads) for level in fused for threads in ("1", "2", "8")]
    assert found
    assert len(found[0]) > 200
    assert all(figures == found[0] for figures in found)
    scale = max(map(abs, found[0]))
    for one, other in zip(_figures(portable, "2"), found[0], strict=True):
        assert abs(one - other) <= 1e-13 * scale
