//! Closed formulas along a stretch: brackets, rates that grow with size, options by themselves and their spreads.

use super::Between;
use super::charge::charge_between;
use super::enclosed::{Enclosed, largest};
use super::equity::gain_of_option;
use super::lines::MovingUnit;
use crate::book::Position;
use crate::error::Result;
use crate::instrument::{OptionRight, Payoff};
use crate::margin::scenario::bare::charged_units;
use crate::margin::scenario::exposure::{Expiry, index_price};
use crate::margin::standard::{Rule, Seen, rule_of};
use crate::margin::tiers::maintenance_notional;
use crate::market::{mark_at, notional, payoff, settle_of, underlying_of};
use crate::rulebook::charge::PriceBasis;
use crate::rulebook::options::{ExpiryOffset, OffsetPrice, Premium, StandardOptions};
use crate::rulebook::portfolio::Profile;
use crate::rulebook::tiers::TierTable;
use crate::rulebook::{MaintenanceOn, Measure, Rulebook};

/// The maintenance margin between two states; `None` where a part has no bounds.
pub(super) fn requirement_between(between: &Between<'_>) -> Result<Option<Enclosed>> {
    let (view, width) = (between.view, between.width);
    let rulebook = view.rulebook()?;
    let Measure::Tiers { maintenance_on, .. } = rulebook.measure else { return Ok(None) };
    let (from, to) = between.states();
    let mut total = Enclosed::default();
    let mut spreads: Vec<Spread> = Vec::new();
    for position in view.positions {
        let settling =
            view.book.quotes.get(position.instrument).is_some_and(|quote| quote.share_left() < 1.0);
        if settling {
            return Ok(None);
        }
        let settle = settle_of(view.book, position);
        let money = Enclosed::growing(view.price(settle, from)?, view.price(settle, to)?, width);
        let rule = rule_of(view.book, rulebook, position)?;
        let (margin, factor) = match &rule {
            Rule::Table(_) => (tabled(between, position, maintenance_on), rulebook.maintenance.factor),
            Rule::DeltaOne(profile, rates) => {
                let Some(size) = counted(between, position, rates.price) else { return Ok(None) };
                let coins = match payoff(view.book, position) {
                    Payoff::Inverse => size,
                    Payoff::Linear => Enclosed::constant(position.quantity.abs()),
                };
                let rate = coins.times_constant(rates.increment).plus(Enclosed::constant(rates.maintenance));
                (rate.times(size, width), factor_of(rulebook, profile))
            }
            Rule::Option(profile, rules) => {
                let Some(leg) = Leg::of(between, position, rules)? else { return Ok(None) };
                let factor = factor_of(rulebook, profile);
                let alone = leg.alone;
                if rules.offset.is_some() && payoff(view.book, position) == Payoff::Linear {
                    Spread::join(&mut spreads, between, position, (rules, factor), leg);
                }
                (alone, factor)
            }
        };
        total = total.plus(margin.times(money, width).times_constant(factor));
    }
    for spread in &spreads {
        total = total.plus(spread.saved(width));
    }
    let (starts, ends) = (charged_units(view, rulebook, from)?, charged_units(view, rulebook, to)?);
    for ((start, first), (end, last)) in starts.iter().zip(&ends) {
        let Some(profile) = rulebook.profiles.get(start.profile) else { continue };
        let Some(unit) = MovingUnit::of(between, start, end)? else { return Ok(None) };
        for charge in &profile.charges {
            let Some(base) = charge_between(between, &unit, charge, (first, last))? else { return Ok(None) };
            total = total.plus(base.times_constant(charge.maintenance));
        }
    }
    Ok((starts.len() == ends.len()).then_some(total))
}

fn factor_of(rulebook: &Rulebook, profile: &Profile) -> f64 {
    profile.maintenance_factor.unwrap_or(rulebook.maintenance.factor)
}

