//! Who gives up how much of a deficit: queues, equal shares, and water-filling on leverage.
//!
//! Water-filling solves `sum of (N - l E)+ = R` for the leverage `l` that nobody exceeds afterwards (Campbell, Hey,
//! Moallemi, Nutz, arXiv 2603.15963; methods.md section 5.6). It looks at accounts, so that splitting a position
//! changes nothing.

use std::cmp::Ordering;

use super::{Candidate, Form};
use crate::error::{Error, Place, Result};
use crate::numeric::accumulate::sum;

/// What one candidate gives up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// Its place in the list of candidates.
    pub candidate: usize,
    /// What it is ranked by.
    pub score: f64,
    /// Rank from 1; `None` for one that the form does not take.
    pub rank: Option<usize>,
    /// Lights: 5 for the first fifth of those taken, 1 for the last.
    pub lights: Option<usize>,
    /// Notional that it gives up.
    pub notional: f64,
}

/// A deficit shared out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fills {
    /// One per candidate, those taken first, by rank.
    pub rows: Vec<Fill>,
    /// Notional that nobody is left to give up.
    pub uncovered: f64,
}

/// Ranks candidates and shares a deficit of notional out among them.
///
/// # Errors
///
/// What [`Form::score`] misses; [`Error::OutOfRange`] for a deficit below zero; for water-filling, two rows of one
/// account that give it different equities.
pub fn fills(form: Form, candidates: &[Candidate], deficit: f64, inverted: bool) -> Result<Fills> {
    if !(deficit.is_finite() && deficit >= 0.0) {
        return Err(Error::OutOfRange {
            name: "deficit".into(),
            value: deficit,
            must_be: "finite and at least 0",
            place: Place::default(),
        });
    }
    let mut scores = Vec::with_capacity(candidates.len());
    let leverages = if form == Form::WaterFilling { Some(accounts(candidates)?) } else { None };
    for (place, candidate) in candidates.iter().enumerate() {
        candidate.check()?;
        let pooled = leverages.as_ref().and_then(|list| list.iter().find(|own| own.members.contains(&place)));
        scores.push(match pooled {
            Some(account) => account.leverage(),
            None => form.score(candidate, inverted)?,
        });
    }
    let taken = |place: usize| candidates.get(place).is_some_and(|own| form.takes(own));
    let score = |place: usize| scores.get(place).copied().unwrap_or(0.0);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| {
        let names = match (candidates.get(*a), candidates.get(*b)) {
            (Some(a), Some(b)) => by_name(&a.account, &b.account),
            _ => Ordering::Equal,
        };
        taken(*b).cmp(&taken(*a)).then(score(*b).total_cmp(&score(*a))).then(names).then(a.cmp(b))
    });
    let count = order.iter().filter(|place| taken(**place)).count();
    let notional = |place: usize| candidates.get(place).map_or(0.0, Candidate::notional);
    let mut given = vec![0.0; candidates.len()];
    let chosen: Vec<usize> = order.iter().copied().filter(|place| taken(*place)).collect();
    let available = sum(chosen.iter().map(|place| notional(*place)));
    match &leverages {
        Some(list) => water_filled(list, deficit, candidates, &mut given),
        None if form == Form::ProRata => {
            let share = if available > 0.0 { (deficit / available).min(1.0) } else { 0.0 };
            for place in &chosen {
                if let Some(slot) = given.get_mut(*place) {
                    *slot = share * notional(*place);
                }
            }
        }
        None => {
            let mut left = deficit;
            for place in &chosen {
                if let Some(slot) = given.get_mut(*place) {
                    *slot = left.min(notional(*place));
                    left -= *slot;
                }
            }
        }
    }
    let rows = order
        .iter()
        .enumerate()
        .map(|(rank, place)| Fill {
            candidate: *place,
            score: score(*place),
            rank: (rank < count).then_some(rank + 1),
            lights: (rank < count).then(|| 5 - 5 * rank / count),
            notional: given.get(*place).copied().unwrap_or(0.0),
        })
        .collect();
    Ok(Fills { rows, uncovered: (deficit - available).max(0.0) })
}

/// Names that are numbers by number, others as text.
fn by_name(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    }
}

/// An account with all of its rows.
struct Pooled {
    members: Vec<usize>,
    notional: f64,
    equity: f64,
}

