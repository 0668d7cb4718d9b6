"""The second opinion against published figures and small cases by hand."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import mpmath
import pytest

from tests.second_opinion import black76
from tests.second_opinion.deribit_spm import DEFAULTS as DERIBIT
from tests.second_opinion.deribit_spm import aggregate, deribit_spm, shocked_volatility
from tests.second_opinion.derive_pm2 import derive_pm2
from tests.second_opinion.paradex_pm import DEFAULTS as PARADEX
from tests.second_opinion.paradex_pm import minimum_delta_charge, paradex_pm, scenarios
from tests.second_opinion.paradex_pm import shocked_volatility as paradex_volatility
from tests.second_opinion.span16 import price_risk, scan, span16, spread_credits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.second_opinion.shapes import Book, Position, Right


def _cases(folder: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "vectors" / name).read_text())
    return {one["id"]: one for one in loaded["cases"]}


def _linear(
    quantity: float, forward: float, settle: str, days: float | None = None, of: str = "BTC"
) -> Position:
    return {
        "underlying": of,
        "kind": "perpetual" if days is None else "future",
        "settle": settle,
        "expiry_days": days,
        "forward": forward,
        "quantity": quantity,
    }


def _option(
    quantity: float, right: Right, strike: float, settle: str = "USDC", days: float = 30.0
) -> Position:
    return {
        "underlying": "BTC",
        "kind": "option",
        "settle": settle,
        "expiry_days": days,
        "forward": 100_000.0,
        "quantity": quantity,
        "strike": strike,
        "right": right,
        "implied_volatility": 0.6,
    }


def _book(*positions: Position, index: float = 100_000.0) -> Book:
    named = {position["underlying"]: index for position in positions}
    return {"as_of_days": 0.0, "index": named, "positions": list(positions)}


def _one(result: dict[str, Any], pool: str, underlying: str = "BTC") -> dict[str, Any]:
    found: dict[str, Any] = result["pools"][pool]["underlyings"][underlying]
    return found


def _standard(vector: list[float]) -> list[float]:
    return vector[0:27:3]  # one volatility of each of the nine buckets


# Black-76


def test_black76_agrees_with_the_published_prices(shared: Path) -> None:
    seen = 0
    for one in _cases(shared, "black76_svi_greeks_reference.json").values():
        given = one["inputs"]
        if "discount" not in given:
            continue
        years = given["seconds_to_expiry"] / 86_400.0 / given["year_days"]
        for right in ("call", "put"):
            priced = given["discount"] * black76.value(
                right, given["forward"], given["strike"], given["vol"], years
            )
            assert priced == pytest.approx(one["expected"][right], rel=1e-9, abs=1e-9)
        seen += 1
    assert seen == 4


@pytest.mark.parametrize("strike", [20.0, 60.0, 99.0, 100.0, 101.0, 180.0, 900.0])
@pytest.mark.parametrize("deviation", [0.02, 0.3, 1.5])
def test_the_side_out_of_the_money_keeps_its_digits(strike: float, deviation: float) -> None:
    with mpmath.workdps(60):
        f, k, s = mpmath.mpf(100), mpmath.mpf(strike), mpmath.mpf(deviation)
        d1 = mpmath.log(f / k) / s + s / 2
        call = f * mpmath.ncdf(d1) - k * mpmath.ncdf(d1 - s)
        put = k * mpmath.ncdf(s - d1) - f * mpmath.ncdf(-d1)
        expected = call if strike >= 100.0 else put
        right: Right = "call" if strike >= 100.0 else "put"
        got = black76.value(right, 100.0, strike, deviation, 1.0)
        assert got == pytest.approx(float(expected), rel=1e-9, abs=1e-290)


def test_delta_is_the_slope_of_the_value() -> None:
    rights: tuple[Right, Right] = ("call", "put")
    for right in rights:
        up, down = (black76.value(right, 100.0 + h, 95.0, 0.7, 0.2) for h in (1e-3, -1e-3))
        slope = (up - down) / 2e-3
        assert black76.delta(right, 100.0, 95.0, 0.7, 0.2) == pytest.approx(slope, rel=1e-7)


# Deribit


def test_deribit_docs_account_comes_out(shared: Path) -> None:
    published = _cases(shared, "deribit_pme_example.json")
    whole = published["deribit_spm_btc_docs_20240617"]
    sizes, marks = whole["inputs"]["positions_coin"], whole["inputs"]["mark_prices"]
    expiry_ms = 1_719_561_600_000  # 28 June 2024, 08:00 UTC
    days = (expiry_ms - whole["inputs"]["timestamp_ms"]) / 86_400_000.0
    book = _book(
        _linear(sizes["BTC-PERPETUAL"], marks["BTC-PERPETUAL"], "BTC"),
        _linear(sizes["BTC-28JUN24"], marks["BTC-28JUN24"], "BTC", days),
        index=whole["inputs"]["index_price_btc_usd"],
    )
    result, expected = deribit_spm(book), whole["expected"]
    got = _one(result, "BTC")
    vectors = expected["initial_risk_vector_standard_by_bucket"]
    for vector, name in zip(got["by_instrument"], ("BTC-PERPETUAL", "BTC-28JUN24"), strict=True):
        assert _standard(vector) == pytest.approx(vectors[name], abs=1e-12)
        own = published[f"deribit-pme-{'perp' if name == 'BTC-PERPETUAL' else 'future'}-vector"]
        assert _standard(vector) == pytest.approx(own["expected"]["pnl_btc"], abs=1e-9)
    aggregated = expected["aggregated_standard_by_bucket"]
    assert _standard(got["aggregated"]) == pytest.approx(aggregated, abs=1e-12)
    assert got["aggregated"][27:] == pytest.approx(expected["aggregated_extended"], abs=1e-12)
    assert got["worst"] == pytest.approx(expected["worst_case"], abs=1e-12)
    assert got["worst_scenario"]["move"] == -0.16
    assert got["roll_shock"] == pytest.approx(expected["roll_shock"], abs=1e-12)
    assert got["delta_shock"] == 0.0
    margin = expected["risk_matrix_margin"]
    assert got["risk_matrix_margin"] == pytest.approx(margin, abs=1e-9)
    pool = result["pools"]["BTC"]
    extras = whole["inputs"]["mmp_margin"] + whole["inputs"]["open_orders_margin"]
    assert pool["initial_margin"] + extras == pytest.approx(expected["initial_margin"], abs=1e-9)
    assert pool["maintenance_margin"] == pytest.approx(expected["maintenance_margin"], abs=1e-9)
    for name in ("deribit-pme-aggregate", "deribit-pme-margin"):
        worst = published[name]["inputs"].get("worst_case", got["worst"])
        assert got["worst"] == pytest.approx(worst, abs=1e-12)


def test_deribit_tails_of_a_perpetual_are_its_edge_buckets(shared: Path) -> None:
    published = _cases(shared, "deribit_pme_example.json")["deribit-pme-extended"]
    perpetual = _linear(published["inputs"]["position_btc"], 65_910.57, "BTC")
    got = _one(deribit_spm(_book(perpetual, index=65_666.19)), "BTC")
    assert got["adjusted"][27:] == pytest.approx(published["expected"]["extended"], abs=1e-12)
    assert got["dampened"][27:] == [0.0] * 8


def test_deribit_live_eth_figures_of_february_2026() -> None:
    book = _book(_linear(-0.999487053, 2_000.0, "ETH", of="ETH"), index=2_000.0)
    got = _one(deribit_spm(book), "ETH", "ETH")
    assert got["summed"][0] == pytest.approx(0.2193996, abs=1e-7)
    assert got["aggregated"][0] == pytest.approx(0.1316398, abs=1e-7)
    assert got["roll_shock"] == pytest.approx(0.999487053 * 0.005, abs=1e-15)


def test_deribit_volatility_floor_lies_on_the_result() -> None:
    pair = DERIBIT["underlyings"]["BTC"]
    assert shocked_volatility(0.20, "up", 30.0, pair, DERIBIT) == 0.50
    assert shocked_volatility(0.40, "up", 30.0, pair, DERIBIT) == pytest.approx(0.60)
    assert shocked_volatility(0.40, "down", 30.0, pair, DERIBIT) == pytest.approx(0.30)
    floored = 0.40 * (1.0 + 0.50 * 30.0**0.30)
    assert shocked_volatility(0.40, "up", 0.2, pair, DERIBIT) == pytest.approx(floored)
    wide = {**pair, "volatility_range_down": 0.9}
    assert shocked_volatility(0.40, "down", 1.0, wide, DERIBIT) == 0.0


def test_deribit_short_call_by_hand() -> None:
    got = _one(deribit_spm(_book(_option(-1.0, "call", 110_000.0))), "USDC")
    at = next(
        at
        for at, cell in enumerate(got["cells"])
        if cell["table"] == "standard" and (cell["move"], cell["volatility"]) == (0.16, "up")
    )
    years = 30.0 / 365.0
    now = black76.value("call", 100_000.0, 110_000.0, 0.6, years)
    then = black76.value("call", 116_000.0, 110_000.0, 0.9, years)
    # d1 = -0.46805 and d2 = -0.64007: 100,000 * 0.31988 - 110,000 * 0.26106
    assert now == pytest.approx(3_271.0, abs=2.0)
    assert got["summed"][at] == pytest.approx(now - then)
    tail = black76.value("call", 600_000.0, 110_000.0, 0.9, years) - now
    counted = tail * 0.16 / 5.0 - (5.0 / 0.16 - 1.0) * 25_000.0
    assert got["dampened"][-1] == pytest.approx(min(0.0, -counted))
    delta = black76.delta("call", 100_000.0, 110_000.0, 0.6, years)
    assert got["roll_shock"] == pytest.approx(delta * 0.01 * 100_000.0)


def test_deribit_coin_settled_delta_is_net_of_the_mark() -> None:
    got = _one(deribit_spm(_book(_option(-2.0, "put", 90_000.0, "BTC"))), "BTC")
    terms: tuple[Right, float, float, float, float]
    terms = ("put", 100_000.0, 90_000.0, 0.6, 30.0 / 365.0)
    expected = -2.0 * (black76.delta(*terms) - black76.value(*terms) / 100_000.0)
    assert got["deltas"] == [pytest.approx(expected)]
    assert expected > 0.0


def test_deribit_roll_grows_with_time_and_does_not_net_across_expiries() -> None:
    book = _book(_linear(3.0, 100_000.0, "BTC"), _linear(-3.0, 104_000.0, "BTC", 365.0))
    got = _one(deribit_spm(book), "BTC")
    assert got["worst"] == pytest.approx(0.0, abs=1e-15)
    assert got["roll_shock"] == pytest.approx(3.0 * 0.01 + 3.0 * math.expm1(0.075))


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [(100.0, 0.0), (300.0, 300.0 * 0.00005 * 100.0), (-5_000.0, 5_000.0 * 0.10)],
)
def test_deribit_delta_shock_starts_at_the_threshold_and_ends_at_the_cap(
    quantity: float, expected: float
) -> None:
    in_coin = _one(deribit_spm(_book(_linear(quantity, 100_000.0, "BTC"))), "BTC")
    in_usd = _one(deribit_spm(_book(_linear(quantity, 100_000.0, "USDC"))), "USDC")
    assert in_coin["delta_shock"] == pytest.approx(expected)
    assert in_usd["delta_shock"] == pytest.approx(expected * 100_000.0)


def test_deribit_long_options_only_reduce_the_counted_delta() -> None:
    calls = _option(500.0, "call", 50_000.0)
    alone = _one(deribit_spm(_book(calls)), "USDC")
    assert (alone["counted_delta"], alone["delta_shock"]) == (0.0, 0.0)
    short = _linear(-800.0, 100_000.0, "USDC")
    hedged = _one(deribit_spm(_book(calls, short)), "USDC")
    assert hedged["counted_delta"] == pytest.approx(-800.0 + hedged["long_option_delta"])


def test_gains_count_at_the_offset_rate_up_to_the_cap() -> None:
    assert aggregate([-5.0, 0.0, 10.0, 100.0], 0.6, 20.0) == [-5.0, 0.0, 6.0, 20.0]


@pytest.mark.parametrize("settle", ["BTC", "USDC"])
def test_deribit_a_call_less_a_put_is_a_part_of_a_future(settle: str) -> None:
    strike = 120_000.0
    book = _book(_option(2.0, "call", strike, settle), _option(-2.0, "put", strike, settle))
    future = _book(_linear(2.0, 100_000.0, settle, 30.0))
    share = strike / 100_000.0 if settle == "BTC" else 1.0
    synthetic, plain = (_one(deribit_spm(one), settle) for one in (book, future))
    expected = [share * profit for profit in plain["summed"]]
    assert synthetic["summed"] == pytest.approx(expected, rel=1e-9, abs=1e-9)


# Paradex


def test_paradex_minimum_delta_example_comes_out(shared: Path) -> None:
    example = _cases(shared, "venues.json")["paradex_min_delta"]
    given, expected = example["inputs"], example["expected"]
    deltas = [leg["size"] * leg["delta"] for leg in given["legs"]]
    got = minimum_delta_charge(deltas, given["spot"], given["unhedged"], given["hedged"])
    assert got["net_delta"] == pytest.approx(expected["net_delta"])
    assert got["gross_delta"] == pytest.approx(expected["gross_delta"])
    assert got["hedged_delta"] == pytest.approx(expected["hedged_delta"])
    assert got["minimum_delta"] == pytest.approx(expected["min_delta_risk"])


def test_paradex_has_24_scenarios_with_the_printed_weights() -> None:
    for name in ("BTC", "HYPE"):
        unit = PARADEX["underlyings"][name]
        listed = scenarios(unit)
        assert len(listed) == 24
        outer = [one for one in listed if abs(one["move"]) == unit["outer_move"]]
        assert [one["volatility"] for one in outer] == ["up", "up"]
    for move, weight in PARADEX["underlyings"]["BTC"]["tails"]:
        assert weight == pytest.approx(0.12 / abs(move), abs=0.004)


def test_paradex_floor_lies_on_the_scaled_shock() -> None:
    major, minor = (PARADEX["underlyings"][name] for name in ("ETH", "CL"))
    assert paradex_volatility(0.5, "up", 300.0, major) == pytest.approx(0.5 * 1.40)
    assert paradex_volatility(0.5, "up", 30.0, major) == pytest.approx(0.5 * 1.40)
    assert paradex_volatility(0.5, "up", 60.0, minor) == pytest.approx(0.5 * 1.60)
    assert paradex_volatility(0.5, "up", 30.0, minor) == pytest.approx(0.5 * 1.64)
    at_floor = 0.5 * (1.0 + 0.40 * 30.0**0.30)
    assert paradex_volatility(0.5, "up", 0.3, major) == pytest.approx(at_floor)
    assert paradex_volatility(0.5, "down", 30.0, major) == pytest.approx(0.5 * 0.78)


def test_paradex_perpetual_by_hand() -> None:
    parameters = {**PARADEX, "funding_provision": 30.0, "fee_provision": 12.0}
    result = paradex_pm(_book(_linear(2.0, 100_000.0, "USDC")), parameters)
    got = _one(result, "USDC")
    assert got["scan"] == pytest.approx(32_000.0)
    assert got["minimum_delta"] == pytest.approx(4_000.0)
    assert result["pools"]["USDC"]["initial_margin"] == pytest.approx(32_042.0)
    assert result["pools"]["USDC"]["maintenance_margin"] == pytest.approx(16_042.0)


def test_paradex_hedged_book_pays_the_minimum() -> None:
    strike = 120_000.0
    legs = [_option(1.0, "call", strike), _option(-1.0, "put", strike)]
    got = _one(paradex_pm(_book(*legs, _linear(-1.0, 100_000.0, "USDC"))), "USDC")
    assert got["scan"] == pytest.approx(0.0, abs=1e-6)
    assert got["net"] == pytest.approx(0.01 * 100_000.0)  # one coin hedged by one coin


# SPAN


def test_span_published_arrays_come_out(shared: Path) -> None:
    published = _cases(shared, "methods.json")
    future, call = published["span.mcmillan.future"], published["span.mcmillan.long_call"]
    assert scan([float(x) for x in future["inputs"]["array"]])[0] == 10_000.0
    assert scan([float(x) for x in call["inputs"]["array"]]) == (3_990.0, 14)
    table = published["span.scenario_table_2x35"]["expected"]
    position = _linear(1.0, 100_000.0, "USDC", 30.0)
    product = {"price_range": 0.1, "volatility_range": 0.0, "intra_rate": 0.0}
    product["short_option_rate"] = 0.0
    parameters = {
        "extreme_multiple": 2.0,
        "extreme_cover": 0.35,
        "look_ahead_days": 1.0,
        "underlyings": {"BTC": product},
        "inter_credits": [],
    }
    got = _one(span16(_book(position), parameters), "USD")
    for key, name in (("price", "price_mult"), ("volatility", "vol_mult"), ("cover", "weight")):
        assert [one[key] for one in got["scenarios"]] == pytest.approx(table[name])
    assert got["summed"][14] == pytest.approx(table["scenario15_pnl"])


def test_span_credit_by_weighted_price_risk(shared: Path) -> None:
    example = _cases(shared, "methods.json")["span.wfpr_credit"]
    given, expected = example["inputs"], example["expected"]
    rule = {"rate": given["rate"], "legs": []}
    for name, side in (("leg1", "A"), ("leg2", "B")):
        rule["legs"].append({"underlying": name, "ratio": given[name]["ratio"], "side": side})
    legs = {name: given[name] for name in ("leg1", "leg2")}
    delta = {name: leg["net_delta"] for name, leg in legs.items()}
    risk = {name: leg["scan"] - leg["vol_time"] for name, leg in legs.items()}
    credit, formed = spread_credits([rule], delta, risk)
    assert formed == [{"legs": ["leg1", "leg2"], "spreads": expected["spreads"]}]
    assert credit["leg1"] == pytest.approx(expected["credit1"])
    assert credit["leg2"] == pytest.approx(expected["credit2"])
    same_side = {"leg1": 10.0, "leg2": 8.0}
    assert spread_credits([rule], same_side, risk) == ({"leg1": 0.0, "leg2": 0.0}, [])


def test_span_price_risk_leaves_out_volatility_and_time() -> None:
    call = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640]
    call += [-3380, -3990, 3130, -1500]
    profits = [float(x) for x in call]
    assert price_risk(profits, 14) == pytest.approx((3380 + 3990) / 2 - (610 - 460) / 2)
    assert price_risk(profits, 16) == pytest.approx(1500 - (610 - 460) / 2)


def test_span_short_option_pays_at_least_the_minimum_and_its_value() -> None:
    got = _one(span16(_book(_option(-4.0, "put", 40_000.0, days=2.0))), "USD")
    assert got["short_option_minimum"] == pytest.approx(0.005 * 100_000.0 * 4.0)
    assert got["risk"] == got["short_option_minimum"] > got["scan"]
    assert got["net_option_value"] < 0.0
    assert got["requirement"] == got["risk"] - got["net_option_value"]


def test_span_calendar_charge_counts_opposite_expiries() -> None:
    book = _book(
        _linear(5.0, 100_000.0, "USDC", 20.0),
        _linear(-2.0, 101_000.0, "USDC", 50.0),
        _linear(-1.0, 102_000.0, "USDC", 80.0),
    )
    got = _one(span16(book), "USD")
    assert got["intra_spreads"] == 3.0
    assert got["intra_charge"] == pytest.approx(3.0 * 0.01 * 100_000.0)


# Derive


def test_derive_published_cases_come_out(shared: Path) -> None:
    path = shared / "vectors" / "derive_pmrm2_portfolio_margin.json"
    loaded = json.loads(path.read_text())
    assert len(loaded["cases"]) == 45
    for one in loaded["cases"]:
        chosen = one["inputs"]["params"]["scenario_set"]
        got = derive_pm2(one["inputs"], loaded["shared"]["scenario_sets"][chosen])
        for name, expected in one["expected"].items():
            tolerance = one["tolerance"]
            assert got[name] == pytest.approx(expected, **tolerance), (one["id"], name)
