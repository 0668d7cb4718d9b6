//! Spreads in standard margin: an expiry needs no more than its largest loss at the strikes it holds.

use super::standard::Levels;
use crate::instrument::OptionRight;
use crate::numeric::accumulate::sum;
use crate::rulebook::options::{ExpiryOffset, OffsetPrice};

/// One option of an expiry, settlement currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leg {
    /// Index of the position in the pool.
    pub(super) position: usize,
    pub(super) quantity: f64,
    pub(super) right: OptionRight,
    pub(super) strike: f64,
    pub(super) mark: f64,
    /// Its margin by itself.
    pub(super) alone: Levels,
}

/// The options of one coin, settlement currency and instant of expiry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expiry {
    pub(super) legs: Vec<Leg>,
    /// Forward of the expiry, quote currency.
    pub(super) forward: f64,
    /// Index of the coin, quote currency.
    pub(super) index: f64,
}

/// One level of an expiry whose legs need less together than one by one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offset {
    /// What is saved, below zero.
    pub(super) saved: f64,
    /// What each leg bears of the rest, in the order of the legs; they sum to the margin of the expiry.
    pub(super) borne: Vec<f64>,
}

impl Expiry {
    /// What the legs save at each level, `None` where they are better off one by one.
    ///
    /// The margin is the smaller of the sum of the legs alone and `loss + u x net calls sold x price`. The loss
    /// is that of the worst settlement price of {0, every strike held}, from the options' value where
    /// `from_mark`, else from zero, and never below zero: beyond the last strike only net calls sold lose
    /// more, which the charge is for (venues.md section 7.1). An expiry with nothing sold is left alone.
    pub(super) fn offsets(&self, rule: &ExpiryOffset, from_mark: bool) -> [Option<Offset>; 2] {
        if self.legs.iter().all(|leg| leg.quantity >= 0.0) {
            return [None, None];
        }
        let loss = self.loss(from_mark);
        [
            self.offset(rule, rule.initial, &loss, |leg| leg.alone.initial),
            self.offset(rule, rule.maintenance, &loss, |leg| leg.alone.maintenance),
        ]
    }

    fn offset(
        &self,
        rule: &ExpiryOffset,
        scale: f64,
        loss: &[f64],
        alone: impl Fn(&Leg) -> f64,
    ) -> Option<Offset> {
        let calls = self.legs.iter().filter(|leg| leg.right == OptionRight::Call);
        let naked = sum(calls.map(|leg| leg.quantity)) < 0.0;
        let price = match rule.price {
            OffsetPrice::Forward => self.forward,
            OffsetPrice::Index => self.index,
        };
        let borne: Vec<f64> = self
            .legs
            .iter()
            .zip(loss)
            .map(|(leg, loss)| match leg.right {
                OptionRight::Call if naked => loss - scale * price * leg.quantity,
                _ => *loss,
            })
            .collect();
        let saved = sum(borne.iter().copied()) - sum(self.legs.iter().map(alone));
        (saved < 0.0).then_some(Offset { saved, borne })
    }

