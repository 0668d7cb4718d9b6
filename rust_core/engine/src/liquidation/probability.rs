//! Probability that an account is liquidated within a time: first passage, by simulation (methods.md section 5.6).
//!
//! Coins follow geometric Brownian motions without drift; what is held, the volatilities of options and the time to
//! their expiry stay. The excess is evaluated on the path, so that brackets, grids and collateral rates move with
//! the market. Between two steps a path may have been below zero and back: the probability of that is the one of a
//! Brownian bridge, `exp(-2 d0 d1 / dt)` with the distances to the boundary in standard deviations of one day.
//!
//! An account that one coin moves has its boundary at known prices, and the bridge is exact for any number of steps.
//! Elsewhere the distance is the excess over its standard deviation there, which is right to first order in the step.
//!
//! There are no jumps and no clusters of volatility in it: take it as optimistic.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::boundary::{Boundary, breach, state_of};
use super::price::coins_of;
use super::separable::Separable;
use super::sweep::Crossing;
use crate::currency::is_stable;
use crate::error::{Error, Place, Result, check_positive};
use crate::margin::status::broken;
use crate::margin::tiers::brackets_only;
use crate::margin::{PoolView, excess};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::random::counter::{Purpose, Stream};
use crate::random::normal::standard_normals;
use crate::statistics::factor_root;
use crate::threads::Workers;
use crate::watch::Watch;

/// Paths that are followed together.
const BLOCK: usize = 256;
/// A step of the log price for derivatives of the excess.
const NUDGE: f64 = 1e-4;
/// Beyond this exponent a bridge has no probability that matters.
const NEGLIGIBLE: f64 = 40.0;
/// How many times today's standard deviation of the excess that of a point on a path is taken to be at most, when
/// it is decided whether a bridge can matter: of brackets, of other measures.
const LARGEST_GROWTH: [f64; 2] = [2.0, 4.0];
/// How a path is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// The excess is evaluated at every step.
    Every,
    /// Not inside a zone around today's prices in which no direction tried meets the boundary.
    SafeZone,
}

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulation {
    /// Days.
    pub horizon_days: f64,
    /// Paths.
    pub paths: usize,
    /// Steps of each.
    pub steps: usize,
    /// Seed.
    pub seed: u64,
    /// Which steps are evaluated where there is no closed form.
    pub screen: Screen,
    /// Largest number of threads.
    pub threads: Option<usize>,
}

/// How likely a liquidation is.
#[derive(Debug, Clone, PartialEq)]
pub struct Probability {
    /// At any time within the horizon.
    pub first_passage: f64,
    /// Its standard error.
    pub first_error: f64,
    /// At its end.
    pub terminal: f64,
    /// Its standard error.
    pub terminal_error: f64,
    /// How many paths were followed.
    pub paths: usize,
    /// Steps of each.
    pub steps: usize,
    /// How often the excess was evaluated.
    pub evaluations: usize,
    /// Logarithms of the boundary over today's price, below and above, where one coin moves the account.
    pub barriers: Option<(Option<f64>, Option<f64>)>,
    /// How it was found, in words.
    pub method: String,
}

/// The coins that move a pool, without stable currencies.
pub fn moving_coins(view: &PoolView<'_>) -> Vec<usize> {
    let mut coins = coins_of(view.book, view);
    coins.retain(|coin| view.book.underlyings.get(*coin).is_some_and(|known| !is_stable(&known.name)));
    coins
}

