//! An account with one of its positions changed.

use crate::book::traded::{Traded, traded};
use crate::book::{Balance, Book, PoolKind, Position};
use crate::error::{Error, Place, Result};
use crate::limits::standing::{Standing, size};
use crate::limits::with_cash_in;
use crate::margin::{PoolState, PoolView, evaluate};
use crate::market::{MarketState, settle_of};
use crate::tables::Leg;

/// A book in which one position can be changed.
#[derive(Debug)]
pub struct Trial<'a> {
    book: &'a Book,
    pool: usize,
    place: usize,
    /// What is held of it: the book itself may hold a sample.
    held: f64,
    states: Vec<Result<PoolState>>,
    /// Smallest step of its quantity, where known.
    pub lot: Option<f64>,
}

/// Where a symbol is held across an account's margin.
///
/// # Errors
///
/// [`Error::Unknown`] for an account; [`Error::Missing`] where several accounts could be meant;
/// [`Error::NotCovered`] for an account of which the other leg alone is held.
pub fn found(book: &Book, symbol: &str, account: Option<&str>, buys: bool) -> Result<Option<(usize, usize)>> {
    let account = account_of(book, symbol, account)?;
    let mut other_leg = false;
    for (index, pool) in book.pools.iter().enumerate() {
        if pool.account != account || pool.kind == PoolKind::Isolated {
            continue;
        }
        for (place, position) in book.positions_of(pool).iter().enumerate() {
            let same = book
                .instruments
                .get(position.instrument)
                .is_some_and(|known| known.symbol.eq_ignore_ascii_case(symbol.trim()));
            match position.leg {
                _ if !same => {}
                Leg::Net => return Ok(Some((index, place))),
                Leg::Long if buys => return Ok(Some((index, place))),
                Leg::Short if !buys => return Ok(Some((index, place))),
                _ => other_leg = true,
            }
        }
    }
    if other_leg {
        return Err(Error::NotCovered {
            what: format!("a second leg of {}", symbol.trim()),
            why: "the account holds the other leg in hedge mode; add a row of the leg to the positions"
                .into(),
            place: Place::default(),
        });
    }
    Ok(None)
}

/// The account that a trade is for: the one named, the only one, or the only one that holds the symbol.
///
/// # Errors
///
/// [`Error::Unknown`] for a name; [`Error::Missing`] where several could be meant.
pub fn account_of(book: &Book, symbol: &str, account: Option<&str>) -> Result<usize> {
    let names = || book.accounts.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = account {
        return book
            .accounts
            .iter()
            .position(|own| own.name.eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| Error::Unknown { what: "account", value: name.to_owned(), known: names() });
    }
    if book.accounts.len() == 1 {
        return Ok(0);
    }
    let mut holders: Vec<usize> = book
        .positions
        .iter()
        .filter(|own| {
            let known = book.instruments.get(own.instrument);
            known.is_some_and(|known| known.symbol.eq_ignore_ascii_case(symbol.trim()))
        })
        .map(|own| own.account)
        .collect();
    holders.dedup();
    match holders.as_slice() {
        [one] => Ok(*one),
        _ => Err(Error::Missing {
            what: "account".into(),
            why: format!("the book has several ({}); name one with the option account", names()),
            place: Place::default(),
        }),
    }
}

impl<'a> Trial<'a> {
    /// A trial of the position at a place of a pool; `added` where the book holds it as a sample only.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where there is no such position.
    pub fn new(book: &'a Book, (pool, place): (usize, usize), added: bool, lot: Option<f64>) -> Result<Self> {
        let position = book.pools.get(pool).and_then(|own| book.positions_of(own).get(place));
        let position = position.ok_or_else(|| Error::Missing {
            what: "position".into(),
            why: "the book has none at that place".into(),
            place: Place::default(),
        })?;
        let today = MarketState::today(book);
        let held = if added { 0.0 } else { position.quantity };
        let known = book.lot.get(position.instrument).copied().flatten();
        let mut made = Self { book, pool, place, held, states: Vec::new(), lot: lot.or(known) };
        made.states = book
            .pools
            .iter()
            .enumerate()
            .map(|(index, own)| {
                if index == pool {
                    return Err(Error::NoAnswer { why: "the pool is measured at each size".into() });
                }
                evaluate(&PoolView::of(book, own), &today)
            })
            .collect();
        Ok(made)
    }

