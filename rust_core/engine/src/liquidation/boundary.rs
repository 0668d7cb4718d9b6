//! Where a pool is liquidated, as a simulation needs it: at known prices of one coin, or where the excess says so.

use super::price::crossings;
use super::probability::{Screen, Simulation};
use super::sweep::{Crossing, Target};
use crate::error::Result;
use crate::margin::status::broken;
use crate::margin::tiers::brackets_only;
use crate::margin::{PoolView, excess};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::path::Path;
use crate::random::counter::{Purpose, Stream};
use crate::random::normal::{centred, standard_normal};

/// How far, as a multiple of the mark, the boundary of an account without a closed form is searched.
const SEARCH: f64 = 100.0;
/// Directions in which the safe zone is looked for, besides the axes.
const DIRECTIONS: usize = 64;
/// Points on each of them.
const POINTS: usize = 40;
/// The share of the nearest boundary found that is taken as safe.
const SAFE_SHARE: f64 = 0.6;

pub(super) fn breach(view: &PoolView<'_>, state: &MarketState) -> Result<bool> {
    Ok(broken(&view.rulebook()?.maintenance, excess(view, state)?))
}

/// Where a pool is liquidated.
pub(super) enum Boundary {
    /// Nothing moves it.
    Still,
    /// At prices of one coin: logarithms of ratios at which it changes, the nearest ones on each side.
    OneCoin { down: Vec<Crossing>, up: Vec<Crossing>, below: Option<f64>, above: Option<f64>, closed: bool },
    /// Where the excess says so; nothing within `safe` standard deviations is evaluated.
    ManyCoins { safe: f64, tried: usize },
}

impl Boundary {
    pub(super) fn one_coin(view: &PoolView<'_>, coin: usize) -> Result<Self> {
        let found = crossings(view, &Path::Alone(coin).into(), Target::Trigger, SEARCH)?;
        let nearest = |list: &[Crossing]| {
            list.iter().find(|crossing| crossing.into_breach).map(|crossing| crossing.ratio.ln())
        };
        Ok(Self::OneCoin {
            below: nearest(&found.down),
            above: nearest(&found.up),
            down: found.down,
            up: found.up,
            closed: brackets_only(view)?,
        })
    }

    /// Looks for the boundary along the axes and in fixed random directions, in standard deviations of one day.
    pub(super) fn many_coins(
        view: &PoolView<'_>,
        coins: &[usize],
        root: &[f64],
        simulation: &Simulation,
    ) -> Result<Self> {
        if brackets_only(view)? || simulation.screen == Screen::Every {
            return Ok(Self::ManyCoins { safe: 0.0, tried: 0 });
        }
        let count = coins.len();
        let reach = 6.0 * simulation.horizon_days.sqrt();
        let mut nearest = reach;
        let mut directions = Vec::new();
        for axis in 0..count {
            for sign in [1.0, -1.0] {
                let mut direction = vec![0.0; count];
                if let Some(slot) = direction.get_mut(axis) {
                    *slot = sign;
                }
                directions.push(direction);
            }
        }
        for path in 0..DIRECTIONS {
            let mut direction = vec![0.0; count];
            for (dimension, slot) in direction.iter_mut().enumerate() {
                let stream = Stream {
                    seed: simulation.seed,
                    purpose: Purpose::Scrambling,
                    step: 0,
                    dimension: dimension as u64,
                };
                let mut bits = [0];
                stream.fill(path as u64, &mut bits);
                *slot = standard_normal(centred(bits[0]));
            }
            let length = sum(direction.iter().map(|own| own * own)).sqrt();
            direction.iter_mut().for_each(|own| *own /= length);
            directions.push(direction);
        }
        for direction in &directions {
            for point in 1..=POINTS {
                let radius = reach * point as f64 / POINTS as f64;
                if radius >= nearest {
                    break;
                }
                let moves: Vec<f64> = root
                    .chunks(count)
                    .map(|row| radius * sum(row.iter().zip(direction).map(|(a, b)| a * b)))
                    .collect();
                if breach(view, &state_of(view, coins, &moves))? {
                    nearest = radius;
                    break;
                }
            }
        }
        Ok(Self::ManyCoins { safe: SAFE_SHARE * nearest, tried: directions.len() })
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Still => "no price moves the account".into(),
            Self::OneCoin { closed: true, .. } => {
                "one coin: trigger prices in closed form, exact bridge between steps".into()
            }
            Self::OneCoin { closed: false, .. } => {
                "one coin: trigger prices by search, exact bridge between steps".into()
            }
            Self::ManyCoins { tried: 0, .. } => {
                "maintenance margin evaluated at every step, bridge to first order between steps".into()
            }
            Self::ManyCoins { safe, tried } => format!(
                "maintenance margin evaluated at every step beyond {safe:.2} one-day sigmas (no trigger in {tried} directions within {:.2}), bridge to first order between steps",
                safe / SAFE_SHARE
            ),
        }
    }
}

/// The market with log moves of some coins.
pub(super) fn state_of(view: &PoolView<'_>, coins: &[usize], moves: &[f64]) -> MarketState {
    let mut state = MarketState::today(view.book);
    for (coin, own) in coins.iter().zip(moves) {
        state = state.with(*coin, own.exp());
    }
    state
}
