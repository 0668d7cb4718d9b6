//! The six stages: from a pool at a market state to equity, requirement, excess, usage and status.

mod borrowing;
pub mod bounds;
pub mod component;
pub mod contributions;
pub mod equity;
mod expiry;
mod orders;
pub mod plane;
pub mod scenario;
pub mod settling;
mod standard;
pub mod status;
pub mod tail;
pub mod tiers;
pub mod variance;

use crate::book::{Balance, Book, Currency, Order, Pool, PoolKind, Position};
use crate::error::{Error, Place, Result, check_finite};
use crate::market::MarketState;
use crate::rulebook::{Measure, Rulebook};
use component::Component;

pub use equity::Equity;
pub use status::Status;

/// What shares one margin, as it stands: a pool of the book, or the same pool after some closing.
#[derive(Debug, Clone, Copy)]
pub struct PoolView<'a> {
    /// The book that the indices refer to.
    pub book: &'a Book,
    /// Its account.
    pub account: usize,
    /// Cross or isolated.
    pub kind: PoolKind,
    /// Positions left.
    pub positions: &'a [Position],
    /// Balances left.
    pub balances: &'a [Balance],
    /// Open orders left.
    pub orders: &'a [Order],
}

impl<'a> PoolView<'a> {
    /// A pool of the book as pasted.
    pub fn of(book: &'a Book, pool: &'a Pool) -> Self {
        Self {
            book,
            account: pool.account,
            kind: pool.kind,
            positions: book.positions_of(pool),
            balances: &pool.balances,
            orders: &pool.orders,
        }
    }

    /// The rulebook of its account.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a book without one, which building a book excludes.
    pub fn rulebook(&self) -> Result<&'a Rulebook> {
        self.book.rulebook_of(self.account).ok_or_else(|| Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: Place::default(),
        })
    }

    /// The ratio of a currency's price. Money is counted in the reporting currency: its own peg is no price of
    /// it, and where the rulebook divides prices by that peg it moves the others.
    fn currency_ratio(&self, known: &Currency, currency: usize, state: &MarketState) -> f64 {
        let rulebook = self.book.rulebook_of(self.account).filter(|_| state.is_beyond_prices());
        let Some(rulebook) = rulebook else { return state.currency_ratio(self.book, currency) };
        if rulebook.report_currency == known.code {
            return known.underlying.map_or(1.0, |underlying| state.ratio(underlying));
        }
        let ratio = state.currency_ratio(self.book, currency);
        let is_report = |known: &Currency| known.code == rulebook.report_currency;
        let peg = || self.book.currencies.iter().position(is_report).map_or(1.0, |own| state.peg(own));
        if rulebook.divide_by_peg { ratio / peg() } else { ratio }
    }

    /// Price of a currency at a state, reporting currency.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names the currency.
    pub fn price(&self, currency: usize, state: &MarketState) -> Result<f64> {
        let known = self.book.currencies.get(currency);
        let ratio = known.map_or(1.0, |known| self.currency_ratio(known, currency, state));
        Ok(self.price_today(currency)? * ratio)
    }

    /// Price of a currency as the book has it, reporting currency.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names the currency.
    pub fn price_today(&self, currency: usize) -> Result<f64> {
        let rulebook = self.book.accounts.get(self.account).map_or(0, |account| account.rulebook);
        let known = self.book.currencies.get(currency);
        known.and_then(|known| known.price.get(rulebook).copied().flatten()).ok_or_else(|| Error::Missing {
            what: format!("price of {}", known.map_or("?", |known| known.code.as_str())),
            why: "a missing price is never a default".into(),
            place: Place::default(),
        })
    }
}

/// One position's part of the requirement, reporting currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PositionMargin {
    /// Unsigned notional.
    pub notional: f64,
    /// Maintenance margin; for measures that do not separate, the Euler contribution.
    pub maintenance: f64,
    /// The part of it that charges add which fall on positions one by one.
    pub charges: f64,
    /// Initial margin, where a leverage or a rate is known.
    pub initial: Option<f64>,
}

