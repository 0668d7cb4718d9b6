//! Rows and back for every built-in rulebook, and the refusals of a sheet.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::read::Format;
use super::schema::{Key, ROOT, Shape};
use super::{Rulebook, builtin, builtin_ids, flatten, read, read_sheet};
use crate::cell::{Cell, Table};

/// The rows of a rulebook as a sheet holds them.
fn sheet(rulebook: &Rulebook) -> Vec<Vec<Cell>> {
    let head = ["part", "key", "value", "unit", "source", "note"].map(Cell::from_text).to_vec();
    let rows = flatten(rulebook).unwrap().into_iter().map(|row| {
        let cells = [row.part, &row.key];
        let mut cells: Vec<Cell> = cells.map(Cell::from_text).to_vec();
        cells.extend([row.value, Cell::from_text(&row.unit), Cell::from_text(&row.source), Cell::Empty]);
        cells
    });
    std::iter::once(head).chain(rows).collect()
}

/// A rulebook without its text, which is written another way.
fn content(mut rulebook: Rulebook) -> Rulebook {
    rulebook.text.clear();
    rulebook
}

fn again(rows: Vec<Vec<Cell>>) -> Rulebook {
    read_sheet(&Table::from_rows(rows)).unwrap()
}

#[test]
fn every_built_in_rulebook_is_equal_after_its_rows_are_read_again() {
    for id in builtin_ids().unwrap() {
        let rulebook = builtin(id).unwrap();
        let rows = sheet(rulebook);
        assert!(rows.len() > 20, "{id} has only {} rows", rows.len());
        assert_eq!(content(again(rows)), content(rulebook.clone()), "{id}");
    }
}

#[test]
fn a_rulebook_that_uses_every_key_is_equal_after_its_rows_are_read_again() {
    let rulebook = read(EVERY_KEY, Format::Toml).unwrap();
    assert_eq!(content(again(sheet(&rulebook))), content(rulebook.clone()));
    let given: BTreeSet<String> =
        flatten(&rulebook).unwrap().iter().filter_map(|row| row.path.last().cloned()).collect();
    let exempt = ["name", "set", "underlyings", "underlying", "option"]; // what the label says
    for name in value_names(ROOT) {
        assert!(given.contains(name) || exempt.contains(&name), "the rows do not show {name}");
    }
}

fn value_names(keys: &[Key]) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for key in keys {
        match key.shape {
            Shape::Value(_) => {
                names.insert(key.name);
            }
            Shape::Group(inner) | Shape::Named(inner, _) | Shape::List(inner, _) => {
                names.extend(value_names(inner));
            }
        }
    }
    names
}

/// Every group of the schema with the keys that it has.
fn groups(keys: &'static [Key], path: String, into: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    into.insert(path.clone(), keys.iter().map(|key| key.name).collect());
    for key in keys {
        let under = |more: &str| format!("{path}/{}{more}", key.name);
        match key.shape {
            Shape::Group(inner) => groups(inner, under(""), into),
            Shape::List(inner, _) => groups(inner, under("/0"), into),
            Shape::Named(inner, _) if !inner.is_empty() => groups(inner, under("/x"), into),
            Shape::Value(_) | Shape::Named(..) => {}
        }
    }
}

#[test]
fn the_schema_has_exactly_the_keys_that_are_read() {
    let mut known = BTreeMap::new();
    groups(ROOT, String::new(), &mut known);
    assert!(known.len() > 20);
    let full: serde_json::Value = toml::from_str(EVERY_KEY).unwrap();
    for (path, names) in known {
        let path = path.replace("/sources/x", "/sources/page").replace("/rates/x", "/rates/BTC");
        let mut asked = full.clone();
        let group = asked.pointer_mut(&path).unwrap_or_else(|| panic!("no group {path}"));
        group.as_object_mut().unwrap().insert("no such key".into(), 1.into());
        let refusal = serde_json::from_value::<super::raw::RawRulebook>(asked).unwrap_err().to_string();
        let read: BTreeSet<&str> = refusal.split('`').skip(3).step_by(2).collect();
        assert_eq!(read, names, "{path}: {refusal}");
    }
}

/// What a sheet is refused with after one change.
fn refusal(change: impl FnOnce(&mut Vec<Vec<Cell>>)) -> String {
    let mut rows = sheet(builtin("custom-scan").unwrap());
    change(&mut rows);
    read_sheet(&Table::from_rows(rows)).unwrap_err().to_string()
}

fn find(rows: &[Vec<Cell>], key: &str) -> usize {
    rows.iter().position(|row| row[1] == Cell::from_text(key)).unwrap_or_else(|| panic!("no row {key}"))
}

fn value(rows: &mut [Vec<Cell>], key: &str, value: Cell) -> usize {
    let place = find(rows, key);
    rows[place][2] = value;
    place + 1
}

