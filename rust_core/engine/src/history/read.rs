//! From a pasted table to series of levels.

use std::collections::BTreeMap;

use super::header::{Meaning, meaning};
use super::{Factor, FactorKind, History, SHEET, day_of, levels::Levels};
use crate::cell::{Cell, Column, Table};
use crate::error::{Error, Result, Sign};
use crate::finding::{Finding, Severity};

/// A volatility or basis in points is a hundredth of that.
const POINTS: f64 = 100.0;

/// How a history is read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The coin of tables that name none.
    pub coin: Option<String>,
    /// Days between the bars that are wanted, where they are not those of the table.
    pub step_days: Option<f64>,
    /// Whether cells that cannot be used are left out, and listed, instead of refusing the table.
    pub partial: bool,
}

/// Reads a history: rows by date and symbol, or columns by coin; dates in any order.
///
/// # Errors
///
/// [`Error::Table`] names row, column and value: a date that is none, a price that is not above zero, two
/// prices for one coin and date that differ, no column of dates, no series; [`Error::OutOfRange`] for a step that
/// the bars do not have.
pub fn read_history(table: &Table, reading: &Reading) -> Result<History> {
    let (levels, mut found) = read(table, reading)?;
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    if let Some(first) = found.iter().find(|finding| finding.severity == Severity::Error)
        && !reading.partial
    {
        let more = if errors > 1 { format!("; CM_CHECK lists {} more", errors - 1) } else { String::new() };
        let message =
            format!("row {}, {}: {}{more}", first.row.unwrap_or_default(), first.column, first.message);
        return Err(refused(message, Sign::NotAvailable));
    }
    for finding in &mut found {
        if finding.severity == Severity::Error {
            finding.message.push_str("; left out");
        }
    }
    let history = levels.finish(found)?;
    match reading.step_days {
        None => Ok(history),
        Some(days) => super::join::resampled(&history, days),
    }
}

/// Everything that is noticed about a table as a history, each unusable cell by itself.
///
/// # Errors
///
/// [`Error::Table`] where the table as a whole is no history.
pub fn inspect_history(table: &Table, reading: &Reading) -> Result<Vec<Finding>> {
    let (levels, mut found) = read(table, reading)?;
    match levels.finish(Vec::new()) {
        Ok(history) => found.extend(history.issues()),
        Err(refusal) if found.is_empty() => return Err(refusal),
        Err(_) => {}
    }
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

/// What is read so far, and everything noticed on the way.
struct Reader<'a> {
    table: &'a Table,
    levels: Levels,
    found: Vec<Finding>,
}

