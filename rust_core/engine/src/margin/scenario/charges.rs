//! The charges of a risk unit: what each is taken on, before its rate and the level's factor.

use super::exposure::{Line, Unit};
use super::table::price;
use super::unit::expiries;
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, OptionRight, Payoff};
use crate::numeric::accumulate::sum;
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::{Charge, ChargeKind, Growth, PriceBasis};

/// A charge's base and, where lines bear it one by one, the part of each line; reporting currency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Charged {
    pub(super) base: f64,
    pub(super) by_line: Option<Vec<f64>>,
}

impl Charged {
    fn whole(base: f64) -> Self {
        Self { base, by_line: None }
    }

    fn lines(parts: Vec<f64>) -> Self {
        Self { base: sum(parts.iter().copied()), by_line: Some(parts) }
    }
}

/// What a charge needs besides the unit.
pub(super) struct Context<'a> {
    pub(super) book: &'a Book,
    pub(super) rulebook: &'a Rulebook,
    /// Balances of the pool with a confidence: value and confidence, for the coin of the unit.
    pub(super) collateral: &'a [(f64, Option<f64>)],
    /// Value of a unit of quote currency, reporting currency.
    pub(super) quote_money: f64,
    /// USD price of the reporting currency, where one is given.
    pub(super) peg: Option<f64>,
}

fn payoff(book: &Book, line: &Line<'_>) -> Payoff {
    book.instruments.get(line.instrument).map_or(Payoff::Linear, |known| known.payoff)
}

