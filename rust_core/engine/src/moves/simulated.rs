//! Scenarios drawn from a law, with variances and correlations of the history or of the market table.

use super::Scenarios;
use crate::error::{Error, Place, Result};
use crate::history::{Bars, Factor, FactorKind};
use crate::random::{self, Draws, Law, Sampler};
use crate::rulebook::tail::{CovarianceRule, TailLaw, TailRule};
use crate::statistics::{
    Mean, check_correlation, correlation_of, covariance_of as covariance_from, ewma_covariance, factor_root,
    ledoit_wolf_correlation, sample_covariance, smallest_eigenvalue,
};
use crate::watch::Watch;

/// Moves whose mean-zero covariance starts the weighted one.
const FIRST: usize = 20;
/// An eigenvalue below this is no rounding.
const NEGATIVE: f64 = -1e-8;

/// What the market table says about how coins move.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MarketRisk {
    /// Coins with the volatility of one day, a fraction.
    pub volatilities: Vec<(String, f64)>,
    /// Pairs of coins with the correlation of their moves, each as given.
    pub correlations: Vec<(String, String, f64)>,
}

/// Covariance of moves over a horizon, row by row in the order of the wanted factors.
///
/// # Errors
///
/// [`Error::Missing`] names the volatility or the pair that is not given; [`Error::OutOfRange`] for correlations
/// that are not symmetric or that no coins can have; [`Error::NotCovered`] for a factor that is no price.
pub(super) fn market_covariance(market: &MarketRisk, wanted: &[Factor], days: f64) -> Result<Vec<f64>> {
    let mut volatilities = Vec::with_capacity(wanted.len());
    for factor in wanted {
        if factor.kind != FactorKind::Price {
            return Err(Error::NotCovered {
                what: factor.to_string(),
                why: "the market table says how prices move, not how volatilities do; give a history, or set tail.option_volatility = unmoved".into(),
                place: Place::default(),
            });
        }
        let known = market.volatilities.iter().find(|(coin, _)| *coin == factor.coin);
        let (_, daily) = known.ok_or_else(|| Error::Missing {
            what: format!("volatility of {}", factor.coin),
            why: "give dailyVol or annualVol on the Market sheet".into(),
            place: Place::default(),
        })?;
        volatilities.push(daily * days.sqrt());
    }
    let size = wanted.len();
    let mut matrix = vec![1.0; size * size];
    for (row, first) in wanted.iter().enumerate() {
        for (column, second) in wanted.iter().enumerate().filter(|(column, _)| *column != row) {
            let value = pair(market, &first.coin, &second.coin)?;
            if let Some(slot) = matrix.get_mut(row * size + column) {
                *slot = value;
            }
        }
    }
    check_correlation(&matrix, size)?;
    let least = smallest_eigenvalue(&matrix, size)?;
    if least < NEGATIVE {
        return Err(Error::OutOfRange {
            name: "smallest eigenvalue of the correlations".into(),
            value: least,
            must_be: "zero or above: no coins can have these correlations; CM_CORREL shows the nearest ones that can be",
            place: Place::default(),
        });
    }
    covariance_from(&volatilities, &matrix)
}

/// The correlation of two coins, given on either side of the diagonal.
fn pair(market: &MarketRisk, first: &str, second: &str) -> Result<f64> {
    let given = |a: &str, b: &str| {
        market.correlations.iter().find(|(x, y, _)| x == a && y == b).map(|(_, _, value)| *value)
    };
    match (given(first, second), given(second, first)) {
        (Some(one), Some(other)) if one.total_cmp(&other).is_ne() => Err(Error::OutOfRange {
            name: format!("correlation of {first} and {second}"),
            value: one,
            must_be: "the same on both sides of the diagonal",
            place: Place::label(format!("the other side says {other}")),
        }),
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => Err(Error::Missing {
            what: format!("correlation of {first} and {second}"),
            why: format!("give it on the Market sheet in a column 'corr {second}'"),
            place: Place::default(),
        }),
    }
}

/// Covariance of one-bar moves as known at `end`, times the bars of the horizon.
pub(super) fn covariance(rule: &TailRule, bars: &Bars, end: usize, days: f64) -> Result<Vec<f64>> {
    let factors = bars.factors.len();
    let mut rows: Vec<usize> = (0..end).rev().filter(|bar| bars.usable.get(*bar) == Some(&true)).collect();
    rows.truncate(rule.history.window);
    rows.reverse();
    let needed = rule.history.window;
    if rows.len() < needed {
        return Err(Error::Missing {
            what: "history".into(),
            why: format!("{} of {needed} moves that the rulebook counts are known", rows.len()),
            place: Place::default(),
        });
    }
    let returns: Vec<f64> = rows
        .iter()
        .flat_map(|bar| {
            (0..factors).map(|factor| {
                bars.moves.get(factor).and_then(|own| own.get(*bar)).copied().unwrap_or(f64::NAN)
            })
        })
        .collect();
    let one_bar = covariance_of(&returns, factors, rule.simulation.covariance, rule.history.decay)?;
    Ok(one_bar.iter().map(|value| value * days / bars.step_days).collect())
}

/// Covariance of rows of moves, the oldest first, by a rule.
///
/// # Errors
///
/// [`Error::NoAnswer`] for a factor that never moves, as the statistics say it.
pub fn covariance_of(returns: &[f64], factors: usize, rule: CovarianceRule, decay: f64) -> Result<Vec<f64>> {
    match rule {
        CovarianceRule::Sample => sample_covariance(returns, factors, Mean::Zero),
        CovarianceRule::LedoitWolf => {
            let (volatilities, _) =
                correlation_of(&sample_covariance(returns, factors, Mean::Zero)?, factors)?;
            covariance_from(&volatilities, &ledoit_wolf_correlation(returns, factors)?.covariance)
        }
        CovarianceRule::Ewma | CovarianceRule::Market => ewma_covariance(returns, factors, decay, FIRST),
    }
}

/// Draws the scenarios of a level.
pub(super) fn draw(rule: &TailRule, covariance: &[f64], factors: usize, days: f64) -> Result<Scenarios> {
    let simulation = &rule.simulation;
    let draws = Draws {
        paths: simulation.paths,
        seed: simulation.seed,
        law: match simulation.law {
            TailLaw::Normal => Law::Normal,
            TailLaw::StudentT { degrees_of_freedom } => Law::StudentT { degrees_of_freedom },
        },
        sampler: if simulation.sobol { Sampler::Sobol } else { Sampler::Plain },
        antithetic: false,
    };
    let root = factor_root(covariance, factors)?;
    let flat = random::factor_moves(&draws, &root, factors, None, &Watch::new())?;
    let moves = flat.chunks(simulation.paths).map(<[f64]>::to_vec).collect();
    Ok(Scenarios {
        horizon_days: days,
        probabilities: None,
        ends: Vec::new(),
        moves,
        count: simulation.paths,
    })
}
