//! How large a position may be, and how near its liquidation is (methods.md section 7).

use statrs::distribution::ContinuousCDF;

use super::check::outside;
use super::laws::{normal, normal_quantile};
use crate::error::{Error, Place, Result, check_finite, check_positive};

/// Kelly's fraction and what other fractions do. A limit and never a recommendation: the drift is the least known
/// number of all, and liquidation ends paths that the formula lets go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kelly {
    /// `mu / sigma^2`.
    pub fraction: f64,
    /// Growth rate at the fraction.
    pub growth: f64,
    /// Growth at half of the fraction, as a share of it: 0.75.
    pub half_share: f64,
    /// Growth at twice the fraction: 0.
    pub double_growth: f64,
}

/// Growth rate `mu f - f^2 sigma^2 / 2` of a fraction.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number that is not finite or a volatility that is not above zero.
pub fn growth(fraction: f64, drift: f64, volatility: f64) -> Result<f64> {
    check_finite("fraction", fraction, Place::default)?;
    check_finite("drift", drift, Place::default)?;
    check_positive("volatility", volatility, Place::default)?;
    Ok(drift * fraction - 0.5 * (fraction * volatility) * (fraction * volatility))
}

/// Kelly's fraction of a drift and a volatility of the same period.
///
/// # Errors
///
/// [`Error::OutOfRange`] as [`growth`], or for a drift of 0, which has no growth to share.
pub fn kelly(drift: f64, volatility: f64) -> Result<Kelly> {
    check_positive("volatility", volatility, Place::default)?;
    if drift == 0.0 {
        return outside("drift", drift, "other than 0", None);
    }
    let fraction = drift / (volatility * volatility);
    let best = growth(fraction, drift, volatility)?;
    Ok(Kelly {
        fraction,
        growth: best,
        half_share: growth(0.5 * fraction, drift, volatility)? / best,
        double_growth: growth(2.0 * fraction, drift, volatility)?,
    })
}

/// Weight at which a position has the volatility aimed at: `target / volatility`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a target below zero or a volatility that is not above zero.
pub fn volatility_target_weight(target: f64, volatility: f64) -> Result<f64> {
    if !(target.is_finite() && target >= 0.0) {
        return outside("target", target, "finite and at least 0", None);
    }
    check_positive("volatility", volatility, Place::default)?;
    Ok(target / volatility)
}

/// Largest leverage whose normal value at risk stays within a budget: `budget / (z sigma sqrt(h / days))`.
///
/// `budget` is a share of equity, `volatility` is yearly, the horizon is in days of a year of `days_per_year`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a budget below zero, a confidence of 0.5 or less, or another number that is not above
/// zero.
pub fn leverage_cap(
    budget: f64,
    volatility: f64,
    confidence: f64,
    horizon_days: f64,
    days_per_year: f64,
) -> Result<f64> {
    if !(budget.is_finite() && budget >= 0.0) {
        return outside("budget", budget, "finite and at least 0", None);
    }
    check_positive("volatility", volatility, Place::default)?;
    check_positive("horizon_days", horizon_days, Place::default)?;
    check_positive("days_per_year", days_per_year, Place::default)?;
    let quantile = normal_quantile(confidence)?;
    if quantile <= 0.0 {
        return outside("confidence", confidence, "above 0.5 to cap anything", None);
    }
    Ok(budget / (quantile * volatility * (horizon_days / days_per_year).sqrt()))
}

/// A leveraged position of one asset, margined in money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leveraged {
    /// Notional over equity.
    pub leverage: f64,
    /// Maintenance rate on the notional.
    pub maintenance_rate: f64,
    /// Whether it gains when the price rises.
    pub long: bool,
}

impl Leveraged {
    /// Logarithm of the liquidation price over the price now: `ln((1 - 1/L) / (1 - m))` for a long position,
    /// `ln((1 + 1/L) / (1 + m))` for a short one; minus infinity where no price liquidates.
    fn barrier(&self) -> Result<f64> {
        check_positive("leverage", self.leverage, Place::default)?;
        if !(0.0..1.0).contains(&self.maintenance_rate) {
            return outside("maintenance_rate", self.maintenance_rate, "at least 0 and below 1", None);
        }
        let equity = self.leverage.recip();
        Ok(if self.long {
            ((1.0 - equity).max(0.0) / (1.0 - self.maintenance_rate)).ln()
        } else {
            ((1.0 + equity) / (1.0 + self.maintenance_rate)).ln()
        })
    }
}

