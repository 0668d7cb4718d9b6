//! One direction of a sweep: the crossings between two bracket changes.

use super::sweep::{Prepared, Strand, Target};

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
            let middle = if high.is_infinite() { low * 2.0 } else { f64::midpoint(low, high) };
            let sum = self.prepared.combined(strands, self.target, middle);
            let (mut near, mut far) = (low, high);
            if !sum.has_closed_form() {
                (near, far) = bounded(low, high, self.limit);
                let reached = if self.up { far } else { near };
                if (self.up && far < high) || (!self.up && near > low) {
                    *self.searched = Some(reached);
                }
                if near >= far {
                    from = to;
                    continue;
                }
            }
            let mut roots = sum.roots(near, far).ratios;
            if !self.up {
                roots.reverse();
            }
            let end = if self.up { far } else { near };
            if end.is_finite() && end > 0.0 {
                // rounding may put a root that sits on a bracket change just outside both stretches
                let breached_at_end = sum.at(end) < 0.0;
                if (*breached != breached_at_end) != (roots.len() % 2 == 1) {
                    if roots.is_empty() {
                        roots.push(end);
                    } else {
                        roots.pop();
                    }
                }
            }
            for root in roots {
                *breached = !*breached;
                crossings.push((root, *breached));
            }
            from = to;
        }
        crossings
    }
}
