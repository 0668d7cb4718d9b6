"""Zones of a price against slow code that shares nothing with the product.

A thousand books take `python -m tests.oracle.option_scan --books 1000`; here are some of them, and
the corners in which a root is easily lost.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossmargin import functions as cm
from tests.oracle import option_values
from tests.oracle.option_books import drawn, flat_rules, shipped_rules
from tests.oracle.option_margins import equity, excess, requirement
from tests.oracle.option_scan import compare, loaded, roots, rounding_of
from tests.oracle.option_state import Account, Balance, Leg, Question, moved
from tests.second_opinion import black76
from tests.second_opinion.deribit_spm import deribit_spm
from tests.second_opinion.derive_books import PARAMETERS, SCENARIOS
from tests.second_opinion.derive_pm2 import derive_pm2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.oracle.option_scan import Comparison
    from tests.second_opinion.shapes import Book, Position, Right

SPOT = 100_000.0
DAY = 86_400
ALONE = Question("BTC")
COINS = ("BTC", "ETH")
SEEDS = range(24)


_drawn = functools.cache(drawn)


def _option(right: Right, strike: float, quantity: float, **terms: Any) -> Leg:
    plain = Leg("BTC", "USD", quantity, SPOT, right, strike, volatility=0.6, seconds=10 * DAY)
    return replace(plain, **terms)


def _account(rules: Mapping[str, Any], legs: Sequence[Leg], cash: float) -> Account:
    return Account(rules, {"BTC": SPOT}, tuple(legs), (Balance(legs[0].settle, cash),))


def _settle(rulebook: str) -> str:
    return "USD" if rulebook == "custom-scan" else "USDC"


def _backspreads(settle: str = "USD", size: float = 1.0) -> list[Leg]:
    """Return calls and puts that lose on both sides of the price and win beyond."""
    return [
        _option("call", 1.1 * SPOT, -size, settle=settle),
        _option("call", 1.3 * SPOT, 2.0 * size, settle=settle),
        _option("put", 0.9 * SPOT, -size, settle=settle, seconds=20 * DAY),
        _option("put", 0.7 * SPOT, 2.0 * size, settle=settle, seconds=30 * DAY),
    ]


def _assert_holds(found: Comparison) -> None:
    assert found.missing == []
    assert found.safe_but_unsafe == []
    assert found.unsafe_but_safe == []
    assert found.unmatched == []
    assert max(found.differences, default=0.0) <= 1e-9


# The second method itself -------------------------------------------------------------------------


def test_many_values_at_once_are_those_of_one_at_a_time() -> None:
    forwards = np.geomspace(100.0, 10_000.0, 400)
    for right in ("call", "put"):
        for volatility, years in ((0.6, 0.1), (2.0, 1.0), (0.3, 1e-4), (0.0, 1.0), (0.5, 0.0)):
            terms = (1_000.0, volatility, years)
            values = option_values.option_value(right, forwards, *terms)
            deltas = option_values.forward_delta(right, forwards, *terms)
            single = [black76.value(right, one, *terms) for one in forwards]
            assert np.max(np.abs(values - single) / forwards) < 1e-14
            slopes = [black76.delta(right, one, *terms) for one in forwards]
            assert np.max(np.abs(deltas - slopes)) < 1e-14


def _as_second_opinion(account: Account, price: float) -> Book:
    """Return the account at a price of its only coin in the shape of the second opinions."""
    (coin,) = account.index
    ratio = price / account.mark(coin)
    held: list[Position] = []
    for leg in account.legs:
        position: Position = {
            "underlying": coin,
            "kind": "perpetual" if leg.right is None else "option",
            "settle": leg.settle,
            "expiry_days": None if leg.right is None else leg.seconds / DAY,
            "forward": leg.forward * ratio,
            "quantity": leg.quantity / ratio if leg.in_coin and not leg.right else leg.quantity,
        }
        if leg.right is not None:
            position |= {
                "strike": leg.strike,
                "right": leg.right,
                "implied_volatility": leg.volatility,
            }
        held.append(position)
    return {"as_of_days": 0.0, "index": {coin: account.index[coin] * ratio}, "positions": held}


def _of_kind(*starts: str) -> list[Account]:
    books = [_drawn(seed) for seed in range(100)]
    return [
        one.account
        for one in books
        if one.kind.name.startswith(starts) and len(one.account.index) == 1
    ][:6]


def test_the_scan_at_one_price_is_the_second_opinion_on_deribit() -> None:
    accounts = _of_kind("deribit-spm, coin", "deribit-spm, stable")
    assert len({account.legs[0].in_coin for account in accounts}) == 2
    for account in accounts:
        (coin,) = account.index
        for factor in (0.4, 0.97, 1.8):
            price = factor * account.mark(coin)
            book = _as_second_opinion(account, price)
            (pool,) = deribit_spm(book)["pools"].values()
            unit = book["index"][coin] if account.legs[0].in_coin else 1.0
            state = moved(account, Question(coin), np.array([price]))
            expected = pool["maintenance_margin"] * unit
            assert requirement(state)[0] == pytest.approx(expected, rel=1e-9)


def test_the_scan_at_one_price_is_the_second_opinion_on_derive() -> None:
    accounts = [one for one in _of_kind("derive-pm2, stable") if len(one.balances) == 1]
    assert len(accounts) >= 2
    for account in accounts:
        (coin,) = account.index
        for factor in (0.4, 0.97, 1.8):
            price = factor * account.mark(coin)
            ratio = price / account.mark(coin)
            options = [leg for leg in account.legs if leg.right is not None]
            perps = [leg for leg in account.legs if leg.right is None]
            expiries = {leg.seconds: leg for leg in options}
            sure = {"forward_confidence": 1.0, "rate_confidence": 1.0, "vol_confidence": 1.0}
            mark = account.mark(coin)
            inputs = {
                "cash": account.balances[0].cash,
                "spot": account.index[coin] * ratio,
                "spot_confidence": 1.0,
                "stable_price": 1.0,
                "perp": {
                    "amount": sum(leg.quantity for leg in perps),
                    "price": price,
                    "confidence": 1.0,
                    "unrealised_pnl": sum(leg.quantity * (price - mark) for leg in perps),
                    "unrealised_funding": 0.0,
                },
                "collaterals": [],
                "expiries": [
                    {
                        "seconds_to_expiry": seconds,
                        "forward": leg.forward * ratio,
                        "rate": leg.rate,
                        **sure,
                    }
                    for seconds, leg in expiries.items()
                ],
                "options": [
                    {
                        "seconds_to_expiry": leg.seconds,
                        "strike": leg.strike,
                        "type": leg.right,
                        "amount": leg.quantity,
                        "vol": leg.volatility,
                    }
                    for leg in options
                ],
                "params": PARAMETERS,
            }
            net = derive_pm2(inputs, SCENARIOS)["MM"]
            found = excess(account, Question(coin), np.array([price]))[0]
            state = moved(account, Question(coin), np.array([price]))
            scale = abs(equity(state)[0]) + abs(requirement(state)[0])
            assert found == pytest.approx(net, rel=0.0, abs=1e-9 * scale)


def test_the_scan_finds_two_roots_between_two_of_its_prices() -> None:
    account = _account(flat_rules(0.0), _backspreads(), 0.0)
    prices = np.geomspace(0.9 * SPOT, 1.1 * SPOT, 2_001)
    plain = excess(account, ALONE, prices)
    top = float(plain.max()) * (1.0 - 1e-10)
    account = _account(flat_rules(0.0), _backspreads(), -top)
    noise = rounding_of(account, ALONE)

    def level(at: option_values.Floats) -> option_values.Floats:
        return excess(account, ALONE, at)

    coarse = np.geomspace(0.9 * SPOT, 1.1 * SPOT, 40)
    scanned, hidden = roots(level, noise, coarse, level(coarse))
    assert scanned == []
    assert len(hidden) == 2
    assert np.all(np.abs(level(np.array(hidden))) <= noise(np.array(hidden)))


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
    bare = _account(rules, _backspreads(), 0.0)
    prices = np.geomspace(0.8 * SPOT, 1.2 * SPOT, 400)
    at = int(np.argmax(excess(bare, ALONE, prices)))
    top = _turn(bare, prices[at - 1], prices[at + 1])
    for sign, between in ((1.0, 1), (-1.0, 0)):
        account = _account(rules, _backspreads(), -top + sign * depth * abs(top))
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
        _option("call", SPOT, -1.0, settle=settle, seconds=hour),
        _option("put", SPOT, -1.0, settle=settle, seconds=hour),
        _option("call", 1.02 * SPOT, 2.0, settle=settle, seconds=hour),
        _option("put", 0.98 * SPOT, 2.0, settle=settle, seconds=2 * hour),
        _option("call", SPOT, -0.5, settle=settle, seconds=30 * DAY),
    ]
    for cash in (3_000.0, 40_000.0):
        _assert_holds(compare(_account(shipped_rules(rulebook), legs, cash), ALONE, points=2_000))


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_moment_before_expiry_the_payoff_decides(seconds: int) -> None:
    legs = [
        _option("call", SPOT, -1.0, seconds=seconds),
        _option("put", SPOT, -1.0, seconds=seconds),
        _option("call", 1.02 * SPOT, 2.0, seconds=seconds),
        _option("put", 0.98 * SPOT, 2.0, seconds=seconds),
    ]
    found = compare(_account(flat_rules(0.01), legs, 3_000.0), ALONE, points=2_000)
    _assert_holds(found)
    # in closed form: cash less what the options sold pay is 2 % of the price, on each branch
    closed = [99_000.0 / 1.02, 97_000.0 / 0.98, 103_000.0 / 1.02, 101_000.0 / 0.98]
    assert sorted(found.ours) == pytest.approx(sorted(closed), rel=1e-6)


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e6, 1e12])
def test_roots_do_not_depend_on_the_size_of_everything(size: float) -> None:
    rules = shipped_rules("custom-scan")
    one = compare(_account(rules, _backspreads(), 9_000.0), ALONE, points=2_000)
    _assert_holds(one)
    assert one.ours
    scaled = _account(rules, _backspreads(size=size), 9_000.0 * size)
    found = compare(scaled, ALONE, points=2_000)
    _assert_holds(found)
    assert found.ours == pytest.approx(one.ours, rel=1e-9)


@pytest.mark.parametrize("rulebook", ["custom-scan", "deribit-spm", "derive-pm2", "derive-sm"])
@pytest.mark.parametrize("cash", [0.0, 20_000.0, 1_000_000.0])
def test_worthless_options_sold_and_deep_ones_bought(rulebook: str, cash: float) -> None:
    settle = _settle(rulebook)
    far = [
        _option("call", 9.0 * SPOT, -50.0, settle=settle, seconds=DAY, volatility=0.2),
        _option("put", 0.05 * SPOT, -50.0, settle=settle, seconds=2 * DAY, volatility=0.2),
        _option("call", 0.01 * SPOT, 0.2, settle=settle, seconds=9 * DAY),
        _option("put", 50.0 * SPOT, 0.01, settle=settle, seconds=40 * DAY),
    ]
    _assert_holds(compare(_account(shipped_rules(rulebook), far, cash), ALONE, points=2_000))


@pytest.mark.parametrize("cash", [1.0, 5_000.0])
def test_positions_that_net_to_nothing_need_the_least_requirement_alone(cash: float) -> None:
    legs = [
        *_backspreads(),
        *(replace(leg, quantity=-leg.quantity) for leg in _backspreads()),
    ]
    found = compare(_account(shipped_rules("custom-scan"), legs, cash), ALONE, points=2_000)
    _assert_holds(found)
    # two contracts of the same terms do not net in the least requirement for six options sold
    assert found.ours == pytest.approx([cash / 0.06] if cash / 0.06 > 1_000.0 else [], rel=1e-12)


@pytest.mark.parametrize("short", [0.97, 1.0, 1.03])
def test_the_value_of_an_expiry_changes_its_sign_under_derive(short: float) -> None:
    terms = {"settle": "USDC", "rate": 0.05}
    legs = [
        _option("call", SPOT, 1.0, **terms),
        _option("call", 1.2 * SPOT, -3.0 * short, **terms),
        _option("put", 0.9 * SPOT, -short, seconds=20 * DAY, **terms),
        _option("put", 0.8 * SPOT, 1.9 * short, seconds=20 * DAY, **terms),
        _option("call", 1.5 * SPOT, -1.0, seconds=200 * DAY, **terms),
        _option("call", 0.9 * SPOT, 0.5, seconds=200 * DAY, **terms),
    ]
    rules = shipped_rules("derive-pm2")
    for cash in (-8_000.0, 0.0, 10_000.0):
        _assert_holds(compare(_account(rules, legs, cash), ALONE, points=2_000))


@pytest.mark.parametrize("elasticity", [-2.0, -0.5, 2.0])
def test_volatilities_that_follow_the_price(elasticity: float) -> None:
    question = Question("BTC", elasticity=elasticity)
    for rulebook in ("custom-scan", "derive-pm2"):
        account = _account(shipped_rules(rulebook), _backspreads(_settle(rulebook)), 9_000.0)
        _assert_holds(compare(account, question, points=2_000))


@pytest.mark.parametrize("beta", [-0.5, 0.0, 3.0])
def test_another_coin_follows_by_its_beta(beta: float) -> None:
    ether = {"coin": "ETH", "forward": 3_000.0}
    legs = [
        *_backspreads(),
        _option("call", 3_300.0, -30.0, **ether),
        _option("call", 3_900.0, 55.0, **ether),
        _option("put", 2_500.0, -20.0, **ether, seconds=25 * DAY),
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
    legs = [*_backspreads(settle), Leg("BTC", settle, 0.3, SPOT)]
    for cash in (-5_000.0, 4_000.0):
        account = _account(shipped_rules(rulebook), legs, cash)
        _assert_holds(compare(account, ALONE, which="bankrupt", points=2_000))


@pytest.mark.parametrize("coins", [99.9, 100.2, 101.0])
def test_the_slice_of_a_coin_that_counts_less_is_entered_on_the_way(coins: float) -> None:
    legs = [
        *_backspreads("BTC", 3.0),
        Leg("BTC", "BTC", 4.0, SPOT),
    ]
    account = Account(
        shipped_rules("custom-scan"), {"BTC": SPOT}, tuple(legs), (Balance("BTC", coins),)
    )
    found = compare(account, ALONE, points=2_000)
    _assert_holds(found)
    assert found.ours


def test_options_that_have_settled_leave_no_zone_unseen() -> None:
    account = _account(flat_rules(0.0), _backspreads(), 19_900.0)
    found = compare(account, Question("BTC", days=60.0))
    # both backspreads cost 20,000 at the strikes bought, and a dollar less per dollar around them
    assert found.scanned == pytest.approx([69_900.0, 70_100.0, 129_900.0, 130_100.0], rel=1e-12)
    _assert_holds(found)


def test_a_search_that_gives_up_does_not_say_that_it_is_proven() -> None:
    conversion = [
        _option("call", 0.9 * SPOT, 100.0),
        _option("put", 0.9 * SPOT, -100.0),
        Leg("BTC", "USD", -100.0, SPOT),
    ]
    last_second = {"seconds": 1}
    butterfly = [
        _option("call", 300_000.0, -1.0, **last_second),
        _option("call", 301_000.0, 2.0, **last_second),
        _option("call", 302_000.0, -1.0, **last_second),
    ]
    # one dollar is left everywhere, but for the butterfly sold, which costs up to a thousand
    account = _account(flat_rules(0.0), [*conversion, *butterfly], -1_000_000.0 + 1.0)
    found = compare(account, ALONE)
    assert len(found.scanned) == 2
    assert found.search != {"proven"} or found.missing == []


def test_a_range_in_which_nothing_is_left_is_one_zone() -> None:
    settle = {"settle": "USDC"}
    box = [
        _option("call", 0.9 * SPOT, 1.0, **settle),
        _option("call", 1.1 * SPOT, -1.0, **settle),
        _option("put", 1.1 * SPOT, 1.0, **settle),
        _option("put", 0.9 * SPOT, -1.0, **settle),
    ]
    zones = cm.liquidation_zones(loaded(_account(shipped_rules("derive-sm"), box, 0.0)), "BTC")
    assert len(zones.records()) <= 3
