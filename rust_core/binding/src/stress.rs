//! Grids, stresses, horizons, differences and accounts.

use crossmargin_engine::answer::stress as stresses;
use crossmargin_engine::answer::{
    accounts as ranked, difference as differences, grid as grids, horizon as horizons,
};
use pyo3::prelude::*;

use crate::book::{Book, Pairs, Rows};
use crate::cells::{answer as to_python, optional_table};
use crate::enter::enter;

/// A measure at every node of price, volatility and time.
#[pyfunction]
#[pyo3(signature = (book, underlying, price_moves, volatility_moves, days, measure, options))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the sheet function")]
pub(crate) fn grid<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    underlying: String,
    price_moves: Vec<f64>,
    volatility_moves: Vec<f64>,
    days: Vec<f64>,
    measure: String,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let question = grids::Question { underlying, price_moves, volatility_moves, days, measure, options };
    let found = enter(python, || grids::table(&book.book, book.evaluated(), &question))?;
    to_python(python, &found)
}

/// The book after scenarios: those that words name, or those of a range.
#[pyfunction]
#[pyo3(signature = (book, words, table, options))]
pub(crate) fn stress<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    words: &str,
    table: Option<&Bound<'py, PyAny>>,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let (book, table) = (book.get(), optional_table(table)?);
    let found =
        enter(python, || stresses::table(&book.book, book.evaluated(), words, table.as_ref(), &options))?;
    to_python(python, &found)
}

/// The book on future dates and at every expiry on the way.
#[pyfunction]
#[pyo3(signature = (book, dates, measure, funding))]
pub(crate) fn horizon<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    dates: Vec<String>,
    measure: String,
    funding: bool,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let question = horizons::Question { dates, measure, funding };
    let found = enter(python, || horizons::table(&book.book, &question))?;
    to_python(python, &found)
}

/// What changed from one book to another, by driver or by position.
#[pyfunction]
#[pyo3(signature = (old, new, measure, group_by, options))]
pub(crate) fn difference<'py>(
    python: Python<'py>,
    old: &Bound<'py, Book>,
    new: &Bound<'py, Book>,
    measure: &str,
    group_by: &str,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let (old, new) = (old.get(), new.get());
    let found =
        enter(python, || differences::table(side_of(old), side_of(new), measure, group_by, &options))?;
    to_python(python, &found)
}

fn side_of(book: &Book) -> differences::Side<'_> {
    differences::Side { book: &book.book, evaluated: book.evaluated(), origin: book.origin() }
}

/// The accounts of some books, ranked.
#[pyfunction]
#[pyo3(signature = (books, top, sort, options))]
pub(crate) fn accounts<'py>(
    python: Python<'py>,
    books: Vec<Py<Book>>,
    top: f64,
    sort: String,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let question = ranked::Question { top, sort, options };
    let found = enter(python, || {
        let list: Vec<ranked::Ranked<'_>> = books
            .iter()
            .map(|book| ranked::Ranked { book: &book.get().book, evaluated: book.get().evaluated() })
            .collect();
        ranked::table(&list, &question)
    })?;
    to_python(python, &found)
}
