//! Numbers of a pasted column: as numbers, or as text that can mean one number only.

use super::notes::Notes;
use crate::cell::{Cell, Column};
use crate::finding::Severity;

/// What a cell is as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Empty,
    Number(f64),
    /// A number written with a percent sign, already divided by 100.
    Percent(f64),
    NotANumber,
    NotFinite,
    ErrorCell,
}

/// What a number of a column must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Any finite number.
    Finite,
    /// A price: above zero.
    Price,
    /// Above zero, called by the code.
    Positive(&'static str),
    /// Zero or more.
    NotNegative,
    /// A fraction from 0 to 1; `12%` is read as 0.12.
    Fraction,
    /// A volatility, zero or more; `60%` is read as 0.6.
    Volatility,
    /// A rate per year, any sign; `5%` is read as 0.05.
    Rate,
    /// From -1 to 1.
    Correlation,
}

/// Beyond this a rate per year is no fraction: a thousand percent.
const LARGEST_RATE: f64 = 10.0;

/// The finding is written; the row cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused;

/// A column of numbers.
pub(super) struct NumberColumn<'a> {
    header: &'a str,
    source: Source<'a>,
}

enum Source<'a> {
    Absent,
    Numbers { values: &'a [f64], present: Option<&'a [bool]> },
    Words { codes: &'a [u32], words: &'a [String], parsed: Vec<Value> },
    Cells(&'a [Cell]),
}

impl<'a> NumberColumn<'a> {
    /// A column; each distinct word of a column of words is parsed once.
    pub(super) fn new(header: &'a str, column: Option<&'a Column>) -> Self {
        let source = match column {
            None => Source::Absent,
            Some(Column::Numbers { values, present }) => {
                Source::Numbers { values, present: present.as_deref() }
            }
            Some(Column::Words { codes, words }) => {
                Source::Words { codes, words, parsed: words.iter().map(|word| parse(word)).collect() }
            }
            Some(Column::Cells(cells)) => Source::Cells(cells),
        };
        Self { header, source }
    }

    /// The header as pasted.
    pub(super) fn header(&self) -> &'a str {
        self.header
    }

    /// What stands in a row.
    pub(super) fn value(&self, row: usize) -> Value {
        match &self.source {
            Source::Absent => Value::Empty,
            Source::Numbers { values, present } => {
                let there = present.is_none_or(|p| p.get(row).copied().unwrap_or(false));
                match values.get(row) {
                    Some(&value) if there => from_number(value),
                    _ => Value::Empty,
                }
            }
            Source::Words { codes, parsed, .. } => {
                codes.get(row).and_then(|&code| parsed.get(code as usize)).copied().unwrap_or(Value::Empty)
            }
            Source::Cells(cells) => match cells.get(row) {
                None | Some(Cell::Empty) => Value::Empty,
                Some(Cell::Number(number)) => from_number(*number),
                Some(Cell::Text(text)) => parse(text),
                Some(Cell::Error(_)) => Value::ErrorCell,
            },
        }
    }

    /// The cell as pasted.
    pub(super) fn shown(&self, row: usize) -> String {
        match &self.source {
            Source::Absent => String::new(),
            Source::Numbers { values, .. } => values.get(row).map(f64::to_string).unwrap_or_default(),
            Source::Words { codes, words, .. } => {
                codes.get(row).and_then(|&code| words.get(code as usize)).cloned().unwrap_or_default()
            }
            Source::Cells(cells) => cells.get(row).map(Cell::shown).unwrap_or_default(),
        }
    }

    /// The number of a row, `None` if the cell is empty; a finding if it breaks the rule.
    pub(super) fn read(&self, row: usize, rule: Rule, notes: &mut Notes) -> Result<Option<f64>, Refused> {
        let value = match self.value(row) {
            Value::Empty => return Ok(None),
            Value::Number(value) => value,
            Value::Percent(value) if matches!(rule, Rule::Fraction | Rule::Volatility | Rule::Rate) => value,
            Value::Percent(_) => {
                return self.refuse(row, "not_a_number", "takes a number, not a percentage", notes);
            }
            Value::NotANumber => {
                return self.refuse(row, "not_a_number", "needs text that can mean one number only", notes);
            }
            Value::NotFinite => return self.refuse(row, "not_finite", "must be a finite number", notes),
            Value::ErrorCell => {
                return self.refuse(row, "error_cell", "holds a spreadsheet error, not a number", notes);
            }
        };
        let (holds, code, words) = match rule {
            Rule::Finite => (true, "", ""),
            Rule::Rate => (
                (-LARGEST_RATE..=LARGEST_RATE).contains(&value),
                "rate_out_of_range",
                "must be a fraction per year from -10 to 10 (0.05 is 5 %)",
            ),
            Rule::Price => (value > 0.0, "price_not_positive", "must be above zero"),
            Rule::Positive(code) => (value > 0.0, code, "must be above zero"),
            Rule::NotNegative => (value >= 0.0, "negative", "must be zero or more"),
            Rule::Fraction => (
                (0.0..=1.0).contains(&value),
                "rate_out_of_range",
                "must be a fraction from 0 to 1 (0.05 is 5 %)",
            ),
            Rule::Volatility => (value >= 0.0, "negative", "must be zero or more"),
            Rule::Correlation => {
                ((-1.0..=1.0).contains(&value), "correlation_out_of_range", "must be between -1 and 1")
            }
        };
        if holds { Ok(Some(value)) } else { self.refuse(row, code, words, notes) }
    }

    /// Notes that the number of a row breaks a rule.
    pub(super) fn refuse<T>(
        &self,
        row: usize,
        code: &'static str,
        rule: &str,
        notes: &mut Notes,
    ) -> Result<T, Refused> {
        let fix = match code {
            "not_a_number" => "write it as 1234.5",
            "error_cell" => "repair the formula of the cell",
            _ => "correct the value or clear the cell",
        };
        notes.row(Severity::Error, row + 2, self.header, code, || {
            let shown = self.shown(row);
            let message = format!("{} {rule}, was {shown}", self.header);
            (shown, message, fix.to_owned())
        });
        Err(Refused)
    }
}

