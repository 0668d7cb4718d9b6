//! The library of named crises, compiled in as data.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Other, Peg, Scenario, VolatilityMove};
use crate::error::{Error, Result};

const TEXT: &str = include_str!("../../stress/crises.toml");

/// How hard a crisis is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// From close to close.
    Mild,
    /// From the close before to the lowest price.
    Central,
    /// From the highest price before to the lowest.
    Severe,
}

impl Case {
    /// Every case, mildest first.
    pub const ALL: [Self; 3] = [Self::Mild, Self::Central, Self::Severe];

    /// The word of the case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mild => "mild",
            Self::Central => "central",
            Self::Severe => "severe",
        }
    }

    /// The cases that a word names: one, or `all`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word.
    pub fn named(word: &str) -> Result<Vec<Self>> {
        let word = word.trim().to_ascii_lowercase();
        if word == "all" {
            return Ok(Self::ALL.to_vec());
        }
        match Self::ALL.iter().find(|own| own.word() == word) {
            Some(own) => Ok(vec![*own]),
            None => {
                Err(Error::Unknown { what: "case", value: word, known: "mild, central, severe, all".into() })
            }
        }
    }
}

/// Where figures come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Address, with what is read there.
    pub address: String,
    /// Day on which it was read.
    pub retrieved: String,
    /// `documented` or `estimated`.
    pub status: String,
    /// What to know about it.
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoinMove {
    coin: String,
    price: [f64; 3],
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum OtherRule {
    Word(String),
    Moved { price: [f64; 3], source: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VolatilityRule {
    relative: Option<[f64; 3]>,
    points: Option<[f64; 3]>,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PegRule {
    currency: String,
    venue: Option<String>,
    ratio: [f64; 3],
    source: String,
}

/// One crisis.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crisis {
    /// Its name, such as `OCT2025`.
    pub id: String,
    /// What it was.
    pub title: String,
    /// The days that the moves are taken over.
    pub window: String,
    /// Key of the source of its price moves.
    pub source: String,
    other: OtherRule,
    moves: Vec<CoinMove>,
    volatility: Option<VolatilityRule>,
    #[serde(default)]
    pegs: Vec<PegRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: BTreeMap<String, Source>,
    crises: Vec<Crisis>,
}

/// The library: crises in order of time, and their sources by key.
#[derive(Debug)]
pub struct Library {
    /// The crises.
    pub crises: Vec<Crisis>,
    /// The sources.
    pub sources: BTreeMap<String, Source>,
}

/// The library of the engine.
///
/// # Errors
///
/// [`Error::NoAnswer`] if its file breaks its own form, which a test excludes.
pub fn library() -> Result<&'static Library> {
    static LIBRARY: OnceLock<std::result::Result<Library, String>> = OnceLock::new();
    let made = LIBRARY.get_or_init(|| {
        let file: File = toml::from_str(TEXT).map_err(|problem| problem.to_string())?;
        let library = Library { crises: file.crises, sources: file.sources };
        library.check()?;
        Ok(library)
    });
    made.as_ref().map_err(|why| Error::NoAnswer { why: format!("the library of crises: {why}") })
}

impl Library {
    /// Every figure has a source that is listed, and is one that a market can make.
    fn check(&self) -> std::result::Result<(), String> {
        for crisis in &self.crises {
            let mut keys = vec![crisis.source.as_str()];
            keys.extend(crisis.volatility.iter().map(|own| own.source.as_str()));
            keys.extend(crisis.pegs.iter().map(|own| own.source.as_str()));
            match &crisis.other {
                OtherRule::Word(word) if word == "beta" => {}
                OtherRule::Word(word) => {
                    return Err(format!("{}: other must be beta, was {word}", crisis.id));
                }
                OtherRule::Moved { source, .. } => keys.push(source),
            }
            if let Some(unknown) = keys.into_iter().find(|key| !self.sources.contains_key(*key)) {
                return Err(format!("{}: source {unknown} is not listed", crisis.id));
            }
            let prices = crisis.moves.iter().flat_map(|own| own.price);
            let ratios = crisis.pegs.iter().flat_map(|own| own.ratio).map(|ratio| ratio - 1.0);
            if prices.chain(ratios).any(|own| !(own.is_finite() && own > -1.0)) {
                return Err(format!("{}: a move must be finite and above -1", crisis.id));
            }
        }
        Ok(())
    }

    /// The crises that words name, separated by `;` or `,`: `LIB` is all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] names those there are.
    pub fn named(&self, words: &str) -> Result<Vec<&Crisis>> {
        let mut found = Vec::new();
        for word in words.split([';', ',']).map(str::trim).filter(|word| !word.is_empty()) {
            if word.eq_ignore_ascii_case("lib") {
                found.extend(&self.crises);
                continue;
            }
            match self.crises.iter().find(|crisis| crisis.id.eq_ignore_ascii_case(word)) {
                Some(crisis) => found.push(crisis),
                None => return self.unknown(word),
            }
        }
        if found.is_empty() { self.unknown(words) } else { Ok(found) }
    }

    fn unknown<T>(&self, value: &str) -> Result<T> {
        let known: Vec<&str> = self.crises.iter().map(|crisis| crisis.id.as_str()).collect();
        Err(Error::Unknown {
            what: "scenario",
            value: value.to_owned(),
            known: format!("{}, LIB for all of them, or a range of your own", known.join(", ")),
        })
    }
}

impl Crisis {
    /// What moves besides prices of named coins: in words, its range, and the key of its source.
    pub fn beyond_moves(&self) -> Vec<(String, [f64; 3], &str)> {
        let mut found = Vec::new();
        if let OtherRule::Moved { price, source } = &self.other {
            found.push(("price of other coins".to_owned(), *price, source.as_str()));
        }
        if let Some(own) = &self.volatility {
            for (range, word) in [(own.relative, "relative"), (own.points, "in points")] {
                if let Some(range) = range {
                    found.push((format!("implied volatility, {word}"), range, own.source.as_str()));
                }
            }
        }
        for own in &self.pegs {
            let place = own.venue.as_ref().map_or_else(String::new, |venue| format!(" at {venue}"));
            found.push((format!("peg of {}{place}", own.currency), own.ratio, own.source.as_str()));
        }
        found
    }

    /// The crisis as a scenario.
    pub fn scenario(&self, case: Case) -> Scenario {
        let pick = |range: &[f64; 3]| match case {
            Case::Mild => range[0],
            Case::Central => range[1],
            Case::Severe => range[2],
        };
        let volatility = self.volatility.as_ref().map(|own| VolatilityMove {
            relative: own.relative.as_ref().map_or(0.0, pick),
            points: own.points.as_ref().map_or(0.0, pick),
        });
        let unmoved = "no move of implied volatility has a source, options keep theirs";
        Scenario {
            name: if case == Case::Central {
                self.id.clone()
            } else {
                format!("{} {}", self.id, case.word())
            },
            moves: self.moves.iter().map(|own| (own.coin.clone(), pick(&own.price))).collect(),
            other: match &self.other {
                OtherRule::Word(_) => Other::Beta,
                OtherRule::Moved { price, .. } => Other::Price(pick(price)),
            },
            volatilities: volatility.into_iter().map(|own| (String::new(), own)).collect(),
            pegs: self
                .pegs
                .iter()
                .map(|own| Peg {
                    currency: own.currency.clone(),
                    ratio: pick(&own.ratio),
                    venue: own.venue.clone(),
                })
                .collect(),
            days: 0.0,
            must_be_known: false,
            note: match self.volatility {
                Some(_) => self.title.clone(),
                None => format!("{}; {unmoved}", self.title),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crisis_of_the_library_has_sources_and_possible_moves() {
        let library = library().unwrap();
        let ids: Vec<&str> = library.crises.iter().map(|crisis| crisis.id.as_str()).collect();
        assert_eq!(ids, ["MAR2020", "MAY2021", "FTX2022", "USDC2023", "AUG2024", "OCT2025"]);
        assert!(
            library
                .sources
                .values()
                .all(|source| source.address.contains("://") || source.status == "estimated")
        );
    }

    #[test]
    fn a_severe_crisis_is_no_milder_than_a_mild_one() {
        for crisis in &library().unwrap().crises {
            let [mild, central, severe] = Case::ALL.map(|case| crisis.scenario(case));
            for ((mild, central), severe) in mild.moves.iter().zip(&central.moves).zip(&severe.moves) {
                assert!(mild.1 >= central.1 && central.1 >= severe.1, "{}: {mild:?} {severe:?}", crisis.id);
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_unknown_ones_are_refused_with_those_there_are() {
        let library = library().unwrap();
        assert_eq!(library.named("oct2025; MAR2020").unwrap().len(), 2);
        assert_eq!(library.named("lib").unwrap().len(), library.crises.len());
        let refusal = library.named("OCT2026").unwrap_err().to_string();
        assert!(refusal.starts_with("unknown scenario 'OCT2026'; known: MAR2020, MAY2021"), "{refusal}");
    }

    #[test]
    fn half_of_a_scenario_twice_is_the_whole() {
        let whole = library().unwrap().named("OCT2025").unwrap()[0].scenario(Case::Central);
        let half = whole.part(0.5);
        for ((_, half), (_, whole)) in half.moves.iter().zip(&whole.moves) {
            assert!(((1.0 + half).powi(2) - 1.0 - whole).abs() < 1e-14);
        }
        assert!((half.pegs[0].ratio.powi(2) - 0.65).abs() < 1e-14);
        assert_eq!(whole.part(0.0).moves[0].1, 0.0);
    }
}
