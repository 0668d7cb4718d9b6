//! Many accounts, one market: which is nearest to trouble, and which fails first under a stress.

use rayon::prelude::*;

use super::evaluated::{Evaluated, check_complete};
use super::node::Node;
use super::order::first_in_words;
use super::stress::{Stressed, residual, scenarios};
use super::summary::danger;
use super::{Answer, Value};
use crate::book::{Balance, Book, PoolKind};
use crate::error::{Error, Place, Result};
use crate::liquidation::order::{Options, nearest_of};
use crate::liquidation::price::{price_of, shown};
use crate::margin::settling::credit;
use crate::margin::{PoolState, PoolView, Status, evaluate};
use crate::market::MarketState;
use crate::stress::library::Case;
use crate::stress::{Scenario, state_of};

/// The header of `CM_ACCOUNTS`.
pub const HEADER: [&str; 12] = [
    "rank",
    "account",
    "equity_adjusted",
    "mm",
    "usage",
    "excess_mm",
    "nearest_pct",
    "sigmas",
    "first_liquidated",
    "call_amount",
    "age_in_state",
    "status",
];

/// The header of `CM_ACCOUNTS` under a stress.
pub const STRESSED: [&str; 14] = [
    "rank",
    "account",
    "venue",
    "equity_adjusted",
    "mm",
    "usage",
    "excess_mm",
    "fails_at",
    "first_liquidated",
    "transfer",
    "transfer_from",
    "delta_left",
    "status",
    "note",
];

/// Halvings that find how much of a stress an account bears.
const HALVINGS: usize = 50;
/// Parts of a stress that are looked at first: an account may fail and recover on the way.
const PARTS: u32 = 32;
/// A transfer is this much larger than what is lacking, so that rounding does not undo it.
const MARGIN_OF_TRANSFER: f64 = 1e-9;

/// What accounts are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Excess,
    Usage,
    Shortfall,
    Maintenance,
    Call,
    Nearest,
}

impl Sort {
    const ALL: [(&'static str, Self); 6] = [
        ("excess", Self::Excess),
        ("usage", Self::Usage),
        ("shortfall", Self::Shortfall),
        ("mm", Self::Maintenance),
        ("call", Self::Call),
        ("nearest", Self::Nearest),
    ];

    fn named(word: &str) -> Result<Self> {
        let word = word.trim();
        if word.is_empty() {
            return Ok(Self::Excess);
        }
        let found = Self::ALL.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
        found.map(|(_, sort)| *sort).ok_or_else(|| Error::Unknown {
            what: "sort",
            value: word.to_owned(),
            known: Self::ALL.map(|(own, _)| own).join(", "),
        })
    }
}

/// A book among those that are ranked.
pub struct Ranked<'a> {
    /// The book.
    pub book: &'a Book,
    /// Its figures.
    pub evaluated: &'a Evaluated,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Rows at most.
    pub top: f64,
    /// What is ranked by; empty for excess.
    pub sort: String,
    /// `stress`, `case`.
    pub options: Vec<(String, String)>,
}

/// One account.
struct Line<'a> {
    book: &'a Book,
    account: usize,
    name: String,
    node: Result<Node<'a>>,
}

impl Line<'_> {
    /// Smallest first is the account in the greatest danger; what cannot be measured comes before all.
    fn key(&self, sort: Sort) -> f64 {
        let Ok(node) = &self.node else { return f64::NEG_INFINITY };
        let Ok((_, deciding)) = node.decisive() else { return f64::INFINITY };
        match sort {
            Sort::Excess => deciding.excess,
            Sort::Usage => -deciding.usage.unwrap_or(f64::MAX),
            Sort::Shortfall => node.gross().min(0.0),
            Sort::Maintenance => -node.maintenance(),
            Sort::Call => -node.call(),
            Sort::Nearest => 0.0,
        }
    }
}

