//! The transfer that saves an account from a stress, measured again on both sides.

use super::stressed::Struck;
use crate::answer::node::Node;
use crate::book::{Balance, Book, PoolKind};
use crate::error::{Error, Result};
use crate::liquidation::price::shown;
use crate::margin::settling::credit;
use crate::margin::{PoolState, PoolView, Status, evaluate};
use crate::market::MarketState;
use crate::stress::{Scenario, state_of};

/// A transfer is this much larger than what is lacking, so that rounding does not undo it.
const MARGIN_OF_TRANSFER: f64 = 1e-9;

/// What saves an account.
pub(super) enum Saved {
    By { amount: f64, donors: String },
    Not { lacking: f64, why: String },
}

/// The cash that would save an account if it were there before the stress, and who can spare it: accounts that hold the
/// same currency, keep their initial margin today and are not liquidated under the stress. Every transfer is measured
/// again on both sides.
pub(super) fn saved(own: &Struck<'_>, all: &[Struck<'_>], scenario: &Scenario) -> Result<Saved> {
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
