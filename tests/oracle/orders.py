"""The order of liquidation, step by step, from the rules of `orders.md` and `methods.md`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.oracle.account import Leg

__all__ = ["Fill", "State", "one_after_another", "partial_fraction", "pro_rata", "tier_steps"]

ONE: Final = Fraction(1)


@dataclass(frozen=True)
class Fill:
    """One closing and the account after its step."""

    step: int
    symbol: str
    quantity: Fraction
    equity_after: Fraction
    maintenance_after: Fraction


@dataclass
class State:
    """Linear legs with one equity, which only the cost of closing changes at fixed prices."""

    legs: list[Leg]
    equity: Fraction
    slippage: Fraction = Fraction(0)
    stop: Fraction = ONE  # multiple of the maintenance margin at which it stops

    def maintenance(self) -> Fraction:
        """Return the maintenance margin of what is left."""
        return sum((leg.maintenance_at({}) for leg in self.legs), Fraction(0))

    def room(self) -> Fraction:
        """Return equity less the stop level; at zero the liquidation is over."""
        return self.equity - self.stop * self.maintenance()

    def close(self, legs: Sequence[Leg], share: Fraction) -> None:
        """Close one share of each of these legs."""
        self.equity -= self.slippage * share * sum((leg.notional({}) for leg in legs), Fraction(0))
        symbols = {leg.symbol for leg in legs}
        kept = [
            replace(leg, quantity=leg.quantity * (1 - share), pnl=leg.pnl * (1 - share))
            if leg.symbol in symbols
            else leg
            for leg in self.legs
        ]
        self.legs = [leg for leg in kept if leg.quantity]

    def needed(self, legs: Sequence[Leg]) -> Fraction:
        """Return the smallest share of these legs that ends the liquidation, at most all.

        What is left is a broken line of the share with a corner where a leg leaves a bracket.
        """
        corners = {
            1 - floor / leg.notional({})
            for leg in legs
            for floor in leg.brackets.floors
            if 0 < floor < leg.notional({})
        }
        here, room = Fraction(0), self.room()
        for corner in sorted(corners | {ONE}):
            trial = replace(self, legs=list(self.legs))
            trial.close(legs, corner)
            if trial.room() >= 0:
                return here + (corner - here) * room / (room - trial.room())
            here, room = corner, trial.room()
        return ONE

    def fill(self, step: int, leg: Leg, share: Fraction) -> Fill:
        """Return what a closing did, once it is done."""
        return Fill(step, leg.symbol, abs(leg.quantity) * share, self.equity, self.maintenance())


def partial_fraction(
    target: Fraction, rate: Fraction, notional: Fraction, equity: Fraction, cost: Fraction
) -> Fraction:
    """Return `(h m N - E) / (N (h m - s))` of methods.md 5.2."""
    return (target * rate * notional - equity) / (notional * (target * rate - cost))


RANKS: Final[dict[str, Callable[[Leg], Fraction]]] = {
    # each bracket table is added on its own, so a leg's share of the measure is its own margin
    "highest_risk_contribution": lambda leg: leg.maintenance_at({}),
    "largest_loss": lambda leg: -leg.pnl,
    "largest_notional": lambda leg: leg.notional({}),
}


SMALLEST_REST: Final = Fraction(1, 1_000_000)
"""Of the first size: less than this is not left standing, or a share of the rest never ends."""


def _no_crumbs(share: Fraction, leg: Leg, first: dict[str, Fraction]) -> Fraction:
    """Return a share, or all where hardly anything of what was held first would be left."""
    return ONE if abs(leg.quantity) * (1 - share) < SMALLEST_REST * first[leg.symbol] else share


def one_after_another(
    state: State, policy: str, step: str | Fraction = "needed", user: Sequence[str] = ()
) -> list[Fill]:
    """Close the leg that ranks first, rank again, and so on until the stop."""
    fills: list[Fill] = []
    first = {leg.symbol: abs(leg.quantity) for leg in state.legs}
    while state.room() < 0 and state.legs and len(fills) < 200:
        if policy == "user_list":
            held = {leg.symbol: leg for leg in state.legs}
            listed = [symbol for symbol in user if symbol in held]
            if not listed:
                break
            leg = held[listed[0]]
        else:
            leg = max(state.legs, key=RANKS[policy])
        if isinstance(step, Fraction):
            share = step
        else:
            share = ONE if step == "whole" else state.needed([leg])
        share = _no_crumbs(share, leg, first)
        state.close([leg], share)
        fills.append(state.fill(len(fills) + 1, leg, share))
    return fills


def pro_rata(state: State, step: str | Fraction = "needed") -> list[Fill]:
    """Close the same share of every leg until the stop."""
    fills: list[Fill] = []
    number = 0
    while state.room() < 0 and state.legs:
        number += 1
        legs = list(state.legs)
        share = state.needed(legs) if isinstance(step, str) else step
        state.close(legs, share)
        fills += [state.fill(number, leg, share) for leg in legs]
    return fills


def tier_steps(state: State) -> list[Fill]:
    """Take the leg in the highest bracket (of those the largest) one bracket down, and so on."""

    def bracket(leg: Leg) -> int:
        return sum(leg.notional({}) > floor for floor in leg.brackets.floors)

    fills: list[Fill] = []
    while state.room() < 0 and state.legs:
        leg = max(state.legs, key=lambda leg: (bracket(leg), leg.notional({})))
        floor = leg.brackets.floors[bracket(leg) - 1]
        share = 1 - floor / leg.notional({})
        state.close([leg], share)
        fills.append(state.fill(len(fills) + 1, leg, share))
    return fills
