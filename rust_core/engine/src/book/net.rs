//! Sorts the position rows by key and nets the rows of one key, so that no order of rows is observable.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::instrument::{ContractKind, Instrument, Payoff};
use crate::tables::{IsolatedMargin, Leg, MarginMode, PositionRow, Quoted, TierSource};

/// What the rows of one key add up to.
#[derive(Debug, Clone)]
pub(super) struct Netted {
    pub(super) account: usize,
    pub(super) instrument: usize,
    pub(super) leg: Leg,
    pub(super) isolated: Option<IsolatedMargin>,
    pub(super) quantity: f64,
    /// Quantity by strategy, in the order of the rows; `None` for rows that name none.
    pub(super) strategies: Vec<(Option<u32>, f64)>,
    pub(super) entry_price: Option<f64>,
    pub(super) mark_price: Option<f64>,
    /// The mark that the reported notional of the first row means, where the venue reports it at the mark.
    pub(super) implied_mark: Option<f64>,
    pub(super) unrealised_pnl: Option<f64>,
    pub(super) unrealised_funding: Option<f64>,
    /// What options are valued from, of the first row that says it.
    pub(super) quoted: Quoted,
    /// A row of the group: the first in the order of the key.
    pub(super) sample: PositionRow,
    /// Whether the rows of the group disagree about mark, leverage or table.
    pub(super) disagreement: Option<&'static str>,
}

/// Account, isolated or not, place of the instrument, leg.
type Key = (usize, bool, usize, Leg);

/// A total order of rows that depends on their contents only.
fn by_content(a: &PositionRow, b: &PositionRow) -> Ordering {
    let optional = |x: Option<f64>| x.unwrap_or(f64::NEG_INFINITY);
    a.quantity
        .total_cmp(&b.quantity)
        .then(optional(a.entry_price).total_cmp(&optional(b.entry_price)))
        .then(optional(a.mark_price).total_cmp(&optional(b.mark_price)))
        .then(optional(a.unrealised_pnl).total_cmp(&optional(b.unrealised_pnl)))
        .then(optional(a.leverage).total_cmp(&optional(b.leverage)))
        .then(optional(a.initial_rate).total_cmp(&optional(b.initial_rate)))
        .then(tier_key(a).cmp(&tier_key(b)))
        .then(a.liquidate_last.cmp(&b.liquidate_last))
        .then(isolated_key(a).total_cmp(&isolated_key(b)))
        .then(optional(a.unrealised_funding).total_cmp(&optional(b.unrealised_funding)))
        .then_with(|| by_quote(quoted(a), quoted(b)))
        .then(a.row.cmp(&b.row))
}

fn quoted(row: &PositionRow) -> Quoted {
    row.quoted.as_deref().copied().unwrap_or_default()
}

fn by_quote(a: Quoted, b: Quoted) -> Ordering {
    let optional = |x: Option<f64>| x.unwrap_or(f64::NEG_INFINITY);
    let orders = a.figures().into_iter().zip(b.figures());
    orders
        .map(|(a, b)| optional(a).total_cmp(&optional(b)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A maintenance table as a key: its kind, name, rate and amount.
fn tier_key(row: &PositionRow) -> (u8, &str, u64, u64) {
    match &row.tier {
        TierSource::Table(name) => (0, name, 0, 0),
        TierSource::Rate { rate, amount } => (1, "", rate.to_bits(), amount.to_bits()),
        TierSource::ReportedRate { rate } => (2, "", rate.to_bits(), 0),
        TierSource::Rulebook => (3, "", 0, 0),
    }
}

fn isolated_key(row: &PositionRow) -> f64 {
    match row.mode {
        MarginMode::Isolated(IsolatedMargin::Cash(cash)) => cash,
        MarginMode::Isolated(IsolatedMargin::Equity(equity)) => equity,
        _ => f64::NEG_INFINITY,
    }
}

/// Nets rows by (account, cross before isolated, symbol, leg).
///
/// `account_of` gives the account of a row, `rank` the place of a row's instrument in the order of
/// symbols.
pub(super) fn net(
    rows: &[PositionRow],
    instruments: &[Instrument],
    rank: &[usize],
    account_of: impl Fn(&PositionRow) -> usize,
    marks_in_notional: bool,
) -> Vec<Netted> {
    let isolated = |row: &PositionRow| matches!(row.mode, MarginMode::Isolated(_));
    let place = |row: &PositionRow| rank.get(row.instrument as usize).copied().unwrap_or(0);
    // the quantity stands beside the key so that most comparisons need not look at the row
    let mut order: Vec<(Key, f64, usize)> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| ((account_of(row), isolated(row), place(row), row.leg), row.quantity, index))
        .collect();
    order.par_sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)).then_with(|| match (rows.get(a.2), rows.get(b.2)) {
            (Some(left), Some(right)) => by_content(left, right),
            _ => Ordering::Equal,
        })
    });
    let mut netted: Vec<Netted> = Vec::new();
    let mut previous: Option<Key> = None;
    for (key, _, index) in order {
        let Some(row) = rows.get(index) else { continue };
        let instrument = instruments.get(row.instrument as usize);
        let option = instrument.is_some_and(|instrument| instrument.kind == ContractKind::Option);
        // premiums of coin-settled options are prices in the coin and average as such
        let payoff = instrument.filter(|_| !option).map_or(Payoff::Linear, |i| i.payoff);
        if previous == Some(key)
            && let Some(last) = netted.last_mut()
        {
            merge(last, row, payoff);
        } else {
            let at_mark = marks_in_notional && !option;
            netted.push(start(row, key.0, key.2, at_mark.then_some(payoff)));
        }
        previous = Some(key);
    }
    netted
}

