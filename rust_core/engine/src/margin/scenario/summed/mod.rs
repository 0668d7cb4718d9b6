//! Options of a pool added up by expiry: many market states of a pool without asking who bears its margin.
//!
//! Where scenarios move prices and volatilities by ratios, what an option is worth in a scenario enters only a sum: over its
//! expiry, whose net value has a discount by its sign or counts whatever its sign. So everything of an option that does not
//! depend on the state is prepared once, and at a state one kernel adds up each expiry in all scenarios. Charges look at
//! lines as they do elsewhere, but never into scenarios; without charges no line is made. The figures are those of a whole
//! evaluation but for the order in which sums round.

mod group;

use super::exposure::{Held, held, units_beside};
use super::table::{Table, profile_of};
use super::unit::Scanned;
use super::{floor_after_credits, measure_scanned};
use crate::book::Position;
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::component::{Component, maintenance_total};
use crate::margin::equity::{Holding, add_option_value, holdings_with};
use crate::market::{MarketState, underlying_of};
use crate::rulebook::{Measure, RiskUnit, Rulebook};
use group::Group;

/// A pool whose options are added up by expiry.
#[derive(Debug)]
pub(in crate::margin) struct Summed {
    groups: Vec<Group>,
    /// What is no option.
    rest: Vec<Position>,
    /// The instruments of that, sorted, once.
    instruments: Vec<usize>,
}

impl Summed {
    /// Prepares a pool; `None` where its options have to be looked at one by one at every state.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a pool without a rulebook.
    pub(in crate::margin) fn of(view: &PoolView<'_>) -> Result<Option<Self>> {
        let rulebook = view.rulebook()?;
        let by_coin = matches!(rulebook.measure, Measure::Scenarios { unit: RiskUnit::Underlying, .. });
        if !by_coin || !rulebook.credits.is_empty() || !rulebook.borrowing.is_empty() {
            return Ok(None);
        }
        let mut own = Self { groups: Vec::new(), rest: Vec::new(), instruments: Vec::new() };
        let mut profiles: Vec<(usize, usize)> = Vec::new();
        for position in view.positions {
            let Ok((profile, _)) = profile_of(view.book, rulebook, position.instrument) else {
                return Ok(None);
            };
            let coin = underlying_of(view.book, position);
            match profiles.iter().find(|(known, _)| *known == coin) {
                // which of two units of a coin bears its collateral depends on the order of positions
                Some((_, other)) if *other != profile => return Ok(None),
                Some(_) => {}
                None => profiles.push((coin, profile)),
            }
            let known = view.book.instruments.get(position.instrument);
            if known.is_none_or(|known| known.option.is_none()) {
                own.rest.push(position.clone());
                own.instruments.push(position.instrument);
                continue;
            }
            if own.take(view, rulebook, position).is_none() {
                return Ok(None);
            }
        }
        own.instruments.sort_unstable();
        own.instruments.dedup();
        own.groups.iter_mut().for_each(Group::join);
        own.groups.sort_by_key(|group| (group.coin, group.profile, group.expiry));
        Ok(Some(own))
    }

    fn take(&mut self, view: &PoolView<'_>, rulebook: &Rulebook, position: &Position) -> Option<()> {
        let (group, volatility) = Group::of(view, rulebook, position)?;
        let own = match self.groups.iter().position(|known| known.meets(&group)) {
            // one expiry with two forwards or currencies is one sum of two kinds
            Some(known) if self.groups.get(known)?.is_priced_as(&group) => known,
            Some(_) => return None,
            None => {
                self.groups.push(group);
                self.groups.len() - 1
            }
        };
        self.groups.get_mut(own)?.add(view, rulebook, position, volatility)
    }

    /// Maintenance margin and holdings at a state; `None` where it has to be evaluated as a whole.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub(in crate::margin) fn at<'a>(
        &self,
        view: &PoolView<'a>,
        state: &MarketState,
    ) -> Result<Option<(f64, Vec<Holding<'a>>)>> {
        let rulebook = view.rulebook()?;
        let book = view.book;
        let pegged = |currency: usize| state.peg(currency).is_finite() && state.peg(currency) > 0.0;
        if state.days() != 0.0 || !(0..book.currencies.len()).all(pegged) {
            return Ok(None);
        }
        let mut valued = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            match group.at(view, rulebook, state)? {
                Some(own) => valued.push((group, own)),
                None => return Ok(None),
            }
        }
        let rest = PoolView { positions: &self.rest, orders: &[], ..*view };
        let table = Table::new(book, rulebook, state, &self.instruments)?;
        let held: Vec<Held> = held(&rest);
        let beside: Vec<(usize, usize)> = self.groups.iter().map(|own| (own.coin, own.profile)).collect();
        let mut split = units_beside(&rest, rulebook, state, (&table, &held), &beside)?;
        let coins: Vec<Option<usize>> = split.iter().map(|unit| unit.underlying).collect();
        let mut components: Vec<Component> = Vec::new();
        for unit in &mut split {
            let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
            let mut raw = vec![0.0; profile.scenarios.len()];
            let of_unit =
                |group: &Group| Some(group.coin) == unit.underlying && group.profile == unit.profile;
            for (group, own) in valued.iter().filter(|(group, _)| of_unit(group)) {
                group.add_results(view, rulebook, (profile, state), own, &mut raw)?;
            }
            // scenarios are added up: what is left to see of an option are its figures at the state
            let scanned = Scanned::beside(unit, profile, raw);
            for (group, _) in valued.iter().filter(|(group, _)| of_unit(group)) {
                unit.lines.extend(group.lines_at(view, rulebook, state)?);
            }
            let measured = measure_scanned(view, rulebook, state, (unit, &coins), scanned)?;
            components.extend(measured.components().copied());
        }
        floor_after_credits(rulebook, &mut components);
        let mut holdings: Vec<Holding<'a>> =
            holdings_with(&rest, state, &table).iter().map(|own| own.of_balances(view.balances)).collect();
        for (group, own) in &valued {
            add_option_value(&mut holdings, group.settle, own.carried);
        }
        Ok(Some((maintenance_total(&components), holdings)))
    }
}
