//! The latest timestamp of a table.

use crate::cell::{Cell, Column};

/// The latest timestamp as pasted: numbers by size; text by order of writing, which for ISO times is that of time.
pub(super) fn latest(column: Option<&Column>) -> Option<String> {
    match column? {
        Column::Numbers { values, present } => {
            let there = |row: usize| present.as_ref().is_none_or(|p| p.get(row).copied().unwrap_or(false));
            let usable = values.iter().enumerate().filter(|(row, value)| there(*row) && value.is_finite());
            usable.map(|(_, value)| *value).max_by(f64::total_cmp).map(|value| value.to_string())
        }
        Column::Words { codes, words } => {
            let mut used = vec![false; words.len()];
            for code in codes {
                if let Some(slot) = used.get_mut(*code as usize) {
                    *slot = true;
                }
            }
            latest_of(words.iter().zip(used).filter(|(_, used)| *used).map(|(word, _)| Cell::from_text(word)))
        }
        Column::Cells(cells) => latest_of(cells.iter().cloned()),
    }
}

fn latest_of(cells: impl Iterator<Item = Cell>) -> Option<String> {
    let mut number: Option<f64> = None;
    let mut text: Option<String> = None;
    for cell in cells {
        let figure = match &cell {
            Cell::Number(value) => Some(*value),
            Cell::Text(word) => word.parse().ok(),
            Cell::Empty | Cell::Error(_) => continue,
        };
        match (figure.filter(|f| f.is_finite()), cell) {
            (Some(figure), _) => number = Some(number.map_or(figure, |n| n.max(figure))),
            (None, Cell::Text(word)) if text.as_ref().is_none_or(|t| *t < word) => text = Some(word),
            _ => {}
        }
    }
    text.or_else(|| number.map(|n| n.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_of_numbers_and_of_texts_is_kept_as_pasted() {
        let numbers = Column::Numbers { values: vec![2.0, 1_771_000_000_000.0, f64::NAN], present: None };
        assert_eq!(latest(Some(&numbers)).as_deref(), Some("1771000000000"));
        let texts = Column::Words {
            codes: vec![0, 1, u32::MAX],
            words: vec!["2026-01-13T10:00:00Z".into(), "2026-01-12".into(), "2027-01-01".into()],
        };
        assert_eq!(latest(Some(&texts)).as_deref(), Some("2026-01-13T10:00:00Z"));
        assert_eq!(latest(None), None);
    }
}
