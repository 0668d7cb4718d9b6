//! The open orders.

use super::aliases::Sheet;
use super::balances::account;
use super::columns::Columns;
use super::instruments::{Found, InstrumentReader};
use super::margin_columns::MarginColumns;
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::side::{Direction, direction, signed};
use super::units::{self, Scale, Size};
use super::words::{MeaningColumn, WordColumn, flags};
use super::{Defaults, OrderRow, Orders, Positions};
use crate::cell::Table;
use crate::finding::Severity;
use crate::instrument::{ContractKind, Instrument};
use std::collections::BTreeMap;

/// Reads a table of open orders. Symbols that `positions` has are the same contracts in the same units; a table
/// without rows is a book without orders.
pub fn read_orders(table: &Table, defaults: &Defaults, positions: Option<&Positions>) -> Orders {
    let mut notes = Notes::new(Sheet::Orders);
    let (columns, views) =
        Columns::read(table, Sheet::Orders, &[&["symbol"], &["amount", "remaining"]], &mut notes);
    let known = positions.map(known).unwrap_or_default();
    let mut reader = Reader {
        columns: &columns,
        instruments: InstrumentReader::new(&columns, &defaults.settle),
        known,
        account: columns.words("account"),
        side: MeaningColumn::new(columns.words("side"), direction),
        amount: columns.numbers("amount"),
        remaining: columns.numbers("remaining"),
        filled: columns.numbers("filled"),
        contract_size: columns.numbers("contractSize"),
        price: columns.numbers("price"),
        reduce_only: flags(columns.words("reduceOnly")),
        status: columns.words("status"),
        margin: MarginColumns::new(&columns),
        initial_rate: columns.numbers("initialMarginRate"),
    };
    let rows = (0..columns.rows()).filter_map(|row| reader.row(row, &mut notes).ok().flatten()).collect();
    Orders { rows, columns: views, findings: notes.finish() }
}

/// What the positions table says about a symbol.
#[derive(Clone, Copy)]
struct Known<'p> {
    instrument: &'p Instrument,
    scale: Scale,
    mark: Option<f64>,
}

fn known(positions: &Positions) -> BTreeMap<&str, Known<'_>> {
    let mut known: BTreeMap<&str, Known<'_>> = BTreeMap::new();
    for (instrument, scale) in positions.instruments.iter().zip(&positions.scales) {
        known.entry(&instrument.symbol).or_insert(Known { instrument, scale: *scale, mark: None });
    }
    for row in &positions.rows {
        let instrument = usize::try_from(row.instrument).ok().and_then(|i| positions.instruments.get(i));
        if let (Some(instrument), Some(mark)) = (instrument, row.mark_price)
            && let Some(entry) = known.get_mut(instrument.symbol.as_str())
        {
            entry.mark.get_or_insert(mark);
        }
    }
    known
}

struct Reader<'a> {
    columns: &'a Columns<'a>,
    instruments: InstrumentReader<'a>,
    known: BTreeMap<&'a str, Known<'a>>,
    account: WordColumn<'a>,
    side: MeaningColumn<'a, Direction>,
    amount: NumberColumn<'a>,
    remaining: NumberColumn<'a>,
    filled: NumberColumn<'a>,
    contract_size: NumberColumn<'a>,
    price: NumberColumn<'a>,
    reduce_only: MeaningColumn<'a, bool>,
    status: WordColumn<'a>,
    margin: MarginColumns<'a>,
    initial_rate: NumberColumn<'a>,
}

impl<'a> Reader<'a> {
    fn row(&mut self, row: usize, notes: &mut Notes) -> Result<Option<OrderRow>, Refused> {
        if self.columns.is_blank(row) || self.is_closed(row, notes) {
            return Ok(None);
        }
        if self.instruments.is_empty(row) {
            return Err(missing(row, self.instruments.header(), "symbol_missing", "a symbol", notes));
        }
        let account = account(&self.account, row, notes);
        let side = self.side.read(row, notes);
        let open = self.open(row, notes);
        let contract_size = self.contract_size.read(row, Rule::Positive("contract_size_not_positive"), notes);
        let price = self.price.read(row, Rule::NotNegative, notes);
        let reduce_only = self.reduce_only.read(row, notes);
        let tier = self.margin.tier(row, notes);
        let initial_rate = self.initial_rate.read(row, Rule::Fraction, notes);
        let open = open?;
        if open == Some(0.0) {
            let header = self.quantity_header();
            notes.row(Severity::Info, row + 2, header, "flat", || {
                ("0".into(), "an order of size 0 is left out".into(), String::new())
            });
            return Ok(None);
        }
        let Some(open) = open else {
            return Err(missing(row, self.quantity_header(), "quantity_missing", "a quantity", notes));
        };
        let size = signed(open, side?).map_err(|(code, rule)| {
            let header = self.quantity_header();
            notes.row(Severity::Error, row + 2, header, code, || {
                (
                    open.to_string(),
                    format!("{header} {rule}, was {open}"),
                    "correct the side or the sign".into(),
                )
            });
            Refused
        })?;
        // Venues write 0 as the price of a market order.
        let price = price?.filter(|price| *price > 0.0);
        let (instrument, quantity) = self.contract(row, size, contract_size?, price, notes)?;
        Ok(Some(OrderRow {
            row: row + 2,
            account: account?,
            instrument,
            quantity,
            price,
            reduce_only: reduce_only?.unwrap_or(false),
            tier: tier?,
            initial_rate: initial_rate?,
        }))
    }

