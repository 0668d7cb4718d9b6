"""A thousand options of a real chain of 2026-01-10, drawn at random but always the same."""

from __future__ import annotations

import csv
import math
import random
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from crossmargin import functions as cm
from crossmargin.cells import CellContent
from tests.second_opinion.deribit_spm import deribit_spm

if TYPE_CHECKING:
    from pathlib import Path

    from crossmargin._core import Book
    from tests.second_opinion import shapes
    from tests.second_opinion.shapes import Position

SNAPSHOT = "2026-01-10T09:14:09Z"
POSITIONS = 1_000
COLUMNS = (
    "instrument", "expiry_utc", "strike", "option_type", "forward_usd", "mark_coin", "mark_iv"
)  # fmt: skip


@pytest.fixture(scope="module")
def chain(shared: Path) -> list[dict[str, str]]:
    path = shared / "data" / "deribit_chain_20260110T091409Z.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def index(chain: list[dict[str, str]]) -> dict[str, float]:
    """Return the index of each coin: the snapshot took some seconds, so the one in the middle."""
    seen: dict[str, list[float]] = {}
    for row in chain:
        seen.setdefault(row["currency"], []).append(float(row["index_usd"]))
    return {coin: median(prices) for coin, prices in seen.items()}


@pytest.fixture(scope="module")
def held(chain: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return rows under the headers of the file, with a signed size beside them."""
    draw = random.Random(20260110)  # noqa: S311 - not a secret
    return [
        {name: row[name] for name in COLUMNS}
        | {"quantity": draw.choice([-1, 1]) * round(draw.uniform(0.1, 50.0), 1)}
        for row in draw.sample(chain, POSITIONS)
    ]


@pytest.fixture(scope="module")
def book(held: list[dict[str, Any]], index: dict[str, float]) -> Book:
    market = [{"underlying": coin, "indexPrice": price} for coin, price in index.items()]
    collateral = [{"currency": coin, "equity": 200.0} for coin in index]
    return cm.book(held, "deribit-spm", market=market, collateral=collateral, as_of=SNAPSHOT)


def test_nothing_of_a_real_chain_is_doubted(book: Book) -> None:
    found = cm.check(CellContent(book)).records()
    assert [row for row in found if row["severity"] == "ERROR"] == []
    doubted = {row["code"] for row in found if row["severity"] == "WARNING"}
    assert not doubted & {"mark_and_volatility_disagree", "forwards_apart", "quotes_differ"}


@pytest.mark.parametrize("level", ["IM", "MM"])
def test_its_components_sum_to_the_margin(book: Book, level: str) -> None:
    margin = {"IM": cm.initial_margin, "MM": cm.maintenance_margin}[level](book)
    assert margin is not None
    assert math.isfinite(margin)
    assert margin > 0.0
    for group in ("component", "riskUnit", "position"):
        *rows, total = cm.explanation(book, measure=level, group_by=group).records()
        counted = math.fsum(float(str(row["amount"])) for row in rows if row["counts"] == "yes")
        assert counted == pytest.approx(margin, rel=1e-12)
        assert total["amount"] == pytest.approx(margin, rel=1e-15)


def test_every_unit_has_its_35_scenarios_of_which_one_decides(book: Book) -> None:
    rows = cm.scenarios(book, risk_unit="all", layout="list").records()
    for unit in ("BTC", "ETH"):
        own = [row for row in rows if row["risk_unit"] == unit]
        assert [row["id"] for row in own] == list(range(1, 36))
        assert {row["account"] for row in own} == {f"main/{unit}"}
        assert sorted(float(str(row["rank"])) for row in own) == list(range(1, 36))
        assert [row["rank"] for row in own if row["counts"] == "yes"] == [1]
    assert len(rows) == 70
    listed = cm.scenarios(book, risk_unit="all", layout="positions").records()
    assert sum(row["symbol"] != "TOTAL" for row in listed) == POSITIONS


def test_exposure_has_a_row_for_every_option_and_expiry(
    book: Book, held: list[dict[str, Any]]
) -> None:
    assert len(cm.exposure(book, group_by="symbol")) == POSITIONS + 1
    expiries = {(row["instrument"].split("-")[0], row["expiry_utc"]) for row in held}
    assert len(cm.exposure(book, group_by="expiry")) == len(expiries) + 1
    *rows, total = cm.exposure(book, group_by="expiry").records()
    for name in ("delta_usd", "gamma_1pct", "vega", "theta", "gross", "net"):
        summed = math.fsum(float(str(row[name])) for row in rows)
        scale = math.fsum(abs(float(str(row[name]))) for row in rows)
        assert total[name] == pytest.approx(summed, rel=0.0, abs=1e-12 * scale)
    assert total["delta"] is None  # coins of two kinds


IN_COINS = ("delta", "gamma_1pct", "vega", "theta", "gross", "net")


def test_coins_of_two_kinds_are_never_added_up(book: Book) -> None:
    row, total = cm.exposure(book, group_by="account", unit="coin").records()
    assert (row["group"], total["group"]) == ("main", "TOTAL")
    for name in (*IN_COINS, "share", "leverage"):
        assert (row[name], total[name]) == (None, None)


def test_coins_of_one_kind_are_added_up_under_a_total_of_money_alone(
    book: Book, index: dict[str, float]
) -> None:
    *rows, total = cm.exposure(book, unit="coin").records()
    *money, whole = cm.exposure(book).records()
    assert [row["group"] for row in rows] == [row["group"] for row in money] == ["BTC", "ETH"]
    for row, same in zip(rows, money, strict=True):
        price = index[str(row["group"])]
        for name in IN_COINS[1:]:
            assert row[name] == pytest.approx(float(str(same[name])) / price, rel=1e-12)
    assert total["group"] == "TOTAL"
    assert [total[name] for name in IN_COINS] == [None] * len(IN_COINS)
    assert total["delta_usd"] == whole["delta_usd"]


def test_a_coin_has_no_share_of_coins_of_two_kinds(book: Book) -> None:
    rows = cm.exposure(book, unit="coin").records()
    assert [row["share"] for row in rows] == [None] * 3


def test_a_second_implementation_needs_the_same_margin(
    book: Book, held: list[dict[str, Any]], index: dict[str, float]
) -> None:
    now = datetime.fromisoformat(SNAPSHOT)
    positions: list[Position] = []
    for row in held:
        left = datetime.fromisoformat(row["expiry_utc"]) - now
        coin = row["instrument"].split("-")[0]
        positions.append(
            {
                "underlying": coin,
                "kind": "option",
                "settle": coin,
                "expiry_days": left.total_seconds() / 86_400.0,
                "forward": float(row["forward_usd"]),
                "quantity": row["quantity"],
                "strike": float(row["strike"]),
                "right": "call" if row["option_type"] == "call" else "put",
                "implied_volatility": float(row["mark_iv"]),
            }
        )
    same: shapes.Book = {"as_of_days": 0.0, "index": index, "positions": positions}
    pools = deribit_spm(same)["pools"]
    expected = math.fsum(index[coin] * pool["initial_margin"] for coin, pool in pools.items())
    assert cm.initial_margin(book) == pytest.approx(expected, rel=1e-9)


def test_one_table_compares_the_chain_under_four_rulebooks_and_says_what_was_rebooked(
    held: list[dict[str, Any]], index: dict[str, float]
) -> None:
    market = [{"underlying": coin, "indexPrice": price} for coin, price in index.items()]
    market.append({"underlying": "USDC", "indexPrice": 1.0})
    collateral = [{"currency": coin, "equity": 200.0} for coin in index]
    book = cm.book(held, "deribit-spm", market=market, collateral=collateral, as_of=SNAPSHOT)
    rows = {
        row["rulebook"]: row
        for row in cm.comparison(book, "deribit-spm;derive-pm2;paradex-pm;span-16").records()
    }
    assert len(rows) == 4
    for name, row in rows.items():
        assert isinstance(row["mm"], float), (name, row["note"])
        assert row["mm"] > 0.0
    assert rows["deribit-spm"]["mm"] == cm.maintenance_margin(book)
    assert rows["deribit-spm"]["capital_efficiency"] == 0.0
    for name in ("derive-pm2", "paradex-pm"):
        note = str(rows[name]["note"])
        assert "1000 contracts are re-booked as settled in USDC" in note
        assert "the balance in BTC is re-booked as USDC" in note
    assert "estimated: roll shock" in str(rows["deribit-spm"]["note"])
    assert "estimated: " in str(rows["span-16"]["note"])
