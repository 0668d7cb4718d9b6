//! A block of scenarios: a group's factors combined once, then its lines valued.

use super::FactorMoves;
use super::group::Group;
use super::line::{Combination, ForwardMove};
use crate::error::Result;
use crate::pricing::kernel::{self, LINE, Line, Ratios};
use crate::pricing::level::Level;

/// Which scenarios of all a block has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chosen<'a> {
    /// Those from a place on.
    From(usize),
    /// Those listed.
    These(&'a [usize]),
}

/// Some scenarios of the factors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) level: Level,
    pub(super) moves: &'a FactorMoves<'a>,
    pub(super) chosen: Chosen<'a>,
}

/// A group's factors in the scenarios of a block, and running sums.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    /// Logarithm of the forward's ratio, and the ratio.
    log_ratio: Vec<Line>,
    ratio: Vec<Line>,
    /// Logarithm of the volatility's ratio, and the ratio.
    log_volatility: Vec<Line>,
    volatility: Vec<Line>,
    inverse_volatility: Vec<Line>,
    /// Logarithm of the settlement currency's ratio, and the ratio.
    log_currency: Vec<Line>,
    currency: Vec<Line>,
    /// What the group gains, and the part of it that is divided by the forward's ratio.
    pub(super) gain: Vec<Line>,
    in_coin: Vec<Line>,
    /// What all groups give.
    results: Vec<Line>,
    known: Known,
}

/// What of the factors is in the lists already: neighbouring groups often share it.
#[derive(Debug, Clone, Default)]
struct Known {
    forward: Option<(ForwardMove, f64)>,
    volatility: Option<Option<Combination>>,
    /// Whether the ratios of both are known beside their logarithms.
    ratios: bool,
    currency: Option<usize>,
}

/// Sums over weighted scenarios of what a group's factors do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// Of `own`, `own - 1`, `own x (ratio - 1)` and `own x (1 - 1 / ratio)`.
    pub(super) weights: f64,
    pub(super) currency: f64,
    pub(super) linear: f64,
    pub(super) inverse: f64,
    /// Place of the first strike that is settled in the coin.
    pub(super) first_in_coin: usize,
}

impl Scratch {
    pub(super) fn new(count: usize) -> Self {
        let lines = || vec![Line::default(); count.div_ceil(LINE)];
        Self {
            log_ratio: lines(),
            ratio: lines(),
            log_volatility: lines(),
            volatility: lines(),
            inverse_volatility: lines(),
            log_currency: lines(),
            currency: lines(),
            gain: lines(),
            in_coin: lines(),
            results: lines(),
            known: Known::default(),
        }
    }

    pub(super) fn write(&self, results: &mut [f64]) {
        write(&self.results, results);
    }

    fn ratios(&self) -> Ratios<'_> {
        Ratios {
            forward: &self.ratio,
            log_forward: &self.log_ratio,
            volatility: &self.volatility,
            inverse_volatility: &self.inverse_volatility,
        }
    }

    /// What the group gains without its options, less the options' value today.
    pub(super) fn simple(&mut self, group: &Group) {
        if group.linear == 0.0 && group.inverse == 0.0 {
            self.gain.fill(Line([-group.base; LINE]));
            return;
        }
        for (gains, ratios) in self.gain.iter_mut().zip(&self.ratio) {
            *gains = group.gain(ratios);
        }
    }

    /// Sets a line of ratios of the forward and of the volatility.
    pub(super) fn set_ratios(&mut self, forward: Line, volatility: Line) {
        self.ratio.fill(forward);
        self.log_ratio.fill(Line(forward.0.map(f64::ln)));
        self.volatility.fill(volatility);
        self.inverse_volatility.fill(Line(volatility.0.map(f64::recip)));
    }

    /// The first line of gains.
    pub(super) fn first_gains(&self) -> [f64; LINE] {
        self.gain.first().copied().unwrap_or_default().0
    }

    /// Sets the gains to a function of the ratios of forward and volatility.
    pub(super) fn gain_by(&mut self, gain: impl Fn(f64, f64) -> f64) {
        let ratios = self.ratio.iter().zip(&self.volatility);
        for (to, (ratio, volatility)) in self.gain.iter_mut().zip(ratios) {
            for ((to, ratio), volatility) in to.0.iter_mut().zip(&ratio.0).zip(&volatility.0) {
                *to = gain(*ratio, *volatility);
            }
        }
    }

    /// Adds the values of a group's options to its gain.
    pub(super) fn value(&mut self, level: Level, group: &Group) -> Result<()> {
        let ratios = Ratios {
            forward: &self.ratio,
            log_forward: &self.log_ratio,
            volatility: &self.volatility,
            inverse_volatility: &self.inverse_volatility,
        };
        kernel::joint_sums(level, &ratios, &group.in_quote, &mut self.gain)?;
        if !group.in_coin.is_empty() {
            self.in_coin.fill(Line::default());
            kernel::joint_sums(level, &ratios, &group.in_coin, &mut self.in_coin)?;
            let ratios = self.ratio.iter().flat_map(|line| &line.0);
            let coins = self.in_coin.iter().flat_map(|line| &line.0);
            for ((gain, coin), ratio) in lanes(&mut self.gain).zip(coins).zip(ratios) {
                *gain += coin / ratio;
            }
        }
        Ok(())
    }

    /// Where a group's table is read, and the gain that it is added to.
    pub(super) fn points(&mut self) -> ((&[Line], &[Line]), &mut [Line]) {
        ((&self.log_ratio, &self.log_volatility), &mut self.gain)
    }

    /// Turns amounts of a group's settlement currency, at today's price, into the reporting currency.
    pub(super) fn in_reporting(&self, group: &Group, amounts: &mut [Line]) {
        if group.currency.is_some() {
            let own = self.currency.iter().flat_map(|line| &line.0);
            lanes(amounts).zip(own).for_each(|(amount, own)| *amount *= own);
        }
    }

    /// Adds the group's gain, which is in the reporting currency at today's price, to the results.
    pub(super) fn settle(&mut self, group: &Group) {
        let lines = self.results.iter_mut().zip(&self.gain).zip(&self.currency);
        for ((result, gain), own) in lines {
            group.settle(gain, group.currency.map(|_| own), result);
        }
    }
}

