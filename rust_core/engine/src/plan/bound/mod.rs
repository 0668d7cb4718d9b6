//! What no reduction can be cheaper than: a linear programme whose rows are supporting planes of the account's own
//! margin and equity (Kelley 1960; methods.md section 5.3).
//!
//! Where a margin is convex in the quantities held, the contributions of its positions at any point are a supporting
//! plane of it, so that a programme with such planes allows more than the account does and its optimum is a lower bound.
//! Planes are added where the programme's optimum still falls short, until it does not: then the bound is the cheapest
//! fractional reduction itself. With more than 400 trades, charges that no position bears by itself are left out: they are
//! at least zero, which widens the gap and never makes the bound too high. Where costs grow faster than size, tangents of
//! them stand in their place.

mod costs;
mod tangents;

use super::action::{Action, Kind};
use super::linear::{Programme, Row};
use super::{Account, Cost, Prepared, Target};
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::margin::tiers::brackets_only;
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::Statistic;
use crate::rulebook::{Measure, RiskUnit};
use crate::watch::Watch;
use costs::Costs;

/// Rounds of adding planes: so many for few trades, and fewer for many.
const MOST_ROUNDS: usize = 120;
/// As [`MOST_ROUNDS`].
const LEAST_ROUNDS: usize = 12;
/// Rounds times trades.
const WORK: usize = 12_000;
/// A bound so near to what is known to suffice needs no better one, relative.
const GOOD: f64 = 1e-3;
/// Rounds after which a plane that does not touch the optimum is left out.
const IDLE: usize = 6;
/// Slack below which a plane touches, in units of the money at stake.
const TOUCHING: f64 = 1e-6;
/// Of a position that is closed so much is left, so that its contribution can still be read.
const LEFT: f64 = 1e-7;
/// How closely the target must be met, relative to the money at stake.
const CLOSE: f64 = 1e-6;

/// A bound with the point that attains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// No reduction costs less, reporting currency (without costs: moves less notional).
    pub cost: f64,
    /// Fraction of its largest size of each action at the optimum.
    pub fractions: Vec<f64>,
    /// Whether the programme's optimum reaches the target: nothing was left out that matters.
    pub tight: bool,
    /// Rounds that it took.
    pub rounds: usize,
}

/// Why an account has no bound, or `None` where it has one.
pub fn refusal(account: &Account<'_>, target: Target) -> Result<Option<&'static str>> {
    let view = account.view();
    let rulebook = view.rulebook()?;
    if matches!(target, Target::ExcessInitial(_)) {
        return Ok(Some("the initial margin is not attributed to positions"));
    }
    Ok(match &rulebook.measure {
        Measure::Tiers { .. } if !brackets_only(&view)? => {
            Some("margins by formula per option are not convex in what is held")
        }
        Measure::Scenarios { .. } if !rulebook.credits.is_empty() => {
            Some("credits between coins are not convex in what is held")
        }
        Measure::Tail(rule) if rule.statistic != Statistic::ExpectedShortfall => {
            Some("value at risk is not convex in what is held")
        }
        Measure::Scenarios { collateral_in_scan: true, .. } if dampened(account)? => {
            Some("the dampener meets collateral that moves in the scenarios")
        }
        _ => None,
    })
}

/// Whether losses beyond the range are reduced by an amount of money, so that they grow faster than size.
fn dampened(account: &Account<'_>) -> Result<bool> {
    let profiles = &account.view().rulebook()?.profiles;
    Ok(profiles.iter().filter_map(|own| own.extension).any(|own| own.dampener != 0.0))
}

/// The lower bound of reaching a target by closing and hedging; `None` where a programme that allows more than the
/// account does cannot reach it, so that the account cannot.
///
/// `actions` are those that may be taken, all of them: a bound over some positions is none over all. `known` are
/// fractions of the closings and hedges among them that suffice, with their cost, where some are known.
///
/// # Errors
///
/// [`Error::NoAnswer`] with the reason where the account has no bound.
pub fn lower_bound(
    account: &Account<'_>,
    prepared: &Prepared,
    target: Target,
    actions: &[Action],
    cost: &Cost,
    known: Option<(Vec<f64>, f64)>,
    watch: &Watch,
) -> Result<Option<Bound>> {
    if let Some(why) = refusal(account, target)? {
        return Err(Error::NoAnswer { why: format!("no lower bound: {why}") });
    }
    let trades: Vec<usize> = (0..actions.len())
        .filter(|place| actions.get(*place).is_some_and(|own| matches!(own.kind, Kind::Close | Kind::Hedge)))
        .collect();
    let problem = Problem { account, prepared, target, actions, trades, cost, known, watch };
    problem.solve()
}

struct Problem<'a> {
    account: &'a Account<'a>,
    prepared: &'a Prepared,
    target: Target,
    actions: &'a [Action],
    /// Places of the actions that are variables.
    trades: Vec<usize>,
    cost: &'a Cost,
    known: Option<(Vec<f64>, f64)>,
    watch: &'a Watch,
}

