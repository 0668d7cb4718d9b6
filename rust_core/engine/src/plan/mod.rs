//! What an account would be after something is done to it, and what should be done: what-if, impact, cure,
//! withdrawal, execution.
//!
//! Every figure comes from measuring the changed account by the same stages as the account itself; nothing is
//! assumed to add up. All of it belongs to one market state.

pub mod account;
pub mod figure;
pub mod impact;
pub mod listed;
pub mod prepared;
pub mod stage;
pub mod trades;
pub mod whatif;

pub use account::Account;
pub use figure::Figure;
pub use prepared::Prepared;
pub use stage::{Origin, Stage, Wanted};
pub use trades::Trade;
