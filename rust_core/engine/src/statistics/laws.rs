//! Value at risk and expected shortfall of known laws, in closed form (methods.md section 2.1).

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

use super::check::{check_confidence as check_stated, confidence as check_confidence, outside};
use crate::error::{Error, Place, Result, check_finite, check_positive};

/// Value at risk and expected shortfall of a law, positive = loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Quantile of the loss.
    pub value_at_risk: f64,
    /// Mean of the losses beyond it.
    pub expected_shortfall: f64,
}

impl Measures {
    /// The measures in money, of a position of `value` whose returns have this law.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a value that is below zero or not finite: give the loss of a short position its own
    /// law.
    pub fn of_value(self, value: f64) -> Result<Self> {
        check_spread("value", value)?;
        Ok(Self {
            value_at_risk: value * self.value_at_risk,
            expected_shortfall: value * self.expected_shortfall,
        })
    }
}

/// What the spread of a Student law is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Its standard deviation, so that laws with other degrees of freedom have the same variance.
    Volatility,
    /// Its scale: one standard deviation of the normal law it tends to. The variance is `nu / (nu - 2)` times as
    /// large.
    Scale,
}

/// The standard normal law.
pub(super) fn normal() -> Result<Normal> {
    Normal::new(0.0, 1.0).map_err(|_| Error::not_finite("normal law", 0.0, Place::default()))
}

/// Quantile of the standard normal law.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a confidence outside (0, 1).
pub fn normal_quantile(confidence: f64) -> Result<f64> {
    check_confidence(confidence)?;
    Ok(normal()?.inverse_cdf(confidence))
}

/// Volatility over a horizon: `volatility sqrt(days / days per year)`, for returns that do not depend on each other.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a volatility below zero, or days that are not above zero.
pub fn horizon_volatility(volatility: f64, horizon_days: f64, days_per_year: f64) -> Result<f64> {
    check_spread("volatility", volatility)?;
    check_positive("horizon_days", horizon_days, Place::default)?;
    check_positive("days_per_year", days_per_year, Place::default)?;
    Ok(volatility * (horizon_days / days_per_year).sqrt())
}

/// What turns a volatility into a value at risk: the multiple given, or the normal quantile of a confidence.
///
/// # Errors
///
/// [`Error::Missing`] unless exactly one is given; [`Error::OutOfRange`] for a multiple that is not above zero or a
/// confidence that [`super::check_confidence`] refuses.
pub fn multiple_of_volatility(confidence: Option<f64>, multiple: Option<f64>) -> Result<f64> {
    match (confidence, multiple) {
        (Some(confidence), None) => {
            check_stated(confidence)?;
            normal_quantile(confidence)
        }
        (None, Some(multiple)) => check_positive("multiple", multiple, Place::default),
        _ => Err(Error::Missing {
            what: "confidence or multiple".into(),
            why: "give one of the two: the confidence of a normal loss, or its volatilities".into(),
            place: Place::default(),
        }),
    }
}

/// Normal losses with mean 0: `sigma z` and `sigma phi(z) / (1 - alpha)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a volatility below zero or a confidence outside (0, 1).
pub fn normal_tail(volatility: f64, confidence: f64) -> Result<Measures> {
    check_spread("volatility", volatility)?;
    let quantile = normal_quantile(confidence)?;
    Ok(Measures {
        value_at_risk: volatility * quantile,
        expected_shortfall: volatility * normal()?.pdf(quantile) / (1.0 - confidence),
    })
}

/// Student losses with mean 0 and `nu` degrees of freedom: `s t` and `s f(t) / (1 - alpha) (nu + t^2) / (nu - 1)`,
/// where `s = sigma sqrt((nu - 2) / nu)` if the spread is a volatility.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a spread below zero, a confidence outside (0, 1), or `nu` of 2 or less with a
/// volatility (the variance does not exist) and 1 or less with a scale (the shortfall does not).
pub fn student_tail(size: f64, nu: f64, confidence: f64, spread: Spread) -> Result<Measures> {
    check_confidence(confidence)?;
    let scale = match spread {
        Spread::Volatility => {
            check_spread("volatility", size)?;
            if !(nu > 2.0 && nu.is_finite()) {
                return outside("nu", nu, "finite and above 2, else the law has no variance", None);
            }
            size * ((nu - 2.0) / nu).sqrt()
        }
        Spread::Scale => {
            check_spread("scale", size)?;
            if !(nu > 1.0 && nu.is_finite()) {
                return outside("nu", nu, "finite and above 1, else the law has no shortfall", None);
            }
            size
        }
    };
    let quantile = student_quantile(nu, confidence)?;
    let density = student(nu)?.pdf(quantile);
    Ok(Measures {
        value_at_risk: scale * quantile,
        expected_shortfall: scale * density / (1.0 - confidence) * (nu + quantile * quantile) / (nu - 1.0),
    })
}

