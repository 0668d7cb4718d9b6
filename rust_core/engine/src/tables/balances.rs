//! The collateral table: balances with and without unrealised profit and loss.

use super::aliases::{Sheet, aliases};
use super::columns::Columns;
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::symbol::{coin_name, is_total};
use super::words::{MeaningColumn, WordColumn, flags};
use super::{BalanceRow, BalanceTotal, Balances, Defaults, ReportedAccount};
use crate::cell::{Cell, Table};
use crate::finding::Severity;

/// Reads a collateral table.
///
/// `cash` and `equity` are before debts: what is owed stands in `debt` only, also where a venue's own equity
/// (OKX `eq`, Bybit `equity`) is after them.
pub fn read_balances(table: &Table, defaults: &Defaults) -> Balances {
    let mut notes = Notes::new(Sheet::Collateral);
    let required: &[&[&str]] = if table.rows() == 1 { &[AMOUNTS] } else { &[&["currency"], AMOUNTS] };
    let (columns, views) = Columns::read(table, Sheet::Collateral, required, &mut notes);
    if columns.usable && columns.rows() == 0 {
        let message = "balances need rows below the header; the table is empty".to_owned();
        notes.table(Severity::Error, "table_empty", message, "paste the rows below the header");
    }
    let reader = Reader::new(&columns, defaults, &mut notes);
    let rows = (0..columns.rows()).filter_map(|row| reader.row(row, &mut notes).ok().flatten()).collect();
    Balances { rows, columns: views, venue: columns.venue, findings: notes.finish() }
}

/// One of these must be there.
const AMOUNTS: &[&str] = &["total", "cash", "equity", "crossCash"];

struct Reader<'a> {
    columns: &'a Columns<'a>,
    settle: &'a str,
    account: WordColumn<'a>,
    currency: WordColumn<'a>,
    cash: NumberColumn<'a>,
    cross_cash: NumberColumn<'a>,
    cross_unrealised: NumberColumn<'a>,
    session_realised: NumberColumn<'a>,
    equity: NumberColumn<'a>,
    total: Option<(NumberColumn<'a>, BalanceTotal)>,
    debt: NumberColumn<'a>,
    rate: NumberColumn<'a>,
    initial_rate: NumberColumn<'a>,
    confidence: NumberColumn<'a>,
    in_scan: MeaningColumn<'a, bool>,
    haircut: NumberColumn<'a>,
    initial_haircut: NumberColumn<'a>,
    follows: WordColumn<'a>,
    cap: NumberColumn<'a>,
    price_venue: NumberColumn<'a>,
    price_reference: NumberColumn<'a>,
    enabled: MeaningColumn<'a, bool>,
    switch: MeaningColumn<'a, bool>,
    initial: NumberColumn<'a>,
    maintenance: NumberColumn<'a>,
    unrealised: NumberColumn<'a>,
}

impl<'a> Reader<'a> {
    fn new(columns: &'a Columns<'a>, defaults: &'a Defaults, notes: &mut Notes) -> Self {
        Self {
            columns,
            settle: &defaults.settle,
            account: columns.words("account"),
            currency: columns.words("currency"),
            cash: columns.numbers("cash"),
            cross_cash: columns.numbers("crossCash"),
            cross_unrealised: columns.numbers("crossUnrealizedPnl"),
            session_realised: columns.numbers("sessionRealizedPnl"),
            equity: columns.numbers("equity"),
            total: total(columns, defaults, notes),
            debt: columns.numbers("debt"),
            rate: columns.numbers("collateralRate"),
            initial_rate: columns.numbers("initialRate"),
            confidence: columns.numbers("confidence"),
            in_scan: flags(columns.words("inScan")),
            haircut: columns.numbers("haircut"),
            initial_haircut: columns.numbers("initialHaircut"),
            follows: columns.words("follows"),
            cap: columns.numbers("cap"),
            price_venue: columns.numbers("priceVenue"),
            price_reference: columns.numbers("priceReference"),
            enabled: flags(columns.words("enabled")),
            switch: flags(columns.words("collateralSwitch")),
            initial: columns.numbers("initialMargin"),
            maintenance: columns.numbers("maintenanceMargin"),
            unrealised: columns.numbers("unrealizedPnl"),
        }
    }

