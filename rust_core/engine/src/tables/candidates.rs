//! The table of positions that may be deleveraged: other users' positions in a contract, as far as somebody knows
//! or assumes them.

use super::aliases::Sheet;
use super::columns::Columns;
use super::notes::Notes;
use super::number::{NumberColumn, Rule};
use super::side::{Direction, direction, signed};
use super::words::MeaningColumn;
use crate::cell::Table;
use crate::finding::{Finding, Severity};

/// One row, read; money in the settlement currency of the contract.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CandidateRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Whose position it is.
    pub account: String,
    /// Its contract; the one asked about where the row names none.
    pub symbol: Option<String>,
    /// Signed quantity.
    pub quantity: f64,
    /// Average entry price.
    pub entry: f64,
    /// Mark price.
    pub mark: Option<f64>,
    /// Equity of the account.
    pub equity: f64,
    /// Balance without unrealised profit and loss.
    pub wallet: Option<f64>,
    /// Maintenance margin of the account.
    pub maintenance: Option<f64>,
    /// Initial margin of the position.
    pub initial: Option<f64>,
    /// Leverage that the user has chosen.
    pub leverage: Option<f64>,
    /// Bankruptcy price.
    pub bankruptcy: Option<f64>,
}

/// Reads a table of candidates, with what is wrong with it.
pub fn read_candidates(table: &Table) -> (Vec<CandidateRow>, Vec<Finding>) {
    let mut notes = Notes::new(Sheet::Candidates);
    let required: &[&[&str]] = &[&["account"], &["qty"], &["entry"], &["equity"]];
    let (columns, _) = Columns::read(table, Sheet::Candidates, required, &mut notes);
    let names = columns.words("account");
    let symbols = columns.words("symbol");
    let sides = MeaningColumn::new(columns.words("side"), direction);
    let number = |name: &str| columns.numbers(name);
    let (quantity, entry, mark, equity) = (number("qty"), number("entry"), number("mark"), number("equity"));
    let (wallet, mm, im) = (number("wallet"), number("mm"), number("im"));
    let (leverage, bankruptcy) = (number("leverage"), number("bankruptcy"));
    let mut rows = Vec::new();
    for row in 0..columns.rows() {
        if columns.is_blank(row) {
            continue;
        }
        let mut read =
            |column: &NumberColumn<'_>, rule: Rule| column.read(row, rule, &mut notes).ok().flatten();
        let (quantity, entry) = (read(&quantity, Rule::Finite), read(&entry, Rule::Price));
        let equity = read(&equity, Rule::Finite);
        let mut found = CandidateRow {
            row: row + 2,
            mark: read(&mark, Rule::Price),
            wallet: read(&wallet, Rule::Finite),
            maintenance: read(&mm, Rule::NotNegative),
            initial: read(&im, Rule::NotNegative),
            leverage: read(&leverage, Rule::Positive("leverage_not_positive")),
            bankruptcy: read(&bankruptcy, Rule::Price),
            ..CandidateRow::default()
        };
        found.account = names.text(row).unwrap_or_default().to_owned();
        found.symbol = symbols.text(row).map(str::to_owned);
        let side: Option<Direction> = sides.read(row, &mut notes).ok().flatten();
        let missing = [
            ("account", found.account.is_empty()),
            ("qty", quantity.is_none()),
            ("entry", entry.is_none()),
            ("equity", equity.is_none()),
        ];
        if let Some((name, _)) = missing.into_iter().find(|(_, missing)| *missing) {
            notes.row(Severity::Error, row + 2, columns.header(name), "candidate_incomplete", || {
                (String::new(), format!("a candidate needs {name}"), "fill in the cell".into())
            });
            continue;
        }
        let (Some(size), Some(entry), Some(equity)) = (quantity, entry, equity) else { continue };
        match signed(size, side) {
            Ok(quantity) => rows.push(CandidateRow { quantity, entry, equity, ..found }),
            Err((code, rule)) => notes.row(Severity::Error, row + 2, columns.header("qty"), code, || {
                (size.to_string(), format!("qty {rule}, was {size}"), "correct the side or the sign".into())
            }),
        }
    }
    (rows, notes.finish())
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[test]
    fn candidates_are_read_by_name_and_a_side_signs_the_quantity() {
        let (rows, _) = read_candidates(&table(
            "account|side|qty|entryPrice|equity|leverage\nu1|short|5|100|100|10\nu2||-3|90|50|",
        ));
        assert_eq!((rows[0].quantity, rows[0].entry, rows[0].leverage), (-5.0, 100.0, Some(10.0)));
        assert_eq!((rows[1].quantity, rows[1].row), (-3.0, 3));
    }

    #[test]
    fn a_row_that_lacks_what_it_needs_is_named() {
        let (rows, findings) = read_candidates(&table("account|qty|entry|equity\nu1|5||100\nu2|1|10|x"));
        assert!(rows.is_empty());
        let errors: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.message.as_str())
            .collect();
        assert!(errors.contains(&"a candidate needs entry"), "{errors:?}");
    }
}
