//! Volatilities and correlations of risk factors by one method.

use super::Source;
use super::settings::Settings;
use crate::error::{Error, Place, Result};
use crate::history::{Bars, Factor, shown_days};
use crate::moves::{covariance_of, typed_correlations, typed_volatilities};
use crate::rulebook::tail::{CovarianceRule, Repair};
use crate::statistics::correlation_of;

/// Moves of all factors at the bars at which each has one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Returns {
    pub(super) bars: Bars,
    /// Bars that count, rising.
    pub(super) rows: Vec<usize>,
}

impl Returns {
    /// Takes the moves of the source's history, the last `window` of them where one is given.
    pub(super) fn new(source: &Source<'_>, window: Option<usize>) -> Result<Self> {
        let history = source.history.ok_or_else(|| Error::Missing {
            what: "history".into(),
            why: "estimates are made of one: give the book one by its option history, or take method=market"
                .into(),
            place: Place::default(),
        })?;
        let bars = Bars::new(&source.rule.history, history, &source.factors)?;
        let mut rows: Vec<usize> =
            bars.usable.iter().enumerate().filter(|(_, usable)| **usable).map(|(bar, _)| bar).collect();
        let known = rows.len();
        if let Some(window) = window {
            if known < window {
                return Err(Error::Missing {
                    what: "history".into(),
                    why: format!(
                        "{known} moves of all series together are known, and window is {window}{}",
                        fewest(&bars)
                    ),
                    place: Place::default(),
                });
            }
            rows.drain(..known - window);
        }
        let found = Self { bars, rows };
        for (place, factor) in found.bars.factors.iter().enumerate() {
            if found.series(place).all(|size| size == 0.0) {
                return Err(Error::NoAnswer {
                    why: format!(
                        "{factor} does not move in the {} moves that count: it has no volatility and no correlation",
                        found.rows.len()
                    ),
                });
            }
        }
        Ok(found)
    }

    /// Moves of one factor, the oldest first.
    pub(super) fn series(&self, factor: usize) -> impl Iterator<Item = f64> + '_ {
        let own = self.bars.moves.get(factor).map_or(&[][..], Vec::as_slice);
        self.rows.iter().map(|bar| own.get(*bar).copied().unwrap_or(f64::NAN))
    }

    /// Moves row by row.
    fn flat(&self) -> Vec<f64> {
        let factors = 0..self.bars.factors.len();
        let at = |factor: usize, bar: usize| {
            self.bars.moves.get(factor).and_then(|own| own.get(bar)).copied().unwrap_or(f64::NAN)
        };
        self.rows.iter().flat_map(|bar| factors.clone().map(|factor| at(factor, *bar))).collect()
    }

    /// Covariance of moves of one bar.
    pub(super) fn covariance(&self, method: CovarianceRule, decay: f64) -> Result<Vec<f64>> {
        covariance_of(&self.flat(), self.bars.factors.len(), method, decay)
    }
}

/// The series that has the fewest moves, where there are several.
fn fewest(bars: &Bars) -> String {
    let moves = |own: &Vec<f64>| own.iter().filter(|size| **size != 0.0).count();
    let counted = bars.factors.iter().zip(&bars.moves).map(|(factor, own)| (factor, moves(own)));
    match counted.min_by_key(|(_, count)| *count) {
        Some((factor, count)) if bars.factors.len() > 1 => {
            format!("; {factor} has the fewest, {count}: it is young, stale or has gaps (CM_CHECK)")
        }
        _ => String::new(),
    }
}

/// An estimate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Estimate {
    pub(super) factors: Vec<Factor>,
    /// Volatilities of a day.
    pub(super) volatilities: Vec<f64>,
    /// Row by row.
    pub(super) correlation: Vec<f64>,
    /// What it is made of.
    pub(super) note: String,
}

impl Estimate {
    pub(super) fn new(source: &Source<'_>, settings: &Settings) -> Result<Self> {
        if settings.method == CovarianceRule::Market {
            return Self::typed(source, source.rule.simulation.repair);
        }
        let returns = Returns::new(source, settings.window)?;
        Self::of(&returns, settings.method, settings.decay)
    }

    /// By a method and a decay of moves.
    pub(super) fn of(returns: &Returns, method: CovarianceRule, decay: f64) -> Result<Self> {
        let count = returns.bars.factors.len();
        let (volatilities, mut correlation) = correlation_of(&returns.covariance(method, decay)?, count)?;
        // the two divisions of a pair may round differently
        for place in 0..correlation.len() {
            let mirrored = (place % count) * count + place / count;
            if let Some(value) = correlation.get(mirrored).copied().filter(|_| mirrored < place)
                && let Some(slot) = correlation.get_mut(place)
            {
                *slot = value;
            }
        }
        let root = returns.bars.step_days.sqrt();
        let word = CovarianceRule::ALL.iter().find(|(_, own)| *own == method).map_or("", |(word, _)| word);
        let weights = if method == CovarianceRule::Ewma { format!(", decay {decay}") } else { String::new() };
        Ok(Self {
            factors: returns.bars.factors.clone(),
            volatilities: volatilities.iter().map(|own| own / root).collect(),
            correlation,
            note: format!(
                "{word} of {} moves of {} d{weights}",
                returns.rows.len(),
                shown_days(returns.bars.step_days)
            ),
        })
    }

    /// As typed on the market table.
    pub(super) fn typed(source: &Source<'_>, repair: Repair) -> Result<Self> {
        if source.book.is_none() {
            return Err(Error::NotCovered {
                what: "method market".into(),
                why: "a history has no market table; give a book".into(),
                place: Place::default(),
            });
        }
        let coins: Vec<&str> = source.factors.iter().map(|factor| factor.coin.as_str()).collect();
        let volatilities = typed_volatilities(&source.market, &source.factors, 1.0)?;
        let matrix = typed_correlations(&source.market, &coins, repair)?;
        Ok(Self {
            factors: source.factors.clone(),
            volatilities,
            correlation: matrix.used,
            note: "as typed on the Market sheet".into(),
        })
    }

    /// The correlation of two factors by their places.
    pub(super) fn correlation_of(&self, row: usize, column: usize) -> f64 {
        self.correlation.get(row * self.factors.len() + column).copied().unwrap_or(f64::NAN)
    }
}
