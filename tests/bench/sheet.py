"""The template with 1,000 positions, as LibreOffice calculates it: python -m tests.bench.sheet.

Prints what each function takes within Python for one calculation of the whole template, then what
LibreOffice takes to open the file and to calculate it again (hard recalculation), if it is there.
Nothing is compared with a limit: only the figures of one run on one machine mean anything.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crossmargin import books, demo_workbook, registry
from crossmargin.hosts import libreoffice
from tests.host import office
from tests.host.office import Office

if TYPE_CHECKING:
    from collections.abc import Sequence

RECALCULATIONS = 3
CHEAP = 1_000


def tables(count: int) -> dict[str, object]:
    """Return a book of so many perpetuals of as many coins, and its balance."""
    draw = random.Random(1)  # noqa: S311  # not a secret
    rows: list[list[object]] = [["coin", "szi", "entryPx", "markPx", "leverage"]]
    for number in range(count):
        price = draw.uniform(1, 1_000)
        size = draw.uniform(-5, 5) * 1_000 / price
        rows.append([f"C{number}", size, price, price * 1.01, 10.0])
    balances = [["currency", "cash"], ["USDC", 2e6 if count > 200 else 2e5]]
    return {"positions": rows, "collateral": balances, "rulebook": "hyperliquid"}


class Meter:
    """Times every call of the registry while it is in place."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._call = registry.call

    def __enter__(self) -> Self:
        registry.call = self._timed
        return self

    def __exit__(self, *problem: object) -> None:
        registry.call = self._call

    def _timed(self, sheet_name: str, cells: Sequence[object]) -> Any:
        start = time.perf_counter()
        answer = self._call(sheet_name, cells)
        self.seconds[sheet_name] += time.perf_counter() - start
        self.calls[sheet_name] += 1
        return answer

    def show(self, least: float) -> None:
        """Print functions that took longer than `least` seconds, the longest first."""
        print(f"  all functions {sum(self.seconds.values()):8.3f} s in {self.calls.total()} calls")
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            if seconds >= least:
                print(f"    {name:16} {seconds * 1e3:8.1f} ms in {self.calls[name]} calls")


def in_libreoffice(folder: Path, path: Path) -> None:
    """Print what opening and calculating take."""
    with Office(folder, libreoffice.build(folder / "crossmargin.oxt")) as started:
        start = time.perf_counter()
        started.open(path)
        print(f"  LibreOffice opens it in {time.perf_counter() - start:.2f} s")
        taken = []
        for _ in range(RECALCULATIONS):
            start = time.perf_counter()
            started.do("recalculate")
            taken.append(time.perf_counter() - start)
        print("  and calculates it again in", ", ".join(f"{one:.2f} s" for one in taken))


def cheap(count: int) -> None:
    """Print what CM_BOOK of many rows takes, and cheap functions on its key."""
    given = tables(count)
    start = time.perf_counter()
    key = registry.call("CM_BOOK", [given["positions"], "hyperliquid", given["collateral"]])
    made = time.perf_counter() - start
    registry.call("CM_MM", [key])
    start = time.perf_counter()
    for number in range(CHEAP):
        registry.call(("CM_MM", "CM_IM", "CM_EQUITY", "CM_RATIO")[number % 4], [key])
    each = time.perf_counter() - start
    print(f"CM_BOOK of {count:,} rows {made * 1e3:.1f} ms, then {CHEAP:,} cheap functions "
          f"{each * 1e3:.1f} ms")  # fmt: skip


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sheet")
    parser.add_argument("--positions", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--least", type=float, default=0.01, help="seconds worth a line")
    parser.add_argument("--no-office", action="store_true")
    asked = parser.parse_args(given)
    cheap(asked.rows)
    demo_workbook.write_pdf = lambda _: []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        books.clear()
        start = time.perf_counter()
        with Meter() as meter:
            path = demo_workbook.write(folder, tables(asked.positions))[0]
        print(f"template with {asked.positions:,} positions, written in "
              f"{time.perf_counter() - start:.2f} s")  # fmt: skip
        meter.show(asked.least)
        if not asked.no_office and office.missing() is None:
            in_libreoffice(folder, path)


if __name__ == "__main__":
    main()
