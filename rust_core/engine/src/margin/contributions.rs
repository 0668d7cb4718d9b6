//! Risk contributions: how much of a pool's maintenance measure each position is responsible for.
//!
//! `component` is Euler's share where the measure is homogeneous, Aumann-Shapley's along the ray where
//! it is not; a margin of brackets alone is separable, so both are the position's own maintenance
//! margin. It sums to the measure. `marginal` is the component per unit of notional, `incremental` what
//! the measure loses when the position is closed (methods.md section 2.5). The three give different orders.

use super::tiers::brackets_only;
use super::{PoolView, PositionMargin, evaluate};
use crate::error::Result;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;

/// One position's contributions, reporting currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// Unsigned notional.
    pub notional: f64,
    /// The measure of the position by itself.
    pub standalone: f64,
    /// Its part of the measure.
    pub component: f64,
    /// Component per unit of notional.
    pub marginal: f64,
    /// The measure less the measure without the position.
    pub incremental: f64,
}

/// Contributions of every position of a pool at a state, and the measure they sum to.
///
/// # Errors
///
/// As [`evaluate`].
pub fn contributions(view: &PoolView<'_>, state: &MarketState) -> Result<(Vec<Contribution>, f64)> {
    let whole = evaluate(view, state)?.requirement;
    let marginal = |margin: &PositionMargin| {
        if margin.notional > 0.0 { margin.maintenance / margin.notional } else { 0.0 }
    };
    let mut rows = Vec::with_capacity(view.positions.len());
    if brackets_only(view)? {
        rows.extend(whole.by_position.iter().map(|margin| Contribution {
            notional: margin.notional,
            standalone: margin.maintenance,
            component: margin.maintenance,
            marginal: marginal(margin),
            incremental: margin.maintenance,
        }));
        return Ok((rows, whole.maintenance));
    }
    for (index, (position, margin)) in view.positions.iter().zip(&whole.by_position).enumerate() {
        let alone =
            PoolView { positions: std::slice::from_ref(position), balances: &[], orders: &[], ..*view };
        let others: Vec<_> = view
            .positions
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, position)| position.clone())
            .collect();
        let without = PoolView { positions: &others, orders: &[], ..*view };
        rows.push(Contribution {
            notional: margin.notional,
            // a loss by itself is no loan: the account has its balances
            standalone: super::measured(&alone, state, None)?.maintenance,
            component: margin.maintenance,
            marginal: marginal(margin),
            incremental: whole.maintenance - super::requirement(&without, state)?.maintenance,
        });
    }
    Ok((rows, whole.maintenance))
}

/// Initial and maintenance margin of every position of a pool by itself, without balances and orders: what an
/// isolated account would need.
///
/// # Errors
///
/// As [`evaluate`].
pub fn standalone(view: &PoolView<'_>, state: &MarketState) -> Result<(Option<f64>, f64)> {
    let (mut initial, mut maintenance) = (Some(Vec::new()), Vec::new());
    for position in view.positions {
        let alone =
            PoolView { positions: std::slice::from_ref(position), balances: &[], orders: &[], ..*view };
        let needed = super::measured(&alone, state, None)?;
        maintenance.push(needed.maintenance);
        match (&mut initial, needed.initial) {
            (Some(list), Some(own)) => list.push(own),
            _ => initial = None,
        }
    }
    Ok((initial.map(sum), sum(maintenance)))
}
