"""What a second reading of the engine found, each with its calculation by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crossmargin import functions as cm
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import table

if TYPE_CHECKING:
    from crossmargin._core import Book

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"


def own(**measure: Any) -> dict[str, Any]:
    """Return a rulebook of the test's own."""
    return {
        "id": "own",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USD",
        "source": "made up for a test",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "measure": {"kind": "tiers", **measure},
    }


def test_a_result_in_another_currency_stays_money_after_its_position_is_closed() -> None:
    positions = table(
        "symbol underlying settle contracts entryPrice markPrice leverage",
        ["XYZ", "BTC", "USDE", 1, 80_000, 90_000, 10],
        ["ETH", "ETH", "USDC", 10, 3_000, 2_000, 10],
    )
    cash = table("currency cash priceVenue", ["USDC", 2_200, 1], ["USDE", 0, 1])
    book = cm.book(positions, "hyperliquid", collateral=cash)
    options = {"policy": "largest_notional", "step": "whole"}
    rows = cm.liquidation_order(book, scenario="ETH:-0.05", options=options).records()
    assert rows
    # 2,200 + 10,000 - 10,000 - 1,000 and nothing is paid for closing
    assert [row["equity_after"] for row in rows] == pytest.approx([1_200] * len(rows))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC/USDT:USDT"])
def test_pasted_brackets_win_over_the_list_however_the_symbol_is_written(symbol: str) -> None:
    brackets = table(
        "rulebook symbol minNotional maxNotional maintenanceMarginRate",
        ["binance-usdm", "BTCUSDT", 0, 1e6, 0.1],
    )
    positions = table(
        "symbol contracts entryPrice markPrice leverage", [symbol, 1, 100_000, 100_000, 10]
    )
    book = cm.book(positions, brackets, collateral=table("currency cash", ["USDT", 50_000]))
    assert cm.maintenance_margin(book) == pytest.approx(10_000)


def test_two_equity_rows_of_one_currency_hold_the_result_once() -> None:
    book = cm.book(
        table(H, ["AAA", 1, 120, 100, 0.01]),
        "custom",
        collateral=table("currency equity", ["USD", 100], ["USD", 50]),
    )
    assert cm.equity(book) == pytest.approx(150)


def test_two_rows_of_one_currency_with_different_rates_are_refused() -> None:
    rows = table(
        "currency cash collateralRate priceVenue", ["ETH", 1, 0.9, 100], ["ETH", 1, 0.5, 100]
    )
    with pytest.raises(CrossmarginError, match="disagree about cash or equity"):
        cm.book(table(H, ["AAA", 1, 100, 100, 0.01]), "custom", collateral=rows)


@pytest.mark.parametrize("rule", ["additive", "per_instrument"])
@pytest.mark.parametrize("rates", [(0.1, 0.5), (0.5, 0.1)])
def test_every_order_has_its_own_rate(rule: str, rates: tuple[float, float]) -> None:
    orders = table(
        "symbol side amount price initialMarginRate",
        ["AAA", "buy", 1, 100, rates[0]],
        ["AAA", "buy", 1, 100, rates[1]],
    )
    book = cm.book(
        table(f"{H} initialMarginRate", ["AAA", 1, 100, 100, 0.05, 0.1]),
        own(orders=rule),
        collateral=table("currency cash", ["USD", 1_000]),
        orders=orders,
    )
    assert cm.summary(book).records()[0]["order_margin"] == pytest.approx(60)


def test_a_coin_that_is_collateral_only_has_a_liquidation_price() -> None:
    """0.1 x 0.95 P + 10 (3,000 - 3,000) = 10 x 3,000 x 0.01, so P = 300 / 0.095."""
    book = cm.book(
        table(H, ["ETH", -10, 3_000, 3_000, 0.01]),
        "custom",
        collateral=table("currency cash collateralRate priceVenue", ["BTC", 0.1, 0.95, 100_000]),
    )
    assert cm.liquidation_price(book, "BTC") == pytest.approx(300 / 0.095, rel=1e-12)


