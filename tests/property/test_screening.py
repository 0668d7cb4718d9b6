"""Screened tails are full ones to the bit, on books generated to break a surrogate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from crossmargin.revaluation import JointBook, JointTail, Strikes

if TYPE_CHECKING:
    from collections.abc import Callable

FORWARDS = np.array([60_000.0, 3_000.0, 150.0, 600.0])
UNDERLYINGS, STRIKES, SCENARIOS = 4, 160, 20_000
BOOKS = 30  # of each family


def _random(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    days = draw.choice([1.0, 7.0, 30.0, 90.0, 365.0], STRIKES)
    return days, draw.uniform(-2.5, 2.5, STRIKES), draw.normal(0, 1, STRIKES)


def _one_day(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.ones(STRIKES), draw.uniform(-3, 3, STRIKES), draw.normal(0, 1, STRIKES)


def _hours(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # narrower than the steps of any table that pays
    days = draw.choice([0.05, 0.2, 30.0], STRIKES)
    return days, draw.uniform(-3, 3, STRIKES), draw.normal(0, 1, STRIKES)


def _short_at_the_money(
    draw: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    days = draw.choice([1.0, 2.0, 7.0], STRIKES)
    return days, draw.uniform(-0.2, 0.2, STRIKES), -np.abs(draw.normal(0, 1, STRIKES))


def _concentrated(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    days, width, quantity = _random(draw)
    quantity[draw.integers(0, STRIKES, 2)] = -100.0
    return days, width, quantity


def _calendar(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    short = draw.random(STRIKES) < 0.5
    size = np.abs(draw.normal(0, 1, STRIKES))
    days, quantity = np.where(short, 2.0, 60.0), np.where(short, -3.0, 1.0) * size
    return days, draw.uniform(-0.5, 0.5, STRIKES), quantity


def _butterflies(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    middle = np.repeat(draw.uniform(-2, 2, STRIKES // 4), 4)
    width = middle + np.tile([-0.1, 0.0, 0.0, 0.1], STRIKES // 4)
    quantity = np.tile([1.0, -1.0, -1.0, 1.0], STRIKES // 4) * draw.choice([-1.0, 1.0])
    return np.full(STRIKES, draw.choice([1.0, 5.0])), width, quantity


FAMILIES = (
    _random,
    _one_day,
    _hours,
    _short_at_the_money,
    _concentrated,
    _calendar,
    _butterflies,
)


def _both(
    family: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]],
    seed: int,
    *,
    weighed: bool,
) -> tuple[JointTail, JointTail]:
    draw = np.random.default_rng(seed)
    days, width, quantity = family(draw)
    underlying = draw.integers(0, UNDERLYINGS, STRIKES)
    if family is _butterflies:
        underlying = np.repeat(underlying[::4], 4)
    volatility, years = draw.uniform(0.4, 1.5, STRIKES), days / 365.0
    if family is _butterflies:
        volatility = np.full(STRIKES, 0.7)
    forward = FORWARDS[underlying]
    strike = forward * np.exp(width * volatility * np.sqrt(years))
    strikes = Strikes(strike, forward, years, volatility, underlying=underlying)
    is_call = draw.random(STRIKES) < 0.5
    if family is _butterflies:
        is_call[:] = True
    book = JointBook(strikes, np.arange(STRIKES), is_call, quantity * 1_000.0 / forward)
    scale = np.sqrt(4.0 / draw.chisquare(4, SCENARIOS) / 2.0)
    common = draw.standard_normal(SCENARIOS)
    own = draw.standard_normal((2 * UNDERLYINGS, SCENARIOS))
    prices = 0.05 * scale * (0.8 * common + 0.6 * own[:UNDERLYINGS])
    volatilities = 0.08 * scale * (-0.4 * common + 0.9 * own[UNDERLYINGS:])
    probabilities = draw.uniform(0.5, 1.5, SCENARIOS) if weighed else None
    full, screened = (
        book.tail(prices, volatilities, 0.99, probabilities=probabilities, method=method)
        for method in ("full", "screened")
    )
    return full, screened


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.strip("_"))
def test_screened_tails_are_full_ones_to_the_bit(
    family: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    fallbacks = 0
    for seed in range(BOOKS):
        full, screened = _both(family, seed, weighed=seed % 5 == 4)
        assert screened.expected_shortfall.hex() == full.expected_shortfall.hex(), seed
        assert screened.value_at_risk.hex() == full.value_at_risk.hex(), seed
        assert np.array_equal(screened.scenarios, full.scenarios), seed
        assert np.array_equal(screened.components, full.components), seed
        if screened.method == "full":
            fallbacks += 1
            assert screened.fallback
        else:
            assert screened.error <= screened.bound
            assert screened.valued < SCENARIOS / 3
        assert full.valued == SCENARIOS
        assert full.components.sum() == pytest.approx(full.expected_shortfall, rel=1e-12)
    # options of a few hours may need every scenario; the others are screened as a rule
    assert fallbacks <= (BOOKS if family is _hours else BOOKS // 5)
