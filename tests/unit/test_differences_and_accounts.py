"""What changed between two books, driver by driver, and accounts side by side."""

from __future__ import annotations

import math
from typing import Any

import pytest

import crossmargin
from crossmargin import registry
from crossmargin.cells import SheetError
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, number, records, table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate leverage"
OPTION_HEADER = (
    "symbol type underlying settle contracts contractSize strike optionType secondsToExpiry "
    "forward markIv markPrice indexPrice entryPrice leverage"
)


def _book(  # noqa: PLR0913  # one argument for each driver
    *, spot: float = 3000.0, vol: float = 0.6, days: float = 0.0, calls: float = -10.0,
    cash: float = 60000.0, orders: Rows | None = None, rulebook: str = "deribit-spm",
) -> crossmargin.Book:  # fmt: skip
    """Return a book of coin-settled options and a perpetual at some inputs."""
    rows: Rows = [OPTION_HEADER.split()]
    for symbol, quantity, strike, right, left in (
        ("NEAR-C", calls, 3300.0, "call", 20.0),
        ("FAR-P", 6.0, 2700.0, "put", 80.0),
    ):
        if quantity:
            rows.append([symbol, "option", "ETH", "ETH", quantity, 1, strike, right,
                         (left - days) * 86400.0, spot * 1.01, vol, None, spot, None,
                         None])  # fmt: skip
    rows.append(["ETH-PERPETUAL", "perpetual", "ETH", "ETH", 30000, 1, None, None, None, None, None,
                 spot, spot, 3000.0, None])  # fmt: skip
    return crossmargin.book(
        rows, rulebook, collateral=table("currency cash", ["ETH", cash / 3000.0]),
        market=table("underlying indexPrice", ["ETH", spot]), orders=orders,
        as_of=f"2026-01-{13 + int(days):02d}T08:00:00Z",
    )  # fmt: skip


def _drivers(old: crossmargin.Book, new: crossmargin.Book, **more: Any) -> dict[str, float]:
    found = records(crossmargin.book_difference(old, new, **more))
    return {row["driver"]: row["change"] for row in found}


ALONE: dict[str, dict[str, Any]] = {
    "prices": {"spot": 3300.0},
    "vol": {"vol": 0.8},
    "time": {"days": 5.0},
    "trades": {"calls": -4.0},
    "collateral": {"cash": 90000.0},
    "parameters": {"rulebook": "deribit-spm@2026.09"},
}


@pytest.mark.parametrize("measure", ["MM", "IM", "equity"])
@pytest.mark.parametrize("driver", ALONE)
def test_a_driver_that_changes_alone_is_the_whole_change(driver: str, measure: str) -> None:
    old, new = _book(), _book(**ALONE[driver])
    found = _drivers(old, new, measure=measure)
    ask = {"MM": crossmargin.maintenance_margin, "IM": crossmargin.initial_margin,
           "equity": crossmargin.equity}[measure]  # fmt: skip
    total = number(ask(new)) - number(ask(old))
    assert found["TOTAL"] == pytest.approx(total, rel=1e-12, abs=1e-9)
    assert found[driver] == pytest.approx(total, rel=1e-9, abs=1e-6)
    others = [change for name, change in found.items() if name not in {driver, "TOTAL"}]
    assert all(abs(change) < 1e-6 for change in others), found


@pytest.mark.parametrize("measure", ["MM", "IM", "equity", "usage", "excess"])
def test_everything_at_once_closes_to_zero(measure: str) -> None:
    orders = table("symbol side amount price", ["ETH-PERPETUAL", "buy", 20000, 3000])
    new = _book(spot=2800.0, vol=0.75, days=6.0, calls=-3.0, cash=80000.0, orders=orders)
    found = _drivers(_book(), new, measure=measure)
    parts = [change for name, change in found.items() if name != "TOTAL"]
    assert sum(parts) == pytest.approx(found["TOTAL"], rel=1e-12, abs=1e-12)
    assert list(found) == [
        "parameters", "time", "prices", "vol", "trades", "collateral", "orders", "cross", "TOTAL",
    ]  # fmt: skip
    assert found["prices"] != 0
    assert found["vol"] != 0


def test_a_mixed_book_is_the_book_pasted_with_those_inputs() -> None:
    old, new = _book(), _book(spot=2800.0, vol=0.75, days=6.0, calls=-3.0, cash=80000.0)
    found = _drivers(old, new)

    def margin(book: crossmargin.Book) -> float:
        return number(crossmargin.maintenance_margin(book))

    base = margin(old)
    assert found["prices"] == pytest.approx(margin(_book(spot=2800.0)) - base, rel=1e-9)
    assert found["vol"] == pytest.approx(margin(_book(vol=0.75)) - base, rel=1e-9)
    assert found["time"] == pytest.approx(margin(_book(days=6.0)) - base, rel=1e-9)
    market = margin(_book(spot=2800.0, vol=0.75, days=6.0))
    traded = margin(_book(spot=2800.0, vol=0.75, days=6.0, calls=-3.0))
    assert found["trades"] == pytest.approx(traded - market, rel=1e-9)
    cross = market - base - found["prices"] - found["vol"] - found["time"]
    assert found["cross"] == pytest.approx(cross, rel=1e-9, abs=1e-6)


def test_orders_are_a_driver_of_the_initial_margin() -> None:
    orders = table("symbol side amount price", ["ETH-PERPETUAL", "buy", 60000, 3000])
    old, new = _book(), _book(orders=orders)
    found = _drivers(old, new, measure="IM")
    total = number(crossmargin.initial_margin(new)) - number(crossmargin.initial_margin(old))
    assert total > 0
    assert found["orders"] == pytest.approx(total, rel=1e-12)


