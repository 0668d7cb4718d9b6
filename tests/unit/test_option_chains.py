"""Two real option chains of Deribit, as a market table and as a book of their own."""

from __future__ import annotations

import csv
import re
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

import pytest

from crossmargin import functions as cm

if TYPE_CHECKING:
    from pathlib import Path

    from crossmargin._core import Book

CALM = "data/deribit_chain_20260110T091409Z.csv"
CRASH = "data/deribit_chain_20260205T212937Z.csv"
ROWS = {CALM: 1_300, CRASH: 1_840}
STABLE = [{"currency": "USDC", "cash": 1_000_000}]
PRICED_FROM = ("expiry_utc", "strike", "option_type", "forward_usd", "index_usd", "snapshot_utc")


def _rows(shared: Path, name: str) -> list[dict[str, str]]:
    path = shared / name
    if not path.is_file():
        pytest.skip(f"the option chain {path} is missing; copy it from the shared data folder")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ROWS[name]
    return rows


def _held(rows: list[dict[str, str]], *names: str) -> list[dict[str, object]]:
    """Hold 0.1 of every option, saying what the named columns say."""
    held = {"venue": "deribit", "size": 0.1}
    return [held | {"symbol": row["instrument"]} | {n: row[n] for n in names} for row in rows]


def _found(book: Book, code: str) -> dict[str, str]:
    """Return the sentence about each symbol that has a finding of this kind."""
    said = cm.check(book).records()
    return {str(row["value"]): str(row["message"]) for row in said if row["code"] == code}


def _number(pattern: str, sentence: str) -> float:
    found = re.search(pattern, sentence)
    assert found is not None, sentence
    return float(found.group(1))


@pytest.mark.parametrize("name", [CALM, CRASH])
def test_a_chain_is_a_market_table_that_quotes_bare_positions(shared: Path, name: str) -> None:
    rows = _rows(shared, name)
    book = cm.book(_held(rows), "hyperliquid", collateral=STABLE, market=shared / name)
    assert book.as_of == rows[0]["snapshot_utc"]
    assert f"|{len(rows)}p 1c|" in str(book.key)
    codes = Counter(row["code"] for row in cm.check(book).records())
    assert set(codes) == {"columns_ignored"}, "marks, volatilities and forwards are all given"


@pytest.mark.parametrize("name", [CALM, CRASH])
def test_a_chain_is_a_book_of_its_own(shared: Path, name: str) -> None:
    rows = _held(_rows(shared, name), *PRICED_FROM, "mark_coin", "mark_iv")
    book = cm.book(rows, "hyperliquid", collateral=STABLE)
    assert cm.check(book).column("severity") == ["OK"]


# The file's own comparison of mark and formula: the crash was collected while the market moved.
@pytest.mark.parametrize(("name", "middle", "most"), [(CALM, 2e-6, 3e-5), (CRASH, 3e-5, 1e-2)])
def test_marks_that_are_left_out_are_computed_as_the_venue_does(
    shared: Path, name: str, middle: float, most: float
) -> None:
    rows = _rows(shared, name)
    book = cm.book(_held(rows, *PRICED_FROM, "mark_iv"), "hyperliquid", collateral=STABLE)
    said = _found(book, "mark_computed")
    errors = [
        abs(_number(r"given; (\S+) follows", said[row["instrument"]]) - float(row["mark_coin"]))
        for row in rows
    ]
    assert median(errors) < middle
    assert max(errors) < most


def test_volatilities_that_are_left_out_follow_from_the_marks(shared: Path) -> None:
    rows = _rows(shared, CALM)
    held = _held(rows, *PRICED_FROM, "mark_coin")
    book = cm.book(held, "hyperliquid", collateral=STABLE, options={"partial": "1"})
    said = _found(book, "volatility_implied")
    refused = _found(book, "volatility_missing")
    assert len(said) + len(refused) == len(rows)
    assert len(refused) < 5, "marks rounded to their intrinsic value imply nothing"
    telling = [row for row in rows if float(row["vega_usd_per_volpt"]) > 20]
    assert len(telling) > 400
    for row in telling:
        implied = _number(r"implies (\S+),", said[row["instrument"]])
        assert implied == pytest.approx(float(row["mark_iv"]), abs=1e-3), row["instrument"]
