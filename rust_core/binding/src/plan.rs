//! What-if, impact, cure, withdrawal, execution.

use crossmargin_engine::answer::{cure as cures, impact as impacts, schedule as schedules, whatif, withdraw};
use crossmargin_engine::plan::schedule::{Order, Schedule};
use crossmargin_engine::plan::{cuts, knapsack, scan};
use pyo3::prelude::*;

use crate::array::{self, Numbers, Table};
use crate::book::{Book, Pairs, Rows};
use crate::cells::{answer as to_python, table};
use crate::enter::{enter, enter_watched};

/// Before, after and change for trades.
#[pyfunction]
#[pyo3(signature = (book, trades, measure))]
pub(crate) fn what_if<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    trades: &Bound<'py, PyAny>,
    measure: &str,
) -> PyResult<Rows<'py>> {
    let (book, trades) = (book.get(), table(trades)?);
    let found =
        enter(python, || whatif::table(&book.book, book.evaluated(), book.origin(), &trades, measure))?;
    to_python(python, &found)
}

/// One figure of the book after trades.
#[pyfunction]
#[pyo3(signature = (book, trades, measure))]
pub(crate) fn what_if_number(
    python: Python<'_>,
    book: &Bound<'_, Book>,
    trades: &Bound<'_, PyAny>,
    measure: &str,
) -> PyResult<f64> {
    let (book, trades) = (book.get(), table(trades)?);
    enter(python, || whatif::number(&book.book, book.evaluated(), book.origin(), &trades, measure))
}

/// Changes of a figure by contract and size.
#[pyfunction]
#[pyo3(signature = (book, instruments, sizes, measure))]
pub(crate) fn impact<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    instruments: Vec<String>,
    sizes: Vec<f64>,
    measure: &str,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || impacts::impact(&book.book, book.origin(), &instruments, &sizes, measure))?;
    to_python(python, &found)
}

/// Actions that bring an account to a target.
#[pyfunction]
#[pyo3(signature = (book, target, allowed, max_rows, options, progress=None))]
pub(crate) fn cure<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    target: &str,
    allowed: &str,
    max_rows: f64,
    options: Pairs,
    progress: Option<Py<PyAny>>,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter_watched(python, progress.as_ref(), |watch| {
        let question = cures::Question::read(target, allowed, max_rows, &options)?;
        cures::table(&book.book, book.origin(), &question, watch)
    })?;
    to_python(python, &found)
}

/// The most of a currency that can leave.
#[pyfunction]
#[pyo3(signature = (book, currency, account))]
pub(crate) fn withdrawable(
    python: Python<'_>,
    book: &Bound<'_, Book>,
    currency: &str,
    account: &str,
) -> PyResult<f64> {
    let book = book.get();
    enter(python, || withdraw::number(&book.book, currency, account))
}

/// The same with the account on both sides of it.
#[pyfunction]
#[pyo3(signature = (book, currency, account))]
pub(crate) fn withdrawable_table<'py>(
    python: Python<'py>,
    book: &Bound<'py, Book>,
    currency: &str,
    account: &str,
) -> PyResult<Rows<'py>> {
    let book = book.get();
    let found = enter(python, || withdraw::table(&book.book, currency, account))?;
    to_python(python, &found)
}

/// A reduction spread over time, by the words of the market table.
#[pyfunction]
#[pyo3(signature = (quantity, days, price, daily_volatility, daily_volume, half_spread, options))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the sheet function")]
pub(crate) fn schedule_table<'py>(
    python: Python<'py>,
    quantity: f64,
    days: f64,
    price: f64,
    daily_volatility: f64,
    daily_volume: f64,
    half_spread: f64,
    options: Pairs,
) -> PyResult<Rows<'py>> {
    let market = schedules::Market { price, daily_volatility, daily_volume, half_spread };
    let found = enter(python, || {
        let choice = schedules::Choice::read(&options)?;
        schedules::table(&schedules::order(quantity, days, choice.periods, &market)?, choice.risk_aversion)
    })?;
    to_python(python, &found)
}

/// Holdings, trades, expected cost, variance, urgency, half life.
type Scheduled = (Vec<f64>, Vec<f64>, f64, f64, Option<f64>, Option<f64>);

