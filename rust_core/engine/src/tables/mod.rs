//! From pasted tables to rows that have one meaning.

/// A row of the positions table, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Index into [`Positions::accounts`]; `None` when the table has no account column or the cell is empty.
    pub account: Option<u32>,
    /// Index into [`Positions::instruments`].
    pub instrument: u32,
    /// Net position, or one leg of a hedge-mode account.
    pub leg: Leg,
    /// Signed quantity (long > 0): coins for linear contracts and spot, quote currency (USD) for inverse ones.
    pub quantity: f64,
    /// Average entry price, quote currency per coin.
    pub entry_price: Option<f64>,
    /// Mark price, quote currency per coin.
    pub mark_price: Option<f64>,
    /// Unrealised profit and loss as the venue reports it, settlement currency.
    pub unrealised_pnl: Option<f64>,
    /// Leverage chosen by the user.
    pub leverage: Option<f64>,
    /// Cross, or isolated with its own margin.
    pub mode: MarginMode,
    /// Which maintenance table the row itself names.
    pub tier: TierSource,
    /// Initial margin rate of the row itself, a fraction of notional.
    pub initial_rate: Option<f64>,
    /// What the venue reports for the row.
    pub reported: Reported,
    /// Rank for `liquidate_last` tags: rows with `true` go after all others.
    pub liquidate_last: bool,
}

/// Which side of a hedge-mode account a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// One-way mode: rows of one symbol are netted.
    Net,
    /// The long leg.
    Long,
    /// The short leg.
    Short,
}

/// Cross or isolated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MarginMode {
    /// Shares the margin of its pool.
    Cross,
    /// Has a margin of its own.
    Isolated(IsolatedMargin),
}

/// The margin of an isolated position, settlement currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IsolatedMargin {
    /// Without unrealised profit and loss.
    Cash(f64),
    /// With unrealised profit and loss.
    Equity(f64),
    /// Not given: entry notional over leverage is assumed, and the check says so.
    FromLeverage,
}

/// Where a row's maintenance rate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum TierSource {
    /// The row names a table of the rulebook (`marginTable`).
    Table(String),
    /// The row gives a rate, and perhaps the cumulative amount that goes with it.
    Rate {
        /// Fraction of notional.
        rate: f64,
        /// Cumulative amount to subtract, settlement currency; zero if not given.
        amount: f64,
    },
    /// The row says nothing: the rulebook's list decides.
    Rulebook,
}

/// What the venue reports, all in the settlement currency; used for reconciliation only.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reported {
    /// Notional value, unsigned.
    pub notional: Option<f64>,
    /// Initial margin.
    pub initial_margin: Option<f64>,
    /// Maintenance margin.
    pub maintenance_margin: Option<f64>,
    /// Liquidation price.
    pub liquidation_price: Option<f64>,
}
