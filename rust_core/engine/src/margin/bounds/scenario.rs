//! Stages 3 to 6 of portfolio margin along a stretch.

use super::Between;
use super::charge::charge_between;
use super::enclosed::{Enclosed, largest};
use super::lines::{Moving, MovingUnit};
use crate::error::Result;
use crate::margin::scenario::exposure::{Expiry, Unit, held, units};
use crate::margin::scenario::{Scanned, context, factor, has_credits};
use crate::rulebook::Rulebook;
use crate::rulebook::charge::Stage;
use crate::rulebook::portfolio::{Profile, Scenario, Settlement, Treatment};

/// The maintenance margin between two states; `None` where a part has no bounds.
pub(super) fn requirement_between(between: &Between<'_>) -> Result<Option<Enclosed>> {
    let view = between.view;
    let rulebook = view.rulebook()?;
    let (from, to) = between.states();
    let (Some(first), Some(last)) = (&between.start.table, &between.end.table) else { return Ok(None) };
    let held = held(view);
    let starts = units(view, rulebook, from, first, &held)?;
    let ends = units(view, rulebook, to, last, &held)?;
    if starts.len() != ends.len() || has_credits(view, rulebook, &starts)? {
        return Ok(None);
    }
    let coins: Vec<Option<usize>> = starts.iter().map(|unit| unit.underlying).collect();
    let mut total = Enclosed::default();
    for (start, end) in starts.iter().zip(&ends) {
        let Some(own) = unit_between(between, rulebook, (start, end), &coins)? else { return Ok(None) };
        total = total.plus(own);
    }
    Ok(Some(total))
}

fn unit_between(
    between: &Between<'_>,
    rulebook: &Rulebook,
    (start, end): (&Unit<'_>, &Unit<'_>),
    coins: &[Option<usize>],
) -> Result<Option<Enclosed>> {
    let (view, width) = (between.view, between.width);
    let Some(profile) = rulebook.profiles.get(start.profile) else { return Ok(Some(Enclosed::default())) };
    let Some(unit) = MovingUnit::of(between, start, end)? else { return Ok(None) };
    let (from, to) = between.states();
    let contexts = (context(view, rulebook, from, start, coins)?, context(view, rulebook, to, end, coins)?);
    let code = rulebook.report_currency.as_str();
    let factor = factor(&rulebook.maintenance, profile.maintenance_factor, &contexts.0, code)?;
    let Some(losses) = losses(between, rulebook, profile, &unit) else { return Ok(None) };
    let (mut alternatives, mut inside) = (Vec::new(), Enclosed::default());
    let (mut outside, mut floors) = (Enclosed::default(), Vec::new());
    for set in 0..profile.sets.len() {
        let own = profile.scenarios.iter().zip(&losses).filter(|(scenario, _)| scenario.set == set);
        let mut figures: Vec<Enclosed> = vec![Enclosed::default()];
        figures.extend(own.map(|(_, loss)| *loss));
        let worst = largest(&figures, width).unwrap_or_default();
        let worst = worst.times_constant(factor * profile.share(set));
        if profile.blended(set) {
            inside = inside.plus(worst);
        } else {
            alternatives.push(worst);
        }
    }
    for charge in &profile.charges {
        let Some(base) = charge_between(between, &unit, charge, (&contexts.0, &contexts.1))? else {
            return Ok(None);
        };
        let within = if charge.stage == Stage::Outside { 1.0 } else { factor };
        let amount = base.times_constant(within * charge.maintenance);
        match charge.stage {
            Stage::Alternative => alternatives.push(amount),
            Stage::Inside => inside = inside.plus(amount),
            Stage::Outside => outside = outside.plus(amount),
            Stage::Floor => floors.push(amount),
        }
    }
    let mut bounded = inside.plus(largest(&alternatives, width).unwrap_or_default());
    for floor in floors {
        bounded = bounded.larger(floor, width);
    }
    Ok(Some(bounded.plus(outside)))
}

/// The loss of every scenario as it counts.
fn losses(
    between: &Between<'_>,
    rulebook: &Rulebook,
    profile: &Profile,
    unit: &MovingUnit<'_, '_>,
) -> Option<Vec<Enclosed>> {
    let width = between.width;
    let first = Scanned::of(unit.start, rulebook, profile);
    let last = Scanned::of(unit.end, rulebook, profile);
    let groups = expiries(unit);
    let mut losses = Vec::with_capacity(profile.scenarios.len());
    for (index, scenario) in profile.scenarios.iter().enumerate() {
        let mut total = Enclosed::default();
        for lines in &groups {
            let result = expiry_result(between, (rulebook, profile), lines, (index, scenario))?;
            total = total.plus(match scenario.treatment {
                Treatment::MinusAbsolutePerExpiry => result.size(width).times_constant(-1.0),
                Treatment::Plain | Treatment::Extended => result,
            });
        }
        for line in unit.lines.iter().filter(|line| line.start.option.is_none()) {
            let value = line.value(between, profile, index, scenario)?;
            total = total.plus(line.result(value, scenario.price_move, width));
        }
        for (from, to) in unit.start.scanned.iter().zip(&unit.end.scanned) {
            let value = Enclosed::growing(from.value, to.value, width);
            total = total.plus(value.times_constant(scenario.price_move));
        }
        let ends = (first.raw.get(index).copied()?, last.raw.get(index).copied()?);
        let counted = counts(total.with_ends(ends.0, ends.1), scenario, profile, width);
        let ends = (first.counted.get(index).copied()?, last.counted.get(index).copied()?);
        losses.push(counted.with_ends(ends.0, ends.1).times_constant(-1.0));
    }
    Some(losses)
}

