//! Whole books of options under price and volatility scenarios, by full revaluation.
//!
//! Quantities are netted per instrument and grouped once, when a book is taken in. A call is then one
//! out-of-the-money value per strike and scenario, from which call and put both follow, and a sum over what is
//! held. Every sum has one order, so the number of threads changes no bit.

mod account;
mod accounts;
pub mod joint;
mod liquidation_prices;

pub use account::Account;
pub use accounts::{Accounts, Discounts, Holdings};
pub use liquidation_prices::Search;

use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::pricing::black76::log_moneyness;
use crate::pricing::kernel::{self, Line, Shocks, Strike, lines};
use crate::pricing::level::Level;

/// Columns of strikes. A column of one element stands for all strikes.
#[derive(Debug, Clone, Copy)]
pub struct StrikeColumns<'a> {
    /// Strikes, quote currency per unit, above zero; their number is the number of strikes.
    pub strike: &'a [f64],
    /// Forward price of the strike's expiry, in the same unit, above zero.
    pub forward: &'a [f64],
    /// Years to expiry, zero or above.
    pub years: &'a [f64],
    /// Yearly volatility, 0.6 is 60 %, zero or above.
    pub volatility: &'a [f64],
    /// By how much a scenario's volatility move counts at this expiry; 1 where left out.
    pub tenor_weight: Option<&'a [f64]>,
    /// Number of the expiry, from 0; all of one expiry where left out.
    pub expiry: Option<&'a [i64]>,
    /// Number of the underlying, from 0. Left out, all strikes move together.
    pub underlying: Option<&'a [i64]>,
}

/// Strikes ready to be revalued: one instrument each for the call and the put.
#[derive(Debug, Clone)]
pub struct Strikes {
    level: Level,
    strikes: Vec<Strike>,
    /// Call and put value before any scenario.
    before: Vec<(f64, f64)>,
    expiry: Vec<u32>,
    underlying: Option<Vec<u32>>,
    tenor_weight: Vec<f64>,
}

impl Strikes {
    /// Reads columns and values every strike once, on the instruction set that all later calls will use.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a column of another length, [`Error::OutOfRange`] with the index for a number outside
    /// its range.
    pub fn new(level: Level, columns: StrikeColumns<'_>) -> Result<Self> {
        let count = columns.strike.len();
        let strike = Column::new("strike", columns.strike, count)?;
        let forward = Column::new("forward", columns.forward, count)?;
        let years = Column::new("years", columns.years, count)?;
        let volatility = Column::new("volatility", columns.volatility, count)?;
        let tenor_weight = Column::new("tenor_weight", columns.tenor_weight.unwrap_or(&[1.0]), count)?;
        let strikes = (0..count)
            .map(|index| {
                let (strike, forward) = (strike.positive(index)?, forward.positive(index)?);
                let root = years.not_negative(index)?.sqrt();
                let total_volatility = volatility.not_negative(index)? * root;
                Ok(Strike {
                    strike,
                    forward,
                    log_moneyness: log_moneyness(forward, strike),
                    total_volatility,
                    volatility_slope: total_volatility * tenor_weight.finite(index)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let before = values_before(level, &strikes)?;
        let expiry = match columns.expiry {
            Some(numbers) => group_numbers("expiry", numbers, count)?,
            None => vec![0; count],
        };
        let underlying =
            columns.underlying.map(|numbers| group_numbers("underlying", numbers, count)).transpose()?;
        let tenor_weight = (0..count).map(|index| tenor_weight.at(index)).collect();
        Ok(Self { level, strikes, before, expiry, underlying, tenor_weight })
    }

    /// How many strikes there are; instruments are twice as many.
    pub fn count(&self) -> usize {
        self.strikes.len()
    }

    /// One more than the largest expiry number.
    fn expiry_count(&self) -> usize {
        self.expiry.iter().max().map_or(0, |&largest| largest as usize + 1)
    }
}

/// Price and volatility scenarios, common to all strikes.
#[derive(Debug, Clone)]
pub struct Scenarios {
    count: usize,
    price_ratio: Vec<Line>,
    log_ratio: Vec<Line>,
    volatility_move: Vec<Line>,
}

impl Scenarios {
    /// Takes relative moves: the forward becomes `forward x (1 + price_move)`, the volatility
    /// `volatility x (1 + tenor_weight x volatility_move)`. A volatility moved to zero or below leaves intrinsic
    /// values.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the lengths differ, [`Error::Missing`] if there is no scenario,
    /// [`Error::OutOfRange`] with the index for a price move at or below -1 or a number that is not finite.
    pub fn new(price_move: &[f64], volatility_move: &[f64]) -> Result<Self> {
        let count = price_move.len();
        same_length("volatility_move", volatility_move.len(), count)?;
        let (Some(&first_price), Some(&first_volatility)) = (price_move.first(), volatility_move.first())
        else {
            return Err(Error::Missing {
                what: "price_move".to_owned(),
                why: "at least one scenario is needed".to_owned(),
                place: Place::default(),
            });
        };
        for (index, &value) in price_move.iter().enumerate() {
            if !(value.is_finite() && value > -1.0) {
                return Err(out_of_range("price_move", value, "finite and above -1", index));
            }
        }
        for (index, &value) in volatility_move.iter().enumerate() {
            check_finite("volatility_move", value, || at(index))?;
        }
        // the last line is filled with the first scenario, which can win no minimum that it has not won already
        Ok(Self {
            count,
            price_ratio: lines(price_move.iter().map(|price| 1.0 + price), 1.0 + first_price),
            log_ratio: lines(price_move.iter().map(|price| price.ln_1p()), first_price.ln_1p()),
            volatility_move: lines(volatility_move.iter().copied(), first_volatility),
        })
    }

    /// How many scenarios there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The scenarios of the lines from `start` on, `width` of them.
    fn block(&self, start: usize, width: usize) -> Shocks<'_> {
        let part = |all: &'_ [Line]| start..(start + width).min(all.len());
        Shocks {
            price_ratio: &self.price_ratio[part(&self.price_ratio)],
            log_ratio: &self.log_ratio[part(&self.log_ratio)],
            volatility_move: &self.volatility_move[part(&self.volatility_move)],
        }
    }

    fn all(&self) -> Shocks<'_> {
        self.block(0, self.line_count())
    }

    fn line_count(&self) -> usize {
        self.price_ratio.len()
    }
}

/// The state before any scenario, as a line of scenarios that move nothing.
const UNMOVED: Shocks<'static> = Shocks {
    price_ratio: &[Line([1.0; kernel::LINE])],
    log_ratio: &[Line([0.0; kernel::LINE])],
    volatility_move: &[Line([0.0; kernel::LINE])],
};

fn values_before(level: Level, strikes: &[Strike]) -> Result<Vec<(f64, f64)>> {
    let mut calls = vec![Line::default(); strikes.len()];
    let mut puts = calls.clone();
    kernel::table(level, &UNMOVED, strikes, &vec![(0.0, 0.0); strikes.len()], &mut calls, &mut puts)?;
    Ok(calls.iter().zip(&puts).map(|(call, put)| (call.0[0], put.0[0])).collect())
}

/// A column of numbers or one number for all rows.
struct Column<'a> {
    name: &'static str,
    values: &'a [f64],
}

