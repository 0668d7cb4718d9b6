//! Fast correlations against slow ones, pair by pair (methods.md section 3.4).

use super::Source;
use super::estimate::{Estimate, Returns};
use super::settings::Settings;
use crate::answer::{Answer, Value};
use crate::error::Result;
use crate::rulebook::tail::CovarianceRule;
use crate::statistics::correlation_change;

const HEADER: [&str; 9] = ["coin_1", "coin_2", "fast", "slow", "change", "z", "alert", "n_effective", "note"];

/// A change of so many standard deviations is an alert.
const ALERT: f64 = 3.0;

pub(super) fn table(source: &Source<'_>, settings: &Settings) -> Result<Answer> {
    let returns = Returns::new(source, settings.window)?;
    let fast = Estimate::of(&returns, CovarianceRule::Ewma, settings.fast)?;
    let slow = Estimate::of(&returns, CovarianceRule::Ewma, settings.slow)?;
    // the fast estimate is worth (1 + decay) / (1 - decay) moves, and never more than there are
    let weight = (1.0 + settings.fast) / (1.0 - settings.fast);
    let effective = weight.min(returns.rows.len() as f64);
    let mut answer = Answer::new(&HEADER);
    answer.note = format!("decay {} against {}; an alert is |z| > {ALERT}", settings.fast, settings.slow);
    for (row, first) in fast.factors.iter().enumerate() {
        for (column, second) in fast.factors.iter().enumerate().skip(row + 1) {
            let (new, old) = (fast.correlation_of(row, column), slow.correlation_of(row, column));
            let mut cells: Vec<Value> = vec![
                first.to_string().into(),
                second.to_string().into(),
                new.into(),
                old.into(),
                (new - old).into(),
            ];
            match correlation_change(new, old, effective) {
                Ok(found) => {
                    let alert = if found.z.abs() > ALERT { "yes" } else { "" };
                    cells.extend([found.z.into(), alert.into(), effective.into(), "".into()]);
                }
                // series that are one another's copies, and fewer moves than the test needs
                Err(refusal) => {
                    cells.extend([Value::Missing, "".into(), effective.into(), refusal.to_string().into()]);
                }
            }
            answer.rows.push(cells);
        }
    }
    Ok(answer)
}