fn read(table: &Table, reading: &Reading) -> Result<(Levels, Vec<Finding>)> {
    let mut meanings: Vec<Meaning> = table.header.iter().map(|header| meaning(header)).collect();
    for place in 1..meanings.len() {
        // of two prices of the row's coin the first counts
        if let (before, [own, ..]) = meanings.split_at_mut(place)
            && matches!(own, Meaning::OfRow(_))
            && before.contains(own)
        {
            *own = Meaning::Ignored;
        }
    }
    // a column of remarks is no series
    let wordy = |column: &Column| {
        let mut cells = (0..table.rows()).map(|row| column.cell(row)).filter(|cell| *cell != Cell::Empty);
        cells.next().is_some() && !(0..table.rows()).any(|row| number_of(&column.cell(row)).is_some())
    };
    for (own, column) in meanings.iter_mut().zip(&table.columns) {
        if matches!(own, Meaning::Named(_)) && wordy(column) {
            *own = Meaning::Ignored;
        }
    }
    let place = |wanted: &Meaning| meanings.iter().position(|meaning| meaning == wanted);
    let Some(dates) = place(&Meaning::Date) else {
        return Err(refused(
            "a history needs a column of dates (date, time, timestamp) beside a column per coin, or beside symbol and close"
                .into(),
            Sign::Value,
        ));
    };
    let symbols = place(&Meaning::Symbol);
    let volumes = place(&Meaning::Volume);
    let given = match &reading.coin {
        None => None,
        Some(text) => Some(crate::tables::coin_of(text).ok_or_else(|| Error::Unknown {
            what: "coin",
            value: text.clone(),
            known: "names such as BTC, or symbols such as BTCUSDT".into(),
        })?),
    };
    check_columns(&meanings, symbols.is_some() || given.is_some())?;
    let mut reader = Reader { table, levels: Levels::default(), found: Vec::new() };
    let (mut before, mut unsorted): (BTreeMap<String, f64>, usize) = (BTreeMap::new(), 0);
    for row in 0..table.rows() {
        let cell = |column: usize| reader.cell(row, column);
        if (0..table.header.len()).all(|column| cell(column) == Cell::Empty) {
            continue;
        }
        let text = cell(dates).shown();
        let Some(instant) = crate::tables::instant(&text).filter(|instant| instant.is_finite()) else {
            let rule = "needs a date that can mean one day only, such as 2026-03-27";
            reader.bad(row, dates, &text, "not_a_date", rule);
            continue;
        };
        let coin = match symbols {
            None => given.clone(),
            Some(column) => match cell(column) {
                Cell::Text(text) if crate::tables::coin_of(&text).is_some() => crate::tables::coin_of(&text),
                other => {
                    reader.bad(row, column, &other.shown(), "not_a_symbol", "needs a coin or a symbol");
                    continue;
                }
            },
        };
        let of = coin.clone().unwrap_or_default();
        if before.get(&of).is_some_and(|last| *last > instant) {
            unsorted += 1;
        }
        before.insert(of, instant);
        let untraded =
            volumes.is_some_and(|column| matches!(cell(column), Cell::Number(volume) if volume == 0.0));
        for (column, meaning) in meanings.iter().enumerate() {
            let factor = match (meaning, &coin) {
                (Meaning::OfRow(kind) | Meaning::InPoints(kind), Some(coin)) => {
                    Factor { coin: coin.clone(), kind: *kind }
                }
                (Meaning::Named(factor), _) if symbols.is_none() => factor.clone(),
                _ => continue,
            };
            let scale = if matches!(meaning, Meaning::InPoints(_)) { POINTS } else { 1.0 };
            if let Some(level) = reader.level(row, column, &factor) {
                reader.put(factor, instant, level.map(|level| level / scale), untraded, (row, column));
            }
        }
    }
    reader.about_columns(&meanings, symbols.is_some());
    if unsorted > 0 {
        let message = format!("{unsorted} rows are older than the row above; rows were put in order");
        reader.found.push(super::notices::finding(Severity::Info, "", "unsorted", message, ""));
    }
    Ok((reader.levels, reader.found))
}

/// Whether some column can be a series at all.
fn check_columns(meanings: &[Meaning], coin_known: bool) -> Result<()> {
    let of_row = |meaning: &Meaning| matches!(meaning, Meaning::OfRow(_) | Meaning::InPoints(_));
    let named = |meaning: &Meaning| matches!(meaning, Meaning::Named(_));
    if meanings.iter().any(|own| named(own) || (coin_known && of_row(own))) {
        return Ok(());
    }
    let why = if meanings.iter().any(of_row) {
        "the prices name no coin: add a column symbol, name the column by its coin, or give the option coin=BTC"
    } else {
        "has no column that names a coin, such as BTC or 'BTC vol 30d'"
    };
    Err(refused(why.into(), Sign::Value))
}

