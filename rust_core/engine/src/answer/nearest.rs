//! The nearest liquidating scenarios: every coin alone, and all of them together.

use statrs::distribution::{ContinuousCDF, Normal};

use super::evaluated::check_complete;
use super::order::first_in_words;
use super::price::SEARCH_LIMIT;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::{Error, Place, Result};
use crate::limits::context::{Context, Covariance};
use crate::limits::profile::Profile;
use crate::liquidation::nearest::{LARGEST_LOG_MOVE, Nearest, Reverse};
use crate::liquidation::order::{Options, at_state};
use crate::liquidation::price::alone_crossings;
use crate::liquidation::probability::moving_coins;
use crate::liquidation::sweep::{Search, Target};
use crate::margin::{PoolView, evaluate};
use crate::market::MarketState;
use crate::statistics::factor_root;

/// The header of `CM_NEAREST`.
pub const HEADER: [&str; 11] = [
    "rank",
    "scenario",
    "move_1",
    "move_2",
    "sigmas",
    "one_day_probability",
    "usage_now",
    "first_liquidated",
    "search",
    "scope",
    "comment",
];

/// In what distances are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One-day standard deviations under the covariance of the coins.
    Sigma,
    /// Per cent: every coin has a deviation of 1 % and none goes with another.
    Percent,
}

impl Scale {
    /// A scale by word.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word.
    pub fn named(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "sigma" => Ok(Self::Sigma),
            "pct" | "percent" => Ok(Self::Percent),
            _ => Err(Error::Unknown { what: "scale", value: text.to_owned(), known: "sigma, pct".into() }),
        }
    }
}

/// A row before it is ranked.
struct Found {
    moves: Vec<(usize, f64)>,
    distance: f64,
    search: Search,
    comment: String,
}

/// How far past the trigger the order is asked for: at the exact trigger the partial size is zero.
const PAST: f64 = 1.01;
/// How far a line of all coins together is followed, in standard deviations of one day.
const REACH: f64 = 40.0;
/// Starts besides the steepest direction of today.
const SINGLE_STARTS: usize = 3;

/// Scenarios that liquidate each pool, nearest first: one per coin and side alone, and the least unusual ones of all
/// coins together.
///
/// `factors` names the coins that may move, blank or `all` for every coin that touches the account. The probability is
/// that of the normal law beyond the distance, which is exact for a boundary without curvature.
///
/// # Errors
///
/// [`Error::Unknown`] for a coin; as [`evaluate`] and, for several coins in sigmas, as [`Context::covariance`].
pub fn table(book: &Book, factors: &str, scale: Scale, profile: &Profile) -> Result<Answer> {
    check_complete(book)?;
    let watch = crate::watch::Watch::new();
    let context = Context::new(book, profile, &watch);
    let mut answer = Answer::new(&HEADER);
    let mut reasons = Vec::new();
    for pool in book.pools.iter().filter(|pool| !pool.positions.is_empty()) {
        let view = PoolView::of(book, pool);
        let mut coins = moving_coins(&view);
        let wanted = wanted(book, factors)?;
        coins.retain(|coin| wanted.as_ref().is_none_or(|wanted| wanted.contains(coin)));
        let today = evaluate(&view, &MarketState::today(book))?;
        let (mut rows, reason) = found_of(&context, &view, &coins, scale)?;
        if rows.is_empty() {
            reasons.push(format!("{}: {reason}", book.pool_name(pool)));
        }
        rows.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        for (rank, row) in rows.iter().enumerate() {
            answer.rows.push(cells(book, pool, (rank + 1, row), scale, today.usage)?);
        }
    }
    answer.note = reasons.join("; ");
    if answer.rows.is_empty() {
        return Err(Error::NoAnswer {
            why: if answer.note.is_empty() { "no account holds a position".into() } else { answer.note },
        });
    }
    Ok(answer)
}

/// The coins named; `None` for all.
fn wanted(book: &Book, factors: &str) -> Result<Option<Vec<usize>>> {
    if factors.trim().is_empty() || factors.trim().eq_ignore_ascii_case("all") {
        return Ok(None);
    }
    let names = factors.split([',', ';', '|']).map(str::trim).filter(|name| !name.is_empty());
    let found: Result<Vec<usize>> =
        names.map(|name| crate::liquidation::order::underlying_named(book, name)).collect();
    found.map(Some)
}

