//! Many accounts, one market: which is nearest to trouble, and which fails first under a stress.

mod stressed;
mod transfer;

use rayon::prelude::*;

use crate::answer::evaluated::{Evaluated, check_complete};
use crate::answer::node::Node;
use crate::answer::stress::scenarios;
use crate::answer::summary::danger;
use crate::answer::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::liquidation::order::nearest_of;
use crate::stress::library::Case;
use stressed::under;

pub use stressed::STRESSED;

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
