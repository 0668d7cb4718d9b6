//! The cheapest reduction where relief adds up: fractions, whole positions, impact that grows with size, one position.
//!
//! Sources: Dantzig 1957 (fractions); methods.md sections 5.2 and 5.3. Money is in one currency throughout.

use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::numeric::accumulate::sum;

/// Most positions that are searched exactly.
pub const MOST_EXACT: usize = 24;

/// A set of reductions.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduction {
    /// How much of each is closed.
    pub parts: Vec<f64>,
    /// What that costs.
    pub cost: f64,
}

fn checked(relief: &[f64], cost: &[f64], need: f64) -> Result<()> {
    if relief.len() != cost.len() {
        return Err(Error::Shape { name: "cost".into(), found: cost.len(), expected: relief.len() });
    }
    check_finite("need", need, Place::default)?;
    for (name, list) in [("relief", relief), ("cost", cost)] {
        for (row, value) in list.iter().enumerate() {
            check_finite(name, *value, || Place::row(row + 1, ""))?;
        }
    }
    match cost.iter().position(|own| *own < 0.0) {
        Some(row) => Err(Error::OutOfRange {
            name: "cost".into(),
            value: cost.get(row).copied().unwrap_or(f64::NAN),
            must_be: "at least 0",
            place: Place::row(row + 1, ""),
        }),
        None => Ok(()),
    }
}

fn out_of_reach(relief: &[f64], need: f64) -> Option<Error> {
    let all = sum(relief.iter().map(|own| own.max(0.0)));
    (all < need).then(|| Error::NoAnswer {
        why: format!("closing everything that frees margin frees {all}, {need} is needed"),
    })
}

/// Places in the order of cost per relief, ties by place; what frees nothing is left out.
fn by_ratio(relief: &[f64], cost: &[f64]) -> Vec<(usize, f64, f64)> {
    let rows = relief.iter().zip(cost).enumerate().filter(|(_, (own, _))| **own > 0.0);
    let mut rows: Vec<(usize, f64, f64)> = rows.map(|(place, (r, c))| (place, *r, *c)).collect();
    rows.sort_by(|a, b| (a.2 / a.1).total_cmp(&(b.2 / b.1)).then(a.0.cmp(&b.0)));
    rows
}

/// Fractions: whole positions by rising cost per relief, of the last one what is still needed; or, with `whole`, all of
/// it, which is what rules of thumb do and is not the cheapest.
///
/// # Errors
///
/// [`Error::NoAnswer`] where everything frees less than is needed; [`Error::OutOfRange`] for a number that is not finite
/// or a cost below zero; [`Error::Shape`].
pub fn by_cost_per_relief(relief: &[f64], cost: &[f64], need: f64, whole: bool) -> Result<Reduction> {
    checked(relief, cost, need)?;
    if let Some(refusal) = out_of_reach(relief, need) {
        return Err(refusal);
    }
    let mut parts = vec![0.0; relief.len()];
    let (mut left, mut paid) = (need, 0.0);
    for (place, freed, money) in by_ratio(relief, cost) {
        if left <= 0.0 {
            break;
        }
        let part = if whole { 1.0 } else { (left / freed).min(1.0) };
        if let Some(slot) = parts.get_mut(place) {
            *slot = part;
        }
        paid += part * money;
        left -= part * freed;
    }
    Ok(Reduction { parts, cost: paid })
}