    fn row(&self, row: usize, notes: &mut Notes) -> Result<Option<BalanceRow>, Refused> {
        if self.columns.is_blank(row) {
            return Ok(None);
        }
        let shown_currency = self.currency.text(row).unwrap_or_default();
        if is_total(shown_currency) || shown_currency.is_empty() && self.columns.is_total(row) {
            notes.row(Severity::Info, row + 2, self.currency.header(), "total_row", || {
                (shown_currency.to_owned(), "a row that sums the others is left out".into(), String::new())
            });
            return Ok(None);
        }
        let currency = self.currency(row, notes);
        let account = account(&self.account, row, notes);
        let amounts = self.amounts(row, notes);
        let collateral_rate = self.collateral_rate(row, notes);
        let initial_rate = self.initial_rate.read(row, Rule::Fraction, notes);
        let initial_haircut = self.initial_haircut.read(row, Rule::Fraction, notes);
        let confidence = self.confidence.read(row, Rule::Fraction, notes);
        let in_scan = self.in_scan.read(row, notes);
        let cap = self.cap.read(row, Rule::NotNegative, notes);
        let price_venue = self.price_venue.read(row, Rule::Price, notes);
        let price_reference = self.price_reference.read(row, Rule::Price, notes);
        let enabled = self.enabled.read(row, notes);
        let switch = self.switch.read(row, notes);
        let initial_margin = self.initial.read(row, Rule::Finite, notes);
        let maintenance_margin = self.maintenance.read(row, Rule::Finite, notes);
        let unrealised_pnl = self.unrealised.read(row, Rule::Finite, notes);
        let Amounts { cash, equity, debt } = amounts?;
        let collateral_rate = collateral_rate?;
        Ok(Some(BalanceRow {
            row: row + 2,
            account: account?,
            currency: currency?,
            cash,
            equity,
            debt,
            collateral_rate,
            initial_rate: initial_rate?
                .or(initial_haircut?.map(|haircut| (collateral_rate.unwrap_or(1.0) - haircut).max(0.0))),
            follows: self.follows.text(row).map(coin_name),
            confidence: confidence?,
            in_scan: in_scan?,
            cap: cap?,
            price_venue: price_venue?,
            price_reference: price_reference?,
            // Bybit: the coin may count, and the user lets it count.
            enabled: enabled?.unwrap_or(true) && switch?.unwrap_or(true),
            reported: ReportedAccount {
                initial_margin: initial_margin?,
                maintenance_margin: maintenance_margin?,
                unrealised_pnl: unrealised_pnl?,
            },
        }))
    }

    fn currency(&self, row: usize, notes: &mut Notes) -> Result<String, Refused> {
        match self.currency.word(self.currency.code(row)) {
            Cell::Text(name) => Ok(coin_name(name)),
            Cell::Empty if !self.columns.has("currency") => {
                notes.table(
                    Severity::Info,
                    "currency_assumed",
                    format!("the balance has no currency and is read as {}", self.settle),
                    "add a column 'currency'",
                );
                Ok(self.settle.to_owned())
            }
            Cell::Empty | Cell::Number(_) => {
                notes.row(Severity::Error, row + 2, self.currency.header(), "currency_missing", || {
                    (
                        String::new(),
                        "a balance needs a currency".into(),
                        "fill the cell or remove the row".into(),
                    )
                });
                Err(Refused)
            }
            cell => Err(error_cell(&self.currency, row, cell, notes)),
        }
    }

    fn collateral_rate(&self, row: usize, notes: &mut Notes) -> Result<Option<f64>, Refused> {
        let rate = self.rate.read(row, Rule::Fraction, notes);
        let haircut = self.haircut.read(row, Rule::Fraction, notes)?;
        Ok(rate?.or(haircut.map(|haircut| 1.0 - haircut)))
    }

