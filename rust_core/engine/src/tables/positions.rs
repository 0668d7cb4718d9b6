//! The positions table.

use super::aliases::Sheet;
use super::columns::Columns;
use super::held::{Held, Names};
use super::instruments::{Found, InstrumentReader};
use super::margin_columns::MarginColumns;
use super::modes::{Leverage, leverage};
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule};
use super::quoted::{Quoted, QuotedColumns};
use super::side::{Direction, direction, leg, position_index, signed};
use super::units::{self, Because, Reading, Scale, Size};
use super::words::{MeaningColumn, WordColumn, flags};
use super::{Defaults, PositionRow, Positions, Reported, TierSource, UnitView, opposite, times};
use crate::cell::Table;
use crate::finding::Severity;
use crate::instrument::{ContractKind, Instrument, Payoff};

/// Reads a positions table.
pub fn read_positions(table: &Table, defaults: &Defaults) -> Positions {
    let mut notes = Notes::new(Sheet::Positions);
    let (columns, views) = Columns::read(table, Sheet::Positions, &[&["symbol"], &["contracts"]], &mut notes);
    let mut reader = Reader::new(&columns, defaults, &mut notes);
    let mut positions = Positions { columns: views, venue: columns.venue, ..Positions::default() };
    if columns.usable && columns.rows() == 0 {
        let message = "positions need rows below the header; the table is empty".to_owned();
        notes.table(Severity::Error, "table_empty", message, "paste the rows below the header");
    }
    positions.rows.reserve(columns.rows());
    for row in 0..columns.rows() {
        // A refused row has its finding already.
        if let Ok(Some(position)) = reader.row(row, &mut positions, &mut notes) {
            positions.rows.push(position);
        }
    }
    positions.accounts = reader.accounts.into_names();
    positions.strategies = reader.strategies.into_names();
    let header = columns.header("contracts");
    positions.rows = opposite::refuse(positions.rows, &positions.instruments, header, &mut notes);
    if columns.usable {
        positions.timestamp = times::latest(columns.column("timestamp"));
    }
    positions.findings = notes.finish();
    positions
}

/// Columns of the table, each resolved once.
struct Reader<'a> {
    columns: &'a Columns<'a>,
    instruments: InstrumentReader<'a>,
    held: Held,
    accounts: Names<'a>,
    strategies: Names<'a>,
    margin: MarginColumns<'a>,
    side: MeaningColumn<'a, Direction>,
    position_side: MeaningColumn<'a, Direction>,
    position_index: MeaningColumn<'a, Direction>,
    hedged: MeaningColumn<'a, bool>,
    contracts: NumberColumn<'a>,
    contract_size: NumberColumn<'a>,
    size_currency: NumberColumn<'a>,
    entry: NumberColumn<'a>,
    mark: NumberColumn<'a>,
    index: NumberColumn<'a>,
    notional: NumberColumn<'a>,
    notional_usd: NumberColumn<'a>,
    unrealised: NumberColumn<'a>,
    funding: NumberColumn<'a>,
    quoted: QuotedColumns<'a>,
    initial: NumberColumn<'a>,
    maintenance: NumberColumn<'a>,
    liquidation: NumberColumn<'a>,
    leverage: MeaningColumn<'a, Leverage>,
    initial_rate: NumberColumn<'a>,
    last: MeaningColumn<'a, bool>,
    risk_array: WordColumn<'a>,
}

