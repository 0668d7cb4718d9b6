//! Value at risk and expected shortfall of a book, and what each line bears of the shortfall.

use super::screen::{Done, Method, Need};
use super::{FactorMoves, JointBook};
use crate::error::Result;
use crate::statistics::{Tail, Ties, check_enough, tail};
use crate::threads::Workers;
use crate::watch::Watch;

/// What is asked of a book.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Confidence, 0.99 for 99 %.
    pub confidence: f64,
    /// Probability of each scenario; `None` where all are alike.
    pub probabilities: Option<&'a [f64]>,
    /// How scenarios are valued.
    pub method: Method,
    /// Largest number of workers; as many as the machine has processors where left out.
    pub threads: Option<usize>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Value at risk, expected shortfall and the weights of scenarios in it.
    pub tail: Tail,
    /// What each line bears of the expected shortfall, reporting currency; they sum to it, by delta and gamma to it
    /// and its difference to the exact one.
    pub components: Vec<f64>,
    /// How.
    pub done: Done,
}

impl JointBook {
    /// Value at risk and expected shortfall over scenarios, a loss above zero, and the lines' components (Euler:
    /// the mean of a line's losses in the scenarios of the tail, with their weights).
    ///
    /// # Errors
    ///
    /// As [`tail`] for too few scenarios, a confidence or probabilities; [`crate::Error::NoAnswer`] once `watch` was
    /// stopped.
    pub fn measured(&self, moves: &FactorMoves<'_>, asked: Asked<'_>, watch: &Watch) -> Result<Measured> {
        let workers = Workers::new(asked.threads)?;
        let count = moves.count();
        check_enough(count, asked.confidence)?;
        let share = 1.0 - asked.confidence;
        let need = match asked.probabilities {
            // one more than the tail, whose quantile may lie on the last of it
            None => Need::Largest((count as f64 * share).ceil() as usize + 1),
            Some(probabilities) => Need::Mass { probabilities, share, least: 1 },
        };
        let priced = self.priced(moves, need, asked.method, &workers, watch)?;
        let losses: Vec<f64> = priced.profits.iter().map(|gain| -gain).collect();
        let tail = tail(&losses, asked.probabilities, asked.confidence, Ties::Mean)?;
        let mut done = priced.done;
        self.check_tail(moves, (&priced.profits, &tail.weights), &mut done, &workers, watch)?;
        let mut components = self.weighed(moves, &tail.weights, &workers, watch)?;
        for component in &mut components {
            *component = -*component;
        }
        Ok(Measured { tail, components, done })
    }

    /// Profit and loss in every scenario, reporting currency.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] for no threads; [`crate::Error::NoAnswer`] once `watch` was stopped.
    pub fn all_profits(
        &self,
        moves: &FactorMoves<'_>,
        threads: Option<usize>,
        watch: &Watch,
    ) -> Result<Vec<f64>> {
        self.profits(moves, &Workers::new(threads)?, watch)
    }
}
