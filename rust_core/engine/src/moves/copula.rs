//! Simulated moves with the shape of each factor's own history: a copula (methods.md section 2.3).
//!
//! A draw from the law says how probable a move this large is; the same probability read off the history gives the
//! move. What moves together stays as the law has it, the size of a typical move as the covariance has it.

use super::Scenarios;
use crate::error::Result;
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::TailLaw;
use crate::statistics::laws::student_probability;

/// Gives the moves of every factor the shape of its own moves in the history, factor by factor in any order.
///
/// Between two observations the quantile is linear, the observation of rank `i` of `n` being that of `(i - 1/2) / n`;
/// beyond the outermost ones it stays: no move is larger, in standard deviations, than the largest one known.
///
/// # Errors
///
/// [`crate::Error::OutOfRange`] for degrees of freedom that are none.
pub(super) fn shaped(
    set: &mut Scenarios,
    law: TailLaw,
    covariance: &[f64],
    known: &[Vec<f64>],
) -> Result<()> {
    let factors = set.moves.len();
    for (factor, (moves, own)) in set.moves.iter_mut().zip(known).enumerate() {
        let deviation = covariance.get(factor * (factors + 1)).copied().unwrap_or(0.0).sqrt();
        let size = (sum(own.iter().map(|size| size * size)) / own.len().max(1) as f64).sqrt();
        if deviation <= 0.0 || size <= 0.0 {
            continue;
        }
        let mut sorted = own.clone();
        sorted.sort_by(f64::total_cmp);
        for slot in moves {
            let probability = match law {
                TailLaw::Normal => 0.5 * libm::erfc(-*slot / deviation / std::f64::consts::SQRT_2),
                TailLaw::StudentT { degrees_of_freedom: nu } => {
                    student_probability(nu, *slot / deviation * (nu / (nu - 2.0)).sqrt())?
                }
            };
            *slot = deviation * quantile(&sorted, probability) / size;
        }
    }
    Ok(())
}

fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = probability * sorted.len() as f64 - 0.5;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of moves")]
    let low = place.max(0.0).floor() as usize;
    let at = |place: usize| sorted.get(place.min(sorted.len() - 1)).copied().unwrap_or(f64::NAN);
    let share = (place - low as f64).clamp(0.0, 1.0);
    at(low) + share * (at(low + 1) - at(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revaluation::joint::KeptMoves;

    fn drawn(moves: Vec<Vec<f64>>) -> Scenarios {
        let count = moves[0].len();
        Scenarios {
            horizon_days: 1.0,
            probabilities: None,
            ends: Vec::new(),
            moves,
            count,
            kept: KeptMoves::default(),
        }
    }

    #[test]
    fn quantiles_are_linear_between_observations_and_stay_beyond_the_outermost() {
        let sorted = [-2.0, 0.0, 1.0, 5.0];
        assert_eq!(quantile(&sorted, 0.125), -2.0);
        assert_eq!(quantile(&sorted, 0.25), -1.0);
        assert_eq!(quantile(&sorted, 0.875), 5.0);
        assert_eq!((quantile(&sorted, 0.0), quantile(&sorted, 1.0)), (-2.0, 5.0));
    }

    #[test]
    fn a_history_of_the_law_itself_changes_little_and_one_with_a_fat_tail_brings_it() {
        let count = 20_001;
        // quantiles of the normal law, in the order of the ranks
        let uniform = |place: usize| (place as f64 + 0.5) / f64::from(20_001);
        let normal: Vec<f64> =
            (0..count).map(|place| crate::random::normal::standard_normal(uniform(place) - 0.5)).collect();
        let mut set = drawn(vec![normal.iter().map(|z| 0.03 * z).collect()]);
        shaped(&mut set, TailLaw::Normal, &[0.0009], std::slice::from_ref(&normal)).unwrap();
        for (new, old) in set.moves[0].iter().zip(&normal) {
            assert!((new - 0.03 * old).abs() < 1e-5, "{new} {old}");
        }
        let crashes: Vec<f64> = (0..1_000).map(|day| if day < 10 { -0.5 } else { 0.01 }).collect();
        let mut set = drawn(vec![normal.iter().map(|z| 0.05 * z).collect()]);
        shaped(&mut set, TailLaw::Normal, &[0.0025], std::slice::from_ref(&crashes)).unwrap();
        let size = (crashes.iter().map(|m| m * m).sum::<f64>() / 1_000.0).sqrt();
        // 1 % of the ranks lie at or below the last crash's own, (10 - 1/2) / 1000, and are as large as it
        let largest = 0.05 * 0.5 / size;
        let whole = set.moves[0].iter().filter(|own| (**own + largest).abs() < 1e-12).count();
        assert_eq!(whole, (0..count).filter(|place| uniform(*place) <= 0.0095).count());
    }

    #[test]
    fn the_order_of_the_draws_stays() {
        let draws: Vec<f64> = (0..500).map(|place| f64::from((place * 37) % 500) / 250.0 - 1.0).collect();
        let own: Vec<f64> = (0..300).map(|place| f64::from(place % 17) - 8.0).collect();
        let mut set = drawn(vec![draws.clone()]);
        shaped(&mut set, TailLaw::StudentT { degrees_of_freedom: 4.0 }, &[0.4], &[own]).unwrap();
        for (a, b) in (0..500).flat_map(|a| (0..a).map(move |b| (a, b))) {
            assert!((draws[a] <= draws[b]) || set.moves[0][a] >= set.moves[0][b]);
        }
    }
}
