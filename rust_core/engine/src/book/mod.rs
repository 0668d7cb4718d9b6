//! A validated book: accounts, distinct instruments, netted positions, balances, orders and prices.

mod added;
mod assemble;
mod assumed;
mod build;
mod collect;
mod correlations;
mod forwards;
mod held;
pub(crate) mod key;
mod net;
mod pools;
mod prices;
mod quotes;
pub mod rebook;
mod tiering;
mod times;
pub mod traded;

use std::sync::{Arc, OnceLock};

use crate::error::Result;
use crate::finding::Finding;
use crate::history::History;
use crate::instrument::{Instrument, OptionTerms, Payoff};
use crate::moves::{Mapping, Moves};
use crate::pricing::settlement::share_left;
use crate::pricing::value;
use crate::rulebook::{RateSlice, Rulebook, TierTable};
use crate::tables::{ColumnView, Leg, Reported, ReportedAccount, UnitView};

pub use build::{Input, Options, Outcome, RulebookChoice, build, read_only};

/// One account with its rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Name as pasted, `main` when no table names one.
    pub name: String,
    /// Index into [`Book::rulebooks`].
    pub rulebook: usize,
}

/// A volatility as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Volatility {
    /// Of one day, a fraction.
    Daily(f64),
    /// Of one year, a fraction; how many days a year has is the rulebook's matter.
    Annual(f64),
}

/// A coin whose price moves positions, collateral or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Underlying {
    /// Name, such as `BTC`.
    pub name: String,
    /// Mark of its first perpetual, which is what a venue's liquidation price refers to; else of another
    /// contract; else the price that the market table gives.
    pub price: Option<f64>,
    /// Symbol whose mark stands for the coin.
    pub quoted_by: Option<String>,
    /// Volatility as given.
    pub volatility: Option<Volatility>,
    /// Volatility of one day, a fraction; a yearly one is scaled by 365 days.
    pub daily_volatility: Option<f64>,
    /// Sensitivity of log returns to the driver.
    pub beta: Option<f64>,
    /// The index (spot) price, quote currency, where one is given; what margin formulas call the index.
    pub index_price: Option<f64>,
    /// The venue's confidence in the index, 0 to 1.
    pub confidence: Option<f64>,
    /// Open interest of its perpetual, coins.
    pub open_interest: Option<f64>,
    /// Average volume of a day, coins.
    pub average_daily_volume: Option<f64>,
    /// Half the distance of bid and offer, a fraction of the price.
    pub half_spread: Option<f64>,
    /// Money that one side of the book takes before the price moves by 1 %, reporting currency.
    pub depth: Option<f64>,
    /// The same for 2 %.
    pub depth_two: Option<f64>,
    /// Correlations of its moves with those of other coins, as the market table gives them.
    pub correlations: Vec<(String, f64)>,
}

/// A currency in which something is held or settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Currency {
    /// Code, upper case.
    pub code: String,
    /// The coin it moves with; `None` for stable currencies.
    pub underlying: Option<usize>,
    /// Price per rulebook, in that rulebook's reporting currency.
    pub price: Vec<Option<f64>>,
    /// A reference price, where the collateral table gives one.
    pub price_reference: Option<f64>,
    /// Of a stable currency: its own price in USD, where the market table gives one. It decides how far the
    /// currency is off its peg, never what a balance is worth.
    pub peg: Option<f64>,
}

/// Where a position's maintenance table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableOrigin {
    /// The row names it.
    Row,
    /// The row gives a rate.
    Rate,
    /// The rulebook's list, or brackets given with the book.
    Listed,
    /// Assumed from the row's leverage.
    Assumed,
    /// The measure needs none, or a formula of the rulebook takes its place.
    None,
}

impl TableOrigin {
    /// The words of the status column.
    pub fn words(self) -> &'static str {
        match self {
            Self::Row => "table of the row",
            Self::Rate => "rate of the row",
            Self::Listed => "table of the rulebook",
            Self::Assumed => "table assumed",
            Self::None => "no table needed",
        }
    }
}

