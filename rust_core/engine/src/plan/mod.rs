//! What an account would be after something is done to it, and what should be done: what-if, impact, cure,
//! withdrawal, execution.
//!
//! Every figure comes from measuring the changed account by the same stages as the account itself; nothing is
//! assumed to add up. All of it belongs to one market state.

pub mod account;

pub use account::Account;
