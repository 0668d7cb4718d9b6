//! Kernels for scenarios of many risk factors together: exponentials, interpolation in a grid, weighted sums.

use super::rows::{self, Held, Scaled, Weighed};
use super::value::{ROUNDS_TO_INTEGER, SMALLEST_VOLATILITY, each, exponential};
use super::vector::{self, Vector};
use super::{LINE, Level, Line, same_length};
use crate::error::{Error, Result};
use crate::pricing::black76::log_moneyness;

/// Largest exponent of [`exponentials`].
const LARGEST_EXPONENT: f64 = 690.0;

/// One strike that is moved by ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointStrike {
    pub(super) strike: f64,
    pub(super) forward: f64,
    pub(super) log_moneyness: f64,
    pub(super) total_volatility: f64,
    pub(super) inverse_volatility: f64,
}

impl JointStrike {
    /// A strike with its forward, both above zero in quote currency per unit, and the total volatility to expiry;
    /// zero gives intrinsic values.
    pub fn new(strike: f64, forward: f64, total_volatility: f64) -> Self {
        Self {
            strike,
            forward,
            log_moneyness: log_moneyness(forward, strike),
            total_volatility,
            inverse_volatility: 1.0 / total_volatility.max(SMALLEST_VOLATILITY),
        }
    }

    /// The strike, quote currency per unit.
    pub fn strike(&self) -> f64 {
        self.strike
    }

    /// Total volatility today.
    pub fn total_volatility(&self) -> f64 {
        self.total_volatility
    }
}

/// A strike with the quantities of its call and its put.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantities {
    /// The strike.
    pub strike: JointStrike,
    /// Net quantity of the call.
    pub calls: f64,
    /// Net quantity of the put.
    pub puts: f64,
}

/// Scenarios of a forward and of its volatility, line by line; all have the same number of lines.
#[derive(Debug, Clone, Copy)]
pub struct Ratios<'a> {
    /// Forward over today's forward.
    pub forward: &'a [Line],
    /// Its natural logarithm.
    pub log_forward: &'a [Line],
    /// Volatility over today's volatility, above zero.
    pub volatility: &'a [Line],
    /// One over it.
    pub inverse_volatility: &'a [Line],
}

impl Ratios<'_> {
    fn checked(&self, lines: usize) -> Result<()> {
        for (name, found) in [
            ("forward", self.forward.len()),
            ("log_forward", self.log_forward.len()),
            ("volatility", self.volatility.len()),
            ("inverse_volatility", self.inverse_volatility.len()),
        ] {
            same_length(name, found, lines)?;
        }
        Ok(())
    }
}

/// Values of a function of two variables on a regular grid, with an estimate of the error between its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The first variable: its smallest value, the inverse of the step and the number of points, at least 4.
    pub x: (f64, f64, usize),
    /// The second variable, likewise.
    pub y: (f64, f64, usize),
    /// Those of one x side by side: `values[place of x * y.2 + place of y]`.
    pub values: Vec<f64>,
    /// Of the cell whose lower corner is one further in both, in the same order.
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

/// The bodies of the entry points for one instruction set; see `instruction_set` of the parent. The second type has
/// two or four lanes.
macro_rules! joint_set {
    ($(#[$attribute:meta])* mod $set:ident: $vector:ty, $narrow:ty, $wide:literal at once $(, features $features:literal)?) => {
        $(#[$attribute])*
        mod $set {
            use super::{
                Grid, Held, JointStrike, LINE, Line, Points, Quantities, Ratios, Scaled, Weighed, exponential_lanes,
                interpolate_lanes, rows, vector,
            };

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
                let points = Points {
                    x: x.as_ptr().cast(),
                    y: y.as_ptr().cast(),
                    values: values.as_mut_ptr().cast(),
                    errors: errors.as_mut_ptr().cast(),
                };
                // SAFETY: as above
                unsafe { interpolate_lanes::<$vector, $narrow>(grid, x.len() * LINE, points) }
            }

            /// # Safety
            ///
            /// The processor has the instructions; the ratios have as many lines as `sums`.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn joint_sums(ratios: &Ratios<'_>, held: &[Quantities], sums: &mut [Line]) {
                let lanes = sums.len() * LINE;
                for held in held {
                    let mut output =
                        Held { sums: sums.as_mut_ptr().cast(), calls: held.calls, puts: held.puts };
                    let inputs = Scaled { ratios: *ratios, strike: held.strike };
                    // SAFETY: as above
                    unsafe { rows::row::<$vector, $wide>(lanes, held.strike.strike, &inputs, &mut output) }
                }
            }

            /// # Safety
            ///
            /// The processor has the instructions; the ratios have as many lines as the weights.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn weighed(
                ratios: &Ratios<'_>,
                weights: &[Line],
                strikes: &[JointStrike],
                sums: &mut [(f64, f64)],
            ) {
                for (strike, sums) in strikes.iter().zip(sums) {
                    let mut output = Weighed {
                        weights: weights.as_ptr().cast(),
                        calls: Line::default(),
                        puts: Line::default(),
                    };
                    let inputs = Scaled { ratios: *ratios, strike: *strike };
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
    mod avx512: vector::x86::Eight, vector::x86::Four, 4 at once,
    features "avx512f,avx512dq,avx512vl,avx512bw,avx512cd,avx2,fma"
);
joint_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx2: vector::x86::Four, vector::x86::Four, 2 at once,
    features "avx2,fma"
);
joint_set!(
    #[cfg(target_arch = "aarch64")]
    mod neon: vector::arm::Two, vector::arm::Two, 4 at once,
    features "neon"
);
joint_set!(mod portable: vector::Pair, vector::Pair, 2 at once);

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

/// Adds the values of what is held to running sums, scenario by scenario, in the order of the list.
///
/// # Errors
///
/// [`Error::Shape`] if the ratios do not have as many lines as `sums`.
pub fn joint_sums(level: Level, ratios: &Ratios<'_>, held: &[Quantities], sums: &mut [Line]) -> Result<()> {
    ratios.checked(sums.len())?;
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, joint_sums(ratios, held, sums)) }
    Ok(())
}

