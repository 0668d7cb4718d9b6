//! Accounts before and after trades, whole.

use super::{Account, Prepared, Stage, Trade};
use crate::error::{Error, Place, Result};
use crate::margin::PoolState;
use crate::market::MarketState;

/// A pool before and after.
#[derive(Debug)]
pub struct Change<'a> {
    /// Index of the pool in the stage's book.
    pub pool: usize,
    /// As it is.
    pub before: Account<'a>,
    /// As it would be.
    pub after: Account<'a>,
    /// Its figures as it is.
    pub state_before: PoolState,
    /// Its figures as it would be.
    pub state_after: PoolState,
}

/// What is known of a pool by its index: its figures, and its instruments priced, both at the prices of the book.
pub type Known<'k> = dyn Fn(usize) -> Option<(&'k PoolState, &'k Prepared)> + 'k;

/// Trades one after the other, then measures every pool that they touch. What is `known` of the book's pools is not
/// worked out again; the figures are the same to the bit.
///
/// # Errors
///
/// [`Error::Missing`] where there is no trade; as [`Stage::found`] and [`crate::margin::evaluate`].
pub fn changes<'a>(stage: &'a Stage<'a>, trades: &[Trade], known: &Known<'_>) -> Result<Vec<Change<'a>>> {
    let today = MarketState::today(stage.book());
    let mut touched: Vec<(usize, Account<'a>)> = Vec::new();
    for trade in trades {
        let place = stage.found(trade.account, &trade.symbol, trade.quantity > 0.0)?;
        let (pool, place) = place.ok_or_else(|| Error::Missing {
            what: format!("{} in the book", trade.symbol),
            why: "the account neither holds it nor could it be booked".into(),
            place: Place::row(trade.row, trade.symbol.clone()),
        })?;
        let index = match touched.iter().position(|(known, _)| *known == pool) {
            Some(index) => index,
            None => {
                touched.push((pool, stage.account(pool)?));
                touched.len() - 1
            }
        };
        let sample = stage.contracts(pool).get(place);
        if let (Some((_, account)), Some(sample)) = (touched.get_mut(index), sample) {
            account.trade(sample, trade.quantity, trade.price, 0.0)?;
        }
    }
    if touched.is_empty() {
        return Err(Error::Missing {
            what: "a trade".into(),
            why: "no row has a quantity other than zero".into(),
            place: Place::default(),
        });
    }
    touched.sort_by_key(|(pool, _)| *pool);
    let measured = touched.into_iter().map(|(pool, after)| {
        let before = stage.account(pool)?;
        // a stage with samples has instruments of its own
        let (state_before, state_after) = match known(pool).filter(|_| stage.is_bare()) {
            Some((state, prepared)) => (state.clone(), prepared.evaluate(&after)?),
            None => (before.evaluate(&today)?, after.evaluate(&today)?),
        };
        Ok(Change { pool, before, after, state_before, state_after })
    });
    measured.collect()
}
