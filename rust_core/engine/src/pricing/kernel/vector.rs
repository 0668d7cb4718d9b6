//! What the kernels need of a vector of numbers, and the vectors of each instruction set.

use std::ops::{Add, Div, Mul, Sub};

/// A few `f64` side by side.
///
/// A value of such a type exists only where the processor has its instructions, because the two ways to make
/// one from nothing, [`Vector::first`] and [`Vector::load`], are unsafe and ask for that. All arithmetic on
/// existing values is therefore safe.
pub(super) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Numbers in a vector; divides 8.
    const LANES: usize;

    /// The same number in every lane.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn first(value: f64) -> Self;

    /// The `LANES` numbers from an address on.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type, and `LANES` numbers can be read at `from`.
    unsafe fn load(from: *const f64) -> Self;

    /// Writes the lanes from an address on.
    ///
    /// # Safety
    ///
    /// `LANES` numbers can be written at `to`.
    unsafe fn store(self, to: *mut f64);

    /// The same number in every lane; `self` only proves that vectors exist.
    fn splat(self, value: f64) -> Self;

    /// `self x factor + addend`, rounded once where the instructions can.
    fn times_plus(self, factor: Self, addend: Self) -> Self;

    /// `minuend - self x factor`, rounded once where the instructions can.
    fn times_from(self, factor: Self, minuend: Self) -> Self;

    /// The smaller, lane by lane; neither is NaN.
    fn smaller(self, other: Self) -> Self;

    /// The larger, lane by lane; neither is NaN.
    fn larger(self, other: Self) -> Self;

    /// The magnitude.
    fn magnitude(self) -> Self;

    /// `self` with the lowest 12 bits of each lane of `shifted` added to its binary exponent.
    fn raised(self, shifted: Self) -> Self;

    /// `yes` where `self > 0`, else `no`.
    fn where_positive(self, yes: Self, no: Self) -> Self;

    /// The smallest of the lanes; none is NaN.
    fn smallest_lane(self) -> f64;
}

/// The operators of a wrapper, each one instruction.
macro_rules! operators {
    ($vector:ident: $($operator:ident $method:ident $instruction:ident),+) => {
        $(impl $operator for $vector {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where the processor has the instructions
                Self(unsafe { $instruction(self.0, other.0) })
            }
        })+
    };
}

