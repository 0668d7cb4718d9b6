//! Joint moves of risk factors, drawn at random.

use crossmargin_engine::random::{self, Draws, Law, Sampler};
use crossmargin_engine::statistics;
use pyo3::prelude::*;

use super::Column;
use crate::array::{self, Numbers};
use crate::enter::enter_watched;

/// Log moves of factors, one row per factor.
#[pyfunction]
#[pyo3(signature = (covariance, size, paths, seed, degrees_of_freedom, sobol, antithetic, threads))]
#[expect(clippy::too_many_arguments, reason = "what is drawn; named in Python")]
pub(crate) fn factor_moves<'py>(
    python: Python<'py>,
    covariance: Numbers<'py>,
    size: usize,
    paths: usize,
    seed: u64,
    degrees_of_freedom: Option<f64>,
    sobol: bool,
    antithetic: bool,
    threads: Option<usize>,
) -> PyResult<Column<'py>> {
    let covariance = array::slice("covariance", &covariance)?;
    let law =
        degrees_of_freedom.map_or(Law::Normal, |degrees_of_freedom| Law::StudentT { degrees_of_freedom });
    let sampler = if sobol { Sampler::Sobol } else { Sampler::Plain };
    let draws = Draws { paths, seed, law, sampler, antithetic };
    let moves = enter_watched(python, None, |watch| {
        let root = statistics::factor_root(covariance, size)?;
        random::factor_moves(&draws, &root, size, threads, watch)
    })?;
    Ok(array::result(python, moves))
}
