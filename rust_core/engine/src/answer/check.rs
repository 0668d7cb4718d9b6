//! What was noticed about the tables, as tables.

use super::{Answer, Value};
use crate::book::Book;
use crate::finding::{Finding, Severity};
use crate::margin::tail::tail_of;
use crate::rulebook::Measure;
use crate::tables::{ColumnView, UnitView};

/// The header of `CM_CHECK`.
pub const HEADER: [&str; 8] = ["severity", "sheet", "row", "column", "value", "code", "message", "fix"];

/// The header of its view `columns`.
pub const COLUMNS: [&str; 6] = ["sheet", "header", "understood_as", "unit", "sample", "note"];

/// The header of its view `units`.
pub const UNITS: [&str; 3] = ["symbol", "read_as", "because"];

/// The list of findings; one row says so when there are none.
pub fn issues(findings: &[Finding]) -> Answer {
    let mut answer = Answer::new(&HEADER);
    for finding in findings {
        answer.rows.push(vec![
            finding.severity.word().into(),
            finding.sheet.into(),
            finding.row.map_or(Value::Text(String::new()), Value::from),
            finding.column.as_str().into(),
            finding.value.as_str().into(),
            finding.code.into(),
            finding.message.as_str().into(),
            finding.fix.as_str().into(),
        ]);
    }
    if answer.rows.is_empty() {
        let mut row: Vec<Value> = vec!["OK".into()];
        row.resize(HEADER.len(), "".into());
        if let Some(message) = row.get_mut(6) {
            *message = "nothing to report".into();
        }
        answer.rows.push(row);
    }
    answer
}

/// What was noticed about the tables of a book, about its history, and where its rulebooks make scenarios of it.
pub fn of_book(book: &Book) -> Answer {
    let mut found = book.findings.clone();
    if let Some(history) = &book.history {
        found.extend(history.issues());
    }
    for (index, rulebook) in book.rulebooks.iter().enumerate() {
        if !matches!(rulebook.measure, Measure::Tail(_)) {
            continue;
        }
        match tail_of(book, index) {
            Ok((moves, _)) => found.extend(moves.findings.iter().cloned()),
            Err(refusal) => found.push(Finding {
                severity: Severity::Error,
                sheet: "History",
                row: None,
                column: String::new(),
                value: String::new(),
                code: "no_scenarios",
                message: format!("rulebook '{}' has no scenarios: {refusal}", rulebook.id),
                fix: "give what is missing; margins are no answer until then".into(),
            }),
        }
    }
    found.sort_by_key(|finding| finding.severity);
    issues(&found)
}

/// How headers were understood.
pub fn columns(views: &[ColumnView]) -> Answer {
    let mut answer = Answer::new(&COLUMNS);
    for view in views {
        answer.rows.push(vec![
            view.sheet.into(),
            view.header.as_str().into(),
            view.understood_as.as_str().into(),
            view.unit.as_str().into(),
            view.sample.as_str().into(),
            view.note.as_str().into(),
        ]);
    }
    answer
}

/// How quantities were read.
pub fn units(views: &[UnitView]) -> Answer {
    let mut answer = Answer::new(&UNITS);
    for view in views {
        answer.rows.push(vec![
            view.symbol.as_str().into(),
            view.read_as.into(),
            view.because.as_str().into(),
        ]);
    }
    answer
}
