//! Sensitivities of European options, on a forward (Black 1976) and on a spot price with a dividend yield
//! (generalised Black-Scholes-Merton).
//!
//! Source: E. G. Haug, "The Complete Guide to Option Pricing Formulas", 2nd edition, chapters 1 and 2.

use super::OptionRight;
use super::black76::{check_not_negative, log_moneyness, value};
use super::mills::mills_ratio;
use crate::error::{Place, Result, check_finite, check_positive};

/// Days of a year, the convention of every crypto-derivatives venue.
const DAYS_PER_YEAR: f64 = 365.0;

/// Value and sensitivities of one option per unit of the underlying, in quote currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Greeks {
    /// Discounted value.
    pub value: f64,
    /// Change of value per 1.00 of the price it was asked about: the forward, or the spot price.
    pub delta: f64,
    /// Change of delta per 1.00 of that price.
    pub gamma: f64,
    /// Change of value per 1.00 (100 percentage points) of volatility.
    pub vega: f64,
    /// Change of value per year that passes; below zero for most options held.
    pub theta: f64,
    /// Change of value per calendar day that passes, a 365th of theta.
    pub theta_per_day: f64,
    /// Change of value per 1.00 of the interest rate. On a forward the forward stays as it is.
    pub rho: f64,
    /// Change of value per 1.00 of the dividend yield; zero on a forward.
    pub dividend_rho: f64,
    /// `delta x price / value`: percent of value per percent of price.
    pub elasticity: f64,
}

/// A European option on a forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForwardOption {
    /// Call or put.
    pub right: OptionRight,
    /// Forward price of the option's expiry, quote currency per unit, above zero.
    pub forward: f64,
    /// Strike, in the same unit, above zero.
    pub strike: f64,
    /// Years to expiry, above zero.
    pub years: f64,
    /// Yearly volatility, 0.6 is 60 %, above zero.
    pub volatility: f64,
    /// Value today of 1.00 at expiry, above zero; 1 where premiums are margined.
    pub discount_factor: f64,
}

/// A European option on a spot price that pays a continuous yield.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotOption {
    /// Call or put.
    pub right: OptionRight,
    /// Spot price, quote currency per unit, above zero.
    pub spot: f64,
    /// Strike, in the same unit, above zero.
    pub strike: f64,
    /// Years to expiry, above zero.
    pub years: f64,
    /// Yearly volatility, 0.6 is 60 %, above zero.
    pub volatility: f64,
    /// Continuous interest rate per year.
    pub rate: f64,
    /// Continuous dividend yield (or funding) per year.
    pub dividend_yield: f64,
}

impl ForwardOption {
    /// Discounted value: `discount_factor` times Black's value.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] if a number is outside the range of its field; zero is allowed where only
    /// the value is asked for.
    pub fn value(&self) -> Result<f64> {
        check_not_negative("years", self.years)?;
        check_not_negative("volatility", self.volatility)?;
        check_positive("discount_factor", self.discount_factor, Place::default)?;
        let total_volatility = self.volatility * self.years.sqrt();
        Ok(self.discount_factor * value(self.right, self.forward, self.strike, total_volatility)?)
    }

    /// Value and sensitivities. With `s = volatility sqrt(years)`, `d1 = ln(F/K)/s + s/2`, `d2 = d1 - s` and the
    /// discount factor `D`: call delta `D N(d1)`, gamma `D phi(d1) / (F s)`, vega `D F phi(d1) sqrt(years)`,
    /// theta `-D F phi(d1) volatility / (2 sqrt(years)) + r value` with `r = -ln(D) / years`, rho
    /// `-years value`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] if a number is outside the range of its field.
    pub fn greeks(&self) -> Result<Greeks> {
        let terms = Terms::new(self.forward, self.strike, self.years, self.volatility)?;
        let value = self.value()?;
        let discounted = self.discount_factor * self.forward * terms.density;
        let delta = self.discount_factor * terms.signed_tail(self.right, terms.d1);
        let rate = -self.discount_factor.ln() / self.years;
        let theta = rate * value - discounted * self.volatility / (2.0 * terms.root);
        Ok(Greeks {
            value,
            delta,
            gamma: self.discount_factor * terms.density / (self.forward * self.volatility * terms.root),
            vega: discounted * terms.root,
            theta,
            theta_per_day: theta / DAYS_PER_YEAR,
            rho: -self.years * value,
            dividend_rho: 0.0,
            elasticity: delta * self.forward / value,
        })
    }
}

impl SpotOption {
    /// The option on the forward `spot exp((rate - dividend_yield) years)` that is worth the same.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] if a number is outside the range of its field.
    pub fn on_forward(&self) -> Result<ForwardOption> {
        check_finite("rate", self.rate, Place::default)?;
        check_finite("dividend_yield", self.dividend_yield, Place::default)?;
        check_not_negative("years", self.years)?;
        Ok(ForwardOption {
            right: self.right,
            forward: check_not_negative("spot", self.spot)?
                * ((self.rate - self.dividend_yield) * self.years).exp(),
            strike: self.strike,
            years: self.years,
            volatility: self.volatility,
            discount_factor: (-self.rate * self.years).exp(),
        })
    }

    /// Discounted value.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] if a number is outside the range of its field; zero is allowed for spot,
    /// strike, years and volatility where only the value is asked for.
    pub fn value(&self) -> Result<f64> {
        self.on_forward()?.value()
    }

