//! What dealing costs: fees, and slippage as a flat fraction or by the depth of the market.

use super::Account;
use crate::book::Position;
use crate::error::{Error, Place, Result};
use crate::limits::standing::size;
use crate::market::{MarketState, notional, settle_of, underlying_of};
use crate::statistics::liquidity::{Depth, square_root_impact};

/// How far a market order slips.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slippage {
    /// A fraction of the notional, of an option of its value.
    Flat(f64),
    /// Half spread and square-root impact on the delta in coins; volume and volatility stand in the market table.
    Depth,
}

/// What dealing costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Fee on the notional, a fraction.
    pub fee: f64,
    /// Slippage.
    pub slippage: Slippage,
}

impl Cost {
    /// Whether nothing costs anything.
    pub fn is_free(&self) -> bool {
        self.fee == 0.0 && self.slippage == Slippage::Flat(0.0)
    }

    /// Cost of a deal of an unsigned quantity in a contract, reporting currency.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a price, or for volume and volatility of the coin under [`Slippage::Depth`].
    pub fn of(&self, account: &Account<'_>, contract: &Position, quantity: f64) -> Result<f64> {
        let (book, view) = (account.book, account.view());
        let sample = Position { quantity, ..contract.clone() };
        let price = view.price(settle_of(book, contract), &MarketState::today(book))?;
        let gross = price * notional(book, &sample, 1.0);
        let slipping = match self.slippage {
            Slippage::Flat(fraction) => {
                let option = book.instruments.get(contract.instrument).is_some_and(|i| i.option.is_some());
                fraction * if option { price * quantity * contract.mark_price } else { gross }
            }
            Slippage::Depth => depth_cost(account, &sample)?,
        };
        Ok(self.fee * gross + slipping)
    }
}

/// Half spread and the average square-root impact of leaving the delta of a position, reporting currency.
fn depth_cost(account: &Account<'_>, sample: &Position) -> Result<f64> {
    let book = account.book;
    let coin = book.underlyings.get(underlying_of(book, sample));
    let missing = |what: &str, column: &str| Error::Missing {
        what: format!("{what} of {}", coin.map_or("?", |known| known.name.as_str())),
        why: format!("slippage=depth needs it; give {column} on the Market sheet"),
        place: Place::default(),
    };
    let daily_volume =
        coin.and_then(|own| own.average_daily_volume).ok_or_else(|| missing("volume", "adv"))?;
    let daily_volatility =
        coin.and_then(|own| own.daily_volatility).ok_or_else(|| missing("volatility", "dailyVol"))?;
    let price =
        coin.and_then(|own| own.index_price.or(own.price)).ok_or_else(|| missing("price", "indexPrice"))?;
    let money = size(&account.view(), sample)?.delta.abs();
    let depth = Depth { daily_volume, daily_volatility, coefficient: 1.0 };
    let impact = square_root_impact(money / price, &depth)?;
    Ok(money * (coin.and_then(|own| own.half_spread).unwrap_or(0.0) + impact.average))
}
