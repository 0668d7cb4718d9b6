//! Many positions at one market: what they are worth together at one ratio of all their forwards, and sums of sparse
//! rows over a few lines of a table, with which such ratios are found.

use super::sparse::SparseRows;
use super::value::{each, out_of_the_money};
use super::vector::{self, Vector};
use super::{JointStrike, LINE, Level, Line, minimum, same_length};
use crate::error::{Error, Result};
use crate::instrument::OptionRight;

/// Lines of a row that [`group_sums`] adds up at once: as many as leave every level registers to spare.
pub const SUMMED_LINES: usize = 4;

/// Eight positions, column by column.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Eight {
    strike: Line,
    forward: Line,
    log_moneyness: Line,
    total_volatility: Line,
    inverse_volatility: Line,
    /// 1 for a put, 0 for a call.
    is_put: Line,
    quantity: Line,
}

/// Places without a position are worth exactly zero.
const EMPTY: Eight = Eight {
    strike: Line([1.0; LINE]),
    forward: Line([1.0; LINE]),
    log_moneyness: Line([0.0; LINE]),
    total_volatility: Line([0.0; LINE]),
    inverse_volatility: Line([1.0; LINE]),
    is_put: Line([0.0; LINE]),
    quantity: Line([0.0; LINE]),
};

/// Positions side by side, so that all are valued at one ratio of their forwards at once.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    eights: Vec<Eight>,
    count: usize,
}

impl Positions {
    /// Forgets all positions but keeps their memory.
    pub fn clear(&mut self) {
        self.eights.clear();
        self.count = 0;
    }

    /// Takes one more position, its quantity in units of the underlying, short below zero.
    pub fn push(&mut self, strike: &JointStrike, right: OptionRight, quantity: f64) {
        let lane = self.count % LINE;
        if lane == 0 {
            self.eights.push(EMPTY);
        }
        self.count += 1;
        if let Some(eight) = self.eights.last_mut() {
            eight.strike.0[lane] = strike.strike;
            eight.forward.0[lane] = strike.forward;
            eight.log_moneyness.0[lane] = strike.log_moneyness;
            eight.total_volatility.0[lane] = strike.total_volatility;
            eight.inverse_volatility.0[lane] = strike.inverse_volatility;
            eight.is_put.0[lane] = if right == OptionRight::Put { 1.0 } else { 0.0 };
            eight.quantity.0[lane] = quantity;
        }
    }
}

/// The bodies of the entry points for one instruction set; see `instruction_set` of the parent. `$vectors` are the
/// vectors in the lines of a sum.
macro_rules! across_set {
    (
        $(#[$attribute:meta])* mod $set:ident: $vector:ty, $wide:literal at once, $vectors:literal summed
        $(, features $features:literal)?
    ) => {
        $(#[$attribute])*
        mod $set {
            use super::{Eight, Line, SparseRows, sums_of_groups, vector, worth};

            /// # Safety
            ///
            /// The processor has the instructions.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn value_at(eights: &[Eight], ratio: f64, log_ratio: f64) -> Line {
                // SAFETY: as above
                unsafe { worth::<$vector, $wide>(eights, ratio, log_ratio) }
            }

            /// # Safety
            ///
            /// The processor has the instructions; `block` has the lines of a sum for each row of `sparse`, `sums`
            /// for each of the groups, which exist, and `least` a number.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn group_sums(
                sparse: &SparseRows,
                groups: &[usize],
                block: &[Line],
                sums: &mut [Line],
                least: &mut [f64],
            ) {
                let block = block.as_ptr().cast();
                // SAFETY: as above
                unsafe { sums_of_groups::<$vector, $vectors>(sparse, groups, block, sums, least) }
            }
        }
    };
}

across_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx512: vector::x86::Eight, 4 at once, 4 summed,
    features "avx512f,avx512dq,avx512vl,avx512bw,avx512cd,avx2,fma"
);
across_set!(
    #[cfg(target_arch = "x86_64")]
    mod avx2: vector::x86::Four, 2 at once, 8 summed,
    features "avx2,fma"
);
across_set!(
    #[cfg(target_arch = "aarch64")]
    mod neon: vector::arm::Two, 4 at once, 16 summed,
    features "neon"
);
across_set!(mod portable: vector::Pair, 2 at once, 16 summed);

/// What positions are worth together where every forward stands at `ratio` times its own, above zero, and volatilities
/// are today's; `log_ratio` is the natural logarithm of the ratio.
pub fn value_at(level: Level, positions: &Positions, ratio: f64, log_ratio: f64) -> f64 {
    // SAFETY: `at_level` asks the processor
    let lanes = unsafe { at_level!(level, value_at(&positions.eights, ratio, log_ratio)) };
    lanes.0.iter().sum()
}

