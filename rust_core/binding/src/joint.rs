//! Books under scenarios of all risk factors together.

use crossmargin_engine::revaluation::joint::{self, Asked, FactorMoves, Method};
use crossmargin_engine::{Error, Result};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::{self, Booleans, Integers, Numbers, Table};
use crate::enter::{enter, enter_watched};
use crate::error::to_python;
use crate::revaluation::Strikes;

/// Options on several underlyings, grouped by what moves them.
#[pyclass(frozen, module = "crossmargin._core")]
pub(crate) struct JointBook {
    book: joint::JointBook,
    underlyings: usize,
}

#[pymethods]
impl JointBook {
    #[new]
    #[pyo3(signature = (strikes, index, is_call, quantity))]
    fn new(
        python: Python<'_>,
        strikes: &Bound<'_, Strikes>,
        index: Integers<'_>,
        is_call: Booleans<'_>,
        quantity: Numbers<'_>,
    ) -> PyResult<Self> {
        let strikes = &strikes.get().0;
        let index = array::slice("index", &index)?;
        let is_call = array::slice("is_call", &is_call)?;
        let quantity = array::slice("quantity", &quantity)?;
        let book = enter(python, || joint::JointBook::of_strikes(strikes, index, is_call, quantity))?;
        Ok(Self { book, underlyings: strikes.underlying_count() })
    }

    fn __len__(&self) -> usize {
        self.book.count()
    }

    #[getter]
    fn underlyings(&self) -> usize {
        self.underlyings
    }

    #[pyo3(signature = (price_moves, volatility_moves, threads, progress))]
    fn profits<'py>(
        &self,
        python: Python<'py>,
        price_moves: Table<'py>,
        volatility_moves: Table<'py>,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let prices = array::rows("price_moves", &price_moves)?;
        let volatilities = array::rows("volatility_moves", &volatility_moves)?;
        let profits = enter_watched(python, progress.as_ref(), |watch| {
            let moves = FactorMoves::of_underlyings(self.underlyings, prices, volatilities, threads)?;
            self.book.all_profits(&moves, threads, watch)
        })?;
        Ok(array::result(python, profits))
    }

    #[pyo3(signature = (price_moves, volatility_moves, confidence, probabilities, method, threads, progress))]
    #[expect(clippy::too_many_arguments, reason = "one argument per question")]
    fn tail<'py>(
        &self,
        python: Python<'py>,
        price_moves: Table<'py>,
        volatility_moves: Table<'py>,
        confidence: f64,
        probabilities: Option<Numbers<'py>>,
        method: &str,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let prices = array::rows("price_moves", &price_moves)?;
        let volatilities = array::rows("volatility_moves", &volatility_moves)?;
        let probabilities = array::optional("probabilities", probabilities.as_ref())?;
        let method = method_of(method).map_err(|error| to_python(python, &error))?;
        let asked = Asked { confidence, probabilities, method, threads };
        let found = enter_watched(python, progress.as_ref(), |watch| {
            let moves = FactorMoves::of_underlyings(self.underlyings, prices, volatilities, threads)?;
            self.book.measured(&moves, asked, watch)
        })?;
        let (scenarios, weights): (Vec<i64>, Vec<f64>) =
            found.tail.weights.iter().map(|(scenario, weight)| (*scenario as i64, *weight)).unzip();
        let answer = PyDict::new(python);
        answer.set_item("expected_shortfall", found.tail.expected_shortfall)?;
        answer.set_item("value_at_risk", found.tail.value_at_risk)?;
        answer.set_item("components", array::result(python, found.components))?;
        answer.set_item("scenarios", PyArray1::from_vec(python, scenarios))?;
        answer.set_item("weights", array::result(python, weights))?;
        answer.set_item("method", found.done.method.word())?;
        answer.set_item("valued", found.done.valued)?;
        answer.set_item("bound", found.done.bound)?;
        answer.set_item("error", found.done.error)?;
        answer.set_item("difference", found.done.difference)?;
        answer.set_item("refined", found.done.refined)?;
        answer.set_item("fallback", found.done.fallback)?;
        Ok(answer)
    }
}

fn method_of(word: &str) -> Result<Method> {
    let known = Method::ALL.iter().find(|(known, _)| *known == word).map(|(_, method)| *method);
    known.ok_or_else(|| Error::Unknown {
        what: "method",
        value: word.to_owned(),
        known: Method::ALL.map(|(known, _)| known).join(", "),
    })
}
