"""What must hold for every option book under a measure of scenarios, whatever its numbers."""

from __future__ import annotations

import copy
import math
import tomllib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmargin import _core
from crossmargin import functions as cm
from tests.oracle import drawn
from tests.second_opinion import black76
from tests.second_opinion.deribit_spm import DEFAULTS as DERIBIT
from tests.second_opinion.deribit_spm import instrument_delta
from tests.second_opinion.paradex_pm import DEFAULTS as PARADEX
from tests.second_opinion.paradex_pm import minimum_delta_charge
from tests.second_opinion.shapes import years_left

if TYPE_CHECKING:
    from crossmargin._core import Book
    from tests.second_opinion import shapes
    from tests.second_opinion.shapes import Position

FAST = settings(max_examples=60, deadline=None)
INDEX = {"BTC": 97_000.0, "ETH": 2_900.0}
DAYS = [0.5, 1.0, 2.25, 7.0, 29.0, 30.0, 31.0, 90.0, 365.0]
MONEYNESS = [0.4, 0.7, 0.9, 1.0, 1.1, 1.5, 2.5]
SETTLES_IN_COIN = {"deribit-spm"}
VENUES = ["deribit-spm", "paradex-pm", "span-16", "derive-pm2"]

Rows = list[dict[str, Any]]


# Books ------------------------------------------------------------------------------------------


@st.composite
def _books(draw: st.DrawFn, venue: str, *, long_only: bool = False, least: int = 1) -> shapes.Book:
    """Return a book of one contract per row; sizes are multiples of 1/64, so sums are exact."""
    held: dict[tuple[object, ...], Position] = {}
    for _ in range(draw(st.integers(least, 8))):
        coin = draw(st.sampled_from(sorted(INDEX)))
        settle = draw(st.sampled_from([coin, "USDC"] if venue in SETTLES_IN_COIN else ["USDC"]))
        size = draw(st.integers(1, 6400)) / 64.0
        quantity = size if long_only else size * draw(st.sampled_from([-1.0, 1.0]))
        days = draw(st.sampled_from([None, *DAYS] if not long_only else DAYS))
        position: Position = {
            "underlying": coin,
            "kind": "perpetual" if days is None else "option",
            "settle": settle,
            "expiry_days": days,
            "forward": INDEX[coin] * (1.0 + 0.0002 * (days or 0.0)),
            "quantity": quantity,
        }
        if days is not None:
            position["strike"] = round(INDEX[coin] * draw(st.sampled_from(MONEYNESS)), 1)
            position["right"] = draw(st.sampled_from(["call", "put"]))
            position["implied_volatility"] = draw(st.sampled_from([0.2, 0.45, 0.6, 1.1, 2.5]))
        key = (coin, settle, days, position.get("strike"), position.get("right"))
        held.setdefault(key, position)
    kept = list(held.values())
    coins = {position["underlying"] for position in kept}
    return {
        "as_of_days": 0.0,
        "index": {c: INDEX[c] for c in INDEX if c in coins},
        "positions": kept,
    }


def _loaded(held: shapes.Book, rulebook: object, rows: Rows | None = None) -> Book:
    return cm.book(
        drawn.positions(held) if rows is None else rows,
        rulebook,
        market=drawn.market(held),
        as_of=drawn.as_of_words(),
    )


def _margins(book: Book) -> tuple[float, float]:
    initial, maintenance = cm.initial_margin(book), cm.maintenance_margin(book)
    assert initial is not None
    assert maintenance is not None
    return initial, maintenance


def _components(book: Book, level: str) -> Rows:
    *rows, total = cm.explanation(book, measure=level).records()
    assert total["account"] == "TOTAL"
    return [dict(row) for row in rows]


def _scenarios(book: Book) -> dict[tuple[str, str], Rows]:
    units: dict[tuple[str, str], Rows] = {}
    for row in cm.scenarios(book, risk_unit="all", layout="list").records():
        units.setdefault((str(row["account"]), str(row["risk_unit"])), []).append(dict(row))
    return units


def _answers(book: Book) -> list[object]:
    """Return everything that a book answers about scenarios, with all bits."""
    return [
        _margins(book),
        cm.explanation(book, measure="IM").rows,
        cm.explanation(book, measure="MM").rows,
        cm.explanation(book, measure="MM", group_by="riskUnit").rows,
        cm.scenarios(book, risk_unit="all", layout="list").rows,
        cm.exposure(book).rows,
        cm.exposure(book, group_by="expiry").rows,
    ]


def _rulebook(name: str) -> dict[str, Any]:
    return tomllib.loads(_core.rulebook_text("id", name))


