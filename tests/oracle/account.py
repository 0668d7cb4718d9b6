"""An account as a function of the prices: equity, maintenance, and what is left between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.brackets import Brackets

__all__ = ["Account", "Balance", "Factors", "Leg"]

Factors = Mapping[str, Fraction]
"""Coin to price over its price now; a coin that is not named stands still."""


@dataclass(frozen=True)
class Leg:
    """One position. Linear: `quantity` in coins. Inverse: in dollars, paid in the coin."""

    symbol: str
    coin: str
    quantity: Fraction
    mark: Fraction
    pnl: Fraction  # unrealised at the mark, in the currency of settlement
    brackets: Brackets
    inverse: bool = False

    def notional(self, factors: Factors) -> Fraction:
        """Return the size in the currency of settlement."""
        price = self.mark * factors.get(self.coin, Fraction(1))
        return abs(self.quantity) / price if self.inverse else abs(self.quantity) * price

    def pnl_at(self, factors: Factors) -> Fraction:
        """Return the unrealised result in the currency of settlement."""
        price = self.mark * factors.get(self.coin, Fraction(1))
        if self.inverse:
            return self.pnl + self.quantity * (1 / self.mark - 1 / price)
        return self.pnl + self.quantity * (price - self.mark)

    def maintenance_at(self, factors: Factors) -> Fraction:
        """Return the maintenance margin in the currency of settlement."""
        return self.brackets.maintenance(self.notional(factors))

    def kinks(self) -> list[Fraction]:
        """Return the factors of the coin's price at which the bracket changes."""
        size = self.notional({})
        inner = [floor for floor in self.brackets.floors if floor > 0]
        return [size / floor if self.inverse else floor / size for floor in inner if size]


@dataclass(frozen=True)
class Balance:
    """Cash in one currency, the rate at which it counts, and its price in the reporting one."""

    currency: str
    amount: Fraction
    rate: Fraction = Fraction(1)
    price: Fraction = Fraction(1)


@dataclass(frozen=True)
class Account:
    """Legs and balances with one margin; `settle` is the currency of its linear legs."""

    legs: tuple[Leg, ...]
    balances: tuple[Balance, ...]
    settle: str = "USD"

    def _settles(self, leg: Leg) -> str:
        return leg.coin if leg.inverse else self.settle

    def _price(self, currency: str, factors: Factors) -> Fraction:
        held = [balance for balance in self.balances if balance.currency == currency]
        start = held[0].price if held else Fraction(1)
        return start * factors.get(currency, Fraction(1))

    def equity(self, factors: Factors | None = None, *, haircut: bool = True) -> Fraction:
        """Return cash and unrealised results in the reporting currency."""
        factors = factors or {}
        currencies = {balance.currency for balance in self.balances}
        currencies |= {self._settles(leg) for leg in self.legs}
        total = Fraction(0)
        for currency in sorted(currencies):
            held = [balance for balance in self.balances if balance.currency == currency]
            amount = sum((balance.amount for balance in held), Fraction(0))
            amount += sum(
                (leg.pnl_at(factors) for leg in self.legs if self._settles(leg) == currency),
                Fraction(0),
            )
            rate = held[0].rate if held and haircut and amount > 0 else Fraction(1)
            total += amount * rate * self._price(currency, factors)
        return total

    def maintenance(self, factors: Factors | None = None) -> Fraction:
        """Return the maintenance margin in the reporting currency."""
        factors = factors or {}
        return sum(
            (
                leg.maintenance_at(factors) * self._price(self._settles(leg), factors)
                for leg in self.legs
            ),
            Fraction(0),
        )

    def excess(
        self, factors: Factors | None = None, *, trigger: Fraction = Fraction(1)
    ) -> Fraction:
        """Return equity less trigger times maintenance."""
        return self.equity(factors) - trigger * self.maintenance(factors)

    def corner_of_haircut(self, coin: str) -> list[Fraction]:
        """Return the factor of the coin at which its inverse legs use up its balance.

        Below zero no collateral rate applies: a debt is not reduced.
        """
        legs = [leg for leg in self.legs if leg.inverse and leg.coin == coin]
        held = [balance for balance in self.balances if balance.currency == coin]
        coins = sum((leg.quantity / leg.mark for leg in legs), Fraction(0))
        now = sum((balance.amount for balance in held), Fraction(0))
        now += sum((leg.pnl for leg in legs), Fraction(0))
        if not coins or not now + coins:
            return []
        factor = coins / (now + coins)
        return [factor] if factor > 0 else []