/// Every scenario of a pool, and why there is none.
fn found_of(
    context: &Context<'_>,
    view: &PoolView<'_>,
    coins: &[usize],
    scale: Scale,
) -> Result<(Vec<Found>, String)> {
    let mut rows = Vec::new();
    if coins.is_empty() {
        return Ok((rows, "no coin moves it".into()));
    }
    let covariance = match scale {
        Scale::Percent => Covariance {
            coins: coins.to_vec(),
            daily: (0..coins.len() * coins.len())
                .map(|place| if place % (coins.len() + 1) == 0 { 1e-4 } else { 0.0 })
                .collect(),
            source: "1 % for every coin",
        },
        Scale::Sigma => context.covariance(coins)?,
    };
    for (coin, crossings) in alone_crossings(view, (0.0, 0.0), Target::Trigger, SEARCH_LIMIT)? {
        let Some(place) = coins.iter().position(|own| *own == coin) else { continue };
        if crossings.breached_today {
            return Ok((rows, "it is liquidatable at today's prices: no move is needed".into()));
        }
        for side in [&crossings.down, &crossings.up] {
            let within = |ratio: f64| ratio.ln().abs() <= LARGEST_LOG_MOVE;
            let first = side.iter().find(|crossing| crossing.into_breach && within(crossing.ratio));
            let Some(first) = first else { continue };
            let volatility = covariance.volatility(place);
            rows.push(Found {
                moves: vec![(coin, first.ratio.ln())],
                distance: first.ratio.ln().abs() / volatility,
                search: crossings.search,
                comment: "that coin alone, all others unchanged".into(),
            });
        }
    }
    let mut reached = !rows.is_empty();
    if coins.len() > 1 {
        let reach = match scale {
            Scale::Sigma => REACH,
            Scale::Percent => f64::INFINITY,
        };
        let joint = joint(view, coins, &covariance, &rows, reach)?;
        reached |= joint.is_some();
        if let Some((nearest, starts)) = joint {
            rows.push(Found {
                moves: coins.iter().copied().zip(nearest.moves).collect(),
                distance: nearest.sigmas,
                search: if nearest.proven { Search::Proven } else { Search::Grid },
                comment: format!(
                    "all coins together: the nearest point found from {starts} directions, deviations from {}",
                    covariance.source
                ),
            });
        }
    }
    let reason = if reached { String::new() } else { "no move within the search liquidates it".into() };
    Ok((rows, reason))
}

/// The nearest scenario of all coins together, and the number of directions it was looked for from.
fn joint(
    view: &PoolView<'_>,
    coins: &[usize],
    covariance: &Covariance,
    singles: &[Found],
    reach: f64,
) -> Result<Option<(Nearest, usize)>> {
    let root = factor_root(&covariance.daily, coins.len())?;
    let reverse = Reverse { view, coins, reach, root: &root };
    let mut starts = vec![reverse.steepest_today()?];
    let mut nearest: Vec<&Found> = singles.iter().collect();
    nearest.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    for single in nearest.into_iter().take(SINGLE_STARTS) {
        let Some((coin, own)) = single.moves.first() else { continue };
        let place = coins.iter().position(|known| known == coin);
        starts.extend(place.map(|place| Some(reverse.likeliest(place, own.signum()))));
    }
    let first = starts.get(1).cloned().flatten();
    starts.extend(first.map(|direction| Some(direction.iter().map(|own| -own).collect())));
    let starts: Vec<Vec<f64>> = starts.into_iter().flatten().collect();
    let mut best: Option<Nearest> = None;
    for start in &starts {
        if let Some(found) = reverse.from(start)?
            && best.as_ref().is_none_or(|known| found.sigmas < known.sigmas)
        {
            best = Some(found);
        }
    }
    Ok(best.map(|found| (found, starts.len())))
}

fn cells(
    book: &Book,
    pool: &Pool,
    (rank, row): (usize, &Found),
    scale: Scale,
    usage: Option<f64>,
) -> Result<Vec<Value>> {
    let mut largest: Vec<(usize, f64)> = row.moves.clone();
    largest.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    largest.retain(|(_, own)| own.abs() > 5e-5);
    let name = |coin: usize| book.underlyings.get(coin).map_or("?", |known| known.name.as_str());
    let shown: Vec<String> = largest
        .iter()
        .take(6)
        .map(|(coin, own)| format!("{} {:+.2} %", name(*coin), 100.0 * own.exp_m1()))
        .collect();
    let more = largest.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} smaller moves") };
    let mut state = MarketState::today(book);
    for (coin, own) in &row.moves {
        state = state.with(*coin, (PAST * own).exp());
    }
    let options = Options { max_steps: 2, ..Options::default() };
    let order = at_state(book, pool, &state, &options)?;
    let normal = Normal::new(0.0, 1.0).map_err(|_| Error::not_finite("normal law", 0.0, Place::default()))?;
    let in_sigmas = scale == Scale::Sigma;
    let place =
        |place: usize| largest.get(place).map_or(Value::Text(String::new()), |(_, own)| own.exp_m1().into());
    Ok(vec![
        rank.into(),
        format!("{}{more}", shown.join(", ")).into(),
        place(0),
        place(1),
        if in_sigmas { row.distance.into() } else { Value::Text(String::new()) },
        if in_sigmas { normal.cdf(-row.distance).into() } else { Value::Text(String::new()) },
        usage.into(),
        first_in_words(book, &order, &options).into(),
        row.search.word().into(),
        book.pool_name(pool).into(),
        row.comment.as_str().into(),
    ])
}
