"""An account as tables, on which actions are done by hand: a second way to what CM_CURE proposes.

Linear contracts and options settled in one currency. Nothing here is taken from the package but
the building of the book at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import crossmargin

Row = dict[str, Any]


def black(right: str, forward: float, strike: float, total: float) -> float:
    """Return the undiscounted value of an option (Black 1976)."""
    if total <= 0:
        return max(forward - strike, 0.0) if right == "C" else max(strike - forward, 0.0)
    up = (math.log(forward / strike) + total * total / 2) / total

    def law(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2))

    call = forward * law(up) - strike * law(up - total)
    return call if right == "C" else call - forward + strike


@dataclass(frozen=True)
class Ledger:
    """Positions, balances and orders of one account.

    Parameters
    ----------
    positions
        Rows with symbol, contracts, entryPrice, markPrice, what the rulebook needs, and
        optionally `option`.
    cash
        Coins by currency.
    rates
        Collateral rates given beside balances.
    prices
        Prices of the currencies.
    orders
        Rows of open orders.
    market
        Rows of the market table, header first.
    rulebook
        Name of the rulebook.
    settle
        Currency of settlement.
    """

    positions: tuple[Row, ...]
    cash: dict[str, float]
    market: list[list[Any]]
    rulebook: str
    settle: str = "USD"
    rates: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    orders: tuple[Row, ...] = ()
    fee: float = 0.0
    slippage: float = 0.0

    def book(self) -> crossmargin.Book:
        """Book the tables."""
        names = list(dict.fromkeys(key for row in self.positions for key in row if key != "option"))
        positions = [names, *[[row.get(name) for name in names] for row in self.positions]]
        collateral: list[list[Any]] = [["currency", "cash", "collateralRate", "priceVenue"]]
        for code, amount in self.cash.items():
            collateral.append([code, amount, self.rates.get(code), self.prices.get(code)])
        orders = None
        if self.orders:
            keys = list(self.orders[0])
            orders = [keys, *[[row[key] for key in keys] for row in self.orders]]
        return crossmargin.book(
            positions, self.rulebook, collateral=collateral, market=self.market, orders=orders,
            as_of="2026-01-13T12:00:00Z",
        )  # fmt: skip

    def cost(self, row: Row, size: float) -> float:
        """Return what dealing a size costs."""
        if row.get("option"):
            notional, value = size * row["forward"], size * row["markPrice"]
            return float(self.fee * notional + self.slippage * value)
        return float(size * row["markPrice"] * (self.fee + self.slippage))

    def traded(self, symbol: str, change: float, template: Row | None = None) -> Ledger:
        """Deal a contract at its mark: what is closed is realised, premiums and costs are paid."""
        own = next((row for row in self.positions if row["symbol"] == symbol), None)
        row = own or template
        assert row is not None, symbol
        held = own["contracts"] if own else 0.0
        left = held + change
        cash = -self.cost(row, abs(change))
        entry = row["entryPrice"]
        if row.get("option"):
            cash -= change * row["markPrice"]
        elif held * change < 0:
            closed = min(abs(change), abs(held)) * math.copysign(1.0, held)
            cash += closed * (row["markPrice"] - entry)
            if held * left < 0:
                entry = row["markPrice"]
        else:
            entry = (held * entry + change * row["markPrice"]) / left if own else row["markPrice"]
        rest = [known for known in self.positions if known["symbol"] != symbol]
        made = [{**row, "contracts": left, "entryPrice": entry}] if abs(left) > 1e-12 else []
        return replace(self, positions=(*rest, *made)).paid(self.settle, cash)

    def paid(self, code: str, amount: float) -> Ledger:
        """Add an amount to a balance."""
        return replace(self, cash={**self.cash, code: self.cash.get(code, 0.0) + amount})

    def done(
        self, action: str, symbol: str, side: str, size: float, listed: dict[str, Row]
    ) -> Ledger:
        """Do one row of a cure."""
        sign = 1.0 if side == "buy" else -1.0
        if action == "deposit":
            return self.paid(symbol, size)
        if action == "cancel":
            return replace(self, orders=())
        if action == "convert":
            code, into = symbol.split(" into ")
            price = self.prices.get(code, 1.0)
            money = size * price * (1 - self.fee - self.slippage)
            return self.paid(code, -size).paid(into, money)
        if symbol.startswith("all positions"):
            made = self
            for row in self.positions:
                made = made.traded(row["symbol"], -size * row["contracts"])
            return made
        return self.traded(symbol, sign * size, listed.get(symbol))
