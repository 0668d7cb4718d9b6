//! The largest size of a trade, as a number and as a table with the reason for its bound.

use super::evaluated::check_complete;
use super::limits::{parts, read};
use super::{Answer, Value};
use crate::book::Book;
use crate::cell::Table;
use crate::error::{Error, Place, Result, check_positive};
use crate::limits::context::Context;
use crate::limits::limit::{Limit, holds_at};
use crate::limits::profile::Profile;
use crate::plan::Origin;
use crate::plan::stage::{not_kept, samples};
use crate::size::{Bound, Largest, Trial, account_of, found, largest, limit_of};
use crate::watch::Watch;

/// The header of the table.
pub const HEADER: [&str; 15] = [
    "symbol",
    "account",
    "side",
    "size",
    "notional",
    "price",
    "lot",
    "limit",
    "metric",
    "value_before",
    "value_at_size",
    "bound",
    "value_beyond",
    "status",
    "reason",
];

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The contract.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// One limit in words; empty where a table is given.
    pub limit: String,
    /// A limits table; every row that is in force bounds the size.
    pub limits: Option<Table>,
    /// The account; may be left out where one only can be meant.
    pub account: Option<String>,
    /// Smallest step of the quantity.
    pub lot: Option<f64>,
    /// Columns of the positions table for a contract that is not held, such as leverage.
    pub columns: Vec<(String, String)>,
}

impl Question {
    /// Takes what concerns the contract and the account out of options; the rest belongs to the profile.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a lot that is not above zero.
    pub fn split(mut self, options: &[(String, String)]) -> Result<(Self, Vec<(String, String)>)> {
        let mut rest = Vec::new();
        for (key, value) in options {
            let plain = key.trim().to_lowercase().replace(['_', ' ', '-'], "");
            match plain.as_str() {
                "account" => self.account = Some(value.trim().to_owned()),
                "lot" => {
                    let number = value.trim().parse().map_err(|_| Error::Unknown {
                        what: "lot",
                        value: value.clone(),
                        known: "a number above zero".into(),
                    })?;
                    self.lot = Some(check_positive("lot", number, Place::default)?);
                }
                "price" => self.columns.push(("markPrice".into(), value.clone())),
                "mmr" | "maintenancemarginrate" => {
                    self.columns.push(("maintenanceMarginRate".into(), value.clone()));
                }
                "imr" | "initialmarginrate" => self.columns.push(("initialMarginRate".into(), value.clone())),
                "leverage" | "margintable" | "markiv" | "forward" | "type" | "settle" | "expiry"
                | "strike" | "optiontype" | "underlying" | "inverse" => {
                    self.columns.push((key.trim().to_owned(), value.clone()));
                }
                _ => rest.push((key.clone(), value.clone())),
            }
        }
        Ok((self, rest))
    }

    fn buys(&self) -> Result<bool> {
        match self.side.trim().to_lowercase().as_str() {
            "" | "buy" | "long" => Ok(true),
            "sell" | "short" => Ok(false),
            _ => Err(Error::Unknown { what: "side", value: self.side.clone(), known: "buy, sell".into() }),
        }
    }
}

/// The largest size, and what the trial is called.
struct Asked {
    largest: Largest,
    symbol: String,
    account: String,
}

/// Answers a question; a contract that the account does not hold is booked with the rest from its tables.
fn ask(
    book: &Book,
    origin: Option<Origin<'_>>,
    question: &Question,
    profile: &Profile,
    watch: &Watch,
) -> Result<Asked> {
    check_complete(book)?;
    let buys = question.buys()?;
    let symbol = question.symbol.trim();
    if symbol.is_empty() {
        return Err(Error::Missing {
            what: "symbol".into(),
            why: "name the contract".into(),
            place: Place::default(),
        });
    }
    let account = question.account.as_deref();
    if let Some(place) = found(book, symbol, account, buys)? {
        return tried(book, place, false, question, profile, watch);
    }
    let account = account_of(book, symbol, account)?;
    let name = book.accounts.get(account).map_or("", |own| own.name.as_str());
    let Some(origin) = origin else { return Err(not_kept(symbol)) };
    let wanted = [(name.to_owned(), symbol.to_owned(), if buys { 1.0 } else { -1.0 })];
    let made = origin.with(book, &samples(&wanted, &question.columns), symbol)?;
    let place = found(&made, symbol, Some(name), buys)?.ok_or_else(|| Error::NotCovered {
        what: symbol.to_owned(),
        why: "the symbol is read as another contract; add a row of it to the positions".into(),
        place: Place::default(),
    })?;
    tried(&made, place, true, question, profile, watch)
}

fn tried(
    book: &Book,
    place: (usize, usize),
    added: bool,
    question: &Question,
    profile: &Profile,
    watch: &Watch,
) -> Result<Asked> {
    let context = Context::new(book, profile, watch);
    let trial = Trial::new(book, place, added, question.lot)?;
    let mut bounds = Vec::new();
    let mut put = |name: &str, limit: &Limit, scope: &str| -> Result<()> {
        for part in parts(book, scope, limit.metric)? {
            let name = if name.is_empty() { limit.metric.word() } else { name };
            bounds.push(Bound { name: format!("{name} ({})", part.name), limit: limit.clone(), part });
        }
        Ok(())
    };
    let account = book.pools.get(place.0).and_then(|pool| book.accounts.get(pool.account));
    let account = account.map_or("all", |own| own.name.as_str());
    match &question.limits {
        None => put(question.limit.trim(), &limit_of(&question.limit, profile)?, account)?,
        Some(table) => {
            for row in read(table)?.iter().filter(|row| holds_at(row, &book.as_of).is_ok()) {
                put(&row.id, &Limit::of(row)?, &row.scope)?;
            }
        }
    }
    let largest = largest(&context, &trial, &bounds, question.buys()?)?;
    Ok(Asked { largest, symbol: trial.symbol().to_owned(), account: trial.account() })
}

/// The largest signed quantity before a limit.
///
/// # Errors
///
/// [`Error::OutOfRange`] (`#NUM!`) where the limit is broken already; [`Error::NoAnswer`] where no size reaches it;
/// [`Error::Unknown`] for a word; [`Error::Missing`] for a price or a bracket of a contract that is not held.
pub fn number(
    book: &Book,
    origin: Option<Origin<'_>>,
    question: &Question,
    profile: &Profile,
    watch: &Watch,
) -> Result<f64> {
    Ok(ask(book, origin, question, profile, watch)?.largest.size)
}

/// The same with the limit before the trade, at the size and a lot beyond it.
///
/// # Errors
///
/// As [`number`].
pub fn table(
    book: &Book,
    origin: Option<Origin<'_>>,
    question: &Question,
    profile: &Profile,
    watch: &Watch,
) -> Result<Answer> {
    let asked = ask(book, origin, question, profile, watch)?;
    let own = &asked.largest;
    let [before, at, beyond] = &own.findings;
    let lot = if own.lot_known { "a lot" } else { "a step (no lot is given)" };
    let reason = format!("{lot} more: {}", beyond.rule);
    let mut answer = Answer::new(&HEADER);
    answer.rows.push(vec![
        asked.symbol.into(),
        asked.account.into(),
        if question.buys()? { "buy" } else { "sell" }.into(),
        own.size.into(),
        own.notional.into(),
        own.price.into(),
        own.lot.into(),
        own.name.as_str().into(),
        beyond.limit.metric.word().into(),
        before.value.into(),
        at.value.into(),
        beyond.limit.limit.into(),
        beyond.value.into(),
        Value::from(at.status.word()),
        reason.into(),
    ]);
    Ok(answer)
}
