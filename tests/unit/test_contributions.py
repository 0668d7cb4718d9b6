"""Risk contributions: who bears a margin, by four definitions, and the policies that use them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

import crossmargin as cm

if TYPE_CHECKING:
    from crossmargin import Book, Table

DAYS = 700
COINS = ("BTC", "ETH", "SOL")
MARKS = (90_000.0, 3_000.0, 140.0)
QUANTITIES = (2.0, -40.0, 700.0)


def _moves() -> np.ndarray:
    """Return logarithmic moves, one column per coin, with fat tails and a common factor."""
    draw = np.random.default_rng(5)
    market = draw.standard_t(4, DAYS - 1) * 0.02
    own = draw.standard_t(4, (DAYS - 1, len(COINS))) * 0.01
    return np.asarray(market[:, None] * [1.0, 1.2, 1.5] + own)


def _history(moves: np.ndarray) -> dict[str, list[object]]:
    days = np.datetime64("2024-01-01") + np.arange(DAYS)
    levels = np.vstack([np.zeros(len(COINS)), np.cumsum(moves, axis=0)])
    prices = np.asarray(MARKS) * np.exp(levels - levels[-1])
    columns = {coin: prices[:, place].tolist() for place, coin in enumerate(COINS)}
    return {"date": [str(day) for day in days], **columns}


def _book(rulebook: str = "es", quantities: tuple[float, ...] = QUANTITIES) -> Book:
    held = [place for place, quantity in enumerate(quantities) if quantity]
    return cm.book(
        {
            "symbol": [f"{COINS[place]}-PERP" for place in held],
            "contracts": [quantities[place] for place in held],
            "entryPrice": [MARKS[place] for place in held],
            "markPrice": [MARKS[place] for place in held],
            "maintenanceMarginRate": [0.01] * len(held),
            "strategy": [("carry", "basis", "carry")[place] for place in held],
        },
        rulebook,
        collateral={"currency": ["USD"], "cash": [60_000.0]},
        market={"underlying": COINS, "indexPrice": MARKS},
        options={"history": _history(_moves())},
    )


def _column(table: Table, name: str) -> dict[str, float]:
    return {str(row["symbol"]): float(row[name] or 0) for row in table.records()}


def _shortfall(results: np.ndarray, confidence: float) -> tuple[float, np.ndarray]:
    """Return the expected shortfall and the weight of each scenario in it, by its definition."""
    losses = -results.sum(axis=1)
    order = np.argsort(-losses, kind="stable")
    weights = np.zeros(len(losses))
    left = len(losses) * (1 - confidence)
    for place in order:
        weights[place] = min(1.0, left)
        left -= weights[place]
        if left <= 0:
            break
    weights /= weights.sum()
    return float(weights @ losses), weights


def test_components_of_expected_shortfall_are_the_averages_over_its_tail() -> None:
    """Second method: the tail average of each position in numpy (Tasche 1999)."""
    results = np.asarray(QUANTITIES) * MARKS * np.expm1(_moves())
    shortfall, weights = _shortfall(results, 0.975)
    options = {"method": "historical", "confidence": "0.975", "window": str(DAYS - 1)}
    found = _column(cm.risk_contributions(_book(), measure="ES", options=options), "component")
    total = found.pop("TOTAL")
    assert total == pytest.approx(shortfall, rel=1e-12)
    assert list(found.values()) == pytest.approx((-(weights @ results)).tolist(), rel=1e-10)
    assert math.fsum(found.values()) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("measure", ["MM", "ES", "VaR"])
def test_every_grouping_adds_up_to_the_same_total(measure: str) -> None:
    book = _book()
    totals = []
    for group_by in ("position", "underlying", "account", "strategy"):
        answer = cm.risk_contributions(book, measure=measure, group_by=group_by)
        found = _column(answer, "component")
        totals.append(found.pop("TOTAL"))
        assert math.fsum(found.values()) == pytest.approx(totals[-1], rel=1e-12)
    assert totals == pytest.approx([totals[0]] * 4, rel=1e-12)
    if measure == "MM":
        assert totals[0] == pytest.approx(cm.maintenance_margin(book), rel=1e-12)


def test_a_strategy_bears_what_its_positions_bear() -> None:
    book = _book()
    by_position = _column(cm.risk_contributions(book, measure="ES"), "component")
    by_strategy = _column(
        cm.risk_contributions(book, measure="ES", group_by="strategy"), "component"
    )
    assert by_strategy["carry"] == pytest.approx(
        by_position["BTC-PERP"] + by_position["SOL-PERP"], rel=1e-12
    )
    assert by_strategy["basis"] == pytest.approx(by_position["ETH-PERP"], rel=1e-12)


@pytest.mark.parametrize("place", range(3))
def test_incremental_and_standalone_are_those_of_books_without_it_and_with_it_alone(
    place: int,
) -> None:
    symbol = f"{COINS[place]}-PERP"
    whole = _book()
    rows = {str(row["symbol"]): row for row in cm.risk_contributions(whole).records()}
    without = tuple(0.0 if own == place else q for own, q in enumerate(QUANTITIES))
    alone = tuple(q if own == place else 0.0 for own, q in enumerate(QUANTITIES))

    def margin(book: Book) -> float:
        return cm.maintenance_margin(book) or 0.0

    assert rows[symbol]["incremental"] == pytest.approx(
        margin(whole) - margin(_book(quantities=without)), rel=1e-9
    )
    assert rows[symbol]["standalone"] == pytest.approx(margin(_book(quantities=alone)), rel=1e-12)


def test_marginal_is_the_derivative_by_notional() -> None:
    """Second method: a difference of two books, one with a millionth more of a position."""
    options = {"method": "historical", "window": str(DAYS - 1)}

    def shortfall(quantities: tuple[float, ...]) -> float:
        answer = cm.risk_contributions(_book(quantities=quantities), measure="ES", options=options)
        return _column(answer, "component")["TOTAL"]

    marginal = _column(cm.risk_contributions(_book(), measure="ES", options=options), "marginal")
    for place, coin in enumerate(COINS):
        more = tuple(
            quantity * (1 + 1e-6) if own == place else quantity
            for own, quantity in enumerate(QUANTITIES)
        )
        slope = (shortfall(more) - shortfall(QUANTITIES)) / (
            1e-6 * abs(QUANTITIES[place]) * MARKS[place]
        )
        assert marginal[f"{coin}-PERP"] == pytest.approx(slope, rel=1e-5)


def test_charges_have_rows_of_their_own() -> None:
    rows = cm.risk_contributions(_book()).records()
    charged = {str(row["symbol"]): row for row in rows if row["note"] == "charged by itself"}
    assert list(charged) == [f"cost of liquidation {coin}" for coin in COINS]
    for coin, quantity, mark in zip(COINS, QUANTITIES, MARKS, strict=True):
        row = charged[f"cost of liquidation {coin}"]
        assert row["component"] == pytest.approx(0.0005 * abs(quantity) * mark, rel=1e-12)
        assert row["rank_component"] == ""


def test_a_fixed_minimum_belongs_to_nobody() -> None:
    rules = cm.rulebooks("es")
    rows: list[list[object]] = [
        [row["key"], row["value"], row["source"]] for row in rules.records()
    ]
    rows += [
        [f"profiles.*.charges.minimum.{key}", value, "cost"]
        for key, value in {
            "on": "fixed",
            "stage": "outside",
            "rate": 250.0,
            "source": "cost",
        }.items()
    ]
    book = _book([["key", "value", "source"], *rows])  # type: ignore[arg-type]
    found = {str(row["symbol"]): row for row in cm.risk_contributions(book).records()}
    for coin in COINS:
        row = found[f"not attributable: minimum {coin}"]
        assert (row["component"], row["note"]) == (250.0, "stands whatever is held")


def test_brackets_give_each_position_its_own_margin_where_eulers_shares_give_more() -> None:
    """A margin of brackets grows faster than what is held: rate times notional is too much."""
    brackets = [
        ["rulebook", "symbol", "minNotional", "maxNotional", "maintenanceMarginRate"],
        ["custom", "BTC", 0.0, 50_000.0, 0.01],
        ["custom", "BTC", 50_000.0, 1e9, 0.05],
    ]
    book = cm.book(
        {"symbol": ["BTC"], "contracts": [2.0], "entryPrice": [9e4], "markPrice": [9e4]},
        brackets,
        collateral={"currency": ["USD"], "cash": [60_000.0]},
    )
    row = cm.risk_contributions(book).records()[0]
    margin = 0.01 * 50_000 + 0.05 * 130_000
    assert row["component"] == pytest.approx(margin, rel=1e-12)
    assert row["marginal"] == 0.05
    assert float(row["marginal"] or 0) * float(row["notional"] or 0) > margin


HEDGED = (1_000_000.0, -900_000.0, 600_000.0)
"""A long perpetual AAA, its hedge BBB, another coin CCC: published in methods.md 2.5."""


def _hedged(equity: float) -> Book:
    return cm.book(
        {
            "symbol": ["AAA", "BBB", "CCC"],
            "contracts": list(HEDGED),
            "entryPrice": [1.0] * 3,
            "markPrice": [1.0] * 3,
        },
        {
            "id": "var-1d",
            "version": "1",
            "venue": "any",
            "mode": "value at risk",
            "report_currency": "USD",
            "settle": "USD",
            "balance_total": "cash",
            "source": "a test",
            "retrieved": "2026-11-28",
            "effective": "2026-11-28",
            "status": "estimated",
            "venue_ratio": "maintenance_over_equity",
            "pool": {"kind": "account"},
            "measure": {
                "kind": "normal_value_at_risk",
                "confidence": 0.99,
                "horizon_days": 1.0,
                "days_per_year": 365.0,
            },
            "levels": {
                "initial": {"factor": 1.0, "trigger": 1.0, "haircut": False},
                "maintenance": {"factor": 1.0, "trigger": 1.0, "haircut": False},
                "source": "general",
            },
            "collateral": {"other_currencies": "full"},
            "liquidation": {"policy": "highest_risk_contribution", "certainty": "assumed"},
        },
        collateral={"currency": ["USD"], "cash": [equity]},
        market={"underlying": ["AAA", "BBB", "CCC"], "annualVol": [0.6, 0.6, 0.8]},
        options={"correlations": [[1, 0.99, 0.8], [0.99, 1, 0.8], [0.8, 0.8, 1]]},
    )


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        ("highest_risk_contribution", "AAA"),
        ("marginal_per_cost", "CCC"),
        ("incremental", "CCC"),
        ("largest_notional", "AAA"),
    ],
)
def test_policies_by_risk_choose_what_their_definition_ranks_first(policy: str, first: str) -> None:
    """Published orders: by component 0 2 1, by marginal and increment 2 0 1."""
    order = cm.liquidation_order(
        _hedged(60_000.0), scenario="now", options={"policy": policy, "slippage": "0.0005"}
    ).records()
    assert order[0]["symbol"] == first
    assert order[0]["certainty"] == "chosen"
    equity, margin = (float(order[-1][name] or 0) for name in ("equity_after", "mm_after"))
    assert equity >= margin * (1 - 1e-9)


def test_closing_a_whole_position_is_the_step_of_the_incremental_policy() -> None:
    book = _hedged(60_000.0)
    options = {"policy": "incremental", "slippage": "0.0005"}
    step = cm.liquidation_order(book, scenario="now", options=options).records()[0]
    freed = _column(cm.risk_contributions(book), "incremental")["CCC"]
    quantity, before, after = (float(step[name] or 0) for name in ("qty", "mm_before", "mm_after"))
    assert abs(quantity) == 600_000.0
    assert before - after == pytest.approx(freed, rel=1e-9)


def test_a_hedge_is_said_to_be_one_and_goes_last() -> None:
    book = _hedged(1.0)
    rows = {str(row["symbol"]): row for row in cm.risk_contributions(book).records()}
    assert rows["BBB"]["note"] == "a hedge: closing it alone raises the margin"
    for policy in ("highest_risk_contribution", "marginal_per_cost", "incremental"):
        options = {"policy": policy, "step": "whole"}
        order = cm.liquidation_order(book, scenario="now", options=options)
        assert [row["symbol"] for row in order.records()][-1] == "BBB" or policy != "incremental"


def test_another_measure_grouping_or_option_is_refused_by_name() -> None:
    book = _book()
    with pytest.raises(cm.CrossmarginError, match="unknown measure 'IM'; known: MM, ES, VaR"):
        cm.risk_contributions(book, measure="IM")
    with pytest.raises(cm.CrossmarginError, match="unknown group_by 'trader'"):
        cm.risk_contributions(book, group_by="trader")
    with pytest.raises(cm.CrossmarginError, match="unknown option 'windows'"):
        cm.risk_contributions(book, measure="ES", options={"windows": "250"})
    with pytest.raises(cm.CrossmarginError, match="none for the measure MM"):
        cm.risk_contributions(book, options={"window": "250"})