# Scale ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", ["paradex-pm", "derive-pm2"])
def test_twice_the_book_needs_twice_the_margin(venue: str) -> None:
    @FAST
    @given(held=_books(venue), factor=st.sampled_from([2.0, 0.125, 3.0, 0.7, 1e-6, 1e6]))
    def check(held: shapes.Book, factor: float) -> None:
        scaled = drawn.positions(held)
        for row in scaled:
            row["quantity"] *= factor
        expected = [factor * margin for margin in _margins(_loaded(held, venue))]
        found = _margins(_loaded(held, venue, scaled))
        assert list(found) == [pytest.approx(margin, rel=1e-11) for margin in expected]

    check()


# What changes nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_a_scenario_that_never_decides_changes_nothing(venue: str) -> None:
    rules = _rulebook(venue)
    milder = copy.deepcopy(rules)
    for profile in milder["profiles"]:
        first = copy.deepcopy(profile["scenarios"][0])
        first.pop("weights", None)
        profile["scenarios"] += [first | {"weight": 0.0}, first | {"weight": 0.5}]

    @FAST
    @given(held=_books(venue))
    def check(held: shapes.Book) -> None:
        assert _margins(_loaded(held, milder)) == _margins(_loaded(held, rules))

    check()


@pytest.mark.parametrize("venue", VENUES)
def test_a_position_of_size_zero_changes_no_bit(venue: str) -> None:
    @FAST
    @given(held=_books(venue), place=st.integers(0, 8), coin=st.sampled_from(sorted(INDEX)))
    def check(held: shapes.Book, place: int, coin: str) -> None:
        nothing: Position = {
            "underlying": coin,
            "kind": "option",
            "settle": "USDC",
            "expiry_days": 45.0,
            "forward": INDEX[coin] * 1.01,
            "quantity": 0.0,
            "strike": INDEX[coin],
            "right": "put",
            "implied_volatility": 0.8,
        }
        rows = drawn.positions({**held, "positions": [nothing]})
        rows[0]["symbol"] = "NOTHING"
        before = drawn.positions(held)
        whole: shapes.Book = {**held, "index": dict(INDEX)}
        with_nothing = [*before[:place], *rows, *before[place:]]
        assert _margins(_loaded(whole, venue, with_nothing)) == _margins(_loaded(held, venue))
        units = _scenarios(_loaded(held, venue))
        found = _scenarios(_loaded(whole, venue, with_nothing))
        assert {unit: found[unit] for unit in units} == units

    check()


@pytest.mark.parametrize("venue", VENUES)
def test_split_and_shuffled_rows_change_no_bit(venue: str) -> None:
    @FAST
    @given(
        held=_books(venue),
        part=st.sampled_from([0.5, 0.25, 0.75, 0.125]),
        order=st.randoms(use_true_random=False),
    )
    def check(held: shapes.Book, part: float, order: Any) -> None:
        rows = drawn.positions(held)
        split: Rows = []
        for row in rows:
            first = row["quantity"] * part
            split += [row | {"quantity": first}, row | {"quantity": row["quantity"] - first}]
        order.shuffle(split)
        assert _answers(_loaded(held, venue, split)) == _answers(_loaded(held, venue, rows))

    check()


# Options bought ---------------------------------------------------------------------------------


def _value(held: shapes.Book, position: Position) -> float:
    """Return what a position in an option is worth, in dollars where the forward is the index."""
    value = position["quantity"] * black76.value(
        position["right"],
        position["forward"],
        position["strike"],
        position["implied_volatility"],
        years_left(held, position),
    )
    if position["settle"] == "USDC":
        return value
    return value / position["forward"] * held["index"][position["underlying"]]


@pytest.mark.parametrize("venue", ["deribit-spm", "paradex-pm"])
def test_options_bought_lose_no_more_than_they_are_worth(venue: str) -> None:
    @FAST
    @given(held=_books(venue, long_only=True))
    def check(held: shapes.Book) -> None:
        worth: defaultdict[tuple[str, str], float] = defaultdict(float)
        for position in held["positions"]:
            pool = f"main/{position['settle']}" if venue == "deribit-spm" else "main"
            worth[pool, position["underlying"]] += _value(held, position)
        for unit, rows in _scenarios(_loaded(held, venue)).items():
            assert min(row["pnl"] for row in rows) >= -worth[unit] * (1.0 + 1e-9) - 1e-200

    check()


def test_without_charges_no_more_than_the_value_of_options_bought_is_needed() -> None:
    rules = _rulebook("paradex-pm")
    for profile in rules["profiles"]:
        del profile["charges"]

    @FAST
    @given(held=_books("paradex-pm", long_only=True))
    def check(held: shapes.Book) -> None:
        worth = math.fsum(_value(held, position) for position in held["positions"])
        initial, maintenance = _margins(_loaded(held, rules))
        # far out of the money the reference loses digits: 9.2e-20 to 1e-11 of itself
        assert 0.0 <= maintenance <= initial <= worth * (1.0 + 1e-9) + 1e-200

    check()


