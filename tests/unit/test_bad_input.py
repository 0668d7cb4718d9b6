"""Bad tables are refused with a sentence that names row, column, value and rule."""

from __future__ import annotations

import math
import random
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from crossmargin import books, registry
from crossmargin import functions as cm
from crossmargin.cells import CellContent, SheetError
from crossmargin.errors import (
    CrossmarginError,
    MissingError,
    OutOfRangeError,
    RulebookError,
    TableError,
    UnknownWordError,
)
from tests.oracle.sheets import Rows, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crossmargin._core import Book

HEADER = "symbol contracts entryPrice markPrice maintenanceMarginRate"
GOOD = table(HEADER, ["AAA", 10, 100, 100, 0.05], ["BBB", -5, 40, 42, 0.02])
CASH = table("currency cash", ["USD", 1000])


def _book(positions: object = GOOD, collateral: object = CASH, **others: Any) -> Book:
    return cm.book(positions, "custom", collateral=collateral, **others)


def _with(column: str, value: object, row: int = 1) -> Rows:
    changed = [list(cells) for cells in GOOD]
    changed[row][changed[0].index(column)] = value
    return changed


def _without(column: str) -> Rows:
    place = GOOD[0].index(column)
    return [[*row[:place], *row[place + 1 :]] for row in GOOD]


# Cells ------------------------------------------------------------------------------------------

NUMBERS = ["contracts", "entryPrice", "markPrice", "maintenanceMarginRate"]
NOT_NUMBERS: list[tuple[object, str]] = [
    ("ten", "needs text that can mean one number only, was ten"),
    ("=1+1", "needs text that can mean one number only, was =1"),
    (math.nan, "must be a finite number, was NaN"),
    (math.inf, "must be a finite number, was inf"),
    (-math.inf, "must be a finite number, was -inf"),
    ("#REF!", "holds a spreadsheet error, not a number, was #REF!"),
    ("#N/A", "holds a spreadsheet error, not a number, was #N/A"),
]


@pytest.mark.parametrize(("value", "rule"), NOT_NUMBERS)
@pytest.mark.parametrize("column", NUMBERS)
def test_what_is_no_number_is_refused_by_row_column_and_value(
    column: str, value: object, rule: str
) -> None:
    for row in (1, 2):
        with pytest.raises(TableError) as refusal:
            _book(_with(column, value, row))
        sentence = str(refusal.value)
        assert sentence.startswith(f"Positions: row {row + 1}, {column}: ")
        assert rule in sentence


@pytest.mark.parametrize("value", [0, -5, "0", "-0.001"])
@pytest.mark.parametrize("column", ["entryPrice", "markPrice"])
def test_a_price_must_be_above_zero(column: str, value: object) -> None:
    with pytest.raises(
        TableError, match=f"row 2, {column}: {column} must be above zero, was {value}"
    ):
        _book(_with(column, value))


@pytest.mark.parametrize("value", [5, -0.1, "250%"])
def test_a_rate_must_be_a_fraction(value: object) -> None:
    with pytest.raises(
        TableError, match=r"row 2, maintenanceMarginRate: .* a fraction from 0 to 1"
    ):
        _book(_with("maintenanceMarginRate", value))


def test_a_percentage_is_read_only_where_a_fraction_belongs() -> None:
    book = _book(_with("maintenanceMarginRate", "12%"))
    assert cm.maintenance_margin(book, scope="AAA") == pytest.approx(120)
    with pytest.raises(TableError, match=r"row 2, markPrice: .* not a percentage, was 12%"):
        _book(_with("markPrice", "12%"))


@pytest.mark.parametrize(("column", "rule"), [("symbol", "a symbol"), ("contracts", "a quantity")])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_cell_that_is_needed_is_refused(column: str, rule: str, value: object) -> None:
    with pytest.raises(TableError, match=f"row 2, {column}: a position needs {rule}"):
        _book(_with(column, value))


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_price_is_never_a_default(value: object) -> None:
    with pytest.raises(TableError, match="row 2, symbol: AAA: no mark price; a missing price is"):
        _book(_with("markPrice", value))


def test_all_errors_are_listed_by_check_and_none_is_lost() -> None:
    bad = _with("markPrice", "abc")
    bad[2][1] = math.nan
    with pytest.raises(TableError, match=r"row 2, markPrice: .*and 1 more, see CM_CHECK"):
        _book(bad)
    found = cm.check(CellContent(bad)).records()
    errors = [(row["row"], row["column"]) for row in found if row["severity"] == "ERROR"]
    assert errors == [(2, "markPrice"), (3, "contracts")]


