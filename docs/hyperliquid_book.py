"""The answers about a real cross-margin book on Hyperliquid, each asked of the engine once."""

from __future__ import annotations

import csv
from functools import cached_property
from typing import TYPE_CHECKING, Final

import crossmargin
from docs.liquidation_pages import DEPTH, Outcome, Row, cost_of, number, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POSITIONS: Final = "hyperliquid_cross_book_20260113.csv"
CONTEXTS: Final = "hyperliquid_asset_contexts_202605.csv"
RULEBOOK: Final = "hyperliquid@2026.01"
CASH: Final = 60_940_575.2080
DAILY_VOLATILITY: Final = 0.05
UNKNOWN_VOLUME, UNKNOWN_SPREAD = 1e6, 0.001  # USD a day; half of bid to offer
FEE: Final = 0.00045
COMPARED: Final = "venue,marginal_per_cost,highest_risk_contribution,pro_rata,all_at_once"
GAP: Final = 0.30
RALLY, TARGET = 0.25, 0.50
MOVES: Final = [round(0.01 * step, 2) for step in range(-50, 71)]
ETHER: Final = [round(0.02 * step, 2) for step in range(-25, 46)]
SECOND: Final = [round(0.05 * step, 2) for step in range(-10, 61)]


class Account:
    """The answers about the book, each asked once."""

    def __init__(self, folder: Path) -> None:
        with (folder / POSITIONS).open(encoding="utf-8", newline="") as file:
            self.rows: list[dict[str, str]] = list(csv.DictReader(file))
        with (folder / CONTEXTS).open(encoding="utf-8", newline="") as file:
            self.contexts = {row["coin"]: row for row in csv.DictReader(file)}

    def book(self, move: float = 0.0) -> crossmargin.Book:
        """Return the book, every price moved by one ratio."""
        positions = [
            row
            | {
                "mark_price": repr(float(row["mark_price"]) * (1 + move)),
                "unrealized_pnl": repr(
                    float(row["unrealized_pnl"])
                    + move * float(row["size"]) * float(row["mark_price"])
                ),
                "position_value": "",
                "margin_used": "",
                "liquidation_price": "",
            }
            for row in self.rows
        ]
        market = [self._market(row, 1 + move) for row in self.rows]
        collateral = [{"currency": "USDC", "cash": CASH}]
        return crossmargin.book(positions, RULEBOOK, collateral=collateral, market=market)

    def _market(self, row: dict[str, str], ratio: float) -> dict[str, object]:
        """Return a coin's depth: volume and spread where the exchange told them, else assumed."""
        price = float(row["mark_price"]) * ratio
        known = self.contexts.get(row["coin"])
        volume, spread = UNKNOWN_VOLUME, UNKNOWN_SPREAD
        if known and known["impact_bid_px"] and known["impact_ask_px"]:
            bid, ask = float(known["impact_bid_px"]), float(known["impact_ask_px"])
            volume, spread = float(known["volume_24h_usd"]), (ask - bid) / (ask + bid)
        return {
            "underlying": row["coin"],
            "indexPrice": price,
            "dailyVol": DAILY_VOLATILITY,
            "beta": 1.0,
            "adv": volume / price,
            "halfSpread": spread,
        }

    @cached_property
    def today(self) -> crossmargin.Book:
        """Return the book as it was."""
        return self.book()

    @cached_property
    def rallied(self) -> crossmargin.Book:
        """Return the book after the rally that is to be cured."""
        return self.book(RALLY)

    @cached_property
    def summary(self) -> Row:
        """Return the account in one row."""
        return dict(crossmargin.summary(self.today).records()[0])

    @cached_property
    def prices(self) -> dict[str, Row]:
        """Return the liquidation prices by coin."""
        found = crossmargin.liquidation_price(self.today)
        rows = found.records() if isinstance(found, crossmargin.Table) else []
        return {str(row["underlying"]): dict(row) for row in rows}

    @cached_property
    def ladders(self) -> dict[str, list[Row]]:
        """Return usage along a move of ETH alone and of all coins."""
        return {
            coin: [
                dict(row)
                for row in crossmargin.margin_grid(self.today, coin, price_moves=MOVES).records()
            ]
            for coin in ("ETH", "ALL")
        }

    def map(self, measure: str) -> list[list[object]]:
        """Return a figure over moves of ETH from left to right and of SOL from bottom to top."""
        found = crossmargin.liquidation_map(
            self.today, "ETH", "SOL", x_moves=ETHER, y_moves=SECOND, measure=measure
        )
        return [list(row[1:]) for row in found.rows]

    @cached_property
    def together(self) -> Row:
        """Return the zones of all coins moving by one ratio: where the safe one ends."""
        zones = crossmargin.liquidation_zones(self.today, "ETH", path="together").records()
        return dict(next(row for row in zones if row["zone"] == "safe"))

    @cached_property
    def rungs(self) -> list[list[Row]]:
        """Return the closings of the exchange's rule as ETH goes on rising, by step."""
        found = crossmargin.liquidation_order(self.today, max_steps=2000, options=DEPTH)
        by_step: dict[object, list[Row]] = {}
        for row in found.records():
            by_step.setdefault(row["step"], []).append(dict(row))
        return list(by_step.values())

    @cached_property
    def at_the_trigger(self) -> list[Outcome]:
        """Return five policies just past the trigger of ETH."""
        return outcomes(self.today, "nearest", COMPARED)

    @cached_property
    def after_a_gap(self) -> list[Outcome]:
        """Return five policies after all coins have jumped."""
        return outcomes(self.today, str(GAP), COMPARED)

    @cached_property
    def cures(self) -> dict[float, list[Row]]:
        """Return the ways back to the target after the rally, by rank."""
        found = crossmargin.cure(
            self.rallied,
            target=f"usage={TARGET}",
            allowed="deposit;close",
            max_rows=400,
            options=DEPTH | {"fee": FEE},
        )
        by_rank: dict[float, list[Row]] = {}
        for row in found.records():
            by_rank.setdefault(float(str(row["rank"])), []).append(dict(row))
        return by_rank

    @cached_property
    def crises(self) -> list[Row]:
        """Return the book after the named crises."""
        return [dict(row) for row in crossmargin.stresses(self.today).records()]


def ether_at(rung: Sequence[Row]) -> float:
    """Return the price of ETH at a rung, before the closing moves it."""
    words = str(rung[0]["reason"])
    return float(words.removeprefix("ETH at ").partition(";")[0])


def closed(rung: Sequence[Row]) -> float:
    """Return the notional closed at a rung, USD."""
    return sum(number(row["qty"]) * number(row["price"]) for row in rung)


def single(account: Account, coin: str = "") -> list[Row]:
    """Return the cheapest cure that closes one position, or that of a coin."""
    found = [
        steps
        for steps in account.cures.values()
        if len(steps) == 1 and str(steps[0]["symbol"]) in account.prices
    ]
    return min((one for one in found if coin in {"", one[0]["symbol"]}), key=cost_of)
