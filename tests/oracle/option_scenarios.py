"""Scan margin of an option account over many prices at once: scenarios, tails, charges.

The rules are those of the second opinions and of the rulebooks' schema; every number is read from
the rulebook's file.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.oracle.option_state import Held, State
    from tests.oracle.option_values import Floats

__all__ = ["scenario_requirement"]


def scenario_requirement(
    state: State, profile_of: Callable[[str, bool], Mapping[str, Any]]
) -> Floats:
    """Return the maintenance margin: each unit's worst scenario with its charges, added up."""
    rules = state.account.rules
    by_settle = rules["measure"].get("numeraire", "report") == "settle"
    scanned = {
        one.currency: one.cash
        for one in state.account.balances
        if rules["measure"].get("collateral_in_scan") and one.currency in state.account.index
    }
    units: dict[tuple[str, bool], list[Held]] = {}
    for held in state.held:
        units.setdefault((held.leg.coin, held.leg.in_coin and by_settle), []).append(held)
    for coin in scanned:
        units.setdefault((coin, False), [])
    total = np.zeros_like(next(iter(state.index.values())))
    for (coin, in_coin), legs in units.items():
        profile = profile_of(coin, in_coin)
        coins_held = scanned.get(coin, 0.0)
        total += _unit(rules, profile, legs, state.price(coin), coins_held, in_coin=in_coin)
    return total


def _scenarios(profile: Mapping[str, Any]) -> Iterator[tuple[float, str, float, str]]:
    """Yield move, volatility, weight and treatment of every scenario."""
    for group in profile["scenarios"]:
        weights = group.get("weights")
        for place, move in enumerate(group["price_moves"]):
            weight = group.get("weight", 1.0) if weights is None else weights[place]
            for direction in group.get("volatility", ["same"]):
                yield move, direction, weight, group.get("treatment", "plain")


def _shocked(held: Held, direction: str, profile: Mapping[str, Any]) -> Floats:
    """Return the volatility of a scenario."""
    now = held.volatility
    if direction == "same":
        return now
    if direction.startswith("skew"):
        return _skewed(held, direction, profile["skew"])
    rule = profile["volatility"]
    boundary, days = rule.get("boundary_days", 30.0), held.days
    is_short = days <= boundary if rule.get("boundary") == "short" else days < boundary
    power = rule.get("short_power", 0.0) if is_short else rule.get("long_power", 0.0)
    grown = (rule.get("reference_days", 30.0) / max(days, rule.get("floor_days", 1.0))) ** power
    if direction == "up":
        return np.asarray(np.maximum(now * (1.0 + rule["up"] * grown), rule.get("minimum_up", 0.0)))
    return np.asarray(now * max(0.0, 1.0 - rule["down"] * grown))


def _skewed(held: Held, direction: str, rule: Mapping[str, Any]) -> Floats:
    root = math.sqrt(held.years)
    moneyness = np.log(held.leg.strike / held.forward)
    name = "linear"
    if direction == "skew_absolute":
        name, moneyness = "absolute", np.abs(moneyness)
    cap = rule[f"{name}_cap"] + rule[f"{name}_slope"] * root
    width = rule["width_scale"] * root * (rule["volatility"] + rule["volatility_slope"] * root)
    change = moneyness * cap / max(rule["minimum_width"], width)
    change = np.minimum(cap, np.maximum(-cap, change))
    return np.asarray(held.volatility * np.maximum(0.0, 1.0 + change))


def _static_discount(value: Floats, held: Held, rule: Mapping[str, Any]) -> Floats:
    """Return the factor that lowers a positive value of an expiry and raises a negative one."""
    rate = max(held.leg.rate, 0.0)
    pull = rate * rule["long_rate_multiple"] + rule["long_rate_add"]
    long = rule["long_base"] * math.exp(-held.years * pull)
    pull = rate * rule["short_rate_multiple"] + rule["short_rate_add"]
    short = min(1.0 / held.discount, rule["short_base"] * math.exp(held.years * pull))
    return np.asarray(np.where(value >= 0.0, long, short))


