//! What every limit of a book shares: scenario sets and covariances, made once.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::profile::{Profile, VolatilitySource};
use crate::book::Book;
use crate::cell::Cell;
use crate::error::{Error, Place, Result};
use crate::margin::tail::{made_for, market_risk, rule_of};
use crate::moves::{Known, Mapping, Moves, price_covariance};
use crate::rulebook::tail::{CovarianceRule, TailRule};
use crate::rulebook::{Measure, Rulebook, builtin, cell_of, with_changes};
use crate::watch::Watch;

/// A tail under which a book is measured, with its scenario sets.
#[derive(Debug)]
pub struct TailSets {
    /// Its rule.
    pub rule: TailRule,
    /// Its scenario sets.
    pub sets: (Moves, Mapping),
    /// Where they come from, in words.
    pub words: String,
}

/// Covariance of the log moves of coins over one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// The coins, indices of the book.
    pub coins: Vec<usize>,
    /// Row by row.
    pub daily: Vec<f64>,
    /// Where it comes from, in words.
    pub source: &'static str,
}

impl Covariance {
    /// Volatility of one day of a coin by its place.
    pub fn volatility(&self, place: usize) -> f64 {
        self.daily.get(place * (self.coins.len() + 1)).copied().unwrap_or(f64::NAN).sqrt()
    }
}

/// A book with a profile, and what has been made of both.
pub struct Context<'a> {
    /// The book.
    pub book: &'a Book,
    /// The risk profile.
    pub profile: &'a Profile,
    /// Whether to go on.
    pub watch: &'a Watch,
    tails: Vec<OnceLock<Result<TailSets>>>,
    covariances: Mutex<Vec<(Vec<usize>, Result<Covariance>)>>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// A book under a profile.
    pub fn new(book: &'a Book, profile: &'a Profile, watch: &'a Watch) -> Self {
        Self {
            book,
            profile,
            watch,
            tails: book.rulebooks.iter().map(|_| OnceLock::new()).collect(),
            covariances: Mutex::new(Vec::new()),
        }
    }

    /// The tail of the accounts under a rulebook: its own, or `es` where it has none, with the profile's
    /// confidence and horizon.
    ///
    /// # Errors
    ///
    /// As [`made_for`].
    pub fn tail(&self, rulebook: usize) -> Result<&TailSets> {
        let missing = || Error::Missing {
            what: "rulebook".into(),
            why: "the account has none".into(),
            place: Place::default(),
        };
        let slot = self.tails.get(rulebook).ok_or_else(missing)?;
        let made =
            slot.get_or_init(|| self.make(rulebook, self.book.rulebooks.get(rulebook).ok_or_else(missing)?));
        made.as_ref().map_err(Clone::clone)
    }

    fn make(&self, rulebook: usize, own: &Rulebook) -> Result<TailSets> {
        let is_tail = matches!(own.measure, Measure::Tail(_));
        let base = if is_tail { own } else { builtin("es")? };
        let mut changes = vec![
            ("measure.confidence".to_owned(), Cell::Number(self.profile.confidence)),
            ("measure.horizon_days".to_owned(), Cell::Number(self.profile.horizon_days)),
        ];
        let named = |path: &str| self.profile.tail.iter().any(|(own, _)| own == path);
        // without a history the market table is all there is
        let market = self.profile.volatility == VolatilitySource::Market || self.book.history.is_none();
        if market && !is_tail {
            for (path, word) in [("tail.scenarios", "simulated"), ("tail.simulation.covariance", "market")] {
                if !named(path) {
                    changes.push((path.to_owned(), Cell::Text(word.to_owned())));
                }
            }
        }
        changes.extend(self.profile.tail.iter().map(|(path, value)| (path.clone(), cell_of(value))));
        let changed = with_changes(base, &changes)?;
        let rule = rule_of(&changed)?.clone();
        let sets = made_for(self.book, rulebook, &rule)?;
        let words = format!(
            "{} scenarios at {} over {} d, parameters of '{}'",
            rule.scenarios.word(),
            rule.confidence,
            rule.horizon_days,
            base.id
        );
        Ok(TailSets { rule, sets, words })
    }

    /// Covariance of coins over a day.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a volatility or a correlation that neither the market table nor a history gives.
    pub fn covariance(&self, coins: &[usize]) -> Result<Covariance> {
        let mut known = self.covariances.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known.iter().find(|(own, _)| own == coins) {
            return found.clone();
        }
        let found = self.covariance_of(coins);
        known.push((coins.to_vec(), found.clone()));
        found
    }

    fn covariance_of(&self, coins: &[usize]) -> Result<Covariance> {
        let name = |coin: &usize| self.book.underlyings.get(*coin).map_or("", |known| known.name.as_str());
        let names: Vec<&str> = coins.iter().map(name).collect();
        let made = |daily, source| Covariance { coins: coins.to_vec(), daily, source };
        let market = market_risk(self.book);
        let known = Known { history: self.book.history.as_deref(), market: &market };
        let of = |covariance: Option<CovarianceRule>| -> Result<Vec<f64>> {
            let kept = |path: &str| path.starts_with("tail.history") || path.starts_with("tail.simulation");
            let changes: Vec<(String, Cell)> = self
                .profile
                .tail
                .iter()
                .filter(|(path, _)| kept(path))
                .map(|(path, value)| (path.clone(), cell_of(value)))
                .collect();
            let changed = with_changes(builtin("es")?, &changes)?;
            let mut rule = rule_of(&changed)?.clone();
            rule.simulation.covariance = match (covariance, rule.simulation.covariance) {
                (Some(own), _) => own,
                (None, CovarianceRule::Market) => CovarianceRule::Ewma,
                (None, known) => known,
            };
            price_covariance(&rule, known, &names, 1.0)
        };
        let from_market = || of(Some(CovarianceRule::Market)).map(|own| made(own, "the Market sheet"));
        let from_history = || of(None).map(|own| made(own, "the history"));
        match self.profile.volatility {
            VolatilitySource::Market => from_market(),
            VolatilitySource::History => from_history(),
            VolatilitySource::Either => match from_market() {
                Err(Error::Missing { .. }) if self.book.history.is_some() => from_history(),
                found => found,
            },
        }
    }
}
