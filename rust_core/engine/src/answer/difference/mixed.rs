//! Mixed books: the holdings of one day with the market of another.

use std::sync::OnceLock;

use crate::book::{Book, Currency, Position, Quote, Underlying};
use crate::instrument::{ContractKind, Instrument};
use crate::marked::Marked;

/// Days of a year, as everywhere in time to expiry.
const DAYS_PER_YEAR: f64 = 365.0;

/// What of the newer market is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) prices: bool,
    pub(super) volatilities: bool,
    /// Days between the two, where the mixture is measured at the state in which they have passed: marks are then
    /// those of the newer book there.
    pub(super) days: Option<f64>,
}

/// The holdings of `old` in the market of `new`, as far as it is taken.
///
/// Contracts that the newer book does not know move with their coin and keep their volatility.
pub(super) fn market_of(old: &Book, new: &Book, taken: Taken) -> Book {
    let mut mixed = old.clone();
    // scenarios of a tail are made for one market
    mixed.tails = mixed.rulebooks.iter().map(|_| OnceLock::new()).collect();
    let known: Vec<Option<usize>> =
        old.instruments.iter().map(|own| new.instruments.binary_search(own).ok()).collect();
    let mut newer_marks = vec![None; new.instruments.len()];
    let mut held = vec![None; old.instruments.len()];
    for (marks, book) in [(&mut newer_marks, new), (&mut held, old)] {
        for position in &book.positions {
            if let Some(slot) = marks.get_mut(position.instrument) {
                *slot = Some(position.mark_price);
            }
        }
    }
    for (index, slot) in mixed.quotes.iter_mut().enumerate() {
        let ratio = coin_ratio(old, new, index);
        match known.get(index).copied().flatten().and_then(|other| new.quotes.get(other)) {
            Some(quote) => *slot = quoted(slot, quote, taken),
            None if taken.prices => {
                slot.forward = slot.forward.map(|forward| forward * ratio);
                slot.forward_fixed *= ratio;
            }
            None => {}
        }
    }
    let marks: Vec<Option<f64>> = old
        .instruments
        .iter()
        .enumerate()
        .map(|(index, instrument)| {
            let other = known.get(index).copied().flatten();
            let newer = other.and_then(|other| newer_marks.get(other).copied().flatten());
            let before = held.get(index).copied().flatten()?;
            mark(old, new, &mixed, (index, instrument, before), (other, newer), taken)
        })
        .collect();
    for (quote, mark) in mixed.quotes.iter_mut().zip(&marks) {
        quote.mark = mark.filter(|_| quote.mark.is_some());
    }
    for position in &mut mixed.positions {
        if let Some(Some(mark)) = marks.get(position.instrument) {
            remark(old, position, *mark);
        }
    }
    if taken.prices {
        for slot in &mut mixed.underlyings {
            if let Some(other) = new.underlyings.iter().find(|own| own.name == slot.name) {
                *slot = Underlying {
                    volatility: slot.volatility,
                    daily_volatility: slot.daily_volatility,
                    correlations: slot.correlations.clone(),
                    ..other.clone()
                };
            }
        }
        for place in 0..mixed.currencies.len() {
            let priced = mixed.currencies.get(place).and_then(|own| currency_of(new, own, &mixed));
            if let (Some(slot), Some((price, peg))) = (mixed.currencies.get_mut(place), priced) {
                (slot.price, slot.peg) = (price, peg);
            }
        }
    }
    if taken.volatilities {
        mixed.history.clone_from(&new.history);
        for slot in &mut mixed.underlyings {
            if let Some(other) = new.underlyings.iter().find(|own| own.name == slot.name) {
                slot.volatility = other.volatility;
                slot.daily_volatility = other.daily_volatility;
                slot.correlations.clone_from(&other.correlations);
            }
        }
        for (slot, other) in mixed.volatility.iter_mut().zip(&known) {
            if let Some(own) = other.and_then(|other| new.volatility.get(other)) {
                *slot = *own;
            }
        }
    }
    mixed
}

/// The newer price of a contract's coin over the older one; 1 where either is not known.
fn coin_ratio(old: &Book, new: &Book, instrument: usize) -> f64 {
    let coin = old.instrument_underlying.get(instrument).and_then(|coin| old.underlyings.get(*coin));
    let newer = coin.and_then(|coin| new.underlyings.iter().find(|own| own.name == coin.name));
    let price = |own: &Underlying| own.price.or(own.index_price);
    match (coin.and_then(price), newer.and_then(price)) {
        (Some(old), Some(new)) => new / old,
        _ => 1.0,
    }
}

fn quoted(old: &Quote, new: &Quote, taken: Taken) -> Quote {
    let priced = if taken.prices {
        Quote { years: old.years, implied_volatility: old.implied_volatility, ..*new }
    } else {
        *old
    };
    let volatility = if taken.volatilities { new.implied_volatility } else { old.implied_volatility };
    // the days are taken off again by the state
    let years = taken.days.map_or(old.years, |days| new.years + days / DAYS_PER_YEAR);
    Quote { implied_volatility: volatility, years, ..priced }
}

