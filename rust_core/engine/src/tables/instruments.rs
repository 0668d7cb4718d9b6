//! From a symbol and the columns that explain it to a contract.

use super::aliases::known_venue;
use super::columns::Columns;
use super::date;
use super::notes::Notes;
use super::number::{NumberColumn, Value};
use super::symbol::{self, Doubt, Form, NoSymbol, Parsed};
use super::words::{WordColumn, yes_or_no};
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
    venue: Option<&'static str>,
    row_venue: WordColumn<'a>,
    row_venues: Vec<Option<&'static str>>,
    settle: &'a str,
    outcomes: IndexMap<[u32; 9], Outcome>,
    contracts: IndexMap<Instrument, Form>,
    /// Place of the outcome of each symbol, where no other column explains symbols.
    by_symbol: Vec<Option<usize>>,
    only_symbols: bool,
}

/// Names of the columns behind `hints`, in their order.
const HINTS: [&str; 6] = ["type", "underlying", "settle", "inverse", "expiry", "optionType"];

enum Outcome {
    Contract(usize),
    Total,
    Refused { column: usize, code: &'static str, message: String, fix: &'static str },
}

/// What the explaining columns say.
#[derive(Default)]
struct Hints {
    kind: Option<KindHint>,
    payoff: Option<Payoff>,
    underlying: Option<String>,
    settle: Option<String>,
    inverse: Option<bool>,
    expiry: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KindHint {
    Perpetual,
    /// Deribit calls perpetuals futures too, so the symbol has a say.
    Future,
    Spot,
}

/// A refusal: place of the column (0 for the symbol, then [`HINTS`]), code, rule, fix.
type Refusal = (usize, &'static str, String, &'static str);

impl<'a> InstrumentReader<'a> {
    pub(super) fn new(columns: &Columns<'a>, settle: &'a str) -> Self {
        let row_venue = columns.words("venue");
        let row_venues = row_venue.map(|cell| known_venue(&cell.shown()));
        Self {
            symbol: columns.words("symbol"),
            hints: HINTS.map(|name| columns.words(name)),
            strike: columns.numbers("strike"),
            venue: columns.venue,
            row_venue,
            row_venues,
            settle,
            outcomes: IndexMap::new(),
            contracts: IndexMap::new(),
            by_symbol: Vec::new(),
            only_symbols: !HINTS.iter().chain(&["strike", "venue"]).any(|name| columns.has(name)),
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
        let strike = u32::from(matches!(self.strike.value(row), Value::Number(strike) if strike > 0.0));
        let [kind, underlying, settle, inverse, expiry, option] = &self.hints;
        let [a, b, c, d, e, f] =
            [kind, underlying, settle, inverse, expiry, option].map(|hint| hint.code(row));
        let key = [symbol, a, b, c, d, e, f, strike, self.row_venue.code(row)];
        let place = match self.outcomes.get_index_of(&key) {
            Some(place) => place,
            None => {
                let outcome = self.outcome(row, strike == 1, notes);
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

    fn outcome(&mut self, row: usize, strike: bool, notes: &mut Notes) -> Outcome {
        match self.contract(row, strike) {
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
        strike: bool,
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
        let hints = self.hints(row)?;
        if strike {
            return Err(option(0));
        }
        let parsed = match symbol::parse(&symbol, self.venue(row)) {
            Ok(parsed) => parsed,
            Err(NoSymbol::Total) => return Ok(None),
            Err(NoSymbol::Option) => return Err(option(0)),
            Err(NoSymbol::Unreadable) => {
                return Err((
                    0,
                    "symbol_unreadable",
                    format!("{} must name a contract, was {symbol}", self.symbol.header()),
                    "write the venue's symbol",
                ));
            }
        };
        Ok(Some(merge(symbol, parsed, hints, self.settle, self.venue(row))))
    }

    fn hints(&self, row: usize) -> Result<Hints, Refusal> {
        let mut hints = Hints::default();
        for (place, words) in self.hints.iter().enumerate() {
            let column = place + 1;
            let text = match words.word(words.code(row)) {
                Cell::Empty => continue,
                Cell::Error(_) => {
                    return Err((
                        column,
                        "error_cell",
                        format!("{} holds a spreadsheet error", words.header()),
                        "repair the formula of the cell",
                    ));
                }
                cell => cell.shown(),
            };
            match place {
                0 => kind_hint(&text, column, words.header(), &mut hints)?,
                1 => hints.underlying = Some(symbol::coin_name(&text)),
                2 => hints.settle = Some(symbol::coin_name(&text)),
                3 => {
                    let flag = yes_or_no(&text).ok_or_else(|| {
                        (
                            column,
                            "not_yes_or_no",
                            format!("{} takes yes or no, was {text}", words.header()),
                            "write yes or no",
                        )
                    })?;
                    hints.inverse = Some(flag);
                }
                4 if matches!(text.to_lowercase().as_str(), "0" | "none" | "perpetual" | "perp" | "-") => {}
                4 => {
                    let expiry = date::any(&text).ok_or_else(|| {
                        (
                            column,
                            "not_a_date",
                            format!("{} needs a date that can mean one day only, was {text}", words.header()),
                            "write it as 2026-03-27",
                        )
                    })?;
                    // Venues give perpetuals an expiry in the year 3000.
                    hints.expiry = Some(expiry).filter(|expiry| expiry.as_str() < "2200");
                }
                _ if matches!(text.to_lowercase().as_str(), "none" | "-" | "na" | "n/a") => {}
                _ => return Err(option(column)),
            }
        }
        Ok(hints)
    }

    fn note_doubt(&self, row: usize, doubt: Doubt, instrument: &Instrument, notes: &mut Notes) {
        let Instrument { symbol, underlying, settle, payoff, kind, .. } = instrument;
        let (severity, code, message, fix) = match doubt {
            Doubt::Payoff => {
                let form = if *payoff == Payoff::Inverse {
                    "an inverse contract (quantity in USD)"
                } else {
                    "a linear contract"
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
                    "add a column 'type' (perpetual, future or spot)",
                )
            }
            Doubt::Separators => (
                Severity::Info,
                "symbol_not_understood",
                format!(
                    "'{symbol}' has no form that is known; it is read as a linear perpetual on {underlying} settled in {settle}"
                ),
                "add columns 'underlying' and 'settle'",
            ),
        };
        notes
            .row(severity, row + 2, self.symbol.header(), code, || (symbol.clone(), message, fix.to_owned()));
    }
}

fn option(column: usize) -> Refusal {
    (
        column,
        "option_not_covered",
        "options are not covered by this rulebook yet".into(),
        "leave options out of the table",
    )
}

fn kind_hint(text: &str, column: usize, header: &str, hints: &mut Hints) -> Result<(), Refusal> {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (kind, payoff) = match word.as_str() {
        "swap" | "perp" | "perpetual" | "perpetuals" | "perpetualswap" => (Some(KindHint::Perpetual), None),
        "linearperpetual" => (Some(KindHint::Perpetual), Some(Payoff::Linear)),
        "inverseperpetual" => (Some(KindHint::Perpetual), Some(Payoff::Inverse)),
        "future" | "futures" | "delivery" | "currentquarter" | "nextquarter" => {
            (Some(KindHint::Future), None)
        }
        "linearfutures" => (Some(KindHint::Future), Some(Payoff::Linear)),
        "inversefutures" => (Some(KindHint::Future), Some(Payoff::Inverse)),
        "linear" => (None, Some(Payoff::Linear)),
        "inverse" => (None, Some(Payoff::Inverse)),
        "spot" => (Some(KindHint::Spot), None),
        // Hyperliquid's word for one-way mode.
        "oneway" => (None, None),
        "option" | "options" => return Err(option(column)),
        _ => {
            return Err((
                column,
                "type_unknown",
                format!("{header} takes perpetual, future, spot, linear or inverse, was {text}"),
                "correct the word or clear the cell",
            ));
        }
    };
    hints.kind = kind;
    hints.payoff = payoff;
    Ok(())
}

/// Explicit columns win over what the symbol says.
fn merge(
    symbol: String,
    parsed: Parsed,
    hints: Hints,
    default_settle: &str,
    venue: Option<&str>,
) -> (Instrument, Form, Option<Doubt>) {
    let Parsed { underlying, settle, kind, payoff, expiry, form, doubt } = parsed;
    let explained = match doubt {
        Some(Doubt::Payoff) => hints.inverse.is_some() || hints.payoff.is_some() || hints.settle.is_some(),
        Some(Doubt::Kind) => hints.kind.is_some(),
        Some(Doubt::Separators) => hints.underlying.is_some(),
        None => true,
    };
    let underlying = hints.underlying.unwrap_or(underlying);
    let payoff = (hints.inverse.map(|inverse| if inverse { Payoff::Inverse } else { Payoff::Linear }))
        .or(hints.payoff)
        .unwrap_or_else(|| match (&hints.settle, payoff) {
            (Some(given), Payoff::Inverse) if *given != underlying => Payoff::Linear,
            (Some(given), Payoff::Linear) if *given == underlying && settle.is_none() => Payoff::Inverse,
            _ => payoff,
        });
    let expiry = hints.expiry.or(expiry);
    let says_perpetual = venue == Some("deribit")
        || symbol.to_uppercase().contains("PERP")
        || symbol.contains("SWAP")
        || symbol.contains(':');
    let kind = match hints.kind {
        Some(KindHint::Spot) => ContractKind::Spot,
        Some(KindHint::Perpetual) => ContractKind::Perpetual,
        Some(KindHint::Future) if expiry.is_none() && says_perpetual => kind,
        Some(KindHint::Future) => ContractKind::Future,
        // A symbol that is joined from two coins, and a type that says linear, is a contract.
        None if hints.payoff.is_some() && kind == ContractKind::Spot => ContractKind::Perpetual,
        None if expiry.is_some() => ContractKind::Future,
        None => kind,
    };
    let payoff = if kind == ContractKind::Spot { Payoff::Linear } else { payoff };
    let settle = hints.settle.unwrap_or_else(|| match (payoff, settle) {
        (Payoff::Inverse, _) => underlying.clone(),
        (Payoff::Linear, Some(settle)) if settle != underlying => settle,
        (Payoff::Linear, _) => default_settle.to_owned(),
    });
    let expiry = if kind == ContractKind::Future { expiry } else { None };
    let instrument =
        Instrument { symbol, underlying, settle, kind, payoff, expiry, expiry_instant: None, option: None };
    (instrument, form, doubt.filter(|_| !explained))
}
