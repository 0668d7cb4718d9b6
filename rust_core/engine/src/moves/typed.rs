//! Volatilities and correlations as they are typed on the market table.

use crate::error::{Error, Place, Result};
use crate::finding::{Finding, Severity};
use crate::history::{Factor, FactorKind};
use crate::rulebook::tail::Repair;
use crate::statistics::{check_correlation, nearest_correlation, smallest_eigenvalue};

/// An eigenvalue below this is no rounding.
const NEGATIVE: f64 = -1e-8;
/// An entry that a repair moves by less is as it was.
const UNCHANGED: f64 = 1e-9;

/// What the market table says about how coins move.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MarketRisk {
    /// Coins with the volatility of one day, a fraction.
    pub volatilities: Vec<(String, f64)>,
    /// Pairs of coins with the correlation of their moves, each as given.
    pub correlations: Vec<(String, String, f64)>,
}

/// A typed matrix and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedMatrix {
    /// The matrix as typed, row by row.
    pub given: Vec<f64>,
    /// The matrix that counts.
    pub used: Vec<f64>,
    /// Smallest eigenvalue as typed.
    pub smallest_eigenvalue: f64,
    /// Frobenius norm of the difference; 0 where nothing was repaired.
    pub distance: f64,
}

impl TypedMatrix {
    /// How many pairs a repair has moved.
    pub fn changed(&self) -> usize {
        let entries = self.given.iter().zip(&self.used);
        entries.filter(|(given, used)| (*given - *used).abs() > UNCHANGED).count() / 2
    }

    /// What the check says about a matrix that was repaired; nothing about another one.
    pub fn finding(&self) -> Option<Finding> {
        (self.distance > 0.0).then(|| Finding {
            severity: Severity::Warning,
            sheet: "Market",
            row: None,
            column: "corr".into(),
            value: self.smallest_eigenvalue.to_string(),
            code: "correlations_repaired",
            message: format!(
                "no coins can have the correlations that are typed: their smallest eigenvalue is {:.6}; {} pairs were \
                 moved to the nearest matrix that can be, by {:.6} altogether",
                self.smallest_eigenvalue,
                self.changed(),
                self.distance
            ),
            fix: "CM_CORREL(book, \"repair\") lists the pairs".into(),
        })
    }
}

/// Volatilities of the wanted prices over a horizon.
///
/// # Errors
///
/// [`Error::Missing`] names a volatility that is not given; [`Error::NotCovered`] a factor that is no price.
pub fn typed_volatilities(market: &MarketRisk, wanted: &[Factor], days: f64) -> Result<Vec<f64>> {
    let mut volatilities = Vec::with_capacity(wanted.len());
    for factor in wanted {
        if factor.kind != FactorKind::Price {
            return Err(Error::NotCovered {
                what: factor.to_string(),
                why: "the market table says how prices move, not how volatilities do; give a history, or set tail.option_volatility = unmoved".into(),
                place: Place::default(),
            });
        }
        let known = market.volatilities.iter().find(|(coin, _)| *coin == factor.coin);
        let (_, daily) = known.ok_or_else(|| Error::Missing {
            what: format!("volatility of {}", factor.coin),
            why: "give dailyVol or annualVol on the Market sheet".into(),
            place: Place::default(),
        })?;
        volatilities.push(daily * days.sqrt());
    }
    Ok(volatilities)
}

/// The typed correlations of coins, checked, and repaired where the rule says so.
///
/// # Errors
///
/// [`Error::Missing`] names a pair that is not given; [`Error::OutOfRange`] for correlations that differ on the two
/// sides of the diagonal, are not 1 on it, or that no coins can have.
pub fn typed_correlations(market: &MarketRisk, coins: &[&str], repair: Repair) -> Result<TypedMatrix> {
    let size = coins.len();
    let mut given = vec![1.0; size * size];
    for (row, first) in coins.iter().enumerate() {
        for (column, second) in coins.iter().enumerate() {
            let value = if row == column { own(market, first)? } else { pair(market, first, second)? };
            if let Some(slot) = given.get_mut(row * size + column) {
                *slot = value;
            }
        }
    }
    check_correlation(&given, size)?;
    let least = if size == 0 { 1.0 } else { smallest_eigenvalue(&given, size)? };
    if least >= NEGATIVE {
        return Ok(TypedMatrix { used: given.clone(), given, smallest_eigenvalue: least, distance: 0.0 });
    }
    if repair == Repair::Refused {
        return Err(Error::OutOfRange {
            name: "smallest eigenvalue of the correlations".into(),
            value: least,
            must_be: "zero or above: no coins can have these correlations; mend them, or set tail.simulation.repair = nearest; CM_CORREL(book, \"repair\") shows the nearest ones that can be",
            place: Place::label(coins.join(", ")),
        });
    }
    let found = nearest_correlation(&given, size, 0.0)?;
    Ok(TypedMatrix { given, used: found.correlation, smallest_eigenvalue: least, distance: found.distance })
}

