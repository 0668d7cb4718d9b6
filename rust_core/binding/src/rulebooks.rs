//! Rulebooks by id, as TOML text or as JSON text.

use crossmargin_engine::book::RulebookChoice;
use crossmargin_engine::rulebook::{Format, Rulebook, builtin, builtins, read, read_sheet};
use crossmargin_engine::{Error, Result, answer};
use pyo3::prelude::*;

use crate::book::Rows;
use crate::cells::{answer as to_python, table};
use crate::enter::enter;

/// (account or empty for all, `id` | `toml` | `json`, text).
pub(crate) type Given = (String, String, String);

pub(crate) fn one(form: &str, text: &str) -> Result<Rulebook> {
    match form {
        "id" => builtin(text).cloned(),
        "toml" => read(text, Format::Toml),
        "json" => read(text, Format::Json),
        _ => Err(Error::Unknown {
            what: "form of a rulebook",
            value: form.into(),
            known: "id, toml, json".into(),
        }),
    }
}

/// The choice of rulebooks.
pub(crate) fn choice(given: Vec<Given>) -> Result<RulebookChoice> {
    let mut named = Vec::new();
    for (account, form, text) in given {
        named.push((account, one(&form, &text)?));
    }
    if named.len() == 1 && named.iter().all(|(account, _)| account.is_empty()) {
        let (_, rulebook) = named.remove(0);
        return Ok(RulebookChoice::One(Box::new(rulebook)));
    }
    Ok(RulebookChoice::PerAccount(named))
}

/// The list of the built-in rulebooks.
#[pyfunction]
#[pyo3(signature = ())]
pub(crate) fn rulebook_list(python: Python<'_>) -> PyResult<Rows<'_>> {
    let found = enter(python, || {
        let rulebooks: Vec<&Rulebook> = builtins()?.iter().collect();
        Ok(answer::rulebooks::list(&rulebooks))
    })?;
    to_python(python, &found)
}

/// Every number of one rulebook.
#[pyfunction]
#[pyo3(signature = (form, text, part))]
pub(crate) fn rulebook_parts<'py>(
    python: Python<'py>,
    form: &str,
    text: &str,
    part: &str,
) -> PyResult<Rows<'py>> {
    let found = enter(python, || answer::rulebooks::parts(&one(form, text)?, part))?;
    to_python(python, &found)
}

/// The keys in which two rulebooks differ; each is its form and its text.
#[pyfunction]
#[pyo3(signature = (a, b))]
pub(crate) fn rulebook_difference(
    python: Python<'_>,
    a: (String, String),
    b: (String, String),
) -> PyResult<Rows<'_>> {
    let found = enter(python, || answer::rulebooks::difference(&one(&a.0, &a.1)?, &one(&b.0, &b.1)?))?;
    to_python(python, &found)
}

/// The TOML text of a rulebook, to be copied and changed.
#[pyfunction]
#[pyo3(signature = (form, text))]
pub(crate) fn rulebook_text(python: Python<'_>, form: &str, text: &str) -> PyResult<String> {
    enter(python, || one(form, text).map(|rulebook| rulebook.text))
}

/// The TOML text of the rulebook that the rows of a sheet describe.
#[pyfunction]
#[pyo3(signature = (rows))]
pub(crate) fn rulebook_text_of_rows(python: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<String> {
    let rows = table(rows)?;
    enter(python, || read_sheet(&rows).map(|rulebook| rulebook.text))
}
