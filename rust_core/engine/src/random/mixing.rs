//! Scales that turn normal numbers into Student-t ones of the same variance.
//!
//! A multivariate t vector is a normal one times `W = sqrt((nu - 2) / chi2)`, with one chi-square number of `nu`
//! degrees of freedom per path (methods.md section 2.3); the factor `nu - 2` instead of `nu` keeps the covariance.
//! `W` is a monotone and very smooth function of a normal number `z` of the same probability. It is tabulated with
//! its first two derivatives, which have a closed form, and interpolated by polynomials of degree five that agree
//! with all three at both ends. Relative error below 1e-12 for `|z| <= 8`, checked against mpmath.

use statrs::function::gamma::gamma_ur;

use crate::error::{Error, Place, Result};

/// Nodes per unit of `z`.
const PER_UNIT: f64 = 64.0;
/// Nodes on each side of zero: to 8.25, beyond every number that 52 bits can give.
const SIDE: usize = 528;
/// Beyond it Student's law is the normal one to three digits at any confidence that a margin uses.
const MOST_DEGREES: f64 = 1000.0;

/// Table of the scales of one number of degrees of freedom.
#[derive(Debug, Clone)]
pub struct Scales {
    /// `W` and its derivatives by `z`, times the step and its square.
    nodes: Vec<[f64; 3]>,
}

impl Scales {
    /// Tabulates the scales.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if the degrees of freedom are not above 2, where the variance begins to exist, or
    /// above 1000.
    pub fn new(degrees_of_freedom: f64) -> Result<Self> {
        if !(degrees_of_freedom > 2.0 && degrees_of_freedom <= MOST_DEGREES) {
            return Err(Error::OutOfRange {
                name: "degrees_of_freedom".to_owned(),
                value: degrees_of_freedom,
                must_be: "above 2 (the variance is infinite otherwise) and at most 1000",
                place: Place::default(),
            });
        }
        let law =
            ChiSquare { half: degrees_of_freedom / 2.0, ln_gamma: libm::lgamma(degrees_of_freedom / 2.0) };
        let middle = law.solve(0.0, law.first_guess());
        let mut nodes = vec![[0.0; 3]; 2 * SIDE + 1];
        for sign in [-1.0, 1.0] {
            let mut logarithm = middle;
            for away in 0..=SIDE {
                let z = sign * away as f64 / PER_UNIT;
                logarithm = law.solve(z, logarithm);
                let [first, second] = law.derivatives(z, logarithm);
                let index = if sign < 0.0 { SIDE - away } else { SIDE + away };
                if let Some(node) = nodes.get_mut(index) {
                    *node = scale(degrees_of_freedom, logarithm, first, second);
                }
                let step = sign / PER_UNIT;
                logarithm += step * (first + 0.5 * step * second);
            }
        }
        Ok(Self { nodes })
    }

    /// The scale at a normal number, by the same probability.
    #[inline]
    pub fn at(&self, z: f64) -> f64 {
        let place = (z * PER_UNIT + SIDE as f64).clamp(0.0, (2 * SIDE - 1) as f64);
        let index = place as usize;
        let t = z * PER_UNIT + SIDE as f64 - index as f64;
        match self.nodes.get(index..index + 2) {
            Some([left, right]) => quintic(left, right, t),
            _ => f64::NAN,
        }
    }
}

/// `W`, `h W'` and `h^2 W''` at a node, from the logarithm of chi-square and its derivatives by `z`.
fn scale(degrees_of_freedom: f64, logarithm: f64, first: f64, second: f64) -> [f64; 3] {
    let value = ((degrees_of_freedom - 2.0) * (-logarithm).exp()).sqrt();
    let step = PER_UNIT.recip();
    [value, -0.5 * value * first * step, value * (0.25 * first * first - 0.5 * second) * step * step]
}

/// The polynomial of degree five with given values and two derivatives at 0 and 1.
#[inline]
fn quintic([v0, d0, s0]: &[f64; 3], [v1, d1, s1]: &[f64; 3], t: f64) -> f64 {
    let rise = v1 - v0 - d0 - 0.5 * s0;
    let slope = d1 - d0 - s0;
    let bend = s1 - s0;
    let third = 10.0 * rise - 4.0 * slope + 0.5 * bend;
    let fourth = -15.0 * rise + 7.0 * slope - bend;
    let fifth = 6.0 * rise - 3.0 * slope + 0.5 * bend;
    ((((fifth * t + fourth) * t + third) * t + 0.5 * s0) * t + d0) * t + v0
}

/// The chi-square law, seen from normal numbers: `g(z)` is the logarithm of its quantile at the probability of `z`.
struct ChiSquare {
    half: f64,
    ln_gamma: f64,
}

impl ChiSquare {
    /// Wilson and Hilferty's median.
    fn first_guess(&self) -> f64 {
        let degrees = 2.0 * self.half;
        (degrees * (1.0 - 2.0 / (9.0 * degrees)).powi(3)).ln()
    }

    /// `ln(x f(x))` at `x = exp(logarithm)`, with `f` the density.
    fn ln_density_by_logarithm(&self, logarithm: f64) -> f64 {
        let x = 0.5 * logarithm.exp();
        self.half * (logarithm - std::f64::consts::LN_2) - x - self.ln_gamma
    }