/// Probability that a pool is liquidated, `daily` being the covariance of one day's log moves of `coins`, row by row.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a horizon that is not above zero or no path; [`Error::NoAnswer`] if stopped; as
/// [`crate::margin::evaluate`].
pub fn probability(
    view: &PoolView<'_>,
    coins: &[usize],
    daily: &[f64],
    simulation: &Simulation,
    watch: &Watch,
) -> Result<Probability> {
    check_positive("horizon_days", simulation.horizon_days, Place::default)?;
    for (name, value) in [("paths", simulation.paths), ("steps", simulation.steps)] {
        if value == 0 {
            return Err(Error::OutOfRange {
                name: name.into(),
                value: 0.0,
                must_be: "1 or above",
                place: Place::default(),
            });
        }
    }
    let root = factor_root(daily, coins.len())?;
    let boundary = match coins {
        [] => Boundary::Still,
        [coin] => Boundary::one_coin(view, *coin)?,
        _ => Boundary::many_coins(view, coins, &root, simulation)?,
    };
    let step_days = simulation.horizon_days / simulation.steps as f64;
    let variances: Vec<f64> =
        (0..coins.len()).map(|place| daily.get(place * (coins.len() + 1)).copied().unwrap_or(0.0)).collect();
    let walk = Walk {
        view,
        coins,
        daily,
        root: &root,
        variances: &variances,
        step_days,
        simulation,
        boundary: &boundary,
        evaluations: AtomicUsize::new(0),
        broken_today: breach(view, &MarketState::today(view.book))?,
        quick: Separable::of(view, coins)?,
        negligible: 0.0,
    };
    let walk = Walk { negligible: walk.product_that_matters()?, ..walk };
    let mut found = vec![(0.0, 0.0); simulation.paths];
    watch.expect(simulation.paths.div_ceil(BLOCK));
    let blocks: Vec<(usize, &mut [(f64, f64)])> = found.chunks_mut(BLOCK).enumerate().collect();
    Workers::new(simulation.threads)?.each(blocks, |(block, rows)| {
        watch.check()?;
        walk.follow(block * BLOCK, rows)?;
        watch.advance(1)
    })?;
    let (first_passage, first_error) = mean(found.iter().map(|(first, _)| *first), simulation.paths);
    let (terminal, terminal_error) = mean(found.iter().map(|(_, last)| *last), simulation.paths);
    Ok(Probability {
        first_passage,
        first_error,
        terminal,
        terminal_error,
        paths: simulation.paths,
        steps: simulation.steps,
        evaluations: walk.evaluations.load(Ordering::Relaxed),
        barriers: match &boundary {
            Boundary::OneCoin { below, above, .. } => Some((*below, *above)),
            _ => None,
        },
        method: boundary.words(),
    })
}

fn ratios_of(moves: &[f64]) -> Vec<f64> {
    moves.iter().map(|own| own.exp()).collect()
}

/// Mean and standard error; what is added is in the order of the paths.
fn mean(values: impl Iterator<Item = f64> + Clone, count: usize) -> (f64, f64) {
    let count = count as f64;
    let mean = sum(values.clone()) / count;
    let square = sum(values.map(|value| (value - mean) * (value - mean)));
    (mean, (square / (count * (count - 1.0).max(1.0))).sqrt())
}

struct Walk<'a> {
    view: &'a PoolView<'a>,
    coins: &'a [usize],
    daily: &'a [f64],
    root: &'a [f64],
    variances: &'a [f64],
    step_days: f64,
    simulation: &'a Simulation,
    boundary: &'a Boundary,
    evaluations: AtomicUsize,
    broken_today: bool,
    /// The excess without a whole evaluation, where the account allows it.
    quick: Option<Separable<'a>>,
    /// Two excesses whose product is above this have no bridge that matters.
    negligible: f64,
}

/// A point of a path, as far as it is known.
#[derive(Clone, Copy)]
enum Point {
    /// Inside the safe zone: not evaluated.
    Safe,
    /// The excess, and its distance to zero in one-day standard deviations once it was asked for.
    Seen { excess: f64, distance: Option<f64> },
}

