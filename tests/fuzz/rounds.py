"""Rounds: a few books and every function of the registry once, drawn for (seed, round)."""

from __future__ import annotations

import faulthandler
import os
import random
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from crossmargin import books, registry
from tests.fuzz.calls import Fuzzed, Keys, run

__all__ = ["SHOWN_FAILURES", "Watched", "one_round", "work"]

BOOKS_OF_A_ROUND: Final = 4
SHOWN_FAILURES: Final = 40
LOOK_SECONDS: Final = 0.2


@dataclass
class Watched:
    """What is called just now, since how much processor time."""

    place: str = ""
    since: float = 0.0

    def begin(self, place: str) -> None:
        """Say what is called."""
        self.place, self.since = place, time.process_time()


def one_round(seed: int, number: int, counts: Fuzzed, watched: Watched) -> list[str]:
    """Run every function on freshly drawn cells and return what went wrong."""
    draw = random.Random(f"{seed}-{number}")  # noqa: S311  # not a secret
    keys, failures = Keys(), []
    books.clear()  # a round must not depend on the rounds before
    records = registry.records()
    makers = [registry.record("CM_BOOK"), registry.record("CM_HISTORY")]
    for record in [*makers * BOOKS_OF_A_ROUND, *records]:
        place = f"seed {seed}, round {number}: {record.sheet_name}"
        watched.begin(place)
        found = run(draw, record, keys, counts)
        if found:
            failures.append(f"{place}: {found}")
    return failures


def work(seed: int, numbers: tuple[int, int, int], blocks: int, seconds: float, out: Any) -> None:
    """Run rounds (first, step, most) until that many blocks are done, telling `out` of each.

    A call that takes longer than `seconds` of the processor's time ends the process.
    """
    faulthandler.enable()
    first, step, most = numbers
    watched = Watched()

    def look() -> None:
        while time.process_time() - watched.since < seconds:
            time.sleep(LOOK_SECONDS)
        out.put((Fuzzed(), [f"{watched.place} took over {seconds} s"], 0))
        time.sleep(LOOK_SECONDS)  # until it is written
        os._exit(0)

    watched.begin("the import")
    threading.Thread(target=look, daemon=True).start()
    done = 0
    for number in range(first, first + step * most, step):
        counts = Fuzzed()
        failures = one_round(seed, number, counts, watched)
        out.put((counts, failures, 1))
        done += counts.blocks
        if done >= blocks:
            break
    watched.begin("the end")
