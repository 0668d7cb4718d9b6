"""Whatever a host hands over, a cell gets an answer or an error with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmargin import books, registry
from crossmargin._types import (
    Block,
    BlockOrText,
    BookArgument,
    Cell,
    ListOf,
    Number,
    NumberResult,
    Options,
    Text,
)
from crossmargin.cells import ERROR_TEXTS
from crossmargin.registry import CellContent, SheetError

if TYPE_CHECKING:
    from collections.abc import Generator

KINDS = (
    BookArgument,
    Block,
    BlockOrText,
    Text,
    Number,
    Options,
    ListOf[float],
    ListOf[str],
    ListOf,
    Cell,
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.just(10**400),
    st.sampled_from(["book:1", "a=1;b=2", "1;2", "", " ", *sorted(ERROR_TEXTS)]),
)
ranges = st.integers(0, 4).flatmap(
    lambda width: st.lists(st.lists(scalars, min_size=width, max_size=width), max_size=4)
)
cells = st.one_of(
    scalars,
    ranges,
    ranges.map(lambda rows: tuple(map(tuple, rows))),
    st.builds(CellContent, st.one_of(scalars, ranges), st.sampled_from(["", "=CM_MM(Book)"])),
)


@pytest.fixture(autouse=True, scope="module")
def functions() -> Generator[None]:
    before = dict(registry._records)
    for number, kind in enumerate(KINDS):
        for suffix, default in (("REQUIRED", ...), ("OPTIONAL", None)):

            def function(value: object = None) -> object:
                del value
                return 1.0

            function.__doc__ = "Answer.\n\nParameters\n----------\nvalue\n    Anything."
            function.__annotations__ = {"value": kind, "return": NumberResult}
            function.__defaults__ = () if default is ... else (default,)
            function.__qualname__ = f"function_{number}_{suffix}"
            name = f"CM_{suffix}{number}"
            registry.register(name, category="Test", example=f"={name}()")(function)
    yield
    registry._records.clear()
    registry._records.update(before)
    registry._errors.clear()
    books.clear()


@pytest.mark.parametrize("suffix", ["REQUIRED", "OPTIONAL"])
@pytest.mark.parametrize("number", range(len(KINDS)))
@given(cell=cells)
def test_a_cell_is_taken_or_refused_with_a_reason(number: int, suffix: str, cell: object) -> None:
    answer = registry.call(f"CM_{suffix}{number}", [cell])
    if isinstance(answer, SheetError):
        assert answer.sign in {"#N/A", "#VALUE!", "#NUM!"}
        assert answer.reason
        assert "defect of crossmargin" not in answer.reason
    else:
        assert answer == 1.0
