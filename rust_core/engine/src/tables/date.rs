//! Expiries as venues write them, as `YYYY-MM-DD`.

const SECONDS_OF_A_DAY: f64 = 86_400.0;
const EIGHT_IN_THE_MORNING: f64 = 28_800.0;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// `260327`, or `20260327`.
pub(super) fn compact(text: &str) -> Option<String> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match text.len() {
        6 => (2000 + text.get(..2)?.parse::<i64>().ok()?, text.get(2..)?),
        8 => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    written(year, rest.get(..2)?.parse().ok()?, rest.get(2..)?.parse().ok()?)
}

/// `27MAR26`, `7MAR26`.
pub(super) fn named(text: &str) -> Option<String> {
    let start = text.find(|c: char| !c.is_ascii_digit())?;
    let (day, rest) = text.split_at_checked(start)?;
    let month = MONTHS.iter().position(|month| Some(*month) == rest.get(..3))? + 1;
    let year = rest.get(3..).filter(|y| y.len() == 2)?;
    written(2000 + year.parse::<i64>().ok()?, i64::try_from(month).ok()?, day.parse().ok()?)
}

/// `H26`: the last Friday of the quarter's month.
pub(super) fn quarter(code: &str) -> Option<String> {
    let (letter, year) = code.split_at_checked(1)?;
    let month = match letter {
        "H" => 3,
        "M" => 6,
        "U" => 9,
        "Z" => 12,
        _ => return None,
    };
    let year = 2000 + year.parse::<i64>().ok()?;
    let last = days(year, month, days_of(year, month));
    // Day 0 of the calendar is Thursday 1970-01-01.
    let friday = last - (last + 4 - 5).rem_euclid(7);
    Some(from_days(friday))
}

/// What a date column holds: `2026-03-27`, with or without a time, a spreadsheet's day number, or a time in
/// milliseconds, or any form that a symbol may have; the day in UTC.
#[cfg(test)]
pub(super) fn any(text: &str) -> Option<String> {
    moment(text).map(|(date, _)| date)
}

/// A day, and the instant of it in seconds since 1970 where the text has a time of day. Midnight is none, since
/// that is how programs write a day, and neither is 08:00 UTC, the time at which a day's contracts expire.
pub(super) fn moment(text: &str) -> Option<(String, Option<i64>)> {
    let seconds = instant(text)?.floor();
    let day = (seconds / SECONDS_OF_A_DAY).floor();
    let of_day = seconds - day * SECONDS_OF_A_DAY;
    let timed = of_day > 0.0 && of_day.total_cmp(&EIGHT_IN_THE_MORNING).is_ne();
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds below 10^15")]
    let (day, seconds) = (day as i64, seconds as i64);
    Some((from_days(day), timed.then_some(seconds)))
}

/// The instant at which contracts of a day expire, seconds since 1970: 08:00 UTC.
pub(crate) fn expiry_of_day(date: &str) -> Option<f64> {
    iso_day(date).map(|midnight| midnight + EIGHT_IN_THE_MORNING)
}

/// A time as people and programs write it, in seconds since 1970; a day alone is its midnight, a time without
/// a zone is in UTC.
pub(crate) fn instant(text: &str) -> Option<f64> {
    let text = text.trim();
    let symbol_form = || compact(text).or_else(|| named(&text.to_uppercase().replace([' ', '-'], "")));
    if let Some(date) = symbol_form() {
        return iso_day(&date);
    }
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let midnight = iso_day(date)?;
    if time.trim().is_empty() { Some(midnight) } else { Some(midnight + time_of_day(time.trim())?) }
}

