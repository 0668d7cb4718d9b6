//! Margin by closed formulas, without scenarios: brackets of notional, rates that grow with size, options.

use super::component::{Component, ComponentKind, Share, initial_total, maintenance_total};
use super::expiry::{Expiry, Leg, Offset};
use super::orders::{OrReason, interest, order_margin};
use super::scenario::bare;
use super::scenario::exposure::{Expiry as Date, index_price};
use super::standard::{Chosen, Levels, Rule, Seen, counted_price, option_margin, raised, rates, rule_of};
use super::{PoolView, PositionMargin, Requirement};
use crate::book::Position;
use crate::error::Result;
use crate::instrument::Payoff;
use crate::market::{MarketState, mark_at, notional, payoff, settle_of, underlying_of};
use crate::rulebook::options::{Premium, StandardOptions};
use crate::rulebook::portfolio::Profile;
use crate::rulebook::{MaintenanceOn, Measure, Rulebook};

/// Seconds of a year of 365 days.
const SECONDS_PER_YEAR: f64 = 31_536_000.0;

/// The notional that decides the bracket and the maintenance margin, settlement currency.
pub fn maintenance_notional(view: &PoolView<'_>, position: &Position, on: MaintenanceOn, ratio: f64) -> f64 {
    match (on, position.entry_price) {
        (MaintenanceOn::Entry, Some(entry)) => payoff(view.book, position).notional(position.quantity, entry),
        _ => notional(view.book, position, ratio),
    }
}

/// Initial margin rate: the row's own, else one over the leverage (not above the bracket's largest).
pub(super) fn initial_rate(given: Option<f64>, leverage: Option<f64>, largest: Option<f64>) -> Option<f64> {
    given.or_else(|| match (leverage, largest) {
        (Some(leverage), Some(largest)) => Some(leverage.min(largest).recip()),
        (leverage, largest) => leverage.or(largest).map(f64::recip),
    })
}

/// Whether a pool has brackets only, so that its margin is linear between two changes of bracket and adds up
/// over its positions: no options, no rates that grow with size, no charges, no borrowing, nothing being settled.
///
/// # Errors
///
/// [`crate::Error::NotCovered`] for a contract that the rulebook has no rule for.
pub fn brackets_only(view: &PoolView<'_>) -> Result<bool> {
    let rulebook = view.rulebook()?;
    if !matches!(rulebook.measure, Measure::Tiers { .. }) {
        return Ok(false);
    }
    for position in view.positions {
        let settling =
            view.book.quotes.get(position.instrument).is_some_and(|quote| quote.share_left() < 1.0);
        if settling || !matches!(rule_of(view.book, rulebook, position)?, Rule::Table(_)) {
            return Ok(false);
        }
    }
    Ok(rulebook.borrowing.is_empty() && rulebook.profiles.iter().all(|profile| profile.charges.is_empty()))
}

/// What an initial margin is missing, the first reason.
#[derive(Debug, Default)]
struct Reasons(Option<String>);

impl Reasons {
    fn add<T>(&mut self, result: OrReason<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(reason) => {
                self.0.get_or_insert(reason);
                None
            }
        }
    }
}

