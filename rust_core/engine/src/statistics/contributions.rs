//! What every exposure adds to a risk that is a multiple of the book's volatility (methods.md section 2.5): a
//! normal value at risk, or the shortfall of an elliptical law.

use super::check::{finite, length, symmetric};
use crate::error::{Error, Place, Result, check_positive};
use crate::numeric::accumulate::sum;

/// Contributions to `multiple * sqrt(x' Sigma x)`, one entry per exposure.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Risk of the book.
    pub total: f64,
    /// Euler's shares, which add up to the total; negative for a hedge.
    pub component: Vec<f64>,
    /// Risk per unit of further exposure.
    pub marginal: Vec<f64>,
    /// What falls away with the whole exposure: total less the total without it.
    pub incremental: Vec<f64>,
    /// Risk of the exposure by itself.
    pub stand_alone: Vec<f64>,
    /// Beta to the book: `(Sigma x)_i / (x' Sigma x)` times the sum of exposures.
    pub beta: Vec<f64>,
}

/// Exposures by their place, the largest first; equal ones as they are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orders {
    /// By component.
    pub component: Vec<usize>,
    /// By component per unit of notional: what the next small reduction brings.
    pub marginal: Vec<usize>,
    /// By what falls away with the whole exposure.
    pub incremental: Vec<usize>,
    /// By notional.
    pub notional: Vec<usize>,
}

impl Contributions {
    /// The share of each exposure in the total, a fraction.
    pub fn shares(&self) -> Vec<f64> {
        self.component.iter().map(|component| component / self.total).collect()
    }

    /// Sum of what the exposures risk by themselves; less the total it is the benefit of diversification.
    pub fn undiversified(&self) -> f64 {
        sum(self.stand_alone.iter().copied())
    }

    /// The orders in which exposures would be reduced; they differ (methods.md section 2.5).
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of exposures.
    pub fn orders(&self, exposures: &[f64]) -> Result<Orders> {
        length("exposures", exposures.len(), self.marginal.len())?;
        let by = |key: &dyn Fn(f64, f64) -> f64, values: &[f64]| {
            let keys: Vec<f64> = exposures.iter().zip(values).map(|(w, value)| key(*w, *value)).collect();
            descending(&keys)
        };
        Ok(Orders {
            component: descending(&self.component),
            marginal: by(&|exposure, marginal| exposure.signum() * marginal, &self.marginal),
            incremental: descending(&self.incremental),
            notional: by(&|exposure, _| exposure.abs(), &self.marginal),
        })
    }
}

/// Places by falling value.
fn descending(values: &[f64]) -> Vec<usize> {
    let at = |place: &usize| values.get(*place).copied().unwrap_or(f64::NAN);
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|a, b| at(b).total_cmp(&at(a)).then(a.cmp(b)));
    places
}

/// `Sigma x`.
pub fn covariance_with_book(covariance: &[f64], exposures: &[f64]) -> Vec<f64> {
    let size = exposures.len();
    (0..size)
        .map(|row| {
            let line = covariance.get(row * size..(row + 1) * size).unwrap_or(&[]);
            sum(line.iter().zip(exposures).map(|(c, w)| c * w))
        })
        .collect()
}

/// `sqrt(x' Sigma x)`; what rounding leaves below zero counts as zero.
pub fn book_volatility(covariance: &[f64], exposures: &[f64]) -> f64 {
    let with_book = covariance_with_book(covariance, exposures);
    sum(exposures.iter().zip(&with_book).map(|(w, c)| w * c)).max(0.0).sqrt()
}

