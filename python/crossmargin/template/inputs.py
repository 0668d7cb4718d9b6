"""The sheets that the user fills: one table each, in yellow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter.utility import xl_rowcol_to_cell

from crossmargin import registry
from crossmargin.template.style import NUMBERS, guard, number_format
from crossmargin.template.values import TEXT_COLUMNS

if TYPE_CHECKING:
    from crossmargin.template.page import Page
    from crossmargin.template.values import Rows, Value

__all__ = ["InputSheet", "input_sheets", "table", "write"]

_CHOICES: Final = {
    "side": ("long", "short", "buy", "sell"),
    "marginmode": ("cross", "isolated"),
    "reduceonly": ("true", "false"),
}
_OF_RULES: Final = {
    "part": ("rulebook", "for you: not read"),
    "key": ("rulebook", "dotted path"),
    "value": ("rulebook", "number, word, yes or no, or a list: 0.1; 0.2"),
    "unit": ("rulebook", "for you: not read"),
    "source": ("rulebook", "no number without one"),
    "note": ("rulebook", "for you: not read"),
}
"""The columns of a rulebook's rows; all are written as texts are, the value may be a number."""
_OF_LIMITS: Final = {
    "limit_id": ("limit_id", "name"),
    "scope": ("scope", "account, coin, symbol, each account, each underlying"),
    "metric": ("metric", "what is limited"),
    "warn": ("warn", "watch from here"),
    "limit": ("limit", "in the unit of the metric"),
    "hard": ("hard", "suspended beyond"),
    "unit": ("unit", "equity: a share of it"),
    "owner": ("owner", "who keeps it"),
    "approver": ("approver", "who may change it"),
    "reason": ("reason", "why it stands"),
    "effective": ("effective", "from this day"),
    "expires": ("expires", "to this day"),
    "action": ("action", "what to do then"),
}
_OF_STRESS: Final = {
    "scenario": ("scenario", "name; empty: as above"),
    "coin": ("coin", "coin or currency; other: all the rest"),
    "move": ("move", "relative, or beta"),
    "vol": ("vol", "relative"),
    "vol_points": ("vol_points", "added"),
    "peg": ("peg", "ratio to its peg or coin"),
    "venue": ("venue", "where the peg breaks"),
    "days": ("days", "that pass"),
}
_OF_TRADES: Final = {
    "symbol": ("symbol", "contract"),
    "qty": ("contracts", "signed, + buys"),
    "price": ("markPrice", "empty: the mark"),
    "account": ("account", "if several could be meant"),
}
_OF_CANDIDATES: Final = {
    "account": ("account", "whose position"),
    "symbol": ("symbol", "all in one contract"),
    "qty": ("qty", "coins, short negative"),
    "entry": ("entry", "quote currency"),
    "mark": ("mark", "quote currency"),
    "equity": ("equity", "of the account"),
    "mm": ("mm", "of the account"),
    "leverage": ("leverage", "times"),
}
_OF_ACCOUNT_RULES: Final = {
    "account": ("account", "name"),
    "rulebook": ("rulebook", "whose rules apply"),
}
_OF_LOG: Final = {
    "asof": ("date", "of the book"),
    "book": ("rulebook", "hash of all inputs"),
    "rulebook": ("rulebook", "and version"),
    "equity_adjusted": ("equity_adjusted", "reporting currency"),
    "im": ("im", "initial margin"),
    "mm": ("mm", "maintenance margin"),
    "usage": ("usage", "1 = liquidation"),
    "nearest_pct": ("nearest_pct", "signed move"),
    "first_liquidated": ("rulebook", "closed first"),
    "breaches": ("breaches", "limits"),
    "comment": ("rulebook", "for you"),
}
_OF_KINDS: Final = {
    "account_rules": _OF_ACCOUNT_RULES,
    "rules": _OF_RULES,
    "limits": _OF_LIMITS,
    "stress": _OF_STRESS,
    "trades": _OF_TRADES,
    "candidates": _OF_CANDIDATES,
    "log": _OF_LOG,
}
_NARROW: Final = {"side": 9.0, "account": 12.0, "leverage": 10.0, "beta": 9.0, "currency": 11.0}
_HEADER_ROW: Final = 6
_PRINTED: Final = 46  # the first rows of a long history show what it is


