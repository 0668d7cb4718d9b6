//! Sensitivities by coin, expiry, strike, account or symbol.

use std::collections::BTreeMap;

use super::evaluated::{Evaluated, check_complete};
use super::scope::report_currency;
use super::{Answer, Value};
use crate::book::{Book, Position};
use crate::error::{Error, Result};
use crate::instrument::{Instrument, Payoff};
use crate::margin::PoolView;
use crate::margin::scenario::exposure::index_price;
use crate::market::{MarketState, mark_at, settle_of, underlying_of};
use crate::numeric::Accumulator;
use crate::pricing::greeks::ForwardOption;

/// The header of `CM_EXPOSURE`.
pub const HEADER: [&str; 11] = [
    "group",
    "delta",
    "delta_usd",
    "gamma_1pct",
    "vega",
    "theta",
    "gross",
    "net",
    "leverage",
    "beta_delta",
    "share",
];

/// How positions are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Underlying,
    Expiry,
    Strike,
    Account,
    Symbol,
}

/// Sensitivities of one position: coins, then money of the reporting currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sensitivity {
    /// Coins.
    pub(super) delta: f64,
    /// The same at the index, reporting currency.
    pub(super) delta_money: f64,
    gamma: f64,
    vega: f64,
    theta: f64,
    gross: f64,
    net: f64,
    beta: Option<f64>,
}

/// Sums of a group.
#[derive(Debug, Default)]
struct Sums {
    figures: [Accumulator; 7],
    beta: Option<Accumulator>,
    beta_missing: bool,
    coins: Vec<usize>,
}

/// Delta in coins and money, gamma for a move of 1 %, vega per point of volatility, theta per day.
///
/// `unit` is `usd` (the reporting currency) or `coin`: gamma, vega and theta divided by the index.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; [`Error::Missing`] for a quote that an option needs.
pub fn table(book: &Book, evaluated: &Evaluated, group_by: &str, unit: &str) -> Result<Answer> {
    check_complete(book)?;
    report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let group = match group_by {
        "underlying" => Group::Underlying,
        "expiry" => Group::Expiry,
        "strike" => Group::Strike,
        "account" => Group::Account,
        "symbol" => Group::Symbol,
        other => {
            return Err(Error::Unknown {
                what: "group_by",
                value: other.to_owned(),
                known: "underlying, expiry, strike, account, symbol".into(),
            });
        }
    };
    let in_coins = match unit {
        "usd" => false,
        "coin" => true,
        other => {
            return Err(Error::Unknown { what: "unit", value: other.to_owned(), known: "usd, coin".into() });
        }
    };
    let today = MarketState::today(book);
    let mut groups: BTreeMap<(String, u64, String), Sums> = BTreeMap::new();
    let mut equity = Accumulator::default();
    for (index, pool) in book.pools.iter().enumerate() {
        let view = PoolView::of(book, pool);
        if let Ok(state) = evaluated.pool(index) {
            equity.add(state.equity.gross);
        }
        for position in book.positions_of(pool) {
            let Some(instrument) = book.instruments.get(position.instrument) else { continue };
            let coin = underlying_of(book, position);
            let mut found = sensitivity(&view, position, instrument, &today)?;
            if in_coins {
                let price = index_price(book, coin, &today).unwrap_or(f64::NAN);
                for figure in
                    [&mut found.gamma, &mut found.vega, &mut found.theta, &mut found.gross, &mut found.net]
                {
                    *figure /= price;
                }
            }
            let sums = groups.entry(key(book, position, instrument, group)).or_default();
            let figures = [
                found.delta,
                found.delta_money,
                found.gamma,
                found.vega,
                found.theta,
                found.gross,
                found.net,
            ];
            for (sum, figure) in sums.figures.iter_mut().zip(figures) {
                sum.add(figure);
            }
            match found.beta {
                Some(beta) => sums.beta.get_or_insert_default().add(beta),
                None => sums.beta_missing = true,
            }
            if !sums.coins.contains(&coin) {
                sums.coins.push(coin);
            }
        }
    }
    Ok(rows(groups, equity.value(), in_coins))
}

