//! What dealing costs: fees, and slippage as a flat fraction or by the depth of the market.

use super::Account;
use crate::book::Position;
use crate::error::{Error, Place, Result};
use crate::limits::standing::size;
use crate::market::{notional, settle_of, underlying_of};
use crate::statistics::liquidity::{Depth, square_root_cost};

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
    /// Under [`Slippage::Depth`] what the account has dealt in the coin before counts: cut into pieces, or into several
    /// contracts on one coin, an order moves the market as far.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a price, or for volume and volatility of the coin under [`Slippage::Depth`].
    pub fn of(&self, account: &Account<'_>, contract: &Position, quantity: f64) -> Result<f64> {
        let even = self.in_proportion(account, contract, quantity)?;
        let coin = underlying_of(account.book, contract);
        let more = self.coins(account, contract, quantity)?;
        Ok(even + self.further_impact(account, coin, more)?)
    }

    /// The part of the cost that grows in proportion to size: fee, flat slippage, half of the spread.
    ///
    /// # Errors
    ///
    /// As [`Cost::of`].
    pub fn in_proportion(&self, account: &Account<'_>, contract: &Position, quantity: f64) -> Result<f64> {
        let (book, view) = (account.book, account.view());
        let sample = Position { quantity, ..contract.clone() };
        let price = view.price_today(settle_of(book, contract))?;
        let gross = price * notional(book, &sample, 1.0);
        let slipping = match self.slippage {
            Slippage::Flat(fraction) => {
                let option = book.instruments.get(contract.instrument).is_some_and(|i| i.option.is_some());
                fraction * if option { price * quantity * contract.mark_price } else { gross }
            }
            Slippage::Depth => {
                let coin = underlying_of(book, contract);
                let money = size(&view, &sample)?.delta.abs();
                money * book.underlyings.get(coin).and_then(|own| own.half_spread).unwrap_or(0.0)
            }
        };
        Ok(self.fee * gross + slipping)
    }

    /// Coins that an unsigned quantity of a contract stands for, unsigned, where they move the market; else zero.
    ///
    /// # Errors
    ///
    /// As [`Cost::of`].
    pub fn coins(&self, account: &Account<'_>, contract: &Position, quantity: f64) -> Result<f64> {
        if self.slippage != Slippage::Depth {
            return Ok(0.0);
        }
        let coin = underlying_of(account.book, contract);
        let sample = Position { quantity, ..contract.clone() };
        Ok(size(&account.view(), &sample)?.delta.abs() / depth_of(account, coin)?.0)
    }

    /// Impact of dealing so many coins at once, by the square-root law, reporting currency.
    ///
    /// # Errors
    ///
    /// As [`Cost::of`].
    pub fn impact(&self, account: &Account<'_>, coin: usize, coins: f64) -> Result<f64> {
        if self.slippage != Slippage::Depth {
            return Ok(0.0);
        }
        let (price, depth) = depth_of(account, coin)?;
        Ok(square_root_cost(coins, price, &depth)?.cost)
    }

    /// What an account pays of its collateral when it sells some: in money of the reporting currency and coins.
    ///
    /// # Errors
    ///
    /// As [`Cost::of`].
    pub fn of_collateral(&self, account: &Account<'_>, currency: usize, amount: f64) -> Result<f64> {
        let view = account.view();
        let value = amount * view.price_today(currency)?;
        let slipping = match (self.slippage, account.book.currencies.get(currency).and_then(|c| c.underlying))
        {
            (Slippage::Flat(fraction), _) => fraction * value,
            (Slippage::Depth, None) => 0.0,
            (Slippage::Depth, Some(coin)) => {
                let known = account.book.underlyings.get(coin);
                value * known.and_then(|own| own.half_spread).unwrap_or(0.0)
                    + self.further_impact(account, coin, amount)?
            }
        };
        Ok(self.fee * value + slipping)
    }

    /// What coins dealt after those that the account has dealt already add to the impact.
    fn further_impact(&self, account: &Account<'_>, coin: usize, coins: f64) -> Result<f64> {
        let before = account.dealt(coin);
        Ok(self.impact(account, coin, before + coins)? - self.impact(account, coin, before)?)
    }
}

/// Price of a coin and the depth of its market.
fn depth_of(account: &Account<'_>, coin: usize) -> Result<(f64, Depth)> {
    let known = account.book.underlyings.get(coin);
    let needed = |found: Option<f64>, what: &str, column: &str| {
        found.ok_or_else(|| Error::Missing {
            what: format!("{what} of {}", known.map_or("?", |known| known.name.as_str())),
            why: format!("slippage=depth needs it; give {column} on the Market sheet"),
            place: Place::default(),
        })
    };
    let daily_volume = needed(known.and_then(|own| own.average_daily_volume), "volume", "adv")?;
    let daily_volatility = needed(known.and_then(|own| own.daily_volatility), "volatility", "dailyVol")?;
    let price = needed(known.and_then(|own| own.index_price.or(own.price)), "price", "indexPrice")?;
    Ok((price, Depth { daily_volume, daily_volatility, coefficient: 1.0 }))
}