impl Reader<'_> {
    fn cell(&self, row: usize, column: usize) -> Cell {
        self.table.columns.get(column).map_or(Cell::Empty, |column: &Column| column.cell(row))
    }

    fn header(&self, column: usize) -> &str {
        self.table.header.get(column).map_or("", String::as_str)
    }

    fn bad(&mut self, row: usize, column: usize, value: &str, code: &'static str, rule: &str) {
        let header = self.header(column).to_owned();
        self.found.push(Finding {
            severity: Severity::Error,
            sheet: SHEET,
            row: Some(row + 2),
            column: header,
            value: value.to_owned(),
            code,
            message: format!("{rule}, was '{value}'"),
            fix: "mend the cell, or give partial=1 to leave it out".into(),
        });
    }

    /// The level of a cell: `Some(None)` where the cell is empty, `None` where it cannot be used.
    fn level(&mut self, row: usize, column: usize, factor: &Factor) -> Option<Option<f64>> {
        let cell = self.cell(row, column);
        if cell == Cell::Empty {
            return Some(None);
        }
        let Some(number) = number_of(&cell) else {
            self.bad(row, column, &cell.shown(), "not_a_number", "needs a number");
            return None;
        };
        let basis = matches!(factor.kind, FactorKind::Basis { .. });
        if number.is_finite() && (basis || number > 0.0) {
            return Some(Some(number));
        }
        let rule = if basis { "needs a finite number" } else { "needs a finite number above zero" };
        self.bad(row, column, &cell.shown(), "price_not_positive", rule);
        None
    }

    fn put(
        &mut self,
        factor: Factor,
        instant: f64,
        level: Option<f64>,
        untraded: bool,
        (row, column): (usize, usize),
    ) {
        if let Err(known) = self.levels.put(factor, instant, level, untraded) {
            let value = level.map_or_else(String::new, |level| level.to_string());
            let rule =
                format!("{} of {} stands twice and differs ({known})", self.header(column), day_of(instant));
            self.bad(row, column, &value, "differs", &rule);
        }
    }

    fn about_columns(&mut self, meanings: &[Meaning], by_symbol: bool) {
        for (header, meaning) in self.table.header.iter().zip(meanings) {
            let unused = match meaning {
                Meaning::Ignored => true,
                Meaning::Named(_) => by_symbol,
                _ => false,
            };
            if unused && !header.trim().is_empty() {
                let message = format!("column '{header}' is not used");
                self.found.push(super::notices::finding(Severity::Info, header, "ignored", message, ""));
            }
            if *meaning == Meaning::Expiry {
                let message = format!(
                    "rows are about listed expiries ('{header}'), whose maturities change by the day: volatilities \
                     and forwards of them are not used, prices of the coin are"
                );
                let fix = "add columns of constant maturity, such as 'BTC vol 30d' and 'BTC basis 30d'";
                self.found.push(super::notices::finding(Severity::Warning, header, "expiries", message, fix));
            }
        }
    }
}

/// The number in a cell; thousands may be set off by commas.
fn number_of(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Text(text) => text.replace(',', "").parse().ok(),
        Cell::Empty | Cell::Error(_) => None,
    }
}

fn refused(message: String, sign: Sign) -> Error {
    Error::Table { table: SHEET, message, sign }
}

#[cfg(test)]
mod tests {
    use super::super::Series;
    use super::*;

    fn table(text: &str) -> Table {
        let rows = text.trim().lines().map(|line| {
            line.split('|')
                .map(|cell| cell.trim().parse::<f64>().map_or_else(|_| Cell::from_text(cell), Cell::Number))
                .collect()
        });
        Table::from_rows(rows.collect())
    }

    fn read_plainly(text: &str) -> Result<History> {
        read_history(&table(text), &Reading::default())
    }

    #[test]
    fn rows_by_symbol_and_columns_by_coin_are_the_same_history() {
        let rows = read_plainly(
            "date|symbol|open|close|volume\n2026-01-02|BTC|1|110|5\n2026-01-01|BTC|1|100|5\n2026-01-01|ETHUSDT|1|10|5\n2026-01-02|ETHUSDT|1|11|5",
        )
        .unwrap();
        let columns = read_plainly("date|BTC|ETH\n2026-01-01|100|10\n2026-01-02|110|11").unwrap();
        assert_eq!(rows.hash, columns.hash);
        assert_eq!(rows.series[0].levels, [Some(100.0), Some(110.0)]);
        assert!((rows.step_days - 1.0).abs() < 1e-12);
    }

