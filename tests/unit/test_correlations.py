"""CM_CORREL against numpy: every figure by a second method, in Python and in a sheet."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import crossmargin
from crossmargin import registry
from crossmargin.cells import CellContent
from crossmargin.errors import MissingError
from tests.oracle import tails
from tests.oracle.sheets import Rows, rulebook, table

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from crossmargin._core import Book, History

    Array = npt.NDArray[np.float64]

COINS = ("BTC", "ETH", "SOL")
QUANTITIES = np.array([1.0, -20.0, 150.0])
MARKS = np.array([90_000.0, 3_000.0, 140.0])
DELTAS = QUANTITIES * MARKS


def _levels() -> Array:
    random = np.random.default_rng(17)
    mixing = np.array([[0.02, 0.024, 0.02], [0.0, 0.02, 0.01], [0.0, 0.0, 0.03]])
    moves = random.standard_t(5, (600, 3)) @ mixing
    levels: Array = MARKS * np.exp(np.vstack([np.zeros(3), np.cumsum(moves, axis=0)]))
    return levels


LEVELS = _levels()
MOVES = tails.log_moves(LEVELS)


def _history(levels: Array = LEVELS, names: tuple[str, ...] = COINS) -> History:
    day = dt.date(2023, 1, 1)
    rows: Rows = [["date", *names]]
    rows += [
        [(day + dt.timedelta(days=k)).isoformat(), *map(float, row)] for k, row in enumerate(levels)
    ]
    return crossmargin.history(rows)


HISTORY = _history()


def _positions() -> Rows:
    rows = [
        [coin, quantity, mark, mark]
        for coin, quantity, mark in zip(COINS, QUANTITIES, MARKS, strict=True)
    ]
    return table("symbol contracts entryPrice markPrice", *rows)


def _book(rulebook: object = "es", **others: Any) -> Book:
    given: dict[str, Any] = {
        "collateral": table("currency cash", ["USD", 100_000.0]),
        "options": {"history": HISTORY},
    } | others
    return crossmargin.book(_positions(), rulebook, **given)


def _matrix(target: object, **options: str) -> Array:
    found = crossmargin.correlations(target, options=options)
    assert found.column("factor") == list(found.header[1:])
    return np.array([row[1:] for row in found.rows], dtype=np.float64)


def _ewma(moves: Array, decay: float) -> Array:
    """Return the recursion of methods.md 3.1, one decay, from the first twenty moves."""
    covariance = moves[:20].T @ moves[:20] / 20
    for row in moves[20:]:
        covariance = decay * covariance + (1 - decay) * np.outer(row, row)
    return covariance


def _correlation(covariance: Array) -> Array:
    sizes = np.sqrt(np.diag(covariance))
    matrix: Array = covariance / np.outer(sizes, sizes)
    return matrix


# Matrix ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.94, 0.97, 0.99])
def test_the_weighted_matrix(decay: float) -> None:
    expected = _correlation(_ewma(MOVES, decay))
    np.testing.assert_allclose(_matrix(HISTORY, decay=str(decay)), expected, atol=1e-13)
    found = _matrix(_book(), decay=str(decay))
    np.testing.assert_allclose(found, expected, atol=1e-13)
    assert np.array_equal(found, found.T)


def test_the_default_is_the_fast_one() -> None:
    assert np.array_equal(_matrix(HISTORY), _matrix(HISTORY, decay="0.94", method="ewma"))


@pytest.mark.parametrize("window", [None, 250])
def test_the_matrix_of_moves_that_count_alike(window: int | None) -> None:
    own = MOVES if window is None else MOVES[-window:]
    options = {"method": "sample"} | ({} if window is None else {"window": str(window)})
    np.testing.assert_allclose(
        _matrix(HISTORY, **options), _correlation(own.T @ own / len(own)), atol=1e-13
    )


def test_the_shrunk_matrix() -> None:
    """Ledoit and Wolf's 2004 formula on standardised moves, methods.md 3.2."""
    own = MOVES[-250:]
    scaled = (own - own.mean(axis=0)) / own.std(axis=0)
    sample = scaled.T @ scaled / 250
    distance = ((sample - np.eye(3)) ** 2).sum()
    spread = sum(((np.outer(row, row) - sample) ** 2).sum() for row in scaled) / 250**2
    shrink = min(distance, spread) / distance
    expected = (1 - shrink) * sample + shrink * np.eye(3)
    found = _matrix(HISTORY, method="ledoit_wolf", window="250")
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_series_that_are_copies_have_a_correlation_of_one() -> None:
    twice = _history(np.column_stack([LEVELS[:, 0], LEVELS[:, 0] * 1.01, LEVELS[:, 1]]))
    found = _matrix(twice)
    assert found[0, 1] == 1.0
    rows = crossmargin.correlations(twice, view="change").records()
    assert rows[0]["z"] is None
    assert "must be above -1 and below 1" in str(rows[0]["note"])
    least = crossmargin.correlations(twice, view="repair").records()[0]
    assert least["given"] == pytest.approx(0.0, abs=1e-12)
    assert "nothing to repair" in str(least["note"])


