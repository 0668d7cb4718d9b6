//! What an option is worth: Black-76 values and their sensitivities, implied volatilities, and the vector
//! kernels that revalue whole books.
//!
//! Values are undiscounted and per unit of the underlying unless a function says otherwise.

pub mod black76;
pub mod greeks;
pub mod implied;
pub mod kernel;
pub mod level;
mod mills;
pub mod settlement;

pub use crate::instrument::OptionRight;
pub use black76::{both, value};
pub use greeks::{Greeks, SpotOption};
pub use level::{Level, level, set_level};
