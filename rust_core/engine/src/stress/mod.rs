//! Stress scenarios: named crises that are data, scenarios of the user's own, and the market states they make.

pub mod library;
mod state;
pub mod typed;

pub use state::{Moved, state_of};

use crate::numeric::exponential::power;

/// What a coin does for which a scenario has no move of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    /// It stays where it is.
    Unmoved,
    /// It moves by this relative move.
    Price(f64),
    /// It follows the first coin of the scenario by its beta in the book; without one it is refused.
    Beta,
}

/// The move of implied volatility of a coin's options.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VolatilityMove {
    /// Relative to the option's own.
    pub relative: f64,
    /// In points, a fraction.
    pub points: f64,
}

/// A currency that leaves its peg.
#[derive(Debug, Clone, PartialEq)]
pub struct Peg {
    /// Its code.
    pub currency: String,
    /// Its price over what its peg or its coin makes of it.
    pub ratio: f64,
    /// The venue at which it does, as rulebooks name it; `None` everywhere.
    pub venue: Option<String>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Relative moves of coins; the first coin drives what follows by beta.
    pub moves: Vec<(String, f64)>,
    /// What the other coins do.
    pub other: Other,
    /// Moves of implied volatility by coin, an empty name for all others.
    pub volatilities: Vec<(String, VolatilityMove)>,
    /// Currencies that leave their peg; the first that fits a venue counts.
    pub pegs: Vec<Peg>,
    /// Days that pass.
    pub days: f64,
    /// Whether every coin that is named must be one of the book.
    pub must_be_known: bool,
    /// What a reader has to know, in words.
    pub note: String,
}

impl Scenario {
    /// A scenario in which nothing moves.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            moves: Vec::new(),
            other: Other::Unmoved,
            volatilities: Vec::new(),
            pegs: Vec::new(),
            days: 0.0,
            must_be_known: true,
            note: String::new(),
        }
    }

    /// The scenario as far as a share of it has happened: prices and pegs by their ratio to the power of the share,
    /// volatilities and days in proportion.
    #[must_use]
    pub fn part(&self, share: f64) -> Self {
        let moved = |own: f64| power(1.0 + own, share) - 1.0;
        Self {
            moves: self.moves.iter().map(|(coin, own)| (coin.clone(), moved(*own))).collect(),
            other: match self.other {
                Other::Price(own) => Other::Price(moved(own)),
                ref other => other.clone(),
            },
            volatilities: self
                .volatilities
                .iter()
                .map(|(coin, own)| {
                    let own = VolatilityMove { relative: share * own.relative, points: share * own.points };
                    (coin.clone(), own)
                })
                .collect(),
            pegs: self.pegs.iter().map(|peg| Peg { ratio: power(peg.ratio, share), ..peg.clone() }).collect(),
            days: share * self.days,
            ..self.clone()
        }
    }
}
