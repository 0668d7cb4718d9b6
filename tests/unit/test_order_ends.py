"""Orders that end: rests that are too small to stand alone, and how far a path is followed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import crossmargin as cm
from tests.oracle import hyperliquid
from tests.oracle.sheets import Rows, records, table

if TYPE_CHECKING:
    from pathlib import Path

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"
REAL = "data/hyperliquid_cross_book_20260113.csv"


def _closings(size: float, lot: float | None, **options: object) -> list[dict[str, Any]]:
    """Return how a bankrupt account loses a fifth of what is left, step by step."""
    market: Rows = [["symbol", "lot", "markPrice"], ["ETH", lot, 3000]]
    book = cm.book(
        table(H, ["ETH", size, 3000, 3000, 0.02]), "custom", market=market,
        collateral=table("currency cash", ["USD", -1000.0]),
    )  # fmt: skip
    options = {"policy": "largest_loss", "step": 0.2} | options
    return records(cm.liquidation_order(book, scenario="now", max_steps=200, options=options))


def test_a_rest_of_a_millionth_of_the_first_size_is_closed_with_the_last_slice() -> None:
    rows = _closings(10.0, None)
    # 0.8^n falls below a millionth
    assert len(rows) == math.ceil(math.log(1e-6) / math.log(0.8))
    assert sum(row["qty"] for row in rows) == pytest.approx(10.0, rel=1e-12)
    assert "nothing is left" in rows[-1]["reason"]


def test_a_rest_below_a_lot_is_closed_with_the_last_lot() -> None:
    rows = _closings(-10.5, 1.0)
    assert [row["qty"] for row in rows] == [3, 2, 2, 1, 1, 1.5]
    assert rows[-1]["mm_after"] == 0.0


def test_a_path_is_followed_to_ten_times_the_price_and_says_so(shared: Path) -> None:
    book = cm.book(
        shared / REAL, "hyperliquid", collateral=[{"currency": "USDC", "total": 60940575.2080}]
    )
    found = cm.liquidation_order(
        book, max_steps=2000, options={"policy": "largest_loss", "step": 0.2}
    )
    rows = records(found)
    at = [row["reason"].removeprefix("ETH at ").partition(";")[0].replace(",", "") for row in rows]
    prices = [float(one) for one in at]
    mark = next(
        float(row["mark_price"]) for row in hyperliquid.rows(shared) if row["coin"] == "ETH"
    )
    assert prices == sorted(prices)
    assert prices[-1] <= 10 * mark * 1.001
    assert "the path is followed to ETH at" in rows[-1]["reason"]


def test_a_trigger_beyond_the_end_of_the_path_is_still_liquidated() -> None:
    # a short of 1 ETH at 3,000 with 100,000: liquidated at about 101,000, 33 times the price
    book = cm.book(
        table(H, ["ETH", -1, 3000, 3000, 0.02]), "custom",
        collateral=table("currency cash", ["USD", 100_000.0]),
    )  # fmt: skip
    rows = records(
        cm.liquidation_order(book, max_steps=500, options={"policy": "largest_loss", "step": 0.1})
    )
    trigger = 103_000 / 1.02
    first = float(rows[0]["reason"].removeprefix("ETH at ").partition(";")[0].replace(",", ""))
    last = float(rows[-1]["reason"].removeprefix("ETH at ").partition(";")[0].replace(",", ""))
    assert first == pytest.approx(trigger, rel=0.02)
    assert first < last <= 2 * trigger * 1.001
