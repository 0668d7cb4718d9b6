"""A market maker's book of 300 positions, drawn from the option chain of the crash of 2026-02-05.

The book is drawn, the market is not: every forward, mark and volatility is the exchange's. The
draw is seeded, so the same chain gives the same book.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import crossmargin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHAIN: Final = "deribit_chain_20260205T212937Z.csv"
AS_OF: Final = "2026-02-05T21:29:37Z"
RULEBOOK: Final = "deribit-spm@2026.02"
PERPETUAL: Final = "BTC-PERPETUAL"

SEED: Final = 20260205
OPTIONS: Final = 299  # and the perpetual
DEEPEST, WINGS, TAILS = 0.65, 0.25, 0.03  # deltas: drawn below, sold below, bought below
FRONT_DAYS: Final = 45.0
SIZES: Final = {"tail": 28.0, "wing": -20.0, "front": -5.0, "back": 5.0}  # BTC on average
SPREAD_OF_SIZES: Final = (0.5, 1.5)
CASH: Final = 79.0  # BTC
OPTION_LOT, PERPETUAL_LOT = 0.1, 10.0  # BTC, USD

DAILY_VOLATILITY, DAILY_VOLUME, HALF_SPREAD = 0.05, 20_000.0, 0.0002
COLUMNS: Final = (
    "instrument", "expiry_utc", "strike", "option_type", "forward_usd", "mark_coin", "mark_iv",
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """The options of the book and the market that they were drawn from."""

    options: list[dict[str, str]]
    sizes: dict[str, float]
    index: float
    candidates: int
    chain: int

    @property
    def sold(self) -> int:
        """Return how many options are short."""
        return sum(size < 0 for size in self.sizes.values())

    def crossing(self) -> tuple[float, int]:
        """Return what half the quoted spreads come to, USD, and how many options lack a side."""
        total, without = 0.0, 0
        for row in self.options:
            if row["bid_coin"] and row["ask_coin"]:
                half = 0.5 * (float(row["ask_coin"]) - float(row["bid_coin"]))
                total += half * abs(self.sizes[row["instrument"]]) * self.index
            else:
                without += 1
        return total, without


def drawn(folder: Path) -> Drawn:
    """Return the options: a seeded sample, long or short by delta and expiry.

    Parameters
    ----------
    folder
        Where the chain lies.
    """
    with (folder / CHAIN).open(encoding="utf-8", newline="") as file:
        chain = [row for row in csv.DictReader(file) if row["currency"] == "BTC"]
    candidates = [
        row
        for row in chain
        if float(row["open_interest_coin"]) > 0 and abs(float(row["delta"])) < DEEPEST
    ]
    draw = random.Random(SEED)  # noqa: S311  # not a secret
    options = draw.sample(candidates, OPTIONS)
    sizes = {
        row["instrument"]: round(SIZES[_kind(row)] * draw.uniform(*SPREAD_OF_SIZES), 1)
        for row in options
    }
    index = median(float(row["index_usd"]) for row in chain)
    return Drawn(options, sizes, index, len(candidates), len(chain))


def _kind(row: Mapping[str, str]) -> str:
    delta, days = abs(float(row["delta"])), 365.0 * float(row["t_years_act365"])
    if delta < TAILS:
        return "tail"
    if delta < WINGS:
        return "wing"
    return "front" if days < FRONT_DAYS else "back"


def hedge(own: Drawn) -> float:
    """Return the perpetual that makes the delta zero, USD: long above zero."""
    delta = crossmargin.exposure(book(own, {}, CASH)).records()[0]["delta"]
    return -round(float(str(delta)) * own.index / PERPETUAL_LOT) * PERPETUAL_LOT


def book(own: Drawn, others: Mapping[str, float], cash: float) -> crossmargin.Book:
    """Return the book.

    Parameters
    ----------
    own
        The options and the market.
    others
        Quantities that are not those drawn, by symbol, the perpetual's in USD.
    cash
        BTC.
    """
    held = own.sizes | dict(others)
    rows: list[dict[str, object]] = [
        {name: row[name] for name in COLUMNS}
        | {"quantity": held[row["instrument"]], "entry_price": "", "settle": "BTC"}
        for row in own.options
        if held[row["instrument"]]
    ]
    if held.get(PERPETUAL):
        rows.append(
            dict.fromkeys(COLUMNS, "")
            | {"instrument": PERPETUAL, "mark_coin": own.index, "quantity": held[PERPETUAL]}
            | {"entry_price": own.index, "settle": "BTC"}
        )
    lots = dict.fromkeys(own.sizes, OPTION_LOT) | {PERPETUAL: PERPETUAL_LOT}
    blank = dict.fromkeys(("indexPrice", "dailyVol", "adv", "halfSpread"), "")
    market: list[dict[str, object]] = [
        {
            "underlying": "BTC",
            "symbol": "",
            "indexPrice": own.index,
            "dailyVol": DAILY_VOLATILITY,
            "adv": DAILY_VOLUME,
            "halfSpread": HALF_SPREAD,
            "lot": "",
        }
    ]
    market += [blank | {"underlying": "", "symbol": name, "lot": lot} for name, lot in lots.items()]
    collateral = [{"currency": "BTC", "cash": cash}]
    return crossmargin.book(rows, RULEBOOK, collateral=collateral, market=market, as_of=AS_OF)