impl<'a> Column<'a> {
    fn new(name: &'static str, values: &'a [f64], count: usize) -> Result<Self> {
        if values.len() != 1 {
            same_length(name, values.len(), count)?;
        }
        Ok(Self { name, values })
    }

    fn at(&self, index: usize) -> f64 {
        let [only] = self.values else {
            return self.values.get(index).copied().unwrap_or(f64::NAN);
        };
        *only
    }

    fn finite(&self, index: usize) -> Result<f64> {
        check_finite(self.name, self.at(index), || at(index))
    }

    fn positive(&self, index: usize) -> Result<f64> {
        check_positive(self.name, self.at(index), || at(index))
    }

    fn not_negative(&self, index: usize) -> Result<f64> {
        let value = self.finite(index)?;
        if value >= 0.0 { Ok(value) } else { Err(out_of_range(self.name, value, "zero or above", index)) }
    }
}

/// Numbers of groups from a column of integers.
fn group_numbers(name: &'static str, numbers: &[i64], count: usize) -> Result<Vec<u32>> {
    /// Far above any book, far below where a table per group would not fit into memory.
    const LARGEST: i64 = 1_000_000;
    same_length(name, numbers.len(), count)?;
    let number = |(index, &number): (usize, &i64)| match u32::try_from(number) {
        Ok(found) if number <= LARGEST => Ok(found),
        _ => Err(out_of_range(name, number as f64, "an integer from 0 to 1000000", index)),
    };
    numbers.iter().enumerate().map(number).collect()
}

/// A position in a list from an integer of outside.
fn position(name: &'static str, number: i64, count: usize, index: usize) -> Result<usize> {
    match usize::try_from(number) {
        Ok(found) if found < count => Ok(found),
        _ => Err(Error::NoAnswer {
            why: format!("{name} must be an integer from 0 to below {count}, was {number} (index {index})"),
        }),
    }
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Shape { name: name.to_owned(), found, expected }) }
}

fn out_of_range(name: &str, value: f64, must_be: &'static str, index: usize) -> Error {
    Error::OutOfRange { name: name.to_owned(), value, must_be, place: at(index) }
}

fn at(index: usize) -> Place {
    Place::label(format!("index {index}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns<'a>(strike: &'a [f64], expiry: Option<&'a [i64]>) -> StrikeColumns<'a> {
        StrikeColumns {
            strike,
            forward: &[100.0],
            years: &[0.25],
            volatility: &[0.6],
            tenor_weight: None,
            expiry,
            underlying: None,
        }
    }

    #[test]
    fn a_bad_strike_is_refused_with_its_index() {
        let refusal = Strikes::new(Level::Portable, columns(&[90.0, -1.0], None)).unwrap_err();
        assert_eq!(refusal.to_string(), "strike must be finite and above zero, was -1 (index 1)");
        let refusal = Strikes::new(Level::Portable, columns(&[90.0, 95.0], Some(&[0, -2]))).unwrap_err();
        assert_eq!(refusal.to_string(), "expiry must be an integer from 0 to 1000000, was -2 (index 1)");
        let refusal = Strikes::new(Level::Portable, columns(&[90.0, 95.0], Some(&[0]))).unwrap_err();
        assert_eq!(refusal.to_string(), "expiry has 1 rows, expected 2");
    }

    #[test]
    fn a_price_cannot_fall_to_zero() {
        let refusal = Scenarios::new(&[0.1, -1.0], &[0.0, 0.0]).unwrap_err();
        assert_eq!(refusal.to_string(), "price_move must be finite and above -1, was -1 (index 1)");
        assert!(Scenarios::new(&[], &[]).is_err());
    }
}