/// Probability that a position is liquidated within a time, its price a geometric Brownian motion (yearly drift and
/// volatility, years given): `N((b - nu T) / s) + e^(2 nu b / sigma^2) N((b + nu T) / s)` with `s = sigma sqrt(T)`,
/// `nu = mu - sigma^2 / 2`.
///
/// There are no jumps and no clusters of volatility in it: take it as optimistic.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number outside its range; [`Error::NoAnswer`] where the drift is so large for the
/// volatility that the formula leaves the range of numbers.
pub fn liquidation_probability(position: Leveraged, volatility: f64, years: f64, drift: f64) -> Result<f64> {
    let barrier = position.barrier()?;
    barrier_probability(barrier, position.long, volatility, years, drift)
}

/// Probability that a price reaches a barrier within a time: the formula of [`liquidation_probability`] for any
/// barrier, the logarithm of its price over the price now; `below` says on which side it lies.
///
/// # Errors
///
/// As [`liquidation_probability`].
pub fn barrier_probability(
    barrier: f64,
    below: bool,
    volatility: f64,
    years: f64,
    drift: f64,
) -> Result<f64> {
    check_positive("volatility", volatility, Place::default)?;
    check_positive("years", years, Place::default)?;
    check_finite("drift", drift, Place::default)?;
    // a barrier above is the mirror image of one below
    let mirror = if below { 1.0 } else { -1.0 };
    let distance = mirror * barrier;
    if distance >= 0.0 {
        return Ok(1.0);
    }
    if distance == f64::NEG_INFINITY {
        return Ok(0.0);
    }
    let trend = mirror * (drift - 0.5 * volatility * volatility);
    let total = volatility * years.sqrt();
    let law = normal()?;
    let reached = law.cdf((distance - trend * years) / total);
    let reflected = law.cdf((distance + trend * years) / total);
    let weight = (2.0 * trend * distance / (volatility * volatility)).exp();
    let probability = reached + weight * reflected;
    if probability.is_finite() && (weight < 1e300 || reflected > 0.0) {
        Ok(probability.clamp(0.0, 1.0))
    } else {
        Err(Error::NoAnswer {
            why: format!(
                "a drift of {drift} is too large for a volatility of {volatility}: the probability has no number"
            ),
        })
    }
}

const HOURS_OF_A_DAY: f64 = 24.0;

/// How far the price is from a liquidation price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// `|ln(price / liquidation price)|`.
    pub logarithmic: f64,
    /// The same in standard deviations of one day.
    pub daily_sigmas: f64,
    /// `|liquidation price / price - 1|`.
    pub relative: f64,
    /// Hours until one standard deviation of the price spans the distance: `24 x sigmas^2`.
    pub hours_to_one_sigma: f64,
}

/// Distance to a liquidation price on either side, `volatility` yearly over `days_per_year`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number that is not above zero.
pub fn distance_to_liquidation(
    price: f64,
    liquidation_price: f64,
    volatility: f64,
    days_per_year: f64,
) -> Result<Distance> {
    for (name, value) in [
        ("price", price),
        ("liquidation_price", liquidation_price),
        ("volatility", volatility),
        ("days_per_year", days_per_year),
    ] {
        check_positive(name, value, Place::default)?;
    }
    let logarithmic = (price / liquidation_price).ln().abs();
    let daily_sigmas = logarithmic / (volatility / days_per_year.sqrt());
    Ok(Distance {
        logarithmic,
        daily_sigmas,
        relative: (liquidation_price / price - 1.0).abs(),
        hours_to_one_sigma: HOURS_OF_A_DAY * daily_sigmas * daily_sigmas,
    })
}

/// An initial rate raised by open interest, as dYdX does: `min(rate + max(0, scale) (1 - rate), 1)` with
/// `scale = (open interest - lower) / (upper - lower)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a rate outside [0, 1], an amount that is not finite, or an upper bound that is not
/// above the lower one.
pub fn open_interest_rate(rate: f64, open_interest: f64, lower: f64, upper: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&rate) {
        return outside("rate", rate, "from 0 to 1", None);
    }
    for (name, value) in [("open_interest", open_interest), ("lower", lower), ("upper", upper)] {
        check_finite(name, value, Place::default)?;
    }
    if upper <= lower {
        return outside("upper", upper, "above the lower bound", None);
    }
    Ok(raised_by_open_interest(rate, open_interest, lower, upper))
}

/// The same of numbers that are known to be in range.
pub(crate) fn raised_by_open_interest(rate: f64, open_interest: f64, lower: f64, upper: f64) -> f64 {
    let scale = (open_interest - lower) / (upper - lower);
    if scale <= 0.0 { rate } else { (rate + scale * (1.0 - rate)).min(1.0) }
}