    /// Newton's method for `g(z)` from a guess, on the logarithm of the smaller tail.
    fn solve(&self, z: f64, guess: f64) -> f64 {
        let target = (0.5 * libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)).ln();
        let mut logarithm = guess;
        for _ in 0..20 {
            let ln_density = self.ln_density_by_logarithm(logarithm);
            let ln_tail = if z <= 0.0 { self.ln_lower(logarithm) } else { self.ln_upper(logarithm) };
            let towards = if z <= 0.0 { 1.0 } else { -1.0 };
            let step = towards * (target - ln_tail) * (ln_tail - ln_density).exp();
            logarithm += step;
            if step.abs() < 1e-9 {
                break; // the next step would be its square
            }
        }
        logarithm
    }

    /// Logarithm of the lower tail by its series, which keeps its relative accuracy however small the tail is.
    fn ln_lower(&self, logarithm: f64) -> f64 {
        let x = 0.5 * logarithm.exp();
        let (mut term, mut sum, mut place) = (1.0, 1.0, self.half);
        while term > sum * f64::EPSILON {
            place += 1.0;
            term *= x / place;
            sum += term;
        }
        self.ln_density_by_logarithm(logarithm) + (sum / self.half).ln()
    }

    fn ln_upper(&self, logarithm: f64) -> f64 {
        gamma_ur(self.half, 0.5 * logarithm.exp()).ln()
    }

    /// First and second derivative of `g`: `g' = phi(z) / (x f(x))`, `g'' = -g' (z + g' (nu - x) / 2)`.
    fn derivatives(&self, z: f64, logarithm: f64) -> [f64; 2] {
        let ln_normal = -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln();
        let first = (ln_normal - self.ln_density_by_logarithm(logarithm)).exp();
        [first, -first * (z + first * (self.half - 0.5 * logarithm.exp()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: [f64; 9] = [-8.0, -5.3, -2.01, -0.307, 0.0, 1.003, 3.71, 6.02, 8.0];

    // mpmath, 40 digits: root of the regularised incomplete gamma function at the probability of z
    #[rustfmt::skip]
    const EXPECTED: [(f64, [f64; 9]); 7] = [
        (2.1, [3854504.1954688425, 618.4249462430525, 1.346917744546406, 0.3111035154600901, 0.2596510372259287,
            0.1612111736204627, 0.07325257098989356, 0.04874676003253636, 0.037678347697896596]),
        (3.0, [75333.32202805861, 166.22965033987902, 2.242863251608053, 0.7507683777669824, 0.6501222454791207,
            0.43865752889134846, 0.21804681629503822, 0.14887123375466016, 0.11632264419836079]),
        (4.0, [5324.491478167792, 54.20579429286204, 2.097922745739739, 0.8711598994629587, 0.7718965911167749,
            0.5500243780163234, 0.29213202798074767, 0.20377507153919988, 0.16075871202534026]),
        (7.5, [121.48161564484457, 10.492205664310884, 1.7210641191652318, 0.9754894640022367, 0.8963912681396428,
            0.7001611157544806, 0.42274897285984697, 0.30953579292764477, 0.2500116674415837]),
        (30.0, [4.648020226714744, 2.383039056957482, 1.3014561422450814, 1.0173849259194347, 0.9769634896800103,
            0.8619429038203923, 0.6439918641056325, 0.5237554822312974, 0.4491362609937238]),
        (100.0, [1.9956612056613479, 1.5258445718820088, 1.1535670122834836, 1.0152822607041772, 0.9932619374455673,
            0.9265973493836406, 0.7798400394212817, 0.6834160484286278, 0.6161285970734498]),
        (1000.0, [1.2087734036202147, 1.130603539196358, 1.0460003659957786, 1.0062341425177368, 0.9993326263900161,
            0.9773259154275279, 0.9218103020554893, 0.8785036969484187, 0.8440545916317671]),
    ];

    #[test]
    fn scales_agree_with_mpmath_from_one_end_to_the_other() {
        for (degrees_of_freedom, expected) in EXPECTED {
            let scales = Scales::new(degrees_of_freedom).unwrap();
            for (z, expected) in AT.into_iter().zip(expected) {
                let error = scales.at(z) / expected - 1.0;
                assert!(error.abs() < 1e-12, "{degrees_of_freedom} at {z}: {error:e}");
            }
        }
    }

    #[test]
    fn scales_fall_from_cell_to_cell() {
        for degrees_of_freedom in [2.01, 4.0, 300.0] {
            let scales = Scales::new(degrees_of_freedom).unwrap();
            let along: Vec<f64> =
                (-8209..=8209).map(|thousandth| scales.at(f64::from(thousandth) / 1e3)).collect();
            assert!(along.windows(2).all(|pair| pair[1] < pair[0]), "{degrees_of_freedom}");
        }
    }

    #[test]
    fn degrees_of_freedom_without_a_variance_are_refused() {
        for degrees_of_freedom in [2.0, f64::NAN, -1.0, 1000.1, f64::INFINITY] {
            let refusal = Scales::new(degrees_of_freedom).unwrap_err().to_string();
            assert!(refusal.starts_with("degrees_of_freedom must be above 2"), "{refusal}");
        }
    }
}
