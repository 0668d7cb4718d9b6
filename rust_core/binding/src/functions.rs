//! Calculations without a book.

use crossmargin_engine::error::check_positive;
use crossmargin_engine::instrument::Payoff;
use crossmargin_engine::liquidation::adl;
use crossmargin_engine::liquidation::single::{
    Brackets, Columns, Single, linear_prices, margin_of_leverage, rounded_to_tick,
};
use crossmargin_engine::pricing::level;
use crossmargin_engine::rulebook::MaintenanceOn;
use crossmargin_engine::{Error, Place, answer, rulebook};
use numpy::PyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::array;
use crate::book::{Book, Rows};
use crate::cells::answer as to_python;
use crate::enter::enter;

/// Liquidation price, bankruptcy price, bankruptcy price on the tick, distance, already liquidatable, reason.
type Prices = (Option<f64>, Option<f64>, Option<f64>, Option<f64>, bool, String);

/// Prices of one position.
#[pyfunction]
#[pyo3(signature = (quantity, entry, rate, *, collateral, leverage, start, inverse, fee, amount, other, on_entry, tick))]
#[expect(clippy::too_many_arguments, reason = "a formula with that many terms; keyword-only in Python")]
pub(crate) fn single_prices(
    python: Python<'_>,
    quantity: f64,
    entry: f64,
    rate: f64,
    collateral: Option<f64>,
    leverage: Option<f64>,
    start: Option<f64>,
    inverse: bool,
    fee: f64,
    amount: f64,
    other: f64,
    on_entry: bool,
    tick: Option<f64>,
) -> PyResult<Prices> {
    enter(python, || {
        let payoff = if inverse { Payoff::Inverse } else { Payoff::Linear };
        check_positive("entry", entry, Place::default)?;
        let collateral = match (collateral, leverage) {
            (Some(collateral), _) => collateral,
            (None, Some(leverage)) => {
                check_positive("leverage", leverage, Place::default)?;
                margin_of_leverage(quantity, entry, leverage, payoff)
            }
            (None, None) => {
                return Err(Error::Missing {
                    what: "collateral".into(),
                    why: "give it, or the option leverage".into(),
                    place: Place::default(),
                });
            }
        };
        let prices = Single {
            quantity,
            entry: start.unwrap_or(entry),
            collateral,
            rate: rate + fee,
            amount,
            other,
            payoff,
            maintenance_on: if on_entry { MaintenanceOn::Entry } else { MaintenanceOn::Mark },
        }
        .prices()?;
        let rounded = match (prices.bankruptcy, tick) {
            (Some(price), Some(tick)) => {
                check_positive("tick", tick, Place::default)?;
                Some(rounded_to_tick(price, tick, quantity > 0.0))
            }
            _ => None,
        };
        let already = prices.already_liquidatable;
        Ok((prices.liquidation, prices.bankruptcy, rounded, prices.distance, already, prices.reason))
    })
}

/// Liquidation prices of many one-position accounts.
#[pyfunction]
#[pyo3(signature = (quantity, entry, collateral, floors, rates))]
pub(crate) fn linear_liquidation_prices<'py>(
    python: Python<'py>,
    quantity: &Bound<'py, PyAny>,
    entry: &Bound<'py, PyAny>,
    collateral: &Bound<'py, PyAny>,
    floors: Vec<f64>,
    rates: Vec<f64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let read = |name: &str, value: &Bound<'py, PyAny>| {
        array::borrowed(value).ok_or_else(|| {
            PyTypeError::new_err(format!("{name} must be a contiguous float64 array of one dimension"))
        })
    };
    let (quantity, entry, collateral) =
        (read("quantity", quantity)?, read("entry", entry)?, read("collateral", collateral)?);
    let (quantity, entry, collateral) = (quantity.as_slice()?, entry.as_slice()?, collateral.as_slice()?);
    let prices = enter(python, || {
        let amounts = rulebook::cumulative_amounts(&floors, &rates, 0.0)?;
        let mut out = vec![0.0; quantity.len()];
        let columns = Columns { quantity, entry, collateral };
        linear_prices(columns, Brackets { floors: &floors, rates: &rates, amounts: &amounts }, &mut out)?;
        Ok(out)
    })?;
    Ok(array::result(python, prices))
}

/// Cumulative maintenance amounts.
#[pyfunction]
#[pyo3(signature = (floors, rates, first_amount))]
pub(crate) fn cumulative_amounts(
    python: Python<'_>,
    floors: Vec<f64>,
    rates: Vec<f64>,
    first_amount: f64,
) -> PyResult<Vec<f64>> {
    enter(python, || rulebook::cumulative_amounts(&floors, &rates, first_amount))
}

/// Rank value of an auto-deleveraging queue: (pnl percent, leverage pnl).
#[pyfunction]
#[pyo3(signature = (unrealised_pnl, wallet_balance, margin_ratio))]
pub(crate) fn rank_value(
    python: Python<'_>,
    unrealised_pnl: f64,
    wallet_balance: f64,
    margin_ratio: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        adl::rank_value(unrealised_pnl, wallet_balance, margin_ratio).map(|v| (v.pnl_percent, v.leverage_pnl))
    })
}

/// The same positions under several rulebooks.
#[pyfunction]
#[pyo3(signature = (books))]
pub(crate) fn compare<'py>(python: Python<'py>, books: Vec<(String, Py<Book>)>) -> PyResult<Rows<'py>> {
    let found = enter(python, || {
        if books.is_empty() {
            return Err(Error::Missing {
                what: "books".into(),
                why: "a comparison needs at least one".into(),
                place: Place::default(),
            });
        }
        let named: Vec<answer::books::Compared<'_>> = books
            .iter()
            .map(|(name, book)| answer::books::Compared {
                name: name.clone(),
                book: Ok((&book.get().book, book.get().evaluated())),
                isolated: false,
            })
            .collect();
        answer::books::compare(&named, true)
    })?;
    to_python(python, &found)
}

/// Version, profile, target and instruction set of the build.
#[pyfunction]
#[pyo3(signature = ())]
pub(crate) fn build_information() -> (&'static str, &'static str, &'static str, &'static str) {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    (env!("CARGO_PKG_VERSION"), profile, std::env::consts::ARCH, level::level().word())
}
