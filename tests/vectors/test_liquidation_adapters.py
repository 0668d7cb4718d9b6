"""Accounts, small enough for a pencil, through the adapters of liquidations and the package."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pytest

from tests.vectors.adapters import ADAPTERS
from tests.vectors.facade import load
from tests.vectors.liquidation_samples import LENDING, LIQUIDATION_SAMPLES, PERPETUAL
from tests.vectors.runner import Outcome, Status, run_case

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSED = Outcome("case", Status.PASSED)


def ask(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Outcome:
    """Run one case against the package; prices that are searched for have nine digits."""
    case = {"id": "case", "inputs": inputs, "expected": expected, "tolerance": {"rel": 1e-9}}
    return run_case(case, {}, load(), ADAPTERS, {})


def sample(name: str, **changes: object) -> dict[str, Any]:
    return {**LIQUIDATION_SAMPLES[name], **changes}


def test_a_rate_grows_with_the_size_on_the_scale_of_the_skew() -> None:
    """20 coins on a scale of 1,000, slope 2: 4 % + 1 % of 2,000, half of it maintenance."""
    expected = {
        "pnl": {"ETH": -100},
        "available_margin": 900,
        "liquidatable": False,
        "initial_margin": 100,
        "maintenance_margin": 50,
    }
    assert ask(sample("skewed"), expected) == PASSED


def test_a_short_pays_its_own_factor_and_the_slippage_of_its_size() -> None:
    """Two sold at 100: 2 x 100 x 0.25 + 0.01 x 4 x 100 = 54; of the price 2.54 are needed."""
    expected = {
        "maintenance_margin": 54,
        "liquidation_price": 350 / 2.54,
        "liquidation_price_at_collateral_equal_maintenance": 100,
    }
    assert ask(sample("slipping"), expected) == PASSED


def test_funding_that_is_owed_is_in_the_margin_and_funding_that_is_due_is_not() -> None:
    names = ("maintenance_margin",)
    owed = ask(sample("slipping", funding_per_unit=-3), dict.fromkeys(names, 60))
    due = ask(sample("slipping", funding_per_unit=3), dict.fromkeys(names, 54))
    assert (owed, due) == (PASSED, PASSED)


def test_an_order_that_is_beyond_the_liquidation_price_does_not_fill() -> None:
    """Two sold with 150: liquidated at 137.8, so that an order to sell at 150 is never reached."""
    inputs = sample("resting", buy_orders=[], sell_orders=[{"price": 150, "volume": 9}])
    alone = 350 / 2.54
    assert ask(inputs, dict.fromkeys(("position_only", "with_sell_orders"), alone)) == PASSED
    reached = sample("resting", buy_orders=[], sell_orders=[{"price": 110, "volume": 1}])
    # 150 + 2 x 100 + 110 less three coins at the price, less 3 x 0.25 and 0.01 x 9 of it
    assert ask(reached, {"with_sell_orders": 460 / (3 + 0.75 + 0.09)}) == PASSED


def test_health_is_weighted_assets_over_debts() -> None:
    expected = {
        "initial_health_factor": 1000 * 0.8 / 500,
        "liquidation_health_factor": 1000 * 0.9 / 500,
        "liquidatable": False,
    }
    assert ask(LENDING, expected) == PASSED


def test_an_account_that_owes_nothing_has_no_health_factor() -> None:
    expected = {"initial_health_factor": None, "liquidatable": False}
    assert ask({**LENDING, "debts": []}, expected) == PASSED


def test_a_short_perpetual_is_owed_with_its_haircut_and_its_fee() -> None:
    """Numerator 10 x 100 + 20 of funding x weight; denominator 10 x 90 x (2 - weight + 1 %)."""
    inputs = {**LENDING, "perps": [PERPETUAL]}
    expected = {
        "initial_health_factor": (800 + 1000 + 20 * 0.8) / (500 + 900 * 1.21),
        "liquidation_health_factor": (900 + 1000 + 20 * 0.9) / (500 + 900 * 1.11),
        "liquidatable": False,
    }
    assert ask(inputs, expected) == PASSED


def test_the_liquidation_price_of_a_short_perpetual_counts_its_weight() -> None:
    asked = {"kind": "perp_short", "market": "BTC"}
    inputs = {**LENDING, "perps": [PERPETUAL], "liquidation_price_of": asked}
    price = (900 + 1000 + 18 - 500) / (10 * 1.11)
    assert ask(inputs, {"liquidation_price": price}) == PASSED


@pytest.mark.parametrize(("mark", "price"), [(120, 9_630 / 89), (90, 90)])
def test_the_liquidation_price_of_a_long_perpetual_is_todays_once_it_is_passed(
    mark: float, price: float
) -> None:
    """100 bought at 100: 10,000 paid, 500 owed, 30 of funding, less 900, at 100 x (0.9 - 1 %)."""
    perp = {**PERPETUAL, "size": 100, "accrued_funding": -30, "current_exec_price": mark}
    asked = {"kind": "perp", "asset": "BTC"}
    inputs = {**LENDING, "perps": [perp], "liquidation_price_of": asked}
    assert ask(inputs, {"liquidation_price": price}) == PASSED


def test_the_liquidation_price_of_a_debt() -> None:
    asked = {"kind": "debt", "asset": "ATOM"}
    assert ask({**LENDING, "liquidation_price_of": asked}, {"liquidation_price": 18}) == PASSED


def test_fractions_of_base_units_are_said_to_be_cut_down() -> None:
    debts = [{"asset": "ATOM", "amount": 50, "price": 10.01}]
    outcome = ask({**LENDING, "debts": debts}, {"initial_health_factor": 1})
    assert outcome.status is Status.NOT_APPLICABLE
    assert "the model lacks: amounts that are cut down to whole base units" in outcome.reason


def test_fees_make_the_closing_of_a_shortage_larger() -> None:
    """Each coin of 100 frees 10 and costs 3."""
    assert ask(sample("shortage"), {"base_amount": 10 / 7}) == PASSED


def test_a_fee_as_large_as_the_margin_leaves_nothing_to_cover_a_shortage_with() -> None:
    unbounded = {"base_amount": "unbounded (transfer everything)"}
    assert ask(sample("shortage", liquidator_fee=0.1), unbounded) == PASSED


def test_a_fee_in_a_currency_off_its_price_is_no_case_of_the_model() -> None:
    outcome = ask(sample("shortage", quote_price=0.99), {"base_amount": 1})
    assert outcome.status is Status.NOT_APPLICABLE
    without = ask(sample("shortage", quote_price=0.99, insurance_fee=0), {"base_amount": 10 / 8.91})
    assert without == PASSED


@pytest.mark.parametrize(("seized", "size"), [(9, 9), (10, 10), (11, 2), (51, 6)])
def test_what_is_small_is_sold_whole_and_the_rest_by_tenths_in_whole_lots(
    seized: float, size: float
) -> None:
    assert ask(sample("disposal", seized_position=seized), {"order_size": size}) == PASSED


def test_a_share_of_a_thin_book_is_no_size_of_the_model() -> None:
    outcome = ask(sample("disposal", book_volume_in_range=20), {"order_size": 4})
    assert outcome.status is Status.NOT_APPLICABLE
    assert "a share of the order book's depth" in outcome.reason


def test_the_fund_pays_what_is_below_zero_at_the_fill() -> None:
    """50 bought at 1 with 10: at 0.9 five are left, at 0.7 five are missing."""
    expected = {"equity_at_oracle": 5, "pnl_at_fill": -15, "insurance_fund_payment": 5}
    assert ask(sample("filled"), expected) == PASSED


def test_a_tier_is_by_notional_and_its_rate_for_all_of_it() -> None:
    expected = {"rates": [0.005, 0.01], "second_liquidated": [1]}
    assert ask(sample("tiers and accounts"), expected) == PASSED


def test_what_is_borrowed_needs_margin_though_more_is_held() -> None:
    expected = {"margin_equity": {"BTC": 0.06}, "margin_mm": {"BTC": 0.004}, "upnl_usdt": [-10]}
    assert ask(sample("borrowing"), expected) == PASSED


def test_calls_sold_are_liquidated_above_one_price_and_far_below_never() -> None:
    """By Black-Scholes by hand: 30 less 10 calls' gain since today's 100, less 4 % of the price."""

    def calls(spot: float) -> float:
        deviation = 0.6 * math.sqrt(5 / 365)
        upper = math.log(spot / 100) / deviation + deviation / 2
        normal = NormalDist().cdf
        return 10 * (spot * normal(upper) - 100 * normal(upper - deviation))

    low, high = 100.0, 110.0
    for _ in range(200):
        middle = (low + high) / 2
        safe = 30 + calls(100) - calls(middle) > 0.04 * middle
        low, high = (middle, high) if safe else (low, middle)
    expected = {"roots": [low], "n": 1, "margin_at_spot": 26}
    assert ask(sample("many roots"), expected) == PASSED


def test_a_bid_pays_its_part_of_the_value_and_no_more_than_restores_the_account() -> None:
    """300 of value, 100 short: 140 short of the buffer of 10 %; ten minutes cost a fifth."""
    expected = {"max_fraction": 140 / 440, "bid_price": 300, "cash_from_bidder": 30}
    assert ask(sample("bid"), expected) == PASSED
    late = {"bid_price": 240, "max_fraction": 140 / 380, "cash_from_bidder": 240 * 140 / 380}
    assert ask(sample("bid", elapsed_s=600, bid_fraction=1.0), late) == PASSED


def test_what_earlier_bids_have_brought_is_not_sold_again() -> None:
    expected = {"max_fraction": 140 / (140 + 0.8 * 300 + 0.2 * 50)}
    assert ask(sample("bid", elapsed_s=600, reserved_cash=50), expected) == PASSED


def test_whoever_takes_an_account_without_value_is_paid_more_the_longer_it_takes() -> None:
    """40 at the start, 140 at the end, 65 after a quarter; and half of what is then short."""
    expected = {"current_offer": -65, "sm_payout": 32.5, "cash_required": 37.5}
    assert ask(sample("insolvent"), expected) == PASSED


def test_the_fee_of_an_auction_is_on_the_slice_at_no_discount() -> None:
    expected = {"fraction": 60 / 160, "fee": 100_000 * 0.1 * 60 / 160}
    assert ask(sample("fee of an auction"), expected) == PASSED


def test_a_bid_in_a_simulation_leaves_the_account_with_what_it_has_brought() -> None:
    outcome = run_case(
        {"id": "case", "inputs": sample("simulation"), "expected": {"steps": []}, "tolerance": {}},
        {"shared": {}},
        load(),
        ADAPTERS,
        {},
    )
    assert outcome.status is Status.NOT_APPLICABLE
    assert "lie in another file" in outcome.reason


def test_the_winner_with_most_profit_for_its_equity_pays_for_a_loss() -> None:
    """Long 10 from 100 with 50: bankrupt at 95, so that 55 are lost per coin at 40."""
    expected = {"liquidated": [1], "adl": [2], "fund_paid": 0, "fund": 0}
    assert ask(sample("pipeline"), expected) == PASSED
    rich = {"liquidated": [1], "adl": [], "fund_paid": 550, "fund": 50}
    assert ask(sample("pipeline", insurance_fund=600), rich) == PASSED


def test_a_ranking_that_is_not_the_venues_own_is_a_difference() -> None:
    outcome = ask(sample("pipeline", adl_ranking="binance"), {"adl": [2]})
    assert outcome.status is Status.NOT_APPLICABLE
    assert "DIFFERENCE: the case ranks by profit x notional / equity" in outcome.reason


def test_a_winner_forgoes_the_loss_and_keeps_the_rest_of_its_profit() -> None:
    expected = {"winner_equity_after": 100 + 600 - 550, "winner_position": 0}
    assert ask(sample("forgone"), expected) == PASSED
    # half of the position is enough for a loss of half the size
    half = {**LIQUIDATION_SAMPLES["forgone"]["isolated_positions"][0], "qty": 5, "equity": 25}
    expected = {"winner_equity_after": 100 + 600 - 275, "winner_position": 5}
    assert ask(sample("forgone", isolated_positions=[half]), expected) == PASSED


def test_a_score_is_profit_times_leverage_from_the_bankruptcy_price() -> None:
    assert ask(sample("scored"), {"score": [0.1 * 110 / 20]}) == PASSED


def test_losses_in_turn_empty_the_fund_before_anybody_else_pays() -> None:
    assert ask(sample("in turn"), {"fund_after": [1, 0], "adl": [0, 4]}) == PASSED


def test_a_debt_is_repaid_with_collateral_until_nothing_is_missing() -> None:
    """8 - 10.8 = -2.8, and each token given and repaid adds 0.4."""
    expected = {"liquidation_possible": True, "asset_token": 3, "liability_token": -2}
    assert ask(sample("tokens"), expected) == PASSED
    limited = ask(sample("tokens", max_liability_transfer=2.0), expected)
    assert limited.status is Status.NOT_APPLICABLE
    nothing = dict.fromkeys(("asset_token", "liability_token")) | {"liquidation_possible": False}
    healthy = sample("tokens", other_health=3.0)
    assert ask(healthy, nothing) == PASSED


def test_a_debt_that_costs_more_than_its_weight_cannot_be_repaid() -> None:
    assert ask(sample("borrowed"), {"liability_amount": 10 / 40}) == PASSED
    dear = sample("borrowed", liability_weight=1.0, liability_multiplier=0.75)
    assert ask(dear, {"liability_amount": "unbounded (transfer everything)"}) == PASSED


def test_a_debt_repaid_at_a_bonus() -> None:
    expected = {"repay": (84 - 80) / (1 - 0.84), "HF_before": 80 / 84}
    assert ask(sample("debt repaid"), expected) == PASSED


@pytest.mark.parametrize(
    ("price", "delta", "paid"),
    # bought with 90 of debt: 10 are left at 100, of which 5 % of the price are paid
    [(100, 5, 5), (90, 0, 0), (80, -10, 0)],
)
def test_a_fill_pays_the_fund_or_costs_it(price: float, delta: float, paid: float) -> None:
    fill = {"market": "BTC", "delta": -1, "price": price}
    expected = {"insurance_fund_delta": delta, "fee_paid_by_account": paid}
    assert ask(sample("insured", fill=fill), expected) == PASSED


def test_a_position_takes_its_share_of_the_equity_with_it() -> None:
    """10 of equity stand behind 10 and 20 of maintenance margin."""
    account = {
        "usdc": -490,
        "positions": [
            {"market": "BTC", "size": 2, "oracle_price": 50, "im_ratio": 0.2, "mm_ratio": 0.1},
            {"market": "ETH", "size": 1, "oracle_price": 400, "im_ratio": 0.2, "mm_ratio": 0.05},
        ],
    }
    close = {"market": "ETH", "delta": -1}
    expected = {"bankruptcy_price": 400 - 10 * 20 / 30, "bankruptcy_quote": 400 - 10 * 20 / 30}
    assert ask(sample("transferred", account=account, close=close), expected) == PASSED


def test_a_fee_on_the_margin_that_goes_lowers_what_is_left() -> None:
    """10 of equity against 20.2: each fifth that goes costs 0.404 and frees 4.04."""
    shown = [
        {
            "share": share,
            "new_mmr": 20.2 * (1 - share),
            "penalty": 2.02 * share,
            "new_account_value": 10 - 2.02 * share,
            "new_margin_ratio": 20.2 * (1 - share) / (10 - 2.02 * share),
        }
        for share in (0.2, 0.4, 0.6, 0.8)
    ]
    expected = {
        "unrealized_pnl": -990,
        "mmr": 20.2,
        "account_value": 10,
        "table": shown,
        "chosen_share": 0.8,
        "realized_loss": 990 * 0.8,
        "collateral_after": 1000 - 990 * 0.8 - 2.02 * 0.8,
        "positions_after": {"BTC": 0.2},
    }
    assert ask(sample("share of all"), expected) == PASSED


def test_reductions_in_fractions_and_whole_by_hand() -> None:
    """The first of two frees four of five at two; of the second half is needed, or all of it."""
    expected = {"x": [1, 0.5], "cost": 3.5, "milp_cost": 5, "milp_set": [1, 1], "greedy_cost": 5}
    assert ask(sample("cheapest reduction"), expected) == PASSED


def test_a_reduction_under_quadratic_impact_by_hand() -> None:
    """Twice as much of what costs half: 2 + 1 = 3, at 4 + 2."""
    assert ask(sample("quadratic reduction"), {"x": [2, 1], "cost": 6}) == PASSED


def test_an_even_sale_by_hand() -> None:
    """Two days of 500: 62.5 of spread and 2 x 0.25 of impact; 500 are at risk for a day."""
    expected = {"mean": [63e-6], "var": [250_000e-12]}
    assert ask(sample("scheduled"), expected) == PASSED
