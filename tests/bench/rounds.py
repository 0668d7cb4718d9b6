"""Rounds in which everything that is compared takes its turn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["interleaved", "sample"]

SHORTEST_SAMPLE = 0.01


def sample(call: Callable[[], object]) -> float:
    """Return seconds of one call, which is repeated until the sample lasts long enough."""
    repeats, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < SHORTEST_SAMPLE or not repeats:
        call()
        repeats += 1
    return elapsed / repeats


def interleaved(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time all, round by round, after one call of each that is not timed."""
    samples: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():
        call()
    for _ in range(rounds):
        for name, call in work.items():
            samples[name].append(sample(call))
    return samples
