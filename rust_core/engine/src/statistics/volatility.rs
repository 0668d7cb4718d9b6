//! Volatilities that change: exponentially weighted and GARCH forecasts, weights by age, returns filtered by the
//! volatility of their day (methods.md section 2.2).

use super::check::{at, decay as check_decay, finite, length, outside};
use super::tail::effective_size;
use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::numeric::accumulate::sum;

/// The volatility that follows `volatility` after the return `latest`: `sqrt(decay s^2 + (1 - decay) r^2)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1), a volatility that is not above zero or a return that is not
/// finite.
pub fn ewma_volatility_update(volatility: f64, latest: f64, decay: f64) -> Result<f64> {
    check_decay(decay)?;
    check_positive("volatility", volatility, Place::default)?;
    check_finite("latest", latest, Place::default)?;
    Ok(step(volatility * volatility, latest, decay).sqrt())
}

fn step(variance: f64, latest: f64, decay: f64) -> f64 {
    decay * variance + (1.0 - decay) * (latest * latest)
}

/// Exponentially weighted forecasts, each made the day before: entry `k` is for day `start + k` and knows the
/// returns before that day only; the last entry is for the day after the last return.
///
/// The first forecast is the mean-zero volatility of the first `start` returns.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1) or a return that is not finite; [`Error::NoAnswer`] for fewer
/// returns than `start`, a `start` of 0, or first returns that are all zero.
pub fn ewma_volatilities(returns: &[f64], decay: f64, start: usize) -> Result<Vec<f64>> {
    check_decay(decay)?;
    finite("returns", returns)?;
    if start == 0 || returns.len() < start {
        return Err(Error::NoAnswer {
            why: format!("start must be from 1 to the {} returns, was {start}", returns.len()),
        });
    }
    let (first, rest) = returns.split_at(start);
    let mut variance = sum(first.iter().map(|value| value * value)) / start as f64;
    if variance == 0.0 {
        return Err(Error::NoAnswer {
            why: format!("the first {start} returns must vary to start a volatility, all were 0"),
        });
    }
    let mut forecasts = vec![variance.sqrt()];
    for latest in rest {
        variance = step(variance, *latest, decay);
        forecasts.push(variance.sqrt());
    }
    Ok(forecasts)
}

/// Days after which a weight has halved: `ln(1/2) / ln(decay)`. For GARCH the decay is `alpha + beta`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1).
pub fn half_life(decay: f64) -> Result<f64> {
    check_decay(decay)?;
    Ok(0.5_f64.ln() / decay.ln())
}

/// A GARCH(1,1) law: `s^2 <- omega + alpha r^2 + beta s^2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Garch {
    /// Constant part of the variance, above 0.
    pub omega: f64,
    /// Weight of the latest squared return, at least 0.
    pub alpha: f64,
    /// Weight of the last variance, at least 0.
    pub beta: f64,
}

impl Garch {
    fn check(self) -> Result<Self> {
        check_positive("omega", self.omega, Place::default)?;
        for (name, value) in [("alpha", self.alpha), ("beta", self.beta)] {
            if !(value.is_finite() && value >= 0.0) {
                return outside(name, value, "finite and at least 0", None);
            }
        }
        Ok(self)
    }

    /// The volatility that follows `volatility` after the return `latest`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for parameters, a volatility or a return outside their range.
    pub fn next(self, volatility: f64, latest: f64) -> Result<f64> {
        let law = self.check()?;
        check_positive("volatility", volatility, Place::default)?;
        check_finite("latest", latest, Place::default)?;
        Ok((law.omega + law.alpha * (latest * latest) + law.beta * (volatility * volatility)).sqrt())
    }

    /// The volatility that forecasts tend to: `sqrt(omega / (1 - alpha - beta))`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] where `alpha + beta` is 1 or more: there is none.
    pub fn long_run(self) -> Result<f64> {
        let law = self.check()?;
        let kept = law.alpha + law.beta;
        if kept >= 1.0 {
            return outside("alpha + beta", kept, "below 1 for a long-run volatility", None);
        }
        Ok((law.omega / (1.0 - kept)).sqrt())
    }
}

/// Weights `decay^age (1 - decay) / (1 - decay^n)` of `count` scenarios, the oldest first as scenarios are; they
/// sum to 1.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1), [`Error::NoAnswer`] for a count of 0.
pub fn age_weights(count: usize, decay: f64) -> Result<Vec<f64>> {
    check_decay(decay)?;
    if count == 0 {
        return Err(Error::NoAnswer { why: "count must be at least 1, was 0".into() });
    }
    let log = decay.ln();
    // 1 - decay^n without the cancellation of a decay near 1
    let scale = (1.0 - decay) / -(log * count as f64).exp_m1();
    Ok((0..count).rev().map(|age| scale * (log * age as f64).exp()).collect())
}

/// Weights by age and what they are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct AgeWeights {
    /// The oldest first.
    pub weights: Vec<f64>,
    /// Their sum: 1 but for rounding.
    pub total: f64,
    /// How many equal scenarios they are worth, about `(1 + decay) / (1 - decay)` at most.
    pub effective_size: f64,
}

/// [`age_weights`] with what they are worth.
///
/// # Errors
///
/// As there.
pub fn measured_age_weights(count: usize, decay: f64) -> Result<AgeWeights> {
    let weights = age_weights(count, decay)?;
    let (total, effective_size) = (sum(weights.iter().copied()), effective_size(&weights)?);
    Ok(AgeWeights { weights, total, effective_size })
}

