//! A market state: how far each coin stands from its price in the book.

use crate::book::{Book, Currency, Position};
use crate::instrument::Payoff;

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
/// Linear: `q mark (ratio - 1)`. Inverse: `q / mark (1 - 1 / ratio)` (venues.md section 0).
pub fn pnl_of_move(book: &Book, position: &Position, ratio: f64) -> f64 {
    match payoff(book, position) {
        Payoff::Linear => position.quantity * position.mark_price * (ratio - 1.0),
        Payoff::Inverse => position.quantity / position.mark_price * (1.0 - ratio.recip()),
    }
}

/// Unsigned notional of a position at a ratio, settlement currency.
pub fn notional(book: &Book, position: &Position, ratio: f64) -> f64 {
    payoff(book, position).notional(position.quantity, position.mark_price * ratio)
}

/// Index of the coin that moves a position.
pub fn underlying_of(book: &Book, position: &Position) -> usize {
    book.instrument_underlying.get(position.instrument).copied().unwrap_or(0)
}

/// Index of the currency in which a position settles.
pub fn settle_of(book: &Book, position: &Position) -> usize {
    book.instrument_settle.get(position.instrument).copied().unwrap_or(0)
}
