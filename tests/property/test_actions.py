"""Cures, what-ifs and withdrawals against the same account with its tables changed by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import crossmargin
from tests.oracle.ledger import Ledger, black
from tests.oracle.sheets import number, records

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
COINS = {"BTC": (60000.0, 0.01), "ETH": (3000.0, 0.02), "SOL": (150.0, 0.04)}


def _market() -> list[list[Any]]:
    rows: list[list[Any]] = [["underlying", "symbol", "markPrice", "indexPrice"]]
    rows += [[coin, None, mark, mark] for coin, (mark, _) in COINS.items()]
    return rows


@st.composite
def tiered(draw: Any) -> Ledger:
    """Draw a book of perpetuals under rates of the rows, with collateral that is cut."""
    positions = []
    for coin, (mark, rate) in COINS.items():
        notional = draw(st.integers(-40, 40)) * 5000
        if notional:
            entry = mark * draw(st.sampled_from([0.9, 1.0, 1.08]))
            positions.append(
                {"symbol": coin, "contracts": notional / mark, "entryPrice": entry,
                 "markPrice": mark, "maintenanceMarginRate": rate, "leverage": 10}
            )  # fmt: skip
    assume(positions)
    need = sum(
        abs(row["contracts"]) * row["markPrice"] * row["maintenanceMarginRate"] for row in positions
    )
    gains = sum(row["contracts"] * (row["markPrice"] - row["entryPrice"]) for row in positions)
    cash = need * draw(st.sampled_from([0.4, 0.9, 1.2])) - gains
    return Ledger(
        tuple(positions), {"USD": cash, "BTC": draw(st.sampled_from([0.0, 0.05]))}, _market(),
        "custom", rates={"BTC": 0.9}, prices={"BTC": 60000.0, "USD": 1.0},
        fee=0.0005, slippage=0.001,
    )  # fmt: skip


@st.composite
def scanned(draw: Any) -> Ledger:
    """Draw an option book under scenarios."""
    forward, years = 60500.0, ((27 + 28 + 31) - 13 + 8 / 24 - 0.5) / 365
    positions = []
    for strike in (48000, 56000, 60000, 66000, 78000):
        for right in "CP":
            contracts = draw(st.integers(-6, 4)) / 2
            if contracts:
                volatility = 0.5 + abs(strike - 60000) / 120000
                mark = black(right, forward, strike, volatility * math.sqrt(years))
                positions.append(
                    {"symbol": f"BTC-27MAR26-{strike}-{right}", "contracts": contracts,
                     "entryPrice": mark, "markPrice": mark, "forward": forward,
                     "markIv": volatility, "settle": "USD", "option": True}
                )  # fmt: skip
    assume(len(positions) > 1)
    positions.append(
        {"symbol": "BTC-PERP", "contracts": draw(st.sampled_from([-1.0, 0.5, 2.0])),
         "entryPrice": 59000.0, "markPrice": 60000.0, "settle": "USD"}
    )  # fmt: skip
    made = Ledger(
        tuple(positions), {"USD": 1e8}, _market(), "custom-scan", prices={"USD": 1.0}, fee=0.0003,
        slippage=0.002,
    )  # fmt: skip
    book = made.book()
    need = number(crossmargin.maintenance_margin(book))
    assume(need > 1000)
    return made.paid("USD", -number(crossmargin.equity(book)) + need * 1.1)


def _check(ledger: Ledger, target: str, allowed: str) -> None:
    book = ledger.book()
    options = {"fee": ledger.fee, "slippage": ledger.slippage}
    rows = records(
        crossmargin.cure(book, target=target, allowed=allowed, max_rows=60, options=options)
    )
    usage = float(target.split("=")[1])
    rows = [row for row in rows if row["action"] != "none"]
    ranks = sorted({row["rank"] for row in rows})
    for rank in ranks:
        current = ledger
        group = [row for row in rows if row["rank"] == rank]
        for row in group:
            current = current.done(row["action"], row["symbol"], row["side"], row["qty"], {})
            if not current.positions:
                continue
            again = current.book()
            margin = number(crossmargin.maintenance_margin(again))
            scale = abs(margin) + number(crossmargin.maintenance_margin(book))
            assert row["mm_after"] == pytest.approx(margin, rel=1e-9, abs=1e-9 * scale), row
            if row["usage_after"] is not None:
                equity = number(crossmargin.equity(again, basis="adjusted"))
                assert row["usage_after"] == pytest.approx(margin / equity, rel=1e-8), row
        if "short of the target" not in group[-1]["comment"]:
            assert group[-1]["usage_after"] <= usage * (1 + 1e-12), group[-1]


@FEW
@given(tiered())
def test_every_row_of_a_cure_holds_when_the_tables_are_changed_by_hand(ledger: Ledger) -> None:
    _check(ledger, "usage=0.6", "close;deposit;convert")


@FEW
@given(scanned())
def test_the_same_for_option_books_with_hedges(ledger: Ledger) -> None:
    _check(ledger, "usage=0.7", "close;hedge;deposit")


@FEW
@given(tiered())
def test_a_deposit_is_grossed_up_by_the_rate_of_its_currency(ledger: Ledger) -> None:
    book = ledger.book()
    rows = records(crossmargin.cure(book, target="usage=0.6", allowed="deposit"))
    lacks = number(crossmargin.maintenance_margin(book)) / 0.6 - number(
        crossmargin.equity(book, basis="adjusted")
    )
    if lacks <= 0:
        assert [row["action"] for row in rows] == ["none"]
        return
    by_currency = {row["symbol"]: row["qty"] for row in rows}
    # rounded up to a step of the search, never down
    assert lacks * (1 - 1e-12) <= by_currency["USD"] <= lacks * (1 + 1e-4)
    coins = lacks / 0.9 / 60000
    assert coins * (1 - 1e-12) <= by_currency["BTC"] <= coins * (1 + 1e-4)


@FEW
@given(scanned(), st.sampled_from([-2.0, -0.5, 0.5, 3.0]), st.integers(0, 20))
def test_a_what_if_is_the_book_with_its_tables_changed(
    ledger: Ledger, change: float, place: int
) -> None:
    row = ledger.positions[place % len(ledger.positions)]
    free = Ledger(**{**ledger.__dict__, "fee": 0.0, "slippage": 0.0})
    book, again = free.book(), free.traded(row["symbol"], change).book()
    shown = crossmargin.what_if(book, [[row["symbol"], change]])
    figures = {line["measure"]: line for line in records(shown)}
    for name, value in (
        ("mm", crossmargin.maintenance_margin(again)),
        ("im", crossmargin.initial_margin(again)),
        ("equity", crossmargin.equity(again, basis="gross")),
        ("excess_mm", crossmargin.excess(again)),
    ):
        scale = abs(number(value)) + number(crossmargin.maintenance_margin(book))
        assert figures[name]["after"] == pytest.approx(number(value), abs=1e-8 * scale), name
    counted = [
        line for line in figures.values() if line["measure"].startswith("mm: ")
        and line["note"] in {"counts", "counts after"}
    ]  # fmt: skip
    total = sum(line["after"] for line in counted)
    assert total == pytest.approx(figures["mm"]["after"], rel=1e-9, abs=1e-6)


@FEW
@given(tiered(), st.sampled_from(["USD", "BTC"]))
def test_what_can_be_withdrawn_leaves_the_initial_margin_covered_and_a_step_more_does_not(
    ledger: Ledger, code: str
) -> None:
    amount = number(crossmargin.withdrawable(ledger.book(), code))
    held = ledger.cash[code]
    assert 0.0 <= amount <= max(held, 0.0)

    def excess(taken: float) -> float:
        return number(crossmargin.excess(ledger.paid(code, -taken).book(), above="IM"))

    if excess(0.0) < 0 or held <= 0:
        assert amount == 0.0
        return
    assert excess(amount) >= -1e-6
    if amount < held:
        assert excess(amount + 2e-8 * held) < 1e-6
