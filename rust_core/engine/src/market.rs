//! A market state: how far coins, volatilities and currencies stand from the book, and how many days have passed.

use std::borrow::Cow;

use crate::book::{Book, Position, Quote};
use crate::instrument::{ContractKind, Instrument, OptionTerms, Payoff};
use crate::marked::Marked;

/// Days of a year, as everywhere in time to expiry.
const DAYS_PER_YEAR: f64 = 365.0;

/// Where the market stands relative to the book.
///
/// Ratios are of prices as they are quoted, one per underlying. Beyond them a state may move implied
/// volatilities (each option keeps its own: sticky strike), let days pass (every traded price stays where the
/// ratios put it, time to expiry shrinks, what is past its expiry is settled) and take a currency off its peg.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketState {
    ratios: Vec<f64>,
    /// What is not a price of a coin; `None` costs nothing and changes no bit.
    beyond: Option<Box<Beyond>>,
}

/// What a state changes besides the prices of coins.
#[derive(Debug, Clone, PartialEq, Default)]
struct Beyond {
    /// Relative and absolute move of implied volatility, by underlying.
    volatilities: Vec<(f64, f64)>,
    /// Days that have passed.
    days: f64,
    /// Ratio of a currency's price besides that of its coin, by currency.
    currencies: Vec<f64>,
}

impl MarketState {
    /// The book's own prices.
    pub fn today(book: &Book) -> Self {
        Self::from_ratios(vec![1.0; book.underlyings.len()])
    }

    /// The state in which the coin with an index stands at `ratio` times its price.
    #[must_use]
    pub fn with(mut self, underlying: usize, ratio: f64) -> Self {
        if let Some(slot) = self.ratios.get_mut(underlying) {
            *slot = ratio;
        }
        self
    }

    /// The state in which every option on a coin has the implied volatility
    /// `own x (1 + relative) + absolute`, annual, fractions; moves of zero change nothing.
    #[must_use]
    pub fn with_volatility(mut self, underlying: usize, relative: f64, absolute: f64) -> Self {
        if (relative, absolute) != (0.0, 0.0) || self.beyond.is_some() {
            set(&mut self.beyond().volatilities, underlying, (relative, absolute), (0.0, 0.0));
        }
        self
    }

    /// The state in which this many days of 24 hours have passed since the as-of, zero or above.
    #[must_use]
    pub fn with_days(mut self, days: f64) -> Self {
        if days != 0.0 || self.beyond.is_some() {
            self.beyond().days = days;
        }
        self
    }

    /// The state in which a currency is worth `ratio` times what its coin's move makes of it: a stable currency
    /// off its peg, a staked form below its coin.
    ///
    /// Of the reporting currency of an account only the peg moves: money is counted in it.
    #[must_use]
    pub fn with_currency(mut self, currency: usize, ratio: f64) -> Self {
        if ratio != 1.0 || self.beyond.is_some() {
            set(&mut self.beyond().currencies, currency, ratio, 1.0);
        }
        self
    }

    fn beyond(&mut self) -> &mut Beyond {
        self.beyond.get_or_insert_default()
    }

    /// A state from all ratios.
    pub fn from_ratios(ratios: Vec<f64>) -> Self {
        Self { ratios, beyond: None }
    }

    /// The ratio of a coin.
    pub fn ratio(&self, underlying: usize) -> f64 {
        self.ratios.get(underlying).copied().unwrap_or(1.0)
    }

    /// Whether anything but prices of coins is moved.
    pub fn is_beyond_prices(&self) -> bool {
        self.beyond.is_some()
    }

    /// The relative and the absolute move of implied volatility of a coin's options.
    pub fn volatility(&self, underlying: usize) -> (f64, f64) {
        let moves = self.beyond.as_ref().and_then(|beyond| beyond.volatilities.get(underlying));
        moves.copied().unwrap_or((0.0, 0.0))
    }

    /// Days that have passed.
    pub fn days(&self) -> f64 {
        self.beyond.as_ref().map_or(0.0, |beyond| beyond.days)
    }

    /// The ratio of a currency besides that of its coin.
    pub fn peg(&self, currency: usize) -> f64 {
        let ratio = self.beyond.as_ref().and_then(|beyond| beyond.currencies.get(currency));
        ratio.copied().unwrap_or(1.0)
    }

