//! Margin and liquidation of crypto-derivatives books.
//!
//! A margin model is a scenario set, a measure and charges over one table of scenario profit and loss,
//! run through six fixed stages; a rulebook is data. This crate knows no Python, no files, no clock and
//! no network: everything comes in as an argument, and a refusal names argument, value, rule and row.
//!
//! The arrows of `use` go one way: error, numeric <- statistics, instrument, currency, pricing <- tables <- book
//! <- market, path <- margin <- liquidation <- stress, limits <- size, plan <- answer. Revaluation of option books
//! stands on pricing alone.

pub mod answer;
pub mod backtest;
pub mod book;
pub mod calibrate;
pub mod cell;
pub mod currency;
pub mod error;
pub mod finding;
pub mod history;
pub mod instrument;
pub mod limits;
pub mod liquidation;
pub mod margin;
mod marked;
pub mod market;
pub mod moves;
pub mod numeric;
pub mod path;
pub mod plan;
pub mod pricing;
pub mod random;
pub mod revaluation;
pub mod rulebook;
pub mod size;
pub mod statistics;
pub mod stress;
pub mod tables;
mod threads;
pub mod watch;

pub use error::{Error, Place, Result, Sign};
