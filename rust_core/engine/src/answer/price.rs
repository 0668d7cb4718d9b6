//! Liquidation prices as a table, one row per coin and pool.

use rayon::prelude::*;

use super::{Answer, Value};
use crate::book::{Book, Pool, PoolKind};
use crate::error::{Error, Result};
use crate::liquidation::order::underlying_named;
use crate::liquidation::price::{LiquidationPrice, Side, alone_crossings, answer, coins_of, crossings};
use crate::liquidation::sweep::{Crossings, Search, Target};
use crate::margin::PoolView;
use crate::path::{Course, Path};

/// How far searches go that have no closed form, as a multiple of the mark.
pub const SEARCH_LIMIT: f64 = 10.0;

/// The header of `CM_LIQPRICE`.
pub const HEADER: [&str; 14] = [
    "underlying",
    "mark",
    "down",
    "down_pct",
    "up",
    "up_pct",
    "nearest",
    "nearest_pct",
    "sigmas",
    "low",
    "high",
    "path",
    "status",
    "scope",
];

/// Which path, by word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathWord {
    /// One coin alone.
    Alone,
    /// All coins together.
    Together,
    /// Coins along their betas.
    Beta,
}

impl PathWord {
    /// The word of the path column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Together => "together",
            Self::Beta => "beta",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Which path.
    pub path: PathWord,
    /// Trigger or bankruptcy.
    pub target: Target,
    /// Betas by coin, before those of the market table.
    pub betas: Vec<(String, f64)>,
    /// Limit of searches, a multiple of the mark.
    pub limit: f64,
    /// How implied volatilities follow the price, see [`Course`].
    pub elasticity: f64,
    /// Days that have passed.
    pub days: f64,
}

impl Question {
    /// What else changes besides prices, in words.
    fn beside(&self) -> String {
        let mut words = String::new();
        if self.elasticity != 0.0 {
            words.push_str(&format!(
                "; volatilities times the price ratio to the power of {}",
                self.elasticity
            ));
        }
        if self.days != 0.0 {
            words.push_str(&format!("; {} days later", self.days));
        }
        words
    }

    fn course(&self, path: &Path) -> Course {
        Course { path: path.clone(), elasticity: self.elasticity, days: self.days }
    }
}

impl Default for Question {
    fn default() -> Self {
        Self {
            path: PathWord::Alone,
            target: Target::Trigger,
            betas: Vec::new(),
            limit: SEARCH_LIMIT,
            elasticity: 0.0,
            days: 0.0,
        }
    }
}

/// What was found about a pool along one path: the coin whose price is told, the path, its crossings.
#[derive(Debug, Clone)]
pub struct Found {
    /// Index of the pool.
    pub pool: usize,
    /// Index of the coin.
    pub coin: usize,
    /// The path.
    pub path: Path,
    /// Every crossing.
    pub crossings: Crossings,
}

/// What is found about one pool, for one coin or for all that touch it.
///
/// # Errors
///
/// As [`crate::margin::evaluate`]; [`Error::Missing`] for a missing beta or price.
fn of_pool(
    book: &Book,
    (pool, held): (usize, &Pool),
    underlying: Option<usize>,
    question: &Question,
) -> Result<Vec<Found>> {
    let view = PoolView::of(book, held);
    let along = |path: &Path| crossings(&view, &question.course(path), question.target, question.limit);
    match question.path {
        PathWord::Alone => match underlying {
            None => {
                let all = alone_crossings(
                    &view,
                    (question.elasticity, question.days),
                    question.target,
                    question.limit,
                )?;
                let found = all.into_iter().map(|(coin, crossings)| Found {
                    pool,
                    coin,
                    path: Path::Alone(coin),
                    crossings,
                });
                Ok(found.collect())
            }
            Some(coin) if coins_of(book, &view).contains(&coin) => {
                let path = Path::Alone(coin);
                Ok(vec![Found { pool, coin, crossings: along(&path)?, path }])
            }
            Some(_) => Ok(Vec::new()),
        },
        PathWord::Together => {
            let crossings = along(&Path::Together)?;
            let coins = underlying.map_or_else(|| coins_of(book, &view), |coin| vec![coin]);
            let found = coins.into_iter().map(|coin| Found {
                pool,
                coin,
                path: Path::Together,
                crossings: crossings.clone(),
            });
            Ok(found.collect())
        }
        PathWord::Beta => {
            let driver = match underlying {
                Some(driver) => driver,
                None => driver_of(book, &question.betas)?,
            };
            let path = Path::beta(book, driver, &question.betas)?;
            Ok(vec![Found { pool, coin: driver, crossings: along(&path)?, path }])
        }
    }
}

/// The coin whose beta is 1.
fn driver_of(book: &Book, betas: &[(String, f64)]) -> Result<usize> {
    let named =
        |name: &str| betas.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, b)| *b);
    book.underlyings
        .iter()
        .position(|underlying| named(&underlying.name).or(underlying.beta) == Some(1.0))
        .ok_or_else(|| Error::Missing {
            what: "the driver of the beta path".into(),
            why: "name an underlying, or give one coin a beta of exactly 1".into(),
            place: crate::error::Place::default(),
        })
}

