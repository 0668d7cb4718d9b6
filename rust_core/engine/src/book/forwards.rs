//! What the market table and the contracts of a book say about each other's expiry.

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::instrument::{ContractKind, Instrument};
use crate::tables::{MarketRow, Positions, Quoted};

/// Forwards or volatilities of the same that differ by more than this share are worth a word.
const APART: f64 = 1e-3;

/// Rows by coin and day, with the instant where a row gives one.
type ByExpiry = BTreeMap<(String, String), Vec<(Option<i64>, Quoted)>>;

/// Contracts of one coin that expire together: coin, day, instant, and where no day is known the seconds left.
type Expiry = (String, Option<String>, Option<i64>, u64);

/// What the market table says, sorted by what its rows are about.
#[derive(Debug, Default)]
pub(super) struct MarketQuotes {
    by_symbol: BTreeMap<String, Quoted>,
    /// Rows about an expiry alone.
    by_expiry: ByExpiry,
    /// Rows about a contract of an expiry.
    by_contract: ByExpiry,
    by_coin: BTreeMap<String, Quoted>,
}

impl MarketQuotes {
    /// Sorts the rows; of two rows about the same the first one wins.
    pub(super) fn new(rows: &[MarketRow]) -> Self {
        let mut market = Self::default();
        for row in rows {
            let coin = row.underlying.as_ref().map(|coin| coin.to_uppercase());
            if let Some(symbol) = &row.symbol {
                let slot = market.by_symbol.entry(symbol.to_uppercase()).or_default();
                *slot = slot.or(&row.quoted);
            }
            let Some(coin) = coin else { continue };
            match (&row.expiry, &row.symbol) {
                (Some(day), symbol) => {
                    let rows = if symbol.is_some() { &mut market.by_contract } else { &mut market.by_expiry };
                    rows.entry((coin, day.clone())).or_default().push((row.expiry_instant, row.quoted));
                }
                (None, None) => {
                    let slot = market.by_coin.entry(coin).or_default();
                    *slot = slot.or(&row.quoted);
                }
                (None, Some(_)) => {}
            }
        }
        market
    }

    /// What rows about the symbol say.
    pub(super) fn symbol(&self, instrument: &Instrument) -> Quoted {
        self.by_symbol.get(&instrument.symbol.to_uppercase()).copied().unwrap_or_default()
    }

    /// What rows about its coin alone say.
    pub(super) fn coin(&self, instrument: &Instrument) -> Quoted {
        self.by_coin.get(&instrument.underlying.to_uppercase()).copied().unwrap_or_default()
    }

    /// What rows about its expiry say: forward, rate, time and the confidence in them.
    pub(super) fn expiry(&self, instrument: &Instrument) -> Quoted {
        of_expiry(&self.by_expiry, instrument)
    }

    /// What rows about other contracts of its expiry say of the same.
    pub(super) fn contracts(&self, instrument: &Instrument) -> Quoted {
        of_expiry(&self.by_contract, instrument)
    }
}

fn of_expiry(rows: &ByExpiry, instrument: &Instrument) -> Quoted {
    let Some(day) = &instrument.expiry else { return Quoted::default() };
    let rows = rows.get(&(instrument.underlying.to_uppercase(), day.clone()));
    let same = |instant: &Option<i64>| {
        instant.is_none() || instrument.expiry_instant.is_none() || *instant == instrument.expiry_instant
    };
    let all = rows
        .into_iter()
        .flatten()
        .filter(|(instant, _)| same(instant))
        .fold(Quoted::default(), |known, (_, row)| known.or(row));
    Quoted { implied_volatility: None, confidence: None, funding_rate: None, ..all }
}

/// Forwards that the options and futures of a book give each other.
#[derive(Debug, Default)]
pub(super) struct Forwards {
    /// By expiry: the first option that has a forward of its own, smallest and largest forward.
    options: BTreeMap<Expiry, (usize, [f64; 2])>,
    given: BTreeMap<Expiry, f64>,
    futures: BTreeMap<Expiry, f64>,
    symbols: Vec<String>,
}

