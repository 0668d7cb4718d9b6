//! A pool while it is being liquidated: positions shrink, results are realised, costs are paid.

use crate::book::{Balance, Book, Order, Pool, PoolKind, Position};
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::settling::{credit, settled};
use crate::market::{MarketState, mark_at, notional, settle_of, underlying_of, unrealised_pnl};
use crate::numeric::rounding::{Direction, to_step};

/// A pool of which some may already be closed.
#[derive(Debug, Clone)]
pub struct Working<'a> {
    /// The book.
    pub book: &'a Book,
    /// Its account.
    pub account: usize,
    /// Cross or isolated.
    pub kind: PoolKind,
    /// Positions left.
    pub positions: Vec<Position>,
    /// Balances left.
    pub balances: Vec<Balance>,
    /// Open orders left.
    pub orders: Vec<Order>,
}

/// What one closing did.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Index of the instrument.
    pub instrument: usize,
    /// Whether a long was closed.
    pub long: bool,
    /// Unsigned quantity closed.
    pub quantity: f64,
    /// Price after slippage.
    pub price: f64,
    /// Slippage and fee, reporting currency.
    pub cost: f64,
}

/// What closing a whole position costs, settlement currency; `slippage` and `fee` are fractions of its notional, for
/// options slippage is a fraction of their value.
pub(super) fn closing_cost(
    view: &PoolView<'_>,
    position: &Position,
    state: &MarketState,
    slippage: f64,
    fee: f64,
) -> f64 {
    let size = notional(view.book, position, state.ratio(underlying_of(view.book, position)));
    let option = view.book.instruments.get(position.instrument).is_some_and(|known| known.option.is_some());
    let slipping = if option { unrealised_pnl(view.book, position, state).abs() } else { size };
    slipping * slippage + size * fee
}

impl<'a> Working<'a> {
    /// A pool as pasted.
    pub fn of(book: &'a Book, pool: &Pool) -> Self {
        let positions = book.positions_of(pool).to_vec();
        let mut balances = pool.balances.clone();
        for balance in &mut balances {
            // results stay money of the pool after the last position that settles in it is closed
            balance.settles |= positions.iter().any(|position| settle_of(book, position) == balance.currency);
        }
        Self {
            book,
            account: pool.account,
            kind: pool.kind,
            positions,
            balances,
            orders: pool.orders.clone(),
        }
    }

    /// Settles what is past its expiry at a state.
    pub(super) fn settle(&mut self, state: &MarketState) {
        if let Some(found) = settled(&self.view(), state) {
            self.positions = found.positions;
            self.balances = found.balances;
            self.orders = found.orders;
        }
    }

    /// The pool for the margin stages.
    pub fn view(&self) -> PoolView<'_> {
        PoolView {
            book: self.book,
            account: self.account,
            kind: self.kind,
            positions: &self.positions,
            balances: &self.balances,
            orders: &self.orders,
        }
    }

    /// The fraction of a position that whole lots allow for at least `fraction`.
    fn in_lots(&self, position: &Position, fraction: f64) -> f64 {
        let Some(lot) = self.book.lot.get(position.instrument).copied().flatten() else { return fraction };
        let size = position.quantity.abs();
        let closed = to_step(size * fraction, lot, Direction::Up).min(size);
        if closed >= size { 1.0 } else { closed / size }
    }

    /// Closes a fraction of a position at a state; `slippage` and `fee` are fractions of its notional, for
    /// options slippage is a fraction of their value.
    ///
    /// The result is realised into the balance of the settlement currency, less the cost. A position
    /// that is closed whole leaves the pool.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a price.
    pub fn close(
        &mut self,
        index: usize,
        fraction: f64,
        state: &MarketState,
        slippage: f64,
        fee: f64,
    ) -> Result<Option<Closed>> {
        let Some(position) = self.positions.get(index).cloned() else { return Ok(None) };
        let fraction = self.in_lots(&position, fraction.clamp(0.0, 1.0));
        let currency = settle_of(self.book, &position);
        let price = self.view().price(currency, state)?;
        let ratio = state.ratio(underlying_of(self.book, &position));
        let result = unrealised_pnl(self.book, &position, state);
        let option =
            self.book.instruments.get(position.instrument).is_some_and(|known| known.option.is_some());
        // an option is sold at its mark and all of its value is realised; it slips by a fraction of that
        let mark = if option && position.quantity != 0.0 {
            result / position.quantity
        } else {
            mark_at(self.book, &position, ratio)
        };
        let cost = fraction * closing_cost(&self.view(), &position, state, slippage, fee);
        let realised = fraction * result;
        credit(&mut self.balances, currency, realised - cost);
        let side = position.quantity.signum();
        let closed = Closed {
            instrument: position.instrument,
            long: side > 0.0,
            quantity: position.quantity.abs() * fraction,
            price: mark * (1.0 - side * slippage),
            cost: cost * price,
        };
        if fraction >= 1.0 {
            self.positions.remove(index);
        } else if let Some(left) = self.positions.get_mut(index) {
            left.quantity *= 1.0 - fraction;
            left.unrealised_pnl *= 1.0 - fraction;
        }
        Ok(Some(closed))
    }
}