/// Pools that a question about a coin or a symbol concerns: a symbol picks isolated pools of its own.
fn pools_for<'a>(book: &'a Book, name: Option<&str>) -> Vec<(usize, &'a Pool)> {
    let symbol = name.filter(|name| book.instruments.iter().any(|i| i.symbol.eq_ignore_ascii_case(name)));
    book.pools
        .iter()
        .enumerate()
        .filter(|(_, pool)| match (pool.kind, symbol) {
            (PoolKind::Isolated, Some(symbol)) => book
                .positions_of(pool)
                .iter()
                .filter_map(|position| book.instruments.get(position.instrument))
                .any(|instrument| {
                    instrument.symbol.eq_ignore_ascii_case(symbol)
                        || instrument.underlying.eq_ignore_ascii_case(symbol)
                }),
            _ => true,
        })
        .collect()
}

/// Everything found about a question, by pool and coin; pools in parallel.
///
/// # Errors
///
/// As [`of_pool`]; [`Error::Unknown`] for a coin that the book does not know.
pub fn found(book: &Book, underlying: Option<&str>, question: &Question) -> Result<Vec<Found>> {
    super::evaluated::check_complete(book)?;
    let coin = underlying.map(|name| underlying_named(book, name)).transpose()?;
    let pools = pools_for(book, underlying);
    let per_pool: Vec<Result<Vec<Found>>> =
        pools.par_iter().map(|pool| of_pool(book, *pool, coin, question)).collect();
    let mut all = Vec::new();
    for answers in per_pool {
        all.extend(answers?);
    }
    Ok(all)
}

/// Every answer to a question.
///
/// # Errors
///
/// As [`found`].
pub fn answers(book: &Book, underlying: Option<&str>, question: &Question) -> Result<Vec<LiquidationPrice>> {
    let found = found(book, underlying, question)?;
    let answers = found.iter().filter_map(|own| {
        let pool = (own.pool, book.pools.get(own.pool)?);
        let answered = answer(book, pool, own.coin, &own.path, &own.crossings, question.target);
        Some(answered.map(|mut answered| {
            answered.status.push_str(&question.beside());
            if own.crossings.search != Search::ClosedForm {
                answered.status.push_str("; ");
                answered.status.push_str(own.crossings.search.words());
            }
            answered
        }))
    });
    answers.collect()
}

/// The price of one coin on a side: the nearest over the pools it touches.
///
/// # Errors
///
/// [`Error::NoAnswer`] with the reason when no price exists.
pub fn single(book: &Book, underlying: &str, side: Side, question: &Question) -> Result<f64> {
    let all = answers(book, Some(underlying), question)?;
    let mut best: Option<(f64, f64)> = None;
    for found in &all {
        let price = match side {
            Side::Nearest => found.nearest,
            Side::Down => found.down,
            Side::Up => found.up,
        };
        if let Some(price) = price {
            let distance = (price / found.mark).ln().abs();
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, price));
            }
        }
    }
    match best {
        Some((_, price)) => Ok(price),
        None => Err(Error::NoAnswer {
            why: all.first().map_or_else(
                || format!("{underlying} touches no position and no collateral"),
                |found| found.status.clone(),
            ),
        }),
    }
}

/// The table of liquidation prices.
///
/// # Errors
///
/// As [`answers`].
pub fn table(book: &Book, underlying: Option<&str>, question: &Question) -> Result<Answer> {
    let all = answers(book, underlying, question)?;
    let other_word = if question.path == PathWord::Together { PathWord::Alone } else { PathWord::Together };
    let other = answers(book, underlying, &Question { path: other_word, ..question.clone() })?;
    // both lists are sorted by (pool, coin), so one walk joins them
    let mut others = other.iter().peekable();
    let mut answer = Answer::new(&HEADER);
    for found in &all {
        while others.peek().is_some_and(|next| (next.pool, next.underlying) < (found.pool, found.underlying))
        {
            others.next();
        }
        let beside = others
            .peek()
            .filter(|next| (next.pool, next.underlying) == (found.pool, found.underlying))
            .and_then(|next| on_side_of(found, next));
        let range: Vec<f64> = [found.nearest, beside].into_iter().flatten().collect();
        let relative = |price: Option<f64>| price.map(|price| price / found.mark - 1.0);
        let pool = book.pools.get(found.pool);
        answer.rows.push(vec![
            book.underlyings.get(found.underlying).map_or("", |known| known.name.as_str()).into(),
            found.mark.into(),
            found.down.into(),
            relative(found.down).into(),
            found.up.into(),
            relative(found.up).into(),
            found.nearest.into(),
            relative(found.nearest).into(),
            found.sigmas.into(),
            range.iter().copied().reduce(f64::min).into(),
            range.iter().copied().reduce(f64::max).into(),
            question.path.word().into(),
            found.status.as_str().into(),
            Value::Text(pool.map_or_else(String::new, |pool| book.pool_name(pool))),
        ]);
    }
    Ok(answer)
}

/// The price of another path on the side on which the first one triggers.
fn on_side_of(found: &LiquidationPrice, other: &LiquidationPrice) -> Option<f64> {
    let nearest = found.nearest?;
    if nearest < found.mark { other.down } else { other.up }
}
