//! Which position goes next, and why: total orders with the row as the last key.

use std::cmp::Ordering;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::cost::Costs;
use crate::book::Position;
use crate::error::Result;
use crate::instrument::ContractKind;
use crate::margin::contributions::{Under, contributions, in_worst, one_by_one};
use crate::margin::{PoolState, PoolView};
use crate::market::{MarketState, settle_of, unrealised_pnl};
use crate::rulebook::{Policy, Stage};

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
    /// Contracts that a liquidation has opened to hedge; they go after all others.
    pub hedges: &'a [usize],
    /// Classes in the order in which they are closed; empty where class does not matter.
    pub stages: &'a [Stage],
    /// What closing costs.
    pub costs: Costs<'a>,
    /// Coins traded so far, one number per underlying.
    pub traded: &'a [f64],
}

/// Positions of a pool in the order in which a policy closes them.
pub struct Ranking<'a> {
    /// Indices into the pool, first to be closed first.
    pub order: Vec<usize>,
    policy: Policy,
    choice: &'a Choice<'a>,
    view: PoolView<'a>,
    total: f64,
    /// What each position is ranked by.
    by: Vec<f64>,
    /// Each position's part of the maintenance margin.
    parts: Vec<f64>,
    any_risk: bool,
}

/// Ranks the positions of a pool.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn ranked<'a>(
    view: PoolView<'a>,
    state: &MarketState,
    evaluated: &PoolState,
    choice: &'a Choice<'a>,
) -> Result<Ranking<'a>> {
    let margins = &evaluated.requirement.by_position;
    let notional = |index: usize| margins.get(index).map_or(0.0, |margin| margin.notional);
    let mut policy = choice.policy;
    let parts: Vec<f64> = (0..view.positions.len())
        .map(|index| margins.get(index).map_or(0.0, |margin| margin.maintenance))
        .collect();
    let mut by = match policy {
        Policy::HighestRiskContribution
        | Policy::FuturesThenOptions
        | Policy::StagedByClass
        | Policy::CollateralFirst => parts.clone(),
        Policy::LargestMarginContribution => match in_worst(&view, state, Under::Own)? {
            Some(results) => results.into_iter().map(|result| -result).collect(),
            None => {
                policy = Policy::HighestRiskContribution;
                parts.clone()
            }
        },
        Policy::LargestLoss => losses(&view, state)?,
        Policy::MarginalPerCost => by_cost(&view, state, evaluated, choice)?,
        Policy::Incremental => {
            let found = contributions(&view, state, Under::Own, &one_by_one(&view))?;
            let groups = found.rows.iter().take(view.positions.len());
            groups.map(|row| row.incremental.unwrap_or(0.0)).collect()
        }
        Policy::Random => (0..parts.len()).map(|row| draw(choice.seed, choice.step, row)).collect(),
        Policy::UserList => (0..parts.len()).map(|row| -(listed(&view, choice, row) as f64)).collect(),
        _ => (0..parts.len()).map(notional).collect(),
    };
    // a hedge frees nothing or less and is no candidate while anything else is
    let any_risk = by.iter().any(|freed| *freed > 0.0);
    let by_risk = policy.optimises() || policy == Policy::HighestRiskContribution;
    if by_risk && !any_risk {
        by = (0..parts.len()).map(notional).collect();
    }
    let last = |index: usize| {
        let tagged = |own: &Position| choice.respect_tags && own.liquidate_last;
        view.positions.get(index).is_some_and(|own| tagged(own) || choice.hedges.contains(&own.instrument))
    };
    let stage = |index: usize| view.positions.get(index).map_or(0, |own| stage_of(&view, own, choice.stages));
    let score = |index: usize| by.get(index).copied().unwrap_or(0.0);
    let mut order: Vec<usize> = (0..view.positions.len()).collect();
    order.sort_by(|a, b| {
        let by_size = match policy {
            Policy::UserList => notional(*b).total_cmp(&notional(*a)),
            _ => Ordering::Equal,
        };
        let classes = stage(*a).cmp(&stage(*b));
        let scores = score(*b).total_cmp(&score(*a));
        last(*a).cmp(&last(*b)).then(classes).then(scores).then(by_size).then(a.cmp(b))
    });
    let total = evaluated.requirement.maintenance;
    Ok(Ranking { order, policy, choice, view, total, by, parts, any_risk })
}

