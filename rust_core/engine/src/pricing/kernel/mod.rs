//! Vector kernels: many option values per call, on the instruction set of a [`Level`].
//!
//! One source, compiled for each instruction set and chosen when it is called. Lanes are independent of each
//! other and sums run over strikes or entries in their order, so the levels with a fused multiply-add give the
//! same bits, whatever their width. A level that the processor does not have is served by the portable one.
#![expect(unsafe_code, reason = "vector instructions and reads whose bounds were checked before the loop")]

/// Calls the body of an entry point for a level, if the processor has it, else the portable one.
macro_rules! at_level {
    ($level:expr, $body:ident($($argument:expr),* $(,)?)) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if Level::Avx512.is_available() => avx512::$body($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if Level::Avx2.is_available() => avx2::$body($($argument),*),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => neon::$body($($argument),*),
            _ => portable::$body($($argument),*),
        }
    };
}

mod across;
mod joint;
mod linear;
mod lines;
mod minimum;
mod rows;
mod sparse;
mod value;
mod vector;

pub use across::{Positions, SUMMED_LINES, group_sums, value_at};
pub use joint::{Grid, JointStrike, Quantities, Ratios, exponentials, interpolate, joint_sums, weighed};
pub use linear::{Bracket, linear_prices};
pub use lines::{LINE, Line, lines, numbers};
pub use sparse::SparseRows;

use rows::{Both, Given};

use super::level::Level;
use crate::error::{Error, Result};

/// One strike as the kernels read it: today's state and how its volatility follows a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strike {
    /// Strike, quote currency per unit of the underlying, above zero.
    pub strike: f64,
    /// Forward of its expiry, in the same unit, above zero.
    pub forward: f64,
    /// `ln(forward / strike)`.
    pub log_moneyness: f64,
    /// Volatility times the root of the years to expiry; zero gives intrinsic values.
    pub total_volatility: f64,
    /// What a volatility move of 1 (100 %) adds to the total volatility.
    pub volatility_slope: f64,
}

/// A strike with the quantities held of its call and its put, in units of the underlying, short below zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    /// The strike.
    pub strike: Strike,
    /// Net quantity of the call.
    pub calls: f64,
    /// Net quantity of the put.
    pub puts: f64,
}

/// Scenarios as the kernels read them, line by line; the three have the same number of lines.
#[derive(Debug, Clone, Copy)]
pub struct Shocks<'a> {
    /// Shocked price over today's price.
    pub price_ratio: &'a [Line],
    /// Natural logarithm of the price ratio.
    pub log_ratio: &'a [Line],
    /// Relative volatility move before tenor weights: 0.25 is a quarter up.
    pub volatility_move: &'a [Line],
}

impl Shocks<'_> {
    fn checked(&self, line_count: usize) -> Result<()> {
        for (name, found) in [
            ("price_ratio", self.price_ratio.len()),
            ("log_ratio", self.log_ratio.len()),
            ("volatility_move", self.volatility_move.len()),
        ] {
            same_length(name, found, line_count)?;
        }
        Ok(())
    }

    fn of(&self, strike: Strike) -> rows::Moved {
        rows::Moved {
            price_ratio: self.price_ratio.as_ptr().cast(),
            log_ratio: self.log_ratio.as_ptr().cast(),
            volatility_move: self.volatility_move.as_ptr().cast(),
            strike,
        }
    }
}