/// Accounts ranked by excess, the least first, or by another figure; with `stress=NAME` by how much of that stress they
/// bear. Money in each account's own reporting currency: accounts are shown side by side and never netted.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; [`Error::Missing`] without a book. An account that cannot be measured has a row with
/// the reason, at the top.
pub fn table(books: &[Ranked<'_>], question: &Question) -> Result<Answer> {
    if books.is_empty() {
        return Err(Error::Missing {
            what: "books".into(),
            why: "give the key of a book, or a range of keys".into(),
            place: Place::default(),
        });
    }
    if !(question.top.is_finite() && (1.0..=1e6).contains(&question.top)) {
        return Err(Error::OutOfRange {
            name: "top".into(),
            value: question.top,
            must_be: "from 1 to 1,000,000",
            place: Place::default(),
        });
    }
    let sort = Sort::named(&question.sort)?;
    let (mut stress, mut case) = (None, Case::Central);
    for (key, value) in &question.options {
        match key.trim().to_ascii_lowercase().as_str() {
            "stress" => stress = Some(value.clone()),
            "case" => match Case::named(value)?.as_slice() {
                [one] => case = *one,
                _ => {
                    return Err(Error::Unknown {
                        what: "case",
                        value: value.clone(),
                        known: "mild, central, severe".into(),
                    });
                }
            },
            other => {
                return Err(Error::Unknown {
                    what: "option",
                    value: other.into(),
                    known: "stress, case".into(),
                });
            }
        }
    }
    for ranked in books {
        check_complete(ranked.book)?;
    }
    let lines = lines(books);
    let top = question.top as usize;
    match stress {
        None => Ok(calm(lines, sort, top)),
        Some(words) => {
            let found = scenarios(&words, None, &[case])?;
            match found.as_slice() {
                [scenario] => Ok(under(lines, scenario, top)),
                _ => Err(Error::Unknown {
                    what: "stress",
                    value: words,
                    known: "one scenario by name; CM_STRESS shows several".into(),
                }),
            }
        }
    }
}

fn lines<'a>(books: &[Ranked<'a>]) -> Vec<Line<'a>> {
    let mut found: Vec<Line<'a>> = Vec::new();
    for ranked in books {
        for (account, known) in ranked.book.accounts.iter().enumerate() {
            let pools: Vec<usize> = ranked.book.pools_of(account).collect();
            found.push(Line {
                book: ranked.book,
                account,
                name: known.name.clone(),
                node: Node::of(ranked.evaluated, &pools),
            });
        }
    }
    // two books may both have a main account
    let names: Vec<String> = found.iter().map(|line| line.name.clone()).collect();
    for (place, line) in found.iter_mut().enumerate() {
        let twice = names.iter().enumerate().any(|(other, name)| other != place && *name == line.name);
        if let (true, Some(rulebook)) = (twice, line.book.rulebook_of(line.account)) {
            line.name = format!("{} ({})", line.name, rulebook.id);
        }
    }
    found
}

/// How far a pool of an account is from its trigger.
struct Near {
    percent: Option<f64>,
    sigmas: Option<f64>,
    first: String,
}

fn nearest(line: &Line<'_>) -> Result<Near> {
    let node = line.node.as_ref().map_err(Clone::clone)?;
    let mut ahead = Vec::new();
    let mut firsts = Vec::new();
    for (index, state) in &node.pools {
        let Some(pool) = line.book.pools.get(*index) else { continue };
        let found = danger(line.book, pool, state)?;
        if found.now {
            return Ok(Near { percent: Some(0.0), sigmas: Some(0.0), first: found.first });
        }
        if let Some(trigger) = found.ahead {
            ahead.push(trigger);
            firsts.push(found.first);
        }
    }
    let Some(place) = nearest_of(&ahead) else {
        return Ok(Near { percent: None, sigmas: None, first: "none".into() });
    };
    let trigger = ahead.get(place);
    Ok(Near {
        percent: trigger.map(|own| own.ratio - 1.0),
        sigmas: trigger.and_then(|own| own.sigmas),
        first: firsts.get(place).cloned().unwrap_or_default(),
    })
}

