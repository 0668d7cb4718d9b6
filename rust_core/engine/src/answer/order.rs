//! Liquidation orders as a table, and what is closed first in words.

use rayon::prelude::*;

use super::price::SEARCH_LIMIT;
use super::{Answer, Value};
use crate::book::Book;
use crate::error::Result;
use crate::liquidation::order::{
    End, LiquidationOrder, Options, Row, Scenario, along, at_state, nearest_of, nearest_trigger,
    state_of_moves,
};
use crate::margin::{PoolView, Status, evaluate};
use crate::market::MarketState;

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

/// The orders of a book's pools in a scenario, one per account or pool that is liquidated.
///
/// # Errors
///
/// As [`evaluate`].
pub fn orders(book: &Book, scenario: &Scenario, options: &Options) -> Result<Vec<LiquidationOrder>> {
    super::evaluated::check_complete(book)?;
    let per_pool = |state: &MarketState| -> Result<Vec<LiquidationOrder>> {
        book.pools.par_iter().map(|pool| at_state(book, pool, state, options)).collect()
    };
    match scenario {
        Scenario::Now => per_pool(&MarketState::today(book)),
        Scenario::Moves(moves) => per_pool(&state_of_moves(book, moves)?),
        Scenario::Nearest => (0..book.accounts.len())
            .into_par_iter()
            .map(|account| nearest_of_account(book, account, options))
            .collect::<Result<Vec<_>>>()
            .map(|orders| orders.into_iter().flatten().collect()),
    }
}

/// The orders of an account: of every pool that is liquidatable now, else of the one in danger first.
fn nearest_of_account(book: &Book, account: usize, options: &Options) -> Result<Vec<LiquidationOrder>> {
    let today = MarketState::today(book);
    let mut now = Vec::new();
    let mut pools = Vec::new();
    let mut triggers = Vec::new();
    for index in book.pools_of(account) {
        let Some(pool) = book.pools.get(index).filter(|pool| !pool.positions.is_empty()) else { continue };
        let state = evaluate(&PoolView::of(book, pool), &today)?;
        if matches!(state.status, Status::Liquidatable | Status::Bankrupt) {
            now.push(at_state(book, pool, &today, options)?);
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
    Ok(vec![along(book, pool, trigger.underlying, trigger.ratio, options, SEARCH_LIMIT)?])
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
    let symbol = closed.and_then(|closed| book.instruments.get(closed.instrument));
    vec![
        row.step.into(),
        row.action.into(),
        book.accounts.get(row.account).map_or("", |account| account.name.as_str()).into(),
        symbol.map_or("", |instrument| instrument.symbol.as_str()).into(),
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
    let step = rows.iter().find(|row| row.closed.is_some()).map(|row| row.step);
    rows.iter().filter(|row| row.closed.is_some() && Some(row.step) == step).collect()
}

/// What is closed first, in a few words.
pub fn first_in_words(book: &Book, rows: &[Row]) -> String {
    let cancelled = if rows.iter().any(|row| row.action == "cancel_orders") { "orders, then " } else { "" };
    match first_closing(rows).as_slice() {
        [] if cancelled.is_empty() => "none".to_owned(),
        [] => "orders only".to_owned(),
        [row] => {
            let closed = row.closed.as_ref();
            let symbol = closed.and_then(|closed| book.instruments.get(closed.instrument));
            let side = closed.map_or("", |closed| if closed.long { "long" } else { "short" });
            format!("{cancelled}{} {side}", symbol.map_or("", |instrument| instrument.symbol.as_str()))
        }
        many => format!("{cancelled}everything at once ({} positions)", many.len()),
    }
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
    let orders = orders(book, scenario, options)?;
    let mut texts = Vec::new();
    for order in &orders {
        if sentence {
            if let Some(text) = sentence_of(book, order) {
                texts.push(text);
            }
            continue;
        }
        for row in &order.rows {
            if let Some(closed) = &row.closed {
                let symbol = book
                    .instruments
                    .get(closed.instrument)
                    .map_or("", |instrument| instrument.symbol.as_str());
                if !texts.iter().any(|known: &String| known == symbol) {
                    texts.push(symbol.to_owned());
                }
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

fn sentence_of(book: &Book, order: &LiquidationOrder) -> Option<String> {
    let row = order.rows.first()?;
    let place = order.driver.map_or_else(
        || "At today's prices".to_owned(),
        |(coin, _, price)| {
            let name = book.underlyings.get(coin).map_or("", |known| known.name.as_str());
            format!("At {name} {}", crate::liquidation::price::shown(price))
        },
    );
    let cancels = order.rows.iter().any(|row| row.action == "cancel_orders");
    let first = first_closing(&order.rows);
    let what = match first.as_slice() {
        [] => "cancels all open orders and closes nothing".to_owned(),
        [one] => {
            let closed = one.closed.as_ref();
            let symbol = closed.and_then(|closed| book.instruments.get(closed.instrument));
            format!(
                "closes {} ({} {})",
                symbol.map_or("", |instrument| instrument.symbol.as_str()),
                closed.map_or("", |closed| if closed.long { "long" } else { "short" }),
                closed.map_or_else(String::new, |closed| crate::liquidation::price::shown(closed.quantity))
            )
        }
        many => format!("closes everything at once ({} positions)", many.len()),
    };
    let what =
        if cancels && !first.is_empty() { format!("cancels all open orders, then {what}") } else { what };
    let certainty = match row.certainty {
        crate::rulebook::Certainty::Documented => "the venue's documented rule",
        crate::rulebook::Certainty::Assumed => "assumed: the venue does not publish its order",
        crate::rulebook::Certainty::Chosen => "a policy chosen by the caller",
    };
    Some(format!("{place} the engine {what} ({certainty})."))
}
