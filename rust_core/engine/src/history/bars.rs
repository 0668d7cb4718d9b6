//! From levels to moves bar by bar: stale levels taken out, holes left open, young series stood in for.

use super::{Factor, History, SECONDS_OF_A_DAY, Series};
use crate::error::{Error, Place, Result};
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::HistoryRule;

/// Two bars further apart than this many usual steps have a hole between them.
pub(super) const LARGEST_STEP: f64 = 1.5;
/// Two bars closer than this many usual steps make no move: it would count as one of a whole step.
pub(super) const SMALLEST_STEP: f64 = 0.5;
/// Moves whose mean square starts a volatility forecast.
pub(super) const FIRST_FORECAST: usize = 20;

/// A series that another one stands in for.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// The series.
    pub factor: Factor,
    /// How many of its moves are stood in for.
    pub count: usize,
    /// Its beta to the proxy over the moves that both have.
    pub beta: f64,
    /// How many those are.
    pub overlap: usize,
}

/// Moves of the factors that are asked for, one per pair of neighbouring bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The factors, in the order of the history.
    pub factors: Vec<Factor>,
    /// The instant at which each move ends, seconds since 1970.
    pub instants: Vec<f64>,
    /// Usual time between bars, days.
    pub step_days: f64,
    /// Factor by factor, move by move: logarithms of ratios, differences of a basis. Zero where `usable` is not.
    pub moves: Vec<Vec<f64>>,
    /// Whether every factor has a move here.
    pub usable: Vec<bool>,
    /// Factor by factor: the variance of a move as forecast at the end of the bar before it; not a number for
    /// the first moves. One more than there are moves: the last is the forecast for the bar after the history.
    pub forecasts: Vec<Vec<f64>>,
    /// Factor by factor: the mean square of all moves before each one.
    pub long_run: Vec<Vec<f64>>,
    /// What is stood in for.
    pub filled: Vec<Filled>,
}

impl Bars {
    /// Takes moves out of a history.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for a series that the history does not have, or that is too young without a proxy;
    /// [`Error::NoAnswer`] for a series that never moves.
    pub fn new(rule: &HistoryRule, history: &History, wanted: &[Factor]) -> Result<Self> {
        let mut series: Vec<&Series> = Vec::with_capacity(wanted.len());
        for factor in wanted {
            let found = history.series_of(factor);
            series.push(found.ok_or_else(|| super::notices::missing_series(factor, history))?);
        }
        let place = |own: &Series| history.series.iter().position(|known| known.factor == own.factor);
        series.sort_by_key(|own| place(own));
        let neighbours: Vec<bool> = history
            .instants
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) / SECONDS_OF_A_DAY / history.step_days)
            .map(|steps| (SMALLEST_STEP..=LARGEST_STEP).contains(&steps))
            .collect();
        let raw: Vec<Vec<Option<f64>>> =
            series.iter().map(|own| moves_of(own, &neighbours, rule.stale_after)).collect();
        for (own, moves) in series.iter().zip(&raw) {
            if !moves.iter().flatten().any(|size| *size != 0.0) {
                return Err(Error::NoAnswer {
                    why: format!(
                        "the history of {} never moves: it has no volatility and no correlation",
                        own.factor
                    ),
                });
            }
        }
        let (moves, filled) = stand_in(rule, history, &series, raw, &neighbours)?;
        let usable: Vec<bool> = (0..neighbours.len())
            .map(|bar| moves.iter().all(|own| own.get(bar).copied().flatten().is_some()))
            .collect();
        let mut forecasts = Vec::with_capacity(moves.len());
        let mut long_run = Vec::with_capacity(moves.len());
        for own in &moves {
            forecasts.push(forecast_path(own, rule.decay));
            long_run.push(mean_squares(own));
        }
        Ok(Self {
            factors: series.iter().map(|own| own.factor.clone()).collect(),
            instants: history.instants.iter().skip(1).copied().collect(),
            step_days: history.step_days,
            moves: moves
                .into_iter()
                .map(|own| own.into_iter().map(|size| size.unwrap_or(0.0)).collect())
                .collect(),
            usable,
            forecasts,
            long_run,
            filled,
        })
    }

    /// How many moves there are, usable or not.
    pub fn count(&self) -> usize {
        self.usable.len()
    }

    /// Index of a factor.
    pub fn index_of(&self, factor: &Factor) -> Option<usize> {
        self.factors.iter().position(|known| known == factor)
    }
}

