"""Filtered historical expected shortfall of linear books in numpy, written from methods.md.

Sections 0 (conventions), 2.2 (filtered scenarios) and 2.4 (the estimator), and the proxy rule of
the rulebooks' README. It shares nothing with the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

FIRST_FORECAST = 20
WORD = 2**64


@dataclass(frozen=True)
class Rule:
    """How the tail is made."""

    window: int = 500
    decay: float = 0.97
    largest_scale: float = 4.0
    floor_share: float = 0.5
    tail: int = 5  # scenarios beyond the quantile: 1 % of 500


def filled(moves: Numbers, proxy: Numbers, place: int) -> Numbers:
    """Return moves with beta times the proxy's and a drawn residual where there are none."""
    known = ~np.isnan(moves)
    own, other = moves[known], proxy[known]
    beta = np.cov(own, other)[0, 1] / np.var(other, ddof=1)
    residuals = (own - own.mean()) - beta * (other - other.mean())
    made = moves.copy()
    for bar in np.flatnonzero(~known):
        made[bar] = beta * proxy[bar] + residuals[_scrambled(int(bar), place) % len(residuals)]
    return made


def _scrambled(bar: int, series: int) -> int:
    """Return the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over bar and series."""
    word = (bar * 0x9E3779B97F4A7C15 + series * 0xD1B54A32D192ED03) % WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) % WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) % WORD
    return word ^ (word >> 31)


def forecasts(moves: Numbers, decay: float) -> Numbers:
    """Return the variance forecast for each move, of the moves before it; one more at the end."""
    made = np.full(len(moves) + 1, np.nan)
    made[FIRST_FORECAST] = np.mean(moves[:FIRST_FORECAST] ** 2)
    for bar in range(FIRST_FORECAST, len(moves)):
        made[bar + 1] = decay * made[bar] + (1 - decay) * moves[bar] ** 2
    return made


def margins(
    moves: Mapping[str, Numbers], money: Mapping[str, float], rule: Rule, known: int
) -> tuple[float, float, float]:
    """Return filtered ES, filtered VaR and plain ES when `known` moves are known."""
    size = rule.window
    filtered, plain = np.zeros(size), np.zeros(size)
    for coin, own in moves.items():
        recent = own[known - size : known]
        forecast = forecasts(own, rule.decay)
        long_run = np.mean(own[:known] ** 2)
        today = max(forecast[known], rule.floor_share**2 * long_run)
        scale = np.sqrt(today / forecast[known - size : known])
        scale = np.clip(scale, 1 / rule.largest_scale, rule.largest_scale)
        filtered += money[coin] * np.expm1(scale * recent)
        plain += money[coin] * np.expm1(recent)
    worst = np.sort(-filtered)
    return (
        float(worst[-rule.tail :].mean()),
        float(worst[-rule.tail - 1]),
        float(np.sort(-plain)[-rule.tail :].mean()),
    )


def loss(moves: Mapping[str, Numbers], money: Mapping[str, float], known: int) -> float:
    """Return the loss of the bar after the known ones."""
    return -sum(float(money[coin] * np.expm1(own[known])) for coin, own in moves.items())
