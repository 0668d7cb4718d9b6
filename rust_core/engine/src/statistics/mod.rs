//! Statistics of losses and returns: tails, covariances, correlations, betas.
//!
//! Pure functions of numbers. Losses are positive, confidence is 0.99 and never 0.01. A matrix is its rows one
//! after the other with a size beside it.

mod beta;
mod check;
mod correlation;
mod covariance;
mod eigen;
mod intervals;
mod nearest;
mod tail;

pub use beta::{beta, blume, downside_beta};
pub use correlation::{
    Change, Target, check_correlation, correlation_change, correlation_of, covariance_of,
    stressed_correlation,
};
pub use covariance::{
    Mean, Shrunk, ewma_covariance, ewma_update, ledoit_wolf, ledoit_wolf_correlation, sample_covariance,
};
pub use eigen::{factor_root, smallest_eigenvalue};
pub use intervals::{
    Interval, Ranks, expected_shortfall_error, normal_expected_shortfall_error, normal_value_at_risk_error,
    rank_coverage, ranks, value_at_risk_interval,
};
pub use nearest::{Nearest, nearest_correlation};
pub use tail::{Tail, Ties, check_enough, effective_size, quantile_weights, tail};
