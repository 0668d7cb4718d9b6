//! The lines of a risk unit along a stretch: what scenarios and charges are made of.

use super::Between;
use super::enclosed::Enclosed;
use super::equity::{gain_of_option, result_of};
use super::option::Stretch;
use crate::error::Result;
use crate::instrument::{ContractKind, Payoff};
use crate::margin::scenario::Shocked;
use crate::margin::scenario::exposure::{Line, Unit};
use crate::rulebook::portfolio::{Profile, Scenario, VolatilityMove};

/// One line at both ends, with the figures of it that charges ask for.
pub(super) struct Moving<'u, 'a> {
    pub(super) start: &'u Line<'a>,
    pub(super) end: &'u Line<'a>,
    pub(super) payoff: Payoff,
    pub(super) exponent: f64,
    pub(super) money: Enclosed,
    pub(super) mark: Enclosed,
    pub(super) base: Enclosed,
    pub(super) delta: Enclosed,
    pub(super) carried: Enclosed,
    option: Option<Stretch>,
    /// Volatilities at both ends.
    shocked: Option<(Shocked, Shocked)>,
    discount: f64,
}

/// A unit at both ends, with what moves in it.
pub(super) struct MovingUnit<'u, 'a> {
    pub(super) start: &'u Unit<'a>,
    pub(super) end: &'u Unit<'a>,
    pub(super) lines: Vec<Moving<'u, 'a>>,
    pub(super) index: Enclosed,
}

impl<'u, 'a> MovingUnit<'u, 'a> {
    /// Pairs the lines of a unit; `None` where a line has no bounds.
    pub(super) fn of(between: &Between<'_>, start: &'u Unit<'a>, end: &'u Unit<'a>) -> Result<Option<Self>> {
        let profile = between.view.rulebook()?.profiles.get(start.profile);
        let mut lines = Vec::with_capacity(start.lines.len());
        for (from, to) in start.lines.iter().zip(&end.lines) {
            let Some(line) = Moving::of(between, profile, from, to)? else { return Ok(None) };
            lines.push(line);
        }
        let same = start.lines.len() == end.lines.len() && start.scanned.len() == end.scanned.len();
        let index = Enclosed::growing(start.index, end.index, between.width);
        Ok(same.then_some(Self { start, end, lines, index }))
    }
}

impl<'u, 'a> Moving<'u, 'a> {
    fn of(
        between: &Between<'_>,
        profile: Option<&Profile>,
        start: &'u Line<'a>,
        end: &'u Line<'a>,
    ) -> Result<Option<Self>> {
        let (view, width) = (between.view, between.width);
        let book = view.book;
        let payoff = book.instruments.get(start.instrument).map_or(Payoff::Linear, |known| known.payoff);
        let exponent = between.exponent(start.coin);
        let quantity = start.quantity;
        let one = |start: f64, end: f64| {
            if quantity == 0.0 { (0.0, 0.0) } else { (start / quantity, end / quantity) }
        };
        let array = book.risk_arrays.get(start.instrument).is_some_and(Option::is_some);
        let discounting = view.rulebook()?.discounting;
        let discount = start.option.map_or(1.0, |option| discounting.factor(option.rate, option.years));
        let option = match start.option {
            Some(_) => match between.option(start.instrument, discount)? {
                Some(option) => Some(option),
                None => return Ok(None),
            },
            None => None,
        };
        let settling = book.quotes.get(start.instrument).is_some_and(|quote| quote.share_left() < 1.0);
        if settling && exponent != 0.0 {
            return Ok(None);
        }
        let base = match option {
            _ if array => Enclosed::jumping(start.base, end.base),
            // where no scenario is run a line counts at its mark
            Some(_) if start.values.is_empty() => match gain_of_option(between, start.instrument)? {
                Some(gain) => gain.with_ends(start.base, end.base),
                None => return Ok(None),
            },
            Some(option) if payoff == Payoff::Inverse => option.in_coin(start.base, end.base),
            Some(option) => option.in_money(start.base, end.base),
            None => Enclosed::constant(start.base),
        };
        let base = if array && start.base.to_bits() == end.base.to_bits() {
            Enclosed::constant(start.base)
        } else {
            base
        };
        let deltas = one(start.delta, end.delta);
        let delta = match (option, payoff) {
            (Some(option), Payoff::Linear) => option.delta(deltas.0, deltas.1),
            (Some(option), Payoff::Inverse) => option.delta(0.0, 0.0).minus(base),
            (None, Payoff::Linear) => Enclosed::constant(deltas.0),
            (None, Payoff::Inverse) => Enclosed::exponential(deltas.0, deltas.1, -exponent),
        };
        let carried = match start.position.and_then(|index| view.positions.get(index)) {
            Some(position) if start.moves => match result_of(between, position)? {
                Some(result) => result.with_ends(start.carried, end.carried),
                None => return Ok(None),
            },
            _ => Enclosed::jumping(start.carried, end.carried),
        };
        Ok(Some(Self {
            start,
            end,
            payoff,
            exponent,
            money: Enclosed::growing(start.money, end.money, width),
            mark: Enclosed::exponential(start.mark, end.mark, exponent),
            base,
            delta: delta.times_constant(quantity).with_ends(start.delta, end.delta),
            carried,
            option,
            shocked: profile
                .zip(start.option.zip(end.option))
                .map(|(profile, (first, last))| (Shocked::of(profile, &first), Shocked::of(profile, &last))),
            discount,
        }))
    }

