//! Stage 2: what one unit of every instrument is worth in every scenario, each instrument once.
//!
//! Values are in the settlement currency per unit of quantity. A delta-one contract is kept as its profit
//! and loss, base zero; an option as its value, because what is bought and sold is discounted differently.

use rayon::prelude::*;

use super::charges::moved_worth;
use super::exposure::{Line, Moved, index_price, unit_line};
use crate::book::{Book, Position};
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, OptionRight, OptionTerms, Payoff};
use crate::margin::PoolView;
use crate::market::{MarketState, gain_of_unit, settling_ratio, unrealised_pnl};
use crate::pricing::black76::{log_moneyness, value};
use crate::pricing::kernel::strike_row;
use crate::pricing::level;
use crate::rulebook::Rulebook;
use crate::rulebook::charge::{ChargeKind, PriceBasis};
use crate::rulebook::portfolio::{Profile, Scenario, VolatilityMove};

/// One instrument in every scenario of its profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Index of its profile.
    pub profile: usize,
    /// Value at the state itself; zero for delta-one contracts.
    pub base: f64,
    /// Value in each scenario of the profile; for delta-one contracts profit and loss.
    pub values: Vec<f64>,
}

/// Rows by instrument of a book, for the instruments that were asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    rows: Vec<Option<Row>>,
    units: Vec<Option<OneUnit>>,
}

/// What else of an instrument belongs to the market state alone.
#[derive(Debug, Clone, PartialEq)]
struct OneUnit {
    line: Line<'static>,
    /// What one unit of an option has gained from the book's prices to the state, settlement currency.
    gain: Option<f64>,
}

impl Table {
    /// The row of an instrument.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for an instrument that was not priced, which building a table excludes.
    pub fn row(&self, book: &Book, instrument: usize) -> Result<&Row> {
        self.rows.get(instrument).and_then(Option::as_ref).ok_or_else(|| Error::Missing {
            what: format!(
                "scenario values of {}",
                book.instruments.get(instrument).map_or("?", |known| known.symbol.as_str())
            ),
            why: "the instrument was not priced".into(),
            place: Place::default(),
        })
    }

    /// Prices instruments of a book at a state under a rulebook; the list is sorted and has no doubles.
    ///
    /// # Errors
    ///
    /// [`Error::NotCovered`] for a contract that the rulebook does not know, [`Error::Missing`] for a quote.
    pub fn new(book: &Book, rulebook: &Rulebook, state: &MarketState, instruments: &[usize]) -> Result<Self> {
        let mut rows = vec![None; instruments.iter().max().map_or(0, |last| last + 1)];
        let moves: Vec<Option<PriceMoves>> = rulebook.profiles.iter().map(PriceMoves::of).collect();
        let priced = |i: &usize| Ok((*i, row(book, rulebook, state, *i, &moves)?));
        let built: Vec<(usize, Row)> = if instruments.len() > 64 {
            instruments.par_iter().map(priced).collect::<Result<_>>()?
        } else {
            instruments.iter().map(priced).collect::<Result<_>>()?
        };
        for (instrument, row) in built {
            if let Some(slot) = rows.get_mut(instrument) {
                *slot = Some(row);
            }
        }
        Ok(Self { rows, units: Vec::new() })
    }

    /// Keeps what else the stages need to know about the instruments at this state, so that accounts that hold them
    /// are measured without pricing anything again, and to the same bits.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a price.
    pub(crate) fn keep_units(
        &mut self,
        view: &PoolView<'_>,
        rulebook: &Rulebook,
        state: &MarketState,
    ) -> Result<()> {
        let mut units = Vec::with_capacity(self.rows.len());
        for (instrument, row) in self.rows.iter().enumerate() {
            let Some(row) = row else {
                units.push(None);
                continue;
            };
            let mut line = unit_line(view, rulebook, state, instrument, row.base)?;
            let charges = rulebook.profiles.get(row.profile).map_or(&[][..], |profile| &profile.charges);
            let moves = charges.iter().find_map(|charge| match charge.kind {
                ChargeKind::ForwardContingency { moves, .. } => Some(moves),
                _ => None,
            });
            if let (Some(option), Some(moves)) = (line.option, moves) {
                line.moved = Some(Moved { moves, worth: moved_worth(&option, rulebook, moves)? });
            }
            let gain = line.option.is_some().then(|| gain_of_unit(view.book, instrument, state));
            units.push(Some(OneUnit { line, gain }));
        }
        self.units = units;
        Ok(())
    }

    /// The line of one unit of an instrument, where it was kept.
    pub(super) fn unit_line(&self, instrument: usize) -> Option<&Line<'static>> {
        self.units.get(instrument)?.as_ref().map(|unit| &unit.line)
    }

    /// Unrealised profit and loss of a position at the state, settlement currency.
    pub(in crate::margin) fn result(&self, book: &Book, position: &Position, state: &MarketState) -> f64 {
        let kept = self.units.get(position.instrument).and_then(Option::as_ref).and_then(|unit| unit.gain);
        match kept {
            Some(gain) => position.unrealised_pnl + position.quantity * gain,
            None => unrealised_pnl(book, position, state),
        }
    }

    /// Whether what a pool holds is all there, with what else is kept of it.
    pub(super) fn keeps(&self, view: &PoolView<'_>) -> bool {
        let kept = |instrument: usize| self.units.get(instrument).is_some_and(Option::is_some);
        view.positions.iter().all(|position| kept(position.instrument))
            && view.orders.iter().all(|order| kept(order.instrument))
    }
}

