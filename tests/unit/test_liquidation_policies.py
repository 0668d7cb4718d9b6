"""Policies of liquidation: traps that are named, costs from depth, hedges, auctions, side by side.

Expected figures are calculated here by hand or published; where they are, the source is named.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pytest

import crossmargin as cm
from tests.oracle import sheets

if TYPE_CHECKING:
    from crossmargin._core import Book

SCAN = {"kind": "scenarios", "numeraire": "report", "unit": "underlying", "orders": "variants"}
TEN_PERCENT = [
    {"underlyings": ["*"], "scenarios": [{"set": "scan", "price_moves": [-0.1, 0.0, 0.1]}]}
]


def _scan(**liquidation: object) -> dict[str, object]:
    """Return a rulebook whose margin is the worst of moves by 10 % of each coin."""
    return sheets.rulebook(measure=SCAN, profiles=TEN_PERCENT, liquidation=liquidation) | {
        "id": "ten-percent"
    }


def _perpetuals(*rows: tuple[str, float, float, float]) -> sheets.Rows:
    """Return positions: symbol, coins, entry and mark; the symbol's first word is its coin."""
    return sheets.table(
        "symbol underlying type contracts entryPrice markPrice",
        *([name, name.split("-")[0], "perpetual", *numbers] for name, *numbers in rows),
    )


def _cash(amount: float, currency: str = "USD") -> sheets.Rows:
    return sheets.table("currency cash", [currency, amount])


def _order(book: Book, *, max_steps: float = 50.0, **options: object) -> list[dict[str, Any]]:
    found = cm.liquidation_order(book, scenario="now", max_steps=max_steps, options=options)
    return sheets.records(found)


def _hedged(cash: float, **liquidation: object) -> Book:
    """Return 1.72m long against 0.9m short of one coin: 82k of margin, 172k without the short."""
    rows = _perpetuals(("BTC-A", 17.2, 100_000, 100_000), ("BTC-B", -9.0, 90_000, 100_000))
    return cm.book(rows, _scan(**liquidation), collateral=_cash(cash))


def test_a_step_that_closes_a_hedge_says_what_it_does_to_the_margin() -> None:
    """The trap of methods.md 5.3: closing the second largest position raises 82k to 172k."""
    first = _order(_hedged(171_000.0), policy="largest_loss")[0]
    assert (first["symbol"], first["mm_before"], first["mm_after"]) == (
        "BTC-B",
        pytest.approx(82_000.0),
        pytest.approx(172_000.0),
    )
    assert "closing a hedge raised the maintenance margin from 82,000 to 172,000" in first["reason"]
    assert "the excess fell from -1,000 to -91,000" in first["reason"]


@pytest.mark.parametrize("policy", ["marginal_per_cost", "incremental"])
def test_policies_that_optimise_leave_the_hedge_alone(policy: str) -> None:
    """Whole, either leg raises the margin; a part of the longer one is what helps."""
    rows = _order(_hedged(171_000.0), policy=policy)
    assert {row["symbol"] for row in rows} == {"BTC-A"}
    assert rows[-1]["equity_after"] == pytest.approx(rows[-1]["mm_after"], rel=1e-12)
    for row in rows:
        before = row["equity_before"] - row["mm_before"]
        assert row["equity_after"] - row["mm_after"] > before
        assert "raised" not in row["reason"]


def test_legs_that_help_only_together_are_cut_together() -> None:
    """Longs of 1m against shorts of 1m, a charge on both: either leg alone raises the margin."""
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000), ("BTC-B", -10.0, 100_000, 100_000))
    gross = {
        "name": "gross",
        "on": "minimum_delta",
        "stage": "floor",
        "unhedged": 0.1,
        "hedged": 0.01,
    }
    rule = _scan() | {"profiles": [TEN_PERCENT[0] | {"charges": [gross]}]}
    book = cm.book(rows, rule, collateral=_cash(9_000.0))
    found = _order(book, policy="marginal_per_cost")
    assert [row["symbol"] for row in found] == ["BTC-A", "BTC-B"]
    # 1 % of a hedged million is 10,000, of which a tenth is cut
    assert [row["qty"] for row in found] == pytest.approx([1.0, 1.0])
    assert "which keeps the hedges" in found[0]["reason"]


