//! How sure a value at risk and an expected shortfall are (methods.md section 2.4).

use statrs::distribution::{Binomial, Continuous, ContinuousCDF, DiscreteCDF, Normal};

use super::check::{confidence as check_confidence, outside};
use super::laws::{Spread, student, student_quantile, student_tail};
use super::tail::{Ties, effective_size, quantile_weights, tail};
use crate::error::{Error, Place, Result, check_positive};
use crate::numeric::accumulate::sum;

/// Order statistics that enclose a quantile, counted from the smallest loss, the first being 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// Rank of the lower end; `None` where even the smallest loss is too large to be sure.
    pub lower: Option<usize>,
    /// Rank of the upper end; `None` where even the largest loss is too small: the quantile is at least the
    /// lower end.
    pub upper: Option<usize>,
    /// Probability that the quantile lies from the lower end to below the upper end.
    pub coverage: f64,
}

/// An interval for a value at risk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end; `None` where the history has none.
    pub lower: Option<f64>,
    /// Upper end; `None` where the history has none: the value at risk is at least the lower end.
    pub upper: Option<f64>,
    /// Probability that the interval holds the quantile.
    pub coverage: f64,
}

/// `P(L_(lower) <= quantile < L_(upper))` of `count` losses: the binomial probability that from `lower` to
/// `upper - 1` of them lie below the quantile. `None` is no bound on that side.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a confidence outside (0, 1), [`Error::NoAnswer`] for ranks that are not
/// `1 <= lower < upper <= count`.
pub fn rank_coverage(
    count: usize,
    confidence: f64,
    lower: Option<usize>,
    upper: Option<usize>,
) -> Result<f64> {
    let law = binomial(count, confidence)?;
    let in_order = lower.unwrap_or(0) < upper.unwrap_or(count + 1);
    let exist = lower.is_none_or(|rank| rank >= 1) && upper.is_none_or(|rank| rank <= count);
    if !(in_order && exist) {
        return Err(Error::NoAnswer {
            why: format!("ranks must be 1 <= lower < upper <= {count}, were {lower:?} and {upper:?}"),
        });
    }
    let below = |rank: usize| if rank == 0 { 0.0 } else { law.cdf(rank as u64 - 1) };
    let beyond = |rank: usize| if rank == 0 { 1.0 } else { law.sf(rank as u64 - 1) };
    let outside = lower.map_or(0.0, below) + upper.map_or(0.0, beyond);
    Ok(1.0 - outside)
}

/// The ranks that enclose the quantile with at most `(1 - coverage) / 2` on each side.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a confidence or coverage outside (0, 1), [`Error::NoAnswer`] for a count of 0.
pub fn ranks(count: usize, confidence: f64, coverage: f64) -> Result<Ranks> {
    let law = binomial(count, confidence)?;
    if !(coverage > 0.0 && coverage < 1.0) {
        return outside("coverage", coverage, "above 0 and below 1", None);
    }
    let side = 0.5 * (1.0 - coverage);
    // both probabilities are monotone in the rank
    let lower = partition(count, |rank| law.cdf(rank as u64 - 1) <= side);
    let lower = (lower > 0).then_some(lower);
    let first = partition(count, |rank| law.sf(rank as u64 - 1) > side) + 1;
    let upper = (first <= count).then_some(first);
    Ok(Ranks { lower, upper, coverage: rank_coverage(count, confidence, lower, upper)? })
}

/// How many ranks from 1 to `count` a condition holds for that holds up to a rank and not beyond.
fn partition(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut known, mut unknown) = (0, count);
    while known < unknown {
        let middle = known + (unknown - known).div_ceil(2);
        if holds(middle) { known = middle } else { unknown = middle - 1 }
    }
    known
}

/// Interval of the value at risk by order statistics, at least `coverage` sure where both ends exist.
///
/// Weighted scenarios count as their effective size, rounded down, and a rank as its share of it.
///
/// # Errors
///
/// As [`tail`] and [`ranks`].
pub fn value_at_risk_interval(
    losses: &[f64],
    probabilities: Option<&[f64]>,
    confidence: f64,
    coverage: f64,
) -> Result<Interval> {
    quantile_weights(losses, probabilities, confidence)?;
    let size = match probabilities {
        Some(weights) => (effective_size(weights)? * (1.0 + 8.0 * f64::EPSILON)).floor() as usize,
        None => losses.len(),
    };
    let found = ranks(size, confidence, coverage)?;
    let mut order: Vec<usize> = (0..losses.len()).collect();
    let loss = |index: usize| losses.get(index).copied().unwrap_or(f64::NAN);
    order.sort_unstable_by(|a, b| loss(*a).total_cmp(&loss(*b)).then(a.cmp(b)));
    let weight = |index: usize| probabilities.map_or(1.0, |w| w.get(index).copied().unwrap_or(0.0));
    let total = sum(order.iter().map(|&index| weight(index)));
    let at_rank = |rank: usize| {
        let needed = total * (rank as f64 / size as f64) * (1.0 - 8.0 * f64::EPSILON);
        let mut gathered = crate::numeric::Accumulator::default();
        order.iter().copied().find_map(|index| {
            gathered.add(weight(index));
            (gathered.value() >= needed).then(|| loss(index))
        })
    };
    Ok(Interval {
        lower: found.lower.and_then(at_rank),
        upper: found.upper.and_then(at_rank),
        coverage: found.coverage,
    })
}

