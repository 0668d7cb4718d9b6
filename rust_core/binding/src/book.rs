//! The book, and every question that is asked of one.

use std::sync::OnceLock;

use crossmargin_engine::answer::{self, Answer, Evaluated, options, recon::Tolerance};
use crossmargin_engine::book::{self as engine, Input, Options, Outcome, RulebookChoice};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::cells::{answer as to_python, optional_table, table};
use crate::enter::{enter, enter_watched};
use crate::history::History;
use crate::rulebooks::{Given, choice};

/// Header, rows and note of an answer.
pub(crate) type Rows<'py> = (Bound<'py, PyTuple>, Bound<'py, PyList>, String);

/// A validated book.
#[pyclass(frozen, module = "crossmargin")]
pub(crate) struct Book {
    pub(crate) book: engine::Book,
    evaluated: OnceLock<Evaluated>,
    /// What it was made of, so that it can be booked under other rulebooks; none for very large tables.
    origin: Option<Tables>,
}

/// Above this many rows the tables of a book are not kept.
const KEPT_ROWS: usize = 200_000;

impl Book {
    /// The book at its own prices, evaluated at the first question.
    pub(crate) fn evaluated(&self) -> &Evaluated {
        self.evaluated.get_or_init(|| Evaluated::new(&self.book))
    }

    fn under(&self, rulebooks: Vec<Given>, triggers: bool) -> crossmargin_engine::Result<Answer> {
        let Some(origin) = &self.origin else {
            return Err(crossmargin_engine::Error::NotCovered {
                what: "a comparison".into(),
                why: format!("the tables of a book of more than {KEPT_ROWS} rows are not kept"),
                place: crossmargin_engine::Place::default(),
            });
        };
        let mut rebooked = Vec::with_capacity(rulebooks.len());
        for (name, form, text) in rulebooks {
            let rulebook = match form.as_str() {
                "mode" => answer::books::mode(&self.book, &text).and_then(|found| match found {
                    Some(rulebook) => Ok(rulebook.clone()),
                    None => crate::rulebooks::one("id", &text),
                }),
                _ => crate::rulebooks::one(&form, &text),
            };
            let isolated = form == "mode" && text == "isolated";
            let built = rulebook.and_then(|rulebook| {
                // under its own rulebook a book is what it is
                let rebook = !matches!(self.book.rulebooks.as_slice(), [own] if *own == rulebook);
                let settings = Options { as_of: self.as_of_given(), partial: false, rebook };
                let choice = RulebookChoice::One(Box::new(rulebook));
                let book = engine::build(&origin.input(), &choice, &settings).book?;
                let evaluated = Evaluated::new(&book);
                Ok((book, evaluated))
            });
            rebooked.push((name, isolated, built));
        }
        let compared: Vec<answer::books::Compared<'_>> = rebooked
            .iter()
            .map(|(name, isolated, built)| answer::books::Compared {
                name: name.clone(),
                book: built.as_ref().map(|(book, evaluated)| (book, evaluated)).map_err(Clone::clone),
                isolated: *isolated,
            })
            .collect();
        answer::books::compare(&compared, triggers)
    }

    /// The tables that it was made of, where they are kept.
    pub(crate) fn origin(&self) -> Option<crossmargin_engine::plan::Origin<'_>> {
        let as_of = Some(self.book.as_of.as_str()).filter(|text| *text != "none");
        self.origin.as_ref().map(|tables| crossmargin_engine::plan::Origin { input: tables.input(), as_of })
    }

    fn as_of_given(&self) -> Option<String> {
        Some(self.book.as_of.clone()).filter(|text| text != "none")
    }

    fn ask<'py>(
        &self,
        python: Python<'py>,
        question: impl FnOnce(&engine::Book, &Evaluated) -> crossmargin_engine::Result<Answer> + Send,
    ) -> PyResult<Rows<'py>> {
        let found = enter(python, || question(&self.book, self.evaluated()))?;
        to_python(python, &found)
    }
}

struct Tables {
    positions: Option<crossmargin_engine::cell::Table>,
    collateral: Option<crossmargin_engine::cell::Table>,
    market: Option<crossmargin_engine::cell::Table>,
    orders: Option<crossmargin_engine::cell::Table>,
    brackets: Option<crossmargin_engine::cell::Table>,
    correlations: Option<Vec<Vec<f64>>>,
    history: Option<std::sync::Arc<crossmargin_engine::history::History>>,
}

