//! Statistics for Python: numbers and columns in, numbers and columns out.

pub(crate) mod backtests;
pub(crate) mod laws;
pub(crate) mod liquidity;
pub(crate) mod matrices;
pub(crate) mod moves;
pub(crate) mod ranking;
pub(crate) mod sizing;
pub(crate) mod tails;
pub(crate) mod volatilities;

use numpy::PyArray1;
use pyo3::prelude::*;

/// A column of results.
type Column<'py> = Bound<'py, PyArray1<f64>>;
