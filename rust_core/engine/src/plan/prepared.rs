//! Fast repeated measuring of changed forms of one account at one market state.

use super::Account;
use crate::error::Result;
use crate::margin::scenario::{Table, kept_table};
use crate::margin::{PoolState, PoolView};
use crate::market::MarketState;
use crate::rulebook::Measure;

/// A market state with everything that depends on it and on the instruments alone: each is priced once in every
/// scenario, however many forms of the account are measured.
///
/// What comes out is what measuring from nothing gives, to the bit: the same stages run over the same numbers.
/// Rulebooks without scenarios have nothing worth keeping and are measured as they are.
#[derive(Debug)]
pub struct Prepared {
    state: MarketState,
    table: Option<Table>,
}

impl Prepared {
    /// Prepares a state for an account and for instruments that it may come to hold.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotCovered`] for a contract that the rulebook does not know, [`crate::Error::Missing`] for a
    /// price or a quote.
    pub fn new(account: &Account<'_>, further: &[usize], state: MarketState) -> Result<Self> {
        Self::of_pool(&account.view(), further, state)
    }

    /// The same for a pool as the book has it.
    ///
    /// # Errors
    ///
    /// As [`Prepared::new`].
    pub fn of_pool(view: &PoolView<'_>, further: &[usize], state: MarketState) -> Result<Self> {
        let table = match view.rulebook()?.measure {
            Measure::Scenarios { .. } => Some(kept_table(view, &state, further)?),
            _ => None,
        };
        Ok(Self { state, table })
    }

    /// The market state.
    pub fn state(&self) -> &MarketState {
        &self.state
    }

    /// Measures a form of the account.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn evaluate(&self, account: &Account<'_>) -> Result<PoolState> {
        account.evaluate_with(&self.state, self.table.as_ref())
    }
}
