"""Paradex portfolio margin (beta): 24 weighted scenarios and a minimum charge on delta.

Everything is linear and settled in USDC. Every underlying is a unit of its own; units add up.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypedDict

from tests.second_opinion import black76
from tests.second_opinion.shapes import Book, Position, days_left, years_left

__all__ = ["DEFAULTS", "minimum_delta_charge", "paradex_pm", "scenarios", "shocked_volatility"]

Volatility = Literal["down", "up"]


class Scenario(TypedDict):
    """A move of all forwards, a direction of volatility, and how much of the result counts."""

    move: float
    volatility: Volatility
    weight: float


_MAJOR: dict[str, Any] = {
    "outer_move": 0.16,
    "inner_moves": [-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12],
    "tails": [
        (-0.66, 0.18),
        (-0.33, 0.36),
        (0.5, 0.24),
        (1.0, 0.12),
        (2.0, 0.06),
        (3.0, 0.04),
        (4.0, 0.03),
        (5.0, 0.024),
    ],
    "volatility_up": 0.40,
    "volatility_down": -0.22,
    "floor_of_up_shock": 0.40,
    "short_power": 0.30,
    "long_power": 0.13,
    "unhedged": 0.02,
    "hedged": 0.01,
}

_MINOR: dict[str, Any] = {
    "outer_move": 0.28,
    "inner_moves": [-0.21, -0.14, -0.07, 0.0, 0.07, 0.14, 0.21],
    "tails": [
        (-0.66, 0.30),
        (-0.33, 0.50),
        (0.5, 0.40),
        (1.0, 0.20),
        (2.0, 0.10),
        (3.0, 0.07),
        (4.0, 0.05),
        (5.0, 0.04),
    ],
    "volatility_up": 0.64,
    "volatility_down": -0.352,
    "floor_of_up_shock": 0.60,
    "short_power": 0.30,
    "long_power": 0.13,
    "unhedged": 0.03,
    "hedged": 0.015,
}

DEFAULTS: dict[str, Any] = {
    "underlyings": {"BTC": _MAJOR, "ETH": _MAJOR, "HYPE": _MINOR, "CL": _MINOR},
    "maintenance_fraction": 0.5,
    "funding_provision": 0.0,  # amounts of the whole book, in USDC
    "fee_provision": 0.0,
}


def scenarios(unit: dict[str, Any]) -> list[Scenario]:
    """Return the 24 scenarios: outer moves and tails with volatility up, inner ones with both."""
    outer = unit["outer_move"]
    listed: list[Scenario] = [{"move": -outer, "volatility": "up", "weight": 1.0}]
    for move in unit["inner_moves"]:
        listed.append({"move": move, "volatility": "up", "weight": 1.0})
        listed.append({"move": move, "volatility": "down", "weight": 1.0})
    listed.append({"move": outer, "volatility": "up", "weight": 1.0})
    listed += [
        {"move": move, "volatility": "up", "weight": weight} for move, weight in unit["tails"]
    ]
    return listed


def shocked_volatility(
    volatility: float, direction: Volatility, days: float, unit: dict[str, Any]
) -> float:
    """Return the volatility of a scenario; the floor lies on the scaled upward shock."""
    power = unit["short_power"] if days < 30.0 else unit["long_power"]
    time_factor = (30.0 / max(1.0, days)) ** power
    if direction == "up":
        shock = max(unit["volatility_up"] * time_factor, unit["floor_of_up_shock"])
    else:
        shock = unit["volatility_down"] * time_factor
    return float(volatility * max(0.0, 1.0 + shock))


def minimum_delta_charge(
    deltas: list[float], spot: float, unhedged: float, hedged: float
) -> dict[str, float]:
    """Return the charge on the net delta and on the part that hedges itself."""
    net = math.fsum(deltas)
    gross = math.fsum(abs(delta) for delta in deltas)
    hedged_delta = (gross - abs(net)) / 2.0
    charge = (unhedged * abs(net) + hedged * hedged_delta) * spot
    return {
        "net_delta": net,
        "gross_delta": gross,
        "hedged_delta": hedged_delta,
        "minimum_delta": charge,
    }


def _profit(book: Book, position: Position, scenario: Scenario, unit: dict[str, Any]) -> float:
    quantity, forward, move = position["quantity"], position["forward"], scenario["move"]
    if position["kind"] != "option":
        return quantity * forward * move
    right, strike = position["right"], position["strike"]
    volatility, years = position["implied_volatility"], years_left(book, position)
    then_volatility = shocked_volatility(
        volatility, scenario["volatility"], days_left(book, position), unit
    )
    now = black76.value(right, forward, strike, volatility, years)
    then = black76.value(right, forward * (1.0 + move), strike, then_volatility, years)
    return quantity * (then - now)


def _delta(book: Book, position: Position) -> float:
    if position["kind"] != "option":
        return position["quantity"]
    return position["quantity"] * black76.delta(
        position["right"],
        position["forward"],
        position["strike"],
        position["implied_volatility"],
        years_left(book, position),
    )


def _one_underlying(book: Book, positions: list[Position], unit: dict[str, Any]) -> dict[str, Any]:
    listed = scenarios(unit)
    by_instrument = [
        [_profit(book, position, scenario, unit) for scenario in listed] for position in positions
    ]
    summed = [math.fsum(column) for column in zip(*by_instrument, strict=True)]
    weighted = [
        scenario["weight"] * profit for scenario, profit in zip(listed, summed, strict=True)
    ]
    lowest = min(weighted)
    at_worst = weighted.index(lowest)
    deltas = [_delta(book, position) for position in positions]
    spot = book["index"][positions[0]["underlying"]]
    charge = minimum_delta_charge(deltas, spot, unit["unhedged"], unit["hedged"])
    scan = max(0.0, -lowest)
    return {
        "scenarios": listed,
        "by_instrument": by_instrument,
        "summed": summed,
        "weighted": weighted,
        "scan": scan,
        "worst_cell": at_worst,
        "worst_scenario": listed[at_worst],
        "deltas": deltas,
        **charge,
        "net": max(scan, charge["minimum_delta"]),
    }


def paradex_pm(book: Book, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the vectors of every unit and the two requirements of the book in USDC."""
    chosen = DEFAULTS if parameters is None else parameters
    grouped: dict[str, list[Position]] = {}
    for position in book["positions"]:
        grouped.setdefault(position["underlying"], []).append(position)
    underlyings = {
        name: _one_underlying(book, positions, chosen["underlyings"][name])
        for name, positions in grouped.items()
    }
    net = sum(one["net"] for one in underlyings.values())
    provisions = chosen["funding_provision"] + chosen["fee_provision"]
    pool = {
        "underlyings": underlyings,
        "net": net,
        "initial_margin": net + provisions,
        "maintenance_margin": chosen["maintenance_fraction"] * net + provisions,
    }
    return {"venue": "paradex-pm", "pools": {"USDC": pool}}