impl Walk<'_> {
    /// Follows a block of paths: the probability that each was liquidated, and whether it is at the end.
    fn follow(&self, first: usize, rows: &mut [(f64, f64)]) -> Result<()> {
        let (count, steps) = (self.coins.len(), self.simulation.steps);
        if self.broken_today || count == 0 {
            let certain = f64::from(u8::from(self.broken_today));
            if count == 0 {
                rows.fill((certain, certain));
                return Ok(());
            }
        }
        // normals[step][dimension][path]
        let mut normals = vec![0.0; steps * count * rows.len()];
        let mut bits = vec![0_u64; rows.len()];
        for (place, part) in normals.chunks_mut(rows.len()).enumerate() {
            let stream = Stream {
                seed: self.simulation.seed,
                purpose: Purpose::Paths,
                step: (place / count) as u64 + 1,
                dimension: (place % count) as u64 + 1,
            };
            stream.fill(first as u64, &mut bits);
            standard_normals(&bits, part);
        }
        let width = rows.len();
        for (path, row) in rows.iter_mut().enumerate() {
            let normal = |step: usize, dimension: usize| {
                normals.get((step * count + dimension) * width + path).copied().unwrap_or(0.0)
            };
            *row = match self.boundary {
                Boundary::OneCoin { down, up, below, above, .. } => {
                    self.one_coin(normal, (down, up), (*below, *above))
                }
                _ => self.many_coins(normal)?,
            };
            if self.broken_today {
                row.0 = 1.0;
            }
        }
        Ok(())
    }

    fn one_coin(
        &self,
        normal: impl Fn(usize, usize) -> f64,
        (down, up): (&[Crossing], &[Crossing]),
        (below, above): (Option<f64>, Option<f64>),
    ) -> (f64, f64) {
        let variance = self.variances.first().copied().unwrap_or(0.0);
        let scale = (variance * self.step_days).sqrt();
        let drift = -0.5 * variance * self.step_days;
        let (mut survives, mut position) = (1.0, 0.0);
        for step in 0..self.simulation.steps {
            let next = position + drift + scale * normal(step, 0);
            for (barrier, sign) in [(below, 1.0), (above, -1.0)] {
                let Some(barrier) = barrier else { continue };
                let (from, to) = (sign * (position - barrier), sign * (next - barrier));
                if to <= 0.0 {
                    survives = 0.0;
                } else if scale > 0.0 {
                    survives *= -(-2.0 * from * to / (scale * scale)).exp_m1();
                }
            }
            position = next;
        }
        let list = if position < 0.0 { down } else { up };
        let beyond = |crossing: &&Crossing| crossing.ratio.ln().abs() <= position.abs();
        let last = list.iter().rfind(beyond).map_or(self.broken_today, |own| own.into_breach);
        (1.0 - survives, f64::from(u8::from(last)))
    }

    fn many_coins(&self, normal: impl Fn(usize, usize) -> f64) -> Result<(f64, f64)> {
        let count = self.coins.len();
        let root_step = self.step_days.sqrt();
        let steps = self.simulation.steps;
        let mut whitened = vec![0.0; count];
        let mut moves = vec![0.0; count];
        let mut survives = 1.0;
        let mut before: Option<(Point, Vec<f64>)> = None;
        for step in 0..=steps {
            if step > 0 {
                for (dimension, own) in whitened.iter_mut().enumerate() {
                    *own += root_step * normal(step - 1, dimension);
                }
                let days = self.step_days * step as f64;
                let rows = self.root.chunks(count).zip(self.variances).zip(moves.iter_mut());
                for ((row, variance), own) in rows {
                    *own = sum(row.iter().zip(&whitened).map(|(a, b)| a * b)) - 0.5 * variance * days;
                }
            }
            let last = step == steps;
            if survives == 0.0 && !last {
                continue;
            }
            let mut here = self.point(&whitened, &moves)?;
            if last && matches!(here, Point::Seen { excess, .. } if self.is_broken(excess)?) {
                return Ok((1.0, 1.0));
            }
            if survives > 0.0 {
                if let Point::Seen { excess, .. } = here
                    && self.is_broken(excess)?
                {
                    survives = 0.0;
                } else if let Some((from, at)) = &mut before {
                    survives *= 1.0 - self.bridge((from, at), (&mut here, &moves))?;
                }
            }
            before = Some((here, moves.clone()));
        }
        Ok((1.0 - survives, 0.0))
    }

    fn is_broken(&self, excess: f64) -> Result<bool> {
        Ok(broken(&self.view.rulebook()?.maintenance, excess))
    }

    fn point(&self, whitened: &[f64], moves: &[f64]) -> Result<Point> {
        if let Boundary::ManyCoins { safe, .. } = self.boundary {
            // the drift is no part of the whitened move: half of a variance, a small part of a sigma
            let length = sum(whitened.iter().map(|own| own * own)).sqrt();
            if length < *safe {
                return Ok(Point::Safe);
            }
        }
        Ok(Point::Seen { excess: self.excess_at(moves)?, distance: None })
    }

    fn excess_at(&self, moves: &[f64]) -> Result<f64> {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        if let Some(quick) = &self.quick {
            return Ok(quick.at(&ratios_of(moves)));
        }
        excess(self.view, &state_of(self.view, self.coins, moves))
    }

    /// Probability that the bridge between two points touched the boundary.
    fn bridge(&self, from: (&mut Point, &[f64]), to: (&mut Point, &[f64])) -> Result<f64> {
        if matches!((&*from.0, &*to.0), (Point::Safe, Point::Safe)) {
            return Ok(0.0);
        }
        if let (Point::Seen { excess: one, .. }, Point::Seen { excess: other, .. }) = (&*from.0, &*to.0)
            && one * other > self.negligible
        {
            return Ok(0.0);
        }
        let near = self.distance(from.0, from.1)?;
        let far = self.distance(to.0, to.1)?;
        let exponent = 2.0 * near * far / self.step_days;
        Ok(if exponent > NEGLIGIBLE { 0.0 } else { (-exponent).exp() })
    }

    fn product_that_matters(&self) -> Result<f64> {
        if !matches!(self.boundary, Boundary::ManyCoins { .. }) {
            return Ok(0.0);
        }
        let still = vec![0.0; self.coins.len()];
        let mut today = Point::Seen { excess: self.excess_at(&still)?, distance: None };
        let distance = self.distance(&mut today, &still)?;
        let Point::Seen { excess, .. } = today else { return Ok(0.0) };
        let deviation = if distance == 0.0 { f64::INFINITY } else { excess / distance };
        let growth = LARGEST_GROWTH[usize::from(!brackets_only(self.view)?)];
        Ok(0.5 * NEGLIGIBLE * self.step_days * (growth * deviation) * (growth * deviation))
    }

    /// Excess over the standard deviation that one day's moves give it here.
    fn distance(&self, point: &mut Point, moves: &[f64]) -> Result<f64> {
        if let Point::Seen { distance: Some(known), .. } = point {
            return Ok(*known);
        }
        let here = match *point {
            Point::Seen { excess, .. } => excess,
            Point::Safe => self.excess_at(moves)?,
        };
        let slopes = match &self.quick {
            Some(quick) => quick.slopes(&ratios_of(moves)),
            None => self.slopes(here, moves)?,
        };
        let variance = sum(self.daily.chunks(moves.len()).zip(&slopes).map(|(row, slope)| {
            slope * sum(row.iter().zip(&slopes).map(|(covariance, other)| covariance * other))
        }));
        let found = if variance > 0.0 { here / variance.sqrt() } else { f64::INFINITY };
        *point = Point::Seen { excess: here, distance: Some(found) };
        Ok(found)
    }

    /// Derivatives of the excess by the logarithm of each coin's price, by a small step.
    fn slopes(&self, here: f64, moves: &[f64]) -> Result<Vec<f64>> {
        let mut slopes = Vec::with_capacity(moves.len());
        let mut nudged = moves.to_vec();
        for place in 0..moves.len() {
            let own = moves.get(place).copied().unwrap_or(0.0);
            if let Some(slot) = nudged.get_mut(place) {
                *slot = own + NUDGE;
            }
            slopes.push((self.excess_at(&nudged)? - here) / NUDGE);
            if let Some(slot) = nudged.get_mut(place) {
                *slot = own;
            }
        }
        Ok(slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, Input, Options, RulebookChoice, build};
    use crate::cell::{Cell, Table};
    use crate::rulebook::builtin;
    use crate::statistics::sizing::{Leveraged, liquidation_probability};

    fn table(text: &str) -> Table {
        let cell = |text: &str| text.parse().map_or_else(|_| Cell::from_text(text), Cell::Number);
        Table::from_rows(text.lines().map(|line| line.split('|').map(cell).collect()).collect())
    }

    fn book(positions: &str, cash: f64) -> Book {
        let positions =
            table(&format!("symbol|contracts|entryPrice|markPrice|maintenanceMarginRate\n{positions}"));
        let collateral = table(&format!("currency|cash\nUSD|{cash}"));
        let input = Input { positions: Some(&positions), collateral: Some(&collateral), ..Input::default() };
        let rules = RulebookChoice::One(Box::new(builtin("custom").unwrap().clone()));
        build(&input, &rules, &Options::default()).book.unwrap()
    }

    const SIMULATION: Simulation = Simulation {
        horizon_days: 1.0,
        paths: 3000,
        steps: 8,
        seed: 11,
        screen: Screen::SafeZone,
        threads: None,
    };

    fn of(book: &Book, daily: &[f64], simulation: &Simulation) -> Result<Probability> {
        let view = PoolView::of(book, &book.pools[0]);
        probability(&view, &moving_coins(&view), daily, simulation, &Watch::new())
    }

    #[test]
    fn one_long_position_agrees_with_the_closed_form() {
        let held = book("BTC|1|60000|60000|0.005", 3000.0);
        let found = of(&held, &[0.64 / 365.0], &Simulation { paths: 20_000, ..SIMULATION }).unwrap();
        let position = Leveraged { leverage: 20.0, maintenance_rate: 0.005, long: true };
        let expected = liquidation_probability(position, 0.8, 1.0 / 365.0, 0.0).unwrap();
        assert!((found.first_passage - expected).abs() < 3.0 * found.first_error, "{found:?} {expected}");
        let (below, above) = found.barriers.unwrap();
        assert!((below.unwrap() - (0.95_f64 / 0.995).ln()).abs() < 1e-12 && above.is_none());
    }

    #[test]
    fn no_number_of_threads_changes_a_bit() {
        let held = book("BTC|1|60000|60000|0.01\nETH|-15|3000|3000|0.02", 4500.0);
        let daily = [0.0016, 0.0014, 0.0014, 0.0025];
        let at = |threads| of(&held, &daily, &Simulation { threads: Some(threads), ..SIMULATION }).unwrap();
        let one = at(1);
        assert!(one.first_passage > one.terminal && one.terminal > 0.0, "{one:?}");
        for threads in [2, 8] {
            let other = at(threads);
            assert_eq!(one.first_passage.to_bits(), other.first_passage.to_bits());
            assert_eq!(one.terminal_error.to_bits(), other.terminal_error.to_bits());
        }
    }

    #[test]
    fn a_stopped_simulation_and_one_without_time_are_refused() {
        let held = book("BTC|1|60000|60000|0.01", 3000.0);
        let view = PoolView::of(&held, &held.pools[0]);
        let watch = Watch::new();
        watch.stop();
        let refusal = probability(&view, &moving_coins(&view), &[0.0016], &SIMULATION, &watch).unwrap_err();
        assert_eq!(refusal.to_string(), "the calculation was stopped");
        let refusal = of(&held, &[0.0016], &Simulation { horizon_days: 0.0, ..SIMULATION }).unwrap_err();
        assert_eq!(refusal.to_string(), "horizon_days must be finite and above zero, was 0");
        let refusal = of(&held, &[0.0016], &Simulation { paths: 0, ..SIMULATION }).unwrap_err();
        assert_eq!(refusal.to_string(), "paths must be 1 or above, was 0");
    }
}
