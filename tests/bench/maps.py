"""Liquidation maps and a what-if of 1,000 options beside NumPy and scipy doing the same sums.

`python -m tests.bench.maps` checks the answers, times all in one interleaved run and prints JSON
lines; `--small` only checks, on few options and few states.

Half of the options are on one coin and half on another, in one account under a scan of 33
scenarios per coin: no charges, so that the peers have the same sums to do. They are given clean
columns, use that a coin's worst case depends on that coin alone, value calls with one pair of
normal probabilities and puts by parity, state by state in the second-level cache, in one thread and
in two. Ours is what a user calls: the book by its object, the answer as a table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

import crossmargin
from tests.bench.rounds import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

COINS = {"BTC": 90_000.0, "ETH": 3_000.0}
DAYS = {"16JAN26": 6, "30JAN26": 20, "27FEB26": 48, "27MAR26": 76, "26JUN26": 167, "25SEP26": 258}
AS_OF = "2026-01-10T08:00:00Z"
CASH = 4e7
UP, DOWN, POWER = 0.5, 0.25, 0.3
PRICE_MOVES = np.round(np.linspace(-0.15, 0.15, 11), 6)
MOVES = np.round(np.linspace(-0.5, 0.5, 41), 6)
ROUNDS = 9
WITHIN = 1e-9

RULEBOOK = {
    "id": "bench-scan",
    "version": "1",
    "venue": "any",
    "mode": "portfolio margin by 33 scenarios, illustrative",
    "report_currency": "USD",
    "settle": "USD",
    "balance_total": "equity",
    "source": "illustrative: a benchmark",
    "retrieved": "2026-11-29",
    "effective": "2026-11-29",
    "status": "estimated",
    "venue_ratio": "maintenance_over_equity",
    "pool": {"kind": "account"},
    "pricing": {"discounting": "nothing"},
    "measure": {
        "kind": "scenarios",
        "numeraire": "report",
        "unit": "underlying",
        "collateral_in_scan": False,
        "orders": "variants",
    },
    "profiles": [
        {
            "underlyings": ["*"],
            "volatility": {
                "up": UP,
                "down": DOWN,
                "reference_days": 30.0,
                "short_power": POWER,
                "long_power": POWER,
                "boundary_days": 30.0,
                "floor_days": 1.0,
            },
            "scenarios": [
                {
                    "set": "grid",
                    "price_moves": PRICE_MOVES.tolist(),
                    "volatility": ["up", "same", "down"],
                }
            ],
        }
    ],
}


@dataclass(frozen=True)
class Options:
    """Columns of the options on one coin."""

    symbols: list[str]
    forward: Floats
    strike: Floats
    volatility: Floats
    years: Floats
    is_put: npt.NDArray[np.bool_]
    quantity: Floats

    def values(self, ratio: float, volatility_ratio: float) -> tuple[Floats, Floats]:
        """Return values at a state, shape (N,), and in every scenario of it, shape (N, 33)."""
        root = np.sqrt(self.years)
        scale = (30.0 / np.maximum(self.years * 365.0, 1.0)) ** POWER
        own = self.volatility * volatility_ratio
        up, down = own * (1 + UP * scale), own * np.maximum(1 - DOWN * scale, 0)
        total = np.stack([up * root, own * root, down * root], axis=1)
        moved = self.forward[:, None] * (ratio * (1 + PRICE_MOVES))
        log = np.log(self.forward / self.strike)[:, None] + np.log(ratio * (1 + PRICE_MOVES))
        values = self._black(moved[:, :, None], log[:, :, None], total[:, None, :])
        now = self._black(
            (self.forward * ratio)[:, None],
            np.log(self.forward * ratio / self.strike)[:, None],
            (own * root)[:, None],
        )
        return now[:, 0], values.reshape(len(self.strike), -1)

    def _black(self, forward: Floats, log: Floats, total: Floats) -> Floats:
        shape = (len(self.strike),) + (1,) * (log.ndim - 1)
        strike = self.strike.reshape(shape)
        d1 = log / total + 0.5 * total
        call = forward * ndtr(d1) - strike * ndtr(d1 - total)
        put = call - (forward - strike)
        return np.asarray(np.where(self.is_put.reshape(shape), put, call))

    def state(self, ratio: float, volatility_ratio: float) -> tuple[float, float]:
        """Return the value of all and the loss in their worst scenario."""
        now, values = self.values(ratio, volatility_ratio)
        worth, results = float(self.quantity @ now), self.quantity @ values
        return worth, max(float(worth - results.min()), 0.0)


def _options(count: int) -> dict[str, Options]:
    random = np.random.default_rng(5)
    found = {}
    for coin, spot in COINS.items():
        symbols: dict[str, tuple[float, str, bool]] = {}
        while len(symbols) < count // 2:
            date, put = random.choice(list(DAYS)), bool(random.random() < 0.5)
            tick = spot / 900
            price = tick * round(spot * np.exp(random.normal(0, 0.3)) / tick)
            name = f"{coin}-{date}-{price:g}-{'P' if put else 'C'}"
            symbols[name] = (float(f"{price:g}"), date, put)
        strike, dates, is_put = (np.array(column) for column in zip(*symbols.values(), strict=True))
        days = np.array([DAYS[date] for date in dates], dtype=float)
        found[coin] = Options(
            list(symbols),
            spot * (1 + 0.05 * days / 365),
            strike,
            0.5 + 0.2 * np.abs(np.log(strike / spot)),
            days / 365,
            is_put,
            np.round(random.normal(0, 10, len(strike)), 1) * 90_000.0 / spot,
        )
    return found


def _book(options: dict[str, Options]) -> Any:
    columns = ("symbol", "settle", "contracts", "markIv", "forward")
    rows: dict[str, list[Any]] = {name: [] for name in columns}
    for own in options.values():
        rows["symbol"] += own.symbols
        rows["settle"] += ["USD"] * len(own.symbols)
        rows["contracts"] += own.quantity.tolist()
        rows["markIv"] += own.volatility.tolist()
        rows["forward"] += own.forward.tolist()
    return crossmargin.book(
        rows,
        RULEBOOK,
        collateral={"currency": ["USD"], "cash": [CASH]},
        market={"underlying": list(COINS), "indexPrice": list(COINS.values())},
        as_of=AS_OF,
    )


def _states(
    own: Options, states: Iterable[tuple[float, float]], pool: ThreadPoolExecutor | None
) -> Floats:
    work = list(states)
    found = pool.map(lambda at: own.state(*at), work) if pool else (own.state(*at) for at in work)
    return np.array(list(found))


def _map_of_prices(
    options: dict[str, Options], moves: Floats, pool: ThreadPoolExecutor | None
) -> Floats:
    """Return the excess, the first coin across and the other down."""
    btc, eth = (_states(own, ((1 + move, 1.0) for move in moves), pool) for own in options.values())
    excess = btc[:, 0] - btc[:, 1] + (eth[:, 0] - eth[:, 1])[:, None]
    return np.asarray(CASH + excess)


def _map_of_volatility(
    options: dict[str, Options], moves: Floats, pool: ThreadPoolExecutor | None
) -> Floats:
    """Return the excess, volatilities down and the first coin across."""
    btc, eth = options.values()
    both = [(1 + price, 1 + volatility) for volatility in moves for price in moves]
    first = _states(btc, both, pool).reshape(len(moves), len(moves), 2)
    other = _states(eth, ((1.0, 1 + volatility) for volatility in moves), pool)
    excess = first[:, :, 0] - first[:, :, 1] + (other[:, 0] - other[:, 1])[:, None]
    return np.asarray(CASH + excess)


def _ours(book: Any, axis: str, moves: Floats) -> Any:
    given = moves.tolist()
    return crossmargin.liquidation_map(
        book, "BTC", axis, measure="excess", x_moves=given, y_moves=given
    )


def _numbers(table: Any) -> Floats:
    return np.array([row[1:] for row in table.rows], dtype=float)


class _WhatIf:
    """One trade, from values in all scenarios that were worked out before."""

    def __init__(self, options: dict[str, Options]) -> None:
        self.own = options["BTC"]
        now, values = self.own.values(1.0, 1.0)
        self.results = values - now[:, None]
        self.sums = self.own.quantity @ self.results
        self.other = options["ETH"].state(1.0, 1.0)[1]
        self.symbol, self.quantity = self.own.symbols[7], 40.0

    def numpy(self) -> float:
        """Return the maintenance margin after the trade."""
        moved = self.sums + self.quantity * self.results[7]
        return max(-float(moved.min()), 0.0) + self.other


def _error(found: Floats, expected: Floats) -> float:
    error = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    assert error < WITHIN, f"differs from NumPy by {error:.1e}"
    return error


def run(count: int, moves: Floats, *, timed: bool, threads: int) -> list[dict[str, Any]]:
    """Compare, time if asked to, and return rows."""
    options = _options(count)
    book = _book(options)
    nodes = f"{len(moves)} x {len(moves)}"
    pool = ThreadPoolExecutor(threads)
    maps = {
        "ETH": (f"Map {nodes} of {count} options, BTC x ETH", _map_of_prices),
        "VOL": (f"Map {nodes} of {count} options, BTC x VOL", _map_of_volatility),
    }
    rows = []

    def add(job: str, error: float, work: dict[str, Callable[[], object]]) -> None:
        samples = interleaved(work, ROUNDS) if timed else {name: [0.0] for name in work}
        for name, values in samples.items():
            rows.append(
                {
                    "job": job,
                    "name": name,
                    "kind": "product" if name == "PRODUCT" else "peer",
                    "min": min(values),
                    "median": statistics.median(values),
                    "err": error,
                    "n": len(values),
                    "threads": threads,
                }
            )

    for axis, (job, peer) in maps.items():
        error = _error(_numbers(_ours(book, axis, moves)), peer(options, moves, None))
        work: dict[str, Callable[[], object]] = {
            "PRODUCT": partial(_ours, book, axis, moves),
            "numpy+scipy": partial(peer, options, moves, None),
            f"numpy+scipy, {threads} threads": partial(peer, options, moves, pool),
        }
        add(job, error, work)
    trade = _WhatIf(options)
    trades = [[trade.symbol, trade.quantity]]

    def ours() -> float:
        found = crossmargin.what_if(book, trades, measure="MM")
        assert isinstance(found, float)
        return found

    error = _error(np.array([ours()]), np.array([trade.numpy()]))
    add(
        f"What-if of one trade, {count} options held",
        error,
        {
            "PRODUCT": ours,
            "PRODUCT, whole table": lambda: crossmargin.what_if(book, trades),
            "numpy, margin alone": trade.numpy,
        },
    )
    return rows


def main() -> None:
    """Run as the arguments ask and print JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only assert agreement")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="append the rows to this file too")
    asked = parser.parse_args()
    if asked.small:
        run(60, MOVES[::8], timed=False, threads=asked.threads)
        return
    rows = run(1_000, MOVES, timed=True, threads=asked.threads)
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    sys.stdout.write(text)
    if asked.json:
        with asked.json.open("a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
