//! Scenario sets of a tail: moves of all risk factors together, from a history or drawn from a law.
//!
//! A set is made of one rulebook's rule and whatever is known about the factors; positions have no part in it, so
//! every account under the rulebook shares it. Moves are logarithms of ratios, for a basis differences.

mod aged;
mod copula;
mod historical;
mod mapping;
mod simulated;
mod typed;

use crate::error::{Error, Place, Result};
use crate::finding::{Finding, Severity};
use crate::history::{Bars, Factor, FactorKind, Filled, History};
use crate::revaluation::joint::KeptMoves;
use crate::rulebook::tail::{Aggregation, CovarianceRule, TailRule, TailScenarios};

pub use mapping::{Mapping, between};
pub use simulated::{covariance_of, draw};
pub use typed::{MarketRisk, TypedMatrix, typed_correlations, typed_volatilities};

/// One set of scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    /// Days that each scenario spans.
    pub horizon_days: f64,
    /// Probabilities, summing to 1; `None` where all are alike.
    pub probabilities: Option<Vec<f64>>,
    /// The instant at which each scenario ends, seconds since 1970; empty where none happened.
    pub ends: Vec<f64>,
    /// Factor by factor, scenario by scenario.
    pub moves: Vec<Vec<f64>>,
    /// How many scenarios there are.
    pub count: usize,
    /// What was found out about the moves, once they stay as they are.
    pub kept: KeptMoves,
}

/// The scenarios of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelMoves {
    /// Those that the tail is read off.
    pub main: Scenarios,
    /// Those that bound it from below.
    pub floor: Option<Scenarios>,
}

/// Every scenario set of a rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Moves {
    /// The factors that move.
    pub factors: Vec<Factor>,
    /// Maintenance first; a second one where the initial level has a horizon of its own.
    pub levels: Vec<LevelMoves>,
    /// Stress scenarios, alike for all levels.
    pub stress: Option<Scenarios>,
    /// Days between bars; 1 where there is no history.
    pub step_days: f64,
    /// Series that another one stands in for.
    pub filled: Vec<Filled>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

impl Moves {
    /// Index of a factor.
    pub fn index_of(&self, factor: &Factor) -> Option<usize> {
        index_in(&self.factors, factor)
    }

    /// The maturities at which a coin's volatility (or basis) moves, rising, with their factors.
    pub fn maturities(&self, coin: &str, volatility: bool) -> Vec<(f64, usize)> {
        maturities_in(&self.factors, coin, volatility)
    }
}

fn index_in(factors: &[Factor], factor: &Factor) -> Option<usize> {
    factors.iter().position(|known| known == factor)
}

fn maturities_in(factors: &[Factor], coin: &str, volatility: bool) -> Vec<(f64, usize)> {
    let days = |factor: &Factor| match factor.kind {
        FactorKind::Volatility { days } if volatility => Some(days),
        FactorKind::Basis { days } if !volatility => Some(days),
        _ => None,
    };
    let own = factors.iter().enumerate().filter(|(_, factor)| factor.coin == coin);
    let mut found: Vec<(f64, usize)> = own.filter_map(|(place, f)| Some((days(f)?, place))).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// What is known about risk factors.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// A history, where one is given.
    pub history: Option<&'a History>,
    /// Volatilities and correlations of the market table.
    pub market: &'a MarketRisk,
}

/// The scenario sets of a rule for the factors wanted, as they are at the end of the history.
///
/// # Errors
///
/// [`Error::Missing`] for a history, a series, a volatility or a correlation that is not given, and for too few
/// moves; [`Error::OutOfRange`] for correlations that no coins can have.
pub fn moves(rule: &TailRule, known: Known<'_>, wanted: &[Factor]) -> Result<Moves> {
    if rule.scenarios == TailScenarios::Simulated && rule.simulation.covariance == CovarianceRule::Market {
        let mut levels = Vec::new();
        let mut findings = Vec::new();
        for days in rule.horizons() {
            let repair = rule.simulation.repair;
            let (covariance, typed) = simulated::market_covariance(known.market, wanted, days, repair)?;
            if findings.is_empty() {
                findings.extend(typed.finding());
            }
            levels.push(LevelMoves {
                main: simulated::draw(rule, &covariance, wanted.len(), days)?,
                floor: None,
            });
        }
        return Ok(Moves {
            factors: wanted.to_vec(),
            levels,
            stress: stress(rule, wanted),
            step_days: 1.0,
            filled: Vec::new(),
            findings,
        });
    }
    let history = known.history.ok_or_else(|| missing_history(rule))?;
    let bars = Bars::new(&rule.history, history, wanted)?;
    at(rule, &bars, bars.count())
}

/// Covariance of price moves over some days, row by row in the order of the coins: by the rule's simulation from
/// the history, or from volatilities and correlations of the market table where the rule says `market`.
///
/// # Errors
///
/// [`Error::Missing`] for a history, a series, a volatility or a correlation that is not given;
/// [`Error::OutOfRange`] for correlations that no coins can have.
pub fn price_covariance(rule: &TailRule, known: Known<'_>, coins: &[&str], days: f64) -> Result<Vec<f64>> {
    let wanted: Vec<Factor> = coins.iter().map(|coin| Factor::price(coin)).collect();
    if rule.simulation.covariance == CovarianceRule::Market {
        return Ok(simulated::market_covariance(known.market, &wanted, days, rule.simulation.repair)?.0);
    }
    let history = known.history.ok_or_else(|| missing_history(rule))?;
    let bars = Bars::new(&rule.history, history, &wanted)?;
    // the bars may name the factors in another order
    let found = simulated::covariance(rule, &bars, bars.count(), days)?;
    let size = bars.factors.len();
    let place = |coin: &Factor| {
        bars.factors.iter().position(|known| known == coin).ok_or_else(|| Error::Missing {
            what: coin.to_string(),
            why: "the history has no series of it".into(),
            place: Place::default(),
        })
    };
    let places: Result<Vec<usize>> = wanted.iter().map(place).collect();
    let places = places?;
    let entry = |row: usize, column: usize| found.get(row * size + column).copied().unwrap_or(f64::NAN);
    Ok(places
        .iter()
        .flat_map(|row| places.iter().map(move |column| (*row, *column)))
        .map(|(r, c)| entry(r, c))
        .collect())
}

