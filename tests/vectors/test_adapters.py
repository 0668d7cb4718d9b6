"""What adapters ask of the package, shown by packages that only write down the question."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.vectors.adapters import ADAPTERS
from tests.vectors.facade import load
from tests.vectors.liquidation_samples import LIQUIDATION_SAMPLES
from tests.vectors.runner import Outcome, Status, run_case
from tests.vectors.statistics_samples import STATISTICS_SAMPLES
from tests.vectors.view import Adapter, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade

POSITION = {"symbol": "ETHUSDT", "amount": 2, "entry": 100, "mm_rate": 0.1, "mm_amount": None}
OTHER = {"symbol": "BTC/USDT:USDT", "amount": 1, "entry": 50, "mark": 60, "mm_rate": 0.1}
WALLET = {"wallet_balance": 7, "margin_mode": "cross", "position": {**POSITION, "side": "short"}}
FLAT = {"side": "long", "entry": 10, "amount": 1, "mm_rate": 0.01, "isolated_margin": 2}
CONVENTION = {**FLAT, "leverage": 5, "mm_amount": 0.3, "taker_fee": 0.0006}
HELD = {"market": "BTC", "qty": 5, "entry": 50000, "mark": 51000, "im": 0.05}
ORDER = {"market": "ETH", "qty": 30, "price": 3000, "im": 0.1}
TIERS = [{"tier": 1, "risk_limit_usdt": 10, "mmr": 0.1}, {"risk_limit_usdt": 20, "mmr": 0.2}]
LETTERS = {"e": 1, "s_eth": -1, "p_eth": 3, "MMF_eth": 0.1}
STRK = {"strk_size": 4, "strk_price": 2, "MMF_strk": 0.1}
MARKET = {
    "spot": 1,
    "spot_confidence": 1,
    "perp_price": 1,
    "perp_confidence": 1,
    "perp_amount": 0,
    "base_amount": 0,
    "perp_unrealised": 0,
    "options": [],
    "expiries": [],
}
ACCOUNT = {"cash": 0, "stable_price": 1, "params_set": "A"}
INCREMENTS = {"im_base": 0.02, "im_increment_per_coin": 0, "mm_base": 0.01}
PPM = {"price": 1, "size": 1, "im_ppm": 1, "maintenance_fraction_ppm": 1}
QUOTED = {"market": "BTC", "size": 1, "oracle_price": 1, "im_ratio": 0.2, "mm_ratio": 0.1}
PUT = {"instrument": "ETH-1-P", "underlying": 2, "strike": 1, "mark": 1, "contracts_eth": 5}
CALLS = {"spot": 1, "usdc": 1, "short_calls": {"n": 3, "strike": 1, "mark": 1}}
EXPIRY = {"seconds_to_expiry": 86_400, "forward_confidence": 1, "rate": 0, "rate_confidence": 1}
PERPETUAL = {
    "amount": 2,
    "price": 100,
    "confidence": 1,
    "unrealised_pnl": 5,
    "unrealised_funding": -1,
}
PM2_PARAMS = {
    "scenario_set": "S",
    "vol_shock": {
        "volrangeup": 0.5,
        "volrangedown": 0.25,
        "shorttermpower": 0.3,
        "longtermpower": 0.13,
        "dte_floor": 1,
        "min_vol_eval_shocked": 0.4,
    },
    "skew_shock": {
        "linear_scale_cap": 0.15,
        "linear_cbase": -0.05,
        "abs_scale_cap": 0.15,
        "abs_cbase": -0.05,
        "min_k_star": 0.01,
        "min_width_scale": 4,
        "vol_param_static": 0.6,
        "vol_param_scale": -0.1,
    },
    "margin": {
        "im_loss_factor": 1.25,
        "mm_loss_factor": 0.8,
        "base_static_discount": 0.95,
        "long_rate_multscale": 1,
        "long_rate_addscale": 0.08,
        "base_static_discount_neg": 1.04,
        "short_rate_multscale": 0.5,
        "short_rate_addscale": 0.08,
    },
    "basis_contingency": {
        "scenario_spot_up": 1.05,
        "scenario_spot_down": 0.95,
        "basis_cont_add_factor": 0.5,
        "basis_cont_mult_factor": 2,
    },
    "other": {
        "peg_loss_threshold": 0.98,
        "peg_loss_factor": 2,
        "conf_threshold": 0.5,
        "conf_margin": 1,
        "mm_perp_percent": 0.03,
        "im_perp_percent": 0.02,
        "mm_option_percent": 0.003,
        "im_option_percent": 0.002,
    },
}
PM2 = {
    "cash": 1_000,
    "spot": 100,
    "spot_confidence": 1,
    "stable_price": 1,
    "perp": PERPETUAL,
    "collaterals": [],
    "expiries": [],
    "options": [],
    "params": PM2_PARAMS,
}
PM1_PARAMS = {
    "basis_up": 1.05,
    "basis_down": 0.95,
    "basis_add": 0.25,
    "basis_mult": 0.01,
    "peg_threshold": 0.98,
    "peg_factor": 2,
    "conf_threshold": 0.6,
    "conf_margin": 0.5,
    "base_pct": 0.02,
    "perp_pct": 0.03,
    "option_pct": 0.01,
    "im_factor": 1.5,
    "base_static_discount": 0.95,
    "rate_mult": 4,
    "rate_add": 0.05,
    "vol_range_up": 0.45,
    "vol_range_down": 0.3,
    "short_term_power": 0.3,
    "long_term_power": 0.13,
    "dte_floor_seconds": 86_400,
}
PM1 = {
    "cash": 1_000,
    "perp": 2,
    "base": 0,
    "spot": 100,
    "spot_confidence": 1,
    "stable_price": 1,
    "perp_price": 100,
    "perp_confidence": 1,
    "perp_unrealised": 0,
    "expiries": [],
    "options": [],
    "params_set": "A",
}
PORTFOLIO_SHARED = {
    "params": {"A": PM1_PARAMS},
    "scenarios": [[0.9, "none"], [1.2, "none"]],
    "scenario_sets": {"S": [[0.9, "none", 1], [1.2, "none", 0.5], [0.5, "none", 0.1]]},
}
LEG = {"scan": 3.0, "vol_time": 1.0, "net_delta": 2.0, "ratio": 1.0}
MOVES = {"annualised_move_risk": 0.075, "min_annualised_move": 0.01, "mm_factor": 0.8}

SAMPLES: dict[str, dict[str, Any]] = {
    "recorded": FLAT,
    "convention": {**CONVENTION, "exchange_formula": "gate"},
    "linear letters": {"P0": 1, "Q": 1, "M": 1, "m": 0.1, "s": -1},
    "linear words": {"price": 1, "size": 1, "account_value": 1, "l": 0.1, "side": "short"},
    "margin call": {"capital": 1, "entry": 1, "margin_pct": 50, "size": 1, "dir": -1},
    "bankruptcy": {"entry": 1, "size": 1, "position_margin": 1, "wallet_balance": 1},
    "inverse": {"entry": 1, "leverage": 1, "side": "short", "maintenance_rate": 0},
    "inverse letters": {"N": 1, "P0": 1, "M_btc": 1, "m": 0.1},
    "inverse bankruptcy": {"entry": 1, "leverage": 2, "contracts_usd": 1, "tick": None},
    "wallet": {**WALLET, "other_positions": [OTHER, OTHER]},
    "other maintenance": {"equity": 5, "position": {"size": 1, "mark": 2, "mm_rate": 0.1}},
    "other maintenance in letters": {"e": 1, "s": -1, "p": 3, "MMF": 0.1, "MMR_o": 2},
    "letters": {**LETTERS, **STRK},
    "trials": {"collateral": 1, "position": HELD, "orders": [ORDER]},
    "basics": {"collateral": 1, "positions": [HELD]},
    "sequence": {"rule_only": True, "positions": [{"id": "A", "notional": 1}]},
    "reduction": {"N": 1, "m": 0.1, "E": 1, "s": 0.1, "h": 1},
    "next amount": {"floor_usdt": 1, "mmr_n": 0.2, "mmr_n_minus_1": 0.1, "cum_n_minus_1": 1},
    "tiers": {"tiers": TIERS},
    "rank": {"unrealized_profit": 1, "wallet_balance": 1, "margin_ratio": 1},
    "contributions": {"pos": [1], "ann_vol": [1], "R": [[1]], "alpha": 0.99, "days": 365},
    "spreads": {**ACCOUNT, "markets": {"ETH": MARKET}},
    "increments": {
        "instrument": "X",
        "position_coin": 1,
        "price": 1,
        "mm_increment_per_coin": 0,
        **INCREMENTS,
    },
    "open interest": {**PPM, "open_interest_contracts": None, "oi_lower_cap": None},
    "open sizes": {"position": -1, "buy_orders": 3, "sell_orders": 2, "imf": 0.02, "mark": 1},
    "quote balance": {"account": {"usdc": 1, "positions": [QUOTED]}},
    "sold put": {**PUT, "params": {"im_upper": 0.15, "im_lower": 0.1, "mm": 0.075}},
    "sold option": {
        "index": 1,
        "mark": 1,
        "size": -1,
        "mm_factor": 0.03,
        "liq_fee_rate": 0.002,
        "margin_balance": 1,
    },
    "bought": {"index": 1, "qty": 1, "order_price": 1, "taker_rate": 0, "fee_cap": 0.125},
    "sold calls": {**CALLS, "params": {"im_a": 0.15, "im_b": 0.13, "mm": 0.09}},
    "efficiency": {"legs": {"a": 1, "b": -1}, "isolated_rate": 0.1, "scan": 0.2, "cont": 0.1},
    "call and put": {
        "seconds_to_expiry": 86_400,
        "year_days": 365,
        "vol": 0.5,
        "forward": 1,
        "strike": 1,
        "discount": 1,
    },
    "option on spot": {
        "type": "call",
        "spot": 1,
        "strike": 1,
        "dividend_yield": 0,
        "rate": 0,
        "time_years": 1,
        "vol": 0.5,
    },
    "implied volatility": {"price": 1, "F": 1, "K": 1, "T": 1, "call": False},
    "svi": dict.fromkeys(("a", "b", "rho", "m", "sigma", "tau", "strike", "forward"), 1),
    "risk vector": {"position_btc": 1, "moves": [-0.1, 0.1]},
    "risk matrix": {"worst_case": 1, "positions_btc": [1, -1], **MOVES},
    "account": {"positions_coin": {"a": 1, "b": -1}, "model_params": {}, "currency": "BTC"},
    "vectors": {"vectors": {"a": [1], "b": [-1]}, "max_offsetable_pnl": 0},
    "risk array": {"array": [1, -1], "qty": 1},
    "spread of two": {"corn": 1, "soy": 1, "ratio": [1, 1], "credit": 0.5},
    "dated": {"I0": 1, "abr": 0, "days": 1, "qty": 1, "cont_factor": 0, "shocks": [0.1]},
    "portfolio margin 2": PM2,
    "portfolio margin 1": PM1,
    "level factor": {"total_initial_margin_usd": 1.0, "mm_factor": 0.8},
    "floored": {"MR1_2_3_5_6": 0.0, "MR4": 2.0, "MR7": 1.0},
    "deltas": {"spot": 1, "legs": [], "unhedged": 0.02, "hedged": 0.01},
    "settlement": {"delta": 1.0, "mark_price_coin": 0.1, "minutes_into_30min_window": 3},
    "sixteen": {
        "psr": 1,
        "position": "+1 linear future",
        "extreme_multiple": 3,
        "extreme_cover": 0.33,
    },
    "weighted credit": {"leg1": LEG, "leg2": LEG, "rate": 0.5},
    "blend": {"x": 0.5, "hist": 1.0, "stress": 2.0, "liq": 0.0, "conc": 0.0},
    "risk units": {
        "positions": [],
        "params": {},
        "usdt_availEq": -1.0,
        "usdt_usd": 1.0,
        "index_notional_usd": {},
    },
    "stable hedge": {"hedged_volume_usd": 1.0, "tiers": [{"from": 0, "to": 1, "factor": 0.1}]},
    **STATISTICS_SAMPLES,
    **LIQUIDATION_SAMPLES,
}


class Package:
    """Writes down what it is asked and answers `price`."""

    def __init__(self, price: float | None = 1.0) -> None:
        self.price = price
        self.asked: list[dict[str, Any]] = []

    def book(self, positions: Any, rulebook: Any, **more: Any) -> None:
        self.asked.append({"positions": positions, "rulebook": rulebook, **more})

    def liquidation_price(self, _book: Any, underlying: str, **more: Any) -> float | None:
        self.asked.append({"underlying": underlying, **more})
        return self.price

    def single_liquidation_price(self, *values: Any, **more: Any) -> SimpleNamespace:
        self.asked.append({"values": values, **more})
        return SimpleNamespace(
            liquidation_price=self.price, bankruptcy_price=self.price, distance=self.price
        )

    def tier_amounts(self, rates: list[float], **more: Any) -> list[float]:
        self.asked.append({"rates": rates, **more})
        return rates


def ask(
    package: object, inputs: Mapping[str, Any], expected: Mapping[str, Any], **meta: str
) -> Outcome:
    """Run one case against `package`."""
    case = {"id": "case", "inputs": inputs, "expected": expected, "tolerance": {}}
    return run_case(case, {"meta": meta}, cast("Facade", package), ADAPTERS, {})


@pytest.mark.parametrize("name", SAMPLES)
def test_exactly_one_adapter_reads_each_shape(name: str) -> None:
    reading = [adapter for adapter in ADAPTERS if adapter.read(SAMPLES[name]) is not None]
    assert len(reading) == 1
    assert all(adapter.read({**SAMPLES[name], "surprise": 1}) is None for adapter in ADAPTERS)


def test_the_samples_reach_every_adapter() -> None:
    answering = [adapter for adapter in ADAPTERS if isinstance(adapter, Adapter)]
    reached = [
        a for a in answering if any(a.read(inputs) is not None for inputs in SAMPLES.values())
    ]
    assert reached == answering
    assert all(isinstance(adapter, Adapter | Missing) for adapter in ADAPTERS)


def test_a_cross_wallet_brings_all_positions_and_leaves_missing_amounts_out() -> None:
    package = Package()
    inputs = {**WALLET, "other_positions": [OTHER, {**OTHER, "symbol": "SOL", "side": "short"}]}
    assert ask(package, inputs, {"liquidation_price": 1}).status is Status.PASSED
    book, price = package.asked
    assert [row["symbol"] for row in book["positions"]] == ["ETH", "BTC", "SOL"]
    assert [row["side"] for row in book["positions"]] == ["short", None, "short"]
    assert [row["markPrice"] for row in book["positions"]] == [100, 60, 60]
    assert all("maintAmt" not in row for row in book["positions"])
    assert book["collateral"] == [{"currency": "USD", "cash": 7}]
    assert price == {"underlying": "ETH"}


def test_an_isolated_wallet_is_the_margin_of_its_position_alone() -> None:
    package = Package()
    inputs = {**WALLET, "margin_mode": "isolated", "other_positions": [OTHER]}
    assert ask(package, inputs, {"liquidation_price": 1}).status is Status.PASSED
    (row,) = package.asked[0]["positions"]
    assert (row["symbol"], row["marginMode"], row["isolatedWallet"]) == ("ETH", "isolated", 7)
    assert "collateral" not in package.asked[0]


@pytest.mark.parametrize(
    ("formula", "collateral", "options"),
    [
        ("binance", 2, {"maintenance_amount": 0.3, "maintenance_on": "mark"}),
        ("gate", 2, {"fee": 0.0006, "maintenance_on": "mark"}),
        ("okx", 2, {"fee": 0.0006, "maintenance_on": "mark"}),
        ("bybit", None, {"leverage": 5, "maintenance_on": "entry"}),
    ],
)
def test_each_venue_counts_what_its_formula_names(
    formula: str, collateral: float | None, options: dict[str, object]
) -> None:
    package = Package()
    inputs = {**CONVENTION, "exchange_formula": formula}
    assert ask(package, inputs, {"liquidation_price": 1}).status is Status.PASSED
    assert package.asked == [
        {"values": (1, 10, collateral, 0.01), "options": {**options, "side": "long"}}
    ]


def test_a_formula_without_a_convention_is_not_applicable() -> None:
    outcome = ask(Package(), {**CONVENTION, "exchange_formula": "other"}, {"liquidation_price": 1})
    assert outcome.status is Status.NOT_APPLICABLE
    assert "no convention is stated for the formula 'other'" in outcome.reason


@pytest.mark.parametrize("expected", [None, "infinite (never liquidated)"])
def test_a_position_that_is_never_liquidated_has_no_price(expected: str | None) -> None:
    outcome = ask(
        Package(None), SAMPLES["inverse"], {"liquidation_price": expected}, topic="inverse perps"
    )
    assert outcome.status is Status.PASSED


def test_a_side_in_the_name_of_a_field_is_asked_for() -> None:
    package = Package()
    inputs = {"P0": 1, "Q": 2, "M": 3, "m": 0.1}
    ask(package, inputs, {"liq_long": 1, "liq_short": 1, "liq": 1})
    assert [asked["options"] for asked in package.asked] == [
        {"side": "long"},
        {"side": "short"},
        {},
    ]


def test_the_other_positions_of_an_account_in_letters_are_a_book_of_their_own() -> None:
    package = Package()
    ask(package, {**LETTERS, **STRK}, {"liq_price": 1, "MMR_o": 1})
    whole, price, rest = package.asked
    assert [row["contracts"] for row in whole["positions"]] == [-1, 4]
    assert [row["symbol"] for row in rest["positions"]] == ["STRK"]
    assert whole["collateral"] == [{"currency": "USD", "equity": 1}]
    assert price == {"underlying": "ETH"}


def test_tiers_go_in_by_their_upper_bounds() -> None:
    package = Package()
    assert ask(package, {"tiers": TIERS}, {"mm_deduction": [0.1, 0.2]}).status is Status.PASSED
    assert package.asked == [{"rates": [0.1, 0.2], "floors": None, "caps": [10, 20]}]


def test_a_scan_goes_down_as_far_as_up() -> None:
    package = Package()
    ask(package, SAMPLES["efficiency"], {"pm": 1})
    assert package.asked[1]["rulebook"]["measure"]["price_move"] == 0.2
    assert {row["underlying"] for row in package.asked[1]["positions"]} == {"COIN"}


def test_net_margins_are_the_money_above_each_level() -> None:
    package = Package()
    package.excess = lambda _book, above: {"IM": -7.0, "MM": -5.0}[above]  # type: ignore[attr-defined]
    package.equity = lambda _book, basis: {"gross": 3.0}[basis]  # type: ignore[attr-defined]
    option = {"seconds_to_expiry": 60, "strike": 9, "type": "put", "amount": -2, "vol": 0.5}
    market = {
        **MARKET,
        "options": [{**option, "vol_confidence": 0.9}],
        "expiries": [{"seconds_to_expiry": 60, "forward": 8, "forward_confidence": 0.8}],
    }
    params = {
        "perp_mm": 0.05,
        "perp_im": 0.065,
        "oracle": dict.fromkeys(
            ("perp_threshold", "option_threshold", "base_threshold", "factor"), 0.4
        ),
        "depeg": {"threshold": 0.98, "factor": 1.2},
        "option": {
            "max_spot_req": 0.15,
            "min_spot_req": 0.1,
            "mm_call": 0.075,
            "mm_put": 0.075,
            "mm_put_mtm": 0.075,
            "unpaired_im": 1.2,
            "unpaired_mm": 1.1,
            "mm_offset": 1.05,
        },
        "base_margin_factor": 0.8,
        "base_im_scale": 1.0,
    }
    case = {
        "id": "case",
        "inputs": {**ACCOUNT, "markets": {"ETH": market}},
        "expected": {"IM": -7.0, "MM_recomputed": -5.0, "mtm": 3.0},
        "tolerance": {},
    }
    document = {"shared": {"params": {"A": params}}}
    outcome = run_case(case, document, cast("Facade", package), ADAPTERS, {})
    assert outcome.status is Status.PASSED
    (book,) = package.asked
    perpetual, put = book["positions"]
    assert (perpetual["contracts"], perpetual["strike"]) == (0, None)
    assert (put["forward"], put["forwardConfidence"], put["optionType"]) == (8, 0.8, "put")
    params["base_im_scale"] = 0.9
    outcome = run_case(case, document, cast("Facade", package), ADAPTERS, {})
    assert outcome.status is Status.NOT_APPLICABLE


def answered(
    inputs: Mapping[str, Any], expected: Mapping[str, Any], package: object | None = None
) -> Outcome:
    """Run one portfolio case against `package`, or against the real one."""
    case = {"id": "case", "inputs": inputs, "expected": expected, "tolerance": {"rel": 1e-12}}
    document = {"shared": PORTFOLIO_SHARED}
    return run_case(case, document, cast("Facade", package) or load(), ADAPTERS, {})


def test_portfolio_margin_2_by_hand() -> None:
    """Two perpetuals at 100 with 5 - 1 unrealised: x 0.9 loses 20, x 0.5 a tenth of 100."""
    expected = {
        "portfolio_mtm": 4.0,
        "scenario_pnl": [-20.0, 20.0, -10.0],
        "worst_scenario_pnl": -20.0,
        "MM": 1_004 - 0.8 * 20 - 0.03 * 200,
        "IM": 1_004 - 1.25 * 20 - (0.03 + 0.02) * 200,
        "basis_contingency": 0.0,
        "oracle_contingency": 0.0,
    }
    assert answered(PM2, expected) == Outcome("case", Status.PASSED)


def test_portfolio_margin_1_by_hand() -> None:
    """Two perpetuals at 100: x 0.9 loses 20, 3 % of 200 are added before the factor of 1.5."""
    expected = {
        "mtm_incl_cash": 1_000.0,
        "MM": 1_000 - (20 + 0.03 * 200),
        "IM": 1_000 - 1.5 * (20 + 0.03 * 200),
        "option_contingency": 0.0,
        "loss_factor": 1.5,
    }
    assert answered(PM1, expected) == Outcome("case", Status.PASSED)


@pytest.mark.parametrize(
    ("stable", "factor"),
    # below 0.98 the factor grows by 2 per dollar
    [(0.98, 1.5), (0.96, 1.54)],
)
def test_a_stablecoin_below_its_peg_costs_initial_margin(stable: float, factor: float) -> None:
    expected = {"MM": 1_000 - 26.0, "IM": 1_000 - factor * 26}
    assert answered({**PM1, "stable_price": stable}, expected) == Outcome("case", Status.PASSED)


@pytest.mark.parametrize("inputs", [PM1, PM2], ids=["1", "2"])
def test_an_option_goes_in_with_the_forward_of_its_expiry(inputs: dict[str, Any]) -> None:
    package = Package()
    option = {"seconds_to_expiry": 86_400, "strike": 90, "type": "put", "amount": -3, "vol": 0.5}
    held = {
        **inputs,
        "expiries": [{**EXPIRY, "seconds_to_expiry": 1, "forward": 1}, {**EXPIRY, "forward": 101}],
        "options": [{**option, "vol_confidence": 0.7}, {**option, "amount": 0}],
    }
    outcome = answered(held, {"IM": 1}, package)
    assert "explanation" in outcome.reason  # the package only writes down the book
    perpetual, put = package.asked[0]["positions"]
    assert (perpetual["quantity"], perpetual["type"]) == (2, "perpetual")
    told = ("quantity", "strike", "optionType", "secondsToExpiry", "forward", "confidence")
    assert [put[name] for name in told] == [-3, 90, "put", 86_400, 101, 0.7]
    assert package.asked[0]["collateral"] == [{"currency": "USDC", "cash": 1_000}]


def test_collateral_that_moves_with_the_coin_is_scanned_with_its_haircuts() -> None:
    package = Package()
    terms = {"price": 100, "confidence": 1, "mm_haircut": 0.1, "im_haircut": 0.2}
    held = [
        {"name": "WETH", "amount": 3, "risk_cancelling": True, **terms},
        {"name": "OTHER", "amount": 4, "risk_cancelling": False, **terms},
        {"name": "NONE", "amount": 0, "risk_cancelling": True, **terms},
    ]
    answered({**PM2, "collaterals": held}, {"IM": 1}, package)
    cash, weth, other = package.asked[0]["collateral"]
    assert (cash["currency"], cash["cash"]) == ("USDC", 1_000)
    told = ("follows", "cash", "inScan", "maintenanceHaircut", "initialHaircut")
    assert [weth[name] for name in told] == ["COIN", 3, "yes", 0.1, 0.2]
    assert [other[name] for name in told] == ["OTHER", 4, "no", 0.1, 0.2]


def test_scenarios_are_split_into_those_of_volatility_and_those_of_skew() -> None:
    package = Package()
    sets = {"S": [[0.9, "up", 1], [1, "skew_linear", 1], [1.5, "none", 0.1], [1, "skew_abs", 1]]}
    case = {"id": "case", "inputs": PM2, "expected": {"IM": 1}, "tolerance": {}}
    document = {"shared": {**PORTFOLIO_SHARED, "scenario_sets": sets}}
    run_case(case, document, cast("Facade", package), ADAPTERS, {})
    regular, skew = package.asked[0]["rulebook"]["profiles"][0]["scenarios"]
    assert regular["price_multipliers"] == [0.9, 1.5]
    assert regular["volatility"] == ["up", "same"]
    assert regular["weights"] == [1, 0.1]
    assert skew["volatility"] == ["skew_linear", "skew_absolute"]
    assert skew["treatment"] == "minus_absolute_per_expiry"


def test_deltas_of_puts_hedge_those_of_calls() -> None:
    """Calls of +0.6 coins and puts of -0.8 bought: net -0.2, gross 1.4, 0.6 on each side."""
    legs = [
        {"type": "call", "size": 2, "delta": 0.3},
        {"type": "put", "size": 4, "delta": -0.2},
    ]
    inputs = {"spot": 100, "legs": legs, "unhedged": 0.02, "hedged": 0.01}
    expected = {
        "net_delta": -0.2,
        "gross_delta": 1.4,
        "hedged_delta": 0.6,
        "min_delta_risk": (0.02 * 0.2 + 0.01 * 0.6) * 100,
    }
    assert answered(inputs, expected) == Outcome("case", Status.PASSED)


def test_a_future_sold_loses_in_the_extreme_scenario_upwards() -> None:
    inputs = {
        "psr": 300,
        "position": "-1 linear future",
        "extreme_multiple": 3,
        "extreme_cover": 0.33,
    }
    # the first of the extreme scenarios is upwards
    expected = {"scenario15_pnl": -300 * 3 * 0.33}
    assert answered(inputs, expected) == Outcome("case", Status.PASSED)


def test_a_credit_is_the_same_with_the_legs_the_other_way_round() -> None:
    first = {"scan": 3000, "vol_time": 200, "net_delta": -10, "ratio": 2}
    second = {"scan": 2400, "vol_time": 100, "net_delta": 8, "ratio": 1}
    expected = {"spreads": 5, "credit1": 280 * 10 * 0.5, "credit2": 287.5 * 5 * 0.5}
    inputs = {"leg1": first, "leg2": second, "rate": 0.5}
    assert answered(inputs, expected) == Outcome("case", Status.PASSED)


def test_the_shares_of_a_blend_are_weighed_by_hand() -> None:
    inputs = {"x": 0.25, "hist": 1000, "stress": 400, "liq": 7, "conc": 3}
    expected = {"total": 0.25 * 1000 + 0.75 * 400 + 10}
    assert answered(inputs, expected) == Outcome("case", Status.PASSED)


def test_a_tenth_of_the_settlement_window_takes_a_tenth_of_the_delta() -> None:
    inputs = {"delta": -0.5, "mark_price_coin": 0.1, "minutes_into_30min_window": 3}
    expected = {"decayed_delta": -0.45, "net_transaction_delta": -0.54}
    assert answered(inputs, expected) == Outcome("case", Status.PASSED)
