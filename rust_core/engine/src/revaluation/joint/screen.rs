//! Exact results where they matter: a surrogate for all scenarios says which can be among the largest losses, and
//! those alone are valued.
//!
//! The bound of a scenario's error is the surrogate's own estimate times [`SAFETY`] times the largest ratio of error
//! to estimate over everything that was valued: the scenarios that look worst and control scenarios spread over all.
//! Valuing goes on until no other scenario could, by its bound, lose more than the last of those that matter. The
//! results are then the same bits as those of valuing everything, unless an error outgrows its bound.

use super::surrogate::Surrogate;
use super::{FactorMoves, JointBook};
use crate::error::Result;
use crate::numeric::Accumulator;
use crate::threads::Workers;
use crate::watch::Watch;

/// How scenarios are valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every line in every scenario.
    Full,
    /// Every line in the scenarios that can be in the tail, a surrogate with a bound in all others.
    Screened,
    /// No line but by its delta, gamma and vega; how far that is off in its own tail is said.
    DeltaGamma,
}

impl Method {
    /// The words with their meaning; the first is the default.
    pub const ALL: [(&'static str, Self); 3] =
        [("full", Self::Full), ("screened", Self::Screened), ("delta_gamma", Self::DeltaGamma)];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(word, _)| word)
    }
}

/// Which results must be exact.
#[derive(Debug, Clone, Copy)]
pub enum Need<'a> {
    /// All.
    Every,
    /// So many of the largest losses.
    Largest(usize),
    /// The largest losses that have a probability together, at least so many.
    Mass {
        /// Probability of each scenario.
        probabilities: &'a [f64],
        /// Share of the sum of all probabilities.
        share: f64,
        /// At least so many.
        least: usize,
    },
}

/// How results were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The method that gave them, which is full where screening would have cost more or was given up.
    pub method: Method,
    /// Scenarios that were valued exactly.
    pub valued: usize,
    /// Largest bound of the error of a valued scenario, reporting currency; 0 where all are valued.
    pub bound: f64,
    /// Largest error of the surrogate, or of delta and gamma, that was seen, reporting currency.
    pub error: f64,
    /// By delta and gamma: the exact mean loss in the scenarios of the tail less the mean that is reported.
    pub difference: Option<f64>,
    /// How often the tables were made finer.
    pub refined: usize,
    /// Why screening was not used, or given up; empty otherwise.
    pub fallback: &'static str,
}

/// Profit and loss of every scenario, exact where it was needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// Scenario by scenario, reporting currency.
    pub profits: Vec<f64>,
    /// How.
    pub done: Done,
}

/// A bound is so many times the largest ratio of error to estimate that was seen.
const SAFETY: f64 = 3.0;
/// The same ratio counts as at least this: few scenarios may all be lucky.
const LEAST_RATIO: f64 = 0.1;
/// Control scenarios, spread evenly.
pub(super) const CONTROLS: usize = 192;
/// Rounding of a result, in units of what is held.
const ROUNDING: f64 = 1e-14;
/// Values below which screening is not worth its overhead.
const SMALL: f64 = 2e6;
/// The largest share of the cost of full valuation that screening may have.
const WORTH: f64 = 0.6;
/// How often tables are made finer before screening is given up.
const FINEST: usize = 1;

