//! Liquidation prices of linear positions under brackets, several rows at once.

use super::value::each;
use super::vector::{self, Vector};
use super::{LINE, Level, same_length};
use crate::error::Result;

/// A bracket of a maintenance margin that is continuous in the notional.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// Notional from which it applies.
    pub floor: f64,
    /// Maintenance rate, at most 1.
    pub rate: f64,
    /// Cumulative amount, taken off.
    pub amount: f64,
}

/// How far rounding may put a root that lies on the lowest floor below it.
const ROUNDING: f64 = 1e-12;
/// Vectors at once: divisions of one overlap with choices of the other.
const AT_ONCE: usize = 2;

/// Columns of the rows and where their prices go.
#[derive(Clone, Copy)]
struct Rows {
    quantity: *const f64,
    entry: *const f64,
    collateral: *const f64,
    out: *mut f64,
}

macro_rules! linear_set {
    ($(#[$attribute:meta])* mod $set:ident: $vector:ty $(, features $features:literal)?) => {
        $(#[$attribute])*
        mod $set {
            use super::{Bracket, Rows, prices, vector};

            /// # Safety
            ///
            /// The processor has the instructions; the columns have as many rows, a multiple of 8.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn linear(count: usize, rows: Rows, lowest: Bracket, others: &[Bracket]) {
                // SAFETY: as above
                unsafe { prices::<$vector>(count, rows, lowest, others) }
            }
        }
    };
}

linear_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx512: vector::x86::Eight,
    features "avx512f,avx512dq,avx512vl,avx512bw,avx512cd,avx2,fma"
);
linear_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx2: vector::x86::Four,
    features "avx2,fma"
);
linear_set!(
    #[cfg(target_arch = "aarch64")]
    mod neon: vector::arm::Two,
    features "neon"
);
linear_set!(mod portable: vector::Pair);

/// The price at which each position's collateral and result are its maintenance margin, or NaN where there is none.
///
/// `others` are the brackets above the lowest, by rising floor. What an account has beyond its margin only rises with the
/// notional of a long position and only falls with that of a short one, because rates are at most 1 and the margin is
/// continuous: the price lies in the highest bracket whose floor is on the near side of zero. So a bracket takes a choice
/// and a row one division. On a floor the root of either bracket is right. No product is fused with a sum, so every level
/// gives the same bits.
///
/// # Errors
///
/// [`crate::Error::Shape`] if the lengths differ.
pub fn linear_prices(
    level: Level,
    (quantity, entry, collateral): (&[f64], &[f64], &[f64]),
    (lowest, others): (Bracket, &[Bracket]),
    out: &mut [f64],
) -> Result<()> {
    same_length("entry", entry.len(), quantity.len())?;
    same_length("collateral", collateral.len(), quantity.len())?;
    same_length("out", out.len(), quantity.len())?;
    let whole = quantity.len() / LINE * LINE;
    let rows = Rows {
        quantity: quantity.as_ptr(),
        entry: entry.as_ptr(),
        collateral: collateral.as_ptr(),
        out: out.as_mut_ptr(),
    };
    // SAFETY: `at_level` asks the processor; the lengths were checked
    unsafe { at_level!(level, linear(whole, rows, lowest, others)) }
    if whole < quantity.len() {
        let last = |values: &[f64]| {
            let mut line = [0.0; LINE];
            for (place, value) in line.iter_mut().zip(&values[whole..]) {
                *place = *value;
            }
            line
        };
        let (quantity, entry, collateral) = (last(quantity), last(entry), last(collateral));
        let mut found = [0.0; LINE];
        let rows = Rows {
            quantity: quantity.as_ptr(),
            entry: entry.as_ptr(),
            collateral: collateral.as_ptr(),
            out: found.as_mut_ptr(),
        };
        // SAFETY: `at_level` asks the processor; these are lines
        unsafe { at_level!(level, linear(LINE, rows, lowest, others)) }
        for (place, value) in out[whole..].iter_mut().zip(found) {
            *place = value;
        }
    }
    Ok(())
}

