//! A venue's rules as data: pools, measure, levels, tables, collateral, liquidation, each with its source.

mod builtin;
mod change;
pub mod charge;
pub mod flat;
#[cfg(test)]
mod flat_tests;
pub mod liquidation;
pub mod options;
mod path;
pub mod portfolio;
mod raw;
mod raw_portfolio;
mod raw_tail;
mod read;
mod read_charge;
mod read_liquidation;
mod read_portfolio;
mod read_standard;
mod read_tail;
mod schema;
mod sheet;
pub mod tail;
pub mod tiers;
mod tree;

use std::collections::BTreeMap;

use crate::instrument::{ContractKind, Instrument};
use portfolio::{Borrowing, InterCredit, Profile};

pub use builtin::{builtin, builtin_ids, builtins};
pub use change::{cell_of, path_of, with_changes};
pub use flat::{FlatRow, default_of as flat_default, flatten};
pub use liquidation::{Auction, Certainty, Hedge, LiquidationRule, Policy, Stage, StepSize, Stop};
pub use read::{Format, read};
pub use schema::PARTS;
pub use sheet::read_sheet;
pub use tiers::{Bracket, TierTable, cumulative_amounts};

/// How far a group of numbers can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Reproduces published results.
    Verified,
    /// Read in the venue's own page or interface.
    Documented,
    /// Second hand or inferred.
    Estimated,
}

impl Status {
    /// The word shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Documented => "documented",
            Self::Estimated => "estimated",
        }
    }
}

/// Where a group of numbers comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Page, interface or document.
    pub address: String,
    /// Day it was read, `YYYY-MM-DD`.
    pub retrieved: String,
    /// Day from which it holds, as far as known.
    pub effective: String,
    /// How far it can be trusted.
    pub status: Status,
    /// What else to know.
    pub note: String,
}

/// What shares one margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolRule {
    /// The whole account.
    Account,
    /// Each settlement currency of an account by itself.
    AccountSettle,
}

/// Which price the maintenance notional is taken at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaintenanceOn {
    /// The mark price.
    Mark,
    /// The average entry price.
    Entry,
}

/// How open orders enter the initial margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRule {
    /// They need no margin.
    None,
    /// Each order adds its own initial margin.
    Additive,
    /// Per contract, the worse of all buys filled and all sells filled.
    PerInstrument,
    /// Per risk unit, the worst of no order, all buys and all sells filled.
    Variants,
}

/// The currency in which a scan measures before it converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeraire {
    /// The reporting currency: the settlement coin moves with the scenario.
    Report,
    /// The settlement currency, converted at today's index.
    Settle,
}

/// Whether options are discounted from expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discounting {
    /// They are not: the premium is a forward value.
    Nothing,
    /// At the rate of their expiry, a rate below zero counting as zero.
    RateAtLeastZero,
    /// At the rate of their expiry.
    Rate,
}

impl Discounting {
    /// The rate at which options are discounted, per year, where the interest rate is `rate`.
    pub fn rate(self, rate: f64) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::RateAtLeastZero => rate.max(0.0),
            Self::Rate => rate,
        }
    }

    /// `exp(-rate years)` as the rulebook means it.
    pub fn factor(self, rate: f64, years: f64) -> f64 {
        (-self.rate(rate) * years).exp()
    }
}

/// What a scan takes its worst case over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskUnit {
    /// Each underlying has its own worst scenario, and the losses add up.
    Underlying,
    /// One common index for the whole pool.
    Pool,
}

/// Stages 2 to 5: what a pool's requirement is measured by.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// A closed formula per position: brackets of notional.
    Tiers {
        /// Price of the maintenance notional.
        maintenance_on: MaintenanceOn,
        /// How open orders enter the initial margin.
        orders: OrderRule,
    },
    /// The worst of a list of scenarios per risk unit, with charges; the scenarios stand in the profiles.
    Scenarios {
        /// Where the loss is measured.
        numeraire: Numeraire,
        /// What has its own worst scenario.
        unit: RiskUnit,
        /// Whether collateral in coins of a unit moves in its scenarios.
        collateral_in_scan: bool,
        /// Whether a balance may be scanned and reduced by a collateral rate at the same time.
        haircut_and_scan: bool,
        /// How open orders enter the initial margin.
        orders: OrderRule,
    },
    /// Value at risk or expected shortfall over scenarios of all risk factors together.
    Tail(Box<tail::TailRule>),
    /// Parametric value at risk from volatilities and correlations: `z_alpha x sigma`.
    NormalValueAtRisk {
        /// Confidence, such as 0.99.
        confidence: f64,
        /// Horizon in days.
        horizon_days: f64,
        /// Days of the year that the volatilities are quoted for.
        days_per_year: f64,
    },
}

/// Which options' values count in the equity of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionValue {
    /// Bought and sold.
    All,
    /// None: what is owed is in the requirement.
    Nothing,
}

/// A factor that grows when a stablecoin loses its peg: `rate x max(0, threshold - peg)` is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DepegFactor {
    /// Price in USD below which it grows.
    pub threshold: f64,
    /// By how much per USD.
    pub rate: f64,
}

/// Stage 6: one level of requirement with the equity it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Factor on the measure.
    pub factor: f64,
    /// The level is broken when `equity - trigger x requirement` is below zero.
    pub trigger: f64,
    /// Whether exactly zero is broken too.
    pub inclusive: bool,
    /// Whether collateral rates reduce the equity.
    pub haircut: bool,
    /// Whether unrealised gains count.
    pub gains: bool,
    /// Which options' values count.
    pub option_value: OptionValue,
    /// What a lost peg adds to the factor.
    pub depeg: Option<DepegFactor>,
}