/// How far filtering may go.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FilterLimits {
    /// The ratio of volatilities stays within `[1 / cap, cap]`; at least 1.
    pub cap: Option<f64>,
    /// Today's volatility is at least this, so that calm days do not lower margins without end.
    pub floor: Option<f64>,
}

/// Filtered returns `r_s today / s_s`: the return of each day as it would be at today's volatility.
///
/// `forecasts` are the volatilities forecast for the day of each return on the day before.
///
/// # Errors
///
/// [`Error::Shape`] for two lengths; [`Error::OutOfRange`] for a return that is not finite, a volatility or floor
/// that is not above zero, or a cap below 1.
pub fn filtered_returns(
    returns: &[f64],
    forecasts: &[f64],
    today: f64,
    limits: FilterLimits,
) -> Result<Vec<f64>> {
    finite("returns", returns)?;
    length("forecasts", forecasts.len(), returns.len())?;
    check_positive("today", today, Place::default)?;
    let floor = limits.floor.map_or(Ok(0.0), |floor| check_positive("floor", floor, Place::default))?;
    if let Some(cap) = limits.cap.filter(|cap| !(*cap >= 1.0 && cap.is_finite())) {
        return outside("cap", cap, "finite and at least 1", None);
    }
    let reached = today.max(floor);
    returns
        .iter()
        .zip(forecasts)
        .enumerate()
        .map(|(index, (value, forecast))| {
            let ratio = reached / check_positive("forecasts", *forecast, || at(index))?;
            Ok(value * limits.cap.map_or(ratio, |cap| ratio.clamp(cap.recip(), cap)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::effective_size;
    use super::*;

    #[test]
    fn updates_are_those_of_the_textbook() {
        // Hull, methods.json ewma.hull and garch.hull
        let ewma = ewma_volatility_update(0.01, 0.02, 0.9).unwrap();
        assert!((ewma - 0.011_401_754_250_991_38).abs() < 1e-16);
        let law = Garch { omega: 2e-6, alpha: 0.13, beta: 0.86 };
        assert!((law.long_run().unwrap() - 0.014_142_135_623_730_95).abs() < 1e-15);
        assert!((law.next(0.016, 0.01).unwrap() - 0.015_334_927_453_366_056).abs() < 1e-16);
    }

    #[test]
    fn a_forecast_knows_nothing_of_its_own_day() {
        let calm = [0.01, -0.01, 0.01, -0.01, 0.01, 0.01];
        let mut wild = calm;
        wild[4] = 0.5;
        let (before, after) =
            (ewma_volatilities(&calm, 0.9, 2).unwrap(), ewma_volatilities(&wild, 0.9, 2).unwrap());
        assert_eq!(before.len(), 5);
        // entries are for days 2, 3, 4, 5 and 6; day 4 is the wild one
        assert_eq!(before[..3], after[..3]);
        assert!(after[3] > before[3]);
        assert_eq!(after[3], ewma_volatility_update(after[2], 0.5, 0.9).unwrap());
    }

    #[test]
    fn weights_by_age_have_the_published_effective_size() {
        // methods.json brw.weights
        let weights = age_weights(250, 0.98).unwrap();
        assert!((weights[249] - 0.020_128_925_706_525_094).abs() < 1e-15);
        assert!((sum(weights.iter().copied()) - 1.0).abs() < 1e-14);
        assert!((effective_size(&weights).unwrap() - 97.739_881_670_001_67).abs() < 1e-9);
        assert!((half_life(0.5).unwrap() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn returns_are_filtered_within_the_limits() {
        // methods.json fhs.rescale
        let (returns, forecasts) = ([0.01, -0.03, 0.02], [0.01, 0.02, 0.04]);
        let free = filtered_returns(&returns, &forecasts, 0.03, FilterLimits::default()).unwrap();
        for (found, expected) in free.iter().zip([0.03, -0.045, 0.015]) {
            assert!((found - expected).abs() < 1e-16);
        }
        let limits = FilterLimits { cap: Some(2.0), floor: None };
        let capped = filtered_returns(&returns, &forecasts, 0.03, limits).unwrap();
        assert!((capped[0] - 0.02).abs() < 1e-16);
        let limits = FilterLimits { cap: Some(4.0), floor: Some(0.04) };
        let floored = filtered_returns(&returns, &forecasts, 0.03, limits).unwrap();
        assert!((floored[2] - 0.02).abs() < 1e-16);
    }

    #[test]
    fn what_is_no_volatility_is_refused() {
        let law = Garch { omega: 2e-6, alpha: 0.2, beta: 0.8 };
        assert_eq!(
            law.long_run().unwrap_err().to_string(),
            "alpha + beta must be below 1 for a long-run volatility, was 1"
        );
        assert_eq!(
            ewma_volatilities(&[0.0; 5], 0.9, 3).unwrap_err().to_string(),
            "the first 3 returns must vary to start a volatility, all were 0"
        );
        assert_eq!(
            filtered_returns(&[0.1], &[0.0], 0.1, FilterLimits::default()).unwrap_err().to_string(),
            "forecasts must be finite and above zero, was 0 (index 0)"
        );
        assert_eq!(age_weights(5, 1.0).unwrap_err().to_string(), "decay must be above 0 and below 1, was 1");
    }
}
