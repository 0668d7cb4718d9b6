"""The answers about the option book of the crash, each asked of the engine once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import crossmargin
from docs import crash_chain_book as chain
from docs.liquidation_pages import DEPTH, Outcome, Row, cost_of, money, number, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TARGET: Final = 0.50
FEE: Final = 0.0003
COMPARED: Final = "venue,marginal_per_cost,largest_notional,pro_rata,all_at_once"
DOWN, UP = -0.12, 0.30
RUNGS: Final = (-0.20, -0.15, -0.12, -0.10, 0.25, 0.30, 0.40, 0.50)
CRISES: Final = "AUG2024;OCT2025;MAR2020"
MOVES: Final = [round(0.01 * step, 2) for step in range(-35, 101)]
ACROSS: Final = [round(0.02 * step, 2) for step in range(-15, 46)]
VOLATILITIES: Final = [round(0.05 * step, 2) for step in range(-10, 21)]


@dataclass(frozen=True)
class Cure:
    """A way back to the target, and the account after it, booked anew."""

    words: str
    cost: float
    usage: float
    below: float | None
    above: float | None
    delta: float
    trades: list[Row]


class Account:
    """The answers about the book, each asked once."""

    def __init__(self, folder: Path) -> None:
        self.drawn = chain.drawn(folder)
        self.hedge = chain.hedge(self.drawn)
        self.book = self.with_trades([], 0.0)

    def with_trades(self, trades: Sequence[Row], deposit: float) -> crossmargin.Book:
        """Return the book after trades at the mark with their costs, and a deposit of coins."""
        held = self.drawn.sizes | {chain.PERPETUAL: self.hedge}
        marks = {row["instrument"]: float(row["mark_coin"]) for row in self.drawn.options}
        cash = chain.CASH + deposit
        for trade in trades:
            symbol = trade["symbol"]
            signed = trade["qty"] if trade["side"] == "buy" else -trade["qty"]
            held[symbol] = round(held[symbol] + signed, 6)
            cash -= signed * marks.get(symbol, 0.0) + trade["cost"] / self.drawn.index
        return chain.book(self.drawn, held, cash)

    @cached_property
    def summary(self) -> Row:
        """Return the account in one row."""
        return dict(crossmargin.summary(self.book).records()[0])

    @cached_property
    def zones(self) -> list[Row]:
        """Return where BTC is safe and where it liquidates the account."""
        return [dict(row) for row in crossmargin.liquidation_zones(self.book, "BTC").records()]

    @property
    def triggers(self) -> tuple[float, float]:
        """Return the nearest liquidation price below and above."""
        below, above = _triggers(self.zones, self.drawn.index)
        if below is None or above is None:
            raise ValueError("the page is about an account that is liquidated on both sides")
        return below, above

    @cached_property
    def ladder(self) -> list[Row]:
        """Return usage along a move of BTC."""
        found = crossmargin.margin_grid(self.book, "BTC", price_moves=MOVES)
        return [dict(row) for row in found.records()]

    @cached_property
    def rungs(self) -> list[tuple[float, list[Row]]]:
        """Return the closings of the venue's rule after jumps of BTC."""
        return [
            (
                move,
                [
                    dict(row)
                    for row in crossmargin.liquidation_order(
                        self.book, scenario=f"BTC:{move}", max_steps=300, options=DEPTH
                    ).records()
                ],
            )
            for move in RUNGS
        ]

    def map(self, measure: str) -> list[list[object]]:
        """Return a figure over moves of BTC from left to right and of volatility upwards."""
        found = crossmargin.liquidation_map(
            self.book, "BTC", "VOL", x_moves=ACROSS, y_moves=VOLATILITIES, measure=measure
        )
        return [list(row[1:]) for row in found.rows]

    @cached_property
    def after_jumps(self) -> dict[float, list[Outcome]]:
        """Return five policies after a fall and after a rise."""
        return {move: outcomes(self.book, f"BTC:{move}", COMPARED) for move in (DOWN, UP)}

    @cached_property
    def contributions(self) -> list[Row]:
        """Return the shares of the positions in the maintenance margin."""
        return [dict(row) for row in crossmargin.risk_contributions(self.book).records()]

    @property
    def hedges(self) -> list[Row]:
        """Return the positions whose closing alone raises the margin, the worst first."""
        return sorted((row for row in self.contributions if raises(row) < 0), key=raises)

    @property
    def perpetual(self) -> Row:
        """Return the share of the perpetual in the margin."""
        return next(row for row in self.contributions if row["symbol"] == chain.PERPETUAL)

    @cached_property
    def cures(self) -> list[Cure]:
        """Return the ways back to the target, each booked anew; of several plans the cheapest."""
        found = crossmargin.cure(
            self.book,
            target=f"usage={TARGET}",
            allowed="deposit;close",
            max_rows=400,
            options=DEPTH | {"fee": FEE},
        )
        by_rank: dict[object, list[Row]] = {}
        for row in found.records():
            by_rank.setdefault(row["rank"], []).append(dict(row))
        booked = [steps for steps in by_rank.values() if _is_booked(steps)]
        plans = [steps for steps in booked if len(steps) > 1]
        dearer = sorted(plans, key=cost_of)[1:]
        return [self._cure(steps) for steps in booked if steps not in dearer]

    @property
    def plan(self) -> Cure:
        """Return the cheapest way back that trades."""
        return min((one for one in self.cures if one.cost > 0), key=lambda one: one.cost)

    def _cure(self, steps: list[Row]) -> Cure:
        first = steps[0]
        deposit = first["qty"] if first["action"] == "deposit" else 0.0
        trades = [] if deposit else steps
        after = self.with_trades(trades, deposit)
        zones = [dict(row) for row in crossmargin.liquidation_zones(after, "BTC").records()]
        delta = round(number(crossmargin.exposure(after).records()[0]["delta"]), 1) + 0.0
        if deposit:
            words = f"deposit {deposit:,.1f} BTC ({money(deposit * self.drawn.index)})"
        elif len(steps) == 1:
            words = f"{first['side']} {first['qty']:,.0f} USD of {first['symbol']}"
        else:
            lots = sum(row["qty"] for row in steps)
            puts = all(row["side"] == "buy" and row["symbol"].endswith("-P") for row in steps)
            what = "buy back {} BTC of short puts" if puts else "close {} BTC of options"
            words = f"{what.format(f'{lots:,.0f}')}, {len(steps)} contracts"
        cost = cost_of(steps)
        ratio = number(crossmargin.ratio(after))
        return Cure(words, cost, ratio, *_triggers(zones, self.drawn.index), delta, steps)

    @cached_property
    def crises(self) -> list[Row]:
        """Return the book after named crises."""
        return [dict(row) for row in crossmargin.stresses(self.book, CRISES).records()]


def raises(row: Row) -> float:
    """Return what the maintenance margin loses when a position alone is closed."""
    return number(row["incremental"])


def _is_booked(steps: Sequence[Row]) -> bool:
    """Tell whether a cure names what is traded; a share of every position has no symbol."""
    return steps[0]["action"] == "deposit" or not str(steps[0]["symbol"]).startswith("all ")


def _triggers(zones: Sequence[Row], index: float) -> tuple[float | None, float | None]:
    safe = next(row for row in zones if row["zone"] == "safe" and row["from"] < index < row["to"])
    ends = ("open", "end of search")
    below = None if safe["begins"] in ends else float(safe["from"])
    above = None if safe["ends"] in ends else float(safe["to"])
    return below, above
