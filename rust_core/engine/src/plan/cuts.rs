//! Cutting positions one after the other under the worst of a list of scenarios: each time the cut that leaves the
//! smallest margin, from running sums of the scenarios.
//!
//! After a cut the loss in the scenario that was worst before is known from one column of the table, and no margin after
//! that cut is smaller than it. So candidates are ordered by one product each, and a candidate is looked at in all
//! scenarios only while that bound is not above the best margin found, and only until one scenario exceeds it.

use crate::error::{Error, Place, Result, check_finite};

/// Scenarios that are looked at between two comparisons with the best margin.
const CHUNK: usize = 32;
/// Candidates whose least bound is kept, so that most are passed over together.
const CANDIDATES: usize = 64;
/// What is left of a position below this share of what it was is nothing.
const NOTHING: f64 = 1e-12;

/// The cuts, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuts {
    /// The position cut at each step.
    pub order: Vec<usize>,
    /// The worst loss before the first and after every step.
    pub margins: Vec<f64>,
    /// Quantities left.
    pub quantities: Vec<f64>,
}

/// Cuts until the worst loss is at most `target`, a step is a share of the original quantity of one position.
///
/// `results` has a row per position: profit and loss of one unit in each scenario. Ties take the first position. It ends
/// early where no cut lowers the worst loss, or after `most_steps`.
///
/// # Errors
///
/// [`Error::Shape`] for rows that differ in length or number; [`Error::OutOfRange`] for a share outside (0, 1] or a number that is not
/// finite.
pub fn cuts(
    results: &[&[f64]],
    quantities: &[f64],
    share: f64,
    target: f64,
    most_steps: usize,
) -> Result<Cuts> {
    if results.len() != quantities.len() {
        return Err(Error::Shape {
            name: "results".into(),
            found: results.len(),
            expected: quantities.len(),
        });
    }
    let scenarios = results.first().map_or(0, |row| row.len());
    if let Some((place, row)) = results.iter().enumerate().find(|(_, row)| row.len() != scenarios) {
        let name = format!("row {} of results", place + 1);
        return Err(Error::Shape { name, found: row.len(), expected: scenarios });
    }
    if scenarios == 0 {
        return Err(Error::NoAnswer { why: "there is no position, or no scenario".into() });
    }
    if !(share > 0.0 && share <= 1.0) {
        return Err(Error::OutOfRange {
            name: "share".into(),
            value: share,
            must_be: "above 0 and at most 1",
            place: Place::default(),
        });
    }
    check_finite("target", target, Place::default)?;
    for (row, quantity) in quantities.iter().enumerate() {
        check_finite("quantity", *quantity, || Place::row(row + 1, ""))?;
    }
    let mut run = Run {
        results,
        loss: losses(results, scenarios, quantities),
        held: quantities.to_vec(),
        step: quantities.iter().map(|own| share * own).collect(),
        columns: vec![None; scenarios],
        closed: quantities.iter().map(|own| if *own == 0.0 { f64::INFINITY } else { 0.0 }).collect(),
        bounds: vec![0.0; quantities.len()],
        least: vec![0.0; quantities.len().div_ceil(CANDIDATES)],
        chunks: (0..scenarios.div_ceil(CHUNK)).collect(),
    };
    if !run.loss.iter().all(|own| own.is_finite()) {
        return Err(Error::not_finite("results", f64::NAN, Place::default()));
    }
    let mut found = Cuts { order: Vec::new(), margins: Vec::new(), quantities: Vec::new() };
    loop {
        let (worst, margin) = run.worst();
        found.margins.push(margin);
        if margin <= target || found.order.len() >= most_steps {
            break;
        }
        match run.best(worst, margin) {
            Some((place, after)) if after < margin => {
                run.cut(place, quantities.get(place).copied().unwrap_or(0.0));
                found.order.push(place);
            }
            _ => break,
        }
    }
    found.quantities = run.held;
    Ok(found)
}

/// The loss in every scenario, positions added in their order.
fn losses(results: &[&[f64]], scenarios: usize, quantities: &[f64]) -> Vec<f64> {
    let mut loss = vec![0.0; scenarios];
    for (row, quantity) in results.iter().zip(quantities) {
        for (sum, value) in loss.iter_mut().zip(row.iter()) {
            *sum -= quantity * value;
        }
    }
    loss
}