def test_a_trigger_near_zero_is_still_followed_by_an_order() -> None:
    book = cm.book(
        table(H, ["AAA", 1, 100_000, 100_000, 0.01]),
        "custom",
        collateral=table("currency cash", ["USD", 99_500]),
    )
    assert cm.liquidation_price(book, "AAA") == pytest.approx(500 / 0.99, rel=1e-12)
    assert len(cm.liquidation_order(book)) > 0


def test_an_empty_pool_in_debt_does_not_hide_a_position_that_is_liquidated() -> None:
    positions = table(
        "symbol contracts entryPrice markPrice leverage marginMode isolatedWallet",
        ["BTCUSDT", 1, 100_000, 100_000, 10, "isolated", 90],
    )
    cash = table("currency cash priceVenue", ["BNB", -0.1, 900])
    book = cm.book(positions, "binance-usdm", collateral=cash)
    assert cm.liquidation_order(book).column("symbol")[0] == "BTCUSDT"


@pytest.mark.parametrize("stop", ["0.5", "0"])
def test_a_stop_below_the_maintenance_margin_is_refused(stop: str) -> None:
    book = cm.book(
        table(H, ["AAA", 1, 100, 100, 0.1]),
        "custom",
        collateral=table("currency cash", ["USD", 8]),
    )
    with pytest.raises(CrossmarginError, match="stop"):
        cm.liquidation_order(book, scenario="now", options={"stop": stop})


@pytest.mark.parametrize(("quantity", "side"), [(-1, "up"), (1, "down")])
def test_with_an_excess_of_exactly_zero_the_price_is_todays_on_the_losing_side(
    quantity: float, side: str
) -> None:
    book = cm.book(
        table(H, ["AAA", quantity, 100, 100, 0.25]),
        "custom",
        collateral=table("currency cash", ["USD", 25]),
    )
    other = "down" if side == "up" else "up"
    assert cm.liquidation_price(book, "AAA", side=side) == pytest.approx(100, rel=1e-12)
    assert cm.liquidation_price(book, "AAA", side=other) is None
    assert len(cm.liquidation_order(book)) > 0


def test_a_contract_on_a_stablecoin_stays_where_it_is_when_all_coins_move() -> None:
    """Long 0.1 BTC at 100,000 with 5,000: only a fall can liquidate it."""
    positions = table(
        "symbol contracts entryPrice markPrice leverage",
        ["USDCUSDT", -100_000, 1, 1, 10],
        ["BTCUSDT", 0.1, 100_000, 100_000, 10],
    )
    book = cm.book(positions, "binance-usdm", collateral=table("currency cash", ["USDT", 9_000]))
    assert cm.liquidation_price(book, "BTC", path="together", side="up") is None


SCANNED = table(
    "symbol contracts entryPrice markPrice", ["AAA", 1, 100, 100], ["BBB", -2, 100, 100]
)


def scan_with_orders(*orders: list[Any], **measure: Any) -> Book:
    """Return one AAA bought and two BBB sold at 100 under a scan of 15 %, with open orders."""
    rules = own() | {"measure": {"kind": "scan", "price_move": 0.15, **measure}}
    return cm.book(
        SCANNED,
        rules,
        collateral=table("currency cash", ["USD", 100]),
        orders=table("symbol side amount price", *orders),
        market=table("symbol markPrice", ["CCC", 100]),
    )


