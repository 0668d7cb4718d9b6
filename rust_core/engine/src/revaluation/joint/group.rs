//! Lines that move by the same factors, their options netted.

use std::collections::BTreeMap;

use super::block::Sums;
use super::line::{Body, Combination, ForwardMove, Line, OptionLine};
use crate::error::Result;
use crate::instrument::{OptionRight, Payoff};
use crate::pricing::kernel::{self, JointStrike, LINE, Line as Lanes, Quantities, Ratios};
use crate::pricing::level::Level;

/// Lines moved by the same price, basis, volatility and settlement currency.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Factor of the settlement currency.
    pub(super) currency: Option<usize>,
    /// How forwards move; `None` for currency alone.
    pub(super) forward: Option<ForwardMove>,
    /// Share of the forward that is fixed.
    pub(super) fixed_share: f64,
    /// What the logarithm of volatilities moves by.
    pub(super) volatility: Option<Combination>,
    /// Results carried, reporting currency.
    pub(super) carried: f64,
    /// Sum of slopes of linear and of inverse contracts, reporting currency.
    pub(super) linear: f64,
    pub(super) inverse: f64,
    /// Options settled in the quote currency.
    pub(super) in_quote: Vec<Quantities>,
    /// Options settled in the coin; their quantities are divided by the forward today.
    pub(super) in_coin: Vec<Quantities>,
    /// Value of all options today, reporting currency.
    pub(super) base: f64,
    gross: f64,
}

impl Group {
    pub(super) fn strike_count(&self) -> usize {
        self.in_quote.len() + self.in_coin.len()
    }

    pub(super) fn strikes(&self) -> impl Iterator<Item = &Quantities> {
        self.in_quote.iter().chain(&self.in_coin)
    }

    pub(super) fn scale(&self) -> f64 {
        self.gross
    }

    /// What the group gains without its options, less the options' value today, at ratios of its forward.
    pub(super) fn gain(&self, ratios: &Lanes) -> Lanes {
        let (linear, inverse, base) = (self.linear, self.inverse, self.base);
        Lanes(if inverse == 0.0 {
            ratios.0.map(|ratio| linear * (ratio - 1.0) - base)
        } else {
            ratios.0.map(|ratio| linear * (ratio - 1.0) + inverse * (1.0 - 1.0 / ratio) - base)
        })
    }

    /// Adds a gain at today's price of the settlement currency to results, at the ratios of that currency.
    pub(super) fn settle(&self, gains: &Lanes, currency: Option<&Lanes>, results: &mut Lanes) {
        let both = results.0.iter_mut().zip(&gains.0);
        match currency {
            None => both.for_each(|(result, gain)| *result += gain),
            Some(ratios) => both
                .zip(&ratios.0)
                .for_each(|((result, gain), own)| *result += (own - 1.0) * self.carried + own * gain),
        }
    }
}

/// Where a line is found again, and what it makes of the sums of its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) group: usize,
    carried: f64,
    has_currency: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Balance,
    Linear(f64),
    Inverse(f64),
    Option { strike: usize, in_coin: bool, right: OptionRight, quantity: f64, base: f64 },
}

impl Place {
    /// The line's weighted result from those of its group.
    pub(super) fn weighed(&self, sums: &Sums, strikes: &[(f64, f64)]) -> Option<f64> {
        let gain = match self.kind {
            Kind::Balance => 0.0,
            Kind::Linear(slope) => slope * sums.linear,
            Kind::Inverse(slope) => slope * sums.inverse,
            Kind::Option { strike, in_coin, right, quantity, base } => {
                let strike = if in_coin { strike + sums.first_in_coin } else { strike };
                let (call, put) = *strikes.get(strike)?;
                let value = match right {
                    OptionRight::Call => call,
                    OptionRight::Put => put,
                };
                quantity * value - base * sums.weights
            }
        };
        let currency = if self.has_currency { self.carried * sums.currency } else { 0.0 };
        Some(currency + gain)
    }
}

/// What lines of a group have in common, as an order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    currency: Option<usize>,
    forward: Option<(usize, CombinationKey)>,
    fixed_share: u64,
    volatility: CombinationKey,
}

type CombinationKey = Option<((usize, u64), Option<(usize, u64)>)>;

fn combination_key(combination: Option<Combination>) -> CombinationKey {
    let bits = |(factor, weight): (usize, f64)| (factor, weight.to_bits());
    combination.map(|own| (bits(own.first), own.second.map(bits)))
}

