//! The one error of the engine: a refusal that names argument, value, rule and row.

use std::fmt;

/// Result of every fallible call of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// What a spreadsheet shows for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `#VALUE!`: a wrong type, an unknown word, column or rulebook.
    Value,
    /// `#NUM!`: an impossible number.
    Num,
    /// `#N/A`: missing data, or no answer exists.
    NotAvailable,
}

impl Sign {
    /// The text of the spreadsheet error.
    pub fn text(self) -> &'static str {
        match self {
            Self::Value => "#VALUE!",
            Self::Num => "#NUM!",
            Self::NotAvailable => "#N/A",
        }
    }
}

/// Where a refused value stood: table, row as the user counts it, and what the row is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Row of the pasted table, the header being row 1.
    pub row: Option<usize>,
    /// What the row is about, usually a symbol.
    pub label: Option<String>,
}

impl Place {
    /// A place known by its row and label.
    pub fn row(row: usize, label: impl Into<String>) -> Self {
        Self { row: Some(row), label: Some(label.into()) }
    }

    /// A place known by its label only.
    pub fn label(label: impl Into<String>) -> Self {
        Self { row: None, label: Some(label.into()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, &self.label) {
            (Some(row), Some(label)) => write!(f, " (row {row}, {label})"),
            (Some(row), None) => write!(f, " (row {row})"),
            (None, Some(label)) if !label.is_empty() => write!(f, " ({label})"),
            (None, _) => Ok(()),
        }
    }
}

/// Why the engine refuses to answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number was NaN, infinite or outside its range.
    #[error("{name} must be {must_be}, was {value}{place}")]
    OutOfRange {
        /// The argument or column.
        name: String,
        /// What it was.
        value: f64,
        /// The rule it broke.
        must_be: &'static str,
        /// Where it stood.
        place: Place,
    },
    /// Two arrays that must agree in length did not.
    #[error("{name} has {found} rows, expected {expected}")]
    Shape {
        /// The argument.
        name: String,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A word that is not in the vocabulary: a rulebook, a scope, an option.
    #[error("unknown {what} '{value}'; known: {known}")]
    Unknown {
        /// What kind of word it is.
        what: &'static str,
        /// The word.
        value: String,
        /// The words that are known.
        known: String,
    },
    /// Something that the answer needs was not given.
    #[error("{what} is missing{place}: {why}")]
    Missing {
        /// What is missing.
        what: String,
        /// Why it is needed, or what to do.
        why: String,
        /// Where it is missing.
        place: Place,
    },
    /// A table cannot be used; the first finding is quoted, all are in the check.
    #[error("{table}: {message}")]
    Table {
        /// The table.
        table: &'static str,
        /// What is wrong with it, with row, column, value and rule.
        message: String,
        /// `#VALUE!` where the table as a whole is another than asked for, `#N/A` for a bad row.
        sign: Sign,
    },
    /// A rulebook breaks its own schema.
    #[error("rulebook '{id}', {key}: {message}")]
    Rulebook {
        /// Its id, as far as it could be read.
        id: String,
        /// The key at fault.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// The rulebook does not cover what the book asks of it.
    #[error("{what} is not covered{place}: {why}")]
    NotCovered {
        /// What is asked for.
        what: String,
        /// Why there is no answer.
        why: String,
        /// Where it is asked for.
        place: Place,
    },
    /// No number exists that answers the question, and this is why.
    #[error("{why}")]
    NoAnswer {
        /// The reason, with how far was searched.
        why: String,
    },
}

impl Error {
    /// What a spreadsheet shows for this refusal.
    pub fn sign(&self) -> Sign {
        match self {
            Self::OutOfRange { .. } => Sign::Num,
            Self::Shape { .. } | Self::Unknown { .. } | Self::Rulebook { .. } => Sign::Value,
            Self::Table { sign, .. } => *sign,
            Self::Missing { .. } | Self::NotCovered { .. } | Self::NoAnswer { .. } => Sign::NotAvailable,
        }
    }

    /// A refusal of a number that is not finite and above zero.
    pub fn not_positive(name: impl Into<String>, value: f64, place: Place) -> Self {
        Self::OutOfRange { name: name.into(), value, must_be: "finite and above zero", place }
    }

    /// A refusal of a number that is not finite.
    pub fn not_finite(name: impl Into<String>, value: f64, place: Place) -> Self {
        Self::OutOfRange { name: name.into(), value, must_be: "a finite number", place }
    }
}

/// Checks that a number is finite and above zero.
///
/// # Errors
///
/// [`Error::OutOfRange`] otherwise.
pub fn check_positive(name: &str, value: f64, place: impl FnOnce() -> Place) -> Result<f64> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Error::not_positive(name, value, place())) }
}

/// Checks that a number is finite.
///
/// # Errors
///
/// [`Error::OutOfRange`] otherwise.
pub fn check_finite(name: &str, value: f64, place: impl FnOnce() -> Place) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::not_finite(name, value, place())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_argument_value_rule_and_row() {
        let refusal = check_positive("vol", f64::NAN, || Place::row(7, "BTC-27MAR26-90000-C")).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "vol must be finite and above zero, was NaN (row 7, BTC-27MAR26-90000-C)"
        );
        assert_eq!(refusal.sign().text(), "#NUM!");
    }
}
