//! The correlation matrix nearest to a symmetric matrix (Higham 2002; methods.md section 3.3).

use super::check::{entry, outside, symmetric};
use super::eigen::decompose;
use crate::error::{Error, Result};
use crate::numeric::accumulate::sum;

/// Steps of the alternating projections; convergence is linear, 25 to 40 steps are usual at size 100.
const STEPS: usize = 20_000;
/// The projections stop when a step moves the matrix by no more than this part of its size.
const STILL: f64 = 1e-14;
/// Eigenvalues of a correlation matrix that are below zero by no more than this are rounding.
const ROUNDING: f64 = 1e-14;

/// A correlation matrix and how far it is from the one that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// The matrix, row by row.
    pub correlation: Vec<f64>,
    /// Frobenius norm of the difference to the matrix given.
    pub distance: f64,
    /// Steps of the projections; 0 for a correlation matrix, which stays what it is.
    pub iterations: usize,
}

/// The correlation matrix nearest to a symmetric matrix in the Frobenius norm, by alternating projections with
/// Dykstra's correction; without the correction they end at another matrix.
///
/// The nearest matrix is singular where the one given is not positive semidefinite. With `smallest_eigenvalue`
/// above 0 lower eigenvalues are raised to it at the end and the diagonal is scaled back to ones, for what needs a
/// matrix that can be inverted; with 0 nothing is done.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a `smallest_eigenvalue` outside [0, 1) or an entry that is not finite,
/// [`Error::Shape`] or [`Error::NoAnswer`] for a matrix that is not square and symmetric or projections that do
/// not come to rest.
pub fn nearest_correlation(matrix: &[f64], size: usize, smallest_eigenvalue: f64) -> Result<Nearest> {
    symmetric("matrix", matrix, size)?;
    if !(0.0..1.0).contains(&smallest_eigenvalue) {
        return outside("smallest_eigenvalue", smallest_eigenvalue, "at least 0 and below 1", None);
    }
    let (mut correlation, iterations) = project(matrix, size)?;
    if smallest_eigenvalue > 0.0 {
        correlation = raised(&correlation, size, smallest_eigenvalue)?;
    }
    let distance = norm(&difference(&correlation, matrix));
    Ok(Nearest { correlation, distance, iterations })
}

/// A correlation matrix by the spectral method (Rebonato and Jaeckel 1999): eigenvalues are raised to
/// `smallest_eigenvalue` once, then the diagonal is scaled to ones.
///
/// Hundreds of times faster than [`nearest_correlation`], but not the nearest matrix; scaling may leave eigenvalues
/// a little below the floor. A correlation matrix whose eigenvalues are all above it stays what it is.
///
/// # Errors
///
/// As [`nearest_correlation`]; [`Error::NoAnswer`] where a row keeps no variance.
pub fn spectral_correlation(matrix: &[f64], size: usize, smallest_eigenvalue: f64) -> Result<Nearest> {
    symmetric("matrix", matrix, size)?;
    if !(0.0..1.0).contains(&smallest_eigenvalue) {
        return outside("smallest_eigenvalue", smallest_eigenvalue, "at least 0 and below 1", None);
    }
    let found = decompose(matrix, size)?;
    let whole = found.values.first().is_none_or(|lowest| *lowest >= smallest_eigenvalue);
    if whole && with_unit_diagonal(matrix, size) == matrix {
        return Ok(Nearest { correlation: matrix.to_vec(), distance: 0.0, iterations: 0 });
    }
    let clipped = found.recompose(|value| value.max(smallest_eigenvalue));
    if let Some(row) = (0..size).find(|row| entry(&clipped, size, *row, *row) <= 0.0) {
        return Err(Error::NoAnswer {
            why: format!(
                "row {row} of the matrix has no variance left once negative eigenvalues are cut off"
            ),
        });
    }
    let correlation = scaled_to_ones(&clipped, size);
    let distance = norm(&difference(&correlation, matrix));
    Ok(Nearest { correlation, distance, iterations: 1 })
}

