//! What one option is worth at a state and in every scenario of its profile.

use super::table::Pricing;
use crate::error::Result;
use crate::instrument::{OptionRight, OptionTerms, Payoff};
use crate::pricing::black76::{is_regular, log_moneyness, value};
use crate::pricing::kernel::{LINE, strike_row};
use crate::pricing::level;
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::{Profile, Scenario, VolatilityMove, VolatilityRatios};

/// The volatilities of an option under the moves of its profile, each worked out once.
#[derive(Debug, Clone, Copy)]
pub(in crate::margin) struct Shocked {
    own: f64,
    raised: f64,
    lowered: f64,
    skewed: (f64, f64),
}

impl Shocked {
    /// The volatilities of an option.
    pub(in crate::margin) fn of(profile: &Profile, option: &Pricing) -> Self {
        Self::with(ratios_at(profile, option.years), profile, option)
    }

    /// The same where what the time left makes of the moves is known.
    fn with(ratios: VolatilityRatios, profile: &Profile, option: &Pricing) -> Self {
        let (own, years) = (option.volatility, option.years);
        let (raised, lowered) = (ratios.raised(own), ratios.lowered(own));
        let skewed = profile.skew.map_or((own, own), |skew| {
            let log_strike = (option.terms.strike.0 / option.forward).ln();
            (skew.shocked(own, log_strike, years, false), skew.shocked(own, log_strike, years, true))
        });
        Self { own, raised, lowered, skewed }
    }

    /// The volatility in a scenario.
    pub(in crate::margin) fn volatility(&self, scenario: &Scenario) -> f64 {
        match scenario.volatility {
            VolatilityMove::Same => self.own,
            VolatilityMove::Up => self.raised,
            VolatilityMove::Down => self.lowered,
            VolatilityMove::Relative(change) => self.own * (1.0 + change),
            VolatilityMove::SkewLinear => self.skewed.0,
            VolatilityMove::SkewAbsolute => self.skewed.1,
        }
    }
}

/// What the moves of a profile make of volatilities at a time to expiry.
fn ratios_at(profile: &Profile, years: f64) -> VolatilityRatios {
    profile.volatility.map_or(VolatilityRatios::NONE, |shock| shock.at(years))
}

/// The price moves of a profile of which no scenario ages options, moves a basis or a rate: what every option of it
/// shares.
pub(super) struct PriceMoves {
    ratios: Vec<f64>,
    /// Their logarithms, then that of no move until lines are full.
    logs: Vec<f64>,
}

impl PriceMoves {
    /// Forward over that at the state, by scenario.
    pub(super) fn ratios(&self) -> &[f64] {
        &self.ratios
    }

    /// The logarithms of the ratios, perhaps followed by those of no move.
    pub(super) fn logs(&self) -> &[f64] {
        &self.logs
    }

    pub(super) fn of(profile: &Profile) -> Option<Self> {
        let plain =
            |scenario: &Scenario| scenario.days == 0.0 && scenario.basis == 0.0 && scenario.rate == 0.0;
        profile.scenarios.iter().all(plain).then(|| {
            let ratios: Vec<f64> = profile.scenarios.iter().map(|own| 1.0 + own.price_move).collect();
            let mut logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
            logs.resize((ratios.len() + 1).next_multiple_of(LINE), 0.0);
            Self { ratios, logs }
        })
    }
}

/// Columns of one option after the other, kept for their memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    forwards: Vec<f64>,
    totals: Vec<f64>,
    /// Of the right that is not asked for.
    other: Vec<f64>,
    /// Profile and years of the option before, with what the years make of the moves: options of one expiry follow
    /// each other.
    expiry: Option<(usize, f64, VolatilityRatios)>,
}

impl Scratch {
    fn volatility_ratios(&mut self, index: usize, profile: &Profile, years: f64) -> VolatilityRatios {
        match self.expiry {
            Some((known, time, ratios)) if known == index && time.to_bits() == years.to_bits() => ratios,
            _ => {
                let ratios = ratios_at(profile, years);
                self.expiry = Some((index, years, ratios));
                ratios
            }
        }
    }
}

