//! One run of a liquidation: steps at a market state until the stop level is reached.

use super::cost::Costs;
use super::order::{End, LiquidationOrder, Options, Row, Snapshot};
use super::tier_step::opposing;
use super::words::joined;
use super::working::Working;
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::scenario::{Table, kept_table};
use crate::margin::status::broken;
use crate::margin::{PoolState, Status, evaluate_with, standing};
use crate::market::MarketState;
use crate::rulebook::{Certainty, Hedge, Measure, Policy, Rulebook, Stage, Stop};

/// A pool that is being liquidated, and what has happened to it.
pub(super) struct Run<'a> {
    pub(super) working: Working<'a>,
    pub(super) rulebook: &'a Rulebook,
    pub(super) options: &'a Options,
    pub(super) policy: Policy,
    pub(super) stop: Stop,
    pub(super) hedge: Hedge,
    /// Contracts that were opened to hedge; they stay while anything else is left.
    pub(super) hedges: Vec<usize>,
    pub(super) certainty: Certainty,
    pub(super) rows: Vec<Row>,
    pub(super) step: usize,
    /// Whether an auction has taken its fee.
    pub(super) charged: bool,
    /// Where a path along which the run goes ends, in words.
    pub(super) followed_to: Option<String>,
    /// What contracts are worth in the scenarios of the market state, priced once for all steps at it.
    pub(super) table: Option<Table>,
}

/// What a step closes: index into the pool, fraction, reason; by falling index so that removal is safe.
pub(super) type Pick = (usize, f64, String);

/// What comes next.
pub(super) enum Turn {
    /// Positions are closed.
    Close(Vec<Pick>),
    /// A fraction of a balance is sold.
    Sell(usize, f64, String),
    /// A slice of everything is sold.
    Slice,
    /// Nothing that is left helps.
    Stuck,
}

