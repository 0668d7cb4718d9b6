//! The smallest number of steps at which something holds.

use crate::error::Result;

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smallest {
    /// Steps: the smallest that suffices, else those that come closest.
    pub steps: f64,
    /// Whether they suffice.
    pub reached: bool,
}

/// The smallest whole number of steps at which `above` is at least zero.
///
/// It is tried on a rising grid, and between the last point short of it and the first that reaches it steps are halved
/// until one separates them. Where no point reaches it, the neighbourhood of the best one is searched for its largest
/// value. `above` is concave in the size of one action where margins are convex, so that nothing lies between; for other
/// measures a narrow gap between grid points may be missed.
///
/// # Errors
///
/// What `above` refuses.
pub fn smallest(grid: &[f64], mut above: impl FnMut(f64) -> Result<f64>) -> Result<Smallest> {
    let mut tried: Vec<(f64, f64)> = Vec::with_capacity(grid.len());
    let mut low = 0.0;
    for steps in grid {
        let value = above(*steps)?;
        if value >= 0.0 {
            return between(low, *steps, above);
        }
        low = *steps;
        tried.push((*steps, value));
    }
    let best = tried.iter().enumerate().max_by(|(i, a), (j, b)| a.1.total_cmp(&b.1).then(j.cmp(i)));
    let Some((place, (steps, value))) = best.map(|(place, own)| (place, *own)) else {
        return Ok(Smallest { steps: 0.0, reached: false });
    };
    let neighbour = |place: Option<usize>| place.and_then(|place| tried.get(place)).map(|own| own.0);
    let mut low = neighbour(place.checked_sub(1)).unwrap_or(0.0);
    let mut high = neighbour(place.checked_add(1)).unwrap_or(steps);
    let mut found = (steps, value);
    // the peak of a concave figure between its neighbours
    for _ in 0..60 {
        let width = ((high - low) / 3.0).floor();
        if width < 1.0 {
            break;
        }
        let (left, right) = (low + width, high - width);
        let (at_left, at_right) = (above(left)?, above(right)?);
        for (at, value) in [(left, at_left), (right, at_right)] {
            if value >= 0.0 {
                return between(low, at, above);
            }
            if value > found.1 {
                found = (at, value);
            }
        }
        if at_left < at_right { low = left } else { high = right }
    }
    Ok(Smallest { steps: found.0, reached: false })
}

/// Halves between a number of steps that does not suffice and one that does.
fn between(mut low: f64, mut high: f64, mut above: impl FnMut(f64) -> Result<f64>) -> Result<Smallest> {
    while high - low > 1.0 {
        let middle = f64::midpoint(low, high).floor();
        if above(middle)? >= 0.0 { high = middle } else { low = middle }
    }
    Ok(Smallest { steps: high, reached: true })
}

/// A grid of about `points` whole numbers of steps, evenly spaced up to `most`.
pub fn even_grid(most: f64, points: usize) -> Vec<f64> {
    let mut grid: Vec<f64> =
        (1..=points).map(|place| (most * place as f64 / points as f64).ceil().min(most.ceil())).collect();
    grid.dedup_by(|a, b| a.total_cmp(b).is_eq());
    grid
}

/// Steps from `first` on, each twice the one before, up to `most`, or to the largest number where that has no end.
pub fn doubling_grid(first: f64, most: f64) -> Vec<f64> {
    std::iter::successors(Some(first.max(1.0)), |own| Some(2.0 * own))
        .take_while(|own| own.is_finite() && *own <= most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_that_suffices_is_found() {
        for wanted in [1.0, 2.0, 17.0, 999.0, 1000.0] {
            let found = smallest(&even_grid(1000.0, 16), |steps| Ok(steps - wanted)).unwrap();
            assert_eq!(found, Smallest { steps: wanted, reached: true });
        }
    }

    #[test]
    fn doubling_ends_even_where_there_is_no_most() {
        assert_eq!(doubling_grid(1.0, 9.0), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(doubling_grid(1.0, f64::INFINITY).len(), 1024);
        assert!(doubling_grid(1.0, f64::NAN).is_empty() && doubling_grid(f64::INFINITY, 1.0).is_empty());
    }

    #[test]
    fn a_narrow_peak_between_grid_points_is_found_and_a_low_one_named() {
        let peak = |height: f64| move |steps: f64| Ok(height - (steps - 437.0).abs());
        let found = smallest(&even_grid(1000.0, 16), peak(3.0)).unwrap();
        assert_eq!(found, Smallest { steps: 434.0, reached: true });
        let found = smallest(&even_grid(1000.0, 16), peak(-2.0)).unwrap();
        assert!(!found.reached && (found.steps - 437.0).abs() <= 1.0, "{found:?}");
    }
}