/// The mark of a contract in a mixture; `None` where it stays.
fn mark(
    old: &Book,
    new: &Book,
    mixed: &Book,
    (index, instrument, held): (usize, &Instrument, f64),
    (other, newer): (Option<usize>, Option<f64>),
    taken: Taken,
) -> Option<f64> {
    let Some(terms) = instrument.option else {
        // of what is held no more the newer book may still have a quote, which of these is the mark
        let quoted = other.and_then(|other| new.quotes.get(other)?.forward);
        let moved = || held * coin_ratio(old, new, index);
        return taken.prices.then(|| newer.or(quoted).unwrap_or_else(moved));
    };
    let value = |quote: &Quote, years: f64| {
        Quote { years, ..*quote }.value(
            instrument.payoff,
            terms,
            1.0,
            quote.implied_volatility.unwrap_or(0.0),
        )
    };
    let (before, now) = (old.quotes.get(index)?, mixed.quotes.get(index)?);
    match (newer, taken.days) {
        // with the days off it is the newer mark, wherever that differs from the model
        (Some(mark), Some(days)) => {
            let left = (now.years - days / DAYS_PER_YEAR).max(0.0);
            Some(mark - (value(now, left) - value(now, now.years)))
        }
        _ => {
            let own = Marked::of(&Quote { mark: Some(held), ..*before }, instrument.payoff, terms);
            let least = || now.least_value(instrument.payoff, terms, 1.0);
            Some(held + own.gain(value(now, now.years), least))
        }
    }
}

/// Marks a position anew; its result moves with the mark.
fn remark(book: &Book, position: &mut Position, mark: f64) {
    let Some(instrument) = book.instruments.get(position.instrument) else { return };
    position.unrealised_pnl += match instrument.kind {
        ContractKind::Option => position.quantity * (mark - position.mark_price),
        _ => instrument.payoff.profit(position.quantity, position.mark_price, mark),
    };
    position.mark_price = mark;
}

/// Prices and peg of a currency in another book, in the order of this book's rulebooks.
fn currency_of(from: &Book, wanted: &Currency, order: &Book) -> Option<(Vec<Option<f64>>, Option<f64>)> {
    let found = from.currencies.iter().find(|own| own.code == wanted.code)?;
    let price = |(place, rulebook): (usize, &crate::rulebook::Rulebook)| {
        let other = from.rulebooks.iter().position(|own| own.label() == rulebook.label());
        let there = other.and_then(|other| found.price.get(other).copied().flatten());
        there.or_else(|| wanted.price.get(place).copied().flatten())
    };
    Some((order.rulebooks.iter().enumerate().map(price).collect(), found.peg))
}

/// The newer book with the balances of the older one, or its orders, or both.
///
/// Pools are found by their names; orders in contracts that the newer book does not know are left out.
pub(super) fn holdings_of(new: &Book, old: &Book, balances: bool, orders: bool) -> Book {
    let mut mixed = new.clone();
    mixed.tails = mixed.rulebooks.iter().map(|_| OnceLock::new()).collect();
    for place in 0..mixed.pools.len() {
        let name = mixed.pools.get(place).map(|pool| new.pool_name(pool)).unwrap_or_default();
        let older = old.pools.iter().find(|pool| old.pool_name(pool) == name);
        if balances {
            let mut list = older.map(|pool| pool.balances.clone()).unwrap_or_default();
            for balance in &mut list {
                balance.currency = currency_in(&mut mixed, old, balance.currency);
            }
            if let Some(pool) = mixed.pools.get_mut(place) {
                pool.balances = list;
            }
        }
        if orders {
            let mut list = Vec::new();
            for order in older.map(|pool| pool.orders.clone()).unwrap_or_default() {
                let instrument = old.instruments.get(order.instrument);
                let there = instrument.and_then(|own| mixed.instruments.binary_search(own).ok());
                let (Some(there), Some(table)) = (there, old.tables.get(order.table)) else { continue };
                mixed.tables.push(table.clone());
                let table = mixed.tables.len() - 1;
                list.push(crate::book::Order { instrument: there, table, ..order });
            }
            if let Some(pool) = mixed.pools.get_mut(place) {
                pool.orders = list;
            }
        }
    }
    mixed
}

/// The place of a currency of one book in another, which learns it where it has to.
fn currency_in(book: &mut Book, from: &Book, currency: usize) -> usize {
    let Some(wanted) = from.currencies.get(currency) else { return 0 };
    if let Some(place) = book.currencies.iter().position(|own| own.code == wanted.code) {
        return place;
    }
    let coin = wanted.underlying.and_then(|coin| from.underlyings.get(coin)).map(|coin| {
        book.underlyings.iter().position(|own| own.name == coin.name).unwrap_or_else(|| {
            book.underlyings.push(coin.clone());
            book.underlyings.len() - 1
        })
    });
    let priced = currency_of(from, wanted, book);
    let price = priced.map_or_else(Vec::new, |(price, _)| price);
    book.currencies.push(Currency { underlying: coin, price, ..wanted.clone() });
    book.currencies.len() - 1
}
