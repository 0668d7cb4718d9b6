//! Options of a pool added up by expiry: many market states of a pool that no charge looks into line by line.
//!
//! Where scenarios move prices and volatilities by ratios and nothing is charged by the line, what an option is worth in a
//! scenario enters only a sum: over its expiry, whose net value has a discount by its sign or counts whatever its sign.
//! So everything of an option that does not depend on the state is prepared once, and at a state one kernel adds up each
//! expiry in all scenarios. The figures are those of a whole evaluation but for the order in which sums round.

use super::exposure::{Expiry, Held, settles_in_coin, units_beside};
use super::option_row::PriceMoves;
use super::table::{Table, profile_of};
use super::unit::{Scanned, sign_factor};
use super::{Unit, measure_scanned};
use crate::book::{Position, Quote};
use crate::error::Result;
use crate::instrument::{OptionRight, Payoff};
use crate::margin::PoolView;
use crate::margin::component::{Component, maintenance_total};
use crate::margin::equity::{Holding, add_option_value, holdings_with};
use crate::marked::Marked;
use crate::market::{MarketState, least_value_at, marked, option_value_at, settle_of, underlying_of};
use crate::pricing::kernel::{JointStrike, LINE, Line, Quantities, Ratios, joint_sums, lines, numbers};
use crate::pricing::level;
use crate::rulebook::portfolio::{Profile, Treatment, VolatilityMove, VolatilityRatios};
use crate::rulebook::{Measure, RiskUnit, Rulebook};

/// A pool whose options are added up by expiry.
#[derive(Debug)]
pub(in crate::margin) struct Summed {
    groups: Vec<Group>,
    /// What is no option.
    rest: Vec<Position>,
    /// The instruments of that, sorted, once.
    instruments: Vec<usize>,
}

/// Options of one coin, profile, settlement and expiry.
#[derive(Debug)]
struct Group {
    coin: usize,
    profile: usize,
    settle: usize,
    expiry: Expiry,
    payoff: Payoff,
    forward: f64,
    years: f64,
    rate: f64,
    /// The least of their volatilities.
    lowest: f64,
    held: Vec<Quantities>,
    /// Their result at the book's prices, settlement currency.
    kept: f64,
    /// Their value by the model there, settlement currency.
    today: f64,
    /// Those that are marked below the model: instrument and quantity.
    below: Vec<(usize, f64, Marked)>,
}

/// A group at a state, settlement currency.
struct Valued {
    /// Result carried.
    carried: f64,
    /// Value by the model.
    base: f64,
    /// Value in each scenario, and at the state behind them.
    values: Vec<f64>,
}

impl Group {
    /// An expiry that an option belongs to; `None` where its value is no function of ratios.
    fn of(view: &PoolView<'_>, rulebook: &Rulebook, position: &Position) -> Option<(Self, f64)> {
        let book = view.book;
        let known = book.instruments.get(position.instrument)?;
        let quote: &Quote = book.quotes.get(position.instrument)?;
        let (forward, volatility) = (quote.forward?, quote.implied_volatility?);
        let (place, _) = profile_of(book, rulebook, position.instrument).ok()?;
        let alike = quote.discount_rate.to_bits() == rulebook.discounting.rate(quote.rate).to_bits();
        let plain = forward > 0.0 && quote.years > 0.0 && quote.forward_fixed == 0.0 && volatility >= 0.0;
        if !(alike && plain) || book.risk_arrays.get(position.instrument).is_some_and(Option::is_some) {
            return None;
        }
        let group = Self {
            coin: underlying_of(book, position),
            profile: place,
            settle: settle_of(book, position),
            expiry: Expiry::of(Some(known), quote.years),
            payoff: known.payoff,
            forward,
            years: quote.years,
            rate: quote.rate,
            lowest: f64::INFINITY,
            held: Vec::new(),
            kept: 0.0,
            today: 0.0,
            below: Vec::new(),
        };
        Some((group, volatility))
    }

    /// Whether both are one unit's expiry.
    fn meets(&self, other: &Self) -> bool {
        (self.coin, self.profile, self.expiry) == (other.coin, other.profile, other.expiry)
    }

    /// Whether both are priced from the same figures.
    fn is_priced_as(&self, other: &Self) -> bool {
        let figures = |own: &Self| [own.forward, own.years, own.rate].map(f64::to_bits);
        (self.settle, self.payoff) == (other.settle, other.payoff) && figures(self) == figures(other)
    }

    fn add(&mut self, view: &PoolView<'_>, position: &Position, volatility: f64) -> Option<()> {
        let terms = view.book.instruments.get(position.instrument)?.option?;
        let own = marked(view.book, position.instrument)?;
        let (calls, puts) = match terms.right {
            OptionRight::Call => (position.quantity, 0.0),
            OptionRight::Put => (0.0, position.quantity),
        };
        let strike = JointStrike::new(terms.strike.0, self.forward, volatility * self.years.sqrt());
        self.held.push(Quantities { strike, calls, puts });
        self.lowest = self.lowest.min(volatility);
        self.kept += position.unrealised_pnl;
        self.today += position.quantity * own.model;
        if own.is_below() {
            self.below.push((position.instrument, position.quantity, own));
        }
        Some(())
    }

