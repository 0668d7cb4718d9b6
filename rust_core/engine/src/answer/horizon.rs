//! The horizon: what time alone does to the book, with nobody moving a price.

use rayon::prelude::*;

use super::evaluated::check_complete;
use super::node::Node;
use super::scope::report_currency;
use super::{Answer, Value};
use crate::book::{Balance, Book, Pool};
use crate::error::{Error, Place, Result};
use crate::history::day_of;
use crate::instrument::{ContractKind, Payoff};
use crate::margin::settling::credit;
use crate::margin::{PoolState, PoolView, evaluate};
use crate::market::{MarketState, settle_of, unrealised_pnl};
use crate::numeric::accumulate::sum;
use crate::tables::instant;

/// The header of `CM_HORIZON`.
pub const HEADER: [&str; 10] =
    ["date", "event", "symbol", "im", "mm", "equity", "usage", "theta", "funding", "note"];

/// Days of a year, as everywhere in time to expiry.
const DAYS_PER_YEAR: f64 = 365.0;
const SECONDS_OF_A_DAY: f64 = 86_400.0;
/// A number below this is a number of days; a day's number in a spreadsheet is above it.
const LARGEST_DAYS: f64 = 20_000.0;
/// Funding rates are of eight hours: three a day.
const FUNDINGS_PER_DAY: f64 = 3.0;
/// Symbols that are listed by name at one expiry.
const LISTED: usize = 6;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Days from the as-of, or dates; empty for a week, a month and a quarter.
    pub dates: Vec<String>,
    /// The figure whose change the note states: MM, IM, equity or usage.
    pub measure: String,
    /// Whether funding at today's rates is paid and received.
    pub funding: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Maintenance,
    Initial,
    Equity,
    Usage,
}

/// A moment at which the book is measured.
struct Moment {
    days: f64,
    event: &'static str,
    symbols: String,
}

/// The figures of the book at a moment.
struct Figures {
    initial: Option<f64>,
    maintenance: f64,
    equity: f64,
    usage: Option<f64>,
    theta: f64,
    funding: Option<f64>,
}

/// Margin, equity and usage on future dates and at every expiry on the way: prices and volatilities stay, forwards
/// too, what expires settles at its intrinsic value.
///
/// `theta` is what options have lost or gained by then through time alone, `funding` what perpetuals have paid (below
/// zero) or received at today's rates; both are in `equity`. Money in the reporting currency.
///
/// # Errors
///
/// [`Error::OutOfRange`] for days below zero or a date before the as-of; [`Error::Missing`] for dates without an as-of.
/// A moment that cannot be measured has a row with the reason.
pub fn table(book: &Book, question: &Question) -> Result<Answer> {
    check_complete(book)?;
    report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let measure = measure_named(&question.measure)?;
    let as_of = instant(&book.as_of);
    let moments = moments(book, question, as_of)?;
    let found: Vec<Result<Figures>> =
        moments.par_iter().map(|moment| at(book, moment.days, question.funding)).collect();
    let mut answer = Answer::new(&HEADER);
    let today = found.first().and_then(|own| own.as_ref().ok()).and_then(|own| measure.of(own));
    let unrated = if question.funding { unrated(book) } else { Vec::new() };
    for (moment, own) in moments.iter().zip(&found) {
        let date: Value = match as_of {
            Some(now) => written(now + moment.days * SECONDS_OF_A_DAY).into(),
            None => format!("+{} d", moment.days).into(),
        };
        let mut row = vec![date, moment.event.into(), moment.symbols.as_str().into()];
        match own {
            Ok(own) => {
                let mut notes = Vec::new();
                if let (Some(before), Some(now), true) = (today, measure.of(own), moment.days > 0.0) {
                    notes.push(measure.change(before, now));
                }
                if !unrated.is_empty() && moment.days > 0.0 {
                    notes.push(format!("no funding rate of {}: none is counted", unrated.join(", ")));
                }
                row.extend([
                    own.initial.into(),
                    own.maintenance.into(),
                    own.equity.into(),
                    own.usage.into(),
                    own.theta.into(),
                    own.funding.into(),
                    notes.join("; ").into(),
                ]);
            }
            Err(error) => {
                row.extend(vec![Value::Missing; HEADER.len() - 4]);
                row.push(error.to_string().into());
            }
        }
        answer.rows.push(row);
    }
    Ok(answer)
}

