"""Tables and the memory of books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from crossmargin import books
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Generator

TABLE = Table(("symbol", "mm", "mixed"), [("BTC", 120.5, "x"), ("ETH", None, 3.0)])


@dataclass(frozen=True)
class SomeBook:
    key: str
    row_count: int = 1


@pytest.fixture(autouse=True)
def clean() -> Generator[None]:
    yield
    books.clear()


def test_rows_are_read_as_records_and_columns() -> None:
    assert len(TABLE) == 2
    assert list(TABLE) == TABLE.records()
    assert TABLE.records()[1] == {"symbol": "ETH", "mm": None, "mixed": 3.0}
    assert TABLE.column("mm") == [120.5, None]
    with pytest.raises(KeyError, match="no column 'im'; the table has symbol, mm, mixed"):
        TABLE.column("im")


def test_numbers_are_aligned_right_and_texts_left() -> None:
    table = Table(("symbol", "mm"), [("BTC", 120.5), ("ETHUSDT", 7.0)])
    assert str(table) == "symbol      mm\nBTC      120.5\nETHUSDT      7"
    assert str(Table(("a",), [])) == "a"


def test_a_ragged_row_or_a_doubled_column_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2 must have 2 values, one per column, was 1"):
        Table(("a", "b"), [(1.0, 2.0), (1.0,)])
    with pytest.raises(ValueError, match="each column once"):
        Table(("a", "a"), [])


def test_frames_keep_values_and_gaps() -> None:
    pandas = TABLE.to_pandas()
    assert list(pandas.columns) == ["symbol", "mm", "mixed"]
    assert pandas["mm"].isna().tolist() == [False, True]
    polars = TABLE.to_polars()
    assert polars["mm"].to_list() == [120.5, None]
    assert polars["mixed"].to_list() == ["x", "3"]


def test_a_book_is_recalled_by_its_key_alone() -> None:
    book = SomeBook("book:1")
    assert books.recall("book:1") is None
    assert books.remember(book) == "book:1"
    assert books.recall("book:1") is book  # type: ignore[comparison-overlap, unused-ignore]


def test_the_least_recently_used_book_leaves_first() -> None:
    for number in range(books.MAXIMUM_BOOKS):
        books.remember(SomeBook(f"book:{number}"))
    books.recall("book:0")
    books.remember(SomeBook("book:new"))
    assert books.recall("book:0") is not None
    assert books.recall("book:1") is None


def test_rows_are_bounded_but_the_newest_book_stays() -> None:
    books.remember(SomeBook("book:small"))
    books.remember(SomeBook("book:huge", books.MAXIMUM_ROWS + 1))
    assert books.recall("book:small") is None
    assert books.recall("book:huge") is not None
