//! The order of liquidation: what is closed first and next, each step re-evaluating the account.
//!
//! An order runs at a market state, or along a path from the first state past the trigger by a gap and
//! then on with the path: at the exact trigger the partial size is zero (design.md section 2).

use super::policy::{Choice, next_victim, tier_step};
use super::price::{answer, coins_of, crossings, sigmas};
use super::sweep::Target;
use super::working::{Closed, Working};
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::status::broken;
use crate::margin::{PoolState, Status, evaluate};
use crate::market::MarketState;
use crate::path::Path;
use crate::rulebook::{Certainty, Policy, Rulebook};

/// How much of the chosen position a step closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepSize {
    /// All of it.
    Whole,
    /// Just enough to reach the stop level, all of it if that does not suffice.
    Needed,
    /// A fraction of what is left of it.
    Fraction(f64),
}

/// When liquidation stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// When the account is no longer liquidatable.
    Healthy,
    /// When the initial margin is covered.
    Initial,
    /// When nothing is left.
    Flat,
    /// When equity covers this multiple of the maintenance margin.
    Multiple(f64),
}

/// Where the order starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scenario {
    /// At today's prices.
    Now,
    /// Along the path of the coin whose move triggers first, in one-day sigmas.
    Nearest,
    /// At relative moves of named coins; an empty name moves all of them.
    Moves(Vec<(String, f64)>),
}

/// What the caller may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Policy instead of the rulebook's.
    pub policy: Option<Policy>,
    /// When to stop.
    pub stop: Stop,
    /// How much a step closes; the default depends on the policy.
    pub step: Option<StepSize>,
    /// Seed of the random policy.
    pub seed: u64,
    /// Slippage as a fraction of the closed notional.
    pub slippage: f64,
    /// Symbols in the order in which the user wants them closed.
    pub user_list: Vec<String>,
    /// Whether `liquidateLast` tags are respected.
    pub respect_tags: bool,
    /// How far past the trigger the first state lies, as a fraction of the move to the trigger.
    pub gap: f64,
    /// Whether the path goes on after the account is healthy again.
    pub go_on: bool,
    /// Largest number of steps.
    pub max_steps: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: None,
            stop: Stop::Healthy,
            step: None,
            seed: 0,
            slippage: 0.0,
            user_list: Vec::new(),
            respect_tags: true,
            gap: 0.01,
            go_on: true,
            max_steps: 50,
        }
    }
}

/// One row of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the step, from 1; rows that happen at once share it.
    pub step: usize,
    /// `cancel_orders`, `close` or `takeover`.
    pub action: &'static str,
    /// Index of the account.
    pub account: usize,
    /// What was closed; `None` for cancelled orders.
    pub closed: Option<Closed>,
    /// The account before the step.
    pub before: PoolState,
    /// The account after it.
    pub after: PoolState,
    /// Why this and why now.
    pub reason: String,
    /// How sure it is that the venue does the same.
    pub certainty: Certainty,
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There was nothing to do.
    NothingToDo,
    /// The stop level was reached.
    Healthy,
    /// Nothing is left.
    Flat,
    /// The pool was taken over.
    TakenOver,
    /// The path goes on, but the largest number of steps was reached with the account healthy.
    StepsShown,
    /// The largest number of steps was reached and the account is still liquidatable.
    StepsExhausted,
}

/// An order with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct LiquidationOrder {
    /// The rows.
    pub rows: Vec<Row>,
    /// How it ended.
    pub end: End,
    /// The end in words.
    pub sentence: String,
    /// The coin that moves and its prices at the first state: (underlying, trigger, state).
    pub driver: Option<(usize, f64, f64)>,
}

struct Run<'a> {
    working: Working<'a>,
    rulebook: &'a Rulebook,
    options: &'a Options,
    policy: Policy,
    certainty: Certainty,
    rows: Vec<Row>,
    step: usize,
}

