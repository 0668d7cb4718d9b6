//! One run of a liquidation: steps at a market state until the stop level is reached.

use super::cost::Costs;
use super::order::{End, LiquidationOrder, Options, Row, Snapshot};
use super::words::{helps, trap};
use super::working::{Closed, Working};
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::status::broken;
use crate::margin::{PoolState, Status, evaluate};
use crate::market::{MarketState, settle_of, underlying_of};
use crate::rulebook::{Certainty, Hedge, Policy, Rulebook, Stage, Stop};

/// A pool that is being liquidated, and what has happened to it.
pub(super) struct Run<'a> {
    pub(super) working: Working<'a>,
    pub(super) rulebook: &'a Rulebook,
    pub(super) options: &'a Options,
    pub(super) policy: Policy,
    pub(super) stop: Stop,
    pub(super) hedge: Hedge,
    /// Contracts that were opened to hedge; they stay while anything else is left.
    pub(super) hedges: Vec<usize>,
    certainty: Certainty,
    rows: Vec<Row>,
    pub(super) step: usize,
    /// Whether an auction has taken its fee.
    charged: bool,
}

/// What a step closes: index into the pool, fraction, reason; by falling index so that removal is safe.
pub(super) type Pick = (usize, f64, String);

/// What comes next.
pub(super) enum Turn {
    /// Positions are closed.
    Close(Vec<Pick>),
    /// A fraction of a balance is sold.
    Sell(usize, f64, String),
    /// A slice of everything is sold.
    Slice,
    /// Nothing that is left helps.
    Stuck,
}

