//! What a risk unit holds, line by line, in the terms that scenarios and charges need.

use super::table::{Pricing, Table, pricing, profile_of};
use crate::book::{Book, Position, Quote};
use crate::error::Result;
use crate::instrument::{ContractKind, Instrument, Payoff};
use crate::margin::PoolView;
use crate::market::{MarketState, settling_ratio, unrealised_pnl};
use crate::pricing::greeks::forward_delta;
use crate::pricing::settlement::{Settling, share_left};
use crate::rulebook::portfolio::Scenario;
use crate::rulebook::{Measure, Numeraire, RiskUnit, Rulebook};

/// One quantity of one instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::margin) struct Line<'a> {
    /// Index of the position in the pool; `None` for an order that is taken as filled.
    pub(in crate::margin) position: Option<usize>,
    pub(in crate::margin) instrument: usize,
    pub(in crate::margin) kind: ContractKind,
    /// Signed quantity, unit as in [`crate::book::Position::quantity`].
    pub(in crate::margin) quantity: f64,
    /// Value of one unit at the state, settlement currency; zero for delta-one contracts.
    pub(in crate::margin) base: f64,
    /// Value of one unit in each scenario, settlement currency; empty where no scenario is run.
    pub(in crate::margin) values: &'a [f64],
    /// Price of the settlement currency at the state, reporting currency.
    pub(in crate::margin) money: f64,
    /// Whether the settlement currency moves with the scenario.
    pub(in crate::margin) moves: bool,
    /// Result that is carried at the state, settlement currency.
    pub(in crate::margin) carried: f64,
    /// What an option is priced from.
    pub(in crate::margin) option: Option<Pricing>,
    /// What an option is worth after the moves of a charge of its profile, where that was kept.
    pub(in crate::margin) moved: Option<Moved>,
    /// Mark at the state, quote currency: the forward for options.
    pub(in crate::margin) mark: f64,
    /// Signed delta, coins.
    pub(in crate::margin) delta: f64,
    /// Years to expiry; zero for perpetuals.
    pub(in crate::margin) years: f64,
    /// What tells one expiry from another.
    pub(in crate::margin) expiry: Expiry,
    /// Index of the coin.
    pub(in crate::margin) coin: usize,
    /// Index price of the coin at the state, quote currency.
    pub(in crate::margin) index: f64,
}

/// An option after two moves of the price, volatility the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::margin) struct Moved {
    /// The relative moves.
    pub(super) moves: [f64; 2],
    /// Value of one unit after each, settlement currency.
    pub(super) worth: [f64; 2],
}

/// What tells expiries apart: perpetuals are one of their own, contracts of one date belong together however
/// their seconds were rounded, unless the hour is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::margin) enum Expiry {
    /// None: a perpetual, or the coin itself.
    Never,
    /// A date, its digits as a number.
    Day(u64),
    /// An instant of its own within a day, seconds since 1970.
    Instant(i64),
    /// Only the time left is known, years.
    Left(u64),
}

impl Expiry {
    pub(in crate::margin) fn of(instrument: Option<&Instrument>, years: f64) -> Self {
        let digits = |date: &str| {
            let mut digits = date.bytes().filter(u8::is_ascii_digit).map(|digit| u64::from(digit - b'0'));
            let first = digits.next()?;
            digits.try_fold(first, |number, digit| number.checked_mul(10)?.checked_add(digit))
        };
        match instrument {
            None => Self::Never,
            Some(known) if matches!(known.kind, ContractKind::Perpetual | ContractKind::Spot) => Self::Never,
            Some(known) => match (known.expiry_instant, known.expiry.as_deref().and_then(digits)) {
                (Some(instant), _) => Self::Instant(instant),
                (None, Some(day)) => Self::Day(day),
                (None, None) => Self::Left(years.to_bits()),
            },
        }
    }
}

/// A balance that moves in the scenarios of its coin.
#[derive(Debug, Clone, Copy)]
pub(in crate::margin) struct Scanned {
    /// Index of the currency.
    pub(in crate::margin) currency: usize,
    /// Value at the state, reporting currency.
    pub(in crate::margin) value: f64,
}

/// What shares one worst scenario.
#[derive(Debug, Clone)]
pub(in crate::margin) struct Unit<'a> {
    /// Index of the coin; `None` where the pool has one index.
    pub(in crate::margin) underlying: Option<usize>,
    /// Index of its profile.
    pub(in crate::margin) profile: usize,
    pub(in crate::margin) lines: Vec<Line<'a>>,
    pub(in crate::margin) scanned: Vec<Scanned>,
    /// Index price of the coin at the state, quote currency.
    pub(in crate::margin) index: f64,
}

