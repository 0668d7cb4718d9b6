//! Margin by value at risk or expected shortfall: one common index of scenarios for everything an account holds,
//! its balances too (methods.md sections 1.2, 2 and 4).
//!
//! `requirement = factor x max(0, (1 - share) x tail + share x stress, floor)` and charges outside the factor.

mod lines;
mod measure;

use super::component::{Component, ComponentKind, Share, TailPart, initial_total, maintenance_total};
use super::scenario::bare::extras;
use super::{PoolView, PositionMargin, Requirement, Worst};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::market::{MarketState, notional, settle_of, underlying_of};
use crate::moves::{Known, Mapping, MarketRisk, Moves, Scenarios, moves};
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::TailRule;
use crate::rulebook::{Measure, Rulebook};
use crate::watch::Watch;

pub use lines::LineOf;
use measure::Pool;
pub use measure::{Measured, Portion};

/// Nobody looks at a margin while it is calculated.
static UNWATCHED: Watch = Watch::new();

/// The tail of a rulebook.
///
/// # Errors
///
/// [`Error::NotCovered`] for a rulebook that has none.
pub fn rule_of(rulebook: &Rulebook) -> Result<&TailRule> {
    match &rulebook.measure {
        Measure::Tail(rule) => Ok(rule),
        _ => Err(Error::NotCovered {
            what: "a tail of scenarios".into(),
            why: format!(
                "rulebook '{}' is not measured by value at risk or expected shortfall; es and var are",
                rulebook.id
            ),
            place: Place::default(),
        }),
    }
}

/// The scenario sets of a rulebook of a book, made at the first question and kept.
///
/// # Errors
///
/// As [`moves`]: what is missing is named.
pub fn tail_of(book: &Book, rulebook: usize) -> Result<&(Moves, Mapping)> {
    let missing = || Error::Missing {
        what: "rulebook".into(),
        why: "the account has none".into(),
        place: Place::default(),
    };
    let slot = book.tails.get(rulebook).ok_or_else(missing)?;
    let made = slot.get_or_init(|| {
        made_for(book, rulebook, rule_of(book.rulebooks.get(rulebook).ok_or_else(missing)?)?)
    });
    made.as_ref().map_err(Clone::clone)
}

/// The scenario sets of a rule for what the accounts of a book under a rulebook hold.
///
/// # Errors
///
/// As [`tail_of`].
pub fn made_for(book: &Book, rulebook: usize, rule: &TailRule) -> Result<(Moves, Mapping)> {
    let wanted = lines::wanted(book, rulebook, rule)?;
    let market = market_risk(book);
    let made = moves(rule, Known { history: book.history.as_deref(), market: &market }, &wanted)?;
    let mapping = mapping_of(book, &made);
    Ok((made, mapping))
}

/// The measure of a pool at the maintenance level under a rule and its scenario sets.
///
/// # Errors
///
/// As [`requirement_under`].
pub fn measured_under(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    (moves, mapping): (&Moves, &Mapping),
) -> Result<Measured> {
    measured_watched(view, state, rule, (moves, mapping), &UNWATCHED)
}

/// The same, looked at and stopped from outside.
///
/// # Errors
///
/// As [`requirement_under`]; [`Error::NoAnswer`] once `watch` was stopped.
pub fn measured_watched(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    (moves, mapping): (&Moves, &Mapping),
    watch: &Watch,
) -> Result<Measured> {
    Pool { view, state, rule, moves, mapping, watch }.measured(0, None)
}

/// Results of every line of a pool in some scenarios of the maintenance level, reporting currency.
///
/// # Errors
///
/// As [`requirement_under`].
pub fn by_line_under(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    (moves, mapping): (&Moves, &Mapping),
    places: &[usize],
) -> Result<Vec<(LineOf, Vec<f64>)>> {
    Pool { view, state, rule, moves, mapping, watch: &UNWATCHED }.by_line(0, places)
}

/// Which factor of a scenario set moves which coin and currency of a book.
pub fn mapping_of(book: &Book, moves: &Moves) -> Mapping {
    mapping_of_factors(book, &moves.factors)
}

