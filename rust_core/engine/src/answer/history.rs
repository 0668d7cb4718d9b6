//! What is noticed about a history, and what it has.

use super::{Answer, Value, check};
use crate::error::{Error, Result};
use crate::history::{FactorKind, History, Series, day_of};

/// The header of the list of series.
pub const SERIES: [&str; 9] =
    ["series", "coin", "kind", "days", "first", "last", "bars", "missing", "last_level"];

/// Findings (`issues`) or series (`columns`) of a history.
///
/// # Errors
///
/// [`Error::Unknown`] for another view.
pub fn check(history: &History, view: &str) -> Result<Answer> {
    match view {
        "issues" => Ok(check::issues(&history.issues())),
        "columns" => Ok(series(history)),
        other => {
            Err(Error::Unknown { what: "view", value: other.to_owned(), known: "issues, columns".into() })
        }
    }
}

fn series(history: &History) -> Answer {
    let mut answer = Answer::new(&SERIES);
    answer.rows = history.series.iter().map(|own| row(history, own)).collect();
    answer
}

fn row(history: &History, own: &Series) -> Vec<Value> {
    let known: Vec<usize> =
        own.levels.iter().enumerate().filter(|(_, level)| level.is_some()).map(|(bar, _)| bar).collect();
    let day = |bar: Option<&usize>| {
        bar.and_then(|bar| history.instants.get(*bar)).map_or_else(String::new, |instant| day_of(*instant))
    };
    let span = match (known.first(), known.last()) {
        (Some(first), Some(last)) => last + 1 - first,
        _ => 0,
    };
    let (kind, days) = match own.factor.kind {
        FactorKind::Price => ("price", None),
        FactorKind::Volatility { days } => ("implied volatility", Some(days)),
        FactorKind::Basis { days } => ("annual basis", Some(days)),
    };
    vec![
        own.factor.to_string().into(),
        own.factor.coin.as_str().into(),
        kind.into(),
        days.map_or_else(|| "".into(), Value::from),
        day(known.first()).into(),
        day(known.last()).into(),
        known.len().into(),
        (span - known.len()).into(),
        known.last().and_then(|bar| own.levels.get(*bar).copied().flatten()).into(),
    ]
}
