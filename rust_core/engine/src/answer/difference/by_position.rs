//! The difference of two books position by position.

use super::{HEADER, Measure, Side};
use crate::answer::node::Node;
use crate::answer::{Answer, Value};
use crate::book::{Book, Position};
use crate::error::{Error, Place, Result};
use crate::liquidation::price::shown;
use crate::margin::PoolView;
use crate::market::{MarketState, settle_of};
use crate::numeric::accumulate::sum;

/// How much of a contract an account held in both books.
pub(super) struct Held {
    pub(super) account: String,
    pub(super) symbol: String,
    pub(super) before: f64,
    pub(super) after: f64,
}

impl Held {
    /// `opened`, `closed`, `changed` or nothing.
    pub(super) fn word(&self) -> &'static str {
        match (self.before == 0.0, self.after == 0.0) {
            (true, false) => "opened",
            (false, true) => "closed",
            _ if self.before.total_cmp(&self.after).is_ne() => "changed",
            _ => "",
        }
    }
}

fn name_of(book: &Book, position: &Position) -> (String, String) {
    let account = book.accounts.get(position.account).map_or("", |own| own.name.as_str());
    let symbol = book.instruments.get(position.instrument).map_or("", |own| own.symbol.as_str());
    (account.to_owned(), symbol.to_owned())
}

/// Quantities by account and symbol in both books, in the order of their names.
pub(super) fn quantities(old: &Book, new: &Book) -> Vec<Held> {
    let mut found: Vec<Held> = Vec::new();
    for (book, newer) in [(old, false), (new, true)] {
        for position in &book.positions {
            let (account, symbol) = name_of(book, position);
            let place = found.iter().position(|own| own.account == account && own.symbol == symbol);
            let place = place.unwrap_or_else(|| {
                found.push(Held { account, symbol, before: 0.0, after: 0.0 });
                found.len() - 1
            });
            if let Some(own) = found.get_mut(place) {
                if newer {
                    own.after += position.quantity;
                } else {
                    own.before += position.quantity;
                }
            }
        }
    }
    found.sort_by(|a, b| (&a.account, &a.symbol).cmp(&(&b.account, &b.symbol)));
    found
}

/// What each position bears of a measure, by account and symbol.
fn parts(side: &Side<'_>, measure: Measure) -> Result<Vec<((String, String), f64)>> {
    let book = side.book;
    let today = MarketState::today(book);
    let mut found = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let state = side.evaluated.pool(index)?;
        let view = PoolView::of(book, pool);
        for (position, margin) in view.positions.iter().zip(&state.requirement.by_position) {
            let part = match measure {
                Measure::Maintenance => margin.maintenance,
                Measure::Initial => margin.initial.ok_or_else(|| Error::NoAnswer {
                    why: "the initial margin of a position is not known".into(),
                })?,
                Measure::Equity => position.unrealised_pnl * view.price(settle_of(book, position), &today)?,
                Measure::Usage | Measure::Excess => {
                    return Err(Error::NotCovered {
                        what: "usage or excess by position".into(),
                        why: "they belong to the account; ask for MM, IM or equity, or by driver".into(),
                        place: Place::default(),
                    });
                }
            };
            found.push((name_of(book, position), part));
        }
    }
    Ok(found)
}

/// One row per account and symbol; what no position bears is a row of its own.
pub(super) fn table(old: Side<'_>, new: Side<'_>, measure: Measure) -> Result<Answer> {
    let (before, after) = (parts(&old, measure)?, parts(&new, measure)?);
    let whole = |side: &Side<'_>| measure.of(&Node { pools: side.evaluated.all()? });
    let total = whole(&new)? - whole(&old)?;
    let share = |change: f64| if total == 0.0 { Value::from("") } else { (change / total).into() };
    let several = old.book.accounts.len() > 1 || new.book.accounts.len() > 1;
    let mut answer = Answer::new(&HEADER);
    let mut changes = Vec::new();
    for held in quantities(old.book, new.book) {
        let key = (held.account.clone(), held.symbol.clone());
        let own = |list: &[((String, String), f64)]| {
            sum(list.iter().filter(|(name, _)| *name == key).map(|(_, part)| *part))
        };
        let change = own(&after) - own(&before);
        changes.push(change);
        let name = if several { format!("{} {}", held.account, held.symbol) } else { held.symbol.clone() };
        let note = match held.word() {
            "" => "quantity unchanged".to_owned(),
            word => format!("{word}: {} to {}", shown(held.before), shown(held.after)),
        };
        answer.rows.push(vec![name.into(), change.into(), share(change), note.into()]);
    }
    let rest = total - sum(changes);
    let words = match measure {
        Measure::Equity => "balances",
        _ => "charges, credits, loans, balances and orders that no position bears",
    };
    answer.rows.push(vec!["rest".into(), rest.into(), share(rest), words.into()]);
    answer.rows.push(vec!["TOTAL".into(), total.into(), share(total), "".into()]);
    Ok(answer)
}
