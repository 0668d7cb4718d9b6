//! Random numbers as a pure function of (seed, path, dimension), and what is made of them.
//!
//! Nothing here has a state: a number is looked up by its counters, so that the number of threads, the size of a
//! block and what else is asked for change no bit. Normal numbers come from uniform ones by the inverse of the
//! distribution function, one for one, which quasi-random numbers need; the same is done for plain ones.
//!
//! Dimension 0 mixes the scales of Student's law, dimension `k + 1` is that of factor `k`.

pub mod counter;
pub mod factors;
pub mod mixing;
pub mod normal;
pub mod sobol;

pub use counter::{Purpose, Stream};
pub use factors::{Draws, Law, Sampler, factor_moves};
