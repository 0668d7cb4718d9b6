//! The safe set as a table: every range of a price, and whether the account is safe in it.

use super::price::{Found, Question, found};
use super::{Answer, Value};
use crate::book::Book;
use crate::error::Result;
use crate::liquidation::price::{price_of, sigmas};
use crate::liquidation::sweep::Target;
use crate::liquidation::zones::zones;

/// The header of `CM_LIQZONES`.
pub const HEADER: [&str; 13] = [
    "underlying",
    "mark",
    "zone",
    "from",
    "from_pct",
    "to",
    "to_pct",
    "sigmas",
    "begins",
    "ends",
    "path",
    "search",
    "scope",
];

/// One row per zone, from the lowest price up.
///
/// `sigmas` is the distance in one-day sigmas from today to the nearest price of the zone, zero for the zone that
/// holds today's price. A zone without an upper limit ends at the text `no limit`.
///
/// # Errors
///
/// As [`found`].
pub fn table(book: &Book, underlying: Option<&str>, question: &Question) -> Result<Answer> {
    let breached = match question.target {
        Target::Trigger => "liquidatable",
        Target::Bankruptcy => "bankrupt",
    };
    let mut answer = Answer::new(&HEADER);
    for Found { pool, coin, crossings, .. } in found(book, underlying, question)? {
        let mark = price_of(book, coin)?;
        let name = book.underlyings.get(coin).map_or("", |known| known.name.as_str());
        let scope = book.pools.get(pool).map_or_else(String::new, |pool| book.pool_name(pool));
        for zone in zones(&crossings) {
            let (from, to) = (zone.from.0, zone.to.0);
            let nearest = if from > 1.0 {
                Some(from)
            } else if to < 1.0 {
                Some(to)
            } else {
                None
            };
            let bounded = |ratio: f64, figure: f64| {
                if ratio.is_finite() { figure.into() } else { Value::from("no limit") }
            };
            answer.rows.push(vec![
                name.into(),
                mark.into(),
                if zone.breached { breached } else { "safe" }.into(),
                (mark * from).into(),
                (from - 1.0).into(),
                bounded(to, mark * to),
                bounded(to, to - 1.0),
                nearest.map_or(Value::Number(0.0), |ratio| sigmas(book, coin, ratio).into()),
                zone.from.1.word().into(),
                zone.to.1.word().into(),
                question.path.word().into(),
                crossings.search.word().into(),
                scope.as_str().into(),
            ]);
        }
    }
    Ok(answer)
}
