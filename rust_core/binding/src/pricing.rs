//! Columns of options on a forward: values, sensitivities and implied volatilities.

use crossmargin_engine::pricing::OptionRight;
use crossmargin_engine::pricing::greeks::{ForwardOption, Greeks, SpotOption};
use crossmargin_engine::pricing::implied;
use crossmargin_engine::pricing::settlement::Settling;
use crossmargin_engine::{Error, Place, Result};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::array;
use crate::enter::enter;

type Column<'py> = Bound<'py, PyArray1<f64>>;

/// Values of options, per unit of the underlying.
#[pyfunction]
#[pyo3(signature = (is_call, forward, strike, volatility, years))]
pub(crate) fn option_values<'py>(
    python: Python<'py>,
    is_call: &Bound<'py, PyAny>,
    forward: &Bound<'py, PyAny>,
    strike: &Bound<'py, PyAny>,
    volatility: &Bound<'py, PyAny>,
    years: &Bound<'py, PyAny>,
) -> PyResult<Column<'py>> {
    let named = [("forward", forward), ("strike", strike), ("volatility", volatility), ("years", years)];
    let borrowed = Borrowed::new(is_call, named)?;
    let options = borrowed.options()?;
    let values = enter(python, || options.each(|_, right, row| on_forward(right, row).value()))?;
    Ok(array::result(python, values))
}

/// Delta, gamma, vega, theta and theta per day of options.
#[pyfunction]
#[pyo3(signature = (is_call, forward, strike, volatility, years))]
pub(crate) fn option_greeks<'py>(
    python: Python<'py>,
    is_call: &Bound<'py, PyAny>,
    forward: &Bound<'py, PyAny>,
    strike: &Bound<'py, PyAny>,
    volatility: &Bound<'py, PyAny>,
    years: &Bound<'py, PyAny>,
) -> PyResult<(Column<'py>, Column<'py>, Column<'py>, Column<'py>, Column<'py>)> {
    let named = [("forward", forward), ("strike", strike), ("volatility", volatility), ("years", years)];
    let borrowed = Borrowed::new(is_call, named)?;
    let options = borrowed.options()?;
    let all = enter(python, || options.each(|_, right, row| on_forward(right, row).greeks()))?;
    let column = |of: fn(&Greeks) -> f64| array::result(python, all.iter().map(of).collect());
    Ok((
        column(|g| g.delta),
        column(|g| g.gamma),
        column(|g| g.vega),
        column(|g| g.theta),
        column(|g| g.theta_per_day),
    ))
}

/// Implied volatilities, NaN where there is none, and which rows have none and why. The first refusal is
/// raised unless the rows after it are wanted.
#[pyfunction]
#[pyo3(signature = (is_call, price, forward, strike, years, keep_going))]
pub(crate) fn implied_volatilities<'py>(
    python: Python<'py>,
    is_call: &Bound<'py, PyAny>,
    price: &Bound<'py, PyAny>,
    forward: &Bound<'py, PyAny>,
    strike: &Bound<'py, PyAny>,
    years: &Bound<'py, PyAny>,
    keep_going: bool,
) -> PyResult<(Column<'py>, Vec<(usize, String)>)> {
    let named = [("price", price), ("forward", forward), ("strike", strike), ("years", years)];
    let borrowed = Borrowed::new(is_call, named)?;
    let options = borrowed.options()?;
    let (volatilities, refused) = enter(python, || {
        let mut refused = Vec::new();
        let volatilities = options.each(|index, right, [price, forward, strike, years]| {
            match implied::volatility(right, price, forward, strike, years) {
                Err(why) if keep_going => {
                    refused.push((index, why.to_string()));
                    Ok(f64::NAN)
                }
                answer => answer,
            }
        })?;
        Ok((volatilities, refused))
    })?;
    Ok((array::result(python, volatilities), refused))
}

/// Discounted values of the call and the put of one strike on a forward.
#[pyfunction]
#[pyo3(signature = (forward, strike, volatility, years, discount))]
pub(crate) fn black76(
    python: Python<'_>,
    forward: f64,
    strike: f64,
    volatility: f64,
    years: f64,
    discount: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        let value = |right| {
            ForwardOption { right, forward, strike, years, volatility, discount_factor: discount }.value()
        };
        Ok((value(OptionRight::Call)?, value(OptionRight::Put)?))
    })
}

/// Value and sensitivities of one option on a spot price: value, delta, gamma, vega, theta, theta per day, rho,
/// dividend rho, elasticity.
#[pyfunction]
#[pyo3(signature = (is_call, spot, strike, volatility, years, rate, dividend_yield))]
#[expect(clippy::too_many_arguments, reason = "the terms of one option")]
pub(crate) fn spot_option(
    python: Python<'_>,
    is_call: bool,
    spot: f64,
    strike: f64,
    volatility: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
) -> PyResult<Vec<f64>> {
    let right = if is_call { OptionRight::Call } else { OptionRight::Put };
    enter(python, || {
        let option = SpotOption { right, spot, strike, years, volatility, rate, dividend_yield };
        let (g, forward) = (option.greeks()?, option.on_forward()?.forward);
        Ok(vec![
            g.value,
            g.delta,
            g.gamma,
            g.vega,
            g.theta,
            g.theta_per_day,
            g.rho,
            g.dividend_rho,
            g.elasticity,
            forward,
        ])
    })
}

