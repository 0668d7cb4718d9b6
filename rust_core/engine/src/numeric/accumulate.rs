//! Sums that remember what rounding drops.

/// A running sum with a second word for the rounding errors (Neumaier 1974).
///
/// Adding a number and taking it away again leaves the sum as it was, which the sweep over brackets
/// relies on: it takes thousands of terms out and in.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Accumulator {
    sum: f64,
    lost: f64,
}

impl Accumulator {
    /// Adds one number.
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - total) + value
        } else {
            (value - total) + self.sum
        };
        self.sum = total;
    }

    /// The sum, rounded once.
    pub fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

/// The sum of numbers in their order, rounded once.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut accumulator = Accumulator::default();
    for value in values {
        accumulator.add(value);
    }
    accumulator.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_drops_comes_back() {
        assert_eq!(sum([1e16, 1.0, -1e16]).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn taking_a_term_out_again_leaves_the_sum_as_it_was() {
        let mut accumulator = Accumulator::default();
        accumulator.add(0.1);
        for term in [3.7e11, -2.2e5, 9.9e15] {
            accumulator.add(term);
        }
        for term in [3.7e11, -2.2e5, 9.9e15] {
            accumulator.add(-term);
        }
        assert_eq!(accumulator.value().to_bits(), 0.1_f64.to_bits());
    }
}