pub(super) fn requirement(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Requirement> {
    let Measure::Tiers { maintenance_on, orders } = rulebook.measure else {
        return Ok(Requirement::default());
    };
    let mut by_position = Vec::with_capacity(view.positions.len());
    let mut reasons = Reasons::default();
    let mut expiries: Vec<Grouped<'_>> = Vec::new();
    for (index, position) in view.positions.iter().enumerate() {
        let margin = match rule_of(view.book, rulebook, position)? {
            Rule::Option(profile, rules) => {
                let formula = Formula { profile, rules };
                option_position(view, rulebook, index, position, formula, state, &mut expiries)?
            }
            rule => {
                let (margin, initial) =
                    delta_one_position(view, rulebook, position, rule, maintenance_on, state)?;
                PositionMargin { initial: reasons.add(initial), ..margin }
            }
        };
        by_position.push(margin);
    }
    let mut components = positions(view, &by_position);
    for grouped in &expiries {
        components.extend(grouped.offset(rulebook, &mut by_position));
    }
    let order_margin = order_margin(view, rulebook, orders, &by_position, state)?;
    let order_margin = reasons.add(order_margin).unwrap_or(0.0);
    for extra in bare::extras(view, rulebook, state)? {
        let Component { base, initial, maintenance, .. } = extra.component;
        let rate = |share: Share| if base == 0.0 { 0.0 } else { share.amount / base };
        for (position, part) in extra.borne {
            if let Some(margin) = by_position.get_mut(position) {
                margin.maintenance += rate(maintenance) * part;
                margin.charges += rate(maintenance) * part;
                margin.initial = margin.initial.map(|own| own + rate(initial) * part);
            }
        }
        components.push(extra.component);
    }
    if order_margin != 0.0 {
        components.push(Component {
            unit: None,
            kind: ComponentKind::Orders,
            base: order_margin,
            figures: None,
            initial: Share { amount: order_margin, counts: true },
            maintenance: Share { amount: 0.0, counts: true },
        });
    }
    Ok(Requirement {
        maintenance: maintenance_total(&components),
        initial: reasons.0.is_none().then(|| initial_total(&components)),
        order_margin,
        initial_missing: reasons.0,
        by_position,
        by_balance: Vec::new(),
        worst: Vec::new(),
        components,
    })
}

/// One row per position, its margin by itself.
fn positions(view: &PoolView<'_>, by_position: &[PositionMargin]) -> Vec<Component> {
    let rows = view.positions.iter().zip(by_position).enumerate();
    rows.map(|(position, (held, margin))| Component {
        unit: Some(underlying_of(view.book, held)),
        kind: ComponentKind::Position { position },
        base: margin.notional,
        figures: None,
        initial: Share { amount: margin.initial.unwrap_or(0.0), counts: true },
        maintenance: Share { amount: margin.maintenance, counts: true },
    })
    .collect()
}

/// Factors of the two levels for the contracts of a profile.
fn factors(rulebook: &Rulebook, profile: &Profile) -> Levels {
    Levels {
        initial: profile.initial_factor.unwrap_or(rulebook.initial.factor),
        maintenance: profile.maintenance_factor.unwrap_or(rulebook.maintenance.factor),
    }
}

/// Margin of a perpetual, a future or the coin itself, reporting currency; its initial margin, or why it is
/// not known.
fn delta_one_position(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    position: &Position,
    rule: Rule<'_>,
    maintenance_on: MaintenanceOn,
    state: &MarketState,
) -> Result<(PositionMargin, OrReason<f64>)> {
    let price = view.price(settle_of(view.book, position), state)?;
    let ratio = state.ratio(underlying_of(view.book, position));
    let current = notional(view.book, position, ratio);
    let mark = mark_at(view.book, position, ratio);
    let (margin, initial) = match rule {
        Rule::DeltaOne(profile, own) => {
            // in coin the size is the notional; linear contracts are counted at the rulebook's price
            let (coins, money) = match payoff(view.book, position) {
                Payoff::Inverse => (current, current),
                Payoff::Linear => {
                    let counted = counted_price(view.book, &own, position.instrument, mark, state)?;
                    (position.quantity.abs(), position.quantity.abs() * counted)
                }
            };
            let chosen = Chosen { rate: position.initial_rate, leverage: position.leverage };
            let rate = rates(&own, coins, chosen);
            let factor = factors(rulebook, profile);
            let initial = interest(view, &own, position.instrument, mark, price)
                .map(|interest| {
                    interest.map_or(rate.initial, |interest| raised(&own, rate.initial, interest))
                })
                .map(|rate| factor.initial * rate * money * price);
            (factor.maintenance * rate.maintenance * money, initial)
        }
        Rule::Table(own) => {
            let base = maintenance_notional(view, position, maintenance_on, ratio);
            let table = view.book.tables.get(position.table);
            let maintenance = table.map_or(0.0, |table| table.maintenance_margin(base));
            let largest = table.and_then(|table| table.bracket(current).max_leverage);
            let initial = initial_rate(position.initial_rate, position.leverage, largest).ok_or_else(|| {
                let known = view.book.instruments.get(position.instrument);
                let symbol = known.map_or("", |known| known.symbol.as_str());
                format!("{symbol} has neither a leverage nor an initial margin rate")
            });
            let initial = initial.and_then(|rate| match own {
                None => Ok(rate),
                Some(own) => Ok(interest(view, own, position.instrument, mark, price)?
                    .map_or(rate, |interest| raised(own, rate, interest))),
            });
            let initial = initial.map(|rate| rulebook.initial.factor * rate * current * price);
            (rulebook.maintenance.factor * maintenance, initial)
        }
        Rule::Option(..) => (0.0, Ok(0.0)),
    };
    let margin = PositionMargin {
        notional: current * price,
        maintenance: margin * price,
        charges: 0.0,
        initial: None,
    };
    Ok((margin, initial))
}

/// The formulas of options with the profile that holds them.
#[derive(Debug, Clone, Copy)]
struct Formula<'a> {
    profile: &'a Profile,
    rules: StandardOptions,
}