impl<'a> Unit<'a> {
    /// The unit coin by coin: formulas on deltas and index prices do not mix coins.
    pub(in crate::margin) fn by_coin(&self) -> Vec<Unit<'a>> {
        let mut coins: Vec<usize> = self.lines.iter().map(|line| line.coin).collect();
        coins.sort_unstable();
        coins.dedup();
        let part = |coin: usize| {
            let lines: Vec<Line<'a>> = self.lines.iter().filter(|line| line.coin == coin).copied().collect();
            let index = lines.first().map_or(self.index, |line| line.index);
            Unit { lines, scanned: Vec::new(), index, ..*self }
        };
        coins.into_iter().map(part).collect()
    }
}

impl Line<'_> {
    /// Result of a value per unit, reporting currency, when the price moves by a ratio.
    pub(in crate::margin) fn result(&self, value: f64, price_move: f64) -> f64 {
        let gain = self.quantity * (value - self.base);
        if self.moves {
            self.money * ((1.0 + price_move) * (self.carried + gain) - self.carried)
        } else {
            self.money * gain
        }
    }

    /// Adds its result in every scenario, its values multiplied by factors where there are any.
    pub(super) fn add_results(&self, scenarios: &[Scenario], factors: Option<&[f64]>, totals: &mut [f64]) {
        let rows = totals.iter_mut().zip(self.values).zip(scenarios);
        match factors {
            // the usual case stays a loop without branches
            None if !self.moves => {
                for ((total, value), _) in rows {
                    *total += self.money * (self.quantity * (value - self.base));
                }
            }
            None => {
                for ((total, value), scenario) in rows {
                    *total += self.result(*value, scenario.price_move);
                }
            }
            Some(factors) => {
                for (((total, value), scenario), factor) in rows.zip(factors) {
                    *total += self.result(factor * value, scenario.price_move);
                }
            }
        }
    }

    /// Unsigned size in coins.
    pub(in crate::margin) fn coins(&self, payoff: Payoff) -> f64 {
        match (self.kind, payoff) {
            (ContractKind::Option, _) | (_, Payoff::Linear) => self.quantity.abs(),
            (_, Payoff::Inverse) => self.quantity.abs() / self.mark,
        }
    }
}

/// The delta of one unit of quantity, coins.
///
/// Of a coin-settled option it is the forward delta less the mark in coin: the premium is coins too
/// (venues.md section 1.3, net transaction delta). What settlement has fixed has no delta.
pub(super) fn unit_delta(
    book: &Book,
    rulebook: &Rulebook,
    instrument: usize,
    option: Option<&Pricing>,
    (base, mark, ratio): (f64, f64, f64),
) -> f64 {
    let quote = book.quotes.get(instrument);
    let open = quote.map_or(1.0, Quote::share_left);
    let payoff = book.instruments.get(instrument).map_or(Payoff::Linear, |known| known.payoff);
    match (option, payoff) {
        (Some(option), payoff) => {
            let discount = rulebook.discounting.factor(option.rate, option.years);
            let total = option.volatility * option.years.sqrt();
            let delta = forward_delta(option.terms.right, option.forward, option.terms.strike.0, total);
            // coins follow the price by its relative move, money by its absolute one
            let (premium, share) = match payoff {
                Payoff::Inverse => (base, share_left(option.forward, option.fixed)),
                Payoff::Linear => (0.0, open),
            };
            Settling::with_share(discount * delta, premium, share).net_transaction_delta
        }
        (None, Payoff::Linear) => open,
        (None, Payoff::Inverse) => quote.map_or(1.0, |quote| quote.share_left_at(ratio)) / mark,
    }
}

/// Price that formulas call the index: the index given, else the price of the coin, at the state.
pub(crate) fn index_price(book: &Book, underlying: usize, state: &MarketState) -> Option<f64> {
    let known = book.underlyings.get(underlying)?;
    known.index_price.or(known.price).map(|price| price * state.ratio(underlying))
}

