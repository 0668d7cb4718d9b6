//! Black's formula of 1976 for European options on a forward, undiscounted.
//!
//! Source: F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976). The value
//! of one option comes from the kernels that value whole books, so both give the same bits.

use super::OptionRight;
use super::kernel::strike_row;
use super::level::level;
use crate::Error;
use crate::error::{Place, Result, check_finite};

/// Above this total volatility a call is worth its forward and a put its strike, to the last bit.
const TOTAL_VOLATILITY_LIMIT: f64 = 24.0;

/// Undiscounted value of one option per unit of the underlying, in the currency of `forward`.
///
/// `forward` and `strike` are in quote currency per unit, zero or above; `total_volatility` is the yearly
/// volatility (0.6 is 60 %) times the root of the years to expiry, zero or above. At a strike, forward or total
/// volatility of zero the value is its limit; above a total volatility of 24 it is the forward (call) or the
/// strike (put). The error is below 3e-15 of `min(forward, strike)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] if a number is not finite or below zero.
pub fn value(right: OptionRight, forward: f64, strike: f64, total_volatility: f64) -> Result<f64> {
    let (call, put) = both(forward, strike, total_volatility)?;
    Ok(match right {
        OptionRight::Call => call,
        OptionRight::Put => put,
    })
}

/// Undiscounted values of call and put; arguments, limits and errors as in [`value`].
///
/// # Errors
///
/// [`Error::OutOfRange`] if a number is not finite or below zero.
pub fn both(forward: f64, strike: f64, total_volatility: f64) -> Result<(f64, f64)> {
    check_not_negative("forward", forward)?;
    check_not_negative("strike", strike)?;
    check_not_negative("total_volatility", total_volatility)?;
    if !is_regular(forward, strike, total_volatility) {
        return Ok((forward, strike));
    }
    let (mut call, mut put) = ([0.0], [0.0]);
    let moneyness = log_moneyness(forward, strike);
    let (forward, no_shock, total_volatility) = ([forward], [0.0], [total_volatility]);
    strike_row(level(), strike, moneyness, &forward, &no_shock, &total_volatility, &mut call, &mut put)?;
    Ok((call[0], put[0]))
}

/// Whether the kernels value an option as it is: nothing would be refused, and no limit is taken instead.
pub(crate) fn is_regular(forward: f64, strike: f64, total_volatility: f64) -> bool {
    let is_price = |price: f64| price.is_finite() && price > 0.0;
    is_price(forward) && is_price(strike) && (0.0..=TOTAL_VOLATILITY_LIMIT).contains(&total_volatility)
}

/// `ln(forward / strike)`, both above zero, to full relative accuracy also where they are close.
pub fn log_moneyness(forward: f64, strike: f64) -> f64 {
    let ratio = forward / strike;
    if (0.5..=2.0).contains(&ratio) {
        // the difference of numbers within a factor of two is exact, their rounded ratio is not
        ((forward - strike) / strike).ln_1p()
    } else {
        ratio.ln()
    }
}

pub(super) fn check_not_negative(name: &str, value: f64) -> Result<f64> {
    check_finite(name, value, Place::default)?;
    if value >= 0.0 {
        Ok(value)
    } else {
        Err(Error::OutOfRange {
            name: name.to_owned(),
            value,
            must_be: "zero or above",
            place: Place::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_exact() {
        assert_eq!(both(1000.0, 0.0, 4.0).unwrap(), (1000.0, 0.0));
        assert_eq!(both(0.0, 1000.0, 4.0).unwrap(), (0.0, 1000.0));
        assert_eq!(both(1000.0, 900.0, 24.5).unwrap(), (1000.0, 900.0));
        assert_eq!(both(105.0, 100.0, 0.0).unwrap(), (5.0, 0.0));
        assert_eq!(both(100.0, 105.0, 0.0).unwrap(), (0.0, 5.0));
        assert_eq!(both(100.0, 100.0, 0.0).unwrap(), (0.0, 0.0));
    }

    #[test]
    fn a_negative_volatility_is_refused() {
        let refusal = value(OptionRight::Call, 100.0, 100.0, -0.1).unwrap_err().to_string();
        assert_eq!(refusal, "total_volatility must be zero or above, was -0.1");
    }

    #[test]
    fn a_volatility_too_small_to_matter_gives_next_to_intrinsic() {
        let (call, put) = both(105.0, 100.0, 1e-15).unwrap();
        assert_eq!(call, 5.0);
        assert!((0.0..1e-250).contains(&put), "{put}");
    }
}
