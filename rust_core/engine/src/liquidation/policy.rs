//! Which position goes next, and why: total orders with the row as the last key.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::working::closing_cost;
use crate::error::Result;
use crate::margin::contributions::{Under, contributions, one_by_one};
use crate::margin::tiers::maintenance_notional;
use crate::margin::{PoolState, PoolView};
use crate::market::{MarketState, settle_of, underlying_of, unrealised_pnl};
use crate::rulebook::{MaintenanceOn, Measure, Policy};

/// What a policy needs to know besides the pool.
#[derive(Debug, Clone)]
pub struct Choice<'a> {
    /// The policy.
    pub policy: Policy,
    /// Seed of the random policy.
    pub seed: u64,
    /// Number of the step, from 1.
    pub step: usize,
    /// Symbols of the user's list, first to be closed first.
    pub user_list: &'a [String],
    /// Whether rows tagged to be liquidated last go after all others.
    pub respect_tags: bool,
    /// Fraction of the notional (of an option's value) that a market order slips.
    pub slippage: f64,
    /// Fee on the notional, a fraction.
    pub fee: f64,
}

/// The next position to close, as an index into the pool, with the reason in words.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn next_victim(
    view: &PoolView<'_>,
    state: &MarketState,
    evaluated: &PoolState,
    choice: &Choice<'_>,
) -> Result<Option<(usize, String)>> {
    if view.positions.is_empty() {
        return Ok(None);
    }
    let margins = &evaluated.requirement.by_position;
    let component = |index: usize| margins.get(index).map_or(0.0, |margin| margin.maintenance);
    let notional = |index: usize| margins.get(index).map_or(0.0, |margin| margin.notional);
    let mut losses = Vec::new();
    if choice.policy == Policy::LargestLoss {
        for position in view.positions {
            let price = view.price(settle_of(view.book, position), state)?;
            // the whole value of an option is in the equity; what it has gained or lost counts from its entry
            let option = view.book.instruments.get(position.instrument).is_some_and(|i| i.option.is_some());
            let paid = position.entry_price.filter(|_| option).map_or(0.0, |entry| position.quantity * entry);
            losses.push((unrealised_pnl(view.book, position, state) - paid) * price);
        }
    }
    let symbol = |index: usize| {
        let position = view.positions.get(index);
        position.and_then(|p| view.book.instruments.get(p.instrument)).map_or("", |i| i.symbol.as_str())
    };
    let listed = |index: usize| {
        let place = choice.user_list.iter().position(|name| name.eq_ignore_ascii_case(symbol(index)));
        place.unwrap_or(choice.user_list.len())
    };
    let relief = relief(view, state, evaluated, choice)?;
    let freed = |index: usize| relief.get(index).copied().unwrap_or(0.0);
    // a hedge frees nothing or less and is no candidate while anything else is
    let any_risk = relief.iter().any(|freed| *freed > 0.0);
    let score = |index: usize| match choice.policy {
        Policy::LargestLoss => -losses.get(index).copied().unwrap_or(0.0),
        Policy::HighestRiskContribution | Policy::MarginalPerCost | Policy::Incremental if any_risk => {
            freed(index)
        }
        Policy::Random => draw(choice.seed, choice.step, index),
        Policy::UserList => -(listed(index) as f64),
        _ => notional(index),
    };
    let last = |index: usize| {
        choice.respect_tags && view.positions.get(index).is_some_and(|position| position.liquidate_last)
    };
    let victim = (0..view.positions.len()).min_by(|a, b| {
        let unlisted = choice.policy == Policy::UserList;
        let by_size =
            if unlisted { notional(*b).total_cmp(&notional(*a)) } else { std::cmp::Ordering::Equal };
        last(*a).cmp(&last(*b)).then(score(*b).total_cmp(&score(*a))).then(by_size).then(a.cmp(b))
    });
    Ok(victim.map(|index| {
        let total = evaluated.requirement.maintenance;
        let share = if total > 0.0 { 100.0 * component(index) / total } else { 0.0 };
        let reason = match choice.policy {
            Policy::LargestLoss => {
                format!("largest loss: {:.2}", losses.get(index).copied().unwrap_or(0.0))
            }
            Policy::HighestRiskContribution => {
                format!("highest risk contribution: {share:.1} % of the maintenance margin")
            }
            Policy::MarginalPerCost if !any_risk => "nothing frees margin; the largest first".to_owned(),
            Policy::MarginalPerCost => {
                format!("most margin freed for its cost: {:.2} per unit of it", freed(index))
            }
            Policy::Incremental => {
                format!("closing it whole frees {:.2} of maintenance margin", freed(index))
            }
            Policy::Random => format!("drawn with seed {}", choice.seed),
            Policy::UserList if listed(index) < choice.user_list.len() => {
                format!("number {} of the list", listed(index) + 1)
            }
            Policy::UserList => "not on the list, so after it; the largest first".to_owned(),
            _ => format!("largest notional: {:.2}", notional(index)),
        };
        (index, reason)
    }))
}

