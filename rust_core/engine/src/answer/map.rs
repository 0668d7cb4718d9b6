//! The liquidation map: a figure of the book on two axes of the market, evaluated anew at every node.

use rayon::prelude::*;

use super::evaluated::check_complete;
use super::order::first_in_words;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::liquidation::order::{Options, at_state, underlying_named};
use crate::margin::plane::{Axes, Parts, Plane};
use crate::margin::{Equity, PoolView, Status, judged};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;

/// The most nodes of a map.
const MOST_NODES: usize = 250_000;

/// What an axis moves, by relative moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Every coin that is not stable.
    All,
    /// One coin with everything on it.
    Coin(usize),
    /// Implied volatilities: of one coin's options, or of all.
    Volatility(Option<usize>),
    /// What a currency is worth besides the move of its coin.
    Currency(usize),
}

impl Axis {
    /// An axis by its word: `ALL`, a coin, `VOL`, `VOL:BTC`, or the code of a balance such as `USDT`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] names what the book knows.
    pub fn named(book: &Book, text: &str) -> Result<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        if text.eq_ignore_ascii_case("vol") {
            return Ok(Self::Volatility(None));
        }
        let (kind, of) = text.split_once(':').map_or(("", text), |(kind, of)| (kind.trim(), of.trim()));
        if kind.eq_ignore_ascii_case("vol") {
            return underlying_named(book, of).map(|coin| Self::Volatility(Some(coin)));
        }
        if kind.eq_ignore_ascii_case("peg") {
            return currency_named(book, of).map(Self::Currency);
        }
        if !kind.is_empty() {
            return Err(Error::Unknown {
                what: "axis",
                value: text.to_owned(),
                known: "a coin, ALL, VOL, VOL:COIN, or a currency off its peg such as PEG:USDT".into(),
            });
        }
        let stable = |coin: &usize| book.underlyings.get(*coin).is_some_and(|known| is_stable(&known.name));
        match underlying_named(book, text) {
            Ok(coin) if !stable(&coin) => Ok(Self::Coin(coin)),
            found => currency_named(book, text).map(Self::Currency).or_else(|unknown| match found {
                Ok(coin) => Ok(Self::Coin(coin)),
                Err(_) => Err(unknown),
            }),
        }
    }

    /// The one coin that the axis moves.
    fn coin(self) -> Option<usize> {
        match self {
            Self::Coin(coin) | Self::Volatility(Some(coin)) => Some(coin),
            Self::All | Self::Volatility(None) | Self::Currency(_) => None,
        }
    }

    /// A state with this axis moved.
    fn moved(self, book: &Book, state: MarketState, relative: f64) -> MarketState {
        match self {
            Self::All => {
                let moving = book.underlyings.iter().enumerate().filter(|(_, known)| !is_stable(&known.name));
                moving.fold(state, |state, (coin, _)| {
                    let ratio = state.ratio(coin) * (1.0 + relative);
                    state.with(coin, ratio)
                })
            }
            Self::Coin(coin) => {
                let ratio = state.ratio(coin) * (1.0 + relative);
                state.with(coin, ratio)
            }
            Self::Volatility(Some(coin)) => with_volatility(state, coin, relative),
            Self::Volatility(None) => {
                (0..book.underlyings.len()).fold(state, |state, coin| with_volatility(state, coin, relative))
            }
            Self::Currency(currency) => {
                let ratio = state.peg(currency) * (1.0 + relative);
                state.with_currency(currency, ratio)
            }
        }
    }

    fn words(self, book: &Book) -> String {
        let coin = |coin: usize| book.underlyings.get(coin).map_or("?", |known| known.name.as_str());
        match self {
            Self::All => "all coins".into(),
            Self::Coin(own) => coin(own).into(),
            Self::Volatility(None) => "volatility".into(),
            Self::Volatility(Some(own)) => format!("volatility of {}", coin(own)),
            Self::Currency(own) => {
                format!("{} off its peg", book.currencies.get(own).map_or("?", |known| known.code.as_str()))
            }
        }
    }
}

