"""What an option book cannot be measured from is refused by row, field and rule, never guessed.

Tests that expect to fail say what should happen instead of what does.
"""

from __future__ import annotations

import copy
import math
import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossmargin import _core, errors
from crossmargin import functions as cm
from crossmargin.cells import CellContent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crossmargin._core import Book

Row = dict[str, Any]
Rules = dict[str, Any]

AS_OF = "2026-01-10T09:00:00Z"
MARKET: list[Row] = [
    {"underlying": "BTC", "indexPrice": 100_000.0},
    {"underlying": "USDC", "indexPrice": 1.0},
]
GOOD: Row = {
    "symbol": "BTC-27MAR26-90000-P",
    "quantity": 1.0,
    "forward": 100_000.0,
    "markIv": 0.45,
}
SOLD: Row = GOOD | {"symbol": "BTC-27MAR26-100000-C", "quantity": -1.0}
LINEAR: Row = SOLD | {"symbol": "BTC_USDC-27MAR26-100000-C"}
UNNAMED: Row = {
    "symbol": "OPTION",
    "type": "option",
    "underlying": "BTC",
    "settle": "BTC",
    "strike": 100_000.0,
    "optionType": "call",
    "expiry": "2026-03-27",
}


def _table(*rows: Row) -> list[Row]:
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _book(
    *rows: Row,
    rulebook: object = "deribit-spm",
    as_of: str | None = AS_OF,
    market: Sequence[Row] = tuple(MARKET),
    **others: Any,
) -> Book:
    return cm.book(_table(*rows), rulebook, as_of=as_of, market=list(market), **others)


def _with(key: str, value: object) -> Callable[[Rules], None]:
    """Return a change of a rulebook: the key `profiles.0.volatility.up` is set, or removed."""

    def change(rules: Rules) -> None:
        *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
        place: Any = rules
        for part in path:
            place = place[part]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def _rulebook(*changes: Callable[[Rules], None], name: str = "paradex-pm") -> Rules:
    rules = tomllib.loads(_core.rulebook_text("id", name))
    for change in changes:
        change(rules)
    return rules


# Rows -------------------------------------------------------------------------------------------

ROWS: list[tuple[str, Row, str, str, str]] = [
    ("expired by its symbol", {"symbol": "BTC-26DEC25-100000-C"},
     "expiry", "expired", "it expired on 2025-12-26, the as-of is 2026-01-10"),
    ("expired by its seconds", {"secondsToExpiry": -1.0},
     "expiry", "expired", "it expired 1 seconds before the as-of"),
    ("no volatility and no mark", {"markIv": None},
     "markIv", "volatility_missing", "a missing volatility is never a default"),
    ("no forward", {"symbol": "BTC-26JUN26-100000-C", "forward": None},
     "forward", "forward_missing", "no forward for its expiry .* the index is no forward"),
    ("a volatility of zero", {"markIv": 0.0},
     "markIv", "volatility_not_positive", "must be above zero: no option is priced .* was 0"),
    ("a volatility below zero", {"markIv": -0.2}, "markIv", "negative", "was -0.2"),
    ("a strike that is not the symbol's", {"strike": 90_000.0},
     "strike", "strike_differs", "this row is 90000, its symbol .* says 100000"),
    ("a strike below zero", UNNAMED | {"strike": -5.0},
     "strike", "strike_not_positive", "must be above zero, was -5"),
    ("a strike of zero", UNNAMED | {"strike": 0.0},
     "strike", "strike_not_positive", "must be above zero, was 0"),
    ("a put that the symbol calls a call", {"optionType": "put"},
     "optionType", "right_differs", "this row is put, its symbol .* says call"),
    ("an expiry that is not the symbol's", {"expiry": "2026-06-26"},
     "expiry", "expiry_differs", "this row is 2026-06-26, its symbol .* says 2026-03-27"),
    ("a type that is no option", {"type": "perpetual"},
     "type", "type_differs", "the type of this row is no option"),
    ("an option without terms", UNNAMED | {"strike": None, "optionType": None, "expiry": None},
     "symbol", "option_incomplete", "nothing says its strike and its optionType and its expiry"),
    ("a settlement currency without a price", UNNAMED | {"settle": "EURX"},
     "price", "currency_price_missing", "EURX has no price in USD, .* never a default"),
    ("a mark in dollars for an option in coins", {"markPrice": 5_143.0},
     "markPrice", "mark_in_quote_currency", "a mark of 5143 .* is a price in quote currency"),
    ("a mark below zero", {"markPrice": -0.01}, "markPrice", "negative", "was -0.01"),
    ("a confidence above one", {"confidence": 2.0}, "confidence", "rate_out_of_range", "was 2"),
    ("a fixed part above the forward", {"forwardFixed": 2e5},
     "forwardFixed", "forward_fixed_too_large", "must not exceed the forward"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "code", "rule"), [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])  # fmt: skip
