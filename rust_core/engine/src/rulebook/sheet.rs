//! A rulebook from the rows of a sheet.

use super::schema::{Kind, ROOT, Shape};
use super::{Format, Rulebook, flat, path, read, tree};
use crate::cell::{Cell, Table};
use crate::error::{Error, Result};

/// Reads a rulebook from a table with the columns `key` and `value`; `part`, `unit` and `note` are for
/// people. Where there is a column `source`, no number stands without one.
///
/// # Errors
///
/// [`Error::Rulebook`] names key and row: an unknown or a missing key, a value of another kind, a number
/// without a source, and whatever [`read`] refuses.
pub fn read_sheet(table: &Table) -> Result<Rulebook> {
    let column = |name: &str| {
        table
            .header
            .iter()
            .position(|word| word.trim().eq_ignore_ascii_case(name))
            .and_then(|place| table.columns.get(place))
    };
    let (Some(keys), Some(values)) = (column("key"), column("value")) else {
        return Err(refusal("?", "sheet", "needs the columns key and value"));
    };
    let mut rows = Vec::new();
    let mut numbers = Vec::new();
    for row in 0..table.rows() {
        let key = keys.cell(row).shown();
        let value = values.cell(row);
        if key.is_empty() {
            if value == Cell::Empty {
                continue;
            }
            let message = format!("is missing beside the value '{}' (row {})", value.shown(), row + 2);
            return Err(refusal("?", "key", &message));
        }
        rows.push((key, value));
        numbers.push(row + 2);
    }
    let id = rows.iter().find(|(key, _)| key == "id").map_or("?".to_owned(), |(_, value)| value.shown());
    if let Some(sources) = column("source") {
        for ((key, value), number) in rows.iter().zip(&numbers) {
            if *value != Cell::Empty && is_number(key) && sources.cell(number - 2) == Cell::Empty {
                let message = format!("a number without a source is refused (row {number})");
                return Err(refusal(&id, key, &message));
            }
        }
    }
    let places = Places { keys: rows.iter().map(|(key, _)| canonical(key)).collect(), numbers };
    let tree = flat::unflatten(&rows).map_err(|(place, (key, message))| {
        let row = places.numbers.get(place).map_or(String::new(), |number| format!(" (row {number})"));
        refusal(&id, &key, &format!("{message}{row}"))
    })?;
    tree::check(&tree)
        .map_err(|(key, message)| refusal(&id, &key, &format!("{message}{}", places.of(&key))))?;
    let text = toml::to_string(&tree).map_err(|error| refusal(&id, "sheet", &error.to_string()))?;
    read(&text, Format::Toml).map_err(|error| match error {
        Error::Rulebook { id, key, message } => {
            let place = places.of(&key);
            Error::Rulebook { id, key, message: format!("{message}{place}") }
        }
        other => other,
    })
}

fn refusal(id: &str, key: &str, message: &str) -> Error {
    Error::Rulebook { id: id.to_owned(), key: key.to_owned(), message: message.to_owned() }
}

/// A path as the engine writes it.
fn canonical(key: &str) -> String {
    path::split(key).map_or_else(|| key.to_owned(), |segments| path::join(&segments))
}

/// Whether a path leads to a number.
fn is_number(key: &str) -> bool {
    let mut keys = ROOT;
    let mut segments = path::split(key).unwrap_or_default().into_iter();
    while let Some(name) = segments.next() {
        let Some(found) = keys.iter().find(|key| key.name == name) else { return false };
        let numeric = |kind| matches!(kind, Kind::Number | Kind::Numbers | Kind::Moves);
        match found.shape {
            Shape::Value(kind) => return numeric(kind),
            Shape::Named([], kind) => return numeric(kind),
            Shape::Group(inner) => keys = inner,
            Shape::Named(inner, _) | Shape::List(inner, _) => {
                segments.next();
                keys = inner;
            }
        }
    }
    false
}

/// In which row each key stands.
struct Places {
    keys: Vec<String>,
    numbers: Vec<usize>,
}

impl Places {
    /// Where a key stands, in words; for one that stands nowhere, where its group begins.
    fn of(&self, key: &str) -> String {
        if let Some(number) = self.first(|known| known == key) {
            return format!(" (row {number})");
        }
        let mut group = path::split(key).unwrap_or_default();
        while !group.is_empty() {
            let begin = format!("{}.", path::join(&group));
            if let Some(number) = self.first(|known| known.starts_with(&begin)) {
                return format!(" (its group begins in row {number})");
            }
            group.pop();
        }
        String::new()
    }

    fn first(&self, test: impl Fn(&str) -> bool) -> Option<usize> {
        let place = self.keys.iter().position(|known| test(known))?;
        self.numbers.get(place).copied()
    }
}