/// The bodies of the entry points for one instruction set. `$wide` vectors are valued at once, found by
/// measuring; `$vectors` are the vectors in 1 to 6 lines.
macro_rules! instruction_set {
    (
        $(#[$attribute:meta])* mod $set:ident: $vector:ty, $wide:literal at once,
        $(features $features:literal,)? lines [$($lines:literal = $vectors:literal),+]
    ) => {
        $(#[$attribute])*
        mod $set {
            use super::{Both, Given, Holding, Line, LINE, Shocks, SparseRows, Strike, minimum, rows, vector};

            /// # Safety
            ///
            /// The processor has the instructions; the pointers have `lanes` lanes, a multiple of 8.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn given(lanes: usize, strike: f64, inputs: &Given, output: &mut Both) {
                // SAFETY: as above
                unsafe { rows::row::<$vector, $wide>(lanes, strike, inputs, output) }
            }

            /// # Safety
            ///
            /// The processor has the instructions; the shocks have as many lines as `sums`.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn accumulate(shocks: &Shocks<'_>, holdings: &[Holding], sums: &mut [Line]) {
                let lanes = sums.len() * LINE;
                for holding in holdings {
                    let mut output = rows::Held {
                        sums: sums.as_mut_ptr().cast(),
                        calls: holding.calls,
                        puts: holding.puts,
                    };
                    let inputs = shocks.of(holding.strike);
                    // SAFETY: as above
                    unsafe { rows::row::<$vector, $wide>(lanes, holding.strike.strike, &inputs, &mut output) }
                }
            }

            /// # Safety
            ///
            /// The processor has the instructions; `calls` and `puts` have as many lines as the shocks for
            /// each strike, and `before` has an element for each strike.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn table(
                shocks: &Shocks<'_>,
                strikes: &[Strike],
                before: &[(f64, f64)],
                calls: &mut [Line],
                puts: &mut [Line],
            ) {
                let width = shocks.price_ratio.len();
                let rows = calls.chunks_exact_mut(width).zip(puts.chunks_exact_mut(width));
                for ((strike, &(call_before, put_before)), (calls, puts)) in strikes.iter().zip(before).zip(rows) {
                    let mut output = Both {
                        calls: calls.as_mut_ptr().cast(),
                        puts: puts.as_mut_ptr().cast(),
                        call_before,
                        put_before,
                    };
                    let inputs = shocks.of(*strike);
                    // SAFETY: as above
                    unsafe { rows::row::<$vector, $wide>(width * LINE, strike.strike, &inputs, &mut output) }
                }
            }

            /// # Safety
            ///
            /// The processor has the instructions; `block` has `width` lines for each row of `sparse`, and the
            /// discounts a factor for each of its expiries.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn lower(
                sparse: &SparseRows,
                first_group: usize,
                (block, width): (&[Line], usize),
                discounts: Option<(&[f64], &[f64])>,
                minima: &mut [f64],
            ) {
                let block = block.as_ptr().cast();
                // SAFETY: as above
                unsafe {
                    match (width, discounts) {
                        $(
                            ($lines, None) => {
                                minimum::lower::<$vector, $vectors>(sparse, first_group, block, minima);
                            }
                            ($lines, Some(factors)) => {
                                minimum::lower_discounted::<$vector, $vectors>(
                                    sparse, first_group, block, factors, minima,
                                );
                            }
                        )+
                        _ => {}
                    }
                }
            }
        }
    };
}

instruction_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx512: vector::x86::Eight, 4 at once,
    features "avx512f,avx512dq,avx512vl,avx512bw,avx512cd,avx2,fma",
    lines [1 = 1, 2 = 2, 3 = 3, 4 = 4, 5 = 5, 6 = 6]
);
instruction_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx2: vector::x86::Four, 2 at once,
    features "avx2,fma",
    lines [1 = 2, 2 = 4, 3 = 6, 4 = 8, 5 = 10, 6 = 12]
);
instruction_set!(
    #[cfg(target_arch = "aarch64")]
    mod neon: vector::arm::Two, 4 at once,
    features "neon",
    lines [1 = 4, 2 = 8, 3 = 12, 4 = 16, 5 = 20, 6 = 24]
);
instruction_set!(
    mod portable: vector::Pair, 2 at once,
    lines [1 = 4, 2 = 8, 3 = 12, 4 = 16, 5 = 20, 6 = 24]
);

/// Lines of scenarios that [`lower_minima`] takes at once without leaving the registers of a level.
pub fn lines_per_block(level: Level, discounted: bool) -> usize {
    // discounting keeps two sums per lane; 32 registers of 8 lanes hold both for 6 lines, 16 of 4 for 3
    if discounted && level != Level::Avx512 { 3 } else { 6 }
}