def test_a_bad_row_is_refused_by_row_column_and_rule(
    cells: Row, column: str, code: str, rule: str
) -> None:
    rows = GOOD, SOLD | cells
    with pytest.raises(errors.TableError, match=rf"Positions: row 3, {column}: .*{rule}"):
        _book(*rows)
    partial = _book(*rows, options={"partial": "1"})
    found = cm.check(CellContent(partial)).records()
    bad = [(row["row"], row["column"], row["code"]) for row in found if row["severity"] == "ERROR"]
    assert bad == [(3, column, code)]
    with pytest.raises(errors.MissingError, match="rows with errors were left out"):
        cm.maintenance_margin(partial)


@pytest.mark.parametrize(
    ("as_of", "rule"),
    [
        (None, "no as-of is given, and without one nobody knows how long an option has left"),
        ("soon", "the as-of 'soon' is not a time that can be read"),
    ],
)
def test_without_an_as_of_an_option_is_refused(as_of: str | None, rule: str) -> None:
    with pytest.raises(errors.TableError, match=f"row 2, expiry: BTC-27MAR26-100000-C: .*{rule}"):
        _book(SOLD, as_of=as_of)


def test_volatilities_of_which_nobody_knows_the_unit_are_refused() -> None:
    rows = SOLD | {"markIv": 45.0}, GOOD | {"markIv": 4.0}
    with pytest.raises(errors.TableError, match=r"row 2, markIv: .*tell percent from fractions"):
        _book(*rows)


NUMBERS = ["quantity", "forward", "markIv", "markPrice", "rate", "confidence", "secondsToExpiry"]
NO_NUMBERS: list[tuple[object, str]] = [
    (math.nan, "must be a finite number, was NaN"),
    (math.inf, "must be a finite number, was inf"),
    (-math.inf, "must be a finite number, was -inf"),
    ("text", "needs text that can mean one number only, was text"),
    ("#N/A", "holds a spreadsheet error, not a number, was #N/A"),
    (True, "needs text that can mean one number only, was TRUE"),
]


@pytest.mark.parametrize(("value", "rule"), NO_NUMBERS)
@pytest.mark.parametrize("column", NUMBERS)
def test_what_is_no_number_is_refused_in_every_column_of_an_option(
    column: str, value: object, rule: str
) -> None:
    with pytest.raises(errors.TableError, match=f"Positions: row 2, {column}: {column} {rule}"):
        _book(SOLD | {column: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, "text", "#N/A"])
def test_what_is_no_number_is_refused_as_a_strike(value: object) -> None:
    with pytest.raises(errors.TableError, match="Positions: row 2, strike: the strike "):
        _book(SOLD | {"strike": value})


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0, "text", None, "#N/A"])
def test_without_an_index_the_coin_has_no_price(value: object) -> None:
    with pytest.raises(errors.TableError, match="BTC has no price in USD"):
        _book(SOLD, market=[{"underlying": "BTC", "indexPrice": value}])


EXTREME: list[object] = [
    math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 0.0, -1.0, "", "text", "#N/A", None, True
]  # fmt: skip
ANYWHERE = [*NUMBERS, "strike", "optionType", "expiry", "settle", "underlying", "symbol", "type"]
RULEBOOKS = ["deribit-spm", "paradex-pm", "derive-pm2", "span-16"]


@pytest.mark.parametrize("rulebook", RULEBOOKS)
@pytest.mark.parametrize("column", ANYWHERE)
def test_no_value_in_any_cell_gives_a_panic_or_something_that_is_no_number(
    rulebook: str, column: str
) -> None:
    row = SOLD if rulebook in {"deribit-spm", "span-16"} else LINEAR
    for value in EXTREME:
        for changed in ((row | {column: value}, GOOD), (GOOD, row | {column: value})):
            try:
                book = _book(*changed, rulebook=rulebook)
                found = [cm.maintenance_margin(book), cm.initial_margin(book)]
                cm.explanation(book)
                cm.scenarios(book, layout="list")
                cm.exposure(book)
            except errors.CrossmarginError:
                continue
            assert all(margin is not None and math.isfinite(margin) for margin in found)