struct Run<'a> {
    results: &'a [&'a [f64]],
    loss: Vec<f64>,
    held: Vec<f64>,
    /// The next cut of every position; zero where nothing is left.
    step: Vec<f64>,
    /// One scenario of all positions, for the scenarios that have been the worst.
    columns: Vec<Option<Vec<f64>>>,
    /// Infinite where nothing is left, else zero.
    closed: Vec<f64>,
    /// No margin after the next cut of a position is smaller.
    bounds: Vec<f64>,
    /// The smallest bound of each group of candidates.
    least: Vec<f64>,
    /// Chunks of scenarios, those with the largest losses first.
    chunks: Vec<usize>,
}

impl<'a> Run<'a> {
    fn row(&self, place: usize) -> &'a [f64] {
        self.results.get(place).copied().unwrap_or(&[])
    }

    /// The first scenario with the largest loss, and that loss.
    fn worst(&self) -> (usize, f64) {
        let mut worst = (0, f64::NEG_INFINITY);
        for (scenario, loss) in self.loss.iter().enumerate() {
            if *loss > worst.1 {
                worst = (scenario, *loss);
            }
        }
        worst
    }

    /// The position whose cut leaves the smallest worst loss, and that loss.
    fn best(&mut self, worst: usize, margin: f64) -> Option<(usize, f64)> {
        let results = self.results;
        let column = self
            .columns
            .get_mut(worst)?
            .get_or_insert_with(|| results.iter().filter_map(|row| row.get(worst).copied()).collect());
        let groups = self.bounds.chunks_mut(CANDIDATES).zip(&mut self.least);
        let inputs =
            self.step.chunks(CANDIDATES).zip(column.chunks(CANDIDATES)).zip(self.closed.chunks(CANDIDATES));
        for ((bounds, least), ((steps, values), closed)) in groups.zip(inputs) {
            for (((bound, step), value), closed) in bounds.iter_mut().zip(steps).zip(values).zip(closed) {
                *bound = (margin + step * value) + closed;
            }
            *least = smallest(bounds);
        }
        self.sort_chunks();
        // the most promising first, so that others are soon out of question
        let least = smallest(&self.least);
        if least == f64::INFINITY {
            return None;
        }
        let first = self.bounds.iter().position(|bound| bound.total_cmp(&least).is_eq())?;
        let mut best = (first, self.after(first, f64::INFINITY));
        for (group, (bounds, least)) in self.bounds.chunks(CANDIDATES).zip(&self.least).enumerate() {
            if *least > best.1 {
                continue;
            }
            for (number, bound) in bounds.iter().enumerate() {
                let place = group * CANDIDATES + number;
                if *bound > best.1 || place == first {
                    continue;
                }
                let after = self.after(place, best.1);
                if after < best.1 || (after.total_cmp(&best.1).is_eq() && place < best.0) {
                    best = (place, after);
                }
            }
        }
        Some(best)
    }

    /// Puts the chunks of scenarios with large losses first: there a cut that helps little is found out soonest.
    fn sort_chunks(&mut self) {
        let largest = |chunk: &usize| {
            let losses = self.loss.chunks(CHUNK).nth(*chunk).unwrap_or(&[]);
            losses.iter().copied().fold(f64::NEG_INFINITY, |most, own| if own > most { own } else { most })
        };
        let mut sorted: Vec<(usize, f64)> =
            self.chunks.iter().map(|chunk| (*chunk, largest(chunk))).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        self.chunks.iter_mut().zip(sorted).for_each(|(slot, (chunk, _))| *slot = chunk);
    }

    /// The worst loss after a cut; where it is above `limit`, some loss that is.
    fn after(&self, place: usize, limit: f64) -> f64 {
        let step = self.step.get(place).copied().unwrap_or(0.0);
        let row = self.row(place);
        let mut largest = f64::NEG_INFINITY;
        for chunk in &self.chunks {
            let part = chunk * CHUNK..((chunk + 1) * CHUNK).min(self.loss.len());
            let (Some(losses), Some(values)) = (self.loss.get(part.clone()), row.get(part)) else { continue };
            let mut lanes = [f64::NEG_INFINITY; 4];
            for (four, own) in losses.chunks(4).zip(values.chunks(4)) {
                for ((lane, loss), value) in lanes.iter_mut().zip(four).zip(own) {
                    let moved = loss + step * value;
                    *lane = if moved > *lane { moved } else { *lane };
                }
            }
            largest = lanes.into_iter().fold(largest, f64::max);
            if largest > limit {
                break;
            }
        }
        largest
    }

    fn cut(&mut self, place: usize, original: f64) {
        let step = self.step.get(place).copied().unwrap_or(0.0);
        let row = self.row(place);
        for (loss, value) in self.loss.iter_mut().zip(row) {
            *loss += step * value;
        }
        if let (Some(held), Some(step)) = (self.held.get_mut(place), self.step.get_mut(place)) {
            *held -= *step;
            if held.abs() < NOTHING * original.abs() {
                *held = 0.0;
            }
            if held.abs() < step.abs() {
                *step = *held;
            }
            if let Some(closed) = self.closed.get_mut(place).filter(|_| *step == 0.0) {
                *closed = f64::INFINITY;
            }
        }
    }
}

