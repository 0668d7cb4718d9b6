//! Scenarios that happened: as they were, or scaled to today's volatility (methods.md section 2.2).

use super::Scenarios;
use crate::error::{Error, Place, Result};
use crate::history::Bars;
use crate::revaluation::joint::KeptMoves;
use crate::rulebook::tail::{Aggregation, TailRule};

/// How a horizon is made of bars.
enum Steps {
    /// So many bars after one another.
    Whole(usize),
    /// One bar, times a factor.
    Scaled(f64),
}

fn steps(rule: &TailRule, bars: &Bars, days: f64) -> Result<Steps> {
    let ratio = days / bars.step_days;
    let whole = ratio.round();
    let fits = (ratio - whole).abs() < 1e-6 && whole >= 1.0;
    if fits && whole < 1.5 {
        return Ok(Steps::Whole(1));
    }
    if rule.history.aggregation == Aggregation::SquareRoot || ratio < 1.0 {
        return Ok(Steps::Scaled(ratio.sqrt()));
    }
    if !fits {
        return Err(Error::NotCovered {
            what: format!("a horizon of {days} days"),
            why: format!(
                "it is no whole number of bars of {} days; set tail.history.aggregation = square_root",
                bars.step_days
            ),
            place: Place::default(),
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole bars of a year at most"
    )]
    Ok(Steps::Whole(whole as usize))
}

/// The bars at which scenarios begin, rising, the last `window` of them; each spans `length` usable bars.
fn starts(
    rule: &TailRule,
    bars: &Bars,
    end: usize,
    (length, window): (usize, usize),
    warm: impl Fn(usize) -> bool,
) -> Result<Vec<usize>> {
    let stride = match rule.history.aggregation {
        Aggregation::NonOverlapping => length,
        Aggregation::Overlapping | Aggregation::SquareRoot => 1,
    };
    let mut found = Vec::with_capacity(window);
    let mut start = end.checked_sub(length);
    while let Some(first) = start {
        let whole =
            bars.usable.get(first..first + length).is_some_and(|list| list.iter().all(|usable| *usable));
        let together = bars.instants.get(first..first + length).is_some_and(|list| {
            list.windows(2).all(|pair| (pair[1] - pair[0]) / 86_400.0 < 1.5 * bars.step_days)
        });
        if whole && together && warm(first) {
            found.push(first);
            if found.len() == window {
                break;
            }
            start = first.checked_sub(stride);
        } else {
            start = first.checked_sub(1);
        }
    }
    if found.len() < window {
        return Err(Error::Missing {
            what: "history".into(),
            why: format!(
                "{} of {window} moves that the rulebook counts are known{}",
                found.len(),
                shortest(bars, end)
            ),
            place: Place::default(),
        });
    }
    found.reverse();
    Ok(found)
}

/// Which series has the fewest moves.
fn shortest(bars: &Bars, end: usize) -> String {
    let moves = |place: usize| {
        bars.moves.get(place).map_or(0, |own| own.iter().take(end).filter(|size| **size != 0.0).count())
    };
    let least = (0..bars.factors.len()).min_by_key(|place| moves(*place));
    match least.and_then(|place| Some((bars.factors.get(place)?, moves(place)))) {
        Some((factor, count)) if bars.factors.len() > 1 => {
            format!("; {factor} has the fewest, {count}: a longer history, a proxy or a shorter window")
        }
        _ => "; a longer history or a shorter window".to_owned(),
    }
}

fn set(
    bars: &Bars,
    days: f64,
    starts: &[usize],
    length: usize,
    size: impl Fn(usize, usize) -> f64,
) -> Scenarios {
    let moves = (0..bars.factors.len())
        .map(|factor| {
            starts.iter().map(|start| (*start..start + length).map(|bar| size(factor, bar)).sum()).collect()
        })
        .collect();
    let ends = starts.iter().map(|start| bars.instants.get(start + length - 1).copied().unwrap_or(f64::NAN));
    Scenarios {
        horizon_days: days,
        probabilities: None,
        ends: ends.collect(),
        moves,
        count: starts.len(),
        kept: KeptMoves::default(),
    }
}

fn at(list: &[Vec<f64>], factor: usize, bar: usize) -> f64 {
    list.get(factor).and_then(|own| own.get(bar)).copied().unwrap_or(f64::NAN)
}

/// Moves as they were.
pub(super) fn plain(rule: &TailRule, bars: &Bars, end: usize, days: f64, window: usize) -> Result<Scenarios> {
    let (length, scale) = match steps(rule, bars, days)? {
        Steps::Whole(length) => (length, 1.0),
        Steps::Scaled(scale) => (1, scale),
    };
    let starts = starts(rule, bars, end, (length, window), |_| true)?;
    Ok(set(bars, days, &starts, length, |factor, bar| scale * at(&bars.moves, factor, bar)))
}

/// Each bar's move times the forecast for today over the forecast that was made for that bar.
///
/// The forecast of today is floored, the ratio capped; all factors of a date stay together.
pub(super) fn filtered(rule: &TailRule, bars: &Bars, end: usize, days: f64) -> Result<Scenarios> {
    let (length, scale) = match steps(rule, bars, days)? {
        Steps::Whole(length) => (length, 1.0),
        Steps::Scaled(scale) => (1, scale),
    };
    let known = |bar: usize| bars.forecasts.iter().all(|own| own.get(bar).is_some_and(|v| v.is_finite()));
    let starts = starts(rule, bars, end, (length, rule.history.window), known)?;
    let cap = rule.history.largest_scale;
    let floor = rule.history.floor_share * rule.history.floor_share;
    let today: Vec<f64> = (0..bars.factors.len())
        .map(|factor| at(&bars.forecasts, factor, end).max(floor * at(&bars.long_run, factor, end)))
        .collect();
    Ok(set(bars, days, &starts, length, |factor, bar| {
        let then = at(&bars.forecasts, factor, bar);
        let now = today.get(factor).copied().unwrap_or(f64::NAN);
        let ratio = if then > 0.0 { (now / then).sqrt() } else { cap };
        scale * ratio.clamp(1.0 / cap, cap) * at(&bars.moves, factor, bar)
    }))
}
