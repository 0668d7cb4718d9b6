//! What is held: a contract, its underlying, its settlement currency and its form.

/// The form of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractKind {
    /// A perpetual swap.
    Perpetual,
    /// A dated future.
    Future,
    /// The coin itself, held as a position.
    Spot,
}

/// Whether profit and loss follow the price (linear) or its reciprocal (inverse, coin-margined).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payoff {
    /// `quantity x (price - entry)`, quantity in coins, in the settlement currency.
    Linear,
    /// `quantity x (1 / entry - 1 / price)`, quantity in quote currency (USD), in the coin.
    Inverse,
}

impl Payoff {
    /// Unsigned notional of a quantity at a price: quote currency (linear), coins (inverse).
    pub fn notional(self, quantity: f64, price: f64) -> f64 {
        match self {
            Self::Linear => quantity.abs() * price,
            Self::Inverse => quantity.abs() / price,
        }
    }

    /// Profit and loss of a quantity from one price to another, settlement currency.
    pub fn profit(self, quantity: f64, from: f64, to: f64) -> f64 {
        match self {
            Self::Linear => quantity * (to - from),
            Self::Inverse => quantity * (from.recip() - to.recip()),
        }
    }
}

/// A distinct contract of a book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instrument {
    /// The currency in which profit and loss are settled; first, so that contracts sort by it.
    pub settle: String,
    /// The symbol as pasted.
    pub symbol: String,
    /// The coin whose price moves it, in upper case except for prefixes such as `kPEPE`.
    pub underlying: String,
    /// Perpetual, dated future or spot.
    pub kind: ContractKind,
    /// Linear or inverse.
    pub payoff: Payoff,
    /// Expiry as `YYYY-MM-DD` for dated futures.
    pub expiry: Option<String>,
}