# Change ------------------------------------------------------------------------------------------


def test_fast_against_slow_in_standard_deviations() -> None:
    fast, slow = _correlation(_ewma(MOVES, 0.94)), _correlation(_ewma(MOVES, 0.99))
    effective = (1 + 0.94) / (1 - 0.94)
    rows = crossmargin.correlations(HISTORY, view="change").records()
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert [(row["coin_1"], row["coin_2"]) for row in rows] == [
        (COINS[a], COINS[b]) for a, b in pairs
    ]
    for row, (a, b) in zip(rows, pairs, strict=True):
        z = math.sqrt(effective - 3) * (math.atanh(fast[a, b]) - math.atanh(slow[a, b]))
        found = [row[name] for name in ("fast", "slow", "change", "z", "n_effective")]
        expected = [fast[a, b], slow[a, b], fast[a, b] - slow[a, b], z, effective]
        assert found == pytest.approx(expected, abs=1e-11)
        assert row["alert"] == ("yes" if abs(z) > 3 else "")


def test_a_correlation_that_turns_over_is_an_alert() -> None:
    turned = MOVES[:, :2].copy()
    turned[-40:, 1] = -turned[-40:, 0]
    levels = np.exp(np.vstack([np.zeros(2), np.cumsum(turned, axis=0)]))
    rows = crossmargin.correlations(_history(levels, COINS[:2]), view="change").records()
    assert rows[0]["alert"] == "yes"
    assert isinstance(rows[0]["z"], float)
    assert rows[0]["z"] < -3


# Beta --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["BTC", "ETH"])
def test_betas_and_the_beta_weighted_delta_of_the_book(driver: str) -> None:
    market = MOVES[:, COINS.index(driver)]
    rows = crossmargin.correlations(_book(), view="beta", options={"driver": driver}).records()
    assert [row["coin"] for row in rows] == [*COINS, "BOOK"]
    # the worst tenth of 600 moves: sixty of them
    falls = market < np.sort(market)[60]
    weighted = 0.0
    for place, row in enumerate(rows[:3]):
        own = MOVES[:, place]
        beta = np.polyfit(market, own, 1)[0]
        down = np.polyfit(market[falls], own[falls], 1)[0]
        determined = np.corrcoef(own, market)[0, 1] ** 2
        expected = [beta, down, 0.67 * beta + 0.33, determined]
        found = [row[name] for name in ("beta", "downside_beta", "blume", "r2")]
        assert found == pytest.approx(expected, abs=1e-10)
        assert row["observations"] == 600
        assert row["delta"] == pytest.approx(DELTAS[place], rel=1e-7)
        assert row["beta_delta"] == pytest.approx(beta * DELTAS[place], rel=1e-7, abs=1e-3)
        weighted += beta * DELTAS[place]
    assert rows[3]["delta"] == pytest.approx(DELTAS.sum(), rel=1e-7)
    assert rows[3]["beta_delta"] == pytest.approx(weighted, rel=1e-7, abs=1e-3)


def test_deltas_are_those_of_the_exposure_where_no_coin_is_collateral() -> None:
    book = _book()
    exposure = {str(r["group"]): r["delta_usd"] for r in crossmargin.exposure(book)}
    for row in crossmargin.correlations(book, view="beta").records()[:3]:
        assert row["delta"] == pytest.approx(exposure[str(row["coin"])], rel=1e-7)


def test_coins_of_collateral_have_a_delta() -> None:
    cash = table("currency cash", ["BTC", 2.0])
    book = _book(collateral=cash, market=table("underlying indexPrice", ["BTC", 90_000.0]))
    rows = crossmargin.correlations(book, view="beta").records()
    assert rows[0]["delta"] == pytest.approx(3 * 90_000.0, rel=1e-7)


