//! The columns of a position that say which maintenance table and which margin it has.

use super::columns::Columns;
use super::modes::{Leverage, Mode, mode};
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::words::{MeaningColumn, WordColumn};
use super::{IsolatedMargin, MarginMode, TierSource};
use crate::cell::Cell;
use crate::finding::Severity;

/// Margin mode, isolated margin and maintenance table.
pub(super) struct MarginColumns<'a> {
    venue: Option<&'static str>,
    mode: MeaningColumn<'a, Mode>,
    table: WordColumn<'a>,
    rate: NumberColumn<'a>,
    amount: NumberColumn<'a>,
    isolated_wallet: NumberColumn<'a>,
    isolated_margin: NumberColumn<'a>,
}

impl<'a> MarginColumns<'a> {
    pub(super) fn new(columns: &Columns<'a>) -> Self {
        Self {
            venue: columns.venue,
            mode: MeaningColumn::new(columns.words("marginMode"), mode),
            table: columns.words("marginTable"),
            rate: columns.numbers("maintenanceMarginRate"),
            amount: columns.numbers("maintAmt"),
            isolated_wallet: columns.numbers("isolatedWallet"),
            isolated_margin: columns.numbers("isolatedMargin"),
        }
    }

    /// Where the maintenance rate comes from: a table wins over a rate.
    pub(super) fn tier(&self, row: usize, notes: &mut Notes) -> Result<TierSource, Refused> {
        let rate = self.rate.read(row, Rule::Fraction, notes)?;
        let amount = self.amount.read(row, Rule::NotNegative, notes)?;
        match self.table.word(self.table.code(row)) {
            Cell::Error(_) => {
                notes.row(Severity::Error, row + 2, self.table.header(), "error_cell", || {
                    let shown = self.table.word(self.table.code(row)).shown();
                    (
                        shown,
                        "a margin table needs a name, not a spreadsheet error".into(),
                        "repair the formula of the cell".into(),
                    )
                });
                Err(Refused)
            }
            Cell::Empty => Ok(match rate {
                Some(rate) if rate > 0.0 && amount.is_none() && self.is_reported_rate() => {
                    TierSource::ReportedRate { rate }
                }
                Some(rate) if rate > 0.0 => TierSource::Rate { rate, amount: amount.unwrap_or(0.0) },
                Some(_) => {
                    notes.row(Severity::Warning, row + 2, self.rate.header(), "rate_zero", || {
                        (
                            "0".into(),
                            "a maintenance rate of zero is read as not given".into(),
                            "clear the cell or write the rate".into(),
                        )
                    });
                    TierSource::Rulebook
                }
                None => {
                    if amount.is_some_and(|amount| amount > 0.0) {
                        notes.row(
                            Severity::Warning,
                            row + 2,
                            self.amount.header(),
                            "amount_without_rate",
                            || {
                                let message =
                                    "a cumulative amount means nothing without the rate of its bracket"
                                        .into();
                                (self.amount.shown(row), message, "add a column maintenanceMarginRate".into())
                            },
                        );
                    }
                    TierSource::Rulebook
                }
            }),
            name => {
                if rate.is_some() {
                    notes.row(Severity::Info, row + 2, self.rate.header(), "rate_not_used", || {
                        let message = "the margin table of the row is used, not its rate".into();
                        (self.rate.shown(row), message, "clear one of the two".into())
                    });
                }
                Ok(TierSource::Table(name.shown()))
            }
        }
    }

    fn is_reported_rate(&self) -> bool {
        super::aliases::normalise(self.rate.header()) == "maintenancemarginpercentage"
    }

    /// Cross, or isolated with its margin.
    pub(super) fn mode(
        &self,
        row: usize,
        leverage: Result<Option<Leverage>, Refused>,
        initial_margin: Result<Option<f64>, Refused>,
        notes: &mut Notes,
    ) -> Result<MarginMode, Refused> {
        let said = self.mode.read(row, notes);
        let wallet = self.isolated_wallet.read(row, Rule::Finite, notes);
        let margin = self.isolated_margin.read(row, Rule::Finite, notes)?;
        let (said, wallet) = (said?.or(leverage?.and_then(|l| l.mode)), wallet?);
        // Binance's third version has no margin type: a cross row has an isolated wallet of zero.
        let binance = self.venue == Some("binance");
        let implied = binance && (wallet.or(margin)).is_some_and(|cash| cash > 0.0);
        if !(said == Some(Mode::Isolated) || said.is_none() && implied) {
            return Ok(MarginMode::Cross);
        }
        // Hyperliquid's margin of an isolated position is its equity.
        let equity = margin.or(if self.venue == Some("hyperliquid") { initial_margin? } else { None });
        Ok(MarginMode::Isolated(match (wallet, equity) {
            (Some(cash), _) => IsolatedMargin::Cash(cash),
            (None, Some(equity)) => IsolatedMargin::Equity(equity),
            (None, None) => IsolatedMargin::FromLeverage,
        }))
    }
}
