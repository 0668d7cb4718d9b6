"""Deribit segregated portfolio margin (S:PM): risk matrix, roll shock, delta shock.

One pool per settlement currency. Inside a pool every underlying is a currency pair with its own
matrix. A coin-settled pool is measured in its coin, a USDC-settled pool in USDC.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypedDict

from tests.second_opinion import black76
from tests.second_opinion.shapes import DAYS_PER_YEAR, Book, Position, days_left, years_left

__all__ = [
    "DEFAULTS",
    "EXTENDED_MOVES",
    "VOLATILITY_SCENARIOS",
    "aggregate",
    "deribit_spm",
    "instrument_delta",
    "instrument_profit",
    "shocked_volatility",
]

Volatility = Literal["down", "same", "up"]


class Cell(TypedDict):
    """One cell of the matrix: where it stands, the forward's move, and the volatility's."""

    table: Literal["standard", "extended"]
    move: float
    volatility: Volatility


EXTENDED_MOVES = [-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0]
VOLATILITY_SCENARIOS: list[Volatility] = ["down", "same", "up"]

# `coin` is the row of a coin-settled pool, `usd` the row of a USDC-settled one.
DEFAULTS: dict[str, Any] = {
    "mm_factor": 0.8,
    "buckets_count": 4,
    "days_floor": 1.0,
    "short_term_days": 30.0,
    "underlyings": {
        "BTC": {
            "price_range": 0.16,
            "volatility_range_up": 0.50,
            "volatility_range_down": 0.25,
            "short_term_vega_power": 0.30,
            "long_term_vega_power": 0.13,
            "min_volatility_for_shock_up": 0.50,
            "extended_table_factor": 1.0,
            "delta_total_liq_shock_threshold": 20_000_000.0,
            "max_delta_shock": 0.10,
            "m_inc": 0.00005,
            "coin": {
                "extended_dampener": 100_000.0,
                "annualised_move_risk": 0.075,
                "min_annualised_move": 0.01,
                "pnl_offset": 0.0,
                "max_offsetable_pnl": 0.0,
            },
            "usd": {
                "extended_dampener": 25_000.0,
                "annualised_move_risk": 0.10,
                "min_annualised_move": 0.01,
                "pnl_offset": 0.0,
                "max_offsetable_pnl": 0.0,
            },
        },
        "ETH": {
            "price_range": 0.18,
            "volatility_range_up": 0.40,
            "volatility_range_down": 0.25,
            "short_term_vega_power": 0.30,
            "long_term_vega_power": 0.13,
            "min_volatility_for_shock_up": 0.50,
            "extended_table_factor": 1.0,
            "delta_total_liq_shock_threshold": 20_000_000.0,
            "max_delta_shock": 0.10,
            "m_inc": 0.000004,
            "coin": {
                "extended_dampener": 200_000.0,
                "annualised_move_risk": 0.05,
                "min_annualised_move": 0.005,
                "pnl_offset": 0.6,
                "max_offsetable_pnl": 20_000_000.0,
            },
            "usd": {
                "extended_dampener": 25_000.0,
                "annualised_move_risk": 0.10,
                "min_annualised_move": 0.01,
                "pnl_offset": 0.4,
                "max_offsetable_pnl": 1_000_000.0,
            },
        },
    },
}


def shocked_volatility(
    volatility: float,
    scenario: Volatility,
    days: float,
    pair: dict[str, Any],
    parameters: dict[str, Any],
) -> float:
    """Return the volatility of a scenario; the floor lies on the result of the upward shock."""
    if scenario == "same":
        return volatility
    is_short = days < parameters["short_term_days"]
    power = pair["short_term_vega_power"] if is_short else pair["long_term_vega_power"]
    floored_days = max(parameters["days_floor"], days)
    time_factor = (parameters["short_term_days"] / floored_days) ** power
    if scenario == "up":
        shocked = volatility * (1.0 + pair["volatility_range_up"] * time_factor)
        return float(max(shocked, pair["min_volatility_for_shock_up"]))
    shocked = volatility * (1.0 - pair["volatility_range_down"] * time_factor)
    return float(max(shocked, 0.0))


def _is_coin_settled(position: Position) -> bool:
    return position["settle"] == position["underlying"]


def instrument_profit(
    book: Book,
    position: Position,
    cell: Cell,
    pair: dict[str, Any],
    parameters: dict[str, Any],
) -> float:
    """Return the profit of one position in one cell, in the pool's currency."""
    quantity, forward, move = position["quantity"], position["forward"], cell["move"]
    if position["kind"] != "option":
        if _is_coin_settled(position):
            return quantity * move / (1.0 + move)
        return quantity * forward * move
    right, strike = position["right"], position["strike"]
    volatility, years = position["implied_volatility"], years_left(book, position)
    then_forward = forward * (1.0 + move)
    then_volatility = shocked_volatility(
        volatility, cell["volatility"], days_left(book, position), pair, parameters
    )
    now = black76.value(right, forward, strike, volatility, years)
    then = black76.value(right, then_forward, strike, then_volatility, years)
    if _is_coin_settled(position):
        return quantity * (then / then_forward - now / forward)
    return quantity * (then - now)


