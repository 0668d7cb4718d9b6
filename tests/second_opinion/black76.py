"""Black-76 without rates: undiscounted value and forward delta, years of 365 days.

The side that is out of the money is priced with the complementary error function, so that a value
of 1e-30 still has its digits; the other side follows by parity.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.second_opinion.shapes import Right

__all__ = ["cumulative_normal", "delta", "intrinsic", "value"]


def cumulative_normal(x: float) -> float:
    """Return P(Z <= x), accurate to relative precision in the lower tail."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def intrinsic(right: Right, forward: float, strike: float) -> float:
    """Return what the option is worth if the forward stays where it is."""
    if right == "call":
        return max(0.0, forward - strike)
    return max(0.0, strike - forward)


def _d1_and_d2(
    forward: float, strike: float, volatility: float, years: float
) -> tuple[float, float]:
    deviation = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    return d1, d1 - deviation


def _is_settled(forward: float, strike: float, volatility: float, years: float) -> bool:
    """Say whether nothing is left to happen: no time, no volatility, or a price or strike of 0."""
    return forward <= 0.0 or strike <= 0.0 or volatility <= 0.0 or years <= 0.0


def value(right: Right, forward: float, strike: float, volatility: float, years: float) -> float:
    """Return the undiscounted value of one option on one coin."""
    if _is_settled(forward, strike, volatility, years):
        return intrinsic(right, forward, strike)
    d1, d2 = _d1_and_d2(forward, strike, volatility, years)
    if strike >= forward:
        call = forward * cumulative_normal(d1) - strike * cumulative_normal(d2)
        call = max(0.0, call)
        return call if right == "call" else call + (strike - forward)
    put = strike * cumulative_normal(-d2) - forward * cumulative_normal(-d1)
    put = max(0.0, put)
    return put if right == "put" else put + (forward - strike)


def delta(right: Right, forward: float, strike: float, volatility: float, years: float) -> float:
    """Return the change of value per unit of forward; settled at its strike, it counts half."""
    if _is_settled(forward, strike, volatility, years):
        call = 0.5 if forward == strike else float(forward > strike)
        return call if right == "call" else call - 1.0
    d1, _ = _d1_and_d2(forward, strike, volatility, years)
    return cumulative_normal(d1) if right == "call" else -cumulative_normal(-d1)
