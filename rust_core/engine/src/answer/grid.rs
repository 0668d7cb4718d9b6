//! Grids: the margin measured again at every node of price, volatility and time.

use rayon::prelude::*;

use super::evaluated::{Evaluated, check_complete};
use super::exposure::sensitivity;
use super::node::Node;
use super::options::number;
use super::scope::{Scope, report_currency, resolve};
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::liquidation::order::underlying_named;
use crate::liquidation::price::price_of;
use crate::margin::PoolView;
use crate::market::{MarketState, underlying_of};
use crate::numeric::accumulate::sum;
use crate::path::Path;

/// More nodes than this are a mistake: a grid of 101 x 101 has fewer.
const LARGEST_GRID: usize = 20_000;
/// Price moves of a ladder for which none are given: -50 % to +50 % in steps of 5 %.
const LADDER: i32 = 10;

/// What is shown at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Usage,
    ProfitAndLoss,
    Excess,
    Initial,
    Maintenance,
    Equity,
    First,
    Delta,
    Status,
}

impl Measure {
    const ALL: [(&'static str, Self); 9] = [
        ("usage", Self::Usage),
        ("pnl", Self::ProfitAndLoss),
        ("excess", Self::Excess),
        ("im", Self::Initial),
        ("mm", Self::Maintenance),
        ("equity", Self::Equity),
        ("first", Self::First),
        ("delta", Self::Delta),
        ("status", Self::Status),
    ];

    fn named(word: &str) -> Result<Self> {
        let wanted = word.trim();
        let found = Self::ALL.iter().find(|(own, _)| own.eq_ignore_ascii_case(wanted));
        found.map(|(_, measure)| *measure).ok_or_else(|| Error::Unknown {
            what: "measure",
            value: wanted.to_owned(),
            known: Self::ALL.map(|(own, _)| own).join(", "),
        })
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(word, _)| word)
    }
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// A coin, or `ALL`.
    pub underlying: String,
    /// Relative moves of its price; empty for -50 % to +50 %.
    pub price_moves: Vec<f64>,
    /// Moves of implied volatility; empty for none.
    pub volatility_moves: Vec<f64>,
    /// Days that pass; empty for none.
    pub days: Vec<f64>,
    /// What is shown.
    pub measure: String,
    /// `path`, `vol`, `betas`, `scope`.
    pub options: Vec<(String, String)>,
}

/// How the market moves along the price axis.
struct Axis {
    path: Path,
    /// The coin that is named; `None` for all of them.
    coin: Option<usize>,
    /// The coin whose price is shown.
    shown: Option<usize>,
    /// Whether moves of volatility are relative, else points.
    relative: bool,
    /// The pools that are measured.
    pools: Vec<usize>,
}

impl Axis {
    fn read(book: &Book, question: &Question) -> Result<Self> {
        let all =
            question.underlying.trim().is_empty() || question.underlying.trim().eq_ignore_ascii_case("all");
        let coin = if all { None } else { Some(underlying_named(book, question.underlying.trim())?) };
        let (mut path, mut relative, mut betas) = (String::new(), true, Vec::new());
        let mut pools: Vec<usize> = (0..book.pools.len()).collect();
        for (key, value) in &question.options {
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = value.trim().to_ascii_lowercase(),
                "vol" => {
                    relative = match value.trim().to_ascii_lowercase().as_str() {
                        "relative" => true,
                        "points" => false,
                        other => return unknown("vol", other, "relative, points"),
                    }
                }
                "betas" => betas = betas_of(value)?,
                "scope" => match resolve(book, value)? {
                    Scope::Pools(found) => pools = found,
                    Scope::Positions(_) => return unknown("scope", value, "an account or a pool"),
                },
                other => return unknown("option", other, "path, vol, betas, scope"),
            }
        }
        report_currency(book, &pools)?;
        let path = match (path.as_str(), coin) {
            ("" | "alone", Some(coin)) => Path::Alone(coin),
            ("beta", Some(driver)) => Path::beta(book, driver, &betas)?,
            ("" | "together", None) | ("together", Some(_)) => Path::Together,
            ("beta", None) => {
                return unknown("path", "beta", "together; a path of betas needs the coin that drives");
            }
            (other, _) => return unknown("path", other, "alone, together, beta"),
        };
        let touched: Vec<usize> = (0..book.underlyings.len())
            .filter(|own| book.positions.iter().any(|position| underlying_of(book, position) == *own))
            .collect();
        let shown = coin.or(if let [only] = touched.as_slice() { Some(*only) } else { None });
        Ok(Self { path, coin, shown, relative, pools })
    }

    fn state(&self, book: &Book, node: Moves) -> MarketState {
        let mut state = self.path.state(book, 1.0 + node.price).with_days(node.days);
        for underlying in 0..book.underlyings.len() {
            if matches!(self.path, Path::Alone(coin) if coin != underlying) {
                continue; // volatility moves with its coin
            }
            state = if self.relative {
                state.with_volatility(underlying, node.volatility, 0.0)
            } else {
                state.with_volatility(underlying, 0.0, node.volatility)
            };
        }
        state
    }
}

