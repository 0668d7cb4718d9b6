//! A cascade of one owner: what its own liquidation does to the price, and what that price then does to it.
//!
//! Rounds: close at the state what the venue's rule closes, move the price by the impact of everything closed so far,
//! measure again, until nothing more is closed. What is closed stays closed and a price that was moved stays moved, so
//! the set of closed positions only grows and the rounds end; they are bounded besides.

use super::cost::coins_held;
use super::order::{LiquidationOrder, Options, extended};
use super::run::Run;
use super::working::{Closed, Subject};
use crate::book::{Book, Pool};
use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;
use crate::margin::settling::credit;
use crate::market::MarketState;
use crate::pricing::greeks::forward_delta;
use crate::statistics::liquidity::{Depth, square_root_impact};

/// What is known about the market beyond the Market sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Market {
    /// Coefficient of the square-root law; `None` is that of the rulebook.
    pub coefficient: Option<f64>,
    /// Share of the daily volume that is there in a crisis; 1 as on the Market sheet.
    pub depth_share: f64,
    /// Largest number of rounds.
    pub rounds: usize,
}

impl Default for Market {
    fn default() -> Self {
        Self { coefficient: None, depth_share: 1.0, rounds: 50 }
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
    /// Coins that the positions which each pool has left stand for, by underlying.
    pub left: Vec<Vec<(usize, f64)>>,
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
    let known: Vec<(&Pool, &MarketState)> =
        pools.iter().filter_map(|(index, state)| Some((book.pools.get(*index)?, state))).collect();
    let hedged: Vec<Option<Book>> = known.iter().map(|(pool, _)| extended(book, pool, options)).collect();
    let mut runs = Vec::with_capacity(known.len());
    for ((pool, state), own) in known.iter().zip(&hedged) {
        runs.push((Run::new(own.as_ref().unwrap_or(book), pool, options)?, (*state).clone(), None));
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
            // what is taken over, or goes to a bidder, is not sold in the market
            let dealt = rows.iter().filter(|row| matches!(row.action, "close" | "hedge" | "convert"));
            for own in dealt.filter_map(|row| row.closed.as_ref()) {
                closed.extend(closing(run.working.book, place, own, state)?);
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
        for ((_, start), (_, state, _)) in known.iter().zip(&mut runs) {
            for (coin, _, ratio) in rounds.last().map_or(&[][..], |round| &round.coins) {
                *state = std::mem::replace(state, MarketState::from_ratios(Vec::new()))
                    .with(*coin, start.ratio(*coin) * ratio);
            }
        }
        if exhausted {
            break;
        }
    }
    let (mut orders, mut states, mut equity, mut left) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (run, state, end) in runs {
        left.push(coins_held(&run.working.view(), &state)?);
        equity.push(crate::margin::equity::equity(&run.working.view(), &state)?.gross);
        orders.push(run.finish(end.unwrap_or(super::order::End::NothingToDo), None));
        states.push(state);
    }
    Ok(OwnCascade { rounds, orders, states, equity, left, ended })
}

/// A run, its state, and how it last ended.
type Running<'a> = (Run<'a>, MarketState, Option<super::order::End>);

/// What one closing deals in its coin.
#[derive(Debug, Clone, Copy)]
struct Closing {
    /// Place of the pool.
    pool: usize,
    coin: usize,
    /// Coins bought, below zero sold.
    coins: f64,
    /// The currency that pays, and how much of it a unit of quote currency is.
    settle: usize,
    settled: f64,
    /// Price of the coin, quote currency.
    price: f64,
}

/// The coins that a trade deals in: an option's are those of its delta, a balance's its own; `None` for what is no coin.
fn closing(book: &Book, pool: usize, own: &Closed, state: &MarketState) -> Result<Option<Closing>> {
    let signed = if own.long { own.quantity } else { -own.quantity };
    if own.subject == Subject::Currency {
        let currency = book.currencies.iter().position(|known| known.code == own.symbol);
        let coin = currency.and_then(|place| book.currencies.get(place)?.underlying);
        let Some((settle, coin)) = currency.zip(coin) else { return Ok(None) };
        let price = super::price::price_of(book, coin)? * state.ratio(coin);
        return Ok(Some(Closing { pool, coin, coins: -signed, settle, settled: price.recip(), price }));
    }
    let Some(instrument) = own.instrument(book) else { return Ok(None) };
    let known = book.instruments.get(instrument);
    let missing = |what: &str| Error::Missing {
        what: format!("{what} of {}", own.symbol),
        why: "closing it moves the price of its coin".into(),
        place: Place::default(),
    };
    let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let settle = book.instrument_settle.get(instrument).copied().unwrap_or(0);
    let quote = state.quote(book, instrument).ok_or_else(|| missing("quote"))?;
    let price = quote.moved_forward(state.ratio(coin)).ok_or_else(|| missing("price"))?;
    let payoff = known.map_or(Payoff::Linear, |own| own.payoff);
    let held = match known.and_then(|own| own.option) {
        Some(terms) => {
            let volatility = quote.implied_volatility.ok_or_else(|| missing("implied volatility"))?;
            signed * forward_delta(terms.right, price, terms.strike.0, volatility * quote.years.sqrt())
        }
        None if payoff == Payoff::Inverse => signed / price,
        None => signed,
    };
    let settled = if payoff == Payoff::Inverse { price.recip() } else { 1.0 };
    Ok(Some(Closing { pool, coin, coins: -held, settle, settled, price }))
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
        let first = own().next().and_then(|closing| runs.get(closing.pool));
        let of_rule = first.map_or(1.0, |(run, ..)| run.rulebook.liquidation.impact_coefficient);
        let depth = depth_of(book, coin, market, of_rule)?;
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
            if let Some((run, state, _)) = runs.get_mut(closing.pool) {
                round.cost += cost * run.working.view().price(closing.settle, state)?;
                credit(&mut run.working.balances, closing.settle, -cost);
            }
        }
        let moved = is.peak.min(LARGEST_IMPACT).copysign(after);
        round.coins.push((coin, after, 1.0 + if after == 0.0 { 0.0 } else { moved }));
    }
    Ok(round)
}

fn depth_of(book: &Book, coin: usize, market: &Market, of_rule: f64) -> Result<Depth> {
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
        coefficient: market.coefficient.unwrap_or(of_rule),
    })
}
