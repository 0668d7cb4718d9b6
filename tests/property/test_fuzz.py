"""Every registered function answers or refuses in words, whatever the cells; a small share in CI.

The long runs are `python -m tests.fuzz` and `cargo run --release --example fuzz`.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossmargin import books, registry
from tests.fuzz import blocks, calls
from tests.fuzz.calls import Fuzzed, Keys
from tests.fuzz.rounds import Watched, one_round

if TYPE_CHECKING:
    from collections.abc import Generator

RECORDS = registry.records()
FUZZER = Path(__file__).resolve().parents[2] / "rust_core" / "engine" / "examples" / "fuzz"
QUESTIONS = FUZZER / "questions.rs"
ROUNDS = range(12)
UNCOUNTED = {"CM_VERSION"}  # it takes nothing

cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(blocks.HOSTILE),
)
tables = st.integers(0, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=5)
)


@pytest.fixture(autouse=True, scope="module")
def nothing_kept() -> Generator[None]:
    yield
    books.clear()
    registry._errors.clear()


@pytest.fixture(scope="module")
def key() -> str:
    shape = blocks.SHAPES["books"][0]
    tables_of_it = [shape["positions"], shape["rulebook"], shape["collateral"], shape["market"]]
    made = registry.call("CM_BOOK", tables_of_it)
    assert isinstance(made, str)
    return made


def test_a_few_rounds_ask_every_function_and_nothing_is_wrong() -> None:
    counts = Fuzzed()
    failures = [text for number in ROUNDS for text in one_round(7, number, counts, Watched())]
    assert not failures
    for record in RECORDS:
        name = record.sheet_name
        assert counts.answered[name] + counts.refused[name] >= len(ROUNDS), name
    assert counts.blocks > 200
    assert len(counts.answered) > 0.8 * len(RECORDS)  # it is not all refused at the door


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.sheet_name)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_cells_of_any_kind_get_an_answer_or_a_sentence(
    record: registry.Record, key: str, data: st.DataObject
) -> None:
    given_cells = [
        key
        if argument.kind == "book" and data.draw(st.integers(0, 9))
        else data.draw(st.one_of(cells, tables))
        for argument in record.arguments
    ]
    assert calls.problem(registry.call(record.sheet_name, given_cells)) is None


def test_a_round_is_a_function_of_seed_and_number() -> None:
    def drawn() -> list[object]:
        draw = random.Random("3-5")  # noqa: S311  # not a secret
        return [calls.arguments(draw, record, Keys(["book:x"])) for record in RECORDS]

    assert repr(drawn()) == repr(drawn())


def test_the_fuzzer_of_the_engine_asks_every_function_of_the_sheet() -> None:
    asked = re.findall(
        r'^    \("(CM_\w+)", \|', QUESTIONS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(asked) == sorted({record.sheet_name for record in RECORDS} - UNCOUNTED)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (float("nan"), "the number nan"),
        (True, "an answer of type bool"),
        (None, "an answer of type NoneType"),
        ([], "a table must have a header and rows as long as it"),
        ([["a", "b"], [1.0]], "a table must have a header and rows as long as it"),
        ([["a"], [[1.0]]], "a table in a table"),
        (registry.SheetError("#N/A", " "), "an error without a sentence"),
        ("thread panicked at", "'panicked' in 'thread panicked at'"),
    ],
)
def test_what_is_no_answer_is_found(answer: object, said: str) -> None:
    assert calls.problem(answer) == said
