//! How much margins rise when markets fall, and what rulebooks do about it (methods.md sections 4.6 and 4.7).

use super::check::{at, finite, length, outside};
use crate::error::{Error, Place, Result, check_finite, check_positive};

/// Measures of a path of margins of a portfolio that stays the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Procyclicality {
    /// Largest margin over the smallest.
    pub peak_to_trough: f64,
    /// Largest increase over the days asked for, in money; below 0 if margins only fell.
    pub largest_increase: f64,
    /// Largest ratio of a margin to the one so many days before.
    pub largest_ratio: f64,
}

/// Peak to trough, and the largest increase over exactly `steps` steps, absolute and as a ratio.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a margin that is not above zero; [`Error::NoAnswer`] for `steps` of 0 or no fewer
/// than the margins.
pub fn procyclicality(margins: &[f64], steps: usize) -> Result<Procyclicality> {
    for (index, margin) in margins.iter().enumerate() {
        check_positive("margins", *margin, || at(index))?;
    }
    if steps == 0 || steps >= margins.len() {
        return Err(Error::NoAnswer {
            why: format!("steps must be at least 1 and below the {} margins, were {steps}", margins.len()),
        });
    }
    let largest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = margins.iter().copied().fold(f64::INFINITY, f64::min);
    let later = || margins.iter().zip(margins.iter().skip(steps));
    Ok(Procyclicality {
        peak_to_trough: largest / smallest,
        largest_increase: later().map(|(from, to)| to - from).fold(f64::NEG_INFINITY, f64::max),
        largest_ratio: later().map(|(from, to)| to / from).fold(f64::NEG_INFINITY, f64::max),
    })
}

/// A margin under each of the three options of Article 28 of the EMIR standard 153/2013, of which a clearing house
/// chooses one at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmirOptions {
    /// (a) The margin and a buffer of 25 % on it.
    pub buffered: f64,
    /// (b) 25 % of weight on the margin of stressed observations. The text weights observations; a blend of two
    /// margins is how it is usually done.
    pub blended: f64,
    /// (c) The margin, but at least that of ten years of volatility.
    pub floored: f64,
}

/// The three options with their legal share of 0.25, or another.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a margin below zero or a share outside [0, 1].
pub fn emir_options(margin: f64, stressed: f64, ten_years: f64, share: f64) -> Result<EmirOptions> {
    for (name, value) in [("margin", margin), ("stressed", stressed), ("ten_years", ten_years)] {
        if !(value.is_finite() && value >= 0.0) {
            return outside(name, value, "finite and at least 0", None);
        }
    }
    if !(0.0..=1.0).contains(&share) {
        return outside("share", share, "from 0 to 1", None);
    }
    Ok(EmirOptions {
        buffered: (1.0 + share) * margin,
        blended: (1.0 - share) * margin + share * stressed,
        floored: margin.max(ten_years),
    })
}

/// The multiplier of margins at a stress index: the first one below the first threshold, the next one from each
/// threshold on.
///
/// # Errors
///
/// [`Error::Shape`] unless there is one multiplier more than thresholds; [`Error::OutOfRange`] for a number that is
/// not finite; [`Error::NoAnswer`] for thresholds that do not rise.
pub fn step_multiplier(stress: f64, thresholds: &[f64], multipliers: &[f64]) -> Result<f64> {
    check_finite("stress", stress, Place::default)?;
    finite("thresholds", thresholds)?;
    finite("multipliers", multipliers)?;
    length("multipliers", multipliers.len(), thresholds.len() + 1)?;
    if thresholds.iter().zip(thresholds.iter().skip(1)).any(|(low, high)| low >= high) {
        return Err(Error::NoAnswer { why: "thresholds must rise from each to the next".into() });
    }
    let reached = thresholds.iter().filter(|threshold| stress >= **threshold).count();
    let found = multipliers.get(reached).copied();
    found.ok_or_else(|| Error::Shape {
        name: "multipliers".into(),
        found: multipliers.len(),
        expected: reached + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_published_measures() {
        // methods.json apc.measures
        let margins = [100.0, 104.0, 98.0, 97.0, 120.0, 160.0, 155.0, 130.0];
        let found = procyclicality(&margins, 2).unwrap();
        assert_eq!(found.largest_increase, 63.0);
        assert_eq!((found.peak_to_trough, found.largest_ratio), (160.0 / 97.0, 160.0 / 97.0));
        assert_eq!(
            procyclicality(&margins, 8).unwrap_err().to_string(),
            "steps must be at least 1 and below the 8 margins, were 8"
        );
    }

    #[test]
    fn the_three_options_are_those_of_the_article() {
        // methods.json apc.emir
        let found = emir_options(100.0, 180.0, 110.0, 0.25).unwrap();
        assert_eq!(found, EmirOptions { buffered: 125.0, blended: 120.0, floored: 110.0 });
    }

    #[test]
    fn a_breaker_steps_up_at_its_thresholds() {
        // dexsim-breaker
        for (stress, expected) in [(0.5, 1.0), (1.0, 1.5), (1.5, 1.5), (2.0, 2.0), (2.5, 2.0)] {
            assert_eq!(step_multiplier(stress, &[1.0, 2.0], &[1.0, 1.5, 2.0]).unwrap(), expected);
        }
        assert_eq!(
            step_multiplier(1.0, &[2.0, 1.0], &[1.0; 3]).unwrap_err().to_string(),
            "thresholds must rise from each to the next"
        );
    }
}
