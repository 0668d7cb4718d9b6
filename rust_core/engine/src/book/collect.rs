//! Reads the pasted tables and settles which account every row belongs to.

use crate::cell::Table;
use crate::finding::{Finding, Severity};
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
}

impl Collected {
    /// Index of an account by name.
    pub(super) fn account(&self, name: Option<&str>) -> usize {
        name.and_then(|name| self.accounts.binary_search_by(|known| known.as_str().cmp(name)).ok())
            .unwrap_or(self.default_account)
    }
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
