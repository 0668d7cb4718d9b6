//! The cheapest fractional reduction under the worst of a list of scenarios (methods.md section 5.3).

use super::linear::{Programme, Row};
use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::numeric::accumulate::sum;

/// A reduction under scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanReduction {
    /// Fraction of each position that is closed.
    pub fractions: Vec<f64>,
    /// What that costs.
    pub cost: f64,
    /// No reduction costs less.
    pub bound: f64,
    /// Worst loss before.
    pub margin_before: f64,
    /// Worst loss after.
    pub margin_after: f64,
    /// Worst loss where each position alone is closed whole: closing a hedge raises it.
    pub margin_without: Vec<f64>,
}

/// The worst loss of positions of which fractions are closed; not below zero.
fn worst(results: &[&[f64]], left: impl Fn(usize) -> f64) -> f64 {
    let scenarios = results.first().map_or(0, |row| row.len());
    let loss = |scenario: usize| {
        let rows = results.iter().enumerate();
        -sum(rows.map(|(place, row)| left(place) * row.get(scenario).copied().unwrap_or(0.0)))
    };
    (0..scenarios).map(loss).fold(0.0, f64::max)
}

/// The cheapest fractions to close so that equity less costs covers `multiple` times the worst loss plus `charges`.
///
/// `results` has a row per position: its profit and loss in each scenario, for all that is held of it. `cost` is that of
/// closing each position whole.
///
/// # Errors
///
/// [`Error::Shape`] for rows of different lengths; [`Error::OutOfRange`] for a number that is not finite, a cost below
/// zero or a multiple that is not above zero; [`Error::NoAnswer`] where no reduction suffices.
pub fn scan_reduction(
    results: &[&[f64]],
    cost: &[f64],
    equity: f64,
    multiple: f64,
    charges: f64,
) -> Result<ScanReduction> {
    if cost.len() != results.len() {
        return Err(Error::Shape { name: "cost".into(), found: cost.len(), expected: results.len() });
    }
    let scenarios = results.first().map_or(0, |row| row.len());
    for (place, row) in results.iter().enumerate() {
        if row.len() != scenarios {
            return Err(Error::Shape {
                name: format!("row {} of results", place + 1),
                found: row.len(),
                expected: scenarios,
            });
        }
        for value in *row {
            check_finite("results", *value, || Place::row(place + 1, ""))?;
        }
    }
    check_finite("equity", equity, Place::default)?;
    check_finite("charges", charges, Place::default)?;
    check_positive("multiple", multiple, Place::default)?;
    let mut programme = Programme::default();
    for (place, own) in cost.iter().enumerate() {
        if !(own.is_finite() && *own >= 0.0) {
            return Err(Error::OutOfRange {
                name: "cost".into(),
                value: *own,
                must_be: "finite and at least 0",
                place: Place::row(place + 1, ""),
            });
        }
        programme.variable(*own, 1.0);
    }
    let margin_before = worst(results, |_| 1.0);
    // in units of the margin, so that amounts of money have no part in tolerances
    let unit = if margin_before > 0.0 { margin_before.recip() } else { 1.0 };
    let margin = programme.variable(0.0, f64::INFINITY);
    for scenario in 0..scenarios {
        let column = results.iter().map(|row| row.get(scenario).copied().unwrap_or(0.0) * unit);
        let mut terms: Vec<(usize, f64)> = column.clone().enumerate().collect();
        // -sum (1 - x) P <= t
        terms.push((margin, -1.0));
        programme.rows.push(Row { terms, at_most: sum(column) });
    }
    let mut terms: Vec<(usize, f64)> = cost.iter().map(|own| own * unit).enumerate().collect();
    terms.push((margin, multiple));
    programme.rows.push(Row { terms, at_most: unit * (equity - multiple * charges) });
    let dear = sum(cost.iter().copied());
    let scale = if dear > 0.0 { dear.recip() } else { 1.0 };
    programme.cost.iter_mut().for_each(|own| *own *= scale);
    let found = programme.solve()?.ok_or_else(|| Error::NoAnswer {
        why: format!(
            "no reduction brings {multiple} times the worst loss below the equity of {equity} less costs"
        ),
    })?;
    let fractions: Vec<f64> = found.point.iter().take(cost.len()).map(|own| own.clamp(0.0, 1.0)).collect();
    Ok(ScanReduction {
        cost: sum(fractions.iter().zip(cost).map(|(part, own)| part * own)),
        bound: found.bound / scale,
        margin_before,
        margin_after: worst(results, |place| 1.0 - fractions.get(place).copied().unwrap_or(0.0)),
        margin_without: (0..results.len())
            .map(|closed| worst(results, |place| if place == closed { 0.0 } else { 1.0 }))
            .collect(),
        fractions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hedge_is_not_closed_however_cheap_it_is() {
        // long 10 that lose 100 each down, short 8 that gain as much: closing the cheap short makes it worse
        let results: [&[f64]; 2] = [&[-1000.0, 900.0], &[800.0, -720.0]];
        let found = scan_reduction(&results, &[30.0, 1.0], 150.0, 1.0, 0.0).unwrap();
        assert_eq!((found.margin_before, found.margin_without[1]), (200.0, 1000.0));
        // 150 - 30 x = 200 - 1000 x
        assert!((found.fractions[0] - 50.0 / 970.0).abs() < 1e-7, "{found:?}");
        assert!(found.fractions[1] < 1e-7 && found.bound <= found.cost + 1e-7, "{found:?}");
        assert!((150.0 - found.cost - found.margin_after).abs() < 1e-5, "{found:?}");
        assert!(scan_reduction(&results, &[300.0, 100.0], -1.0, 1.0, 0.0).is_err());
    }
}
