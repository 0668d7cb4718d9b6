//! Stresses: the book measured again after named crises and scenarios of the user's own.

use rayon::prelude::*;

use super::evaluated::{Evaluated, check_complete};
use super::node::{Node, named};
use super::options::number;
use super::order::first_in_words;
use super::scope::report_currency;
use super::stressed::{Stressed, Struck, residual};
use super::{Answer, Value};
use crate::book::Book;
use crate::cell::Table;
use crate::error::{Error, Result};
use crate::liquidation::cost::Slippage;
use crate::liquidation::order::{LiquidationOrder, Options};
use crate::liquidation::own_cascade::{Market, OwnCascade, own_cascade};
use crate::liquidation::price::shown;
use crate::margin::PoolView;
use crate::margin::equity::holdings;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::stress::Scenario;
use crate::stress::library::{Case, library};
use crate::stress::typed::read_scenarios;

/// The header of `CM_STRESS`.
pub const HEADER: [&str; 12] = [
    "scenario",
    "pnl",
    "collateral_change",
    "equity",
    "im",
    "mm",
    "usage",
    "status",
    "call_amount",
    "first_liquidated",
    "shortfall",
    "note",
];

/// The header of the list of the library.
pub const LIBRARY: [&str; 8] =
    ["scenario", "what", "mild", "central", "severe", "window", "source", "retrieved"];

/// Steps of an order that decides about the shortfall.
const STEPS: usize = 200;

/// What is asked besides the scenarios.
#[derive(Debug, Clone)]
struct Settings {
    cases: Vec<Case>,
    by_account: bool,
    cascade: Option<Market>,
    order: Options,
    sources: bool,
}

impl Settings {
    fn read(pairs: &[(String, String)]) -> Result<Self> {
        let order = Options { max_steps: STEPS, go_on: false, ..Options::default() };
        let mut settings =
            Self { cases: vec![Case::Central], by_account: false, cascade: None, order, sources: false };
        let mut market = Market::default();
        let mut cascade = false;
        for (key, value) in pairs {
            let word = value.trim().to_ascii_lowercase();
            match key.trim().to_ascii_lowercase().as_str() {
                "case" => settings.cases = Case::named(&word)?,
                "group_by" => {
                    settings.by_account = match word.as_str() {
                        "book" => false,
                        "account" => true,
                        _ => return unknown("group_by", value, "book, account"),
                    }
                }
                "layout" => {
                    settings.sources = match word.as_str() {
                        "results" => false,
                        "sources" => true,
                        _ => return unknown("layout", value, "results, sources"),
                    }
                }
                "cascade" => {
                    cascade = match word.as_str() {
                        "1" | "true" | "yes" => true,
                        "0" | "false" | "no" | "" => false,
                        _ => return unknown("cascade", value, "0, 1"),
                    }
                }
                "impact" => market.coefficient = Some(number("impact", value, 0.0, 100.0, "from 0 to 100")?),
                "depth" => {
                    market.depth_share = number("depth", value, 1e-6, 1.0, "above 0, at most 1")?;
                }
                "rounds" => {
                    market.rounds = number("rounds", value, 1.0, 1000.0, "from 1 to 1,000")? as usize;
                }
                "slippage" => {
                    let share = number("slippage", value, 0.0, 0.999, "from 0 to below 1")?;
                    settings.order.slippage = Slippage::Fraction(share);
                }
                other => {
                    let known = "case, group_by, layout, cascade, impact, depth, rounds, slippage";
                    return unknown("option", other, known);
                }
            }
        }
        settings.cascade = cascade.then_some(market);
        Ok(settings)
    }
}

fn unknown<T>(what: &'static str, value: &str, known: &str) -> Result<T> {
    Err(Error::Unknown { what, value: value.to_owned(), known: known.to_owned() })
}

/// The scenarios that words or a range name.
///
/// # Errors
///
/// As [`crate::stress::library::Library::named`] and [`read_scenarios`].
pub fn scenarios(words: &str, typed: Option<&Table>, cases: &[Case]) -> Result<Vec<Scenario>> {
    if let Some(table) = typed {
        return read_scenarios(table);
    }
    let words = if words.trim().is_empty() { "LIB" } else { words };
    let found = library()?.named(words)?;
    Ok(found.iter().flat_map(|crisis| cases.iter().map(|case| crisis.scenario(*case))).collect())
}

