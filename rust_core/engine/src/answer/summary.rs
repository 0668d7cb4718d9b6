//! The summary: one row per account, pool, settlement currency or coin.

use rayon::prelude::*;

use super::evaluated::{Evaluated, decisive, initial_excess};
use super::scalar::venue_ratio;
use super::scope::report_currency;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::liquidation::order::{Options, Trigger, along, at_state, nearest_of, nearest_trigger};
use crate::liquidation::price::{price_of, shown};
use crate::margin::{PoolState, Status};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;

/// The header of `CM_SUMMARY`.
pub const HEADER: [&str; 15] = [
    "scope",
    "equity_gross",
    "equity_adjusted",
    "im",
    "mm",
    "order_margin",
    "usage",
    "excess_im",
    "excess_mm",
    "ratio_venue",
    "ratio_direction",
    "status",
    "worst_scenario",
    "nearest_trigger",
    "first_liquidated",
];

/// What a pool's trigger is and what goes first there.
#[derive(Debug, Clone)]
pub struct Danger {
    /// The trigger in words.
    pub trigger: String,
    /// What is closed first, in words.
    pub first: String,
    /// The trigger, where there is one ahead.
    pub ahead: Option<Trigger>,
    /// Whether the pool is liquidatable now.
    pub now: bool,
}

impl Danger {
    fn none() -> Self {
        Self { trigger: "none".into(), first: "none".into(), ahead: None, now: false }
    }
}

/// The nearest trigger of a pool and what is closed first there.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn danger(book: &Book, pool: &Pool, state: &PoolState) -> Result<Danger> {
    // two steps, since the first one may only cancel orders
    let options = Options { max_steps: 2, go_on: false, ..Options::default() };
    if matches!(state.status, Status::Liquidatable | Status::Bankrupt) {
        let order = at_state(book, pool, &MarketState::today(book), &options)?;
        return Ok(Danger {
            trigger: "liquidatable now".into(),
            first: super::order::first_in_words(book, &order, &options),
            ahead: None,
            now: true,
        });
    }
    let Some(ahead) = nearest_trigger(book, pool, super::price::SEARCH_LIMIT)? else {
        return Ok(Danger::none());
    };
    let order = along(book, pool, ahead.underlying, ahead.ratio, &options, super::price::SEARCH_LIMIT)?;
    let name = book.underlyings.get(ahead.underlying).map_or("", |known| known.name.as_str());
    Ok(Danger {
        trigger: format!(
            "{name} {} ({:+.2} %)",
            shown(price_of(book, ahead.underlying)? * ahead.ratio),
            100.0 * (ahead.ratio - 1.0)
        ),
        first: super::order::first_in_words(book, &order, &options),
        ahead: Some(ahead),
        now: false,
    })
}

/// The danger that comes first: a pool that is liquidatable now, else the nearest trigger.
fn first_danger(dangers: Vec<Danger>) -> Danger {
    if let Some(now) = dangers.iter().find(|danger| danger.now) {
        return now.clone();
    }
    let ahead: Vec<(&Danger, Trigger)> =
        dangers.iter().filter_map(|danger| danger.ahead.map(|trigger| (danger, trigger))).collect();
    let triggers: Vec<Trigger> = ahead.iter().map(|(_, trigger)| *trigger).collect();
    nearest_of(&triggers)
        .and_then(|place| ahead.get(place))
        .map_or_else(Danger::none, |(danger, _)| (*danger).clone())
}

/// The summary table, `group_by` being `account`, `pool`, `settle`, `riskUnit` or `book`.
///
/// # Errors
///
/// [`Error::Unknown`] for another grouping; per-row refusals stand in the row's status.
pub fn summary(book: &Book, evaluated: &Evaluated, group_by: &str) -> Result<Answer> {
    let mut answer = Answer::new(&HEADER);
    let groups: Vec<(String, Vec<usize>)> = match group_by.to_ascii_lowercase().as_str() {
        "account" => book
            .accounts
            .iter()
            .enumerate()
            .map(|(index, account)| (account.name.clone(), book.pools_of(index).collect()))
            .collect(),
        "pool" => {
            book.pools.iter().enumerate().map(|(index, pool)| (book.pool_name(pool), vec![index])).collect()
        }
        "book" => vec![("book".to_owned(), (0..book.pools.len()).collect())],
        "riskunit" | "underlying" => return by_coin(book, evaluated),
        "settle" => by_settle(book),
        _ => {
            return Err(Error::Unknown {
                what: "grouping",
                value: group_by.to_owned(),
                known: "account, pool, settle, riskUnit, book".into(),
            });
        }
    };
    let rows: Vec<Vec<Value>> =
        groups.par_iter().map(|(name, pools)| row(book, evaluated, name, pools, true)).collect();
    answer.rows = rows;
    if groups.len() > 1 {
        let all: Vec<usize> = (0..book.pools.len()).collect();
        answer.rows.push(row(book, evaluated, "TOTAL", &all, false));
    }
    Ok(answer)
}