impl<'a> Run<'a> {
    pub(super) fn new(book: &'a Book, pool: &Pool, options: &'a Options) -> Result<Self> {
        let mut working = Working::of(book, pool);
        working.reserved = options.reserved;
        let rulebook = book.rulebook_of(pool.account).ok_or_else(|| Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: crate::error::Place::default(),
        })?;
        let rule = &rulebook.liquidation;
        let policy = options.policy.unwrap_or(rule.policy);
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
        let certainty = if options.policy.is_some() { Certainty::Chosen } else { rule.certainty };
        Ok(Self {
            working,
            rulebook,
            options,
            policy,
            stop: options.stop.unwrap_or(rule.stop),
            hedge: options.hedge_of(rule),
            hedges: Vec::new(),
            certainty,
            rows: Vec::new(),
            step: 0,
            // an auction that has brought money has taken its fee
            charged: options.reserved > 0.0,
            followed_to: None,
            table: None,
        })
    }

    /// What has happened so far.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn liquidatable(&self, state: &PoolState) -> bool {
        matches!(state.status, Status::Liquidatable | Status::Bankrupt)
            && broken(&self.rulebook.maintenance, state.excess)
    }

    /// Money above the stop level; the run stops at zero or above.
    pub(super) fn room(&self, state: &PoolState) -> f64 {
        match self.stop {
            Stop::Healthy => state.excess,
            Stop::Initial => state.excess_initial.unwrap_or(state.excess),
            Stop::Flat => f64::NEG_INFINITY,
            Stop::Multiple(multiple) => {
                state.equity.maintenance
                    - multiple * self.rulebook.maintenance.trigger * state.requirement.maintenance
            }
        }
    }

    /// The room that is left to a trial of the pool, to the bits of [`Self::room`], asking for no more than it needs.
    pub(super) fn room_of(&self, trial: &Working<'_>, market: &MarketState) -> Result<f64> {
        let trigger = self.rulebook.maintenance.trigger;
        let multiple = match self.stop {
            Stop::Healthy => trigger,
            Stop::Multiple(multiple) => multiple * trigger,
            Stop::Initial | Stop::Flat => return Ok(self.room(&self.measured(trial, market)?)),
        };
        let (equity, maintenance) = standing(&trial.view(), market, self.table.as_ref())?;
        Ok(equity.maintenance - multiple * maintenance)
    }

    pub(super) fn enough(&self, room: f64) -> bool {
        if self.rulebook.maintenance.inclusive { room > 0.0 } else { room >= 0.0 }
    }

    pub(super) fn costs<'b>(&self, before: &'b PoolState) -> Costs<'b>
    where
        'a: 'b,
    {
        Costs::new(self.options.slippage, &self.rulebook.liquidation, before)
    }

    /// Prices what the pool holds in the scenarios of a market state.
    pub(super) fn price_scenarios(&mut self, market: &MarketState) -> Result<()> {
        self.table = match self.rulebook.measure {
            Measure::Scenarios { .. } => Some(kept_table(&self.working.view(), market, &[])?),
            _ => None,
        };
        Ok(())
    }

    /// The pool, or what a trial makes of it, at the market state that was priced.
    pub(super) fn measured(&self, pool: &Working<'_>, market: &MarketState) -> Result<PoolState> {
        evaluate_with(&pool.view(), market, self.table.as_ref())
    }

    /// Liquidates at one market state; returns how that ended.
    pub(super) fn at(&mut self, market: &MarketState, why: &str) -> Result<End> {
        self.working.settle(market);
        self.price_scenarios(market)?;
        let first = self.measured(&self.working, market)?;
        if !self.liquidatable(&first) {
            return Ok(End::NothingToDo);
        }
        if self.stop == Stop::Initial && first.excess_initial.is_none() {
            return Err(Error::Missing {
                what: "initial margin".into(),
                why: first.requirement.initial_missing.unwrap_or_else(|| {
                    "stop=initial needs one, and an isolated position has none of its own".into()
                }),
                place: crate::error::Place::default(),
            });
        }
        let mut tranche = 0;
        let mut hedged_first = if self.hedge == Hedge::First { self.working.deltas() } else { Vec::new() };
        let mut hedged_after = Vec::new();
        let orders_first = self.stages().first() == Some(&Stage::Orders);
        loop {
            let before = self.measured(&self.working, market)?;
            // an account may hold nothing but collateral and debts
            if self.working.positions.is_empty() && !self.stages().contains(&Stage::Collateral) {
                return Ok(End::Flat);
            }
            // the hedge belongs to the round of the closing: the account is looked at again after both
            if let Some(pair) = hedged_after.pop().filter(|_| self.step < self.options.max_steps) {
                self.hedge_with(pair, market, &before, why)?;
                continue;
            }
            if self.enough(self.room(&before)) {
                return Ok(End::Healthy);
            }
            if self.step >= self.options.max_steps {
                return Ok(End::StepsExhausted);
            }
            if let Some(pair) = hedged_first.pop() {
                self.hedge_with(pair, market, &before, why)?;
                continue;
            }
            self.step += 1;
            let rule = &self.rulebook.liquidation;
            if (rule.cancel_orders || orders_first) && !self.working.orders.is_empty() {
                self.cancel_orders(market, &before, why)?;
                continue;
            }
            let own = self.options.policy.is_none();
            let below = rule.takeover_below.filter(|_| own);
            if let Some(share) =
                below.filter(|s| before.equity.maintenance < s * before.requirement.maintenance)
            {
                let reason = format!(
                    "equity is below {:.1} % of the maintenance margin: the {} takes every position and all collateral",
                    100.0 * share,
                    rule.takeover
                );
                self.take_over(market, &before, why, &reason)?;
                return Ok(End::TakenOver);
            }
            let opposing = if own && rule.close_opposing { opposing(&self.working.view()) } else { None };
            if let Some(legs) = opposing {
                let reason = "a long and a short leg of one contract are closed against each other first";
                let picks = legs.map(|(index, fraction)| (index, fraction, reason.to_owned()));
                self.close(market, &before, picks.into(), why, true)?;
                continue;
            }
            let turn = self.turn(market, &before, tranche)?;
            tranche += 1;
            let done = match turn {
                Turn::Close(picks) => {
                    let pairs = self.pairs_of(&picks);
                    let done = self.close(market, &before, picks, why, false)?;
                    if self.hedge == Hedge::After {
                        hedged_after = pairs;
                    }
                    done
                }
                Turn::Sell(index, fraction, reason) => {
                    let costs = self.costs(&before).without_fees();
                    let sold = self.working.sell_balance(index, fraction, market, &costs)?;
                    let sold = sold.map(|one| (one, reason)).into_iter().collect();
                    self.record("convert", market, &before, sold, why)?
                }
                Turn::Slice => {
                    if let Some(end) = self.slice(market, &before, why)? {
                        return Ok(end);
                    }
                    true
                }
                Turn::Stuck => false,
            };
            if !done {
                self.step -= 1;
                if self.working.positions.is_empty() {
                    return Ok(End::Flat);
                }
                if self.rows.is_empty() {
                    self.push(
                        "none",
                        None,
                        (Snapshot::of(&before), Snapshot::of(&before)),
                        why.to_owned(),
                        None,
                    );
                }
                return Ok(End::Stuck);
            }
        }
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
            End::TakenOver => match self.rulebook.liquidation.takeover.as_str() {
                "" => "taken over".to_owned(),
                who => format!("taken over by the {who}"),
            },
            End::StepsShown => {
                format!("healthy here; the path goes on after {} steps", self.options.max_steps)
            }
            End::PathEnded => {
                let place = self.followed_to.as_deref().unwrap_or("the end of the path");
                format!("healthy here; the path is followed to {place} and nothing more is closed before it")
            }
            End::StepsExhausted => {
                format!("still liquidatable after {} steps", self.options.max_steps)
            }
            End::Stuck => {
                "still liquidatable: no step that is left frees more than it costs, so none is taken"
                    .to_owned()
            }
        };
        if let Some(last) = self.rows.last_mut() {
            last.reason = joined(&last.reason, &sentence);
        }
        LiquidationOrder { left: self.working.positions.len(), rows: self.rows, end, sentence, driver }
    }
}
