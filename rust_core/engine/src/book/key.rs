//! The content hash of a book: tables, rulebooks, options and the engine's numbers.

use super::build::{Input, Options};
use crate::cell::{Cell, Column, Table};
use crate::rulebook::Rulebook;

/// Changes whenever the same input may give different numbers.
pub(crate) const NUMBERS_VERSION: &str = "1";

struct Hasher {
    inner: blake3::Hasher,
    pending: Vec<u8>,
}

impl Hasher {
    const FLUSH: usize = 1 << 16;

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.pending.push(tag);
        self.pending.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= Self::FLUSH {
            self.inner.update(&self.pending);
            self.pending.clear();
        }
    }

    fn number(&mut self, value: f64) {
        self.bytes(b'n', &value.to_bits().to_le_bytes());
    }

    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Empty => self.bytes(b'e', &[]),
            Cell::Number(number) => self.number(*number),
            Cell::Text(text) => self.bytes(b't', text.as_bytes()),
            Cell::Error(index) => self.bytes(b'x', &(*index as u64).to_le_bytes()),
        }
    }

    fn table(&mut self, table: Option<&Table>) {
        let Some(table) = table else { return self.bytes(b'0', &[]) };
        self.bytes(b'T', &(table.rows() as u64).to_le_bytes());
        for (header, column) in table.header.iter().zip(&table.columns) {
            self.bytes(b'h', header.as_bytes());
            match column {
                Column::Numbers { values, present: None } => values.iter().for_each(|v| self.number(*v)),
                _ => (0..column.len()).for_each(|row| self.cell(&column.cell(row))),
            }
        }
    }
}

/// The hash of everything that decides the numbers, 128 bits as 32 hexadecimal digits.
pub(super) fn content_hash(
    input: &Input<'_>,
    rulebooks: &[(String, &Rulebook)],
    options: &Options,
) -> String {
    let mut hasher = Hasher { inner: blake3::Hasher::new(), pending: Vec::with_capacity(Hasher::FLUSH * 2) };
    hasher.bytes(b'v', NUMBERS_VERSION.as_bytes());
    for table in [input.positions, input.collateral, input.market, input.orders, input.brackets] {
        hasher.table(table);
    }
    for row in input.correlations.unwrap_or_default() {
        row.iter().for_each(|value| hasher.number(*value));
    }
    hasher.bytes(b'm', input.history.map_or("", |history| history.hash.as_str()).as_bytes());
    for (account, rulebook) in rulebooks {
        hasher.bytes(b'a', account.as_bytes());
        hasher.bytes(b'r', rulebook.text.as_bytes());
    }
    hasher.bytes(b'o', options.as_of.as_deref().unwrap_or("").as_bytes());
    hasher.bytes(b'p', &[u8::from(options.partial)]);
    hasher.inner.update(&hasher.pending);
    let digest = hasher.inner.finalize();
    digest.to_hex().chars().take(32).collect()
}