/// One row per scenario: the book, or each of its accounts, after it.
///
/// `pnl` is what contracts gain at the scenario's prices, `collateral_change` what balances gain; they sum to the change
/// of the gross equity. `equity` is as the maintenance level counts it, `call_amount` lifts every pool to its initial
/// margin, `shortfall` is what accounts owe once the venue's rule has liquidated them. Money in the reporting currency.
///
/// # Errors
///
/// [`Error::Unknown`] for a scenario or an option. A scenario that cannot be measured has a row with the reason.
pub fn table(
    book: &Book,
    evaluated: &Evaluated,
    words: &str,
    typed: Option<&Table>,
    pairs: &[(String, String)],
) -> Result<Answer> {
    check_complete(book)?;
    let settings = Settings::read(pairs)?;
    if settings.sources {
        return library_table();
    }
    let scenarios = scenarios(words, typed, &settings.cases)?;
    let all: Vec<usize> = (0..book.pools.len()).collect();
    let groups: Vec<(String, Vec<usize>)> = if settings.by_account {
        let own = |(index, account): (usize, &crate::book::Account)| {
            (account.name.clone(), book.pools_of(index).collect())
        };
        book.accounts.iter().enumerate().map(own).collect()
    } else {
        report_currency(book, &all)?;
        vec![(String::new(), all)]
    };
    let asked: Vec<(&Scenario, &(String, Vec<usize>))> =
        scenarios.iter().flat_map(|own| groups.iter().map(move |group| (own, group))).collect();
    let mut answer = Answer::new(&HEADER);
    answer.rows = asked
        .par_iter()
        .map(|(scenario, (name, pools))| {
            let shown =
                if name.is_empty() { scenario.name.clone() } else { format!("{} [{name}]", scenario.name) };
            row(book, evaluated, scenario, pools, &settings, &shown)
                .unwrap_or_else(|error| refused(&shown, &error))
        })
        .collect();
    Ok(answer)
}

fn refused(name: &str, error: &Error) -> Vec<Value> {
    let mut row = vec![Value::Missing; HEADER.len()];
    for (slot, text) in [(0, name.to_owned()), (7, "refused".to_owned()), (11, error.to_string())] {
        if let Some(cell) = row.get_mut(slot) {
            *cell = text.into();
        }
    }
    row
}

/// What balances of a pool gain from today to a state at their prices alone, reporting currency.
fn collateral_change(view: &PoolView<'_>, state: &MarketState) -> Result<f64> {
    let today = MarketState::today(view.book);
    let mut parts = Vec::new();
    for holding in holdings(view, &today) {
        if holding.cash != 0.0 {
            let moved = view.price(holding.currency, state)? - view.price(holding.currency, &today)?;
            parts.push(moved * holding.cash);
        }
    }
    Ok(sum(parts))
}

fn row(
    book: &Book,
    evaluated: &Evaluated,
    scenario: &Scenario,
    pools: &[usize],
    settings: &Settings,
    name: &str,
) -> Result<Vec<Value>> {
    let before = Node::of(evaluated, pools)?.gross();
    let stressed = Stressed::of(book, scenario, pools)?;
    let node = stressed.node();
    let (_, deciding) = node.decisive()?;
    let mut changes = Vec::with_capacity(pools.len());
    for (index, market, _) in &stressed.pools {
        if let Some(pool) = book.pools.get(*index) {
            changes.push(collateral_change(&PoolView::of(book, pool), market)?);
        }
    }
    let collateral = sum(changes);
    let mut notes = vec![scenario.note.clone()];
    notes.extend(stressed.notes.iter().cloned());
    let mut struck = stressed.struck(book, &settings.order)?;
    let first = struck.first().map_or_else(
        || "none".to_owned(),
        |own| named(book, own.pool, first_in_words(book, &own.order, &settings.order)),
    );
    let shortfall = match settings.cascade.filter(|_| !struck.is_empty()) {
        Some(market) => {
            let found = cascade(book, &stressed, settings, &market)?;
            notes.push(cascade_words(book, &found));
            // a pool that was taken over has nothing left and owes what it owed then
            let owing =
                sum(found.orders.iter().zip(&found.equity).map(|(order, left)| owed(order).max(-left)));
            let after = found.orders.into_iter().zip(found.left).zip(&stressed.pools);
            struck = after.map(|((order, left), (pool, ..))| Struck { pool: *pool, order, left }).collect();
            owing
        }
        None => {
            let calm =
                stressed.pools.iter().filter(|(index, ..)| struck.iter().all(|own| own.pool != *index));
            let calm = calm.map(|(.., state)| (-state.equity.gross).max(0.0));
            sum(struck.iter().map(|own| owed(&own.order)).chain(calm))
        }
    };
    notes.extend(residual_words(book, &stressed, &struck)?);
    notes.retain(|note| !note.is_empty());
    Ok(vec![
        name.into(),
        (node.gross() - before - collateral).into(),
        collateral.into(),
        node.equity().into(),
        node.initial().into(),
        node.maintenance().into(),
        deciding.usage.into(),
        node.status().word().into(),
        node.call().into(),
        first.into(),
        shortfall.into(),
        notes.join("; ").into(),
    ])
}