fn from_number(value: f64) -> Value {
    if value.is_finite() { Value::Number(value) } else { Value::NotFinite }
}

/// Reads text as a number if it can mean one number only.
///
/// `1,234` is refused, since it is 1234 in one country and 1.234 in another; `1,234.5`, `1,234,567` and
/// `$1,234` are not.
pub(super) fn parse(text: &str) -> Value {
    let text = text.trim();
    if let Ok(value) = text.parse::<f64>() {
        return from_number(value);
    }
    match text.to_lowercase().as_str() {
        // The last is Deribit's price of a market order.
        "" | "none" | "null" | "-" | "--" | "—" | "market_price" => return Value::Empty,
        "∞" | "-∞" | "+∞" => return Value::NotFinite,
        _ => {}
    }
    if crate::cell::CELL_ERRORS.contains(&text) {
        return Value::ErrorCell;
    }
    let (inner, negative) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let (inner, percent) = match inner.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (inner, false),
    };
    let Some(value) = parse_plain(inner) else { return Value::NotANumber };
    if negative && value.is_sign_negative() {
        return Value::NotANumber;
    }
    let value = if negative { -value } else { value };
    if !value.is_finite() {
        Value::NotFinite
    } else if percent {
        Value::Percent(value / 100.0)
    } else {
        Value::Number(value)
    }
}

/// Sign, currency sign, digits with or without commas, currency word.
fn parse_plain(text: &str) -> Option<f64> {
    let text = text.replace('−', "-");
    let (sign, rest) = split_sign(text.trim());
    let without_symbol = rest.trim_start_matches(['$', '€', '£', '₮', '₿']).trim_start();
    let symbol = without_symbol.len() != rest.len();
    let (late_sign, rest) = split_sign(without_symbol);
    if !sign.is_empty() && !late_sign.is_empty() {
        return None;
    }
    let digits = match rest.rsplit_once(char::is_whitespace) {
        Some((digits, word)) if is_currency(word) => digits.trim_end(),
        Some(_) => return None,
        None => rest,
    };
    let body = if digits.contains(',') { without_commas(digits, symbol)? } else { digits.to_owned() };
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value: f64 = body.parse().ok()?;
    Some(if sign == "-" || late_sign == "-" { -value } else { value })
}

fn split_sign(text: &str) -> (&str, &str) {
    match text.strip_prefix(['-', '+']) {
        Some(rest) => text.split_at_checked(text.len() - rest.len()).unwrap_or(("", text)),
        None => ("", text),
    }
}

fn is_currency(word: &str) -> bool {
    (2..=10).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric())
}

fn without_commas(digits: &str, symbol: bool) -> Option<String> {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let groups: Vec<&str> = whole.split(',').collect();
    let (first, rest) = groups.split_first()?;
    let is_number = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let grouped = (1..=3).contains(&first.len())
        && is_number(first)
        && rest.iter().all(|group| group.len() == 3 && is_number(group));
    let ambiguous = rest.len() == 1 && fraction.is_none() && !symbol;
    let fraction_holds = fraction.is_none_or(|f| f.bytes().all(|b| b.is_ascii_digit()));
    (grouped && !ambiguous && fraction_holds).then(|| digits.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_can_mean_one_number_is_read() {
        for (text, value) in [
            ("1234.5", 1234.5),
            ("1,234.5", 1234.5),
            ("1,234,567", 1_234_567.0),
            ("-12", -12.0),
            ("−12", -12.0),
            ("(12.5)", -12.5),
            ("$1,200", 1200.0),
            ("-$1,200.50", -1200.5),
            ("1200 USDT", 1200.0),
            ("1e-5", 1e-5),
        ] {
            assert_eq!(parse(text), Value::Number(value), "{text}");
        }
        assert_eq!(parse("12%"), Value::Percent(0.12));
    }

    #[test]
    fn text_that_can_mean_two_numbers_is_refused() {
        for text in ["1.234,56", "1,234", "1,23", "12 34", "abc", "1.2.3", "(-5)", "--5", "1,2345.0", "0x10"]
        {
            assert_eq!(parse(text), Value::NotANumber, "{text}");
        }
    }

    #[test]
    fn words_for_nothing_are_empty_and_infinities_are_not_finite() {
        assert_eq!(parse("None"), Value::Empty);
        assert_eq!(parse("--"), Value::Empty);
        assert_eq!(parse("nan"), Value::NotFinite);
        assert_eq!(parse("-inf"), Value::NotFinite);
        assert_eq!(parse("1e999"), Value::NotFinite);
    }
}
