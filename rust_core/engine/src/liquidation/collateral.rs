//! Collateral that is sold before positions are closed: a balance that counts at a rate counts in full once it is
//! money of the settlement currency.

use super::cost::Costs;
use super::working::{Closed, Subject, Working};
use crate::error::Result;
use crate::margin::equity::{counted_amount, counting, holdings};
use crate::market::MarketState;

impl Working<'_> {
    /// Balances that can be sold, the one whose sale adds most to the equity first: index and the fraction of its cash
    /// that is free.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub(super) fn saleable(&self, state: &MarketState) -> Result<Vec<(usize, f64)>> {
        let Some(target) = self.settles_in() else { return Ok(Vec::new()) };
        let view = self.view();
        let holdings = holdings(&view, state);
        let mut found: Vec<(usize, f64, f64)> = Vec::new();
        for (index, balance) in self.balances.iter().enumerate() {
            if balance.currency == target || balance.cash <= 0.0 {
                continue;
            }
            let Some(holding) = holdings.iter().find(|own| own.currency == balance.currency) else {
                continue;
            };
            // what the currency's positions have lost or gained stays in it
            let free = balance.cash.min(holding.cash + holding.pnl.min(0.0) + holding.option_value.min(0.0));
            if free <= 0.0 {
                continue;
            }
            let held = holding.cash + holding.pnl + holding.option_value;
            let rule = counting(&view, holding)?;
            let lost = free - (counted_amount(held, &rule) - counted_amount(held - free, &rule));
            if lost > 0.0 {
                found.push((index, free / balance.cash, lost * view.price(balance.currency, state)?));
            }
        }
        found.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        Ok(found.into_iter().map(|(index, free, _)| (index, free)).collect())
    }

    /// Sells a fraction of a balance into the settlement currency.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a price, or for what the costs need.
    pub(super) fn sell_balance(
        &mut self,
        index: usize,
        fraction: f64,
        state: &MarketState,
        costs: &Costs<'_>,
    ) -> Result<Option<Closed>> {
        let (Some(target), Some(balance)) = (self.settles_in(), self.balances.get(index).cloned()) else {
            return Ok(None);
        };
        let amount = balance.cash * fraction.clamp(0.0, 1.0);
        if balance.currency == target || amount <= 0.0 {
            return Ok(None);
        }
        let view = self.view();
        let (own, into) = (view.price(balance.currency, state)?, view.price(target, state)?);
        let known = self.book.currencies.get(balance.currency);
        let coin = known.and_then(|known| known.underlying);
        let rate = match (costs.flat(), coin) {
            (Some(share), _) => share,
            (None, Some(coin)) => {
                let traded = self.traded.get(coin).copied().unwrap_or(0.0);
                let slipping = costs.of_coins(&view, coin, state, amount, traded)?;
                slipping / (amount * super::price::price_of(self.book, coin)? * state.ratio(coin))
            }
            (None, None) => {
                return Err(crate::Error::Missing {
                    what: format!("depth of {}", known.map_or("?", |known| known.code.as_str())),
                    why:
                        "slippage=depth needs a market for collateral that is sold; give slippage as a number"
                            .into(),
                    place: crate::error::Place::default(),
                });
            }
        };
        let code = known.map_or_else(String::new, |known| known.code.clone());
        if let (None, Some(coin)) = (costs.flat(), coin) {
            self.count_as_traded(coin, amount);
        }
        if let Some(slot) = self.balances.get_mut(index) {
            slot.cash -= amount;
        }
        self.pay(target, amount * own * (1.0 - rate) / into);
        Ok(Some(Closed {
            subject: Subject::Currency,
            symbol: code,
            long: true,
            quantity: amount,
            price: own * (1.0 - rate) / into,
            cost: amount * own * rate,
        }))
    }
}
