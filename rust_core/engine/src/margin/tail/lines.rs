//! What a pool holds, line by line, and what each line gains in scenarios of all risk factors together.
//!
//! Profit and loss is the change of the equity in the reporting currency: a contract's result and the currency
//! that it is settled in move together (design.md section 1, currencies).

use crate::book::{Book, Quote};
use crate::error::{Error, Place, Result};
use crate::instrument::{OptionRight, OptionTerms, Payoff};
use crate::margin::PoolView;
use crate::market::{MarketState, option_value, settle_of, settling_ratio, underlying_of, unrealised_pnl};
use crate::moves::{Mapping, Scenarios, between};
use crate::pricing::black76::log_moneyness;
use crate::pricing::kernel::strike_row;
use crate::pricing::level;
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

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) of: LineOf,
    /// Price of the settlement currency at the state, reporting currency.
    money: f64,
    /// Factor that moves the settlement currency.
    currency: Option<usize>,
    /// Result that is carried at the state, settlement currency.
    carried: f64,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    /// Currency alone.
    Balance,
    /// `slope x (ratio - 1)` settlement currency.
    Linear { factor: usize, basis: Option<Basis>, slope: f64 },
    /// `slope x (1 - 1 / ratio)` settlement currency.
    Inverse { factor: usize, basis: Option<Basis>, slope: f64 },
    /// Black-76 at the end of the horizon.
    Option(Box<Priced>),
}

/// The basis of a dated forward: its logarithm moves by the change of the annual basis times the years.
#[derive(Debug, Clone, Copy)]
struct Basis {
    factors: (usize, usize, f64),
    years: f64,
}

#[derive(Debug, Clone)]
struct Priced {
    quantity: f64,
    terms: OptionTerms,
    payoff: Payoff,
    forward: f64,
    fixed: f64,
    volatility: f64,
    years: f64,
    discount_rate: f64,
    /// Value of one unit at the state, settlement currency.
    base: f64,
    factor: usize,
    basis: Option<Basis>,
    volatility_factors: Option<(usize, usize, f64)>,
}

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
    pub(super) fn held(&self) -> Result<Vec<Line>> {
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
    pub(super) fn ordered(&self, buys: bool) -> Result<Vec<Line>> {
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

    fn line(&self, of: LineOf, currency: usize, carried: f64, body: Body) -> Result<Line> {
        Ok(Line {
            of,
            money: self.view.price(currency, self.state)?,
            currency: self.currency_factor(currency),
            carried,
            body,
        })
    }

    fn currency_factor(&self, currency: usize) -> Option<usize> {
        match self.view.book.currencies.get(currency).and_then(|known| known.underlying) {
            Some(coin) => self.mapping.coin.get(coin).copied().flatten(),
            None => self.mapping.currency.get(currency).copied().flatten(),
        }
    }

    fn quote(&self, instrument: usize) -> Result<&Quote> {
        self.view.book.quotes.get(instrument).ok_or_else(|| self.missing(instrument, "quote"))
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
            .map(|factors| Basis { factors, years: quote.years });
        let known = book.instruments.get(instrument);
        let payoff = known.map_or(Payoff::Linear, |known| known.payoff);
        if let Some(terms) = known.and_then(|known| known.option) {
            let volatility =
                quote.implied_volatility.ok_or_else(|| self.missing(instrument, "implied volatility"))?;
            let forward = quote.moved_forward(ratio).ok_or_else(|| self.missing(instrument, "forward"))?;
            let points = self.mapping.volatility.get(underlying).map_or(&[][..], Vec::as_slice);
            let aged = if self.rule.age_options { self.horizon_days / 365.0 } else { 0.0 };
            return Ok(Body::Option(Box::new(Priced {
                quantity,
                terms,
                payoff,
                forward,
                fixed: quote.forward_fixed,
                volatility,
                years: (quote.years - aged).max(0.0),
                discount_rate: quote.discount_rate,
                base: option_value(book, instrument, ratio, volatility),
                factor,
                basis,
                volatility_factors: between(points, quote.years * 365.0),
            })));
        }
        // what settlement has fixed does not move
        let moved = mark * settling_ratio(Some(quote), ratio);
        let open = quote.share_left_at(ratio);
        Ok(match payoff {
            Payoff::Linear => Body::Linear { factor, basis, slope: quantity * moved * open },
            Payoff::Inverse if open < 1.0 => {
                return Err(Error::NotCovered {
                    what: self.symbol(instrument).to_owned(),
                    why: "its settlement price is partly fixed, and it is settled in the coin".into(),
                    place: Place::default(),
                });
            }
            Payoff::Inverse => Body::Inverse { factor, basis, slope: quantity / moved },
        })
    }
}

/// Scenarios as lines read them: ratios of all factors that are prices or volatilities.
pub(super) struct Ratios<'a> {
    set: &'a Scenarios,
    /// Factor by factor `exp(move)`.
    ratios: Vec<Vec<f64>>,
}

