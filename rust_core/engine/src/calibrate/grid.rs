//! Candidates: every combination of the values that keys of the tail are tried at.

use crate::error::{Error, Place, Result};
use crate::rulebook::tail::{TailRule, TailScenarios};

/// Candidates that are tried at most.
const MOST: usize = 400;

/// Paths of keys with their values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidate(pub Vec<(String, String)>);

impl Candidate {
    /// `scenarios=filtered; decay=0.97`, as an option is written.
    pub fn words(&self) -> String {
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let own = self.0.iter().map(|(path, value)| format!("{}={value}", last(path)));
        own.collect::<Vec<_>>().join("; ")
    }
}

/// Keys whose values are lists of their own, so that a comma does not divide candidates.
fn is_list(path: &str) -> bool {
    path.ends_with("_moves")
}

/// Every combination of values, the first key varying slowest. Keys that the scenarios of a candidate do not read are
/// left out of it, and what is then the same counts once.
///
/// `given` are paths with values divided by commas; where it is empty, the usual choices around `rule` are tried:
/// historical and filtered scenarios, three decays, with and without a floor of the volatility and, for the margin of
/// a book, with and without its stress; for shocks the window and its half.
///
/// # Errors
///
/// [`Error::OutOfRange`] for more than 400 candidates.
pub fn candidates(given: &[(String, String)], rule: &TailRule, shocks: bool) -> Result<Vec<Candidate>> {
    let usual = usual(rule, shocks);
    let given = if given.is_empty() { &usual } else { given };
    let mut made = vec![Candidate::default()];
    for (path, values) in given {
        let values: Vec<&str> = if is_list(path) {
            vec![values.trim()]
        } else {
            values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect()
        };
        let mut next = Vec::with_capacity(made.len() * values.len());
        for candidate in &made {
            for value in &values {
                let mut longer = candidate.clone();
                longer.0.push((path.clone(), (*value).to_owned()));
                next.push(longer);
            }
        }
        if next.len() > MOST {
            return Err(Error::OutOfRange {
                name: "candidates".into(),
                value: next.len() as f64,
                must_be: "at most 400: every combination of the values is tried",
                place: Place::default(),
            });
        }
        made = next;
    }
    let mut found: Vec<Candidate> = Vec::with_capacity(made.len());
    for candidate in made {
        let read = only_read(candidate, rule.scenarios);
        if !found.contains(&read) {
            found.push(read);
        }
    }
    Ok(found)
}

fn usual(rule: &TailRule, shocks: bool) -> Vec<(String, String)> {
    let mut given = vec![
        ("tail.scenarios", "historical,filtered".to_owned()),
        ("tail.history.decay", "0.94,0.97,0.99".to_owned()),
        ("tail.history.floor_share", "0,0.5".to_owned()),
    ];
    if shocks {
        given.push(("tail.history.window", format!("{},{}", rule.history.window, rule.history.window / 2)));
    } else if let Some(stress) = &rule.stress {
        let own = if stress.share > 0.0 { stress.share } else { 0.25 };
        given.push(("tail.stress.share", format!("0,{own}")));
    }
    given.into_iter().map(|(path, values)| (path.to_owned(), values)).collect()
}

/// A candidate without keys that its scenarios do not read.
fn only_read(candidate: Candidate, otherwise: TailScenarios) -> Candidate {
    let word = candidate.0.iter().find(|(path, _)| path == "tail.scenarios").map(|(_, value)| value.as_str());
    let scenarios = word.unwrap_or(otherwise.word()).to_lowercase();
    let read = |path: &str| match path {
        "tail.history.decay" => ["filtered", "simulated"].contains(&scenarios.as_str()),
        "tail.history.floor_share" | "tail.history.largest_scale" => scenarios == "filtered",
        "tail.history.age_decay" => scenarios == "age_weighted",
        _ => !path.starts_with("tail.simulation.") || scenarios == "simulated",
    };
    Candidate(candidate.0.into_iter().filter(|(path, _)| read(path)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::tail::rule_of;
    use crate::rulebook::builtin;

    #[test]
    fn a_key_that_is_not_read_makes_no_candidate_of_its_own() {
        let rule = rule_of(builtin("es").unwrap()).unwrap();
        let made = candidates(&[], rule, false).unwrap();
        // historical with two shares of stress; filtered with three decays, two floors and two shares
        assert_eq!(made.len(), 2 + 3 * 2 * 2);
        assert_eq!(made[0].words(), "scenarios=historical; share=0");
        assert_eq!(made[2].words(), "scenarios=filtered; decay=0.94; floor_share=0; share=0");
    }

    #[test]
    fn lists_of_moves_are_one_value_and_too_many_candidates_are_refused() {
        let rule = rule_of(builtin("es").unwrap()).unwrap();
        let pair = |path: &str, values: &str| (path.to_owned(), values.to_owned());
        let given = [pair("tail.stress.price_moves", "-0.5,0.5"), pair("measure.confidence", "0.975, 0.99")];
        assert_eq!(candidates(&given, rule, false).unwrap().len(), 2);
        let many = (250..700).map(|window| window.to_string()).collect::<Vec<_>>().join(",");
        let refusal = candidates(&[pair("tail.history.window", &many)], rule, false).unwrap_err().to_string();
        assert!(refusal.starts_with("candidates must be at most 400"), "{refusal}");
    }
}
