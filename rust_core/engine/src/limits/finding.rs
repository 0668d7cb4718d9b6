//! A limit compared with what is: status, money and the rule in one sentence.

use super::context::Context;
use super::measure::{Cure, Reading, measure, simulated};
use super::metric::Metric;
use super::standing::{Part, Standing};
use crate::book::{Balance, Book};
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::liquidation::price::{coins_of, shown};
use crate::margin::{PoolView, evaluate, excess};
use crate::market::MarketState;
use crate::path::Path;
use crate::tables::{LimitRow, ReportedAccount, day, instant};

/// Shares of the limit from which somebody should look and act, where the row gives no `warn` (decisions.md 18).
pub const WATCH: f64 = 0.5;
/// The second of them.
pub const CALL: f64 = 0.7;
/// A value that is beyond a bound by no more than this share of it is on it: sums of floats are no better.
const ROUNDING: f64 = 1e-12;
/// How closely a deposit is searched, relative.
const CLOSE: f64 = 0.005;
/// States between today and the bound at which a deposit is found.
const STATES: usize = 60;

/// What a limit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Inside, with room.
    Ok,
    /// Somebody should look.
    Watch,
    /// Somebody should act.
    Call,
    /// The limit is broken: nothing that adds to it.
    Restricted,
    /// The hard limit is broken: nothing at all.
    Suspended,
}

impl Status {
    /// The word of the status column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Watch => "watch",
            Self::Call => "call",
            Self::Restricted => "restricted",
            Self::Suspended => "suspended",
        }
    }
}

/// A limit whose row has been understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is measured.
    pub metric: Metric,
    /// From here on somebody should look, in units of the metric.
    pub warn: Option<f64>,
    /// What is allowed.
    pub limit: f64,
    /// Beyond this everything stops.
    pub hard: Option<f64>,
    /// Whether warn, limit and hard are shares of the equity.
    pub of_equity: bool,
}

