//! A rulebook with some of its keys changed: what-if on the rules themselves.

use super::schema::{Key, ROOT, Shape};
use super::{Format, Rulebook, flat, read, tree};
use crate::cell::Cell;
use crate::error::{Error, Result};

/// What of the measure an option of a question may name beside the keys of the tail.
const OF_MEASURE: [&str; 2] = ["measure.confidence", "measure.horizon_days"];
/// The word of the sheet functions for where scenarios come from.
const METHOD: (&str, &str) = ("method", "tail.scenarios");

/// Every value under a group with its path, in the order of the schema.
fn values(keys: &[Key], before: &str, into: &mut Vec<(String, String)>) {
    for key in keys {
        let path = format!("{before}.{}", key.name);
        match key.shape {
            Shape::Value(_) => into.push((key.name.to_owned(), path)),
            Shape::Group(inner) => values(inner, &path, into),
            Shape::Named(..) | Shape::List(..) => {}
        }
    }
}

/// The path of an option: a dotted key of the measure or the tail, with or without the group, or the last word of
/// one where no other ends so.
///
/// # Errors
///
/// [`Error::Unknown`] for a word that names none or several.
pub fn path_of(option: &str) -> Result<String> {
    let mut known = Vec::new();
    for key in ROOT {
        if let Shape::Group(inner) = key.shape {
            values(inner, key.name, &mut known);
        }
    }
    known.retain(|(name, path)| {
        OF_MEASURE.contains(&path.as_str()) || (path.starts_with("tail.") && name != "source")
    });
    let word = option.trim().to_lowercase();
    if word == METHOD.0 {
        return Ok(METHOD.1.to_owned());
    }
    let exact = known.iter().find(|(_, path)| *path == word || *path == format!("tail.{word}"));
    if let Some((_, path)) = exact {
        return Ok(path.clone());
    }
    let named: Vec<&(String, String)> = known.iter().filter(|(name, _)| *name == word).collect();
    if let [(_, path)] = named.as_slice() {
        return Ok(path.clone());
    }
    let words: Vec<&str> =
        known.iter().map(|(_, path)| path.strip_prefix("tail.").unwrap_or(path.as_str())).collect();
    Err(Error::Unknown { what: "option", value: option.to_owned(), known: words.join(", ") })
}

/// The rulebook with cells in place of those at some paths.
///
/// # Errors
///
/// [`Error::Rulebook`] for a value that the key cannot have, as when the rulebook is read.
pub fn with_changes(rulebook: &Rulebook, changes: &[(String, Cell)]) -> Result<Rulebook> {
    if changes.is_empty() {
        return Ok(rulebook.clone());
    }
    let mut rows: Vec<(String, Cell)> =
        flat::flatten(rulebook)?.into_iter().map(|row| (row.key, row.value)).collect();
    for (path, value) in changes {
        match rows.iter_mut().find(|(known, _)| known == path) {
            Some((_, cell)) => cell.clone_from(value),
            None => rows.push((path.clone(), value.clone())),
        }
    }
    let refused =
        |key: &str, message: String| Error::Rulebook { id: rulebook.id.clone(), key: key.into(), message };
    let made = flat::unflatten(&rows).map_err(|(_, (key, message))| refused(&key, message))?;
    tree::check(&made).map_err(|(key, message)| refused(&key, message))?;
    let text = toml::to_string(&made).map_err(|error| refused("text", error.to_string()))?;
    read(&text, Format::Toml)
}

/// A cell from the text of an option: a number where it is one.
pub fn cell_of(text: &str) -> Cell {
    text.trim().parse::<f64>().map_or_else(|_| Cell::from_text(&path_free(text)), Cell::Number)
}

/// The text as a list of a cell has it: commas of an option stand for semicolons.
fn path_free(text: &str) -> String {
    if text.contains(',') && !text.contains(';') { text.replace(',', ";") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::{Measure, builtin};
    use super::*;

    #[test]
    fn an_option_names_a_key_by_its_path_or_its_last_word() {
        assert_eq!(path_of("window").unwrap(), "tail.history.window");
        assert_eq!(path_of("history.decay").unwrap(), "tail.history.decay");
        assert_eq!(path_of("confidence").unwrap(), "measure.confidence");
        assert_eq!(path_of("method").unwrap(), "tail.scenarios");
        assert!(path_of("windows").unwrap_err().to_string().starts_with("unknown option 'windows'; known: "));
    }

    #[test]
    fn a_changed_rulebook_is_the_same_but_for_the_change() {
        let es = builtin("es").unwrap();
        let made = with_changes(
            es,
            &[
                ("measure.confidence".into(), cell_of("0.975")),
                ("tail.scenarios".into(), cell_of("historical")),
            ],
        )
        .unwrap();
        let (Measure::Tail(new), Measure::Tail(old)) = (&made.measure, &es.measure) else {
            panic!("no tail")
        };
        assert_eq!(new.confidence, 0.975);
        assert_eq!((new.history.clone(), new.stress.clone()), (old.history.clone(), old.stress.clone()));
        let refusal = with_changes(es, &[("measure.confidence".into(), cell_of("1.5"))]).unwrap_err();
        assert!(refusal.to_string().contains("measure.confidence: must be between 0.5 and"), "{refusal}");
    }
}
