//! How large a position may be, and how near its liquidation is.

use crossmargin_engine::statistics::risk_budget_weights as budget_weights;
use crossmargin_engine::statistics::sizing::{self, Leveraged};
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter;

/// Kelly's fraction, growth, share of growth at half, growth at twice.
#[pyfunction]
#[pyo3(signature = (drift, volatility))]
pub(crate) fn kelly(python: Python<'_>, drift: f64, volatility: f64) -> PyResult<(f64, f64, f64, f64)> {
    enter(python, || {
        let found = sizing::kelly(drift, volatility)?;
        Ok((found.fraction, found.growth, found.half_share, found.double_growth))
    })
}

/// Growth rate of a fraction.
#[pyfunction]
#[pyo3(signature = (fraction, drift, volatility))]
pub(crate) fn growth_rate(python: Python<'_>, fraction: f64, drift: f64, volatility: f64) -> PyResult<f64> {
    enter(python, || sizing::growth(fraction, drift, volatility))
}

/// Weight at which a position has the volatility aimed at.
#[pyfunction]
#[pyo3(signature = (target, volatility))]
pub(crate) fn volatility_target_weight(python: Python<'_>, target: f64, volatility: f64) -> PyResult<f64> {
    enter(python, || sizing::volatility_target_weight(target, volatility))
}

/// Largest leverage whose normal value at risk stays within a budget.
#[pyfunction]
#[pyo3(signature = (budget, volatility, confidence, horizon_days, days_per_year))]
pub(crate) fn leverage_cap(
    python: Python<'_>,
    budget: f64,
    volatility: f64,
    confidence: f64,
    horizon_days: f64,
    days_per_year: f64,
) -> PyResult<f64> {
    enter(python, || {
        crossmargin_engine::statistics::check_confidence(confidence)?;
        sizing::leverage_cap(budget, volatility, confidence, horizon_days, days_per_year)
    })
}

/// Probability that a leveraged position is liquidated within a time.
#[pyfunction]
#[pyo3(signature = (leverage, maintenance_rate, is_long, volatility, years, drift))]
pub(crate) fn barrier_liquidation_probability(
    python: Python<'_>,
    leverage: f64,
    maintenance_rate: f64,
    is_long: bool,
    volatility: f64,
    years: f64,
    drift: f64,
) -> PyResult<f64> {
    let position = Leveraged { leverage, maintenance_rate, long: is_long };
    enter(python, || sizing::liquidation_probability(position, volatility, years, drift))
}

/// Distance to a liquidation price: logarithmic, daily sigmas, relative, hours to one sigma.
#[pyfunction]
#[pyo3(signature = (price, liquidation_price, volatility, days_per_year))]
pub(crate) fn distance_to_liquidation(
    python: Python<'_>,
    price: f64,
    liquidation_price: f64,
    volatility: f64,
    days_per_year: f64,
) -> PyResult<(f64, f64, f64, f64)> {
    enter(python, || {
        let found = sizing::distance_to_liquidation(price, liquidation_price, volatility, days_per_year)?;
        Ok((found.logarithmic, found.daily_sigmas, found.relative, found.hours_to_one_sigma))
    })
}

/// An initial rate raised by open interest.
#[pyfunction]
#[pyo3(signature = (rate, open_interest, lower, upper))]
pub(crate) fn open_interest_rate(
    python: Python<'_>,
    rate: f64,
    open_interest: f64,
    lower: f64,
    upper: f64,
) -> PyResult<f64> {
    enter(python, || sizing::open_interest_rate(rate, open_interest, lower, upper))
}

/// A margin weight that grows with the root of the size.
#[pyfunction]
#[pyo3(signature = (weight, coefficient, size))]
pub(crate) fn size_premium(python: Python<'_>, weight: f64, coefficient: f64, size: f64) -> PyResult<f64> {
    enter(python, || sizing::size_premium(weight, coefficient, size))
}

/// Weights whose contributions to the volatility are in proportion to budgets.
#[pyfunction]
#[pyo3(signature = (covariance, budgets))]
pub(crate) fn risk_budget_weights<'py>(
    python: Python<'py>,
    covariance: Numbers<'py>,
    budgets: Numbers<'py>,
) -> PyResult<Column<'py>> {
    let covariance = array::slice("covariance", &covariance)?;
    let budgets = array::slice("budgets", &budgets)?;
    Ok(array::result(python, enter(python, || budget_weights(covariance, budgets))?))
}