impl Limit {
    /// Reads a row.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for a metric or a unit; [`Error::OutOfRange`] for numbers in the wrong order.
    pub fn of(row: &LimitRow) -> Result<Self> {
        let place = || match row.row {
            Some(number) => Place::row(number, row.id.as_str()),
            None => Place::label(row.id.as_str()),
        };
        if let Some(why) = &row.refusal {
            return Err(Error::NoAnswer { why: format!("{why}{}", place()) });
        }
        let metric = Metric::named(&row.metric)?;
        let limit = row.limit.ok_or_else(|| Error::NoAnswer { why: "a limit needs a limit".into() })?;
        let of_equity = match row.unit.trim().to_lowercase().as_str() {
            "equity" | "of equity" | "share of equity" => {
                if !metric.is_money() {
                    return Err(Error::NotCovered {
                        what: format!("{} as a share of the equity", metric.word()),
                        why: "only metrics of money can be one".into(),
                        place: place(),
                    });
                }
                true
            }
            _ => false, // what the desk calls its money, times or days
        };
        let refuse = |name: &str, value: f64, must_be: &'static str| {
            Err(Error::OutOfRange { name: name.into(), value, must_be, place: place() })
        };
        if !(limit.is_finite() && limit >= 0.0) {
            return refuse("limit", limit, "finite and at least 0");
        }
        if metric.is_probability() && !(limit > 0.0 && limit < 1.0) {
            return refuse("limit", limit, "a probability above 0 and below 1");
        }
        let floor = metric.is_floor();
        if let Some(warn) = row.warn
            && (if floor { warn < limit } else { warn > limit })
        {
            let must_be = if floor {
                "at or above the limit, which is the least allowed"
            } else {
                "at or below the limit"
            };
            return refuse("warn", warn, must_be);
        }
        if let Some(hard) = row.hard
            && (if floor { hard > limit } else { hard < limit })
        {
            let must_be = if floor {
                "at or below the limit, which is the least allowed"
            } else {
                "at or above the limit"
            };
            return refuse("hard", hard, must_be);
        }
        Ok(Self { metric, warn: row.warn, limit, hard: row.hard, of_equity })
    }

    /// In units of the metric, where the row has shares of an equity.
    #[must_use]
    pub fn times(self, equity: f64) -> Self {
        if !self.of_equity {
            return self;
        }
        let scaled = |own: Option<f64>| own.map(|own| own * equity);
        Self {
            warn: scaled(self.warn),
            limit: self.limit * equity,
            hard: scaled(self.hard),
            of_equity: false,
            ..self
        }
    }

    /// Whether a value is inside.
    pub fn allows(&self, value: Option<f64>) -> bool {
        value.is_none_or(|value| !self.is_beyond(value, self.limit))
    }

    /// Whether a value is beyond a bound, on the side that the metric must not be.
    fn is_beyond(&self, value: f64, bound: f64) -> bool {
        let slack = ROUNDING * bound.abs();
        if self.metric.is_floor() { value < bound - slack } else { value > bound + slack }
    }

    /// The share of the limit that is used; no number where a floor has been passed altogether.
    pub fn used(&self, value: Option<f64>) -> Option<f64> {
        let Some(value) = value else { return Some(0.0) };
        if self.metric.is_floor() {
            (value > 0.0).then(|| self.limit / value)
        } else if self.limit > 0.0 {
            Some(value / self.limit)
        } else {
            (value <= 0.0).then_some(0.0)
        }
    }

    /// What a value means.
    pub fn status(&self, value: Option<f64>) -> Status {
        let Some(own) = value else { return Status::Ok };
        let floor = self.metric.is_floor();
        let beyond = |bound: f64| self.is_beyond(own, bound);
        let reached = |bound: f64| if floor { own <= bound } else { own >= bound };
        let band = |share: f64| if floor { self.limit / share } else { self.limit * share };
        let watch = self.warn.unwrap_or_else(|| band(WATCH));
        // a warning that comes late is a call at once
        let call = if floor { band(CALL).min(watch) } else { band(CALL).max(watch) };
        let idle = own == 0.0 && !floor;
        if self.hard.is_some_and(beyond) {
            Status::Suspended
        } else if beyond(self.limit) {
            Status::Restricted
        } else if idle {
            Status::Ok
        } else if reached(call) {
            Status::Call
        } else if reached(watch) {
            Status::Watch
        } else {
            Status::Ok
        }
    }
}

/// A limit compared with what is.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The limit in units of the metric.
    pub limit: Limit,
    /// The value; `None` where nothing triggers.
    pub value: Option<f64>,
    /// What it means.
    pub status: Status,
    /// Money that must be reduced or deposited to be inside; zero inside; `None` where no amount is known.
    pub money: Option<f64>,
    /// What was compared with what, where the numbers come from, what to do.
    pub rule: String,
}

/// Compares a limit with a part of a book.
///
/// # Errors
///
/// As [`measure`].
pub fn compare(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
) -> Result<Finding> {
    let limit = if limit.of_equity {
        limit.clone().times(standing.positive_equity(part, limit.metric)?)
    } else {
        limit.clone()
    };
    let reading = measure(context, standing, limit.metric, part)?;
    let status = limit.status(reading.value);
    let inside = limit.allows(reading.value);
    let (money, what) =
        if inside { (Some(0.0), String::new()) } else { cure(context, standing, &limit, part, &reading)? };
    let floor = limit.metric.is_floor();
    let compared = match (inside, floor) {
        (true, false) => "at most",
        (false, false) => "above",
        (true, true) => "at least",
        (false, true) => "below",
    };
    let value = reading.value.map_or_else(|| "none".to_owned(), shown);
    let mut rule = format!(
        "{} of {} is {value} ({}), {compared} the limit {}",
        limit.metric.word(),
        part.name,
        reading.words,
        shown(limit.limit)
    );
    if let (Status::Suspended, Some(hard)) = (status, limit.hard) {
        rule = format!("{rule} and beyond the hard limit {}", shown(hard));
    }
    if !what.is_empty() {
        rule = format!("{rule}: {what}");
    }
    Ok(Finding { value: reading.value, status, money, rule, limit })
}

