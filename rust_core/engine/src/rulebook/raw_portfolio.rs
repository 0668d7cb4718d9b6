//! The shape of the portfolio and standard margin groups of a rulebook file; unknown keys are refused.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    /// Coins; `["*"]` for every coin that no other profile names.
    pub(super) underlyings: Vec<String>,
    #[serde(default)]
    pub(super) settlement: Option<String>,
    #[serde(default)]
    pub(super) volatility: Option<RawVolatility>,
    #[serde(default)]
    pub(super) skew: Option<RawSkew>,
    #[serde(default)]
    pub(super) discount: Option<RawDiscount>,
    #[serde(default)]
    pub(super) scenarios: Vec<RawScenarios>,
    #[serde(default)]
    pub(super) extension: Option<RawExtension>,
    #[serde(default)]
    pub(super) gains: Option<RawGains>,
    #[serde(default)]
    pub(super) price: Option<String>,
    #[serde(default)]
    pub(super) blend: Option<RawBlend>,
    #[serde(default)]
    pub(super) charges: Vec<RawCharge>,
    #[serde(default)]
    pub(super) initial_factor: Option<f64>,
    #[serde(default)]
    pub(super) maintenance_factor: Option<f64>,
    #[serde(default)]
    pub(super) delta_one: Option<RawDeltaOne>,
    #[serde(default)]
    pub(super) options: Option<RawOptions>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVolatility {
    pub(super) up: f64,
    pub(super) down: f64,
    #[serde(default)]
    pub(super) short_power: f64,
    #[serde(default)]
    pub(super) long_power: f64,
    #[serde(default)]
    pub(super) boundary_days: Option<f64>,
    /// `short` or `long`: the side that the boundary itself belongs to.
    #[serde(default)]
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) reference_days: Option<f64>,
    #[serde(default)]
    pub(super) floor_days: Option<f64>,
    #[serde(default)]
    pub(super) minimum_up: f64,
    #[serde(default)]
    pub(super) minimum_up_shock: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSkew {
    pub(super) linear_cap: f64,
    pub(super) linear_slope: f64,
    pub(super) absolute_cap: f64,
    pub(super) absolute_slope: f64,
    pub(super) minimum_width: f64,
    pub(super) width_scale: f64,
    pub(super) volatility: f64,
    pub(super) volatility_slope: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDiscount {
    pub(super) long_base: f64,
    #[serde(default)]
    pub(super) long_rate_multiple: f64,
    #[serde(default)]
    pub(super) long_rate_add: f64,
    #[serde(default)]
    pub(super) short_base: Option<f64>,
    #[serde(default)]
    pub(super) short_rate_multiple: f64,
    #[serde(default)]
    pub(super) short_rate_add: f64,
}

/// A grid: every price move with every volatility move; weights for all, per move, or per scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenarios {
    pub(super) set: String,
    #[serde(default)]
    pub(super) price_moves: Vec<f64>,
    /// The same as multiples of the price, as some venues write them: 1.18 is +18 %.
    #[serde(default)]
    pub(super) price_multipliers: Vec<f64>,
    /// The price moves count in this: 0.15 and moves of 1/3, 2/3, 1 are 5 %, 10 %, 15 %.
    #[serde(default)]
    pub(super) price_range: Option<f64>,
    #[serde(default)]
    pub(super) volatility: Vec<RawMove>,
    #[serde(default)]
    pub(super) weight: Option<f64>,
    #[serde(default)]
    pub(super) weights: Vec<f64>,
    #[serde(default)]
    pub(super) treatment: Option<String>,
    #[serde(default)]
    pub(super) days: f64,
    #[serde(default)]
    pub(super) basis: f64,
    #[serde(default)]
    pub(super) rate: f64,
    /// `grid` (every price move with every volatility move) or `list` (pairs).
    #[serde(default)]
    pub(super) layout: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

/// A word such as `up`, or a relative move.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RawMove {
    Word(String),
    Relative(f64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtension {
    pub(super) range: f64,
    pub(super) factor: f64,
    pub(super) dampener: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBlend {
    pub(super) set: String,
    pub(super) share: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGains {
    pub(super) share: f64,
    #[serde(default)]
    pub(super) cap: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCharge {
    pub(super) name: String,
    pub(super) on: String,
    pub(super) stage: String,
    #[serde(default)]
    pub(super) rate: Option<f64>,
    #[serde(default)]
    pub(super) initial: Option<f64>,
    #[serde(default)]
    pub(super) maintenance: Option<f64>,
    /// What the initial level adds to the maintenance rate.
    #[serde(default)]
    pub(super) initial_more: Option<f64>,
    #[serde(default)]
    pub(super) minimum: Option<f64>,
    #[serde(default)]
    pub(super) annualised: Option<f64>,
    #[serde(default)]
    pub(super) growth: Option<String>,
    #[serde(default)]
    pub(super) threshold: Option<f64>,
    #[serde(default)]
    pub(super) increment: Option<f64>,
    #[serde(default)]
    pub(super) cap: Option<f64>,
    #[serde(default)]
    pub(super) kinds: Option<Vec<String>>,
    #[serde(default)]
    pub(super) price: Option<String>,
    #[serde(default)]
    pub(super) short_only: Option<bool>,
    #[serde(default)]
    pub(super) collateral: Option<bool>,
    #[serde(default)]
    pub(super) with_perpetual: Option<bool>,
    #[serde(default)]
    pub(super) unhedged: Option<f64>,
    #[serde(default)]
    pub(super) hedged: Option<f64>,
    #[serde(default)]
    pub(super) count: Option<String>,
    #[serde(default)]
    pub(super) moves: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) multipliers: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) add: Option<f64>,
    #[serde(default)]
    pub(super) per_year: Option<f64>,
    #[serde(default)]
    pub(super) hours: Option<f64>,
    #[serde(default)]
    pub(super) option_cap: Option<f64>,
    #[serde(default)]
    pub(super) from: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) multiplier: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) rates: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) size: Option<String>,
    #[serde(default)]
    pub(super) coefficient: Option<f64>,
    #[serde(default)]
    pub(super) free_share: Option<f64>,
    #[serde(default)]
    pub(super) participation: Option<f64>,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeltaOne {
    pub(super) initial: f64,
    #[serde(default)]
    pub(super) maintenance: Option<f64>,
    #[serde(default)]
    pub(super) maintenance_share_of_initial: Option<f64>,
    #[serde(default)]
    pub(super) increment: f64,
    #[serde(default)]
    pub(super) open_interest_lower: Option<f64>,
    #[serde(default)]
    pub(super) open_interest_upper: Option<f64>,
    #[serde(default)]
    pub(super) rate_step: Option<f64>,
    #[serde(default)]
    pub(super) price: Option<String>,
    #[serde(default)]
    pub(super) user_leverage: bool,
    #[serde(default)]
    pub(super) open_loss: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOptions {
    pub(super) short_initial: RawShort,
    pub(super) short_maintenance: RawShort,
    #[serde(default)]
    pub(super) call_initial_over_maintenance: f64,
    #[serde(default)]
    pub(super) put_initial_over_maintenance: f64,
    #[serde(default)]
    pub(super) premium: Option<String>,
    #[serde(default)]
    pub(super) long_initial: f64,
    #[serde(default)]
    pub(super) long_maintenance: f64,
    #[serde(default)]
    pub(super) offset_initial: Option<f64>,
    #[serde(default)]
    pub(super) offset_maintenance: Option<f64>,
    #[serde(default)]
    pub(super) offset_price: Option<String>,
    #[serde(default)]
    pub(super) order_fee: f64,
    #[serde(default)]
    pub(super) order_fee_cap: Option<f64>,
    #[serde(default)]
    pub(super) order_credit_premium: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShort {
    pub(super) rate: f64,
    #[serde(default)]
    pub(super) floor: Option<f64>,
    #[serde(default)]
    pub(super) call_mark: f64,
    #[serde(default)]
    pub(super) put_mark: f64,
    #[serde(default)]
    pub(super) fee: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBorrowing {
    /// Currencies; `["*"]` for every currency that no other entry names.
    pub(super) currencies: Vec<String>,
    pub(super) initial: f64,
    pub(super) maintenance: f64,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCredit {
    pub(super) legs: Vec<RawLeg>,
    pub(super) rate: f64,
    #[serde(default)]
    pub(super) source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLeg {
    pub(super) underlying: String,
    pub(super) delta: f64,
}
