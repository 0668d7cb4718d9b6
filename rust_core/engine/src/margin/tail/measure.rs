//! The measure of a pool over one level's scenarios, and who is responsible for it.

use super::UNWATCHED;
use super::lines::{LineOf, Maker, PoolLine};
use crate::error::{Error, Place, Result};
use crate::margin::PoolView;
use crate::margin::component::TailPart;
use crate::market::MarketState;
use crate::moves::{LevelMoves, Mapping, Moves, Scenarios};
use crate::numeric::accumulate::sum;
use crate::pricing::level;
use crate::revaluation::joint::{Done, FactorMoves, JointBook, Line, Method, Need};
use crate::rulebook::OrderRule;
use crate::rulebook::tail::{Statistic, TailRule};
use crate::statistics::{Tail, Ties, check_enough, tail};
use crate::threads::Workers;
use crate::watch::Watch;

/// Order statistics on either side of the quantile that a share of value at risk is taken from: one alone has an
/// error of 16 % of the measure, this many of 2 % (methods.md section 2.5).
const AROUND: usize = 25;
/// Largest losses that are exact under any measure, because they are listed one by one.
const LISTED: usize = 10;

/// What is asked of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Its amount alone: no scenario has a weight.
    Amount,
    /// Who bears it too, and what an approximation of the tail has left out.
    Bearers,
}

/// A pool with the scenarios that it is measured over.
pub(super) struct Pool<'a> {
    pub(super) view: &'a PoolView<'a>,
    pub(super) state: &'a MarketState,
    pub(super) rule: &'a TailRule,
    pub(super) moves: &'a Moves,
    pub(super) mapping: &'a Mapping,
    pub(super) watch: &'a Watch,
}

/// One part of the measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Portion {
    /// Which.
    pub part: TailPart,
    /// Money before its share, reporting currency, at least zero.
    pub base: f64,
    /// Its share.
    pub share: f64,
    /// `share x base`.
    pub amount: f64,
    /// Whether it is part of the measure.
    pub counts: bool,
    /// The largest loss of its scenarios, reporting currency.
    pub worst: f64,
    /// The scenario of that loss; `None` where none loses.
    pub worst_scenario: Option<usize>,
    /// Scenarios with the weight of each in `base`; they sum to 1.
    pub weights: Vec<(usize, f64)>,
    /// What `weights` give, which is `base` unless value at risk is shared by its neighbourhood.
    pub weighted: f64,
}

/// The measure of a pool over one level's scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Index of the level's scenarios.
    pub level: usize,
    /// Tail, stress and floor, as far as the rulebook has them.
    pub portions: Vec<Portion>,
    /// Profit and loss of the pool in each scenario of the tail, reporting currency. Where scenarios were screened,
    /// the largest losses are exact, twice the probability of the tail, and the others within a bound.
    pub pnl: Vec<f64>,
    /// What is read off the tail's losses.
    pub tail: Tail,
    /// How the scenarios of the tail were valued.
    pub done: Done,
}

impl Measured {
    /// The measure, reporting currency, at least zero.
    pub fn total(&self) -> f64 {
        sum(self.portions.iter().filter(|own| own.counts).map(|own| own.amount))
    }
}

