//! What closing costs: the venue's fees, and what the market takes.
//!
//! The market takes a flat fraction, or half of the spread and the square-root law of impact
//! `coefficient x daily volatility x sqrt(coins / daily volume)`, of which an order pays two thirds on average
//! (methods.md section 5.5). What the same liquidation has already traded in a coin counts, so that cutting an
//! order into pieces makes it no cheaper.

use crate::book::Position;
use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;
use crate::margin::{PoolState, PoolView, Requirement};
use crate::market::{MarketState, notional, payoff, settle_of, underlying_of, unrealised_pnl};
use crate::numeric::accumulate::sum;
use crate::rulebook::LiquidationRule;
use crate::statistics::liquidity::{Depth, square_root_cost};

/// What the market takes of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slippage {
    /// A fraction of the notional; of an option, of its value.
    Fraction(f64),
    /// Half of the spread and the impact, from volume, volatility and spread of the market table.
    Depth,
}

/// Cost of one closing, settlement currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// What the market takes.
    pub slipping: f64,
    /// What the venue takes.
    pub fee: f64,
}

impl Cost {
    /// Both together.
    pub fn total(self) -> f64 {
        self.slipping + self.fee
    }
}

/// How costs are reckoned in one step of a liquidation.
#[derive(Debug, Clone, Copy)]
pub struct Costs<'a> {
    slippage: Slippage,
    rule: Option<&'a LiquidationRule>,
    /// The account before the step, for fees on its maintenance margin and within its equity.
    before: Option<&'a PoolState>,
}

/// Relative move over which the coins that an option stands for are measured.
const NUDGE: f64 = 1e-4;

impl<'a> Costs<'a> {
    /// No cost at all.
    pub const FREE: Costs<'static> = Costs { slippage: Slippage::Fraction(0.0), rule: None, before: None };

    /// Slippage and the fees of a rule.
    pub fn new(slippage: Slippage, rule: &'a LiquidationRule, before: &'a PoolState) -> Self {
        Self { slippage, rule: Some(rule), before: Some(before) }
    }

    /// The same slippage without fees: what the account trades to hedge, or to sell collateral.
    pub fn without_fees(self) -> Self {
        Self { before: None, ..self }
    }

    /// Cost of closing a fraction of a position, which stands at `index` of the pool before the step; `traded`
    /// coins of its underlying have been traded before.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a volume, a volatility or a spread that the market table does not give.
    pub fn closing(
        &self,
        view: &PoolView<'_>,
        (index, position): (usize, &Position),
        state: &MarketState,
        fraction: f64,
        traded: f64,
    ) -> Result<Cost> {
        let size = fraction * notional(view.book, position, state.ratio(underlying_of(view.book, position)));
        let contract = view.book.instruments.get(position.instrument);
        let option = contract.is_some_and(|known| known.option.is_some());
        let value = fraction * unrealised_pnl(view.book, position, state).abs();
        let slipping = match self.slippage {
            Slippage::Fraction(share) => share * if option { value } else { size },
            Slippage::Depth => {
                let coins = fraction * coins(view, position, state)?.abs();
                let money = self.of_depth(view, underlying_of(view.book, position), state, coins, traded)?;
                match payoff(view.book, position) {
                    Payoff::Linear => money,
                    Payoff::Inverse => money / coin_price(view, underlying_of(view.book, position), state)?,
                }
            }
        };
        let Some((rule, before)) = self.rule.zip(self.before) else { return Ok(Cost { slipping, fee: 0.0 }) };
        let coin = contract.map_or("", |known| known.underlying.as_str());
        let rate = rule.fees.get(&coin.to_uppercase()).copied().unwrap_or(rule.fee);
        let mut fee = size * if option { rule.option_fee.unwrap_or(rate) } else { rate };
        if let Some(cap) = rule.option_fee_cap.filter(|_| option) {
            fee = fee.min(cap * value);
        }
        if rule.maintenance_fee > 0.0 || rule.fee_within_equity {
            let price = view.price(settle_of(view.book, position), state)?;
            let share = fraction * share_of_margin(&before.requirement, index);
            fee += rule.maintenance_fee * share * before.requirement.maintenance / price;
            if rule.fee_within_equity {
                fee = fee.min((share * before.equity.gross / price).max(0.0));
            }
        }
        Ok(Cost { slipping, fee })
    }

