"""Revaluation of option books against mpmath values and a plain rewriting of the rules."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from crossmargin import _core, errors
from crossmargin.revaluation import Account, Accounts, Scenarios, Strikes

if TYPE_CHECKING:
    import numpy.typing as npt

GOLDEN = Path(__file__).parents[1] / "golden" / "pricing" / "black76_mpmath.json"


def black(forward: float, strike: float, total_volatility: float, *, call: bool) -> float:
    sign = 1.0 if call else -1.0
    d1 = math.log(forward / strike) / total_volatility + total_volatility / 2
    d2 = d1 - total_volatility

    def below(d: float) -> float:
        return math.erfc(-d / math.sqrt(2)) / 2

    return sign * (forward * below(sign * d1) - strike * below(sign * d2))


def test_values_agree_with_sixty_digits() -> None:
    cases = np.array(json.loads(GOLDEN.read_text())["cases"])
    forward, strike, total_volatility, calls, puts = cases.T
    # a scenario that takes the volatility to nothing leaves the intrinsic value exactly
    scenarios = Scenarios([0.0], [-1.0])
    strikes = Strikes(strike, forward, 1.0, total_volatility)
    for number in range(0, len(cases), 20):
        distance = forward[number] - strike[number]
        for is_call, values in ((True, calls), (False, puts)):
            account = Account(strikes, [number], [is_call], [1.0])
            intrinsic = max(distance if is_call else -distance, 0.0)
            value = intrinsic - account.scenario_pnl(scenarios)[0]
            scale = max(forward[number], strike[number])
            assert abs(value - values[number]) <= 1e-15 * scale


def test_an_account_nets_its_positions_and_gains_nothing_where_nothing_moves() -> None:
    strikes = Strikes([90.0, 110.0], 100.0, [0.25, 0.5], [0.6, 0.5], tenor_weight=[1.0, 0.7])
    scenarios = Scenarios([0.0, -0.2, 0.3], [0.0, 0.4, -0.5])
    account = Account(strikes, [0, 1, 0, 1], [True, False, True, True], [2.0, -1.0, 1.0, 0.5])
    holdings = [(0, True, 3.0), (1, False, -1.0), (1, True, 0.5)]
    weights, years, volatility = (1.0, 0.7), (0.25, 0.5), (0.6, 0.5)

    def value(price_move: float, volatility_move: float) -> float:
        total = 0.0
        for index, call, quantity in holdings:
            moved = volatility[index] * (1 + weights[index] * volatility_move)
            strike = (90.0, 110.0)[index]
            spread = moved * math.sqrt(years[index])
            total += quantity * black(100.0 * (1 + price_move), strike, spread, call=call)
        return total

    profits = account.scenario_pnl(scenarios)
    expected = [value(p, v) - value(0, 0) for p, v in ((0, 0), (-0.2, 0.4), (0.3, -0.5))]
    assert profits[0] == 0.0
    np.testing.assert_allclose(profits, expected, atol=1e-12)


def random_book(seed: int) -> tuple[Strikes, Accounts, Scenarios]:
    draw = np.random.default_rng(seed)
    count, accounts = 60, 3_000
    expiry = np.arange(count) % 5
    strikes = Strikes(
        draw.uniform(60, 150, count),
        100.0,
        0.1 * (1 + expiry),
        draw.uniform(0.3, 0.9, count),
        expiry=expiry,
        underlying=np.arange(count) // 20,
    )
    sizes = draw.integers(0, 30, accounts)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    instrument = draw.integers(0, 2 * count, offsets[-1])
    scenarios = Scenarios(draw.uniform(-0.3, 0.3, 33), draw.uniform(-0.4, 0.6, 33))
    return strikes, Accounts(strikes, offsets, instrument, draw.normal(size=offsets[-1])), scenarios


def test_the_number_of_threads_changes_no_bit() -> None:
    _, accounts, scenarios = random_book(7)
    factors = np.linspace(0.9, 1.0, 5), np.linspace(1.0, 1.1, 5)
    for discounts in ((None, None), factors):
        one = accounts.worst_loss(scenarios, *discounts, threads=1)
        for threads in (2, 8, None):
            other = accounts.worst_loss(scenarios, *discounts, threads=threads)
            assert other.tobytes() == one.tobytes()
        assert len(one) == len(accounts)


def test_underlyings_are_moved_one_by_one_and_floored() -> None:
    columns = ([100.0, 100.0], 100.0, 0.25, 0.6)
    scenarios = Scenarios([-0.1, 0.1], [0.0, 0.0])
    book = ([0, 2], [0, 1], [1.0, -1.0])  # long one call, short the other
    together = Accounts(Strikes(*columns), *book).worst_loss(scenarios)[0]
    apart = Accounts(Strikes(*columns, underlying=[0, 1]), *book).worst_loss(scenarios)[0]
    assert together == 0.0
    total = 0.3
    before = black(100, 100, total, call=True)
    down = before - black(90, 100, total, call=True)
    up = black(110, 100, total, call=True) - before
    assert apart == pytest.approx(down + up, abs=1e-12)


def test_discounts_follow_the_sign_of_each_expiry() -> None:
    strikes = Strikes([100.0, 100.0], 100.0, [0.25, 1.0], 0.6, expiry=[0, 1])
    accounts = Accounts(strikes, [0, 2], [0, 1], [1.0, -1.0])
    scenario = Scenarios([0.0], [0.0])
    near, far = black(100, 100, 0.3, call=True), black(100, 100, 0.6, call=True)
    found = accounts.worst_loss(scenario, [0.9, 0.8], [1.2, 1.1])[0]
    assert found == pytest.approx((near - far) - (0.9 * near - 1.1 * far), abs=1e-12)
    with pytest.raises(errors.MissingError, match="short_discount is missing"):
        accounts.worst_loss(scenario, [0.9, 0.8])
    with pytest.raises(errors.ShapeError, match="long_discount has 1 rows, expected 2"):
        accounts.worst_loss(scenario, [0.9], [1.2, 1.1])


def test_bad_columns_are_refused_with_name_value_rule_and_index() -> None:
    with pytest.raises(
        errors.OutOfRangeError, match=r"volatility must be zero or above, was -0.1 \(index 1\)"
    ):
        Strikes([90.0, 100.0], 100.0, 0.5, [0.6, -0.1])
    with pytest.raises(errors.ShapeError, match="years has 3 rows, expected 2"):
        Strikes([90.0, 100.0], 100.0, [0.5] * 3, 0.6)
    with pytest.raises(TypeError, match="expiry must hold integers, held float64"):
        Strikes([90.0], 100.0, 0.5, 0.6, expiry=[0.5])
    strikes = Strikes([90.0, 100.0], 100.0, 0.5, 0.6)
    with pytest.raises(errors.NoAnswerError, match=r"from 0 to below 2, was 2 \(index 0\)"):
        Account(strikes, [2], [True], [1.0])
    with pytest.raises(errors.OutOfRangeError, match="threads must be 1 or above"):
        Accounts(strikes, [0, 1], [0], [1.0]).worst_loss(Scenarios([0.1], [0.0]), threads=0)


def test_the_instruction_set_can_be_chosen_and_a_wrong_word_is_refused() -> None:
    def run(word: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CROSSMARGIN_SIMD": word}
        code = "from crossmargin import _core; print(_core.simd_level())"
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert _core.simd_level() in _core.simd_levels()
    for word in _core.simd_levels():
        assert run(word).stdout.strip() == word
    refusal = run("sse9")
    assert refusal.returncode != 0
    assert "unknown instruction set 'sse9'; known: portable, avx2, neon, avx512" in refusal.stderr


def _priced_accounts(accounts: int) -> tuple[Accounts, dict[str, npt.NDArray[np.float64]]]:
    """Make accounts of 12 options on two expiries, and the columns of what they hold."""
    random = np.random.default_rng(5)
    strike = np.round(100 * np.exp(np.linspace(-0.6, 0.5, 25)), 2).repeat(2)
    years = np.tile([0.03, 0.4], 25)
    forward, volatility = 100 * (1 + 0.05 * years), 0.5 + 0.3 * random.random(50)
    instrument = random.integers(0, 100, 12 * accounts)
    quantity = random.normal(0, 3, 12 * accounts)
    held = Accounts(
        Strikes(strike, forward, years, volatility),
        np.arange(0, 12 * accounts + 1, 12),
        instrument,
        quantity,
    )
    rows = instrument % 50
    columns = {
        "strike": strike[rows],
        "forward": forward[rows],
        "total": (volatility * np.sqrt(years))[rows],
        "call": instrument < 50,
        "quantity": quantity,
    }
    return held, {name: column.reshape(accounts, 12) for name, column in columns.items()}


def test_liquidation_prices_are_those_of_a_scan_and_halving() -> None:
    accounts = 150
    held, columns = _priced_accounts(accounts)

    def worth(account: int, price: float) -> float:
        one = {name: column[account] for name, column in columns.items()}
        values = (
            quantity * black(forward * price / 100, strike, total, call=call)
            for strike, forward, total, call, quantity in zip(*one.values(), strict=True)
        )
        return math.fsum(values)

    random = np.random.default_rng(6)
    today = np.array([worth(account, 100.0) for account in range(accounts)])
    need = today - random.uniform(-15.0, 80.0, accounts)
    found = held.liquidation_prices(need, lowest=40.0, price=100.0, points=90, threads=2)
    assert np.array_equal(
        found, held.liquidation_prices(need, lowest=40.0, price=100.0, points=90), equal_nan=True
    )
    grid = 100 * np.exp(np.linspace(0, math.log(0.4), 90))
    kinds = {"none": 0, "at once": 0, "below": 0}
    for account, price in enumerate(found):
        points = [worth(account, point) < need[account] for point in grid]
        if not any(points):
            kinds["none"] += 1
            assert math.isnan(price)
            continue
        first = points.index(True)
        if first == 0:
            kinds["at once"] += 1
            assert price == 100.0
            continue
        kinds["below"] += 1
        high, low = grid[first - 1], grid[first]
        for _ in range(50):
            middle = (high + low) / 2
            if worth(account, middle) < need[account]:
                low = middle
            else:
                high = middle
        assert price == pytest.approx(low, rel=1e-9)
    assert min(kinds.values()) >= 5, kinds


def test_a_search_that_makes_no_sense_is_refused() -> None:
    held, _ = _priced_accounts(3)
    need = [0.0, 0.0, 0.0]
    with pytest.raises(errors.MissingError, match="the forwards of the strikes differ"):
        held.liquidation_prices(need, lowest=40.0)
    with pytest.raises(errors.OutOfRangeError, match="lowest must be below today's price, was 120"):
        held.liquidation_prices(need, lowest=120.0, price=100.0)
    with pytest.raises(errors.OutOfRangeError, match=r"need must be a finite number.*index 1"):
        held.liquidation_prices([0.0, math.nan, 0.0], lowest=40.0, price=100.0)
    with pytest.raises(errors.ShapeError, match="need has 2 rows, expected 3"):
        held.liquidation_prices(need[:2], lowest=40.0, price=100.0)
    two = Strikes([90.0, 90.0], 100.0, 0.1, 0.5, underlying=[0, 1])
    apart = Accounts(two, [0, 2], [0, 1], [1.0, 1.0])
    with pytest.raises(errors.NoAnswerError, match="underlyings 0 and 1"):
        apart.liquidation_prices([0.0], lowest=40.0)
