//! Sums of powers `sum a_j x^(b_j)` of a price ratio `x > 0`, and all their roots.
//!
//! Between two bracket changes the money an account has to spare is such a sum along every path of
//! ratios: `x` itself where one index (or all of them) moves by `x`, `x^beta` where an asset follows a
//! driver. Two terms have a root in closed form and need no search limit. For more terms the roots are
//! found by bisection that excludes only what it can prove empty: in `theta = ln x` each term is
//! monotone, so the slope on an interval is bounded by the terms' end values (methods.md section 8.4).

use super::accumulate::Accumulator;

/// A sum of powers, its coefficients kept with their rounding errors.
#[derive(Debug, Clone, Default)]
pub struct ExponentialSum {
    terms: Vec<(f64, Accumulator)>,
}

/// The roots inside an interval, in order, and whether the search was limited.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roots {
    /// Ratios at which the sum changes sign.
    pub ratios: Vec<f64>,
}

impl ExponentialSum {
    /// Adds `coefficient x^exponent`.
    pub fn add(&mut self, exponent: f64, coefficient: f64) {
        match self.terms.iter_mut().find(|(known, _)| known.total_cmp(&exponent).is_eq()) {
            Some((_, accumulator)) => accumulator.add(coefficient),
            None => {
                let mut accumulator = Accumulator::default();
                accumulator.add(coefficient);
                self.terms.push((exponent, accumulator));
            }
        }
    }

    /// Adds `factor x^shift` times another sum.
    pub fn add_scaled(&mut self, other: &Self, factor: f64, shift: f64) {
        for (exponent, accumulator) in &other.terms {
            self.add(exponent + shift, factor * accumulator.value());
        }
    }

    /// The value at a ratio.
    pub fn at(&self, ratio: f64) -> f64 {
        super::accumulate::sum(
            self.terms.iter().map(|(exponent, accumulator)| accumulator.value() * power(ratio, *exponent)),
        )
    }

    /// Terms with a coefficient, by exponent.
    fn effective(&self) -> Vec<(f64, f64)> {
        let mut terms: Vec<(f64, f64)> = self
            .terms
            .iter()
            .map(|(exponent, accumulator)| (*exponent, accumulator.value()))
            .filter(|(_, coefficient)| *coefficient != 0.0)
            .collect();
        terms.sort_by(|a, b| a.0.total_cmp(&b.0));
        terms
    }

    /// Whether every root can be written down, so that no search limit applies.
    pub fn has_closed_form(&self) -> bool {
        self.effective().len() <= 2
    }

    /// Zeros of the sum for ratios in `[from, to]`, in increasing order.
    ///
    /// `from` may be 0 and `to` infinite where the sum has a closed form; otherwise both must be finite
    /// and above zero.
    pub fn roots(&self, from: f64, to: f64) -> Roots {
        let terms = self.effective();
        match terms.as_slice() {
            [] | [_] => Roots::default(),
            [(low, a), (high, b)] => {
                let ratio = -a / b;
                if ratio <= 0.0 {
                    return Roots::default();
                }
                let span = high - low;
                let root = if span == 1.0 { ratio } else { ratio.powf(span.recip()) };
                let inside = root >= from && root <= to;
                Roots { ratios: if inside { vec![root] } else { Vec::new() } }
            }
            _ => {
                let mut ratios = Vec::new();
                let logarithmic = Logarithmic { terms: &terms };
                logarithmic.collect(from.ln(), to.ln(), 0, &mut 0, &mut ratios);
                Roots { ratios }
            }
        }
    }
}

/// `x^b` without a call to `powf` for the exponents that nearly every path has.
pub fn power(ratio: f64, exponent: f64) -> f64 {
    if exponent == 0.0 {
        1.0
    } else if exponent == 1.0 {
        ratio
    } else if exponent == -1.0 {
        ratio.recip()
    } else {
        ratio.powf(exponent)
    }
}

/// The sum seen in `theta = ln x`.
struct Logarithmic<'a> {
    terms: &'a [(f64, f64)],
}

