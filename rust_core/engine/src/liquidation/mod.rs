//! Liquidation: at which price, in which order, what of it is sure.

pub mod adl;
pub mod auction;
mod boundary;
mod cheapest;
mod collateral;
pub mod cost;
mod hedge;
mod isolate;
pub mod nearest;
pub mod order;
pub mod own_cascade;
mod part;
pub mod policy;
pub mod price;
pub mod probability;
mod run;
mod separable;
pub mod single;
mod steps;
pub mod sweep;
pub mod tier_step;
mod turn;
mod walk;
pub mod waterfall;
pub mod words;
pub mod working;
pub mod zones;
