//! What a pool holds, line by line, and what each line gains in scenarios of all risk factors together.
//!
//! Profit and loss is the change of the equity in the reporting currency: a contract's result and the currency
//! that it is settled in move together (design.md section 1, currencies).

use std::borrow::Cow;

use crate::book::{Book, Quote};
use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;
use crate::margin::PoolView;
use crate::market::{MarketState, option_value_at, settle_of, settling_ratio, underlying_of, unrealised_pnl};
use crate::moves::{Mapping, between};
use crate::revaluation::joint::{Body, Combination, ForwardMove, Line, OptionLine};
use crate::rulebook::tail::TailRule;

/// Which part of a pool a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOf {
    /// A position, by its place in the pool.
    Position(usize),
    /// A balance, by its place in the pool.
    Balance(usize),
    /// An open order that is taken as filled, by its place in the pool.
    Order(usize),
}

/// A line and the part of the pool that it is.
pub(super) type PoolLine = (LineOf, Line);

/// What is needed to make lines.
pub(super) struct Maker<'a> {
    pub(super) view: &'a PoolView<'a>,
    pub(super) state: &'a MarketState,
    pub(super) mapping: &'a Mapping,
    pub(super) rule: &'a TailRule,
    pub(super) horizon_days: f64,
}

impl Maker<'_> {
    /// Every position and balance of the pool.
    pub(super) fn held(&self) -> Result<Vec<PoolLine>> {
        let mut lines = Vec::with_capacity(self.view.positions.len() + self.view.balances.len());
        for (place, position) in self.view.positions.iter().enumerate() {
            let carried = unrealised_pnl(self.view.book, position, self.state);
            let settle = settle_of(self.view.book, position);
            let underlying = underlying_of(self.view.book, position);
            let body = self.body(position.instrument, underlying, position.quantity, position.mark_price)?;
            lines.push(self.line(LineOf::Position(place), settle, carried, body)?);
        }
        for (place, balance) in self.view.balances.iter().enumerate() {
            let net = balance.cash - balance.debt;
            if net != 0.0 && self.currency_factor(balance.currency).is_some() {
                lines.push(self.line(LineOf::Balance(place), balance.currency, net, Body::Balance)?);
            }
        }
        Ok(lines)
    }

    /// Every open order that is not bound to reduce, on one side, filled at the mark.
    pub(super) fn ordered(&self, buys: bool) -> Result<Vec<PoolLine>> {
        let mut lines = Vec::new();
        for (place, order) in self.view.orders.iter().enumerate() {
            if order.reduce_only || (order.quantity > 0.0) != buys {
                continue;
            }
            let book = self.view.book;
            let underlying = book.instrument_underlying.get(order.instrument).copied().unwrap_or(0);
            let settle = book.instrument_settle.get(order.instrument).copied().unwrap_or(0);
            let mark = self
                .quote(order.instrument)?
                .forward
                .ok_or_else(|| self.missing(order.instrument, "mark price"))?;
            let body = self.body(order.instrument, underlying, order.quantity, mark)?;
            lines.push(self.line(LineOf::Order(place), settle, 0.0, body)?);
        }
        Ok(lines)
    }

    fn line(&self, of: LineOf, currency: usize, carried: f64, body: Body) -> Result<PoolLine> {
        let money = self.view.price(currency, self.state)?;
        Ok((of, Line { money, currency: self.currency_factor(currency), carried, body }))
    }

    fn currency_factor(&self, currency: usize) -> Option<usize> {
        match self.view.book.currencies.get(currency).and_then(|known| known.underlying) {
            Some(coin) => self.mapping.coin.get(coin).copied().flatten(),
            None => self.mapping.currency.get(currency).copied().flatten(),
        }
    }

    fn quote(&self, instrument: usize) -> Result<Cow<'_, Quote>> {
        self.state.quote(self.view.book, instrument).ok_or_else(|| self.missing(instrument, "quote"))
    }

    fn symbol(&self, instrument: usize) -> &str {
        self.view.book.instruments.get(instrument).map_or("?", |known| known.symbol.as_str())
    }

    fn missing(&self, instrument: usize, what: &str) -> Error {
        Error::Missing {
            what: format!("{what} of {}", self.symbol(instrument)),
            why: "a missing price is never a default".into(),
            place: Place::default(),
        }
    }

    fn body(&self, instrument: usize, underlying: usize, quantity: f64, mark: f64) -> Result<Body> {
        let book = self.view.book;
        let ratio = self.state.ratio(underlying);
        let factor = self.mapping.coin.get(underlying).copied().flatten();
        let factor = factor.ok_or_else(|| self.missing(instrument, "moves"))?;
        let quote = self.quote(instrument)?;
        let maturities = self.mapping.basis.get(underlying).map_or(&[][..], Vec::as_slice);
        let basis = between(maturities, quote.years * 365.0)
            .filter(|_| quote.years > 0.0)
            // the logarithm of a dated forward moves by the change of the annual basis times the years
            .map(|factors| Combination::between(factors, quote.years));
        let forward = ForwardMove { factor, basis };
        let known = book.instruments.get(instrument);
        let payoff = known.map_or(Payoff::Linear, |known| known.payoff);
        if let Some(terms) = known.and_then(|known| known.option) {
            let volatility =
                quote.implied_volatility.ok_or_else(|| self.missing(instrument, "implied volatility"))?;
            let moved = quote.moved_forward(ratio).ok_or_else(|| self.missing(instrument, "forward"))?;
            let points = self.mapping.volatility.get(underlying).map_or(&[][..], Vec::as_slice);
            let aged = if self.rule.age_options { self.horizon_days / 365.0 } else { 0.0 };
            let years = (quote.years - aged).max(0.0);
            return Ok(Body::Option(OptionLine {
                quantity,
                right: terms.right,
                payoff,
                strike: terms.strike.0,
                forward: moved,
                fixed: quote.forward_fixed,
                total_volatility: volatility * years.sqrt(),
                discount: (-quote.discount_rate * years).exp(),
                base: Some(option_value_at(book, instrument, self.state)),
                moves: forward,
                volatility: between(points, quote.years * 365.0).map(|own| Combination::between(own, 1.0)),
            }));
        }
        // what settlement has fixed does not move
        let moved = mark * settling_ratio(Some(&quote), ratio);
        let open = quote.share_left_at(ratio);
        Ok(match payoff {
            Payoff::Linear => Body::Linear { forward, slope: quantity * moved * open },
            Payoff::Inverse if open < 1.0 => {
                return Err(Error::NotCovered {
                    what: self.symbol(instrument).to_owned(),
                    why: "its settlement price is partly fixed, and it is settled in the coin".into(),
                    place: Place::default(),
                });
            }
            Payoff::Inverse => Body::Inverse { forward, slope: quantity / moved },
        })
    }
}