# Collateral -------------------------------------------------------------------------------------


def _scan(**measure: object) -> Rules:
    return {
        "id": "scan",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USD",
        "source": "a test",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "pool": {"kind": "account"},
        "measure": {"kind": "scenarios", "numeraire": "report", "unit": "underlying", **measure},
        "profiles": [
            {
                "underlyings": ["BTC"],
                "scenarios": [
                    {"set": "scan", "price_moves": [-0.16, 0.16], "volatility": ["same"]}
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("balance", "measure"),
    [
        ({"collateralRate": 0.9}, {"collateral_in_scan": True}),
        ({"haircut": 0.1}, {"collateral_in_scan": True}),
        ({"collateralRate": 0.9, "inScan": "yes"}, {}),
    ],
)
def test_a_balance_is_not_reduced_and_scanned_too(balance: Row, measure: Row) -> None:
    collateral = [{"currency": "BTC", "cash": 1.0, **balance}]
    book = _book(SOLD, rulebook=_scan(**measure), collateral=collateral)
    rule = r"balance in BTC is not covered \(row 2, BTC\): .*scanned and reduced .*haircut_and_scan"
    with pytest.raises(errors.NotCoveredError, match=rule):
        cm.maintenance_margin(book)
    both = _scan(**measure, haircut_and_scan=True)
    assert (cm.maintenance_margin(_book(SOLD, rulebook=both, collateral=collateral)) or 0.0) > 0.0


# Venues that do not cover a contract ------------------------------------------------------------


@pytest.mark.parametrize("row", [SOLD, LINEAR])
def test_options_are_no_part_of_what_okx_publishes(row: Row) -> None:
    book = _book(row, rulebook="okx-pm")
    rule = rf"{row['symbol']} is not covered \(row 2, .*'okx-pm' does not cover it: .*not published"
    for margin in (cm.maintenance_margin, cm.initial_margin):
        with pytest.raises(errors.NotCoveredError, match=rule):
            margin(book)


@pytest.mark.parametrize("rulebook", ["hyperliquid", "binance-usdm", "custom"])
@pytest.mark.parametrize(("row", "settle"), [(SOLD, "BTC"), (LINEAR, "USDC")])
def test_a_venue_of_futures_refuses_options(rulebook: str, row: Row, settle: str) -> None:
    book = _book(row, rulebook=rulebook)
    rule = (
        rf"{row['symbol']} is not covered \(row 2, .*"
        rf"rulebook '{rulebook}' has no rule for options on BTC settled in {settle}$"
    )
    for margin in (cm.maintenance_margin, cm.initial_margin):
        with pytest.raises(errors.NotCoveredError, match=rule):
            margin(book)


@pytest.mark.parametrize("rulebook", ["paradex-pm", "derive-pm2"])
def test_a_venue_that_settles_in_usdc_refuses_coin_settled_options(rulebook: str) -> None:
    book = _book(SOLD, rulebook=rulebook)
    rule = r"BTC-27MAR26-100000-C is not covered \(row 2, .*every contract .* settles in USDC"
    with pytest.raises(errors.NotCoveredError, match=rule):
        cm.maintenance_margin(book)


@pytest.mark.parametrize("rulebook", ["deribit-spm", "paradex-pm"])
def test_a_coin_without_parameters_is_refused(rulebook: str) -> None:
    row = LINEAR | {"symbol": "SOL_USDC-27MAR26-100-C", "forward": 100.0}
    book = _book(
        row, rulebook=rulebook, market=[{"underlying": "SOL", "indexPrice": 100.0}, MARKET[1]]
    )
    with pytest.raises(errors.NotCoveredError, match=r"row 2, .*no parameters for SOL settled in"):
        cm.maintenance_margin(book)


def test_a_peg_that_counts_and_is_not_given_is_missed() -> None:
    book = _book(LINEAR, rulebook="derive-pm2", market=MARKET[:1])
    with pytest.raises(errors.MissingError, match=r"USD price of USDC is missing: .*derive-pm2"):
        cm.initial_margin(book)


# Rulebooks --------------------------------------------------------------------------------------

MISSING_KEYS = ["id", "version", "venue", "report_currency", "settle", "source", "retrieved",
                "effective", "measure", "profiles", "profiles.0.underlyings",
                "profiles.0.volatility", "profiles.0.volatility.up", "profiles.0.volatility.down",
                "profiles.0.scenarios.0.set", "profiles.0.scenarios.0.price_moves",
                "profiles.0.charges.0.name", "profiles.0.charges.0.on",
                "profiles.0.charges.0.stage", "profiles.0.charges.0.unhedged",
                "profiles.0.charges.1.hours"]  # fmt: skip


@pytest.mark.parametrize("key", MISSING_KEYS)
def test_a_rulebook_without_a_key_is_refused_by_the_key(key: str) -> None:
    name = key.rsplit(".", maxsplit=1)[-1]
    with pytest.raises(errors.RulebookError, match=name):
        _book(LINEAR, rulebook=_rulebook(_with(key, None)))


PROFILE = r"profiles\.BTC\+ETH \(stable\)"


@pytest.mark.parametrize(
    ("place", "named", "group", "known"),
    [
        ("", "", "it", "id, version, venue"),
        ("profiles.0.", rf"{PROFILE}\.", PROFILE, "underlyings, settlement, volatility"),
        ("measure.", r"measure\.", "measure", "kind, maintenance_on, orders"),
        (
            "profiles.0.charges.0.",
            rf"{PROFILE}\.charges\.minimum delta\.",
            rf"{PROFILE}\.charges\.minimum delta",
            "name, on, stage",
        ),
    ],
)
def test_an_unknown_key_of_a_rulebook_is_refused(
    place: str, named: str, group: str, known: str
) -> None:
    rule = f"'paradex-pm', {named}extra: is no key of a rulebook; {group} has {known}, "
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=_rulebook(_with(f"{place}extra", 1.0)))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_with("source", ""), "sources.general: a number without a source is refused"),
        (_with("sources.provisions", None), "funding provision.source: no source named"),
        (_with("profiles.0.source", "nowhere"), "no source named 'nowhere'"),
        (_with("sources.provisions.address", ""), "provisions: a number without a source"),
    ],
)
def test_a_number_without_a_source_is_refused(change: Callable[[Rules], None], rule: str) -> None:
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=_rulebook(change))


