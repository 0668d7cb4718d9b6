//! The marks of what is held, and the positions with their maintenance tables.

use std::collections::BTreeSet;

use super::net::Netted;
use super::quotes::Priced;
use super::tiering::{InitialRate, NoTable, Tiering};
use super::{Account, Position};
use crate::finding::{Finding, Severity};
use crate::instrument::{ContractKind, Instrument};
use crate::rulebook::Rulebook;
use crate::tables::TierSource;

/// Above this a notional is a typing error: a thousand times all the money there is.
const LARGEST_NOTIONAL: f64 = 1e18;

/// Gives every instrument of a position one mark, where a row or its notional says one.
pub(super) fn settle_marks(
    netted: &[Netted],
    instruments: &[Instrument],
    marks: &mut [Option<f64>],
    findings: &mut Vec<Finding>,
) {
    // a symbol has one mark: the market table's, else that of its first row in the order of the key, else
    // what the reported notional means, where the venue reports it at the mark
    for row in netted {
        let known = marks.get(row.instrument).copied().flatten().or(row.mark_price);
        if let (None, Some(mark), Some(slot)) = (known, row.implied_mark, marks.get_mut(row.instrument)) {
            *slot = Some(mark);
            findings.push(about(
                row,
                instruments,
                Severity::Info,
                "mark_derived",
                format!("no mark price is given; the reported notional means {mark}, which is used"),
                "paste the mark price to be exact",
            ));
        }
    }
    for row in netted {
        if let Some(mark) = marks.get_mut(row.instrument) {
            match (*mark, row.mark_price) {
                (None, Some(_)) => *mark = row.mark_price,
                (Some(known), Some(other)) if known != other => findings.push(about(
                    row,
                    instruments,
                    Severity::Warning,
                    "mark_differs",
                    format!("the mark price {other} of this row differs from {known}, which is used for the symbol"),
                    "paste one mark per symbol, or give it on the Market sheet",
                )),
                _ => {}
            }
        }
    }
}

/// The positions of a book, each with its maintenance table.
pub(super) fn positions(
    netted: &[Netted],
    instruments: &[Instrument],
    accounts: &[Account],
    rulebooks: &[Rulebook],
    (marks, quoted, strategy_places): (&[Option<f64>], &Priced, &[usize]),
    tiering: &mut Tiering,
    findings: &mut Vec<Finding>,
) -> Vec<Position> {
    let mut assumed = BTreeSet::new();
    let mut built = Vec::with_capacity(netted.len());
    for row in netted {
        let Some(instrument) = instruments.get(row.instrument) else { continue };
        let rulebook_index = accounts.get(row.account).map_or(0, |account| account.rulebook);
        let Some(rulebook) = rulebooks.get(rulebook_index) else { continue };
        if let Some(what) = row.disagreement {
            findings.push(about(
                row,
                instruments,
                Severity::Warning,
                "rows_disagree",
                format!("several rows of this position disagree about its {what}"),
                "make the rows agree",
            ));
        }
        if quoted.is_refused(row.instrument) {
            continue; // said already
        }
        let Some(mark_price) = marks.get(row.instrument).copied().flatten() else {
            findings.push(about(
                row,
                instruments,
                Severity::Error,
                "mark_missing",
                "no mark price; a missing price is never a default".into(),
                "fill markPrice, or give the symbol on the Market sheet",
            ));
            continue;
        };
        let option = instrument.kind == ContractKind::Option;
        let size = match quoted.quotes.get(row.instrument).and_then(|quote| quote.forward) {
            Some(forward) if option => row.quantity.abs() * forward,
            _ => instrument.payoff.notional(row.quantity, mark_price),
        };
        if size.is_nan() || size >= LARGEST_NOTIONAL {
            findings.push(about(
                row,
                instruments,
                Severity::Error,
                "notional_too_large",
                format!("a notional of {size:e} is no position; it must be below {LARGEST_NOTIONAL:e}"),
                "correct the quantity or the price",
            ));
            continue;
        }
        if let TierSource::Rate { rate, amount } = row.sample.tier
            && amount > rate * size
        {
            findings.push(about(
                row,
                instruments,
                Severity::Error,
                "amount_too_large",
                format!("the amount {amount} exceeds the rate {rate} times the notional {size}; no maintenance margin is below zero"),
                "give the rate and the amount of the bracket that holds the notional",
            ));
            continue;
        }
        let leverage = row.sample.leverage;
        let initial = InitialRate { rate: row.sample.initial_rate, leverage };
        let found = tiering.table_of((rulebook_index, rulebook), instrument, &row.sample.tier, initial);
        let (table, origin) = match found {
            Ok(found) => found,
            Err(reason) => {
                findings.push(no_table(row, instruments, rulebook, &reason));
                continue;
            }
        };
        // said once per contract, not per account that holds it
        if origin == super::TableOrigin::Assumed && assumed.insert((rulebook_index, row.instrument)) {
            findings.push(about(
                row,
                instruments,
                Severity::Info,
                "table_assumed",
                "neither the row nor the rulebook names a maintenance table; the rate is assumed to be a share of the row's initial rate, by default 1 / (2 x its leverage)".into(),
                "name the table in marginTable, or give its brackets on the Rulebook sheet",
            ));
        }
        let computed = row.entry_price.map(|entry| instrument.payoff.profit(row.quantity, entry, mark_price));
        let result = if option {
            // the premium was paid or received in cash, so that the whole value is in the equity
            Some(row.quantity * mark_price)
        } else {
            row.unrealised_pnl.or(computed)
        };
        let funding = if option { 0.0 } else { row.unrealised_funding.unwrap_or(0.0) };
        built.push(Position {
            account: row.account,
            instrument: row.instrument,
            leg: row.leg,
            quantity: row.quantity,
            entry_price: row.entry_price,
            mark_price,
            unrealised_pnl: result.unwrap_or(0.0) + funding,
            pnl_known: result.is_some(),
            leverage,
            table,
            origin,
            initial_rate: row.sample.initial_rate,
            reported: row.sample.reported,
            row: row.sample.row,
            liquidate_last: row.sample.liquidate_last,
            strategies: strategies_of(row, strategy_places),
        });
    }
    built
}