def test_betas_of_a_history_alone_have_no_money() -> None:
    rows = crossmargin.correlations(HISTORY, view="beta").records()
    assert [row["coin"] for row in rows] == list(COINS)
    assert {row["delta"] for row in rows} == {""}


# Volatility --------------------------------------------------------------------------------------


def test_volatilities_fast_slow_and_forecast() -> None:
    rows = crossmargin.correlations(_book(), view="volatility").records()
    variance = tails.forecasts(MOVES, 0.97)[-1]
    long_run = np.mean(MOVES**2, axis=0)
    for place, row in enumerate(rows):
        fast, slow = (math.sqrt(_ewma(MOVES, d)[place, place]) for d in (0.94, 0.99))
        # es counts a calm market as half of the long run at least
        forecast = math.sqrt(max(variance[place], 0.25 * long_run[place]))
        expected = {
            "daily": fast, "annual": fast * math.sqrt(365), "fast": fast, "slow": slow,
            "long_run": math.sqrt(long_run[place]), "forecast": forecast,
            "half_life_fast": math.log(0.5) / math.log(0.94),
            "half_life_slow": math.log(0.5) / math.log(0.99), "observations": 600.0,
        }  # fmt: skip
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_a_volatility_of_bars_of_six_hours_is_one_of_days() -> None:
    rows: Rows = [["time", "BTC"]]
    begin = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    rows += [
        [(begin + dt.timedelta(hours=6 * k)).isoformat(), float(level)]
        for k, level in enumerate(LEVELS[:, 0])
    ]
    found = crossmargin.correlations(crossmargin.history(rows), view="volatility").records()[0]
    assert found["long_run"] == pytest.approx(2 * math.sqrt(np.mean(MOVES[:, 0] ** 2)), rel=1e-12)
    assert found["half_life_fast"] == pytest.approx(math.log(0.5) / math.log(0.94) / 4, rel=1e-12)


# Stress ------------------------------------------------------------------------------------------


def test_stressed_correlations_and_what_they_do_to_the_tail() -> None:
    """Normal scenarios of small moves: the tail of a linear book has a closed form.

    The book is linear in levels and the moves are logarithms, so volatilities are made small here
    (a tenth of the sample's) and the closed form holds to the square of that; sampling adds
    4.5 standard errors of 1.4 % (10,000 scenarios, methods.md 2.3).
    """
    levels = np.exp(np.log(LEVELS / MARKS) / 10) * MARKS
    history, rules = _history(levels), _normal_rules()
    book = _book(rules, options={"history": history})
    rows = crossmargin.correlations(book, view="stress", options={"share": "0.7"}).records()
    moves = tails.log_moves(levels)
    covariance = _ewma(moves, 0.94)
    sizes = np.sqrt(np.diag(covariance))
    plain = _correlation(covariance)
    signs = np.sign(DELTAS)
    targets = {
        "as it is": plain,
        "towards one": 0.3 * plain + 0.7,
        "towards zero": 0.3 * plain + 0.7 * np.eye(3),
        "hedges break": 0.3 * plain + 0.7 * np.outer(signs, signs),
    }
    quantile = 2.3263478740408408
    shortfall = math.exp(-(quantile**2) / 2) / math.sqrt(2 * math.pi) / 0.01
    expected = {}
    for row, (name, matrix) in zip(rows, targets.items(), strict=True):
        assert row["case"] == name
        size = math.sqrt((DELTAS * sizes) @ matrix @ (DELTAS * sizes))
        expected[name] = size * shortfall
        assert row["ES"] == pytest.approx(size * shortfall, rel=4.5 * 0.014)
        assert row["VaR"] == pytest.approx(size * quantile, rel=4.5 * 0.016)
        assert row["change_ES"] == pytest.approx(float(row["ES"]) - float(rows[0]["ES"]))  # type: ignore[arg-type]
        assert row["smallest_eigenvalue"] == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-12)
        above = matrix[np.triu_indices(3, 1)]
        assert row["mean_correlation"] == pytest.approx(above.mean(), abs=1e-12)
    worst = max(expected, key=lambda name: expected[name])
    assert worst == "hedges break"
    assert [row["case"] for row in rows if row["worst"] == "yes"] == [worst]


def _normal_rules() -> Rows:
    rows = registry.call("CM_RULEBOOKS", ["es"])
    assert isinstance(rows, list)
    return rows


