//! A pool on two axes of the market, of which one at least moves a single coin.
//!
//! Where every coin has a worst case of its own, what a coin needs depends on that coin alone, and so does what its
//! contracts have gained. Then only contracts on the coin that an axis moves have to be evaluated anew along it: a map of
//! `n x m` market states with two coins takes `n + m` evaluations of one coin each, one of a coin's price and all
//! volatilities `m` evaluations of everything and `n x m` of that coin. What currencies are worth as collateral is put
//! together at every state, because amounts of one currency may come from several coins.

use rayon::prelude::*;

use super::equity::{self, Equity, Holding};
use super::scenario::{Summed, Today};
use super::{PoolView, standing, table_since};
use crate::book::{Order, Position};
use crate::error::Result;
use crate::market::MarketState;
use crate::rulebook::{Measure, RiskUnit};

/// Two axes: how many places they have, which coin each moves if it moves one alone, and the state at a place on each,
/// `None` where an axis has not moved.
pub struct Axes<'s> {
    /// From left to right, and from top to bottom.
    pub counts: (usize, usize),
    /// Indices of the coins.
    pub coins: (Option<usize>, Option<usize>),
    /// The state at a column and a row.
    pub state: &'s (dyn Fn(Option<usize>, Option<usize>) -> MarketState + Sync),
}

/// What a pool holds on one coin.
#[derive(Debug, Clone)]
struct OnCoin {
    positions: Vec<Position>,
    orders: Vec<Order>,
}

impl OnCoin {
    fn of(view: &PoolView<'_>, coin: usize) -> Self {
        let on = |instrument: usize| view.book.instrument_underlying.get(instrument) == Some(&coin);
        Self {
            positions: view.positions.iter().filter(|own| on(own.instrument)).cloned().collect(),
            orders: view.orders.iter().filter(|own| on(own.instrument)).cloned().collect(),
        }
    }

    /// The pool as if it held nothing else; its balances are all there.
    fn view<'a>(&'a self, whole: &PoolView<'a>) -> PoolView<'a> {
        PoolView { positions: &self.positions, orders: &self.orders, ..*whole }
    }
}

/// The parts of a pool that axes move alone.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    x: Option<OnCoin>,
    y: Option<OnCoin>,
}

impl Parts {
    /// The parts of a pool; none where it has to be evaluated as a whole at every state.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a pool without a rulebook.
    pub fn of(view: &PoolView<'_>, axes: &Axes<'_>) -> Result<Self> {
        if !adds_up_over_coins(view)? {
            return Ok(Self::default());
        }
        let part = |coin: Option<usize>| coin.map(|coin| OnCoin::of(view, coin));
        let whole = view.positions.len() + view.orders.len();
        let smaller = |part: &OnCoin| part.positions.len() + part.orders.len() < whole;
        Ok(match axes.coins {
            (Some(first), Some(second)) if first != second => {
                Self { x: part(Some(first)), y: part(Some(second)) }
            }
            (Some(coin), _) => Self { x: part(Some(coin)).filter(smaller), y: None },
            (None, coin) => Self { x: None, y: part(coin).filter(smaller) },
        })
    }
}

/// Whether what a pool needs is a sum over coins, each on its own.
fn adds_up_over_coins(view: &PoolView<'_>) -> Result<bool> {
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

/// What a pool, or a part of it, needs and holds at a state.
#[derive(Debug, Clone)]
struct Side<'a> {
    maintenance: f64,
    holdings: Vec<Holding<'a>>,
}

impl<'a> Side<'a> {
    fn new(view: &PoolView<'a>, state: &MarketState, today: &Today, summed: Option<&Summed>) -> Result<Self> {
        if let Some((maintenance, holdings)) = summed.map(|own| own.at(view, state)).transpose()?.flatten() {
            return Ok(Self { maintenance, holdings });
        }
        let table = table_since(view, state, today)?;
        let (_, maintenance) = standing(view, state, table.as_ref())?;
        let holdings = match &table {
            Some(table) => equity::holdings_with(view, state, table),
            None => equity::holdings(view, state),
        };
        Ok(Self { maintenance, holdings })
    }

    fn of(&self, currency: usize) -> Holding<'a> {
        self.holdings.iter().find(|own| own.currency == currency).copied().unwrap_or_default()
    }
}