/// `2026-03-27` or `2026/03/27`; 03/04/26 is two dates and none here.
fn iso_day(date: &str) -> Option<f64> {
    let mut parts = date.split(['-', '/']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    written(year, month, day)?;
    #[expect(clippy::cast_precision_loss, reason = "a whole number of days below 10^7")]
    Some(days(year, month, day) as f64 * SECONDS_OF_A_DAY)
}

/// `08:00`, `08:00:00.5Z`, `10:00+02:00`: seconds since midnight UTC of the day that was written.
fn time_of_day(text: &str) -> Option<f64> {
    let upper = text.to_uppercase();
    let plain = upper.trim_end_matches("UTC").trim_end_matches("GMT").trim_end_matches('Z').trim_end();
    let (clock, zone) = match plain.rfind(['+', '-']) {
        Some(place) => plain.split_at_checked(place)?,
        None => (plain, ""),
    };
    let zone_seconds = match zone.split_at_checked(1) {
        None => 0.0,
        Some((sign, offset)) => {
            let digits = offset.replace(':', "");
            let padded = if digits.len() == 2 { format!("{digits}00") } else { digits };
            let (hours, minutes) = padded.split_at_checked(2).filter(|(_, rest)| rest.len() == 2)?;
            let seconds = bounded(hours, 15.0)? * 3_600.0 + bounded(minutes, 60.0)? * 60.0;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    let mut parts = clock.trim().split(':');
    let hours = bounded(parts.next()?, 24.0)?;
    let minutes = bounded(parts.next()?, 60.0)?;
    let seconds = parts.next().map_or(Some(0.0), |seconds| bounded(seconds, 61.0))?;
    parts.next().is_none().then_some(hours * 3_600.0 + minutes * 60.0 + seconds - zone_seconds)
}

fn bounded(text: &str, below: f64) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<f64>().ok().filter(|number| plain && *number < below)
}

/// A spreadsheet's day number, or seconds, milliseconds or microseconds since 1970.
fn from_number(number: f64) -> Option<f64> {
    const DAYS_FROM_1899_12_30_TO_1970: f64 = 25_569.0;
    if (30_000.0..100_000.0).contains(&number) {
        // a spreadsheet's times are fractions of a day, exact to about a microsecond
        Some(((number - DAYS_FROM_1899_12_30_TO_1970) * SECONDS_OF_A_DAY * 1e3).round() / 1e3)
    } else if (1e9..1e11).contains(&number) {
        Some(number)
    } else if (1e11..1e14).contains(&number) {
        Some(number / 1e3)
    } else if (1e14..1e17).contains(&number) {
        Some(number / 1e6)
    } else {
        None
    }
}

fn written(year: i64, month: i64, day: i64) -> Option<String> {
    ((1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day))
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The day of an instant, `YYYY-MM-DD` in UTC.
pub(crate) fn day(instant: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole days of an instant that a cell can hold")]
    from_days((instant / SECONDS_OF_A_DAY).floor() as i64)
}

fn from_days(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_expiry_is_the_same_day() {
        for text in
            ["260327", "20260327", "27MAR26", "2026-03-27", "2026-03-27T08:00:00Z", "46108", "1774598400000"]
        {
            assert_eq!(any(text).as_deref(), Some("2026-03-27"), "{text}");
        }
        assert_eq!(quarter("H26").as_deref(), Some("2026-03-27"));
        assert_eq!(quarter("Z25").as_deref(), Some("2025-12-26"));
        assert_eq!(named("7MAR26").as_deref(), Some("2026-03-07"));
    }

    #[test]
    fn a_time_of_day_is_an_instant_and_eight_in_the_morning_is_the_day() {
        for text in ["2026-03-27", "2026-03-27T00:00:00", "2026-03-27 08:00 UTC", "2026-03-27T10:00:00+02:00"]
        {
            assert_eq!(moment(text), Some(("2026-03-27".into(), None)), "{text}");
        }
        for text in ["2026-03-27T16:00:00Z", "2026-03-28T00:00:00+08", "1774627200000", "1774627200000000"] {
            assert_eq!(moment(text), Some(("2026-03-27".into(), Some(1_774_627_200))), "{text}");
        }
        assert_eq!(instant("2026-01-10T09:14:09.5Z"), Some(1_768_036_449.5));
        assert_eq!(instant("46032.5"), instant("2026-01-10T12:00"));
        assert_eq!(expiry_of_day("2026-03-27"), Some(1_774_598_400.0));
        for text in ["end of day", "2026-01-10T25:00", "2026-01-10 noon", "17", ""] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn an_ambiguous_or_impossible_date_is_none() {
        for text in ["03/04/26", "260230", "31FEB26", "soon", "17"] {
            assert_eq!(any(text), None, "{text}");
        }
    }
}