def test_diversified_and_hedged_books_fail_in_opposite_directions() -> None:
    long_all = table(
        "symbol contracts entryPrice markPrice",
        *([c, abs(q), m, m] for c, q, m in zip(COINS, QUANTITIES, MARKS, strict=True)),
    )
    cash = table("currency cash", ["USD", 100_000.0])
    options = {"history": HISTORY}
    together = crossmargin.book(long_all, "es", collateral=cash, options=options)
    rows = crossmargin.correlations(together, view="stress").records()
    by_case = {str(row["case"]): float(row["change_ES"]) for row in rows}  # type: ignore[arg-type]
    assert by_case["towards one"] > 0 > by_case["towards zero"]
    hedged = table(
        "symbol contracts entryPrice markPrice",
        ["BTC", 1, 90_000, 90_000],
        ["ETH", -30, 3_000, 3_000],
    )
    apart = crossmargin.book(hedged, "es", collateral=cash, options=options)
    rows = crossmargin.correlations(apart, view="stress").records()
    by_case = {str(row["case"]): float(row["change_ES"]) for row in rows}  # type: ignore[arg-type]
    assert by_case["towards one"] < 0 < by_case["towards zero"] < by_case["hedges break"]


def test_a_history_alone_is_stressed_without_money() -> None:
    rows = crossmargin.correlations(HISTORY, view="stress", options={"share": "1"}).records()
    assert [row["case"] for row in rows] == ["as it is", "towards one", "towards zero"]
    assert [row["mean_correlation"] for row in rows[1:]] == [1.0, 0.0]


# Typed on the Market sheet -----------------------------------------------------------------------

TYPED = table(
    "underlying annualVol corr_BTC corr_ETH",
    ["BTC", 0.5, None, None],
    ["ETH", 0.7, 0.8, None],
    ["SOL", 0.9, 0.6, 0.7],
)


def test_a_book_without_a_history_is_answered_from_the_market_sheet() -> None:
    book = _book("var", market=TYPED, options={})
    expected = np.array([[1, 0.8, 0.6], [0.8, 1, 0.7], [0.6, 0.7, 1]])
    assert np.array_equal(_matrix(book), expected)
    rows = crossmargin.correlations(book, view="volatility").records()
    assert [row["annual"] for row in rows] == pytest.approx([0.5, 0.7, 0.9], rel=1e-14)
    assert [row["daily"] for row in rows] == pytest.approx(
        [v / math.sqrt(365) for v in (0.5, 0.7, 0.9)], rel=1e-14
    )
    stress = crossmargin.correlations(book, view="stress").records()
    assert stress[0]["case"] == "as it is"
    assert all(isinstance(row["ES"], float) for row in stress)


def test_a_typed_matrix_decides_the_margin_in_a_sheet() -> None:
    """Normal scenarios from typed figures against the closed form of a book of one coin pair."""
    rules = [list(row) for row in _rows_of("var")]
    for row in rules:
        row[2] = {
            "tail.simulation.covariance": "market", "tail.simulation.law": "normal",
            "measure.horizon_days": 1.0, "tail.simulation.paths": 100_000.0,
        }.get(str(row[1]), row[2])  # fmt: skip
    rules = [row for row in rules if row[1] != "tail.simulation.degrees_of_freedom"]
    positions = table(
        "symbol contracts entryPrice markPrice", ["BTC", 1, 1_000, 1_000], ["ETH", -1, 1_000, 1_000]
    )
    for typed in (0.9, 0.0, -0.5):
        market = table("underlying dailyVol corr_ETH", ["BTC", 0.01, typed], ["ETH", 0.01, 1])
        cells = [positions, rules, table("currency cash", ["USD", 100]), market]
        margin = registry.call("CM_MM", [registry.call("CM_BOOK", cells)])
        assert isinstance(margin, float)
        size = 1_000 * 0.01 * math.sqrt(2 * (1 - typed))
        # Sobol points at 100,000: well below half a per cent of a normal quantile
        assert margin - 1.0 == pytest.approx(2.3263478740408408 * size, rel=5e-3)