fn by_settle(book: &Book) -> Vec<(String, Vec<usize>)> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let currency = match pool.kind {
            crate::book::PoolKind::Cross(Some(currency)) => Some(currency),
            _ => {
                let mut settles: Vec<usize> = book
                    .positions_of(pool)
                    .iter()
                    .map(|position| crate::market::settle_of(book, position))
                    .collect();
                settles.sort_unstable();
                settles.dedup();
                if let [only] = settles.as_slice() { Some(*only) } else { None }
            }
        };
        let name = currency
            .and_then(|currency| book.currencies.get(currency))
            .map_or_else(|| "mixed".to_owned(), |currency| currency.code.clone());
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, pools)) => pools.push(index),
            None => groups.push((name, vec![index])),
        }
    }
    groups
}

/// One row: sums of money; usage, excess and ratio of the pool that decides; the worst status.
fn row(book: &Book, evaluated: &Evaluated, name: &str, pools: &[usize], with_danger: bool) -> Vec<Value> {
    match try_row(book, evaluated, name, pools, with_danger) {
        Ok(row) => row,
        Err(error) => {
            let mut row = vec![Value::Missing; HEADER.len()];
            for (slot, value) in [(0, name.to_owned()), (11, error.to_string())] {
                if let Some(cell) = row.get_mut(slot) {
                    *cell = Value::Text(value);
                }
            }
            row
        }
    }
}

fn try_row(
    book: &Book,
    evaluated: &Evaluated,
    name: &str,
    pools: &[usize],
    with_danger: bool,
) -> Result<Vec<Value>> {
    super::evaluated::check_complete(book)?;
    report_currency(book, pools)?;
    let states: Result<Vec<(usize, &PoolState)>> =
        pools.iter().map(|index| evaluated.pool(*index).map(|state| (*index, state))).collect();
    let states = states?;
    let money = |of: &dyn Fn(&PoolState) -> f64| sum(states.iter().map(|(_, state)| of(state)));
    let initial: Option<Vec<f64>> = states.iter().map(|(_, state)| state.requirement.initial).collect();
    let Some((deciding_pool, deciding)) = decisive(&states) else {
        return Err(Error::NoAnswer { why: "nothing is held".into() });
    };
    let worst_status = states.iter().map(|(_, state)| state.status).max().unwrap_or(deciding.status);
    let rulebook = book.pools.get(deciding_pool).and_then(|pool| book.rulebook_of(pool.account));
    let scenario = deciding.requirement.worst.iter().max_by(|a, b| a.loss.total_cmp(&b.loss)).map_or_else(
        || "none: no scenarios".to_owned(),
        |worst| format!("{} {}", worst.unit, worst.scenario),
    );
    let mut dangers = Vec::new();
    if with_danger {
        for (index, state) in &states {
            if let Some(pool) = book.pools.get(*index) {
                dangers.push(danger(book, pool, state)?);
            }
        }
    }
    let nearest = first_danger(dangers);
    let (trigger, first) =
        if with_danger { (nearest.trigger, nearest.first) } else { (String::new(), String::new()) };
    Ok(vec![
        name.into(),
        money(&|state| state.equity.gross).into(),
        money(&|state| state.equity.maintenance).into(),
        initial.map(sum).into(),
        money(&|state| state.requirement.maintenance).into(),
        money(&|state| state.requirement.order_margin).into(),
        deciding.usage.into(),
        initial_excess(&states).into(),
        deciding.excess.into(),
        venue_ratio(book, deciding_pool, deciding).into(),
        rulebook.map_or("", |rulebook| rulebook.venue_ratio.direction()).into(),
        worst_status.word().into(),
        scenario.into(),
        trigger.into(),
        first.into(),
    ])
}

/// Margins by coin; equity belongs to accounts, so those columns have no answer.
fn by_coin(book: &Book, evaluated: &Evaluated) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let mut answer = Answer::new(&HEADER);
    let mut parts: Vec<(Vec<f64>, Option<Vec<f64>>)> =
        vec![(Vec::new(), Some(Vec::new())); book.underlyings.len()];
    for (index, pool) in book.pools.iter().enumerate() {
        let state = evaluated.pool(index)?;
        for (position, margin) in book.positions_of(pool).iter().zip(&state.requirement.by_position) {
            let Some((maintenance, initial)) = parts.get_mut(crate::market::underlying_of(book, position))
            else {
                continue;
            };
            maintenance.push(margin.maintenance);
            match (initial.as_mut(), margin.initial) {
                (Some(list), Some(value)) => list.push(value),
                _ => *initial = None,
            }
        }
    }
    for (underlying, (maintenance, initial)) in book.underlyings.iter().zip(parts) {
        if maintenance.is_empty() {
            continue;
        }
        let mut row = vec![Value::Missing; HEADER.len()];
        let filled: [(usize, Value); 4] = [
            (0, underlying.name.as_str().into()),
            (3, initial.map(sum).into()),
            (4, sum(maintenance).into()),
            (11, "equity and excess belong to the account, not to a coin".into()),
        ];
        for (slot, value) in filled {
            if let Some(cell) = row.get_mut(slot) {
                *cell = value;
            }
        }
        answer.rows.push(row);
    }
    Ok(answer)
}
