//! Risk contributions: how much of a pool's maintenance margin each part of it is responsible for.
//!
//! `component` is Euler's share where the measure is homogeneous. Where it is not, it is Aumann and Shapley's along
//! the ray: what is done to a unit's whole result (a dampener, a cap on gains) is shared in proportion to that
//! result, and a margin of brackets is a sum of one function per position, so each bears its own. Charges have rows
//! of their own, what stands whatever is held is not attributable, and balances that move in the scenarios bear
//! their part. `marginal` is the derivative by notional, `incremental` what the margin loses when the part is
//! closed (methods.md section 2.5). They give different orders.

use super::component::ComponentKind;
use super::scenario::{Table, kept_table, scanned};
use super::standard::{Rule, rule_of};
use super::tiers::{brackets_only, maintenance_notional};
use super::{PoolView, Requirement, evaluate, tail};
use crate::book::Position;
use crate::error::Result;
use crate::market::{MarketState, underlying_of};
use crate::moves::{Mapping, Moves};
use crate::numeric::accumulate::sum;
use crate::rulebook::charge::ChargeKind;
use crate::rulebook::{Measure, Rulebook};

/// Below this share of the whole a difference is rounding.
const ROUNDING: f64 = 1e-11;

/// Positions of a pool that are looked at together, with the share of each.
pub type Group = Vec<(usize, f64)>;

/// Who bears a part of a margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A group, by its place in the list.
    Group(usize),
    /// Balances of a currency, by its index.
    Balance(usize),
    /// A charge, a credit or a loan: a component by its place in the requirement.
    Component(usize),
    /// A component that stands whatever is held: it belongs to nobody.
    NotAttributable(usize),
    /// What no row bears.
    Rest,
}

/// One part, reporting currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// Who bears it.
    pub bearer: Bearer,
    /// Unsigned notional.
    pub notional: Option<f64>,
    /// The margin of the part by itself, its charges included.
    pub standalone: Option<f64>,
    /// Its share of the margin.
    pub component: f64,
    /// By how much the margin grows with a unit of notional more.
    pub marginal: Option<f64>,
    /// The margin less the margin without the part.
    pub incremental: Option<f64>,
    /// Its result in the worst scenario of its unit.
    pub in_worst: Option<f64>,
}

/// Contributions to a pool's maintenance margin; the components of all rows sum to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Groups first, in their order.
    pub rows: Vec<Contribution>,
    /// What it is all about.
    pub whole: Requirement,
}

/// Which margin is shared out.
#[derive(Debug, Clone, Copy)]
pub enum Under<'a> {
    /// The maintenance margin of the account's own rulebook.
    Own,
    /// That of a rulebook of a tail, over scenario sets that are given.
    Tail(&'a Rulebook, &'a (Moves, Mapping)),
}

impl<'a> Under<'a> {
    fn rulebook(self, view: &PoolView<'a>) -> Result<&'a Rulebook> {
        match self {
            Self::Own => view.rulebook(),
            Self::Tail(rulebook, _) => Ok(rulebook),
        }
    }

    fn whole(self, view: &PoolView<'_>, state: &MarketState) -> Result<Requirement> {
        match self {
            Self::Own => Ok(evaluate(view, state)?.requirement),
            Self::Tail(rulebook, sets) => tail::requirement_under(view, rulebook, state, (&sets.0, &sets.1)),
        }
    }
}

/// Every position of a pool by itself.
pub fn one_by_one(view: &PoolView<'_>) -> Vec<Group> {
    (0..view.positions.len()).map(|position| vec![(position, 1.0)]).collect()
}

/// Contributions of groups of a pool's positions at a state.
///
/// # Errors
///
/// As [`evaluate`].
pub fn contributions<'a>(
    view: &PoolView<'a>,
    state: &MarketState,
    under: Under<'a>,
    groups: &[Group],
) -> Result<Contributions> {
    let rulebook = under.rulebook(view)?;
    let whole = under.whole(view, state)?;
    let marginal = marginals(view, rulebook, state, &whole)?;
    let in_worst = in_worst(view, state, under)?;
    let separable = matches!(under, Under::Own) && brackets_only(view)?;
    let table = match rulebook.measure {
        Measure::Scenarios { .. } => Some(kept_table(view, state, &[])?),
        _ => None,
    };
    let mut rows = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate() {
        let members =
            || group.iter().filter_map(|(own, share)| Some((whole.by_position.get(*own)?, *share, *own)));
        let notional = sum(members().map(|(margin, share, _)| share.abs() * margin.notional));
        let component =
            sum(members().map(|(margin, share, _)| share * (margin.maintenance - margin.charges)));
        let rates = members().map(|(margin, share, own)| {
            share.abs() * margin.notional * marginal.get(own).copied().unwrap_or(0.0)
        });
        let (standalone, incremental) = if separable && group.iter().all(|(_, share)| *share == 1.0) {
            let own = sum(members().map(|(margin, ..)| margin.maintenance));
            (own, own)
        } else {
            alone_and_without(view, state, under, group, &whole, table.as_ref())?
        };
        rows.push(Contribution {
            bearer: Bearer::Group(place),
            notional: Some(notional),
            standalone: Some(standalone),
            component,
            marginal: (notional > 0.0).then(|| sum(rates) / notional),
            incremental: Some(incremental),
            in_worst: in_worst.as_ref().map(|list| {
                sum(members().map(|(_, share, own)| share * list.get(own).copied().unwrap_or(0.0)))
            }),
        });
    }
    let other = |bearer: Bearer, component: f64| Contribution {
        bearer,
        notional: None,
        standalone: None,
        component,
        marginal: None,
        incremental: None,
        in_worst: None,
    };
    rows.extend(whole.by_balance.iter().map(|(currency, part)| other(Bearer::Balance(*currency), *part)));
    for (place, component) in whole.components.iter().enumerate() {
        let share = component.maintenance;
        if !share.counts || share.amount == 0.0 {
            continue;
        }
        let bearer = match component.kind {
            ComponentKind::Charge { profile, charge } => {
                let known = rulebook.profiles.get(profile).and_then(|known| known.charges.get(charge));
                let fixed = known.is_some_and(|own| own.kind == ChargeKind::Fixed);
                if fixed { Bearer::NotAttributable(place) } else { Bearer::Component(place) }
            }
            ComponentKind::Credit { .. } | ComponentKind::Borrowing { .. } => Bearer::Component(place),
            _ => continue,
        };
        rows.push(other(bearer, share.amount));
    }
    let rest = whole.maintenance - sum(rows.iter().map(|row| row.component));
    if rest.abs() > ROUNDING * whole.maintenance.abs() {
        rows.push(other(Bearer::Rest, rest));
    }
    Ok(Contributions { rows, whole })
}

