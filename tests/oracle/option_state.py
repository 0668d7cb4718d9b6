"""An option account and what moving one price does to it: the tables and every leg's figures.

A price's path moves indices and all forwards of a coin by one ratio. Volatilities stay at their
strikes, or follow the ratio of their own coin by a power. Days that pass settle what expires at its
intrinsic value, into the cash of its settlement currency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tests.oracle.option_values import Floats, forward_delta, intrinsic, option_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.second_opinion.shapes import Right

__all__ = ["Account", "Balance", "Held", "Leg", "Question", "State", "moved"]

AS_OF = datetime(2026, 1, 10, 9, 14, 9, tzinfo=UTC)
SECONDS_PER_DAY = 86_400.0
SECONDS_PER_YEAR = 365.0 * SECONDS_PER_DAY
STABLE = ("USD", "USDC")


@dataclass(frozen=True)
class Leg:
    """One contract; `quantity` in coins, long > 0; `forward` is the mark of a perpetual."""

    coin: str
    settle: str
    quantity: float
    forward: float
    right: Right | None = None  # None: a perpetual
    strike: float = 0.0
    volatility: float = 0.0
    seconds: int = 0
    rate: float = 0.0
    mark: float | None = None  # of an option, in its settlement currency; None: as the model has it

    @property
    def in_coin(self) -> bool:
        """Say whether it settles in its coin."""
        return self.settle == self.coin


@dataclass(frozen=True)
class Balance:
    """Cash in coins; `rate` is the share that counts, None where the rulebook says it."""

    currency: str
    cash: float
    rate: float | None = None


@dataclass(frozen=True)
class Question:
    """Which price moves, and what follows it."""

    driver: str
    path: Literal["alone", "together", "beta"] = "alone"
    betas: Mapping[str, float] = field(default_factory=dict)
    elasticity: float = 0.0
    days: float = 0.0

    def options(self) -> dict[str, object]:
        """Return the options of the function under test."""
        given: dict[str, object] = {}
        if self.path == "beta":
            given["betas"] = dict(self.betas)
        if self.elasticity:
            given["vol"] = self.elasticity
        if self.days:
            given["days"] = self.days
        return given


@dataclass(frozen=True)
class Account:
    """One account with its rulebook (a parsed file) and the prices it is looked at."""

    rules: Mapping[str, Any]
    index: Mapping[str, float]
    legs: tuple[Leg, ...]
    balances: tuple[Balance, ...]

    def mark(self, coin: str) -> float:
        """Return the price in which a coin's moves are told: its perpetual's, else its index."""
        for leg in self.legs:
            if leg.coin == coin and leg.right is None:
                return leg.forward
        return self.index[coin]

    def tables(self) -> dict[str, Any]:
        """Return the arguments of a book: positions, collateral, market, moment."""
        market = [
            {"underlying": coin, "indexPrice": price, "dailyVol": 0.03}
            for coin, price in self.index.items()
        ]
        market += [{"underlying": "USDC", "indexPrice": 1.0, "dailyVol": None}]
        return {
            "positions": [_row(leg, place) for place, leg in enumerate(self.legs)],
            "collateral": [
                {"currency": one.currency, "cash": one.cash, "collateralRate": one.rate}
                for one in self.balances
            ],
            "market": market,
            "as_of": AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _row(leg: Leg, place: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "symbol": f"{leg.coin}-{leg.settle}-{place:03d}",
        "type": "perpetual" if leg.right is None else "option",
        "underlying": leg.coin,
        "settle": leg.settle,
        "expiry": None,
        "quantity": leg.quantity,
        "markPrice": None,
        "unrealizedPnl": 0.0,
        "strike": None,
        "optionType": None,
        "impliedVolatilityFraction": None,
        "forward": None,
        "rate": None,
    }
    if leg.right is None:
        row["markPrice"] = leg.forward
        if leg.in_coin:  # contracts of one dollar
            row["quantity"] = leg.quantity * leg.forward
        return row
    return row | {
        "expiry": (AS_OF + timedelta(seconds=leg.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "strike": leg.strike,
        "optionType": leg.right,
        "impliedVolatilityFraction": leg.volatility,
        "forward": leg.forward,
        "rate": leg.rate,
        "markPrice": leg.mark,
    }


@dataclass(frozen=True)
class Held:
    """A leg at every price asked: sizes in coins, prices in dollars."""

    leg: Leg
    index: Floats
    forward: Floats
    volatility: Floats
    years: float
    quantity: Floats  # of an inverse contract, dollars over the mark
    profit: Floats  # unrealised, of a perpetual, in its settlement currency
    discount: float  # 1 where the rulebook does not discount
    discount_today: float

    @property
    def days(self) -> float:
        """Return the days left."""
        return self.years * 365.0

    @cached_property
    def value(self) -> Floats:
        """Return the undiscounted value of one option on one coin as things stand."""
        return self.value_after(0.0, self.volatility)

    def value_after(self, move: float, volatility: Floats) -> Floats:
        """Return that value after a move of the forward, at a volatility."""
        if self.leg.right is None:
            raise ValueError("a perpetual has no option value")
        return option_value(
            self.leg.right,
            self.forward * (1.0 + move),
            self.leg.strike,
            volatility,
            self.years,
        )

    def _settled(self, value: Floats, forward: Floats) -> Floats:
        """Return money as the settlement currency."""
        return value / forward if self.leg.in_coin else value

    @cached_property
    def time_value(self) -> Floats:
        """Return what the model has above what is paid at the forward, settlement currency."""
        if self.leg.right is None:
            raise ValueError("a perpetual has no option value")
        paid = intrinsic(self.leg.right, self.forward, self.leg.strike)
        return self._settled((self.value - paid) * self.discount, self.forward)

    @cached_property
    def worth(self) -> Floats:
        """Return what one option counts for in the equity, in its settlement currency.

        The mark's distance from the model goes along. A mark below the model leaves the option
        what it pays at the forward, or as much less than that as it does today, and at least
        nothing.
        """
        leg, modelled = self.leg, self._settled(self.value * self.discount, self.forward)
        if leg.mark is None or leg.right is None:
            return modelled
        now = np.array([leg.forward])
        years = leg.seconds / SECONDS_PER_YEAR

        def today(value: Floats) -> float:
            return float(self._settled(value * self.discount_today, now)[0])

        black = today(option_value(leg.right, now, leg.strike, leg.volatility, years))
        paying = today(intrinsic(leg.right, now, leg.strike))
        shifted = modelled - (black - leg.mark)
        if leg.mark >= black:
            return shifted
        paid = intrinsic(leg.right, self.forward, leg.strike) * self.discount
        kept = self._settled(paid, self.forward) - max(paying - leg.mark, 0.0)
        return np.asarray(np.maximum(np.maximum(shifted, kept), 0.0))

    @cached_property
    def delta(self) -> Floats:
        """Return the delta in coins; that of a coin-settled option is net of its premium."""
        if self.leg.right is None:
            return self.quantity
        delta = forward_delta(
            self.leg.right, self.forward, self.leg.strike, self.volatility, self.years
        )
        if self.leg.in_coin:
            delta = delta - self.value / self.forward
        return self.quantity * self.discount * delta


@dataclass(frozen=True)
class State:
    """The account at every price asked; amounts of a currency in its own coins."""

    account: Account
    index: Mapping[str, Floats]
    held: tuple[Held, ...]
    profits: Mapping[str, Floats]  # cash, results and what settled, by currency
    cash: Mapping[str, float]

    def price(self, currency: str) -> Floats:
        """Return dollars per coin."""
        return self.index[currency]


def moved(account: Account, question: Question, prices: Floats) -> State:
    """Return the account at prices of the driver."""
    driven = prices / account.mark(question.driver)
    ratios: dict[str, Floats] = {}
    for coin in account.index:
        if question.path == "together" or coin == question.driver:
            ratios[coin] = driven
        elif question.path == "beta":
            ratios[coin] = driven ** (question.betas[coin] / question.betas[question.driver])
        else:
            ratios[coin] = np.ones_like(driven)
    index = {coin: price * ratios[coin] for coin, price in account.index.items()}
    index |= dict.fromkeys(STABLE, np.ones_like(driven))
    cash = {one.currency: one.cash for one in account.balances}
    profits = {currency: np.full_like(driven, amount) for currency, amount in cash.items()}
    held = []
    passed = question.days * SECONDS_PER_DAY
    discounting = account.rules.get("pricing", {}).get("discounting", "nothing")
    discounts = discounting == "rate_at_least_zero"
    for leg in account.legs:
        ratio = ratios[leg.coin]
        forward = leg.forward * ratio
        amount = profits.setdefault(leg.settle, np.zeros_like(driven))
        quantity = np.full_like(driven, leg.quantity)
        profit = np.zeros_like(driven)
        if leg.right is None:
            if leg.in_coin:
                quantity = leg.quantity / ratio
                profit = leg.quantity * (1.0 - 1.0 / ratio)
            else:
                profit = leg.quantity * (forward - leg.forward)
            amount += profit
        elif leg.seconds <= passed:
            paid = leg.quantity * intrinsic(leg.right, forward, leg.strike)
            amount += paid / forward if leg.in_coin else paid
            continue
        years = max(leg.seconds - passed, 0.0) / SECONDS_PER_YEAR
        volatility = leg.volatility * ratio**question.elasticity
        figures = (index[leg.coin], forward, volatility, years, quantity, profit)
        rate = max(leg.rate, 0.0) if discounts else 0.0
        factors = (math.exp(-rate * years), math.exp(-rate * leg.seconds / SECONDS_PER_YEAR))
        held.append(Held(leg, *figures, *factors))
    return State(account, index, tuple(held), profits, cash)
