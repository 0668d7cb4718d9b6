//! Findings while a table is read.

use super::aliases::Sheet;
use crate::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// Findings of one kind in one column that are listed one by one; what comes after is counted and named by
/// its rows, so that a million bad rows do not become a million sentences.
const LISTED: usize = 1000;

/// Collects the findings of one table.
pub(super) struct Notes {
    sheet: Sheet,
    findings: Vec<Finding>,
    counts: BTreeMap<(&'static str, String), Count>,
}

#[derive(Default)]
struct Count {
    listed: usize,
    unlisted: usize,
    first: usize,
    last: usize,
    severity: Option<Severity>,
}

/// The value as pasted, the rule in one sentence, and what to do.
pub(super) type Words = (String, String, String);

impl Notes {
    pub(super) fn new(sheet: Sheet) -> Self {
        Self { sheet, findings: Vec::new(), counts: BTreeMap::new() }
    }

    /// About the table as a whole.
    pub(super) fn table(&mut self, severity: Severity, code: &'static str, message: String, fix: &str) {
        self.column(severity, "", code, message, fix.to_owned());
    }

    /// About a column.
    pub(super) fn column(
        &mut self,
        severity: Severity,
        column: &str,
        code: &'static str,
        message: String,
        fix: String,
    ) {
        self.findings.push(Finding {
            severity,
            sheet: self.sheet.word(),
            row: None,
            column: column.to_owned(),
            value: String::new(),
            code,
            message,
            fix,
        });
    }

    /// About one row; `words` are asked for only if the finding will be listed.
    pub(super) fn row(
        &mut self,
        severity: Severity,
        row: usize,
        column: &str,
        code: &'static str,
        words: impl FnOnce() -> Words,
    ) {
        let count = self.counts.entry((code, column.to_owned())).or_default();
        if count.listed < LISTED {
            count.listed += 1;
            let (value, message, fix) = words();
            self.findings.push(Finding {
                severity,
                sheet: self.sheet.word(),
                row: Some(row),
                column: column.to_owned(),
                value,
                code,
                message,
                fix,
            });
        } else {
            if count.unlisted == 0 {
                count.first = row;
                count.severity = Some(severity);
            }
            count.unlisted += 1;
            count.last = row;
        }
    }

    /// Everything that was noticed, the table first and then by row.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        for ((code, column), count) in &self.counts {
            let Some(severity) = count.severity else { continue };
            self.findings.push(Finding {
                severity,
                sheet: self.sheet.word(),
                row: None,
                column: column.clone(),
                value: String::new(),
                code,
                message: format!(
                    "{} more rows like the {LISTED} listed, between row {} and row {}",
                    count.unlisted, count.first, count.last
                ),
                fix: "repair the listed rows and read the table again".into(),
            });
        }
        self.findings.sort_by_key(|finding| finding.row);
        self.findings
    }
}
