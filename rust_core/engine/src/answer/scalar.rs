//! Single numbers of a scope: equity, margins, ratio, excess.

use super::evaluated::{Evaluated, check_complete, decisive, initial_excess};
use super::scope::{Scope, report_currency, resolve};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::margin::{PoolState, PositionMargin};
use crate::numeric::accumulate::sum;
use crate::rulebook::VenueRatio;

/// Sums a number over pools or positions, whichever the scope names.
fn total(
    book: &Book,
    evaluated: &Evaluated,
    scope: &str,
    of_pool: impl Fn(&PoolState) -> Result<f64>,
    of_position: impl Fn(&PositionMargin) -> Result<f64>,
) -> Result<f64> {
    check_complete(book)?;
    match resolve(book, scope)? {
        Scope::Pools(pools) => {
            report_currency(book, &pools)?;
            let parts: Result<Vec<f64>> =
                pools.iter().map(|index| evaluated.pool(*index).and_then(&of_pool)).collect();
            Ok(sum(parts?))
        }
        Scope::Positions(positions) => {
            let pools: Vec<usize> = positions.iter().map(|(pool, _)| *pool).collect();
            report_currency(book, &pools)?;
            let parts: Result<Vec<f64>> = positions
                .iter()
                .map(|(pool, place)| {
                    let state = evaluated.pool(*pool)?;
                    of_position(&state.requirement.by_position.get(*place).copied().unwrap_or_default())
                })
                .collect();
            Ok(sum(parts?))
        }
    }
}

/// Maintenance margin, reporting currency.
///
/// # Errors
///
/// An unknown scope, or whatever evaluating a pool met.
pub fn maintenance_margin(book: &Book, evaluated: &Evaluated, scope: &str) -> Result<f64> {
    total(
        book,
        evaluated,
        scope,
        |pool| Ok(pool.requirement.maintenance),
        |position| Ok(position.maintenance),
    )
}

/// Initial margin with open orders, reporting currency.
///
/// # Errors
///
/// As [`maintenance_margin`]; [`Error::Missing`] where a position has neither leverage nor rate.
pub fn initial_margin(book: &Book, evaluated: &Evaluated, scope: &str) -> Result<f64> {
    let missing =
        |why: String| Error::Missing { what: "initial margin".into(), why, place: Place::default() };
    total(
        book,
        evaluated,
        scope,
        |pool| {
            let reason = pool.requirement.initial_missing.clone().unwrap_or_default();
            pool.requirement.initial.ok_or_else(|| missing(reason))
        },
        |position| {
            position.initial.ok_or_else(|| {
                missing("the position has neither a leverage nor an initial margin rate".into())
            })
        },
    )
}

/// The pools of a scope that must name pools.
fn pools_of(book: &Book, scope: &str, what: &str) -> Result<Vec<usize>> {
    check_complete(book)?;
    match resolve(book, scope)? {
        Scope::Pools(pools) => Ok(pools),
        Scope::Positions(_) => Err(Error::NotCovered {
            what: format!("{what} of '{scope}'"),
            why: "it belongs to an account, not to a coin or a symbol".into(),
            place: Place::default(),
        }),
    }
}

/// Equity on a basis: `adjusted`, `gross` or `haircut_loss` (gross less adjusted).
///
/// # Errors
///
/// As [`maintenance_margin`]; [`Error::Unknown`] for another basis.
pub fn equity(book: &Book, evaluated: &Evaluated, basis: &str, scope: &str) -> Result<f64> {
    let pools = pools_of(book, scope, "equity")?;
    report_currency(book, &pools)?;
    let mut parts = Vec::with_capacity(pools.len());
    for index in pools {
        let equity = evaluated.pool(index)?.equity;
        parts.push(match basis {
            "adjusted" => equity.maintenance,
            "gross" => equity.gross,
            "haircut_loss" => equity.gross - equity.maintenance,
            _ => {
                return Err(Error::Unknown {
                    what: "basis",
                    value: basis.to_owned(),
                    known: "adjusted, gross, haircut_loss".into(),
                });
            }
        });
    }
    Ok(sum(parts))
}

