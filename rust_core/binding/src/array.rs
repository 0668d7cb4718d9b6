//! The only place that knows numpy.

use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A column of numbers, borrowed for the length of a call; nobody may write to it meanwhile.
pub(crate) type Numbers<'py> = PyReadonlyArray1<'py, f64>;
/// A column of integers, borrowed likewise.
pub(crate) type Integers<'py> = PyReadonlyArray1<'py, i64>;
/// A column of truth values, borrowed likewise.
pub(crate) type Booleans<'py> = PyReadonlyArray1<'py, bool>;

/// The elements of a borrowed column.
pub(crate) fn slice<'a, T: Element>(name: &str, column: &'a PyReadonlyArray1<'_, T>) -> PyResult<&'a [T]> {
    column.as_slice().map_err(|_| PyTypeError::new_err(format!("{name} must be a contiguous array")))
}

/// A table of numbers, borrowed likewise.
pub(crate) type Table<'py> = PyReadonlyArray2<'py, f64>;

/// The rows of a borrowed table.
pub(crate) fn rows<'a>(name: &str, table: &'a Table<'_>) -> PyResult<Vec<&'a [f64]>> {
    let all =
        table.as_slice().map_err(|_| PyTypeError::new_err(format!("{name} must be a contiguous array")))?;
    let &[count, width] = table.shape() else { return Ok(Vec::new()) };
    // rows of no length are rows nevertheless
    Ok(if width == 0 { vec![&[][..]; count] } else { all.chunks_exact(width).collect() })
}

/// The elements of a borrowed column that may be left out.
pub(crate) fn optional<'a, T: Element>(
    name: &str,
    column: Option<&'a PyReadonlyArray1<'_, T>>,
) -> PyResult<Option<&'a [T]>> {
    column.map(|column| slice(name, column)).transpose()
}

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
