//! Selling over time: the schedule of Almgren and Chriss against selling at once and at an even rate.
//!
//! Source: R. Almgren and N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2000), equations
//! 6 to 20. Units: volatility in money per unit and root day, temporary impact in money times days per unit squared,
//! permanent impact in money per unit squared, risk aversion in 1 / money.

use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::numeric::accumulate::sum;

/// Most periods of a schedule.
const MOST_PERIODS: usize = 10_000;

/// What is to be sold, in what market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// Units, above zero: the sign of the side does not matter to cost and risk.
    pub quantity: f64,
    /// Days in which it must be done.
    pub days: f64,
    /// Periods of equal length.
    pub periods: usize,
    /// Volatility, money per unit and root day.
    pub volatility: f64,
    /// Half spread and fees, money per unit.
    pub half_spread: f64,
    /// Permanent impact, money per unit squared.
    pub permanent: f64,
    /// Temporary impact, money times days per unit squared.
    pub temporary: f64,
}

/// A schedule with its expected cost and risk.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Units left at the beginning of each period and at the end: one more than periods.
    pub holdings: Vec<f64>,
    /// Units sold in each period.
    pub trades: Vec<f64>,
    /// Expected cost, money.
    pub expected_cost: f64,
    /// Variance of the cost, money squared.
    pub variance: f64,
    /// `kappa`, 1 / days: how urgent it is; zero at an even rate, none for a sale at once.
    pub urgency: Option<f64>,
    /// Days in which the holding falls by a factor e where nothing ends it: `1 / kappa`.
    pub half_life: Option<f64>,
}

