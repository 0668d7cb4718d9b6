//! Correlations: from and to covariances, checked, stressed, and how far they have moved.

use super::check::{entry, finite, length, outside, rows, symmetric};
use super::eigen::smallest_eigenvalue;
use crate::error::{Error, Place, Result};

/// How far a diagonal may be from 1, and an entry beyond 1, for rounding.
const ROUNDING: f64 = 1e-12;

/// What a stressed correlation is moved towards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// Everything moves together: all ones.
    One,
    /// Hedges and diversification by themselves: the identity.
    Zero,
    /// Two groups that move against each other: `s s'` of signs -1 and 1.
    Signs(&'a [f64]),
    /// Another correlation matrix, row by row.
    Matrix(&'a [f64]),
}

/// How far a fast estimate of a correlation is from a slow one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The fast estimate.
    pub fast: f64,
    /// The slow estimate.
    pub slow: f64,
    /// `sqrt(effective - 3) (atanh fast - atanh slow)`, in standard deviations.
    pub z: f64,
    /// Observations that the fast estimate is worth.
    pub effective: f64,
}

/// Volatilities and correlation matrix of a covariance matrix.
///
/// The correlation has ones on its diagonal and lies within [-1, 1] to the bit.
///
/// # Errors
///
/// [`Error::NoAnswer`] for a variance of zero, named by its index, or a covariance larger than its two
/// volatilities allow; [`Error::OutOfRange`] for a variance below zero; [`Error::Shape`] or
/// [`Error::NoAnswer`] for a matrix that is not square and symmetric.
pub fn correlation_of(covariance: &[f64], factors: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    symmetric("covariance", covariance, factors)?;
    let mut volatilities = Vec::with_capacity(factors);
    for index in 0..factors {
        let variance = entry(covariance, factors, index, index);
        if variance == 0.0 {
            return Err(Error::NoAnswer {
                why: format!("a series must vary to have a correlation: the variance at index {index} was 0"),
            });
        }
        if variance < 0.0 {
            return outside("variance", variance, "above 0", Some(index));
        }
        volatilities.push(variance.sqrt());
    }
    let mut correlation = Vec::with_capacity(covariance.len());
    for (row, (line, mine)) in covariance.chunks_exact(factors).zip(&volatilities).enumerate() {
        for (column, (value, other)) in line.iter().zip(&volatilities).enumerate() {
            let found = if row == column { 1.0 } else { value / mine / other };
            if found.abs() > 1.0 + ROUNDING {
                return Err(not_a_correlation("covariance gives a correlation that", found, row, column));
            }
            correlation.push(found.clamp(-1.0, 1.0));
        }
    }
    Ok((volatilities, correlation))
}

/// Covariance matrix of volatilities and a correlation matrix.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a volatility that is negative or not finite; else as [`check_correlation`].
pub fn covariance_of(volatilities: &[f64], correlation: &[f64]) -> Result<Vec<f64>> {
    finite("volatilities", volatilities)?;
    if let Some((index, value)) = volatilities.iter().enumerate().find(|(_, value)| **value < 0.0) {
        return outside("volatilities", *value, "at least 0", Some(index));
    }
    check_correlation(correlation, volatilities.len())?;
    Ok(correlation
        .chunks_exact(volatilities.len())
        .zip(volatilities)
        .flat_map(|(line, mine)| {
            line.iter().zip(volatilities).map(move |(value, other)| value * (mine * other))
        })
        .collect())
}

/// Checks that a matrix is finite, within [-1, 1], symmetric and has a diagonal of ones. Whether it is positive
/// semidefinite is another question, see [`super::smallest_eigenvalue`].
///
/// # Errors
///
/// [`Error::NoAnswer`] or [`Error::OutOfRange`] that names row and column; [`Error::Shape`] for another length
/// than `size * size`.
pub fn check_correlation(matrix: &[f64], size: usize) -> Result<()> {
    length("correlation", matrix.len(), size * size)?;
    rows("correlation", matrix, size, 1)?;
    for (row, line) in matrix.chunks_exact(size).enumerate() {
        for (column, value) in line.iter().enumerate() {
            if row == column && (value - 1.0).abs() > ROUNDING {
                let place = Place::label(format!("row {row}, column {column}"));
                return Err(Error::OutOfRange {
                    name: "correlation".into(),
                    value: *value,
                    must_be: "1 on the diagonal",
                    place,
                });
            }
            if value.abs() > 1.0 + ROUNDING {
                return Err(not_a_correlation("correlation", *value, row, column));
            }
        }
    }
    symmetric("correlation", matrix, size)
}

