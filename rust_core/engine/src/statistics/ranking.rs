//! Millions of numbers from the largest to the smallest, and the contributions that are ranked so.

use std::ops::Range;

use crate::error::{Error, Place, Result};
use crate::threads::Workers;

/// Bits of a number that one pass sorts by; the counts of a pass stay in the nearest cache.
const DIGIT: u32 = 11;
/// Bits that passes sort by: half of a number's, the other half of a word holds its row.
const SORTED_BITS: u32 = 32;
/// Numbers that are compared with the smallest of the largest at once.
const CHUNK: usize = 16;
/// Accounts in one piece of work.
const ACCOUNTS_PER_PIECE: usize = 1024;

/// Rows from the largest number to the smallest, those of equal numbers in their order.
///
/// # Errors
///
/// [`Error::OutOfRange`] with the index for NaN, [`Error::Shape`] for more than 4,294,967,295 numbers.
pub fn descending(values: &[f64]) -> Result<Vec<usize>> {
    let rows = u32::try_from(values.len()).map_err(|_| Error::Shape {
        name: "values".into(),
        found: values.len(),
        expected: u32::MAX as usize,
    })?;
    check_numbers(values)?;
    // the upper half of each key with its row below, sorted digit by digit from the lowest of that half
    let high = u64::MAX << SORTED_BITS;
    let mut sorted: Vec<u64> =
        values.iter().zip(0..rows).map(|(value, row)| (key(*value) & high) | u64::from(row)).collect();
    let mut other = vec![0; sorted.len()];
    let mut shift = SORTED_BITS;
    while shift < u64::BITS {
        pass(&sorted, &mut other, shift);
        std::mem::swap(&mut sorted, &mut other);
        shift += DIGIT;
    }
    let of = |packed: u64| (packed & !high) as usize;
    let whole = |packed: &u64| (values.get(of(*packed)).map_or(u64::MAX, |value| key(*value)), *packed);
    // those that agree in the upper half are in the order of their rows, which may not be that of the lower half
    for run in sorted.chunk_by_mut(|a, b| (a ^ b) & high == 0) {
        if run.len() > 1 {
            run.sort_unstable_by_key(whole);
        }
    }
    Ok(sorted.into_iter().map(of).collect())
}

/// One pass of a stable sort by the digit from a bit on.
fn pass(from: &[u64], to: &mut [u64], shift: u32) {
    let digit = |packed: u64| (packed >> shift) as usize & ((1 << DIGIT) - 1);
    let mut places = [0_usize; 1 << DIGIT];
    for packed in from {
        places[digit(*packed)] += 1;
    }
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    for packed in from {
        let place = &mut places[digit(*packed)];
        to[*place] = *packed;
        *place += 1;
    }
}

/// The rows of the largest numbers, from the largest on, those of equal numbers in their order: what
/// [`descending`] begins with.
///
/// # Errors
///
/// [`Error::OutOfRange`] with the index for NaN, or for more rows than there are.
pub fn largest(values: &[f64], count: usize) -> Result<Vec<usize>> {
    if count > values.len() {
        return Err(Error::OutOfRange {
            name: "count".into(),
            value: count as f64,
            must_be: "at most the number of values",
            place: Place::default(),
        });
    }
    if count == 0 {
        check_numbers(values)?;
        return Ok(Vec::new());
    }
    // rows that may be among the largest; no later number below `least` is
    let room = 4 * count + CHUNK;
    let mut kept: Vec<(u64, usize)> = Vec::with_capacity(room + CHUNK);
    let mut least = f64::NEG_INFINITY;
    let mut all_numbers = true;
    for (chunk, numbers) in values.chunks(CHUNK).enumerate() {
        let (mut any, mut known) = (false, true);
        for number in numbers {
            any |= *number >= least;
            known &= !number.is_nan();
        }
        all_numbers &= known;
        if !any {
            continue;
        }
        let candidates = numbers.iter().enumerate().filter(|(_, number)| **number >= least);
        kept.extend(candidates.map(|(place, number)| (key(*number), chunk * CHUNK + place)));
        if kept.len() >= room {
            kept.select_nth_unstable(count - 1);
            kept.truncate(count);
            if let Some((_, row)) = kept.last() {
                least = values.get(*row).copied().unwrap_or(least);
            }
        }
    }
    if !all_numbers {
        check_numbers(values)?;
    }
    kept.sort_unstable();
    kept.truncate(count);
    Ok(kept.into_iter().map(|(_, row)| row).collect())
}

