"""Excess of an option account over its maintenance margin, from the rulebook's numbers.

Written from the description of the rules and the schema of rulebooks, and checked against the
second opinions; no line of it is shared with what it is there to check. Amounts in dollars.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.oracle.option_scenarios import scenario_requirement
from tests.oracle.option_state import moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.oracle.option_state import Account, Held, Question, State
    from tests.oracle.option_values import Floats

__all__ = ["equity", "excess", "profile_of", "requirement"]


def profile_of(rules: Mapping[str, Any], coin: str, *, in_coin: bool) -> Mapping[str, Any]:
    """Return the first profile that names a coin and its settlement, else that of all others."""
    fitting = [
        one
        for one in rules["profiles"]
        if one.get("settlement", "any") in {"any", "coin" if in_coin else "stable"}
    ]
    for wanted in (coin, "*"):
        for one in fitting:
            if wanted in one["underlyings"]:
                return dict(one)
    raise KeyError(f"no profile for {coin}")


def _counted(rules: Mapping[str, Any], rate: float | None, currency: str, amount: Floats) -> Floats:
    """Return what an amount in coins counts as; a debt counts in full."""
    if rate is not None:
        return np.where(amount > 0.0, amount * rate, amount)
    table = rules.get("collateral", {}).get("rates", {}).get(currency)
    if table is None:
        return amount
    total = np.zeros_like(amount)
    bounds = [*table["from"][1:], math.inf]
    for low, high, share in zip(table["from"], bounds, table["rate"], strict=True):
        total += share * (np.clip(amount, low, high) - low)
    return np.where(amount > 0.0, total, amount)


def equity(state: State, *, gross: bool = False) -> Floats:
    """Return the equity of the maintenance level; gross, all of everything counts."""
    rules = state.account.rules
    level = rules["levels"]["maintenance"]
    rates = {one.currency: one.rate for one in state.account.balances}
    total = np.zeros_like(next(iter(state.index.values())))
    for currency, plain in state.profits.items():
        amount = plain.copy()
        if gross or level.get("option_value", "all") == "all":
            for held in state.held:
                if held.leg.right is None or held.leg.settle != currency:
                    continue
                amount += held.quantity * held.worth
        if not gross and level.get("haircut", True) and currency not in {"USD", "USDC"}:
            amount = _counted(rules, rates.get(currency), currency, amount)
        total += amount * state.price(currency)
    return total


# Standard margin --------------------------------------------------------------------------------


def _delta_one(held: Held, profile: Mapping[str, Any]) -> Floats:
    """Return the margin of a perpetual: a rate that grows with its size in coins."""
    rule = profile["delta_one"]
    base = rule.get("maintenance")
    if base is None:
        base = rule["initial"] * rule["maintenance_share_of_initial"]
    size = np.abs(held.quantity)
    rate = base + rule.get("increment", 0.0) * size
    use_index = held.leg.in_coin or rule.get("price", "mark") == "index"
    return np.asarray(rate * size * (held.index if use_index else held.forward))


def _alone(held: Held, rule: Mapping[str, Any]) -> Floats:
    """Return the maintenance margin of one option by itself, in dollars."""
    leg, index = held.leg, held.index
    mark = held.worth
    if leg.in_coin:  # the rule is one in coins, paid at the index
        mark = mark * index
    if leg.quantity >= 0.0:
        return np.asarray(
            held.quantity * np.minimum(mark, rule.get("long_maintenance", 0.0) * index)
        )
    short = rule["short_maintenance"]
    out = np.maximum(leg.strike - index if leg.right == "call" else index - leg.strike, 0.0)
    needed = short["rate"] * index
    if "floor" in short:
        needed = np.maximum(needed - out, short["floor"] * index)
    scale = short.get("call_mark" if leg.right == "call" else "put_mark", 0.0)
    needed = np.maximum(needed, scale * mark)
    if rule.get("premium", "mark") == "mark":
        needed = needed + mark
    return np.asarray(-held.quantity * needed)


def _spread(expiry: Sequence[Held], rule: Mapping[str, Any]) -> Floats:
    """Return the largest loss of an expiry at its own strikes, plus that of calls sold naked."""
    points = [0.0, *{one.leg.strike for one in expiry}]
    payoff = []
    for settled in points:
        total = 0.0
        for one in expiry:
            gap = settled - one.leg.strike
            total += one.leg.quantity * max(gap if one.leg.right == "call" else -gap, 0.0)
        payoff.append(total)
    first = expiry[0]
    calls = sum(one.leg.quantity for one in expiry if one.leg.right == "call")
    price = first.index if rule.get("offset_price", "forward") == "index" else first.forward
    naked = rule["offset_maintenance"] * max(-calls, 0.0) * price
    if rule.get("premium", "mark") == "nothing":
        value = sum((one.quantity * one.worth for one in expiry), np.zeros_like(price))
        return np.asarray(np.maximum(value - min(payoff), 0.0) + naked)
    return np.asarray(naked - min(*payoff, 0.0))


def standard_requirement(state: State) -> Floats:
    """Return the maintenance margin of the formulas, contract by contract, spread by spread."""
    rules = state.account.rules
    total = np.zeros_like(next(iter(state.index.values())))
    expiries: dict[tuple[str, str, int], list[Held]] = {}
    for held in state.held:
        profile = profile_of(rules, held.leg.coin, in_coin=held.leg.in_coin)
        if held.leg.right is None:
            total += _delta_one(held, profile)
        else:
            key = (held.leg.coin, held.leg.settle, held.leg.seconds)
            expiries.setdefault(key, []).append(held)
        for charge in profile.get("charges", []):
            if charge["on"] == "fee":
                fee = charge["rate"] * np.abs(held.quantity) * held.index
                if held.leg.right is not None:
                    cap = charge["option_cap"] * np.abs(held.quantity) * held.worth
                    fee = np.minimum(fee, cap)
                total += fee
    for (coin, settle, _), expiry in expiries.items():
        rule = profile_of(rules, coin, in_coin=settle == coin)["options"]
        needed = sum((_alone(one, rule) for one in expiry), np.zeros_like(total))
        if "offset_maintenance" in rule:
            needed = np.minimum(needed, _spread(expiry, rule))
        total += needed
    return total


def requirement(state: State) -> Floats:
    """Return the maintenance margin."""
    rules = state.account.rules
    if rules["measure"]["kind"] == "tiers":
        return standard_requirement(state)
    return scenario_requirement(
        state, lambda coin, in_coin: profile_of(rules, coin, in_coin=in_coin)
    )


def excess(account: Account, question: Question, prices: Floats) -> Floats:
    """Return equity less the maintenance margin at prices of the driver; below zero is unsafe."""
    state = moved(account, question, np.asarray(prices, dtype=float))
    return equity(state) - requirement(state)