def test_a_cost_above_what_is_freed_is_called_toxic_and_an_optimising_policy_refuses_it() -> None:
    """At slippage above the rate of the margin each closing makes it worse: methods.md 5.2."""
    rows = _perpetuals(("BTC-A", 2.0, 105_000, 100_000))
    book = cm.book(rows, _scan(), collateral=_cash(29_000.0))
    rule = _order(book, policy="largest_loss", slippage=0.11)[0]
    assert "toxic: it cost 22,000 and freed 20,000 of maintenance margin" in rule["reason"]
    refused = _order(book, policy="marginal_per_cost", slippage=0.11)
    assert [row["action"] for row in refused] == ["none"]
    assert "no step that is left frees more than it costs" in refused[0]["reason"]
    said = cm.first_liquidated(
        book,
        scenario="now",
        what="sentence",
        options={"policy": "marginal_per_cost", "slippage": 0.11},
    )
    assert "closes nothing: still liquidatable" in str(said)


def _market(**columns: float) -> dict[str, object]:
    return {"underlying": ["BTC"], "indexPrice": [100_000.0]} | {
        name: [value] for name, value in columns.items()
    }


def test_slippage_from_depth_is_half_the_spread_and_two_thirds_of_the_square_root_law() -> None:
    rows = _perpetuals(("BTC-A", 500.0, 100_000, 100_000))
    market = _market(adv=20_000, dailyVol=0.04, halfSpread=0.0002)
    book = cm.book(rows, _scan(), collateral=_cash(4_000_000.0), market=market)
    row = _order(book, policy="largest_loss", slippage="depth", step="whole")[0]
    coins = 500.0
    impact = 2 / 3 * 0.04 * math.sqrt(coins / 20_000)
    assert row["cost"] == pytest.approx(coins * 100_000 * (0.0002 + impact), rel=1e-9)
    assert row["price"] == pytest.approx(100_000 * (1 - 0.0002 - impact), rel=1e-9)


def test_cutting_an_order_into_pieces_makes_it_no_cheaper() -> None:
    rows = _perpetuals(("BTC-A", 500.0, 100_000, 100_000))
    market = _market(adv=20_000, dailyVol=0.04, halfSpread=0.0002)
    book = cm.book(rows, _scan(), collateral=_cash(4_000_000.0), market=market)
    common: dict[str, Any] = {"policy": "largest_loss", "slippage": "depth", "stop": "flat"}
    whole = _order(book, **common, step="whole")
    pieces = _order(book, **common, step="0.5", max_steps=6.0)
    closed = sum(row["qty"] for row in pieces)
    cost = sum(row["cost"] for row in pieces)
    assert closed == pytest.approx(500 * (1 - 0.5**6))
    impact = 2 / 3 * 0.04 * math.sqrt(closed / 20_000)
    assert cost == pytest.approx(closed * 100_000 * (0.0002 + impact), rel=1e-9)
    assert whole[0]["cost"] > cost


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"dailyVol": 0.04, "halfSpread": 0.0002}, "average daily volume of BTC.*adv"),
        ({"adv": 1000, "halfSpread": 0.0002}, "volatility of BTC.*dailyVol"),
        ({"adv": 1000, "dailyVol": 0.04}, "half spread of BTC.*halfSpread"),
    ],
)
def test_depth_without_a_figure_of_the_market_is_refused_by_name(
    columns: dict[str, float], missing: str
) -> None:
    rows = _perpetuals(("BTC-A", 5.0, 100_000, 100_000))
    book = cm.book(rows, _scan(), collateral=_cash(40_000.0), market=_market(**columns))
    with pytest.raises(cm.CrossmarginError, match=missing):
        cm.liquidation_order(book, scenario="now", options={"slippage": "depth"})


def test_a_random_rule_without_a_seed_tells_the_odds() -> None:
    rows = _perpetuals(*((f"{coin}-PERP", 10.0, 100, 100) for coin in ("BTC", "ETH", "SOL")))
    book = cm.book(rows, _scan(policy="random"), collateral=_cash(290.0))
    assert (
        cm.first_liquidated(book, scenario="now") == "BTC-PERP 33 %, ETH-PERP 33 %, SOL-PERP 33 %"
    )
    said = str(cm.first_liquidated(book, scenario="now", what="sentence"))
    assert "closes one position at random: BTC-PERP 33 %" in said
    drawn = cm.first_liquidated(book, scenario="now", options={"seed": 3})
    assert drawn in {"BTC-PERP", "ETH-PERP", "SOL-PERP"}