impl<'a> Reader<'a> {
    fn new(columns: &'a Columns<'a>, defaults: &'a Defaults, notes: &mut Notes) -> Self {
        Self {
            columns,
            instruments: InstrumentReader::new(columns, &defaults.settle),
            held: Held::default(),
            accounts: Names::new(columns.words("account")),
            strategies: Names::new(columns.words("strategy")),
            margin: MarginColumns::new(columns),
            side: MeaningColumn::new(columns.words("side"), direction),
            position_side: MeaningColumn::new(columns.words("positionSide"), direction),
            position_index: MeaningColumn::new(columns.words("positionIdx"), position_index),
            hedged: flags(columns.words("hedged")),
            contracts: columns.numbers("contracts"),
            contract_size: columns.numbers("contractSize"),
            size_currency: columns.numbers("sizeCurrency"),
            entry: columns.numbers("entryPrice"),
            mark: columns.numbers("markPrice"),
            index: columns.numbers("indexPrice"),
            notional: columns.numbers("notional"),
            notional_usd: columns.numbers("notionalUsd"),
            unrealised: columns.numbers("unrealizedPnl"),
            funding: columns.numbers("unrealizedFunding"),
            quoted: QuotedColumns::new(columns, notes),
            initial: columns.numbers("initialMargin"),
            maintenance: columns.numbers("maintenanceMargin"),
            liquidation: columns.numbers("liquidationPrice"),
            leverage: MeaningColumn::new(columns.words("leverage"), leverage),
            initial_rate: columns.numbers("initialMarginRate"),
            last: flags(columns.words("liquidateLast")),
            risk_array: columns.words("riskArray"),
        }
    }

    /// One row; `None` if it holds nothing, with a finding unless it is blank.
    fn row(
        &mut self,
        row: usize,
        positions: &mut Positions,
        notes: &mut Notes,
    ) -> Result<Option<PositionRow>, Refused> {
        if self.instruments.is_empty(row) {
            return self.without_symbol(row, notes);
        }
        if self.is_flat(row, notes) {
            return Ok(None);
        }
        let place = match self.instruments.read(row, notes) {
            Found::Contract(place) => place,
            Found::Total => return Ok(None),
            Found::Refused => return Err(Refused),
        };
        // Every column is read before the row is given up, so that one look shows all that is wrong with it.
        let option = self.instruments.get(place).is_some_and(|(found, _)| found.kind == ContractKind::Option);
        let price = if option { Rule::NotNegative } else { Rule::Price };
        let side = self.direction(row, notes);
        let size = self.contracts.read(row, Rule::Finite, notes);
        let contract_size = self.contract_size.read(row, Rule::Positive("contract_size_not_positive"), notes);
        let coins = self.size_currency.read(row, Rule::Finite, notes);
        let entry_price = self.entry.read(row, price, notes);
        let mark_price = self.mark.read(row, price, notes);
        let index_price = self.index.read(row, Rule::Price, notes);
        let notional = self.notional.read(row, Rule::Finite, notes);
        let notional_usd = self.notional_usd.read(row, Rule::Finite, notes);
        let unrealised_pnl = self.unrealised.read(row, Rule::Finite, notes);
        let unrealised_funding = self.funding.read(row, Rule::Finite, notes);
        let quoted = self.quoted.read(row, option, notes);
        let initial_margin = self.initial.read(row, Rule::Finite, notes);
        let maintenance_margin = self.maintenance.read(row, Rule::Finite, notes);
        let liquidation_price = self.liquidation.read(row, Rule::Finite, notes);
        // an option has no leverage and no maintenance table, whatever a venue writes there
        let leverage = if option { Ok(None) } else { self.leverage.read(row, notes) };
        let initial_rate = if option { Ok(None) } else { self.initial_rate.read(row, Rule::Fraction, notes) };
        let tier = if option { Ok(TierSource::Rulebook) } else { self.margin.tier(row, notes) };
        let mode = self.margin.mode(row, leverage, initial_margin, notes);
        let liquidate_last = self.last.read(row, notes);

        let ((side, hedge_word, hedged), mark_price, entry_price) = (side?, mark_price?, entry_price?);
        let Some(size) = size? else {
            notes.row(Severity::Error, row + 2, self.contracts.header(), "quantity_missing", || {
                (
                    String::new(),
                    "a position needs a quantity".into(),
                    "fill the cell or remove the row".into(),
                )
            });
            return Err(Refused);
        };
        let size = self.signed(row, size, side, notes)?;
        let Some((instrument, form)) = self.instruments.get(place) else { return Err(Refused) };
        let given = Size {
            size,
            contract_size: contract_size?,
            notional: notional?.map(f64::abs),
            notional_usd: notional_usd?.map(f64::abs),
            coins: coins?.map(f64::abs),
            mark: mark_price,
            entry: entry_price,
            payoff: instrument.payoff,
            option,
            form,
            venue: self.instruments.venue(row),
        };
        let Some(reading) = units::read(&given) else {
            return self.without_unit(row, instrument, notes);
        };
        let reported = Reported {
            notional: reported_notional(&given),
            initial_margin: initial_margin?,
            maintenance_margin: maintenance_margin?,
            // Venues write 0 where there is no such price.
            liquidation_price: liquidation_price?.filter(|price| *price > 0.0),
        };
        let position = PositionRow {
            row: row + 2,
            account: None,
            strategy: None,
            instrument: 0,
            leg: leg(hedge_word, hedged, reading.quantity),
            quantity: reading.quantity,
            entry_price,
            mark_price,
            index_price: index_price?,
            unrealised_pnl: unrealised_pnl?,
            unrealised_funding: unrealised_funding?,
            leverage: leverage?.map(|l| l.times),
            mode: mode?,
            tier: tier?,
            initial_rate: initial_rate?,
            reported,
            quoted: Some(quoted?).filter(|quoted| *quoted != Quoted::default()).map(Box::new),
            liquidate_last: liquidate_last?.unwrap_or(false),
        };
        let account = self.accounts.read(row, notes)?;
        let strategy = self.strategies.read(row, notes)?;
        let (index, first) = self.held.register(place, instrument, &reading, positions);
        let symbol = self.instruments.symbol(row).unwrap_or_default();
        if first {
            self.note_unit(row, symbol, &reading, positions, notes);
        }
        if let Some(expected) = reading.differs_from {
            self.note_difference(row, symbol, expected, notes);
        }
        self.keep_risk_array(row, index, positions, notes)?;
        Ok(Some(PositionRow { account, strategy, instrument: index, ..position }))
    }

