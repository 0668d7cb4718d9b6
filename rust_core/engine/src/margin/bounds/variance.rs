//! Parametric value at risk along a stretch.

use super::Between;
use super::enclosed::Enclosed;
use crate::error::Result;
use crate::margin::variance::exposures;
use crate::market::underlying_of;

/// The maintenance margin between two states.
///
/// Value at risk is a norm of the exposures, so it moves no faster than the norms of their single moves add up to.
pub(super) fn requirement_between(between: &Between<'_>) -> Result<Option<Enclosed>> {
    let view = between.view;
    let rulebook = view.rulebook()?;
    let (from, to) = between.states();
    let (first, last) = (exposures(view, rulebook, from)?, exposures(view, rulebook, to)?);
    let count = first.values.len();
    let mut bound = 0.0;
    for (place, position) in view.positions.iter().enumerate() {
        let (Some(start), Some(end)) = (first.values.get(place), last.values.get(place)) else {
            return Ok(None);
        };
        let variance = first.covariance.get(place * count + place).copied().unwrap_or(0.0);
        let size = start.abs().max(end.abs()) * between.exponent(underlying_of(view.book, position)).abs();
        bound += first.quantile * variance.sqrt() * size;
    }
    let factor = rulebook.maintenance.factor;
    let (start, end) = (first.value_at_risk(&first.values), last.value_at_risk(&last.values));
    Ok(Some(Enclosed { start, end, low: -bound, high: bound }.times_constant(factor)))
}