@dataclass(frozen=True)
class InputSheet:
    """What one input sheet is about."""

    name: str
    kind: str
    title: str
    purpose: str
    notes: tuple[str, ...]
    spare: int


input_sheets: Final = (
    InputSheet(
        "Positions",
        "positions",
        "Positions",
        "Paste the export of your venue over the yellow table, header included. Columns are found "
        "by name, in any order; Checks says how each was understood.",
        (
            (
                "Quantities: signed, or positive with a side. Linear contracts in coins, "
                "inverse contracts in USD; with a contractSize in contracts. Money in the "
                "settlement currency, prices in quote currency per coin."
            ),
            (
                "notional, initialMargin, maintenanceMargin and liquidationPrice are the "
                "venue's own figures: they do not enter the calculation, Recon compares them "
                "with ours."
            ),
        ),
        8,
    ),
    InputSheet(
        "Collateral",
        "collateral",
        "Collateral",
        "Balances of each account, in coins.",
        (
            (
                "cash is without unrealised profit and loss, equity with it; say which you "
                "have by the header. A bare total is read as the venue means it, and Checks "
                "says how."
            ),
            "With one account, positions without an account belong to it.",
        ),
        8,
    ),
    InputSheet(
        "Orders",
        "orders",
        "Open orders",
        "Resting orders: they cost initial margin, and some venues cancel them first.",
        ("Leave the table empty if there are none. reduceOnly orders open nothing.",),
        8,
    ),
    InputSheet(
        "Market",
        "market",
        "Market",
        (
            "Prices and volatilities of coins; only what is needed beyond the mark prices of "
            "Positions."
        ),
        (
            (
                "dailyVol is a fraction per day (0.03 = 3 %): it turns a distance into "
                "sigmas, so it decides which coin is called the nearest. beta is used by the "
                "path beta only."
            ),
            "indexPrice is needed for a collateral coin that is not the reporting currency.",
        ),
        8,
    ),
    InputSheet(
        "History",
        "history",
        "History",
        "Levels by date, a column for each coin; Tail, Contributions, Correlation and Backtest "
        "rest on it. The sample's prices are made up.",
        (
            (
                "Prices under the name of the coin or pair; implied volatilities as 'BTC vol 30d', "
                "an annual basis as 'BTC basis 90d'; or a row per date and symbol with close and "
                "volume."
            ),
            "A cell without a price stays without one: nothing is filled in, and Tail says so.",
        ),
        8,
    ),
)


def write(page: Page, sheet: InputSheet, rows: Rows) -> None:
    """Write an input sheet: notes, units, the table."""
    page.head(sheet.title, sheet.purpose, freeze=0)
    for number, note in enumerate(sheet.notes):
        page.text(f"B{4 + number}", note, page.styles.note)
    header_row = _HEADER_ROW + len(sheet.notes) - 1
    page.freeze(header_row)
    bottom = table(
        page, sheet.name, rows, kind=sheet.kind, header_row=header_row, spare=sheet.spare
    )
    last = min(bottom, _PRINTED) if sheet.kind == "history" else bottom
    page.sheet.print_area(0, 0, last, max(len(rows[0]), 13))


