//! What no reduction can be cheaper than: a linear programme whose rows are supporting planes of the account's own
//! margin and equity (Kelley 1960; methods.md section 5.3).
//!
//! Where a margin is convex in the quantities held, the contributions of its positions at any point are a supporting
//! plane of it, so that a programme with such planes allows more than the account does and its optimum is a lower bound.
//! Planes are added where the programme's optimum still falls short, until it does not: then the bound is the cheapest
//! fractional reduction itself. With more than 64 trades, charges that no position bears by itself are left out: they are
//! at least zero, which widens the gap and never makes the bound too high.

use super::action::{Action, Kind};
use super::linear::{Programme, Row};
use super::{Account, Cost, Prepared, Target};
use crate::book::Position;
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::margin::component::ComponentKind;
use crate::margin::equity::{counted_amount, counting, holdings, net_amount};
use crate::margin::tiers::brackets_only;
use crate::market::{MarketState, settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::Statistic;
use crate::rulebook::{Measure, OptionValue, RiskUnit};

/// Most rounds of adding planes.
const ROUNDS: usize = 120;
/// Of a position that is closed so much is left, so that its contribution can still be read.
const LEFT: f64 = 1e-7;
/// Most trades whose slopes are measured one by one.
const MOST_MEASURED: usize = 64;
/// How far from the point that is, as a share of an action.
const NUDGE: f64 = 1e-6;
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
/// `actions` are those that may be taken, all of them: a bound over some positions is none over all.
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
) -> Result<Option<Bound>> {
    if let Some(why) = refusal(account, target)? {
        return Err(Error::NoAnswer { why: format!("no lower bound: {why}") });
    }
    let trades: Vec<usize> = (0..actions.len())
        .filter(|place| actions.get(*place).is_some_and(|own| matches!(own.kind, Kind::Close | Kind::Hedge)))
        .collect();
    let problem = Problem { account, prepared, target, actions, trades, cost };
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
}

/// Margins of the groups at a point, and their slopes by fraction.
type Margins = (Vec<f64>, Vec<Vec<f64>>);

/// A plane of one group's margin: `group >= constant + sum of slopes x fractions`.
type Plane = (usize, f64, Vec<f64>);

