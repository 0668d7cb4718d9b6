"""The page about the backtest: its figures are those of the code, and a second method agrees."""

from __future__ import annotations

import csv
import importlib.util
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.oracle import filtered_shortfall as oracle

if TYPE_CHECKING:
    from pathlib import Path

    import crossmargin


@pytest.fixture(scope="module")
def page() -> Any:
    path = ROOT / "docs" / "make_backtest_margin.py"
    specification = importlib.util.spec_from_file_location("make_backtest_margin", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def book(page: Any, shared: Path) -> crossmargin.Book:
    made: crossmargin.Book = page.six_coins(page.spliced(shared / "data"))
    return made


def test_the_table_of_the_page_is_what_the_code_gives(page: Any, book: crossmargin.Book) -> None:
    made = page.results(book)
    with page.TABLE.open(encoding="utf-8", newline="") as file:
        committed = [tuple(row) for row in csv.reader(file)]
    assert made == committed
    assert page.written(made) in page.PAGE.read_text(encoding="utf-8")
    assert page.CHART.stat().st_size > 20_000


def returns(page: Any, shared: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the ends of the moves and the moves by coin, SOL before it began by its proxy."""
    older, newer = page.closes(shared / "data")
    logs: dict[str, dict[str, float]] = {coin: {} for coin in page.MONEY}
    for rows in (older, newer):  # each source's moves are its own
        by_coin: dict[str, list[tuple[str, float]]] = {}
        for row in rows:
            by_coin.setdefault(row["symbol"], []).append((row["date"], float(row["close"])))
        for coin, levels in by_coin.items():
            levels.sort()
            for (_, before), (day, after) in pairwise(levels):
                logs[coin][day] = np.log(after / before)
    days = sorted(logs["BTC"])
    moves = {coin: np.array([own.get(day, np.nan) for day in days]) for coin, own in logs.items()}
    # series are in the order in which the table names them, which places the residuals
    order = list(dict.fromkeys(row["symbol"] for row in older + newer))
    for coin, own in moves.items():
        if np.isnan(own).any():
            moves[coin] = oracle.filled(own, moves["BTC"], order.index(coin))
    return days, moves


def test_a_second_method_in_numpy_gives_the_same_margins_and_losses(
    page: Any, book: crossmargin.Book, shared: Path
) -> None:
    days, moves = returns(page, shared)
    place = {day: at for at, day in enumerate(days)}
    by_method = {method: page.series(book, method) for method in page.METHODS}
    compared = 0
    for filtered, plain in list(zip(*by_method.values(), strict=True))[::29]:
        known = place[str(filtered.date)]
        shortfall, _, unscaled = oracle.margins(moves, page.MONEY, oracle.Rule(), known)
        assert filtered.margin == pytest.approx(shortfall, rel=1e-9)
        assert plain.margin == pytest.approx(unscaled, rel=1e-9)
        assert filtered.loss == pytest.approx(oracle.loss(moves, page.MONEY, known), rel=1e-9)
        compared += 1
    assert compared > 70


def test_every_exceedance_of_the_second_method_is_one_of_the_first(
    page: Any, book: crossmargin.Book, shared: Path
) -> None:
    days, moves = returns(page, shared)
    place = {day: at for at, day in enumerate(days)}
    march = [day for day in page.series(book, "filtered") if str(day.date).startswith("2020-03")]
    for day in march:
        known = place[str(day.date)]
        shortfall, _, _ = oracle.margins(moves, page.MONEY, oracle.Rule(), known)
        assert day.exceeded == (oracle.loss(moves, page.MONEY, known) > shortfall)
    assert any(day.exceeded for day in march)