/// Asymptotic standard error of a value at risk from `count` normal losses of a volatility:
/// `sqrt(alpha (1 - alpha) / n) / f(q)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a confidence outside (0, 1), or a volatility or count that is not above zero.
pub fn normal_value_at_risk_error(volatility: f64, confidence: f64, count: f64) -> Result<f64> {
    let law = standard(volatility, confidence, count)?;
    let density = law.pdf(law.inverse_cdf(confidence));
    Ok(volatility * (confidence * (1.0 - confidence) / count).sqrt() / density)
}

/// Asymptotic standard error of an expected shortfall from `count` normal losses of a volatility:
/// `sqrt([Var(L|tail) + alpha (ES - VaR)^2] / (n (1 - alpha)))`.
///
/// # Errors
///
/// As [`normal_value_at_risk_error`].
pub fn normal_expected_shortfall_error(volatility: f64, confidence: f64, count: f64) -> Result<f64> {
    let law = standard(volatility, confidence, count)?;
    let quantile = law.inverse_cdf(confidence);
    let shortfall = law.pdf(quantile) / (1.0 - confidence);
    let variance = 1.0 + quantile * shortfall - shortfall * shortfall;
    Ok(volatility * error(variance, shortfall - quantile, confidence, count))
}

/// Asymptotic standard errors of both measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingErrors {
    /// Of the value at risk.
    pub value_at_risk: f64,
    /// Of the expected shortfall.
    pub expected_shortfall: f64,
}

/// The same errors for Student losses of a volatility with `nu` degrees of freedom.
///
/// The variance in the tail follows from `x f(x) = -d/dx [(nu + x^2) f(x) / (nu - 1)]` by parts:
/// `E[X^2; X > q] = (q (nu + q^2) f(q) + nu (1 - alpha)) / (nu - 2)`.
///
/// # Errors
///
/// As [`normal_value_at_risk_error`]; [`Error::OutOfRange`] for `nu` of 2 or less: the shortfall then has no standard
/// error.
pub fn student_errors(volatility: f64, nu: f64, confidence: f64, count: f64) -> Result<SamplingErrors> {
    standard(volatility, confidence, count)?;
    let unit = student_tail(1.0, nu, confidence, Spread::Volatility)?;
    let quantile = student_quantile(nu, confidence)?;
    let density = student(nu)?.pdf(quantile);
    let scale = ((nu - 2.0) / nu).sqrt();
    let beyond = 1.0 - confidence;
    let squares = (quantile * (nu + quantile * quantile) * density + nu * beyond) / (nu - 2.0);
    let variance = scale * scale * squares / beyond - unit.expected_shortfall * unit.expected_shortfall;
    let distance = unit.expected_shortfall - unit.value_at_risk;
    Ok(SamplingErrors {
        value_at_risk: volatility * scale * (confidence * beyond / count).sqrt() / density,
        expected_shortfall: volatility * error(variance, distance, confidence, count),
    })
}

/// The same error with the losses of scenarios; weighted ones count as their effective size `1 / sum w^2`.
///
/// # Errors
///
/// As [`tail`].
pub fn expected_shortfall_error(
    losses: &[f64],
    probabilities: Option<&[f64]>,
    confidence: f64,
) -> Result<f64> {
    let found = tail(losses, probabilities, confidence, Ties::Mean)?;
    let count = match probabilities {
        Some(weights) => effective_size(weights)?,
        None => losses.len() as f64,
    };
    let variance = sum(found.weights.iter().map(|(index, weight)| {
        let loss = losses.get(*index).copied().unwrap_or(f64::NAN);
        weight * (loss - found.expected_shortfall).powi(2)
    }));
    Ok(error(variance, found.expected_shortfall - found.value_at_risk, confidence, count))
}

fn error(variance: f64, beyond: f64, confidence: f64, count: f64) -> f64 {
    ((variance.max(0.0) + confidence * beyond * beyond) / (count * (1.0 - confidence))).sqrt()
}

fn binomial(count: usize, confidence: f64) -> Result<Binomial> {
    check_confidence(confidence)?;
    if count == 0 {
        return Err(Error::NoAnswer { why: "an interval needs at least 1 scenario, had 0".into() });
    }
    Binomial::new(confidence, count as u64)
        .map_err(|_| Error::not_finite("confidence", confidence, Place::default()))
}

