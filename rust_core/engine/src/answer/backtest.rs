//! Backtests of the margins of a book: what the tests say, the exceedances, the series.

use super::options::number;
use super::tail::line_name;
use super::{Answer, Value};
use crate::backtest::verdicts::{self, Row};
use crate::backtest::{Ground, Plan, Run, days, floors, pooled, pooled_rows, run};
use crate::book::{Book, Pool};
use crate::error::{Error, Place, Result};
use crate::history::{Bars, day_of};
use crate::margin::tail::{mapping_of_factors, results_by_line, wanted_under};
use crate::margin::{PoolView, evaluate};
use crate::market::MarketState;
use crate::moves::Mapping;
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::{Statistic, TailRule};
use crate::rulebook::{Measure, Rulebook, builtin, cell_of, path_of, with_changes};
use crate::watch::Watch;

/// The header of the tests.
pub const TESTS: [&str; 8] =
    ["scope", "test", "statistic", "p_value", "verdict", "expected", "observed", "note"];

/// The header of the exceedances.
pub const EXCEEDANCES: [&str; 12] = [
    "scope", "date", "margin", "loss", "excess", "driver_1", "result_1", "driver_2", "result_2", "driver_3",
    "result_3", "others",
];

/// The header of the series.
pub const SERIES: [&str; 6] = ["scope", "date", "margin", "loss", "exceeded", "known"];

/// Options of a backtest beside the keys of the tail.
pub const OPTIONS: [&str; 6] = ["view", "level", "coverage", "horizon_days", "first", "last"];

/// Drivers with columns of their own.
const DRIVERS: usize = 3;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// `all`, `margin`, `es` or `var`.
    pub measure: String,
    /// `tests`, `exceedances` or `series`.
    pub view: String,
    /// Whether the margin is that of the initial level.
    pub initial: bool,
    /// Coverage that the margin is held to; the rulebook's confidence where left out, 0.99 without one.
    pub coverage: Option<f64>,
    /// Margin period; the rulebook's where left out, one day without one.
    pub horizon_days: Option<f64>,
    /// First and last instant of the losses, seconds since 1970.
    pub span: (Option<f64>, Option<f64>),
    /// Keys of the tail that are changed.
    pub changes: Vec<(String, String)>,
}

/// Reads the options of a backtest; what is no option of its own is a key of the tail.
///
/// # Errors
///
/// [`Error::Unknown`] for a word that is not known, [`Error::OutOfRange`] for a number outside its range.
pub fn question(measure: &str, pairs: &[(String, String)]) -> Result<Question> {
    let mut asked = Question {
        measure: word("measure", measure, &["all", "margin", "es", "var"])?,
        view: "tests".into(),
        initial: false,
        coverage: None,
        horizon_days: None,
        span: (None, None),
        changes: Vec::new(),
    };
    for (key, value) in pairs {
        match key.trim().to_lowercase().as_str() {
            "view" => asked.view = word("view", value, &["tests", "exceedances", "series"])?,
            "level" => asked.initial = word("level", value, &["maintenance", "initial"])? == "initial",
            "coverage" => {
                asked.coverage = Some(number("coverage", value, 0.501, 0.999_99, "from 0.501 to 0.99999")?);
            }
            "horizon_days" | "measure.horizon_days" => {
                asked.horizon_days =
                    Some(number("horizon_days", value, 1e-6, 366.0, "above 0 and at most 366")?);
            }
            "first" => asked.span.0 = Some(date("first", value)?),
            "last" => asked.span.1 = Some(date("last", value)?),
            _ => asked.changes.push((path_among(key, &OPTIONS)?, value.clone())),
        }
    }
    Ok(asked)
}

pub(super) fn word(what: &'static str, text: &str, known: &[&str]) -> Result<String> {
    let found = text.trim().to_lowercase();
    if known.contains(&found.as_str()) {
        return Ok(found);
    }
    Err(Error::Unknown { what, value: text.to_owned(), known: known.join(", ") })
}

pub(super) fn date(what: &'static str, text: &str) -> Result<f64> {
    crate::tables::instant(text.trim()).ok_or_else(|| Error::Unknown {
        what,
        value: text.to_owned(),
        known: "a date that can mean one day only, such as 2020-03-12".into(),
    })
}

/// The path of a key of the tail; what is none is refused with the options that there are beside them.
pub(super) fn path_among(key: &str, options: &[&str]) -> Result<String> {
    path_of(key).map_err(|error| match error {
        Error::Unknown { what, value, known } => {
            Error::Unknown { what, value, known: format!("{}, {known}", options.join(", ")) }
        }
        other => other,
    })
}

/// A rulebook as a backtest needs it.
pub(super) struct Rules {
    /// The rulebook with its keys changed.
    pub(super) own: Rulebook,
    /// The one whose tail says how a history is read: the same, or `es` where it has no tail.
    reading: Rulebook,
}

