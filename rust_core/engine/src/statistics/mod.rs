//! Statistics of losses and returns: tails, laws, covariances, backtests, liquidity and sizing.
//!
//! Pure functions of numbers. Losses are positive, confidence is 0.99 and never 0.01. A matrix is its rows one
//! after the other with a size beside it.

pub mod backtest;
mod beta;
mod check;
mod contributions;
pub mod copulas;
mod cornish_fisher;
mod correlation;
mod covariance;
mod eigen;
mod intervals;
pub mod laws;
pub mod liquidity;
pub mod lognormal;
mod nearest;
pub mod procyclicality;
pub mod ranking;
mod risk_budget;
pub mod shortfall_backtest;
pub mod shortfall_critical;
pub mod sizing;
mod tail;
mod tail_contributions;
pub mod volatility;

pub use beta::{beta, blume, downside_beta};
pub use check::check_confidence;
pub use contributions::{Contributions, Orders, book_volatility, contributions, covariance_with_book};
pub use cornish_fisher::cornish_fisher_quantile;
pub use correlation::{
    Change, Target, check_correlation, check_possible, correlation_change, correlation_of, covariance_of,
    stressed_correlation,
};
pub use covariance::{
    Mean, Shrunk, ewma_covariance, ewma_update, ledoit_wolf, ledoit_wolf_correlation, sample_covariance,
};
pub use eigen::{factor_root, smallest_eigenvalue};
pub use intervals::{
    Interval, Ranks, SamplingErrors, expected_shortfall_error, normal_expected_shortfall_error,
    normal_value_at_risk_error, rank_coverage, ranks, student_errors, value_at_risk_interval,
};
pub use nearest::{Nearest, nearest_correlation, spectral_correlation};
pub use risk_budget::risk_budget_weights;
pub use tail::{Tail, Ties, check_enough, effective_size, quantile_weights, tail};
pub use tail_contributions::{TailContributions, tail_contributions};