/// Quantities by strategy in the order of names.
fn strategies_of(row: &Netted, places: &[usize]) -> Vec<(usize, f64)> {
    let place = |own: Option<u32>| own.and_then(|own| places.get(own as usize)).copied().unwrap_or(0);
    let mut found: Vec<(usize, f64)> =
        row.strategies.iter().map(|(own, quantity)| (place(*own), *quantity)).collect();
    found.sort_by_key(|(place, _)| *place);
    found
}

/// A finding about a netted row.
pub(super) fn about(
    row: &Netted,
    instruments: &[Instrument],
    severity: Severity,
    code: &'static str,
    message: String,
    fix: &str,
) -> Finding {
    let symbol = instruments.get(row.instrument).map_or("", |instrument| instrument.symbol.as_str());
    Finding {
        severity,
        sheet: "Positions",
        row: Some(row.sample.row),
        column: "symbol".into(),
        value: symbol.to_owned(),
        code,
        message: format!("{symbol}: {message}"),
        fix: fix.into(),
    }
}

fn no_table(row: &Netted, instruments: &[Instrument], rulebook: &Rulebook, reason: &NoTable) -> Finding {
    let (code, message) = match reason {
        NoTable::Unknown(name) => {
            let known: Vec<&str> = rulebook.tables.iter().map(|(table, _)| table.name.as_str()).collect();
            (
                "table_unknown",
                format!(
                    "rulebook '{}' has no maintenance table '{name}'; it has {}",
                    rulebook.id,
                    if known.is_empty() { "none".into() } else { known.join(", ") }
                ),
            )
        }
        NoTable::Nothing => (
            "table_missing",
            format!(
                "rulebook '{}' lists no maintenance table for this symbol, and without a leverage none can be assumed",
                rulebook.id
            ),
        ),
    };
    let fix = match &row.sample.tier {
        TierSource::Table(_) => "correct marginTable",
        _ => "give maintenanceMarginRate, marginTable or leverage, or the brackets on the Rulebook sheet",
    };
    about(row, instruments, Severity::Error, code, message, fix)
}