/// Money that brings a metric to its limit, and what to do with it.
fn cure(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
    reading: &Reading,
) -> Result<(Option<f64>, String)> {
    let bound = limit.limit;
    let value = reading.value.unwrap_or(0.0);
    Ok(match &reading.cure {
        Cure::Reduce => {
            let money = value - bound;
            (Some(money), format!("reduce it by {}", shown(money)))
        }
        Cure::Deposit => {
            let money = bound - value;
            (Some(money), format!("deposit {}", shown(money)))
        }
        Cure::OverEquity { notional, equity } => {
            let money = notional - bound * equity;
            let other = if bound > 0.0 {
                format!(", or deposit {}", shown(notional / bound - equity))
            } else {
                String::new()
            };
            (Some(money), format!("reduce {} of notional{other}", shown(money)))
        }
        Cure::Requirement { needed, equity } if bound > 0.0 => {
            let money = needed / bound - equity;
            (Some(money), format!("deposit {}", shown(money)))
        }
        Cure::Requirement { .. } => (None, "close everything".into()),
        Cure::Shares(parts) => match reduction(limit.metric, parts, bound) {
            Some(money) => {
                (Some(money), format!("reduce the largest underlying by {} of notional", shown(money)))
            }
            None => (None, "no reduction of the largest underlying alone brings it inside".into()),
        },
        Cure::PerUnit(scale) => {
            let money = (value - bound) * scale;
            (Some(money), format!("reduce {} of notional", shown(money)))
        }
        Cure::Search => match deposit(context, standing, limit, part)? {
            Some(money) => (Some(money), format!("deposit {}", shown(money))),
            None => (None, "no deposit up to 1000 times what the account needs brings it inside".into()),
        },
    })
}

/// How much of the largest part must go until its share, or the sum of squared shares, is a bound.
fn reduction(metric: Metric, parts: &[f64], bound: f64) -> Option<f64> {
    let total = crate::numeric::accumulate::sum(parts.iter().copied());
    if metric != Metric::Herfindahl {
        let own = *parts.first()?;
        let rest = total - own;
        // (own - x) / (total - x) = bound
        return (bound < 1.0 && rest > 0.0).then(|| (own - bound * total) / (1.0 - bound));
    }
    let largest = parts.iter().copied().fold(0.0, f64::max);
    let squares = crate::numeric::accumulate::sum(parts.iter().map(|own| own * own)) - largest * largest;
    let at = |cut: f64| (squares + (largest - cut) * (largest - cut)) / ((total - cut) * (total - cut));
    // falls until the largest is as large as the others are on the weighted mean, then rises
    let rest = total - largest;
    if rest <= 0.0 {
        return None;
    }
    let turn = (largest - squares / rest).max(0.0);
    if at(turn) > bound {
        return None;
    }
    let (mut low, mut high) = (0.0, turn);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if at(middle) > bound { low = middle } else { high = middle }
    }
    Some(high)
}

/// The deposit that brings a trigger or a probability to its limit, all pools of the part together.
fn deposit(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
) -> Result<Option<f64>> {
    let mut total = 0.0;
    for pool in &part.pools {
        let Some(view) = standing.views.get(*pool) else { continue };
        let needed = if limit.metric == Metric::LiquidationProbability {
            by_simulation(context, view, limit)?
        } else {
            Some(shortfall(context, view, limit)?)
        };
        match needed {
            Some(needed) => total += needed,
            None => return Ok(None),
        }
    }
    Ok(Some(total))
}

