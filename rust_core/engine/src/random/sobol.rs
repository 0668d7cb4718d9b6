//! Scrambled Sobol points, any of them by its number.
//!
//! Direction numbers of Joe and Kuo (2008, "Constructing Sobol sequences with better two-dimensional projections",
//! `new-joe-kuo-6.21201`), points in the order of Gray's code. Each dimension is scrambled by a random lower
//! triangular matrix over its binary digits and a random shift (Matousek 1998, "On the L2-discrepancy for anchored
//! boxes"; Owen 2003, "Variance with alternative scramblings of digital nets": the variance of an average is of the
//! order of that under Owen's nested scrambling). It is done on the direction numbers once, so that a point costs one
//! exclusive or, and in 52 bits, so that tails are as fine as those of plain draws. The known crate `sobol_burley`
//! ends at 65,536 points of 24 bits.

use super::counter::{Purpose, Stream};
use crate::error::{Error, Place, Result};

/// Digits of the index, and so of the unscrambled points.
const INDEX_BITS: usize = 32;
/// Digits of a scrambled point.
const POINT_BITS: usize = 52;
/// Dimensions that have direction numbers.
pub const DIMENSIONS: usize = 1024;
/// Points of a sequence.
pub const POINTS: u64 = 1 << INDEX_BITS;

/// Lines `dimension degree polynomial m_1 ... m_degree` of dimensions 2, 3, ...; dimension 1 needs none.
const JOE_KUO: &str = include_str!("joe_kuo.txt");

/// One scrambled dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// What each digit of the index adds, the least first.
    directions: [u64; INDEX_BITS],
    shift: u64,
}

impl Sequence {
    /// The dimensions 0 to `count - 1`. A dimension is the same whatever their number.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for more dimensions than there are direction numbers.
    pub fn scrambled(seed: u64, count: usize) -> Result<Vec<Self>> {
        let all = directions().take(count).collect::<Vec<_>>();
        if all.len() < count {
            return Err(Error::OutOfRange {
                name: "dimensions of the Sobol sequence".to_owned(),
                value: count as f64,
                must_be: "at most 1024 (one per factor and one more)",
                place: Place::default(),
            });
        }
        Ok((0_u64..).zip(all).map(|(dimension, directions)| scramble(seed, dimension, &directions)).collect())
    }

    /// Fills the upper 52 bits of `bits` with the points from number `first` on.
    pub fn fill(&self, first: u64, bits: &mut [u64]) {
        let mut point = self.at(first);
        for (number, place) in (first..).zip(bits) {
            *place = point << (64 - POINT_BITS);
            let changed = number.trailing_ones() as usize; // the digit of Gray's code that the next number changes
            point ^= self.directions.get(changed).copied().unwrap_or(0);
        }
    }

    fn at(&self, number: u64) -> u64 {
        let gray = number ^ (number >> 1);
        let digits = self.directions.iter().enumerate().filter(|(digit, _)| gray >> digit & 1 == 1);
        digits.fold(self.shift, |point, (_, direction)| point ^ direction)
    }
}

/// Direction numbers as fractions of 2^32, dimension by dimension.
fn directions() -> impl Iterator<Item = [u32; INDEX_BITS]> {
    let first: [u32; INDEX_BITS] = std::array::from_fn(|digit| 1 << (INDEX_BITS - 1 - digit));
    std::iter::once(first).chain(JOE_KUO.lines().map(|line| {
        let mut numbers = line.split_ascii_whitespace().skip(1).filter_map(|word| word.parse::<u32>().ok());
        let degree = numbers.next().unwrap_or(0) as usize;
        let polynomial = numbers.next().unwrap_or(0);
        let mut directions = [0_u32; INDEX_BITS];
        for (digit, (direction, initial)) in directions.iter_mut().zip(numbers.take(degree)).enumerate() {
            *direction = initial << (INDEX_BITS - 1 - digit);
        }
        for digit in degree..INDEX_BITS {
            let oldest = directions[digit - degree];
            directions[digit] = (1..degree)
                .filter(|back| polynomial >> (degree - 1 - back) & 1 == 1)
                .fold(oldest ^ (oldest >> degree), |sum, back| sum ^ directions[digit - back]);
        }
        directions
    }))
}

