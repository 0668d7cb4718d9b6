//! How strongly the variables of a copula depend on each other (methods.md section 2.3).

use statrs::distribution::ContinuousCDF;

use super::check::outside;
use super::laws::student;
use crate::error::{Error, Place, Result};

/// Lower (and upper) tail dependence of the Student copula: `2 T_{nu+1}(-sqrt((nu+1)(1-rho)/(1+rho)))`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for `nu` that is not above zero or a correlation outside [-1, 1].
pub fn tail_dependence(nu: f64, correlation: f64) -> Result<f64> {
    check_unit("correlation", correlation)?;
    if !(nu > 0.0 && nu.is_finite()) {
        return Err(Error::not_positive("nu", nu, Place::default()));
    }
    if correlation == -1.0 {
        return Ok(0.0);
    }
    let bound = ((nu + 1.0) * (1.0 - correlation) / (1.0 + correlation)).sqrt();
    Ok(2.0 * student(nu + 1.0)?.sf(bound))
}

/// Kendall's tau of a Gaussian (or Student) copula: `(2/pi) asin rho`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a correlation outside [-1, 1].
pub fn kendall_tau(correlation: f64) -> Result<f64> {
    check_unit("correlation", correlation)?;
    Ok(std::f64::consts::FRAC_2_PI * correlation.asin())
}

/// The correlation of a Gaussian or Student copula with a Kendall's tau: `sin(pi tau / 2)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a tau outside [-1, 1].
pub fn correlation_of_kendall_tau(tau: f64) -> Result<f64> {
    check_unit("tau", tau)?;
    Ok((std::f64::consts::FRAC_PI_2 * tau).sin())
}

/// Spearman's rho of a Gaussian copula: `(6/pi) asin(rho/2)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a correlation outside [-1, 1].
pub fn spearman_rho(correlation: f64) -> Result<f64> {
    check_unit("correlation", correlation)?;
    Ok(6.0 * std::f64::consts::FRAC_1_PI * (0.5 * correlation).asin())
}

fn check_unit(name: &str, value: f64) -> Result<()> {
    if (-1.0..=1.0).contains(&value) { Ok(()) } else { outside(name, value, "from -1 to 1", None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, relative: f64) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} {expected}");
    }

    #[test]
    fn dependence_of_copulas_is_the_published_one() {
        // methods.json copula.t_taildep and copula.rank
        close(tail_dependence(4.0, 0.5).unwrap(), 0.253_169_995_100_322_7, 1e-12);
        close(tail_dependence(2.0, -0.5).unwrap(), 0.057_668_885_622_437_3, 1e-12);
        assert_eq!((tail_dependence(4.0, 1.0).unwrap(), tail_dependence(4.0, -1.0).unwrap()), (1.0, 0.0));
        close(kendall_tau(0.6).unwrap(), 0.409_665_529_398_266_9, 1e-15);
        close(spearman_rho(0.6).unwrap(), 0.581_920_104_124_069_8, 1e-15);
        close(correlation_of_kendall_tau(0.409_665_529_398_266_9).unwrap(), 0.6, 1e-15);
    }

    #[test]
    fn what_is_no_correlation_is_refused() {
        assert_eq!(
            tail_dependence(4.0, 1.1).unwrap_err().to_string(),
            "correlation must be from -1 to 1, was 1.1"
        );
    }
}