fn calm(lines: Vec<Line<'_>>, sort: Sort, top: usize) -> Answer {
    let mut answer = Answer::new(&HEADER);
    let mut keyed: Vec<(f64, usize, Line<'_>, Option<Result<Near>>)> =
        lines.into_iter().enumerate().map(|(place, line)| (line.key(sort), place, line, None)).collect();
    if sort == Sort::Nearest {
        keyed.par_iter_mut().for_each(|(key, _, line, near)| {
            let found = nearest(line);
            // in sigmas where every coin has a volatility they can be compared; else by the size of the move
            *key = found
                .as_ref()
                .ok()
                .and_then(|own| own.sigmas.or(own.percent.map(f64::abs)))
                .unwrap_or(f64::MAX);
            *near = Some(found);
        });
    }
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keyed.truncate(top);
    // searching for triggers is dear: only what is shown is searched
    keyed.par_iter_mut().for_each(|(_, _, line, near)| {
        near.get_or_insert_with(|| nearest(line));
    });
    for (rank, (_, _, line, near)) in keyed.into_iter().enumerate() {
        answer.rows.push(calm_row(rank + 1, &line, near).unwrap_or_else(|error| {
            let mut row = vec![Value::Missing; HEADER.len()];
            let cells: [(usize, Value); 3] =
                [(0, (rank + 1).into()), (1, line.name.as_str().into()), (11, error.to_string().into())];
            for (slot, value) in cells {
                if let Some(cell) = row.get_mut(slot) {
                    *cell = value;
                }
            }
            row
        }));
    }
    answer
}

fn calm_row(rank: usize, line: &Line<'_>, near: Option<Result<Near>>) -> Result<Vec<Value>> {
    let node = line.node.as_ref().map_err(Clone::clone)?;
    let (_, deciding) = node.decisive()?;
    let near = near.unwrap_or_else(|| nearest(line))?;
    Ok(vec![
        rank.into(),
        line.name.as_str().into(),
        node.equity().into(),
        node.maintenance().into(),
        deciding.usage.into(),
        deciding.excess.into(),
        near.percent.into(),
        near.sigmas.into(),
        near.first.into(),
        node.call().into(),
        "not known: a book is one moment".into(),
        node.status().word().into(),
    ])
}

/// An account after a stress.
struct Struck<'a> {
    line: Line<'a>,
    found: Result<Stressed>,
    /// The part of the stress at which it fails; `None` where it bears all of it.
    fails_at: Option<f64>,
}

fn under(lines: Vec<Line<'_>>, scenario: &Scenario, top: usize) -> Answer {
    let mut struck: Vec<Struck<'_>> = lines
        .into_par_iter()
        .map(|line| {
            let pools: Vec<usize> = line.book.pools_of(line.account).collect();
            let found = Stressed::of(line.book, scenario, &pools);
            let fails_at = fails_at(line.book, scenario, &pools);
            let (found, fails_at) = match (found, fails_at) {
                (Ok(found), Ok(part)) => (Ok(found), part),
                (Err(error), _) | (_, Err(error)) => (Err(error), None),
            };
            Struck { line, found, fails_at }
        })
        .collect();
    let key = |own: &Struck<'_>| match (&own.found, own.fails_at) {
        (Err(_), _) => (f64::NEG_INFINITY, 0.0),
        (Ok(found), part) => {
            let excess = found.node().decisive().map_or(0.0, |(_, state)| state.excess);
            (part.unwrap_or(f64::MAX), excess)
        }
    };
    struck.sort_by(|a, b| {
        let ((a_part, a_excess), (b_part, b_excess)) = (key(a), key(b));
        a_part.total_cmp(&b_part).then(a_excess.total_cmp(&b_excess)).then(a.line.name.cmp(&b.line.name))
    });
    let mut answer = Answer::new(&STRESSED);
    for (place, own) in struck.iter().enumerate().take(top) {
        answer.rows.push(struck_row(place, own, &struck, scenario).unwrap_or_else(|error| {
            let mut row = vec![Value::Missing; STRESSED.len()];
            let cells: [(usize, Value); 4] = [
                (0, (place + 1).into()),
                (1, own.line.name.as_str().into()),
                (12, "refused".into()),
                (13, error.to_string().into()),
            ];
            for (slot, value) in cells {
                if let Some(cell) = row.get_mut(slot) {
                    *cell = value;
                }
            }
            row
        }));
    }
    answer
}

/// The smallest part of a stress at which a pool is liquidated.
fn fails_at(book: &Book, scenario: &Scenario, pools: &[usize]) -> Result<Option<f64>> {
    let fails = |part: f64| -> Result<bool> {
        let found = Stressed::of(book, &scenario.part(part), pools)?;
        Ok(found.pools.iter().any(|(.., state)| Node::is_liquidated(state)))
    };
    if fails(0.0)? {
        return Ok(Some(0.0));
    }
    let mut low = 0.0;
    let mut high = None;
    for part in 1..=PARTS {
        let part = f64::from(part) / f64::from(PARTS);
        if fails(part)? {
            high = Some(part);
            break;
        }
        low = part;
    }
    let Some(mut high) = high else { return Ok(None) };
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if fails(middle)? { high = middle } else { low = middle }
    }
    Ok(Some(high))
}