/// The options of one expiry as they are found.
#[derive(Debug)]
struct Grouped<'a> {
    formula: Formula<'a>,
    coin: usize,
    settle: usize,
    date: Date,
    years: f64,
    /// Price of the settlement currency, reporting currency.
    price: f64,
    expiry: Expiry,
}

/// Margin of an option by itself, reporting currency; it joins its expiry where spreads count.
fn option_position<'a>(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    index: usize,
    position: &Position,
    formula: Formula<'a>,
    state: &MarketState,
    expiries: &mut Vec<Grouped<'a>>,
) -> Result<PositionMargin> {
    let book = view.book;
    let (coin, settle) = (underlying_of(book, position), settle_of(book, position));
    let price = view.price(settle, state)?;
    let ratio = state.ratio(coin);
    let Some(seen) = Seen::of_position(book, position, state)? else { return Ok(PositionMargin::default()) };
    let alone = option_margin(&formula.rules, &seen, position.quantity);
    let quote = state.quote(book, position.instrument).unwrap_or_default();
    let linear = payoff(book, position) == Payoff::Linear;
    if formula.rules.offset.is_some() && linear {
        let leg = Leg {
            position: index,
            quantity: position.quantity,
            right: seen.right,
            strike: seen.strike,
            mark: seen.mark,
            alone,
        };
        let date = Date::of(book.instruments.get(position.instrument), quote.years);
        let same = |known: &&mut Grouped<'_>| (known.coin, known.settle, known.date) == (coin, settle, date);
        match expiries.iter_mut().find(same) {
            Some(known) => known.expiry.legs.push(leg),
            None => expiries.push(Grouped {
                formula,
                coin,
                settle,
                date,
                years: quote.years,
                price,
                expiry: Expiry {
                    legs: vec![leg],
                    forward: quote.moved_forward(ratio).unwrap_or(seen.index),
                    index: index_price(book, coin, state).unwrap_or(seen.index),
                },
            }),
        }
    }
    let factor = factors(rulebook, formula.profile);
    Ok(PositionMargin {
        notional: notional(book, position, ratio) * price,
        maintenance: factor.maintenance * alone.maintenance * price,
        charges: 0.0,
        initial: Some(factor.initial * alone.initial * price),
    })
}

impl Grouped<'_> {
    /// What the expiry saves as a component, if anything; its positions then bear their part of what is left.
    fn offset(&self, rulebook: &Rulebook, by_position: &mut [PositionMargin]) -> Option<Component> {
        let rule = self.formula.rules.offset?;
        let from_mark = self.formula.rules.premium == Premium::Nothing;
        let [initial, maintenance] = self.expiry.offsets(&rule, from_mark);
        if initial.is_none() && maintenance.is_none() {
            return None;
        }
        let factor = factors(rulebook, self.formula.profile);
        let scales =
            Levels { initial: factor.initial * self.price, maintenance: factor.maintenance * self.price };
        let parts = |offset: &Option<Offset>, place: usize| offset.as_ref()?.borne.get(place).copied();
        for (place, leg) in self.expiry.legs.iter().enumerate() {
            let Some(margin) = by_position.get_mut(leg.position) else { continue };
            if let Some(part) = parts(&initial, place) {
                margin.initial = Some(scales.initial * part);
            }
            if let Some(part) = parts(&maintenance, place) {
                margin.maintenance = scales.maintenance * part;
            }
        }
        let saved = |offset: &Option<Offset>, scale: f64| Share {
            amount: scale * offset.as_ref().map_or(0.0, |offset| offset.saved),
            counts: true,
        };
        let (initial, maintenance) =
            (saved(&initial, scales.initial), saved(&maintenance, scales.maintenance));
        Some(Component {
            unit: Some(self.coin),
            kind: ComponentKind::ExpiryOffset { seconds: (self.years * SECONDS_PER_YEAR).round() as u64 },
            base: if maintenance.amount == 0.0 { initial.amount } else { maintenance.amount },
            figures: None,
            initial,
            maintenance,
        })
    }
}