def test_the_sentence_names_place_position_size_and_share_of_the_margin() -> None:
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000), ("ETH-B", -120.0, 2_000, 2_000))
    book = cm.book(rows, _scan(), collateral=_cash(200_000.0))
    options = {"policy": "largest_notional", "step": "whole"}
    said = str(cm.first_liquidated(book, what="sentence", options=options))
    # 100k and 24k of margin; ten coins lose 76k to 124k of margin less 10 % of what they lose
    trigger = 100_000 - 76_000 / (10 - 1)
    past = trigger - 0.01 * (100_000 - trigger)
    assert said.startswith(f"At BTC {past:,.1f}"[:-2])
    assert "the engine closes BTC-A, long 10, " in said
    assert "% of MM (a policy chosen by the caller)." in said


@pytest.mark.parametrize(
    "topic",
    ["CM_LIQORDER;now;;policy=largest_notional", "CM_LIQFIRST;;now;;policy=largest_notional"],
)
def test_why_of_an_order_says_what_it_begins_with(topic: str) -> None:
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000), ("ETH-B", -120.0, 2_000, 2_000))
    book = cm.book(rows, _scan(), collateral=_cash(100_000.0))
    said = " ".join(map(str, cm.why(book, topic=topic).column("sentence")))
    # 24k of 124k are missing, and each coin frees 10k
    assert "At today's prices the engine closes BTC-A, long 2.4, 81 % of MM" in said


@pytest.mark.parametrize("inclusive", [False, True])
def test_exactly_at_the_maintenance_margin_the_sign_is_the_rulebooks(inclusive: bool) -> None:  # noqa: FBT001
    """dYdX is strict, others are not: orders.md 2.2."""
    levels = {"maintenance": {"factor": 1.0, "trigger": 1.0, "inclusive": inclusive}}
    eighth = [
        {"underlyings": ["*"], "scenarios": [{"set": "scan", "price_moves": [-0.125, 0.125]}]}
    ]
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000))
    rule = _scan() | {"levels": levels, "profiles": eighth}
    book = cm.book(rows, rule, collateral=_cash(125_000.0))
    assert bool(_order(book, policy="largest_loss", step="whole")) is inclusive


def test_opposing_legs_of_one_contract_are_closed_against_each_other_first() -> None:
    rows = sheets.table(
        "symbol underlying type positionSide contracts entryPrice markPrice",
        ["BTC-P", "BTC", "perpetual", "LONG", 10.0, 100_000, 100_000],
        ["BTC-P", "BTC", "perpetual", "SHORT", -4.0, 100_000, 100_000],
    )
    rule = _scan(policy="largest_notional", close_opposing=True, certainty="documented")
    book = cm.book(rows, rule, collateral=_cash(50_000.0))
    found = _order(book, slippage=0.001)
    assert [(row["step"], row["side"], row["qty"]) for row in found[:2]] == [
        (1.0, "sell", 4.0),
        (1.0, "buy", 4.0),
    ]
    assert [row["cost"] for row in found[:2]] == [0.0, 0.0]
    # 600k of notional left: (600k x 10 % - 50k) / (600k x (10 % - 0.1 %)) of it, methods.md 5.2
    assert found[2]["qty"] == pytest.approx(6 * 10_000 / (600_000 * 0.099))
    assert found[2]["equity_after"] == pytest.approx(found[2]["mm_after"], rel=1e-12)


def test_two_tiers_at_a_time_go_down_two_brackets_and_the_lowest_two_go_whole() -> None:
    brackets = {
        "tables": [
            {
                "name": "BTC-P",
                "floors": [0.0, 1_000.0, 2_000.0, 4_000.0],
                "maintenance_rates": [0.01, 0.02, 0.05, 0.1],
                "used_by": ["BTC-P"],
            }
        ],
        "list_by": "symbol",
    }
    rule = sheets.rulebook(
        tiers=brackets, liquidation={"policy": "tier_steps", "tiers_at_once": 2, "stop": "flat"}
    )
    book = cm.book(_perpetuals(("BTC-P", 50.0, 110, 100)), rule, collateral=_cash(500.0))
    found = _order(book)
    assert [row["qty"] for row in found] == [pytest.approx(30.0), pytest.approx(20.0)]
    assert "from bracket 4 to bracket 2" in found[0]["reason"]
    assert "bracket 2: no 2 brackets to step down" in found[1]["reason"]


