"""The headers of tables, so that references can be written before there is an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.calls import Named

if TYPE_CHECKING:
    from crossmargin.template.calls import Call

__all__ = ["HEADERS", "header_of"]

_WORDS: Final = {
    "CM_SUMMARY": "scope equity_gross equity_adjusted im mm order_margin usage excess_im excess_mm "
    "ratio_venue ratio_direction status worst_scenario nearest_trigger first_liquidated",
    "CM_LIQPRICE": "underlying mark down down_pct up up_pct nearest nearest_pct sigmas low high "
    "path status scope",
    "CM_LIQZONES": "underlying mark zone from from_pct to to_pct sigmas begins ends path search "
    "scope",
    "CM_NEAREST": "rank scenario move_1 move_2 sigmas one_day_probability usage_now "
    "first_liquidated search scope comment",
    "CM_LIQORDER": "step action account symbol side qty price cost equity_before equity_after "
    "im_before im_after mm_before mm_after usage_before usage_after reason certainty",
    "CM_LIQCOMPARE": "policy account certainty first steps closings cost equity_before equity_left "
    "mm_left usage_left excess_left shortfall positions_left warnings end",
    "CM_ADL": "form rank account symbol side qty mark pnl equity leverage bankruptcy "
    "score lights fill_qty fill price qty_left leverage_left comment",
    "CM_TIERS": "symbol notional tier next_at room_pct mm_now mm_after jump kind account",
    "CM_COLLATERAL": "currency total debt price_venue price_ref gross collateralRate cap usable "
    "lost value_of_next_1 sell_order status scope",
    "CM_RECON": "scope item ours venue diff diff_pct status likely_cause",
    "CM_WHY": "topic sentence reference",
    "CM_CHECK": "severity sheet row column value code message fix",
    "CM_CHECK columns": "sheet header understood_as unit sample note",
    "CM_CHECK units": "symbol read_as because",
    "CM_RULEBOOKS": "id venue mode version effective source status liquidation_method",
    "CM_RULEBOOKS parts": "part key value unit source note",
    "CM_RULEDIFF": "part key a b change source_a source_b",
    "CM_EXPLAIN": "account risk_unit component base amount share counts formula inputs source",
    "CM_SCENARIOS list": "id account risk_unit set price_move vol_move weight pnl rank counts note",
    "CM_SCENARIOS positions": "account risk_unit symbol quantity pnl share scenario note",
    "CM_EXPOSURE": "group delta delta_usd gamma_1pct vega theta gross net leverage beta_delta "
    "share",
    "CM_COMPARE": "rulebook im mm usage excess_mm capital_efficiency nearest_trigger "
    "first_liquidated loss_if_liquidated status note",
    "CM_CONTRIB": "symbol account quantity notional standalone component marginal incremental "
    "share pnl_in_worst room_to_tier rank_component rank_marginal rank_incremental "
    "rank_notional note",
    "CM_TAIL": "scope measure method confidence horizon_days scenarios effective value low high "
    "standard_error note",
    "CM_TAIL losses": "scope rank scenario loss weight driver_1 result_1 driver_2 result_2 "
    "driver_3 result_3 others",
    "CM_CORREL change": "coin_1 coin_2 fast slow change z alert n_effective note",
    "CM_CORREL beta": "coin beta downside_beta blume r2 observations delta beta_delta note",
    "CM_CORREL volatility": "factor daily annual fast slow long_run half_life_fast half_life_slow "
    "forecast observations note",
    "CM_CORREL stress": "scope case share smallest_eigenvalue mean_correlation VaR ES change_VaR "
    "change_ES worst note",
    "CM_LIMITS": "limit_id scope metric value warn limit use_pct status money rule since owner "
    "action",
    "CM_LIQPROB": "scope horizon_days probability standard_error terminal terminal_error "
    "closed_form paths steps evaluations source method",
    "CM_LEVERAGE": "scope underlying term leverage_cap binding leverage largest_notional rule",
    "CM_MAXSIZE": "symbol account side size notional price lot limit metric value_before "
    "value_at_size bound value_beyond status reason",
    "CM_WHATIF": "measure before after change note",
    "CM_IMPACT": "symbol account -10 -1 1 10",
    "CM_CURE": "rank action symbol side qty cost mm_after usage_after delta_after comment",
    "CM_MAXWITHDRAW": "account currency amount held excess_im_before excess_im_after "
    "excess_im_beyond usage_after reason",
    "CM_SCHEDULE": "item optimal even at_once unit",
    "CM_BACKTEST": "scope test statistic p_value verdict expected observed note",
    "CM_BACKTEST ExceedanceOptions": "scope date margin loss excess driver_1 result_1 driver_2 "
    "result_2 driver_3 result_3 others",
    "CM_BACKTEST SeriesOptions": "scope date margin loss exceeded known",
    "CM_CALIBRATE": "rank scope name parameters days exceeded coverage coverage_low average cost "
    "peak_to_trough rise_5d objective covers on_frontier now",
    "CM_STRESS": "scenario pnl collateral_change equity im mm usage status call_amount "
    "first_liquidated shortfall note",
    "CM_STRESS sources": "scenario what mild central severe window source retrieved",
    "CM_GRID": "price_move price usage status",
    "CM_HORIZON": "date event symbol im mm equity usage theta funding note",
    "CM_DIFF": "driver change share note",
    "CM_ACCOUNTS": "rank account equity_adjusted mm usage excess_mm nearest_pct sigmas "
    "first_liquidated call_amount age_in_state status",
    "CM_ACCOUNTS stress": "rank account venue equity_adjusted mm usage excess_mm fails_at "
    "first_liquidated transfer transfer_from delta_left status note",
    "CM_CHECK series": "series coin kind days first last bars missing last_level",
}
HEADERS: Final = {name: tuple(words.split()) for name, words in _WORDS.items()}


def header_of(made: Call) -> tuple[str, ...]:
    """Return the header of the table that a call shows.

    Raises
    ------
    KeyError
        If the function shows no table of the workbook.
    """
    view = ""
    if made.function == "CM_RULEBOOKS" and made.arguments:
        view = " parts"
    elif made.function == "CM_CHECK" and made.arguments == (Named("HistoryKey"), "columns"):
        view = " series"
    elif made.function == "CM_CHECK" and made.arguments[1:2] in {("columns",), ("units",)}:
        view = f" {made.arguments[1]}"
    elif made.function == "CM_TAIL" and made.arguments[1] == "losses":
        view = " losses"
    elif made.function == "CM_BACKTEST" and made.arguments[1] == "margin":
        view = f" {made.arguments[2].name}" if isinstance(made.arguments[2], Named) else ""
    elif made.function == "CM_CORREL":
        view = f" {made.arguments[1]}"
    elif made.function == "CM_STRESS" and made.arguments[2:3] == ("layout=sources",):
        view = " sources"
    elif made.function == "CM_ACCOUNTS" and len(made.arguments) > 3:  # noqa: PLR2004  # options
        view = " stress"
    elif made.function == "CM_SCENARIOS":
        view = f" {made.arguments[2]}"
    return HEADERS[made.function + view]