/// Moves of one series; `None` where one of the two levels is missing, stale, or across a hole.
fn moves_of(series: &Series, neighbours: &[bool], stale_after: usize) -> Vec<Option<f64>> {
    let mut levels = series.levels.clone();
    let (mut before, mut repeats): (Option<f64>, usize) = (None, 0);
    for level in &mut levels {
        let Some(own) = *level else { continue };
        repeats = if before == Some(own) { repeats + 1 } else { 0 };
        before = Some(own);
        if repeats > stale_after {
            *level = None;
        }
    }
    levels
        .windows(2)
        .zip(neighbours)
        .map(|(pair, together)| match pair {
            [Some(from), Some(to)] if *together => {
                Some(if series.factor.is_ratio() { (to / from).ln() } else { to - from })
            }
            _ => None,
        })
        .collect()
}

/// Where the proxy has a move and another series has none: beta times the proxy's move and a residual of the
/// series' own, drawn by the number of the bar so that the same history gives the same moves.
#[expect(clippy::type_complexity, reason = "moves by factor and bar, and what was done to them")]
fn stand_in(
    rule: &HistoryRule,
    history: &History,
    series: &[&Series],
    mut raw: Vec<Vec<Option<f64>>>,
    neighbours: &[bool],
) -> Result<(Vec<Vec<Option<f64>>>, Vec<Filled>)> {
    let Some(coin) = &rule.proxy else { return Ok((raw, Vec::new())) };
    let proxy = Factor::price(coin);
    let source = history.series_of(&proxy).ok_or_else(|| super::notices::missing_series(&proxy, history))?;
    let proxy_moves = moves_of(source, neighbours, rule.stale_after);
    let mut filled = Vec::new();
    for (place, (own, moves)) in series.iter().zip(&mut raw).enumerate() {
        let holes = moves.iter().zip(&proxy_moves).filter(|(own, proxy)| own.is_none() && proxy.is_some());
        let count = holes.count();
        if count == 0 || own.factor == proxy {
            continue;
        }
        let common: Vec<(f64, f64)> =
            moves.iter().zip(&proxy_moves).filter_map(|(own, proxy)| (*own).zip(*proxy)).collect();
        if common.len() < rule.least_overlap {
            return Err(Error::Missing {
                what: format!("history of {}", own.factor),
                why: format!(
                    "it has {} moves in common with its proxy {coin}, and tail.history.least_overlap is {}",
                    common.len(),
                    rule.least_overlap
                ),
                place: Place::default(),
            });
        }
        let size = common.len() as f64;
        let means =
            (sum(common.iter().map(|pair| pair.0)) / size, sum(common.iter().map(|pair| pair.1)) / size);
        let covariance = sum(common.iter().map(|(own, proxy)| (own - means.0) * (proxy - means.1)));
        let variance = sum(common.iter().map(|(_, proxy)| (proxy - means.1) * (proxy - means.1)));
        let beta = covariance / variance;
        let residuals: Vec<f64> =
            common.iter().map(|(own, proxy)| own - means.0 - beta * (proxy - means.1)).collect();
        for (bar, (slot, proxy)) in moves.iter_mut().zip(&proxy_moves).enumerate() {
            if let (None, Some(proxy)) = (*slot, proxy) {
                let drawn = scrambled(bar as u64, place as u64) % residuals.len() as u64;
                #[expect(clippy::cast_possible_truncation, reason = "below the number of residuals")]
                let residual = residuals.get(drawn as usize).copied().unwrap_or(0.0);
                *slot = Some(beta * proxy + residual);
            }
        }
        filled.push(Filled { factor: own.factor.clone(), count, beta, overlap: common.len() });
    }
    Ok((raw, filled))
}

