//! The words of pasted headers, read once from `aliases.toml`.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// One canonical column and the headers that mean it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Canonical name.
    pub(super) name: String,
    /// Unit of its numbers, in words.
    pub(super) unit: String,
    /// What else a person should know.
    #[serde(default)]
    pub(super) note: String,
    /// First choices, by venue.
    names: BTreeMap<String, Vec<String>>,
    /// Second choices, by venue.
    #[serde(default)]
    other: BTreeMap<String, Vec<String>>,
    /// All of `names`, normalised.
    #[serde(skip)]
    first: BTreeSet<String>,
    /// All of `other`, normalised.
    #[serde(skip)]
    second: Vec<String>,
}

impl Entry {
    /// Normalises the words once, so that a small table is read in microseconds.
    fn prepare(&mut self) {
        self.first = self.names.values().flatten().map(|alias| normalise(alias)).collect();
        self.second = self.other.values().flatten().map(|alias| normalise(alias)).collect();
    }

    /// Whether a normalised header is a first choice.
    pub(super) fn is_named(&self, normalised: &str) -> bool {
        self.first.contains(normalised)
    }

    /// The second choices, normalised, in order.
    pub(super) fn second_choices(&self) -> &[String] {
        &self.second
    }

    /// A few aliases for a message, without the canonical name.
    pub(super) fn examples(&self) -> String {
        let words: Vec<&str> = (self.names.values().flatten())
            .chain(self.other.values().flatten())
            .map(String::as_str)
            .filter(|word| *word != self.name)
            .take(4)
            .collect();
        words.join(", ")
    }
}

/// Headers that only one venue's export has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sheet: String,
    venue: String,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
}

/// What a bare balance column means in a venue's export.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct BareTotal {
    venue: String,
    #[serde(default)]
    words: Vec<String>,
    reads_as: String,
}

/// Headers of a history.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    venue: String,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

/// Where a venue's words were read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    source: String,
    checked: String,
}

/// Everything that `aliases.toml` says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Aliases {
    source: BTreeMap<String, Source>,
    positions: Vec<Entry>,
    collateral: Vec<Entry>,
    orders: Vec<Entry>,
    market: Vec<Entry>,
    brackets: Vec<Entry>,
    limits: Vec<Entry>,
    candidates: Vec<Entry>,
    venue: Vec<Signature>,
    total: Vec<BareTotal>,
    log: Vec<Log>,
}

/// The tables that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sheet {
    Positions,
    Collateral,
    Orders,
    Market,
    Brackets,
    Limits,
    Candidates,
}

impl Sheet {
    /// The word of the check table.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Positions => "Positions",
            Self::Collateral => "Collateral",
            Self::Orders => "Orders",
            Self::Market => "Market",
            Self::Brackets => "Rulebook",
            Self::Limits => "Limits",
            Self::Candidates => "Candidates",
        }
    }

    /// What a sentence calls its rows.
    pub(super) fn rows(self) -> &'static str {
        match self {
            Self::Positions => "positions",
            Self::Collateral => "balances",
            Self::Orders => "orders",
            Self::Market => "market rows",
            Self::Brackets => "brackets",
            Self::Limits => "limits",
            Self::Candidates => "candidates",
        }
    }

    /// Whether a history is sometimes pasted in its place.
    fn can_be_a_log(self) -> bool {
        matches!(self, Self::Positions | Self::Collateral | Self::Orders)
    }
}

/// The venues whose exports are known by their headers.
const VENUES: [&str; 6] = ["binance", "hyperliquid", "deribit", "okx", "bybit", "ccxt"];

/// The known venue with which a word begins, such as `binance-usdm`.
pub(super) fn known_venue(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    VENUES.into_iter().find(|venue| word.starts_with(venue))
}

/// The file, read once. It is compiled in and a test reads it, so an unreadable file (which would make
/// every header unknown, and so every table a refusal) cannot be shipped.
pub(super) fn aliases() -> &'static Aliases {
    static ALIASES: OnceLock<Aliases> = OnceLock::new();
    ALIASES.get_or_init(|| {
        let mut file: Aliases = toml::from_str(include_str!("aliases.toml")).unwrap_or_default();
        let Aliases { positions, collateral, orders, market, brackets, limits, candidates, .. } = &mut file;
        for entry in
            [positions, collateral, orders, market, brackets, limits, candidates].into_iter().flatten()
        {
            entry.prepare();
        }
        for list in (file.venue.iter_mut()).flat_map(|s| [&mut s.all, &mut s.any, &mut s.none]) {
            normalise_all(list);
        }
        for list in (file.log.iter_mut()).flat_map(|log| [&mut log.all, &mut log.any]) {
            normalise_all(list);
        }
        file
    })
}