    /// Value and sensitivities to the spot price. With `Q = exp(-dividend_yield years)` and
    /// `D = exp(-rate years)`: call delta `Q N(d1)`, gamma `Q phi(d1) / (S s)`, vega `Q S phi(d1) sqrt(years)`,
    /// theta `-Q S phi(d1) volatility / (2 sqrt(years)) + q S delta - r D K N(d2)`, rho `years D K N(d2)`,
    /// dividend rho `-years S delta`; a put has `-N(-d)` in place of `N(d)`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfRange`] if a number is outside the range of its field.
    pub fn greeks(&self) -> Result<Greeks> {
        let forward = self.on_forward()?;
        let terms = Terms::new(forward.forward, self.strike, self.years, self.volatility)?;
        let value = forward.value()?;
        let yielded = (-self.dividend_yield * self.years).exp();
        let discounted = yielded * self.spot * terms.density;
        let delta = yielded * terms.signed_tail(self.right, terms.d1);
        let strike_paid = forward.discount_factor * self.strike * terms.signed_tail(self.right, terms.d2);
        let theta = self.dividend_yield * self.spot * delta
            - self.rate * strike_paid
            - discounted * self.volatility / (2.0 * terms.root);
        Ok(Greeks {
            value,
            delta,
            gamma: yielded * terms.density / (self.spot * self.volatility * terms.root),
            vega: discounted * terms.root,
            theta,
            theta_per_day: theta / DAYS_PER_YEAR,
            rho: self.years * strike_paid,
            dividend_rho: -self.years * self.spot * delta,
            elasticity: delta * self.spot / value,
        })
    }
}

/// What the sensitivities share.
struct Terms {
    d1: f64,
    d2: f64,
    /// `phi(d1)`.
    density: f64,
    /// Root of the years to expiry.
    root: f64,
}

impl Terms {
    fn new(forward: f64, strike: f64, years: f64, volatility: f64) -> Result<Self> {
        for (name, value) in
            [("forward", forward), ("strike", strike), ("years", years), ("volatility", volatility)]
        {
            check_positive(name, value, Place::default)?;
        }
        let root = years.sqrt();
        let total_volatility = volatility * root;
        let deviations = log_moneyness(forward, strike) / total_volatility;
        let d1 = deviations + 0.5 * total_volatility;
        let density = (-0.5 * d1 * d1).exp() / std::f64::consts::TAU.sqrt();
        Ok(Self { d1, d2: deviations - 0.5 * total_volatility, density, root })
    }

    /// `N(d)` for a call, `-N(-d)` for a put.
    fn signed_tail(&self, right: OptionRight, d: f64) -> f64 {
        match right {
            OptionRight::Call => normal_probability(d),
            OptionRight::Put => -normal_probability(-d),
        }
    }
}

/// Change of an undiscounted value per 1.00 of its forward: `N(d1)` of a call, `-N(-d1)` of a put; at expiry
/// whether it is in the money.
pub fn forward_delta(right: OptionRight, forward: f64, strike: f64, total_volatility: f64) -> f64 {
    if total_volatility <= 0.0 {
        return match right {
            OptionRight::Call => f64::from(u8::from(forward > strike)),
            OptionRight::Put => -f64::from(u8::from(forward < strike)),
        };
    }
    let d1 = log_moneyness(forward, strike) / total_volatility + 0.5 * total_volatility;
    match right {
        OptionRight::Call => normal_probability(d1),
        OptionRight::Put => -normal_probability(-d1),
    }
}

/// Probability of the normal law below `x`, to full relative accuracy in the lower tail.
pub(crate) fn normal_probability(x: f64) -> f64 {
    let tail = (-0.5 * x * x).exp() * mills_ratio(x.abs());
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(option: ForwardOption, change: impl Fn(&mut ForwardOption)) -> f64 {
        let mut option = option;
        change(&mut option);
        option.value().unwrap()
    }

    #[test]
    fn sensitivities_on_a_forward_are_differences_of_values() {
        let years = 0.3;
        for right in [OptionRight::Call, OptionRight::Put] {
            let option = ForwardOption {
                right,
                forward: 95.0,
                strike: 100.0,
                years,
                volatility: 0.7,
                discount_factor: (-0.04_f64 * years).exp(),
            };
            let greeks = option.greeks().unwrap();
            let step = 1e-4;
            let slope = |change: &dyn Fn(&mut ForwardOption, f64)| {
                (shifted(option, |o| change(o, step)) - shifted(option, |o| change(o, -step))) / (2.0 * step)
            };
            let close =
                |ours: f64, difference: f64| assert!((ours - difference).abs() < 1e-5, "{ours} {difference}");
            close(greeks.delta, slope(&|o, h| o.forward += h));
            close(greeks.vega, slope(&|o, h| o.volatility += h));
            close(
                greeks.theta,
                slope(&|o, h| {
                    o.years -= h;
                    o.discount_factor = (-0.04 * o.years).exp();
                }),
            );
            close(greeks.rho, slope(&|o, h| o.discount_factor = (-(0.04 + h) * o.years).exp()));
            let bent = shifted(option, |o| o.forward += 0.01) - 2.0 * greeks.value
                + shifted(option, |o| o.forward -= 0.01);
            close(greeks.gamma, bent / 1e-4);
        }
    }
}