/// The base of a charge.
///
/// # Errors
///
/// [`Error::Missing`] for a peg or a confidence that the rulebook needs.
pub(super) fn charged(unit: &Unit<'_>, charge: &Charge, context: &Context<'_>) -> Result<Charged> {
    let index = unit.index * context.quote_money;
    let book = context.book;
    let price_of = |basis: PriceBasis, line: &Line<'_>| match basis {
        PriceBasis::Index => index,
        PriceBasis::Mark => line.mark * context.quote_money,
    };
    Ok(match &charge.kind {
        ChargeKind::Roll { minimum, annualised, growth } => Charged::whole(
            index
                * sum(deltas_by_expiry(unit).iter().map(|(years, delta)| {
                    let grown = match growth {
                        Growth::Linear => annualised * years,
                        Growth::Exponential => (annualised * years).exp_m1(),
                    };
                    delta.abs() * grown.max(*minimum)
                })),
        ),
        ChargeKind::Size { threshold, increment, cap } => {
            let bought = |line: &&Line<'_>| line.option.is_some() && line.quantity > 0.0;
            let relief = sum(unit.lines.iter().filter(bought).map(|line| line.delta));
            let risk = sum(unit.lines.iter().filter(|line| !bought(line)).map(|line| line.delta));
            let net = if risk < 0.0 {
                (relief + risk).max(risk).min(0.0)
            } else {
                (relief + risk).min(risk).max(0.0)
            };
            let free = threshold / index;
            let rate = (increment * (net.abs() - free).max(0.0)).min(*cap);
            Charged::whole(index * net.abs() * rate)
        }
        ChargeKind::NakedShorts => Charged::whole(index * naked_shorts(unit)),
        ChargeKind::Notional { kinds, price, short_only, collateral } => {
            let parts: Vec<f64> = unit
                .lines
                .iter()
                .map(|line| {
                    let counts = kinds.contains(&line.kind) && (!short_only || line.quantity < 0.0);
                    if counts { line.coins(payoff(book, line)) * price_of(*price, line) } else { 0.0 }
                })
                .collect();
            let scanned = sum(unit.scanned.iter().filter(|_| *collateral).map(|held| held.value.abs()));
            if scanned == 0.0 { Charged::lines(parts) } else { Charged::whole(sum(parts) + scanned) }
        }
        ChargeKind::MinimumDelta { unhedged, hedged } => {
            let net = sum(unit.lines.iter().map(|line| line.delta)).abs();
            let gross = sum(unit.lines.iter().map(|line| line.delta.abs()));
            Charged::whole(index * (unhedged * net + hedged * (gross - net) / 2.0))
        }
        ChargeKind::ShortOptions { larger_side } => {
            let sold = |right: OptionRight| {
                sum(unit.lines.iter().filter_map(|line| {
                    let option = line.option.filter(|o| o.terms.right == right)?;
                    let _ = option;
                    (line.quantity < 0.0).then_some(-line.quantity)
                }))
            };
            let (calls, puts) = (sold(OptionRight::Call), sold(OptionRight::Put));
            Charged::whole(index * if *larger_side { calls.max(puts) } else { calls + puts })
        }
        ChargeKind::Calendar => {
            let by_expiry = deltas_by_expiry(unit);
            let long = sum(by_expiry.iter().map(|(_, delta)| delta.max(0.0)));
            let short = sum(by_expiry.iter().map(|(_, delta)| (-delta).max(0.0)));
            Charged::whole(index * long.min(short))
        }
        ChargeKind::ForwardContingency { moves, add, per_year } => {
            forward_contingency(unit, context, *moves, *add, *per_year)?
        }
        ChargeKind::Confidence { threshold, kinds, short_only, collateral, with_perpetual, price } => {
            let own = confidence_of_index(unit, book);
            let mut parts: Vec<f64> = Vec::with_capacity(unit.lines.len());
            for line in &unit.lines {
                let counts = kinds.contains(&line.kind) && (!short_only || line.quantity < 0.0);
                let quote = book.quotes.get(line.instrument);
                let least = if line.kind == ContractKind::Option {
                    expiry_confidence(unit, book, line.years, *with_perpetual)
                } else {
                    quote.and_then(|quote| quote.confidence)
                };
                let least = least_of(own, least);
                let size = line.coins(payoff(book, line)) * price_of(*price, line);
                parts.push(match least {
                    Some(least) if counts && least < *threshold => (1.0 - least) * size,
                    _ => 0.0,
                });
            }
            let held = context.collateral.iter().filter(|_| *collateral).map(|(value, confidence)| {
                match least_of(own, *confidence) {
                    Some(least) if least < *threshold => (1.0 - least) * value,
                    _ => 0.0,
                }
            });
            let held = sum(held);
            if held == 0.0 { Charged::lines(parts) } else { Charged::whole(sum(parts) + held) }
        }
        ChargeKind::Funding { hours } => Charged::lines(
            unit.lines
                .iter()
                .map(|line| {
                    let rate = book.quotes.get(line.instrument).and_then(|quote| quote.funding_rate);
                    let paid = line.quantity.signum() * rate.unwrap_or(0.0) * hours / 8.0;
                    line.coins(payoff(book, line)) * line.mark * context.quote_money * paid.max(0.0)
                })
                .collect(),
        ),
        ChargeKind::Fee { option_cap } => Charged::lines(
            unit.lines
                .iter()
                .map(|line| {
                    let size = line.coins(payoff(book, line)) * index;
                    match line.option {
                        // the cap is in money per rate, so that the rate can stay outside
                        Some(_) if option_cap.is_finite() && charge.maintenance > 0.0 => {
                            let value = line.quantity.abs() * line.base * line.money;
                            size.min(option_cap * value / charge.maintenance)
                        }
                        _ => size,
                    }
                })
                .collect(),
        ),
        ChargeKind::TieredDelta { from, multiplier } => {
            let raw = index * charge.maintenance * sum(unit.lines.iter().map(|line| line.delta.abs()));
            let tier = from.iter().rposition(|from| raw >= *from).unwrap_or(0);
            let raw = if charge.maintenance > 0.0 { raw / charge.maintenance } else { 0.0 };
            Charged::whole(raw * multiplier.get(tier).copied().unwrap_or(1.0))
        }
        ChargeKind::StableHedge { from, rate } => Charged::whole(stable_hedge(unit, context, from, rate)),
        ChargeKind::Depeg { threshold } => {
            let peg = context.peg.unwrap_or(1.0);
            let lost = (threshold - peg).max(0.0);
            Charged::lines(
                unit.lines
                    .iter()
                    .map(|line| {
                        let counts = match line.kind {
                            ContractKind::Perpetual => true,
                            ContractKind::Option => line.quantity < 0.0,
                            ContractKind::Future | ContractKind::Spot => false,
                        };
                        if counts { lost * line.coins(payoff(book, line)) * index } else { 0.0 }
                    })
                    .collect(),
            )
        }
        ChargeKind::NetOptionValue => Charged::lines(
            unit.lines
                .iter()
                .map(|line| match line.option {
                    Some(_) => -line.quantity * line.base * line.money,
                    None => 0.0,
                })
                .collect(),
        ),
    })
}

