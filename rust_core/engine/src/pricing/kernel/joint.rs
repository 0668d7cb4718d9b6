//! Kernels for scenarios of many risk factors together: exponentials, interpolation in a grid, weighted sums.

use super::rows::{self, Weighed};
use super::value::{ROUNDS_TO_INTEGER, each, exponential};
use super::vector::{self, Vector};
use super::{Level, Line, LINE, Shocks, Strike, same_length};
use crate::error::{Error, Result};

/// Largest exponent of [`exponentials`].
const LARGEST_EXPONENT: f64 = 690.0;

/// Values of a function of two variables on a regular grid, with an estimate of the error between its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The first variable: its smallest value, the inverse of the step and the number of points, at least 4.
    pub x: (f64, f64, usize),
    /// The second variable, likewise.
    pub y: (f64, f64, usize),
    /// Row by row: `values[row * x.2 + column]`.
    pub values: Vec<f64>,
    /// Of the cell whose lower corner is one row and one column further, in the same order.
    pub errors: Vec<f64>,
}

impl Grid {
    fn checked(&self) -> Result<()> {
        for (name, points) in [("points of x", self.x.2), ("points of y", self.y.2)] {
            if points < 4 {
                return Err(Error::Shape { name: name.to_owned(), found: points, expected: 4 });
            }
        }
        same_length("values", self.values.len(), self.x.2 * self.y.2)?;
        same_length("errors", self.errors.len(), self.values.len())
    }
}

/// The bodies of the entry points for one instruction set; see `instruction_set` of the parent.
macro_rules! joint_set {
    ($(#[$attribute:meta])* mod $set:ident: $vector:ty, $wide:literal at once $(, features $features:literal)?) => {
        $(#[$attribute])*
        mod $set {
            use super::{Grid, Line, LINE, Shocks, Strike, Weighed, exponential_lanes, interpolate_lanes, rows, vector};

            /// # Safety
            ///
            /// The processor has the instructions; the two have the same number of lines.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn exponentials(powers: &[Line], results: &mut [Line]) {
                let lanes = results.len() * LINE;
                // SAFETY: as above
                unsafe { exponential_lanes::<$vector>(lanes, powers.as_ptr().cast(), results.as_mut_ptr().cast()) }
            }

            /// # Safety
            ///
            /// The processor has the instructions; the grid was checked, the four have the same number of lines.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn interpolate(
                grid: &Grid,
                x: &[Line],
                y: &[Line],
                values: &mut [Line],
                errors: &mut [Line],
            ) {
                let from = (x.as_ptr().cast(), y.as_ptr().cast());
                let to = (values.as_mut_ptr().cast(), errors.as_mut_ptr().cast());
                // SAFETY: as above
                unsafe { interpolate_lanes::<$vector>(grid, x.len() * LINE, from, to) }
            }

            /// # Safety
            ///
            /// The processor has the instructions; the weights have as many lines as the shocks.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn weighed(
                shocks: &Shocks<'_>,
                weights: &[Line],
                strikes: &[Strike],
                sums: &mut [(f64, f64)],
            ) {
                for (strike, sums) in strikes.iter().zip(sums) {
                    let mut output = Weighed {
                        weights: weights.as_ptr().cast(),
                        calls: Line::default(),
                        puts: Line::default(),
                    };
                    let inputs = shocks.of(*strike);
                    // SAFETY: as above
                    unsafe {
                        rows::row::<$vector, $wide>(weights.len() * LINE, strike.strike, &inputs, &mut output);
                    }
                    *sums = (output.calls.0.iter().sum(), output.puts.0.iter().sum());
                }
            }
        }
    };
}

joint_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx512: vector::x86::Eight, 4 at once,
    features "avx512f,avx512dq,avx512vl,avx512bw,avx512cd,avx2,fma"
);
joint_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx2: vector::x86::Four, 2 at once,
    features "avx2,fma"
);
joint_set!(
    #[cfg(target_arch = "aarch64")]
    mod neon: vector::arm::Two, 4 at once,
    features "neon"
);
joint_set!(mod portable: vector::Pair, 2 at once);

/// `exp` of powers from -690 to 690; those beyond count as the ends.
///
/// # Errors
///
/// [`Error::Shape`] if the lengths differ.
pub fn exponentials(level: Level, powers: &[Line], results: &mut [Line]) -> Result<()> {
    same_length("results", results.len(), powers.len())?;
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, exponentials(powers, results)) }
    Ok(())
}

