//! Scenarios drawn from a law, with variances and correlations of the history or of the market table.

use super::Scenarios;
use super::typed::{MarketRisk, TypedMatrix, typed_correlations, typed_volatilities};
use crate::error::{Error, Place, Result};
use crate::history::{Bars, Factor};
use crate::random::{self, Draws, Law, Sampler};
use crate::revaluation::joint::KeptMoves;
use crate::rulebook::tail::{CovarianceRule, Repair, TailLaw, TailRule};
use crate::statistics::{
    Mean, correlation_of, covariance_of as covariance_from, ewma_covariance, factor_root,
    ledoit_wolf_correlation, sample_covariance,
};
use crate::watch::Watch;

/// Moves whose mean-zero covariance starts the weighted one.
const FIRST: usize = 20;

/// Covariance of typed moves over a horizon, row by row in the order of the wanted factors, and what became of the
/// correlations.
///
/// # Errors
///
/// As [`typed_volatilities`] and [`typed_correlations`].
pub(super) fn market_covariance(
    market: &MarketRisk,
    wanted: &[Factor],
    days: f64,
    repair: Repair,
) -> Result<(Vec<f64>, TypedMatrix)> {
    let volatilities = typed_volatilities(market, wanted, days)?;
    let coins: Vec<&str> = wanted.iter().map(|factor| factor.coin.as_str()).collect();
    let typed = typed_correlations(market, &coins, repair)?;
    Ok((covariance_from(&volatilities, &typed.used)?, typed))
}

/// Covariance of one-bar moves as known at `end`, times the bars of the horizon.
pub(super) fn covariance(rule: &TailRule, bars: &Bars, end: usize, days: f64) -> Result<Vec<f64>> {
    let known = window(rule, bars, end)?;
    let count = known.first().map_or(0, Vec::len);
    let entry = |bar: usize| known.iter().map(move |own| own.get(bar).copied().unwrap_or(f64::NAN));
    let returns: Vec<f64> = (0..count).flat_map(entry).collect();
    let factors = bars.factors.len();
    let one_bar = covariance_of(&returns, factors, rule.simulation.covariance, rule.history.decay)?;
    Ok(one_bar.iter().map(|value| value * days / bars.step_days).collect())
}

/// The moves of the rule's window as known at `end`, factor by factor, the oldest first.
///
/// # Errors
///
/// [`Error::Missing`] where fewer are known.
pub(super) fn window(rule: &TailRule, bars: &Bars, end: usize) -> Result<Vec<Vec<f64>>> {
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
    let own =
        |moves: &Vec<f64>| rows.iter().map(|bar| moves.get(*bar).copied().unwrap_or(f64::NAN)).collect();
    Ok(bars.moves.iter().map(own).collect())
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

/// Draws scenarios of a covariance of moves over so many days.
///
/// # Errors
///
/// As [`factor_root`] for a covariance that is none.
pub fn draw(rule: &TailRule, covariance: &[f64], factors: usize, days: f64) -> Result<Scenarios> {
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
        kept: KeptMoves::default(),
    })
}