/// The same as [`option_row`] where price and volatility are all that moves.
///
/// The state itself is one more scenario, which moves nothing: its value is that of the scalar function to the bit.
pub(super) fn plain_option_row(
    rulebook: &Rulebook,
    (index, profile): (usize, &Profile),
    option: &Pricing,
    moves: &PriceMoves,
    scratch: &mut Scratch,
) -> Result<(f64, Vec<f64>)> {
    let shocked = Shocked::with(scratch.volatility_ratios(index, profile, option.years), profile, option);
    let root = option.years.sqrt();
    let discount = rulebook.discounting.factor(option.rate, option.years);
    let (count, lanes) = (moves.ratios.len(), moves.logs.len());
    let (strike, total) = (option.terms.strike.0, option.volatility * root);
    let Scratch { forwards, totals, other, .. } = scratch;
    forwards.clear();
    forwards.extend(moves.ratios.iter().map(|ratio| option.forward * ratio));
    forwards.resize(lanes, option.forward);
    totals.clear();
    totals.extend(profile.scenarios.iter().map(|scenario| shocked.volatility(scenario) * root));
    totals.resize(lanes, total);
    other.resize(lanes, 0.0);
    let mut values = vec![0.0; lanes];
    let (calls, puts) = match option.terms.right {
        OptionRight::Call => (&mut values, other),
        OptionRight::Put => (other, &mut values),
    };
    let moneyness = log_moneyness(option.forward, strike);
    strike_row(level(), strike, moneyness, forwards, &moves.logs, totals, calls, puts)?;
    let own = match values.get(count) {
        Some(own) if is_regular(option.forward, strike, total) => *own,
        _ => value(option.terms.right, option.forward, strike, total)?,
    };
    values.truncate(count);
    let base = discount * own;
    match option.payoff {
        Payoff::Linear => {
            values.iter_mut().for_each(|value| *value *= discount);
            Ok((base, values))
        }
        Payoff::Inverse => {
            let rows = values.iter_mut().zip(forwards.iter());
            rows.for_each(|(value, forward)| *value = *value * discount / forward);
            Ok((base / option.forward, values))
        }
    }
}

/// An option at the state and in every scenario, settlement currency.
pub(super) fn option_row(
    rulebook: &Rulebook,
    profile: &Profile,
    option: &Pricing,
) -> Result<(f64, Vec<f64>)> {
    let count = profile.scenarios.len();
    let mut forwards = Vec::with_capacity(count + 1);
    let mut totals = Vec::with_capacity(count + 1);
    let mut discounts = Vec::with_capacity(count + 1);
    forwards.push(option.forward);
    totals.push(option.volatility * option.years.sqrt());
    discounts.push(rulebook.discounting.factor(option.rate, option.years));
    let shocked = Shocked::of(profile, option);
    for scenario in &profile.scenarios {
        let years = (option.years - scenario.days / 365.0).max(0.0);
        let ratio = (1.0 + scenario.price_move) * (1.0 + scenario.basis * option.years);
        forwards.push((option.forward - option.fixed) * ratio + option.fixed);
        // at expiry there is nothing left to shock
        totals.push(if years > 0.0 { shocked.volatility(scenario) * years.sqrt() } else { 0.0 });
        discounts.push(rulebook.discounting.factor(option.rate + scenario.rate, years));
    }
    let mut values = price(option.terms, &forwards, &totals)?;
    for ((value, forward), discount) in values.iter_mut().zip(&forwards).zip(&discounts) {
        *value *= discount;
        if option.payoff == Payoff::Inverse {
            *value /= forward;
        }
    }
    let base = values.first().copied().unwrap_or(0.0);
    values.remove(0);
    Ok((base, values))
}

/// Undiscounted Black-76 values of one strike over lists of forwards and total volatilities, of which the
/// first are today's.
pub(in crate::margin) fn price(terms: OptionTerms, forwards: &[f64], totals: &[f64]) -> Result<Vec<f64>> {
    let today = forwards.first().copied().unwrap_or(terms.strike.0);
    let shocks: Vec<f64> = forwards.iter().map(|forward| (forward / today).ln()).collect();
    let moneyness = log_moneyness(today, terms.strike.0);
    let (mut calls, mut puts) = (vec![0.0; forwards.len()], vec![0.0; forwards.len()]);
    strike_row(level(), terms.strike.0, moneyness, forwards, &shocks, totals, &mut calls, &mut puts)?;
    Ok(match terms.right {
        OptionRight::Call => calls,
        OptionRight::Put => puts,
    })
}