/// Volatility implied by the price of one option on a spot price.
#[pyfunction]
#[pyo3(signature = (is_call, price, spot, strike, years, rate, dividend_yield))]
#[expect(clippy::too_many_arguments, reason = "the terms of one option")]
pub(crate) fn spot_implied_volatility(
    python: Python<'_>,
    is_call: bool,
    price: f64,
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
) -> PyResult<f64> {
    let right = if is_call { OptionRight::Call } else { OptionRight::Put };
    enter(python, || {
        let option =
            SpotOption { right, spot, strike, years, volatility: 0.0, rate, dividend_yield }.on_forward()?;
        implied::volatility(right, price / option.discount_factor, option.forward, strike, years)
    })
}

/// Volatility of Bachelier's normal law implied by an undiscounted price.
#[pyfunction]
#[pyo3(signature = (is_call, price, forward, strike, years))]
pub(crate) fn normal_implied_volatility(
    python: Python<'_>,
    is_call: bool,
    price: f64,
    forward: f64,
    strike: f64,
    years: f64,
) -> PyResult<f64> {
    let right = if is_call { OptionRight::Call } else { OptionRight::Put };
    enter(python, || implied::normal_volatility(right, price, forward, strike, years))
}

/// Delta, and delta net of the premium, inside a settlement window.
#[pyfunction]
#[pyo3(signature = (delta, mark_price, elapsed_seconds, window_seconds))]
pub(crate) fn settlement_delta(
    python: Python<'_>,
    delta: f64,
    mark_price: f64,
    elapsed_seconds: f64,
    window_seconds: f64,
) -> PyResult<(f64, f64)> {
    enter(python, || {
        let left = Settling::after(delta, mark_price, elapsed_seconds, window_seconds)?;
        Ok((left.delta, left.net_transaction_delta))
    })
}

fn on_forward(right: OptionRight, [forward, strike, volatility, years]: [f64; 4]) -> ForwardOption {
    ForwardOption { right, forward, strike, years, volatility, discount_factor: 1.0 }
}

/// Arguments while they are borrowed from numpy.
struct Borrowed<'py> {
    calls: Vec<bool>,
    names: [&'static str; 4],
    numbers: [PyReadonlyArray1<'py, f64>; 4],
}

/// Options: who is a call, and four columns of numbers of the same length.
struct Options<'a> {
    calls: &'a [bool],
    names: [&'static str; 4],
    numbers: [&'a [f64]; 4],
}

impl<'py> Borrowed<'py> {
    fn new(is_call: &Bound<'py, PyAny>, named: [(&'static str, &Bound<'py, PyAny>); 4]) -> PyResult<Self> {
        let calls = array::mask(is_call)
            .ok_or_else(|| PyTypeError::new_err("is_call must be a bool array of one dimension"))?;
        let read = |(name, value)| {
            array::borrowed(value).ok_or_else(|| {
                PyTypeError::new_err(format!("{name} must be a contiguous float64 array of one dimension"))
            })
        };
        let [first, second, third, fourth] = named;
        let numbers = [read(first)?, read(second)?, read(third)?, read(fourth)?];
        Ok(Self { calls, names: named.map(|(name, _)| name), numbers })
    }

    fn options(&self) -> PyResult<Options<'_>> {
        let [first, second, third, fourth] = &self.numbers;
        let numbers = [first.as_slice()?, second.as_slice()?, third.as_slice()?, fourth.as_slice()?];
        Ok(Options { calls: &self.calls, names: self.names, numbers })
    }
}

impl Options<'_> {
    /// One answer per option; the first refusal says which option it is about.
    fn each<T>(&self, mut answer: impl FnMut(usize, OptionRight, [f64; 4]) -> Result<T>) -> Result<Vec<T>> {
        let expected = self.calls.len();
        for (name, numbers) in self.names.into_iter().zip(self.numbers) {
            if numbers.len() != expected {
                return Err(Error::Shape { name: name.into(), found: numbers.len(), expected });
            }
        }
        let [first, second, third, fourth] = self.numbers;
        let rows = first.iter().zip(second).zip(third).zip(fourth).zip(self.calls);
        rows.enumerate()
            .map(|(index, ((((&first, &second), &third), &fourth), &is_call))| {
                let right = if is_call { OptionRight::Call } else { OptionRight::Put };
                answer(index, right, [first, second, third, fourth]).map_err(|refusal| at(refusal, index))
            })
            .collect()
    }
}

/// The refusal with the index of the option that it is about.
fn at(refusal: Error, index: usize) -> Error {
    match refusal {
        Error::OutOfRange { name, value, must_be, .. } => {
            Error::OutOfRange { name, value, must_be, place: Place::label(format!("index {index}")) }
        }
        Error::NoAnswer { why } => Error::NoAnswer { why: format!("{why} (index {index})") },
        other => other,
    }
}
