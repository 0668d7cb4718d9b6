//! Long and short rows of one symbol in an account that is not in hedge mode.

use super::notes::Notes;
use super::{Leg, MarginMode, PositionRow};
use crate::finding::Severity;
use crate::instrument::Instrument;
use indexmap::IndexMap;

type Key = (Option<u32>, u32, bool);

fn key(row: &PositionRow) -> Key {
    (row.account, row.instrument, row.mode == MarginMode::Cross)
}

/// Leaves out all rows of a symbol that has both signs, with a finding on each that names the first of the
/// other sign: netting them would hide a leg, keeping them would double the margin.
pub(super) fn refuse(
    rows: Vec<PositionRow>,
    instruments: &[Instrument],
    header: &str,
    notes: &mut Notes,
) -> Vec<PositionRow> {
    let mut firsts: IndexMap<Key, [Option<usize>; 2]> = IndexMap::new();
    for row in rows.iter().filter(|row| row.leg == Leg::Net) {
        let [long, short] = firsts.entry(key(row)).or_default();
        let first = if row.quantity > 0.0 { long } else { short };
        first.get_or_insert(row.row);
    }
    firsts.retain(|_, pair| matches!(pair, [Some(_), Some(_)]));
    if firsts.is_empty() {
        return rows;
    }
    let other_sign = |row: &PositionRow| {
        let [long, short] = firsts.get(&key(row)).filter(|_| row.leg == Leg::Net)?;
        if row.quantity > 0.0 { *short } else { *long }
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