impl<'a> Ratios<'a> {
    pub(super) fn new(set: &'a Scenarios) -> Self {
        let ratios = set.moves.iter().map(|own| own.iter().map(|size| size.exp()).collect()).collect();
        Self { set, ratios }
    }

    pub(super) fn count(&self) -> usize {
        self.set.count
    }

    pub(super) fn set(&self) -> &'a Scenarios {
        self.set
    }

    fn ratio(&self, factor: usize, scenario: usize) -> f64 {
        self.ratios.get(factor).and_then(|own| own.get(scenario)).copied().unwrap_or(f64::NAN)
    }

    fn size(&self, factor: usize, scenario: usize) -> f64 {
        self.set.moves.get(factor).and_then(|own| own.get(scenario)).copied().unwrap_or(f64::NAN)
    }

    /// The move of a point between two maturities.
    fn point(&self, (low, high, share): (usize, usize, f64), scenario: usize) -> f64 {
        if share == 0.0 {
            self.size(low, scenario)
        } else {
            (1.0 - share) * self.size(low, scenario) + share * self.size(high, scenario)
        }
    }

    fn forward_ratio(&self, factor: usize, basis: Option<Basis>, scenario: usize) -> f64 {
        let ratio = self.ratio(factor, scenario);
        match basis {
            None => ratio,
            Some(basis) => ratio * (basis.years * self.point(basis.factors, scenario)).exp(),
        }
    }
}

impl Line {
    /// Adds the line's profit and loss in some scenarios, reporting currency.
    ///
    /// What a scenario gives does not depend on which others are asked for with it.
    pub(super) fn add(&self, ratios: &Ratios<'_>, scenarios: &[usize], sums: &mut [f64]) -> Result<()> {
        let money = |scenario: usize, gain: f64| {
            let own = self.currency.map_or(1.0, |factor| ratios.ratio(factor, scenario));
            self.money * (own * (self.carried + gain) - self.carried)
        };
        match &self.body {
            Body::Balance => {
                for (sum, scenario) in sums.iter_mut().zip(scenarios) {
                    *sum += money(*scenario, 0.0);
                }
            }
            Body::Linear { factor, basis, slope } => {
                for (sum, scenario) in sums.iter_mut().zip(scenarios) {
                    let ratio = ratios.forward_ratio(*factor, *basis, *scenario);
                    *sum += money(*scenario, slope * (ratio - 1.0));
                }
            }
            Body::Inverse { factor, basis, slope } => {
                for (sum, scenario) in sums.iter_mut().zip(scenarios) {
                    let ratio = ratios.forward_ratio(*factor, *basis, *scenario);
                    *sum += money(*scenario, slope * (1.0 - ratio.recip()));
                }
            }
            Body::Option(option) => {
                let values = option.values(ratios, scenarios)?;
                for ((sum, scenario), value) in sums.iter_mut().zip(scenarios).zip(values) {
                    *sum += money(*scenario, option.quantity * (value - option.base));
                }
            }
        }
        Ok(())
    }
}

impl Priced {
    /// Value of one unit in some scenarios, settlement currency.
    fn values(&self, ratios: &Ratios<'_>, scenarios: &[usize]) -> Result<Vec<f64>> {
        let root = self.years.sqrt();
        let mut forwards = Vec::with_capacity(scenarios.len());
        let mut totals = Vec::with_capacity(scenarios.len());
        for scenario in scenarios {
            let ratio = ratios.forward_ratio(self.factor, self.basis, *scenario);
            forwards.push((self.forward - self.fixed) * ratio + self.fixed);
            let moved = match self.volatility_factors {
                None => self.volatility,
                Some(points) => self.volatility * ratios.point(points, *scenario).exp(),
            };
            totals.push(moved * root);
        }
        let shocks: Vec<f64> = forwards.iter().map(|forward| (forward / self.forward).ln()).collect();
        let moneyness = log_moneyness(self.forward, self.terms.strike.0);
        let (mut calls, mut puts) = (vec![0.0; scenarios.len()], vec![0.0; scenarios.len()]);
        strike_row(
            level(),
            self.terms.strike.0,
            moneyness,
            &forwards,
            &shocks,
            &totals,
            &mut calls,
            &mut puts,
        )?;
        let mut values = match self.terms.right {
            OptionRight::Call => calls,
            OptionRight::Put => puts,
        };
        let discount = (-self.discount_rate * self.years).exp();
        for (value, forward) in values.iter_mut().zip(&forwards) {
            *value *= discount;
            if self.payoff == Payoff::Inverse {
                *value /= forward;
            }
        }
        Ok(values)
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
