//! What a pasted table is made of: columns of cells under a header.

/// Spreadsheet errors, by the text that every host shows.
pub const CELL_ERRORS: [&str; 13] = [
    "#N/A",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#GETTING_DATA",
];

/// One cell as a host hands it over.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing typed, or blanks only.
    Empty,
    /// A number, a date serial or a boolean (1 and 0).
    Number(f64),
    /// Text, trimmed.
    Text(String),
    /// A spreadsheet error, an index into [`CELL_ERRORS`].
    Error(usize),
}

impl Cell {
    /// A cell from text: blank text is empty, the error texts of spreadsheets are errors.
    pub fn from_text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            Self::Empty
        } else if let Some(index) = CELL_ERRORS.iter().position(|error| *error == trimmed) {
            Self::Error(index)
        } else {
            Self::Text(trimmed.to_owned())
        }
    }

    /// What the cell shows.
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Error(index) => CELL_ERRORS.get(*index).copied().unwrap_or("#VALUE!").to_owned(),
        }
    }
}

/// One column. The first two forms are what a data frame gives without a cell per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; `present` is false where the frame had no value (a NaN is a value, and refused later).
    Numbers {
        /// One number per row.
        values: Vec<f64>,
        /// Which rows have one; `None` means all.
        present: Option<Vec<bool>>,
    },
    /// Text, each distinct word once; `u32::MAX` stands for no value.
    Words {
        /// One index into `words` per row.
        codes: Vec<u32>,
        /// The distinct words.
        words: Vec<String>,
    },
    /// Any mixture.
    Cells(Vec<Cell>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers { values, .. } => values.len(),
            Self::Words { codes, .. } => codes.len(),
            Self::Cells(cells) => cells.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of a row; past the end it is empty.
    pub fn cell(&self, row: usize) -> Cell {
        match self {
            Self::Numbers { values, present } => {
                let there = present.as_ref().is_none_or(|p| p.get(row).copied().unwrap_or(false));
                match values.get(row) {
                    Some(&value) if there => Cell::Number(value),
                    _ => Cell::Empty,
                }
            }
            Self::Words { codes, words } => codes
                .get(row)
                .and_then(|&code| words.get(code as usize))
                .map_or(Cell::Empty, |word| Cell::from_text(word)),
            Self::Cells(cells) => cells.get(row).cloned().unwrap_or(Cell::Empty),
        }
    }
}

/// A pasted table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Header texts, one per column, as pasted.
    pub header: Vec<String>,
    /// Columns, all of one length.
    pub columns: Vec<Column>,
}

impl Table {
    /// A table from rows of cells, the first row being the header; short rows are filled with empty cells.
    ///
    /// Blank rows at the end are cut: one host hands over the used range and another the whole table, and
    /// the book is the same.
    pub fn from_rows(mut rows: Vec<Vec<Cell>>) -> Self {
        while rows.len() > 1 && rows.last().is_some_and(|row| row.iter().all(|cell| *cell == Cell::Empty)) {
            rows.pop();
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut rows = rows.into_iter();
        let mut header: Vec<String> = rows.next().unwrap_or_default().iter().map(Cell::shown).collect();
        header.resize(width, String::new());
        let mut columns = vec![Vec::new(); width];
        for row in rows {
            let mut cells = row.into_iter();
            for column in &mut columns {
                column.push(cells.next().unwrap_or(Cell::Empty));
            }
        }
        Self { header, columns: columns.into_iter().map(Column::Cells).collect() }
    }

    /// Number of rows below the header.
    pub fn rows(&self) -> usize {
        self.columns.iter().map(Column::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_text_is_an_error_and_blanks_are_empty() {
        assert_eq!(Cell::from_text(" #N/A "), Cell::Error(0));
        assert_eq!(Cell::from_text("  "), Cell::Empty);
        assert_eq!(Cell::from_text(" BTC "), Cell::Text("BTC".into()));
    }

    #[test]
    fn short_rows_are_filled_with_empty_cells() {
        let table = Table::from_rows(vec![
            vec![Cell::Text("a".into()), Cell::Text("b".into())],
            vec![Cell::Number(1.0)],
        ]);
        assert_eq!(table.rows(), 1);
        assert_eq!(table.columns[1].cell(0), Cell::Empty);
    }
}
