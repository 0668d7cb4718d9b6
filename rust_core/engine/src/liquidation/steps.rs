//! What the steps of a liquidation do to an account, and how each is recorded.

use super::cost::Costs;
use super::order::{End, Row, Snapshot};
use super::run::{Pick, Run};
use super::words::{helps, joined, money, trap};
use super::working::{Closed, Subject};
use crate::error::Result;
use crate::instrument::ContractKind;
use crate::margin::{PoolState, evaluate};
use crate::market::{MarketState, settle_of, underlying_of};
use crate::rulebook::Auction;
use crate::rulebook::StepSize;

impl Run<'_> {
    /// Coins and settlement currencies of what is picked, without those of perpetuals.
    pub(super) fn pairs_of(&self, picks: &[Pick]) -> Vec<(usize, usize)> {
        let book = self.working.book;
        let perpetual = |instrument: usize| {
            let kind = book.instruments.get(instrument).map(|known| known.kind);
            kind == Some(ContractKind::Perpetual)
        };
        let mut found: Vec<(usize, usize)> = picks
            .iter()
            .filter_map(|(index, ..)| self.working.positions.get(*index))
            .filter(|position| !perpetual(position.instrument))
            .map(|position| (underlying_of(book, position), settle_of(book, position)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Closes positions and records it; whether anything was closed. Legs that close each other cost no slippage.
    pub(super) fn close(
        &mut self,
        market: &MarketState,
        before: &PoolState,
        picks: Vec<Pick>,
        why: &str,
        matched: bool,
    ) -> Result<bool> {
        let costs = if matched { Costs::FREE } else { self.costs(before) };
        let mut closed = Vec::new();
        for (index, fraction, reason) in picks {
            if let Some(one) = self.working.close(index, fraction, market, &costs)? {
                closed.push((index, one, reason));
            }
        }
        closed.reverse();
        let whole = before.requirement.maintenance;
        let part =
            |index: usize| before.requirement.by_position.get(index).map_or(0.0, |own| own.maintenance);
        let shares: Vec<f64> =
            closed.iter().map(|(index, ..)| if whole > 0.0 { part(*index) / whole } else { 0.0 }).collect();
        let count = closed.len();
        let closed = closed.into_iter().map(|(_, one, reason)| (one, reason)).collect();
        let done = self.record("close", market, before, closed, why)?;
        let start = self.rows.len() - count;
        for (row, share) in self.rows.iter_mut().skip(start).zip(shares) {
            row.share = Some(share);
        }
        Ok(done)
    }

    /// Records what a step has done to the account; whether it has done anything.
    pub(super) fn record(
        &mut self,
        action: &'static str,
        market: &MarketState,
        before: &PoolState,
        done: Vec<(Closed, String)>,
        why: &str,
    ) -> Result<bool> {
        if done.is_empty() {
            return Ok(false);
        }
        let before = Snapshot::of(before);
        let after = Snapshot::of(&self.measured(&self.working, market)?);
        let cost = done.iter().map(|(one, _)| one.cost).sum();
        let trap = match action {
            "close" | "hedge" | "convert" => {
                let named = match (action, done.len()) {
                    ("hedge", _) => "hedging",
                    ("convert", _) => "selling collateral",
                    (_, 1) => "closing a hedge",
                    _ => "this step",
                };
                trap(named, &before, &after, cost)
            }
            _ => None,
        };
        for (one, reason) in done {
            let reason = joined(why, &reason);
            let reason = trap.as_deref().map_or_else(|| reason.clone(), |trap| joined(&reason, trap));
            self.push(action, Some(one), (before, after), reason, trap.clone());
        }
        Ok(true)
    }

    pub(super) fn push(
        &mut self,
        action: &'static str,
        closed: Option<Closed>,
        (before, after): (Snapshot, Snapshot),
        reason: String,
        trap: Option<String>,
    ) {
        self.rows.push(Row {
            step: self.step,
            action,
            account: self.working.account,
            closed,
            share: None,
            before,
            after,
            reason,
            trap,
            certainty: self.certainty,
        });
    }

    /// Trades the perpetual against a coin's delta if the account is better for it; whether it was done.
    pub(super) fn hedge_with(
        &mut self,
        pair: (usize, usize),
        market: &MarketState,
        before: &PoolState,
        why: &str,
    ) -> Result<bool> {
        let mut next = self.working.clone();
        let costs = self.costs(before).without_fees();
        let known: Vec<usize> = next.positions.iter().map(|own| own.instrument).collect();
        let coin = next.book.underlyings.get(pair.0).map_or("", |known| known.name.as_str());
        let Some(dealt) = next.hedge(pair, market, &costs)? else {
            if let Some(last) = self.rows.last_mut().filter(|_| !next.can_hedge(pair)) {
                last.reason =
                    joined(&last.reason, &format!("the book has no perpetual on {coin} to hedge with"));
            }
            return Ok(false);
        };
        let after = evaluate(&next.view(), market)?;
        if !helps(before.excess, after.excess, before.requirement.maintenance) {
            if let Some(last) = self.rows.last_mut() {
                let left_out = format!("hedging the delta of {coin} would not help and is left out");
                last.reason = joined(&last.reason, &left_out);
            }
            return Ok(false);
        }
        let opened = next.positions.iter().map(|own| own.instrument).filter(|own| !known.contains(own));
        self.hedges.extend(opened);
        self.working = next;
        self.price_scenarios(market)?;
        self.step += 1;
        let reason = format!("the delta of {coin} is hedged with {}", dealt.symbol);
        self.record("hedge", market, before, vec![(dealt, reason)], why)
    }

    pub(super) fn cancel_orders(
        &mut self,
        market: &MarketState,
        before: &PoolState,
        why: &str,
    ) -> Result<()> {
        let count = self.working.orders.len();
        self.working.orders.clear();
        let after = Snapshot::of(&self.measured(&self.working, market)?);
        let reason = joined(why, &format!("{count} open orders are cancelled first"));
        self.push("cancel_orders", None, (Snapshot::of(before), after), reason, None);
        Ok(())
    }

    /// Sells a slice of everything in an auction; how the run ends where no slice helps.
    pub(super) fn slice(
        &mut self,
        market: &MarketState,
        before: &PoolState,
        why: &str,
    ) -> Result<Option<End>> {
        // without an auction of its own a rulebook's slices go at their value less what dealing costs
        let free = Auction { slow_seconds: f64::INFINITY, ..Auction::default() };
        let own = self.rulebook.liquidation.auction;
        let auction = own.unwrap_or(free);
        let mut standing = before.clone();
        if !self.charged {
            self.charged = true;
            let fee = auction.fee_at_start(self.room(before), before.equity.gross);
            if let Some(target) = self.working.settles_in().filter(|_| fee > 0.0) {
                let price = self.working.view().price(target, market)?;
                self.working.pay(target, -fee / price);
                let known = self.working.book.currencies.get(target);
                let paid = Closed {
                    subject: Subject::Currency,
                    symbol: known.map_or_else(String::new, |known| known.code.clone()),
                    long: true,
                    quantity: fee / price,
                    price,
                    cost: fee,
                };
                let reason =
                    format!("fee at the start of the auction: {} % of a first slice", 100.0 * auction.fee);
                self.record("fee", market, before, vec![(paid, reason)], why)?;
                standing = self.measured(&self.working, market)?;
            }
        }
        let discount = auction.discount(self.options.elapsed);
        let costs = if own.is_some() { Costs::FREE } else { self.costs(&standing) };
        match self.slice_fraction(market, &standing, discount, &costs)? {
            Some((most, how)) => {
                // a bidder may take less than the largest slice
                let fraction = match self.options.step {
                    Some(StepSize::Fraction(wanted)) => wanted.min(most),
                    _ => most,
                };
                let sold = self.working.sell_slice(fraction, discount, market, &costs)?;
                let reason = format!(
                    "{:.4} % of every position and of all collateral goes to a bidder at a discount of {:.2} %: {how}",
                    100.0 * fraction,
                    100.0 * discount
                );
                let sold = sold.into_iter().map(|one| (one, reason.clone())).collect();
                self.record("slice", market, &standing, sold, why)?;
                if let Some(last) = self.rows.last_mut() {
                    last.action = "proceeds";
                }
                Ok(None)
            }
            None => {
                let offer =
                    auction.insolvent_offer(standing.equity.gross, standing.excess, self.options.elapsed);
                let reason = format!(
                    "no slice restores the account: it goes whole to a bidder, who is paid {}",
                    money(offer)
                );
                self.take_over(market, &standing, why, &reason)?;
                self.record_offer(offer, market, &standing, reason)?;
                Ok(Some(End::TakenOver))
            }
        }
    }

    /// Records what whoever takes over an account without value is paid for it; it is not the account's money.
    fn record_offer(
        &mut self,
        offer: f64,
        market: &MarketState,
        before: &PoolState,
        reason: String,
    ) -> Result<()> {
        let Some(target) = self.working.settles_in() else { return Ok(()) };
        let price = self.working.view().price(target, market)?;
        let known = self.working.book.currencies.get(target);
        let paid = Closed {
            subject: Subject::Currency,
            symbol: known.map_or_else(String::new, |known| known.code.clone()),
            long: false,
            quantity: offer / price,
            price,
            cost: 0.0,
        };
        self.record("offer", market, before, vec![(paid, reason)], "")?;
        Ok(())
    }

    /// The whole pool goes to whoever takes it over, positions and collateral; nothing is left.
    pub(super) fn take_over(
        &mut self,
        market: &MarketState,
        before: &PoolState,
        why: &str,
        reason: &str,
    ) -> Result<()> {
        let mut closed = Vec::new();
        for index in (0..self.working.positions.len()).rev() {
            let one = self.working.close(index, 1.0, market, &Costs::FREE)?;
            closed.extend(one.map(|one| (one, reason.to_owned())));
        }
        closed.reverse();
        for balance in &mut self.working.balances {
            (balance.cash, balance.debt) = (0.0, 0.0);
        }
        self.record("takeover", market, before, closed, why)?;
        Ok(())
    }
}