impl Ranking<'_> {
    /// Why a position stands where it stands.
    pub fn reason(&self, index: usize) -> String {
        let by = self.by.get(index).copied().unwrap_or(0.0);
        let part = self.parts.get(index).copied().unwrap_or(0.0);
        let share = if self.total > 0.0 { 100.0 * part / self.total } else { 0.0 };
        let class = || self.view.positions.get(index).map_or("", |own| class_word(&self.view, own));
        match self.policy {
            Policy::LargestLoss => format!("largest loss: {:.2}", -by),
            Policy::HighestRiskContribution => {
                format!("highest risk contribution: {share:.1} % of the maintenance margin")
            }
            Policy::LargestMarginContribution => {
                format!("adds most to the worst scenario: it loses {by:.2} there")
            }
            Policy::FuturesThenOptions | Policy::StagedByClass => format!(
                "{} now; of these the highest risk contribution: {share:.1} % of the maintenance margin",
                class()
            ),
            Policy::CollateralFirst => format!(
                "no collateral left that helps; highest risk contribution: {share:.1} % of the maintenance margin"
            ),
            Policy::MarginalPerCost if !self.any_risk => "nothing frees margin; the largest first".to_owned(),
            Policy::MarginalPerCost => format!("most margin freed for its cost: {by:.2} per unit of it"),
            Policy::Incremental if !self.any_risk => "nothing frees margin; the largest first".to_owned(),
            Policy::Incremental => format!("closing it whole frees {by:.2} of maintenance margin"),
            Policy::Random => format!("drawn with seed {}", self.choice.seed),
            Policy::UserList => {
                let place = listed(&self.view, self.choice, index);
                if place < self.choice.user_list.len() {
                    format!("number {} of the list", place + 1)
                } else {
                    "not on the list, so after it; the largest first".to_owned()
                }
            }
            _ => format!("largest notional: {by:.2}"),
        }
    }
}

/// The class of a position.
pub(super) fn class(view: &PoolView<'_>, position: &Position) -> Stage {
    match view.book.instruments.get(position.instrument).map(|known| known.kind) {
        Some(ContractKind::Option) => Stage::Options,
        Some(ContractKind::Spot) => Stage::Spot,
        _ => Stage::Futures,
    }
}

fn class_word(view: &PoolView<'_>, position: &Position) -> &'static str {
    let own = class(view, position);
    Stage::ALL.iter().find(|(_, stage)| *stage == own).map_or("", |(word, _)| word)
}

/// The place of a position's class among the stages; what none names comes last.
pub(super) fn stage_of(view: &PoolView<'_>, position: &Position, stages: &[Stage]) -> usize {
    let own = class(view, position);
    stages.iter().position(|stage| *stage == own).unwrap_or(stages.len())
}

/// The place of a position on the user's list.
fn listed(view: &PoolView<'_>, choice: &Choice<'_>, index: usize) -> usize {
    let position = view.positions.get(index);
    let symbol = position.and_then(|own| view.book.instruments.get(own.instrument));
    let symbol = symbol.map_or("", |known| known.symbol.as_str());
    let place = choice.user_list.iter().position(|name| name.eq_ignore_ascii_case(symbol));
    place.unwrap_or(choice.user_list.len())
}

/// Loss of each position, reporting currency. The whole value of an option is in the equity; what it has gained or
/// lost counts from its entry.
fn losses(view: &PoolView<'_>, state: &MarketState) -> Result<Vec<f64>> {
    let mut found = Vec::with_capacity(view.positions.len());
    for position in view.positions {
        let price = view.price(settle_of(view.book, position), state)?;
        let option = view.book.instruments.get(position.instrument).is_some_and(|i| i.option.is_some());
        let paid = position.entry_price.filter(|_| option).map_or(0.0, |entry| position.quantity * entry);
        found.push(-(unrealised_pnl(view.book, position, state) - paid) * price);
    }
    Ok(found)
}

/// Net repair of the shortfall per unit of cost, `(trigger x share - cost) / cost` (methods.md section 5.4), or the
/// share per unit of notional where closing costs nothing.
fn by_cost(
    view: &PoolView<'_>,
    state: &MarketState,
    evaluated: &PoolState,
    choice: &Choice<'_>,
) -> Result<Vec<f64>> {
    let trigger = view.rulebook()?.maintenance.trigger;
    let margins = &evaluated.requirement.by_position;
    let mut found = Vec::with_capacity(margins.len());
    for (index, (position, margin)) in view.positions.iter().zip(margins).enumerate() {
        let price = view.price(settle_of(view.book, position), state)?;
        let coin = crate::market::underlying_of(view.book, position);
        let traded = choice.traded.get(coin).copied().unwrap_or(0.0);
        let cost = price * choice.costs.closing(view, (index, position), state, 1.0, traded)?.total();
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

/// A number in [0, 1) that depends on (seed, step, row) alone.
fn draw(seed: u64, step: usize, row: usize) -> f64 {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(step as u64);
    generator.set_word_pos(2 * row as u128);
    (generator.next_u64() >> 11) as f64 * (0.5_f64).powi(53)
}

/// How likely each position is to be the first that a random order closes: all that are not tagged alike.
pub fn odds(view: &PoolView<'_>, respect_tags: bool) -> Vec<(usize, f64)> {
    let tagged = |own: &&(usize, &Position)| respect_tags && own.1.liquidate_last;
    let all: Vec<(usize, &Position)> = view.positions.iter().enumerate().collect();
    let open = all.iter().filter(|own| !tagged(own)).count();
    let first = all.iter().filter(|own| open == 0 || !tagged(own));
    let count = if open == 0 { all.len() } else { open };
    first.map(|(index, _)| (*index, (count as f64).recip())).collect()
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
