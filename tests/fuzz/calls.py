"""One call of a registered function with drawn arguments, and what every answer must be.

The arguments are made from the function's record, so a function that is added to the registry is
fuzzed without a change here.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from crossmargin import registry
from crossmargin.cells import CellContent, SheetError
from tests.fuzz import blocks

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from crossmargin.registry import Argument, Record

__all__ = ["LONGEST_SENTENCE", "Fuzzed", "Keys", "arguments", "problem", "run"]

LONGEST_SENTENCE: Final = 1_000
_SIGNS: Final = frozenset({"#N/A", "#VALUE!", "#NUM!"})
_NEVER_SAID: Final = ("Traceback", "panicked", "PanicException", "defect of crossmargin")
_WORD: Final = re.compile(r"[A-Za-z_][\w=.]*")
_KEY: Final = re.compile(r"\b([a-z_]+)=")
_RANGE: Final = re.compile(r"\w+\[#All\]|[A-Z]+\d+:[A-Z]+\d+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_BY_EXAMPLE: Final = 0.5
_DRAWN_ANEW: Final = 0.2
_NAMES: Final = ("BTC", "ETH", "SOL", "USDC", "USDT", "main", "a", "desk", "VOL", "all")
# Of size: a million paths are slow because a million paths were asked for.
_VALUES: Final = ("0", "1", "-1", "0.5", "2", "10", "120", "nan", "inf", "1e308", "yes", "", "x")


@dataclass
class Keys:
    """The keys of books and histories that were accepted; the latest few of each."""

    books: list[str] = field(default_factory=list)
    histories: list[str] = field(default_factory=list)

    def keep(self, name: str, answer: object) -> None:
        """Remember the key that a call returned."""
        if isinstance(answer, str) and name in {"CM_BOOK", "CM_HISTORY"}:
            kept = self.books if name == "CM_BOOK" else self.histories
            kept.append(answer)
            del kept[:-12]


@dataclass
class Fuzzed:
    """Counts of a run."""

    blocks: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: Fuzzed) -> None:
        """Add the counts of another run."""
        self.blocks += other.blocks
        self.answered += other.answered
        self.refused += other.refused


def _tables_of(cells: list[object]) -> int:
    return sum(isinstance(cell, list) for cell in cells)


def _text(draw: random.Random, what: Argument) -> object:
    kind = draw.random()
    if kind < 0.35:
        return None if what.optional else draw.choice(_NAMES)
    if kind < 0.75:
        words = _WORD.findall(what.doc) or list(_NAMES)
        return draw.choice([*words, str(what.default or "BTC")])
    if kind < 0.87:
        return draw.choice(_NAMES)
    return blocks.scalar(draw)


def _options(draw: random.Random, what: Argument) -> object:
    kind = draw.random()
    if kind < 0.5:
        return None
    if kind < 0.55:
        return blocks.scalar(draw)
    keys = _KEY.findall(what.doc) or _WORD.findall(what.doc)
    chosen = draw.sample(keys, min(len(keys), draw.randint(1, 3))) if keys else ["seed"]
    words = [*_VALUES, *_WORD.findall(what.doc)]
    pairs = [(key.partition("=")[0], draw.choice(words)) for key in chosen]
    if draw.random() < 0.5:
        return ";".join(f"{key}={value}" for key, value in pairs)
    return [list(pair) for pair in pairs]


def _list(draw: random.Random, what: Argument) -> object:
    if draw.random() < 0.3:
        return None
    size = draw.randint(1, 4)
    if what.element == "number":
        return [[draw.choice([-0.5, -0.1, 0.0, 0.1, 0.3, 7.0, 30.0]) for _ in range(size)]]
    if draw.random() < 0.7:
        return ";".join(draw.choice([*_NAMES, "7", "30", "90"]) for _ in range(size))
    return [[blocks.scalar(draw) for _ in range(size)]]


def _block(draw: random.Random, what: Argument) -> object:
    kind = draw.random()
    if what.optional and kind < 0.25:
        return None
    if what.literal and kind < 0.6:
        named = draw.choice(blocks.SHAPES["books"])["rulebook"]
        return draw.choice([named, *_WORD.findall(what.doc), blocks.scalar(draw)])
    return blocks.table_named(draw, what.name) if kind < 0.9 else blocks.nonsense(draw)


def _number(draw: random.Random, what: Argument) -> object:
    kind = draw.random()
    if kind < 0.4:
        return what.default if what.optional else draw.choice([1.0, 100.0, 0.01, -5.0])
    if kind < 0.8:
        return draw.choice([0.0, 0.5, 0.95, 0.99, 1.0, 2.0, 5.0, 10.0, 60_000.0, -1.0])
    return blocks.scalar(draw)


_DRAWN: Final[dict[str, Callable[[random.Random, Argument], object]]] = {
    "text": _text,
    "options": _options,
    "list": _list,
    "block": _block,
    "number": _number,
}


def _argument(draw: random.Random, what: Argument, keys: Keys) -> object:
    if draw.random() < 0.02:
        return blocks.scalar(draw) if draw.random() < 0.5 else blocks.nonsense(draw)
    if what.kind == "book" or what.name == "books":
        return draw.choice(keys.books) if keys.books else "book:none"
    if what.kind == "cell":
        known = [*keys.books, *keys.histories]
        if known and draw.random() < 0.6:
            return draw.choice(known)
        name = draw.choice(["positions", "collateral", "market", "orders", "prices", "brackets"])
        table = blocks.table_named(draw, name)
        return table if draw.random() < 0.8 else CellContent(0.0, f"={draw.choice(_FORMULAS)}")
    return _DRAWN[what.kind](draw, what)


_FORMULAS: Final = ('CM_MM(Book,"x")', "CM_LIQPRICE(A1:B2)", "SUM(1)", "CM_(((", '"', "CM_MM(")


def arguments(draw: random.Random, called: Record, keys: Keys) -> list[object]:
    """Return cells for every argument of a function."""
    if called.sheet_name == "CM_BOOK":
        made = blocks.shaped(draw)
        if "history" in made:
            key = registry.call("CM_HISTORY", [made["history"]])
            made["options"] = key if isinstance(key, str) else None
        if draw.random() < 0.05:
            made["rulebook"] = blocks.table_named(draw, "rulebook")
        if draw.random() < 0.05:
            made["options"] = _options(draw, called.arguments[-1])
        return [made.get(argument.name) for argument in called.arguments]
    if draw.random() < _BY_EXAMPLE:
        return _as_in_the_example(draw, called, keys)
    return [_argument(draw, argument, keys) for argument in called.arguments]


def _as_in_the_example(draw: random.Random, called: Record, keys: Keys) -> list[object]:
    """Return the arguments of the record's own example, a few of them drawn anew."""
    inside = called.example[called.example.index("(") + 1 : -1]
    written = next(csv.reader([inside])) if inside else []
    cells: list[object] = []
    for argument, text in zip_longest(called.arguments, written):
        if argument is None:
            break
        if draw.random() < _DRAWN_ANEW or (argument.kind in {"book", "cell"} and keys.books):
            cells.append(_argument(draw, argument, keys))
        elif not text:
            cells.append(None)
        elif argument.kind == "block" and _RANGE.fullmatch(text):
            cells.append(blocks.table_named(draw, argument.name))
        elif argument.name == "symbol":
            cells.append(draw.choice(["BTC", "ETH", "BTCUSDT"]))
        else:
            cells.append(float(text) if _NUMBER.fullmatch(text) else text)
    return cells