/// The worst scenario of a risk unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Worst {
    /// The underlying, or `all` where the pool has one index.
    pub unit: String,
    /// The relative price move.
    pub price_move: f64,
    /// The scenario in words.
    pub scenario: String,
    /// The loss there, reporting currency.
    pub loss: f64,
}

/// What a pool needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Requirement {
    /// Maintenance margin, reporting currency.
    pub maintenance: f64,
    /// Initial margin with open orders, where it can be computed.
    pub initial: Option<f64>,
    /// The part of the initial margin that open orders add.
    pub order_margin: f64,
    /// Why there is no initial margin.
    pub initial_missing: Option<String>,
    /// One per position.
    pub by_position: Vec<PositionMargin>,
    /// What balances bear that move in the scenarios: index of the currency and maintenance money.
    pub by_balance: Vec<(usize, f64)>,
    /// The worst scenario per unit, for measures that have one.
    pub worst: Vec<Worst>,
    /// Every branch, with whether it counts; what counts sums to the totals exactly.
    pub components: Vec<Component>,
}

/// A pool at a market state.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolState {
    /// Equity on its several bases.
    pub equity: Equity,
    /// What it needs.
    pub requirement: Requirement,
    /// Maintenance equity less trigger times maintenance margin: decisions are made on this.
    pub excess: f64,
    /// Initial equity less initial margin, where there is one; isolated positions have none.
    pub excess_initial: Option<f64>,
    /// `trigger x maintenance / equity`; no number unless the equity is above zero.
    pub usage: Option<f64>,
    /// What it means.
    pub status: Status,
}

/// Evaluates a pool at a market state.
///
/// # Errors
///
/// [`Error::Missing`] for a price, a collateral rate or a volatility that the rulebook needs.
pub fn evaluate(view: &PoolView<'_>, state: &MarketState) -> Result<PoolState> {
    evaluate_with(view, state, None)
}

/// As [`evaluate`], with the scenario values of instruments already at hand: many pools share one table.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_with(
    view: &PoolView<'_>,
    state: &MarketState,
    table: Option<&scenario::Table>,
) -> Result<PoolState> {
    let rulebook = view.rulebook()?;
    let equity = match table {
        Some(table) => equity::equity_with(view, state, table)?,
        None => equity::equity(view, state)?,
    };
    let requirement = requirement_with(view, state, table)?;
    let excess = equity.maintenance - rulebook.maintenance.trigger * requirement.maintenance;
    // an isolated margin is its initial margin at entry: the level says nothing about it afterwards
    let excess_initial = requirement
        .initial
        .filter(|_| view.kind != PoolKind::Isolated)
        .map(|initial| equity.initial - rulebook.initial.trigger * initial);
    for (name, value) in [
        ("equity", equity.gross),
        ("adjusted equity", equity.maintenance),
        ("maintenance margin", requirement.maintenance),
        ("excess", excess),
    ] {
        check_finite(name, value, || Place::label(view.book.pool_label(view.account, view.kind)))?;
    }
    let usage = status::usage(rulebook, &equity, requirement.maintenance);
    Ok(PoolState {
        status: status::status(rulebook, &equity, excess, excess_initial, usage),
        equity,
        requirement,
        excess,
        excess_initial,
        usage,
    })
}

/// Stages 2 to 6 of the requirement.
fn requirement_with(
    view: &PoolView<'_>,
    state: &MarketState,
    table: Option<&scenario::Table>,
) -> Result<Requirement> {
    let mut found = measured(view, state, table)?;
    borrowing::add(view, view.rulebook()?, state, &mut found)?;
    Ok(found)
}

