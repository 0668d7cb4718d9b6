//! Acerbi and Szekely's backtests of expected shortfall (methods.md section 4.3).

use super::backtest::check_rate;
use super::check::{at, finite, length};
use crate::error::{Error, Result, check_positive};
use crate::numeric::accumulate::sum;

/// Days and rate for which critical values are published.
const PUBLISHED: (usize, f64) = (250, 0.025);
/// Second statistic below which a model is rejected at 5 % and at 0.01 %.
const CRITICAL: (f64, f64) = (-0.70, -1.8);

/// What the second statistic says about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// At or above -0.70.
    Accepted,
    /// Below -0.70: rejected at a level of 5 %.
    RejectedAtFivePercent,
    /// Below -1.8: rejected at a level of 0.01 %.
    RejectedAtOneInTenThousand,
    /// No critical value is published for these days and this rate.
    None {
        /// Why there is none.
        why: String,
    },
}

/// Both statistics; 0 is what a right model gives, below 0 losses are larger than predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct ShortfallTest {
    /// `Z1 = sum(x I / ES) / N + 1` over the `N` exceedances; `None` without any.
    pub first: Option<f64>,
    /// `Z2 = sum(x I / ES) / (T p) + 1`.
    pub second: f64,
    /// Days with a loss beyond the value at risk.
    pub exceeded: usize,
    /// What the second statistic says.
    pub verdict: Verdict,
}

/// Compares P&L (gains positive) of days with the value at risk and expected shortfall predicted for them (losses
/// positive). `expected_rate` is 1 less the confidence, 0.025 for 97.5 %.
///
/// # Errors
///
/// [`Error::OutOfRange`] for an expected rate outside (0, 0.5), a number that is not finite or a shortfall that is
/// not above zero; [`Error::Shape`] for other lengths than that of `pnl`; [`Error::NoAnswer`] for no days.
pub fn shortfall_test(
    pnl: &[f64],
    value_at_risk: &[f64],
    expected_shortfall: &[f64],
    expected_rate: f64,
) -> Result<ShortfallTest> {
    check_rate(expected_rate)?;
    finite("pnl", pnl)?;
    finite("value_at_risk", value_at_risk)?;
    length("value_at_risk", value_at_risk.len(), pnl.len())?;
    length("expected_shortfall", expected_shortfall.len(), pnl.len())?;
    if pnl.is_empty() {
        return Err(Error::NoAnswer { why: "a backtest needs at least one day, had none".into() });
    }
    for (index, shortfall) in expected_shortfall.iter().enumerate() {
        check_positive("expected_shortfall", *shortfall, || at(index))?;
    }
    let ratios: Vec<f64> = pnl
        .iter()
        .zip(value_at_risk)
        .zip(expected_shortfall)
        .filter(|((gain, limit), _)| **gain + **limit < 0.0)
        .map(|((gain, _), shortfall)| gain / shortfall)
        .collect();
    let total = sum(ratios.iter().copied());
    let second = total / (pnl.len() as f64 * expected_rate) + 1.0;
    Ok(ShortfallTest {
        first: (!ratios.is_empty()).then(|| total / ratios.len() as f64 + 1.0),
        second,
        exceeded: ratios.len(),
        verdict: verdict(second, pnl.len(), expected_rate),
    })
}

fn verdict(second: f64, days: usize, rate: f64) -> Verdict {
    // 1 - 0.975 is not 0.025 to the bit
    if days != PUBLISHED.0 || (rate - PUBLISHED.1).abs() > 1e-12 {
        return Verdict::None {
            why: format!(
                "critical values are published for {} days and a rate of {}, these are {days} days and a rate of \
                 {rate}",
                PUBLISHED.0, PUBLISHED.1
            ),
        };
    }
    if second < CRITICAL.1 {
        Verdict::RejectedAtOneInTenThousand
    } else if second < CRITICAL.0 {
        Verdict::RejectedAtFivePercent
    } else {
        Verdict::Accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_statistics_of_five_days_are_those_of_the_example() {
        // methods.json bt.z_stats_toy
        let found = shortfall_test(&[-3.0, -1.0, 0.5, -4.0, 2.0], &[2.0; 5], &[2.5; 5], 0.4).unwrap();
        assert!((found.first.unwrap() + 0.4).abs() < 1e-15, "{found:?}");
        assert!((found.second + 0.4).abs() < 1e-15, "{found:?}");
        assert_eq!(found.exceeded, 2);
        assert!(matches!(found.verdict, Verdict::None { .. }));
    }

    #[test]
    fn critical_values_are_used_where_they_are_published() {
        // k exceedances of exactly the shortfall give Z2 = 1 - k / 6.25
        let year = |count: usize| {
            let pnl: Vec<f64> = (0..250).map(|day| if day < count { -2.0 } else { 1.0 }).collect();
            shortfall_test(&pnl, &[1.5; 250], &[2.0; 250], 1.0 - 0.975).unwrap()
        };
        assert_eq!(year(6).verdict, Verdict::Accepted);
        assert_eq!(year(11).verdict, Verdict::RejectedAtFivePercent);
        assert_eq!(year(18).verdict, Verdict::RejectedAtOneInTenThousand);
        assert_eq!(year(0).first, None);
        assert_eq!(year(0).second, 1.0);
    }

    #[test]
    fn a_shortfall_of_nothing_is_refused_with_its_day() {
        assert_eq!(
            shortfall_test(&[1.0, 1.0], &[1.0; 2], &[1.0, 0.0], 0.025).unwrap_err().to_string(),
            "expected_shortfall must be finite and above zero, was 0 (index 1)"
        );
    }
}