/// A netted position: one per account, margin mode, symbol and leg.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Index into [`Book::accounts`].
    pub account: usize,
    /// Index into [`Book::instruments`].
    pub instrument: usize,
    /// Net, or a leg of a hedge-mode account.
    pub leg: Leg,
    /// Signed quantity: coins (linear contracts and options), quote currency (other inverse contracts).
    pub quantity: f64,
    /// Average entry price, if known; of an option, settlement currency per coin.
    pub entry_price: Option<f64>,
    /// Mark price; of an option, settlement currency per coin.
    pub mark_price: f64,
    /// What the position adds to the equity beyond cash, settlement currency: unrealised profit and loss at the
    /// mark (zero where it is not known) and funding due; of an option its whole value, since its premium was
    /// paid in cash.
    pub unrealised_pnl: f64,
    /// Whether it is known; if not, the pool's equity is, and profit and loss count from the mark.
    pub pnl_known: bool,
    /// Leverage chosen by the user.
    pub leverage: Option<f64>,
    /// Index into [`Book::tables`]; measures without tables share one with a rate of zero.
    pub table: usize,
    /// Where that table comes from.
    pub origin: TableOrigin,
    /// Initial margin rate of the row.
    pub initial_rate: Option<f64>,
    /// What the venue reports.
    pub reported: Reported,
    /// First row of the table that went into it.
    pub row: usize,
    /// Whether it goes last in every order of liquidation.
    pub liquidate_last: bool,
    /// Signed quantity by strategy, an index into [`Book::strategies`]; what names none is the first of them.
    pub strategies: Vec<(usize, f64)>,
}

/// A balance of one pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// Index into [`Book::currencies`].
    pub currency: usize,
    /// Balance without unrealised profit and loss, coins.
    pub cash: f64,
    /// Whether positions of the pool settled in it when the pool was whole.
    pub settles: bool,
    /// Whether it was pasted as equity, so that profit and loss are in it already.
    pub from_equity: bool,
    /// Borrowed, coins.
    pub debt: f64,
    /// Collateral rate in slices; empty where none is known.
    pub rates: Vec<RateSlice>,
    /// Collateral rate at the initial level, where it differs.
    pub initial_rate: Option<f64>,
    /// Largest amount that counts, coins.
    pub cap: Option<f64>,
    /// Whether it counts at all.
    pub enabled: bool,
    /// Whether scenarios move its price, where the row says; else the rulebook decides.
    pub in_scan: Option<bool>,
    /// The venue's confidence in its price, 0 to 1; `None` where it publishes none.
    pub confidence: Option<f64>,
    /// What the venue reports for it.
    pub reported: ReportedAccount,
    /// Row of the collateral table; `None` for an isolated margin.
    pub row: Option<usize>,
}

impl Balance {
    /// An empty balance in a currency that positions of the pool settle in.
    pub fn of_results(currency: usize) -> Self {
        Self {
            currency,
            cash: 0.0,
            settles: true,
            from_equity: false,
            debt: 0.0,
            rates: Vec::new(),
            initial_rate: None,
            cap: None,
            enabled: true,
            in_scan: None,
            confidence: None,
            reported: ReportedAccount::default(),
            row: None,
        }
    }
}

/// An open order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Index into [`Book::instruments`].
    pub instrument: usize,
    /// Signed quantity, unit as in [`Position::quantity`].
    pub quantity: f64,
    /// Limit price, or the mark for a market order.
    pub price: f64,
    /// Index into [`Book::tables`].
    pub table: usize,
    /// Initial margin rate given with the order's symbol, if any.
    pub initial_rate: Option<f64>,
    /// Leverage of the symbol's position, if any.
    pub leverage: Option<f64>,
    /// Whether it can only reduce.
    pub reduce_only: bool,
    /// Row of the orders table.
    pub row: usize,
}

/// What shares one margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The cross positions of an account; with a settlement currency where each is a pool of its own.
    Cross(Option<usize>),
    /// One isolated position.
    Isolated,
}

