//! Stage 5 of SPAN: credits for opposite risks in different coins, in order of priority.
//!
//! A spread needs deltas that face against each other; each leg earns `weighted price risk x deltas used x
//! rate`, where the price risk is the active scenario's loss without time and volatility risk, per delta
//! (methods.md section 1.1, items 2 and 4).

use super::exposure::Unit;
use super::unit::Scanned;
use crate::book::Book;
use crate::error::Result;
use crate::margin::component::{Component, ComponentKind, Share};
use crate::numeric::accumulate::sum;
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::Profile;

/// One coin's delta and price risk as they are used up.
struct Leg {
    unit: Option<usize>,
    name: String,
    delta: f64,
    left: f64,
    risk: f64,
    factors: (f64, f64),
}

pub(super) fn credits(
    rulebook: &Rulebook,
    book: &Book,
    units: &[(&Unit<'_>, &Scanned)],
) -> Result<Vec<Component>> {
    if rulebook.credits.is_empty() {
        return Ok(Vec::new());
    }
    let mut legs: Vec<Leg> = Vec::new();
    for (unit, scanned) in units {
        let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
        let name = unit.underlying.and_then(|coin| book.underlyings.get(coin));
        let delta = sum(unit.lines.iter().map(|line| line.delta));
        legs.push(Leg {
            unit: unit.underlying,
            name: name.map_or_else(String::new, |known| known.name.to_uppercase()),
            delta,
            left: delta,
            risk: price_risk(scanned, profile).max(0.0),
            factors: (
                profile.initial_factor.unwrap_or(rulebook.initial.factor),
                profile.maintenance_factor.unwrap_or(rulebook.maintenance.factor),
            ),
        });
    }
    let mut earned = Vec::new();
    for (place, credit) in rulebook.credits.iter().enumerate() {
        let found: Vec<(usize, f64)> = credit
            .legs
            .iter()
            .filter_map(|(name, ratio)| Some((legs.iter().position(|leg| leg.name == *name)?, *ratio)))
            .collect();
        if found.len() != credit.legs.len() {
            continue;
        }
        // a leg's ratio carries its side; every delta must face its side, or every one against it
        let faces = |way: f64| {
            found
                .iter()
                .all(|(index, ratio)| legs.get(*index).is_some_and(|leg| leg.left * ratio * way > 0.0))
        };
        if !(faces(1.0) || faces(-1.0)) {
            continue;
        }
        let spreads = found
            .iter()
            .filter_map(|(index, ratio)| Some(legs.get(*index)?.left.abs() / ratio.abs()))
            .fold(f64::INFINITY, f64::min);
        for (index, ratio) in found {
            let Some(leg) = legs.get_mut(index) else { continue };
            let used = spreads * ratio.abs();
            let risk = leg.risk / leg.delta.abs();
            let amount = risk * used * credit.rate;
            leg.left -= leg.left.signum() * used;
            earned.push(Component {
                unit: leg.unit,
                kind: ComponentKind::Credit { credit: place },
                base: -amount,
                figures: Some([spreads, used, risk]),
                initial: Share { amount: -leg.factors.0 * amount, counts: true },
                maintenance: Share { amount: -leg.factors.1 * amount, counts: true },
            });
        }
    }
    Ok(earned)
}

/// The active scenario's loss, averaged with its volatility twin, less the loss of time alone.
fn price_risk(scanned: &Scanned, profile: &Profile) -> f64 {
    let loss = |index: usize| -scanned.counted.get(index).copied().unwrap_or(0.0);
    let active = scanned.largest(profile);
    let Some((active, _)) = active else { return 0.0 };
    let Some(chosen) = profile.scenarios.get(active) else { return 0.0 };
    // scenarios that share the price move and the weight of another one
    let mean_at = |price_move: f64, weight: f64| {
        let same: Vec<f64> = profile
            .scenarios
            .iter()
            .enumerate()
            .filter(|(_, s)| {
                s.price_move.total_cmp(&price_move).is_eq() && s.weight.total_cmp(&weight).is_eq()
            })
            .map(|(index, _)| loss(index))
            .collect();
        if same.is_empty() { 0.0 } else { sum(same.iter().copied()) / same.len() as f64 }
    };
    mean_at(chosen.price_move, chosen.weight) - mean_at(0.0, 1.0)
}
