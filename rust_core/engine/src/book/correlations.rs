//! Correlations as given, checked and put in the order of the book's instruments.

use super::build::Input;
use super::collect::Collected;
use crate::error::{Error, Result};
use crate::instrument::Instrument;
use crate::statistics::smallest_eigenvalue;

/// Correlations in the order of the book's instruments.
pub(super) fn correlations(
    input: &Input<'_>,
    collected: &Collected,
    instruments: &[Instrument],
    rank: &[usize],
) -> Result<Option<Vec<f64>>> {
    let Some(given) = input.correlations else { return Ok(None) };
    let expected = collected.positions.instruments.len();
    if given.len() != expected || given.iter().any(|row| row.len() != expected) {
        return Err(Error::Shape { name: "correlations".into(), found: given.len(), expected });
    }
    let size = instruments.len();
    let mut matrix = vec![0.0; size * size];
    for index in 0..size {
        matrix[index * size + index] = 1.0;
    }
    for (row, values) in given.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let symmetric = given.get(column).and_then(|other| other.get(row)) == Some(value);
            let unit = row != column || *value == 1.0_f64;
            if !(value.is_finite() && value.abs() <= 1.0 && symmetric && unit) {
                return Err(Error::OutOfRange {
                    name: "correlation".into(),
                    value: *value,
                    must_be: "between -1 and 1, the same on both sides of the diagonal, and 1 on it",
                    place: crate::error::Place::row(row + 1, format!("column {}", column + 1)),
                });
            }
            if let (Some(&i), Some(&j)) = (rank.get(row), rank.get(column)) {
                matrix[i * size + j] = *value;
            }
        }
    }
    if negative_pivot(given).is_some() {
        return Err(Error::OutOfRange {
            name: "smallest eigenvalue of the correlations".into(),
            value: smallest_eigenvalue(&matrix, size)?,
            must_be: "zero or above: no instruments can have these correlations",
            place: crate::error::Place::default(),
        });
    }
    Ok(Some(matrix))
}

/// The pivot of a Cholesky factorisation that shows a matrix to be no correlation matrix, if there is one.
fn negative_pivot(matrix: &[Vec<f64>]) -> Option<f64> {
    const TOLERANCE: f64 = 1e-10;
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (row, values) in matrix.iter().enumerate() {
        let mut line: Vec<f64> = Vec::with_capacity(row + 1);
        for (column, value) in values.iter().enumerate().take(row + 1) {
            let other = factor.get(column).unwrap_or(&line);
            let left = value - line.iter().zip(other).take(column).map(|(a, b)| a * b).sum::<f64>();
            if column == row {
                if left < -TOLERANCE {
                    return Some(left);
                }
                line.push(left.max(0.0).sqrt());
            } else {
                let pivot = factor.get(column).and_then(|line| line.get(column)).copied().unwrap_or(0.0);
                if pivot <= TOLERANCE.sqrt() {
                    // a row that is a copy of another one must agree with it everywhere
                    if left.abs() > TOLERANCE.sqrt() {
                        return Some(-left.abs());
                    }
                    line.push(0.0);
                } else {
                    line.push(left / pivot);
                }
            }
        }
        factor.push(line);
    }
    None
}
