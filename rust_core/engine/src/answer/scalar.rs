//! Single numbers of a scope: equity, margins, ratio, excess.

use super::evaluated::{Evaluated, check_complete};
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

/// Ratio in a style: `usage` (rises to 1), `safety` (1 / usage), `venue` (the venue's own figure).
/// Over several pools the worst one counts.
///
/// # Errors
///
/// [`Error::NoAnswer`] where the ratio is not defined, with the reason.
pub fn ratio(book: &Book, evaluated: &Evaluated, style: &str, scope: &str) -> Result<f64> {
    let pools = pools_of(book, scope, "a ratio")?;
    let mut worst: Option<(f64, f64)> = None;
    for index in pools {
        let state = evaluated.pool(index)?;
        let usage = state.usage.ok_or_else(|| Error::NoAnswer {
            why: format!(
                "usage is defined for an equity above zero only, it is {:.2}; the account is {}",
                state.equity.maintenance,
                state.status.word()
            ),
        })?;
        let shown = match style {
            "usage" => usage,
            "safety" => usage.recip(),
            "venue" => venue_ratio(book, index, state).unwrap_or(f64::INFINITY),
            _ => {
                return Err(Error::Unknown {
                    what: "style",
                    value: style.to_owned(),
                    known: "usage, safety, venue".into(),
                });
            }
        };
        if worst.is_none_or(|(most, _)| usage > most) {
            worst = Some((usage, shown));
        }
    }
    match worst {
        Some((_, shown)) if shown.is_finite() => Ok(shown),
        _ => Err(Error::NoAnswer { why: "nothing is required, so the ratio has no finite value".into() }),
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

/// Money left above a level: `MM`, `IM` or `usage=0.7`. Over several pools the smallest counts, since
/// pools do not help one another.
///
/// # Errors
///
/// As [`initial_margin`]; [`Error::Unknown`] for another level.
pub fn excess(book: &Book, evaluated: &Evaluated, above: &str, scope: &str) -> Result<f64> {
    let pools = pools_of(book, scope, "excess")?;
    let mut smallest: Option<f64> = None;
    for index in pools {
        let state = evaluated.pool(index)?;
        let wanted = above.trim().to_ascii_lowercase();
        let money = if wanted == "mm" {
            state.excess
        } else if wanted == "im" {
            match (state.excess_initial, &state.requirement.initial_missing) {
                (Some(money), _) => money,
                (None, None) => continue, // an isolated position has no such excess
                (None, Some(why)) => {
                    return Err(Error::Missing {
                        what: "initial margin".into(),
                        why: why.clone(),
                        place: Place::default(),
                    });
                }
            }
        } else if let Some(target) = usage_target(&wanted) {
            // usage = trigger x MM / E, so the equity that usage u needs is trigger x MM / u
            let needed = (state.equity.maintenance - state.excess) / target;
            state.equity.maintenance - needed
        } else {
            return Err(Error::Unknown {
                what: "level",
                value: above.to_owned(),
                known: "MM, IM, usage=0.7 (a number above 0, at most 1)".into(),
            });
        };
        smallest = Some(smallest.map_or(money, |least| least.min(money)));
    }
    smallest.ok_or_else(|| Error::NoAnswer { why: "no pool of the scope has such an excess".into() })
}

fn usage_target(text: &str) -> Option<f64> {
    let number: f64 = text.strip_prefix("usage")?.trim().strip_prefix('=')?.trim().parse().ok()?;
    (number > 0.0 && number <= 1.0).then_some(number)
}
