"""Zones of a price against a scan: `python -m tests.oracle.option_scan --books 1000`.

Every price of a fine grid is evaluated by slow code that shares nothing with the product; changes
of sign are cut down to the last digits, and near touches, where two roots may hide between two
points of the grid, are looked at more finely. What the product calls safe must be safe at every
point, and every root must be one of its edges.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from crossmargin import functions as cm
from tests.oracle.option_books import KINDS, Drawn, drawn
from tests.oracle.option_margins import equity, excess
from tests.oracle.option_state import moved
from tests.oracle.option_values import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book
    from tests.oracle.option_state import Account, Question

__all__ = ["Comparison", "compare", "loaded", "roots"]

Level = Callable[[Floats], Floats]

POINTS = 20_000
SECTIONS = 64
TOLERANCE = 1e-9
ROUNDING = 1e-12  # of the money that is added up, below which a sign means nothing


@dataclass
class Comparison:
    """What one book showed; prices of the driver, differences relative to the price."""

    scanned: list[float]  # roots that the scan finds
    hidden: list[float]  # roots between two points of the scan, found at near touches
    ours: list[float]
    search: set[str]
    milliseconds: float
    missing: list[float] = field(default_factory=list)
    unmatched: list[float] = field(default_factory=list)  # ours, and the oracle has no root there
    safe_but_unsafe: list[float] = field(default_factory=list)
    unsafe_but_safe: list[float] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Say whether nothing was found that speaks against the zones."""
        faults = (self.missing, self.unmatched, self.safe_but_unsafe, self.unsafe_but_safe)
        return not any(faults) and max(self.differences, default=0.0) <= TOLERANCE


def loaded(account: Account) -> Book:
    """Return the account as a book of the product."""
    tables = account.tables()
    return cm.book(tables.pop("positions"), account.rules, **tables)


def rounding_of(account: Account, question: Question) -> Level:
    """Return the excess that rounding alone may leave: a part of all that is added up."""

    def noise(prices: Floats) -> Floats:
        index = moved(account, question, prices).index
        money = np.zeros_like(prices)
        for one in account.balances:
            money += abs(one.cash) * index[one.currency]
        for leg in account.legs:
            money += abs(leg.quantity) * np.maximum(index[leg.coin], leg.strike)
        return ROUNDING * money

    return noise


# The scan ---------------------------------------------------------------------------------------


def _pinned(level: Level, low: Floats, high: Floats) -> Floats:
    """Return the changes of sign inside brackets, by cutting each into sections again and again."""
    if not low.size:
        return low
    parts = np.linspace(0.0, 1.0, SECTIONS + 1)
    for _ in range(7):
        points = low[:, None] + (high - low)[:, None] * parts
        points[:, -1] = high
        unsafe = (level(points.ravel()) < 0.0).reshape(points.shape)
        place = np.argmax(unsafe != unsafe[:, :1], axis=1)
        rows = np.arange(low.size)
        low, high = points[rows, place - 1], points[rows, place]
    return 0.5 * (low + high)


def _touches(level: Level, noise: Level, prices: Floats, found: Floats) -> list[float]:
    """Return roots in pairs that lie between points of the scan, around a near touch.

    What goes beyond zero by less than rounding is a touch and no pair of roots.
    """
    size, sign = np.abs(found), np.sign(found)
    inner = (size[1:-1] < size[:-2]) & (size[1:-1] <= size[2:])
    inner &= (sign[1:-1] == sign[:-2]) & (sign[1:-1] == sign[2:])
    places = np.flatnonzero(inner) + 1
    low, high, sign = prices[places - 1], prices[places + 1], sign[places]
    pairs: list[float] = []
    parts = np.linspace(0.0, 1.0, SECTIONS + 1)
    for _ in range(5):
        if not low.size:
            break
        points = low[:, None] + (high - low)[:, None] * parts
        values = level(points.ravel()).reshape(points.shape)
        beyond = (-sign[:, None] * values).max(axis=1) > noise(points[:, 0])
        same = (np.sign(values) == sign[:, None]) | ~beyond[:, None]
        row, column = np.nonzero(np.diff(same, axis=1))
        pairs += list(_pinned(level, points[row, column], points[row, column + 1]))
        least = np.argmin(np.abs(values), axis=1)
        rows = np.flatnonzero(np.all(same, axis=1))
        low = points[rows, np.maximum(least[rows] - 1, 0)]
        high = points[rows, np.minimum(least[rows] + 1, SECTIONS)]
        sign = sign[rows]
    return pairs