def test_rows_left_out_on_request_take_the_totals_with_them() -> None:
    book = _book(_with("markPrice", "abc"), options={"partial": "1"})
    for total in (cm.equity, cm.maintenance_margin, cm.excess):
        with pytest.raises(MissingError, match="rows with errors were left out"):
            total(book)
    assert cm.tiers(book).column("symbol") == ["BBB"]
    found = cm.check(CellContent(book)).records()
    assert [(row["row"], row["column"], row["value"]) for row in found] == [(2, "markPrice", "abc")]


# Columns and tables -----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["symbol", "contracts"])
def test_a_missing_column_is_named_with_what_was_found(column: str) -> None:
    kept = ", ".join(name for name in GOOD[0] if name != column)
    with pytest.raises(TableError, match=f"need a column named '{column}' .*; found {kept}"):
        _book(_without(column))


def test_without_rates_the_symbol_and_the_rulebook_are_named() -> None:
    with pytest.raises(TableError, match="row 2, symbol: AAA: rulebook 'custom' lists no maint"):
        _book(_without("maintenanceMarginRate"))


def test_a_column_given_twice_is_refused() -> None:
    with pytest.raises(TableError, match="'contracts' and 'quantity' both mean 'contracts'"):
        _book([[*GOOD[0], "quantity"], *([*row, row[1]] for row in GOOD[1:])])


@pytest.mark.parametrize("empty", [[], [[]], GOOD[:1], {}])
def test_an_empty_table_is_refused(empty: object) -> None:
    with pytest.raises(TableError, match="the table is empty"):
        _book(empty)


def test_a_transaction_log_is_recognised() -> None:
    log = table(
        "ID UserSeq Date Instrument Type Side Size Position Price MarkPrice CashFlow Funding "
        "FeeRate FeeCharged FeeBalance Change Balance Equity TradeID OrderID Info Note",
        [1, 2, "2026-01-01", "BTC-PERPETUAL", "trade", "open buy", 10, 10, 90_000, 90_001, 0, 0, 0,
         0, 0, 0, 1, 1, "1", "2", "", ""],
    )  # fmt: skip
    with pytest.raises(TableError, match=r"this is a transaction log .* paste positions"):
        _book(log)


# Rules between cells and rows -------------------------------------------------------------------


@pytest.mark.parametrize(("side", "size"), [("LONG", -10), ("long", "-10"), ("Buy", -10)])
def test_a_long_with_a_negative_size_is_an_error(side: str, size: object) -> None:
    rows = table(f"side {HEADER}", [side, "AAA", size, 100, 100, 0.05])
    with pytest.raises(TableError, match=r"row 2, contracts: .* not be negative where .* was -10"):
        _book(rows)


@pytest.mark.parametrize("size", [10, -10])
def test_a_short_agrees_with_either_sign(size: float) -> None:
    rows = table(f"side {HEADER}", ["SHORT", "AAA", size, 100, 90, 0.05])
    assert cm.equity(_book(rows)) == pytest.approx(1100)


def test_an_unknown_side_is_refused() -> None:
    with pytest.raises(TableError, match=r"row 2, side: side takes long, short, .* was sideways"):
        _book(table(f"side {HEADER}", ["sideways", "AAA", 1, 100, 100, 0.05]))


def test_opposite_signs_without_hedge_mode_are_an_error_naming_both_rows() -> None:
    rows = table(HEADER, ["AAA", 10, 100, 100, 0.05], ["AAA", -5, 100, 100, 0.05])
    with pytest.raises(TableError, match=r"AAA is held in both directions \(row 2 and row 3\)"):
        _book(rows)


def test_settlement_currencies_without_a_price_are_refused_by_row() -> None:
    rows = table(f"{HEADER} settle", [*GOOD[1], "USD"], [*GOOD[2], "EUR"])
    with pytest.raises(TableError, match="row 3, price: EUR has no price in USD, the reporting"):
        _book(rows)
    priced = _book(rows, market=table("symbol price", ["EUR", 1.25]))
    # BBB short 5 at 42: 4.2 EUR of margin and a loss of 10 EUR
    assert cm.maintenance_margin(priced) == pytest.approx(50 + 4.2 * 1.25)
    assert cm.equity(priced) == pytest.approx(1000 - 10 * 1.25)


def test_balances_are_checked_like_positions() -> None:
    for rows, rule in (
        (table("currency cash", [None, 100]), "row 2, currency: a balance needs a currency"),
        (table("currency cash", ["USD", "lots"]), "row 2, cash: .* was lots"),
        (table("currency cash", ["EUR", 100]), "row 2, price: EUR has no price in USD"),
        (table("currency cash collateralRate", ["USD", 1, 2]), "row 2, collateralRate: .* was 2"),
        (table("currency wages", ["USD", 1]), "Collateral: .*found currency, wages"),
    ):
        with pytest.raises(TableError, match=rule):
            _book(collateral=rows)


# Words ------------------------------------------------------------------------------------------