    fn position(&self) -> Result<&'a Position> {
        let pool = self.book.pools.get(self.pool);
        pool.and_then(|own| self.book.positions_of(own).get(self.place)).ok_or_else(|| Error::Missing {
            what: "position".into(),
            why: "the book has none at that place".into(),
            place: Place::default(),
        })
    }

    /// What is held before the trade.
    pub fn held(&self) -> f64 {
        self.held
    }

    /// The symbol.
    pub fn symbol(&self) -> &'a str {
        let known = self.position().ok().and_then(|own| self.book.instruments.get(own.instrument));
        known.map_or("", |known| known.symbol.as_str())
    }

    /// The account's name.
    pub fn account(&self) -> String {
        self.book.pools.get(self.pool).map_or_else(String::new, |pool| self.book.pool_name(pool))
    }

    /// The mark at which it is tried.
    pub fn price(&self) -> f64 {
        self.position().map_or(f64::NAN, |own| own.mark_price)
    }

    /// Unsigned notional of a quantity, reporting currency.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a price.
    pub fn notional(&self, quantity: f64) -> Result<f64> {
        let sample = Position { quantity, ..self.position()?.clone() };
        Ok(size(&self.view()?, &sample)?.gross)
    }

    fn view(&self) -> Result<PoolView<'a>> {
        let pool = self.book.pools.get(self.pool).ok_or_else(|| Error::Missing {
            what: "pool".into(),
            why: "the book has none at that place".into(),
            place: Place::default(),
        })?;
        Ok(PoolView::of(self.book, pool))
    }

    /// A quantity of the order of what the account can bear: its equity in the contract, or what is held.
    ///
    /// # Errors
    ///
    /// As [`evaluate`].
    pub fn scale(&self) -> Result<f64> {
        let one = self.notional(1.0)?;
        let equity = self.with(0.0, |standing| Ok(standing.state(self.pool)?.equity.gross))?;
        let bearable = if one > 0.0 { equity.max(0.0) / one } else { 0.0 };
        let found = bearable.max(self.held.abs());
        Ok(if found > 0.0 && found.is_finite() { found } else { 1.0 })
    }

    /// Looks at the book with a change of the position, dealt at the mark and without fees.
    ///
    /// What is closed of it is realised: its part of the unrealised result becomes cash. The premium of an option
    /// is paid or received.
    ///
    /// # Errors
    ///
    /// As [`evaluate`], and what `look` refuses.
    pub fn with<T>(&self, change: f64, look: impl FnOnce(&Standing<'_>) -> Result<T>) -> Result<T> {
        let book = self.book;
        let view = self.view()?;
        let (positions, balances) = self.changed(&view, change)?;
        let changed = PoolView { positions: &positions, balances: &balances, ..view };
        let state = evaluate(&changed, &MarketState::today(book));
        let views = book
            .pools
            .iter()
            .enumerate()
            .map(|(index, pool)| if index == self.pool { changed } else { PoolView::of(book, pool) })
            .collect();
        let states = self
            .states
            .iter()
            .enumerate()
            .map(|(index, own)| if index == self.pool { &state } else { own })
            .map(|own| own.as_ref().map_err(Clone::clone))
            .collect();
        look(&Standing { views, states })
    }

    fn changed(&self, view: &PoolView<'_>, change: f64) -> Result<(Vec<Position>, Vec<Balance>)> {
        let own = self.position()?;
        let mut positions = view.positions.to_vec();
        let Traded { position, cash } = traded(self.book, own, self.held, change, None);
        match (position, positions.get_mut(self.place)) {
            (Some(made), Some(slot)) => *slot = made,
            (None, Some(_)) => {
                positions.remove(self.place);
            }
            _ => {}
        }
        let balances = with_cash_in(view, settle_of(self.book, own), cash);
        Ok((positions, balances))
    }
}
