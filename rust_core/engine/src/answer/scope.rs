//! What a scope names: pools of accounts, or the positions of a coin or a symbol.

use crate::book::{Book, PoolKind};
use crate::error::{Error, Result};

/// A scope, resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// Whole pools, by index.
    Pools(Vec<usize>),
    /// Single positions: (pool, position within the pool).
    Positions(Vec<(usize, usize)>),
}

/// Resolves `all`, an account, a pool (`account/USDT`), a settlement currency, a coin or a symbol.
///
/// # Errors
///
/// [`Error::Unknown`] names what the book has.
pub fn resolve(book: &Book, text: &str) -> Result<Scope> {
    let wanted = text.trim();
    if wanted.is_empty() || wanted.eq_ignore_ascii_case("all") {
        return Ok(Scope::Pools((0..book.pools.len()).collect()));
    }
    let pools = |keep: &dyn Fn(usize) -> bool| -> Option<Scope> {
        let found: Vec<usize> = (0..book.pools.len()).filter(|index| keep(*index)).collect();
        (!found.is_empty()).then_some(Scope::Pools(found))
    };
    let same = |a: &str| a.eq_ignore_ascii_case(wanted);
    let by_account = pools(&|index| {
        let pool = book.pools.get(index);
        pool.and_then(|pool| book.accounts.get(pool.account)).is_some_and(|account| same(&account.name))
    });
    let by_pool = || pools(&|index| book.pools.get(index).is_some_and(|pool| same(&book.pool_name(pool))));
    let by_settle = || {
        pools(&|index| match book.pools.get(index).map(|pool| pool.kind) {
            Some(PoolKind::Cross(Some(currency))) => {
                book.currencies.get(currency).is_some_and(|currency| same(&currency.code))
            }
            _ => false,
        })
    };
    let by_position = || {
        let mut found = Vec::new();
        for (index, pool) in book.pools.iter().enumerate() {
            for (place, position) in book.positions_of(pool).iter().enumerate() {
                let Some(instrument) = book.instruments.get(position.instrument) else { continue };
                if same(&instrument.symbol) || same(&instrument.underlying) {
                    found.push((index, place));
                }
            }
        }
        (!found.is_empty()).then_some(Scope::Positions(found))
    };
    by_account.or_else(by_pool).or_else(by_settle).or_else(by_position).ok_or_else(|| {
        let mut known: Vec<&str> =
            book.accounts.iter().map(|account| account.name.as_str()).take(10).collect();
        known.extend(book.underlyings.iter().map(|underlying| underlying.name.as_str()).take(10));
        Error::Unknown {
            what: "scope",
            value: wanted.to_owned(),
            known: format!("all, {}, ... (accounts, coins, symbols)", known.join(", ")),
        }
    })
}

/// The report currency shared by pools.
///
/// # Errors
///
/// [`Error::NotCovered`] where accounts report in different currencies: they are never added up.
pub fn report_currency<'a>(book: &'a Book, pools: &[usize]) -> Result<&'a str> {
    let mut shared: Option<&str> = None;
    for pool in pools.iter().filter_map(|index| book.pools.get(*index)) {
        let Some(rulebook) = book.rulebook_of(pool.account) else { continue };
        match shared {
            None => shared = Some(&rulebook.report_currency),
            Some(currency) if currency == rulebook.report_currency => {}
            Some(currency) => {
                return Err(Error::NotCovered {
                    what: "a total over accounts".into(),
                    why: format!(
                        "the accounts report in {currency} and {}; ask per account",
                        rulebook.report_currency
                    ),
                    place: crate::error::Place::default(),
                });
            }
        }
    }
    Ok(shared.unwrap_or(""))
}
