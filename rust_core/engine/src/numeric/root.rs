//! The root of a function between two points of known sign, from few evaluations of it.

/// Points that a polynomial goes through at most.
const MOST_POINTS: usize = 8;
/// Polynomials that are tried one after the other before the interval is halved.
const TRIES: usize = 3;
/// An interval that bisection alone would bring below any tolerance needs fewer evaluations than this.
const MOST_EVALUATIONS: usize = 200;

/// A place with the function's value there.
pub type Point = (f64, f64);

/// The root of a function whose value is zero or above at one end of `bracket` and below zero at the other.
///
/// `known` are places in its neighbourhood with their values, the ends among them. The inverse function is taken as the
/// polynomial through all of them (Neville's scheme), whose value at zero is the next place; each place tried joins them.
/// It ends where, after one evaluation at least, the polynomial without its farthest point says the same within
/// `tolerance`, which is an estimate of the error and no bound. A polynomial that leaves the bracket, or several in a row that decide nothing, give way to halving
/// it, so that the end is reached for any continuous function.
pub fn root(
    known: &[Point],
    bracket: (Point, Point),
    tolerance: f64,
    mut function: impl FnMut(f64) -> f64,
) -> f64 {
    let (mut above, mut below) = bracket;
    if above.1 == 0.0 {
        return above.0;
    }
    let mut inverse = Inverse::default();
    for point in known {
        inverse.push(*point);
    }
    let mut tries = 0;
    for evaluations in 0..MOST_EVALUATIONS {
        let inside = |place: f64| {
            // a root at an end may come out just beyond it
            let (least, most) = (above.0.min(below.0) - tolerance, above.0.max(below.0) + tolerance);
            least <= place && place <= most
        };
        let next = match inverse.at_zero() {
            Some((place, error)) if tries < TRIES && inside(place) => {
                if evaluations > 0 && error <= tolerance {
                    return place;
                }
                tries += 1;
                place
            }
            _ => {
                tries = 0;
                // far points may be what misleads it
                inverse = Inverse::default();
                inverse.push(above);
                inverse.push(below);
                0.5 * (above.0 + below.0)
            }
        };
        if (above.0 - below.0).abs() <= tolerance {
            break;
        }
        let value = function(next);
        if value == 0.0 {
            return next;
        }
        let end = if value < 0.0 { &mut below } else { &mut above };
        *end = (next, value);
        inverse.push(*end);
    }
    0.5 * (above.0 + below.0)
}

/// The polynomial of the place in the value, point by point.
#[derive(Default)]
struct Inverse {
    values: [f64; MOST_POINTS],
    /// At zero: the polynomials through the last point, the last two, and so on.
    last: [f64; MOST_POINTS],
    count: usize,
}

impl Inverse {
    /// Joins a point; beyond the most points the first is forgotten with all the others.
    fn push(&mut self, (place, value): Point) {
        if self.count == MOST_POINTS {
            self.count = 0;
        }
        let mut column = place;
        let earlier = self.values.iter().take(self.count).rev();
        for (slot, other) in self.last.iter_mut().zip(earlier) {
            let before = std::mem::replace(slot, column);
            column = (other * column - value * before) / (other - value);
        }
        if let (Some(slot), Some(own)) = (self.last.get_mut(self.count), self.values.get_mut(self.count)) {
            *slot = column;
            *own = value;
        }
        self.count += 1;
    }

    /// The place where the value is zero, and how far that moves without the farthest point; none with less than three
    /// points, whose difference would be no estimate.
    fn at_zero(&self) -> Option<(f64, f64)> {
        let last = self.last.get(..self.count)?;
        let [.., without, all] = last else { return None };
        (self.count >= 3).then(|| (*all, (all - without).abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root and how often the function was evaluated.
    fn found(places: &[f64], function: impl Fn(f64) -> f64) -> (f64, usize) {
        let known: Vec<Point> = places.iter().map(|place| (*place, function(*place))).collect();
        let above = known.iter().rfind(|point| point.1 >= 0.0).unwrap();
        let below = known.iter().find(|point| point.1 < 0.0).unwrap();
        let mut evaluations = 0;
        let place = root(&known, (*above, *below), 1e-12, |place| {
            evaluations += 1;
            function(place)
        });
        (place, evaluations)
    }

    #[test]
    fn a_smooth_function_takes_two_evaluations() {
        let (place, evaluations) =
            found(&[0.981, 0.991, 1.001, 1.011], |x| 2.0 - (x * std::f64::consts::LN_2).exp());
        assert!((place - 1.0).abs() < 1e-12, "{place}");
        assert!(evaluations <= 2, "{evaluations}");
        let (place, evaluations) = found(&[0.6, 0.7, 0.8, 0.9], |x| x.cos() - x);
        assert!((place - 0.739_085_133_215_160_6).abs() < 1e-12, "{place}");
        assert!(evaluations <= 3, "{evaluations}");
    }

    #[test]
    fn kinks_flat_stretches_and_steps_end_at_their_root() {
        let cases: [(&dyn Fn(f64) -> f64, f64); 5] = [
            (&|x| if x < 0.4321 { 1.0 } else { 0.4321 - x + 1e-3 }, 0.4331),
            (&|x| (0.3 - x).max(-1e-7), 0.3),
            (&|x| if x < 0.777 { 5.0 } else { -1e-9 }, 0.777),
            (&|x| -(x - 0.31).powi(9), 0.31),
            (&|x| 0.5 * (0.123 - x) - (0.2 - x).max(0.0) + 0.077, 0.123),
        ];
        for (number, (function, expected)) in cases.iter().enumerate() {
            let (place, evaluations) = found(&[0.0, 0.25, 0.9, 1.0], function);
            // nine equal roots: rounding of the value hides the place
            let within = if number == 3 { 1e-2 } else { 1e-9 };
            assert!((place - expected).abs() < within, "case {number}: {place} after {evaluations}");
            assert!(evaluations < MOST_EVALUATIONS, "case {number}");
        }
    }

    #[test]
    fn a_value_of_zero_is_the_root() {
        assert_eq!(found(&[0.0, 1.0, 2.0, 3.0], |x| 1.0 - x), (1.0, 0));
        // next to zero, where rounding may take the polynomial just beyond the end
        let (place, evaluations) = found(&[0.0, 1.0, 2.0, 3.0], |x| 1.0 + 1e-16 - x * x * (1.0 - 1e-16));
        assert!((place - 1.0).abs() < 1e-12 && evaluations <= 2, "{place} after {evaluations}");
    }
}