    #[test]
    fn prices_without_a_coin_take_the_one_that_is_given() {
        let text = "date|close_usd|dvol_close\n2026-01-01|100|50\n2026-01-02|110|55";
        let reading = Reading { coin: Some("btc".into()), ..Reading::default() };
        let history = read_history(&table(text), &reading).unwrap();
        let names: Vec<String> = history.series.iter().map(|own: &Series| own.factor.to_string()).collect();
        assert_eq!(names, ["BTC", "BTC volatility 30 d"]);
        assert_eq!(history.series[1].levels, [Some(0.5), Some(0.55)]);
    }

    #[test]
    fn what_is_wrong_with_a_history_is_said_with_row_and_column() {
        for (text, sentence) in [
            ("BTC|ETH\n1|2", "a history needs a column of dates"),
            ("date|close\n2026-01-01|1\n2026-01-02|1", "the prices name no coin"),
            ("date|open\n2026-01-01|1\n2026-01-02|1", "has no column that names a coin"),
            ("date|BTC\n2026-01-01|1", "needs at least 2 dates, has 1"),
            ("date|BTC\n03/04/26|1\n2026-01-02|1", "row 2, date: needs a date that can mean one day only"),
            ("date|BTC\n2026-01-01|0\n2026-01-02|1", "row 2, BTC: needs a finite number above zero, was '0'"),
            ("date|BTC\n2026-01-01|-3\n2026-01-02|x", "was '-3'; CM_CHECK lists 1 more"),
            ("date|BTC\n2026-01-01|x\n2026-01-02|1", "row 2, BTC: needs a number, was 'x'"),
            (
                "date|symbol|close\n2026-01-01|BTC|1\n2026-01-01|BTC|2\n2026-01-02|BTC|2",
                "stands twice and differs",
            ),
        ] {
            let refusal = read_plainly(text).unwrap_err().to_string();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }

    #[test]
    fn an_inspection_lists_every_bad_cell_and_partial_leaves_them_out() {
        let text = "date|BTC|ETH\n2026-01-01|0|5\nsoon|1|5\n2026-01-02|x|6\n2026-01-03|2|7\n2026-01-04|3|8";
        let found = inspect_history(&table(text), &Reading::default()).unwrap();
        let errors: Vec<(&str, Option<usize>)> = found
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| (finding.code, finding.row))
            .collect();
        assert_eq!(
            errors,
            [("price_not_positive", Some(2)), ("not_a_date", Some(3)), ("not_a_number", Some(4))]
        );
        let history = read_history(&table(text), &Reading { partial: true, ..Reading::default() }).unwrap();
        let bitcoin = history.series_of(&Factor::price("BTC")).unwrap();
        assert_eq!(bitcoin.levels, [None, None, Some(2.0), Some(3.0)]);
        assert_eq!(history.issues().iter().filter(|own| own.severity == Severity::Error).count(), 3);
    }

    #[test]
    fn holes_young_series_and_stale_levels_are_reported() {
        let history = read_plainly(
            "date|BTC|SOL\n2026-01-01|1|\n2026-01-02|1|\n2026-01-03|1|5\n2026-01-04|2|\n2026-01-07|3|6\n2026-01-08|4|7",
        )
        .unwrap();
        let codes: Vec<&str> = history.issues().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["gap", "stale", "new_listing", "bars_missing"]);
    }

    #[test]
    fn rows_out_of_order_rows_twice_and_listed_expiries_are_reported() {
        let history = read_plainly(
            "date|coin|expiry|index_usd|atm_iv\n2026-01-02|BTC|2026-03-27|2|0.5\n2026-01-02|BTC|2026-06-26|2|0.6\n2026-01-01|BTC|2026-03-27|1|0.5",
        )
        .unwrap();
        let codes: Vec<&str> = history.issues().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["twice", "expiries", "ignored", "unsorted"]);
    }
}