/// A pool: the positions and balances that share one margin.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Index into [`Book::accounts`].
    pub account: usize,
    /// Cross or isolated.
    pub kind: PoolKind,
    /// Its positions: a range of [`Book::positions`].
    pub positions: std::ops::Range<usize>,
    /// Its balances.
    pub balances: Vec<Balance>,
    /// Its open orders.
    pub orders: Vec<Order>,
}

/// What the market says about one instrument beyond its mark: what options are priced from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quote {
    /// Years of 365 days to expiry at the as-of; zero for a perpetual or the coin itself.
    pub years: f64,
    /// Price of the underlying for delivery at expiry, quote currency; for what is no option, its own mark.
    pub forward: Option<f64>,
    /// Implied volatility of an option, annual, a fraction.
    pub implied_volatility: Option<f64>,
    /// Continuously compounded interest rate of the expiry, per year; zero where none is given.
    pub rate: f64,
    /// The rate at which the rulebook discounts, per year; zero where it does not.
    pub discount_rate: f64,
    /// The venue's confidence in the quote (its own feed: volatility of an option, mark of a perpetual),
    /// 0 to 1; `None` where it publishes none.
    pub confidence: Option<f64>,
    /// The venue's confidence in the forward and the rate of the expiry, 0 to 1.
    pub forward_confidence: Option<f64>,
    /// The part of the forward that settlement has already fixed (an average over the last minutes).
    pub forward_fixed: f64,
    /// Funding rate of a perpetual per eight hours.
    pub funding_rate: Option<f64>,
    /// Mark of an option, settlement currency per coin.
    pub mark: Option<f64>,
}

impl Quote {
    /// The forward when the coin stands at `ratio` times its price; the part that settlement has fixed does not
    /// move. `None` where there is no forward.
    pub fn moved_forward(&self, ratio: f64) -> Option<f64> {
        let forward = self.forward?;
        Some((forward - self.forward_fixed) * ratio + self.forward_fixed)
    }

    /// The share of the settlement price that is still open; 1 outside the window in which it is averaged.
    pub fn share_left(&self) -> f64 {
        self.forward.map_or(1.0, |forward| share_left(forward, self.forward_fixed))
    }

    /// The share of the forward that is still open when the coin stands at `ratio` times its price.
    pub fn share_left_at(&self, ratio: f64) -> f64 {
        self.moved_forward(ratio).map_or(1.0, |forward| share_left(forward, self.forward_fixed))
    }

    /// Value of one coin of an option, settlement currency: Black-76 at an annual volatility on the moved
    /// forward, discounted at the rate that the rulebook discounts at; in the coin it is divided by that
    /// forward. Zero where there is no forward, not a number where ratio or volatility is below zero.
    pub fn value(&self, payoff: Payoff, terms: OptionTerms, ratio: f64, volatility: f64) -> f64 {
        let Some(forward) = self.moved_forward(ratio) else { return 0.0 };
        let total = volatility * self.years.sqrt();
        let undiscounted = value(terms.right, forward, terms.strike.0, total).unwrap_or(f64::NAN);
        let value = (-self.discount_rate * self.years).exp() * undiscounted;
        match payoff {
            Payoff::Linear => value,
            Payoff::Inverse => value / forward,
        }
    }

    /// The least that one coin of an option can be worth, settlement currency: what it pays if the forward stays,
    /// discounted as its value is. Zero where there is no forward.
    pub(crate) fn least_value(&self, payoff: Payoff, terms: OptionTerms, ratio: f64) -> f64 {
        let Some(forward) = self.moved_forward(ratio) else { return 0.0 };
        let value = (-self.discount_rate * self.years).exp() * terms.right.intrinsic(forward, terms.strike.0);
        match payoff {
            Payoff::Linear => value,
            Payoff::Inverse => value / forward,
        }
    }
}

