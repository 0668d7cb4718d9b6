//! Maintenance brackets: rates by notional, cumulative amounts computed.

use crate::error::{Error, Result};

/// One bracket of a maintenance table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// Notional from which it applies, settlement currency.
    pub floor: f64,
    /// Maintenance margin rate, a fraction.
    pub rate: f64,
    /// Cumulative amount to subtract, settlement currency.
    pub amount: f64,
    /// Largest leverage in the bracket, where the venue gives one.
    pub max_leverage: Option<f64>,
}

/// A maintenance table: `margin = notional x rate - amount` of the bracket that holds the notional.
#[derive(Debug, Clone, PartialEq)]
pub struct TierTable {
    /// Name, such as `25/15@100M` or a symbol.
    pub name: String,
    /// Brackets by rising floor; the first starts at zero.
    pub brackets: Vec<Bracket>,
}

/// Returns the cumulative amounts that make the margin continuous:
/// `amount_n = floor_n x (rate_n - rate_(n-1)) + amount_(n-1)`.
///
/// `floors` and `rates` have one entry per bracket. Source of the recursion: the venues' own pages
/// (Binance, Bybit, Hyperliquid), which all print the same one.
///
/// # Errors
///
/// [`Error::Shape`] when the lengths differ, [`Error::OutOfRange`] for a rate or a floor that is not a
/// finite number, not positive, or not rising.
pub fn cumulative_amounts(floors: &[f64], rates: &[f64], first_amount: f64) -> Result<Vec<f64>> {
    if floors.len() != rates.len() {
        return Err(Error::Shape { name: "rates".into(), found: rates.len(), expected: floors.len() });
    }
    let mut amounts = Vec::with_capacity(floors.len());
    let mut before: Option<(f64, f64)> = None;
    let mut amount = first_amount;
    for (index, (&floor, &rate)) in floors.iter().zip(rates).enumerate() {
        let place = || crate::error::Place::row(index + 1, "bracket");
        if !(rate.is_finite() && (0.0..=1.0).contains(&rate)) {
            return Err(Error::OutOfRange {
                name: "maintenance rate".into(),
                value: rate,
                must_be: "between 0 and 1",
                place: place(),
            });
        }
        if let Some((floor_before, rate_before)) = before {
            if !(floor.is_finite() && floor > floor_before) {
                return Err(Error::OutOfRange {
                    name: "bracket floor".into(),
                    value: floor,
                    must_be: "above the floor before it",
                    place: place(),
                });
            }
            amount += floor * (rate - rate_before);
        } else if !(floor.is_finite() && floor >= 0.0) {
            return Err(Error::OutOfRange {
                name: "bracket floor".into(),
                value: floor,
                must_be: "zero or above",
                place: place(),
            });
        }
        amounts.push(amount);
        before = Some((floor, rate));
    }
    Ok(amounts)
}

impl TierTable {
    /// A table from floors, rates and largest leverages; the cumulative amounts are computed.
    ///
    /// # Errors
    ///
    /// As [`cumulative_amounts`]; [`Error::Missing`] for an empty table.
    pub fn new(name: &str, floors: &[f64], rates: &[f64], max_leverage: &[Option<f64>]) -> Result<Self> {
        if floors.is_empty() {
            return Err(Error::Missing {
                what: format!("brackets of table '{name}'"),
                why: "a maintenance table has at least one bracket".into(),
                place: crate::error::Place::default(),
            });
        }
        let amounts = cumulative_amounts(floors, rates, 0.0)?;
        let brackets = floors
            .iter()
            .zip(rates)
            .zip(&amounts)
            .enumerate()
            .map(|(index, ((&floor, &rate), &amount))| Bracket {
                floor,
                rate,
                amount,
                max_leverage: max_leverage.get(index).copied().flatten(),
            })
            .collect();
        Ok(Self { name: name.to_owned(), brackets })
    }

    /// A table of one bracket: a rate, and the cumulative amount that was given with it.
    pub fn single(name: String, rate: f64, amount: f64, max_leverage: Option<f64>) -> Self {
        Self { name, brackets: vec![Bracket { floor: 0.0, rate, amount, max_leverage }] }
    }

    /// Stands for the table of a contract that needs none.
    pub fn absent() -> Self {
        Self::single(String::new(), 0.0, 0.0, None)
    }

    /// Whether it is [`TierTable::absent`]: every other table has a name.
    pub fn is_absent(&self) -> bool {
        self.name.is_empty()
    }

    /// Index of the bracket that holds a notional.
    pub fn bracket_index(&self, notional: f64) -> usize {
        self.brackets.partition_point(|bracket| bracket.floor <= notional).saturating_sub(1)
    }

    /// The bracket that holds a notional; every table has one.
    pub fn bracket(&self, notional: f64) -> Bracket {
        self.brackets.get(self.bracket_index(notional)).copied().unwrap_or(Bracket {
            floor: 0.0,
            rate: 1.0,
            amount: 0.0,
            max_leverage: None,
        })
    }

    /// Maintenance margin of an unsigned notional, settlement currency.
    pub fn maintenance_margin(&self, notional: f64) -> f64 {
        if notional == 0.0 {
            return 0.0; // a flat position needs nothing, whatever amount was given
        }
        let bracket = self.bracket(notional);
        notional * bracket.rate - bracket.amount
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_make_the_margin_continuous() {
        let table = TierTable::new("25/15@100M", &[0.0, 1e8], &[0.02, 1.0 / 30.0], &[]).unwrap();
        let (below, above) = (table.maintenance_margin(1e8 * (1.0 - 1e-12)), table.maintenance_margin(1e8));
        assert!((below - above).abs() < 1e-3);
        assert!((table.brackets[1].amount - 1_333_333.333_33).abs() < 1e-4);
    }

    #[test]
    fn a_floor_that_does_not_rise_is_refused_by_row() {
        let refusal = cumulative_amounts(&[0.0, 10.0, 10.0], &[0.01, 0.02, 0.03], 0.0).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "bracket floor must be above the floor before it, was 10 (row 3, bracket)"
        );
    }
}
