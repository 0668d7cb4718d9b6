//! Value at risk and expected shortfall of accounts with their sampling errors, and the scenarios that lose most.

use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::PoolView;
use crate::margin::tail::{
    LineOf, Measured, by_line_under, made_for, measured_watched, rule_of, scenario_name, tail_of,
};
use crate::market::MarketState;
use crate::moves::{Mapping, Moves, Scenarios};
use crate::numeric::accumulate::sum;
use crate::revaluation::joint::Method;
use crate::rulebook::tail::{Aggregation, Statistic, TailRule, TailScenarios};
use crate::rulebook::{Measure, Rulebook, builtin, cell_of, path_of, with_changes};
use crate::statistics::{effective_size, expected_shortfall_error, value_at_risk_interval};
use crate::watch::Watch;

/// The header of the measures.
pub const MEASURES: [&str; 12] = [
    "scope",
    "measure",
    "method",
    "confidence",
    "horizon_days",
    "scenarios",
    "effective",
    "value",
    "low",
    "high",
    "standard_error",
    "note",
];

/// The header of the largest losses.
pub const LOSSES: [&str; 12] = [
    "scope", "rank", "scenario", "loss", "weight", "driver_1", "result_1", "driver_2", "result_2",
    "driver_3", "result_3", "others",
];

/// Probability that an interval is meant to hold.
const COVERAGE: f64 = 0.95;
/// The same on each side of a normal law, in standard errors.
const TWO_SIDED: f64 = 1.959_963_984_540_054;
/// How many of the largest losses are listed.
const LISTED: usize = 10;
/// Drivers with columns of their own.
const DRIVERS: usize = 3;

/// What of a tail is asked for, where it differs from the rulebook.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// `all`, `es`, `var` or `losses`.
    pub measure: String,
    /// Confidence; the rulebook's where left out.
    pub confidence: Option<f64>,
    /// Days.
    pub horizon_days: Option<f64>,
    /// `historical`, `filtered`, `age_weighted` or `simulated`; `all`, one after the other.
    pub method: Option<String>,
    /// Other keys of the tail.
    pub options: Vec<(String, String)>,
}

/// Value at risk and expected shortfall of every pool, or the scenarios in which it loses most.
///
/// Under a rulebook that is not measured by a tail, the parameters of `es` hold where nothing else is said.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; as [`crate::moves::moves`] for what is not known about a risk factor.
pub fn table(book: &Book, question: &Question, watch: &Watch) -> Result<Answer> {
    let measure = question.measure.to_lowercase();
    let known = ["all", "es", "var", "losses"];
    if !known.contains(&measure.as_str()) {
        return Err(Error::Unknown {
            what: "measure",
            value: question.measure.clone(),
            known: known.join(", "),
        });
    }
    super::evaluated::check_complete(book)?;
    let mut answer = Answer::new(if measure == "losses" { &LOSSES } else { &MEASURES });
    for pool in &book.pools {
        if question.method.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("all")) {
            for (word, _) in TailScenarios::ALL {
                let one = Question { method: Some(word.to_owned()), ..question.clone() };
                answer.rows.extend(of_pool(book, pool, &one, &measure, watch)?);
            }
        } else {
            answer.rows.extend(of_pool(book, pool, question, &measure, watch)?);
        }
    }
    Ok(answer)
}

fn of_pool(
    book: &Book,
    pool: &Pool,
    question: &Question,
    measure: &str,
    watch: &Watch,
) -> Result<Vec<Vec<Value>>> {
    let index = book.accounts.get(pool.account).map_or(0, |account| account.rulebook);
    let Some(own) = book.rulebooks.get(index) else { return Ok(Vec::new()) };
    let changed = rules(own, question)?;
    let made;
    let (rule, sets) = match &changed {
        None => (rule_of(own)?, tail_of(book, index)?),
        Some(changed) => {
            let rule = rule_of(changed)?;
            made = made_for(book, index, rule)?;
            (rule, &made)
        }
    };
    let view = PoolView::of(book, pool);
    let today = MarketState::today(book);
    let measured = measured_watched(&view, &today, rule, (&sets.0, &sets.1), watch)?;
    if measure == "losses" {
        losses(book, pool, rule, sets, &measured)
    } else {
        measures(book, pool, rule, &sets.0, &measured, measure)
    }
}