/// A refusal of an instrument, with the row that holds it.
pub(in crate::margin) fn not_covered(book: &Book, instrument: usize, why: String) -> Error {
    let symbol = book.instruments.get(instrument).map_or("?", |known| known.symbol.as_str());
    let held = book.positions.iter().find(|position| position.instrument == instrument);
    Error::NotCovered {
        what: symbol.to_owned(),
        why,
        place: held.map_or_else(Place::default, |position| Place::row(position.row, symbol)),
    }
}

/// Refuses what the rulebook says that it does not cover.
///
/// # Errors
///
/// [`Error::NotCovered`] names the contract and the reason that the rulebook gives.
pub(in crate::margin) fn check_refusals(book: &Book, rulebook: &Rulebook, instrument: usize) -> Result<()> {
    let Some(known) = book.instruments.get(instrument).filter(|_| !rulebook.refusals.is_empty()) else {
        return Ok(());
    };
    let kind = match known.kind {
        ContractKind::Option => "option",
        ContractKind::Future => "future",
        ContractKind::Spot => "spot",
        ContractKind::Perpetual => "",
    };
    let settled = if known.payoff == Payoff::Inverse { "coin_settled" } else { "stable_settled" };
    for key in [kind, settled] {
        if let Some(why) = rulebook.refusals.get(key) {
            let why = format!("rulebook '{}' does not cover it: {why}", rulebook.id);
            return Err(not_covered(book, instrument, why));
        }
    }
    Ok(())
}

/// The profile of an instrument, or why the rulebook does not cover it.
///
/// # Errors
///
/// [`Error::NotCovered`] names the contract and what the rulebook says about it.
pub fn profile_of<'a>(
    book: &Book,
    rulebook: &'a Rulebook,
    instrument: usize,
) -> Result<(usize, &'a Profile)> {
    let Some(known) = book.instruments.get(instrument) else {
        return Err(not_covered(book, instrument, "the book has no such instrument".into()));
    };
    check_refusals(book, rulebook, instrument)?;
    let found = rulebook
        .profiles
        .iter()
        .enumerate()
        .find(|(_, profile)| profile.covers(&known.underlying, known.payoff));
    found.ok_or_else(|| {
        let named: Vec<&str> =
            rulebook.profiles.iter().flat_map(|p| &p.underlyings).map(String::as_str).collect();
        let why = format!(
            "rulebook '{}' has no parameters for {} settled in {}; it has them for {}",
            rulebook.id,
            known.underlying,
            known.settle,
            if named.is_empty() { "none".to_owned() } else { named.join(", ") }
        );
        not_covered(book, instrument, why)
    })
}

/// What an option is priced from at a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::margin) struct Pricing {
    pub(in crate::margin) terms: OptionTerms,
    pub(in crate::margin) payoff: Payoff,
    /// Forward at the state.
    pub(in crate::margin) forward: f64,
    /// The part of it that settlement has fixed.
    pub(in crate::margin) fixed: f64,
    pub(in crate::margin) volatility: f64,
    pub(in crate::margin) years: f64,
    pub(in crate::margin) rate: f64,
}

/// The quote of an option at a state.
pub(in crate::margin) fn pricing(book: &Book, state: &MarketState, instrument: usize) -> Result<Pricing> {
    let missing = |what: &str| Error::Missing {
        what: format!(
            "{what} of {}",
            book.instruments.get(instrument).map_or("?", |known| known.symbol.as_str())
        ),
        why: "an option needs it to be priced; a missing price is never a default".into(),
        place: Place::default(),
    };
    let known = book.instruments.get(instrument).ok_or_else(|| missing("terms"))?;
    let terms = known.option.ok_or_else(|| missing("strike"))?;
    let quote = state.quote(book, instrument).ok_or_else(|| missing("quote"))?;
    let forward = quote.forward.ok_or_else(|| missing("forward"))?;
    let volatility = quote.implied_volatility.ok_or_else(|| missing("implied volatility"))?;
    let fixed = quote.forward_fixed;
    let ratio = state.ratio(book.instrument_underlying.get(instrument).copied().unwrap_or(0));
    Ok(Pricing {
        terms,
        payoff: known.payoff,
        forward: (forward - fixed) * ratio + fixed,
        fixed,
        volatility,
        years: quote.years,
        rate: quote.rate,
    })
}

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
        let (own, years) = (option.volatility, option.years);
        let (raised, lowered) = profile
            .volatility
            .map_or((own, own), |shock| (shock.raised(own, years), shock.lowered(own, years)));
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

