//! Coins and currencies of a book, and what they cost.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::Collected;
use super::{Account, Currency, Underlying, Volatility};
use crate::currency::{followed_coin, is_stable};
use crate::finding::{Finding, Severity};
use crate::instrument::{ContractKind, Instrument};
use crate::rulebook::{PoolRule, Rulebook};

/// Every coin and currency that the tables mention, in alphabetical order.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) underlyings: Vec<String>,
    pub(super) currencies: Vec<String>,
}

impl Names {
    pub(super) fn new(collected: &Collected, instruments: &[Instrument], rulebooks: &[Rulebook]) -> Self {
        let mut currencies: BTreeSet<String> = BTreeSet::new();
        currencies.extend(instruments.iter().map(|i| i.settle.clone()));
        currencies.extend(collected.balances.rows.iter().map(|balance| balance.currency.clone()));
        currencies.extend(rulebooks.iter().map(|rulebook| rulebook.report_currency.clone()));
        let mut underlyings: BTreeSet<String> =
            instruments.iter().map(|instrument| instrument.underlying.clone()).collect();
        underlyings.extend(
            currencies
                .iter()
                .filter(|code| !is_stable(code) || follows(code, collected).is_some())
                .map(|code| coin_of(code, collected)),
        );
        Self { underlyings: underlyings.into_iter().collect(), currencies: currencies.into_iter().collect() }
    }

    pub(super) fn underlying(&self, name: &str) -> usize {
        self.underlyings.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or(0)
    }

    pub(super) fn currency(&self, code: &str) -> usize {
        self.currencies.binary_search_by(|known| known.as_str().cmp(code)).unwrap_or(0)
    }
}

/// The volatility of a row as it was given; a daily one comes first.
pub(super) fn volatility(row: &crate::tables::MarketRow) -> Option<Volatility> {
    row.daily_volatility.map(Volatility::Daily).or_else(|| row.annual_volatility.map(Volatility::Annual))
}

/// Prices, volatilities and betas of the coins.
pub(super) fn underlyings(
    names: &Names,
    collected: &Collected,
    instruments: &[Instrument],
    marks: &[Option<f64>],
) -> Vec<Underlying> {
    let mut rows: BTreeMap<String, Vec<&crate::tables::MarketRow>> = BTreeMap::new();
    for row in &collected.market.rows {
        let about = match (&row.underlying, &row.symbol) {
            (Some(name), _) => name.to_uppercase(),
            (None, Some(symbol)) => instruments
                .iter()
                .find(|instrument| instrument.symbol.eq_ignore_ascii_case(symbol))
                .map_or_else(|| symbol.to_uppercase(), |instrument| instrument.underlying.to_uppercase()),
            (None, None) => continue,
        };
        rows.entry(about).or_default().push(row);
    }
    let mut quoted: BTreeMap<&str, Vec<(&Instrument, Option<f64>)>> = BTreeMap::new();
    for (instrument, mark) in instruments.iter().zip(marks) {
        quoted.entry(&instrument.underlying).or_default().push((instrument, *mark));
    }
    let perpetuals: BTreeSet<String> = instruments
        .iter()
        .filter(|instrument| instrument.kind == ContractKind::Perpetual)
        .map(|instrument| instrument.symbol.to_uppercase())
        .collect();
    let perpetual = |row: &crate::tables::MarketRow| {
        row.symbol.as_ref().is_some_and(|symbol| perpetuals.contains(&symbol.to_uppercase()))
    };
    // the smallest, so that no order of rows is observable
    let mut indices: BTreeMap<&str, f64> = BTreeMap::new();
    for row in &collected.positions.rows {
        let instrument = collected.positions.instruments.get(row.instrument as usize);
        if let (Some(instrument), Some(index)) = (instrument, row.index_price) {
            let least = indices.entry(&instrument.underlying).or_insert(index);
            *least = least.min(index);
        }
    }
    names
        .underlyings
        .iter()
        .map(|name| {
            let about = rows.get(&name.to_uppercase()).map_or(&[][..], Vec::as_slice);
            // what a row about the coin alone says comes before what a row about one contract of it says
            let alone = || about.iter().filter(|row| row.symbol.is_none() && row.expiry.is_none());
            let index_price = alone()
                .chain(about.iter())
                .find_map(|row| row.index_price)
                .or_else(|| indices.get(name.as_str()).copied());
            let first =
                |pick: fn(&crate::tables::MarketRow) -> Option<f64>| about.iter().find_map(|row| pick(row));
            let quoting = quoted
                .get(name.as_str())
                .into_iter()
                .flatten()
                .filter(|(instrument, mark)| mark.is_some() && instrument.kind != ContractKind::Option)
                .min_by_key(|(instrument, _)| {
                    (instrument.kind != ContractKind::Perpetual, &instrument.symbol)
                });
            Underlying {
                name: name.clone(),
                price: quoting
                    .and_then(|(_, mark)| *mark)
                    .or(index_price)
                    .or_else(|| alone().find_map(|row| row.mark_price)),
                quoted_by: quoting.map(|(instrument, _)| instrument.symbol.clone()),
                volatility: about.iter().find_map(|row| volatility(row)),
                daily_volatility: about.iter().find_map(|row| volatility(row)).map(|given| match given {
                    Volatility::Daily(daily) => daily,
                    Volatility::Annual(annual) => annual / 365.0_f64.sqrt(),
                }),
                beta: first(|row| row.beta),
                index_price,
                confidence: alone().find_map(|row| row.quoted.confidence),
                open_interest: alone()
                    .chain(about.iter().filter(|row| perpetual(row)))
                    .find_map(|row| row.open_interest),
                average_daily_volume: first(|row| row.average_daily_volume),
                half_spread: first(|row| row.half_spread),
                depth: first(|row| row.depth),
                depth_two: first(|row| row.depth_two),
                correlations: about.iter().flat_map(|row| row.correlations.iter().cloned()).collect(),
            }
        })
        .collect()
}

