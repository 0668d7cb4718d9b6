//! The liquidation price of a whole pool: one coin alone, all together, or along betas, on both sides.

use super::isolate::{Change, Isolation};
use super::sweep::{Crossing, Crossings, Prepared, Search, Target};
use crate::book::{Book, Pool, PoolKind};
use crate::error::{Error, Place, Result};
use crate::margin::bounds::{Basis, figure};
use crate::margin::equity::equity;
use crate::margin::status::broken;
use crate::margin::tiers::brackets_only;
use crate::margin::{PoolView, excess};
use crate::path::{Course, Path};

/// Which way the price goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Whichever crossing takes fewer one-day sigmas; the smaller relative move where no sigma is known.
    Nearest,
    /// Below today's price.
    Down,
    /// Above today's price.
    Up,
}

/// The answer for one pool and one driver.
#[derive(Debug, Clone, PartialEq)]
pub struct LiquidationPrice {
    /// Index of the pool.
    pub pool: usize,
    /// Index of the coin whose price is returned.
    pub underlying: usize,
    /// Today's price of that coin.
    pub mark: f64,
    /// First price below today's at which the pool becomes liquidatable.
    pub down: Option<f64>,
    /// First price above today's at which it does.
    pub up: Option<f64>,
    /// The nearer of the two.
    pub nearest: Option<f64>,
    /// How many one-day sigmas away the nearer one is, where a volatility is known.
    pub sigmas: Option<f64>,
    /// One sentence: the answer in words, or why there is none and how far was searched.
    pub status: String,
    /// Whether the pool is liquidatable at today's prices.
    pub breached_today: bool,
}

/// The crossings of a pool along a path.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn crossings(view: &PoolView<'_>, course: &Course, target: Target, limit: f64) -> Result<Crossings> {
    if course.is_plain() && brackets_only(view)? {
        Ok(Prepared::new(*view)?.crossings(&course.path, target, limit))
    } else {
        searched(view, course, target, limit)
    }
}

/// Crossings of measures without a closed form: proven where the account has bounds, else on a grid.
fn searched(view: &PoolView<'_>, course: &Course, target: Target, limit: f64) -> Result<Crossings> {
    let level = &view.rulebook()?.maintenance;
    let breach = |value: f64| match target {
        Target::Trigger => broken(level, value),
        Target::Bankruptcy => value < 0.0,
    };
    let basis = match target {
        Target::Trigger => Basis::Maintenance,
        Target::Bankruptcy => Basis::Gross,
    };
    let way = course.way(view.book);
    let state = |place: f64| course.state(view.book, place.exp());
    let search = Isolation { view, way: &way, basis, state: &state, breach: &breach, first_only: false };
    let lowest = limit.powi(-2);
    let Some(found) = search.isolate(&[lowest.ln(), 0.0, limit.ln()])? else {
        return on_a_grid(view, course, target, limit);
    };
    let crossing = |change: &Change, up: bool| Crossing {
        // the first ratio of the side in breach
        ratio: if change.breached_above { change.above } else { change.below }.exp(),
        into_breach: change.breached_above == up,
        jump: change.is_jump(),
    };
    let up = found.changes.iter().filter(|change| change.above > 0.0).map(|change| crossing(change, true));
    let down = found.changes.iter().rev().filter(|change| change.above <= 0.0);
    Ok(Crossings {
        up: up.collect(),
        down: down.map(|change| crossing(change, false)).collect(),
        searched_down: Some(lowest),
        searched_up: Some(limit),
        breached_today: breach(figure(view, &state(0.0), basis)?),
        search: if found.exhausted { Search::Unfinished } else { Search::Proven },
        touches: found.open.iter().map(|(from, to)| (from.exp(), to.exp())).collect(),
    })
}

