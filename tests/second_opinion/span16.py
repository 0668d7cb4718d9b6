"""SPAN with 16 scenarios: scan risk, calendar charge, credits between products, option minimum.

The generic CME method applied to linear positions settled in USD; the ranges are inputs, since no
published ones are at hand. Every underlying is one combined commodity.
"""

from __future__ import annotations

import math
from typing import Any, TypedDict

from tests.second_opinion import black76
from tests.second_opinion.shapes import DAYS_PER_YEAR, Book, Position, years_left

__all__ = ["DEFAULTS", "price_risk", "scan", "scenarios", "span16", "spread_credits"]


class Scenario(TypedDict):
    """A move in price scan ranges, a move in volatility ranges, and the fraction covered."""

    price: float
    volatility: float
    cover: float


_PRODUCT: dict[str, float] = {
    "price_range": 0.15,  # fraction of the forward
    "volatility_range": 0.30,  # relative
    "intra_rate": 0.01,  # of the index, per coin spread between expiries
    "short_option_rate": 0.005,  # of the index, per coin of short options
}

DEFAULTS: dict[str, Any] = {
    "extreme_multiple": 3.0,
    "extreme_cover": 0.33,
    "look_ahead_days": 1.0,
    "underlyings": {
        "BTC": _PRODUCT,
        "ETH": {**_PRODUCT, "price_range": 0.18},
        "SOL": {**_PRODUCT, "price_range": 0.24, "volatility_range": 0.35},
        "XRP": {**_PRODUCT, "price_range": 0.25, "volatility_range": 0.35},
    },
    # In order of priority. Legs of side A must run against legs of side B.
    "inter_credits": [
        {
            "legs": [
                {"underlying": "BTC", "ratio": 1.0, "side": "A"},
                {"underlying": "ETH", "ratio": 25.0, "side": "B"},
            ],
            "rate": 0.5,
        },
        {
            "legs": [
                {"underlying": "ETH", "ratio": 1.0, "side": "A"},
                {"underlying": "SOL", "ratio": 20.0, "side": "B"},
            ],
            "rate": 0.35,
        },
    ],
}

Q = 1.0 / 3.0


def scenarios(extreme_multiple: float, extreme_cover: float) -> list[Scenario]:
    """Return the 16 scenarios in their published order; the first is scenario 1."""
    listed: list[Scenario] = []
    for price in (0.0, Q, -Q, 2.0 * Q, -2.0 * Q, 1.0, -1.0):
        listed.append({"price": price, "volatility": 1.0, "cover": 1.0})
        listed.append({"price": price, "volatility": -1.0, "cover": 1.0})
    return [
        *listed,
        {"price": extreme_multiple, "volatility": 0.0, "cover": extreme_cover},
        {"price": -extreme_multiple, "volatility": 0.0, "cover": extreme_cover},
    ]


def scan(profits: list[float]) -> tuple[float, int]:
    """Return the largest loss, at least zero, and the number of its scenario from 1."""
    lowest = min(profits)
    return max(0.0, -lowest), profits.index(lowest) + 1


def price_risk(profits: list[float], scenario: int) -> float:
    """Return the loss at the active price move, less the part that volatility and time explain.

    The two scenarios of one price move are averaged; the extreme moves stand alone.
    """
    at = scenario - 1
    pair = at if at >= len(profits) - 2 else at ^ 1
    adjusted_for_volatility = -0.5 * (profits[at] + profits[pair])
    time_risk = -0.5 * (profits[0] + profits[1])
    return adjusted_for_volatility - time_risk


