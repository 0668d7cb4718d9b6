//! A cascade of one owner: what its own liquidation does to the price, and what that price then does to it.
//!
//! Rounds: close at the state what the venue's rule closes, move the price by the impact of everything closed so far,
//! measure again, until nothing more is closed. What is closed stays closed and a price that was moved stays moved, so
//! the set of closed positions only grows and the rounds end; they are bounded besides.

use super::order::{LiquidationOrder, Options};
use super::run::Run;
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::instrument::{OptionRight, Payoff};
use crate::margin::settling::credit;
use crate::market::MarketState;
use crate::pricing::greeks::forward_delta;
use crate::statistics::liquidity::{Depth, square_root_impact};

/// What is known about the market beyond the Market sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Market {
    /// Coefficient of the square-root law; about 1.
    pub coefficient: f64,
    /// Share of the daily volume that is there in a crisis; 1 as on the Market sheet.
    pub depth_share: f64,
    /// Largest number of rounds.
    pub rounds: usize,
}

impl Default for Market {
    fn default() -> Self {
        Self { coefficient: 1.0, depth_share: 1.0, rounds: 50 }
    }
}

/// One round.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Per coin that was dealt in: index, coins bought since the start (below zero sold), and the price over that of
    /// the start afterwards.
    pub coins: Vec<(usize, f64, f64)>,
    /// Half spread and impact of this round, reporting currency.
    pub cost: f64,
}

/// How a cascade went.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCascade {
    /// The rounds in which something was closed.
    pub rounds: Vec<Round>,
    /// One order per pool, in the order given.
    pub orders: Vec<LiquidationOrder>,
    /// The last state of each pool.
    pub states: Vec<MarketState>,
    /// Equity of each pool at its last state, everything at full value, reporting currency.
    pub equity: Vec<f64>,
    /// Whether it ended by itself, not by the bound on rounds or because the market had no depth left.
    pub ended: bool,
}

/// A price never falls by more than this share of the state it started from.
const LARGEST_IMPACT: f64 = 0.95;

/// The cascade of pools that one owner holds, each from its own state; the price of a coin is moved for all of them.
///
/// Impact of `Q` coins closed: `coefficient x dailyVol x sqrt(|Q| / volume)` at the end, which stays, and two thirds of
/// it on average, which is paid (methods.md section 3.5); every coin pays `halfSpread` besides, where it is given.
///
/// # Errors
///
/// [`Error::Missing`] names a coin that must be closed and has no daily volume or volatility; as
/// [`crate::margin::evaluate`].
pub fn own_cascade(
    book: &Book,
    pools: &[(usize, MarketState)],
    options: &Options,
    market: &Market,
) -> Result<OwnCascade> {
    let mut runs = Vec::with_capacity(pools.len());
    for (index, state) in pools {
        let Some(pool) = book.pools.get(*index) else { continue };
        runs.push((Run::new(book, pool, options)?, state.clone(), None));
    }
    let mut dealt = vec![0.0; book.underlyings.len()];
    let mut rounds = Vec::new();
    let mut ended = false;
    for number in 1..=market.rounds {
        let mut closed: Vec<Closing> = Vec::new();
        for (place, (run, state, end)) in runs.iter_mut().enumerate() {
            let before = run.rows().len();
            let now = run.at(state, &format!("round {number}"))?;
            let rows = run.rows().get(before..).unwrap_or(&[]);
            // a position that is taken over is not sold in the market
            for own in rows.iter().filter(|row| row.action == "close").filter_map(|row| row.closed.as_ref()) {
                let signed = if own.long { own.quantity } else { -own.quantity };
                if let Some(instrument) = own.instrument(book) {
                    closed.push(closing(book, place, instrument, signed, state)?);
                }
            }
            // the end that stands is that of the last round in which something happened
            if rows.is_empty() && end.is_some() {
                continue;
            }
            *end = Some(now);
        }
        if closed.is_empty() {
            ended = true;
            break;
        }
        let round = deal(book, &closed, &mut dealt, &mut runs, market)?;
        let exhausted = round.coins.iter().any(|(.., ratio)| *ratio <= 1.0 - LARGEST_IMPACT);
        rounds.push(round);
        for ((_, start), (_, state, _)) in pools.iter().zip(&mut runs) {
            for (coin, _, ratio) in rounds.last().map_or(&[][..], |round| &round.coins) {
                *state = std::mem::replace(state, MarketState::from_ratios(Vec::new()))
                    .with(*coin, start.ratio(*coin) * ratio);
            }
        }
        if exhausted {
            break;
        }
    }
    let (mut orders, mut states, mut equity) = (Vec::new(), Vec::new(), Vec::new());
    for (run, state, end) in runs {
        equity.push(crate::margin::equity::equity(&run.working.view(), &state)?.gross);
        orders.push(run.finish(end.unwrap_or(super::order::End::NothingToDo), None));
        states.push(state);
    }
    Ok(OwnCascade { rounds, orders, states, equity, ended })
}

