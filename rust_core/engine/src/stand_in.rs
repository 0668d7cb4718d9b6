//! Stands in for the option formulas until they are merged.

use crate::instrument::OptionRight;
use statrs::function::erf::erfc;

/// Undiscounted Black-76 value.
pub(crate) fn value(right: OptionRight, forward: f64, strike: f64, total_volatility: f64) -> f64 {
    if total_volatility.is_nan() || total_volatility <= 0.0 {
        return right.intrinsic(forward, strike);
    }
    let cdf = |x: f64| 0.5 * erfc(-x / std::f64::consts::SQRT_2);
    let d1 = (forward / strike).ln() / total_volatility + 0.5 * total_volatility;
    let d2 = d1 - total_volatility;
    match right {
        OptionRight::Call => forward * cdf(d1) - strike * cdf(d2),
        OptionRight::Put => strike * cdf(-d2) - forward * cdf(-d1),
    }
}

/// The total volatility at which an option has an undiscounted value.
pub(crate) fn implied(right: OptionRight, forward: f64, strike: f64, wanted: f64) -> Option<f64> {
    if wanted.is_nan() || wanted <= right.intrinsic(forward, strike) {
        return None;
    }
    let (mut low, mut high) = (0.0, 24.0);
    if value(right, forward, strike, high) <= wanted {
        return None;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        *(if value(right, forward, strike, middle) < wanted { &mut low } else { &mut high }) = middle;
    }
    Some(0.5 * (low + high))
}
