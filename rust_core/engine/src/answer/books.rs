//! The same positions under several rulebooks, side by side; and what a key stands for.

use super::evaluated::Evaluated;
use super::scalar::{excess, initial_margin, maintenance_margin, ratio};
use super::summary::danger;
use super::{Answer, Value};
use crate::book::Book;
use crate::error::Result;
use crate::rulebook::Measure;

/// The header of a comparison.
pub const COMPARE: [&str; 9] = [
    "rulebook",
    "im",
    "mm",
    "usage",
    "excess_mm",
    "capital_efficiency",
    "nearest_trigger",
    "first_liquidated",
    "note",
];

/// One row per named book; `capital_efficiency` is 1 less the ratio of its maintenance margin to the
/// first row's (methods.md section 1.6).
///
/// # Errors
///
/// The refusal of a book whose maintenance margin cannot be computed.
pub fn compare(books: &[(&str, &Book, &Evaluated)]) -> Result<Answer> {
    let mut answer = Answer::new(&COMPARE);
    let mut first: Option<f64> = None;
    for (name, book, evaluated) in books {
        let maintenance = maintenance_margin(book, evaluated, "all")?;
        let base = *first.get_or_insert(maintenance);
        let (mut trigger, mut closed) = (Value::Missing, Value::Missing);
        let mut notes = Vec::new();
        if let (Some(pool), Ok(state)) = (book.pools.first(), evaluated.pool(0))
            && book.pools.len() == 1
        {
            let found = danger(book, pool, state)?;
            (trigger, closed) = (found.trigger.into(), found.first.into());
        } else {
            notes.push("several pools: see the summary for triggers".to_owned());
        }
        let optional = |value: Result<f64>| value.ok();
        answer.rows.push(vec![
            (*name).into(),
            optional(initial_margin(book, evaluated, "all")).into(),
            maintenance.into(),
            optional(ratio(book, evaluated, "usage", "all")).into(),
            optional(excess(book, evaluated, "MM", "all")).into(),
            (base > 0.0).then(|| 1.0 - maintenance / base).into(),
            trigger,
            closed,
            notes.join("; ").into(),
        ]);
    }
    Ok(answer)
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