def spread_credits(
    credits_by_priority: list[dict[str, Any]],
    net_delta: dict[str, float],
    risk: dict[str, float],
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Return the credit of every product; spreads are formed in order and use up delta."""
    remaining = dict(net_delta)
    credit = dict.fromkeys(net_delta, 0.0)
    formed: list[dict[str, Any]] = []
    for rule in credits_by_priority:
        legs = rule["legs"]
        if any(remaining.get(leg["underlying"], 0.0) == 0.0 for leg in legs):
            continue
        faces = [
            math.copysign(1.0, remaining[leg["underlying"]]) * (1.0 if leg["side"] == "A" else -1.0)
            for leg in legs
        ]
        if any(face != faces[0] for face in faces):
            continue
        spreads = min(abs(remaining[leg["underlying"]]) / leg["ratio"] for leg in legs)
        for leg in legs:
            name = leg["underlying"]
            per_delta = max(0.0, risk[name]) / abs(net_delta[name])
            credit[name] += per_delta * spreads * leg["ratio"] * rule["rate"]
            left = max(0.0, abs(remaining[name]) - spreads * leg["ratio"])
            remaining[name] = math.copysign(left, remaining[name])
        formed.append({"legs": [leg["underlying"] for leg in legs], "spreads": spreads})
    return credit, formed


def _value(book: Book, position: Position) -> float:
    return black76.value(
        position["right"],
        position["forward"],
        position["strike"],
        position["implied_volatility"],
        years_left(book, position),
    )


def _profit(
    book: Book,
    position: Position,
    scenario: Scenario,
    product: dict[str, float],
    look_ahead_days: float,
) -> float:
    quantity, forward = position["quantity"], position["forward"]
    then_forward = max(0.0, forward * (1.0 + scenario["price"] * product["price_range"]))
    if position["kind"] != "option":
        return scenario["cover"] * quantity * (then_forward - forward)
    volatility = position["implied_volatility"]
    volatility *= max(0.0, 1.0 + scenario["volatility"] * product["volatility_range"])
    years = max(0.0, years_left(book, position) - look_ahead_days / DAYS_PER_YEAR)
    then = black76.value(position["right"], then_forward, position["strike"], volatility, years)
    return scenario["cover"] * quantity * (then - _value(book, position))


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


def _one_underlying(
    book: Book, positions: list[Position], product: dict[str, float], parameters: dict[str, Any]
) -> dict[str, Any]:
    listed = scenarios(parameters["extreme_multiple"], parameters["extreme_cover"])
    look_ahead = parameters["look_ahead_days"]
    by_instrument = [
        [_profit(book, position, scenario, product, look_ahead) for scenario in listed]
        for position in positions
    ]
    summed = [math.fsum(column) for column in zip(*by_instrument, strict=True)]
    scan_risk, worst = scan(summed)

    index = book["index"][positions[0]["underlying"]]
    by_expiry: dict[float | None, float] = {}
    short = {"call": 0.0, "put": 0.0}
    option_value = 0.0
    for position in positions:
        expiry = position["expiry_days"]
        by_expiry[expiry] = by_expiry.get(expiry, 0.0) + _delta(book, position)
        if position["kind"] == "option":
            option_value += position["quantity"] * _value(book, position)
            short[position["right"]] += max(0.0, -position["quantity"])
    long_delta = sum(max(0.0, delta) for delta in by_expiry.values())
    short_delta = sum(max(0.0, -delta) for delta in by_expiry.values())
    spreads = min(long_delta, short_delta)
    return {
        "scenarios": listed,
        "by_instrument": by_instrument,
        "summed": summed,
        "scan": scan_risk,
        "worst_scenario": worst,
        "delta_by_expiry": [{"expiry_days": e, "delta": d} for e, d in by_expiry.items()],
        "net_delta": long_delta - short_delta,
        "intra_spreads": spreads,
        "intra_charge": product["intra_rate"] * index * spreads,
        "price_risk": price_risk(summed, worst),
        "short_option_minimum": product["short_option_rate"] * index * max(short.values()),
        "net_option_value": option_value,
    }


def span16(book: Book, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the vectors and the requirement of every product, and their sum, in USD."""
    chosen = DEFAULTS if parameters is None else parameters
    grouped: dict[str, list[Position]] = {}
    for position in book["positions"]:
        grouped.setdefault(position["underlying"], []).append(position)
    underlyings = {
        name: _one_underlying(book, positions, chosen["underlyings"][name], chosen)
        for name, positions in grouped.items()
    }
    credit, formed = spread_credits(
        chosen["inter_credits"],
        {name: one["net_delta"] for name, one in underlyings.items()},
        {name: one["price_risk"] for name, one in underlyings.items()},
    )
    for name, one in underlyings.items():
        before_minimum = one["scan"] + one["intra_charge"] - credit[name]
        one["inter_credit"] = credit[name]
        one["risk"] = max(before_minimum, one["short_option_minimum"])
        one["requirement"] = max(0.0, one["risk"]) - one["net_option_value"]
    total = sum(one["requirement"] for one in underlyings.values())
    pool = {"underlyings": underlyings, "inter_spreads": formed, "requirement": total}
    return {"venue": "span16", "pools": {"USD": pool}}
