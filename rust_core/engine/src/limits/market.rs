//! Metrics that ask the market: volatility, depth, triggers, the probability of liquidation, leverage caps.

use super::cap::caps;
use super::context::{Context, Covariance};
use super::measure::{Cure, Reading, coin_name, nothing, pool_name};
use super::metric::Metric;
use super::standing::{Only, Part, Size, Standing, by_coin};
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::liquidation::price::{alone_in, shown};
use crate::liquidation::probability::{Probability, Screen, Simulation, moving_coins, probability};
use crate::liquidation::sweep::Target;
use crate::margin::PoolView;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::Measure;

/// How far a search for triggers goes, as a multiple of the mark.
const SEARCH: f64 = 10.0;

pub(super) fn volatility(context: &Context<'_>, standing: &Standing<'_>, part: &Part) -> Result<Reading> {
    let equity = standing.positive_equity(part, Metric::Volatility)?;
    let sizes = standing.sizes(part)?;
    let mut deltas: Vec<Size> = sizes.clone();
    let today = MarketState::today(context.book);
    for view in part.pools.iter().filter_map(|pool| standing.views.get(*pool)) {
        for balance in view.balances {
            let coin = context.book.currencies.get(balance.currency).and_then(|known| known.underlying);
            let held = balance.cash - balance.debt;
            if let (Some(coin), true) = (coin, held != 0.0) {
                let delta = held * view.price(balance.currency, &today)?;
                deltas.push(Size { coin, gross: 0.0, net: 0.0, delta });
            }
        }
    }
    let stable = |coin: usize| context.book.underlyings.get(coin).is_some_and(|known| is_stable(&known.name));
    let mut delta = by_coin(&deltas, |size| size.delta);
    delta.retain(|(coin, own)| *own != 0.0 && !stable(*coin));
    let coins: Vec<usize> = delta.iter().map(|(coin, _)| *coin).collect();
    if coins.is_empty() {
        return Ok(Reading { value: Some(0.0), words: "nothing moves".into(), cure: Cure::Reduce });
    }
    let covariance = context.covariance(&coins)?;
    let variance = sum(covariance.daily.chunks(coins.len()).zip(&delta).map(|(row, (_, own))| {
        own * sum(row.iter().zip(&delta).map(|(covariance, (_, other))| covariance * other))
    }));
    let value = (365.0 * variance.max(0.0)).sqrt() / equity;
    let gross = sum(sizes.iter().map(|size| size.gross));
    Ok(Reading {
        value: Some(value),
        words: format!(
            "yearly deviation of the result at today's deltas over adjusted equity {}, volatilities from {}",
            shown(equity),
            covariance.source
        ),
        cure: Cure::PerUnit(if value > 0.0 { gross / value } else { 0.0 }),
    })
}

pub(super) fn liquidity(
    context: &Context<'_>,
    standing: &Standing<'_>,
    metric: Metric,
    part: &Part,
) -> Result<Reading> {
    let sizes = standing.sizes(part)?;
    let mut worst: Option<(f64, f64, String)> = None;
    for (coin, delta) in by_coin(&sizes, |size| size.delta) {
        let scale = if metric == Metric::Depth {
            depth_of(context, coin)?
        } else {
            context.profile.participation * volume_of(context, coin)?
        };
        let value = delta.abs() / scale;
        if worst.as_ref().is_none_or(|(known, ..)| value > *known) {
            let name = coin_name(context, coin);
            let words = if metric == Metric::Depth {
                format!(
                    "delta {} of {name} over the {} that the book takes within {} of the mid",
                    shown(delta.abs()),
                    shown(scale),
                    context.profile.depth_move
                )
            } else {
                format!(
                    "delta {} of {name} at {} of the average daily volume, {} a day",
                    shown(delta.abs()),
                    context.profile.participation,
                    shown(scale)
                )
            };
            worst = Some((value, scale, words));
        }
    }
    Ok(match worst {
        Some((value, scale, words)) => Reading { value: Some(value), words, cure: Cure::PerUnit(scale) },
        None => Reading { value: Some(0.0), words: "no position is held".into(), cure: Cure::Reduce },
    })
}

/// Money that one side of the book takes within the profile's move.
pub(super) fn depth_of(context: &Context<'_>, coin: usize) -> Result<f64> {
    let known = context.book.underlyings.get(coin);
    let wide = context.profile.depth_move > 0.015;
    let (found, column) = if wide {
        (known.and_then(|own| own.depth_two), "depth2pct")
    } else {
        (known.and_then(|own| own.depth), "depth1pct")
    };
    found.ok_or_else(|| Error::Missing {
        what: format!("depth of {}", coin_name(context, coin)),
        why: format!("give {column} on the Market sheet"),
        place: Place::default(),
    })
}

