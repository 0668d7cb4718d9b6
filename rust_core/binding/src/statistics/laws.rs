//! Laws in closed form, copulas, and contributions to a multiple of volatility.

use crossmargin_engine::statistics::laws::{self, Spread};
use crossmargin_engine::statistics::{self, copulas, lognormal};
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter;

/// Total; sum of stand-alone; component, share, marginal, incremental, stand-alone, beta; orders by component,
/// marginal, incremental, notional.
type Contributions<'py> = (f64, f64, [Column<'py>; 6], [Vec<usize>; 4]);

/// Volatility over a horizon.
#[pyfunction]
#[pyo3(signature = (volatility, horizon_days, days_per_year))]
pub(crate) fn horizon_volatility(
    python: Python<'_>,
    volatility: f64,
    horizon_days: f64,
    days_per_year: f64,
) -> PyResult<f64> {
    enter(python, || laws::horizon_volatility(volatility, horizon_days, days_per_year))
}

/// Value at risk and expected shortfall of normal losses.
#[pyfunction]
#[pyo3(signature = (volatility, confidence, value))]
pub(crate) fn normal_tail(
    python: Python<'_>,
    volatility: f64,
    confidence: f64,
    value: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = laws::normal_tail(volatility, confidence)?.of_value(value)?;
        Ok((found.value_at_risk, found.expected_shortfall))
    })
}

/// Value at risk and expected shortfall of Student losses, of a volatility or of a scale.
#[pyfunction]
#[pyo3(signature = (spread, degrees_of_freedom, confidence, value, is_scale))]
pub(crate) fn student_tail(
    python: Python<'_>,
    spread: f64,
    degrees_of_freedom: f64,
    confidence: f64,
    value: f64,
    is_scale: bool,
) -> PyResult<(f64, f64)> {
    let kind = if is_scale { Spread::Scale } else { Spread::Volatility };
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = laws::student_tail(spread, degrees_of_freedom, confidence, kind)?.of_value(value)?;
        Ok((found.value_at_risk, found.expected_shortfall))
    })
}

/// Value at risk and expected shortfall of a position that has gamma alone.
#[pyfunction]
#[pyo3(signature = (gamma, volatility, confidence))]
pub(crate) fn pure_gamma_tail(
    python: Python<'_>,
    gamma: f64,
    volatility: f64,
    confidence: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = laws::pure_gamma_tail(gamma, volatility, confidence)?;
        Ok((found.value_at_risk, found.expected_shortfall))
    })
}

/// Cornish and Fisher's quantile.
#[pyfunction]
#[pyo3(signature = (probability, skewness, excess_kurtosis, whole_law))]
pub(crate) fn cornish_fisher_quantile(
    python: Python<'_>,
    probability: f64,
    skewness: f64,
    excess_kurtosis: f64,
    whole_law: bool,
) -> PyResult<f64> {
    enter(python, || statistics::cornish_fisher_quantile(probability, skewness, excess_kurtosis, whole_law))
}

/// Expected-shortfall rates of a lognormal price: long, short.
#[pyfunction]
#[pyo3(signature = (tail_probability, volatility, years, drift))]
pub(crate) fn lognormal_shortfall_rates(
    python: Python<'_>,
    tail_probability: f64,
    volatility: f64,
    years: f64,
    drift: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        let found = lognormal::lognormal_shortfall_rates(tail_probability, volatility, years, drift)?;
        Ok((found.long, found.short))
    })
}

/// How often normal losses exceed their own expected shortfall.
#[pyfunction]
#[pyo3(signature = (confidence))]
pub(crate) fn expected_shortfall_exceedance_rate(python: Python<'_>, confidence: f64) -> PyResult<f64> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        laws::expected_shortfall_exceedance_rate(confidence)
    })
}

/// Tail dependence of the Student copula.
#[pyfunction]
#[pyo3(signature = (degrees_of_freedom, correlation))]
pub(crate) fn tail_dependence(
    python: Python<'_>,
    degrees_of_freedom: f64,
    correlation: f64,
) -> PyResult<f64> {
    enter(python, || copulas::tail_dependence(degrees_of_freedom, correlation))
}

/// Kendall's tau of a correlation.
#[pyfunction]
#[pyo3(signature = (correlation))]
pub(crate) fn kendall_tau(python: Python<'_>, correlation: f64) -> PyResult<f64> {
    enter(python, || copulas::kendall_tau(correlation))
}

/// The correlation of a Kendall's tau.
#[pyfunction]
#[pyo3(signature = (tau))]
pub(crate) fn correlation_of_kendall_tau(python: Python<'_>, tau: f64) -> PyResult<f64> {
    enter(python, || copulas::correlation_of_kendall_tau(tau))
}

/// Spearman's rho of a correlation.
#[pyfunction]
#[pyo3(signature = (correlation))]
pub(crate) fn spearman_rho(python: Python<'_>, correlation: f64) -> PyResult<f64> {
    enter(python, || copulas::spearman_rho(correlation))
}

/// What every exposure adds to a multiple of the book's volatility.
#[pyfunction]
#[pyo3(signature = (exposures, covariance, confidence, multiple))]
pub(crate) fn volatility_contributions<'py>(
    python: Python<'py>,
    exposures: Numbers<'py>,
    covariance: Numbers<'py>,
    confidence: Option<f64>,
    multiple: Option<f64>,
) -> PyResult<Contributions<'py>> {
    let exposures = array::slice("exposures", &exposures)?;
    let covariance = array::slice("covariance", &covariance)?;
    let (found, shares, orders) = enter(python, || {
        let multiple = laws::multiple_of_volatility(confidence, multiple)?;
        let found = statistics::contributions(exposures, covariance, multiple)?;
        let (shares, orders) = (found.shares(), found.orders(exposures)?);
        Ok((found, shares, orders))
    })?;
    let undiversified = found.undiversified();
    let columns = [found.component, shares, found.marginal, found.incremental, found.stand_alone, found.beta]
        .map(|values| array::result(python, values));
    let orders = [orders.component, orders.marginal, orders.incremental, orders.notional];
    Ok((found.total, undiversified, columns, orders))
}
