//! Volatilities that change, weights by age, filtered returns.

use crossmargin_engine::statistics::volatility::{self, FilterLimits, Garch};
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter;

/// The exponentially weighted volatility after one more return.
#[pyfunction]
#[pyo3(signature = (volatility, latest, decay))]
pub(crate) fn ewma_volatility_update(
    python: Python<'_>,
    volatility: f64,
    latest: f64,
    decay: f64,
) -> PyResult<f64> {
    enter(python, || volatility::ewma_volatility_update(volatility, latest, decay))
}

/// Exponentially weighted forecasts, each made the day before.
#[pyfunction]
#[pyo3(signature = (returns, decay, start))]
pub(crate) fn ewma_volatilities<'py>(
    python: Python<'py>,
    returns: Numbers<'py>,
    decay: f64,
    start: usize,
) -> PyResult<Column<'py>> {
    let returns = array::slice("returns", &returns)?;
    Ok(array::result(python, enter(python, || volatility::ewma_volatilities(returns, decay, start))?))
}

/// Days after which a weight has halved.
#[pyfunction]
#[pyo3(signature = (decay))]
pub(crate) fn half_life(python: Python<'_>, decay: f64) -> PyResult<f64> {
    enter(python, || volatility::half_life(decay))
}

/// The GARCH(1,1) volatility after one more return.
#[pyfunction]
#[pyo3(signature = (omega, alpha, beta, volatility, latest))]
pub(crate) fn garch_volatility_update(
    python: Python<'_>,
    omega: f64,
    alpha: f64,
    beta: f64,
    volatility: f64,
    latest: f64,
) -> PyResult<f64> {
    enter(python, || Garch { omega, alpha, beta }.next(volatility, latest))
}

/// The volatility that GARCH(1,1) forecasts tend to.
#[pyfunction]
#[pyo3(signature = (omega, alpha, beta))]
pub(crate) fn garch_long_run_volatility(
    python: Python<'_>,
    omega: f64,
    alpha: f64,
    beta: f64,
) -> PyResult<f64> {
    enter(python, || Garch { omega, alpha, beta }.long_run())
}

/// Weights of scenarios by age, the oldest first; their sum; how many equal ones they are worth.
#[pyfunction]
#[pyo3(signature = (count, decay))]
pub(crate) fn age_weights(python: Python<'_>, count: usize, decay: f64) -> PyResult<(Column<'_>, f64, f64)> {
    let found = enter(python, || volatility::measured_age_weights(count, decay))?;
    Ok((array::result(python, found.weights), found.total, found.effective_size))
}

/// Returns as they would be at today's volatility.
#[pyfunction]
#[pyo3(signature = (returns, forecasts, today, cap, floor))]
pub(crate) fn filtered_returns<'py>(
    python: Python<'py>,
    returns: Numbers<'py>,
    forecasts: Numbers<'py>,
    today: f64,
    cap: Option<f64>,
    floor: Option<f64>,
) -> PyResult<Column<'py>> {
    let returns = array::slice("returns", &returns)?;
    let forecasts = array::slice("forecasts", &forecasts)?;
    let limits = FilterLimits { cap, floor };
    let found = enter(python, || volatility::filtered_returns(returns, forecasts, today, limits))?;
    Ok(array::result(python, found))
}
