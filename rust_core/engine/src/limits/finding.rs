//! A limit compared with what is: status, money and the rule in one sentence.

use super::context::Context;
use super::cure::cure;
use super::limit::{Limit, Status};
use super::measure::measure;
use super::standing::{Part, Standing};
use crate::error::Result;
use crate::liquidation::price::shown;

/// A limit compared with what is.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The limit in units of the metric.
    pub limit: Limit,
    /// The value; `None` where nothing triggers.
    pub value: Option<f64>,
    /// What it means.
    pub status: Status,
    /// Money that must be reduced or deposited to be inside; zero inside; `None` where no amount is known.
    pub money: Option<f64>,
    /// What was compared with what, where the numbers come from, what to do.
    pub rule: String,
}

/// Compares a limit with a part of a book.
///
/// # Errors
///
/// As [`measure`].
pub fn compare(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
) -> Result<Finding> {
    let limit = if limit.of_equity {
        limit.clone().times(standing.positive_equity(part, limit.metric)?)
    } else {
        limit.clone()
    };
    let reading = measure(context, standing, limit.metric, part)?;
    let status = limit.status(reading.value);
    let inside = limit.allows(reading.value);
    let (money, what) =
        if inside { (Some(0.0), String::new()) } else { cure(context, standing, &limit, part, &reading)? };
    let floor = limit.metric.is_floor();
    let compared = match (inside, floor) {
        (true, false) => "at most",
        (false, false) => "above",
        (true, true) => "at least",
        (false, true) => "below",
    };
    let value = reading.value.map_or_else(|| "none".to_owned(), shown);
    let mut rule = format!(
        "{} of {} is {value} ({}), {compared} the limit {}",
        limit.metric.word(),
        part.name,
        reading.words,
        shown(limit.limit)
    );
    if let (Status::Suspended, Some(hard)) = (status, limit.hard) {
        rule = format!("{rule} and beyond the hard limit {}", shown(hard));
    }
    if !what.is_empty() {
        rule = format!("{rule}: {what}");
    }
    Ok(Finding { value: reading.value, status, money, rule, limit })
}
