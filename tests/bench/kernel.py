"""Rate of option values in one thread, beside the prototype's `k_otm`, in one interleaved run.

`python tests/bench/kernel.py --prototype FILE [--json FILE]` prints JSON lines. The prototype's
function only values arrays that stay in the cache; ours prices strikes in scenarios and adds up.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np

from crossmargin.revaluation import Account, Scenarios, Strikes
from tests.bench.rounds import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

JOB = "kernel, one thread"
FORWARD = 60_000.0
STRIKES, CASES, CACHED = 10_000, 300, 4_096
ROUNDS = 15
FULL_PRECISION, WIDEST_VECTORS = 15, 4  # of the prototype


def _address(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _prototype(
    library: Any, forward: Floats, strike: Floats, total: Floats
) -> Callable[[], Floats]:
    out = np.empty(len(strike))
    moneyness = np.log(forward / strike)

    def call() -> Floats:
        library.k_otm(
            ctypes.c_size_t(len(strike)),
            *(_address(column) for column in (forward, strike, moneyness, total, out)),
            ctypes.c_int(FULL_PRECISION),
            ctypes.c_int(WIDEST_VECTORS),
        )
        return out

    return call


def run(prototype: Path) -> list[dict[str, Any]]:
    """Compare, time and return rows."""
    random = np.random.default_rng(3)
    years = np.repeat(np.geomspace(1, 365, 10) / 365, STRIKES // 10)
    width = np.tile(np.linspace(-2.5, 2.5, STRIKES // 10), 10)
    strike = FORWARD * np.exp(width * 0.6 * np.sqrt(np.maximum(years, 7 / 365)))
    volatility = random.uniform(0.4, 0.8, STRIKES)
    price, move = (
        each.ravel()
        for each in np.meshgrid(np.linspace(-0.3, 0.3, 25), np.linspace(-0.35, 0.5, CASES // 25))
    )
    strikes = Strikes(strike, FORWARD, years, volatility)
    scenarios = Scenarios(price, move)
    rows = np.arange(STRIKES, dtype=np.int32)
    is_call, quantity = np.ones(STRIKES, bool), np.ones(STRIKES)
    account = Account(strikes, rows, is_call, quantity)

    # the same options out of the money, by the prototype, plus what calls in the money have more
    library = ctypes.CDLL(str(prototype.resolve()))
    expected = np.empty(CASES)
    root = np.sqrt(years)
    today = _prototype(library, np.full(STRIKES, FORWARD), strike, volatility * root)().sum()
    today += np.maximum(FORWARD - strike, 0).sum()
    for case in range(CASES):
        forward = np.full(STRIKES, FORWARD * (1 + price[case]))
        value = _prototype(library, forward, strike, volatility * (1 + move[case]) * root)().sum()
        expected[case] = value + np.maximum(forward - strike, 0).sum() - today
    found = account.scenario_pnl(scenarios)
    error = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    assert error < 1e-10, f"differs from the prototype by {error:.1e}"

    cached = random.integers(0, STRIKES, CACHED)
    cases = random.integers(0, CASES, CACHED)
    cached_prototype = _prototype(
        library,
        FORWARD * (1 + price[cases]),
        strike[cached],
        volatility[cached] * (1 + move[cases]) * root[cached],
    )
    work: dict[str, tuple[int, Callable[[], object]]] = {
        "PRODUCT Account.scenario_pnl": (
            STRIKES * CASES,
            lambda: account.scenario_pnl(scenarios),
        ),
        "RUST proto k_otm": (CACHED, cached_prototype),
    }
    samples = interleaved({name: call for name, (_, call) in work.items()}, ROUNDS)
    return [
        {
            "job": JOB,
            "name": name,
            "kind": "product" if name.startswith("PRODUCT") else "proto",
            "values_per_second": values / min(samples[name]),
            "median_values_per_second": values / statistics.median(samples[name]),
            "err": error,
            "n": len(samples[name]),
            "env": f"numpy {np.__version__}",
            "threads": 1,
        }
        for name, (values, _) in work.items()
    ]


def main() -> None:
    """Run and print JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prototype", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="append the rows to this file too")
    asked = parser.parse_args()
    text = "".join(f"{json.dumps(row)}\n" for row in run(asked.prototype))
    sys.stdout.write(text)
    if asked.json:
        with asked.json.open("a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