/// The correlation of a coin with itself, which may be typed too.
fn own(market: &MarketRisk, coin: &str) -> Result<f64> {
    let typed = market.correlations.iter().filter(|(a, b, _)| a == coin && b == coin);
    for (_, _, value) in typed {
        if (value - 1.0).abs() > 1e-12 {
            return Err(Error::OutOfRange {
                name: format!("correlation of {coin} with itself"),
                value: *value,
                must_be: "1",
                place: Place::default(),
            });
        }
    }
    Ok(1.0)
}

/// The correlation of two coins, typed on either side of the diagonal or on both.
fn pair(market: &MarketRisk, first: &str, second: &str) -> Result<f64> {
    let mut typed = market
        .correlations
        .iter()
        .filter(|(a, b, _)| (a == first && b == second) || (a == second && b == first));
    let Some((row, column, value)) = typed.next() else {
        return Err(Error::Missing {
            what: format!("correlation of {first} and {second}"),
            why: format!("give it on the Market sheet, in the row of {first} in a column 'corr {second}'"),
            place: Place::default(),
        });
    };
    match typed.find(|(_, _, other)| other.total_cmp(value).is_ne()) {
        None => Ok(*value),
        Some((other_row, other_column, other)) => Err(Error::OutOfRange {
            name: format!("correlation of {row} and {column}"),
            value: *value,
            must_be: "the same on both sides of the diagonal",
            place: Place::label(format!("row {other_row}, column 'corr {other_column}' says {other}")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(pairs: &[(&str, &str, f64)]) -> MarketRisk {
        MarketRisk {
            volatilities: vec![("BTC".into(), 0.03)],
            correlations: pairs.iter().map(|(a, b, value)| ((*a).into(), (*b).into(), *value)).collect(),
        }
    }

    #[test]
    fn one_side_of_the_diagonal_is_enough_and_two_must_agree() {
        let one = risk(&[("BTC", "ETH", 0.8)]);
        let found = typed_correlations(&one, &["ETH", "BTC"], Repair::Refused).unwrap();
        assert_eq!(found.used, [1.0, 0.8, 0.8, 1.0]);
        let refusal = |pairs: &[(&str, &str, f64)]| {
            typed_correlations(&risk(pairs), &["BTC", "ETH"], Repair::Refused).unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&[("BTC", "ETH", 0.8), ("ETH", "BTC", 0.7)]),
            "correlation of BTC and ETH must be the same on both sides of the diagonal, was 0.8 (row ETH, column 'corr BTC' says 0.7)"
        );
        assert_eq!(
            refusal(&[("BTC", "BTC", 0.9), ("ETH", "BTC", 0.7)]),
            "correlation of BTC with itself must be 1, was 0.9"
        );
        assert!(refusal(&[]).contains("correlation of BTC and ETH is missing: give it on the Market sheet"));
    }

    #[test]
    fn an_impossible_matrix_is_refused_or_moved_to_the_nearest_one() {
        // methods.json ncm.higham3: 1 on the first off-diagonal and 0 beyond gives 0.7607 and 0.1573
        let typed = risk(&[("BTC", "ETH", 1.0), ("ETH", "SOL", 1.0), ("BTC", "SOL", 0.0)]);
        let coins = ["BTC", "ETH", "SOL"];
        let refusal = typed_correlations(&typed, &coins, Repair::Refused).unwrap_err().to_string();
        // eigenvalues of this matrix are 1 - sqrt 2, 1 and 1 + sqrt 2
        assert!(refusal.contains("was -0.414213562373"), "{refusal}");
        let found = typed_correlations(&typed, &coins, Repair::Nearest).unwrap();
        assert!((found.used[1] - 0.7607).abs() < 1e-4 && (found.used[2] - 0.1573).abs() < 1e-4);
        assert!((found.distance - 0.5278).abs() < 1e-4);
        assert_eq!(found.changed(), 3);
        assert!(found.finding().is_some());
    }

    #[test]
    fn a_future_that_moves_like_its_coin_needs_no_repair() {
        let typed = risk(&[("BTC", "WBTC", 1.0), ("BTC", "ETH", 0.8), ("WBTC", "ETH", 0.8)]);
        let found = typed_correlations(&typed, &["BTC", "WBTC", "ETH"], Repair::Refused).unwrap();
        assert_eq!(found.distance, 0.0);
        assert!(found.smallest_eigenvalue.abs() < 1e-12);
    }
}
