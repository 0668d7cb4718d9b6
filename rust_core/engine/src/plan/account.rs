//! One pool with deals, transfers and cancellations applied to it, none of them assumed: it is measured as any other.

use crate::book::traded::{Traded, fresh_balance, traded};
use crate::book::{Balance, Book, Order, Pool, PoolKind, Position};
use crate::error::{Error, Place, Result};
use crate::margin::scenario::Table;
use crate::margin::{PoolState, PoolView, evaluate_with};
use crate::market::{MarketState, settle_of};
use crate::tables::Leg;

/// A pool of a book, and what has been done to it.
#[derive(Debug, Clone)]
pub struct Account<'a> {
    /// The book that the indices refer to.
    pub book: &'a Book,
    /// Its account.
    pub account: usize,
    /// Cross or isolated.
    pub kind: PoolKind,
    /// Positions held; what was opened stands after what was there.
    pub positions: Vec<Position>,
    /// Balances held.
    pub balances: Vec<Balance>,
    /// Open orders.
    pub orders: Vec<Order>,
    /// Coins dealt by coin, unsigned, in no order that is seen.
    dealt: Vec<(usize, f64)>,
}

impl<'a> Account<'a> {
    /// A pool as the book has it.
    pub fn of(book: &'a Book, pool: &Pool) -> Self {
        Self {
            book,
            account: pool.account,
            kind: pool.kind,
            positions: book.positions_of(pool).to_vec(),
            balances: pool.balances.clone(),
            orders: pool.orders.clone(),
            dealt: Vec::new(),
        }
    }

    /// Coins of a coin that have been dealt at a cost, unsigned: how far its market has been used already.
    pub fn dealt(&self, coin: usize) -> f64 {
        self.dealt.iter().find(|own| own.0 == coin).map_or(0.0, |own| own.1)
    }

    /// Notes coins dealt.
    pub fn note_dealt(&mut self, coin: usize, coins: f64) {
        match self.dealt.iter_mut().find(|own| own.0 == coin) {
            Some(own) => own.1 += coins,
            None if coins > 0.0 => self.dealt.push((coin, coins)),
            None => {}
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

    /// Measures it.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn evaluate(&self, state: &MarketState) -> Result<PoolState> {
        evaluate_with(&self.view(), state, None)
    }

    /// Measures it with the scenario values of its instruments at hand.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn evaluate_with(&self, state: &MarketState, table: Option<&Table>) -> Result<PoolState> {
        evaluate_with(&self.view(), state, table)
    }

    /// Where an instrument is held: the net position, or the leg that a purchase or a sale is for.
    ///
    /// # Errors
    ///
    /// [`Error::NotCovered`] where the other leg of a hedge-mode account alone is held.
    pub fn place_of(&self, instrument: usize, buys: bool) -> Result<Option<usize>> {
        let own = if buys { Leg::Long } else { Leg::Short };
        let mut held = self.positions.iter().enumerate().filter(|(_, p)| p.instrument == instrument);
        if let Some((place, _)) = held.clone().find(|(_, p)| p.leg == Leg::Net || p.leg == own) {
            return Ok(Some(place));
        }
        match held.next() {
            None => Ok(None),
            Some(_) => Err(Error::NotCovered {
                what: format!("a second leg of {}", self.symbol(instrument)),
                why: "the account holds the other leg in hedge mode; add a row of the leg to the positions"
                    .into(),
                place: Place::default(),
            }),
        }
    }

    /// The symbol of an instrument.
    pub fn symbol(&self, instrument: usize) -> &'a str {
        self.book.instruments.get(instrument).map_or("", |known| known.symbol.as_str())
    }

    /// Changes the position at a place; `cost` is paid in its settlement currency.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where nothing is held there.
    pub fn deal(&mut self, place: usize, change: f64, price: Option<f64>, cost: f64) -> Result<()> {
        let own = self.positions.get(place).ok_or_else(|| Error::Missing {
            what: "position".into(),
            why: "the account has none at that place".into(),
            place: Place::default(),
        })?;
        let currency = settle_of(self.book, own);
        let Traded { position, cash } = traded(self.book, own, own.quantity, change, price);
        match (position, self.positions.get_mut(place)) {
            (Some(made), Some(slot)) => *slot = made,
            (None, Some(_)) => {
                self.positions.remove(place);
            }
            _ => {}
        }
        self.credit(currency, cash - cost)
    }

    /// Opens a position in a contract of which a sample is given.
    ///
    /// # Errors
    ///
    /// As [`Account::credit`].
    pub fn open(&mut self, sample: &Position, change: f64, price: Option<f64>, cost: f64) -> Result<()> {
        let Traded { position, cash } = traded(self.book, sample, 0.0, change, price);
        self.positions.extend(position);
        self.credit(settle_of(self.book, sample), cash - cost)
    }

    /// Trades a contract that a sample is given of: what is held of it changes, or it is opened.
    ///
    /// # Errors
    ///
    /// As [`Account::place_of`] and [`Account::credit`].
    pub fn trade(&mut self, sample: &Position, change: f64, price: Option<f64>, cost: f64) -> Result<()> {
        match self.place_of(sample.instrument, change > 0.0)? {
            Some(place) => self.deal(place, change, price, cost),
            None => self.open(sample, change, price, cost),
        }
    }

    /// Adds an amount to the balance of a currency, coins; below zero it leaves.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for an account without a rulebook.
    pub fn credit(&mut self, currency: usize, amount: f64) -> Result<()> {
        if amount == 0.0 {
            return Ok(());
        }
        if let Some(balance) = self.balances.iter_mut().find(|balance| balance.currency == currency) {
            balance.cash += amount;
            return Ok(());
        }
        let rulebook = self.view().rulebook()?;
        self.balances.push(fresh_balance(self.book, rulebook, currency, amount));
        Ok(())
    }

    /// What is free of a currency without borrowing: cash less debts, coins.
    pub fn held_of(&self, currency: usize) -> f64 {
        let own = self.balances.iter().filter(|balance| balance.currency == currency);
        crate::numeric::accumulate::sum(own.map(|balance| balance.cash - balance.debt))
    }
}
