//! Accounts and instruments that rows use, in order of first appearance.

use super::Positions;
use super::balances::error_cell;
use super::notes::Notes;
use super::number::Refused;
use super::units::Reading;
use super::words::WordColumn;
use crate::cell::Cell;
use crate::instrument::Instrument;
use indexmap::IndexSet;

/// A column of names, such as that of accounts, and the names seen.
pub(super) struct Names<'a> {
    words: WordColumn<'a>,
    /// Place of each distinct word of the column, once a row used it.
    places: Vec<Option<u32>>,
    names: IndexSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(words: WordColumn<'a>) -> Self {
        let places = words.map(|_| None);
        Self { words, places, names: IndexSet::new() }
    }

    /// The name of a row, an index into [`Self::into_names`].
    pub(super) fn read(&mut self, row: usize, notes: &mut Notes) -> Result<Option<u32>, Refused> {
        let code = self.words.code(row);
        let Some(place) = self.places.get_mut(code as usize) else { return Ok(None) };
        match self.words.word(code) {
            Cell::Text(_) if place.is_some() => Ok(*place),
            Cell::Text(name) => {
                // Not by `places` alone: a frame may list a word twice, or with blanks around it.
                *place = u32::try_from(self.names.insert_full(name.clone()).0).ok();
                Ok(*place)
            }
            cell @ Cell::Error(_) => Err(error_cell(&self.words, row, cell, notes)),
            Cell::Empty | Cell::Number(_) => Ok(None),
        }
    }

    /// Distinct names in order of first appearance.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names.into_iter().collect()
    }
}

/// The instruments that usable rows have.
#[derive(Default)]
pub(super) struct Held {
    /// By place among all instruments read: place in the answer, and the units in which it was read.
    places: Vec<Option<(u32, Vec<&'static str>)>>,
}

impl Held {
    /// The place of an instrument in the answer, and whether this unit of it is new.
    pub(super) fn register(
        &mut self,
        place: usize,
        instrument: &Instrument,
        reading: &Reading,
        positions: &mut Positions,
    ) -> (u32, bool) {
        if self.places.len() <= place {
            self.places.resize(place + 1, None);
        }
        match self.places.get_mut(place) {
            Some(Some((index, units))) => {
                let new = !units.contains(&reading.read_as);
                if new {
                    units.push(reading.read_as);
                }
                (*index, new)
            }
            slot => {
                let index = u32::try_from(positions.instruments.len()).unwrap_or(u32::MAX);
                positions.instruments.push(instrument.clone());
                positions.scales.push(reading.scale);
                if let Some(slot) = slot {
                    *slot = Some((index, vec![reading.read_as]));
                }
                (index, true)
            }
        }
    }
}
