"""The tail of option books on several underlyings, against NumPy and by its own rules."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from crossmargin import _core
from crossmargin.errors import (
    NoAnswerError,
    OutOfRangeError,
    ShapeError,
    UnknownWordError,
)
from crossmargin.revaluation import JointBook, Strikes

FORWARDS = np.array([60_000.0, 3_000.0, 150.0])
_complement = np.vectorize(math.erfc, otypes=[float])


def _book(seed: int, positions: int = 60) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    count, scenarios = 40, 3_000
    underlying = draw.integers(0, 3, count)
    years = draw.choice([1.0, 7.0, 30.0, 180.0], count) / 365.0
    volatility = draw.uniform(0.4, 1.4, count)
    strike = FORWARDS[underlying] * np.exp(draw.uniform(-2, 2, count) * volatility * np.sqrt(years))
    weight = np.minimum(1.0, 30.0 / 365.0 / years) ** 0.3
    scale = np.sqrt(2.0 / draw.chisquare(4, scenarios))
    return {
        "columns": (strike, FORWARDS[underlying], years, volatility),
        "weight": weight,
        "underlying": underlying,
        "index": draw.integers(0, count, positions),
        "is_call": draw.random(positions) < 0.5,
        "quantity": draw.normal(0, 1, positions) * 1_000.0 / 3_000.0,
        "prices": 0.05 * scale * draw.standard_normal((3, scenarios)),
        "volatilities": 0.08 * scale * draw.standard_normal((3, scenarios)),
    }


def _joint(case: dict[str, Any]) -> JointBook:
    strike, forward, years, volatility = case["columns"]
    weight, underlying = case["weight"], case["underlying"]
    strikes = Strikes(strike, forward, years, volatility, weight, underlying=underlying)
    return JointBook(strikes, case["index"], case["is_call"], case["quantity"])


def _by_numpy(case: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return profit and loss, positions x scenarios: Black's formula with the C library's law."""
    index = case["index"]
    strike, forward, years, volatility = (column[index, None] for column in case["columns"])
    underlying, weight = case["underlying"][index], case["weight"][index, None]
    side = np.where(case["is_call"], 1.0, -1.0)[:, None]

    def ndtr(x: Any) -> Any:
        return 0.5 * np.asarray(_complement(-x / math.sqrt(2.0)))

    def value(moved: Any, total: Any) -> Any:
        d1 = np.log(moved / strike) / total + 0.5 * total
        return side * (moved * ndtr(side * d1) - strike * ndtr(side * (d1 - total)))

    total = volatility * np.sqrt(years)
    moved = forward * np.exp(case["prices"][underlying])
    after = value(moved, total * np.exp(weight * case["volatilities"][underlying]))
    found: np.ndarray[Any, np.dtype[np.float64]] = after - value(forward, total)
    found *= case["quantity"][:, None]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_profits_shortfall_and_components_are_those_of_numpy(seed: int) -> None:
    case = _book(seed)
    book, matrix = _joint(case), _by_numpy(case)
    total = matrix.sum(axis=0)
    size = np.abs(matrix).max()
    found = book.profits(case["prices"], case["volatilities"])
    assert np.abs(found - total).max() <= 1e-10 * size
    tail = book.tail(case["prices"], case["volatilities"], 0.99)
    worst = np.sort(np.argsort(total)[:30])
    assert list(tail.scenarios) == list(worst)
    assert tail.expected_shortfall == pytest.approx(-total[worst].mean(), abs=1e-10 * size)
    assert tail.value_at_risk == pytest.approx(-np.sort(total)[30], abs=1e-10 * size)
    assert np.abs(tail.components + matrix[:, worst].mean(axis=1)).max() <= 1e-10 * size
    assert tail.components.sum() == pytest.approx(tail.expected_shortfall, rel=1e-12)


def test_probabilities_weigh_as_repeated_scenarios_do() -> None:
    case = _book(11)
    book = _joint(case)
    twice = np.repeat([1, 2], 1_500)
    weighed = book.tail(case["prices"], case["volatilities"], 0.98, probabilities=twice)
    repeated = np.repeat(np.arange(3_000), twice)
    listed = book.tail(case["prices"][:, repeated], case["volatilities"][:, repeated], 0.98)
    assert weighed.value_at_risk == listed.value_at_risk
    assert weighed.expected_shortfall == pytest.approx(listed.expected_shortfall, rel=1e-12)


def test_where_nothing_moves_nothing_is_gained() -> None:
    case = _book(4)
    still = np.zeros((3, 20))
    assert np.abs(_joint(case).profits(still, still)).max() <= 1e-9


