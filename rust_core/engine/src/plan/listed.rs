//! Contracts that the market table lists beside those that are held.

use super::Origin;
use crate::book::Book;
use crate::tables::{BalanceTotal, Defaults, is_option_symbol, read_market};

/// Most contracts that are taken from a market table without being named.
const MOST: usize = 200;

/// Symbols of the market table, options left out: of those whoever wants them names them.
pub fn listed(book: &Book, origin: Option<Origin<'_>>) -> Vec<String> {
    let Some(market) = origin.and_then(|own| own.input.market) else { return Vec::new() };
    let settle = book.rulebooks.first().map_or_else(String::new, |rules| rules.settle.clone());
    let rows = read_market(market, &Defaults { settle, balance_total: BalanceTotal::Cash }).rows;
    let mut symbols: Vec<String> = Vec::new();
    for symbol in rows.into_iter().filter_map(|row| row.symbol) {
        let option = is_option_symbol(&symbol);
        if !option && !symbols.contains(&symbol) && symbols.len() < MOST {
            symbols.push(symbol);
        }
    }
    symbols
}
