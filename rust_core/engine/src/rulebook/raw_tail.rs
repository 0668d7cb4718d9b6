//! The shape of the tail group of a rulebook file; unknown keys are refused.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTail {
    #[serde(default)]
    pub(super) scenarios: Option<String>,
    #[serde(default)]
    pub(super) initial_horizon_days: Option<f64>,
    #[serde(default)]
    pub(super) age_options: Option<bool>,
    #[serde(default)]
    pub(super) option_volatility: Option<String>,
    #[serde(default)]
    pub(super) revaluation: Option<String>,
    #[serde(default)]
    pub(super) floor_window: Option<f64>,
    #[serde(default)]
    pub(super) history: RawHistory,
    #[serde(default)]
    pub(super) simulation: RawSimulation,
    #[serde(default)]
    pub(super) stress: Option<RawStress>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHistory {
    #[serde(default)]
    pub(super) window: Option<f64>,
    #[serde(default)]
    pub(super) aggregation: Option<String>,
    #[serde(default)]
    pub(super) decay: Option<f64>,
    #[serde(default)]
    pub(super) largest_scale: Option<f64>,
    #[serde(default)]
    pub(super) floor_share: Option<f64>,
    #[serde(default)]
    pub(super) age_decay: Option<f64>,
    #[serde(default)]
    pub(super) proxy: Option<String>,
    #[serde(default)]
    pub(super) least_overlap: Option<f64>,
    #[serde(default)]
    pub(super) stale_after: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSimulation {
    #[serde(default)]
    pub(super) paths: Option<f64>,
    #[serde(default)]
    pub(super) seed: Option<f64>,
    #[serde(default)]
    pub(super) law: Option<String>,
    #[serde(default)]
    pub(super) degrees_of_freedom: Option<f64>,
    #[serde(default)]
    pub(super) sampler: Option<String>,
    #[serde(default)]
    pub(super) marginals: Option<String>,
    #[serde(default)]
    pub(super) covariance: Option<String>,
    #[serde(default)]
    pub(super) repair: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStress {
    pub(super) share: f64,
    pub(super) price_moves: Vec<f64>,
    #[serde(default)]
    pub(super) volatility_moves: Vec<f64>,
}
