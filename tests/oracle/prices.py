"""Liquidation prices: exact where the excess is a broken line, by bisection along betas."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.oracle.account import Account

__all__ = ["Crossings", "alone", "along_betas", "together"]


@dataclass(frozen=True)
class Crossings:
    """The nearest price below and above at which a level is reached; None if none above zero is."""

    down: Fraction | None
    up: Fraction | None


def _walk(
    level: Callable[[Fraction], Fraction], kinks: Iterable[Fraction], toward: int
) -> Fraction | None:
    """Return the first factor on one side of 1 at which a broken line falls to zero."""
    here, value = Fraction(1), level(Fraction(1))
    if value < 0:
        raise ValueError("the account must be healthy where the walk begins")
    corners = {kink for kink in kinks if (kink - here) * toward > 0}
    for corner in sorted(corners, reverse=toward < 0):
        reached = level(corner)
        if reached < 0:
            return here + (corner - here) * value / (value - reached)
        here, value = corner, reached
    further = here * 2 if toward > 0 else here / 2
    slope = (level(further) - value) / (further - here)  # of the last piece
    if slope * toward >= 0:
        return None
    root = here - value / slope
    return root if root > 0 else None


def _crossings(
    level: Callable[[Fraction], Fraction], kinks: Iterable[Fraction], price: Fraction
) -> Crossings:
    corners = list(kinks)
    down, up = _walk(level, corners, -1), _walk(level, corners, +1)
    return Crossings(None if down is None else down * price, None if up is None else up * price)


def _level(account: Account, which: str, factors: Mapping[str, Fraction]) -> Fraction:
    if which == "trigger":
        return account.excess(factors)
    return account.equity(factors, haircut=False)


def alone(account: Account, coin: str, price: Fraction, which: str = "trigger") -> Crossings:
    """Return the prices of one coin, all others unchanged."""
    own, constant = account, Fraction(0)
    if all(balance.rate == 1 for balance in account.balances):  # then legs only add up
        own = replace(account, legs=tuple(leg for leg in account.legs if leg.coin == coin))
        constant = _level(account, which, {}) - _level(own, which, {})
    kinks = [kink for leg in account.legs if leg.coin == coin for kink in leg.kinks()]
    kinks += account.corner_of_haircut(coin)
    return _crossings(lambda factor: constant + _level(own, which, {coin: factor}), kinks, price)


def together(account: Account, price: Fraction, which: str = "trigger") -> Crossings:
    """Return the prices of one coin while all coins move by one ratio."""
    coins = {leg.coin for leg in account.legs}
    kinks = [kink for leg in account.legs for kink in leg.kinks()]
    return _crossings(
        lambda factor: _level(account, which, dict.fromkeys(coins, factor)), kinks, price
    )


def along_betas(
    account: Account, betas: Mapping[str, float], driver: str, price: float, *, steps: int = 4000
) -> tuple[float | None, float | None]:
    """Return the driver's prices below and above where coins move as `exp(beta theta)`.

    A scan in theta finds the first change of sign, bisection the root.
    """

    def excess(theta: float) -> float:
        factors = {coin: Fraction(math.exp(beta * theta)) for coin, beta in betas.items()}
        return float(account.excess(factors))

    def first(limit: float) -> float | None:
        for step in range(steps):
            low, high = limit * step / steps, limit * (step + 1) / steps
            if excess(high) < 0:
                for _ in range(200):
                    middle = (low + high) / 2
                    low, high = (low, middle) if excess(middle) < 0 else (middle, high)
                return price * math.exp(betas.get(driver, 1.0) * (low + high) / 2)
        return None

    return first(-8.0), first(math.log(10))