/// Which balances are scanned at a state, by coin, with the value of each.
///
/// # Errors
///
/// [`crate::Error::NotCovered`] for a balance that would be both scanned and reduced by a collateral rate,
/// unless the rulebook says that it is meant.
pub(in crate::margin) fn scanned(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Vec<(usize, Scanned)>> {
    let Measure::Scenarios { collateral_in_scan, haircut_and_scan, numeraire, .. } = rulebook.measure else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for balance in view.balances {
        let known = view.book.currencies.get(balance.currency);
        let Some(coin) = known.and_then(|known| known.underlying) else { continue };
        let in_scan = balance.in_scan.unwrap_or(collateral_in_scan && numeraire == Numeraire::Report);
        if !in_scan {
            continue;
        }
        let code = known.map_or("?", |known| known.code.as_str());
        if !haircut_and_scan && balance.rates.iter().any(|slice| slice.rate < 1.0) {
            return Err(crate::Error::NotCovered {
                what: format!("balance in {code}"),
                why: format!(
                    "it would be scanned and reduced by a collateral rate, which counts its risk twice; rulebook '{}' needs haircut_and_scan = true if both are meant",
                    rulebook.id
                ),
                place: balance
                    .row
                    .map_or_else(crate::error::Place::default, |row| crate::error::Place::row(row, code)),
            });
        }
        let value = view.price(balance.currency, state)? * (balance.cash - balance.debt);
        found.push((coin, Scanned { currency: balance.currency, value }));
    }
    Ok(found)
}

/// A quantity to be measured: an instrument, how much of it, and the position it comes from.
#[derive(Debug, Clone, Copy)]
pub(in crate::margin) struct Held {
    pub(in crate::margin) position: Option<usize>,
    pub(in crate::margin) instrument: usize,
    pub(in crate::margin) quantity: f64,
}

/// What a pool holds, position by position.
pub(in crate::margin) fn held(view: &PoolView<'_>) -> Vec<Held> {
    let quantity = |(index, position): (usize, &Position)| Held {
        position: Some(index),
        instrument: position.instrument,
        quantity: position.quantity,
    };
    view.positions.iter().enumerate().map(quantity).collect()
}

/// A quantity in the terms that scenarios and charges need, from the value of one unit at the state and in
/// each scenario.
///
/// # Errors
///
/// [`crate::Error::Missing`] for a price, or for what an option is priced from.
pub(in crate::margin) fn line<'a>(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    held: &Held,
    base: f64,
    values: &'a [f64],
) -> Result<Line<'a>> {
    let unit = unit_line(view, rulebook, state, held.instrument, (base, None))?;
    Ok(of_unit(&unit, view, held, values, |position| unrealised_pnl(view.book, position, state)))
}

/// The line of a quantity from that of one unit of its instrument.
fn of_unit<'a>(
    unit: &Line<'static>,
    view: &PoolView<'_>,
    held: &Held,
    values: &'a [f64],
    result: impl Fn(&Position) -> f64,
) -> Line<'a> {
    Line {
        position: held.position,
        quantity: held.quantity,
        values,
        carried: held.position.and_then(|index| view.positions.get(index)).map_or(0.0, result),
        delta: held.quantity * unit.delta,
        ..*unit
    }
}

/// What of a line belongs to the instrument and the market state alone: the line of one unit, of which nothing is
/// carried and no scenario is run. What an option is priced from may be told with its value at the state.
///
/// # Errors
///
/// As [`line`].
pub(super) fn unit_line(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    instrument: usize,
    (base, priced): (f64, Option<Pricing>),
) -> Result<Line<'static>> {
    let book = view.book;
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let settle = book.instrument_settle.get(instrument).copied().unwrap_or(0);
    let known = book.instruments.get(instrument);
    let option = match known.and_then(|known| known.option) {
        Some(_) if priced.is_none() => Some(pricing(book, state, instrument)?),
        _ => priced,
    };
    let quote = state.quote(book, instrument);
    let quote = quote.as_deref();
    let mark = option.map_or_else(
        || {
            let mark = quote.and_then(|quote| quote.forward).unwrap_or(f64::NAN);
            mark * settling_ratio(quote, state.ratio(underlying))
        },
        |option| option.forward,
    );
    let years = quote.map_or(0.0, |quote| quote.years);
    Ok(Line {
        position: None,
        instrument,
        kind: known.map_or(ContractKind::Perpetual, |known| known.kind),
        quantity: 1.0,
        base,
        values: &[],
        money: view.price(settle, state)?,
        moves: settles_in_coin(book, rulebook, settle, underlying),
        carried: 0.0,
        option,
        moved: None,
        mark,
        delta: unit_delta(book, rulebook, instrument, option.as_ref(), (base, mark, state.ratio(underlying))),
        years,
        expiry: Expiry::of(known, years),
        coin: underlying,
        index: index_price(book, underlying, state).unwrap_or(mark),
    })
}