PARADEX = sheets.table(
    "symbol contracts entryPrice markPrice maintenanceMarginRate initialMarginRate",
    ["BTC-USD-PERP", 0.1, 60_000, 54_800, 0.01, 0.02],
    ["ETH-USD-PERP", -1.0, 3_000, 3_400, 0.01, 0.02],
)
"""venues.json paradex_partial_liquidation: 40 %, a penalty of 17.76, 614.24 of collateral left."""


def test_cuts_by_multiples_choose_the_share_of_the_published_example() -> None:
    rule = sheets.rulebook(
        liquidation={
            "policy": "pro_rata",
            "step": "multiples:0.2",
            "stop": "usage:0.9",
            "maintenance_fee": 0.5,
        }
    )
    found = _order(cm.book(PARADEX, rule, collateral=_cash(1_000.0)))
    assert [row["qty"] for row in found] == pytest.approx([0.04, 0.4])
    assert found[0]["mm_before"] == pytest.approx(88.8)
    assert sum(row["cost"] for row in found) == pytest.approx(17.76)
    assert found[-1]["mm_after"] == pytest.approx(53.28)
    # collateral after, with the result that is left: 0.06 x (54,800 - 60,000) - 0.6 x 400
    assert found[-1]["equity_after"] == pytest.approx(614.24 - 312 - 240)
    assert found[-1]["usage_after"] == pytest.approx(0.856, abs=5e-4)


def test_paradex_does_the_same_with_its_fee_provision_in_the_margin() -> None:
    book = cm.book(PARADEX, "paradex-cross", collateral=_cash(1_000.0, "USDC"))
    found = _order(book, until="healthy")
    assert [row["qty"] for row in found] == pytest.approx([0.04, 0.4])
    assert sum(row["cost"] for row in found) == pytest.approx(0.5 * 0.4 * found[0]["mm_before"])
    assert found[-1]["certainty"] == "documented"


def test_a_slice_of_the_auction_is_the_published_fraction() -> None:
    """derive-auction-srm-perp: 50.349 % at a discount of 20 % with a buffer of 5 %."""
    auction = {
        "start": 0.2,
        "fast": 0.2,
        "fast_seconds": 0.0,
        "slow_seconds": 1.0,
        "insolvent_seconds": 600.0,
    }
    rates = {
        "tables": [{"name": "P", "floors": [0.0], "maintenance_rates": [0.05], "used_by": ["P"]}]
    }
    rule = sheets.rulebook(
        tiers=rates | {"list_by": "symbol"},
        liquidation={"policy": "equal_slice", "stop": "mm:1.05", "auction": auction},
    )
    book = cm.book(_perpetuals(("P", -1.0, 1_000, 1_035)), rule, collateral=_cash(65.0))
    found = _order(book)
    share = 0.5034910783553141
    assert [row["action"] for row in found] == ["slice", "proceeds"]
    assert found[0]["qty"] == pytest.approx(share, rel=1e-9)
    assert found[1]["qty"] == pytest.approx(share * 0.8 * 30, rel=1e-9)
    assert found[1]["cost"] == pytest.approx(share * 0.2 * 30, rel=1e-9)
    assert "closed form, confirmed by re-evaluation" in found[0]["reason"]
    # buffer margin zero: 1.05 x the margin that is left
    assert found[1]["equity_after"] == pytest.approx(1.05 * found[1]["mm_after"], rel=1e-9)


