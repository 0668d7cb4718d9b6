//! Several accounts together: exceedances of one day are one event (methods.md section 4.4).

use super::Run;
use super::verdicts::Row;
use crate::history::Bars;
use crate::random::{Purpose, Stream};

/// Histories of dates that are drawn.
const DRAWN: usize = 2_000;
/// Dates that are drawn together, so that what follows each other stays together.
const BLOCK: usize = 10;
const SEED: u64 = 20_121_990;

/// Account-days and dates of several pools together.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Dates on which at least one pool was tested.
    pub dates: usize,
    /// Dates with an exceedance.
    pub dates_exceeded: usize,
    /// Pools times days.
    pub account_days: usize,
    /// Exceedances among them.
    pub exceeded: usize,
    /// The most on one date.
    pub most: usize,
    /// Rate that 95 % of the histories drawn in blocks of dates stay above.
    pub low: f64,
    /// Rate that 95 % of them stay below.
    pub high: f64,
}

/// Counts exceedances of pools by date, and draws dates in blocks for an interval of their rate.
pub fn pooled(runs: &[Run], bars: &Bars) -> Pooled {
    let mut by_date = vec![(0_usize, 0_usize); bars.count() + 1];
    for day in runs.iter().flat_map(|run| &run.days) {
        if let Some((tested, exceeded)) = by_date.get_mut(day.known) {
            *tested += 1;
            *exceeded += usize::from(day.exceeded());
        }
    }
    by_date.retain(|(tested, _)| *tested > 0);
    let account_days = by_date.iter().map(|date| date.0).sum();
    let exceeded = by_date.iter().map(|date| date.1).sum();
    let mut rates: Vec<f64> = (0..DRAWN).map(|path| drawn(&by_date, path as u64)).collect();
    rates.sort_by(f64::total_cmp);
    let end = |share: usize| rates.get((DRAWN * share / 100).min(DRAWN - 1)).copied().unwrap_or(f64::NAN);
    Pooled {
        dates: by_date.len(),
        dates_exceeded: by_date.iter().filter(|date| date.1 > 0).count(),
        account_days,
        exceeded,
        most: by_date.iter().map(|date| date.1).max().unwrap_or(0),
        low: end(5),
        high: end(95),
    }
}

/// The rate of one history: blocks of dates that follow each other, the last ones followed by the first.
fn drawn(by_date: &[(usize, usize)], path: u64) -> f64 {
    let count = by_date.len().max(1);
    let mut bits = vec![0; count.div_ceil(BLOCK)];
    Stream { seed: SEED, purpose: Purpose::Paths, step: 1, dimension: path }.fill(0, &mut bits);
    let (mut tested, mut exceeded) = (0, 0);
    for word in &bits {
        #[expect(clippy::cast_possible_truncation, reason = "below the number of dates")]
        let first = (word % count as u64) as usize;
        for (own, beyond) in by_date.iter().cycle().skip(first).take(BLOCK) {
            tested += own;
            exceeded += beyond;
        }
    }
    exceeded as f64 / f64::from(u32::try_from(tested.max(1)).unwrap_or(u32::MAX))
}

/// What the pools say together.
pub fn rows(found: &Pooled, target: f64) -> Vec<Row> {
    let rate = found.exceeded as f64 / found.account_days.max(1) as f64;
    vec![
        Row {
            statistic: Some(1.0 - rate),
            expected: Some((1.0 - target) * found.account_days as f64),
            observed: Some(found.exceeded as f64),
            ..Row::new(
                "margin coverage, pooled",
                if found.low > 1.0 - target { "rejected" } else { "accepted" },
                format!(
                    "target {target}; {} account-days; drawn in blocks of {BLOCK} dates, the coverage is from {:.3} % to {:.3} % with 90 %",
                    found.account_days,
                    100.0 * (1.0 - found.high),
                    100.0 * (1.0 - found.low)
                ),
            )
        },
        Row {
            statistic: Some(found.dates_exceeded as f64),
            observed: Some(found.exceeded as f64),
            ..Row::new(
                "exceedances by date",
                "",
                format!(
                    "{} exceedances on {} of {} dates, {} at most on one: one date is one event",
                    found.exceeded, found.dates_exceeded, found.dates, found.most
                ),
            )
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::run_of;
    use super::*;

    fn bars(count: usize) -> Bars {
        Bars {
            factors: Vec::new(),
            instants: Vec::new(),
            step_days: 1.0,
            moves: Vec::new(),
            usable: vec![true; count],
            forecasts: Vec::new(),
            long_run: Vec::new(),
            filled: Vec::new(),
        }
    }

    #[test]
    fn exceedances_of_one_date_are_one_event_and_widen_the_interval() {
        let mut losses = vec![0.0; 400];
        for day in [50, 150, 250, 350] {
            losses[day] = 2.0;
        }
        let alone = pooled(&[run_of(&losses, 1)], &bars(401));
        let alike = pooled(&vec![run_of(&losses, 1); 20], &bars(401));
        assert_eq!((alike.account_days, alike.exceeded), (8_000, 80));
        assert_eq!((alike.dates_exceeded, alike.most), (4, 20));
        // twenty accounts that lose together say no more than one of them
        assert_eq!((alike.low, alike.high), (alone.low, alone.high));
        assert!(alone.low < 0.01 && alone.high > 0.01, "{alone:?}");
    }
}
