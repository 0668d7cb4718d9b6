//! The only place where the interpreter's lock is released.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::scope;
use std::time::Duration;

use crossmargin_engine::Result;
use crossmargin_engine::watch::Watch;
use pyo3::prelude::*;

use crate::error::to_python;

/// How often a long calculation is looked at: a person who presses Ctrl-C waits no longer than this and a step.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a calculation without the interpreter's lock and turns its refusal into an exception.
pub(crate) fn enter<T: Send>(python: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    python.detach(work).map_err(|error| to_python(python, &error))
}

/// Runs a long calculation on a thread of its own, so that Ctrl-C stops it; `progress`, where given, is called
/// with the steps done and expected.
///
/// What `progress` raises stops the calculation and is raised.
pub(crate) fn enter_watched<T: Send>(
    python: Python<'_>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Watch) -> Result<T> + Send,
) -> PyResult<T> {
    let watch = Watch::new();
    let look = || {
        Python::attach(|python| {
            python.check_signals()?;
            progress.map_or(Ok(()), |call| call.call1(python, watch.progress()).map(drop))
        })
    };
    let (found, stopped) = python.detach(|| {
        scope(|threads| {
            // nothing is ever sent: the channel closes when the worker has ended
            let (done, finished) = channel::<()>();
            let watch = &watch;
            let worker = threads.spawn(move || {
                let found = work(watch);
                drop(done);
                found
            });
            let mut stopped = None;
            while let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(LOOK) {
                if stopped.is_none()
                    && let Err(raised) = look()
                {
                    watch.stop();
                    stopped = Some(raised);
                }
            }
            (worker.join(), stopped)
        })
    });
    if let Some(raised) = stopped {
        return Err(raised);
    }
    match found {
        Ok(found) => {
            let found = found.map_err(|error| to_python(python, &error))?;
            look()?;
            Ok(found)
        }
        Err(panicked) => std::panic::resume_unwind(panicked),
    }
}
