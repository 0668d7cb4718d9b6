"""Zones of a price against slow code that shares nothing with the product.

A thousand books take `python -m tests.oracle.option_scan --books 1000`; here are some of them, and
the corners in which a root is easily lost.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from crossmargin import functions as cm
from tests.oracle.option_books import drawn, flat_rules, shipped_rules
from tests.oracle.option_margins import excess
from tests.oracle.option_scan import compare, loaded
from tests.oracle.option_shapes import ALONE, DAY, SPOT, account_of, backspreads, option
from tests.oracle.option_state import Account, Balance, Leg, Question
from tests.second_opinion import black76

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oracle.option_scan import Comparison
    from tests.second_opinion.shapes import Right

COINS = ("BTC", "ETH")
SEEDS = range(24)
_drawn = functools.cache(drawn)


def _settle(rulebook: str) -> str:
    return "USD" if rulebook == "custom-scan" else "USDC"


def _assert_holds(found: Comparison) -> None:
    assert found.missing == []
    assert found.safe_but_unsafe == []
    assert found.unsafe_but_safe == []
    assert found.unmatched == []
    assert max(found.differences, default=0.0) <= 1e-9


# Drawn books --------------------------------------------------------------------------------------


def test_drawn_books_are_the_ones_that_were_asked_for() -> None:
    books = [_drawn(seed) for seed in range(100)]
    for one in books:
        options = [leg for leg in one.account.legs if leg.right is not None]
        assert len(options) >= 4
        assert len({leg.seconds for leg in options}) >= 3
    in_coin = [one for one in books if any(each.currency in COINS for each in one.account.balances)]
    assert sum(one.kind.is_scan for one in books) >= 50
    assert len(in_coin) >= 25
    assert drawn(7).account == books[7].account


@functools.cache
def _compared(seed: int) -> Comparison:
    one = _drawn(seed)
    return compare(one.account, one.question, points=2_000)


@pytest.mark.parametrize("seed", SEEDS)
def test_zones_of_a_drawn_book_are_those_of_a_scan(seed: int) -> None:
    _assert_holds(_compared(seed))


def test_a_third_of_the_drawn_books_has_three_roots() -> None:
    several = sum(len(_compared(seed).scanned) >= 3 for seed in SEEDS)
    assert several >= len(SEEDS) / 3


# Published ----------------------------------------------------------------------------------------


def test_the_double_backspread_has_its_four_published_roots(shared: Path) -> None:
    cases = json.loads((shared / "vectors" / "methods.json").read_text(encoding="utf-8"))["cases"]
    (case,) = [one for one in cases if one["id"] == "liq.multi_root"]
    given = case["inputs"]
    seconds = int(given["T_days"] * DAY)
    words: dict[str, Right] = {"C": "call", "P": "put"}
    legs = [
        Leg("BTC", "USD", quantity, given["S0"], words[kind], strike, given["vol"], seconds)
        for kind, strike, quantity in given["legs"]
    ]
    sold = sum(-leg.quantity for leg in legs if leg.quantity < 0.0)
    rate = float(given["mm"].removesuffix("*S")) / sold
    entry = math.fsum(
        leg.quantity
        * black76.value(leg.right, given["S0"], leg.strike, leg.volatility, given["T_days"] / 365.0)
        for leg in legs
        if leg.right is not None
    )
    account = Account(
        flat_rules(rate),
        {"BTC": given["S0"]},
        tuple(legs),
        (Balance("USD", given["cash"] - entry),),
    )
    zones = cm.liquidation_zones(loaded(account), "BTC").records()
    assert [zone["search"] for zone in zones] == ["proven"] * 5
    found = [zone["to"] for zone in zones[:-1]]
    assert found == pytest.approx(case["expected"]["roots"], rel=0.0, abs=1e-8)
    assert [zone["zone"] for zone in zones] == ["safe", "liquidatable"] * 2 + ["safe"]


# Corners ------------------------------------------------------------------------------------------


def _turn(account: Account, low: float, high: float) -> float:
    """Return the excess at its highest between two prices."""
    for _ in range(40):
        prices = np.linspace(low, high, 65)
        found = excess(account, ALONE, prices)
        best = int(np.argmax(found))
        low, high = prices[max(best - 1, 0)], prices[min(best + 1, 64)]
    return float(found[best])


@pytest.mark.parametrize("rulebook", ["flat", "custom-scan"])
@pytest.mark.parametrize("depth", [1e-6, 1e-9])
def test_two_roots_about_to_meet_are_both_found(rulebook: str, depth: float) -> None:
    rules = flat_rules(0.01) if rulebook == "flat" else shipped_rules(rulebook)
    bare = account_of(rules, backspreads(), 0.0)
    prices = np.geomspace(0.8 * SPOT, 1.2 * SPOT, 400)
    at = int(np.argmax(excess(bare, ALONE, prices)))
    top = _turn(bare, prices[at - 1], prices[at + 1])
    for sign, between in ((1.0, 1), (-1.0, 0)):
        account = account_of(rules, backspreads(), -top + sign * depth * abs(top))
        found = compare(account, ALONE, points=2_000)
        assert found.missing == []
        assert found.unmatched == []
        assert found.search == {"proven"}
        around = [root for root in found.ours if prices[at - 1] < root < prices[at + 1]]
        assert len(around) == 2 * between


@pytest.mark.parametrize(
    "rulebook",
    ["custom-scan", "deribit-spm", "derive-pm2", "deribit-sm", "derive-sm", "paradex-cross"],
)
def test_an_hour_before_expiry_with_strikes_at_the_price(rulebook: str) -> None:
    settle, hour = _settle(rulebook), 3_600
    legs = [
        option("call", SPOT, -1.0, settle=settle, seconds=hour),
        option("put", SPOT, -1.0, settle=settle, seconds=hour),
        option("call", 1.02 * SPOT, 2.0, settle=settle, seconds=hour),
        option("put", 0.98 * SPOT, 2.0, settle=settle, seconds=2 * hour),
        option("call", SPOT, -0.5, settle=settle, seconds=30 * DAY),
    ]
    for cash in (3_000.0, 40_000.0):
        _assert_holds(compare(account_of(shipped_rules(rulebook), legs, cash), ALONE, points=2_000))


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_moment_before_expiry_the_payoff_decides(seconds: int) -> None:
    legs = [
        option("call", SPOT, -1.0, seconds=seconds),
        option("put", SPOT, -1.0, seconds=seconds),
        option("call", 1.02 * SPOT, 2.0, seconds=seconds),
        option("put", 0.98 * SPOT, 2.0, seconds=seconds),
    ]
    found = compare(account_of(flat_rules(0.01), legs, 3_000.0), ALONE, points=2_000)
    _assert_holds(found)
    # in closed form: cash less what the options sold pay is 2 % of the price, on each branch
    closed = [99_000.0 / 1.02, 97_000.0 / 0.98, 103_000.0 / 1.02, 101_000.0 / 0.98]
    assert sorted(found.ours) == pytest.approx(sorted(closed), rel=1e-6)


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e6, 1e12])
def test_roots_do_not_depend_on_the_size_of_everything(size: float) -> None:
    rules = shipped_rules("custom-scan")
    one = compare(account_of(rules, backspreads(), 9_000.0), ALONE, points=2_000)
    _assert_holds(one)
    assert one.ours
    scaled = account_of(rules, backspreads(size=size), 9_000.0 * size)
    found = compare(scaled, ALONE, points=2_000)
    _assert_holds(found)
    assert found.ours == pytest.approx(one.ours, rel=1e-9)


@pytest.mark.parametrize("rulebook", ["custom-scan", "deribit-spm", "derive-pm2", "derive-sm"])
@pytest.mark.parametrize("cash", [0.0, 20_000.0, 1_000_000.0])
def test_worthless_options_sold_and_deep_ones_bought(rulebook: str, cash: float) -> None:
    settle = _settle(rulebook)
    far = [
        option("call", 9.0 * SPOT, -50.0, settle=settle, seconds=DAY, volatility=0.2),
        option("put", 0.05 * SPOT, -50.0, settle=settle, seconds=2 * DAY, volatility=0.2),
        option("call", 0.01 * SPOT, 0.2, settle=settle, seconds=9 * DAY),
        option("put", 50.0 * SPOT, 0.01, settle=settle, seconds=40 * DAY),
    ]
    _assert_holds(compare(account_of(shipped_rules(rulebook), far, cash), ALONE, points=2_000))


@pytest.mark.parametrize("cash", [1.0, 5_000.0])
def test_positions_that_net_to_nothing_need_the_least_requirement_alone(cash: float) -> None:
    legs = [
        *backspreads(),
        *(replace(leg, quantity=-leg.quantity) for leg in backspreads()),
    ]
    found = compare(account_of(shipped_rules("custom-scan"), legs, cash), ALONE, points=2_000)
    _assert_holds(found)
    # two contracts of the same terms do not net in the least requirement for six options sold
    assert found.ours == pytest.approx([cash / 0.06] if cash / 0.06 > 1_000.0 else [], rel=1e-12)


@pytest.mark.parametrize("short", [0.97, 1.0, 1.03])
def test_the_value_of_an_expiry_changes_its_sign_under_derive(short: float) -> None:
    terms = {"settle": "USDC", "rate": 0.05}
    legs = [
        option("call", SPOT, 1.0, **terms),
        option("call", 1.2 * SPOT, -3.0 * short, **terms),
        option("put", 0.9 * SPOT, -short, seconds=20 * DAY, **terms),
        option("put", 0.8 * SPOT, 1.9 * short, seconds=20 * DAY, **terms),
        option("call", 1.5 * SPOT, -1.0, seconds=200 * DAY, **terms),
        option("call", 0.9 * SPOT, 0.5, seconds=200 * DAY, **terms),
    ]
    rules = shipped_rules("derive-pm2")
    for cash in (-8_000.0, 0.0, 10_000.0):
        _assert_holds(compare(account_of(rules, legs, cash), ALONE, points=2_000))


@pytest.mark.parametrize("elasticity", [-2.0, -0.5, 2.0])
def test_volatilities_that_follow_the_price(elasticity: float) -> None:
    question = Question("BTC", elasticity=elasticity)
    for rulebook in ("custom-scan", "derive-pm2"):
        account = account_of(shipped_rules(rulebook), backspreads(_settle(rulebook)), 9_000.0)
        _assert_holds(compare(account, question, points=2_000))


@pytest.mark.parametrize("beta", [-0.5, 0.0, 3.0])
def test_another_coin_follows_by_its_beta(beta: float) -> None:
    ether = {"coin": "ETH", "forward": 3_000.0}
    legs = [
        *backspreads(),
        option("call", 3_300.0, -30.0, **ether),
        option("call", 3_900.0, 55.0, **ether),
        option("put", 2_500.0, -20.0, **ether, seconds=25 * DAY),
    ]
    account = Account(
        shipped_rules("custom-scan"),
        {"BTC": SPOT, "ETH": 3_000.0},
        tuple(legs),
        (Balance("USD", 15_000.0),),
    )
    question = Question("BTC", "beta", {"BTC": 1.0, "ETH": beta})
    _assert_holds(compare(account, question, points=2_000))


@pytest.mark.parametrize("rulebook", ["custom-scan", "derive-sm", "derive-pm2"])
def test_bankrupt_is_where_nothing_is_left_before_haircuts(rulebook: str) -> None:
    settle = _settle(rulebook)
    legs = [*backspreads(settle), Leg("BTC", settle, 0.3, SPOT)]
    for cash in (-5_000.0, 4_000.0):
        account = account_of(shipped_rules(rulebook), legs, cash)
        _assert_holds(compare(account, ALONE, which="bankrupt", points=2_000))


@pytest.mark.parametrize("coins", [99.9, 100.2, 101.0])
def test_the_slice_of_a_coin_that_counts_less_is_entered_on_the_way(coins: float) -> None:
    legs = [
        *backspreads("BTC", 3.0),
        Leg("BTC", "BTC", 4.0, SPOT),
    ]
    account = Account(
        shipped_rules("custom-scan"), {"BTC": SPOT}, tuple(legs), (Balance("BTC", coins),)
    )
    found = compare(account, ALONE, points=2_000)
    _assert_holds(found)
    assert found.ours


def test_options_that_have_settled_leave_no_zone_unseen() -> None:
    account = account_of(flat_rules(0.0), backspreads(), 19_900.0)
    found = compare(account, Question("BTC", days=60.0))
    # both backspreads cost 20,000 at the strikes bought, and a dollar less per dollar around them
    assert found.scanned == pytest.approx([69_900.0, 70_100.0, 129_900.0, 130_100.0], rel=1e-12)
    _assert_holds(found)


def test_a_search_that_gives_up_does_not_say_that_it_is_proven() -> None:
    conversion = [
        option("call", 0.9 * SPOT, 100.0),
        option("put", 0.9 * SPOT, -100.0),
        Leg("BTC", "USD", -100.0, SPOT),
    ]
    last_second = {"seconds": 1}
    butterfly = [
        option("call", 300_000.0, -1.0, **last_second),
        option("call", 301_000.0, 2.0, **last_second),
        option("call", 302_000.0, -1.0, **last_second),
    ]
    # one dollar is left everywhere, but for the butterfly sold, which costs up to a thousand
    account = account_of(flat_rules(0.0), [*conversion, *butterfly], -1_000_000.0 + 1.0)
    found = compare(account, ALONE)
    assert len(found.scanned) == 2
    assert found.search != {"proven"} or found.missing == []


def test_a_range_in_which_nothing_is_left_is_one_zone() -> None:
    settle = {"settle": "USDC"}
    box = [
        option("call", 0.9 * SPOT, 1.0, **settle),
        option("call", 1.1 * SPOT, -1.0, **settle),
        option("put", 1.1 * SPOT, 1.0, **settle),
        option("put", 0.9 * SPOT, -1.0, **settle),
    ]
    zones = cm.liquidation_zones(loaded(account_of(shipped_rules("derive-sm"), box, 0.0)), "BTC")
    assert len(zones.records()) <= 3
