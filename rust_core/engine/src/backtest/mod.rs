//! Backtests of a margin on history: the margin of each day as it was known then, the loss that followed it.
//!
//! The book is held constant: the money it has at stake in each risk factor today, moved by the relative moves of
//! the past. The margin of a day is made of the bars before it, the loss of the bars of the margin period after it,
//! so that no day knows its own future (methods.md sections 4.1 to 4.7).

pub mod floors;
mod pooled;
mod shortfall;
pub mod verdicts;

use rayon::prelude::*;

use crate::error::{Error, Place, Result};
use crate::history::Bars;
use crate::margin::tail::{charges_under, level_under, results_under};
use crate::margin::{PoolView, evaluate};
use crate::market::MarketState;
use crate::moves::{Mapping, Scenarios, at};
use crate::numeric::accumulate::sum;
use crate::revaluation::joint::KeptMoves;
use crate::rulebook::tail::TailRule;
use crate::rulebook::{Measure, Rulebook};
use crate::watch::Watch;

pub use pooled::{Pooled, pooled, rows as pooled_rows};
pub use shortfall::{Simulated, simulated};

/// Days of a calendar year in the time of bars.
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// What is tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Whether the margin is that of the initial level.
    pub initial: bool,
    /// Days over which a loss is counted: the margin period.
    pub horizon_days: f64,
    /// Losses that end before this instant are left out, seconds since 1970.
    pub first: Option<f64>,
    /// Losses that end after this instant are left out.
    pub last: Option<f64>,
}

/// What one day's margin was and what came after it. Money is in the reporting currency, losses are positive.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Bars that were known when the margin was set.
    pub known: usize,
    /// The margin.
    pub margin: f64,
    /// The loss over the margin period; below zero for a gain.
    pub loss: f64,
    /// What the tail said, under a rulebook that has one.
    pub tail: Option<Predicted>,
}

impl Day {
    /// Whether the loss was larger than the margin.
    pub fn exceeded(&self) -> bool {
        self.loss > self.margin
    }
}

/// The tail of a day's scenarios, before stress, floors and charges.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Value at risk.
    pub value_at_risk: f64,
    /// Expected shortfall.
    pub expected_shortfall: f64,
    /// Scenarios with a loss beyond the value at risk: probability and loss over expected shortfall.
    pub beyond: Vec<(f64, f64)>,
}

/// A pool's backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// One per day, in their order.
    pub days: Vec<Day>,
    /// Bars that a loss spans.
    pub length: usize,
    /// The moves of all days, factor by factor, as the loss of each took them.
    pub losses: Scenarios,
}

impl Run {
    /// Days whose periods do not overlap: the first one, and each that begins where the one before it ended.
    pub fn apart(&self) -> Vec<&Day> {
        let mut chosen: Vec<&Day> = Vec::new();
        for day in &self.days {
            if chosen.last().is_none_or(|last| day.known >= last.known + self.length) {
                chosen.push(day);
            }
        }
        chosen
    }

    /// The instant at which a day's loss ended.
    pub fn end_of(&self, bars: &Bars, day: &Day) -> f64 {
        bars.instants.get(day.known + self.length - 1).copied().unwrap_or(f64::NAN)
    }

    /// The instant at which a day's margin was known.
    pub fn known_at(&self, bars: &Bars, day: &Day) -> f64 {
        day.known.checked_sub(1).and_then(|bar| bars.instants.get(bar)).copied().unwrap_or(f64::NAN)
    }
}

/// What a backtest stands on, the same for all days.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The pool.
    pub view: &'a PoolView<'a>,
    /// Its rulebook, perhaps with keys changed.
    pub rulebook: &'a Rulebook,
    /// How losses are made of moves: the rulebook's tail, or that of another one.
    pub rule: &'a TailRule,
    /// The history.
    pub bars: &'a Bars,
    /// Which factor moves what.
    pub mapping: &'a Mapping,
}

/// The days that have both a margin and a loss, each as the bars known at its margin, and the bars of a loss.
///
/// # Errors
///
/// [`Error::NoAnswer`] where there is none; [`Error::NotCovered`] for a margin period that is no whole number of
/// bars; [`Error::Missing`] for a history that is too short for the rulebook.
pub fn days(ground: Ground<'_>, plan: &Plan) -> Result<(Vec<usize>, usize)> {
    let bars = ground.bars;
    let length = bars_of(plan.horizon_days, bars)?;
    let is_tail = matches!(ground.rulebook.measure, Measure::Tail(_));
    let first = if is_tail { first_known(ground.rule, bars, length)? } else { 0 };
    let wanted = |known: &usize| {
        let end = bars.instants.get(known + length - 1).copied().unwrap_or(f64::NAN);
        plan.first.is_none_or(|from| end >= from) && plan.last.is_none_or(|to| end <= to)
    };
    let days: Vec<usize> =
        (first..=bars.count() - length).filter(|known| whole(bars, *known, length)).filter(wanted).collect();
    if days.is_empty() { Err(none_left(bars, first, length)) } else { Ok((days, length)) }
}

