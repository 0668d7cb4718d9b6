//! What standard trades would change, contract by contract: `CM_IMPACT`.

use std::borrow::Cow;

use super::evaluated::check_complete;
use super::whatif::{nearest_of, pool_name};
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::plan::impact::{Contract, impacts, of_state, usual};
use crate::plan::listed::listed;
use crate::plan::{Account, Figure, Origin, Stage, Wanted};
use crate::size::account_of;

/// Changes of a figure for contracts and sizes; below zero frees margin.
///
/// Without names the contracts are the perpetuals of coins held, also those that the market table lists, else what is
/// held. The header is `symbol, account` and the sizes.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; [`Error::OutOfRange`] for a size; [`Error::Missing`] for a contract that cannot be
/// priced; as [`crate::margin::evaluate`].
pub fn impact(
    book: &Book,
    origin: Option<Origin<'_>>,
    symbols: &[String],
    sizes: &[f64],
    measure: &str,
) -> Result<Answer> {
    check_complete(book)?;
    let figure = Figure::read(measure)?;
    let usual_sizes = [-10.0, -1.0, 1.0, 10.0];
    let sizes = if sizes.is_empty() { &usual_sizes[..] } else { sizes };
    for size in sizes {
        if !size.is_finite() || *size == 0.0 {
            return Err(Error::OutOfRange {
                name: "size".into(),
                value: *size,
                must_be: "finite and other than zero",
                place: crate::error::Place::default(),
            });
        }
    }
    let (stage, contracts) = chosen(book, origin, symbols)?;
    if contracts.is_empty() {
        return Err(Error::NoAnswer { why: "nothing is held, and no contract is named".into() });
    }
    let of = |account: &Account<'_>, state: &PoolState| match figure {
        Figure::Nearest => nearest_of(account, state),
        _ => of_state(figure, state),
    };
    let mut answer = Answer::new(&["symbol", "account"]);
    answer.header.extend(sizes.iter().map(|size| Cow::Owned(size.to_string())));
    for row in impacts(&stage, &contracts, sizes, &of)? {
        let own = stage.contracts(row.contract.pool).get(row.contract.place);
        let symbol = own.and_then(|own| stage.book().instruments.get(own.instrument));
        let mut cells: Vec<Value> = vec![
            symbol.map_or("", |known| known.symbol.as_str()).into(),
            pool_name(&stage, row.contract.pool).into(),
        ];
        for change in row.changes {
            match change {
                Ok(change) => cells.push(change.into()),
                Err(error) => {
                    if answer.note.is_empty() {
                        answer.note = error.to_string();
                    }
                    cells.push(Value::Missing);
                }
            }
        }
        answer.rows.push(cells);
    }
    Ok(answer)
}

/// The contracts named, in every account that could mean them, or the usual ones.
fn chosen<'a>(
    book: &'a Book,
    origin: Option<Origin<'_>>,
    symbols: &[String],
) -> Result<(Stage<'a>, Vec<Contract>)> {
    if symbols.is_empty() {
        let stage = with_listed(book, origin);
        let contracts = usual(&stage);
        return Ok((stage, contracts));
    }
    let mut wanted = Vec::new();
    for symbol in symbols {
        let accounts = match account_of(book, symbol, None) {
            Ok(one) => vec![one],
            Err(_) => (0..book.accounts.len()).collect(),
        };
        let own = |account| Wanted { account, symbol: symbol.trim().to_owned(), buys: true };
        wanted.extend(accounts.into_iter().map(own));
    }
    let stage = Stage::new(book, origin, &wanted, &[])?;
    let mut contracts = Vec::new();
    for own in &wanted {
        if let Some((pool, place)) = stage.found(own.account, &own.symbol, true)? {
            contracts.push(Contract { pool, place });
        }
    }
    Ok((stage, contracts))
}

/// A stage with the contracts that the market table lists on coins that an account holds.
pub(super) fn with_listed<'a>(book: &'a Book, origin: Option<Origin<'_>>) -> Stage<'a> {
    let symbols = listed(book, origin);
    let mut wanted = Vec::new();
    for account in 0..book.accounts.len() {
        let coins: Vec<&str> = book
            .positions
            .iter()
            .filter(|own| own.account == account)
            .filter_map(|own| book.instruments.get(own.instrument))
            .map(|known| known.underlying.as_str())
            .collect();
        let on_coin = symbols.iter().filter(|symbol| coins.iter().any(|coin| about(symbol, coin)));
        wanted.extend(on_coin.map(|symbol| Wanted { account, symbol: symbol.clone(), buys: true }));
    }
    Stage::with_what_can_be(book, origin, &wanted)
}

/// Whether a symbol begins with a coin, whatever else follows that is no letter or is a quote currency.
fn about(symbol: &str, coin: &str) -> bool {
    symbol.get(..coin.len()).is_some_and(|head| head.eq_ignore_ascii_case(coin))
}