def test_an_unknown_rulebook_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownWordError, match=r"unknown rulebook 'deribitt'; known: .*custom, .*hyperliquid"
    ):
        cm.book(GOOD, "deribitt")
    with pytest.raises(UnknownWordError, match=r"no rulebook file .*nowhere.toml"):
        cm.book(GOOD, "nowhere.toml")
    for wrong in (None, 5, 2.5):
        with pytest.raises(UnknownWordError, match=f"a name, a file or a mapping, was {wrong}"):
            cm.book(GOOD, wrong)
    with pytest.raises(RulebookError, match="id: is missing; a rulebook needs it here"):
        cm.book(GOOD, {})


REFUSED: list[tuple[Callable[[Book], object], str]] = [
    (lambda book: cm.equity(book, basis="netto"), "unknown basis 'netto'; known: adjusted, gross"),
    (lambda book: cm.equity(book, scope="ZZZ"), "unknown scope 'ZZZ'; known: all, main"),
    (lambda book: cm.maintenance_margin(book, scope="ZZZ"), "unknown scope 'ZZZ'"),
    (lambda book: cm.ratio(book, style="x"), "unknown style 'x'; known: usage, safety, venue"),
    (lambda book: cm.excess(book, above="x"), "unknown level 'x'; known: MM, IM, usage=0.7"),
    (lambda book: cm.summary(book, group_by="x"), "unknown grouping 'x'; known: account"),
    (lambda book: cm.collateral(book, sort="x"), "unknown sort 'x'; known: usable, lost"),
    (lambda book: cm.liquidation_price(book, "ZZZ"), "unknown underlying 'ZZZ'; known: AAA, BBB"),
    (lambda book: cm.liquidation_price(book, "AAA", side="x"), "unknown side 'x'; known: nearest"),
    (lambda book: cm.liquidation_price(book, "AAA", path="x"), "unknown path 'x'; known: alone"),
    (lambda book: cm.liquidation_price(book, "AAA", which="x"), "unknown target 'x'; known: trig"),
    (lambda book: cm.liquidation_price(book, "AAA", options={"x": "1"}), "unknown option 'x'"),
    (lambda book: cm.liquidation_order(book, scenario="x"), "unknown scenario 'x'; known: now"),
    (lambda book: cm.liquidation_order(book, options={"policy": "x"}), "unknown policy 'x'; known"),
    (lambda book: cm.liquidation_order(book, options={"x": "1"}), "unknown option 'x'"),
    (lambda book: cm.first_liquidated(book, what="x"), "unknown form 'x'; known: symbol, sentence"),
]


@pytest.mark.parametrize(("ask", "sentence"), REFUSED)
def test_an_unknown_word_is_refused_with_the_known_ones(
    ask: Callable[[Book], object], sentence: str
) -> None:
    with pytest.raises(UnknownWordError, match=sentence):
        ask(_book())


OUT_OF_RANGE: list[tuple[Callable[[Book], object], str]] = [
    (lambda book: cm.liquidation_order(book, scenario="AAA:-2"), "above -1, was -2"),
    (lambda book: cm.liquidation_order(book, max_steps=0), "max_steps must be from 1 .* was 0"),
    (lambda book: cm.liquidation_order(book, max_steps=math.nan), "max_steps .* was NaN"),
    (lambda book: cm.liquidation_order(book, options={"step": "2"}), "step must be .* was 2"),
    (lambda book: cm.liquidation_order(book, options={"slippage": "2"}), "slippage .* was 2"),
    (lambda book: cm.tiers(book, horizon=-2), "horizon must be finite and above zero, was -2"),
]


@pytest.mark.parametrize(("ask", "sentence"), OUT_OF_RANGE)
def test_a_number_outside_its_range_is_refused(
    ask: Callable[[Book], object], sentence: str
) -> None:
    with pytest.raises(OutOfRangeError, match=sentence):
        ask(_book())


def test_an_unknown_option_of_a_book_is_refused() -> None:
    with pytest.raises(UnknownWordError, match="unknown option 'foo'; known: partial"):
        _book(options={"foo": "1"})


# Cells of a sheet -------------------------------------------------------------------------------


def _error(answer: object) -> SheetError:
    assert isinstance(answer, SheetError)
    return answer


@pytest.mark.parametrize("given", ["0.5", "x", 0.5, [1.0], [["x"]], [[None]]])
def test_correlations_that_are_no_matrix_are_refused(given: object) -> None:
    with pytest.raises(CrossmarginError, match="correlations are a matrix of numbers"):
        cm.book([["symbol", "contracts", "entryPrice", "markPrice"], ["BTC", 1, 9, 9]],
                "custom", options={"correlations": given})  # fmt: skip