fn normalise_all(words: &mut [String]) {
    for word in words {
        *word = normalise(word);
    }
}

impl Aliases {
    /// The canonical columns of a table.
    pub(super) fn entries(&self, sheet: Sheet) -> &[Entry] {
        match sheet {
            Sheet::Positions => &self.positions,
            Sheet::Collateral => &self.collateral,
            Sheet::Orders => &self.orders,
            Sheet::Market => &self.market,
            Sheet::Brackets => &self.brackets,
            Sheet::Limits => &self.limits,
            Sheet::Candidates => &self.candidates,
        }
    }

    /// The venue whose native export has these (normalised) headers.
    pub(super) fn venue(&self, sheet: Sheet, headers: &BTreeSet<&str>) -> Option<&'static str> {
        let sheet_word = match sheet {
            Sheet::Positions => "positions",
            Sheet::Collateral => "collateral",
            Sheet::Orders => "orders",
            Sheet::Market | Sheet::Brackets | Sheet::Limits | Sheet::Candidates => return None,
        };
        let found = (self.venue.iter())
            .filter(|s| s.sheet == sheet_word && !s.none.iter().any(|word| headers.contains(word.as_str())))
            .find(|s| matches_signature(&s.all, &s.any, headers))?;
        known_venue(&found.venue)
    }

    /// The venue whose history has these (normalised) headers.
    pub(super) fn log(&self, sheet: Sheet, headers: &BTreeSet<&str>) -> Option<&str> {
        if !sheet.can_be_a_log() {
            return None;
        }
        (self.log.iter())
            .find(|log| matches_signature(&log.all, &log.any, headers))
            .map(|log| log.venue.as_str())
    }

    /// `cash` or `equity`: what a bare balance column of a venue's export is; `None` if the venue is unknown.
    pub(super) fn total_reads_as(&self, venue: &str, normalised: &str) -> Option<&str> {
        (self.total.iter())
            .filter(|total| total.venue == venue)
            .find(|total| total.words.is_empty() || total.words.iter().any(|w| normalise(w) == normalised))
            .map(|total| total.reads_as.as_str())
    }

    /// Where the words of each venue were read, and when: `(venue, source, checked)`.
    fn sources(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.source.iter().map(|(venue, s)| (venue.as_str(), s.source.as_str(), s.checked.as_str()))
    }
}

/// Where the header words of each venue were read, and when: `(venue, source, checked)`.
pub fn header_sources() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    aliases().sources()
}

fn matches_signature(all: &[String], any: &[String], headers: &BTreeSet<&str>) -> bool {
    let there = |word: &String| headers.contains(word.as_str());
    !(all.is_empty() && any.is_empty()) && all.iter().all(there) && (any.is_empty() || any.iter().any(there))
}

/// A header without case, blanks, `_` and `-`, and without the `position.` that a flattened export puts before.
pub(super) fn normalise(header: &str) -> String {
    let lower: String = (header.chars())
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect();
    lower.strip_prefix("position.").map_or(lower.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEETS: [Sheet; 7] = [
        Sheet::Positions,
        Sheet::Collateral,
        Sheet::Orders,
        Sheet::Market,
        Sheet::Brackets,
        Sheet::Limits,
        Sheet::Candidates,
    ];

    #[test]
    fn the_file_is_readable_and_every_venue_word_has_a_source() {
        let file: Aliases = toml::from_str(include_str!("aliases.toml")).unwrap();
        let sources: Vec<&str> = file.sources().map(|(venue, _, _)| venue).collect();
        let mut seen = 0;
        for entry in SHEETS.iter().flat_map(|sheet| file.entries(*sheet)) {
            for venue in entry.names.keys().chain(entry.other.keys()) {
                assert!(venue == "any" || sources.contains(&venue.as_str()), "{venue} has no source");
                seen += 1;
            }
        }
        assert!(seen > 100);
        assert!(
            file.sources().all(|(_, source, checked)| source.starts_with("https://") && !checked.is_empty())
        );
    }

    #[test]
    fn no_header_is_a_first_choice_of_two_columns() {
        for sheet in SHEETS {
            let mut owner = BTreeMap::new();
            for entry in aliases().entries(sheet) {
                for alias in entry.names.values().flatten() {
                    let before = owner.insert(normalise(alias), entry.name.clone());
                    assert!(
                        before.is_none_or(|name| name == entry.name),
                        "{alias} of {sheet:?} means two things"
                    );
                }
            }
        }
    }

    #[test]
    fn headers_match_without_case_blanks_and_dashes() {
        for header in ["Entry Price", "entry_price", "ENTRY-PRICE", "entryPrice", " entry price "] {
            assert_eq!(normalise(header), "entryprice");
        }
        assert_eq!(normalise("position.leverage.value"), "leverage.value");
    }
}
