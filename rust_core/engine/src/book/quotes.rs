//! What options are priced from: time, forward, volatility and rate of every instrument, and the marks that
//! follow from them.

use super::Quote;
use super::collect::Collected;
use super::forwards::{Forwards, MarketQuotes, note_rows_apart};
use super::net::Netted;
use super::times::{AsOf, expiry_seconds, years, years_of_future};
use crate::finding::{Finding, Severity};
use crate::instrument::{ContractKind, Instrument, OptionRight, OptionTerms, Payoff};
use crate::pricing::implied::volatility;
use crate::rulebook::{Measure, Rulebook};
use crate::tables::Quoted;

/// A forward is no more than this many times the index, and no less than its reciprocal.
const LARGEST_CARRY: f64 = 10.0;
/// A mark may differ from the value at its volatility by this share of itself ...
const MARK_APART: f64 = 0.01;
/// ... and this share of the price of the coin.
const MARK_APART_OF_SPOT: f64 = 0.005;
/// Above this a mark in coins is a mark in quote currency, unless the option can be worth that much.
const LARGEST_MARK_IN_COINS: f64 = 1.5;
/// Below this forward a mark in quote currency cannot be told from one in coins.
const SMALLEST_TELLING_FORWARD: f64 = 100.0;

/// What the quotes are made from.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub(super) instruments: &'a [Instrument],
    pub(super) netted: &'a [Netted],
    pub(super) collected: &'a Collected,
    /// As-of as given and in seconds since 1970, where it can be read.
    pub(super) as_of: Option<&'a AsOf>,
    /// The rulebooks under which each instrument is held or ordered: their ways of discounting and of averaging
    /// the settlement price must agree about it.
    pub(super) rulebooks: Vec<Vec<&'a Rulebook>>,
}

/// One quote per instrument, and the options that cannot be priced.
#[derive(Debug, Default)]
pub(super) struct Priced {
    pub(super) quotes: Vec<Quote>,
    refused: Vec<bool>,
}

impl Priced {
    /// Whether an option cannot be priced; there is a finding that says why.
    pub(super) fn is_refused(&self, instrument: usize) -> bool {
        self.refused.get(instrument).copied().unwrap_or(false)
    }
}

