//! A book of options on several underlyings, taken in as columns.

use super::line::{Body, Combination, ForwardMove, Line, OptionLine};
use super::{FactorMoves, JointBook};
use crate::error::{Place, Result, check_finite};
use crate::instrument::{OptionRight, Payoff};
use crate::revaluation::{Strikes, position, same_length};

impl JointBook {
    /// Positions in options that are settled in their quote currency, one line each.
    ///
    /// `strike` counts from 0 in the strikes, `quantity` is in units of the underlying, short below zero. The price
    /// of underlying `u` is factor `u`, the logarithm of its volatility factor `u` plus the number of underlyings,
    /// times the strike's tenor weight. Strikes without underlyings are of one.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] if the lengths differ; an error with the index for a strike that does not exist or a
    /// quantity that is not finite.
    pub fn of_strikes(strikes: &Strikes, strike: &[i64], is_call: &[bool], quantity: &[f64]) -> Result<Self> {
        same_length("is_call", is_call.len(), strike.len())?;
        same_length("quantity", quantity.len(), strike.len())?;
        let underlyings = strikes.underlying_count();
        let mut lines = Vec::with_capacity(strike.len());
        for (index, ((&number, &is_call), &quantity)) in strike.iter().zip(is_call).zip(quantity).enumerate()
        {
            let number = position("index", number, strikes.count(), index)?;
            let quantity = check_finite("quantity", quantity, || Place::label(format!("index {index}")))?;
            let Some(known) = strikes.strikes.get(number) else { continue };
            let underlying = strikes.underlying.as_ref().and_then(|all| all.get(number));
            let underlying = underlying.map_or(0, |known| *known as usize);
            let weight = strikes.tenor_weight.get(number).copied().unwrap_or(1.0);
            let option = OptionLine {
                quantity,
                right: if is_call { OptionRight::Call } else { OptionRight::Put },
                payoff: Payoff::Linear,
                strike: known.strike,
                forward: known.forward,
                fixed: 0.0,
                total_volatility: known.total_volatility,
                discount: 1.0,
                base: None,
                moves: ForwardMove { factor: underlying, basis: None },
                volatility: Some(Combination { first: (underlyings + underlying, weight), second: None }),
            };
            lines.push(Line { money: 1.0, currency: None, carried: 0.0, body: Body::Option(option) });
        }
        Self::new(strikes.level, &lines)
    }
}

impl Strikes {
    /// How many underlyings the strikes are of; one where none is said.
    pub fn underlying_count(&self) -> usize {
        let largest = self.underlying.as_ref().and_then(|all| all.iter().max());
        largest.map_or(1, |largest| *largest as usize + 1)
    }
}

impl<'a> FactorMoves<'a> {
    /// Moves of prices and of volatilities, logarithms of ratios, a row per underlying each.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] for another number of rows than there are underlyings; as [`FactorMoves::new`].
    pub fn of_underlyings(
        underlyings: usize,
        prices: Vec<&'a [f64]>,
        volatilities: Vec<&'a [f64]>,
        threads: Option<usize>,
    ) -> Result<Self> {
        same_length("price_moves", prices.len(), underlyings)?;
        same_length("volatility_moves", volatilities.len(), underlyings)?;
        Self::new(prices.into_iter().chain(volatilities).collect(), threads)
    }
}
