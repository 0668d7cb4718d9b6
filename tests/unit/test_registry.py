"""The registry: what it refuses at import, what it makes of cells, what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from crossmargin import _docstrings, books, registry
from crossmargin._types import (
    Block,
    BlockOrText,
    BookArgument,
    Cell,
    CellResult,
    KeyResult,
    ListOf,
    Number,
    NumberResult,
    Options,
    TableResult,
    Text,
)
from crossmargin.registry import CellContent, SheetError
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@pytest.fixture(autouse=True)
def clean() -> Generator[None]:
    """Give each test a registry and a memory of its own."""
    before = dict(registry._records)
    yield
    registry._records.clear()
    registry._records.update(before)
    registry._errors.clear()
    books.clear()


def sheet_function(
    name: str = "CM_TRY", example: str | None = None
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    return registry.register(name, category="Test", example=example or f"={name}()")


def echo(annotation: object, default: object = ...) -> Callable[[object], Any]:
    """Register a function of one argument; return what it received for a cell, or the error."""
    received: list[object] = []

    def function(value: object) -> object:
        received.append(value)
        return 1.0

    function.__doc__ = "Echo.\n\nParameters\n----------\nvalue\n    Anything."
    function.__annotations__ = {"value": annotation, "return": NumberResult}
    if default is not ...:
        function.__defaults__ = (default,)
    registry._records.pop("CM_ECHO", None)
    sheet_function("CM_ECHO")(function)

    def ask(cell: object) -> object:
        answer = registry.call("CM_ECHO", [cell])
        return answer if isinstance(answer, SheetError) else received[-1]

    return ask


def answering(result: object, annotation: object = CellResult) -> Callable[[], Any]:
    """Register a function without arguments; return what a cell shows for its result."""

    def function() -> object:
        if isinstance(result, BaseException):
            raise result
        return result

    function.__doc__ = "Answer."
    function.__annotations__ = {"return": annotation}
    registry._records.pop("CM_ANSWER", None)
    sheet_function("CM_ANSWER")(function)
    return lambda: registry.call("CM_ANSWER", [])


@dataclass(frozen=True)
class SomeBook:
    key: str
    row_count: int = 1


class SignedError(ValueError):
    sign = "#NUM!"


def test_a_record_holds_what_signature_and_docstring_say() -> None:
    @sheet_function("CM_TRY", "=CM_TRY(Book)")
    def attempt(
        book: BookArgument, *, shock: Number = 0.15, names: ListOf[str] | None = None
    ) -> TableResult:
        """Attempt something. And a second sentence.

        More words.

        Parameters
        ----------
        book
            The book,
            on two lines.
        shock : float
            A fraction.
        names
            Some names.

        Returns
        -------
        Table
            Rows.
        """
        raise NotImplementedError

    made = registry.record("cm_try")
    assert made.function is attempt
    assert made.summary == "Attempt something."
    assert made.returns == "table"
    assert [(a.name, a.kind, a.optional, a.default) for a in made.arguments] == [
        ("book", "book", False, None),
        ("shock", "number", True, 0.15),
        ("names", "list", True, None),
    ]
    assert made.arguments[0].doc == "The book, on two lines."
    assert made.arguments[2].element == "text"


def _documented(*names: str) -> str:
    lines = "\n".join(f"{name}\n    Something." for name in names)
    return f"Do it.\n\nParameters\n----------\n{lines}"


@pytest.mark.parametrize(
    ("name", "arguments", "docstring", "sentence"),
    [
        ("cm_try", ["a"], _documented("a"), "must be CM_ and capitals"),
        ("MM", ["a"], _documented("a"), "must be CM_ and capitals"),
        ("CM_TRY", ["a", "b"], _documented("a"), "documented: a; signature: a, b"),
        ("CM_TRY", ["a"], _documented("a", "b"), "documented: a, b; signature: a"),
        ("CM_TRY", ["a", "b"], _documented("b", "a"), "in its order"),
        ("CM_TRY", ["by"], _documented("by"), "is a word of VBA"),
        ("CM_TRY", ["scale"], _documented("scale"), "is a word of VBA"),
        ("CM_TRY", ["sequence"], _documented("sequence"), "interface language"),
        ("CM_TRY", ["Date"], _documented("Date"), "lower case"),
        ("CM_TRY", ["a" * 32], _documented("a" * 32), "at most 31"),
        ("CM_TRY", list("abcdefgh"), _documented(*"abcdefgh"), "at most 7"),
        ("CM_TRY", ["a"], "", "begin with a sentence"),
        ("CM_TRY", ["a"], "x" * 256, "at most 255"),
        ("CM_TRY", ["a"], "Do it.\n\nParameters\n----------\na", "no description"),
    ],
)
def test_a_broken_rule_is_refused_at_import(
    name: str, arguments: list[str], docstring: str, sentence: str
) -> None:
    space: dict[str, Any] = {}
    exec(f"def function({', '.join(arguments)}): return 1.0", space)  # noqa: S102
    function = space["function"]
    function.__doc__ = docstring
    function.__annotations__ = {**dict.fromkeys(arguments, Text), "return": NumberResult}
    with pytest.raises(TypeError, match=sentence):
        sheet_function(name)(function)


def test_annotations_must_say_what_a_cell_becomes() -> None:
    def plain(value: float) -> NumberResult:
        """Do it.

        Parameters
        ----------
        value
            A number.
        """
        return value

    def unknown() -> float:
        """Do it."""
        return 1.0

    with pytest.raises(TypeError, match="annotation of value"):
        sheet_function()(plain)
    with pytest.raises(TypeError, match="return annotation"):
        sheet_function()(unknown)


def test_a_name_is_registered_once_and_its_example_uses_it() -> None:
    def first() -> NumberResult:
        """Do it."""
        return 1.0

    def second() -> NumberResult:
        """Do it."""
        return 1.0

    sheet_function()(first)
    sheet_function()(first)  # a module may be loaded again
    with pytest.raises(TypeError, match="twice"):
        sheet_function()(second)
    with pytest.raises(TypeError, match="example must begin"):
        sheet_function("CM_OTHER", "=CM_TRY()")(second)


@pytest.mark.parametrize("blank", [None, "", "  ", [[None]], [["", " "]], CellContent(None)])
def test_a_blank_cell_counts_as_left_out(blank: object) -> None:
    assert echo(Number, 0.5)(blank) == 0.5
    assert echo(Block, None)(blank) is None
    assert echo(Text)(blank) == SheetError("#VALUE!", "value is required and was left out")


def test_a_missing_last_argument_takes_its_default_and_one_too_many_is_refused() -> None:
    echo(Number, 0.5)
    assert registry.call("CM_ECHO", []) == 1.0
    assert registry.call("CM_ECHO", [1.0, 2.0]) == SheetError(
        "#VALUE!", "CM_ECHO takes at most 1 arguments, was 2"
    )


@pytest.mark.parametrize(
    ("cell", "number"),
    [(3, 3.0), (0.0, 0.0), (True, 1.0), ([[7.5]], 7.5), (CellContent(2.0, "=1+1"), 2.0)],
)
def test_a_number_is_a_number(cell: object, number: float) -> None:
    assert echo(Number)(cell) == number


@pytest.mark.parametrize(
    ("cell", "sign", "sentence"),
    [
        ("0.15", "#VALUE!", "value must be a number, was the text '0.15'"),
        ([[1.0, 2.0]], "#VALUE!", "value must be one cell, was a range of 1 by 2"),
        (math.inf, "#NUM!", "value must be finite, was inf"),
        ("#DIV/0!", "#N/A", "value refers to a cell with the error #DIV/0!"),
    ],
)
def test_what_is_no_number_is_refused_by_name(cell: object, sign: str, sentence: str) -> None:
    assert echo(Number)(cell) == SheetError(sign, sentence)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "text"), [(" BTC ", "BTC"), (12345.0, "12345"), (0.1, "0.1"), (1e20, "1e+20")]
)
def test_a_text_may_be_a_number(cell: object, text: str) -> None:
    assert echo(Text)(cell) == text


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("Partial=1; above = usage=0.7 ;", {"partial": "1", "above": "usage=0.7"}),
        ([["partial", 1.0], [None, None], ["seed", "x"]], {"partial": "1", "seed": "x"}),
        ([["partial", 1.0, None]], {"partial": "1"}),
        ([["empty", None]], {"empty": ""}),
    ],
)
def test_options_come_as_text_or_as_two_columns(cell: object, options: dict[str, str]) -> None:
    assert echo(Options)(cell) == options


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("partial", "key=value"),
        ("a=1;A=2", "names a twice"),
        ([["a", 1.0, "x"]], "a key and a value"),
        ([[None, 1.0]], "a key and a value"),
    ],
)
def test_options_that_cannot_be_read_are_refused(cell: object, sentence: str) -> None:
    answer = echo(Options)(cell)
    assert isinstance(answer, SheetError)
    assert answer.sign == "#VALUE!"
    assert sentence in answer.reason


def test_a_list_comes_as_text_or_as_a_range() -> None:
    assert echo(ListOf[float])("-0.1; 0;.2") == [-0.1, 0.0, 0.2]
    assert echo(ListOf[float])([[1.0, None], [2.0, ""]]) == [1.0, 2.0]
    assert echo(ListOf[float])(0.0) == [0.0]
    assert echo(ListOf[str])("007;nan") == ["007", "nan"]
    assert echo(ListOf[str])([[12.0], ["x"]]) == ["12", "x"]
    assert echo(ListOf[float], ())([[None], [None], [None]]) == ()


@pytest.mark.parametrize(
    ("cell", "sign"), [("a;1", "#VALUE!"), ([["0.1"]], "#VALUE!"), ([[1.0], ["#N/A"]], "#N/A")]
)
def test_a_list_of_numbers_refuses_texts_and_errors(cell: object, sign: str) -> None:
    if cell == [["0.1"]]:
        assert echo(ListOf[float])(cell) == [0.1]  # one cell is a text with one item
        return
    answer = echo(ListOf[float])(cell)
    assert isinstance(answer, SheetError)
    assert answer.sign == sign


def test_a_block_is_passed_on_as_it_is() -> None:
    rows = [["symbol", "qty"], ["BTC", "#N/A"]]
    assert echo(Block)(rows) is rows
    assert echo(Block)("x") == [["x"]]
    assert echo(BlockOrText)("deribit-spm") == "deribit-spm"
    assert echo(BlockOrText)(rows) is rows


def test_a_cell_keeps_its_formula() -> None:
    content = CellContent(1.0, "=CM_MM(Book)")
    assert echo(Cell)(content) is content
    assert echo(Cell)([[1.0], ["#N/A"]]) == CellContent([[1.0], ["#N/A"]])


def test_a_book_is_found_by_its_key() -> None:
    book = SomeBook("book:1|x")
    ask = echo(BookArgument)
    assert ask("book:1|x") == SheetError(
        "#N/A",
        "this book key is not in memory: recalculate (Ctrl+Alt+F9; LibreOffice Ctrl+Shift+F9)",
    )
    assert answering(book, KeyResult)() == "book:1|x"
    assert ask(" book:1|x ") is book
    assert ask(book) is book
    assert ask("BTC").sign == "#VALUE!"
    assert ask(12.0).sign == "#VALUE!"


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (2, 2.0),
        (True, 1.0),
        ("=1+1", "=1+1"),
        (None, SheetError("#N/A", "no answer exists for these arguments")),
        (math.nan, SheetError("#NUM!", "the result is not a finite number, was nan")),
        (-math.inf, SheetError("#NUM!", "the result is not a finite number, was -inf")),
        (SignedError("vol must be above zero"), SheetError("#NUM!", "vol must be above zero")),
    ],
)
def test_an_answer_is_a_number_a_text_or_an_error(result: object, shown: object) -> None:
    answer = answering(result)()
    assert answer == shown
    assert type(answer) is type(shown)


class PanicError(BaseException):
    """As pyo3's PanicException: no Exception."""