/// A quote per instrument; marks of options that have none are computed.
pub(super) fn quotes(
    sources: &Sources<'_>,
    marks: &mut [Option<f64>],
    findings: &mut Vec<Finding>,
) -> Priced {
    let instruments = sources.instruments;
    let market = MarketQuotes::new(&sources.collected.market.rows);
    let mut given: Vec<Quoted> = vec![Quoted::default(); instruments.len()];
    for row in sources.netted {
        if let Some(slot) = given.get_mut(row.instrument) {
            *slot = slot.or(&row.quoted);
        }
    }
    for (slot, instrument) in given.iter_mut().zip(instruments) {
        *slot = slot.or(&market.symbol(instrument));
    }
    let places = places(sources);
    let mut priced = Priced { quotes: Vec::new(), refused: vec![false; instruments.len()] };
    let forwards = Forwards::new(instruments, &given, marks);
    forwards.note_apart(&places, findings);
    note_rows_apart(&sources.collected.positions, findings);
    let mut said = false;
    for (index, (instrument, own)) in instruments.iter().zip(&given).enumerate() {
        let place = Place { at: places.get(index).copied().unwrap_or_default(), instrument };
        let rulebooks = sources.rulebooks.get(index).map_or(&[][..], Vec::as_slice);
        if place.at.1 == 0 {
            // no row of it is left: what was wrong with them has been said
            refuse(&mut priced, index);
            continue;
        }
        if instrument.kind != ContractKind::Option {
            let known = sources.as_of.and_then(|(_, seconds)| *seconds);
            let left = years_of_future(instrument, known, own.seconds_to_expiry);
            if left.is_some_and(|left| left < 0.0) {
                let day = instrument.expiry.as_deref().unwrap_or("its expiry");
                let message = format!("it expired on {day}, before the as-of");
                findings.push(place.finding(
                    Severity::Error,
                    "expiry",
                    "expired",
                    message,
                    "leave expired contracts out",
                ));
            }
            let measured_in_time = rulebooks.iter().any(|r| matches!(r.measure, Measure::Scenarios { .. }));
            if left.is_none() && measured_in_time {
                findings.push(place.finding(
                    Severity::Error,
                    "expiry",
                    "as_of_missing",
                    "how long it has left is not known without an as-of that can be read, and its expiry would be taken for that of others".into(),
                    "give as_of (such as 2026-01-13T12:00:00Z)",
                ));
            } else if left.is_none() && !std::mem::replace(&mut said, true) {
                findings.push(place.finding(
                    Severity::Info,
                    "expiry",
                    "years_unknown",
                    if rulebooks.iter().any(|rulebook| rulebook.settlement_average_seconds > 0.0) {
                        "how long a dated future has left is not known without an as-of; it is taken to be before its settlement window"
                    } else {
                        "how long a dated future has left is not known without an as-of; this rulebook does not ask"
                    }
                    .into(),
                    "give as_of",
                ));
            }
            let mark = marks.get(index).copied().flatten();
            let settling = mark.zip(left).filter(|_| instrument.kind == ContractKind::Future);
            let fixed = settling.map_or(Some(0.0), |(mark, left)| {
                agreed(rulebooks, |rulebook| rulebook.fixed_forward(mark, 0.0, left))
            });
            let Some(fixed) = fixed else {
                findings.push(place.apart(rulebooks));
                refuse(&mut priced, index);
                continue;
            };
            priced.quotes.push(Quote {
                years: left.unwrap_or(0.0).max(0.0),
                forward: mark,
                forward_fixed: fixed,
                confidence: own.confidence,
                funding_rate: own
                    .funding_rate
                    .or_else(|| market.coin(instrument).funding_rate)
                    .filter(|_| instrument.kind == ContractKind::Perpetual),
                ..Quote::default()
            });
            continue;
        }
        let mark = marks.get_mut(index);
        let place = OptionPlace { place: &place, own, rulebooks };
        match option_quote(sources, &market, &forwards, &place, mark, findings) {
            Some(quote) => priced.quotes.push(quote),
            None => refuse(&mut priced, index),
        }
    }
    priced
}

/// An instrument that cannot be priced.
fn refuse(priced: &mut Priced, index: usize) {
    if let Some(slot) = priced.refused.get_mut(index) {
        *slot = true;
    }
    priced.quotes.push(Quote::default());
}

/// A figure that all rulebooks give alike, to the bit.
fn agreed(rulebooks: &[&Rulebook], figure: impl Fn(&Rulebook) -> f64) -> Option<f64> {
    let mut figures = rulebooks.iter().map(|rulebook| figure(rulebook));
    let first = figures.next()?;
    figures.all(|other| other.to_bits() == first.to_bits()).then_some(first)
}

/// An option, where it stands, what its rows say, and the rulebooks under which it is held.
struct OptionPlace<'a> {
    place: &'a Place<'a>,
    own: &'a Quoted,
    rulebooks: &'a [&'a Rulebook],
}

/// Sheet and row of the first position or order of every instrument; row 0 where none is left.
fn places(sources: &Sources<'_>) -> Vec<(&'static str, usize)> {
    let mut places: Vec<Option<(&'static str, usize)>> = vec![None; sources.instruments.len()];
    for row in sources.netted {
        if let Some(slot) = places.get_mut(row.instrument) {
            let first = slot.map_or(usize::MAX, |(_, row)| row).min(row.sample.row);
            *slot = Some(("Positions", first));
        }
    }
    for order in &sources.collected.orders.rows {
        let index = sources.instruments.binary_search(&order.instrument).ok();
        if let Some(slot @ None) = index.and_then(|index| places.get_mut(index)) {
            *slot = Some(("Orders", order.row));
        }
    }
    places.into_iter().map(|place| place.unwrap_or(("Positions", 0))).collect()
}

/// Where findings about an instrument stand.
#[derive(Debug)]
struct Place<'a> {
    at: (&'static str, usize),
    instrument: &'a Instrument,
}

impl Place<'_> {
    fn finding(
        &self,
        severity: Severity,
        column: &str,
        code: &'static str,
        message: String,
        fix: &str,
    ) -> Finding {
        let (sheet, row) = self.at;
        Finding {
            severity,
            sheet,
            row: Some(row),
            column: column.into(),
            value: self.instrument.symbol.clone(),
            code,
            message: format!("{}: {message}", self.instrument.symbol),
            fix: fix.into(),
        }
    }

    /// A contract that two rulebooks would price differently.
    fn apart(&self, rulebooks: &[&Rulebook]) -> Finding {
        let names: Vec<String> = rulebooks.iter().map(|rulebook| rulebook.label()).collect();
        self.finding(
            Severity::Error,
            "symbol",
            "priced_apart",
            format!(
                "it is held under {}, which discount it or average its settlement price differently; a book prices a contract once",
                names.join(" and ")
            ),
            "make a book of each of the accounts",
        )
    }
}