/// A margin weight that grows with the root of the size, as Drift does: `max(w, 0.8 w + k sqrt(size))`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number below zero.
pub fn size_premium(weight: f64, coefficient: f64, size: f64) -> Result<f64> {
    for (name, value) in [("weight", weight), ("coefficient", coefficient), ("size", size)] {
        if !(value.is_finite() && value >= 0.0) {
            return outside(name, value, "finite and at least 0", None);
        }
    }
    Ok(weight.max(0.8 * weight + coefficient * size.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_kelly_keeps_three_quarters_and_twice_keeps_nothing() {
        // methods.json kelly
        let found = kelly(0.4, 0.8).unwrap();
        assert!((found.fraction - 0.625).abs() < 1e-15 && (found.growth - 0.125).abs() < 1e-15);
        assert!((found.half_share - 0.75).abs() < 1e-14 && found.double_growth.abs() < 1e-14);
    }

    #[test]
    fn weights_and_caps_are_the_published_ones() {
        // methods.json voltarget
        assert!((volatility_target_weight(0.2, 0.8).unwrap() - 0.25).abs() < 1e-15);
        let cap = leverage_cap(0.05, 0.8, 0.99, 1.0, 365.0).unwrap();
        assert!((cap - 0.513_276_985_240_756_2).abs() < 1e-12, "{cap}");
    }

    #[test]
    fn a_day_at_twenty_times_is_a_liquidation_in_four() {
        // methods.json liqprob.barrier
        for (leverage, expected) in [
            (5.0, 2.114_297_269_881_251_2e-7),
            (10.0, 0.017_404_393_344_919_493),
            (20.0, 0.275_320_284_797_773_54),
            (50.0, 0.722_210_195_953_265_4),
        ] {
            let position = Leveraged { leverage, maintenance_rate: 0.005, long: true };
            let found = liquidation_probability(position, 0.8, 1.0 / 365.0, 0.0).unwrap();
            assert!((found - expected).abs() < 1e-10, "{leverage} {found}");
        }
    }

    #[test]
    fn a_short_position_is_a_long_one_in_the_mirror() {
        // the log price with drift sigma^2 has trend +sigma^2/2: the mirror of drift 0, barrier by barrier
        let short = Leveraged { leverage: 8.0, maintenance_rate: 0.0, long: false };
        // ln(1 + 1/8) = -ln(1 - 1/9)
        let long = Leveraged { leverage: 9.0, maintenance_rate: 0.0, long: true };
        let rising = liquidation_probability(short, 0.8, 0.01, 0.64).unwrap();
        let falling = liquidation_probability(long, 0.8, 0.01, 0.0).unwrap();
        assert!((rising - falling).abs() < 1e-14, "{rising} {falling}");
    }

    #[test]
    fn who_holds_no_leverage_is_not_liquidated_and_who_is_below_maintenance_is() {
        let at = |leverage| {
            let position = Leveraged { leverage, maintenance_rate: 0.05, long: true };
            liquidation_probability(position, 0.8, 1.0, 0.0).unwrap()
        };
        assert_eq!((at(0.5), at(1.0), at(20.0), at(30.0)), (0.0, 0.0, 1.0, 1.0));
    }

    #[test]
    fn a_distance_is_the_same_above_and_below() {
        // methods.json alert.dtl_sigma
        let found = distance_to_liquidation(60_000.0, 54_000.0, 0.6, 365.0).unwrap();
        assert!((found.logarithmic - 0.105_360_515_657_826_35).abs() < 1e-15);
        assert!((found.daily_sigmas - 3.354_849_708_831_282_3).abs() < 1e-12);
        assert!((found.relative - 0.1).abs() < 1e-15);
        // over these hours the volatility is the distance itself
        let years = found.hours_to_one_sigma / 24.0 / 365.0;
        assert!((0.6 * years.sqrt() - found.logarithmic).abs() < 1e-15);
        let other = distance_to_liquidation(54_000.0, 60_000.0, 0.6, 365.0).unwrap();
        assert!((found.logarithmic - other.logarithmic).abs() < 1e-15);
    }

    #[test]
    fn rates_grow_with_open_interest_and_weights_with_size() {
        // dYdX: half way from 25 m to 50 m with a rate of 0.2
        assert!((open_interest_rate(0.2, 37.5e6, 25e6, 50e6).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(open_interest_rate(0.2, 20e6, 25e6, 50e6).unwrap(), 0.2);
        assert_eq!(open_interest_rate(0.2, 90e6, 25e6, 50e6).unwrap(), 1.0);
        // methods.json dyn.drift.size_premium
        assert!((size_premium(0.1, 0.0005, 40_000.0).unwrap() - 0.18).abs() < 1e-15);
        assert_eq!(size_premium(0.1, 0.0005, 100.0).unwrap(), 0.1);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        assert_eq!(
            leverage_cap(-0.05, 0.8, 0.99, 1.0, 365.0).unwrap_err().to_string(),
            "budget must be finite and at least 0, was -0.05"
        );
        assert_eq!(
            open_interest_rate(0.2, 1.0, 5.0, 5.0).unwrap_err().to_string(),
            "upper must be above the lower bound, was 5"
        );
        assert_eq!(kelly(0.0, 0.8).unwrap_err().to_string(), "drift must be other than 0, was 0");
    }
}
