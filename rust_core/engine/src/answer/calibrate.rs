//! Calibration of a book's margin, or of the shocks of its coins: candidates, the best first, and the walk forward.

use super::backtest::{Rules, date, history, word};
use super::options::number;
use super::{Answer, Value};
use crate::backtest::{Ground, Plan, days, now, run};
use crate::book::{Book, Pool};
use crate::calibrate::{
    Aim, Candidate, Figures, Fold, Observed, candidates, figures, frontier, in_common, ranked, shocks,
    walk_forward,
};
use crate::error::{Error, Result};
use crate::history::{Bars, Factor, day_of};
use crate::margin::PoolView;
use crate::margin::tail::rule_of;
use crate::numeric::accumulate::sum;
use crate::rulebook::{Rulebook, builtin, with_changes};
use crate::watch::Watch;

/// The header of the candidates.
pub const POINTS: [&str; 16] = [
    "rank",
    "scope",
    "name",
    "parameters",
    "days",
    "exceeded",
    "coverage",
    "coverage_low",
    "average",
    "cost",
    "peak_to_trough",
    "rise_5d",
    "objective",
    "covers",
    "on_frontier",
    "now",
];

/// The header of the folds.
pub const FOLDS: [&str; 13] = [
    "scope",
    "fold",
    "last",
    "fit_days",
    "parameters",
    "days",
    "exceeded",
    "coverage",
    "average",
    "cost",
    "largest_excess",
    "rise_5d",
    "note",
];

/// Options beside the keys of the tail.
pub const OPTIONS: [&str; 7] =
    ["view", "level", "coverage", "shortfall_weight", "rise_weight", "folds", "horizon_days"];

/// Months in which coins fell furthest since 2017: folds begin with them.
const CRISES: [&str; 5] = ["2020-03-01", "2021-05-01", "2022-06-01", "2022-11-01", "2025-10-01"];

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Whether the shocks of coins are calibrated and not the margin of accounts.
    pub shocks: bool,
    /// Whether the folds are shown and not the candidates.
    pub folds: bool,
    /// Whether the margin is that of the initial level.
    pub initial: bool,
    /// Coverage that is required; 0.99 where left out.
    pub coverage: f64,
    /// Weights of the objective.
    pub weights: (f64, f64),
    /// Instants at which folds begin; the crises where empty.
    pub starts: Vec<f64>,
    /// Margin period, days.
    pub horizon_days: Option<f64>,
    /// Paths of keys with the values that they are tried at.
    pub grid: Vec<(String, String)>,
}

/// Reads what is calibrated and the options.
///
/// # Errors
///
/// [`Error::Unknown`] for a word that is not known, [`Error::OutOfRange`] for a number outside its range.
pub fn question(what: &str, pairs: &[(String, String)]) -> Result<Question> {
    let mut asked = Question {
        shocks: word("what", what, &["tail", "scan"])? == "scan",
        folds: false,
        initial: false,
        coverage: 0.99,
        weights: (100.0, 1.0),
        starts: Vec::new(),
        horizon_days: None,
        grid: Vec::new(),
    };
    for (key, value) in pairs {
        match key.trim().to_lowercase().as_str() {
            "view" => asked.folds = word("view", value, &["points", "folds"])? == "folds",
            "level" => asked.initial = word("level", value, &["maintenance", "initial"])? == "initial",
            "coverage" => {
                asked.coverage = number("coverage", value, 0.501, 0.999_99, "from 0.501 to 0.99999")?
            }
            "shortfall_weight" => {
                asked.weights.0 = number("shortfall_weight", value, 0.0, 1e9, "from 0 to 1e9")?;
            }
            "rise_weight" => asked.weights.1 = number("rise_weight", value, 0.0, 1e9, "from 0 to 1e9")?,
            "horizon_days" => {
                asked.horizon_days =
                    Some(number("horizon_days", value, 1e-6, 366.0, "above 0 and at most 366")?);
            }
            "folds" => asked.starts = starts(value)?,
            _ => asked.grid.push((super::backtest::path_among(key, &OPTIONS)?, value.clone())),
        }
    }
    Ok(asked)
}