    /// The contract, and the quantity in its unit.
    fn contract(
        &mut self,
        row: usize,
        size: f64,
        contract_size: Option<f64>,
        price: Option<f64>,
        notes: &mut Notes,
    ) -> Result<(Instrument, f64), Refused> {
        let held = self.instruments.symbol(row).and_then(|symbol| self.known.get(symbol)).copied();
        if let Some(Known { instrument, scale, mark }) = held {
            let scale = contract_size.map_or(scale, Scale::Times);
            if let Some(quantity) = scale.quantity(size, price.or(mark)).filter(|q| q.is_finite()) {
                return Ok((instrument.clone(), quantity));
            }
        }
        let place = match self.instruments.read(row, notes) {
            Found::Contract(place) => place,
            // A total is left out like a refused row, with a finding of another kind.
            Found::Total | Found::Refused => return Err(Refused),
        };
        let Some((instrument, form)) = self.instruments.get(place) else { return Err(Refused) };
        let given = Size {
            size,
            contract_size,
            notional: None,
            notional_usd: None,
            coins: None,
            mark: price,
            entry: None,
            payoff: instrument.payoff,
            option: instrument.kind == ContractKind::Option,
            form,
            venue: self.columns.venue,
        };
        if let Some(reading) = units::read(&given) {
            return Ok((instrument.clone(), reading.quantity));
        }
        notes.row(Severity::Error, row + 2, self.quantity_header(), "unit_unknown", || {
            let message = format!(
                "an order in {} counts contracts and nothing says how large one is",
                instrument.symbol
            );
            (size.to_string(), message, "add a column contractSize (1 if the quantity is in coins)".into())
        });
        Err(Refused)
    }

    /// What of the order is still open, with the sign of the amount.
    fn open(&self, row: usize, notes: &mut Notes) -> Result<Option<f64>, Refused> {
        let amount = self.amount.read(row, Rule::Finite, notes);
        let remaining = self.remaining.read(row, Rule::Finite, notes);
        let filled = self.filled.read(row, Rule::Finite, notes)?.unwrap_or(0.0).abs();
        let left = |amount: f64| amount.signum() * (amount.abs() - filled).max(0.0);
        Ok(remaining?.or(amount?.map(left)))
    }

    fn quantity_header(&self) -> &'a str {
        self.columns.header(if self.columns.has("amount") { "amount" } else { "remaining" })
    }

    fn is_closed(&self, row: usize, notes: &mut Notes) -> bool {
        let status = self.status.text(row).unwrap_or_default();
        let lower = status.to_lowercase();
        let closed = ["cancel", "closed", "filled", "expired", "rejected", "deactivated"];
        let is_closed = closed.iter().any(|word| lower.starts_with(word));
        if is_closed {
            notes.row(Severity::Info, row + 2, self.status.header(), "order_not_open", || {
                (status.to_owned(), "an order that is no longer open is left out".into(), String::new())
            });
        }
        is_closed
    }
}

fn missing(row: usize, header: &str, code: &'static str, what: &str, notes: &mut Notes) -> Refused {
    notes.row(Severity::Error, row + 2, header, code, || {
        (String::new(), format!("an order needs {what}"), "fill the cell or remove the row".into())
    });
    Refused
}

#[cfg(test)]
mod tests {
    use super::super::read_positions;
    use super::super::tests::{defaults, errors, of, table};
    use super::*;

    #[test]
    fn orders_of_all_venues_are_signed_by_their_side() {
        for text in [
            "symbol|side|origQty|executedQty|price|reduceOnly|positionSide\nETHUSDT|SELL|5|2|3000|true|BOTH",
            "symbol|side|amount|filled|remaining|price|reduceOnly\nETH|sell|5|2|3|3000|True",
            "coin|side|sz|origSz|limitPx|reduceOnly\nETH|A|3|5|3000|true",
            "symbol|side|qty|leavesQty|price|reduceOnly\nETHUSDT|Sell|5|3|3000|true",
        ] {
            let read = read_orders(&table(text), &defaults(), None);
            assert_eq!(errors(&read.findings), [], "{text}");
            let row = &read.rows[0];
            assert_eq!((row.quantity, row.price, row.reduce_only), (-3.0, Some(3000.0), true), "{text}");
            assert_eq!(row.instrument.underlying, "ETH");
        }
    }

    #[test]
    fn orders_have_the_contract_and_the_unit_of_the_position() {
        let positions = read_positions(
            &table("instId|pos|avgPx|markPx|notionalUsd\nBTC-USDT-SWAP|300|99000|100000|300100"),
            &defaults(),
        );
        let orders = table("instId|side|sz|px\nBTC-USDT-SWAP|buy|100|");
        let read = read_orders(&orders, &defaults(), Some(&positions));
        assert_eq!(read.rows[0].quantity, 1.0);
        assert_eq!((read.rows[0].price, &read.rows[0].instrument), (None, &positions.instruments[0]));
        let alone = read_orders(&orders, &defaults(), None);
        assert_eq!(errors(&alone.findings), [("unit_unknown", Some(2))]);
    }

    #[test]
    fn closed_and_empty_orders_are_left_out_with_a_word() {
        let read = read_orders(
            &table(
                "symbol|side|amount|status|price\nA|buy|1|canceled|5\nA|buy|0|open|5\nA|buy|-1|open|5\nA|buy|1|open|0",
            ),
            &defaults(),
            None,
        );
        assert_eq!(of(&read.findings, Severity::Info), [("order_not_open", Some(2)), ("flat", Some(3))]);
        assert_eq!(errors(&read.findings), [("side_sign_conflict", Some(4))]);
        assert_eq!(read.rows.len(), 1);
        assert_eq!(read.rows[0].price, None);
    }
}
