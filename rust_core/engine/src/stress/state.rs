//! The market state that a scenario makes of a book, account by account: venues differ in which peg broke.

use super::{Other, Scenario};
use crate::book::Book;
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::market::MarketState;
use crate::numeric::exponential::power;

/// A state, and what was done with what the scenario does not name.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The state.
    pub state: MarketState,
    /// What a reader has to know, in words.
    pub notes: Vec<String>,
}

/// The state of a scenario for one account.
///
/// # Errors
///
/// [`Error::Missing`] names a held coin for which there is neither a move nor a beta; [`Error::Unknown`] a name that
/// must be known and is not; [`Error::OutOfRange`] a move of -1 or less.
pub fn state_of(book: &Book, scenario: &Scenario, account: usize) -> Result<Moved> {
    check(book, scenario)?;
    let held = held_coins(book, account);
    let venue = book.rulebook_of(account).map_or("", |rulebook| rulebook.venue.as_str());
    let peg_of = |code: &str| {
        let fits = |own: &&super::Peg| {
            own.currency.eq_ignore_ascii_case(code)
                && own.venue.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(venue))
        };
        scenario.pegs.iter().find(fits).map(|peg| peg.ratio)
    };
    let mut ratios = Vec::with_capacity(book.underlyings.len());
    let (mut by_beta, mut by_other, mut unmoved) = (Vec::new(), Vec::new(), Vec::new());
    for (index, known) in book.underlyings.iter().enumerate() {
        let own = scenario.moves.iter().find(|(coin, _)| coin.eq_ignore_ascii_case(&known.name));
        let ratio = match (own, &scenario.other) {
            (Some((_, own)), _) => 1.0 + own,
            (None, _) if is_stable(&known.name) => peg_of(&known.name).unwrap_or(1.0),
            (None, _) if !held.contains(&index) => 1.0,
            (None, Other::Unmoved) => {
                unmoved.push(known.name.as_str());
                1.0
            }
            (None, Other::Price(own)) => {
                by_other.push(known.name.as_str());
                1.0 + own
            }
            (None, Other::Beta) => {
                let Some(beta) = known.beta.filter(|beta| beta.is_finite()) else {
                    return Err(Error::Missing {
                        what: format!("move of {}", known.name),
                        why: format!(
                            "{} has none for it and the Market sheet gives it no beta; give one of them",
                            scenario.name
                        ),
                        place: Place::label(known.name.clone()),
                    });
                };
                by_beta.push(format!("{} {beta}", known.name));
                power(scenario.moves.first().map_or(1.0, |(_, own)| 1.0 + own), beta)
            }
        };
        ratios.push(ratio);
    }
    let mut state = MarketState::from_ratios(ratios).with_days(scenario.days);
    for (index, known) in book.underlyings.iter().enumerate() {
        let named = |coin: &str| scenario.volatilities.iter().find(|(own, _)| own.eq_ignore_ascii_case(coin));
        if let Some((_, own)) = named(&known.name).or_else(|| named("")) {
            state = state.with_volatility(index, own.relative, own.points);
        }
    }
    let mut broken = Vec::new();
    for (index, known) in book.currencies.iter().enumerate() {
        // a stable currency that is a coin of contracts too moves with that coin
        let moved = known
            .underlying
            .and_then(|coin| book.underlyings.get(coin))
            .is_some_and(|coin| is_stable(&coin.name));
        if let Some(ratio) = peg_of(&known.code).filter(|_| !moved) {
            state = state.with_currency(index, ratio);
            broken.push(format!("{} {ratio}", known.code));
        }
    }
    let mut notes = Vec::new();
    let driver = scenario.moves.first().map_or("", |(coin, _)| coin.as_str());
    if !by_beta.is_empty() {
        notes.push(format!("by beta to {driver}: {}", by_beta.join(", ")));
    }
    if let (Other::Price(own), false) = (&scenario.other, by_other.is_empty()) {
        notes.push(format!("other coins {:+.0} %: {}", 100.0 * own, by_other.join(", ")));
    }
    if !unmoved.is_empty() {
        notes.push(format!("not moved: {}", unmoved.join(", ")));
    }
    if !broken.is_empty() {
        notes.push(format!("pegs: {}", broken.join(", ")));
    }
    Ok(Moved { state, notes })
}

/// Coins that positions, orders or balances of an account touch.
fn held_coins(book: &Book, account: usize) -> Vec<usize> {
    let mut held = Vec::new();
    for pool in book.pools_of(account).filter_map(|index| book.pools.get(index)) {
        let positions = book.positions_of(pool).iter().map(|position| position.instrument);
        let instruments = positions.chain(pool.orders.iter().map(|order| order.instrument));
        for instrument in instruments {
            held.extend(book.instrument_underlying.get(instrument).copied());
            let settle = book.instrument_settle.get(instrument);
            held.extend(settle.and_then(|own| book.currencies.get(*own)?.underlying));
        }
        for balance in pool.balances.iter().filter(|balance| balance.cash != 0.0 || balance.debt != 0.0) {
            held.extend(book.currencies.get(balance.currency).and_then(|known| known.underlying));
        }
    }
    held.sort_unstable();
    held.dedup();
    held
}

fn check(book: &Book, scenario: &Scenario) -> Result<()> {
    let prices = scenario.moves.iter().map(|(coin, own)| (coin.as_str(), *own, "price move"));
    let other = match scenario.other {
        Other::Price(own) => Some(("other", own, "price move")),
        _ => None,
    };
    let pegs = scenario.pegs.iter().map(|own| (own.currency.as_str(), own.ratio - 1.0, "peg less one"));
    for (name, own, what) in prices.chain(other).chain(pegs) {
        if !(own.is_finite() && own > -1.0) {
            return Err(Error::OutOfRange {
                name: what.into(),
                value: own,
                must_be: "finite and above -1",
                place: Place::label(name),
            });
        }
    }
    if !scenario.must_be_known {
        return Ok(());
    }
    let coin = |name: &str| book.underlyings.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let currency = |name: &str| book.currencies.iter().any(|known| known.code.eq_ignore_ascii_case(name));
    let coins = scenario.moves.iter().map(|(name, _)| name);
    let volatilities = scenario.volatilities.iter().map(|(name, _)| name).filter(|name| !name.is_empty());
    let unknown = coins.chain(volatilities).find(|name| !coin(name));
    let unknown =
        unknown.or_else(|| scenario.pegs.iter().map(|own| &own.currency).find(|name| !currency(name)));
    let Some(name) = unknown else { return Ok(()) };
    let coins = book.underlyings.iter().map(|known| known.name.as_str());
    let mut known: Vec<&str> =
        coins.chain(book.currencies.iter().map(|own| own.code.as_str())).take(30).collect();
    known.sort_unstable();
    known.dedup();
    Err(Error::Unknown { what: "coin of the scenario", value: name.clone(), known: known.join(", ") })
}
