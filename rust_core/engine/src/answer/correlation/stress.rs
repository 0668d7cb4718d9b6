//! Correlations moved towards one, towards zero and against the hedges of each pool, and what that does to value
//! at risk and expected shortfall (methods.md section 3.4).

use super::Source;
use super::estimate::Estimate;
use super::settings::Settings;
use crate::answer::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::Result;
use crate::history::{Factor, FactorKind};
use crate::margin::PoolView;
use crate::margin::tail::{mapping_of, measured_under, results_under};
use crate::market::MarketState;
use crate::moves::{LevelMoves, Mapping, Moves, Scenarios, draw};
use crate::numeric::accumulate::sum;
use crate::revaluation::joint::KeptMoves;
use crate::rulebook::tail::{Statistic, TailRule};
use crate::statistics::{Target, covariance_of, smallest_eigenvalue, stressed_correlation};

const HEADER: [&str; 11] = [
    "scope",
    "case",
    "share",
    "smallest_eigenvalue",
    "mean_correlation",
    "VaR",
    "ES",
    "change_VaR",
    "change_ES",
    "worst",
    "note",
];

/// A move small enough for a slope.
const SMALL: f64 = 1e-4;

/// Scenario sets of a source's factors, made for its book.
pub(super) struct Sets {
    moves: Moves,
    mapping: Option<Mapping>,
    rule: TailRule,
}

impl Sets {
    pub(super) fn new(source: &Source<'_>, factors: &[Factor]) -> Result<Self> {
        let moves = Moves {
            factors: factors.to_vec(),
            levels: Vec::new(),
            stress: None,
            step_days: 1.0,
            filled: Vec::new(),
            findings: Vec::new(),
        };
        let mapping = source.book.map(|book| mapping_of(book, &moves));
        // stress scenarios and floors of the rulebook have nothing to do with correlations
        let rule = TailRule { stress: None, floor_window: None, ..source.rule.clone() };
        Ok(Self { moves, mapping, rule })
    }

    /// Money that a pool gains by a small move of each factor over its size: of a price its delta.
    fn slopes(&self, book: &Book, pool: &Pool) -> Result<Vec<f64>> {
        let Some(mapping) = &self.mapping else { return Ok(Vec::new()) };
        let factors = self.moves.factors.len();
        let shift = |factor: usize| -> Vec<f64> {
            (0..2 * factors)
                .map(|scenario| match (scenario / 2 == factor, scenario % 2) {
                    (true, 0) => SMALL,
                    (true, _) => -SMALL,
                    _ => 0.0,
                })
                .collect()
        };
        let set = Scenarios {
            horizon_days: 0.0,
            probabilities: None,
            ends: Vec::new(),
            moves: (0..factors).map(shift).collect(),
            count: 2 * factors,
            kept: KeptMoves::default(),
        };
        let view = PoolView::of(book, pool);
        let state = MarketState::today(book);
        let gains = results_under(&view, &state, &self.rule, mapping, &set)?;
        Ok(gains.chunks_exact(2).map(|pair| (pair[0] - pair[1]) / (2.0 * SMALL)).collect())
    }

    /// The deltas of the whole book by factor, reporting currency.
    pub(super) fn deltas(&self, book: &Book) -> Result<Vec<(Factor, f64)>> {
        crate::answer::scope::report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
        let mut by_pool = Vec::with_capacity(book.pools.len());
        for pool in &book.pools {
            by_pool.push(self.slopes(book, pool)?);
        }
        let total = |place: usize| sum(by_pool.iter().filter_map(|own| own.get(place).copied()));
        Ok(self.moves.factors.iter().cloned().enumerate().map(|(k, factor)| (factor, total(k))).collect())
    }

    /// Value at risk and expected shortfall of a pool under a correlation matrix.
    fn measure(
        &self,
        book: &Book,
        pool: &Pool,
        volatilities: &[f64],
        correlation: &[f64],
    ) -> Result<(f64, f64)> {
        let Some(mapping) = &self.mapping else { return Ok((f64::NAN, f64::NAN)) };
        let days = self.rule.horizon_days;
        let scaled: Vec<f64> = volatilities.iter().map(|daily| daily * days.sqrt()).collect();
        let covariance = covariance_of(&scaled, correlation)?;
        let main = draw(&self.rule, &covariance, scaled.len(), days)?;
        let mut moves = self.moves.clone();
        moves.levels.push(LevelMoves { main, floor: None });
        let view = PoolView::of(book, pool);
        let found = measured_under(&view, &MarketState::today(book), &self.rule, (&moves, mapping))?;
        Ok((found.tail.value_at_risk, found.tail.expected_shortfall))
    }
}

