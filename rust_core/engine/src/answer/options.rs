//! Options given as words: `policy=largest_loss; slippage=0.001`. An unknown key is refused, never ignored.

use super::price::{PathWord, Question};
use crate::error::{Error, Result};
use crate::liquidation::order::{Options, Scenario, Slippage, StepSize, Stop};
use crate::liquidation::price::Side;
use crate::liquidation::sweep::Target;
pub(super) use crate::rulebook::liquidation::number;
use crate::rulebook::{Hedge, Policy};

fn unknown<T>(what: &'static str, value: &str, known: impl Into<String>) -> Result<T> {
    Err(Error::Unknown { what, value: value.to_owned(), known: known.into() })
}

/// Options of a liquidation order.
///
/// # Errors
///
/// [`Error::Unknown`] for a key or a word, [`Error::OutOfRange`] for a number outside its range.
pub fn order_options(pairs: &[(String, String)], max_steps: f64) -> Result<Options> {
    if !(1.0..=1e6).contains(&max_steps) {
        return Err(Error::OutOfRange {
            name: "max_steps".into(),
            value: max_steps,
            must_be: "from 1 to 1,000,000",
            place: crate::error::Place::default(),
        });
    }
    let mut options = Options { max_steps: max_steps as usize, ..Options::default() };
    for (key, value) in pairs {
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "policy" => {
                let found = Policy::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
                let known = || Policy::ALL.map(|(word, _)| word).join(", ");
                let found = found.map(|(_, policy)| *policy);
                options.policy = match found {
                    Some(policy) => Some(policy),
                    None if value.eq_ignore_ascii_case("venue") => None,
                    None => return unknown("policy", value, format!("venue, {}", known())),
                };
            }
            "stop" => options.stop = if is_default(value) { None } else { Some(Stop::read(value)?) },
            "step" => options.step = if is_default(value) { None } else { Some(StepSize::read(value)?) },
            "seed" => options.seed = Some(number("seed", value, 0.0, 9e15, "a whole number from 0")? as u64),
            "slippage" if value.eq_ignore_ascii_case("depth") => options.slippage = Slippage::Depth,
            "slippage" => {
                let share = number("slippage", value, 0.0, 0.999, "depth, or from 0 to below 1")?;
                options.slippage = Slippage::Fraction(share);
            }
            "hedge" if value.eq_ignore_ascii_case("venue") => options.hedge = None,
            "hedge" => {
                let found = Hedge::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
                match found {
                    Some((_, hedge)) => options.hedge = Some(*hedge),
                    None => return unknown("hedge", value, "venue, none, after, first"),
                }
            }
            "reserved" => options.reserved = number("reserved", value, 0.0, f64::MAX, "money, at least 0")?,
            "elapsed" => options.elapsed = number("elapsed", value, 0.0, 3.2e7, "seconds, from 0 to a year")?,
            "gap" => options.gap = number("gap", value, 0.0, 10.0, "from 0 to 10")?,
            "tag" => options.respect_tags = flag("tag", value)?,
            "list" => {
                options.user_list =
                    value.split([',', '|', ' ']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
            }
            "until" => {
                options.go_on = match value.to_ascii_lowercase().as_str() {
                    "flat" => true,
                    "healthy" => false,
                    _ => return unknown("end", value, "flat, healthy"),
                };
            }
            other => {
                return unknown("option", other, KNOWN);
            }
        }
    }
    if options.policy == Some(Policy::UserList) && options.user_list.is_empty() {
        return unknown("list", "", "policy user_list needs list=SYMBOL,SYMBOL in the order of closing");
    }
    Ok(options)
}

/// Options of a comparison of policies, which ends at the first state where the account is healthy unless `until`
/// says otherwise.
///
/// # Errors
///
/// As [`order_options`]; [`Error::Unknown`] for a policy, which is not an option here.
pub fn compared_options(pairs: &[(String, String)], max_steps: f64) -> Result<Options> {
    let has = |wanted: &str| pairs.iter().any(|(key, _)| key.trim().eq_ignore_ascii_case(wanted));
    if has("policy") {
        return unknown("option", "policy", "the argument policies");
    }
    let read = order_options(pairs, max_steps)?;
    Ok(Options { go_on: read.go_on && has("until"), ..read })
}

const KNOWN: &str = "policy, stop, step, seed, slippage, hedge, elapsed, reserved, gap, tag, list, until";

fn is_default(value: &str) -> bool {
    value.is_empty() || value.eq_ignore_ascii_case("default") || value.eq_ignore_ascii_case("venue")
}