/// Maintenance margin of a position by its table, settlement currency.
fn tabled(between: &Between<'_>, position: &Position, on: MaintenanceOn) -> Enclosed {
    let (view, (from, to)) = (between.view, between.states());
    let coin = underlying_of(view.book, position);
    let base = |ratio: f64| maintenance_notional(view, position, on, ratio);
    let notional = Enclosed::growing(base(from.ratio(coin)), base(to.ratio(coin)), between.width);
    let Some(table) = view.book.tables.get(position.table) else { return Enclosed::default() };
    let (start, end) = (table.maintenance_margin(notional.start), table.maintenance_margin(notional.end));
    let range = notional.range(between.width);
    let (first, last) = (table.bracket_index(range.0), table.bracket_index(range.1));
    let rate = |index: usize| table.brackets.get(index).map_or(0.0, |bracket| bracket.rate);
    if (first..last).any(|index| jumps(table, index + 1)) {
        return Enclosed::jumping(start, end);
    }
    let all = (first..=last).map(|index| notional.times_constant(rate(index)));
    all.reduce(Enclosed::either).unwrap_or_default().with_ends(start, end)
}

/// Whether the margin jumps where a bracket begins.
fn jumps(table: &TierTable, index: usize) -> bool {
    let (Some(before), Some(own)) = (table.brackets.get(index.wrapping_sub(1)), table.brackets.get(index))
    else {
        return false;
    };
    let (below, above) = (own.floor * before.rate - before.amount, own.floor * own.rate - own.amount);
    (below - above).abs() > 1e-9 * (1.0 + below.abs())
}

/// Size of a delta-one position at the price that its rates count, settlement currency.
fn counted(between: &Between<'_>, position: &Position, basis: PriceBasis) -> Option<Enclosed> {
    let (book, (from, to)) = (between.view.book, between.states());
    let coin = underlying_of(book, position);
    let at = |state: &crate::market::MarketState| match (payoff(book, position), basis) {
        (Payoff::Inverse, _) => Some(notional(book, position, state.ratio(coin))),
        (Payoff::Linear, PriceBasis::Mark) => {
            Some(position.quantity.abs() * mark_at(book, position, state.ratio(coin)))
        }
        (Payoff::Linear, PriceBasis::Index) => {
            Some(position.quantity.abs() * index_price(book, coin, state)?)
        }
    };
    Some(Enclosed::growing(at(from)?, at(to)?, between.width))
}

/// One option along the stretch.
struct Leg {
    quantity: f64,
    right: OptionRight,
    strike: f64,
    mark: Enclosed,
    /// Its margin by itself, settlement currency.
    alone: Enclosed,
}

impl Leg {
    fn of(between: &Between<'_>, position: &Position, rules: &StandardOptions) -> Result<Option<Self>> {
        let (view, width) = (between.view, between.width);
        let (from, to) = between.states();
        let (Some(first), Some(last)) =
            (Seen::of_position(view.book, position, from)?, Seen::of_position(view.book, position, to)?)
        else {
            return Ok(None);
        };
        let Some(gain) = gain_of_option(between, position.instrument)? else { return Ok(None) };
        let (quantity, inverse) = (position.quantity, payoff(view.book, position) == Payoff::Inverse);
        let mark = gain.with_ends(first.mark, last.mark);
        let coin = underlying_of(view.book, position);
        let prices = (index_price(view.book, coin, from), index_price(view.book, coin, to));
        let (Some(start), Some(end)) = prices else { return Ok(None) };
        let price = Enclosed::growing(start, end, width);
        let strike = Enclosed::constant(first.strike);
        let away = match first.right {
            OptionRight::Call => strike.minus(price),
            OptionRight::Put => price.minus(strike),
        };
        let away = away.positive(width);
        let (index, away) = if inverse {
            let one = Enclosed::growing(start.recip(), end.recip(), width);
            (Enclosed::constant(1.0), away.times(one, width))
        } else {
            (price, away)
        };
        let away = away.with_ends(first.out_of_money, last.out_of_money);
        let alone = alone(rules, first.right, (index, away, mark), quantity, width);
        Ok(Some(Self { quantity, right: first.right, strike: first.strike, mark, alone }))
    }
}

