//! Long, short, and which of them a sign may contradict.

use super::Leg;
use super::words::Broken;

/// What a word says about the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Long,
    Short,
    /// `BOTH`, `net`: the sign of the quantity decides.
    Net,
    /// Deribit's `zero`.
    Zero,
}

/// Reads a side, a position side or an order side.
pub(super) fn direction(text: &str) -> Result<Option<Direction>, Broken> {
    match text.to_lowercase().as_str() {
        "long" | "buy" | "bid" | "b" | "l" => Ok(Some(Direction::Long)),
        "short" | "sell" | "ask" | "s" | "a" => Ok(Some(Direction::Short)),
        "both" | "net" => Ok(Some(Direction::Net)),
        "zero" | "flat" => Ok(Some(Direction::Zero)),
        "none" | "null" | "-" => Ok(None),
        _ => Err(("side_unknown", "takes long, short, buy, sell, both, net or zero")),
    }
}

/// Reads Bybit's position index.
pub(super) fn position_index(text: &str) -> Result<Option<Direction>, Broken> {
    match text {
        "0" | "0.0" => Ok(Some(Direction::Net)),
        "1" | "1.0" => Ok(Some(Direction::Long)),
        "2" | "2.0" => Ok(Some(Direction::Short)),
        _ => Err(("side_unknown", "takes 0 (net), 1 (long leg) or 2 (short leg)")),
    }
}

/// A quantity with the sign of its side; nothing is flipped twice.
///
/// # Errors
///
/// The code and the rule, if side and sign contradict each other.
pub(super) fn signed(size: f64, side: Option<Direction>) -> Result<f64, Broken> {
    match side {
        Some(Direction::Long) if size < 0.0 => {
            Err(("side_sign_conflict", "must not be negative where the side is long"))
        }
        Some(Direction::Zero) if size != 0.0 => {
            Err(("side_sign_conflict", "must be zero where the side is zero"))
        }
        Some(Direction::Short) => Ok(-size.abs()),
        _ => Ok(size),
    }
}

/// The leg of a row: what hedge mode says, or net.
pub(super) fn leg(hedge_word: Option<Direction>, hedged: bool, quantity: f64) -> Leg {
    match hedge_word {
        Some(Direction::Long) => Leg::Long,
        Some(Direction::Short) => Leg::Short,
        _ if !hedged => Leg::Net,
        _ if quantity > 0.0 => Leg::Long,
        _ => Leg::Short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_and_sign_agree_or_are_refused_and_nothing_is_flipped_twice() {
        use Direction::{Long, Net, Short, Zero};
        for (size, side, expected) in [
            (2.0, None, Some(2.0)),
            (-2.0, None, Some(-2.0)),
            (2.0, Some(Long), Some(2.0)),
            (-2.0, Some(Long), None),
            (2.0, Some(Short), Some(-2.0)),
            (-2.0, Some(Short), Some(-2.0)),
            (-2.0, Some(Net), Some(-2.0)),
            (0.0, Some(Zero), Some(0.0)),
            (1.0, Some(Zero), None),
        ] {
            assert_eq!(signed(size, side).ok(), expected, "{size} {side:?}");
        }
    }

    #[test]
    fn hedge_mode_makes_legs_and_one_way_mode_does_not() {
        assert_eq!(leg(Some(Direction::Short), false, -1.0), Leg::Short);
        assert_eq!(leg(Some(Direction::Net), false, -1.0), Leg::Net);
        assert_eq!(leg(None, true, 1.0), Leg::Long);
        assert_eq!(leg(None, false, 1.0), Leg::Net);
    }
}
