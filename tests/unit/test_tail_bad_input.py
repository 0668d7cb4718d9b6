"""Margins by a tail, histories and correlations refuse bad input by a sentence, in a sheet too."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import crossmargin
from crossmargin import registry
from crossmargin.cells import CellContent, SheetError
from tests.oracle.sheets import Rows, table

if TYPE_CHECKING:
    from collections.abc import Sequence

POSITIONS = table(
    "symbol contracts entryPrice markPrice", ["BTC", 1, 100, 100], ["ETH", -5, 10, 10]
)
CASH = table("currency cash", ["USD", 1000])
MARKET = table(
    "underlying dailyVol corr_BTC corr_ETH", ["BTC", 0.03, 1, 0.8], ["ETH", 0.04, 0.8, 1]
)


def _prices(count: int = 700) -> Rows:
    random = np.random.default_rng(5)
    levels = np.array([100.0, 10.0]) * np.exp(
        np.cumsum(random.standard_normal((count, 2)) * [0.02, 0.03], axis=0)
    )
    day = dt.date(2024, 1, 1)
    return [
        ["date", "BTC", "ETH"],
        *(
            [(day + dt.timedelta(days=k)).isoformat(), *map(float, row)]
            for k, row in enumerate(levels)
        ),
    ]


PRICES = _prices()
Change = dict[str, object]


def _rules(name: str = "es", **changes: object) -> Rows:
    """Return a rulebook as the rows of a sheet, with keys changed or added."""
    rows = registry.call("CM_RULEBOOKS", [name])
    assert isinstance(rows, list)
    wanted = {path.replace("__", "."): value for path, value in changes.items()}
    changed = [[*row[:2], wanted.pop(str(row[1]), row[2]), *row[3:]] for row in rows]
    group = next(row for row in rows if str(row[1]).startswith("tail."))
    changed += [[group[0], path, value, "", group[4], ""] for path, value in wanted.items()]
    return changed


def _margin(rules: object, history: Rows | None, **tables: Rows) -> object:
    """Return what CM_MM shows, in a sheet, for a book under a history."""
    options = None
    if history is not None:
        key = registry.call("CM_HISTORY", [history])
        if isinstance(key, SheetError):
            return key
        options = f"history={key}"
    cells = [tables.get("positions", POSITIONS), rules, tables.get("collateral", CASH),
             tables.get("market"), None, None, options]  # fmt: skip
    book = registry.call("CM_BOOK", cells)
    return book if isinstance(book, SheetError) else registry.call("CM_MM", [book])


def _refused(answer: object, sign: str, sentence: str) -> None:
    assert isinstance(answer, SheetError), answer
    assert sentence in answer.reason
    assert answer.sign == sign
    assert "defect" not in answer.reason


def _constant(column: int) -> Rows:
    return [[*row[:column], 1.0 if k else row[column], *row[column + 1 :]]
            for k, row in enumerate(PRICES)]  # fmt: skip


# Histories ---------------------------------------------------------------------------------------

HISTORIES: list[tuple[str, object, Rows | None, str, str]] = [
    ("no history", "es", None, "#N/A",
     "history is missing: filtered scenarios are made of one: make its key with CM_HISTORY"),
    ("too few days", "es", PRICES[:301], "#N/A",
     "history is missing: 279 of 500 moves that the rulebook counts are known"),
    ("too few for the confidence", _rules(tail__history__window=50), PRICES, "#N/A",
     "50 scenarios are too few for a confidence of 0.99: at least 100 are needed"),
    ("too few for the weights",
     _rules(tail__scenarios="age_weighted", tail__history__age_decay=0.98), PRICES, "#N/A",
     "500 weighted scenarios, worth 99.0 equal ones, are too few for a confidence"),
    ("a constant series", "es", _constant(2), "#N/A",
     "the history of ETH never moves: it has no volatility and no correlation"),
    ("a coin that is not there", "es", [row[:2] for row in PRICES], "#N/A",
     "history of ETH is missing: the history has BTC"),
    ("no dates", "es", [PRICES[0], *(["soon", *row[1:]] for row in PRICES[1:])], "#N/A",
     "History: row 2, date: needs a date that can mean one day only, such as 2026-03-27, was 'so"),
    ("a price of zero", "es", [*PRICES[:9], [PRICES[9][0], 0, 1], *PRICES[10:]], "#N/A",
     "History: row 10, BTC: needs a finite number above zero, was '0'"),
    ("no column of dates", "es", [row[1:] for row in PRICES], "#VALUE!",
     "History: a history needs a column of dates"),
    ("one date", "es", PRICES[:2], "#N/A", "History: needs at least 2 dates, has 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "history", "sign", "sentence"),
    [case[1:] for case in HISTORIES],
    ids=[case[0] for case in HISTORIES],
)
def test_a_history_that_will_not_do_is_refused(
    rules: object, history: Rows | None, sign: str, sentence: str
) -> None:
    _refused(_margin(rules, history), sign, sentence)


def test_what_a_margin_lacks_stands_in_the_check_of_its_book() -> None:
    for name, history, sentence in (
        ("es", None, "rulebook 'es' has no scenarios: history is missing"),
        ("var", PRICES[:100], "rulebook 'var' has no scenarios: history is missing: 98 of 500"),
    ):
        options = {} if history is None else {"history": history}
        book = crossmargin.book(POSITIONS, name, collateral=CASH, options=options)
        errors = [row for row in crossmargin.check(book) if row["severity"] == "ERROR"]
        assert [row["code"] for row in errors] == ["no_scenarios"]
        assert sentence in str(errors[0]["message"])


# Rulebooks ---------------------------------------------------------------------------------------

RULES: list[tuple[str, str, Change, str]] = [
    ("a decay of one", "es", {"tail__history__decay": 1.0},
     "tail.history.decay: must be between 0.5 and 0.99999, was 1"),
    ("an age decay of one", "es", {"tail__history__age_decay": 1.0},
     "tail.history.age_decay: must be between 0.5 and 0.99999, was 1"),
    ("two degrees of freedom", "var", {"tail__simulation__degrees_of_freedom": 2.0},
     "must be above 2, was 2; at 2 and below the variance is infinite"),
    ("fewer degrees of freedom", "var", {"tail__simulation__degrees_of_freedom": -1.0},
     "must be above 2, was -1"),
    ("no paths", "var", {"tail__simulation__paths": 0.0}, "must be between 2 and 10000000, was 0"),
    ("negative paths", "var", {"tail__simulation__paths": -5.0}, "was -5"),
    ("half a path", "var", {"tail__simulation__paths": 10.5}, "must be a whole number, was 10.5"),
    ("a negative window", "es", {"tail__history__window": -500.0}, "tail.history.window: must be"),
    ("a confidence of one percent", "es", {"measure__confidence": 0.01},
     "measure.confidence: must be between 0.5 and"),
    ("a confidence of one", "es", {"measure__confidence": 1.0}, "measure.confidence: must be"),
    ("a negative horizon", "es", {"measure__horizon_days": -1.0}, "measure.horizon_days: must be"),
    ("a negative share", "es", {"tail__stress__share": -0.1}, "tail.stress.share: must be"),
    ("a fall of all", "es", {"tail__stress__price_moves": "-1"},
     "tail.stress.price_moves: must be"),
    ("a floor below zero", "es", {"tail__history__floor_share": -0.5},
     "tail.history.floor_share: must be between 0 and 10, was -0.5"),
    ("a cap below one", "es", {"tail__history__largest_scale": 0.5},
     "tail.history.largest_scale: must be between 1 and 1000, was 0.5"),
    ("a repair that is none", "var", {"tail__simulation__repair": "quietly"},
     "tail.simulation.repair: must be one of refuse, nearest"),
    ("a law that is none", "var", {"tail__simulation__law": "levy"},
     "tail.simulation.law: must be one of normal, student_t"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "sentence"), [case[1:] for case in RULES], ids=[case[0] for case in RULES]
)
def test_a_rule_that_means_nothing_is_refused(name: str, change: Change, sentence: str) -> None:
    _refused(_margin(_rules(name, **change), PRICES), "#VALUE!", sentence)


# Typed volatilities and correlations -------------------------------------------------------------

TYPED = {"tail__simulation__covariance": "market"}


def _market(row: int, column: int, value: object) -> Rows:
    changed = [list(cells) for cells in MARKET]
    changed[row][column] = value
    return changed


MARKETS: list[tuple[str, Rows, str, str]] = [
    ("beyond one", _market(1, 3, 1.2), "#N/A", "Market: row 2, corr_ETH"),
    ("no number", _market(1, 3, "high"), "#N/A", "Market: row 2, corr_ETH"),
    ("not the same twice", _market(1, 3, 0.7), "#NUM!",
     "correlation of BTC and ETH must be the same on both sides of the diagonal, was 0.7"),
    ("not one with itself", _market(1, 2, 0.9), "#NUM!",
     "correlation of BTC with itself must be 1, was 0.9"),
    ("a pair that is missing", table("underlying dailyVol", ["BTC", 0.03], ["ETH", 0.04]), "#N/A",
     "correlation of BTC and ETH is missing: give it on the Market sheet, in the row of BTC"),
    ("a volatility that is missing", _market(2, 1, None), "#N/A",
     "volatility of ETH is missing: give dailyVol or annualVol on the Market sheet"),
    ("a volatility below zero", _market(2, 1, -0.04), "#N/A", "Market: row 3, dailyVol"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("market", "sign", "sentence"),
    [case[1:] for case in MARKETS],
    ids=[case[0] for case in MARKETS],
)
def test_typed_correlations_that_will_not_do_are_refused(
    market: Rows, sign: str, sentence: str
) -> None:
    _refused(_margin(_rules("var", **TYPED), None, market=market), sign, sentence)


def test_correlations_that_no_coins_can_have_are_refused_or_repaired_and_said() -> None:
    positions = [*POSITIONS, ["SOL", 2, 5, 5]]
    market = table(
        "underlying dailyVol corr_BTC corr_ETH corr_SOL",
        ["BTC", 0.03, 1, 0.9, -0.9],
        ["ETH", 0.04, 0.9, 1, 0.9],
        ["SOL", 0.05, -0.9, 0.9, 1],
    )
    given = {"positions": positions, "market": market}
    answer = _margin(_rules("var", **TYPED), None, **given)
    # the eigenvalues of this matrix are 1.9, 1.9 and -0.8
    _refused(answer, "#NUM!", "smallest eigenvalue of the correlations must be zero or above")
    assert isinstance(answer, SheetError)
    assert "was -0.8" in answer.reason
    assert "tail.simulation.repair = nearest" in answer.reason
    rules = _rules("var", **TYPED, tail__simulation__repair="nearest")
    margin = _margin(rules, None, **given)
    assert isinstance(margin, float)
    book = crossmargin.book(positions, rules, collateral=CASH, market=market)
    findings = {str(row["code"]): str(row["message"]) for row in crossmargin.check(book)}
    assert (
        "their smallest eigenvalue is -0.800000; 3 pairs were moved"
        in findings["correlations_repaired"]
    )


# Questions ---------------------------------------------------------------------------------------

QUESTIONS: list[tuple[Sequence[object], str, str]] = [
    (["matrix", "decay=1"], "#NUM!", "decay must be above 0 and below 1, was 1"),
    (["matrix", "decay=0"], "#NUM!", "decay must be above 0 and below 1, was 0"),
    (["matrix", "decay=slow"], "#VALUE!", "unknown decay 'slow'"),
    (
        ["matrix", "window=-5"],
        "#NUM!",
        "window must be a whole number of moves, 2 at least, was -5",
    ),
    (["matrix", "window=0"], "#NUM!", "window must be a whole number of moves"),
    (["matrix", "window=9.5"], "#NUM!", "window must be a whole number of moves"),
    (["matrix", "window=5000"], "#N/A", "699 moves of all series together are known, and window"),
    (["matrix", "method=best"], "#VALUE!", "unknown method 'best'; known: ewma, sample"),
    (["matrix", "lambda=0.9"], "#VALUE!", "unknown option 'lambda'; known: decay, method"),
    (["matrix", "method=market"], "#N/A", "method market is not covered"),
    (["heat"], "#VALUE!", "unknown view 'heat'; known: matrix, change, beta"),
    (["change", "fast=0.99;slow=0.94"], "#NUM!", "fast must be below slow"),
    (["beta", "driver=SOL"], "#N/A", "history of SOL is missing: the history has BTC, ETH"),
    (["stress", "share=1.5"], "#NUM!", "share must be from 0 to 1, was 1.5"),
    (["beta", "quantile=0"], "#NUM!", "quantile must be above 0 and below 1, was 0"),
]


@pytest.mark.parametrize(("cells", "sign", "sentence"), QUESTIONS)
def test_questions_about_correlations_are_refused_by_a_sentence(
    cells: Sequence[object], sign: str, sentence: str
) -> None:
    key = registry.call("CM_HISTORY", [PRICES])
    _refused(registry.call("CM_CORREL", [CellContent(key), *cells]), sign, sentence)


def test_a_series_that_stands_still_has_no_correlation() -> None:
    _refused(
        registry.call("CM_CORREL", [CellContent(_constant(1))]),
        "#N/A",
        "the history of BTC never moves: it has no volatility and no correlation",
    )
    late = [[*row[:2], 1.0 + k % 2 if 0 < k < 10 else row[2] if k == 0 else 1.0]
            for k, row in enumerate(PRICES)]  # fmt: skip
    answer = registry.call("CM_CORREL", [CellContent(late), "matrix", "window=30"])
    _refused(answer, "#N/A", "and window is 30; ETH has the fewest, ")


def test_few_days_are_refused_and_not_guessed() -> None:
    for view in ("matrix", "change", "volatility", "stress"):
        answer = registry.call("CM_CORREL", [CellContent(PRICES[:12]), view])
        _refused(answer, "#N/A", "returns must have at least 20 rows, had 10")


# Anything ----------------------------------------------------------------------------------------

JUNK: list[object] = [None, "", " ", "abc", "#N/A", "1,234.5", "1e400", "=A1", "\x00", 0, -5, 1e308,
                      float("nan"), float("inf"), True, "2024-01-01", "BTC", 45000.5]  # fmt: skip


def test_no_table_of_junk_is_a_defect() -> None:
    random = np.random.default_rng(1)
    refused = 0
    for width, height in itertools.product(range(1, 5), range(8)):
        for _ in range(12):
            header: list[object] = [*("date", "BTC", "symbol", "close")[:width]]
            if random.random() < 0.3:  # some headers are junk too
                header = [JUNK[random.integers(len(JUNK))] for _ in range(width)]
            rows: list[list[Any]] = [header]
            rows += [
                [JUNK[random.integers(len(JUNK))] for _ in range(width)] for _ in range(height)
            ]
            for name in ("CM_HISTORY", "CM_CHECK", "CM_CORREL"):
                cell = rows if name == "CM_HISTORY" else CellContent(rows)
                answer = registry.call(name, [cell])
                if isinstance(answer, SheetError):
                    refused += 1
                    assert "defect" not in answer.reason, (name, rows, answer.reason)
    assert refused > 100