    /// Value of one unit in a scenario, settlement currency.
    pub(super) fn value(
        &self,
        between: &Between<'_>,
        profile: &Profile,
        index: usize,
        scenario: &Scenario,
    ) -> Option<Enclosed> {
        let at = |line: &Line<'_>| line.values.get(index).copied();
        let (start, end) = (at(self.start)?, at(self.end)?);
        if between.view.book.risk_arrays.get(self.start.instrument).is_some_and(Option::is_some) {
            return (start.to_bits() == end.to_bits()).then(|| Enclosed::constant(start));
        }
        let (Some(option), Some(first), Some(last)) = (self.option, self.start.option, self.end.option)
        else {
            let exponent = if self.payoff == Payoff::Inverse { -self.exponent } else { self.exponent };
            return Some(Enclosed::exponential(start, end, exponent));
        };
        let rulebook = between.view.rulebook().ok()?;
        let years = (first.years - scenario.days / 365.0).max(0.0);
        let ratio = (1.0 + scenario.price_move) * (1.0 + scenario.basis * first.years);
        let total = |shocked: &Shocked| {
            if years > 0.0 { shocked.volatility(scenario) * years.sqrt() } else { 0.0 }
        };
        let shocked = self.shocked?;
        let totals = (total(&shocked.0), total(&shocked.1));
        let slope = self.volatility_slope(profile, scenario, &option, totals, years);
        let range =
            Enclosed { start: totals.0, end: totals.1, low: slope.0, high: slope.1 }.range(between.width);
        let moved = Stretch {
            forwards: (first.forward * ratio, last.forward * ratio),
            totals: if slope == (0.0, 0.0) { (totals.0, totals.0) } else { (range.0.max(0.0), range.1) },
            total_slope: slope,
            discount: rulebook.discounting.factor(first.rate + scenario.rate, years),
            ..option
        };
        Some(match self.payoff {
            Payoff::Linear => moved.in_money(start, end),
            Payoff::Inverse => moved.in_coin(start, end),
        })
    }

    /// Bounds on the slope of the total volatility in a scenario.
    fn volatility_slope(
        &self,
        profile: &Profile,
        scenario: &Scenario,
        option: &Stretch,
        totals: (f64, f64),
        years: f64,
    ) -> (f64, f64) {
        let skewed = match (scenario.volatility, profile.skew) {
            (VolatilityMove::SkewLinear, Some(skew)) => skew.steepness(years, false),
            (VolatilityMove::SkewAbsolute, Some(skew)) => skew.steepness(years, true),
            _ => 0.0,
        };
        let still = option.total_slope == (0.0, 0.0);
        if still && (skewed == 0.0 || option.exponent == 0.0) {
            return (0.0, 0.0);
        }
        let most = totals.0.max(totals.1);
        if skewed == 0.0 {
            // every move but that of a strike multiplies the volatility, or leaves it at the least after a move up
            let steepest =
                if option.total_slope.1 > 0.0 { option.total_slope.1 } else { option.total_slope.0 };
            let rate = if option.totals.1 > 0.0 { steepest / option.totals.1 } else { 0.0 };
            let slopes = (rate * totals.0.min(totals.1), rate * most);
            let least = profile.volatility.is_some_and(|shock| shock.minimum_up > 0.0);
            let floored = least && scenario.volatility == VolatilityMove::Up;
            let (low, high) = (slopes.0.min(slopes.1), slopes.0.max(slopes.1));
            return if floored { (low.min(0.0), high.max(0.0)) } else { (low, high) };
        }
        let relative = if option.totals.1 > 0.0 {
            option.total_slope.0.abs().max(option.total_slope.1.abs()) / option.totals.0
        } else {
            0.0
        };
        let by_strike = option.totals.1 * skewed * option.exponent.abs();
        let bound = by_strike + relative * most.max(option.totals.1) * (1.0 + skewed);
        (-bound, bound)
    }

    /// Discount of the option at the state.
    pub(super) fn discount(&self) -> f64 {
        self.discount
    }

    /// The option with its forward moved by a ratio, volatility and discount the same.
    pub(super) fn option_moved(&self, price_move: f64) -> Option<Stretch> {
        let option = self.option?;
        let ratio = 1.0 + price_move;
        Some(Stretch { forwards: (option.forwards.0 * ratio, option.forwards.1 * ratio), ..option })
    }

    /// Result of a value per unit, reporting currency.
    pub(super) fn result(&self, value: Enclosed, price_move: f64, width: f64) -> Enclosed {
        let gain = value.minus(self.base).times_constant(self.start.quantity);
        if self.start.moves {
            let moved = self.carried.plus(gain).times_constant(1.0 + price_move).minus(self.carried);
            self.money.times(moved, width)
        } else {
            self.money.times(gain, width)
        }
    }

    /// Unsigned size in coins.
    pub(super) fn coins(&self) -> Enclosed {
        let size = self.start.quantity.abs();
        match (self.start.kind, self.payoff) {
            (ContractKind::Option, _) | (_, Payoff::Linear) => Enclosed::constant(size),
            (_, Payoff::Inverse) => {
                Enclosed::exponential(size / self.start.mark, size / self.end.mark, -self.exponent)
            }
        }
    }

    /// What a coin is worth at the mark, reporting currency.
    pub(super) fn mark_money(&self, width: f64) -> Enclosed {
        match self.payoff {
            Payoff::Linear => self.mark.times(self.money, width),
            Payoff::Inverse => self.mark,
        }
    }
}
