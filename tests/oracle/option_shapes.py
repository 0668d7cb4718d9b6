"""Accounts written by hand for the corners of the search: backspreads on one coin at 100,000."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.oracle.option_state import Account, Balance, Leg, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.second_opinion.shapes import Right

__all__ = ["ALONE", "DAY", "SPOT", "account_of", "backspreads", "option"]

SPOT = 100_000.0
DAY = 86_400
ALONE = Question("BTC")


def option(right: Right, strike: float, quantity: float, **terms: Any) -> Leg:
    """Return an option of ten days at 60 %, but for the terms given."""
    plain = Leg("BTC", "USD", quantity, SPOT, right, strike, volatility=0.6, seconds=10 * DAY)
    return replace(plain, **terms)


def account_of(rules: Mapping[str, Any], legs: Sequence[Leg], cash: float) -> Account:
    """Return an account whose cash is in the currency of settlement of its legs."""
    return Account(rules, {"BTC": SPOT}, tuple(legs), (Balance(legs[0].settle, cash),))


def backspreads(settle: str = "USD", size: float = 1.0) -> list[Leg]:
    """Return calls and puts that lose on both sides of the price and win beyond."""
    return [
        option("call", 1.1 * SPOT, -size, settle=settle),
        option("call", 1.3 * SPOT, 2.0 * size, settle=settle),
        option("put", 0.9 * SPOT, -size, settle=settle, seconds=20 * DAY),
        option("put", 0.7 * SPOT, 2.0 * size, settle=settle, seconds=30 * DAY),
    ]
