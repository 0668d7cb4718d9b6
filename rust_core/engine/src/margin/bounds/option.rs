//! An option along a stretch of a path: bounds on its value's slope from bounds on its delta and its vega.
//!
//! The derivative of Black's value by the forward is `N(d1)` (less 1 for a put) and rises with the forward, so on a
//! stretch it lies between those of the ends (methods.md section 8.4). Where the volatility moves too, `d1` lies
//! between those of the corners and of the volatility at which it turns.

use super::enclosed::{Enclosed, products};
use crate::instrument::OptionRight;
use crate::margin::scenario::Pricing;
use crate::pricing::black76::{log_moneyness, value};
use crate::pricing::greeks::normal_probability;

/// An option between two market states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    pub(super) right: OptionRight,
    pub(super) strike: f64,
    /// Forwards at both ends, quote currency.
    pub(super) forwards: (f64, f64),
    /// How the forward moves: it is proportional to `exp(exponent x)`.
    pub(super) exponent: f64,
    /// Bounds on the volatility times the root of the time left.
    pub(super) totals: (f64, f64),
    /// Bounds on the slope of that.
    pub(super) total_slope: (f64, f64),
    pub(super) discount: f64,
}

/// A `d1` beyond which the normal law has nothing left.
const FAR: f64 = 1e3;

/// The density of the standard normal law.
fn density(x: f64) -> f64 {
    0.398_942_280_401_432_7 * (-0.5 * x * x).exp()
}

fn sorted(a: f64, b: f64) -> (f64, f64) {
    (a.min(b), a.max(b))
}

impl Stretch {
    fn forwards(&self) -> (f64, f64) {
        sorted(self.forwards.0, self.forwards.1)
    }

    fn d1(&self, forward: f64, total: f64) -> f64 {
        let moneyness = log_moneyness(forward, self.strike);
        if total <= 0.0 {
            // past expiry the step lies at the strike itself, which belongs to both sides
            return if moneyness == 0.0 { 0.0 } else { FAR.copysign(moneyness) };
        }
        moneyness / total + 0.5 * total
    }

    /// Bounds on `d1`.
    fn d1_range(&self) -> (f64, f64) {
        let (low, high) = self.forwards();
        let totals = self.totals;
        if totals.0.to_bits() == totals.1.to_bits() {
            return (self.d1(low, totals.0), self.d1(high, totals.0));
        }
        // d1 rises with the forward; in the total volatility it turns once, at the root of twice the moneyness
        let turn = |forward: f64| {
            let at = (2.0 * log_moneyness(forward, self.strike)).max(0.0).sqrt();
            at.clamp(totals.0, totals.1)
        };
        let least = [totals.0, totals.1, turn(low)].map(|total| self.d1(low, total));
        let most = [totals.0, totals.1].map(|total| self.d1(high, total));
        (
            least.iter().copied().fold(f64::INFINITY, f64::min),
            most.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        )
    }

    fn density_range(&self, d1: (f64, f64)) -> (f64, f64) {
        let ends = sorted(density(d1.0), density(d1.1));
        let over_zero = d1.0 <= 0.0 && d1.1 >= 0.0;
        (ends.0, if over_zero { density(0.0) } else { ends.1 })
    }

    /// Bounds on the derivative by the forward, discounted.
    fn delta_range(&self) -> (f64, f64) {
        let d1 = self.d1_range();
        match self.right {
            OptionRight::Call => {
                (self.discount * normal_probability(d1.0), self.discount * normal_probability(d1.1))
            }
            OptionRight::Put => {
                (-self.discount * normal_probability(-d1.0), -self.discount * normal_probability(-d1.1))
            }
        }
    }

    /// Bounds on what the moving volatility adds to the slope of the value, quote currency.
    fn vega_slope(&self) -> (f64, f64) {
        if self.total_slope == (0.0, 0.0) {
            return (0.0, 0.0);
        }
        let (low, high) = self.forwards();
        let density = self.density_range(self.d1_range());
        products((self.discount * low * density.0, self.discount * high * density.1), self.total_slope)
    }

    /// The option as if nothing but its payoff were left of it.
    pub(super) fn settled(self) -> Self {
        Self { totals: (0.0, 0.0), total_slope: (0.0, 0.0), ..self }
    }

    /// The total volatilities at the two ends of what the option is priced from.
    pub(super) fn ends_of_total(&self, start: Pricing, end: Pricing) -> (f64, f64) {
        (start.volatility * start.years.sqrt(), end.volatility * end.years.sqrt())
    }

    /// Its value in quote currency with the values at both ends.
    pub(super) fn in_money(&self, start: f64, end: f64) -> Enclosed {
        let moved = products(self.forwards(), self.delta_range());
        let moved = sorted(self.exponent * moved.0, self.exponent * moved.1);
        let vega = self.vega_slope();
        Enclosed { start, end, low: moved.0 + vega.0, high: moved.1 + vega.1 }
    }