/// The smallest of numbers, of which none is NaN, in four lanes.
fn smallest(numbers: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; 4];
    for four in numbers.chunks(4) {
        for (lane, own) in lanes.iter_mut().zip(four) {
            *lane = if *own < *lane { *own } else { *lane };
        }
    }
    lanes.into_iter().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(index: usize) -> f64 {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }

    /// Every candidate in every scenario at every step, without running sums.
    fn plainly(results: &[f64], scenarios: usize, quantities: &[f64], share: f64, target: f64) -> Vec<usize> {
        let mut held = quantities.to_vec();
        let mut order = Vec::new();
        let margin = |held: &[f64]| {
            let loss = |s: usize| -> f64 {
                -held.iter().enumerate().map(|(row, own)| own * results[row * scenarios + s]).sum::<f64>()
            };
            (0..scenarios).map(loss).fold(f64::NEG_INFINITY, f64::max)
        };
        while margin(&held) > target {
            let mut best: Option<(usize, f64, f64)> = None;
            for (row, original) in quantities.iter().enumerate() {
                let step =
                    if held[row].abs() < (share * original).abs() { held[row] } else { share * original };
                if step.abs() < 1e-12 {
                    continue;
                }
                let mut tried = held.clone();
                tried[row] -= step;
                let after = margin(&tried);
                if best.is_none_or(|known| after < known.1) {
                    best = Some((row, after, step));
                }
            }
            match best {
                Some((row, after, step)) if after < margin(&held) => {
                    held[row] -= step;
                    order.push(row);
                }
                _ => break,
            }
        }
        order
    }

    #[test]
    fn cuts_are_those_of_trying_every_candidate_in_every_scenario() {
        for case in 0..20 {
            let (rows, scenarios) = (5 + 3 * case, 1 + 7 * case);
            let results: Vec<f64> = (0..rows * scenarios).map(|i| draw(10_000 * case + i)).collect();
            let quantities: Vec<f64> = (0..rows).map(|i| 10.0 * draw(900_000 + 100 * case + i)).collect();
            let table: Vec<&[f64]> = results.chunks_exact(scenarios).collect();
            let target = 0.5 * cuts(&table, &quantities, 0.25, -1e300, 0).unwrap().margins[0];
            let found = cuts(&table, &quantities, 0.25, target, 1000).unwrap();
            assert_eq!(found.order, plainly(&results, scenarios, &quantities, 0.25, target), "case {case}");
            assert_eq!(found.margins.len(), found.order.len() + 1);
            assert!(found.margins.windows(2).all(|pair| pair[1] < pair[0]));
        }
    }

    #[test]
    fn a_table_of_another_size_is_refused() {
        let row = [1.0; 4];
        assert!(cuts(&[&row, &row[..2]], &[1.0, 2.0], 0.25, 0.0, 10).is_err());
        assert!(cuts(&[&row], &[1.0, 2.0], 0.25, 0.0, 10).is_err());
        assert!(cuts(&[], &[], 0.25, 0.0, 10).is_err());
        assert!(cuts(&[&row, &row], &[1.0, 2.0], 0.0, 0.0, 10).is_err());
        assert!(cuts(&[&[f64::NAN; 4], &row], &[1.0, 2.0], 0.5, 0.0, 10).is_err());
    }
}
