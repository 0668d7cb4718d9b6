"""What-if, impact, cure, withdrawal and schedule: figures by hand, refusals, impossible targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import crossmargin
from crossmargin import statistics
from crossmargin.errors import (
    CrossmarginError,
    MissingError,
    NoAnswerError,
    OutOfRangeError,
    UnknownWordError,
)
from tests.oracle.sheets import Rows, number, records, table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate leverage"
POSITIONS = table(H, ["BTC", 2, 55000, 60000, 0.01, 10], ["ETH", -20, 3100, 3000, 0.02, 5])
MARKET: Rows = [
    ["underlying", "symbol", "markPrice", "dailyVol", "lot", "adv", "halfSpread"],
    ["BTC", None, 60000, 0.03, None, 20000, 0.0001],
    ["ETH", None, 3000, 0.04, None, None, None],
    ["SOL", None, 150, 0.06, None, None, None],
    [None, "BTC", 60000, None, 0.001, None, None],
    [None, "ETH", 3000, None, 0.01, None, None],
]
# equity 40000 + 10000 + 2000 = 52000, margin 1200 + 1200 = 2400


def _book(
    positions: Rows | None = None, cash: float = 40000.0, orders: Rows | None = None, **more: Any
) -> crossmargin.Book:
    collateral = table("currency cash", ["USD", cash])
    return crossmargin.book(
        positions or POSITIONS,
        "custom",
        collateral=collateral,
        market=MARKET,
        orders=orders,
        **more,
    )


def _figures(book: crossmargin.Book, trades: Rows, **more: Any) -> dict[str, dict[str, Any]]:
    return {row["measure"]: row for row in records(crossmargin.what_if(book, trades, **more))}


def test_a_flip_is_measured_as_a_whole_account() -> None:
    # 2 BTC sold twice over: 10000 realised, short 2; margin the same, gross equity too
    rows = _figures(_book(), [["BTC", -4]])
    assert rows["mm"]["after"] == pytest.approx(2400)
    assert rows["equity"]["change"] == pytest.approx(0, abs=1e-9)
    rows = _figures(_book(), [["BTC", -1], ["ETH", 20]])
    assert (rows["mm"]["before"], rows["mm"]["after"]) == (2400, pytest.approx(600))
    assert rows["mm: ETH ETH"]["after"] == 0.0
    assert rows["first_liquidated"]["after"].startswith("BTC")


def test_trades_have_a_header_or_none_and_a_price_of_their_own() -> None:
    book = _book()
    bare = crossmargin.what_if(book, [["BTC", -1, 59000]])
    headed = crossmargin.what_if(book, table("symbol qty price", ["BTC", -1, 59000]))
    sided = crossmargin.what_if(book, table("side symbol qty price", ["sell", "BTC", 1, 59000]))
    assert records(bare) == records(headed) == records(sided)
    assert {r["measure"]: r for r in records(bare)}["equity"]["change"] == pytest.approx(-1000)


def test_a_contract_that_is_not_held_is_booked_from_the_market_sheet() -> None:
    refusal = "SOL in the book is missing"
    with pytest.raises(MissingError, match=refusal):  # no bracket is known of it
        crossmargin.what_if(_book(), [["SOL", 10]])
    hyper = crossmargin.book(
        table("coin szi entry_price mark_price leverage", ["BTC", 1, 60000, 60000, 10]),
        "hyperliquid",
        collateral=table("currency cash", ["USDC", 20000]),
        market=MARKET,
    )
    rows = _figures(hyper, [["SOL", 10]])
    held = crossmargin.book(
        table(
            "coin szi entry_price mark_price leverage",
            ["BTC", 1, 60000, 60000, 10], ["SOL", 10, 150, 150, None],
        ),
        "hyperliquid",
        collateral=table("currency cash", ["USDC", 20000]),
        market=MARKET,
    )  # fmt: skip
    assert rows["mm"]["after"] == pytest.approx(number(crossmargin.maintenance_margin(held)))
    with pytest.raises(MissingError, match="NOSUCH"):
        crossmargin.what_if(hyper, [["BTC", 1], ["NOSUCH", 1]])


def test_single_figures_are_of_the_whole_book() -> None:
    book = _book()
    trade: Rows = [["BTC", -1]]
    assert crossmargin.what_if(book, trade, measure="MM") == pytest.approx(1800)
    assert crossmargin.what_if(book, trade, measure="usage") == pytest.approx(1800 / 52000)
    assert crossmargin.what_if(book, trade, measure="excess") == pytest.approx(52000 - 1800)
    nearest = number(crossmargin.what_if(book, trade, measure="nearest"))
    by_hand = crossmargin.liquidation_price(
        _book(table(H, ["BTC", 1, 55000, 60000, 0.01, 10], POSITIONS[2]), 45000.0)
    )
    moves = [row["nearest"] / row["mark"] - 1 for row in records(by_hand)]
    assert nearest == pytest.approx(min(moves, key=abs), rel=1e-9)


@pytest.mark.parametrize(
    ("trades", "error", "words"),
    [
        ([["BTC", "two"]], UnknownWordError, "unknown qty 'two'"),
        ([["", 1]], MissingError, "symbol of a trade"),
        ([["BTC", None]], MissingError, "qty of a trade"),
        ([["BTC", 0]], MissingError, "a trade is missing"),
        ([["BTC", 1, -5]], OutOfRangeError, "price must be finite and above zero"),
        ([["BTC", 1, None, "other"]], UnknownWordError, "unknown account 'other'"),
        (table("side symbol qty", ["buy", "BTC", -1]), OutOfRangeError, "above zero for a purch"),
    ],
)
def test_trades_that_are_none_are_refused_by_row(
    trades: Rows, error: type[CrossmarginError], words: str
) -> None:
    with pytest.raises(error, match=words):
        crossmargin.what_if(_book(), trades)


def test_an_impact_is_a_what_if_in_every_cell() -> None:
    book = _book()
    header, *_ = crossmargin.impact(book, sizes=[-1, 2]).header, None
    assert header == ("symbol", "account", "-1", "2")
    for row in records(crossmargin.impact(book, sizes=[-1, 2], measure="usage")):
        for size in (-1, 2):
            after = crossmargin.what_if(book, [[row["symbol"], size]], measure="usage")
            assert row[str(size)] == pytest.approx(number(after) - 2400 / 52000, rel=1e-12)
    frees = records(crossmargin.impact(book, instruments=["BTC"], sizes=[-1], measure="MM"))
    assert frees[0]["-1"] == pytest.approx(-600)
    with pytest.raises(OutOfRangeError, match="other than zero"):
        crossmargin.impact(book, sizes=[0.0])


def test_an_impact_of_the_largest_coins_is_that_part_of_the_whole_largest_first() -> None:
    rows = table(
        H,
        ["BTC", 2, 55000, 60000, 0.01, 10],
        ["ETH", -70, 3100, 3000, 0.02, 5],
        ["SOL", 900, 140, 150, 0.05, 5],
    )
    book = _book(rows)
    # notionals 120,000, 210,000 and 135,000; each row as the whole table has it, to the bit
    whole = {row["symbol"]: row for row in records(crossmargin.impact(book, sizes=[-1, 2]))}
    largest = records(crossmargin.impact(book, instruments=["top:2"], sizes=[-1, 2]))
    assert [row["symbol"] for row in largest] == ["ETH", "SOL"]
    assert largest == [whole["ETH"], whole["SOL"]]
    everything = records(crossmargin.impact(book, instruments=["TOP: 99"], sizes=[-1, 2]))
    assert [row["symbol"] for row in everything] == ["ETH", "SOL", "BTC"]
    for word in ("top:0", "top:", "top:x", "top:-1"):
        with pytest.raises(UnknownWordError, match="top:N"):
            crossmargin.impact(book, instruments=[word])


def test_a_reached_target_needs_nothing() -> None:
    (row,) = records(crossmargin.cure(_book(), target="usage=0.7"))
    assert (row["action"], row["qty"], row["mm_after"]) == ("none", 0.0, 2400)
    assert "main has reached the target usage 0.7" in row["comment"]


def test_closing_stops_at_the_lot_that_reaches_the_target() -> None:
    # equity 3000: usage 0.8; target 0.5 needs a margin of 1500, 1.5 BTC less without cost
    book = _book(cash=-9000.0)
    rows = records(crossmargin.cure(book, target="usage=0.5", allowed="close"))
    alone = [row for row in rows if [r["rank"] for r in rows].count(row["rank"]) == 1]
    btc = next(row for row in alone if row["symbol"] == "BTC")
    assert (btc["qty"], btc["side"], btc["cost"]) == (1.5, "sell", 0.0)
    eth = next(row for row in alone if row["symbol"] == "ETH")
    assert (eth["qty"], eth["side"]) == (15.0, "buy")
    assert "one step less: usage 0.500" in btc["comment"]
    costs = {"fee": 0.0005}
    dear = records(crossmargin.cure(book, target="usage=0.5", allowed="close", options=costs))
    own = [row for row in dear if row["symbol"] == "BTC" and row["action"] == "close"]
    # 3000 - 30 q = 2 (2400 - 600 q)
    assert own[0]["qty"] == pytest.approx(1800 / 1170, abs=1e-3)
    assert own[0]["cost"] == pytest.approx(30 * own[0]["qty"])


def test_an_impossible_target_gives_the_nearest_row_and_says_so() -> None:
    broke = _book(cash=-13000.0)  # equity -1000: closing everything still leaves less than nothing
    rows = records(crossmargin.cure(broke, target="usage=0.5", allowed="close"))
    assert rows
    assert "short of the target by" in rows[-1]["comment"]
    enough = records(crossmargin.cure(broke, target="usage=0.5", allowed="deposit"))
    assert enough[0]["qty"] == pytest.approx(1000 + 2 * 2400, rel=1e-6)
    (row,) = records(crossmargin.cure(broke, allowed="cancel"))
    assert "nothing that is allowed can be done" in row["comment"]


def test_orders_are_cancelled_where_that_frees_initial_margin() -> None:
    orders = table("symbol side amount price", ["BTC", "buy", 6, 60000])
    book = _book(cash=15000.0, orders=orders)  # equity 27000 covers 24000 without the order
    assert number(crossmargin.excess(book, above="IM")) < 0
    rows = records(crossmargin.cure(book, target="IM", allowed="cancel;close"))
    assert rows[0]["action"] == "cancel"
    after = records(crossmargin.cure(_book(cash=15000.0), target="IM"))
    assert [row["action"] for row in after] == ["none"]


def test_depth_costs_are_refused_by_name_where_the_market_lacks_them() -> None:
    book = _book(cash=-9000.0)
    with pytest.raises(MissingError, match="volume of ETH"):
        crossmargin.cure(book, target="usage=0.5", allowed="close", options={"slippage": "depth"})


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"target": "usage=1.5"}, OutOfRangeError, "above 0 and at most 1"),
        ({"target": "soon"}, UnknownWordError, "unknown target 'soon'"),
        ({"allowed": "pray"}, UnknownWordError, "unknown action 'pray'"),
        ({"max_rows": 0}, OutOfRangeError, "max_rows must be from 1"),
        ({"options": {"gift": 1}}, UnknownWordError, "unknown option 'gift'"),
        ({"options": {"account": "nobody"}}, UnknownWordError, "unknown account 'nobody'"),
    ],
)
def test_a_cure_refuses_what_it_does_not_know(
    arguments: dict[str, Any], error: type[CrossmarginError], words: str
) -> None:
    with pytest.raises(error, match=words):
        crossmargin.cure(_book(), **arguments)


def test_a_withdrawal_is_bounded_by_the_margin_or_by_the_balance() -> None:
    # initial margin 12000 + 12000, equity 52000: 28000 can leave
    assert crossmargin.withdrawable(_book(), "USD") == pytest.approx(28000, rel=1e-7)
    row = records(crossmargin.withdrawable(_book(), "USD", layout="table"))[0]
    assert row["excess_im_after"] >= 0 > row["excess_im_beyond"]
    flat = _book(table(H, ["BTC", 0.01, 60000, 60000, 0.01, 10]), 40000.0)
    assert crossmargin.withdrawable(flat, "USD") == pytest.approx(40000 - 60, rel=1e-6)
    assert crossmargin.withdrawable(_book(cash=0.0), "USD") == 0.0
    with pytest.raises(UnknownWordError, match="unknown currency 'EUR'"):
        crossmargin.withdrawable(_book(), "EUR")


def test_a_schedule_as_a_table_is_the_schedule_of_the_formula() -> None:
    rows = {
        row["item"]: row
        for row in records(
            crossmargin.reduction_schedule(
                1e6, 5.0, price=50.0, daily_volatility=0.019, daily_volume=5e6,
                half_spread=0.00125, options={"periods": 5, "risk_aversion": 2e-6},
            )
        )
    }  # fmt: skip
    market: dict[str, Any] = {
        "volatility": 0.95,
        "half_spread": 0.0625,
        "permanent": 2.5e-7,
        "temporary": 2.5e-6,
    }
    found = statistics.execution_schedule(1e6, 5.0, 5, risk_aversion=2e-6, **market)
    assert rows["expected_cost"]["optimal"] == pytest.approx(found.expected_cost)
    assert rows["expected_cost"]["even"] == pytest.approx(662500)  # Almgren and Chriss 2000
    trades = [row["optimal"] for item, row in rows.items() if item.startswith("trade until")]
    assert trades == pytest.approx(list(found.trades))
    with pytest.raises(OutOfRangeError, match="periods must be a whole number"):
        crossmargin.reduction_schedule(
            1.0, 1.0, price=1.0, daily_volatility=0.1, daily_volume=1.0, half_spread=0.01,
            options={"periods": 1.5},
        )  # fmt: skip


def test_an_optimal_schedule_meets_the_conditions_of_an_optimum() -> None:
    # stationarity of cost + lambda variance in each holding: second differences by hand
    market: dict[str, Any] = {"volatility": 0.95, "permanent": 2.5e-7, "temporary": 2.5e-6}
    aversion, periods, days = 1e-6, 10, 5.0
    found = statistics.execution_schedule(1e6, days, periods, risk_aversion=aversion, **market)
    period = days / periods
    effective = 2.5e-6 - 0.5 * 2.5e-7 * period
    left = np.array(found.holdings)
    second = (left[:-2] - 2 * left[1:-1] + left[2:]) / period**2
    assert second == pytest.approx(aversion * 0.95**2 / effective * left[1:-1], rel=1e-9)


def test_a_reduction_under_scenarios_leaves_hedges_alone() -> None:
    results = [[-1000.0, 900.0], [800.0, -720.0], [-50.0, -50.0]]
    found = statistics.scenario_reduction(results, [30.0, 1.0, 5.0], 150.0)
    assert found.margin_without[1] > found.margin_before == pytest.approx(250.0)
    assert found.parts[1] == pytest.approx(0, abs=1e-6)
    assert found.bound <= found.cost * (1 + 1e-6)
    assert 150.0 - found.cost == pytest.approx(found.margin_after, rel=1e-6)
    with pytest.raises(NoAnswerError, match="no reduction"):
        statistics.scenario_reduction(results, [30.0, 1.0, 5.0], -1.0)


def test_reductions_that_add_up() -> None:
    relief, cost = [4000.0, 2500.0, 6000.0, 1500.0], [900.0, 300.0, 1800.0, 120.0]
    # methods.json: liq.knapsack_greedy, liq.knapsack_integer_gap, liq.qp_impact, liq.partial_perp
    assert statistics.cheapest_reduction(relief, cost, 6000).cost == 870
    assert statistics.cheapest_reduction(relief, cost, 6000, kind="whole").cost == 1320
    assert statistics.cheapest_reduction(relief, cost, 6000, kind="exact").parts == (1, 1, 0, 0)
    assert statistics.quadratic_reduction([2, 1, 4], [1, 1, 2], 10).parts == (2, 4, 2)
    assert statistics.fraction_to_close(1e6, 0.01, 8000, cost=0.001) == pytest.approx(2 / 9)
    with pytest.raises(NoAnswerError, match="makes the account worse"):
        statistics.fraction_to_close(1e6, 0.01, 8000, cost=0.02)