impl Pool<'_> {
    fn level(&self, level: usize) -> Result<&LevelMoves> {
        self.moves.levels.get(level).ok_or_else(|| Error::Missing {
            what: "scenarios".into(),
            why: "the level has none".into(),
            place: Place::default(),
        })
    }

    fn maker(&self, horizon_days: f64) -> Maker<'_> {
        Maker { view: self.view, state: self.state, mapping: self.mapping, rule: self.rule, horizon_days }
    }

    /// Measures what is held, with the open orders of one side filled where `orders` says so.
    pub(super) fn measured(&self, level: usize, orders: Option<bool>) -> Result<Measured> {
        self.measure(level, orders, Asked::Bearers)
    }

    /// The parts of the measure of what is held, to the bits of [`Self::measured`] but without weights.
    pub(super) fn amounts(&self, level: usize) -> Result<Vec<Portion>> {
        self.measure(level, None, Asked::Amount).map(|found| found.portions)
    }

    fn measure(&self, level: usize, orders: Option<bool>, asked: Asked) -> Result<Measured> {
        let sets = self.level(level)?;
        let maker = self.maker(sets.main.horizon_days);
        let mut lines = maker.held()?;
        if let Some(buys) = orders {
            lines.extend(maker.ordered(buys)?);
        }
        let (confidence, stress_share) =
            (self.rule.confidence, self.rule.stress.as_ref().map_or(0.0, |stress| stress.share));
        let book = book_of(&lines)?;
        let priced = book.priced(
            &moves_of(&sets.main)?,
            self.need(&sets.main),
            self.rule.revaluation,
            &Workers::Common,
            self.watch,
        )?;
        let (pnl, mut done) = (priced.profits, priced.done);
        let (main, read) = self.portion(TailPart::Main, &pnl, &sets.main, (1.0 - stress_share, asked))?;
        if asked == Asked::Bearers {
            let weights = (&pnl[..], &main.weights[..]);
            book.check_tail(&moves_of(&sets.main)?, weights, &mut done, &Workers::Common, self.watch)?;
        }
        let mut portions = vec![main];
        if let Some(stress) = &self.moves.stress {
            portions.push(worst_portion(&profits(&book, stress)?, stress_share));
        }
        if let Some(floor) = &sets.floor {
            let (mut portion, _) =
                self.portion(TailPart::Floor, &profits(&book, floor)?, floor, (1.0, asked))?;
            let blended = sum(portions.iter().map(|own| own.amount));
            portion.counts = portion.amount > blended;
            if portion.counts {
                for own in &mut portions {
                    own.counts = false;
                }
            }
            portions.push(portion);
        }
        check_enough(sets.main.count, confidence)?;
        Ok(Measured { level, portions, pnl, tail: read, done })
    }

    /// The losses that the measure, its sampling error and its listing are made of: twice those of the tail.
    fn need<'b>(&self, set: &'b Scenarios) -> Need<'b> {
        let share = (2.0 * (1.0 - self.rule.confidence)).min(1.0);
        match (&set.probabilities, self.rule.statistic) {
            (None, _) => {
                let tail = (share * set.count as f64).ceil();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "at most the number of scenarios"
                )]
                Need::Largest(tail as usize + 2 * AROUND + LISTED)
            }
            (Some(probabilities), Statistic::ExpectedShortfall) => {
                Need::Mass { probabilities, share, least: LISTED }
            }
            // how many scenarios lie around its quantile is not known beforehand
            (Some(_), Statistic::ValueAtRisk) => Need::Every,
        }
    }

    fn portion(
        &self,
        part: TailPart,
        pnl: &[f64],
        set: &Scenarios,
        (share, asked): (f64, Asked),
    ) -> Result<(Portion, Tail)> {
        let losses: Vec<f64> = pnl.iter().map(|gain| -gain).collect();
        let probabilities = set.probabilities.as_deref();
        let read = tail(&losses, probabilities, self.rule.confidence, Ties::Mean)?;
        let value = match self.rule.statistic {
            Statistic::ExpectedShortfall => read.expected_shortfall,
            Statistic::ValueAtRisk => read.value_at_risk,
        };
        let weights = match (asked, self.rule.statistic) {
            (Asked::Amount, _) => Vec::new(),
            (Asked::Bearers, Statistic::ExpectedShortfall) => read.weights.clone(),
            (Asked::Bearers, Statistic::ValueAtRisk) => {
                around(&losses, probabilities, value, self.rule.confidence)
            }
        };
        let weighted = sum(weights.iter().map(|(place, w)| w * losses.get(*place).copied().unwrap_or(0.0)));
        let base = value.max(0.0);
        let (worst, worst_scenario) = largest(&losses);
        let portion = Portion {
            part,
            base,
            share,
            amount: share * base,
            counts: true,
            worst,
            worst_scenario,
            weights,
            weighted,
        };
        Ok((portion, read))
    }

    /// What each line of the pool bears of a measure, reporting currency; they sum to it (Euler; the measure is
    /// homogeneous of degree one in what is held).
    pub(super) fn shares(&self, measured: &Measured) -> Result<Vec<(LineOf, f64)>> {
        let sets = self.level(measured.level)?;
        let lines = self.maker(sets.main.horizon_days).held()?;
        let book = book_of(&lines)?;
        let mut parts: Vec<(LineOf, f64)> = lines.iter().map(|(of, _)| (*of, 0.0)).collect();
        for portion in measured.portions.iter().filter(|own| own.counts && own.amount > 0.0) {
            let set = match portion.part {
                TailPart::Main => Some(&sets.main),
                TailPart::Stress => self.moves.stress.as_ref(),
                TailPart::Floor => sets.floor.as_ref(),
            };
            let Some(set) = set else { continue };
            let weighed = book.weighed(&moves_of(set)?, &portion.weights, &Workers::Common, self.watch)?;
            let weighted = match measured.done.method {
                // the lines are valued exactly, the portion was not
                Method::DeltaGamma => -sum(weighed.iter().copied()),
                _ => portion.weighted,
            };
            let scale = if weighted > 0.0 { portion.amount / weighted } else { 0.0 };
            for ((_, part), gain) in parts.iter_mut().zip(weighed) {
                *part -= scale * gain;
            }
        }
        Ok(parts)
    }

    /// What filling the open orders of one side, whichever is worse, adds to a level's measure; below zero where
    /// both lower it.
    pub(super) fn added_by_orders(&self, level: usize, before: f64) -> Result<f64> {
        if self.view.orders.is_empty() || self.rule.orders != OrderRule::Variants {
            return Ok(0.0);
        }
        let mut more: f64 = 0.0;
        for buys in [true, false] {
            more = more.max(self.measured(level, Some(buys))?.total() - before);
        }
        Ok(more)
    }

    /// Profit and loss of every line in some scenarios of a level's tail, line by line.
    pub(super) fn by_line(&self, level: usize, places: &[usize]) -> Result<Vec<(LineOf, Vec<f64>)>> {
        let sets = self.level(level)?;
        results_by_line(self.view, self.state, self.rule, self.mapping, (&sets.main, places))
    }
}