impl Rules {
    /// A rulebook with keys of the tail changed; without a tail of its own they say how the history is read.
    ///
    /// # Errors
    ///
    /// [`Error::Rulebook`] for a value that a key cannot have.
    pub(super) fn new(
        own: &Rulebook,
        changes: &[(String, String)],
        initial: bool,
        horizon_days: Option<f64>,
    ) -> Result<Self> {
        let mut cells: Vec<_> = changes.iter().map(|(path, value)| (path.clone(), cell_of(value))).collect();
        let Measure::Tail(rule) = &own.measure else {
            let reading = with_changes(builtin("es")?, &cells)?;
            return Ok(Self { own: own.clone(), reading });
        };
        if let Some(days) = horizon_days {
            let own = initial && rule.initial_horizon_days.is_some();
            let key = if own { "tail.initial_horizon_days" } else { "measure.horizon_days" };
            cells.push((key.to_owned(), crate::cell::Cell::Number(days)));
        }
        let own = with_changes(own, &cells)?;
        Ok(Self { reading: own.clone(), own })
    }

    /// How losses are made of moves.
    pub(super) fn rule(&self) -> Result<&TailRule> {
        crate::margin::tail::rule_of(&self.reading)
    }

    /// The margin period of a level.
    pub(super) fn period(&self, initial: bool, asked: Option<f64>) -> f64 {
        match &self.own.measure {
            Measure::Tail(rule) if initial => rule.initial_horizon_days.unwrap_or(rule.horizon_days),
            Measure::Tail(rule) => rule.horizon_days,
            Measure::NormalValueAtRisk { horizon_days, .. } => asked.unwrap_or(*horizon_days),
            _ => asked.unwrap_or(1.0),
        }
    }

    /// The coverage that the rulebook states, 0.99 where it states none.
    pub(super) fn coverage(&self) -> f64 {
        match &self.own.measure {
            Measure::Tail(rule) => rule.confidence,
            Measure::NormalValueAtRisk { confidence, .. } => *confidence,
            _ => 0.99,
        }
    }
}

/// The refusal of a book without a history.
pub(super) fn no_history() -> Error {
    Error::Missing {
        what: "history".into(),
        why: "a margin is tested on one: make its key with CM_HISTORY and give it in the options of CM_BOOK as history".into(),
        place: Place::default(),
    }
}

/// The history of what the accounts of a book under a rulebook hold, as moves.
///
/// # Errors
///
/// [`Error::Missing`] without a history or a series; as [`Bars::new`].
pub(super) fn history(book: &Book, rulebook: usize, rule: &TailRule) -> Result<(Bars, Mapping)> {
    let history = book.history.as_deref().ok_or_else(no_history)?;
    let bars = Bars::new(&rule.history, history, &wanted_under(book, rulebook, rule)?)?;
    let mapping = mapping_of_factors(book, &bars.factors);
    Ok((bars, mapping))
}

/// The backtest of every pool of a book.
///
/// # Errors
///
/// As [`run`] and the tests; [`Error::NoAnswer`] if stopped.
pub fn table(book: &Book, asked: &Question, watch: &Watch) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    let mut answer = Answer::new(match asked.view.as_str() {
        "exceedances" => &EXCEEDANCES,
        "series" => &SERIES,
        _ => &TESTS,
    });
    for (index, own) in book.rulebooks.iter().enumerate() {
        let pools: Vec<&Pool> = book
            .pools
            .iter()
            .filter(|pool| book.accounts.get(pool.account).is_some_and(|a| a.rulebook == index))
            .collect();
        if pools.is_empty() {
            continue;
        }
        let rules = Rules::new(own, &asked.changes, asked.initial, asked.horizon_days)?;
        let rule = rules.rule()?;
        let (bars, mapping) = history(book, index, rule)?;
        let plan = Plan {
            initial: asked.initial,
            horizon_days: rules.period(asked.initial, asked.horizon_days),
            first: asked.span.0,
            last: asked.span.1,
        };
        let coverage = asked.coverage.unwrap_or_else(|| rules.coverage());
        let mut runs = Vec::with_capacity(pools.len());
        for (place, pool) in pools.iter().enumerate() {
            let view = PoolView::of(book, pool);
            let ground = Ground { view: &view, rulebook: &rules.own, rule, bars: &bars, mapping: &mapping };
            if place == 0 {
                watch.expect(days(ground, &plan)?.0.len() * pools.len());
            }
            let mut found = run(ground, &plan, watch)?;
            if asked.view != "tests" {
                measure_instead(&mut found, &asked.measure, &rules.own)?;
            }
            answer.rows.extend(match asked.view.as_str() {
                "exceedances" => exceedances(book, pool, &ground, &found)?,
                "series" => series(book, pool, &bars, &found),
                _ => tests(book, pool, &ground, &found, (asked, coverage, watch))?,
            });
            runs.push(found);
        }
        if runs.len() > 1 && asked.view == "tests" && ["all", "margin"].contains(&asked.measure.as_str()) {
            let scope = format!("all of {}", own.id);
            let rows = pooled_rows(&pooled(&runs, &bars), coverage);
            answer.rows.extend(rows.into_iter().map(|row| cells(&scope, row)));
        }
    }
    Ok(answer)
}