fn struck_row(place: usize, own: &Struck<'_>, all: &[Struck<'_>], scenario: &Scenario) -> Result<Vec<Value>> {
    let found = own.found.as_ref().map_err(Clone::clone)?;
    let node = found.node();
    let (_, deciding) = node.decisive()?;
    let book = own.line.book;
    let options = Options { go_on: false, ..Options::default() };
    let orders = found.orders(book, &options)?;
    let first =
        orders.first().map_or_else(|| "none".to_owned(), |(_, order)| first_in_words(book, &order.rows));
    let mut notes = found.notes.clone();
    let (transfer, from) = match own.fails_at {
        None => (Value::Number(0.0), String::new()),
        Some(_) => match saved(own, all, scenario)? {
            Saved::By { amount, donors } => (amount.into(), donors),
            Saved::Not { lacking, why } => {
                notes.push(format!("{} is lacking and {why}", shown(lacking)));
                (Value::Missing, "none".to_owned())
            }
        },
    };
    let left: Vec<String> = if orders.is_empty() {
        Vec::new()
    } else {
        residual(book, &with_others(own, all, scenario)?, &orders)?
            .into_iter()
            .filter(|(_, before, after)| before.total_cmp(after).is_ne())
            .map(|(coin, before, after)| {
                let known = book.underlyings.get(coin);
                let name = known.map_or("?", |known| known.name.as_str());
                let money = price_of(book, coin).ok().map_or_else(String::new, |price| {
                    format!(" ({} at today's price)", shown(after * price))
                });
                format!("{name} {} to {}{money}", shown(before), shown(after))
            })
            .collect()
    };
    let venue = book.rulebook_of(own.line.account).map_or("", |rulebook| rulebook.venue.as_str());
    Ok(vec![
        (place + 1).into(),
        own.line.name.as_str().into(),
        venue.into(),
        node.equity().into(),
        node.maintenance().into(),
        deciding.usage.into(),
        deciding.excess.into(),
        own.fails_at.map_or_else(|| "".into(), Value::Number),
        first.into(),
        transfer,
        from.into(),
        left.join(", ").into(),
        node.status().word().into(),
        notes.join("; ").into(),
    ])
}

/// The pools of every account of a book after a stress, those that cannot be measured left out: a leg that is closed
/// at one venue leaves the other leg bare.
fn with_others(own: &Struck<'_>, all: &[Struck<'_>], scenario: &Scenario) -> Result<Stressed> {
    let same = all.iter().filter(|other| std::ptr::eq(other.line.book, own.line.book) && other.found.is_ok());
    let mut pools: Vec<usize> = same.flat_map(|other| other.line.book.pools_of(other.line.account)).collect();
    pools.sort_unstable();
    Stressed::of(own.line.book, scenario, &pools)
}

/// What saves an account.
enum Saved {
    By { amount: f64, donors: String },
    Not { lacking: f64, why: String },
}

/// The cash that would save an account if it were there before the stress, and who can spare it: accounts that hold the
/// same currency, keep their initial margin today and are not liquidated under the stress. Every transfer is measured
/// again on both sides.
fn saved(own: &Struck<'_>, all: &[Struck<'_>], scenario: &Scenario) -> Result<Saved> {
    let book = own.line.book;
    let Some((pool, money)) = lacking(own)? else {
        return Ok(Saved::Not { lacking: 0.0, why: "it recovers by the end of the stress".into() });
    };
    let Some(currency) = transfer_currency(book, pool) else {
        let why = "its book has no price of the reporting currency, so no cash can be sent in it".into();
        return Ok(Saved::Not { lacking: money, why });
    };
    let code = book.currencies.get(currency).map_or("?", |known| known.code.as_str());
    let account = own.line.account;
    let state = state_of(book, scenario, account)?.state;
    let price = match book.pools.get(pool) {
        Some(pool) => PoolView::of(book, pool).price(currency, &state)?,
        None => 1.0,
    };
    let need = money / price;
    if Node::is_liquidated(&with_cash(book, pool, (currency, need), Some(scenario))?) {
        let why = format!("{code} alone does not save it");
        return Ok(Saved::Not { lacking: money, why });
    }
    let mut rich: Vec<(f64, (usize, usize), &Struck<'_>)> = Vec::new();
    for other in all.iter().filter(|other| !std::ptr::eq(*other, own)) {
        if let Some((spare, place)) = spare(other, code, scenario)? {
            rich.push((spare, place, other));
        }
    }
    rich.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.line.name.cmp(&b.2.line.name)));
    let mut left = need;
    let mut donors = Vec::new();
    for (spare, (pool, currency), donor) in rich {
        let given = spare.min(left);
        let book = donor.line.book;
        let after = with_cash(book, pool, (currency, -given), Some(scenario))?;
        let today = with_cash(book, pool, (currency, -given), None)?;
        if given <= 0.0 || Node::is_liquidated(&after) || today.status >= Status::Restricted {
            continue;
        }
        donors.push(format!("{} {} {code}", donor.line.name, shown(given)));
        left -= given;
        if left <= 0.0 {
            return Ok(Saved::By { amount: need, donors: donors.join(", ") });
        }
    }
    Ok(Saved::Not { lacking: money, why: format!("no other account can spare it in {code}") })
}

