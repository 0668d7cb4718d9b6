//! Liquidation orders as a table, and what is closed first in words.

use rayon::prelude::*;

use super::price::SEARCH_LIMIT;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::Result;
use crate::liquidation::order::{
    End, LiquidationOrder, Options, Row, Scenario, Trigger, along, at_state, nearest_of, nearest_trigger,
    state_of_moves,
};
use crate::liquidation::policy::odds;
use crate::liquidation::words::figure;
use crate::margin::{PoolView, Status, evaluate};
use crate::market::MarketState;
use crate::rulebook::{Certainty, Policy};

/// The header of `CM_LIQORDER` (decisions.md 12).
pub const HEADER: [&str; 18] = [
    "step",
    "action",
    "account",
    "symbol",
    "side",
    "qty",
    "price",
    "cost",
    "equity_before",
    "equity_after",
    "im_before",
    "im_after",
    "mm_before",
    "mm_after",
    "usage_before",
    "usage_after",
    "reason",
    "certainty",
];

/// A pool that is liquidated, and where its liquidation begins.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) pool: &'a Pool,
    start: Start,
}

#[derive(Debug)]
enum Start {
    /// At a market state.
    At(MarketState),
    /// Past a trigger.
    Past(Trigger),
}

impl Job<'_> {
    /// The order of the pool.
    ///
    /// # Errors
    ///
    /// As [`evaluate`].
    pub(super) fn run(&self, book: &Book, options: &Options) -> Result<LiquidationOrder> {
        match &self.start {
            Start::At(state) => at_state(book, self.pool, state, options),
            Start::Past(trigger) => {
                along(book, self.pool, trigger.underlying, trigger.ratio, options, SEARCH_LIMIT)
            }
        }
    }
}

/// The pools that a scenario asks about.
///
/// # Errors
///
/// As [`evaluate`].
pub(super) fn jobs<'a>(book: &'a Book, scenario: &Scenario) -> Result<Vec<Job<'a>>> {
    let every = |state: MarketState| {
        book.pools.iter().map(|pool| Job { pool, start: Start::At(state.clone()) }).collect()
    };
    match scenario {
        Scenario::Now => Ok(every(MarketState::today(book))),
        Scenario::Moves(moves) => Ok(every(state_of_moves(book, moves)?)),
        Scenario::Nearest => (0..book.accounts.len())
            .into_par_iter()
            .map(|account| nearest_of_account(book, account))
            .collect::<Result<Vec<_>>>()
            .map(|jobs| jobs.into_iter().flatten().collect()),
    }
}

/// The orders of a book's pools in a scenario, one per account or pool that is liquidated.
///
/// # Errors
///
/// As [`evaluate`].
pub fn orders(book: &Book, scenario: &Scenario, options: &Options) -> Result<Vec<LiquidationOrder>> {
    super::evaluated::check_complete(book)?;
    jobs(book, scenario)?.par_iter().map(|job| job.run(book, options)).collect()
}

/// Of an account: every pool that is liquidatable now, else the one in danger first.
fn nearest_of_account(book: &Book, account: usize) -> Result<Vec<Job<'_>>> {
    let today = MarketState::today(book);
    let mut now = Vec::new();
    let mut pools = Vec::new();
    let mut triggers = Vec::new();
    for index in book.pools_of(account) {
        let Some(pool) = book.pools.get(index).filter(|pool| !pool.positions.is_empty()) else { continue };
        let state = evaluate(&PoolView::of(book, pool), &today)?;
        if matches!(state.status, Status::Liquidatable | Status::Bankrupt) {
            now.push(Job { pool, start: Start::At(today.clone()) });
        } else if let Some(trigger) = nearest_trigger(book, pool, SEARCH_LIMIT)? {
            pools.push(pool);
            triggers.push(trigger);
        }
    }
    if !now.is_empty() {
        return Ok(now);
    }
    let Some(place) = nearest_of(&triggers) else { return Ok(now) };
    let (Some(pool), Some(trigger)) = (pools.get(place), triggers.get(place)) else { return Ok(now) };
    Ok(vec![Job { pool, start: Start::Past(*trigger) }])
}

