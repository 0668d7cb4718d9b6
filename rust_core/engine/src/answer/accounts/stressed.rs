//! Accounts under a stress: which fails first, what saves it, what is left bare.

use rayon::prelude::*;

use super::Line;
use super::transfer::{Saved, saved};
use crate::answer::node::Node;
use crate::answer::order::first_in_words;
use crate::answer::stressed::{Stressed, residual};
use crate::answer::{Answer, Value};
use crate::book::Book;
use crate::error::Result;
use crate::liquidation::order::Options;
use crate::liquidation::price::{price_of, shown};
use crate::stress::Scenario;

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
/// An account after a stress.
pub(super) struct Struck<'a> {
    pub(super) line: Line<'a>,
    pub(super) found: Result<Stressed>,
    /// The part of the stress at which it fails; `None` where it bears all of it.
    fails_at: Option<f64>,
}

pub(super) fn under(lines: Vec<Line<'_>>, scenario: &Scenario, top: usize) -> Answer {
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
    let closed = found.struck(book, &options)?;
    let first =
        closed.first().map_or_else(|| "none".to_owned(), |own| first_in_words(book, &own.order, &options));
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
    let left: Vec<String> = if closed.is_empty() {
        Vec::new()
    } else {
        residual(book, &with_others(own, all, scenario)?, &closed)?
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
