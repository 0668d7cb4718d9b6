//! One account: its profit and loss under every scenario.

use super::{Scenarios, Strikes, UNMOVED, position, same_length};
use crate::error::{Place, Result, check_finite};
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
    /// [`crate::Error::Shape`] if the lengths differ; an error with the index for a strike that does not exist
    /// or a quantity that is not finite.
    pub fn new(strikes: &Strikes, strike: &[i64], is_call: &[bool], quantity: &[f64]) -> Result<Self> {
        same_length("is_call", is_call.len(), strike.len())?;
        same_length("quantity", quantity.len(), strike.len())?;
        let mut holdings: Vec<Holding> =
            strikes.strikes.iter().map(|&strike| Holding { strike, calls: 0.0, puts: 0.0 }).collect();
        for (index, ((&number, &is_call), &quantity)) in strike.iter().zip(is_call).zip(quantity).enumerate()
        {
            let held = position("index", number, holdings.len(), index)?;
            check_finite("quantity", quantity, || Place::label(format!("index {index}")))?;
            if let Some(held) = holdings.get_mut(held) {
                *(if is_call { &mut held.calls } else { &mut held.puts }) += quantity;
            }
        }
        holdings.retain(|held| held.calls != 0.0 || held.puts != 0.0);
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
