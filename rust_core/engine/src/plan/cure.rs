//! The smallest and cheapest actions that bring an account to a target, each measured, and a lower bound beside them.

use super::action::{Action, Allowed, Kind, actions, place_of};
use super::bound::{Bound, lower_bound};
use super::combined::{Plan, Planner};
use super::{Account, Cost, Prepared, Stage, Target};
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::market::MarketState;
use crate::watch::Watch;

/// Most positions that are tried one by one; of larger books those that bear most margin, in all and per unit of cost.
const MOST_TRIED: usize = 40;

/// Costs that differ by no more than this share are alike.
const ALIKE: f64 = 1e-3;
/// So much more may a plan cost that is shown beside the cheapest because it takes fewer steps.
const FEWER: f64 = 0.1;
/// A step that moves no more than this share of the money of a plan is a crumb.
const CRUMB: f64 = 1e-2;
/// Steps of a plan that nobody minds.
const FEW: usize = 3;
/// How many of the largest steps of a long plan are tried without the others.
const FIRST: [usize; 5] = [2, 3, 5, 10, 20];

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
    /// Whether anything could be tried.
    pub possible: bool,
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
        return Ok(Cure { pool, before, short, possible: true, proposals: Vec::new(), bound });
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
    let places = tried(&planner, &before)?;
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
    let mut together: Vec<(Plan, &'static str)> = Vec::new();
    if joint.len() > 1 {
        together.push((planner.greedy(&joint, &[])?, "greedy"));
    }
    let bound = if all.iter().any(is_trade) {
        let best = found.iter().chain(&together).map(|own| &own.0).filter(|own| own.reached);
        let best =
            best.filter(|own| own.steps.iter().all(|(place, _)| all.get(*place).is_some_and(is_trade)));
        let known =
            best.min_by(|a, b| Planner::better(a, b)).map(|own| known_point(&all, own, &request.cost));
        lower_bound(account, &prepared, request.target, &all, &request.cost, known, watch)
    } else {
        Err(Error::NoAnswer { why: "no lower bound: nothing may be closed or hedged".into() })
    };
    if joint.len() > 1 {
        if let Ok(Some(bound)) = &bound {
            together.push((from_programme(&planner, bound, &joint)?, "linear programme"));
            // where costs tie the optimum has a little of everything: the same positions, one after the other
            let mut used = largest_first(&planner, &steps_of(&planner, bound))?;
            used.truncate(MOST_TRIED);
            if used.len() > FEW {
                together.push((planner.greedy(&used, &[])?, "linear programme"));
                together.extend(without_crumbs(&planner, &together)?.map(|own| (own, "linear programme")));
            }
        }
        if let Some(exact) = planner.exact(&joint)? {
            together.push((exact, "exact search"));
        }
        together.extend(with_fewer(&planner, &together)?.into_iter().map(|own| (own, "greedy")));
        let cheapest = together.iter().min_by(|a, b| Planner::better(&a.0, &b.0));
        let singles = found.clone();
        for best in [cheapest, shortest(&together)].into_iter().flatten() {
            let better = singles.iter().all(|own| clearly_better(&best.0, &own.0));
            if better && found.iter().all(|own| own.0.steps != best.0.steps) {
                found.push(best.clone());
            }
        }
        for exact in together.iter().filter(|own| own.1 == "exact search") {
            for own in found.iter_mut().filter(|own| own.0.steps == exact.0.steps) {
                own.1 = exact.1;
            }
        }
    }
    found.retain(|(plan, _)| !plan.steps.is_empty());
    found.sort_by(|a, b| Planner::better(&a.0, &b.0));
    let mut proposals = Vec::with_capacity(found.len());
    for (plan, found_by) in found {
        proposals.push(proved(account, &all, plan, found_by, &request.cost, &today)?);
    }
    Ok(Cure { pool, before, short, possible: !all.is_empty(), proposals, bound })
}

/// Whether an action is a variable of the linear programme.
fn is_trade(own: &Action) -> bool {
    matches!(own.kind, Kind::Close | Kind::Hedge)
}

/// A plan as fractions of the closings and hedges, with what the programme takes it to cost.
fn known_point(all: &[Action], plan: &Plan, cost: &Cost) -> (Vec<f64>, f64) {
    let trades = all.iter().enumerate().filter(|(_, own)| is_trade(own));
    let fraction = |(place, own): (usize, &Action)| {
        let taken = plan.steps.iter().find(|step| step.0 == place);
        taken.map_or(0.0, |(_, count)| if own.most > 0.0 { own.size(*count) / own.most } else { 0.0 })
    };
    (trades.map(fraction).collect(), if cost.is_free() { plan.moved } else { plan.cost })
}

/// The best plan without the steps that hardly move anything, completed by more of the others.
fn without_crumbs(planner: &Planner<'_>, plans: &[(Plan, &'static str)]) -> Result<Option<Plan>> {
    let Some((best, _)) = plans.iter().min_by(|a, b| Planner::better(&a.0, &b.0)) else { return Ok(None) };
    let mut kept = Vec::new();
    for step in &best.steps {
        if planner.moved(*step)? > CRUMB * best.moved {
            kept.push(*step);
        }
    }
    if kept.len() == best.steps.len() || kept.is_empty() {
        return Ok(None);
    }
    let among: Vec<usize> = kept.iter().map(|(place, _)| *place).collect();
    planner.greedy(&among, &kept).map(Some)
}

