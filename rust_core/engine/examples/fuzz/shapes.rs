//! What blocks are drawn from: tables as venues export them, hostile texts and odd numbers.
//!
//! The file is that of the Python fuzzer, so that both know the same shapes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossmargin_engine::cell::{Cell, Table};
use crossmargin_engine::history::{History, Reading, read_history};
use crossmargin_engine::rulebook::{Rulebook, builtin};
use serde_json::Value;

use crate::draw::Draw;

const SHAPES: &str = include_str!("../../../../tests/fuzz/shapes.json");
const HISTORY: &str = include_str!("../../../../python/crossmargin/samples/history.csv");

pub(crate) type Rows = Vec<Vec<Cell>>;

/// The tables of one venue.
pub(crate) struct Shape {
    pub(crate) rulebook: &'static Rulebook,
    pub(crate) tables: BTreeMap<String, Rows>,
    pub(crate) has_history: bool,
    /// It counts for long, and is therefore drawn seldom.
    pub(crate) rare: bool,
}

/// Everything that is drawn from.
pub(crate) struct Shapes {
    pub(crate) as_of: String,
    pub(crate) books: Vec<Shape>,
    pub(crate) tables: BTreeMap<String, Rows>,
    pub(crate) texts: Vec<String>,
    pub(crate) numbers: Vec<f64>,
    pub(crate) headers: Vec<String>,
    pub(crate) history_rows: Rows,
    pub(crate) history: Arc<History>,
}

impl Shapes {
    /// Reads the shapes.
    ///
    /// # Errors
    ///
    /// Says in a sentence what in the file cannot be used.
    pub(crate) fn read() -> Result<Self, String> {
        let file: Value = serde_json::from_str(SHAPES).map_err(|error| error.to_string())?;
        let list = |key: &str| file.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut books = Vec::new();
        for book in list("books") {
            let id = book.get("rulebook").and_then(Value::as_str).unwrap_or_default();
            books.push(Shape {
                rulebook: builtin(id).map_err(|error| error.to_string())?,
                tables: tables(&book),
                has_history: book.get("history").is_some(),
                rare: book.get("rare").is_some(),
            });
        }
        let mut headers: Vec<String> = books
            .iter()
            .flat_map(|book| book.tables.values())
            .filter_map(|rows| rows.first())
            .flat_map(|header| header.iter().map(Cell::shown))
            .collect();
        headers.sort();
        headers.dedup();
        let history_rows: Rows = HISTORY
            .lines()
            .enumerate()
            .map(|(row, line)| line.split(',').map(|text| typed(text, row > 0)).collect())
            .collect();
        let history = read_history(&Table::from_rows(history_rows.clone()), &Reading::default())
            .map_err(|error| error.to_string())?;
        Ok(Self {
            as_of: file.get("as_of").and_then(Value::as_str).unwrap_or_default().to_owned(),
            books,
            tables: file.get("tables").map(tables).unwrap_or_default(),
            texts: list("texts").iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect(),
            numbers: list("numbers").iter().filter_map(|text| text.as_str()?.parse().ok()).collect(),
            headers,
            history_rows,
            history: Arc::new(history),
        })
    }
}

fn typed(text: &str, may_be_number: bool) -> Cell {
    match text.parse() {
        Ok(number) if may_be_number => Cell::Number(number),
        _ => Cell::from_text(text),
    }
}

fn tables(of: &Value) -> BTreeMap<String, Rows> {
    let Some(of) = of.as_object() else { return BTreeMap::new() };
    let rows = |table: &Value| -> Option<Rows> {
        Some(
            table
                .as_array()?
                .iter()
                .map(|row| row.as_array().map(|cells| cells.iter().map(cell).collect()).unwrap_or_default())
                .collect(),
        )
    };
    of.iter().filter_map(|(name, table)| Some((name.clone(), rows(table)?))).collect()
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
        Value::String(text) => Cell::from_text(text),
        _ => Cell::Empty,
    }
}

/// A block of cells without a shape, often under headers that mean something.
pub(crate) fn nonsense(draw: &mut Draw<'_>, shapes: &Shapes) -> Rows {
    let (width, height) = (draw.below(7), draw.below(6));
    let mut rows: Rows = (0..height).map(|_| (0..width).map(|_| draw.cell()).collect()).collect();
    let header = (0..width)
        .map(|_| match draw.of(&shapes.headers) {
            Some(name) if draw.chance(70) => Cell::from_text(name),
            _ => draw.cell(),
        })
        .collect();
    rows.insert(0, header);
    rows
}

/// A copy of a table with a few of its cells, rows or columns changed.
pub(crate) fn broken(draw: &mut Draw<'_>, table: &Rows) -> Rows {
    let changes = *draw.of(&[0, 0, 0, 0, 0, 1, 1, 2, 5]).unwrap_or(&0);
    let mut made = table.clone();
    for _ in 0..changes {
        let row = draw.below(made.len());
        let width = made.get(row).map_or(0, Vec::len);
        let column = draw.below(width);
        match draw.below(100) {
            0..45 => {
                let factor = *draw.of(&[-1.0, 0.5, 0.99, 1.01, 2.0, 10.0, 1e3, 1e-3]).unwrap_or(&1.0);
                if let Some(Cell::Number(number)) = made.get_mut(row).and_then(|cells| cells.get_mut(column))
                {
                    *number *= factor;
                }
            }
            45..70 => {
                let drawn = draw.cell();
                if let Some(cell) = made.get_mut(row).and_then(|cells| cells.get_mut(column)) {
                    *cell = drawn;
                }
            }
            70..78 => {
                if let Some(again) = made.get(row).cloned() {
                    made.insert(row, again);
                }
            }
            78..84 if row < made.len() => drop(made.remove(row)),
            84..89 => made.iter_mut().filter(|cells| column < cells.len()).for_each(|cells| {
                cells.remove(column);
            }),
            89..93 => {
                for cells in &mut made {
                    let drawn = draw.cell();
                    cells.insert(column.min(cells.len()), drawn);
                }
            }
            93..96 => {
                let other = draw.below(made.len());
                if row < made.len() {
                    made.swap(row, other);
                }
            }
            _ => {
                if let Some(cells) = made.get_mut(row) {
                    cells.truncate(column);
                }
            }
        }
    }
    made
}
