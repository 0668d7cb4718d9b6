//! Reads the pasted tables and settles which account every row belongs to.

use std::collections::BTreeMap;

use crate::cell::Table;
use crate::finding::{Finding, Severity};
use crate::instrument::Instrument;
use crate::rulebook::Rulebook;
use crate::tables::{
    Balances, Brackets, ColumnView, Defaults, MarketRows, Orders, Positions, UnitView, read_balances,
    read_brackets, read_market, read_orders, read_positions,
};

use super::build::Input;

/// The tables, understood, with one account name per row.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) positions: Positions,
    pub(super) balances: Balances,
    pub(super) orders: Orders,
    pub(super) market: MarketRows,
    pub(super) brackets: Brackets,
    /// Account names in alphabetical order.
    pub(super) accounts: Vec<String>,
    /// Account of the position rows that name none.
    pub(super) default_account: usize,
    pub(super) findings: Vec<Finding>,
    pub(super) columns: Vec<ColumnView>,
    pub(super) units: Vec<UnitView>,
    pub(super) pasted_rows: usize,
    /// Whether balances are whole wallets that hold the isolated margins too (Binance's `walletBalance`).
    pub(super) wallet_includes_isolated: bool,
}

impl Collected {
    /// Index of an account by name.
    pub(super) fn account(&self, name: Option<&str>) -> usize {
        name.and_then(|name| self.accounts.binary_search_by(|known| known.as_str().cmp(name)).ok())
            .unwrap_or(self.default_account)
    }
}

/// Stands for the settlement currency of a row until its account, and so its rulebook, is known.
pub(super) const UNSETTLED: &str = "SETTLED-BY-RULEBOOK";

/// Gives rows that name no settlement currency that of their account's rulebook.
pub(super) fn settle_by_account(collected: &mut Collected, named: &[(String, &Rulebook)]) {
    let settle_of = |account: &str| {
        let own = named.iter().find(|(name, _)| name == account).or_else(|| named.first());
        own.map_or_else(String::new, |(_, rulebook)| rulebook.settle.clone())
    };
    let settles: Vec<String> = collected.accounts.iter().map(|account| settle_of(account)).collect();
    let place = |collected: &Collected, name: Option<&str>| {
        settles.get(collected.account(name)).cloned().unwrap_or_default()
    };
    let mut known: BTreeMap<Instrument, usize> = collected
        .positions
        .instruments
        .iter()
        .cloned()
        .enumerate()
        .map(|(index, own)| (own, index))
        .collect();
    let mut rows = std::mem::take(&mut collected.positions.rows);
    for row in &mut rows {
        let Some(instrument) = collected.positions.instruments.get(row.instrument as usize) else { continue };
        if instrument.settle != UNSETTLED {
            continue;
        }
        let name = row.account.and_then(|a| collected.positions.accounts.get(a as usize)).map(String::as_str);
        let own = Instrument { settle: place(collected, name), ..instrument.clone() };
        let next = collected.positions.instruments.len();
        let index = *known.entry(own.clone()).or_insert(next);
        if index == next {
            collected.positions.instruments.push(own);
        }
        row.instrument = u32::try_from(index).unwrap_or(row.instrument);
    }
    collected.positions.rows = rows;
    let mut orders = std::mem::take(&mut collected.orders.rows);
    for order in orders.iter_mut().filter(|order| order.instrument.settle == UNSETTLED) {
        order.instrument.settle = place(collected, order.account.as_deref());
    }
    collected.orders.rows = orders;
    let mut balances = std::mem::take(&mut collected.balances.rows);
    for balance in balances.iter_mut().filter(|balance| balance.currency == UNSETTLED) {
        balance.currency = place(collected, balance.account.as_deref());
    }
    collected.balances.rows = balances;
    // instruments that no row uses any more are not part of the book
    let held: Vec<usize> = collected.positions.rows.iter().map(|row| row.instrument as usize).collect();
    let mut map = vec![None; collected.positions.instruments.len()];
    let mut kept = Vec::new();
    for index in held {
        if let Some(slot @ None) = map.get_mut(index) {
            *slot = Some(kept.len());
            kept.extend(collected.positions.instruments.get(index).cloned());
        }
    }
    for row in &mut collected.positions.rows {
        if let Some(Some(index)) = map.get(row.instrument as usize) {
            row.instrument = u32::try_from(*index).unwrap_or(row.instrument);
        }
    }
    collected.positions.instruments = kept;
}

