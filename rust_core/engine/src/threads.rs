//! Work in fixed pieces on a chosen number of threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Place, Result};

/// Pools by their number of threads: starting threads costs more than most calls.
static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());

/// Where pieces of work run.
#[derive(Clone)]
pub(crate) enum Workers {
    /// On the calling thread, one piece after the other.
    Here,
    /// On the common pool of the process.
    Common,
    /// On a pool of a chosen size.
    Chosen(Arc<ThreadPool>),
}

impl Workers {
    /// At most `threads` workers; as many as the machine has processors where left out.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self> {
        match threads {
            None => Ok(Self::Common),
            Some(0) => Err(Error::OutOfRange {
                name: "threads".to_owned(),
                value: 0.0,
                must_be: "1 or above",
                place: Place::default(),
            }),
            Some(1) => Ok(Self::Here),
            Some(count) => {
                let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(pool) = pools.get(&count) {
                    return Ok(Self::Chosen(Arc::clone(pool)));
                }
                let pool = ThreadPoolBuilder::new().num_threads(count).build().map_err(|error| {
                    Error::NoAnswer { why: format!("{count} threads could not be started: {error}") }
                })?;
                let pool = Arc::new(pool);
                pools.insert(count, Arc::clone(&pool));
                Ok(Self::Chosen(pool))
            }
        }
    }

    /// Does a work of several rounds of [`Workers::each`] where its pieces are done: each round then starts and ends
    /// among the workers, and wakes nobody from outside.
    pub(crate) fn among<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match self {
            Self::Here => work(),
            Self::Common => rayon::scope(|_| work()),
            Self::Chosen(pool) => pool.install(work),
        }
    }

    /// Does every piece; the pieces must not depend on each other.
    pub(crate) fn each<T: Send>(
        &self,
        pieces: Vec<T>,
        work: impl Fn(T) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        match self {
            Self::Here => pieces.into_iter().try_for_each(work),
            Self::Common => pieces.into_par_iter().try_for_each(work),
            Self::Chosen(pool) => pool.install(|| pieces.into_par_iter().try_for_each(work)),
        }
    }
}
