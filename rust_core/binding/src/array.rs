//! The only place that knows numpy.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

/// A column of numbers, copied so that nothing is shared while the lock is released.
pub(crate) fn column(value: &Bound<'_, PyAny>) -> Option<Vec<f64>> {
    let array: PyReadonlyArray1<'_, f64> = value.extract().ok()?;
    Some(array.as_array().to_vec())
}

/// A column of numbers, borrowed for the length of a call: of millions of rows a copy costs more than
/// the work. Nobody may write to it meanwhile.
pub(crate) fn borrowed<'py>(value: &Bound<'py, PyAny>) -> Option<PyReadonlyArray1<'py, f64>> {
    let array: PyReadonlyArray1<'py, f64> = value.extract().ok()?;
    array.as_slice().is_ok().then_some(array)
}

/// A mask of which rows have a value.
pub(crate) fn mask(value: &Bound<'_, PyAny>) -> Option<Vec<bool>> {
    let array: PyReadonlyArray1<'_, bool> = value.extract().ok()?;
    Some(array.as_array().to_vec())
}

/// A column of results, moved.
pub(crate) fn result(python: Python<'_>, values: Vec<f64>) -> Bound<'_, PyArray1<f64>> {
    values.into_pyarray(python)
}
