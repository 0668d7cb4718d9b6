//! How fast the excess of a pool can move between two market states of a path.
//!
//! A liquidation price is certain only where nothing between two evaluations can have been missed. Each function
//! here takes the engine's own figures at both ends of a stretch and adds bounds on their slope in between, by the
//! rules of the same stages. Where the figures put together from the parts are not those of the engine, or a part has
//! no bounds, there is no answer and the caller must not call a search proven.
//!
//! The place on a path is the logarithm of its driver's ratio: a coin with exponent `b` is proportional to
//! `exp(b x)` (methods.md section 8.4).

mod charge;
pub mod enclosed;
mod equity;
mod lines;
mod option;
mod scenario;
mod tiers;
mod variance;

use super::PoolView;
use super::scenario::{Table, kept_table};
use crate::book::Position;
use crate::error::Result;
use crate::margin::scenario::pricing;
use crate::market::{MarketState, notional, settle_of, underlying_of, unrealised_pnl};
use crate::path::Way;
use crate::rulebook::Measure;
use enclosed::Enclosed;
use option::Stretch;

pub use equity::Basis;

/// Relative difference between the engine's figure and the one put together from parts, above which bounds are not
/// trusted; far above what the order of sums changes, far below what a missing part would.
const AGREEMENT: f64 = 1e-9;

/// Relative rounding of a sum of everything that a pool holds.
const ROUNDING: f64 = 1e-14;

/// A market state with what was evaluated there.
#[derive(Debug, Clone)]
pub struct Node {
    /// Place on the path.
    pub place: f64,
    /// The state.
    pub state: MarketState,
    /// The figure that is looked at, reporting currency.
    pub value: f64,
    /// What rounding may make of a figure of zero, reporting currency.
    pub rounding: f64,
    table: Option<Table>,
}

impl Node {
    /// Evaluates a pool at a place.
    ///
    /// # Errors
    ///
    /// As [`super::evaluate`].
    pub fn new(view: &PoolView<'_>, place: f64, state: MarketState, basis: Basis) -> Result<Self> {
        let rulebook = view.rulebook()?;
        let scans = matches!(rulebook.measure, Measure::Scenarios { .. }) && basis == Basis::Maintenance;
        let table = if scans { Some(kept_table(view, &state, &[])?) } else { None };
        let value = figure_with(view, &state, basis, table.as_ref())?;
        let rounding = rounding(view, &state)?;
        Ok(Self { place, state, value, rounding, table })
    }
}

/// The figure of a pool at a state, reporting currency.
///
/// # Errors
///
/// As [`super::evaluate`].
pub fn figure(view: &PoolView<'_>, state: &MarketState, basis: Basis) -> Result<f64> {
    figure_with(view, state, basis, None)
}

fn figure_with(view: &PoolView<'_>, state: &MarketState, basis: Basis, table: Option<&Table>) -> Result<f64> {
    Ok(match basis {
        Basis::Gross => super::equity::equity(view, state)?.gross,
        Basis::Maintenance => {
            let (equity, maintenance) = super::standing(view, state, table)?;
            equity.maintenance - view.rulebook()?.maintenance.trigger * maintenance
        }
    })
}

/// What rounding may make of a figure of zero at a state, reporting currency: a share of everything that the pool
/// holds without regard to its sign, which its sums are made of.
///
/// # Errors
///
/// [`crate::Error::Missing`] for a price.
pub fn rounding(view: &PoolView<'_>, state: &MarketState) -> Result<f64> {
    let mut total = 0.0;
    for position in view.positions {
        let price = view.price(settle_of(view.book, position), state)?;
        let ratio = state.ratio(underlying_of(view.book, position));
        let result = unrealised_pnl(view.book, position, state);
        total += price * (notional(view.book, position, ratio) + result.abs());
    }
    for balance in view.balances {
        total += view.price(balance.currency, state)? * (balance.cash.abs() + balance.debt);
    }
    Ok(ROUNDING * total)
}

