//! The window before expiry in which the settlement price is fixed bit by bit, as an average.

use super::black76::check_not_negative;
use crate::error::{Place, Result, check_finite, check_positive};

/// Deltas of a contract inside its settlement window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settling {
    /// What is left of the delta, in the unit in which it was given.
    pub delta: f64,
    /// The same less what is left of the premium in coin.
    pub net_transaction_delta: f64,
}

impl Settling {
    /// Delta, and delta net of a premium in coin, while a share of the settlement price is still open.
    ///
    /// Both decay in proportion: `share x delta` and `share x (delta - premium)` (Deribit, delta decay during
    /// settlement).
    pub fn with_share(delta: f64, premium: f64, share: f64) -> Self {
        Self { delta: share * delta, net_transaction_delta: share * (delta - premium) }
    }

    /// The same by the seconds that have passed of a window; after it both are zero.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] unless the numbers are finite, the seconds passed not below zero and the
    /// window above zero.
    pub fn after(delta: f64, premium: f64, elapsed_seconds: f64, window_seconds: f64) -> Result<Self> {
        check_finite("delta", delta, Place::default)?;
        check_finite("mark_price", premium, Place::default)?;
        let elapsed = check_not_negative("elapsed_seconds", elapsed_seconds)?;
        let window = check_positive("window_seconds", window_seconds, Place::default)?;
        let left = Self::with_share(delta, premium, (1.0 - elapsed / window).max(0.0));
        check_finite("delta less mark_price", left.net_transaction_delta, Place::default)?;
        Ok(left)
    }
}

/// The share of a settlement price that is still open, from the part of the forward that is fixed.
pub fn share_left(forward: f64, fixed: f64) -> f64 {
    if fixed == 0.0 { 1.0 } else { ((forward - fixed) / forward).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_window_leaves_half_of_the_delta_and_of_the_premium() {
        // Deribit, delta decay during settlement: delta 1, mark 0.3, 15 of 30 minutes
        let half = Settling::after(1.0, 0.3, 900.0, 1800.0).unwrap();
        assert!((half.delta - 0.5).abs() < 1e-15);
        assert!((half.net_transaction_delta - 0.35).abs() < 1e-15);
        let over = Settling::after(1.0, 0.3, 1801.0, 1800.0).unwrap();
        assert_eq!(over, Settling { delta: 0.0, net_transaction_delta: 0.0 });
    }

    #[test]
    fn a_window_of_no_length_and_time_that_is_no_number_are_refused() {
        for (elapsed, window) in [(0.0, 0.0), (-1.0, 1800.0), (f64::NAN, 1800.0), (0.0, f64::INFINITY)] {
            assert!(Settling::after(1.0, 0.3, elapsed, window).is_err(), "{elapsed} {window}");
        }
        assert!(Settling::after(f64::NAN, 0.3, 0.0, 1800.0).is_err());
    }

    #[test]
    fn a_forward_without_a_fixed_part_is_all_open() {
        assert_eq!(share_left(100.0, 0.0).to_bits(), 1.0_f64.to_bits());
        assert!((share_left(100.0, 25.0) - 0.75).abs() < 1e-15);
    }
}