impl Problem<'_> {
    fn action(&self, variable: usize) -> Option<&Action> {
        self.trades.get(variable).and_then(|place| self.actions.get(*place))
    }

    fn solve(&self) -> Result<Option<Bound>> {
        let view = self.account.view();
        let trigger = view.rulebook()?.maintenance.trigger;
        let (multiple, money) = self.target.multiple(trigger).unwrap_or((trigger, 0.0));
        let groups = self.groups()?;
        let mut costs = Vec::with_capacity(self.trades.len());
        for variable in 0..self.trades.len() {
            let Some(action) = self.action(variable) else { continue };
            let mut trial = self.account.clone();
            let (paid, moved) = action.apply(&mut trial, action.most_steps(), self.cost)?;
            costs.push((paid, moved));
        }
        let mut programme = Programme::default();
        for (paid, moved) in &costs {
            programme.variable(if self.cost.is_free() { *moved } else { *paid }, 1.0);
        }
        let group_at: Vec<usize> = (0..groups).map(|_| programme.variable(0.0, f64::INFINITY)).collect();
        // equity is what may be below zero: it stands as the difference of two variables
        let (gain, loss) = (programme.variable(0.0, f64::INFINITY), programme.variable(0.0, f64::INFINITY));
        let mut row: Vec<(usize, f64)> = group_at.iter().map(|place| (*place, multiple)).collect();
        row.extend([(gain, -1.0), (loss, 1.0)]);
        programme.rows.push(Row { terms: row, at_most: -money });
        let mut point = vec![0.0; self.trades.len()];
        let (mut last, mut used) = (None, 0);
        let today = self.prepared.evaluate(self.account)?;
        let scale = today.equity.maintenance.abs().max(today.requirement.maintenance);
        // money in units of what is at stake
        let unit = if scale > 0.0 { scale.recip() } else { 1.0 };
        for round in 1..=ROUNDS {
            let (at, state) = self.at(&point)?;
            let above = self.target.above(&at.view(), &state)?;
            if let Some(found) = last
                && above >= -CLOSE * scale
            {
                return Ok(Some(Bound { cost: found, fractions: point, tight: true, rounds: round }));
            }
            let (constant, slopes) = self.equity_plane(&at, &state, &point, &costs)?;
            let mut terms: Vec<(usize, f64)> = slopes.iter().enumerate().map(|(v, s)| (v, -s)).collect();
            terms.extend([(gain, 1.0), (loss, -1.0)]);
            programme.rows.push(Row { terms, at_most: constant });
            for (group, constant, slopes) in self.planes(&at, &state, &point, groups)? {
                let mut terms: Vec<(usize, f64)> = slopes.into_iter().enumerate().collect();
                terms.extend(group_at.get(group).map(|place| (*place, -1.0)));
                programme.rows.push(Row { terms, at_most: -constant });
            }
            let scaled = scaled(&programme, self.trades.len(), unit);
            let Some(found) = scaled.solve()? else { return Ok(None) };
            let next: Vec<f64> =
                found.point.iter().take(self.trades.len()).map(|own| own.clamp(0.0, 1.0)).collect();
            // the same point again: what is short is not borne by positions, and no plane will say more
            let stuck = next.iter().zip(&point).all(|(new, old)| (new - old).abs() < 1e-9);
            point = next;
            let bound = found.bound / unit;
            last = Some(last.map_or(bound, |before: f64| before.max(bound)));
            used = round;
            if stuck && round > 1 {
                break;
            }
        }
        Ok(last.map(|cost| Bound { cost: cost.max(0.0), fractions: point, tight: false, rounds: used }))
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

    /// The trades that act on a position, with the change of its quantity per unit of their fraction.
    fn acting<'p>(&'p self, own: &'p Position) -> impl Iterator<Item = (usize, f64)> + 'p {
        (0..self.trades.len()).filter_map(move |variable| {
            let action = self.action(variable)?;
            let contract = action.contract.as_ref()?;
            let same = contract.instrument == own.instrument && contract.leg == own.leg;
            same.then_some((variable, if action.buys { action.most } else { -action.most }))
        })
    }

    /// Supporting planes of the margin at a point.
    ///
    /// Where some of it is borne by no position, and for few trades, slopes are differences of the measured margin on
    /// both sides of the point; else they are the contributions of positions.
    fn planes(
        &self,
        at: &Account<'_>,
        state: &PoolState,
        point: &[f64],
        groups: usize,
    ) -> Result<Vec<Plane>> {
        let scenarios = matches!(at.view().rulebook()?.measure, Measure::Scenarios { .. });
        let (margin, slopes) = if scenarios && self.trades.len() <= MOST_MEASURED {
            self.measured_slopes(at, state, groups)?
        } else {
            self.borne_slopes(at, state, groups)?
        };
        let planes = margin.into_iter().zip(slopes).enumerate().map(|(group, (value, slopes))| {
            let there = sum(slopes.iter().zip(point).map(|(slope, fraction)| slope * fraction));
            (group, value - there, slopes)
        });
        Ok(planes
            .filter(|(_, constant, slopes)| *constant != 0.0 || slopes.iter().any(|s| *s != 0.0))
            .collect())
    }

    /// The margin of every group by its components, and its slopes by measuring on both sides.
    fn measured_slopes(&self, at: &Account<'_>, state: &PoolState, groups: usize) -> Result<Margins> {
        let margin = by_unit(state, groups);
        let mut slopes = vec![vec![0.0; self.trades.len()]; groups];
        for variable in 0..self.trades.len() {
            let Some(action) = self.action(variable) else { continue };
            let Some(contract) = &action.contract else { continue };
            let same = |own: &Position| own.instrument == contract.instrument && own.leg == contract.leg;
            let Some(place) = at.positions.iter().position(same) else { continue };
            let held = at.positions.get(place).map_or(0.0, |own| own.quantity);
            // not so far that the position would turn round
            let share = NUDGE.min(0.5 * held.abs() / action.most);
            let change = if action.buys { action.most } else { -action.most };
            let moved = |share: f64| -> Result<Vec<f64>> {
                let mut nudged = at.clone();
                if let Some(own) = nudged.positions.get_mut(place) {
                    let quantity = own.quantity + share * change;
                    own.unrealised_pnl *= quantity / own.quantity;
                    own.quantity = quantity;
                }
                Ok(by_unit(&self.prepared.evaluate(&nudged)?, groups))
            };
            if share <= 0.0 {
                continue;
            }
            let (more, less) = (moved(share)?, moved(-share)?);
            for ((row, more), less) in slopes.iter_mut().zip(more).zip(less) {
                if let Some(slot) = row.get_mut(variable) {
                    *slot = (more - less) / (2.0 * share);
                }
            }
        }
        Ok((margin, slopes))
    }

    /// The margin of every group that positions and balances bear, and its slopes by their contributions.
    fn borne_slopes(&self, at: &Account<'_>, state: &PoolState, groups: usize) -> Result<Margins> {
        let rulebook = at.view().rulebook()?;
        let book = at.book;
        // what grows faster than size (brackets, losses less a fixed amount) has slopes other than its share of size
        let grown = scaled_up(at);
        let more = self.prepared.evaluate(&grown)?;
        let slope_of = self.slopes(at, state, &more)?;
        let mut margin = vec![0.0; groups];
        let mut slopes = vec![vec![0.0; self.trades.len()]; groups];
        for (place, own) in at.positions.iter().enumerate() {
            let group = match rulebook.measure {
                Measure::Scenarios { unit: RiskUnit::Underlying, .. } => underlying_of(book, own),
                Measure::Tiers { .. } => place,
                _ => 0,
            };
            let part = state.requirement.by_position.get(place).map_or(0.0, |own| own.maintenance);
            if let Some(sum) = margin.get_mut(group) {
                *sum += part;
            }
            let slope = slope_of.get(place).copied().unwrap_or(0.0);
            for (variable, change) in self.acting(own) {
                if let Some(slot) = slopes.get_mut(group).and_then(|row| row.get_mut(variable)) {
                    *slot += slope * change;
                }
            }
        }
        for (currency, part) in &state.requirement.by_balance {
            let coin = book.currencies.get(*currency).and_then(|known| known.underlying);
            let group = match rulebook.measure {
                Measure::Scenarios { unit: RiskUnit::Underlying, .. } => coin.unwrap_or(0),
                _ => 0,
            };
            if let Some(sum) = margin.get_mut(group) {
                *sum += part;
            }
        }
        Ok((margin, slopes))
    }

    /// Change of the margin per unit of quantity of every position.
    fn slopes(&self, at: &Account<'_>, state: &PoolState, more: &PoolState) -> Result<Vec<f64>> {
        let rulebook = at.view().rulebook()?;
        let own = state.requirement.by_position.iter().zip(&more.requirement.by_position);
        let separable = matches!(rulebook.measure, Measure::Tiers { .. });
        let pool = matches!(rulebook.measure, Measure::Scenarios { unit: RiskUnit::Pool, .. });
        let dampened = dampened(at)?;
        // by coin, how much faster than its size the loss of the deciding scenarios grows
        let rate = |coin: usize| {
            if !dampened {
                return 1.0;
            }
            let losses = |state: &PoolState| {
                let own = state.requirement.components.iter().filter(|own| {
                    let scenarios = matches!(own.kind, ComponentKind::Scenarios { .. });
                    scenarios && own.maintenance.counts && (pool || own.unit == Some(coin))
                });
                sum(own.map(|own| own.maintenance.amount))
            };
            let (now, then) = (losses(state), losses(more));
            if now > 0.0 { ((then - now) / GROWTH / now).max(1.0) } else { 1.0 }
        };
        let rates: Vec<f64> = (0..at.book.underlyings.len()).map(rate).collect();
        let slopes = at.positions.iter().zip(own).map(|(position, (now, then))| {
            if position.quantity == 0.0 {
                return 0.0;
            }
            if separable {
                return (then.maintenance - now.maintenance) / (GROWTH * position.quantity);
            }
            let faster = rates.get(underlying_of(at.book, position)).copied().unwrap_or(1.0);
            ((now.maintenance - now.charges) * faster + now.charges) / position.quantity
        });
        Ok(slopes.collect())
    }

    /// A supporting plane of the equity: `equity <= constant + sum of slopes x fractions`.
    fn equity_plane(
        &self,
        at: &Account<'_>,
        state: &PoolState,
        point: &[f64],
        costs: &[(f64, f64)],
    ) -> Result<(f64, Vec<f64>)> {
        let today = MarketState::today(at.book);
        let view = at.view();
        let level = &view.rulebook()?.maintenance;
        // by currency: reporting currency per coin of net amount, and whether gains of futures count
        let mut worth: Vec<(usize, f64, bool)> = Vec::new();
        for holding in holdings(&view, &today) {
            let price = view.price(holding.currency, &today)?;
            let counting = counting(&view, &holding)?;
            let net = net_amount(&holding, level);
            let nudge = 1e-9 * net.abs().max(1e-9);
            let counted = |net: f64| if level.haircut { counted_amount(net, &counting) } else { net };
            let rate = (counted(net + nudge) - counted(net - nudge)) / (2.0 * nudge);
            worth.push((holding.currency, price * rate, level.gains || holding.pnl <= 0.0));
        }
        let mut slopes = Vec::with_capacity(self.trades.len());
        for (variable, (paid, _)) in costs.iter().enumerate() {
            let Some(contract) = self.action(variable).and_then(|own| own.contract.as_ref()) else {
                slopes.push(0.0);
                continue;
            };
            let settle = settle_of(at.book, contract);
            let price = view.price(settle, &today)?;
            let known = worth.iter().find(|(currency, ..)| *currency == settle);
            let (rate, gains) = known.map_or((price, level.gains), |(_, rate, gains)| (*rate, *gains));
            let option = at.book.instruments.get(contract.instrument).is_some_and(|i| i.option.is_some());
            let action = self.action(variable);
            let (buys, most, closes) =
                action.map_or((false, 0.0, false), |own| (own.buys, own.most, own.kind == Kind::Close));
            let change = if buys { most } else { -most };
            // what a deal turns into cash and the level did not count before
            let uncovered = match (option, level.option_value) {
                (true, OptionValue::Nothing) => -change * contract.mark_price,
                (false, _) if !gains && closes => contract.unrealised_pnl,
                _ => 0.0,
            };
            slopes.push(rate * (uncovered - paid / price));
        }
        let there = sum(slopes.iter().zip(point).map(|(slope, fraction)| slope * fraction));
        Ok((state.equity.maintenance - there, slopes))
    }
}

