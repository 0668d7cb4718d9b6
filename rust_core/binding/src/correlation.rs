//! How risk factors move together.

use crossmargin_engine::answer::correlation::{of_book, of_history};
use pyo3::prelude::*;

use crate::book::{Book, Rows};
use crate::cells::answer as to_python;
use crate::enter::enter;
use crate::history::History;

/// A view of the correlations of a book's risk factors.
#[pyfunction]
#[pyo3(signature = (book, view, options))]
pub(crate) fn book_correlations<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    view: &str,
    options: Vec<(String, String)>,
) -> PyResult<Rows<'py>> {
    let held = book.get();
    let found = enter(python, || of_book(&held.book, view, &options))?;
    to_python(python, &found)
}

/// A view of the correlations of a history's series.
#[pyfunction]
#[pyo3(signature = (history, view, options))]
pub(crate) fn history_correlations<'py>(
    python: Python<'py>,
    history: &Bound<'py, History>,
    view: &str,
    options: Vec<(String, String)>,
) -> PyResult<Rows<'py>> {
    let held = history.get();
    let found = enter(python, || of_history(&held.0, view, &options))?;
    to_python(python, &found)
}
