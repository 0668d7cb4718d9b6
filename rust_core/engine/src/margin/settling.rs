//! What is past its expiry at a state: settled into cash, and no part of any requirement.

use crate::book::{Balance, Book, Order, Position};
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, Instrument};
use crate::market::{MarketState, settle_of, unrealised_pnl};
use crate::rulebook::Rulebook;

use super::component::ComponentKind;
use super::{PoolView, PositionMargin, Requirement};

/// Seconds of a year of 365 days.
const SECONDS_PER_YEAR: f64 = 31_536_000.0;

/// A pool after the contracts that expire by a state have been settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Positions left.
    pub positions: Vec<Position>,
    /// Balances, with the results of what was settled.
    pub balances: Vec<Balance>,
    /// Orders left.
    pub orders: Vec<Order>,
    /// Place of each position left among those of the pool.
    pub places: Vec<usize>,
}

impl Settled {
    /// The settled pool as what shares one margin.
    pub fn view<'a>(&'a self, of: &PoolView<'a>) -> PoolView<'a> {
        PoolView { positions: &self.positions, balances: &self.balances, orders: &self.orders, ..*of }
    }

    /// A requirement of the settled pool in terms of the whole: what was settled needs nothing.
    pub(super) fn restored(&self, found: Requirement, count: usize) -> Requirement {
        let nothing = PositionMargin { initial: Some(0.0), ..PositionMargin::default() };
        let mut by_position = vec![nothing; count];
        for (place, margin) in self.places.iter().zip(found.by_position) {
            if let Some(slot) = by_position.get_mut(*place) {
                *slot = margin;
            }
        }
        let mut components = found.components;
        for component in &mut components {
            if let ComponentKind::Position { position } = &mut component.kind
                && let Some(place) = self.places.get(*position)
            {
                *position = *place;
            }
        }
        Requirement { by_position, components, ..found }
    }
}

/// The pool once what a state's days take to its expiry is settled; `None` where nothing is.
pub fn settled(view: &PoolView<'_>, state: &MarketState) -> Option<Settled> {
    let gone = |instrument: usize| state.is_expired(view.book, instrument);
    let any = view.positions.iter().any(|position| gone(position.instrument))
        || view.orders.iter().any(|order| gone(order.instrument));
    if !any {
        return None;
    }
    let mut balances = view.balances.to_vec();
    let mut places = Vec::new();
    for (place, position) in view.positions.iter().enumerate() {
        if gone(position.instrument) {
            let result = unrealised_pnl(view.book, position, state);
            credit(&mut balances, settle_of(view.book, position), result);
        } else {
            places.push(place);
        }
    }
    Some(Settled {
        positions: places.iter().filter_map(|place| view.positions.get(*place)).cloned().collect(),
        balances,
        orders: view.orders.iter().filter(|order| !gone(order.instrument)).cloned().collect(),
        places,
    })
}

/// Adds an amount to the balance of a currency, which is made where there is none.
pub(crate) fn credit(balances: &mut Vec<Balance>, currency: usize, amount: f64) {
    match balances.iter_mut().find(|balance| balance.currency == currency) {
        Some(balance) => {
            balance.cash += amount;
            balance.settles = true;
        }
        None => balances.push(Balance { cash: amount, ..Balance::of_results(currency) }),
    }
}

/// Refuses a state that a pool cannot be measured at.
///
/// # Errors
///
/// [`Error::OutOfRange`] for days, a volatility or a currency that no market has; [`Error::Missing`] for a dated
/// contract whose time to expiry is not known; [`Error::NotCovered`] for scenario results that were pasted, which
/// nobody can age, and for an instant within the average of a settlement price.
pub(super) fn check(view: &PoolView<'_>, rulebook: &Rulebook, state: &MarketState) -> Result<()> {
    if !state.is_beyond_prices() {
        return Ok(());
    }
    let range = |name: &str, value: f64, must_be: &'static str, label: &str| {
        Err(Error::OutOfRange { name: name.into(), value, must_be, place: Place::label(label) })
    };
    let days = state.days();
    if !(days.is_finite() && days >= 0.0) {
        return range("days", days, "finite and zero or above", "");
    }
    for (index, currency) in view.book.currencies.iter().enumerate() {
        let ratio = state.peg(index);
        if !(ratio.is_finite() && ratio > 0.0) {
            return range("ratio of a currency", ratio, "finite and above zero", &currency.code);
        }
    }
    let held = view.positions.iter().map(|position| position.instrument);
    for instrument in held.chain(view.orders.iter().map(|order| order.instrument)) {
        if let Some(known) = view.book.instruments.get(instrument) {
            check_contract(view.book, rulebook, state, (instrument, known))?;
        }
    }
    Ok(())
}

fn check_contract(
    book: &Book,
    rulebook: &Rulebook,
    state: &MarketState,
    (instrument, known): (usize, &Instrument),
) -> Result<()> {
    let days = state.days();
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let Some(quote) = state.quote(book, instrument) else { return Ok(()) };
    let place = || Place::label(known.symbol.clone());
    if let Some(volatility) = quote.implied_volatility
        && !(volatility.is_finite() && volatility >= 0.0)
    {
        return Err(Error::OutOfRange {
            name: "implied volatility after its move".into(),
            value: volatility,
            must_be: "finite and zero or above",
            place: place(),
        });
    }
    let aged = days > 0.0 && known.kind != ContractKind::Perpetual && known.kind != ContractKind::Spot;
    let pasted = book.risk_arrays.get(instrument).is_some_and(Option::is_some);
    if pasted && (aged || state.volatility(underlying) != (0.0, 0.0)) && !state.is_expired(book, instrument) {
        return Err(Error::NotCovered {
            what: known.symbol.clone(),
            why: "its results in the scenarios are pasted, and what days or volatilities make of them is not known; leave riskArray out".into(),
            place: place(),
        });
    }
    if !aged {
        return Ok(());
    }
    let years_today = book.quotes.get(instrument).map_or(0.0, |quote| quote.years);
    if known.kind == ContractKind::Future && years_today == 0.0 {
        return Err(Error::Missing {
            what: "time to expiry".into(),
            why: "without an as-of nobody knows how long it has left, so no days can pass; give as_of".into(),
            place: place(),
        });
    }
    let seconds = quote.years * SECONDS_PER_YEAR;
    if seconds > 0.0 && seconds < rulebook.settlement_average_seconds {
        return Err(Error::NotCovered {
            what: known.symbol.clone(),
            why: format!(
                "after {days} days it is {seconds:.0} seconds from its expiry, within the {} seconds over which rulebook '{}' averages the settlement price; choose an instant before them or after",
                rulebook.settlement_average_seconds, rulebook.id
            ),
            place: place(),
        });
    }
    Ok(())
}
