//! The volatility that a price implies, under Black's and Bachelier's formula.
//!
//! The inversion is P. Jaeckel's ("Let's Be Rational", Wilmott 2015; "Implied Normal Volatility", Wilmott 2017).
//! An in-the-money price is first moved through parity to the out-of-the-money side, where the same money is
//! all time value; what the quote's last digit does not determine is refused and not guessed.

use implied_vol::{DefaultSpecialFn, ImpliedBlackVolatility, ImpliedNormalVolatility, solver};

use super::OptionRight;
use super::black76::log_moneyness;
use crate::error::{Error, Place, Result, check_finite, check_positive};

/// A volatility is refused if one unit in the last place of the price moves it by more.
const COARSEST: f64 = 1e-6;

/// Yearly Black (lognormal) volatility, 0.6 for 60 %, of an undiscounted price.
///
/// `price`, `forward` and `strike` are in quote currency per unit and above zero, `years` to expiry above zero.
/// Feeding the volatility back into [`super::value`] gives the price to `max(1e-12, 4 ulp(price) / vega)` of
/// volatility.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number that is not finite and above zero; [`Error::NoAnswer`] for a price at or
/// below its intrinsic value, at or above its bound (forward for a call, strike for a put), or so near to one of
/// them that its last digit leaves more than 1e-6 of volatility open.
pub fn volatility(right: OptionRight, price: f64, forward: f64, strike: f64, years: f64) -> Result<f64> {
    for (name, value) in [("price", price), ("forward", forward), ("strike", strike), ("years", years)] {
        check_positive(name, value, Place::default)?;
    }
    let (bound, bound_name) = match right {
        OptionRight::Call => (forward, "forward"),
        OptionRight::Put => (strike, "strike"),
    };
    if price >= bound {
        return refused(format!(
            "price must be below the {bound_name} {bound}, was {price}: no volatility gives more"
        ));
    }
    let (outside, time_value) = out_of_the_money(right, price, forward, strike)?;
    let found = ImpliedBlackVolatility::builder()
        .option_price(time_value)
        .forward(forward)
        .strike(strike)
        .expiry(years)
        .is_call(outside == OptionRight::Call)
        .build()
        .and_then(|option| option.calculate_with::<solver::Jaeckel<DefaultSpecialFn>>());
    let volatility = finite(found, price)?;
    let total = volatility * years.sqrt();
    let d1 = log_moneyness(forward, strike) / total + 0.5 * total;
    determined(price, forward * density(d1) * years.sqrt())?;
    Ok(volatility)
}

/// Yearly Bachelier (normal) volatility in quote currency, of an undiscounted price.
///
/// `forward` and `strike` may be any finite number, `price` and `years` are above zero.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number outside its range; [`Error::NoAnswer`] for a price at or below its
/// intrinsic value, or so near to it that its last digit leaves more than 1e-6 of the strike distance's scale
/// open.
pub fn normal_volatility(
    right: OptionRight,
    price: f64,
    forward: f64,
    strike: f64,
    years: f64,
) -> Result<f64> {
    check_positive("price", price, Place::default)?;
    check_finite("forward", forward, Place::default)?;
    check_finite("strike", strike, Place::default)?;
    check_positive("years", years, Place::default)?;
    let (outside, time_value) = out_of_the_money(right, price, forward, strike)?;
    let found = ImpliedNormalVolatility::builder()
        .option_price(time_value)
        .forward(forward)
        .strike(strike)
        .expiry(years)
        .is_call(outside == OptionRight::Call)
        .build()
        .and_then(|option| option.calculate::<DefaultSpecialFn>());
    let volatility = finite(found, price)?;
    let d = (forward - strike) / (volatility * years.sqrt());
    // a normal volatility is money: its scale is the volatility itself
    determined(price, density(d) * years.sqrt() * volatility)?;
    Ok(volatility)
}

/// The side that is out of the money, and what it costs by parity.
fn out_of_the_money(right: OptionRight, price: f64, forward: f64, strike: f64) -> Result<(OptionRight, f64)> {
    let (intrinsic, other) = match right {
        OptionRight::Call => (forward - strike, OptionRight::Put),
        OptionRight::Put => (strike - forward, OptionRight::Call),
    };
    if intrinsic <= 0.0 {
        return Ok((right, price));
    }
    if price <= intrinsic {
        return refused(format!(
            "price must be above the intrinsic value {intrinsic}, was {price}: no volatility gives less"
        ));
    }
    Ok((other, price - intrinsic))
}

