//! Puts the understood rows together: instruments, prices, positions with their tables, pools.

use std::collections::{BTreeMap, BTreeSet};

use super::assumed;
use super::build::{Input, Options, RulebookChoice};
use super::collect::Collected;
use super::correlations::correlations;
use super::held::{positions, settle_marks};
use super::net::{Netted, net};
use super::pools::pools;
use super::prices::{Names, currencies, underlyings, volatility};
use super::quotes::{Sources, quotes};
use super::tiering::Tiering;
use super::times::as_of;
use super::{Account, Book};
use crate::error::{Error, Result};
use crate::finding::{Finding, Severity};
use crate::instrument::Instrument;
use crate::rulebook::Rulebook;

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

/// The rulebooks of the accounts that hold or order each instrument, in their order, each once.
fn rulebooks_by_instrument<'a>(
    netted: &[Netted],
    collected: &Collected,
    instruments: &[Instrument],
    (accounts, rulebooks): (&[Account], &'a [Rulebook]),
) -> Vec<Vec<&'a Rulebook>> {
    let mut found: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); instruments.len()];
    let mut add = |instrument: usize, account: usize| {
        if let (Some(slot), Some(account)) = (found.get_mut(instrument), accounts.get(account)) {
            slot.insert(account.rulebook);
        }
    };
    for row in netted {
        add(row.instrument, row.account);
    }
    for order in &collected.orders.rows {
        if let Ok(instrument) = instruments.binary_search(&order.instrument) {
            add(instrument, collected.account(order.account.as_deref()));
        }
    }
    let named =
        |places: BTreeSet<usize>| places.into_iter().filter_map(|place| rulebooks.get(place)).collect();
    found.into_iter().map(named).collect()
}

/// The risk arrays of the rows by instrument.
fn risk_arrays(collected: &Collected, rank: &[usize], count: usize) -> Vec<Option<Vec<f64>>> {
    let mut arrays = vec![None; count];
    for (place, values) in &collected.positions.risk_arrays {
        if let Some(slot) = rank.get(*place as usize).and_then(|index| arrays.get_mut(*index)) {
            *slot = Some(values.clone());
        }
    }
    arrays
}

/// Builds everything but the key.
pub(super) fn assemble(
    mut collected: Collected,
    input: &Input<'_>,
    choice: &RulebookChoice,
    options: &Options,
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
    settle_marks(&netted, &instruments, &mut marks, findings);
    let as_of = as_of(options, &collected);
    if rulebooks.is_empty() {
        return Err(Error::Missing {
            what: "rulebook".into(),
            why: "the tables name no account".into(),
            place: crate::error::Place::default(),
        });
    }
    let sources = Sources {
        instruments: &instruments,
        netted: &netted,
        collected: &collected,
        as_of: as_of.as_ref(),
        rulebooks: rulebooks_by_instrument(&netted, &collected, &instruments, (&accounts, &rulebooks)),
    };
    let quoted = quotes(&sources, &mut marks, findings);
    let as_of = as_of.map(|(text, _)| text).unwrap_or_default();
    collected.orders.rows.retain(|order| {
        !instruments.binary_search(&order.instrument).is_ok_and(|index| quoted.is_refused(index))
    });
    let mut strategies: Vec<String> = collected.positions.strategies.clone();
    strategies.sort();
    strategies.insert(0, String::new());
    let strategy_place = |name: &String| strategies.iter().position(|known| known == name).unwrap_or(0);
    let strategy_places: Vec<usize> = collected.positions.strategies.iter().map(strategy_place).collect();
    let known = (marks.as_slice(), &quoted, strategy_places.as_slice());
    let positions = positions(&netted, &instruments, &accounts, &rulebooks, known, &mut tiering, findings);
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
        as_of,
        tick: instruments.iter().map(|i| row_of(i)?.tick).collect(),
        lot: instruments.iter().map(|i| row_of(i)?.lot).collect(),
        volatility: instruments.iter().map(|i| volatility(row_of(i)?)).collect(),
        quotes: quoted.quotes,
        risk_arrays: risk_arrays(&collected, &rank, instruments.len()),
        correlations: correlations(input, &collected, &instruments, &rank)?,
        history: input.history.cloned(),
        tails: rulebooks.iter().map(|_| std::sync::OnceLock::new()).collect(),
        instrument_underlying: instruments.iter().map(|i| names.underlying(&i.underlying)).collect(),
        instrument_settle: instruments.iter().map(|i| names.currency(&i.settle)).collect(),
        instruments,
        rulebooks,
        accounts,
        strategies,
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
    assumed::note(&book, findings);
    Ok(book)
}
