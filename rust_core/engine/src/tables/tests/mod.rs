//! Tables as venues and people write them.

mod anything;
mod balances;
mod exports;
mod positions;
mod refusals;
mod symbols;

use super::{BalanceTotal, Defaults};
use crate::cell::{Cell, Table};
use crate::finding::{Finding, Severity};

/// A table from text: cells are separated by `|`, numbers become numbers.
pub(super) fn table(text: &str) -> Table {
    let cell = |cell: &str| match cell.trim().parse::<f64>() {
        Ok(number) => Cell::Number(number),
        Err(_) => Cell::from_text(cell),
    };
    Table::from_rows(text.trim().lines().map(|line| line.split('|').map(cell).collect()).collect())
}

pub(super) fn defaults() -> Defaults {
    Defaults { settle: "USDC".into(), balance_total: BalanceTotal::Cash }
}

pub(super) fn errors(findings: &[Finding]) -> Vec<(&'static str, Option<usize>)> {
    of(findings, Severity::Error)
}

pub(super) fn of(findings: &[Finding], severity: Severity) -> Vec<(&'static str, Option<usize>)> {
    findings.iter().filter(|f| f.severity == severity).map(|f| (f.code, f.row)).collect()
}