/// Prices of the currencies, per rulebook in its reporting currency.
///
/// The collateral table's own price comes first, then the market table, then the index price that the
/// positions carry. A price that is needed and not given is an error, never a default.
pub(super) fn currencies(
    names: &Names,
    collected: &Collected,
    rulebooks: &[Rulebook],
    accounts: &[Account],
    findings: &mut Vec<Finding>,
) -> Vec<Currency> {
    let priced: Vec<Currency> = names
        .currencies
        .iter()
        .map(|code| {
            let given = price_given(code, collected);
            Currency {
                code: code.clone(),
                underlying: (!is_stable(code) || follows(code, collected).is_some())
                    .then(|| names.underlying(&coin_of(code, collected))),
                price: rulebooks
                    .iter()
                    .map(|rulebook| match given {
                        _ if rulebook.report_currency == *code => Some(1.0),
                        Some(price) if rulebook.divide_by_peg => {
                            let peg = price_in_market(&rulebook.report_currency, collected);
                            Some(price / peg.unwrap_or(1.0))
                        }
                        given => given,
                    })
                    .collect(),
                price_reference: collected
                    .balances
                    .rows
                    .iter()
                    .filter(|balance| balance.currency == *code)
                    .find_map(|balance| balance.price_reference),
                peg: is_stable(code).then(|| price_in_market(code, collected)).flatten(),
            }
        })
        .collect();
    for currency in &priced {
        let mut rows =
            collected.balances.rows.iter().filter(|b| b.currency == currency.code && b.price_venue.is_some());
        let Some(first) = rows.next() else { continue };
        if let Some(other) = rows.find(|other| other.price_venue != first.price_venue) {
            findings.push(Finding {
                severity: Severity::Warning,
                sheet: "Collateral",
                row: Some(other.row),
                column: "priceVenue".into(),
                value: other.price_venue.map_or_else(String::new, |price| price.to_string()),
                code: "price_differs",
                message: format!(
                    "{}: this row and row {} give different prices; {} is used for all",
                    currency.code,
                    first.row,
                    first.price_venue.unwrap_or_default()
                ),
                fix: "give one price per currency".into(),
            });
        }
    }
    refuse_missing(&priced, collected, rulebooks, accounts, names, findings);
    priced
}

