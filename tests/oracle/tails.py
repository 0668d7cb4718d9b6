"""Tails of scenarios by a second method: numpy, from the definitions, never from the engine.

Conventions: a loss is positive; value at risk is the lower empirical quantile; expected shortfall
averages the worst tail with a fractional weight at the quantile; moves are logarithms of ratios.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

__all__ = [
    "aged",
    "black76",
    "expected_shortfall",
    "filtered",
    "forecasts",
    "log_moves",
    "overlapping",
    "value_at_risk",
]


def log_moves(levels: Array) -> Array:
    """Return moves bar by bar; levels are (bars, factors)."""
    return np.diff(np.log(levels), axis=0)


def value_at_risk(gains: Array, confidence: float, weights: Array | None = None) -> float:
    """Return the smallest loss that is not exceeded with the confidence."""
    losses = -gains
    order = np.argsort(losses, kind="stable")
    if weights is None:
        return float(losses[order][math.ceil(len(losses) * confidence - 1e-9) - 1])
    reached = np.cumsum(weights[order])
    return float(losses[order][np.searchsorted(reached, confidence - 1e-12)])


def expected_shortfall(gains: Array, confidence: float, weights: Array | None = None) -> float:
    """Return the mean of the worst tail: whole scenarios, and a part of the one at its edge."""
    losses = -gains
    probabilities = np.full(len(losses), 1 / len(losses)) if weights is None else weights
    left, total = 1.0 - confidence, 0.0
    for place in np.argsort(-losses, kind="stable"):
        taken = min(left, float(probabilities[place]))
        total += taken * float(losses[place])
        left -= taken
        if left <= 0:
            break
    return total / (1.0 - confidence)


def forecasts(moves: Array, decay: float, first: int = 20) -> Array:
    """Return variance forecasts: row s knows rows before s alone; one row more than moves."""
    path = np.full((len(moves) + 1, moves.shape[1]), np.nan)
    path[first] = np.mean(moves[:first] ** 2, axis=0)
    for bar in range(first, len(moves)):
        path[bar + 1] = decay * path[bar] + (1 - decay) * moves[bar] ** 2
    return path


def filtered(
    moves: Array, window: int, *, decay: float, cap: float, floor_share: float = 0.0
) -> Array:
    """Return the last moves, each times today's volatility forecast over that of its own day."""
    variance = forecasts(moves, decay)
    today = np.maximum(variance[-1], floor_share**2 * np.mean(moves**2, axis=0))
    ratio = np.sqrt(today / variance[len(moves) - window : len(moves)])
    scaled: Array = np.clip(ratio, 1 / cap, cap) * moves[-window:]
    return scaled


def aged(count: int, decay: float) -> Array:
    """Return probabilities of scenarios, the oldest first."""
    weights = decay ** np.arange(count - 1, -1, -1, dtype=np.float64)
    shares: Array = weights / weights.sum()
    return shares


def overlapping(moves: Array, length: int, window: int, stride: int = 1) -> Array:
    """Return moves over `length` bars, the last `window` of them, `stride` bars apart."""
    ends = range(len(moves), length - 1, -stride)
    sums = [moves[end - length : end].sum(axis=0) for end in ends]
    return np.array(sums[:window][::-1])


def black76(right: str, forward: Array, strike: float, volatility: Array, years: float) -> Array:
    """Return undiscounted option values by the textbook formula."""
    total = volatility * math.sqrt(years)
    first = np.log(forward / strike) / total + total / 2
    cumulative = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))
    call: Array = forward * cumulative(first) - strike * cumulative(first - total)
    return call if right == "call" else call - forward + strike
