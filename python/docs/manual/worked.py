"""The worked books of the manual: those of the template, and what formulas about them answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from crossmargin import registry
from crossmargin.template.values import read_csv
from workbook import build

__all__ = [
    "BOOKS", "MORE", "NO_ANSWER", "Call", "Name", "answer", "book_of", "examples", "named", "read",
    "tables",
]  # fmt: skip

_PART = re.compile(r'\s*(?:"(?P<text>(?:[^"]|"")*)"|(?P<word>[^,"]*))\s*(?:,|$)')

_SAMPLE: Final = build.sample()

BOOKS: Final = {
    "HistoryKey": "=CM_HISTORY(History[#All])",
    "Desk": (
        '=CM_BOOK(Positions[#All],"hyperliquid",Collateral[#All],Market[#All],Orders[#All],'
        f'"{_SAMPLE.as_of}",HistoryKey)'
    ),
    "Options": (
        '=CM_BOOK(OptionPositions[#All],"deribit-spm",OptionCollateral[#All],OptionMarket[#All],,'
        f'"{_SAMPLE.as_of}")'
    ),
    "Tail": '=CM_BOOK(Positions[#All],"es",Collateral[#All],Market[#All],,,HistoryKey)',
    "First": '=CM_BOOK(FirstPositions[#All],"hyperliquid",FirstCollateral[#All])',
    "ByHand": '=CM_BOOK(TwoPositions[#All],"custom",TwoCollateral[#All])',
    "BookOld": (
        '=CM_BOOK(OptionPositions[#All],"deribit-spm",OptionCollateral[#All],'
        'OptionMarket[#All],,"2026-01-06T12:00:00Z")'
    ),
}
"""The named cells of the examples; `Book` is one of them, chosen by the function."""

_ON_OPTIONS: Final = frozenset(
    "CM_COMPARE CM_DIFF CM_EXPLAIN CM_EXPOSURE CM_GRID CM_HORIZON CM_LIQMAP CM_LIQZONES "
    "CM_SCENARIOS CM_STRESS".split()
)
_ON_TAILS: Final = frozenset("CM_BACKTEST CM_CALIBRATE CM_CONTRIB CM_CORREL CM_TAIL".split())

MORE: Final = {
    "CM_CHECK": ("=CM_CHECK(Desk)",),
    "CM_CURE": ('=CM_CURE(Options,"usage=0.5","hedge;deposit")',),
    "CM_EQUITY": ("=CM_EQUITY(ByHand)",),
    "CM_EXPLAIN": ('=CM_EXPLAIN(ByHand,"MM")',),
    "CM_LIQ1": ('=CM_LIQ1(1,100,5,0.004,"linear",4)', "=CM_LIQ1(1,100,200,0.004)"),
    "CM_LIQFIRST": ('=CM_LIQFIRST(Options,,,"sentence")',),
    "CM_LIQPRICE": ('=CM_LIQPRICE(ByHand,"ALPHA")', '=CM_LIQPRICE(ByHand,"ALPHA","up")'),
    "CM_MM": ("=CM_MM(ByHand)",),
    "CM_RATIO": ("=CM_RATIO(ByHand)", '=CM_RATIO(Desk,"safety")'),
    "CM_WHATIF": ('=CM_WHATIF(Desk,Trades[#All],"usage")',),
    "CM_WHY": ("=CM_WHY(Options)", '=CM_WHY(ByHand,"CM_LIQPRICE;ALPHA;up")'),
}
"""Examples beside the one of the registry."""

NO_ANSWER: Final = frozenset({'=CM_LIQPRICE(ByHand,"ALPHA","up")', "=CM_LIQ1(1,100,200,0.004)"})
"""Formulas whose right answer is #N/A with a reason."""


@dataclass(frozen=True)
class Call:
    """A formula that was read: its function, and its arguments as they are written.

    Parameters
    ----------
    function
        The name in the sheet.
    parts
        Texts without quotes, numbers, names with their kind, None for what is left out.
    """

    function: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Name:
    """A named cell (`Book`) or a table (`Positions[#All]`)."""

    word: str

    @property
    def table(self) -> str | None:
        """Return the name of the table, None for a cell."""
        return self.word.partition("[")[0] if self.word.endswith("[#All]") else None


Part = Name | str | float | None


def read(formula: str) -> Call:
    """Return what a formula of one CM_ function says.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    found = re.fullmatch(r"=(CM_[A-Z0-9]+)\((.*)\)", formula)
    if found is None:
        raise ValueError(f"an example must be one CM_ function, was {formula!r}")
    function, inside = found.groups()
    parts: list[Part] = []
    place = 0
    while place < len(inside):
        piece = _PART.match(inside, place)
        if piece is None or piece.end() == place:
            raise ValueError(f"argument {len(parts) + 1} cannot be read in {formula!r}")
        parts.append(_part(piece))
        place = piece.end()
    return Call(function, tuple(parts))


def examples(record: registry.Record) -> tuple[str, ...]:
    """Return the formulas of a function's page."""
    return (record.example, *MORE.get(record.sheet_name, ()))


def named(word: str, function: str, scope: str = "") -> str:
    """Return the worked book that a name in the formula of a function stands for."""
    return (scope or book_of(function)) if word == "Book" else word


def book_of(function: str) -> str:
    """Return the name of the worked book that `Book` is in the example of a function."""
    if function in _ON_OPTIONS:
        return "Options"
    return "Tail" if function in _ON_TAILS else "Desk"


@cache
def tables() -> dict[str, list[list[float | str | None]]]:
    """Return the tables that formulas name, header first."""
    given = _SAMPLE
    folder = resources.files("crossmargin") / "samples" / "two_positions"
    with (
        resources.as_file(folder / "positions.csv") as positions,
        resources.as_file(folder / "collateral.csv") as collateral,
    ):
        by_hand = read_csv(positions), read_csv(collateral)
    first = Path(__file__).parents[1] / "first-book"
    return {
        "Positions": given.positions,
        "Collateral": given.collateral,
        "Orders": given.orders,
        "Market": given.market,
        "History": given.history,
        "Limits": given.limits,
        "OptionPositions": given.option_positions,
        "OptionCollateral": given.option_collateral,
        "OptionMarket": given.option_market,
        "TwoPositions": by_hand[0],
        "TwoCollateral": by_hand[1],
        "FirstPositions": read_csv(first / "positions.csv"),
        "FirstCollateral": read_csv(first / "collateral.csv"),
        "Trades": [["symbol", "qty"], ["BTC", -20.0], ["SOL", -15000.0]],
    }


@cache
def answer(formula: str, scope: str = "") -> object:
    """Return what a cell with the formula shows: a value, rows, or a SheetError.

    Parameters
    ----------
    formula
        One CM_ function of names, tables, texts and numbers.
    scope
        The worked book that `Book` is; its own tables go before those of the same name. Left out,
        the one of the function.
    """
    called = read(formula)
    cells = [_cell(part, called.function, scope) for part in called.parts]
    return registry.call(called.function, cells)


def _cell(part: Part, function: str, scope: str) -> object:
    if not isinstance(part, Name):
        return part
    if part.table is not None:
        own = f"{scope}{part.table}"
        return tables()[own if own in tables() else part.table]
    return answer(BOOKS[named(part.word, function, scope)])


def _part(piece: re.Match[str]) -> Part:
    if piece["text"] is not None:
        return piece["text"].replace('""', '"')
    word = piece["word"].strip()
    if not word:
        return None
    try:
        return float(word)
    except ValueError:
        return Name(word)