fn standard(volatility: f64, confidence: f64, count: f64) -> Result<Normal> {
    check_confidence(confidence)?;
    check_positive("volatility", volatility, Place::default)?;
    check_positive("count", count, Place::default)?;
    Normal::new(0.0, 1.0).map_err(|_| Error::not_finite("normal law", 0.0, Place::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_of_days_has_no_upper_rank_at_99_percent() {
        // 1 - 0.99^250 = 0.919 is below 0.975: even the largest of 250 is too small
        let found = ranks(250, 0.99, 0.95).unwrap();
        assert_eq!((found.lower, found.upper), (Some(244), None));
        // P(B >= 244) for B binomial(250, 0.99) = P(at most 6 of 250 at 1 %)
        let at_most_six: f64 = {
            let mut term = 0.99_f64.powi(250);
            (0..=6)
                .map(|k| {
                    let now = term;
                    term *= f64::from(250 - k) / f64::from(k + 1) * 0.01 / 0.99;
                    now
                })
                .sum()
        };
        assert!((found.coverage - at_most_six).abs() < 1e-12, "{found:?} {at_most_six}");
    }

    #[test]
    fn ranks_of_a_median_are_the_binomial_ones() {
        // n = 10: P(2 <= B <= 8) = 1 - 22 / 1024 with B binomial(10, 1/2)
        let found = ranks(10, 0.5, 0.95).unwrap();
        assert_eq!((found.lower, found.upper), (Some(2), Some(9)));
        assert!((found.coverage - (1.0 - 22.0 / 1024.0)).abs() < 1e-14);
        assert!((rank_coverage(10, 0.5, Some(5), Some(6)).unwrap() - 252.0 / 1024.0).abs() < 1e-14);
    }

    #[test]
    fn the_interval_is_made_of_losses_also_with_equal_weights() {
        let losses: Vec<f64> = (1..=1000).map(f64::from).collect();
        let found = value_at_risk_interval(&losses, None, 0.99, 0.95).unwrap();
        let expected = ranks(1000, 0.99, 0.95).unwrap();
        assert_eq!(found.lower, expected.lower.map(|rank| rank as f64));
        assert_eq!(found.upper, expected.upper.map(|rank| rank as f64));
        assert_eq!(found, value_at_risk_interval(&losses, Some(&[0.3; 1000]), 0.99, 0.95).unwrap());
        assert_eq!(value_at_risk_interval(&losses[..250], None, 0.99, 0.95).unwrap().upper, None);
    }

    #[test]
    fn the_published_error_of_a_normal_quantile_comes_out() {
        // methods.json var.se_asymptotic
        let found = normal_value_at_risk_error(1.0, 0.99, 10_000.0).unwrap();
        assert!((found - 0.037_332_362_611_269_63).abs() < 1e-12, "{found}");
    }

    #[test]
    fn the_error_of_scenarios_tends_to_the_normal_one() {
        let law = Normal::new(0.0, 1.0).unwrap();
        let losses: Vec<f64> =
            (0..200_000).map(|k| law.inverse_cdf((f64::from(k) + 0.5) / 200_000.0)).collect();
        let found = expected_shortfall_error(&losses, None, 0.975).unwrap();
        let expected = normal_expected_shortfall_error(1.0, 0.975, 200_000.0).unwrap();
        assert!((found / expected - 1.0).abs() < 2e-3, "{found} {expected}");
        let weighted = expected_shortfall_error(&losses, Some(&vec![2.0; 200_000]), 0.975).unwrap();
        assert!((weighted / found - 1.0).abs() < 1e-9);
    }

    #[test]
    fn student_errors_tend_to_the_normal_ones_and_are_those_of_many_scenarios() {
        let nearly_normal = student_errors(2.0, 1e6, 0.99, 1e4).unwrap();
        let value_at_risk = normal_value_at_risk_error(2.0, 0.99, 1e4).unwrap();
        let shortfall = normal_expected_shortfall_error(2.0, 0.99, 1e4).unwrap();
        assert!((nearly_normal.value_at_risk / value_at_risk - 1.0).abs() < 1e-4);
        assert!((nearly_normal.expected_shortfall / shortfall - 1.0).abs() < 1e-4);
        // even quantiles stand for the law; those beyond the last one are missing, hence the tolerance
        let losses: Vec<f64> = (0..100_000)
            .map(|k| {
                student_quantile(6.0, (f64::from(k) + 0.5) / 100_000.0).unwrap() * (4.0_f64 / 6.0).sqrt()
            })
            .collect();
        let found = student_errors(1.0, 6.0, 0.975, 1e5).unwrap();
        let expected = expected_shortfall_error(&losses, None, 0.975).unwrap();
        assert!((found.expected_shortfall / expected - 1.0).abs() < 0.01, "{found:?} {expected}");
        assert!(student_errors(1.0, 2.0, 0.99, 1e4).is_err());
    }

    #[test]
    fn ranks_that_do_not_exist_are_refused() {
        assert_eq!(
            rank_coverage(10, 0.5, Some(4), Some(4)).unwrap_err().to_string(),
            "ranks must be 1 <= lower < upper <= 10, were Some(4) and Some(4)"
        );
        assert_eq!(
            ranks(10, 0.5, 1.0).unwrap_err().to_string(),
            "coverage must be above 0 and below 1, was 1"
        );
    }
}