/// Sums of `quantity x row` of some groups, over a block of [`SUMMED_LINES`] lines for each row.
///
/// `sums` receives as many lines for each of the groups, in their order, and `least` the smallest number of each.
///
/// # Errors
///
/// [`Error::Shape`] if lengths do not fit each other, [`Error::NoAnswer`] for a group that does not exist.
pub fn group_sums(
    level: Level,
    sparse: &SparseRows,
    groups: &[usize],
    block: &[Line],
    sums: &mut [Line],
    least: &mut [f64],
) -> Result<()> {
    same_length("block", block.len(), sparse.row_count() * SUMMED_LINES)?;
    same_length("sums", sums.len(), groups.len() * SUMMED_LINES)?;
    same_length("least", least.len(), groups.len())?;
    if let Some(group) = groups.iter().find(|group| **group >= sparse.group_count()) {
        let why = format!("group must be below {}, was {group}", sparse.group_count());
        return Err(Error::NoAnswer { why });
    }
    // SAFETY: `at_level` asks the processor; lengths and groups were checked, the rows of `sparse` when it was made
    unsafe { at_level!(level, group_sums(sparse, groups, block, sums, least)) }
    Ok(())
}

/// The worth of positions in eight sums, whatever the width of a vector: `WIDE` vectors at a time while there are as
/// many.
///
/// # Safety
///
/// The processor has the instructions of `V`.
#[inline(always)]
unsafe fn worth<V: Vector, const WIDE: usize>(eights: &[Eight], ratio: f64, log_ratio: f64) -> Line {
    let mut sums = Line::default();
    let vectors = eights.len() * (LINE / V::LANES);
    let market = (ratio, log_ratio);
    let mut first = 0;
    // SAFETY: each step stays below `vectors`; the caller vouches for the instructions
    unsafe {
        while first + WIDE <= vectors {
            add_worth::<V, WIDE>(eights, first, market, &mut sums);
            first += WIDE;
        }
        // what is left of a small account is most of it
        if first + 3 <= vectors {
            add_worth::<V, 3>(eights, first, market, &mut sums);
            first += 3;
        }
        if first + 2 <= vectors {
            add_worth::<V, 2>(eights, first, market, &mut sums);
            first += 2;
        }
        if first < vectors {
            add_worth::<V, 1>(eights, first, market, &mut sums);
        }
    }
    sums
}

/// # Safety
///
/// The processor has the instructions of `V`, and `COUNT` vectors of positions exist from `first` on.
#[inline(always)]
unsafe fn add_worth<V: Vector, const COUNT: usize>(
    eights: &[Eight],
    first: usize,
    (ratio, log_ratio): (f64, f64),
    sums: &mut Line,
) {
    let per_line = LINE / V::LANES;
    let place = |v: usize| ((first + v) / per_line, (first + v) % per_line * V::LANES);
    // SAFETY: the caller vouches for the instructions and the positions; lanes of a vector divide a line
    unsafe {
        macro_rules! column {
            ($name:ident) => {
                each!(v in COUNT: {
                    let (eight, lane) = place(v);
                    V::load(eights.get_unchecked(eight).$name.0.as_ptr().add(lane))
                })
            };
        }
        let (ratio, log_ratio, zero) = (V::first(ratio), V::first(log_ratio), V::first(0.0));
        let strike = column!(strike);
        let (forward, log_moneyness) = (column!(forward), column!(log_moneyness));
        let forward = each!(v in COUNT: forward[v] * ratio);
        let log_moneyness = each!(v in COUNT: log_moneyness[v] + log_ratio);
        let (total_volatility, inverse) = (column!(total_volatility), column!(inverse_volatility));
        let time_value = out_of_the_money(&forward, &strike, &log_moneyness, &total_volatility, &inverse);
        let (is_put, quantity) = (column!(is_put), column!(quantity));
        let difference = each!(v in COUNT: forward[v] - strike[v]);
        let intrinsic = each!(v in COUNT: is_put[v].times_from(difference[v], difference[v].larger(zero)));
        let mut v = 0;
        while v < COUNT {
            let to = sums.0.as_mut_ptr().add(place(v).1);
            (time_value[v] + intrinsic[v]).times_plus(quantity[v], V::load(to)).store(to);
            v += 1;
        }
    }
}

