//! The scenarios of a risk unit: a matrix of price by volatility, the whole list, or who loses in the worst.

use std::borrow::Cow;

use super::evaluated::check_complete;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;
use crate::margin::PoolView;
use crate::margin::scenario::{Scanned, UnitScan, scanned};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::portfolio::{Profile, Treatment, VolatilityMove};

/// The header of the list.
pub const LIST: [&str; 11] = [
    "id",
    "account",
    "risk_unit",
    "set",
    "price_move",
    "vol_move",
    "weight",
    "pnl",
    "rank",
    "counts",
    "note",
];

/// The header of the positions in the worst scenario.
pub const POSITIONS: [&str; 8] =
    ["account", "risk_unit", "symbol", "quantity", "pnl", "share", "scenario", "note"];

/// A unit with the pool it belongs to and its profile.
struct Found<'a> {
    pool: &'a Pool,
    unit: UnitScan,
    profile: &'a Profile,
    /// The coin where nothing of it is held.
    name: Option<String>,
}

/// A coin that the rulebook knows and the account does not hold: every scenario is zero.
fn not_held<'a>(book: &'a Book, wanted: &str) -> Option<Found<'a>> {
    let pool = book.pools.iter().find(|pool| {
        let rulebook = book.rulebook_of(pool.account);
        rulebook.is_some_and(|rules| rules.profile(wanted, Payoff::Linear).is_some())
    })?;
    let rulebook = book.rulebook_of(pool.account)?;
    let index = rulebook.profiles.iter().position(|profile| profile.covers(wanted, Payoff::Linear))?;
    let profile = rulebook.profiles.get(index).filter(|profile| !profile.scenarios.is_empty())?;
    let zeros = vec![0.0; profile.scenarios.len()];
    let unit = UnitScan {
        underlying: None,
        profile: index,
        positions: Vec::new(),
        by_line: vec![(Vec::new(), 0.0); zeros.len()],
        scanned: Scanned { counted: zeros.clone(), raw: zeros },
    };
    Some(Found { pool, unit, profile, name: Some(wanted.to_owned()) })
}

/// The scenarios of a unit: `unit` names a coin or an account and coin (`main/BTC`); blank is the unit with
/// the largest loss.
///
/// # Errors
///
/// [`Error::NotCovered`] where no account is measured by scenarios; [`Error::Unknown`] names the units.
pub fn table(book: &Book, unit: &str, layout: &str) -> Result<Answer> {
    check_complete(book)?;
    let today = MarketState::today(book);
    let mut found: Vec<Found<'_>> = Vec::new();
    let mut refusal = None;
    for pool in &book.pools {
        match scanned(&PoolView::of(book, pool), &today) {
            Ok(units) => found.extend(units.into_iter().filter_map(|unit| {
                let profile = book.rulebook_of(pool.account)?.profiles.get(unit.profile)?;
                Some(Found { pool, unit, profile, name: None })
            })),
            Err(error) => refusal = Some(error),
        }
    }
    if let (true, Some(error)) = (found.is_empty(), refusal) {
        return Err(error);
    }
    let wanted = unit.trim();
    if !wanted.is_empty() && !found.iter().any(|f| name_of(book, f).eq_ignore_ascii_case(wanted)) {
        found.extend(not_held(book, wanted));
    }
    let chosen: Vec<Found<'_>> = choose(book, found, unit)?;
    match layout {
        "list" => Ok(list(book, &chosen)),
        "matrix" => matrix(book, &chosen),
        "positions" => Ok(positions(book, &chosen)),
        other => Err(Error::Unknown {
            what: "layout",
            value: other.to_owned(),
            known: "matrix, list, positions".into(),
        }),
    }
}

fn name_of(book: &Book, found: &Found<'_>) -> String {
    if let Some(name) = &found.name {
        return name.clone();
    }
    let coin = found.unit.underlying.and_then(|coin| book.underlyings.get(coin));
    coin.map_or_else(|| "all".to_owned(), |known| known.name.clone())
}

/// The loss of a unit and its scenario; none where no scenario loses.
fn worst(found: &Found<'_>) -> Option<(usize, f64)> {
    found.unit.scanned.largest(found.profile)
}

fn choose<'a>(book: &Book, found: Vec<Found<'a>>, unit: &str) -> Result<Vec<Found<'a>>> {
    let wanted = unit.trim();
    if wanted.eq_ignore_ascii_case("all") {
        return Ok(found);
    }
    let largest = found
        .iter()
        .enumerate()
        .max_by(|(i, a), (j, b)| {
            let loss = |f: &Found<'_>| worst(f).map_or(0.0, |(_, loss)| loss);
            loss(a).total_cmp(&loss(b)).then(j.cmp(i))
        })
        .map(|(index, _)| index);
    let mut known: Vec<String> = found.iter().map(|f| name_of(book, f)).collect();
    let mut distinct = known.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() < known.len() {
        known = found.iter().map(|f| format!("{}/{}", book.pool_name(f.pool), name_of(book, f))).collect();
    }
    let keep = |index: usize, f: &Found<'_>| {
        if wanted.is_empty() {
            return Some(index) == largest;
        }
        let name = name_of(book, f);
        let full = format!("{}/{name}", book.pool_name(f.pool));
        name.eq_ignore_ascii_case(wanted) || full.eq_ignore_ascii_case(wanted)
    };
    let chosen: Vec<Found<'a>> =
        found.into_iter().enumerate().filter(|(index, f)| keep(*index, f)).map(|(_, f)| f).collect();
    if chosen.is_empty() {
        return Err(if known.is_empty() {
            Error::Missing {
                what: "scenarios".into(),
                why: "the book holds no position".into(),
                place: Place::default(),
            }
        } else {
            Error::Unknown { what: "risk unit", value: wanted.to_owned(), known: known.join(", ") }
        });
    }
    Ok(chosen)
}

