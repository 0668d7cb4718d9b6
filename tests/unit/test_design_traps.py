"""Readings of portfolio margin that look right and are not, each measured against the right one."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import pytest

import crossmargin
from crossmargin import functions as cm
from crossmargin.errors import NotCoveredError
from tests.second_opinion import black76
from tests.vectors.adapters import ADAPTERS
from tests.vectors.runner import run_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from crossmargin.table import Table
    from tests.vectors.facade import Facade

Row = dict[str, Any]


def _unchanged(_given: Any) -> None: ...


# Derive's expiries ------------------------------------------------------------------------------


def _signed_skew(rules: dict[str, Any]) -> None:
    """Let the results of the expiries in a skew scenario net, instead of -|result| of each."""
    for scenarios in rules["profiles"][0]["scenarios"]:
        scenarios.pop("treatment", None)


def _no_discount(rules: dict[str, Any]) -> None:
    rules["profiles"][0].pop("discount")


def _apart(rows: list[Row]) -> None:
    """Let every option be an expiry of its own: its value is then discounted by its own sign."""
    for place, row in enumerate(rows):
        if row.get("secondsToExpiry") is not None:
            row["secondsToExpiry"] += 1e-7 * place


def _skew_of_the_sum(row: Row) -> None:
    if row["set"] == "skew":
        row["pnl"] = -abs(row["pnl"])


@dataclass
class _Records:
    rows: list[Row]

    def records(self) -> list[Row]:
        return self.rows


@dataclass
class _Wrong:
    """The package, with a rulebook, rows or scenarios that are changed on the way."""

    rules: Callable[[dict[str, Any]], None] = _unchanged
    rows: Callable[[list[Row]], None] = _unchanged
    scenario: Callable[[Row], None] = _unchanged

    def __getattr__(self, name: str) -> Any:
        return getattr(crossmargin, name)

    def book(self, positions: list[Row], rulebook: Mapping[str, Any], **others: Any) -> object:
        rules, rows = copy.deepcopy(dict(rulebook)), [dict(row) for row in positions]
        self.rules(rules)
        self.rows(rows)
        return cm.book(rows, rules, **others)

    def scenarios(self, book: Any, **words: str) -> _Records:
        listed = [dict(row) for row in cm.scenarios(book, **words).records()]
        for row in listed:
            self.scenario(row)
        return _Records(listed)


READINGS = MappingProxyType({
    "each expiry discounted by the sign of its net value": _Wrong(),
    "each option discounted by its own sign": _Wrong(rows=_apart),
    "no discount": _Wrong(rules=_no_discount),
    "skew results netted across expiries": _Wrong(rules=_signed_skew),
    "skew as -| sum over expiries |": _Wrong(rules=_signed_skew, scenario=_skew_of_the_sum),
    "a linear table throughout": _Wrong(rules=_signed_skew, rows=_apart),
})  # fmt: skip

# Of 45 published cases: those whose figures all agree, and those whose scenarios all agree. A table
# that is linear in the options reproduces the scenarios of 14, as design.md says; two of these
# still fail because the forward contingency is the worse of two moves per expiry too.
REPRODUCED = {
    "each expiry discounted by the sign of its net value": (45, 45),
    "each option discounted by its own sign": (12, 14),
    "no discount": (8, 8),
    "skew results netted across expiries": (25, 25),
    "skew as -| sum over expiries |": (25, 25),
    "a linear table throughout": (11, 13),
}


@pytest.mark.parametrize("reading", READINGS)
def test_published_cases_tell_the_readings_apart(shared: Path, reading: str) -> None:
    path = shared / "vectors" / "derive_pmrm2_portfolio_margin.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    passed: Counter[str] = Counter()
    for case in document["cases"]:
        outcome = run_case(case, document, cast("Facade", READINGS[reading]), ADAPTERS, {})
        assert outcome.differences or outcome.reason == "", outcome.reason
        missed = {difference.field.split("[")[0] for difference in outcome.differences}
        passed["all"] += not missed
        passed["scenarios"] += "scenario_pnl" not in missed
    assert (passed["all"], passed["scenarios"]) == REPRODUCED[reading]


# One index or many ------------------------------------------------------------------------------


def _rules(unit: str, ranges: Mapping[str, float], **measure: object) -> dict[str, Any]:
    profiles = [
        {
            "underlyings": coins.split(),
            "scenarios": [
                {"set": "scan", "price_moves": [-size, 0.0, size], "volatility": ["same"]}
            ],
        }
        for coins, size in ranges.items()
    ]
    return {
        "id": "traps",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USD",
        "source": "design.md, section 1",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "pool": {"kind": "account"},
        "pricing": {"discounting": "nothing"},
        "measure": {"kind": "scenarios", "numeraire": "report", "unit": unit, **measure},
        "profiles": profiles,
    }


def _perpetual(coin: str, quantity: float, price: float) -> Row:
    return {
        "symbol": f"{coin}USD",
        "type": "perpetual",
        "underlying": coin,
        "settle": "USD",
        "quantity": quantity,
        "markPrice": price,
        "entryPrice": price,
    }


LONG_BTC_SHORT_ETH = [_perpetual("BTC", 10.0, 100_000.0), _perpetual("ETH", -250.0, 4_000.0)]
RANGES = {"BTC": 0.16, "ETH": 0.18}


def _by_unit(table: Table) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in table.records():
        found.setdefault(str(row["risk_unit"]), []).append(float(str(row["pnl"])))
    return found


def test_own_worst_of_each_coin_is_340_000_and_a_common_index_20_000() -> None:
    book = cm.book(LONG_BTC_SHORT_ETH, _rules("underlying", RANGES))
    assert cm.maintenance_margin(book) == pytest.approx(340_000.0, rel=1e-12)
    units = _by_unit(cm.scenarios(book, risk_unit="all", layout="list"))
    assert list(units) == ["BTC", "ETH"]
    together = [sum(results) for results in zip(*units.values(), strict=True)]
    assert -min(together) == pytest.approx(20_000.0, rel=1e-9)
    worst = cm.scenarios(book, risk_unit="all", layout="list").records()
    assert [row["price_move"] for row in worst if row["counts"] == "yes"] == [-0.16, 0.18]


def test_deribit_takes_the_own_worst_of_each_coin() -> None:
    rows = [row | {"settle": "USDC"} for row in LONG_BTC_SHORT_ETH]
    prices = {"BTC": 100_000.0, "ETH": 4_000.0, "USDC": 1.0}
    market = [{"underlying": coin, "indexPrice": price} for coin, price in prices.items()]
    found = cm.explanation(cm.book(rows, "deribit-spm", market=market), measure="IM").records()
    worst = [
        row["amount"]
        for row in found
        if str(row["component"]).startswith("worst of") and row["counts"] == "yes"
    ]
    assert worst == [pytest.approx(160_000.0), pytest.approx(180_000.0)]


def test_one_index_nets_coins_of_one_range_and_refuses_two() -> None:
    book = cm.book(LONG_BTC_SHORT_ETH, _rules("account", {"BTC ETH": 0.16}))
    assert cm.maintenance_margin(book) == pytest.approx(0.0, abs=1e-6)
    two = cm.book(LONG_BTC_SHORT_ETH, _rules("account", RANGES))
    with pytest.raises(NotCoveredError, match="one index for the account but different parameters"):
        cm.maintenance_margin(two)


@pytest.mark.parametrize(
    "charge",
    [
        {"on": "notional", "kinds": ["perpetual"], "price": "index", "rate": 0.01},
        {"on": "fee", "rate": 0.01},
        {"on": "minimum_delta", "unhedged": 0.01, "hedged": 0.01},
        {"on": "roll", "minimum": 0.01, "annualised": 0.0},
    ],
)
def test_one_index_charges_every_coin_at_its_own_price(charge: Row) -> None:
    rules = _rules("account", {"BTC ETH": 0.0})
    rules["profiles"][0]["charges"] = [{"name": "charge", "stage": "inside", **charge}]
    rows = [_perpetual("BTC", 1.0, 100_000.0), _perpetual("ETH", 10.0, 4_000.0)]
    found = cm.maintenance_margin(cm.book(rows, rules))
    assert found == pytest.approx(0.01 * (100_000.0 + 10.0 * 4_000.0), rel=1e-12)


# What the coin itself does ----------------------------------------------------------------------

INDEX, STRIKE, VOLATILITY, MOVE = 90_000.0, 90_000.0, 0.50, 0.16


def _short_call(numeraire: str) -> float:
    """Return the result of one coin-settled call sold, at +16 %, in dollars."""
    row = {
        "symbol": "CALL",
        "type": "option",
        "underlying": "BTC",
        "settle": "BTC",
        "strike": STRIKE,
        "optionType": "call",
        "secondsToExpiry": 30.0 * 86_400.0,
        "quantity": -1.0,
        "impliedVolatilityFraction": VOLATILITY,
        "forward": INDEX,
    }
    market = [{"underlying": "BTC", "indexPrice": INDEX}]
    book = cm.book([row], _rules("underlying", {"BTC": MOVE}, numeraire=numeraire), market=market)
    found = cm.scenarios(book, layout="list").records()
    return next(float(str(row["pnl"])) for row in found if row["price_move"] == MOVE)


def test_a_coin_settled_call_loses_with_the_coin_in_which_it_is_owed() -> None:
    then = INDEX * (1.0 + MOVE)
    in_coin = [
        black76.value("call", forward, STRIKE, VOLATILITY, 30.0 / 365.0) / forward
        for forward in (INDEX, then)
    ]
    change = in_coin[1] - in_coin[0]
    assert round(-change * INDEX) == -8_202  # at today's price of the coin
    assert round(-change * then) == -9_515  # at the scenario's
    assert round(-(in_coin[1] * then - in_coin[0] * INDEX)) == -10_338  # what is owed, in dollars
    assert round(_short_call("report")) == -10_338
    assert round(_short_call("settle")) == -8_202


@pytest.mark.parametrize(("numeraire", "coins"), [("settle", 0.138), ("report", 0.0)])
def test_a_coin_against_a_short_of_one_coin(numeraire: str, coins: float) -> None:
    row = _perpetual("BTC", -INDEX, INDEX) | {"settle": "BTC"}
    rules = _rules("underlying", {"BTC": MOVE}, numeraire=numeraire, collateral_in_scan=True)
    book = cm.book(
        [row],
        rules,
        collateral=[{"currency": "BTC", "cash": 1.0}],
        market=[{"underlying": "BTC", "indexPrice": INDEX}],
    )
    found = cm.maintenance_margin(book)
    assert found is not None
    assert round(found / INDEX, 3) == coins
    assert found == pytest.approx(INDEX * (0.16 / 1.16 if coins else 0.0), rel=1e-12, abs=1e-9)