/// One case of stressed correlations.
struct Case {
    name: &'static str,
    matrix: Vec<f64>,
    share: f64,
    note: &'static str,
}

pub(super) fn table(source: &Source<'_>, settings: &Settings) -> Result<Answer> {
    let estimate = Estimate::new(source, settings)?;
    let mut answer = Answer::new(&HEADER);
    answer.note.clone_from(&estimate.note);
    let Some(book) = source.book else {
        for case in cases(&estimate, settings.share, None)? {
            let mut cells = described("", &case, &estimate)?;
            cells.extend(std::iter::repeat_with(|| Value::Text(String::new())).take(5));
            cells.push(case.note.into());
            answer.rows.push(cells);
        }
        return Ok(answer);
    };
    let sets = Sets::new(source, &estimate.factors)?;
    for pool in &book.pools {
        let slopes = sets.slopes(book, pool)?;
        let cases = cases(&estimate, settings.share, Some(&slopes))?;
        let mut measures = Vec::with_capacity(cases.len());
        for case in &cases {
            measures.push(sets.measure(book, pool, &estimate.volatilities, &case.matrix)?);
        }
        let counts = |pair: &(f64, f64)| match sets.rule.statistic {
            Statistic::ValueAtRisk => pair.0,
            Statistic::ExpectedShortfall => pair.1,
        };
        let base = measures.first().copied().unwrap_or((f64::NAN, f64::NAN));
        let worst = measures.iter().map(counts).fold(f64::NEG_INFINITY, f64::max);
        let mut named = false;
        for (case, pair) in cases.iter().zip(&measures) {
            let is_worst = !named && counts(pair) >= worst;
            named |= is_worst;
            let mut cells = described(&book.pool_name(pool), case, &estimate)?;
            cells.extend([pair.0.into(), pair.1.into(), (pair.0 - base.0).into(), (pair.1 - base.1).into()]);
            cells.extend([if is_worst { "yes" } else { "" }.into(), case.note.into()]);
            answer.rows.push(cells);
        }
    }
    Ok(answer)
}

fn described(scope: &str, case: &Case, estimate: &Estimate) -> Result<Vec<Value>> {
    let size = estimate.factors.len();
    let above: Vec<f64> = case
        .matrix
        .iter()
        .enumerate()
        .filter(|(place, _)| place % size > place / size)
        .map(|(_, value)| *value)
        .collect();
    let mean = (!above.is_empty()).then(|| sum(above.iter().copied()) / above.len() as f64);
    Ok(vec![
        scope.into(),
        case.name.into(),
        case.share.into(),
        smallest_eigenvalue(&case.matrix, size)?.into(),
        mean.map_or_else(|| Value::Text(String::new()), Value::Number),
    ])
}

/// The matrix as it is and its three stresses; without exposures there are no hedges to break.
fn cases(estimate: &Estimate, share: f64, slopes: Option<&[f64]>) -> Result<Vec<Case>> {
    let size = estimate.factors.len();
    let stressed = |target: Target<'_>| stressed_correlation(&estimate.correlation, size, share, target);
    // in a fall of prices volatilities rise: they go against prices where everything moves together
    let together: Vec<f64> = estimate
        .factors
        .iter()
        .map(|factor| if matches!(factor.kind, FactorKind::Volatility { .. }) { -1.0 } else { 1.0 })
        .collect();
    let mut found = vec![
        Case { name: "as it is", matrix: estimate.correlation.clone(), share: 0.0, note: "" },
        Case {
            name: "towards one",
            matrix: stressed(Target::Signs(&together))?,
            share,
            note: "all prices as one, volatilities against them",
        },
        Case {
            name: "towards zero",
            matrix: stressed(Target::Zero)?,
            share,
            note: "nothing offsets or adds up",
        },
    ];
    if let Some(slopes) = slopes {
        let against: Vec<f64> = slopes.iter().map(|slope| if *slope < 0.0 { -1.0 } else { 1.0 }).collect();
        found.push(Case {
            name: "hedges break",
            matrix: stressed(Target::Signs(&against))?,
            share,
            note: "what the pool is long falls while what it is short rises",
        });
    }
    Ok(found)
}