fn list(book: &Book, chosen: &[Found<'_>]) -> Answer {
    let mut answer = Answer::new(&LIST);
    for found in chosen {
        let counted = &found.unit.scanned.counted;
        let mut order: Vec<usize> = (0..counted.len()).collect();
        let at = |index: usize| counted.get(index).copied().unwrap_or(0.0);
        order.sort_by(|a, b| at(*a).total_cmp(&at(*b)).then(a.cmp(b)));
        let mut ranks = vec![0; counted.len()];
        for (place, index) in order.iter().enumerate() {
            if let Some(rank) = ranks.get_mut(*index) {
                *rank = place + 1;
            }
        }
        let deciding = found.unit.scanned.deciding(found.profile);
        for (index, scenario) in found.profile.scenarios.iter().enumerate() {
            let note = match scenario.treatment {
                Treatment::Plain => String::new(),
                Treatment::MinusAbsolutePerExpiry => "each expiry's result as a loss".to_owned(),
                Treatment::Extended => "scaled back to the edge of the range and dampened".to_owned(),
            };
            answer.rows.push(vec![
                (index + 1).into(),
                book.pool_name(found.pool).into(),
                name_of(book, found).into(),
                found.profile.sets.get(scenario.set).map_or("", |set| set.name.as_str()).into(),
                scenario.price_move.into(),
                scenario.volatility.words().into(),
                scenario.weight.into(),
                at(index).into(),
                ranks.get(index).copied().unwrap_or(0).into(),
                if deciding.iter().any(|(decides, _)| *decides == index) { "yes" } else { "no" }.into(),
                note.into(),
            ]);
        }
    }
    answer
}

/// Rows by price move, columns by volatility move; the first unit of those chosen.
fn matrix(book: &Book, chosen: &[Found<'_>]) -> Result<Answer> {
    let Some(found) = chosen.first().filter(|_| chosen.len() == 1) else {
        let names: Vec<String> =
            chosen.iter().map(|f| format!("{}/{}", book.pool_name(f.pool), name_of(book, f))).collect();
        return Err(Error::NotCovered {
            what: "a matrix of several units".into(),
            why: format!("name one of {}, or ask for the list", names.join(", ")),
            place: Place::default(),
        });
    };
    let mut moves: Vec<f64> = found.profile.scenarios.iter().map(|s| s.price_move).collect();
    moves.sort_by(f64::total_cmp);
    moves.dedup();
    let mut columns: Vec<VolatilityMove> = Vec::new();
    for scenario in &found.profile.scenarios {
        if !columns.contains(&scenario.volatility) {
            columns.push(scenario.volatility);
        }
    }
    let place = |volatility: &VolatilityMove| match volatility {
        VolatilityMove::Down => 0,
        VolatilityMove::Same => 1,
        VolatilityMove::Up => 2,
        _ => 3,
    };
    columns.sort_by_key(place);
    let mut answer = Answer::new(&["price_move"]);
    answer.header.extend(columns.iter().map(|volatility| Cow::Owned(volatility.words())));
    for price_move in moves {
        let mut row: Vec<Value> = vec![price_move.into()];
        for volatility in &columns {
            let cell =
                found.profile.scenarios.iter().enumerate().find(|(_, s)| {
                    s.price_move.total_cmp(&price_move).is_eq() && s.volatility == *volatility
                });
            row.push(cell.and_then(|(index, _)| found.unit.scanned.counted.get(index).copied()).into());
        }
        answer.rows.push(row);
    }
    let name = name_of(book, found);
    answer.note = match worst(found) {
        Some((index, loss)) => format!(
            "worst for {name}: {}, a loss of {loss:.2}",
            found.profile.scenarios.get(index).map_or_else(String::new, |s| s.words())
        ),
        None => format!("no scenario of {name} loses"),
    };
    Ok(answer)
}

/// Profit and loss of every position in the worst scenario of each chosen unit, with a TOTAL per unit.
fn positions(book: &Book, chosen: &[Found<'_>]) -> Answer {
    let mut answer = Answer::new(&POSITIONS);
    for found in chosen {
        for (index, loss) in found.unit.scanned.deciding(found.profile) {
            positions_in(book, found, index, loss, &mut answer);
        }
    }
    answer
}

/// The positions of a unit in one scenario.
fn positions_in(book: &Book, found: &Found<'_>, index: usize, loss: f64, answer: &mut Answer) {
    let Some((lines, collateral)) = found.unit.by_line.get(index) else { return };
    let scenario = found.profile.scenarios.get(index).map_or_else(String::new, |s| s.words());
    let account = book.pool_name(found.pool);
    let name = name_of(book, found);
    let mut row = |symbol: &str, quantity: Value, result: f64, note: &str| {
        answer.rows.push(vec![
            account.clone().into(),
            name.clone().into(),
            symbol.into(),
            quantity,
            result.into(),
            (loss != 0.0).then(|| -result / loss).into(),
            scenario.clone().into(),
            note.into(),
        ]);
    };
    for (position, part) in found.unit.positions.iter().zip(lines) {
        let Some(held) = book.positions_of(found.pool).get(*position) else { continue };
        let symbol = book.instruments.get(held.instrument).map_or("", |i| i.symbol.as_str());
        row(symbol, held.quantity.into(), -part, "");
    }
    if *collateral != 0.0 {
        row("collateral", Value::Missing, -collateral, "coins that move in the scan");
    }
    row("TOTAL", Value::Missing, -sum(lines.iter().copied().chain([*collateral])), "");
}
