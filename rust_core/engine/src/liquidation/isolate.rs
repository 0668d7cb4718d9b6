//! Every change of sign of an account's money to spare on a path, with proof that none was missed.
//!
//! A stretch whose bounds keep the figure on one side of zero holds none; a stretch on which the figure only rises or
//! only falls holds one where its ends differ, and none where they agree; any other stretch is halved
//! (methods.md section 8.4). What is still open at the finest stretch is either a jump, which the two ends show, or a
//! touch of zero, which is reported as such.

use std::rc::Rc;

use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::bounds::{Basis, Node, between, figure, rounding};
use crate::market::MarketState;
use crate::path::Way;

/// The finest stretch, of the logarithm of the ratio.
const FINEST: f64 = 1e-9;
/// The most evaluations of an account for one path.
const MOST_EVALUATIONS: usize = 20_000;
/// A change of sign between neighbouring numbers is a jump where both sides are of one size ...
const JUMP: f64 = 1e-6;
/// ... and further from zero than this many times what rounding can make of it.
const LARGEST_NOISE: f64 = 1e3;

/// A change of sign, from the lower place to the higher.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// The last place on its lower side.
    pub(super) below: f64,
    /// The first place on its upper side.
    pub(super) above: f64,
    /// Whether the upper side is in breach.
    pub(super) breached_above: bool,
    /// The figure just below and just above it: far apart where it jumps.
    pub(super) values: (f64, f64),
    /// What rounding may make of a figure of zero there.
    pub(super) rounding: f64,
}

impl Change {
    /// Whether the figure is far from zero on both sides of it, compared with what a neighbouring number changes.
    pub(super) fn is_jump(&self) -> bool {
        let (below, above) = (self.values.0.abs(), self.values.1.abs());
        below.min(above) > JUMP * below.max(above) && below.min(above) > LARGEST_NOISE * self.rounding
    }
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Isolated {
    /// From the lowest place up.
    pub(super) changes: Vec<Change>,
    /// Stretches that nothing could be proven about, although no change of sign was seen in them.
    pub(super) open: Vec<(f64, f64)>,
    /// How often the account was evaluated.
    pub(super) evaluations: usize,
    /// Whether the most evaluations were used up, so that open stretches may be wide.
    pub(super) exhausted: bool,
}

/// A pool on a path, as the search sees it.
pub(super) struct Isolation<'a> {
    pub(super) view: &'a PoolView<'a>,
    pub(super) way: &'a Way,
    pub(super) basis: Basis,
    /// The market state at a place.
    pub(super) state: &'a dyn Fn(f64) -> MarketState,
    /// Whether a figure is a breach.
    pub(super) breach: &'a dyn Fn(f64) -> bool,
    /// Whether the search may end at the first change into a breach.
    pub(super) first_only: bool,
}

