//! The calculator without a book: one position, its collateral, a maintenance rate.
//!
//! Linear: `collateral + q (P - entry) = other + m |q| P - amount`.
//! Inverse: `collateral + q (1 / entry - 1 / P) = other + m |q| / P - amount`, in coin
//! (methods.md section 5.1; freqtrade's and the venues' formulas are special cases).

use rayon::prelude::*;

use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::instrument::Payoff;
use crate::numeric::rounding::{Direction, to_step};
use crate::pricing::kernel::{self, Bracket};
use crate::pricing::level::level;
use crate::rulebook::MaintenanceOn;

/// One position with its margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Single {
    /// Signed quantity: coins (linear), quote currency (inverse).
    pub quantity: f64,
    /// Price from which profit and loss count.
    pub entry: f64,
    /// Margin without profit and loss since `entry`: quote currency (linear), coins (inverse).
    pub collateral: f64,
    /// Maintenance margin rate with any fee added, a fraction.
    pub rate: f64,
    /// Cumulative amount to subtract from the maintenance margin.
    pub amount: f64,
    /// Maintenance margin of everything else in the account.
    pub other: f64,
    /// Linear or inverse.
    pub payoff: Payoff,
    /// Price at which the maintenance notional is taken.
    pub maintenance_on: MaintenanceOn,
}

/// The two prices, or why they do not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct SinglePrices {
    /// Price at which equity equals maintenance margin.
    pub liquidation: Option<f64>,
    /// Price at which equity is zero.
    pub bankruptcy: Option<f64>,
    /// Relative move from the entry to the liquidation price, unsigned.
    pub distance: Option<f64>,
    /// Whether equity is at or below the maintenance margin at the price it starts from.
    pub already_liquidatable: bool,
    /// Why there is no liquidation price; empty when there is one.
    pub reason: String,
}

/// Margin of an entry notional at a leverage: quote currency (linear), coins (inverse).
pub fn margin_of_leverage(quantity: f64, entry: f64, leverage: f64, payoff: Payoff) -> f64 {
    payoff.notional(quantity, entry) / leverage
}

impl Single {
    /// Checks the arguments and solves for both prices.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for an argument that is no number, a price or a quantity of zero, a rate
    /// outside 0 to 1.
    pub fn prices(&self) -> Result<SinglePrices> {
        check_finite("quantity", self.quantity, Place::default)?;
        if self.quantity == 0.0 {
            return Err(Error::OutOfRange {
                name: "quantity".into(),
                value: 0.0,
                must_be: "above zero (long) or below (short)",
                place: Place::default(),
            });
        }
        check_positive("entry", self.entry, Place::default)?;
        for (name, value) in [
            ("collateral", self.collateral),
            ("maintenance amount", self.amount),
            ("other maintenance", self.other),
        ] {
            check_finite(name, value, Place::default)?;
        }
        if !(0.0..1.0).contains(&self.rate) {
            return Err(Error::OutOfRange {
                name: "maintenance rate".into(),
                value: self.rate,
                must_be: "from 0 to below 1",
                place: Place::default(),
            });
        }
        let liquidation = self.root(self.rate, self.amount - self.other);
        let reason = match liquidation {
            Some(_) => String::new(),
            None => format!(
                "no price above zero brings a {} of {} with collateral {} to its maintenance margin",
                if self.quantity > 0.0 { "long" } else { "short" },
                self.quantity.abs(),
                self.collateral
            ),
        };
        let start = self.payoff.notional(self.quantity, self.entry);
        Ok(SinglePrices {
            already_liquidatable: self.collateral <= self.other + self.rate * start - self.amount,
            liquidation,
            bankruptcy: self.root(0.0, 0.0),
            distance: liquidation.map(|price| (price / self.entry - 1.0).abs()),
            reason,
        })
    }

    /// The root of `equity - maintenance` for a rate and an amount that lowers the requirement.
    fn root(&self, rate: f64, relief: f64) -> Option<f64> {
        let (size, side) = (self.quantity.abs(), self.quantity.signum());
        let (moving, fixed) = match self.maintenance_on {
            MaintenanceOn::Mark => (rate, 0.0),
            MaintenanceOn::Entry => (0.0, rate),
        };
        let price = match self.payoff {
            Payoff::Linear => {
                let wanted =
                    self.quantity * self.entry - self.collateral - relief + fixed * size * self.entry;
                wanted / (size * (side - moving))
            }
            // a + b / P = 0 with b = -q - m |q|
            Payoff::Inverse => {
                let held = self.collateral + self.quantity / self.entry + relief - fixed * size / self.entry;
                size * (side + moving) / held
            }
        };
        (price.is_finite() && price > 0.0).then_some(price)
    }
}

/// Rounds a price to the tick on the side that closes earlier: up for a long, down for a short.
pub fn rounded_to_tick(price: f64, tick: f64, long: bool) -> f64 {
    to_step(price, tick, if long { Direction::Up } else { Direction::Down })
}

