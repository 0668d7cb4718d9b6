//! One history of several: an older source before a newer one, joined where both know a level.
//!
//! Two sources quote one coin at different levels: another currency, another venue, another hour. The older one is
//! scaled to the newer one on the first date that both have, so that every move is one source's own and the step
//! between them is none.

use std::collections::BTreeMap;

use super::levels::{hash, instant_of, sortable};
use super::{Factor, History, Series, day_of};
use crate::error::{Error, Place, Result};
use crate::finding::{Finding, Severity};

/// Joins histories, the oldest source first: where two have a level the later source counts.
///
/// # Errors
///
/// [`Error::Missing`] for no history, or a series of two sources that have no date in common.
pub fn splice(sources: &[&History]) -> Result<History> {
    let Some((last, older)) = sources.split_last() else {
        return Err(Error::Missing {
            what: "history".into(),
            why: "there is nothing to splice".into(),
            place: Place::default(),
        });
    };
    let mut joined = (*last).clone();
    for source in older.iter().rev() {
        joined = before(source, &joined)?;
    }
    joined.hash = hash(&joined);
    Ok(joined)
}

/// One source before another.
fn before(old: &History, new: &History) -> Result<History> {
    let mut places: BTreeMap<u64, (Option<usize>, Option<usize>)> = BTreeMap::new();
    for (bar, instant) in old.instants.iter().enumerate() {
        places.entry(sortable(*instant)).or_default().0 = Some(bar);
    }
    for (bar, instant) in new.instants.iter().enumerate() {
        places.entry(sortable(*instant)).or_default().1 = Some(bar);
    }
    let mut findings: Vec<Finding> = old.findings.iter().chain(&new.findings).cloned().collect();
    let mut factors: Vec<Factor> = old.series.iter().map(|own| own.factor.clone()).collect();
    factors.extend(
        new.series.iter().filter(|own| old.series_of(&own.factor).is_none()).map(|own| own.factor.clone()),
    );
    let mut series = Vec::with_capacity(factors.len());
    for factor in factors {
        let (first, second) = (old.series_of(&factor), new.series_of(&factor));
        let at = |own: Option<&Series>, bar: Option<usize>| {
            own.zip(bar).and_then(|(own, bar)| own.levels.get(bar).copied().flatten())
        };
        let pairs: Vec<(Option<f64>, Option<f64>)> =
            places.values().map(|(bar, other)| (at(first, *bar), at(second, *other))).collect();
        let both = pairs.iter().position(|pair| pair.0.is_some() && pair.1.is_some());
        let has = |side: fn(&(Option<f64>, Option<f64>)) -> bool| pairs.iter().any(side);
        let join = match both.and_then(|place| Some((place, pairs.get(place)?.0?, pairs.get(place)?.1?))) {
            Some(join) => Some(join),
            None if has(|pair| pair.0.is_some()) && has(|pair| pair.1.is_some()) => {
                return Err(Error::Missing {
                    what: format!("a date on which both sources know {factor}"),
                    why: "without one the step between them would count as a move; give the later source one day more, such as its opening price as the close of the day before".into(),
                    place: Place::default(),
                });
            }
            None => None,
        };
        let levels = pairs.iter().enumerate().map(|(bar, (older, newer))| match join {
            Some((place, from, to)) if bar < place => {
                older.map(|level| if factor.is_ratio() { level * (to / from) } else { level + (to - from) })
            }
            Some(_) => *newer,
            None => older.or(*newer),
        });
        series.push(Series { levels: levels.collect(), factor: factor.clone() });
        if let Some((place, from, to)) = join {
            let day = places.keys().nth(place).map_or_else(String::new, |key| day_of(instant_of(*key)));
            findings.push(said(&factor, &day, (from, to)));
        }
    }
    Ok(History {
        hash: String::new(),
        instants: places.keys().map(|key| instant_of(*key)).collect(),
        step_days: new.step_days,
        series,
        findings,
    })
}

fn said(factor: &Factor, day: &str, (from, to): (f64, f64)) -> Finding {
    Finding {
        severity: Severity::Info,
        sheet: "History",
        row: None,
        column: factor.to_string(),
        value: String::new(),
        code: "spliced",
        message: format!(
            "{factor} is of two sources, joined on {day}, where the older one has {from} and the newer one {to}: earlier levels are scaled to it"
        ),
        fix: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(first: usize, coin: &str, levels: &[f64]) -> History {
        History {
            hash: String::new(),
            instants: (0..levels.len()).map(|bar| (first + bar) as f64 * 86_400.0).collect(),
            step_days: 1.0,
            series: vec![Series {
                factor: Factor::price(coin),
                levels: levels.iter().copied().map(Some).collect(),
            }],
            findings: Vec::new(),
        }
    }

    #[test]
    fn a_step_between_two_sources_is_no_move() {
        let (old, new) = (history(0, "BTC", &[100.0, 110.0, 121.0]), history(2, "BTC", &[242.0, 200.0]));
        let joined = splice(&[&old, &new]).unwrap();
        let levels: Vec<f64> = joined.series[0].levels.iter().map(|level| level.unwrap()).collect();
        assert_eq!(levels, [200.0, 220.0, 242.0, 200.0]);
        assert_eq!(joined.findings.len(), 1);
        assert_ne!(joined.hash, "");
    }

    #[test]
    fn sources_that_share_no_date_are_refused_and_a_series_of_one_is_kept() {
        let (old, new) = (history(0, "BTC", &[100.0, 110.0]), history(2, "BTC", &[242.0, 200.0]));
        let refusal = splice(&[&old, &new]).unwrap_err().to_string();
        assert!(refusal.starts_with("a date on which both sources know BTC is missing"), "{refusal}");
        let other = history(2, "SOL", &[1.0, 2.0]);
        let joined = splice(&[&old, &other]).unwrap();
        assert_eq!(joined.series[1].levels, [None, None, Some(1.0), Some(2.0)]);
        assert_eq!(joined.series[0].levels, [Some(100.0), Some(110.0), None, None]);
        assert!(splice(&[]).is_err());
    }
}