@pytest.mark.parametrize(
    ("orders", "added"),
    [
        # 11 of AAA lose 0.15 x 1,100 = 165 instead of 15
        ([["AAA", "buy", 10, 100]], 150),
        # 1 - 10 = -9 of AAA lose 135
        ([["AAA", "sell", 10, 100]], 120),
        # 1 - 1.5 = -0.5 would lose 7.5: none filled is worse
        ([["AAA", "sell", 1.5, 100]], 0),
        # of 1 + 3 = 4 and 1 - 6 = -5 the sells are worse: 75 - 15
        ([["AAA", "sell", 6, 110], ["AAA", "buy", 3, 90]], 60),
        # orders of one side are filled together: 1 + 1 + 2 = 4
        ([["AAA", "buy", 1, 100], ["AAA", "buy", 2, 90]], 45),
        # each unit has its own worst: AAA buys (4), BBB none (a buy only reduces it)
        ([["AAA", "buy", 3, 100], ["BBB", "buy", 1, 100]], 45),
        # AAA buys (4: +45), BBB sells (-6: +60)
        ([["AAA", "buy", 3, 100], ["BBB", "sell", 4, 100]], 105),
        # no position in CCC: 2 bought lose 30
        ([["CCC", "buy", 2, 100]], 30),
    ],
)
def test_a_scan_fills_no_orders_all_buys_or_all_sells_of_a_coin(
    orders: list[list[Any]], added: float
) -> None:
    book = scan_with_orders(*orders)
    held = 0.15 * (100 + 200)
    assert cm.maintenance_margin(book) == pytest.approx(held, rel=1e-12)
    assert cm.initial_margin(book) == pytest.approx(held + added, rel=1e-12)
    assert cm.summary(book).records()[0]["order_margin"] == pytest.approx(added, rel=1e-12)
    rows = cm.explanation(book, measure="IM").records()
    counted = [row["amount"] for row in rows if row["component"] == "open orders"]
    assert sum(float(str(amount)) for amount in counted) == pytest.approx(added, rel=1e-12)
    unread = scan_with_orders(*orders, orders="none")
    assert cm.initial_margin(unread) == pytest.approx(held, rel=1e-12)


def test_totals_over_reporting_currencies_are_refused_everywhere() -> None:
    euro = own() | {"id": "euro", "report_currency": "EUR", "settle": "EUR"}
    rows = table(f"account settle {H}", ["a", "USD", "AAA", 1, 100, 100, 0.01],
                 ["b", "EUR", "AAA", 1, 90, 90, 0.01])  # fmt: skip
    import json  # noqa: PLC0415

    from crossmargin import _core  # noqa: PLC0415

    book = _core.build_book(
        rows,
        [("a", "json", json.dumps(own())), ("b", "json", json.dumps(euro))],
        collateral=table("account currency cash", ["a", "USD", 100], ["b", "EUR", 100]),
    )
    for ask in (
        lambda: cm.excess(book),
        lambda: cm.summary(book, group_by="riskUnit"),
        lambda: cm.maintenance_margin(book),
    ):
        with pytest.raises(CrossmarginError, match="report in"):
            ask()


def test_a_correlation_matrix_that_is_none_is_refused() -> None:
    rules = own() | {
        "measure": {"kind": "normal_value_at_risk", "confidence": 0.99, "horizon_days": 1}
    }
    positions = table("symbol contracts entryPrice markPrice", *[[c, 1, 100, 100] for c in "ABC"])
    market = table("symbol annualVol", *[[c, 0.6] for c in "ABC"])
    minus = [[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]
    for matrix in (minus, [[0.0] * 3] * 3):
        with pytest.raises(CrossmarginError, match="correlation"):
            cm.book(positions, rules, market=market, options={"correlations": matrix})


def test_a_daily_volatility_is_of_one_day_whatever_the_year() -> None:
    measure = {
        "kind": "normal_value_at_risk",
        "confidence": 0.99,
        "horizon_days": 1,
        "days_per_year": 252,
    }
    for column in ("symbol", "underlying"):
        book = cm.book(
            table("symbol underlying contracts entryPrice markPrice", ["AAA", "AAA", 1, 100, 100]),
            own() | {"measure": measure},
            market=table(f"{column} dailyVol", ["AAA", 0.03]),
        )
        # 2.3263478740408408 is the quantile of the normal law at 0.99
        assert cm.maintenance_margin(book) == pytest.approx(2.3263478740408408 * 3, rel=1e-12)
