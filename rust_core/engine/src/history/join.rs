//! Histories put together, and bars of a longer step.

use super::{
    History, SECONDS_OF_A_DAY, SHEET, Series, bars::LARGEST_STEP, day_of, levels::history, shown_days,
};
use crate::error::{Error, Place, Result, Sign};
use crate::finding::{Finding, Severity};

/// What happens where two histories have different levels of one series at one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clash {
    /// They are refused.
    #[default]
    Refused,
    /// The history that is named first counts, and the check says how far they differ.
    First,
}

impl Clash {
    /// Reads a word.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word.
    pub fn read(word: &str) -> Result<Self> {
        match word.trim().to_lowercase().as_str() {
            "refuse" => Ok(Self::Refused),
            "first" => Ok(Self::First),
            _ => Err(Error::Unknown {
                what: "clash",
                value: word.to_owned(),
                known: "refuse, first (the history named first counts)".into(),
            }),
        }
    }
}

/// Histories joined by date: every series of any of them, at every date of any of them.
///
/// # Errors
///
/// [`Error::Missing`] without a history; [`Error::Table`] for different steps, and where two levels of one series
/// and date differ, unless `clash` says which counts.
pub fn joined(parts: &[&History], clash: Clash) -> Result<History> {
    let Some((first, rest)) = parts.split_first() else {
        return Err(Error::Missing {
            what: "history".into(),
            why: "there is none to join".into(),
            place: Place::default(),
        });
    };
    let mut made = (*first).clone();
    for (place, part) in rest.iter().enumerate() {
        made = two(&made, part, place + 2, clash)?;
    }
    Ok(made)
}

fn two(before: &History, part: &History, number: usize, clash: Clash) -> Result<History> {
    let ratio = before.step_days / part.step_days;
    if !(1.0 / LARGEST_STEP..=LARGEST_STEP).contains(&ratio) {
        return Err(refused(format!(
            "bars of {} d and of {} d cannot be joined: read the finer one with the option step={}",
            shown_days(before.step_days),
            shown_days(part.step_days),
            shown_days(before.step_days.max(part.step_days))
        )));
    }
    let mut instants: Vec<f64> = before.instants.iter().chain(&part.instants).copied().collect();
    instants.sort_by(f64::total_cmp);
    instants.dedup();
    let mut findings = before.findings.clone();
    findings.extend(part.findings.iter().cloned());
    let mut series = Vec::with_capacity(before.series.len() + part.series.len());
    for own in &before.series {
        let other = part.series_of(&own.factor);
        let mut made = spread(&instants, before, own);
        if let Some(other) = other {
            let more = spread(&instants, part, other);
            merge(&instants, &mut made, &more, number, clash, &mut findings)?;
        }
        series.push(made);
    }
    for other in part.series.iter().filter(|other| before.series_of(&other.factor).is_none()) {
        series.push(spread(&instants, part, other));
    }
    Ok(history(instants, series, findings))
}

/// The levels of a series at more instants than its own.
fn spread(instants: &[f64], source: &History, own: &Series) -> Series {
    let mut levels = Vec::with_capacity(instants.len());
    let mut known = source.instants.iter().zip(&own.levels).peekable();
    for instant in instants {
        let level = known.next_if(|(at, _)| at.total_cmp(instant).is_eq()).and_then(|(_, level)| *level);
        levels.push(level);
    }
    Series { factor: own.factor.clone(), levels }
}

fn merge(
    instants: &[f64],
    made: &mut Series,
    more: &Series,
    number: usize,
    clash: Clash,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let name = made.factor.to_string();
    let (mut differing, mut largest, mut taken): (usize, f64, Vec<f64>) = (0, 0.0, Vec::new());
    let mut first_of_clash = f64::NAN;
    for ((slot, other), instant) in made.levels.iter_mut().zip(&more.levels).zip(instants) {
        match (*slot, *other) {
            (Some(known), Some(level)) if known.total_cmp(&level).is_ne() => {
                if clash == Clash::Refused {
                    return Err(refused(format!(
                        "{name} on {} is {known}, and {level} in history {number}: leave one out, or give clash=first to keep the one named first",
                        day_of(*instant)
                    )));
                }
                if differing == 0 {
                    first_of_clash = *instant;
                }
                differing += 1;
                largest = largest.max((level / known - 1.0).abs());
            }
            (None, Some(level)) => {
                *slot = Some(level);
                taken.push(*instant);
            }
            _ => {}
        }
    }
    let mut add = |code, message: String, fix: &str| {
        findings.push(super::notices::finding(Severity::Warning, &name, code, message, fix));
    };
    if differing > 0 {
        let message = format!(
            "{name} differs between histories on {differing} dates, first on {}, by {:.3} % at most; the history named first counts",
            day_of(first_of_clash),
            100.0 * largest
        );
        add("clash", message, "see which source is meant");
    }
    if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
        let message = format!(
            "{name} is made of two histories: {} levels from {} to {} are of history {number}; moves across a joint mix two sources",
            taken.len(),
            day_of(*first),
            day_of(*last)
        );
        add("spliced", message, "see whether both quote the same thing");
    }
    Ok(())
}

