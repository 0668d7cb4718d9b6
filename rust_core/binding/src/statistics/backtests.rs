//! Backtests of value at risk and expected shortfall, and measures of procyclicality.

use crossmargin_engine::random::Law;
use crossmargin_engine::statistics::backtest::{self, Exceedances, Test, Transitions};
use crossmargin_engine::statistics::procyclicality;
use crossmargin_engine::statistics::shortfall_backtest::{self, Verdict};
use crossmargin_engine::statistics::shortfall_critical::{self, Simulation};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::{enter, enter_watched};

/// Neither day, the later day, the day before, both days.
type Pairs = (u64, u64, u64, u64);

/// First and second statistic, exceedances, verdict, why there is none.
type ShortfallTest = (Option<f64>, f64, usize, Option<&'static str>, String);

fn transitions((calm_calm, calm_exceeded, exceeded_calm, exceeded_exceeded): Pairs) -> Transitions {
    Transitions { calm_calm, calm_exceeded, exceeded_calm, exceeded_exceeded }
}

fn pair(test: Test) -> (f64, f64) {
    (test.statistic, test.p_value)
}

/// Days, exceedances and pairs of days.
#[pyfunction]
#[pyo3(signature = (exceeded))]
pub(crate) fn count_exceedances(exceeded: PyReadonlyArray1<'_, bool>) -> PyResult<(u64, u64, Pairs)> {
    let found = backtest::exceedances(array::slice("exceeded", &exceeded)?);
    let pairs = found.transitions;
    Ok((
        found.days,
        found.exceeded,
        (pairs.calm_calm, pairs.calm_exceeded, pairs.exceeded_calm, pairs.exceeded_exceeded),
    ))
}

/// Kupiec's test: statistic, p-value, exact p-value, probability of as many or more, of as many or fewer.
#[pyfunction]
#[pyo3(signature = (days, exceeded, expected_rate))]
pub(crate) fn proportion_of_failures(
    python: Python<'_>,
    days: u64,
    exceeded: u64,
    expected_rate: f64,
) -> PyResult<(f64, f64, f64, f64, f64)> {
    enter(python, || {
        let found = backtest::proportion_of_failures(days, exceeded, expected_rate)?;
        let (statistic, p_value) = pair(found.ratio);
        Ok((statistic, p_value, found.exact_p_value, found.at_least, found.at_most))
    })
}

/// The smallest and largest number of exceedances that Kupiec's test accepts.
#[pyfunction]
#[pyo3(signature = (days, expected_rate, level))]
pub(crate) fn accepted_failures(
    python: Python<'_>,
    days: u64,
    expected_rate: f64,
    level: f64,
) -> PyResult<(u64, u64)> {
    enter(python, || backtest::accepted_failures(days, expected_rate, level))
}

/// Christoffersen's test of independence: statistic, p-value.
#[pyfunction]
#[pyo3(signature = (pairs))]
pub(crate) fn independence(python: Python<'_>, pairs: Pairs) -> PyResult<(f64, f64)> {
    enter(python, || backtest::independence(&transitions(pairs)).map(pair))
}

/// Christoffersen's conditional coverage: statistic, p-value.
#[pyfunction]
#[pyo3(signature = (days, exceeded, pairs, expected_rate))]
pub(crate) fn conditional_coverage(
    python: Python<'_>,
    days: u64,
    exceeded: u64,
    pairs: Pairs,
    expected_rate: f64,
) -> PyResult<(f64, f64)> {
    let observed = Exceedances { days, exceeded, transitions: transitions(pairs) };
    enter(python, || backtest::conditional_coverage(&observed, expected_rate).map(pair))
}

/// Zone of the Basel traffic light and the cumulative probability by which it goes.
#[pyfunction]
#[pyo3(signature = (days, exceeded, expected_rate))]
pub(crate) fn traffic_light(
    python: Python<'_>,
    days: u64,
    exceeded: u64,
    expected_rate: f64,
) -> PyResult<(&'static str, f64)> {
    enter(python, || {
        let (zone, probability) = backtest::traffic_light(days, exceeded, expected_rate)?;
        Ok((zone.word(), probability))
    })
}

/// Acerbi and Szekely's statistics: first, second, exceedances, verdict, why there is none.
#[pyfunction]
#[pyo3(signature = (pnl, value_at_risk, expected_shortfall, expected_rate))]
pub(crate) fn shortfall_test(
    python: Python<'_>,
    pnl: Numbers<'_>,
    value_at_risk: Numbers<'_>,
    expected_shortfall: Numbers<'_>,
    expected_rate: f64,
) -> PyResult<ShortfallTest> {
    let pnl = array::slice("pnl", &pnl)?;
    let value_at_risk = array::slice("value_at_risk", &value_at_risk)?;
    let expected_shortfall = array::slice("expected_shortfall", &expected_shortfall)?;
    let found = enter(python, || {
        shortfall_backtest::shortfall_test(pnl, value_at_risk, expected_shortfall, expected_rate)
    })?;
    let (verdict, why) = match found.verdict {
        Verdict::Accepted => (Some("accepted"), String::new()),
        Verdict::RejectedAtFivePercent => (Some("rejected at 5 %"), String::new()),
        Verdict::RejectedAtOneInTenThousand => (Some("rejected at 0.01 %"), String::new()),
        Verdict::None { why } => (None, why),
    };
    Ok((found.first, found.second, found.exceeded, verdict, why))
}

/// Critical values of the second statistic by simulation.
#[pyfunction]
#[pyo3(signature = (days, expected_rate, levels, degrees_of_freedom, histories, seed, threads))]
#[expect(clippy::too_many_arguments, reason = "what is simulated; named in Python")]
pub(crate) fn shortfall_critical_values<'py>(
    python: Python<'py>,
    days: usize,
    expected_rate: f64,
    levels: Numbers<'py>,
    degrees_of_freedom: Option<f64>,
    histories: usize,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Column<'py>> {
    let levels = array::slice("levels", &levels)?;
    let law =
        degrees_of_freedom.map_or(Law::Normal, |degrees_of_freedom| Law::StudentT { degrees_of_freedom });
    let simulation = Simulation { days, expected_rate, law, histories, seed };
    let found = enter_watched(python, None, |watch| {
        shortfall_critical::shortfall_critical_values(&simulation, levels, threads, watch)
    })?;
    Ok(array::result(python, found))
}

