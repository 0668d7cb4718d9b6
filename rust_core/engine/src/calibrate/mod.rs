//! Calibration of a margin: which parameters cover what they should at the least cost and the least rise in a crisis
//! (methods.md section 4.5).
//!
//! Every candidate is a backtest, and each of its margins is made of the bars before it. The choice among candidates
//! is itself a fit, so that it is tested walking forward: a fold chooses on the days whose losses had ended before
//! it begins and is judged on its own days alone. The objective has steps, so that candidates are a grid and no
//! gradient is used.

mod grid;
mod shocks;

use crate::backtest::verdicts::largest_rate;
use crate::error::Result;
use crate::history::Bars;
use crate::numeric::accumulate::sum;
use crate::statistics::procyclicality::procyclicality;

pub use grid::{Candidate, candidates};
pub use shocks::{Shocks, shocks};

/// Days over which a rise of the margin counts.
pub const RISE_DAYS: usize = 5;
/// Days that a choice takes at least.
pub const FEWEST_DAYS: usize = 250;

/// What a calibration is after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Share of days that must be covered, with 95 % confidence.
    pub coverage: f64,
    /// Weight of the mean loss beyond the margin against the mean margin.
    pub shortfall_weight: f64,
    /// Weight of the largest rise of the margin over five days against the mean margin.
    pub rise_weight: f64,
}

/// A day of a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Bars that were known when the margin was set.
    pub known: usize,
    /// The margin.
    pub margin: f64,
    /// The loss that followed.
    pub loss: f64,
}

/// A candidate over some days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Days looked at.
    pub days: usize,
    /// Losses beyond the margin.
    pub exceeded: usize,
    /// Share of days without one.
    pub coverage: f64,
    /// Share that is covered at least, with 95 % confidence; days that overlap count as the fewer they are worth.
    pub lower: f64,
    /// Mean margin.
    pub average: f64,
    /// Mean loss beyond the margin, over all days.
    pub shortfall: f64,
    /// Largest margin over the smallest; `None` where one is zero.
    pub peak_to_trough: Option<f64>,
    /// Largest rise over five days, at least zero.
    pub rise: f64,
    /// `average + shortfall weight x shortfall + rise weight x rise`.
    pub objective: f64,
    /// The largest loss beyond the margin, at least zero.
    pub largest: f64,
}

impl Figures {
    /// Whether the coverage is what it must be.
    pub fn covers(&self, aim: &Aim) -> bool {
        self.lower >= aim.coverage
    }
}

/// Measures a candidate over days, of which each loss spans `length` bars.
///
/// # Errors
///
/// [`crate::Error::NoAnswer`] for no days.
pub fn figures(days: &[Observed], length: usize, aim: &Aim) -> Result<Figures> {
    let count = days.len() as f64;
    let excess = |day: &Observed| (day.loss - day.margin).max(0.0);
    let exceeded = days.iter().filter(|day| day.loss > day.margin).count();
    let (average, shortfall) =
        (sum(days.iter().map(|day| day.margin)) / count, sum(days.iter().map(excess)) / count);
    let margins: Vec<f64> = days.iter().map(|day| day.margin).collect();
    let path = procyclicality(&margins, RISE_DAYS.min(margins.len().saturating_sub(1))).ok();
    let rise = path.map_or(0.0, |path| path.largest_increase.max(0.0));
    // overlapping losses are worth as many days as fit beside each other
    let worth = days.len().div_ceil(length.max(1));
    let lower = 1.0 - largest_rate(worth, exceeded.div_ceil(length.max(1)))?;
    Ok(Figures {
        days: days.len(),
        exceeded,
        coverage: 1.0 - exceeded as f64 / count,
        lower,
        average,
        shortfall,
        peak_to_trough: path.map(|path| path.peak_to_trough),
        rise,
        objective: average + aim.shortfall_weight * shortfall + aim.rise_weight * rise,
        largest: days.iter().map(excess).fold(0.0, f64::max),
    })
}