/// Adds a grid's values at points, by cubic polynomials in both variables, and its errors to running sums.
///
/// Points outside the grid take the polynomial of the nearest cell.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other.
pub fn interpolate(
    level: Level,
    grid: &Grid,
    (x, y): (&[Line], &[Line]),
    (values, errors): (&mut [Line], &mut [Line]),
) -> Result<()> {
    grid.checked()?;
    for (name, found) in [("y", y.len()), ("values", values.len()), ("errors", errors.len())] {
        same_length(name, found, x.len())?;
    }
    // SAFETY: `at_level` asks the processor; the grid and the lengths were checked
    unsafe { at_level!(level, interpolate(grid, x, y, values, errors)) }
    Ok(())
}

/// The values of each strike's call and put, summed over scenarios with a weight each.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other.
pub fn weighed(
    level: Level,
    shocks: &Shocks<'_>,
    weights: &[Line],
    strikes: &[Strike],
    sums: &mut [(f64, f64)],
) -> Result<()> {
    shocks.checked(weights.len())?;
    same_length("sums", sums.len(), strikes.len())?;
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, weighed(shocks, weights, strikes, sums)) }
    Ok(())
}

/// Vectors of exponentials at once.
const AT_ONCE: usize = 4;

#[inline(always)]
unsafe fn exponential_lanes<V: Vector>(lanes: usize, powers: *const f64, results: *mut f64) {
    let mut lane = 0;
    // SAFETY: the caller vouches for the instructions and the lanes, a multiple of 8
    unsafe {
        let most = V::first(LARGEST_EXPONENT);
        while lane + AT_ONCE * V::LANES <= lanes {
            let found = exponential(each!(v in AT_ONCE: V::load(powers.add(lane + v * V::LANES)).smaller(most)));
            for found in found {
                found.store(results.add(lane));
                lane += V::LANES;
            }
        }
        while lane < lanes {
            let [found] = exponential([V::load(powers.add(lane)).smaller(most)]);
            found.store(results.add(lane));
            lane += V::LANES;
        }
    }
}

/// The cell of a point and the weights of the four grid points around it (Lagrange).
#[inline(always)]
fn stencil<V: Vector>(point: V, (first, inverse_step, count): (f64, f64, usize)) -> (V, [V; 4]) {
    let constant = |value: f64| point.splat(value);
    let (one, two, shift) = (constant(1.0), constant(2.0), constant(ROUNDS_TO_INTEGER));
    let place = (point - constant(first)) * constant(inverse_step);
    // beyond the grid the nearest cell serves, and a whole number far off would not be one
    let inside = place.larger(constant(0.0)).smaller(constant(count as f64));
    let whole = ((inside - constant(0.5)) + shift) - shift;
    let cell = whole.larger(one).smaller(constant((count - 3) as f64));
    let share = place - cell;
    let (less_one, less_two, more_one) = (share - one, share - two, share + one);
    let (left, right) = (share * less_one, more_one * less_two);
    let weights = [
        left * less_two * constant(-1.0 / 6.0),
        less_one * right * constant(0.5),
        share * right * constant(-0.5),
        left * more_one * constant(1.0 / 6.0),
    ];
    (cell - one, weights)
}

#[inline(always)]
unsafe fn interpolate_lanes<V: Vector>(
    grid: &Grid,
    lanes: usize,
    (x, y): (*const f64, *const f64),
    (values, errors): (*mut f64, *mut f64),
) {
    let row = grid.x.2;
    // SAFETY: the caller vouches for the instructions and the lanes; a cell is at least two points from the ends
    unsafe {
        let width = V::first(row as f64);
        let mut lane = 0;
        while lane < lanes {
            let (column, across) = stencil(V::load(x.add(lane)), grid.x);
            let (line, along) = stencil(V::load(y.add(lane)), grid.y);
            let place = line.times_plus(width, column);
            let mut sum = V::load(values.add(lane));
            let mut from = grid.values.as_ptr();
            for weight in along {
                let mut part = across[0] * place.gather(from);
                part = across[1].times_plus(place.gather(from.add(1)), part);
                part = across[2].times_plus(place.gather(from.add(2)), part);
                part = across[3].times_plus(place.gather(from.add(3)), part);
                sum = weight.times_plus(part, sum);
                from = from.wrapping_add(row);
            }
            sum.store(values.add(lane));
            (V::load(errors.add(lane)) + place.gather(grid.errors.as_ptr())).store(errors.add(lane));
            lane += V::LANES;
        }
    }
}