/// The quote of an option, `None` where it cannot be priced; its mark is computed where none is given.
fn option_quote(
    sources: &Sources<'_>,
    market: &MarketQuotes,
    forwards: &Forwards,
    option: &OptionPlace<'_>,
    mark: Option<&mut Option<f64>>,
    findings: &mut Vec<Finding>,
) -> Option<Quote> {
    let OptionPlace { place, own, rulebooks } = *option;
    let instrument = place.instrument;
    let terms = instrument.option?;
    let (expiry, contracts) = (market.expiry(instrument), market.contracts(instrument));
    let seconds = own.seconds_to_expiry.or(expiry.seconds_to_expiry).or(contracts.seconds_to_expiry);
    let years = match years(sources.as_of, instrument, seconds) {
        Ok(years) => years,
        Err((code, message, fix)) => {
            return refused(findings, place.finding(Severity::Error, "expiry", code, message, fix));
        }
    };
    let with_expiry = own.or(&expiry);
    let forward = with_expiry
        .forward
        .or_else(|| forwards.of_options(instrument, own))
        .or(contracts.forward)
        .or_else(|| forwards.of_future(instrument, own));
    let Some(forward) = forward else {
        return refused(findings, place.finding(
            Severity::Error,
            "forward",
            "forward_missing",
            "no forward for its expiry is given, and no future of the book expires then; the index is no forward"
                .into(),
            "fill forward (the venue's underlying price), or a Market row with underlying, expiry and forward",
        ));
    };
    if let Some(index) = index_given(sources.collected, instrument).filter(|index| *index > 0.0) {
        let ratio = forward / index;
        if !(1.0 / LARGEST_CARRY..=LARGEST_CARRY).contains(&ratio) {
            return refused(
                findings,
                place.finding(
                    Severity::Error,
                    "forward",
                    "forward_far_from_index",
                    format!("a forward of {forward} beside an index of {index} is no price of the same coin"),
                    "correct the forward or the index price",
                ),
            );
        }
    }
    if let (Some(given), Some((_, Some(now)))) = (seconds, sources.as_of)
        && let Some(left) = expiry_seconds(instrument).map(|expiry| expiry - now)
        && (given - left).abs() > 86_400.0
    {
        findings.push(place.finding(
            Severity::Warning,
            "secondsToExpiry",
            "seconds_to_expiry_differ",
            format!("{given} seconds are pasted, date and as-of leave {left}; the seconds are used"),
            "correct one of them",
        ));
    }
    let rate = with_expiry.rate.or(contracts.rate).or_else(|| market.coin(instrument).rate).unwrap_or(0.0);
    let fixed = with_expiry.forward_fixed.unwrap_or(0.0).min(forward);
    let discount_rate = agreed(rulebooks, |rulebook| rulebook.discounting.rate(rate));
    let fixed = agreed(rulebooks, |rulebook| rulebook.fixed_forward(forward, fixed, years));
    let (Some(discount_rate), Some(forward_fixed)) = (discount_rate, fixed) else {
        return refused(findings, place.apart(rulebooks));
    };
    let mut quote = Quote {
        years,
        forward: Some(forward),
        implied_volatility: own.implied_volatility,
        rate,
        discount_rate,
        confidence: own.confidence,
        forward_confidence: with_expiry.forward_confidence.or(contracts.forward_confidence),
        forward_fixed,
        funding_rate: None,
        mark: None,
    };
    let slot = mark?;
    quote.mark = *slot;
    if let Some(given) = *slot {
        if let Some(bound) = in_quote_currency(instrument.payoff, terms, forward, given) {
            return refused(findings, place.finding(
                Severity::Error,
                "markPrice",
                "mark_in_quote_currency",
                format!(
                    "it is settled in {}, and a mark of {given} is more than the {bound} coins that it can be worth at most; that is a price in quote currency",
                    instrument.settle
                ),
                "divide the mark by the forward, or paste the venue's mark in coins",
            ));
        }
        if quote.implied_volatility.is_none() && years > 0.0 {
            let value = undiscounted(instrument.payoff, &quote, forward, given);
            let implied = match volatility(terms.right, value, forward, terms.strike.0, years) {
                Ok(implied) => implied,
                Err(why) => {
                    return refused(findings, place.finding(
                        Severity::Error,
                        "markIv",
                        "volatility_missing",
                        format!(
                            "no implied volatility is given, and none follows from the mark {given} at the forward {forward}: {why}"
                        ),
                        "fill markIv",
                    ));
                }
            };
            quote.implied_volatility = Some(implied);
            findings.push(place.finding(
                Severity::Info,
                "markIv",
                "volatility_implied",
                format!(
                    "no implied volatility is given; the mark {given} implies {implied:.6}, which is used"
                ),
                "paste the venue's implied volatility to be exact",
            ));
            return Some(quote);
        }
    }
    if quote.implied_volatility.is_none() && years > 0.0 {
        return refused(findings, place.finding(
            Severity::Error,
            "markIv",
            "volatility_missing",
            "neither an implied volatility nor a mark price is given; a missing volatility is never a default"
                .into(),
            "fill markIv or markPrice, here or in a Market row of the symbol",
        ));
    }
    let value = quote.value(instrument.payoff, terms, 1.0, quote.implied_volatility.unwrap_or(0.0));
    match *slot {
        Some(given) => {
            let spot = if instrument.payoff == Payoff::Inverse { 1.0 } else { forward };
            if (given - value).abs() > MARK_APART * given.abs() + MARK_APART_OF_SPOT * spot {
                findings.push(place.finding(
                    Severity::Warning,
                    "markPrice",
                    "mark_and_volatility_disagree",
                    format!(
                        "the mark {given} is not {value:.8}, the value at its implied volatility and the forward {forward}; the mark enters the equity, the volatility the scenarios"
                    ),
                    "check mark, markIv, forward and as-of",
                ));
            }
        }
        None => {
            (*slot, quote.mark) = (Some(value), Some(value));
            findings.push(place.finding(
                Severity::Info,
                "markPrice",
                "mark_computed",
                format!("no mark price is given; {value:.8} follows from forward and volatility and is used"),
                "paste the mark price to be exact",
            ));
        }
    }
    Some(quote)
}