/// Checks a correlation matrix and that moves can have it: no eigenvalue below zero. Returns the smallest one.
///
/// # Errors
///
/// As [`check_correlation`]; [`Error::NoAnswer`] for a matrix that no moves have, with its smallest eigenvalue.
pub fn check_possible(matrix: &[f64], size: usize) -> Result<f64> {
    check_correlation(matrix, size)?;
    let lowest = smallest_eigenvalue(matrix, size)?;
    if lowest < -POSSIBLE {
        return Err(Error::NoAnswer {
            why: format!(
                "no moves have this correlation: its smallest eigenvalue was {lowest:.6}; the nearest possible \
                 one is found by Higham's method"
            ),
        });
    }
    Ok(lowest)
}

/// How far below zero an eigenvalue may be for the rounding of printed correlations.
const POSSIBLE: f64 = 1e-10;

fn not_a_correlation(name: &str, value: f64, row: usize, column: usize) -> Error {
    Error::OutOfRange {
        name: name.into(),
        value,
        must_be: "from -1 to 1",
        place: Place::label(format!("row {row}, column {column}")),
    }
}

/// `(1 - share) R + share T`: correlations moved towards a target, positive semidefinite if `R` and `T`
/// are (methods.md section 3.4).
///
/// # Errors
///
/// [`Error::OutOfRange`] for a share outside [0, 1] or a sign that is not -1 or 1; [`Error::Shape`] for another
/// number of signs; else as [`check_correlation`].
pub fn stressed_correlation(
    correlation: &[f64],
    size: usize,
    share: f64,
    target: Target<'_>,
) -> Result<Vec<f64>> {
    check_correlation(correlation, size)?;
    if !(0.0..=1.0).contains(&share) {
        return outside("share", share, "from 0 to 1", None);
    }
    if let Target::Signs(signs) = target {
        length("signs", signs.len(), size)?;
        if let Some((index, sign)) = signs.iter().enumerate().find(|(_, sign)| sign.abs() != 1.0) {
            return outside("signs", *sign, "-1 or 1", Some(index));
        }
    }
    if let Target::Matrix(matrix) = target {
        check_correlation(matrix, size)?;
    }
    let towards = |row: usize, column: usize| match target {
        Target::Matrix(matrix) => entry(matrix, size, row, column),
        Target::One => 1.0,
        Target::Zero => 0.0,
        Target::Signs(signs) => {
            signs.get(row).copied().unwrap_or(1.0) * signs.get(column).copied().unwrap_or(1.0)
        }
    };
    Ok(correlation
        .iter()
        .enumerate()
        .map(|(position, value)| {
            let (row, column) = (position / size, position % size);
            if row == column { 1.0 } else { (1.0 - share) * value + share * towards(row, column) }
        })
        .collect())
}

/// Distance of two estimates of one correlation in Fisher's z (methods.md section 3.4).
///
/// # Errors
///
/// [`Error::OutOfRange`] for a correlation that is not above -1 and below 1, or three observations or fewer.
pub fn correlation_change(fast: f64, slow: f64, effective_observations: f64) -> Result<Change> {
    for (name, value) in [("fast", fast), ("slow", slow)] {
        if !(value > -1.0 && value < 1.0) {
            return outside(name, value, "above -1 and below 1", None);
        }
    }
    if !(effective_observations > 3.0 && effective_observations.is_finite()) {
        return outside("effective_observations", effective_observations, "finite and above 3", None);
    }
    let z = (effective_observations - 3.0).sqrt() * (fast.atanh() - slow.atanh());
    Ok(Change { fast, slow, z, effective: effective_observations })
}

#[cfg(test)]
mod tests {
    use super::super::smallest_eigenvalue;
    use super::*;

    const CORRELATION: [f64; 9] = [1.0, 0.6, -0.2, 0.6, 1.0, 0.1, -0.2, 0.1, 1.0];

