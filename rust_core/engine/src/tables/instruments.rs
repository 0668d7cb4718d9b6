//! From a symbol and the columns that explain it to a contract.

use super::aliases::known_venue;
use super::columns::Columns;
use super::hints::{HINTS, Hints, Refusal, STRIKE, StrikeCell, merge};
use super::notes::Notes;
use super::number::{NumberColumn, Value};
use super::symbol::{self, Doubt, Form, NoSymbol};
use super::words::WordColumn;
use crate::cell::Cell;
use crate::finding::Severity;
use crate::instrument::{ContractKind, Instrument, Payoff};
use indexmap::IndexMap;

/// What the row of a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A contract, by its place in [`InstrumentReader::get`].
    Contract(usize),
    /// A sum of other rows; noted.
    Total,
    /// Nothing usable; noted.
    Refused,
}

/// Reads each distinct combination of symbol and explaining words once.
pub(super) struct InstrumentReader<'a> {
    symbol: WordColumn<'a>,
    hints: [WordColumn<'a>; 6],
    strike: NumberColumn<'a>,
    seconds: NumberColumn<'a>,
    venue: Option<&'static str>,
    row_venue: WordColumn<'a>,
    row_venues: Vec<Option<&'static str>>,
    settle: &'a str,
    outcomes: IndexMap<Key, Outcome>,
    contracts: IndexMap<Instrument, Form>,
    /// Place of the outcome of each symbol, where no other column explains symbols.
    by_symbol: Vec<Option<usize>>,
    only_symbols: bool,
}

/// The words of a row that say what its contract is, its strike, and whether its seconds to expiry are given.
type Key = ([u32; 8], StrikeCell, bool);

enum Outcome {
    Contract(usize),
    Total,
    Refused { column: usize, code: &'static str, message: String, fix: &'static str },
}

impl<'a> InstrumentReader<'a> {
    pub(super) fn new(columns: &Columns<'a>, settle: &'a str) -> Self {
        let row_venue = columns.words("venue");
        let row_venues = row_venue.map(|cell| known_venue(&cell.shown()));
        Self {
            symbol: columns.words("symbol"),
            hints: HINTS.map(|name| columns.words(name)),
            strike: columns.numbers("strike"),
            seconds: columns.numbers("secondsToExpiry"),
            venue: columns.venue,
            row_venue,
            row_venues,
            settle,
            outcomes: IndexMap::new(),
            contracts: IndexMap::new(),
            by_symbol: Vec::new(),
            only_symbols: !HINTS
                .iter()
                .chain(&["strike", "secondsToExpiry", "venue"])
                .any(|name| columns.has(name)),
        }
    }

    /// The symbol as pasted.
    pub(super) fn symbol(&self, row: usize) -> Option<&str> {
        self.symbol.text(row)
    }