impl<'a> Run<'a> {
    fn new(book: &'a Book, pool: &Pool, options: &'a Options) -> Result<Self> {
        let working = Working::of(book, pool);
        let rulebook = book.rulebook_of(pool.account).ok_or_else(|| Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: crate::error::Place::default(),
        })?;
        let policy = options.policy.unwrap_or(rulebook.liquidation.policy);
        let certainty =
            if options.policy.is_some() { Certainty::Chosen } else { rulebook.liquidation.certainty };
        Ok(Self { working, rulebook, options, policy, certainty, rows: Vec::new(), step: 0 })
    }

    fn liquidatable(&self, state: &PoolState) -> bool {
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
    fn at(&mut self, market: &MarketState, why: &str) -> Result<End> {
        let first = evaluate(&self.working.view(), market)?;
        if !self.liquidatable(&first) {
            return Ok(End::NothingToDo);
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
            Policy::TierSteps => Ok(tier_step(&view, market).into_iter().collect()),
            _ => {
                let choice = Choice {
                    policy: self.policy,
                    seed: self.options.seed,
                    step: self.step,
                    user_list: &self.options.user_list,
                    respect_tags: self.options.respect_tags,
                };
                let Some((index, reason)) = next_victim(&view, market, before, &choice)? else {
                    return Ok(Vec::new());
                };
                let fraction = self.fraction(market, StepSize::Needed, Some(index))?;
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
            if !enough(1.0)? {
                return Ok(1.0);
            }
            let (mut low, mut high) = (0.0, 1.0);
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
        let after = evaluate(&self.working.view(), market)?;
        for (one, reason) in closed {
            self.rows.push(Row {
                step: self.step,
                action: "close",
                account: self.working.account,
                closed: Some(one),
                before: before.clone(),
                after: after.clone(),
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
            before,
            after: evaluate(&self.working.view(), market)?,
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
        let after = evaluate(&self.working.view(), market)?;
        for one in closed {
            self.rows.push(Row {
                step: self.step,
                action: "takeover",
                account: self.working.account,
                closed: Some(one),
                before: before.clone(),
                after: after.clone(),
                reason: joined(why, &reason),
                certainty: self.certainty,
            });
        }
        Ok(())
    }

    fn finish(mut self, end: End, driver: Option<(usize, f64, f64)>) -> LiquidationOrder {
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

/// The order of a pool at one market state.
///
/// # Errors
///
/// As [`evaluate`].
pub fn at_state(book: &Book, pool: &Pool, market: &MarketState, options: &Options) -> Result<LiquidationOrder> {
    let mut run = Run::new(book, pool, options)?;
    let end = run.at(market, "")?;
    Ok(run.finish(end, None))
}

/// The crossing of a pool that is nearest, alone-paths only: (underlying, ratio).
///
/// # Errors
///
/// As [`evaluate`].
pub fn nearest_trigger(book: &Book, pool: &Pool, limit: f64) -> Result<Option<(usize, f64)>> {
    let mut nearest: Option<(f64, usize, f64)> = None;
    for found in super::price::alone(book, (0, pool), Target::Trigger, limit)? {
        let Some(price) = found.nearest else { continue };
        let ratio = price / found.mark;
        let distance = sigmas(book, found.underlying, ratio).unwrap_or_else(|| ratio.ln().abs());
        let better = nearest
            .as_ref()
            .is_none_or(|(best, coin, _)| distance.total_cmp(best).then(found.underlying.cmp(coin)).is_lt());
        if better {
            nearest = Some((distance, found.underlying, ratio));
        }
    }
    Ok(nearest.map(|(_, coin, ratio)| (coin, ratio)))
}

/// The order of a pool along the path of one coin, from the first state past its trigger by the gap.
///
/// # Errors
///
/// As [`evaluate`].
pub fn along(
    book: &Book,
    pool: &Pool,
    underlying: usize,
    trigger: f64,
    options: &Options,
    limit: f64,
) -> Result<LiquidationOrder> {
    let path = Path::Alone(underlying);
    let mut run = Run::new(book, pool, options)?;
    let mark = super::price::price_of(book, underlying)?;
    let name = book.underlyings.get(underlying).map_or("", |known| known.name.as_str());
    let tick = book
        .instruments
        .iter()
        .zip(&book.tick)
        .filter(|(instrument, _)| instrument.underlying == name)
        .find_map(|(_, tick)| *tick);
    let move_to_trigger = trigger - 1.0;
    let past = (options.gap * move_to_trigger.abs()).max(tick.map_or(0.0, |tick| tick / mark));
    let outward = move_to_trigger.signum();
    let mut ratio = trigger + outward * past;
    let driver = Some((underlying, mark * trigger, mark * ratio));
    loop {
        if ratio <= 0.0 {
            return Ok(run.finish(End::Healthy, driver));
        }
        let why = format!("{name} at {}", super::price::shown(mark * ratio));
        let end = run.at(&path.state(book, ratio), &why)?;
        if !options.go_on || matches!(end, End::Flat | End::TakenOver | End::StepsExhausted) {
            return Ok(run.finish(end, driver));
        }
        if run.step >= options.max_steps {
            return Ok(run.finish(End::StepsShown, driver));
        }
        let found = crossings(&run.working.view(), &path, Target::Trigger, limit)?;
        let list = if outward < 0.0 { &found.down } else { &found.up };
        let beyond = |next: f64| if outward < 0.0 { next < ratio } else { next > ratio };
        let next = list.iter().find(|crossing| crossing.into_breach && beyond(crossing.ratio));
        // a run that ended exactly at the stop level is broken again by any further move
        let state = evaluate(&run.working.view(), &path.state(book, ratio + outward * past))?;
        ratio = match next {
            _ if run.liquidatable(&state) => ratio + outward * past,
            Some(crossing) => crossing.ratio + outward * past,
            None => return Ok(run.finish(End::Healthy, driver)),
        };
    }
}

/// The market state of a moves scenario.
///
/// # Errors
///
/// [`Error::Unknown`] for a coin that the book does not know, [`Error::OutOfRange`] for a move of -1 or
/// less.
pub fn state_of_moves(book: &Book, moves: &[(String, f64)]) -> Result<MarketState> {
    let mut ratios = vec![1.0; book.underlyings.len()];
    for (name, price_move) in moves {
        if !(price_move.is_finite() && *price_move > -1.0) {
            return Err(Error::OutOfRange {
                name: "price move".into(),
                value: *price_move,
                must_be: "finite and above -1",
                place: crate::error::Place::label(name.clone()),
            });
        }
        if name.is_empty() {
            ratios.iter_mut().for_each(|ratio| *ratio *= 1.0 + price_move);
            continue;
        }
        let index = underlying_named(book, name)?;
        if let Some(ratio) = ratios.get_mut(index) {
            *ratio *= 1.0 + price_move;
        }
    }
    Ok(MarketState::from_ratios(ratios))
}

/// Index of the coin with a name, or of the coin of a symbol.
///
/// # Errors
///
/// [`Error::Unknown`] names the coins of the book.
pub fn underlying_named(book: &Book, name: &str) -> Result<usize> {
    let by_name = book.underlyings.iter().position(|known| known.name.eq_ignore_ascii_case(name));
    let by_symbol = || {
        let instrument = book.instruments.iter().position(|known| known.symbol.eq_ignore_ascii_case(name))?;
        book.instrument_underlying.get(instrument).copied()
    };
    by_name.or_else(by_symbol).ok_or_else(|| {
        let mut known: Vec<&str> = book.underlyings.iter().map(|known| known.name.as_str()).take(20).collect();
        if book.underlyings.len() > known.len() {
            known.push("...");
        }
        Error::Unknown { what: "underlying", value: name.to_owned(), known: known.join(", ") }
    })
}

/// The trigger of a pool along one coin's path, if there is one: the nearer of both sides.
///
/// # Errors
///
/// As [`evaluate`].
pub fn trigger_of(book: &Book, pool: (usize, &Pool), underlying: usize, limit: f64) -> Result<Option<f64>> {
    let view = crate::margin::PoolView::of(book, pool.1);
    if !coins_of(book, &view).contains(&underlying) {
        return Ok(None);
    }
    let path = Path::Alone(underlying);
    let found = crossings(&view, &path, Target::Trigger, limit)?;
    let answered = answer(book, pool, underlying, &path, &found, Target::Trigger)?;
    Ok(answered.nearest.map(|price| price / answered.mark))
}