    /// Calls and puts of one strike and volatility share one evaluation.
    fn join(&mut self) {
        let key = |own: &Quantities| (own.strike.strike(), own.strike.total_volatility());
        self.held.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        self.held.dedup_by(|next, known| {
            let same = known.strike == next.strike;
            if same {
                known.calls += next.calls;
                known.puts += next.puts;
            }
            same
        });
    }

    /// The options at a state; `None` where a move is no ratio.
    fn at(&self, view: &PoolView<'_>, rulebook: &Rulebook, state: &MarketState) -> Result<Option<Valued>> {
        let (ratio, (relative, absolute)) = (state.ratio(self.coin), state.volatility(self.coin));
        let own = 1.0 + relative;
        let priced = ratio > 0.0 && ratio.is_finite() && absolute == 0.0 && own > 0.0 && own.is_finite();
        let found = rulebook.profiles.get(self.profile).filter(|_| priced);
        let Some((profile, moves)) = found.and_then(|known| Some((known, PriceMoves::of(known)?))) else {
            return Ok(None);
        };
        let Some(volatilities) = self.volatilities(profile, own) else { return Ok(None) };
        let count = volatilities.len();
        let log = ratio.ln();
        let inverse = |own: f64| own.max(f64::MIN_POSITIVE).recip();
        let forward = in_lines(moves.ratios().iter().map(|own| ratio * own), ratio);
        let log_forward = in_lines(moves.logs().iter().take(count).map(|own| log + own), log);
        let volatility = in_lines(volatilities.iter().copied(), own);
        let inverse_volatility = in_lines(volatilities.iter().copied().map(inverse), inverse(own));
        let ratios = Ratios {
            forward: &forward,
            log_forward: &log_forward,
            volatility: &volatility,
            inverse_volatility: &inverse_volatility,
        };
        let mut sums = vec![Line::default(); (count + 1).div_ceil(LINE)];
        joint_sums(level(), &ratios, &self.held, &mut sums)?;
        let mut values = numbers(&sums, count + 1);
        let discount = rulebook.discounting.factor(self.rate, self.years);
        for (value, ratio) in values.iter_mut().zip(forward.iter().flat_map(|line| line.0)) {
            *value *= discount;
            if self.payoff == Payoff::Inverse {
                *value /= self.forward * ratio;
            }
        }
        let base = values.get(count).copied().unwrap_or(0.0);
        let mut gained = base - self.today;
        for (instrument, quantity, own) in &self.below {
            let model = option_value_at(view.book, *instrument, state);
            let gain = own.gain(model, || least_value_at(view.book, *instrument, state));
            gained += quantity * (gain - (model - own.model));
        }
        Ok(Some(Valued { carried: self.kept + gained, base, values }))
    }

    /// The volatility in each scenario over the book's, where it is `own` times that at the state; `None` where a move is
    /// no ratio.
    fn volatilities(&self, profile: &Profile, own: f64) -> Option<Vec<f64>> {
        let moves = profile.volatility.map_or(VolatilityRatios::NONE, |shock| shock.at(self.years));
        let ratio = |volatility: VolatilityMove| match volatility {
            VolatilityMove::Same => Some(own),
            VolatilityMove::Up => {
                Some(own * moves.raised).filter(|ratio| ratio * self.lowest >= moves.least_raised)
            }
            VolatilityMove::Down => Some(own * moves.lowered),
            VolatilityMove::Relative(change) => Some(own * (1.0 + change)),
            VolatilityMove::SkewLinear | VolatilityMove::SkewAbsolute => None,
        };
        profile.scenarios.iter().map(|scenario| ratio(scenario.volatility)).collect()
    }

    /// Adds its result in every scenario, reporting currency.
    fn add_results(
        &self,
        view: &PoolView<'_>,
        rulebook: &Rulebook,
        (profile, state): (&Profile, &MarketState),
        valued: &Valued,
        raw: &mut [f64],
    ) -> Result<()> {
        let money = view.price(self.settle, state)?;
        let moves = settles_in_coin(view.book, rulebook, self.settle, self.coin);
        for ((total, value), scenario) in raw.iter_mut().zip(&valued.values).zip(&profile.scenarios) {
            let factor = sign_factor(rulebook, profile, Some((self.rate, self.years)), *value);
            let gain = factor * value - valued.base;
            let result = if moves {
                (1.0 + scenario.price_move) * (valued.carried + gain) - valued.carried
            } else {
                gain
            };
            *total += match scenario.treatment {
                Treatment::MinusAbsolutePerExpiry => -(money * result).abs(),
                Treatment::Plain | Treatment::Extended => money * result,
            };
        }
        Ok(())
    }
}