# Components -------------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_the_components_that_count_are_the_margin(venue: str) -> None:
    sets, least = {
        "deribit-spm": (["standard", "extended"], 2),
        "paradex-pm": (["scan", "tails"], 3),
        "span-16": (["scan", "extreme"], 3),
        "derive-pm2": (["regular", "tails", "skew"], 4),
    }[venue]

    @FAST
    @given(held=_books(venue))
    def check(held: shapes.Book) -> None:
        book = _loaded(held, venue)
        for level, margin in zip(("IM", "MM"), _margins(book), strict=True):
            rows = _components(book, level)
            assert {row["counts"] for row in rows} <= {"yes", "no"}
            counted = math.fsum(row["amount"] for row in rows if row["counts"] == "yes")
            total = cm.explanation(book, measure=level).records()[-1]["amount"]
            assert total == margin
            largest = max(abs(row["amount"]) for row in rows)
            assert counted == pytest.approx(margin, rel=0.0, abs=1e-12 * largest)
            for unit in _scenarios(book):
                own = [row for row in rows if (row["account"], row["risk_unit"]) == unit]
                worst = [row for row in own if row["component"].startswith("worst of")]
                charges = [row for row in own if row["formula"] and row not in worst]
                assert [row["component"] for row in worst] == [f"worst of {name}" for name in sets]
                assert len(charges) >= least

    check()


# A second path ----------------------------------------------------------------------------------


def _of_unit(held: shapes.Book, settle: str, coin: str) -> list[Position]:
    return [
        position
        for position in held["positions"]
        if (position["settle"], position["underlying"]) == (settle, coin)
    ]


def _roll_shock(held: shapes.Book, positions: list[Position], row: dict[str, float]) -> float:
    by_expiry: dict[float, float] = {}
    for position in positions:
        days = position["expiry_days"] or 0.0
        by_expiry[days] = by_expiry.get(days, 0.0) + instrument_delta(held, position)
    return sum(
        abs(delta)
        * max(row["min_annualised_move"], math.expm1(row["annualised_move_risk"] * days / 365.0))
        for days, delta in by_expiry.items()
    )


def _delta_shock(
    held: shapes.Book, positions: list[Position], pair: dict[str, float], index: float
) -> float:
    bought = [one for one in positions if one["kind"] == "option" and one["quantity"] > 0.0]
    relief = sum(instrument_delta(held, one) for one in bought)
    risk = sum(instrument_delta(held, one) for one in positions if one not in bought)
    counted = max(relief + risk, risk) if risk < 0.0 else min(relief + risk, risk)
    counted = min(counted, 0.0) if risk < 0.0 else max(counted, 0.0)
    beyond = max(0.0, abs(counted) - pair["delta_total_liq_shock_threshold"] / index)
    return abs(counted) * min(pair["max_delta_shock"], pair["m_inc"] * beyond)


@FAST
@given(held=_books("deribit-spm"))
def test_deribit_from_the_scenarios_alone(held: shapes.Book) -> None:
    book = _loaded(held, "deribit-spm")
    total = 0.0
    for (pool, coin), rows in _scenarios(book).items():
        settle = pool.removeprefix("main/")
        positions, index = _of_unit(held, settle, coin), held["index"][coin]
        pair = DERIBIT["underlyings"][coin]
        currency = pair["usd" if settle == "USDC" else "coin"]
        total += max(0.0, -min(row["pnl"] for row in rows))
        total += index * _roll_shock(held, positions, currency)
        total += index * _delta_shock(held, positions, pair, index)
    initial, maintenance = _margins(book)
    assert initial == pytest.approx(total, rel=1e-10)
    assert maintenance == pytest.approx(0.8 * total, rel=1e-10)


@FAST
@given(held=_books("paradex-pm"))
def test_paradex_from_the_scenarios_alone(held: shapes.Book) -> None:
    book = _loaded(held, "paradex-pm")
    net = fees = 0.0
    for (_, coin), rows in _scenarios(book).items():
        positions, index = _of_unit(held, "USDC", coin), held["index"][coin]
        unit = PARADEX["underlyings"][coin]
        deltas = [instrument_delta(held, position) for position in positions]
        floor = minimum_delta_charge(deltas, index, unit["unhedged"], unit["hedged"])
        net += max(0.0, *(-row["pnl"] for row in rows), floor["minimum_delta"])
        for position in positions:
            fee = 0.0003 * abs(position["quantity"]) * index
            if position["kind"] == "option":
                fee = min(fee, 0.125 * abs(_value(held, position)))
            fees += fee
    initial, maintenance = _margins(book)
    assert initial == pytest.approx(net + fees, rel=1e-10)
    assert maintenance == pytest.approx(0.5 * net + fees, rel=1e-10)