/// The table of an order.
///
/// # Errors
///
/// As [`orders`].
pub fn table(book: &Book, scenario: &Scenario, options: &Options) -> Result<Answer> {
    let orders = orders(book, scenario, options)?;
    let mut answer = Answer::new(&HEADER);
    let sentences: Vec<&str> = orders
        .iter()
        .filter(|order| order.end != End::NothingToDo || orders.len() == 1)
        .map(|order| order.sentence.as_str())
        .collect();
    answer.note = if sentences.is_empty() {
        "no price makes any account liquidatable".to_owned()
    } else {
        sentences.join("; ")
    };
    for row in orders.iter().flat_map(|order| &order.rows) {
        answer.rows.push(cells(book, row));
    }
    Ok(answer)
}

fn cells(book: &Book, row: &Row) -> Vec<Value> {
    let closed = row.closed.as_ref();
    vec![
        row.step.into(),
        row.action.into(),
        book.accounts.get(row.account).map_or("", |account| account.name.as_str()).into(),
        closed.map_or("", |closed| closed.symbol.as_str()).into(),
        closed.map_or("", |closed| if closed.long { "sell" } else { "buy" }).into(),
        closed.map_or(0.0, |closed| closed.quantity).into(),
        closed.map(|closed| closed.price).into(),
        closed.map_or(0.0, |closed| closed.cost).into(),
        row.before.equity.maintenance.into(),
        row.after.equity.maintenance.into(),
        row.before.initial.into(),
        row.after.initial.into(),
        row.before.maintenance.into(),
        row.after.maintenance.into(),
        row.before.usage.into(),
        row.after.usage.into(),
        row.reason.as_str().into(),
        row.certainty.word().into(),
    ]
}

/// The rows of the first step that closes anything.
fn first_closing(rows: &[Row]) -> Vec<&Row> {
    let step = rows.iter().find(|row| row.closes()).map(|row| row.step);
    rows.iter().filter(|row| row.closes() && Some(row.step) == step).collect()
}

/// What is closed first, in a few words; `random` without a seed has odds.
pub fn first_in_words(book: &Book, order: &LiquidationOrder, options: &Options) -> String {
    let rows = &order.rows;
    let cancelled = if rows.iter().any(|row| row.action == "cancel_orders") { "orders, then " } else { "" };
    if let Some(odds) = odds_in_words(book, rows, options) {
        return format!("{cancelled}{odds}");
    }
    match first_closing(rows).as_slice() {
        [] if cancelled.is_empty() => "none".to_owned(),
        [] => "orders only".to_owned(),
        [row, ..] if row.action == "slice" => format!("{cancelled}a slice of everything"),
        [row] => {
            let side = row.closed.as_ref().map_or("", |closed| if closed.long { "long" } else { "short" });
            let symbol = row.closed.as_ref().map_or("", |closed| closed.symbol.as_str());
            format!("{cancelled}{symbol} {side}")
        }
        many => format!("{cancelled}everything at once ({} positions)", many.len()),
    }
}

/// How many symbols a sentence about odds names.
const NAMED: usize = 8;

/// The odds of being closed first, where the policy draws and nobody has chosen a seed.
fn odds_in_words(book: &Book, rows: &[Row], options: &Options) -> Option<String> {
    let row = first_closing(rows).first().copied()?;
    let rule = &book.rulebook_of(row.account)?.liquidation;
    if options.policy.unwrap_or(rule.policy) != Policy::Random || options.seed.is_some() {
        return None;
    }
    let closed = row.closed.as_ref()?;
    // the pool is the account's cross one, or the isolated position that was closed
    let pool = book.pools_of(row.account).filter_map(|index| book.pools.get(index)).find(|pool| {
        book.positions_of(pool).iter().any(|position| {
            let known = book.instruments.get(position.instrument);
            known.is_some_and(|known| known.symbol == closed.symbol)
        })
    })?;
    let view = PoolView::of(book, pool);
    let mut shares: Vec<(&str, f64)> = Vec::new();
    for (index, share) in odds(&view, options.respect_tags) {
        let position = view.positions.get(index)?;
        let symbol = book.instruments.get(position.instrument)?.symbol.as_str();
        match shares.iter_mut().find(|(known, _)| *known == symbol) {
            Some((_, own)) => *own += share,
            None => shares.push((symbol, share)),
        }
    }
    let named: Vec<String> =
        shares.iter().take(NAMED).map(|(symbol, share)| format!("{symbol} {:.0} %", 100.0 * share)).collect();
    let rest = shares.len().saturating_sub(NAMED);
    let more = if rest > 0 { format!(", {rest} others alike") } else { String::new() };
    Some(format!("{}{more}", named.join(", ")))
}