fn key_of(line: &Line) -> (Key, Group) {
    let (forward, fixed_share, volatility) = match &line.body {
        Body::Balance => (None, 0.0, None),
        Body::Linear { forward, .. } | Body::Inverse { forward, .. } => (Some(*forward), 0.0, None),
        Body::Option(option) => (Some(option.moves), option.fixed / option.forward, option.volatility),
    };
    let key = Key {
        currency: line.currency,
        forward: forward.map(|own| (own.factor, combination_key(own.basis))),
        fixed_share: fixed_share.to_bits(),
        volatility: combination_key(volatility),
    };
    let group = Group {
        currency: line.currency,
        forward,
        fixed_share,
        volatility,
        carried: 0.0,
        linear: 0.0,
        inverse: 0.0,
        in_quote: Vec::new(),
        in_coin: Vec::new(),
        base: 0.0,
        gross: 0.0,
    };
    (key, group)
}

type StrikeKey = (usize, bool, [u64; 3]);

/// Groups in the order of their first lines, and the place of every line.
pub(super) fn grouped(level: Level, lines: &[Line]) -> Result<(Vec<Group>, Vec<Place>)> {
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    let mut strikes: BTreeMap<StrikeKey, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut places = Vec::with_capacity(lines.len());
    for line in lines {
        let (key, new) = key_of(line);
        let number = *known.entry(key).or_insert_with(|| {
            groups.push(new);
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(number) else { continue };
        group.carried += line.money * line.carried;
        group.gross += (line.money * line.carried).abs();
        let kind = match &line.body {
            Body::Balance => Kind::Balance,
            Body::Linear { slope, .. } => {
                group.linear += line.money * slope;
                group.gross += (line.money * slope).abs();
                Kind::Linear(line.money * slope)
            }
            Body::Inverse { slope, .. } => {
                group.inverse += line.money * slope;
                group.gross += (line.money * slope).abs();
                Kind::Inverse(line.money * slope)
            }
            Body::Option(option) => add_option(group, number, line.money, option, &mut strikes, level)?,
        };
        places.push(Place {
            group: number,
            carried: line.money * line.carried,
            has_currency: line.currency.is_some(),
            kind,
        });
    }
    Ok((groups, places))
}

fn add_option(
    group: &mut Group,
    number: usize,
    money: f64,
    option: &OptionLine,
    strikes: &mut BTreeMap<StrikeKey, usize>,
    level: Level,
) -> Result<Kind> {
    let in_coin = option.payoff == Payoff::Inverse;
    let list = if in_coin { &mut group.in_coin } else { &mut group.in_quote };
    let bits = [option.strike.to_bits(), option.forward.to_bits(), option.total_volatility.to_bits()];
    let strike = *strikes.entry((number, in_coin, bits)).or_insert_with(|| {
        let strike = JointStrike::new(option.strike, option.forward, option.total_volatility);
        list.push(Quantities { strike, calls: 0.0, puts: 0.0 });
        list.len() - 1
    });
    let unit = money * option.quantity * option.discount;
    let quantity = if in_coin { unit / option.forward } else { unit };
    if let Some(held) = list.get_mut(strike) {
        match option.right {
            OptionRight::Call => held.calls += quantity,
            OptionRight::Put => held.puts += quantity,
        }
    }
    let base = match option.base {
        Some(base) => money * option.quantity * base,
        None => quantity * value_now(level, option)?,
    };
    group.base += base;
    group.gross += base.abs();
    Ok(Kind::Option { strike, in_coin, right: option.right, quantity, base })
}

/// Undiscounted value of one unit where nothing moves, by the arithmetic of the scenarios.
fn value_now(level: Level, option: &OptionLine) -> Result<f64> {
    const ONES: [Lanes; 1] = [Lanes([1.0; LINE])];
    const ZEROS: [Lanes; 1] = [Lanes([0.0; LINE])];
    let ratios = Ratios { forward: &ONES, log_forward: &ZEROS, volatility: &ONES, inverse_volatility: &ONES };
    let strike = JointStrike::new(option.strike, option.forward, option.total_volatility);
    let held = match option.right {
        OptionRight::Call => Quantities { strike, calls: 1.0, puts: 0.0 },
        OptionRight::Put => Quantities { strike, calls: 0.0, puts: 1.0 },
    };
    let mut value = ZEROS;
    kernel::joint_sums(level, &ratios, &[held], &mut value)?;
    let [Lanes([value, ..])] = value;
    Ok(value)
}
