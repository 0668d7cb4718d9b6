//! Scenario margin of delta-one books: the largest loss over relative price moves, plus a charge.
//!
//! Profit and loss of a scenario is `E(m') - E(m)`: where the reporting currency is the numeraire the
//! settlement coin moves with the scenario; where the settlement currency is, the loss is measured in
//! coin and converted at today's index (design.md section 1).

use super::{PoolView, PositionMargin, Requirement, Worst};
use crate::book::Position;
use crate::error::Result;
use crate::market::{MarketState, notional, pnl_of_move, settle_of, underlying_of, unrealised_pnl};
use crate::numeric::accumulate::sum;
use crate::rulebook::{Measure, Numeraire, RiskUnit, Rulebook};

/// One line of the table `G[group, scenario]`: profit and loss of a position or a balance, per move.
struct Line {
    position: Option<usize>,
    unit: usize,
    pnl: Vec<f64>,
}

pub(super) fn requirement(
    view: &PoolView<'_>,
    rulebook: &Rulebook,
    state: &MarketState,
) -> Result<Requirement> {
    let Measure::Scan { price_moves, gross_notional_rate, .. } = &rulebook.measure else {
        return Ok(Requirement::default());
    };
    let lines = lines(view, rulebook, state)?;
    let mut units: Vec<usize> = lines.iter().map(|line| line.unit).collect();
    units.sort_unstable();
    units.dedup();
    let mut contributions = vec![0.0; view.positions.len()];
    let mut worst = Vec::new();
    for unit in units {
        let members = || lines.iter().filter(move |line| line.unit == unit);
        let totals: Vec<f64> = (0..price_moves.len())
            .map(|scenario| sum(members().filter_map(|line| line.pnl.get(scenario).copied())))
            .collect();
        let least = totals.iter().copied().fold(f64::INFINITY, f64::min);
        let loss = (-least).max(0.0);
        // ties take the mean of the tied scenarios; a unit that cannot lose contributes nothing
        let tied: Vec<usize> =
            totals.iter().enumerate().filter(|(_, total)| **total <= least).map(|(index, _)| index).collect();
        if loss > 0.0 {
            for line in members() {
                if let Some(slot) = line.position.and_then(|position| contributions.get_mut(position)) {
                    let mean = sum(tied.iter().filter_map(|s| line.pnl.get(*s).copied())) / tied.len() as f64;
                    *slot -= mean;
                }
            }
        }
        let name = view.book.underlyings.get(unit).map_or("all", |underlying| underlying.name.as_str());
        worst.push(Worst {
            unit: name.to_owned(),
            price_move: tied.first().and_then(|s| price_moves.get(*s)).copied().unwrap_or(0.0),
            loss,
        });
    }
    let mut notionals = Vec::with_capacity(view.positions.len());
    for position in view.positions {
        let price = view.price(settle_of(view.book, position), state)?;
        let ratio = state.ratio(underlying_of(view.book, position));
        notionals.push(notional(view.book, position, ratio) * price);
    }
    let measured =
        sum(worst.iter().map(|worst| worst.loss)) + gross_notional_rate * sum(notionals.iter().copied());
    let by_position = notionals
        .iter()
        .zip(&contributions)
        .map(|(notional, contribution)| {
            let part = contribution + gross_notional_rate * notional;
            PositionMargin {
                notional: *notional,
                maintenance: rulebook.maintenance.factor * part,
                initial: Some(rulebook.initial.factor * part),
            }
        })
        .collect();
    Ok(Requirement {
        maintenance: rulebook.maintenance.factor * measured,
        initial: view.orders.is_empty().then_some(rulebook.initial.factor * measured),
        order_margin: 0.0,
        initial_missing: (!view.orders.is_empty())
            .then(|| "open orders are not covered by this measure yet".to_owned()),
        by_position,
        worst,
    })
}

/// Stages 2 and 3: the table of profit and loss, each position priced once per scenario.
fn lines(view: &PoolView<'_>, rulebook: &Rulebook, state: &MarketState) -> Result<Vec<Line>> {
    let Measure::Scan { price_moves, numeraire, unit, collateral_in_scan, .. } = &rulebook.measure else {
        return Ok(Vec::new());
    };
    let common = view.book.underlyings.len();
    let unit_of = |underlying: usize| match unit {
        RiskUnit::Underlying => underlying,
        RiskUnit::Pool => common,
    };
    let coin_of = |currency: usize| view.book.currencies.get(currency).and_then(|known| known.underlying);
    let moves_with = |coin: Option<usize>, underlying: usize| match (numeraire, unit) {
        (Numeraire::Settle, _) => false,
        (Numeraire::Report, RiskUnit::Pool) => coin.is_some(),
        (Numeraire::Report, RiskUnit::Underlying) => coin == Some(underlying),
    };
    let mut lines = Vec::new();
    for (index, position) in view.positions.iter().enumerate() {
        let underlying = underlying_of(view.book, position);
        let currency = settle_of(view.book, position);
        let price = view.price(currency, state)?;
        let carried = unrealised_pnl(view.book, position, state);
        let moved = moves_with(coin_of(currency), underlying);
        let pnl = price_moves
            .iter()
            .map(|price_move| {
                let gain = move_at(view, position, state.ratio(underlying), *price_move);
                if moved { price * ((1.0 + price_move) * (carried + gain) - carried) } else { price * gain }
            })
            .collect();
        lines.push(Line { position: Some(index), unit: unit_of(underlying), pnl });
    }
    if *collateral_in_scan && *numeraire == Numeraire::Report {
        for balance in view.balances {
            let Some(coin) = coin_of(balance.currency) else { continue };
            let price = view.price(balance.currency, state)?;
            let held = balance.cash - balance.debt;
            let pnl = price_moves.iter().map(|price_move| price * held * price_move).collect();
            lines.push(Line { position: None, unit: unit_of(coin), pnl });
        }
    }
    Ok(lines)
}

/// Profit and loss of a further relative move from a ratio, settlement currency.
fn move_at(view: &PoolView<'_>, position: &Position, ratio: f64, price_move: f64) -> f64 {
    pnl_of_move(view.book, position, ratio * (1.0 + price_move)) - pnl_of_move(view.book, position, ratio)
}
