//! The nearest liquidating scenario: reverse stress over all coins at once.
//!
//! Distances are counted in one-day standard deviations: of all scenarios that liquidate an account, which is the least
//! unusual one under the covariance of the coins? In coordinates in which the covariance is the identity, that is the
//! point of the boundary nearest to today, and along every straight line the first trigger is found with proof
//! ([`super::isolate`]). The line is turned towards the boundary's normal until it turns no more, from several
//! directions (the design point of first-order reliability: Hasofer and Lind, J. Eng. Mech. Div. 100 (1974) 111;
//! Rackwitz and Fiessler, Computers and Structures 9 (1978) 489).

use super::isolate::Isolation;
use crate::error::Result;
use crate::margin::PoolView;
use crate::margin::bounds::{Basis, figure};
use crate::margin::status::broken;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::path::Way;

/// A ratio beyond this, or below its reciprocal, is no scenario.
pub const LARGEST_LOG_MOVE: f64 = 4.605_170_185_988_092;
/// Turns of a line before it is taken as it stands.
const TURNS: usize = 24;
/// A turn that brings the boundary nearer by less than this share is the last.
const GAIN: f64 = 1e-7;
/// Step of the differences that the normal is taken from, standard deviations.
const STEP: f64 = 1e-4;

/// A scenario at the boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Logarithms of the ratios of the coins.
    pub moves: Vec<f64>,
    /// Distance in standard deviations of one day.
    pub sigmas: f64,
    /// Whether the first trigger on its line is proven.
    pub proven: bool,
}

/// A pool with the covariance of its coins.
pub struct Reverse<'a> {
    /// The pool.
    pub view: &'a PoolView<'a>,
    /// Its coins.
    pub coins: &'a [usize],
    /// How far a line is followed, in standard deviations.
    pub reach: f64,
    /// Root of the covariance of one day's log moves, row by row: moves are its product with standard moves.
    pub root: &'a [f64],
}

