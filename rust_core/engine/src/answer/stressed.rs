//! Pools of a book after a scenario, and the coins that its liquidations leave.

use super::node::Node;
use crate::book::Book;
use crate::error::Result;
use crate::liquidation::cost::coins_held;
use crate::liquidation::order::{LiquidationOrder, Options, at_state_with_rest};
use crate::margin::{PoolState, PoolView, evaluate};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::stress::{Moved, Scenario, state_of};

/// A delta below this share of the largest one is none.
const NO_DELTA: f64 = 1e-9;

/// Pools of a book after a scenario, each at the state of its account.
pub(super) struct Stressed {
    /// Index, state and figures of each pool.
    pub(super) pools: Vec<(usize, MarketState, PoolState)>,
    /// What the states did, in words.
    pub(super) notes: Vec<String>,
}

impl Stressed {
    /// Measures pools after a scenario.
    ///
    /// # Errors
    ///
    /// As [`state_of`] and [`evaluate`].
    pub(super) fn of(book: &Book, scenario: &Scenario, pools: &[usize]) -> Result<Self> {
        let mut states: Vec<(usize, Moved)> = Vec::new();
        let mut found = Vec::with_capacity(pools.len());
        for index in pools {
            let Some(pool) = book.pools.get(*index) else { continue };
            let place = match states.iter().position(|(account, _)| *account == pool.account) {
                Some(place) => place,
                None => {
                    states.push((pool.account, state_of(book, scenario, pool.account)?));
                    states.len() - 1
                }
            };
            let Some((_, moved)) = states.get(place) else { continue };
            let state = evaluate(&PoolView::of(book, pool), &moved.state)?;
            found.push((*index, moved.state.clone(), state));
        }
        let mut notes: Vec<String> = Vec::new();
        for note in states.into_iter().flat_map(|(_, moved)| moved.notes) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        Ok(Self { pools: found, notes })
    }

    /// Their figures.
    pub(super) fn node(&self) -> Node<'_> {
        Node { pools: self.pools.iter().map(|(index, _, state)| (*index, state)).collect() }
    }

    /// What the venue's rule makes of the pools that are liquidated, the one that lacks most first.
    ///
    /// # Errors
    ///
    /// As [`at_state_with_rest`].
    pub(super) fn struck(&self, book: &Book, options: &Options) -> Result<Vec<Struck>> {
        let mut found: Vec<(f64, Struck)> = Vec::new();
        for (index, market, state) in &self.pools {
            if Node::is_liquidated(state)
                && let Some(pool) = book.pools.get(*index)
            {
                let (order, left) = at_state_with_rest(book, pool, market, options)?;
                found.push((state.excess, Struck { pool: *index, order, left }));
            }
        }
        found.sort_by(|(a, i), (b, j)| a.total_cmp(b).then(i.pool.cmp(&j.pool)));
        Ok(found.into_iter().map(|(_, struck)| struck).collect())
    }
}

/// A pool that is liquidated, and the coins that are left to it.
pub(super) struct Struck {
    /// Its index.
    pub(super) pool: usize,
    /// Its order.
    pub(super) order: LiquidationOrder,
    /// What its positions stand for afterwards, by underlying.
    pub(super) left: Vec<(usize, f64)>,
}

/// Coins that all pools stand for before and after what is liquidated of them, by underlying.
///
/// # Errors
///
/// As [`coins_held`].
pub(super) fn residual(
    book: &Book,
    stressed: &Stressed,
    struck: &[Struck],
) -> Result<Vec<(usize, f64, f64)>> {
    let mut coins: Vec<(usize, Vec<f64>, Vec<f64>)> = Vec::new();
    let mut add = |coin: usize, before: Option<f64>, after: Option<f64>| {
        let place = coins.iter().position(|(own, ..)| *own == coin).unwrap_or_else(|| {
            coins.push((coin, Vec::new(), Vec::new()));
            coins.len() - 1
        });
        if let Some((_, befores, afters)) = coins.get_mut(place) {
            befores.extend(before);
            afters.extend(after);
        }
    };
    for (index, market, _) in &stressed.pools {
        let Some(pool) = book.pools.get(*index) else { continue };
        let own = struck.iter().find(|own| own.pool == *index);
        for (coin, held) in coins_held(&PoolView::of(book, pool), market)? {
            add(coin, Some(held), own.is_none().then_some(held));
        }
        for (coin, left) in own.iter().flat_map(|own| &own.left) {
            add(*coin, None, Some(*left));
        }
    }
    coins.sort_by_key(|(coin, ..)| *coin);
    Ok(coins
        .into_iter()
        .map(|(coin, before, after)| {
            let scale = before.iter().chain(&after).fold(0.0, |most: f64, own| most.max(own.abs()));
            let clean = |own: f64| if own.abs() <= NO_DELTA * scale { 0.0 } else { own };
            (coin, clean(sum(before)), clean(sum(after)))
        })
        .collect())
}
