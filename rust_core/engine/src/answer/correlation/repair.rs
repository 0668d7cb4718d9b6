//! A typed matrix that no coins can have beside the nearest one that can be (Higham 2002; methods.md section 3.3).

use super::Source;
use super::estimate::Estimate;
use super::settings::Settings;
use crate::answer::{Answer, Value};
use crate::error::Result;
use crate::history::FactorKind;
use crate::moves::typed_correlations;
use crate::rulebook::tail::{CovarianceRule, Repair};
use crate::statistics::smallest_eigenvalue;

const HEADER: [&str; 7] = ["what", "coin_1", "coin_2", "given", "used", "change", "note"];

/// An entry that moves by less is as it was.
const UNCHANGED: f64 = 1e-9;

pub(super) fn table(source: &Source<'_>, settings: &Settings) -> Result<Answer> {
    let typed = !source.market.correlations.is_empty() || settings.method == CovarianceRule::Market;
    let (names, given, used, note) = if typed {
        let prices = source.factors.iter().filter(|factor| factor.kind == FactorKind::Price);
        let coins: Vec<&str> = prices.map(|factor| factor.coin.as_str()).collect();
        let found = typed_correlations(&source.market, &coins, Repair::Nearest)?;
        let names: Vec<String> = coins.into_iter().map(str::to_owned).collect();
        (names, found.given, found.used, "as typed on the Market sheet".to_owned())
    } else {
        let found = Estimate::new(source, settings)?;
        let names = found.factors.iter().map(ToString::to_string).collect();
        (names, found.correlation.clone(), found.correlation, found.note)
    };
    let size = names.len();
    let least = |matrix: &[f64]| smallest_eigenvalue(matrix, size);
    let distance =
        crate::numeric::accumulate::sum(given.iter().zip(&used).map(|(a, b)| (a - b).powi(2))).sqrt();
    let (before, after) = (least(&given)?, least(&used)?);
    let mut answer = Answer::new(&HEADER);
    let whole = |what: &str, given: Value, used: Value, change: Value, note: String| {
        vec![what.into(), "".into(), "".into(), given, used, change, note.into()]
    };
    let verdict = if distance > 0.0 {
        "no coins can have this matrix; the nearest one stands in used".to_owned()
    } else {
        format!("nothing to repair: {note}")
    };
    answer.rows.push(whole(
        "smallest eigenvalue",
        before.into(),
        after.into(),
        (after - before).into(),
        verdict,
    ));
    let norm = "root of the summed squares of all changes".to_owned();
    answer.rows.push(whole("distance", "".into(), "".into(), distance.into(), norm));
    for (row, first) in names.iter().enumerate() {
        for (column, second) in names.iter().enumerate().skip(row + 1) {
            let at = |matrix: &[f64]| matrix.get(row * size + column).copied().unwrap_or(f64::NAN);
            let change = at(&used) - at(&given);
            if change.abs() > UNCHANGED {
                answer.rows.push(vec![
                    "pair".into(),
                    first.as_str().into(),
                    second.as_str().into(),
                    at(&given).into(),
                    at(&used).into(),
                    change.into(),
                    "".into(),
                ]);
            }
        }
    }
    Ok(answer)
}
