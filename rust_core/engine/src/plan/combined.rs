//! Several actions together: greedily with a new ranking at every step, from a linear programme, or exactly.

use super::action::{Action, Kind};
use super::smallest::{even_grid, smallest};
use super::{Account, Cost, Prepared, Slippage, Target};
use crate::error::Result;
use crate::margin::PoolState;
use crate::numeric::accumulate::sum;
use crate::watch::Watch;

/// Share of an action that one greedy step takes.
const SHARE: f64 = 0.05;
/// Share of what is missing that one greedy step may bring where costs grow faster than size.
const FINE: f64 = 0.025;
/// A gain below this share of what is missing is rounding.
const ROUNDING: f64 = 1e-9;
/// Most greedy steps.
const STEPS: usize = 240;
/// Measured positions per greedy step, all candidates together, above which a candidate is measured again only where its
/// last score may still be the best.
const MANY: usize = 20_000;
/// Most actions of a plan of which less is tried.
const MOST_PRUNED: usize = 40;
/// Most whole lots, all actions together, that are searched exactly.
pub const MOST_LOTS: f64 = 12.0;

/// Actions with their numbers of steps, in the order of the list of actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Place of the action and steps of it.
    pub steps: Vec<(usize, f64)>,
    /// What all of it costs, reporting currency.
    pub cost: f64,
    /// Money that all of it moves, reporting currency.
    pub moved: f64,
    /// Whether the target is reached.
    pub reached: bool,
    /// Money above the target.
    pub above: f64,
}

/// What plans are made from.
#[derive(Debug)]
pub struct Planner<'a> {
    /// The account as it is.
    pub account: &'a Account<'a>,
    /// Its market state.
    pub prepared: &'a Prepared,
    /// Where it should be.
    pub target: Target,
    /// What may be done.
    pub actions: &'a [Action],
    /// What that costs.
    pub cost: &'a Cost,
    /// Stopped from outside.
    pub watch: &'a Watch,
}

impl<'a> Planner<'a> {
    /// The account with some actions taken: it, its state, cost and money moved.
    ///
    /// # Errors
    ///
    /// As [`Action::apply`] and [`crate::margin::evaluate`].
    pub fn taken(&self, steps: &[(usize, f64)]) -> Result<(Account<'a>, PoolState, f64, f64)> {
        self.watch.check()?;
        let mut account = self.account.clone();
        let (mut cost, mut moved) = (0.0, 0.0);
        for (place, count) in steps.iter().filter(|(_, count)| *count > 0.0) {
            if let Some(action) = self.actions.get(*place) {
                let (paid, money) = action.apply(&mut account, *count, self.cost)?;
                cost += paid;
                moved += money;
            }
        }
        let state = self.prepared.evaluate(&account)?;
        Ok((account, state, cost, moved))
    }

    /// Money that some of one action moves by itself.
    ///
    /// # Errors
    ///
    /// As [`Action::apply`].
    pub fn moved(&self, (place, count): (usize, f64)) -> Result<f64> {
        let Some(action) = self.actions.get(place) else { return Ok(0.0) };
        Ok(action.apply(&mut self.account.clone(), count, self.cost)?.1)
    }