/// The factors that a book's accounts under a rulebook need, in no particular order and once each.
///
/// # Errors
///
/// [`Error::Missing`] for an option on a coin whose volatility has no history, where the rulebook requires one.
pub(super) fn wanted(book: &Book, rulebook: usize, rule: &TailRule) -> Result<Vec<crate::history::Factor>> {
    use crate::history::{Factor, FactorKind};
    let own = |account: usize| book.accounts.get(account).is_some_and(|known| known.rulebook == rulebook);
    let report = book.rulebooks.get(rulebook).map_or("", |known| known.report_currency.as_str());
    let history = book.history.as_deref();
    let mut found: Vec<Factor> = Vec::new();
    let mut add = |factor: Factor| {
        if !found.contains(&factor) {
            found.push(factor);
        }
    };
    let mut instruments: Vec<usize> = Vec::new();
    let mut currencies: Vec<usize> = Vec::new();
    for pool in book.pools.iter().filter(|pool| own(pool.account)) {
        instruments.extend(book.positions_of(pool).iter().map(|position| position.instrument));
        instruments.extend(pool.orders.iter().map(|order| order.instrument));
        currencies.extend(pool.balances.iter().filter(|b| b.cash - b.debt != 0.0).map(|b| b.currency));
    }
    instruments.sort_unstable();
    instruments.dedup();
    currencies.extend(instruments.iter().filter_map(|instrument| book.instrument_settle.get(*instrument)));
    currencies.sort_unstable();
    currencies.dedup();
    for instrument in instruments {
        let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
        let Some(coin) = book.underlyings.get(underlying).map(|known| known.name.as_str()) else { continue };
        add(Factor::price(coin));
        let Some(history) = history else {
            if book.instruments.get(instrument).is_some_and(|known| known.option.is_some()) {
                volatility_known(rule, coin, false)?;
            }
            continue;
        };
        if book.instruments.get(instrument).is_some_and(|known| known.option.is_some()) {
            let maturities = history.maturities(coin, true);
            volatility_known(rule, coin, !maturities.is_empty())?;
            for days in maturities {
                add(Factor { coin: coin.to_owned(), kind: FactorKind::Volatility { days } });
            }
        }
        if book.quotes.get(instrument).is_some_and(|quote| quote.years > 0.0) {
            for days in history.maturities(coin, false) {
                add(Factor { coin: coin.to_owned(), kind: FactorKind::Basis { days } });
            }
        }
    }
    for currency in currencies {
        let Some(known) = book.currencies.get(currency).filter(|known| known.code != report) else {
            continue;
        };
        match known.underlying.and_then(|coin| book.underlyings.get(coin)) {
            Some(coin) => add(Factor::price(&coin.name)),
            None => {
                let factor = Factor::price(&known.code);
                if history.is_some_and(|history| history.series_of(&factor).is_some()) {
                    add(factor);
                }
            }
        }
    }
    Ok(found)
}

fn volatility_known(rule: &TailRule, coin: &str, known: bool) -> Result<()> {
    use crate::rulebook::tail::OptionVolatility;
    if known || rule.option_volatility == OptionVolatility::Unmoved {
        return Ok(());
    }
    Err(Error::Missing {
        what: format!("history of the implied volatility of {coin}"),
        why: format!(
            "options lose by it too; add columns such as '{coin} vol 30d' to the history, or set tail.option_volatility = unmoved"
        ),
        place: Place::default(),
    })
}
