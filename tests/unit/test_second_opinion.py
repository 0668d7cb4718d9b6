"""Drawn books against a second implementation that was written without sight of the engine.

Every scenario, the worst of them, every charge and both levels agree to 1e-10 of the largest figure
of the unit. Deribit's coin pools are reported in dollars here, in coins there: one index apart.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from crossmargin import functions as cm
from tests.oracle import drawn
from tests.second_opinion import black76, books
from tests.second_opinion.deribit_spm import deribit_spm
from tests.second_opinion.derive_books import SCENARIOS, derive_inputs
from tests.second_opinion.derive_pm2 import derive_pm2
from tests.second_opinion.paradex_pm import DEFAULTS as PARADEX
from tests.second_opinion.paradex_pm import paradex_pm
from tests.second_opinion.span16 import DEFAULTS as SPAN
from tests.second_opinion.span16 import span16

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crossmargin._core import Book
    from crossmargin.table import Table
    from tests.second_opinion import shapes

SEEDS = range(64)
WITHIN = 1e-10  # of the largest figure of the unit
LEVELS = {"IM": cm.initial_margin, "MM": cm.maintenance_margin}

Records = list[dict[str, Any]]


def _records(table: Table) -> Records:
    return [dict(row) for row in table.records()]


def _agree(ours: Iterable[float], theirs: Iterable[float], scale: float, what: object) -> None:
    expected = [pytest.approx(figure, rel=0.0, abs=WITHIN * scale) for figure in theirs]
    assert list(ours) == expected, what


def _loaded(book: shapes.Book, rulebook: object) -> Book:
    return cm.book(
        drawn.positions(book),
        rulebook,
        market=drawn.market(book),
        as_of=drawn.as_of_words(),
    )


def _units(book: Book) -> dict[tuple[str, str], Records]:
    """Return the scenarios of every unit, by pool and coin."""
    units: dict[tuple[str, str], Records] = {}
    for row in _records(cm.scenarios(book, risk_unit="all", layout="list")):
        units.setdefault((row["account"], row["risk_unit"]), []).append(row)
    return units


def _parts(book: Book, level: str) -> dict[tuple[str, str], Records]:
    """Return the components of a level of every unit, by pool and coin."""
    units: dict[tuple[str, str], Records] = {}
    for row in _records(cm.explanation(book, measure=level)):
        units.setdefault((row["account"], row["risk_unit"]), []).append(row)
    return units


def _amounts(rows: Records, name: str) -> list[float]:
    return [row["amount"] for row in rows if row["component"].startswith(name)]


def _counted(rows: Records) -> list[float]:
    return [row["amount"] for row in rows if row["counts"] == "yes"]


# Deribit


@pytest.mark.parametrize("seed", SEEDS)
def test_deribit(seed: int) -> None:
    held = drawn.on_whole_seconds(books.book("deribit-spm", seed))
    pools = deribit_spm(held)["pools"]
    book = _loaded(held, "deribit-spm")
    scenarios = _units(book)
    assert len(scenarios) == sum(len(pool["underlyings"]) for pool in pools.values())
    totals: Counter[str] = Counter()
    for settle, pool in pools.items():
        for coin, one in pool["underlyings"].items():
            money = 1.0 if settle == "USDC" else held["index"][coin]
            unit = (f"main/{settle}", coin)
            scale = money * max(map(abs, one["summed"]))
            ours = [row["pnl"] for row in scenarios[unit]]
            assert len(ours) == 35
            _agree(ours, [money * cell for cell in one["aggregated"]], scale, unit)
            for level, factor in (("IM", money), ("MM", 0.8 * money)):
                rows = _parts(book, level)[unit]
                found = [
                    max(_amounts(rows, "worst of")),
                    *_amounts(rows, "roll shock"),
                    *_amounts(rows, "delta shock"),
                    sum(_counted(rows)),
                ]
                names = ("worst", "roll_shock", "delta_shock", "risk_matrix_margin")
                _agree(found, [factor * one[name] for name in names], scale, (unit, level))
                totals[level] += factor * one["risk_matrix_margin"]
    for level, margin in LEVELS.items():
        assert margin(book) == pytest.approx(totals[level], rel=WITHIN)


def test_deribit_books_that_are_drawn_decide_every_branch() -> None:
    decided: Counter[str] = Counter()
    for seed in SEEDS:
        held = drawn.on_whole_seconds(books.book("deribit-spm", seed))
        rows = _records(cm.explanation(_loaded(held, "deribit-spm")))
        decided.update(row["component"] for row in rows if row["counts"] == "yes" and row["amount"])
    assert min(decided[name] for name in ("worst of standard", "worst of extended")) >= 5
    assert decided["delta shock (added to the worst scenario)"] >= 5


# Paradex


def _fees(book: shapes.Book) -> float:
    """Return 0.03 % of the index, of an option at most 12.5 % of its value."""
    total = 0.0
    for position in book["positions"]:
        fee = 0.0003 * abs(position["quantity"]) * book["index"][position["underlying"]]
        if position["kind"] == "option":
            value = black76.value(
                position["right"],
                position["forward"],
                position["strike"],
                position["implied_volatility"],
                (position["expiry_days"] or 0.0) / 365.0,
            )
            fee = min(fee, 0.125 * abs(position["quantity"]) * value)
        total += fee
    return total


@pytest.mark.parametrize("seed", SEEDS)
def test_paradex(seed: int) -> None:
    held = drawn.on_whole_seconds(books.book("paradex-pm", seed))
    pool = paradex_pm(held, PARADEX | {"fee_provision": _fees(held)})["pools"]["USDC"]
    book = _loaded(held, "paradex-pm")
    scenarios = _units(book)
    assert len(scenarios) == len(pool["underlyings"])
    for coin, one in pool["underlyings"].items():
        unit = ("main", coin)
        scale = max(map(abs, one["summed"]))
        ours = {(row["price_move"], row["vol_move"]): row["pnl"] for row in scenarios[unit]}
        assert len(ours) == 24
        keys = [(cell["move"], f"volatility {cell['volatility']}") for cell in one["scenarios"]]
        _agree([ours[key] for key in keys], one["weighted"], scale, unit)
        for level, factor in (("IM", 1.0), ("MM", 0.5)):
            rows = _parts(book, level)[unit]
            provisions = sum(_amounts(rows, "funding")) + sum(_amounts(rows, "fee"))
            found = [
                max(_amounts(rows, "worst of")),
                *_amounts(rows, "minimum delta"),
                sum(_counted(rows)) - provisions,
            ]
            names = ("scan", "minimum_delta", "net")
            _agree(found, [factor * one[name] for name in names], scale, (unit, level))
    assert cm.initial_margin(book) == pytest.approx(pool["initial_margin"], rel=WITHIN)
    assert cm.maintenance_margin(book) == pytest.approx(pool["maintenance_margin"], rel=WITHIN)


# SPAN


def _span_profile(coin: str, product: Mapping[str, float]) -> dict[str, Any]:
    third, volatility = product["price_range"] / 3.0, product["volatility_range"]
    whole = product["price_range"]
    far = SPAN["extreme_multiple"] * whole
    return {
        "underlyings": [coin],
        "volatility": {"up": volatility, "down": volatility},
        "scenarios": [
            {
                "set": "scan",
                "price_moves": [0.0, third, -third, 2.0 * third, -2.0 * third, whole, -whole],
                "volatility": ["up", "down"],
                "days": SPAN["look_ahead_days"],
            },
            {
                "set": "extreme",
                "price_moves": [far, -far],
                "volatility": ["same"],
                "weight": SPAN["extreme_cover"],
                "days": SPAN["look_ahead_days"],
            },
        ],
        "charges": [
            {
                "name": "calendar spread",
                "on": "calendar",
                "stage": "inside",
                "rate": product["intra_rate"],
            },
            {
                "name": "short option minimum",
                "on": "short_options",
                "stage": "floor",
                "count": "larger_of_calls_and_puts",
                "rate": product["short_option_rate"],
            },
            {"name": "net option value", "on": "net_option_value", "stage": "outside"},
        ],
    }


def _span_rulebook() -> dict[str, Any]:
    side = {"A": 1.0, "B": -1.0}
    return {
        "id": "span-drawn",
        "version": "1",
        "venue": "generic",
        "report_currency": "USD",
        "settle": "USD",
        "source": "the parameters of the second implementation",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "pool": {"kind": "account"},
        "pricing": {"discounting": "nothing"},
        "measure": {"kind": "scenarios", "numeraire": "report", "unit": "underlying"},
        "levels": {
            "initial": {"option_value": "nothing"},
            "maintenance": {"option_value": "nothing"},
        },
        "profiles": [_span_profile(coin, one) for coin, one in SPAN["underlyings"].items()],
        "credits": [
            {
                "legs": [
                    {"underlying": leg["underlying"], "delta": leg["ratio"] * side[leg["side"]]}
                    for leg in credit["legs"]
                ],
                "rate": credit["rate"],
            }
            for credit in SPAN["inter_credits"]
        ],
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_span(seed: int) -> None:
    held = drawn.on_whole_seconds(books.book("span16", seed))
    pool = span16(held)["pools"]["USD"]
    book = _loaded(held, _span_rulebook())
    scenarios, components = _units(book), _parts(book, "MM")
    largest = 0.0
    for coin, one in pool["underlyings"].items():
        unit = ("main", coin)
        scale = max(*map(abs, one["summed"]), abs(one["net_option_value"]))
        largest = max(largest, scale)
        ours = [row["pnl"] for row in scenarios[unit]]
        assert len(ours) == 16
        _agree(ours, one["summed"], scale, unit)
        rows = components[unit]
        known = ("worst of", "calendar spread", "short option minimum", "net option value")
        credit = sum(row["amount"] for row in rows if not row["component"].startswith(known))
        found = [
            max(_amounts(rows, "worst of")),
            *_amounts(rows, "calendar spread"),
            *_amounts(rows, "short option minimum"),
            -sum(_amounts(rows, "net option value")),
            -credit,
            sum(_counted(rows)),
        ]
        names = (
            "scan",
            "intra_charge",
            "short_option_minimum",
            "net_option_value",
            "inter_credit",
            "requirement",
        )
        _agree(found, [one[name] for name in names], scale, unit)
    _agree([cm.maintenance_margin(book) or 0.0], [pool["requirement"]], largest, "total")


def test_span_as_compiled_in_is_the_same_rule_with_other_numbers() -> None:
    product = {
        "price_range": 0.15,
        "volatility_range": 0.25,
        "intra_rate": 0.01,
        "short_option_rate": 0.005,
    }
    legs = [("BTC", 1.0, "A"), ("ETH", 30.0, "B")]
    credit = {
        "legs": [{"underlying": coin, "ratio": ratio, "side": side} for coin, ratio, side in legs],
        "rate": 0.30,
    }
    parameters = SPAN | {
        "underlyings": {"BTC": product, "ETH": product | {"price_range": 0.20}},
        "inter_credits": [credit],
    }
    seen = earned = 0
    for seed in SEEDS:
        whole = drawn.on_whole_seconds(books.book("span16", seed))
        kept = [one for one in whole["positions"] if one["underlying"] in {"BTC", "ETH"}]
        if not kept:
            continue
        held: shapes.Book = {**whole, "positions": kept}
        pool = span16(held, parameters)["pools"]["USD"]
        scale = max(max(map(abs, one["summed"])) for one in pool["underlyings"].values())
        book = _loaded(held, "span-16")
        _agree([cm.maintenance_margin(book) or 0.0], [pool["requirement"]], scale, seed)
        seen += 1
        earned += bool(pool["inter_spreads"])
    assert (seen >= 40, earned >= 5) == (True, True)


# Derive


def _derive_rows(inputs: dict[str, Any]) -> Records:
    expiries = {expiry["seconds_to_expiry"]: expiry for expiry in inputs["expiries"]}
    rows: Records = []
    perpetual = inputs["perp"]
    if perpetual["amount"]:
        rows.append(
            {
                "symbol": "PERPETUAL",
                "type": "perpetual",
                "quantity": perpetual["amount"],
                "markPrice": perpetual["price"],
                "unrealizedPnl": perpetual["unrealised_pnl"],
                "confidence": perpetual["confidence"],
            }
        )
    for place, option in enumerate(inputs["options"]):
        expiry = expiries[option["seconds_to_expiry"]]
        rows.append(
            {
                "symbol": f"OPTION-{place:03d}",
                "type": "option",
                "quantity": option["amount"],
                "strike": option["strike"],
                "optionType": option["type"],
                "secondsToExpiry": option["seconds_to_expiry"],
                "impliedVolatilityFraction": option["vol"],
                "forward": expiry["forward"],
                "rate": expiry["rate"],
                "confidence": expiry["vol_confidence"],
                "forwardConfidence": expiry["forward_confidence"],
                "rateConfidence": expiry["rate_confidence"],
            }
        )
    columns = dict.fromkeys(name for row in rows for name in row)
    alike = {"underlying": "BTC", "settle": "USDC"}
    return [alike | {name: row.get(name) for name in columns} for row in rows]


@pytest.mark.parametrize("seed", SEEDS)
def test_derive(seed: int) -> None:
    inputs = derive_inputs(seed)
    theirs = derive_pm2(inputs, SCENARIOS)
    book = cm.book(
        _derive_rows(inputs),
        "derive-pm2",
        collateral=[{"currency": "USDC", "cash": inputs["cash"]}],
        market=[
            {
                "underlying": "BTC",
                "indexPrice": inputs["spot"],
                "confidence": inputs["spot_confidence"],
            },
            {"underlying": "USDC", "indexPrice": inputs["stable_price"], "confidence": None},
        ],
    )
    ours = {
        (round(1.0 + row["price_move"], 9), row["vol_move"]): row["pnl"]
        for row in _records(cm.scenarios(book, risk_unit="BTC", layout="list"))
    }
    words = {
        "up": "volatility up",
        "down": "volatility down",
        "none": "volatility same",
        "skew_linear": "skew linear",
        "skew_abs": "skew absolute",
    }
    scale = max(*map(abs, theirs["scenario_pnl"]), abs(inputs["cash"]))
    listed = [ours[round(multiple, 9), words[way]] for multiple, way, _ in SCENARIOS]
    _agree(listed, theirs["scenario_pnl"], scale, "scenarios")
    contingency = _amounts(_parts(book, "IM")["main", "BTC"], "forward contingency")
    found = [
        cm.excess(book, above="IM") or 0.0,
        cm.excess(book, above="MM") or 0.0,
        (cm.equity(book, basis="gross") or 0.0) - inputs["cash"],
    ]
    _agree(found, [theirs[name] for name in ("IM", "MM", "portfolio_mtm")], scale, "levels")
    assert len(contingency) == 1
