//! Which pasted column is which: headers resolved once per table.

use super::ColumnView;
use super::aliases::{Aliases, Entry, Sheet, aliases, normalise};
use super::notes::Notes;
use super::number::NumberColumn;
use super::words::WordColumn;
use crate::cell::{Cell, Column, Table};
use crate::finding::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// A table whose headers are understood.
pub(super) struct Columns<'a> {
    table: &'a Table,
    sheet: Sheet,
    /// Canonical name to the place of the column.
    places: BTreeMap<&'static str, usize>,
    /// The venue whose export has these headers.
    pub(super) venue: Option<&'static str>,
    /// Whether rows can be read at all.
    pub(super) usable: bool,
}

/// What a pasted header turned out to be.
enum Meaning {
    Understood(&'static Entry),
    Second(&'static Entry, String),
    Twice(&'static Entry),
    /// Correlations with a coin that the header names.
    Correlation(String),
    Unknown,
}

impl<'a> Columns<'a> {
    /// Resolves the headers; what is wrong with the table as a whole goes to `notes`.
    ///
    /// Each of `required` is a list of which one column must be there.
    pub(super) fn read(
        table: &'a Table,
        sheet: Sheet,
        required: &[&[&str]],
        notes: &mut Notes,
    ) -> (Self, Vec<ColumnView>) {
        let words = aliases();
        let normalised: Vec<String> = table.header.iter().map(|h| normalise(h)).collect();
        let headers: BTreeSet<&str> = normalised.iter().map(String::as_str).collect();
        let mut columns =
            Self { table, sheet, places: BTreeMap::new(), venue: words.venue(sheet, &headers), usable: true };
        if table.header.iter().all(|h| h.trim().is_empty()) {
            notes.table(
                Severity::Error,
                "table_empty",
                format!("{} need a header row and rows below it; the table is empty", sheet.rows()),
                "paste the table with its header",
            );
            columns.usable = false;
            return (columns, Vec::new());
        }
        let meanings = columns.resolve(words, &normalised);
        columns.note_duplicates(&meanings, notes);
        let views = columns.views(&meanings);
        columns.note_ignored(&views, notes);
        // OKX positions have a realised profit and the id of a trade too, so a known export is no history.
        if let (None, Some(venue)) = (columns.venue, words.log(sheet, &headers)) {
            let message = format!("this is a transaction log ({venue}), paste {}", sheet.rows());
            notes.table(
                Severity::Error,
                "transaction_log",
                message,
                "export what is held now, not what happened",
            );
            columns.usable = false;
        } else {
            columns.note_missing(words, required, notes);
        }
        (columns, views)
    }

    fn resolve(&mut self, words: &'static Aliases, normalised: &[String]) -> Vec<Meaning> {
        let entries = words.entries(self.sheet);
        let mut meanings: Vec<Meaning> = Vec::with_capacity(normalised.len());
        for (place, header) in normalised.iter().enumerate() {
            let found = (!header.is_empty()).then(|| entries.iter().find(|e| e.is_named(header))).flatten();
            meanings.push(match found {
                Some(entry) if self.places.contains_key(entry.name.as_str()) => Meaning::Twice(entry),
                Some(entry) => {
                    self.places.insert(&entry.name, place);
                    Meaning::Understood(entry)
                }
                None => match self.correlated(place) {
                    Some(coin) => Meaning::Correlation(coin),
                    None => Meaning::Unknown,
                },
            });
        }
        for entry in entries {
            for alias in entry.second_choices() {
                let place = normalised.iter().zip(&meanings).position(|(header, meaning)| {
                    header == alias && matches!(meaning, Meaning::Unknown | Meaning::Second(..))
                });
                let Some((place, slot)) = place.and_then(|p| meanings.get_mut(p).map(|slot| (p, slot)))
                else {
                    continue;
                };
                if let Some(taken) = self.places.get(entry.name.as_str()) {
                    if matches!(slot, Meaning::Unknown) {
                        let preferred = self.table.header.get(*taken).cloned().unwrap_or_default();
                        *slot = Meaning::Second(entry, preferred);
                    }
                } else {
                    self.places.insert(&entry.name, place);
                    *slot = Meaning::Understood(entry);
                }
            }
        }
        meanings
    }

    /// The coin that a column of correlations is about: `corr BTC`, `correlation_ETH`.
    fn correlated(&self, place: usize) -> Option<String> {
        let header = self.table.header.get(place).filter(|_| self.sheet == Sheet::Market)?;
        let mut words = header.split(|c: char| c.is_whitespace() || matches!(c, '_' | '-' | ':'));
        let family = words
            .next()
            .is_some_and(|first| ["corr", "correlation"].iter().any(|name| first.eq_ignore_ascii_case(name)));
        let coin = words.next_back().filter(|coin| family && !coin.is_empty())?;
        Some(super::symbol::coin_name(coin))
    }

    /// The columns of correlations with the coin that each is about.
    pub(super) fn correlations(&self) -> Vec<(String, NumberColumn<'a>)> {
        let header = |place: usize| self.table.header.get(place).map_or("", |header| header.trim());
        let column = |place: usize| NumberColumn::new(header(place), self.table.columns.get(place));
        let places = 0..self.table.header.len();
        places.filter_map(|place| Some((self.correlated(place)?, column(place)))).collect()
    }

    fn note_duplicates(&mut self, meanings: &[Meaning], notes: &mut Notes) {
        for (header, meaning) in self.table.header.iter().zip(meanings) {
            if let Meaning::Twice(entry) = meaning {
                let first = self.header(&entry.name);
                notes.column(
                    Severity::Error,
                    header,
                    "duplicate_column",
                    format!(
                        "columns '{first}' and '{}' both mean '{}'; a table has each column once",
                        header.trim(),
                        entry.name
                    ),
                    "keep one of them".to_owned(),
                );
                self.usable = false;
            }
        }
    }

    fn note_missing(&mut self, words: &'static Aliases, required: &[&[&str]], notes: &mut Notes) {
        for choice in required {
            if choice.iter().any(|name| self.places.contains_key(name)) {
                continue;
            }
            let entries = words.entries(self.sheet);
            let described: Vec<String> = (choice.iter())
                .filter_map(|name| entries.iter().find(|e| e.name == *name))
                .map(|e| format!("'{}' (or {}, ...)", e.name, e.examples()))
                .collect();
            let found: Vec<&str> =
                self.table.header.iter().map(|h| h.trim()).filter(|h| !h.is_empty()).collect();
            let message = format!(
                "{} need a column named {}; found {}",
                self.sheet.rows(),
                described.join(" or "),
                found.join(", ")
            );
            notes.table(Severity::Error, "column_missing", message, "add the column or rename its header");
            self.usable = false;
        }
    }

    fn note_ignored(&self, views: &[ColumnView], notes: &mut Notes) {
        let ignored: Vec<&str> = (views.iter())
            .filter(|view| view.understood_as == "ignored")
            .map(|view| if view.header.trim().is_empty() { "(without a header)" } else { view.header.trim() })
            .collect();
        if !ignored.is_empty() {
            let message = format!("columns that are not used: {}", ignored.join(", "));
            notes.table(Severity::Info, "columns_ignored", message, "rename a column if it should be used");
        }
    }

    fn views(&self, meanings: &[Meaning]) -> Vec<ColumnView> {
        (self.table.header.iter().zip(meanings).enumerate())
            .map(|(place, (header, meaning))| {
                let (understood_as, unit, note) = match meaning {
                    Meaning::Understood(entry) => {
                        (entry.name.clone(), entry.unit.clone(), entry.note.clone())
                    }
                    Meaning::Second(entry, preferred) => {
                        ("ignored".into(), String::new(), format!("'{preferred}' is used for {}", entry.name))
                    }
                    Meaning::Twice(entry) => {
                        ("ignored".into(), String::new(), format!("a second column for {}", entry.name))
                    }
                    Meaning::Correlation(coin) => {
                        (format!("correlation with {coin}"), "from -1 to 1".into(), String::new())
                    }
                    Meaning::Unknown => ("ignored".into(), String::new(), String::new()),
                };
                let sample = self.table.columns.get(place).map(first_shown).unwrap_or_default();
                ColumnView {
                    sheet: self.sheet.word(),
                    header: header.clone(),
                    understood_as,
                    unit,
                    sample,
                    note,
                }
            })
            // The blank columns beside a pasted range say nothing.
            .filter(|view| !(view.header.trim().is_empty() && view.sample.is_empty()))
            .collect()
    }

    /// Whether a canonical column is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The pasted header of a canonical column; the name itself if it is not there.
    pub(super) fn header(&self, name: &str) -> &'a str {
        let header = self.places.get(name).and_then(|place| self.table.header.get(*place));
        header.map_or("", |h| h.trim())
    }

    /// The header of a canonical column, normalised.
    pub(super) fn normalised_header(&self, name: &str) -> String {
        normalise(self.header(name))
    }

    /// The numbers of a canonical column.
    pub(super) fn numbers(&self, name: &str) -> NumberColumn<'a> {
        NumberColumn::new(self.header(name), self.column(name))
    }

    /// The words of a canonical column.
    pub(super) fn words(&self, name: &str) -> WordColumn<'a> {
        WordColumn::new(self.header(name), self.column(name))
    }

    /// The pasted column of a canonical name.
    pub(super) fn column(&self, name: &str) -> Option<&'a Column> {
        self.places.get(name).and_then(|place| self.table.columns.get(*place))
    }

    /// Whether every cell of a row is empty.
    pub(super) fn is_blank(&self, row: usize) -> bool {
        self.table.columns.iter().all(|column| column.cell(row) == Cell::Empty)
    }

    /// Whether the first cell of a row that is not empty says that the row sums the others.
    pub(super) fn is_total(&self, row: usize) -> bool {
        let first = self.table.columns.iter().map(|c| c.cell(row)).find(|cell| *cell != Cell::Empty);
        matches!(first, Some(Cell::Text(text)) if super::symbol::is_total(&text))
    }

    /// Number of rows below the header.
    pub(super) fn rows(&self) -> usize {
        if self.usable { self.table.rows() } else { 0 }
    }
}

fn first_shown(column: &Column) -> String {
    (0..column.len())
        .map(|row| column.cell(row))
        .find(|cell| *cell != Cell::Empty)
        .map_or_else(String::new, |c| c.shown())
}
