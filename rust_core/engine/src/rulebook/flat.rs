//! A rulebook as rows of key and value, and back.
//!
//! Each row is one key with its dotted path and one cell: a number, a text, `yes` or `no`, or a list with
//! semicolons (`-0.16; 0; 0.16`). Reading the rows again gives an equal rulebook.

use toml::{Table, Value};

use super::path;
use super::schema::{self, Key, Kind, ROOT, Shape};
use super::tree::{self, Fault, list_labels};
use super::{Rulebook, read};
use crate::cell::Cell;
use crate::error::Result;

/// One key of a rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatRow {
    /// general, levels, shocks, charges, tiers, haircuts, liquidation or sources.
    pub part: &'static str,
    /// The dotted path.
    pub key: String,
    /// Its segments.
    pub path: Vec<String>,
    /// The value as a cell.
    pub value: Cell,
    /// Its unit.
    pub unit: String,
    /// Key of the source of its group.
    pub source: String,
}

/// Every key that a rulebook gives, in the order of the schema.
///
/// # Errors
///
/// [`crate::Error::Rulebook`] if the rulebook's text is not the one that it was read from.
pub fn flatten(rulebook: &Rulebook) -> Result<Vec<FlatRow>> {
    let mut tree = tree::parse(&rulebook.text, read::Format::Toml)?;
    if let Some(Value::Array(profiles)) = tree.get_mut("profiles") {
        // rows are sorted by part, which says nothing of the order in the file; so it must follow from names
        profiles.sort_by_cached_key(profile_order);
    }
    let mut walker = Walker { rulebook, path: Vec::new(), rows: Vec::new() };
    walker.group(ROOT, &tree, "general");
    walker.rows.sort_by_key(|row| schema::PARTS.iter().position(|part| *part == row.part));
    Ok(walker.rows)
}

/// Profiles by their coins, the one for all others last, then by settlement.
fn profile_order(profile: &Value) -> (bool, Vec<String>, String) {
    let coins = profile.get("underlyings").and_then(Value::as_array);
    let names = coins.into_iter().flatten().filter_map(Value::as_str).map(str::to_uppercase);
    let names: Vec<String> = names.collect();
    let settlement = profile.get("settlement").and_then(Value::as_str).unwrap_or_default();
    (names.iter().any(|name| name == "*"), names, settlement.to_owned())
}

/// What holds for a path that a rulebook leaves out, where its group is there and the schema says it.
///
/// `stands` says whether any key of the rulebook begins so.
pub fn default_of(key: &str, stands: impl Fn(&str) -> bool) -> Option<Cell> {
    let segments = path::split(key)?;
    let mut keys = ROOT;
    let mut named = false;
    let mut rest = segments.iter();
    while let Some(name) = rest.next() {
        let found = keys.iter().find(|key| key.name == name)?;
        match found.shape {
            Shape::Value(_) if found.default.is_empty() => return None,
            Shape::Value(kind) => {
                let group = path::join(segments.split_last()?.1);
                let there = !named || stands(&format!("{group}."));
                let read = || match kind {
                    Kind::Number => number(found.default).map(Cell::Number),
                    _ => Some(Cell::from_text(found.default)),
                };
                return if there { read() } else { None };
            }
            Shape::Group(inner) => keys = inner,
            Shape::Named(inner, _) | Shape::List(inner, _) => {
                rest.next()?;
                named = true;
                keys = inner;
            }
        }
    }
    None
}

struct Walker<'a> {
    rulebook: &'a Rulebook,
    path: Vec<String>,
    rows: Vec<FlatRow>,
}

impl Walker<'_> {
    fn group(&mut self, keys: &[Key], table: &Table, outer: &str) {
        let source = match table.get("source").and_then(Value::as_str) {
            Some(own) if !self.path.is_empty() => own,
            _ => outer,
        };
        for key in keys {
            let Some(value) = table.get(key.name) else { continue };
            self.path.push(key.name.to_owned());
            self.entry(key, value, source);
            self.path.pop();
        }
    }

    fn entry(&mut self, key: &Key, value: &Value, source: &str) {
        match (key.shape, value) {
            (Shape::Group(keys), Value::Table(table)) => self.group(keys, table, source),
            (Shape::Named(keys, kind), Value::Table(table)) => {
                for (name, value) in table {
                    self.path.push(name.clone());
                    let cited = key.name == "sources";
                    match value {
                        Value::Table(table) if !keys.is_empty() => {
                            self.group(keys, table, if cited { name } else { source });
                        }
                        value => self.row(key, kind, value, source),
                    }
                    self.path.pop();
                }
            }
            (Shape::List(keys, called), Value::Array(items)) => {
                for (label, item) in list_labels(items, called).into_iter().zip(items) {
                    let Value::Table(table) = item else { continue };
                    let mut rest = table.clone();
                    // the label says it already; a group of nothing else keeps it, to be a row at all
                    if let Some(called) = called
                        && !label.starts_with('#')
                        && rest.len() > 1
                    {
                        rest.remove(called);
                    }
                    self.path.push(label);
                    self.group(keys, &rest, source);
                    self.path.pop();
                }
            }
            (Shape::Value(kind), value) => self.row(key, kind, value, source),
            _ => {}
        }
    }

    fn row(&mut self, key: &Key, kind: Kind, value: &Value, source: &str) {
        let Some(value) = cell(kind, value) else { return };
        let unit = key
            .unit
            .replace("{report}", &self.rulebook.report_currency)
            .replace("{settle}", &self.rulebook.settle);
        self.rows.push(FlatRow {
            part: schema::part(&self.path),
            key: path::join(&self.path),
            path: self.path.clone(),
            value,
            unit,
            source: source.to_owned(),
        });
    }
}