/// The cheapest set of whole positions, by depth first with the fractional bound; ties take the first set found, which
/// prefers cheap relief.
///
/// # Errors
///
/// As [`by_cost_per_relief`]; [`Error::OutOfRange`] for more than 24 positions.
pub fn cheapest_set(relief: &[f64], cost: &[f64], need: f64) -> Result<Reduction> {
    checked(relief, cost, need)?;
    if relief.len() > MOST_EXACT {
        return Err(Error::OutOfRange {
            name: "positions".into(),
            value: relief.len() as f64,
            must_be: "at most 24 for an exact search",
            place: Place::default(),
        });
    }
    if let Some(refusal) = out_of_reach(relief, need) {
        return Err(refusal);
    }
    let rows = by_ratio(relief, cost);
    let mut search = Search { rows: &rows, best: f64::INFINITY, kept: 0 };
    search.go(0, need, 0.0, 0);
    let parts = (0..relief.len()).map(|place| {
        let taken = rows.iter().position(|row| row.0 == place).is_some_and(|at| search.kept >> at & 1 == 1);
        f64::from(u8::from(taken))
    });
    let parts: Vec<f64> = parts.collect();
    let cost = sum(parts.iter().zip(cost).map(|(part, own)| part * own));
    Ok(Reduction { parts, cost })
}

struct Search<'a> {
    rows: &'a [(usize, f64, f64)],
    best: f64,
    kept: u32,
}

impl Search<'_> {
    /// What is still needed costs at least this, since fractions are cheaper than whole positions.
    fn least(&self, from: usize, mut left: f64) -> f64 {
        let mut paid = 0.0;
        for (_, freed, money) in self.rows.iter().skip(from) {
            if left <= 0.0 {
                return paid;
            }
            let part = (left / freed).min(1.0);
            paid += part * money;
            left -= part * freed;
        }
        if left > 0.0 { f64::INFINITY } else { paid }
    }

    fn go(&mut self, from: usize, left: f64, paid: f64, taken: u32) {
        if left <= 0.0 {
            if paid < self.best {
                (self.best, self.kept) = (paid, taken);
            }
            return;
        }
        if paid + self.least(from, left) >= self.best {
            return;
        }
        let Some((_, freed, money)) = self.rows.get(from) else { return };
        self.go(from + 1, left - freed, paid + money, taken | 1 << from);
        self.go(from + 1, left, paid, taken);
    }
}

/// The cheapest reduction under a cost of `lambda x^2` each where `sum of relief x = need`:
/// `x = need (relief / lambda) / sum of relief^2 / lambda`. Sizes are not bounded.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a lambda that is not above zero or a number that is not finite; [`Error::NoAnswer`] where
/// nothing frees anything; [`Error::Shape`].
pub fn under_quadratic_impact(lambda: &[f64], relief: &[f64], need: f64) -> Result<Reduction> {
    if lambda.len() != relief.len() {
        return Err(Error::Shape { name: "relief".into(), found: relief.len(), expected: lambda.len() });
    }
    check_finite("need", need, Place::default)?;
    for (row, (own, freed)) in lambda.iter().zip(relief).enumerate() {
        check_positive("lambda", *own, || Place::row(row + 1, ""))?;
        check_finite("relief", *freed, || Place::row(row + 1, ""))?;
    }
    let weight = sum(lambda.iter().zip(relief).map(|(own, freed)| freed * freed / own));
    if weight <= 0.0 {
        return Err(Error::NoAnswer { why: "nothing frees anything".into() });
    }
    let parts: Vec<f64> = lambda.iter().zip(relief).map(|(own, freed)| need * freed / own / weight).collect();
    let cost = sum(lambda.iter().zip(&parts).map(|(own, part)| own * part * part));
    Ok(Reduction { parts, cost })
}

