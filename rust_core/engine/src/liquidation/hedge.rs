//! The delta hedge of a liquidation engine: a perpetual is traded against the coins that positions stand for, which
//! may open a position (venues.md section 1.6).

use super::cost::{Costs, coins};
use super::price::price_of;
use super::working::{Closed, Subject, Working};
use crate::book::{Book, Pool, Position, Quote, TableOrigin};
use crate::error::Result;
use crate::instrument::{ContractKind, Instrument, Payoff};
use crate::market::{MarketState, mark_at, settle_of, underlying_of, unrealised_pnl};
use crate::numeric::accumulate::sum;
use crate::numeric::rounding::{Direction, to_step};
use crate::rulebook::{LiquidationRule, Measure};
use crate::tables::{Leg, Reported};

/// The book with a perpetual for every coin of a pool that has none, called as the rulebook says; `None` where none
/// is missing or the rulebook does not say.
pub(super) fn with_perpetuals(book: &Book, pool: &Pool, rule: &LiquidationRule) -> Option<Book> {
    if rule.hedge_in_coin.is_none() && rule.hedge_in_stable.is_none() {
        return None;
    }
    let mut missing: Vec<(usize, usize)> = Vec::new();
    for position in book.positions_of(pool) {
        let pair = (underlying_of(book, position), settle_of(book, position));
        let known = book.underlyings.get(pair.0).is_some_and(|coin| coin.price.is_some());
        if known && !missing.contains(&pair) && perpetual(book, pair).is_none() {
            missing.push(pair);
        }
    }
    if missing.is_empty() {
        return None;
    }
    let mut made = book.clone();
    for (coin, currency) in missing {
        let (Some(known), Some(settle)) = (book.underlyings.get(coin), book.currencies.get(currency)) else {
            continue;
        };
        let in_coin = settle.underlying == Some(coin);
        let symbol = if in_coin { &rule.hedge_in_coin } else { &rule.hedge_in_stable };
        let Some(symbol) = symbol else { continue };
        made.instruments.push(Instrument {
            settle: settle.code.clone(),
            symbol: symbol.replace("{coin}", &known.name).replace("{settle}", &settle.code),
            underlying: known.name.clone(),
            kind: ContractKind::Perpetual,
            payoff: if in_coin { Payoff::Inverse } else { Payoff::Linear },
            expiry: None,
            expiry_instant: None,
            option: None,
        });
        made.instrument_underlying.push(coin);
        made.instrument_settle.push(currency);
        made.tick.push(None);
        made.lot.push(None);
        made.volatility.push(None);
        made.quotes.push(Quote { forward: known.price, ..Quote::default() });
        made.risk_arrays.push(None);
    }
    Some(made)
}

/// The perpetual on a coin that settles in a currency.
fn perpetual(book: &Book, (coin, currency): (usize, usize)) -> Option<usize> {
    (0..book.instruments.len()).find(|index| {
        book.instruments.get(*index).is_some_and(|own| own.kind == ContractKind::Perpetual)
            && book.instrument_underlying.get(*index) == Some(&coin)
            && book.instrument_settle.get(*index) == Some(&currency)
    })
}