/// The values of each strike's call and put, summed over scenarios with a weight each.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other.
pub fn weighed(
    level: Level,
    ratios: &Ratios<'_>,
    weights: &[Line],
    strikes: &[JointStrike],
    sums: &mut [(f64, f64)],
) -> Result<()> {
    ratios.checked(weights.len())?;
    same_length("sums", sums.len(), strikes.len())?;
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, weighed(ratios, weights, strikes, sums)) }
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
            let found =
                exponential(each!(v in AT_ONCE: V::load(powers.add(lane + v * V::LANES)).smaller(most)));
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

/// Where points are read and sums are kept; all have the same number of lanes.
#[derive(Clone, Copy)]
struct Points {
    x: *const f64,
    y: *const f64,
    values: *mut f64,
    errors: *mut f64,
}

/// # Safety
///
/// The processor has the instructions of `V` and of `W`, whose lanes divide 4, `points` has as many lanes, a multiple of 8, and the grid was checked.
#[inline(always)]
unsafe fn interpolate_lanes<V: Vector, W: Vector>(grid: &Grid, lanes: usize, points: Points) {
    let rows = grid.y.2;
    let (values, errors) = (grid.values.as_ptr(), grid.errors.as_ptr());
    let mut first = 0;
    while first < lanes {
        let (mut across, mut along, mut places) = ([[0.0; LINE]; 4], [[0.0; LINE]; 4], [0.0; LINE]);
        let mut lane = 0;
        // SAFETY: as above; the lanes of a vector divide a line. A place is a whole number, and the last of four
        // columns and rows from there on is on the grid
        unsafe {
            while lane < LINE {
                let (column, column_weights) = stencil(V::load(points.x.add(first + lane)), grid.x);
                let (row, row_weights) = stencil(V::load(points.y.add(first + lane)), grid.y);
                let mut part = 0;
                while part < 4 {
                    column_weights[part].store(across[part].as_mut_ptr().add(lane));
                    row_weights[part].store(along[part].as_mut_ptr().add(lane));
                    part += 1;
                }
                column.times_plus(V::first(rows as f64), row).store(places.as_mut_ptr().add(lane));
                lane += V::LANES;
            }
            // the four values of a column lie side by side: one load of four is cheaper than four of one
            let mut found = [[0.0; 4]; LINE];
            let mut lane = 0;
            while lane < LINE {
                let place: usize = places[lane].to_int_unchecked();
                let mut part = 0;
                while part < 4 {
                    let from = values.add(place + part);
                    let mut sum = W::load(from) * W::first(across[0][lane]);
                    sum = W::load(from.add(rows)).times_plus(W::first(across[1][lane]), sum);
                    sum = W::load(from.add(2 * rows)).times_plus(W::first(across[2][lane]), sum);
                    sum = W::load(from.add(3 * rows)).times_plus(W::first(across[3][lane]), sum);
                    sum.store(found[lane].as_mut_ptr().add(part));
                    part += W::LANES;
                }
                *points.errors.add(first + lane) += *errors.add(place);
                lane += 1;
            }
            let mut lane = 0;
            while lane < LINE {
                let [one, two, three, four] = found[lane];
                *points.values.add(first + lane) += (one * along[0][lane] + two * along[1][lane])
                    + (three * along[2][lane] + four * along[3][lane]);
                lane += 1;
            }
        }
        first += LINE;
    }
}
