"""Option books drawn at random but always the same for a seed.

The style of a book turns with the seed, its size with every eighth seed: 64 consecutive seeds hold
every style in every size twice.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.second_opinion import black76
from tests.second_opinion.shapes import DAYS_PER_YEAR, Book, Position, Right

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SIZES", "STYLES", "VENUES", "book", "books"]

VENUES: dict[str, list[str]] = {
    "deribit-spm": ["BTC", "ETH"],
    "paradex-pm": ["BTC", "ETH", "HYPE", "CL"],
    "span16": ["BTC", "ETH", "SOL", "XRP"],
}
SPOT = {"BTC": 97_000.0, "ETH": 2_900.0, "HYPE": 38.0, "CL": 71.0, "SOL": 165.0, "XRP": 2.4}
SHORTEST_DAYS, LONGEST_DAYS = 0.2, 400.0
LOWEST_STRIKE, HIGHEST_STRIKE = 0.4, 2.5  # times the forward
LOWEST_VOLATILITY, HIGHEST_VOLATILITY = 0.2, 2.5
EDGE_DAYS = [0.2, 0.5, 1.0, 2.0, 29.9, 30.0, 30.1, 365.0, 400.0]

# Notional of one leg in USD: dust, retail, desk, and sizes that move the market.
SIZES: list[tuple[float, float]] = [(0.5, 500.0), (1e4, 1e6), (5e6, 6e7), (3e7, 2e9)]


def _rounded(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


@dataclass
class _Market:
    """One underlying settled in one currency, and the positions drawn in it so far."""

    draw: random.Random
    venue: str
    underlying: str
    settle: str
    index: float
    size: tuple[float, float]
    forwards: dict[float, float]  # by days to expiry
    volatilities: dict[tuple[float, float], float]  # by expiry and strike, shared by both rights
    held: dict[tuple[object, ...], Position] = field(default_factory=dict)

    def log_uniform(self, low: float, high: float) -> float:
        return math.exp(self.draw.uniform(math.log(low), math.log(high)))

    def quantity(self) -> float:
        return _rounded(self.log_uniform(*self.size) / self.index, 8)

    def sign(self) -> float:
        return self.draw.choice([1.0, -1.0])

    def expiry(self) -> float:
        return self.draw.choice(list(self.forwards))

    def right(self) -> Right:
        return self.draw.choice(["call", "put"])

    def strike(self, expiry: float, low: float | None = None, high: float | None = None) -> float:
        drawn = self.log_uniform(low or LOWEST_STRIKE, high or HIGHEST_STRIKE)
        strike = _rounded(self.forwards[expiry] * drawn, 6)
        inside = self.forwards[expiry] * LOWEST_STRIKE, self.forwards[expiry] * HIGHEST_STRIKE
        return min(max(strike, inside[0]), inside[1])

    def option(self, expiry: float, strike: float, right: Right, quantity: float) -> None:
        """Hold an option; an instrument that is held already is left as it is."""
        drawn = self.log_uniform(LOWEST_VOLATILITY, HIGHEST_VOLATILITY)
        volatility = self.volatilities.setdefault((expiry, strike), _rounded(drawn, 4))
        position: Position = {
            "underlying": self.underlying,
            "kind": "option",
            "settle": self.settle,
            "expiry_days": expiry,
            "forward": self.forwards[expiry],
            "quantity": quantity,
            "strike": strike,
            "right": right,
            "implied_volatility": volatility,
        }
        self.held.setdefault(("option", expiry, strike, right), position)

    def linear(self, expiry: float | None, quantity: float) -> None:
        """Hold a future, or a perpetual where there is no expiry."""
        if expiry is None:
            forward = _rounded(self.index * self.draw.uniform(0.999, 1.001), 9)
        else:
            forward = self.forwards[expiry]
        position: Position = {
            "underlying": self.underlying,
            "kind": "perpetual" if expiry is None else "future",
            "settle": self.settle,
            "expiry_days": expiry,
            "forward": forward,
            "quantity": quantity,
        }
        self.held.setdefault(("linear", expiry), position)

    def hedge_expiry(self) -> float | None:
        """Return what the venue lists for hedging: perpetuals, futures, or both."""
        if self.venue == "paradex-pm":
            return None
        if self.venue == "span16":
            return self.expiry()
        return self.draw.choice([None, self.expiry()])

    def net_delta(self) -> float:
        total = 0.0
        for position in self.held.values():
            if position["kind"] != "option":
                total += position["quantity"]
                continue
            total += position["quantity"] * black76.delta(
                position["right"],
                position["forward"],
                position["strike"],
                position["implied_volatility"],
                (position["expiry_days"] or 0.0) / DAYS_PER_YEAR,
            )
        return total


def _mixed(market: _Market) -> None:
    for _ in range(market.draw.randint(4, 14)):
        expiry = market.expiry()
        quantity = market.sign() * market.quantity()
        market.option(expiry, market.strike(expiry), market.right(), quantity)
    if market.draw.random() < 0.7:
        market.linear(market.hedge_expiry(), market.sign() * market.quantity())


def _one_sided(market: _Market, sign: float) -> None:
    for _ in range(market.draw.randint(2, 8)):
        expiry = market.expiry()
        quantity = sign * market.quantity()
        market.option(expiry, market.strike(expiry), market.right(), quantity)


def _long_only(market: _Market) -> None:
    _one_sided(market, 1.0)


def _short_only(market: _Market) -> None:
    _one_sided(market, -1.0)


def _spreads(market: _Market) -> None:
    """Verticals, calendars and butterflies."""
    for _ in range(market.draw.randint(1, 4)):
        expiry, right = market.expiry(), market.right()
        quantity = market.sign() * market.quantity()
        strike = market.strike(expiry, 0.7, 1.4)
        shape = market.draw.choice(["vertical", "calendar", "butterfly"])
        if shape == "calendar":
            later = market.expiry()
            kept = min(max(strike, 0.4 * market.forwards[later]), 2.5 * market.forwards[later])
            market.option(expiry, strike, right, -quantity)
            market.option(later, kept, right, quantity)
            continue
        above = _rounded(min(strike * market.draw.uniform(1.02, 1.3), strike * 1.5), 6)
        market.option(expiry, strike, right, quantity)
        market.option(expiry, above, right, -quantity if shape == "vertical" else -2.0 * quantity)
        if shape == "butterfly":
            market.option(expiry, _rounded(2.0 * above - strike, 6), right, quantity)


def _straddles(market: _Market) -> None:
    for _ in range(market.draw.randint(1, 4)):
        expiry, quantity = market.expiry(), market.sign() * market.quantity()
        low = market.strike(expiry, 0.8, 1.05)
        high = low if market.draw.random() < 0.5 else market.strike(expiry, 1.05, 1.5)
        market.option(expiry, low, "put", quantity)
        market.option(expiry, high, "call", quantity)


def _hedged(market: _Market) -> None:
    """Options with the delta taken out, fully or nearly."""
    _one_sided(market, market.sign())
    part = market.draw.choice([1.0, 0.9, 1.1])
    delta = _rounded(market.net_delta() * part, 8)
    if delta:
        market.linear(market.hedge_expiry(), -delta)


def _basis(market: _Market) -> None:
    """Futures against each other or against the perpetual, with a few options on top."""
    quantity = market.sign() * market.quantity()
    market.linear(market.hedge_expiry(), quantity)
    for _ in range(0 if market.venue == "paradex-pm" else market.draw.randint(1, 2)):
        market.linear(market.expiry(), _rounded(-quantity * market.draw.uniform(0.4, 1.0), 8))
    for _ in range(market.draw.randint(1, 3)):
        expiry = market.expiry()
        held = market.sign() * market.quantity()
        market.option(expiry, market.strike(expiry), market.right(), held)


def _single_extreme(market: _Market) -> None:
    """One leg at the edge of everything."""
    expiry = market.draw.choice([min(market.forwards), max(market.forwards)])
    strike = market.forwards[expiry] * market.draw.choice([LOWEST_STRIKE, 1.0, HIGHEST_STRIKE])
    edge = market.draw.choice([LOWEST_VOLATILITY, HIGHEST_VOLATILITY])
    market.volatilities.setdefault((expiry, strike), edge)
    market.option(expiry, strike, market.right(), market.sign() * market.quantity())


_DRAWERS: dict[str, Callable[[_Market], None]] = {
    "mixed": _mixed,
    "long-only": _long_only,
    "short-only": _short_only,
    "spreads": _spreads,
    "straddles": _straddles,
    "hedged": _hedged,
    "basis": _basis,
    "single-extreme": _single_extreme,
}
STYLES = list(_DRAWERS)


def _term_structure(draw: random.Random, index: float) -> dict[float, float]:
    """Return two to six expiries with their forwards; some days are where a rule changes."""
    days: set[float] = set()
    wanted = draw.randint(2, 6)
    while len(days) < wanted:
        if draw.random() < 0.3:
            days.add(draw.choice(EDGE_DAYS))
        else:
            drawn = draw.uniform(math.log(SHORTEST_DAYS), math.log(LONGEST_DAYS))
            days.add(min(max(_rounded(math.exp(drawn), 5), SHORTEST_DAYS), LONGEST_DAYS))
    carry = draw.uniform(-0.05, 0.15)
    return {day: _rounded(index * math.exp(carry * day / DAYS_PER_YEAR), 9) for day in sorted(days)}


def _settlements(draw: random.Random, venue: str, underlying: str) -> list[str]:
    if venue != "deribit-spm":
        return ["USDC"]
    return draw.choice([[underlying], ["USDC"], [underlying, "USDC"]])


def book(venue: str, seed: int) -> Book:
    """Return the book of a seed: its style and size turn with the seed, the rest is drawn."""
    draw = random.Random(f"{venue}-{seed}")  # noqa: S311 - not a secret
    style = STYLES[seed % len(STYLES)]
    size = SIZES[seed // len(STYLES) % len(SIZES)]
    listed = VENUES[venue]
    count = 1 if style == "single-extreme" else draw.randint(1, len(listed))
    drawn: Book = {"as_of_days": 0.0, "index": {}, "positions": []}
    for underlying in sorted(draw.sample(listed, count), key=listed.index):
        index = _rounded(SPOT[underlying] * draw.uniform(0.7, 1.4), 7)
        drawn["index"][underlying] = index
        forwards = _term_structure(draw, index)
        volatilities: dict[tuple[float, float], float] = {}
        settlements = _settlements(draw, venue, underlying)
        for settle in settlements[:1] if style == "single-extreme" else settlements:
            market = _Market(draw, venue, underlying, settle, index, size, forwards, volatilities)
            _DRAWERS[style](market)
            drawn["positions"] += market.held.values()
    return drawn


def books(venue: str, count: int = 64, first_seed: int = 0) -> list[Book]:
    """Return the books of consecutive seeds."""
    return [book(venue, seed) for seed in range(first_seed, first_seed + count)]
