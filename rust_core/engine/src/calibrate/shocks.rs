//! Shock sizes: the range by which a scan moves a coin, as it would have been set each day.

use rayon::prelude::*;

use super::Observed;
use crate::error::{Error, Result};
use crate::history::Bars;
use crate::moves::at;
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::TailRule;
use crate::statistics::{Ties, check_enough, tail};
use crate::watch::Watch;

/// The shocks of one coin under one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Shocks {
    /// Day by day, relative: the shock, and the move that followed, either way.
    pub days: Vec<Observed>,
    /// The shock after the last bar: what would be set now.
    pub now: f64,
    /// Bars that a move spans.
    pub length: usize,
}

/// The size of the relative move, up or down, that a share of the scenarios of each day stays within: the lower
/// empirical quantile at the rule's confidence. Each is made of the bars before it. `watch` counts the bars of the
/// history and was told of them.
///
/// # Errors
///
/// As [`crate::backtest::run`].
pub fn shocks(rule: &TailRule, bars: &Bars, watch: &Watch) -> Result<Shocks> {
    let ratio = rule.horizon_days / bars.step_days;
    if ratio.round() < 1.0 || (ratio - ratio.round()).abs() > 1e-6 || ratio > bars.count() as f64 {
        return Err(Error::NotCovered {
            what: format!("a shock over {} days", rule.horizon_days),
            why: format!("the history has {} moves of {} days", bars.count(), bars.step_days),
            place: crate::error::Place::default(),
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the bars of the history"
    )]
    let length = ratio.round() as usize;
    let now = shock(rule, bars, bars.count())?;
    let whole = |known: usize| {
        bars.usable.get(known..known + length).is_some_and(|list| list.iter().all(|usable| *usable))
    };
    let days: Vec<usize> = (0..=bars.count() - length).filter(|known| whole(*known)).collect();
    // bars without a loss are done at once
    watch.advance(bars.count() - days.len())?;
    let made: Vec<Result<Option<Observed>>> = days
        .par_iter()
        .map(|known| {
            watch.advance(1)?;
            // too few bars for a shock: the day is not tested
            let Ok(margin) = shock(rule, bars, *known) else { return Ok(None) };
            let moved =
                bars.moves.first().map_or(f64::NAN, |own| sum(own.iter().skip(*known).take(length).copied()));
            Ok(Some(Observed { known: *known, margin, loss: moved.exp_m1().abs() }))
        })
        .collect();
    let days = made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    Ok(Shocks { days, now, length })
}

fn shock(rule: &TailRule, bars: &Bars, known: usize) -> Result<f64> {
    let sets = at(rule, bars, known)?;
    let set = sets
        .levels
        .first()
        .map(|level| &level.main)
        .ok_or_else(|| Error::NoAnswer { why: "the rule has no scenarios".into() })?;
    check_enough(set.count, rule.confidence)?;
    let sizes: Vec<f64> =
        set.moves.first().map_or_else(Vec::new, |own| own.iter().map(|size| size.exp_m1().abs()).collect());
    Ok(tail(&sizes, set.probabilities.as_deref(), rule.confidence, Ties::Mean)?.value_at_risk)
}