/// Puts the value at risk or the expected shortfall in the place of the margin.
fn measure_instead(found: &mut Run, measure: &str, rulebook: &Rulebook) -> Result<()> {
    if ["all", "margin"].contains(&measure) {
        return Ok(());
    }
    for day in &mut found.days {
        let Some(tail) = &day.tail else {
            crate::margin::tail::rule_of(rulebook)?;
            continue;
        };
        day.margin = if measure == "es" { tail.expected_shortfall } else { tail.value_at_risk };
    }
    Ok(())
}

fn tests(
    book: &Book,
    pool: &Pool,
    ground: &Ground<'_>,
    found: &Run,
    (asked, target, watch): (&Question, f64, &Watch),
) -> Result<Vec<Vec<Value>>> {
    let wants = |measure: &str| ["all", measure].contains(&asked.measure.as_str());
    let mut rows = verdicts::days(found, ground);
    let tail = match &ground.rulebook.measure {
        Measure::Tail(rule) => Some(rule),
        _ => None,
    };
    if wants("var") {
        rows.extend(verdicts::value_at_risk(found, ground.rule.confidence)?);
    }
    if wants("es") {
        let is_shortfall = tail.is_none_or(|rule| rule.statistic == Statistic::ExpectedShortfall);
        if is_shortfall || asked.measure == "es" {
            rows.extend(verdicts::expected_shortfall(found, ground.rule.confidence, watch)?);
        }
    }
    if wants("margin") {
        rows.extend(verdicts::coverage(found, ground.bars, target)?);
        rows.extend(verdicts::cyclicality(found, ground.bars)?);
        let horizon_days = found.length as f64 * ground.bars.step_days;
        let model = floors::Model {
            rulebook: ground.rulebook,
            initial: asked.initial,
            horizon_days,
            step_days: ground.bars.step_days,
            initial_rate: initial_rate(ground.view),
        };
        rows.extend(floors::floors(&model)?);
    }
    let scope = book.pool_name(pool);
    Ok(rows.into_iter().map(|row| cells(&scope, row)).collect())
}

/// Initial margin over notional today; `None` where one of them is not known.
fn initial_rate(view: &PoolView<'_>) -> Option<f64> {
    let found = evaluate(view, &MarketState::today(view.book)).ok()?.requirement;
    let notional = sum(found.by_position.iter().map(|own| own.notional));
    found.initial.filter(|_| notional > 0.0).map(|initial| initial / notional)
}

fn cells(scope: &str, row: Row) -> Vec<Value> {
    // a test that has no such figure leaves the cell empty: nothing is missing
    let figure = |value: Option<f64>| value.map_or_else(|| "".into(), Value::from);
    vec![
        scope.into(),
        row.test.into(),
        figure(row.statistic),
        figure(row.p_value),
        row.verdict.into(),
        figure(row.expected),
        figure(row.observed),
        row.note.into(),
    ]
}

fn series(book: &Book, pool: &Pool, bars: &Bars, found: &Run) -> Vec<Vec<Value>> {
    let scope = book.pool_name(pool);
    let row = |day: &crate::backtest::Day| {
        vec![
            scope.as_str().into(),
            day_of(found.end_of(bars, day)).into(),
            day.margin.into(),
            day.loss.into(),
            f64::from(u8::from(day.exceeded())).into(),
            day_of(found.known_at(bars, day)).into(),
        ]
    };
    found.days.iter().map(row).collect()
}

fn exceedances(book: &Book, pool: &Pool, ground: &Ground<'_>, found: &Run) -> Result<Vec<Vec<Value>>> {
    let places: Vec<usize> =
        found.days.iter().enumerate().filter(|(_, day)| day.exceeded()).map(|(place, _)| place).collect();
    let today = MarketState::today(book);
    let lines = results_by_line(ground.view, &today, ground.rule, ground.mapping, (&found.losses, &places))?;
    let mut rows = Vec::with_capacity(places.len());
    for (rank, place) in places.iter().enumerate() {
        let Some(day) = found.days.get(*place) else { continue };
        let mut drivers: Vec<(String, f64)> = lines
            .iter()
            .map(|(line, results)| {
                (line_name(book, pool, *line), results.get(rank).copied().unwrap_or(f64::NAN))
            })
            .collect();
        // the largest losses first, then the rest together
        drivers.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        let others = sum(drivers.iter().skip(DRIVERS).map(|(_, result)| *result));
        let mut row: Vec<Value> = vec![
            book.pool_name(pool).into(),
            day_of(found.end_of(ground.bars, day)).into(),
            day.margin.into(),
            day.loss.into(),
            (day.loss - day.margin).into(),
        ];
        for driver in 0..DRIVERS {
            match drivers.get(driver) {
                Some((name, result)) => row.extend([name.as_str().into(), (*result).into()]),
                None => row.extend(["".into(), "".into()]),
            }
        }
        row.push(others.into());
        rows.push(row);
    }
    Ok(rows)
}
