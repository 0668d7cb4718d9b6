//! Lines of a book under scenarios of all risk factors together, by full revaluation.
//!
//! Lines that move by the same factors form a group. A block of scenarios stays in the nearest cache while a
//! group's factors are combined once and each of its strikes is valued, call and put from one out-of-the-money value;
//! blocks run in parallel. What a scenario gives does not depend on the block it is in, so neither the number of
//! threads nor the choice of scenarios changes a bit. Memory is a number per scenario, never one per line and
//! scenario.

mod block;
mod columns;
mod delta_gamma;
mod group;
mod line;
mod measure;
mod moves;
mod plain;
mod screen;
mod surrogate;
#[cfg(test)]
mod tests;

pub use line::{Basis, Body, Combination, ForwardMove, Line, OptionLine};
pub use measure::{Asked, Measured};
pub use moves::{FactorMoves, KeptMoves};
pub use screen::{Done, Method, Need, Priced};

use block::{Block, Chosen, Scratch};
use group::{Group, Place};

use crate::error::Result;
use crate::numeric::accumulate::sum;
use crate::pricing::level::Level;
use crate::threads::Workers;
use crate::watch::Watch;

/// Strikes that are weighed in one piece of work.
const STRIKES_PER_PIECE: usize = 128;
/// Scenarios of a block: with a group's factors they fill half of a core's nearest cache.
const BLOCK: usize = 512;
/// The same where scenarios are few, so that there are blocks for several threads.
const SMALL_BLOCK: usize = 128;
/// Scenarios from which blocks are large.
const MANY: usize = 16_384;
/// Values of a strike below which handing work to other threads costs more.
const WORTH_SHARING: usize = 20_000;

/// Lines grouped by the factors that move them.
#[derive(Debug, Clone)]
pub struct JointBook {
    level: Level,
    groups: Vec<Group>,
    places: Vec<Place>,
}

impl JointBook {
    /// Groups lines and nets their options.
    ///
    /// # Errors
    ///
    /// None that lines with finite numbers can cause.
    pub fn new(level: Level, lines: &[Line]) -> Result<Self> {
        let (groups, places) = group::grouped(level, lines)?;
        Ok(Self { level, groups, places })
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// How many different strikes are valued in a scenario.
    pub fn strike_count(&self) -> usize {
        self.groups.iter().map(Group::strike_count).sum()
    }

    /// Profit and loss of all lines together in every scenario.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a factor without moves, [`Error::NoAnswer`] once `watch` was stopped.
    pub(crate) fn profits(
        &self,
        moves: &FactorMoves<'_>,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Vec<f64>> {
        if let Some(known) = self.plain_profits(moves, watch)? {
            return Ok(known);
        }
        let mut results = vec![0.0; moves.count()];
        let block = block_length(moves.count());
        watch.expect(results.len().div_ceil(block));
        let pieces: Vec<_> = results.chunks_mut(block).enumerate().collect();
        self.worth(moves.count(), workers).each(pieces, |(number, results)| {
            let chosen = Chosen::From(number * block);
            self.block(moves, chosen, results, watch)?;
            watch.advance(1)
        })?;
        Ok(results)
    }

    /// The same in some scenarios, to the same bits.
    pub(crate) fn profits_in(
        &self,
        moves: &FactorMoves<'_>,
        scenarios: &[usize],
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Vec<f64>> {
        let mut results = vec![0.0; scenarios.len()];
        let block = block_length(scenarios.len());
        watch.expect(results.len().div_ceil(block));
        let pieces: Vec<_> = results.chunks_mut(block).zip(scenarios.chunks(block)).collect();
        self.worth(scenarios.len(), workers).each(pieces, |(results, scenarios)| {
            self.block(moves, Chosen::These(scenarios), results, watch)?;
            watch.advance(1)
        })?;
        Ok(results)
    }

    fn block(
        &self,
        moves: &FactorMoves<'_>,
        chosen: Chosen<'_>,
        results: &mut [f64],
        watch: &Watch,
    ) -> Result<()> {
        let mut scratch = Scratch::new(results.len());
        for group in &self.groups {
            watch.check()?;
            let block = Block { level: self.level, moves, chosen };
            block.add(group, &mut scratch)?;
        }
        scratch.write(results);
        Ok(())
    }

    /// Each line's profit and loss in some scenarios, times their weights and added.
    ///
    /// # Errors
    ///
    /// As [`Self::profits`].
    pub(crate) fn weighed(
        &self,
        moves: &FactorMoves<'_>,
        weights: &[(usize, f64)],
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Vec<f64>> {
        let scenarios: Vec<usize> = weights.iter().map(|(scenario, _)| *scenario).collect();
        let weights: Vec<f64> = weights.iter().map(|(_, weight)| *weight).collect();
        let block = Block { level: self.level, moves, chosen: Chosen::These(&scenarios) };
        let mut found: Vec<Vec<(f64, f64)>> =
            self.groups.iter().map(|group| vec![(0.0, 0.0); group.strike_count()]).collect();
        let mut sums = vec![block::Sums::default(); self.groups.len()];
        watch.expect(self.groups.len());
        let mut pieces = Vec::new();
        for ((group, found), sums) in self.groups.iter().zip(&mut found).zip(&mut sums) {
            let mut rest = Some(sums);
            if found.is_empty() {
                pieces.push((group, 0, &mut [][..], rest.take()));
            }
            for (number, part) in found.chunks_mut(STRIKES_PER_PIECE).enumerate() {
                pieces.push((group, number * STRIKES_PER_PIECE, part, rest.take()));
            }
        }
        self.worth(scenarios.len(), workers).each(pieces, |(group, first, found, sums)| {
            let own = block.weighed(group, &weights, first, found)?;
            match sums {
                Some(sums) => {
                    *sums = own;
                    watch.advance(1)
                }
                None => watch.check(),
            }
        })?;
        let of = |place: &Place| -> Option<f64> {
            let sums = sums.get(place.group)?;
            let strikes = found.get(place.group)?;
            place.weighed(sums, strikes)
        };
        Ok(self.places.iter().map(|place| of(place).unwrap_or(f64::NAN)).collect())
    }

    /// The calling thread alone where the work is too small to share.
    fn worth(&self, scenarios: usize, workers: &Workers) -> Workers {
        if scenarios * self.strike_count() < WORTH_SHARING { Workers::Here } else { workers.clone() }
    }

    /// Gross size of what is held today: an upper bound of rounding is a few units in its last place.
    fn scale(&self) -> f64 {
        sum(self.groups.iter().map(Group::scale))
    }
}

fn block_length(count: usize) -> usize {
    if count >= MANY { BLOCK } else { SMALL_BLOCK }
}
