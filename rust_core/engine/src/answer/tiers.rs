//! Maintenance brackets in use: where each position stands, and what comes next.

use super::evaluated::Evaluated;
use super::{Answer, Value};
use crate::book::{Book, TableOrigin};
use crate::error::Result;

/// The header of `CM_TIERS`.
pub const HEADER: [&str; 10] =
    ["symbol", "notional", "tier", "next_at", "room_pct", "mm_now", "mm_after", "jump", "kind", "account"];

/// One row per position: bracket today, the notional at which the next one starts, and the maintenance
/// margin once the notional has grown by `horizon`. Money in the settlement currency.
///
/// # Errors
///
/// The refusal that evaluating a pool met.
pub fn tiers(book: &Book, evaluated: &Evaluated, horizon: f64) -> Result<Answer> {
    crate::error::check_positive("horizon", horizon, crate::error::Place::default)?;
    let mut answer = Answer::new(&HEADER);
    for (index, pool) in book.pools.iter().enumerate() {
        let state = evaluated.pool(index)?;
        for (position, margin) in book.positions_of(pool).iter().zip(&state.requirement.by_position) {
            let Some(table) = book.tables.get(position.table) else { continue };
            if position.origin == TableOrigin::None {
                continue;
            }
            let notional = crate::market::notional(book, position, 1.0);
            let bracket = table.bracket_index(notional);
            let next = table.brackets.get(bracket + 1).map(|bracket| bracket.floor);
            let now =
                if margin.notional > 0.0 { margin.maintenance * notional / margin.notional } else { 0.0 };
            let after = now + table.maintenance_margin(notional * (1.0 + horizon))
                - table.maintenance_margin(notional);
            answer.rows.push(vec![
                book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str()).into(),
                notional.into(),
                (bracket + 1).into(),
                next.into(),
                next.map(|next| next / notional - 1.0).into(),
                now.into(),
                after.into(),
                (after - now).into(),
                Value::Text(format!(
                    "{} of {}, {} ({})",
                    if next.is_some() { "tier" } else { "last tier" },
                    table.brackets.len(),
                    position.origin.words(),
                    table.name
                )),
                book.accounts.get(position.account).map_or("", |account| account.name.as_str()).into(),
            ]);
        }
    }
    Ok(answer)
}
