"""The scan of option books itself: its figures at one price are those of other slow code."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.oracle import option_values
from tests.oracle.option_books import drawn, flat_rules
from tests.oracle.option_margins import equity, excess, requirement
from tests.oracle.option_scan import roots, rounding_of
from tests.oracle.option_shapes import ALONE, DAY, SPOT, account_of, backspreads
from tests.oracle.option_state import Question, moved
from tests.second_opinion import black76
from tests.second_opinion.deribit_spm import deribit_spm
from tests.second_opinion.derive_books import PARAMETERS, SCENARIOS
from tests.second_opinion.derive_pm2 import derive_pm2

if TYPE_CHECKING:
    from tests.oracle.option_state import Account
    from tests.second_opinion.shapes import Book, Position

_drawn = functools.cache(drawn)


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
    for marked in accounts:
        # the second opinion values options by their volatilities
        legs = tuple(replace(leg, mark=None) for leg in marked.legs)
        account = replace(marked, legs=legs)
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


def test_marked_options_are_worth_their_marks_today_and_never_less_than_nothing() -> None:
    below = 0
    for seed in range(30):
        account = _drawn(seed).account
        (coin, *_) = account.index
        today = account.mark(coin)
        for held in moved(account, Question(coin), np.geomspace(0.02, 10.0, 50) * today).held:
            assert held.leg.right is None or np.min(held.worth) >= 0.0
        for held in moved(account, Question(coin), np.array([today])).held:
            if held.leg.mark is not None:
                assert held.worth[0] == pytest.approx(held.leg.mark, rel=1e-12, abs=1e-9)
                below += held.leg.mark < held.value[0] * held.discount / (
                    held.forward[0] if held.leg.in_coin else 1.0
                )
    assert below > 50


def test_the_scan_finds_two_roots_between_two_of_its_prices() -> None:
    account = account_of(flat_rules(0.0), backspreads(), 0.0)
    prices = np.geomspace(0.9 * SPOT, 1.1 * SPOT, 2_001)
    plain = excess(account, ALONE, prices)
    top = float(plain.max()) * (1.0 - 1e-10)
    account = account_of(flat_rules(0.0), backspreads(), -top)
    noise = rounding_of(account, ALONE)

    def level(at: option_values.Floats) -> option_values.Floats:
        return excess(account, ALONE, at)

    coarse = np.geomspace(0.9 * SPOT, 1.1 * SPOT, 40)
    scanned, hidden = roots(level, noise, coarse, level(coarse))
    assert scanned == []
    assert len(hidden) == 2
    assert np.all(np.abs(level(np.array(hidden))) <= noise(np.array(hidden)))
