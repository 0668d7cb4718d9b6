//! The smallest and cheapest actions that bring an account to a target, each measured, and a lower bound beside them.

use super::action::{Action, Allowed, Kind, actions};
use super::bound::{Bound, lower_bound};
use super::combined::{Plan, Planner};
use super::{Account, Cost, Prepared, Stage, Target};
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::market::MarketState;
use crate::watch::Watch;

/// Most positions that are tried one by one; of larger books those that bear most margin, in all and per unit of cost.
const MOST_TRIED: usize = 40;

/// What is asked of a cure.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Where the account should be.
    pub target: Target,
    /// What may be done.
    pub allowed: Allowed,
    /// What dealing costs.
    pub cost: Cost,
    /// Contracts to hedge with; without names perpetuals and futures of coins held.
    pub hedges: Vec<String>,
}

/// A way to the target, or as near to it as it gets.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// What is done, in this order: the action, its steps, and the account after it.
    pub done: Vec<Done<'a>>,
    /// The plan that it is.
    pub plan: Plan,
    /// Of one action that reaches the target: the account with one step less of it.
    pub one_less: Option<PoolState>,
    /// How it was found: `one action`, `greedy`, `linear programme` or `exact search`.
    pub found_by: &'static str,
}

/// One action of a proposal.
#[derive(Debug, Clone)]
pub struct Done<'a> {
    /// The action.
    pub action: Action,
    /// Its unsigned size.
    pub size: f64,
    /// What it costs, reporting currency.
    pub cost: f64,
    /// The account after it and all before it.
    pub account: Account<'a>,
    /// Its state, measured from nothing.
    pub state: PoolState,
}

/// The answer for one pool.
#[derive(Debug)]
pub struct Cure<'a> {
    /// Index of the pool in the stage's book.
    pub pool: usize,
    /// The account as it is.
    pub before: PoolState,
    /// Money that is missing to the target, reporting currency; at most zero where it is reached already.
    pub short: f64,
    /// Proposals, best first.
    pub proposals: Vec<Proposal<'a>>,
    /// The lower bound of reductions, or why there is none.
    pub bound: Result<Option<Bound>>,
}

/// Finds cures of a pool.
///
/// # Errors
///
/// As [`actions`] and [`crate::margin::evaluate`]; [`Error::NoAnswer`] once `watch` was stopped.
pub fn cure<'a>(
    stage: &'a Stage<'a>,
    pool: usize,
    request: &Request,
    account: &'a Account<'a>,
    watch: &'a Watch,
) -> Result<Cure<'a>> {
    let today = MarketState::today(stage.book());
    let before = account.evaluate(&today)?;
    let short = -request.target.above(&account.view(), &before)?;
    if short <= 0.0 {
        let bound = Err(Error::NoAnswer { why: "the target is reached".into() });
        return Ok(Cure { pool, before, short, proposals: Vec::new(), bound });
    }
    let prepared = Prepared::new(account, &stage.instruments(pool), today.clone())?;
    let all = actions(stage, pool, account, request.allowed, &request.hedges, short)?;
    let planner = Planner {
        account,
        prepared: &prepared,
        target: request.target,
        actions: &all,
        cost: &request.cost,
        watch,
    };
    let trades = |own: &Action| matches!(own.kind, Kind::Close | Kind::Hedge);
    let bound = if all.iter().any(trades) {
        lower_bound(account, &prepared, request.target, &all, &request.cost)
    } else {
        Err(Error::NoAnswer { why: "no lower bound: nothing may be closed or hedged".into() })
    };
    let places = tried(&planner, &before, &bound)?;
    let mut found: Vec<(Plan, &'static str)> = Vec::new();
    for place in &places {
        found.push((planner.single(*place)?, "one action"));
    }
    // deposits alone always do, so that combining them with trades is the reader's own choice
    let joint: Vec<usize> = places
        .iter()
        .copied()
        .filter(|place| all.get(*place).is_some_and(|own| own.kind != Kind::Deposit))
        .collect();
    if joint.len() > 1 {
        found.push((planner.greedy(&joint, &[])?, "greedy"));
        if let Ok(Some(bound)) = &bound {
            found.push((from_programme(&planner, bound, &joint)?, "linear programme"));
        }
        if let Some(exact) = planner.exact(&joint)? {
            found.push((exact, "exact search"));
        }
    }
    found.retain(|(plan, _)| !plan.steps.is_empty());
    found.sort_by(|a, b| Planner::better(&a.0, &b.0));
    // an exact search that finds what the greedy one found says more about it
    let mut distinct: Vec<(Plan, &'static str)> = Vec::new();
    for own in found {
        match distinct.iter_mut().find(|known| known.0.steps == own.0.steps) {
            Some(known) if own.1 == "exact search" => known.1 = own.1,
            Some(_) => {}
            None => distinct.push(own),
        }
    }
    let mut proposals = Vec::with_capacity(distinct.len());
    for (plan, found_by) in distinct {
        proposals.push(proved(account, &all, plan, found_by, &request.cost, &today)?);
    }
    Ok(Cure { pool, before, short, proposals, bound })
}

/// Places of the actions that are tried one by one and together.
fn tried(planner: &Planner<'_>, before: &PoolState, bound: &Result<Option<Bound>>) -> Result<Vec<usize>> {
    let closes: Vec<usize> = (0..planner.actions.len())
        .filter(|place| planner.actions.get(*place).is_some_and(|own| own.kind == Kind::Close))
        .collect();
    let mut kept: Vec<usize> = (0..planner.actions.len()).filter(|place| !closes.contains(place)).collect();
    if closes.len() <= MOST_TRIED {
        kept.extend(closes);
        kept.sort_unstable();
        return Ok(kept);
    }
    // closings stand in the order of positions
    let mut rows = Vec::with_capacity(closes.len());
    for (place, margin) in closes.iter().zip(&before.requirement.by_position) {
        let Some(action) = planner.actions.get(*place) else { continue };
        let Some(contract) = &action.contract else { continue };
        let paid = planner.cost.of(planner.account, contract, action.most)?;
        let price = if planner.cost.is_free() { margin.notional } else { paid };
        rows.push((*place, margin.maintenance, if price > 0.0 { margin.maintenance / price } else { 0.0 }));
    }
    for by_ratio in [false, true] {
        let key = |row: &(usize, f64, f64)| if by_ratio { row.2 } else { row.1 };
        rows.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.0.cmp(&b.0)));
        kept.extend(rows.iter().take(MOST_TRIED / 2).map(|row| row.0));
    }
    if let Ok(Some(bound)) = bound {
        let trades = (0..planner.actions.len()).filter(|place| {
            let kind = planner.actions.get(*place).map(|own| &own.kind);
            matches!(kind, Some(Kind::Close | Kind::Hedge))
        });
        let used = trades.zip(&bound.fractions).filter(|(_, fraction)| **fraction > 1e-6);
        kept.extend(used.map(|(place, _)| place).take(MOST_TRIED));
    }
    kept.sort_unstable();
    kept.dedup();
    Ok(kept)
}

