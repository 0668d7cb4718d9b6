//! A reduction spread over time as a table: `CM_SCHEDULE`.

use super::options::number;
use super::{Answer, Value};
use crate::error::{Error, Place, Result, check_positive};
use crate::plan::schedule::{Order, Schedule};

/// The header of `CM_SCHEDULE`.
pub const HEADER: [&str; 5] = ["item", "optimal", "even", "at_once", "unit"];

/// Share of a day's volume that moves the price by one spread while it is traded, and for good: the calibration of
/// Almgren and Chriss (2000), section 3.4.
const TEMPORARY_SHARE: f64 = 0.01;
const PERMANENT_SHARE: f64 = 0.1;

/// A market by the words of the market table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Market {
    /// Price of one coin.
    pub price: f64,
    /// Volatility of one day, a fraction.
    pub daily_volatility: f64,
    /// Coins traded in a day.
    pub daily_volume: f64,
    /// Half the spread, a fraction of the price.
    pub half_spread: f64,
}

/// What else may be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Trades, evenly spaced.
    pub periods: usize,
    /// What one unit of variance is worth, 1 / money.
    pub risk_aversion: f64,
}

impl Choice {
    /// Reads `periods` and `risk_aversion`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another option, [`Error::OutOfRange`] for a number.
    pub fn read(options: &[(String, String)]) -> Result<Self> {
        let mut own = Self { periods: 8, risk_aversion: 1e-6 };
        for (key, value) in options {
            match key.trim().to_lowercase().as_str() {
                "periods" => {
                    let must_be = "a whole number from 1 to 10,000";
                    let count = number("periods", value, 1.0, 10_000.0, must_be)?;
                    if count.fract() != 0.0 {
                        let place = Place::default();
                        return Err(Error::OutOfRange {
                            name: "periods".into(),
                            value: count,
                            must_be,
                            place,
                        });
                    }
                    own.periods = count as usize;
                }
                "risk_aversion" => {
                    own.risk_aversion = number("risk_aversion", value, 0.0, 1e300, "finite and at least 0")?;
                }
                other => {
                    return Err(Error::Unknown {
                        what: "option",
                        value: other.to_owned(),
                        known: "periods, risk_aversion".into(),
                    });
                }
            }
        }
        Ok(own)
    }
}

/// The order under the calibration of the paper: one spread per hundredth of a day's volume while trading, one per
/// tenth for good.
///
/// # Errors
///
/// [`crate::Error::OutOfRange`] for a price, volume or half spread that is not above zero.
pub fn order(quantity: f64, days: f64, periods: usize, market: &Market) -> Result<Order> {
    let price = check_positive("price", market.price, Place::default)?;
    let volume = check_positive("adv", market.daily_volume, Place::default)?;
    let half = price * check_positive("half_spread", market.half_spread, Place::default)?;
    Ok(Order {
        quantity: quantity.abs(),
        days,
        periods,
        volatility: price * market.daily_volatility,
        half_spread: half,
        permanent: 2.0 * half / (PERMANENT_SHARE * volume),
        temporary: 2.0 * half / (TEMPORARY_SHARE * volume),
    })
}

/// The optimal schedule beside an even one and a sale at once.
///
/// # Errors
///
/// As [`Order::optimal`]; [`Error::NoAnswer`] where a figure overflows.
pub fn table(order: &Order, risk_aversion: f64) -> Result<Answer> {
    let all = [order.optimal(risk_aversion)?, order.even()?, order.at_once()?];
    let mut answer = Answer::new(&HEADER);
    let mut put = |item: String, of: &dyn Fn(&Schedule) -> Option<f64>, unit: &str| {
        let [optimal, even, at_once] = all.each_ref().map(of);
        answer.rows.push(vec![item.into(), optimal.into(), even.into(), at_once.into(), unit.into()]);
    };
    put("expected_cost".into(), &|own| Some(own.expected_cost), "money");
    put("cost_deviation".into(), &|own| Some(own.variance.sqrt()), "money, one standard deviation");
    put(
        "cost_and_risk".into(),
        &|own| Some(own.expected_cost + risk_aversion * own.variance),
        "expected cost + risk aversion x variance, which optimal makes smallest",
    );
    put("half_life".into(), &|own| own.half_life, "days; none at an even rate and at once");
    let period = order.days / order.periods as f64;
    for step in 0..order.periods {
        let until = crate::liquidation::price::shown(period * (step + 1) as f64);
        put(format!("trade until day {until}"), &|own| own.trades.get(step).copied(), "units");
    }
    let beyond = |row: &&Vec<Value>| {
        row.iter().any(|cell| matches!(cell, Value::Number(number) if !number.is_finite()))
    };
    if let Some(row) = answer.rows.iter().find(beyond) {
        let what = row.first().map_or_else(String::new, |cell| match cell {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        });
        return Err(Error::NoAnswer {
            why: format!("{what} is beyond what numbers can hold for these arguments"),
        });
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_figure_of_a_schedule_is_beyond_numbers() {
        let market = Market { price: 1e4, daily_volatility: 0.03, daily_volume: 1e3, half_spread: 1e-4 };
        for quantity in [1e100, 1e154, 1e200, 1e300, 1e308] {
            let found = table(&order(quantity, 2.0, 3, &market).unwrap(), 1e-6);
            let cells = found.iter().flat_map(|answer| answer.rows.iter().flatten());
            for cell in cells {
                assert!(
                    !matches!(cell, Value::Number(number) if !number.is_finite()),
                    "{quantity}: {cell:?}"
                );
            }
        }
    }

    #[test]
    fn the_calibration_is_that_of_the_paper() {
        // $50, 30 % a year (0.95 a day), 5 million shares a day, a spread of 1/8
        let market =
            Market { price: 50.0, daily_volatility: 0.019, daily_volume: 5e6, half_spread: 0.0625 / 50.0 };
        let found = order(-1e6, 5.0, 5, &market).unwrap();
        let same = |a: f64, b: f64| (a - b).abs() < 1e-12 * b;
        assert!(same(found.volatility, 0.95) && same(found.half_spread, 0.0625), "{found:?}");
        assert!(same(found.permanent, 2.5e-7) && same(found.temporary, 2.5e-6), "{found:?}");
        let rows = table(&found, 1e-6).unwrap().rows;
        assert_eq!(rows.len(), 4 + 5);
    }
}
