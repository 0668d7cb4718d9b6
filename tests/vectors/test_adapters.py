"""What adapters ask of the package, shown by packages that only write down the question."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.vectors.adapters import ADAPTERS
from tests.vectors.runner import Outcome, Status, run_case
from tests.vectors.view import Adapter

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
    "black 76": {
        "seconds_to_expiry": 604_800,
        "year_days": 365,
        "vol": 1.0,
        "forward": 100.0,
        "strike": 100.0,
        "discount": 1.0,
    },
    "option on spot": {
        "type": "call",
        "spot": 100.0,
        "strike": 100.0,
        "dividend_yield": 0.0,
        "rate": 0.05,
        "time_years": 1.0,
        "vol": 0.2,
    },
    "implied volatility": {"price": 20.0, "F": 100.0, "K": 90.0, "T": 30.0, "call": True},
    "surface": {
        "a": 0.1,
        "b": 0.1,
        "rho": 0.0,
        "m": 0.0,
        "sigma": 0.1,
        "tau": 1.0,
        "strike": 100.0,
        "forward": 100.0,
    },
    "risk vector": {"position_btc": 1.0, "moves": [-0.1, 0.1]},
    "pair margin": {
        "worst_case": 0.1,
        "positions_btc": [1.0, -0.5],
        "annualised_move_risk": 0.075,
        "min_annualised_move": 0.01,
        "mm_factor": 0.8,
    },
    "pair account": {
        "positions_coin": {"PERPETUAL": 1.0, "FUTURE": -0.5},
        "model_params": {},
    },
    "vectors": {"vectors": {"first": [-0.1, 0.1]}, "max_offsetable_pnl": 0},
    "risk array": {"array": [-1.0, 1.0], "qty": 1},
    "inter spread": {"corn": 900.0, "soy": 2100.0, "ratio": [2, 1], "credit": 0.5},
    "forward book": {
        "I0": 2000.0,
        "abr": 0.08,
        "days": 20,
        "qty": 10,
        "cont_factor": 0.006,
        "shocks": [-0.1, 0.1],
    },
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
    reached = [
        a for a in ADAPTERS if any(a.read(inputs) is not None for inputs in SAMPLES.values())
    ]
    assert reached == list(ADAPTERS)
    assert all(isinstance(adapter, Adapter) for adapter in ADAPTERS)


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
