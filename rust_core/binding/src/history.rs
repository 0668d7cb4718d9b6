//! Histories of risk factors.

use std::sync::Arc;

use crossmargin_engine::answer;
use crossmargin_engine::history::{
    self as engine, Clash, Reading, inspect_history, joined, read_history, splice,
};
use pyo3::prelude::*;

use crate::book::Rows;
use crate::cells::{answer as to_python, table};
use crate::enter::enter;

/// Levels of risk factors by date.
#[pyclass(frozen, module = "crossmargin")]
pub(crate) struct History(pub(crate) Arc<engine::History>);

#[pymethods]
impl History {
    /// Reads a table: a row per date and symbol, or a column per coin.
    #[new]
    #[pyo3(signature = (prices, *, coin=None, step=None, partial=false))]
    fn new(
        python: Python<'_>,
        prices: &Bound<'_, PyAny>,
        coin: Option<String>,
        step: Option<f64>,
        partial: bool,
    ) -> PyResult<Self> {
        let prices = table(prices)?;
        let reading = Reading { coin, step_days: step, partial };
        enter(python, || read_history(&prices, &reading)).map(|read| Self(Arc::new(read)))
    }

    /// The text key: hash, series, bars, days.
    #[getter]
    fn key(&self) -> String {
        self.0.key()
    }

    /// The content hash, 32 hexadecimal digits.
    #[getter]
    fn hash(&self) -> &str {
        &self.0.hash
    }

    /// Levels, which is what a history is charged in memory.
    #[getter]
    fn row_count(&self) -> usize {
        self.0.instants.len() * self.0.series.len()
    }

    fn __repr__(&self) -> String {
        format!("<History {}>", self.0.key())
    }

    /// Everything noticed: issues; or the series: columns.
    #[pyo3(signature = (view))]
    fn check<'py>(&self, python: Python<'py>, view: &str) -> PyResult<Rows<'py>> {
        let found = enter(python, || answer::history::check(&self.0, view))?;
        to_python(python, &found)
    }
}

/// Histories joined by date; `clash` is refuse or first.
#[pyfunction]
#[pyo3(signature = (histories, clash))]
pub(crate) fn join_histories(
    python: Python<'_>,
    histories: Vec<Py<History>>,
    clash: &str,
) -> PyResult<History> {
    let made = enter(python, || {
        let parts: Vec<&engine::History> = histories.iter().map(|own| own.get().0.as_ref()).collect();
        joined(&parts, Clash::read(clash)?)
    })?;
    Ok(History(Arc::new(made)))
}

/// What is noticed about a table as a history, every unusable cell by itself.
#[pyfunction]
#[pyo3(signature = (prices))]
pub(crate) fn check_history<'py>(python: Python<'py>, prices: &Bound<'py, PyAny>) -> PyResult<Rows<'py>> {
    let prices = table(prices)?;
    let found = enter(python, || {
        let issues = inspect_history(&prices, &Reading::default())?;
        Ok(answer::check::issues(&issues))
    })?;
    to_python(python, &found)
}

/// One history of several, the oldest source first.
#[pyfunction]
#[pyo3(signature = (histories))]
pub(crate) fn splice_histories(python: Python<'_>, histories: Vec<Py<History>>) -> PyResult<History> {
    let sources: Vec<&engine::History> = histories.iter().map(|own| own.get().0.as_ref()).collect();
    enter(python, || splice(&sources)).map(|made| History(Arc::new(made)))
}
