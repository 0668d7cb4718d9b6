//! One line of a book as scenarios see it.

use crate::instrument::{OptionRight, Payoff};

/// A weighted sum of the moves of one or two factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination {
    /// Factor and weight.
    pub first: (usize, f64),
    /// A second factor and its weight.
    pub second: Option<(usize, f64)>,
}

impl Combination {
    /// A point between two factors: the share of the second one is 0 where there is one alone.
    pub fn between((low, high, share): (usize, usize, f64), scale: f64) -> Self {
        if share == 0.0 || low == high {
            Self { first: (low, scale), second: None }
        } else {
            Self { first: (low, (1.0 - share) * scale), second: Some((high, share * scale)) }
        }
    }
}

/// The basis of a dated forward: what its logarithm moves by beyond the price.
pub type Basis = Combination;

/// How a forward moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForwardMove {
    /// Factor of the price.
    pub factor: usize,
    /// The basis, where it moves.
    pub basis: Option<Basis>,
}

/// One line: `money x (own x (carried + gain) - carried)`, where `own` is the ratio of its settlement currency and
/// `gain` what its body gains, both in a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Price of the settlement currency today, reporting currency.
    pub money: f64,
    /// Factor that moves the settlement currency.
    pub currency: Option<usize>,
    /// Result that is carried today, settlement currency.
    pub carried: f64,
    /// What it is.
    pub body: Body,
}

/// What a line gains, settlement currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body {
    /// Nothing: currency alone.
    Balance,
    /// `slope x (ratio - 1)`.
    Linear {
        /// How its price moves.
        forward: ForwardMove,
        /// Quantity times price today.
        slope: f64,
    },
    /// `slope x (1 - 1 / ratio)`.
    Inverse {
        /// How its price moves.
        forward: ForwardMove,
        /// Quantity over price today.
        slope: f64,
    },
    /// Black-76.
    Option(OptionLine),
}

/// An option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionLine {
    /// Units held, short below zero.
    pub quantity: f64,
    /// Call or put.
    pub right: OptionRight,
    /// Settled in the quote currency, or in the coin at the moved forward.
    pub payoff: Payoff,
    /// Strike, quote currency per unit, above zero.
    pub strike: f64,
    /// Forward today, the same unit, above zero.
    pub forward: f64,
    /// Part of the forward that settlement has fixed already.
    pub fixed: f64,
    /// Volatility times the root of the years that are left in the scenarios.
    pub total_volatility: f64,
    /// Discount factor in the scenarios.
    pub discount: f64,
    /// Value of one unit today, settlement currency; `None` is that of the scenarios' years where nothing moves.
    pub base: Option<f64>,
    /// How the forward moves.
    pub moves: ForwardMove,
    /// What the logarithm of the volatility moves by.
    pub volatility: Option<Combination>,
}
