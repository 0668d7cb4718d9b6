//! Which factor moves which coin and currency of a book.

use super::{index_in, maturities_in};
use crate::history::Factor;

/// Places of factors, by place of coin or currency in the book.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    /// The price of a coin.
    pub coin: Vec<Option<usize>>,
    /// The price of a stable currency that has a series of its own.
    pub currency: Vec<Option<usize>>,
    /// Maturities at which the volatility of a coin moves, days and factor.
    pub volatility: Vec<Vec<(f64, usize)>>,
    /// Maturities at which its basis moves.
    pub basis: Vec<Vec<(f64, usize)>>,
}

impl Mapping {
    /// Finds the factors of coins and currencies by name.
    pub fn new<'a>(
        factors: &[Factor],
        coins: impl Iterator<Item = &'a str> + Clone,
        currencies: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            coin: coins.clone().map(|coin| index_in(factors, &Factor::price(coin))).collect(),
            currency: currencies.map(|code| index_in(factors, &Factor::price(code))).collect(),
            volatility: coins.clone().map(|coin| maturities_in(factors, coin, true)).collect(),
            basis: coins.map(|coin| maturities_in(factors, coin, false)).collect(),
        }
    }
}

/// Between which two maturities one of `days` lies, and the share of the second; the ends stand for what is
/// beyond them. `None` where there is no maturity.
pub fn between(maturities: &[(f64, usize)], days: f64) -> Option<(usize, usize, f64)> {
    let first = maturities.first()?;
    let above = maturities.iter().position(|(maturity, _)| *maturity >= days);
    Some(match above {
        Some(0) => (first.1, first.1, 0.0),
        None => {
            let last = maturities.last().map_or(first.1, |(_, factor)| *factor);
            (last, last, 0.0)
        }
        Some(place) => {
            let (low, high) = (maturities.get(place - 1)?, maturities.get(place)?);
            (low.1, high.1, (days - low.0) / (high.0 - low.0))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maturity_between_two_points_takes_a_share_of_each_and_none_beyond_them() {
        let points = [(7.0, 3), (30.0, 4), (90.0, 5)];
        assert_eq!(between(&points, 1.0), Some((3, 3, 0.0)));
        assert_eq!(between(&points, 60.0), Some((4, 5, 0.5)));
        assert_eq!(between(&points, 400.0), Some((5, 5, 0.0)));
        assert_eq!(between(&[], 30.0), None);
    }
}
