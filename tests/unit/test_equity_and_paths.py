"""Equity over currencies, status, and liquidation prices along paths, against hand and oracle."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossmargin import calculators
from crossmargin import functions as cm
from crossmargin.errors import MissingError, NotCoveredError, TableError
from crossmargin.risk_functions import risk_contributions
from crossmargin.table import Table
from tests.oracle import prices, sheets
from tests.oracle.account import Account, Balance, Leg
from tests.oracle.brackets import Brackets

if TYPE_CHECKING:
    from pathlib import Path

    from crossmargin._core import Book

F = Fraction


def _table(answer: object) -> Table:
    assert isinstance(answer, Table)
    return answer


def _summary(book: Book, group_by: str = "account") -> dict[str, Any]:
    rows = cm.summary(book, group_by=group_by).records()
    return rows[0]


def _status_book(cash: float) -> Book:
    """10 coins at 100, maintenance 5 %: equity is the cash, maintenance 50."""
    return cm.book(
        sheets.table(
            "symbol contracts entryPrice markPrice maintenanceMarginRate leverage",
            ["AAA", 10, 100, 100, 0.05, 10],
        ),
        "custom",
        collateral=sheets.table("currency cash", ["USD", cash]),
    )


# Currencies -------------------------------------------------------------------------------------

TWENTY_BTC = sheets.table(
    "symbol contracts entryPrice markPrice maintenanceMarginRate",
    ["BTC-PERP", 20, 90_000, 90_000, 0.01],
)
BTC_AT_90000 = sheets.table("symbol price", ["BTC", 90_000])


def test_collateral_in_the_coin_falls_with_it() -> None:
    """10 x 0.95 P + 20 (P - 90,000) = 0.01 x 20 P, so P = 1,800,000 / 29.3 = 61,433."""
    book = cm.book(
        TWENTY_BTC,
        "custom",
        collateral=sheets.table("currency cash collateralRate", ["BTC", 10, 0.95]),
        market=BTC_AT_90000,
    )
    assert cm.equity(book) == pytest.approx(855_000)
    assert cm.equity(book, basis="gross") == pytest.approx(900_000)
    assert cm.equity(book, basis="haircut_loss") == pytest.approx(45_000)
    assert cm.liquidation_price(book, "BTC") == pytest.approx(1_800_000 / 29.3, rel=1e-12)
    assert cm.liquidation_price(book, "BTC", side="up") is None
    # gross equity 10 P + 20 (P - 90,000) is zero at 60,000
    assert cm.liquidation_price(book, "BTC", which="bankrupt") == pytest.approx(60_000, rel=1e-12)


def test_frozen_collateral_is_liquidated_later() -> None:
    """855,000 + 20 (P - 90,000) = 0.2 P, so P = 945,000 / 19.8 = 47,727."""
    book = cm.book(TWENTY_BTC, "custom", collateral=sheets.table("currency cash", ["USD", 855_000]))
    assert cm.liquidation_price(book, "BTC") == pytest.approx(945_000 / 19.8, rel=1e-12)


SHORT_ONE_BTC_INVERSE = sheets.table(
    "symbol type contracts contractSize entryPrice markPrice",
    ["BTC/USD:BTC", "swap", -90_000, 1, 90_000, 90_000],
)


def _scan(numeraire: str) -> dict[str, object]:
    return sheets.rulebook(
        measure={
            "kind": "scan",
            "price_moves": [-0.16, 0.0, 0.16],
            "numeraire": numeraire,
            "unit": "underlying",
            "collateral_in_scan": True,
        }
    )


@pytest.mark.parametrize(("numeraire", "coins"), [("settle", 0.16 / 1.16), ("report", 0.0)])
def test_one_coin_against_a_short_of_one_coin_is_a_hedge_in_dollars_only(
    numeraire: str, coins: float
) -> None:
    """In coin +16 % loses 0.16 / 1.16 = 0.138; in dollars coin and contract cancel."""
    book = cm.book(
        SHORT_ONE_BTC_INVERSE,
        _scan(numeraire),
        collateral=sheets.table("currency cash", ["BTC", 1]),
        market=BTC_AT_90000,
    )
    found = cm.maintenance_margin(book)
    assert found == pytest.approx(coins * 90_000, rel=1e-12, abs=1e-9)


def test_a_currency_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(TableError, match="row 2, price: BTC has no price in USD"):
        cm.book(TWENTY_BTC, "custom", collateral=sheets.table("currency cash", ["BTC", 10]))


# Status -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cash", "status", "usage"),
    [
        (-100, "bankrupt", None),
        (0, "liquidatable", None),
        (30, "liquidatable", 50 / 30),
        (49.999, "liquidatable", 50 / 49.999),
        (50, "restricted", 1.0),  # at the trigger, which is strict here, but below initial margin
        (99, "restricted", 50 / 99),
        (100, "watch", 0.5),
        (200, "ok", 0.25),
    ],
)
def test_status_excess_and_usage_below_at_and_above_zero_equity(
    cash: float, status: str, usage: float | None
) -> None:
    book = _status_book(cash)
    row = _summary(book)
    assert (row["equity_gross"], row["im"], row["mm"]) == (cash, 100, 50)
    assert row["excess_mm"] == pytest.approx(cash - 50)
    assert row["excess_im"] == pytest.approx(cash - 100)
    assert cm.excess(book) == pytest.approx(cash - 50)
    assert cm.excess(book, above="IM") == pytest.approx(cash - 100)
    assert row["status"] == status
    if usage is None:
        assert row["usage"] is None
        assert cm.ratio(book) is None
        assert cm.ratio(book, style="safety") is None
    else:
        assert row["usage"] == pytest.approx(usage, rel=1e-15)
        assert cm.ratio(book) == pytest.approx(usage, rel=1e-15)
        assert cm.ratio(book, style="safety") == pytest.approx(1 / usage, rel=1e-15)


@pytest.mark.parametrize(("cash", "usage"), [(0, 0.0), (5, 0.0), (-5, None)])
def test_without_maintenance_usage_is_zero_unless_money_is_owed(
    cash: float, usage: float | None
) -> None:
    book = cm.book(
        sheets.table("symbol contracts entryPrice markPrice maintenanceMarginRate",
                     ["AAA", 0, 100, 100, 0.05]),
        "custom",
        collateral=sheets.table("currency cash", ["USD", cash]),
    )  # fmt: skip
    assert cm.ratio(book) == usage
    assert _summary(book)["status"] == ("ok" if cash >= 0 else "bankrupt")


def test_an_inclusive_trigger_liquidates_where_equity_equals_the_requirement() -> None:
    positions = sheets.table(
        "symbol contracts entryPrice markPrice maintenanceMarginRate", ["AAA", 10, 100, 100, 0.05]
    )
    for inclusive, status in ((False, "call"), (True, "liquidatable")):
        rules = sheets.rulebook(levels={"maintenance": {"inclusive": inclusive}})
        book = cm.book(positions, rules, collateral=sheets.table("currency cash", ["USD", 50]))
        assert cm.excess(book) == 0
        assert _summary(book)["status"] == status


def test_a_trigger_above_one_moves_excess_usage_and_price() -> None:
    """Portfolio margin of Hyperliquid: liquidatable above a ratio of 0.95."""
    rules = sheets.rulebook(levels={"maintenance": {"trigger": 1 / 0.95}})
    positions = sheets.table(
        "symbol contracts entryPrice markPrice maintenanceMarginRate", ["AAA", 10, 100, 100, 0.05]
    )
    book = cm.book(positions, rules, collateral=sheets.table("currency cash", ["USD", 100]))
    assert cm.excess(book) == pytest.approx(100 - 50 / 0.95, rel=1e-14)
    assert cm.ratio(book) == pytest.approx(50 / 0.95 / 100, rel=1e-14)
    # 100 + 10 (P - 100) = 0.5 P / 0.95
    price = 900 / (10 - 0.5 / 0.95)
    assert cm.liquidation_price(book, "AAA") == pytest.approx(price, rel=1e-13)


# Paths ------------------------------------------------------------------------------------------

STEEP = Brackets.of(["0", "100000", "300000"], ["0.01", "0.025", "0.05"])
STEEP_ETH = Brackets.of(["0", "50000", "80000", "200000"], ["0.02", "0.04", "0.1", "0.2"])


def _account(*sizes: tuple[str, str, str, str, Brackets], cash: str) -> Account:
    legs = tuple(
        Leg(coin, coin, F(size), F(mark), F(size) * (F(mark) - F(entry)), table)
        for coin, size, entry, mark, table in sizes
    )
    return Account(legs, (Balance("USD", F(cash)),))


def _book(account: Account) -> Book:
    return cm.book(
        sheets.positions(account),
        sheets.rulebook({leg.symbol: leg.brackets for leg in account.legs}),
        collateral=sheets.collateral(account),
    )


TWO_COINS = _account(
    ("BTC", "-2", "40000", "42000", STEEP),
    ("ETH", "20", "2300", "2200", STEEP_ETH),
    cash="30000",
)


@pytest.mark.parametrize("which", ["trigger", "bankrupt"])
@pytest.mark.parametrize("path", ["alone", "together"])
@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_prices_of_two_coins_agree_with_exact_fractions(coin: str, path: str, which: str) -> None:
    book = _book(TWO_COINS)
    mark = next(leg.mark for leg in TWO_COINS.legs if leg.coin == coin)
    expected = (
        prices.alone(TWO_COINS, coin, mark, which)
        if path == "alone"
        else prices.together(TWO_COINS, mark, which)
    )
    for side, price in (("down", expected.down), ("up", expected.up)):
        found = cm.liquidation_price(book, coin, side=side, path=path, which=which)
        assert found == (None if price is None else pytest.approx(float(price), rel=1e-12))


def test_a_short_that_crosses_two_brackets_on_the_way_is_solved_in_the_third() -> None:
    """Short 2 BTC from 42,000 with 400,000: brackets change at 50,000 and 150,000.

    In the third: 400,000 - 2 (P - 42,000) = 0.05 x 2 P - 9,000, since the amounts are
    100,000 x 0.015 + 300,000 x 0.025 = 9,000; so P = 493,000 / 2.1 = 234,761.90.
    """
    account = _account(("BTC", "-2", "42000", "42000", STEEP), cash="400000")
    assert prices.alone(account, "BTC", F(42_000)).up == F(493_000) / F("2.1")
    found = cm.liquidation_price(_book(account), "BTC")
    assert found == pytest.approx(493_000 / 2.1, rel=1e-13)


@pytest.mark.parametrize("beta", [0.4, 1.0, 1.7, -0.5])
def test_the_beta_path_agrees_with_bisection(beta: float) -> None:
    down, up = prices.along_betas(TWO_COINS, {"BTC": 1.0, "ETH": beta}, "BTC", 42_000.0)
    book = _book(TWO_COINS)
    for side, expected in (("down", down), ("up", up)):
        found = cm.liquidation_price(
            book, "BTC", side=side, path="beta", options={"betas": f"BTC:1,ETH:{beta}"}
        )
        assert found == (None if expected is None else pytest.approx(expected, rel=1e-9))


def test_a_beta_of_one_for_all_is_the_path_of_all_together() -> None:
    book = _book(TWO_COINS)
    betas = {"betas": "BTC:1,ETH:1"}
    for coin in ("BTC", "ETH"):
        assert cm.liquidation_price(book, coin, path="beta", options=betas) == pytest.approx(
            cm.liquidation_price(book, coin, path="together"), rel=1e-9
        )


def test_betas_may_stand_on_the_market_sheet_and_a_missing_one_is_refused() -> None:
    rows, rules = sheets.positions(TWO_COINS), {leg.symbol: leg.brackets for leg in TWO_COINS.legs}
    book = cm.book(
        rows,
        sheets.rulebook(rules),
        collateral=sheets.collateral(TWO_COINS),
        market=sheets.table("symbol beta", ["BTC", 1], ["ETH", 1.7]),
    )
    given = cm.liquidation_price(
        _book(TWO_COINS), "BTC", path="beta", options={"betas": "BTC:1,ETH:1.7"}
    )
    assert cm.liquidation_price(book, "BTC", path="beta") == given
    with pytest.raises(MissingError, match="beta of ETH is missing"):
        cm.liquidation_price(_book(TWO_COINS), "BTC", path="beta", options={"betas": "BTC:1"})


def test_a_rate_of_one_hundred_percent_takes_all_gains_and_no_more() -> None:
    """Long 10 from 100 with 300: down 300 + 10 (P - 100) = 0.4 P, so P = 700 / 9.6.

    Above 20,000 the rate is 100 %: gains and margin grow alike, so there is none above.
    """
    steep = Brackets.of(["0", "20000"], ["0.04", "1"])
    account = _account(("AAA", "10", "100", "100", steep), cash="300")
    expected = prices.alone(account, "AAA", F(100))
    assert (expected.down, expected.up) == (F(700) / F("9.6"), None)
    book = _book(account)
    assert cm.liquidation_price(book, "AAA") == pytest.approx(700 / 9.6, rel=1e-13)
    assert cm.liquidation_price(book, "AAA", side="up") is None


@pytest.mark.parametrize("short", [4, 8])
def test_two_legs_may_be_liquidatable_on_both_sides(short: int) -> None:
    """Long 10 and some short at 100; each leg 4 %, then 50 % from a notional of 20,000 on."""
    table = Brackets.of(["0", "20000"], ["0.04", "0.5"])
    legs = (
        Leg("AAA", "AAA", F(10), F(100), F(0), table),
        Leg("AAA", "AAA", F(-short), F(100), F(0), table),
    )
    account = Account(legs, (Balance("USD", F(300)),))
    book = cm.book(
        sheets.table(
            "symbol positionSide contracts entryPrice markPrice",
            ["AAA", "LONG", 10, 100, 100],
            ["AAA", "SHORT", -short, 100, 100],
        ),
        sheets.rulebook({"AAA": table}),
        collateral=sheets.table("currency cash", ["USD", 300]),
    )
    expected = prices.alone(account, "AAA", F(100))
    assert (expected.down is None, expected.up is None) == (short == 8, False)
    for side, price in (("down", expected.down), ("up", expected.up)):
        found = cm.liquidation_price(book, "AAA", side=side)
        assert found == (None if price is None else pytest.approx(float(price), rel=1e-12))


# Inverse ----------------------------------------------------------------------------------------


def _inverse(size: str, cash: str, rate: str, *, haircut: str = "1") -> tuple[Book, Account]:
    """COIN-M style: contracts of 100 dollars at 45,000, entered at 50,000."""
    dollars, entry, mark = F(size), F(50_000), F(45_000)
    leg = Leg(
        "BTCUSD_PERP", "BTC", dollars, mark, dollars * (1 / entry - 1 / mark),
        Brackets.flat(rate), inverse=True,
    )  # fmt: skip
    account = Account((leg,), (Balance("BTC", F(cash), F(haircut), mark),))
    book = cm.book(
        sheets.table(
            "symbol contracts contractSize entryPrice markPrice maintenanceMarginRate",
            ["BTCUSD_PERP", float(dollars / 100), 100, 50_000, 45_000, float(rate)],
        ),
        "custom",
        collateral=sheets.collateral(account),
        market=sheets.table("symbol price", ["BTC", 45_000]),
    )
    return book, account


@pytest.mark.parametrize("haircut", ["1", "0.9"])
@pytest.mark.parametrize(
    ("size", "cash"), [("50000", "0.5"), ("-50000", "0.05"), ("-50000", "2"), ("9000", "0.1")]
)
def test_inverse_contracts_through_custom_agree_with_the_second_method(
    size: str, cash: str, haircut: str
) -> None:
    book, account = _inverse(size, cash, "0.01", haircut=haircut)
    assert cm.equity(book) == pytest.approx(float(account.equity()), rel=1e-12)
    assert cm.maintenance_margin(book) == pytest.approx(float(account.maintenance()), rel=1e-12)
    for which in ("trigger", "bankrupt"):
        expected = prices.alone(account, "BTC", F(45_000), which)
        for side, price in (("down", expected.down), ("up", expected.up)):
            found = cm.liquidation_price(book, "BTC", side=side, which=which)
            assert found == (None if price is None else pytest.approx(float(price), rel=1e-12))


def test_an_inverse_long_by_hand_and_by_the_calculator_of_one_position() -> None:
    """In coin: 0.5 + 50,000 (1/50,000 - 1/P) = 0.01 x 50,000 / P, so P = 50,500 / 1.5."""
    book, _ = _inverse("50000", "0.5", "0.01")
    assert cm.liquidation_price(book, "BTC") == pytest.approx(50_500 / 1.5, rel=1e-14)
    single = cm.one_position_price(50_000, 50_000, 0.5, 0.01, kind="inverse")
    assert single == pytest.approx(50_500 / 1.5, rel=1e-14)


# Legs, pools, accounts --------------------------------------------------------------------------


def _binance_brackets(shared: Path, symbol: str) -> Brackets:
    path = shared / "data/binance_usdm_leverage_brackets_20260305.csv"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["symbol"] == symbol]
    return Brackets.of(
        [row["notional_floor"] for row in rows], [row["maint_margin_ratio"] for row in rows]
    )


def test_legs_of_hedge_mode_stay_two_each_with_its_own_bracket(shared: Path) -> None:
    table = _binance_brackets(shared, "BTCUSDT")
    legs = (
        Leg("BTCUSDT", "BTC", F(10), F(95_000), F(50_000), table),
        Leg("BTCUSDT", "BTC", F(-4), F(95_000), F(8_000), table),
    )
    account = Account(legs, (Balance("USDT", F(100_000)),), settle="USDT")
    book = cm.book(
        sheets.table(
            "symbol positionSide positionAmt entryPrice markPrice",
            ["BTCUSDT", "LONG", 10, 90_000, 95_000],
            ["BTCUSDT", "SHORT", -4, 97_000, 95_000],
        ),
        "binance-usdm",
        collateral=sheets.table("asset crossWalletBalance", ["USDT", 100_000]),
    )
    # 950,000 x 0.0065 - 1,500 = 4,675 and 380,000 x 0.005 - 300 = 1,600; netted it would be 3,450
    assert cm.maintenance_margin(book) == pytest.approx(4_675 + 1_600, rel=1e-14)
    assert cm.tiers(book).column("mm_now") == pytest.approx([4_675, 1_600], rel=1e-14)
    expected = prices.alone(account, "BTC", F(95_000))
    for side, price in (("down", expected.down), ("up", expected.up)):
        assert price is not None
        found = cm.liquidation_price(book, "BTC", side=side)
        assert found == pytest.approx(float(price), rel=1e-12)


def test_an_isolated_position_stands_on_its_own_margin_beside_the_cross_account() -> None:
    """Short 10 ETH from 3,300 with 4,000 of its own: 4,000 - 10 (P - 3,300) = 0.04 P."""
    book = cm.book(
        sheets.table(
            "symbol positionAmt entryPrice markPrice marginType isolatedWallet",
            ["BTCUSDT", 1, 90_000, 95_000, "cross", 0],
            ["ETHUSDT", -10, 3_300, 3_200, "isolated", 4_000],
        ),
        "binance-usdm",
        collateral=sheets.table("asset walletBalance crossWalletBalance", ["USDT", 34_000, 30_000]),
    )
    pools = {row["scope"]: row for row in cm.summary(book, group_by="pool")}
    assert pools["main/USDT"]["equity_gross"] == pytest.approx(35_000)
    assert pools["main/ETHUSDT isolated"]["equity_gross"] == pytest.approx(5_000)
    assert pools["main/USDT"]["mm"] == pytest.approx(380)  # 95,000 x 0.004
    assert pools["main/ETHUSDT isolated"]["mm"] == pytest.approx(128)
    assert cm.equity(book) == pytest.approx(40_000)
    eth = cm.liquidation_price(book, "ETH")
    assert eth == pytest.approx(37_000 / 10.04, rel=1e-13)
    # cross: 30,000 + P - 90,000 = 0.004 P; the other pool's money does not help
    assert cm.liquidation_price(book, "BTC") == pytest.approx(60_000 / 0.996, rel=1e-13)
    # several pools: the largest usage, the smallest excess
    assert cm.ratio(book) == pytest.approx(max(380 / 35_000, 128 / 5_000), rel=1e-13)
    assert cm.excess(book) == pytest.approx(min(35_000 - 380, 5_000 - 128), rel=1e-13)


def test_accounts_with_two_rulebooks_stand_side_by_side_and_are_never_netted() -> None:
    positions = sheets.table(
        "account symbol contracts entryPrice markPrice settle",
        ["a", "BTCUSDT", 10, 90_000, 95_000, "USDT"],
        ["b", "BTC", -10, 90_000, 95_000, "USDC"],
    )
    book = cm.book(
        positions,
        sheets.table("account rulebook", ["a", "binance-usdm"], ["b", "hyperliquid"]),
        collateral=sheets.table(
            "account currency cash", ["a", "USDT", 50_000], ["b", "USDC", 300_000]
        ),
    )
    assert cm.maintenance_margin(book, scope="a") == pytest.approx(950_000 * 0.0065 - 1_500)
    assert cm.maintenance_margin(book, scope="b") == pytest.approx(950_000 / 80)
    assert cm.equity(book, scope="a") == pytest.approx(100_000)
    assert cm.equity(book, scope="b") == pytest.approx(250_000)
    with pytest.raises(NotCoveredError, match="USDT and USDC"):
        cm.maintenance_margin(book)
    rows = _table(cm.liquidation_price(book)).records()
    assert [row["scope"] for row in rows] == ["a/USDT", "b"]
    # a: 50,000 + 10 (P - 90,000) = 0.0065 x 10 P - 1,500; b: 300,000 - 10 (P - 90,000) = P / 8
    assert rows[0]["down"] == pytest.approx(848_500 / 9.935, rel=1e-13)
    assert rows[1]["up"] == pytest.approx(1_200_000 / 10.125, rel=1e-13)


# Published examples -----------------------------------------------------------------------------

WALLET = 1_535_443.01
BTC_EXAMPLE = ("BTCUSDT", 109.488, 32_481.98, 31_967.27)
ETH_EXAMPLE = ("ETHUSDT", 3_683.979, 1_456.84, 1_335.18)


@pytest.mark.parametrize(
    ("symbol", "mode", "published"),
    [
        ("BTCUSDT", "isolated", 18_778.73),
        ("ETHUSDT", "cross", 1_153.26),
        ("BTCUSDT", "cross", 26_316.89),
    ],
)
def test_the_published_examples_of_binance(symbol: str, mode: str, published: float) -> None:
    """binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93: rates and amounts as printed."""
    stated = {"BTCUSDT": (0.025, 16_300.0), "ETHUSDT": (0.1, 135_365.0)}
    held = [row for row in (BTC_EXAMPLE, ETH_EXAMPLE) if mode == "cross" or row[0] == symbol]
    book = cm.book(
        sheets.table(
            "symbol positionAmt entryPrice markPrice maintenanceMarginRate maintAmt marginType "
            "isolatedWallet",
            *([*row, *stated[row[0]], mode, WALLET if mode == "isolated" else 0] for row in held),
        ),
        "binance-usdm",
        collateral=sheets.table(
            "asset crossWalletBalance", ["USDT", WALLET if mode == "cross" else 0]
        ),
    )
    assert cm.liquidation_price(book, symbol) == pytest.approx(published, abs=0.005)


def test_an_account_under_the_brackets_of_march_2026(shared: Path) -> None:
    """The same two positions under the real table, both prices, against exact fractions."""
    legs = []
    for symbol, *numbers in (BTC_EXAMPLE, ETH_EXAMPLE):
        size, entry, mark = (F(str(number)) for number in numbers)
        brackets = _binance_brackets(shared, symbol)
        legs.append(Leg(symbol, symbol[:3], size, mark, size * (mark - entry), brackets))
    account = Account(tuple(legs), (Balance("USDT", F(str(WALLET))),), settle="USDT")
    book = cm.book(
        sheets.table("symbol positionAmt entryPrice markPrice", BTC_EXAMPLE, ETH_EXAMPLE),
        "binance-usdm",
        collateral=sheets.table("asset crossWalletBalance", ["USDT", WALLET]),
    )
    assert cm.maintenance_margin(book) == pytest.approx(float(account.maintenance()), rel=1e-12)
    for leg in legs:
        expected = prices.alone(account, leg.coin, leg.mark)
        assert expected.down is not None
        found = cm.liquidation_price(book, leg.coin)
        assert found == pytest.approx(float(expected.down), rel=1e-11)


def test_every_bracket_of_the_rulebook_is_binances_and_continuous(shared: Path) -> None:
    """The published cumulative amounts are those that make the table continuous."""
    path = shared / "data/binance_usdm_leverage_brackets_20260305.csv"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["symbol"] == "BTCUSDT"]
    amounts = calculators.tier_amounts(
        [float(row["maint_margin_ratio"]) for row in rows],
        floors=[float(row["notional_floor"]) for row in rows],
    )
    assert amounts == pytest.approx([float(row["cum_maint_amount"]) for row in rows], abs=1e-6)


def test_two_positions_of_one_account_as_another_venue_prints_them() -> None:
    """docs.aboard.exchange: 1,000, 3 %; long 1.5 ETH from 3,000, short 0.1 BTC 40,000 now 38,000.

    (4,500 - 1,000 + 114 - 200) / (1.5 x 0.97) = 2,346.39.
    """
    book = cm.book(
        sheets.table(
            "symbol contracts entryPrice markPrice maintenanceMarginRate",
            ["ETH", 1.5, 3_000, 3_000, 0.03],
            ["BTC", -0.1, 40_000, 38_000, 0.03],
        ),
        "custom",
        collateral=sheets.table("currency cash", ["USD", 1_000]),
    )
    found = cm.liquidation_price(book, "ETH")
    assert found == pytest.approx(2_346.39, abs=0.005)
    assert found == pytest.approx(3_414 / 1.455, rel=1e-13)


def test_the_margin_of_other_positions_is_in_the_price() -> None:
    """Equity 5 at 100, long 1, rate 0.4 %, other margin 4: 99 / 0.996, not 95.40."""
    assert cm.one_position_price(1, 100, 5, 0.004, other_mm=4) == pytest.approx(99 / 0.996)


def test_contributions_of_separate_tables_are_their_own_margins_and_sum_to_the_total() -> None:
    book = _book(TWO_COINS)
    rows = risk_contributions(book).records()
    total = rows.pop()
    assert total["symbol"] == "TOTAL"
    expected = {leg.symbol: float(leg.maintenance_at({})) for leg in TWO_COINS.legs}
    assert {row["symbol"]: row["component"] for row in rows} == pytest.approx(expected, rel=1e-12)
    assert sum(float(row["component"] or 0) for row in rows) == pytest.approx(
        cm.maintenance_margin(book), rel=1e-12
    )


def _contributions(book: Book) -> tuple[dict[str, float], float]:
    rows = {str(row["symbol"]): float(row["component"] or 0) for row in risk_contributions(book)}
    total = rows.pop("TOTAL")
    return rows, total


def test_contributions_of_a_scan_are_each_rows_loss_in_the_worst_scenario() -> None:
    """Of tied scenarios the mean: the flat pair in ETH bears nothing but its charge."""
    moves = [-0.16, -0.08, 0.0, 0.08, 0.16]
    rows = [
        ["BTC-A", "BTC", 10, 100, 100],
        ["BTC-B", "BTC", -8, 101, 101],
        ["ETH-A", "ETH", -50, 10, 10],
        ["ETH-B", "ETH", 50, 10, 10],
    ]
    book = cm.book(
        sheets.table("symbol underlying contracts entryPrice markPrice", *rows),
        sheets.rulebook(
            measure={
                "kind": "scan",
                "price_moves": moves,
                "numeraire": "report",
                "unit": "underlying",
                "gross_notional_rate": 0.01,
            }
        ),
        collateral=sheets.table("currency cash", ["USD", 200]),
    )
    found, total = _contributions(book)
    expected = {
        "BTC-A": 160.0,  # the market falls by 16 %
        "BTC-B": -129.28,
        "ETH-A": 0.0,
        "ETH-B": 0.0,
    }
    charged = {name: amount for name, amount in found.items() if name not in expected}
    assert list(charged.values()) == pytest.approx([18.08, 10.0], rel=1e-12)  # 1 % of the gross
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert total == pytest.approx(sum(expected.values()) + 28.08, rel=1e-12)
    assert cm.maintenance_margin(book) == pytest.approx(sum(found.values()), rel=1e-12)
    # at t times the price: 200 + 192 (t - 1) = 0.16 x 192 t + 0.01 (1,808 t + 1,000)
    assert cm.liquidation_price(book, "BTC") == pytest.approx(100 * 2 / 143.2, rel=1e-9)


def test_contributions_of_a_value_at_risk_are_eulers() -> None:
    """w_i (S w)_i z / sigma_p, methods.md 2.5, over one day of 365."""
    weights = np.array([1_000.0, -500.0, 300.0])
    volatility = np.array([0.6, 0.8, 0.5])
    correlations = [[1.0, 0.8, 0.3], [0.8, 1.0, 0.2], [0.3, 0.2, 1.0]]
    covariance = np.outer(volatility, volatility) * np.array(correlations) / 365
    deviation = float(np.sqrt(weights @ covariance @ weights))
    quantile = NormalDist().inv_cdf(0.99)
    expected = weights * (covariance @ weights) / deviation * quantile
    book = cm.book(
        sheets.table(
            "symbol contracts entryPrice markPrice",
            ["AAA", 10, 100, 100],
            ["BBB", -50, 10, 10],
            ["CCC", 3, 100, 100],
        ),
        sheets.rulebook(
            measure={
                "kind": "normal_value_at_risk",
                "confidence": 0.99,
                "horizon_days": 1,
                "days_per_year": 365,
            }
        ),
        collateral=sheets.table("currency cash", ["USD", 200]),
        market=sheets.table("symbol annualVol", ["AAA", 0.6], ["BBB", 0.8], ["CCC", 0.5]),
        options={"correlations": correlations},
    )
    found, total = _contributions(book)
    assert list(found.values()) == pytest.approx(expected.tolist(), rel=1e-12)
    assert total == pytest.approx(quantile * deviation, rel=1e-12)
    assert sum(found.values()) == pytest.approx(total, rel=1e-12)


def test_the_answers_of_a_book_are_plain_json() -> None:
    json.dumps(cm.summary(_book(TWO_COINS)).records(), allow_nan=False)
