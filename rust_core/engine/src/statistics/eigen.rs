//! Eigenvalues and eigenvectors of symmetric matrices, in one order and with one sign.
//!
//! The factorisation is nalgebra's, compiled without the matrix products that choose their code by the CPU, so
//! that the same matrix gives the same bits everywhere.

use nalgebra::{DMatrix, SymmetricEigen};

use super::check::symmetric;
use crate::error::{Error, Result};
use crate::numeric::accumulate::sum;

/// Eigenvalues beyond this part of the largest one below zero are not rounding.
const ROUNDING: f64 = 1e-10;

/// `matrix = sum value_k vector_k vector_k'`; the smallest value first.
pub(super) struct Decomposition {
    pub(super) values: Vec<f64>,
    /// Vectors of length 1; the component of largest size of each is positive.
    pub(super) vectors: Vec<Vec<f64>>,
}

/// Decomposes a matrix that is known to be square, finite and symmetric.
pub(super) fn decompose(matrix: &[f64], size: usize) -> Result<Decomposition> {
    let limit = 200 * size.max(10);
    let mirrored = DMatrix::from_row_slice(size, size, matrix);
    let Some(found) = SymmetricEigen::try_new(mirrored, f64::EPSILON, limit) else {
        return Err(Error::NoAnswer {
            why: format!("the eigenvalues of a matrix of size {size} were not found in {limit} steps"),
        });
    };
    let mut pairs: Vec<(f64, Vec<f64>)> = found
        .eigenvalues
        .iter()
        .zip(found.eigenvectors.column_iter())
        .map(|(value, vector)| (*value, signed(vector.iter().copied().collect())))
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (values, vectors) = pairs.into_iter().unzip();
    Ok(Decomposition { values, vectors })
}

/// The vector or its opposite, so that its first component of largest size is positive.
fn signed(mut vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().fold(
        0.0_f64,
        |largest: f64, value| {
            if value.abs() > largest.abs() { *value } else { largest }
        },
    );
    if largest < 0.0 {
        for value in &mut vector {
            *value = -*value;
        }
    }
    vector
}

impl Decomposition {
    /// `sum f(value_k) vector_k vector_k'`, row by row.
    pub(super) fn recompose(&self, value_of: impl Fn(f64) -> f64) -> Vec<f64> {
        let size = self.values.len();
        let values: Vec<f64> = self.values.iter().map(|value| value_of(*value)).collect();
        let component = |vector: &Vec<f64>, index: usize| vector.get(index).copied().unwrap_or(0.0);
        let mut matrix = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let entry = sum(values
                    .iter()
                    .zip(&self.vectors)
                    .filter(|(value, _)| **value != 0.0)
                    .map(|(value, vector)| value * component(vector, row) * component(vector, column)));
                for position in [row * size + column, column * size + row] {
                    if let Some(place) = matrix.get_mut(position) {
                        *place = entry;
                    }
                }
            }
        }
        matrix
    }
}

/// The smallest eigenvalue of a symmetric matrix; below zero where it is no covariance.
///
/// # Errors
///
/// [`Error::Shape`] or [`Error::NoAnswer`] for a matrix that is not square and symmetric, [`Error::OutOfRange`]
/// for an entry that is not finite.
pub fn smallest_eigenvalue(matrix: &[f64], size: usize) -> Result<f64> {
    symmetric("matrix", matrix, size)?;
    Ok(decompose(matrix, size)?.values.first().copied().unwrap_or(0.0))
}

/// `L = U sqrt(Lambda)` with `L L' = covariance`, row by row; for drawing moves `L z` (methods.md section 2.3).
///
/// Columns go from the largest eigenvalue to the smallest, the component of largest size in each is positive. A
/// singular matrix has columns of zeros, which a Cholesky root does not survive.
///
/// # Errors
///
/// [`Error::NoAnswer`] for an eigenvalue below zero by more than 1e-10 of the largest one; else as
/// [`smallest_eigenvalue`].
pub fn factor_root(covariance: &[f64], size: usize) -> Result<Vec<f64>> {
    symmetric("covariance", covariance, size)?;
    let found = decompose(covariance, size)?;
    let largest = found.values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let lowest = found.values.first().copied().unwrap_or(0.0);
    if lowest < -ROUNDING * largest {
        return Err(Error::NoAnswer {
            why: format!("covariance must have no negative eigenvalue, its smallest was {lowest:e}"),
        });
    }
    let mut root = vec![0.0; size * size];
    for (column, (value, vector)) in found.values.iter().zip(&found.vectors).rev().enumerate() {
        // what is left of a zero after rounding would add a direction that the matrix does not have
        let scale = if *value > f64::EPSILON * largest * size as f64 { value.sqrt() } else { 0.0 };
        for (row, component) in vector.iter().enumerate() {
            if let Some(place) = root.get_mut(row * size + column) {
                *place = component * scale;
            }
        }
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(root: &[f64], size: usize) -> Vec<f64> {
        let entry = |row: usize, column: usize| {
            (0..size).map(|k| root[row * size + k] * root[column * size + k]).sum::<f64>()
        };
        (0..size * size).map(|position| entry(position / size, position % size)).collect()
    }

    #[test]
    fn eigenvalues_of_a_chain_are_cosines() {
        // 2 on the diagonal, -1 beside it: 2 - 2 cos(k pi / (n + 1))
        for size in [2_usize, 3, 5, 20, 60] {
            let matrix: Vec<f64> = (0..size * size)
                .map(|position| match (position / size).abs_diff(position % size) {
                    0 => 2.0,
                    1 => -1.0,
                    _ => 0.0,
                })
                .collect();
            let found = decompose(&matrix, size).unwrap();
            for (k, value) in found.values.iter().enumerate() {
                let angle = std::f64::consts::PI * (k + 1) as f64 / (size + 1) as f64;
                assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "{size} {k} {value}");
            }
        }
    }

    #[test]
    fn a_root_gives_its_matrix_back() {
        for size in [1_usize, 2, 3, 7, 30] {
            let factors: Vec<f64> = (0..size * size).map(|i| (i as f64 * 0.7311).sin() * 0.03).collect();
            let matrix = product(&factors, size);
            let root = factor_root(&matrix, size).unwrap();
            for (found, expected) in product(&root, size).iter().zip(&matrix) {
                assert!((found - expected).abs() < 1e-16 * size as f64 + 1e-17, "{size}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_singular_matrix_has_a_root_with_columns_of_zeros() {
        for size in [2_usize, 3, 8] {
            let root = factor_root(&vec![0.04; size * size], size).unwrap();
            for row in root.chunks(size) {
                assert!((row[0] - 0.2).abs() < 1e-15, "{row:?}");
                assert!(row[1..].iter().all(|entry| *entry == 0.0), "{row:?}");
            }
        }
        assert_eq!(factor_root(&[0.0; 4], 2).unwrap(), vec![0.0; 4]);
    }

    #[test]
    fn a_matrix_that_is_no_covariance_is_refused() {
        let why = factor_root(&[1.0, 2.0, 2.0, 1.0], 2).unwrap_err().to_string();
        assert!(why.starts_with("covariance must have no negative eigenvalue, its smallest was -"), "{why}");
        assert!((smallest_eigenvalue(&[1.0, 2.0, 2.0, 1.0], 2).unwrap() + 1.0).abs() < 1e-15);
        assert_eq!(
            factor_root(&[1.0, 0.5, 0.4, 1.0], 2).unwrap_err().to_string(),
            "covariance must be symmetric: row 1, column 0 was 0.4, and row 0, column 1 was 0.5"
        );
    }
}
