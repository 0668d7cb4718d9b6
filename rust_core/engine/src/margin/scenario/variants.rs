//! Open orders of a scanned pool: the book with none, all buys and all sells of a unit filled.

use super::exposure::{Held, units};
use super::table::Table;
use super::{Measured, floor_after_credits, measure};
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::component::{Component, ComponentKind, Share, initial_total};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::Rulebook;

/// What open orders add to the initial level: per unit, the worst of none, all buys and all sells filled.
pub(super) fn order_components(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    table: &Table,
    held: &[Held],
    without: &[Measured],
) -> Result<Vec<Component>> {
    let mut added: Vec<(Option<usize>, f64)> = without.iter().map(|m| (m.underlying, 0.0)).collect();
    let base = |underlying: Option<usize>| {
        sum(without.iter().filter(|m| m.underlying == underlying).map(|m| initial_of_unit(rulebook, m)))
    };
    for buys in [true, false] {
        let mut variant = held.to_vec();
        variant.extend(
            view.orders
                .iter()
                .filter(|order| !order.reduce_only && (order.quantity > 0.0) == buys)
                .map(|order| Held { position: None, instrument: order.instrument, quantity: order.quantity }),
        );
        let split = units(view, rulebook, state, table, &variant)?;
        let coins: Vec<Option<usize>> = split.iter().map(|unit| unit.underlying).collect();
        let mut totals: Vec<(Option<usize>, f64)> = Vec::new();
        for unit in &split {
            let total = initial_of_unit(rulebook, &measure(view, rulebook, state, unit, &coins)?);
            match totals.iter_mut().find(|(known, _)| *known == unit.underlying) {
                Some((_, sum)) => *sum += total,
                None => totals.push((unit.underlying, total)),
            }
        }
        for (underlying, total) in totals {
            let more = total - base(underlying);
            match added.iter_mut().find(|(known, _)| *known == underlying) {
                Some((_, most)) => *most = most.max(more),
                None => added.push((underlying, more.max(0.0))),
            }
        }
    }
    Ok(added
        .into_iter()
        .filter(|(_, more)| *more > 0.0)
        .map(|(unit, more)| Component {
            unit,
            kind: ComponentKind::Orders,
            base: more,
            figures: None,
            initial: Share { amount: more, counts: true },
            maintenance: Share { amount: 0.0, counts: false },
        })
        .collect())
}

/// The initial money of one unit with its floor, before credits between coins.
fn initial_of_unit(rulebook: &Rulebook, measured: &Measured) -> f64 {
    let mut components: Vec<Component> = measured.components().copied().collect();
    floor_after_credits(rulebook, &mut components);
    initial_total(&components)
}