@pytest.mark.parametrize("settlement", ["stable", "any"])
@pytest.mark.parametrize("coin", ["BTC", "btc"])
def test_two_profiles_about_one_coin_are_refused(coin: str, settlement: str) -> None:
    rules = _rulebook()
    second = copy.deepcopy(rules["profiles"][0])
    rules["profiles"].append(second | {"underlyings": [coin], "settlement": settlement})
    with pytest.raises(errors.RulebookError, match="profiles: two profiles are about BTC"):
        _book(LINEAR, rulebook=rules)


SCENARIO = "profiles.0.scenarios.0"
BAD_RULES: list[tuple[str, object, str]] = [
    (f"{SCENARIO}.volatility", ["sideways"], r"one of same, up, down, .*was 'sideways'"),
    (f"{SCENARIO}.volatility", ["skew_linear"], r"\.skew: is missing; the scenarios shock"),
    (f"{SCENARIO}.volatility", [-2.0], "volatility: must be between -1 and 100, was -2"),
    (f"{SCENARIO}.treatment", "extended", r"\.extension: is missing"),
    (f"{SCENARIO}.treatment", "sometimes", "one of plain, minus_absolute_per_expiry, extended"),
    (f"{SCENARIO}.price_moves", [-1.0], "needs finite relative moves above -1"),
    (f"{SCENARIO}.price_moves", [1e308], "needs finite relative moves above -1"),
    (f"{SCENARIO}.price_moves", [], "needs at least one move"),
    (f"{SCENARIO}.weights", [1.0, 1.0, 1.0], "one weight per price move or per scenario"),
    (f"{SCENARIO}.weight", -1.0, "weight: must be between 0 and 1000, was -1"),
    ("profiles.0.volatility.up", -0.1, r"volatility\.up: must be between 0 and 100, was -0.1"),
    ("profiles.0.volatility.up", "x", rf"{PROFILE}\.volatility\.up: must be a number, .*'x'"),
    ("profiles.0.charges.0.stage", "nowhere", "one of alternative, inside, floor, outside"),
    ("profiles.0.charges.0.on", "moon", "must be one of roll, size, naked_shorts"),
    ("levels.maintenance.factor", -1.0, r"levels\.maintenance\.factor: must be between 0 and 100"),
    ("measure.unit", "coin", "must be one of underlying, account, was 'coin'"),
    ("measure.kind", "scenario", "must be one of tiers, scan, scenarios"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "rule"), BAD_RULES)
