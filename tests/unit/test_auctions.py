"""Auctions of slices bid by bid, and accounts that hold nothing but collateral and debts."""

from __future__ import annotations

from typing import Any

import pytest

import crossmargin

RULES: dict[str, Any] = {
    "id": "an-auction",
    "version": "1",
    "venue": "none",
    "report_currency": "USD",
    "settle": "USD",
    "source": "illustrative",
    "retrieved": "2026-11-20",
    "effective": "2026-11-20",
    "measure": {"kind": "tiers"},
    "liquidation": {
        "policy": "equal_slice",
        "auction": {
            "start": 0.2,
            "fast": 0.2,
            "fast_seconds": 0.0,
            "slow_seconds": 3_600.0,
            "insolvent_seconds": 3_600.0,
        },
    },
}
HEADER = ("symbol", "underlying", "settle", "contracts", "contractSize", "entryPrice", "markPrice")


def account(size: float, *balances: tuple[str, float], rate: float = 0.4) -> crossmargin.Book:
    """Return an account with coins at 1,000, dollars, and ETH at 50 of which half counts."""
    position = ("BTC", "BTC", "USD", size, 1.0, 1_000.0, 1_000.0, rate)
    terms = {"ETH": (50.0, 0.5), "USD": (1.0, 1.0)}
    rows = [(currency, cash, *terms[currency]) for currency, cash in balances]
    return crossmargin.book(
        [(*HEADER, "maintenanceMarginRate"), position],
        RULES,
        collateral=[("currency", "cash", "priceVenue", "collateralRate"), *rows],
    )


def order(book: crossmargin.Book, steps: int = 50, **options: object) -> list[dict[str, Any]]:
    table = crossmargin.liquidation_order(book, scenario="now", max_steps=steps, options=options)
    return list(table.records())


def test_a_bid_for_a_tenth_takes_a_tenth_of_what_is_left_and_not_of_what_was_paid() -> None:
    first, paid, second, paid_again = order(account(1, ("USD", 300.0)), steps=2, step=0.1)
    assert (first["qty"], second["qty"]) == pytest.approx((0.1, 0.09))
    # a tenth of 300 and of the 270 that earlier bids have not brought, a fifth below their value
    assert (paid["qty"], paid_again["qty"]) == pytest.approx((24.0, 21.6))
    assert paid_again["equity_after"] == pytest.approx(243.0 + 45.6)


def test_what_earlier_bids_have_brought_may_lie_in_several_balances() -> None:
    whole = order(account(0.9, ("USD", 294.0)), steps=1, reserved=24)
    parts = order(account(0.9, ("USD", 200.0), ("USD", 70.0), ("USD", 24.0)), steps=1, reserved=24)
    assert [row["qty"] for row in parts] == pytest.approx([row["qty"] for row in whole])
    assert [row["usage_after"] for row in parts] == pytest.approx(
        [row["usage_after"] for row in whole]
    )
    assert whole[-1]["usage_after"] == pytest.approx(1.0)


def test_an_auction_that_has_brought_money_takes_no_second_fee() -> None:
    rules = RULES | {
        "liquidation": RULES["liquidation"]
        | {"auction": RULES["liquidation"]["auction"] | {"fee": 0.1}}
    }
    positions = [(*HEADER, "maintenanceMarginRate"), ("BTC", "BTC", "USD", 1, 1, 1e3, 1e3, 0.4)]
    book = crossmargin.book(positions, rules, collateral=[("currency", "cash"), ("USD", 300.0)])
    assert "fee" in {row["action"] for row in order(book, steps=1)}
    assert "fee" not in {row["action"] for row in order(book, steps=1, reserved=24)}


def test_the_offer_for_an_account_without_value_is_a_row_that_is_not_its_money() -> None:
    rows = order(account(1, ("USD", -100.0)), elapsed=1_800)
    offer = rows[-1]
    # 100 are owed, and 500 to the maintenance margin; half the time has passed
    assert (offer["action"], offer["symbol"], offer["qty"]) == (
        "offer",
        "USD",
        pytest.approx(300.0),
    )
    assert offer["equity_after"] == 0.0


def test_an_account_without_positions_sells_collateral_for_its_debt() -> None:
    """4 ETH at 50 count half: 100 for a debt of 120; each coin sold adds 25."""
    book = account(0, ("ETH", 4.0), ("USD", -120.0))
    (sale,) = order(book, policy="collateral_first")
    assert (sale["action"], sale["symbol"]) == ("convert", "ETH")
    assert sale["qty"] == pytest.approx(0.8)
    assert sale["equity_after"] == pytest.approx(0.0, abs=1e-9)


def test_an_account_that_cannot_be_saved_sells_all_its_collateral_and_ends() -> None:
    book = account(0, ("ETH", 4.0), ("USD", -300.0))
    (sale,) = order(book, policy="collateral_first")
    assert sale["qty"] == pytest.approx(4.0)
    assert sale["equity_after"] == pytest.approx(-100.0)
