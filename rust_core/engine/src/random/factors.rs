//! Joint moves of risk factors over one horizon.
//!
//! Normal moves are `root z`; Student's are `root z sqrt((nu - 2) / chi2)` with one chi-square number per path, a
//! multivariate t law with the same covariance (methods.md sections 2.1 and 2.3). Paths are drawn in fixed blocks,
//! each a pure function of its place.

use super::counter::{Purpose, Stream};
use super::mixing::Scales;
use super::normal::{centred, standard_normal, standard_normals};
use super::sobol::{POINTS, Sequence};
use crate::error::{Error, Place, Result};
use crate::threads::Workers;
use crate::watch::Watch;

/// Paths per block; even, so that mirrored pairs stay together.
const BLOCK: usize = 256;
/// Paths that are combined at once, so that their sums stay in registers.
const LANES: usize = 16;

/// The joint law of the factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Multivariate normal.
    Normal,
    /// Multivariate t with the same covariance: its scale is `sqrt((nu - 2) / nu)` of the standard deviation.
    StudentT {
        /// Degrees of freedom `nu`, above 2 and at most 1000.
        degrees_of_freedom: f64,
    },
}

/// Where uniform numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Independent numbers.
    Plain,
    /// Scrambled Sobol points, best with a power of two of paths: the error of quantiles and averages of the tail
    /// is a half of plain draws' for books of ten factors. Up to 1023 factors and 2^32 paths.
    Sobol,
}

/// What to draw.
///
/// The number of a (seed, path, factor) does not depend on anything else, under either law: paths or factors added
/// at the end leave those before them as they were. This holds for both samplers; a mirrored path is another path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// Number of paths.
    pub paths: usize,
    /// Seed.
    pub seed: u64,
    /// Joint law.
    pub law: Law,
    /// Sampler.
    pub sampler: Sampler,
    /// Every second path is the mirror image of the one before it, so that means are exactly zero. It takes nothing
    /// off the error of quantiles and of averages of a tail (methods.md section 2.3), where half the paths say
    /// nothing new; use it for means only.
    pub antithetic: bool,
}

/// Log moves of factors, mean zero: `moves[factor * paths + path]`.
///
/// `root` is row-major, `factors` x `factors`, with `root root'` the covariance of the horizon, which may be
/// singular. `threads` is the largest number of workers, all processors where left out. `watch` is looked at between
/// blocks of paths.
///
/// # Errors
///
/// [`Error::OutOfRange`] for no path or factor, degrees of freedom outside (2, 1000], an odd number of antithetic
/// paths, more dimensions or paths than the Sobol sequence has, or a root that is not finite;
/// [`Error::Shape`] for a root of another size; [`Error::NotCovered`] for antithetic Sobol points;
/// [`Error::NoAnswer`] if stopped, or if the moves do not fit into memory.
pub fn factor_moves(
    draws: &Draws,
    root: &[f64],
    factors: usize,
    threads: Option<usize>,
    watch: &Watch,
) -> Result<Vec<f64>> {
    let plan = Plan::new(draws, root, factors)?;
    let workers = Workers::new(threads)?;
    let mut moves = zeros(draws.paths, factors)?;
    let mut blocks: Vec<(usize, Vec<&mut [f64]>)> =
        (0..draws.paths.div_ceil(BLOCK)).map(|block| (block * BLOCK, Vec::with_capacity(factors))).collect();
    for row in moves.chunks_mut(draws.paths) {
        for ((_, rows), part) in blocks.iter_mut().zip(row.chunks_mut(BLOCK)) {
            rows.push(part);
        }
    }
    workers.each(blocks, |(first, rows)| {
        watch.check()?;
        plan.fill(first, rows);
        Ok(())
    })?;
    Ok(moves)
}

/// Draws that have been checked, with everything that all blocks share.
struct Plan<'a> {
    source: Source,
    scales: Option<Scales>,
    antithetic: bool,
    root: &'a [f64],
    factors: usize,
}

/// Uniform bits by dimension and path.
enum Source {
    Plain { seed: u64 },
    Sobol(Vec<Sequence>),
}

impl Source {
    fn fill(&self, dimension: usize, first: usize, bits: &mut [u64]) {
        match self {
            Self::Plain { seed } => {
                let (purpose, dimension) = (Purpose::Paths, dimension as u64);
                Stream { seed: *seed, purpose, step: 0, dimension }.fill(first as u64, bits);
            }
            Self::Sobol(sequences) => {
                if let Some(sequence) = sequences.get(dimension) {
                    sequence.fill(first as u64, bits);
                }
            }
        }
    }
}

