//! Rulebooks as tables: the list, every key of one with its source, and the difference of two.

use super::{Answer, Value};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::liquidation::price::written;
use crate::rulebook::{FlatRow, PARTS as PART_WORDS, Rulebook, TierTable, flat_default, flatten};

/// The header of the list.
pub const LIST: [&str; 8] =
    ["id", "venue", "mode", "version", "effective", "source", "status", "liquidation_method"];

/// The header of one rulebook.
pub const PARTS: [&str; 6] = ["part", "key", "value", "unit", "source", "note"];

/// The header of a difference.
pub const DIFFERENCE: [&str; 7] = ["part", "key", "a", "b", "change", "source_a", "source_b"];

/// The list of rulebooks.
pub fn list(rulebooks: &[&Rulebook]) -> Answer {
    let mut answer = Answer::new(&LIST);
    for rulebook in rulebooks {
        let general = rulebook.sources.first().map(|(_, source)| source);
        answer.rows.push(vec![
            rulebook.id.as_str().into(),
            rulebook.venue.as_str().into(),
            rulebook.mode.as_str().into(),
            rulebook.version.as_str().into(),
            general.map_or("", |source| source.effective.as_str()).into(),
            general.map_or("", |source| source.address.as_str()).into(),
            rulebook.status().word().into(),
            rulebook.liquidation.policy.word().into(),
        ]);
    }
    answer
}

/// One rulebook, a row per key, each with its source, day and status.
///
/// The rows are those that [`crate::rulebook::read_sheet`] reads.
///
/// # Errors
///
/// [`Error::Unknown`] for another part.
pub fn parts(rulebook: &Rulebook, part: &str) -> Result<Answer> {
    let wanted = part.trim().to_ascii_lowercase();
    let wanted = if wanted.is_empty() { "all".to_owned() } else { wanted };
    if !PART_WORDS.contains(&wanted.as_str()) {
        return Err(Error::Unknown { what: "part", value: part.to_owned(), known: PART_WORDS.join(", ") });
    }
    let mut answer = Answer::new(&PARTS);
    for row in flatten(rulebook)? {
        if wanted == "all" || wanted == row.part {
            answer.rows.push(vec![
                row.part.into(),
                row.key.as_str().into(),
                shown(&row.value),
                row.unit.as_str().into(),
                cited(rulebook, &row.source).into(),
                note(rulebook, &row).into(),
            ]);
        }
    }
    Ok(answer)
}

/// The keys in which two rulebooks differ; what one leaves out counts as what then holds.
///
/// `change` is b less a where both are numbers, else a word.
///
/// # Errors
///
/// As [`flatten`].
pub fn difference(a: &Rulebook, b: &Rulebook) -> Result<Answer> {
    let (left, right) = (Side::of(a)?, Side::of(b)?);
    let only_right = right.rows.iter().filter(|row| left.row(&row.key).is_none());
    let mut keys: Vec<&FlatRow> = left.rows.iter().chain(only_right).collect();
    keys.sort_by_key(|row| PART_WORDS.iter().position(|part| *part == row.part));
    let mut answer = Answer::new(&DIFFERENCE);
    answer.note = format!("{} keys compared", keys.len());
    for row in keys {
        let (from, to) = (left.value(&row.key), right.value(&row.key));
        if from == to {
            continue;
        }
        let change = match (&from, &to) {
            (Some(Cell::Number(from)), Some(Cell::Number(to))) => Value::Number(to - from),
            (Some(_), Some(_)) => "changed".into(),
            (Some(_), None) => "only in a".into(),
            _ => "only in b".into(),
        };
        let cell = |value: &Option<Cell>| value.as_ref().map_or_else(|| "".into(), shown);
        answer.rows.push(vec![
            row.part.into(),
            row.key.as_str().into(),
            cell(&from),
            cell(&to),
            change,
            left.source(&row.key, &from).into(),
            right.source(&row.key, &to).into(),
        ]);
    }
    Ok(answer)
}

/// One of two rulebooks that are compared.
struct Side<'a> {
    rulebook: &'a Rulebook,
    rows: Vec<FlatRow>,
}

impl<'a> Side<'a> {
    fn of(rulebook: &'a Rulebook) -> Result<Self> {
        Ok(Self { rulebook, rows: flatten(rulebook)? })
    }

    fn row(&self, key: &str) -> Option<&FlatRow> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// What holds for a key: its value, or what the schema says where its group leaves it out.
    fn value(&self, key: &str) -> Option<Cell> {
        match self.row(key) {
            Some(row) => Some(row.value.clone()),
            None => flat_default(key, |group| self.rows.iter().any(|row| row.key.starts_with(group))),
        }
    }

    fn source(&self, key: &str, value: &Option<Cell>) -> String {
        match (self.row(key), value) {
            (Some(row), _) => {
                let status = self.rulebook.sources.get(&row.source).map_or("", |source| source.status.word());
                format!("{}, {status}", cited(self.rulebook, &row.source))
            }
            (None, Some(_)) => "left out: the default".into(),
            (None, None) => String::new(),
        }
    }
}

fn shown(value: &Cell) -> Value {
    match value {
        Cell::Number(number) => Value::Number(*number),
        other => Value::Text(other.shown()),
    }
}

/// Address and days of a source.
fn cited(rulebook: &Rulebook, source: &str) -> String {
    rulebook.sources.get(source).map_or_else(String::new, |source| {
        format!("{} (read {}, effective {})", source.address, source.retrieved, source.effective)
    })
}

/// The status of the row's own source, what else that source says, and what is computed from the row.
fn note(rulebook: &Rulebook, row: &FlatRow) -> String {
    let mut words = Vec::new();
    if let Some(source) = rulebook.sources.get(&row.source) {
        words.push(source.status.word().to_owned());
        if !source.note.is_empty() && row.part != "sources" {
            words.push(source.note.clone());
        }
    }
    if let [group, tables, name, key] = row.path.as_slice()
        && (group.as_str(), tables.as_str()) == ("tiers", "tables")
        && let Some((table, _)) = rulebook.tables.iter().find(|(table, _)| table.name == *name)
    {
        match key.as_str() {
            "floors" => words.push(amounts(table)),
            "max_leverage" => words.push(rates(table)),
            _ => {}
        }
    }
    words.join("; ")
}

fn amounts(table: &TierTable) -> String {
    // differences of products of decimals end in the noise of their last places
    let amounts: Vec<String> = table.brackets.iter().map(|bracket| written(bracket.amount, 8)).collect();
    format!("cumulative amounts computed: {}", amounts.join(" "))
}

fn rates(table: &TierTable) -> String {
    let rates: Vec<String> = table.brackets.iter().map(|bracket| bracket.rate.to_string()).collect();
    format!("maintenance rates that hold: {}", rates.join(" "))
}
