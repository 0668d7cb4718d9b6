//! The probability of liquidation as a table, one row per pool.

use super::evaluated::check_complete;
use super::limits::parts;
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::limits::context::Context;
use crate::limits::market::simulated;
use crate::limits::metric::Metric;
use crate::limits::profile::Profile;
use crate::margin::PoolView;
use crate::statistics::sizing::barrier_probability;
use crate::watch::Watch;

/// The header of `CM_LIQPROB`.
pub const HEADER: [&str; 12] = [
    "scope",
    "horizon_days",
    "probability",
    "standard_error",
    "terminal",
    "terminal_error",
    "closed_form",
    "paths",
    "steps",
    "evaluations",
    "source",
    "method",
];

/// Probability that each pool is liquidated within the profile's days, at any time and at their end.
///
/// `closed_form` is the barrier formula where one coin moves the pool and one price liquidates it.
///
/// # Errors
///
/// [`Error::Missing`] for a volatility or a correlation that nobody gives; [`Error::NotCovered`] for a coin as
/// scope; [`Error::NoAnswer`] if stopped.
pub fn table(book: &Book, scope: &str, profile: &Profile, watch: &Watch) -> Result<Answer> {
    check_complete(book)?;
    let context = Context::new(book, profile, watch);
    let mut answer = Answer::new(&HEADER);
    for part in parts(book, scope, Metric::LiquidationProbability)? {
        if part.only.is_some() {
            return Err(Error::NotCovered {
                what: format!("a probability of liquidation of '{}'", part.name),
                why: "it belongs to an account, not to a coin or a symbol".into(),
                place: Place::default(),
            });
        }
        for pool in part.pools.iter().filter_map(|pool| book.pools.get(*pool)) {
            let view = PoolView::of(book, pool);
            let (found, covariance) = simulated(&context, &view)?;
            let years = profile.liquidation_days / 365.0;
            let yearly = covariance.volatility(0) * 365.0_f64.sqrt();
            let closed = match found.barriers {
                _ if found.first_passage >= 1.0 => None,
                Some((Some(below), None)) => Some(barrier_probability(below, true, yearly, years, 0.0)?),
                Some((None, Some(above))) => Some(barrier_probability(above, false, yearly, years, 0.0)?),
                Some((None, None)) => Some(0.0),
                _ => None,
            };
            answer.rows.push(vec![
                book.pool_name(pool).into(),
                profile.liquidation_days.into(),
                found.first_passage.into(),
                found.first_error.into(),
                found.terminal.into(),
                found.terminal_error.into(),
                closed.map_or_else(|| Value::from(""), Value::from),
                found.paths.into(),
                found.steps.into(),
                found.evaluations.into(),
                covariance.source.into(),
                found.method.into(),
            ]);
        }
    }
    answer.note =
        "geometric Brownian motion without jumps or clusters of volatility: take it as optimistic".into();
    Ok(answer)
}