/// The largest amount that is missing anywhere between today's price of a coin and the bound, one coin at a time.
fn shortfall(context: &Context<'_>, view: &PoolView<'_>, limit: &Limit) -> Result<f64> {
    let book = context.book;
    let mut worst: f64 = 0.0;
    for coin in coins_of(book, view) {
        if book.underlyings.get(coin).is_some_and(|known| is_stable(&known.name)) {
            continue;
        }
        let (down, up) = if limit.metric == Metric::Nearest {
            ((1.0 - limit.limit).max(1e-9), 1.0 + limit.limit)
        } else {
            let sigma = book.underlyings.get(coin).and_then(|known| known.daily_volatility).unwrap_or(0.0);
            ((-limit.limit * sigma).exp(), (limit.limit * sigma).exp())
        };
        let path = Path::Alone(coin);
        for end in [down, up] {
            for step in 0..=STATES {
                let ratio = end.powf(step as f64 / STATES as f64);
                worst = worst.max(-excess(view, &path.state(book, ratio))?);
            }
        }
    }
    Ok(worst)
}

/// A deposit found by simulating again with the same random numbers.
fn by_simulation(context: &Context<'_>, view: &PoolView<'_>, limit: &Limit) -> Result<Option<f64>> {
    let inside = |money: f64| -> Result<bool> {
        let balances = with_cash(context.book, view, money)?;
        let richer = PoolView { balances: &balances, ..*view };
        Ok(limit.allows(Some(simulated(context, &richer)?.0.first_passage)))
    };
    if inside(0.0)? {
        return Ok(Some(0.0));
    }
    let today = evaluate(view, &MarketState::today(context.book))?;
    let scale = today.requirement.maintenance.abs().max(today.equity.maintenance.abs());
    let mut high = 0.01 * scale;
    while !inside(high)? {
        high *= 2.0;
        if high > 1000.0 * scale {
            return Ok(None);
        }
    }
    let mut low = 0.0;
    while high - low > CLOSE * high {
        let middle = f64::midpoint(low, high);
        if inside(middle)? { high = middle } else { low = middle }
    }
    Ok(Some(high))
}

/// A pool's balances with money of the reporting currency added.
///
/// # Errors
///
/// [`Error::Missing`] where the book does not know the currency.
pub fn with_cash(book: &Book, view: &PoolView<'_>, money: f64) -> Result<Vec<Balance>> {
    let code = &view.rulebook()?.report_currency;
    let place =
        book.currencies.iter().position(|known| known.code == *code).ok_or_else(|| Error::Missing {
            what: code.clone(),
            why: "the book has no such currency".into(),
            place: Place::default(),
        })?;
    Ok(with_cash_in(view, place, money))
}

/// A pool's balances with an amount of a currency added, by the currency's index.
pub fn with_cash_in(view: &PoolView<'_>, currency: usize, amount: f64) -> Vec<Balance> {
    let mut balances = view.balances.to_vec();
    match balances.iter_mut().find(|balance| balance.currency == currency) {
        _ if amount == 0.0 => {}
        Some(balance) => balance.cash += amount,
        None => balances.push(Balance {
            currency,
            cash: amount,
            settles: true,
            from_equity: false,
            debt: 0.0,
            rates: Vec::new(),
            initial_rate: None,
            cap: None,
            enabled: true,
            in_scan: None,
            confidence: None,
            reported: ReportedAccount::default(),
            row: None,
        }),
    }
    balances
}