/// A validated book.
#[derive(Debug, Clone)]
pub struct Book {
    /// Content hash, 32 hexadecimal digits.
    pub hash: String,
    /// The whole text key.
    pub key: String,
    /// As-of as given, or the latest timestamp of the positions, or `none`.
    pub as_of: String,
    /// Rulebooks in use.
    pub rulebooks: Vec<Rulebook>,
    /// Accounts by name.
    pub accounts: Vec<Account>,
    /// Strategies by name; the first, without a name, is that of rows that name none.
    pub strategies: Vec<String>,
    /// Distinct instruments by symbol.
    pub instruments: Vec<Instrument>,
    /// Index of each instrument's underlying.
    pub instrument_underlying: Vec<usize>,
    /// Index of each instrument's settlement currency.
    pub instrument_settle: Vec<usize>,
    /// Smallest price step of each instrument, where known.
    pub tick: Vec<Option<f64>>,
    /// Smallest quantity step of each instrument, where known.
    pub lot: Vec<Option<f64>>,
    /// Volatility of each instrument, where the market table gives one for the symbol.
    pub volatility: Vec<Option<Volatility>>,
    /// What options are priced from, one per instrument.
    pub quotes: Vec<Quote>,
    /// Profit and loss of one unit in each scenario, settlement currency, where a row gives it.
    pub risk_arrays: Vec<Option<Vec<f64>>>,
    /// Correlations of instruments, row by row, where given.
    pub correlations: Option<Vec<f64>>,
    /// History of the risk factors, where given.
    pub history: Option<Arc<History>>,
    /// Per rulebook, the scenario sets of its tail and the factors of coins and currencies; made at the first
    /// question.
    pub tails: Vec<OnceLock<Result<(Moves, Mapping)>>>,
    /// Coins.
    pub underlyings: Vec<Underlying>,
    /// Currencies.
    pub currencies: Vec<Currency>,
    /// Maintenance tables in use.
    pub tables: Vec<TierTable>,
    /// Netted positions, sorted by account, pool, symbol and leg.
    pub positions: Vec<Position>,
    /// Pools, sorted by account, cross first.
    pub pools: Vec<Pool>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// How headers were understood.
    pub columns: Vec<ColumnView>,
    /// How quantities were read.
    pub units: Vec<UnitView>,
    /// Whether rows with errors were left out (`partial=1`), so that totals are no answer.
    pub partial: bool,
    /// Rows pasted, all tables together.
    pub pasted_rows: usize,
}

impl Book {
    /// The rulebook of an account.
    pub fn rulebook_of(&self, account: usize) -> Option<&Rulebook> {
        self.accounts.get(account).and_then(|account| self.rulebooks.get(account.rulebook))
    }

    /// What a kind of pool of an account is called, an isolated one without its symbol.
    pub fn pool_label(&self, account: usize, kind: PoolKind) -> String {
        let account = self.accounts.get(account).map_or("", |account| account.name.as_str());
        match kind {
            PoolKind::Cross(None) => account.to_owned(),
            PoolKind::Cross(Some(currency)) => {
                let code = self.currencies.get(currency).map_or("", |currency| currency.code.as_str());
                format!("{account}/{code}")
            }
            PoolKind::Isolated => format!("{account} isolated"),
        }
    }

    /// What a pool is called: the account, and what of it.
    pub fn pool_name(&self, pool: &Pool) -> String {
        let account = self.accounts.get(pool.account).map_or("", |account| account.name.as_str());
        match pool.kind {
            PoolKind::Cross(_) => self.pool_label(pool.account, pool.kind),
            PoolKind::Isolated => {
                let symbol = self
                    .positions
                    .get(pool.positions.start)
                    .and_then(|position| self.instruments.get(position.instrument))
                    .map_or("", |instrument| instrument.symbol.as_str());
                format!("{account}/{symbol} isolated")
            }
        }
    }

    /// The pools of an account, as a range of [`Book::pools`].
    pub fn pools_of(&self, account: usize) -> std::ops::Range<usize> {
        let start = self.pools.partition_point(|pool| pool.account < account);
        let end = self.pools.partition_point(|pool| pool.account <= account);
        start..end
    }

    /// The positions of a pool.
    pub fn positions_of(&self, pool: &Pool) -> &[Position] {
        self.positions.get(pool.positions.clone()).unwrap_or(&[])
    }
}