/// The projections, and in how many steps they came to rest.
fn project(matrix: &[f64], size: usize) -> Result<(Vec<f64>, usize)> {
    let lowest = |matrix: &[f64]| Ok(decompose(matrix, size)?.values.first().copied().unwrap_or(0.0));
    let mut on_diagonal = with_unit_diagonal(matrix, size);
    if on_diagonal == matrix && lowest(matrix)? >= -ROUNDING * size as f64 {
        return Ok((on_diagonal, 0));
    }
    on_diagonal.copy_from_slice(matrix);
    let mut correction = vec![0.0; matrix.len()];
    for step in 1..=STEPS {
        let corrected = difference(&on_diagonal, &correction);
        let semidefinite = decompose(&corrected, size)?.recompose(|value| value.max(0.0));
        correction = difference(&semidefinite, &corrected);
        let next = with_unit_diagonal(&semidefinite, size);
        let moved = norm(&difference(&next, &on_diagonal));
        let apart = norm(&difference(&next, &semidefinite));
        let scale = STILL * norm(&next) * size as f64;
        on_diagonal = next;
        if moved <= scale && apart <= scale.max(1e-12) {
            let within = on_diagonal.iter().map(|value| value.clamp(-1.0, 1.0)).collect();
            return Ok((within, step));
        }
    }
    Err(Error::NoAnswer { why: format!("the nearest correlation matrix was not found in {STEPS} steps") })
}

/// Eigenvalues raised to a floor, then the diagonal scaled to ones; scaling lowers them a little again, so the
/// floor is raised until it holds.
fn raised(correlation: &[f64], size: usize, floor: f64) -> Result<Vec<f64>> {
    let mut matrix = correlation.to_vec();
    let mut target = floor;
    for _ in 0..100 {
        let found = decompose(&matrix, size)?;
        if found.values.first().is_none_or(|lowest| *lowest >= floor) {
            return Ok(matrix);
        }
        let clipped = found.recompose(|value| value.max(target));
        matrix = scaled_to_ones(&clipped, size);
        target *= 1.0 + 1e-3;
    }
    Err(Error::NoAnswer {
        why: format!("no correlation matrix near this one has eigenvalues of {floor} at least"),
    })
}

/// The matrix divided by the roots of its diagonal, so that the diagonal is ones to the bit.
fn scaled_to_ones(matrix: &[f64], size: usize) -> Vec<f64> {
    let scale: Vec<f64> = (0..size).map(|k| entry(matrix, size, k, k).sqrt().recip()).collect();
    let scaled: Vec<f64> = matrix
        .chunks_exact(size)
        .zip(&scale)
        .flat_map(|(line, mine)| {
            line.iter().zip(&scale).map(move |(value, other)| (value * mine * other).clamp(-1.0, 1.0))
        })
        .collect();
    with_unit_diagonal(&scaled, size)
}

fn with_unit_diagonal(matrix: &[f64], size: usize) -> Vec<f64> {
    let mut changed = matrix.to_vec();
    for value in changed.iter_mut().step_by(size + 1) {
        *value = 1.0;
    }
    changed
}

fn difference(matrix: &[f64], other: &[f64]) -> Vec<f64> {
    matrix.iter().zip(other).map(|(a, b)| a - b).collect()
}

