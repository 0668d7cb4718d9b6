//! Refusals that several statistics share.

use crate::error::{Error, Place, Result, check_finite};

/// A refusal of a number outside its range, at an index of its argument where it has one.
pub(super) fn outside<T>(name: &str, value: f64, must_be: &'static str, index: Option<usize>) -> Result<T> {
    let place = index.map_or_else(Place::default, at);
    Err(Error::OutOfRange { name: name.into(), value, must_be, place })
}

/// The place of an entry of an array.
pub(super) fn at(index: usize) -> Place {
    Place::label(format!("index {index}"))
}

/// Checks that a confidence is one.
pub(super) fn confidence(value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        outside("confidence", value, "above 0 and below 1", None)
    }
}

/// Checks a confidence as a person states it: 0.99 for 99 %, and never the tail's 0.01.
///
/// # Errors
///
/// [`Error::OutOfRange`] for less than 0.5, or 1 and more; it says which way round is meant.
pub fn check_confidence(value: f64) -> Result<()> {
    if (0.5..1.0).contains(&value) {
        Ok(())
    } else {
        outside("confidence", value, "at least 0.5 and below 1 (0.99 for 99 %, not the tail's 0.01)", None)
    }
}

/// Checks that every entry is a finite number.
pub(super) fn finite(name: &str, values: &[f64]) -> Result<()> {
    values
        .iter()
        .enumerate()
        .try_for_each(|(index, value)| check_finite(name, *value, || at(index)).map(drop))
}

/// Checks the length of an array.
pub(super) fn length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Shape { name: name.into(), found, expected }) }
}

/// Checks that a decay lies between 0 and 1.
pub(super) fn decay(value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 { Ok(()) } else { outside("decay", value, "above 0 and below 1", None) }
}

/// Checks a table of finite numbers with at least `least` rows, one per date; returns how many it has.
pub(super) fn rows(name: &str, table: &[f64], columns: usize, least: usize) -> Result<usize> {
    if columns == 0 {
        return Err(Error::NoAnswer { why: format!("{name} must have at least one column, had 0") });
    }
    let count = table.len() / columns;
    length(name, table.len(), count * columns)?;
    if count < least {
        return Err(Error::NoAnswer { why: format!("{name} must have at least {least} rows, had {count}") });
    }
    for (row, entries) in table.chunks_exact(columns).enumerate() {
        for (column, value) in entries.iter().enumerate() {
            check_finite(name, *value, || Place::label(format!("row {row}, column {column}")))?;
        }
    }
    Ok(count)
}

/// Checks that a matrix is square of a size, finite and symmetric to rounding.
pub(super) fn symmetric(name: &str, matrix: &[f64], size: usize) -> Result<()> {
    length(name, matrix.len(), size * size)?;
    rows(name, matrix, size, 1)?;
    let largest = matrix.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for row in 0..size {
        for column in 0..row {
            let (lower, upper) = (entry(matrix, size, row, column), entry(matrix, size, column, row));
            if (lower - upper).abs() > SYMMETRY * largest {
                return Err(Error::NoAnswer {
                    why: format!(
                        "{name} must be symmetric: row {row}, column {column} was {lower}, and row {column}, \
                         column {row} was {upper}"
                    ),
                });
            }
        }
    }
    Ok(())
}

/// How far two entries that mirror each other may be apart, by the largest entry: what printing a matrix
/// with twelve digits costs.
const SYMMETRY: f64 = 1e-12;

/// An entry of a square matrix whose size was checked.
pub(super) fn entry(matrix: &[f64], size: usize, row: usize, column: usize) -> f64 {
    matrix.get(row * size + column).copied().unwrap_or(f64::NAN)
}
