//! Tangents of an account's margin and equity at a point of the programme.

use rayon::prelude::*;

use super::costs::Costs;
use super::{Plane, Problem, dampened};
use crate::book::Position;
use crate::error::Result;
use crate::margin::PoolState;
use crate::margin::component::ComponentKind;
use crate::margin::equity::{counted_amount, counting, holdings, net_amount};
use crate::market::{MarketState, settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::plan::Account;
use crate::plan::action::Kind;
use crate::rulebook::{Measure, OptionValue, RiskUnit};

/// Most trades whose slopes are measured one by one.
const MOST_MEASURED: usize = 400;
/// How far from the point that is, as a share of an action.
const NUDGE: f64 = 1e-6;

/// Margins of the groups at a point, and by group the trades that change it with their slopes by fraction.
type Margins = (Vec<f64>, Vec<Vec<(usize, f64)>>);

impl Problem<'_> {
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
    pub(super) fn planes(
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
            let at = |variable: &usize| point.get(*variable).copied().unwrap_or(0.0);
            let there = sum(slopes.iter().map(|(variable, slope)| slope * at(variable)));
            (group, value - there, slopes)
        });
        Ok(planes.filter(|(_, constant, slopes)| *constant != 0.0 || !slopes.is_empty()).collect())
    }

    /// The margin of every group by its components, and its slopes by measuring on both sides.
    fn measured_slopes(&self, at: &Account<'_>, state: &PoolState, groups: usize) -> Result<Margins> {
        // trades in parallel, each by itself, so that threads change no bit
        let columns: Result<Vec<Vec<f64>>> = (0..self.trades.len())
            .into_par_iter()
            .map(|variable| self.measured_slope(at, variable, groups))
            .collect();
        let columns = columns?;
        let of = |group: usize| {
            let slopes = columns.iter().map(|own| own.get(group).copied().unwrap_or(0.0));
            slopes.enumerate().filter(|(_, slope)| *slope != 0.0).collect()
        };
        Ok((by_unit(state, groups), (0..groups).map(of).collect()))
    }

    /// Slopes of every group's margin by the fraction of one trade.
    fn measured_slope(&self, at: &Account<'_>, variable: usize, groups: usize) -> Result<Vec<f64>> {
        let nothing = || Ok(vec![0.0; groups]);
        let Some(action) = self.action(variable) else { return nothing() };
        let Some(contract) = &action.contract else { return nothing() };
        let same = |own: &Position| own.instrument == contract.instrument && own.leg == contract.leg;
        let Some(place) = at.positions.iter().position(same) else { return nothing() };
        let held = at.positions.get(place).map_or(0.0, |own| own.quantity);
        // not so far that the position would turn round
        let share = NUDGE.min(0.5 * held.abs() / action.most);
        if share <= 0.0 {
            return nothing();
        }
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
        let (more, less) = (moved(share)?, moved(-share)?);
        Ok(more.iter().zip(less).map(|(more, less)| (more - less) / (2.0 * share)).collect())
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
        let mut slopes: Vec<Vec<(usize, f64)>> = vec![Vec::new(); groups];
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
                if let Some(row) = slopes.get_mut(group).filter(|_| slope != 0.0) {
                    row.push((variable, slope * change));
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
    pub(super) fn equity_plane(
        &self,
        at: &Account<'_>,
        state: &PoolState,
        point: &[f64],
        costs: &Costs,
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
        for (variable, paid) in costs.slopes(point).into_iter().enumerate() {
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