/// Candidates from the best to the worst: those that cover by their objective, then the others by what they cover.
pub fn ranked(list: &[Figures], aim: &Aim) -> Vec<usize> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|a, b| {
        let (Some(first), Some(second)) = (list.get(*a), list.get(*b)) else { return a.cmp(b) };
        match (first.covers(aim), second.covers(aim)) {
            (true, true) => first.objective.total_cmp(&second.objective).then(a.cmp(b)),
            (false, false) => second
                .lower
                .total_cmp(&first.lower)
                .then(first.objective.total_cmp(&second.objective))
                .then(a.cmp(b)),
            (true, false) => std::cmp::Ordering::Less,
            (false, true) => std::cmp::Ordering::Greater,
        }
    });
    order
}

/// Which candidates no other beats: none covers as much, with as small a margin on average and as small a rise from
/// trough to peak, and is better in one of the three.
pub fn frontier(list: &[Figures]) -> Vec<bool> {
    let beats = |a: &Figures, b: &Figures| {
        let (own, other) =
            (a.peak_to_trough.unwrap_or(f64::INFINITY), b.peak_to_trough.unwrap_or(f64::INFINITY));
        a.coverage >= b.coverage
            && a.average <= b.average
            && own <= other
            && (a.coverage > b.coverage || a.average < b.average || own < other)
    };
    list.iter().map(|own| !list.iter().any(|other| beats(other, own))).collect()
}

/// One fold of a walk forward.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// The instant at which it begins: margins set from here on are its own, seconds since 1970.
    pub from: f64,
    /// Days that the choice was made on.
    pub fit_days: usize,
    /// Index of the candidate chosen.
    pub chosen: usize,
    /// Whether it covered what it must on the days it was chosen on.
    pub covered: bool,
    /// The days tested, under it.
    pub tested: Vec<Observed>,
}

/// Chooses before each fold and tests in it. `paths` are the days of the candidates, the same ones for all; `starts`
/// are the instants at which folds begin, rising. A fold with fewer than [`FEWEST_DAYS`] before it, or no day in
/// it, is left out.
///
/// # Errors
///
/// None but those of [`figures`].
pub fn walk_forward(
    paths: &[Vec<Observed>],
    bars: &Bars,
    length: usize,
    starts: &[f64],
    aim: &Aim,
) -> Result<Vec<Fold>> {
    let known_at = |day: &Observed| day.known.checked_sub(1).and_then(|bar| bars.instants.get(bar)).copied();
    let ended_at = |day: &Observed| bars.instants.get(day.known + length - 1).copied();
    let mut folds = Vec::new();
    for (place, from) in starts.iter().enumerate() {
        let until = starts.get(place + 1).copied().unwrap_or(f64::INFINITY);
        let fit = |day: &&Observed| ended_at(day).is_some_and(|end| end <= *from);
        let test = |day: &&Observed| known_at(day).is_some_and(|known| known >= *from && known < until);
        let Some(any) = paths.first() else { break };
        let fit_days = any.iter().filter(fit).count();
        if fit_days < FEWEST_DAYS || !any.iter().any(|day| test(&day)) {
            continue;
        }
        let before = paths
            .iter()
            .map(|path| figures(&path.iter().filter(fit).copied().collect::<Vec<_>>(), length, aim))
            .collect::<Result<Vec<_>>>()?;
        let Some(chosen) = ranked(&before, aim).first().copied() else { continue };
        let tested = paths.get(chosen).map(|path| path.iter().filter(test).copied().collect());
        folds.push(Fold {
            from: *from,
            fit_days,
            chosen,
            covered: before.get(chosen).is_some_and(|own| own.covers(aim)),
            tested: tested.unwrap_or_default(),
        });
    }
    Ok(folds)
}

