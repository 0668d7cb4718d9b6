//! Value at risk and expected shortfall of scenarios, with the weights that give them (methods.md section 2.4).
//!
//! With `n` scenarios of equal probability the value at risk is the order statistic `L_(ceil(n alpha))`. A
//! product within a few units in the last place of a whole number counts as that number: 0.07 * 100 is
//! 7.000000000000001 in binary, and the seventh loss is meant. Expected shortfall averages the losses above it
//! and the fraction of it that is missing to `n (1 - alpha)`.

use std::cmp::Ordering;

use super::check::{at, confidence as check_confidence, finite, length, outside};
use crate::error::{Error, Result, check_finite};
use crate::numeric::accumulate::sum;
use crate::numeric::rounding::{Direction, to_step};

/// Who gets the fractional weight among equal losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// All of them, by their probability: the answer does not depend on the order of scenarios.
    Mean,
    /// Those that are listed first, each in full as far as the weight goes.
    FirstListed,
}

/// The tail of a set of losses.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// Lower empirical quantile of the losses, no interpolation.
    pub value_at_risk: f64,
    /// Average of the losses in the tail, the one at the quantile with the fraction that is missing.
    pub expected_shortfall: f64,
    /// Scenario and its weight in the expected shortfall, by scenario; the weights sum to 1.
    pub weights: Vec<(usize, f64)>,
}

/// Value at risk and expected shortfall of losses (positive = loss), one per scenario.
///
/// `probabilities` are at least 0 and are divided by their sum; `None` gives every scenario the same one.
/// `confidence` is 0.99 for 99 %.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number that is not finite, a negative probability or a confidence outside (0, 1);
/// [`Error::Shape`] for another number of probabilities than losses; [`Error::NoAnswer`] for too few scenarios,
/// see [`check_enough`].
pub fn tail(losses: &[f64], probabilities: Option<&[f64]>, confidence: f64, ties: Ties) -> Result<Tail> {
    let sample = Sample::new(losses, probabilities, confidence)?;
    let cut = sample.cut();
    let above = sum(cut.above.iter().map(|&index| sample.probability(index) * sample.loss(index)));
    let expected_shortfall = (above + cut.rest * cut.quantile) / sample.mass;
    let mut weights: Vec<(usize, f64)> =
        cut.above.iter().map(|&index| (index, sample.probability(index) / sample.mass)).collect();
    match ties {
        Ties::Mean => {
            let tied = sum(cut.tied.iter().map(|&index| sample.probability(index)));
            let share = cut.rest / tied / sample.mass;
            weights.extend(cut.tied.iter().map(|&index| (index, sample.probability(index) * share)));
        }
        Ties::FirstListed => {
            let mut rest = cut.rest;
            let mut listed = cut.tied.clone();
            listed.sort_unstable();
            for index in listed {
                let taken = sample.probability(index).min(rest);
                weights.push((index, taken / sample.mass));
                rest -= taken;
            }
        }
    }
    weights.retain(|(_, weight)| *weight > 0.0);
    weights.sort_unstable_by_key(|(index, _)| *index);
    Ok(Tail { value_at_risk: cut.quantile, expected_shortfall, weights })
}

/// The scenarios at the quantile with the weights that give the value at risk, by scenario; equal losses share by
/// their probability. The weights sum to 1.
///
/// # Errors
///
/// As [`tail`].
pub fn quantile_weights(
    losses: &[f64],
    probabilities: Option<&[f64]>,
    confidence: f64,
) -> Result<Vec<(usize, f64)>> {
    let sample = Sample::new(losses, probabilities, confidence)?;
    let cut = sample.cut();
    let tied = sum(cut.tied.iter().map(|&index| sample.probability(index)));
    let mut weights: Vec<(usize, f64)> =
        cut.tied.iter().map(|&index| (index, sample.probability(index) / tied)).collect();
    weights.retain(|(_, weight)| *weight > 0.0);
    weights.sort_unstable_by_key(|(index, _)| *index);
    Ok(weights)
}

/// Checks that the tail holds at least one scenario: `n (1 - confidence) >= 1`.
///
/// # Errors
///
/// [`Error::NoAnswer`] that says how many scenarios are needed; [`Error::OutOfRange`] for a confidence outside
/// (0, 1).
pub fn check_enough(count: usize, confidence: f64) -> Result<()> {
    check_confidence(confidence)?;
    check_size(count as f64, confidence, || format!("{count} scenarios"))
}

/// How many scenarios of equal probability are as many as these: `1 / sum w^2` of the normalised weights.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a weight that is negative or not finite, [`Error::NoAnswer`] where all are zero.
pub fn effective_size(probabilities: &[f64]) -> Result<f64> {
    let total = total(probabilities)?;
    Ok(sum(probabilities.iter().map(|weight| (weight / total) * (weight / total))).recip())
}