fn measure_named(word: &str) -> Result<Measure> {
    match word.trim().to_ascii_uppercase().as_str() {
        "" | "MM" => Ok(Measure::Maintenance),
        "IM" => Ok(Measure::Initial),
        "EQUITY" => Ok(Measure::Equity),
        "USAGE" => Ok(Measure::Usage),
        _ => Err(Error::Unknown {
            what: "measure",
            value: word.to_owned(),
            known: "MM, IM, equity, usage".into(),
        }),
    }
}

impl Measure {
    fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Maintenance => Some(figures.maintenance),
            Self::Initial => figures.initial,
            Self::Equity => Some(figures.equity),
            Self::Usage => figures.usage,
        }
    }

    fn change(self, before: f64, now: f64) -> String {
        let word = match self {
            Self::Maintenance => "MM",
            Self::Initial => "IM",
            Self::Equity => "equity",
            Self::Usage => "usage",
        };
        if before == 0.0 {
            return format!("{word} from nothing to {}", crate::liquidation::price::shown(now));
        }
        format!("{word} {:+.2} % against now", 100.0 * (now - before) / before.abs())
    }
}

/// Now, every date that is asked for, and every expiry until the last of them, in order of time.
fn moments(book: &Book, question: &Question, as_of: Option<f64>) -> Result<Vec<Moment>> {
    let mut asked = Vec::new();
    for text in &question.dates {
        asked.push(days_of(text, as_of, &book.as_of)?);
    }
    if asked.is_empty() {
        asked = vec![7.0, 30.0, 90.0];
    }
    let last = asked.iter().copied().fold(0.0, f64::max);
    let mut found = vec![Moment { days: 0.0, event: "now", symbols: String::new() }];
    let mut expiries: Vec<(f64, Vec<&str>)> = Vec::new();
    for (instrument, quote) in book.instruments.iter().zip(&book.quotes) {
        let days = quote.years * DAYS_PER_YEAR;
        let dated = matches!(instrument.kind, ContractKind::Option | ContractKind::Future);
        if !dated || days <= 0.0 || days > last {
            continue;
        }
        match expiries.iter_mut().find(|(own, _)| own.total_cmp(&days).is_eq()) {
            Some((_, symbols)) => symbols.push(&instrument.symbol),
            None => expiries.push((days, vec![&instrument.symbol])),
        }
    }
    for (days, symbols) in expiries {
        let more = symbols.len().saturating_sub(LISTED);
        let mut words = symbols.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
        if more > 0 {
            words.push_str(&format!(" and {more} more"));
        }
        found.push(Moment { days, event: "expiry", symbols: words });
    }
    let at_expiry = |days: f64| found.iter().any(|own| own.days.total_cmp(&days).is_eq());
    let mut dates: Vec<f64> = asked.into_iter().filter(|days| !at_expiry(*days)).collect();
    dates.sort_by(f64::total_cmp);
    dates.dedup();
    found.extend(dates.into_iter().map(|days| Moment { days, event: "date", symbols: String::new() }));
    found.sort_by(|a, b| a.days.total_cmp(&b.days));
    Ok(found)
}

/// Days from the as-of: a number of them, or a date.
fn days_of(text: &str, as_of: Option<f64>, written_as_of: &str) -> Result<f64> {
    let text = text.trim();
    let plain = text.parse::<f64>().ok().filter(|own| own.abs() < LARGEST_DAYS || !own.is_finite());
    if let Some(days) = plain {
        if days.is_finite() && days >= 0.0 {
            return Ok(days);
        }
        return Err(Error::OutOfRange {
            name: "days".into(),
            value: days,
            must_be: "finite and zero or above",
            place: Place::default(),
        });
    }
    let moment = instant(text).ok_or_else(|| Error::Unknown {
        what: "date",
        value: text.to_owned(),
        known: "a number of days, or a date such as 2026-03-27".into(),
    })?;
    let now = as_of.ok_or_else(|| Error::Missing {
        what: "as-of".into(),
        why: format!("the as-of is '{written_as_of}', so a date is no number of days; give as_of, or days"),
        place: Place::label(text),
    })?;
    let days = (moment - now) / SECONDS_OF_A_DAY;
    if days < 0.0 {
        return Err(Error::OutOfRange {
            name: "days until the date".into(),
            value: days,
            must_be: "zero or above: it lies before the as-of",
            place: Place::label(text),
        });
    }
    Ok(days)
}

