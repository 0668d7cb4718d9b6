//! Arithmetic that must give the same bits everywhere: ordered sums, roots, ticks.

pub mod accumulate;
pub mod exponential;
pub mod root;
pub mod rounding;

pub use accumulate::Accumulator;
pub use exponential::{ExponentialSum, Roots};