fn total(probabilities: &[f64]) -> Result<f64> {
    for (index, weight) in probabilities.iter().enumerate() {
        check_finite("probabilities", *weight, || at(index))?;
        if *weight < 0.0 {
            return outside("probabilities", *weight, "at least 0", Some(index));
        }
    }
    let mut ordered = probabilities.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    let total = sum(ordered);
    if total > 0.0 && total.is_finite() {
        Ok(total)
    } else {
        Err(Error::NoAnswer { why: format!("probabilities must sum to more than 0, summed to {total}") })
    }
}

/// How many of `count` scenarios lie at or below the quantile, the last one perhaps in part.
fn reached(count: f64, confidence: f64) -> f64 {
    let product = count * confidence;
    let below = to_step(product, 1.0, Direction::Down);
    if below == to_step(product, 1.0, Direction::Up) { below } else { product }
}

fn check_size(count: f64, confidence: f64, what: impl FnOnce() -> String) -> Result<()> {
    // the sum of squares of an effective size has its own rounding
    let enough = |count: f64| reached(count, confidence) <= (count - 1.0) + 8.0 * f64::EPSILON * count;
    if enough(count) {
        return Ok(());
    }
    let exact = (1.0 - confidence).recip();
    let least = if enough(exact.round()) { exact.round() } else { exact.ceil() };
    Err(Error::NoAnswer {
        why: format!("{} are too few for a confidence of {confidence}: at least {least} are needed", what()),
    })
}

/// Losses with their probabilities; the probability of the tail is `mass`.
struct Sample<'a> {
    losses: &'a [f64],
    /// `None` counts scenarios: each is 1.
    probabilities: Option<&'a [f64]>,
    mass: f64,
    /// What rounding may add to a sum of probabilities.
    rounding: f64,
    expected_in_tail: usize,
}

/// Where the tail begins.
struct Cut {
    quantile: f64,
    /// Scenarios with a larger loss, the largest first.
    above: Vec<usize>,
    /// Scenarios with the loss at the quantile.
    tied: Vec<usize>,
    /// Probability that those at the quantile have in the tail.
    rest: f64,
}

impl<'a> Sample<'a> {
    fn new(losses: &'a [f64], probabilities: Option<&'a [f64]>, confidence: f64) -> Result<Self> {
        check_confidence(confidence)?;
        if losses.is_empty() {
            return Err(Error::NoAnswer { why: "losses must have at least one scenario, had none".into() });
        }
        finite("losses", losses)?;
        let count = losses.len() as f64;
        let expected_in_tail = (count * (1.0 - confidence)).ceil() as usize + 1;
        let Some(weights) = probabilities else {
            check_enough(losses.len(), confidence)?;
            let mass = count - reached(count, confidence);
            return Ok(Self { losses, probabilities, mass, rounding: 0.0, expected_in_tail });
        };
        length("probabilities", weights.len(), losses.len())?;
        let total = total(weights)?;
        let effective = effective_size(weights)?;
        check_size(effective, confidence, || {
            format!("{} weighted scenarios, worth {effective:.1} equal ones,", losses.len())
        })?;
        let mass = total * (1.0 - confidence);
        Ok(Self { losses, probabilities, mass, rounding: 4.0 * f64::EPSILON * total, expected_in_tail })
    }

    /// A loss; adding zero makes the two zeros one.
    fn loss(&self, index: usize) -> f64 {
        self.losses.get(index).copied().unwrap_or(f64::NAN) + 0.0
    }

    fn probability(&self, index: usize) -> f64 {
        self.probabilities.map_or(1.0, |weights| weights.get(index).copied().unwrap_or(0.0))
    }

    /// Finds the quantile from the largest loss downwards. The largest losses are selected and only they are
    /// sorted; where their probability does not fill the tail, twice as many are selected.
    fn cut(&self) -> Cut {
        let order = |a: &usize, b: &usize| {
            self.loss(*b)
                .total_cmp(&self.loss(*a))
                .then_with(|| self.probability(*b).total_cmp(&self.probability(*a)))
                .then_with(|| a.cmp(b))
        };
        let count = self.losses.len();
        let mut selected = self.expected_in_tail.min(count);
        loop {
            let mut largest = self.largest(selected, order);
            largest.sort_unstable_by(order);
            if let Some(quantile) = self.quantile_among(&largest).or_else(|| self.lowest(&largest, count)) {
                let mut above = largest;
                above.retain(|&index| self.loss(index) > quantile);
                let rest = self.mass - sum(above.iter().map(|&index| self.probability(index)));
                let mut tied: Vec<usize> = (0..count).filter(|&index| self.loss(index) == quantile).collect();
                tied.sort_unstable_by(order);
                // within rounding of zero the tail ends with the loss above
                let rest = if rest > self.rounding { rest } else { 0.0 };
                return Cut { quantile, above, tied, rest };
            }
            selected = (2 * selected).min(count);
        }
    }