/// What the policies by risk rank positions by; empty for the others.
///
/// By risk contribution Euler's share; by cost the net repair of the shortfall per unit of cost,
/// `(trigger x share - cost) / cost` (methods.md section 5.4), or the share per unit of notional where closing
/// costs nothing; by increment the margin less the margin without the position.
fn relief(
    view: &PoolView<'_>,
    state: &MarketState,
    evaluated: &PoolState,
    choice: &Choice<'_>,
) -> Result<Vec<f64>> {
    let margins = &evaluated.requirement.by_position;
    match choice.policy {
        Policy::HighestRiskContribution => Ok(margins.iter().map(|margin| margin.maintenance).collect()),
        Policy::MarginalPerCost => {
            let trigger = view.rulebook()?.maintenance.trigger;
            let mut found = Vec::with_capacity(margins.len());
            for (position, margin) in view.positions.iter().zip(margins) {
                let price = view.price(settle_of(view.book, position), state)?;
                let cost = price * closing_cost(view, position, state, choice.slippage, choice.fee);
                found.push(if cost > 0.0 {
                    (trigger * margin.maintenance - cost) / cost
                } else if margin.notional > 0.0 {
                    margin.maintenance / margin.notional
                } else {
                    0.0
                });
            }
            Ok(found)
        }
        Policy::Incremental => {
            let found = contributions(view, state, Under::Own, &one_by_one(view))?;
            let groups = found.rows.iter().take(view.positions.len());
            Ok(groups.map(|row| row.incremental.unwrap_or(0.0)).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// A number in [0, 1) that depends on (seed, step, row) alone.
fn draw(seed: u64, step: usize, row: usize) -> f64 {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(step as u64);
    generator.set_word_pos(2 * row as u128);
    (generator.next_u64() >> 11) as f64 * (0.5_f64).powi(53)
}

/// The position in the highest bracket, the fraction that brings it to the bracket below, and why.
///
/// Contracts without brackets, such as options, go after those that have them, whole; positions that are
/// tagged to be liquidated last go after all others.
pub fn tier_step(
    view: &PoolView<'_>,
    state: &MarketState,
    respect_tags: bool,
) -> Option<(usize, f64, String)> {
    let on = match view.rulebook().ok()?.measure {
        Measure::Tiers { maintenance_on, .. } => maintenance_on,
        _ => MaintenanceOn::Mark,
    };
    let last = |index: usize| {
        respect_tags && view.positions.get(index).is_some_and(|position| position.liquidate_last)
    };
    let size = |index: usize| {
        let position = view.positions.get(index)?;
        let table = view.book.tables.get(position.table)?;
        let ratio = state.ratio(underlying_of(view.book, position));
        let notional = maintenance_notional(view, position, on, ratio);
        Some((table.bracket_index(notional), notional, table))
    };
    let sized = (0..view.positions.len()).filter_map(|index| size(index).map(|found| (index, found)));
    let highest = sized.min_by(|(i, a), (j, b)| {
        // what has no brackets comes after what has
        let tagged = last(*i).cmp(&last(*j)).then(a.2.is_absent().cmp(&b.2.is_absent()));
        tagged.then(b.0.cmp(&a.0)).then(b.1.total_cmp(&a.1)).then(i.cmp(j))
    })?;
    let (index, (bracket, notional, table)) = highest;
    let floor = table.brackets.get(bracket)?.floor;
    let fraction = if bracket == 0 || notional == 0.0 { 1.0 } else { 1.0 - floor / notional };
    // exactly on the floor counts as the bracket above it, so go a hair below
    let fraction = if bracket == 0 { 1.0 } else { (fraction + 1e-9).min(1.0) };
    let reason = if table.is_absent() {
        "no brackets to step down".to_owned()
    } else if bracket == 0 {
        "lowest bracket: nothing to step down to".to_owned()
    } else {
        format!("from bracket {} to bracket {bracket}", bracket + 1)
    };
    Some((index, fraction, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_step_and_row_alone() {
        assert_eq!(draw(7, 3, 5).to_bits(), draw(7, 3, 5).to_bits());
        assert_ne!(draw(7, 3, 5).to_bits(), draw(7, 3, 6).to_bits());
        assert_ne!(draw(7, 3, 5).to_bits(), draw(7, 4, 5).to_bits());
        assert!((0.0..1.0).contains(&draw(1, 1, 1)));
    }
}
