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