/// A schedule of the kinds `optimal`, `even` or `at_once`.
#[pyfunction]
#[pyo3(signature = (quantity, days, periods, volatility, half_spread, permanent, temporary, risk_aversion, kind))]
#[expect(clippy::too_many_arguments, reason = "the terms of one formula")]
pub(crate) fn execution_schedule(
    python: Python<'_>,
    quantity: f64,
    days: f64,
    periods: usize,
    volatility: f64,
    half_spread: f64,
    permanent: f64,
    temporary: f64,
    risk_aversion: f64,
    kind: &str,
) -> PyResult<Scheduled> {
    let order = Order { quantity, days, periods, volatility, half_spread, permanent, temporary };
    let Schedule { holdings, trades, expected_cost, variance, urgency, half_life } =
        enter(python, || match kind {
            "optimal" => order.optimal(risk_aversion),
            "even" => order.even(),
            "at_once" => order.at_once(),
            other => Err(crossmargin_engine::Error::Unknown {
                what: "schedule",
                value: other.to_owned(),
                known: "optimal, even, at_once".into(),
            }),
        })?;
    Ok((holdings, trades, expected_cost, variance, urgency, half_life))
}

/// Parts and cost of the cheapest reduction: `fractions`, `whole` (by ratio) or `exact`.
#[pyfunction]
#[pyo3(signature = (relief, cost, need, kind))]
pub(crate) fn cheapest_reduction(
    python: Python<'_>,
    relief: Vec<f64>,
    cost: Vec<f64>,
    need: f64,
    kind: &str,
) -> PyResult<(Vec<f64>, f64)> {
    let found = enter(python, || match kind {
        "fractions" => knapsack::by_cost_per_relief(&relief, &cost, need, false),
        "whole" => knapsack::by_cost_per_relief(&relief, &cost, need, true),
        "exact" => knapsack::cheapest_set(&relief, &cost, need),
        other => Err(crossmargin_engine::Error::Unknown {
            what: "kind of reduction",
            value: other.to_owned(),
            known: "fractions, whole, exact".into(),
        }),
    })?;
    Ok((found.parts, found.cost))
}

/// Sizes and cost of the cheapest reduction under an impact that grows with the square of size.
#[pyfunction]
#[pyo3(signature = (impact, relief, need))]
pub(crate) fn quadratic_reduction(
    python: Python<'_>,
    impact: Vec<f64>,
    relief: Vec<f64>,
    need: f64,
) -> PyResult<(Vec<f64>, f64)> {
    let found = enter(python, || knapsack::under_quadratic_impact(&impact, &relief, need))?;
    Ok((found.parts, found.cost))
}

/// The fraction of one position to close.
#[pyfunction]
#[pyo3(signature = (notional, maintenance_rate, equity, cost, multiple))]
pub(crate) fn fraction_to_close(
    python: Python<'_>,
    notional: f64,
    maintenance_rate: f64,
    equity: f64,
    cost: f64,
    multiple: f64,
) -> PyResult<f64> {
    enter(python, || knapsack::fraction_to_close(notional, maintenance_rate, equity, cost, multiple))
}

/// Fractions, cost, bound, margin before and after, margin without each position.
type Scanned = (Vec<f64>, f64, f64, f64, f64, Vec<f64>);

/// The cheapest fractional reduction under the worst of a list of scenarios.
#[pyfunction]
#[pyo3(signature = (results, cost, equity, multiple, charges))]
pub(crate) fn scenario_reduction(
    python: Python<'_>,
    results: Table<'_>,
    cost: Vec<f64>,
    equity: f64,
    multiple: f64,
    charges: f64,
) -> PyResult<Scanned> {
    let rows = array::rows("results", &results)?;
    let found = enter(python, || scan::scan_reduction(&rows, &cost, equity, multiple, charges))?;
    Ok((
        found.fractions,
        found.cost,
        found.bound,
        found.margin_before,
        found.margin_after,
        found.margin_without,
    ))
}

/// Order of the cuts, worst loss before and after each, quantities left.
type Cut = (Vec<usize>, Vec<f64>, Vec<f64>);

/// Cuts positions one after the other until the worst scenario is at a target.
#[pyfunction]
#[pyo3(signature = (results, quantities, share, target, most_steps))]
pub(crate) fn greedy_cuts(
    python: Python<'_>,
    results: Table<'_>,
    quantities: Numbers<'_>,
    share: f64,
    target: f64,
    most_steps: usize,
) -> PyResult<Cut> {
    let (rows, quantities) = (array::rows("results", &results)?, array::slice("quantities", &quantities)?);
    let found = enter(python, || cuts::cuts(&rows, quantities, share, target, most_steps))?;
    Ok((found.order, found.margins, found.quantities))
}
