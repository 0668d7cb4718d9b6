//! A book on which trades are tried: what is held, and samples of contracts that are not.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Account;
use crate::book::{Book, Input, Options, PoolKind, Position, RulebookChoice, build};
use crate::cell::{Cell, Table};
use crate::error::{Error, Place, Result};
use crate::size::found;

/// The tables that a book was made of.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The tables.
    pub input: Input<'a>,
    /// As-of as given.
    pub as_of: Option<&'a str>,
}

impl Origin<'_> {
    /// The same book with further rows of positions, read by the same rules.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] with the reason why `what` cannot be booked.
    pub fn with(&self, book: &Book, added: &Table, what: &str) -> Result<Book> {
        let choice = match book.rulebooks.as_slice() {
            [one] => RulebookChoice::One(Box::new(one.clone())),
            _ => RulebookChoice::PerAccount(
                book.accounts
                    .iter()
                    .filter_map(|own| Some((own.name.clone(), book.rulebooks.get(own.rulebook)?.clone())))
                    .collect(),
            ),
        };
        let settings = Options { as_of: self.as_of.map(str::to_owned), partial: false, rebook: false };
        let input = Input { added: Some(added), ..self.input };
        build(&input, &choice, &settings).book.map_err(|error| Error::Missing {
            what: format!("{what} in the book"),
            why: error.to_string(),
            place: Place::default(),
        })
    }
}

/// Rows of positions, one unit of a contract each; `columns` are what further is known about them.
pub fn samples(wanted: &[(String, String, f64)], columns: &[(String, String)]) -> Table {
    let own = ["symbol", "account", "contracts", "contractSize", "unrealizedPnl"];
    let mut header: Vec<Cell> = own.map(|name| Cell::Text(name.to_owned())).to_vec();
    header.extend(columns.iter().map(|(name, _)| Cell::Text(name.clone())));
    let mut rows = vec![header];
    for (account, symbol, sign) in wanted {
        let mut row = vec![Cell::Text(symbol.trim().to_owned()), Cell::Text(account.clone())];
        row.extend([*sign, 1.0, 0.0].map(Cell::Number));
        let further = columns.iter();
        row.extend(
            further.map(|(_, text)| text.trim().parse().map_or_else(|_| Cell::from_text(text), Cell::Number)),
        );
        rows.push(row);
    }
    Table::from_rows(rows)
}

/// The refusal of a contract that cannot be booked because the tables are not kept.
pub fn not_kept(symbol: &str) -> Error {
    Error::NotCovered {
        what: format!("{symbol}, which the account does not hold"),
        why: "the tables of a very large book are not kept; add a row of it to the positions".into(),
        place: Place::default(),
    }
}

/// A book with samples.
#[derive(Debug)]
pub struct Stage<'a> {
    book: Cow<'a, Book>,
    /// Pool and position of each sample: nothing of it is held.
    samples: BTreeSet<(usize, usize)>,
}

impl<'a> Stage<'a> {
    /// A book without samples.
    pub fn bare(book: &'a Book) -> Self {
        Self { book: Cow::Borrowed(book), samples: BTreeSet::new() }
    }