    /// The largest loss, leg by leg: the mean over the settlement prices that tie, nothing where none loses.
    fn loss(&self, from_mark: bool) -> Vec<f64> {
        let value = |leg: &Leg| if from_mark { leg.quantity * leg.mark } else { 0.0 };
        let loses =
            |leg: &Leg, price: f64| value(leg) - leg.quantity * leg.right.intrinsic(price, leg.strike);
        let mut prices: Vec<f64> = self.legs.iter().map(|leg| leg.strike).collect();
        prices.push(0.0);
        prices.sort_by(f64::total_cmp);
        prices.dedup();
        let losses: Vec<f64> =
            prices.iter().map(|price| sum(self.legs.iter().map(|leg| loses(leg, *price)))).collect();
        let most = losses.iter().copied().fold(0.0, f64::max);
        if most <= 0.0 {
            return vec![0.0; self.legs.len()];
        }
        let tied: Vec<f64> =
            prices.iter().zip(&losses).filter(|(_, loss)| **loss >= most).map(|(price, _)| *price).collect();
        self.legs
            .iter()
            .map(|leg| sum(tied.iter().map(|price| loses(leg, *price))) / tied.len() as f64)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFSET: ExpiryOffset = ExpiryOffset { initial: 1.2, maintenance: 1.1, price: OffsetPrice::Forward };

    fn leg(quantity: f64, right: OptionRight, strike: f64, alone: f64) -> Leg {
        let alone = Levels { initial: alone, maintenance: alone };
        Leg { position: 0, quantity, right, strike, mark: 0.0, alone }
    }

    fn expiry(legs: Vec<Leg>) -> Expiry {
        Expiry { legs, forward: 1500.0, index: 1490.0 }
    }

    #[test]
    fn a_call_spread_loses_the_distance_of_its_strikes() {
        let call = OptionRight::Call;
        let spread = expiry(vec![leg(-1.0, call, 1100.0, 630.0), leg(1.0, call, 1300.0, 0.0)]);
        let [initial, maintenance] = spread.offsets(&OFFSET, false);
        let (initial, maintenance) = (initial.unwrap(), maintenance.unwrap());
        assert!((initial.saved - (200.0 - 630.0)).abs() < 1e-9);
        assert_eq!(initial.saved.to_bits(), maintenance.saved.to_bits());
        assert!((sum(initial.borne.iter().copied()) - 200.0).abs() < 1e-9);
    }

    #[test]
    fn calls_that_nothing_covers_are_charged_at_the_forward() {
        let call = OptionRight::Call;
        let naked = expiry(vec![leg(-2.0, call, 1000.0, 5000.0), leg(1.0, call, 1200.0, 0.0)]);
        // at 1,200: 400; one net call sold: 1.2 and 1.1 times 1,500
        let [initial, maintenance] = naked.offsets(&OFFSET, false);
        let rest = |offset: Option<Offset>| sum(offset.unwrap().borne);
        assert!((rest(initial) - (400.0 + 1_800.0)).abs() < 1e-9);
        assert!((rest(maintenance) - (400.0 + 1_650.0)).abs() < 1e-9);
    }

    #[test]
    fn a_spread_on_paradex_needs_what_it_is_worth() {
        // docs.paradex.trade, dated options: bought at 4,000 and sold at 1,500, 2,500 instead of 14,000
        let call = OptionRight::Call;
        let long = Leg { mark: 4_000.0, ..leg(1.0, call, 100_000.0, 4_000.0) };
        let short = Leg { mark: 1_500.0, ..leg(-1.0, call, 110_000.0, 10_000.0) };
        let spread = Expiry { legs: vec![long, short], forward: 100_200.0, index: 100_000.0 };
        let [initial, _] = spread.offsets(&OFFSET, true);
        assert!((14_000.0 + initial.unwrap().saved - 2_500.0).abs() < 1e-9);
    }

    #[test]
    fn settlement_prices_that_tie_share_the_loss() {
        // sold put 1,000 and sold put 1,200 lose most at zero; a sold straddle with a bought call ties
        let (call, put) = (OptionRight::Call, OptionRight::Put);
        let legs =
            vec![leg(-1.0, put, 100.0, 500.0), leg(-1.0, call, 1000.0, 500.0), leg(1.0, call, 1100.0, 0.0)];
        let [initial, _] = expiry(legs).offsets(&OFFSET, false);
        let borne = initial.unwrap().borne;
        assert_eq!(borne, vec![50.0, 50.0, 0.0]);
    }

    #[test]
    fn what_is_bought_alone_is_left_alone() {
        let bought =
            expiry(vec![leg(1.0, OptionRight::Call, 1000.0, 10.0), leg(1.0, OptionRight::Put, 1000.0, 10.0)]);
        assert_eq!(bought.offsets(&OFFSET, true), [None, None]);
    }
}