def _unit(  # noqa: PLR0913  the parts of one unit
    rules: Mapping[str, Any],
    profile: Mapping[str, Any],
    legs: Sequence[Held],
    index: Floats,
    coins_held: float,
    *,
    in_coin: bool,
) -> Floats:
    """Return the maintenance margin of one unit in dollars."""
    expiries: dict[int, list[Held]] = {}
    for held in legs:
        if held.leg.right is not None:
            expiries.setdefault(held.leg.seconds, []).append(held)
    worst = np.zeros_like(index)
    for move, direction, weight, treatment in _scenarios(profile):
        result = coins_held * index * move
        for held in legs:
            if held.leg.right is None:
                result = result + _linear(held, move, in_coin=in_coin)
        for expiry in expiries.values():
            result = result + _expiry_result(
                expiry,
                profile,
                move,
                direction,
                treatment,
                in_coin=in_coin,
            )
        result = _treated(result, move, treatment, profile, index, in_coin=in_coin) * weight
        result = _gains_cut(result, profile)
        worst = np.maximum(worst, -result)
    charges = _charges(profile, legs, expiries, index)
    worst = np.maximum(worst, charges["alternative"])
    needed = np.maximum(worst + charges["inside"], charges["floor"])
    factor = profile.get("maintenance_factor", rules["levels"]["maintenance"].get("factor", 1.0))
    return np.asarray(factor * needed + charges["outside"])


def _linear(held: Held, move: float, *, in_coin: bool) -> Floats:
    """Return the result of a perpetual in dollars.

    Measured in coin it counts at today's index; in dollars the coin moves too, and with it the
    unrealised result that is held in it.
    """
    if not held.leg.in_coin:
        return held.quantity * held.forward * move
    coins = held.quantity * move / (1.0 + move)
    if in_coin:
        return coins * held.index
    return ((1.0 + move) * (held.profit + coins) - held.profit) * held.index


def _expiry_result(  # noqa: PLR0913  what one scenario asks of one expiry
    expiry: Sequence[Held],
    profile: Mapping[str, Any],
    move: float,
    direction: str,
    treatment: str,
    *,
    in_coin: bool,
) -> Floats:
    """Return the result of one expiry's options in dollars."""
    before, after = np.zeros_like(expiry[0].index), np.zeros_like(expiry[0].index)
    for held in expiry:
        now = held.value * held.discount
        then = held.value_after(move, _shocked(held, direction, profile)) * held.discount
        if held.leg.in_coin:
            rate = held.index / held.forward
            now = now * rate
            then = then * (rate / (1.0 + move) if in_coin else rate)
        before += held.quantity * now
        after += held.quantity * then
    if "discount" in profile:
        after = after * _static_discount(after, expiry[0], profile["discount"])
    result = after - before
    for held in expiry:
        if held.leg.in_coin and not in_coin:  # what a mark is apart is coins too, which move
            apart = held.worth - held.value * held.discount / held.forward
            result = result + held.quantity * apart * held.index * move
    return -np.abs(result) if treatment == "minus_absolute_per_expiry" else result


def _treated(  # noqa: PLR0913  the terms of the published formula
    result: Floats,
    move: float,
    treatment: str,
    profile: Mapping[str, Any],
    index: Floats,
    *,
    in_coin: bool,
) -> Floats:
    """Return a tail's result: a fraction of it, less the dampener, in dollars of today."""
    if treatment != "extended":
        return result
    rule = profile["extension"]
    edge = math.copysign(rule["range"], move)
    adjusted = result * rule["factor"] * rule["range"] / abs(move)
    allowance = (max(abs(move) / rule["range"], 1.0) - 1.0) * rule["dampener"]
    if in_coin:
        adjusted = adjusted * (1.0 + move) / (1.0 + edge)
        allowance = allowance / (1.0 + edge)
    damped = np.maximum(np.abs(adjusted) - allowance, 0.0)
    return np.asarray(np.sign(adjusted) * damped * np.ones_like(index))


def _gains_cut(result: Floats, profile: Mapping[str, Any]) -> Floats:
    rule = profile.get("gains")
    if rule is None:
        return result
    return np.where(
        result > 0.0, np.minimum(result * rule["share"], rule.get("cap", math.inf)), result
    )


# Charges ----------------------------------------------------------------------------------------