fn norm(matrix: &[f64]) -> f64 {
    sum(matrix.iter().map(|value| value * value)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::smallest_eigenvalue;
    use super::*;

    #[test]
    fn the_published_three_by_three_example_comes_out() {
        // Higham (2002), section 4: distance 0.5278; closed form in methods.json ncm.higham3
        let found = nearest_correlation(&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0], 3, 0.0).unwrap();
        assert!((found.correlation[1] - 0.760_689_853_402_334_6).abs() < 1e-12, "{found:?}");
        assert!((found.correlation[2] - 0.157_298_106_138_352_02).abs() < 1e-12, "{found:?}");
        assert!((found.distance - 0.527_790_463_581_721_9).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_matrix_with_another_diagonal_is_projected() {
        // NAG g02aa example, methods.json ncm.nag.g02aa
        let chain = [2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0];
        let found = nearest_correlation(&chain, 4, 0.0).unwrap();
        for (position, expected) in [
            (1, -0.808_412_498_149_318_6),
            (2, 0.191_587_501_850_681_38),
            (3, 0.106_775_049_025_510_92),
            (6, -0.656_232_694_806_675_9),
        ] {
            assert!((found.correlation[position] - expected).abs() < 1e-11, "{position} {found:?}");
        }
        assert!((found.distance - 2.133_729_108_708_891_4).abs() < 1e-11);
    }

    #[test]
    fn a_correlation_matrix_stays_to_the_bit_also_a_singular_one() {
        for matrix in [vec![1.0, 0.3, 0.3, 1.0], vec![1.0; 9], vec![1.0, -1.0, -1.0, 1.0]] {
            let size = if matrix.len() == 9 { 3 } else { 2 };
            let found = nearest_correlation(&matrix, size, 0.0).unwrap();
            assert_eq!(found, Nearest { correlation: matrix, distance: 0.0, iterations: 0 });
        }
    }

    #[test]
    fn the_nearest_matrix_is_its_own_nearest() {
        let first = nearest_correlation(&[1.0, 0.9, -0.9, 0.9, 1.0, 0.9, -0.9, 0.9, 1.0], 3, 0.0).unwrap();
        let second = nearest_correlation(&first.correlation, 3, 0.0).unwrap();
        assert!(second.distance < 1e-12, "{second:?}");
        assert!(smallest_eigenvalue(&first.correlation, 3).unwrap() > -1e-12);
    }

    #[test]
    fn eigenvalues_are_raised_where_asked() {
        let matrix = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let found = nearest_correlation(&matrix, 3, 1e-3).unwrap();
        assert!(smallest_eigenvalue(&found.correlation, 3).unwrap() >= 1e-3);
        assert_eq!(found.correlation[0], 1.0);
    }

    #[test]
    fn the_spectral_method_cuts_and_scales_and_is_not_the_nearest() {
        // eigenvalues of [[1, 1, 0], [1, 1, 1], [0, 1, 1]] are 1 - sqrt 2, 1 and 1 + sqrt 2; without the first the
        // diagonal is d = 1/2 + (1 + sqrt 2)/4 at the ends and m = (1 + sqrt 2)/2 in the middle
        let root = 2.0_f64.sqrt();
        let (ends, middle) = (0.5 + (1.0 + root) / 4.0, (1.0 + root) / 2.0);
        let (beside, across) = ((1.0 + root) * root / 4.0, (1.0 + root) / 4.0 - 0.5);
        let given = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let found = spectral_correlation(&given, 3, 0.0).unwrap();
        assert!((found.correlation[1] - beside / (ends * middle).sqrt()).abs() < 1e-14, "{found:?}");
        assert!((found.correlation[2] - across / ends).abs() < 1e-14, "{found:?}");
        assert!(found.distance > nearest_correlation(&given, 3, 0.0).unwrap().distance);
        let whole = [1.0, 0.3, 0.3, 1.0];
        assert_eq!(spectral_correlation(&whole, 2, 0.0).unwrap().correlation, whole);
        assert_eq!(
            spectral_correlation(&[-1.0, 0.0, 0.0, 1.0], 2, 0.0).unwrap_err().to_string(),
            "row 0 of the matrix has no variance left once negative eigenvalues are cut off"
        );
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        assert_eq!(
            nearest_correlation(&[1.0], 1, 1.0).unwrap_err().to_string(),
            "smallest_eigenvalue must be at least 0 and below 1, was 1"
        );
        assert_eq!(
            nearest_correlation(&[1.0, 0.2, 0.1, 1.0], 2, 0.0).unwrap_err().to_string(),
            "matrix must be symmetric: row 1, column 0 was 0.1, and row 0, column 1 was 0.2"
        );
    }
}