/// The requirement of what is held and ordered, without that of what is borrowed.
fn measured(
    view: &PoolView<'_>,
    state: &MarketState,
    table: Option<&scenario::Table>,
) -> Result<Requirement> {
    let rulebook = view.rulebook()?;
    settling::check(view, rulebook, state)?;
    if let Some(settled) = settling::settled(view, state) {
        let found = measured(&settled.view(view), state, table)?;
        return Ok(settled.restored(found, view.positions.len()));
    }
    match &rulebook.measure {
        Measure::Tiers { .. } => tiers::requirement(view, rulebook, state),
        Measure::Scenarios { .. } => scenario::requirement(view, rulebook, state, table),
        Measure::Tail(_) => tail::requirement(view, rulebook, state),
        Measure::NormalValueAtRisk { .. } => variance::requirement(view, rulebook, state),
    }
}

/// Excess, usage and status of a pool whose equity and maintenance margin are known; a breach of the initial level is
/// not looked at.
///
/// # Errors
///
/// [`Error::Missing`] for a pool without a rulebook.
pub fn judged(view: &PoolView<'_>, equity: &Equity, maintenance: f64) -> Result<(f64, Option<f64>, Status)> {
    let rulebook = view.rulebook()?;
    let excess = equity.maintenance - rulebook.maintenance.trigger * maintenance;
    let usage = status::usage(rulebook, equity, maintenance);
    Ok((excess, usage, status::status(rulebook, equity, excess, None, usage)))
}

/// The excess alone, for solvers.
///
/// # Errors
///
/// As [`evaluate`].
pub fn excess(view: &PoolView<'_>, state: &MarketState) -> Result<f64> {
    let (equity, maintenance) = standing(view, state, None)?;
    Ok(equity.maintenance - view.rulebook()?.maintenance.trigger * maintenance)
}

/// Equity and maintenance margin alone, to the bits of [`evaluate`]: who bears the margin is not asked.
///
/// # Errors
///
/// As [`evaluate`].
pub fn standing(
    view: &PoolView<'_>,
    state: &MarketState,
    table: Option<&scenario::Table>,
) -> Result<(Equity, f64)> {
    let rulebook = view.rulebook()?;
    let whole = !matches!(rulebook.measure, Measure::Scenarios { .. } | Measure::Tail(_));
    if whole || settling::settled(view, state).is_some() {
        let found = requirement_with(view, state, table)?;
        return Ok((equity::equity(view, state)?, found.maintenance));
    }
    settling::check(view, rulebook, state)?;
    if matches!(rulebook.measure, Measure::Tail(_)) {
        let components = tail::maintenance_components(view, rulebook, state)?;
        return Ok((equity::equity(view, state)?, with_borrowing(view, rulebook, state, components)?));
    }
    let own;
    let table = match table {
        Some(table) => table,
        None => {
            own = scenario::kept_table(view, state, &[])?;
            &own
        }
    };
    let components = scenario::components(view, rulebook, state, table)?;
    let maintenance = with_borrowing(view, rulebook, state, components)?;
    Ok((equity::equity_with(view, state, table)?, maintenance))
}

/// Maintenance of components and of what is borrowed.
fn with_borrowing(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    components: Vec<Component>,
) -> Result<f64> {
    let maintenance = component::maintenance_total(&components);
    let mut found = Requirement { maintenance, components, ..Requirement::default() };
    borrowing::add(view, rulebook, state, &mut found)?;
    Ok(found.maintenance)
}

/// What [`standing`] prices at a state, for many states of one book whose options were valued at its own prices once;
/// `None` where it prices nothing.
///
/// # Errors
///
/// As [`evaluate`].
pub(in crate::margin) fn table_since(
    view: &PoolView<'_>,
    state: &MarketState,
    today: &scenario::Today,
) -> Result<Option<scenario::Table>> {
    let rulebook = view.rulebook()?;
    let scans = matches!(rulebook.measure, Measure::Scenarios { .. });
    if !scans || settling::settled(view, state).is_some() {
        return Ok(None);
    }
    settling::check(view, rulebook, state)?;
    scenario::kept_table_since(view, state, &[], today).map(Some)
}
