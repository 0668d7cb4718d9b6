"""What the input sheets hold, and the errors that a cell may show."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from crossmargin._texts import cut, for_a_cell, unguarded

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "COLUMNS",
    "TEXT_COLUMNS",
    "Inputs",
    "Rows",
    "Value",
    "is_error",
    "read_csv",
    "rows_of",
    "text_of",
    "with_columns",
]

Value = float | str | None
Rows = list[list[Value]]

ERROR_MARK: Final = "\ue0c3"
"""Before the sign of an error, so that a text of the same letters is not taken for one."""

COLUMNS: Final = {
    "positions": (
        "account", "symbol", "side", "contracts", "entryPrice", "markPrice", "leverage",
        "marginMode", "isolatedWallet", "notional", "initialMargin", "maintenanceMargin",
        "liquidationPrice", "timestamp",
    ),
    "collateral": ("account", "currency", "cash"),
    "orders": ("account", "symbol", "side", "amount", "price", "reduceOnly"),
    "market": ("underlying", "dailyVol", "beta", "indexPrice", "tick"),
    "option_positions": (
        "account", "symbol", "settle", "contracts", "entryPrice", "markPrice", "markIv", "forward",
    ),
    "option_collateral": ("account", "currency", "cash"),
    "option_market": ("underlying", "indexPrice", "dailyVol", "beta"),
    "account_positions": (
        "account", "symbol", "settle", "contracts", "contractSize", "entryPrice", "markPrice",
        "leverage", "maintenanceMarginRate", "markIv", "forward",
    ),
    "account_collateral": ("account", "currency", "cash", "collateralRate"),
    "account_market": ("underlying", "indexPrice", "dailyVol", "beta"),
    "account_rules": ("account", "rulebook"),
    "history": ("date",),
    "limits": (
        "limit_id", "scope", "metric", "warn", "limit", "hard", "unit", "owner", "approver",
        "reason", "effective", "expires", "action",
    ),
    "trades": ("symbol", "qty", "price", "account"),
    "brackets": (
        "rulebook", "symbol", "minNotional", "maxNotional", "maintenanceMarginRate", "maxLeverage",
    ),
}  # fmt: skip
"""The columns that each input sheet offers, in the words of ccxt."""

TEXT_COLUMNS: Final = frozenset(
    "account symbol underlying coin currency side marginmode reduceonly timestamp type settle "
    "margintable positionside instrument rulebook venue expiry optiontype date limitid scope "
    "metric unit owner approver reason effective expires action scenario move".split()
)
_LONGEST_HEADER: Final = 255
_LARGEST: Final = sys.float_info.max
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Inputs:
    """The tables and settings of a workbook; a table is its header and its rows."""

    positions: Rows
    collateral: Rows
    orders: Rows
    market: Rows
    brackets: Rows
    rulebook: str
    as_of: str | None = None
    options: str | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    option_positions: Rows = field(default_factory=lambda: _empty("option_positions"))
    option_collateral: Rows = field(default_factory=lambda: _empty("option_collateral"))
    option_market: Rows = field(default_factory=lambda: _empty("option_market"))
    option_rulebook: str = "deribit-spm"
    option_as_of: str | None = None
    account_positions: Rows = field(default_factory=lambda: _empty("account_positions"))
    account_collateral: Rows = field(default_factory=lambda: _empty("account_collateral"))
    account_market: Rows = field(default_factory=lambda: _empty("account_market"))
    account_rules: Rows = field(default_factory=lambda: _empty("account_rules"))
    account_as_of: str | None = None
    history: Rows = field(default_factory=lambda: _empty("history"))
    limits: Rows = field(default_factory=lambda: _empty("limits"))
    trades: Rows = field(default_factory=list)
    """Trades to try out; left out, an example made of the first positions."""


def _empty(name: str) -> Rows:
    return [list(COLUMNS[name])]


def is_error(value: object) -> bool:
    """Return whether a value stands for an error of the sheet."""
    return isinstance(value, str) and value.startswith(ERROR_MARK)


def read_csv(path: Path) -> Rows:
    """Return a file's header and rows, numbers as numbers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return rows_of([[unguarded(cell) for cell in row] for row in csv.reader(file)])


def rows_of(table: object) -> Rows:
    """Return a table as header and rows of cells.

    Parameters
    ----------
    table
        Rows with the header first, or one mapping per row, or anything with `header` and `rows`.

    Raises
    ------
    ValueError
        If a header is missing or stands twice; a sheet table cannot be made of it.
    """
    if hasattr(table, "header") and hasattr(table, "rows"):
        raw: list[list[object]] = [list(table.header), *map(list, table.rows)]
    elif not isinstance(table, Sequence) or isinstance(table, str):
        raise ValueError(f"a table must be rows of cells, was {table!r}")
    elif table and isinstance(table[0], Mapping):
        header = list(dict.fromkeys(key for row in table for key in row))
        raw = [list(header), *[[row.get(key) for key in header] for row in table]]
    else:
        raw = [list(row) for row in table]
    if not raw:
        raise ValueError("a table must have a header row")
    header_row = [_header(cell) for cell in raw[0]]
    words = [word.lower() for word in header_row]
    for place, word in enumerate(words):
        if not word or words.index(word) != place:
            raise ValueError(f"column {place + 1} must have a header of its own, was {word!r}")
    rows: Rows = [list(header_row)]
    for row in raw[1:]:
        cells = [*row, *[None] * (len(words) - len(row))][: len(words)]
        rows.append([_cell(word, cell) for word, cell in zip(words, cells, strict=True)])
    return rows


def with_columns(rows: Rows, names: Sequence[str]) -> Rows:
    """Return a table with the columns that it lacks, empty, at its right.

    A table with a column of another name stays as it is: its columns have their own meaning, and
    an empty one beside them could change it.
    """
    known = {_word(str(cell)) for cell in rows[0]}
    if known - {_word(name) for name in names}:
        return rows
    missing = [name for name in names if _word(name) not in known]
    return [
        [*row, *(missing if number == 0 else [None] * len(missing))]
        for number, row in enumerate(rows)
    ]


def text_of(text: str | None) -> str | None:
    """Return a text as a cell can hold it, and without the mark that stands for an error."""
    return (
        None if text is None else for_a_cell(text.replace(ERROR_MARK, "\N{REPLACEMENT CHARACTER}"))
    )


def _header(cell: object) -> str:
    """Return the name of a column: on one line, and no longer than Excel lets it be."""
    words = " ".join((text_of("" if cell is None else str(cell)) or "").split())
    return cut(words, _LONGEST_HEADER)


def _word(header: str) -> str:
    return re.sub(r"[\s_-]", "", header).lower()


def _cell(header: str, cell: object) -> Value:
    if cell is None or isinstance(cell, bool):
        return None if cell is None else str(cell).lower()
    if isinstance(cell, int | float) and abs(cell) <= _LARGEST:
        return float(cell)
    text = text_of(str(cell)) or ""
    if not text.strip():
        return None
    is_number = _word(header) not in TEXT_COLUMNS and _NUMBER.fullmatch(text.strip())
    # no cell holds a number that is none, or too large to be one: it stays a text, and is refused
    return float(text) if is_number and abs(float(text)) <= _LARGEST else text