    /// Cash and equity before debts, and the debt.
    fn amounts(&self, row: usize, notes: &mut Notes) -> Result<Amounts, Refused> {
        let cash = self.cash.read(row, Rule::Finite, notes);
        let cross_cash = self.cross_cash.read(row, Rule::Finite, notes);
        let cross_unrealised = self.cross_unrealised.read(row, Rule::Finite, notes);
        let session_realised = self.session_realised.read(row, Rule::Finite, notes);
        let equity = self.equity.read(row, Rule::Finite, notes);
        let total = match &self.total {
            Some((column, meaning)) => {
                column.read(row, Rule::Finite, notes).map(|v| v.map(|v| (v, *meaning)))
            }
            None => Ok(None),
        };
        let debt = self.debt.read(row, Rule::Finite, notes)?.map_or(0.0, f64::abs);
        let (mut cash, mut equity) = (cash?, equity?);
        match total? {
            Some((amount, BalanceTotal::Cash)) if cash.is_none() => cash = Some(amount),
            Some((amount, BalanceTotal::Equity)) if equity.is_none() => equity = Some(amount),
            _ => {}
        }
        if let Some(cross) = cross_cash? {
            // Binance: the wallet and its margin balance also hold what isolated positions own.
            let alone = cash.is_none_or(|wallet| wallet.to_bits() == cross.to_bits());
            equity = cross_unrealised?.map(|pnl| cross + pnl).or(equity.filter(|_| alone));
            cash = Some(cross);
        }
        // Deribit: what is realised since the last settlement is in the equity and not yet in the balance.
        cash = cash.zip(session_realised?).map(|(cash, realised)| cash + realised).or(cash);
        if debt > 0.0 && matches!(self.columns.venue, Some("okx" | "bybit")) {
            equity = equity.map(|after_debt| after_debt + debt);
            // OKX `liab` and Bybit `borrowAmount` are the negative part of the equity, not a second deduction;
            // Bybit `spotBorrow` is one.
            if self.columns.normalised_header("debt") != "spotborrow" {
                cash = cash.map(|after_debt| after_debt + debt);
            }
        }
        if cash.is_none() && equity.is_none() {
            notes.row(Severity::Error, row + 2, "", "balance_missing", || {
                (String::new(), "a balance needs an amount".into(), "fill cash, equity or total".into())
            });
            return Err(Refused);
        }
        Ok(Amounts { cash, equity, debt })
    }
}

struct Amounts {
    cash: Option<f64>,
    equity: Option<f64>,
    debt: f64,
}

/// What a bare balance column means in this table.
fn total<'a>(
    columns: &Columns<'a>,
    defaults: &Defaults,
    notes: &mut Notes,
) -> Option<(NumberColumn<'a>, BalanceTotal)> {
    if !(columns.usable && columns.has("total")) {
        return None;
    }
    let header = columns.header("total");
    let (has_cash, has_equity) = (columns.has("cash") || columns.has("crossCash"), columns.has("equity"));
    let said = columns.venue.and_then(|venue| {
        let reads_as = aliases().total_reads_as(venue, &columns.normalised_header("total"))?;
        let meaning = if reads_as == "cash" { BalanceTotal::Cash } else { BalanceTotal::Equity };
        Some((meaning, format!("{venue} means that")))
    });
    let (meaning, because) = said.unwrap_or_else(|| match (has_cash, has_equity) {
        (false, true) => (BalanceTotal::Cash, "equity has a column of its own".to_owned()),
        (true, false) => (BalanceTotal::Equity, "cash has a column of its own".to_owned()),
        _ => (defaults.balance_total, "the headers do not tell a venue".to_owned()),
    });
    if has_cash && (has_equity || meaning == BalanceTotal::Cash)
        || has_equity && meaning == BalanceTotal::Equity
    {
        let message = format!("'{header}' is not used: a column of its own says the same");
        notes.column(Severity::Info, header, "total_not_used", message, String::new());
        return None;
    }
    let words = match meaning {
        BalanceTotal::Cash => "cash, without unrealised profit and loss",
        BalanceTotal::Equity => "equity, with unrealised profit and loss",
    };
    notes.column(
        Severity::Info,
        header,
        "total_read_as",
        format!("'{header}' is read as {words}: {because}"),
        "name the column cash or equity to decide it".into(),
    );
    Some((columns.numbers("total"), meaning))
}

/// An account as pasted; an error cell is refused.
pub(super) fn account(
    words: &WordColumn<'_>,
    row: usize,
    notes: &mut Notes,
) -> Result<Option<String>, Refused> {
    match words.word(words.code(row)) {
        Cell::Text(name) => Ok(Some(name.clone())),
        cell @ Cell::Error(_) => Err(error_cell(words, row, cell, notes)),
        Cell::Empty | Cell::Number(_) => Ok(None),
    }
}

/// Notes a spreadsheet error in a column of words.
pub(super) fn error_cell(words: &WordColumn<'_>, row: usize, cell: &Cell, notes: &mut Notes) -> Refused {
    notes.row(Severity::Error, row + 2, words.header(), "error_cell", || {
        let message = format!("{} holds a spreadsheet error, not a word", words.header());
        (cell.shown(), message, "repair the formula of the cell".into())
    });
    Refused
}