    /// What the market takes of an amount of a coin, quote currency.
    pub(super) fn of_coins(
        &self,
        view: &PoolView<'_>,
        coin: usize,
        state: &MarketState,
        amount: f64,
        traded: f64,
    ) -> Result<f64> {
        match self.slippage {
            Slippage::Fraction(share) => Ok(share * amount.abs() * coin_price(view, coin, state)?),
            Slippage::Depth => self.of_depth(view, coin, state, amount.abs(), traded),
        }
    }

    /// The flat fraction, where there is one.
    pub(super) fn flat(&self) -> Option<f64> {
        match self.slippage {
            Slippage::Fraction(share) => Some(share),
            Slippage::Depth => None,
        }
    }

    fn of_depth(
        &self,
        view: &PoolView<'_>,
        coin: usize,
        state: &MarketState,
        coins: f64,
        traded: f64,
    ) -> Result<f64> {
        if coins == 0.0 {
            return Ok(0.0);
        }
        let known = view.book.underlyings.get(coin);
        let needed = |found: Option<f64>, what: &str, column: &str| {
            found.ok_or_else(|| Error::Missing {
                what: format!("{what} of {}", known.map_or("?", |known| known.name.as_str())),
                why: format!("slippage=depth needs it; give {column} on the Market sheet"),
                place: Place::default(),
            })
        };
        let depth = Depth {
            daily_volume: needed(
                known.and_then(|known| known.average_daily_volume),
                "average daily volume",
                "adv",
            )?,
            daily_volatility: needed(
                known.and_then(|known| known.daily_volatility),
                "volatility",
                "dailyVol or annualVol",
            )?,
            coefficient: self.rule.map_or(1.0, |rule| rule.impact_coefficient),
        };
        let half_spread = needed(known.and_then(|known| known.half_spread), "half spread", "halfSpread")?;
        let price = coin_price(view, coin, state)?;
        let impact = |coins: f64| Ok(square_root_cost(coins, price, &depth)?.cost);
        Ok(coins * price * half_spread + impact(traded + coins)? - impact(traded)?)
    }
}

/// Price of a coin at a state, quote currency.
fn coin_price(view: &PoolView<'_>, coin: usize, state: &MarketState) -> Result<f64> {
    Ok(super::price::price_of(view.book, coin)? * state.ratio(coin))
}

/// Coins that a position stands for, long above zero; of an option, those that hedge it: the slope of its result
/// over a relative move of the coin.
pub(super) fn coins(view: &PoolView<'_>, position: &Position, state: &MarketState) -> Result<f64> {
    let coin = underlying_of(view.book, position);
    let ratio = state.ratio(coin);
    let at = |factor: f64| unrealised_pnl(view.book, position, &state.clone().with(coin, ratio * factor));
    let slope = (at(1.0 + NUDGE) - at(1.0 - NUDGE)) / (2.0 * NUDGE);
    match payoff(view.book, position) {
        Payoff::Inverse => Ok(slope),
        Payoff::Linear => Ok(slope / coin_price(view, coin, state)?),
    }
}

/// Coins that a pool's positions stand for, by underlying, in the order of coins.
///
/// # Errors
///
/// [`Error::Missing`] for a price.
pub fn coins_held(view: &PoolView<'_>, state: &MarketState) -> Result<Vec<(usize, f64)>> {
    let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
    for position in view.positions {
        let (coin, own) = (underlying_of(view.book, position), coins(view, position, state)?);
        match found.iter_mut().find(|(known, _)| *known == coin) {
            Some((_, list)) => list.push(own),
            None => found.push((coin, vec![own])),
        }
    }
    found.sort_by_key(|(coin, _)| *coin);
    Ok(found.into_iter().map(|(coin, list)| (coin, sum(list))).collect())
}

/// The fraction of what positions bear of the maintenance margin that one of them bears.
fn share_of_margin(requirement: &Requirement, index: usize) -> f64 {
    let whole = sum(requirement.by_position.iter().map(|own| own.maintenance));
    let own = requirement.by_position.get(index).map_or(0.0, |own| own.maintenance);
    if whole > 0.0 { own / whole } else { 0.0 }
}
