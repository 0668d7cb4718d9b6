//! How risk factors move together: correlations, how they change, betas, volatilities, stresses, repairs
//! (methods.md sections 3.1 to 3.4 and 3.7).
//!
//! Moves are logarithms of ratios, of a basis differences, one per usable bar of the history.

mod beta;
mod change;
mod estimate;
mod repair;
mod settings;
mod stress;
mod volatility;

use std::borrow::Cow;

use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::history::{Factor, History};
use crate::margin::tail::{market_risk, rule_of, wanted_under};
use crate::moves::MarketRisk;
use crate::rulebook::builtin;
use crate::rulebook::tail::{OptionVolatility, TailRule};

use estimate::Estimate;
use settings::Settings;

/// The views.
const VIEWS: [&str; 6] = ["matrix", "change", "beta", "volatility", "stress", "repair"];

/// What is known, and about which factors it is asked.
struct Source<'a> {
    history: Option<&'a History>,
    book: Option<&'a Book>,
    market: MarketRisk,
    factors: Vec<Factor>,
    /// Parameters that the question does not name: the rulebook's tail, or that of `es`.
    rule: TailRule,
}

/// An answer about every series of a history.
///
/// # Errors
///
/// [`Error::Unknown`] for a view or an option, [`Error::OutOfRange`] for a number outside its range,
/// [`Error::Missing`] for a series or too few moves, [`Error::NoAnswer`] for a series that never moves.
pub fn of_history(history: &History, view: &str, options: &[(String, String)]) -> Result<Answer> {
    let factors = history.series.iter().map(|own| own.factor.clone()).collect();
    let rule = rule_of(builtin("es")?)?.clone();
    answer(
        &Source { history: Some(history), book: None, market: MarketRisk::default(), factors, rule },
        view,
        options,
    )
}

/// An answer about the risk factors of a book.
///
/// # Errors
///
/// As [`of_history`], and for a volatility or a pair that the market table does not give.
pub fn of_book(book: &Book, view: &str, options: &[(String, String)]) -> Result<Answer> {
    let mut factors: Vec<Factor> = Vec::new();
    let mut first = None;
    for (index, rulebook) in book.rulebooks.iter().enumerate() {
        let rule = match rule_of(rulebook) {
            Ok(own) => own.clone(),
            Err(_) => {
                let standard = rule_of(builtin("es")?)?.clone();
                TailRule { option_volatility: OptionVolatility::Unmoved, ..standard }
            }
        };
        for factor in wanted_under(book, index, &rule)? {
            if !factors.contains(&factor) {
                factors.push(factor);
            }
        }
        first.get_or_insert(rule);
    }
    let rule = first.ok_or_else(|| Error::Missing {
        what: "rulebook".into(),
        why: "the book has none".into(),
        place: Place::default(),
    })?;
    let history = book.history.as_deref();
    answer(&Source { history, book: Some(book), market: market_risk(book), factors, rule }, view, options)
}

fn answer(source: &Source<'_>, view: &str, options: &[(String, String)]) -> Result<Answer> {
    let view = view.trim().to_lowercase();
    if !VIEWS.contains(&view.as_str()) {
        return Err(Error::Unknown { what: "view", value: view, known: VIEWS.join(", ") });
    }
    let settings = Settings::read(source, options)?;
    match view.as_str() {
        "change" => change::table(source, &settings),
        "beta" => beta::table(source, &settings),
        "volatility" => volatility::table(source, &settings),
        "stress" => stress::table(source, &settings),
        "repair" => repair::table(source, &settings),
        _ => matrix(&Estimate::new(source, &settings)?),
    }
}

/// One row per factor, the columns in the same order.
fn matrix(estimate: &Estimate) -> Result<Answer> {
    let mut answer = Answer::new(&["factor"]);
    answer.header.extend(estimate.factors.iter().map(|factor| Cow::Owned(factor.to_string())));
    for (row, factor) in estimate.factors.iter().enumerate() {
        let mut cells: Vec<Value> = vec![factor.to_string().into()];
        cells.extend(
            (0..estimate.factors.len()).map(|column| Value::from(estimate.correlation_of(row, column))),
        );
        answer.rows.push(cells);
    }
    answer.note.clone_from(&estimate.note);
    Ok(answer)
}
