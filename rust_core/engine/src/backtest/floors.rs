//! What regulation asks of a margin model, beside what the rulebook has: reference, not legal advice.
//!
//! Source: methods.md section 4.6. What was read there is compared; what is quoted from memory is shown and marked
//! as not checked.

use super::verdicts::Row;
use crate::error::Result;
use crate::rulebook::tail::{Statistic, TailRule};
use crate::rulebook::{Measure, Rulebook};
use crate::statistics::laws::expected_shortfall_exceedance_rate;

const REFERENCE: &str = "reference, not legal advice";

/// What a margin is compared by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model<'a> {
    /// The rulebook.
    pub rulebook: &'a Rulebook,
    /// Whether the margin is that of the initial level.
    pub initial: bool,
    /// The margin period, days.
    pub horizon_days: f64,
    /// Days between bars.
    pub step_days: f64,
    /// Initial margin over notional today, where both are known.
    pub initial_rate: Option<f64>,
}

fn compared(test: &str, expected: f64, observed: Option<f64>, note: &str) -> Row {
    let verdict = match observed {
        // figures of a rulebook are decimal: 0.99 is not below 0.99 by rounding
        Some(own) if own >= expected - 1e-12 => "pass",
        Some(_) => "fail",
        None => "not applicable",
    };
    Row { expected: Some(expected), observed, ..Row::new(test, verdict, format!("{note}; {REFERENCE}")) }
}

fn unchecked(test: &str, expected: Option<f64>, observed: Option<f64>, note: &str) -> Row {
    Row {
        expected,
        observed,
        ..Row::new(
            test,
            "not checked",
            format!("{note}; the wording is quoted from memory and was not read again; {REFERENCE}"),
        )
    }
}

/// Every floor as a row.
///
/// # Errors
///
/// None for a rulebook that was read: its confidence is one.
pub fn floors(model: &Model<'_>) -> Result<Vec<Row>> {
    let tail = match &model.rulebook.measure {
        Measure::Tail(rule) => Some(rule.as_ref()),
        _ => None,
    };
    let confidence = confidence(model.rulebook, tail)?;
    let how = match tail.map(|rule| rule.statistic) {
        Some(Statistic::ExpectedShortfall) => {
            "an expected shortfall counts as the value at risk that a normal law exceeds as often"
        }
        Some(Statistic::ValueAtRisk) => "confidence of the value at risk",
        None if confidence.is_some() => "confidence of the rulebook",
        None => "the rulebook states no confidence; 'margin coverage' is what history says",
    };
    let period = Some(model.horizon_days);
    let mut rows = vec![
        compared(
            "EMIR RTS 153/2013 Art 24, 99 %",
            0.99,
            confidence,
            &format!("other than OTC derivatives; {how}"),
        ),
        compared("EMIR RTS 153/2013 Art 24, 99.5 %", 0.995, confidence, &format!("OTC derivatives; {how}")),
        compared(
            "EMIR RTS 153/2013 Art 26, 2 days",
            2.0,
            period,
            "margin period, other than OTC derivatives; 1 day is enough with client-gross accounts, hourly calls and more (2016/822)",
        ),
        compared("EMIR RTS 153/2013 Art 26, 5 days", 5.0, period, "margin period, OTC derivatives"),
        unchecked(
            "EMIR RTS 153/2013 Art 27, offsets",
            Some(0.8),
            None,
            "margin reductions of offsets up to 80 % of the difference, where the relation is significant and reliable",
        ),
    ];
    rows.extend(cyclicality(model, tail));
    rows.push(unchecked(
        "CPMI-IOSCO PFMI Principle 6, 99 %",
        Some(0.99),
        confidence,
        "single-tailed coverage over the close-out period, daily backtests, monthly sensitivity analysis",
    ));
    rows.push(unchecked("CFTC 39.13(g)(2), 99 %", Some(0.99), confidence, "coverage"));
    rows.push(unchecked(
        "CFTC 39.13(g)(2), 1 day",
        Some(1.0),
        period,
        "futures and options; 5 days for other swaps",
    ));
    rows.push(Row {
        expected: Some(0.5),
        observed: model.initial_rate,
        ..Row::new(
            "ESMA retail CFD on crypto, 2:1",
            "not applicable",
            format!("initial margin over notional, for retail clients' contracts for difference alone; {REFERENCE}"),
        )
    });
    Ok(rows)
}

/// The confidence that a rulebook states, as that of a value at risk.
fn confidence(rulebook: &Rulebook, tail: Option<&TailRule>) -> Result<Option<f64>> {
    Ok(match (tail, &rulebook.measure) {
        (Some(rule), _) if rule.statistic == Statistic::ExpectedShortfall => {
            Some(1.0 - expected_shortfall_exceedance_rate(rule.confidence)?)
        }
        (Some(rule), _) => Some(rule.confidence),
        (None, Measure::NormalValueAtRisk { confidence, .. }) => Some(*confidence),
        _ => None,
    })
}

/// Article 28: one of three at least.
fn cyclicality(model: &Model<'_>, tail: Option<&TailRule>) -> Vec<Row> {
    let factors = (model.rulebook.initial.factor, model.rulebook.maintenance.factor);
    let buffer = if model.initial && factors.1 > 0.0 { factors.0 / factors.1 - 1.0 } else { 0.0 };
    let share = tail.and_then(|rule| rule.stress.as_ref()).map_or(0.0, |stress| stress.share);
    let window = tail.and_then(|rule| rule.floor_window).unwrap_or(0);
    let years = window as f64 * model.step_days / 365.0;
    let has_tail = tail.is_some();
    let own = |value: f64| has_tail.then_some(value);
    let mut rows = vec![
        compared(
            "EMIR RTS 153/2013 Art 28(1)(a), buffer",
            0.25,
            own(buffer),
            "what the initial level has on top of the maintenance level; it is this buffer only where it may be used up in stress",
        ),
        compared(
            "EMIR RTS 153/2013 Art 28(1)(b), stress",
            0.25,
            own(share),
            "share of the stress scenarios in the margin",
        ),
        compared(
            "EMIR RTS 153/2013 Art 28(1)(c), floor",
            10.0,
            own(years),
            "years of unscaled moves that the margin is floored by",
        ),
    ];
    let passed = rows.iter().filter(|row| row.verdict == "pass").count();
    rows.push(compared(
        "EMIR RTS 153/2013 Art 28, one of three",
        1.0,
        own(passed as f64),
        "how many of (a), (b) and (c) are met",
    ));
    rows
}
