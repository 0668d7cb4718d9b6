//! What negative balances need: a share of the amount borrowed of each currency, outside the levels' factors.

use super::component::{Component, ComponentKind, Share, initial_total, maintenance_total};
use super::equity::{Holding, holdings};
use super::{PoolView, Requirement};
use crate::book::PoolKind;
use crate::error::{Error, Place, Result};
use crate::market::MarketState;
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::Borrowing;

/// Adds a row per currency whose cash, results and option values are below zero together.
///
/// Source of the formula: OKX, portfolio margin, MR8 (venues.md section 2.1): borrowed value x rate.
///
/// # Errors
///
/// [`Error::Missing`] for a price, or for a currency that the rulebook has no rate for.
pub(super) fn add(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    requirement: &mut Requirement,
) -> Result<()> {
    if rulebook.borrowing.is_empty() || view.kind == PoolKind::Isolated {
        return Ok(());
    }
    for holding in holdings(view, state) {
        let borrowed = -(holding.cash + holding.pnl + holding.option_value);
        if borrowed <= 0.0 {
            continue;
        }
        let (entry, rule) = rule(view, rulebook, &holding)?;
        let price = view.price(holding.currency, state)?;
        let value = borrowed * price;
        let share = |rate: f64| Share { amount: rate * value, counts: true };
        let component = Component {
            unit: None,
            kind: ComponentKind::Borrowing { entry, currency: holding.currency },
            base: value,
            figures: Some([borrowed, price, 0.0]),
            initial: share(rule.initial),
            maintenance: share(rule.maintenance),
        };
        requirement.components.push(component);
    }
    requirement.maintenance = maintenance_total(&requirement.components);
    requirement.initial = requirement.initial.map(|_| initial_total(&requirement.components));
    Ok(())
}

/// The entry about a currency.
fn rule<'a>(
    view: &PoolView<'_>,
    rulebook: &'a Rulebook,
    holding: &Holding<'_>,
) -> Result<(usize, &'a Borrowing)> {
    let code = view.book.currencies.get(holding.currency).map_or("?", |known| known.code.as_str());
    let about =
        |entry: &Borrowing| entry.currencies.is_empty() || entry.currencies.iter().any(|name| name == code);
    rulebook.borrowing.iter().enumerate().find(|(_, entry)| about(entry)).ok_or_else(|| Error::Missing {
        what: format!("borrowing rate of {code}"),
        why: format!("its balance is below zero and rulebook '{}' has no rate for it", rulebook.id),
        place: holding
            .balance
            .and_then(|balance| balance.row)
            .map_or_else(Place::default, |row| Place::row(row, code)),
    })
}
