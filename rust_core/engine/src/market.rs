//! A market state: how far each coin stands from its price in the book.

use crate::book::{Book, Currency, Position, Quote};
use crate::instrument::{ContractKind, Instrument, OptionTerms, Payoff};

/// Ratios of prices to those of the book, one per underlying. Stable currencies have no ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketState {
    ratios: Vec<f64>,
}

impl MarketState {
    /// The book's own prices.
    pub fn today(book: &Book) -> Self {
        Self { ratios: vec![1.0; book.underlyings.len()] }
    }

    /// The state in which the coin with an index stands at `ratio` times its price.
    #[must_use]
    pub fn with(mut self, underlying: usize, ratio: f64) -> Self {
        if let Some(slot) = self.ratios.get_mut(underlying) {
            *slot = ratio;
        }
        self
    }

    /// A state from all ratios.
    pub fn from_ratios(ratios: Vec<f64>) -> Self {
        Self { ratios }
    }

    /// The ratio of a coin.
    pub fn ratio(&self, underlying: usize) -> f64 {
        self.ratios.get(underlying).copied().unwrap_or(1.0)
    }

    /// The ratio of a currency: that of its coin, 1 for stable ones.
    pub fn currency_ratio(&self, currency: &Currency) -> f64 {
        currency.underlying.map_or(1.0, |underlying| self.ratio(underlying))
    }
}

/// The payoff of a position's contract.
pub fn payoff(book: &Book, position: &Position) -> Payoff {
    book.instruments.get(position.instrument).map_or(Payoff::Linear, |instrument| instrument.payoff)
}

/// Unrealised profit and loss of a position at a state, settlement currency.
pub fn unrealised_pnl(book: &Book, position: &Position, state: &MarketState) -> f64 {
    let ratio = state.ratio(underlying_of(book, position));
    position.unrealised_pnl + pnl_of_move(book, position, ratio)
}

/// Profit and loss of a position when its coin moves to `ratio` times its price, settlement currency.
///
/// Linear: `q mark (ratio - 1)`. Inverse: `q / mark (1 - 1 / ratio)` (venues.md section 0). Option: the
/// quantity times the change of [`option_value`] at its own volatility, which is exactly zero at a ratio of 1.
pub fn pnl_of_move(book: &Book, position: &Position, ratio: f64) -> f64 {
    if let Some((instrument, terms, quote)) = option_of(book, position.instrument) {
        let volatility = quote.implied_volatility.unwrap_or(0.0);
        let at = |ratio: f64| quote.value(instrument.payoff, terms, ratio, volatility);
        return position.quantity * (at(ratio) - at(1.0));
    }
    let ratio = settling_ratio(book.quotes.get(position.instrument), ratio);
    match payoff(book, position) {
        Payoff::Linear => position.quantity * position.mark_price * (ratio - 1.0),
        Payoff::Inverse => position.quantity / position.mark_price * (1.0 - ratio.recip()),
    }
}

/// What one unit of an option gains from the book's prices to a state, settlement currency.
pub(crate) fn gain_of_unit(book: &Book, instrument: usize, state: &MarketState) -> f64 {
    let Some((contract, terms, quote)) = option_of(book, instrument) else { return 0.0 };
    let volatility = quote.implied_volatility.unwrap_or(0.0);
    let at = |ratio: f64| quote.value(contract.payoff, terms, ratio, volatility);
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    at(state.ratio(underlying)) - at(1.0)
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