impl Logarithmic<'_> {
    const DEEPEST: usize = 60;
    /// Stretches looked at in all. Where every term is nothing or beyond numbers no bound ever rules a half out, and
    /// halving them all to the end would not end.
    const MOST: usize = 100_000;

    fn at(&self, theta: f64) -> f64 {
        super::accumulate::sum(self.terms.iter().map(|(b, a)| a * (b * theta).exp()))
    }

    /// Bounds of the slope on an interval: each term's slope is monotone.
    fn slope(&self, from: f64, to: f64) -> (f64, f64) {
        self.terms.iter().fold((0.0, 0.0), |(low, high), (b, a)| {
            let (left, right) = (a * b * (b * from).exp(), a * b * (b * to).exp());
            (low + left.min(right), high + left.max(right))
        })
    }

    fn collect(&self, from: f64, to: f64, depth: usize, looked_at: &mut usize, found: &mut Vec<f64>) {
        *looked_at += 1;
        let (left, right) = (self.at(from), self.at(to));
        let (low, high) = self.slope(from, to);
        if low >= 0.0 || high <= 0.0 {
            if (left < 0.0) != (right < 0.0) {
                found.push(self.bisect(from, to, left).exp());
            }
            return;
        }
        let steepest = low.abs().max(high.abs());
        let same_sign = (left < 0.0) == (right < 0.0);
        if same_sign && left.abs() + right.abs() > steepest * (to - from) {
            return;
        }
        if depth >= Self::DEEPEST || *looked_at >= Self::MOST {
            if !same_sign {
                found.push(self.bisect(from, to, left).exp());
            }
            return;
        }
        let middle = f64::midpoint(from, to);
        self.collect(from, middle, depth + 1, looked_at, found);
        self.collect(middle, to, depth + 1, looked_at, found);
    }

    fn bisect(&self, mut from: f64, mut to: f64, left: f64) -> f64 {
        for _ in 0..200 {
            let middle = f64::midpoint(from, to);
            if middle <= from || middle >= to {
                break;
            }
            if (self.at(middle) < 0.0) == (left < 0.0) {
                from = middle;
            } else {
                to = middle;
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(terms: &[(f64, f64)]) -> ExponentialSum {
        let mut sum = ExponentialSum::default();
        for (exponent, coefficient) in terms {
            sum.add(*exponent, *coefficient);
        }
        sum
    }

    #[test]
    fn a_line_has_its_root_in_closed_form_without_a_limit() {
        let line = sum(&[(0.0, -3e7), (1.0, 2.0)]);
        assert_eq!(line.roots(0.0, f64::INFINITY).ratios, vec![1.5e7]);
        assert!(line.has_closed_form());
    }

    #[test]
    fn a_root_outside_the_interval_is_not_reported() {
        assert!(sum(&[(0.0, -3.0), (1.0, 1.0)]).roots(0.0, 2.0).ratios.is_empty());
        assert!(sum(&[(0.0, 3.0), (1.0, 1.0)]).roots(0.0, f64::INFINITY).ratios.is_empty());
    }

    #[test]
    fn all_three_roots_of_a_cubic_are_found() {
        // (x - 0.5)(x - 1.25)(x - 3)
        let cubic = sum(&[(0.0, -1.875), (1.0, 5.875), (2.0, -4.75), (3.0, 1.0)]);
        let roots = cubic.roots(1e-3, 10.0).ratios;
        assert_eq!(roots.len(), 3);
        for (root, expected) in roots.iter().zip([0.5, 1.25, 3.0]) {
            assert!((root - expected).abs() < 1e-12, "{root}");
        }
    }

    #[test]
    fn a_search_that_no_bound_can_narrow_ends_all_the_same() {
        let beyond = f64::INFINITY;
        for terms in [[(0.0, beyond), (1.0, -beyond), (2.0, 1.0)], [(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)]]
        {
            assert!(sum(&terms).roots(1e-3, 1e3).ratios.is_empty());
        }
    }

    #[test]
    fn a_sum_without_a_zero_has_no_root() {
        assert!(sum(&[(0.0, 1.0), (0.7, 0.3), (1.3, 0.2)]).roots(1e-3, 1e3).ratios.is_empty());
    }
}
