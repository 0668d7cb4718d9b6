//! Millions of numbers in order, and the losses that are ranked so.

use crossmargin_engine::statistics::ranking::{self, InScenario};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Integers, Numbers};
use crate::enter::enter;

/// Rows from the largest number to the smallest.
#[pyfunction]
#[pyo3(signature = (values))]
pub(crate) fn descending_order<'py>(
    python: Python<'py>,
    values: Numbers<'py>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let values = array::slice("values", &values)?;
    Ok(rows(python, enter(python, || ranking::descending(values))?))
}

/// The rows of the largest numbers.
#[pyfunction]
#[pyo3(signature = (values, count))]
pub(crate) fn largest_rows<'py>(
    python: Python<'py>,
    values: Numbers<'py>,
    count: usize,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let values = array::slice("values", &values)?;
    Ok(rows(python, enter(python, || ranking::largest(values, count))?))
}

fn rows(python: Python<'_>, rows: Vec<usize>) -> Bound<'_, PyArray1<i64>> {
    rows.into_iter().map(|row| row as i64).collect::<Vec<_>>().into_pyarray(python)
}

/// What positions lose in the scenarios of their accounts.
#[pyfunction]
#[pyo3(signature = (offsets, instrument, quantity, scenario, results, threads))]
pub(crate) fn losses_in_scenarios<'py>(
    python: Python<'py>,
    offsets: Integers<'py>,
    instrument: Integers<'py>,
    quantity: Numbers<'py>,
    scenario: Integers<'py>,
    results: PyReadonlyArray2<'py, f64>,
    threads: Option<usize>,
) -> PyResult<Column<'py>> {
    let question = InScenario {
        offsets: array::slice("offsets", &offsets)?,
        instrument: array::slice("instrument", &instrument)?,
        quantity: array::slice("quantity", &quantity)?,
        scenario: array::slice("scenario", &scenario)?,
        results: results
            .as_slice()
            .map_err(|_| PyTypeError::new_err("results must lie row by row in memory"))?,
        scenarios: results.shape().get(1).copied().unwrap_or(0),
    };
    let losses = enter(python, || question.losses(threads))?;
    Ok(array::result(python, losses))
}
