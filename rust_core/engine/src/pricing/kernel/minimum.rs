//! The smallest scenario of many sparse sums over one table, without storing the sums.

use super::sparse::SparseRows;
use super::value::each;
use super::vector::Vector;

/// Lowers `minima` of the groups from `first_group` on by this block of scenarios.
///
/// # Safety
///
/// The processor has the instructions of `V`, and `block` holds `COUNT x V::LANES` numbers for each row that
/// `sparse` may name.
#[inline(always)]
pub(super) unsafe fn lower<V: Vector, const COUNT: usize>(
    sparse: &SparseRows,
    first_group: usize,
    block: *const f64,
    minima: &mut [f64],
) {
    let starts = &sparse.group_entries()[first_group..=first_group + minima.len()];
    for (minimum, ends) in minima.iter_mut().zip(starts.windows(2)) {
        // SAFETY: the caller vouches for the instructions and the block
        let sums = unsafe { entry_sums::<V, COUNT>(sparse, ends[0], ends[1], block) };
        lower_to(minimum, smallest(&sums));
    }
}

/// Like [`lower`], with the net value of each segment multiplied by its expiry's factor: `long` where it is
/// above zero, `short` where it is below.
///
/// # Safety
///
/// As for [`lower`], and `long` and `short` have a factor for each expiry that `sparse` may name.
#[inline(always)]
pub(super) unsafe fn lower_discounted<V: Vector, const COUNT: usize>(
    sparse: &SparseRows,
    first_group: usize,
    block: *const f64,
    (long, short): (&[f64], &[f64]),
    minima: &mut [f64],
) {
    let starts = &sparse.group_segments()[first_group..=first_group + minima.len()];
    for (minimum, ends) in minima.iter_mut().zip(starts.windows(2)) {
        // SAFETY: the caller vouches for the instructions and the block; a segment of `sparse` has a start,
        // an end and an expiry
        unsafe {
            let mut totals = [V::first(0.0); COUNT];
            let mut segment = ends[0];
            while segment < ends[1] {
                let start = *sparse.segment_entries().get_unchecked(segment);
                let end = *sparse.segment_entries().get_unchecked(segment + 1);
                let expiry = *sparse.segment_expiries().get_unchecked(segment) as usize;
                let long = V::first(*long.get_unchecked(expiry));
                let short = V::first(*short.get_unchecked(expiry));
                let sums = entry_sums::<V, COUNT>(sparse, start, end, block);
                totals =
                    each!(v in COUNT: sums[v].times_plus(sums[v].where_positive(long, short), totals[v]));
                segment += 1;
            }
            lower_to(minimum, smallest(&totals));
        }
    }
}

/// Sums of `quantity x row` over the entries from `start` to `end`, in their order.
///
/// # Safety
///
/// As for [`lower`], and `start..end` are entries of `sparse`.
#[inline(always)]
pub(super) unsafe fn entry_sums<V: Vector, const COUNT: usize>(
    sparse: &SparseRows,
    start: usize,
    end: usize,
    block: *const f64,
) -> [V; COUNT] {
    // SAFETY: the caller vouches for the instructions, the block and the entries
    unsafe {
        let mut sums = [V::first(0.0); COUNT];
        let (mut quantity, mut row) =
            (sparse.quantities().as_ptr().add(start), sparse.rows().as_ptr().add(start));
        let last = sparse.rows().as_ptr().add(end);
        // wrapping, because a check for overflow would cost as much as a line; rows were checked when made
        while row < last {
            let held = V::first(*quantity);
            let values = block.wrapping_add((*row as usize).wrapping_mul(COUNT * V::LANES));
            sums = each!(v in COUNT: held.times_plus(V::load(values.wrapping_add(v * V::LANES)), sums[v]));
            quantity = quantity.wrapping_add(1);
            row = row.wrapping_add(1);
        }
        sums
    }
}

#[inline(always)]
pub(super) fn smallest<V: Vector, const COUNT: usize>(vectors: &[V; COUNT]) -> f64 {
    let mut least = vectors[0];
    let mut v = 1;
    while v < COUNT {
        least = least.smaller(vectors[v]);
        v += 1;
    }
    least.smallest_lane()
}

/// The smaller of two numbers, of which none is NaN: no more than one instruction.
#[inline(always)]
fn lower_to(minimum: &mut f64, value: f64) {
    if value < *minimum {
        *minimum = value;
    }
}