/// A value as a cell; an empty list is none.
fn cell(kind: Kind, value: &Value) -> Option<Cell> {
    Some(match (kind, value) {
        (_, Value::Boolean(flag)) => Cell::Text(if *flag { "yes" } else { "no" }.to_owned()),
        (_, Value::Integer(number)) => Cell::Number(*number as f64),
        (_, Value::Float(number)) => Cell::Number(*number),
        (_, Value::String(text)) => Cell::Text(quoted(text, false)),
        (_, Value::Array(items)) => match items.as_slice() {
            [] => return None,
            [only] if !only.is_str() => return cell(kind, only),
            items => Cell::Text(items.iter().map(item).collect::<Vec<_>>().join("; ")),
        },
        _ => return None,
    })
}

fn item(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text, true),
        Value::Integer(number) => (*number as f64).to_string(),
        Value::Float(number) => number.to_string(),
        other => other.to_string(),
    }
}

/// A text as a cell holds it: in quotes where blanks, a semicolon of a list or the sign of an error would
/// be lost.
fn quoted(text: &str, in_list: bool) -> String {
    let plain = matches!(Cell::from_text(text), Cell::Text(read) if read == text);
    let ends = text.starts_with('"') && text.ends_with('"');
    if plain && !ends && !(in_list && text.contains([';', '"'])) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}

fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => text.to_owned(),
    }
}

/// The key under which the label of a group of a list is kept until all rows are read.
const LABEL: &str = "\u{0}label";

/// The tree of rows of path and cell; empty cells are keys that are left out.
///
/// # Errors
///
/// The number of the row at fault, with the key and what is wrong.
pub(super) fn unflatten(rows: &[(String, Cell)]) -> std::result::Result<Table, (usize, Fault)> {
    let mut tree = Table::new();
    for (number, (key, value)) in rows.iter().enumerate() {
        let fault = |message: String| (number, (key.clone(), message));
        let Some(segments) = path::split(key) else {
            return Err(fault("must be a path such as levels.initial.factor".into()));
        };
        if *value != Cell::Empty {
            put(ROOT, &mut tree, &segments, 0, value).map_err(fault)?;
        }
    }
    finish(ROOT, &mut tree);
    Ok(tree)
}

fn put(
    keys: &[Key],
    table: &mut Table,
    segments: &[String],
    depth: usize,
    value: &Cell,
) -> std::result::Result<(), String> {
    let at = segments.get(..=depth).unwrap_or(segments);
    let name = segments.get(depth).ok_or("is a group: a row needs one of its keys")?;
    let key = keys.iter().find(|key| key.name == name).ok_or_else(|| tree::unknown(keys, at))?;
    let ends = segments.len() == depth + 1;
    match key.shape {
        Shape::Value(kind) if ends => set(table, name, kind, value),
        Shape::Value(_) => Err(format!("goes on where {} holds a value", path::join(at))),
        Shape::Group(inner) => put(inner, child(table, name)?, segments, depth + 1, value),
        Shape::Named(inner, kind) => {
            let named = segments.get(depth + 1).ok_or("is a group: a row needs a name and a value")?;
            let group = child(table, name)?;
            if !inner.is_empty() {
                return put(inner, child(group, named)?, segments, depth + 2, value);
            }
            if segments.len() > depth + 2 {
                return Err(format!("goes on where {} holds a value", path::join(at)));
            }
            set(group, named, kind, value)
        }
        Shape::List(inner, _) => {
            let label = segments.get(depth + 1).ok_or("is a list: a row needs the name of one entry")?;
            let items = table.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(items) = items else { return Err("is a list".into()) };
            let known = items.iter().position(|item| item.get(LABEL).and_then(Value::as_str) == Some(label));
            let place = known.unwrap_or(items.len());
            if known.is_none() {
                let label = (LABEL.to_owned(), Value::String(label.clone()));
                items.push(Value::Table(Table::from_iter([label])));
            }
            match items.get_mut(place) {
                Some(Value::Table(group)) => put(inner, group, segments, depth + 2, value),
                _ => Err("is a list of groups".into()),
            }
        }
    }
}

