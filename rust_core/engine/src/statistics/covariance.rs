//! Covariances of returns: sample, exponentially weighted, shrunk (methods.md sections 3.1 and 3.2).
//!
//! Returns are one row per date, the oldest first, and one column per factor.

use super::check::{decay as check_decay, entry, finite, rows, symmetric};
use super::correlation::{correlation_of, covariance_of};
use crate::error::{Error, Result};
use crate::numeric::accumulate::sum;

/// What returns are measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// Zero, and the sum is divided by the number of dates: a trend over days is noise.
    Zero,
    /// Their own mean, and the sum is divided by one less than the number of dates.
    Sample,
}

/// A covariance or correlation matrix moved towards the identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// How far it was moved, from 0 to 1.
    pub intensity: f64,
    /// The matrix, row by row.
    pub covariance: Vec<f64>,
}

/// Covariance of returns, row by row.
///
/// # Errors
///
/// [`Error::Shape`] for a table that is not made of whole rows, [`Error::NoAnswer`] for too few of them (one, or
/// two where the mean is their own), [`Error::OutOfRange`] for a return that is not finite.
pub fn sample_covariance(returns: &[f64], factors: usize, mean: Mean) -> Result<Vec<f64>> {
    match mean {
        Mean::Zero => {
            let count = rows("returns", returns, factors, 1)?;
            Ok(second_moments(returns, factors, count as f64))
        }
        Mean::Sample => {
            let count = rows("returns", returns, factors, 2)?;
            Ok(second_moments(&centred(returns, factors), factors, count as f64 - 1.0))
        }
    }
}

/// Exponentially weighted covariance `Sigma <- decay Sigma + (1 - decay) r r'`, mean zero, one decay for the whole
/// matrix, which keeps it positive semidefinite. It starts from the covariance of the first `start` rows.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1); [`Error::NoAnswer`] for fewer rows than `start` or a `start`
/// of 0; else as [`sample_covariance`].
pub fn ewma_covariance(returns: &[f64], factors: usize, decay: f64, start: usize) -> Result<Vec<f64>> {
    check_decay(decay)?;
    if start == 0 {
        return Err(Error::NoAnswer { why: "start must be at least 1 row, was 0".into() });
    }
    rows("returns", returns, factors, start)?;
    let (first, rest) = returns.split_at((start * factors).min(returns.len()));
    let mut covariance = second_moments(first, factors, start as f64);
    for latest in rest.chunks_exact(factors) {
        advance(&mut covariance, latest, decay);
    }
    Ok(covariance)
}

/// One step of the exponentially weighted covariance with the latest returns.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a decay outside (0, 1) or a number that is not finite; [`Error::Shape`] or
/// [`Error::NoAnswer`] for a covariance that is not square and symmetric.
pub fn ewma_update(covariance: &[f64], latest: &[f64], decay: f64) -> Result<Vec<f64>> {
    check_decay(decay)?;
    finite("latest", latest)?;
    symmetric("covariance", covariance, latest.len())?;
    let mut updated = covariance.to_vec();
    advance(&mut updated, latest, decay);
    Ok(updated)
}

fn advance(covariance: &mut [f64], latest: &[f64], decay: f64) {
    let size = latest.len();
    for (line, mine) in covariance.chunks_exact_mut(size).zip(latest) {
        for (value, other) in line.iter_mut().zip(latest) {
            *value = decay * *value + (1.0 - decay) * (mine * other);
        }
    }
}

/// Ledoit and Wolf's (2004) shrinkage of the mean-centred `1/n` covariance towards `mu I`, `mu` the mean variance.
///
/// Large variances fall and small ones rise; for margins shrink the correlation, see [`ledoit_wolf_correlation`].
///
/// # Errors
///
/// As [`sample_covariance`] with two rows at least.
pub fn ledoit_wolf(returns: &[f64], factors: usize) -> Result<Shrunk> {
    rows("returns", returns, factors, 2)?;
    Ok(shrunk(&centred(returns, factors), factors))
}

