//! A pool on two axes of the market that move different coins.
//!
//! Where every coin has a worst case of its own, what a coin needs depends on that coin alone, and so does what its
//! contracts have gained: a map of `n x m` market states takes `n + m + 1` evaluations. What currencies are worth as
//! collateral is put together at every state, because amounts of one currency may come from both coins.

use super::equity::{self, Equity, Holding};
use super::{PoolView, standing};
use crate::error::Result;
use crate::market::MarketState;
use crate::rulebook::{Measure, RiskUnit};

/// One place on one axis: what the pool needs and holds there.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    maintenance: f64,
    holdings: Vec<Holding<'a>>,
}

/// Whether what a pool needs is a sum over coins, each on its own.
///
/// # Errors
///
/// [`crate::Error::Missing`] for a pool without a rulebook.
pub fn adds_up_over_coins(view: &PoolView<'_>) -> Result<bool> {
    let rulebook = view.rulebook()?;
    let separate = match rulebook.measure {
        Measure::Scenarios { unit, .. } => unit == RiskUnit::Underlying,
        Measure::Tiers { .. } => true,
        Measure::Tail(_) | Measure::NormalValueAtRisk { .. } => false,
    };
    // what is borrowed of a currency may come from several coins, and a doubted balance is charged with another coin
    let doubted = view.balances.iter().any(|balance| balance.confidence.is_some());
    Ok(separate && !doubted && rulebook.credits.is_empty() && rulebook.borrowing.is_empty())
}

impl<'a> Side<'a> {
    /// A pool at a state.
    ///
    /// # Errors
    ///
    /// As [`super::evaluate`].
    pub fn new(view: &PoolView<'a>, state: &MarketState) -> Result<Self> {
        let (_, maintenance) = standing(view, state, None)?;
        Ok(Self { maintenance, holdings: equity::holdings(view, state) })
    }

    /// Equity and maintenance margin where both axes have moved, from the places on each and from where neither has.
    ///
    /// # Errors
    ///
    /// As [`super::evaluate`].
    pub fn joined(
        view: &PoolView<'a>,
        state: &MarketState,
        (first, second, neither): (&Self, &Self, &Self),
    ) -> Result<(Equity, f64)> {
        let holdings = first.holdings.iter().zip(&second.holdings).zip(&neither.holdings);
        let joined = holdings.map(|((own, other), today)| Holding {
            pnl: own.pnl + (other.pnl - today.pnl),
            option_value: own.option_value + (other.option_value - today.option_value),
            ..*own
        });
        let equity = equity::of_holdings(view, state, joined.collect())?;
        Ok((equity, first.maintenance + (second.maintenance - neither.maintenance)))
    }
}
