"""Maps and nearest scenarios against books whose inputs were moved by hand."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import crossmargin as cm
from crossmargin.errors import NoAnswerError

if TYPE_CHECKING:
    from crossmargin._core import Book

SAMPLES = Path(cm.__file__).parent / "samples" / "options"
AS_OF = "2026-01-10T09:00:00Z"
RULEBOOKS = ("deribit-spm", "deribit-sm", "custom-scan")
CORRELATION = 0.8


def _cells(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _book(rulebook: str, moves: dict[str, float], volatility: float = 0.0) -> Book:
    """Return the sample book with every input moved, not the market state."""
    positions: list[dict[str, Any]] = []
    for row in _cells("positions.csv"):
        coin = row["symbol"].split("-")[0]
        ratio = 1.0 + moves.get(coin, 0.0)
        moved: dict[str, Any] = dict(row)
        moved["forward"] = float(row["forward"]) * ratio if row["forward"] else None
        # an option without a mark is valued at its volatility, as the state's is
        moved["markPrice"] = None if row["markIv"] else float(row["markPrice"]) * ratio
        if row["markIv"]:
            moved["markIv"] = float(row["markIv"]) * (1.0 + volatility)
        positions.append(moved)
    market: list[dict[str, Any]] = []
    for quoted in _cells("market.csv"):
        own: dict[str, Any] = dict(quoted)
        ratio = 1.0 + moves.get(quoted["underlying"], 0.0)
        own["indexPrice"] = float(quoted["indexPrice"]) * ratio
        own["corr ETH"] = CORRELATION if quoted["underlying"] == "BTC" else None
        market.append(own)
    return cm.book(
        positions, rulebook, collateral=_cells("collateral.csv"), market=market, as_of=AS_OF
    )


@pytest.mark.parametrize("rulebook", RULEBOOKS)
@pytest.mark.parametrize(
    ("x", "y"), [("BTC", "ETH"), ("ETH", "BTC"), ("BTC", "VOL"), ("ALL", "VOL")]
)
def test_a_node_of_a_map_is_the_book_with_its_inputs_moved(rulebook: str, x: str, y: str) -> None:
    book = _book(rulebook, {})
    moves = [-0.35, -0.1, 0.0, 0.2]
    found = cm.liquidation_map(book, x, y, x_moves=moves, y_moves=moves, measure="mm")
    assert len(found.rows) == len(moves)
    seen = 0
    for (row, across), (column, along) in itertools.product(enumerate(moves), enumerate(moves)):
        prices: dict[str, float] = {}
        volatility = 0.0
        for axis, move in ((x, along), (y, across)):
            if axis == "VOL":
                volatility = move
            else:
                prices |= dict.fromkeys(("BTC", "ETH") if axis == "ALL" else (axis,), move)
        moved = cm.maintenance_margin(_book(rulebook, prices, volatility))
        assert found.rows[row][column + 1] == pytest.approx(moved, rel=1e-9)
        seen += 1
    assert seen == len(moves) ** 2


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_axes_may_change_places(rulebook: str) -> None:
    book = _book(rulebook, {})
    moves = [-0.4, -0.05, 0.3]
    for measure in ("usage", "excess", "equity", "first"):
        one = cm.liquidation_map(book, "BTC", "ETH", x_moves=moves, y_moves=moves, measure=measure)
        other = cm.liquidation_map(
            book, "ETH", "BTC", x_moves=moves, y_moves=moves, measure=measure
        )
        for row, column in itertools.product(range(3), range(3)):
            ours, theirs = one.rows[row][column + 1], other.rows[column][row + 1]
            if isinstance(ours, float):
                assert ours == pytest.approx(theirs, rel=1e-12)
            else:
                assert ours == theirs


def test_the_map_and_the_zones_agree_where_liquidation_begins() -> None:
    book = _book("deribit-spm", {})
    found: list[tuple[Any, ...]] = [tuple(row) for row in cm.liquidation_zones(book, "BTC").rows]
    zones = [row for row in found if row[12] == "options/BTC"]
    edges = [row[4] for row in zones[1:]]
    assert edges
    for edge in edges:
        assert _excess(book, edge - 1e-6, 0.0) * _excess(book, edge + 1e-6, 0.0) < 0.0


def test_the_nearest_of_two_coins_is_no_farther_than_any_direction_tried() -> None:
    book = _book("custom-scan", {})
    rows: list[tuple[Any, ...]] = [tuple(row) for row in cm.nearest_scenarios(book).rows]
    assert rows == sorted(rows, key=lambda row: float(row[4]))
    joint = [row for row in rows if "," in row[1]]
    assert len(joint) == 1
    btc, eth = 0.021, 0.031  # one-day deviations of the sample market
    least = math.inf
    for step in range(72):
        angle = 2.0 * math.pi * step / 72
        first, second = math.cos(angle), math.sin(angle)
        # the root of the correlation matrix, written by hand
        along = btc * first
        other = eth * (CORRELATION * first + math.sqrt(1.0 - CORRELATION**2) * second)
        near, far = 0.0, 40.0
        grid = [far * place / 160 for place in range(161)]
        for below, above in itertools.pairwise(grid):
            moved = _excess(book, math.expm1(along * above), math.expm1(other * above))
            if moved < 0.0:
                near, far = below, above
                break
        else:
            continue
        for _ in range(30):
            middle = 0.5 * (near + far)
            if _excess(book, math.expm1(along * middle), math.expm1(other * middle)) < 0.0:
                far = middle
            else:
                near = middle
        least = min(least, far)
    assert math.isfinite(least)
    assert joint[0][4] <= least * (1.0 + 1e-9)
    assert joint[0][4] >= 0.9 * least  # 72 directions are 5 degrees apart


def _excess(book: Book, btc: float, eth: float) -> float:
    found = cm.liquidation_map(book, "BTC", "ETH", x_moves=[btc], y_moves=[eth], measure="excess")
    excess = found.rows[0][1]
    assert isinstance(excess, float)
    return excess


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"x": "DOGE"}, "unknown axis 'DOGE'"),
        ({"x": "BASIS:ETH"}, "unknown axis 'BASIS:ETH'"),
        ({"x": "BTC", "y": "VOL:DOGE"}, "unknown underlying 'DOGE'"),
        ({"x": "BTC", "x_moves": [-1.0]}, "move must be finite and above -1, was -1"),
        ({"x": "BTC", "measure": "colour"}, "unknown measure 'colour'"),
        ({"x": "BTC", "scope": "nobody"}, "unknown account 'nobody'"),
        ({"x": "BTC", "x_moves": [0.0] * 600, "y_moves": [0.0] * 600}, "nodes of the map"),
        ({"x": "BTC", "x_moves": []}, "nodes of the map"),
    ],
)
def test_a_map_refuses_what_it_cannot_show(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(cm.CrossmarginError, match=said):
        cm.liquidation_map(_book("deribit-spm", {}), **asked)


def test_no_scenario_is_an_answer_with_a_reason() -> None:
    book = cm.book(
        [
            {
                "symbol": "BTC-PERPETUAL",
                "settle": "USDC",
                "contracts": 0.001,
                "entryPrice": 9e4,
                "markPrice": 9e4,
            }
        ],
        "deribit-spm",
        collateral=[{"currency": "USDC", "cash": 1e9}],
        market=[
            {"underlying": "BTC", "indexPrice": 90_000.0, "dailyVol": 0.02},
            {"underlying": "USDC", "indexPrice": 1.0},
        ],
        as_of=AS_OF,
    )
    with pytest.raises(NoAnswerError, match="no move within the search liquidates it"):
        cm.nearest_scenarios(book)
