"""Auto-deleveraging: queues of venues, equal shares, water-filling; fills sum to the deficit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import crossmargin as cm
from tests.oracle import sheets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin._core import Book

RATES = {
    "tables": [
        {"name": name, "floors": [0.0], "maintenance_rates": [0.01], "used_by": [name]}
        for name in ("X", "Y")
    ],
    "list_by": "symbol",
}
QUEUES = ("binance", "bybit", "hyperliquid", "okx", "pnl_ratio", "size")
SHARED = ("pro_rata", "water_filling")


def _book(*positions: Sequence[object], cash: float = 1_000.0) -> Book:
    rows = sheets.table(
        "symbol contracts entryPrice markPrice leverage", *(positions or [["X", -2.0, 100, 40, 5]])
    )
    return cm.book(
        rows, sheets.rulebook(tiers=RATES), collateral=sheets.table("currency cash", ["USD", cash])
    )


def _candidates(*rows: Sequence[object]) -> sheets.Rows:
    return sheets.table("account qty entry equity mm leverage", *rows)


def _fills(rows: sheets.Rows, deficit: float, form: str, **options: object) -> dict[str, float]:
    found = cm.deleveraging(
        _book(),
        candidates=rows,
        deficit=deficit,
        form=form,
        options={"symbol": "X", "own": "no"} | options,
    )
    return {row["account"]: row["fill"] for row in sheets.records(found)}


def test_the_position_with_the_larger_profit_for_its_equity_gives_first() -> None:
    """flox: of two shorts from 100 at a mark of 40 the larger one has more profit per equity."""
    rows = _candidates(["2", -5, 100, 400, 1, 5], ["3", -10, 100, 700, 1, 5])
    assert _fills(rows, 10.0, "pnl_ratio", unit="qty") == {"3": 10.0, "2": 0.0}
    tied = _candidates(["10", -10, 100, 700, 1, 5], ["9", -10, 100, 700, 1, 5])
    assert _fills(tied, 10.0, "pnl_ratio", unit="qty") == {"9": 10.0, "10": 0.0}


def test_a_winner_is_closed_at_the_bankruptcy_price_and_gives_up_the_loss() -> None:
    """flox-adl-forgone-gain: long 10 from 100 with 50 is worth -550 at 40 and bankrupt at 95."""
    found = sheets.records(
        cm.deleveraging(
            _book(),
            candidates=_candidates(["2", -10, 100, 700, 1, 5]),
            deficit=550.0,
            form="pnl_ratio",
            options={"symbol": "X", "own": "no", "unit": "loss", "bankruptcy": 95},
        )
    )
    assert found[0]["fill_qty"] == pytest.approx(10.0)
    assert (found[0]["fill"], found[0]["price"]) == (pytest.approx(550.0), 95.0)
    assert found[0]["leverage_left"] == pytest.approx(0.0)


def test_fund_and_backstop_pay_before_the_winners() -> None:
    rows = _candidates(["2", -10, 100, 700, 1, 5])
    options = {"unit": "loss", "bankruptcy": 95, "fund": 300, "backstop": 100}
    assert _fills(rows, 550.0, "pnl_ratio", **options) == {"2": pytest.approx(150.0)}
    with pytest.raises(cm.CrossmarginError, match="unit=loss"):
        _fills(rows, 550.0, "pnl_ratio", fund=300)


def test_scores_are_those_of_the_venues_formulas() -> None:
    """Short 10 from 100 at 40: profit 600, equity 900, wallet 300, maintenance 30, margin 200."""
    rows = _candidates(["a", -10, 100, 900, 30, 5])
    scores = {}
    for form in QUEUES:
        found = cm.deleveraging(
            _book(), candidates=rows, form=form, options={"symbol": "X", "own": "no"}
        )
        scores[form] = sheets.records(found)[0]["score"]
    assert scores == pytest.approx(
        {
            "binance": 600 / 300 * (30 / 900),
            "bybit": 0.6 * 40 / (900 / 10),  # bankrupt 90 above the mark
            "hyperliquid": 0.4 * 400 / 900,
            "okx": (600 / 200) / (900 / 30),
            "pnl_ratio": 600 / 900,
            "size": 10.0,
        }
    )
    turned = cm.deleveraging(
        _book(),
        candidates=rows,
        form="hyperliquid",
        options={"symbol": "X", "own": "no", "shorts": "inverted"},
    )
    assert sheets.records(turned)[0]["score"] == pytest.approx(2.5 * 400 / 900)


def test_losers_are_in_no_queue_but_that_of_profit_and_leverage() -> None:
    rows = _candidates(["won", -10, 100, 700, 1, 5], ["lost", -10, 30, 700, 1, 5])
    assert _fills(rows, 800.0, "binance") == {"won": 400.0, "lost": 0.0, "UNCOVERED": 400.0}
    assert _fills(rows, 800.0, "bybit") == {"won": 400.0, "lost": 400.0}


def test_without_candidates_the_books_own_winners_are_ranked_with_lights() -> None:
    book = _book(["X", -2.0, 100, 40, 5], ["Y", 1.0, 100, 110, 5])
    found = sheets.records(cm.deleveraging(book, form="binance"))
    assert [(row["symbol"], row["rank"], row["lights"]) for row in found] == [
        ("X", 1.0, 5.0),
        ("Y", 2.0, 3.0),
    ]
    # wallet 1,000, profit 130, maintenance 1 % of 190
    assert found[0]["score"] == pytest.approx(120 / 1_000 * (1.9 / 1_130))
    losing = _book(["X", -2.0, 30, 40, 5])
    assert not sheets.records(cm.deleveraging(losing, form="binance"))


def test_the_books_own_position_joins_candidates_in_its_contract() -> None:
    rows = _candidates(["other", -5, 100, 900, 1, 5])
    found = cm.deleveraging(
        _book(), candidates=rows, deficit=100.0, form="pro_rata", options={"symbol": "X"}
    )
    fills = {row["account"]: row["fill"] for row in sheets.records(found)}
    assert fills == pytest.approx({"other": 100 * 5 / 7, "main": 100 * 2 / 7})


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        ([["a", -5, 100, 900], ["b", 5, 30, 900]], {"symbol": "X"}, "side=long or side=short"),
        ([["a", -5, 100, 900]], {"symbol": "Z"}, "mark of Z.*give the column mark"),
        ([["a", 0, 100, 900]], {"symbol": "X"}, "qty must be above zero"),
        ([["a", -5, "", 900]], {"symbol": "X"}, "a candidate needs entry.*row 2"),
        ([["a", -5, 100, 900]], {"symbol": "X", "unit": "coins"}, "notional, qty, loss"),
        ([["a", -5, 100, 900]], {"symbol": "X", "unit": "loss"}, "needs the bankruptcy price"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_by_name(
    rows: list[list[object]], options: dict[str, str], sentence: str
) -> None:
    table = sheets.table("account qty entry equity", *rows)
    with pytest.raises(cm.CrossmarginError, match=sentence):
        cm.deleveraging(
            _book(), candidates=table, deficit=10.0, form="size", options={"own": "no"} | options
        )


def test_a_form_without_its_column_is_refused_alone_and_left_out_of_all() -> None:
    rows = sheets.table("account qty entry equity", ["a", -5, 100, 900])
    options = {"symbol": "X", "own": "no"}
    with pytest.raises(cm.CrossmarginError, match=r"mm of a.*the form binance needs it"):
        cm.deleveraging(_book(), candidates=rows, form="binance", options=options)
    found = sheets.records(cm.deleveraging(_book(), candidates=rows, deficit=10.0, options=options))
    assert {row["form"] for row in found} == {"bybit", "hyperliquid", "pnl_ratio", "size", *SHARED}


CROWD = st.lists(
    st.tuples(st.integers(1, 60), st.integers(41, 300), st.integers(50, 5_000), st.integers(1, 40)),
    min_size=1,
    max_size=8,
)
FAST = settings(max_examples=50, deadline=None)


def _rows(crowd: Sequence[tuple[int, int, int, int]]) -> list[list[object]]:
    return [
        [f"user {place}", -size, entry, equity, mm, 5]
        for place, (size, entry, equity, mm) in enumerate(crowd)
    ]


@FAST
@given(crowd=CROWD, share=st.integers(1, 150), form=st.sampled_from([*QUEUES, *SHARED]))
def test_fills_and_what_is_uncovered_sum_to_the_deficit(
    crowd: list[tuple[int, int, int, int]], share: int, form: str
) -> None:
    rows = _candidates(*_rows(crowd))
    deficit = share / 100 * sum(size * 40 for size, *_ in crowd)
    fills = _fills(rows, deficit, form)
    assert sum(fills.values()) == pytest.approx(deficit, rel=1e-12)
    for place, (size, *_) in enumerate(crowd):
        assert 0 <= fills[f"user {place}"] <= size * 40 * (1 + 1e-12)


@FAST
@given(crowd=CROWD, share=st.integers(1, 99), cut=st.integers(1, 9))
def test_splitting_a_position_changes_no_water_filling(
    crowd: list[tuple[int, int, int, int]], share: int, cut: int
) -> None:
    rows = _rows(crowd)
    deficit = share / 100 * sum(size * 40 for size, *_ in crowd)
    whole = _fills(_candidates(*rows), deficit, "water_filling")
    size = rows[0][1]
    assert isinstance(size, int)
    split = [
        [rows[0][0], size * cut / 10, *rows[0][2:]],
        [rows[0][0], size * (10 - cut) / 10, *rows[0][2:]],
        *rows[1:],
    ]
    found = cm.deleveraging(
        _book(),
        candidates=_candidates(*split),
        deficit=deficit,
        form="water_filling",
        options={"symbol": "X", "own": "no"},
    )
    again: dict[Any, float] = {}
    for row in sheets.records(found):
        again[row["account"]] = again.get(row["account"], 0.0) + row["fill"]
    assert again == pytest.approx(whole, rel=1e-9, abs=1e-9)


@FAST
@given(crowd=CROWD, share=st.integers(1, 99))
def test_water_filling_leaves_the_level_that_a_slow_search_finds(
    crowd: list[tuple[int, int, int, int]], share: int
) -> None:
    """The sum of what stands above a level falls as the level rises; halving finds it."""
    deficit = share / 100 * sum(size * 40 for size, *_ in crowd)
    low, high = 0.0, max(size * 40 / equity for size, _, equity, _ in crowd)
    for _ in range(200):
        level = (low + high) / 2
        above = sum(max(0.0, size * 40 - level * equity) for size, _, equity, _ in crowd)
        low, high = (level, high) if above > deficit else (low, level)
    assume(high > 0)
    fills = _fills(_candidates(*_rows(crowd)), deficit, "water_filling")
    for place, (size, _, equity, _) in enumerate(crowd):
        expected = max(0.0, size * 40 - high * equity)
        assert fills[f"user {place}"] == pytest.approx(expected, rel=1e-6, abs=1e-6 * deficit)