/// # Safety
///
/// The processor has the instructions of `V`, `block` holds `COUNT x V::LANES` numbers for each row that `sparse` may
/// name, the groups exist, and `sums` has as many numbers for each of them and `least` one.
#[inline(always)]
unsafe fn sums_of_groups<V: Vector, const COUNT: usize>(
    sparse: &SparseRows,
    groups: &[usize],
    block: *const f64,
    sums: &mut [Line],
    least: &mut [f64],
) {
    let mut to: *mut f64 = sums.as_mut_ptr().cast();
    for (group, least) in groups.iter().zip(least) {
        // SAFETY: the caller vouches for the instructions, the block and the sums; a group of `sparse` has a start and
        // an end
        unsafe {
            let start = *sparse.group_entries().get_unchecked(*group);
            let end = *sparse.group_entries().get_unchecked(group + 1);
            let found = minimum::entry_sums::<V, COUNT>(sparse, start, end, block);
            *least = minimum::smallest(&found);
            for sum in found {
                sum.store(to);
                to = to.add(V::LANES);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::black76::both;
    use crate::pricing::level::available;

    fn drawn(index: usize) -> f64 {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn positions_are_worth_together_what_they_are_worth_one_by_one() {
        for count in 0..40 {
            let mut positions = Positions::default();
            positions.push(&JointStrike::new(1.0, 2.0, 3.0), OptionRight::Call, 4.0);
            positions.clear();
            let ratio = 0.7 + 0.01 * count as f64;
            let (mut expected, mut gross) = (0.0, 0.0);
            for index in 0..count {
                let strike = 60_000.0 * (0.5 + drawn(5 * index));
                let forward = 60_000.0 * (1.0 + 0.1 * drawn(5 * index + 1));
                // a few have no time left
                let volatility = (drawn(5 * index + 2) - 0.2).max(0.0);
                let quantity = 10.0 * drawn(5 * index + 3) - 5.0;
                let (call, put) = both(forward * ratio, strike, volatility).unwrap();
                let (right, value) =
                    if index % 3 == 0 { (OptionRight::Put, put) } else { (OptionRight::Call, call) };
                positions.push(&JointStrike::new(strike, forward, volatility), right, quantity);
                expected += quantity * value;
                gross += quantity.abs() * forward.max(strike);
            }
            let mut fused = None;
            for level in available() {
                let found = value_at(level, &positions, ratio, ratio.ln());
                assert!((found - expected).abs() <= 1e-14 * gross, "{level} {count}: {found} {expected}");
                if level.is_fused() {
                    assert_eq!(found.to_bits(), *fused.get_or_insert(found.to_bits()), "{level} {count}");
                }
            }
        }
    }

    #[test]
    fn sums_of_groups_are_those_of_their_entries() {
        let rows = 7;
        let block: Vec<Line> = (0..rows * SUMMED_LINES)
            .map(|line| Line(std::array::from_fn(|lane| (line * LINE + lane) as f64)))
            .collect();
        let sparse = SparseRows::new(
            (rows, 1),
            (vec![3, 0, 6, 2], vec![1.0, -2.0, 0.5, 4.0]),
            (vec![0, 1, 3, 3, 4], vec![0; 4]),
            vec![0, 2, 3, 4],
        );
        let sparse = sparse.unwrap();
        let entries = [vec![(3, 1.0), (0, -2.0), (6, 0.5)], vec![], vec![(2, 4.0)]];
        for level in available() {
            let groups = [2, 0, 1, 0];
            let mut sums = vec![Line([9.0; LINE]); groups.len() * SUMMED_LINES];
            let mut least = [0.0; 4];
            group_sums(level, &sparse, &groups, &block, &mut sums, &mut least).unwrap();
            for (least, sums) in least.iter().zip(sums.chunks(SUMMED_LINES)) {
                let all = sums.iter().flat_map(|line| line.0);
                assert!(*least == all.fold(f64::INFINITY, f64::min), "{level}");
            }
            for (place, sum) in sums.iter().flat_map(|line| line.0).enumerate() {
                let (group, lane) = (groups[place / 32], place % 32);
                let value = |row: usize| block[row * SUMMED_LINES + lane / LINE].0[lane % LINE];
                let expected: f64 = entries[group].iter().map(|(row, held)| held * value(*row)).sum();
                assert!(sum == expected, "{level}: group {group}, scenario {lane}");
            }
            let beyond = group_sums(level, &sparse, &[3], &block, &mut sums[..SUMMED_LINES], &mut least[..1]);
            assert!(beyond.is_err());
        }
    }
}
