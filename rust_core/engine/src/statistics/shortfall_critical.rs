//! Critical values of Acerbi and Szekely's second statistic by simulation, for days and rates that nobody has
//! published them for (methods.md section 4.3).

use super::backtest::check_rate;
use super::check::outside;
use super::laws::{Spread, normal_tail, student_tail};
use crate::error::{Error, Result};
use crate::numeric::accumulate::sum;
use crate::random::Law;
use crate::random::counter::{Purpose, Stream};
use crate::random::mixing::Scales;
use crate::random::normal::{centred, standard_normal, standard_normals};
use crate::threads::Workers;
use crate::watch::Watch;

/// Histories that are simulated at once.
const BLOCK: usize = 256;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulation {
    /// Days of a history.
    pub days: usize,
    /// Rate of exceedances, 1 less the confidence.
    pub expected_rate: f64,
    /// Law of a day's P&L, of which the model knows value at risk and expected shortfall.
    pub law: Law,
    /// Histories.
    pub histories: usize,
    /// Seed.
    pub seed: u64,
}

/// Values below which the second statistic falls with the probabilities of `levels` if the model is right.
///
/// A value is the order statistic of the simulated histories; its own error falls with the root of their number.
/// `threads` is the largest number of workers; the answer does not depend on it.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a rate outside (0, 0.5), a level outside (0, 1), no day or history, or degrees of
/// freedom outside (2, 1000]; [`Error::NoAnswer`] for fewer than ten histories beyond a level, or if stopped.
pub fn shortfall_critical_values(
    simulation: &Simulation,
    levels: &[f64],
    threads: Option<usize>,
    watch: &Watch,
) -> Result<Vec<f64>> {
    let Simulation { days, histories, .. } = *simulation;
    check_rate(simulation.expected_rate)?;
    for (name, count) in [("days", days), ("histories", histories)] {
        if count == 0 {
            return outside(name, 0.0, "1 or above", None);
        }
    }
    for (index, level) in levels.iter().enumerate() {
        if !(*level > 0.0 && *level < 1.0) {
            return outside("levels", *level, "above 0 and below 1", Some(index));
        }
        if histories as f64 * level < TOO_FEW {
            return Err(Error::NoAnswer {
                why: format!(
                    "{histories} histories are too few for a level of {level}: at least {} are needed",
                    (TOO_FEW / level).ceil()
                ),
            });
        }
    }
    let workers = Workers::new(threads)?;
    let drawn = Drawn::new(simulation)?;
    let mut statistics = vec![0.0; histories];
    let blocks = statistics.chunks_mut(BLOCK).enumerate().collect();
    workers.each(blocks, |(block, part)| {
        watch.check()?;
        drawn.fill((block * BLOCK) as u64, part);
        Ok(())
    })?;
    statistics.sort_unstable_by(f64::total_cmp);
    Ok(levels
        .iter()
        .map(|level| {
            let rank = (histories as f64 * level).ceil() as usize;
            statistics.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        })
        .collect())
}

/// An order statistic with fewer beyond it is noise.
const TOO_FEW: f64 = 10.0;

/// The law of the days with its measures.
struct Drawn {
    simulation: Simulation,
    scales: Option<Scales>,
    value_at_risk: f64,
    expected_shortfall: f64,
}

impl Drawn {
    fn new(simulation: &Simulation) -> Result<Self> {
        let confidence = 1.0 - simulation.expected_rate;
        let (scales, measures) = match simulation.law {
            Law::Normal => (None, normal_tail(1.0, confidence)?),
            Law::StudentT { degrees_of_freedom } => (
                Some(Scales::new(degrees_of_freedom)?),
                student_tail(1.0, degrees_of_freedom, confidence, Spread::Volatility)?,
            ),
        };
        Ok(Self {
            simulation: *simulation,
            scales,
            value_at_risk: measures.value_at_risk,
            expected_shortfall: measures.expected_shortfall,
        })
    }

    /// Statistics of the histories from number `first` on; dimension 1 of each day is its normal number, dimension 0
    /// its scale.
    fn fill(&self, first: u64, statistics: &mut [f64]) {
        let Simulation { days, expected_rate, seed, .. } = self.simulation;
        let count = statistics.len();
        let mut bits = vec![0_u64; count];
        let mut moves = vec![0.0; count * days];
        for (day, row) in moves.chunks_exact_mut(count).enumerate() {
            let stream = |dimension| Stream { seed, purpose: Purpose::Paths, step: day as u64, dimension };
            stream(1).fill(first, &mut bits);
            standard_normals(&bits, row);
            if let Some(scales) = &self.scales {
                stream(0).fill(first, &mut bits);
                for (value, word) in row.iter_mut().zip(&bits) {
                    *value *= scales.at(standard_normal(centred(*word)));
                }
            }
        }
        for (history, statistic) in statistics.iter_mut().enumerate() {
            let beyond =
                moves.iter().skip(history).step_by(count).filter(|gain| **gain < -self.value_at_risk);
            let ratios = sum(beyond.map(|gain| gain / self.expected_shortfall));
            *statistic = ratios / (days as f64 * expected_rate) + 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulation(law: Law, histories: usize) -> Simulation {
        Simulation { days: 250, expected_rate: 0.025, law, histories, seed: 7 }
    }

    #[test]
    fn normal_and_student_days_have_the_published_critical_values() {
        // Acerbi and Szekely 2014: about -0.70 at 5 %; methods.md section 4.3: -0.704 (normal), -0.739 (nu = 5)
        let watch = Watch::new();
        for (law, expected) in [(Law::Normal, -0.704), (Law::StudentT { degrees_of_freedom: 5.0 }, -0.739)] {
            let found = shortfall_critical_values(&simulation(law, 20_000), &[0.05], None, &watch).unwrap();
            assert!((found[0] - expected).abs() < 0.025, "{law:?} {found:?}");
        }
    }

    #[test]
    fn threads_change_no_bit_and_a_lower_level_lies_further_out() {
        let watch = Watch::new();
        let at = |threads| {
            let plan = simulation(Law::StudentT { degrees_of_freedom: 4.0 }, 3_000);
            shortfall_critical_values(&plan, &[0.01, 0.05], Some(threads), &watch).unwrap()
        };
        assert!(at(1)[0] < at(1)[1]);
        assert_eq!(at(1), at(2));
        assert_eq!(at(1), at(8));
    }

    #[test]
    fn too_few_histories_are_refused() {
        let refused =
            shortfall_critical_values(&simulation(Law::Normal, 1_000), &[1e-4], None, &Watch::new());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "1000 histories are too few for a level of 0.0001: at least 100000 are needed"
        );
    }
}