/// Net deltas by expiry, coins; a perpetual is an expiry of its own at zero years.
fn deltas_by_expiry(unit: &Unit<'_>) -> Vec<(f64, f64)> {
    let mut groups: Vec<(f64, f64)> = Vec::new();
    for line in &unit.lines {
        match groups.iter_mut().find(|(years, _)| years.total_cmp(&line.years).is_eq()) {
            Some((_, delta)) => *delta += line.delta,
            None => groups.push((line.years, line.delta)),
        }
    }
    groups.sort_by(|a, b| a.0.total_cmp(&b.0));
    groups
}

/// Options sold less options bought, per expiry and strike, calls and puts together; coins.
fn naked_shorts(unit: &Unit<'_>) -> f64 {
    let mut strikes: Vec<(f64, f64, f64)> = Vec::new();
    for line in &unit.lines {
        let Some(option) = line.option else { continue };
        let strike = option.terms.strike.0;
        let same = |known: &(f64, f64, f64)| {
            known.0.total_cmp(&line.years).is_eq() && known.1.total_cmp(&strike).is_eq()
        };
        match strikes.iter_mut().find(|known| same(known)) {
            Some((.., net)) => *net += line.quantity,
            None => strikes.push((line.years, strike, line.quantity)),
        }
    }
    strikes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    sum(strikes.iter().map(|(.., net)| (-net).max(0.0)))
}

/// Per expiry `(add + per_year years) x` the worse of two moves of its options, volatility the same.
fn forward_contingency(
    unit: &Unit<'_>,
    context: &Context<'_>,
    moves: [f64; 2],
    add: f64,
    per_year: f64,
) -> Result<Charged> {
    let mut by_line = vec![0.0; unit.lines.len()];
    for (years, _) in expiries(unit) {
        let mut results = [0.0, 0.0];
        let mut each: Vec<(usize, [f64; 2])> = Vec::new();
        for (place, line) in unit.lines.iter().enumerate() {
            let Some(option) = line.option.filter(|_| line.years.total_cmp(&years).is_eq()) else { continue };
            let open = option.forward - option.fixed;
            let forwards = [
                option.forward,
                open * (1.0 + moves[0]) + option.fixed,
                open * (1.0 + moves[1]) + option.fixed,
            ];
            let total = option.volatility * option.years.sqrt();
            let values = price(option.terms, &forwards, &[total; 3])?;
            let discount = context.rulebook.discounting.factor(option.rate, option.years);
            let worth = |place: usize| {
                let value = values.get(place).copied().unwrap_or(0.0) * discount;
                match payoff(context.book, line) {
                    Payoff::Linear => value,
                    Payoff::Inverse => value / forwards.get(place).copied().unwrap_or(1.0),
                }
            };
            let own = [line.result(worth(1), moves[0]), line.result(worth(2), moves[1])];
            results[0] += own[0];
            results[1] += own[1];
            each.push((place, own));
        }
        let side = usize::from(results[1] < results[0]);
        let worst = results.get(side).copied().unwrap_or(0.0);
        if worst < 0.0 {
            for (place, own) in each {
                if let (Some(slot), Some(own)) = (by_line.get_mut(place), own.get(side)) {
                    *slot = -(add + per_year * years) * own;
                }
            }
        }
    }
    Ok(Charged::lines(by_line))
}

