//! Limits, leverage caps, sizes and the probability of liquidation.

use crossmargin_engine::answer::{limits as answers, probability, size};
use crossmargin_engine::limits::profile::Profile;
use pyo3::prelude::*;

use crate::book::{Book, Pairs, Rows};
use crate::cells::{answer as to_python, optional_table};
use crate::enter::{enter, enter_watched};

/// Limits compared with a book; without a table those of the risk profile.
#[pyfunction]
#[pyo3(signature = (book, table, options, progress=None))]
pub(crate) fn limits<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    table: Option<&Bound<'py, PyAny>>,
    options: Pairs,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let (book, table) = (book.get(), optional_table(table)?);
    let found = enter_watched(python, progress.as_ref(), |watch| {
        let profile = Profile::of(&options)?;
        answers::table(&book.book, book.evaluated(), table.as_ref(), &profile, watch)
    })?;
    to_python(python, &found)
}

/// The dynamic leverage cap of every underlying, term by term.
#[pyfunction]
#[pyo3(signature = (book, scope, options))]
pub(crate) fn leverage_caps<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    scope: &str,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || {
        let profile = Profile::of(&options)?;
        let watch = crossmargin_engine::watch::Watch::new();
        answers::leverage_caps(&book.book, book.evaluated(), scope, &profile, &watch)
    })?;
    to_python(python, &found)
}

/// Probability that each pool is liquidated within some days.
#[pyfunction]
#[pyo3(signature = (book, scope, options, progress=None))]
pub(crate) fn liquidation_probability<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    scope: &str,
    options: Pairs,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter_watched(python, progress.as_ref(), |watch| {
        probability::table(&book.book, scope, &Profile::of(&options)?, watch)
    })?;
    to_python(python, &found)
}

/// What is asked about a size, and the profile under which.
fn question(
    symbol: &str,
    side: &str,
    limit: &str,
    limits: Option<crossmargin_engine::cell::Table>,
    options: &Pairs,
) -> crossmargin_engine::Result<(size::Question, Profile)> {
    let asked = size::Question {
        symbol: symbol.to_owned(),
        side: side.to_owned(),
        limit: limit.to_owned(),
        limits,
        ..size::Question::default()
    };
    let (asked, rest) = asked.split(options)?;
    Ok((asked, Profile::of(&rest)?))
}

/// Largest signed quantity before a limit.
#[pyfunction]
#[pyo3(signature = (book, symbol, side, limit, limits, options, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the sheet function")]
pub(crate) fn largest_size(
    python: Python<'_>,
    book: &Bound<'_, Book>,
    symbol: &str,
    side: &str,
    limit: &str,
    limits: Option<&Bound<'_, PyAny>>,
    options: Pairs,
    progress: Option<Py<PyAny>>,
) -> PyResult<f64> {
    let (book, limits) = (book.get(), optional_table(limits)?);
    enter_watched(python, progress.as_ref(), |watch| {
        let (asked, profile) = question(symbol, side, limit, limits, &options)?;
        size::number(&book.book, book.origin(), &asked, &profile, watch)
    })
}

/// The same as a table with the reason for the bound.
#[pyfunction]
#[pyo3(signature = (book, symbol, side, limit, limits, options, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the sheet function")]
pub(crate) fn largest_size_table<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    symbol: &str,
    side: &str,
    limit: &str,
    limits: Option<&Bound<'py, PyAny>>,
    options: Pairs,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let (book, limits) = (book.get(), optional_table(limits)?);
    let found = enter_watched(python, progress.as_ref(), |watch| {
        let (asked, profile) = question(symbol, side, limit, limits, &options)?;
        size::table(&book.book, book.origin(), &asked, &profile, watch)
    })?;
    to_python(python, &found)
}