/// Peak to trough, largest increase and largest ratio of a path of margins.
#[pyfunction]
#[pyo3(signature = (margins, steps))]
pub(crate) fn margin_procyclicality(
    python: Python<'_>,
    margins: Numbers<'_>,
    steps: usize,
) -> PyResult<(f64, f64, f64)> {
    let margins = array::slice("margins", &margins)?;
    enter(python, || {
        let found = procyclicality::procyclicality(margins, steps)?;
        Ok((found.peak_to_trough, found.largest_increase, found.largest_ratio))
    })
}

/// A margin under the three options against procyclicality.
#[pyfunction]
#[pyo3(signature = (margin, stressed, ten_years, share))]
pub(crate) fn emir_options(
    python: Python<'_>,
    margin: f64,
    stressed: f64,
    ten_years: f64,
    share: f64,
) -> PyResult<(f64, f64, f64)> {
    enter(python, || {
        let found = procyclicality::emir_options(margin, stressed, ten_years, share)?;
        Ok((found.buffered, found.blended, found.floored))
    })
}

/// The multiplier of margins at a stress index.
#[pyfunction]
#[pyo3(signature = (stress, thresholds, multipliers))]
pub(crate) fn step_multiplier(
    python: Python<'_>,
    stress: f64,
    thresholds: Numbers<'_>,
    multipliers: Numbers<'_>,
) -> PyResult<f64> {
    let thresholds = array::slice("thresholds", &thresholds)?;
    let multipliers = array::slice("multipliers", &multipliers)?;
    enter(python, || procyclicality::step_multiplier(stress, thresholds, multipliers))
}
