//! Where an account's money to spare changes sign along a path, with every bracket change on the way.
//!
//! Between two bracket changes the excess is a sum of powers of the path's ratio. The sweep walks
//! outward from today's ratio 1, takes a position's old bracket out and its new one in at each change,
//! and solves every stretch in turn: in closed form, hence without a search limit, wherever the sum has
//! two terms, which is every path on which coins move by one common ratio. Collateral rates bend the
//! sum where a currency's net amount crosses a slice; those ratios are roots of the same kind and split
//! the stretch.

use super::walk::Walk;
use crate::book::Position;
use crate::error::Result;
use crate::instrument::Payoff;
use crate::margin::PoolView;
use crate::margin::equity::{Counting, Holding, counted_amount, counting, holdings};
use crate::margin::status::broken;
use crate::margin::tiers::maintenance_notional;
use crate::market::{MarketState, notional, payoff, settle_of, underlying_of};
use crate::numeric::{Accumulator, ExponentialSum};
use crate::path::Path;
use crate::rulebook::{MaintenanceOn, Measure, OtherCurrencies, Rulebook};

/// What must be zero at a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Maintenance equity less trigger times maintenance margin.
    Trigger,
    /// Gross equity: nothing is left after everything is closed at no cost.
    Bankruptcy,
}

/// A change of sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Ratio of the driver.
    pub ratio: f64,
    /// Whether the excess is below zero beyond it, seen from today.
    pub into_breach: bool,
    /// Whether the target jumps over zero there instead of passing through it.
    pub jump: bool,
}

/// How crossings were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Search {
    /// On a grid: what turns back between two of its points is missed.
    #[default]
    Grid,
    /// By halving until bounds on the slope leave room for no other.
    Proven,
    /// As proven, but the most evaluations were used up before every stretch was.
    Unfinished,
    /// In closed form, stretch by stretch.
    ClosedForm,
}

impl Search {
    /// The word of the search column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Proven => "proven",
            Self::Unfinished => "unfinished",
            Self::ClosedForm => "closed form",
        }
    }
}

impl Search {
    /// What may be said about it at the end of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Grid => "searched on a grid, narrow zones may be missed",
            Self::Proven => "proven",
            Self::Unfinished => "search unfinished, narrow zones may be missed",
            Self::ClosedForm => "closed form",
        }
    }
}

/// Every crossing on both sides of today, nearest first, and how far was searched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Crossings {
    /// Below today's price.
    pub down: Vec<Crossing>,
    /// Above today's price.
    pub up: Vec<Crossing>,
    /// Ratio down to which was searched; `None`: all the way to zero.
    pub searched_down: Option<f64>,
    /// Ratio up to which was searched; `None`: without a limit.
    pub searched_up: Option<f64>,
    /// Whether the target is already below zero today.
    pub breached_today: bool,
    /// How much is known about what lies between the crossings.
    pub search: Search,
    /// Ratios between which the target touches zero, or comes nearer than can be told, without a change of sign seen.
    pub touches: Vec<(f64, f64)>,
}

const MOST_CROSSINGS: usize = 16;

/// One currency of the pool along the path.
#[derive(Debug, Clone)]
pub(super) struct Strand<'a> {
    holding: Holding<'a>,
    counting: Counting,
    price: f64,
    exponent: f64,
    pub(super) pnl: ExponentialSum,
    maintenance: ExponentialSum,
}

/// A pool prepared for sweeps: what does not depend on the path is summed once.
pub struct Prepared<'a> {
    view: PoolView<'a>,
    rulebook: &'a Rulebook,
    holdings: Vec<(Holding<'a>, Counting, f64)>,
    maintenance: Vec<Accumulator>,
    /// Positions by underlying, and by the coin of their settlement currency.
    by_coin: Vec<Vec<usize>>,
}

