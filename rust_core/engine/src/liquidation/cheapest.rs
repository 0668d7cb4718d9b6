//! The cheapest set of whole positions whose closing reaches the stop level.
//!
//! Of few positions every set is tried, in the order of what it costs, and each is measured as a whole, since relief does
//! not add up where positions hedge each other. Of many the knapsack over what each frees by itself proposes a set, which
//! is measured too; where it falls short the search goes on with what is left.

use super::run::{Pick, Run, Turn};
use super::words::helps;
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::plan::knapsack::{MOST_EXACT, by_cost_per_relief, cheapest_set};
use crate::rulebook::{StepSize, Stop};

/// Most positions of which every set is tried.
const MOST_TRIED: usize = 12;

/// A set of positions: what closing it costs and leaves.
struct Set {
    /// Indices into the pool, rising.
    members: Vec<usize>,
    cost: f64,
    notional: f64,
}

impl Run<'_> {
    /// The positions that are closed next.
    pub(super) fn cheapest_turn(&self, market: &MarketState, before: &PoolState) -> Result<Turn> {
        if self.options.step.is_some_and(|step| step != StepSize::Whole) {
            return Err(Error::NotCovered {
                what: "a step other than whole under policy cheapest_set".into(),
                why: "it searches sets of whole positions".into(),
                place: crate::error::Place::default(),
            });
        }
        let all: Vec<usize> = (0..self.working.positions.len()).collect();
        if self.stop == Stop::Flat {
            return Ok(closing(&all, "everything has to be closed"));
        }
        let last = |index: &usize| {
            self.working.positions.get(*index).is_some_and(|own| {
                (self.options.respect_tags && own.liquidate_last) || self.hedges.contains(&own.instrument)
            })
        };
        let first: Vec<usize> = all.iter().copied().filter(|index| !last(index)).collect();
        let mut nearest = None;
        // what is tagged to go last goes only where nothing without it suffices
        let some_last = first.len() < all.len();
        for candidates in [Some(&first), some_last.then_some(&all)].into_iter().flatten() {
            let found = if candidates.len() <= MOST_TRIED {
                self.of_every_set(market, before, candidates)?
            } else {
                self.of_a_knapsack(market, before, candidates)?
            };
            if let Some((set, room, reason)) = found {
                if self.enough(room) {
                    return Ok(closing(&set, &reason));
                }
                nearest = Some((set, reason));
            }
        }
        if let Some((set, reason)) = nearest {
            let after = self.without(market, before, &set)?.1;
            if helps(before.excess, after.excess, before.requirement.maintenance) {
                return Ok(closing(&set, &reason));
            }
        }
        self.together(market, before)
    }

    /// The first set by cost that is enough, else the one that leaves most, with the money it leaves above the stop level.
    fn of_every_set(
        &self,
        market: &MarketState,
        before: &PoolState,
        candidates: &[usize],
    ) -> Result<Option<(Vec<usize>, f64, String)>> {
        let mut sets = Vec::with_capacity(1 << candidates.len());
        for mask in 1..1_usize << candidates.len() {
            let members = candidates.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1);
            let members: Vec<usize> = members.map(|(_, index)| *index).collect();
            let cost = self.closed(market, before, &members)?.1;
            sets.push(Set { notional: notional_of(before, &members), members, cost });
        }
        sets.sort_by(|a, b| {
            let cost = a.cost.total_cmp(&b.cost).then(a.notional.total_cmp(&b.notional));
            cost.then(a.members.len().cmp(&b.members.len())).then(a.members.cmp(&b.members))
        });
        let count = sets.len();
        let mut most: Option<(Vec<usize>, f64)> = None;
        for set in sets {
            let room = self.room(&self.without(market, before, &set.members)?.1);
            if self.enough(room) {
                let reason = format!("the cheapest of all {count} sets of whole positions that suffices");
                return Ok(Some((set.members, room, reason)));
            }
            if most.as_ref().is_none_or(|known| room > known.1) {
                most = Some((set.members, room));
            }
        }
        let reason = format!("none of all {count} sets of whole positions suffices; this one leaves most");
        Ok(most.map(|(set, room)| (set, room, reason)))
    }

    /// A set by what every position frees alone.
    fn of_a_knapsack(
        &self,
        market: &MarketState,
        before: &PoolState,
        candidates: &[usize],
    ) -> Result<Option<(Vec<usize>, f64, String)>> {
        let now = self.room(before);
        let mut rows: Vec<(usize, f64, f64, f64)> = Vec::with_capacity(candidates.len());
        for index in candidates {
            let (cost, after) = self.without(market, before, &[*index])?;
            let relief = self.room(&after) - now;
            if relief > 0.0 {
                rows.push((*index, relief, cost, notional_of(before, &[*index])));
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        // without any cost the least notional is closed
        let free = rows.iter().all(|row| row.2 <= 0.0);
        let price = |row: &(usize, f64, f64, f64)| if free { row.3 } else { row.2 };
        rows.sort_by(|a, b| (price(a) / a.1).total_cmp(&(price(b) / b.1)).then(a.0.cmp(&b.0)));
        let relief: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let prices: Vec<f64> = rows.iter().map(price).collect();
        let few = rows.len().min(MOST_EXACT);
        let exact = relief
            .get(..few)
            .zip(prices.get(..few))
            .and_then(|(relief, prices)| cheapest_set(relief, prices, -now).ok());
        let (parts, how) = match exact {
            Some(found) => (found.parts, "the cheapest set where relief adds up"),
            None => match by_cost_per_relief(&relief, &prices, -now, true) {
                Ok(found) => (found.parts, "most relief for its cost first"),
                Err(_) => (vec![1.0; rows.len()], "everything that frees margin by itself"),
            },
        };
        let mut set: Vec<usize> =
            rows.iter().zip(parts).filter(|(_, part)| *part > 0.0).map(|(row, _)| row.0).collect();
        set.sort_unstable();
        let room = self.room(&self.without(market, before, &set)?.1);
        let check = if self.enough(room) {
            "confirmed by re-evaluation"
        } else {
            "together they free less, so that more is closed next"
        };
        let reason = format!("{how}, of {} positions that free margin: {check}", rows.len());
        Ok(Some((set, room, reason)))
    }

    /// What closing a set costs, reporting currency, and the account after it.
    fn without(&self, market: &MarketState, before: &PoolState, set: &[usize]) -> Result<(f64, PoolState)> {
        let (trial, cost) = self.closed(market, before, set)?;
        Ok((cost, self.measured(&trial, market)?))
    }

    fn closed(
        &self,
        market: &MarketState,
        before: &PoolState,
        set: &[usize],
    ) -> Result<(super::working::Working<'_>, f64)> {
        let mut trial = self.working.clone();
        let costs = self.costs(before);
        let mut paid = Vec::with_capacity(set.len());
        for index in set.iter().rev() {
            paid.extend(trial.close(*index, 1.0, market, &costs)?.map(|one| one.cost));
        }
        Ok((trial, sum(paid)))
    }
}

fn notional_of(state: &PoolState, set: &[usize]) -> f64 {
    let by_position = &state.requirement.by_position;
    sum(set.iter().filter_map(|index| by_position.get(*index)).map(|own| own.notional))
}

/// Closing whole positions, the last first so that removal is safe.
fn closing(set: &[usize], reason: &str) -> Turn {
    let picks: Vec<Pick> = set.iter().rev().map(|index| (*index, 1.0, reason.to_owned())).collect();
    Turn::Close(picks)
}