def roots(
    level: Level, noise: Level, prices: Floats, found: Floats
) -> tuple[list[float], list[float]]:
    """Return the roots that the scan shows, and those that hide between two of its points."""
    at = np.flatnonzero(np.diff(found < 0.0))
    told = np.maximum(np.abs(found[at]), np.abs(found[at + 1])) > noise(prices[at])
    scanned = list(_pinned(level, prices[at[told]], prices[at[told] + 1]))
    return scanned, _touches(level, noise, prices, found)


# The comparison ---------------------------------------------------------------------------------


def _nearest(price: float, others: Sequence[float]) -> float:
    return min((abs(price - other) / price for other in others), default=float("inf"))


def compare(
    account: Account, question: Question, *, which: str = "trigger", points: int = POINTS
) -> Comparison:
    """Return what the scan says of the zones of a book: where it is liquidated, or bankrupt."""
    held = loaded(account)
    began = time.perf_counter()
    table = cm.liquidation_zones(
        held, question.driver, path=question.path, which=which, options=question.options()
    )
    milliseconds = 1000.0 * (time.perf_counter() - began)
    zones: list[dict[str, Any]] = table.records()
    if {zone["mark"] for zone in zones} != {account.mark(question.driver)}:
        raise ValueError(f"another price is told: {zones[0]['mark']}")

    def level(prices: Floats) -> Floats:
        if which == "bankrupt":
            return equity(moved(account, question, prices), gross=True)
        return excess(account, question, prices)

    prices = np.geomspace(zones[0]["from"], zones[-1]["to"], points)
    found = level(prices)
    noise = rounding_of(account, question)
    scanned, hidden = roots(level, noise, prices, found)
    ours = [zone["to"] for zone in zones[:-1]]
    result = Comparison(scanned, hidden, ours, {zone["search"] for zone in zones}, milliseconds)
    _check_roots(result, level, noise)
    _check_zones(result, (level, noise), zones, (prices, found))
    return result


def _check_roots(result: Comparison, level: Level, noise: Level) -> None:
    for root in [*result.scanned, *result.hidden]:
        difference = _nearest(root, result.ours)
        if difference > 1e-6:
            result.missing.append(root)
        else:
            result.differences.append(difference)
    for edge in result.ours:
        if _nearest(edge, [*result.scanned, *result.hidden]) > 1e-6:
            around = edge * (1.0 + np.array([-1e-7, -1e-9, 0.0, 1e-9, 1e-7]))
            left = level(around)
            if np.all(left > noise(around)) or np.all(left < -noise(around)):
                result.unmatched.append(edge)


def _check_zones(
    result: Comparison,
    functions: tuple[Level, Level],
    zones: list[dict[str, Any]],
    scan: tuple[Floats, Floats],
) -> None:
    (level, noise_at), (prices, found) = functions, scan
    middles = np.array([0.5 * (zone["from"] + zone["to"]) for zone in zones])
    prices = np.concatenate([prices, middles])
    found = np.concatenate([found, level(middles)])
    edges = np.array(result.ours)
    is_safe = np.array([zone["zone"] == "safe" for zone in zones])
    told = is_safe[np.searchsorted(edges, prices)]
    for place in np.flatnonzero(told != (found >= 0.0)):
        price, value, safe = float(prices[place]), found[place], told[place]
        on_an_edge = _nearest(price, result.ours) <= TOLERANCE  # where either word is right
        if not on_an_edge and abs(value) > noise_at(np.array([price]))[0]:
            (result.safe_but_unsafe if safe else result.unsafe_but_safe).append(price)