def test_an_account_without_value_goes_whole_to_a_bidder_who_is_paid() -> None:
    """derive_insolvent_auction: value -4,000, excess -15,000, ten minutes: an offer of 5,833.33."""
    rows = sheets.table(
        "symbol type contracts entryPrice markPrice maintenanceMarginRate initialMarginRate",
        ["BTC-PERP", "perpetual", 1.0, 110_000, 110_000, 0.1, 0.2],
    )
    book = cm.book(rows, "derive-sm", collateral=_cash(-4_000.0, "USDC"))
    found = _order(book, elapsed=600)
    assert [row["action"] for row in found] == ["takeover", "offer"]
    margin = found[0]["mm_before"]
    offer = 4_000 + 600 / 3_600 * margin
    assert f"who is paid {offer:,.0f}" in found[0]["reason"]
    assert found[1]["qty"] == pytest.approx(offer)
    compared = sheets.records(cm.liquidation_policies(book, scenario="now", policies="venue"))
    assert compared[0]["shortfall"] == pytest.approx(4_000.0)


def test_collateral_is_sold_before_positions_and_only_as_much_as_is_needed() -> None:
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000))
    collateral = sheets.table(
        "currency cash collateralRate", ["USD", 10_000, 1.0], ["ETH", 50, 0.8]
    )
    market = {"underlying": ["BTC", "ETH"], "indexPrice": [100_000.0, 2_000.0]}
    book = cm.book(rows, _scan(), collateral=collateral, market=market)
    # 10k + 80k of 100k counts; each ETH sold adds 0.2 x 2,000
    found = _order(book, policy="collateral_first")
    assert [(row["action"], row["symbol"]) for row in found] == [("convert", "ETH")]
    assert found[0]["qty"] == pytest.approx(10_000 / 400)
    assert found[0]["equity_after"] == pytest.approx(100_000.0, rel=1e-12)
    # at a cost above the haircut selling helps nobody, so positions go
    dear = _order(book, policy="collateral_first", slippage=0.25)
    assert dear[0]["action"] == "close"


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (["futures", "spot"], ["BTC-P", "BTC-S"]),
        (["spot", "futures"], ["BTC-S", "BTC-P"]),
    ],
)
def test_classes_go_in_the_order_of_the_rulebook(stages: list[str], expected: list[str]) -> None:
    rows = sheets.table(
        "symbol underlying type contracts entryPrice markPrice",
        ["BTC-P", "BTC", "perpetual", 5.0, 100_000, 100_000],
        ["BTC-S", "BTC", "spot", 5.0, 100_000, 100_000],
    )
    rule = _scan(policy="staged_by_class", stages=stages)
    book = cm.book(rows, rule, collateral=_cash(90_000.0))
    found = _order(book, stop="flat")
    assert [row["symbol"] for row in found] == expected


def test_pro_rata_keeps_hedges_and_scales_the_margin() -> None:
    """Slicing a whole book leaves its shape: every scenario shrinks by the same share."""
    found = _order(_hedged(171_000.0 - 1_000.0), policy="pro_rata")
    share = found[0]["qty"] / 17.2 if found[0]["symbol"] == "BTC-A" else found[1]["qty"] / 17.2
    assert {row["symbol"] for row in found} == {"BTC-A", "BTC-B"}
    assert found[0]["mm_after"] == pytest.approx((1 - share) * found[0]["mm_before"], rel=1e-12)
    assert found[0]["equity_after"] == pytest.approx(found[0]["mm_after"], rel=1e-12)


def test_whole_lots_round_up_so_that_the_account_ends_healthy() -> None:
    rows = _perpetuals(("BTC-A", 10.0, 100_000, 100_000))
    book = cm.book(
        rows,
        _scan(),
        collateral=_cash(91_000.0),
        market={"symbol": ["BTC-A"], "lot": [0.25]} | {"markPrice": [100_000.0]},
    )
    found = _order(book, policy="largest_loss")
    # 0.9 coins are needed
    assert [row["qty"] for row in found] == [1.0]