/// Maintenance margin of an option by itself, see [`crate::margin::standard::option_margin`].
fn alone(
    rules: &StandardOptions,
    right: OptionRight,
    (index, away, mark): (Enclosed, Enclosed, Enclosed),
    quantity: f64,
    width: f64,
) -> Enclosed {
    if quantity >= 0.0 {
        let rate = rules.long_maintenance.rate;
        let most = if rate.is_finite() { mark.smaller(index.times_constant(rate), width) } else { mark };
        return most.times_constant(quantity);
    }
    let rate = &rules.short_maintenance;
    let base = match rate.floor {
        Some(floor) => index.times_constant(rate.rate).minus(away).larger(index.times_constant(floor), width),
        None => index.times_constant(rate.rate),
    };
    let of_mark = match right {
        OptionRight::Call => rate.call_mark,
        OptionRight::Put => rate.put_mark,
    };
    let sold = base.larger(mark.times_constant(of_mark), width).plus(index.times_constant(rate.fee));
    let premium = match rules.premium {
        Premium::Mark | Premium::LargerOfEntryAndMark => mark,
        Premium::Nothing => Enclosed::default(),
    };
    sold.plus(premium).times_constant(-quantity)
}

/// The options of one coin, currency and expiry, which need no more than their largest loss.
struct Spread {
    key: (usize, usize, Expiry),
    rule: ExpiryOffset,
    from_mark: bool,
    factor: f64,
    /// Price of the settlement currency, reporting currency.
    money: Enclosed,
    /// Price at which calls that nothing covers are charged.
    price: Enclosed,
    legs: Vec<Leg>,
}

impl Spread {
    fn join(
        spreads: &mut Vec<Self>,
        between: &Between<'_>,
        position: &Position,
        (rules, factor): (&StandardOptions, f64),
        leg: Leg,
    ) {
        let Some(rule) = rules.offset else { return };
        let (view, width, (from, to)) = (between.view, between.width, between.states());
        let book = view.book;
        let quote = from.quote(book, position.instrument).map(|quote| *quote).unwrap_or_default();
        let (coin, settle) = (underlying_of(book, position), settle_of(book, position));
        let key = (coin, settle, Expiry::of(book.instruments.get(position.instrument), quote.years));
        if let Some(known) = spreads.iter_mut().find(|known| known.key == key) {
            known.legs.push(leg);
            return;
        }
        let price = |state: &crate::market::MarketState| match rule.price {
            OffsetPrice::Forward => quote.moved_forward(state.ratio(coin)),
            OffsetPrice::Index => index_price(book, coin, state),
        };
        let money =
            (view.price(settle, from).unwrap_or(f64::NAN), view.price(settle, to).unwrap_or(f64::NAN));
        let prices = (price(from).unwrap_or(f64::NAN), price(to).unwrap_or(f64::NAN));
        spreads.push(Self {
            key,
            rule,
            from_mark: rules.premium == Premium::Nothing,
            factor,
            money: Enclosed::growing(money.0, money.1, width),
            price: Enclosed::growing(prices.0, prices.1, width),
            legs: vec![leg],
        });
    }

    /// What the expiry saves, at most zero, reporting currency.
    fn saved(&self, width: f64) -> Enclosed {
        if self.legs.iter().all(|leg| leg.quantity >= 0.0) {
            return Enclosed::default();
        }
        let mut strikes: Vec<f64> = self.legs.iter().map(|leg| leg.strike).collect();
        strikes.push(0.0);
        let losses = strikes.iter().map(|settled| {
            Enclosed::total(self.legs.iter().map(|leg| {
                let value = if self.from_mark { leg.mark } else { Enclosed::default() };
                let paid = Enclosed::constant(leg.right.intrinsic(*settled, leg.strike));
                value.minus(paid).times_constant(leg.quantity)
            }))
        });
        let mut losses: Vec<Enclosed> = losses.collect();
        losses.push(Enclosed::default());
        let most = largest(&losses, width).unwrap_or_default();
        let calls = self.legs.iter().filter(|leg| leg.right == OptionRight::Call);
        let net: f64 = calls.map(|leg| leg.quantity).sum();
        let naked = self.price.times_constant(-self.rule.maintenance * net.min(0.0));
        let alone = Enclosed::total(self.legs.iter().map(|leg| leg.alone));
        let saved = most.plus(naked).minus(alone).smaller(Enclosed::default(), width);
        saved.times(self.money, width).times_constant(self.factor)
    }
}