/// The optimum of the programme in whole steps, completed where rounding or what it leaves out makes it fall short.
fn from_programme(planner: &Planner<'_>, bound: &Bound, joint: &[usize]) -> Result<Plan> {
    let trades = planner.actions.iter().enumerate();
    let trades = trades.filter(|(_, own)| matches!(own.kind, Kind::Close | Kind::Hedge));
    let steps = trades.zip(&bound.fractions).filter(|(_, fraction)| **fraction > 1e-6);
    let steps: Vec<(usize, f64)> = steps
        .map(|((place, own), fraction)| {
            (place, (fraction * own.most / own.step - 1e-6).ceil().min(own.most_steps()))
        })
        .collect();
    let made = planner.plan(steps)?;
    if made.reached { planner.pruned(made) } else { planner.greedy(joint, &made.steps) }
}

/// Measures a plan from nothing after each of its actions.
fn proved<'a>(
    account: &Account<'a>,
    all: &[Action],
    plan: Plan,
    found_by: &'static str,
    cost: &Cost,
    today: &MarketState,
) -> Result<Proposal<'a>> {
    let mut current = account.clone();
    let mut done = Vec::with_capacity(plan.steps.len());
    for (place, count) in &plan.steps {
        let Some(action) = all.get(*place) else { continue };
        let held = |account: &Account<'_>| match (&action.kind, &action.contract) {
            (Kind::Close, Some(own)) => account
                .positions
                .iter()
                .find(|held| held.instrument == own.instrument && held.leg == own.leg)
                .map_or(0.0, |held| held.quantity.abs()),
            _ => 0.0,
        };
        let before = held(&current);
        let (paid, _) = action.apply(&mut current, *count, cost)?;
        let state = current.evaluate(today)?;
        done.push(Done {
            action: action.clone(),
            size: if action.kind == Kind::Close { before - held(&current) } else { action.size(*count) },
            cost: paid,
            account: current.clone(),
            state,
        });
    }
    let one_less = match plan.steps.as_slice() {
        [(place, count)] if plan.reached && *count > 1.0 => match all.get(*place) {
            Some(action) => {
                let mut less = account.clone();
                action.apply(&mut less, count - 1.0, cost)?;
                Some(less.evaluate(today)?)
            }
            None => None,
        },
        _ => None,
    };
    Ok(Proposal { done, plan, found_by, one_less })
}