/// The states of a scope that must name pools.
fn states_of<'a>(
    book: &Book,
    evaluated: &'a Evaluated,
    scope: &str,
    what: &str,
) -> Result<Vec<(usize, &'a PoolState)>> {
    let pools = pools_of(book, scope, what)?;
    report_currency(book, &pools)?;
    pools.iter().map(|index| evaluated.pool(*index).map(|state| (*index, state))).collect()
}

fn decisive_of<'a>(states: &[(usize, &'a PoolState)]) -> Result<(usize, &'a PoolState)> {
    decisive(states).ok_or_else(|| Error::NoAnswer { why: "the scope holds nothing".into() })
}

/// Ratio in a style: `usage` (rises to 1), `safety` (1 / usage), `venue` (the venue's own figure).
/// Of several pools the one that decides counts.
///
/// # Errors
///
/// [`Error::NoAnswer`] where the ratio is not defined, with the reason.
pub fn ratio(book: &Book, evaluated: &Evaluated, style: &str, scope: &str) -> Result<f64> {
    let (pool, state) = decisive_of(&states_of(book, evaluated, scope, "a ratio")?)?;
    let usage = state.usage.ok_or_else(|| Error::NoAnswer {
        why: format!(
            "usage is defined for an equity above zero only, it is {:.2}; the account is {}",
            state.equity.maintenance,
            state.status.word()
        ),
    })?;
    let nothing = || Error::NoAnswer { why: "nothing is required, so the ratio has no finite value".into() };
    match style {
        "usage" => Ok(usage),
        "safety" if usage > 0.0 => Ok(usage.recip()),
        "safety" => Err(nothing()),
        "venue" => venue_ratio(book, pool, state).ok_or_else(nothing),
        _ => Err(Error::Unknown {
            what: "style",
            value: style.to_owned(),
            known: "usage, safety, venue".into(),
        }),
    }
}

/// The figure that the venue's screen shows, where it is defined.
pub fn venue_ratio(book: &Book, pool: usize, state: &PoolState) -> Option<f64> {
    let rulebook = book.rulebook_of(book.pools.get(pool)?.account)?;
    let (equity, maintenance) = (state.equity.maintenance, state.requirement.maintenance);
    match rulebook.venue_ratio {
        VenueRatio::MaintenanceOverEquity => (equity > 0.0).then(|| maintenance / equity),
        VenueRatio::EquityOverMaintenance => (maintenance > 0.0).then(|| equity / maintenance),
    }
}

/// Money left above a level: `MM`, `IM` or `usage=0.7`. Of several pools the one that decides counts,
/// since pools do not help one another.
///
/// # Errors
///
/// As [`initial_margin`]; [`Error::Unknown`] for another level.
pub fn excess(book: &Book, evaluated: &Evaluated, above: &str, scope: &str) -> Result<f64> {
    let states = states_of(book, evaluated, scope, "excess")?;
    let (_, state) = decisive_of(&states)?;
    let wanted = above.trim().to_ascii_lowercase();
    if wanted == "mm" {
        return Ok(state.excess);
    }
    if wanted == "im" {
        return initial_excess(&states).ok_or_else(|| Error::Missing {
            what: "initial margin".into(),
            why: states
                .iter()
                .find_map(|(_, state)| state.requirement.initial_missing.clone())
                .unwrap_or_else(|| "isolated positions have no such level".into()),
            place: Place::default(),
        });
    }
    match usage_target(&wanted) {
        // usage = trigger x MM / E, so the equity that usage u needs is trigger x MM / u
        Some(target) => Ok(state.equity.maintenance - (state.equity.maintenance - state.excess) / target),
        None => Err(Error::Unknown {
            what: "level",
            value: above.to_owned(),
            known: "MM, IM, usage=0.7 (a number above 0, at most 1)".into(),
        }),
    }
}

fn usage_target(text: &str) -> Option<f64> {
    let number: f64 = text.strip_prefix("usage")?.trim().strip_prefix('=')?.trim().parse().ok()?;
    (number > 0.0 && number <= 1.0).then_some(number)
}
