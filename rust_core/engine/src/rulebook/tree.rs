//! A rulebook's text as a tree of keys, held against the schema.

use toml::{Table, Value};

use super::path;
use super::read::Format;
use super::schema::{Key, Kind, ROOT, Shape};
use crate::error::{Error, Result};

/// The key at fault, and what is wrong with it.
pub(super) type Fault = (String, String);

/// The tree of a text whose keys are those of the schema.
///
/// # Errors
///
/// [`Error::Rulebook`] names the key: unknown, missing, or of another kind; for a text that cannot be read
/// at all, the place.
pub(super) fn parse(text: &str, format: Format) -> Result<Table> {
    let refused = |message: String| Error::Rulebook { id: "?".into(), key: "text".into(), message };
    let one_line = |message: String| message.split_whitespace().collect::<Vec<_>>().join(" ");
    let tree = match format {
        Format::Toml => toml::from_str(text).map_err(|e| refused(one_line(e.to_string())))?,
        Format::Json => {
            let json = serde_json::from_str(text).map_err(|e| refused(one_line(e.to_string())))?;
            match of_json(json) {
                Some(Value::Table(tree)) => tree,
                _ => return Err(refused("must be a mapping of keys".into())),
            }
        }
    };
    check(&tree).map_err(|(key, message)| Error::Rulebook { id: id_of(&tree), key, message })?;
    Ok(tree)
}

/// The id of a rulebook, as far as it can be read.
pub(super) fn id_of(tree: &Table) -> String {
    tree.get("id").and_then(Value::as_str).unwrap_or("?").to_owned()
}

/// JSON as a tree; what is null is left out.
fn of_json(json: serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(flag) => Value::Boolean(flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64()?),
        },
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().filter_map(of_json).collect()),
        serde_json::Value::Object(entries) => Value::Table(
            entries.into_iter().filter_map(|(key, value)| Some((key, of_json(value)?))).collect(),
        ),
    })
}

/// Holds a tree against the schema.
pub(super) fn check(tree: &Table) -> std::result::Result<(), Fault> {
    group(ROOT, tree, &mut Vec::new())
}

fn group(keys: &[Key], table: &Table, at: &mut Vec<String>) -> std::result::Result<(), Fault> {
    for name in table.keys() {
        if !keys.iter().any(|key| key.name == name) {
            at.push(name.clone());
            return Err((path::join(at), unknown(keys, at)));
        }
    }
    for key in keys {
        at.push(key.name.to_owned());
        match table.get(key.name) {
            Some(value) => entry(key, value, at)?,
            None if key.required => return Err((path::join(at), missing(key).into())),
            None => {}
        }
        at.pop();
    }
    Ok(())
}

/// What is said of a key that the schema does not have; the last segment of `at` is the key.
pub(super) fn unknown(keys: &[Key], at: &[String]) -> String {
    let known = keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ");
    match at.split_last() {
        Some((_, group)) if !group.is_empty() => {
            format!("is no key of a rulebook; {} has {known}", path::join(group))
        }
        _ => format!("is no key of a rulebook; it has {known}"),
    }
}

/// What is said of a key that must be there.
fn missing(key: &Key) -> &'static str {
    match key.name {
        "source" | "address" => "is missing; a number without a source is refused",
        "retrieved" | "effective" => "is missing; a source has its day",
        _ => "is missing; a rulebook needs it here",
    }
}

fn entry(key: &Key, value: &Value, at: &mut Vec<String>) -> std::result::Result<(), Fault> {
    let wrong = |at: &[String], must: &str| (path::join(at), format!("must be {must}, was {}", shown(value)));
    match (key.shape, value) {
        (Shape::Value(kind), value) => {
            if holds(kind, value) {
                Ok(())
            } else {
                Err(wrong(at, kind.words()))
            }
        }
        (Shape::Group(keys), Value::Table(table)) => group(keys, table, at),
        (Shape::Named(keys, kind), Value::Table(table)) => {
            for (name, value) in table {
                at.push(name.clone());
                match value {
                    Value::Table(table) if !keys.is_empty() => group(keys, table, at)?,
                    _ if !keys.is_empty() => {
                        return Err((path::join(at), format!("must be a group, was {}", shown(value))));
                    }
                    _ if holds(kind, value) => {}
                    _ => {
                        let message = format!("must be {}, was {}", kind.words(), shown(value));
                        return Err((path::join(at), message));
                    }
                }
                at.pop();
            }
            Ok(())
        }
        (Shape::List(keys, called), Value::Array(items)) => {
            for (label, item) in list_labels(items, called).into_iter().zip(items) {
                at.push(label);
                match item {
                    Value::Table(table) => group(keys, table, at)?,
                    other => return Err((path::join(at), format!("must be a group, was {}", shown(other)))),
                }
                at.pop();
            }
            Ok(())
        }
        (Shape::List(..), _) => Err(wrong(at, "a list of groups")),
        _ => Err(wrong(at, "a group")),
    }
}

/// What the groups of a list are called.
pub(super) fn list_labels(items: &[Value], called: Option<&str>) -> Vec<String> {
    let Some(called) = called else {
        return (1..=items.len()).map(|place| place.to_string()).collect();
    };
    let names: Vec<Option<String>> = items.iter().map(|item| name_of(item, called)).collect();
    path::labels(&names)
}

fn name_of(item: &Value, called: &str) -> Option<String> {
    match item.get(called)? {
        Value::String(name) => Some(name.clone()),
        Value::Array(coins) => {
            let coins: Vec<String> =
                coins.iter().map(|coin| coin.as_str().map(str::to_owned)).collect::<Option<_>>()?;
            let name = path::profile_name(&coins, item.get("settlement").and_then(Value::as_str));
            (path::profile_coins(&name) == coins).then_some(name)
        }
        _ => None,
    }
}

/// Whether a value is of a kind.
fn holds(kind: Kind, value: &Value) -> bool {
    let number = |value: &Value| value.is_integer() || value.is_float();
    let all = |test: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(test));
    match kind {
        Kind::Number => number(value),
        Kind::Text | Kind::Day => value.is_str(),
        Kind::Flag => value.is_bool(),
        Kind::Numbers => all(|item| item.is_integer() || item.is_float()),
        Kind::Texts => all(Value::is_str),
        Kind::Moves => all(|item| item.is_integer() || item.is_float() || item.is_str()),
    }
}

/// A value in words.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the text '{text}'"),
        Value::Integer(_) | Value::Float(_) => format!("the number {value}"),
        Value::Boolean(flag) => format!("{flag}"),
        Value::Datetime(day) => format!("the date {day} without quotes"),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            format!("the list [{}]", items.join(", "))
        }
        Value::Table(_) => "a group".into(),
    }
}