/// What an account owes at the end of an order; whoever takes a pool over bears what it owes then.
fn owed(order: &LiquidationOrder) -> f64 {
    order.rows.last().map_or(0.0, |last| {
        let end = if last.action == "takeover" { last.before } else { last.after };
        (-end.equity.gross).max(0.0)
    })
}

fn cascade(book: &Book, stressed: &Stressed, settings: &Settings, market: &Market) -> Result<OwnCascade> {
    let pools: Vec<(usize, MarketState)> =
        stressed.pools.iter().map(|(index, state, _)| (*index, state.clone())).collect();
    own_cascade(book, &pools, &settings.order, market)
}

fn cascade_words(book: &Book, found: &OwnCascade) -> String {
    let mut last: Vec<(usize, f64, f64)> = Vec::new();
    for own in found.rounds.iter().flat_map(|round| &round.coins) {
        match last.iter_mut().find(|(coin, ..)| *coin == own.0) {
            Some(slot) => *slot = *own,
            None => last.push(*own),
        }
    }
    let coins: Vec<String> = last
        .iter()
        .map(|(coin, dealt, ratio)| {
            let name = book.underlyings.get(*coin).map_or("?", |known| known.name.as_str());
            let word = if *dealt < 0.0 { "sold" } else { "bought" };
            format!("{} {name} {word}, its price {:+.2} % further", shown(dealt.abs()), 100.0 * (ratio - 1.0))
        })
        .collect();
    format!(
        "cascade of {} rounds: {}, cost {}, equity left {}{}",
        found.rounds.len(),
        if coins.is_empty() { "nothing is sold in the market".to_owned() } else { coins.join(", ") },
        shown(sum(found.rounds.iter().map(|round| round.cost))),
        shown(sum(found.equity.iter().copied())),
        if found.ended { "" } else { ", stopped before its end" }
    )
}

fn residual_words(book: &Book, stressed: &Stressed, struck: &[Struck]) -> Result<Option<String>> {
    if struck.is_empty() {
        return Ok(None);
    }
    let changed: Vec<String> = residual(book, stressed, struck)?
        .into_iter()
        .filter(|(_, before, after)| before.total_cmp(after).is_ne())
        .map(|(coin, before, after)| {
            let name = book.underlyings.get(coin).map_or("?", |known| known.name.as_str());
            format!("{name} {} to {}", shown(before), shown(after))
        })
        .collect();
    Ok((!changed.is_empty()).then(|| format!("delta after the liquidation: {}", changed.join(", "))))
}

/// The library as a table: every move of every crisis with its range and source.
///
/// # Errors
///
/// As [`library`].
fn library_table() -> Result<Answer> {
    let library = library()?;
    let mut answer = Answer::new(&LIBRARY);
    for crisis in &library.crises {
        let [mild, central, severe] = Case::ALL.map(|case| crisis.scenario(case));
        let mut row = |what: String, range: [f64; 3], key: &str| {
            let source = library.sources.get(key);
            answer.rows.push(vec![
                crisis.id.as_str().into(),
                what.into(),
                range[0].into(),
                range[1].into(),
                range[2].into(),
                crisis.window.as_str().into(),
                source
                    .map_or_else(String::new, |own| match own.note.as_str() {
                        "" => own.address.clone(),
                        note => format!("{}; {note}", own.address),
                    })
                    .into(),
                source.map_or("", |own| own.retrieved.as_str()).into(),
            ]);
        };
        for ((low, middle), high) in mild.moves.iter().zip(&central.moves).zip(&severe.moves) {
            row(format!("price of {}", low.0), [low.1, middle.1, high.1], &crisis.source);
        }
        for (what, range, key) in crisis.beyond_moves() {
            row(what, range, key);
        }
    }
    Ok(answer)
}
