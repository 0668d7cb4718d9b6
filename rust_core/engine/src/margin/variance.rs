//! Parametric value at risk: `z_alpha sqrt(w' Sigma w)` over one common index (methods.md section 2.1).

use statrs::distribution::{ContinuousCDF, Normal};

use super::component::{Component, ComponentKind, Share};
use super::tail::market_risk;
use super::{PoolView, PositionMargin, Requirement};
use crate::book::{Position, Volatility};
use crate::error::{Error, Place, Result};
use crate::market::{MarketState, notional, settle_of, underlying_of};
use crate::moves::typed_correlations;
use crate::rulebook::tail::Repair;
use crate::rulebook::{Measure, Rulebook};
use crate::statistics::{book_volatility, covariance_with_book};

/// What the measure sees: signed exposures, their covariance over the horizon, and the quantile.
#[derive(Debug, Clone)]
pub struct Exposures {
    /// Profit and loss per unit of relative move, reporting currency; one per position.
    pub values: Vec<f64>,
    /// Covariance of relative moves over the horizon, row by row.
    pub covariance: Vec<f64>,
    /// Normal quantile of the confidence.
    pub quantile: f64,
}

impl Exposures {
    /// `(Sigma w)_i`.
    pub fn covariance_with_book(&self, values: &[f64]) -> Vec<f64> {
        covariance_with_book(&self.covariance, values)
    }

    /// Value at risk of some exposures.
    pub fn value_at_risk(&self, values: &[f64]) -> f64 {
        self.quantile * book_volatility(&self.covariance, values)
    }
}

/// Exposures of a pool at a state.
///
/// # Errors
///
/// [`Error::Missing`] for a volatility or correlations that are not given.
pub fn exposures(view: &PoolView<'_>, rulebook: &Rulebook, state: &MarketState) -> Result<Exposures> {
    let Measure::NormalValueAtRisk { confidence, horizon_days, days_per_year } = rulebook.measure else {
        return Err(Error::NotCovered {
            what: "value at risk".into(),
            why: format!("rulebook '{}' is not measured by it", rulebook.id),
            place: Place::default(),
        });
    };
    let book = view.book;
    let standard =
        Normal::new(0.0, 1.0).map_err(|_| Error::not_finite("normal law", 0.0, Place::default()))?;
    let mut values = Vec::with_capacity(view.positions.len());
    let mut volatilities = Vec::with_capacity(view.positions.len());
    for position in view.positions {
        let symbol = || book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str());
        let price = view.price(settle_of(book, position), state)?;
        let ratio = state.ratio(underlying_of(book, position));
        // what settlement has fixed does not move
        let open = book.quotes.get(position.instrument).map_or(1.0, |quote| quote.share_left_at(ratio));
        let size = open * notional(book, position, ratio) * price;
        values.push(size.copysign(position.quantity));
        let given = book.volatility.get(position.instrument).copied().flatten();
        let given = given.or_else(|| book.underlyings.get(underlying_of(book, position))?.volatility);
        volatilities.push(match given {
            Some(Volatility::Daily(daily)) => daily * horizon_days.sqrt(),
            Some(Volatility::Annual(annual)) => annual * (horizon_days / days_per_year).sqrt(),
            None => {
                return Err(Error::Missing {
                    what: format!("volatility of {}", symbol()),
                    why: "give annualVol or dailyVol on the Market sheet".into(),
                    place: Place::row(position.row, symbol()),
                });
            }
        });
    }
    let size = values.len();
    let first = view.positions.first().map(|position| position.instrument);
    let several = view.positions.iter().any(|position| Some(position.instrument) != first);
    let all = book.instruments.len();
    let typed = if several && book.correlations.is_none() { Some(typed(view)?) } else { None };
    let correlation = |first: &Position, second: &Position| match (&book.correlations, &typed) {
        (Some(matrix), _) => matrix.get(first.instrument * all + second.instrument).copied().unwrap_or(0.0),
        (None, Some((coins, matrix))) => {
            let place = |position| coins.iter().position(|coin| *coin == underlying_of(book, position));
            place(first)
                .zip(place(second))
                .and_then(|(row, column)| matrix.get(row * coins.len() + column).copied())
                .unwrap_or(0.0)
        }
        (None, None) => 1.0,
    };
    let mut covariance = Vec::with_capacity(size * size);
    for (first, sigma) in view.positions.iter().zip(&volatilities) {
        for (second, other) in view.positions.iter().zip(&volatilities) {
            covariance.push(correlation(first, second) * sigma * other);
        }
    }
    Ok(Exposures { values, covariance, quantile: standard.inverse_cdf(confidence) })
}

/// Coins of a pool and the correlations that the market table gives for them; contracts of one coin move as one.
fn typed(view: &PoolView<'_>) -> Result<(Vec<usize>, Vec<f64>)> {
    let book = view.book;
    let market = market_risk(book);
    if market.correlations.is_empty() {
        return Err(Error::Missing {
            what: "correlations".into(),
            why: "value at risk of several positions needs their correlation matrix: columns such as 'corr ETH' on \
                  the Market sheet, or the option correlations"
                .into(),
            place: Place::default(),
        });
    }
    let mut coins: Vec<usize> = view.positions.iter().map(|position| underlying_of(book, position)).collect();
    coins.sort_unstable();
    coins.dedup();
    let names: Vec<&str> = coins
        .iter()
        .map(|coin| book.underlyings.get(*coin).map_or("", |known| known.name.as_str()))
        .collect();
    let matrix = typed_correlations(&market, &names, Repair::Refused)?;
    Ok((coins, matrix.used))
}

pub(super) fn requirement(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Requirement> {
    let exposures = exposures(view, rulebook, state)?;
    let total = exposures.value_at_risk(&exposures.values);
    let with_book = exposures.covariance_with_book(&exposures.values);
    let by_position = exposures
        .values
        .iter()
        .zip(&with_book)
        .map(|(value, covariance)| {
            let squared = exposures.quantile * exposures.quantile;
            let part = if total > 0.0 { squared * value * covariance / total } else { 0.0 };
            PositionMargin {
                notional: value.abs(),
                maintenance: rulebook.maintenance.factor * part,
                charges: 0.0,
                initial: Some(rulebook.initial.factor * part),
            }
        })
        .collect();
    let initial = rulebook.initial.factor * total;
    let maintenance = rulebook.maintenance.factor * total;
    Ok(Requirement {
        maintenance,
        initial: view.orders.is_empty().then_some(initial),
        order_margin: 0.0,
        initial_missing: (!view.orders.is_empty())
            .then(|| "open orders are not covered by this measure yet".to_owned()),
        by_position,
        by_balance: Vec::new(),
        worst: Vec::new(),
        components: vec![Component {
            unit: None,
            kind: ComponentKind::ValueAtRisk,
            base: total,
            figures: None,
            initial: Share { amount: initial, counts: true },
            maintenance: Share { amount: maintenance, counts: true },
        }],
    })
}