/// Reads every table.
pub(super) fn collect(input: &Input<'_>, defaults: &Defaults) -> Collected {
    let mut collected = Collected::default();
    let rows = |table: Option<&Table>| table.map_or(0, Table::rows);
    collected.pasted_rows = rows(input.positions)
        + rows(input.collateral)
        + rows(input.market)
        + rows(input.orders)
        + rows(input.brackets);
    if let Some(table) = input.positions {
        collected.positions = read_positions(table, defaults);
    }
    if let Some(table) = input.collateral {
        collected.balances = read_balances(table, defaults);
    }
    if let Some(table) = input.orders {
        collected.orders = read_orders(table, defaults, Some(&collected.positions));
    }
    if let Some(table) = input.market {
        collected.market = read_market(table, defaults);
    }
    if let Some(table) = input.brackets {
        collected.brackets = read_brackets(table, defaults);
    }
    let has = |header: &str| {
        let plain = |text: &str| text.to_lowercase().replace(['_', ' ', '-'], "");
        collected.balances.columns.iter().any(|view| plain(&view.header) == header)
    };
    collected.wallet_includes_isolated =
        collected.balances.venue == Some("binance") && has("walletbalance") && !has("crosswalletbalance");
    collected.findings.append(&mut collected.positions.findings);
    collected.findings.append(&mut collected.balances.findings);
    collected.findings.append(&mut collected.orders.findings);
    collected.findings.append(&mut collected.market.findings);
    collected.findings.append(&mut collected.brackets.findings);
    collected.columns.append(&mut collected.positions.columns);
    collected.columns.append(&mut collected.balances.columns);
    collected.columns.append(&mut collected.orders.columns);
    collected.columns.append(&mut collected.market.columns);
    collected.columns.append(&mut collected.brackets.columns);
    collected.units.append(&mut collected.positions.units);
    let silent = !collected
        .findings
        .iter()
        .any(|finding| finding.sheet == "Positions" && finding.severity != Severity::Info);
    let flat = collected.findings.iter().any(|finding| finding.code == "flat");
    if input.positions.is_some() && collected.positions.rows.is_empty() && silent && !flat {
        collected.findings.push(Finding {
            severity: Severity::Error,
            sheet: "Positions",
            row: None,
            column: String::new(),
            value: String::new(),
            code: "table_empty",
            message: "positions need rows below the header; the table is empty".into(),
            fix: "paste the rows below the header".into(),
        });
    }
    settle_accounts(&mut collected);
    collected
}

/// Decides which account the rows belong to that name none (decisions.md 1).
fn settle_accounts(collected: &mut Collected) {
    let in_positions = collected.positions.accounts.clone();
    let in_balances: Vec<String> =
        collected.balances.rows.iter().filter_map(|balance| balance.account.clone()).collect();
    let mut names: Vec<String> = in_positions.iter().chain(&in_balances).cloned().collect();
    names.extend(collected.orders.rows.iter().filter_map(|order| order.account.clone()));
    names.sort();
    names.dedup();
    let nameless_positions = collected.positions.rows.iter().any(|row| row.account.is_none());
    let nameless_balances = collected.balances.rows.iter().any(|row| row.account.is_none());
    let nameless_orders = collected.orders.rows.iter().any(|row| row.account.is_none());
    if names.is_empty() {
        names.push("main".to_owned());
    } else if names.len() > 1 && (nameless_positions || nameless_balances || nameless_orders) {
        let (sheet, row) = if nameless_positions {
            ("Positions", collected.positions.rows.iter().find(|r| r.account.is_none()).map(|r| r.row))
        } else if nameless_balances {
            ("Collateral", collected.balances.rows.iter().find(|r| r.account.is_none()).map(|r| r.row))
        } else {
            ("Orders", collected.orders.rows.iter().find(|r| r.account.is_none()).map(|r| r.row))
        };
        collected.findings.push(Finding {
            severity: Severity::Error,
            sheet,
            row,
            column: "account".into(),
            value: String::new(),
            code: "account_unclear",
            message: format!(
                "the tables name {} accounts ({}), so every row must name its own",
                names.len(),
                names.join(", ")
            ),
            fix: "fill the account column".into(),
        });
    }
    collected.accounts = names;
    collected.default_account = 0;
}