#[test]
fn a_number_of_another_kind_is_refused_by_key_and_row() {
    let mut row = 0;
    let said = refusal(|rows| row = value(rows, "levels.initial.factor", Cell::Text("high".into())));
    let expected = "levels.initial.factor: must be a number, was 'high'";
    assert_eq!(said, format!("rulebook 'custom-scan', {expected} (row {row})"));
}

#[test]
fn a_list_that_is_no_list_of_numbers_is_refused_by_key_and_row() {
    let key = "profiles.BTC+ETH.scenarios.grid.price_moves";
    let said = refusal(|rows| {
        value(rows, key, Cell::Text("-0,1; 0".into()));
    });
    assert!(said.contains(&format!("{key}: must be numbers with semicolons between them")), "{said}");
    assert!(said.contains("was '-0,1; 0' (row "), "{said}");
}

#[test]
fn an_unknown_key_is_refused_with_the_keys_of_its_group_and_its_row() {
    let mut row = 0;
    let said = refusal(|rows| {
        row = find(rows, "levels.initial.factor") + 1;
        rows[row - 1][1] = Cell::Text("levels.initial.faktor".into());
    });
    let expected = "levels.initial.faktor: is no key of a rulebook; levels.initial has factor, trigger, ";
    assert!(said.contains(expected) && said.ends_with(&format!("(row {row})")), "{said}");
}

#[test]
fn a_missing_key_is_refused_with_the_row_where_its_group_begins() {
    let mut begin = 0;
    let said = refusal(|rows| {
        begin = find(rows, "profiles.BTC+ETH.volatility.up") + 1;
        rows.remove(begin - 1);
    });
    let expected = "profiles.BTC+ETH.volatility.up: is missing; a rulebook needs it here";
    assert_eq!(said, format!("rulebook 'custom-scan', {expected} (its group begins in row {begin})"));
}

#[test]
fn an_empty_value_is_a_key_that_is_left_out() {
    let said = refusal(|rows| {
        value(rows, "measure.kind", Cell::Empty);
    });
    assert!(said.contains("measure.kind: is missing"), "{said}");
    let mut rows = sheet(builtin("custom-scan").unwrap());
    value(&mut rows, "profiles.BTC+ETH.volatility.floor_days", Cell::Empty);
    assert_eq!(content(again(rows)), content(builtin("custom-scan").unwrap().clone()), "1 is the default");
}

#[test]
fn a_number_without_a_source_is_refused_by_key_and_row() {
    let mut row = 0;
    let said = refusal(|rows| {
        row = find(rows, "levels.initial.factor") + 1;
        rows[row - 1][4] = Cell::Empty;
    });
    let expected = "levels.initial.factor: a number without a source is refused";
    assert_eq!(said, format!("rulebook 'custom-scan', {expected} (row {row})"));
    let said = refusal(|rows| {
        rows.retain(|row| row[1] != Cell::from_text("source"));
    });
    assert!(said.contains("source: is missing; a number without a source is refused"), "{said}");
    let said = refusal(|rows| {
        value(rows, "profiles.BTC+ETH.source", Cell::Text("hearsay".into()));
    });
    assert!(said.contains("profiles.BTC+ETH.source") && said.contains("'hearsay'"), "{said}");
}

#[test]
fn what_the_rules_of_a_group_refuse_names_the_row_too() {
    let mut row = 0;
    let said = refusal(|rows| row = value(rows, "levels.initial.factor", Cell::Number(-1.0)));
    let expected = "levels.initial.factor: must be between 0 and 100, was -1";
    assert_eq!(said, format!("rulebook 'custom-scan', {expected} (row {row})"));
    let said = refusal(|rows| row = value(rows, "measure.numeraire", Cell::Text("coin".into())));
    let expected = "measure.numeraire: must be one of report, settle, was 'coin'";
    assert_eq!(said, format!("rulebook 'custom-scan', {expected} (row {row})"));
    let key = "profiles.*.charges.minimum.hedged";
    let said = refusal(|rows| row = value(rows, key, Cell::Number(11.0)));
    assert!(said.contains(key) && said.ends_with(&format!("(row {row})")), "{said}");
}

#[test]
fn a_key_in_two_rows_is_refused() {
    let said = refusal(|rows| {
        let row = rows[find(rows, "levels.initial.factor")].clone();
        rows.push(row);
    });
    assert!(said.contains("levels.initial.factor: stands in two rows (row "), "{said}");
}

#[test]
fn a_sheet_without_the_columns_or_with_an_error_is_refused() {
    let rows = vec![vec![Cell::from_text("account")], vec![Cell::from_text("main")]];
    let said = read_sheet(&Table::from_rows(rows)).unwrap_err().to_string();
    assert_eq!(said, "rulebook '?', sheet: needs the columns key and value");
    let said = refusal(|rows| {
        value(rows, "levels.initial.factor", Cell::Error(0));
    });
    assert!(said.contains("must be a number, was '#N/A'"), "{said}");
    let said = refusal(|rows| {
        let place = find(rows, "levels.initial.factor");
        rows[place][1] = Cell::Empty;
    });
    assert!(said.contains("key: is missing beside the value '1.3' (row "), "{said}");
}

