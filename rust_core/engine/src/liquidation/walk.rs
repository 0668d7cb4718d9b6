//! One direction of a sweep: the crossings between two bracket changes.

use super::sweep::{Prepared, Strand, Target};
use crate::numeric::ExponentialSum;

/// One direction of a sweep.
pub(super) struct Walk<'w, 'a> {
    pub(super) prepared: &'w Prepared<'a>,
    pub(super) target: Target,
    pub(super) limit: f64,
    pub(super) up: bool,
    pub(super) searched: &'w mut Option<f64>,
}

impl Walk<'_, '_> {
    /// Crossings between two bracket changes, nearest first, with whether each leads into the breach.
    pub(super) fn stretch(
        &mut self,
        strands: &[Strand<'_>],
        from: f64,
        to: f64,
        breached: &mut bool,
    ) -> Vec<(f64, bool)> {
        let (low, high) = if self.up { (from, to) } else { (to, from) };
        let bounded = |low: f64, high: f64, limit: f64| (low.max(limit.powi(-2)), high.min(limit));
        let closed = strands.iter().all(|strand| strand.pnl.has_closed_form());
        let (bend_low, bend_high) = if closed { (low, high) } else { bounded(low, high, self.limit) };
        let mut ends = self.prepared.bends(strands, self.target, bend_low, bend_high);
        ends.retain(|bend| *bend > low && *bend < high);
        ends.push(to);
        ends.sort_by(f64::total_cmp);
        if !self.up {
            ends.reverse();
        }
        let mut crossings = Vec::new();
        let mut from = from;
        for to in ends {
            let (low, high) = if self.up { (from, to) } else { (to, from) };
            let (mut near, mut far) = if closed { (low, high) } else { bounded(low, high, self.limit) };
            let mut sum = ExponentialSum::default();
            if near < far {
                sum = self.prepared.combined(strands, self.target, inside(near, far));
                if !sum.has_closed_form() {
                    (near, far) = bounded(low, high, self.limit);
                    if near < far {
                        sum = self.prepared.combined(strands, self.target, inside(near, far));
                    }
                }
            }
            if (self.up && far < high) || (!self.up && near > low) {
                *self.searched = Some(if self.up { self.limit } else { self.limit.powi(-2) });
            }
            if near < far {
                let mut marks = vec![near];
                marks.extend(
                    sum.roots(near, far).ratios.into_iter().filter(|root| *root > near && *root < far),
                );
                marks.push(far);
                if !self.up {
                    marks.reverse();
                }
                // the sign of each gap is looked at inside it, never carried over
                for pair in marks.windows(2) {
                    let &[start, end] = pair else { continue };
                    let below_zero = sum.at(inside(start.min(end), start.max(end))) < 0.0;
                    if below_zero != *breached {
                        *breached = below_zero;
                        crossings.push((start, below_zero));
                    }
                }
            }
            from = to;
        }
        crossings
    }
}

/// A ratio inside an interval whose upper end may be infinite.
fn inside(low: f64, high: f64) -> f64 {
    if high.is_infinite() { (2.0 * low).max(1.0) } else { f64::midpoint(low, high) }
}
