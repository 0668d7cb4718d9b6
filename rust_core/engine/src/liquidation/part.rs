//! How much of something is enough: the smallest part that a search finds, to the last bit of its fraction.

use crate::error::Result;

/// Parts at which a whole that is not enough is looked at.
const PARTS: u32 = 32;
/// Looks after which neighbouring fractions have certainly been reached.
const LOOKS: usize = 200;
/// Units in the last place of the fraction below which halving takes fewest looks.
const NEAR: f64 = 8.0;
/// Looks that a search may take more than halving would.
const MORE: i32 = 3;

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// The fraction that is enough; the next smaller number is not.
    Enough(f64),
    /// No part is enough; of those looked at this one leaves most.
    Most(f64),
}

impl Part {
    pub(super) fn fraction(self) -> f64 {
        match self {
            Self::Enough(fraction) | Self::Most(fraction) => fraction,
        }
    }
}

/// Looks for the part after which `room`, the money above the stop level, is enough.
///
/// The whole is tried first. It may be too much, of a hedge or where the cost grows faster than what it frees, so
/// then parts of it are; not where the room still grows towards the whole, since a requirement that is convex in the
/// size, as the worst of scenarios and rising brackets are, leaves no more anywhere before.
pub(super) fn needed(mut room: impl FnMut(f64) -> Result<f64>, enough: impl Fn(f64) -> bool) -> Result<Part> {
    let whole = room(1.0)?;
    let (mut low, mut high) = ((0.0, f64::NAN), (1.0, whole));
    if !enough(whole) {
        let nearly = room(1.0 - f64::from(PARTS).recip())?;
        if !enough(nearly) && nearly < whole && room(0.5)? < nearly {
            return Ok(Part::Most(1.0));
        }
        let mut most = (1.0, whole);
        let mut before = low;
        let mut found = None;
        for part in 1..PARTS {
            let fraction = f64::from(part) / f64::from(PARTS);
            let left = room(fraction)?;
            if enough(left) {
                found = Some((before, (fraction, left)));
                break;
            }
            before = (fraction, left);
            if left > most.1 {
                most = (fraction, left);
            }
        }
        match found {
            Some(bracket) => (low, high) = bracket,
            None => return Ok(Part::Most(most.0)),
        }
    }
    let mut stage = Stage::new(low.0, high.0);
    for _ in 0..LOOKS {
        if stage.is_over(low.0, high.0) {
            stage = Stage::new(low.0, high.0);
        }
        let Some(fraction) = stage.next(low, high) else { break };
        let left = room(fraction)?;
        if enough(left) {
            high = (fraction, left);
        } else {
            low = (fraction, left);
        }
    }
    Ok(Part::Enough(high.0))
}

/// Where to look next between a fraction that is not enough and one that is: the method ITP of Oliveira and Takahashi
/// (ACM Transactions on Mathematical Software 47, 2020), which needs few looks where the room is smooth and hardly
/// more than halving anywhere.
struct Stage {
    width: f64,
    resolution: f64,
    left: i32,
}

impl Stage {
    fn new(low: f64, high: f64) -> Self {
        let (width, resolution) = (high - low, NEAR * f64::EPSILON * high);
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a ratio of numbers")]
        let halvings = (0.5 * width / resolution).log2().ceil().max(0.0) as i32;
        Self { width, resolution, left: halvings + MORE }
    }

    /// Whether the fraction has come out so small that its last place is another one.
    fn is_over(&self, low: f64, high: f64) -> bool {
        let now = NEAR * f64::EPSILON * high;
        now < self.resolution && high - low > 2.0 * now && high - low <= 2.0 * self.resolution
    }

    /// `None` where the two are neighbours.
    fn next(&mut self, low: (f64, f64), high: (f64, f64)) -> Option<f64> {
        let middle = f64::midpoint(low.0, high.0);
        let between = |place: f64| place > low.0 && place < high.0;
        if !between(middle) {
            return None;
        }
        let width = high.0 - low.0;
        self.left -= 1;
        let chord = low.0 + width * (low.1 / (low.1 - high.1));
        if width <= 2.0 * self.resolution || !chord.is_finite() {
            return Some(middle);
        }
        let towards = (middle - chord).signum();
        // at least the resolution, or a chord that hits the end would move the other end in halves
        let step = (0.2 / self.width * width * width).max(self.resolution);
        let moved = if step <= (middle - chord).abs() { chord + towards * step } else { middle };
        let reach = (self.resolution * f64::from(self.left.max(0)).exp2() - 0.5 * width).max(0.0);
        let place = if (moved - middle).abs() <= reach { moved } else { middle - towards * reach };
        Some(if between(place) { place } else { middle })
    }
}

/// The smallest multiple of `step` that is enough, the whole if none is.
pub(super) fn multiple(
    step: f64,
    mut room: impl FnMut(f64) -> Result<f64>,
    enough: impl Fn(f64) -> bool,
) -> Result<f64> {
    let mut count = 1.0;
    while count * step < 1.0 {
        if enough(room(count * step)?) {
            return Ok(count * step);
        }
        count += 1.0;
    }
    Ok(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fraction_found_is_enough_and_the_next_smaller_is_not() {
        let room = |fraction: f64| 3.0 * fraction - 1.0;
        let Part::Enough(found) = needed(|f| Ok(room(f)), |left| left >= 0.0).unwrap() else { panic!() };
        assert!(room(found) >= 0.0 && room(found.next_down()) < 0.0);
    }

    #[test]
    fn smooth_rooms_take_few_looks_and_no_room_many_more_than_halving() {
        let rooms: [(&dyn Fn(f64) -> f64, usize); 7] = [
            (&|f| 3.0 * f - 1.0, 18),
            (&|f| 1e7 * (f - 0.3) - 2e6 * (f * f - 0.09), 22),
            (&|f| (20.0 * f).exp() - 2.0, 30),
            (&|f| 1e-3 * (f - 1e-9), 45),
            (&|f| if f < 0.6180 { -1.0 } else { 1.0 }, 60),
            (&|f| (f - 0.77).powi(9), 60),
            (&|f| (2.0 * f - 1.0).min(0.01), 30),
        ];
        for (place, (room, most)) in rooms.into_iter().enumerate() {
            let mut looks = 0;
            let counted = |fraction: f64| {
                looks += 1;
                Ok(room(fraction))
            };
            let Part::Enough(found) = needed(counted, |left| left >= 0.0).unwrap() else { panic!() };
            assert!(room(found) >= 0.0 && room(found.next_down()) < 0.0, "{place}: {found}");
            assert!(looks <= most, "{place}: {looks}");
        }
    }

    #[test]
    fn a_part_is_found_where_the_whole_is_too_much() {
        let room = |fraction: f64| 0.1 - (fraction - 0.5).powi(2);
        let found = needed(|f| Ok(room(f)), |left| left >= 0.0).unwrap();
        assert!((found.fraction() - (0.5 - 0.1_f64.sqrt())).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn where_nothing_is_enough_the_part_that_leaves_most_is_named() {
        let room = |fraction: f64| -1.0 - (fraction - 0.25).powi(2);
        assert_eq!(needed(|f| Ok(room(f)), |left| left >= 0.0).unwrap(), Part::Most(0.25));
    }

    #[test]
    fn multiples_stop_at_the_first_that_is_enough() {
        assert_eq!(multiple(0.2, |f| Ok(f - 0.35), |left| left > 0.0).unwrap(), 0.4);
        assert_eq!(multiple(0.3, |_| Ok(-1.0), |left| left > 0.0).unwrap(), 1.0);
    }
}
