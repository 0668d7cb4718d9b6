//! Profit and loss by first and second derivatives alone, which says by how much it errs where it matters.
//!
//! Per group `a (r - 1) + b (r - 1)^2 / 2 + c (v - 1)` of the forward's ratio `r` and the volatility's ratio `v`, with
//! the settlement currency and the passing of time exact. It may look right for a value at risk and be far off for an
//! expected shortfall (methods.md section 2.6), so the scenarios of its tail are valued exactly beside it.

use super::block::{Block, Chosen, Scratch};
use super::group::Group;
use super::screen::{CONTROLS, Done, Method};
use super::{FactorMoves, JointBook, block_length};
use crate::error::Result;
use crate::numeric::accumulate::sum;
use crate::pricing::kernel::{LINE, Line};
use crate::pricing::level::Level;
use crate::threads::Workers;
use crate::watch::Watch;

/// Relative step of the differences. Errors of second differences are 1e-8 over the square of the smallest total
/// volatility, and 1e-8 of what is held by rounding.
const STEP: f64 = 1e-4;

/// Gain of a group where nothing moves but time, and its derivatives.
#[derive(Debug, Clone, Copy)]
struct Slopes {
    now: f64,
    ratio: f64,
    ratio_twice: f64,
    volatility: f64,
}

impl Slopes {
    fn new(level: Level, group: &Group) -> Result<Self> {
        let mut scratch = Scratch::new(LINE);
        let (up, down) = (1.0 + STEP, 1.0 - STEP);
        scratch.set_ratios(
            Line([1.0, up, down, 1.0, 1.0, 1.0, 1.0, 1.0]),
            Line([1.0, 1.0, 1.0, up, down, 1.0, 1.0, 1.0]),
        );
        scratch.simple(group);
        scratch.value(level, group)?;
        let [now, high, low, volatile, calm, ..] = scratch.first_gains();
        Ok(Self {
            now,
            ratio: (high - low) / (2.0 * STEP),
            ratio_twice: ((high - now) + (low - now)) / (STEP * STEP),
            volatility: (volatile - calm) / (2.0 * STEP),
        })
    }

    fn gain(&self, ratio: f64, volatility: f64) -> f64 {
        let move_size = ratio - 1.0;
        let bent = self.ratio + 0.5 * self.ratio_twice * move_size;
        self.now + bent * move_size + self.volatility * (volatility - 1.0)
    }
}

impl JointBook {
    /// Profit and loss in every scenario by delta, gamma and vega.
    pub(super) fn profits_by_slopes(
        &self,
        moves: &FactorMoves<'_>,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Vec<f64>> {
        let slopes =
            self.groups.iter().map(|group| Slopes::new(self.level, group)).collect::<Result<Vec<_>>>()?;
        let mut results = vec![0.0; moves.count()];
        let block = block_length(moves.count());
        watch.expect(results.len().div_ceil(block));
        let pieces: Vec<_> = results.chunks_mut(block).enumerate().collect();
        workers.each(pieces, |(number, results)| {
            let block = Block { level: self.level, moves, chosen: Chosen::From(number * block) };
            let mut scratch = Scratch::new(results.len());
            for (group, slopes) in self.groups.iter().zip(&slopes) {
                block.read(group, &mut scratch)?;
                scratch.gain_by(|ratio, volatility| slopes.gain(ratio, volatility));
                scratch.settle(group);
            }
            scratch.write(results);
            watch.advance(1)
        })?;
        Ok(results)
    }

    /// What profits by delta and gamma err by: the exact mean loss in the scenarios of their tail less theirs, and
    /// the largest error there and in control scenarios. `None` for other methods, whose tails are exact.
    ///
    /// # Errors
    ///
    /// As [`Self::profits`].
    pub(crate) fn check_tail(
        &self,
        moves: &FactorMoves<'_>,
        (profits, weights): (&[f64], &[(usize, f64)]),
        done: &mut Done,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<()> {
        if done.method != Method::DeltaGamma {
            return Ok(());
        }
        let mut scenarios: Vec<usize> = weights.iter().map(|(scenario, _)| *scenario).collect();
        scenarios.extend((0..CONTROLS).map(|control| control * moves.count() / CONTROLS));
        let exact = self.profits_in(moves, &scenarios, workers, watch)?;
        let off: Vec<f64> = scenarios
            .iter()
            .zip(exact)
            .map(|(scenario, exact)| profits.get(*scenario).copied().unwrap_or(f64::NAN) - exact)
            .collect();
        done.valued = scenarios.len();
        done.error = off.iter().fold(0.0, |largest: f64, off| largest.max(off.abs()));
        done.difference = Some(sum(weights.iter().zip(&off).map(|((_, weight), off)| weight * off)));
        Ok(())
    }
}
