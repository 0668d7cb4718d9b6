//! Liquidation: at which price, in which order, what of it is sure.

pub mod adl;
pub mod order;
pub mod policy;
pub mod price;
pub mod single;
pub mod sweep;
pub mod working;
