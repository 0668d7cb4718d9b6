//! How long contracts have left: the as-of, the instants at which they expire, the years between.

use super::build::Options;
use super::collect::Collected;
use crate::instrument::{ContractKind, Instrument};
use crate::tables::{expiry_of_day, instant};

/// Seconds of a year of 365 days.
const SECONDS_PER_YEAR: f64 = 31_536_000.0;

/// A time as given, and in seconds since 1970 where it can be read.
pub(super) type AsOf = (String, Option<f64>);

/// The as-of of a book: as given, else the latest timestamp of positions and market.
pub(super) fn as_of(options: &Options, collected: &Collected) -> Option<AsOf> {
    let read = |text: &String| (text.clone(), instant(text));
    if let Some(given) = &options.as_of {
        return Some(read(given));
    }
    let stamps = [&collected.positions.timestamp, &collected.market.timestamp];
    let latest = |a: AsOf, b: AsOf| if b.1 > a.1 { b } else { a };
    stamps.into_iter().flatten().map(read).reduce(latest)
}

/// Seconds since 1970 at which a contract expires.
pub(super) fn expiry_seconds(instrument: &Instrument) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "seconds below 2^53")]
    let instant = instrument.expiry_instant.map(|seconds| seconds as f64);
    instant.or_else(|| instrument.expiry.as_deref().and_then(expiry_of_day))
}

/// Years that a contract other than an option has left, by the seconds given, else by its date; `None` where a
/// dated one cannot tell.
pub(super) fn years_of_future(
    instrument: &Instrument,
    as_of: Option<f64>,
    seconds: Option<f64>,
) -> Option<f64> {
    if instrument.kind != ContractKind::Future {
        return Some(0.0);
    }
    let left = || Some(expiry_seconds(instrument)? - as_of?);
    Some(seconds.or_else(left)? / SECONDS_PER_YEAR)
}

/// Why an option has no time to expiry: code, rule, fix.
pub(super) type NoTime = (&'static str, String, &'static str);

/// Years that an option has left.
pub(super) fn years(
    as_of: Option<&AsOf>,
    instrument: &Instrument,
    seconds: Option<f64>,
) -> Result<f64, NoTime> {
    const EXPIRED: &str = "leave expired options out";
    if let Some(seconds) = seconds {
        if seconds < 0.0 {
            return Err(("expired", format!("it expired {} seconds before the as-of", -seconds), EXPIRED));
        }
        return Ok(seconds / SECONDS_PER_YEAR);
    }
    let Some((text, Some(now))) = as_of else {
        let why = match as_of {
            Some((text, _)) => format!("the as-of '{text}' is not a time that can be read"),
            None => "no as-of is given".to_owned(),
        };
        return Err((
            "as_of_missing",
            format!("{why}, and without one nobody knows how long an option has left"),
            "give as_of (such as 2026-01-13T12:00:00Z), a timestamp, or secondsToExpiry",
        ));
    };
    let day = instrument.expiry.as_deref().unwrap_or("its expiry");
    match expiry_seconds(instrument).map(|expiry| expiry - now) {
        Some(left) if left > 0.0 => Ok(left / SECONDS_PER_YEAR),
        Some(_) => Err(("expired", format!("it expired on {day}, the as-of is {text}"), EXPIRED)),
        None => Err((
            "option_incomplete",
            "neither an expiry nor secondsToExpiry is given".into(),
            "fill the column expiry",
        )),
    }
}
