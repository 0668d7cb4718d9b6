//! A Dutch auction of slices of a whole account: the same fraction of every position and of the collateral
//! (venues.md section 7.3; docs.derive.xyz, liquidation-api).

use super::cost::{Costs, coins};
use super::working::{Closed, Subject, Working};
use crate::error::Result;
use crate::margin::equity::equity;
use crate::market::{MarketState, settle_of, underlying_of};
use crate::rulebook::Auction;

impl Auction {
    /// The discount after some seconds: linear to the end of the fast part, then linear to 1.
    pub fn discount(&self, seconds: f64) -> f64 {
        let share =
            |elapsed: f64, length: f64| if length > 0.0 { (elapsed / length).clamp(0.0, 1.0) } else { 1.0 };
        if seconds < self.fast_seconds {
            self.start + (self.fast - self.start) * share(seconds, self.fast_seconds)
        } else {
            self.fast + (1.0 - self.fast) * share(seconds - self.fast_seconds, self.slow_seconds)
        }
    }

    /// What a bidder is paid to take an account without value, money at or above zero: from what it is short of to
    /// its maintenance margin. `value` is the account's equity, `excess` its equity less its maintenance margin.
    pub fn insolvent_offer(&self, value: f64, excess: f64, seconds: f64) -> f64 {
        let start = value.min(0.0);
        let share = if self.insolvent_seconds > 0.0 {
            (seconds / self.insolvent_seconds).clamp(0.0, 1.0)
        } else {
            1.0
        };
        -(start + share * (excess - start))
    }

    /// The fee at the start, for the slice that would do at no discount: `fee x value x f(discount 0, reserved 0)`.
    pub fn fee_at_start(&self, room: f64, value: f64) -> f64 {
        if value <= 0.0 {
            return 0.0;
        }
        self.fee * value * slice(room, value, 0.0, 0.0).unwrap_or(1.0)
    }
}

/// The fraction of an account that a bidder takes so that nothing is missing any more:
/// `f = BM / (BM - (1 - d) MtM - d R)`.
///
/// `room` is the money above the stop level (below zero), `value` the equity, `reserved` the part of it that earlier
/// bids have brought and that is not sold again. At most 1; `None` where no fraction helps.
pub fn slice(room: f64, value: f64, reserved: f64, discount: f64) -> Option<f64> {
    let denominator = room - (1.0 - discount) * value - discount * reserved;
    let fraction = room / denominator;
    (room < 0.0 && denominator < 0.0 && fraction.is_finite()).then(|| fraction.min(1.0))
}