/// A number whose order as an integer is the reverse of `total_cmp`.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    !rising
}

fn check_numbers(values: &[f64]) -> Result<()> {
    match values.iter().position(|value| value.is_nan()) {
        None => Ok(()),
        Some(index) => Err(Error::not_finite("values", f64::NAN, Place::label(format!("index {index}")))),
    }
}

/// Positions of many accounts, the scenario that each account is looked at in, and a table of results.
#[derive(Debug, Clone, Copy)]
pub struct InScenario<'a> {
    /// First position of each account, and the number of positions.
    pub offsets: &'a [i64],
    /// The instrument of each position, from 0.
    pub instrument: &'a [i64],
    /// Its quantity, short below zero.
    pub quantity: &'a [f64],
    /// The scenario of each account, from 0.
    pub scenario: &'a [i64],
    /// Profit and loss of one unit, a row of `scenarios` numbers per instrument.
    pub results: &'a [f64],
    /// Scenarios in a row, at least 1.
    pub scenarios: usize,
}

impl InScenario<'_> {
    /// What each position loses in the scenario of its account, a loss above zero; an account's losses add up to its
    /// own.
    ///
    /// `threads` limits the workers; their number changes no bit of the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if lengths do not fit each other; [`Error::NoAnswer`] with the index for offsets that fall, an
    /// instrument or a scenario that does not exist.
    pub fn losses(&self, threads: Option<usize>) -> Result<Vec<f64>> {
        let positions = self.instrument.len();
        let shape = |name: &str, found: usize, expected: usize| {
            if found == expected { Ok(()) } else { Err(Error::Shape { name: name.into(), found, expected }) }
        };
        shape("quantity", self.quantity.len(), positions)?;
        shape("offsets", self.offsets.len(), self.scenario.len() + 1)?;
        if self.scenarios == 0 || !self.results.len().is_multiple_of(self.scenarios) {
            return Err(Error::Shape {
                name: "results".into(),
                found: self.results.len(),
                expected: self.scenarios,
            });
        }
        let bound = |index: usize| {
            let bound = self.offsets.get(index).and_then(|offset| usize::try_from(*offset).ok());
            bound.filter(|bound| *bound <= positions)
        };
        let ordered = self.offsets.is_sorted() && bound(0) == Some(0);
        if !ordered || bound(self.scenario.len()) != Some(positions) {
            let why = format!("offsets must begin with 0, never fall and end with {positions}");
            return Err(Error::NoAnswer { why });
        }
        let mut losses = vec![0.0; positions];
        let mut pieces = Vec::new();
        let mut rest = &mut losses[..];
        for first in (0..self.scenario.len()).step_by(ACCOUNTS_PER_PIECE) {
            let end = (first + ACCOUNTS_PER_PIECE).min(self.scenario.len());
            let held = bound(end).zip(bound(first)).map_or(0, |(end, start)| end - start);
            let (own, others) = rest.split_at_mut(held);
            pieces.push((first..end, own));
            rest = others;
        }
        Workers::new(threads)?.each(pieces, |(accounts, losses)| self.fill(accounts, losses))?;
        Ok(losses)
    }

    /// Fills in the losses of some accounts in a row.
    fn fill(&self, accounts: Range<usize>, losses: &mut [f64]) -> Result<()> {
        let refusal = |name: &str, count: usize, was: i64, index: usize| Error::NoAnswer {
            why: format!("{name} must be an integer from 0 to below {count}, was {was} (index {index})"),
        };
        let first = self.offsets.get(accounts.start).map_or(0, |offset| *offset as usize);
        let mut places = losses.iter_mut();
        let mut held = self.instrument.iter().zip(self.quantity).enumerate().skip(first);
        for account in accounts {
            let (Some(scenario), Some([start, end])) =
                (self.scenario.get(account), self.offsets.get(account..account + 2))
            else {
                continue;
            };
            let column = usize::try_from(*scenario).ok().filter(|own| *own < self.scenarios);
            let column = column.ok_or_else(|| refusal("scenario", self.scenarios, *scenario, account))?;
            let count = (end - start) as usize;
            for (place, (index, (instrument, quantity))) in places.by_ref().take(count).zip(held.by_ref()) {
                // a number below zero is above all others when its sign is taken for a digit
                let row = instrument.cast_unsigned() as usize;
                let at = row.checked_mul(self.scenarios).and_then(|start| start.checked_add(column));
                let result = at.and_then(|at| self.results.get(at)).ok_or_else(|| {
                    refusal("instrument", self.results.len() / self.scenarios, *instrument, index)
                })?;
                *place = -quantity * result;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(index: usize) -> f64 {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }

    fn plainly(values: &[f64]) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..values.len()).collect();
        rows.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
        rows
    }

    #[test]
    fn rows_are_in_the_order_of_a_stable_sort() {
        let smooth: Vec<f64> = (0..5_000).map(|index| 1e6 * drawn(index)).collect();
        // numbers that agree in their upper half, equal ones, zeros of both signs, infinities
        let close: Vec<f64> = (0..5_000).map(|index| 1.0 + 1e-9 * drawn(index)).collect();
        let few: Vec<f64> = (0..5_000).map(|index| (4.0 * drawn(index)).round()).collect();
        let odd = vec![0.0, -0.0, f64::INFINITY, -1e-320, 0.0, f64::NEG_INFINITY, 1e-320, -0.0];
        let (rising, none): (Vec<f64>, _) = ((0..5_000).map(|index| index as f64).collect(), vec![]);
        for values in [smooth, close, few, odd, rising, none] {
            let expected = plainly(&values);
            assert_eq!(descending(&values).unwrap(), expected);
            for count in [0, 1, 3, 8, 700, 5_000] {
                if count <= values.len() {
                    assert_eq!(largest(&values, count).unwrap(), expected[..count]);
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_has_no_rank() {
        let values = [1.0, f64::NAN, 2.0];
        let expected = "values must be a finite number, was NaN (index 1)";
        assert_eq!(descending(&values).unwrap_err().to_string(), expected);
        for count in 0..3 {
            assert_eq!(largest(&values, count).unwrap_err().to_string(), expected);
        }
        let refusal = largest(&[1.0], 2).unwrap_err().to_string();
        assert_eq!(refusal, "count must be at most the number of values, was 2");
    }

    #[test]
    fn losses_of_positions_are_those_of_their_accounts_scenario() {
        let (accounts, instruments, scenarios) = (2_500, 30, 7);
        let results: Vec<f64> = (0..instruments * scenarios).map(drawn).collect();
        let (mut offsets, mut instrument, mut quantity) = (vec![0], vec![], vec![]);
        for account in 0..accounts {
            for place in 0..account % 4 {
                instrument.push(((drawn(10 * account + place) + 0.5) * instruments as f64) as i64);
                quantity.push(drawn(90_000 + 10 * account + place));
            }
            offsets.push(instrument.len() as i64);
        }
        let scenario: Vec<i64> = (0..accounts as i64).map(|account| account % 7).collect();
        let question = InScenario {
            offsets: &offsets,
            instrument: &instrument,
            quantity: &quantity,
            scenario: &scenario,
            results: &results,
            scenarios,
        };
        let losses = question.losses(Some(2)).unwrap();
        for account in 0..accounts {
            for position in offsets[account] as usize..offsets[account + 1] as usize {
                let row = instrument[position] as usize * scenarios + account % 7;
                assert_eq!(losses[position].to_bits(), (-quantity[position] * results[row]).to_bits());
            }
        }
        let cut = [&offsets[..accounts], &[3]].concat();
        let refusal = InScenario { offsets: &cut, ..question }.losses(None).unwrap_err().to_string();
        assert!(refusal.starts_with("offsets must begin with 0"), "{refusal}");
        let (mut beyond, mut below) = (scenario.clone(), instrument.clone());
        (beyond[1_700], below[5]) = (7, -1);
        let refusal = InScenario { scenario: &beyond, ..question }.losses(None).unwrap_err().to_string();
        assert_eq!(refusal, "scenario must be an integer from 0 to below 7, was 7 (index 1700)");
        let refusal = InScenario { instrument: &below, ..question }.losses(Some(1)).unwrap_err().to_string();
        assert_eq!(refusal, "instrument must be an integer from 0 to below 30, was -1 (index 5)");
    }
}