/// The maintenance margin of every group by its components: coins, or one where components are of no coin.
fn by_unit(state: &PoolState, groups: usize) -> Vec<f64> {
    let mut margin = vec![0.0; groups];
    for own in state.requirement.components.iter().filter(|own| own.maintenance.counts) {
        if let Some(sum) = margin.get_mut(own.unit.filter(|_| groups > 1).unwrap_or(0)) {
            *sum += own.maintenance.amount;
        }
    }
    margin
}

/// How much larger the account is at which slopes are read, relative.
const GROWTH: f64 = 1e-6;

/// The account with every position larger.
fn scaled_up<'a>(at: &Account<'a>) -> Account<'a> {
    let mut grown = at.clone();
    for own in &mut grown.positions {
        own.quantity *= 1.0 + GROWTH;
        own.unrealised_pnl *= 1.0 + GROWTH;
    }
    grown
}

/// A programme in units of the money at stake; the first variables are fractions and stay as they are.
fn scaled(programme: &Programme, fractions: usize, unit: f64) -> Programme {
    let term =
        |(variable, own): &(usize, f64)| (*variable, if *variable < fractions { own * unit } else { *own });
    Programme {
        cost: programme.cost.iter().map(|own| own * unit).collect(),
        upper: programme.upper.clone(),
        rows: programme
            .rows
            .iter()
            .map(|row| Row { terms: row.terms.iter().map(term).collect(), at_most: unit * row.at_most })
            .collect(),
    }
}
