//! One account: its profit and loss under every scenario.

use super::{Scenarios, Strikes, UNMOVED, at, position, same_length};
use crate::error::{Error, Result};
use crate::pricing::kernel::{self, Holding, Line};
use crate::pricing::level::Level;

/// One account's options, netted per strike and right.
#[derive(Debug, Clone)]
pub struct Account {
    level: Level,
    holdings: Vec<Holding>,
    /// Value of all holdings before any scenario.
    before: f64,
}

impl Account {
    /// Nets positions: `strike` counts from 0 in the strikes, `quantity` is in units of the underlying, short
    /// below zero. Strikes of which nothing is left cost nothing later.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the lengths differ; an error with the index for a strike that does not exist
    /// or a quantity that is not finite.
    pub fn new(strikes: &Strikes, strike: &[i64], is_call: &[bool], quantity: &[f64]) -> Result<Self> {
        same_length("is_call", is_call.len(), strike.len())?;
        same_length("quantity", quantity.len(), strike.len())?;
        // puts and calls of a strike side by side: ten thousand sums stay in the nearest cache
        let mut net = vec![[0.0; 2]; strikes.count()];
        // what is wrong is looked for only where something is: the sums are most of the work
        let mut all_known = quantity.iter().fold(true, |all, quantity| all & quantity.is_finite());
        for ((&number, &is_call), &quantity) in strike.iter().zip(is_call).zip(quantity) {
            // a number below zero is above all others when its sign is taken for a digit
            match net.get_mut(number.cast_unsigned() as usize) {
                Some(held) => held[usize::from(is_call)] += quantity,
                None => all_known = false,
            }
        }
        if !all_known {
            return Err(refusal(strike, strikes.count(), quantity));
        }
        let held = strikes.strikes.iter().zip(net).filter(|(_, net)| *net != [0.0; 2]);
        let holdings: Vec<Holding> =
            held.map(|(&strike, [puts, calls])| Holding { strike, calls, puts }).collect();
        let mut before = [Line::default()];
        kernel::accumulate(strikes.level, &UNMOVED, &holdings, &mut before)?;
        let [Line([before, ..])] = before;
        Ok(Self { level: strikes.level, holdings, before })
    }

    /// Profit and loss under each scenario, in quote currency; exactly zero where nothing moves.
    ///
    /// # Errors
    ///
    /// None that valid strikes and scenarios can cause.
    pub fn scenario_pnl(&self, scenarios: &Scenarios) -> Result<Vec<f64>> {
        let mut sums = vec![Line::default(); scenarios.line_count()];
        kernel::accumulate(self.level, &scenarios.all(), &self.holdings, &mut sums)?;
        let mut profits = kernel::numbers(&sums, scenarios.count());
        for profit in &mut profits {
            *profit -= self.before;
        }
        Ok(profits)
    }
}

/// The first position that cannot be taken, and why.
#[cold]
fn refusal(strike: &[i64], count: usize, quantity: &[f64]) -> Error {
    let found = strike.iter().zip(quantity).enumerate().find_map(|(index, (&number, &quantity))| {
        let known = position("index", number, count, index).and_then(|_| {
            if quantity.is_finite() {
                Ok(())
            } else {
                Err(Error::not_finite("quantity", quantity, at(index)))
            }
        });
        known.err()
    });
    found.unwrap_or_else(|| Error::NoAnswer { why: "positions changed while they were read".to_owned() })
}
