//! What standard trades would change, contract by contract: `CM_IMPACT`.

use std::borrow::Cow;

use super::evaluated::check_complete;
use super::whatif::{nearest_of, pool_name};
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Result};
use crate::margin::PoolState;
use crate::market::{notional, settle_of, underlying_of};
use crate::numeric::Accumulator;
use crate::plan::impact::{Contract, impacts, of_state, usual};
use crate::plan::listed::listed;
use crate::plan::{Account, Figure, Origin, Stage, Wanted};
use crate::size::account_of;

/// Changes of a figure for contracts and sizes; below zero frees margin.
///
/// Without names the contracts are the perpetuals of coins held, also those that the market table lists, else what is
/// held; the one name `top:20` stands for those on the 20 coins with the largest notional, largest first. The header
/// is `symbol, account` and the sizes.
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
    if let [one] = symbols
        && let Some(count) = top(one)?
    {
        let coins = largest_coins(book, count);
        let stage = with_listed(book, origin);
        let rank = |own: &Contract| {
            let traded = stage.contracts(own.pool).get(own.place)?;
            let known = stage.book().instruments.get(traded.instrument)?;
            coins.iter().position(|coin| *coin == known.underlying)
        };
        let mut ranked: Vec<(usize, Contract)> =
            usual(&stage).into_iter().filter_map(|own| Some((rank(&own)?, own))).collect();
        ranked.sort_by_key(|(rank, own)| (*rank, own.pool, own.place));
        let contracts = ranked.into_iter().map(|(_, own)| own).collect();
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

/// The number of `top:20`; `None` for a word that names a contract.
fn top(word: &str) -> Result<Option<usize>> {
    let lower = word.trim().to_ascii_lowercase();
    let Some(count) = lower.strip_prefix("top:") else { return Ok(None) };
    match count.trim().parse() {
        Ok(count) if count > 0 => Ok(Some(count)),
        _ => Err(Error::Unknown {
            what: "choice of contracts",
            value: word.to_owned(),
            known: "top:N for the N coins with the largest notional, or symbols".into(),
        }),
    }
}

/// The coins with the largest gross notional at today's prices over all accounts, largest first; of equal ones the
/// coin that the book holds first.
fn largest_coins(book: &Book, count: usize) -> Vec<&str> {
    let mut sums = vec![Accumulator::default(); book.underlyings.len()];
    for own in &book.positions {
        let rules = book.accounts.get(own.account).map_or(0, |account| account.rulebook);
        let currency = book.currencies.get(settle_of(book, own));
        // what has no price has no margin either: it decides nothing here
        let price = currency.and_then(|known| known.price.get(rules).copied().flatten()).unwrap_or(0.0);
        if let Some(sum) = sums.get_mut(underlying_of(book, own)) {
            sum.add(notional(book, own, 1.0) * price);
        }
    }
    let mut ranked: Vec<(f64, usize)> =
        sums.iter().enumerate().map(|(coin, sum)| (sum.value(), coin)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let held = ranked.into_iter().filter(|(money, _)| *money > 0.0).take(count);
    held.filter_map(|(_, coin)| book.underlyings.get(coin).map(|known| known.name.as_str())).collect()
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