fn with_volatility(state: MarketState, coin: usize, relative: f64) -> MarketState {
    let known = state.volatility(coin);
    state.with_volatility(coin, (1.0 + known.0) * (1.0 + relative) - 1.0, known.1)
}

fn currency_named(book: &Book, name: &str) -> Result<usize> {
    let found = book.currencies.iter().position(|known| known.code.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let coins = book.underlyings.iter().map(|known| known.name.as_str());
        let known: Vec<&str> =
            coins.chain(book.currencies.iter().map(|known| known.code.as_str())).take(20).collect();
        Error::Unknown {
            what: "axis",
            value: name.to_owned(),
            known: format!("ALL, VOL, VOL:COIN, or one of {}", known.join(", ")),
        }
    })
}

/// Which figure a map shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// `trigger x maintenance margin / equity` of the pool that decides.
    Usage,
    /// Money above the trigger, of the pool that decides.
    Excess,
    /// Maintenance equity of all pools.
    Equity,
    /// Maintenance margin of all pools.
    Maintenance,
    /// What is closed first.
    First,
}

impl Figure {
    /// A figure by word.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word.
    pub fn named(text: &str) -> Result<Self> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "" | "usage" => Self::Usage,
            "excess" => Self::Excess,
            "equity" => Self::Equity,
            "mm" => Self::Maintenance,
            "first" => Self::First,
            _ => {
                return Err(Error::Unknown {
                    what: "measure",
                    value: text.to_owned(),
                    known: "usage, excess, equity, mm, first".into(),
                });
            }
        })
    }
}

/// Two axes with their relative moves, and the figure.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What goes from left to right, with its moves.
    pub x: (&'a str, &'a [f64]),
    /// What goes from top to bottom, with its moves.
    pub y: (&'a str, &'a [f64]),
    /// The figure.
    pub figure: Figure,
    /// An account, or `all`.
    pub account: &'a str,
}

/// A matrix: the first row holds the moves of `x`, the first column those of `y`, the corner says what is what.
///
/// A node without usage, because no equity is left, holds the status in words.
///
/// # Errors
///
/// [`Error::Unknown`] for an axis or an account, [`Error::OutOfRange`] for a move of -1 or less or too many nodes;
/// as [`crate::margin::evaluate`].
pub fn table(book: &Book, question: &Question<'_>) -> Result<Answer> {
    check_complete(book)?;
    let (x, y) = (Axis::named(book, question.x.0)?, Axis::named(book, question.y.0)?);
    for price_move in question.x.1.iter().chain(question.y.1) {
        if !(price_move.is_finite() && *price_move > -1.0) {
            return Err(Error::OutOfRange {
                name: "move".into(),
                value: *price_move,
                must_be: "finite and above -1",
                place: Place::default(),
            });
        }
    }
    let nodes = question.x.1.len() * question.y.1.len();
    if nodes == 0 || nodes > MOST_NODES {
        return Err(Error::OutOfRange {
            name: "nodes of the map".into(),
            value: nodes as f64,
            must_be: "from 1 to 250,000",
            place: Place::default(),
        });
    }
    let pools = pools_of(book, question.account)?;
    let columns = question.x.1.len();
    let state = |column: Option<usize>, row: Option<usize>| {
        let place = |place: Option<usize>, moves: &[f64]| place.and_then(|place| moves.get(place)).copied();
        let today = MarketState::today(book);
        let along = match place(column, question.x.1) {
            Some(relative) => x.moved(book, today, relative),
            None => today,
        };
        match place(row, question.y.1) {
            Some(relative) => y.moved(book, along, relative),
            None => along,
        }
    };
    let axes = Axes { counts: (columns, question.y.1.len()), coins: (x.coin(), y.coin()), state: &state };
    let parts: Vec<Parts> =
        pools.iter().map(|pool| Parts::of(&PoolView::of(book, pool), &axes)).collect::<Result<_>>()?;
    let planes: Vec<Plane<'_>> = pools
        .iter()
        .zip(&parts)
        .map(|(pool, parts)| Plane::new(PoolView::of(book, pool), &axes, parts))
        .collect::<Result<_>>()?;
    let values: Vec<Result<Value>> = (0..nodes)
        .into_par_iter()
        .map(|node| {
            let (column, row) = (node % columns, node / columns);
            let state = state(Some(column), Some(row));
            let found: Result<Vec<Stand>> =
                planes.iter().map(|plane| Stand::of(plane, &state, column, row)).collect();
            value(book, &pools, &state, (&found?, question.figure))
        })
        .collect();
    let mut answer = Answer::new(&[]);
    answer.header.push(format!("{} down, {} across", y.words(book), x.words(book)).into());
    answer.header.extend(question.x.1.iter().map(|own| percent(*own).into()));
    let mut values = values.into_iter();
    for price_move in question.y.1 {
        let mut row: Vec<Value> = vec![(*price_move).into()];
        for value in values.by_ref().take(columns) {
            row.push(value?);
        }
        answer.rows.push(row);
    }
    Ok(answer)
}

