//! Long and short rows of one symbol in an account that is not in hedge mode.

use super::notes::Notes;
use super::{Leg, MarginMode, PositionRow};
use crate::finding::Severity;
use crate::instrument::Instrument;
use std::collections::BTreeMap;

type Key = (Option<u32>, u32, bool);

fn key(row: &PositionRow) -> Key {
    (row.account, row.instrument, row.mode == MarginMode::Cross)
}

/// First long and first short row of every key that has both. Sorting a million keys is several times faster
/// than a map of them, and the books that have such keys are refused anyway.
fn conflicts(rows: &[PositionRow]) -> BTreeMap<Key, [usize; 2]> {
    let mut keys: Vec<(Key, bool, usize)> = (rows.iter())
        .filter(|row| row.leg == Leg::Net)
        .map(|row| (key(row), row.quantity < 0.0, row.row))
        .collect();
    keys.sort_unstable();
    let mut conflicts = BTreeMap::new();
    for group in keys.chunk_by(|a, b| a.0 == b.0) {
        // Sorted by sign and then row, so the first of a sign is the first row of it.
        if let (Some(first), Some(short)) = (group.first(), group.iter().find(|(_, short, _)| *short))
            && !first.1
        {
            conflicts.insert(first.0, [first.2, short.2]);
        }
    }
    conflicts
}

/// Leaves out all rows of a symbol that has both signs, with a finding on each that names the first of the
/// other sign: netting them would hide a leg, keeping them would double the margin.
pub(super) fn refuse(
    rows: Vec<PositionRow>,
    instruments: &[Instrument],
    header: &str,
    notes: &mut Notes,
) -> Vec<PositionRow> {
    let firsts = conflicts(&rows);
    if firsts.is_empty() {
        return rows;
    }
    let other_sign = |row: &PositionRow| {
        let [long, short] = firsts.get(&key(row)).filter(|_| row.leg == Leg::Net)?;
        Some(if row.quantity > 0.0 { *short } else { *long })
    };
    for row in &rows {
        let Some(other) = other_sign(row) else { continue };
        notes.row(Severity::Error, row.row, header, "opposite_signs", || {
            let symbol = usize::try_from(row.instrument).ok().and_then(|i| instruments.get(i));
            let symbol = symbol.map_or("the symbol", |i| i.symbol.as_str());
            let message = format!(
                "{symbol} is held in both directions (row {} and row {other}) without hedge mode",
                row.row
            );
            (row.quantity.to_string(), message, "give positionSide LONG and SHORT, or net the rows".into())
        });
    }
    rows.into_iter().filter(|row| other_sign(row).is_none()).collect()
}