def test_a_rule_that_means_nothing_is_refused_by_its_key(
    key: str, value: object, rule: str
) -> None:
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=_rulebook(_with(key, value)))


def test_scenarios_that_move_the_volatility_need_to_know_how_far() -> None:
    rules = _scan()
    rules["profiles"][0]["scenarios"][0]["volatility"] = ["up"]
    rule = r"profiles\.BTC\.volatility: is missing; the scenarios move the volatility up or down"
    with pytest.raises(errors.RulebookError, match=rule):
        _book(SOLD, rulebook=rules)


# What once was guessed --------------------------------------------------------------------------


def _perpetual(**cells: object) -> Row:
    price = 100_000.0
    linear = {"type": "perpetual", "underlying": "BTC", "settle": "USDC", "markPrice": price}
    return {"symbol": "PERPETUAL", "quantity": 10.0, "unrealizedPnl": 0.0, **linear, **cells}


def _future(symbol: str, **cells: object) -> Row:
    return _perpetual(type="future", symbol=symbol, **cells)


def _roll_shock(*rows: Row, as_of: str | None) -> float:
    found = cm.explanation(_book(*rows, as_of=as_of), measure="IM").records()
    return sum(
        float(str(row["amount"])) for row in found if str(row["component"]).startswith("roll")
    )


def _found(book: Book) -> list[tuple[object, ...]]:
    """Return what a check says about rows of positions: severity, row, column, code."""
    return [
        (row["severity"], row["row"], row["column"], row["code"])
        for row in cm.check(CellContent(book)).records()
        if row["sheet"] == "Positions"
    ]


TWO_EXPIRIES = (_future("BTC-27MAR26"), _future("BTC-26JUN26", quantity=-10.0))


def test_futures_of_two_expiries_do_not_net() -> None:
    found = _roll_shock(*TWO_EXPIRIES, as_of=AS_OF)
    years = [(days - 1.0 / 24.0) / 365.0 for days in (76.0, 167.0)]
    assert found == pytest.approx(10.0 * 100_000.0 * sum(math.expm1(0.1 * left) for left in years))
    assert found > 2 * 0.01 * 10.0 * 100_000.0  # at least the minimum of both


@pytest.mark.parametrize("as_of", [None, "soon"])
def test_a_future_is_refused_where_no_as_of_can_be_read(as_of: str | None) -> None:
    rule = (
        r"Positions: row 2, expiry: BTC-27MAR26: how long it has left is not known without an as-of"
        r" that can be read, .*\(and 1 more, see CM_CHECK\)"
    )
    with pytest.raises(errors.TableError, match=rule):
        _book(*TWO_EXPIRIES, as_of=as_of)
    partial = _book(*TWO_EXPIRIES, as_of=as_of, options={"partial": "1"})
    assert _found(partial) == [("ERROR", row, "expiry", "as_of_missing") for row in (2, 3)]


def test_a_rulebook_that_does_not_measure_time_needs_no_as_of_for_a_future() -> None:
    row = _future("BTC-27MAR26", maintenanceMarginRate=0.01)
    book = _book(row, rulebook="binance-usdm", as_of=None)
    assert _found(book) == [("INFO", 2, "expiry", "years_unknown")]


@pytest.mark.parametrize("rulebook", ["deribit-spm", "binance-usdm"])
def test_an_expired_future_is_refused_as_an_expired_option_is(rulebook: str) -> None:
    rule = "row 2, expiry: BTC-27MAR26: it expired on 2026-03-27, before the as-of$"
    row = _future("BTC-27MAR26", maintenanceMarginRate=0.01)
    with pytest.raises(errors.TableError, match=rule):
        _book(row, rulebook=rulebook, as_of="2026-07-01")
    partial = _book(row, rulebook=rulebook, as_of="2026-07-01", options={"partial": "1"})
    assert _found(partial) == [("ERROR", 2, "expiry", "expired")]


