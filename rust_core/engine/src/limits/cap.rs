//! The dynamic leverage cap: the smallest of named terms, per underlying (methods.md section 7).
//!
//! `L_max = min(tier, 1 / (IM_vol + IM_liq), b / (z sigma sqrt(h)), phi D / E, max L with P(liquidation) <= p)`.

use super::context::Context;
use super::market::{depth_of, volume_of};
use super::measure::{coin_name, pool_name};
use super::metric::Metric;
use super::standing::{Part, Standing, by_coin, size};
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::liquidation::price::shown;
use crate::market::{settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::statistics::laws::normal_tail;
use crate::statistics::liquidity::{Depth, concentration};
use crate::statistics::sizing::{Leveraged, leverage_cap, liquidation_probability};

/// Days of a year, as volatilities are scaled.
const YEAR: f64 = 365.0;
/// A leverage beyond this is no cap.
const LARGEST: f64 = 1e4;

/// One term of a cap.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Its name.
    pub term: &'static str,
    /// The largest leverage that it allows; `None` where it does not bind or is not known.
    pub cap: Option<f64>,
    /// Its formula with its numbers, or why there is none.
    pub words: String,
}

/// The cap of one underlying in one pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Capped {
    /// What the pool is called.
    pub pool: String,
    /// The coin.
    pub coin: String,
    /// Gross notional in the coin over the pool's adjusted equity.
    pub leverage: f64,
    /// The pool's adjusted equity, reporting currency.
    pub equity: f64,
    /// Every term.
    pub terms: Vec<Term>,
}

impl Capped {
    /// The term that binds: the smallest, the first of those alike.
    pub fn binding(&self) -> Option<&Term> {
        self.terms
            .iter()
            .filter(|term| term.cap.is_some())
            .reduce(|best, term| if term.cap < best.cap { term } else { best })
    }

    /// The cap itself.
    pub fn cap(&self) -> Option<f64> {
        self.binding().and_then(|term| term.cap)
    }
}

/// What the terms of one coin are made of.
struct Coin {
    index: usize,
    gross: f64,
    net: f64,
    delta: f64,
    /// Maintenance margin over the notional.
    maintenance_rate: f64,
    /// Largest leverage of the brackets or of the initial margin, with its words.
    tier: std::result::Result<(f64, String), String>,
}

/// Caps of every underlying that a part holds, in the order of pools and coins.
///
/// What a term needs and nobody gives is said in its words; the others still bind.
///
/// # Errors
///
/// [`Error::NoAnswer`] unless a pool's equity is above zero; as [`crate::margin::evaluate`].
pub fn caps(context: &Context<'_>, standing: &Standing<'_>, part: &Part) -> Result<Vec<Capped>> {
    let mut found = Vec::new();
    for pool in &part.pools {
        let own = Part { name: pool_name(context, *pool), pools: vec![*pool], only: part.only };
        let coins = coins(context, standing, *pool, &own)?;
        if coins.is_empty() {
            continue;
        }
        let equity = standing.positive_equity(&own, Metric::LeverageCap)?;
        for coin in coins {
            let volatility = context.covariance(&[coin.index]).map(|own| own.volatility(0));
            let terms = vec![
                tier(&coin),
                margin(context, &coin, &volatility),
                budget(context, &coin, &volatility),
                depth(context, &coin, equity),
                liquidation(context, &coin, &volatility),
            ];
            found.push(Capped {
                pool: own.name.clone(),
                coin: coin_name(context, coin.index),
                leverage: coin.gross / equity,
                equity,
                terms,
            });
        }
    }
    Ok(found)
}

fn coins(context: &Context<'_>, standing: &Standing<'_>, pool: usize, part: &Part) -> Result<Vec<Coin>> {
    let Some(view) = standing.views.get(pool) else { return Ok(Vec::new()) };
    let sizes = standing.sizes(part)?;
    let requirement = &standing.state(pool)?.requirement;
    let book = context.book;
    let mut found = Vec::new();
    for (index, gross) in by_coin(&sizes, |size| size.gross) {
        let stable = book.underlyings.get(index).is_some_and(|known| is_stable(&known.name));
        if gross == 0.0 || stable {
            continue;
        }
        let own = || sizes.iter().filter(|size| size.coin == index);
        let mut maintenance = Vec::new();
        let mut tier: std::result::Result<(f64, String), String> =
            Err("neither a bracket nor an initial margin of a position says one".into());
        for (position, margin) in view.positions.iter().zip(&requirement.by_position) {
            if underlying_of(book, position) != index
                || part.only.is_some_and(|only| !only.holds(book, position))
            {
                continue;
            }
            maintenance.push(margin.maintenance);
            let symbol = book.instruments.get(position.instrument).map_or("", |known| known.symbol.as_str());
            let money = view.price(settle_of(book, position), &crate::market::MarketState::today(book))?;
            let notional = size(view, position)?.gross;
            let bracket = book.tables.get(position.table).filter(|table| !table.is_absent());
            let listed = bracket.and_then(|table| table.bracket(notional / money).max_leverage);
            let by_margin = margin.initial.filter(|own| *own > 0.0).map(|own| margin.notional / own);
            let (cap, words) = match (listed, by_margin) {
                (Some(cap), _) => (cap, format!("bracket of {symbol} at a notional of {}", shown(notional))),
                (None, Some(cap)) => (cap, format!("1 over the initial margin rate of {symbol}")),
                (None, None) => continue,
            };
            if tier.as_ref().map_or(true, |(known, _)| cap < *known) {
                tier = Ok((cap, words));
            }
        }
        found.push(Coin {
            index,
            gross,
            net: sum(own().map(|size| size.net)),
            delta: sum(own().map(|size| size.delta)),
            maintenance_rate: (sum(maintenance) / gross).max(0.0),
            tier,
        });
    }
    Ok(found)
}

