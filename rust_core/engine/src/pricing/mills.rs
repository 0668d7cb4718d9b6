//! Coefficients shared by the vector kernels and the scalar functions.

/// Numerator of the Mills ratio of the normal law, `m(y) = Phi(-y) exp(y^2 / 2)`, lowest power first.
///
/// `NUMERATOR(y) / DENOMINATOR(y)` was fitted by a Remez exchange at 60 digits on `0 <= y <= 40` with both
/// constant terms held at their exact values, so that an option at the forward loses nothing as its total
/// volatility goes to zero. The error weight `1 / (1 + y)` gives the middle of the distribution, where it
/// matters absolutely, the larger share of the accuracy: `|error| <= 3.1e-16 (1 + y) m(y)`. Beyond 40 the
/// quotient keeps falling as `0.39894 / y`, which is the asymptote of the Mills ratio.
pub(super) const NUMERATOR: [f64; 9] = [
    0.5,
    0.7075909405182252,
    0.4947225553093217,
    0.21722059246905515,
    0.0648059377153179,
    0.013403225689942096,
    0.0018794860503857835,
    0.00016446950108967378,
    6.976544003906976e-06,
];

/// Denominator of the Mills ratio, lowest power first; all coefficients are positive, so neither polynomial
/// cancels.
pub(super) const DENOMINATOR: [f64; 10] = [
    1.0,
    2.2130664418393575,
    2.2552166565915166,
    1.3932720358688244,
    0.5772643087224523,
    0.1671205628471165,
    0.03400916941893661,
    0.004728660454953099,
    0.00041226390205360223,
    1.7487602457594453e-05,
];

/// `(exp(r) - 1) / r` on `|r| <= ln(2) / 2`, lowest power first: a Remez exchange at 50 digits on the
/// relative error of `exp(r)`, which is 3.0e-16 at most.
pub(super) const EXPONENTIAL: [f64; 10] = [
    1.000000000000009,
    0.5000000000000083,
    0.16666666666523913,
    0.04166666666559197,
    0.008333333395905184,
    0.0013888889256610665,
    0.00019841157848556935,
    2.4801115641564448e-05,
    2.7645116695241747e-06,
    2.7779457666049054e-07,
];

/// The upper tail `Phi(-y)` of the normal law as a fraction of its density's exponential, for any `y >= 0`.
pub(super) fn mills_ratio(y: f64) -> f64 {
    let polynomial =
        |coefficients: &[f64]| coefficients.iter().rev().fold(0.0, |sum, &coefficient| sum * y + coefficient);
    polynomial(&NUMERATOR) / polynomial(&DENOMINATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mills_ratio_halves_at_zero_and_follows_its_asymptote() {
        assert_eq!(mills_ratio(0.0).to_bits(), 0.5_f64.to_bits());
        let asymptote = |y: f64| 1.0 / (2.0 * std::f64::consts::PI).sqrt() / y;
        assert!((mills_ratio(1e6) / asymptote(1e6) - 1.0).abs() < 1e-9);
        // Phi(-1) of tables
        assert!((mills_ratio(1.0) * (-0.5_f64).exp() - 0.158_655_253_931_457_05).abs() < 1e-15);
    }
}
