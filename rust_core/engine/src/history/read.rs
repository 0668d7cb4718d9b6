//! From a pasted table to series of levels.

use std::collections::BTreeMap;

use super::header::{Meaning, meaning};
use super::{Factor, FactorKind, History, Series, day_of};
use crate::cell::{Cell, Column, Table};
use crate::error::{Error, Place, Result, Sign};
use crate::finding::{Finding, Severity};

/// The name of the table in refusals and findings.
const SHEET: &str = "History";
const SECONDS_OF_A_DAY: f64 = 86_400.0;
/// Bars that a history needs to have a move at all.
const FEWEST_BARS: usize = 2;

/// Reads a history: rows by date and symbol, or columns by coin; dates in any order.
///
/// # Errors
///
/// [`Error::Table`] names row, column and value: a date that is none, a price that is not above zero, two
/// prices for one coin and date that differ, no column of dates, no series.
pub fn read_history(table: &Table) -> Result<History> {
    let meanings: Vec<Meaning> = table.header.iter().map(|header| meaning(header)).collect();
    let place = |wanted: &Meaning| meanings.iter().position(|meaning| meaning == wanted);
    let Some(dates) = place(&Meaning::Date) else {
        return Err(refused(
            "a history needs a column of dates (date, time, timestamp) beside a column per coin, or beside symbol and close"
                .into(),
            Sign::Value,
        ));
    };
    let symbols = place(&Meaning::Symbol);
    let mut levels: Levels = Levels::default();
    let volumes = place(&Meaning::Volume);
    for row in 0..table.rows() {
        let cell =
            |column: usize| table.columns.get(column).map_or(Cell::Empty, |column: &Column| column.cell(row));
        let blank = |column: usize| cell(column) == Cell::Empty;
        if (0..table.header.len()).all(blank) {
            continue;
        }
        let instant = instant(&cell(dates), row, header(table, dates))?;
        let coin = match symbols {
            None => None,
            Some(column) => match cell(column) {
                Cell::Text(text) => match crate::tables::coin_of(&text) {
                    Some(coin) => Some(coin),
                    None => return Err(bad(row, header(table, column), &text, "needs a coin or a symbol")),
                },
                other => {
                    return Err(bad(row, header(table, column), &other.shown(), "needs a coin or a symbol"));
                }
            },
        };
        let untraded =
            volumes.is_some_and(|column| matches!(cell(column), Cell::Number(volume) if volume == 0.0));
        for (column, meaning) in meanings.iter().enumerate() {
            let factor = match (meaning, &coin) {
                (Meaning::OfRow(kind), Some(coin)) => Factor { coin: coin.clone(), kind: *kind },
                (Meaning::Named(factor), None) => factor.clone(),
                _ => continue,
            };
            let level = match cell(column) {
                Cell::Empty => None,
                Cell::Number(level) => Some(checked(level, &factor, row, header(table, column))?),
                other => match other.shown().replace(',', "").parse::<f64>() {
                    Ok(level) => Some(checked(level, &factor, row, header(table, column))?),
                    Err(_) => return Err(bad(row, header(table, column), &other.shown(), "needs a number")),
                },
            };
            levels.put(factor, instant, level, untraded, row, header(table, column))?;
        }
    }
    levels.finish(table, &meanings, symbols.is_some())
}

fn header(table: &Table, column: usize) -> &str {
    table.header.get(column).map_or("", String::as_str)
}

fn refused(message: String, sign: Sign) -> Error {
    Error::Table { table: SHEET, message, sign }
}

fn bad(row: usize, column: &str, value: &str, rule: &str) -> Error {
    refused(format!("row {}, {column}: {rule}, was '{value}'", row + 2), Sign::NotAvailable)
}

/// The instant of a date cell, seconds since 1970.
fn instant(cell: &Cell, row: usize, column: &str) -> Result<f64> {
    let text = cell.shown();
    match crate::tables::instant(&text) {
        Some(instant) if instant.is_finite() => Ok(instant),
        _ => Err(bad(row, column, &text, "needs a date that can mean one day only, such as 2026-03-27")),
    }
}

fn checked(level: f64, factor: &Factor, row: usize, column: &str) -> Result<f64> {
    let rule = match factor.kind {
        FactorKind::Basis { .. } if level.is_finite() => return Ok(level),
        FactorKind::Basis { .. } => "needs a finite number",
        _ if level.is_finite() && level > 0.0 => return Ok(level),
        _ => "needs a finite number above zero",
    };
    Err(bad(row, column, &level.to_string(), rule))
}

/// Levels while rows are read: factors in the order in which they appear.
#[derive(Default)]
struct Levels {
    factors: Vec<Factor>,
    by_instant: BTreeMap<u64, Vec<Option<f64>>>,
    untraded: Vec<usize>,
}

/// Instants as keys that sort as they do; none is below zero in a history of prices.
pub(super) fn sortable(instant: f64) -> u64 {
    let bits = instant.to_bits();
    if instant.is_sign_negative() { !bits } else { bits | (1 << 63) }
}