def test_policies_stand_side_by_side_as_they_run_one_by_one() -> None:
    rows = _perpetuals(
        ("BTC-A", 17.2, 99_000, 100_000),
        ("BTC-B", -9.0, 90_000, 100_000),
        ("ETH-C", 50, 2_000, 1_900),
    )
    book = cm.book(rows, _scan(), collateral=_cash(160_000.0))
    options = {"slippage": 0.001, "until": "healthy"}
    compared = sheets.records(
        cm.liquidation_policies(
            book, policies="venue,largest_loss,pro_rata,all_at_once", options=options
        )
    )
    assert [row["policy"] for row in compared] == [
        "venue: highest_risk_contribution",
        "largest_loss",
        "pro_rata",
        "all_at_once",
    ]
    for row in compared:
        policy = str(row["policy"]).removeprefix("venue: ")
        alone = sheets.records(cm.liquidation_order(book, options=options | {"policy": policy}))
        assert row["cost"] == pytest.approx(sum(one["cost"] for one in alone))
        assert row["equity_left"] == alone[-1]["equity_after"]
        assert row["steps"] == alone[-1]["step"]
        flagged = {
            one["step"] for one in alone if "raised" in one["reason"] or "fell" in one["reason"]
        }
        assert row["warnings"] == len(flagged)
        assert str(alone[-1]["reason"]).endswith(str(row["end"]))
    assert compared[3]["positions_left"] == 0.0
    assert compared[1]["warnings"] == 1.0


def test_deribit_closes_the_option_that_adds_most_and_hedges_with_a_perpetual() -> None:
    """venues.md 1.6: the hedge may open a position, and stays."""
    rows = sheets.table(
        "symbol size markIv underlyingPrice",
        ["BTC-25DEC26-90000-P", -10.0, 0.6, 100_000.0],
        ["BTC-25DEC26-130000-C", 2.0, 0.6, 100_000.0],
    )
    book = cm.book(
        rows,
        "deribit-spm",
        collateral=sheets.table("currency equity", ["BTC", 0.2]),
        market={"underlying": ["BTC"], "indexPrice": [100_000.0]},
        as_of="2026-11-29T08:00:00Z",
    )
    found = _order(book, step="0.25", max_steps=4.0)
    assert [row["action"] for row in found[:2]] == ["close", "hedge"]
    assert found[0]["symbol"] == "BTC-25DEC26-90000-P"
    assert "adds most to the worst scenario" in found[0]["reason"]
    # 0.2 % of the underlying, the fee of options
    assert found[0]["cost"] == pytest.approx(0.002 * 2.5 * 100_000)
    hedge = found[1]
    assert (hedge["symbol"], hedge["side"]) == ("BTC-PERPETUAL", "sell")
    assert hedge["mm_after"] < hedge["mm_before"]
    assert hedge["certainty"] == "documented"
    left = [(-7.5, 90_000.0, "put"), (2.0, 130_000.0, "call")]
    years = 26 / 365
    delta = sum(
        size * _coin_delta(100_000.0, strike, 0.6 * math.sqrt(years), right)
        for size, strike, right in left
    )
    assert hedge["qty"] == pytest.approx(delta * 100_000, rel=1e-5)
    alone = _order(book, step="0.25", max_steps=4.0, hedge="none")
    assert {row["action"] for row in alone} == {"close"}


def _coin_delta(forward: float, strike: float, total: float, right: str) -> float:
    """Return the slope of an option's value in coins over a relative move: delta less value."""
    normal = NormalDist()
    up = (math.log(forward / strike) + total**2 / 2) / total
    sign = 1 if right == "call" else -1
    value = sign * (forward * normal.cdf(sign * up) - strike * normal.cdf(sign * (up - total)))
    return sign * normal.cdf(sign * up) - value / forward


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"step": "some"}, "whole, needed, multiples:0.2"),
        ({"stop": "usage:2"}, "above 0 and at most 1"),
        ({"hedge": "always"}, "venue, none, after, first"),
        ({"slippage": "deep"}, "depth, or from 0"),
        ({"discount": "1"}, "unknown option 'discount'"),
        ({"policy": "cheapest"}, "equal_slice"),
    ],
)
def test_an_option_that_is_not_known_is_refused_with_those_that_are(
    options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(cm.CrossmarginError, match=sentence):
        cm.liquidation_order(_hedged(1_000.0), scenario="now", options=options)


def test_a_comparison_refuses_a_policy_it_does_not_know_and_one_among_its_options() -> None:
    book = _hedged(1_000.0)
    with pytest.raises(cm.CrossmarginError, match="unknown policy 'best'"):
        cm.liquidation_policies(book, policies="best")
    with pytest.raises(cm.CrossmarginError, match="the argument policies"):
        cm.liquidation_policies(book, options={"policy": "random"})
    with pytest.raises(cm.CrossmarginError, match="needs the option list"):
        cm.liquidation_policies(book, policies="user_list")