fn expiry_key(instrument: &Instrument, seconds: Option<f64>) -> Expiry {
    let seconds = if instrument.expiry.is_some() { 0 } else { seconds.unwrap_or(-1.0).to_bits() };
    let coin = instrument.underlying.to_uppercase();
    (coin, instrument.expiry.clone(), instrument.expiry_instant, seconds)
}

impl Forwards {
    /// Collects what options and futures say.
    pub(super) fn new(instruments: &[Instrument], given: &[Quoted], marks: &[Option<f64>]) -> Self {
        let mut forwards = Self::default();
        for (index, ((instrument, own), mark)) in instruments.iter().zip(given).zip(marks).enumerate() {
            let key = expiry_key(instrument, own.seconds_to_expiry);
            match (instrument.kind, own.forward, mark) {
                (ContractKind::Option, Some(forward), _) => {
                    let (_, [least, most]) =
                        forwards.options.entry(key.clone()).or_insert((index, [forward; 2]));
                    (*least, *most) = (least.min(forward), most.max(forward));
                    forwards.given.entry(key).or_insert(forward);
                }
                (ContractKind::Future, _, Some(mark)) => {
                    forwards.futures.entry(key).or_insert(*mark);
                }
                _ => {}
            }
            forwards.symbols.push(instrument.symbol.clone());
        }
        forwards
    }

    /// A venue's forward may be stale in one row; each option keeps its own.
    pub(super) fn note_apart(&self, places: &[(&'static str, usize)], findings: &mut Vec<Finding>) {
        for ((coin, day, ..), (index, [least, most])) in &self.options {
            if most - least <= APART * least {
                continue;
            }
            let (sheet, row) = places.get(*index).copied().unwrap_or(("Positions", 0));
            findings.push(Finding {
                severity: Severity::Warning,
                sheet,
                row: Some(row),
                column: "forward".into(),
                value: self.symbols.get(*index).cloned().unwrap_or_default(),
                code: "forwards_apart",
                message: format!(
                    "options on {coin} of {} have forwards from {least} to {most}; each keeps its own",
                    day.as_deref().unwrap_or("one expiry")
                ),
                fix: "export the rows at one time, or give the forward of the expiry on the Market sheet"
                    .into(),
            });
        }
    }

    /// The forward that another option of the same expiry gives.
    pub(super) fn of_options(&self, instrument: &Instrument, own: &Quoted) -> Option<f64> {
        self.given.get(&expiry_key(instrument, own.seconds_to_expiry)).copied()
    }

    /// The mark of a future of the same expiry.
    pub(super) fn of_future(&self, instrument: &Instrument, own: &Quoted) -> Option<f64> {
        self.futures.get(&expiry_key(instrument, own.seconds_to_expiry)).copied()
    }
}

/// Smallest and largest of some numbers.
type Range = Option<[f64; 2]>;

fn widen(range: &mut Range, number: Option<f64>) {
    let Some(number) = number else { return };
    let [least, most] = range.unwrap_or([number; 2]);
    *range = Some([least.min(number), most.max(number)]);
}

/// Rows of one option that give different forwards or volatilities: one of them is used for all.
pub(super) fn note_rows_apart(positions: &Positions, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<u32, (usize, [Range; 2])> = BTreeMap::new();
    for row in &positions.rows {
        let Some(quoted) = &row.quoted else { continue };
        let (_, [forwards, volatilities]) = seen.entry(row.instrument).or_insert((row.row, [None; 2]));
        widen(forwards, quoted.forward);
        widen(volatilities, quoted.implied_volatility);
    }
    for (instrument, (row, ranges)) in seen {
        let symbol = positions.instruments.get(instrument as usize).map_or("", |i| i.symbol.as_str());
        for (range, (column, what)) in
            ranges.into_iter().zip([("forward", "forwards"), ("markIv", "implied volatilities")])
        {
            let Some([least, most]) = range.filter(|[least, most]| most - least > APART * least) else {
                continue;
            };
            findings.push(Finding {
                severity: Severity::Warning,
                sheet: "Positions",
                row: Some(row),
                column: column.into(),
                value: symbol.to_owned(),
                code: "quotes_differ",
                message: format!(
                    "{symbol}: its rows give {what} from {least} to {most}; one is used for all"
                ),
                fix: "export the rows at one time, or give one value on the Market sheet and none here"
                    .into(),
            });
        }
    }
}