    /// The ratio of a currency: that of its coin (1 for stable ones) times its own.
    pub fn currency_ratio(&self, book: &Book, currency: usize) -> f64 {
        let coin = book.currencies.get(currency).and_then(|known| known.underlying);
        let ratio = coin.map_or(1.0, |underlying| self.ratio(underlying));
        if self.beyond.is_some() { ratio * self.peg(currency) } else { ratio }
    }

    /// What the market says about an instrument once days have passed and volatilities have moved. Forwards are
    /// those of the book: where the coin stands is asked of the quote by its ratio.
    pub fn quote<'a>(&self, book: &'a Book, instrument: usize) -> Option<Cow<'a, Quote>> {
        let quote = book.quotes.get(instrument)?;
        if self.beyond.is_none() {
            return Some(Cow::Borrowed(quote));
        }
        let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
        let (relative, absolute) = self.volatility(underlying);
        Some(Cow::Owned(Quote {
            years: (quote.years - self.days() / DAYS_PER_YEAR).max(0.0),
            implied_volatility: quote.implied_volatility.map(|own| own * (1.0 + relative) + absolute),
            ..*quote
        }))
    }

    /// Whether the days that have passed have taken a contract to its expiry.
    pub fn is_expired(&self, book: &Book, instrument: usize) -> bool {
        let days = self.days();
        let dated = || {
            let kind = book.instruments.get(instrument).map(|known| known.kind);
            matches!(kind, Some(ContractKind::Option | ContractKind::Future))
        };
        days > 0.0
            && dated()
            && book.quotes.get(instrument).is_some_and(|quote| quote.years - days / DAYS_PER_YEAR <= 0.0)
    }
}

/// Sets one of a list that is as long as it has to be.
fn set<T: Clone>(list: &mut Vec<T>, place: usize, value: T, unchanged: T) {
    if list.len() <= place {
        list.resize(place + 1, unchanged);
    }
    if let Some(slot) = list.get_mut(place) {
        *slot = value;
    }
}

/// The payoff of a position's contract.
pub fn payoff(book: &Book, position: &Position) -> Payoff {
    book.instruments.get(position.instrument).map_or(Payoff::Linear, |instrument| instrument.payoff)
}

/// Unrealised profit and loss of a position at a state, settlement currency; of what is past its expiry the
/// result that was settled: an option's intrinsic value at its forward, a future's result at its mark.
pub fn unrealised_pnl(book: &Book, position: &Position, state: &MarketState) -> f64 {
    let ratio = state.ratio(underlying_of(book, position));
    if !state.is_beyond_prices() {
        return position.unrealised_pnl + pnl_of_move(book, position, ratio);
    }
    if option_of(book, position.instrument).is_none() {
        return position.unrealised_pnl + pnl_of_move(book, position, ratio);
    }
    if state.is_expired(book, position.instrument) {
        // a mark apart from the model's is no part of what is settled
        return position.quantity * option_value_at(book, position.instrument, state);
    }
    position.unrealised_pnl + position.quantity * option_gain(book, position.instrument, state)
}

/// Profit and loss of a position when its coin moves to `ratio` times its price, settlement currency.
///
/// Linear: `q mark (ratio - 1)`. Inverse: `q / mark (1 - 1 / ratio)` (venues.md section 0). Option: the
/// quantity times its [`option_gain`] at its own volatility, which is exactly zero at a ratio of 1.
pub fn pnl_of_move(book: &Book, position: &Position, ratio: f64) -> f64 {
    if let Some((instrument, terms, quote)) = option_of(book, position.instrument) {
        return position.quantity * gain(instrument, terms, quote, quote, ratio);
    }
    let ratio = settling_ratio(book.quotes.get(position.instrument), ratio);
    match payoff(book, position) {
        Payoff::Linear => position.quantity * position.mark_price * (ratio - 1.0),
        Payoff::Inverse => position.quantity / position.mark_price * (1.0 - ratio.recip()),
    }
}

/// What one unit (one coin) of an option has gained from its mark to a state, settlement currency: the change of
/// its value by the model, but to no value below zero nor below what no arbitrage allows (see [`crate::marked`]).
/// Zero of what is no option.
pub fn option_gain(book: &Book, instrument: usize, state: &MarketState) -> f64 {
    let Some((contract, terms, today)) = option_of(book, instrument) else { return 0.0 };
    let Some(quote) = state.quote(book, instrument) else { return 0.0 };
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    gain(contract, terms, today, &quote, state.ratio(underlying))
}