/// The last level of every period of so many days, dated by its beginning (UTC).
///
/// # Errors
///
/// [`Error::OutOfRange`] for a step that is shorter than that of the bars.
pub(super) fn resampled(given: &History, step_days: f64) -> Result<History> {
    if !(step_days.is_finite() && step_days >= given.step_days * (1.0 - 1e-9)) {
        return Err(Error::OutOfRange {
            name: "step".into(),
            value: step_days,
            must_be: "at least the days between the bars of the history",
            place: Place::label(format!("they are {} d apart", shown_days(given.step_days))),
        });
    }
    let period = step_days * SECONDS_OF_A_DAY;
    let of = |instant: &f64| (instant / period).floor() * period;
    let mut instants: Vec<f64> = given.instants.iter().map(of).collect();
    instants.dedup();
    let series: Vec<Series> = given
        .series
        .iter()
        .map(|own| {
            let mut known = given.instants.iter().zip(&own.levels).peekable();
            let last_of = |begin: &f64| {
                let mut last = None;
                while let Some((_, level)) = known.next_if(|(at, _)| of(at).total_cmp(begin).is_eq()) {
                    last = level.or(last);
                }
                last
            };
            Series { factor: own.factor.clone(), levels: instants.iter().map(last_of).collect() }
        })
        .collect();
    if instants.len() < 2 {
        return Err(refused(format!("all bars lie within one step of {step_days} d: there is no move")));
    }
    let mut findings = given.findings.clone();
    let message =
        format!("{} bars became {}: the last of every {step_days} d", given.instants.len(), instants.len());
    findings.push(super::notices::finding(Severity::Info, "", "longer_step", message, ""));
    Ok(history(instants, series, findings))
}

fn refused(message: String) -> Error {
    Error::Table { table: SHEET, message, sign: Sign::NotAvailable }
}

#[cfg(test)]
mod tests {
    use super::super::Factor;
    use super::*;

    fn of(coin: &str, days: &[(f64, f64)]) -> History {
        let levels = days.iter().map(|(_, level)| Some(*level)).collect();
        let instants = days.iter().map(|(day, _)| day * SECONDS_OF_A_DAY).collect();
        history(instants, vec![Series { factor: Factor::price(coin), levels }], Vec::new())
    }

    #[test]
    fn a_series_is_continued_by_a_second_history_and_the_check_says_so() {
        let old = of("BTC", &[(1.0, 10.0), (2.0, 11.0)]);
        let new = of("BTC", &[(2.0, 11.0), (3.0, 12.0), (4.0, 13.0)]);
        let made = joined(&[&old, &new], Clash::Refused).unwrap();
        assert_eq!(made.series[0].levels, [10.0, 11.0, 12.0, 13.0].map(Some));
        assert!(made.findings[0].message.contains("2 levels from 1970-01-04 to 1970-01-05 are of history 2"));
    }

    #[test]
    fn levels_that_differ_are_refused_unless_the_first_is_to_count() {
        let (one, other) = (of("BTC", &[(1.0, 10.0), (2.0, 11.0)]), of("BTC", &[(1.0, 10.1), (2.0, 11.0)]));
        let refusal = joined(&[&one, &other], Clash::Refused).unwrap_err().to_string();
        assert!(refusal.contains("BTC on 1970-01-02 is 10, and 10.1 in history 2"), "{refusal}");
        let made = joined(&[&one, &other], Clash::First).unwrap();
        assert_eq!(made.hash, one.hash);
        assert!(made.findings[0].message.contains("on 1 dates, first on 1970-01-02, by 1.000 % at most"));
    }

    #[test]
    fn series_of_different_histories_stand_side_by_side_with_holes_where_one_has_none() {
        let made = joined(
            &[&of("BTC", &[(1.0, 1.0), (2.0, 2.0)]), &of("ETH", &[(2.0, 5.0), (3.0, 6.0)])],
            Clash::Refused,
        )
        .unwrap();
        assert_eq!(made.series[0].levels, [Some(1.0), Some(2.0), None]);
        assert_eq!(made.series[1].levels, [None, Some(5.0), Some(6.0)]);
    }

    #[test]
    fn steps_that_differ_are_joined_after_the_finer_one_was_made_longer() {
        let days = of("BTC", &[(1.0, 10.0), (2.0, 11.0), (3.0, 12.0)]);
        let quarters: Vec<(f64, f64)> = (4..12).map(|k| (f64::from(k) / 4.0, f64::from(k))).collect();
        let fine = of("ETH", &quarters);
        let refusal = joined(&[&days, &fine], Clash::Refused).unwrap_err().to_string();
        assert!(refusal.contains("bars of 1 d and of 0.25 d cannot be joined"), "{refusal}");
        let longer = resampled(&fine, 1.0).unwrap();
        assert_eq!(longer.series[0].levels, [Some(7.0), Some(11.0)]);
        let made = joined(&[&days, &longer], Clash::Refused).unwrap();
        assert_eq!(made.series[1].levels, [Some(7.0), Some(11.0), None]);
        assert!(resampled(&days, 0.5).unwrap_err().to_string().contains("step must be at least the days"));
    }
}
