//! What an account would be after something is done to it, and what should be done: what-if, impact, cure,
//! withdrawal, execution.
//!
//! Every figure comes from measuring the changed account by the same stages as the account itself; nothing is
//! assumed to add up. All of it belongs to one market state.

pub mod account;
pub mod action;
pub mod bound;
pub mod combined;
pub mod cost;
pub mod cure;
pub mod cuts;
pub mod figure;
pub mod impact;
pub mod knapsack;
pub mod linear;
pub mod listed;
pub mod prepared;
pub mod scan;
pub mod schedule;
pub mod smallest;
pub mod stage;
pub mod target;
pub mod trades;
pub mod whatif;
pub mod withdraw;

pub use account::Account;
pub use cost::{Cost, Slippage};
pub use figure::Figure;
pub use prepared::Prepared;
pub use stage::{Origin, Stage, Wanted};
pub use target::Target;
pub use trades::Trade;
