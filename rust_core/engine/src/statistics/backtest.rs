//! Backtests of value at risk: coverage, independence, traffic light (methods.md sections 4.1 and 4.2).

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, Discrete, DiscreteCDF};

use super::check::outside;
use super::laws::normal;
use crate::error::{Error, Place, Result};
use crate::numeric::accumulate::sum;

/// How often an exceedance followed an exceedance, by the day before and the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transitions {
    /// Neither day.
    pub calm_calm: u64,
    /// The later day only.
    pub calm_exceeded: u64,
    /// The day before only.
    pub exceeded_calm: u64,
    /// Both days.
    pub exceeded_exceeded: u64,
}

/// Days, exceedances and how they followed each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceedances {
    /// Days that were looked at.
    pub days: u64,
    /// Days with a loss beyond the limit.
    pub exceeded: u64,
    /// Pairs of days; one fewer than days.
    pub transitions: Transitions,
}

/// A likelihood-ratio statistic and the probability of one as large or larger under the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic, at least 0.
    pub statistic: f64,
    /// From the chi-square law that it tends to.
    pub p_value: f64,
}

/// Kupiec's test of the number of exceedances, with exact binomial probabilities beside the approximate one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// The likelihood-ratio test with one degree of freedom.
    pub ratio: Test,
    /// Probability of all numbers of exceedances that are no more likely than the one observed.
    pub exact_p_value: f64,
    /// Probability of as many exceedances or more.
    pub at_least: f64,
    /// Probability of as many exceedances or fewer.
    pub at_most: f64,
}

/// The zones of the Basel traffic light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Cumulative probability below 95 %.
    Green,
    /// From 95 % to below 99.99 %.
    Yellow,
    /// From 99.99 %.
    Red,
}

impl Zone {
    /// The zone in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// Counts the exceedances of a series in the order of days.
pub fn exceedances(exceeded: &[bool]) -> Exceedances {
    let mut transitions = Transitions::default();
    for pair in exceeded.windows(2) {
        match pair {
            [false, false] => transitions.calm_calm += 1,
            [false, true] => transitions.calm_exceeded += 1,
            [true, false] => transitions.exceeded_calm += 1,
            _ => transitions.exceeded_exceeded += 1,
        }
    }
    Exceedances {
        days: exceeded.len() as u64,
        exceeded: exceeded.iter().filter(|day| **day).count() as u64,
        transitions,
    }
}

/// Kupiec's proportion of failures: `-2 ln [(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)]`, with `0 ln 0 = 0`.
///
/// `expected_rate` is the rate of exceedances that the model promises, 0.01 for a value at risk of 99 %. At 250
/// days the chi-square law is poor: look at the exact probabilities.
///
/// # Errors
///
/// [`Error::OutOfRange`] for an expected rate outside (0, 0.5); [`Error::NoAnswer`] for no days, or more
/// exceedances than days.
pub fn proportion_of_failures(days: u64, exceeded: u64, expected_rate: f64) -> Result<Coverage> {
    let law = binomial(days, exceeded, expected_rate)?;
    let observed = law.pmf(exceeded);
    // probabilities that are equal but for rounding count as equal
    let as_unlikely = (0..=days).map(|count| law.pmf(count)).filter(|p| *p <= observed * (1.0 + 1e-7));
    Ok(Coverage {
        ratio: test(failures_statistic(days, exceeded, expected_rate), 1.0)?,
        exact_p_value: sum(as_unlikely).min(1.0),
        at_least: if exceeded == 0 { 1.0 } else { law.sf(exceeded - 1) },
        at_most: law.cdf(exceeded),
    })
}

fn failures_statistic(days: u64, exceeded: u64, rate: f64) -> f64 {
    let (n, x) = (days as f64, exceeded as f64);
    let promised = times_log(n - x, 1.0 - rate) + times_log(x, rate);
    let observed = times_log(n - x, (n - x) / n) + times_log(x, x / n);
    (2.0 * (observed - promised)).max(0.0)
}

/// `a ln b`, 0 where `a` is 0.
fn times_log(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a * b.ln() }
}

