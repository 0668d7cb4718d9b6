//! Risk contributions as a table, with the orders that the definitions give side by side.

use super::{Answer, Value};
use crate::book::Book;
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::contributions::{Contribution, contributions};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;

/// The header.
pub const HEADER: [&str; 13] = [
    "symbol",
    "account",
    "quantity",
    "notional",
    "standalone",
    "component",
    "marginal",
    "incremental",
    "share",
    "rank_component",
    "rank_marginal",
    "rank_incremental",
    "rank_notional",
];

/// Contributions of every position to its pool's maintenance measure; the components of all rows sum
/// to the total.
///
/// # Errors
///
/// As [`crate::margin::evaluate`].
pub fn table(book: &Book) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    super::scope::report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let today = MarketState::today(book);
    let mut rows: Vec<(usize, Contribution)> = Vec::new();
    let mut totals = Vec::new();
    for pool in &book.pools {
        let (parts, total) = contributions(&PoolView::of(book, pool), &today)?;
        totals.push(total);
        rows.extend(parts.into_iter().enumerate().map(|(place, part)| (pool.positions.start + place, part)));
    }
    let ranks = |of: &dyn Fn(&Contribution) -> f64| -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let score = |index: usize| rows.get(index).map_or(0.0, |(_, part)| of(part));
        order.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(a.cmp(b)));
        let mut ranks = vec![0; rows.len()];
        for (place, index) in order.into_iter().enumerate() {
            if let Some(rank) = ranks.get_mut(index) {
                *rank = place + 1;
            }
        }
        ranks
    };
    let by = [
        ranks(&|part| part.component),
        ranks(&|part| part.marginal),
        ranks(&|part| part.incremental),
        ranks(&|part| part.notional),
    ];
    let whole = sum(totals);
    let mut answer = Answer::new(&HEADER);
    for (place, (index, part)) in rows.iter().enumerate() {
        let Some(position) = book.positions.get(*index) else { continue };
        let rank = |list: &[usize]| list.get(place).copied().unwrap_or(0).into();
        answer.rows.push(vec![
            book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str()).into(),
            book.accounts.get(position.account).map_or("", |account| account.name.as_str()).into(),
            position.quantity.into(),
            part.notional.into(),
            part.standalone.into(),
            part.component.into(),
            part.marginal.into(),
            part.incremental.into(),
            (whole > 0.0).then(|| part.component / whole).into(),
            rank(&by[0]),
            rank(&by[1]),
            rank(&by[2]),
            rank(&by[3]),
        ]);
    }
    let mut total = vec![Value::Missing; HEADER.len()];
    let cells: [(usize, Value); 5] = [
        (0, "TOTAL".into()),
        (1, "".into()),
        (3, sum(rows.iter().map(|(_, part)| part.notional)).into()),
        (4, sum(rows.iter().map(|(_, part)| part.standalone)).into()),
        (5, whole.into()),
    ];
    for (slot, value) in cells {
        if let Some(cell) = total.get_mut(slot) {
            *cell = value;
        }
    }
    answer.rows.push(total);
    Ok(answer)
}