fn gain(contract: &Instrument, terms: OptionTerms, today: &Quote, there: &Quote, ratio: f64) -> f64 {
    let volatility = there.implied_volatility.unwrap_or(0.0);
    let model = there.value(contract.payoff, terms, ratio, volatility);
    let own = Marked::of(today, contract.payoff, terms);
    own.gain(model, || there.least_value(contract.payoff, terms, ratio))
}

/// An option with its mark; `None` of what is no option.
pub(crate) fn marked(book: &Book, instrument: usize) -> Option<Marked> {
    let (contract, terms, today) = option_of(book, instrument)?;
    Some(Marked::of(today, contract.payoff, terms))
}

/// The least that one unit of an option can be worth at a state, settlement currency; zero of what is no option.
pub(crate) fn least_value_at(book: &Book, instrument: usize, state: &MarketState) -> f64 {
    let Some((contract, terms, _)) = option_of(book, instrument) else { return 0.0 };
    let Some(quote) = state.quote(book, instrument) else { return 0.0 };
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    quote.least_value(contract.payoff, terms, state.ratio(underlying))
}

/// Value of one unit (one coin) of an option by the model at a state, settlement currency; zero of what is no option.
pub fn option_value_at(book: &Book, instrument: usize, state: &MarketState) -> f64 {
    let Some((contract, terms, _)) = option_of(book, instrument) else { return 0.0 };
    let Some(quote) = state.quote(book, instrument) else { return 0.0 };
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let volatility = quote.implied_volatility.unwrap_or(0.0);
    quote.value(contract.payoff, terms, state.ratio(underlying), volatility)
}

/// Value of one unit (one coin) of an option when its coin stands at `ratio` times its price, settlement
/// currency; zero of what is no option. The time to expiry is that of the book, the volatility is annual.
///
/// Black-76 on the moved forward, discounted at the quote's rate; in the coin it is divided by that forward.
/// The part of the forward that settlement has fixed does not move. Not a number where ratio or volatility is
/// below zero.
pub fn option_value(book: &Book, instrument: usize, ratio: f64, volatility: f64) -> f64 {
    option_of(book, instrument)
        .map_or(0.0, |(contract, terms, quote)| quote.value(contract.payoff, terms, ratio, volatility))
}

fn option_of(book: &Book, instrument: usize) -> Option<(&Instrument, OptionTerms, &Quote)> {
    let contract = book.instruments.get(instrument).filter(|known| known.kind == ContractKind::Option)?;
    Some((contract, contract.option?, book.quotes.get(instrument)?))
}

/// Unsigned notional of a position at a ratio, settlement currency. Of an option: the coins that it is on at
/// its moved forward (linear), or those coins (settled in the coin).
pub fn notional(book: &Book, position: &Position, ratio: f64) -> f64 {
    if let Some((instrument, _, quote)) = option_of(book, position.instrument) {
        let coins = position.quantity.abs();
        return match instrument.payoff {
            Payoff::Linear => coins * quote.moved_forward(ratio).unwrap_or(0.0),
            Payoff::Inverse => coins,
        };
    }
    payoff(book, position).notional(position.quantity, mark_at(book, position, ratio))
}

/// The mark of a position that is no option when its coin stands at `ratio` times its price.
pub fn mark_at(book: &Book, position: &Position, ratio: f64) -> f64 {
    position.mark_price * settling_ratio(book.quotes.get(position.instrument), ratio)
}

/// What a move of the coin makes of the mark of a dated future: the part that settlement has fixed stays.
pub(crate) fn settling_ratio(quote: Option<&Quote>, ratio: f64) -> f64 {
    match quote.map_or(1.0, Quote::share_left) {
        1.0 => ratio,
        share => 1.0 + share * (ratio - 1.0),
    }
}

/// Index of the coin that moves a position.
pub fn underlying_of(book: &Book, position: &Position) -> usize {
    book.instrument_underlying.get(position.instrument).copied().unwrap_or(0)
}

/// Index of the currency in which a position settles.
pub fn settle_of(book: &Book, position: &Position) -> usize {
    book.instrument_settle.get(position.instrument).copied().unwrap_or(0)
}