/// A plane of one group's margin: `group >= constant + sum of slopes x fractions`.
type Plane = (usize, f64, Vec<(usize, f64)>);

impl Problem<'_> {
    fn action(&self, variable: usize) -> Option<&Action> {
        self.trades.get(variable).and_then(|place| self.actions.get(*place))
    }

    fn solve(&self) -> Result<Option<Bound>> {
        let view = self.account.view();
        let trigger = view.rulebook()?.maintenance.trigger;
        let (multiple, money) = self.target.multiple(trigger).unwrap_or((trigger, 0.0));
        let groups = self.groups()?;
        let costs = Costs::of(self)?;
        let mut programme = Programme::default();
        for own in costs.objective(self.cost.is_free()) {
            programme.variable(*own, 1.0);
        }
        let impact_at: Vec<usize> =
            (0..costs.count()).map(|_| programme.variable(1.0, f64::INFINITY)).collect();
        let group_at: Vec<usize> = (0..groups).map(|_| programme.variable(0.0, f64::INFINITY)).collect();
        // equity is what may be below zero: it stands as the difference of two variables
        let (gain, loss) = (programme.variable(0.0, f64::INFINITY), programme.variable(0.0, f64::INFINITY));
        let mut row: Vec<(usize, f64)> = group_at.iter().map(|place| (*place, multiple)).collect();
        row.extend([(gain, -1.0), (loss, 1.0)]);
        programme.rows.push(Row { terms: row, at_most: -money });
        let today = self.prepared.evaluate(self.account)?;
        let scale = today.equity.maintenance.abs().max(today.requirement.maintenance);
        // money in units of what is at stake
        let unit = if scale > 0.0 { scale.recip() } else { 1.0 };
        let mut planes = Planes { rows: Vec::new(), programme, group_at, equity: (gain, loss) };
        planes.rows.extend(costs.first_tangents(&impact_at).into_iter().map(|row| (row, 0)));
        let mut point = vec![0.0; self.trades.len()];
        let mut taken = vec![0.0; costs.count()];
        let (mut last, mut used) = (None, 0);
        let rounds = (WORK / self.trades.len().max(1)).clamp(LEAST_ROUNDS, MOST_ROUNDS);
        for round in 1..=rounds {
            self.watch.check()?;
            let (at, state) = self.at(&point)?;
            let above = self.target.above(&at.view(), &state)?;
            if let Some(found) = last
                && above >= -CLOSE * scale
                && costs.missed(&point, &taken) <= GOOD * found
            {
                return Ok(Some(Bound { cost: found, fractions: point, tight: true, rounds: round }));
            }
            self.add_planes(&mut planes, (&at, &state), &point, &costs)?;
            let mut further = costs.tangents(&point, &taken, CLOSE * last.unwrap_or(0.0), &impact_at);
            let dearer = !further.is_empty();
            if let Some((known, _)) = &self.known
                && round > 1
            {
                // between the optimum and a reduction that suffices planes cut off more than at the optimum itself
                let middle: Vec<f64> =
                    point.iter().zip(known).map(|(own, known)| f64::midpoint(*own, *known)).collect();
                let (at, state) = self.at(&middle)?;
                self.add_planes(&mut planes, (&at, &state), &middle, &costs)?;
                further.extend(costs.tangents(&middle, &[], 0.0, &impact_at));
            }
            planes.rows.extend(further.into_iter().map(|row| (row, 0)));
            let Some(found) = scaled(&planes.whole(), self.trades.len(), unit).solve()? else {
                return Ok(None);
            };
            planes.drop_idle(&found.point, unit);
            let next: Vec<f64> =
                found.point.iter().take(self.trades.len()).map(|own| own.clamp(0.0, 1.0)).collect();
            taken = impact_at
                .iter()
                .filter_map(|place| found.point.get(*place).copied().map(|own| own / unit))
                .collect();
            // the same point again: what is short is not borne by positions, and no plane will say more
            let stuck = !dearer && next.iter().zip(&point).all(|(new, old)| (new - old).abs() < 1e-9);
            point = next;
            let bound = last.map_or(found.bound / unit, |before: f64| before.max(found.bound / unit));
            last = Some(bound);
            used = round;
            let met = self.known.as_ref().is_some_and(|(_, cost)| bound >= cost * (1.0 - GOOD));
            if met || (stuck && round > 1) {
                return Ok(Some(Bound { cost: bound.max(0.0), fractions: point, tight: met, rounds: used }));
            }
        }
        Ok(last.map(|cost| Bound { cost: cost.max(0.0), fractions: point, tight: false, rounds: used }))
    }

    /// Tangents at a point: of the equity and of every group's margin.
    fn add_planes(
        &self,
        planes: &mut Planes,
        (at, state): (&Account<'_>, &PoolState),
        point: &[f64],
        costs: &Costs,
    ) -> Result<()> {
        let (constant, slopes) = self.equity_plane(at, state, point, costs)?;
        let mut terms: Vec<(usize, f64)> = slopes.iter().enumerate().map(|(v, s)| (v, -s)).collect();
        let (gain, loss) = planes.equity;
        terms.extend([(gain, 1.0), (loss, -1.0)]);
        planes.rows.push((Row { terms, at_most: constant }, 0));
        for (group, constant, mut terms) in self.planes(at, state, point, planes.group_at.len())? {
            terms.extend(planes.group_at.get(group).map(|place| (*place, -1.0)));
            planes.rows.push((Row { terms, at_most: -constant }, 0));
        }
        Ok(())
    }

    /// The account at a point, whole lots aside.
    fn at(&self, point: &[f64]) -> Result<(Account<'_>, PoolState)> {
        let mut account = self.account.clone();
        for (variable, fraction) in point.iter().enumerate() {
            let Some(action) = self.action(variable) else { continue };
            // a purchase alone, so that the two sides of a contract that is not held do not meet at nothing
            let fraction = match action.kind {
                Kind::Close => fraction.min(1.0 - LEFT),
                _ if action.buys => fraction.max(LEFT),
                _ => *fraction,
            };
            let whole = Action { step: action.most * fraction, most: action.most, ..action.clone() };
            whole.apply(&mut account, 1.0, self.cost)?;
        }
        let state = self.prepared.evaluate(&account)?;
        Ok((account, state))
    }

    /// How many parts the margin is the sum of: coins, positions, or one.
    fn groups(&self) -> Result<usize> {
        Ok(match self.account.view().rulebook()?.measure {
            Measure::Scenarios { unit: RiskUnit::Underlying, .. } => self.account.book.underlyings.len(),
            Measure::Tiers { .. } => self.account.positions.len() + self.trades.len(),
            _ => 1,
        })
    }
}

