//! How much must be reduced or deposited until a limit holds.

use super::context::Context;
use super::limit::Limit;
use super::market::simulated;
use super::measure::{Cure, Reading};
use super::metric::Metric;
use super::standing::{Part, Standing};
use crate::book::{Balance, Book};
use crate::currency::is_stable;
use crate::error::{Error, Place, Result};
use crate::liquidation::price::{coins_of, shown};
use crate::margin::{PoolView, evaluate, excess};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::path::Path;
use crate::tables::ReportedAccount;

/// How closely a deposit is searched, relative.
const CLOSE: f64 = 0.005;
/// States between today and the bound at which a deposit is found.
const STATES: usize = 60;

/// Money that brings a metric to its limit, and what to do with it.
pub(super) fn cure(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
    reading: &Reading,
) -> Result<(Option<f64>, String)> {
    let bound = limit.limit;
    let value = reading.value.unwrap_or(0.0);
    Ok(match &reading.cure {
        Cure::Reduce => {
            let money = value - bound;
            (Some(money), format!("reduce it by {}", shown(money)))
        }
        Cure::Deposit => {
            let money = bound - value;
            (Some(money), format!("deposit {}", shown(money)))
        }
        Cure::OverEquity { notional, equity } => {
            let money = notional - bound * equity;
            let other = if bound > 0.0 {
                format!(", or deposit {}", shown(notional / bound - equity))
            } else {
                String::new()
            };
            (Some(money), format!("reduce {} of notional{other}", shown(money)))
        }
        Cure::Requirement { needed, equity } if bound > 0.0 => {
            let money = needed / bound - equity;
            (Some(money), format!("deposit {}", shown(money)))
        }
        Cure::Requirement { .. } => (None, "close everything".into()),
        Cure::Shares(parts) => match reduction(limit.metric, parts, bound) {
            Some(money) => {
                (Some(money), format!("reduce the largest underlying by {} of notional", shown(money)))
            }
            None => (None, "no reduction of the largest underlying alone brings it inside".into()),
        },
        Cure::PerUnit(scale) => {
            let money = (value - bound) * scale;
            (Some(money), format!("reduce {} of notional", shown(money)))
        }
        Cure::Search => match deposit(context, standing, limit, part)? {
            Some(money) => (Some(money), format!("deposit {}", shown(money))),
            None => (None, "no deposit up to 1000 times what the account needs brings it inside".into()),
        },
    })
}

/// How much of the largest part must go until its share, or the sum of squared shares, is a bound.
fn reduction(metric: Metric, parts: &[f64], bound: f64) -> Option<f64> {
    let total = sum(parts.iter().copied());
    if metric != Metric::Herfindahl {
        let own = *parts.first()?;
        let rest = total - own;
        // (own - x) / (total - x) = bound
        return (bound < 1.0 && rest > 0.0).then(|| (own - bound * total) / (1.0 - bound));
    }
    let largest = parts.iter().copied().fold(0.0, f64::max);
    let squares = sum(parts.iter().map(|own| own * own)) - largest * largest;
    let at = |cut: f64| (squares + (largest - cut) * (largest - cut)) / ((total - cut) * (total - cut));
    // falls until the largest is as large as the others are on the weighted mean, then rises
    let rest = total - largest;
    if rest <= 0.0 {
        return None;
    }
    let turn = (largest - squares / rest).max(0.0);
    if at(turn) > bound {
        return None;
    }
    let (mut low, mut high) = (0.0, turn);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if at(middle) > bound { low = middle } else { high = middle }
    }
    Some(high)
}

/// The deposit that brings a trigger or a probability to its limit, all pools of the part together.
fn deposit(
    context: &Context<'_>,
    standing: &Standing<'_>,
    limit: &Limit,
    part: &Part,
) -> Result<Option<f64>> {
    let mut total = 0.0;
    for pool in &part.pools {
        let Some(view) = standing.views.get(*pool) else { continue };
        let needed = if limit.metric == Metric::LiquidationProbability {
            by_simulation(context, view, limit)?
        } else {
            Some(shortfall(context, view, limit)?)
        };
        match needed {
            Some(needed) => total += needed,
            None => return Ok(None),
        }
    }
    Ok(Some(total))
}

