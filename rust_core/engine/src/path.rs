//! Paths of the market: one coin alone, all coins together, or coins along their betas to a driver.
//!
//! A path has one parameter, the ratio `x` of its driver's price to today's. A coin with exponent `b`
//! stands at `x^b`: 1 for the coin that moves (or for all of them), 0 for those that stay, the beta
//! where coins follow a driver. Stable currencies stay (design.md section 2).

use crate::book::Book;
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::market::MarketState;
use crate::numeric::exponential::power;

/// How the market moves.
#[derive(Debug, Clone, PartialEq)]
pub enum Path {
    /// One coin with all its contracts, its wrapped and staked forms and its price as collateral.
    Alone(usize),
    /// Every coin by one ratio.
    Together,
    /// Every coin by the driver's ratio to the power of its beta.
    Beta {
        /// Index of the driver.
        driver: usize,
        /// Beta of every coin, the driver's being 1.
        betas: Vec<f64>,
    },
}

/// How fast coins move along a path: a price with exponent `b` is proportional to `exp(b x)`, where `x` is the
/// logarithm of the driver's ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// Exponent of each coin's price.
    pub prices: Vec<f64>,
    /// Exponent of each coin's implied volatilities.
    pub volatilities: Vec<f64>,
}

/// A path with what else changes on it: volatilities that follow the price, and days that have passed before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// How prices move.
    pub path: Path,
    /// Implied volatilities of a coin at `r` times its price are `r^elasticity` times their own: below zero they rise
    /// as the price falls, zero leaves them where they are (sticky strike).
    pub elasticity: f64,
    /// Days that have passed, zero or above.
    pub days: f64,
}

impl From<Path> for Course {
    fn from(path: Path) -> Self {
        Self { path, elasticity: 0.0, days: 0.0 }
    }
}

impl Course {
    /// Whether prices are all that moves.
    pub fn is_plain(&self) -> bool {
        self.elasticity == 0.0 && self.days == 0.0
    }

    /// The market state at a ratio of the driver.
    pub fn state(&self, book: &Book, ratio: f64) -> MarketState {
        let mut state = self.path.state(book, ratio);
        if self.elasticity != 0.0 {
            for coin in 0..book.underlyings.len() {
                let relative = power(ratio, self.elasticity * self.path.exponent(book, coin)) - 1.0;
                state = state.with_volatility(coin, relative, 0.0);
            }
        }
        state.with_days(self.days)
    }

    /// The exponents of all coins, for bounds on what moves along the path.
    pub fn way(&self, book: &Book) -> Way {
        let coins = 0..book.underlyings.len();
        let prices: Vec<f64> = coins.map(|coin| self.path.exponent(book, coin)).collect();
        Way { volatilities: prices.iter().map(|price| self.elasticity * price).collect(), prices }
    }
}

impl Path {
    /// The beta path of a driver, with betas from the market table unless `given` has one by name.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names the first coin without a beta: none is assumed. [`Error::OutOfRange`] for a given beta
    /// of the driver other than 1, or of a stable currency other than 0: the path says what these do.
    pub fn beta(book: &Book, driver: usize, given: &[(String, f64)]) -> Result<Self> {
        let mut betas = Vec::with_capacity(book.underlyings.len());
        for (index, underlying) in book.underlyings.iter().enumerate() {
            let named = given.iter().find(|(name, _)| name.eq_ignore_ascii_case(&underlying.name));
            let fixed = if index == driver {
                Some((1.0, "1: it is the coin that drives the path"))
            } else if is_stable(&underlying.name) {
                Some((0.0, "0: a stable currency stays where it is"))
            } else {
                None
            };
            if let (Some((wanted, must_be)), Some((_, given))) = (fixed, named)
                && *given != wanted
            {
                return Err(Error::OutOfRange {
                    name: format!("beta of {}", underlying.name),
                    value: *given,
                    must_be,
                    place: Place::label("betas"),
                });
            }
            let beta = match fixed {
                Some((own, _)) => Some(own),
                None => named.map(|(_, b)| *b).or(underlying.beta),
            };
            let beta = beta.filter(|beta| beta.is_finite()).ok_or_else(|| Error::Missing {
                what: format!("beta of {}", underlying.name),
                why: "give it on the Market sheet or in the option betas; none is assumed".into(),
                place: Place::label(underlying.name.clone()),
            })?;
            betas.push(beta);
        }
        Ok(Self::Beta { driver, betas })
    }

    /// The exponent of a coin on this path.
    pub fn exponent(&self, book: &Book, underlying: usize) -> f64 {
        let stable = || book.underlyings.get(underlying).is_some_and(|known| is_stable(&known.name));
        match self {
            Self::Alone(moving) => f64::from(u8::from(*moving == underlying)),
            _ if stable() => 0.0,
            Self::Together => 1.0,
            Self::Beta { betas, .. } => betas.get(underlying).copied().unwrap_or(0.0),
        }
    }

    /// The market state at a ratio of the driver.
    pub fn state(&self, book: &Book, ratio: f64) -> MarketState {
        let ratios =
            (0..book.underlyings.len()).map(|index| power(ratio, self.exponent(book, index))).collect();
        MarketState::from_ratios(ratios)
    }

    /// The word of the path column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Alone(_) => "alone",
            Self::Together => "together",
            Self::Beta { .. } => "beta",
        }
    }
}
