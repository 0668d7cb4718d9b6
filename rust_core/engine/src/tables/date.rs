//! Expiries as venues write them, as `YYYY-MM-DD`.

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
/// milliseconds, or any form that a symbol may have.
pub(super) fn any(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(date) = compact(text).or_else(|| named(&text.to_uppercase().replace([' ', '-'], ""))) {
        return Some(date);
    }
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    let (date, _) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = date.split(['-', '/']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some() {
        return None; // 03/04/26 is two dates
    }
    written(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn from_number(number: f64) -> Option<String> {
    const DAYS_FROM_1899_12_30_TO_1970: f64 = 25_569.0;
    let days = if (30_000.0..100_000.0).contains(&number) {
        number.floor() - DAYS_FROM_1899_12_30_TO_1970
    } else if (1e9..1e11).contains(&number) {
        (number / 86_400.0).floor()
    } else if (1e11..1e14).contains(&number) {
        (number / 86_400_000.0).floor()
    } else {
        return None;
    };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of days below 10^9")]
    Some(from_days(days as i64))
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
    fn an_ambiguous_or_impossible_date_is_none() {
        for text in ["03/04/26", "260230", "31FEB26", "soon", "17"] {
            assert_eq!(any(text), None, "{text}");
        }
    }
}
