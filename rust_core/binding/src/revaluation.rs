//! Revaluation of option books, and the instruction set it runs on.

use crossmargin_engine::pricing::level::{self, Level};
use crossmargin_engine::revaluation;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::array::{self, Booleans, Integers, Numbers};
use crate::enter::enter;

/// Strikes ready to be revalued.
#[pyclass(frozen, module = "crossmargin._core")]
pub(crate) struct Strikes(pub(crate) revaluation::Strikes);

#[pymethods]
impl Strikes {
    #[new]
    #[pyo3(signature = (strike, forward, years, volatility, tenor_weight, expiry, underlying))]
    #[expect(clippy::too_many_arguments, reason = "one argument per column")]
    fn new(
        python: Python<'_>,
        strike: Numbers<'_>,
        forward: Numbers<'_>,
        years: Numbers<'_>,
        volatility: Numbers<'_>,
        tenor_weight: Option<Numbers<'_>>,
        expiry: Option<Integers<'_>>,
        underlying: Option<Integers<'_>>,
    ) -> PyResult<Self> {
        let columns = revaluation::StrikeColumns {
            strike: array::slice("strike", &strike)?,
            forward: array::slice("forward", &forward)?,
            years: array::slice("years", &years)?,
            volatility: array::slice("volatility", &volatility)?,
            tenor_weight: array::optional("tenor_weight", tenor_weight.as_ref())?,
            expiry: array::optional("expiry", expiry.as_ref())?,
            underlying: array::optional("underlying", underlying.as_ref())?,
        };
        enter(python, || revaluation::Strikes::new(level::level(), columns)).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.count()
    }
}

/// Price and volatility scenarios.
#[pyclass(frozen, module = "crossmargin._core")]
pub(crate) struct Scenarios(revaluation::Scenarios);

#[pymethods]
impl Scenarios {
    #[new]
    #[pyo3(signature = (price_move, volatility_move))]
    fn new(python: Python<'_>, price_move: Numbers<'_>, volatility_move: Numbers<'_>) -> PyResult<Self> {
        let price_move = array::slice("price_move", &price_move)?;
        let volatility_move = array::slice("volatility_move", &volatility_move)?;
        enter(python, || revaluation::Scenarios::new(price_move, volatility_move)).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.count()
    }
}

/// One account's options, netted.
#[pyclass(frozen, module = "crossmargin._core")]
pub(crate) struct Account(revaluation::Account);

#[pymethods]
impl Account {
    #[new]
    #[pyo3(signature = (strikes, index, is_call, quantity))]
    fn new(
        python: Python<'_>,
        strikes: &Bound<'_, Strikes>,
        index: Integers<'_>,
        is_call: Booleans<'_>,
        quantity: Numbers<'_>,
    ) -> PyResult<Self> {
        let strikes = &strikes.get().0;
        let index = array::slice("index", &index)?;
        let is_call = array::slice("is_call", &is_call)?;
        let quantity = array::slice("quantity", &quantity)?;
        enter(python, || revaluation::Account::new(strikes, index, is_call, quantity)).map(Self)
    }

    #[pyo3(signature = (scenarios))]
    fn scenario_pnl<'py>(
        &self,
        python: Python<'py>,
        scenarios: &Bound<'py, Scenarios>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let scenarios = &scenarios.get().0;
        let profits = enter(python, || self.0.scenario_pnl(scenarios))?;
        Ok(array::result(python, profits))
    }
}

/// Many accounts' options.
#[pyclass(frozen, module = "crossmargin._core")]
pub(crate) struct Accounts(revaluation::Accounts);

#[pymethods]
impl Accounts {
    #[new]
    #[pyo3(signature = (strikes, offsets, instrument, quantity))]
    fn new(
        python: Python<'_>,
        strikes: &Bound<'_, Strikes>,
        offsets: Integers<'_>,
        instrument: Integers<'_>,
        quantity: Numbers<'_>,
    ) -> PyResult<Self> {
        let strikes = &strikes.get().0;
        let holdings = revaluation::Holdings {
            offsets: array::slice("offsets", &offsets)?,
            instrument: array::slice("instrument", &instrument)?,
            quantity: array::slice("quantity", &quantity)?,
        };
        enter(python, || revaluation::Accounts::new(strikes, holdings)).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.count()
    }

    #[pyo3(signature = (scenarios, discounts, threads))]
    fn worst_loss<'py>(
        &self,
        python: Python<'py>,
        scenarios: &Bound<'py, Scenarios>,
        discounts: Option<(Numbers<'py>, Numbers<'py>)>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let scenarios = &scenarios.get().0;
        let discounts = match &discounts {
            Some((long, short)) => Some(revaluation::Discounts {
                long: array::slice("long_discount", long)?,
                short: array::slice("short_discount", short)?,
            }),
            None => None,
        };
        let losses = enter(python, || self.0.worst_loss(scenarios, discounts, threads))?;
        Ok(array::result(python, losses))
    }

    #[pyo3(signature = (need, lowest, price, points, threads))]
    fn liquidation_prices<'py>(
        &self,
        python: Python<'py>,
        need: Numbers<'py>,
        lowest: f64,
        price: Option<f64>,
        points: usize,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let need = array::slice("need", &need)?;
        let search = revaluation::Search { price, lowest, points };
        let prices = enter(python, || self.0.liquidation_prices(need, search, threads))?;
        // an array of numbers has no other word for none
        Ok(array::result(python, prices.into_iter().map(|price| price.unwrap_or(f64::NAN)).collect()))
    }
}

/// The instruction set in use.
#[pyfunction]
#[pyo3(signature = ())]
pub(crate) fn simd_level() -> &'static str {
    level::level().word()
}

/// The instruction sets of this processor, slowest first.
#[pyfunction]
#[pyo3(signature = ())]
pub(crate) fn simd_levels() -> Vec<&'static str> {
    level::available().into_iter().map(Level::word).collect()
}

/// Takes the instruction set from the environment; the engine itself reads none.
pub(crate) fn set_level_from_environment(python: Python<'_>) -> PyResult<()> {
    match std::env::var("CROSSMARGIN_SIMD") {
        Ok(word) if !word.is_empty() => {
            enter(python, || Level::from_word(&word.to_ascii_lowercase()).and_then(level::set_level))
        }
        _ => Ok(()),
    }
}