impl Working<'_> {
    /// Sells a fraction of every position and of all collateral that earlier slices have not brought, for its value
    /// less a discount, and less what closing the positions costs where no auction says what a bidder takes. The last row
    /// is what it brings, with the discount as its cost.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a price, for what the costs need, or for an account without a settlement currency.
    pub(super) fn sell_slice(
        &mut self,
        fraction: f64,
        discount: f64,
        state: &MarketState,
        costs: &Costs<'_>,
    ) -> Result<Vec<Closed>> {
        let target = self.settles_in().ok_or_else(|| crate::Error::Missing {
            what: "settlement currency".into(),
            why: "a slice is paid in it, and the account has none".into(),
            place: crate::error::Place::default(),
        })?;
        let price = self.view().price(target, state)?;
        let sold = fraction * (equity(&self.view(), state)?.gross - self.reserved * price);
        let mut rows = Vec::with_capacity(self.positions.len() + 1);
        let mut paid = 0.0;
        for (index, position) in self.positions.clone().iter().enumerate() {
            let quantity = fraction * position.quantity.abs();
            let (mut cost, mut price_after) = (0.0, self.dealt_at(position, state, 0.0, Some(0.0)));
            if quantity > 0.0 {
                let coin = underlying_of(self.book, position);
                let traded = self.traded.get(coin).copied().unwrap_or(0.0);
                let own = costs.closing(&self.view(), (index, position), state, fraction, traded)?;
                cost = own.total() * self.view().price(settle_of(self.book, position), state)?;
                price_after = self.dealt_at(position, state, own.slipping / quantity, costs.flat());
                if costs.flat().is_none() {
                    let dealt = fraction * coins(&self.view(), position, state)?.abs();
                    self.count_as_traded(coin, dealt);
                }
            }
            paid += cost;
            rows.push(Closed {
                subject: Subject::Contract,
                symbol: self.symbol(position),
                long: position.quantity > 0.0,
                quantity,
                price: price_after,
                cost,
            });
        }
        let mut reserved = self.reserved;
        for balance in &mut self.balances {
            // what is reserved may lie in several balances, in the order of their rows
            let kept = if balance.currency == target { balance.cash.min(reserved).max(0.0) } else { 0.0 };
            reserved -= kept;
            balance.cash = kept + (1.0 - fraction) * (balance.cash - kept);
            balance.debt *= 1.0 - fraction;
        }
        if fraction >= 1.0 {
            self.positions.clear();
        }
        for position in &mut self.positions {
            position.quantity *= 1.0 - fraction;
            position.unrealised_pnl *= 1.0 - fraction;
        }
        let proceeds = ((1.0 - discount) * sold - paid) / price;
        self.pay(target, proceeds);
        self.reserved += proceeds;
        rows.push(Closed {
            subject: Subject::Currency,
            symbol: self.book.currencies.get(target).map_or_else(String::new, |known| known.code.clone()),
            long: false,
            quantity: proceeds,
            price: 1.0,
            cost: discount * sold,
        });
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The auction of the cases in derive_dutch_auction_liquidation.json: price shares 1, 0.8 and 0.
    const PUBLISHED: Auction = Auction {
        start: 0.0,
        fast: 0.2,
        fast_seconds: 600.0,
        slow_seconds: 7_200.0,
        insolvent_seconds: 600.0,
        fee: 0.0,
    };

    /// Room of the published cases: `BM = MM + (MM - MtM) x buffer`.
    fn room(value: f64, excess: f64, buffer: f64) -> f64 {
        excess + (excess - value) * buffer
    }

    #[test]
    fn discounts_are_those_of_the_published_cases() {
        // derive-auction-discount-0 and -2
        assert!((1.0 - PUBLISHED.discount(300.0) - 0.9).abs() < 1e-12);
        assert!((1.0 - PUBLISHED.discount(960.0) - 0.76).abs() < 1e-12);
        assert_eq!(PUBLISHED.discount(1e9), 1.0);
    }

    #[test]
    fn slices_are_those_of_the_published_cases() {
        // derive-auction-unit-start and -race2, derive-auction-srm-perp
        let start = slice(room(300.0, -100.0, 0.1), 300.0, 0.0, 0.0).unwrap();
        assert!((start - 0.318_181_818_181_818_2).abs() < 1e-12);
        let reserved = slice(-5_560.0, 5_640.0, 1_440.0, PUBLISHED.discount(600.0)).unwrap();
        assert!((reserved - 0.536_679_536_679_536_7).abs() < 1e-12);
        let first = slice(room(30.0, -21.75, 0.05), 30.0, 0.0, 0.2).unwrap();
        assert!((first - 0.503_491_078_355_314_1).abs() < 1e-9);
    }

    #[test]
    fn offers_and_fees_are_those_of_the_published_cases() {
        // derive-auction-unit-ins12 (half of it is bid for), derive_insolvent_auction, derive_auction_fee
        assert!((0.5 * PUBLISHED.insolvent_offer(-100.0, -300.0, 12.0) - 52.0).abs() < 1e-12);
        let venue = Auction { insolvent_seconds: 3_600.0, fee: 0.1, ..PUBLISHED };
        assert!((venue.insolvent_offer(-4_000.0, -15_000.0, 600.0) - 5_833.333_333_333_333).abs() < 1e-9);
        assert!((venue.fee_at_start(-60_000.0, 100_000.0) - 3_750.0).abs() < 1e-9);
        assert_eq!(PUBLISHED.insolvent_offer(100.0, -300.0, 0.0), 0.0);
    }

    #[test]
    fn no_fraction_helps_an_account_without_value() {
        assert_eq!(slice(-100.0, -200.0, 0.0, 0.05), None);
        assert_eq!(slice(1.0, 10.0, 0.0, 0.05), None);
    }
}