/// Whether a limit holds at an as-of: not before the day it is effective, not after that on which it expires.
///
/// # Errors
///
/// The sentence that says why it does not hold.
pub fn holds_at(row: &LimitRow, as_of: &str) -> std::result::Result<(), String> {
    let Some(today) = instant(as_of).map(day) else { return Ok(()) };
    // days as `YYYY-MM-DD` are ordered as texts
    if let Some(effective) = row.effective.as_ref().filter(|own| **own > today) {
        return Err(format!("not yet effective: it holds from {effective}, the book is of {today}"));
    }
    if let Some(expires) = row.expires.as_ref().filter(|own| **own < today) {
        return Err(format!("expired: it held until {expires}, the book is of {today}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(metric: &str, warn: Option<f64>, bound: f64, hard: Option<f64>) -> Result<Limit> {
        Limit::of(&LimitRow {
            row: Some(3),
            id: "L2".into(),
            metric: metric.into(),
            warn,
            limit: Some(bound),
            hard,
            ..LimitRow::default()
        })
    }

    #[test]
    fn bands_are_shares_of_the_limit_unless_a_warning_is_given() {
        let own = limit("leverage", None, 4.0, Some(6.0)).unwrap();
        let at = |value: f64| own.status(Some(value)).word();
        assert_eq!(
            [0.0, 1.9, 2.0, 2.8, 4.0, 4.1, 6.1].map(at),
            ["ok", "ok", "watch", "call", "call", "restricted", "suspended"]
        );
        let warned = limit("leverage", Some(3.5), 4.0, None).unwrap();
        assert_eq!([3.4, 3.5].map(|value| warned.status(Some(value)).word()), ["ok", "call"]);
        let early = limit("leverage", Some(1.0), 4.0, None).unwrap();
        assert_eq!([1.0, 2.8].map(|value| early.status(Some(value)).word()), ["watch", "call"]);
    }

    #[test]
    fn of_a_floor_less_is_worse() {
        let own = limit("nearest", None, 0.15, Some(0.05)).unwrap();
        let at = |value: f64| own.status(Some(value)).word();
        assert_eq!(
            [0.4, 0.25, 0.2, 0.15, 0.14, 0.04].map(at),
            ["ok", "watch", "call", "call", "restricted", "suspended"]
        );
        assert_eq!(own.status(None), Status::Ok);
        assert_eq!(own.used(Some(0.3)), Some(0.5));
        assert_eq!(own.used(Some(-1.0)), None);
    }

    #[test]
    fn numbers_in_the_wrong_order_are_refused_with_their_row() {
        let why = |found: Result<Limit>| found.unwrap_err().to_string();
        assert_eq!(
            why(limit("leverage", Some(5.0), 4.0, None)),
            "warn must be at or below the limit, was 5 (row 3, L2)"
        );
        assert_eq!(
            why(limit("excess", None, 100.0, Some(200.0))),
            "hard must be at or below the limit, which is the least allowed, was 200 (row 3, L2)"
        );
        assert_eq!(
            why(limit("es", None, -5.0, None)),
            "limit must be finite and at least 0, was -5 (row 3, L2)"
        );
        assert_eq!(
            why(limit("liqprob", None, 1.0, None)),
            "limit must be a probability above 0 and below 1, was 1 (row 3, L2)"
        );
    }

    #[test]
    fn a_reduction_brings_shares_to_the_bound() {
        let parts = [600.0, 250.0, 150.0];
        let cut = reduction(Metric::Concentration, &[600.0, 400.0], 0.5).unwrap();
        assert!(((600.0 - cut) / (1000.0 - cut) - 0.5).abs() < 1e-12);
        let cut = reduction(Metric::Herfindahl, &parts, 0.4).unwrap();
        let left = [600.0 - cut, 250.0, 150.0];
        let whole: f64 = left.iter().sum();
        let index: f64 = left.iter().map(|own| (own / whole) * (own / whole)).sum();
        assert!((index - 0.4).abs() < 1e-12, "{index}");
        assert_eq!(reduction(Metric::Herfindahl, &parts, 0.2), None);
    }

    #[test]
    fn a_limit_holds_from_its_first_to_its_last_day() {
        let row = LimitRow {
            effective: Some("2026-01-10".into()),
            expires: Some("2026-01-31".into()),
            ..LimitRow::default()
        };
        assert_eq!(holds_at(&row, "2026-01-31T23:00:00Z"), Ok(()));
        assert!(holds_at(&row, "2026-02-01").unwrap_err().starts_with("expired: it held until 2026-01-31"));
        assert!(holds_at(&row, "2026-01-09").unwrap_err().starts_with("not yet effective"));
        assert_eq!(holds_at(&row, "none"), Ok(()));
    }
}
