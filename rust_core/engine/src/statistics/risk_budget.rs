//! Long weights whose risk is shared out as asked (methods.md section 7).

use super::check::{at, entry, outside, symmetric};
use crate::error::{Error, Result, check_positive};
use crate::numeric::accumulate::sum;

/// Sweeps over the weights; a few dozen are usual.
const SWEEPS: usize = 100_000;
/// How far a share of the risk may be from its budget.
const STILL: f64 = 1e-14;

/// Weights above zero, summing to 1, whose contributions to the volatility are in proportion to `budgets`.
///
/// They minimise `x' Sigma x / 2 - sum b_i ln x_i` (Spinu 2013), which is convex, by one coordinate after the other
/// (Griveau-Billion, Richard and Roncalli 2013): `sigma_ii x_i^2 + x_i sum_{j != i} sigma_ij x_j = b_i`. Equal budgets
/// give the portfolio of equal risk contributions.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a budget or variance that is not above zero; [`Error::Shape`] or [`Error::NoAnswer`] for
/// a covariance that is not square and symmetric, or weights that do not come to rest: where some mixture of the
/// assets has no volatility.
pub fn risk_budget_weights(covariance: &[f64], budgets: &[f64]) -> Result<Vec<f64>> {
    let size = budgets.len();
    symmetric("covariance", covariance, size)?;
    for (index, budget) in budgets.iter().enumerate() {
        check_positive("budgets", *budget, || at(index))?;
        let variance = entry(covariance, size, index, index);
        if variance <= 0.0 {
            return outside("variance", variance, "above 0", Some(index));
        }
    }
    let all = sum(budgets.iter().copied());
    let shares: Vec<f64> = budgets.iter().map(|budget| budget / all).collect();
    let mut sizes: Vec<f64> = shares
        .iter()
        .enumerate()
        .map(|(index, share)| (share / entry(covariance, size, index, index)).sqrt())
        .collect();
    for _ in 0..SWEEPS {
        let mut apart = 0.0_f64;
        for (index, share) in shares.iter().enumerate() {
            let line = covariance.get(index * size..(index + 1) * size).unwrap_or(&[]);
            let own = entry(covariance, size, index, index);
            let before = sizes.get(index).copied().unwrap_or(0.0);
            let others = sum(line.iter().zip(&sizes).map(|(c, x)| c * x)) - own * before;
            apart = apart.max((before * (others + own * before) - share).abs());
            // of the two forms of the root the one without cancellation
            let root = (others * others + 4.0 * own * share).sqrt();
            let found =
                if others > 0.0 { 2.0 * share / (others + root) } else { (root - others) / (2.0 * own) };
            if let Some(place) = sizes.get_mut(index) {
                *place = found;
            }
        }
        if apart <= STILL {
            let total = sum(sizes.iter().copied());
            return Ok(sizes.iter().map(|x| x / total).collect());
        }
    }
    Err(Error::NoAnswer {
        why: format!(
            "weights with these shares of the risk were not found in {SWEEPS} sweeps: a mixture of the assets may \
             have no volatility"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_assets_weigh_the_inverse_of_their_volatility_whatever_their_correlation() {
        for rho in [-0.9, -0.3, 0.0, 0.6, 0.99] {
            let covariance = [0.04, rho * 0.2 * 0.5, rho * 0.2 * 0.5, 0.25];
            let found = risk_budget_weights(&covariance, &[1.0, 1.0]).unwrap();
            assert!((found[0] - 5.0 / 7.0).abs() < 1e-12, "{rho} {found:?}");
            assert!((sum(found.iter().copied()) - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn shares_of_the_risk_are_the_budgets() {
        let covariance = [0.09, 0.03, -0.01, 0.03, 0.25, 0.04, -0.01, 0.04, 0.16];
        let weights = risk_budget_weights(&covariance, &[0.5, 0.3, 0.2]).unwrap();
        let found = super::super::contributions(&weights, &covariance, 1.0).unwrap().shares();
        for (share, budget) in found.iter().zip([0.5, 0.3, 0.2]) {
            assert!((share - budget).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn what_has_no_weights_is_refused() {
        assert_eq!(
            risk_budget_weights(&[0.04, 0.0, 0.0, 0.04], &[1.0, 0.0]).unwrap_err().to_string(),
            "budgets must be finite and above zero, was 0 (index 1)"
        );
        assert_eq!(
            risk_budget_weights(&[0.04, 0.0, 0.0, 0.0], &[1.0, 1.0]).unwrap_err().to_string(),
            "variance must be above 0, was 0 (index 1)"
        );
        // a perfect hedge: the weights would grow for ever
        assert!(risk_budget_weights(&[1.0, -1.0, -1.0, 1.0], &[1.0, 1.0]).is_err());
    }
}