/// Dates, or months that stand for their first day.
fn starts(text: &str) -> Result<Vec<f64>> {
    let mut found = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let whole = if item.len() == "2020-03".len() { format!("{item}-01") } else { item.to_owned() };
        found.push(date("folds", &whole)?);
    }
    found.sort_by(f64::total_cmp);
    found.dedup();
    Ok(found)
}

/// One thing that is calibrated: an account or a coin.
struct Subject {
    scope: String,
    list: Vec<Candidate>,
    paths: Vec<Vec<Observed>>,
    now: Vec<f64>,
    length: usize,
    bars: Bars,
    /// The candidate that is the rulebook as it is.
    own: Option<usize>,
}

/// Calibrates every account of a book, or every coin that it holds.
///
/// # Errors
///
/// As [`run`]; [`Error::NoAnswer`] if stopped.
pub fn table(book: &Book, asked: &Question, watch: &Watch) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    let aim =
        Aim { coverage: asked.coverage, shortfall_weight: asked.weights.0, rise_weight: asked.weights.1 };
    let subjects = if asked.shocks { coins(book, asked, watch)? } else { accounts(book, asked, watch)? };
    let mut answer = Answer::new(if asked.folds { &FOLDS } else { &POINTS });
    for subject in subjects {
        let starts = match asked.starts.as_slice() {
            [] => default_starts(&subject)?,
            given => given.to_vec(),
        };
        let folds = walk_forward(&subject.paths, &subject.bars, subject.length, &starts, &aim)?;
        let rows =
            if asked.folds { fold_rows(&subject, &folds, &aim)? } else { points(&subject, &folds, &aim)? };
        answer.rows.extend(rows);
    }
    Ok(answer)
}

/// The crises that the days reach; where they reach none, the last two quarters of the days.
fn default_starts(subject: &Subject) -> Result<Vec<f64>> {
    let days = subject.paths.first().map_or(&[][..], Vec::as_slice);
    let at = |place: usize| {
        let known = days.get(place).and_then(|day| day.known.checked_sub(1));
        known.and_then(|bar| subject.bars.instants.get(bar)).copied()
    };
    let last = at(days.len().saturating_sub(1)).unwrap_or(f64::NEG_INFINITY);
    let enough = at(crate::calibrate::FEWEST_DAYS).unwrap_or(f64::INFINITY);
    let mut found = Vec::new();
    for day in CRISES {
        let instant = date("folds", day)?;
        if instant >= enough && instant <= last {
            found.push(instant);
        }
    }
    if found.is_empty() {
        found.extend([at(days.len() / 2), at(days.len() * 3 / 4)].into_iter().flatten());
    }
    Ok(found)
}

fn observed(found: &crate::backtest::Run) -> Vec<Observed> {
    let own = |day: &crate::backtest::Day| Observed { known: day.known, margin: day.margin, loss: day.loss };
    found.days.iter().map(own).collect()
}

fn accounts(book: &Book, asked: &Question, watch: &Watch) -> Result<Vec<Subject>> {
    let mut found = Vec::new();
    for (index, own) in book.rulebooks.iter().enumerate() {
        let pools: Vec<&Pool> = book
            .pools
            .iter()
            .filter(|pool| book.accounts.get(pool.account).is_some_and(|a| a.rulebook == index))
            .collect();
        if pools.is_empty() {
            continue;
        }
        let mut list = candidates(&asked.grid, rule_of(own)?, false)?;
        // the rulebook as it is stands beside what is tried, where the history is long enough for it
        let as_it_is = Candidate::default();
        let first = PoolView::of(book, pools.first().copied().ok_or_else(super::backtest::no_history)?);
        let mut expected = 0;
        for candidate in &list {
            expected += tried(book, (index, own, candidate), &first, asked, |ground, plan| {
                days(ground, plan).map(|found| found.0.len())
            })?;
        }
        let own_days = tried(book, (index, own, &as_it_is), &first, asked, |ground, plan| {
            days(ground, plan).map(|found| found.0.len())
        });
        if let Ok(more) = own_days {
            list.push(as_it_is);
            expected += more;
        }
        watch.expect(expected * pools.len());
        for pool in pools {
            let view = PoolView::of(book, pool);
            let mut subject = Subject {
                scope: book.pool_name(pool),
                own: own_days.is_ok().then(|| list.len() - 1),
                list: list.clone(),
                paths: Vec::with_capacity(list.len()),
                now: Vec::with_capacity(list.len()),
                length: 1,
                bars: history(book, index, rule_of(own)?)?.0,
            };
            for candidate in &list {
                let (made, today) = tried(book, (index, own, candidate), &view, asked, |ground, plan| {
                    Ok((run(ground, plan, watch)?, now(ground, plan)?))
                })?;
                subject.length = subject.length.max(made.length);
                subject.now.push(today);
                subject.paths.push(observed(&made));
            }
            in_common(&mut subject.paths);
            found.push(subject);
        }
    }
    Ok(found)
}