/// A number that depends on bar and series alone (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
fn scrambled(bar: u64, series: u64) -> u64 {
    let mut word =
        bar.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(series.wrapping_mul(0xD1B5_4A32_D192_ED03));
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// Variance forecasts: the one for a move is made of the moves before it (methods.md section 2.2).
fn forecast_path(moves: &[Option<f64>], decay: f64) -> Vec<f64> {
    let mut path = Vec::with_capacity(moves.len() + 1);
    let mut first: Vec<f64> = Vec::with_capacity(FIRST_FORECAST);
    let mut variance = f64::NAN;
    for size in moves {
        path.push(variance);
        let Some(size) = size else { continue };
        if variance.is_nan() {
            first.push(size * size);
            if first.len() == FIRST_FORECAST {
                variance = sum(first.iter().copied()) / FIRST_FORECAST as f64;
            }
        } else {
            variance = decay * variance + (1.0 - decay) * size * size;
        }
    }
    path.push(variance);
    path
}

/// The mean square of all moves before each one; not a number before the first.
fn mean_squares(moves: &[Option<f64>]) -> Vec<f64> {
    let mut path = Vec::with_capacity(moves.len() + 1);
    let mut total = crate::numeric::accumulate::Accumulator::default();
    let mut count = 0.0;
    for size in moves {
        path.push(if count > 0.0 { total.value() / count } else { f64::NAN });
        if let Some(size) = size {
            total.add(size * size);
            count += 1.0;
        }
    }
    path.push(if count > 0.0 { total.value() / count } else { f64::NAN });
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::FactorKind;
    use crate::rulebook::tail::Aggregation;

    fn rule() -> HistoryRule {
        HistoryRule {
            window: 10,
            aggregation: Aggregation::Overlapping,
            decay: 0.9,
            largest_scale: 4.0,
            floor_share: 0.0,
            age_decay: 0.99,
            proxy: None,
            least_overlap: 10,
            stale_after: 2,
        }
    }

    fn history(columns: &[(&str, Vec<Option<f64>>)]) -> History {
        let count = columns[0].1.len();
        History {
            hash: String::new(),
            instants: (0..count).map(|bar| bar as f64 * SECONDS_OF_A_DAY).collect(),
            step_days: 1.0,
            series: columns
                .iter()
                .map(|(coin, levels)| Series { factor: Factor::price(coin), levels: levels.clone() })
                .collect(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn a_forecast_knows_nothing_of_the_move_that_it_is_for() {
        let quiet: Vec<Option<f64>> = (0..40).map(|bar| Some(100.0 * 1.01_f64.powi(bar % 2))).collect();
        let mut stormy = quiet.clone();
        stormy[30] = Some(300.0);
        let read =
            |levels| Bars::new(&rule(), &history(&[("BTC", levels)]), &[Factor::price("BTC")]).unwrap();
        let (calm, storm) = (read(quiet), read(stormy));
        // the move into bar 30 is number 29
        assert_eq!(calm.forecasts[0][29].to_bits(), storm.forecasts[0][29].to_bits());
        assert!(storm.forecasts[0][30] > 10.0 * calm.forecasts[0][30]);
        assert!(calm.forecasts[0][FIRST_FORECAST - 1].is_nan() && calm.forecasts[0][FIRST_FORECAST] > 0.0);
    }

    #[test]
    fn stale_levels_and_holes_make_no_moves() {
        let levels = [1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0].map(Some).to_vec();
        let bars = Bars::new(&rule(), &history(&[("BTC", levels)]), &[Factor::price("BTC")]).unwrap();
        // the third repetition is stale: no move into it and none out of it
        assert_eq!(bars.usable, [true, true, true, false, false, true]);
    }

    #[test]
    fn a_young_series_moves_with_its_proxy_by_beta_and_a_residual_of_its_own() {
        let wave = |bar: usize| (bar as f64 * 1.7).sin() * 0.02;
        let mut old = vec![Some(100.0)];
        let mut young = vec![None; 10];
        for bar in 1..60 {
            old.push(Some(old[bar - 1].unwrap() * wave(bar).exp()));
        }
        young.extend(old.iter().skip(10).map(|level| Some(level.unwrap().powf(1.5))));
        let proxied = HistoryRule { proxy: Some("BTC".into()), ..rule() };
        let wanted = [Factor::price("BTC"), Factor::price("SOL")];
        let bars = Bars::new(&proxied, &history(&[("BTC", old), ("SOL", young)]), &wanted).unwrap();
        assert_eq!((bars.filled.len(), bars.filled[0].count, bars.filled[0].overlap), (1, 10, 49));
        assert!((bars.filled[0].beta - 1.5).abs() < 1e-12);
        // it follows exactly, so its residuals are nothing but rounding
        assert!((bars.moves[1][3] - 1.5 * bars.moves[0][3]).abs() < 1e-12);
        assert!(bars.usable.iter().all(|usable| *usable));
    }

    #[test]
    fn a_series_that_is_not_there_or_never_moves_is_refused() {
        let one = history(&[("BTC", vec![Some(1.0), Some(2.0)]), ("USDC", vec![Some(1.0), Some(1.0)])]);
        let refusal = |factor: Factor| Bars::new(&rule(), &one, &[factor]).unwrap_err().to_string();
        assert_eq!(refusal(Factor::price("ETH")), "history of ETH is missing: the history has BTC, USDC");
        assert!(refusal(Factor::price("USDC")).contains("the history of USDC never moves"));
        let volatility = Factor { coin: "BTC".into(), kind: FactorKind::Volatility { days: 30.0 } };
        assert!(refusal(volatility).starts_with("history of BTC volatility 30 d is missing"));
    }
}