/// How currencies other than the pool's settlement currency count as collateral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCurrencies {
    /// They do not count; the check says so.
    Ignored,
    /// They count at a collateral rate that the rulebook or the row must give.
    RateRequired,
    /// They count in full: their risk is in the scenarios.
    Full,
}

/// One slice of a collateral rate: amounts between `from` and `to` count at `rate`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateSlice {
    /// Amount from which the rate applies, coins.
    pub from: f64,
    /// Rate, a fraction (1 - haircut).
    pub rate: f64,
}

/// What the venue's own screen calls its margin ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VenueRatio {
    /// Maintenance over equity; rises to the trigger.
    MaintenanceOverEquity,
    /// Equity over maintenance; falls to the trigger.
    EquityOverMaintenance,
}

impl VenueRatio {
    /// The direction in words.
    pub fn direction(self) -> &'static str {
        match self {
            Self::MaintenanceOverEquity => "rises to liquidation",
            Self::EquityOverMaintenance => "falls to liquidation",
        }
    }
}

/// Bands of usage for people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// From here: watch.
    pub watch: f64,
    /// From here: call.
    pub call: f64,
}

/// How symbols find their maintenance table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKey {
    /// By coin.
    Underlying,
    /// By symbol.
    Symbol,
}

/// A rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Rulebook {
    /// Lower case with hyphens.
    pub id: String,
    /// Version, usually year and month.
    pub version: String,
    /// The venue.
    pub venue: String,
    /// Which of the venue's modes.
    pub mode: String,
    /// Currency of every total.
    pub report_currency: String,
    /// Settlement currency of symbols that do not say.
    pub settle: String,
    /// Whether a bare `total` balance means cash (without) or equity (with unrealised profit and loss).
    pub balance_total_is_equity: bool,
    /// Sources by key; `general` is the first.
    pub sources: indexmap::IndexMap<String, Source>,
    /// Stage 1.
    pub pool: PoolRule,
    /// Stages 2 to 5.
    pub measure: Measure,
    /// Source key of the measure.
    pub measure_source: String,
    /// How options are discounted.
    pub discounting: Discounting,
    /// Seconds before expiry over which the settlement price is averaged; zero for none.
    pub settlement_average_seconds: f64,
    /// What is said about single coins; those that name coins come first.
    pub profiles: Vec<Profile>,
    /// Credits between coins, in order of priority.
    pub credits: Vec<InterCredit>,
    /// What negative balances need; those that name currencies come first.
    pub borrowing: Vec<Borrowing>,
    /// What the rulebook does not cover, with the reason: `option`, `future`, `spot`, `coin_settled`,
    /// `stable_settled`, `orders`.
    pub refusals: BTreeMap<String, String>,
    /// Stage 6, initial margin.
    pub initial: Level,
    /// Stage 6, maintenance margin.
    pub maintenance: Level,
    /// Source key of the levels.
    pub levels_source: String,
    /// Without a table the maintenance rate is assumed to be this share of the initial rate.
    pub assumed_share_of_initial: Option<f64>,
    /// Maintenance tables with the key of their source.
    pub tables: Vec<(TierTable, String)>,
    /// How symbols find their table.
    pub list_key: ListKey,
    /// Symbol or coin (upper case) to index of its table.
    pub listed: BTreeMap<String, usize>,
    /// How other currencies count as collateral.
    pub other_currencies: OtherCurrencies,
    /// Collateral rates by currency, in slices by amount.
    pub collateral_rates: BTreeMap<String, Vec<RateSlice>>,
    /// Collateral rates of the initial level where they differ.
    pub initial_rates: BTreeMap<String, f64>,
    /// Whether prices are divided by the USD price of the reporting currency.
    pub divide_by_peg: bool,
    /// Source key of the collateral rules.
    pub collateral_source: String,
    /// The venue's own ratio.
    pub venue_ratio: VenueRatio,
    /// How positions are closed.
    pub liquidation: LiquidationRule,
    /// Bands of usage.
    pub bands: Bands,
    /// What the content hash covers: the text as read, in TOML.
    pub text: String,
}

impl Rulebook {
    /// `id@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// Index of the table with a name.
    pub fn table_named(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|(table, _)| table.name.eq_ignore_ascii_case(name))
    }

    /// Index of the table that the list gives to a contract. A perpetual is found under the venue's
    /// spelling (`BTCUSDT`) however it is written (`BTC/USDT:USDT`).
    pub fn table_listed(&self, instrument: &Instrument) -> Option<usize> {
        let listed = |key: &str| self.listed.get(&key.to_uppercase()).copied();
        match self.list_key {
            ListKey::Underlying => listed(&instrument.underlying),
            ListKey::Symbol => listed(&instrument.symbol).or_else(|| {
                let perpetual = instrument.kind == ContractKind::Perpetual;
                perpetual.then(|| listed(&format!("{}{}", instrument.underlying, instrument.settle)))?
            }),
        }
    }

    /// The part of a forward that no scenario moves: what is given, else what the average over the last
    /// seconds before expiry has fixed.
    pub fn fixed_forward(&self, forward: f64, given: f64, years: f64) -> f64 {
        let window = self.settlement_average_seconds;
        let seconds = years * 31_536_000.0;
        if given == 0.0 && seconds < window { forward * (window - seconds) / window } else { given }
    }

    /// The profile about a contract of a coin.
    pub fn profile(&self, underlying: &str, payoff: crate::instrument::Payoff) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.covers(underlying, payoff))
    }

    /// The weakest status of its sources, which is the status of the whole.
    pub fn status(&self) -> Status {
        let worst = |status: Status| match status {
            Status::Verified => 0,
            Status::Documented => 1,
            Status::Estimated => 2,
        };
        self.sources
            .values()
            .map(|source| source.status)
            .max_by_key(|status| worst(*status))
            .unwrap_or(Status::Estimated)
    }
}