/// Keeps the days that every path has: candidates are compared on the same ones.
pub fn in_common(paths: &mut [Vec<Observed>]) {
    let Some(first) = paths.first() else { return };
    let mut common: Vec<usize> = first.iter().map(|day| day.known).collect();
    for path in paths.iter() {
        common.retain(|known| path.binary_search_by_key(known, |day| day.known).is_ok());
    }
    for path in paths {
        path.retain(|day| common.binary_search(&day.known).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: Aim = Aim { coverage: 0.9, shortfall_weight: 10.0, rise_weight: 1.0 };

    fn days(margins: &[f64], losses: &[f64]) -> Vec<Observed> {
        let pairs = margins.iter().zip(losses).enumerate();
        pairs
            .map(|(known, (margin, loss))| Observed { known: known + 1, margin: *margin, loss: *loss })
            .collect()
    }

    fn bars(count: usize) -> Bars {
        Bars {
            factors: Vec::new(),
            instants: (0..count).map(|bar| bar as f64).collect(),
            step_days: 1.0,
            moves: Vec::new(),
            usable: vec![true; count],
            forecasts: Vec::new(),
            long_run: Vec::new(),
            filled: Vec::new(),
        }
    }

    #[test]
    fn the_objective_is_the_margin_and_what_is_lost_and_raised_with_their_weights() {
        let found = figures(&days(&[1.0, 1.0, 2.0, 2.0], &[0.5, 1.5, 0.0, 2.0]), 1, &AIM).unwrap();
        assert_eq!((found.exceeded, found.coverage, found.average), (1, 0.75, 1.5));
        assert_eq!((found.shortfall, found.rise, found.peak_to_trough), (0.125, 1.0, Some(2.0)));
        assert_eq!(found.objective, 1.5 + 10.0 * 0.125 + 1.0);
        // Clopper and Pearson: at most one of four has 5 % where (1-r)^4 + 4 r (1-r)^3 = 0.05
        let rate = 1.0 - found.lower;
        let likely = (1.0 - rate).powi(4) + 4.0 * rate * (1.0 - rate).powi(3);
        assert!((likely - 0.05).abs() < 1e-12 && (rate - 0.751_395).abs() < 1e-6, "{rate}");
    }

    #[test]
    fn what_covers_comes_first_and_what_is_beaten_is_not_on_the_frontier() {
        let losses = vec![0.0; 60];
        let cheap = figures(&days(&[1.0; 60], &losses), 1, &AIM).unwrap();
        let dear = figures(&days(&[2.0; 60], &losses), 1, &AIM).unwrap();
        let thin = figures(&days(&[0.5; 60], &[0.6; 60]), 1, &AIM).unwrap();
        let list = [thin, dear, cheap];
        assert_eq!(ranked(&list, &AIM), [2, 1, 0]);
        assert_eq!(frontier(&list), [true, false, true]);
    }

    #[test]
    fn a_fold_is_chosen_on_days_that_had_ended_and_tested_on_none_of_them() {
        // the first candidate is cheaper before the fold, and does not cover in it
        let count = 300;
        let losses: Vec<f64> = (0..count).map(|day| if day < 280 { 0.5 } else { 1.5 }).collect();
        let paths = [days(&vec![1.0; count], &losses), days(&vec![2.0; count], &losses)];
        let folds = walk_forward(&paths, &bars(count + 1), 1, &[100.0, 279.0], &AIM).unwrap();
        assert_eq!(folds.len(), 1, "100 days are too few to choose on");
        let fold = &folds[0];
        assert_eq!((fold.fit_days, fold.chosen, fold.covered), (279, 0, true));
        assert_eq!(fold.tested.iter().filter(|day| day.loss > day.margin).count(), 20);
        // a loss that the choice did not know is known to no fit day: nothing of the fold moves the choice
        let mut later = paths.clone();
        for day in later.iter_mut().flatten().filter(|day| day.known > 279) {
            day.loss = 0.0;
        }
        let again = walk_forward(&later, &bars(count + 1), 1, &[279.0], &AIM).unwrap();
        assert_eq!((again[0].chosen, again[0].fit_days), (fold.chosen, fold.fit_days));
    }

    #[test]
    fn candidates_are_compared_on_the_days_that_all_have() {
        let mut paths = [days(&[1.0; 5], &[0.0; 5]), days(&[1.0; 5], &[0.0; 5]).split_off(2)];
        in_common(&mut paths);
        assert_eq!(paths[0].iter().map(|day| day.known).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(paths[0], paths[1]);
    }
}
