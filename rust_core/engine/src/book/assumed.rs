//! What a rulebook asks for and nobody gives, where something else stands in: said, never silent.

use std::collections::BTreeSet;

use super::Book;
use crate::finding::{Finding, Severity};
use crate::instrument::ContractKind;
use crate::rulebook::charge::{Charge, ChargeKind, PriceBasis};
use crate::rulebook::portfolio::Profile;

/// Notes coins without an index, for which the mark of a contract stands in, and perpetuals without a funding
/// rate, which is then taken for zero.
pub(super) fn note(book: &Book, findings: &mut Vec<Finding>) {
    let mut coins: BTreeSet<usize> = BTreeSet::new();
    let mut perpetuals: BTreeSet<usize> = BTreeSet::new();
    let held = book.positions.iter().map(|position| (position.account, position.instrument));
    let ordered =
        book.pools.iter().flat_map(|pool| pool.orders.iter().map(|order| (pool.account, order.instrument)));
    for (account, place) in held.chain(ordered) {
        let Some(instrument) = book.instruments.get(place) else { continue };
        let rulebook = book.rulebook_of(account);
        let Some(profile) = rulebook.and_then(|r| r.profile(&instrument.underlying, instrument.payoff))
        else {
            continue;
        };
        if asks_for_index(profile) {
            coins.extend(book.instrument_underlying.get(place));
        }
        let funded = |charge: &Charge| matches!(charge.kind, ChargeKind::Funding { .. });
        let known = book.quotes.get(place).is_some_and(|quote| quote.funding_rate.is_some());
        if instrument.kind == ContractKind::Perpetual && !known && profile.charges.iter().any(funded) {
            perpetuals.insert(place);
        }
    }
    for coin in coins.into_iter().filter_map(|coin| book.underlyings.get(coin)) {
        let (None, Some(price)) = (coin.index_price, coin.price) else { continue };
        let symbol = coin.quoted_by.as_deref().unwrap_or(&coin.name);
        findings.push(Finding {
            severity: Severity::Warning,
            sheet: "Market",
            row: None,
            column: "indexPrice".into(),
            value: coin.name.clone(),
            code: "index_assumed",
            message: format!("{}: no index is given; the mark of {symbol}, {price}, stands in", coin.name),
            fix: "give a Market row with underlying and indexPrice".into(),
        });
    }
    for instrument in perpetuals.into_iter().filter_map(|index| book.instruments.get(index)) {
        findings.push(Finding {
            severity: Severity::Warning,
            sheet: "Market",
            row: None,
            column: "fundingRate".into(),
            value: instrument.symbol.clone(),
            code: "funding_rate_missing",
            message: format!(
                "{}: no funding rate is given, and the funding charge of the rulebook takes it for zero",
                instrument.symbol
            ),
            fix: "fill fundingRate of the position or of a Market row".into(),
        });
    }
}

/// Whether anything that a profile says is taken at the index.
fn asks_for_index(profile: &Profile) -> bool {
    let charged = |charge: &Charge| match &charge.kind {
        ChargeKind::Roll { price, .. }
        | ChargeKind::TieredDelta { price, .. }
        | ChargeKind::Notional { price, .. }
        | ChargeKind::Confidence { price, .. } => *price == PriceBasis::Index,
        ChargeKind::Fixed | ChargeKind::NetOptionValue | ChargeKind::Funding { .. } => false,
        _ => true,
    };
    profile.price == PriceBasis::Index
        || profile.options.is_some()
        || profile.delta_one.is_some_and(|rates| rates.price == PriceBasis::Index)
        || profile.charges.iter().any(charged)
}
