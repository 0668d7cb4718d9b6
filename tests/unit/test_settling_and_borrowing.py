"""What a second reader found: settlement windows away from today's prices, loans, comparisons."""

from __future__ import annotations

from typing import Any

import pytest

import crossmargin
from crossmargin.risk_functions import risk_contributions

Row = dict[str, Any]
cm: Any = crossmargin

AS_OF = "2026-03-27T07:45:00Z"  # half of the settlement price is fixed
MARKET: list[Row] = [
    {"underlying": "BTC", "indexPrice": 100.0, "annualVol": 0.5},
    {"underlying": "USDC", "indexPrice": 1.0},
]
FUTURE: Row = {
    "symbol": "BTC-27MAR26",
    "type": "future",
    "underlying": "BTC",
    "settle": "USDC",
    "quantity": 2.0,
    "markPrice": 100.0,
    "entryPrice": 100.0,
    "expiry": "2026-03-27",
}
OPTION: Row = {
    "symbol": "BTC-27MAR26-50-C",
    "type": "option",
    "underlying": "BTC",
    "settle": "USDC",
    "quantity": 2.0,
    "strike": 50.0,
    "optionType": "call",
    "forward": 100.0,
    "markIv": 0.5,
    "inverse": "no",
}
OWN: Row = {
    "id": "own",
    "version": "1",
    "venue": "test",
    "report_currency": "USD",
    "settle": "USDC",
    "source": "this test",
    "retrieved": "2026-11-21",
    "effective": "2026-11-21",
    "pricing": {"settlement_average_seconds": 1800.0},
}


def _book(
    rows: list[Row], rulebook: Any, cash: float, currency: str = "USDC", as_of: str | None = AS_OF
) -> Any:
    held = [{"currency": currency, "cash": cash}]
    return crossmargin.book(rows, rulebook, collateral=held, market=MARKET, as_of=as_of)


def _bisect(excess: Any, breached: float, safe: float) -> float:
    for _ in range(200):
        middle = (breached + safe) / 2.0
        breached, safe = (middle, safe) if excess(middle) < 0.0 else (breached, middle)
    return safe


@pytest.mark.parametrize("quantity", [2000.0, -2000.0])
def test_the_price_of_a_coin_settled_future_being_settled_is_where_the_excess_is_by_hand(
    quantity: float,
) -> None:
    """The future stands at 50 + P / 2; margins are 0.8 (worst of 16 % + 1 % of what is open)."""

    def future(price: float) -> float:
        return 50.0 + price / 2.0

    def excess(price: float) -> float:
        equity = 6.0 + quantity * (1.0 / 100.0 - 1.0 / future(price))
        moves = [step * 0.04 for step in range(-4, 5)]
        moved = [1.0 / future(price) - 1.0 / future(price * (1.0 + move)) for move in moves]
        worst = max(-quantity * result for result in moved)
        beyond = price / 2.0 / future(price)  # the share of the future that still moves
        return equity - 0.8 * (worst + 0.01 * abs(quantity) / future(price) * beyond)

    row = FUTURE | {"settle": "BTC", "inverse": "yes", "quantity": quantity}
    book = _book([row], "deribit-spm", 6.0, "BTC")
    sides = {side: cm.liquidation_price(book, "BTC", side=side) for side in ("down", "up")}
    if quantity > 0.0:
        assert sides["down"] == pytest.approx(_bisect(excess, 20.0, 100.0), rel=1e-9)
        assert sides["up"] is None
    else:
        assert sides["up"] == pytest.approx(_bisect(excess, 400.0, 100.0), rel=1e-9)
        assert sides["down"] is None


def test_an_option_and_a_future_of_one_expiry_stay_hedged_while_they_are_settled() -> None:
    deep = OPTION | {"symbol": "BTC-27MAR26-10-C", "strike": 10.0, "markPrice": 90.0}
    rows = [FUTURE | {"quantity": -2.0, "inverse": "no"}, deep]
    book = _book(rows, "deribit-spm", -179.9)
    assert cm.maintenance_margin(book) == pytest.approx(0.0, abs=1e-12)
    assert cm.liquidation_price(book, "BTC", side="up") is None
    assert cm.liquidation_price(book, "BTC", side="down") is None


def test_a_liquidation_prints_the_mark_at_which_it_closes() -> None:
    book = _book([FUTURE], "deribit-spm", 30.0)
    first = cm.liquidation_order(book, scenario="-0.4").records()[0]
    assert (first["price"], first["equity_before"]) == (80.0, pytest.approx(-10.0))


def test_closed_formulas_count_the_mark_that_is_left() -> None:
    """40 + 2 (F - 100) = 0.2 F at F = 88.89, which is a coin at 77.78."""
    rates = {"initial": 0.2, "maintenance": 0.1}
    rules = OWN | {
        "measure": {"kind": "tiers"},
        "profiles": [{"underlyings": ["*"], "delta_one": rates}],
    }
    found = cm.liquidation_price(_book([FUTURE], rules, 40.0), "BTC", side="down")
    assert found == pytest.approx(2.0 * 160.0 / 1.8 - 100.0, rel=1e-9)


def test_value_at_risk_is_that_of_the_open_half() -> None:
    measure = {"kind": "normal_value_at_risk", "confidence": 0.99, "horizon_days": 1.0}
    halves = []
    for as_of in (AS_OF, "2026-03-27T07:00:00Z"):
        book = _book([FUTURE], OWN | {"measure": measure}, 1e4, as_of=as_of)
        halves.append(cm.maintenance_margin(book))
    assert halves[0] == pytest.approx(halves[1] / 2.0, rel=1e-12)