/// The smallest and largest number of exceedances that Kupiec's test does not reject at a level (0.05 for 5 %).
///
/// # Errors
///
/// As [`proportion_of_failures`]; [`Error::OutOfRange`] for a level outside (0, 1), [`Error::NoAnswer`] where every
/// number is rejected.
pub fn accepted_failures(days: u64, expected_rate: f64, level: f64) -> Result<(u64, u64)> {
    binomial(days, 0, expected_rate)?;
    if !(level > 0.0 && level < 1.0) {
        return outside("level", level, "above 0 and below 1", None);
    }
    // chi-square with one degree of freedom is the square of a normal number
    let bound = normal()?.inverse_cdf(0.5 * level).powi(2);
    let accepted = |count: &u64| failures_statistic(days, *count, expected_rate) <= bound;
    let first = (0..=days).find(accepted);
    let last = (0..=days).rev().find(accepted);
    first.zip(last).ok_or_else(|| Error::NoAnswer {
        why: format!("every number of exceedances in {days} days is rejected at a level of {level}"),
    })
}

/// Christoffersen's test that exceedances do not follow each other more often than they come.
///
/// # Errors
///
/// [`Error::NoAnswer`] for no pairs of days.
pub fn independence(transitions: &Transitions) -> Result<Test> {
    let [n00, n01, n10, n11] = [
        transitions.calm_calm,
        transitions.calm_exceeded,
        transitions.exceeded_calm,
        transitions.exceeded_exceeded,
    ]
    .map(|count| count as f64);
    let all = n00 + n01 + n10 + n11;
    if all == 0.0 {
        return Err(Error::NoAnswer { why: "independence needs at least one pair of days, had none".into() });
    }
    let likelihood = |calm: f64, exceeded: f64| {
        let days = calm + exceeded;
        times_log(calm, calm / days) + times_log(exceeded, exceeded / days)
    };
    let statistic = 2.0 * (likelihood(n00, n01) + likelihood(n10, n11) - likelihood(n00 + n10, n01 + n11));
    test(statistic.max(0.0), 1.0)
}

/// Christoffersen's conditional coverage: the statistics of both tests added, two degrees of freedom.
///
/// # Errors
///
/// As [`proportion_of_failures`] and [`independence`].
pub fn conditional_coverage(observed: &Exceedances, expected_rate: f64) -> Result<Test> {
    let failures = proportion_of_failures(observed.days, observed.exceeded, expected_rate)?;
    test(failures.ratio.statistic + independence(&observed.transitions)?.statistic, 2.0)
}

/// Zone of the Basel traffic light, and the binomial probability of as many exceedances or fewer by which it goes.
///
/// The multipliers that go with the zones are a table of the regulator's and no formula; they are not here.
///
/// # Errors
///
/// As [`proportion_of_failures`].
pub fn traffic_light(days: u64, exceeded: u64, expected_rate: f64) -> Result<(Zone, f64)> {
    let probability = binomial(days, exceeded, expected_rate)?.cdf(exceeded);
    let zone = if probability < 0.95 {
        Zone::Green
    } else if probability < 0.9999 {
        Zone::Yellow
    } else {
        Zone::Red
    };
    Ok((zone, probability))
}

/// Checks a rate of exceedances: 1 less the confidence, and never the confidence.
pub(super) fn check_rate(expected_rate: f64) -> Result<()> {
    if expected_rate > 0.0 && expected_rate < 0.5 {
        Ok(())
    } else {
        outside("expected_rate", expected_rate, "above 0 and below 0.5 (1 less the confidence)", None)
    }
}

fn binomial(days: u64, exceeded: u64, expected_rate: f64) -> Result<Binomial> {
    check_rate(expected_rate)?;
    if days == 0 {
        return Err(Error::NoAnswer { why: "a backtest needs at least one day, had none".into() });
    }
    if exceeded > days {
        return Err(Error::NoAnswer {
            why: format!("exceedances must be at most the {days} days, were {exceeded}"),
        });
    }
    Binomial::new(expected_rate, days)
        .map_err(|_| Error::not_finite("expected_rate", expected_rate, Place::default()))
}

fn chi_squared(freedom: f64) -> Result<ChiSquared> {
    ChiSquared::new(freedom).map_err(|_| Error::not_positive("freedom", freedom, Place::default()))
}