#[test]
fn a_file_is_refused_by_the_same_sentences_without_rows() {
    let text = &builtin("custom-scan").unwrap().text;
    let said = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        read(&text.replacen(from, to, 1), Format::Toml).unwrap_err().to_string()
    };
    assert_eq!(
        said("factor = 1.3", "factor = \"high\""),
        "rulebook 'custom-scan', levels.initial.factor: must be a number, was the text 'high'"
    );
    assert!(said("factor = 1.3", "faktor = 1.3").contains("levels.initial.faktor: is no key"));
    assert!(said("retrieved = \"2026-11-20\"", "").contains("retrieved: is missing; a source has its day"));
    assert_eq!(
        said("retrieved = \"2026-11-20\"", "retrieved = 2026-11-20"),
        "rulebook 'custom-scan', retrieved: must be a text, was the date 2026-11-20 without quotes"
            .replace("a text", "a day such as 2026-11-20, as text")
    );
    assert!(said("up = 0.5", "").contains("profiles.BTC+ETH.volatility.up: is missing"));
}

#[test]
fn a_date_cell_is_a_day() {
    let mut rows = sheet(builtin("custom").unwrap());
    value(&mut rows, "retrieved", Cell::Number(46_346.0));
    assert_eq!(again(rows).sources["general"].retrieved, "2026-11-20");
}

proptest! {
    #[test]
    fn any_numbers_and_texts_come_back_as_they_were(
        factor in 0.0..100.0_f64,
        moves in prop::collection::vec(-0.999..99.0_f64, 1..12),
        note in "\\PC{0,20}",
        name in "\\PC{1,12}",
        users in prop::collection::btree_set("[A-Z;\" .]{1,6}", 0..4),
    ) {
        let mut rulebook: toml::Table = toml::from_str(&builtin("custom-scan").unwrap().text).unwrap();
        rulebook.insert("note".into(), note.into());
        rulebook["levels"]["initial"]["factor"] = factor.into();
        rulebook["profiles"][0]["scenarios"][0]["price_moves"] = moves.into();
        rulebook["profiles"][0]["charges"][0]["name"] = name.clone().into();
        let table = toml::Table::from_iter([
            ("name".to_owned(), name.into()),
            ("floors".to_owned(), vec![0.0].into()),
            ("maintenance_rates".to_owned(), vec![0.01].into()),
            ("used_by".to_owned(), users.into_iter().collect::<Vec<String>>().into()),
        ]);
        let tiers = toml::Table::from_iter([("tables".to_owned(), vec![toml::Value::Table(table)].into())]);
        rulebook.insert("tiers".into(), tiers.into());
        let rulebook = read(&toml::to_string(&rulebook).unwrap(), Format::Toml).unwrap();
        let rows = sheet(&rulebook);
        prop_assert!(rows.len() > 20);
        prop_assert_eq!(content(again(rows)), content(rulebook));
    }
}

/// Every key of the schema at least once; the numbers mean nothing.
const EVERY_KEY: &str = include_str!("../../tests/common/every-key.toml");

const REFERENCE: &str = include_str!("../../rulebooks/README.md");

#[test]
fn the_example_of_the_reference_is_a_rulebook() {
    let (_, rest) = REFERENCE.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let rulebook = read(example, Format::Toml).unwrap();
    assert_eq!(rulebook.profiles.len(), 2);
    assert_eq!(rulebook.profiles[0].scenarios.len(), 6);
    assert_eq!(content(again(sheet(&rulebook))), content(rulebook.clone()));
}

#[test]
fn the_reference_names_every_key_and_every_part() {
    let words: BTreeSet<&str> = REFERENCE.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    for name in value_names(ROOT).into_iter().chain(super::PARTS.into_iter().skip(1)) {
        assert!(words.contains(name), "the reference does not name {name}");
    }
}

#[test]
fn the_difference_of_two_rulebooks_compares_many_keys_and_of_one_with_itself_is_empty() {
    let compared =
        |answer: &crate::answer::Answer| -> usize { answer.note.split(' ').next().unwrap().parse().unwrap() };
    for id in builtin_ids().unwrap() {
        let rulebook = builtin(id).unwrap();
        let same = crate::answer::rulebooks::difference(rulebook, rulebook).unwrap();
        assert!(compared(&same) > 20, "{id}: {}", same.note);
        assert!(same.rows.is_empty(), "{id}: {:?}", same.rows);
    }
    let (a, b) = (builtin("hyperliquid").unwrap(), builtin("custom").unwrap());
    let found = crate::answer::rulebooks::difference(a, b).unwrap();
    assert!(found.rows.len() > 20 && found.rows.len() < compared(&found));
}