/// Does something with the ground that a candidate stands on.
fn tried<T>(
    book: &Book,
    (index, own, candidate): (usize, &Rulebook, &Candidate),
    view: &PoolView<'_>,
    asked: &Question,
    work: impl FnOnce(Ground<'_>, &Plan) -> Result<T>,
) -> Result<T> {
    let rules = Rules::new(own, &candidate.0, asked.initial, asked.horizon_days)?;
    let rule = rules.rule()?;
    let (bars, mapping) = history(book, index, rule)?;
    let horizon_days = rules.period(asked.initial, asked.horizon_days);
    let plan = Plan { initial: asked.initial, horizon_days, first: None, last: None };
    work(Ground { view, rulebook: &rules.own, rule, bars: &bars, mapping: &mapping }, &plan)
}

/// The rulebook whose tail says how shocks are made: the book's where it has one, else that of `es`.
fn reading(own: &Rulebook) -> Result<&Rulebook> {
    if rule_of(own).is_ok() { Ok(own) } else { builtin("es") }
}

fn coins(book: &Book, asked: &Question, watch: &Watch) -> Result<Vec<Subject>> {
    let mut found = Vec::new();
    let moves =
        book.history.as_deref().ok_or_else(super::backtest::no_history)?.instants.len().saturating_sub(1);
    let mut done: Vec<usize> = Vec::new();
    for (index, own) in book.rulebooks.iter().enumerate() {
        let base = reading(own)?;
        let list = candidates(&asked.grid, rule_of(base)?, true)?;
        let mut held: Vec<usize> = book
            .pools
            .iter()
            .filter(|pool| book.accounts.get(pool.account).is_some_and(|a| a.rulebook == index))
            .flat_map(|pool| book.positions_of(pool))
            .filter_map(|position| book.instrument_underlying.get(position.instrument).copied())
            .filter(|coin| !done.contains(coin))
            .collect();
        held.sort_unstable();
        held.dedup();
        watch.expect(held.len() * list.len() * moves);
        for coin in held {
            done.push(coin);
            let Some(name) = book.underlyings.get(coin).map(|known| known.name.as_str()) else { continue };
            found.push(coin_subject(book, name, (base, &list), asked, watch)?);
        }
    }
    Ok(found)
}

fn coin_subject(
    book: &Book,
    coin: &str,
    (base, list): (&Rulebook, &[Candidate]),
    asked: &Question,
    watch: &Watch,
) -> Result<Subject> {
    let mut subject: Option<Subject> = None;
    for candidate in list {
        let mut cells: Vec<_> =
            candidate.0.iter().map(|(path, value)| (path.clone(), crate::rulebook::cell_of(value))).collect();
        if let Some(days) = asked.horizon_days {
            cells.push(("measure.horizon_days".to_owned(), crate::cell::Cell::Number(days)));
        }
        let changed = with_changes(base, &cells)?;
        let rule = rule_of(&changed)?;
        let known = book.history.as_deref().ok_or_else(super::backtest::no_history)?;
        let bars = Bars::new(&rule.history, known, &[Factor::price(coin)])?;
        let made = shocks(rule, &bars, watch)?;
        let subject = subject.get_or_insert_with(|| Subject {
            scope: coin.to_owned(),
            list: list.to_vec(),
            paths: Vec::with_capacity(list.len()),
            now: Vec::with_capacity(list.len()),
            length: made.length,
            bars: bars.clone(),
            own: None,
        });
        subject.paths.push(made.days);
        subject.now.push(made.now);
    }
    let mut subject = subject
        .ok_or_else(|| Error::NoAnswer { why: "there is nothing to try: the grid is empty".into() })?;
    in_common(&mut subject.paths);
    Ok(subject)
}

fn parameters(subject: &Subject, place: usize) -> String {
    subject.list.get(place).map_or_else(String::new, Candidate::words)
}

fn figure_cells(own: &Figures) -> [Value; 8] {
    [
        own.days.into(),
        own.exceeded.into(),
        own.coverage.into(),
        own.lower.into(),
        own.average.into(),
        own.shortfall.into(),
        own.peak_to_trough.map_or_else(|| "".into(), Value::from),
        own.rise.into(),
    ]
}

fn points(subject: &Subject, folds: &[Fold], aim: &Aim) -> Result<Vec<Vec<Value>>> {
    let list =
        subject.paths.iter().map(|path| figures(path, subject.length, aim)).collect::<Result<Vec<_>>>()?;
    let on = frontier(&list);
    let order = ranked(&list, aim);
    let flag = |value: bool| -> Value { f64::from(u8::from(value)).into() };
    let mut rows = Vec::with_capacity(list.len() + 1);
    for (rank, place) in order.iter().enumerate() {
        let Some(own) = list.get(*place) else { continue };
        let mut names = Vec::new();
        if rank == 0 {
            names.push(if own.covers(aim) { "best" } else { "nearest: none covers" });
        }
        if subject.own == Some(*place) {
            names.push("rulebook");
        }
        let mut row: Vec<Value> = vec![
            (rank + 1).into(),
            subject.scope.as_str().into(),
            names.join(", ").into(),
            parameters(subject, *place).into(),
        ];
        row.extend(figure_cells(own));
        row.extend([
            own.objective.into(),
            flag(own.covers(aim)),
            flag(on.get(*place).copied().unwrap_or(false)),
            subject.now.get(*place).copied().into(),
        ]);
        rows.push(row);
    }
    let tested: Vec<Observed> = folds.iter().flat_map(|fold| &fold.tested).copied().collect();
    if !tested.is_empty() {
        let own = figures(&tested, subject.length, aim)?;
        let mut row: Vec<Value> = vec![
            "".into(),
            subject.scope.as_str().into(),
            "walk forward".into(),
            "what was best before each fold, on the days of the fold alone".into(),
        ];
        row.extend(figure_cells(&own));
        row.extend([own.objective.into(), flag(own.covers(aim)), "".into(), "".into()]);
        rows.insert(1.min(rows.len()), row);
    }
    Ok(rows)
}

fn fold_rows(subject: &Subject, folds: &[Fold], aim: &Aim) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::with_capacity(folds.len() + 1);
    let mut all = Vec::new();
    for fold in folds {
        let own = figures(&fold.tested, subject.length, aim)?;
        let last =
            fold.tested.last().and_then(|day| subject.bars.instants.get(day.known + subject.length - 1));
        let note = if fold.covered {
            "chosen on days whose losses had ended before the fold"
        } else {
            "no candidate covered on the days before: the nearest was taken"
        };
        rows.push(vec![
            subject.scope.as_str().into(),
            day_of(fold.from).into(),
            last.map_or_else(String::new, |instant| day_of(*instant)).into(),
            fold.fit_days.into(),
            parameters(subject, fold.chosen).into(),
            own.days.into(),
            own.exceeded.into(),
            own.coverage.into(),
            own.average.into(),
            own.shortfall.into(),
            own.largest.into(),
            own.rise.into(),
            note.into(),
        ]);
        all.extend(fold.tested.iter().copied());
    }
    if all.is_empty() {
        return Err(Error::NoAnswer {
            why: format!(
                "{}: no fold has {} days to choose on before it and a day to test in it; give a longer history or other folds",
                subject.scope,
                crate::calibrate::FEWEST_DAYS
            ),
        });
    }
    let own = figures(&all, subject.length, aim)?;
    let fit = sum(folds.iter().map(|fold| fold.fit_days as f64)) / folds.len() as f64;
    rows.push(vec![
        subject.scope.as_str().into(),
        "all".into(),
        "".into(),
        fit.into(),
        "".into(),
        own.days.into(),
        own.exceeded.into(),
        own.coverage.into(),
        own.average.into(),
        own.shortfall.into(),
        own.largest.into(),
        own.rise.into(),
        format!("at least {:.3} % with 95 % confidence; fit_days on average", 100.0 * own.lower).into(),
    ]);
    Ok(rows)
}
