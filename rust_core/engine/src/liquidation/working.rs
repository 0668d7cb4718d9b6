//! A pool while it is being liquidated: positions shrink, results are realised, costs are paid.

use std::sync::Arc;

use super::cost::{Costs, coins};
use crate::book::{Balance, Book, Order, Pool, PoolKind, Position};
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::settling::{credit, settled};
use crate::market::{MarketState, mark_at, notional, settle_of, underlying_of, unrealised_pnl};
use crate::numeric::rounding::{Direction, to_step};

/// What would be left of a position below this share of its first size is closed with the rest: a rule that closes a
/// share of what is left would never end.
const SMALLEST_LEFT: f64 = 1e-6;

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
    /// Coins traded so far, one number per underlying, unsigned.
    pub traded: Vec<f64>,
    /// By instrument: the size held at the beginning, unsigned; of two legs that of the larger.
    held_first: Arc<[f64]>,
    /// Money of the pool that earlier slices have brought and later ones leave alone, settlement currency.
    pub reserved: f64,
}

/// What a step has dealt in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A contract.
    Contract,
    /// A currency.
    Currency,
}

/// What one closing did.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Contract or currency.
    pub subject: Subject,
    /// The symbol of the contract, or the code of the currency.
    pub symbol: String,
    /// Whether a long was closed, or something was sold.
    pub long: bool,
    /// Unsigned quantity closed.
    pub quantity: f64,
    /// Price after slippage.
    pub price: f64,
    /// Slippage and fee, reporting currency.
    pub cost: f64,
}

impl Closed {
    /// Index of the contract that was dealt in; `None` for a currency.
    pub fn instrument(&self, book: &Book) -> Option<usize> {
        match self.subject {
            Subject::Contract => book.instruments.iter().position(|known| known.symbol == self.symbol),
            Subject::Currency => None,
        }
    }
}

impl<'a> Working<'a> {
    /// A pool as pasted.
    pub fn of(book: &'a Book, pool: &Pool) -> Self {
        let positions = book.positions_of(pool).to_vec();
        let mut held_first = vec![0.0_f64; book.instruments.len()];
        for position in &positions {
            if let Some(size) = held_first.get_mut(position.instrument) {
                *size = size.max(position.quantity.abs());
            }
        }
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
            traded: vec![0.0; book.underlyings.len()],
            held_first: held_first.into(),
            reserved: 0.0,
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

    /// The fraction of a position that whole lots allow for at least `fraction`; all of it where less would be left than
    /// a lot, or hardly anything of what was held at the beginning.
    fn in_lots(&self, position: &Position, fraction: f64) -> f64 {
        let size = position.quantity.abs();
        let first = self.held_first.get(position.instrument).copied().unwrap_or(0.0);
        let Some(lot) = self.book.lot.get(position.instrument).copied().flatten() else {
            let left = size * (1.0 - fraction);
            return if left < SMALLEST_LEFT * first && fraction > 0.0 { 1.0 } else { fraction };
        };
        let closed = to_step(size * fraction, lot, Direction::Up).min(size);
        let too_little = size - closed < lot.max(SMALLEST_LEFT * first) * (1.0 - 1e-9);
        if too_little && closed > 0.0 { 1.0 } else { closed / size }
    }

    /// Closes a fraction of a position at a state, in whole lots, at a cost.
    ///
    /// The result is realised into the balance of the settlement currency, less the cost. A position
    /// that is closed whole leaves the pool. `None` where there is nothing to close.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a price, or for what the costs need.
    pub fn close(
        &mut self,
        index: usize,
        fraction: f64,
        state: &MarketState,
        costs: &Costs<'_>,
    ) -> Result<Option<Closed>> {
        let Some(position) = self.positions.get(index).cloned() else { return Ok(None) };
        let fraction = self.in_lots(&position, fraction.clamp(0.0, 1.0));
        if fraction == 0.0 || position.quantity == 0.0 {
            return Ok(None);
        }
        let currency = settle_of(self.book, &position);
        let price = self.view().price(currency, state)?;
        let result = unrealised_pnl(self.book, &position, state);
        let coin = underlying_of(self.book, &position);
        let traded = self.traded.get(coin).copied().unwrap_or(0.0);
        let cost = costs.closing(&self.view(), (index, &position), state, fraction, traded)?;
        if costs.flat().is_none() {
            let dealt = fraction * coins(&self.view(), &position, state)?.abs();
            self.count_as_traded(coin, dealt);
        }
        self.pay(currency, fraction * result - cost.total());
        let quantity = position.quantity.abs() * fraction;
        let closed = Closed {
            subject: Subject::Contract,
            symbol: self.symbol(&position),
            long: position.quantity > 0.0,
            quantity,
            price: self.dealt_at(&position, state, cost.slipping / quantity, costs.flat()),
            cost: cost.total() * price,
        };
        if fraction >= 1.0 {
            self.positions.remove(index);
        } else if let Some(left) = self.positions.get_mut(index) {
            left.quantity *= 1.0 - fraction;
            left.unrealised_pnl *= 1.0 - fraction;
        }
        Ok(Some(closed))
    }

    /// The price at which a position is dealt when each unit of it slips by so much, settlement currency.
    ///
    /// An option is sold at its mark and all of its value is realised.
    pub(super) fn dealt_at(
        &self,
        position: &Position,
        state: &MarketState,
        slipping: f64,
        flat: Option<f64>,
    ) -> f64 {
        let side = position.quantity.signum();
        let contract = self.book.instruments.get(position.instrument);
        if contract.is_some_and(|known| known.option.is_some()) {
            let mark = unrealised_pnl(self.book, position, state) / position.quantity;
            return match flat {
                Some(share) => mark * (1.0 - side * share),
                None => mark - side * slipping,
            };
        }
        let ratio = state.ratio(underlying_of(self.book, position));
        let unit = notional(self.book, position, ratio) / position.quantity.abs();
        mark_at(self.book, position, ratio) * (1.0 - side * flat.unwrap_or(slipping / unit))
    }

    /// Symbol of a position.
    pub(super) fn symbol(&self, position: &Position) -> String {
        let known = self.book.instruments.get(position.instrument);
        known.map_or_else(String::new, |instrument| instrument.symbol.clone())
    }

    /// Adds to what has been traded of a coin.
    pub(super) fn count_as_traded(&mut self, coin: usize, amount: f64) {
        if let Some(slot) = self.traded.get_mut(coin) {
            *slot += amount;
        }
    }

    /// Pays an amount into the balance of a currency; one that is new to the pool is money of it.
    pub(super) fn pay(&mut self, currency: usize, amount: f64) {
        credit(&mut self.balances, currency, amount);
    }

    /// The currency in which the pool settles: of a pool of one currency that, else the rulebook's where a balance
    /// or a position has it, else the first in which a position settles.
    pub(super) fn settles_in(&self) -> Option<usize> {
        if let PoolKind::Cross(Some(currency)) = self.kind {
            return Some(currency);
        }
        let settle = self.book.rulebook_of(self.account).map_or("", |rulebook| rulebook.settle.as_str());
        let own = self.book.currencies.iter().position(|known| known.code == settle);
        let used = |currency: usize| {
            self.balances.iter().any(|balance| balance.currency == currency)
                || self.positions.iter().any(|position| settle_of(self.book, position) == currency)
        };
        own.filter(|currency| used(*currency))
            .or_else(|| self.positions.first().map(|position| settle_of(self.book, position)))
            .or_else(|| self.balances.iter().find(|balance| balance.settles).map(|balance| balance.currency))
    }
}