/// A run, its state, and how it last ended.
type Running<'a> = (Run<'a>, MarketState, Option<super::order::End>);

/// What one closing deals in its coin.
#[derive(Debug, Clone, Copy)]
struct Closing {
    /// Place of the pool.
    pool: usize,
    instrument: usize,
    coin: usize,
    /// Coins bought, below zero sold.
    coins: f64,
    /// Settlement currency per unit of quote currency.
    settled: f64,
    /// Price of the coin, quote currency.
    price: f64,
}

/// The coins that closing a signed quantity of a contract deals in: an option's are those of its delta.
fn closing(
    book: &Book,
    pool: usize,
    instrument: usize,
    quantity: f64,
    state: &MarketState,
) -> Result<Closing> {
    let known = book.instruments.get(instrument);
    let missing = |what: &str| Error::Missing {
        what: format!("{what} of {}", known.map_or("?", |own| own.symbol.as_str())),
        why: "closing it moves the price of its coin".into(),
        place: Place::default(),
    };
    let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let quote = state.quote(book, instrument).ok_or_else(|| missing("quote"))?;
    let price = quote.moved_forward(state.ratio(coin)).ok_or_else(|| missing("price"))?;
    let payoff = known.map_or(Payoff::Linear, |own| own.payoff);
    let held = match known.and_then(|own| own.option) {
        Some(terms) => {
            let volatility = quote.implied_volatility.ok_or_else(|| missing("implied volatility"))?;
            let right: OptionRight = terms.right;
            quantity * forward_delta(right, price, terms.strike.0, volatility * quote.years.sqrt())
        }
        None if payoff == Payoff::Inverse => quantity / price,
        None => quantity,
    };
    let settled = if payoff == Payoff::Inverse { price.recip() } else { 1.0 };
    Ok(Closing { pool, instrument, coin, coins: -held, settled, price })
}

/// Moves the prices by what has been closed, and lets the pools pay for it.
fn deal(
    book: &Book,
    closed: &[Closing],
    dealt: &mut [f64],
    runs: &mut [Running<'_>],
    market: &Market,
) -> Result<Round> {
    let mut coins: Vec<usize> = closed.iter().map(|own| own.coin).collect();
    coins.sort_unstable();
    coins.dedup();
    let mut round = Round { coins: Vec::with_capacity(coins.len()), cost: 0.0 };
    for coin in coins {
        let own = || closed.iter().filter(move |closing| closing.coin == coin);
        let net: f64 = own().map(|closing| closing.coins).sum();
        let gross: f64 = own().map(|closing| closing.coins.abs()).sum();
        let before = dealt.get(coin).copied().unwrap_or(0.0);
        let after = before + net;
        let depth = depth_of(book, coin, market)?;
        let (was, is) = (square_root_impact(before, &depth)?, square_root_impact(after, &depth)?);
        // the average over the coins of this round alone
        let paid = (is.average * after.abs() - was.average * before.abs()).max(0.0);
        let half_spread = book.underlyings.get(coin).and_then(|known| known.half_spread).unwrap_or(0.0);
        if let Some(slot) = dealt.get_mut(coin) {
            *slot = after;
        }
        for closing in own() {
            let share = if gross > 0.0 { closing.coins.abs() / gross } else { 0.0 };
            let cost = closing.price * closing.settled * (share * paid + half_spread * closing.coins.abs());
            let settle = book.instrument_settle.get(closing.instrument).copied().unwrap_or(0);
            if let Some((run, state, _)) = runs.get_mut(closing.pool) {
                round.cost += cost * run.working.view().price(settle, state)?;
                credit(&mut run.working.balances, settle, -cost);
            }
        }
        let moved = is.peak.min(LARGEST_IMPACT).copysign(after);
        round.coins.push((coin, after, 1.0 + if after == 0.0 { 0.0 } else { moved }));
    }
    Ok(round)
}

fn depth_of(book: &Book, coin: usize, market: &Market) -> Result<Depth> {
    let known = book.underlyings.get(coin);
    let name = known.map_or("?", |own| own.name.as_str());
    let missing = |what: &str, column: &str| Error::Missing {
        what: format!("{what} of {name}"),
        why: format!(
            "a cascade needs it to say what closing does to the price; give {column} on the Market sheet"
        ),
        place: Place::label(name),
    };
    let volume =
        known.and_then(|own| own.average_daily_volume).ok_or_else(|| missing("daily volume", "adv"))?;
    let volatility =
        known.and_then(|own| own.daily_volatility).ok_or_else(|| missing("daily volatility", "dailyVol"))?;
    Ok(Depth {
        daily_volume: volume * market.depth_share,
        daily_volatility: volatility,
        coefficient: market.coefficient,
    })
}