    /// Its value in coins, that is divided by the forward, with the values at both ends.
    pub(super) fn in_coin(&self, start: f64, end: f64) -> Enclosed {
        let (low, high) = self.forwards();
        let worth = if self.totals.0.to_bits() == self.totals.1.to_bits() {
            // a call in coins rises with the forward, a put falls
            sorted(start, end)
        } else {
            // and both rise with the volatility
            let (least, most) = match self.right {
                OptionRight::Call => (low, high),
                OptionRight::Put => (high, low),
            };
            let at = |forward: f64, total: f64| {
                let worth = value(self.right, forward, self.strike, total).unwrap_or(f64::NAN);
                self.discount * worth / forward
            };
            (at(least, self.totals.0), at(most, self.totals.1))
        };
        let delta = self.delta_range();
        let moved = sorted(self.exponent * (delta.0 - worth.1), self.exponent * (delta.1 - worth.0));
        let vega = products(self.vega_slope(), (high.recip(), low.recip()));
        Enclosed { start, end, low: moved.0 + vega.0, high: moved.1 + vega.1 }
    }

    /// Its discounted forward delta with the deltas at both ends.
    pub(super) fn delta(&self, start: f64, end: f64) -> Enclosed {
        let d1 = self.d1_range();
        let (least, most) = self.totals;
        if least <= 0.0 {
            return if d1.0 == d1.1 { Enclosed::constant(start) } else { Enclosed::jumping(start, end) };
        }
        let density = self.density_range(d1);
        let scaled = (self.discount * density.0, self.discount * density.1);
        let moved = products(scaled, sorted(self.exponent / most, self.exponent / least));
        // d1 moves with the total volatility by 1 / 2 - moneyness / total^2
        let (low, high) = self.forwards();
        let moneyness = (log_moneyness(low, self.strike), log_moneyness(high, self.strike));
        let share = products(moneyness, (1.0 / (most * most), 1.0 / (least * least)));
        let volatility = products(scaled, products((0.5 - share.1, 0.5 - share.0), self.total_slope));
        Enclosed { start, end, low: moved.0 + volatility.0, high: moved.1 + volatility.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::greeks::forward_delta;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_and_deltas_move_no_faster_than_their_bounds_say(
            put in any::<bool>(), strike in 50.0..200.0_f64, place in 0.0..1.0_f64, width in 0.001..1.0_f64,
            total in 0.02..1.5_f64, exponent in -1.5..1.5_f64, elasticity in -1.0..1.0_f64, from in -1.0..1.0_f64,
        ) {
            let right = if put { OptionRight::Put } else { OptionRight::Call };
            let elasticity = if elasticity > 0.5 { 0.0 } else { elasticity };
            let at = |x: f64| (100.0 * (exponent * x).exp(), total * (elasticity * x).exp());
            let (start, end) = (at(from), at(from + width));
            let stretch = Stretch {
                right,
                strike,
                forwards: (start.0, end.0),
                exponent,
                totals: sorted(start.1, end.1),
                total_slope: sorted(elasticity * start.1, elasticity * end.1),
                discount: 0.97,
            };
            let money = |end: (f64, f64)| 0.97 * value(right, end.0, strike, end.1).unwrap();
            let coin = |end: (f64, f64)| money(end) / end.0;
            let delta = |end: (f64, f64)| 0.97 * forward_delta(right, end.0, strike, end.1);
            let x = from + place * (width - 1e-6);
            let check = |bound: Enclosed, own: &dyn Fn((f64, f64)) -> f64, scale: f64| {
                let slope = (own(at(x + 1e-6)) - own(at(x))) / 1e-6;
                slope >= bound.low - 1e-5 * scale && slope <= bound.high + 1e-5 * scale
            };
            prop_assert!(check(stretch.in_money(money(start), money(end)), &money, 300.0));
            prop_assert!(check(stretch.in_coin(coin(start), coin(end)), &coin, 10.0));
            prop_assert!(check(stretch.delta(delta(start), delta(end)), &delta, 100.0));
        }
    }

    #[test]
    fn past_its_expiry_an_option_has_the_delta_of_one_side_or_jumps() {
        let stretch = |from: f64, to: f64| Stretch {
            right: OptionRight::Call,
            strike: 100.0,
            forwards: (from, to),
            totals: (0.0, 0.0),
            exponent: 1.0,
            total_slope: (0.0, 0.0),
            discount: 1.0,
        };
        assert_eq!(stretch(101.0, 110.0).delta(1.0, 1.0), Enclosed::constant(1.0));
        assert!(stretch(90.0, 110.0).delta(0.0, 1.0).high.is_infinite());
        let value = stretch(90.0, 110.0).in_money(0.0, 10.0);
        assert!(value.low >= 0.0 && value.high <= 110.0);
    }
}