pub(super) fn lanes(lines: &mut [Line]) -> impl Iterator<Item = &mut f64> {
    lines.iter_mut().flat_map(|line| &mut line.0)
}

pub(super) fn write(lines: &[Line], results: &mut [f64]) {
    for (results, line) in results.chunks_mut(LINE).zip(lines) {
        results.iter_mut().zip(&line.0).for_each(|(result, value)| *result = *value);
    }
}

/// Adds a weight times numbers, a line of them.
pub(super) fn add(sums: &mut Line, weight: f64, numbers: &[f64; LINE]) {
    sums.0.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += weight * number);
}

impl Block<'_> {
    /// Adds what a group gives in every scenario of the block.
    pub(super) fn add(&self, group: &Group, scratch: &mut Scratch) -> Result<()> {
        self.read(group, scratch)?;
        scratch.simple(group);
        scratch.value(self.level, group)?;
        scratch.settle(group);
        Ok(())
    }

    /// The factors of a group.
    pub(super) fn read(&self, group: &Group, scratch: &mut Scratch) -> Result<()> {
        self.read_currency(group, scratch)?;
        let Some(forward) = group.forward else { return Ok(()) };
        let wanted = Some((forward, group.fixed_share));
        if scratch.known.forward != wanted || !scratch.known.ratios {
            scratch.known.forward = None;
            self.read_forward(forward, group.fixed_share, true, scratch)?;
            scratch.known.forward = wanted;
        }
        if scratch.known.volatility != Some(group.volatility) || !scratch.known.ratios {
            scratch.known.volatility = None;
            self.read_volatility(group.volatility, scratch)?;
            match group.volatility {
                Some(_) => {
                    kernel::exponentials(self.level, &scratch.log_volatility, &mut scratch.volatility)?;
                }
                None => scratch.volatility.fill(Line([1.0; LINE])),
            }
            for (inverse, ratio) in scratch.inverse_volatility.iter_mut().zip(&scratch.volatility) {
                *inverse = Line(ratio.0.map(f64::recip));
            }
            scratch.known.volatility = Some(group.volatility);
        }
        scratch.known.ratios = true;
        Ok(())
    }

    /// The logarithms of a group's ratios, and the ratio of its currency.
    pub(super) fn read_logarithms(&self, group: &Group, scratch: &mut Scratch) -> Result<()> {
        self.read_currency(group, scratch)?;
        let Some(forward) = group.forward else { return Ok(()) };
        if scratch.known.forward != Some((forward, group.fixed_share)) {
            scratch.known = Known { currency: scratch.known.currency, ..Known::default() };
            self.read_forward(forward, group.fixed_share, group.fixed_share != 0.0, scratch)?;
            scratch.known.forward = Some((forward, group.fixed_share));
        }
        if scratch.known.volatility != Some(group.volatility) {
            scratch.known.ratios = false;
            scratch.known.volatility = None;
            self.read_volatility(group.volatility, scratch)?;
            scratch.known.volatility = Some(group.volatility);
        }
        Ok(())
    }

    fn read_forward(
        &self,
        forward: ForwardMove,
        fixed_share: f64,
        with_ratio: bool,
        scratch: &mut Scratch,
    ) -> Result<()> {
        self.copy(forward.factor, &mut scratch.log_ratio)?;
        if let Some(basis) = forward.basis {
            self.add_combination(basis, &mut scratch.log_ratio)?;
        }
        if with_ratio {
            let alone = forward.basis.is_none().then_some(forward.factor);
            self.exponentials(alone, &scratch.log_ratio, &mut scratch.ratio)?;
        }
        if fixed_share != 0.0 {
            for (ratio, logarithm) in lanes(&mut scratch.ratio).zip(lanes(&mut scratch.log_ratio)) {
                *ratio = (1.0 - fixed_share) * *ratio + fixed_share;
                *logarithm = ratio.ln();
            }
        }
        Ok(())
    }

    /// Ratios of logarithms; those of one factor may be kept.
    fn exponentials(&self, factor: Option<usize>, logarithms: &[Line], ratios: &mut [Line]) -> Result<()> {
        if let (Some(factor), Chosen::From(start)) = (factor, self.chosen)
            && let Some(all) = self.moves.ratios(self.level, factor)?
            && let Some(known) = all.get(start / LINE..start / LINE + ratios.len())
        {
            ratios.copy_from_slice(known);
            return Ok(());
        }
        kernel::exponentials(self.level, logarithms, ratios)
    }

    fn read_volatility(&self, volatility: Option<Combination>, scratch: &mut Scratch) -> Result<()> {
        scratch.log_volatility.fill(Line::default());
        match volatility {
            Some(volatility) => self.add_combination(volatility, &mut scratch.log_volatility),
            None => Ok(()),
        }
    }

    fn read_currency(&self, group: &Group, scratch: &mut Scratch) -> Result<()> {
        if let Some(factor) = group.currency
            && scratch.known.currency != Some(factor)
        {
            scratch.known.currency = None;
            self.copy(factor, &mut scratch.log_currency)?;
            self.exponentials(Some(factor), &scratch.log_currency, &mut scratch.currency)?;
            scratch.known.currency = Some(factor);
        }
        Ok(())
    }

    /// Sums over the scenarios of the block, and values of the strikes from `first` on, all times the weights.
    pub(super) fn weighed(
        &self,
        group: &Group,
        weights: &[f64],
        first: usize,
        found: &mut [(f64, f64)],
    ) -> Result<Sums> {
        let mut scratch = Scratch::new(weights.len());
        self.read(group, &mut scratch)?;
        let mut own = kernel::lines(weights.iter().copied(), 0.0);
        let mut sums = Sums { first_in_coin: group.in_quote.len(), ..Sums::default() };
        if group.currency.is_some() {
            let ratios = scratch.currency.iter().flat_map(|line| line.0);
            sums.currency = total(weights.iter().zip(ratios).map(|(weight, own)| weight * (own - 1.0)));
            let ratios = scratch.currency.iter().flat_map(|line| line.0);
            for (weight, ratio) in lanes(&mut own).zip(ratios) {
                *weight *= ratio;
            }
        }
        let each = |lines: &[Line]| lines.iter().flat_map(|line| line.0).collect::<Vec<f64>>();
        let (weights, ratios) = (each(&own), each(&scratch.ratio));
        sums.weights = total(weights.iter().copied());
        if group.linear != 0.0 || group.inverse != 0.0 {
            let both = || weights.iter().zip(&ratios).filter(|(weight, _)| **weight != 0.0);
            sums.linear = total(both().map(|(weight, ratio)| weight * (ratio - 1.0)));
            sums.inverse = total(both().map(|(weight, ratio)| weight * (1.0 - 1.0 / ratio)));
        }
        let strikes: Vec<_> = group.strikes().skip(first).take(found.len()).map(|held| held.strike).collect();
        let split = group.in_quote.len().saturating_sub(first).min(strikes.len());
        let ((quote, coin), (in_quote, in_coin)) = (strikes.split_at(split), found.split_at_mut(split));
        let moved = scratch.ratios();
        kernel::weighed(self.level, &moved, &own, quote, in_quote)?;
        if !coin.is_empty() {
            for (weight, ratio) in lanes(&mut own).zip(ratios) {
                *weight /= ratio;
            }
            kernel::weighed(self.level, &moved, &own, coin, in_coin)?;
        }
        Ok(sums)
    }

    fn add_combination(&self, combination: Combination, sums: &mut [Line]) -> Result<()> {
        for (factor, weight) in std::iter::once(combination.first).chain(combination.second) {
            let row = self.moves.row(factor)?;
            match self.chosen {
                Chosen::From(start) => {
                    let row = row.get(start..).unwrap_or_default();
                    let whole = row.chunks_exact(LINE);
                    let last = whole.remainder();
                    let mut sums = sums.iter_mut();
                    for (numbers, sums) in whole.zip(sums.by_ref()) {
                        if let Ok(numbers) = numbers.try_into() {
                            add(sums, weight, numbers);
                        }
                    }
                    if let Some(sums) = sums.next() {
                        sums.0.iter_mut().zip(last).for_each(|(sum, size)| *sum += weight * size);
                    }
                }
                Chosen::These(list) => {
                    let sizes = list.iter().map(|place| row.get(*place).copied().unwrap_or(f64::NAN));
                    lanes(sums).zip(sizes).for_each(|(sum, size)| *sum += weight * size);
                }
            }
        }
        Ok(())
    }

    fn copy(&self, factor: usize, to: &mut [Line]) -> Result<()> {
        to.fill(Line::default());
        self.add_combination(Combination { first: (factor, 1.0), second: None }, to)
    }
}

fn total(values: impl Iterator<Item = f64>) -> f64 {
    crate::numeric::accumulate::sum(values)
}