/// The pool that lacks most after the stress, and what its excess lacks, reporting currency.
fn lacking(own: &Struck<'_>) -> Result<Option<(usize, f64)>> {
    let found = own.found.as_ref().map_err(Clone::clone)?;
    let worst = found
        .pools
        .iter()
        .filter(|(.., state)| Node::is_liquidated(state))
        .min_by(|(i, _, a), (j, _, b)| a.excess.total_cmp(&b.excess).then(i.cmp(j)));
    Ok(worst.map(|(index, _, state)| {
        let short = (-state.excess).max(-state.equity.gross).max(0.0);
        let scale = state.equity.maintenance.abs().max(state.requirement.maintenance).max(1.0);
        (*index, short + MARGIN_OF_TRANSFER * scale)
    }))
}

/// What a donor's cross pool can spare of a currency, in coins, with the pool and the currency: its cash, as far as its
/// excess after the stress and its initial excess today allow.
fn spare(other: &Struck<'_>, code: &str, scenario: &Scenario) -> Result<Option<(f64, (usize, usize))>> {
    let (Ok(found), Ok(today)) = (&other.found, &other.line.node) else { return Ok(None) };
    let book = other.line.book;
    let Some(currency) = book.currencies.iter().position(|known| known.code == code) else { return Ok(None) };
    let stressed = state_of(book, scenario, other.line.account)?.state;
    let mut best: Option<(f64, (usize, usize))> = None;
    for (index, _, state) in &found.pools {
        let Some(pool) = book.pools.get(*index).filter(|pool| pool.kind != PoolKind::Isolated) else {
            continue;
        };
        let held = pool.balances.iter().filter(|own| own.currency == currency);
        let cash: f64 = held.map(|own| own.cash - own.debt).sum();
        if cash <= 0.0 {
            continue;
        }
        let view = PoolView::of(book, pool);
        let (then, now) =
            (view.price(currency, &stressed)?, view.price(currency, &MarketState::today(book))?);
        let calm = today.pools.iter().find(|(own, _)| own == index).map(|(_, state)| *state);
        let initial = calm.and_then(|own| own.excess_initial).unwrap_or(f64::INFINITY);
        let free = cash.min(state.excess / then).min(initial / now) * (1.0 - MARGIN_OF_TRANSFER);
        if free > 0.0 && best.is_none_or(|(most, _)| free > most) {
            best = Some((free, (*index, currency)));
        }
    }
    Ok(best)
}

/// The currency in which cash is sent to a pool: its own where it has one, else the reporting currency.
fn transfer_currency(book: &Book, index: usize) -> Option<usize> {
    let pool = book.pools.get(index)?;
    if let PoolKind::Cross(Some(currency)) = pool.kind {
        return Some(currency);
    }
    let code = &book.rulebook_of(pool.account)?.report_currency;
    book.currencies.iter().position(|known| known.code == *code)
}

/// A pool with coins of a currency added or taken, today or after a stress.
fn with_cash(
    book: &Book,
    index: usize,
    (currency, coins): (usize, f64),
    scenario: Option<&Scenario>,
) -> Result<PoolState> {
    let pool = book.pools.get(index).ok_or_else(|| Error::NoAnswer { why: "nothing is held".into() })?;
    let mut balances: Vec<Balance> = pool.balances.clone();
    credit(&mut balances, currency, coins);
    let view = PoolView { balances: &balances, ..PoolView::of(book, pool) };
    let state = match scenario {
        Some(scenario) => state_of(book, scenario, pool.account)?.state,
        None => MarketState::today(book),
    };
    evaluate(&view, &state)
}
