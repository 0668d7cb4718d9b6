//! The value of an out-of-the-money option, several vectors of them at once.

use super::vector::Vector;
use crate::pricing::mills::{DENOMINATOR, EXPONENTIAL, NUMERATOR};

/// Total volatilities are raised to this before they divide; a value at or below zero is masked out instead.
pub(super) const SMALLEST_VOLATILITY: f64 = 1e-12;
/// Keeps powers of a distance below the largest number; at this distance every term has vanished anyway.
const LARGEST_DISTANCE: f64 = 1e15;
/// `exp` of it is 1e-300: times a Mills ratio it is still a normal number, and denormals cost a hundredfold.
const SMALLEST_EXPONENT: f64 = -690.0;
/// 1.5 x 2^52: added to a small number it leaves the nearest integer in the lowest bits.
pub(super) const ROUNDS_TO_INTEGER: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; multiples of the first by an exponent are exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// An array of one value per vector. Written so that each step is done for all vectors before the next one:
/// the steps of one vector wait for each other, those of several fill the arithmetic units.
macro_rules! each {
    ($vector:ident in $count:ident: $value:expr) => {{
        let mut $vector = 0;
        let mut values = [$value; $count];
        $vector += 1;
        while $vector < $count {
            values[$vector] = $value;
            $vector += 1;
        }
        values
    }};
}
pub(super) use each;

#[inline(always)]
fn polynomial<V: Vector, const COUNT: usize, const TERMS: usize>(
    coefficients: &[f64; TERMS],
    at: &[V; COUNT],
) -> [V; COUNT] {
    let mut sums = [at[0].splat(coefficients[TERMS - 1]); COUNT];
    let mut term = TERMS - 1;
    while term > 0 {
        term -= 1;
        let coefficient = at[0].splat(coefficients[term]);
        sums = each!(v in COUNT: sums[v].times_plus(at[v], coefficient));
    }
    sums
}

/// `exp(power)` for powers up to 690; below -690 it is that of -690.
#[inline(always)]
pub(super) fn exponential<V: Vector, const COUNT: usize>(power: [V; COUNT]) -> [V; COUNT] {
    let constant = |value: f64| power[0].splat(value);
    let (inverse, shift) = (constant(std::f64::consts::LOG2_E), constant(ROUNDS_TO_INTEGER));
    let (high, low, one) = (constant(LN_2_HIGH), constant(LN_2_LOW), constant(1.0));
    let least = constant(SMALLEST_EXPONENT);
    let power = each!(v in COUNT: power[v].larger(least));
    let shifted = each!(v in COUNT: power[v].times_plus(inverse, shift));
    let whole = each!(v in COUNT: shifted[v] - shift);
    let rest = each!(v in COUNT: whole[v].times_from(high, power[v]));
    let rest = each!(v in COUNT: whole[v].times_from(low, rest[v]));
    let slope = polynomial(&EXPONENTIAL, &rest);
    let mantissa = each!(v in COUNT: slope[v].times_plus(rest[v], one));
    each!(v in COUNT: mantissa[v].raised(shifted[v]))
}

/// Undiscounted value of the option, call or put, that is out of the money.
///
/// With `h = |ln(F/K)|`, `d1 = s/2 - h/s`, `d2 = -(s/2 + h/s)`, `G = min(F, K)`, `E = G exp(-d1^2/2)` and the
/// Mills ratio `m`, Black's formula of the out-of-the-money side is
/// `(d1 > 0 ? G - E m(d1) : E m(-d1)) - E m(-d2)`, because `F phi(d1) = K phi(d2)`: one exponential serves both
/// terms, and a far option keeps its relative accuracy. The other side follows from parity.
///
/// `inverse` is one over the total volatility, or over [`SMALLEST_VOLATILITY`] where that is larger. A total
/// volatility at or below zero gives exactly zero. Beyond 37 standard deviations the value is noise
/// below 1e-300 of `G`.
#[inline(always)]
pub(super) fn out_of_the_money<V: Vector, const COUNT: usize>(
    forward: &[V; COUNT],
    strike: &[V; COUNT],
    log_moneyness: &[V; COUNT],
    total_volatility: &[V; COUNT],
    inverse: &[V; COUNT],
) -> [V; COUNT] {
    let constant = |value: f64| strike[0].splat(value);
    let (zero, half, one) = (constant(0.0), constant(0.5), constant(1.0));
    let (least, farthest, minus_half) =
        (constant(SMALLEST_VOLATILITY), constant(LARGEST_DISTANCE), constant(-0.5));

    let volatility = each!(v in COUNT: total_volatility[v].larger(least));
    let scale = each!(v in COUNT: total_volatility[v].where_positive(forward[v].smaller(strike[v]), zero));
    let deviations = each!(v in COUNT: log_moneyness[v].magnitude() * inverse[v]);
    let half_volatility = each!(v in COUNT: volatility[v] * half);
    let d1 = each!(v in COUNT: half_volatility[v] - deviations[v]);
    let near = each!(v in COUNT: d1[v].magnitude().smaller(farthest));
    let far = each!(v in COUNT: (half_volatility[v] + deviations[v]).smaller(farthest));

    let density = exponential(each!(v in COUNT: near[v] * near[v] * minus_half));
    let density = each!(v in COUNT: scale[v] * density[v]);
    let (near_top, near_bottom) = (polynomial(&NUMERATOR, &near), polynomial(&DENOMINATOR, &near));
    let (far_top, far_bottom) = (polynomial(&NUMERATOR, &far), polynomial(&DENOMINATOR, &far));
    // one division for both ratios: it is the slowest instruction, and both denominators are at least 1
    let shared = each!(v in COUNT: one / (near_bottom[v] * far_bottom[v]));
    let near_ratio = each!(v in COUNT: (near_top[v] * far_bottom[v]) * shared[v]);
    let far_ratio = each!(v in COUNT: (far_top[v] * near_bottom[v]) * shared[v]);
    let tail = each!(v in COUNT: density[v] * near_ratio[v]);
    let gain = each!(v in COUNT: d1[v].where_positive(scale[v] - tail[v], tail[v]));
    each!(v in COUNT: density[v].times_from(far_ratio[v], gain[v]))
}