    /// The header of the symbol as pasted.
    pub(super) fn header(&self) -> &'a str {
        self.symbol.header()
    }

    /// Whether the symbol cell holds neither text nor an error.
    pub(super) fn is_empty(&self, row: usize) -> bool {
        *self.symbol.word(self.symbol.code(row)) == Cell::Empty
    }

    /// The venue whose symbols and units a row has: what its own column says, or what the headers show.
    pub(super) fn venue(&self, row: usize) -> Option<&'static str> {
        let own = usize::try_from(self.row_venue.code(row)).ok().and_then(|code| self.row_venues.get(code));
        own.copied().flatten().or(self.venue)
    }

    /// A contract that was found.
    pub(super) fn get(&self, place: usize) -> Option<(&Instrument, Form)> {
        self.contracts.get_index(place).map(|(instrument, form)| (instrument, *form))
    }

    /// The contract of a row.
    pub(super) fn read(&mut self, row: usize, notes: &mut Notes) -> Found {
        let place = self.place(row, notes);
        match self.outcomes.get_index(place) {
            Some((_, Outcome::Contract(contract))) => Found::Contract(*contract),
            Some((_, Outcome::Total)) => {
                notes.row(Severity::Info, row + 2, self.symbol.header(), "total_row", || {
                    let shown = self.symbol.word(self.symbol.code(row)).shown();
                    (shown, "a row that sums the others is left out".into(), String::new())
                });
                Found::Total
            }
            Some((_, Outcome::Refused { column, code, message, fix })) => {
                if *column == STRIKE {
                    notes.row(Severity::Error, row + 2, self.strike.header(), code, || {
                        (self.strike.shown(row), message.clone(), (*fix).to_owned())
                    });
                    return Found::Refused;
                }
                let words =
                    column.checked_sub(1).and_then(|hint| self.hints.get(hint)).unwrap_or(&self.symbol);
                notes.row(Severity::Error, row + 2, words.header(), code, || {
                    (words.word(words.code(row)).shown(), message.clone(), (*fix).to_owned())
                });
                Found::Refused
            }
            None => Found::Refused,
        }
    }

    /// The place of the outcome of a row, which is found first if it is new.
    fn place(&mut self, row: usize, notes: &mut Notes) -> usize {
        let symbol = self.symbol.code(row);
        if let Some(Some(place)) = self.by_symbol.get(symbol as usize) {
            return *place;
        }
        let strike = self.strike_cell(row);
        let has_seconds = !matches!(self.seconds.value(row), Value::Empty);
        let [kind, underlying, settle, inverse, expiry, option] = &self.hints;
        let [a, b, c, d, e, f] =
            [kind, underlying, settle, inverse, expiry, option].map(|hint| hint.code(row));
        let key = ([symbol, a, b, c, d, e, f, self.row_venue.code(row)], strike, has_seconds);
        let place = match self.outcomes.get_index_of(&key) {
            Some(place) => place,
            None => {
                let outcome = self.outcome(row, strike, has_seconds, notes);
                self.outcomes.insert_full(key, outcome).0
            }
        };
        if self.only_symbols {
            if self.by_symbol.is_empty() {
                self.by_symbol = self.symbol.map(|_| None);
            }
            if let Some(slot) = self.by_symbol.get_mut(symbol as usize) {
                *slot = Some(place);
            }
        }
        place
    }

    fn strike_cell(&self, row: usize) -> StrikeCell {
        match self.strike.value(row) {
            Value::Empty => StrikeCell::Empty,
            Value::Number(strike) => StrikeCell::Number(strike.to_bits()),
            Value::Percent(_) | Value::NotANumber => {
                StrikeCell::Bad("not_a_number", "needs text that can mean one number only")
            }
            Value::NotFinite => StrikeCell::Bad("not_finite", "must be a finite number"),
            Value::ErrorCell => StrikeCell::Bad("error_cell", "holds a spreadsheet error, not a number"),
        }
    }

    fn outcome(&mut self, row: usize, strike: StrikeCell, has_seconds: bool, notes: &mut Notes) -> Outcome {
        match self.contract(row, strike, has_seconds) {
            Ok(None) => Outcome::Total,
            Ok(Some((instrument, form, doubt))) => {
                if let Some(doubt) = doubt {
                    self.note_doubt(row, doubt, &instrument, notes);
                }
                Outcome::Contract(self.contracts.insert_full(instrument, form).0)
            }
            Err((column, code, message, fix)) => Outcome::Refused { column, code, message, fix },
        }
    }

    fn contract(
        &self,
        row: usize,
        strike: StrikeCell,
        has_seconds: bool,
    ) -> Result<Option<(Instrument, Form, Option<Doubt>)>, Refusal> {
        let symbol = match self.symbol.word(self.symbol.code(row)) {
            Cell::Error(_) => {
                return Err((
                    0,
                    "error_cell",
                    format!("{} holds a spreadsheet error", self.symbol.header()),
                    "repair the formula of the cell",
                ));
            }
            cell => cell.shown(),
        };
        let mut hints = Hints::read(&self.hints, row)?;
        (hints.strike, hints.has_seconds) = (strike, has_seconds);
        let parsed = match symbol::parse(&symbol, self.venue(row)) {
            Ok(parsed) => parsed,
            Err(NoSymbol::Total) => return Ok(None),
            Err(NoSymbol::Unreadable) => {
                return Err((
                    0,
                    "symbol_unreadable",
                    format!("{} must name a contract, was {symbol}", self.symbol.header()),
                    "write the venue's symbol",
                ));
            }
        };
        merge(symbol, parsed, hints, self.settle, self.venue(row)).map(Some)
    }

    fn note_doubt(&self, row: usize, doubt: Doubt, instrument: &Instrument, notes: &mut Notes) {
        let Instrument { symbol, underlying, settle, payoff, kind, .. } = instrument;
        let (severity, code, message, fix) = match doubt {
            Doubt::Payoff => {
                let form = match (payoff, kind) {
                    (Payoff::Inverse, ContractKind::Option) => "a coin-settled option (quantity in coins)",
                    (Payoff::Inverse, _) => "an inverse contract (quantity in USD)",
                    (Payoff::Linear, _) => "a linear contract",
                };
                (
                    Severity::Warning,
                    "payoff_assumed",
                    format!(
                        "'{symbol}' is read as {form} on {underlying} settled in {settle}; venues differ"
                    ),
                    "add a column 'inverse' or 'settle'",
                )
            }
            Doubt::Kind => {
                let form = if *kind == ContractKind::Spot { "spot" } else { "a perpetual" };
                (
                    Severity::Warning,
                    "kind_assumed",
                    format!("'{symbol}' is read as {form}; venues differ"),
                    "add a column 'type' (perpetual, future, option or spot)",
                )
            }
            Doubt::Separators => (
                Severity::Info,
                "symbol_not_understood",
                format!(
                    "'{symbol}' has no form that is known; it is read as a linear {} on {underlying} settled in {settle}",
                    if *kind == ContractKind::Option { "option" } else { "perpetual" }
                ),
                "add columns 'underlying' and 'settle'",
            ),
        };
        notes
            .row(severity, row + 2, self.symbol.header(), code, || (symbol.clone(), message, fix.to_owned()));
    }
}
