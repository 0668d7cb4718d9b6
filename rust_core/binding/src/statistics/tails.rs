//! Tails of scenarios: value at risk, expected shortfall, how sure they are, and who contributes.

use crossmargin_engine::statistics::{self, Ties};
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter;

/// Scenarios of a tail and their weights.
type Tail<'py> = (f64, f64, Vec<usize>, Column<'py>);
/// P&L, value at risk, expected shortfall, component, stand-alone, incremental.
type Contributions<'py> = (Column<'py>, f64, f64, Column<'py>, Column<'py>, Column<'py>);

fn ties(first_listed: bool) -> Ties {
    if first_listed { Ties::FirstListed } else { Ties::Mean }
}

/// Value at risk and expected shortfall of losses, with the scenarios in the tail and their weights.
#[pyfunction]
#[pyo3(signature = (losses, probabilities, confidence, first_listed))]
pub(crate) fn sample_tail<'py>(
    python: Python<'py>,
    losses: Numbers<'py>,
    probabilities: Option<Numbers<'py>>,
    confidence: f64,
    first_listed: bool,
) -> PyResult<Tail<'py>> {
    let losses = array::slice("losses", &losses)?;
    let probabilities = array::optional("probabilities", probabilities.as_ref())?;
    let found = enter(python, || {
        statistics::check_confidence(confidence)?;
        statistics::tail(losses, probabilities, confidence, ties(first_listed))
    })?;
    let (scenarios, weights) = found.weights.into_iter().unzip();
    Ok((found.value_at_risk, found.expected_shortfall, scenarios, array::result(python, weights)))
}

/// What every position adds to the expected shortfall of scenarios.
#[pyfunction]
#[pyo3(signature = (pnl, positions, probabilities, confidence, first_listed))]
pub(crate) fn shortfall_contributions<'py>(
    python: Python<'py>,
    pnl: Numbers<'py>,
    positions: usize,
    probabilities: Option<Numbers<'py>>,
    confidence: f64,
    first_listed: bool,
) -> PyResult<Contributions<'py>> {
    let pnl = array::slice("pnl", &pnl)?;
    let probabilities = array::optional("probabilities", probabilities.as_ref())?;
    let found = enter(python, || {
        statistics::check_confidence(confidence)?;
        statistics::tail_contributions(pnl, positions, probabilities, confidence, ties(first_listed))
    })?;
    Ok((
        array::result(python, found.pnl),
        found.tail.value_at_risk,
        found.tail.expected_shortfall,
        array::result(python, found.component),
        array::result(python, found.stand_alone),
        array::result(python, found.incremental),
    ))
}

/// Interval of a value at risk by order statistics: lower end, upper end, coverage.
#[pyfunction]
#[pyo3(signature = (losses, probabilities, confidence, coverage))]
pub(crate) fn value_at_risk_interval(
    python: Python<'_>,
    losses: Numbers<'_>,
    probabilities: Option<Numbers<'_>>,
    confidence: f64,
    coverage: f64,
) -> PyResult<(Option<f64>, Option<f64>, f64)> {
    let losses = array::slice("losses", &losses)?;
    let probabilities = array::optional("probabilities", probabilities.as_ref())?;
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = statistics::value_at_risk_interval(losses, probabilities, confidence, coverage)?;
        Ok((found.lower, found.upper, found.coverage))
    })
}

/// Ranks that enclose a quantile: lower, upper, coverage.
#[pyfunction]
#[pyo3(signature = (count, confidence, coverage))]
pub(crate) fn order_statistic_ranks(
    python: Python<'_>,
    count: usize,
    confidence: f64,
    coverage: f64,
) -> PyResult<(Option<usize>, Option<usize>, f64)> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = statistics::ranks(count, confidence, coverage)?;
        Ok((found.lower, found.upper, found.coverage))
    })
}

/// Probability that a quantile lies between two order statistics.
#[pyfunction]
#[pyo3(signature = (count, confidence, lower, upper))]
pub(crate) fn order_statistic_coverage(
    python: Python<'_>,
    count: usize,
    confidence: f64,
    lower: Option<usize>,
    upper: Option<usize>,
) -> PyResult<f64> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        statistics::rank_coverage(count, confidence, lower, upper)
    })
}

/// Asymptotic standard errors of value at risk and expected shortfall of a normal or Student law.
#[pyfunction]
#[pyo3(signature = (volatility, confidence, count, degrees_of_freedom))]
pub(crate) fn sampling_errors(
    python: Python<'_>,
    volatility: f64,
    confidence: f64,
    count: f64,
    degrees_of_freedom: Option<f64>,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        statistics::check_confidence(confidence)?;
        let found = match degrees_of_freedom {
            Some(nu) => statistics::student_errors(volatility, nu, confidence, count)?,
            None => statistics::SamplingErrors {
                value_at_risk: statistics::normal_value_at_risk_error(volatility, confidence, count)?,
                expected_shortfall: statistics::normal_expected_shortfall_error(
                    volatility, confidence, count,
                )?,
            },
        };
        Ok((found.value_at_risk, found.expected_shortfall))
    })
}

/// Standard error of the expected shortfall of losses.
#[pyfunction]
#[pyo3(signature = (losses, probabilities, confidence))]
pub(crate) fn expected_shortfall_error(
    python: Python<'_>,
    losses: Numbers<'_>,
    probabilities: Option<Numbers<'_>>,
    confidence: f64,
) -> PyResult<f64> {
    let losses = array::slice("losses", &losses)?;
    let probabilities = array::optional("probabilities", probabilities.as_ref())?;
    enter(python, || {
        statistics::check_confidence(confidence)?;
        statistics::expected_shortfall_error(losses, probabilities, confidence)
    })
}

/// How many equal scenarios weighted ones are worth.
#[pyfunction]
#[pyo3(signature = (weights))]
pub(crate) fn effective_size(python: Python<'_>, weights: Numbers<'_>) -> PyResult<f64> {
    let weights = array::slice("weights", &weights)?;
    enter(python, || statistics::effective_size(weights))
}