    /// Keeps the values per scenario of a row; rows of one contract must agree.
    fn keep_risk_array(
        &self,
        row: usize,
        instrument: u32,
        positions: &mut Positions,
        notes: &mut Notes,
    ) -> Result<(), Refused> {
        let Some(text) = self.risk_array.text(row) else { return Ok(()) };
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let values: Option<Vec<f64>> =
            parts.map(|part| part.parse::<f64>().ok().filter(|value| value.is_finite())).collect();
        let known = positions.risk_arrays.get(&instrument);
        let rule = match (&values, known) {
            (None, _) => "takes numbers with semicolons between",
            (Some(values), Some(known)) if values != known => "differs from another row of the contract",
            _ => "",
        };
        if let (true, Some(values)) = (rule.is_empty(), values) {
            positions.risk_arrays.insert(instrument, values);
            return Ok(());
        }
        notes.row(Severity::Error, row + 2, self.risk_array.header(), "risk_array_unclear", || {
            let message = format!("{} {rule}", self.risk_array.header());
            (text.to_owned(), message, "write 0; 0; 3330; -3330".into())
        });
        Err(Refused)
    }

    fn without_symbol(&self, row: usize, notes: &mut Notes) -> Result<Option<PositionRow>, Refused> {
        if self.columns.is_blank(row) {
            return Ok(None);
        }
        if self.columns.is_total(row) {
            self.note_total(row, notes);
            return Ok(None);
        }
        notes.row(Severity::Error, row + 2, self.instruments.header(), "symbol_missing", || {
            (String::new(), "a position needs a symbol".into(), "fill the cell or remove the row".into())
        });
        Err(Refused)
    }

    fn note_total(&self, row: usize, notes: &mut Notes) {
        notes.row(Severity::Info, row + 2, self.instruments.header(), "total_row", || {
            ("TOTAL".into(), "a row that sums the others is left out".into(), String::new())
        });
    }

    /// Rows of size zero are left out before anything else is looked at: venues fill them with zero prices.
    fn is_flat(&self, row: usize, notes: &mut Notes) -> bool {
        let flat = matches!(self.contracts.value(row), super::number::Value::Number(size) if size == 0.0);
        let symbol = self.instruments.symbol(row).unwrap_or_default();
        if flat && !super::symbol::is_total(symbol) {
            notes.row(Severity::Info, row + 2, self.contracts.header(), "flat", || {
                ("0".into(), format!("{symbol} has size 0 and is left out"), String::new())
            });
            return true;
        }
        false
    }