@pytest.mark.parametrize("left", [1.0, 0.0])
def test_a_perpetual_is_an_expiry_of_its_own(left: float) -> None:
    option = UNNAMED | {"settle": "USDC", "strike": 50_000.0, "quantity": -10.0, "expiry": None}
    priced = {"forward": 100_000.0, "markIv": 0.5, "secondsToExpiry": left}
    found = _roll_shock(_perpetual(), option | priced, as_of=None)
    # one second before expiry 1 of 1,800 seconds of the settlement average is still open
    assert found == pytest.approx(0.01 * 10.0 * (1.0 + left / 1_800.0) * 100_000.0, rel=1e-12)


def test_seconds_that_contradict_the_expiry_are_noticed() -> None:
    left = 76.0 * 86_400.0 - 3_600.0  # to 27 March, 08:00 UTC
    doubt = ("WARNING", 2, "secondsToExpiry", "seconds_to_expiry_differ")
    for seconds, doubted in [(76.0, True), (left - 86_401.0, True), (left - 86_400.0, False)]:
        book = _book(SOLD | {"secondsToExpiry": seconds})
        assert (doubt in _found(book)) is doubted
    (said,) = [
        str(row["message"])
        for row in cm.check(CellContent(_book(SOLD | {"secondsToExpiry": 76.0}))).records()
        if row["code"] == doubt[-1]
    ]
    rule = "76 seconds are pasted, date and as-of leave 6562800; the seconds are used"
    assert said.endswith(rule)


@pytest.mark.parametrize("rate", [500.0, 1e308, 10.1, -10.1])
def test_an_interest_rate_is_a_fraction(rate: float) -> None:
    rule = r"row 2, rate: rate must be a fraction per year from -10 to 10 \(0.05 is 5 %\), was "
    with pytest.raises(errors.TableError, match=rule):
        _book(LINEAR | {"rate": rate}, rulebook="derive-pm2")
    partial = _book(
        LINEAR | {"rate": rate}, GOOD | {"symbol": "BTC_USDC-27MAR26-90000-P"},
        rulebook="derive-pm2", options={"partial": "1"},
    )  # fmt: skip
    assert ("ERROR", 2, "rate", "rate_out_of_range") in _found(partial)


@pytest.mark.parametrize("rate", [10.0, -10.0, 0.05])
def test_an_interest_rate_within_bounds_is_taken(rate: float) -> None:
    book = _book(LINEAR | {"rate": rate}, rulebook="derive-pm2")
    assert cm.maintenance_margin(book) is not None


def test_a_profile_without_scenarios_is_refused() -> None:
    rules = _rulebook(_with("profiles.0.scenarios", []), _with("profiles.0.charges", []))
    rule = (
        r"profiles\.BTC\+ETH: has neither scenarios nor charges; what it holds would need no margin"
    )
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=rules)


def test_a_charge_without_a_rate_is_refused() -> None:
    rule = rf"{PROFILE}\.charges\.fee provision\.rate: is missing; a charge on fee needs it"
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=_rulebook(_with("profiles.0.charges.2.rate", None)))


def test_a_key_that_a_charge_does_not_read_is_refused() -> None:
    rule = (
        rf"{PROFILE}\.charges\.minimum delta\.threshold: is not read by a charge on minimum_delta"
    )
    with pytest.raises(errors.RulebookError, match=rule):
        _book(LINEAR, rulebook=_rulebook(_with("profiles.0.charges.0.threshold", 5e6)))


@pytest.mark.parametrize("forward", [1.0, 9_999.0, 1_000_001.0])
def test_a_forward_far_from_the_index_is_refused(forward: float) -> None:
    shown = f"{forward:.0f}"
    rule = rf"row 2, forward: .*a forward of {shown} beside an index of 100000 is no price of the"
    with pytest.raises(errors.TableError, match=rule):
        _book(SOLD | {"forward": forward})
    partial = _book(SOLD | {"forward": forward}, options={"partial": "1"})
    assert ("ERROR", 2, "forward", "forward_far_from_index") in _found(partial)


