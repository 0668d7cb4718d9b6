//! Limits as a table: one finding per limit and scope, with the money and the rule.

use super::evaluated::check_complete;
use super::scope::{Scope, report_currency, resolve};
use super::{Answer, Evaluated, Value};
use crate::book::Book;
use crate::cell::Table;
use crate::error::{Error, Result, Sign};
use crate::finding::Severity;
use crate::limits::cap::caps;
use crate::limits::context::Context;
use crate::limits::finding::{Finding, compare};
use crate::limits::limit::{Limit, holds_at};
use crate::limits::metric::Metric;
use crate::limits::profile::Profile;
use crate::limits::standing::{Only, Part, Standing};
use crate::margin::PoolView;
use crate::tables::{LimitRow, read_limits};
use crate::watch::Watch;

/// The header of `CM_LIMITS`.
pub const HEADER: [&str; 13] = [
    "limit_id", "scope", "metric", "value", "warn", "limit", "use_pct", "status", "money", "rule", "since",
    "owner", "action",
];

/// The header of `CM_LEVERAGE`.
pub const CAPS: [&str; 8] =
    ["scope", "underlying", "term", "leverage_cap", "binding", "leverage", "largest_notional", "rule"];

/// Every pool of a book as it stands.
pub fn standing<'a>(book: &'a Book, evaluated: &'a Evaluated) -> Standing<'a> {
    Standing {
        views: book.pools.iter().map(|pool| PoolView::of(book, pool)).collect(),
        states: (0..book.pools.len()).map(|pool| evaluated.pool(pool)).collect(),
    }
}

/// The parts that a scope names: one, or one for each account or underlying.
///
/// # Errors
///
/// [`Error::Unknown`] names what the book has.
pub fn parts(book: &Book, scope: &str, metric: Metric) -> Result<Vec<Part>> {
    let plain = scope.trim().to_lowercase().replace(['_', '-'], " ");
    let all: Vec<usize> = (0..book.pools.len()).collect();
    match plain.as_str() {
        "each account" | "accounts" => Ok(book
            .accounts
            .iter()
            .enumerate()
            .map(|(place, account)| Part {
                name: account.name.clone(),
                pools: book.pools_of(place).collect(),
                only: None,
            })
            .collect()),
        "each underlying" | "underlyings" => {
            let mut coins: Vec<usize> =
                book.positions.iter().map(|own| crate::market::underlying_of(book, own)).collect();
            coins.sort_unstable();
            coins.dedup();
            let part = |coin: usize| Part {
                name: book.underlyings.get(coin).map_or("?", |known| known.name.as_str()).to_owned(),
                pools: all.clone(),
                only: Some(Only::Coin(coin)),
            };
            Ok(coins.into_iter().map(part).collect())
        }
        _ => one_part(book, scope, metric).map(|part| vec![part]),
    }
}

fn one_part(book: &Book, scope: &str, metric: Metric) -> Result<Part> {
    let name = if scope.trim().is_empty() { "all" } else { scope.trim() };
    match resolve(book, scope)? {
        Scope::Pools(pools) => {
            if metric.is_money() || metric == Metric::Leverage {
                report_currency(book, &pools)?;
            }
            Ok(Part { name: name.to_owned(), pools, only: None })
        }
        Scope::Positions(found) => {
            let mut pools: Vec<usize> = found.iter().map(|(pool, _)| *pool).collect();
            pools.sort_unstable();
            pools.dedup();
            let instrument = book.instruments.iter().position(|own| own.symbol.eq_ignore_ascii_case(name));
            let coin = || book.underlyings.iter().position(|own| own.name.eq_ignore_ascii_case(name));
            let only = instrument.map(Only::Instrument).or_else(|| coin().map(Only::Coin));
            Ok(Part { name: name.to_owned(), pools, only })
        }
    }
}

/// Reads a limits table.
///
/// # Errors
///
/// [`Error::Table`] for a table without its columns or rows.
pub fn read(table: &Table) -> Result<Vec<LimitRow>> {
    let read = read_limits(table);
    let wrong = |message: String| Error::Table { table: "Limits", message, sign: Sign::Value };
    if let Some(finding) = read.findings.into_iter().find(|finding| finding.severity == Severity::Error) {
        return Err(wrong(finding.message));
    }
    if read.rows.is_empty() {
        return Err(wrong("limits need rows below the header; the table is empty".into()));
    }
    Ok(read.rows)
}