/// Which of some factors moves which coin and currency of a book.
pub fn mapping_of_factors(book: &Book, factors: &[crate::history::Factor]) -> Mapping {
    let coins = book.underlyings.iter().map(|known| known.name.as_str());
    Mapping::new(factors, coins, book.currencies.iter().map(|known| known.code.as_str()))
}

/// The factors that the accounts of a book under a rulebook need, by a rule.
///
/// # Errors
///
/// [`Error::Missing`] for options whose volatility nothing is known about.
pub fn wanted_under(book: &Book, rulebook: usize, rule: &TailRule) -> Result<Vec<crate::history::Factor>> {
    lines::wanted(book, rulebook, rule)
}

/// The same under the rulebook's own rule.
///
/// # Errors
///
/// As [`wanted_under`]; [`Error::NotCovered`] for a rulebook without a tail.
pub fn wanted_of(book: &Book, rulebook: usize) -> Result<Vec<crate::history::Factor>> {
    let known = book.rulebooks.get(rulebook).ok_or_else(|| Error::Missing {
        what: "rulebook".into(),
        why: "the account has none".into(),
        place: Place::default(),
    })?;
    wanted_under(book, rulebook, rule_of(known)?)
}

/// What the market table of a book says about how coins move.
pub fn market_risk(book: &Book) -> MarketRisk {
    MarketRisk {
        volatilities: book
            .underlyings
            .iter()
            .filter_map(|coin| Some((coin.name.clone(), coin.daily_volatility?)))
            .collect(),
        correlations: book
            .underlyings
            .iter()
            .flat_map(|coin| {
                coin.correlations.iter().map(|(o, value)| (coin.name.clone(), o.clone(), *value))
            })
            .collect(),
    }
}

