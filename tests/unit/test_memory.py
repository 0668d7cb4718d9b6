"""What a process keeps between calls has a bound, however many books and errors come by."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossmargin import books, registry
from crossmargin.cells import SheetError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="resident memory is read from /proc"
)

DISTINCT_BOOKS = 100_000
BOUND_MIB = 24.0  # the 64 books kept, the 1,000 errors kept, and what the allocator holds back
BALANCES = [["currency", "cash"], ["USDC", 1_000.0]]
HEADER = ["symbol", "contracts", "entryPrice", "markPrice", "leverage"]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    books.clear()
    yield
    books.clear()
    registry._errors.clear()


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def book(number: int) -> object:
    rows = [HEADER, ["BTC", 1.0 + number * 1e-6, 100.0, 101.0, 10.0]]
    return registry.call("CM_BOOK", [rows, "hyperliquid", BALANCES])


def test_a_hundred_thousand_distinct_books_leave_the_memory_of_the_last_few() -> None:
    keys = {book(number) for number in range(1_000)}
    assert len(keys) == 1_000
    before = resident_mib()
    for number in range(1_000, DISTINCT_BOOKS):
        last = book(number)
    grown = resident_mib() - before
    assert grown < BOUND_MIB
    assert len(books._held) == books.MAXIMUM_BOOKS
    assert isinstance(last, str)
    assert books.recall(last) is not None
    assert isinstance(registry.call("CM_MM", [last]), float)


def test_rows_are_bounded_as_well_as_books(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MAXIMUM_ROWS", 10)  # two rows a book
    kept = [book(number) for number in range(20)]
    assert [books.recall(str(key)) is not None for key in kept] == [False] * 15 + [True] * 5


def test_errors_about_long_texts_are_kept_small() -> None:
    before = resident_mib()
    for number in range(3_000):
        answer = registry.call("CM_MM", [f"{number}" + "x" * 32_000])
        assert isinstance(answer, SheetError)
    assert len(registry.last_errors()) == 1_000
    assert resident_mib() - before < BOUND_MIB
    sizes = [len(place[1]) + len(error.reason) for place, error in registry.last_errors().items()]
    assert max(sizes) < 1_500


def test_two_long_arguments_that_begin_alike_keep_an_error_each() -> None:
    for end in ("a", "b"):
        registry.call("CM_MM", ["x" * 1_000 + end])
    assert len(registry.last_errors()) == 2