def test_nothing_is_left_of_a_delta_when_the_average_is_done() -> None:
    settled = OPTION | {"secondsToExpiry": 0.0, "symbol": "SETTLED"}
    (found, _total) = cm.exposure(_book([settled], "deribit-spm", 1000.0)).records()
    assert found["delta"] == 0.0


def test_seconds_to_expiry_of_a_future_are_read_without_an_as_of() -> None:
    rows = [OPTION | {"secondsToExpiry": 900.0}]
    rows += [FUTURE | {"quantity": -2.0, "secondsToExpiry": 900.0, "inverse": "no"}]
    found = cm.exposure(_book(rows, "deribit-sm", 1000.0, as_of=None), group_by="symbol").records()
    assert [row["delta"] for row in found] == pytest.approx([-1.0, 1.0, 0.0])
    book = _book([FUTURE], "deribit-sm", 1000.0, as_of=None)
    (said,) = [row["message"] for row in cm.check(book).records() if row["code"]]
    assert said.endswith("it is taken to be before its settlement window")


# Loans and comparisons ----------------------------------------------------------------------------


def _perpetual(settle: str, quantity: float, entry: float = 100.0, coin: str = "BTC") -> Row:
    return {
        "symbol": f"{coin}-{settle}-PERP",
        "type": "perpetual",
        "underlying": coin,
        "settle": settle,
        "quantity": quantity,
        "markPrice": 100.0,
        "entryPrice": entry,
    }


@pytest.mark.parametrize(
    ("rows", "margin"),
    [
        ([_perpetual("USDC", 10.0, 600.0)], 222.0),  # 120 + 2 + 2 % of 5,000 USDC owed
        ([_perpetual("USDC", 10.0), _perpetual("USDT", -10.0)], 14.0),  # 9 + MR9 5
    ],
)
def test_a_comparison_under_the_own_rulebook_books_nothing_again(
    rows: list[Row], margin: float
) -> None:
    market = [*MARKET, {"underlying": "USDT", "indexPrice": 1.0}]
    held = [{"currency": "USDT", "cash": 1e5}]
    book = crossmargin.book(rows, "okx-pm", collateral=held, market=market)
    (found,) = cm.comparison(book, "okx-pm").records()
    assert cm.maintenance_margin(book) == pytest.approx(margin)
    assert found["mm"] == cm.maintenance_margin(book)
    assert "re-booked" not in (found["note"] or "")


def test_a_loss_by_itself_is_no_loan_of_an_account_that_has_the_money() -> None:
    market = [{"underlying": name, "indexPrice": 100.0} for name in ("BTC", "ETH")]
    market += [{"underlying": "USDT", "indexPrice": 1.0}]
    rows = [_perpetual("USDT", 10.0, 200.0), _perpetual("USDT", 5.0, coin="ETH")]
    held = [{"currency": "USDT", "cash": 1e6}]
    book: Any = crossmargin.book(rows, "okx-pm", collateral=held, market=market)
    first = risk_contributions(book).records()[0]
    assert (first["standalone"], first["incremental"]) == (122.0, 122.0)


def test_figures_of_several_coins_are_not_added_up() -> None:
    charge = {"name": "tiered", "on": "tiered_delta", "stage": "outside", "rate": 0.1}
    charge |= {"from": [0.0], "multiplier": [1.0]}
    moves = {"set": "moves", "price_moves": [-0.1, 0.1]}
    rules = {key: value for key, value in OWN.items() if key != "pricing"} | {
        "settle": "USDT",
        "measure": {"kind": "scenarios", "unit": "account"},
        "profiles": [{"underlyings": ["*"], "scenarios": [moves], "charges": [charge]}],
    }
    market = [{"underlying": name, "indexPrice": 100.0} for name in ("BTC", "ETH")]
    market += [{"underlying": "USDT", "indexPrice": 1.0}]
    rows = [_perpetual("USDT", 2.0), _perpetual("USDT", 2.0, coin="ETH")]
    book: Any = crossmargin.book(rows, rules, market=market)
    (found,) = [
        row for row in cm.explanation(book).records() if row["component"].startswith("tiered")
    ]
    assert (found["base"], found["inputs"]) == (400.0, "rate and factor = 0.1")


def test_a_coin_that_is_only_ordered_needs_its_index_too() -> None:
    market = [
        {"underlying": "BTC", "indexPrice": 100.0, "symbol": None, "markPrice": None},
        {"underlying": "USDT", "indexPrice": 1.0},
        {"symbol": "ETH-USDT-PERP", "markPrice": 10.0},
    ]
    order = {"symbol": "ETH-USDT-PERP", "side": "buy", "quantity": 10.0, "price": 10.0}
    order |= {"underlying": "ETH", "settle": "USDT", "type": "perpetual"}
    book: Any = crossmargin.book(
        [_perpetual("USDT", 2.0)],
        "okx-pm",
        collateral=[{"currency": "USDT", "cash": 1e4}],
        market=market,
        orders=[order],
    )
    assert ("ETH", "index_assumed") in [
        (row["value"], row["code"]) for row in cm.check(book).records()
    ]


def test_an_excess_of_nothing_is_liquidatable_today_where_the_rulebook_says_so() -> None:
    market = [*MARKET, {"underlying": "USDT", "indexPrice": 1.0}]
    held = [{"currency": "USDT", "cash": 24.4}]  # 2 x 100 x (12 % + 0.2 %)
    book: Any = crossmargin.book(
        [_perpetual("USDT", 2.0)], "okx-pm", collateral=held, market=market
    )
    assert cm.excess(book) == 0.0
    assert cm.summary(book).records()[0]["status"] == "liquidatable"
    said = cm.liquidation_price(book).records()[0]["status"]
    assert "liquidatable at today's prices" in said
