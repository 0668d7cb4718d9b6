//! Our figures against the venue's own figures of the same paste, with the likely cause of a difference.

use super::evaluated::Evaluated;
use super::price::{Question, answers};
use super::{Answer, Value};
use crate::book::{Book, Position, TableOrigin};
use crate::error::{Error, Result};
use crate::market::{mark_at, notional, payoff};

/// The header of `CM_RECON`.
pub const HEADER: [&str; 8] =
    ["scope", "item", "ours", "venue", "diff", "diff_pct", "status", "likely_cause"];

/// How large a difference may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// A fraction of the venue's figure.
    Relative(f64),
    /// Money, or price for prices.
    Absolute(f64),
}

impl Tolerance {
    fn allows(self, ours: f64, venue: f64) -> bool {
        let difference = (ours - venue).abs();
        match self {
            Self::Relative(fraction) => difference <= fraction * venue.abs(),
            Self::Absolute(amount) => difference <= amount,
        }
    }
}

struct Comparison {
    scope: String,
    item: &'static str,
    ours: Option<f64>,
    venue: f64,
    cause: String,
}

/// Compares account or position figures, `scope` being `account`, `position` or `all`.
///
/// # Errors
///
/// [`Error::Missing`] when the paste had no venue figures; [`Error::Unknown`] for another scope.
pub fn recon(book: &Book, evaluated: &Evaluated, tolerance: Tolerance, scope: &str) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    let mut found = Vec::new();
    let wanted = scope.trim().to_ascii_lowercase();
    if !["", "all", "account", "position"].contains(&wanted.as_str()) {
        return Err(Error::Unknown {
            what: "scope",
            value: scope.to_owned(),
            known: "all, account, position".into(),
        });
    }
    if wanted != "position" {
        accounts(book, evaluated, &mut found)?;
    }
    if wanted != "account" {
        positions(book, evaluated, tolerance, &mut found)?;
    }
    if found.is_empty() {
        return Err(Error::Missing {
            what: "venue figures".into(),
            why: "the paste holds none of notional, unrealizedPnl, initialMargin, maintenanceMargin, liquidationPrice".into(),
            place: crate::error::Place::default(),
        });
    }
    let mut answer = Answer::new(&HEADER);
    for row in found {
        let (status, cause) = match row.ours {
            None => ("no answer of ours", row.cause),
            Some(ours) if tolerance.allows(ours, row.venue) => ("agrees", String::new()),
            Some(_) => ("differs", row.cause),
        };
        let difference = row.ours.map(|ours| ours - row.venue);
        answer.rows.push(vec![
            row.scope.into(),
            row.item.into(),
            row.ours.into(),
            row.venue.into(),
            difference.into(),
            difference.filter(|_| row.venue != 0.0).map(|difference| difference / row.venue).into(),
            status.into(),
            Value::Text(cause),
        ]);
    }
    Ok(answer)
}

fn accounts(book: &Book, evaluated: &Evaluated, found: &mut Vec<Comparison>) -> Result<()> {
    for (index, pool) in book.pools.iter().enumerate() {
        let state = evaluated.pool(index)?;
        for balance in &pool.balances {
            let price = book.accounts.get(pool.account).and_then(|account| {
                book.currencies.get(balance.currency)?.price.get(account.rulebook).copied().flatten()
            });
            let Some(price) = price else { continue };
            let pnl = crate::numeric::accumulate::sum(
                book.positions_of(pool)
                    .iter()
                    .filter(|position| crate::market::settle_of(book, position) == balance.currency)
                    .map(|position| position.unrealised_pnl),
            );
            let items = [
                (
                    "initial_margin",
                    state.requirement.initial,
                    balance.reported.initial_margin.map(|m| m * price),
                ),
                (
                    "maintenance_margin",
                    Some(state.requirement.maintenance),
                    balance.reported.maintenance_margin.map(|m| m * price),
                ),
                ("unrealised_pnl", Some(pnl * price), balance.reported.unrealised_pnl.map(|p| p * price)),
            ];
            for (item, ours, venue) in items {
                if let Some(venue) = venue {
                    let cause = match item {
                        "unrealised_pnl" => {
                            "positions and balances exported at different moments, or rows missing"
                        }
                        _ => {
                            "another bracket table, other leverages, open orders not pasted, or rows missing"
                        }
                    };
                    found.push(Comparison {
                        scope: book.pool_name(pool),
                        item,
                        ours,
                        venue,
                        cause: cause.into(),
                    });
                }
            }
        }
    }
    Ok(())
}

