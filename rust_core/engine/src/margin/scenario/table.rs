//! Stage 2: what one unit of every instrument is worth in every scenario, each instrument once.
//!
//! Values are in the settlement currency per unit of quantity. A delta-one contract is kept as its profit
//! and loss, base zero; an option as its value, because what is bought and sold is discounted differently.

use rayon::prelude::*;

use super::charges::moved_worth;
use super::exposure::{Line, Moved, index_price, unit_line};
use super::option_row::{PriceMoves, Scratch, option_row, plain_option_row};
use crate::book::{Book, Position};
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, OptionTerms, Payoff};
use crate::margin::PoolView;
use crate::marked::Marked;
use crate::market::{MarketState, least_value_at, marked, option_value_at, settling_ratio, unrealised_pnl};
use crate::rulebook::Rulebook;
use crate::rulebook::charge::{ChargeKind, PriceBasis};
use crate::rulebook::portfolio::Profile;

/// Instruments that one worker prices at least.
const SHARED: usize = 64;

/// One instrument in every scenario of its profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Index of its profile.
    pub profile: usize,
    /// Value at the state itself; zero for delta-one contracts.
    pub base: f64,
    /// Value in each scenario of the profile; for delta-one contracts profit and loss.
    pub values: Vec<f64>,
    /// What an option was priced from, where the base is Black's value at the state.
    option: Option<Pricing>,
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
        let priced =
            |scratch: &mut Scratch, i: &usize| Ok((*i, row(book, rulebook, state, *i, &moves, scratch)?));
        let built: Vec<(usize, Row)> = if instruments.len() > SHARED {
            let some = instruments.par_iter().with_min_len(SHARED);
            some.map_init(Scratch::default, priced).collect::<Result<_>>()?
        } else {
            let mut scratch = Scratch::default();
            instruments.iter().map(|i| priced(&mut scratch, i)).collect::<Result<_>>()?
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
        today: &Today,
    ) -> Result<()> {
        let mut units = Vec::with_capacity(self.rows.len());
        for (instrument, row) in self.rows.iter().enumerate() {
            let Some(row) = row else {
                units.push(None);
                continue;
            };
            let mut line = unit_line(view, rulebook, state, instrument, (row.base, row.option))?;
            let charges = rulebook.profiles.get(row.profile).map_or(&[][..], |profile| &profile.charges);
            let moves = charges.iter().find_map(|charge| match charge.kind {
                ChargeKind::ForwardContingency { moves, .. } => Some(moves),
                _ => None,
            });
            if let (Some(option), Some(moves)) = (line.option, moves) {
                line.moved = Some(Moved { moves, worth: moved_worth(&option, rulebook, moves)? });
            }
            let gain = line.option.is_some().then(|| {
                let at_state = match row.option {
                    Some(option) if discounted_alike(view.book, rulebook, instrument, &option) => row.base,
                    _ => option_value_at(view.book, instrument, state),
                };
                today.gain(view.book, instrument, at_state, state)
            });
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

/// Whether a rulebook discounts an option at the rate that its quote is valued with, to the bit.
fn discounted_alike(book: &Book, rulebook: &Rulebook, instrument: usize, option: &Pricing) -> bool {
    let rate = rulebook.discounting.rate(option.rate);
    book.quotes.get(instrument).is_some_and(|quote| quote.discount_rate.to_bits() == rate.to_bits())
}

/// What one unit of each option is worth at the prices of the book: the same for every state.
#[derive(Debug, Clone, Default)]
pub struct Today {
    options: Vec<Option<Marked>>,
}

impl Today {
    /// The options of a book, each valued once.
    pub fn of(book: &Book) -> Self {
        Self { options: (0..book.instruments.len()).map(|instrument| marked(book, instrument)).collect() }
    }

    /// What an option has gained since, where the model says what it is worth at a state; what it is worth today is
    /// worked out where it is not kept.
    fn gain(&self, book: &Book, instrument: usize, model: f64, state: &MarketState) -> f64 {
        let kept = self.options.get(instrument).copied().unwrap_or_else(|| marked(book, instrument));
        kept.map_or(0.0, |own| own.gain(model, || least_value_at(book, instrument, state)))
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

fn row(
    book: &Book,
    rulebook: &Rulebook,
    state: &MarketState,
    instrument: usize,
    moves: &[Option<PriceMoves>],
    scratch: &mut Scratch,
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
        return Ok(Row { profile: index, base: 0.0, values: values.clone(), option: None });
    }
    if known.is_some_and(|known| known.option.is_some()) {
        let option = pricing(book, state, instrument)?;
        let shared = moves.get(index).and_then(Option::as_ref).filter(|_| option.fixed == 0.0);
        return Ok(match shared {
            Some(moves) if option.years > 0.0 => {
                let (base, values) = plain_option_row(rulebook, (index, profile), &option, moves, scratch)?;
                Row { profile: index, base, values, option: Some(option) }
            }
            _ => {
                let (base, values) = option_row(rulebook, profile, &option)?;
                Row { profile: index, base, values, option: None }
            }
        });
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
    Ok(Row { profile: index, base: 0.0, values: values.collect(), option: None })
}