def test_a_parametric_value_at_risk_reads_the_market_sheet_too() -> None:
    """The closed form z sqrt(w' C w); two contracts of one coin move as one."""
    measure = {"kind": "normal_value_at_risk", "confidence": 0.99, "horizon_days": 1.0}
    rules = rulebook(measure=measure)
    positions = table(
        "symbol underlying settle inverse contracts entryPrice markPrice",
        ["BTC", "BTC", "USD", "no", 1, 1_000, 1_000],
        ["BTC-26MAR27", "BTC", "USD", "no", -0.5, 1_000, 1_000],
        ["ETH", "ETH", "USD", "no", -2, 400, 400],
    )
    market = table("underlying dailyVol corr_ETH", ["BTC", 0.03, 0.7], ["ETH", 0.04, 1])
    cash = table("currency cash", ["USD", 1_000])
    book = crossmargin.book(positions, rules, collateral=cash, market=market)
    exposures, sizes = np.array([1_000.0, -500.0, -800.0]), np.array([0.03, 0.03, 0.04])
    matrix = np.array([[1, 1, 0.7], [1, 1, 0.7], [0.7, 0.7, 1]])
    expected = 2.3263478740408408 * math.sqrt((exposures * sizes) @ matrix @ (exposures * sizes))
    assert crossmargin.maintenance_margin(book) == pytest.approx(expected, rel=1e-9)
    plain = [row[:2] for row in market]
    book = crossmargin.book(positions, rules, collateral=cash, market=plain)
    with pytest.raises(MissingError, match="columns such as 'corr ETH' on the Market sheet"):
        crossmargin.maintenance_margin(book)


def _rows_of(name: str) -> list[list[Any]]:
    rows = registry.call("CM_RULEBOOKS", [name])
    assert isinstance(rows, list)
    return rows


def test_an_impossible_matrix_stands_beside_the_nearest_one() -> None:
    """Higham's 2002 example: 1 beside the diagonal and 0 beyond it becomes 0.7607 and 0.1573."""
    market = table(
        "underlying annualVol corr_BTC corr_ETH",
        ["BTC", 0.5, None, None], ["ETH", 0.7, 1.0, None], ["SOL", 0.9, 0.0, 1.0],
    )  # fmt: skip
    book = _book("var", market=market, options={})
    rows = registry.call("CM_CORREL", [CellContent(crossmargin.books.remember(book)), "repair"])
    assert isinstance(rows, list)
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert records[0]["given"] == pytest.approx(1 - math.sqrt(2), abs=1e-12)
    assert records[0]["used"] == pytest.approx(0.0, abs=1e-9)
    assert records[1]["change"] == pytest.approx(0.5278, abs=1e-4)
    pairs = {(str(r["coin_1"]), str(r["coin_2"])): r["used"] for r in records[2:]}
    assert pairs == pytest.approx(
        {("BTC", "ETH"): 0.7607, ("ETH", "SOL"): 0.7607, ("BTC", "SOL"): 0.1573}, abs=1e-4
    )


def test_a_future_that_moves_like_its_coin_is_no_error() -> None:
    positions = table(
        "symbol contracts entryPrice markPrice", ["BTC", 1, 100, 100], ["WBTC", -1, 100, 100]
    )
    market = table("underlying dailyVol corr_WBTC", ["BTC", 0.03, 1], ["WBTC", 0.03, None])
    rules = [[*r[:2], "market" if r[1] == "tail.simulation.covariance" else r[2], *r[3:]]
             for r in _rows_of("var")]  # fmt: skip
    cash = table("currency cash", ["USD", 100])
    book = crossmargin.book(positions, rules, collateral=cash, market=market)
    assert crossmargin.maintenance_margin(book) == pytest.approx(0.0005 * 200, rel=1e-9)


# Real days ---------------------------------------------------------------------------------------


def test_real_days_of_six_coins(shared: Path) -> None:
    path = shared / "data" / "prices_daily_binance_usdt.csv"
    history = crossmargin.history(path)
    frame = pl.read_csv(path, try_parse_dates=True)
    wide = frame.pivot("symbol", index="date", values="close").sort("date")
    names = crossmargin.correlations(history).column("factor")
    moves = tails.log_moves(wide.drop_nulls("SOL").select(map(str, names)).to_numpy())
    np.testing.assert_allclose(_matrix(history), _correlation(_ewma(moves, 0.94)), atol=1e-12)
    rows = crossmargin.correlations(history, view="change").records()
    assert len(rows) == 15
    assert all(isinstance(row["z"], float) for row in rows)
    betas = crossmargin.correlations(history, view="beta").records()
    market = moves[:, names.index("BTC")]
    for row, own in zip(betas, moves.T, strict=True):
        assert row["beta"] == pytest.approx(np.polyfit(market, own, 1)[0], abs=1e-10)
