//! Puts the understood rows together: instruments, prices, positions with their tables, pools.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{Input, RulebookChoice};
use super::collect::Collected;
use super::net::{Netted, net};
use super::pools::pools;
use super::prices::{Names, currencies, underlyings, volatility};
use super::tiering::{InitialRate, NoTable, Tiering};
use super::{Account, Book, Position};
use crate::error::{Error, Result};
use crate::finding::{Finding, Severity};
use crate::instrument::Instrument;
use crate::rulebook::Rulebook;
use crate::tables::TierSource;

/// Above this a notional is a typing error: a thousand times all the money there is.
const LARGEST_NOTIONAL: f64 = 1e18;

/// Collects the instruments of positions and orders, by symbol, each once.
fn instruments(collected: &Collected) -> (Vec<Instrument>, Vec<usize>) {
    let mut all: Vec<Instrument> = collected.positions.instruments.clone();
    all.extend(collected.orders.rows.iter().map(|order| order.instrument.clone()));
    all.sort();
    all.dedup();
    let rank = collected
        .positions
        .instruments
        .iter()
        .map(|instrument| all.binary_search(instrument).unwrap_or(0))
        .collect();
    (all, rank)
}

fn accounts(
    collected: &Collected,
    choice: &RulebookChoice,
    findings: &mut Vec<Finding>,
) -> (Vec<Account>, Vec<Rulebook>) {
    let mut rulebooks: Vec<Rulebook> = Vec::new();
    let mut accounts = Vec::new();
    for name in &collected.accounts {
        let rulebook = match choice {
            RulebookChoice::One(rulebook) => Some(rulebook.as_ref()),
            RulebookChoice::PerAccount(list) => {
                list.iter().find(|(account, _)| account == name).map(|(_, rulebook)| rulebook)
            }
        };
        let Some(rulebook) = rulebook else {
            findings.push(Finding {
                severity: Severity::Error,
                sheet: "Rulebook",
                row: None,
                column: "account".into(),
                value: name.clone(),
                code: "account_without_rulebook",
                message: format!("account '{name}' has no rulebook in the list account -> rulebook"),
                fix: "add the account to the list".into(),
            });
            continue;
        };
        let index = rulebooks.iter().position(|known| known == rulebook).unwrap_or_else(|| {
            rulebooks.push(rulebook.clone());
            rulebooks.len() - 1
        });
        accounts.push(Account { name: name.clone(), rulebook: index });
    }
    if let RulebookChoice::PerAccount(list) = choice {
        for (account, _) in list.iter().filter(|(account, _)| !collected.accounts.contains(account)) {
            findings.push(Finding {
                severity: Severity::Warning,
                sheet: "Rulebook",
                row: None,
                column: "account".into(),
                value: account.clone(),
                code: "account_unknown",
                message: format!("the list account -> rulebook names '{account}', which no table has"),
                fix: "check the spelling of the account".into(),
            });
        }
    }
    (accounts, rulebooks)
}

/// Builds everything but the key.
pub(super) fn assemble(
    collected: Collected,
    input: &Input<'_>,
    choice: &RulebookChoice,
    findings: &mut Vec<Finding>,
) -> Result<Book> {
    let (instruments, rank) = instruments(&collected);
    let (accounts, rulebooks) = accounts(&collected, choice, findings);
    if accounts.len() != collected.accounts.len() {
        return Err(Error::Missing {
            what: "rulebook".into(),
            why: "an account has none".into(),
            place: crate::error::Place::default(),
        });
    }
    let places: Vec<usize> =
        collected.positions.accounts.iter().map(|name| collected.account(Some(name))).collect();
    let account_of = |row: &crate::tables::PositionRow| {
        row.account.and_then(|a| places.get(a as usize)).copied().unwrap_or(collected.default_account)
    };
    let marks_in_notional = collected.positions.venue != Some("bybit"); // Bybit values at the entry price
    let netted = net(
        &collected.positions.rows,
        &collected.positions.instruments,
        &rank,
        account_of,
        marks_in_notional,
    );
    let names = Names::new(&collected, &instruments, &rulebooks);
    let given: BTreeMap<String, f64> = collected
        .market
        .rows
        .iter()
        .filter_map(|row| Some((row.symbol.as_ref()?.to_uppercase(), row.mark_price?)))
        .collect();
    let mut marks: Vec<Option<f64>> =
        instruments.iter().map(|instrument| given.get(&instrument.symbol.to_uppercase()).copied()).collect();
    let mut tiering = Tiering::with_given(&collected.brackets)?;
    let positions =
        positions(&netted, &instruments, &accounts, &rulebooks, &mut marks, &mut tiering, findings);
    for (row, symbol, published, computed) in std::mem::take(&mut tiering.differences) {
        findings.push(Finding {
            severity: Severity::Warning,
            sheet: "Rulebook",
            row: Some(row),
            column: "maintAmt".into(),
            value: published.to_string(),
            code: "amount_differs",
            message: format!(
                "{symbol}: the published cumulative amount {published} is not {computed}, which makes the margin continuous; {computed} is used"
            ),
            fix: "check the floors and rates of the bracket table".into(),
        });
    }
    let mut underlyings = underlyings(&names, &collected, &instruments, &marks);
    let currencies = currencies(&names, &collected, &rulebooks, &accounts, findings);
    for currency in &currencies {
        // a coin that is collateral only has the price at which it is valued
        if let Some(coin) = currency.underlying.and_then(|coin| underlyings.get_mut(coin))
            && coin.name == currency.code
        {
            coin.price = coin.price.or_else(|| currency.price.first().copied().flatten());
        }
    }
    let by_symbol: BTreeMap<String, &crate::tables::MarketRow> = collected
        .market
        .rows
        .iter()
        .rev()
        .filter_map(|row| Some((row.symbol.as_ref()?.to_uppercase(), row)))
        .collect();
    let row_of = |instrument: &Instrument| by_symbol.get(&instrument.symbol.to_uppercase()).copied();
    let mut book = Book {
        hash: String::new(),
        key: String::new(),
        as_of: collected.positions.timestamp.clone().unwrap_or_default(),
        tick: instruments.iter().map(|i| row_of(i)?.tick).collect(),
        lot: instruments.iter().map(|i| row_of(i)?.lot).collect(),
        volatility: instruments.iter().map(|i| volatility(row_of(i)?)).collect(),
        quotes: vec![super::Quote::default(); instruments.len()],
        correlations: correlations(input, &collected, &instruments, &rank)?,
        instrument_underlying: instruments.iter().map(|i| names.underlying(&i.underlying)).collect(),
        instrument_settle: instruments.iter().map(|i| names.currency(&i.settle)).collect(),
        instruments,
        rulebooks,
        accounts,
        underlyings,
        currencies,
        tables: Vec::new(),
        positions,
        pools: Vec::new(),
        findings: Vec::new(),
        columns: Vec::new(),
        units: Vec::new(),
        partial: false,
        pasted_rows: collected.pasted_rows,
    };
    book.pools = pools(&book, &netted, &collected, &names, &marks, &mut tiering, findings);
    book.tables = tiering.tables;
    Ok(book)
}