    #[test]
    fn a_covariance_is_its_volatilities_and_correlations() {
        let volatilities = [0.5, 0.25, 2.0];
        let covariance = covariance_of(&volatilities, &CORRELATION).unwrap();
        assert_eq!(covariance[1], 0.6 * 0.125);
        let (found, correlation) = correlation_of(&covariance, 3).unwrap();
        assert_eq!(found, volatilities);
        for (value, expected) in correlation.iter().zip(CORRELATION) {
            assert!((value - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn a_blend_with_ones_is_the_published_one() {
        // methods.json stresscorr.blend
        let found = stressed_correlation(&CORRELATION, 3, 0.5, Target::One).unwrap();
        for (position, expected) in [(1, 0.8), (2, 0.4), (5, 0.55)] {
            assert!((found[position] - expected).abs() < 1e-15);
        }
        assert!((smallest_eigenvalue(&found, 3).unwrap() - 0.179_255_889_924_055_92).abs() < 1e-12);
    }

    #[test]
    fn a_correlation_that_no_moves_have_is_refused_with_its_eigenvalue() {
        // two series that equal a third one equal each other: the eigenvalue is 1 - sqrt 2
        let given = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        assert_eq!(
            check_possible(&given, 3).unwrap_err().to_string(),
            "no moves have this correlation: its smallest eigenvalue was -0.414214; the nearest possible one is \
             found by Higham's method"
        );
        assert!((check_possible(&[1.0, 0.4, 0.4, 1.0], 2).unwrap() - 0.6).abs() < 1e-15);
    }

    #[test]
    fn any_correlation_matrix_may_be_the_target() {
        let from = [1.0, 0.6, 0.6, 1.0];
        let to = [1.0, -0.2, -0.2, 1.0];
        let found = stressed_correlation(&from, 2, 0.25, Target::Matrix(&to)).unwrap();
        assert!((found[1] - 0.4).abs() < 1e-15 && found[0] == 1.0);
        assert!(stressed_correlation(&from, 2, 0.25, Target::Matrix(&[1.0, 1.2, 1.2, 1.0])).is_err());
        assert!(stressed_correlation(&from, 2, 0.25, Target::Matrix(&[1.0])).is_err());
    }

    #[test]
    fn a_full_blend_is_the_target() {
        assert_eq!(
            stressed_correlation(&CORRELATION, 3, 1.0, Target::Zero).unwrap(),
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(
            stressed_correlation(&CORRELATION, 3, 1.0, Target::Signs(&[1.0, -1.0, 1.0])).unwrap(),
            [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]
        );
        assert_eq!(stressed_correlation(&CORRELATION, 3, 0.0, Target::One).unwrap(), CORRELATION);
    }

    #[test]
    fn a_change_is_measured_in_standard_deviations() {
        // atanh 0.8 - atanh 0.5 = (ln 9 - ln 3) / 2 = ln 3 / 2
        let found = correlation_change(0.8, 0.5, 103.0).unwrap();
        assert!((found.z - 5.0 * 3.0_f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn what_is_no_correlation_is_refused_with_row_and_column() {
        let why = |matrix: &[f64]| check_correlation(matrix, 2).unwrap_err().to_string();
        assert_eq!(why(&[1.0, 1.2, 1.2, 1.0]), "correlation must be from -1 to 1, was 1.2 (row 0, column 1)");
        assert_eq!(
            why(&[1.0, 0.5, 0.4, 1.0]),
            "correlation must be symmetric: row 1, column 0 was 0.4, and row 0, column 1 was 0.5"
        );
        assert_eq!(
            why(&[1.0, 0.5, 0.5, 0.9]),
            "correlation must be 1 on the diagonal, was 0.9 (row 1, column 1)"
        );
        assert_eq!(
            why(&[1.0, f64::NAN, 0.5, 1.0]),
            "correlation must be a finite number, was NaN (row 0, column 1)"
        );
        assert_eq!(why(&[1.0, 0.5]), "correlation has 2 rows, expected 4");
        assert_eq!(
            correlation_of(&[1.0, 0.0, 0.0, 0.0], 2).unwrap_err().to_string(),
            "a series must vary to have a correlation: the variance at index 1 was 0"
        );
        assert_eq!(
            correlation_of(&[1.0, 2.0, 2.0, 1.0], 2).unwrap_err().to_string(),
            "covariance gives a correlation that must be from -1 to 1, was 2 (row 0, column 1)"
        );
        assert_eq!(
            correlation_change(1.0, 0.5, 50.0).unwrap_err().to_string(),
            "fast must be above -1 and below 1, was 1"
        );
    }
}