/// Contributions of exposures (money, signed) with the covariance of their moves; `multiple` turns volatility into
/// risk: a normal quantile, or the expected shortfall of a law of volatility 1.
///
/// # Errors
///
/// [`Error::NoAnswer`] for a book without volatility; [`Error::OutOfRange`] for a number that is not finite or a
/// multiple that is not above zero; [`Error::Shape`] or [`Error::NoAnswer`] for a covariance that is not square and
/// symmetric.
pub fn contributions(exposures: &[f64], covariance: &[f64], multiple: f64) -> Result<Contributions> {
    finite("exposures", exposures)?;
    check_positive("multiple", multiple, Place::default)?;
    symmetric("covariance", covariance, exposures.len())?;
    let with_book = covariance_with_book(covariance, exposures);
    let volatility = book_volatility(covariance, exposures);
    let gross = book_volatility(
        &covariance.iter().map(|c| c.abs()).collect::<Vec<_>>(),
        &exposures.iter().map(|w| w.abs()).collect::<Vec<_>>(),
    );
    // a perfect hedge leaves the rounding of its legs
    if volatility * volatility <= 4.0 * f64::EPSILON * gross * gross {
        return Err(Error::NoAnswer {
            why: "exposures must have a volatility to have contributions, theirs was zero".into(),
        });
    }
    let total = multiple * volatility;
    let marginal: Vec<f64> = with_book.iter().map(|c| multiple * c / volatility).collect();
    let component = exposures.iter().zip(&marginal).map(|(w, m)| w * m).collect();
    let incremental = (0..exposures.len())
        .map(|left_out| {
            let others: Vec<f64> = exposures
                .iter()
                .enumerate()
                .map(|(index, w)| if index == left_out { 0.0 } else { *w })
                .collect();
            total - multiple * book_volatility(covariance, &others)
        })
        .collect();
    let own = covariance.iter().step_by(exposures.len() + 1);
    let stand_alone = exposures
        .iter()
        .zip(own)
        .map(|(w, variance)| multiple * w.abs() * variance.max(0.0).sqrt())
        .collect();
    let invested = sum(exposures.iter().copied());
    let beta = with_book.iter().map(|c| c / (volatility * volatility) * invested).collect();
    Ok(Contributions { total, component, marginal, incremental, stand_alone, beta })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_currencies_have_their_published_components() {
        // Jorion, methods.json var.jorion.component_165
        let found = contributions(&[2e6, 1e6], &[0.0025, 0.0, 0.0, 0.0144], 1.65).unwrap();
        assert!((found.total - 257_738.0).abs() < 1.0, "{found:?}");
        assert!((found.component[0] - 105_630.0).abs() < 2.0);
        assert!((found.component[1] - 152_108.0).abs() < 2.0);
        assert!((sum(found.component.iter().copied()) - found.total).abs() < 1e-9);
    }

    #[test]
    fn component_and_incremental_risk_differ() {
        // methods.json var.cad_usd_comp_vs_incr
        let found = contributions(&[6e6, 4e6], &[0.01, 0.0, 0.0, 0.04], 1.645).unwrap();
        assert!((found.component[0] - 592_200.0).abs() < 1e-6);
        assert!((found.incremental[0] - 329_000.0).abs() < 1e-6);
        assert!((found.stand_alone[1] - 1_316_000.0).abs() < 1e-6);
        // beta: 6e6 * 0.01 / 1e12 * 1e7
        assert!((found.beta[0] - 0.6).abs() < 1e-12);
    }

    #[test]
    fn three_definitions_give_three_orders() {
        // methods.json liq.risk_contribution_order
        let volatilities = [0.6, 0.6, 0.8];
        let correlation = [[1.0, 0.99, 0.8], [0.99, 1.0, 0.8], [0.8, 0.8, 1.0]];
        let covariance: Vec<f64> = (0..9)
            .map(|k| correlation[k / 3][k % 3] * volatilities[k / 3] * volatilities[k % 3] / 365.0)
            .collect();
        let exposures = [1e6, -9e5, 6e5];
        let found = contributions(&exposures, &covariance, 2.326_347_874_040_841).unwrap();
        assert!((found.total - 65_183.249_973_890_67).abs() < 1e-6, "{found:?}");
        let orders = found.orders(&exposures).unwrap();
        assert_eq!(orders.component, [0, 2, 1]);
        assert_eq!(orders.marginal, [2, 0, 1]);
        assert_eq!(orders.incremental, [2, 0, 1]);
        assert_eq!(orders.notional, [0, 1, 2]);
        assert!((sum(found.shares()) - 1.0).abs() < 1e-14);
        assert!(found.undiversified() > found.total);
        assert!(found.orders(&exposures[..2]).is_err());
    }

    #[test]
    fn marginal_risk_is_the_slope() {
        let covariance = [0.04, 0.01, 0.01, 0.09];
        let found = contributions(&[3.0, -1.0], &covariance, 2.0).unwrap();
        let step = 1e-6;
        let up = 2.0 * book_volatility(&covariance, &[3.0, -1.0 + step]);
        let down = 2.0 * book_volatility(&covariance, &[3.0, -1.0 - step]);
        assert!((found.marginal[1] - (up - down) / (2.0 * step)).abs() < 1e-8);
    }

    #[test]
    fn a_book_without_volatility_is_refused() {
        assert_eq!(
            contributions(&[0.3, -0.3], &[0.07; 4], 2.0).unwrap_err().to_string(),
            "exposures must have a volatility to have contributions, theirs was zero"
        );
    }
}