@pytest.mark.parametrize("forward", [10_000.0, 1_000_000.0])
def test_a_forward_of_ten_times_the_index_is_still_taken(forward: float) -> None:
    assert cm.maintenance_margin(_book(SOLD | {"forward": forward})) is not None


def test_units_of_two_pools_are_listed_by_names_that_can_be_asked_for() -> None:
    book = _book(SOLD, LINEAR)
    rule = "unknown risk unit 'main/BTC'; known: main/BTC/BTC, main/USDC/BTC$"
    with pytest.raises(errors.UnknownWordError, match=rule):
        cm.scenarios(book, risk_unit="main/BTC", layout="list")
    with pytest.raises(errors.NotCoveredError, match="name one of main/BTC/BTC, main/USDC/BTC,"):
        cm.scenarios(book, risk_unit="all", layout="matrix")
    for settle in ("BTC", "USDC"):
        rows = cm.scenarios(book, risk_unit=f"main/{settle}/BTC", layout="list").records()
        assert [row["account"] for row in rows] == [f"main/{settle}"] * 35


def test_an_option_by_seconds_and_a_future_by_date_share_an_expiry() -> None:
    option = LINEAR | {"secondsToExpiry": 76.0 * 86_400.0 - 3_600.0 + 1.0}
    future = _perpetual(type="future", symbol="BTC_USDC-27MAR26", quantity=0.5)
    exact = LINEAR | {"secondsToExpiry": 76.0 * 86_400.0 - 3_600.0}
    shocks = [_roll_shock(one, future, as_of=AS_OF) for one in (exact, option)]
    assert shocks[1] == pytest.approx(shocks[0], rel=1e-6)


@pytest.mark.parametrize(("first", "second"), [("A", "B"), ("B", "A")])
def test_two_times_of_one_date_are_two_expiries(first: str, second: str) -> None:
    at_eight = _future(first, expiry="2026-12-25T08:00:00Z")
    at_night = _future(second, expiry="2026-12-25T23:00:00Z", quantity=-4.0)
    years = [(349.0 + hours / 24.0) / 365.0 for hours in (-1.0, 14.0)]
    expected = 100_000.0 * (10.0 * math.expm1(0.1 * years[0]) + 4.0 * math.expm1(0.1 * years[1]))
    found = _roll_shock(at_eight, at_night, as_of=AS_OF)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "expiry", ["2026-12-25", "2026-12-25 08:00", "2026-12-25T08:00:00Z", "2026-12-25T10:00+02:00"]
)
def test_a_date_is_its_eight_in_the_morning_however_it_is_written(expiry: str) -> None:
    rows = _future("A", expiry="2026-12-25"), _future("B", expiry=expiry, quantity=-4.0)
    expected = 6.0 * 100_000.0 * math.expm1(0.1 * (349.0 - 1.0 / 24.0) / 365.0)
    assert _roll_shock(*rows, as_of=AS_OF) == pytest.approx(expected, rel=1e-12)


# What a mapping of a rulebook may hold -----------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "x", np.float64("nan")])
def test_a_bad_number_in_a_mapping_is_named_by_its_key(value: object) -> None:
    with pytest.raises(
        errors.RulebookError, match=r"volatility\.up: must be a number, was the text '"
    ):
        _book(LINEAR, rulebook=_rulebook(_with("profiles.0.volatility.up", value)))


@pytest.mark.parametrize("value", [1, np.float64(0.5), np.float32(0.5), np.int64(1)])
def test_numbers_of_arrays_are_taken_in_a_mapping(value: Any) -> None:
    given = _book(LINEAR, rulebook=_rulebook(_with("profiles.0.volatility.up", value)))
    plain = _book(LINEAR, rulebook=_rulebook(_with("profiles.0.volatility.up", float(value))))
    assert cm.maintenance_margin(given) == cm.maintenance_margin(plain)


def test_a_thing_that_is_no_value_is_refused_in_a_mapping() -> None:
    rule = "the mapping of a rulebook holds numbers, texts, .* no object$"
    with pytest.raises(errors.UnknownWordError, match=rule):
        _book(LINEAR, rulebook=_rulebook(_with("profiles.0.volatility.up", object())))


def test_opposite_signs_of_one_option_are_the_first_thing_said() -> None:
    with pytest.raises(errors.TableError, match="row 2, quantity"):
        _book(SOLD, SOLD | {"quantity": 1.0})