/// The largest amount that is missing anywhere between today's price of a coin and the bound, one coin at a time.
fn shortfall(context: &Context<'_>, view: &PoolView<'_>, limit: &Limit) -> Result<f64> {
    let book = context.book;
    let mut worst: f64 = 0.0;
    for coin in coins_of(book, view) {
        if book.underlyings.get(coin).is_some_and(|known| is_stable(&known.name)) {
            continue;
        }
        let (down, up) = if limit.metric == Metric::Nearest {
            ((1.0 - limit.limit).max(1e-9), 1.0 + limit.limit)
        } else {
            let sigma = book.underlyings.get(coin).and_then(|known| known.daily_volatility).unwrap_or(0.0);
            ((-limit.limit * sigma).exp(), (limit.limit * sigma).exp())
        };
        let path = Path::Alone(coin);
        for end in [down, up] {
            for step in 0..=STATES {
                let ratio = end.powf(step as f64 / STATES as f64);
                worst = worst.max(-excess(view, &path.state(book, ratio))?);
            }
        }
    }
    Ok(worst)
}

/// A deposit found by simulating again with the same random numbers.
fn by_simulation(context: &Context<'_>, view: &PoolView<'_>, limit: &Limit) -> Result<Option<f64>> {
    let inside = |money: f64| -> Result<bool> {
        let balances = with_cash(context.book, view, money)?;
        let richer = PoolView { balances: &balances, ..*view };
        Ok(limit.allows(Some(simulated(context, &richer)?.0.first_passage)))
    };
    if inside(0.0)? {
        return Ok(Some(0.0));
    }
    let today = evaluate(view, &MarketState::today(context.book))?;
    let scale = today.requirement.maintenance.abs().max(today.equity.maintenance.abs());
    let mut high = 0.01 * scale;
    while !inside(high)? {
        high *= 2.0;
        if high > 1000.0 * scale {
            return Ok(None);
        }
    }
    let mut low = 0.0;
    while high - low > CLOSE * high {
        let middle = f64::midpoint(low, high);
        if inside(middle)? { high = middle } else { low = middle }
    }
    Ok(Some(high))
}

/// A pool's balances with money of the reporting currency added.
///
/// # Errors
///
/// [`Error::Missing`] where the book does not know the currency.
pub fn with_cash(book: &Book, view: &PoolView<'_>, money: f64) -> Result<Vec<Balance>> {
    let code = &view.rulebook()?.report_currency;
    let place =
        book.currencies.iter().position(|known| known.code == *code).ok_or_else(|| Error::Missing {
            what: code.clone(),
            why: "the book has no such currency".into(),
            place: Place::default(),
        })?;
    Ok(with_cash_in(view, place, money))
}

/// A pool's balances with an amount of a currency added, by the currency's index.
pub fn with_cash_in(view: &PoolView<'_>, currency: usize, amount: f64) -> Vec<Balance> {
    let mut balances = view.balances.to_vec();
    match balances.iter_mut().find(|balance| balance.currency == currency) {
        _ if amount == 0.0 => {}
        Some(balance) => balance.cash += amount,
        None => balances.push(Balance {
            currency,
            cash: amount,
            settles: true,
            from_equity: false,
            debt: 0.0,
            rates: Vec::new(),
            initial_rate: None,
            cap: None,
            enabled: true,
            in_scan: None,
            confidence: None,
            reported: ReportedAccount::default(),
            row: None,
        }),
    }
    balances
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduction_brings_shares_to_the_bound() {
        let parts = [600.0, 250.0, 150.0];
        let cut = reduction(Metric::Concentration, &[600.0, 400.0], 0.5).unwrap();
        assert!(((600.0 - cut) / (1000.0 - cut) - 0.5).abs() < 1e-12);
        let cut = reduction(Metric::Herfindahl, &parts, 0.4).unwrap();
        let left = [600.0 - cut, 250.0, 150.0];
        let whole: f64 = left.iter().sum();
        let index: f64 = left.iter().map(|own| (own / whole) * (own / whole)).sum();
        assert!((index - 0.4).abs() < 1e-12, "{index}");
        assert_eq!(reduction(Metric::Herfindahl, &parts, 0.2), None);
    }
}