    /// So many scenarios that are first in an order by loss, in no order.
    fn largest(&self, wanted: usize, order: impl Fn(&usize, &usize) -> Ordering + Copy) -> Vec<usize> {
        let count = self.losses.len();
        if wanted >= count {
            return (0..count).collect();
        }
        if self.probabilities.is_some() {
            let mut indices: Vec<usize> = (0..count).collect();
            indices.select_nth_unstable_by(wanted - 1, order);
            indices.truncate(wanted);
            return indices;
        }
        // numbers side by side are selected several times faster than places of numbers
        let mut losses: Vec<f64> = self.losses.iter().map(|loss| loss + 0.0).collect();
        let (_, &mut last, _) = losses.select_nth_unstable_by(wanted - 1, |a, b| b.total_cmp(a));
        let mut found: Vec<usize> = (0..count).filter(|&index| self.loss(index) > last).collect();
        let tied = (0..count).filter(|&index| self.loss(index) == last);
        found.extend(tied.take(wanted - found.len()));
        found
    }

    /// The first loss, from the largest down, at which the probability exceeds the tail's.
    fn quantile_among(&self, largest: &[usize]) -> Option<f64> {
        let mut gathered = crate::numeric::Accumulator::default();
        largest.iter().copied().find_map(|index| {
            gathered.add(self.probability(index));
            (gathered.value() > self.mass + self.rounding).then(|| self.loss(index))
        })
    }

