"""The order of liquidation against a step-by-step second method."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crossmargin import functions as cm
from tests.oracle import orders, sheets
from tests.oracle.account import Leg
from tests.oracle.brackets import Brackets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book
    from crossmargin.table import Table

TABLES = {
    "AAA": Brackets.of(["0", "1000", "5000"], ["0.01", "0.02", "0.05"]),
    "BBB": Brackets.of(["0", "2000"], ["0.02", "0.1"]),
    "CCC": Brackets.of(["0", "20000"], ["0.05", "0.125"]),
    "DDD": Brackets.flat("0.03"),
}
SINGLE = {
    "AAA": Brackets.flat("0.05"),
    "BBB": Brackets.flat("0.02"),
    "CCC": Brackets.flat("0.03"),
}


def _leg(symbol: str, quantity: str, entry: str, mark: str, brackets: Brackets) -> Leg:
    size, price = Fraction(quantity), Fraction(mark)
    return Leg(symbol, symbol, size, price, size * (price - Fraction(entry)), brackets)


THREE = [
    _leg("AAA", "10", "120", "100", SINGLE["AAA"]),
    _leg("BBB", "-30", "45", "50", SINGLE["BBB"]),
    _leg("CCC", "7", "200", "210", SINGLE["CCC"]),
]
STEEP = [
    _leg("AAA", "-100", "75", "80", TABLES["AAA"]),
    _leg("BBB", "40", "165", "150", TABLES["BBB"]),
    _leg("CCC", "3", "1100", "1000", TABLES["CCC"]),
    _leg("DDD", "-200", "4", "4.5", TABLES["DDD"]),
]


def _book(legs: Sequence[Leg], equity: Fraction) -> Book:
    cash = equity - sum((leg.pnl for leg in legs), Fraction(0))
    rows = sheets.table(
        "symbol contracts markPrice unrealizedPnl",
        *([leg.symbol, float(leg.quantity), float(leg.mark), float(leg.pnl)] for leg in legs),
    )
    rulebook = sheets.rulebook({leg.symbol: leg.brackets for leg in legs})
    return cm.book(rows, rulebook, collateral=sheets.table("currency cash", ["USD", float(cash)]))


def _agree(found: Table, expected: Sequence[orders.Fill], rel: float = 1e-9) -> None:
    rows = found.records()
    assert [(row["step"], row["symbol"]) for row in rows] == [
        (fill.step, fill.symbol) for fill in expected
    ]
    for row, fill in zip(rows, expected, strict=True):
        assert row["qty"] == pytest.approx(float(fill.quantity), rel=rel)
        assert row["equity_after"] == pytest.approx(float(fill.equity_after), rel=1e-9, abs=1e-9)
        assert row["mm_after"] == pytest.approx(float(fill.maintenance_after), rel=rel, abs=1e-9)


BOOKS = {"three": (THREE, Fraction(90)), "steep": (STEEP, Fraction(280))}
STEPS: dict[str, str | Fraction] = {
    "needed": "needed",
    "whole": "whole",
    "0.25": Fraction(1, 4),
    "0.5": Fraction(1, 2),
}


@pytest.mark.parametrize("slippage", ["0", "0.01"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "policy", ["highest_risk_contribution", "largest_loss", "largest_notional", "user_list"]
)
@pytest.mark.parametrize("name", BOOKS)
def test_ranked_closings_agree_with_the_second_method(
    name: str, policy: str, step: str, slippage: str
) -> None:
    legs, equity = BOOKS[name]
    user = [leg.symbol for leg in reversed(legs)]
    state = orders.State(list(legs), equity, Fraction(slippage))
    expected = orders.one_after_another(state, policy, STEPS[step], user)[:50]
    options = {"policy": policy, "step": step, "slippage": slippage}
    if policy == "user_list":
        options["list"] = ",".join(user)
    found = cm.liquidation_order(_book(legs, equity), scenario="now", options=options)
    _agree(found, expected)


@pytest.mark.parametrize("slippage", ["0", "0.004"])
@pytest.mark.parametrize("name", BOOKS)
def test_pro_rata_takes_the_same_share_of_everything_and_ends_exactly_at_the_stop(
    name: str, slippage: str
) -> None:
    legs, equity = BOOKS[name]
    book = _book(legs, equity)
    expected = orders.pro_rata(orders.State(list(legs), equity, Fraction(slippage)))
    found = cm.liquidation_order(
        book, scenario="now", options={"policy": "pro_rata", "slippage": slippage}
    )
    _agree(found, expected)
    sizes = {leg.symbol: float(abs(leg.quantity)) for leg in legs}
    shares = [float(row["qty"] or 0) / sizes[str(row["symbol"])] for row in found]
    assert shares == pytest.approx([shares[0]] * len(legs), rel=1e-12)
    last = found.records()[-1]
    assert last["equity_after"] == pytest.approx(last["mm_after"], rel=1e-12)


@pytest.mark.parametrize("name", BOOKS)
def test_tier_steps_go_to_the_floor_of_the_bracket_highest_bracket_first(name: str) -> None:
    """A position on a floor is still in the bracket above, so the step ends a hair below it."""
    legs, equity = BOOKS[name]
    expected = orders.tier_steps(orders.State(list(legs), equity))
    found = cm.liquidation_order(
        _book(legs, equity), scenario="now", options={"policy": "tier_steps"}
    )
    _agree(found, expected, rel=1e-8)


def test_all_at_once_closes_everything_in_one_step() -> None:
    found = cm.liquidation_order(
        _book(STEEP, Fraction(280)), scenario="now", options={"policy": "all_at_once"}
    )
    assert found.column("step") == [1.0] * 4
    assert dict(zip(found.column("symbol"), found.column("qty"), strict=True)) == {
        leg.symbol: float(abs(leg.quantity)) for leg in STEEP
    }
    assert found.column("mm_after") == [0.0] * 4
    assert found.column("equity_after") == pytest.approx([280.0] * 4, rel=1e-12)
    assert found.column("side") == ["buy", "sell", "sell", "buy"]


def test_random_closings_follow_their_seed() -> None:
    options = {"policy": "random", "step": "whole", "stop": "flat"}
    drawn = {}
    for seed in range(40):
        chosen = options | {"seed": str(seed)}
        first, again = (
            cm.liquidation_order(_book(STEEP, Fraction(280)), scenario="now", options=chosen)
            for _ in range(2)
        )
        assert first == again
        drawn[seed] = tuple(first.column("symbol"))
        assert sorted(map(str, drawn[seed])) == ["AAA", "BBB", "CCC", "DDD"]
    assert {order[0] for order in drawn.values()} == {"AAA", "BBB", "CCC", "DDD"}
    assert len(set(drawn.values())) > 10  # of 24 orders


@pytest.mark.parametrize("target", ["1", "1.5"])
@pytest.mark.parametrize("cost", ["0", "0.002", "0.02"])
def test_a_partial_closing_takes_the_published_fraction(target: str, cost: str) -> None:
    """One perp: x = (h m N - E) / (N (h m - s)), methods.md 5.2."""
    leg = _leg("BTC", "2", "105000", "100000", Brackets.flat("0.05"))
    equity = Fraction(9000)
    share = orders.partial_fraction(
        Fraction(target), Fraction("0.05"), Fraction(200_000), equity, Fraction(cost)
    )
    found = cm.liquidation_order(
        _book([leg], equity),
        scenario="now",
        options={"policy": "largest_loss", "stop": target, "slippage": cost},
    ).records()
    assert len(found) == 1
    assert found[0]["qty"] == pytest.approx(float(share * 2), rel=1e-12)
    assert found[0]["price"] == pytest.approx(100_000 * (1 - float(cost)), rel=1e-15)
    assert found[0]["cost"] == pytest.approx(float(share * 200_000 * Fraction(cost)), rel=1e-12)


def test_a_cost_above_the_relief_closes_everything_and_says_what_is_owed() -> None:
    """At s >= h m each closing makes the account worse, so nothing partial can help."""
    leg = _leg("BTC", "2", "105000", "100000", Brackets.flat("0.05"))
    found = cm.liquidation_order(
        _book([leg], Fraction(9000)),
        scenario="now",
        options={"policy": "largest_loss", "slippage": "0.06"},
    ).records()
    assert [row["qty"] for row in found] == [2.0]
    assert found[0]["equity_after"] == pytest.approx(9000 - 0.06 * 200_000)
    assert "bankrupt" in str(found[0]["reason"])


def test_a_usage_stop_ends_at_that_usage() -> None:
    found = cm.liquidation_order(
        _book(THREE, Fraction(90)),
        scenario="now",
        options={"policy": "largest_notional", "stop": "usage:0.5"},
    )
    assert found.records()[-1]["usage_after"] == pytest.approx(0.5, rel=1e-12)


def test_a_healthy_account_has_an_empty_order() -> None:
    found = cm.liquidation_order(_book(THREE, Fraction(1000)), scenario="now")
    assert len(found) == 0
    assert found.header[:4] == ("step", "action", "account", "symbol")


SYMBOLS = st.lists(st.sampled_from(sorted(TABLES)), min_size=1, max_size=4, unique=True)
POLICIES = st.sampled_from(
    "highest_risk_contribution largest_loss largest_notional pro_rata tier_steps all_at_once "
    "random largest_margin_contribution futures_then_options staged_by_class collateral_first "
    "marginal_per_cost incremental".split()
)
OPTIMISING = {"marginal_per_cost", "incremental"}
WHOLE = st.integers(1, 400)
FAST = settings(max_examples=60, deadline=None)


@st.composite
def _under_water(draw: st.DrawFn) -> tuple[list[Leg], Fraction]:
    legs = [
        _leg(
            symbol,
            str(draw(WHOLE) * draw(st.sampled_from([-1, 1]))),
            str(draw(WHOLE)),
            str(draw(WHOLE)),
            TABLES[symbol],
        )
        for symbol in draw(SYMBOLS)
    ]
    maintenance = sum((leg.maintenance_at({}) for leg in legs), Fraction(0))
    return legs, maintenance * Fraction(draw(st.integers(-50, 99)), 100)


@FAST
@given(account=_under_water(), policy=POLICIES, slippage=st.sampled_from(["0", "0.001", "0.3"]))
def test_every_order_ends_healthy_or_flat_or_says_why_not(
    account: tuple[list[Leg], Fraction], policy: str, slippage: str
) -> None:
    legs, equity = account
    assume(equity < sum((leg.maintenance_at({}) for leg in legs), Fraction(0)))
    found = cm.liquidation_order(
        _book(legs, equity),
        scenario="now",
        max_steps=1000,
        options={"policy": policy, "slippage": slippage},
    ).records()
    assert found
    last = found[-1]
    excess = float(last["equity_after"] or 0) - float(last["mm_after"] or 0)
    scale = max(abs(float(last["equity_before"] or 0)), float(last["mm_before"] or 0))
    closed = {leg.symbol: 0.0 for leg in legs}
    for row in found:
        if row["action"] == "close":
            closed[str(row["symbol"])] += float(row["qty"] or 0)
    left = {leg.symbol: float(abs(leg.quantity)) - closed[leg.symbol] for leg in legs}
    assert all(amount >= -1e-9 for amount in left.values()), "more was closed than is held"
    for row in found:  # what makes an account worse says so, and no optimising policy does it
        worse = (
            float(row["equity_after"] or 0) - float(row["mm_after"] or 0)
            < float(row["equity_before"] or 0) - float(row["mm_before"] or 0) - 1e-6 * scale
        )
        assert not worse or "fell from" in str(row["reason"]) or row["action"] == "none"
        assert not worse or policy not in OPTIMISING
    if policy in OPTIMISING and "no step that is left" in str(last["reason"]):
        assert excess < 0
    elif any(amount > 1e-9 for amount in left.values()):
        assert excess >= -1e-9 * scale
        assert "healthy" in str(last["reason"])
    elif excess < -1e-9 * scale:
        assert "nothing is left; the account is bankrupt and owes" in str(last["reason"])
    else:
        assert "nothing is left" in str(last["reason"]) or "healthy" in str(last["reason"])


@FAST
@given(account=_under_water(), policy=POLICIES, slippage=st.sampled_from(["0", "0.001"]))
def test_random_books_close_in_the_order_of_the_second_method(
    account: tuple[list[Leg], Fraction], policy: str, slippage: str
) -> None:
    assume(policy in orders.RANKS or policy == "pro_rata")
    legs, equity = account
    for rank in orders.RANKS.values():  # ties have no order of their own
        assume(len({rank(leg) for leg in legs}) == len(legs))
    state = orders.State(list(legs), equity, Fraction(slippage))
    if policy == "pro_rata":
        expected = orders.pro_rata(state)
    else:
        expected = orders.one_after_another(state, policy)
    found = cm.liquidation_order(
        _book(legs, equity), scenario="now", options={"policy": policy, "slippage": slippage}
    )
    if policy == "pro_rata":
        assert dict(zip(found.column("symbol"), found.column("qty"), strict=True)) == pytest.approx(
            {fill.symbol: float(fill.quantity) for fill in expected}, rel=1e-9
        )
    else:
        _agree(found, expected)


@FAST
@given(account=_under_water(), share=st.integers(0, 40))
def test_an_equal_slice_ends_at_the_stop_level_and_takes_the_same_of_everything(
    account: tuple[list[Leg], Fraction], share: int
) -> None:
    """At no discount the value stays and the margin shrinks: f of it is 1 - equity / margin."""
    legs, _ = account
    maintenance = sum((leg.maintenance_at({}) for leg in legs), Fraction(0))
    equity = maintenance * Fraction(99 - share, 100)
    found = cm.liquidation_order(
        _book(legs, equity), scenario="now", options={"policy": "equal_slice"}
    ).records()
    sizes = {leg.symbol: float(abs(leg.quantity)) for leg in legs}
    slices = [row for row in found if row["action"] == "slice"]
    shares = [float(row["qty"] or 0) / sizes[str(row["symbol"])] for row in slices]
    assert shares == pytest.approx([shares[0]] * len(legs), rel=1e-12)
    last = found[-1]
    assert last["equity_after"] == pytest.approx(float(equity), rel=1e-9)
    left = float(last["equity_after"] or 0) - float(last["mm_after"] or 0)
    assert -1e-12 * float(maintenance) <= left <= 1e-6 * float(maintenance)


@FAST
@given(account=_under_water())
def test_closing_one_position_at_its_bankruptcy_price_leaves_nothing(
    account: tuple[list[Leg], Fraction],
) -> None:
    """orders.md 6.4; the price is where the loss has eaten the equity."""
    legs, equity = account
    leg = legs[0]
    price = float(leg.mark - abs(equity) / leg.quantity)
    assume(price > 0)
    book = _book([leg], abs(equity))
    move = price / float(leg.mark) - 1
    found = cm.liquidation_order(
        book, scenario=f"{move!r}", options={"policy": "all_at_once"}
    ).records()
    assume(found)
    assert found[-1]["equity_after"] == pytest.approx(0.0, abs=1e-9 * float(abs(equity)) + 1e-9)