def problem(answer: object) -> str | None:
    """Return what is wrong with an answer, or None for a number, a text, a table or an error."""
    if isinstance(answer, SheetError):
        return _problem_of_error(answer)
    if isinstance(answer, list):
        if not answer or len({len(row) for row in answer}) != 1:
            return "a table must have a header and rows as long as it"
        found = (
            "a table in a table" if isinstance(cell, list) else problem(cell)
            for row in answer
            for cell in row
        )
        return next((text for text in found if text), None)
    if isinstance(answer, str):
        return _problem_of_text(answer)
    if isinstance(answer, bool) or not isinstance(answer, float | int):
        return f"an answer of type {type(answer).__name__}"
    return None if math.isfinite(answer) else f"the number {answer}"


def _problem_of_error(error: SheetError) -> str | None:
    if error.sign not in _SIGNS:
        return f"the sign {error.sign!r}"
    if not error.reason.strip():
        return "an error without a sentence"
    if len(error.reason) > LONGEST_SENTENCE:
        return f"a sentence of {len(error.reason)} characters: {error.reason[:200]!r}"
    if not error.reason.isprintable():
        return f"a sentence with control characters: {error.reason[:200]!r}"
    return _problem_of_text(error.reason)


def _problem_of_text(text: str) -> str | None:
    said = next((words for words in _NEVER_SAID if words in text), None)
    return None if said is None else f"{said!r} in {text[:300]!r}"


def run(
    draw: random.Random, called: Record, keys: Keys, counts: Fuzzed, cells: list[Any] | None = None
) -> str | None:
    """Call a function once and count it; return what is wrong, or None."""
    given = arguments(draw, called, keys) if cells is None else cells
    counts.blocks += _tables_of(given)
    try:
        answer = registry.call(called.sheet_name, given)
    except BaseException as raised:  # noqa: BLE001  # a panic of the core is no Exception
        return f"{called.sheet_name} raised {type(raised).__name__}: {raised}"
    keys.keep(called.sheet_name, answer)
    refused = isinstance(answer, SheetError)
    (counts.refused if refused else counts.answered)[called.sheet_name] += 1
    found = problem(answer)
    return None if found is None else f"{called.sheet_name}: {found}"
