//! The parts of a tail measure in words.

use super::explain::{cited, money};
use crate::margin::Worst;
use crate::margin::component::{Component, TailPart};
use crate::rulebook::tail::{TailRule, TailScenarios};
use crate::rulebook::{Measure, Rulebook};

/// Title, formula, inputs and source of a part.
pub(super) fn tail_words(
    rulebook: &Rulebook,
    component: &Component,
    part: TailPart,
    factor: f64,
    worst: Option<&Worst>,
) -> (String, String, String, String) {
    let [share, largest, _] = component.figures.unwrap_or_default();
    let source = cited(rulebook, &rulebook.measure_source);
    let Measure::Tail(rule) = &rulebook.measure else {
        return (String::new(), String::new(), String::new(), source);
    };
    let measure = format!("{} {} %", rule.statistic.words(), 100.0 * rule.confidence);
    let shared = if share == 1.0 { String::new() } else { format!("share {share} x ") };
    let formula = |what: &str| format!("factor {factor} x {shared}{what}");
    match part {
        TailPart::Main => {
            let day = worst.map_or_else(String::new, |worst| format!(" at {}", worst.scenario));
            (
                measure.clone(),
                formula(&measure),
                format!(
                    "{} {}; {}; largest loss {}{day}",
                    rule.statistic.words(),
                    money(component.base),
                    scenarios(rule),
                    money(largest)
                ),
                source,
            )
        }
        TailPart::Stress => (
            "stress".into(),
            formula("worst stress"),
            format!("loss {} with every coin moved together", money(component.base)),
            source,
        ),
        TailPart::Floor => (
            format!("{measure}, floor"),
            formula(&measure),
            format!(
                "{} over {} moves as they were",
                money(component.base),
                rule.floor_window.unwrap_or_default()
            ),
            source,
        ),
    }
}

/// Where the scenarios come from, in words.
pub(super) fn scenarios(rule: &TailRule) -> String {
    let days = rule.horizon_days;
    match rule.scenarios {
        TailScenarios::Simulated => {
            format!(
                "{} simulated scenarios over {days} d, seed {}",
                rule.simulation.paths, rule.simulation.seed
            )
        }
        other => {
            format!("{} {} scenarios over {days} d", rule.history.window, other.word().replace('_', " "))
        }
    }
}
