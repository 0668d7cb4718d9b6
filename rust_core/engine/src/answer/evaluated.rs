//! A book evaluated once at a market state, so that thousands of cheap questions share the work.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::book::{Book, Pool};
use crate::error::{Error, Place, Result};
use crate::margin::scenario::Table;
use crate::margin::{PoolState, PoolView, evaluate_with};
use crate::market::MarketState;
use crate::plan::Prepared;
use crate::rulebook::Measure;

/// Every pool of a book at a market state.
#[derive(Debug)]
pub struct Evaluated {
    pools: Vec<Result<PoolState>>,
    state: MarketState,
    /// The instruments of each pool priced, from the first question on that changes what it holds.
    prepared: Vec<OnceLock<Option<Prepared>>>,
}

/// Positions of a book up to which prices are kept with it: the values of one are some hundred bytes to ten thousand,
/// by scenarios.
const KEPT_POSITIONS: usize = 5_000;

impl Evaluated {
    /// Every pool at today's prices.
    pub fn new(book: &Book) -> Self {
        Self::at(book, &MarketState::today(book))
    }

    /// Evaluates every pool; pools in parallel, each by itself, so that threads change no bit. What the
    /// accounts of a rulebook hold is priced once for all of them.
    pub fn at(book: &Book, state: &MarketState) -> Self {
        let tables: Vec<Option<Table>> =
            (0..book.rulebooks.len()).map(|rulebook| shared_table(book, rulebook, state)).collect();
        let table_of = |pool: &Pool| {
            let rulebook = book.accounts.get(pool.account)?.rulebook;
            tables.get(rulebook)?.as_ref()
        };
        let pools = book
            .pools
            .par_iter()
            .map(|pool| evaluate_with(&PoolView::of(book, pool), state, table_of(pool)))
            .collect();
        let prepared = book.pools.iter().map(|_| OnceLock::new()).collect();
        Self { pools, state: state.clone(), prepared }
    }

    /// The figures of a pool and its instruments priced at the same state, so that changed forms of it are measured fast;
    /// the prices are kept from the first question on. `None` of a very large book, and where a pool cannot be measured.
    pub fn prepared(&self, book: &Book, index: usize) -> Option<(&PoolState, &Prepared)> {
        if book.positions.len() > KEPT_POSITIONS {
            return None;
        }
        let (state, pool) = (self.pool(index).ok()?, book.pools.get(index)?);
        let priced = || Prepared::of_pool(&PoolView::of(book, pool), &[], self.state.clone()).ok();
        let prepared = self.prepared.get(index)?.get_or_init(priced).as_ref()?;
        Some((state, prepared))
    }

    /// Every pool, with its index.
    ///
    /// # Errors
    ///
    /// The first refusal that evaluating one met.
    pub fn all(&self) -> Result<Vec<(usize, &PoolState)>> {
        (0..self.pools.len()).map(|index| Ok((index, self.pool(index)?))).collect()
    }

    /// The state of a pool.
    ///
    /// # Errors
    ///
    /// The refusal that evaluating it met.
    pub fn pool(&self, index: usize) -> Result<&PoolState> {
        match self.pools.get(index) {
            Some(Ok(state)) => Ok(state),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::Missing {
                what: format!("pool {index}"),
                why: "the book has no such pool".into(),
                place: Place::default(),
            }),
        }
    }
}

/// Scenario values of everything that the accounts of a rulebook hold; none where one account has them to
/// itself, or where something cannot be priced, which the pool that holds it then says.
fn shared_table(book: &Book, rulebook: usize, state: &MarketState) -> Option<Table> {
    let rules = book.rulebooks.get(rulebook)?;
    if !matches!(rules.measure, Measure::Scenarios { .. }) {
        return None;
    }
    let own = |pool: &&Pool| book.accounts.get(pool.account).is_some_and(|a| a.rulebook == rulebook);
    if book.pools.iter().filter(own).count() < 2 {
        return None;
    }
    let mut held: Vec<usize> = Vec::new();
    for pool in book.pools.iter().filter(own) {
        held.extend(book.positions_of(pool).iter().map(|position| position.instrument));
        held.extend(pool.orders.iter().map(|order| order.instrument));
    }
    held.sort_unstable();
    held.dedup();
    Table::new(book, rules, state, &held).ok()
}

/// The pool that decides about a group: of those that are liquidatable the one that lacks most, else the
/// one with the largest usage. Pools do not help one another, so their excesses are never added.
pub fn decisive<'a>(states: &[(usize, &'a PoolState)]) -> Option<(usize, &'a PoolState)> {
    let usage = |state: &PoolState| state.usage.unwrap_or(f64::INFINITY);
    states.iter().copied().min_by(|(i, a), (j, b)| {
        let (short_a, short_b) = (a.excess.min(0.0), b.excess.min(0.0));
        short_a.total_cmp(&short_b).then(usage(b).total_cmp(&usage(a))).then(i.cmp(j))
    })
}

/// The initial excess of a group: the smallest of the pools that have one, which isolated positions do
/// not; `None` where a pool's initial margin is not known.
pub fn initial_excess(states: &[(usize, &PoolState)]) -> Option<f64> {
    if states.iter().any(|(_, state)| state.requirement.initial.is_none()) {
        return None;
    }
    states.iter().filter_map(|(_, state)| state.excess_initial).reduce(f64::min)
}

/// Refuses totals of a book from which rows with errors were left out.
///
/// # Errors
///
/// [`Error::Missing`] for a partial book.
pub fn check_complete(book: &Book) -> Result<()> {
    if book.partial {
        return Err(Error::Missing {
            what: "a total".into(),
            why: "rows with errors were left out (partial=1); see CM_CHECK".into(),
            place: Place::default(),
        });
    }
    Ok(())
}