impl Order {
    fn check(&self) -> Result<()> {
        check_positive("quantity", self.quantity, Place::default)?;
        check_positive("days", self.days, Place::default)?;
        if self.periods == 0 || self.periods > MOST_PERIODS {
            return Err(Error::OutOfRange {
                name: "periods".into(),
                value: self.periods as f64,
                must_be: "from 1 to 10,000",
                place: Place::default(),
            });
        }
        for (name, value) in [
            ("volatility", self.volatility),
            ("half_spread", self.half_spread),
            ("permanent", self.permanent),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::OutOfRange {
                    name: name.into(),
                    value,
                    must_be: "finite and at least 0",
                    place: Place::default(),
                });
            }
        }
        check_positive("temporary", self.temporary, Place::default)?;
        Ok(())
    }

    fn period(&self) -> f64 {
        self.days / self.periods as f64
    }

    /// Temporary impact less what the permanent one pays for within a period: `eta - gamma tau / 2`.
    fn effective(&self) -> Result<f64> {
        let effective = self.temporary - 0.5 * self.permanent * self.period();
        if effective > 0.0 {
            return Ok(effective);
        }
        Err(Error::OutOfRange {
            name: "temporary - permanent x period / 2".into(),
            value: effective,
            must_be: "above zero; take more periods or less permanent impact",
            place: Place::default(),
        })
    }

    /// Cost and risk of holdings at the ends of periods.
    fn priced(&self, holdings: Vec<f64>, effective: f64, urgency: Option<f64>) -> Schedule {
        let period = self.period();
        let next = holdings.iter().skip(1);
        let trades: Vec<f64> = holdings.iter().zip(next).map(|(before, after)| before - after).collect();
        let expected_cost = 0.5 * self.permanent * self.quantity * self.quantity
            + self.half_spread * sum(trades.iter().map(|own| own.abs()))
            + effective / period * sum(trades.iter().map(|own| own * own));
        let left = sum(holdings.iter().skip(1).map(|own| own * own));
        let variance = self.volatility * self.volatility * period * left;
        let half_life = urgency.filter(|own| *own > 0.0).map(f64::recip);
        Schedule { holdings, trades, expected_cost, variance, urgency, half_life }
    }

    /// The schedule that minimises `expected cost + risk aversion x variance`.
    ///
    /// `x_j = X sinh(kappa (T - t_j)) / sinh(kappa T)` with `2 (cosh(kappa tau) - 1) / tau^2 = lambda sigma^2 / eta~`; the
    /// ratio is taken of exponentials, which do not overflow.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a number outside its range, or periods so long that the effective temporary impact is
    /// not above zero.
    pub fn optimal(&self, risk_aversion: f64) -> Result<Schedule> {
        self.check()?;
        check_finite("risk_aversion", risk_aversion, Place::default)?;
        if risk_aversion < 0.0 {
            return Err(Error::OutOfRange {
                name: "risk_aversion".into(),
                value: risk_aversion,
                must_be: "at least 0",
                place: Place::default(),
            });
        }
        let effective = self.effective()?;
        let period = self.period();
        let squared = risk_aversion * self.volatility * self.volatility / effective;
        // 2 (cosh(y) - 1) = 4 sinh^2(y / 2): no cancellation where y is small
        let urgency = 2.0 / period * (0.5 * period * squared.sqrt()).asinh();
        if urgency == 0.0 {
            return Ok(self.priced(self.even_holdings(), effective, Some(0.0)));
        }
        let whole = urgency * self.days;
        let at = |step: usize| {
            if step == self.periods {
                return 0.0;
            }
            let gone = urgency * period * step as f64;
            // sinh(a) / sinh(b) = exp(a - b) (1 - exp(-2 a)) / (1 - exp(-2 b))
            self.quantity * (-gone).exp() * (-2.0 * (whole - gone)).exp_m1() / (-2.0 * whole).exp_m1()
        };
        Ok(self.priced((0..=self.periods).map(at).collect(), effective, Some(urgency)))
    }

    /// The same amount in every period.
    ///
    /// # Errors
    ///
    /// As [`Order::optimal`].
    pub fn even(&self) -> Result<Schedule> {
        self.check()?;
        Ok(self.priced(self.even_holdings(), self.effective()?, Some(0.0)))
    }

    fn even_holdings(&self) -> Vec<f64> {
        let count = self.periods;
        (0..=count).map(|step| self.quantity * (count - step) as f64 / count as f64).collect()
    }

    /// Everything in the first period: no risk, the largest cost.
    ///
    /// # Errors
    ///
    /// As [`Order::optimal`].
    pub fn at_once(&self) -> Result<Schedule> {
        self.check()?;
        let mut holdings = vec![0.0; self.periods + 1];
        if let Some(first) = holdings.first_mut() {
            *first = self.quantity;
        }
        Ok(self.priced(holdings, self.effective()?, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Almgren and Chriss (2000), section 3.4: a million shares in five days.
    const PAPER: Order = Order {
        quantity: 1e6,
        days: 5.0,
        periods: 5,
        volatility: 0.95,
        half_spread: 0.0625,
        permanent: 2.5e-7,
        temporary: 2.5e-6,
    };

    #[test]
    fn the_published_table_comes_out() {
        // methods.json ac.drop_table
        for (aversion, mean, variance, life) in [
            (1e-9, 0.6625, 1.0812, 51.3),
            (2e-9, 0.6625, 1.0794, 36.27),
            (3e-9, 0.6625, 1.0776, 29.62),
            (9e-9, 0.6626, 1.0669, 17.1),
        ] {
            let found = PAPER.optimal(aversion).unwrap();
            assert!((found.expected_cost / 1e6 - mean).abs() < 6e-5, "{found:?}");
            assert!((found.variance / 1e12 - variance).abs() < 6e-5, "{found:?}");
            assert!((found.half_life.unwrap() - life).abs() < 0.006, "{found:?}");
        }
        // the paper's own: kappa of about 0.61 per day at lambda = 1e-6, and 662,500 at an even rate
        assert!((PAPER.optimal(1e-6).unwrap().urgency.unwrap() - 0.61).abs() < 0.01);
        assert!((PAPER.even().unwrap().expected_cost - 662_500.0).abs() < 1e-6);
    }

    #[test]
    fn no_neighbouring_schedule_is_better() {
        let aversion = 2e-6;
        let best = PAPER.optimal(aversion).unwrap();
        let worth = |own: &Schedule| own.expected_cost + aversion * own.variance;
        let effective = PAPER.effective().unwrap();
        for step in 1..PAPER.periods {
            for change in [-1000.0, 1000.0] {
                let mut holdings = best.holdings.clone();
                holdings[step] += change;
                let other = PAPER.priced(holdings, effective, None);
                assert!(worth(&other) > worth(&best), "step {step}, {change}");
            }
        }
        assert!(
            worth(&PAPER.even().unwrap()) > worth(&best) && worth(&PAPER.at_once().unwrap()) > worth(&best)
        );
    }

    #[test]
    fn great_urgency_does_not_overflow_and_sells_at_once() {
        let hasty = Order { days: 1000.0, periods: 1000, permanent: 0.0, ..PAPER };
        let found = hasty.optimal(1.0).unwrap();
        assert!(found.holdings.iter().all(|own| own.is_finite()));
        assert!(found.trades[0] > 0.99 * hasty.quantity && found.urgency.unwrap() * hasty.days > 700.0);
        assert_eq!(PAPER.at_once().unwrap().variance, 0.0);
    }

    #[test]
    fn periods_too_long_for_the_permanent_impact_are_refused() {
        let coarse = Order { permanent: 1e-5, periods: 1, ..PAPER };
        let refusal = coarse.optimal(1e-6).unwrap_err().to_string();
        assert!(refusal.contains("take more periods"), "{refusal}");
        assert!(Order { temporary: 0.0, ..PAPER }.even().is_err());
    }
}