    /// The smallest loss, once all are looked at: a confidence so small that rounding takes all of it.
    fn lowest(&self, largest: &[usize], count: usize) -> Option<f64> {
        if largest.len() < count { None } else { largest.last().map(|&index| self.loss(index)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Vec<f64> {
        (1..=100).map(f64::from).collect()
    }

    #[test]
    fn the_loss_at_the_quantile_has_the_fraction_that_is_missing() {
        // methods.json es.discrete_tail
        let found = tail(&hundred(), None, 0.975, Ties::Mean).unwrap();
        assert_eq!(found.value_at_risk, 98.0);
        assert!((found.expected_shortfall - 99.2).abs() < 1e-12, "{}", found.expected_shortfall);
        assert_eq!(found.weights, vec![(97, 0.2), (98, 0.4), (99, 0.4)]);
    }

    #[test]
    fn a_product_that_rounds_up_is_the_whole_number_that_is_meant() {
        // 0.07 * 100 is 7.000000000000001
        assert_eq!(tail(&hundred(), None, 0.07, Ties::Mean).unwrap().value_at_risk, 7.0);
        assert_eq!(tail(&hundred(), None, 0.99, Ties::Mean).unwrap().value_at_risk, 99.0);
        assert_eq!(tail(&hundred(), None, 0.99, Ties::Mean).unwrap().weights, vec![(99, 1.0)]);
    }

    #[test]
    fn equal_losses_share_by_mean_or_by_order() {
        // methods.json es.euler.tail_average, losses of the portfolio
        let losses = [6.0, 2.0, 5.0, 5.0, -4.0, 0.0, -1.0, -3.0, 7.0, 3.0];
        let first = tail(&losses, None, 0.75, Ties::FirstListed).unwrap();
        assert_eq!(first.weights, vec![(0, 0.4), (2, 0.2), (8, 0.4)]);
        let mean = tail(&losses, None, 0.75, Ties::Mean).unwrap();
        assert_eq!(mean.weights, vec![(0, 0.4), (2, 0.1), (3, 0.1), (8, 0.4)]);
        assert!((mean.expected_shortfall - 6.2).abs() < 1e-15);
        assert_eq!(quantile_weights(&losses, None, 0.75).unwrap(), vec![(2, 0.5), (3, 0.5)]);
    }

    #[test]
    fn equal_probabilities_are_no_probabilities() {
        let losses: Vec<f64> = (0..250).map(|i| f64::from((i * 97) % 251)).collect();
        for confidence in [0.9, 0.95, 0.975, 0.99, 0.996] {
            let plain = tail(&losses, None, confidence, Ties::Mean).unwrap();
            let weighted = tail(&losses, Some(&[0.004; 250]), confidence, Ties::Mean).unwrap();
            assert_eq!(plain.value_at_risk, weighted.value_at_risk, "{confidence}");
            assert!((plain.expected_shortfall - weighted.expected_shortfall).abs() < 1e-10);
            let indices = |tail: &Tail| tail.weights.iter().map(|(index, _)| *index).collect::<Vec<_>>();
            assert_eq!(indices(&plain), indices(&weighted), "{confidence}");
        }
    }

    #[test]
    fn a_scenario_of_double_probability_is_two_scenarios() {
        let doubled: Vec<f64> = (1..=60).map(f64::from).chain([60.0, 58.0]).collect();
        let single: Vec<f64> = (1..=60).map(f64::from).collect();
        let mut weights = vec![1.0; 60];
        weights[59] = 2.0;
        weights[57] = 2.0;
        for confidence in [0.5, 0.9, 0.93, 0.97] {
            let two = tail(&doubled, None, confidence, Ties::Mean).unwrap();
            let one = tail(&single, Some(&weights), confidence, Ties::Mean).unwrap();
            assert_eq!(two.value_at_risk, one.value_at_risk);
            assert!((two.expected_shortfall - one.expected_shortfall).abs() < 1e-12);
        }
    }

    #[test]
    fn the_order_of_scenarios_does_not_change_a_bit() {
        let losses: Vec<f64> = (0..500).map(|i| (f64::from((i * 7919) % 83) * 0.37).sin()).collect();
        let weights: Vec<f64> = (0..500).map(|i| 1.0 + f64::from((i * 31) % 7)).collect();
        let backwards: Vec<f64> = losses.iter().rev().copied().collect();
        let weights_backwards: Vec<f64> = weights.iter().rev().copied().collect();
        for confidence in [0.6, 0.9, 0.975] {
            let one = tail(&losses, Some(&weights), confidence, Ties::Mean).unwrap();
            let other = tail(&backwards, Some(&weights_backwards), confidence, Ties::Mean).unwrap();
            assert_eq!(one.expected_shortfall.to_bits(), other.expected_shortfall.to_bits());
            let mirrored: Vec<(usize, f64)> =
                other.weights.iter().rev().map(|(index, weight)| (499 - index, *weight)).collect();
            assert_eq!(one.weights, mirrored);
            let total = sum(one.weights.iter().map(|(_, weight)| *weight));
            assert!((total - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn the_tail_is_what_a_full_sort_gives() {
        let losses: Vec<f64> = (0..997).map(|i| (f64::from(i) * 1.618).sin() * 100.0).collect();
        let mut sorted = losses.clone();
        sorted.sort_by(f64::total_cmp);
        for confidence in [0.5_f64, 0.9, 0.99, 0.998] {
            let reached = 997.0 * confidence;
            let rank = reached.ceil();
            let beyond: f64 = sorted[rank as usize..].iter().sum();
            let shortfall = (beyond + (rank - reached) * sorted[rank as usize - 1]) / (997.0 - reached);
            let found = tail(&losses, None, confidence, Ties::Mean).unwrap();
            assert_eq!(found.value_at_risk, sorted[rank as usize - 1]);
            assert!((found.expected_shortfall - shortfall).abs() < 1e-10);
        }
    }

    #[test]
    fn too_little_history_is_refused_with_how_much_is_needed() {
        let why = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            why(check_enough(99, 0.99)),
            "99 scenarios are too few for a confidence of 0.99: at least 100 are needed"
        );
        assert!(check_enough(100, 0.99).is_ok());
        assert!(check_enough(1000, 0.999).is_ok());
        assert!(check_enough(10_000, 0.9999).is_ok());
        assert_eq!(
            why(check_enough(9_999, 0.9999)),
            "9999 scenarios are too few for a confidence of 0.9999: at least 10000 are needed"
        );
        assert_eq!(why(check_enough(10, 1.2)), "confidence must be above 0 and below 1, was 1.2");
        // ages weighted by 0.98 are worth 97.7 days
        let weights: Vec<f64> = (0..250).map(|age| 0.98_f64.powi(age)).collect();
        assert_eq!(
            tail(&[1.0; 250], Some(&weights), 0.99, Ties::Mean).unwrap_err().to_string(),
            "250 weighted scenarios, worth 97.7 equal ones, are too few for a confidence of 0.99: at least 100 \
             are needed"
        );
    }

    #[test]
    fn what_is_no_loss_or_probability_is_refused_with_its_index() {
        let refused = |losses: &[f64], weights: Option<&[f64]>| {
            tail(losses, weights, 0.5, Ties::Mean).unwrap_err().to_string()
        };
        assert_eq!(refused(&[1.0, f64::NAN, 2.0], None), "losses must be a finite number, was NaN (index 1)");
        assert_eq!(
            refused(&[1.0, 2.0], Some(&[1.0, -0.5])),
            "probabilities must be at least 0, was -0.5 (index 1)"
        );
        assert_eq!(
            refused(&[1.0, 2.0], Some(&[0.0, 0.0])),
            "probabilities must sum to more than 0, summed to 0"
        );
        assert_eq!(refused(&[1.0, 2.0], Some(&[1.0])), "probabilities has 1 rows, expected 2");
        assert_eq!(refused(&[], None), "losses must have at least one scenario, had none");
    }
}