/// The index price of a coin that the market table gives.
fn index_given(collected: &Collected, instrument: &Instrument) -> Option<f64> {
    let about = |name: &Option<String>| {
        name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&instrument.underlying))
    };
    collected.market.rows.iter().filter(|row| about(&row.underlying)).find_map(|row| row.index_price)
}

fn refused(findings: &mut Vec<Finding>, finding: Finding) -> Option<Quote> {
    findings.push(finding);
    None
}

/// A mark as an undiscounted value in quote currency.
fn undiscounted(payoff: Payoff, quote: &Quote, forward: f64, mark: f64) -> f64 {
    let coin = if payoff == Payoff::Inverse { forward } else { 1.0 };
    mark * coin * (quote.discount_rate * quote.years).exp()
}

/// The most coins that a coin-settled option can be worth, where its mark is so far above that it must be in
/// quote currency.
fn in_quote_currency(payoff: Payoff, terms: OptionTerms, forward: f64, mark: f64) -> Option<f64> {
    let bound = match terms.right {
        OptionRight::Call => 1.0,
        OptionRight::Put => terms.strike.0 / forward,
    };
    let above = mark > LARGEST_MARK_IN_COINS.max(1.01 * bound) && forward > SMALLEST_TELLING_FORWARD;
    (payoff == Payoff::Inverse && above).then_some(bound)
}
