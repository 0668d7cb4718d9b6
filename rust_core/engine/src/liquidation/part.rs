//! How much of something is enough: the smallest part that a search finds, to the last bit of its fraction.

use crate::error::Result;

/// Parts at which a whole that is not enough is looked at.
const PARTS: u32 = 32;
/// Halvings after which neighbouring fractions have certainly been reached.
const HALVINGS: usize = 80;

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
    let (mut low, mut high) = (0.0, 1.0);
    if !enough(whole) {
        let nearly = room(1.0 - f64::from(PARTS).recip())?;
        if !enough(nearly) && nearly < whole && room(0.5)? < nearly {
            return Ok(Part::Most(1.0));
        }
        let mut most = (1.0, whole);
        let mut found = None;
        for part in 1..PARTS {
            let fraction = f64::from(part) / f64::from(PARTS);
            let left = room(fraction)?;
            if enough(left) {
                found = Some((fraction - f64::from(PARTS).recip(), fraction));
                break;
            }
            if left > most.1 {
                most = (fraction, left);
            }
        }
        match found {
            Some(bracket) => (low, high) = bracket,
            None => return Ok(Part::Most(most.0)),
        }
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if enough(room(middle)?) { high = middle } else { low = middle }
    }
    Ok(Part::Enough(high))
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