/// Crossings by a search on a grid of ratios and bisection: what turns back between two of its points is missed.
fn on_a_grid(view: &PoolView<'_>, course: &Course, target: Target, limit: f64) -> Result<Crossings> {
    const STEPS: usize = 400;
    let at = |ratio: f64| -> Result<f64> {
        let state = course.state(view.book, ratio);
        match target {
            Target::Trigger => excess(view, &state),
            Target::Bankruptcy => Ok(equity(view, &state)?.gross),
        }
    };
    let level = &view.rulebook()?.maintenance;
    let breach = |value: f64| match target {
        Target::Trigger => broken(level, value),
        Target::Bankruptcy => value < 0.0,
    };
    let today = at(1.0)?;
    let lowest = limit.powi(-2);
    let mut result = Crossings {
        breached_today: breach(today),
        searched_down: Some(lowest),
        searched_up: Some(limit),
        ..Crossings::default()
    };
    for (end, list) in [(lowest, &mut result.down), (limit, &mut result.up)] {
        let mut before = (1.0, today);
        for step in 1..=STEPS {
            let ratio = end.powf(step as f64 / STEPS as f64);
            let value = at(ratio)?;
            if breach(value) != breach(before.1) {
                let (mut near, mut far) = (before.0, ratio);
                for _ in 0..200 {
                    let middle = f64::midpoint(near, far);
                    if middle == near || middle == far {
                        break;
                    }
                    if breach(at(middle)?) == breach(before.1) { near = middle } else { far = middle }
                }
                list.push(Crossing { ratio: far, into_breach: breach(value), jump: false });
            }
            before = (ratio, value);
        }
    }
    Ok(result)
}

/// Today's price of a coin.
///
/// # Errors
///
/// [`Error::Missing`] names the coin.
pub fn price_of(book: &Book, underlying: usize) -> Result<f64> {
    let known = book.underlyings.get(underlying);
    known.and_then(|known| known.price).ok_or_else(|| Error::Missing {
        what: format!("price of {}", known.map_or("?", |known| known.name.as_str())),
        why: "give it on the Market sheet".into(),
        place: Place::default(),
    })
}

/// One-day sigmas of a relative move, where a volatility is known: `|ln ratio| / volatility`.
pub fn sigmas(book: &Book, underlying: usize, ratio: f64) -> Option<f64> {
    let volatility = book.underlyings.get(underlying)?.daily_volatility?;
    (volatility > 0.0).then(|| ratio.ln().abs() / volatility)
}

/// Puts crossings into an answer about a coin.
///
/// # Errors
///
/// [`Error::Missing`] when the coin has no price.
pub fn answer(
    book: &Book,
    pool: (usize, &Pool),
    underlying: usize,
    path: &Path,
    crossings: &Crossings,
    target: Target,
) -> Result<LiquidationPrice> {
    let mark = price_of(book, underlying)?;
    let first =
        |list: &[Crossing]| list.iter().find(|crossing| crossing.into_breach).map(|crossing| crossing.ratio);
    let (down, up) =
        if crossings.breached_today { (None, None) } else { (first(&crossings.down), first(&crossings.up)) };
    let distance = |ratio: &f64| sigmas(book, underlying, *ratio).unwrap_or_else(|| ratio.ln().abs());
    let nearest = match (down, up) {
        (Some(down), Some(up)) => Some(if distance(&down) <= distance(&up) { down } else { up }),
        (down, up) => down.or(up),
    };
    Ok(LiquidationPrice {
        pool: pool.0,
        underlying,
        mark,
        down: down.map(|ratio| mark * ratio),
        up: up.map(|ratio| mark * ratio),
        nearest: nearest.map(|ratio| mark * ratio),
        sigmas: nearest.and_then(|ratio| sigmas(book, underlying, ratio)),
        status: sentence(book, pool.1, underlying, mark, path, crossings, target),
        breached_today: crossings.breached_today,
    })
}

