//! Tiered margin: brackets of notional per position, a closed formula without scenarios.

use super::component::{Component, ComponentKind, Share, initial_total, maintenance_total};
use super::{PoolView, PositionMargin, Requirement};
use crate::book::Position;
use crate::error::Result;
use crate::market::{MarketState, notional, payoff, settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::rulebook::{MaintenanceOn, Measure, OrderRule, Rulebook};
use crate::tables::Leg;

/// The notional that decides the bracket and the maintenance margin, settlement currency.
pub fn maintenance_notional(view: &PoolView<'_>, position: &Position, on: MaintenanceOn, ratio: f64) -> f64 {
    match (on, position.entry_price) {
        (MaintenanceOn::Entry, Some(entry)) => payoff(view.book, position).notional(position.quantity, entry),
        _ => notional(view.book, position, ratio),
    }
}

/// Initial margin rate: the row's own, else one over the leverage (not above the bracket's largest).
fn initial_rate(given: Option<f64>, leverage: Option<f64>, largest: Option<f64>) -> Option<f64> {
    given.or_else(|| match (leverage, largest) {
        (Some(leverage), Some(largest)) => Some(leverage.min(largest).recip()),
        (leverage, largest) => leverage.or(largest).map(f64::recip),
    })
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
    let mut initial_missing = None;
    for position in view.positions {
        let margin = position_margin(view, rulebook, position, maintenance_on, state)?;
        if margin.initial.is_none() && initial_missing.is_none() {
            let symbol = view.book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str());
            initial_missing = Some(format!("{symbol} has neither a leverage nor an initial margin rate"));
        }
        by_position.push(margin);
    }
    let order_margin = match order_margin(view, rulebook, orders, &by_position, state)? {
        Ok(margin) => margin,
        Err(reason) => {
            initial_missing.get_or_insert(reason);
            0.0
        }
    };
    let components = components(&by_position, order_margin);
    Ok(Requirement {
        maintenance: maintenance_total(&components),
        initial: initial_missing.is_none().then(|| initial_total(&components)),
        order_margin,
        initial_missing,
        by_position,
        worst: Vec::new(),
        components,
    })
}

/// One row per position, and one for the orders.
fn components(by_position: &[PositionMargin], order_margin: f64) -> Vec<Component> {
    let row = |kind, base: f64, initial: f64, maintenance: f64| Component {
        unit: None,
        kind,
        base,
        initial: Share { amount: initial, counts: true },
        maintenance: Share { amount: maintenance, counts: true },
    };
    let positions = by_position.iter().enumerate().map(|(position, margin)| {
        let kind = ComponentKind::Position { position };
        row(kind, margin.notional, margin.initial.unwrap_or(0.0), margin.maintenance)
    });
    let orders = (order_margin != 0.0).then(|| row(ComponentKind::Orders, order_margin, order_margin, 0.0));
    positions.chain(orders).collect()
}

/// Margin of one position, reporting currency.
fn position_margin(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    position: &Position,
    maintenance_on: MaintenanceOn,
    state: &MarketState,
) -> Result<PositionMargin> {
    let price = view.price(settle_of(view.book, position), state)?;
    let ratio = state.ratio(underlying_of(view.book, position));
    let current = notional(view.book, position, ratio);
    let base = maintenance_notional(view, position, maintenance_on, ratio);
    let table = view.book.tables.get(position.table);
    let maintenance = table.map_or(0.0, |table| table.maintenance_margin(base));
    let largest = table.and_then(|table| table.bracket(current).max_leverage);
    let initial = initial_rate(position.initial_rate, position.leverage, largest)
        .map(|rate| rulebook.initial.factor * rate * current * price);
    Ok(PositionMargin {
        notional: current * price,
        maintenance: rulebook.maintenance.factor * maintenance * price,
        initial,
    })
}

/// Initial margin that open orders add, or why it is not known.
fn order_margin(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    rule: OrderRule,
    by_position: &[PositionMargin],
    state: &MarketState,
) -> Result<std::result::Result<f64, String>> {
    if rule == OrderRule::None || view.orders.is_empty() {
        return Ok(Ok(0.0));
    }
    let mut instruments: Vec<usize> = view.orders.iter().map(|order| order.instrument).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let mut added = Vec::new();
    for instrument in instruments {
        let orders = || view.orders.iter().filter(move |order| order.instrument == instrument);
        let Some(contract) = view.book.instruments.get(instrument) else { continue };
        let settle = view.book.instrument_settle.get(instrument).copied().unwrap_or(0);
        let price = view.price(settle, state)?;
        let held = || {
            view.positions
                .iter()
                .zip(by_position)
                .filter(move |(position, _)| position.instrument == instrument)
        };
        // orders do not say which leg of a hedge-mode account they open or close, so none is netted there
        let hedged = held().any(|(position, _)| position.leg != Leg::Net);
        let net: f64 = held()
            .map(|(position, margin)| margin.notional.copysign(position.quantity))
            .filter(|_| !hedged)
            .sum();
        // (size, margin) of the buys and of the sells
        let mut sides = [(0.0, 0.0), (0.0, 0.0)];
        for order in orders().filter(|order| !order.reduce_only) {
            let size = price * contract.payoff.notional(order.quantity, order.price);
            let largest =
                view.book.tables.get(order.table).and_then(|table| table.bracket(size).max_leverage);
            let Some(rate) = initial_rate(order.initial_rate, order.leverage, largest) else {
                return Ok(Err(format!(
                    "the orders in {} have neither a leverage nor an initial margin rate",
                    contract.symbol
                )));
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
        added.push(rulebook.initial.factor * margin);
    }
    Ok(Ok(sum(added)))
}
