//! Histories of risk factors: levels of prices, implied volatilities and bases by date.
//!
//! A history is read from a table in either of the forms in which people keep one: a row per date and symbol,
//! or a column per coin. Nothing is filled in here: what is missing stays missing, and what is noticed is said.

mod bars;
mod header;
mod join;
mod levels;
mod notices;
mod read;
mod splice;

use std::fmt;

use crate::finding::Finding;

pub use bars::{Bars, Filled};
pub use join::{Clash, joined};
pub use read::{Reading, inspect_history, read_history};
pub use splice::splice;

/// The name of the table in refusals and findings.
const SHEET: &str = "History";
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// What a series is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FactorKind {
    /// The price of a coin or of a stable currency.
    Price,
    /// Its implied volatility at a constant maturity, a fraction a year.
    Volatility {
        /// Days to expiry.
        days: f64,
    },
    /// The annual logarithmic basis of its forward at a constant maturity.
    Basis {
        /// Days to expiry.
        days: f64,
    },
}

/// A risk factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// The coin or stable currency, as the book names it.
    pub coin: String,
    /// What of it.
    pub kind: FactorKind,
}

impl Factor {
    /// The price of a coin.
    pub fn price(coin: &str) -> Self {
        Self { coin: coin.to_owned(), kind: FactorKind::Price }
    }

    /// The order in which factors are listed: coins by first appearance are the history's matter; of one coin
    /// prices first, then volatilities and bases by maturity.
    fn within_coin(&self) -> (u8, f64) {
        match self.kind {
            FactorKind::Price => (0, 0.0),
            FactorKind::Volatility { days } => (1, days),
            FactorKind::Basis { days } => (2, days),
        }
    }

    /// Whether moves are ratios of levels; those of a basis are differences.
    pub fn is_ratio(&self) -> bool {
        !matches!(self.kind, FactorKind::Basis { .. })
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FactorKind::Price => write!(f, "{}", self.coin),
            FactorKind::Volatility { days } => write!(f, "{} volatility {days} d", self.coin),
            FactorKind::Basis { days } => write!(f, "{} basis {days} d", self.coin),
        }
    }
}

/// One series of levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is about.
    pub factor: Factor,
    /// One level per date of the history; `None` where there is none. A bar without volume has none.
    pub levels: Vec<Option<f64>>,
}

/// A history.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Content hash, 32 hexadecimal digits.
    pub hash: String,
    /// Instants of the bars, seconds since 1970, rising.
    pub instants: Vec<f64>,
    /// Usual time between bars, days: the median.
    pub step_days: f64,
    /// Series in the order in which coins first appear.
    pub series: Vec<Series>,
    /// What was noticed while it was read; [`History::issues`] adds what the levels show.
    pub findings: Vec<Finding>,
}

impl History {
    /// Everything noticed: what the levels show, then what was noticed while they were read.
    pub fn issues(&self) -> Vec<Finding> {
        let mut found = notices::of_levels(self);
        found.extend(self.findings.iter().cloned());
        found
    }

    /// `history:<hash>|6 series|2192 bars of 1 d|2020-01-01 to 2025-12-31`.
    pub fn key(&self) -> String {
        let day = |instant: Option<&f64>| instant.map_or_else(String::new, |seconds| day_of(*seconds));
        format!(
            "history:{}|{} series|{} bars of {} d|{} to {}",
            self.hash,
            self.series.len(),
            self.instants.len(),
            shown_days(self.step_days),
            day(self.instants.first()),
            day(self.instants.last())
        )
    }

    /// The series of a factor.
    pub fn series_of(&self, factor: &Factor) -> Option<&Series> {
        self.series.iter().find(|series| series.factor == *factor)
    }

    /// The maturities, in days, at which a coin's volatility (or basis) is known, rising.
    pub fn maturities(&self, coin: &str, volatility: bool) -> Vec<f64> {
        let days = |series: &Series| match series.factor.kind {
            FactorKind::Volatility { days } if volatility => Some(days),
            FactorKind::Basis { days } if !volatility => Some(days),
            _ => None,
        };
        let mut found: Vec<f64> =
            self.series.iter().filter(|series| series.factor.coin == coin).filter_map(days).collect();
        found.sort_by(f64::total_cmp);
        found
    }
}

/// The day of an instant, `YYYY-MM-DD`.
pub fn day_of(instant: f64) -> String {
    crate::tables::day(instant)
}

/// A number of days with four decimals at most, for people.
pub fn shown_days(days: f64) -> f64 {
    (days * 1e4).round() / 1e4
}