fn positions(
    netted: &[Netted],
    instruments: &[Instrument],
    accounts: &[Account],
    rulebooks: &[Rulebook],
    marks: &mut [Option<f64>],
    tiering: &mut Tiering,
    findings: &mut Vec<Finding>,
) -> Vec<Position> {
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
        let size = instrument.payoff.notional(row.quantity, mark_price);
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
        built.push(Position {
            account: row.account,
            instrument: row.instrument,
            leg: row.leg,
            quantity: row.quantity,
            entry_price: row.entry_price,
            mark_price,
            unrealised_pnl: row.unrealised_pnl.or(computed).unwrap_or(0.0),
            pnl_known: row.unrealised_pnl.or(computed).is_some(),
            leverage,
            table,
            origin,
            initial_rate: row.sample.initial_rate,
            reported: row.sample.reported,
            row: row.sample.row,
            liquidate_last: row.sample.liquidate_last,
        });
    }
    built
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

/// Correlations in the order of the book's instruments.
fn correlations(
    input: &Input<'_>,
    collected: &Collected,
    instruments: &[Instrument],
    rank: &[usize],
) -> Result<Option<Vec<f64>>> {
    let Some(given) = input.correlations else { return Ok(None) };
    let expected = collected.positions.instruments.len();
    if given.len() != expected || given.iter().any(|row| row.len() != expected) {
        return Err(Error::Shape { name: "correlations".into(), found: given.len(), expected });
    }
    if let Some(pivot) = negative_pivot(given) {
        return Err(Error::OutOfRange {
            name: "correlation matrix".into(),
            value: pivot,
            must_be: "positive semi-definite (no pivot below zero)",
            place: crate::error::Place::default(),
        });
    }
    let size = instruments.len();
    let mut matrix = vec![0.0; size * size];
    for index in 0..size {
        matrix[index * size + index] = 1.0;
    }
    for (row, values) in given.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let symmetric = given.get(column).and_then(|other| other.get(row)) == Some(value);
            let unit = row != column || *value == 1.0_f64;
            if !(value.is_finite() && value.abs() <= 1.0 && symmetric && unit) {
                return Err(Error::OutOfRange {
                    name: "correlation".into(),
                    value: *value,
                    must_be: "between -1 and 1, the same on both sides of the diagonal, and 1 on it",
                    place: crate::error::Place::row(row + 1, format!("column {}", column + 1)),
                });
            }
            if let (Some(&i), Some(&j)) = (rank.get(row), rank.get(column)) {
                matrix[i * size + j] = *value;
            }
        }
    }
    Ok(Some(matrix))
}

/// The pivot of a Cholesky factorisation that shows a matrix to be no correlation matrix, if there is one.
fn negative_pivot(matrix: &[Vec<f64>]) -> Option<f64> {
    const TOLERANCE: f64 = 1e-10;
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (row, values) in matrix.iter().enumerate() {
        let mut line: Vec<f64> = Vec::with_capacity(row + 1);
        for (column, value) in values.iter().enumerate().take(row + 1) {
            let other = factor.get(column).unwrap_or(&line);
            let left = value - line.iter().zip(other).take(column).map(|(a, b)| a * b).sum::<f64>();
            if column == row {
                if left < -TOLERANCE {
                    return Some(left);
                }
                line.push(left.max(0.0).sqrt());
            } else {
                let pivot = factor.get(column).and_then(|line| line.get(column)).copied().unwrap_or(0.0);
                if pivot <= TOLERANCE.sqrt() {
                    // a row that is a copy of another one must agree with it everywhere
                    if left.abs() > TOLERANCE.sqrt() {
                        return Some(-left.abs());
                    }
                    line.push(0.0);
                } else {
                    line.push(left / pivot);
                }
            }
        }
        factor.push(line);
    }
    None
}
