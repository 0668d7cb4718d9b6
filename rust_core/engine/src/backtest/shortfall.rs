//! How likely Acerbi and Szekely's statistics are if the model is right (methods.md section 4.3).
//!
//! Critical values are published for 250 days at 97.5 %. For other days and rates the law of the statistics is found
//! as the authors do: every day draws its result from that day's own scenarios, many times over.

use rayon::prelude::*;

use super::Day;
use crate::error::Result;
use crate::numeric::accumulate::sum;
use crate::random::{Purpose, Stream};
use crate::watch::Watch;

/// Histories that are drawn.
const DRAWN: usize = 4_000;
/// The seed of the draws: the same backtest gives the same probability.
const SEED: u64 = 20_140_905;

/// Probabilities of statistics as low as those observed, or lower, if the model is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulated {
    /// Of the first statistic, among the histories with an exceedance.
    pub first: Option<f64>,
    /// Of the second.
    pub second: f64,
    /// How many histories were drawn.
    pub drawn: usize,
}

/// Draws the results of `days` from their own scenarios and compares both statistics.
///
/// `observed` is the first and the second statistic, `rate` 1 less the confidence.
///
/// # Errors
///
/// [`crate::Error::NoAnswer`] if stopped.
pub fn simulated(days: &[&Day], rate: f64, observed: (Option<f64>, f64), watch: &Watch) -> Result<Simulated> {
    let tails: Vec<&[(f64, f64)]> =
        days.iter().map(|day| day.tail.as_ref().map_or(&[][..], |tail| tail.beyond.as_slice())).collect();
    let made: Vec<Result<(Option<f64>, f64)>> =
        (0..DRAWN).into_par_iter().map(|path| statistics(&tails, rate, path as u64, watch)).collect();
    let made = made.into_iter().collect::<Result<Vec<_>>>()?;
    // the observed history is one more of its kind
    let share = |count: usize, of: usize| (count + 1) as f64 / (of + 1) as f64;
    let firsts: Vec<f64> = made.iter().filter_map(|own| own.0).collect();
    Ok(Simulated {
        first: observed
            .0
            .map(|own| share(firsts.iter().filter(|drawn| **drawn <= own).count(), firsts.len())),
        second: share(made.iter().filter(|drawn| drawn.1 <= observed.1).count(), made.len()),
        drawn: DRAWN,
    })
}

fn statistics(tails: &[&[(f64, f64)]], rate: f64, path: u64, watch: &Watch) -> Result<(Option<f64>, f64)> {
    watch.check()?;
    let mut bits = vec![0; tails.len()];
    Stream { seed: SEED, purpose: Purpose::Paths, step: 0, dimension: path }.fill(0, &mut bits);
    let ratios: Vec<f64> = tails.iter().zip(&bits).filter_map(|(tail, word)| drawn(tail, *word)).collect();
    let total = sum(ratios.iter().copied());
    let first = (!ratios.is_empty()).then(|| 1.0 - total / ratios.len() as f64);
    Ok((first, 1.0 - total / (tails.len() as f64 * rate)))
}

/// The loss over expected shortfall of the scenario drawn, if it is beyond the value at risk.
fn drawn(tail: &[(f64, f64)], word: u64) -> Option<f64> {
    let mut left = (word >> 11) as f64 * (-53.0_f64).exp2();
    for (probability, ratio) in tail {
        if left < *probability {
            return Some(*ratio);
        }
        left -= probability;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::Predicted;
    use crate::statistics::laws::{normal_quantile, normal_tail};

    /// Days whose scenarios are the quantiles of a normal law: only those beyond the value at risk are needed.
    fn days(count: usize, confidence: f64) -> Vec<Day> {
        let size = 4_000;
        let shortfall = normal_tail(1.0, confidence).unwrap().expected_shortfall;
        let beyond: Vec<(f64, f64)> = (0..size)
            .map(|place| (place as f64 + 0.5) / size as f64)
            .filter(|probability| *probability > confidence)
            .map(|probability| (1.0 / size as f64, normal_quantile(probability).unwrap() / shortfall))
            .collect();
        let tail = Predicted { value_at_risk: 0.0, expected_shortfall: shortfall, beyond };
        vec![Day { known: 0, margin: 0.0, loss: 0.0, tail: Some(tail) }; count]
    }

    #[test]
    fn the_published_critical_value_has_a_probability_of_five_percent() {
        // Acerbi and Szekely 2014, table 3; methods.md section 4.3: -0.70 for 250 days at 97.5 %
        let days = days(250, 0.975);
        let list: Vec<&Day> = days.iter().collect();
        let found = simulated(&list, 0.025, (Some(0.0), -0.70), &Watch::new()).unwrap();
        // one standard error of 4,000 draws is 0.0034
        assert!((found.second - 0.05).abs() < 3.0 * 0.0034, "{}", found.second);
        let middle = simulated(&list, 0.025, (Some(0.0), 0.0), &Watch::new()).unwrap();
        assert!(
            (middle.second - 0.5).abs() < 0.06 && (middle.first.unwrap() - 0.5).abs() < 0.08,
            "{middle:?}"
        );
    }

    #[test]
    fn a_stopped_watch_stops_the_draws() {
        let watch = Watch::new();
        watch.stop();
        let days = days(10, 0.975);
        let list: Vec<&Day> = days.iter().collect();
        assert!(simulated(&list, 0.025, (None, 0.0), &watch).is_err());
    }
}