impl Reverse<'_> {
    /// Moves of the coins at a point of the standard coordinates.
    fn moves(&self, point: &[f64]) -> Vec<f64> {
        self.root
            .chunks(self.coins.len().max(1))
            .map(|row| sum(row.iter().zip(point).map(|(own, other)| own * other)))
            .collect()
    }

    fn way(&self, direction: &[f64]) -> Way {
        let mut prices = vec![0.0; self.view.book.underlyings.len()];
        for (coin, own) in self.coins.iter().zip(self.moves(direction)) {
            if let Some(slot) = prices.get_mut(*coin) {
                *slot = own;
            }
        }
        Way { volatilities: vec![0.0; prices.len()], prices }
    }

    fn state(&self, way: &Way, place: f64) -> MarketState {
        MarketState::from_ratios(way.prices.iter().map(|exponent| (exponent * place).exp()).collect())
    }

    /// The distance of the first trigger in a direction of length one; `None` where there is none within reach.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    fn first(&self, direction: &[f64]) -> Result<Option<(f64, bool)>> {
        let level = &self.view.rulebook()?.maintenance;
        let way = self.way(direction);
        let steepest = way.prices.iter().fold(0.0_f64, |most, own| most.max(own.abs()));
        if steepest == 0.0 {
            return Ok(None);
        }
        let reach = self.reach.min(LARGEST_LOG_MOVE / steepest);
        let state = |place: f64| self.state(&way, place);
        let breach = |value: f64| broken(level, value);
        let search = Isolation {
            view: self.view,
            way: &way,
            basis: Basis::Maintenance,
            state: &state,
            breach: &breach,
            first_only: true,
        };
        if let Some(found) = search.isolate(&[0.0, reach])? {
            let first = found.changes.iter().find(|change| change.breached_above);
            return Ok(first.map(|change| (change.above, !found.exhausted)));
        }
        self.first_on_a_grid(&state, &breach, reach)
    }

    fn first_on_a_grid(
        &self,
        state: &dyn Fn(f64) -> MarketState,
        breach: &dyn Fn(f64) -> bool,
        reach: f64,
    ) -> Result<Option<(f64, bool)>> {
        const POINTS: usize = 160;
        let at = |place: f64| -> Result<bool> {
            Ok(breach(figure(self.view, &state(place), Basis::Maintenance)?))
        };
        let mut near = 0.0;
        for point in 1..=POINTS {
            let far = reach * point as f64 / POINTS as f64;
            if !at(far)? {
                near = far;
                continue;
            }
            let (mut low, mut high) = (near, far);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if at(middle)? { high = middle } else { low = middle }
            }
            return Ok(Some((high, false)));
        }
        Ok(None)
    }

    /// The direction in which the excess falls fastest at a point, of length one; `None` where it is flat.
    fn steepest(&self, point: &[f64]) -> Result<Option<Vec<f64>>> {
        let at = |point: &[f64]| -> Result<f64> {
            let mut state = MarketState::today(self.view.book);
            for (coin, own) in self.coins.iter().zip(self.moves(point)) {
                state = state.with(*coin, own.exp());
            }
            figure(self.view, &state, Basis::Maintenance)
        };
        let mut fall = Vec::with_capacity(point.len());
        for place in 0..point.len() {
            let mut ends = [0.0; 2];
            for (end, sign) in ends.iter_mut().zip([1.0, -1.0]) {
                let mut moved = point.to_vec();
                if let Some(slot) = moved.get_mut(place) {
                    *slot += sign * STEP;
                }
                *end = at(&moved)?;
            }
            fall.push((ends[1] - ends[0]) / (2.0 * STEP));
        }
        Ok(unit(fall))
    }

    /// The direction in which the excess falls fastest today.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn steepest_today(&self) -> Result<Option<Vec<f64>>> {
        self.steepest(&vec![0.0; self.coins.len()])
    }

    /// The nearest trigger found from a direction: the line is turned until that brings nothing.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub fn from(&self, direction: &[f64]) -> Result<Option<Nearest>> {
        let Some(mut direction) = unit(direction.to_vec()) else { return Ok(None) };
        let Some((mut distance, mut proven)) = self.first(&direction)? else { return Ok(None) };
        let mut share = 1.0;
        for _ in 0..TURNS {
            let point: Vec<f64> = direction.iter().map(|own| own * distance).collect();
            let Some(normal) = self.steepest(&point)? else { break };
            let mixed =
                direction.iter().zip(&normal).map(|(own, other)| own + share * (other - own)).collect();
            let Some(turned) = unit(mixed) else { break };
            match self.first(&turned)? {
                Some((nearer, how)) if nearer < distance => {
                    let gain = 1.0 - nearer / distance;
                    (direction, distance, proven) = (turned, nearer, how);
                    share = 1.0;
                    if gain < GAIN {
                        break;
                    }
                }
                // the boundary has a bend here: turn by less
                _ => {
                    share *= 0.5;
                    if share < 1e-3 {
                        break;
                    }
                }
            }
        }
        let point: Vec<f64> = direction.iter().map(|own| own * distance).collect();
        Ok(Some(Nearest { moves: self.moves(&point), sigmas: distance, proven }))
    }

    /// The standard coordinates of moves of the coins that are the likeliest under the covariance given that one
    /// coin moves: its row of the root.
    pub fn likeliest(&self, coin: usize, sign: f64) -> Vec<f64> {
        let row = self.root.chunks(self.coins.len().max(1)).nth(coin).unwrap_or(&[]);
        row.iter().map(|own| sign * own).collect()
    }
}

/// A direction of length one.
fn unit(mut direction: Vec<f64>) -> Option<Vec<f64>> {
    let length = sum(direction.iter().map(|own| own * own)).sqrt();
    if !(length.is_finite() && length > 0.0) {
        return None;
    }
    direction.iter_mut().for_each(|own| *own /= length);
    Some(direction)
}