/// # Safety
///
/// The processor has the instructions of `V`, and the columns have `count` rows, a multiple of 8.
#[inline(always)]
unsafe fn prices<V: Vector>(count: usize, rows: Rows, lowest: Bracket, others: &[Bracket]) {
    let mut first = 0;
    // SAFETY: each step stays below `count`; the caller vouches for the rest
    unsafe {
        while first + AT_ONCE * V::LANES <= count {
            some_prices::<V, AT_ONCE>(first, rows, lowest, others);
            first += AT_ONCE * V::LANES;
        }
        while first < count {
            some_prices::<V, 1>(first, rows, lowest, others);
            first += V::LANES;
        }
    }
}

/// # Safety
///
/// The processor has the instructions of `V`, and `COUNT x V::LANES` rows exist from `first` on.
#[inline(always)]
unsafe fn some_prices<V: Vector, const COUNT: usize>(
    first: usize,
    rows: Rows,
    lowest: Bracket,
    others: &[Bracket],
) {
    // SAFETY: the caller vouches for the instructions and the rows
    unsafe {
        let load = |column: *const f64, v: usize| V::load(column.add(first + v * V::LANES));
        let (one, minus_one) = (V::first(1.0), V::first(-1.0));
        let quantity = each!(v in COUNT: load(rows.quantity, v));
        let cost = each!(v in COUNT: quantity[v] * load(rows.entry, v) - load(rows.collateral, v));
        let side = each!(v in COUNT: quantity[v].where_positive(one, minus_one));
        let mut rate = [V::first(lowest.rate); COUNT];
        let mut amount = [V::first(lowest.amount); COUNT];
        for bracket in others {
            let floor = V::first(bracket.floor);
            let at_floor = V::first(bracket.rate * bracket.floor - bracket.amount);
            let (own_rate, own_amount) = (V::first(bracket.rate), V::first(bracket.amount));
            let beyond = each!(v in COUNT: (cost[v] + at_floor) * side[v] - floor);
            rate = each!(v in COUNT: beyond[v].where_positive(own_rate, rate[v]));
            amount = each!(v in COUNT: beyond[v].where_positive(own_amount, amount[v]));
        }
        let size = each!(v in COUNT: quantity[v].magnitude());
        let price = each!(v in COUNT: (cost[v] - amount[v]) / (quantity[v] - rate[v] * size[v]));
        let notional = each!(v in COUNT: price[v] * size[v]);
        let (none, least, most) =
            (V::first(f64::NAN), V::first(lowest.floor * (1.0 - ROUNDING)), V::first(f64::MAX));
        let found = each!(v in COUNT: (notional[v] - least).where_positive(price[v], none));
        let found = each!(v in COUNT: (most - notional[v]).where_positive(found[v], none));
        let mut v = 0;
        while v < COUNT {
            found[v].store(rows.out.add(first + v * V::LANES));
            v += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::level::available;

    #[test]
    fn every_level_gives_the_same_bits() {
        let drawn = |index: usize| {
            let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let bracket = |floor: f64, rate: f64, amount: f64| Bracket { floor, rate, amount };
        let others = [bracket(500.0, 0.02, 5.0), bracket(2_000.0, 0.5, 965.0)];
        for rows in [0, 1, 7, 8, 9, 200, 1_003] {
            let column = |number: usize, scale: f64| -> Vec<f64> {
                (0..rows).map(|row| scale * (drawn(4 * row + number) - 0.4)).collect()
            };
            let (quantity, entry, collateral) = (column(0, 50.0), column(1, 100.0), column(2, 900.0));
            let bits = |level: Level| -> Vec<u64> {
                let mut out = vec![0.0; rows];
                let columns = (&quantity[..], &entry[..], &collateral[..]);
                linear_prices(level, columns, (bracket(0.0, 0.01, 0.0), &others), &mut out).unwrap();
                out.into_iter().map(|price| if price.is_nan() { 0 } else { price.to_bits() }).collect()
            };
            for level in available() {
                assert_eq!(bits(level), bits(Level::Portable), "{level}, {rows} rows");
            }
        }
    }
}
