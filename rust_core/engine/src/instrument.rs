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
    /// A European option.
    Option,
}

/// The right of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionRight {
    /// To buy at the strike.
    Call,
    /// To sell at the strike.
    Put,
}

impl OptionRight {
    /// The word shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Put => "put",
        }
    }

    /// What the option is worth at expiry: `max(price - strike, 0)` or `max(strike - price, 0)`.
    pub fn intrinsic(self, price: f64, strike: f64) -> f64 {
        match self {
            Self::Call => (price - strike).max(0.0),
            Self::Put => (strike - price).max(0.0),
        }
    }
}

/// A strike price, quote currency; ordered by size, so that a contract can be a key.
#[derive(Debug, Clone, Copy)]
pub struct Strike(pub f64);

impl PartialEq for Strike {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0).is_eq()
    }
}

impl Eq for Strike {}

impl PartialOrd for Strike {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Strike {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl std::hash::Hash for Strike {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// What makes a contract an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionTerms {
    /// Its strike.
    pub strike: Strike,
    /// Call or put.
    pub right: OptionRight,
}

/// Whether profit and loss follow the price (linear) or its reciprocal (inverse, coin-margined).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payoff {
    /// `quantity x (price - entry)`, quantity in coins, in the settlement currency. Of an option: quantity in
    /// coins, value in the settlement currency.
    Linear,
    /// `quantity x (1 / entry - 1 / price)`, quantity in quote currency (USD), in the coin. Of an option:
    /// quantity in coins, value in the coin: its value in quote currency over the forward.
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
    /// Perpetual, dated future, spot or option.
    pub kind: ContractKind,
    /// Linear or inverse.
    pub payoff: Payoff,
    /// Expiry as `YYYY-MM-DD` for dated futures and options.
    pub expiry: Option<String>,
    /// The instant of expiry where a column gives one, seconds since 1970 in UTC; `None`: 08:00 UTC of the
    /// day, as on every venue that is known here.
    pub expiry_instant: Option<i64>,
    /// Strike and right of an option.
    pub option: Option<OptionTerms>,
}
