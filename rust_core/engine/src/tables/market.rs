//! The market table: prices, volatilities and steps of coins and symbols.

use super::aliases::Sheet;
use super::balances::error_cell;
use super::columns::Columns;
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::quoted::QuotedColumns;
use super::symbol::coin_name;
use super::words::WordColumn;
use super::{Defaults, MarketRow, MarketRows};
use super::{date, option_symbol, times};
use crate::cell::{Cell, Table};
use crate::finding::Severity;

/// Reads a market table. A row is about a symbol, about a coin, about one expiry of a coin, or about several of
/// them; a table without rows says nothing and is no error.
pub fn read_market(table: &Table, _defaults: &Defaults) -> MarketRows {
    let mut notes = Notes::new(Sheet::Market);
    let (columns, views) = Columns::read(table, Sheet::Market, &[&["underlying", "symbol"]], &mut notes);
    let reader = Reader {
        columns: &columns,
        underlying: columns.words("underlying"),
        symbol: columns.words("symbol"),
        mark: columns.numbers("markPrice"),
        index: columns.numbers("indexPrice"),
        daily: columns.numbers("dailyVol"),
        annual: columns.numbers("annualVol"),
        beta: columns.numbers("beta"),
        tick: columns.numbers("tick"),
        lot: columns.numbers("lot"),
        expiry: columns.words("expiry"),
        open_interest: columns.numbers("openInterest"),
        volume: columns.numbers("adv"),
        half_spread: columns.numbers("halfSpread"),
        spread: columns.numbers("spread"),
        depth: columns.numbers("depth1pct"),
        depth_two: columns.numbers("depth2pct"),
        correlations: columns.correlations(),
        quoted: QuotedColumns::new(&columns, &mut notes),
    };
    let rows = (0..columns.rows()).filter_map(|row| reader.row(row, &mut notes).ok().flatten()).collect();
    let timestamp = if columns.usable { times::latest(columns.column("timestamp")) } else { None };
    MarketRows { rows, timestamp, columns: views, findings: notes.finish() }
}

struct Reader<'a> {
    columns: &'a Columns<'a>,
    underlying: WordColumn<'a>,
    symbol: WordColumn<'a>,
    mark: NumberColumn<'a>,
    index: NumberColumn<'a>,
    daily: NumberColumn<'a>,
    annual: NumberColumn<'a>,
    beta: NumberColumn<'a>,
    tick: NumberColumn<'a>,
    lot: NumberColumn<'a>,
    expiry: WordColumn<'a>,
    open_interest: NumberColumn<'a>,
    volume: NumberColumn<'a>,
    half_spread: NumberColumn<'a>,
    spread: NumberColumn<'a>,
    depth: NumberColumn<'a>,
    depth_two: NumberColumn<'a>,
    correlations: Vec<(String, NumberColumn<'a>)>,
    quoted: QuotedColumns<'a>,
}

