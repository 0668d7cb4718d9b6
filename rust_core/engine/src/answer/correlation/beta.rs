//! Betas of prices to a driver, and of the whole book (methods.md section 3.7).

use super::Source;
use super::estimate::Returns;
use super::settings::Settings;
use super::stress::Sets;
use crate::answer::{Answer, Value};
use crate::error::Result;
use crate::history::{Factor, FactorKind, shown_days};
use crate::numeric::accumulate::sum;
use crate::statistics::{Mean, beta, blume, correlation_of, downside_beta, sample_covariance};

const HEADER: [&str; 9] =
    ["coin", "beta", "downside_beta", "blume", "r2", "observations", "delta", "beta_delta", "note"];

pub(super) fn table(source: &Source<'_>, settings: &Settings) -> Result<Answer> {
    let driver = Factor::price(&settings.driver);
    let mut wider = Source {
        history: source.history,
        book: source.book,
        market: source.market.clone(),
        factors: source.factors.clone(),
        rule: source.rule.clone(),
    };
    wider.factors.retain(|factor| factor.kind == FactorKind::Price);
    if !wider.factors.contains(&driver) {
        wider.factors.push(driver.clone());
    }
    let returns = Returns::new(&wider, settings.window)?;
    let deltas = match source.book {
        Some(book) => Some(Sets::new(source, &source.factors)?.deltas(book)?),
        None => None,
    };
    let place = returns.bars.index_of(&driver).unwrap_or(0);
    let market: Vec<f64> = returns.series(place).collect();
    let mut answer = Answer::new(&HEADER);
    answer.note = format!(
        "of {}, logarithmic moves of {} d; downside: the worst {} of its moves",
        driver,
        shown_days(returns.bars.step_days),
        settings.quantile
    );
    let mut weighted = Vec::new();
    for (index, factor) in returns.bars.factors.iter().enumerate() {
        let own: Vec<f64> = returns.series(index).collect();
        let slope = beta(&own, &market)?;
        let (downside, note) = match downside_beta(&own, &market, settings.quantile) {
            Ok(found) => (Some(found), String::new()),
            Err(refusal) => (None, refusal.to_string()),
        };
        let delta = deltas
            .as_ref()
            .map(|list| list.iter().find(|(known, _)| known == factor).map_or(0.0, |(_, delta)| *delta));
        if let Some(delta) = delta {
            weighted.push((delta, slope * delta));
        }
        answer.rows.push(vec![
            factor.to_string().into(),
            slope.into(),
            downside.into(),
            blume(slope)?.into(),
            determination(&own, &market)?.into(),
            own.len().into(),
            money(delta),
            money(delta.map(|delta| slope * delta)),
            note.into(),
        ]);
    }
    if deltas.is_some() {
        let gap = || Value::Text(String::new());
        answer.rows.push(vec![
            "BOOK".into(),
            gap(),
            gap(),
            gap(),
            gap(),
            gap(),
            sum(weighted.iter().map(|(delta, _)| *delta)).into(),
            sum(weighted.iter().map(|(_, weighted)| *weighted)).into(),
            format!("gains as this much money of {driver} does; collateral in coins counts").into(),
        ]);
    }
    Ok(answer)
}

fn money(value: Option<f64>) -> Value {
    value.map_or_else(|| Value::Text(String::new()), Value::Number)
}

/// The share of the variance that the driver explains.
fn determination(own: &[f64], market: &[f64]) -> Result<f64> {
    let rows: Vec<f64> = own.iter().zip(market).flat_map(|(own, market)| [*own, *market]).collect();
    let (_, correlation) = correlation_of(&sample_covariance(&rows, 2, Mean::Sample)?, 2)?;
    Ok(correlation.get(1).map_or(f64::NAN, |found| found * found))
}