fn start(row: &PositionRow, account: usize, instrument: usize, payoff: Option<Payoff>) -> Netted {
    let notional = row.reported.notional.filter(|notional| *notional > 0.0);
    Netted {
        account,
        instrument,
        leg: row.leg,
        isolated: match row.mode {
            MarginMode::Cross => None,
            MarginMode::Isolated(margin) => Some(margin),
        },
        quantity: row.quantity,
        strategies: vec![(row.strategy, row.quantity)],
        entry_price: row.entry_price,
        mark_price: row.mark_price,
        implied_mark: payoff.zip(notional).map(|(payoff, notional)| match payoff {
            Payoff::Linear => notional / row.quantity.abs(),
            Payoff::Inverse => row.quantity.abs() / notional,
        }),
        unrealised_pnl: row.unrealised_pnl,
        unrealised_funding: row.unrealised_funding,
        quoted: quoted(row),
        sample: row.clone(),
        disagreement: None,
    }
}

fn merge(netted: &mut Netted, row: &PositionRow, payoff: Payoff) {
    let quantity = netted.quantity + row.quantity;
    netted.entry_price = match (netted.entry_price, row.entry_price) {
        (Some(a), Some(b)) if a.total_cmp(&b).is_eq() => Some(a),
        (Some(a), Some(b)) => Some(match payoff {
            Payoff::Linear => (netted.quantity * a + row.quantity * b) / quantity,
            Payoff::Inverse => quantity / (netted.quantity / a + row.quantity / b),
        }),
        _ => None,
    };
    netted.unrealised_pnl = netted.unrealised_pnl.zip(row.unrealised_pnl).map(|(a, b)| a + b);
    netted.unrealised_funding = match (netted.unrealised_funding, row.unrealised_funding) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    netted.quoted = netted.quoted.or(&quoted(row));
    netted.isolated = match (netted.isolated, row.mode) {
        (Some(IsolatedMargin::Cash(a)), MarginMode::Isolated(IsolatedMargin::Cash(b))) => {
            Some(IsolatedMargin::Cash(a + b))
        }
        (Some(IsolatedMargin::Equity(a)), MarginMode::Isolated(IsolatedMargin::Equity(b))) => {
            Some(IsolatedMargin::Equity(a + b))
        }
        (Some(_), MarginMode::Isolated(_)) => Some(IsolatedMargin::FromLeverage),
        (kept, _) => kept,
    };
    let sum = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b);
    let (mine, theirs) = (&mut netted.sample.reported, &row.reported);
    mine.notional = sum(mine.notional, theirs.notional);
    mine.initial_margin = sum(mine.initial_margin, theirs.initial_margin);
    mine.maintenance_margin = sum(mine.maintenance_margin, theirs.maintenance_margin);
    if netted.mark_price != row.mark_price {
        netted.disagreement = Some("mark price");
        netted.mark_price = netted.mark_price.or(row.mark_price);
    } else if netted.sample.leverage != row.leverage {
        netted.disagreement = Some("leverage");
    } else if netted.sample.tier != row.tier {
        netted.disagreement = Some("margin table");
    } else if netted.sample.initial_rate != row.initial_rate {
        netted.disagreement = Some("initial margin rate");
    } else if matches!(netted.isolated, Some(IsolatedMargin::FromLeverage))
        && !matches!(row.mode, MarginMode::Isolated(IsolatedMargin::FromLeverage))
    {
        netted.disagreement = Some("isolated margin, which only some rows give");
    }
    netted.sample.liquidate_last |= row.liquidate_last;
    netted.sample.row = netted.sample.row.min(row.row);
    netted.quantity = quantity;
    match netted.strategies.iter_mut().find(|(known, _)| *known == row.strategy) {
        Some((_, own)) => *own += row.quantity,
        None => netted.strategies.push((row.strategy, row.quantity)),
    }
}
