//! What it costs and how long it takes to leave a position.

use crossmargin_engine::statistics::laws::multiple_of_volatility;
use crossmargin_engine::statistics::liquidity::{self, Depth, Spread};
use pyo3::prelude::*;

use crate::enter::enter;

/// Value at risk, cost of the spread, both together.
#[pyfunction]
#[pyo3(signature = (value, volatility, confidence, multiple, spread, spread_volatility, spread_multiple))]
#[expect(clippy::too_many_arguments, reason = "the terms of one formula")]
pub(crate) fn liquidity_adjusted_value_at_risk(
    python: Python<'_>,
    value: f64,
    volatility: f64,
    confidence: Option<f64>,
    multiple: Option<f64>,
    spread: f64,
    spread_volatility: f64,
    spread_multiple: f64,
) -> PyResult<(f64, f64, f64)> {
    let spread = Spread { mean: spread, volatility: spread_volatility, multiple: spread_multiple };
    enter(python, || {
        let multiple = multiple_of_volatility(confidence, multiple)?;
        let found = liquidity::liquidity_adjusted_value_at_risk(value, volatility, multiple, spread)?;
        Ok((found.value_at_risk, found.spread_cost, found.total))
    })
}

/// Ratio of a liquidity-adjusted value at risk to the plain one by the elasticity of the price.
#[pyfunction]
#[pyo3(signature = (elasticity, traded_share))]
pub(crate) fn elasticity_ratio(python: Python<'_>, elasticity: f64, traded_share: f64) -> PyResult<f64> {
    enter(python, || liquidity::elasticity_ratio(elasticity, traded_share))
}

/// The square-root law: peak, average, price move, cost.
#[pyfunction]
#[pyo3(signature = (quantity, price, daily_volume, daily_volatility, coefficient))]
pub(crate) fn square_root_impact(
    python: Python<'_>,
    quantity: f64,
    price: f64,
    daily_volume: f64,
    daily_volatility: f64,
    coefficient: f64,
) -> PyResult<(f64, f64, f64, f64)> {
    let depth = Depth { daily_volume, daily_volatility, coefficient };
    enter(python, || {
        let found = liquidity::square_root_cost(quantity, price, &depth)?;
        Ok((found.impact.peak, found.impact.average, found.price_move, found.cost))
    })
}

/// Concentration: days to sell, impact, add-on.
#[pyfunction]
#[pyo3(signature = (quantity, price, half_spread, daily_volume, daily_volatility, coefficient, free_share, participation))]
#[expect(clippy::too_many_arguments, reason = "the terms of one formula")]
pub(crate) fn concentration(
    python: Python<'_>,
    quantity: f64,
    price: f64,
    half_spread: f64,
    daily_volume: f64,
    daily_volatility: f64,
    coefficient: f64,
    free_share: f64,
    participation: f64,
) -> PyResult<(f64, f64, f64)> {
    let depth = Depth { daily_volume, daily_volatility, coefficient };
    enter(python, || {
        let found =
            liquidity::concentration(quantity, price, half_spread, &depth, free_share, participation)?;
        Ok((found.days, found.impact, found.addon))
    })
}

/// Factor on a one-day value at risk of a position that is sold in equal parts.
#[pyfunction]
#[pyo3(signature = (days))]
pub(crate) fn unwind_factor(python: Python<'_>, days: f64) -> PyResult<f64> {
    enter(python, || liquidity::unwind_factor(days))
}

/// Factors on a one-day variance and volatility of autocorrelated returns.
#[pyfunction]
#[pyo3(signature = (days, autocorrelation))]
pub(crate) fn autocorrelated_factor(
    python: Python<'_>,
    days: u32,
    autocorrelation: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        let found = liquidity::autocorrelated_factor(days, autocorrelation)?;
        Ok((found.variance, found.volatility))
    })
}

/// A haircut for other periods of revaluation and holding.
#[pyfunction]
#[pyo3(signature = (haircut, days_between, holding_days))]
pub(crate) fn scaled_haircut(
    python: Python<'_>,
    haircut: f64,
    days_between: f64,
    holding_days: f64,
) -> PyResult<f64> {
    enter(python, || liquidity::scaled_haircut(haircut, days_between, holding_days))
}