fn term(term: &'static str, found: Result<(f64, String)>) -> Term {
    match found {
        Ok((cap, words)) if cap.is_finite() && cap < LARGEST => Term { term, cap: Some(cap), words },
        Ok((_, words)) => Term { term, cap: None, words: format!("{words}: it does not bind") },
        Err(error) => Term { term, cap: None, words: error.to_string() },
    }
}

fn tier(coin: &Coin) -> Term {
    let found = coin.tier.clone().map_err(|why| Error::Missing {
        what: "largest leverage".into(),
        why,
        place: Place::default(),
    });
    term("tier cap", found)
}

fn margin(context: &Context<'_>, coin: &Coin, volatility: &Result<f64>) -> Term {
    let profile = context.profile;
    let made = || -> Result<(f64, String)> {
        let daily = volatility.clone()?;
        let tail = normal_tail(daily * profile.close_out_days.sqrt(), profile.confidence)?.value_at_risk;
        let by_volatility = (1.0 - profile.stress_share) * tail + profile.stress_share * profile.stress_move;
        let known = context.book.underlyings.get(coin.index);
        let half_spread = known.and_then(|own| own.half_spread).unwrap_or(0.0);
        let (by_liquidity, said) = match volume_of(context, coin.index) {
            Ok(volume) => {
                // in money: the price of a unit of money is one
                let market =
                    Depth { daily_volume: volume, daily_volatility: daily, coefficient: profile.impact };
                let free = profile.free_share;
                let found =
                    concentration(coin.delta, 1.0, half_spread, &market, free, profile.participation)?;
                (half_spread + found.impact, String::new())
            }
            Err(why) => (half_spread, format!("; without impact: {why}")),
        };
        let words = format!(
            "1 / (volatility margin {} + liquidity margin {}) over {} d{said}",
            shown(by_volatility),
            shown(by_liquidity),
            profile.close_out_days
        );
        Ok(((by_volatility + by_liquidity).recip(), words))
    };
    term("margin by volatility and liquidity", made())
}

fn budget(context: &Context<'_>, _coin: &Coin, volatility: &Result<f64>) -> Term {
    let profile = context.profile;
    let made = || -> Result<(f64, String)> {
        let yearly = volatility.clone()? * YEAR.sqrt();
        let cap = leverage_cap(profile.loss_budget, yearly, profile.confidence, profile.horizon_days, YEAR)?;
        let words = format!(
            "budget {} / (quantile at {} x yearly volatility {} x sqrt({} / 365))",
            profile.loss_budget,
            profile.confidence,
            shown(yearly),
            profile.horizon_days
        );
        Ok((cap, words))
    };
    term("value-at-risk budget", made())
}

fn depth(context: &Context<'_>, coin: &Coin, equity: f64) -> Term {
    let profile = context.profile;
    let made = || -> Result<(f64, String)> {
        let depth = depth_of(context, coin.index)?;
        let words = format!(
            "share {} x depth {} within {} / equity {}",
            profile.depth_share,
            shown(depth),
            profile.depth_move,
            shown(equity)
        );
        Ok((profile.depth_share * depth / equity, words))
    };
    term("depth cap", made())
}

/// The largest leverage whose probability of liquidation is no more than the profile's, by bisection: it rises
/// with the leverage.
fn liquidation(context: &Context<'_>, coin: &Coin, volatility: &Result<f64>) -> Term {
    let profile = context.profile;
    let made = || -> Result<(f64, String)> {
        let yearly = volatility.clone()? * YEAR.sqrt();
        let rate = coin.maintenance_rate.min(0.999);
        let at = |leverage: f64| {
            let position = Leveraged { leverage, maintenance_rate: rate, long: coin.net >= 0.0 };
            liquidation_probability(position, yearly, profile.liquidation_days / YEAR, 0.0)
        };
        let words = format!(
            "largest leverage with a probability of at most {} within {} d, closed form, yearly volatility {}, maintenance rate {}",
            profile.liquidation_probability,
            profile.liquidation_days,
            shown(yearly),
            shown(rate)
        );
        if at(LARGEST)? <= profile.liquidation_probability {
            return Ok((LARGEST, words));
        }
        let (mut low, mut high) = (0.0, LARGEST);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if at(middle)? <= profile.liquidation_probability { low = middle } else { high = middle }
        }
        Ok((low, words))
    };
    term("liquidation-probability cap", made())
}
