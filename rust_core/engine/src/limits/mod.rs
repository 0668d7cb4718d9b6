//! Limits: what a desk allows itself, compared with what is; findings with the money and the rule.
//!
//! A limit is a metric of a part of a book with a bound. A risk profile holds the parameters of metrics and caps.

pub mod cap;
pub mod context;
mod cure;
pub mod finding;
pub mod limit;
pub mod market;
pub mod measure;
pub mod metric;
pub mod profile;
pub mod standing;

pub use cure::{with_cash, with_cash_in};