impl Working<'_> {
    /// Pairs of coin and settlement currency in which positions stand.
    pub(super) fn deltas(&self) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for position in &self.positions {
            let pair = (underlying_of(self.book, position), settle_of(self.book, position));
            if !found.contains(&pair) {
                found.push(pair);
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether the book knows a perpetual on a coin.
    pub(super) fn can_hedge(&self, pair: (usize, usize)) -> bool {
        perpetual(self.book, pair).is_some()
    }

    /// Trades the perpetual on a coin against the coins that the pool's positions on it stand for.
    ///
    /// `None` where there is no delta, less than a lot of it, or no perpetual that can be traded.
    ///
    /// # Errors
    ///
    /// As [`Working::close`].
    pub(super) fn hedge(
        &mut self,
        pair: (usize, usize),
        state: &MarketState,
        costs: &Costs<'_>,
    ) -> Result<Option<Closed>> {
        let (coin, currency) = pair;
        let Some(instrument) = perpetual(self.book, pair) else { return Ok(None) };
        let mut parts = Vec::new();
        for position in &self.positions {
            if (underlying_of(self.book, position), settle_of(self.book, position)) == pair {
                parts.push(coins(&self.view(), position, state)?);
            }
        }
        let delta = sum(parts);
        let Some(sample) = self.sample(instrument, pair)? else { return Ok(None) };
        let per_unit = coins(&self.view(), &sample, state)?;
        if per_unit == 0.0 || !(delta / per_unit).is_finite() {
            return Ok(None);
        }
        let mut quantity = -delta / per_unit;
        if let Some(lot) = self.book.lot.get(instrument).copied().flatten() {
            quantity = quantity.signum() * to_step(quantity.abs(), lot, Direction::Down);
        }
        if quantity == 0.0 {
            return Ok(None);
        }
        let price = self.view().price(currency, state)?;
        let traded = self.traded.get(coin).copied().unwrap_or(0.0);
        let cost = costs.of_coins(&self.view(), coin, state, quantity * per_unit, traded)?;
        let cost = match self.book.instruments.get(instrument).map(|known| known.payoff) {
            Some(Payoff::Inverse) => cost / (price_of(self.book, coin)? * state.ratio(coin)),
            _ => cost,
        };
        self.count_as_traded(coin, (quantity * per_unit).abs());
        // what is dealt at this state has no result at this state
        let dealt = Position { quantity, ..sample.clone() };
        let dealt = Position { unrealised_pnl: -unrealised_pnl(self.book, &dealt, state), ..dealt };
        let ratio = state.ratio(coin);
        let mark = mark_at(self.book, &dealt, ratio);
        self.pay(currency, -cost);
        let held = self.positions.iter().position(|own| own.instrument == instrument && own.leg == Leg::Net);
        match held {
            Some(index) => self.add(index, &dealt, state),
            None => self.positions.push(Position { entry_price: Some(mark), ..dealt }),
        }
        let share = if mark > 0.0 && quantity != 0.0 { cost / (quantity * per_unit).abs() } else { 0.0 };
        Ok(Some(Closed {
            subject: Subject::Contract,
            symbol: self.book.instruments.get(instrument).map_or_else(String::new, |own| own.symbol.clone()),
            long: quantity < 0.0,
            quantity: quantity.abs(),
            price: match self.book.instruments.get(instrument).map(|known| known.payoff) {
                Some(Payoff::Inverse) => mark * (1.0 + quantity.signum() * share),
                _ => mark + quantity.signum() * share,
            },
            cost: cost * price,
        }))
    }

    /// Adds what was dealt to a position; one that is left with nothing is realised.
    fn add(&mut self, index: usize, dealt: &Position, state: &MarketState) {
        let Some(own) = self.positions.get_mut(index) else { return };
        own.quantity += dealt.quantity;
        own.unrealised_pnl += dealt.unrealised_pnl;
        if own.quantity == 0.0 {
            let left = self.positions.remove(index);
            let result = unrealised_pnl(self.book, &left, state);
            self.pay(settle_of(self.book, &left), result);
        }
    }

    /// One unit of a perpetual as a position of the pool. A contract that nobody holds can be one only where margin
    /// needs no table for it.
    fn sample(&self, instrument: usize, pair: (usize, usize)) -> Result<Option<Position>> {
        let like = |own: &&Position| own.instrument == instrument;
        let held = self.positions.iter().find(like).or_else(|| self.book.positions.iter().find(like));
        let scenarios =
            matches!(self.view().rulebook()?.measure, Measure::Scenarios { .. } | Measure::Tail(_));
        let other = self.positions.iter().find(|_| scenarios);
        let mark = match (held, self.book.quotes.get(instrument).and_then(|quote| quote.forward)) {
            (Some(own), _) => own.mark_price,
            (None, Some(forward)) => forward,
            (None, None) => price_of(self.book, pair.0)?,
        };
        Ok(held.or(other).map(|like| Position {
            account: self.account,
            instrument,
            leg: Leg::Net,
            quantity: 1.0,
            entry_price: Some(mark),
            mark_price: mark,
            unrealised_pnl: 0.0,
            pnl_known: true,
            leverage: None,
            table: like.table,
            origin: held.map_or(TableOrigin::None, |own| own.origin),
            initial_rate: held.and_then(|own| own.initial_rate),
            reported: Reported::default(),
            liquidate_last: false,
            strategies: vec![(0, 1.0)],
            ..like.clone()
        }))
    }
}