/// The part of [`Vector`] that differs between instruction sets by nothing but names.
macro_rules! common_methods {
    (splat $splat:ident, load $load:ident, store $store:ident, min $smaller:ident, max $larger:ident) => {
        #[inline(always)]
        unsafe fn first(value: f64) -> Self {
            // SAFETY: the caller vouches for the instructions
            Self(unsafe { $splat(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: the caller vouches for the instructions and the address
            Self(unsafe { $load(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: the caller vouches for the address, the existing value for the instructions
            unsafe { $store(to, self.0) }
        }

        #[inline(always)]
        fn splat(self, value: f64) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { $splat(value) })
        }

        #[inline(always)]
        fn smaller(self, other: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { $smaller(self.0, other.0) })
        }

        #[inline(always)]
        fn larger(self, other: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { $larger(self.0, other.0) })
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;
    use std::ops::{Add, Div, Mul, Sub};

    use super::Vector;

    /// 8 numbers, AVX-512.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub(in super::super) struct Eight(__m512d);

    operators!(Eight: Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd);

    impl Vector for Eight {
        const LANES: usize = 8;

        common_methods!(
            splat _mm512_set1_pd, load _mm512_loadu_pd, store _mm512_storeu_pd,
            min _mm512_min_pd, max _mm512_max_pd
        );

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm512_fmadd_pd(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn times_from(self, factor: Self, minuend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm512_fnmadd_pd(self.0, factor.0, minuend.0) })
        }

        #[inline(always)]
        fn magnitude(self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm512_abs_pd(self.0) })
        }

        #[inline(always)]
        fn raised(self, shifted: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe {
                let exponent = _mm512_slli_epi64::<52>(_mm512_castpd_si512(shifted.0));
                _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(self.0), exponent))
            })
        }

        #[inline(always)]
        fn where_positive(self, yes: Self, no: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe {
                let positive = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, _mm512_setzero_pd());
                _mm512_mask_blend_pd(positive, no.0, yes.0)
            })
        }

        #[inline(always)]
        fn smallest_lane(self) -> f64 {
            // SAFETY: values of this type exist only where the processor has the instructions
            unsafe { _mm512_reduce_min_pd(self.0) }
        }
    }

    /// 4 numbers, AVX2 and FMA.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub(in super::super) struct Four(__m256d);

    operators!(Four: Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd);

    impl Vector for Four {
        const LANES: usize = 4;

        common_methods!(
            splat _mm256_set1_pd, load _mm256_loadu_pd, store _mm256_storeu_pd,
            min _mm256_min_pd, max _mm256_max_pd
        );

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm256_fmadd_pd(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn times_from(self, factor: Self, minuend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm256_fnmadd_pd(self.0, factor.0, minuend.0) })
        }

        #[inline(always)]
        fn magnitude(self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
        }

        #[inline(always)]
        fn raised(self, shifted: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe {
                let exponent = _mm256_slli_epi64::<52>(_mm256_castpd_si256(shifted.0));
                _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(self.0), exponent))
            })
        }

        #[inline(always)]
        fn where_positive(self, yes: Self, no: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe {
                let positive = _mm256_cmp_pd::<_CMP_GT_OQ>(self.0, _mm256_setzero_pd());
                _mm256_blendv_pd(no.0, yes.0, positive)
            })
        }

        #[inline(always)]
        fn smallest_lane(self) -> f64 {
            // SAFETY: values of this type exist only where the processor has the instructions
            unsafe {
                let halves = _mm_min_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
                _mm_cvtsd_f64(_mm_min_sd(halves, _mm_unpackhi_pd(halves, halves)))
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) mod arm {
    use std::arch::aarch64::*;
    use std::ops::{Add, Div, Mul, Sub};

    use super::Vector;

    /// 2 numbers, NEON.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub(in super::super) struct Two(float64x2_t);

    operators!(Two: Add add vaddq_f64, Sub sub vsubq_f64, Mul mul vmulq_f64, Div div vdivq_f64);

    impl Vector for Two {
        const LANES: usize = 2;

        common_methods!(splat vdupq_n_f64, load vld1q_f64, store vst1q_f64, min vminq_f64, max vmaxq_f64);

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { vfmaq_f64(addend.0, self.0, factor.0) })
        }

        #[inline(always)]
        fn times_from(self, factor: Self, minuend: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { vfmsq_f64(minuend.0, self.0, factor.0) })
        }

        #[inline(always)]
        fn magnitude(self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { vabsq_f64(self.0) })
        }

        #[inline(always)]
        fn raised(self, shifted: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe {
                let exponent = vshlq_n_s64::<52>(vreinterpretq_s64_f64(shifted.0));
                vreinterpretq_f64_s64(vaddq_s64(vreinterpretq_s64_f64(self.0), exponent))
            })
        }

        #[inline(always)]
        fn where_positive(self, yes: Self, no: Self) -> Self {
            // SAFETY: values of this type exist only where the processor has the instructions
            Self(unsafe { vbslq_f64(vcgtzq_f64(self.0), yes.0, no.0) })
        }

        #[inline(always)]
        fn smallest_lane(self) -> f64 {
            // SAFETY: values of this type exist only where the processor has the instructions
            unsafe { vminvq_f64(self.0) }
        }
    }
}

/// 2 numbers in plain arithmetic, a width that compilers turn into the vectors of any baseline.
///
/// A fused multiply-add would be a library call per number here, ten times slower than a product and a sum.
#[derive(Clone, Copy)]
pub(super) struct Pair([f64; 2]);

impl Pair {
    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        Self([operation(self.0[0], other.0[0]), operation(self.0[1], other.0[1])])
    }
}

macro_rules! plain_operators {
    ($($operator:ident $method:ident $symbol:tt),+) => {
        $(impl $operator for Pair {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.with(other, |left, right| left $symbol right)
            }
        })+
    };
}

plain_operators!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Vector for Pair {
    const LANES: usize = 2;

    #[inline(always)]
    unsafe fn first(value: f64) -> Self {
        Self([value; 2])
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller vouches for the address, and an array of numbers has their alignment
        Self(unsafe { *from.cast() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller vouches for the address, and an array of numbers has their alignment
        unsafe { *to.cast() = self.0 }
    }

    #[inline(always)]
    fn splat(self, value: f64) -> Self {
        Self([value; 2])
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, addend: Self) -> Self {
        self * factor + addend
    }

    #[inline(always)]
    fn times_from(self, factor: Self, minuend: Self) -> Self {
        minuend - self * factor
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.with(other, |left, right| if left < right { left } else { right })
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |left, right| if left > right { left } else { right })
    }

    #[inline(always)]
    fn magnitude(self) -> Self {
        Self([self.0[0].abs(), self.0[1].abs()])
    }

    #[inline(always)]
    fn raised(self, shifted: Self) -> Self {
        self.with(shifted, |number, exponent| {
            f64::from_bits(number.to_bits().wrapping_add(exponent.to_bits() << 52))
        })
    }

    #[inline(always)]
    fn where_positive(self, yes: Self, no: Self) -> Self {
        let lane = |lane: usize| if self.0[lane] > 0.0 { yes.0[lane] } else { no.0[lane] };
        Self([lane(0), lane(1)])
    }

    #[inline(always)]
    fn smallest_lane(self) -> f64 {
        if self.0[0] < self.0[1] { self.0[0] } else { self.0[1] }
    }
}