/// Profit and loss of a pool in scenarios of known factors.
pub(super) fn results(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    mapping: &Mapping,
    set: &Scenarios,
) -> Result<Vec<f64>> {
    let maker = Maker { view, state, mapping, rule, horizon_days: set.horizon_days };
    profits(&book_of(&maker.held()?)?, set)
}

/// The same, line by line, in some of the scenarios.
pub(super) fn results_by_line(
    view: &PoolView<'_>,
    state: &MarketState,
    rule: &TailRule,
    mapping: &Mapping,
    (set, places): (&Scenarios, &[usize]),
) -> Result<Vec<(LineOf, Vec<f64>)>> {
    let lines = Maker { view, state, mapping, rule, horizon_days: set.horizon_days }.held()?;
    let (book, moves) = (book_of(&lines)?, moves_of(set)?);
    let mut rows: Vec<(LineOf, Vec<f64>)> =
        lines.iter().map(|(of, _)| (*of, Vec::with_capacity(places.len()))).collect();
    for place in places {
        let gains = book.weighed(&moves, &[(*place, 1.0)], &Workers::Common, &UNWATCHED)?;
        for ((_, row), gain) in rows.iter_mut().zip(gains) {
            row.push(gain);
        }
    }
    Ok(rows)
}

fn book_of(lines: &[PoolLine]) -> Result<JointBook> {
    let lines: Vec<Line> = lines.iter().map(|(_, line)| *line).collect();
    JointBook::new(level(), &lines)
}

fn moves_of(set: &Scenarios) -> Result<FactorMoves<'_>> {
    FactorMoves::known(set.moves.iter().map(Vec::as_slice).collect(), set.count, &set.kept)
}

/// Profit and loss of a book in every scenario, all of them valued.
fn profits(book: &JointBook, set: &Scenarios) -> Result<Vec<f64>> {
    let priced = book.priced(&moves_of(set)?, Need::Every, Method::Full, &Workers::Common, &UNWATCHED)?;
    Ok(priced.profits)
}

fn largest(losses: &[f64]) -> (f64, Option<usize>) {
    let mut best: (f64, Option<usize>) = (0.0, None);
    for (place, loss) in losses.iter().enumerate() {
        if *loss > best.0 {
            best = (*loss, Some(place));
        }
    }
    best
}

/// The worst of the stress scenarios; scenarios that lose alike share it.
fn worst_portion(pnl: &[f64], share: f64) -> Portion {
    let losses: Vec<f64> = pnl.iter().map(|gain| -gain).collect();
    let (worst, worst_scenario) = largest(&losses);
    let tied: Vec<usize> = losses
        .iter()
        .enumerate()
        .filter(|(_, loss)| worst > 0.0 && **loss >= worst)
        .map(|(place, _)| place)
        .collect();
    let weight = 1.0 / tied.len().max(1) as f64;
    Portion {
        part: TailPart::Stress,
        base: worst,
        share,
        amount: share * worst,
        counts: true,
        worst,
        worst_scenario,
        weights: tied.into_iter().map(|place| (place, weight)).collect(),
        weighted: worst,
    }
}

/// The scenarios around the quantile, those that lose as much as the outermost ones with them, with equal weights
/// or their probabilities.
fn around(
    losses: &[f64],
    probabilities: Option<&[f64]>,
    quantile: f64,
    confidence: f64,
) -> Vec<(usize, f64)> {
    let loss = |place: &usize| losses.get(*place).copied().unwrap_or(0.0);
    let beyond = losses.iter().filter(|own| **own > quantile).count();
    let expected = (losses.len() as f64 * (1.0 - confidence) / 2.0).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the number of scenarios"
    )]
    let half = (expected as usize).clamp(1, AROUND);
    let mut ranked = losses.to_vec();
    let last_rank = (beyond + half).min(ranked.len().saturating_sub(1));
    if last_rank < ranked.len() {
        ranked.select_nth_unstable_by(last_rank, |a, b| b.total_cmp(a));
        ranked.truncate(last_rank + 1);
    }
    ranked.sort_unstable_by(|a, b| b.total_cmp(a));
    let first = ranked.get(beyond.saturating_sub(half)).copied().unwrap_or(f64::INFINITY);
    let last = ranked.last().copied().unwrap_or(f64::NEG_INFINITY);
    let chosen: Vec<usize> =
        (0..losses.len()).filter(|place| loss(place) <= first && loss(place) >= last).collect();
    let weight = |place: usize| probabilities.map_or(1.0, |list| list.get(place).copied().unwrap_or(0.0));
    let total = sum(chosen.iter().map(|place| weight(*place)));
    chosen.into_iter().map(|place| (place, weight(place) / total)).collect()
}