    /// Direction for the sign, the word of hedge mode, and whether a flag says hedge mode.
    fn direction(
        &self,
        row: usize,
        notes: &mut Notes,
    ) -> Result<(Option<Direction>, Option<Direction>, bool), Refused> {
        let side = self.side.read(row, notes);
        let position_side = self.position_side.read(row, notes);
        let index = self.position_index.read(row, notes);
        let hedged = self.hedged.read(row, notes)?.unwrap_or(false);
        let (side, position_side, index) = (side?, position_side?, index?);
        let hedge_word = [position_side, index]
            .into_iter()
            .flatten()
            .find(|word| matches!(word, Direction::Long | Direction::Short));
        let plain = side.filter(|word| matches!(word, Direction::Long | Direction::Short | Direction::Zero));
        if let (Some(plain), Some(leg)) = (plain, hedge_word)
            && plain != leg
            && plain != Direction::Zero
        {
            notes.row(Severity::Error, row + 2, self.columns.header("side"), "side_leg_conflict", || {
                (
                    format!("{plain:?} / {leg:?}"),
                    "side and position side must agree".into(),
                    "correct one of them".into(),
                )
            });
            return Err(Refused);
        }
        Ok((plain.or(hedge_word), hedge_word, hedged))
    }

    fn signed(
        &self,
        row: usize,
        size: f64,
        side: Option<Direction>,
        notes: &mut Notes,
    ) -> Result<f64, Refused> {
        signed(size, side).map_err(|(code, rule)| {
            notes.row(Severity::Error, row + 2, self.contracts.header(), code, || {
                let shown = self.contracts.shown(row);
                let message = format!("{} {rule}, was {shown}", self.contracts.header());
                (shown, message, "correct the side or the sign".into())
            });
            Refused
        })
    }

    fn without_unit<T>(&self, row: usize, instrument: &Instrument, notes: &mut Notes) -> Result<T, Refused> {
        notes.row(Severity::Error, row + 2, self.contracts.header(), "unit_unknown", || {
            let message = format!(
                "{} of {} counts contracts, and neither a contract size nor notional and mark price say how large one is",
                self.contracts.header(), instrument.symbol
            );
            (self.contracts.shown(row), message, "add a column contractSize (1 if the quantity is in coins)".into())
        });
        Err(Refused)
    }

    /// The unit of a symbol, once; a unit that the table does not state is a finding too.
    fn note_unit(
        &self,
        row: usize,
        symbol: &str,
        reading: &Reading,
        positions: &mut Positions,
        notes: &mut Notes,
    ) {
        let Reading { because, read_as, scale, .. } = *reading;
        let factor = if let Scale::Times(factor) = scale { factor } else { 1.0 };
        let because_words = because.words(factor);
        let severity = match because {
            Because::DerivedContractSize | Because::EqualsNotional => Some(Severity::Info),
            Because::AlreadyCoins => Some(Severity::Warning),
            _ => None,
        };
        if let Some(severity) = severity {
            notes.row(severity, row + 2, self.contracts.header(), "unit_chosen", || {
                let message = format!("the quantity of {symbol} is read as {read_as}: {because_words}");
                (self.contracts.shown(row), message, "add a column contractSize to decide it".into())
            });
        }
        positions.units.push(UnitView { symbol: symbol.to_owned(), read_as, because: because_words });
    }

    fn note_difference(&self, row: usize, symbol: &str, expected: f64, notes: &mut Notes) {
        let column = if self.columns.has("notional") { &self.notional } else { &self.notional_usd };
        notes.row(Severity::Warning, row + 2, column.header(), "notional_differs", || {
            let message = format!(
                "notional of {symbol} differs by more than 1 % from quantity and mark price, which give {expected}"
            );
            (column.shown(row), message, "check the unit of the quantity and the contract size".into())
        });
    }
}

/// The notional in the settlement currency; that of an inverse contract in USD is turned into coins.
/// Of an option it is left out, since some venues report its value and others that of the coins.
fn reported_notional(given: &Size) -> Option<f64> {
    if given.option {
        return None;
    }
    given.notional.or_else(|| match given.payoff {
        Payoff::Linear => given.notional_usd,
        Payoff::Inverse => given.notional_usd.zip(given.mark).map(|(usd, mark)| usd / mark),
    })
}
