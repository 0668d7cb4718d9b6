"""The real book: 83 positions of one account, and what the exchange reported about them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossmargin import functions as cm
from crossmargin.table import Table
from tests.oracle import hyperliquid, prices

if TYPE_CHECKING:
    from crossmargin._core import Book
    from tests.oracle.account import Account

COLLATERAL = [{"currency": "USDC", "total": 60940575.2080}]
FILE = "data/hyperliquid_cross_book_20260113.csv"
WITHIN = 1e-9  # relative; what the exchange's own rounding leaves


def _negated(number: str) -> str:
    return number[1:] if number.startswith("-") else f"-{number}"


def _write_mirrored(shared: Path, path: Path) -> None:
    columns = ["coin", "side", "size", "mark_price", "unrealized_pnl", "leverage", "margin_table"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for row in hyperliquid.rows(shared):
            row["side"] = {"LONG": "SHORT", "SHORT": "LONG"}[row["side"]]
            row["size"] = _negated(row["size"])
            row["unrealized_pnl"] = _negated(row["unrealized_pnl"])
            writer.writerow(row)


@pytest.fixture(scope="module")
def book(shared: Path) -> Book:
    return cm.book(shared / FILE, "hyperliquid", collateral=COLLATERAL)


@pytest.fixture(scope="module")
def mirrored(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Book:
    path = tmp_path_factory.mktemp("mirrored") / "mirrored.csv"
    _write_mirrored(shared, path)
    return cm.book(path, "hyperliquid", collateral=COLLATERAL)


@pytest.fixture(scope="module")
def second_method(shared: Path) -> Account:
    return hyperliquid.account(shared)


@pytest.fixture(scope="module")
def second_method_mirrored(shared: Path) -> Account:
    return hyperliquid.account(shared, mirrored=True)


def _maintenance(book: Book, coins: list[str]) -> float:
    return sum(cm.maintenance_margin(book, scope=coin) or 0.0 for coin in coins)


def test_the_unrealised_results_sum_to_what_the_exchange_reports(book: Book) -> None:
    equity = cm.equity(book)
    assert equity is not None
    assert equity - 60940575.2080 == pytest.approx(-3_151_614.9751, abs=1e-4)
    assert equity == pytest.approx(60_940_575.2080 - 3_151_614.9751, abs=1e-4)


def test_maintenance_with_and_without_a_table_and_what_is_left(book: Book, shared: Path) -> None:
    rows = hyperliquid.rows(shared)
    with_table = [row["coin"] for row in rows if row["margin_table"]]
    without = [row["coin"] for row in rows if not row["margin_table"]]
    assert (len(with_table), len(without)) == (58, 25)
    assert _maintenance(book, with_table) == pytest.approx(6_114_137.8001, abs=1e-4)
    assert _maintenance(book, without) == pytest.approx(73_125.1885, abs=1e-4)
    assert cm.maintenance_margin(book) == pytest.approx(6_187_262.9886, abs=1e-4)
    assert cm.excess(book) == pytest.approx(51_601_697.2443, abs=1e-4)


def test_every_reported_liquidation_price_is_reproduced(book: Book, shared: Path) -> None:
    reported = {
        row["coin"]: float(row["liquidation_price"])
        for row in hyperliquid.rows(shared)
        if row["liquidation_price"]
    }
    assert len(reported) == 40
    for coin, price in reported.items():
        assert cm.liquidation_price(book, coin) == pytest.approx(price, rel=WITHIN), coin


def test_one_table_holds_the_same_prices_as_the_single_answers(book: Book) -> None:
    table = cm.liquidation_price(book)
    assert isinstance(table, Table)
    assert len(table) == 83
    for row in table:
        assert row["nearest"] == cm.liquidation_price(book, str(row["underlying"]))


def test_the_command_line_gives_the_same_prices(shared: Path, tmp_path: Path) -> None:
    collateral = tmp_path / "collateral.csv"
    collateral.write_text("currency,total\nUSDC,60940575.2080\n", encoding="utf-8")
    program = Path(sys.executable).with_name("crossmargin")
    ran = subprocess.run(
        [program, "liquidation-price", "--positions", shared / FILE, "--rulebook", "hyperliquid",
         "--collateral", collateral, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = {row["underlying"]: row["nearest"] for row in json.loads(ran.stdout)}
    reported = [row for row in hyperliquid.rows(shared) if row["liquidation_price"]]
    assert len(reported) == 40
    for row in reported:
        assert found[row["coin"]] == pytest.approx(float(row["liquidation_price"]), rel=WITHIN)


def test_the_second_method_reproduces_the_exchange_too(
    second_method: Account, shared: Path
) -> None:
    assert float(second_method.excess()) == pytest.approx(51_601_697.2443, abs=1e-4)
    for row in hyperliquid.rows(shared):
        if row["liquidation_price"]:
            leg = next(leg for leg in second_method.legs if leg.coin == row["coin"])
            found = prices.alone(second_method, leg.coin, leg.mark).up
            assert found is not None
            assert float(found) == pytest.approx(float(row["liquidation_price"]), rel=WITHIN)


def _expected(account: Account, path: str, which: str) -> dict[str, prices.Crossings]:
    if path == "alone":
        return {leg.coin: prices.alone(account, leg.coin, leg.mark, which) for leg in account.legs}
    ratio = prices.together(account, Fraction(1), which)
    return {
        leg.coin: prices.Crossings(
            None if ratio.down is None else ratio.down * leg.mark,
            None if ratio.up is None else ratio.up * leg.mark,
        )
        for leg in account.legs
    }


@pytest.mark.parametrize("which", ["trigger", "bankrupt"])
@pytest.mark.parametrize("path", ["alone", "together"])
@pytest.mark.parametrize("name", ["book", "mirrored"])
def test_all_83_prices_on_both_sides_agree_with_exact_fractions(
    name: str, path: str, which: str, request: pytest.FixtureRequest
) -> None:
    book: Book = request.getfixturevalue(name)
    account: Account = request.getfixturevalue(
        "second_method" if name == "book" else "second_method_mirrored"
    )
    table = cm.liquidation_price(book, path=path, which=which)
    assert isinstance(table, Table)
    rows = {row["underlying"]: row for row in table}
    assert len(rows) == 83
    for coin, expected in _expected(account, path, which).items():
        row = rows[coin]
        for side, price in (("down", expected.down), ("up", expected.up)):
            if price is None:
                assert row[side] is None, (coin, side)
                assert cm.liquidation_price(
                    book, coin, side=side, path=path, which=which
                ) is None  # fmt: skip
            else:
                assert row[side] == pytest.approx(float(price), rel=1e-12), (coin, side)
        if expected.down is None and expected.up is None:
            assert str(row["status"]).startswith("none"), coin


def test_the_mirrored_book_has_prices_on_the_other_side(
    mirrored: Book, second_method_mirrored: Account
) -> None:
    """A coin held long can only fall to zero, so a small long has no price."""
    account = second_method_mirrored
    found = {leg.coin: prices.alone(account, leg.coin, leg.mark) for leg in account.legs}
    longs = [leg for leg in account.legs if leg.quantity > 0]
    falling = [leg.coin for leg in longs if found[leg.coin].down is not None]
    assert len(longs) == 57
    assert falling == ["ETH"]
    assert cm.equity(mirrored) == pytest.approx(60_940_575.2080 + 3_151_614.9751, abs=1e-4)
    assert cm.liquidation_price(mirrored, "ETH", side="down") == pytest.approx(
        float(found["ETH"].down or 0), rel=1e-12
    )
