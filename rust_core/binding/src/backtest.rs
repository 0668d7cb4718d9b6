//! Backtests and calibration of a book's margin.

use crossmargin_engine::answer::{backtest as tests, calibrate as fits};
use pyo3::prelude::*;

use crate::book::{Book, Rows};
use crate::cells::answer as to_python;
use crate::enter::enter_watched;

/// The margin of every day as it was known, and what came after it.
#[pyfunction]
#[pyo3(signature = (book, measure, options, progress))]
pub(crate) fn backtest<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    measure: &str,
    options: Vec<(String, String)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let held = book.get();
    let found = enter_watched(python, progress.as_ref(), |watch| {
        tests::table(&held.book, &tests::question(measure, &options)?, watch)
    })?;
    to_python(python, &found)
}

/// Parameters of the tail, or shocks of coins, from the best on.
#[pyfunction]
#[pyo3(signature = (book, what, options, progress))]
pub(crate) fn calibrate<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    what: &str,
    options: Vec<(String, String)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let held = book.get();
    let found = enter_watched(python, progress.as_ref(), |watch| {
        fits::table(&held.book, &fits::question(what, &options)?, watch)
    })?;
    to_python(python, &found)
}