impl<'a> Plan<'a> {
    fn new(draws: &Draws, root: &'a [f64], factors: usize) -> Result<Self> {
        let refuse = |name: &str, value: f64, must_be| {
            Err(Error::OutOfRange { name: name.to_owned(), value, must_be, place: Place::default() })
        };
        if draws.paths == 0 {
            return refuse("paths", 0.0, "1 or above");
        }
        if factors == 0 {
            return refuse("factors", 0.0, "1 or above");
        }
        if draws.antithetic && draws.paths % 2 == 1 {
            return refuse("paths", draws.paths as f64, "even where they are antithetic");
        }
        check_root(root, factors)?;
        let scales = match draws.law {
            Law::Normal => None,
            Law::StudentT { degrees_of_freedom } => Some(Scales::new(degrees_of_freedom)?),
        };
        let source = match draws.sampler {
            Sampler::Plain => Source::Plain { seed: draws.seed },
            Sampler::Sobol if draws.antithetic => {
                return Err(Error::NotCovered {
                    what: "an antithetic Sobol sample".to_owned(),
                    why: "its points are balanced already; use one of the two".to_owned(),
                    place: Place::default(),
                });
            }
            Sampler::Sobol if draws.paths as u64 > POINTS => {
                return refuse("paths", draws.paths as f64, "at most 2^32 with the Sobol sampler");
            }
            Sampler::Sobol => Source::Sobol(Sequence::scrambled(draws.seed, factors + 1)?),
        };
        Ok(Self { source, scales, antithetic: draws.antithetic, root, factors })
    }

    /// Writes one block of paths, `rows` being the factors' parts of it.
    fn fill(&self, first: usize, mut rows: Vec<&mut [f64]>) {
        let length = rows.first().map_or(0, |row| row.len());
        let drawn = if self.antithetic { length / 2 } else { length };
        let first = if self.antithetic { first / 2 } else { first };
        let mut bits = [0_u64; BLOCK];
        let bits = &mut bits[..drawn];
        let mut lanes = vec![[0.0; LANES]; self.factors * drawn.div_ceil(LANES)];
        let mut normals = [0.0; BLOCK];
        let normals = &mut normals[..drawn];
        for factor in 0..self.factors {
            self.source.fill(factor + 1, first, bits);
            standard_normals(bits, normals);
            for (group, part) in lanes.chunks_exact_mut(self.factors).zip(normals.chunks(LANES)) {
                if let Some(places) = group.get_mut(factor) {
                    places[..part.len()].copy_from_slice(part);
                }
            }
        }
        let mut scales = [1.0; BLOCK];
        let scales = &mut scales[..drawn];
        if let Some(table) = &self.scales {
            self.source.fill(0, first, bits);
            for (scale, &word) in scales.iter_mut().zip(bits.iter()) {
                *scale = table.at(standard_normal(centred(word)));
            }
        }
        let mut joint = [0.0; BLOCK];
        let joint = &mut joint[..drawn];
        for (row, loadings) in rows.iter_mut().zip(self.root.chunks_exact(self.factors)) {
            combine(loadings, &lanes, joint);
            if self.antithetic {
                for ((pair, value), scale) in row.chunks_exact_mut(2).zip(joint.iter()).zip(scales.iter()) {
                    pair.copy_from_slice(&[value * scale, -(value * scale)]);
                }
            } else {
                for ((place, value), scale) in row.iter_mut().zip(joint.iter()).zip(scales.iter()) {
                    *place = value * scale;
                }
            }
        }
    }
}

/// `sum over factors of loading x normal`, path by path, always added in the order of the factors.
fn combine(loadings: &[f64], lanes: &[[f64; LANES]], joint: &mut [f64]) {
    for (joint, group) in joint.chunks_mut(LANES).zip(lanes.chunks_exact(loadings.len())) {
        let mut sums = [0.0; LANES];
        for (loading, normals) in loadings.iter().zip(group) {
            for (sum, normal) in sums.iter_mut().zip(normals) {
                *sum += loading * normal;
            }
        }
        joint.copy_from_slice(&sums[..joint.len()]);
    }
}

fn check_root(root: &[f64], factors: usize) -> Result<()> {
    if factors.checked_mul(factors) != Some(root.len()) {
        let expected = factors.saturating_mul(factors);
        return Err(Error::Shape { name: "root".to_owned(), found: root.len(), expected });
    }
    match root.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((index, &value)) => {
            let place = Place::label(format!("row {}, column {}", index / factors + 1, index % factors + 1));
            Err(Error::not_finite("root", value, place))
        }
    }
}

