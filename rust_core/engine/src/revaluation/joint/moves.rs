//! Moves of risk factors as columns, checked once.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::error::{Error, Place, Result, check_finite};
use crate::pricing::kernel::{self, Line, lines};
use crate::pricing::level::{Level, level};
use crate::threads::Workers;

/// Numbers that are looked at side by side.
const LANES: usize = 16;
/// Numbers below which handing work to other threads costs more.
const WORTH_SHARING: usize = 100_000;

/// Moves of risk factors, factor by factor, scenario by scenario: logarithms of ratios, for a basis differences.
#[derive(Debug, Clone)]
pub struct FactorMoves<'a> {
    rows: Vec<&'a [f64]>,
    count: usize,
    /// Smallest and largest move of each factor.
    ranges: Cow<'a, [(f64, f64)]>,
    kept: Option<&'a KeptMoves>,
}

/// What was found out about moves that many books are valued under, by the first of them: the moves must stay.
#[derive(Debug, Default)]
pub struct KeptMoves {
    ranges: OnceLock<Vec<(f64, f64)>>,
    /// `e^move` of each factor, to the bits of the machine's own level.
    ratios: OnceLock<Vec<OnceLock<Vec<Line>>>>,
}

/// A copy has found out nothing yet: its moves may be changed.
impl Clone for KeptMoves {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What was found out is a matter of the moves.
impl PartialEq for KeptMoves {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<'a> FactorMoves<'a> {
    /// Takes a row per factor.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a row of another length than the first, [`Error::OutOfRange`] with factor and scenario
    /// for a move that is not finite, or for no threads.
    pub fn new(rows: Vec<&'a [f64]>, threads: Option<usize>) -> Result<Self> {
        let count = rows.first().map_or(0, |row| row.len());
        Self::with_count(rows, count, threads)
    }

    /// The same where there may be no factor at all.
    ///
    /// # Errors
    ///
    /// As [`FactorMoves::new`].
    pub fn with_count(rows: Vec<&'a [f64]>, count: usize, threads: Option<usize>) -> Result<Self> {
        for (factor, row) in rows.iter().enumerate() {
            if row.len() != count {
                let name = format!("moves of factor {factor}");
                return Err(Error::Shape { name, found: row.len(), expected: count });
            }
        }
        let workers = if rows.len() * count < WORTH_SHARING { Workers::Here } else { Workers::new(threads)? };
        let mut ranges = vec![(0.0, 0.0); rows.len()];
        let pieces: Vec<_> = rows.iter().zip(&mut ranges).enumerate().collect();
        workers.each(pieces, |(factor, (row, range))| {
            *range = match range_of(row) {
                Some(range) => range,
                None => return Err(refusal(factor, row)),
            };
            Ok(())
        })?;
        Ok(Self { rows, count, ranges: ranges.into(), kept: None })
    }

    /// The same moves as before, looked at once.
    ///
    /// # Errors
    ///
    /// As [`FactorMoves::new`].
    pub fn known(rows: Vec<&'a [f64]>, count: usize, kept: &'a KeptMoves) -> Result<Self> {
        let ranges = match kept.ranges.get() {
            Some(ranges) if ranges.len() == rows.len() => ranges,
            _ => {
                let found = Self::with_count(rows.clone(), count, None)?.ranges;
                kept.ranges.get_or_init(|| found.into_owned())
            }
        };
        Ok(Self { rows, count, ranges: ranges.as_slice().into(), kept: Some(kept) })
    }

    /// How many scenarios there are.
    pub fn count(&self) -> usize {
        self.count
    }

    pub(super) fn row(&self, factor: usize) -> Result<&'a [f64]> {
        self.rows.get(factor).copied().ok_or_else(|| Error::Missing {
            what: format!("moves of factor {factor}"),
            why: format!("{} factors are given", self.rows.len()),
            place: Place::default(),
        })
    }

    /// `e^move` of a factor, where moves are kept for many books and `asked` is the level of the machine.
    pub(super) fn ratios(&self, asked: Level, factor: usize) -> Result<Option<&'a [Line]>> {
        let Some(kept) = self.kept.filter(|_| asked == level()) else { return Ok(None) };
        let all = kept.ratios.get_or_init(|| self.rows.iter().map(|_| OnceLock::new()).collect());
        let Some(own) = all.get(factor) else { return Ok(None) };
        if let Some(known) = own.get() {
            return Ok(Some(known));
        }
        let moves = lines(self.row(factor)?.iter().copied(), 0.0);
        let mut ratios = vec![Line::default(); moves.len()];
        kernel::exponentials(asked, &moves, &mut ratios)?;
        Ok(Some(own.get_or_init(|| ratios)))
    }

    /// Bounds of a weighted move.
    pub(super) fn range(&self, (factor, weight): (usize, f64)) -> (f64, f64) {
        let (low, high) = self.ranges.get(factor).copied().unwrap_or_default();
        if weight < 0.0 { (weight * high, weight * low) } else { (weight * low, weight * high) }
    }
}

/// Smallest and largest; `None` if a number is not finite.
fn range_of(row: &[f64]) -> Option<(f64, f64)> {
    let (mut low, mut high, mut nothing) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES], [0.0; LANES]);
    let mut chunks = row.chunks_exact(LANES);
    let mut look = |chunk: &[f64]| {
        for (((low, high), nothing), size) in low.iter_mut().zip(&mut high).zip(&mut nothing).zip(chunk) {
            *low = if *size < *low { *size } else { *low };
            *high = if *size > *high { *size } else { *high };
            // stays zero as long as every number is finite
            *nothing += *size * 0.0;
        }
    };
    for chunk in chunks.by_ref() {
        look(chunk);
    }
    look(chunks.remainder());
    let finite = nothing.iter().all(|sum| *sum == 0.0);
    let low = low.into_iter().fold(f64::INFINITY, f64::min);
    let high = high.into_iter().fold(f64::NEG_INFINITY, f64::max);
    if row.is_empty() { Some((0.0, 0.0)) } else { finite.then_some((low, high)) }
}

#[cold]
fn refusal(factor: usize, row: &[f64]) -> Error {
    let place = |scenario: usize| Place::label(format!("factor {factor}, scenario {scenario}"));
    let found = row
        .iter()
        .enumerate()
        .find_map(|(scenario, size)| check_finite("moves", *size, || place(scenario)).err());
    found.unwrap_or_else(|| Error::NoAnswer { why: "moves changed while they were read".to_owned() })
}
