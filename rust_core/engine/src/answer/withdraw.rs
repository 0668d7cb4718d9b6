//! What may leave an account: `CM_MAXWITHDRAW`.

use super::evaluated::check_complete;
use super::{Answer, Value};
use crate::book::{Book, PoolKind};
use crate::error::{Error, Place, Result};
use crate::liquidation::price::shown;
use crate::margin::PoolState;
use crate::plan::Account;
use crate::plan::withdraw::{Withdrawal, withdrawal};

/// The header of the table.
pub const HEADER: [&str; 9] = [
    "account",
    "currency",
    "amount",
    "held",
    "excess_im_before",
    "excess_im_after",
    "excess_im_beyond",
    "usage_after",
    "reason",
];

/// The account of a withdrawal with what is found.
struct Leaves {
    name: String,
    code: String,
    found: Withdrawal,
}

fn leaves(book: &Book, currency: &str, account: &str) -> Result<Leaves> {
    check_complete(book)?;
    let code = currency.trim().to_uppercase();
    let place =
        book.currencies.iter().position(|known| known.code == code).ok_or_else(|| Error::Unknown {
            what: "currency",
            value: currency.to_owned(),
            known: book.currencies.iter().map(|own| own.code.as_str()).collect::<Vec<_>>().join(", "),
        })?;
    let named = |index: usize| {
        let own = book.accounts.get(index).map_or("", |known| known.name.as_str());
        account.trim().is_empty() || own.eq_ignore_ascii_case(account.trim())
    };
    if !(0..book.accounts.len()).any(named) {
        return Err(Error::Unknown {
            what: "account",
            value: account.to_owned(),
            known: book.accounts.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", "),
        });
    }
    let pools: Vec<_> = book
        .pools
        .iter()
        .filter(|pool| named(pool.account) && pool.kind != PoolKind::Isolated)
        .filter(|pool| pool.balances.iter().any(|own| own.currency == place))
        .collect();
    let pool = match pools.as_slice() {
        [one] => *one,
        [] => {
            return Err(Error::NoAnswer { why: format!("no account holds a balance in {code}") });
        }
        many => {
            let names: Vec<String> = many.iter().map(|own| book.pool_name(own)).collect();
            return Err(Error::Missing {
                what: "account".into(),
                why: format!("several hold {code} ({}); name one", names.join(", ")),
                place: Place::default(),
            });
        }
    };
    let found = withdrawal(&Account::of(book, pool), place)?;
    Ok(Leaves { name: book.pool_name(pool), code, found })
}

/// The most of a currency that can leave an account, coins.
///
/// # Errors
///
/// [`Error::Unknown`] for a currency or an account; [`Error::Missing`] where several accounts could be meant; as
/// [`withdrawal`].
pub fn number(book: &Book, currency: &str, account: &str) -> Result<f64> {
    Ok(leaves(book, currency, account)?.found.amount)
}

/// The same with the account before, after, and after one step more.
///
/// # Errors
///
/// As [`number`].
pub fn table(book: &Book, currency: &str, account: &str) -> Result<Answer> {
    let Leaves { name, code, found } = leaves(book, currency, account)?;
    let excess = |state: &PoolState| state.excess_initial;
    let reason = match (&found.beyond, found.amount > 0.0 || excess(&found.before) >= Some(0.0)) {
        (Some(beyond), true) => format!(
            "the initial margin: with {} more the excess over it is {}",
            shown(found.step),
            excess(beyond).map_or_else(|| "unknown".to_owned(), |own| format!("{own:.6}"))
        ),
        (None, true) => "the balance: nothing is borrowed to be withdrawn".to_owned(),
        _ => "the initial margin is not covered before anything leaves".to_owned(),
    };
    let mut answer = Answer::new(&HEADER);
    answer.rows.push(vec![
        name.into(),
        code.into(),
        found.amount.into(),
        found.held.into(),
        excess(&found.before).into(),
        excess(&found.after).into(),
        Value::from(found.beyond.as_ref().and_then(excess)),
        found.after.usage.into(),
        reason.into(),
    ]);
    Ok(answer)
}