fn least_of(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Confidence in the index of a unit's coin.
fn confidence_of_index(unit: &Unit<'_>, book: &Book) -> Option<f64> {
    unit.underlying.and_then(|coin| book.underlyings.get(coin)?.confidence)
}

/// Least confidence of an expiry: its forward, its rate, the volatilities of the options held; where it bears
/// on them, that of the perpetual held.
fn expiry_confidence(unit: &Unit<'_>, book: &Book, years: f64, with_perpetual: bool) -> Option<f64> {
    let quotes = unit.lines.iter().filter_map(|line| {
        let own = line.option.is_some() && line.years.total_cmp(&years).is_eq();
        let quote = book.quotes.get(line.instrument)?;
        match (own, line.kind) {
            (true, _) => least_of(quote.confidence, quote.forward_confidence),
            (false, ContractKind::Perpetual) if with_perpetual => quote.confidence,
            _ => None,
        }
    });
    quotes.reduce(f64::min)
}

/// Marginal rates on the volume hedged between quote currencies, in the order of the pairs.
fn stable_hedge(unit: &Unit<'_>, context: &Context<'_>, from: &[f64], rate: &[f64]) -> f64 {
    const PAIRS: [(&str, &str); 3] = [("USDT", "USD"), ("USDT", "USDC"), ("USDC", "USD")];
    let mut left: Vec<(&str, f64)> = Vec::new();
    for line in &unit.lines {
        let Some(known) = context.book.instruments.get(line.instrument) else { continue };
        let quote = if known.payoff == Payoff::Inverse { "USD" } else { known.settle.as_str() };
        let cash = line.delta * unit.index * context.quote_money;
        match left.iter_mut().find(|(code, _)| *code == quote) {
            Some((_, sum)) => *sum += cash,
            None => left.push((quote, cash)),
        }
    }
    let mut charge = 0.0;
    for (a, b) in PAIRS {
        let held = |code: &str| left.iter().find(|(known, _)| *known == code).map_or(0.0, |(_, cash)| *cash);
        let (first, second) = (held(a), held(b));
        if first * second >= 0.0 {
            continue;
        }
        let volume = first.abs().min(second.abs());
        for (code, cash) in &mut left {
            if *code == a || *code == b {
                *cash -= cash.signum() * volume;
            }
        }
        charge += marginal(volume, from, rate);
    }
    charge
}

/// Marginal rates by volume: each slice pays its own rate.
pub(crate) fn marginal(volume: f64, from: &[f64], rate: &[f64]) -> f64 {
    let upper = from.iter().skip(1).copied().chain([f64::INFINITY]);
    sum(from.iter().zip(upper).zip(rate).map(|((from, to), rate)| (volume.min(to) - from).max(0.0) * rate))
}

/// Refuses what a level needs and nobody gives.
pub(super) fn check_peg(context: &Context<'_>, code: &str) -> Result<f64> {
    context.peg.ok_or_else(|| Error::Missing {
        what: format!("USD price of {code}"),
        why: format!(
            "rulebook '{}' raises the requirement when it falls; give a Market row {code} with indexPrice",
            context.rulebook.id
        ),
        place: Place::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slice_of_a_volume_pays_its_own_rate() {
        // OKX, MR9 (venues.md section 2.1): 1M x 0.75 % + 4M x 1.75 % + 5M x 2.5 % = 202,500
        let charge = marginal(1e7, &[0.0, 1e6, 5e6], &[0.0075, 0.0175, 0.025]);
        assert!((charge - 202_500.0).abs() < 1e-9);
    }
}