/// A stretch of a path.
#[derive(Clone, Copy)]
pub(in crate::margin) struct Between<'a> {
    view: &'a PoolView<'a>,
    way: &'a Way,
    start: &'a Node,
    end: &'a Node,
    width: f64,
}

impl Between<'_> {
    fn states(&self) -> (&MarketState, &MarketState) {
        (&self.start.state, &self.end.state)
    }

    fn exponent(&self, coin: usize) -> f64 {
        self.way.prices.get(coin).copied().unwrap_or(0.0)
    }

    fn agrees(&self, own: Enclosed, ends: (f64, f64)) -> bool {
        let near = |ours: f64, theirs: f64| {
            (ours - theirs).abs() <= AGREEMENT * (1.0 + theirs.abs().max(ours.abs()))
        };
        near(own.start, ends.0) && near(own.end, ends.1)
    }

    /// An option of the book on the stretch; `None` while its settlement price is being fixed.
    fn option(&self, instrument: usize, discount: f64) -> Result<Option<Stretch>> {
        let book = self.view.book;
        let (from, to) = self.states();
        let (start, end) = (pricing(book, from, instrument)?, pricing(book, to, instrument)?);
        if start.fixed != 0.0 || end.fixed != 0.0 || start.years.to_bits() != end.years.to_bits() {
            return Ok(None);
        }
        let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
        let root = start.years.sqrt();
        let totals = (start.volatility * root, end.volatility * root);
        let exponent = self.way.volatilities.get(coin).copied().unwrap_or(0.0);
        let slopes = (exponent * totals.0, exponent * totals.1);
        Ok(Some(Stretch {
            right: start.terms.right,
            strike: start.terms.strike.0,
            forwards: (start.forward, end.forward),
            exponent: self.exponent(coin),
            totals: (totals.0.min(totals.1), totals.0.max(totals.1)),
            total_slope: (slopes.0.min(slopes.1), slopes.0.max(slopes.1)),
            discount,
        }))
    }
}

/// The figure of a pool between two places with bounds on its slope, reporting currency per unit of the place.
///
/// `None` where some part of it has no bounds.
///
/// # Errors
///
/// As [`super::evaluate`].
pub fn between(
    view: &PoolView<'_>,
    way: &Way,
    (start, end): (&Node, &Node),
    basis: Basis,
) -> Result<Option<Enclosed>> {
    let stretch = Between { view, way, start, end, width: end.place - start.place };
    let Some(equity) = equity::equity_between(&stretch, basis)? else { return Ok(None) };
    if basis == Basis::Gross {
        return Ok(Some(equity));
    }
    let rulebook = view.rulebook()?;
    // what has expired is settled into cash and needs nothing
    let live: Vec<Position> = view
        .positions
        .iter()
        .filter(|position| !start.state.is_expired(view.book, position.instrument))
        .cloned()
        .collect();
    let held = PoolView { positions: &live, ..*view };
    let remaining = Between { view: &held, ..stretch };
    let measured = match &rulebook.measure {
        Measure::Tiers { .. } => tiers::requirement_between(&remaining)?,
        Measure::Scenarios { .. } => scenario::requirement_between(&remaining)?,
        Measure::NormalValueAtRisk { .. } => variance::requirement_between(&remaining)?,
        Measure::Tail(_) => None,
    };
    let Some(measured) = measured else { return Ok(None) };
    let Some(borrowed) = equity::borrowing_between(&stretch)? else { return Ok(None) };
    let required = measured.plus(borrowed);
    let excess = equity.minus(required.times_constant(rulebook.maintenance.trigger));
    let ends = (start.value, end.value);
    let scale = 1.0 + equity.start.abs().max(equity.end.abs());
    let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= AGREEMENT * scale;
    let agrees = near(excess.start, ends.0) && near(excess.end, ends.1);
    // bounds that are no numbers prove nothing
    let bounded = !excess.low.is_nan() && !excess.high.is_nan();
    Ok((agrees && bounded).then(|| excess.with_ends(ends.0, ends.1)))
}