/// Values of one strike's call and put, scenario by scenario.
///
/// `forwards`, `log_shocks` and `total_volatilities` have one element per scenario: the shocked forward, the
/// logarithm of its ratio to today's, and the shocked volatility times the root of time. `log_moneyness` is
/// `ln(forward / strike)` of today. `calls` and `puts` receive undiscounted values per unit. A total volatility
/// of zero or less gives intrinsic values exactly.
///
/// # Errors
///
/// [`Error::Shape`] if the lengths differ.
#[expect(clippy::too_many_arguments, reason = "three columns in and two out")]
pub fn strike_row(
    level: Level,
    strike: f64,
    log_moneyness: f64,
    forwards: &[f64],
    log_shocks: &[f64],
    total_volatilities: &[f64],
    calls: &mut [f64],
    puts: &mut [f64],
) -> Result<()> {
    let count = forwards.len();
    for (name, found) in [
        ("log_shocks", log_shocks.len()),
        ("total_volatilities", total_volatilities.len()),
        ("calls", calls.len()),
        ("puts", puts.len()),
    ] {
        same_length(name, found, count)?;
    }
    let whole = count / LINE * LINE;
    value_given(
        level,
        whole,
        strike,
        &Given {
            forward: forwards.as_ptr(),
            log_shock: log_shocks.as_ptr(),
            total_volatility: total_volatilities.as_ptr(),
            log_moneyness,
        },
        (calls.as_mut_ptr(), puts.as_mut_ptr()),
    );
    if whole < count {
        let last = |values: &[f64], padding: f64| {
            let mut line = [padding; LINE];
            for (place, &value) in line.iter_mut().zip(&values[whole..]) {
                *place = value;
            }
            line
        };
        let (forwards, log_shocks) = (last(forwards, strike), last(log_shocks, 0.0));
        let total_volatilities = last(total_volatilities, 0.0);
        let (mut last_calls, mut last_puts) = ([0.0; LINE], [0.0; LINE]);
        value_given(
            level,
            LINE,
            strike,
            &Given {
                forward: forwards.as_ptr(),
                log_shock: log_shocks.as_ptr(),
                total_volatility: total_volatilities.as_ptr(),
                log_moneyness,
            },
            (last_calls.as_mut_ptr(), last_puts.as_mut_ptr()),
        );
        calls[whole..].copy_from_slice(&last_calls[..count - whole]);
        puts[whole..].copy_from_slice(&last_puts[..count - whole]);
    }
    Ok(())
}

/// Values `lanes` scenarios; private, because its pointers are only as good as its callers.
fn value_given(level: Level, lanes: usize, strike: f64, inputs: &Given, (calls, puts): (*mut f64, *mut f64)) {
    let mut output = Both { calls, puts, call_before: 0.0, put_before: 0.0 };
    // SAFETY: `at_level` asks the processor; both callers pass pointers to `lanes` numbers, a multiple of 8
    unsafe { at_level!(level, given(lanes, strike, inputs, &mut output)) }
}

/// Adds the values of holdings to running sums, scenario by scenario, in the order of the holdings.
///
/// # Errors
///
/// [`Error::Shape`] if the shocks do not have as many lines as `sums`.
pub fn accumulate(level: Level, shocks: &Shocks<'_>, holdings: &[Holding], sums: &mut [Line]) -> Result<()> {
    shocks.checked(sums.len())?;
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, accumulate(shocks, holdings, sums)) }
    Ok(())
}

/// Fills the rows of calls and of puts of a table: value under each scenario less the value in `before`
/// (call, put), which may be zero.
///
/// The rows of a strike are as many lines as the shocks have, one strike after the other.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other.
pub fn table(
    level: Level,
    shocks: &Shocks<'_>,
    strikes: &[Strike],
    before: &[(f64, f64)],
    calls: &mut [Line],
    puts: &mut [Line],
) -> Result<()> {
    let width = shocks.price_ratio.len();
    shocks.checked(width)?;
    same_length("before", before.len(), strikes.len())?;
    same_length("calls", calls.len(), strikes.len() * width)?;
    same_length("puts", puts.len(), strikes.len() * width)?;
    if width > 0 {
        // SAFETY: `at_level` asks the processor; the lengths were checked
        unsafe { at_level!(level, table(shocks, strikes, before, calls, puts)) }
    }
    Ok(())
}

/// Lowers the minima of the groups from `first_group` on to their smallest sum over the scenarios of a block.
///
/// `block` has `width` lines for each row, 1 to 6. With `discounts` (long, short), one factor per expiry each,
/// the net value of a segment is multiplied by the long factor of its expiry where it is above zero and by the
/// short factor where it is below, before the segments of a group are added.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other.
pub fn lower_minima(
    level: Level,
    sparse: &SparseRows,
    first_group: usize,
    (block, width): (&[Line], usize),
    discounts: Option<(&[f64], &[f64])>,
    minima: &mut [f64],
) -> Result<()> {
    if !(1..=6).contains(&width) {
        return Err(Error::Shape { name: "width".to_owned(), found: width, expected: 6 });
    }
    same_length("block", block.len(), sparse.row_count() * width)?;
    if first_group + minima.len() > sparse.group_count() {
        return Err(Error::Shape {
            name: "minima".to_owned(),
            found: minima.len(),
            expected: sparse.group_count().saturating_sub(first_group),
        });
    }
    if let Some((long, short)) = discounts {
        same_length("long_discount", long.len(), sparse.expiry_count())?;
        same_length("short_discount", short.len(), sparse.expiry_count())?;
    }
    // SAFETY: `at_level` asks the processor; the lengths were checked, and the rows and expiries of `sparse`
    // when it was made
    unsafe { at_level!(level, lower(sparse, first_group, (block, width), discounts, minima)) }
    Ok(())
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Shape { name: name.to_owned(), found, expected }) }
}
