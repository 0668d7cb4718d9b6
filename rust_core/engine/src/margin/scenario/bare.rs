//! Charges of closed formulas: the units of a pool without scenarios.

use super::charges::{Charged, Context, charged};
use super::exposure::{Held, Unit, index_price, line};
use crate::error::Result;
use crate::instrument::{ContractKind, Payoff};
use crate::margin::PoolView;
use crate::margin::component::{Component, ComponentKind, Share};
use crate::market::{MarketState, unrealised_pnl};
use crate::rulebook::Rulebook;

/// A charge of a closed formula as a component, and what single positions bear of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::margin) struct Extra {
    /// The row of the components.
    pub(in crate::margin) component: Component,
    /// Positions with their part of the base, reporting currency; empty where none bears it by itself.
    pub(in crate::margin) borne: Vec<(usize, f64)>,
}

/// Every charge of the profiles that a pool's contracts and collateral fall under, in the order of coins.
///
/// A coin whose contracts fall under several profiles is charged under each for its own; its collateral
/// counts with the first.
///
/// # Errors
///
/// [`crate::Error::Missing`] for a price that a charge needs.
pub(in crate::margin) fn extras(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Vec<Extra>> {
    let mut rows = Vec::new();
    for (unit, context) in &charged_units(view, rulebook, state)? {
        let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
        for (place, charge) in profile.charges.iter().enumerate() {
            let Charged { base, figures, by_line } = charged(unit, charge, context)?;
            let share = |rate: f64| Share { amount: rate * base, counts: true };
            let lines = unit.lines.iter().zip(by_line.unwrap_or_default());
            rows.push(Extra {
                component: Component {
                    unit: unit.underlying,
                    kind: ComponentKind::Charge { profile: unit.profile, charge: place },
                    base,
                    figures,
                    initial: share(charge.initial),
                    maintenance: share(charge.maintenance),
                },
                borne: lines.filter_map(|(line, part)| Some((line.position?, part))).collect(),
            });
        }
    }
    Ok(rows)
}

/// The units that are charged, each with what its charges look at besides.
///
/// # Errors
///
/// As [`extras`].
pub(in crate::margin) fn charged_units<'a>(
    view: &PoolView<'a>,
    rulebook: &'a Rulebook,
    state: &MarketState,
) -> Result<Vec<(Unit<'a>, Context<'a>)>> {
    if rulebook.profiles.iter().all(|profile| profile.charges.is_empty()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for unit in units(view, rulebook, state)? {
        let mut collateral = Vec::new();
        if !seen.contains(&unit.underlying) {
            seen.push(unit.underlying);
            for balance in view.balances {
                let coin = view.book.currencies.get(balance.currency).and_then(|known| known.underlying);
                if coin.is_some() && coin == unit.underlying {
                    let value = view.price(balance.currency, state)? * (balance.cash - balance.debt);
                    collateral.push((value, balance.confidence));
                }
            }
        }
        let context = Context::new(view, rulebook, state, collateral);
        found.push((unit, context));
    }
    Ok(found)
}

/// The units of a pool by coin and profile, without scenario values. Contracts under no profile with
/// charges are left out, and so are balances in coins that no such profile is about.
fn units<'a>(view: &PoolView<'_>, rulebook: &Rulebook, state: &MarketState) -> Result<Vec<Unit<'a>>> {
    let book = view.book;
    let charging = |name: &str, payoff: Payoff| {
        let covers = |profile: &crate::rulebook::portfolio::Profile| profile.covers(name, payoff);
        let place = rulebook.profiles.iter().position(covers)?;
        rulebook.profiles.get(place).filter(|profile| !profile.charges.is_empty()).map(|_| place)
    };
    let mut units: Vec<Unit<'a>> = Vec::new();
    for (index, position) in view.positions.iter().enumerate() {
        let Some(known) = book.instruments.get(position.instrument) else { continue };
        let Some(profile) = charging(&known.underlying, known.payoff) else { continue };
        let base = if known.kind == ContractKind::Option && position.quantity != 0.0 {
            unrealised_pnl(book, position, state) / position.quantity
        } else {
            0.0
        };
        let held =
            Held { position: Some(index), instrument: position.instrument, quantity: position.quantity };
        let line = line(view, rulebook, state, &held, base, &[])?;
        let coin = book.instrument_underlying.get(position.instrument).copied().unwrap_or(0);
        match units.iter_mut().find(|unit| unit.underlying == Some(coin) && unit.profile == profile) {
            Some(unit) => unit.lines.push(line),
            None => units.push(Unit {
                underlying: Some(coin),
                profile,
                index: index_price(book, coin, state).unwrap_or(line.mark),
                lines: vec![line],
                scanned: Vec::new(),
            }),
        }
    }
    for balance in view.balances.iter().filter(|balance| balance.cash - balance.debt != 0.0) {
        let coin = book.currencies.get(balance.currency).and_then(|known| known.underlying);
        let Some((coin, known)) = coin.and_then(|coin| Some((coin, book.underlyings.get(coin)?))) else {
            continue;
        };
        if units.iter().any(|unit| unit.underlying == Some(coin)) {
            continue;
        }
        let Some(profile) = charging(&known.name, Payoff::Linear) else { continue };
        let index = index_price(book, coin, state).unwrap_or(f64::NAN);
        units.push(Unit { underlying: Some(coin), profile, lines: Vec::new(), scanned: Vec::new(), index });
    }
    units.sort_by_key(|unit| (unit.underlying, unit.profile));
    Ok(units)
}