def test_a_book_key_of_yesterday_says_what_to_do() -> None:
    books.clear()
    key = registry.call("CM_BOOK", [GOOD, "custom", CASH])
    assert isinstance(key, str)
    assert registry.call("CM_MM", [key]) == pytest.approx(54.2)
    books.clear()  # as after a restart
    error = _error(registry.call("CM_MM", [key]))
    assert error.sign == "#N/A"
    assert error.reason == (
        "this book key is not in memory: recalculate (Ctrl+Alt+F9; LibreOffice Ctrl+Shift+F9)"
    )


@pytest.mark.parametrize(
    ("function", "cells", "sign", "reason"),
    [
        ("CM_MM", ["hello"], "#VALUE!", "must be the key that CM_BOOK returns, was 'hello'"),
        ("CM_MM", [5.0], "#VALUE!", "must be the key that CM_BOOK returns, was 5.0"),
        ("CM_MM", [None], "#VALUE!", "book is required and was left out"),
        ("CM_BOOK", [None, "custom"], "#VALUE!", "positions is required and was left out"),
        ("CM_BOOK", [GOOD, "nope"], "#VALUE!", "unknown rulebook 'nope'"),
        ("CM_BOOK", [GOOD[:1], "custom"], "#N/A", "the table is empty"),
        ("CM_BOOK", [_with("markPrice", "#DIV/0!"), "custom"], "#N/A", "row 2, markPrice"),
    ],
)
def test_a_cell_shows_a_spreadsheet_error_with_its_reason(
    function: str, cells: Sequence[object], sign: str, reason: str
) -> None:
    error = _error(registry.call(function, cells))
    assert error.sign == sign
    assert reason in error.reason
    assert "defect" not in error.reason


# Everything else --------------------------------------------------------------------------------

JUNK: list[object] = [
    None, "", " ", "abc", "#N/A", "#VALUE!", "1,234.5", "1.234,5", "12%", "1e400", "-", "=A1",
    "0x10", "\uff11\uff12", "\u202e5", "nan", "∞", "\x00", "a" * 5000, 0, -0.0, -5, 5e-324,
    1e30, -1e30,    math.nan, math.inf, -math.inf, 0.1, 1, "LONG", "SHORT", "BTC-27MAR26-90000-C",
]  # fmt: skip
WIDE = table(
    f"account side {HEADER} leverage marginMode settle positionSide liquidationPrice timestamp",
    ["main", "LONG", "AAA", 10, 100, 100, 0.05, 10, "cross", "USD", "BOTH", 90, "2026-01-13"],
    ["main", "SHORT", "BBB", -5, 40, 42, 0.02, 5, "cross", "USD", "BOTH", None, "2026-01-13"],
    ["main", "LONG", "CCC", 7, 200, 210, 0.03, 3, "cross", "USD", "BOTH", 9, "2026-01-13"],
)


def _mutated(seed: int) -> tuple[Rows, Rows]:
    draw = random.Random(seed)  # noqa: S311  # not for secrets
    positions, balances = [list(row) for row in WIDE], [list(row) for row in CASH]
    for _ in range(draw.randint(1, 4)):
        kind = draw.choice(["cell", "cell", "cell", "header", "row", "cut", "longer", "balance"])
        row = draw.choice(positions)
        if kind == "cell":
            row[draw.randrange(len(row))] = draw.choice(JUNK)
        elif kind == "header":
            positions[0][draw.randrange(len(positions[0]))] = draw.choice(["", "side", "foo", None])
        elif kind == "row":
            positions.append([draw.choice(JUNK) for _ in row])
        elif kind == "cut" and len(row) > 1:
            del row[draw.randrange(len(row)) :]
            row.append("end")
        elif kind == "longer":
            row.append(draw.choice(JUNK))
        else:
            balances[draw.randrange(2)][draw.randrange(2)] = draw.choice(JUNK)
    return positions, balances


def _answer(ask: Callable[[], Any]) -> Any:
    """Return an answer or the refusal in its place; whatever else is raised fails the test."""
    try:
        return ask()
    except CrossmarginError as refusal:
        sentence, sign = str(refusal), refusal.sign
        given = refusal
    assert sentence
    assert sign in {"#N/A", "#VALUE!", "#NUM!"}
    return given


@pytest.mark.parametrize("seed", range(200))
def test_a_mutated_table_gives_a_book_or_a_refusal_and_never_anything_else(seed: int) -> None:
    positions, balances = _mutated(seed)
    book = _answer(lambda: _book(positions, balances))
    if isinstance(book, CrossmarginError):
        return
    for ask in (cm.equity, cm.excess, cm.summary, cm.liquidation_price, cm.liquidation_order):
        answer = _answer(partial(ask, book))
        assert not isinstance(answer, float) or math.isfinite(answer)
    findings = cm.check(CellContent(book)).records()
    assert not [row for row in findings if row["severity"] == "ERROR"]
