//! Options of one expiry that are added up in every scenario, and their lines without scenarios where charges ask for them.

use super::super::exposure::{Expiry, Line, index_price, settles_in_coin, unit_delta, unit_line};
use super::super::option_row::PriceMoves;
use super::super::table::profile_of;
use super::super::unit::sign_factor;
use crate::book::{Position, Quote};
use crate::error::Result;
use crate::instrument::{OptionRight, Payoff};
use crate::margin::PoolView;
use crate::marked::Marked;
use crate::market::{MarketState, least_value_at, marked, option_value_at, settle_of, underlying_of};
use crate::pricing::black76::value;
use crate::pricing::kernel::{self, JointStrike, LINE, Quantities, Ratios, joint_sums, numbers};
use crate::pricing::level;
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::{Profile, Treatment, VolatilityMove, VolatilityRatios};

/// Options of one coin, profile, settlement and expiry.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) coin: usize,
    pub(super) profile: usize,
    pub(super) settle: usize,
    pub(super) expiry: Expiry,
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
    /// Their lines at the book's prices, where charges look at lines.
    lines: Vec<Line<'static>>,
}

/// A group at a state, settlement currency.
pub(super) struct Valued {
    /// Result carried.
    pub(super) carried: f64,
    /// Value by the model.
    base: f64,
    /// Value in each scenario, and at the state behind them.
    values: Vec<f64>,
}

impl Group {
    /// An expiry that an option belongs to; `None` where its value is no function of ratios.
    pub(super) fn of(view: &PoolView<'_>, rulebook: &Rulebook, position: &Position) -> Option<(Self, f64)> {
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
            lines: Vec::new(),
        };
        Some((group, volatility))
    }

    /// Whether both are one unit's expiry.
    pub(super) fn meets(&self, other: &Self) -> bool {
        (self.coin, self.profile, self.expiry) == (other.coin, other.profile, other.expiry)
    }

    /// Whether both are priced from the same figures.
    pub(super) fn is_priced_as(&self, other: &Self) -> bool {
        let figures = |own: &Self| [own.forward, own.years, own.rate].map(f64::to_bits);
        (self.settle, self.payoff) == (other.settle, other.payoff) && figures(self) == figures(other)
    }

    /// Takes an option; `None` where it cannot be one of many.
    pub(super) fn add(
        &mut self,
        view: &PoolView<'_>,
        rulebook: &Rulebook,
        position: &Position,
        volatility: f64,
    ) -> Option<()> {
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
        if !rulebook.profiles.get(self.profile)?.charges.is_empty() {
            // without a price of the coin an index is the mark of whichever line comes first
            let today = MarketState::today(view.book);
            index_price(view.book, self.coin, &today)?;
            let unit = unit_line(view, rulebook, &today, position.instrument, (0.0, None)).ok()?;
            self.lines.push(Line { quantity: position.quantity, ..unit });
        }
        Some(())
    }

    /// Calls and puts of one strike and volatility share one evaluation.
    pub(super) fn join(&mut self) {
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
    pub(super) fn at(
        &self,
        view: &PoolView<'_>,
        rulebook: &Rulebook,
        state: &MarketState,
    ) -> Result<Option<Valued>> {
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
        let mut sums = vec![kernel::Line::default(); (count + 1).div_ceil(LINE)];
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

    /// Its lines at a state at which it can be added up, without scenarios and without what they carry.
    pub(super) fn lines_at(
        &self,
        view: &PoolView<'_>,
        rulebook: &Rulebook,
        state: &MarketState,
    ) -> Result<Vec<Line<'static>>> {
        let Some(first) = self.lines.first() else { return Ok(Vec::new()) };
        let (ratio, own) = (state.ratio(self.coin), 1.0 + state.volatility(self.coin).0);
        let (money, root) = (view.price(self.settle, state)?, self.years.sqrt());
        let index = index_price(view.book, self.coin, state).unwrap_or(first.index);
        let discount = rulebook.discounting.factor(self.rate, self.years);
        let forward = self.forward * ratio;
        let unit = if self.payoff == Payoff::Inverse { forward } else { 1.0 };
        let mut found = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let Some(mut option) = line.option else { continue };
            option.forward = forward;
            option.volatility *= own;
            let total = option.volatility * root;
            let base = discount * value(option.terms.right, forward, option.terms.strike.0, total)? / unit;
            let priced = (base, forward, ratio);
            let delta = unit_delta(view.book, rulebook, line.instrument, Some(&option), priced);
            found.push(Line {
                base,
                money,
                option: Some(option),
                mark: forward,
                delta: line.quantity * delta,
                index,
                ..*line
            });
        }
        Ok(found)
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
    pub(super) fn add_results(
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
fn in_lines(scenarios: impl Iterator<Item = f64>, state: f64) -> Vec<kernel::Line> {
    let all: Vec<f64> = scenarios.chain([state]).collect();
    kernel::lines(all.into_iter(), state)
}
