//! Between Python objects and the engine's tables.

use crossmargin_engine::answer::{Answer, Value};
use crossmargin_engine::cell::{Cell, Column, Table};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::array;

/// Error values of a spreadsheet as its automation interface hands them over, with the index of their text.
const ERROR_CODES: [(i64, usize); 7] = [
    (-2_146_826_246, 0),
    (-2_146_826_281, 1),
    (-2_146_826_273, 2),
    (-2_146_826_265, 3),
    (-2_146_826_259, 4),
    (-2_146_826_252, 5),
    (-2_146_826_288, 6),
];

fn cell(value: &Bound<'_, PyAny>) -> PyResult<Cell> {
    if value.is_none() {
        return Ok(Cell::Empty);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Cell::Number(number.value()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Cell::from_text(text.to_str()?));
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Cell::Text(if flag.is_true() { "TRUE" } else { "FALSE" }.to_owned()));
    }
    if value.is_instance_of::<PyInt>() {
        if let Ok(whole) = value.extract::<i64>()
            && let Some((_, index)) = ERROR_CODES.iter().find(|(code, _)| *code == whole)
        {
            return Ok(Cell::Error(*index));
        }
        // a whole number beyond floats is refused later, as every number that is not finite
        return Ok(Cell::Number(value.extract::<f64>().unwrap_or(f64::INFINITY)));
    }
    match value.extract::<f64>() {
        Ok(number) => Ok(Cell::Number(number)),
        Err(_) => Ok(Cell::from_text(value.str()?.to_str()?)),
    }
}

/// A column from a numpy array, an array with a mask, or any sequence.
fn column(value: &Bound<'_, PyAny>) -> PyResult<Column> {
    if let Some(values) = array::column(value) {
        return Ok(Column::Numbers { values, present: None });
    }
    if let Ok(pair) = value.cast::<PyTuple>()
        && pair.len() == 2
        && let (Some(values), Some(present)) =
            (array::column(&pair.get_item(0)?), array::mask(&pair.get_item(1)?))
    {
        return Ok(Column::Numbers { values, present: Some(present) });
    }
    if let Some(words) = words(value)? {
        return Ok(words);
    }
    let cells: PyResult<Vec<Cell>> = value.try_iter()?.map(|item| cell(&item?)).collect();
    Ok(Column::Cells(cells?))
}

/// A column of text with each distinct word kept once; `None` when anything but text is in it.
fn words(value: &Bound<'_, PyAny>) -> PyResult<Option<Column>> {
    let Ok(list) = value.cast::<PyList>() else { return Ok(None) };
    let mut codes = Vec::with_capacity(list.len());
    let mut words: indexmap::IndexSet<String> = indexmap::IndexSet::new();
    for item in list.iter() {
        if item.is_none() {
            codes.push(u32::MAX);
            continue;
        }
        let Ok(text) = item.cast::<PyString>() else { return Ok(None) };
        let text = text.to_str()?;
        let code = match words.get_index_of(text) {
            Some(index) => index,
            None => words.insert_full(text.to_owned()).0,
        };
        codes.push(u32::try_from(code).unwrap_or(u32::MAX));
    }
    Ok(Some(Column::Words { codes, words: words.into_iter().collect() }))
}

/// A table from rows (the first is the header) or from a mapping of columns.
pub(crate) fn table(value: &Bound<'_, PyAny>) -> PyResult<Table> {
    if let Ok(mapping) = value.cast::<PyDict>() {
        let mut table = Table { header: Vec::new(), columns: Vec::new() };
        for (name, values) in mapping.iter() {
            table.header.push(name.str()?.to_str()?.to_owned());
            table.columns.push(column(&values)?);
        }
        return Ok(table);
    }
    let mut rows = Vec::new();
    for row in value
        .try_iter()
        .map_err(|_| PyTypeError::new_err("a table is rows of cells or a mapping of columns"))?
    {
        let row = row?;
        if row.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a table is rows of cells, not text"));
        }
        let cells: PyResult<Vec<Cell>> = row.try_iter()?.map(|item| cell(&item?)).collect();
        rows.push(cells?);
    }
    Ok(Table::from_rows(rows))
}

/// A table that may be left out.
pub(crate) fn optional_table(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Table>> {
    value.filter(|value| !value.is_none()).map(table).transpose()
}

/// An answer as (header, rows, note).
pub(crate) fn answer<'py>(
    python: Python<'py>,
    answer: &Answer,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyList>, String)> {
    let rows = PyList::empty(python);
    for row in &answer.rows {
        let cells: PyResult<Vec<Bound<'py, PyAny>>> = row
            .iter()
            .map(|value| match value {
                Value::Number(number) => Ok(PyFloat::new(python, *number).into_any()),
                Value::Text(text) => Ok(PyString::new(python, text).into_any()),
                Value::Missing => Ok(python.None().into_bound(python)),
            })
            .collect();
        rows.append(PyTuple::new(python, cells?)?)?;
    }
    Ok((PyTuple::new(python, &answer.header)?, rows, answer.note.clone()))
}
