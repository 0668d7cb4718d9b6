//! Betas of an asset to a market (methods.md section 3.7).

use super::check::{finite, length, outside};
use super::tail::quantile_weights;
use crate::error::{Error, Result, check_finite};
use crate::numeric::accumulate::sum;

/// Slope of the least-squares line: covariance over the variance of the market.
///
/// # Errors
///
/// [`Error::Shape`] for two lengths, [`Error::NoAnswer`] for fewer than two returns or a market that does not
/// vary, [`Error::OutOfRange`] for a return that is not finite.
pub fn beta(asset: &[f64], market: &[f64]) -> Result<f64> {
    finite("asset", asset)?;
    finite("market", market)?;
    length("asset", asset.len(), market.len())?;
    let count = market.len() as f64;
    if market.len() < 2 {
        return Err(Error::NoAnswer { why: format!("market must have at least 2 returns, had {count}") });
    }
    let (asset_mean, market_mean) = (sum(asset.iter().copied()) / count, sum(market.iter().copied()) / count);
    let variance = sum(market.iter().map(|value| (value - market_mean).powi(2)));
    if market.iter().all(|value| Some(value) == market.first()) || variance == 0.0 {
        return Err(Error::NoAnswer { why: "market must vary to have a beta, its variance was 0".into() });
    }
    let covariance = sum(asset.iter().zip(market).map(|(a, m)| (a - asset_mean) * (m - market_mean)));
    Ok(covariance / variance)
}

/// Beta over the days on which the market return lies below its own lower `quantile` (0.1 for the worst tenth).
///
/// # Errors
///
/// As [`beta`] for those days; [`Error::NoAnswer`] where the history is too short for the quantile.
pub fn downside_beta(asset: &[f64], market: &[f64], quantile: f64) -> Result<f64> {
    finite("asset", asset)?;
    length("asset", asset.len(), market.len())?;
    if !(quantile > 0.0 && quantile < 1.0) {
        return outside("quantile", quantile, "above 0 and below 1", None);
    }
    let losses: Vec<f64> = market.iter().map(|value| -value).collect();
    let bound = quantile_weights(&losses, None, 1.0 - quantile)?
        .first()
        .and_then(|(index, _)| market.get(*index).copied())
        .unwrap_or(f64::NEG_INFINITY);
    let (asset, market): (Vec<f64>, Vec<f64>) =
        asset.iter().zip(market).filter(|(_, value)| **value < bound).unzip();
    beta(&asset, &market)
}

/// Blume's adjusted beta, `0.67 beta + 0.33`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a beta that is not finite.
pub fn blume(beta: f64) -> Result<f64> {
    check_finite("beta", beta, crate::error::Place::default)?;
    Ok(0.67 * beta + 0.33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_beta_comes_out() {
        // methods.json beta
        let asset = [0.02, -0.03, 0.01, 0.04, -0.01];
        let market = [0.01, -0.02, 0.015, 0.025, -0.005];
        assert!((beta(&asset, &market).unwrap() - 1.48).abs() < 1e-12);
        assert!((blume(1.48).unwrap() - 1.3216).abs() < 1e-15);
    }

    #[test]
    fn a_line_that_is_steeper_in_falls_has_a_larger_downside_beta() {
        let market: Vec<f64> = (-50..50).map(|k| f64::from(k) / 1000.0).collect();
        let asset: Vec<f64> = market.iter().map(|m| if *m < 0.0 { 2.0 * m } else { 0.5 * m }).collect();
        assert!((downside_beta(&asset, &market, 0.1).unwrap() - 2.0).abs() < 1e-12);
        assert!(beta(&asset, &market).unwrap() < 2.0);
    }

    #[test]
    fn a_market_that_does_not_move_has_no_beta() {
        assert_eq!(
            beta(&[0.1, 0.2, 0.3], &[0.1, 0.1, 0.1]).unwrap_err().to_string(),
            "market must vary to have a beta, its variance was 0"
        );
        assert_eq!(
            beta(&[0.1], &[0.1]).unwrap_err().to_string(),
            "market must have at least 2 returns, had 1"
        );
        assert_eq!(
            downside_beta(&[0.1; 5], &[0.1; 5], 0.1).unwrap_err().to_string(),
            "5 scenarios are too few for a confidence of 0.9: at least 10 are needed"
        );
    }
}
