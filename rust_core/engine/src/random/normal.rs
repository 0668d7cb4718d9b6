//! Normal numbers from uniform bits by the inverse of the distribution function.
//!
//! Algorithm AS 241, routine PPND16 (Wichura 1988, "The percentage points of the normal distribution", Applied
//! Statistics 37, 477-484): three ratios of polynomials of degree seven, relative error about 1e-16.
//! Only additions, multiplications, divisions, square roots and a logarithm written in them are used, none fused:
//! the same bits on every machine.

/// Uniform number less one half, in (-1/2, 1/2), from the upper 52 of 64 bits: the middle of one of 2^52 cells.
///
/// Neither 0 nor 1 can occur, and a number and its mirror image are both exact.
#[inline]
pub fn centred(bits: u64) -> f64 {
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const HALF_CELL: f64 = f64::EPSILON / 2.0; // 2^-53
    (f64::from_bits(ONE | (bits >> 12)) - 1.5) + HALF_CELL
}

/// The normal quantile at probability `centred + 1/2`, `centred` in (-1/2, 1/2).
///
/// It is odd to the last bit. Outside the interval the answer is not a number.
#[inline]
pub fn standard_normal(centred: f64) -> f64 {
    if centred.abs() <= SPLIT { central(centred) } else { tail(centred) }
}

/// Normal numbers of uniform bits, as many as `bits`.
///
/// The central ratio is taken for all without a branch; the 15 % outside are then taken together, so that the
/// compiler can vectorise both.
pub fn standard_normals(bits: &[u64], normals: &mut [f64]) {
    for (bits, normals) in bits.chunks(PIECE).zip(normals.chunks_mut(PIECE)) {
        for (normal, &word) in normals.iter_mut().zip(bits) {
            *normal = central(centred(word));
        }
        let (mut places, mut tails, mut count) = ([0_usize; PIECE + 1], [0.0; PIECE + 1], 0);
        for (index, &word) in bits.iter().enumerate() {
            let centred = centred(word);
            // what does not count is written over by the next one
            places[count] = index;
            tails[count] = centred;
            count += usize::from(centred.abs() > SPLIT);
        }
        for value in &mut tails[..count] {
            *value = near(*value);
        }
        for (&index, &value) in places[..count].iter().zip(&tails[..count]) {
            normals[index] = if value.abs() < NEAR_ENDS { value } else { tail(centred(bits[index])) };
        }
    }
}

/// Numbers that are turned together.
const PIECE: usize = 256;

/// Within this distance of one half the central ratio holds.
const SPLIT: f64 = 0.425;

#[inline]
fn central(q: f64) -> f64 {
    let r = SPLIT * SPLIT - q * q;
    q * ratio(&CENTRAL, r)
}

/// The ratio for the tails as far as `exp(-25)`.
#[inline]
fn near(q: f64) -> f64 {
    ratio(&NEAR, (-logarithm(0.5 - q.abs())).sqrt() - 1.6).copysign(q)
}

fn tail(q: f64) -> f64 {
    let r = (-logarithm(0.5 - q.abs())).sqrt();
    let size = if r <= 5.0 { ratio(&NEAR, r - 1.6) } else { ratio(&FAR, r - 5.0) };
    size.copysign(q)
}

/// Natural logarithm of a normal number above zero, to one unit in the last place: the arithmetic of `e_log.c` of
/// Sun's FDLIBM (1993) without its branches for special values, so that loops over it can be vectorised.
#[inline]
fn logarithm(x: f64) -> f64 {
    const NEAR_ROOT_HALF: u64 = 0x3fe6_a09e_0000_0000;
    const EXPONENT: u64 = 0xfff << 52;
    const TWO_TO_52: u64 = 0x4330_0000_0000_0000;
    // x = 2^exponent (1 + f), with 1 + f between the roots of 1/2 and of 2
    let beyond = x.to_bits().wrapping_sub(NEAR_ROOT_HALF);
    let f = f64::from_bits(x.to_bits().wrapping_sub(beyond & EXPONENT)) - 1.0;
    let biased = TWO_TO_52 | ((beyond >> 52).wrapping_add(1024) & 0xfff);
    let exponent = f64::from_bits(biased) - (f64::from_bits(TWO_TO_52) + 1024.0);
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let [l1, l2, l3, l4, l5, l6, l7] = SERIES;
    let rest = w * (l2 + w * (l4 + w * l6)) + z * (l1 + w * (l3 + w * (l5 + w * l7)));
    s * (half_square + rest) + exponent * LN_2_LOW - half_square + f + exponent * LN_2_HIGH
}

/// Where the second ratio ends: the quantile at `exp(-25)`, a little less for safety.
const NEAR_ENDS: f64 = 6.65;
/// `ln 2` in two parts, the first with zeros at its end, so that a multiple of it is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const SERIES: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// Coefficients of numerator and denominator, lowest power first.
type Ratio = [[f64; 8]; 2];

#[inline]
fn ratio(ratio: &Ratio, r: f64) -> f64 {
    let [numerator, denominator] = ratio;
    horner(numerator, r) / horner(denominator, r)
}

#[inline]
fn horner(coefficients: &[f64; 8], r: f64) -> f64 {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = coefficients;
    ((((((a7 * r + a6) * r + a5) * r + a4) * r + a3) * r + a2) * r + a1) * r + a0
}

#[expect(clippy::excessive_precision, reason = "as published")]
const CENTRAL: Ratio = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];
#[expect(clippy::excessive_precision, reason = "as published")]
const NEAR: Ratio = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];
#[expect(clippy::excessive_precision, reason = "as published")]
const FAR: Ratio = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    // mpmath, 40 digits: root of erfc(-z / sqrt 2) / 2 = p
    const QUANTILES: [(f64, f64); 8] = [
        (-0.01, -0.025_068_908_258_711_036),
        (-0.25, -0.674_489_750_196_081_7),
        (-0.425, -1.439_531_470_938_456),
        (-0.425_000_000_1, -1.439_531_471_644_893),
        (-0.49, -2.326_347_874_040_841),
        (-0.499, -3.090_232_306_167_813),
        (-0.499_999_999_9, -6.361_340_889_697_422),
        (f64::EPSILON / 2.0 - 0.5, -8.209_536_151_601_387),
    ];

    #[test]
    fn quantiles_agree_with_mpmath_to_the_last_digits() {
        for (centred, expected) in QUANTILES {
            let error = standard_normal(centred) / expected - 1.0;
            assert!(error.abs() < 7e-16, "{centred}: {error:e}");
        }
    }

    #[test]
    fn a_number_and_its_mirror_image_differ_in_the_sign_only() {
        for (centred, _) in QUANTILES {
            assert_eq!(standard_normal(-centred).to_bits(), (-standard_normal(centred)).to_bits());
        }
    }

    #[test]
    fn no_bits_give_zero_or_one() {
        assert_eq!(centred(0), f64::EPSILON / 2.0 - 0.5);
        assert_eq!(centred(u64::MAX), 0.5 - f64::EPSILON / 2.0);
        assert_eq!(centred(1 << 63), f64::EPSILON / 2.0);
    }

    #[test]
    fn many_numbers_at_once_are_the_single_ones() {
        let bits: Vec<u64> = (0..1000_u64).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let mut normals = vec![0.0; bits.len()];
        standard_normals(&bits, &mut normals);
        for (normal, word) in normals.iter().zip(bits) {
            assert_eq!(normal.to_bits(), standard_normal(centred(word)).to_bits());
        }
    }
}