def test_arguments_are_refused_by_name() -> None:
    case = _book(1)
    book, moves = _joint(case), np.zeros((3, 200))
    with pytest.raises(ShapeError, match=r"price_moves has 2 rows, expected 3"):
        book.tail(moves[:2], moves)
    with pytest.raises(ShapeError, match="moves of factor 3 has 100 rows, expected 200"):
        book.tail(moves, moves[:, :100])
    with pytest.raises(NoAnswerError, match=r"50 scenarios are too few for a confidence of 0[.]99"):
        book.tail(moves[:, :50], moves[:, :50])
    with pytest.raises(OutOfRangeError, match="confidence"):
        book.tail(moves, moves, 1.5)
    with pytest.raises(OutOfRangeError, match="threads must be 1 or above, was 0"):
        book.tail(moves, moves, threads=0)
    with pytest.raises(
        UnknownWordError, match=r"unknown method 'quick'; known: full, screened, delta_gamma"
    ):
        book.tail(moves, moves, method="quick")  # type: ignore[arg-type]
    broken = moves.copy()
    broken[1, 7] = np.inf
    with pytest.raises(OutOfRangeError, match=r"was inf \(factor 4, scenario 7\)"):
        book.tail(moves, broken)
    strikes = Strikes([100.0], 100.0, 0.1, 0.5)
    with pytest.raises(NoAnswerError, match="index must be an integer from 0 to below 1, was 1"):
        JointBook(strikes, [1], [True], [1.0])


def test_progress_is_told_and_what_it_raises_is_raised() -> None:
    case = _book(2, 2_000)
    book = _joint(case)
    moves = np.tile(case["prices"], 200), np.tile(case["volatilities"], 200)
    seen: list[tuple[int, int]] = []
    book.profits(*moves, threads=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0
    assert seen == sorted(seen)

    def refuse(done: int, total: int) -> None:
        raise RuntimeError(f"seen {done} of {total}")

    with pytest.raises(RuntimeError, match="seen"):
        book.profits(*moves, threads=1, progress=refuse)


LONG = """
import sys, time
import numpy as np
from crossmargin.revaluation import JointBook, Strikes
draw = np.random.default_rng(1)
strikes = Strikes(draw.uniform(50, 200, 20_000), 100.0, 0.1, 0.6)
book = JointBook(strikes, np.arange(20_000), np.ones(20_000, bool), draw.normal(size=20_000))
moves = 0.1 * draw.standard_normal((1, 400_000))
def progress(done, total):
    print("at", done, total, flush=True)
try:
    book.tail(moves, moves, progress=progress)
except KeyboardInterrupt:
    print("stopped", time.monotonic(), flush=True)
    raise
"""


def test_ctrl_c_stops_a_long_calculation_within_a_second() -> None:
    # 8e9 values of an option: some twenty seconds of two processors
    with subprocess.Popen([sys.executable, "-c", LONG], stdout=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        for _ in range(3):
            word, done, total = ran.stdout.readline().split()
            assert (word, int(done) < int(total)) == ("at", True)
        sent = time.monotonic()
        ran.send_signal(signal.SIGINT)
        last = [line.split() for line in ran.stdout][-1]
        assert ran.wait() == -signal.SIGINT
    assert last[0] == "stopped"
    assert float(last[1]) - sent < 1.0


SCRIPT = """
import json, sys
import numpy as np
from crossmargin.revaluation import JointBook, Strikes
draw = np.random.default_rng(7)
count = 150
underlying = draw.integers(0, 4, count)
forward = np.array([60_000.0, 3_000.0, 150.0, 2.5])[underlying]
years = draw.choice([2.0, 20.0, 200.0], count) / 365.0
strike = forward * np.exp(draw.uniform(-1, 1, count) * np.sqrt(years))
strikes = Strikes(strike, forward, years, draw.uniform(0.4, 1.2, count), underlying=underlying)
book = JointBook(strikes, np.arange(count), draw.random(count) < 0.5, draw.normal(size=count))
prices = 0.04 * draw.standard_t(4, (4, 20_000))
volatilities = 0.06 * draw.standard_normal((4, 20_000))
found = []
for method in ("full", "screened"):
    for threads in (1, 2, 8):
        tail = book.tail(prices, volatilities, method=method, threads=threads)
        assert tail.method == method, tail
        found.append([tail.expected_shortfall, tail.value_at_risk, *tail.components.tolist()])
print(json.dumps(found))
"""


def test_threads_and_instruction_sets_change_no_bit() -> None:
    answers = {}
    for level in _core.simd_levels():
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"CROSSMARGIN_SIMD": level},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert all(answer == found[0] for answer in found), level
        answers[level] = found[0]
    portable, *fused = answers.values()
    assert all(answer == fused[0] for answer in fused)
    assert np.allclose(portable, fused[-1] if fused else portable, rtol=1e-9)