def test_positions_and_the_rest_sum_to_the_change() -> None:
    old, new = _book(), _book(spot=2900.0, calls=-4.0)
    found = records(crossmargin.book_difference(old, new, measure="equity", group_by="position"))
    changes = {row["driver"]: row["change"] for row in found}
    total = number(crossmargin.equity(new)) - number(crossmargin.equity(old))
    assert changes["TOTAL"] == pytest.approx(total, rel=1e-12)
    assert sum(list(changes.values())[:-1]) == pytest.approx(total, rel=1e-12)
    notes = {row["driver"]: row["note"] for row in found}
    assert notes["NEAR-C"] == "changed: -10 to -4"


def test_books_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(CrossmarginError, match="exchange the two"):
        crossmargin.book_difference(_book(days=3.0), _book())
    rows = table(H, ["BTC", 1, 60000, 60000, 0.01, 10])
    balances = table("currency cash", ["USD", 40000])
    one = crossmargin.book(rows, "custom", collateral=balances)
    two = crossmargin.book(rows, "span-16", collateral=balances)
    with pytest.raises(CrossmarginError, match="venues=any goes on"):
        crossmargin.book_difference(one, two)
    with pytest.raises(CrossmarginError, match="unknown measure 'margin'"):
        crossmargin.book_difference(one, one, measure="margin")


def _accounts(*cash: float) -> crossmargin.Book:
    """Return accounts that are long or short one bitcoin, with some cash each."""
    rows: Rows = [["account", *H.split()]]
    balances: Rows = [["account", "currency", "cash"]]
    for place, own in enumerate(cash):
        name, side = f"a{place}", 1 if place % 2 == 0 else -1
        rows.append([name, "BTC", side, 60000, 60000, 0.01, 10])
        balances.append([name, "USD", own])
    market = table("underlying dailyVol", ["BTC", 0.03])
    return crossmargin.book(rows, "custom", collateral=balances, market=market)


def test_accounts_are_ranked_by_what_is_left_above_the_trigger() -> None:
    found = crossmargin.account_ranking(_accounts(9000, 5000, 700))
    assert list(found.header) == (
        "rank account equity_adjusted mm usage excess_mm nearest_pct sigmas first_liquidated "
        "call_amount age_in_state status".split()
    )
    rows = records(found)
    assert [row["account"] for row in rows] == ["a2", "a1", "a0"]
    assert [row["excess_mm"] for row in rows] == pytest.approx([100, 4400, 8400])
    # long: cash + (p - 60,000) = 0.01 p; the initial margin is a tenth
    price = (60000 - 9000) / 0.99
    assert rows[2]["nearest_pct"] == pytest.approx(price / 60000 - 1, rel=1e-9)
    assert rows[0]["call_amount"] == pytest.approx(6000 - 700)
    assert rows[0]["age_in_state"] == "not known: a book is one moment"


def test_ranks_by_other_figures_and_the_top_of_them() -> None:
    book = _accounts(9000, 5000, 700)

    def names(**more: Any) -> list[str]:
        return [row["account"] for row in records(crossmargin.account_ranking(book, **more))]

    assert names(top=2) == ["a2", "a1"]
    assert names(sort="nearest") == ["a2", "a1", "a0"]
    assert names(sort="call")[0] == "a2"
    with pytest.raises(CrossmarginError, match="unknown sort 'size'; known: excess, usage"):
        names(sort="size")
    with pytest.raises(CrossmarginError, match="top must be from 1 to 1,000,000, was 0"):
        names(top=0)


def test_accounts_of_several_books_stand_side_by_side() -> None:
    books = [_accounts(9000), _accounts(700)]
    rows = records(crossmargin.account_ranking(books))
    assert [row["account"] for row in rows] == ["a0 (custom)", "a0 (custom)"]
    assert rows[0]["excess_mm"] == pytest.approx(100)


def test_the_first_account_to_fail_the_transfer_that_saves_it_and_the_leg_that_is_left() -> None:
    # long a0 and short a1 hedge each other; OCT2025 takes bitcoin down by 16.16 %
    book = _accounts(8000, 30000)
    found = crossmargin.account_ranking(book, options={"stress": "OCT2025"})
    first, second = records(found)
    assert (first["account"], second["account"]) == ("a0", "a1")
    price = (60000 - 8000) / 0.99
    fall = 1 - 0.1616
    assert first["fails_at"] == pytest.approx(math.log(price / 60000) / math.log(fall), rel=1e-6)
    lacking = 0.01 * 60000 * fall - (8000 - 60000 * 0.1616)
    assert first["transfer"] == pytest.approx(lacking, rel=1e-6)
    assert first["transfer_from"].startswith("a1 ")
    assert first["delta_left"].startswith("BTC 0 to -1")
    assert second["status"] == "ok"
    saved = _accounts(8000 + first["transfer"], 30000 - first["transfer"])
    again = records(crossmargin.account_ranking(saved, options={"stress": "OCT2025"}))
    assert all(row["fails_at"] in {"", None} for row in again)


def test_an_account_that_nobody_can_save_says_so() -> None:
    row = records(crossmargin.account_ranking(_accounts(8000), options={"stress": "OCT2025"}))[0]
    assert row["transfer"] is None
    assert "no other account can spare it in USD" in row["note"]


@pytest.mark.parametrize("cells", ["#N/A", [["#N/A"]], [["#VALUE!"], [None]]])
def test_a_key_that_is_an_error_is_no_answer_and_not_a_wrong_word(cells: object) -> None:
    answer = registry.call("CM_ACCOUNTS", [cells])
    assert isinstance(answer, SheetError)
    assert answer.sign == "#N/A"
    assert "a cell with the error #" in answer.reason