/// One number per scenario and that of the state behind them, in whole lines.
fn in_lines(scenarios: impl Iterator<Item = f64>, state: f64) -> Vec<Line> {
    let all: Vec<f64> = scenarios.chain([state]).collect();
    lines(all.into_iter(), state)
}

impl Summed {
    /// Prepares a pool; `None` where its options have to be looked at one by one at every state.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a pool without a rulebook.
    pub(in crate::margin) fn of(view: &PoolView<'_>) -> Result<Option<Self>> {
        let rulebook = view.rulebook()?;
        let by_coin = matches!(rulebook.measure, Measure::Scenarios { unit: RiskUnit::Underlying, .. });
        let plain = |profile: &Profile| profile.charges.is_empty();
        if !by_coin
            || !rulebook.credits.is_empty()
            || !rulebook.borrowing.is_empty()
            || !rulebook.profiles.iter().all(plain)
        {
            return Ok(None);
        }
        let mut own = Self { groups: Vec::new(), rest: Vec::new(), instruments: Vec::new() };
        let mut profiles: Vec<(usize, usize)> = Vec::new();
        for position in view.positions {
            let Ok((profile, _)) = profile_of(view.book, rulebook, position.instrument) else {
                return Ok(None);
            };
            let coin = underlying_of(view.book, position);
            match profiles.iter().find(|(known, _)| *known == coin) {
                // which of two units of a coin bears its collateral depends on the order of positions
                Some((_, other)) if *other != profile => return Ok(None),
                Some(_) => {}
                None => profiles.push((coin, profile)),
            }
            let known = view.book.instruments.get(position.instrument);
            if known.is_none_or(|known| known.option.is_none()) {
                own.rest.push(position.clone());
                own.instruments.push(position.instrument);
                continue;
            }
            if own.take(view, rulebook, position).is_none() {
                return Ok(None);
            }
        }
        own.instruments.sort_unstable();
        own.instruments.dedup();
        own.groups.iter_mut().for_each(Group::join);
        own.groups.sort_by_key(|group| (group.coin, group.profile, group.expiry));
        Ok(Some(own))
    }

    fn take(&mut self, view: &PoolView<'_>, rulebook: &Rulebook, position: &Position) -> Option<()> {
        let (group, volatility) = Group::of(view, rulebook, position)?;
        let place = match self.groups.iter().position(|known| known.meets(&group)) {
            // one expiry with two forwards or currencies is one sum of two kinds
            Some(place) if self.groups.get(place)?.is_priced_as(&group) => place,
            Some(_) => return None,
            None => {
                self.groups.push(group);
                self.groups.len() - 1
            }
        };
        self.groups.get_mut(place)?.add(view, position, volatility)
    }

    /// Maintenance margin and holdings at a state; `None` where it has to be evaluated as a whole.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub(in crate::margin) fn at<'a>(
        &self,
        view: &PoolView<'a>,
        state: &MarketState,
    ) -> Result<Option<(f64, Vec<Holding<'a>>)>> {
        let rulebook = view.rulebook()?;
        let book = view.book;
        let pegged = |currency: usize| state.peg(currency).is_finite() && state.peg(currency) > 0.0;
        if state.days() != 0.0 || !(0..book.currencies.len()).all(pegged) {
            return Ok(None);
        }
        let mut valued = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            match group.at(view, rulebook, state)? {
                Some(own) => valued.push((group, own)),
                None => return Ok(None),
            }
        }
        let rest = PoolView { positions: &self.rest, orders: &[], ..*view };
        let table = Table::new(book, rulebook, state, &self.instruments)?;
        let held: Vec<Held> = super::exposure::held(&rest);
        let beside: Vec<(usize, usize)> = self.groups.iter().map(|own| (own.coin, own.profile)).collect();
        let split: Vec<Unit<'_>> = units_beside(&rest, rulebook, state, (&table, &held), &beside)?;
        let coins: Vec<Option<usize>> = split.iter().map(|unit| unit.underlying).collect();
        let mut components: Vec<Component> = Vec::new();
        for unit in &split {
            let Some(profile) = rulebook.profiles.get(unit.profile) else { continue };
            let mut raw = vec![0.0; profile.scenarios.len()];
            let of_unit =
                |group: &Group| Some(group.coin) == unit.underlying && group.profile == unit.profile;
            for (group, own) in valued.iter().filter(|(group, _)| of_unit(group)) {
                group.add_results(view, rulebook, (profile, state), own, &mut raw)?;
            }
            let scanned = Scanned::beside(unit, rulebook, profile, raw);
            let measured = measure_scanned(view, rulebook, state, (unit, &coins), scanned)?;
            components.extend(measured.components().copied());
        }
        let mut holdings: Vec<Holding<'a>> =
            holdings_with(&rest, state, &table).iter().map(|own| own.of_balances(view.balances)).collect();
        for (group, own) in &valued {
            add_option_value(&mut holdings, group.settle, own.carried);
        }
        Ok(Some((maintenance_total(&components), holdings)))
    }
}