/// Compares limits with a book; without a table those of the profile. A limit that cannot be compared keeps its
/// row, with `error` as its status and the reason as its rule.
///
/// # Errors
///
/// [`Error::Table`] for a table that is none of limits; [`Error::Missing`] for a partial book;
/// [`Error::NoAnswer`] if stopped.
pub fn table(
    book: &Book,
    evaluated: &Evaluated,
    limits: Option<&Table>,
    profile: &Profile,
    watch: &Watch,
) -> Result<Answer> {
    check_complete(book)?;
    let given = limits.map(read).transpose()?;
    let rows = given.as_deref().unwrap_or(&profile.limits);
    let context = Context::new(book, profile, watch);
    let standing = standing(book, evaluated);
    let mut answer = Answer::new(&HEADER);
    for row in rows {
        watch.check()?;
        let parts = Limit::of(row).and_then(|limit| Ok((parts(book, &row.scope, limit.metric)?, limit)));
        let (parts, limit) = match parts {
            Ok(found) => found,
            Err(error) => {
                answer.rows.push(refused(row, row.scope.as_str(), &error));
                continue;
            }
        };
        for part in &parts {
            let found = compare(&context, &standing, &limit, part);
            watch.check()?;
            answer.rows.push(match found {
                Ok(found) => cells(book, row, part, &found),
                Err(error) => refused(row, &part.name, &error),
            });
        }
    }
    if limits.is_none() {
        answer.note = format!("limits of the risk profile '{}'", profile.name);
    }
    Ok(answer)
}

fn refused(row: &LimitRow, scope: &str, error: &Error) -> Vec<Value> {
    let place = match row.row {
        Some(number) if !error.to_string().contains("(row ") => format!(" (row {number}, {})", row.id),
        _ => String::new(),
    };
    vec![
        row.id.as_str().into(),
        scope.into(),
        row.metric.as_str().into(),
        Value::Missing,
        row.warn.into(),
        row.limit.into(),
        Value::Missing,
        "error".into(),
        Value::Missing,
        format!("{error}{place}").into(),
        row.since.as_str().into(),
        row.owner.as_str().into(),
        row.action.as_str().into(),
    ]
}

fn cells(book: &Book, row: &LimitRow, part: &Part, found: &Finding) -> Vec<Value> {
    let (status, rule) = match holds_at(row, &book.as_of) {
        Ok(()) if (row.effective.is_some() || row.expires.is_some()) && book.as_of == "none" => (
            found.status.word(),
            format!("{}; whether it is in force is not known without an as-of", found.rule),
        ),
        Ok(()) => (found.status.word(), found.rule.clone()),
        Err(why) if why.starts_with("expired") => ("expired", format!("{why}; {}", found.rule)),
        Err(why) => ("not effective", format!("{why}; {}", found.rule)),
    };
    let mut rule = rule;
    for (word, text) in [("reason", &row.reason), ("approved by", &row.approver)] {
        if !text.is_empty() {
            rule = format!("{rule}; {word}: {text}");
        }
    }
    let used = found.limit.used(found.value);
    vec![
        row.id.as_str().into(),
        part.name.as_str().into(),
        found.limit.metric.word().into(),
        found.value.into(),
        found.limit.warn.into(),
        found.limit.limit.into(),
        used.into(),
        status.into(),
        found.money.into(),
        rule.into(),
        row.since.as_str().into(),
        row.owner.as_str().into(),
        row.action.as_str().into(),
    ]
}

/// The dynamic leverage cap of every underlying: each term in a row of its own, the binding one marked.
///
/// # Errors
///
/// As [`caps`].
pub fn leverage_caps(
    book: &Book,
    evaluated: &Evaluated,
    scope: &str,
    profile: &Profile,
    watch: &Watch,
) -> Result<Answer> {
    check_complete(book)?;
    let context = Context::new(book, profile, watch);
    let standing = standing(book, evaluated);
    let part = one_part(book, scope, Metric::LeverageCap)?;
    let mut answer = Answer::new(&CAPS);
    for found in caps(&context, &standing, &part)? {
        let binding = found.binding().map(|term| term.term);
        for term in &found.terms {
            answer.rows.push(vec![
                found.pool.as_str().into(),
                found.coin.as_str().into(),
                term.term.into(),
                term.cap.into(),
                if binding == Some(term.term) { "yes" } else { "no" }.into(),
                found.leverage.into(),
                term.cap.map(|cap| cap * found.equity).into(),
                term.words.as_str().into(),
            ]);
        }
    }
    answer.note = format!("risk profile '{}'", profile.name);
    Ok(answer)
}