impl Tables {
    fn input(&self) -> Input<'_> {
        Input {
            positions: self.positions.as_ref(),
            collateral: self.collateral.as_ref(),
            market: self.market.as_ref(),
            orders: self.orders.as_ref(),
            brackets: self.brackets.as_ref(),
            correlations: self.correlations.as_deref(),
            history: self.history.as_ref(),
            ..Input::default()
        }
    }
}

fn run(python: Python<'_>, tables: &Tables, rulebooks: Vec<Given>, settings: &Options) -> PyResult<Outcome> {
    enter(python, || {
        let choice: RulebookChoice = choice(rulebooks)?;
        Ok(engine::build(&tables.input(), &choice, settings))
    })
}

/// Builds a book from tables.
#[pyfunction]
#[pyo3(signature = (positions, rulebooks, *, collateral=None, market=None, orders=None, brackets=None, correlations=None, history=None, as_of=None, partial=false))]
#[expect(clippy::too_many_arguments, reason = "one argument per table; keyword-only in Python")]
pub(crate) fn build_book(
    python: Python<'_>,
    positions: &Bound<'_, PyAny>,
    rulebooks: Vec<Given>,
    collateral: Option<&Bound<'_, PyAny>>,
    market: Option<&Bound<'_, PyAny>>,
    orders: Option<&Bound<'_, PyAny>>,
    brackets: Option<&Bound<'_, PyAny>>,
    correlations: Option<Vec<Vec<f64>>>,
    history: Option<&Bound<'_, History>>,
    as_of: Option<String>,
    partial: bool,
) -> PyResult<Book> {
    let tables = Tables {
        positions: Some(table(positions)?),
        collateral: optional_table(collateral)?,
        market: optional_table(market)?,
        orders: optional_table(orders)?,
        brackets: optional_table(brackets)?,
        correlations,
        history: history.map(|given| given.get().0.clone()),
    };
    let outcome = run(python, &tables, rulebooks, &Options { as_of, partial, rebook: false })?;
    let book = outcome.book.map_err(|error| crate::error::to_python(python, &error))?;
    let origin = (book.pasted_rows <= KEPT_ROWS).then_some(tables);
    Ok(Book { book, evaluated: OnceLock::new(), origin })
}

/// What is noticed about tables without building a book of them: issues, columns, units.
#[pyfunction]
#[pyo3(signature = (rulebooks, *, positions=None, collateral=None, market=None, orders=None, brackets=None))]
pub(crate) fn inspect<'py>(
    python: Python<'py>,
    rulebooks: Vec<Given>,
    positions: Option<&Bound<'py, PyAny>>,
    collateral: Option<&Bound<'py, PyAny>>,
    market: Option<&Bound<'py, PyAny>>,
    orders: Option<&Bound<'py, PyAny>>,
    brackets: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Rows<'py>, Rows<'py>, Rows<'py>)> {
    let tables = Tables {
        positions: optional_table(positions)?,
        collateral: optional_table(collateral)?,
        market: optional_table(market)?,
        orders: optional_table(orders)?,
        brackets: optional_table(brackets)?,
        correlations: None,
        history: None,
    };
    let (findings, columns, units) = if rulebooks.is_empty() {
        enter(python, || Ok(engine::read_only(&tables.input())))?
    } else {
        let outcome =
            run(python, &tables, rulebooks, &Options { as_of: None, partial: true, rebook: false })?;
        (outcome.findings, outcome.columns, outcome.units)
    };
    Ok((
        to_python(python, &answer::check::issues(&findings))?,
        to_python(python, &answer::check::columns(&columns))?,
        to_python(python, &answer::check::units(&units))?,
    ))
}

pub(crate) type Pairs = Vec<(String, String)>;

#[pymethods]
impl Book {
    /// The text key: hash, rulebook, size, as-of.
    #[getter]
    fn key(&self) -> &str {
        &self.book.key
    }

    /// The content hash, 32 hexadecimal digits.
    #[getter]
    fn hash(&self) -> &str {
        &self.book.hash
    }

    /// Rows of all tables together.
    #[getter]
    fn row_count(&self) -> usize {
        self.book.pasted_rows
    }