/// The options of a unit by expiry.
fn expiries<'m, 'u, 'a>(unit: &'m MovingUnit<'u, 'a>) -> Vec<Vec<&'m Moving<'u, 'a>>> {
    let mut groups: Vec<(Expiry, Vec<&Moving<'u, 'a>>)> = Vec::new();
    for line in unit.lines.iter().filter(|line| line.start.option.is_some()) {
        match groups.iter_mut().find(|(expiry, _)| *expiry == line.start.expiry) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((line.start.expiry, vec![line])),
        }
    }
    groups.into_iter().map(|(_, lines)| lines).collect()
}

/// The result of an expiry in a scenario with its factor by the sign of its net value.
fn expiry_result(
    between: &Between<'_>,
    (rulebook, profile): (&Rulebook, &Profile),
    lines: &[&Moving<'_, '_>],
    (index, scenario): (usize, &Scenario),
) -> Option<Enclosed> {
    let width = between.width;
    let mut values = Vec::with_capacity(lines.len());
    for line in lines {
        values.push(line.value(between, profile, index, scenario)?);
    }
    let result = |factor: f64| {
        let each = lines.iter().zip(&values);
        Enclosed::total(
            each.map(|(line, value)| line.result(value.times_constant(factor), scenario.price_move, width)),
        )
    };
    let Some(discount) = profile.discount else { return Some(result(1.0)) };
    let option = lines.first()?.start.option?;
    let rate = match rulebook.discounting {
        crate::rulebook::Discounting::Rate => option.rate,
        _ => option.rate.max(0.0),
    };
    let (long, short) = (discount.long(rate, option.years), discount.short(rate, option.years));
    let net = Enclosed::total(
        lines.iter().zip(&values).map(|(line, value)| value.times_constant(line.start.quantity)),
    );
    let range = net.range(width);
    if range.0 >= 0.0 {
        return Some(result(long));
    }
    if range.1 < 0.0 {
        return Some(result(short));
    }
    // the factor times the net value has a bend and no jump at zero, as long as all of it is one money
    let first = lines.first()?.start;
    let one = lines
        .iter()
        .all(|line| line.start.money.to_bits() == first.money.to_bits() && line.start.moves == first.moves);
    let at = |end: f64| if end >= 0.0 { long } else { short };
    let both = result(long).either(result(short));
    let (start, end) = (result(at(net.start)).start, result(at(net.end)).end);
    Some(if one { both.with_ends(start, end) } else { Enclosed::jumping(start, end) })
}

/// What counts of a result: its weight, its scaling back to the edge of the range, its share of gains.
fn counts(total: Enclosed, scenario: &Scenario, profile: &Profile, width: f64) -> Enclosed {
    let weighted = match (scenario.treatment, profile.extension) {
        (Treatment::Extended, Some(extension)) => {
            let coin = profile.settlement == Settlement::Coin;
            let price_move = scenario.price_move;
            let edge = 1.0 + price_move.signum() * extension.range;
            let mut scale = extension.factor * extension.range / price_move.abs();
            if coin {
                scale *= (1.0 + price_move) / edge;
            }
            let beyond = ((price_move.abs() / extension.range).max(1.0) - 1.0) * extension.dampener;
            let beyond = Enclosed::constant(if coin { beyond / edge } else { beyond });
            let scaled = total.times_constant(scale);
            // beyond the dampener the result is smaller by it, within it there is none
            let none = Enclosed::default();
            let gain = scaled.minus(beyond).larger(none, width);
            gain.plus(scaled.plus(beyond).smaller(none, width))
        }
        _ => total,
    };
    let weighted = weighted.times_constant(scenario.weight);
    let none = Enclosed::default();
    let gains = weighted.larger(none, width).times_constant(profile.gains.share);
    let gains = if profile.gains.cap.is_finite() {
        gains.smaller(Enclosed::constant(profile.gains.cap), width)
    } else {
        gains
    };
    gains.plus(weighted.smaller(none, width))
}
