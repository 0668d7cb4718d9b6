//! Collateral from gross to usable, currency by currency.

use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Result};
use crate::margin::PoolView;
use crate::margin::equity::{Counting, Holding, counted_amount, counting, holdings, net_amount};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::OtherCurrencies;

/// The header of `CM_COLLATERAL`.
pub const HEADER: [&str; 14] = [
    "currency",
    "total",
    "debt",
    "price_venue",
    "price_ref",
    "gross",
    "collateralRate",
    "cap",
    "usable",
    "lost",
    "value_of_next_1",
    "sell_order",
    "status",
    "scope",
];

/// How the rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Largest usable value first.
    Usable,
    /// Largest loss of value first.
    Lost,
}

/// The sort named by a word.
///
/// # Errors
///
/// [`Error::Unknown`]; the order in which a venue sells collateral is refused by name, since no venue
/// of the built-in rulebooks publishes one.
pub fn sort_named(word: &str) -> Result<Sort> {
    match word.trim().to_ascii_lowercase().as_str() {
        "" | "usable" => Ok(Sort::Usable),
        "lost" => Ok(Sort::Lost),
        "sell_order" => Err(Error::NotCovered {
            what: "the order in which collateral is sold".into(),
            why: "no venue of the built-in rulebooks publishes it".into(),
            place: crate::error::Place::default(),
        }),
        _ => Err(Error::Unknown { what: "sort", value: word.to_owned(), known: "usable, lost".into() }),
    }
}

struct Line {
    cells: Vec<Value>,
    gross: f64,
    usable: f64,
}

/// The collateral table. `total` is the amount with unrealised profit and loss, coins; `gross`,
/// `usable`, `lost` and `value_of_next_1` are in the reporting currency.
///
/// # Errors
///
/// [`Error::Missing`] for a price or a rate that is needed.
pub fn collateral(book: &Book, sort: Sort) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    let today = MarketState::today(book);
    let mut answer = Answer::new(&HEADER);
    let mut lines = Vec::new();
    for pool in &book.pools {
        let view = PoolView::of(book, pool);
        for holding in holdings(&view, &today) {
            lines.push(line(&view, &holding, &today, &book.pool_name(pool))?);
        }
    }
    lines.sort_by(|a, b| match sort {
        Sort::Usable => b.usable.total_cmp(&a.usable),
        Sort::Lost => (b.gross - b.usable).total_cmp(&(a.gross - a.usable)),
    });
    let (gross, usable) = (sum(lines.iter().map(|l| l.gross)), sum(lines.iter().map(|l| l.usable)));
    let all: Vec<usize> = (0..book.pools.len()).collect();
    let mut rows: Vec<Vec<Value>> = lines.into_iter().map(|line| line.cells).collect();
    if rows.len() > 1 && super::scope::report_currency(book, &all).is_ok() {
        let mut total = vec![Value::Missing; HEADER.len()];
        let cells: [(usize, Value); 5] = [
            (0, "TOTAL".into()),
            (5, gross.into()),
            (8, usable.into()),
            (9, (gross - usable).into()),
            (12, "amounts of different currencies are not added".into()),
        ];
        for (slot, value) in cells {
            if let Some(cell) = total.get_mut(slot) {
                *cell = value;
            }
        }
        rows.push(total);
    }
    answer.rows = rows;
    Ok(answer)
}

fn line(view: &PoolView<'_>, holding: &Holding<'_>, today: &MarketState, scope: &str) -> Result<Line> {
    let rulebook = view.rulebook()?;
    let price = view.price(holding.currency, today)?;
    let counting = counting(view, holding)?;
    let level = &rulebook.maintenance;
    let net = net_amount(holding, level);
    let rated = level.haircut || counting == Counting::Nothing;
    let amount = |net: f64| if rated { counted_amount(net, &counting) } else { net };
    let gross = price * (holding.cash + holding.pnl + holding.option_value);
    let usable = price * amount(net);
    let currency = view.book.currencies.get(holding.currency);
    let balance = holding.balance;
    let rate = match &counting {
        Counting::Full => Some(1.0),
        Counting::Nothing => Some(0.0),
        Counting::Slices(slices, _) => {
            slices.iter().rev().find(|slice| net > slice.from).or(slices.first()).map(|s| s.rate)
        }
    };
    let step = 1e-6 * net.abs().max(1.0);
    let status = match (&counting, rulebook.other_currencies) {
        (Counting::Nothing, OtherCurrencies::Ignored) => "not collateral in this mode".to_owned(),
        (Counting::Nothing, _) => "disabled as collateral".to_owned(),
        _ => format!("cash less debt {:.2}, unrealised {:.2}", holding.cash, holding.pnl),
    };
    let debt = view.balances.iter().filter(|b| b.currency == holding.currency).map(|b| b.debt).sum::<f64>();
    Ok(Line {
        gross,
        usable,
        cells: vec![
            currency.map_or("", |currency| currency.code.as_str()).into(),
            (holding.cash + holding.pnl + holding.option_value).into(),
            debt.into(),
            price.into(),
            currency.and_then(|currency| currency.price_reference).into(),
            gross.into(),
            rate.into(),
            balance.and_then(|balance| balance.cap).into(),
            usable.into(),
            (gross - usable).into(),
            (price * (amount(net + step) - amount(net)) / step).into(),
            Value::Missing,
            Value::Text(format!("{status}; no sell order is published")),
            scope.into(),
        ],
    })
}