/// The fraction of one position to close until equity covers `multiple` times the maintenance margin:
/// `x = (h m N - E) / (N (h m - s))`, zero where it does already.
///
/// # Errors
///
/// [`Error::NoAnswer`] where the cost `s` is not below `h m`, so that every closing makes it worse, or where closing all
/// does not suffice; [`Error::OutOfRange`] for a number outside its range.
pub fn fraction_to_close(
    notional: f64,
    maintenance_rate: f64,
    equity: f64,
    cost: f64,
    multiple: f64,
) -> Result<f64> {
    check_positive("notional", notional, Place::default)?;
    check_positive("maintenance_rate", maintenance_rate, Place::default)?;
    check_positive("multiple", multiple, Place::default)?;
    check_finite("equity", equity, Place::default)?;
    check_finite("cost", cost, Place::default)?;
    let needed = multiple * maintenance_rate;
    let short = needed * notional - equity;
    if short <= 0.0 {
        return Ok(0.0);
    }
    if cost >= needed {
        return Err(Error::NoAnswer {
            why: format!(
                "closing costs {cost} of the notional and frees {needed}: every closing makes the account worse"
            ),
        });
    }
    let fraction = short / (notional * (needed - cost));
    if fraction > 1.0 {
        return Err(Error::NoAnswer {
            why: format!("closing all of it leaves {} of equity", equity - cost * notional),
        });
    }
    Ok(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELIEF: [f64; 4] = [4000.0, 2500.0, 6000.0, 1500.0];
    const COST: [f64; 4] = [900.0, 300.0, 1800.0, 120.0];

    #[test]
    fn fractions_are_closed_by_cost_per_relief() {
        // methods.json liq.knapsack_greedy
        let found = by_cost_per_relief(&RELIEF, &COST, 6000.0, false).unwrap();
        assert_eq!(found, Reduction { parts: vec![0.5, 1.0, 0.0, 1.0], cost: 870.0 });
    }

    #[test]
    fn whole_positions_are_cheaper_by_search_than_by_ratio() {
        // methods.json liq.knapsack_integer_gap
        assert_eq!(by_cost_per_relief(&RELIEF, &COST, 6000.0, true).unwrap().cost, 1320.0);
        let found = cheapest_set(&RELIEF, &COST, 6000.0).unwrap();
        assert_eq!(found, Reduction { parts: vec![1.0, 1.0, 0.0, 0.0], cost: 1200.0 });
    }

    #[test]
    fn the_search_finds_what_trying_every_set_finds() {
        let draw = |index: u64| {
            let mixed = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        for case in 0..60_u64 {
            let count = 1 + (case % 12) as usize;
            let at = |row: usize, of: u64| draw(1000 * case + 20 * row as u64 + of);
            let relief: Vec<f64> = (0..count).map(|row| (100.0 * at(row, 1) - 10.0).round()).collect();
            let cost: Vec<f64> = (0..count).map(|row| (30.0 * at(row, 2)).round()).collect();
            let need = 0.6 * relief.iter().map(|own| own.max(0.0)).sum::<f64>();
            let total = |set: u32, of: &[f64]| -> f64 {
                of.iter().enumerate().filter(|(row, _)| set >> row & 1 == 1).map(|(_, own)| own).sum()
            };
            let sets = (0..1_u32 << count).filter(|set| total(*set, &relief) >= need);
            let cheapest = sets.map(|set| total(set, &cost)).fold(f64::INFINITY, f64::min);
            assert_eq!(cheapest_set(&relief, &cost, need).unwrap().cost, cheapest, "case {case}");
        }
    }

    #[test]
    fn impact_spreads_a_reduction() {
        // methods.json liq.qp_impact
        let found = under_quadratic_impact(&[2.0, 1.0, 4.0], &[1.0, 1.0, 2.0], 10.0).unwrap();
        assert_eq!(found, Reduction { parts: vec![2.0, 4.0, 2.0], cost: 40.0 });
    }

    #[test]
    fn one_position_is_closed_as_far_as_needed_or_not_at_all() {
        // methods.json liq.partial_perp
        let fraction = fraction_to_close(1e6, 0.01, 8000.0, 0.001, 1.0).unwrap();
        assert!((fraction - 2.0 / 9.0).abs() < 1e-15);
        let refusal = fraction_to_close(1e6, 0.01, 8000.0, 0.01, 1.0).unwrap_err().to_string();
        assert!(refusal.contains("every closing makes the account worse"), "{refusal}");
        assert_eq!(fraction_to_close(1e6, 0.01, 10_000.0, 0.001, 1.0).unwrap(), 0.0);
    }
}
