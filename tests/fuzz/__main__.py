"""Feeds arbitrary cell blocks to every registered function: python -m tests.fuzz --blocks 100000.

Every round draws one book and asks every function of the registry once, in one of the processes.
A round is a pure function of (seed, round), so what is printed as a failure can be run again with
--first and --rounds 1. Ends with 1 if an answer was none, or if a call took longer than --seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import signal
import time
from typing import TYPE_CHECKING

from crossmargin import registry
from tests.fuzz.calls import Fuzzed
from tests.fuzz.rounds import SHOWN_FAILURES, work

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(given: Sequence[str] | None = None) -> int:
    """Run and print the counts; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--blocks", type=int, default=10_000, help="tables of cells in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--rounds", type=int, default=1_000_000_000, help="at most, per process")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="longest processor time of one call"
    )
    asked = parser.parse_args(given)
    start = time.monotonic()
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    each = -(-asked.blocks // asked.processes)
    workers = [
        context.Process(
            target=work,
            args=(
                asked.seed,
                (asked.first + i, asked.processes, asked.rounds),
                each,
                asked.seconds,
                out,
            ),
        )
        for i in range(asked.processes)
    ]
    for worker in workers:
        worker.start()
    total, rounds = Fuzzed(), 0
    failures: list[str] = []
    while len(failures) < SHOWN_FAILURES:
        try:
            counts, failed, done = out.get(timeout=1.0)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers):
                break
            continue
        total.add(counts)
        failures += failed
        rounds += done
    for worker in workers:
        worker.terminate()
        worker.join()
        if worker.exitcode not in {0, -signal.SIGTERM}:
            failures.append(f"seed {asked.seed}: a process ended with {worker.exitcode}")
    _show(total, rounds, asked, time.monotonic() - start)
    for failure in failures[:SHOWN_FAILURES]:
        print(failure)
    silent = [r.sheet_name for r in registry.records() if not total.answered[r.sheet_name]]
    if silent:
        print("never answered:", ", ".join(silent))
    return 1 if failures else 0


def _show(total: Fuzzed, rounds: int, asked: argparse.Namespace, seconds: float) -> None:
    calls = total.answered.total() + total.refused.total()
    print(
        f"seed {asked.seed}: {total.blocks:,} blocks, {calls:,} calls, {rounds:,} rounds, "
        f"{seconds:.0f} s in {asked.processes} processes"
    )
    for record in registry.records():
        name = record.sheet_name
        print(f"  {name:16} answered {total.answered[name]:9,}  refused {total.refused[name]:9,}")


if __name__ == "__main__":
    raise SystemExit(main())
