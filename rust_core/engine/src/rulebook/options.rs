//! Formulas of options in standard margin, where no scenario is run.

/// What a short option's margin is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Premium {
    /// The mark is added: the option's value is not in the equity.
    Mark,
    /// The larger of entry and mark is added at the initial level, the mark at the maintenance level.
    LargerOfEntryAndMark,
    /// Nothing is added: the option's value is in the equity.
    Nothing,
}

/// Parameters of one level for options sold, as fractions of the index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortRate {
    /// Fraction at or in the money.
    pub rate: f64,
    /// Least fraction; with it the amount out of the money is taken off `rate`, without it nothing is.
    pub floor: Option<f64>,
    /// Fraction of the mark of a call that the margin is no less than; zero for none.
    pub call_mark: f64,
    /// Fraction of the mark of a put that the margin is no less than; zero for none.
    pub put_mark: f64,
    /// A fee of closing, a fraction of the index.
    pub fee: f64,
}

/// Parameters of one level for options bought: `min(mark, rate x index)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongRate {
    /// Fraction of the index; zero needs no margin.
    pub rate: f64,
}

/// At which price a net call sold is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetPrice {
    /// The forward of the expiry.
    Forward,
    /// The index of the coin.
    Index,
}

/// Spreads: the margin of an expiry is no more than its largest loss at the book's own strikes plus a
/// charge per net option sold without a cover.
///
/// The loss counts from the options' value where that is in the equity ([`Premium::Nothing`]), from zero
/// where it is not. An expiry with no option sold is left alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpiryOffset {
    /// Charge at the initial level, a multiple of the price per net call sold.
    pub initial: f64,
    /// Charge at the maintenance level.
    pub maintenance: f64,
    /// At which price.
    pub price: OffsetPrice,
}

/// What open orders in options need at the initial level besides the margin of the position they lead to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionOrders {
    /// Fee of a fill, a fraction of the index.
    pub fee: f64,
    /// Largest fee, a fraction of the order's price; infinite for none.
    pub fee_cap: f64,
    /// Whether the premium that a sale will bring counts against its margin.
    pub credit_premium: bool,
}

/// Standard option margin. Money is in the settlement currency: coins for coin-settled options, whose
/// index is 1 coin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StandardOptions {
    /// Options sold, initial level.
    pub short_initial: ShortRate,
    /// Options sold, maintenance level.
    pub short_maintenance: ShortRate,
    /// The initial margin of a call sold is no less than this multiple of its maintenance margin; zero for none.
    pub call_initial_over_maintenance: f64,
    /// The same for a put.
    pub put_initial_over_maintenance: f64,
    /// What is added for the option's own value.
    pub premium: Premium,
    /// Options bought, initial level.
    pub long_initial: LongRate,
    /// Options bought, maintenance level.
    pub long_maintenance: LongRate,
    /// Spreads within an expiry.
    pub offset: Option<ExpiryOffset>,
    /// Open orders.
    pub orders: OptionOrders,
}