fn child<'a>(table: &'a mut Table, name: &str) -> std::result::Result<&'a mut Table, String> {
    match table.entry(name.to_owned()).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(group) => Ok(group),
        _ => Err("is a group".into()),
    }
}

fn set(table: &mut Table, name: &str, kind: Kind, value: &Cell) -> std::result::Result<(), String> {
    let read = value_of(kind, value)
        .ok_or_else(|| format!("must be {}, was '{}'", kind.cell_words(), value.shown()))?;
    match table.insert(name.to_owned(), read) {
        None => Ok(()),
        Some(_) => Err("stands in two rows".into()),
    }
}

/// A cell as a value of a kind.
fn value_of(kind: Kind, cell: &Cell) -> Option<Value> {
    let text = match cell {
        Cell::Number(number) => match kind {
            Kind::Number => return Some(Value::Float(*number)),
            Kind::Numbers | Kind::Moves => return Some(Value::Array(vec![Value::Float(*number)])),
            Kind::Day => day(*number)?,
            _ => number.to_string(),
        },
        Cell::Text(text) => text.clone(),
        Cell::Empty | Cell::Error(_) => return None,
    };
    Some(match kind {
        Kind::Number => Value::Float(number(&text)?),
        Kind::Text | Kind::Day => Value::String(unquoted(&text)),
        Kind::Flag => Value::Boolean(match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => true,
            "no" | "false" | "0" => false,
            _ => return None,
        }),
        Kind::Numbers => Value::Array(
            pieces(&text).iter().map(|piece| number(piece).map(Value::Float)).collect::<Option<_>>()?,
        ),
        Kind::Texts => {
            Value::Array(pieces(&text).iter().map(|piece| Value::String(unquoted(piece))).collect())
        }
        Kind::Moves => {
            let word = |piece: &String| number(piece).map_or(Value::String(unquoted(piece)), Value::Float);
            Value::Array(pieces(&text).iter().map(word).collect())
        }
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// The pieces between the semicolons that stand outside quotes.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut inside = false;
    for letter in text.chars() {
        inside ^= letter == '"';
        match pieces.last_mut() {
            Some(_) if letter == ';' && !inside => pieces.push(String::new()),
            Some(piece) => piece.push(letter),
            None => {}
        }
    }
    pieces.into_iter().map(|piece| piece.trim().to_owned()).filter(|piece| !piece.is_empty()).collect()
}

/// The day of a date cell, which counts from the end of 1899.
fn day(serial: f64) -> Option<String> {
    if !(20_000.0..110_000.0).contains(&serial) {
        return None;
    }
    // days to civil, counted from 1 March of the year 0
    let days = serial.floor() as i64 - 25_569 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Some(format!("{:04}-{month:02}-{day:02}", year + era * 400 + later))
}

/// Gives the groups of lists their names and their order.
fn finish(keys: &[Key], table: &mut Table) {
    for key in keys {
        let Some(value) = table.get_mut(key.name) else { continue };
        match (key.shape, value) {
            (Shape::Group(keys), Value::Table(group)) => finish(keys, group),
            (Shape::List(keys, called), Value::Array(items)) => {
                let label = |item: &Value| item.get(LABEL).and_then(Value::as_str).unwrap_or("").to_owned();
                let places: Option<Vec<usize>> = items.iter().map(|item| path::place(&label(item))).collect();
                if called.is_none() && places.is_some() {
                    items.sort_by_key(|item| path::place(&label(item)));
                }
                for item in items {
                    let label = label(item);
                    let Value::Table(group) = item else { continue };
                    group.remove(LABEL);
                    if let Some(called) = called
                        && !label.starts_with('#')
                        && !group.contains_key(called)
                    {
                        group.insert(called.to_owned(), named(keys, called, &label));
                    }
                    finish(keys, group);
                }
            }
            _ => {}
        }
    }
}

/// The name of a group from its label.
fn named(keys: &[Key], called: &str, label: &str) -> Value {
    let coins = keys.iter().any(|key| key.name == called && matches!(key.shape, Shape::Value(Kind::Texts)));
    if coins {
        Value::Array(path::profile_coins(label).into_iter().map(Value::String).collect())
    } else {
        Value::String(label.to_owned())
    }
}