/// Room for the moves, asked for first: an allocation that fails would end the host.
fn zeros(paths: usize, factors: usize) -> Result<Vec<f64>> {
    let too_many = || Error::NoAnswer {
        why: format!("{paths} paths of {factors} factors do not fit into memory; draw fewer at a time"),
    };
    let count = paths.checked_mul(factors).ok_or_else(too_many)?;
    Vec::<f64>::new().try_reserve_exact(count).map_err(|_| too_many())?;
    Ok(vec![0.0; count])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: [f64; 9] = [0.04, 0.0, 0.0, 0.03, 0.02, 0.0, -0.01, 0.05, 0.06];

    fn plain(paths: usize, seed: u64) -> Draws {
        Draws { paths, seed, law: Law::Normal, sampler: Sampler::Plain, antithetic: false }
    }

    fn drawn(draws: &Draws, root: &[f64], factors: usize) -> Vec<f64> {
        factor_moves(draws, root, factors, Some(1), &Watch::new()).unwrap()
    }

    fn refusal(draws: &Draws, root: &[f64], factors: usize) -> String {
        factor_moves(draws, root, factors, None, &Watch::new()).unwrap_err().to_string()
    }

    #[test]
    fn another_path_or_factor_changes_nothing_before_it() {
        for law in [Law::Normal, Law::StudentT { degrees_of_freedom: 4.0 }] {
            for sampler in [Sampler::Plain, Sampler::Sobol] {
                let few = drawn(&Draws { law, sampler, ..plain(300, 3) }, &[0.04, 0.0, 0.03, 0.02], 2);
                let many = drawn(&Draws { law, sampler, ..plain(1001, 3) }, &ROOT, 3);
                assert_eq!(few[..300], many[..300]);
                assert_eq!(few[300..], many[1001..1301]);
            }
        }
    }

    #[test]
    fn the_normal_numbers_under_both_laws_are_the_same() {
        let normal = drawn(&plain(64, 9), &[1.0], 1);
        let law = Law::StudentT { degrees_of_freedom: 5.0 };
        let student = drawn(&Draws { law, ..plain(64, 9) }, &[1.0], 1);
        assert!(normal.iter().zip(&student).all(|(z, x)| (z < &0.0) == (x < &0.0) && z != x));
    }

    #[test]
    fn antithetic_paths_have_a_mean_of_exactly_zero() {
        for law in [Law::Normal, Law::StudentT { degrees_of_freedom: 3.0 }] {
            let moves = drawn(&Draws { law, antithetic: true, ..plain(1000, 1) }, &ROOT, 3);
            assert!(moves.chunks_exact(2).all(|pair| pair[0] == -pair[1] && pair[0] != 0.0));
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_in_a_sentence() {
        assert_eq!(refusal(&plain(0, 1), &[1.0], 1), "paths must be 1 or above, was 0");
        assert_eq!(refusal(&plain(9, 1), &[], 0), "factors must be 1 or above, was 0");
        assert_eq!(refusal(&plain(9, 1), &[1.0], 2), "root has 1 rows, expected 4");
        assert_eq!(
            refusal(&plain(9, 1), &[1.0, 0.0, f64::NAN, 1.0], 2),
            "root must be a finite number, was NaN (row 2, column 1)"
        );
        assert_eq!(
            refusal(&Draws { antithetic: true, ..plain(9, 1) }, &[1.0], 1),
            "paths must be even where they are antithetic, was 9"
        );
        let both = Draws { antithetic: true, sampler: Sampler::Sobol, ..plain(8, 1) };
        assert_eq!(
            refusal(&both, &[1.0], 1),
            "an antithetic Sobol sample is not covered: its points are balanced already; use one of the two"
        );
        let law = Law::StudentT { degrees_of_freedom: 2.0 };
        assert_eq!(
            refusal(&Draws { law, ..plain(9, 1) }, &[1.0], 1),
            "degrees_of_freedom must be above 2 (the variance is infinite otherwise) and at most 1000, was 2"
        );
        assert!(refusal(&plain(usize::MAX / 2, 1), &[1.0; 4], 2).contains("do not fit into memory"));
    }

    #[test]
    fn a_stopped_simulation_says_so() {
        let watch = Watch::new();
        watch.stop();
        let stopped = factor_moves(&plain(9, 1), &[1.0], 1, None, &watch).unwrap_err();
        assert_eq!(stopped.to_string(), "the calculation was stopped");
    }
}
