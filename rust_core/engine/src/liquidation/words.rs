//! Figures and warnings in sentences.

use super::order::Snapshot;
use super::price::shown;

/// Below this share of the figures a change is rounding.
const ROUNDING: f64 = 1e-9;

/// A price or a quantity with about seven significant digits and commas between thousands.
pub fn figure(value: f64) -> String {
    grouped(&shown(value))
}

/// Money: whole from a thousand on, else to the cent.
pub fn money(value: f64) -> String {
    // rounded first, so that 999.9999 is a thousand too
    grouped(&if (100.0 * value.abs()).round() < 100_000.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    })
}

/// Two parts of a reason, either of which may be empty.
pub(super) fn joined(first: &str, second: &str) -> String {
    if first.is_empty() { second.to_owned() } else { format!("{first}; {second}") }
}

fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, rest) = digits.split_once('.').map_or((digits, String::new()), |(a, b)| (a, format!(".{b}")));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut made = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            made.push(',');
        }
        made.push(digit);
    }
    format!("{sign}{made}{rest}")
}

/// Whether a step has left the account with more above its requirement than before.
pub(super) fn helps(before: f64, after: f64, scale: f64) -> bool {
    after - before > ROUNDING * scale.abs()
}

/// What a step has made worse, if anything: the requirement, or the money above it.
pub(super) fn trap(action: &str, before: &Snapshot, after: &Snapshot, cost: f64) -> Option<String> {
    let scale = before.maintenance.abs().max(before.equity.maintenance.abs());
    let raised = helps(before.maintenance, after.maintenance, scale);
    let fell = helps(after.excess, before.excess, scale);
    let margins = format!("from {} to {}", money(before.maintenance), money(after.maintenance));
    let excess = format!("the excess fell from {} to {}", money(before.excess), money(after.excess));
    let freed = before.maintenance - after.maintenance;
    match (raised, fell) {
        (false, false) => None,
        (true, false) => Some(format!("{action} raised the maintenance margin {margins}")),
        (true, true) => Some(format!("{action} raised the maintenance margin {margins}, {excess}")),
        (false, true) if cost > 0.0 => Some(format!(
            "toxic: it cost {} and freed {} of maintenance margin, {excess}",
            money(cost),
            money(freed)
        )),
        (false, true) => Some(excess),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::Equity;

    fn snapshot(equity: f64, maintenance: f64) -> Snapshot {
        let equity = Equity { gross: equity, maintenance: equity, initial: equity };
        let excess = equity.maintenance - maintenance;
        Snapshot { equity, initial: None, maintenance, usage: None, excess }
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!((figure(81_450.0).as_str(), figure(0.5).as_str()), ("81,450", "0.5"));
        assert_eq!((figure(-1_234_567.0).as_str(), figure(1234.5).as_str()), ("-1,234,567", "1,234.5"));
        assert_eq!((money(172_000.4).as_str(), money(-999.5).as_str()), ("172,000", "-999.50"));
        assert_eq!(figure(f64::INFINITY), "inf");
    }

    #[test]
    fn a_hedge_that_was_closed_and_a_cost_above_the_relief_are_named() {
        let hedge = trap("closing a hedge", &snapshot(80e3, 82e3), &snapshot(80e3, 172e3), 0.0).unwrap();
        assert!(hedge.starts_with("closing a hedge raised the maintenance margin from 82,000 to 172,000"));
        let toxic = trap("closing", &snapshot(900.0, 1_000.0), &snapshot(700.0, 900.0), 200.0).unwrap();
        assert_eq!(
            toxic,
            "toxic: it cost 200.00 and freed 100.00 of maintenance margin, the excess fell from -100.00 to -200.00"
        );
        assert_eq!(trap("closing", &snapshot(900.0, 1_000.0), &snapshot(900.0, 900.0), 0.0), None);
    }
}