/// Runs a backtest of one pool; `watch` counts its days and was told of them.
///
/// # Errors
///
/// As [`days`] and [`crate::margin::evaluate`]; [`Error::NoAnswer`] if stopped.
pub fn run(ground: Ground<'_>, plan: &Plan, watch: &Watch) -> Result<Run> {
    let Ground { view, rulebook, rule, bars, mapping } = ground;
    let (days, length) = days(ground, plan)?;
    let is_tail = matches!(rulebook.measure, Measure::Tail(_));
    let losses = moves_after(bars, &days, length, plan.horizon_days);
    let today = MarketState::today(view.book);
    let results = results_under(view, &today, rule, mapping, &losses)?;
    let margins = if is_tail {
        let charges = charges_under(view, rulebook, &today, plan.initial)?;
        let made: Vec<Result<(f64, Option<Predicted>)>> = days
            .par_iter()
            .map(|known| {
                watch.advance(1)?;
                let sets = at(rule, bars, *known)?;
                let (margin, measured) = level_under(view, rulebook, &today, (&sets, mapping), plan.initial)?;
                let probabilities =
                    sets.levels.get(measured.level).and_then(|level| level.main.probabilities.as_deref());
                Ok((margin + charges, Some(predicted(&measured, probabilities))))
            })
            .collect();
        made.into_iter().collect::<Result<Vec<_>>>()?
    } else {
        let margin = constant(view, &today, plan.initial)?;
        watch.advance(days.len())?;
        vec![(margin, None); days.len()]
    };
    let days = days
        .iter()
        .zip(results)
        .zip(margins)
        .map(|((known, result), (margin, tail))| Day { known: *known, margin, loss: -result, tail })
        .collect();
    Ok(Run { days, length, losses })
}

/// The margin after the last bar of the history.
///
/// # Errors
///
/// As [`run`].
pub fn now(ground: Ground<'_>, plan: &Plan) -> Result<f64> {
    let Ground { view, rulebook, rule, bars, mapping } = ground;
    let today = MarketState::today(view.book);
    if !matches!(rulebook.measure, Measure::Tail(_)) {
        return constant(view, &today, plan.initial);
    }
    let sets = at(rule, bars, bars.count())?;
    let (margin, _) = level_under(view, rulebook, &today, (&sets, mapping), plan.initial)?;
    Ok(margin + charges_under(view, rulebook, &today, plan.initial)?)
}

/// The margin of a rulebook whose parameters do not follow the market.
fn constant(view: &PoolView<'_>, today: &MarketState, initial: bool) -> Result<f64> {
    let found = evaluate(view, today)?.requirement;
    if !initial {
        return Ok(found.maintenance);
    }
    found.initial.ok_or_else(|| Error::Missing {
        what: "initial margin".into(),
        why: found.initial_missing.unwrap_or_else(|| "the rulebook gives none".into()),
        place: Place::label(view.book.pool_label(view.account, view.kind)),
    })
}

fn predicted(measured: &crate::margin::tail::Measured, probabilities: Option<&[f64]>) -> Predicted {
    let (limit, shortfall) = (measured.tail.value_at_risk, measured.tail.expected_shortfall);
    let alike = 1.0 / measured.pnl.len().max(1) as f64;
    let beyond = measured
        .pnl
        .iter()
        .enumerate()
        .filter(|(_, gain)| -**gain > limit)
        .map(|(place, gain)| {
            let own = probabilities.map_or(alike, |list| list.get(place).copied().unwrap_or(0.0));
            (own, -gain / shortfall)
        })
        .collect();
    Predicted { value_at_risk: limit, expected_shortfall: shortfall, beyond }
}

