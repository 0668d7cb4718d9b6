//! A figure along a stretch of a path: its value at both ends and bounds on its slope between them.
//!
//! Sums, products, maxima and minima of such figures are figures of the same kind, so the excess of an account is
//! built from its parts by the rules of the rulebook and comes with bounds on its own slope. What may jump within
//! the stretch has a slope without bounds.

/// A figure along a stretch of length `width`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Enclosed {
    /// Value at the beginning.
    pub start: f64,
    /// Value at the end.
    pub end: f64,
    /// Least slope on the way.
    pub low: f64,
    /// Largest slope on the way.
    pub high: f64,
}

/// A product that takes nothing times anything for nothing: a bound of zero stays one.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// The smallest and the largest of the products of two intervals.
pub(super) fn products(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let all = [product(a.0, b.0), product(a.0, b.1), product(a.1, b.0), product(a.1, b.1)];
    (all.iter().copied().fold(f64::INFINITY, f64::min), all.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

impl Enclosed {
    /// A figure that does not move.
    pub fn constant(value: f64) -> Self {
        Self { start: value, end: value, low: 0.0, high: 0.0 }
    }

    /// A figure proportional to `exp(exponent x)`.
    pub fn exponential(start: f64, end: f64, exponent: f64) -> Self {
        Self::monotone(start, end, exponent * start, exponent * end)
    }

    /// A figure that grows or falls at one rate; without one where its ends have no common sign.
    pub fn growing(start: f64, end: f64, width: f64) -> Self {
        if start.to_bits() == end.to_bits() {
            return Self::constant(start);
        }
        if start * end > 0.0 {
            Self::exponential(start, end, (end / start).ln() / width)
        } else {
            Self::jumping(start, end)
        }
    }

    /// A figure whose slope moves one way from one end to the other.
    pub fn monotone(start: f64, end: f64, slope_start: f64, slope_end: f64) -> Self {
        Self { start, end, low: slope_start.min(slope_end), high: slope_start.max(slope_end) }
    }

    /// A figure that may jump anywhere on the way.
    pub fn jumping(start: f64, end: f64) -> Self {
        Self { start, end, low: f64::NEG_INFINITY, high: f64::INFINITY }
    }

    /// Bounds on the value: what both ends and the slopes leave possible.
    pub fn range(&self, width: f64) -> (f64, f64) {
        (
            lowest(self.start, self.end, self.low, self.high, width),
            -lowest(-self.start, -self.end, -self.high, -self.low, width),
        )
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            start: self.start + other.start,
            end: self.end + other.end,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }

    /// The difference of two.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(other.times_constant(-1.0))
    }

    /// A multiple.
    #[must_use]
    pub fn times_constant(self, factor: f64) -> Self {
        let (a, b) = (product(factor, self.low), product(factor, self.high));
        Self { start: factor * self.start, end: factor * self.end, low: a.min(b), high: a.max(b) }
    }

    /// The product of two.
    #[must_use]
    pub fn times(self, other: Self, width: f64) -> Self {
        let first = products(self.range(width), (other.low, other.high));
        let second = products(other.range(width), (self.low, self.high));
        Self {
            start: self.start * other.start,
            end: self.end * other.end,
            low: first.0 + second.0,
            high: first.1 + second.1,
        }
    }

    /// The larger of two.
    #[must_use]
    pub fn larger(self, other: Self, width: f64) -> Self {
        let (own, theirs) = (self.range(width), other.range(width));
        let (start, end) = (self.start.max(other.start), self.end.max(other.end));
        let (low, high) = if own.0 >= theirs.1 {
            (self.low, self.high)
        } else if theirs.0 >= own.1 {
            (other.low, other.high)
        } else {
            (self.low.min(other.low), self.high.max(other.high))
        };
        Self { start, end, low, high }
    }

    /// The smaller of two.
    #[must_use]
    pub fn smaller(self, other: Self, width: f64) -> Self {
        let turned = self.times_constant(-1.0).larger(other.times_constant(-1.0), width);
        turned.times_constant(-1.0)
    }

    /// Its size without the sign.
    #[must_use]
    pub fn size(self, width: f64) -> Self {
        self.larger(self.times_constant(-1.0), width)
    }

    /// The part above zero.
    #[must_use]
    pub fn positive(self, width: f64) -> Self {
        self.larger(Self::constant(0.0), width)
    }

    /// The same ends with slopes that either of two may have.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), ..self }
    }

    /// The same slopes with ends that are known better.
    #[must_use]
    pub fn with_ends(self, start: f64, end: f64) -> Self {
        Self { start, end, ..self }
    }

    /// The sum of many.
    pub fn total(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::default(), Self::plus)
    }
}