# The report -------------------------------------------------------------------------------------


def _line(name: str, found: Sequence[tuple[Drawn, Comparison]]) -> str:
    """Return one row of the summary."""
    results = [result for _, result in found]
    searches = Counter(word for result in results for word in result.search)
    words = " ".join(f"{word} {count}" for word, count in sorted(searches.items()))
    several = sum(len(result.scanned) >= 3 for result in results)
    cells: list[object] = [
        len(results),
        several,
        sum(len(result.scanned) for result in results),
        sum(len(result.hidden) for result in results),
        sum(len(result.ours) for result in results),
        sum(len(result.missing) for result in results),
        sum(len(result.unmatched) for result in results),
        sum(len(result.safe_but_unsafe) for result in results),
        sum(len(result.unsafe_but_safe) for result in results),
    ]
    worst = max((one for result in results for one in result.differences), default=0.0)
    return f"{name:<29}" + "".join(f"{cell:>9}" for cell in cells) + f"  {worst:8.1e}  {words}"


HEADS = "books >=3roots scanned hidden ours missing unmatched unsafe! safe!".split()


def _summary(found: Sequence[tuple[Drawn, Comparison]]) -> str:
    """Return what all books showed, by kind, and how long the product took, by legs."""
    lines = [f"{'kind':<29}" + "".join(f"{head:>9}" for head in HEADS) + "  largest  search"]
    for kind in KINDS:
        own = [one for one in found if one[0].kind == kind]
        if own:
            lines.append(_line(kind.name, own))
    lines.append(_line("all", found))
    lines.append(f"{'legs':<12}{'books':>8}{'median ms':>12}{'p95 ms':>10}{'worst ms':>12}")
    for low, high in ((4, 6), (7, 9), (10, 14), (15, 24), (25, 99)):
        times = sorted(
            result.milliseconds for one, result in found if low <= len(one.account.legs) <= high
        )
        if times:
            late = times[min(int(0.95 * len(times)), len(times) - 1)]
            lines.append(
                f"{low:>3} to {high:<5}{len(times):>8}{statistics.median(times):>12.1f}"
                f"{late:>10.1f}{times[-1]:>12.1f}"
            )
    return "\n".join(lines)


def _one(seed: int, points: int) -> tuple[Drawn, Comparison]:
    book = drawn(seed)
    return book, compare(book.account, book.question, points=points)


def main(words: Sequence[str] | None = None) -> int:
    """Compare drawn books; print faults as they are found, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--books", type=int, default=100, help="how many, one per seed")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--points", type=int, default=POINTS, help="prices of the scan")
    parser.add_argument("--processes", type=int, default=1, help="how many work at once")
    given = parser.parse_args(words)
    seeds = range(given.first, given.first + given.books)
    found: list[tuple[Drawn, Comparison]] = []
    began = time.monotonic()
    with ProcessPoolExecutor(given.processes, get_context("spawn")) as pool:
        for seed, one in zip(seeds, pool.map(_one, seeds, repeat(given.points)), strict=True):
            found.append(one)
            book, result = one
            if not result.holds:
                sys.stdout.write(f"seed {seed}, {book.kind.name}, {book.question}: {result}\n")
            if len(found) % 10 == 0:
                spent = time.monotonic() - began
                sys.stderr.write(f"{len(found)} of {given.books} books, {spent:.0f} s\n")
                sys.stdout.flush()
    sys.stdout.write(_summary(found) + "\n")
    return 0 if all(result.holds for _, result in found) else 1


if __name__ == "__main__":
    sys.exit(main())