/// Liquidation prices of many accounts that hold one linear position each, under one bracket table.
///
/// `floors`, `rates` and `amounts` describe the brackets; the price is solved in the bracket that holds
/// it. `out` receives one price per row, or NaN where none exists; the columns have one length.
pub fn linear_prices(columns: Columns<'_>, brackets: Brackets<'_>, out: &mut [f64]) -> Result<()> {
    let rows = columns.quantity.len();
    for (name, found) in
        [("entry", columns.entry.len()), ("collateral", columns.collateral.len()), ("out", out.len())]
    {
        if found != rows {
            return Err(Error::Shape { name: name.into(), found, expected: rows });
        }
    }
    let count = brackets.floors.len();
    if count == 0 || brackets.rates.len() != count || brackets.amounts.len() != count {
        return Err(Error::Shape { name: "brackets".into(), found: brackets.rates.len(), expected: count });
    }
    let all = brackets.floors.iter().zip(brackets.rates).zip(brackets.amounts);
    let mut all = all.map(|((floor, rate), amount)| Bracket { floor: *floor, rate: *rate, amount: *amount });
    let Some(lowest) = all.next() else { return Ok(()) };
    let others: Vec<Bracket> = all.collect();
    const CHUNK: usize = 1 << 14;
    out.par_chunks_mut(CHUNK)
        .zip(columns.quantity.par_chunks(CHUNK))
        .zip(columns.entry.par_chunks(CHUNK))
        .zip(columns.collateral.par_chunks(CHUNK))
        .try_for_each(|(((out, quantity), entry), collateral)| {
            kernel::linear_prices(level(), (quantity, entry, collateral), (lowest, &others), out)
        })
}

/// Columns of [`linear_prices`], one row per account.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Signed quantity, coins.
    pub quantity: &'a [f64],
    /// Entry price, quote currency.
    pub entry: &'a [f64],
    /// Collateral without profit and loss, quote currency.
    pub collateral: &'a [f64],
}

/// Brackets of [`linear_prices`].
#[derive(Debug, Clone, Copy)]
pub struct Brackets<'a> {
    /// Notional from which each bracket applies.
    pub floors: &'a [f64],
    /// Maintenance rates.
    pub rates: &'a [f64],
    /// Cumulative amounts.
    pub amounts: &'a [f64],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(quantity: f64, entry: f64, collateral: f64, rate: f64) -> Single {
        Single {
            quantity,
            entry,
            collateral,
            rate,
            amount: 0.0,
            other: 0.0,
            payoff: Payoff::Linear,
            maintenance_on: MaintenanceOn::Mark,
        }
    }

    #[test]
    fn the_maintenance_of_the_other_positions_counts() {
        // github.com/TorchTrade/torchtrade/issues/344: 99.40, not 95.40
        let prices = Single { other: 4.0, ..linear(1.0, 100.0, 5.0, 0.004) }.prices().unwrap();
        assert!((prices.liquidation.unwrap() - 99.0 / 0.996).abs() < 1e-12);
    }

    #[test]
    fn a_short_at_leverage_one_without_maintenance_has_no_inverse_price() {
        let single = Single {
            quantity: -60_000.0,
            entry: 60_000.0,
            collateral: 1.0,
            payoff: Payoff::Inverse,
            ..linear(1.0, 1.0, 0.0, 0.0)
        };
        let prices = single.prices().unwrap();
        assert_eq!(prices.liquidation, None);
        assert!(prices.reason.starts_with("no price above zero"));
    }

    #[test]
    fn prices_under_brackets_are_where_equity_meets_the_margin() {
        // seven brackets, one of which has a lower rate than that below it
        let floors = [0.0, 1e3, 5e3, 1e4, 2e4, 1e5, 1e6];
        let rates = [0.004, 0.01, 0.05, 0.02, 0.1, 0.5, 0.9];
        let amounts = crate::rulebook::cumulative_amounts(&floors, &rates, 0.0).unwrap();
        let maintenance = |notional: f64| {
            let bracket = floors.iter().rposition(|floor| notional >= *floor).unwrap();
            rates[bracket] * notional - amounts[bracket]
        };
        let rows = 20_000;
        let drawn = |index: usize| {
            let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut quantity: Vec<f64> = (0..rows)
            .map(|row| (15.0 * drawn(4 * row) - 8.0).exp() * if row % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        quantity[7] = 0.0;
        let entry: Vec<f64> = (0..rows).map(|row| 100.0 + 900.0 * drawn(4 * row + 1)).collect();
        let collateral: Vec<f64> = (0..rows)
            .map(|row| quantity[row].abs() * entry[row] * (1.3 * drawn(4 * row + 2) - 0.1))
            .collect();
        let mut out = vec![0.0; rows];
        let columns = Columns { quantity: &quantity, entry: &entry, collateral: &collateral };
        let brackets = Brackets { floors: &floors, rates: &rates, amounts: &amounts };
        linear_prices(columns, brackets, &mut out).unwrap();
        let (mut with, mut without) = (0, 0);
        for (row, price) in out.iter().enumerate() {
            let size = quantity[row].abs();
            let excess = |price: f64| {
                collateral[row] + quantity[row] * (price - entry[row]) - maintenance(size * price)
            };
            if price.is_nan() {
                without += 1;
                // the same sign everywhere
                let sign = |price: f64| excess(price) > 0.0;
                assert!(
                    size == 0.0 || [1e-6, 1.0, 1e3, 1e12].iter().all(|at| sign(*at) == sign(1e-9)),
                    "{row}"
                );
            } else {
                with += 1;
                assert!(excess(*price).abs() <= 1e-11 * size * (price + entry[row]), "{row}: {price}");
            }
        }
        assert!(with > 5_000 && without > 1_000, "{with} {without}");
    }

    #[test]
    fn an_inverse_price_follows_the_closed_form() {
        // methods.json liq.inverse: P = N (1 + m) / (M + N / P0)
        let single = Single {
            quantity: 1e5,
            entry: 5e4,
            collateral: 0.1,
            rate: 0.005,
            payoff: Payoff::Inverse,
            ..linear(1.0, 1.0, 0.0, 0.0)
        };
        assert!((single.prices().unwrap().liquidation.unwrap() - 47_857.142_857_142_85).abs() < 1e-6);
    }
}
