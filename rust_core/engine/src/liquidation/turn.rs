//! What comes next in a liquidation: whom the policy picks, and how much of it.

use super::auction::slice;
use super::cost::Costs;
use super::part::{Part, multiple, needed};
use super::policy::{Choice, ranked, stage_of};
use super::run::{Run, Turn};
use super::tier_step::tier_step;
use super::words::helps;
use super::working::Working;
use crate::error::Result;
use crate::margin::PoolState;
use crate::market::MarketState;
use crate::rulebook::{Policy, Stage, StepSize, Stop};

/// How many positions of a ranking an optimising policy tries before it says that none helps.
const TRIED: usize = 16;
/// How far from the stop level the closed form of a slice may end, relative to the margin.
const CLOSED_FORM: f64 = 1e-9;

/// What is closed: one position, or all of them.
type Of = Option<usize>;

impl Run<'_> {
    /// Classes in the order of the policy; empty where class does not matter.
    pub(super) fn stages(&self) -> &[Stage] {
        match self.policy {
            Policy::FuturesThenOptions => &[Stage::Futures, Stage::Options, Stage::Spot],
            Policy::CollateralFirst => &[Stage::Collateral],
            Policy::StagedByClass => &self.rulebook.liquidation.stages,
            _ => &[],
        }
    }

    /// What the policy does next.
    pub(super) fn turn(&self, market: &MarketState, before: &PoolState, tranche: usize) -> Result<Turn> {
        let view = self.working.view();
        let count = view.positions.len();
        match self.policy {
            Policy::AllAtOnce => {
                Ok(Turn::Close((0..count).rev().map(|index| self.at_once(before, index, tranche)).collect()))
            }
            Policy::ProRata => {
                let fraction = match self.fraction(market, before, StepSize::Needed, None)? {
                    Part::Enough(fraction) => fraction,
                    Part::Most(_) => 1.0,
                };
                let reason = format!("the same {:.4} % of every position", 100.0 * fraction);
                Ok(Turn::Close((0..count).rev().map(|index| (index, fraction, reason.clone())).collect()))
            }
            Policy::EqualSlice => Ok(Turn::Slice),
            Policy::CheapestSet => self.cheapest_turn(market, before),
            Policy::TierSteps => {
                let at_once = self.rulebook.liquidation.tiers_at_once;
                let found = tier_step(&view, market, self.options.respect_tags, at_once);
                Ok(Turn::Close(found.into_iter().collect()))
            }
            _ => match self.sale(market, before)? {
                Some(sale) => Ok(sale),
                None => self.ranked_turn(market, before),
            },
        }
    }

    fn at_once(&self, before: &PoolState, index: usize, tranche: usize) -> super::run::Pick {
        let rule = &self.rulebook.liquidation;
        let notional = before.requirement.by_position.get(index).map_or(0.0, |margin| margin.notional);
        match rule.large_above.filter(|above| notional > *above) {
            Some(above) if tranche == 0 && self.options.policy.is_none() => {
                let share = 100.0 * rule.large_first;
                let reason = format!("everything at once; positions above {above} first {share} %");
                (index, rule.large_first, reason)
            }
            _ => (index, 1.0, "everything at once".to_owned()),
        }
    }

    /// The position that ranks first, or of an optimising policy the first whose closing helps.
    fn ranked_turn(&self, market: &MarketState, before: &PoolState) -> Result<Turn> {
        let view = self.working.view();
        let choice = Choice {
            policy: self.policy,
            seed: self.options.seed.unwrap_or(0),
            step: self.step,
            user_list: &self.options.user_list,
            respect_tags: self.options.respect_tags,
            hedges: &self.hedges,
            stages: self.stages(),
            costs: self.costs(before),
            traded: &self.working.traded,
        };
        let ranking = ranked(view, market, before, &choice)?;
        // what closing the whole of a position frees says nothing about a part of it
        let default = if self.policy == Policy::Incremental { StepSize::Whole } else { StepSize::Needed };
        if !self.policy.optimises() {
            let Some(index) = ranking.order.first().copied() else { return Ok(Turn::Stuck) };
            let fraction = match self.fraction(market, before, default, Some(index))? {
                Part::Enough(fraction) => fraction,
                Part::Most(_) => 1.0,
            };
            return Ok(Turn::Close(vec![(index, fraction, ranking.reason(index))]));
        }
        // where no whole position helps a part of one still may
        let steps =
            if default == StepSize::Whole { &[StepSize::Whole, StepSize::Needed][..] } else { &[default] };
        for (attempt, step) in steps.iter().enumerate() {
            for index in ranking.order.iter().take(TRIED) {
                let fraction = self.fraction(market, before, *step, Some(*index))?.fraction();
                let after = self.after(market, before, fraction, Some(*index))?;
                if helps(before.excess, after.excess, before.requirement.maintenance) {
                    let reason = match attempt {
                        0 => ranking.reason(*index),
                        _ => "no whole position helps, so a part of one is closed".to_owned(),
                    };
                    return Ok(Turn::Close(vec![(*index, fraction, reason)]));
                }
            }
        }
        self.together(market, before)
    }

    /// A part of every position, where legs that hedge each other help only together.
    pub(super) fn together(&self, market: &MarketState, before: &PoolState) -> Result<Turn> {
        let fraction = self.fraction(market, before, StepSize::Needed, None)?.fraction();
        let after = self.after(market, before, fraction, None)?;
        if !helps(before.excess, after.excess, before.requirement.maintenance) {
            return Ok(Turn::Stuck);
        }
        let reason = format!(
            "no position helps by itself, so {:.4} % of every one is closed, which keeps the hedges",
            100.0 * fraction
        );
        let every = (0..self.working.positions.len()).rev();
        Ok(Turn::Close(every.map(|index| (index, fraction, reason.clone())).collect()))
    }

    /// The balance that is sold next, where it is collateral's turn and its sale helps.
    fn sale(&self, market: &MarketState, before: &PoolState) -> Result<Option<Turn>> {
        let stages = self.stages();
        let Some(own) = stages.iter().position(|stage| *stage == Stage::Collateral) else { return Ok(None) };
        let view = self.working.view();
        let first = view.positions.iter().map(|position| stage_of(&view, position, stages)).min();
        if first.is_some_and(|first| first < own) {
            return Ok(None);
        }
        let costs = self.costs(before).without_fees();
        for (index, free) in self.working.saleable(market)? {
            let sold = |fraction: f64| -> Result<Working<'_>> {
                let mut trial = self.working.clone();
                trial.sell_balance(index, free * fraction, market, &costs)?;
                Ok(trial)
            };
            let part = needed(|fraction| self.room_of(&sold(fraction)?, market), |room| self.enough(room))?;
            let after = self.measured(&sold(part.fraction())?, market)?;
            if helps(before.excess, after.excess, before.requirement.maintenance.max(before.equity.gross)) {
                let reason = "collateral before positions: what counts at a rate is sold".to_owned();
                return Ok(Some(Turn::Sell(index, free * part.fraction(), reason)));
            }
        }
        Ok(None)
    }

    /// The account after closing a fraction of one position, or of all.
    fn after(&self, market: &MarketState, before: &PoolState, fraction: f64, of: Of) -> Result<PoolState> {
        self.measured(&self.part_closed(market, before, fraction, of)?, market)
    }

    fn part_closed(
        &self,
        market: &MarketState,
        before: &PoolState,
        fraction: f64,
        of: Of,
    ) -> Result<Working<'_>> {
        let mut trial = self.working.clone();
        let costs = self.costs(before);
        let indices = match of {
            Some(index) => index..index + 1,
            None => 0..trial.positions.len(),
        };
        for index in indices.rev() {
            trial.close(index, fraction, market, &costs)?;
        }
        Ok(trial)
    }

    /// The fraction to close of one position, or of all.
    fn fraction(&self, market: &MarketState, before: &PoolState, default: StepSize, of: Of) -> Result<Part> {
        let own = self.rulebook.liquidation.step.filter(|_| self.options.policy.is_none());
        let step = self.options.step.or(own).unwrap_or(default);
        let room = |fraction: f64| self.room_of(&self.part_closed(market, before, fraction, of)?, market);
        let enough = |room: f64| self.enough(room);
        match step {
            StepSize::Fraction(fraction) => Ok(Part::Enough(fraction)),
            _ if self.stop == Stop::Flat => Ok(Part::Enough(1.0)),
            StepSize::Whole => Ok(Part::Enough(1.0)),
            StepSize::Needed => needed(room, enough),
            StepSize::Multiples(share) => Ok(Part::Enough(multiple(share, room, enough)?)),
        }
    }

    /// The slice of everything that reaches the stop level, and how it was found: in closed form where re-evaluating
    /// confirms it, else by a search. `None` where no slice does.
    pub(super) fn slice_fraction(
        &self,
        market: &MarketState,
        before: &PoolState,
        discount: f64,
        costs: &Costs<'_>,
    ) -> Result<Option<(f64, String)>> {
        let room = |fraction: f64| -> Result<f64> {
            let mut trial = self.working.clone();
            trial.sell_slice(fraction, discount, market, costs)?;
            self.room_of(&trial, market)
        };
        if before.equity.gross <= 0.0 {
            return Ok(None);
        }
        if self.stop == Stop::Flat {
            return Ok(Some((1.0, "everything".to_owned())));
        }
        let reserved = match self.working.settles_in() {
            Some(target) => self.working.reserved * self.working.view().price(target, market)?,
            None => 0.0,
        };
        let closed = slice(self.room(before), before.equity.gross, reserved, discount);
        if let Some(fraction) = closed {
            // the last bits of the closed form may lie on either side of the stop level
            let up = (fraction * (1.0 + 4.0 * f64::EPSILON)).min(1.0);
            for fraction in [fraction, up] {
                let left = room(fraction)?;
                if self.enough(left) && left <= CLOSED_FORM * before.requirement.maintenance {
                    return Ok(Some((fraction, "closed form, confirmed by re-evaluation".to_owned())));
                }
            }
        }
        match needed(room, |left| self.enough(left))? {
            Part::Enough(fraction) => {
                let how = match closed {
                    Some(closed) => {
                        format!("found by re-evaluation; the closed form says {:.4} %", 100.0 * closed)
                    }
                    None => "found by re-evaluation".to_owned(),
                };
                Ok(Some((fraction, how)))
            }
            Part::Most(_) => Ok(None),
        }
    }
}
