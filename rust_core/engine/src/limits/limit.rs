//! One limit: its bounds, on which side they lie, and what a value means.

use super::metric::Metric;
use crate::error::{Error, Place, Result};
use crate::tables::{LimitRow, day, instant};

/// Shares of the limit from which somebody should look and act, where the row gives no `warn` (decisions.md 18).
pub const WATCH: f64 = 0.5;
/// The second of them.
pub const CALL: f64 = 0.7;
/// A value that is beyond a bound by no more than this share of it is on it: sums of floats are no better.
const ROUNDING: f64 = 1e-12;

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