fn positions(
    book: &Book,
    evaluated: &Evaluated,
    tolerance: Tolerance,
    found: &mut Vec<Comparison>,
) -> Result<()> {
    let prices = answers(book, None, &Question::default())?;
    let mut implied = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let state = evaluated.pool(index)?;
        for (position, margin) in book.positions_of(pool).iter().zip(&state.requirement.by_position) {
            let symbol = book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str());
            let local = notional(book, position, 1.0);
            let to_settle = if margin.notional > 0.0 { local / margin.notional } else { 0.0 };
            let reported = position.reported;
            let recomputed = position
                .entry_price
                .map(|entry| payoff(book, position).profit(position.quantity, entry, position.mark_price));
            let mut push = |item, ours: Option<f64>, venue: Option<f64>, cause: String| {
                if let Some(venue) = venue {
                    found.push(Comparison { scope: symbol.to_owned(), item, ours, venue, cause });
                }
            };
            push(
                "notional",
                Some(local),
                reported.notional.map(f64::abs),
                "the venue values the position at another price".into(),
            );
            if position.pnl_known && recomputed.is_some() && recomputed != Some(position.unrealised_pnl) {
                push(
                    "unrealised_pnl",
                    recomputed,
                    Some(position.unrealised_pnl),
                    "the pasted entry or mark price is rounded; the venue's own figure is used".into(),
                );
            }
            let initial_cause = implied_leverage(position, local, reported.initial_margin);
            push(
                "initial_margin",
                margin.initial.map(|m| m * to_settle),
                reported.initial_margin,
                initial_cause,
            );
            let cause = match position.origin {
                TableOrigin::Assumed => "the maintenance table is assumed from the leverage".to_owned(),
                _ => "the venue uses another bracket table for this symbol".to_owned(),
            };
            push(
                "maintenance_margin",
                Some(margin.maintenance * to_settle),
                reported.maintenance_margin,
                cause,
            );
            if let Some(venue) = reported.liquidation_price.filter(|price| *price > 0.0) {
                let coin = crate::market::underlying_of(book, position);
                let answer = prices.iter().find(|answer| answer.pool == index && answer.underlying == coin);
                let ratio = answer.and_then(|answer| Some(on_side(answer, position)? / answer.mark));
                let ours = ratio.map(|ratio| mark_at(book, position, ratio));
                let cause = if position.quantity > 0.0 {
                    venue < position.mark_price
                } else {
                    venue > position.mark_price
                };
                let cause = match (ours, cause) {
                    (None, _) => answer.map_or_else(String::new, |answer| answer.status.clone()),
                    (Some(_), false) => "the venue's price lies on the other side of the mark".to_owned(),
                    (Some(ours), true) => {
                        let money = (venue - ours) * position.quantity;
                        if !tolerance.allows(ours, venue) {
                            implied.push((found.len(), -money));
                        }
                        String::new()
                    }
                };
                found.push(Comparison {
                    scope: symbol.to_owned(),
                    item: "liquidation_price",
                    ours,
                    venue,
                    cause,
                });
            }
        }
    }
    explain_prices(found, &implied);
    Ok(())
}

/// Our price on the side on which the position itself loses.
fn on_side(answer: &crate::liquidation::price::LiquidationPrice, position: &Position) -> Option<f64> {
    if position.quantity > 0.0 { answer.down } else { answer.up }
}

fn implied_leverage(position: &Position, notional: f64, venue: Option<f64>) -> String {
    match (venue.filter(|venue| *venue > 0.0), position.leverage) {
        (Some(venue), Some(leverage)) => {
            let implied = notional / venue;
            format!("the venue's margin means a leverage of {implied:.2}x, the row says {leverage}x")
        }
        _ => "the row names no leverage".to_owned(),
    }
}

/// Says how much collateral would explain the differing prices, and whether one amount explains them all.
fn explain_prices(found: &mut [Comparison], implied: &[(usize, f64)]) {
    let amounts: Vec<f64> = implied.iter().map(|(_, money)| *money).collect();
    let (least, most) = amounts
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), money| (low.min(*money), high.max(*money)));
    let same = amounts.len() > 1 && (most - least).abs() <= 0.05 * most.abs().max(least.abs());
    for (row, money) in implied {
        if let Some(comparison) = found.get_mut(*row) {
            comparison.cause = if same {
                format!("all differences agree with about {money:.0} of collateral more or less than pasted")
            } else {
                "collateral, other positions or the bracket table differ from the paste".to_owned()
            };
        }
    }
}
