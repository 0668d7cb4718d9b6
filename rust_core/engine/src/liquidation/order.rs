//! The order of liquidation: what is closed first and next, each step re-evaluating the account.
//!
//! An order runs at a market state, or along a path from the first state past the trigger by a gap and
//! then on with the path: at the exact trigger the partial size is zero (design.md section 2).

use super::cost::coins_held;
use super::price::{crossings, sigmas};
use super::run::Run;
use super::sweep::Target;
use super::working::Closed;
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::{Equity, PoolState, evaluate};
use crate::market::MarketState;
use crate::path::Path;
use crate::rulebook::{Certainty, Hedge, LiquidationRule, Policy};

pub use super::cost::Slippage;
pub use crate::rulebook::{StepSize, Stop};

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
    /// When to stop; the rulebook's level where none is given.
    pub stop: Option<Stop>,
    /// How much a step closes; without one the rulebook's own step with its own policy, else what the policy does.
    pub step: Option<StepSize>,
    /// Seed of the random policy; without one an order is drawn with 0, and what goes first is told as odds.
    pub seed: Option<u64>,
    /// What the market takes.
    pub slippage: Slippage,
    /// Whether delta is hedged, instead of the rulebook's way.
    pub hedge: Option<Hedge>,
    /// Seconds that an auction has lasted.
    pub elapsed: f64,
    /// Money that earlier bids of an auction have brought and that is not sold again, settlement currency.
    pub reserved: f64,
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
            stop: None,
            step: None,
            seed: None,
            slippage: Slippage::Fraction(0.0),
            hedge: None,
            elapsed: 0.0,
            reserved: 0.0,
            user_list: Vec::new(),
            respect_tags: true,
            gap: 0.01,
            go_on: true,
            max_steps: 50,
        }
    }
}

impl Options {
    /// Whether delta is hedged: as chosen, else as the rulebook does with its own policy. The policy that takes the
    /// largest contribution hedges after it, which is a part of it (venues.md section 1.6).
    pub(super) fn hedge_of(&self, rule: &LiquidationRule) -> Hedge {
        match (self.hedge, self.policy) {
            (Some(hedge), _) => hedge,
            (None, None) => rule.hedge,
            (None, Some(Policy::LargestMarginContribution)) => match rule.hedge {
                Hedge::Never => Hedge::After,
                own => own,
            },
            (None, Some(_)) => Hedge::Never,
        }
    }
}

/// The figures of an account before or after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Equity on its bases.
    pub equity: Equity,
    /// Initial margin, where there is one.
    pub initial: Option<f64>,
    /// Maintenance margin.
    pub maintenance: f64,
    /// Usage, where it is defined.
    pub usage: Option<f64>,
    /// Adjusted equity less trigger times maintenance margin.
    pub excess: f64,
}

impl Snapshot {
    /// The figures of a state.
    pub(super) fn of(state: &PoolState) -> Self {
        Self {
            equity: state.equity,
            initial: state.requirement.initial,
            maintenance: state.requirement.maintenance,
            usage: state.usage,
            excess: state.excess,
        }
    }
}

/// One row of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the step, from 1; rows that happen at once share it.
    pub step: usize,
    /// `cancel_orders`, `close`, `hedge`, `convert` (collateral is sold), of an auction `fee`, `slice` and
    /// `proceeds`, `takeover`, `offer` (to whoever takes over), or `none` where no step helps.
    pub action: &'static str,
    /// Index of the account.
    pub account: usize,
    /// What was closed; `None` for cancelled orders.
    pub closed: Option<Closed>,
    /// Of a position: its part of the maintenance margin before the step, a fraction of the whole.
    pub share: Option<f64>,
    /// The account before the step.
    pub before: Snapshot,
    /// The account after it.
    pub after: Snapshot,
    /// Why this and why now, and what it has made worse.
    pub reason: String,
    /// What it has made worse: the requirement, or the money above it.
    pub trap: Option<String>,
    /// How sure it is that the venue does the same.
    pub certainty: Certainty,
}

impl Row {
    /// Whether it takes something from the account: a position, or collateral.
    pub fn closes(&self) -> bool {
        self.closed.is_some() && !matches!(self.action, "fee" | "proceeds" | "offer")
    }
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
    /// The account is healthy, and the path is not followed any further.
    PathEnded,
    /// The largest number of steps was reached and the account is still liquidatable.
    StepsExhausted,
    /// The account is still liquidatable, and no step that is left helps.
    Stuck,
}

/// An order with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct LiquidationOrder {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many positions are left.
    pub left: usize,
    /// How it ended.
    pub end: End,
    /// The end in words.
    pub sentence: String,
    /// The coin that moves and its prices at the first state: (underlying, trigger, state).
    pub driver: Option<(usize, f64, f64)>,
}

/// The order of a pool at one market state.
///
/// # Errors
///
/// As [`evaluate`].
pub fn at_state(
    book: &Book,
    pool: &Pool,
    market: &MarketState,
    options: &Options,
) -> Result<LiquidationOrder> {
    at_state_with_rest(book, pool, market, options).map(|(order, _)| order)
}

/// The same, with the coins that the positions which are left stand for, by underlying.
///
/// # Errors
///
/// As [`at_state`].
pub fn at_state_with_rest(
    book: &Book,
    pool: &Pool,
    market: &MarketState,
    options: &Options,
) -> Result<(LiquidationOrder, Vec<(usize, f64)>)> {
    let extended = extended(book, pool, options);
    let mut run = Run::new(extended.as_ref().unwrap_or(book), pool, options)?;
    let end = run.at(market, "")?;
    let rest = coins_held(&run.working.view(), market)?;
    Ok((run.finish(end, None), rest))
}