pub(super) fn requirement(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Requirement> {
    let index = view.book.accounts.get(view.account).map_or(0, |account| account.rulebook);
    let (moves, mapping) = tail_of(view.book, index)?;
    requirement_under(view, rulebook, state, (moves, mapping))
}

/// What maintenance is made of, to the bits of [`requirement`]: the initial level and who bears it are not asked.
///
/// # Errors
///
/// As [`requirement_under`].
pub(super) fn maintenance_components(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Vec<Component>> {
    let index = view.book.accounts.get(view.account).map_or(0, |account| account.rulebook);
    let (moves, mapping) = tail_of(view.book, index)?;
    let pool = Pool { view, state, rule: rule_of(rulebook)?, moves, mapping, watch: &UNWATCHED };
    let factors = (rulebook.initial.factor, rulebook.maintenance.factor);
    let mut components = components_of(&pool.amounts(0)?, (false, true), factors);
    components.extend(extras(view, rulebook, state)?.into_iter().map(|extra| extra.component));
    Ok(components)
}

/// The requirement under scenario sets that are given, such as those of another day.
///
/// # Errors
///
/// [`Error::Missing`] for a price or a quote; as [`crate::statistics::tail::tail`] for too few scenarios.
pub fn requirement_under(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    (moves, mapping): (&Moves, &Mapping),
) -> Result<Requirement> {
    let rule = rule_of(rulebook)?;
    let pool = Pool { view, state, rule, moves, mapping, watch: &UNWATCHED };
    let mut components = Vec::new();
    let mut by_position = Vec::with_capacity(view.positions.len());
    for position in view.positions {
        let price = view.price(settle_of(view.book, position), state)?;
        let ratio = state.ratio(underlying_of(view.book, position));
        let size = notional(view.book, position, ratio) * price;
        by_position.push(PositionMargin { notional: size, initial: Some(0.0), ..PositionMargin::default() });
    }
    let mut by_balance = Vec::new();
    let mut worst = Vec::new();
    let two = moves.levels.len() > 1;
    let mut without_orders = Vec::new();
    for level in 0..moves.levels.len() {
        let measured = pool.measured(level, None)?;
        let (initial, maintenance) = (two == (level == 1), level == 0);
        let factors = (rulebook.initial.factor, rulebook.maintenance.factor);
        components.extend(components_of(&measured.portions, (initial, maintenance), factors));
        let borne = pool.shares(&measured)?;
        for (line, part) in &borne {
            if let (LineOf::Balance(place), true) = (line, maintenance)
                && let Some(balance) = view.balances.get(*place)
            {
                by_balance.push((balance.currency, factors.1 * part));
            }
            if let LineOf::Position(place) = line
                && let Some(margin) = by_position.get_mut(*place)
            {
                if maintenance {
                    margin.maintenance += factors.1 * part;
                }
                if initial {
                    margin.initial = margin.initial.map(|known| known + factors.0 * part);
                }
            }
        }
        if level == 0 {
            worst.push(worst_of(&measured, moves));
        }
        without_orders.push(measured.total());
    }
    for extra in extras(view, rulebook, state)? {
        let rate = if extra.component.base == 0.0 { 0.0 } else { 1.0 };
        for (place, part) in &extra.borne {
            let share = |amount: f64| rate * part * amount / extra.component.base;
            if let Some(margin) = by_position.get_mut(*place) {
                let part = share(extra.component.maintenance.amount);
                margin.maintenance += part;
                margin.charges += part;
                margin.initial = margin.initial.map(|own| own + share(extra.component.initial.amount));
            }
        }
        components.push(extra.component);
    }
    let initial_missing = orders_refused(view, rulebook);
    if initial_missing.is_none() {
        let level = moves.levels.len() - 1;
        let more = pool.added_by_orders(level, without_orders.last().copied().unwrap_or(0.0))?;
        if more > 0.0 {
            components.push(orders_component(rulebook.initial.factor * more));
        }
    }
    let initial = initial_total(&components);
    let order_margin =
        sum(components.iter().filter(|own| own.kind == ComponentKind::Orders).map(|own| own.initial.amount));
    Ok(Requirement {
        maintenance: maintenance_total(&components),
        initial: initial_missing.is_none().then_some(initial),
        order_margin,
        initial_missing,
        by_position,
        by_balance,
        worst,
        components,
    })
}

/// The margin of one level under scenario sets that are given, without charges, and the measure it is made of.
///
/// # Errors
///
/// As [`requirement_under`]; [`Error::NotCovered`] for the initial level of open orders that are not covered.
pub fn level_under(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    (moves, mapping): (&Moves, &Mapping),
    initial: bool,
) -> Result<(f64, Measured)> {
    let pool = Pool { view, state, rule: rule_of(rulebook)?, moves, mapping, watch: &UNWATCHED };
    if !initial {
        let measured = pool.measured(0, None)?;
        return Ok((rulebook.maintenance.factor * measured.total(), measured));
    }
    if let Some(why) = orders_refused(view, rulebook) {
        return Err(Error::NotCovered { what: "initial margin".into(), why, place: Place::default() });
    }
    let level = moves.levels.len().saturating_sub(1);
    let measured = pool.measured(level, None)?;
    let more = pool.added_by_orders(level, measured.total())?.max(0.0);
    Ok((rulebook.initial.factor * (measured.total() + more), measured))
}

/// What a level adds to the factor times the measure, reporting currency: charges and what is borrowed.
///
/// # Errors
///
/// [`Error::Missing`] for a price or a rate.
pub fn charges_under(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
    initial: bool,
) -> Result<f64> {
    let components = extras(view, rulebook, state)?.into_iter().map(|extra| extra.component).collect();
    let mut found = Requirement { components, ..Requirement::default() };
    super::borrowing::add(view, rulebook, state, &mut found)?;
    let total = if initial { initial_total } else { maintenance_total };
    Ok(total(&found.components))
}

/// Profit and loss of a pool in scenarios of the factors that `mapping` knows, reporting currency.
///
/// # Errors
///
/// As [`requirement_under`].
pub fn results_under(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    mapping: &Mapping,
    set: &Scenarios,
) -> Result<Vec<f64>> {
    measure::results(view, state, rule, mapping, set)
}

/// The same, line by line, in some of the scenarios.
///
/// # Errors
///
/// As [`requirement_under`].
pub fn results_by_line(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    mapping: &Mapping,
    (set, places): (&Scenarios, &[usize]),
) -> Result<Vec<(LineOf, Vec<f64>)>> {
    measure::results_by_line(view, state, rule, mapping, (set, places))
}

fn orders_refused(view: &PoolView<'_>, rulebook: &Rulebook) -> Option<String> {
    let why = rulebook.refusals.get("orders").filter(|_| !view.orders.is_empty())?;
    Some(format!("rulebook '{}' does not cover open orders: {why}", rulebook.id))
}

/// Adds the result of each position in the scenario of the tail that loses most, reporting currency.
///
/// # Errors
///
/// As [`super::evaluate`].
pub(super) fn in_worst(view: &PoolView<'_>, state: &MarketState, found: &mut [f64]) -> Result<()> {
    let rulebook = view.rulebook()?;
    let index = view.book.accounts.get(view.account).map_or(0, |account| account.rulebook);
    in_worst_under(view, state, (rule_of(rulebook)?, tail_of(view.book, index)?), found)
}

/// As [`in_worst`], under a rule and scenario sets that are given.
pub(super) fn in_worst_under(
    view: &PoolView<'_>,
    state: &MarketState,
    (rule, (moves, mapping)): (&TailRule, &(Moves, Mapping)),
    found: &mut [f64],
) -> Result<()> {
    let pool = Pool { view, state, rule, moves, mapping, watch: &UNWATCHED };
    let measured = pool.measured(0, None)?;
    let main = measured.portions.iter().find(|own| own.part == TailPart::Main);
    let Some(worst) = main.and_then(|own| own.worst_scenario) else { return Ok(()) };
    for (line, results) in pool.by_line(0, &[worst])? {
        if let (LineOf::Position(place), Some(result)) = (line, results.first())
            && let Some(slot) = found.get_mut(place)
        {
            *slot += result;
        }
    }
    Ok(())
}

/// The parts of a level's measure as components: the tail and the stress in their shares, or the floor.
fn components_of(portions: &[Portion], levels: (bool, bool), factors: (f64, f64)) -> Vec<Component> {
    let row = |portion: &Portion| {
        let share = |factor: f64, level: bool| Share {
            amount: factor * portion.amount,
            counts: level && portion.counts,
        };
        Component {
            unit: None,
            kind: ComponentKind::Tail(portion.part),
            base: portion.base,
            figures: Some([portion.share, portion.worst, 0.0]),
            initial: share(factors.0, levels.0),
            maintenance: share(factors.1, levels.1),
        }
    };
    portions.iter().map(row).collect()
}

fn orders_component(amount: f64) -> Component {
    Component {
        unit: None,
        kind: ComponentKind::Orders,
        base: amount,
        figures: None,
        initial: Share { amount, counts: true },
        maintenance: Share { amount: 0.0, counts: false },
    }
}

/// The scenario with the largest loss of those that the tail is read off.
fn worst_of(measured: &Measured, moves: &Moves) -> Worst {
    let Some(portion) = measured.portions.iter().find(|own| own.part == TailPart::Main) else {
        return Worst::default();
    };
    let Some(place) = portion.worst_scenario else {
        return Worst { unit: "all".into(), scenario: "no scenario loses".into(), ..Worst::default() };
    };
    let set = moves.levels.first().map(|level| &level.main);
    let first = set.and_then(|set| set.moves.first()).and_then(|own| own.get(place)).copied().unwrap_or(0.0);
    Worst {
        unit: "all".into(),
        price_move: first.exp_m1(),
        scenario: set.map_or_else(String::new, |set| scenario_name(set, place)),
        loss: portion.worst,
    }
}

/// What a scenario is called: the day on which it ends, or the number of its path.
pub fn scenario_name(set: &crate::moves::Scenarios, place: usize) -> String {
    match set.ends.get(place) {
        Some(end) => crate::history::day_of(*end),
        None => format!("path {}", place + 1),
    }
}