fn sentence(
    book: &Book,
    pool: &Pool,
    underlying: usize,
    mark: f64,
    path: &Path,
    crossings: &Crossings,
    target: Target,
) -> String {
    let name = book.underlyings.get(underlying).map_or("", |known| known.name.as_str());
    let event = match target {
        Target::Trigger => "liquidatable",
        Target::Bankruptcy => "bankrupt",
    };
    let what = match pool.kind {
        PoolKind::Isolated => "the isolated position",
        PoolKind::Cross(_) => "the account",
    };
    let held = match path {
        Path::Alone(_) => "all other coins unchanged",
        Path::Together => "all coins moving by the same ratio",
        Path::Beta { .. } => "all coins along their betas",
    };
    if crossings.breached_today {
        let recovers =
            |list: &[Crossing]| list.iter().find(|crossing| !crossing.into_breach).map(|c| c.ratio);
        let mut text = format!("{what} is {event} at today's prices");
        for (word, ratio) in [("below", recovers(&crossings.down)), ("above", recovers(&crossings.up))] {
            if let Some(ratio) = ratio {
                text.push_str(&format!("; no longer {word} {}", shown(mark * ratio)));
            }
        }
        return text;
    }
    let into = |list: &[Crossing]| list.iter().any(|crossing| crossing.into_breach);
    let again = |list: &[Crossing]| {
        let breach = list.iter().position(|crossing| crossing.into_breach)?;
        list.iter().skip(breach).find(|crossing| !crossing.into_breach).map(|crossing| crossing.ratio)
    };
    let searched = |limit: Option<f64>, open: &str| {
        limit.map_or_else(|| open.to_owned(), |ratio| format!("{} (searched that far)", shown(mark * ratio)))
    };
    let mut parts = Vec::new();
    match (into(&crossings.down), into(&crossings.up)) {
        (true, true) => parts.push(format!("{what} is {event} on both sides")),
        (true, false) => parts.push(format!("{what} is {event} below, at no higher price")),
        (false, true) => parts.push(format!("{what} is {event} above, at no lower price")),
        (false, false) => parts.push(format!(
            "none: no price of {name} from {} to {} makes {what} {event}",
            searched(crossings.searched_down, "zero"),
            searched(crossings.searched_up, "any height")
        )),
    }
    if let Some(ratio) = again(&crossings.down) {
        parts.push(format!("no longer below {}", shown(mark * ratio)));
    }
    if let Some(ratio) = again(&crossings.up) {
        parts.push(format!("no longer above {}", shown(mark * ratio)));
    }
    if into(&crossings.down) != into(&crossings.up) {
        let limit = if into(&crossings.down) { crossings.searched_up } else { crossings.searched_down };
        if let Some(ratio) = limit {
            parts.push(format!("searched to {}", shown(mark * ratio)));
        }
    }
    parts.push(held.to_owned());
    parts.join("; ")
}

/// A price with about seven significant digits, for sentences.
pub fn shown(price: f64) -> String {
    if price == 0.0 || !price.is_finite() {
        return price.to_string();
    }
    let digits = (6 - price.abs().log10().floor() as i32).clamp(0, 12);
    written(price, digits as usize)
}

/// A number with so many decimals, without zeros at their end.
pub fn written(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Every answer of a pool on paths that move one coin alone: one per coin that touches it.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn alone(book: &Book, pool: (usize, &Pool), target: Target, limit: f64) -> Result<Vec<LiquidationPrice>> {
    alone_in(&PoolView::of(book, pool.1), pool, target, limit)
}

/// The same of a pool as it would stand after some trade; `pool` says what it is called.
///
/// # Errors
///
/// As [`alone`].
pub fn alone_in(
    view: &PoolView<'_>,
    pool: (usize, &Pool),
    target: Target,
    limit: f64,
) -> Result<Vec<LiquidationPrice>> {
    let found = alone_crossings(view, (0.0, 0.0), target, limit)?;
    let answers = found
        .iter()
        .map(|(coin, crossings)| answer(view.book, pool, *coin, &Path::Alone(*coin), crossings, target));
    answers.collect()
}

/// The crossings of a pool on every path that moves one coin alone, by coin.
///
/// # Errors
///
/// As [`alone`].
pub fn alone_crossings(
    view: &PoolView<'_>,
    (elasticity, days): (f64, f64),
    target: Target,
    limit: f64,
) -> Result<Vec<(usize, Crossings)>> {
    let plain = elasticity == 0.0 && days == 0.0;
    let prepared = if plain && brackets_only(view)? { Some(Prepared::new(*view)?) } else { None };
    let mut found = Vec::new();
    for coin in coins_of(view.book, view) {
        let course = Course { path: Path::Alone(coin), elasticity, days };
        let crossings = match &prepared {
            Some(prepared) => prepared.crossings(&course.path, target, limit),
            None => searched(view, &course, target, limit)?,
        };
        found.push((coin, crossings));
    }
    Ok(found)
}

/// The coins that touch a pool: of its contracts, and of its collateral where that is no stable currency.
pub fn coins_of(book: &Book, view: &PoolView<'_>) -> Vec<usize> {
    let mut coins: Vec<usize> =
        view.positions.iter().map(|position| crate::market::underlying_of(book, position)).collect();
    let held = view.balances.iter().filter(|balance| balance.cash - balance.debt != 0.0);
    let collateral = held.filter_map(|balance| book.currencies.get(balance.currency)?.underlying);
    coins.extend(collateral.filter(|coin| book.underlyings.get(*coin).is_some_and(|u| u.price.is_some())));
    coins.sort_unstable();
    coins.dedup();
    coins
}