fn finite(found: Option<f64>, price: f64) -> Result<f64> {
    match found {
        Some(volatility) if volatility.is_finite() && volatility > 0.0 => Ok(volatility),
        _ => refused(format!("no volatility gives the price {price}")),
    }
}

/// Refuses a volatility that the last digit of the price does not determine.
fn determined(price: f64, vega: f64) -> Result<()> {
    let open = (price.next_up() - price) / vega;
    if open <= COARSEST {
        Ok(())
    } else {
        refused(format!(
            "the price {price} does not determine a volatility: its last digit alone moves it by {open:.1e}"
        ))
    }
}

/// Density of the normal law.
fn density(d: f64) -> f64 {
    (-0.5 * d * d).exp() / std::f64::consts::TAU.sqrt()
}

fn refused<T>(why: String) -> Result<T> {
    Err(Error::NoAnswer { why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::value;

    #[test]
    fn a_long_in_the_money_call_has_its_published_volatilities() {
        let black = volatility(OptionRight::Call, 20.0, 100.0, 90.0, 30.0).unwrap();
        assert!((black - 0.070_117_018_014_820_94).abs() < 1e-13, "{black}");
        let normal = normal_volatility(OptionRight::Call, 20.0, 100.0, 90.0, 30.0).unwrap();
        assert!((normal - 6.614_292_466_299_764).abs() < 1e-12, "{normal}");
    }

    #[test]
    fn a_volatility_comes_back_from_its_price_or_is_refused() {
        let (forward, mut answered) = (100.0, 0);
        for right in [OptionRight::Call, OptionRight::Put] {
            for strike in [20.0, 60.0, 90.0, 99.99, 100.0, 100.3, 115.0, 170.0, 400.0] {
                for years in [0.001, 0.02, 0.25, 1.0, 3.0] {
                    for true_volatility in [0.05, 0.3, 0.8, 1.5, 3.0] {
                        let root = f64::sqrt(years);
                        let price = value(right, forward, strike, true_volatility * root).unwrap();
                        if price < 1e-290 {
                            continue; // the value itself has vanished
                        }
                        let d1 = log_moneyness(forward, strike) / (true_volatility * root)
                            + 0.5 * true_volatility * root;
                        let open = (price.next_up() - price) / (forward * density(d1) * root);
                        match volatility(right, price, forward, strike, years) {
                            Ok(found) => {
                                let error = (found - true_volatility).abs();
                                assert!(
                                    error <= f64::max(1e-12, 4.0 * open),
                                    "{right:?} {strike} {years} {true_volatility}: {found}"
                                );
                                answered += 1;
                            }
                            Err(_) => assert!(open > 1e-7, "{right:?} {strike} {years} {true_volatility}"),
                        }
                    }
                }
            }
        }
        assert!(answered > 200, "{answered}");
    }

    #[test]
    fn a_price_that_no_volatility_gives_is_refused_in_a_sentence() {
        let why = |right, price, years| volatility(right, price, 100.0, 90.0, years).unwrap_err().to_string();
        assert_eq!(
            why(OptionRight::Call, 9.0, 1.0),
            "price must be above the intrinsic value 10, was 9: no volatility gives less"
        );
        assert_eq!(
            why(OptionRight::Call, 100.0, 1.0),
            "price must be below the forward 100, was 100: no volatility gives more"
        );
        assert_eq!(
            why(OptionRight::Put, 90.0, 1.0),
            "price must be below the strike 90, was 90: no volatility gives more"
        );
        assert_eq!(why(OptionRight::Put, 0.0, 1.0), "price must be finite and above zero, was 0");
        assert_eq!(why(OptionRight::Put, 1.0, 0.0), "years must be finite and above zero, was 0");
        let vague = why(OptionRight::Call, 10.0_f64.next_up(), 1.0);
        assert!(vague.starts_with("the price 10.000000000000002 does not determine a volatility"), "{vague}");
    }
}
