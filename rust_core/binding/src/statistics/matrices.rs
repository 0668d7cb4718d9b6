//! Covariances, correlations and betas.

use crossmargin_engine::statistics::{self, Mean, Nearest, Target};
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter;

/// Covariance of returns.
#[pyfunction]
#[pyo3(signature = (returns, factors, mean_zero))]
pub(crate) fn sample_covariance<'py>(
    python: Python<'py>,
    returns: Numbers<'py>,
    factors: usize,
    mean_zero: bool,
) -> PyResult<Column<'py>> {
    let returns = array::slice("returns", &returns)?;
    let mean = if mean_zero { Mean::Zero } else { Mean::Sample };
    Ok(array::result(python, enter(python, || statistics::sample_covariance(returns, factors, mean))?))
}

/// Exponentially weighted covariance of returns.
#[pyfunction]
#[pyo3(signature = (returns, factors, decay, start))]
pub(crate) fn ewma_covariance<'py>(
    python: Python<'py>,
    returns: Numbers<'py>,
    factors: usize,
    decay: f64,
    start: usize,
) -> PyResult<Column<'py>> {
    let returns = array::slice("returns", &returns)?;
    let found = enter(python, || statistics::ewma_covariance(returns, factors, decay, start))?;
    Ok(array::result(python, found))
}

/// One step of it.
#[pyfunction]
#[pyo3(signature = (covariance, latest, decay))]
pub(crate) fn ewma_covariance_update<'py>(
    python: Python<'py>,
    covariance: Numbers<'py>,
    latest: Numbers<'py>,
    decay: f64,
) -> PyResult<Column<'py>> {
    let covariance = array::slice("covariance", &covariance)?;
    let latest = array::slice("latest", &latest)?;
    Ok(array::result(python, enter(python, || statistics::ewma_update(covariance, latest, decay))?))
}

/// Ledoit and Wolf's shrinkage, of the covariance or of the correlation: intensity and matrix.
#[pyfunction]
#[pyo3(signature = (returns, factors, of_correlation))]
pub(crate) fn ledoit_wolf<'py>(
    python: Python<'py>,
    returns: Numbers<'py>,
    factors: usize,
    of_correlation: bool,
) -> PyResult<(f64, Column<'py>)> {
    let returns = array::slice("returns", &returns)?;
    let found = enter(python, || {
        if of_correlation {
            statistics::ledoit_wolf_correlation(returns, factors)
        } else {
            statistics::ledoit_wolf(returns, factors)
        }
    })?;
    Ok((found.intensity, array::result(python, found.covariance)))
}

/// Volatilities and correlation of a covariance.
#[pyfunction]
#[pyo3(signature = (covariance, size))]
pub(crate) fn correlation_of<'py>(
    python: Python<'py>,
    covariance: Numbers<'py>,
    size: usize,
) -> PyResult<(Column<'py>, Column<'py>)> {
    let covariance = array::slice("covariance", &covariance)?;
    let (volatilities, correlation) = enter(python, || statistics::correlation_of(covariance, size))?;
    Ok((array::result(python, volatilities), array::result(python, correlation)))
}

/// Covariance of volatilities and a correlation.
#[pyfunction]
#[pyo3(signature = (volatilities, correlation))]
pub(crate) fn covariance_of<'py>(
    python: Python<'py>,
    volatilities: Numbers<'py>,
    correlation: Numbers<'py>,
) -> PyResult<Column<'py>> {
    let volatilities = array::slice("volatilities", &volatilities)?;
    let correlation = array::slice("correlation", &correlation)?;
    Ok(array::result(python, enter(python, || statistics::covariance_of(volatilities, correlation))?))
}

/// Checks a correlation matrix; returns its smallest eigenvalue.
#[pyfunction]
#[pyo3(signature = (correlation, size))]
pub(crate) fn check_correlation(python: Python<'_>, correlation: Numbers<'_>, size: usize) -> PyResult<f64> {
    let correlation = array::slice("correlation", &correlation)?;
    enter(python, || statistics::check_possible(correlation, size))
}

