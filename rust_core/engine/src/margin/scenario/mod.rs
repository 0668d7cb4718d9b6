//! Portfolio margin by scenarios: the six stages of design.md section 1, driven by the rulebook's profiles.
//!
//! An instrument is priced once per scenario (`table`), positions are weighted sums of its row, expiries are
//! mapped and added (`unit`), charges compete with the worst scenario, are added to it, bound it from below
//! or stand outside the level's factor (`charges`), credits between coins come last (`credits`).

pub(in crate::margin) mod bare;
pub(in crate::margin) mod charges;
mod credits;
pub(crate) mod exposure;
mod leaving;
mod option_row;
mod summed;
mod table;
mod unit;
mod variants;

use super::component::{Component, ComponentKind, Share, initial_total, maintenance_total};
use super::settling::settled;
use super::{PoolView, PositionMargin, Requirement, Worst};
use crate::error::Result;
use crate::market::{MarketState, notional, settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::rulebook::charge::Stage;
use crate::rulebook::portfolio::Profile;
use crate::rulebook::{Level, Measure, OrderRule, Rulebook};
use charges::{Charged, check_peg};
pub(in crate::margin) use charges::{Context, charged, confidences};
use exposure::{Unit, units};
pub(in crate::margin) use option_row::Shocked;
pub(in crate::margin) use summed::Summed;
pub(in crate::margin) use table::{Pricing, check_refusals, not_covered, pricing};
pub use table::{Table, Today, profile_of};
pub use unit::Scanned;
use unit::first_largest;

/// One risk unit, measured: components before credits, and what its positions bear.
struct Measured {
    underlying: Option<usize>,
    rows: Vec<Branch>,
    worst: Worst,
    scanned: Scanned,
}

/// A branch of a unit's measure: where it enters, what it is, and the charge that it is of.
type Branch = (Stage, Component, Option<Charged>);

impl Measured {
    fn components(&self) -> impl Iterator<Item = &Component> {
        self.rows.iter().map(|(_, component, _)| component)
    }
}

/// Maintenance money and who bears it.
#[derive(Debug, Default)]
struct Borne {
    /// By each line in the scenarios, in the order of the unit's lines.
    scenarios: Vec<f64>,
    /// By each line through charges that fall on lines one by one.
    charges: Vec<f64>,
    /// By balances that move in the scenarios, with their currency.
    balances: Vec<(usize, f64)>,
}

impl Borne {
    fn nothing(lines: usize) -> Self {
        Self { scenarios: vec![0.0; lines], charges: vec![0.0; lines], balances: Vec::new() }
    }
}

/// The rows of everything a pool holds and orders, at a state.
///
/// # Errors
///
/// As [`Table::new`].
pub fn table_of(view: &PoolView<'_>, state: &MarketState) -> Result<Table> {
    let rulebook = view.rulebook()?;
    Table::new(view.book, rulebook, state, &exposure::instruments(view, rulebook)?)
}

/// The rows of everything a pool holds and orders and of further instruments, with what else belongs to the state:
/// changed forms of the pool are measured with it and price nothing.
///
/// # Errors
///
/// As [`Table::new`].
pub fn kept_table(view: &PoolView<'_>, state: &MarketState, further: &[usize]) -> Result<Table> {
    kept_table_since(view, state, further, &Today::default())
}

/// The same where the values of options at the prices of the book are at hand, as for many states of one book.
///
/// # Errors
///
/// As [`Table::new`].
pub fn kept_table_since(
    view: &PoolView<'_>,
    state: &MarketState,
    further: &[usize],
    today: &Today,
) -> Result<Table> {
    let rulebook = view.rulebook()?;
    let mut list = exposure::instruments(view, rulebook)?;
    for instrument in further {
        profile_of(view.book, rulebook, *instrument)?;
    }
    list.extend(further);
    list.sort_unstable();
    list.dedup();
    let mut table = Table::new(view.book, rulebook, state, &list)?;
    table.keep_units(view, rulebook, state, today)?;
    Ok(table)
}

/// The factor of a level for a profile, with what a lost peg adds.
pub(in crate::margin) fn factor(
    level: &Level,
    own: Option<f64>,
    context: &Context<'_>,
    code: &str,
) -> Result<f64> {
    let base = own.unwrap_or(level.factor);
    match level.depeg {
        None => Ok(base),
        Some(depeg) => Ok(base + depeg.rate * (depeg.threshold - check_peg(context, code)?).max(0.0)),
    }
}

pub(super) fn requirement(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    shared: Option<&Table>,
) -> Result<Requirement> {
    let Measure::Scenarios { orders, .. } = rulebook.measure else { return Ok(Requirement::default()) };
    let own;
    let table = match shared {
        Some(table) => {
            // what is kept was covered when it was priced
            if !table.keeps(view) {
                exposure::instruments(view, rulebook)?;
            }
            table
        }
        None => {
            own = table_of(view, state)?;
            &own
        }
    };
    let held = exposure::held(view);
    let split = units(view, rulebook, state, table, &held)?;
    let (mut measured, mut components) = branches(view, rulebook, state, &split)?;
    // a floor that takes the place of what it bounds is borne instead of it
    let after = components.iter().copied();
    for ((_, component, _), after) in measured.iter_mut().flat_map(|m| &mut m.rows).zip(after) {
        *component = after;
    }
    let without_orders = initial_total(&components);
    let mut initial_missing = None;
    if !view.orders.is_empty() {
        if let Some(why) = rulebook.refusals.get("orders") {
            initial_missing = Some(format!("rulebook '{}' does not cover open orders: {why}", rulebook.id));
        } else if orders == OrderRule::Variants {
            components.extend(variants::order_components(view, rulebook, state, table, &held, &measured)?);
        }
    }
    let initial = initial_total(&components);
    let mut by_line = vec![(0.0, 0.0); view.positions.len()];
    let mut by_balance: Vec<(usize, f64)> = Vec::new();
    for (unit, measured) in split.iter().zip(&measured) {
        let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
        let shares = borne(unit, rulebook, profile, &measured.scanned, &measured.rows);
        let parts = shares.scenarios.iter().zip(&shares.charges);
        for (line, (scenarios, charges)) in unit.lines.iter().zip(parts) {
            if let Some(slot) = line.position.and_then(|position| by_line.get_mut(position)) {
                *slot = (slot.0 + scenarios, slot.1 + charges);
            }
        }
        for (currency, part) in &shares.balances {
            match by_balance.iter_mut().find(|(known, _)| known == currency) {
                Some((_, sum)) => *sum += part,
                None => by_balance.push((*currency, *part)),
            }
        }
    }
    let mut by_position = Vec::with_capacity(view.positions.len());
    for (position, (scenarios, charges)) in view.positions.iter().zip(&by_line) {
        let price = view.price(settle_of(view.book, position), state)?;
        let ratio = state.ratio(underlying_of(view.book, position));
        by_position.push(PositionMargin {
            notional: notional(view.book, position, ratio) * price,
            maintenance: scenarios + charges,
            charges: *charges,
            initial: None,
        });
    }
    let maintenance = maintenance_total(&components);
    let scale = if maintenance == 0.0 { 0.0 } else { without_orders / maintenance };
    for margin in &mut by_position {
        margin.initial = Some(scale * margin.maintenance);
    }
    Ok(Requirement {
        maintenance,
        initial: initial_missing.is_none().then_some(initial),
        order_margin: initial - without_orders,
        initial_missing,
        by_position,
        by_balance,
        worst: measured.into_iter().map(|m| m.worst).collect(),
        components,
    })
}

/// The units measured, and every branch of them with credits and floors applied.
fn branches(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    split: &[Unit<'_>],
) -> Result<(Vec<Measured>, Vec<Component>)> {
    let coins: Vec<Option<usize>> = split.iter().map(|unit| unit.underlying).collect();
    let mut measured = Vec::with_capacity(split.len());
    for unit in split {
        measured.push(measure(view, rulebook, state, unit, &coins)?);
    }
    let mut components: Vec<Component> = measured.iter().flat_map(|m| m.components().copied()).collect();
    let scans: Vec<(&Unit<'_>, &Scanned)> = split.iter().zip(measured.iter().map(|m| &m.scanned)).collect();
    components.extend(credits::credits(rulebook, view.book, &scans)?);
    floor_after_credits(rulebook, &mut components);
    Ok((measured, components))
}

/// The branches of what is held, without orders and without who bears them.
///
/// # Errors
///
/// As [`requirement`].
pub(super) fn components(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    table: &Table,
) -> Result<Vec<Component>> {
    let split = units(view, rulebook, state, table, &exposure::held(view))?;
    branches(view, rulebook, state, &split).map(|(_, components)| components)
}

/// What charges need to know about the pool around a unit.
pub(in crate::margin) fn context<'a>(
    view: &PoolView<'a>,
    rulebook: &'a Rulebook,
    state: &MarketState,
    unit: &Unit<'_>,
    first: &[Option<usize>],
) -> Result<Context<'a>> {
    let mut collateral = Vec::new();
    for balance in view.balances {
        let known = view.book.currencies.get(balance.currency);
        if known.is_some_and(|known| known.code == rulebook.report_currency) {
            continue; // cash is no collateral whose price could be doubted
        }
        let coin = known.and_then(|known| known.underlying);
        // a balance of a coin that is no unit's is looked at once, with the first unit
        let stray = !first.contains(&coin) && first.first() == Some(&unit.underlying);
        if unit.underlying.is_none() || (coin.is_some() && coin == unit.underlying) || stray {
            let value = view.price(balance.currency, state)? * (balance.cash - balance.debt);
            collateral.push((value, balance.confidence));
        }
    }
    Ok(Context::new(view, rulebook, state, collateral))
}

/// Whether credits between coins reduce what a pool's units need.
///
/// # Errors
///
/// As [`requirement`].
pub(in crate::margin) fn has_credits(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    units: &[Unit<'_>],
) -> Result<bool> {
    if rulebook.credits.is_empty() {
        return Ok(false);
    }
    let mut scans = Vec::with_capacity(units.len());
    for unit in units {
        let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
        scans.push((unit, Scanned::of(unit, rulebook, profile)));
    }
    let scans: Vec<(&Unit<'_>, &Scanned)> = scans.iter().map(|(unit, scanned)| (*unit, scanned)).collect();
    Ok(!credits::credits(rulebook, view.book, &scans)?.is_empty())
}

/// Measures one unit: every branch as a component, and which of them count.
fn measure(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    unit: &Unit<'_>,
    coins: &[Option<usize>],
) -> Result<Measured> {
    let scanned = match rulebook.profiles.get(unit.profile) {
        Some(profile) => Scanned::of(unit, rulebook, profile),
        None => Scanned { counted: Vec::new(), raw: Vec::new() },
    };
    measure_scanned(view, rulebook, state, (unit, coins), scanned)
}

/// The same where every scenario of the unit is known.
fn measure_scanned(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    (unit, coins): (&Unit<'_>, &[Option<usize>]),
    scanned: Scanned,
) -> Result<Measured> {
    let no_profile = || Measured {
        underlying: unit.underlying,
        rows: Vec::new(),
        worst: Worst::default(),
        scanned: Scanned { counted: Vec::new(), raw: Vec::new() },
    };
    let Some(profile) = rulebook.profiles.get(unit.profile) else { return Ok(no_profile()) };
    let context = context(view, rulebook, state, unit, coins)?;
    let code = rulebook.report_currency.as_str();
    let factors = (
        factor(&rulebook.initial, profile.initial_factor, &context, code)?,
        factor(&rulebook.maintenance, profile.maintenance_factor, &context, code)?,
    );
    let amount = |base: f64, rates: (f64, f64), inside: bool| {
        let (initial, maintenance) = if inside { factors } else { (1.0, 1.0) };
        (initial * rates.0 * base, maintenance * rates.1 * base)
    };
    let component = |kind, base: f64, figures: Option<[f64; 3]>, amounts: (f64, f64)| Component {
        unit: unit.underlying,
        kind,
        base,
        figures,
        initial: Share { amount: amounts.0, counts: false },
        maintenance: Share { amount: amounts.1, counts: false },
    };
    let mut rows: Vec<Branch> = Vec::new();
    for set in 0..profile.sets.len() {
        let worst = scanned.worst(profile, set);
        let loss = worst.map_or(0.0, |(_, loss)| loss);
        let kind = ComponentKind::Scenarios { profile: unit.profile, set, scenario: worst.map(|(s, _)| s) };
        let share = profile.share(set);
        let row = component(kind, loss, None, amount(loss, (share, share), true));
        rows.push((if profile.blended(set) { Stage::Inside } else { Stage::Alternative }, row, None));
    }
    for (place, charge) in profile.charges.iter().enumerate() {
        let charged = charged(unit, charge, &context)?;
        let kind = ComponentKind::Charge { profile: unit.profile, charge: place };
        let rates = (charge.initial, charge.maintenance);
        let amounts = amount(charged.base, rates, charge.stage != Stage::Outside);
        rows.push((charge.stage, component(kind, charged.base, charged.figures, amounts), Some(charged)));
    }
    // the largest alternative counts, the first of ties; what is inside or outside always does
    for initial in [true, false] {
        let figure = |row: &Branch| {
            if initial { row.1.initial.amount } else { row.1.maintenance.amount }
        };
        let alternatives = rows.iter().enumerate().filter(|(_, row)| row.0 == Stage::Alternative);
        let largest = first_largest(alternatives.map(|(place, row)| (place, figure(row)))).map(|(p, _)| p);
        for (place, row) in rows.iter_mut().enumerate() {
            let counts = match row.0 {
                Stage::Alternative => Some(place) == largest,
                Stage::Inside | Stage::Outside => true,
                Stage::Floor => false,
            };
            if initial {
                row.1.initial.counts = counts;
            } else {
                row.1.maintenance.counts = counts;
            }
        }
    }
    Ok(Measured {
        underlying: unit.underlying,
        rows,
        worst: worst_of(view, unit, profile, &scanned),
        scanned,
    })
}

/// Maintenance money that the lines and balances of a unit bear: their shares of the worst scenarios (ties take
/// their mean) and the charges that fall on lines one by one.
fn borne(
    unit: &Unit<'_>,
    rulebook: &Rulebook,
    profile: &Profile,
    scanned: &Scanned,
    rows: &[Branch],
) -> Borne {
    let mut borne = Borne::nothing(unit.lines.len());
    borne.balances = unit.scanned.iter().map(|balance| (balance.currency, 0.0)).collect();
    for (_, component, charged) in rows.iter().filter(|row| row.1.maintenance.counts) {
        let rate = if component.base == 0.0 { 0.0 } else { component.maintenance.amount / component.base };
        match (component.kind, charged) {
            (ComponentKind::Scenarios { scenario: Some(_), set, .. }, _) => {
                let tied = scanned.tied(profile, set, component.base);
                let weight = rate / tied.len() as f64;
                for scenario in &tied {
                    let (lines, balances) = unit::shares(unit, rulebook, profile, scanned, *scenario);
                    for (part, share) in borne.scenarios.iter_mut().zip(lines) {
                        *part += weight * share;
                    }
                    for ((_, part), share) in borne.balances.iter_mut().zip(balances) {
                        *part += weight * share;
                    }
                }
            }
            (_, Some(Charged { by_line: Some(lines), .. })) => {
                for (part, share) in borne.charges.iter_mut().zip(lines) {
                    *part += rate * share;
                }
            }
            _ => {}
        }
    }
    borne
}

fn worst_of(view: &PoolView<'_>, unit: &Unit<'_>, profile: &Profile, scanned: &Scanned) -> Worst {
    let name = unit.underlying.and_then(|coin| view.book.underlyings.get(coin));
    let name = name.map_or("all", |known| known.name.as_str());
    let worst = scanned.largest(profile);
    let scenario = worst.and_then(|(index, _)| profile.scenarios.get(index));
    Worst {
        unit: name.to_owned(),
        price_move: scenario.map_or(0.0, |scenario| scenario.price_move),
        scenario: scenario.map_or_else(|| "no scenario loses".to_owned(), |scenario| scenario.words()),
        loss: worst.map_or(0.0, |(_, loss)| loss),
    }
}

/// Per unit, a floor that exceeds what it bounds takes its place, credits included.
fn floor_after_credits(rulebook: &Rulebook, components: &mut [Component]) {
    let stage = |component: &Component| match component.kind {
        ComponentKind::Scenarios { .. } => Stage::Alternative,
        ComponentKind::Charge { profile, charge } => rulebook
            .profiles
            .get(profile)
            .and_then(|profile| profile.charges.get(charge))
            .map_or(Stage::Inside, |charge| charge.stage),
        _ => Stage::Inside,
    };
    let profile_of = |component: &Component| match component.kind {
        ComponentKind::Scenarios { profile, .. } | ComponentKind::Charge { profile, .. } => Some(profile),
        _ => None,
    };
    let floors: Vec<usize> = (0..components.len())
        .filter(|i| components.get(*i).is_some_and(|c| stage(c) == Stage::Floor))
        .collect();
    for place in floors {
        let Some(floor) = components.get(place).copied() else { continue };
        let bounded = |component: &Component| {
            component.unit == floor.unit
                && (profile_of(component).is_none() || profile_of(component) == profile_of(&floor))
                && stage(component) != Stage::Outside
        };
        for initial in [true, false] {
            let share =
                |component: &Component| if initial { component.initial } else { component.maintenance };
            let total =
                sum(components.iter().filter(|c| bounded(c) && share(c).counts).map(|c| share(c).amount));
            if share(&floor).amount <= total {
                continue;
            }
            for (index, component) in components.iter_mut().enumerate() {
                if !bounded(component) {
                    continue;
                }
                let own = if initial { &mut component.initial } else { &mut component.maintenance };
                own.counts = index == place;
            }
        }
    }
}

/// Every scenario of a pool's units: the coin, its profile and the results.
///
/// # Errors
///
/// As [`requirement`]; [`crate::Error::NotCovered`] for a measure without scenarios.
pub fn scanned(view: &PoolView<'_>, state: &MarketState) -> Result<Vec<UnitScan>> {
    let rulebook = view.rulebook()?;
    if !matches!(rulebook.measure, Measure::Scenarios { .. }) {
        return Err(crate::Error::NotCovered {
            what: "scenarios".into(),
            why: format!("rulebook '{}' is not measured by scenarios", rulebook.id),
            place: crate::error::Place::default(),
        });
    }
    if let Some(settled) = settled(view, state) {
        let mut scans = scanned(&settled.view(view), state)?;
        for position in scans.iter_mut().flat_map(|scan| &mut scan.positions) {
            *position = settled.places.get(*position).copied().unwrap_or(*position);
        }
        return Ok(scans);
    }
    let table = table_of(view, state)?;
    let held = exposure::held(view);
    let mut scans = Vec::new();
    for unit in units(view, rulebook, state, &table, &held)? {
        let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
        let scanned = Scanned::of(&unit, rulebook, profile);
        let mut by_line = Vec::with_capacity(profile.scenarios.len());
        for scenario in 0..profile.scenarios.len() {
            let (lines, balances) = unit::shares(&unit, rulebook, profile, &scanned, scenario);
            let collateral = balances.iter().sum();
            by_line.push((lines, collateral));
        }
        scans.push(UnitScan {
            underlying: unit.underlying,
            profile: unit.profile,
            positions: unit.lines.iter().filter_map(|line| line.position).collect(),
            scanned,
            by_line,
        });
    }
    Ok(scans)
}

/// A unit's scenarios with the loss that each of its positions bears in each.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScan {
    /// Index of the coin; `None` where the pool has one index.
    pub underlying: Option<usize>,
    /// Index of the profile.
    pub profile: usize,
    /// Indices of the positions, in the order of the lines.
    pub positions: Vec<usize>,
    /// The results.
    pub scanned: Scanned,
    /// Per scenario: the loss borne by each line, and by collateral that moves.
    pub by_line: Vec<(Vec<f64>, f64)>,
}