impl Isolation<'_> {
    /// Every change of sign between rising places; `None` where the account has no bounds.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub(super) fn isolate(&self, places: &[f64]) -> Result<Option<Isolated>> {
        let mut found = Isolated::default();
        let mut nodes = Vec::with_capacity(places.len());
        for place in places {
            nodes.push(Rc::new(self.node(*place, &mut found)?));
        }
        let pairs =
            nodes.windows(2).rev().filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())));
        let mut left: Vec<(Rc<Node>, Rc<Node>)> = pairs.collect();
        while let Some((start, end)) = left.pop() {
            if self.first_only && found.changes.last().is_some_and(|change| change.breached_above) {
                break;
            }
            let Some(figure) = between(self.view, self.way, (&start, &end), self.basis)? else {
                return Ok(None);
            };
            let width = end.place - start.place;
            let (lowest, highest) = figure.range(width);
            let slack = start.rounding.max(end.rounding);
            let before = self.broken(start.value, start.rounding);
            let after = self.broken(end.value, end.rounding);
            if lowest > slack || highest < -slack {
                continue;
            }
            let one_way = figure.low > 0.0 || figure.high < 0.0;
            found.exhausted |= width > FINEST && found.evaluations >= MOST_EVALUATIONS;
            let finest = width <= FINEST || found.exhausted;
            if one_way || finest {
                if before != after {
                    found.changes.push(self.narrowed((&start, &end), &mut found.evaluations)?);
                } else if !one_way {
                    match found.open.last_mut() {
                        Some(last) if last.1.to_bits() == start.place.to_bits() => last.1 = end.place,
                        _ => found.open.push((start.place, end.place)),
                    }
                }
                continue;
            }
            let middle = Rc::new(self.node(f64::midpoint(start.place, end.place), &mut found)?);
            left.push((middle.clone(), end));
            left.push((start, middle));
        }
        Ok(Some(found))
    }

    /// Whether a figure is a breach beyond what rounding can make of zero.
    fn broken(&self, value: f64, rounding: f64) -> bool {
        let at_zero = (self.breach)(0.0);
        (self.breach)(if at_zero { value - rounding } else { value + rounding })
    }

    fn node(&self, place: f64, found: &mut Isolated) -> Result<Node> {
        found.evaluations += 1;
        Node::new(self.view, place, (self.state)(place), self.basis)
    }

    /// The figure at a place, and what rounding may make of zero there.
    fn value(&self, place: f64, evaluations: &mut usize) -> Result<(f64, f64)> {
        *evaluations += 1;
        let state = (self.state)(place);
        Ok((figure(self.view, &state, self.basis)?, rounding(self.view, &state)?))
    }

    /// Narrows a change of sign down to neighbouring numbers, by inverse quadratic interpolation where it pays and
    /// by halves where it does not.
    ///
    /// Source: T. R. Chandrupatla, Advances in Engineering Software 28 (1997) 145.
    fn narrowed(&self, (start, end): (&Node, &Node), evaluations: &mut usize) -> Result<Change> {
        // rounding is looked at only where an end is not told from zero: elsewhere it would shift what it is measured by
        let sure = (self.breach)(start.value) != (self.breach)(end.value);
        let broken = |value: f64, rounding: f64| {
            if sure { (self.breach)(value) } else { self.broken(value, rounding) }
        };
        let first = broken(start.value, start.rounding);
        let (mut near, mut far) = ((start.place, start.value), (end.place, end.value));
        // `last` is the newest place, `other` the one across the change, `older` the one before
        let (mut last, mut other) = (far, near);
        let mut last_breached = !first;
        let mut share = 0.5;
        for _ in 0..200 {
            let mut place = last.0 + share * (other.0 - last.0);
            if place <= near.0 || place >= far.0 {
                place = f64::midpoint(near.0, far.0);
            }
            if place <= near.0 || place >= far.0 {
                break;
            }
            let (value, rounding) = self.value(place, evaluations)?;
            let newest = (place, value);
            let breached = broken(value, rounding);
            let older = if breached == last_breached { last } else { std::mem::replace(&mut other, last) };
            (last, last_breached) = (newest, breached);
            if breached == first {
                near = newest
            } else {
                far = newest
            }
            let tolerance = 2.0 * f64::EPSILON * last.0.abs().max(1e-3);
            let gap = (other.0 - last.0).abs();
            let least = tolerance / gap.max(f64::MIN_POSITIVE);
            if least > 0.5 {
                break;
            }
            let ratio = (last.0 - other.0) / (older.0 - other.0);
            let height = (last.1 - other.1) / (older.1 - other.1);
            let curved = height * height < ratio && (1.0 - height) * (1.0 - height) < 1.0 - ratio;
            share = if curved {
                last.1 / (other.1 - last.1) * older.1 / (other.1 - older.1)
                    + (older.0 - last.0) / (other.0 - last.0) * last.1 / (older.1 - last.1) * other.1
                        / (older.1 - other.1)
            } else {
                0.5
            };
            share = if share.is_finite() { share.clamp(least, 1.0 - least) } else { 0.5 };
        }
        Ok(Change {
            below: near.0,
            above: far.0,
            breached_above: !first,
            values: (near.1, far.1),
            rounding: start.rounding.min(end.rounding),
        })
    }
}