/// The smallest eigenvalue of a symmetric matrix.
#[pyfunction]
#[pyo3(signature = (matrix, size))]
pub(crate) fn smallest_eigenvalue(python: Python<'_>, matrix: Numbers<'_>, size: usize) -> PyResult<f64> {
    let matrix = array::slice("matrix", &matrix)?;
    enter(python, || statistics::smallest_eigenvalue(matrix, size))
}

/// The nearest correlation matrix, or the spectral repair: matrix, distance, steps.
#[pyfunction]
#[pyo3(signature = (matrix, size, smallest_eigenvalue, spectral))]
pub(crate) fn repaired_correlation<'py>(
    python: Python<'py>,
    matrix: Numbers<'py>,
    size: usize,
    smallest_eigenvalue: f64,
    spectral: bool,
) -> PyResult<(Column<'py>, f64, usize)> {
    let matrix = array::slice("matrix", &matrix)?;
    let Nearest { correlation, distance, iterations } = enter(python, || {
        if spectral {
            statistics::spectral_correlation(matrix, size, smallest_eigenvalue)
        } else {
            statistics::nearest_correlation(matrix, size, smallest_eigenvalue)
        }
    })?;
    Ok((array::result(python, correlation), distance, iterations))
}

/// Correlations moved towards a target: 1, 0, a matrix, or the pattern of signs.
#[pyfunction]
#[pyo3(signature = (correlation, size, share, towards_one, signs, target))]
pub(crate) fn stressed_correlation<'py>(
    python: Python<'py>,
    correlation: Numbers<'py>,
    size: usize,
    share: f64,
    towards_one: bool,
    signs: Option<Numbers<'py>>,
    target: Option<Numbers<'py>>,
) -> PyResult<Column<'py>> {
    let correlation = array::slice("correlation", &correlation)?;
    let signs = array::optional("signs", signs.as_ref())?;
    let target = array::optional("target", target.as_ref())?;
    let towards = match (signs, target) {
        (Some(signs), _) => Target::Signs(signs),
        (None, Some(matrix)) => Target::Matrix(matrix),
        (None, None) if towards_one => Target::One,
        (None, None) => Target::Zero,
    };
    let found = enter(python, || statistics::stressed_correlation(correlation, size, share, towards))?;
    Ok(array::result(python, found))
}

/// Distance of two estimates of a correlation in standard deviations.
#[pyfunction]
#[pyo3(signature = (fast, slow, effective_observations))]
pub(crate) fn correlation_change(
    python: Python<'_>,
    fast: f64,
    slow: f64,
    effective_observations: f64,
) -> PyResult<f64> {
    enter(python, || Ok(statistics::correlation_change(fast, slow, effective_observations)?.z))
}

/// Slope of an asset on a market.
#[pyfunction]
#[pyo3(signature = (asset, market))]
pub(crate) fn beta(python: Python<'_>, asset: Numbers<'_>, market: Numbers<'_>) -> PyResult<f64> {
    let (asset, market) = (array::slice("asset", &asset)?, array::slice("market", &market)?);
    enter(python, || statistics::beta(asset, market))
}

/// The slope on the worst days of the market.
#[pyfunction]
#[pyo3(signature = (asset, market, quantile))]
pub(crate) fn downside_beta(
    python: Python<'_>,
    asset: Numbers<'_>,
    market: Numbers<'_>,
    quantile: f64,
) -> PyResult<f64> {
    let (asset, market) = (array::slice("asset", &asset)?, array::slice("market", &market)?);
    enter(python, || statistics::downside_beta(asset, market, quantile))
}

/// Blume's adjusted beta.
#[pyfunction]
#[pyo3(signature = (beta))]
pub(crate) fn blume_beta(python: Python<'_>, beta: f64) -> PyResult<f64> {
    enter(python, || statistics::blume(beta))
}