/// The price moves of a profile of which no scenario ages options, moves a basis or a rate: what every option of it
/// shares.
struct PriceMoves {
    ratios: Vec<f64>,
    /// Their logarithms.
    logs: Vec<f64>,
}

impl PriceMoves {
    fn of(profile: &Profile) -> Option<Self> {
        let plain =
            |scenario: &Scenario| scenario.days == 0.0 && scenario.basis == 0.0 && scenario.rate == 0.0;
        profile.scenarios.iter().all(plain).then(|| {
            let ratios: Vec<f64> = profile.scenarios.iter().map(|own| 1.0 + own.price_move).collect();
            Self { logs: ratios.iter().map(|ratio| ratio.ln()).collect(), ratios }
        })
    }
}

fn row(
    book: &Book,
    rulebook: &Rulebook,
    state: &MarketState,
    instrument: usize,
    moves: &[Option<PriceMoves>],
) -> Result<Row> {
    let (index, profile) = profile_of(book, rulebook, instrument)?;
    let known = book.instruments.get(instrument);
    if let Some(values) = book.risk_arrays.get(instrument).and_then(Option::as_ref) {
        if values.len() != profile.scenarios.len() {
            return Err(Error::Shape {
                name: format!("riskArray of {}", known.map_or("?", |known| known.symbol.as_str())),
                found: values.len(),
                expected: profile.scenarios.len(),
            });
        }
        return Ok(Row { profile: index, base: 0.0, values: values.clone() });
    }
    if known.is_some_and(|known| known.option.is_some()) {
        let option = pricing(book, state, instrument)?;
        let shared = moves.get(index).and_then(Option::as_ref).filter(|_| option.fixed == 0.0);
        let (base, values) = match shared {
            Some(moves) if option.years > 0.0 => plain_option_row(rulebook, profile, &option, moves)?,
            _ => option_row(rulebook, profile, &option)?,
        };
        return Ok(Row { profile: index, base, values });
    }
    let quote = state.quote(book, instrument);
    let quote = quote.as_deref();
    let mark = quote.and_then(|quote| quote.forward).ok_or_else(|| Error::Missing {
        what: format!("mark price of {}", known.map_or("?", |known| known.symbol.as_str())),
        why: "a missing price is never a default".into(),
        place: Place::default(),
    })?;
    let underlying = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    let ratio = state.ratio(underlying);
    let price = match profile.price {
        PriceBasis::Mark => mark * settling_ratio(quote, ratio),
        PriceBasis::Index => index_price(book, underlying, state).unwrap_or(mark),
    };
    let years = quote.map_or(0.0, |quote| quote.years);
    let open = quote.map_or(1.0, |quote| quote.share_left_at(ratio));
    let inverse = known.is_some_and(|known| known.payoff == Payoff::Inverse);
    let values = profile.scenarios.iter().map(|scenario| {
        let whole = (1.0 + scenario.price_move) * (1.0 + scenario.basis * years);
        // what settlement has fixed stays; outside its window the ratio is the move itself, to the bit
        let (moved, ratio) = match open {
            1.0 => (whole - 1.0, whole),
            open => (open * (whole - 1.0), 1.0 + open * (whole - 1.0)),
        };
        if inverse { moved / ratio / price } else { price * moved }
    });
    Ok(Row { profile: index, base: 0.0, values: values.collect() })
}

/// The same as [`option_row`] where price and volatility are all that moves.
fn plain_option_row(
    rulebook: &Rulebook,
    profile: &Profile,
    option: &Pricing,
    moves: &PriceMoves,
) -> Result<(f64, Vec<f64>)> {
    let root = option.years.sqrt();
    let discount = rulebook.discounting.factor(option.rate, option.years);
    let forwards: Vec<f64> = moves.ratios.iter().map(|ratio| option.forward * ratio).collect();
    let shocked = Shocked::of(profile, option);
    let totals: Vec<f64> =
        profile.scenarios.iter().map(|scenario| shocked.volatility(scenario) * root).collect();
    let strike = option.terms.strike.0;
    let moneyness = log_moneyness(option.forward, strike);
    let (mut calls, mut puts) = (vec![0.0; forwards.len()], vec![0.0; forwards.len()]);
    strike_row(level(), strike, moneyness, &forwards, &moves.logs, &totals, &mut calls, &mut puts)?;
    let mut values = match option.terms.right {
        OptionRight::Call => calls,
        OptionRight::Put => puts,
    };
    let base = discount * value(option.terms.right, option.forward, strike, option.volatility * root)?;
    match option.payoff {
        Payoff::Linear => {
            values.iter_mut().for_each(|value| *value *= discount);
            Ok((base, values))
        }
        Payoff::Inverse => {
            let rows = values.iter_mut().zip(&forwards);
            rows.for_each(|(value, forward)| *value = *value * discount / forward);
            Ok((base / option.forward, values))
        }
    }
}

/// An option at the state and in every scenario, settlement currency.
fn option_row(rulebook: &Rulebook, profile: &Profile, option: &Pricing) -> Result<(f64, Vec<f64>)> {
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
