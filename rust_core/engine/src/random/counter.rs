//! Uniform bits looked up by counters: the stream cipher ChaCha with eight rounds (Bernstein 2008).
//!
//! A cipher in counter mode gives any place of any stream without what stands before it (Salmon, Moraes, Dror and
//! Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"). The key is the seed with what the bits are for and a
//! step, the stream is the dimension, the place in the stream is the path.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What bits are for: the same seed gives other bits for another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Numbers of paths.
    Paths,
    /// Scrambling of quasi-random sequences.
    Scrambling,
}

/// One stream of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The user's seed.
    pub seed: u64,
    /// What the bits are for.
    pub purpose: Purpose,
    /// Step of a walk; 0 where there is only one.
    pub step: u64,
    /// Dimension.
    pub dimension: u64,
}

impl Stream {
    /// Fills `bits` with the words of the paths from `first` on, one of 64 bits each.
    pub fn fill(&self, first: u64, bits: &mut [u64]) {
        let mut key = [0_u8; 32];
        for (place, word) in key.chunks_exact_mut(8).zip([self.seed, self.purpose as u64, self.step]) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(self.dimension);
        generator.set_word_pos(2 * u128::from(first)); // words of 32 bits
        for word in bits {
            *word = generator.next_u64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(stream: Stream, first: u64, count: usize) -> Vec<u64> {
        let mut bits = vec![0; count];
        stream.fill(first, &mut bits);
        bits
    }

    const ZERO: Stream = Stream { seed: 0, purpose: Purpose::Paths, step: 0, dimension: 0 };

    // draft-strombergson-chacha-test-vectors-01, test case 1 (key and nonce zero), 8 rounds, 256 bits of key
    #[test]
    fn the_generator_gives_its_published_test_vector() {
        let published = "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e\
                         984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42";
        let bytes: Vec<u8> = words(ZERO, 0, 8).iter().flat_map(|word| word.to_le_bytes()).collect();
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hexadecimal, published);
    }

    #[test]
    fn a_number_does_not_depend_on_where_a_block_begins() {
        let stream = Stream { seed: 7, dimension: 3, ..ZERO };
        let all = words(stream, 0, 300);
        for first in [1, 2, 63, 64, 129, 256] {
            assert_eq!(words(stream, first as u64, 300 - first), all[first..]);
        }
    }

    #[test]
    fn another_seed_purpose_step_or_dimension_gives_other_bits() {
        let others = [
            ZERO,
            Stream { seed: 1, ..ZERO },
            Stream { purpose: Purpose::Scrambling, ..ZERO },
            Stream { step: 1, ..ZERO },
            Stream { dimension: 1, ..ZERO },
        ];
        let firsts: std::collections::BTreeSet<u64> =
            others.into_iter().map(|stream| words(stream, 0, 1)[0]).collect();
        assert_eq!(firsts.len(), others.len());
    }
}
