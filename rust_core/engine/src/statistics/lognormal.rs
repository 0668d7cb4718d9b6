//! Expected shortfall of a lognormal price in closed form (methods.md section 2.1; Vega's risk factors).

use statrs::distribution::{Continuous, ContinuousCDF};

use super::check::outside;
use super::laws::{check_spread, normal};
use crate::error::{Place, Result, check_finite};
use crate::numeric::accumulate::sum;

/// Expected-shortfall margin rates of a long and a short position in a lognormal price, as a share of notional.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// `1 - e^(mu tau) N(z - sigma sqrt(tau)) / lambda`, `z` the normal quantile of the tail probability `lambda`.
    pub long: f64,
    /// `e^(mu tau) N(sigma sqrt(tau) + z) / lambda - 1`.
    pub short: f64,
}

/// Expected-shortfall rates of a lognormal price, as Vega sets its risk factors.
///
/// `tail_probability` is 1 less the confidence: 1e-8 does not survive being subtracted from 1. `volatility` and
/// `drift` are yearly, `years` is the horizon.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a tail probability outside (0, 0.5), a volatility or horizon below zero, or a drift
/// that is not finite.
pub fn lognormal_shortfall_rates(
    tail_probability: f64,
    volatility: f64,
    years: f64,
    drift: f64,
) -> Result<Rates> {
    if !(tail_probability > 0.0 && tail_probability < 0.5) {
        return outside("tail_probability", tail_probability, "above 0 and below 0.5", None);
    }
    check_spread("volatility", volatility)?;
    check_spread("years", years)?;
    check_finite("drift", drift, Place::default)?;
    let law = normal()?;
    // one step of Newton's method takes the quantile to its last digits
    let near = law.inverse_cdf(tail_probability);
    let z = near - (below(near) - tail_probability) / law.pdf(near);
    let total = volatility * years.sqrt();
    let growth = (drift * years).exp();
    if total * (z.abs() + 1.0) > 1.0 {
        return Ok(Rates {
            long: 1.0 - growth * below(z - total) / tail_probability,
            short: growth * below(z + total) / tail_probability - 1.0,
        });
    }
    // both terms are nearly 1 for a short horizon: what they differ by is taken by itself
    let rise = (drift * years).exp_m1();
    let half = 0.5 * total;
    let around = |middle| integral(middle, half, |x| law.pdf(x)) / tail_probability;
    Ok(Rates { long: growth * around(z - half) - rise, short: growth * around(z + half) + rise })
}

/// Normal distribution function with full relative accuracy far out, where the one of statrs has eleven digits.
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Nodes and weights of Gauss and Legendre's rule with eight points, those above the middle.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// Integral of a function that changes by no more than a few times over the interval, which is given by its middle and
/// half of its width: the difference of two ends would have lost digits.
fn integral(middle: f64, half: f64, value: impl Fn(f64) -> f64) -> f64 {
    half * sum(GAUSS
        .iter()
        .map(|(node, weight)| weight * (value(middle - half * node) + value(middle + half * node))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, relative: f64) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} {expected}");
    }

    #[test]
    fn rates_of_a_lognormal_price_are_the_published_ones() {
        // vega-es-riskfactor-00 and -02
        for (tail, years, long, short) in [
            (1e-6, 0.1, 0.800_728_207_984_414_7, 3.556_903_591_579_34),
            (1e-8, 0.1, 0.846_890_379_231_785, 4.925_684),
        ] {
            let found = lognormal_shortfall_rates(tail, 1.0, years, 0.0).unwrap();
            close(found.long, long, 2e-9);
            close(found.short, short, 1e-6);
        }
    }

    #[test]
    fn a_horizon_of_a_third_of_a_second_keeps_its_digits() {
        // vega-es-riskfactor-04; the figure is 1 - N(z - s) / N(z) in forty digits
        let found = lognormal_shortfall_rates(1e-6, 1.0, 1e-8, 0.0).unwrap();
        close(found.long, 4.947_156_818_390_762e-4, 1e-12);
        // both formulas agree where they meet
        let near = |years| lognormal_shortfall_rates(1e-6, 1.0, years, 0.3).unwrap();
        let meet = (1.0_f64 / 5.753_424).powi(2);
        close(near(meet * (1.0 - 1e-6)).long, near(meet * (1.0 + 1e-6)).long, 1e-6);
        close(near(meet * (1.0 - 1e-6)).short, near(meet * (1.0 + 1e-6)).short, 1e-5);
    }

    #[test]
    fn a_confidence_is_no_tail_probability() {
        assert_eq!(
            lognormal_shortfall_rates(0.99, 1.0, 1.0, 0.0).unwrap_err().to_string(),
            "tail_probability must be above 0 and below 0.5, was 0.99"
        );
    }
}
