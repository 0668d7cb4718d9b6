//! The only place where refusals become exceptions.

use crossmargin_engine::{Error, Sign};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

create_exception!(crossmargin, CrossmarginError, PyValueError, "Anything that crossmargin refuses.");
create_exception!(
    crossmargin,
    OutOfRangeError,
    CrossmarginError,
    "A number is NaN, infinite or outside its range."
);
create_exception!(crossmargin, ShapeError, CrossmarginError, "Two arrays that must agree in length do not.");
create_exception!(crossmargin, UnknownWordError, CrossmarginError, "A word is not in the vocabulary.");
create_exception!(
    crossmargin,
    MissingError,
    CrossmarginError,
    "Something that the answer needs is not given."
);
create_exception!(crossmargin, TableError, CrossmarginError, "A table cannot be used.");
create_exception!(crossmargin, RulebookError, CrossmarginError, "A rulebook breaks its schema.");
create_exception!(crossmargin, NotCoveredError, CrossmarginError, "The rulebook does not cover the case.");
create_exception!(
    crossmargin,
    NoAnswerError,
    CrossmarginError,
    "No number exists that answers the question."
);

/// The exception of a refusal, with what a spreadsheet shows for it.
pub(crate) fn to_python(python: Python<'_>, error: &Error) -> PyErr {
    let raised = exception(error);
    if let Error::Table { sign, .. } = error {
        // a table as a whole and a bad row are one class with two signs
        if let Err(failed) = raised.value(python).setattr("sign", sign.text()) {
            return failed;
        }
    }
    raised
}

fn exception(error: &Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::OutOfRange { .. } => OutOfRangeError::new_err(message),
        Error::Shape { .. } => ShapeError::new_err(message),
        Error::Unknown { .. } => UnknownWordError::new_err(message),
        Error::Missing { .. } => MissingError::new_err(message),
        Error::Table { .. } => TableError::new_err(message),
        Error::Rulebook { .. } => RulebookError::new_err(message),
        Error::NotCovered { .. } => NotCoveredError::new_err(message),
        Error::NoAnswer { .. } => NoAnswerError::new_err(message),
        _ => CrossmarginError::new_err(message),
    }
}

/// Gives every class the sign that a spreadsheet shows for it.
pub(crate) fn set_signs(python: Python<'_>) -> PyResult<()> {
    let signs = [
        (python.get_type::<CrossmarginError>(), Sign::Value),
        (python.get_type::<OutOfRangeError>(), Sign::Num),
        (python.get_type::<ShapeError>(), Sign::Value),
        (python.get_type::<UnknownWordError>(), Sign::Value),
        (python.get_type::<MissingError>(), Sign::NotAvailable),
        (python.get_type::<TableError>(), Sign::NotAvailable),
        (python.get_type::<RulebookError>(), Sign::Value),
        (python.get_type::<NotCoveredError>(), Sign::NotAvailable),
        (python.get_type::<NoAnswerError>(), Sign::NotAvailable),
    ];
    for (class, sign) in signs {
        class.setattr("sign", sign.text())?;
    }
    Ok(())
}
