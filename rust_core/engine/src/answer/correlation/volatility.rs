//! Volatilities: fast, slow, long run, and what is forecast for the next day (methods.md sections 2.2 and 3.1).

use super::Source;
use super::estimate::{Estimate, Returns};
use super::settings::Settings;
use crate::answer::{Answer, Value};
use crate::error::Result;
use crate::history::FactorKind;
use crate::rulebook::tail::CovarianceRule;
use crate::statistics::volatility::half_life;

const HEADER: [&str; 11] = [
    "factor",
    "daily",
    "annual",
    "fast",
    "slow",
    "long_run",
    "half_life_fast",
    "half_life_slow",
    "forecast",
    "observations",
    "note",
];
const DAYS_OF_A_YEAR: f64 = 365.0;

pub(super) fn table(source: &Source<'_>, settings: &Settings) -> Result<Answer> {
    let mut answer = Answer::new(&HEADER);
    let annual = |daily: f64| daily * DAYS_OF_A_YEAR.sqrt();
    if settings.method == CovarianceRule::Market {
        let found = Estimate::typed(source, source.rule.simulation.repair)?;
        for (factor, daily) in found.factors.iter().zip(&found.volatilities) {
            let mut cells: Vec<Value> =
                vec![factor.to_string().into(), (*daily).into(), annual(*daily).into()];
            cells.extend(std::iter::repeat_with(|| Value::Text(String::new())).take(7));
            cells.push("as typed on the Market sheet".into());
            answer.rows.push(cells);
        }
        return Ok(answer);
    }
    let returns = Returns::new(source, settings.window)?;
    let by = |method, decay| Ok(Estimate::of(&returns, method, decay)?.volatilities);
    let daily: Vec<f64> = by(settings.method, settings.decay)?;
    let fast: Vec<f64> = by(CovarianceRule::Ewma, settings.fast)?;
    let slow: Vec<f64> = by(CovarianceRule::Ewma, settings.slow)?;
    let long_run: Vec<f64> = by(CovarianceRule::Sample, settings.slow)?;
    let step = returns.bars.step_days;
    let rule = &source.rule.history;
    let figure = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(f64::NAN);
    for (place, factor) in returns.bars.factors.iter().enumerate() {
        // what filtered scenarios are scaled to: the rulebook's forecast, at least its share of the long run
        let last =
            |paths: &[Vec<f64>]| paths.get(place).and_then(|own| own.last()).copied().unwrap_or(f64::NAN);
        let floor = rule.floor_share * rule.floor_share * last(&returns.bars.long_run);
        let own = last(&returns.bars.forecasts);
        let forecast = own.is_finite().then(|| (own.max(floor) / step).sqrt());
        let floored = if own < floor { ", at its floor" } else { "" };
        let unit = if matches!(factor.kind, FactorKind::Basis { .. }) {
            "of differences of the annual basis"
        } else {
            "of logarithmic moves"
        };
        answer.rows.push(vec![
            factor.to_string().into(),
            figure(&daily, place).into(),
            annual(figure(&daily, place)).into(),
            figure(&fast, place).into(),
            figure(&slow, place).into(),
            figure(&long_run, place).into(),
            (half_life(settings.fast)? * step).into(),
            (half_life(settings.slow)? * step).into(),
            forecast.into(),
            returns.rows.len().into(),
            format!("a day's, {unit}; forecast by decay {}{floored}", rule.decay).into(),
        ]);
    }
    Ok(answer)
}
