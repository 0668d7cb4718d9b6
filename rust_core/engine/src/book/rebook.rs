//! The same holdings as another venue would book them: contracts settled in the coin become contracts settled
//! in the rulebook's currency, and balances that the rulebook gives no rate become that currency.
//!
//! For comparisons only; every change is a finding, so that a comparison can say what it compares.

use std::collections::BTreeMap;

use super::collect::Collected;
use crate::currency::is_stable;
use crate::finding::{Finding, Severity};
use crate::instrument::{ContractKind, Instrument, Payoff};
use crate::rulebook::{OtherCurrencies, PoolRule, Rulebook};

/// The code of the findings.
pub const CODE: &str = "rebooked";

/// Books everything as the rulebook's venue would.
pub(super) fn rebook(collected: &mut Collected, rulebook: &Rulebook) {
    let covered = |instrument: &Instrument| {
        let refused = rulebook.refusals.contains_key("coin_settled");
        let measured = rulebook.profiles.is_empty()
            || rulebook.profile(&instrument.underlying, Payoff::Inverse).is_some();
        !refused && measured
    };
    let target = target(collected, rulebook);
    contracts(collected, rulebook, &target, covered);
    if rulebook.pool == PoolRule::Account && rulebook.other_currencies == OtherCurrencies::RateRequired {
        balances(collected, rulebook, &target);
    }
}

/// The currency to book in: the rulebook's settlement currency where it has a price, else its reporting one.
fn target(collected: &Collected, rulebook: &Rulebook) -> String {
    let settle = &rulebook.settle;
    let named = |name: &Option<String>| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(settle));
    let priced = *settle == rulebook.report_currency
        || collected.market.rows.iter().any(|row| named(&row.underlying) && row.index_price.is_some())
        || collected.balances.rows.iter().any(|row| row.currency == *settle && row.price_venue.is_some());
    if priced { settle.clone() } else { rulebook.report_currency.clone() }
}

fn note(collected: &mut Collected, sheet: &'static str, row: Option<usize>, value: &str, message: String) {
    collected.findings.push(Finding {
        severity: Severity::Info,
        sheet,
        row,
        column: "settle".into(),
        value: value.to_owned(),
        code: CODE,
        message,
        fix: String::new(),
    });
}

fn contracts(
    collected: &mut Collected,
    rulebook: &Rulebook,
    target: &str,
    covered: impl Fn(&Instrument) -> bool,
) {
    let market: BTreeMap<String, Option<f64>> = collected
        .market
        .rows
        .iter()
        .filter_map(|row| Some((row.symbol.as_ref()?.to_uppercase(), row.mark_price)))
        .collect();
    let mut changed = Vec::new();
    let mut moved: Vec<String> = Vec::new();
    for (index, instrument) in collected.positions.instruments.iter_mut().enumerate() {
        let to_stable = instrument.payoff == Payoff::Inverse && !covered(instrument);
        let other_stable = instrument.payoff == Payoff::Linear
            && instrument.settle != target
            && is_stable(&instrument.settle)
            && rulebook.pool == PoolRule::Account;
        if to_stable || other_stable {
            moved.push(format!("{} from {}", instrument.symbol, instrument.settle));
            instrument.settle.replace_range(.., target);
        }
        if to_stable {
            instrument.payoff = Payoff::Linear;
            changed.push(index);
        }
    }
    for row in &mut collected.positions.rows {
        let index = row.instrument as usize;
        if !changed.contains(&index) {
            continue;
        }
        let Some(instrument) = collected.positions.instruments.get(index) else { continue };
        let listed = market.get(&instrument.symbol.to_uppercase()).copied().flatten();
        let mark = row.mark_price.or(listed);
        if instrument.kind == ContractKind::Option {
            // its mark in coins follows again from forward and volatility, in the new currency
            row.mark_price = None;
            row.entry_price = None;
            row.unrealised_pnl = None;
        } else if let Some(mark) = mark {
            row.quantity /= mark;
            row.unrealised_pnl = row.unrealised_pnl.map(|pnl| pnl * mark);
        }
        row.reported = crate::tables::Reported::default();
    }
    let options: Vec<String> = changed
        .iter()
        .filter_map(|index| collected.positions.instruments.get(*index))
        .filter(|instrument| instrument.kind == ContractKind::Option)
        .map(|instrument| instrument.symbol.to_uppercase())
        .collect();
    for row in &mut collected.market.rows {
        if row.symbol.as_ref().is_some_and(|symbol| options.contains(&symbol.to_uppercase())) {
            row.mark_price = None;
        }
    }
    for order in &mut collected.orders.rows {
        if order.instrument.payoff == Payoff::Inverse && !covered(&order.instrument) {
            if order.instrument.kind != ContractKind::Option
                && let Some(price) = order.price
            {
                order.quantity /= price;
            }
            order.instrument.payoff = Payoff::Linear;
            order.instrument.settle.replace_range(.., target);
        }
    }
    if !moved.is_empty() {
        let count = moved.len();
        let first: Vec<String> = moved.into_iter().take(3).collect();
        let message = format!(
            "{count} contracts are re-booked as settled in {} ({}{})",
            target,
            first.join(", "),
            if count > 3 { ", ..." } else { "" }
        );
        note(collected, "Positions", None, target, message);
    }
}

fn balances(collected: &mut Collected, rulebook: &Rulebook, target: &str) {
    let price_of = |collected: &Collected, code: &str| {
        let own = collected.balances.rows.iter().filter(|row| row.currency == code);
        own.filter_map(|row| row.price_venue).next().or_else(|| {
            let rows = collected.market.rows.iter();
            rows.filter(|row| row.underlying.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(code)))
                .find_map(|row| row.index_price.or(row.mark_price))
        })
    };
    let mut said = Vec::new();
    for place in 0..collected.balances.rows.len() {
        let Some(row) = collected.balances.rows.get(place) else { continue };
        let code = row.currency.clone();
        let rated = row.collateral_rate.is_some() || rulebook.collateral_rates.contains_key(&code);
        if code == target || code == rulebook.report_currency || rated {
            continue;
        }
        let price = if is_stable(&code) { Some(1.0) } else { price_of(collected, &code) };
        let Some(price) = price else { continue };
        if let Some(row) = collected.balances.rows.get_mut(place) {
            row.currency.replace_range(.., target);
            row.cash = row.cash.map(|cash| cash * price);
            row.equity = row.equity.map(|equity| equity * price);
            row.debt *= price;
            row.price_venue = None;
            row.price_reference = None;
        }
        if !said.contains(&code) {
            said.push(code);
        }
    }
    for code in said {
        let message = format!(
            "the balance in {code} is re-booked as {target}: rulebook '{}' gives no collateral rate for it",
            rulebook.id
        );
        note(collected, "Collateral", None, &code, message);
    }
}