def table(  # noqa: PLR0913  # a table and where it stands
    page: Page,
    name: str,
    rows: Rows,
    *,
    kind: str,
    header_row: int,
    spare: int,
    widths: bool = True,
    left: int = 1,
) -> int:
    """Write a named table with units above its header; return its last row, from 1.

    `left` is the place of its first column, column A being 0.
    """
    header = [str(cell) for cell in rows[0]]
    top, height = header_row - 1, len(rows) - 1 + spare
    page.sheet.set_row(top - 1, 24)
    page.sheet.set_row(top, 18 if widths else 28)
    known = {"rulebook": ("rulebook", "name"), **_understood(rows, kind)}
    page.sheet.add_table(
        top, left, top + height, left + len(header) - 1,
        {
            "name": name,
            "style": None,
            "autofilter": False,
            "columns": [{"header": word} for word in header],
        },
    )  # fmt: skip
    for place, word in enumerate(header):
        column = left + place
        meaning, unit_word = known.get(word, (word, "not used"))
        is_text = _plain(meaning) in TEXT_COLUMNS
        unit = page.styles.get(
            font_size=8, italic=True, font_color="#6B7280", text_wrap=True, valign="bottom",
            align="left" if is_text else "right", indent=1 if is_text else 0,
        )  # fmt: skip
        page.value(top - 1, column, unit_word, unit)
        page.value(top, column, word, page.styles.header(right=not is_text))
        if widths:
            page.sheet.set_column(column, column, _width(word, rows, place), page.styles.text)
        for row in range(height):
            value = rows[row + 1][place] if row + 1 < len(rows) else None
            page.value(top + 1 + row, column, value, _style(page, meaning, value, is_text=is_text))
        if not is_text and number_format(meaning) == NUMBERS["quantity"]:
            page.group_thousands((top + 1, column, top + height, column))
        choices = _CHOICES.get(_plain(meaning))
        if choices:
            page.choose((top + 1, column, top + height, column), choices)
    _mark_gaps(page, [known.get(word, (word, ""))[0] for word in header], top + 1, top + height)
    first, last = (xl_rowcol_to_cell(at, left + step, row_abs=True, col_abs=True)
                   for at, step in ((top + height + 1, 0), (top + height + 20_000, 1)))  # fmt: skip
    page.below[name] = f"{page.name}!{first}:{last}"
    return top + height + 1


def _mark_gaps(page: Page, header: list[str], first: int, last: int) -> None:
    """Colour a quantity that is missing beside a symbol."""
    words = [_plain(word) for word in header]
    if "symbol" not in words:
        return
    for word in ("contracts", "amount"):
        if word in words:
            symbol = xl_rowcol_to_cell(first, words.index("symbol") + 1, col_abs=True)
            own = xl_rowcol_to_cell(first, words.index(word) + 1, col_abs=True)
            place = words.index(word) + 1
            page.sheet.conditional_format(
                first, place, last, place,
                {"type": "formula", "criteria": f"=AND(LEN({symbol})>0,LEN({own})=0)",
                 "format": page.styles.rule(bg_color="#F8C9C4")},
            )  # fmt: skip


def _style(page: Page, word: str, value: Value, *, is_text: bool) -> Any:  # noqa: ANN401
    number = NUMBERS["text"] if is_text else number_format(word)
    more: dict[str, object] = guard(value)
    if is_text:
        more["indent"] = 1
    return page.styles.input(number, align="left" if is_text else "right", **more)


def _understood(rows: Rows, kind: str) -> dict[str, tuple[str, str]]:
    """Return what each header means, and its unit, as the core says it."""
    if kind in _OF_KINDS:
        return _OF_KINDS[kind]
    if kind == "history":
        return {str(word): (str(word), "a level" if place else "day, or instant in UTC")
                for place, word in enumerate(rows[0])}  # fmt: skip
    answer = registry.call("CM_CHECK", [rows, "columns", kind])
    if not isinstance(answer, list):
        return {}
    header = answer[0]
    name, meaning, unit = (header.index(word) for word in ("header", "understood_as", "unit"))
    return {str(row[name]): (str(row[meaning]), str(row[unit])) for row in answer[1:] if row[unit]}


def _width(word: str, rows: Rows, place: int) -> float:
    longest = max((len(str(row[place])) for row in rows if row[place] is not None), default=0)
    return _NARROW.get(word, min(max(longest + 3.5, 12.5), 30.0))


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()