def instrument_delta(book: Book, position: Position) -> float:
    """Return the delta of one position in coin; a coin-settled option's is net of its mark."""
    quantity, forward = position["quantity"], position["forward"]
    if position["kind"] != "option":
        return quantity
    terms = (
        position["right"],
        forward,
        position["strike"],
        position["implied_volatility"],
        years_left(book, position),
    )
    delta = black76.delta(*terms)
    if _is_coin_settled(position):
        delta -= black76.value(*terms) / forward
    return quantity * delta


def aggregate(totals: list[float], pnl_offset: float, cap: float) -> list[float]:
    """Return the totals with gains counted at the offset rate and up to the cap."""
    return [min(total * pnl_offset, cap) if total > 0.0 else total for total in totals]


def _cells(pair: dict[str, Any], parameters: dict[str, Any]) -> list[Cell]:
    buckets = parameters["buckets_count"]
    cells: list[Cell] = []
    for k in range(-buckets, buckets + 1):
        move = pair["price_range"] * k / buckets
        cells += [
            {"table": "standard", "move": move, "volatility": scenario}
            for scenario in VOLATILITY_SCENARIOS
        ]
    cells += [{"table": "extended", "move": move, "volatility": "up"} for move in EXTENDED_MOVES]
    return cells


def _adjusted_tail(raw: float, move: float, pair: dict[str, Any], *, in_coin: bool) -> float:
    """Return the counted fraction of a tail profit, in coin at the price of the range's edge."""
    price_range = pair["price_range"]
    adjusted = raw * pair["extended_table_factor"] * price_range / abs(move)
    if in_coin:
        adjusted *= (1.0 + move) / (1.0 + math.copysign(price_range, move))
    return float(adjusted)


def _dampened_tail(
    adjusted: float, move: float, pair: dict[str, Any], dampener: float, coin_price: float | None
) -> float:
    """Return the tail profit drawn toward zero by the dampener; a coin price says it is in coin."""
    price_range = pair["price_range"]
    allowance = (max(abs(move) / price_range, 1.0) - 1.0) * dampener
    if coin_price is not None:
        allowance /= (1.0 + math.copysign(price_range, move)) * coin_price
    return adjusted - math.copysign(min(allowance, abs(adjusted)), adjusted)


def _roll_shock(
    deltas: list[tuple[float | None, float]], book: Book, row: dict[str, Any]
) -> tuple[float, list[dict[str, Any]]]:
    """Return the roll shock in coin and its parts; a perpetual is an expiry of its own."""
    net: dict[float | None, float] = {}
    for expiry, delta in deltas:
        net[expiry] = net.get(expiry, 0.0) + delta
    parts: list[dict[str, Any]] = []
    for expiry, delta in net.items():
        days = 0.0 if expiry is None else max(0.0, expiry - book["as_of_days"])
        grown = math.exp(row["annualised_move_risk"] * days / DAYS_PER_YEAR) - 1.0
        rate = max(row["min_annualised_move"], grown)
        parts.append(
            {"expiry_days": expiry, "delta": delta, "rate": rate, "shock": abs(delta) * rate}
        )
    return sum(part["shock"] for part in parts), parts