pub(super) fn check_spread(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        outside(name, value, "finite and at least 0", None)
    }
}

pub(super) fn student(nu: f64) -> Result<StudentsT> {
    StudentsT::new(0.0, 1.0, nu).map_err(|_| Error::not_positive("nu", nu, Place::default()))
}

/// Probability that Student's law gives no more than a value.
///
/// # Errors
///
/// [`Error::OutOfRange`] for degrees of freedom that are not above zero.
pub fn student_probability(nu: f64, value: f64) -> Result<f64> {
    Ok(student(nu)?.cdf(value))
}

/// Quantile of the Student law by Newton's method on the logarithm of its upper tail, kept inside a bracket: the
/// inverse in statrs misses some quantiles by percents.
pub(super) fn student_quantile(nu: f64, confidence: f64) -> Result<f64> {
    let law = student(nu)?;
    if confidence == 0.5 {
        return Ok(0.0);
    }
    // the law is symmetric, and a small tail keeps its digits
    let (sign, beyond) = if confidence < 0.5 { (-1.0, confidence) } else { (1.0, 1.0 - confidence) };
    let (mut low, mut high) = (0.0, 1.0);
    while law.sf(high) > beyond {
        low = high;
        high *= 2.0;
    }
    let mut found = f64::midpoint(low, high);
    for _ in 0..200 {
        let tail = law.sf(found);
        if tail > beyond {
            low = found
        } else {
            high = found
        }
        let newton = found + (tail / beyond).ln() * tail / law.pdf(found);
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let done = (next - found).abs() <= 2.0 * f64::EPSILON * next.abs();
        found = next;
        if done {
            break;
        }
    }
    Ok(sign * found)
}

/// Losses of a position that has gamma and no delta, `P&L = gamma x^2 / 2` with normal `x` of a volatility.
///
/// Its delta-normal value at risk is 0, however much gamma it is short. Short gamma (below 0) loses up to the
/// chi-square quantile; long gamma never loses, its measures are gains and so at most 0.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a gamma that is not finite, a volatility below zero or a confidence outside (0, 1).
pub fn pure_gamma_tail(gamma: f64, volatility: f64, confidence: f64) -> Result<Measures> {
    check_finite("gamma", gamma, Place::default)?;
    check_spread("volatility", volatility)?;
    check_confidence(confidence)?;
    let law = normal()?;
    let scale = -0.5 * gamma * volatility * volatility;
    // |x| lies beyond z with probability 1 - alpha (short gamma), or within it (long gamma)
    let (z, mean) = if gamma < 0.0 {
        let z = -law.inverse_cdf(0.5 * (1.0 - confidence));
        (z, 2.0 * (z * law.pdf(z) + law.sf(z)))
    } else {
        let z = law.inverse_cdf(1.0 - 0.5 * confidence);
        (z, (1.0 - confidence) - 2.0 * z * law.pdf(z))
    };
    Ok(Measures { value_at_risk: scale * z * z, expected_shortfall: scale * mean / (1.0 - confidence) })
}

