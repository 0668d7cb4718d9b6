"""Values and deltas of options over many prices at once: Black-76 without rates, in numpy.

The complementary error function is expanded about the nearest of a table's nodes, which
`math.erfc` fills: its derivatives are known, so seven terms leave less than one unit of the last
digit of 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tests.second_opinion.shapes import Right

__all__ = ["Floats", "cumulative_normal", "forward_delta", "intrinsic", "option_value"]

Floats = NDArray[np.float64]

PER_UNIT = 128
LOWEST, HIGHEST = -7, 28
TERMS = 7


def _expansions() -> Floats:
    """Return, per node, the coefficients of erfc in powers of the distance from it.

    The derivatives of exp(-x^2) are (-1)^n H_n(x) exp(-x^2) with the physicists' Hermite
    polynomials, H_(n+1) = 2 x H_n - 2 n H_(n-1).
    """
    nodes = np.arange(LOWEST * PER_UNIT, HIGHEST * PER_UNIT + 1) / PER_UNIT
    rows = [np.array([math.erfc(node) for node in nodes])]
    bell = -2.0 / math.sqrt(math.pi) * np.exp(-nodes * nodes)
    before, hermite = np.zeros_like(nodes), np.ones_like(nodes)
    for order in range(1, TERMS):
        sign = 1.0 if order % 2 else -1.0
        rows.append(sign * hermite * bell / math.factorial(order))
        before, hermite = hermite, 2.0 * nodes * hermite - 2.0 * (order - 1) * before
    return np.array(rows)


_EXPANSIONS = _expansions()


def cumulative_normal(x: Floats) -> Floats:
    """Return P(Z <= x)."""
    argument = np.clip(x * -math.sqrt(0.5), LOWEST, HIGHEST)
    place = np.rint(argument * PER_UNIT)
    distance = argument - place / PER_UNIT
    near = place.astype(np.int64) - LOWEST * PER_UNIT
    total = _EXPANSIONS[TERMS - 1].take(near)
    for order in range(TERMS - 2, -1, -1):
        total *= distance
        total += _EXPANSIONS[order].take(near)
    return np.asarray(0.5 * total)


def intrinsic(right: Right, forward: Floats, strike: float) -> Floats:
    """Return what the option is worth if the forward stays where it is."""
    return np.maximum(forward - strike if right == "call" else strike - forward, 0.0)


def option_value(
    right: Right, forward: Floats, strike: float, volatility: Floats | float, years: float
) -> Floats:
    """Return the undiscounted value; the side that is out of the money is priced, then parity."""
    deviation = np.broadcast_to(np.asarray(volatility) * math.sqrt(max(years, 0.0)), forward.shape)
    if years <= 0.0 or not np.all(deviation > 0.0):
        settled = intrinsic(right, forward, strike)
        if years <= 0.0 or not np.any(deviation > 0.0):
            return settled
        alive = deviation > 0.0
        settled[alive] = option_value(
            right, forward[alive], strike, np.asarray(volatility)[alive], years
        )
        return settled
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    way = np.where(forward <= strike, 1.0, -1.0)  # a call above the forward, a put below it
    outside = way * (
        forward * cumulative_normal(way * d1) - strike * cumulative_normal(way * (d1 - deviation))
    )
    return np.maximum(outside, 0.0) + intrinsic(right, forward, strike)


def forward_delta(
    right: Right, forward: Floats, strike: float, volatility: Floats | float, years: float
) -> Floats:
    """Return the change of value per unit of forward; settled at its strike, it counts half."""
    deviation = np.broadcast_to(np.asarray(volatility) * math.sqrt(max(years, 0.0)), forward.shape)
    call = np.where(forward > strike, 1.0, np.where(forward == strike, 0.5, 0.0))
    alive = deviation > 0.0
    width = deviation[alive]
    call[alive] = cumulative_normal(np.log(forward[alive] / strike) / width + 0.5 * width)
    return call if right == "call" else call - 1.0