/// A relative move in per cent, such as `-12.5 %`.
fn percent(relative: f64) -> String {
    let rounded = (1e6 * relative).round() / 1e4;
    format!("{rounded:+} %").replace("+0 %", "0 %").replace("-0 %", "0 %")
}

fn pools_of<'a>(book: &'a Book, account: &str) -> Result<Vec<&'a Pool>> {
    let all = account.trim().is_empty() || account.eq_ignore_ascii_case("all");
    let of = |pool: &&Pool| {
        all || book.accounts.get(pool.account).is_some_and(|known| known.name.eq_ignore_ascii_case(account))
    };
    let found: Vec<&Pool> = book.pools.iter().filter(of).collect();
    if found.is_empty() {
        return Err(Error::Unknown {
            what: "account",
            value: account.to_owned(),
            known: book
                .accounts
                .iter()
                .map(|known| known.name.as_str())
                .take(20)
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    Ok(found)
}

/// A pool at a node.
#[derive(Debug, Clone, Copy)]
struct Stand {
    equity: Equity,
    maintenance: f64,
    excess: f64,
    usage: Option<f64>,
    status: Status,
}

impl Stand {
    fn of(plane: &Plane<'_>, state: &MarketState, column: usize, row: usize) -> Result<Self> {
        let (equity, maintenance) = plane.at(state, column, row)?;
        let (excess, usage, status) = judged(plane.view(), &equity, maintenance)?;
        Ok(Self { equity, maintenance, excess, usage, status })
    }
}

/// The figure of some pools at a state.
fn value(
    book: &Book,
    pools: &[&Pool],
    state: &MarketState,
    (states, figure): (&[Stand], Figure),
) -> Result<Value> {
    let used = |own: &Stand| own.usage.unwrap_or(f64::INFINITY);
    let decisive = states.iter().enumerate().min_by(|(i, a), (j, b)| {
        let (first, second) = (a.excess.min(0.0), b.excess.min(0.0));
        first.total_cmp(&second).then(used(b).total_cmp(&used(a))).then(i.cmp(j))
    });
    let Some((place, decides)) = decisive else { return Ok(Value::Missing) };
    Ok(match figure {
        Figure::Usage => decides.usage.map_or_else(|| decides.status.word().into(), Value::Number),
        Figure::Excess => decides.excess.into(),
        Figure::Equity => sum(states.iter().map(|own| own.equity.maintenance)).into(),
        Figure::Maintenance => sum(states.iter().map(|own| own.maintenance)).into(),
        Figure::First => match (decides.status, pools.get(place)) {
            (Status::Liquidatable | Status::Bankrupt, Some(pool)) => {
                let options = Options { max_steps: 1, ..Options::default() };
                let order = at_state(book, pool, state, &options)?;
                first_in_words(book, &order, &options).into()
            }
            _ => "".into(),
        },
    })
}
