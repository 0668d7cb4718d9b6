//! A position that is tried out beside those pasted: another row, read by the same rules.

use super::collect::Collected;
use crate::cell::Table;
use crate::instrument::ContractKind;
use crate::tables::{Defaults, read_positions};

/// Adds the rows of a table of positions. Their accounts are those of the book; a contract without a mark of its
/// own, that is no option and has no expiry, has the price that the market table gives its coin.
pub(super) fn add(collected: &mut Collected, table: &Table, defaults: &Defaults) {
    let read = read_positions(table, defaults);
    collected.findings.extend(read.findings);
    for mut row in read.rows {
        let Some(instrument) = usize::try_from(row.instrument).ok().and_then(|own| read.instruments.get(own))
        else {
            continue;
        };
        let scale = read.scales.get(row.instrument as usize).copied();
        let positions = &mut collected.positions;
        let place = positions.instruments.iter().position(|known| known == instrument).unwrap_or_else(|| {
            positions.instruments.push(instrument.clone());
            positions.scales.extend(scale);
            positions.instruments.len() - 1
        });
        row.instrument = u32::try_from(place).unwrap_or(u32::MAX);
        row.account = row.account.and_then(|own| read.accounts.get(own as usize)).map(|name| {
            let known = positions.accounts.iter().position(|own| own == name);
            let place = known.unwrap_or_else(|| {
                positions.accounts.push(name.clone());
                positions.accounts.len() - 1
            });
            u32::try_from(place).unwrap_or(u32::MAX)
        });
        row.strategy = None;
        if row.mark_price.is_none() && instrument.kind != ContractKind::Option && instrument.expiry.is_none()
        {
            let rows = &collected.market.rows;
            let own = |name: &Option<String>, wanted: &str| {
                name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            };
            let listed = rows.iter().any(|m| own(&m.symbol, &instrument.symbol) && m.mark_price.is_some());
            if !listed {
                let coin = rows.iter().filter(|m| {
                    m.symbol.is_none() && m.expiry.is_none() && own(&m.underlying, &instrument.underlying)
                });
                row.mark_price = coin.filter_map(|m| m.mark_price.or(m.index_price)).next();
            }
        }
        collected.positions.rows.push(row);
    }
}