/// An instant as `2026-03-27T08:00:00Z`, to the second.
fn written(seconds: f64) -> String {
    let whole = seconds.round();
    let of_day = whole.rem_euclid(SECONDS_OF_A_DAY);
    let (hours, minutes) = ((of_day / 3_600.0).floor(), (of_day / 60.0).floor() % 60.0);
    format!("{}T{hours:02.0}:{minutes:02.0}:{:02.0}Z", day_of(whole), of_day % 60.0)
}

/// Perpetuals that are held and have no funding rate.
fn unrated(book: &Book) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for position in &book.positions {
        let Some(instrument) = book.instruments.get(position.instrument) else { continue };
        let rate = book.quotes.get(position.instrument).and_then(|quote| quote.funding_rate);
        if instrument.kind == ContractKind::Perpetual
            && rate.is_none()
            && !found.contains(&instrument.symbol.as_str())
        {
            found.push(&instrument.symbol);
        }
    }
    found
}

/// Whether some perpetual that is held has a funding rate, or none is held.
fn any_rated(book: &Book) -> bool {
    let perpetual = |position: &&crate::book::Position| {
        let known = book.instruments.get(position.instrument);
        known.is_some_and(|own| own.kind == ContractKind::Perpetual)
    };
    let mut held = book.positions.iter().filter(perpetual).peekable();
    held.peek().is_none()
        || held.any(|own| book.quotes.get(own.instrument).is_some_and(|quote| quote.funding_rate.is_some()))
}

fn at(book: &Book, days: f64, with_funding: bool) -> Result<Figures> {
    let (today, state) = (MarketState::today(book), MarketState::today(book).with_days(days));
    let mut pools: Vec<(usize, PoolState)> = Vec::with_capacity(book.pools.len());
    let (mut theta, mut funding) = (Vec::new(), Vec::new());
    for (index, pool) in book.pools.iter().enumerate() {
        let view = PoolView::of(book, pool);
        for position in view.positions {
            let option = book.instruments.get(position.instrument).is_some_and(|own| own.option.is_some());
            if option {
                let gained = unrealised_pnl(book, position, &state) - unrealised_pnl(book, position, &today);
                theta.push(gained * view.price(settle_of(book, position), &state)?);
            }
        }
        let (balances, paid) =
            if with_funding { funded(&view, pool, days, &state)? } else { (pool.balances.clone(), 0.0) };
        funding.push(paid);
        pools.push((index, evaluate(&PoolView { balances: &balances, ..view }, &state)?));
    }
    let node = Node { pools: pools.iter().map(|(index, state)| (*index, state)).collect() };
    Ok(Figures {
        initial: node.initial(),
        maintenance: node.maintenance(),
        equity: node.equity(),
        usage: node.decisive()?.1.usage,
        theta: sum(theta),
        // where no perpetual has a rate there is nothing to sum, and zero would be a default
        funding: (with_funding && (days == 0.0 || any_rated(book))).then(|| sum(funding)),
    })
}

/// The balances of a pool once funding of some days is settled into them, and the funding, reporting currency: a long
/// pays a rate above zero on its notional at the mark, three times a day.
fn funded(view: &PoolView<'_>, pool: &Pool, days: f64, state: &MarketState) -> Result<(Vec<Balance>, f64)> {
    let mut balances = pool.balances.clone();
    let mut paid = Vec::new();
    for position in view.positions {
        let Some(instrument) = view.book.instruments.get(position.instrument) else { continue };
        let rate = view.book.quotes.get(position.instrument).and_then(|quote| quote.funding_rate);
        let Some(rate) = rate.filter(|_| instrument.kind == ContractKind::Perpetual && days > 0.0) else {
            continue;
        };
        let notional = match instrument.payoff {
            Payoff::Linear => position.quantity * position.mark_price,
            Payoff::Inverse => position.quantity / position.mark_price,
        };
        let received = -notional * rate * FUNDINGS_PER_DAY * days;
        let settle = settle_of(view.book, position);
        credit(&mut balances, settle, received);
        paid.push(received * view.price(settle, state)?);
    }
    Ok((balances, sum(paid)))
}