/// The same shrinkage of the correlation matrix: returns are first divided by their volatility, so that
/// variances stay what they are (methods.md section 3.2).
///
/// # Errors
///
/// [`Error::NoAnswer`] for a constant series, named by its column; else as [`ledoit_wolf`].
pub fn ledoit_wolf_correlation(returns: &[f64], factors: usize) -> Result<Shrunk> {
    let count = rows("returns", returns, factors, 2)?;
    let centred = centred(returns, factors);
    let (volatilities, _) = correlation_of(&second_moments(&centred, factors, count as f64), factors)?;
    let scaled: Vec<f64> = centred
        .chunks_exact(factors)
        .flat_map(|row| row.iter().zip(&volatilities).map(|(value, volatility)| value / volatility))
        .collect();
    let shrunk = shrunk(&scaled, factors);
    // a diagonal of ones to the bit
    let (_, correlation) = correlation_of(&shrunk.covariance, factors)?;
    Ok(Shrunk { intensity: shrunk.intensity, covariance: covariance_of(&vec![1.0; factors], &correlation)? })
}

/// Shrinks the second moments of rows that are centred.
fn shrunk(centred: &[f64], factors: usize) -> Shrunk {
    let count = (centred.len() / factors) as f64;
    let sample = second_moments(centred, factors, count);
    let mu = sum((0..factors).map(|k| entry(&sample, factors, k, k))) / factors as f64;
    let target = |position: usize| if position / factors == position % factors { mu } else { 0.0 };
    let distance = sum(sample.iter().enumerate().map(|(k, value)| (value - target(k)).powi(2)));
    let spread = sum(centred.chunks_exact(factors).flat_map(|row| {
        let products = row.iter().flat_map(move |mine| row.iter().map(move |other| mine * other));
        products.zip(&sample).map(|(product, value)| (product - value).powi(2))
    })) / (count * count);
    // a multiple of the identity has nothing to be moved
    let intensity = if distance > 0.0 { spread.min(distance) / distance } else { 0.0 };
    let covariance = sample
        .iter()
        .enumerate()
        .map(|(k, value)| (1.0 - intensity) * value + intensity * target(k))
        .collect();
    Shrunk { intensity, covariance }
}

/// Rows less the mean of their columns.
fn centred(returns: &[f64], factors: usize) -> Vec<f64> {
    let count = (returns.len() / factors) as f64;
    let means: Vec<f64> = (0..factors)
        .map(|column| sum(returns.iter().skip(column).step_by(factors).copied()) / count)
        .collect();
    returns
        .chunks_exact(factors)
        .flat_map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean))
        .collect()
}