/// Sides at every place of the axes that matter to them.
struct Sides<'a> {
    across: bool,
    down: bool,
    columns: usize,
    all: Vec<Side<'a>>,
}

impl<'a> Sides<'a> {
    fn new(
        view: &PoolView<'a>,
        axes: &Axes<'_>,
        (across, down): (bool, bool),
        today: &Today,
    ) -> Result<Self> {
        let columns = if across { axes.counts.0 } else { 1 };
        let rows = if down { axes.counts.1 } else { 1 };
        let summed = Summed::of(view)?;
        let at = |place: usize| {
            let state = (axes.state)(across.then_some(place % columns), down.then_some(place / columns));
            Side::new(view, &state, today, summed.as_ref())
        };
        let all = (0..columns * rows).into_par_iter().map(at).collect::<Result<_>>()?;
        Ok(Self { across, down, columns, all })
    }

    fn at(&self, column: usize, row: usize) -> Option<&Side<'a>> {
        let place = if self.across { column } else { 0 } + if self.down { row * self.columns } else { 0 };
        self.all.get(place)
    }
}

/// A pool over a map.
pub struct Plane<'a> {
    view: PoolView<'a>,
    today: Today,
    /// Its options added up, where it is evaluated as a whole.
    summed: Option<Summed>,
    /// The pool where the parts have not been moved, and each part moved and not moved.
    joined: Option<(Sides<'a>, Vec<[Sides<'a>; 2]>)>,
}

impl<'a> Plane<'a> {
    /// Evaluates what many states of the map share.
    ///
    /// # Errors
    ///
    /// As [`super::evaluate`].
    pub fn new(view: PoolView<'a>, axes: &Axes<'_>, parts: &'a Parts) -> Result<Self> {
        let today = Today::of(view.book);
        let sides = |part: Option<&'a OnCoin>, matters: (bool, bool)| {
            let view = part.map_or(view, |part| part.view(&view));
            Sides::new(&view, axes, matters, &today)
        };
        let joined = match (&parts.x, &parts.y) {
            (None, None) => None,
            (Some(x), Some(y)) => {
                let of_x = [sides(Some(x), (true, false))?, sides(Some(x), (false, false))?];
                let of_y = [sides(Some(y), (false, true))?, sides(Some(y), (false, false))?];
                Some((sides(None, (false, false))?, vec![of_x, of_y]))
            }
            (Some(x), None) => {
                // the other axis may move the same coin alone
                let down = axes.coins.1.is_none();
                let of_x = [sides(Some(x), (true, true))?, sides(Some(x), (false, down))?];
                Some((sides(None, (false, down))?, vec![of_x]))
            }
            (None, Some(y)) => {
                let of_y = [sides(Some(y), (true, true))?, sides(Some(y), (true, false))?];
                Some((sides(None, (true, false))?, vec![of_y]))
            }
        };
        let summed = if joined.is_none() { Summed::of(&view)? } else { None };
        Ok(Self { view, today, summed, joined })
    }

    /// The pool.
    pub fn view(&self) -> &PoolView<'a> {
        &self.view
    }

    /// Equity and maintenance margin at a column and a row, where the market is in a state.
    ///
    /// # Errors
    ///
    /// As [`super::evaluate`].
    pub fn at(&self, state: &MarketState, column: usize, row: usize) -> Result<(Equity, f64)> {
        let joined = self.joined.as_ref().and_then(|(base, parts)| Some((base.at(column, row)?, parts)));
        let Some((base, parts)) = joined else {
            if let Some(own) = &self.summed
                && let Some((maintenance, holdings)) = own.at(&self.view, state)?
            {
                return Ok((equity::of_holdings(&self.view, state, holdings)?, maintenance));
            }
            let table = table_since(&self.view, state, &self.today)?;
            return standing(&self.view, state, table.as_ref());
        };
        let (mut maintenance, mut holdings) = (base.maintenance, base.holdings.clone());
        for [moved, before] in parts {
            let (Some(moved), Some(before)) = (moved.at(column, row), before.at(column, row)) else {
                continue;
            };
            maintenance += moved.maintenance - before.maintenance;
            for holding in &mut holdings {
                let (to, from) = (moved.of(holding.currency), before.of(holding.currency));
                holding.pnl += to.pnl - from.pnl;
                holding.option_value += to.option_value - from.option_value;
            }
        }
        Ok((equity::of_holdings(&self.view, state, holdings)?, maintenance))
    }
}
