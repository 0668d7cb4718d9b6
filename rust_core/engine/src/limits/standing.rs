//! A book as limits see it: its pools with their states, as they are or with a position changed.

use super::metric::Metric;
use crate::book::{Book, Position};
use crate::error::{Error, Place, Result};
use crate::margin::{PoolState, PoolView};
use crate::market::{notional, pnl_of_move, settle_of, underlying_of};
use crate::numeric::accumulate::sum;

/// Relative move for the delta of a position.
const NUDGE: f64 = 1e-5;

/// Pools with their states, in the order of the book.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The pools.
    pub views: Vec<PoolView<'a>>,
    /// Their states at today's prices, or why there is none.
    pub states: Vec<Result<&'a PoolState>>,
}

/// Which part of a book a limit is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// Its pools.
    pub pools: Vec<usize>,
    /// Only positions in this coin or symbol; `None` for whole pools.
    pub only: Option<Only>,
}

/// A coin or a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Positions in a coin, by its index.
    Coin(usize),
    /// Positions in an instrument, by its index.
    Instrument(usize),
}

impl Only {
    /// Whether a position is meant.
    pub fn holds(self, book: &Book, position: &Position) -> bool {
        match self {
            Self::Coin(coin) => underlying_of(book, position) == coin,
            Self::Instrument(instrument) => position.instrument == instrument,
        }
    }
}

/// What a position counts for, reporting currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Its coin.
    pub coin: usize,
    /// Unsigned notional.
    pub gross: f64,
    /// Signed notional.
    pub net: f64,
    /// What a relative move of 1 would bring at today's slope.
    pub delta: f64,
}

impl<'a> Standing<'a> {
    /// The state of a pool.
    ///
    /// # Errors
    ///
    /// The refusal that evaluating it met.
    pub fn state(&self, pool: usize) -> Result<&'a PoolState> {
        self.states.get(pool).cloned().unwrap_or_else(|| {
            Err(Error::Missing {
                what: format!("pool {pool}"),
                why: "the book has no such pool".into(),
                place: Place::default(),
            })
        })
    }

    /// Adjusted equity of a part's pools together, reporting currency.
    ///
    /// # Errors
    ///
    /// As [`Standing::state`].
    pub fn equity(&self, part: &Part) -> Result<f64> {
        let found: Result<Vec<f64>> =
            part.pools.iter().map(|pool| Ok(self.state(*pool)?.equity.maintenance)).collect();
        Ok(sum(found?))
    }

    /// The same, where a ratio to it is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`] unless it is above zero.
    pub fn positive_equity(&self, part: &Part, metric: Metric) -> Result<f64> {
        let equity = self.equity(part)?;
        if equity > 0.0 {
            return Ok(equity);
        }
        Err(Error::NoAnswer {
            why: format!(
                "{} of {} needs an adjusted equity above zero, it is {equity:.2}",
                metric.word(),
                part.name
            ),
        })
    }

    /// Sizes of a part's positions.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a price.
    pub fn sizes(&self, part: &Part) -> Result<Vec<Size>> {
        let mut found = Vec::new();
        for view in part.pools.iter().filter_map(|pool| self.views.get(*pool)) {
            let held =
                view.positions.iter().filter(|p| part.only.is_none_or(|only| only.holds(view.book, p)));
            for position in held {
                found.push(size(view, position)?);
            }
        }
        Ok(found)
    }
}

/// What one position counts for.
///
/// # Errors
///
/// [`Error::Missing`] for a price.
pub fn size(view: &PoolView<'_>, position: &Position) -> Result<Size> {
    let book = view.book;
    let money = view.price_today(settle_of(book, position))?;
    let gross = money * notional(book, position, 1.0);
    let gain = |ratio: f64| pnl_of_move(book, position, ratio);
    let delta = money * (gain(1.0 + NUDGE) - gain(1.0 - NUDGE)) / (2.0 * NUDGE);
    Ok(Size {
        coin: underlying_of(book, position),
        gross,
        net: if position.quantity < 0.0 { -gross } else { gross },
        delta,
    })
}

/// Sums by coin, in the order of coins.
pub fn by_coin(sizes: &[Size], of: impl Fn(&Size) -> f64) -> Vec<(usize, f64)> {
    let mut coins: Vec<usize> = sizes.iter().map(|size| size.coin).collect();
    coins.sort_unstable();
    coins.dedup();
    coins
        .into_iter()
        .map(|coin| (coin, sum(sizes.iter().filter(|size| size.coin == coin).map(&of))))
        .collect()
}