/// `sum r r' / divisor`, row by row.
fn second_moments(returns: &[f64], factors: usize, divisor: f64) -> Vec<f64> {
    let column = |k: usize| returns.iter().skip(k).step_by(factors);
    let mut moments = vec![0.0; factors * factors];
    for row in 0..factors {
        for other in 0..=row {
            let value = sum(column(row).zip(column(other)).map(|(a, b)| a * b)) / divisor;
            for position in [row * factors + other, other * factors + row] {
                if let Some(place) = moments.get_mut(position) {
                    *place = value;
                }
            }
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    /// methods.json lw.identity
    const RETURNS: [f64; 24] = [
        0.012, 0.02, -0.004, -0.031, -0.04, -0.01, 0.008, 0.015, 0.022, 0.002, -0.006, 0.001, -0.015, -0.022,
        0.004, 0.027, 0.031, 0.012, -0.004, 0.003, -0.018, 0.01, 0.012, 0.007,
    ];

    fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() <= tolerance, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn the_published_shrinkage_towards_the_identity_comes_out() {
        // scikit-learn 1.x LedoitWolf, printed in methods.json
        let found = ledoit_wolf(&RETURNS, 3).unwrap();
        assert!((found.intensity - 0.329_450_183_605_516_14).abs() < 1e-12, "{}", found.intensity);
        let expected = [
            0.000_285_720_685_194_958_6,
            0.000_238_747_166_659_079_75,
            6.959_049_813_269_002e-5,
            0.000_238_747_166_659_079_75,
            0.000_420_249_742_109_102,
            7.839_146_447_286_763e-5,
            6.959_049_813_269_002e-5,
            7.839_146_447_286_763e-5,
            0.000_191_560_822_695_939_44,
        ];
        close(&found.covariance, &expected, 1e-12);
    }

    #[test]
    fn shrinking_the_correlation_keeps_a_diagonal_of_ones_and_one_factor_for_the_rest() {
        let found = ledoit_wolf_correlation(&RETURNS, 3).unwrap();
        let sample = sample_covariance(&RETURNS, 3, Mean::Sample).unwrap();
        let (_, correlation) = correlation_of(&sample, 3).unwrap();
        for (k, value) in correlation.iter().enumerate() {
            let expected = if k % 4 == 0 { 1.0 } else { (1.0 - found.intensity) * value };
            assert!((found.covariance[k] - expected).abs() < 1e-15, "{k}");
        }
        assert!(found.intensity > 0.0 && found.intensity < 1.0);
    }

    #[test]
    fn covariances_of_two_rows_are_written_down() {
        let returns = [0.01, 0.02, -0.03, 0.04];
        close(
            &sample_covariance(&returns, 2, Mean::Zero).unwrap(),
            &[0.0005, -0.0005, -0.0005, 0.001],
            1e-18,
        );
        close(
            &sample_covariance(&returns, 2, Mean::Sample).unwrap(),
            &[0.0008, -0.0004, -0.0004, 0.0002],
            1e-18,
        );
    }

    #[test]
    fn the_recursion_is_the_weighted_sum_that_it_stands_for() {
        let (decay, start) = (0.94_f64, 3);
        let found = ewma_covariance(&RETURNS, 3, decay, start).unwrap();
        let rest = 8 - start;
        for row in 0..3 {
            for column in 0..3 {
                let product = |date: usize| RETURNS[3 * date + row] * RETURNS[3 * date + column];
                let first: f64 = (0..start).map(product).sum::<f64>() / start as f64;
                let later: f64 =
                    (0..rest).map(|age| (1.0 - decay) * decay.powi(age as i32) * product(7 - age)).sum();
                let expected = decay.powi(rest as i32) * first + later;
                assert!((found[3 * row + column] - expected).abs() < 1e-18, "{row} {column}");
            }
        }
        let updated =
            ewma_update(&ewma_covariance(&RETURNS[..21], 3, decay, start).unwrap(), &RETURNS[21..], decay);
        assert_eq!(updated.unwrap(), found);
    }

    #[test]
    fn a_step_gives_the_published_correlation() {
        // methods.json ewma.corr_update
        let updated = ewma_update(&[0.0016, 0.0012, 0.0012, 0.0025], &[0.05, -0.04], 0.97).unwrap();
        let (_, correlation) = correlation_of(&updated, 2).unwrap();
        assert!((correlation[1] - 0.550_380_753_855_634_3).abs() < 1e-12);
    }

    #[test]
    fn what_gives_no_covariance_is_refused() {
        let why = |found: Result<Vec<f64>>| found.unwrap_err().to_string();
        assert_eq!(why(ewma_covariance(&RETURNS, 3, 1.0, 1)), "decay must be above 0 and below 1, was 1");
        assert_eq!(why(ewma_covariance(&RETURNS, 3, 0.9, 0)), "start must be at least 1 row, was 0");
        assert_eq!(why(ewma_covariance(&RETURNS, 3, 0.9, 9)), "returns must have at least 9 rows, had 8");
        assert_eq!(
            why(sample_covariance(&RETURNS[..3], 3, Mean::Sample)),
            "returns must have at least 2 rows, had 1"
        );
        assert_eq!(
            why(sample_covariance(&[0.1, f64::INFINITY], 1, Mean::Zero)),
            "returns must be a finite number, was inf (row 1, column 0)"
        );
        let constant = [0.01, 0.5, 0.02, 0.5, 0.05, 0.5];
        assert_eq!(
            ledoit_wolf_correlation(&constant, 2).unwrap_err().to_string(),
            "a series must vary to have a correlation: the variance at index 1 was 0"
        );
    }
}
