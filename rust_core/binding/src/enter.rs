//! The only place where the interpreter's lock is released.

use crossmargin_engine::Result;
use pyo3::prelude::*;

use crate::error::to_python;

/// Runs a calculation without the interpreter's lock and turns its refusal into an exception.
pub(crate) fn enter<T: Send>(python: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    python.detach(work).map_err(|error| to_python(python, &error))
}