/// How many bars a margin period is.
fn bars_of(days: f64, bars: &Bars) -> Result<usize> {
    let ratio = days / bars.step_days;
    let count = ratio.round();
    if count < 1.0 || (ratio - count).abs() > 1e-6 {
        return Err(Error::NotCovered {
            what: format!("a backtest over a margin period of {days} days"),
            why: format!(
                "a loss is seen over whole bars, and the history has one every {} days",
                bars.step_days
            ),
            place: Place::default(),
        });
    }
    if count > bars.count() as f64 {
        return Err(Error::NoAnswer {
            why: format!(
                "a margin period of {days} days is longer than the history, which has {} moves of {} days",
                bars.count(),
                bars.step_days
            ),
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the bars of the history"
    )]
    Ok(count as usize)
}

/// The fewest bars that make a margin: what is known grows with the bars, so that it is found by halving.
fn first_known(rule: &TailRule, bars: &Bars, length: usize) -> Result<usize> {
    at(rule, bars, bars.count())?;
    let (mut low, mut high) = (0, bars.count());
    while low < high {
        let middle = low + (high - low) / 2;
        if at(rule, bars, middle).is_ok() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    if low + length > bars.count() { Err(none_left(bars, low, length)) } else { Ok(low) }
}

fn none_left(bars: &Bars, first: usize, length: usize) -> Error {
    Error::NoAnswer {
        why: format!(
            "no day is left to test: the first margin takes {first} moves, a loss {length} more, and the history has {}; \
             give a longer history, a smaller tail.history.window or other dates",
            bars.count()
        ),
    }
}

/// Whether a loss over the bars after `known` is known: no bar is left out, none is across a hole.
fn whole(bars: &Bars, known: usize, length: usize) -> bool {
    let usable = bars.usable.get(known..known + length).is_some_and(|list| list.iter().all(|own| *own));
    let from = known.saturating_sub(1);
    let together = bars.instants.get(from..known + length).is_some_and(|list| {
        list.windows(2).all(|pair| (pair[1] - pair[0]) / SECONDS_OF_A_DAY < 1.5 * bars.step_days)
    });
    usable && together
}

/// The moves over the margin period after each day.
fn moves_after(bars: &Bars, days: &[usize], length: usize, horizon_days: f64) -> Scenarios {
    let of = |own: &Vec<f64>| -> Vec<f64> {
        let over = |known: &usize| sum(own.iter().skip(*known).take(length).copied());
        days.iter().map(over).collect()
    };
    let ends = days.iter().map(|known| bars.instants.get(known + length - 1).copied().unwrap_or(f64::NAN));
    Scenarios {
        horizon_days,
        probabilities: None,
        ends: ends.collect(),
        moves: bars.moves.iter().map(of).collect(),
        count: days.len(),
        kept: KeptMoves::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(instants: &[f64]) -> Bars {
        Bars {
            factors: Vec::new(),
            instants: instants.iter().map(|day| day * SECONDS_OF_A_DAY).collect(),
            step_days: 1.0,
            moves: vec![(0..instants.len()).map(|bar| bar as f64).collect()],
            usable: vec![true; instants.len()],
            forecasts: Vec::new(),
            long_run: Vec::new(),
            filled: Vec::new(),
        }
    }

    pub(super) fn run_of(losses: &[f64], length: usize) -> Run {
        let day =
            |(known, loss): (usize, &f64)| Day { known: known + 1, margin: 1.0, loss: *loss, tail: None };
        let losses_set = Scenarios {
            horizon_days: 1.0,
            probabilities: None,
            ends: Vec::new(),
            moves: Vec::new(),
            count: 0,
            kept: KeptMoves::default(),
        };
        Run { days: losses.iter().enumerate().map(day).collect(), length, losses: losses_set }
    }

    #[test]
    fn a_loss_takes_the_bars_after_those_known_and_none_across_a_hole() {
        let bars = bars(&[1.0, 2.0, 3.0, 6.0, 7.0]);
        assert_eq!(moves_after(&bars, &[1, 2], 2, 2.0).moves, [[3.0, 5.0]]);
        let whole: Vec<bool> = (0..4).map(|known| whole(&bars, known, 2)).collect();
        // bar 3 ends three days after bar 2
        assert_eq!(whole, [true, true, false, false]);
    }

    #[test]
    fn a_period_is_a_whole_number_of_bars_that_the_history_has() {
        let bars = bars(&[1.0, 2.0, 3.0]);
        assert_eq!(bars_of(2.0, &bars).unwrap(), 2);
        assert!(bars_of(0.5, &bars).unwrap_err().to_string().contains("whole bars"));
        assert!(bars_of(4.0, &bars).unwrap_err().to_string().contains("longer than the history"));
    }

    #[test]
    fn days_apart_begin_where_the_one_before_ended() {
        let run = run_of(&[0.0; 7], 3);
        assert_eq!(run.apart().iter().map(|day| day.known).collect::<Vec<_>>(), [1, 4, 7]);
    }
}
