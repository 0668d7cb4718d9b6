//! The shape of a rulebook file. One struct per group; unknown keys are refused.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

use super::raw_portfolio::{RawBorrowing, RawCredit, RawProfile};
use super::raw_tail::RawTail;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRulebook {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) venue: String,
    #[serde(default)]
    pub(super) mode: String,
    pub(super) report_currency: String,
    pub(super) settle: String,
    #[serde(default)]
    pub(super) balance_total: Option<String>,
    pub(super) source: String,
    pub(super) retrieved: String,
    pub(super) effective: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) sources: IndexMap<String, RawSource>,
    #[serde(default)]
    pub(super) pool: RawPool,
    pub(super) measure: RawMeasure,
    #[serde(default)]
    pub(super) tail: RawTail,
    #[serde(default)]
    pub(super) pricing: RawPricing,
    #[serde(default)]
    pub(super) profiles: Vec<RawProfile>,
    #[serde(default)]
    pub(super) credits: Vec<RawCredit>,
    #[serde(default)]
    pub(super) borrowing: Vec<RawBorrowing>,
    #[serde(default)]
    pub(super) refusals: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) levels: RawLevels,
    #[serde(default)]
    pub(super) tiers: RawTiers,
    #[serde(default)]
    pub(super) collateral: RawCollateral,
    #[serde(default)]
    pub(super) liquidation: RawLiquidation,
    #[serde(default)]
    pub(super) venue_ratio: Option<String>,
    #[serde(default)]
    pub(super) bands: RawBands,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) address: String,
    pub(super) retrieved: String,
    pub(super) effective: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) note: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    #[serde(default)]
    pub(super) kind: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPricing {
    #[serde(default)]
    pub(super) discounting: Option<String>,
    #[serde(default)]
    pub(super) settlement_average_seconds: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMeasure {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) maintenance_on: Option<String>,
    #[serde(default)]
    pub(super) orders: Option<String>,
    #[serde(default)]
    pub(super) price_moves: Option<Vec<f64>>,
    /// Short for the moves down, none and up by this much.
    #[serde(default)]
    pub(super) price_move: Option<f64>,
    #[serde(default)]
    pub(super) numeraire: Option<String>,
    #[serde(default)]
    pub(super) unit: Option<String>,
    #[serde(default)]
    pub(super) collateral_in_scan: Option<bool>,
    #[serde(default)]
    pub(super) haircut_and_scan: Option<bool>,
    #[serde(default)]
    pub(super) gross_notional_rate: Option<f64>,
    #[serde(default)]
    pub(super) confidence: Option<f64>,
    #[serde(default)]
    pub(super) horizon_days: Option<f64>,
    #[serde(default)]
    pub(super) days_per_year: Option<f64>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLevels {
    #[serde(default)]
    pub(super) initial: RawLevel,
    #[serde(default)]
    pub(super) maintenance: RawLevel,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLevel {
    #[serde(default)]
    pub(super) factor: Option<f64>,
    #[serde(default)]
    pub(super) trigger: Option<f64>,
    #[serde(default)]
    pub(super) inclusive: Option<bool>,
    #[serde(default)]
    pub(super) haircut: Option<bool>,
    #[serde(default)]
    pub(super) gains: Option<bool>,
    #[serde(default)]
    pub(super) option_value: Option<String>,
    #[serde(default)]
    pub(super) depeg_threshold: Option<f64>,
    #[serde(default)]
    pub(super) depeg_rate: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTiers {
    #[serde(default)]
    pub(super) list_by: Option<String>,
    #[serde(default)]
    pub(super) maintenance_share_of_initial: Option<f64>,
    #[serde(default)]
    pub(super) assumed_share_of_initial: Option<f64>,
    #[serde(default)]
    pub(super) tables: Vec<RawTable>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub(super) name: String,
    pub(super) floors: Vec<f64>,
    #[serde(default)]
    pub(super) maintenance_rates: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) max_leverage: Option<Vec<f64>>,
    /// Symbols or coins that use the table.
    #[serde(default)]
    pub(super) used_by: Vec<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCollateral {
    #[serde(default)]
    pub(super) other_currencies: Option<String>,
    #[serde(default)]
    pub(super) rates: IndexMap<String, RawRate>,
    /// Rates of the initial level where they differ, by currency.
    #[serde(default)]
    pub(super) initial_rates: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) divide_by_peg: Option<bool>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRate {
    pub(super) from: Vec<f64>,
    pub(super) rate: Vec<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLiquidation {
    #[serde(default)]
    pub(super) policy: Option<String>,
    #[serde(default)]
    pub(super) certainty: Option<String>,
    #[serde(default)]
    pub(super) step: Option<String>,
    #[serde(default)]
    pub(super) stop: Option<String>,
    #[serde(default)]
    pub(super) cancel_orders: Option<bool>,
    #[serde(default)]
    pub(super) close_opposing: Option<bool>,
    #[serde(default)]
    pub(super) tiers_at_once: Option<f64>,
    #[serde(default)]
    pub(super) stages: Option<Vec<String>>,
    #[serde(default)]
    pub(super) hedge: Option<String>,
    #[serde(default)]
    pub(super) hedge_in_coin: Option<String>,
    #[serde(default)]
    pub(super) hedge_in_stable: Option<String>,
    #[serde(default)]
    pub(super) large_above: Option<f64>,
    #[serde(default)]
    pub(super) large_first: Option<f64>,
    #[serde(default)]
    pub(super) takeover_below: Option<f64>,
    #[serde(default)]
    pub(super) takeover: Option<String>,
    #[serde(default)]
    pub(super) fee: Option<f64>,
    #[serde(default)]
    pub(super) fees: IndexMap<String, f64>,
    #[serde(default)]
    pub(super) option_fee: Option<f64>,
    #[serde(default)]
    pub(super) option_fee_cap: Option<f64>,
    #[serde(default)]
    pub(super) maintenance_fee: Option<f64>,
    #[serde(default)]
    pub(super) fee_within_equity: Option<bool>,
    #[serde(default)]
    pub(super) impact_coefficient: Option<f64>,
    #[serde(default)]
    pub(super) auction: Option<RawAuction>,
    #[serde(default)]
    pub(super) note: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) cites: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuction {
    pub(super) start: f64,
    pub(super) fast: f64,
    pub(super) fast_seconds: f64,
    pub(super) slow_seconds: f64,
    pub(super) insolvent_seconds: f64,
    #[serde(default)]
    pub(super) fee: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBands {
    #[serde(default)]
    pub(super) watch: Option<f64>,
    #[serde(default)]
    pub(super) call: Option<f64>,
}