/// The positions of the best plan of which most is dealt, as many as one cares to deal in, by themselves.
fn with_fewer(planner: &Planner<'_>, plans: &[(Plan, &'static str)]) -> Result<Vec<Plan>> {
    let best = plans.iter().min_by(|a, b| Planner::better(&a.0, &b.0));
    let Some((best, _)) = best.filter(|own| own.0.reached && own.0.steps.len() > FEW) else {
        return Ok(Vec::new());
    };
    let largest = largest_first(planner, &best.steps)?;
    let counts = FIRST.iter().filter(|count| **count < largest.len());
    counts.map(|count| planner.greedy(largest.get(..*count).unwrap_or(&[]), &[])).collect()
}

/// Places of steps by the money that they move, the largest first.
fn largest_first(planner: &Planner<'_>, steps: &[(usize, f64)]) -> Result<Vec<usize>> {
    let mut largest = Vec::with_capacity(steps.len());
    for step in steps {
        largest.push((planner.moved(*step)?, step.0));
    }
    largest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Ok(largest.into_iter().map(|own| own.1).collect())
}

/// Of plans hardly dearer than the best one the shortest, and of those the cheapest.
fn shortest<'p>(plans: &'p [(Plan, &'static str)]) -> Option<&'p (Plan, &'static str)> {
    let best = plans.iter().min_by(|a, b| Planner::better(&a.0, &b.0))?;
    let as_good = |own: &&(Plan, &'static str)| {
        own.0.reached == best.0.reached
            && own.0.above >= best.0.above.min(0.0)
            && if best.0.cost > 0.0 {
                own.0.cost <= best.0.cost * (1.0 + FEWER)
            } else {
                own.0.moved <= best.0.moved * (1.0 + FEWER)
            }
    };
    let length = |own: &Plan| own.steps.len().max(FEW);
    plans
        .iter()
        .filter(as_good)
        .min_by(|a, b| length(&a.0).cmp(&length(&b.0)).then(Planner::better(&a.0, &b.0)))
}

/// Whether several actions are worth more words than one: they reach the target where it does not, or cost less.
fn clearly_better(plan: &Plan, single: &Plan) -> bool {
    match (plan.reached, single.reached) {
        (true, true) if plan.cost > 0.0 || single.cost > 0.0 => {
            plan.cost < single.cost * (1.0 - ALIKE) || single.cost == 0.0
        }
        (true, true) => plan.moved < single.moved * (1.0 - ALIKE),
        (false, false) => plan.above > single.above + 1e-9 * single.above.abs(),
        (reached, _) => reached,
    }
}

/// Places of the actions that are tried one by one and together.
fn tried(planner: &Planner<'_>, before: &PoolState) -> Result<Vec<usize>> {
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
    kept.sort_unstable();
    kept.dedup();
    Ok(kept)
}

/// The optimum of the programme in whole steps.
fn steps_of(planner: &Planner<'_>, bound: &Bound) -> Vec<(usize, f64)> {
    let trades = planner.actions.iter().enumerate().filter(|(_, own)| is_trade(own));
    // an interior point leaves crumbs of everything
    let steps = trades.zip(&bound.fractions).filter(|(_, fraction)| **fraction > 1e-4);
    steps
        .map(|((place, own), fraction)| {
            (place, (fraction * own.most / own.step - 1e-6).ceil().min(own.most_steps()))
        })
        .collect()
}

/// The same, completed where rounding or what the programme leaves out makes it fall short.
fn from_programme(planner: &Planner<'_>, bound: &Bound, joint: &[usize]) -> Result<Plan> {
    let made = planner.plan(steps_of(planner, bound))?;
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
    let mut largest_first = Vec::with_capacity(plan.steps.len());
    for (place, count) in &plan.steps {
        let Some(action) = all.get(*place) else { continue };
        let (_, moved) = action.apply(&mut account.clone(), *count, cost)?;
        // orders are cancelled before anything is dealt
        largest_first.push((action.kind != Kind::Cancel, moved, *place, *count));
    }
    // a slice takes a share of what is left, so that its place among the others matters
    let sliced = plan.steps.iter().any(|own| all.get(own.0).is_some_and(|own| own.kind == Kind::Slice));
    if sliced {
        largest_first.iter_mut().for_each(|own| own.1 = 0.0);
    }
    largest_first.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    for (_, _, place, count) in &largest_first {
        let Some(action) = all.get(*place) else { continue };
        let held = |account: &Account<'_>| match (&action.kind, &action.contract) {
            (Kind::Close, Some(own)) => place_of(account, own)
                .and_then(|place| account.positions.get(place))
                .map_or(0.0, |held| held.quantity.abs()),
            _ => 0.0,
        };
        let before = held(&current);
        let (paid, _) = action.apply(&mut current, *count, cost)?;
        let state = current.evaluate(today)?;
        done.push(Done {
            action: action.clone(),
            size: match before - held(&current) {
                // a slice before it left less to close
                closed if action.kind == Kind::Close && closed < action.size(*count) * (1.0 - 1e-9) => closed,
                _ => action.size(*count),
            },
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
