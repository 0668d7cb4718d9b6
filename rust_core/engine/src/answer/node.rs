//! A whole book at one market state: the figures that grids, stresses and horizons show.

use super::evaluated::{Evaluated, decisive};
use super::order::first_in_words;
use crate::book::Book;
use crate::error::{Error, Result};
use crate::liquidation::order::{Options, at_state};
use crate::margin::{PoolState, Status};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;

/// Some pools of a book at a state, each with its index.
pub(super) struct Node<'a> {
    /// The pools.
    pub(super) pools: Vec<(usize, &'a PoolState)>,
}

impl<'a> Node<'a> {
    /// The pools of these indices.
    ///
    /// # Errors
    ///
    /// The refusal that evaluating one met.
    pub(super) fn of(evaluated: &'a Evaluated, pools: &[usize]) -> Result<Self> {
        let pools: Result<Vec<_>> = pools.iter().map(|index| Ok((*index, evaluated.pool(*index)?))).collect();
        Ok(Self { pools: pools? })
    }

    fn sum(&self, of: impl Fn(&PoolState) -> f64) -> f64 {
        sum(self.pools.iter().map(|(_, state)| of(state)))
    }

    /// Everything at full value.
    pub(super) fn gross(&self) -> f64 {
        self.sum(|state| state.equity.gross)
    }

    /// Equity as the maintenance level counts it.
    pub(super) fn equity(&self) -> f64 {
        self.sum(|state| state.equity.maintenance)
    }

    /// Maintenance margin.
    pub(super) fn maintenance(&self) -> f64 {
        self.sum(|state| state.requirement.maintenance)
    }

    /// Initial margin, where every pool has one.
    pub(super) fn initial(&self) -> Option<f64> {
        let parts: Option<Vec<f64>> = self.pools.iter().map(|(_, state)| state.requirement.initial).collect();
        parts.map(sum)
    }

    /// The pool that decides: pools do not help one another.
    pub(super) fn decisive(&self) -> Result<(usize, &'a PoolState)> {
        decisive(&self.pools).ok_or_else(|| Error::NoAnswer { why: "nothing is held".into() })
    }

    /// The worst status of any pool.
    pub(super) fn status(&self) -> Status {
        self.pools.iter().map(|(_, state)| state.status).max().unwrap_or(Status::Ok)
    }

    /// Money that lifts every pool to its initial margin, to its maintenance trigger where it has no initial one.
    pub(super) fn call(&self) -> f64 {
        self.sum(|state| (-state.excess_initial.unwrap_or(state.excess).min(state.excess)).max(0.0))
    }

    /// Whether a pool is liquidated.
    pub(super) fn is_liquidated(state: &PoolState) -> bool {
        matches!(state.status, Status::Liquidatable | Status::Bankrupt)
    }

    /// What is closed first, with the account where there are several; `none` where nothing is.
    ///
    /// # Errors
    ///
    /// As [`at_state`].
    pub(super) fn first(&self, book: &Book, market: &MarketState) -> Result<String> {
        // two steps, since the first one may only cancel orders
        let options = Options { max_steps: 2, go_on: false, ..Options::default() };
        let struck = self.pools.iter().copied().filter(|(_, state)| Self::is_liquidated(state));
        let worst = struck.min_by(|(i, a), (j, b)| a.excess.total_cmp(&b.excess).then(i.cmp(j)));
        let Some((index, pool)) = worst.and_then(|(index, _)| Some((index, book.pools.get(index)?))) else {
            return Ok("none".to_owned());
        };
        Ok(named(book, index, first_in_words(book, &at_state(book, pool, market, &options)?, &options)))
    }
}

/// Words about a pool, with its name where the book has several.
pub(super) fn named(book: &Book, index: usize, words: String) -> String {
    match book.pools.get(index) {
        Some(pool) if book.pools.len() > 1 => format!("{}: {words}", book.pool_name(pool)),
        _ => words,
    }
}
