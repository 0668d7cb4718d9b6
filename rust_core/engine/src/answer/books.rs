//! The same positions under several rulebooks, side by side; and what a key stands for.

use super::evaluated::Evaluated;
use super::scalar::{equity, excess, initial_margin, maintenance_margin, ratio};
use super::summary::danger;
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Result};
use crate::margin::PoolView;
use crate::margin::component::ComponentKind;
use crate::margin::contributions::standalone;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::{Measure, Rulebook, Status, builtin, builtin_ids};

/// The header of a comparison.
pub const COMPARE: [&str; 11] = [
    "rulebook",
    "im",
    "mm",
    "usage",
    "excess_mm",
    "capital_efficiency",
    "nearest_trigger",
    "first_liquidated",
    "loss_if_liquidated",
    "status",
    "note",
];

/// A book to compare, or why there is none.
pub struct Compared<'a> {
    /// What the row is called.
    pub name: String,
    /// The book, evaluated.
    pub book: Result<(&'a Book, &'a Evaluated)>,
    /// Whether every position stands by itself.
    pub isolated: bool,
}

/// One row per named book; `capital_efficiency` is 1 less the ratio of its maintenance margin to the
/// first row's (methods.md section 1.6). A book that cannot be measured has a row with the reason.
///
/// `nearest_trigger` and `first_liquidated` are sought for one pool, and where `triggers` says so: they cost a
/// search along every coin.
///
/// # Errors
///
/// The refusal of the only book, where there is one.
pub fn compare(books: &[Compared<'_>], triggers: bool) -> Result<Answer> {
    let mut answer = Answer::new(&COMPARE);
    let mut first: Option<f64> = None;
    for compared in books {
        if let (true, Ok((book, _))) = (compared.isolated, &compared.book)
            && let Ok(row) = isolated(&compared.name, book, first)
        {
            if let (None, Some(Value::Number(maintenance))) = (first, row.get(2)) {
                first = Some(*maintenance);
            }
            answer.rows.push(row);
            continue;
        }
        let measured = compared.book.as_ref().map_err(Clone::clone).and_then(|(book, evaluated)| {
            Ok((*book, *evaluated, maintenance_margin(book, evaluated, "all")?))
        });
        let (book, evaluated, maintenance) = match measured {
            Ok(measured) => measured,
            Err(error) if books.len() == 1 => return Err(error),
            Err(error) => {
                let mut row = vec![Value::Missing; COMPARE.len()];
                for (slot, text) in
                    [(0, compared.name.clone()), (9, "refused".into()), (10, error.to_string())]
                {
                    if let Some(cell) = row.get_mut(slot) {
                        *cell = text.into();
                    }
                }
                answer.rows.push(row);
                continue;
            }
        };
        let base = *first.get_or_insert(maintenance);
        let (mut trigger, mut closed) = (Value::Missing, Value::Missing);
        let mut notes = noted(book, evaluated);
        match (book.pools.as_slice(), evaluated.pool(0)) {
            ([pool], Ok(state)) if triggers => {
                let found = danger(book, pool, state)?;
                (trigger, closed) = (found.trigger.into(), found.first.into());
            }
            ([_], _) => notes.push("triggers are not sought".to_owned()),
            _ => notes.push("several pools: see the summary for triggers".to_owned()),
        }
        let optional = |value: Result<f64>| value.ok();
        let states = (0..book.pools.len()).filter_map(|index| evaluated.pool(index).ok());
        let status = states.map(|state| state.status).max().map_or("", |status| status.word());
        answer.rows.push(vec![
            compared.name.as_str().into(),
            optional(initial_margin(book, evaluated, "all")).into(),
            maintenance.into(),
            optional(ratio(book, evaluated, "usage", "all")).into(),
            optional(excess(book, evaluated, "MM", "all")).into(),
            (base > 0.0).then(|| 1.0 - maintenance / base).filter(|share| share.is_finite()).into(),
            trigger,
            closed,
            // whoever is liquidated may lose all that the pools hold
            optional(equity(book, evaluated, "gross", "all")).into(),
            status.into(),
            notes.join("; ").into(),
        ]);
    }
    Ok(answer)
}

/// The mode of a venue that a word asks for: `cross` or `isolated` (its formula per position), `pm` (its
/// scenarios); `None` for other words.
///
/// # Errors
///
/// [`Error::Unknown`] where no built-in rulebook has that mode of the venue.
pub fn mode(book: &Book, word: &str) -> Result<Option<&'static Rulebook>> {
    let scenarios = match word {
        "cross" | "isolated" => false,
        "pm" => true,
        _ => return Ok(None),
    };
    let venue = book.rulebooks.first().map_or("", |rulebook| rulebook.venue.as_str());
    let fits = |rulebook: &&&Rulebook| {
        let by_scenarios = matches!(rulebook.measure, Measure::Scenarios { .. });
        rulebook.venue == venue && by_scenarios == scenarios
    };
    let mut founded = Vec::new();
    for id in builtin_ids()? {
        founded.push(builtin(id)?);
    }
    match founded.iter().find(fits) {
        Some(rulebook) => Ok(Some(rulebook)),
        None => Err(Error::Unknown {
            what: "mode",
            value: format!("{word} of {venue}"),
            known: founded.iter().map(|r| format!("{} ({})", r.id, r.venue)).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// A row for positions that each have a margin of their own.
///
/// # Errors
///
/// The refusal of a position that cannot be measured by itself.
pub fn isolated(name: &str, book: &Book, base: Option<f64>) -> Result<Vec<Value>> {
    let today = MarketState::today(book);
    let (mut initial, mut maintenance) = (Some(0.0), Vec::new());
    for pool in &book.pools {
        let (own, needed) = standalone(&PoolView::of(book, pool), &today)?;
        initial = initial.zip(own).map(|(a, b)| a + b);
        maintenance.push(needed);
    }
    let needed = sum(maintenance);
    let mut row = vec![Value::Missing; COMPARE.len()];
    let efficiency = base.filter(|base| *base > 0.0).map(|base| 1.0 - needed / base);
    let cells: [(usize, Value); 6] = [
        (0, name.into()),
        (1, initial.into()),
        (2, needed.into()),
        (5, efficiency.into()),
        (9, "".into()),
        (10, "every position by itself; a loss is limited to the margin posted for it".into()),
    ];
    for (slot, value) in cells {
        if let Some(cell) = row.get_mut(slot) {
            *cell = value;
        }
    }
    Ok(row)
}

/// What was re-booked, and which parts that count are estimated.
fn noted(book: &Book, evaluated: &Evaluated) -> Vec<String> {
    let mut notes: Vec<String> = book
        .findings
        .iter()
        .filter(|finding| finding.code == crate::book::rebook::CODE)
        .map(|finding| finding.message.clone())
        .collect();
    let mut estimated: Vec<String> = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let (Ok(state), Some(rulebook)) = (evaluated.pool(index), book.rulebook_of(pool.account)) else {
            continue;
        };
        for component in state.requirement.components.iter().filter(|c| c.maintenance.counts) {
            let (name, key) = match component.kind {
                ComponentKind::Scenarios { profile, set, .. } => {
                    let known = rulebook.profiles.get(profile).and_then(|p| p.sets.get(set));
                    known.map_or((String::new(), "general"), |set| (set.name.clone(), set.source.as_str()))
                }
                ComponentKind::Charge { profile, charge } => {
                    let known = rulebook.profiles.get(profile).and_then(|p| p.charges.get(charge));
                    known.map_or((String::new(), "general"), |c| (c.name.clone(), c.source.as_str()))
                }
                ComponentKind::Credit { credit } => {
                    let known = rulebook.credits.get(credit);
                    ("credit".to_owned(), known.map_or("general", |credit| credit.source.as_str()))
                }
                ComponentKind::Borrowing { entry, .. } => {
                    let known = rulebook.borrowing.get(entry);
                    ("borrowing".to_owned(), known.map_or("general", |entry| entry.source.as_str()))
                }
                _ => continue,
            };
            let weak = rulebook.sources.get(key).is_some_and(|source| source.status == Status::Estimated);
            if weak && component.base != 0.0 && !estimated.contains(&name) {
                estimated.push(name);
            }
        }
    }
    if !estimated.is_empty() {
        notes.push(format!("estimated: {}", estimated.join(", ")));
    }
    notes
}

/// The header of a stamp.
pub const STAMP: [&str; 3] = ["topic", "sentence", "reference"];

/// What decided the numbers: hash, rulebooks with their sources, engine, as-of.
pub fn stamp(book: &Book) -> Answer {
    let mut answer = Answer::new(&STAMP);
    let mut row = |topic: &str, sentence: String, reference: String| {
        answer.rows.push(vec![topic.into(), sentence.into(), reference.into()]);
    };
    row(
        "book",
        format!("{} positions; {} rows in all tables", book.positions.len(), book.pasted_rows),
        book.key.clone(),
    );
    row("hash", "tables, rulebooks, options and engine numbers".into(), book.hash.clone());
    row("as-of", book.as_of.clone(), String::new());
    for rulebook in &book.rulebooks {
        row(
            "rulebook",
            format!("{}, {} ({})", rulebook.label(), rulebook.mode, rulebook.status().word()),
            rulebook.sources.first().map_or_else(String::new, |(_, source)| source.address.clone()),
        );
    }
    row(
        "engine",
        format!("crossmargin {}, numbers {}", env!("CARGO_PKG_VERSION"), crate::book::key::NUMBERS_VERSION),
        String::new(),
    );
    row("estimate", "an estimate, not the venue's calculation".into(), String::new());
    answer
}

/// What is assumed in a book.
pub fn assumptions(book: &Book) -> Answer {
    let mut answer = Answer::new(&STAMP);
    let mut row = |sentence: String, reference: String| {
        answer.rows.push(vec!["assumption".into(), sentence.into(), reference.into()]);
    };
    for rulebook in &book.rulebooks {
        let source = |key: &str| rulebook.sources.get(key).map_or_else(String::new, |s| s.address.clone());
        let level = &rulebook.maintenance;
        row(
            format!(
                "{}: liquidatable when equity less {} x maintenance margin is {} zero",
                rulebook.label(),
                level.trigger,
                if level.inclusive { "at or below" } else { "below" }
            ),
            source(&rulebook.levels_source),
        );
        let measure = match &rulebook.measure {
            Measure::Tiers { .. } => {
                "maintenance margin from brackets of notional, cumulative amounts computed"
            }
            Measure::Scenarios { .. } => {
                "maintenance margin from the worst of a list of scenarios, with charges"
            }
            Measure::Tail(_) => "maintenance margin from the tail of scenarios of all risk factors together",
            Measure::NormalValueAtRisk { .. } => "maintenance margin from value at risk under the normal law",
        };
        row(format!("{}: {measure}", rulebook.label()), source(&rulebook.measure_source));
        row(
            format!(
                "{}: liquidation policy {} ({}): {}",
                rulebook.label(),
                rulebook.liquidation.policy.word(),
                rulebook.liquidation.certainty.word(),
                rulebook.liquidation.note
            ),
            source(&rulebook.liquidation.source),
        );
    }
    for finding in book.findings.iter().filter(|finding| finding.code.contains("assumed")).take(20) {
        row(finding.message.clone(), finding.fix.clone());
    }
    answer
}