    /// As-of as given, or `none`.
    #[getter]
    fn as_of(&self) -> &str {
        &self.book.as_of
    }

    /// Names of the accounts, sorted.
    #[getter]
    fn accounts(&self) -> Vec<&str> {
        self.book.accounts.iter().map(|account| account.name.as_str()).collect()
    }

    /// The same holdings under several rulebooks: (name, form, text), the form `mode` being cross, isolated or pm.
    fn compared<'py>(
        &self,
        python: Python<'py>,
        rulebooks: Vec<Given>,
        triggers: bool,
    ) -> PyResult<Rows<'py>> {
        let found = enter(python, || self.under(rulebooks, triggers))?;
        to_python(python, &found)
    }

    /// The margin taken apart.
    fn explain<'py>(&self, python: Python<'py>, measure: &str, group_by: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, evaluated| {
            let of = answer::explain::Of::read(measure)?;
            answer::explain::table(book, evaluated, of, group_by)
        })
    }

    /// The scenarios of a risk unit.
    fn scenarios<'py>(&self, python: Python<'py>, unit: &str, layout: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| answer::scenarios::table(book, unit, layout))
    }

    /// Sensitivities by group.
    fn exposure<'py>(&self, python: Python<'py>, group_by: &str, unit: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, evaluated| answer::exposure::table(book, evaluated, group_by, unit))
    }

    /// Reporting currency of each account.
    #[getter]
    fn report_currencies(&self) -> Vec<&str> {
        (0..self.book.accounts.len())
            .filter_map(|account| self.book.rulebook_of(account))
            .map(|rulebook| rulebook.report_currency.as_str())
            .collect()
    }

    fn __repr__(&self) -> String {
        format!("<Book {}>", self.book.key)
    }

    #[pyo3(signature = (basis, scope))]
    fn equity(&self, python: Python<'_>, basis: &str, scope: &str) -> PyResult<f64> {
        enter(python, || answer::scalar::equity(&self.book, self.evaluated(), basis, scope))
    }

    #[pyo3(signature = (scope))]
    fn initial_margin(&self, python: Python<'_>, scope: &str) -> PyResult<f64> {
        enter(python, || answer::scalar::initial_margin(&self.book, self.evaluated(), scope))
    }

    #[pyo3(signature = (scope))]
    fn maintenance_margin(&self, python: Python<'_>, scope: &str) -> PyResult<f64> {
        enter(python, || answer::scalar::maintenance_margin(&self.book, self.evaluated(), scope))
    }

    #[pyo3(signature = (style, scope))]
    fn ratio(&self, python: Python<'_>, style: &str, scope: &str) -> PyResult<f64> {
        enter(python, || answer::scalar::ratio(&self.book, self.evaluated(), style, scope))
    }

    #[pyo3(signature = (above, scope))]
    fn excess(&self, python: Python<'_>, above: &str, scope: &str) -> PyResult<f64> {
        enter(python, || answer::scalar::excess(&self.book, self.evaluated(), above, scope))
    }

    #[pyo3(signature = (group_by))]
    fn summary<'py>(&self, python: Python<'py>, group_by: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, evaluated| answer::summary::summary(book, evaluated, group_by))
    }

    #[pyo3(signature = (underlying, path, which, options))]
    fn liquidation_prices<'py>(
        &self,
        python: Python<'py>,
        underlying: Option<String>,
        path: &str,
        which: &str,
        options: Pairs,
    ) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| {
            let question = options::question(path, which, &options)?;
            answer::price::table(book, underlying.as_deref(), &question)
        })
    }

    #[pyo3(signature = (underlying, side, path, which, options))]
    fn liquidation_price(
        &self,
        python: Python<'_>,
        underlying: &str,
        side: &str,
        path: &str,
        which: &str,
        options: Pairs,
    ) -> PyResult<f64> {
        enter(python, || {
            let question = options::question(path, which, &options)?;
            answer::price::single(&self.book, underlying, options::side(side)?, &question)
        })
    }

    #[pyo3(signature = (scenario, max_steps, options))]
    fn liquidation_order<'py>(
        &self,
        python: Python<'py>,
        scenario: &str,
        max_steps: f64,
        options: Pairs,
    ) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| {
            let chosen = options::order_options(&options, max_steps)?;
            answer::order::table(book, &options::scenario(scenario)?, &chosen)
        })
    }

    #[pyo3(signature = (count, scenario, sentence, options))]
    fn first_liquidated(
        &self,
        python: Python<'_>,
        count: usize,
        scenario: &str,
        sentence: bool,
        options: Pairs,
    ) -> PyResult<Vec<String>> {
        enter(python, || {
            let chosen = options::order_options(&options, 50.0)?;
            answer::order::first(&self.book, &options::scenario(scenario)?, &chosen, count, sentence)
        })
    }

    #[pyo3(signature = (scenario, policies, max_steps, options))]
    fn liquidation_policies<'py>(
        &self,
        python: Python<'py>,
        scenario: &str,
        policies: &str,
        max_steps: f64,
        options: Pairs,
    ) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| {
            let chosen = options::compared_options(&options, max_steps)?;
            let policies = answer::policies::read(policies, &chosen)?;
            answer::policies::table(book, &options::scenario(scenario)?, &policies, &chosen)
        })
    }

    #[pyo3(signature = (candidates, deficit, form, options))]
    fn deleveraging<'py>(
        &self,
        python: Python<'py>,
        candidates: Option<&Bound<'py, PyAny>>,
        deficit: Option<f64>,
        form: &str,
        options: Pairs,
    ) -> PyResult<Rows<'py>> {
        let candidates = optional_table(candidates)?;
        self.ask(python, |book, evaluated| {
            let asked = answer::adl::Question::read(form, &options)?;
            answer::adl::table(book, evaluated, candidates.as_ref(), deficit, &asked)
        })
    }

    #[pyo3(signature = (horizon))]
    fn tiers<'py>(&self, python: Python<'py>, horizon: f64) -> PyResult<Rows<'py>> {
        self.ask(python, |book, evaluated| answer::tiers::tiers(book, evaluated, horizon))
    }

    #[pyo3(signature = (sort))]
    fn collateral<'py>(&self, python: Python<'py>, sort: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| {
            answer::collateral::collateral(book, answer::collateral::sort_named(sort)?)
        })
    }

    #[pyo3(signature = (tolerance, relative, scope))]
    fn recon<'py>(
        &self,
        python: Python<'py>,
        tolerance: f64,
        relative: bool,
        scope: &str,
    ) -> PyResult<Rows<'py>> {
        let tolerance =
            if relative { Tolerance::Relative(tolerance) } else { Tolerance::Absolute(tolerance) };
        self.ask(python, |book, evaluated| answer::recon::recon(book, evaluated, tolerance, scope))
    }

    #[pyo3(signature = (measure, group_by, options))]
    fn contributions<'py>(
        &self,
        python: Python<'py>,
        measure: String,
        group_by: String,
        options: Pairs,
    ) -> PyResult<Rows<'py>> {
        let question = answer::contributions::Question { measure, group_by, options };
        self.ask(python, |book, _| answer::contributions::table(book, &question))
    }

    #[pyo3(signature = (measure, confidence, horizon_days, method, options, progress))]
    #[expect(clippy::too_many_arguments, reason = "one argument per question")]
    fn tail<'py>(
        &self,
        python: Python<'py>,
        measure: String,
        confidence: Option<f64>,
        horizon_days: Option<f64>,
        method: Option<String>,
        options: Pairs,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Rows<'py>> {
        let question = answer::tail::Question { measure, confidence, horizon_days, method, options };
        let found = enter_watched(python, progress.as_ref(), |watch| {
            answer::tail::table(&self.book, &question, watch)
        })?;
        to_python(python, &found)
    }

    #[pyo3(signature = (view))]
    fn check<'py>(&self, python: Python<'py>, view: &str) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| match view {
            "issues" => Ok(answer::check::of_book(book)),
            "columns" => Ok(answer::check::columns(&book.columns)),
            "units" => Ok(answer::check::units(&book.units)),
            _ => Err(crossmargin_engine::Error::Unknown {
                what: "view",
                value: view.to_owned(),
                known: "issues, columns, units".into(),
            }),
        })
    }

    #[pyo3(signature = ())]
    fn stamp<'py>(&self, python: Python<'py>) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| Ok(answer::books::stamp(book)))
    }

    #[pyo3(signature = ())]
    fn assumptions<'py>(&self, python: Python<'py>) -> PyResult<Rows<'py>> {
        self.ask(python, |book, _| Ok(answer::books::assumptions(book)))
    }
}
