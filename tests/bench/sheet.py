"""The template with 1,000 positions, as LibreOffice calculates it: python -m tests.bench.sheet.

Prints what each function takes within Python for one calculation of the whole template, then what
LibreOffice takes to open the file and to calculate it again (hard recalculation), if it is there.
Times are those of the clock and, behind them, of the processor, which a machine that does other
work as well changes less. Nothing is compared with a limit: only the figures of one run on one
machine mean anything.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
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
    from collections.abc import Callable, Sequence

RECALCULATIONS = 3
CHEAP = 1_000
ROUNDS = 9


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
        self.seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.calls: Counter[str] = Counter()
        self._call = registry.call

    def __enter__(self) -> Self:
        registry.call = self._timed
        return self

    def __exit__(self, *problem: object) -> None:
        registry.call = self._call

    def _timed(self, sheet_name: str, cells: Sequence[object]) -> Any:
        clock, work = time.perf_counter(), time.process_time()
        answer = self._call(sheet_name, cells)
        own = self.seconds[sheet_name]
        own[0] += time.perf_counter() - clock
        own[1] += time.process_time() - work
        self.calls[sheet_name] += 1
        return answer

    def show(self, least: float) -> None:
        """Print functions that took longer than `least` seconds of work, the longest first."""
        clock, work = (sum(own[kind] for own in self.seconds.values()) for kind in (0, 1))
        print(f"  all functions {clock:.3f} s (processor {work:.3f}) in {self.calls.total()} calls")
        for name, (each, own) in sorted(self.seconds.items(), key=lambda item: -item[1][1]):
            if own >= least:
                calls = self.calls[name]
                print(f"    {name:16} {each * 1e3:8.1f} ms ({own * 1e3:.1f}) in {calls} calls")


def _processor_seconds(folder: Path) -> float:
    """Return what the processes with this folder among their arguments have worked; Linux only."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder) in (process / "cmdline").read_text(errors="replace"):
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def in_libreoffice(folder: Path, path: Path) -> None:
    """Print what opening and calculating take."""

    def measured(what: str, work: Callable[[], object]) -> None:
        clock, before = time.perf_counter(), _processor_seconds(folder)
        work()
        own = _processor_seconds(folder) - before
        print(f"  LibreOffice {what}: {time.perf_counter() - clock:.2f} s (processor {own:.2f})")

    with Office(folder, libreoffice.build(folder / "crossmargin.oxt")) as started:
        started.open()  # what every first file costs
        started.answer("=CM_VERSION()")
        measured("opens it", lambda: started.open(path))
        for _ in range(RECALCULATIONS):
            measured("calculates all of it again", lambda: started.do("recalculate"))


def cheap(count: int) -> None:
    """Print what CM_BOOK of many rows takes, and cheap functions on its key."""
    given = tables(count)
    registry.call("CM_BOOK", [given["positions"], "custom"])  # what every first book costs
    took = []
    for _ in range(ROUNDS):
        books.clear()
        start = time.perf_counter()
        key = registry.call("CM_BOOK", [given["positions"], "hyperliquid", given["collateral"]])
        took.append(time.perf_counter() - start)
    registry.call("CM_MM", [key])
    start, work = time.perf_counter(), time.process_time()
    for number in range(CHEAP):
        registry.call(("CM_MM", "CM_IM", "CM_EQUITY", "CM_RATIO")[number % 4], [key])
    each, each_work = time.perf_counter() - start, time.process_time() - work
    first, least, middle = (1e3 * s for s in (took[0], min(took), statistics.median(took)))
    print(f"CM_BOOK of {count:,} rows {least:.1f} ms, median {middle:.1f}, first {first:.1f}; then "
          f"{CHEAP:,} cheap functions {each * 1e3:.1f} ms ({each_work * 1e3:.1f})")  # fmt: skip


def _no_pdf(path: Path) -> list[Path]:
    del path
    return []


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sheet")
    parser.add_argument("--positions", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--least", type=float, default=0.01, help="seconds worth a line")
    parser.add_argument("--no-office", action="store_true")
    asked = parser.parse_args(given)
    cheap(asked.rows)
    demo_workbook.write_pdf = _no_pdf
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