/// The programme with its tangents, and for how many rounds each has not mattered.
struct Planes {
    rows: Vec<(Row, usize)>,
    programme: Programme,
    /// The variable of each group's margin.
    group_at: Vec<usize>,
    /// The variables whose difference is the equity.
    equity: (usize, usize),
}

impl Planes {
    fn whole(&self) -> Programme {
        let mut whole = self.programme.clone();
        whole.rows.extend(self.rows.iter().map(|(row, _)| row.clone()));
        whole
    }

    /// Leaves out tangents that have not touched the optimum for some rounds: they would come back if needed.
    fn drop_idle(&mut self, point: &[f64], unit: f64) {
        // impacts and groups follow the fractions
        let fractions = self.programme.upper.iter().take_while(|own| own.is_finite()).count();
        for (row, idle) in &mut self.rows {
            let value = |(variable, own): &(usize, f64)| {
                let scale = if *variable < fractions { unit } else { 1.0 };
                own * scale * point.get(*variable).copied().unwrap_or(0.0)
            };
            let slack = unit * row.at_most - sum(row.terms.iter().map(value));
            *idle = if slack < TOUCHING { 0 } else { *idle + 1 };
        }
        self.rows.retain(|(_, idle)| *idle < IDLE);
    }
}

/// A programme in units of the money at stake; the first variables are fractions and stay as they are.
fn scaled(programme: &Programme, fractions: usize, unit: f64) -> Programme {
    let term =
        |(variable, own): &(usize, f64)| (*variable, if *variable < fractions { own * unit } else { *own });
    Programme {
        cost: programme
            .cost
            .iter()
            .enumerate()
            .map(|(variable, own)| if variable < fractions { own * unit } else { *own })
            .collect(),
        upper: programme.upper.clone(),
        rows: programme
            .rows
            .iter()
            .map(|row| Row { terms: row.terms.iter().map(term).collect(), at_most: unit * row.at_most })
            .collect(),
    }
}