impl<'a> Prepared<'a> {
    /// Prepares a pool of a tiered rulebook.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn new(view: PoolView<'a>) -> Result<Self> {
        let rulebook = view.rulebook()?;
        let today = MarketState::today(view.book);
        let mut rows = Vec::new();
        for holding in holdings(&view, &today) {
            let price = view.price(holding.currency, &today)?;
            let counting = counting(&view, &holding)?;
            rows.push((holding, counting, price));
        }
        let mut prepared = Self {
            view,
            rulebook,
            maintenance: vec![Accumulator::default(); rows.len()],
            holdings: rows,
            by_coin: vec![Vec::new(); view.book.underlyings.len()],
        };
        for (index, position) in view.positions.iter().enumerate() {
            let strand = prepared.strand_of(position);
            let terms = prepared.maintenance_terms(position, 1.0, prepared.bracket_today(position));
            if let Some(sum) = prepared.maintenance.get_mut(strand) {
                terms.iter().for_each(|(_, coefficient)| sum.add(*coefficient));
            }
            let coin = underlying_of(view.book, position);
            let settle = view.book.currencies.get(settle_of(view.book, position)).and_then(|c| c.underlying);
            for touched in [Some(coin), settle.filter(|settle| *settle != coin)].into_iter().flatten() {
                if let Some(list) = prepared.by_coin.get_mut(touched) {
                    list.push(index);
                }
            }
        }
        Ok(prepared)
    }

    fn strand_of(&self, position: &Position) -> usize {
        let currency = settle_of(self.view.book, position);
        self.holdings.iter().position(|(holding, _, _)| holding.currency == currency).unwrap_or(0)
    }

    fn maintenance_on(&self) -> MaintenanceOn {
        match self.rulebook.measure {
            Measure::Tiers { maintenance_on, .. } => maintenance_on,
            _ => MaintenanceOn::Mark,
        }
    }

    fn fixed_notional(&self, position: &Position) -> bool {
        self.maintenance_on() == MaintenanceOn::Entry && position.entry_price.is_some()
    }

    fn bracket_today(&self, position: &Position) -> usize {
        let base = maintenance_notional(&self.view, position, self.maintenance_on(), 1.0);
        self.view.book.tables.get(position.table).map_or(0, |table| table.bracket_index(base))
    }

    /// Maintenance margin of a position in a bracket as terms (exponent, coefficient), coins.
    fn maintenance_terms(&self, position: &Position, exponent: f64, bracket: usize) -> [(f64, f64); 2] {
        let table = self.view.book.tables.get(position.table);
        let Some(bracket) = table.and_then(|table| table.brackets.get(bracket)) else {
            return [(0.0, 0.0); 2];
        };
        let base = maintenance_notional(&self.view, position, self.maintenance_on(), 1.0);
        let exponent = if self.fixed_notional(position) {
            0.0
        } else {
            match payoff(self.view.book, position) {
                Payoff::Linear => exponent,
                Payoff::Inverse => -exponent,
            }
        };
        [(exponent, base * bracket.rate), (0.0, -bracket.amount)]
    }

    /// Profit and loss of a move as terms, coins; they sum to zero at ratio 1.
    fn pnl_terms(&self, position: &Position, exponent: f64) -> [(f64, f64); 2] {
        match payoff(self.view.book, position) {
            Payoff::Linear => {
                let size = position.quantity * position.mark_price;
                [(exponent, size), (0.0, -size)]
            }
            Payoff::Inverse => {
                let size = position.quantity / position.mark_price;
                [(-exponent, -size), (0.0, size)]
            }
        }
    }

    /// The positions that the path touches.
    fn touched(&self, path: &Path) -> Vec<usize> {
        match path {
            Path::Alone(coin) => self.by_coin.get(*coin).cloned().unwrap_or_default(),
            _ => (0..self.view.positions.len()).collect(),
        }
    }

    fn strands(&self, path: &Path, touched: &[usize]) -> Vec<Strand<'a>> {
        let mut strands: Vec<Strand<'a>> = self
            .holdings
            .iter()
            .zip(&self.maintenance)
            .map(|((holding, counting, price), maintenance)| {
                let coin = self.view.book.currencies.get(holding.currency).and_then(|c| c.underlying);
                let mut pnl = ExponentialSum::default();
                pnl.add(0.0, holding.pnl);
                let mut margin = ExponentialSum::default();
                margin.add(0.0, maintenance.value());
                Strand {
                    holding: *holding,
                    counting: counting.clone(),
                    price: *price,
                    exponent: coin.map_or(0.0, |coin| path.exponent(self.view.book, coin)),
                    pnl,
                    maintenance: margin,
                }
            })
            .collect();
        for position in touched.iter().filter_map(|index| self.view.positions.get(*index)) {
            let exponent = path.exponent(self.view.book, underlying_of(self.view.book, position));
            let bracket = self.bracket_today(position);
            if let Some(strand) = strands.get_mut(self.strand_of(position)) {
                for (power, coefficient) in self.pnl_terms(position, exponent) {
                    strand.pnl.add(power, coefficient);
                }
                let moving = self.maintenance_terms(position, exponent, bracket);
                for ((power, coefficient), (_, at_today)) in moving.into_iter().zip(moving) {
                    strand.maintenance.add(0.0, -at_today);
                    strand.maintenance.add(power, coefficient);
                }
            }
        }
        strands
    }

    /// Bracket changes in one direction: (ratio, position, bracket before, bracket after), nearest first.
    fn changes(&self, path: &Path, touched: &[usize], up: bool) -> Vec<(f64, usize, usize, usize)> {
        let mut changes = Vec::new();
        for &index in touched {
            let Some(position) = self.view.positions.get(index) else { continue };
            let exponent = path.exponent(self.view.book, underlying_of(self.view.book, position))
                * match payoff(self.view.book, position) {
                    Payoff::Linear => 1.0,
                    Payoff::Inverse => -1.0,
                };
            let Some(table) = self.view.book.tables.get(position.table) else { continue };
            if exponent == 0.0 || table.brackets.len() < 2 || self.fixed_notional(position) {
                continue;
            }
            let size = notional(self.view.book, position, 1.0);
            let today = table.bracket_index(size);
            let growing = up == (exponent > 0.0);
            let ratio_at = |floor: f64| {
                let ratio = floor / size;
                let ratio = if exponent == 1.0 { ratio } else { ratio.powf(exponent.recip()) };
                if up { ratio.max(1.0) } else { ratio.min(1.0) }
            };
            let floor = |bracket: usize| table.brackets.get(bracket).map_or(0.0, |bracket| bracket.floor);
            if growing {
                changes.extend(
                    (today + 1..table.brackets.len())
                        .map(|next| (ratio_at(floor(next)), index, next - 1, next)),
                );
            } else {
                changes.extend(
                    (1..=today).rev().map(|leaving| (ratio_at(floor(leaving)), index, leaving, leaving - 1)),
                );
            }
        }
        changes.sort_by(|a, b| {
            let nearer = if up { a.0.total_cmp(&b.0) } else { b.0.total_cmp(&a.0) };
            nearer.then(a.1.cmp(&b.1)).then(if up { a.2.cmp(&b.2) } else { b.2.cmp(&a.2) })
        });
        changes
    }

    /// Every crossing of the target along a path.
    ///
    /// `limit` is the largest ratio that a search without closed form goes to; its reciprocal squared
    /// bounds the search downward.
    pub fn crossings(&self, path: &Path, target: Target, limit: f64) -> Crossings {
        let touched = self.touched(path);
        let strands = self.strands(path, &touched);
        let today = self.total(&strands, target, 1.0);
        let breached_today = match target {
            Target::Trigger => broken(&self.rulebook.maintenance, today),
            Target::Bankruptcy => today < 0.0,
        };
        let mut result = Crossings { breached_today, search: Search::ClosedForm, ..Crossings::default() };
        for up in [false, true] {
            let (found, searched) = self.sweep(path, &touched, strands.clone(), target, limit, up);
            if up {
                (result.up, result.searched_up) = (found, searched);
            } else {
                (result.down, result.searched_down) = (found, searched);
            }
        }
        result
    }

    fn sweep(
        &self,
        path: &Path,
        touched: &[usize],
        mut strands: Vec<Strand<'a>>,
        target: Target,
        limit: f64,
        up: bool,
    ) -> (Vec<Crossing>, Option<f64>) {
        let changes = match target {
            Target::Trigger => self.changes(path, touched, up),
            Target::Bankruptcy => Vec::new(),
        };
        let end = if up { f64::INFINITY } else { 0.0 };
        let mut found: Vec<Crossing> = Vec::new();
        let mut searched = None;
        let mut breached = self.total(&strands, target, 1.0) < 0.0;
        let mut from = 1.0;
        let mut pending = changes.into_iter().peekable();
        loop {
            let to = pending.peek().map_or(end, |change| change.0);
            if to != from {
                let mut walk = Walk { prepared: self, target, limit, up, searched: &mut searched };
                for ratio in walk.stretch(&strands, from, to, &mut breached) {
                    // the sign before the first crossing of the stretch decides what each one means
                    found.push(Crossing { ratio: ratio.0, into_breach: ratio.1, jump: false });
                }
                from = to;
            }
            if found.len() >= MOST_CROSSINGS {
                break;
            }
            let Some((_, index, before, after)) = pending.next() else { break };
            let Some(position) = self.view.positions.get(index) else { continue };
            let exponent = path.exponent(self.view.book, underlying_of(self.view.book, position));
            let strand = self.strand_of(position);
            if let Some(strand) = strands.get_mut(strand) {
                for (power, coefficient) in self.maintenance_terms(position, exponent, before) {
                    strand.maintenance.add(power, -coefficient);
                }
                for (power, coefficient) in self.maintenance_terms(position, exponent, after) {
                    strand.maintenance.add(power, coefficient);
                }
            }
        }
        (found, searched)
    }

    /// The target at a ratio, from the strands.
    fn total(&self, strands: &[Strand<'_>], target: Target, ratio: f64) -> f64 {
        self.combined(strands, target, ratio).at(ratio)
    }

    /// The target as one sum of powers, with the branches of collateral rates that hold at `ratio`.
    pub(super) fn combined(&self, strands: &[Strand<'_>], target: Target, ratio: f64) -> ExponentialSum {
        let level = &self.rulebook.maintenance;
        let mut sum = ExponentialSum::default();
        for strand in strands {
            let pnl = strand.pnl.at(ratio);
            let ignored = strand.counting == Counting::Nothing
                && self.rulebook.other_currencies == OtherCurrencies::Ignored;
            let rated = match target {
                Target::Trigger => level.haircut || strand.counting == Counting::Nothing,
                Target::Bankruptcy => ignored,
            };
            let gains = target == Target::Bankruptcy || level.gains || pnl <= 0.0;
            let net = strand.holding.cash + if gains { pnl } else { 0.0 };
            // on this stretch the counted amount is offset + slope x net amount
            let (offset, slope) = if rated { affine(net, &strand.counting) } else { (0.0, 1.0) };
            sum.add(strand.exponent, strand.price * (offset + slope * strand.holding.cash));
            if gains {
                sum.add_scaled(&strand.pnl, strand.price * slope, strand.exponent);
            }
            if target == Target::Trigger {
                sum.add_scaled(
                    &strand.maintenance,
                    -level.trigger * level.factor * strand.price,
                    strand.exponent,
                );
            }
        }
        sum
    }

    /// Ratios inside a stretch at which a collateral rate or the counting of gains changes.
    pub(super) fn bends(&self, strands: &[Strand<'_>], target: Target, low: f64, high: f64) -> Vec<f64> {
        let level = &self.rulebook.maintenance;
        let mut bends = Vec::new();
        for strand in strands {
            if target == Target::Trigger && !level.gains {
                bends.extend(strand.pnl.roots(low, high).ratios);
            }
            let ignored = self.rulebook.other_currencies == OtherCurrencies::Ignored;
            let rated = match target {
                Target::Trigger => level.haircut || strand.counting == Counting::Nothing,
                Target::Bankruptcy => ignored && strand.counting == Counting::Nothing,
            };
            let thresholds: Vec<f64> = match &strand.counting {
                Counting::Full => Vec::new(),
                _ if !rated => Vec::new(),
                Counting::Nothing => vec![0.0],
                Counting::Slices(slices, cap) => {
                    slices.iter().map(|slice| slice.from).chain(cap.iter().copied()).collect()
                }
            };
            for threshold in thresholds {
                let mut distance = strand.pnl.clone();
                distance.add(0.0, strand.holding.cash - threshold);
                bends.extend(distance.roots(low, high).ratios);
            }
        }
        bends
    }
}

/// Offset and slope of the counted amount around a net amount.
fn affine(net: f64, counting: &Counting) -> (f64, f64) {
    let slope = match counting {
        _ if net <= 0.0 => 1.0,
        Counting::Nothing => 0.0,
        Counting::Full => 1.0,
        Counting::Slices(_, Some(cap)) if net > *cap => 0.0,
        Counting::Slices(slices, _) => {
            slices.iter().rev().find(|slice| net > slice.from).map_or(1.0, |slice| slice.rate)
        }
    };
    (counted_amount(net, counting) - slope * net, slope)
}
