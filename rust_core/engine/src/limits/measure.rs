//! What a metric of a part of a book is, where it comes from, and what would bring it to a bound.

use super::context::Context;
use super::market::{leverage_cap, liquidation_probability, liquidity, nearest, volatility};
use super::metric::Metric;
use super::standing::{Part, Size, Standing, by_coin};
use crate::book::Position;
use crate::error::{Error, Place, Result};
use crate::liquidation::price::shown;
use crate::margin::PoolView;
use crate::margin::tail::measured_under;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
/// What would bring a metric to a bound.
#[derive(Debug, Clone, PartialEq)]
pub enum Cure {
    /// Reduce what it measures, money for money.
    Reduce,
    /// Deposit the difference.
    Deposit,
    /// Reduce a notional that is divided by an equity.
    OverEquity {
        /// The notional.
        notional: f64,
        /// The equity.
        equity: f64,
    },
    /// Deposit until the requirement is a share of the equity.
    Requirement {
        /// The requirement with its trigger.
        needed: f64,
        /// The equity.
        equity: f64,
    },
    /// Reduce the largest part of a whole.
    Shares(Vec<f64>),
    /// Reduce, at so much money per unit of the metric.
    PerUnit(f64),
    /// Deposit, found by measuring again.
    Search,
}

/// A metric, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value; `None` where nothing triggers, which no limit minds.
    pub value: Option<f64>,
    /// What it is made of, in words.
    pub words: String,
    /// What would change it.
    pub cure: Cure,
}

/// Measures a metric of a part of a book.
///
/// # Errors
///
/// [`Error::NotCovered`] for an account's metric of a coin; [`Error::NoAnswer`] for a ratio without a meaning;
/// [`Error::Missing`] for a price, a volatility, a depth or a history.
pub fn measure(
    context: &Context<'_>,
    standing: &Standing<'_>,
    metric: Metric,
    part: &Part,
) -> Result<Reading> {
    context.watch.check()?;
    if part.only.is_some() && metric.is_of_account() {
        return Err(Error::NotCovered {
            what: format!("{} of '{}'", metric.word(), part.name),
            why: "it belongs to an account, not to a coin or a symbol".into(),
            place: Place::default(),
        });
    }
    match metric {
        Metric::Leverage => leverage(standing, part),
        Metric::Usage => usage(context, standing, part),
        Metric::Excess | Metric::InitialExcess => excess(standing, metric, part),
        Metric::InitialMargin | Metric::MaintenanceMargin => margin(standing, metric, part),
        Metric::Gross | Metric::Net | Metric::Delta => exposure(standing, metric, part),
        Metric::Concentration | Metric::Herfindahl => concentration(context, standing, metric, part),
        Metric::ExpectedShortfall | Metric::ValueAtRisk => tail(context, standing, metric, part),
        Metric::Volatility => volatility(context, standing, part),
        Metric::Depth | Metric::DaysToLiquidate => liquidity(context, standing, metric, part),
        Metric::LiquidationProbability => liquidation_probability(context, standing, part),
        Metric::Nearest | Metric::NearestSigmas => nearest(context, standing, metric, part),
        Metric::LeverageCap => leverage_cap(context, standing, part),
    }
}

fn leverage(standing: &Standing<'_>, part: &Part) -> Result<Reading> {
    let gross = sum(standing.sizes(part)?.iter().map(|size| size.gross));
    let equity = standing.positive_equity(part, Metric::Leverage)?;
    Ok(Reading {
        value: Some(gross / equity),
        words: format!("gross notional {} over adjusted equity {}", shown(gross), shown(equity)),
        cure: Cure::OverEquity { notional: gross, equity },
    })
}

/// The pool of a part with the largest usage; one without a number comes first.
fn usage(context: &Context<'_>, standing: &Standing<'_>, part: &Part) -> Result<Reading> {
    let mut worst: Option<(f64, usize)> = None;
    for pool in &part.pools {
        let state = standing.state(*pool)?;
        let Some(own) = state.usage else {
            return Err(Error::NoAnswer {
                why: format!(
                    "usage is defined for an equity above zero only, that of {} is {:.2}: the account is {}",
                    pool_name(context, *pool),
                    state.equity.maintenance,
                    state.status.word()
                ),
            });
        };
        if worst.is_none_or(|(known, _)| own > known) {
            worst = Some((own, *pool));
        }
    }
    let (value, pool) = worst.ok_or_else(nothing)?;
    let state = standing.state(pool)?;
    let needed = state.equity.maintenance - state.excess;
    Ok(Reading {
        value: Some(value),
        words: format!(
            "maintenance margin with its trigger {} over adjusted equity {} of {}",
            shown(needed),
            shown(state.equity.maintenance),
            pool_name(context, pool)
        ),
        cure: Cure::Requirement { needed, equity: state.equity.maintenance },
    })
}

fn excess(standing: &Standing<'_>, metric: Metric, part: &Part) -> Result<Reading> {
    let mut least: Option<f64> = None;
    for pool in &part.pools {
        let state = standing.state(*pool)?;
        let own = match metric {
            Metric::Excess => Some(state.excess),
            _ => match (&state.requirement.initial_missing, state.excess_initial) {
                (Some(why), _) => return Err(initial_missing(why)),
                (None, own) => own, // isolated positions have no such level
            },
        };
        if let Some(own) = own {
            least = Some(least.map_or(own, |known: f64| known.min(own)));
        }
    }
    let level = if metric == Metric::Excess { "maintenance" } else { "initial" };
    Ok(Reading {
        value: Some(least.ok_or_else(nothing)?),
        words: format!("adjusted equity less {level} margin, the smallest of {} pools", part.pools.len()),
        cure: Cure::Deposit,
    })
}

