"""J1c: a whole book on several underlyings, discounted by sign, beside the same in NumPy and scipy.

`python -m tests.bench.portfolio` checks the answers, times both in one interleaved run and prints
JSON lines; `--small` only checks, on a book small enough for a plain loop.

The work is one call: price the table of instruments and scenarios, add up every account, take its
worst scenario per underlying. What neither side repeats is made before: accounts as sorted rows.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crossmargin.revaluation import Account, Accounts, Scenarios, Strikes
from tests.bench.rounds import sample

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SPOTS = (90_000.0, 3_100.0, 140.0)
JOB = "J1c book on three underlyings"
ROUNDS = 15
FEWEST_ROUNDS = 5
WITHIN = 1e-10
CHUNK = 500  # accounts; what one chunk makes stays in the second-level cache


@dataclass(frozen=True)
class Book:
    """Columns of strikes (the first eight), accounts, scenarios and discounts."""

    strike: Floats
    forward: Floats
    years: Floats
    volatility: Floats
    tenor_weight: Floats
    expiry: Integers
    underlying: Integers
    offsets: Integers
    instrument: npt.NDArray[np.int32]
    quantity: Floats
    price_move: Floats
    volatility_move: Floats
    long_discount: Floats
    short_discount: Floats


def made_book(
    accounts: int, positions: int, *, expiries: int = 10, strikes: int = 100, seed: int = 5
) -> Book:
    """Make a book on three underlyings with 33 scenarios; expiries are numbered over all."""
    random = np.random.default_rng(seed)
    dates = len(SPOTS) * expiries
    count = dates * strikes
    expiry = np.repeat(np.arange(dates), strikes)
    underlying = expiry // expiries
    years = np.geomspace(1, 365, expiries)[expiry % expiries] / 365
    forward = np.array(SPOTS)[underlying] * np.exp(0.06 * years)
    width = np.tile(np.linspace(-2.5, 2.5, strikes), dates)
    strike = forward * np.exp(width * 0.6 * np.sqrt(np.maximum(years, 7 / 365)))
    moneyness = np.log(strike / forward)
    volatility = 0.55 + 0.05 * moneyness**2 / (0.05 + years) - 0.05 * moneyness
    popular = 1 / (1 + random.permutation(2 * count))  # near dates and strikes trade more
    instrument = random.choice(2 * count, accounts * positions, p=popular / popular.sum())
    size = 30_000 / forward[instrument % count]
    price_move, volatility_move = np.meshgrid(
        np.linspace(-0.3, 0.3, 11), [-0.35, 0.0, 0.5], indexing="ij"
    )
    return Book(
        strike=strike,
        forward=forward,
        years=years,
        volatility=volatility,
        tenor_weight=np.minimum(1, 30 / 365 / years) ** 0.3,
        expiry=expiry,
        underlying=underlying,
        offsets=np.arange(0, accounts * positions + 1, positions),
        instrument=instrument.astype(np.int32),
        quantity=np.round(random.normal(0, 3, accounts * positions), 1) * size,
        price_move=price_move.ravel(),
        volatility_move=volatility_move.ravel(),
        long_discount=random.uniform(0.9, 0.98, dates),
        short_discount=random.uniform(1.02, 1.1, dates),
    )


def _normal(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2))


def plain_values(book: Book) -> tuple[Floats, Floats]:
    """Return values of calls, then puts, shocked and today, one by one with `math.erfc`."""
    size, cases = len(book.strike), len(book.price_move)
    shocked, today = np.empty((2 * size, cases)), np.empty(2 * size)

    def both(row: int, forward: float, volatility: float) -> tuple[float, float]:
        deviation = volatility * math.sqrt(book.years[row])
        strike = float(book.strike[row])
        high = math.log(forward / strike) / deviation + deviation / 2
        low = high - deviation
        return (
            forward * _normal(high) - strike * _normal(low),
            strike * _normal(-low) - forward * _normal(-high),
        )

    for row in range(size):
        forward, volatility = float(book.forward[row]), float(book.volatility[row])
        today[row], today[size + row] = both(row, forward, volatility)
        for case in range(cases):
            shocked[row, case], shocked[size + row, case] = both(
                row,
                forward * (1 + book.price_move[case]),
                volatility * (1 + book.tenor_weight[row] * book.volatility_move[case]),
            )
    return shocked, today


def plain_losses(book: Book, *, discounted: bool = True) -> Floats:
    """Return the worst losses by a plain loop over accounts, underlyings and expiries."""
    shocked, today = plain_values(book)
    size = len(book.strike)
    losses = np.zeros(len(book.offsets) - 1)
    for account in range(len(losses)):
        held = slice(book.offsets[account], book.offsets[account + 1])
        instrument, quantity = book.instrument[held], book.quantity[held]
        expiry, underlying = book.expiry[instrument % size], book.underlying[instrument % size]
        for unit in np.unique(underlying):
            pnl = np.zeros(len(book.price_move))
            for date in np.unique(expiry[underlying == unit]):
                rows = expiry == date
                value = quantity[rows] @ shocked[instrument[rows]]
                if discounted:
                    value *= np.where(
                        value >= 0, book.long_discount[date], book.short_discount[date]
                    )
                pnl += value - quantity[rows] @ today[instrument[rows]]
            losses[account] += max(0.0, -pnl.min())
    return losses


class Sparse:
    """The same as well as NumPy and scipy can: sorted rows, chunks that fit the cache, threads."""

    def __init__(self, book: Book, *, threads: int = 1) -> None:
        sparse: Any = importlib.import_module("scipy.sparse")
        self._ndtr: Any = importlib.import_module("scipy.special").ndtr
        self._book, self._threads = book, threads
        size, accounts = len(book.strike), len(book.offsets) - 1
        row = book.instrument % size
        account = np.repeat(np.arange(accounts), np.diff(book.offsets))
        expiry, underlying = book.expiry[row], book.underlying[row]
        order = np.lexsort((expiry, underlying, account))
        group = account[order] * (book.expiry.max() + 1) + expiry[order]
        unit = account[order] * (book.underlying.max() + 1) + underlying[order]
        self._chunks = []
        edges = np.searchsorted(account[order], [*range(0, accounts, CHUNK), accounts])
        for begin, end in itertools.pairwise(edges):
            held = order[begin:end]
            groups = np.flatnonzero(np.diff(group[begin:end], prepend=-1))
            units = np.flatnonzero(np.diff(unit[begin:end][groups], prepend=-1))
            owners = account[held][groups][units]
            positions = sparse.csr_matrix(
                (book.quantity[held], book.instrument[held], [*groups, end - begin]),
                shape=(len(groups), 2 * size),
            )
            ones = sparse.csr_matrix(
                (np.ones(len(groups)), np.arange(len(groups)), [*units, len(groups)]),
                shape=(len(units), len(groups)),
            )
            firsts = np.flatnonzero(np.diff(owners, prepend=-1))
            self._chunks.append((positions, expiry[held][groups][:, None], ones, firsts))

    def _table(self) -> Floats:
        """Return the values of calls, then puts, in every scenario and, last, today."""
        book = self._book
        price = np.append(book.price_move, 0.0)
        move = np.append(book.volatility_move, 0.0)
        deviation = (book.volatility * np.sqrt(book.years))[:, None] * (
            1 + book.tenor_weight[:, None] * move
        )
        forward = book.forward[:, None] * (1 + price)
        strike = book.strike[:, None]
        high = (np.log(book.forward / book.strike)[:, None] + np.log1p(price)) / deviation
        high += deviation / 2
        table = np.empty((2, len(book.strike), len(price)))
        np.multiply(forward, self._ndtr(high), out=table[0])
        table[0] -= strike * self._ndtr(high - deviation)
        np.subtract(table[0], forward - strike, out=table[1])
        return table.reshape(-1, len(price))

    def __call__(self) -> Floats:
        table = self._table()
        long, short = self._book.long_discount, self._book.short_discount

        def losses(chunk: Any) -> Floats:
            positions, expiry, ones, firsts = chunk
            value = positions @ table
            shocked = value[:, :-1]
            shocked *= np.where(shocked >= 0, long[expiry], short[expiry])
            total = ones @ value
            worst = np.maximum(0, total[:, -1] - total[:, :-1].min(axis=1))
            return np.asarray(np.add.reduceat(worst, firsts), dtype=np.float64)

        if self._threads == 1:
            return np.concatenate([losses(chunk) for chunk in self._chunks])
        with ThreadPoolExecutor(self._threads) as pool:
            return np.concatenate(list(pool.map(losses, self._chunks)))


def _strikes(book: Book) -> Strikes:
    return Strikes(
        book.strike,
        book.forward,
        book.years,
        book.volatility,
        tenor_weight=book.tenor_weight,
        expiry=book.expiry,
        underlying=book.underlying,
    )


def ours(
    book: Book, *, threads: int | None = None, discounted: bool = True
) -> Callable[[], Floats]:
    """Return the call that is timed: the worst loss of every account."""
    accounts = Accounts(_strikes(book), book.offsets, book.instrument, book.quantity)
    scenarios = Scenarios(book.price_move, book.volatility_move)
    long, short = book.long_discount, book.short_discount
    if not discounted:
        return lambda: accounts.worst_loss(scenarios, threads=threads)
    return lambda: accounts.worst_loss(
        scenarios, long_discount=long, short_discount=short, threads=threads
    )


def difference(found: Floats, expected: Floats) -> float:
    """Return the largest difference as a share of the largest loss, as the peers report it."""
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def has_scipy() -> bool:
    return importlib.util.find_spec("scipy") is not None


def check_small() -> str:
    """Assert agreement on a small book; return what was compared."""
    book = made_book(60, 20, expiries=3, strikes=8)
    expected = plain_losses(book)
    assert expected.max() > 0
    assert difference(ours(book)(), expected) <= WITHIN
    assert difference(ours(book, threads=1)(), expected) <= WITHIN
    undiscounted = plain_losses(book, discounted=False)
    assert difference(ours(book, discounted=False)(), undiscounted) <= WITHIN
    if not has_scipy():
        return "crossmargin agrees with a plain loop; scipy is not installed"
    for threads in (1, 2):
        assert difference(Sparse(book, threads=threads)(), expected) <= WITHIN
    return "crossmargin and scipy.sparse agree with a plain loop"


def _timed(
    work: dict[str, Callable[[], object]], first: str, budget: float
) -> dict[str, list[float]]:
    """Time all, round by round; others than the first stop when their budget is used up."""
    samples: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():
        call()
    gc.disable()
    for number in range(ROUNDS):
        for name, call in work.items():
            if name != first and number >= FEWEST_ROUNDS and sum(samples[name]) > budget:
                continue
            samples[name].append(sample(call))
    gc.enable()
    return samples


def _overheads() -> dict[str, float]:
    """Return seconds of calls with next to no work."""
    one = np.array([1.0])
    strikes = Strikes(one, 1.0, one, one, tenor_weight=one)
    scenarios = Scenarios(np.array([0.1]), np.array([0.1]))
    index, is_call, offsets = np.zeros(1, np.int32), np.array([True]), np.array([0, 1])
    account = Account(strikes, index, is_call, one)
    accounts = Accounts(strikes, offsets, index, one)
    work: dict[str, Callable[[], object]] = {
        "Account(...)": lambda: Account(strikes, index, is_call, one),
        "Account.scenario_pnl": lambda: account.scenario_pnl(scenarios),
        "Accounts(...)": lambda: Accounts(strikes, offsets, index, one),
        "Accounts.worst_loss": lambda: accounts.worst_loss(scenarios),
        "Accounts.worst_loss, one thread": lambda: accounts.worst_loss(scenarios, threads=1),
    }
    return {name: min(values) for name, values in _timed(work, "", math.inf).items()}


def _memory_of(which: str, book: Book, threads: int) -> dict[str, int]:
    """Return bytes above the inputs: at the peak of one call, with the preparation; Linux."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _status("VmRSS")
    call = ours(book, threads=threads) if which == "ours" else Sparse(book, threads=threads)
    prepared = _status("VmHWM")
    call()
    return {"prepared": prepared - before, "peak": _status("VmHWM") - before}


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _peak_memory(which: str, size: tuple[int, int], threads: int) -> dict[str, int]:
    command = [sys.executable, __file__, "--memory", which]
    command += ["--accounts", str(size[0]), "--positions", str(size[1]), "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _environment() -> str:
    scipy = importlib.import_module("scipy")
    return f"numpy {np.__version__}, scipy {scipy.__version__}"


def run(size: tuple[int, int], threads: int, budget: float) -> list[dict[str, Any]]:
    """Check, time and measure; return rows as `j1.py --json` writes them."""
    book = made_book(*size)
    start = time.perf_counter()
    call = ours(book, threads=threads)
    built = time.perf_counter() - start
    work: dict[str, Callable[[], Floats]] = {"PRODUCT": call}
    if threads > 1:
        work["PRODUCT, 1 thread"] = ours(book, threads=1)
    work["numpy+scipy.sparse, 1 thread"] = Sparse(book)
    if threads > 1:
        work[f"numpy+scipy.sparse, {threads} threads"] = Sparse(book, threads=threads)
    expected = work["numpy+scipy.sparse, 1 thread"]()
    errors = {name: difference(each(), expected) for name, each in work.items()}
    for name, error in errors.items():
        assert error <= WITHIN, f"{name} differs by {error:.1e}"
    if threads > 1:
        np.testing.assert_array_equal(call(), work["PRODUCT, 1 thread"]())
    samples = _timed(dict(work), "PRODUCT", budget)
    title = f"{JOB}: A={size[0]} accounts x P={size[1]} positions, S={len(book.price_move)}"
    common = {"env": _environment(), "threads": threads}
    rows: list[dict[str, Any]] = [
        {
            "job": title,
            "name": name,
            "kind": "product" if name.startswith("PRODUCT") else "peer",
            "min": min(values),
            "median": statistics.median(values),
            "err": errors[name],
            "scale": 1.0,
            "n": len(values),
            **common,
        }
        for name, values in samples.items()
    ]
    rows.append({"job": title, "name": "Accounts(...) built once", "seconds": built, **common})
    rows += [
        {"job": "overhead of a call", "name": name, "seconds": seconds, **common}
        for name, seconds in _overheads().items()
    ]
    rows += [
        {"job": "memory above the inputs", "name": name, **_peak_memory(which, size, threads)}
        for name, which in (("crossmargin", "ours"), ("numpy+scipy.sparse", "sparse"))
    ]
    return rows


def main() -> None:
    """Run as the arguments ask and print JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only assert agreement")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--positions", type=int, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds per other row")
    parser.add_argument("--memory", choices=["ours", "sparse"], help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="append the rows to this file too")
    asked = parser.parse_args()
    size = (asked.accounts, asked.positions)
    if asked.small:
        print(check_small())
        return
    if asked.memory:
        print(json.dumps(_memory_of(asked.memory, made_book(*size), asked.threads)))
        return
    lines = [json.dumps(row) for row in run(size, asked.threads, asked.budget)]
    print("\n".join(lines))
    if asked.json:
        with asked.json.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