fn test(statistic: f64, freedom: f64) -> Result<Test> {
    Ok(Test { statistic, p_value: chi_squared(freedom)?.sf(statistic) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_tests_have_the_published_figures() {
        // MathWorks, varbacktest example; methods.json bt.matlab.cc
        let transitions =
            Transitions { calm_calm: 932, calm_exceeded: 53, exceeded_calm: 53, exceeded_exceeded: 4 };
        let observed = Exceedances { days: 1043, exceeded: 57, transitions };
        let failures = proportion_of_failures(1043, 57, 0.05).unwrap().ratio;
        assert!((failures.statistic - 0.461_466_395_329_011_9).abs() < 1e-9, "{failures:?}");
        assert!((failures.p_value - 0.496_939_447_680_362_8).abs() < 1e-9, "{failures:?}");
        let apart = independence(&transitions).unwrap();
        assert!((apart.statistic - 0.258_663_152_585_800_3).abs() < 1e-9, "{apart:?}");
        let both = conditional_coverage(&observed, 0.05).unwrap();
        assert!((both.p_value - 0.697_631_136_277_979_7).abs() < 1e-9, "{both:?}");
    }

    #[test]
    fn nothing_times_its_logarithm_is_nothing() {
        // methods.json bt.pof_zero: -2 * 250 ln 0.99; bt.cci_n11_zero
        let none = proportion_of_failures(250, 0, 0.01).unwrap();
        assert!((none.ratio.statistic + 500.0 * 0.99_f64.ln()).abs() < 1e-12);
        assert_eq!(none.at_least, 1.0);
        let apart = Transitions { calm_calm: 484, calm_exceeded: 7, exceeded_calm: 7, exceeded_exceeded: 0 };
        assert!((independence(&apart).unwrap().statistic - 0.199_599_429_815_343_4).abs() < 1e-9);
        let never = Transitions { calm_calm: 250, ..Transitions::default() };
        assert_eq!(independence(&never).unwrap(), Test { statistic: 0.0, p_value: 1.0 });
    }

    #[test]
    fn exact_probabilities_are_sums_of_binomial_ones() {
        // n = 4, p = 1/4: P = 81, 108, 54, 12, 1 over 256
        let found = proportion_of_failures(4, 2, 0.25).unwrap();
        assert!((found.exact_p_value - 67.0 / 256.0).abs() < 1e-14, "{found:?}");
        assert!((found.at_least - 67.0 / 256.0).abs() < 1e-14);
        assert!((found.at_most - 243.0 / 256.0).abs() < 1e-14);
        let none = proportion_of_failures(4, 0, 0.25).unwrap();
        assert!((none.exact_p_value - 148.0 / 256.0).abs() < 1e-14, "{none:?}");
    }

    #[test]
    fn a_year_at_99_percent_accepts_one_to_six_exceedances() {
        // strictly: no exceedance in 255 days is rejected at 5 %, though the textbook prints "N < 7"
        assert_eq!(accepted_failures(255, 0.01, 0.05).unwrap(), (1, 6));
        // Kupiec (1995), 510 and 1000 days at 1 %: "1 < N < 11" and "4 < N < 17"
        assert_eq!(accepted_failures(510, 0.01, 0.05).unwrap(), (2, 10));
        assert_eq!(accepted_failures(1000, 0.01, 0.05).unwrap(), (5, 16));
    }

    #[test]
    fn zones_begin_with_the_fifth_and_the_tenth_exceedance() {
        // Basel Committee (1996), table 2: cumulative 89.22, 95.88, 99.97 and 99.99 %
        for (count, zone, percent) in [
            (4, Zone::Green, 89.22),
            (5, Zone::Yellow, 95.88),
            (9, Zone::Yellow, 99.97),
            (10, Zone::Red, 99.99),
        ] {
            let (found, probability) = traffic_light(250, count, 0.01).unwrap();
            assert_eq!(found, zone, "{count}");
            assert!((100.0 * probability - percent).abs() < 0.005, "{count} {probability}");
        }
    }

    #[test]
    fn a_series_is_counted_in_the_order_of_its_days() {
        let found = exceedances(&[false, true, true, false, false]);
        let transitions =
            Transitions { calm_calm: 1, calm_exceeded: 1, exceeded_calm: 1, exceeded_exceeded: 1 };
        assert_eq!(found, Exceedances { days: 5, exceeded: 2, transitions });
        assert_eq!(exceedances(&[true]).transitions, Transitions::default());
    }

    #[test]
    fn a_confidence_given_as_a_rate_is_refused() {
        assert_eq!(
            proportion_of_failures(250, 3, 0.99).unwrap_err().to_string(),
            "expected_rate must be above 0 and below 0.5 (1 less the confidence), was 0.99"
        );
        assert_eq!(
            traffic_light(250, 251, 0.01).unwrap_err().to_string(),
            "exceedances must be at most the 250 days, were 251"
        );
    }
}
