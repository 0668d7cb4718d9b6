"""What must hold for every book, whatever its numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crossmargin import functions as cm
from crossmargin.risk_functions import risk_contributions
from crossmargin.table import Table
from tests.oracle import prices, sheets
from tests.oracle.account import Account, Balance, Leg
from tests.oracle.brackets import Brackets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book

FAST = settings(max_examples=60, deadline=None)
F = Fraction
TABLES = {
    "AAA": Brackets.of(["0", "1000", "5000"], ["0.01", "0.02", "0.05"]),
    "BBB": Brackets.of(["0", "2000", "40000"], ["0.02", "0.1", "0.4"]),
    "CCC": Brackets.of(["0", "20000"], ["0.05", "0.125"]),
    "DDD": Brackets.flat("0.03"),
    "EEE": Brackets.of(["0", "300", "600", "900"], ["0.004", "0.008", "0.02", "0.3"]),
}
RULES = sheets.rulebook(TABLES)
# prices and sizes with few decimals, so that the fractions of both sides are the same numbers
SIZE = st.integers(1, 4000).map(lambda number: F(number, 8))
PRICE = st.integers(1, 4000).map(lambda number: F(number, 4))


@st.composite
def _accounts(draw: st.DrawFn, minimum: int = 1) -> Account:
    """Return an account that is healthy by a share of its maintenance margin."""
    symbols = draw(st.lists(st.sampled_from(sorted(TABLES)), min_size=minimum, unique=True))
    legs = []
    for symbol in symbols:
        size = draw(SIZE) * draw(st.sampled_from([-1, 1]))
        mark, entry = draw(PRICE), draw(PRICE)
        legs.append(Leg(symbol, symbol, size, mark, size * (mark - entry), TABLES[symbol]))
    maintenance = sum((leg.maintenance_at({}) for leg in legs), F(0))
    equity = maintenance * (1 + F(draw(st.integers(1, 300)), 16))
    cash = equity - sum((leg.pnl for leg in legs), F(0))
    return Account(tuple(legs), (Balance("USD", cash),))


def _rows(account: Account) -> sheets.Rows:
    return sheets.table(
        "symbol contracts markPrice unrealizedPnl",
        *(
            [leg.symbol, float(leg.quantity), float(leg.mark), float(leg.pnl)]
            for leg in account.legs
        ),
    )


def _book(account: Account, rows: sheets.Rows | None = None) -> Book:
    return cm.book(
        _rows(account) if rows is None else rows, RULES, collateral=sheets.collateral(account)
    )


def _answers(book: Book) -> dict[str, Any]:
    """Return everything that a book answers, with all bits."""
    return {
        "equity": cm.equity(book),
        "maintenance": cm.maintenance_margin(book),
        "excess": cm.excess(book),
        "usage": cm.ratio(book),
        "summary": cm.summary(book).rows,
        "alone": _table(cm.liquidation_price(book)).rows,
        "together": _table(cm.liquidation_price(book, path="together")).rows,
        "order": cm.liquidation_order(book, max_steps=5).rows,
        "now": cm.liquidation_order(book, scenario="-0.3").rows,
        "contributions": risk_contributions(book).rows,
        "tiers": cm.tiers(book).rows,
        "collateral": cm.collateral(book).rows,
    }


def _table(answer: object) -> Table:
    assert isinstance(answer, Table)
    return answer


@FAST
@given(account=_accounts())
def test_equity_margin_and_prices_agree_with_the_second_method(account: Account) -> None:
    book = _book(account)
    scale = float(sum((abs(leg.pnl) for leg in account.legs), abs(account.balances[0].amount)))
    assert cm.equity(book) == pytest.approx(float(account.equity()), abs=1e-14 * scale, rel=1e-12)
    assert cm.maintenance_margin(book) == pytest.approx(float(account.maintenance()), rel=1e-12)
    for leg in account.legs:
        assert cm.maintenance_margin(book, scope=leg.symbol) == pytest.approx(
            float(leg.maintenance_at({})), rel=1e-12
        )
        expected = prices.alone(account, leg.coin, leg.mark)
        for side, price in (("down", expected.down), ("up", expected.up)):
            found = cm.liquidation_price(book, leg.coin, side=side)
            assert found == (None if price is None else pytest.approx(float(price), rel=1e-9))


@FAST
@given(account=_accounts(minimum=2), shuffle=st.randoms(use_true_random=False))
def test_permuting_rows_changes_no_bit(account: Account, shuffle: Any) -> None:
    header, *rows = _rows(account)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    assert _answers(_book(account, [header, *shuffled])) == _answers(_book(account))


@FAST
@given(account=_accounts(), parts=st.lists(st.integers(1, 5), min_size=2, max_size=4))
def test_splitting_a_position_into_rows_changes_nothing(
    account: Account, parts: Sequence[int]
) -> None:
    header, first, *rows = _rows(account)
    pieces = [
        [first[0], first[1] * part / sum(parts), first[2], first[3] * part / sum(parts)]
        for part in parts
    ]
    split, whole = _book(account, [header, *pieces, *rows]), _book(account)
    assert len(cm.tiers(split)) == len(account.legs)
    assert cm.equity(split) == pytest.approx(cm.equity(whole), rel=1e-12, abs=1e-9)
    assert cm.maintenance_margin(split) == pytest.approx(cm.maintenance_margin(whole), rel=1e-12)
    for leg in account.legs:
        found, expected = (cm.liquidation_price(book, leg.coin) for book in (split, whole))
        assert found == (None if expected is None else pytest.approx(expected, rel=1e-9))


@FAST
@given(account=_accounts(), power=st.integers(-8, 8))
def test_prices_and_money_scale_together_and_ratios_stay(account: Account, power: int) -> None:
    """A unit of money twice as small doubles every amount, floors included; sizes stay.

    Powers of two are exact in floats, so no bit of a ratio may move.
    """
    unit = 2.0**power
    rules = sheets.rulebook(
        {
            symbol: Brackets(tuple(floor * F(unit) for floor in brackets.floors), brackets.rates)
            for symbol, brackets in TABLES.items()
        }
    )
    header, *rows = _rows(account)
    scaled = cm.book(
        [header, *([name, size, mark * unit, pnl * unit] for name, size, mark, pnl in rows)],
        rules,
        collateral=sheets.table("currency cash", ["USD", float(account.balances[0].amount) * unit]),
    )
    book = _book(account)
    assert cm.ratio(scaled) == cm.ratio(book)
    assert cm.equity(scaled) == (cm.equity(book) or 0) * unit
    assert cm.maintenance_margin(scaled) == (cm.maintenance_margin(book) or 0) * unit
    for leg in account.legs:
        price = cm.liquidation_price(book, leg.coin)
        found = cm.liquidation_price(scaled, leg.coin)
        assert isinstance(found, float | None)
        assert isinstance(price, float | None)
        assert found == (None if price is None else pytest.approx(price * unit, rel=1e-14))


def _at(account: Account, coin: str, price: float) -> Book:
    """Return the book as an export would show it with the coin at this price."""
    rows = _rows(account)
    for row, leg in zip(rows[1:], account.legs, strict=True):
        if leg.coin == coin:
            row[3] = float(leg.pnl) + float(leg.quantity) * (price - float(leg.mark))
            row[2] = price
    return _book(account, rows)


@FAST
@given(account=_accounts())
def test_at_the_liquidation_price_equity_is_the_margin_and_a_tick_decides(
    account: Account,
) -> None:
    book = _book(account)
    for leg in account.legs:
        for side, toward in (("down", -1), ("up", 1)):
            price = cm.liquidation_price(book, leg.coin, side=side)
            if price is None:
                continue
            assert isinstance(price, float)
            at = _at(account, leg.coin, price)
            scale = sum(abs(float(other.pnl)) for other in account.legs)
            scale += abs(float(leg.quantity)) * (price + float(leg.mark))
            assert abs(cm.excess(at) or 0) <= 1e-11 * scale
            tick = price * 1e-6
            slope = abs(float(leg.quantity)) * tick
            if slope < 1e-9 * scale:
                continue  # a tick too small to be seen in this account
            safe = cm.excess(_at(account, leg.coin, price - toward * tick))
            lost = cm.excess(_at(account, leg.coin, price + toward * tick))
            assert safe is not None
            assert lost is not None
            assert safe > 0 > lost


@FAST
@given(account=_accounts(), shocks=st.lists(st.integers(-95, 300), min_size=2, max_size=6))
def test_a_larger_shock_never_makes_a_liquidated_account_healthy(
    account: Account, shocks: Sequence[int]
) -> None:
    """One position: rates below 1 leave the excess on one side once it has crossed."""
    alone = Account(account.legs[:1], ())
    leg = alone.legs[0]
    cash = leg.maintenance_at({}) * 2 - leg.pnl
    single = Account((leg,), (Balance("USD", cash),))
    book = _book(single)
    for sign in (-1, 1):
        liquidated = [
            len(cm.liquidation_order(book, scenario=str(shock / 100))) > 0
            for shock in sorted({s for s in shocks if s * sign > 0}, key=abs)
        ]
        assert liquidated == sorted(liquidated)


@FAST
@given(account=_accounts())
def test_a_healthy_account_has_an_empty_order(account: Account) -> None:
    book = _book(account)
    assert (cm.excess(book) or 0) > 0
    assert len(cm.liquidation_order(book, scenario="now")) == 0


@FAST
@given(account=_accounts())
def test_contributions_tiers_and_scopes_sum_to_the_total(account: Account) -> None:
    book = _book(account)
    total = cm.maintenance_margin(book)
    rows = [row for row in risk_contributions(book) if row["symbol"] != "TOTAL"]
    assert sum(float(row["component"] or 0) for row in rows) == pytest.approx(total, rel=1e-12)
    assert sum(float(row["share"] or 0) for row in rows) == pytest.approx(1, rel=1e-12)
    assert sum(float(row["mm_now"] or 0) for row in cm.tiers(book)) == pytest.approx(
        total, rel=1e-12
    )
    scopes = [cm.maintenance_margin(book, scope=leg.symbol) or 0 for leg in account.legs]
    assert sum(scopes) == pytest.approx(total, rel=1e-12)


@FAST
@given(account=_accounts())
def test_gross_equity_is_the_sum_of_its_components(account: Account) -> None:
    book = _book(account)
    found = cm.equity(book, basis="gross")
    usable = sum(float(row["usable"] or 0) for row in cm.collateral(book)
                 if row["currency"] != "TOTAL")  # fmt: skip
    assert usable == pytest.approx(cm.equity(book), rel=1e-12, abs=1e-9)
    assert found == pytest.approx(cm.equity(book), rel=1e-12)
    assert cm.excess(book) == pytest.approx(
        (cm.equity(book) or 0) - (cm.maintenance_margin(book) or 0), rel=1e-12, abs=1e-9
    )


@FAST
@given(account=_accounts(), place=st.integers(0, 5))
def test_a_row_of_size_zero_changes_nothing(account: Account, place: int) -> None:
    header, *rows = _rows(account)
    missing = sorted(set(TABLES) - {leg.symbol for leg in account.legs})
    assume(missing)
    rows.insert(min(place, len(rows)), [missing[0], 0, 17.5, 0])
    with_zero, without = _answers(_book(account, [header, *rows])), _answers(_book(account))
    for name, answer in without.items():
        assert with_zero[name] == answer, name


@FAST
@given(account=_accounts())
def test_the_same_tables_give_the_same_key_and_bits(account: Account) -> None:
    first, second = _book(account), _book(account)
    assert first.key == second.key
    assert _answers(first) == _answers(second)


@FAST
@given(account=_accounts(), more=st.integers(1, 1000))
def test_more_cash_never_brings_the_trigger_nearer(account: Account, more: int) -> None:
    richer = Account(account.legs, (Balance("USD", account.balances[0].amount + more),))
    for leg in account.legs:
        for side, toward in (("down", 1), ("up", -1)):
            before = cm.liquidation_price(_book(account), leg.coin, side=side)
            after = cm.liquidation_price(_book(richer), leg.coin, side=side)
            if after is not None:
                assert isinstance(before, float)
                assert isinstance(after, float)
                assert toward * after <= toward * before


SCRIPT = """
import json, random
from crossmargin import functions as cm
from crossmargin.risk_functions import risk_contributions
draw = random.Random(7)
rows = [["account", "symbol", "contracts", "entryPrice", "markPrice", "maintenanceMarginRate"]]
for account in range(300):
    for coin in range(20):
        size = draw.uniform(-9, 9)
        rows.append([f"a{account}", f"C{coin}", size, 90 + coin, 100 + coin, 0.01 + coin / 1000])
cash = [["account", "currency", "cash"], *([f"a{n}", "USD", 500 + n] for n in range(300))]
book = cm.book(rows, "custom", collateral=cash)
answers = [book.key, cm.equity(book), cm.maintenance_margin(book), cm.summary(book).rows,
           cm.liquidation_price(book).rows, cm.liquidation_price(book, path="together").rows,
           cm.liquidation_order(book, scenario="-0.1", max_steps=4).rows,
           risk_contributions(book).rows]
print(json.dumps(answers))
"""


def test_one_thread_and_two_give_the_same_bits() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"RAYON_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "2")
    ]
    assert len(printed[0]) > 100_000
    assert printed[0] == printed[1] == printed[2]