/// The least value that a function with these ends and slopes may take.
fn lowest(start: f64, end: f64, low: f64, high: f64, width: f64) -> f64 {
    let ends = start.min(end);
    if low >= 0.0 {
        return start.min(end);
    }
    if high <= 0.0 {
        return end.min(start);
    }
    if !(low.is_finite() && high.is_finite()) {
        // one bound may still hold the value up; two infinite ones do not
        let from_start = if low.is_finite() { start + low * width } else { f64::NEG_INFINITY };
        let from_end = if high.is_finite() { end - high * width } else { f64::NEG_INFINITY };
        return ends.min(from_start.max(from_end));
    }
    // start + low t and end - high (width - t) meet at
    let meeting = ((end - start - high * width) / (low - high)).clamp(0.0, width);
    ends.min(start + low * meeting)
}

/// The largest of several figures, at least the first; only those that may be the largest bound the slope.
pub(super) fn largest(figures: &[Enclosed], width: f64) -> Option<Enclosed> {
    let ranges: Vec<(f64, f64)> = figures.iter().map(|own| own.range(width)).collect();
    let sure = ranges.iter().map(|range| range.0).fold(f64::NEG_INFINITY, f64::max);
    let mut found: Option<Enclosed> = None;
    for (own, range) in figures.iter().zip(&ranges) {
        found = Some(match found {
            None if range.1 >= sure => *own,
            None => Enclosed { low: f64::INFINITY, high: f64::NEG_INFINITY, ..*own },
            Some(known) => Enclosed {
                start: known.start.max(own.start),
                end: known.end.max(own.end),
                low: if range.1 >= sure { known.low.min(own.low) } else { known.low },
                high: if range.1 >= sure { known.high.max(own.high) } else { known.high },
            },
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `a + b x + c x^2` on a stretch from 0.
    fn parabola(a: f64, b: f64, c: f64, width: f64) -> Enclosed {
        Enclosed::monotone(a, a + b * width + c * width * width, b, b + 2.0 * c * width)
    }

    proptest! {
        #[test]
        fn whatever_is_built_from_parabolas_stays_within_its_bounds(
            coefficients in prop::collection::vec(-3.0..3.0_f64, 9), width in 0.01..2.0_f64, place in 0.0..1.0_f64,
        ) {
            let at = |k: usize, x: f64| {
                coefficients[3 * k] + coefficients[3 * k + 1] * x + coefficients[3 * k + 2] * x * x
            };
            let own = |k: usize| {
                parabola(coefficients[3 * k], coefficients[3 * k + 1], coefficients[3 * k + 2], width)
            };
            let built = own(0).times(own(1), width).larger(own(2), width).smaller(own(0).size(width), width);
            let value = |x: f64| (at(0, x) * at(1, x)).max(at(2, x)).min(at(0, x).abs());
            let (x, range) = (place * width, built.range(width));
            prop_assert!(value(x) >= range.0 - 1e-9 && value(x) <= range.1 + 1e-9);
            prop_assert!((value(0.0) - built.start).abs() < 1e-9 && (value(width) - built.end).abs() < 1e-9);
            let step = 1e-6 * width;
            if x + step <= width {
                let slope = (value(x + step) - value(x)) / step;
                prop_assert!(slope >= built.low - 1e-3 && slope <= built.high + 1e-3);
            }
        }

        #[test]
        fn the_largest_of_several_is_bounded_by_those_that_may_lead(
            coefficients in prop::collection::vec(-3.0..3.0_f64, 9), width in 0.01..2.0_f64, place in 0.0..1.0_f64,
        ) {
            let figures: Vec<Enclosed> =
                coefficients.chunks(3).map(|c| parabola(c[0], c[1], c[2], width)).collect();
            let found = largest(&figures, width).unwrap();
            let x = place * width;
            let value = coefficients.chunks(3).map(|c| c[0] + c[1] * x + c[2] * x * x).fold(f64::MIN, f64::max);
            let range = found.range(width);
            prop_assert!(value >= range.0 - 1e-9 && value <= range.1 + 1e-9);
        }
    }

    #[test]
    fn nothing_times_a_jump_is_nothing() {
        let jump = Enclosed::jumping(1.0, 2.0);
        let none = jump.times_constant(0.0);
        assert!(none.low == 0.0 && none.high == 0.0);
        assert_eq!(jump.range(1.0), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