/// One node.
#[derive(Debug, Clone, Copy)]
struct Moves {
    price: f64,
    volatility: f64,
    days: f64,
}

fn unknown<T>(what: &'static str, value: &str, known: &str) -> Result<T> {
    Err(Error::Unknown { what, value: value.to_owned(), known: known.to_owned() })
}

/// Betas by coin: `ETH:1.2,SOL:1.5`.
///
/// # Errors
///
/// [`Error::Unknown`] for another form, [`Error::OutOfRange`] for a beta beyond 100.
pub(super) fn betas_of(text: &str) -> Result<Vec<(String, f64)>> {
    text.split([',', '|'])
        .filter(|piece| !piece.trim().is_empty())
        .map(|piece| match piece.split_once(':') {
            Some((name, beta)) => {
                Ok((name.trim().to_owned(), number("beta", beta, -100.0, 100.0, "between -100 and 100")?))
            }
            None => unknown("beta", piece, "COIN:NUMBER, such as betas=ETH:1.2,SOL:1.5"),
        })
        .collect()
}

/// The measure at every node. One volatility and one day: a ladder `price_move, price, <measure>, status`. Several
/// of one of them: a matrix with a column for each. Several of both: one row per node.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; [`Error::OutOfRange`] for a move that no market makes or a grid that is too large;
/// as [`crate::margin::evaluate`]. A node that cannot be measured alone has no number, and its status says why.
pub fn table(book: &Book, evaluated: &Evaluated, question: &Question) -> Result<Answer> {
    check_complete(book)?;
    let measure =
        Measure::named(if question.measure.trim().is_empty() { "usage" } else { &question.measure })?;
    let axis = Axis::read(book, question)?;
    let or_none = |list: &[f64]| if list.is_empty() { vec![0.0] } else { list.to_vec() };
    let prices = if question.price_moves.is_empty() {
        (-LADDER..=LADDER).map(|step| f64::from(step) / f64::from(2 * LADDER)).collect()
    } else {
        question.price_moves.clone()
    };
    let (volatilities, days) = (or_none(&question.volatility_moves), or_none(&question.days));
    check(&prices, &volatilities, &days, axis.relative)?;
    let mut nodes = Vec::with_capacity(prices.len() * volatilities.len() * days.len());
    for price in &prices {
        for days in &days {
            for volatility in &volatilities {
                nodes.push(Moves { price: *price, volatility: *volatility, days: *days });
            }
        }
    }
    let before = Node::of(evaluated, &axis.pools)?.gross();
    let found: Vec<Result<(Value, &'static str)>> =
        nodes.par_iter().map(|node| at(book, &axis, *node, measure, before)).collect();
    if let Some(Err(error)) = found.first()
        && found.iter().all(Result::is_err)
    {
        return Err(error.clone());
    }
    let price_at = |node: &Moves| -> Value {
        let moved = |coin: usize| {
            let ratio = axis.path.state(book, 1.0 + node.price).ratio(coin);
            price_of(book, coin).map(|price| price * ratio)
        };
        axis.shown.and_then(|coin| moved(coin).ok()).map_or_else(|| "".into(), Value::Number)
    };
    Ok(match (volatilities.len(), days.len()) {
        (1, 1) => {
            let mut answer = Answer::new(&["price_move", "price", measure.word()]);
            say_status(&mut answer, measure);
            for (node, own) in nodes.iter().zip(found) {
                answer.rows.push(
                    [node.price.into(), price_at(node)].into_iter().chain(shown(own, measure)).collect(),
                );
            }
            answer
        }
        (_, 1) | (1, _) => {
            let mut answer = Answer::new(&["price_move"]);
            let across = if days.len() == 1 { &volatilities } else { &days };
            let name = if days.len() == 1 { "vol" } else { "days" };
            answer.header.extend(across.iter().map(|own| format!("{name} {own}").into()));
            for (nodes, found) in nodes.chunks(across.len()).zip(found.chunks(across.len())) {
                let Some(first) = nodes.first() else { continue };
                let mut row = vec![first.price.into()];
                row.extend(found.iter().filter_map(|own| shown(own.clone(), measure).into_iter().next()));
                answer.rows.push(row);
            }
            answer
        }
        _ => {
            let mut answer = Answer::new(&["price_move", "price", "vol_move", "days", measure.word()]);
            say_status(&mut answer, measure);
            for (node, own) in nodes.iter().zip(found) {
                let moves = [node.price.into(), price_at(node), node.volatility.into(), node.days.into()];
                answer.rows.push(moves.into_iter().chain(shown(own, measure)).collect());
            }
            answer
        }
    })
}

fn say_status(answer: &mut Answer, measure: Measure) {
    if measure != Measure::Status {
        answer.header.push("status".into());
    }
}

/// The measure and the status, or nothing and the reason; the status alone where it is what is asked for.
fn shown(found: Result<(Value, &'static str)>, measure: Measure) -> Vec<Value> {
    let cells = match found {
        Ok((value, status)) => [value, status.into()],
        Err(error) => [Value::Missing, error.to_string().into()],
    };
    cells.into_iter().skip(usize::from(measure == Measure::Status)).collect()
}

fn check(prices: &[f64], volatilities: &[f64], days: &[f64], relative: bool) -> Result<()> {
    let refuse = |name: &str, value: f64, must_be: &'static str| {
        Err(Error::OutOfRange { name: name.into(), value, must_be, place: Place::default() })
    };
    let count = prices.len().saturating_mul(volatilities.len()).saturating_mul(days.len());
    if count > LARGEST_GRID {
        return refuse("nodes of the grid", count as f64, "at most 20,000");
    }
    for own in prices {
        if !(own.is_finite() && *own > -1.0) {
            return refuse("price_moves", *own, "finite and above -1");
        }
    }
    for own in volatilities {
        if !(own.is_finite() && (!relative || *own >= -1.0)) {
            return refuse("vol_moves", *own, "finite, a relative one at least -1");
        }
    }
    for own in days {
        if !(own.is_finite() && *own >= 0.0) {
            return refuse("days", *own, "finite and zero or above");
        }
    }
    Ok(())
}

/// The measure and the status at a node.
fn at(book: &Book, axis: &Axis, node: Moves, measure: Measure, before: f64) -> Result<(Value, &'static str)> {
    let state = axis.state(book, node);
    let evaluated = Evaluated::at(book, &state);
    let found = Node::of(&evaluated, &axis.pools)?;
    let (_, deciding) = found.decisive()?;
    let value = match measure {
        Measure::Usage => deciding.usage.into(),
        Measure::ProfitAndLoss => (found.gross() - before).into(),
        Measure::Excess => deciding.excess.into(),
        Measure::Initial => found.initial().into(),
        Measure::Maintenance => found.maintenance().into(),
        Measure::Equity => found.equity().into(),
        Measure::First => found.first(book, &state)?.into(),
        Measure::Delta => delta(book, axis, &state)?.into(),
        Measure::Status => found.status().word().into(),
    };
    Ok((value, found.status().word()))
}

/// Delta of the positions: coins of the coin that is named, else money of all coins, reporting currency.
fn delta(book: &Book, axis: &Axis, state: &MarketState) -> Result<f64> {
    let mut parts = Vec::new();
    for pool in axis.pools.iter().filter_map(|index| book.pools.get(*index)) {
        let view = PoolView::of(book, pool);
        for position in view.positions {
            let Some(instrument) = book.instruments.get(position.instrument) else { continue };
            if axis.coin.is_some_and(|coin| coin != underlying_of(book, position)) {
                continue;
            }
            let own = sensitivity(&view, position, instrument, state)?;
            parts.push(if axis.coin.is_some() { own.delta } else { own.delta_money });
        }
    }
    Ok(sum(parts))
}