/// The book with the perpetuals that a hedge needs and the book has not.
pub(super) fn extended(book: &Book, pool: &Pool, options: &Options) -> Option<Book> {
    let rule = &book.rulebook_of(pool.account)?.liquidation;
    let hedges = options.hedge_of(rule) != Hedge::Never;
    if hedges { super::hedge::with_perpetuals(book, pool, rule) } else { None }
}

/// Where a pool is triggered by one coin's move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trigger {
    /// Index of the coin.
    pub underlying: usize,
    /// Ratio of the trigger price to today's.
    pub ratio: f64,
    /// How many one-day sigmas away, where the coin's volatility is known.
    pub sigmas: Option<f64>,
}

/// The nearest of several triggers: in one-day sigmas if all of them have one, else in relative moves,
/// since the two cannot be compared. Returns its place in the list.
pub fn nearest_of(triggers: &[Trigger]) -> Option<usize> {
    let in_sigmas = triggers.iter().all(|trigger| trigger.sigmas.is_some());
    let distance = |trigger: &Trigger| match trigger.sigmas {
        Some(sigmas) if in_sigmas => sigmas,
        _ => trigger.ratio.ln().abs(),
    };
    let place = triggers.iter().enumerate().min_by(|(i, a), (j, b)| {
        distance(a).total_cmp(&distance(b)).then(a.underlying.cmp(&b.underlying)).then(i.cmp(j))
    });
    place.map(|(index, _)| index)
}

/// The trigger of a pool that is nearest when one coin moves alone.
///
/// # Errors
///
/// As [`evaluate`].
pub fn nearest_trigger(book: &Book, pool: &Pool, limit: f64) -> Result<Option<Trigger>> {
    let triggers: Vec<Trigger> = super::price::alone(book, (0, pool), Target::Trigger, limit)?
        .into_iter()
        .filter_map(|found| {
            let ratio = found.nearest? / found.mark;
            let sigmas = sigmas(book, found.underlying, ratio);
            Some(Trigger { underlying: found.underlying, ratio, sigmas })
        })
        .collect();
    Ok(nearest_of(&triggers).and_then(|index| triggers.get(index).copied()))
}

/// Least distance past the trigger, a relative move: at the exact trigger the partial size is zero.
const SMALLEST_GAP: f64 = 1e-9;

/// So many times its distance from today the first trigger lies inside the path, however far away it is.
const BEYOND_TRIGGER: f64 = 2.0;

/// The order of a pool along the path of one coin, from the first state past its trigger by the gap.
///
/// The path is followed to `limit` times today's price and down to `limit^-2` of it, or to twice the first trigger where
/// that lies beyond: what little a rule leaves of a position would else be liquidated at prices that mean nothing.
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
    let extended = extended(book, pool, options);
    let mut run = Run::new(extended.as_ref().unwrap_or(book), pool, options)?;
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
    let past = past.max(SMALLEST_GAP);
    let outward = if move_to_trigger == 0.0 {
        // the trigger is today's price: the side that breaks the level is the way to go
        let below = evaluate(&run.working.view(), &path.state(book, 1.0 - past))?;
        if run.liquidatable(&below) { -1.0 } else { 1.0 }
    } else {
        move_to_trigger.signum()
    };
    // a trigger near zero has no room for the gap, so the step is taken towards zero
    let beyond_trigger = |trigger: f64| {
        let ratio = trigger + outward * past;
        if ratio > 0.0 { ratio } else { trigger * (1.0 - options.gap.clamp(1e-9, 0.5)) }
    };
    let mut ratio = beyond_trigger(trigger);
    let driver = Some((underlying, mark * trigger, mark * ratio));
    let end = if outward < 0.0 {
        limit.powi(-2).min(trigger / BEYOND_TRIGGER)
    } else {
        limit.max(BEYOND_TRIGGER * trigger)
    };
    run.followed_to = Some(format!("{name} at {}", super::price::shown(mark * end)));
    for _ in 0..4 * options.max_steps.max(16) {
        let why = format!("{name} at {}", super::price::shown(mark * ratio));
        let ended = run.at(&path.state(book, ratio), &why)?;
        let nothing_yet = ended == End::NothingToDo && run.step == 0;
        let over = matches!(ended, End::Flat | End::TakenOver | End::StepsExhausted | End::Stuck);
        if !options.go_on || over || nothing_yet {
            return Ok(run.finish(ended, driver));
        }
        if run.step >= options.max_steps {
            return Ok(run.finish(End::StepsShown, driver));
        }
        // a run that ended exactly at the stop level is broken again by any further move
        let further = ratio + outward * past;
        let state = evaluate(&run.working.view(), &path.state(book, further.max(f64::MIN_POSITIVE)))?;
        ratio = if further > 0.0 && run.liquidatable(&state) {
            further
        } else {
            let found = crossings(&run.working.view(), &path.clone().into(), Target::Trigger, limit)?;
            let list = if outward < 0.0 { &found.down } else { &found.up };
            let beyond = |next: f64| if outward < 0.0 { next < ratio } else { next > ratio };
            match list.iter().find(|crossing| crossing.into_breach && beyond(crossing.ratio)) {
                Some(crossing) => beyond_trigger(crossing.ratio),
                None => return Ok(run.finish(End::Healthy, driver)),
            }
        };
        let too_far = if outward < 0.0 { ratio < end } else { ratio > end };
        if too_far {
            return Ok(run.finish(End::PathEnded, driver));
        }
    }
    Ok(run.finish(End::StepsShown, driver))
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
        let mut known: Vec<&str> =
            book.underlyings.iter().map(|known| known.name.as_str()).take(20).collect();
        if book.underlyings.len() > known.len() {
            known.push("...");
        }
        Error::Unknown { what: "underlying", value: name.to_owned(), known: known.join(", ") }
    })
}