/// The first rows of an order as symbols, or as one sentence.
///
/// # Errors
///
/// As [`orders`].
pub fn first(
    book: &Book,
    scenario: &Scenario,
    options: &Options,
    count: usize,
    sentence: bool,
) -> Result<Vec<String>> {
    // one answer needs no more than a step that cancels orders and one that closes
    let shortened = Options { max_steps: options.max_steps.min(2), go_on: false, ..options.clone() };
    let options = if sentence || count <= 1 { &shortened } else { options };
    let orders = orders(book, scenario, options)?;
    let mut texts = Vec::new();
    for order in &orders {
        if sentence {
            texts.extend(sentence_of(book, order, (scenario, options)));
            continue;
        }
        if let Some(odds) = odds_in_words(book, &order.rows, options) {
            texts.push(odds);
            continue;
        }
        for closed in order.rows.iter().filter(|row| row.closes()).filter_map(|row| row.closed.as_ref()) {
            if !texts.contains(&closed.symbol) {
                texts.push(closed.symbol.clone());
            }
        }
    }
    if sentence && texts.is_empty() {
        texts.push(orders.first().map_or_else(
            || "No price makes any account liquidatable.".to_owned(),
            |order| format!("Nothing is closed: {}.", order.sentence),
        ));
    }
    texts.truncate(if sentence { texts.len() } else { count });
    Ok(texts)
}

/// What an order begins with as a sentence: where, which position, how much of it, its part of the margin, and how
/// sure that is.
pub fn sentence_of(
    book: &Book,
    order: &LiquidationOrder,
    (scenario, options): (&Scenario, &Options),
) -> Option<String> {
    let row = order.rows.first()?;
    let place = match (order.driver, scenario) {
        (Some((coin, _, price)), _) => {
            let name = book.underlyings.get(coin).map_or("", |known| known.name.as_str());
            format!("At {name} {}", figure(price))
        }
        (None, Scenario::Moves(moves)) => {
            let words = moves.iter().map(|(name, own)| {
                let name = if name.is_empty() { "every coin" } else { name.as_str() };
                format!("{name} {:+} %", (1e4 * own).round() / 1e2)
            });
            format!("After {}", words.collect::<Vec<_>>().join(", "))
        }
        (None, Scenario::Now | Scenario::Nearest) => "At today's prices".to_owned(),
    };
    let cancels = order.rows.iter().any(|row| row.action == "cancel_orders");
    let first = first_closing(&order.rows);
    let what = match first.as_slice() {
        [] if cancels => "cancels all open orders and closes nothing".to_owned(),
        [] => format!("closes nothing: {}", order.sentence),
        _ if odds_in_words(book, &order.rows, options).is_some() => {
            let odds = odds_in_words(book, &order.rows, options).unwrap_or_default();
            format!("closes one position at random: {odds}")
        }
        [one, ..] if one.action == "slice" => {
            format!("sells a slice of everything, {} positions and the collateral", first.len())
        }
        [one] => closing_in_words(one),
        many => format!("closes everything at once ({} positions)", many.len()),
    };
    let what =
        if cancels && !first.is_empty() { format!("cancels all open orders, then {what}") } else { what };
    let certainty = match row.certainty {
        Certainty::Documented => "the venue's documented rule",
        Certainty::Assumed => "assumed: the venue does not publish its order",
        Certainty::Chosen => "a policy chosen by the caller",
    };
    Some(format!("{place} the engine {what} ({certainty})."))
}

fn closing_in_words(row: &Row) -> String {
    let Some(closed) = &row.closed else { return "closes nothing".to_owned() };
    let amount = figure(closed.quantity);
    let share = match row.share {
        Some(share) => format!(", {:.0} % of MM", 100.0 * share),
        None => String::new(),
    };
    match row.action {
        "convert" => format!("sells {amount} {}", closed.symbol),
        "hedge" => {
            let word = if closed.long { "sells" } else { "buys" };
            format!("{word} {amount} {} to hedge", closed.symbol)
        }
        _ => {
            let side = if closed.long { "long" } else { "short" };
            format!("closes {}, {side} {amount}{share}", closed.symbol)
        }
    }
}
