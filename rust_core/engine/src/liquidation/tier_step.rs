//! Steps down a bracket table, and legs of one contract that are closed against each other.

use crate::margin::PoolView;
use crate::margin::tiers::maintenance_notional;
use crate::market::{MarketState, underlying_of};
use crate::rulebook::{MaintenanceOn, Measure};
use crate::tables::Leg;

/// The position in the highest bracket, the fraction that brings it down some brackets, and why.
///
/// Contracts without brackets, such as options, go after those that have them, whole, as does what stands too low
/// for so many brackets; positions that are tagged to be liquidated last go after all others.
pub fn tier_step(
    view: &PoolView<'_>,
    state: &MarketState,
    respect_tags: bool,
    at_once: usize,
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
    let at_once = at_once.max(1);
    let reason = |text: String| Some((index, 1.0, text));
    if table.is_absent() {
        return reason("no brackets to step down".to_owned());
    }
    if bracket == 0 || notional == 0.0 {
        return reason("lowest bracket: nothing to step down to".to_owned());
    }
    if bracket < at_once {
        return reason(format!("bracket {}: no {at_once} brackets to step down", bracket + 1));
    }
    let floor = table.brackets.get(bracket + 1 - at_once)?.floor;
    // exactly on the floor counts as the bracket above it, so go a hair below
    let fraction = (1.0 - floor / notional + 1e-9).min(1.0);
    Some((index, fraction, format!("from bracket {} to bracket {}", bracket + 1, bracket + 1 - at_once)))
}

/// A long and a short leg of one contract with the fractions that close them against each other, the later
/// position first so that removal is safe.
pub fn opposing(view: &PoolView<'_>) -> Option<[(usize, f64); 2]> {
    view.positions.iter().enumerate().find_map(|(first, long)| {
        let same = |other: &&(usize, &crate::book::Position)| {
            other.1.instrument == long.instrument && other.1.leg == Leg::Short && other.1.quantity < 0.0
        };
        if long.leg != Leg::Long || long.quantity <= 0.0 {
            return None;
        }
        let legs: Vec<_> = view.positions.iter().enumerate().collect();
        let (second, short) = *legs.iter().find(same)?;
        let closed = long.quantity.min(short.quantity.abs());
        let pair = [(first, closed / long.quantity), (second, closed / short.quantity.abs())];
        Some(if first > second { pair } else { [pair[1], pair[0]] })
    })
}
