//! What is noticed about the levels of a history.

use super::bars::{LARGEST_STEP, SMALLEST_STEP};
use super::{History, SECONDS_OF_A_DAY, SHEET, Series, day_of};
use crate::error::{Error, Place};
use crate::finding::{Finding, Severity};

/// A level so many times the one before it, or so many times less, looks like a decimal point in the wrong place.
const JUMP: f64 = 5.0;

/// A finding about a column, or about the history as a whole.
pub(super) fn finding(
    severity: Severity,
    column: &str,
    code: &'static str,
    message: String,
    fix: &str,
) -> Finding {
    Finding {
        severity,
        sheet: SHEET,
        row: None,
        column: column.to_owned(),
        value: String::new(),
        code,
        message,
        fix: fix.to_owned(),
    }
}

/// Gaps, uneven steps, and of each series: young, ended, incomplete, stale, jumping.
pub(super) fn of_levels(history: &History) -> Vec<Finding> {
    let mut found = about_steps(history);
    for own in &history.series {
        about_series(history, own, &mut found);
    }
    found
}

fn about_steps(history: &History) -> Vec<Finding> {
    let mut found = Vec::new();
    let step_days = history.step_days;
    let days = |pair: &&[f64]| (pair[1] - pair[0]) / SECONDS_OF_A_DAY;
    let pairs = || history.instants.windows(2);
    let holes: Vec<&[f64]> = pairs().filter(|pair| days(pair) > LARGEST_STEP * step_days).collect();
    if let Some(first) = holes.first() {
        let message = format!(
            "{} places have no bar for more than {:.4} days, the first after {}; no move is made across them",
            holes.len(),
            LARGEST_STEP * step_days,
            day_of(first[0])
        );
        let fix = "complete the history, or name a proxy in the rulebook";
        found.push(finding(Severity::Warning, "", "gap", message, fix));
    }
    let close: Vec<&[f64]> = pairs().filter(|pair| days(pair) < SMALLEST_STEP * step_days).collect();
    if let Some(first) = close.first() {
        let message = format!(
            "{} bars come within half of the usual {step_days:.4} days after another, the first on {}; their moves are left out",
            close.len(),
            day_of(first[0])
        );
        let fix = "give bars of one step, or let CM_HISTORY take the last of each by the option step, such as step=1 for days";
        found.push(finding(Severity::Warning, "", "mixed_steps", message, fix));
    }
    found
}

fn about_series(history: &History, own: &Series, found: &mut Vec<Finding>) {
    let name = own.factor.to_string();
    let mut add = |severity, code, message: String, fix: &str| {
        found.push(finding(severity, &name, code, message, fix));
    };
    let known: Vec<usize> =
        own.levels.iter().enumerate().filter(|(_, level)| level.is_some()).map(|(bar, _)| bar).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        let message = format!("{name} has no level at all");
        add(Severity::Warning, "empty_series", message, "remove the column or fill it");
        return;
    };
    let at = |bar: usize| history.instants.get(bar).map_or_else(String::new, |instant| day_of(*instant));
    if *first > 0 {
        let message = format!("{name} begins on {}, {first} bars after the history", at(*first));
        let fix = "a proxy stands in where the rulebook names one; nothing is filled with zeros";
        add(Severity::Warning, "new_listing", message, fix);
    }
    if *last + 1 < own.levels.len() {
        let message = format!("{name} ends on {}, before the history does", at(*last));
        add(Severity::Warning, "series_ends", message, "complete it, or leave it out");
    }
    let missing = last + 1 - first - known.len();
    if missing > 0 {
        let message = format!("{name} lacks {missing} bars between {} and {}", at(*first), at(*last));
        let fix = "dates without it are left out, or a proxy stands in";
        add(Severity::Warning, "bars_missing", message, fix);
    }
    let (repeated, begins) = longest_repeat(&own.levels);
    if repeated > 1 {
        let message = format!("{name} repeats one level {repeated} times in a row, from {} on", at(begins));
        let fix = "levels repeated more often than the rulebook allows do not count";
        add(Severity::Warning, "stale", message, fix);
    }
    if own.factor.is_ratio() {
        let jumps = jumps(own);
        if let Some((bar, from, to)) = jumps.first() {
            let message = format!(
                "{name} goes from {from} to {to} on {}{}: a factor of {JUMP} or more in one bar",
                at(*bar),
                if jumps.len() > 1 {
                    format!(" and jumps {} times more", jumps.len() - 1)
                } else {
                    String::new()
                }
            );
            let fix = "see whether a decimal point is in the wrong place or the contract was renamed; the move counts as it stands";
            add(Severity::Warning, "jump", message, fix);
        }
    }
}

/// Bars whose level is a large multiple or a small part of the last one that is known.
fn jumps(own: &Series) -> Vec<(usize, f64, f64)> {
    let mut before: Option<f64> = None;
    let mut found = Vec::new();
    for (bar, level) in own.levels.iter().enumerate() {
        let Some(level) = *level else { continue };
        if let Some(from) = before
            && !(1.0 / JUMP < level / from && level / from < JUMP)
        {
            found.push((bar, from, level));
        }
        before = Some(level);
    }
    found
}

/// How often one level follows itself at most, and the bar at which it first stands.
fn longest_repeat(levels: &[Option<f64>]) -> (usize, usize) {
    let (mut longest, mut run, mut begins, mut longest_begins) = (0, 0, 0, 0);
    let mut before: Option<f64> = None;
    for (bar, level) in levels.iter().enumerate() {
        let Some(level) = *level else { continue };
        if before == Some(level) {
            run += 1;
        } else {
            (run, begins) = (0, bar);
        }
        if run > longest {
            (longest, longest_begins) = (run, begins);
        }
        before = Some(level);
    }
    (longest, longest_begins)
}

/// A refusal for a series that is asked for and not there.
pub(crate) fn missing_series(factor: &super::Factor, history: &History) -> Error {
    let known: Vec<String> = history.series.iter().map(|series| series.factor.to_string()).collect();
    Error::Missing {
        what: format!("history of {factor}"),
        why: format!("the history has {}", known.join(", ")),
        place: Place::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Factor;
    use super::*;

    fn history(days: &[f64], levels: &[f64]) -> History {
        let series =
            Series { factor: Factor::price("BTC"), levels: levels.iter().map(|l| Some(*l)).collect() };
        let instants = days.iter().map(|day| day * SECONDS_OF_A_DAY).collect();
        super::super::levels::history(instants, vec![series], Vec::new())
    }

    #[test]
    fn a_decimal_point_in_the_wrong_place_is_a_jump_twice() {
        let found = of_levels(&history(&[1.0, 2.0, 3.0, 4.0], &[95_000.0, 9_510.0, 95_200.0, 95_100.0]));
        assert_eq!(found.iter().map(|own| own.code).collect::<Vec<_>>(), ["jump"]);
        assert!(found[0].message.contains("from 95000 to 9510 on 1970-01-03 and jumps 1 times more"));
    }

    #[test]
    fn bars_that_come_too_soon_and_too_late_are_told_apart() {
        let found = of_levels(&history(&[1.0, 1.25, 1.5, 1.55, 1.8, 3.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(found.iter().map(|own| own.code).collect::<Vec<_>>(), ["gap", "mixed_steps"]);
    }
}
