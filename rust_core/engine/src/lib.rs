//! Margin and liquidation of crypto-derivatives books.
//!
//! A margin model is a scenario set, a measure and charges over one table of scenario profit and loss,
//! run through six fixed stages; a rulebook is data. This crate knows no Python, no files, no clock and
//! no network: everything comes in as an argument, and a refusal names argument, value, rule and row.

pub mod cell;
pub mod error;
pub mod finding;
pub mod instrument;
pub mod tables;

pub use error::{Error, Place, Result, Sign};