fn flag(key: &'static str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" => Ok(true),
        "0" | "no" | "false" => Ok(false),
        _ => unknown(key, value, "1, 0"),
    }
}

/// A scenario: `now`, `nearest`, a relative move of everything (`-0.2`), or moves by coin
/// (`BTC:-0.2,ETH:-0.3`).
///
/// # Errors
///
/// [`Error::Unknown`] for anything else.
pub fn scenario(text: &str) -> Result<Scenario> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "" | "nearest" => return Ok(Scenario::Nearest),
        "now" => return Ok(Scenario::Now),
        _ => {}
    }
    let refuse = || unknown("scenario", text, "now, nearest, a move such as -0.2, or BTC:-0.2;ETH:-0.3");
    let mut moves = Vec::new();
    for piece in text.split([';', ',']).map(str::trim).filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once([':', '=']).unwrap_or(("", piece));
        match value.trim().parse::<f64>() {
            Ok(value) => moves.push((name.trim().to_owned(), value)),
            Err(_) => return refuse(),
        }
    }
    if moves.is_empty() { refuse() } else { Ok(Scenario::Moves(moves)) }
}

/// A question about liquidation prices.
///
/// # Errors
///
/// [`Error::Unknown`] for a path, a target or an option key.
pub fn question(path: &str, which: &str, pairs: &[(String, String)]) -> Result<Question> {
    let mut question = Question {
        path: match path.trim().to_ascii_lowercase().as_str() {
            "" | "alone" => PathWord::Alone,
            "together" => PathWord::Together,
            "beta" => PathWord::Beta,
            _ => return unknown("path", path, "alone, together, beta"),
        },
        target: match which.trim().to_ascii_lowercase().as_str() {
            "" | "trigger" => Target::Trigger,
            "bankrupt" | "bankruptcy" => Target::Bankruptcy,
            _ => return unknown("target", which, "trigger, bankrupt"),
        },
        ..Question::default()
    };
    for (key, value) in pairs {
        match key.trim().to_ascii_lowercase().as_str() {
            "max" => {
                question.limit = number("max", value, 1.000_001, 1e9, "above 1, a multiple of the mark")?
            }
            "betas" => {
                for piece in value.split([',', '|']).filter(|piece| !piece.trim().is_empty()) {
                    let Some((name, beta)) = piece.split_once(':') else {
                        return unknown("beta", piece, "COIN:NUMBER, such as betas=ETH:1.2,SOL:1.5");
                    };
                    question.betas.push((
                        name.trim().to_owned(),
                        number("beta", beta, -100.0, 100.0, "between -100 and 100")?,
                    ));
                }
            }
            "vol" => question.elasticity = number("vol", value, -10.0, 10.0, "between -10 and 10")?,
            "days" => question.days = number("days", value, 0.0, 36_500.0, "from 0 to 36,500")?,
            other => return unknown("option", other, "max, betas, vol, days"),
        }
    }
    Ok(question)
}

/// A side by word.
///
/// # Errors
///
/// [`Error::Unknown`] for another word.
pub fn side(word: &str) -> Result<Side> {
    match word.trim().to_ascii_lowercase().as_str() {
        "" | "nearest" => Ok(Side::Nearest),
        "down" => Ok(Side::Down),
        "up" => Ok(Side::Up),
        _ => unknown("side", word, "nearest, down, up"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> Vec<(String, String)> {
        vec![(key.to_owned(), value.to_owned())]
    }

    #[test]
    fn an_unknown_option_is_refused_and_the_known_ones_named() {
        let refusal = order_options(&pair("slipage", "0.1"), 50.0).unwrap_err().to_string();
        assert!(refusal.starts_with("unknown option 'slipage'; known: policy, stop"));
    }

    #[test]
    fn a_usage_stop_is_a_multiple_of_the_maintenance_margin() {
        assert_eq!(order_options(&pair("stop", "usage:0.5"), 1.0).unwrap().stop, Some(Stop::Multiple(2.0)));
    }

    #[test]
    fn moves_are_read_for_all_coins_or_by_name() {
        assert_eq!(scenario("-0.2").unwrap(), Scenario::Moves(vec![(String::new(), -0.2)]));
        let moves = vec![("BTC".to_owned(), -0.2), ("ETH".to_owned(), 0.1)];
        assert_eq!(scenario("BTC:-0.2; ETH:0.1").unwrap(), Scenario::Moves(moves));
        assert!(scenario("soon").is_err());
    }
}