/// Multiplies directions by a random lower triangular matrix with ones on its diagonal, and draws the shift.
fn scramble(seed: u64, dimension: u64, directions: &[u32; INDEX_BITS]) -> Sequence {
    let mut random = [0_u64; POINT_BITS + 1];
    Stream { seed, purpose: Purpose::Scrambling, step: 0, dimension }.fill(0, &mut random);
    let (shift, rows) = (random[POINT_BITS] >> (64 - POINT_BITS), &random[..POINT_BITS]);
    let mut scrambled = [0_u64; INDEX_BITS];
    for (digit, &row) in rows.iter().enumerate() {
        // digits before this one at random, this one once, those after it not at all
        let before = !(u32::MAX.checked_shr(digit as u32).unwrap_or(0));
        let diagonal = (1_u32 << (INDEX_BITS - 1)).checked_shr(digit as u32).unwrap_or(0);
        let row = (row as u32 & before) | diagonal;
        for (place, &direction) in scrambled.iter_mut().zip(directions) {
            let parity = u64::from((row & direction).count_ones() & 1);
            *place |= parity << (POINT_BITS - 1 - digit);
        }
    }
    Sequence { directions: scrambled, shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unscrambled(dimension: usize, number: u64) -> f64 {
        let directions = directions().nth(dimension).unwrap();
        let directions = directions.map(|direction| u64::from(direction) << (POINT_BITS - INDEX_BITS));
        Sequence { directions, shift: 0 }.at(number) as f64 / (1_u64 << POINT_BITS) as f64
    }

    // the output of Joe and Kuo's own program, `sobol 10 3 new-joe-kuo-6.21201`
    #[test]
    fn unscrambled_points_are_the_published_ones() {
        let published = [
            [0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5],
            [0.75, 0.25, 0.25],
            [0.25, 0.75, 0.75],
            [0.375, 0.375, 0.625],
            [0.875, 0.875, 0.125],
            [0.625, 0.125, 0.875],
            [0.125, 0.625, 0.375],
            [0.1875, 0.3125, 0.9375],
            [0.6875, 0.8125, 0.4375],
        ];
        for (number, point) in (0..).zip(published) {
            for (dimension, coordinate) in point.into_iter().enumerate() {
                assert_eq!(unscrambled(dimension, number), coordinate, "{number} {dimension}");
            }
        }
    }

    #[test]
    fn scrambled_points_fill_every_cell_of_every_dimension_once() {
        for sequence in Sequence::scrambled(5, 40).unwrap() {
            let mut bits = vec![0; 1024];
            sequence.fill(4096, &mut bits);
            let cells: std::collections::BTreeSet<u64> = bits.iter().map(|word| word >> 54).collect();
            assert_eq!(cells.len(), 1024);
        }
    }

    #[test]
    fn a_point_does_not_depend_on_where_a_block_begins_nor_on_the_number_of_dimensions() {
        let few = Sequence::scrambled(5, 3).unwrap();
        let many = Sequence::scrambled(5, 30).unwrap();
        assert_eq!(few[..], many[..3]);
        let (mut all, mut part) = (vec![0; 700], vec![0; 443]);
        few[2].fill(0, &mut all);
        few[2].fill(257, &mut part);
        assert_eq!(all[257..], part);
    }

    #[test]
    fn dimensions_without_direction_numbers_are_refused() {
        assert!(Sequence::scrambled(5, DIMENSIONS).is_ok());
        assert_eq!(
            Sequence::scrambled(5, DIMENSIONS + 1).unwrap_err().to_string(),
            "dimensions of the Sobol sequence must be at most 1024 (one per factor and one more), was 1025"
        );
    }
}
