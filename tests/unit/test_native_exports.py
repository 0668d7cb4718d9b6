"""Pasted exports of five venues: cash, equity and total, without counting a result twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossmargin import functions as cm
from crossmargin.cells import CellContent
from crossmargin.errors import TableError
from tests.oracle import sheets

if TYPE_CHECKING:
    from crossmargin._core import Book
    from crossmargin.table import Table

# Everywhere the same book: 12,000 in the wallet, +2,500 on BTC, -400 on ETH, so 14,100.
WALLET, EQUITY = 12_000, 14_100
USDT = sheets.table("symbol price", ["USDT", 1])
BY_LEVERAGE = sheets.rulebook(
    tiers={"list_by": "symbol", "assumed_share_of_initial": 0.5, "tables": []}
)


def _has_equity(book: Book, money: float) -> None:
    assert cm.equity(book, basis="gross") == pytest.approx(money, rel=1e-9)
    assert cm.equity(book) == pytest.approx(money, rel=1e-9)


def _check(book: Book, view: str = "issues") -> Table:
    return cm.check(CellContent(book), view=view)


# Binance ----------------------------------------------------------------------------------------

BINANCE = sheets.table(
    "symbol positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit liquidationPrice "
    "leverage maxNotionalValue marginType isolatedMargin isAutoAddMargin positionSide notional "
    "isolatedWallet updateTime",
    ["BTCUSDT", "0.500", "90000.0", "90036.0", "95000.00000000", "2500.00000000", "0", "20",
     "40000000", "cross", "0.00000000", "false", "BOTH", "47500.00000000", "0", "1768300000000"],
    ["ETHUSDT", "-4.000", "3200.0", "3198.7", "3300.00000000", "-400.00000000", "0", "20",
     "40000000", "cross", "0.00000000", "false", "BOTH", "-13200.00000000", "0", "1768300000000"],
)  # fmt: skip
BINANCE_BALANCES = {
    "balance endpoint": sheets.table(
        "accountAlias asset balance crossWalletBalance crossUnPnl availableBalance "
        "maxWithdrawAmount marginAvailable updateTime",
        ["SgsR", "USDT", "12000.00000000", "12000.00000000", "2100.00000000", "9000.0", "9000.0",
         "true", "1768300000000"],
    ),
    "account endpoint": sheets.table(
        "asset walletBalance unrealizedProfit marginBalance maintMargin initialMargin "
        "crossWalletBalance crossUnPnl",
        ["USDT", "12000.0", "2100.0", "14100.0", "242.8", "3035.0", "12000.0", "2100.0"],
    ),
    "wallet alone": sheets.table("asset walletBalance", ["USDT", "12000.0"]),
    "margin balance alone": sheets.table("asset marginBalance", ["USDT", "14100.0"]),
}  # fmt: skip


@pytest.mark.parametrize("balances", BINANCE_BALANCES)
def test_binance(balances: str) -> None:
    book = cm.book(BINANCE, "binance-usdm", collateral=BINANCE_BALANCES[balances])
    _has_equity(book, EQUITY)
    # 47,500 x 0.004 + 13,200 x 0.004, both in the first bracket of March 2026
    assert cm.maintenance_margin(book) == pytest.approx(190 + 52.8)


# Hyperliquid ------------------------------------------------------------------------------------

HYPERLIQUID = sheets.table(
    "coin szi markPx entryPx positionValue unrealizedPnl returnOnEquity liquidationPx marginUsed "
    "maxLeverage leverage",
    ["BTC", "0.5", "95000.0", "90000.0", "47500.0", "2500.0", "1.1", None, "4750.0", "40", "10"],
    ["ETH", "-4.0", "3300.0", "3200.0", "13200.0", "-400.0", "-0.3", None, "1320.0", "25", "10"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "amount"),
    [("accountValue", EQUITY), ("equity", EQUITY), ("cash", WALLET), ("total", WALLET)],
)
def test_hyperliquid(column: str, amount: float) -> None:
    """`accountValue` holds the results already; a plain `total` of a hand-made table is cash."""
    book = cm.book(
        HYPERLIQUID, "hyperliquid", collateral=sheets.table(f"currency {column}", ["USDC", amount])
    )
    _has_equity(book, EQUITY)
    assert cm.maintenance_margin(book) == pytest.approx(47_500 / 80 + 13_200 / 50)


# Deribit ----------------------------------------------------------------------------------------

# One short perpetual of 90,000 dollars from 88,000 at 90,000, opened after the last settlement.
FLOATING = -90_000 * (1 / 88_000 - 1 / 90_000)
DERIBIT = sheets.table(
    "instrument_name kind direction size size_currency average_price mark_price index_price "
    "floating_profit_loss realized_profit_loss total_profit_loss initial_margin "
    "maintenance_margin leverage settlement_price delta",
    ["BTC-PERPETUAL", "future", "sell", "-90000", "-1.0", "88000", "90000", "90010.5",
     f"{FLOATING:.9f}", "0.0", f"{FLOATING:.9f}", "0.02005", "0.01005", "50", "88000", "-1.0"],
)  # fmt: skip
DERIBIT_BALANCES = {
    "both": sheets.table(
        "currency balance equity margin_balance initial_margin maintenance_margin "
        "available_funds session_upl session_rpl",
        ["BTC", "2.0", f"{2 + FLOATING:.9f}", f"{2 + FLOATING:.9f}", "0.02005", "0.01005", "1.95",
         f"{FLOATING:.9f}", "0.0"],
    ),
    "equity alone": sheets.table("currency equity", ["BTC", f"{2 + FLOATING:.9f}"]),
    "balance alone": sheets.table(
        "currency balance available_funds session_upl", ["BTC", "2.0", "1.95", f"{FLOATING:.9f}"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("balances", DERIBIT_BALANCES)
def test_deribit(balances: str) -> None:
    """In coin, and at the index: the size of an inverse contract is dollars."""
    book = cm.book(
        DERIBIT,
        BY_LEVERAGE,
        collateral=DERIBIT_BALANCES[balances],
        market=sheets.table("symbol price", ["BTC", 90_010.5]),
    )
    _has_equity(book, (2 + round(FLOATING, 9)) * 90_010.5)
    # the rate assumed from leverage 50 on one coin at the mark, valued at the index
    assert cm.maintenance_margin(book) == pytest.approx(0.01 * 90_010.5, rel=1e-12)
    assert _check(book, "units").column("read_as") == ["USD"]


# OKX --------------------------------------------------------------------------------------------

OKX = sheets.table(
    "instType instId mgnMode posSide pos avgPx markPx upl lever imr mmr notionalUsd ctVal uTime",
    ["SWAP", "BTC-USDT-SWAP", "cross", "net", "50", "90000", "95000", "2500", "10", "", "190",
     "47500", "0.01", "1768300000000"],
    ["SWAP", "ETH-USDT-SWAP", "cross", "net", "-40", "3200", "3300", "-400", "10", "", "53",
     "13200", "0.1", "1768300000000"],
)  # fmt: skip
OKX_BALANCES = {
    "both": sheets.table(
        "ccy eq cashBal upl availBal liab disEq eqUsd uTime",
        ["USDT", "14100", "12000", "2100", "9000", "0", "14100", "14095", "1768300000000"],
    ),
    "eq alone": sheets.table("ccy eq", ["USDT", "14100"]),
    "cashBal alone": sheets.table("ccy cashBal", ["USDT", "12000"]),
}


@pytest.mark.parametrize("balances", OKX_BALANCES)
def test_okx(balances: str) -> None:
    """`pos` counts contracts: 50 x 0.01 BTC and 40 x 0.1 ETH."""
    book = cm.book(OKX, BY_LEVERAGE, collateral=OKX_BALANCES[balances], market=USDT)
    _has_equity(book, EQUITY)
    assert cm.tiers(book).column("notional") == pytest.approx([47_500, 13_200])
    assert cm.maintenance_margin(book) == pytest.approx((47_500 + 13_200) / 20)


# Bybit ------------------------------------------------------------------------------------------

BYBIT = sheets.table(
    "category symbol side size avgPrice markPrice positionValue unrealisedPnl leverage positionIM "
    "positionMM positionIdx liqPrice tradeMode updatedTime",
    ["linear", "BTCUSDT", "Buy", "0.5", "90000", "95000", "47500", "2500", "10", "4750", "237.5",
     "0", "", "0", "1768300000000"],
    ["linear", "ETHUSDT", "Sell", "4", "3200", "3300", "13200", "-400", "10", "1320", "66", "0",
     "", "0", "1768300000000"],
)  # fmt: skip
BYBIT_BALANCES = {
    "both": sheets.table(
        "coin equity walletBalance unrealisedPnl usdValue borrowAmount marginCollateral "
        "collateralSwitch locked",
        ["USDT", "14100", "12000", "2100", "14095", "0", "true", "true", "0"],
    ),
    "equity alone": sheets.table("coin equity", ["USDT", "14100"]),
    "walletBalance alone": sheets.table("coin walletBalance", ["USDT", "12000"]),
}


@pytest.mark.parametrize("balances", BYBIT_BALANCES)
def test_bybit(balances: str) -> None:
    """`size` has no sign: Sell is short."""
    book = cm.book(BYBIT, BY_LEVERAGE, collateral=BYBIT_BALANCES[balances], market=USDT)
    _has_equity(book, EQUITY)
    assert cm.maintenance_margin(book) == pytest.approx((47_500 + 13_200) / 20)
    found = cm.liquidation_price(book, "ETH")
    # 14,100 - 4 (P - 3,300) = 47,500 / 20 + 4 P / 20
    assert found == pytest.approx((14_100 + 13_200 - 2_375) / 4.2, rel=1e-12)


# ccxt -------------------------------------------------------------------------------------------


def test_a_total_of_ccxt_is_equity() -> None:
    positions = [
        {"symbol": "BTC/USDT:USDT", "contracts": 0.5, "contractSize": 1, "side": "long",
         "entryPrice": 90_000, "markPrice": 95_000, "unrealizedPnl": 2_500, "leverage": 20,
         "marginMode": "cross", "notional": 47_500, "hedged": False},
        {"symbol": "ETH/USDT:USDT", "contracts": 4, "contractSize": 1, "side": "short",
         "entryPrice": 3_200, "markPrice": 3_300, "unrealizedPnl": -400, "leverage": 20,
         "marginMode": "cross", "notional": 13_200, "hedged": False},
    ]  # fmt: skip
    balances = [{"currency": "USDT", "free": 11_000, "used": 3_100, "total": 14_100}]
    book = cm.book(positions, "binance-usdm", collateral=balances)
    _has_equity(book, EQUITY)
    assert "total_read_as" in _check(book).column("code")  # and says so
    assert cm.maintenance_margin(book) == pytest.approx(190 + 52.8)


def test_a_plain_total_is_cash_and_the_book_says_so() -> None:
    book = cm.book(
        BYBIT, BY_LEVERAGE, collateral=[{"currency": "USDT", "total": 12_000}], market=USDT
    )
    assert cm.equity(book) == pytest.approx(EQUITY)
    said = [row for row in _check(book) if row["code"] == "total_read_as"]
    assert len(said) == 1
    assert "read as cash" in str(said[0]["message"])


def test_a_balance_and_an_equity_that_disagree_are_a_finding() -> None:
    balances = sheets.table("asset walletBalance marginBalance", ["USDT", "12000", "99000"])
    book = cm.book(BINANCE, "binance-usdm", collateral=balances)
    assert cm.equity(book) == pytest.approx(EQUITY)
    assert "equity_differs" in _check(book).column("code")


def test_no_row_of_an_export_is_dropped_without_a_word() -> None:
    spot = [*BINANCE, ["BTCUSDT_260327", "1", "91000", "91000", "95100", "4100", *[""] * 10]]
    with pytest.raises(TableError, match="row 4"):
        cm.book(spot, "binance-usdm", collateral=BINANCE_BALANCES["wallet alone"])