pub(super) fn instant_of(key: u64) -> f64 {
    if key >> 63 == 1 { f64::from_bits(key & !(1 << 63)) } else { f64::from_bits(!key) }
}

impl Levels {
    fn put(
        &mut self,
        factor: Factor,
        instant: f64,
        level: Option<f64>,
        untraded: bool,
        row: usize,
        column: &str,
    ) -> Result<()> {
        let index = match self.factors.iter().position(|known| *known == factor) {
            Some(index) => index,
            None => {
                self.factors.push(factor);
                self.untraded.push(0);
                self.factors.len() - 1
            }
        };
        let line = self.by_instant.entry(sortable(instant)).or_default();
        if line.len() <= index {
            line.resize(index + 1, None);
        }
        let Some(slot) = line.get_mut(index) else { return Ok(()) };
        let level = if untraded && level.is_some() {
            if let Some(count) = self.untraded.get_mut(index) {
                *count += 1;
            }
            None
        } else {
            level
        };
        match (*slot, level) {
            (Some(known), Some(level)) if known.total_cmp(&level).is_ne() => {
                let rule = format!("{} of {} stands twice and differs ({known})", column, day_of(instant));
                Err(bad(row, column, &level.to_string(), &rule))
            }
            (None, Some(_)) => {
                *slot = level;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(self, table: &Table, meanings: &[Meaning], by_row: bool) -> Result<History> {
        if self.factors.is_empty() {
            let why = if meanings.iter().any(|meaning| matches!(meaning, Meaning::OfRow(_))) && !by_row {
                "the prices name no coin: add a column symbol, or name the column by its coin"
            } else {
                "has no column that names a coin, such as BTC or 'BTC vol 30d'"
            };
            return Err(refused(why.into(), Sign::Value));
        }
        if self.by_instant.len() < FEWEST_BARS {
            return Err(refused(
                format!("needs at least {FEWEST_BARS} dates, has {}", self.by_instant.len()),
                Sign::NotAvailable,
            ));
        }
        let instants: Vec<f64> = self.by_instant.keys().map(|key| instant_of(*key)).collect();
        let mut steps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        let step_days = steps.get(steps.len() / 2).copied().unwrap_or(f64::NAN) / SECONDS_OF_A_DAY;
        let count = self.factors.len();
        let mut series: Vec<Series> = self
            .factors
            .into_iter()
            .map(|factor| Series { factor, levels: Vec::with_capacity(instants.len()) })
            .collect();
        for line in self.by_instant.values() {
            for (place, own) in series.iter_mut().enumerate().take(count) {
                own.levels.push(line.get(place).copied().flatten());
            }
        }
        let mut order: Vec<String> = Vec::new();
        for own in &series {
            if !order.contains(&own.factor.coin) {
                order.push(own.factor.coin.clone());
            }
        }
        let mut untraded: Vec<(Factor, usize)> =
            series.iter().map(|own| own.factor.clone()).zip(self.untraded).collect();
        untraded.retain(|(_, count)| *count > 0);
        series.sort_by(|a, b| {
            let place = |own: &Series| order.iter().position(|coin| *coin == own.factor.coin);
            let (first, second) = (a.factor.within_coin(), b.factor.within_coin());
            place(a).cmp(&place(b)).then(first.0.cmp(&second.0)).then(first.1.total_cmp(&second.1))
        });
        let findings = findings(&instants, step_days, &series, &untraded, table, meanings);
        let mut history = History { hash: String::new(), instants, step_days, series, findings };
        history.hash = hash(&history);
        Ok(history)
    }
}

pub(super) fn hash(history: &History) -> String {
    let mut hasher = blake3::Hasher::new();
    for instant in &history.instants {
        hasher.update(&instant.to_bits().to_le_bytes());
    }
    for series in &history.series {
        hasher.update(series.factor.to_string().as_bytes());
        for level in &series.levels {
            // a level that is not there is not a number, and no level is one
            hasher.update(&level.unwrap_or(f64::NAN).to_bits().to_le_bytes());
        }
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

fn findings(
    instants: &[f64],
    step_days: f64,
    series: &[Series],
    untraded: &[(Factor, usize)],
    table: &Table,
    meanings: &[Meaning],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |severity, column: &str, code, message: String, fix: &str| {
        found.push(Finding {
            severity,
            sheet: SHEET,
            row: None,
            column: column.to_owned(),
            value: String::new(),
            code,
            message,
            fix: fix.to_owned(),
        });
    };
    let holes: Vec<&[f64]> = instants
        .windows(2)
        .filter(|pair| (pair[1] - pair[0]) / SECONDS_OF_A_DAY > super::bars::LARGEST_STEP * step_days)
        .collect();
    if let Some(first) = holes.first() {
        let message = format!(
            "{} places have no bar for more than {step_days} days, the first after {}; no move is made across them",
            holes.len(),
            day_of(first[0])
        );
        add(Severity::Warning, "", "gap", message, "complete the history, or name a proxy in the rulebook");
    }
    for own in series {
        let name = own.factor.to_string();
        let known: Vec<usize> =
            own.levels.iter().enumerate().filter(|(_, level)| level.is_some()).map(|(bar, _)| bar).collect();
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            let message = format!("{name} has no level at all");
            add(Severity::Warning, &name, "empty_series", message, "remove the column or fill it");
            continue;
        };
        let at = |bar: usize| instants.get(bar).map_or_else(String::new, |instant| day_of(*instant));
        if *first > 0 {
            let message = format!("{name} begins on {}, {first} bars after the history", at(*first));
            let fix = "a proxy stands in where the rulebook names one; nothing is filled with zeros";
            add(Severity::Warning, &name, "new_listing", message, fix);
        }
        if *last + 1 < own.levels.len() {
            let message = format!("{name} ends on {}, before the history does", at(*last));
            add(Severity::Warning, &name, "series_ends", message, "complete it, or leave it out");
        }
        let missing = last + 1 - first - known.len();
        if missing > 0 {
            let message = format!("{name} lacks {missing} bars between {} and {}", at(*first), at(*last));
            let fix = "dates without it are left out, or a proxy stands in";
            add(Severity::Warning, &name, "bars_missing", message, fix);
        }
        let repeated = longest_repeat(&own.levels);
        if repeated > 1 {
            let message = format!("{name} repeats one level {repeated} times in a row");
            add(
                Severity::Warning,
                &name,
                "stale",
                message,
                "levels repeated more often than the rulebook allows do not count",
            );
        }
    }
    for (factor, count) in untraded {
        let name = factor.to_string();
        let message = format!("{name} has {count} bars without volume, whose price does not count");
        add(Severity::Warning, &name, "no_volume", message, "see whether it was traded");
    }
    for (header, meaning) in table.header.iter().zip(meanings) {
        if *meaning == Meaning::Ignored && !header.trim().is_empty() {
            let message = format!("column '{header}' is not used");
            add(Severity::Info, header, "ignored", message, "");
        }
    }
    found
}

/// How often one level follows itself at most.
fn longest_repeat(levels: &[Option<f64>]) -> usize {
    let (mut longest, mut run) = (0, 0);
    let mut before: Option<f64> = None;
    for level in levels.iter().flatten() {
        run = if before == Some(*level) { run + 1 } else { 0 };
        longest = longest.max(run);
        before = Some(*level);
    }
    longest
}

/// A refusal for a series that is asked for and not there.
pub(crate) fn missing_series(factor: &Factor, history: &History) -> Error {
    let known: Vec<String> = history.series.iter().map(|series| series.factor.to_string()).collect();
    Error::Missing {
        what: format!("history of {factor}"),
        why: format!("the history has {}", known.join(", ")),
        place: Place::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let rows = text.trim().lines().map(|line| {
            line.split('|')
                .map(|cell| cell.trim().parse::<f64>().map_or_else(|_| Cell::from_text(cell), Cell::Number))
                .collect()
        });
        Table::from_rows(rows.collect())
    }

    #[test]
    fn rows_by_symbol_and_columns_by_coin_are_the_same_history() {
        let rows = read_history(&table(
            "date|symbol|open|close|volume\n2026-01-02|BTC|1|110|5\n2026-01-01|BTC|1|100|5\n2026-01-01|ETHUSDT|1|10|5\n2026-01-02|ETHUSDT|1|11|5",
        ))
        .unwrap();
        let columns = read_history(&table("date|BTC|ETH\n2026-01-01|100|10\n2026-01-02|110|11")).unwrap();
        assert_eq!(rows.hash, columns.hash);
        assert_eq!(rows.series[0].levels, [Some(100.0), Some(110.0)]);
        assert!((rows.step_days - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_with_a_history_is_said_with_row_and_column() {
        for (text, sentence) in [
            ("BTC|ETH\n1|2", "a history needs a column of dates"),
            ("date|close\n2026-01-01|1\n2026-01-02|1", "the prices name no coin"),
            ("date|BTC\n2026-01-01|1", "needs at least 2 dates, has 1"),
            ("date|BTC\n03/04/26|1\n2026-01-02|1", "row 2, date: needs a date that can mean one day only"),
            ("date|BTC\n2026-01-01|0\n2026-01-02|1", "row 2, BTC: needs a finite number above zero, was '0'"),
            ("date|BTC\n2026-01-01|x\n2026-01-02|1", "row 2, BTC: needs a number, was 'x'"),
            (
                "date|symbol|close\n2026-01-01|BTC|1\n2026-01-01|BTC|2\n2026-01-02|BTC|2",
                "stands twice and differs",
            ),
        ] {
            let refusal = read_history(&table(text)).unwrap_err().to_string();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }

    #[test]
    fn holes_young_series_and_stale_levels_are_reported() {
        let history = read_history(&table(
            "date|BTC|SOL\n2026-01-01|1|\n2026-01-02|1|\n2026-01-03|1|5\n2026-01-04|2|\n2026-01-07|3|6\n2026-01-08|4|7",
        ))
        .unwrap();
        let codes: Vec<&str> = history.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["gap", "stale", "new_listing", "bars_missing"]);
    }
}