fn rows(groups: BTreeMap<(String, u64, String), Sums>, equity: f64, in_coins: bool) -> Answer {
    let gross = |sums: &Sums| sums.figures.get(5).map_or(0.0, Accumulator::value);
    // no share of coins of different kinds
    let mut kinds: Vec<usize> = groups.values().flat_map(|sums| sums.coins.iter().copied()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let whole: f64 = if in_coins && kinds.len() > 1 { 0.0 } else { groups.values().map(gross).sum() };
    let mut answer = Answer::new(&HEADER);
    let mut total = [0.0; 7];
    let mut coins: Vec<usize> = Vec::new();
    for ((_, _, name), sums) in &groups {
        let values = sums.figures.map(|figure| figure.value());
        for (slot, value) in total.iter_mut().zip(values) {
            *slot += value;
        }
        coins.extend(sums.coins.iter().filter(|coin| !coins.contains(coin)).copied().collect::<Vec<_>>());
        answer.rows.push(row(name, values, &sums.coins, in_coins, equity, whole, {
            sums.beta.as_ref().filter(|_| !sums.beta_missing).map(Accumulator::value)
        }));
    }
    answer.rows.push(row("TOTAL", total, &coins, in_coins, equity, whole, None));
    answer
}

/// One row; figures in coins of different kinds are never added up.
fn row(
    name: &str,
    values: [f64; 7],
    coins: &[usize],
    in_coins: bool,
    equity: f64,
    whole: f64,
    beta: Option<f64>,
) -> Vec<Value> {
    let [delta, money, gamma, vega, theta, gross, net] = values;
    let one = coins.len() == 1;
    let figure = |value: f64| -> Value { (one || !in_coins).then_some(value).into() };
    vec![
        name.into(),
        one.then_some(delta).into(),
        money.into(),
        figure(gamma),
        figure(vega),
        figure(theta),
        figure(gross),
        figure(net),
        (equity > 0.0 && !in_coins).then(|| gross / equity).into(),
        beta.into(),
        (whole > 0.0 && (one || !in_coins)).then(|| gross / whole).into(),
    ]
}

fn key(book: &Book, position: &Position, instrument: &Instrument, group: Group) -> (String, u64, String) {
    let coin = instrument.underlying.clone();
    let strike = instrument.option.map_or(0.0, |option| option.strike.0);
    let expiry = instrument.expiry.clone().unwrap_or_else(|| "no expiry".to_owned());
    match group {
        Group::Underlying => (coin.clone(), 0, coin),
        Group::Expiry => (format!("{coin} {expiry}"), 0, format!("{coin} {expiry}")),
        Group::Strike if instrument.option.is_some() => {
            (coin.clone(), strike.to_bits(), format!("{coin} {strike}"))
        }
        Group::Strike => (coin.clone(), 0, format!("{coin} no strike")),
        Group::Account => {
            let name = book.accounts.get(position.account).map_or("", |account| account.name.as_str());
            (name.to_owned(), 0, name.to_owned())
        }
        Group::Symbol => (instrument.symbol.clone(), 0, instrument.symbol.clone()),
    }
}

/// Sensitivities of a position at a state; what is past its expiry there has none.
///
/// # Errors
///
/// [`Error::Missing`] for a quote that an option needs.
pub(super) fn sensitivity(
    view: &PoolView<'_>,
    position: &Position,
    instrument: &Instrument,
    state: &MarketState,
) -> Result<Sensitivity> {
    let book = view.book;
    let coin = underlying_of(book, position);
    if state.is_expired(book, position.instrument) {
        return Ok(Sensitivity::default());
    }
    let ratio = state.ratio(coin);
    let mark = mark_at(book, position, ratio);
    let index = index_price(book, coin, state).unwrap_or(mark);
    // quote currency in money: what the settlement currency is worth, or the coin at the contract's mark
    let settle = view.price(settle_of(book, position), state)?;
    let quote = match instrument.payoff {
        Payoff::Linear => settle,
        Payoff::Inverse => settle / index,
    };
    let beta = book.underlyings.get(coin).and_then(|known| known.beta);
    let Some(terms) = instrument.option else {
        let coins = match instrument.payoff {
            Payoff::Linear => position.quantity,
            Payoff::Inverse => position.quantity / mark,
        };
        let open = book.quotes.get(position.instrument).map_or(1.0, |own| own.share_left_at(ratio)) * coins;
        let net = coins * mark * quote;
        return Ok(Sensitivity {
            delta: open,
            delta_money: open * index * quote,
            gross: net.abs(),
            net,
            beta: beta.map(|beta| beta * open * index * quote),
            ..Sensitivity::default()
        });
    };
    let missing = || Error::Missing {
        what: format!("forward and implied volatility of {}", instrument.symbol),
        why: "sensitivities of an option need both".into(),
        place: crate::error::Place::row(position.row, instrument.symbol.as_str()),
    };
    let known = state.quote(book, position.instrument).ok_or_else(missing)?;
    let forward = known.moved_forward(ratio).ok_or_else(missing)?;
    let net = position.quantity * forward * quote;
    if known.years <= 0.0 {
        let inside = terms.right.intrinsic(forward, terms.strike.0) > 0.0;
        let sign = if terms.right == crate::instrument::OptionRight::Call { 1.0 } else { -1.0 };
        let delta = if inside { known.share_left_at(ratio) * sign * position.quantity } else { 0.0 };
        return Ok(Sensitivity {
            delta,
            delta_money: delta * index * quote,
            gross: net.abs(),
            net,
            beta: beta.map(|beta| beta * delta * index * quote),
            ..Sensitivity::default()
        });
    }
    let greeks = ForwardOption {
        right: terms.right,
        forward,
        strike: terms.strike.0,
        years: known.years,
        volatility: known.implied_volatility.ok_or_else(missing)?,
        discount_factor: 1.0,
    }
    .greeks()?;
    // of the settlement price only the part that is still open moves with the coin
    let open = known.share_left_at(ratio);
    let delta = position.quantity * greeks.delta * open;
    Ok(Sensitivity {
        delta,
        delta_money: delta * index * quote,
        gamma: position.quantity * greeks.gamma * open * open * 0.01 * forward * forward * quote,
        vega: position.quantity * greeks.vega * 0.01 * quote,
        theta: position.quantity * greeks.theta_per_day * quote,
        gross: net.abs(),
        net,
        beta: beta.map(|beta| beta * delta * index * quote),
    })
}
