//! What open orders add to the initial margin of closed formulas.

use super::standard::{self, Chosen, Rule, Seen, option_margin, raised, rates};
use super::{PoolView, PositionMargin};
use crate::book::{Order, Position};
use crate::error::Result;
use crate::instrument::{Instrument, Payoff};
use crate::market::{MarketState, option_value_at};
use crate::numeric::accumulate::sum;
use crate::rulebook::options::StandardOptions;
use crate::rulebook::portfolio::DeltaOneRates;
use crate::rulebook::{OptionValue, OrderRule, Rulebook};
use crate::tables::Leg;

/// A figure, or in words why there is none.
pub(super) type OrReason<T> = std::result::Result<T, String>;

/// Everything about the orders in one contract.
struct InContract<'a> {
    view: &'a PoolView<'a>,
    rulebook: &'a Rulebook,
    state: &'a MarketState,
    contract: &'a Instrument,
    instrument: usize,
    orders: Vec<&'a Order>,
    held: Vec<(&'a Position, &'a PositionMargin)>,
    /// Whether the account is in hedge mode: orders do not say which leg they open or close, so none is
    /// netted there.
    hedged: bool,
    /// Price of the settlement currency, reporting currency.
    price: f64,
}

/// Initial margin that open orders add, reporting currency, or why it is not known.
///
/// # Errors
///
/// [`crate::Error::Missing`] for a price, [`crate::Error::NotCovered`] for a contract without a rule.
pub(super) fn order_margin(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    rule: OrderRule,
    by_position: &[PositionMargin],
    state: &MarketState,
) -> Result<OrReason<f64>> {
    if view.orders.is_empty() {
        return Ok(Ok(0.0));
    }
    if let Some(why) = rulebook.refusals.get("orders") {
        return Ok(Err(format!("rulebook '{}' does not cover open orders: {why}", rulebook.id)));
    }
    if rule == OrderRule::None {
        return Ok(Ok(0.0));
    }
    let mut instruments: Vec<usize> = view.orders.iter().map(|order| order.instrument).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let mut added = Vec::new();
    for instrument in instruments {
        let Some(contract) = view.book.instruments.get(instrument) else { continue };
        let settle = view.book.instrument_settle.get(instrument).copied().unwrap_or(0);
        let held: Vec<(&Position, &PositionMargin)> = view
            .positions
            .iter()
            .zip(by_position)
            .filter(|(position, _)| position.instrument == instrument)
            .collect();
        let within = InContract {
            view,
            rulebook,
            state,
            contract,
            instrument,
            orders: view.orders.iter().filter(|order| order.instrument == instrument).collect(),
            hedged: held.iter().any(|(position, _)| position.leg != Leg::Net),
            held,
            price: view.price(settle, state)?,
        };
        match within.margin(rule)? {
            Ok(margin) => added.push(margin),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(sum(added)))
}

impl InContract<'_> {
    fn margin(&self, rule: OrderRule) -> Result<OrReason<f64>> {
        let tabled = match self.held.first() {
            Some((position, _)) => position.origin != crate::book::TableOrigin::None,
            None => self
                .orders
                .iter()
                .any(|order| self.view.book.tables.get(order.table).is_some_and(|table| !table.is_absent())),
        };
        Ok(match standard::rule(self.view.book, self.rulebook, self.instrument, tabled)? {
            Rule::Table(_) => self.by_table(rule),
            Rule::DeltaOne(profile, own) => {
                let factor = profile.initial_factor.unwrap_or(self.rulebook.initial.factor);
                self.by_rates(&own, factor, rule)?
            }
            Rule::Option(profile, rules) => {
                let factor = profile.initial_factor.unwrap_or(self.rulebook.initial.factor);
                Ok(self.by_option(&rules, factor, rule)?)
            }
        })
    }

    /// Orders that open or add.
    fn opening(&self) -> impl Iterator<Item = &&Order> {
        self.orders.iter().filter(|order| !order.reduce_only)
    }

    /// Signed quantity held, zero in hedge mode.
    fn net(&self) -> f64 {
        if self.hedged { 0.0 } else { sum(self.held.iter().map(|(position, _)| position.quantity)) }
    }

    /// By the rates of rows and tables, at the prices of the orders.
    fn by_table(&self, rule: OrderRule) -> OrReason<f64> {
        let net: f64 = self
            .held
            .iter()
            .map(|(position, margin)| margin.notional.copysign(position.quantity))
            .filter(|_| !self.hedged)
            .sum();
        // (size, margin) of the buys and of the sells
        let mut sides = [(0.0, 0.0), (0.0, 0.0)];
        for order in self.opening() {
            let size = self.price * self.contract.payoff.notional(order.quantity, order.price);
            let table = self.view.book.tables.get(order.table);
            let largest = table.and_then(|table| table.bracket(size).max_leverage);
            let Some(rate) = super::tiers::initial_rate(order.initial_rate, order.leverage, largest) else {
                return Err(format!(
                    "the orders in {} have neither a leverage nor an initial margin rate",
                    self.contract.symbol
                ));
            };
            let side = if order.quantity > 0.0 { &mut sides[0] } else { &mut sides[1] };
            side.0 += size;
            side.1 += rate * size;
        }
        // the part of a side that adds to the position: all of it, or what goes through zero and beyond
        let adding = |(size, margin): (f64, f64), same_side: bool| {
            let part = if same_side || size == 0.0 { 1.0 } else { (1.0 - 2.0 * net.abs() / size).max(0.0) };
            margin * part
        };
        let margin = match rule {
            OrderRule::Additive => sides[0].1 + sides[1].1,
            _ => adding(sides[0], net >= 0.0).max(adding(sides[1], net <= 0.0)),
        };
        Ok(self.rulebook.initial.factor * margin)
    }

    /// By rates that grow with size: what the position would need with all orders of a side filled, less what
    /// it needs (venues.md section 8.1: open sizes).
    fn by_rates(&self, own: &DeltaOneRates, factor: f64, rule: OrderRule) -> Result<OrReason<f64>> {
        let ratio =
            self.state.ratio(self.view.book.instrument_underlying.get(self.instrument).copied().unwrap_or(0));
        let quote = self.view.book.quotes.get(self.instrument).and_then(|quote| quote.forward);
        let held = self.held.first().map(|(position, _)| position.mark_price);
        let Some(mark) = held.or(quote).map(|mark| mark * ratio) else {
            return Ok(Err(format!("{} has no mark price", self.contract.symbol)));
        };
        let chosen = Chosen {
            rate: self.orders.iter().find_map(|order| order.initial_rate),
            leverage: self.orders.iter().find_map(|order| order.leverage),
        };
        let interest = match interest(self.view, own, self.instrument, mark, self.price) {
            Ok(interest) => interest,
            Err(reason) => return Ok(Err(reason)),
        };
        let counted = standard::counted_price(self.view.book, own, self.instrument, mark, self.state)?;
        let needed = |quantity: f64| {
            let (coins, money) = match self.contract.payoff {
                Payoff::Linear => (quantity.abs(), quantity.abs() * counted),
                Payoff::Inverse => (quantity.abs() / mark, quantity.abs() / mark),
            };
            let rate = rates(own, coins, chosen).initial;
            money * interest.map_or(rate, |interest| raised(own, rate, interest))
        };
        let open_loss = |order: &Order| {
            if own.open_loss {
                self.contract.payoff.profit(order.quantity, order.price, mark).min(0.0)
            } else {
                0.0
            }
        };
        let margin = self.worse_side(rule, needed, |order| -open_loss(order));
        Ok(Ok(factor * self.price * margin))
    }

    /// Options: the margin of the position that the orders of a side lead to, less that of the position, with
    /// the premium paid and the fee. Where the options' value is in the equity, only what a price is worse than
    /// the mark counts as premium.
    fn by_option(&self, rules: &StandardOptions, factor: f64, rule: OrderRule) -> Result<f64> {
        let book = self.view.book;
        let (mark, entry) = match self.held.first() {
            Some((position, _)) => {
                let seen = Seen::of_position(book, position, self.state)?;
                (seen.map_or(0.0, |seen| seen.mark), position.entry_price.filter(|_| position.quantity < 0.0))
            }
            None => (option_value_at(book, self.instrument, self.state), None),
        };
        // what is sold is entered at the orders' prices, the position at its own
        let sold: Vec<(f64, f64)> = self
            .opening()
            .filter(|order| order.quantity < 0.0)
            .map(|order| (-order.quantity, order.price))
            .chain(entry.map(|entry| ((-self.net()).max(0.0), entry)))
            .collect();
        let quantity = sum(sold.iter().map(|(quantity, _)| *quantity));
        let average = sum(sold.iter().map(|(quantity, price)| quantity * price)) / quantity;
        let entry = if quantity > 0.0 { Some(average) } else { None };
        let Some(seen) = Seen::of(book, self.instrument, self.state, mark, entry)? else { return Ok(0.0) };
        let needed = |quantity: f64| option_margin(rules, &seen, quantity).initial;
        let in_equity = self.rulebook.initial.option_value == OptionValue::All;
        let cost = |order: &Order| {
            let size = order.quantity.abs();
            let fee = (rules.orders.fee * seen.index).min(rules.orders.fee_cap * order.price);
            let premium = match (in_equity, order.quantity > 0.0) {
                (true, true) => (order.price - mark).max(0.0),
                (true, false) => (mark - order.price).max(0.0),
                (false, true) => order.price,
                (false, false) if rules.orders.credit_premium => -order.price,
                (false, false) => 0.0,
            };
            size * (fee + premium)
        };
        Ok(factor * self.price * self.worse_side(rule, needed, cost))
    }

    /// The worse of all buys and all sells filled, or each order by itself: growth of the margin and costs.
    fn worse_side(&self, rule: OrderRule, needed: impl Fn(f64) -> f64, cost: impl Fn(&Order) -> f64) -> f64 {
        if rule == OrderRule::Additive {
            return sum(self.opening().map(|order| (needed(order.quantity) + cost(order)).max(0.0)));
        }
        let net = self.net();
        let side = |buys: bool| {
            let orders = || self.opening().filter(move |order| (order.quantity > 0.0) == buys);
            let filled = net + sum(orders().map(|order| order.quantity));
            needed(filled) - needed(net) + sum(orders().map(|order| cost(order)))
        };
        side(true).max(side(false)).max(0.0)
    }
}

/// Open interest of a contract's coin, reporting currency; `None` where no rate depends on it.
pub(super) fn interest(
    view: &PoolView<'_>,
    rates: &DeltaOneRates,
    instrument: usize,
    mark: f64,
    price: f64,
) -> OrReason<Option<f64>> {
    if rates.open_interest_upper.is_none() {
        return Ok(None);
    }
    let coin = view.book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let known = view.book.underlyings.get(coin);
    match known.and_then(|known| known.open_interest) {
        Some(coins) => Ok(Some(coins * mark * price)),
        None => Err(format!(
            "the initial margin of {} depends on its open interest; give a Market row with underlying and openInterest",
            known.map_or("?", |known| known.name.as_str())
        )),
    }
}
