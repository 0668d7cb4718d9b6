"""Margins by value at risk and expected shortfall against a second method in numpy.

The second method is tests/oracle/tails.py and the sums written down here; the engine has no part in
it. Tolerances are those of floating-point sums unless a line says otherwise.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import crossmargin
from tests.oracle import tails
from tests.oracle.sheets import Rows, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crossmargin._core import Book

    Array = npt.NDArray[np.float64]

RULEBOOKS = Path(__file__).resolve().parents[2] / "rust_core" / "engine" / "rulebooks"
START = dt.date(2023, 1, 1)
AS_OF = "2026-01-10T09:00:00Z"
COST = 0.0005
"""What the rulebooks es and var charge on the notional."""

COINS = ("BTC", "ETH", "SOL")
QUANTITIES = np.array([1.0, -20.0, 150.0])
MARKS = np.array([90_000.0, 3_000.0, 140.0])
NOTIONAL = float(np.abs(QUANTITIES * MARKS).sum())


def _levels(count: int = 701, seed: int = 3) -> Array:
    """Return levels that storm and calm down, so that filtering has something to do."""
    random = np.random.default_rng(seed)
    noise = random.standard_t(5, (count - 1, 3)) @ np.array(
        [[1.0, 0.8, 0.7], [0.0, 0.6, 0.3], [0.0, 0.0, 0.6]]
    )
    storms = 1 + 1.5 * np.sin(np.arange(count - 1) / 40.0)[:, None] ** 4
    moves = 0.015 * storms * noise
    levels: Array = MARKS * np.exp(np.vstack([np.zeros(3), np.cumsum(moves, axis=0)]))
    return levels


LEVELS = _levels()


def _history(levels: Array, names: tuple[str, ...] = COINS) -> Rows:
    days = [(START + dt.timedelta(days=k)).isoformat() for k in range(len(levels))]
    return [
        ["date", *names],
        *([day, *map(float, row)] for day, row in zip(days, levels, strict=True)),
    ]


def _rulebook(name: str = "es", **changes: Any) -> dict[str, Any]:
    """Return a rulebook with keys changed; for `tail.history.window` tail__history__window."""
    rules = tomllib.loads((RULEBOOKS / f"{name}.toml").read_text(encoding="utf-8"))
    rules["tail"].pop("stress", None)
    for path, value in changes.items():
        *groups, key = path.split("__")
        place: dict[str, Any] = rules
        for group in groups:
            place = place.setdefault(group, {})
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return rules


def _book(rules: Mapping[str, Any], history: object, **others: Any) -> Book:
    rows = [
        [coin, quantity, mark, mark]
        for coin, quantity, mark in zip(COINS, QUANTITIES, MARKS, strict=True)
    ]
    positions = table("symbol contracts entryPrice markPrice", *rows)
    given: dict[str, Any] = {"collateral": table("currency cash", ["USD", 100_000.0])} | others
    return crossmargin.book(positions, rules, options={"history": history}, **given)


def _gains(moves: Array) -> Array:
    gains: Array = np.expm1(moves) @ (QUANTITIES * MARKS)
    return gains


MOVES = tails.log_moves(LEVELS)


def _margin(book: Book) -> float:
    margin = crossmargin.maintenance_margin(book)
    assert margin is not None
    return margin


@pytest.mark.parametrize("window", [500, 503, 700])
@pytest.mark.parametrize("confidence", [0.975, 0.99])
def test_plain_historical_shortfall_and_value_at_risk(window: int, confidence: float) -> None:
    gains = _gains(MOVES[-window:])
    changes: dict[str, Any] = {
        "tail__scenarios": "historical", "tail__history__window": window,
        "measure__confidence": confidence,
    }  # fmt: skip
    found = _margin(_book(_rulebook(**changes), _history(LEVELS)))
    expected = tails.expected_shortfall(gains, confidence) + COST * NOTIONAL
    assert found == pytest.approx(expected, rel=1e-11)
    changes["measure__kind"] = "value_at_risk"
    found = _margin(_book(_rulebook(**changes), _history(LEVELS)))
    expected = tails.value_at_risk(gains, confidence) + COST * NOTIONAL
    assert found == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("kind", ["expected_shortfall", "value_at_risk"])
@pytest.mark.parametrize("decay", [0.985, 0.995])
def test_age_weighted_tails(kind: str, decay: float) -> None:
    rules = _rulebook(
        tail__scenarios="age_weighted", tail__history__age_decay=decay, measure__kind=kind
    )
    measure = tails.expected_shortfall if kind == "expected_shortfall" else tails.value_at_risk
    expected = measure(_gains(MOVES[-500:]), 0.99, tails.aged(500, decay)) + COST * NOTIONAL
    found = _margin(_book(rules, _history(LEVELS)))
    assert found == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("cap", "floor"), [(4.0, 0.0), (1.2, 0.0), (4.0, 1.5), (4.0, 0.5)])
@pytest.mark.parametrize("decay", [0.94, 0.97])
def test_filtered_shortfall_with_cap_and_floor(cap: float, floor: float, decay: float) -> None:
    rules = _rulebook(
        tail__history__decay=decay,
        tail__history__largest_scale=cap,
        tail__history__floor_share=floor,
    )
    moved = tails.filtered(MOVES, 500, decay=decay, cap=cap, floor_share=floor)
    expected = tails.expected_shortfall(_gains(moved), 0.99) + COST * NOTIONAL
    found = _margin(_book(rules, _history(LEVELS)))
    assert found == pytest.approx(expected, rel=1e-11)


def test_a_filtered_margin_knows_nothing_of_the_day_it_scales() -> None:
    """A forecast that knew its own day would shrink the largest move of the window."""
    wild = LEVELS.copy()
    wild[400:] *= 0.5
    moves = tails.log_moves(wild)
    rules = _rulebook(tail__history__largest_scale=1000.0)
    expected = tails.expected_shortfall(
        _gains(tails.filtered(moves, 500, decay=0.97, cap=1000.0, floor_share=0.5)), 0.99
    )
    looked_ahead = tails.forecasts(moves, 0.97)
    same_day = np.sqrt(looked_ahead[-1] / looked_ahead[201:701]) * moves[-500:]
    wrong = tails.expected_shortfall(_gains(same_day), 0.99)
    found = _margin(_book(rules, _history(wild))) - COST * NOTIONAL
    assert found == pytest.approx(expected, rel=1e-11)
    assert abs(found - wrong) > 0.05 * wrong


# Horizons ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [2, 5])
@pytest.mark.parametrize("aggregation", ["overlapping", "non_overlapping", "square_root"])
def test_horizons_of_several_days(days: int, aggregation: str) -> None:
    window = 100
    rules = _rulebook(
        tail__scenarios="historical",
        tail__history__window=window,
        tail__history__aggregation=aggregation,
        measure__horizon_days=float(days),
    )
    moved = {
        "overlapping": tails.overlapping(MOVES, days, window),
        "non_overlapping": tails.overlapping(MOVES, days, window, days),
        "square_root": math.sqrt(days) * MOVES[-window:],
    }[aggregation]
    assert len(moved) == window
    found = _margin(_book(rules, _history(LEVELS)))
    expected = tails.expected_shortfall(_gains(moved), 0.99) + COST * NOTIONAL
    assert found == pytest.approx(expected, rel=1e-11)


def test_an_initial_margin_with_a_horizon_of_its_own() -> None:
    rules = _rulebook(tail__scenarios="historical", tail__initial_horizon_days=3.0)
    book = _book(rules, _history(LEVELS))
    day = tails.expected_shortfall(_gains(MOVES[-500:]), 0.99)
    three = tails.expected_shortfall(_gains(tails.overlapping(MOVES, 3, 500)), 0.99)
    assert _margin(book) == pytest.approx(day + COST * NOTIONAL, rel=1e-11)
    assert crossmargin.initial_margin(book) == pytest.approx(
        1.25 * three + COST * NOTIONAL, rel=1e-11
    )


# Floors and stress -------------------------------------------------------------------------------


def test_a_stress_share_is_blended_with_the_tail() -> None:
    stress = {
        "share": 0.25,
        "price_moves": [-0.4, 0.4],
        "volatility_moves": [0.0],
        "source": "stress",
    }
    rules = _rulebook(tail__scenarios="historical", tail__stress=stress)
    rules["tail"]["stress"].pop("source")
    tail = tails.expected_shortfall(_gains(MOVES[-500:]), 0.99)
    worst = max(-float((QUANTITIES * MARKS).sum() * move) for move in (-0.4, 0.4))
    found = _margin(_book(rules, _history(LEVELS)))
    assert found == pytest.approx(0.75 * tail + 0.25 * worst + COST * NOTIONAL, rel=1e-11)


@pytest.mark.parametrize("calm", [0.1, 1.0])
def test_a_floor_of_plain_moves_counts_where_it_is_larger(calm: float) -> None:
    levels = MARKS * np.exp(
        np.vstack(
            [np.zeros(3), np.cumsum(MOVES * np.where(np.arange(700) < 600, 1, calm)[:, None], 0)]
        )
    )
    moves = tails.log_moves(levels)
    rules = _rulebook(tail__floor_window=650, tail__history__floor_share=0.0)
    tail = tails.expected_shortfall(_gains(tails.filtered(moves, 500, decay=0.97, cap=4.0)), 0.99)
    floor = tails.expected_shortfall(_gains(moves[-650:]), 0.99)
    assert (floor > tail) or calm == 1.0
    found = _margin(_book(rules, _history(levels)))
    assert found == pytest.approx(max(tail, floor) + COST * NOTIONAL, rel=1e-11)


def test_a_margin_is_never_below_zero() -> None:
    rules = _rulebook(tail__scenarios="historical")
    levels = MARKS * np.exp(np.linspace(0, 1, 701))[:, None] * [1, 1, 1]
    levels[:, 1] = MARKS[1] * np.exp(np.linspace(0, -1, 701))
    gains = _gains(tails.log_moves(levels)[-500:])
    assert gains.min() > 0
    found = _margin(_book(rules, _history(levels)))
    assert found == pytest.approx(COST * NOTIONAL, rel=1e-11)


# Collateral, options, basis ----------------------------------------------------------------------


def _inverse(quantity: float, coins: float, rules: Mapping[str, Any]) -> Book:
    """Return an inverse perpetual, quantity in dollars, and a balance in the coin."""
    rows = [{"symbol": "BTC-PERPETUAL", "quantity": quantity, "entryPrice": 90_000.0,
             "markPrice": 90_000.0, "inverse": "yes", "settle": "BTC", "contractSize": 1.0,
             "type": "perpetual", "underlying": "BTC"}]  # fmt: skip
    return crossmargin.book(
        rows,
        rules,
        collateral=[{"currency": "BTC", "cash": coins}],
        market=[{"underlying": "BTC", "indexPrice": 90_000.0}],
        options={"history": _history(LEVELS)},
    )


def test_a_coin_of_collateral_against_a_short_inverse_of_its_value_has_no_tail() -> None:
    book = _inverse(-90_000.0, 1.0, _rulebook(tail__scenarios="historical"))
    assert _margin(book) == pytest.approx(COST * 90_000.0, rel=1e-9)


@pytest.mark.parametrize(
    ("quantity", "coins"), [(-90_000.0, 3.0), (50_000.0, 1.0), (-200_000.0, 2.0)]
)
def test_collateral_moves_with_the_scenarios(quantity: float, coins: float) -> None:
    book = _inverse(quantity, coins, _rulebook(tail__scenarios="historical"))
    price = 90_000.0 * np.exp(MOVES[-500:, 0])
    equity = price * (coins + quantity * (1 / 90_000.0 - 1 / price))
    expected = tails.expected_shortfall(equity - 90_000.0 * coins, 0.99) + COST * abs(quantity)
    assert _margin(book) == pytest.approx(expected, rel=1e-10)


def _surface() -> tuple[Array, Rows]:
    """Return moves of BTC, its volatility at 7 and 30 days, its basis at 30 and 90 days."""
    random = np.random.default_rng(11)
    price = MOVES[:, 0]
    week = -0.8 * price + 0.04 * random.standard_normal(len(price))
    month = 0.6 * week + 0.01 * random.standard_normal(len(price))
    basis = np.cumsum(0.004 * random.standard_normal((len(price), 2)), axis=0)
    names = ("BTC", "BTC vol 7d", "BTC vol 30d", "BTC basis 30d", "BTC basis 90d")
    levels = np.vstack(
        [
            np.r_[0.0, np.cumsum(price)] + math.log(90_000.0),
            np.r_[0.0, np.cumsum(week)] + math.log(0.5),
            np.r_[0.0, np.cumsum(month)] + math.log(0.45),
        ]
    ).T
    whole = np.hstack([np.exp(levels), np.vstack([np.zeros(2), basis])])
    moves = np.column_stack([price, week, month, np.diff(np.vstack([np.zeros(2), basis]), axis=0)])
    return moves, _history(whole, names)


@pytest.mark.parametrize("ages", [True, False])
@pytest.mark.parametrize(("right", "quantity"), [("call", -3.0), ("put", -2.0), ("call", 4.0)])
def test_options_are_valued_at_moved_forwards_volatilities_and_dates(
    right: str, quantity: float, *, ages: bool
) -> None:
    moves, history = _surface()
    strike, forward, volatility, days = 92_000.0, 90_500.0, 0.47, 18.0
    rows = [{
        "symbol": f"BTC_USDC-28JAN26-92000-{right[0].upper()}", "quantity": quantity,
        "forward": forward, "markIv": volatility, "secondsToExpiry": days * 86_400.0,
    }]  # fmt: skip
    rules = _rulebook(tail__scenarios="historical", tail__age_options=ages)
    book = crossmargin.book(
        rows,
        rules,
        collateral=[{"currency": "USD", "cash": 100_000.0}],
        market=[
            {"underlying": "BTC", "indexPrice": 90_000.0},
            {"underlying": "USDC", "indexPrice": 1.0},
        ],
        as_of=AS_OF,
        options={"history": history},
    )
    price, week, month, near, _ = moves[-500:].T
    share = (days - 7.0) / (30.0 - 7.0)
    moved_volatility = volatility * np.exp((1 - share) * week + share * month)
    # the basis of 18 days is that of the shortest point
    moved_forward = forward * np.exp(price + near * days / 365.0)
    later = (days - (1.0 if ages else 0.0)) / 365.0
    now = tails.black76(right, np.array([forward]), strike, np.array([volatility]), days / 365.0)
    then = tails.black76(right, moved_forward, strike, moved_volatility, later)
    expected = tails.expected_shortfall(quantity * (then - now), 0.99)
    found = _margin(book) - COST * abs(quantity) * forward
    assert found == pytest.approx(max(0.0, expected), rel=1e-9)


def test_a_dated_future_moves_with_its_basis() -> None:
    moves, history = _surface()
    days = 60.0
    rows = [
        {"symbol": "BTC_USDC-11MAR26", "type": "future", "underlying": "BTC", "settle": "USDC",
         "quantity": 2.0, "markPrice": 91_000.0, "entryPrice": 91_000.0, "expiry": "2026-03-11",
         "inverse": "no", "secondsToExpiry": days * 86_400.0},
        {"symbol": "BTC_USDC-PERPETUAL", "type": "perpetual", "underlying": "BTC", "settle": "USDC",
         "quantity": -2.0, "markPrice": 90_000.0, "entryPrice": 90_000.0, "expiry": None,
         "inverse": "no", "secondsToExpiry": None},
    ]  # fmt: skip
    book = crossmargin.book(
        rows,
        _rulebook(tail__scenarios="historical"),
        collateral=[{"currency": "USD", "cash": 100_000.0}],
        market=[
            {"underlying": "BTC", "indexPrice": 90_000.0},
            {"underlying": "USDC", "indexPrice": 1.0},
        ],
        as_of=AS_OF,
        options={"history": history},
    )
    price, _, _, near, far = moves[-500:].T
    years = days / 365.0
    future = 2.0 * 91_000.0 * np.expm1(price + years * 0.5 * (near + far))
    gains = future - 2.0 * 90_000.0 * np.expm1(price)
    expected = tails.expected_shortfall(gains, 0.99)
    found = _margin(book) - COST * 2.0 * 181_000.0
    assert expected > 100.0
    assert found == pytest.approx(expected, rel=1e-9)


# Real days ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closes(shared: Path) -> tuple[Rows, Array]:
    """Return daily closes of the three coins from August 2020 on, as cells and as numbers."""
    frame = pl.read_csv(shared / "data" / "prices_daily_binance_usdt.csv", try_parse_dates=True)
    wide = frame.pivot("symbol", index="date", values="close").sort("date").drop_nulls("SOL")
    numbers = wide.select(COINS).to_numpy()
    assert not np.isnan(numbers).any()
    assert len(numbers) > 1900
    dates = [day.isoformat() for day in wide["date"]]
    rows = [["date", *COINS], *([d, *map(float, r)] for d, r in zip(dates, numbers, strict=True))]
    return rows, numbers


@pytest.mark.parametrize("method", ["historical", "age_weighted", "filtered"])
@pytest.mark.parametrize("end", [520, 800, 1200, 1900])
def test_real_days_give_the_same_margins(closes: tuple[Rows, Array], method: str, end: int) -> None:
    rows, levels = closes
    moves = tails.log_moves(levels[: end + 1])
    rules = _rulebook(tail__scenarios=method, tail__history__floor_share=0.5)
    gains, weights = _gains(moves[-500:]), None
    if method == "age_weighted":
        weights = tails.aged(500, 0.995)
    if method == "filtered":
        gains = _gains(tails.filtered(moves, 500, decay=0.97, cap=4.0, floor_share=0.5))
    expected = tails.expected_shortfall(gains, 0.99, weights) + COST * NOTIONAL
    found = _margin(_book(rules, rows[: end + 2]))
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_young_coin_is_stood_in_for_by_beta_and_residuals_of_its_own(shared: Path) -> None:
    """SOL began in August 2020: before, it moves by beta times BTC's move plus a residual."""
    frame = pl.read_csv(shared / "data" / "prices_daily_binance_usdt.csv", try_parse_dates=True)
    wide = frame.pivot("symbol", index="date", values="close").sort("date")
    wide = wide.filter(pl.col("date") < dt.date(2021, 6, 1))
    levels = wide.select(COINS).to_numpy()
    dates = [day.isoformat() for day in wide["date"]]
    rows: Rows = [["date", *COINS]]
    rows += [
        [day, *(None if np.isnan(x) else float(x) for x in line)]
        for day, line in zip(dates, levels, strict=True)
    ]
    rules = _rulebook(tail__scenarios="historical", tail__history__proxy="BTC")
    book = _book(rules, rows)
    moves = tails.log_moves(levels)
    own = ~np.isnan(moves[:, 2])
    beta = np.cov(moves[own, 2], moves[own, 0])[0, 1] / np.var(moves[own, 0], ddof=1)
    notes = [str(row["message"]) for row in crossmargin.check(book) if row["code"] == "proxied"]
    assert f"its beta {beta:.3f} to the proxy" in notes[0]
    assert f"{int((~own).sum())} moves of SOL" in notes[0]
    without = _rulebook(tail__scenarios="historical")
    with pytest.raises(crossmargin.CrossmarginError, match=r"of 500 moves .* SOL has the fewest"):
        _margin(_book(without, rows))
    # bounds: every stand-in move has a residual between the smallest and the largest one
    residuals = moves[own, 2] - beta * moves[own, 0]
    residuals -= residuals.mean()
    margins = []
    for extreme in (residuals.min(), residuals.max(), 0.0):
        filled = moves.copy()
        filled[~own, 2] = beta * moves[~own, 0] + extreme
        margins.append(tails.expected_shortfall(_gains(filled[-500:]), 0.99))
    found = _margin(book) - COST * NOTIONAL
    assert min(margins) < found < max(margins)
