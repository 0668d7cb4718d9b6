//! Liquidation: at which price, in which order, what of it is sure.

pub mod adl;
mod boundary;
mod isolate;
pub mod order;
pub mod policy;
pub mod price;
pub mod probability;
mod run;
mod separable;
pub mod single;
pub mod sweep;
mod walk;
pub mod working;
pub mod zones;