fn initial_missing(why: &str) -> Error {
    Error::Missing { what: "initial margin".into(), why: why.to_owned(), place: Place::default() }
}

fn margin(standing: &Standing<'_>, metric: Metric, part: &Part) -> Result<Reading> {
    let initial = metric == Metric::InitialMargin;
    let mut parts = Vec::new();
    for pool in &part.pools {
        let requirement = &standing.state(*pool)?.requirement;
        let why = || requirement.initial_missing.clone().unwrap_or_default();
        let Some(only) = part.only else {
            parts.push(match requirement.initial {
                Some(own) if initial => own,
                None if initial => return Err(initial_missing(&why())),
                _ => requirement.maintenance,
            });
            continue;
        };
        let Some(view) = standing.views.get(*pool) else { continue };
        for (position, own) in view.positions.iter().zip(&requirement.by_position) {
            if only.holds(view.book, position) {
                parts.push(match own.initial {
                    Some(own) if initial => own,
                    None if initial => return Err(initial_missing(&why())),
                    _ => own.maintenance,
                });
            }
        }
    }
    let level = if initial { "initial" } else { "maintenance" };
    Ok(Reading {
        value: Some(sum(parts)),
        words: format!("{level} margin under the account's own rulebook"),
        cure: Cure::Reduce,
    })
}

fn exposure(standing: &Standing<'_>, metric: Metric, part: &Part) -> Result<Reading> {
    let sizes = standing.sizes(part)?;
    let total = |of: fn(&Size) -> f64| sum(sizes.iter().map(of));
    let (value, words) = match metric {
        Metric::Gross => (total(|size| size.gross), "unsigned notionals of the positions at their marks"),
        Metric::Net => (total(|size| size.net).abs(), "signed notionals of the positions at their marks"),
        _ => (total(|size| size.delta).abs(), "delta of the positions at today's prices, in money"),
    };
    Ok(Reading { value: Some(value), words: words.into(), cure: Cure::Reduce })
}

fn concentration(
    context: &Context<'_>,
    standing: &Standing<'_>,
    metric: Metric,
    part: &Part,
) -> Result<Reading> {
    let whole = Part { only: None, ..part.clone() };
    let sizes = standing.sizes(&whole)?;
    let parts = by_coin(&sizes, |size| size.gross);
    let gross = sum(parts.iter().map(|(_, own)| *own));
    if gross == 0.0 {
        return Ok(Reading { value: Some(0.0), words: "no position is held".into(), cure: Cure::Reduce });
    }
    let largest = parts.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let (coin, notional) = match part.only {
        Some(_) => {
            let own = standing.sizes(part)?;
            (own.first().map_or(0, |size| size.coin), sum(own.iter().map(|size| size.gross)))
        }
        None => largest.unwrap_or((0, 0.0)),
    };
    let name = coin_name(context, coin);
    if metric == Metric::Herfindahl {
        let value = sum(parts.iter().map(|(_, own)| (own / gross) * (own / gross)));
        return Ok(Reading {
            value: Some(value),
            words: format!(
                "squared shares of {} underlyings in gross notional {}, {name} being the largest",
                parts.len(),
                shown(gross)
            ),
            cure: Cure::Shares(parts.into_iter().map(|(_, own)| own).collect()),
        });
    }
    let others = vec![notional, gross - notional];
    Ok(Reading {
        value: Some(notional / gross),
        words: format!("{name} has {} of gross notional {}", shown(notional), shown(gross)),
        cure: Cure::Shares(others),
    })
}

fn tail(context: &Context<'_>, standing: &Standing<'_>, metric: Metric, part: &Part) -> Result<Reading> {
    let today = MarketState::today(context.book);
    let mut parts = Vec::new();
    let mut words = String::new();
    for pool in &part.pools {
        let Some(view) = standing.views.get(*pool) else { continue };
        let rulebook = context.book.accounts.get(view.account).map_or(0, |account| account.rulebook);
        let made = context.tail(rulebook)?;
        let held: Vec<Position>;
        let view = match part.only {
            None => *view,
            Some(only) => {
                let kept = view.positions.iter().filter(|own| only.holds(context.book, own));
                held = kept.cloned().collect();
                PoolView { positions: &held, balances: &[], orders: &[], ..*view }
            }
        };
        if view.positions.is_empty() && view.balances.is_empty() {
            continue;
        }
        let found = measured_under(&view, &today, &made.rule, (&made.sets.0, &made.sets.1))?;
        parts.push(match metric {
            Metric::ValueAtRisk => found.tail.value_at_risk,
            _ => found.tail.expected_shortfall,
        });
        words.clone_from(&made.words);
    }
    if parts.len() > 1 {
        words = format!("{words}; the sum of {} pools, which do not help one another", parts.len());
    }
    let name = if metric == Metric::ValueAtRisk { "value at risk" } else { "expected shortfall" };
    Ok(Reading { value: Some(sum(parts)), words: format!("{name}, {words}"), cure: Cure::Reduce })
}

pub(super) fn nothing() -> Error {
    Error::NoAnswer { why: "the scope holds nothing".into() }
}

/// What a coin is called.
pub(super) fn coin_name(context: &Context<'_>, coin: usize) -> String {
    context.book.underlyings.get(coin).map_or("?", |known| known.name.as_str()).to_owned()
}

/// What a pool is called.
pub(super) fn pool_name(context: &Context<'_>, pool: usize) -> String {
    context.book.pools.get(pool).map_or_else(String::new, |pool| context.book.pool_name(pool))
}
