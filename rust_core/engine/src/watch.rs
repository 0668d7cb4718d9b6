//! A long calculation that is looked at, and stopped, from outside.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// How far a calculation is, and whether it should go on. Shared by its threads; it has no part in any result.
#[derive(Debug, Default)]
pub struct Watch {
    stopped: AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Watch {
    /// A calculation that nobody has stopped.
    pub const fn new() -> Self {
        Self { stopped: AtomicBool::new(false), done: AtomicUsize::new(0), total: AtomicUsize::new(0) }
    }

    /// Asks the calculation to stop at its next step.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Says how many more steps there will be.
    pub fn expect(&self, steps: usize) {
        self.total.fetch_add(steps, Ordering::Relaxed);
    }

    /// Counts steps that are done.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`] once the calculation was asked to stop.
    pub fn advance(&self, steps: usize) -> Result<()> {
        self.done.fetch_add(steps, Ordering::Relaxed);
        self.check()
    }

    /// Whether the calculation may go on.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`] once the calculation was asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::NoAnswer { why: "the calculation was stopped".to_owned() });
        }
        Ok(())
    }

    /// Steps done and expected.
    pub fn progress(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_calculation_refuses_its_next_step() {
        let watch = Watch::new();
        watch.expect(3);
        assert!(watch.advance(1).is_ok());
        assert_eq!(watch.progress(), (1, 3));
        watch.stop();
        assert_eq!(watch.advance(1).unwrap_err().to_string(), "the calculation was stopped");
        assert!(watch.check().is_err());
    }
}
