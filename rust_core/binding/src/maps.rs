//! Where an account is safe: zones of a price, maps over two axes, the nearest liquidating scenario.

use crossmargin_engine::answer::{map, nearest, options, zones};
use crossmargin_engine::limits::profile::Profile;
use pyo3::prelude::*;

use crate::book::{Book, Pairs, Rows};
use crate::cells::answer as to_python;
use crate::enter::enter;

/// Every range of a price in which an account is safe, and every other.
#[pyfunction]
#[pyo3(signature = (book, underlying, path, which, options))]
pub(crate) fn liquidation_zones<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    underlying: Option<String>,
    path: &str,
    which: &str,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || {
        let question = options::question(path, which, &options)?;
        zones::table(&book.book, underlying.as_deref(), &question)
    })?;
    to_python(python, &found)
}

/// A figure on two axes of the market.
#[pyfunction]
#[pyo3(signature = (book, x, y, measure, account))]
pub(crate) fn liquidation_map<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    x: (String, Vec<f64>),
    y: (String, Vec<f64>),
    measure: &str,
    account: &str,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || {
        let figure = map::Figure::named(measure)?;
        let question = map::Question { x: (&x.0, &x.1), y: (&y.0, &y.1), figure, account };
        map::table(&book.book, &question)
    })?;
    to_python(python, &found)
}

/// The nearest scenarios that liquidate each account.
#[pyfunction]
#[pyo3(signature = (book, factors, scale, options))]
pub(crate) fn nearest_scenarios<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    factors: &str,
    scale: &str,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || {
        nearest::table(&book.book, factors, nearest::Scale::named(scale)?, &Profile::of(&options)?)
    })?;
    to_python(python, &found)
}
