//! The table of trades: symbol, quantity, perhaps a price and an account.

use super::stage::Wanted;
use crate::book::Book;
use crate::cell::{Cell, Table};
use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::size::account_of;

/// Most rows of a table of trades.
const MOST: usize = 10_000;

/// One trade.
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    /// The contract.
    pub symbol: String,
    /// Signed quantity, unit as positions of the book have it.
    pub quantity: f64,
    /// Price, the mark where left out; of an option in settlement currency per coin.
    pub price: Option<f64>,
    /// Index of the account.
    pub account: usize,
    /// Row of the table, the first being 1.
    pub row: usize,
}

impl Trade {
    /// What must be there to trade it.
    pub fn wanted(&self) -> Wanted {
        Wanted { account: self.account, symbol: self.symbol.clone(), buys: self.quantity > 0.0 }
    }
}

/// Where each column stands.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    symbol: Option<usize>,
    quantity: Option<usize>,
    price: Option<usize>,
    account: Option<usize>,
    side: Option<usize>,
}

impl Columns {
    /// By name where the first row is a header; else symbol, quantity, price, account in this order.
    fn of(header: &[String]) -> (Self, bool) {
        let plain: Vec<String> =
            header.iter().map(|name| name.trim().to_lowercase().replace(['_', ' ', '-'], "")).collect();
        let at = |words: &[&str]| plain.iter().position(|name| words.contains(&name.as_str()));
        let symbol = at(&["symbol", "instrument", "coin", "instrumentname", "instid"]);
        if symbol.is_none() {
            let some = |place: usize| (place < header.len()).then_some(place);
            let own =
                Self { symbol: some(0), quantity: some(1), price: some(2), account: some(3), side: None };
            return (own, false);
        }
        let quantity = at(&["qty", "quantity", "size", "amount", "contracts"]);
        let (price, account, side) = (at(&["price"]), at(&["account"]), at(&["side"]));
        (Self { symbol, quantity, price, account, side }, true)
    }
}

/// Reads a table of trades, with a header (symbol, qty, price, account, side) or without. Blank rows and rows with a
/// quantity of zero are no trades.
///
/// # Errors
///
/// [`Error::Missing`] for a symbol or a quantity, [`Error::OutOfRange`] for a number, [`Error::Unknown`] for an account
/// or a text in place of a number; each names the row.
pub fn read(book: &Book, table: &Table) -> Result<Vec<Trade>> {
    let (columns, headed) = Columns::of(&table.header);
    if columns.symbol.is_none() || columns.quantity.is_none() {
        return Err(Error::Missing {
            what: "a column of the trades".into(),
            why: "they need a symbol and a qty, and may have a price, a side and an account".into(),
            place: Place::default(),
        });
    }
    let length = table.columns.iter().map(crate::cell::Column::len).max().unwrap_or(0);
    if length > MOST {
        return Err(Error::OutOfRange {
            name: "trades".into(),
            value: length as f64,
            must_be: "at most 10,000 rows",
            place: Place::default(),
        });
    }
    let cell = |row: Option<usize>, column: Option<usize>| -> Cell {
        let Some(column) = column else { return Cell::Empty };
        match row {
            None => table.header.get(column).map_or(Cell::Empty, |text| Cell::from_text(text)),
            Some(row) => table.columns.get(column).map_or(Cell::Empty, |own| own.cell(row)),
        }
    };
    let mut trades = Vec::new();
    let first = (!headed).then_some(None);
    for (index, row) in first.into_iter().chain((0..length).map(Some)).enumerate() {
        let number = index + 1 + usize::from(headed);
        let of = |column: Option<usize>| cell(row, column);
        if let Some(trade) = one(book, &columns, &of, number)? {
            trades.push(trade);
        }
    }
    Ok(trades)
}

fn one(
    book: &Book,
    columns: &Columns,
    of: &dyn Fn(Option<usize>) -> Cell,
    row: usize,
) -> Result<Option<Trade>> {
    let symbol = of(columns.symbol).shown();
    let quantity = of(columns.quantity);
    if symbol.trim().is_empty() && quantity == Cell::Empty {
        return Ok(None);
    }
    let missing = |what: &str| Error::Missing {
        what: format!("{what} of a trade"),
        why: "a trade needs a symbol and a quantity".into(),
        place: Place::row(row, symbol.clone()),
    };
    if symbol.trim().is_empty() {
        return Err(missing("symbol"));
    }
    let number = |what: &'static str, cell: &Cell| -> Result<Option<f64>> {
        match cell {
            Cell::Empty => Ok(None),
            Cell::Number(value) => Ok(Some(*value)),
            Cell::Text(text) => {
                let plain = text.replace([',', '_'], "");
                plain.trim().parse().map(Some).map_err(|_| Error::Unknown {
                    what,
                    value: text.clone(),
                    known: format!("a number (row {row}, {symbol})"),
                })
            }
            Cell::Error(_) => Err(Error::Missing {
                what: what.into(),
                why: format!("the cell shows {}", cell.shown()),
                place: Place::row(row, symbol.clone()),
            }),
        }
    };
    let place = || Place::row(row, symbol.clone());
    let quantity = number("qty", &quantity)?.ok_or_else(|| missing("qty"))?;
    let quantity = check_finite("qty", quantity, place)?;
    let quantity = match of(columns.side).shown().trim().to_lowercase().as_str() {
        "" => quantity,
        "buy" | "long" if quantity >= 0.0 => quantity,
        "sell" | "short" => -quantity.abs(),
        "buy" | "long" => {
            return Err(Error::OutOfRange {
                name: "qty".into(),
                value: quantity,
                must_be: "above zero for a purchase",
                place: place(),
            });
        }
        other => {
            return Err(Error::Unknown { what: "side", value: other.to_owned(), known: "buy, sell".into() });
        }
    };
    if quantity == 0.0 {
        return Ok(None);
    }
    let price = match number("price", &of(columns.price))? {
        Some(price) => Some(check_positive("price", price, place)?),
        None => None,
    };
    let account = of(columns.account).shown();
    let named = (!account.trim().is_empty()).then_some(account.as_str());
    let symbol = symbol.trim().to_owned();
    let account = account_of(book, &symbol, named)?;
    Ok(Some(Trade { symbol, quantity, price, account, row }))
}
