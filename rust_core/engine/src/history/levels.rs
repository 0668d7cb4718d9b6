//! Levels while rows are read, and the history that they make.

use std::collections::BTreeMap;

use super::{Factor, History, SECONDS_OF_A_DAY, SHEET, Series};
use crate::error::{Error, Result, Sign};
use crate::finding::{Finding, Severity};

/// Bars that a history needs to have a move at all.
const FEWEST_BARS: usize = 2;

/// Levels by instant: factors in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct Levels {
    factors: Vec<Factor>,
    by_instant: BTreeMap<u64, Vec<Option<f64>>>,
    untraded: Vec<usize>,
    twice: Vec<usize>,
}

/// Instants as keys that sort as they do.
pub(super) fn sortable(instant: f64) -> u64 {
    let bits = instant.to_bits();
    if instant.is_sign_negative() { !bits } else { bits | (1 << 63) }
}

pub(super) fn instant_of(key: u64) -> f64 {
    if key >> 63 == 1 { f64::from_bits(key & !(1 << 63)) } else { f64::from_bits(!key) }
}

impl Levels {
    /// Puts a level where none is; one that is there already and differs is handed back.
    pub(super) fn put(
        &mut self,
        factor: Factor,
        instant: f64,
        level: Option<f64>,
        untraded: bool,
    ) -> std::result::Result<(), f64> {
        let index = match self.factors.iter().position(|known| *known == factor) {
            Some(index) => index,
            None => {
                self.factors.push(factor);
                self.untraded.push(0);
                self.twice.push(0);
                self.factors.len() - 1
            }
        };
        let line = self.by_instant.entry(sortable(instant)).or_default();
        if line.len() <= index {
            line.resize(index + 1, None);
        }
        let Some(slot) = line.get_mut(index) else { return Ok(()) };
        let counted = |counts: &mut Vec<usize>| {
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
        };
        match (*slot, level) {
            (_, Some(_)) if untraded => counted(&mut self.untraded),
            (Some(known), Some(level)) if known.total_cmp(&level).is_ne() => return Err(known),
            (Some(_), Some(_)) => counted(&mut self.twice),
            (None, Some(_)) => *slot = level,
            (_, None) => {}
        }
        Ok(())
    }

    /// The history of the levels, with what was noticed on the way.
    pub(super) fn finish(self, mut findings: Vec<Finding>) -> Result<History> {
        let refused = |message: String| Error::Table { table: SHEET, message, sign: Sign::NotAvailable };
        if self.by_instant.len() < FEWEST_BARS {
            return Err(refused(format!(
                "needs at least {FEWEST_BARS} dates, has {}",
                self.by_instant.len()
            )));
        }
        let moves = |place: usize| {
            self.by_instant.values().filter(|line| line.get(place).is_some_and(Option::is_some)).count()
        };
        if (0..self.factors.len()).all(|place| moves(place) < FEWEST_BARS) {
            return Err(refused("no series has levels at two dates: nothing moves".into()));
        }
        let mut about = Vec::new();
        for (factor, (untraded, twice)) in self.factors.iter().zip(self.untraded.iter().zip(&self.twice)) {
            let name = factor.to_string();
            if *untraded > 0 {
                let message =
                    format!("{name} has {untraded} bars without volume, whose price does not count");
                let fix = "see whether it was traded";
                about.push(super::notices::finding(Severity::Warning, &name, "no_volume", message, fix));
            }
            if *twice > 0 {
                let message =
                    format!("{name} has {twice} levels that stand twice and agree; they count once");
                about.push(super::notices::finding(Severity::Info, &name, "twice", message, ""));
            }
        }
        about.append(&mut findings);
        let instants: Vec<f64> = self.by_instant.keys().map(|key| instant_of(*key)).collect();
        let series = self
            .factors
            .into_iter()
            .enumerate()
            .map(|(place, factor)| Series {
                factor,
                levels: self.by_instant.values().map(|line| line.get(place).copied().flatten()).collect(),
            })
            .collect();
        Ok(history(instants, series, about))
    }
}

/// A history of levels at rising instants; series are put in order and the usual step is found.
pub(super) fn history(instants: Vec<f64>, mut series: Vec<Series>, findings: Vec<Finding>) -> History {
    let mut order: Vec<String> = Vec::new();
    for own in &series {
        if !order.contains(&own.factor.coin) {
            order.push(own.factor.coin.clone());
        }
    }
    series.sort_by(|a, b| {
        let place = |own: &Series| order.iter().position(|coin| *coin == own.factor.coin);
        let (first, second) = (a.factor.within_coin(), b.factor.within_coin());
        place(a).cmp(&place(b)).then(first.0.cmp(&second.0)).then(first.1.total_cmp(&second.1))
    });
    let mut steps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let step_days = steps.get(steps.len() / 2).copied().unwrap_or(f64::NAN) / SECONDS_OF_A_DAY;
    let mut made = History { hash: String::new(), instants, step_days, series, findings };
    made.hash = hash(&made);
    made
}

pub(super) fn hash(history: &History) -> String {
    let mut hasher = blake3::Hasher::new();
    for instant in &history.instants {
        hasher.update(&instant.to_bits().to_le_bytes());
    }
    for series in &history.series {
        hasher.update(series.factor.to_string().as_bytes());
        for level in &series.levels {
            // a level that is not there is not a number, and no level is one
            hasher.update(&level.unwrap_or(f64::NAN).to_bits().to_le_bytes());
        }
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}
