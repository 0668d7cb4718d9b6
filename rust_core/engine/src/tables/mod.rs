//! From pasted tables to rows that have one meaning.
//!
//! Each table has one reading function. It never fails: what cannot be used is left out of `rows` and stands
//! in `findings` with row, column, value, rule and what to do.

mod aliases;
mod balances;
mod brackets;
mod candidates;
mod columns;
mod date;
mod held;
mod hints;
mod instruments;
mod limits;
mod margin_columns;
mod market;
mod modes;
mod notes;
mod number;
mod opposite;
mod option_symbol;
mod orders;
mod positions;
mod quoted;
mod side;
mod symbol;
#[cfg(test)]
mod tests;
mod times;
mod units;
mod words;

pub use aliases::header_sources;
pub use balances::read_balances;
pub use brackets::read_brackets;
pub use candidates::{CandidateRow, read_candidates};
pub(crate) use date::{day, expiry_of_day, instant};
pub use limits::{LimitRow, LimitRows, read_limits};
pub use market::read_market;
pub(crate) use option_symbol::is_option_symbol;
pub use orders::read_orders;
pub use positions::read_positions;
pub use quoted::Quoted;
pub(crate) use symbol::coin_of;
pub use units::Scale;

/// What a table leaves to the rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Settlement currency of a contract whose symbol does not name one, such as `USDC`.
    pub settle: String,
    /// What a bare balance column means where the headers do not tell.
    pub balance_total: BalanceTotal,
}

/// What a bare balance column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceTotal {
    /// Without unrealised profit and loss.
    Cash,
    /// With unrealised profit and loss.
    Equity,
}

/// A row of the positions table, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Index into [`Positions::accounts`]; `None` when the table has no account column or the cell is empty.
    pub account: Option<u32>,
    /// Index into [`Positions::strategies`]; `None` where the row names none.
    pub strategy: Option<u32>,
    /// Index into [`Positions::instruments`].
    pub instrument: u32,
    /// Net position, or one leg of a hedge-mode account.
    pub leg: Leg,
    /// Signed quantity (long > 0): coins for linear contracts, spot and options, quote currency (USD) for
    /// other inverse ones.
    pub quantity: f64,
    /// Average entry price, quote currency per coin; of an option, settlement currency per coin.
    pub entry_price: Option<f64>,
    /// Mark price, unit as the entry price.
    pub mark_price: Option<f64>,
    /// Index price, quote currency per coin.
    pub index_price: Option<f64>,
    /// Unrealised profit and loss as the venue reports it, settlement currency.
    pub unrealised_pnl: Option<f64>,
    /// Funding that is due and not yet paid, settlement currency.
    pub unrealised_funding: Option<f64>,
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
    /// What options are valued from, where the row says something of it.
    pub quoted: Option<Box<Quoted>>,
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
    /// The venue reports the rate that holds today, without the amount that goes with it (ccxt's
    /// `maintenanceMarginPercentage`): a bracket table of the rulebook is better, nothing is worse.
    ReportedRate {
        /// Fraction of notional.
        rate: f64,
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

/// The positions table, understood.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    /// Distinct accounts in order of first appearance.
    pub accounts: Vec<String>,
    /// Distinct strategies in order of first appearance.
    pub strategies: Vec<String>,
    /// Distinct instruments in order of first appearance.
    pub instruments: Vec<crate::instrument::Instrument>,
    /// One per usable row, in the order of the table.
    pub rows: Vec<PositionRow>,
    /// What each pasted header was understood as.
    pub columns: Vec<ColumnView>,
    /// In which unit each symbol's quantity was read.
    pub units: Vec<UnitView>,
    /// How the pasted quantity of each instrument was scaled, so that orders are read the same way.
    pub scales: Vec<Scale>,
    /// The venue whose native export this is, if the headers show one (`binance`, `hyperliquid`, `deribit`,
    /// `okx`, `bybit`, `ccxt`).
    pub venue: Option<&'static str>,
    /// Account-level figures found in the same table are not supported; rows only.
    pub findings: Vec<crate::finding::Finding>,
    /// The latest timestamp of the table, as pasted; `None` when there is none.
    pub timestamp: Option<String>,
    /// Profit and loss of one unit in each scenario, by place of the instrument, where rows give it.
    pub risk_arrays: std::collections::BTreeMap<u32, Vec<f64>>,
}

/// One row of `CM_CHECK(..., "columns")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnView {
    /// The table.
    pub sheet: &'static str,
    /// Header as pasted.
    pub header: String,
    /// Canonical name, or `ignored`.
    pub understood_as: String,
    /// Unit of its numbers.
    pub unit: String,
    /// First non-empty cell.
    pub sample: String,
    /// What else to know.
    pub note: String,
}

/// One row of `CM_CHECK(..., "units")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitView {
    /// The symbol.
    pub symbol: String,
    /// `coin`, `contracts` or `USD`.
    pub read_as: &'static str,
    /// How that was decided.
    pub because: String,
}

