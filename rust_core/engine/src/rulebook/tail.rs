//! Margin by value at risk or expected shortfall, as a rulebook says it (methods.md sections 1.2, 2 and 4).

use super::OrderRule;
use crate::revaluation::joint::Method;

/// What is read off the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The loss at the quantile: the lower empirical one, without interpolation.
    ValueAtRisk,
    /// The mean of the losses beyond it, with a fractional weight at the quantile.
    ExpectedShortfall,
}

impl Statistic {
    /// The word in a rulebook.
    pub fn word(self) -> &'static str {
        match self {
            Self::ValueAtRisk => "value_at_risk",
            Self::ExpectedShortfall => "expected_shortfall",
        }
    }

    /// The word for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::ValueAtRisk => "value at risk",
            Self::ExpectedShortfall => "expected shortfall",
        }
    }
}

/// Where the scenarios of the tail come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailScenarios {
    /// The moves of the window as they were.
    Historical,
    /// The same, each scaled by the volatility forecast of today over that of its own day.
    Filtered,
    /// The moves of the window, later ones with a larger probability.
    AgeWeighted,
    /// Drawn from a law.
    Simulated,
}

impl TailScenarios {
    /// The words of a rulebook with their meaning; the first is the default.
    pub const ALL: [(&'static str, Self); 4] = [
        ("historical", Self::Historical),
        ("filtered", Self::Filtered),
        ("age_weighted", Self::AgeWeighted),
        ("simulated", Self::Simulated),
    ];

    /// The word in a rulebook.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(word, _)| word)
    }
}

/// How moves over a horizon longer than a bar are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Every start day: `n` scenarios that overlap, so that only `n / h` are independent.
    Overlapping,
    /// One after the other.
    NonOverlapping,
    /// Moves of one bar times the square root of the bars, which holds for independent moves alone.
    SquareRoot,
}

/// What options do when no volatility of their coin is known to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionVolatility {
    /// They are refused.
    Required,
    /// They are valued at today's volatility, and the check says so.
    Unmoved,
}

/// How a history becomes scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRule {
    /// Observations that count, from the last.
    pub window: usize,
    /// How longer horizons are made.
    pub aggregation: Aggregation,
    /// Decay of the volatility forecasts of filtered scenarios, per bar.
    pub decay: f64,
    /// A move is scaled by at most this, and at least by its inverse.
    pub largest_scale: f64,
    /// Today's forecast counts as at least this share of the volatility of the whole history.
    pub floor_share: f64,
    /// Decay of the probabilities of age-weighted scenarios, per observation.
    pub age_decay: f64,
    /// Coin whose moves stand in, by beta and residual, where a series is too young or has gaps.
    pub proxy: Option<String>,
    /// Moves that a series must have in common with the proxy.
    pub least_overlap: usize,
    /// A bar with the same price as this many bars before it is stale and does not count.
    pub stale_after: usize,
}

/// The law that simulated moves are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TailLaw {
    /// Normal.
    Normal,
    /// Student's t, of the same variances.
    StudentT {
        /// Degrees of freedom, above 2.
        degrees_of_freedom: f64,
    },
}

/// Where simulated moves take their variances and correlations from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CovarianceRule {
    /// Exponentially weighted moves of the history, one decay for the whole matrix.
    Ewma,
    /// The moves of the window, alike.
    Sample,
    /// The same, correlations shrunk (Ledoit and Wolf 2004).
    LedoitWolf,
    /// Volatilities and correlations of the market table.
    Market,
}

impl CovarianceRule {
    /// The words of a rulebook with their meaning; the first is the default.
    pub const ALL: [(&'static str, Self); 4] = [
        ("ewma", Self::Ewma),
        ("sample", Self::Sample),
        ("ledoit_wolf", Self::LedoitWolf),
        ("market", Self::Market),
    ];
}

/// What happens to correlations that no coins can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// They are refused.
    Refused,
    /// The nearest correlation matrix takes their place (Higham 2002), and the check says so.
    Nearest,
}

/// How scenarios are simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulationRule {
    /// How many.
    pub paths: usize,
    /// Seed: the same seed gives the same scenarios.
    pub seed: u64,
    /// The law.
    pub law: TailLaw,
    /// Whether the draws are scrambled Sobol points rather than independent.
    pub sobol: bool,
    /// Whether every factor's moves have the shape of its own history and only move together by the law (a copula).
    pub shaped: bool,
    /// Variances and correlations.
    pub covariance: CovarianceRule,
    /// What happens to typed correlations that no coins can have.
    pub repair: Repair,
}

/// Stress scenarios blended with the tail: `(1 - share) x tail + share x worst stress`.
#[derive(Debug, Clone, PartialEq)]
pub struct StressRule {
    /// Share of the stress.
    pub share: f64,
    /// Relative moves of every coin together, stable currencies by none.
    pub price_moves: Vec<f64>,
    /// Relative moves of implied volatilities, each with every price move; at least one.
    pub volatility_moves: Vec<f64>,
}

/// The tail of a rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct TailRule {
    /// What is read off.
    pub statistic: Statistic,
    /// Confidence, such as 0.99.
    pub confidence: f64,
    /// Days of the maintenance level.
    pub horizon_days: f64,
    /// Days of the initial level, where they are not the same.
    pub initial_horizon_days: Option<f64>,
    /// Where scenarios come from.
    pub scenarios: TailScenarios,
    /// How they are made of a history.
    pub history: HistoryRule,
    /// How they are simulated.
    pub simulation: SimulationRule,
    /// Stress blended in.
    pub stress: Option<StressRule>,
    /// The measure is at least that of the unscaled moves of so many observations.
    pub floor_window: Option<usize>,
    /// Whether options lose the time of the horizon.
    pub age_options: bool,
    /// What options do without a moving volatility.
    pub option_volatility: OptionVolatility,
    /// How scenarios are valued.
    pub revaluation: Method,
    /// How open orders enter the initial margin.
    pub orders: OrderRule,
}

impl TailRule {
    /// The days of each level that has scenarios of its own: maintenance first.
    pub fn horizons(&self) -> Vec<f64> {
        std::iter::once(self.horizon_days).chain(self.initial_horizon_days).collect()
    }
}
