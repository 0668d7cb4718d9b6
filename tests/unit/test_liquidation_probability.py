"""Probability of liquidation: closed form, a fine simulation in numpy, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import crossmargin
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, records, table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"
YEAR_TO_DAY = 1 / math.sqrt(365)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _barrier(leverage: float, rate: float, volatility: float, years: float) -> float:
    """Return the formula of methods.md section 5.6 for a long position without drift."""
    b = math.log((1 - 1 / leverage) / (1 - rate))
    s, nu = volatility * math.sqrt(years), -0.5 * volatility**2
    reflected = math.exp(2 * nu * b / volatility**2) * _normal((b + nu * years) / s)
    return _normal((b - nu * years) / s) + reflected


def _book(leverage: float, market: Rows, rows: Rows | None = None) -> crossmargin.Book:
    positions = rows or table(H, ["BTC", 1, 60000, 60000, 0.005])
    cash = table("currency cash", ["USD", 60000 / leverage])
    return crossmargin.book(positions, "custom", collateral=cash, market=market)


def _one(book: crossmargin.Book, **options: object) -> dict[str, Any]:
    found = crossmargin.liquidation_probability(
        book, options={key: str(value) for key, value in options.items()}
    )
    return records(found)[0]


@pytest.mark.parametrize("steps", [1, 24])
def test_a_position_at_twenty_times_is_liquidated_within_a_day_in_four_cases(steps: int) -> None:
    # methods.json liqprob.barrier: 27.5 % first passage, 13.9 % at the end
    book = _book(20, table("underlying dailyVol", ["BTC", 0.8 * YEAR_TO_DAY]))
    found = _one(book, paths=40000, steps=steps, seed=7)
    error = found["standard_error"]
    assert found["probability"] == pytest.approx(0.2753202847977735, abs=3 * error)
    assert found["closed_form"] == pytest.approx(0.2753202847977735, abs=1e-9)
    assert found["terminal"] == pytest.approx(0.139, abs=3 * found["terminal_error"])
    assert error < 0.0025


@pytest.mark.parametrize("leverage", [10, 50])
def test_other_leverages_agree_with_the_closed_form(leverage: int) -> None:
    book = _book(leverage, table("underlying annualVol", ["BTC", 0.8]))
    found = _one(book, paths=40000)
    expected = _barrier(leverage, 0.005, 0.8, 1 / 365)
    assert found["closed_form"] == pytest.approx(expected, rel=1e-9)
    assert found["probability"] == pytest.approx(expected, abs=3 * found["standard_error"])


def test_the_bridge_makes_the_number_of_steps_matter_little() -> None:
    book = _two_coins()
    coarse, fine = _one(book, paths=40000, steps=6), _one(book, paths=40000, steps=96)
    error = math.hypot(coarse["standard_error"], fine["standard_error"])
    assert coarse["probability"] == pytest.approx(fine["probability"], abs=3 * error + 0.002)


def _two_coins() -> crossmargin.Book:
    positions = table(H, ["BTC", 1, 60000, 60000, 0.01], ["ETH", -15, 3000, 3000, 0.02])
    market = [
        ["underlying", "dailyVol", "corr BTC", "corr ETH"],
        ["BTC", 0.04, 1, 0.7],
        ["ETH", 0.05, 0.7, 1],
    ]
    cash = table("currency cash", ["USD", 4500])
    return crossmargin.book(positions, "custom", collateral=cash, market=market)


def test_two_coins_agree_with_a_fine_simulation_in_numpy() -> None:
    found = _one(_two_coins(), paths=40000, steps=24, seed=3)
    assert "every step" in found["method"]
    generator = np.random.default_rng(20261128)
    paths, steps = 20000, 2000
    covariance = np.array([[0.04**2, 0.7 * 0.04 * 0.05], [0.7 * 0.04 * 0.05, 0.05**2]])
    root = np.linalg.cholesky(covariance / steps)
    log = np.zeros((paths, 2))
    hit = np.zeros(paths, dtype=bool)
    for _ in range(steps):
        log += generator.standard_normal((paths, 2)) @ root.T - 0.5 * np.diag(covariance) / steps
        btc, eth = 60000 * np.exp(log[:, 0]), 3000 * np.exp(log[:, 1])
        equity = 4500 + (btc - 60000) - 15 * (eth - 3000)
        hit |= equity < 0.01 * btc + 0.02 * 15 * eth
    last = equity < 0.01 * btc + 0.02 * 15 * eth
    expected, at_end = hit.mean(), last.mean()
    error = math.hypot(found["standard_error"], math.sqrt(expected * (1 - expected) / paths))
    # the shift of a barrier that is watched at 2000 instants: 0.5826 sigma sqrt(dt), about 0.006
    assert found["probability"] == pytest.approx(expected, abs=3 * error + 0.008)
    assert found["probability"] > expected - error
    end_error = math.hypot(found["terminal_error"], math.sqrt(at_end * (1 - at_end) / paths))
    assert found["terminal"] == pytest.approx(at_end, abs=3 * end_error)


def test_a_short_straddle_is_liquidated_on_both_sides() -> None:
    positions = [
        ["symbol", "contracts", "markIv", "forward", "settle"],
        ["BTC-27MAR26-60000-C", -1, 0.6, 60000, "USDC"],
        ["BTC-27MAR26-60000-P", -1, 0.6, 60000, "USDC"],
    ]
    market = table("underlying indexPrice dailyVol", ["BTC", 60000, 0.04])
    book = crossmargin.book(
        positions,
        "derive-sm",
        collateral=table("currency cash", ["USDC", 24000]),
        market=[*market, ["USDC", 1, ""]],
        as_of="2026-01-13T12:00:00Z",
    )
    found = _one(book, paths=20000, seed=1)
    assert "trigger prices by search" in found["method"]
    # second method: the sides from CM_LIQPRICE, paths watched at 4000 instants by numpy
    row = records(crossmargin.liquidation_price(book))[0]
    low, high = (
        math.log(row[side] / row["mark"]) if row[side] else None for side in ("down", "up")
    )
    generator = np.random.default_rng(5)
    paths, steps = 20000, 4000
    log, hit = np.zeros(paths), np.zeros(paths, dtype=bool)
    for _ in range(steps):
        log += generator.standard_normal(paths) * 0.04 / math.sqrt(steps) - 0.5 * 0.04**2 / steps
        hit |= (log <= low) if low is not None else False
        hit |= (log >= high) if high is not None else False
    expected = hit.mean()
    assert expected > 0.02
    error = math.hypot(found["standard_error"], math.sqrt(expected * (1 - expected) / paths))
    assert found["probability"] == pytest.approx(expected, abs=3 * error + 0.004)


def test_the_same_seed_gives_the_same_bits_and_another_one_others() -> None:
    book = _two_coins()
    first, again, other = (_one(book, seed=seed, paths=2000) for seed in (5, 5, 6))
    assert first == again
    assert first["probability"] != other["probability"]


def test_an_account_that_is_liquidatable_today_is_so_with_certainty() -> None:
    book = _book(300, table("underlying dailyVol", ["BTC", 0.04]))
    assert _one(book)["probability"] == 1.0


def test_what_cannot_be_simulated_is_refused_in_a_sentence() -> None:
    book = _book(20, table("underlying dailyVol", ["BTC", 0.04]))
    with pytest.raises(
        CrossmarginError, match="liquidation_days must be finite and above zero, was -1"
    ):
        crossmargin.liquidation_probability(book, horizon_days=-1.0)
    with pytest.raises(CrossmarginError, match="belongs to an account, not to a coin"):
        crossmargin.liquidation_probability(book, scope="BTC")
    bare = _book(20, table("underlying beta", ["BTC", 1]))
    with pytest.raises(CrossmarginError, match="volatility of BTC is missing: give dailyVol"):
        crossmargin.liquidation_probability(bare)
    market = table("underlying dailyVol", ["BTC", 0.04], ["ETH", 0.05])
    rows = table(H, ["BTC", 1, 60000, 60000, 0.01], ["ETH", -15, 3000, 3000, 0.02])
    with pytest.raises(CrossmarginError, match="correlation of BTC and ETH is missing"):
        crossmargin.liquidation_probability(_book(20, market, rows))


def test_a_tail_is_asked_for_fewer_paths_unless_more_are_wanted() -> None:
    dates = pd.date_range("2025-01-01", periods=540, freq="D").strftime("%Y-%m-%d")
    moves = np.random.default_rng(8).standard_normal((540, 2)) * [0.03, 0.04]
    prices = np.array([60000.0, 3000.0]) * np.exp(np.cumsum(moves, axis=0) - moves.sum(axis=0))
    history = crossmargin.history(
        [["date", "BTC", "ETH"], *([day, *row] for day, row in zip(dates, prices, strict=True))]
    )
    positions = table(
        "symbol contracts entryPrice markPrice", ["BTC", 1, 60000, 60000], ["ETH", -10, 3000, 3000]
    )
    cash = table("currency cash", ["USD", 8000])
    book = crossmargin.book(positions, "es", collateral=cash, options={"history": history})
    found, more = _one(book), _one(book, paths=4000, steps=8)
    assert (found["paths"], found["steps"]) == (2000, 12)
    assert (more["paths"], more["steps"]) == (4000, 8)
    assert 0 < found["probability"] < 1
    error = math.hypot(found["standard_error"], more["standard_error"])
    assert found["probability"] == pytest.approx(more["probability"], abs=3 * error + 0.002)
    plain = crossmargin.book(
        positions,
        "custom-scan",
        collateral=cash,
        market=[
            ["underlying", "dailyVol", "corr ETH"],
            ["BTC", 0.03, 0.1],
            ["ETH", 0.04, 1.0],
        ],
    )
    assert {row["paths"] for row in records(crossmargin.liquidation_probability(plain))} == {10000}
