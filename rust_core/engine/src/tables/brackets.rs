//! Maintenance brackets given as a table.

use super::aliases::Sheet;
use super::balances::error_cell;
use super::columns::Columns;
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::words::WordColumn;
use super::{BracketRow, Brackets, Defaults};
use crate::cell::{Cell, Table};
use crate::finding::Severity;
use std::collections::BTreeMap;

/// Reads a table of brackets. Where only upper bounds are given (Bybit), a bracket begins where the one above it
/// in the table ends.
pub fn read_brackets(table: &Table, _defaults: &Defaults) -> Brackets {
    let mut notes = Notes::new(Sheet::Brackets);
    let required: &[&[&str]] = &[&["symbol"], &["minNotional", "maxNotional"], &["maintenanceMarginRate"]];
    let (columns, views) = Columns::read(table, Sheet::Brackets, required, &mut notes);
    if columns.usable && columns.rows() == 0 {
        let message = "brackets need rows below the header; the table is empty".to_owned();
        notes.table(Severity::Error, "table_empty", message, "paste the rows below the header");
    }
    let mut reader = Reader {
        columns: &columns,
        symbol: columns.words("symbol"),
        floor: columns.numbers("minNotional"),
        cap: columns.numbers("maxNotional"),
        rate: columns.numbers("maintenanceMarginRate"),
        leverage: columns.numbers("maxLeverage"),
        amount: columns.numbers("maintAmt"),
        reached: BTreeMap::new(),
    };
    let rows = (0..columns.rows()).filter_map(|row| reader.row(row, &mut notes).ok().flatten()).collect();
    Brackets { rows, columns: views, findings: notes.finish() }
}

struct Reader<'a> {
    columns: &'a Columns<'a>,
    symbol: WordColumn<'a>,
    floor: NumberColumn<'a>,
    cap: NumberColumn<'a>,
    rate: NumberColumn<'a>,
    leverage: NumberColumn<'a>,
    amount: NumberColumn<'a>,
    /// Upper bound of the last bracket of each symbol, by code.
    reached: BTreeMap<u32, f64>,
}

impl Reader<'_> {
    fn row(&mut self, row: usize, notes: &mut Notes) -> Result<Option<BracketRow>, Refused> {
        if self.columns.is_blank(row) {
            return Ok(None);
        }
        let code = self.symbol.code(row);
        let symbol = match self.symbol.word(code) {
            Cell::Text(name) => Ok(name.clone()),
            cell @ Cell::Error(_) => Err(error_cell(&self.symbol, row, cell, notes)),
            Cell::Empty | Cell::Number(_) => Err(missing(row, self.symbol.header(), "a symbol", notes)),
        };
        let floor = self.floor.read(row, Rule::NotNegative, notes);
        let cap = self.cap.read(row, Rule::Positive("bound_not_positive"), notes);
        let rate = self.rate.read(row, Rule::Fraction, notes);
        let max_leverage = self.leverage.read(row, Rule::Positive("leverage_not_positive"), notes);
        let amount = self.amount.read(row, Rule::NotNegative, notes);
        let (symbol, cap) = (symbol?, cap?);
        let floor = match floor? {
            Some(floor) => floor,
            None if self.columns.has("minNotional") => {
                return Err(missing(row, self.floor.header(), "a lower bound", notes));
            }
            None => self.reached.get(&code).copied().unwrap_or(0.0),
        };
        let Some(maintenance_rate) = rate? else {
            return Err(missing(row, self.rate.header(), "a maintenance margin rate", notes));
        };
        if let Some(cap) = cap {
            if cap <= floor {
                notes.row(Severity::Error, row + 2, self.cap.header(), "bounds_not_rising", || {
                    let message =
                        format!("the upper bound of a bracket of {symbol} must be above {floor}, was {cap}");
                    (self.cap.shown(row), message, "sort the brackets by their bounds".into())
                });
                return Err(Refused);
            }
            self.reached.insert(code, cap);
        }
        Ok(Some(BracketRow {
            row: row + 2,
            symbol,
            floor,
            cap,
            maintenance_rate,
            max_leverage: max_leverage?,
            amount: amount?,
        }))
    }
}

fn missing(row: usize, header: &str, what: &str, notes: &mut Notes) -> Refused {
    notes.row(Severity::Error, row + 2, header, "bracket_incomplete", || {
        (String::new(), format!("a bracket needs {what}"), "fill the cell or remove the row".into())
    });
    Refused
}

#[cfg(test)]
mod tests {
    use super::super::tests::{defaults, errors, table};
    use super::*;

    #[test]
    fn brackets_of_binance_bybit_hyperliquid_and_ccxt_are_read() {
        for header in [
            "symbol|bracket|notional_floor|notional_cap|maint_margin_ratio|max_leverage|cum_maint_amount",
            "symbol|tier|notional_floor|notional_cap|maint_margin_ratio|max_leverage|mm_deduction",
            "margin_table|x|notional_lower_bound_usd|y|maint_margin_ratio|max_leverage|mm_deduction",
            "symbol|tier|minNotional|maxNotional|maintenanceMarginRate|maxLeverage|cum",
        ] {
            let read = read_brackets(
                &table(&format!("{header}\nB|1|0|1000|0.01|50|0\nB|2|1000|5000|2%|25|10")),
                &defaults(),
            );
            assert_eq!(errors(&read.findings), [], "{header}");
            let second = &read.rows[1];
            assert_eq!((second.row, second.symbol.as_str(), second.floor), (3, "B", 1000.0));
            assert_eq!(
                (second.maintenance_rate, second.max_leverage, second.amount),
                (0.02, Some(25.0), Some(10.0))
            );
        }
    }

    #[test]
    fn a_bracket_without_lower_bound_begins_where_the_one_before_ends() {
        let read = read_brackets(
            &table("symbol|riskLimitValue|maintenanceMargin\nA|100|0.01\nB|70|0.01\nA|500|0.02"),
            &defaults(),
        );
        let floors: Vec<f64> = read.rows.iter().map(|r| r.floor).collect();
        assert_eq!(floors, [0.0, 0.0, 100.0]);
    }

    #[test]
    fn impossible_brackets_are_refused() {
        let read = read_brackets(
            &table(
                "symbol|floor|cap|mmr\nA|0|0|0.01\nA|10|5|0.01\nA|10|50|1.5\nA||50|0.1\nA|10|50|\n|10|50|0.1",
            ),
            &defaults(),
        );
        assert!(read.rows.is_empty());
        let codes: Vec<&str> = errors(&read.findings).iter().map(|(code, _)| *code).collect();
        assert_eq!(
            codes,
            [
                "bound_not_positive",
                "bounds_not_rising",
                "rate_out_of_range",
                "bracket_incomplete",
                "bracket_incomplete",
                "bracket_incomplete"
            ]
        );
    }
}
