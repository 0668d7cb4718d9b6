//! What every position adds to the expected shortfall of scenarios (methods.md section 2.5).

use super::check::{length, rows};
use super::tail::{Tail, Ties, tail};
use crate::error::Result;
use crate::numeric::accumulate::sum;

/// Measures of a book over scenarios, and the expected shortfall shared out.
#[derive(Debug, Clone, PartialEq)]
pub struct TailContributions {
    /// P&L of the book in each scenario.
    pub pnl: Vec<f64>,
    /// Tail of its losses.
    pub tail: Tail,
    /// Average loss of each position in the tail; they add up to the expected shortfall, negative for a hedge.
    pub component: Vec<f64>,
    /// Expected shortfall of each position by itself.
    pub stand_alone: Vec<f64>,
    /// What falls away with the whole position: the expected shortfall less that without it.
    pub incremental: Vec<f64>,
}

/// Euler's shares of an expected shortfall: the losses of each position averaged with the weights of the tail.
///
/// `pnl` has one row per scenario and one column per position, gains positive; the rest is as in [`tail`]. Shares on
/// the value at risk would rest on one scenario: their error is ten times as large.
///
/// # Errors
///
/// [`crate::Error::Shape`] for a table that is not made of whole rows; else as [`tail`].
pub fn tail_contributions(
    pnl: &[f64],
    positions: usize,
    probabilities: Option<&[f64]>,
    confidence: f64,
    ties: Ties,
) -> Result<TailContributions> {
    let scenarios = rows("pnl", pnl, positions, 1)?;
    if let Some(probabilities) = probabilities {
        length("probabilities", probabilities.len(), scenarios)?;
    }
    let totals: Vec<f64> = pnl.chunks_exact(positions).map(|row| sum(row.iter().copied())).collect();
    let measured = |losses: &[f64]| tail(losses, probabilities, confidence, ties);
    let book = measured(&negated(totals.iter().copied()))?;
    let column = |position: usize| pnl.iter().skip(position).step_by(positions).copied();
    let component = (0..positions)
        .map(|position| {
            sum(book.weights.iter().map(|(scenario, weight)| {
                weight * -pnl.get(scenario * positions + position).copied().unwrap_or(f64::NAN)
            }))
        })
        .collect();
    let mut stand_alone = Vec::with_capacity(positions);
    let mut incremental = Vec::with_capacity(positions);
    for position in 0..positions {
        stand_alone.push(measured(&negated(column(position)))?.expected_shortfall);
        let without = totals.iter().zip(column(position)).map(|(total, own)| total - own);
        incremental.push(book.expected_shortfall - measured(&negated(without))?.expected_shortfall);
    }
    Ok(TailContributions { pnl: totals, tail: book, component, stand_alone, incremental })
}

fn negated(pnl: impl Iterator<Item = f64>) -> Vec<f64> {
    pnl.map(|gain| -gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// methods.json es.euler.tail_average
    const PNL: [[f64; 3]; 10] = [
        [-9.0, 4.0, -1.0],
        [-7.0, 5.0, 0.0],
        [-12.0, 10.0, -3.0],
        [3.0, -2.0, -6.0],
        [1.0, 1.0, 2.0],
        [4.0, -3.0, -1.0],
        [2.0, -1.0, 0.0],
        [6.0, -4.0, 1.0],
        [-2.0, 3.0, -8.0],
        [5.0, -6.0, -2.0],
    ];

    #[test]
    fn the_published_shares_come_out_and_add_up() {
        let flat = PNL.concat();
        let found = tail_contributions(&flat, 3, None, 0.75, Ties::FirstListed).unwrap();
        assert!((found.tail.expected_shortfall - 6.2).abs() < 1e-12);
        for (share, expected) in found.component.iter().zip([6.8, -4.8, 4.2]) {
            assert!((share - expected).abs() < 1e-12, "{found:?}");
        }
        let mean = tail_contributions(&flat, 3, None, 0.75, Ties::Mean).unwrap();
        assert!((sum(mean.component.iter().copied()) - 6.2).abs() < 1e-12);
        assert!(mean.component != found.component);
    }

    #[test]
    fn a_position_alone_and_left_out_is_measured_anew() {
        let flat = PNL.concat();
        let found = tail_contributions(&flat, 3, None, 0.75, Ties::Mean).unwrap();
        // the worst two and a half of ten: the first column alone loses 12, 9 and half of 7
        assert!((found.stand_alone[0] - (12.0 + 9.0 + 3.5) / 2.5).abs() < 1e-12);
        // without the third column the book loses 5, 2 and half of 2
        assert!((found.incremental[2] - (6.2 - (5.0 + 2.0 + 1.0) / 2.5)).abs() < 1e-12, "{found:?}");
        assert!(tail_contributions(&flat[..29], 3, None, 0.75, Ties::Mean).is_err());
    }
}