    /// A book with samples of the contracts wanted that an account does not hold: account and symbol.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names the contract that cannot be booked and why; [`Error::NotCovered`] where the other leg of
    /// a hedge-mode account alone is held, or where the symbol is read as another contract.
    pub fn new(
        book: &'a Book,
        origin: Option<Origin<'_>>,
        wanted: &[Wanted],
        columns: &[(String, String)],
    ) -> Result<Self> {
        let mut missing: Vec<(String, String, f64)> = Vec::new();
        for own in wanted {
            let name = book.accounts.get(own.account).map_or("", |known| known.name.as_str());
            let known =
                |row: &(String, String, f64)| row.0 == name && row.1.eq_ignore_ascii_case(&own.symbol);
            if found(book, &own.symbol, Some(name), own.buys)?.is_none() && !missing.iter().any(known) {
                missing.push((name.to_owned(), own.symbol.clone(), if own.buys { 1.0 } else { -1.0 }));
            }
        }
        if missing.is_empty() {
            return Ok(Self::bare(book));
        }
        let named = || missing.iter().map(|(_, symbol, _)| symbol.as_str()).collect::<Vec<_>>().join(", ");
        let Some(origin) = origin else { return Err(not_kept(&named())) };
        let made = match origin.with(book, &samples(&missing, columns), &named()) {
            Ok(made) => made,
            // which of several it is
            Err(error) => {
                for row in missing.iter().filter(|_| missing.len() > 1) {
                    origin.with(book, &samples(std::slice::from_ref(row), columns), &row.1)?;
                }
                return Err(error);
            }
        };
        let mut places = BTreeSet::new();
        for (account, symbol, sign) in &missing {
            let place = found(&made, symbol, Some(account), *sign > 0.0)?;
            places.insert(place.ok_or_else(|| Error::NotCovered {
                what: symbol.clone(),
                why: "the symbol is read as another contract; add a row of it to the positions".into(),
                place: Place::default(),
            })?);
        }
        Ok(Self { book: Cow::Owned(made), samples: places })
    }

    /// The same of contracts that nobody named: those that cannot be booked are left out.
    pub fn with_what_can_be(book: &'a Book, origin: Option<Origin<'_>>, wanted: &[Wanted]) -> Self {
        if let Ok(all) = Self::new(book, origin, wanted, &[]) {
            return all;
        }
        let alone = |own: &&Wanted| Self::new(book, origin, std::slice::from_ref(*own), &[]).is_ok();
        let possible: Vec<Wanted> = wanted.iter().filter(alone).cloned().collect();
        Self::new(book, origin, &possible, &[]).unwrap_or_else(|_| Self::bare(book))
    }

    /// Whether it is the book itself, without samples.
    pub fn is_bare(&self) -> bool {
        matches!(self.book, Cow::Borrowed(_)) && self.samples.is_empty()
    }

    /// The book that indices refer to.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// A pool as it is held, without samples.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where the book has no such pool.
    pub fn account(&self, pool: usize) -> Result<Account<'_>> {
        let known = self.book.pools.get(pool).ok_or_else(|| Error::Missing {
            what: format!("pool {pool}"),
            why: "the book has no such pool".into(),
            place: Place::default(),
        })?;
        let mut account = Account::of(&self.book, known);
        let held = account.positions.into_iter().enumerate();
        account.positions =
            held.filter(|(place, _)| !self.samples.contains(&(pool, *place))).map(|(_, own)| own).collect();
        Ok(account)
    }

    /// The contracts that can be traded in a pool: what is held and the samples.
    pub fn contracts(&self, pool: usize) -> &[Position] {
        self.book.pools.get(pool).map_or(&[], |known| self.book.positions_of(known))
    }

    /// Where a contract is held or has its sample: the pool and the position in it.
    ///
    /// # Errors
    ///
    /// As [`found`].
    pub fn found(&self, account: usize, symbol: &str, buys: bool) -> Result<Option<(usize, usize)>> {
        let name = self.book.accounts.get(account).map_or("", |known| known.name.as_str());
        found(&self.book, symbol, Some(name), buys)
    }

    /// Indices of the instruments of a pool, those of samples too.
    pub fn instruments(&self, pool: usize) -> Vec<usize> {
        self.contracts(pool).iter().map(|own| own.instrument).collect()
    }

    /// Whether a pool is an isolated position.
    pub fn is_isolated(&self, pool: usize) -> bool {
        self.book.pools.get(pool).is_some_and(|known| known.kind == PoolKind::Isolated)
    }
}

/// A contract that an account is to trade.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Index of the account.
    pub account: usize,
    /// The symbol.
    pub symbol: String,
    /// Whether it is bought.
    pub buys: bool,
}