/// Whether the price of a settlement currency moves with the scenarios of a coin.
pub(super) fn settles_in_coin(book: &Book, rulebook: &Rulebook, settle: usize, underlying: usize) -> bool {
    let coin = book.currencies.get(settle).and_then(|currency| currency.underlying);
    match rulebook.measure {
        Measure::Scenarios { numeraire: Numeraire::Report, unit: RiskUnit::Pool, .. } => coin.is_some(),
        Measure::Scenarios { numeraire: Numeraire::Report, .. } => coin == Some(underlying),
        _ => false,
    }
}

/// Splits what is held into risk units, in the order of coins.
///
/// # Errors
///
/// As [`Table::row`]; [`crate::Error::NotCovered`] where one index would need two profiles.
pub(in crate::margin) fn units<'a>(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    table: &'a Table,
    held: &[Held],
) -> Result<Vec<Unit<'a>>> {
    units_beside(view, rulebook, state, (table, held), &[])
}

/// The same where options of some coins and profiles are added up apart: they have units even without lines.
///
/// # Errors
///
/// As [`units`].
pub(super) fn units_beside<'a>(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    (table, held): (&'a Table, &[Held]),
    beside: &[(usize, usize)],
) -> Result<Vec<Unit<'a>>> {
    let Measure::Scenarios { unit: rule, .. } = rulebook.measure else { return Ok(Vec::new()) };
    let book = view.book;
    let mut units: Vec<Unit<'a>> = Vec::new();
    let key = |underlying: usize| match rule {
        RiskUnit::Underlying => Some(underlying),
        RiskUnit::Pool => None,
    };
    for held in held {
        let row = table.row(book, held.instrument)?;
        let line = match table.unit_line(held.instrument) {
            Some(unit) => {
                of_unit(unit, view, held, &row.values, |position| table.result(book, position, state))
            }
            None => line(view, rulebook, state, held, row.base, &row.values)?,
        };
        let underlying = book.instrument_underlying.get(held.instrument).copied().unwrap_or(0);
        let own = key(underlying);
        if rule == RiskUnit::Pool && units.iter().any(|unit| unit.profile != row.profile) {
            let known = book.instruments.get(held.instrument);
            return Err(crate::Error::NotCovered {
                what: known.map_or_else(String::new, |known| known.symbol.clone()),
                why: format!(
                    "rulebook '{}' has one index for the account but different parameters for its coins",
                    rulebook.id
                ),
                place: crate::error::Place::default(),
            });
        }
        // the same coin may be held coin-settled and stable-settled, under parameters of their own
        match units.iter_mut().find(|unit| unit.underlying == own && unit.profile == row.profile) {
            Some(unit) => unit.lines.push(line),
            None => units.push(Unit {
                underlying: own,
                profile: row.profile,
                index: line.index,
                lines: vec![line],
                scanned: Vec::new(),
            }),
        }
    }
    for (coin, profile) in beside {
        let own = key(*coin);
        if !units.iter().any(|unit| unit.underlying == own && unit.profile == *profile) {
            let index = index_price(book, *coin, state).unwrap_or(f64::NAN);
            let (lines, scanned) = (Vec::new(), Vec::new());
            units.push(Unit { underlying: own, profile: *profile, lines, scanned, index });
        }
    }
    for (coin, scanned) in scanned(view, rulebook, state)? {
        let own = key(coin);
        match units.iter_mut().find(|unit| unit.underlying == own) {
            Some(unit) => unit.scanned.push(scanned),
            None => {
                let name = book.underlyings.get(coin).map_or("", |known| known.name.as_str());
                let profile =
                    rulebook.profiles.iter().position(|profile| profile.covers(name, Payoff::Linear));
                if let Some(profile) = profile {
                    units.push(Unit {
                        underlying: own,
                        profile,
                        lines: Vec::new(),
                        scanned: vec![scanned],
                        index: index_price(book, coin, state).unwrap_or(f64::NAN),
                    });
                }
            }
        }
    }
    units.sort_by_key(|unit| (unit.underlying, unit.profile));
    Ok(units)
}

/// Every instrument of a pool and its orders, sorted, once; refused where the rulebook does not cover one.
///
/// # Errors
///
/// As [`profile_of`].
pub(in crate::margin) fn instruments(view: &PoolView<'_>, rulebook: &Rulebook) -> Result<Vec<usize>> {
    let mut list: Vec<usize> = view.positions.iter().map(|position| position.instrument).collect();
    list.extend(view.orders.iter().map(|order| order.instrument));
    list.sort_unstable();
    list.dedup();
    for instrument in &list {
        profile_of(view.book, rulebook, *instrument)?;
    }
    Ok(list)
}