impl Reader<'_> {
    fn row(&self, row: usize, notes: &mut Notes) -> Result<Option<MarketRow>, Refused> {
        if self.columns.is_blank(row) {
            return Ok(None);
        }
        let underlying = name(&self.underlying, row, notes);
        let symbol = name(&self.symbol, row, notes);
        // the mark of an option may be zero, that of anything else may not
        let option = self.symbol.text(row).is_some_and(option_symbol::is_option_symbol);
        let mark_rule = if option { Rule::NotNegative } else { Rule::Price };
        let mark_price = self.mark.read(row, mark_rule, notes);
        let index_price = self.index.read(row, Rule::Price, notes);
        let daily_volatility = self.daily.read(row, Rule::Volatility, notes);
        let annual_volatility = self.annual.read(row, Rule::Volatility, notes);
        let beta = self.beta.read(row, Rule::Finite, notes);
        let tick = self.tick.read(row, Rule::Positive("step_not_positive"), notes);
        let lot = self.lot.read(row, Rule::Positive("step_not_positive"), notes);
        let expiry = self.expiry(row, notes);
        let open_interest = self.open_interest.read(row, Rule::NotNegative, notes);
        // volume and spread of an option are its own and say nothing about its coin; it may not have traded at all
        let volume_rule = if option { Rule::NotNegative } else { Rule::Positive("volume_not_positive") };
        let average_daily_volume = self.volume.read(row, volume_rule, notes);
        let half_spread = self.half_spread.read(row, Rule::Fraction, notes);
        let spread = self.spread.read(row, Rule::Fraction, notes);
        let depth = self.depth.read(row, Rule::Positive("depth_not_positive"), notes);
        let depth_two = self.depth_two.read(row, Rule::Positive("depth_not_positive"), notes);
        let mut correlations = Vec::new();
        for (coin, column) in &self.correlations {
            if let Some(value) = column.read(row, Rule::Correlation, notes)? {
                correlations.push((coin.clone(), value));
            }
        }
        let quoted = self.quoted.read(row, true, notes);
        let (underlying, symbol) = (underlying?, symbol?);
        if underlying.is_none() && symbol.is_none() {
            let header = [self.underlying.header(), self.symbol.header()].into_iter().find(|h| !h.is_empty());
            notes.row(Severity::Error, row + 2, header.unwrap_or_default(), "name_missing", || {
                (
                    String::new(),
                    "a market row needs a coin or a symbol".into(),
                    "fill the cell or remove the row".into(),
                )
            });
            return Err(Refused);
        }
        let (expiry, expiry_instant) = expiry?;
        Ok(Some(MarketRow {
            row: row + 2,
            underlying: underlying.map(|coin| coin_name(&coin)),
            symbol,
            mark_price: mark_price?,
            index_price: index_price?,
            daily_volatility: daily_volatility?,
            annual_volatility: annual_volatility?,
            beta: beta?,
            tick: tick?,
            lot: lot?,
            expiry,
            expiry_instant,
            open_interest: open_interest?,
            average_daily_volume: average_daily_volume?.filter(|_| !option),
            half_spread: half_spread?.or(spread?.map(|spread| 0.5 * spread)).filter(|_| !option),
            depth: depth?,
            depth_two: depth_two?,
            correlations,
            quoted: quoted?,
        }))
    }

    /// The day that a row is about, and its instant where that is not the usual one.
    fn expiry(&self, row: usize, notes: &mut Notes) -> Result<(Option<String>, Option<i64>), Refused> {
        let text = match self.expiry.word(self.expiry.code(row)) {
            Cell::Empty => return Ok((None, None)),
            cell @ Cell::Error(_) => return Err(error_cell(&self.expiry, row, cell, notes)),
            cell => cell.shown(),
        };
        if matches!(text.to_lowercase().as_str(), "0" | "none" | "perpetual" | "perp" | "-") {
            return Ok((None, None));
        }
        if let Some((date, instant)) = date::moment(&text) {
            return Ok((Some(date), instant));
        }
        notes.row(Severity::Error, row + 2, self.expiry.header(), "not_a_date", || {
            let header = self.expiry.header();
            let message = format!("{header} needs a date that can mean one day only, was {text}");
            (text, message, "write it as 2026-03-27".into())
        });
        Err(Refused)
    }
}

fn name(words: &WordColumn<'_>, row: usize, notes: &mut Notes) -> Result<Option<String>, Refused> {
    match words.word(words.code(row)) {
        Cell::Text(text) => Ok(Some(text.clone())),
        cell @ Cell::Error(_) => Err(error_cell(words, row, cell, notes)),
        Cell::Empty | Cell::Number(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{defaults, errors, table};
    use super::*;

    #[test]
    fn rows_about_coins_and_rows_about_symbols_are_told_apart() {
        let read = read_market(
            &table(
                "underlying|symbol|markPrice|indexPrice|dailyVol|volatility|beta|tick size|lot|remarks\nbtc|||100000|3%|60%|1|||5\n|BTCUSDT|100100|||||0.1|0.001|",
            ),
            &defaults(),
        );
        assert_eq!(errors(&read.findings), []);
        let (coin, symbol) = (&read.rows[0], &read.rows[1]);
        assert_eq!((coin.underlying.as_deref(), coin.symbol.as_deref()), (Some("BTC"), None));
        assert_eq!(
            (coin.daily_volatility, coin.annual_volatility, coin.beta),
            (Some(0.03), Some(0.6), Some(1.0))
        );
        assert_eq!((symbol.symbol.as_deref(), symbol.mark_price), (Some("BTCUSDT"), Some(100_100.0)));
        assert_eq!((symbol.tick, symbol.lot), (Some(0.1), Some(0.001)));
        assert_eq!(read.columns.last().map(|c| c.understood_as.as_str()), Some("ignored"));
    }

    #[test]
    fn asset_contexts_of_hyperliquid_are_a_market_table() {
        let read = read_market(
            &table("coin|funding_rate_1h|oracle_px|mark_px|mid_px\nkPEPE|1e-5|0.006|0.0061|0.0061"),
            &defaults(),
        );
        assert_eq!(read.rows[0].underlying.as_deref(), Some("kPEPE"));
        assert_eq!((read.rows[0].index_price, read.rows[0].mark_price), (Some(0.006), Some(0.0061)));
    }

    #[test]
    fn a_row_without_a_name_and_a_price_of_zero_are_refused() {
        let read = read_market(&table("coin|mark|beta\n|5|1\nBTC|0|1\nETH|1|x"), &defaults());
        assert_eq!(
            errors(&read.findings),
            [("name_missing", Some(2)), ("price_not_positive", Some(3)), ("not_a_number", Some(4))]
        );
        assert!(read.rows.is_empty());
    }
}
