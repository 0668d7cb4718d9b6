"""Published cases through the public interface: which pass, and how many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import __main__ as runner

GOLDEN = Path(__file__).parents[1] / "golden"

WHOLE_FILES = {
    "hyperliquid_liquidation_price.json": 19,
    "freqtrade_isolated_cross_liquidation_price.json": 17,
    "inverse_liquidation_price.json": 3,
    "cross_liquidation_price_misc.json": 1,
    "cross_margin_engine_rust.json": 2,
    "derive_srm_standard_margin.json": 42,
    "derive_pmrm1_portfolio_margin.json": 39,
    "derive_pmrm2_portfolio_margin.json": 45,
    "derive_dutch_auction_liquidation.json": 13,
    "synthetix_v3_perps_margin.json": 3,
}
# Files of engines that the model can say in part: the page of the published cases has the rest.
IN_PART = {
    "drift_v2_liquidation_math.json": 6,
    "dydx_v4_margin_liquidation.json": 20,
    "flox_liquidation_adl_cascade.json": 6,
    "mango_v4_liquidation_amount.json": 7,
    "mars_health_liqprice_maxsize.json": 10,
    "vega_es_margin_liqprice_cascade.json": 23,
    "venues.json": 24,
    "methods.json": 58,
}
SINGLE_CASES = {
    "venues.json": {
        "binance_coinm_maint_amount",
        "bybit_btcusdt_tiers",
        "bybit_bankruptcy_price_inverse_long",
        "dydx_cross_liq",
        "binance_adl_leverage_pnl",
        "bitcom_short_put_linear",
        "bybit_long_call_cost",
        "bybit_short_call_mm",
        "deribit_sm_linear_BTC_25",
        "deribit_sm_linear_BTC_350",
        "derive_srm_ex1",
        "paradex_net_imr",
        "paradex_min_delta",
        "deribit_settlement_delta_decay",
        "deribit_xpm_mm_factor_20260216",
        "okx_pm_position_builder_docs",
        "okx_mr9_tier_example",
        "okx_spot_perp_mr4_june2024",
    },
    "dydx_v4_margin_liquidation.json": {
        "dydx-isliquidatable-at-initial",
        "dydx-isliquidatable-at-maintenance",
        "dydx-isliquidatable-below-maintenance",
        "dydx-margin-neg",
        "dydx-margin-max",
        "dydx-margin-im0",
        "dydx-margin-im20-mm10",
        "dydx-margin-im5-mm3",
        "dydx-margin-oimf-half",
        "dydx-margin-oimf-full",
    },
    "vega_es_margin_liqprice_cascade.json": {
        *(f"vega-es-riskfactor-{case}" for case in "00 01 02 03 04 08 11 12".split()),
    },
    "dexsim_es_margin.json": {"dexsim-breaker"},
    "methods.json": {
        "var.jorion.component_165",
        "var.cad_usd_comp_vs_incr",
        "var.se_asymptotic",
        "var_es.qrm.normal_t4",
        "es.discrete_tail",
        "es.euler.tail_average",
        "dg.pure_gamma",
        "ewma.hull",
        "ewma.corr_update",
        "garch.hull",
        "copula.t_taildep",
        "copula.rank",
        "cf.quantile",
        "ncm.nag.g02aa",
        "ncm.higham3",
        "corr.quantlib",
        "lw.identity",
        "beta",
        "stresscorr.blend",
        "lvar.elasticity",
        "mpor.linear_unwind",
        "haircut.basel_scale",
        "bt.matlab.cc",
        "bt.pof_zero",
        "bt.cci_n11_zero",
        "bt.z_stats_toy",
        "apc.emir",
        "apc.measures",
        "conc.addon",
        "impact.sqrt",
        "fhs.rescale",
        "brw.weights",
        "kelly",
        "voltarget",
        "liqprob.barrier",
        "dyn.drift.size_premium",
        "alert.dtl_sigma",
        "liq.inverse",
        "liq.partial_perp",
        "liq.risk_contribution_order",
        "capeff.cross_vs_isolated",
        "span.mcmillan.future",
        "span.mcmillan.long_call",
        "span.scenario_table_2x35",
        "span.solomon.corn_soy",
        "span.wfpr_credit",
        "span2.total",
        "pm.dederi.future",
        "iv.doc",
        "iv.doc_normal",
    },
}


def report(folder: Path, target: Path) -> dict[str, dict[str, Any]]:
    """Run all vectors of a folder; return the report of each file."""
    status = runner.main(["--folder", str(folder), "--json", str(target)])
    assert status == 0
    return {entry["file"]: entry for entry in json.loads(target.read_text())["files"]}


@pytest.fixture(scope="module")
def published(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return report(shared / "vectors", tmp_path_factory.mktemp("vectors") / "report.json")


@pytest.mark.parametrize(("file", "cases"), WHOLE_FILES.items())
def test_every_case_of_these_files_passes(
    published: dict[str, dict[str, Any]], file: str, cases: int
) -> None:
    entry = published[file]
    assert (entry["passed"], entry["failed"], entry["not_applicable"]) == (cases, 0, 0)


@pytest.mark.parametrize(("file", "cases"), IN_PART.items())
def test_engines_that_are_no_rulebook_of_ours_are_reproduced_where_the_model_has_words(
    published: dict[str, dict[str, Any]], file: str, cases: int
) -> None:
    entry = published[file]
    assert (entry["passed"], entry["failed"]) == (cases, 0)
    assert all(reason.startswith("not applicable: ") for reason in entry["reasons"].values())


@pytest.mark.parametrize("file", SINGLE_CASES)
def test_the_single_cases_of_venues_and_methods_pass(
    published: dict[str, dict[str, Any]], file: str
) -> None:
    entry = published[file]
    assert entry["failed"] == 0
    assert entry["passed"] >= len(SINGLE_CASES[file])
    assert not SINGLE_CASES[file] & set(entry["reasons"])


def test_the_golden_cases_pass_in_python_as_they_do_in_rust(tmp_path: Path) -> None:
    entries = report(GOLDEN, tmp_path / "report.json").values()
    assert sum(entry["passed"] for entry in entries) == 6
    assert not any(entry["failed"] or entry["not_applicable"] for entry in entries)
