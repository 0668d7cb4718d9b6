"""What holds for every history and every correlation matrix, whatever the numbers."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crossmargin
from tests.oracle.sheets import Rows, table

DAY = dt.date(2025, 1, 1)
FEWEST = 25
SEEDS = st.integers(0, 2**32 - 1)
EXACT_FACTORS = st.sampled_from([2.0**k for k in range(-8, 9)])


def _rows(seed: int, count: int = 60, coins: int = 3) -> Rows:
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(coins, coins)) * 0.02
    moves = random.standard_t(4, (count, coins)) @ mixing
    levels = 100.0 * np.exp(np.cumsum(moves, axis=0))
    return [
        ["date", *(f"C{k}" for k in range(coins))],
        *(
            [(DAY + dt.timedelta(days=k)).isoformat(), *map(float, row)]
            for k, row in enumerate(levels)
        ),
    ]


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(seed: int, order: object) -> None:
    rows = _rows(seed)
    body = rows[1:]
    order.shuffle(body)  # type: ignore[attr-defined]
    one, other = crossmargin.history(rows), crossmargin.history([rows[0], *body])
    assert one.key == other.key
    assert crossmargin.correlations(one).rows == crossmargin.correlations(other).rows


@settings(max_examples=40, deadline=None)
@given(SEEDS, EXACT_FACTORS)
def test_the_unit_of_a_price_is_nothing_to_its_moves(seed: int, factor: float) -> None:
    """A power of two scales floats exactly, so that ratios are the same to the bit."""
    rows = _rows(seed)
    scaled = [rows[0], *([row[0], row[1] * factor, *row[2:]] for row in rows[1:])]
    for view in ("matrix", "change", "volatility"):
        one = crossmargin.correlations(crossmargin.history(rows), view=view).rows
        assert one == crossmargin.correlations(crossmargin.history(scaled), view=view).rows


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(FEWEST, 55))
def test_a_history_that_is_cut_and_joined_is_what_it_was(seed: int, cut: int) -> None:
    rows = _rows(seed)
    whole = crossmargin.history(rows)
    early, late = crossmargin.history(rows[:cut]), crossmargin.history([rows[0], *rows[cut - 3 :]])
    assert crossmargin.history([early, late]).hash == whole.hash
    assert crossmargin.history([whole, whole]).hash == whole.hash


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0, 1), st.sampled_from(["ewma", "sample", "ledoit_wolf"]))
def test_estimates_and_their_stresses_are_correlation_matrices(
    seed: int, share: float, method: str
) -> None:
    history = crossmargin.history(_rows(seed, coins=4))
    found = crossmargin.correlations(history, options={"method": method})
    matrix = np.array([row[1:] for row in found.rows], dtype=np.float64)
    assert np.array_equal(matrix, matrix.T)
    assert np.array_equal(np.diag(matrix), np.ones(4))
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12
    options = {"method": method, "share": repr(share)}
    for row in crossmargin.correlations(history, view="stress", options=options):
        least = row["smallest_eigenvalue"]
        assert isinstance(least, float)
        assert least > -1e-12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_a_repaired_matrix_can_be_and_one_that_can_be_stays(typed: list[float]) -> None:
    """Any six correlations of four coins: what is used has no negative eigenvalue."""
    names = ["AAA", "BBB", "CCC", "DDD"]
    pairs = dict(zip([(i, j) for i in range(4) for j in range(i)], typed, strict=True))
    matrix = np.eye(4)
    for (i, j), value in pairs.items():
        matrix[i, j] = matrix[j, i] = value
    market = [
        ["underlying", "dailyVol", *(f"corr {name}" for name in names)],
        *([name, 0.03, *map(float, matrix[k])] for k, name in enumerate(names)),
    ]
    positions = table(
        "symbol contracts entryPrice markPrice", *([name, 1, 100, 100] for name in names)
    )
    cash = table("currency cash", ["USD", 1_000])
    book = crossmargin.book(positions, "var", collateral=cash, market=market)
    rows = crossmargin.correlations(book, view="repair").records()
    least = float(np.linalg.eigvalsh(matrix)[0])
    used = matrix.copy()
    for row in rows[2:]:
        i, j = names.index(str(row["coin_1"])), names.index(str(row["coin_2"]))
        used[i, j] = used[j, i] = row["used"]
    assert rows[0]["given"] == pytest.approx(least, abs=1e-9)
    assert np.linalg.eigvalsh(used)[0] > -1e-7
    assert rows[1]["change"] == pytest.approx(math.sqrt(((used - matrix) ** 2).sum()), abs=1e-6)
    if least > 0:
        assert len(rows) == 2
    # no matrix with ones on its diagonal and no negative eigenvalue is nearer than clipping shows
    values, vectors = np.linalg.eigh(matrix)
    clipped = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    size = np.sqrt(np.diag(clipped))
    other = clipped / np.outer(size, size)
    distance = rows[1]["change"]
    assert isinstance(distance, float)
    assert distance <= math.sqrt(((other - matrix) ** 2).sum()) + 1e-9
