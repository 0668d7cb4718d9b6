//! Answers as tables: a header whose words are a contract, and rows of numbers, texts and gaps.

use std::borrow::Cow;

pub mod accounts;
pub mod adl;
mod adl_candidates;
pub mod backtest;
pub mod books;
pub mod calibrate;
pub mod check;
pub mod collateral;
pub mod contributions;
pub mod correlation;
pub mod cure;
pub mod difference;
pub mod evaluated;
pub mod explain;
mod explain_tail;
pub mod exposure;
pub mod grid;
pub mod history;
pub mod horizon;
pub mod impact;
pub mod limits;
pub mod map;
pub mod nearest;
mod node;
pub mod options;
pub mod order;
pub mod policies;
pub mod price;
pub mod probability;
pub mod recon;
pub mod rulebooks;
pub mod scalar;
pub mod scenarios;
pub mod schedule;
pub mod scope;
pub mod size;
pub mod stress;
mod stressed;
pub mod summary;
pub mod tail;
pub mod tiers;
pub mod whatif;
pub mod withdraw;
pub mod zones;

pub use evaluated::Evaluated;

/// One cell of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// No answer exists: `#N/A`, with the reason in the row's last column.
    Missing,
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Names of the columns.
    pub header: Vec<Cow<'static, str>>,
    /// Rows, each as long as the header.
    pub rows: Vec<Vec<Value>>,
    /// What the table as a whole has to say, if anything.
    pub note: String,
}

impl Answer {
    /// An empty table.
    pub fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.iter().map(|name| Cow::Borrowed(*name)).collect(),
            rows: Vec::new(),
            note: String::new(),
        }
    }
}
