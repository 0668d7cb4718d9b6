//! Text columns: each distinct word is looked at once, however many rows have it.

use super::notes::Notes;
use super::number::Refused;
use crate::cell::{Cell, Column};
use crate::finding::Severity;
use indexmap::IndexMap;
use std::borrow::Cow;

/// No word in this row.
pub(super) const NO_WORD: u32 = u32::MAX;

/// A column of words.
pub(super) struct WordColumn<'a> {
    header: &'a str,
    codes: Cow<'a, [u32]>,
    words: Vec<Cell>,
}

/// What tells the cells of a column apart.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Text(&'a str),
    Number(u64),
    Error(usize),
}

impl<'a> WordColumn<'a> {
    /// A column, with numbers as the text they show.
    pub(super) fn new(header: &'a str, column: Option<&'a Column>) -> Self {
        let (codes, words) = match column {
            None => (Cow::Owned(Vec::new()), Vec::new()),
            Some(Column::Words { codes, words }) => {
                (Cow::Borrowed(codes.as_slice()), words.iter().map(|word| Cell::from_text(word)).collect())
            }
            Some(Column::Numbers { values, present }) => {
                let there =
                    |row: usize| present.as_ref().is_none_or(|p| p.get(row).copied().unwrap_or(false));
                coded(
                    values.iter().enumerate().map(|(row, v)| there(row).then_some(Key::Number(v.to_bits()))),
                )
            }
            Some(Column::Cells(cells)) => coded(cells.iter().map(|cell| match cell {
                Cell::Empty => None,
                Cell::Number(number) => Some(Key::Number(number.to_bits())),
                Cell::Text(text) => Some(Key::Text(text)),
                Cell::Error(index) => Some(Key::Error(*index)),
            })),
        };
        Self { header, codes, words }
    }

    /// The header as pasted.
    pub(super) fn header(&self) -> &'a str {
        self.header
    }

    /// Which word a row has: an index into what [`Self::map`] returns, or [`NO_WORD`].
    pub(super) fn code(&self, row: usize) -> u32 {
        self.codes.get(row).copied().unwrap_or(NO_WORD)
    }

    /// The cell behind a code: text, an error or nothing.
    pub(super) fn word(&self, code: u32) -> &Cell {
        self.words.get(code as usize).unwrap_or(&Cell::Empty)
    }

    /// The text of a row.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match self.word(self.code(row)) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Something about every distinct word.
    pub(super) fn map<T>(&self, of: impl FnMut(&Cell) -> T) -> Vec<T> {
        self.words.iter().map(of).collect()
    }
}

fn coded<'a>(keys: impl Iterator<Item = Option<Key<'a>>>) -> (Cow<'a, [u32]>, Vec<Cell>) {
    let mut distinct: IndexMap<Key<'a>, ()> = IndexMap::new();
    let codes = keys
        .map(|key| {
            key.map_or(NO_WORD, |key| u32::try_from(distinct.insert_full(key, ()).0).unwrap_or(NO_WORD))
        })
        .collect();
    let words = (distinct.keys())
        .map(|key| match key {
            Key::Text(text) => Cell::from_text(text),
            Key::Number(bits) => match f64::from_bits(*bits) {
                number if number.is_finite() => Cell::Text(number.to_string()),
                _ => Cell::Empty, // not a number is no word
            },
            Key::Error(index) => Cell::Error(*index),
        })
        .collect();
    (Cow::Owned(codes), words)
}

/// Why a word is refused: the code of the finding and the rule it breaks.
pub(super) type Broken = (&'static str, &'static str);

/// A column of words with a meaning, each distinct word read once.
pub(super) struct MeaningColumn<'a, T> {
    words: WordColumn<'a>,
    meanings: Vec<Result<Option<T>, Broken>>,
}

impl<'a, T: Clone> MeaningColumn<'a, T> {
    /// Reads each distinct word with `of`; `None` counts as an empty cell.
    pub(super) fn new(words: WordColumn<'a>, mut of: impl FnMut(&str) -> Result<Option<T>, Broken>) -> Self {
        let meanings = words.map(|cell| match cell {
            Cell::Empty => Ok(None),
            Cell::Error(_) => Err(("error_cell", "holds a spreadsheet error, not a word")),
            cell => of(&cell.shown()),
        });
        Self { words, meanings }
    }

    /// The meaning of a row, `None` if the cell is empty; a finding if the word has none.
    pub(super) fn read(&self, row: usize, notes: &mut Notes) -> Result<Option<T>, Refused> {
        let code = self.words.code(row);
        match self.meanings.get(code as usize) {
            None => Ok(None),
            Some(Ok(meaning)) => Ok(meaning.clone()),
            Some(Err((kind, rule))) => {
                notes.row(Severity::Error, row + 2, self.words.header(), kind, || {
                    let shown = self.words.word(code).shown();
                    let message = format!("{} {rule}, was {shown}", self.words.header());
                    (shown, message, "correct the value or clear the cell".to_owned())
                });
                Err(Refused)
            }
        }
    }
}

/// A column of yes and no.
pub(super) fn flags(words: WordColumn<'_>) -> MeaningColumn<'_, bool> {
    MeaningColumn::new(words, |text| {
        yes_or_no(text).map(Some).ok_or(("not_yes_or_no", "takes yes or no (true or false, 1 or 0)"))
    })
}

/// Yes or no, as people and programs write it.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "x" | "on" => Some(true),
        "false" | "no" | "n" | "0" | "off" | "none" | "null" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_column_has_each_word_once() {
        let column = Column::Cells(vec![
            Cell::Text("BTC".into()),
            Cell::Number(5.0),
            Cell::Text("BTC".into()),
            Cell::Empty,
            Cell::Error(0),
        ]);
        let words = WordColumn::new("symbol", Some(&column));
        assert_eq!(words.map(Cell::shown), ["BTC", "5", "#N/A"]);
        assert_eq!((words.code(0), words.code(2), words.code(3), words.code(9)), (0, 0, NO_WORD, NO_WORD));
        assert_eq!(words.text(1), Some("5"));
    }
}