fn missing_history(rule: &TailRule) -> Error {
    Error::Missing {
        what: "history".into(),
        why: format!(
            "{} scenarios are made of one: make its key with CM_HISTORY and give it in the options of CM_BOOK as history",
            rule.scenarios.word()
        ),
        place: Place::default(),
    }
}

/// The scenario sets of a rule as they were when `end` bars were known: bars from `end` on have no part in them.
///
/// # Errors
///
/// [`Error::Missing`] where fewer moves are known than the rule needs.
pub fn at(rule: &TailRule, bars: &Bars, end: usize) -> Result<Moves> {
    let mut levels = Vec::new();
    for days in rule.horizons() {
        let main = match rule.scenarios {
            TailScenarios::Simulated => {
                let covariance = simulated::covariance(rule, bars, end, days)?;
                let mut set = simulated::draw(rule, &covariance, bars.factors.len(), days)?;
                if rule.simulation.shaped {
                    let known = simulated::window(rule, bars, end)?;
                    copula::shaped(&mut set, rule.simulation.law, &covariance, &known)?;
                }
                set
            }
            TailScenarios::Historical => historical::plain(rule, bars, end, days, rule.history.window)?,
            TailScenarios::Filtered => historical::filtered(rule, bars, end, days)?,
            TailScenarios::AgeWeighted => {
                let mut set = historical::plain(rule, bars, end, days, rule.history.window)?;
                set.probabilities = Some(aged::probabilities(set.count, rule.history.age_decay));
                set
            }
        };
        let floor = match rule.floor_window {
            Some(window) => Some(historical::plain(rule, bars, end, days, window)?),
            None => None,
        };
        levels.push(LevelMoves { main, floor });
    }
    Ok(Moves {
        factors: bars.factors.clone(),
        levels,
        stress: stress(rule, &bars.factors),
        step_days: bars.step_days,
        findings: findings(rule, bars, end),
        filled: bars.filled.clone(),
    })
}

/// Every coin by each price move, every volatility by each volatility move; stable currencies and bases stay.
fn stress(rule: &TailRule, factors: &[Factor]) -> Option<Scenarios> {
    let rule = rule.stress.as_ref()?;
    let pairs: Vec<(f64, f64)> = rule
        .price_moves
        .iter()
        .flat_map(|price| rule.volatility_moves.iter().map(move |volatility| (*price, *volatility)))
        .collect();
    let own = |factor: &Factor| -> Vec<f64> {
        let size = |(price, volatility): &(f64, f64)| match factor.kind {
            FactorKind::Price if crate::currency::is_stable(&factor.coin) => 0.0,
            FactorKind::Price => price.ln_1p(),
            FactorKind::Volatility { .. } => volatility.ln_1p(),
            FactorKind::Basis { .. } => 0.0,
        };
        pairs.iter().map(size).collect()
    };
    Some(Scenarios {
        horizon_days: 0.0,
        probabilities: None,
        ends: Vec::new(),
        moves: factors.iter().map(own).collect(),
        count: pairs.len(),
        kept: KeptMoves::default(),
    })
}

fn findings(rule: &TailRule, bars: &Bars, end: usize) -> Vec<Finding> {
    let finding = |severity, column: String, code, message: String, fix: &str| Finding {
        severity,
        sheet: "History",
        row: None,
        column,
        value: String::new(),
        code,
        message,
        fix: fix.to_owned(),
    };
    let mut found: Vec<Finding> = bars
        .filled
        .iter()
        .map(|filled| {
            let message = format!(
                "{} moves of {} are made of its beta {:.3} to the proxy and a residual of its own; beta over {} moves that both have",
                filled.count, filled.factor, filled.beta, filled.overlap
            );
            let fix = "the tail of a proxied series is an estimate";
            finding(Severity::Warning, filled.factor.to_string(), "proxied", message, fix)
        })
        .collect();
    let left_out = bars.usable.iter().take(end).filter(|usable| !**usable).count();
    if left_out > 0 {
        let message = format!("{left_out} of {end} bars are left out: a factor has no move there");
        found.push(finding(
            Severity::Warning,
            String::new(),
            "bars_left_out",
            message,
            "complete the history",
        ));
    }
    for days in rule.horizons() {
        let bars_of_horizon = days / bars.step_days;
        let scaled = rule.history.aggregation == Aggregation::SquareRoot || bars_of_horizon < 1.0;
        if scaled && (bars_of_horizon - 1.0).abs() > 1e-9 && rule.scenarios != TailScenarios::Simulated {
            let message = format!(
                "moves of {} d are scaled to {days} d by the square root of time, which holds for independent moves alone",
                bars.step_days
            );
            found.push(finding(Severity::Info, String::new(), "square_root_of_time", message, ""));
        }
    }
    found
}