/// Money that is traded in a coin in a day.
pub(super) fn volume_of(context: &Context<'_>, coin: usize) -> Result<f64> {
    let known = context.book.underlyings.get(coin);
    let coins = known.and_then(|own| own.average_daily_volume);
    let price = known.and_then(|own| own.price);
    coins.zip(price).map(|(coins, price)| coins * price).ok_or_else(|| Error::Missing {
        what: format!("average daily volume of {}", coin_name(context, coin)),
        why: "give adv on the Market sheet".into(),
        place: Place::default(),
    })
}

/// Simulates the liquidation of a pool under the profile.
///
/// # Errors
///
/// As [`probability`] and [`Context::covariance`].
pub fn simulated(context: &Context<'_>, view: &PoolView<'_>) -> Result<(Probability, Covariance)> {
    let coins = moving_coins(view);
    let covariance = if coins.is_empty() {
        Covariance { coins: Vec::new(), daily: Vec::new(), source: "nothing moves" }
    } else {
        context.covariance(&coins)?
    };
    let (paths, steps) = context.profile.followed(matches!(view.rulebook()?.measure, Measure::Tail(_)));
    let simulation = Simulation {
        horizon_days: context.profile.liquidation_days,
        paths,
        steps,
        seed: context.profile.seed,
        screen: Screen::SafeZone,
        threads: None,
    };
    let found = probability(view, &coins, &covariance.daily, &simulation, context.watch)?;
    Ok((found, covariance))
}

pub(super) fn liquidation_probability(
    context: &Context<'_>,
    standing: &Standing<'_>,
    part: &Part,
) -> Result<Reading> {
    let mut worst: Option<(f64, String)> = None;
    for pool in &part.pools {
        let Some(view) = standing.views.get(*pool) else { continue };
        let (found, covariance) = simulated(context, view)?;
        if worst.as_ref().is_none_or(|(known, _)| found.first_passage > *known) {
            let words = format!(
                "first passage of {} within {} d, standard error {}, {} paths of {} steps, volatilities from {}",
                pool_name(context, *pool),
                context.profile.liquidation_days,
                shown(found.first_error),
                found.paths,
                found.steps,
                covariance.source
            );
            worst = Some((found.first_passage, words));
        }
    }
    let (value, words) = worst.ok_or_else(nothing)?;
    Ok(Reading { value: Some(value), words, cure: Cure::Search })
}

pub(super) fn nearest(
    context: &Context<'_>,
    standing: &Standing<'_>,
    metric: Metric,
    part: &Part,
) -> Result<Reading> {
    let mut least: Option<(f64, String)> = None;
    let mut last = "nothing that is held has a trigger".to_owned();
    for pool in &part.pools {
        let (Some(view), Some(own)) = (standing.views.get(*pool), context.book.pools.get(*pool)) else {
            continue;
        };
        for found in alone_in(view, (*pool, own), Target::Trigger, SEARCH)? {
            let wanted = match part.only {
                Some(Only::Coin(coin)) => found.underlying == coin,
                Some(Only::Instrument(instrument)) => {
                    context.book.instrument_underlying.get(instrument) == Some(&found.underlying)
                }
                None => true,
            };
            if !wanted {
                continue;
            }
            if found.breached_today {
                return Ok(Reading { value: Some(0.0), words: found.status, cure: Cure::Search });
            }
            last.clone_from(&found.status);
            let Some(price) = found.nearest else { continue };
            let distance = match metric {
                Metric::Nearest => (price / found.mark - 1.0).abs(),
                _ => found.sigmas.ok_or_else(|| Error::Missing {
                    what: format!("volatility of {}", coin_name(context, found.underlying)),
                    why: "give dailyVol or annualVol on the Market sheet".into(),
                    place: Place::default(),
                })?,
            };
            if least.as_ref().is_none_or(|(known, _)| distance < *known) {
                let words = format!(
                    "trigger at {} {}, mark {}, that coin alone",
                    coin_name(context, found.underlying),
                    shown(price),
                    shown(found.mark)
                );
                least = Some((distance, words));
            }
        }
    }
    Ok(match least {
        Some((value, words)) => Reading { value: Some(value), words, cure: Cure::Search },
        None => Reading { value: None, words: last, cure: Cure::Search },
    })
}

pub(super) fn leverage_cap(context: &Context<'_>, standing: &Standing<'_>, part: &Part) -> Result<Reading> {
    let mut worst: Option<(f64, String, f64)> = None;
    for found in caps(context, standing, part)? {
        let (Some(cap), Some(binding)) = (found.cap(), found.binding()) else { continue };
        let use_of_cap = found.leverage / cap;
        if worst.as_ref().is_none_or(|(known, ..)| use_of_cap > *known) {
            let words = format!(
                "leverage {} in {} of {} over the cap {}, bound by {}",
                shown(found.leverage),
                found.coin,
                found.pool,
                shown(cap),
                binding.term
            );
            worst = Some((use_of_cap, words, cap * found.equity));
        }
    }
    Ok(match worst {
        Some((value, words, scale)) => Reading { value: Some(value), words, cure: Cure::PerUnit(scale) },
        None => Reading { value: Some(0.0), words: "no position is held".into(), cure: Cure::Reduce },
    })
}