    /// Money above the target with some actions taken.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn above(&self, steps: &[(usize, f64)]) -> Result<f64> {
        let (account, state, ..) = self.taken(steps)?;
        self.target.above(&account.view(), &state)
    }

    /// What a plan amounts to; what it says is measured.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn plan(&self, steps: Vec<(usize, f64)>) -> Result<Plan> {
        let mut steps: Vec<(usize, f64)> = steps.into_iter().filter(|(_, count)| *count > 0.0).collect();
        steps.sort_by_key(|(place, _)| *place);
        let (account, state, cost, moved) = self.taken(&steps)?;
        let above = self.target.above(&account.view(), &state)?;
        Ok(Plan { steps, cost, moved, reached: above >= 0.0, above })
    }

    /// One action by itself, as much of it as is needed; nothing of it where it does not reach the target and brings
    /// the account no nearer to it.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn single(&self, place: usize) -> Result<Plan> {
        let Some(action) = self.actions.get(place) else { return self.plan(Vec::new()) };
        let most = action.most_steps();
        let grid = match action.kind {
            // money may be needed in any order of magnitude
            Kind::Deposit => super::smallest::doubling_grid(1.0, most),
            _ => even_grid(most, 16),
        };
        let found = smallest(&grid, |count| self.above(&[(place, count)]))?;
        let plan = self.plan(vec![(place, found.steps)])?;
        let nothing = self.plan(Vec::new())?;
        let brings = plan.above - nothing.above > ROUNDING * nothing.above.abs();
        Ok(if plan.reached || brings { plan } else { nothing })
    }

    /// What makes one plan better than another: reaching the target, then cost, then money moved.
    pub fn better(a: &Plan, b: &Plan) -> std::cmp::Ordering {
        let short = |own: &Plan| own.above.min(0.0);
        b.reached
            .cmp(&a.reached)
            .then(if a.reached { a.cost.total_cmp(&b.cost) } else { short(b).total_cmp(&short(a)) })
            .then(a.moved.total_cmp(&b.moved))
            .then(a.steps.len().cmp(&b.steps.len()))
    }

    /// Takes steps one after the other, each time the one that brings most per unit of cost, from a plan on; then takes
    /// back what turned out not to be needed.
    ///
    /// A step is a twentieth of an action, or a lot; where costs grow faster than size no more of it than brings a
    /// fortieth of what is missing, so that the next step may come from elsewhere. What is ranked is the money that a step
    /// brings over the target, per unit of what it costs after the steps before it, or per unit of notional where nothing
    /// costs anything. `among` are the places that may be used. Of large accounts a candidate is measured again only where
    /// its last score would still be the best, since gains per unit of cost hardly ever rise as more is taken.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn greedy(&self, among: &[usize], from: &[(usize, f64)]) -> Result<Plan> {
        let mut taken: Vec<(usize, f64)> = from.to_vec();
        let mut above = self.above(&taken)?;
        let slices: Result<Vec<f64>> = among.iter().map(|place| self.slice(*place, &taken, above)).collect();
        let slices = slices?;
        let many = among.len() * self.account.positions.len() > MANY;
        let mut scores = vec![f64::INFINITY; among.len()];
        for _ in 0..STEPS {
            if above >= 0.0 {
                break;
            }
            let (.., paid, moved) = self.taken(&taken)?;
            if !many {
                scores.fill(f64::INFINITY);
            }
            let mut looked: Vec<Option<(f64, f64)>> = vec![None; among.len()];
            let mut again = many;
            let best = loop {
                let promising = scores.iter().enumerate().filter(|own| *own.1 > f64::NEG_INFINITY);
                let top = promising.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).map(|own| own.0);
                let Some(top) = top else {
                    // before giving up all others are looked at again
                    if !std::mem::take(&mut again) {
                        break None;
                    }
                    let others = scores.iter_mut().zip(&looked).filter(|own| own.1.is_none());
                    others.for_each(|own| *own.0 = f64::INFINITY);
                    continue;
                };
                let Some((place, slice)) = among.get(top).zip(slices.get(top)) else { break None };
                if let Some((count, after)) = looked.get(top).copied().flatten() {
                    break Some((*place, count, after));
                }
                let found = self.score(&taken, (*place, *slice), (above, paid, moved))?;
                if let (Some(score), Some(seen)) = (scores.get_mut(top), looked.get_mut(top)) {
                    *score = found.map_or(f64::NEG_INFINITY, |own| own.0);
                    *seen = Some(found.map_or((0.0, above), |own| (own.1, own.2)));
                }
            };
            let Some((place, count, after)) = best else { break };
            if after >= 0.0 {
                // the last step is as small as it can be
                let grid = even_grid(count, 4);
                let found = smallest(&grid, |steps| self.above(&with(&taken, place, steps)))?;
                taken = with(&taken, place, found.steps);
                above = self.above(&taken)?;
            } else {
                taken = with(&taken, place, count);
                above = after;
            }
        }
        let made = self.plan(taken)?;
        if made.reached { self.pruned(made) } else { Ok(made) }
    }

    /// What one more slice of an action is worth after those taken, which came to so much above the target, cost and money
    /// moved: its score, the steps it takes and the money above the target with them; `None` where it does not help.
    fn score(
        &self,
        taken: &[(usize, f64)],
        (place, slice): (usize, f64),
        (above, paid, moved): (f64, f64, f64),
    ) -> Result<Option<(f64, f64, f64)>> {
        let Some(action) = self.actions.get(place) else { return Ok(None) };
        let used = sum(taken.iter().filter(|own| own.0 == place).map(|own| own.1));
        let count = slice.min(action.most_steps() - used);
        if count <= 0.0 {
            return Ok(None);
        }
        let (account, state, cost, money) = self.taken(&with(taken, place, count))?;
        let after = self.target.above(&account.view(), &state)?;
        let gain = after - above;
        let price = if self.cost.is_free() { money - moved } else { cost - paid };
        // what costs nothing and helps comes first
        let score = if price > 0.0 { gain / price } else { f64::MAX };
        Ok((gain > ROUNDING * above.abs()).then_some((score, count, after)))
    }

    /// How much of an action one greedy step takes, from a plan that lacks `-above`.
    fn slice(&self, place: usize, from: &[(usize, f64)], above: f64) -> Result<f64> {
        let Some(action) = self.actions.get(place) else { return Ok(0.0) };
        let count = (SHARE * action.most_steps()).ceil().max(1.0);
        if self.cost.slippage != Slippage::Depth {
            return Ok(count);
        }
        let gain = self.above(&with(from, place, count))? - above;
        let part = FINE * -above / gain;
        Ok(if gain > 0.0 && part < 1.0 { (part * count).ceil().max(1.0) } else { count })
    }

    /// Takes back, dearest first, as much of every action as the target allows; of a long plan of the dearest alone.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn pruned(&self, plan: Plan) -> Result<Plan> {
        let mut dear: Vec<(usize, f64)> = Vec::new();
        for (place, count) in &plan.steps {
            let Some(action) = self.actions.get(*place) else { continue };
            let mut account = self.account.clone();
            let (paid, moved) = action.apply(&mut account, *count, self.cost)?;
            dear.push((*place, if self.cost.is_free() { moved } else { paid }));
        }
        dear.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut steps = plan.steps.clone();
        for (place, _) in dear.into_iter().take(MOST_PRUNED) {
            let Some(count) = steps.iter().find(|own| own.0 == place).map(|own| own.1) else { continue };
            let less = |count: f64| -> Vec<(usize, f64)> {
                steps.iter().map(|own| if own.0 == place { (place, count) } else { *own }).collect()
            };
            let mut grid = vec![0.0];
            grid.extend(even_grid(count, 8));
            let found = smallest(&grid, |own| self.above(&less(own)))?;
            if found.reached && found.steps < count {
                steps = less(found.steps);
            }
        }
        let pruned = self.plan(steps)?;
        Ok(if pruned.reached && Self::better(&pruned, &plan).is_lt() { pruned } else { plan })
    }

    /// The cheapest of all combinations of whole lots of some actions, where there are at most twelve lots; `None`
    /// where there are more, or no combination reaches the target.
    ///
    /// # Errors
    ///
    /// As [`Planner::taken`].
    pub fn exact(&self, among: &[usize]) -> Result<Option<Plan>> {
        let lots: Vec<(usize, f64)> = among
            .iter()
            .filter_map(|place| self.actions.get(*place).map(|own| (*place, own)))
            .filter(|(_, own)| own.kind == Kind::Close)
            .map(|(place, own)| (place, own.most_steps()))
            .collect();
        let known = lots.iter().all(|(place, _)| self.actions.get(*place).is_some_and(|own| own.lot_known));
        if !known || lots.is_empty() || sum(lots.iter().map(|own| own.1)) > MOST_LOTS {
            return Ok(None);
        }
        let mut all: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
        for (place, most) in lots {
            let mut longer = Vec::with_capacity(all.len() * (most as usize + 1));
            for own in &all {
                longer.extend((0..=most as usize).map(|count| with(own, place, count as f64)));
            }
            all = longer;
        }
        let mut priced = Vec::with_capacity(all.len());
        for steps in all {
            let mut account = self.account.clone();
            let (mut cost, mut moved) = (0.0, 0.0);
            for (place, count) in &steps {
                if let Some(action) = self.actions.get(*place) {
                    let (paid, money) = action.apply(&mut account, *count, self.cost)?;
                    cost += paid;
                    moved += money;
                }
            }
            priced.push((cost, moved, steps));
        }
        // the first that reaches the target is the cheapest
        priced.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (.., steps) in priced {
            if self.above(&steps)? >= 0.0 {
                return self.plan(steps).map(Some);
            }
        }
        Ok(None)
    }
}

/// Steps with some more of one action.
fn with(steps: &[(usize, f64)], place: usize, count: f64) -> Vec<(usize, f64)> {
    let mut made = steps.to_vec();
    match made.iter_mut().find(|own| own.0 == place) {
        Some(own) => own.1 += count,
        None if count > 0.0 => made.push((place, count)),
        None => {}
    }
    made
}