/// Margin of a group by itself, and what the whole loses without it.
fn alone_and_without(
    view: &PoolView<'_>,
    state: &MarketState,
    under: Under<'_>,
    group: &Group,
    whole: &Requirement,
    table: Option<&Table>,
) -> Result<(f64, f64)> {
    let share_of =
        |place: usize| group.iter().find(|(own, _)| *own == place).map_or(0.0, |(_, share)| *share);
    let part = |keep: &dyn Fn(f64) -> f64| -> Vec<Position> {
        let shares = (0..view.positions.len()).map(|place| keep(share_of(place)));
        let held = view.positions.iter().zip(shares).filter(|(_, share)| *share != 0.0);
        held.map(|(position, share)| scaled(position, share)).collect()
    };
    let own = part(&|share| share);
    // a loss by itself is no loan: the account has its balances
    let alone = PoolView { positions: &own, balances: &[], orders: &[], ..*view };
    let standalone = match under {
        Under::Own => super::measured(&alone, state, table)?.maintenance,
        Under::Tail(..) => under.whole(&alone, state)?.maintenance,
    };
    let others = part(&|share| 1.0 - share);
    let without = PoolView { positions: &others, orders: &[], ..*view };
    let left = match under {
        Under::Own => super::requirement_with(&without, state, table)?.maintenance,
        Under::Tail(..) => under.whole(&without, state)?.maintenance,
    };
    Ok((standalone, whole.maintenance - left))
}

/// A share of a position.
fn scaled(position: &Position, share: f64) -> Position {
    if share == 1.0 {
        return position.clone();
    }
    Position {
        quantity: share * position.quantity,
        unrealised_pnl: share * position.unrealised_pnl,
        ..position.clone()
    }
}

/// The derivative of the margin by each position's notional: the rate of the bracket, elsewhere the share of the
/// measure over the notional, which is the same for a measure that is homogeneous.
fn marginals(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    whole: &Requirement,
) -> Result<Vec<f64>> {
    let mut found = Vec::with_capacity(view.positions.len());
    for (position, margin) in view.positions.iter().zip(&whole.by_position) {
        let bracket = match rulebook.measure {
            Measure::Tiers { maintenance_on, .. }
                if matches!(rule_of(view.book, rulebook, position)?, Rule::Table(_)) =>
            {
                let ratio = state.ratio(underlying_of(view.book, position));
                let base = maintenance_notional(view, position, maintenance_on, ratio);
                view.book.tables.get(position.table).map(|table| table.bracket(base).rate)
            }
            _ => None,
        };
        found.push(match bracket {
            Some(rate) => rulebook.maintenance.factor * rate,
            None if margin.notional > 0.0 => (margin.maintenance - margin.charges) / margin.notional,
            None => 0.0,
        });
    }
    Ok(found)
}

/// Result of each position in the worst scenario of its unit, reporting currency; `None` for a margin without
/// scenarios.
///
/// # Errors
///
/// As [`evaluate`].
pub fn in_worst(view: &PoolView<'_>, state: &MarketState, under: Under<'_>) -> Result<Option<Vec<f64>>> {
    let mut found = vec![0.0; view.positions.len()];
    if let Under::Tail(rulebook, sets) = under {
        tail::in_worst_under(view, state, (tail::rule_of(rulebook)?, sets), &mut found)?;
        return Ok(Some(found));
    }
    match view.rulebook()?.measure {
        Measure::Scenarios { .. } => {
            for unit in scanned(view, state)? {
                let Some(profile) = view.rulebook()?.profiles.get(unit.profile) else { continue };
                let Some((worst, _)) = unit.scanned.largest(profile) else { continue };
                let Some((lines, _)) = unit.by_line.get(worst) else { continue };
                for (position, loss) in unit.positions.iter().zip(lines) {
                    if let Some(slot) = found.get_mut(*position) {
                        *slot -= loss;
                    }
                }
            }
        }
        Measure::Tail(_) => tail::in_worst(view, state, &mut found)?,
        _ => return Ok(None),
    }
    Ok(Some(found))
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