def _charges(
    profile: Mapping[str, Any],
    legs: Sequence[Held],
    expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> dict[str, Floats]:
    nothing = np.zeros_like(index)
    found = dict.fromkeys(("inside", "outside", "floor", "alternative"), nothing)
    for charge in profile.get("charges", []):
        rate = charge.get("rate", charge.get("maintenance", 1.0))
        amount = rate * _CHARGES[charge["on"]](charge, legs, expiries, index)
        stage = charge["stage"]
        if stage in {"floor", "alternative"}:
            found[stage] = np.maximum(found[stage], amount)
        else:
            found[stage] = found[stage] + amount
    return found


def _roll(
    charge: Mapping[str, Any],
    legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    """Return, per expiry, its net delta times a rate that grows with time."""
    net: dict[int, Floats] = {}
    years: dict[int, float] = {}
    for held in legs:
        key = held.leg.seconds if held.leg.right is not None else -1
        delta = held.delta
        net[key] = net.get(key, np.zeros_like(index)) + delta
        years[key] = held.years if held.leg.right is not None else 0.0
    total = np.zeros_like(index)
    for key, delta in net.items():
        grown = charge.get("annualised", 0.0) * years[key]
        if charge.get("growth", "linear") == "exponential":
            grown = math.expm1(grown)
        total += np.abs(delta) * max(charge.get("minimum", 0.0), grown)
    return total * index


def _minimum_delta(
    charge: Mapping[str, Any],
    legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    net, gross = np.zeros_like(index), np.zeros_like(index)
    for held in legs:
        delta = held.delta
        net, gross = net + delta, gross + np.abs(delta)
    hedged = (gross - np.abs(net)) / 2.0
    return np.asarray((charge["unhedged"] * np.abs(net) + charge["hedged"] * hedged) * index)


def _short_options(
    _charge: Mapping[str, Any],
    legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    sold = sum(max(-held.leg.quantity, 0.0) for held in legs if held.leg.right is not None)
    return sold * index


def _size(
    charge: Mapping[str, Any],
    legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    """Return the delta shock; deltas of options bought only reduce."""
    relief, rest = np.zeros_like(index), np.zeros_like(index)
    for held in legs:
        delta = held.delta
        if held.leg.right is not None and held.leg.quantity > 0.0:
            relief = relief + delta
        else:
            rest = rest + delta
    total = relief + rest
    counted = np.where(
        rest < 0.0,
        np.minimum(np.maximum(total, rest), 0.0),
        np.maximum(np.minimum(total, rest), 0.0),
    )
    size = np.abs(counted)
    beyond = np.maximum(size - charge["threshold"] / index, 0.0)
    return np.asarray(size * np.minimum(charge["cap"], charge["increment"] * beyond) * index)


def _perpetuals(
    charge: Mapping[str, Any],
    legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    total = np.zeros_like(index)
    for held in legs:
        kind = "perpetual" if held.leg.right is None else "option"
        if kind in charge["kinds"]:
            at_index = charge.get("price", "mark") == "index"
            total += np.abs(held.quantity) * (index if at_index else held.forward)
    return total


def _naked_shorts(
    _charge: Mapping[str, Any],
    _legs: Sequence[Held],
    expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    naked = 0.0
    for expiry in expiries.values():
        strikes: dict[float, float] = {}
        for held in expiry:
            strikes[held.leg.strike] = strikes.get(held.leg.strike, 0.0) + held.leg.quantity
        naked += sum(max(-amount, 0.0) for amount in strikes.values())
    return naked * index


def _forward_contingency(
    charge: Mapping[str, Any],
    _legs: Sequence[Held],
    expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    """Return, per expiry, its loss in the worse of two moves without the static discount."""
    total = np.zeros_like(index)
    for expiry in expiries.values():
        worst = np.zeros_like(index)
        for move in charge["moves"]:
            change = np.zeros_like(index)
            for held in expiry:
                change += (
                    held.quantity
                    * held.discount
                    * (held.value_after(move, held.volatility) - held.value)
                )
            worst = np.maximum(worst, -change)
        total += worst * (charge["add"] + charge["per_year"] * expiry[0].years)
    return total


def _nothing(
    _charge: Mapping[str, Any],
    _legs: Sequence[Held],
    _expiries: Mapping[int, Sequence[Held]],
    index: Floats,
) -> Floats:
    """Return the charge for doubtful prices where every price is certain."""
    return np.zeros_like(index)


_CHARGES: dict[str, Callable[..., Floats]] = {
    "roll": _roll,
    "minimum_delta": _minimum_delta,
    "short_options": _short_options,
    "size": _size,
    "notional": _perpetuals,
    "naked_shorts": _naked_shorts,
    "forward_contingency": _forward_contingency,
    "confidence": _nothing,
}
