//! Quantiles of laws with skewness and fat tails by Cornish and Fisher's expansion (methods.md section 2.1).

use statrs::distribution::ContinuousCDF;

use super::check::outside;
use super::laws::normal;
use crate::error::{Error, Place, Result, check_finite};

/// Cornish and Fisher's quantile `z + (z^2 - 1) S/6 + (z^3 - 3z) K/24 - (2z^3 - 5z) S^2/36` at a probability.
///
/// `whole_law` asks that it rises everywhere, which is Maillard's domain of skewness and excess kurtosis;
/// otherwise it must rise from the median to the quantile.
///
/// # Errors
///
/// [`Error::NoAnswer`] where it does not rise: there it is no quantile; [`Error::OutOfRange`] for a probability
/// outside (0, 1) or a moment that is not finite.
pub fn cornish_fisher_quantile(
    probability: f64,
    skewness: f64,
    excess_kurtosis: f64,
    whole_law: bool,
) -> Result<f64> {
    if !(probability > 0.0 && probability < 1.0) {
        return outside("probability", probability, "above 0 and below 1", None);
    }
    check_finite("skewness", skewness, Place::default)?;
    check_finite("excess_kurtosis", excess_kurtosis, Place::default)?;
    let (s, k) = (skewness, excess_kurtosis);
    let z = normal()?.inverse_cdf(probability);
    let slope = Slope {
        constant: 1.0 - k / 8.0 + 5.0 * s * s / 36.0,
        linear: s / 3.0,
        square: k / 8.0 - s * s / 6.0,
    };
    let rises =
        if whole_law { slope.positive_everywhere() } else { slope.positive_between(z.min(0.0), z.max(0.0)) };
    if !rises {
        let where_ = if whole_law { "everywhere" } else { "up to the quantile" };
        return Err(Error::NoAnswer {
            why: format!(
                "the Cornish-Fisher quantile does not rise {where_} with skewness {s} and excess kurtosis {k}: \
                 it is outside Maillard's domain"
            ),
        });
    }
    let cube = z * z * z;
    Ok(z + (z * z - 1.0) * s / 6.0 + (cube - 3.0 * z) * k / 24.0 - (2.0 * cube - 5.0 * z) * s * s / 36.0)
}

/// The derivative of Cornish and Fisher's polynomial.
struct Slope {
    constant: f64,
    linear: f64,
    square: f64,
}

impl Slope {
    fn at(&self, z: f64) -> f64 {
        self.constant + z * (self.linear + z * self.square)
    }

    fn positive_everywhere(&self) -> bool {
        if self.square == 0.0 {
            self.linear == 0.0 && self.constant > 0.0
        } else {
            self.square > 0.0 && self.linear * self.linear < 4.0 * self.square * self.constant
        }
    }

    fn positive_between(&self, from: f64, to: f64) -> bool {
        let lowest = -0.5 * self.linear / self.square;
        let inside = self.square > 0.0 && lowest > from && lowest < to;
        self.at(from) > 0.0 && self.at(to) > 0.0 && (!inside || self.at(lowest) > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cornish_and_fisher_quantiles_are_refused_where_they_fall() {
        // methods.json cf.quantile
        let found = cornish_fisher_quantile(0.01, -0.5, 1.0, true).unwrap();
        assert!((found + 2.833_709_035_339_368_6).abs() < 1e-12, "{found}");
        assert_eq!(
            cornish_fisher_quantile(0.01, -1.5, 1.0, true).unwrap_err().to_string(),
            "the Cornish-Fisher quantile does not rise everywhere with skewness -1.5 and excess kurtosis 1: it is \
             outside Maillard's domain"
        );
        assert!(cornish_fisher_quantile(0.4, -0.1, 0.0, true).is_err());
        assert!(cornish_fisher_quantile(0.4, -0.1, 0.0, false).is_ok());
        assert!(cornish_fisher_quantile(0.01, 0.0, 9.0, false).is_err());
    }
}