/// A row of the collateral table, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct BalanceRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Account as pasted, if given.
    pub account: Option<String>,
    /// Currency, upper case.
    pub currency: String,
    /// Balance without unrealised profit and loss, coins.
    pub cash: Option<f64>,
    /// Balance with unrealised profit and loss, coins. At least one of the two is given.
    pub equity: Option<f64>,
    /// Borrowed amount, coins, not negative; zero if not given.
    pub debt: f64,
    /// Collateral rate of the row itself, a fraction (1 - haircut).
    pub collateral_rate: Option<f64>,
    /// Collateral rate of the row itself at the initial level, where a venue has two.
    pub initial_rate: Option<f64>,
    /// The coin whose price it follows, where the row says.
    pub follows: Option<String>,
    /// Largest amount that counts, coins.
    pub cap: Option<f64>,
    /// The venue's price of the coin, reporting currency.
    pub price_venue: Option<f64>,
    /// A reference price of the coin, reporting currency.
    pub price_reference: Option<f64>,
    /// Whether the venue counts the coin as collateral.
    pub enabled: bool,
    /// The venue's confidence in the price, 0 to 1.
    pub confidence: Option<f64>,
    /// Whether scenarios move the balance's price, where the row says.
    pub in_scan: Option<bool>,
    /// What the venue reports for the account on this row: initial and maintenance margin.
    pub reported: ReportedAccount,
}

/// Account figures that venues put beside the balance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReportedAccount {
    /// Initial margin, coins of the row's currency.
    pub initial_margin: Option<f64>,
    /// Maintenance margin, coins of the row's currency.
    pub maintenance_margin: Option<f64>,
    /// Unrealised profit and loss, coins of the row's currency.
    pub unrealised_pnl: Option<f64>,
}

/// The collateral table, understood.
#[derive(Debug, Clone, Default)]
pub struct Balances {
    /// Usable rows in the order of the table.
    pub rows: Vec<BalanceRow>,
    /// What each pasted header was understood as.
    pub columns: Vec<ColumnView>,
    /// The venue whose native export this is.
    pub venue: Option<&'static str>,
    /// What was noticed.
    pub findings: Vec<crate::finding::Finding>,
}

/// A row of the orders table, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Account as pasted, if given.
    pub account: Option<String>,
    /// The contract.
    pub instrument: crate::instrument::Instrument,
    /// Signed quantity (buy > 0), in the unit of [`PositionRow::quantity`].
    pub quantity: f64,
    /// Limit price; `None` for a market order, which is valued at the mark.
    pub price: Option<f64>,
    /// Whether it can only reduce the position.
    pub reduce_only: bool,
    /// Which maintenance table the row itself names.
    pub tier: TierSource,
    /// Initial margin rate of the row itself, a fraction of notional.
    pub initial_rate: Option<f64>,
}

/// The orders table, understood.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Usable rows in the order of the table.
    pub rows: Vec<OrderRow>,
    /// What each pasted header was understood as.
    pub columns: Vec<ColumnView>,
    /// What was noticed.
    pub findings: Vec<crate::finding::Finding>,
}

/// A row of the market table, understood: about a coin, about one symbol, or about one expiry of a coin.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// The coin, if the row is about a coin.
    pub underlying: Option<String>,
    /// The symbol, if the row is about a symbol.
    pub symbol: Option<String>,
    /// Mark price.
    pub mark_price: Option<f64>,
    /// Index price; the price of the coin as collateral.
    pub index_price: Option<f64>,
    /// Volatility of one day, a fraction.
    pub daily_volatility: Option<f64>,
    /// Volatility of one year, a fraction.
    pub annual_volatility: Option<f64>,
    /// Sensitivity of log returns to the driver of a beta path.
    pub beta: Option<f64>,
    /// Smallest price step of the symbol.
    pub tick: Option<f64>,
    /// Smallest quantity step of the symbol.
    pub lot: Option<f64>,
    /// The expiry that the row is about, `YYYY-MM-DD`.
    pub expiry: Option<String>,
    /// Its instant where that is not 08:00 UTC, seconds since 1970.
    pub expiry_instant: Option<i64>,
    /// Open interest, coins.
    pub open_interest: Option<f64>,
    /// Average volume of a day, coins.
    pub average_daily_volume: Option<f64>,
    /// Half the distance of bid and offer, a fraction of the price.
    pub half_spread: Option<f64>,
    /// Money that one side of the book takes before the price moves by 1 %, reporting currency.
    pub depth: Option<f64>,
    /// The same for 2 %.
    pub depth_two: Option<f64>,
    /// Correlations of its moves with those of other coins.
    pub correlations: Vec<(String, f64)>,
    /// What options are valued from.
    pub quoted: Quoted,
}

/// The market table, understood.
#[derive(Debug, Clone, Default)]
pub struct MarketRows {
    /// Usable rows in the order of the table.
    pub rows: Vec<MarketRow>,
    /// The latest timestamp of the table, as pasted.
    pub timestamp: Option<String>,
    /// What each pasted header was understood as.
    pub columns: Vec<ColumnView>,
    /// What was noticed.
    pub findings: Vec<crate::finding::Finding>,
}

/// One bracket of a maintenance table given as a sheet or a file.
#[derive(Debug, Clone, PartialEq)]
pub struct BracketRow {
    /// Row of the pasted table, the header being row 1.
    pub row: usize,
    /// Symbol (or name of the table) that the bracket belongs to.
    pub symbol: String,
    /// Lower bound of notional.
    pub floor: f64,
    /// Upper bound of notional, if given.
    pub cap: Option<f64>,
    /// Maintenance margin rate, a fraction.
    pub maintenance_rate: f64,
    /// Largest leverage in the bracket.
    pub max_leverage: Option<f64>,
    /// Cumulative maintenance amount as published; compared with ours, never trusted.
    pub amount: Option<f64>,
}

/// A table of brackets, understood.
#[derive(Debug, Clone, Default)]
pub struct Brackets {
    /// Usable rows in the order of the table.
    pub rows: Vec<BracketRow>,
    /// What each pasted header was understood as.
    pub columns: Vec<ColumnView>,
    /// What was noticed.
    pub findings: Vec<crate::finding::Finding>,
}