impl<'a> Run<'a> {
    pub(super) fn new(book: &'a Book, pool: &Pool, options: &'a Options) -> Result<Self> {
        let working = Working::of(book, pool);
        let rulebook = book.rulebook_of(pool.account).ok_or_else(|| Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: crate::error::Place::default(),
        })?;
        let rule = &rulebook.liquidation;
        let policy = options.policy.unwrap_or(rule.policy);
        if policy == Policy::UserList {
            for name in &options.user_list {
                if !book.instruments.iter().any(|known| known.symbol.eq_ignore_ascii_case(name)) {
                    return Err(Error::Unknown {
                        what: "symbol of the list",
                        value: name.clone(),
                        known: book
                            .instruments
                            .iter()
                            .map(|i| i.symbol.as_str())
                            .take(20)
                            .collect::<Vec<_>>()
                            .join(", "),
                    });
                }
            }
        }
        let certainty = if options.policy.is_some() { Certainty::Chosen } else { rule.certainty };
        Ok(Self {
            working,
            rulebook,
            options,
            policy,
            stop: options.stop.unwrap_or(rule.stop),
            hedge: options.hedge_of(rule),
            hedges: Vec::new(),
            certainty,
            rows: Vec::new(),
            step: 0,
            charged: false,
        })
    }

    pub(super) fn liquidatable(&self, state: &PoolState) -> bool {
        matches!(state.status, Status::Liquidatable | Status::Bankrupt)
            && broken(&self.rulebook.maintenance, state.excess)
    }

    /// Money above the stop level; the run stops at zero or above.
    pub(super) fn room(&self, state: &PoolState) -> f64 {
        match self.stop {
            Stop::Healthy => state.excess,
            Stop::Initial => state.excess_initial.unwrap_or(state.excess),
            Stop::Flat => f64::NEG_INFINITY,
            Stop::Multiple(multiple) => {
                state.equity.maintenance
                    - multiple * self.rulebook.maintenance.trigger * state.requirement.maintenance
            }
        }
    }

    pub(super) fn enough(&self, room: f64) -> bool {
        if self.rulebook.maintenance.inclusive { room > 0.0 } else { room >= 0.0 }
    }

    pub(super) fn costs<'b>(&self, before: &'b PoolState) -> Costs<'b>
    where
        'a: 'b,
    {
        Costs::new(self.options.slippage, &self.rulebook.liquidation, before)
    }

    /// Liquidates at one market state; returns how that ended.
    pub(super) fn at(&mut self, market: &MarketState, why: &str) -> Result<End> {
        let first = evaluate(&self.working.view(), market)?;
        if !self.liquidatable(&first) {
            return Ok(End::NothingToDo);
        }
        if self.stop == Stop::Initial && first.excess_initial.is_none() {
            return Err(Error::Missing {
                what: "initial margin".into(),
                why: first.requirement.initial_missing.unwrap_or_else(|| {
                    "stop=initial needs one, and an isolated position has none of its own".into()
                }),
                place: crate::error::Place::default(),
            });
        }
        let mut tranche = 0;
        let mut to_hedge = if self.hedge == Hedge::First { self.working.deltas() } else { Vec::new() };
        let orders_first = self.stages().first() == Some(&Stage::Orders);
        loop {
            let before = evaluate(&self.working.view(), market)?;
            if self.working.positions.is_empty() {
                return Ok(End::Flat);
            }
            if self.enough(self.room(&before)) {
                return Ok(End::Healthy);
            }
            if self.step >= self.options.max_steps {
                return Ok(End::StepsExhausted);
            }
            self.step += 1;
            let rule = &self.rulebook.liquidation;
            if (rule.cancel_orders || orders_first) && !self.working.orders.is_empty() {
                self.cancel_orders(market, &before, why)?;
                continue;
            }
            let own = self.options.policy.is_none();
            let below = rule.takeover_below.filter(|_| own);
            if let Some(share) =
                below.filter(|s| before.equity.maintenance < s * before.requirement.maintenance)
            {
                let reason = format!(
                    "equity is below {:.1} % of the maintenance margin: the {} takes every position and all collateral",
                    100.0 * share,
                    rule.takeover
                );
                self.take_over(market, &before, why, &reason)?;
                return Ok(End::TakenOver);
            }
            if let Some(pair) = to_hedge.pop() {
                if !self.hedge_with(pair, market, &before, why)? {
                    self.step -= 1;
                }
                continue;
            }
            if own && rule.close_opposing {
                if let Some(legs) = super::tier_step::opposing(&self.working.view()) {
                    let reason = "a long and a short leg of one contract are closed against each other first";
                    let picks = legs.map(|(index, fraction)| (index, fraction, reason.to_owned()));
                    self.close(market, &before, picks.into(), why, true)?;
                    continue;
                }
            }
            let turn = self.turn(market, &before, tranche)?;
            tranche += 1;
            let done = match turn {
                Turn::Close(picks) => {
                    let pairs = self.pairs_of(&picks);
                    let done = self.close(market, &before, picks, why, false)?;
                    if self.hedge == Hedge::After {
                        to_hedge = pairs;
                    }
                    done
                }
                Turn::Sell(index, fraction, reason) => {
                    let costs = self.costs(&before).without_fees();
                    let sold = self.working.sell_balance(index, fraction, market, &costs)?;
                    let sold = sold.map(|one| (one, reason)).into_iter().collect();
                    self.record("convert", market, &before, sold, why)?
                }
                Turn::Slice => {
                    if let Some(end) = self.slice(market, &before, why)? {
                        return Ok(end);
                    }
                    true
                }
                Turn::Stuck => false,
            };
            if !done {
                self.step -= 1;
                return Ok(End::Stuck);
            }
        }
    }

    /// Coins and settlement currencies of what is picked, without those of perpetuals.
    fn pairs_of(&self, picks: &[Pick]) -> Vec<(usize, usize)> {
        let book = self.working.book;
        let perpetual = |instrument: usize| {
            let kind = book.instruments.get(instrument).map(|known| known.kind);
            kind == Some(crate::instrument::ContractKind::Perpetual)
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
    fn close(
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
    fn record(
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
        let after = Snapshot::of(&evaluate(&self.working.view(), market)?);
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
            self.rows.push(Row {
                step: self.step,
                action,
                account: self.working.account,
                closed: Some(one),
                share: None,
                before,
                after,
                reason: trap.as_deref().map_or_else(|| reason.clone(), |trap| joined(&reason, trap)),
                trap: trap.clone(),
                certainty: self.certainty,
            });
        }
        Ok(true)
    }

    /// Trades the perpetual against a coin's delta if the account is better for it; whether it was done.
    fn hedge_with(
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
        let reason = format!("the delta of {coin} is hedged with {}", dealt.symbol);
        self.record("hedge", market, before, vec![(dealt, reason)], why)
    }

    fn cancel_orders(&mut self, market: &MarketState, before: &PoolState, why: &str) -> Result<()> {
        let count = self.working.orders.len();
        self.working.orders.clear();
        self.rows.push(Row {
            step: self.step,
            action: "cancel_orders",
            account: self.working.account,
            closed: None,
            share: None,
            before: Snapshot::of(before),
            after: Snapshot::of(&evaluate(&self.working.view(), market)?),
            reason: joined(why, &format!("{count} open orders are cancelled first")),
            trap: None,
            certainty: self.certainty,
        });
        Ok(())
    }

    /// Sells a slice of everything in an auction; how the run ends where no slice helps.
    fn slice(&mut self, market: &MarketState, before: &PoolState, why: &str) -> Result<Option<End>> {
        let auction = self.rulebook.liquidation.auction.unwrap_or_default();
        let mut standing = before.clone();
        if !self.charged {
            self.charged = true;
            let fee = auction.fee_at_start(self.room(before), before.equity.gross);
            if let Some(target) = self.working.settles_in().filter(|_| fee > 0.0) {
                let price = self.working.view().price(target, market)?;
                self.working.pay(target, -fee / price);
                let known = self.working.book.currencies.get(target);
                let paid = Closed {
                    subject: super::working::Subject::Currency,
                    symbol: known.map_or_else(String::new, |known| known.code.clone()),
                    long: true,
                    quantity: fee / price,
                    price,
                    cost: fee,
                };
                let reason =
                    format!("fee at the start of the auction: {} % of a first slice", 100.0 * auction.fee);
                self.record("fee", market, before, vec![(paid, reason)], why)?;
                standing = evaluate(&self.working.view(), market)?;
            }
        }
        let discount = auction.discount(self.options.elapsed);
        match self.slice_fraction(market, &standing, discount)? {
            Some((fraction, how)) => {
                let sold = self.working.sell_slice(fraction, discount, market)?;
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
                    super::words::money(offer)
                );
                self.take_over(market, &standing, why, &reason)?;
                Ok(Some(End::TakenOver))
            }
        }
    }

    /// The whole pool goes to whoever takes it over, positions and collateral; nothing is left.
    fn take_over(&mut self, market: &MarketState, before: &PoolState, why: &str, reason: &str) -> Result<()> {
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

    pub(super) fn finish(mut self, end: End, driver: Option<(usize, f64, f64)>) -> LiquidationOrder {
        let sentence = match end {
            End::NothingToDo => "nothing to do: the account is not liquidatable there".to_owned(),
            End::Healthy => "the account is healthy again".to_owned(),
            End::Flat => match self.rows.last() {
                Some(row) if row.after.equity.gross < 0.0 => format!(
                    "nothing is left; the account is bankrupt and owes {:.2}",
                    -row.after.equity.gross
                ),
                _ => "nothing is left".to_owned(),
            },
            End::TakenOver => match self.rulebook.liquidation.takeover.as_str() {
                "" => "taken over".to_owned(),
                who => format!("taken over by the {who}"),
            },
            End::StepsShown => {
                format!("healthy here; the path goes on after {} steps", self.options.max_steps)
            }
            End::StepsExhausted => {
                format!("still liquidatable after {} steps", self.options.max_steps)
            }
            End::Stuck => {
                "still liquidatable: no step that is left frees more than it costs, so none is taken"
                    .to_owned()
            }
        };
        if let Some(last) = self.rows.last_mut() {
            last.reason = joined(&last.reason, &sentence);
        }
        LiquidationOrder { left: self.working.positions.len(), rows: self.rows, end, sentence, driver }
    }
}

fn joined(first: &str, second: &str) -> String {
    if first.is_empty() { second.to_owned() } else { format!("{first}; {second}") }
}