/// The rulebook with what the question changes; `None` where it is asked as it is.
fn rules(own: &Rulebook, question: &Question) -> Result<Option<Rulebook>> {
    let mut changes = Vec::new();
    let mut put = |key: &str, value: crate::cell::Cell| changes.push((key.to_owned(), value));
    if let Some(confidence) = question.confidence {
        put("measure.confidence", crate::cell::Cell::Number(confidence));
    }
    if let Some(days) = question.horizon_days {
        put("measure.horizon_days", crate::cell::Cell::Number(days));
    }
    if let Some(method) = &question.method {
        put("tail.scenarios", crate::cell::Cell::Text(method.to_lowercase()));
    }
    for (key, value) in &question.options {
        put(&path_of(key)?, cell_of(value));
    }
    let is_tail = matches!(own.measure, Measure::Tail(_));
    if is_tail && changes.is_empty() {
        return Ok(None);
    }
    let base = if is_tail { own } else { builtin("es")? };
    with_changes(base, &changes).map(Some)
}

/// A rulebook of the tail alone: no stress, floor, charge or factor, so that its maintenance margin is the measure.
pub(super) fn pure(own: &Rulebook, statistic: Statistic, options: &[(String, String)]) -> Result<Rulebook> {
    let question = Question { options: options.to_vec(), ..Question::default() };
    let mut found = match rules(own, &question)? {
        Some(changed) => changed,
        None => own.clone(),
    };
    if let Measure::Tail(rule) = &mut found.measure {
        rule.statistic = statistic;
        rule.stress = None;
        rule.floor_window = None;
        rule.initial_horizon_days = None;
    }
    for profile in &mut found.profiles {
        profile.charges.clear();
    }
    found.maintenance.factor = 1.0;
    found.initial.factor = 1.0;
    Ok(found)
}

fn measures(
    book: &Book,
    pool: &Pool,
    rule: &TailRule,
    moves: &Moves,
    measured: &Measured,
    wanted: &str,
) -> Result<Vec<Vec<Value>>> {
    let Some(level) = moves.levels.first() else { return Ok(Vec::new()) };
    let set = &level.main;
    let losses: Vec<f64> = measured.pnl.iter().map(|gain| -gain).collect();
    let probabilities = set.probabilities.as_deref();
    let interval = value_at_risk_interval(&losses, probabilities, rule.confidence, COVERAGE)?;
    let error = expected_shortfall_error(&losses, probabilities, rule.confidence)?;
    let read = &measured.tail;
    let effective = match probabilities {
        Some(list) => effective_size(list)?,
        None => set.count as f64,
    };
    let overlap = overlap(rule, moves, set);
    let head = |measure: &str| -> Vec<Value> {
        vec![
            book.pool_name(pool).into(),
            measure.into(),
            rule.scenarios.word().into(),
            rule.confidence.into(),
            set.horizon_days.into(),
            set.count.into(),
            (effective / overlap).into(),
        ]
    };
    let mut rows = Vec::new();
    if wanted != "es" {
        let mut row = head("VaR");
        row.extend([
            read.value_at_risk.into(),
            interval.lower.into(),
            interval.upper.into(),
            "".into(),
            note(rule, overlap, interval.upper.is_none(), measured).into(),
        ]);
        rows.push(row);
    }
    if wanted != "var" {
        let mut row = head("ES");
        row.extend([
            read.expected_shortfall.into(),
            (read.expected_shortfall - TWO_SIDED * error).into(),
            (read.expected_shortfall + TWO_SIDED * error).into(),
            error.into(),
            note(rule, overlap, false, measured).into(),
        ]);
        rows.push(row);
    }
    Ok(rows)
}