@pytest.mark.parametrize("problem", [PanicError("index"), TypeError("x"), SystemExit(1), object()])
def test_a_defect_is_an_error_that_says_so(problem: object) -> None:
    answer = answering(problem)()
    assert answer.sign == "#VALUE!"
    assert "defect of crossmargin" in answer.reason


def test_only_the_person_at_the_terminal_can_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        answering(KeyboardInterrupt())()


def test_an_unknown_function_is_an_error() -> None:
    assert registry.call("CM_NO_SUCH", []).sign == "#VALUE!"  # type: ignore[union-attr]


def test_a_table_has_its_header_first_and_errors_of_its_own() -> None:
    table = Table(
        ("symbol", "price", "status"),
        [("BTC", 1, "ok"), ("ETH", None, "no price"), ("SOL", math.nan, ""), (None, None, None)],
    )
    nothing = SheetError("#N/A", "no value exists")
    assert answering(table)() == [
        ["symbol", "price", "status"],
        ["BTC", 1.0, "ok"],
        ["ETH", SheetError("#N/A", "no price"), "no price"],
        ["SOL", SheetError("#NUM!", "the result is not a finite number, was nan"), ""],
        [nothing, nothing, nothing],
    ]


def test_the_last_error_of_each_call_is_kept_until_it_succeeds() -> None:
    ask = echo(Number)
    ask("x")
    ask("y")
    assert {place: e.reason for place, e in registry.last_errors().items()} == {
        ("CM_ECHO", "x"): "value must be a number, was the text 'x'",
        ("CM_ECHO", "y"): "value must be a number, was the text 'y'",
    }
    answers: list[object] = [SignedError("first"), 1.0]

    def function() -> NumberResult:
        """Answer differently."""
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return 1.0

    sheet_function("CM_ANSWER")(function)
    registry.call("cm_answer", [])
    assert ("CM_ANSWER", "") in registry.last_errors()
    registry.call("CM_ANSWER", [])
    assert ("CM_ANSWER", "") not in registry.last_errors()


def test_kept_errors_are_bounded() -> None:
    ask = echo(Number)
    for number in range(registry._MAXIMUM_ERRORS + 10):
        ask(f"text {number}")
    assert len(registry.last_errors()) == registry._MAXIMUM_ERRORS
    assert ("CM_ECHO", "text 0") not in registry.last_errors()


def test_a_range_is_named_by_shape_and_contents() -> None:
    first = registry.signature_of([[["a", 1.0]], None, 2.0])
    assert first.startswith("1x2:")
    assert first.endswith("; ; 2")
    assert registry.signature_of([[["a", 2.0]], None, 2.0]) != first


def test_several_parameters_may_share_a_description() -> None:
    text = "Do it.\n\nParameters\n----------\nx, y : float\n    Axes.\n\nReturns\n-------\nfloat"
    assert _docstrings.parameters(text) == {"x": "Axes.", "y": "Axes."}
