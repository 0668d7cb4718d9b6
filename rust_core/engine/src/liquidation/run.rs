//! One run of a liquidation: steps at a market state until the stop level is reached.

use super::order::{End, LiquidationOrder, Options, Row, Snapshot, StepSize, Stop};
use super::policy::{Choice, next_victim, tier_step};
use super::working::Working;
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::status::broken;
use crate::margin::{PoolState, Status, evaluate};
use crate::market::MarketState;
use crate::rulebook::{Certainty, Policy, Rulebook};

/// A pool that is being liquidated, and what has happened to it.
pub(super) struct Run<'a> {
    pub(super) working: Working<'a>,
    rulebook: &'a Rulebook,
    options: &'a Options,
    policy: Policy,
    certainty: Certainty,
    rows: Vec<Row>,
    pub(super) step: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(book: &'a Book, pool: &Pool, options: &'a Options) -> Result<Self> {
        let working = Working::of(book, pool);
        let rulebook = book.rulebook_of(pool.account).ok_or_else(|| Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: crate::error::Place::default(),
        })?;
        let policy = options.policy.unwrap_or(rulebook.liquidation.policy);
        if policy == Policy::UserList {
            for name in &options.user_list {
                if !book.instruments.iter().any(|known| known.symbol.eq_ignore_ascii_case(name)) {
                    return Err(Error::Unknown {
                        what: "symbol of the list",
                        value: name.clone(),
                        known: book
                            .instruments
                            .iter()
                            .map(|i| i.symbol.as_str())
                            .take(20)
                            .collect::<Vec<_>>()
                            .join(", "),
                    });
                }
            }
        }
        let certainty =
            if options.policy.is_some() { Certainty::Chosen } else { rulebook.liquidation.certainty };
        Ok(Self { working, rulebook, options, policy, certainty, rows: Vec::new(), step: 0 })
    }

    pub(super) fn liquidatable(&self, state: &PoolState) -> bool {
        matches!(state.status, Status::Liquidatable | Status::Bankrupt)
            && broken(&self.rulebook.maintenance, state.excess)
    }

    /// Money above the stop level; the run stops at zero or above.
    fn above_stop(&self, state: &PoolState) -> f64 {
        match self.options.stop {
            Stop::Healthy => state.excess,
            Stop::Initial => state.excess_initial.unwrap_or(state.excess),
            Stop::Flat => f64::NEG_INFINITY,
            Stop::Multiple(multiple) => {
                state.equity.maintenance
                    - multiple * self.rulebook.maintenance.trigger * state.requirement.maintenance
            }
        }
    }

    fn reached(&self, state: &PoolState) -> bool {
        let above = self.above_stop(state);
        if self.rulebook.maintenance.inclusive { above > 0.0 } else { above >= 0.0 }
    }

    /// Liquidates at one market state; returns how that ended.
    pub(super) fn at(&mut self, market: &MarketState, why: &str) -> Result<End> {
        self.working.settle(market);
        let first = evaluate(&self.working.view(), market)?;
        if !self.liquidatable(&first) {
            return Ok(End::NothingToDo);
        }
        if self.options.stop == Stop::Initial && first.excess_initial.is_none() {
            return Err(Error::Missing {
                what: "initial margin".into(),
                why: first.requirement.initial_missing.unwrap_or_else(|| {
                    "stop=initial needs one, and an isolated position has none of its own".into()
                }),
                place: crate::error::Place::default(),
            });
        }
        let mut tranche = 0;
        loop {
            let before = evaluate(&self.working.view(), market)?;
            if self.working.positions.is_empty() {
                return Ok(End::Flat);
            }
            if self.reached(&before) {
                return Ok(End::Healthy);
            }
            if self.step >= self.options.max_steps {
                return Ok(End::StepsExhausted);
            }
            self.step += 1;
            if self.rulebook.liquidation.cancel_orders && !self.working.orders.is_empty() {
                self.cancel_orders(market, before, why)?;
                continue;
            }
            let below = self.rulebook.liquidation.takeover_below;
            let taken_over = below.is_some_and(|share| {
                self.options.policy.is_none()
                    && before.equity.maintenance < share * before.requirement.maintenance
            });
            if taken_over {
                self.take_over(market, &before, why)?;
                return Ok(End::TakenOver);
            }
            let picks = self.picks(market, &before, tranche)?;
            tranche += 1;
            if picks.is_empty() {
                return Ok(End::Flat);
            }
            self.close_all(market, &before, picks, why)?;
        }
    }

    /// The positions of a step: (index, fraction, reason), by falling index so that removal is safe.
    fn picks(
        &self,
        market: &MarketState,
        before: &PoolState,
        tranche: usize,
    ) -> Result<Vec<(usize, f64, String)>> {
        let view = self.working.view();
        let count = view.positions.len();
        let rule = &self.rulebook.liquidation;
        match self.policy {
            Policy::AllAtOnce => Ok((0..count)
                .rev()
                .map(|index| {
                    let notional =
                        before.requirement.by_position.get(index).map_or(0.0, |margin| margin.notional);
                    let large = rule.large_above.is_some_and(|above| notional > above);
                    if large && tranche == 0 && self.options.policy.is_none() {
                        let reason = format!(
                            "everything at once; positions above {} first {} %",
                            rule.large_above.unwrap_or(0.0),
                            100.0 * rule.large_first
                        );
                        (index, rule.large_first, reason)
                    } else {
                        (index, 1.0, "everything at once".to_owned())
                    }
                })
                .collect()),
            Policy::ProRata => {
                let fraction = self.fraction(market, StepSize::Needed, None)?;
                let reason = format!("the same {:.4} % of every position", 100.0 * fraction);
                Ok((0..count).rev().map(|index| (index, fraction, reason.clone())).collect())
            }
            Policy::TierSteps => {
                Ok(tier_step(&view, market, self.options.respect_tags).into_iter().collect())
            }
            _ => {
                let choice = Choice {
                    policy: self.policy,
                    seed: self.options.seed,
                    step: self.step,
                    user_list: &self.options.user_list,
                    respect_tags: self.options.respect_tags,
                    slippage: self.options.slippage,
                    fee: self.rulebook.liquidation.fee,
                };
                let Some((index, reason)) = next_victim(&view, market, before, &choice)? else {
                    return Ok(Vec::new());
                };
                // what closing the whole of a position frees says nothing about a part of it
                let default =
                    if self.policy == Policy::Incremental { StepSize::Whole } else { StepSize::Needed };
                let fraction = self.fraction(market, default, Some(index))?;
                Ok(vec![(index, fraction, reason)])
            }
        }
    }

    /// The fraction to close of one position, or of all when `index` is `None`.
    fn fraction(&self, market: &MarketState, default: StepSize, index: Option<usize>) -> Result<f64> {
        let needed = || -> Result<f64> {
            let enough = |fraction: f64| -> Result<bool> {
                let mut trial = self.working.clone();
                let fee = self.rulebook.liquidation.fee;
                match index {
                    Some(index) => {
                        trial.close(index, fraction, market, self.options.slippage, fee)?;
                    }
                    None => {
                        for index in (0..trial.positions.len()).rev() {
                            trial.close(index, fraction, market, self.options.slippage, fee)?;
                        }
                    }
                }
                Ok(self.reached(&evaluate(&trial.view(), market)?))
            };
            // closing all of it may be too much of a hedge or cost too much where a part suffices
            const PARTS: u32 = 32;
            let (mut low, mut high) = (0.0, 1.0);
            if !enough(1.0)? {
                let mut found = None;
                for part in 1..PARTS {
                    let fraction = f64::from(part) / f64::from(PARTS);
                    if enough(fraction)? {
                        found = Some((fraction - f64::from(PARTS).recip(), fraction));
                        break;
                    }
                }
                match found {
                    Some(bracket) => (low, high) = bracket,
                    None => return Ok(1.0),
                }
            }
            for _ in 0..80 {
                let middle = f64::midpoint(low, high);
                if middle <= low || middle >= high {
                    break;
                }
                if enough(middle)? { high = middle } else { low = middle }
            }
            Ok(high)
        };
        match self.options.step.unwrap_or(default) {
            _ if self.options.stop == Stop::Flat => match self.options.step {
                Some(StepSize::Fraction(fraction)) => Ok(fraction),
                _ => Ok(1.0),
            },
            StepSize::Whole => Ok(1.0),
            StepSize::Fraction(fraction) => Ok(fraction),
            StepSize::Needed => needed(),
        }
    }

    fn close_all(
        &mut self,
        market: &MarketState,
        before: &PoolState,
        picks: Vec<(usize, f64, String)>,
        why: &str,
    ) -> Result<()> {
        let mut closed = Vec::new();
        for (index, fraction, reason) in picks {
            let fee = self.rulebook.liquidation.fee;
            if let Some(one) = self.working.close(index, fraction, market, self.options.slippage, fee)? {
                closed.push((one, reason));
            }
        }
        closed.reverse();
        let after = Snapshot::from(&evaluate(&self.working.view(), market)?);
        for (one, reason) in closed {
            self.rows.push(Row {
                step: self.step,
                action: "close",
                account: self.working.account,
                closed: Some(one),
                before: before.into(),
                after,
                reason: joined(why, &reason),
                certainty: self.certainty,
            });
        }
        Ok(())
    }

    fn cancel_orders(&mut self, market: &MarketState, before: PoolState, why: &str) -> Result<()> {
        let count = self.working.orders.len();
        self.working.orders.clear();
        self.rows.push(Row {
            step: self.step,
            action: "cancel_orders",
            account: self.working.account,
            closed: None,
            before: (&before).into(),
            after: (&evaluate(&self.working.view(), market)?).into(),
            reason: joined(why, &format!("{count} open orders are cancelled first")),
            certainty: self.certainty,
        });
        Ok(())
    }

    /// The whole pool goes to whoever takes it over, positions and collateral; nothing is left.
    fn take_over(&mut self, market: &MarketState, before: &PoolState, why: &str) -> Result<()> {
        let rule = &self.rulebook.liquidation;
        let reason = format!(
            "equity is below {:.1} % of the maintenance margin: the {} takes every position and all collateral",
            100.0 * rule.takeover_below.unwrap_or(0.0),
            rule.takeover
        );
        let mut closed = Vec::new();
        for index in (0..self.working.positions.len()).rev() {
            closed.extend(self.working.close(index, 1.0, market, 0.0, 0.0)?);
        }
        closed.reverse();
        for balance in &mut self.working.balances {
            (balance.cash, balance.debt) = (0.0, 0.0);
        }
        let after = Snapshot::from(&evaluate(&self.working.view(), market)?);
        for one in closed {
            self.rows.push(Row {
                step: self.step,
                action: "takeover",
                account: self.working.account,
                closed: Some(one),
                before: before.into(),
                after,
                reason: joined(why, &reason),
                certainty: self.certainty,
            });
        }
        Ok(())
    }

    pub(super) fn finish(mut self, end: End, driver: Option<(usize, f64, f64)>) -> LiquidationOrder {
        let sentence = match end {
            End::NothingToDo => "nothing to do: the account is not liquidatable there".to_owned(),
            End::Healthy => "the account is healthy again".to_owned(),
            End::Flat => match self.rows.last() {
                Some(row) if row.after.equity.gross < 0.0 => format!(
                    "nothing is left; the account is bankrupt and owes {:.2}",
                    -row.after.equity.gross
                ),
                _ => "nothing is left".to_owned(),
            },
            End::TakenOver => format!("taken over by the {}", self.rulebook.liquidation.takeover),
            End::StepsShown => {
                format!("healthy here; the path goes on after {} steps", self.options.max_steps)
            }
            End::StepsExhausted => {
                format!("still liquidatable after {} steps", self.options.max_steps)
            }
        };
        if let Some(last) = self.rows.last_mut() {
            last.reason = joined(&last.reason, &sentence);
        }
        LiquidationOrder { rows: self.rows, end, sentence, driver }
    }
}

fn joined(first: &str, second: &str) -> String {
    if first.is_empty() { second.to_owned() } else { format!("{first}; {second}") }
}