/// The coin that a balance's own row says its currency follows.
fn follows<'a>(code: &str, collected: &'a Collected) -> Option<&'a str> {
    let mut rows = collected.balances.rows.iter().filter(|balance| balance.currency == code);
    rows.find_map(|balance| balance.follows.as_deref())
}

/// The coin whose price a currency follows: as a row says, else as is known.
fn coin_of(code: &str, collected: &Collected) -> String {
    follows(code, collected).map_or_else(|| followed_coin(code), str::to_owned)
}

fn price_given(code: &str, collected: &Collected) -> Option<f64> {
    let in_collateral = collected
        .balances
        .rows
        .iter()
        .filter(|balance| balance.currency == code)
        .find_map(|balance| balance.price_venue);
    let in_positions = || {
        collected
            .positions
            .rows
            .iter()
            .filter(|row| {
                let instrument = collected.positions.instruments.get(row.instrument as usize);
                instrument.is_some_and(|instrument| instrument.underlying == code)
            })
            .find_map(|row| row.index_price)
    };
    in_collateral.or_else(|| price_in_market(code, collected)).or_else(in_positions)
}

/// The price of a currency in the market table; the mark of a contract on it is none.
fn price_in_market(code: &str, collected: &Collected) -> Option<f64> {
    collected
        .market
        .rows
        .iter()
        .filter(|row| {
            let name = row.underlying.as_ref().or(row.symbol.as_ref());
            name.is_some_and(|name| name.eq_ignore_ascii_case(code))
        })
        .find_map(|row| {
            let option = row.symbol.as_deref().is_some_and(crate::tables::is_option_symbol);
            row.index_price.or(row.mark_price.filter(|_| !option && row.expiry.is_none()))
        })
}

fn refuse_missing(
    priced: &[Currency],
    collected: &Collected,
    rulebooks: &[Rulebook],
    accounts: &[Account],
    names: &Names,
    findings: &mut Vec<Finding>,
) {
    let mut needed: BTreeMap<(usize, usize), (&'static str, usize, String)> = BTreeMap::new();
    for row in &collected.positions.rows {
        let account = row.account.and_then(|a| collected.positions.accounts.get(a as usize));
        let account = collected.account(account.map(String::as_str));
        let Some(instrument) = collected.positions.instruments.get(row.instrument as usize) else { continue };
        let rulebook = accounts.get(account).map_or(0, |account| account.rulebook);
        needed
            .entry((rulebook, names.currency(&instrument.settle)))
            .or_insert_with(|| ("Positions", row.row, instrument.symbol.clone()));
    }
    for balance in &collected.balances.rows {
        let rulebook = accounts.get(collected.account(balance.account.as_deref())).map_or(0, |a| a.rulebook);
        let empty = balance.cash.or(balance.equity) == Some(0.0) && balance.debt == 0.0;
        if !empty {
            needed
                .entry((rulebook, names.currency(&balance.currency)))
                .or_insert_with(|| ("Collateral", balance.row, balance.currency.clone()));
        }
    }
    for ((rulebook, currency), (sheet, row, value)) in needed {
        let (Some(rules), Some(currency)) = (rulebooks.get(rulebook), priced.get(currency)) else { continue };
        let missing = currency.price.get(rulebook).copied().flatten().is_none();
        if missing {
            let pools = if rules.pool == PoolRule::AccountSettle { " of the totals" } else { "" };
            findings.push(Finding {
                severity: Severity::Error,
                sheet,
                row: Some(row),
                column: "price".into(),
                value,
                code: "currency_price_missing",
                message: format!(
                    "{} has no price in {}, the reporting currency{pools}; a missing price is never a default",
                    currency.code, rules.report_currency
                ),
                fix: format!(
                    "give priceVenue on the Collateral sheet, or a Market row {} with indexPrice",
                    currency.code
                ),
            });
        }
    }
}