impl JointBook {
    /// Profit and loss in every scenario, exact where `need` says so.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Missing`] for a factor without moves, [`crate::Error::NoAnswer`] once `watch` was stopped.
    pub(crate) fn priced(
        &self,
        moves: &FactorMoves<'_>,
        need: Need<'_>,
        method: Method,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Priced> {
        if method == Method::DeltaGamma {
            let profits = self.profits_by_slopes(moves, workers, watch)?;
            let (bound, error, difference, refined) = (0.0, 0.0, None, 0);
            let done = Done { method, valued: 0, bound, error, difference, refined, fallback: "" };
            return Ok(Priced { profits, done });
        }
        let mut fallback = "";
        let mut refined = 0;
        if method == Method::Screened {
            let full = moves.count() as f64 * self.strike_count() as f64;
            fallback = match need {
                Need::Every => "every scenario is needed",
                _ if full < SMALL => "the book is small",
                _ => "screening would cost as much",
            };
            let worth = |fineness: usize| {
                let exact = (need.least(moves.count()) + CONTROLS) as f64 * self.strike_count() as f64;
                Surrogate::cost(self, moves, fineness) + exact <= WORTH * full
            };
            let is_large = full >= SMALL && !matches!(need, Need::Every);
            while is_large && refined <= FINEST && worth(refined) {
                if let Some(priced) = self.screened(moves, need, refined, workers, watch)? {
                    return Ok(priced);
                }
                fallback = "the surrogate was too far off";
                refined += 1;
            }
        }
        let profits = self.profits(moves, workers, watch)?;
        let valued = profits.len();
        let done = Done {
            method: Method::Full,
            valued,
            bound: 0.0,
            error: 0.0,
            difference: None,
            refined,
            fallback,
        };
        Ok(Priced { profits, done })
    }

    /// `None` where too many scenarios could matter.
    pub(super) fn screened(
        &self,
        moves: &FactorMoves<'_>,
        need: Need<'_>,
        refined: usize,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Option<Priced>> {
        let surrogate = Surrogate::new(self, moves, refined, workers, watch)?;
        let (profits, errors) = surrogate.profits(self, moves, workers, watch)?;
        let worst = need.worst(&profits);
        let rounding = ROUNDING * self.scale();
        let mut known = Known {
            errors: errors.into_iter().map(|error| error + rounding).collect(),
            is_valued: vec![false; profits.len()],
            profits,
            ratio: LEAST_RATIO,
            error: 0.0,
            widest: 0.0,
            valued: 0,
        };
        let value = |known: &mut Known, list: &[usize]| -> Result<f64> {
            Ok(known.take(list, &self.profits_in(moves, list, workers, watch)?))
        };
        // no result of those that matter can be above the largest of as many others
        let threshold = value(&mut known, &worst)?;
        let mut controls: Vec<usize> =
            (0..CONTROLS).map(|control| control * moves.count() / CONTROLS).collect();
        controls.retain(|place| known.is_valued.get(*place).is_some_and(|valued| !valued));
        controls.dedup();
        value(&mut known, &controls)?;
        loop {
            let open = known.open(threshold);
            if open.is_empty() {
                break;
            }
            if known.valued + open.len() > moves.count() / 3 {
                return Ok(None);
            }
            value(&mut known, &open)?;
        }
        let bound = SAFETY * known.ratio * known.widest;
        let (valued, error) = (known.valued, known.error);
        let done =
            Done { method: Method::Screened, valued, bound, error, difference: None, refined, fallback: "" };
        Ok(Some(Priced { profits: known.profits, done }))
    }
}

/// What is known while scenarios are valued.
struct Known {
    /// Exact where valued, else the surrogate's.
    profits: Vec<f64>,
    /// Estimates of the surrogate's error.
    errors: Vec<f64>,
    is_valued: Vec<bool>,
    /// Largest error as a multiple of its estimate, largest error and largest estimate of what is valued.
    ratio: f64,
    error: f64,
    widest: f64,
    valued: usize,
}

impl Known {
    /// Takes exact results; the largest of them.
    fn take(&mut self, list: &[usize], exact: &[f64]) -> f64 {
        let mut largest = f64::NEG_INFINITY;
        for (&scenario, &exact) in list.iter().zip(exact) {
            let estimate = self.errors.get(scenario).copied().unwrap_or(f64::INFINITY);
            let slots = (self.profits.get_mut(scenario), self.is_valued.get_mut(scenario));
            if let (Some(slot), Some(is_valued)) = slots {
                let off = (exact - *slot).abs();
                self.ratio = self.ratio.max(off / estimate);
                self.error = self.error.max(off);
                self.widest = self.widest.max(estimate);
                (*slot, *is_valued) = (exact, true);
                largest = largest.max(exact);
            }
        }
        self.valued += list.len();
        largest
    }

    /// Scenarios that are not valued and may, by their bound, lose as much as the threshold.
    fn open(&self, threshold: f64) -> Vec<usize> {
        let bound = SAFETY * self.ratio;
        let all = self.profits.iter().zip(&self.errors).zip(&self.is_valued).enumerate();
        all.filter(|(_, ((gain, error), is_valued))| !**is_valued && *gain - bound * *error <= threshold)
            .map(|(scenario, _)| scenario)
            .collect()
    }
}

impl Need<'_> {
    /// How many scenarios are valued at least.
    fn least(&self, count: usize) -> usize {
        match self {
            Self::Every => count,
            Self::Largest(number) => *number,
            Self::Mass { share, least, .. } => ((share * count as f64).ceil() as usize).max(*least),
        }
    }

    /// The scenarios that look as if they had the largest losses, by scenario.
    fn worst(&self, profits: &[f64]) -> Vec<usize> {
        let mut ordered: Vec<(f64, usize)> =
            profits.iter().enumerate().map(|(scenario, gain)| (*gain, scenario)).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let number = match self {
            Self::Every => ordered.len(),
            Self::Largest(number) => {
                let number = (*number).clamp(1, ordered.len().max(1));
                if number < ordered.len() {
                    ordered.select_nth_unstable_by(number - 1, order);
                }
                number
            }
            Self::Mass { probabilities, share, least } => {
                ordered.sort_unstable_by(order);
                let total = crate::numeric::accumulate::sum(probabilities.iter().copied());
                let mut gathered = Accumulator::default();
                let reached = ordered.iter().position(|(_, scenario)| {
                    gathered.add(probabilities.get(*scenario).copied().unwrap_or(0.0));
                    gathered.value() > total * share * (1.0 + 1e-9)
                });
                reached.map_or(ordered.len(), |place| place + 1).max(*least).min(ordered.len())
            }
        };
        let mut worst: Vec<usize> = ordered.into_iter().take(number).map(|(_, scenario)| scenario).collect();
        worst.sort_unstable();
        worst
    }
}
