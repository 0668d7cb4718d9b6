//! Tables as venues and people write them.

mod exports;
mod positions;
mod refusals;
mod symbols;

use super::{BalanceTotal, Defaults};
use crate::cell::{Cell, Table};
use crate::finding::{Finding, Severity};

/// A table from text: cells are separated by `|`, numbers become numbers.
fn table(text: &str) -> Table {
    let cell = |cell: &str| match cell.trim().parse::<f64>() {
        Ok(number) => Cell::Number(number),
        Err(_) => Cell::from_text(cell),
    };
    Table::from_rows(text.trim().lines().map(|line| line.split('|').map(cell).collect()).collect())
}

fn defaults() -> Defaults {
    Defaults { settle: "USDC".into(), balance_total: BalanceTotal::Cash }
}

fn errors(findings: &[Finding]) -> Vec<(&'static str, Option<usize>)> {
    of(findings, Severity::Error)
}

fn of(findings: &[Finding], severity: Severity) -> Vec<(&'static str, Option<usize>)> {
    findings.iter().filter(|f| f.severity == severity).map(|f| (f.code, f.row)).collect()
}