/// How often normal losses exceed their own expected shortfall: 0.385 % of days at 99 %. A backtest that counts
/// losses beyond an expected shortfall must expect this rate and not `1 - alpha`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a confidence outside (0, 1).
pub fn expected_shortfall_exceedance_rate(confidence: f64) -> Result<f64> {
    Ok(normal()?.sf(normal_tail(1.0, confidence)?.expected_shortfall))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, relative: f64) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} {expected}");
    }

    #[test]
    fn normal_and_student_losses_have_the_figures_of_the_textbook() {
        // McNeil, Frey, Embrechts, table 2.2; methods.json var_es.qrm.normal_t4
        let sigma = 10_000.0 * 0.2 / 250.0_f64.sqrt();
        for (alpha, normal, student, normal_shortfall, student_shortfall) in [
            (0.90, 162.1, 137.1, 221.9898, 223.5478),
            (0.95, 208.1, 190.7, 260.9148, 286.4734),
            (0.975, 247.9, 248.3, 295.7113, 357.1946),
            (0.99, 294.3, 335.1, 337.1259, 466.9432),
            (0.995, 325.8, 411.8, 365.8058, 565.7101),
        ] {
            let found = normal_tail(sigma, alpha).unwrap();
            assert!((found.value_at_risk - normal).abs() < 0.06, "{found:?}");
            assert!((found.expected_shortfall - normal_shortfall).abs() < 1e-4, "{found:?}");
            let found = student_tail(sigma, 4.0, alpha, Spread::Volatility).unwrap();
            assert!((found.value_at_risk - student).abs() < 0.06, "{found:?}");
            assert!((found.expected_shortfall - student_shortfall).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn a_student_law_with_two_degrees_has_its_quantile_in_closed_form() {
        // t = (2p - 1) sqrt(2 / (4 p (1 - p))) at nu = 2
        for alpha in [0.5_f64, 0.8, 0.9, 0.99, 0.9999, 0.2, 0.01] {
            let expected = (2.0 * alpha - 1.0) * (2.0 / (4.0 * alpha * (1.0 - alpha))).sqrt();
            let found = student_tail(1.0, 2.0, alpha, Spread::Scale).unwrap().value_at_risk;
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{alpha} {found} {expected}");
        }
    }

    #[test]
    fn a_student_shortfall_is_the_integral_of_its_quantiles() {
        for (nu, alpha) in [(2.5, 0.99), (3.0, 0.975), (5.0, 0.9), (30.0, 0.99)] {
            let found = student_tail(1.0, nu, alpha, Spread::Scale).unwrap();
            // E[X; X > q] with x = q / u: integral of q^2 f(q/u) / u^3 over (0, 1), by Simpson's rule
            let law = student(nu).unwrap();
            let q = found.value_at_risk;
            let value = |u: f64| if u == 0.0 { 0.0 } else { q * q * law.pdf(q / u) / (u * u * u) };
            // with u = v^4 the integrand is smooth at 0
            let smooth = |v: f64| value(v.powi(4)) * 4.0 * v.powi(3);
            let steps = 20_000;
            let width = 1.0 / f64::from(steps);
            let total: f64 = (0..steps)
                .map(|k| {
                    let v = f64::from(k) * width;
                    (smooth(v) + 4.0 * smooth(v + 0.5 * width) + smooth(v + width)) * width / 6.0
                })
                .sum();
            close(found.expected_shortfall, total / (1.0 - alpha), 1e-8);
        }
    }

    #[test]
    fn a_multiple_is_given_once() {
        assert!((multiple_of_volatility(Some(0.99), None).unwrap() - 2.326_347_874_040_841).abs() < 1e-14);
        assert_eq!(multiple_of_volatility(None, Some(1.65)).unwrap(), 1.65);
        for (confidence, multiple) in [(None, None), (Some(0.99), Some(2.33))] {
            assert_eq!(
                multiple_of_volatility(confidence, multiple).unwrap_err().to_string(),
                "confidence or multiple is missing: give one of the two: the confidence of a normal loss, or its \
                 volatilities"
            );
        }
        assert_eq!(
            multiple_of_volatility(Some(0.01), None).unwrap_err().to_string(),
            "confidence must be at least 0.5 and below 1 (0.99 for 99 %, not the tail's 0.01), was 0.01"
        );
        assert_eq!(horizon_volatility(0.5, 4.0, 16.0).unwrap(), 0.25);
    }

    #[test]
    fn a_student_law_of_many_degrees_is_nearly_normal() {
        let normal = normal_tail(1.0, 0.99).unwrap();
        let student = student_tail(1.0, 1e6, 0.99, Spread::Volatility).unwrap();
        close(student.value_at_risk, normal.value_at_risk, 1e-5);
        close(student.expected_shortfall, normal.expected_shortfall, 1e-5);
    }

    #[test]
    fn short_gamma_loses_up_to_the_chi_square_quantile() {
        // methods.json dg.pure_gamma
        let found = pure_gamma_tail(-10_000.0, 1.0, 0.99).unwrap();
        assert!((found.value_at_risk - 33_174.483_005_106_07).abs() < 1e-6, "{found:?}");
        assert!(found.expected_shortfall > found.value_at_risk);
        let long = pure_gamma_tail(10_000.0, 1.0, 0.99).unwrap();
        // the first percentile of chi-square with one degree is 1.570878579097e-4
        assert!((long.value_at_risk + 0.785_439_289_548_509_2).abs() < 1e-9, "{long:?}");
        assert!(long.expected_shortfall <= 0.0 && long.expected_shortfall > long.value_at_risk);
    }

    #[test]
    fn a_shortfall_is_exceeded_more_rarely_than_the_quantile() {
        // phi(2.3263) / 0.01 = 2.66521; 1 - Phi(2.66521) = 0.385 %
        assert!((expected_shortfall_exceedance_rate(0.99).unwrap() - 0.003_85).abs() < 5e-6);
    }

    #[test]
    fn laws_that_do_not_exist_are_refused() {
        assert_eq!(
            student_tail(1.0, 2.0, 0.99, Spread::Volatility).unwrap_err().to_string(),
            "nu must be finite and above 2, else the law has no variance, was 2"
        );
        assert_eq!(
            normal_tail(-1.0, 0.99).unwrap_err().to_string(),
            "volatility must be finite and at least 0, was -1"
        );
    }
}