impl Pooled {
    fn leverage(&self) -> f64 {
        if self.equity > 0.0 { self.notional / self.equity } else { f64::INFINITY }
    }
}

fn accounts(candidates: &[Candidate]) -> Result<Vec<Pooled>> {
    let mut found: Vec<(&str, Pooled)> = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        match found.iter_mut().find(|(name, _)| *name == candidate.account) {
            None => {
                let own =
                    Pooled { members: vec![place], notional: candidate.notional(), equity: candidate.equity };
                found.push((&candidate.account, own));
            }
            Some((_, own)) if own.equity == candidate.equity => {
                own.members.push(place);
                own.notional += candidate.notional();
            }
            Some((_, own)) => {
                return Err(Error::OutOfRange {
                    name: "equity".into(),
                    value: candidate.equity,
                    must_be: "that of the account's other rows",
                    place: Place {
                        row: candidate.row,
                        label: Some(format!("{}, which has {} above", candidate.account, own.equity)),
                    },
                });
            }
        }
    }
    Ok(found.into_iter().map(|(_, own)| own).collect())
}

/// Shares a deficit so that the largest leverage left is as small as it can be.
fn water_filled(accounts: &[Pooled], deficit: f64, candidates: &[Candidate], given: &mut [f64]) {
    let mut order: Vec<&Pooled> = accounts.iter().collect();
    order.sort_by(|a, b| b.leverage().total_cmp(&a.leverage()));
    // without equity any leverage is too much: such an account gives up everything, whatever the level
    let drowned = sum(order.iter().filter(|own| own.equity <= 0.0).map(|own| own.notional));
    let afloat: Vec<&&Pooled> = order.iter().filter(|own| own.equity > 0.0).collect();
    let rest = deficit - drowned;
    let level = if rest <= 0.0 {
        f64::INFINITY
    } else {
        let (mut notional, mut equity, mut level) = (0.0, 0.0, 0.0);
        for (place, own) in afloat.iter().enumerate() {
            notional += own.notional;
            equity += own.equity;
            level = (notional - rest) / equity;
            let next = afloat.get(place + 1).map_or(0.0, |next| next.leverage());
            if level >= next {
                break;
            }
        }
        level.max(0.0)
    };
    let share = if rest <= 0.0 && drowned > 0.0 { deficit / drowned } else { 1.0 };
    for own in &order {
        let gives = if own.equity <= 0.0 {
            share * own.notional
        } else {
            (own.notional - level * own.equity).clamp(0.0, own.notional)
        };
        for place in &own.members {
            let part = candidates.get(*place).map_or(0.0, Candidate::notional);
            if let (Some(slot), true) = (given.get_mut(*place), own.notional > 0.0) {
                *slot = gives * part / own.notional;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::Payoff;
    use proptest::prelude::*;

    fn candidate(account: &str, quantity: f64, equity: f64) -> Candidate {
        Candidate {
            account: account.into(),
            symbol: "X".into(),
            quantity,
            entry: 100.0,
            mark: if quantity > 0.0 { 110.0 } else { 40.0 },
            equity,
            wallet: equity,
            maintenance: None,
            initial: None,
            bankruptcy: None,
            payoff: Payoff::Linear,
            own: false,
            row: None,
        }
    }

    fn given(found: &Fills, place: usize) -> f64 {
        found.rows.iter().find(|row| row.candidate == place).unwrap().notional
    }

    #[test]
    fn a_queue_is_walked_until_nothing_is_missing_and_ties_go_by_account() {
        // flox: the account with the larger profit for its equity is chosen, ties go to the smaller id
        let list = [candidate("2", -5.0, 100.0), candidate("3", -10.0, 100.0)];
        let found = fills(Form::PnlRatio, &list, 400.0, false).unwrap();
        assert_eq!((given(&found, 0), given(&found, 1)), (0.0, 400.0));
        let tied = [candidate("10", -10.0, 100.0), candidate("9", -10.0, 100.0)];
        let found = fills(Form::PnlRatio, &tied, 400.0, false).unwrap();
        assert_eq!((given(&found, 0), given(&found, 1)), (0.0, 400.0));
        assert_eq!(found.rows[0].lights, Some(5));
    }

    #[test]
    fn water_goes_to_the_highest_leverage_first_and_levels_it() {
        // notional 1100, 550, 220 of equity 100 each: the first gives up 550 until both have 5.5, then both alike
        let list = [candidate("a", 10.0, 100.0), candidate("b", 5.0, 100.0), candidate("c", 2.0, 100.0)];
        let found = fills(Form::WaterFilling, &list, 750.0, false).unwrap();
        assert!((given(&found, 0) - 650.0).abs() < 1e-12 && (given(&found, 1) - 100.0).abs() < 1e-12);
        assert_eq!(given(&found, 2), 0.0);
    }

    #[test]
    fn an_account_that_contradicts_itself_is_refused() {
        let list = [candidate("a", 10.0, 100.0), candidate("a", 5.0, 90.0)];
        let refusal = fills(Form::WaterFilling, &list, 750.0, false).unwrap_err().to_string();
        assert!(refusal.contains("equity must be that of the account's other rows, was 90"), "{refusal}");
    }

    fn crowd() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0.1..50.0_f64, -50.0..500.0_f64), 1..12)
    }

    fn list_of(crowd: &[(f64, f64)]) -> Vec<Candidate> {
        let name = |place: usize| format!("{place}");
        crowd.iter().enumerate().map(|(place, (q, equity))| candidate(&name(place), *q, *equity)).collect()
    }

    proptest! {
        #[test]
        fn fills_and_what_is_uncovered_sum_to_the_deficit(crowd in crowd(), share in 0.0..1.5_f64) {
            let list = list_of(&crowd);
            let whole: f64 = list.iter().map(Candidate::notional).sum();
            for form in [Form::Hyperliquid, Form::PnlRatio, Form::Size, Form::ProRata, Form::WaterFilling] {
                let found = fills(form, &list, share * whole, false).unwrap();
                let given: f64 = found.rows.iter().map(|row| row.notional).sum();
                prop_assert!((given + found.uncovered - share * whole).abs() <= 1e-9 * whole, "{form:?}");
                for row in &found.rows {
                    prop_assert!(row.notional >= 0.0);
                    prop_assert!(row.notional <= list[row.candidate].notional() * (1.0 + 1e-12));
                }
            }
        }

        #[test]
        fn no_other_sharing_leaves_a_smaller_largest_leverage(crowd in crowd(), share in 0.05..0.95_f64) {
            let list: Vec<Candidate> = list_of(&crowd).into_iter().filter(|own| own.equity > 1.0).collect();
            prop_assume!(!list.is_empty());
            let whole: f64 = list.iter().map(Candidate::notional).sum();
            let found = fills(Form::WaterFilling, &list, share * whole, false).unwrap();
            let after = |row: &Fill| {
                let own = &list[row.candidate];
                (own.notional() - row.notional) / own.equity
            };
            let level = found.rows.iter().map(after).fold(0.0, f64::max);
            // who gives up anything stands exactly at the level: lowering it needs more than the deficit
            for row in found.rows.iter().filter(|row| row.notional > 1e-9 * whole) {
                prop_assert!((after(row) - level).abs() <= 1e-9 * level.max(1.0));
            }
        }

        #[test]
        fn splitting_a_position_changes_no_water_filling(crowd in crowd(), share in 0.0..1.2_f64, cut in 0.1..0.9_f64) {
            let list = list_of(&crowd);
            let whole: f64 = list.iter().map(Candidate::notional).sum();
            let before = fills(Form::WaterFilling, &list, share * whole, false).unwrap();
            let first = &list[0];
            let mut split = list.clone();
            split[0].quantity = cut * first.quantity;
            split.push(Candidate { quantity: (1.0 - cut) * first.quantity, ..first.clone() });
            let rows = fills(Form::WaterFilling, &split, share * whole, false).unwrap();
            prop_assert!((given(&rows, 0) + given(&rows, list.len()) - given(&before, 0)).abs() <= 1e-9 * whole);
            // the same holds for an account that splits itself in two with its equity
            let last = split.len() - 1;
            split[0].equity = cut * first.equity;
            split[last].equity = (1.0 - cut) * first.equity;
            split[last].account = "second".into();
            let rows = fills(Form::WaterFilling, &split, share * whole, false).unwrap();
            prop_assert!((given(&rows, 0) + given(&rows, last) - given(&before, 0)).abs() <= 1e-9 * whole);
            for place in 1..list.len() {
                prop_assert!((given(&rows, place) - given(&before, place)).abs() <= 1e-9 * whole);
            }
        }
    }
}
