"""What an independent reading found at the edges: refusals, sentences, and what is not dropped."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import crossmargin
from crossmargin import functions as cm
from crossmargin.cells import CellContent
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import table

if TYPE_CHECKING:
    from pathlib import Path

H = "symbol contracts entryPrice markPrice maintenanceMarginRate"
CASH = table("currency cash", ["USD", 1000])


def test_the_default_settlement_is_that_of_the_accounts_own_rulebook() -> None:
    positions = table(
        "account symbol contracts entryPrice markPrice leverage",
        ["a", "BTCUSDT", 10, 90000, 95000, 10],
        ["b", "BTC", -10, 90000, 95000, 10],
    )
    rules = table("account rulebook", ["a", "binance-usdm"], ["b", "hyperliquid"])
    cash = table("account currency cash", ["a", "USDT", 50000], ["b", "USDC", 300000])
    book = cm.book(positions, rules, collateral=cash)
    assert cm.equity(book, scope="b") == pytest.approx(250_000)


def test_binance_wallet_balance_holds_the_isolated_wallet_already() -> None:
    positions = table(
        "symbol positionAmt entryPrice markPrice marginType isolatedWallet",
        ["BTCUSDT", 1, 90000, 95000, "cross", 0],
        ["ETHUSDT", -10, 3300, 3200, "isolated", 4000],
    )
    book = cm.book(
        positions, "binance-usdm", collateral=table("asset walletBalance", ["USDT", 34000])
    )
    warned = {"ERROR", "WARNING"} & set(cm.check(CellContent(book)).column("severity"))
    assert cm.equity(book) == pytest.approx(34000 + 5000 + 1000) or warned


def test_hyperliquids_own_export_has_no_mark_but_position_value() -> None:
    positions = table(
        "coin szi entryPx positionValue unrealizedPnl leverage marginUsed maxLeverage",
        ["ETH", "-10.0", "3000.0", "31000.0", "-1000.0", 20, "1550.0", 25],
    )
    book = cm.book(positions, "hyperliquid", collateral=table("coin accountValue", ["USDC", 9000]))
    assert cm.maintenance_margin(book) == pytest.approx(31000 / 50)


@pytest.mark.parametrize(
    ("column", "value"), [("contracts", 1e308), ("markPrice", 1e308), ("entryPrice", 1e308)]
)
def test_an_overflow_is_refused_and_never_ok(column: str, value: float) -> None:
    rows = table(H, ["AAA", 10, 100, 100, 0.05], ["BBB", -5, 40, 42, 0.02])
    rows[1][rows[0].index(column)] = value
    with pytest.raises(CrossmarginError):
        cm.equity(cm.book(rows, "custom", collateral=CASH))


def test_a_cell_beyond_the_header_of_a_csv_is_not_dropped(tmp_path: Path) -> None:
    path = tmp_path / "positions.csv"
    path.write_text("symbol,contracts,entryPrice,markPrice,leverage\nAAA,1,5,100,101,20\n")
    with pytest.raises(CrossmarginError, match="row 2 has 6 cells, the header has 5"):
        cm.book(path, "custom", collateral=CASH)


def test_total_row_of_summary_shows_the_worst_ratio() -> None:
    rows = table(
        f"account {H}",
        ["a", "AAA", 10, 100, 100, 0.05],
        ["b", "AAA", 20, 100, 100, 0.05],
        ["b", "BBB", -5, 40, 42, 0.02],
    )
    book = cm.book(
        rows,
        "custom",
        collateral=table("account currency cash", ["a", "USD", 100], ["b", "USD", 200]),
    )
    total = cm.summary(book).records()[-1]
    assert total["scope"] == "TOTAL"
    assert total["ratio_venue"] == cm.ratio(book, style="venue")


def test_true_is_no_quantity() -> None:
    with pytest.raises(CrossmarginError):
        cm.book(table(H, ["AAA", True, 100, 100, 0.05]), "custom", collateral=CASH)


def test_nan_is_no_symbol() -> None:
    with pytest.raises(CrossmarginError):
        cm.book(table(H, [math.nan, 1, 100, 100, 0.05]), "custom", collateral=CASH)


@pytest.mark.parametrize(
    "given", [None, 5, [1, 2], object(), [["symbol", "contracts"], ["AAA", 10**400]]]
)
def test_wrong_types_are_refused_by_our_own_error(given: Any) -> None:
    with pytest.raises(CrossmarginError):
        cm.book(given, "custom", collateral=CASH)


@pytest.mark.parametrize("given", [None, "book:zz", 5])
def test_a_wrong_book_is_refused_by_our_own_error(given: Any) -> None:
    with pytest.raises(CrossmarginError):
        cm.equity(given)


GOOD = table(H, ["AAA", 10, 100, 100, 0.05], ["BBB", -5, 40, 42, 0.02])


def test_an_unknown_symbol_in_a_users_list_is_refused() -> None:
    book = cm.book(GOOD, "custom", collateral=table("currency cash", ["USD", 20]))
    with pytest.raises(CrossmarginError, match="ZZZ"):
        cm.liquidation_order(book, scenario="now", options={"policy": "user_list", "list": "ZZZ"})


def test_stop_initial_without_initial_margin_is_refused() -> None:
    book = cm.book(GOOD, "custom", collateral=table("currency cash", ["USD", 20]))
    with pytest.raises(CrossmarginError):
        cm.liquidation_order(book, scenario="now", options={"stop": "initial"})


def test_why_of_a_book_object_answers_for_that_book() -> None:
    book = cm.book(GOOD, "custom", collateral=CASH)
    said = cm.why(CellContent(book), topic="CM_LIQPRICE;BBB;nearest").column("sentence")
    assert not any("not in memory" in str(sentence) for sentence in said)


def test_count_of_first_liquidated_is_checked() -> None:
    book = cm.book(GOOD, "custom", collateral=CASH)
    for count in (0, -3, 1e300):
        with pytest.raises(CrossmarginError):
            cm.first_liquidated(book, count=count)


def test_public_names_are_exported_for_type_checkers(tmp_path: Path) -> None:
    path = tmp_path / "user.py"
    lines = ["import crossmargin", "b = crossmargin.book([], 'custom')"]
    lines += ["print(crossmargin.check(b), crossmargin.why(b))", ""]
    path.write_text("\n".join(lines))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_the_calculator_of_one_position_is_public() -> None:
    assert hasattr(crossmargin, "one_position_price")


def test_blank_rows_are_an_empty_table() -> None:
    with pytest.raises(CrossmarginError, match="empty"):
        cm.book(table(H, [None] * 5, [""] * 5), "custom", collateral=CASH)


def test_a_position_that_is_liquidatable_already_says_so() -> None:
    """Long 1 at 100 with 0.5 of collateral against 1.0 of maintenance margin."""
    with pytest.raises(CrossmarginError, match="liquidatable already"):
        cm.one_position_price(1, 100, 0.5, 0.01)


def test_betas_may_be_a_mapping() -> None:
    book = cm.book(GOOD, "custom", collateral=table("currency cash", ["USD", 100]))
    with_text = cm.liquidation_price(book, "AAA", path="beta", options={"betas": "AAA:1,BBB:1.5"})
    options: Any = {"betas": {"AAA": 1.0, "BBB": 1.5}}
    assert with_text is not None
    assert cm.liquidation_price(book, "AAA", path="beta", options=options) == with_text