def _delta_shock(
    long_options: float, everything_else: float, pair: dict[str, Any], index: float
) -> tuple[float, float]:
    """Return the delta that counts and the delta shock, both in coin."""
    total = long_options + everything_else
    if everything_else < 0.0:
        counted = min(max(total, everything_else), 0.0)
    else:
        counted = max(min(total, everything_else), 0.0)
    excess = max(0.0, abs(counted) - pair["delta_total_liq_shock_threshold"] / index)
    return counted, abs(counted) * min(pair["max_delta_shock"], pair["m_inc"] * excess)


def _one_underlying(
    book: Book, positions: list[Position], pair: dict[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    in_coin = _is_coin_settled(positions[0])
    index = book["index"][positions[0]["underlying"]]
    row = pair["coin"] if in_coin else pair["usd"]
    cells = _cells(pair, parameters)

    by_instrument = [
        [instrument_profit(book, position, cell, pair, parameters) for cell in cells]
        for position in positions
    ]
    summed = [math.fsum(column) for column in zip(*by_instrument, strict=True)]

    adjusted, dampened = list(summed), list(summed)
    for at, cell in enumerate(cells):
        if cell["table"] == "extended":
            adjusted[at] = _adjusted_tail(summed[at], cell["move"], pair, in_coin=in_coin)
            dampened[at] = _dampened_tail(
                adjusted[at],
                cell["move"],
                pair,
                row["extended_dampener"],
                index if in_coin else None,
            )
    cap = row["max_offsetable_pnl"] / index if in_coin else row["max_offsetable_pnl"]
    counted = aggregate(dampened, row["pnl_offset"], cap)
    lowest = min(counted)
    at_worst = counted.index(lowest)

    deltas = [(position["expiry_days"], instrument_delta(book, position)) for position in positions]
    long_options, everything_else = 0.0, 0.0
    for position, (_, delta) in zip(positions, deltas, strict=True):
        if position["kind"] == "option" and position["quantity"] > 0.0:
            long_options += delta
        else:
            everything_else += delta
    unit = 1.0 if in_coin else index  # the pool's currency per coin
    roll, roll_parts = _roll_shock(deltas, book, row)
    delta_counted, delta_shock = _delta_shock(long_options, everything_else, pair, index)

    worst = max(0.0, -lowest)
    return {
        "cells": cells,
        "by_instrument": by_instrument,
        "summed": summed,
        "adjusted": adjusted,
        "dampened": dampened,
        "aggregated": counted,
        "worst": worst,
        "worst_cell": at_worst,
        "worst_scenario": cells[at_worst],
        "deltas": [delta for _, delta in deltas],
        "roll_parts": roll_parts,
        "roll_shock": roll * unit,
        "long_option_delta": long_options,
        "other_delta": everything_else,
        "counted_delta": delta_counted,
        "delta_shock": delta_shock * unit,
        "risk_matrix_margin": worst + roll * unit + delta_shock * unit,
    }


def deribit_spm(book: Book, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return vectors and margins of every pool, each in its own settlement currency."""
    chosen = DEFAULTS if parameters is None else parameters
    grouped: dict[str, dict[str, list[Position]]] = {}
    for position in book["positions"]:
        pool = grouped.setdefault(position["settle"], {})
        pool.setdefault(position["underlying"], []).append(position)
    pools: dict[str, Any] = {}
    for settle, by_underlying in grouped.items():
        underlyings = {
            name: _one_underlying(book, positions, chosen["underlyings"][name], chosen)
            for name, positions in by_underlying.items()
        }
        total = sum(one["risk_matrix_margin"] for one in underlyings.values())
        pools[settle] = {
            "underlyings": underlyings,
            "initial_margin": total,
            "maintenance_margin": chosen["mm_factor"] * total,
        }
    return {"venue": "deribit-spm", "pools": pools}
