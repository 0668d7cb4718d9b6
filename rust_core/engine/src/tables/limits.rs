//! The limits table: what a desk allows itself, row by row.

use super::aliases::Sheet;
use super::columns::Columns;
use super::date;
use super::notes::Notes;
use super::number::{NumberColumn, Rule};
use super::words::WordColumn;
use crate::cell::{Cell, Table};
use crate::finding::{Finding, Severity};

/// One row, read. What is wrong with it does not refuse the others.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LimitRow {
    /// Row of the pasted table, the header being row 1; `None` for the limits of a risk profile.
    pub row: Option<usize>,
    /// What the desk calls it.
    pub id: String,
    /// What it is about, as pasted.
    pub scope: String,
    /// What is measured, as pasted.
    pub metric: String,
    /// From here on somebody should look.
    pub warn: Option<f64>,
    /// What is allowed.
    pub limit: Option<f64>,
    /// Beyond this everything stops.
    pub hard: Option<f64>,
    /// `money` or `equity`, as pasted.
    pub unit: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it.
    pub approver: String,
    /// Why it is what it is.
    pub reason: String,
    /// First day on which it holds, `YYYY-MM-DD`.
    pub effective: Option<String>,
    /// Last day on which it holds.
    pub expires: Option<String>,
    /// What is to be done.
    pub action: String,
    /// Since when it is broken, as the desk noted it.
    pub since: String,
    /// Why the row cannot be used.
    pub refusal: Option<String>,
}

/// The limits table, understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LimitRows {
    /// Every row that is not blank.
    pub rows: Vec<LimitRow>,
    /// What is wrong with the table as a whole, and what was noticed.
    pub findings: Vec<Finding>,
}

/// Reads a limits table. A row that cannot be used keeps its place and says why.
pub fn read_limits(table: &Table) -> LimitRows {
    let mut notes = Notes::new(Sheet::Limits);
    let required: &[&[&str]] = &[&["limit_id"], &["metric"], &["limit"]];
    let (columns, _) = Columns::read(table, Sheet::Limits, required, &mut notes);
    let reader = Reader {
        columns: &columns,
        words: WORDS.map(|name| columns.words(name)),
        dates: ["effective", "expires"].map(|name| columns.words(name)),
        numbers: ["warn", "limit", "hard"].map(|name| columns.numbers(name)),
    };
    let rows = (0..columns.rows()).filter_map(|row| reader.row(row)).collect();
    LimitRows { rows, findings: notes.finish() }
}

const WORDS: [&str; 9] =
    ["limit_id", "scope", "metric", "unit", "owner", "approver", "reason", "action", "since"];

struct Reader<'a> {
    columns: &'a Columns<'a>,
    words: [WordColumn<'a>; 9],
    dates: [WordColumn<'a>; 2],
    numbers: [NumberColumn<'a>; 3],
}

impl Reader<'_> {
    fn row(&self, row: usize) -> Option<LimitRow> {
        if self.columns.is_blank(row) {
            return None;
        }
        // of its own, so that the first thing wrong with this row can be told
        let mut notes = Notes::new(Sheet::Limits);
        let [id, scope, metric, unit, owner, approver, reason, action, since] =
            self.words.each_ref().map(|column| text(column, row, &mut notes));
        let [effective, expires] = self.dates.each_ref().map(|column| day(column, row, &mut notes));
        let [warn, limit, hard] = self
            .numbers
            .each_ref()
            .map(|column| column.read(row, Rule::Volatility, &mut notes).ok().flatten());
        let wrong = notes.finish().into_iter().find(|finding| finding.severity == Severity::Error);
        let refusal = wrong.map(|finding| finding.message).or_else(|| {
            let missing =
                [("limit_id", id.is_empty()), ("metric", metric.is_empty()), ("limit", limit.is_none())];
            let (name, _) = missing.into_iter().find(|(_, missing)| *missing)?;
            Some(format!("a limit needs a {name}"))
        });
        Some(LimitRow {
            row: Some(row + 2),
            id,
            scope,
            metric,
            warn,
            limit,
            hard,
            unit,
            owner,
            approver,
            reason,
            effective,
            expires,
            action,
            since,
            refusal,
        })
    }
}

fn text(column: &WordColumn<'_>, row: usize, notes: &mut Notes) -> String {
    match column.word(column.code(row)) {
        Cell::Error(index) => {
            refuse(
                column,
                row,
                Cell::Error(*index).shown(),
                "error_cell",
                "holds a spreadsheet error",
                notes,
            );
            String::new()
        }
        cell => cell.shown(),
    }
}

fn day(column: &WordColumn<'_>, row: usize, notes: &mut Notes) -> Option<String> {
    let text = text(column, row, notes);
    if text.is_empty() {
        return None;
    }
    let found = date::moment(&text).map(|(day, _)| day);
    if found.is_none() {
        refuse(column, row, text, "not_a_date", "needs a date that can mean one day only", notes);
    }
    found
}

fn refuse(
    column: &WordColumn<'_>,
    row: usize,
    value: String,
    code: &'static str,
    rule: &str,
    notes: &mut Notes,
) {
    notes.row(Severity::Error, row + 2, column.header(), code, || {
        let message = format!("{} {rule}, was {value}", column.header());
        (value, message, "correct the cell".into())
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[test]
    fn rows_keep_their_place_and_a_bad_one_says_why() {
        let read = read_limits(&table(
            "Limit ID|Metric|Limit|warn|hard|effective|expires|remarks\nL1|leverage|3|2|4|2026-01-01|2026-12-31|x\n|usage|0.7|||||\nL3|usage|much|||||\nL4||1|||||\nL5|usage|0.5|||soon||\nL6|usage||||||",
        ));
        let first = &read.rows[0];
        assert_eq!((first.row, first.id.as_str(), first.metric.as_str()), (Some(2), "L1", "leverage"));
        assert_eq!((first.warn, first.limit, first.hard), (Some(2.0), Some(3.0), Some(4.0)));
        assert_eq!(first.effective.as_deref(), Some("2026-01-01"));
        let why: Vec<Option<&str>> = read.rows.iter().map(|row| row.refusal.as_deref()).collect();
        assert_eq!(why[0], None);
        assert_eq!(why[1], Some("a limit needs a limit_id"));
        assert!(why[2].unwrap().starts_with("Limit needs text that can mean one number only"), "{why:?}");
        assert_eq!(why[3], Some("a limit needs a metric"));
        assert_eq!(why[4], Some("effective needs a date that can mean one day only, was soon"));
        assert_eq!(why[5], Some("a limit needs a limit"));
    }

    #[test]
    fn a_table_without_its_columns_is_refused_as_a_whole() {
        let read = read_limits(&table("limit_id|limit\nL1|3"));
        let refusal = read.findings.iter().find(|finding| finding.severity == Severity::Error).unwrap();
        assert!(refusal.message.starts_with("limits need a column named 'metric'"), "{}", refusal.message);
        assert!(read.rows.is_empty());
    }
}