/// How many scenarios share a bar; 1 where they do not overlap.
fn overlap(rule: &TailRule, moves: &Moves, set: &Scenarios) -> f64 {
    let overlapping = rule.history.aggregation == Aggregation::Overlapping;
    if overlapping && rule.scenarios != TailScenarios::Simulated {
        (set.horizon_days / moves.step_days).max(1.0)
    } else {
        1.0
    }
}

fn note(rule: &TailRule, overlap: f64, open: bool, measured: &Measured) -> String {
    let mut parts = vec!["low and high hold it with 95 %".to_owned()];
    if open {
        parts.push("too few scenarios for an upper end: it may be larger than every one of them".into());
    }
    if overlap > 1.0 {
        parts.push("the scenarios overlap, so that the interval is too narrow".into());
    }
    match rule.scenarios {
        TailScenarios::Simulated if rule.simulation.sobol => {
            parts.push("Sobol points: the error is at most that of plain draws, which is shown".into());
        }
        TailScenarios::Filtered => {
            parts.push("sampling error alone, not that of the volatility forecasts".into())
        }
        _ => {}
    }
    let done = &measured.done;
    match (rule.revaluation, done.method) {
        (Method::Screened, Method::Screened) => parts.push(format!(
            "screened: {} of {} scenarios valued, the others bounded within {:.2}",
            done.valued,
            measured.pnl.len(),
            done.bound
        )),
        (Method::Screened, Method::Full) => {
            parts.push(format!("every scenario valued, not screened: {}", done.fallback));
        }
        (Method::DeltaGamma, _) => parts.push(format!(
            "by delta, gamma and vega alone: valued exactly, the mean loss of its tail is {:+.2} higher and single scenarios differ by up to {:.2}",
            done.difference.unwrap_or(0.0),
            done.error
        )),
        _ => {}
    }
    parts.join("; ")
}

/// The scenarios that lose most, each with the positions that matter most in it.
fn losses(
    book: &Book,
    pool: &Pool,
    rule: &TailRule,
    (moves, mapping): &(Moves, Mapping),
    measured: &Measured,
) -> Result<Vec<Vec<Value>>> {
    let Some(level) = moves.levels.first() else { return Ok(Vec::new()) };
    let mut order: Vec<usize> = (0..measured.pnl.len()).collect();
    let gain = |place: &usize| measured.pnl.get(*place).copied().unwrap_or(f64::NAN);
    order.sort_by(|a, b| gain(a).total_cmp(&gain(b)).then(a.cmp(b)));
    order.truncate(LISTED);
    let view = PoolView::of(book, pool);
    let lines = by_line_under(&view, &MarketState::today(book), rule, (moves, mapping), &order)?;
    let mut rows = Vec::new();
    for (rank, place) in order.iter().enumerate() {
        let weight = measured.tail.weights.iter().find(|(own, _)| own == place).map_or(0.0, |(_, w)| *w);
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
            (rank + 1).into(),
            scenario_name(&level.main, *place).into(),
            (-gain(place)).into(),
            weight.into(),
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

/// What a line of a pool is called.
pub(super) fn line_name(book: &Book, pool: &Pool, line: LineOf) -> String {
    match line {
        LineOf::Position(place) => {
            let held = book.positions_of(pool).get(place);
            held.and_then(|p| book.instruments.get(p.instrument)).map_or("", |i| i.symbol.as_str()).to_owned()
        }
        LineOf::Balance(place) => {
            let code = pool.balances.get(place).and_then(|balance| book.currencies.get(balance.currency));
            format!("collateral {}", code.map_or("?", |known| known.code.as_str()))
        }
        LineOf::Order(_) => "orders".to_owned(),
    }
}
