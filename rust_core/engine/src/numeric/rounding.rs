//! The one place where prices and quantities are rounded to ticks and lots.

/// Which way a number may move when it is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the multiple at or below.
    Down,
    /// To the multiple at or above.
    Up,
}

/// Rounds to a multiple of `step` (above zero) in the named direction.
///
/// A number within a few units in the last place of a multiple counts as that multiple, so that
/// `0.3 / 0.1` is three steps and not two.
pub fn to_step(value: f64, step: f64, direction: Direction) -> f64 {
    let steps = value / step;
    let nearest = steps.round();
    let snapped = (steps - nearest).abs() <= 4.0 * f64::EPSILON * nearest.abs().max(1.0);
    let whole = match direction {
        _ if snapped => nearest,
        Direction::Down => steps.floor(),
        Direction::Up => steps.ceil(),
    };
    whole * step
}

/// A whole number of steps. Where a unit is a whole number of steps it is a division, whose result is the number
/// that people write: 78 steps of 0.1 are 7.8 and not 7.800000000000001.
pub fn of_steps(count: f64, step: f64) -> f64 {
    let per_unit = step.recip().round();
    let divides = per_unit >= 1.0 && (per_unit * step - 1.0).abs() <= 4.0 * f64::EPSILON;
    if divides { count / per_unit } else { count * step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiple_stays_where_it_is() {
        assert_eq!(to_step(0.3, 0.1, Direction::Down), 3.0 * 0.1);
        assert_eq!(to_step(7735.5, 0.5, Direction::Up), 7735.5);
    }

    #[test]
    fn steps_make_the_number_that_people_write() {
        assert_eq!((of_steps(78.0, 0.1), of_steps(3.0, 0.5), of_steps(7.0, 25.0)), (7.8, 1.5, 175.0));
        assert_eq!(of_steps(2.0, 0.3), 0.6);
    }

    #[test]
    fn the_direction_is_kept() {
        assert_eq!(to_step(7_735.372_549, 0.5, Direction::Up), 7735.5);
        assert_eq!(to_step(7_735.372_549, 0.5, Direction::Down), 7735.0);
        assert_eq!(to_step(-0.3, 0.25, Direction::Down), -0.5);
    }
}
