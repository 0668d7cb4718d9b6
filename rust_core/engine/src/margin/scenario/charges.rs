//! The charges of a risk unit: what each is taken on, before its rate and the level's factor.

use std::collections::BTreeMap;

use super::exposure::{Expiry, Line, Unit};
use super::leaving;
use super::option_row::price;
use super::table::Pricing;
use super::unit::expiries;
use crate::book::{Book, Currency};
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, OptionRight, Payoff, Strike};
use crate::margin::PoolView;
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::Rulebook;
use crate::rulebook::charge::{Charge, ChargeKind, Growth, PriceBasis};

/// A charge's base and, where lines bear it one by one, the part of each line; reporting currency.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::margin) struct Charged {
    pub(in crate::margin) base: f64,
    /// As [`crate::margin::component::Component::figures`].
    pub(in crate::margin) figures: Option<[f64; 3]>,
    pub(in crate::margin) by_line: Option<Vec<f64>>,
}

impl Charged {
    fn whole(base: f64) -> Self {
        Self { base, figures: None, by_line: None }
    }

    pub(in crate::margin) fn of(base: f64, figures: [f64; 3]) -> Self {
        Self { base, figures: Some(figures), by_line: None }
    }

    fn lines(parts: Vec<f64>) -> Self {
        Self { base: sum(parts.iter().copied()), figures: None, by_line: Some(parts) }
    }
}

/// What a charge needs besides the unit.
pub(in crate::margin) struct Context<'a> {
    pub(in crate::margin) book: &'a Book,
    pub(in crate::margin) rulebook: &'a Rulebook,
    /// Balances of the pool with a confidence: value and confidence, for the coin of the unit.
    pub(in crate::margin) collateral: Vec<(f64, Option<f64>)>,
    /// USD price of the reporting currency, where one is given.
    pub(in crate::margin) peg: Option<f64>,
    /// What the state makes of it.
    pub(in crate::margin) peg_ratio: f64,
}

impl<'a> Context<'a> {
    /// The context of a unit with the balances that are looked at with it.
    pub(in crate::margin) fn new(
        view: &PoolView<'a>,
        rulebook: &'a Rulebook,
        state: &MarketState,
        collateral: Vec<(f64, Option<f64>)>,
    ) -> Self {
        let is_report = |currency: &Currency| currency.code == rulebook.report_currency;
        let reporting = view.book.currencies.iter().position(is_report);
        let peg = reporting.and_then(|own| view.book.currencies.get(own)?.peg);
        let peg_ratio = reporting.map_or(1.0, |own| state.peg(own));
        Self { book: view.book, rulebook, collateral, peg: peg.map(|peg| peg * peg_ratio), peg_ratio }
    }
}

/// What a coin is worth at the mark of a contract, reporting currency: a coin-settled contract is quoted in
/// money, any other in its settlement currency.
fn mark_money(book: &Book, line: &Line<'_>) -> f64 {
    match payoff(book, line) {
        Payoff::Linear => line.mark * line.money,
        Payoff::Inverse => line.mark,
    }
}

fn payoff(book: &Book, line: &Line<'_>) -> Payoff {
    book.instruments.get(line.instrument).map_or(Payoff::Linear, |known| known.payoff)
}

/// The base of a charge.
///
/// Formulas on deltas and index prices do not mix coins: in a unit of several coins each is charged by itself,
/// and what belongs to no coin (an amount of the account, its collateral) once.
///
/// # Errors
///
/// [`Error::Missing`] for a peg or a confidence that the rulebook needs.
pub(in crate::margin) fn charged(unit: &Unit<'_>, charge: &Charge, context: &Context<'_>) -> Result<Charged> {
    let single = unit.lines.iter().all(|line| unit.lines.first().is_none_or(|first| first.coin == line.coin));
    if single || charge.kind == ChargeKind::Fixed {
        return of_coin(unit, charge, context);
    }
    let mut whole =
        of_coin(&Unit { lines: Vec::new(), scanned: unit.scanned.clone(), ..*unit }, charge, context)?;
    whole.figures = None;
    let alone = Context { collateral: Vec::new(), ..*context };
    let mut by_line: Option<Vec<(usize, f64)>> = Some(Vec::new());
    for part in unit.by_coin() {
        let Charged { base, by_line: own, .. } = of_coin(&part, charge, &alone)?;
        whole.base += base;
        by_line = by_line.zip(own).map(|(mut known, own)| {
            let places = part.lines.first().map_or(0, |line| line.coin);
            let lines = unit.lines.iter().enumerate().filter(|(_, line)| line.coin == places);
            known.extend(lines.map(|(place, _)| place).zip(own));
            known
        });
    }
    whole.by_line = by_line.map(|mut lines| {
        lines.sort_by_key(|(place, _)| *place);
        lines.into_iter().map(|(_, part)| part).collect()
    });
    Ok(whole)
}

/// The base of a charge on the lines of one coin.
fn of_coin(unit: &Unit<'_>, charge: &Charge, context: &Context<'_>) -> Result<Charged> {
    let index = unit.index;
    let book = context.book;
    let price_of = |basis: PriceBasis, line: &Line<'_>| match basis {
        PriceBasis::Index => index,
        PriceBasis::Mark => mark_money(book, line),
    };
    Ok(match &charge.kind {
        ChargeKind::Roll { minimum, annualised, growth, price } => {
            let deltas = by_expiry(unit, |line| match price {
                PriceBasis::Index => line.delta,
                PriceBasis::Mark => line.delta * mark_money(book, line),
            });
            let money = if *price == PriceBasis::Index { index } else { 1.0 };
            let rated = |(years, delta): &(f64, f64)| {
                let grown = match growth {
                    Growth::Linear => annualised * years,
                    Growth::Exponential => (annualised * years).exp_m1(),
                };
                delta.abs() * grown.max(*minimum)
            };
            let size = money * sum(deltas.iter().map(|(_, delta)| delta.abs()));
            Charged::of(money * sum(deltas.iter().map(rated)), [size, deltas.len() as f64, 0.0])
        }
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
            Charged::of(index * net.abs() * rate, [net, free, rate])
        }
        ChargeKind::NakedShorts => {
            let sold = naked_shorts(unit);
            Charged::of(index * sold, [sold, 0.0, 0.0])
        }
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
            let net = sum(unit.lines.iter().map(|line| line.delta));
            let gross = sum(unit.lines.iter().map(|line| line.delta.abs()));
            let both = (gross - net.abs()) / 2.0;
            Charged::of(index * (unhedged * net.abs() + hedged * both), [net, gross, both])
        }
        ChargeKind::ShortOptions { larger_side } => {
            let sold = |right: OptionRight| {
                let of_right = |line: &&Line<'_>| line.option.is_some_and(|o| o.terms.right == right);
                sum(unit.lines.iter().filter(of_right).map(|line| (-line.quantity).max(0.0)))
            };
            let (calls, puts) = (sold(OptionRight::Call), sold(OptionRight::Put));
            let counted = if *larger_side { calls.max(puts) } else { calls + puts };
            Charged::of(index * counted, [calls, puts, 0.0])
        }
        ChargeKind::Calendar => {
            let deltas = by_expiry(unit, |line| line.delta);
            let long = sum(deltas.iter().map(|(_, delta)| delta.max(0.0)));
            let short = sum(deltas.iter().map(|(_, delta)| (-delta).max(0.0)));
            Charged::of(index * long.min(short), [long, short, 0.0])
        }
        ChargeKind::ForwardContingency { moves, add, per_year } => {
            forward_contingency(unit, context, *moves, *add, *per_year)?
        }
        ChargeKind::Confidence { threshold, kinds, short_only, collateral, with_perpetual, price } => {
            let own = confidence_of_index(unit, book);
            let mut parts: Vec<f64> = Vec::with_capacity(unit.lines.len());
            let confidences = confidences(unit, book, *with_perpetual);
            for (line, least) in unit.lines.iter().zip(confidences) {
                let counts = kinds.contains(&line.kind) && (!short_only || line.quantity < 0.0);
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
                    line.coins(payoff(book, line)) * mark_money(book, line) * paid.max(0.0)
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
        ChargeKind::TieredDelta { price, from, multiplier } => {
            let size = match price {
                PriceBasis::Index => index * sum(unit.lines.iter().map(|line| line.delta.abs())),
                PriceBasis::Mark => {
                    sum(unit.lines.iter().map(|line| line.delta.abs() * mark_money(book, line)))
                }
            };
            let raw = charge.maintenance * size;
            let tier = from.iter().rposition(|from| raw >= *from).unwrap_or(0);
            let multiple = multiplier.get(tier).copied().unwrap_or(1.0);
            Charged::of(size * multiple, [size, multiple, 0.0])
        }
        ChargeKind::StableHedge { from, rate } => Charged::whole(stable_hedge(unit, context, from, rate)),
        ChargeKind::Depeg { threshold } => {
            let peg = context.peg.unwrap_or(context.peg_ratio);
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
        ChargeKind::Fixed => Charged::whole(1.0),
        ChargeKind::Impact { gross, coefficient, free_share } => {
            leaving::impact(unit, book, *gross, *coefficient, *free_share)?
        }
        ChargeKind::Unwind { gross, participation } => leaving::unwind(unit, book, *gross, *participation)?,
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

/// Sums of a figure of the lines by expiry, with its years; a perpetual is an expiry of its own at zero years.
fn by_expiry(unit: &Unit<'_>, figure: impl Fn(&Line<'_>) -> f64) -> Vec<(f64, f64)> {
    let mut groups: Vec<(Expiry, f64, f64)> = Vec::new();
    for line in &unit.lines {
        match groups.iter_mut().find(|(expiry, ..)| *expiry == line.expiry) {
            Some((.., sum)) => *sum += figure(line),
            None => groups.push((line.expiry, line.years, figure(line))),
        }
    }
    groups.sort_by_key(|(expiry, ..)| *expiry);
    groups.into_iter().map(|(_, years, sum)| (years, sum)).collect()
}

/// Options sold less options bought, per expiry and strike, calls and puts together; coins.
fn naked_shorts(unit: &Unit<'_>) -> f64 {
    let mut strikes: BTreeMap<(Expiry, Strike), f64> = BTreeMap::new();
    for line in &unit.lines {
        let Some(option) = line.option else { continue };
        *strikes.entry((line.expiry, option.terms.strike)).or_default() += line.quantity;
    }
    sum(strikes.values().map(|net| (-net).max(0.0)))
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
    for (expiry, held) in expiries(unit) {
        let years = held.first().map_or(0.0, |line| line.years);
        let mut results = [0.0, 0.0];
        let mut each: Vec<(usize, [f64; 2])> = Vec::new();
        for (place, line) in unit.lines.iter().enumerate() {
            let Some(option) = line.option.filter(|_| line.expiry == expiry) else { continue };
            let worth = match line.moved.filter(|known| known.moves == moves) {
                Some(known) => known.worth,
                None => moved_worth(&option, context.rulebook, moves)?,
            };
            let own = [line.result(worth[0], moves[0]), line.result(worth[1], moves[1])];
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

/// What one unit of an option is worth after each of two moves of the price, settlement currency.
pub(super) fn moved_worth(option: &Pricing, rulebook: &Rulebook, moves: [f64; 2]) -> Result<[f64; 2]> {
    let open = option.forward - option.fixed;
    let moved = moves.map(|price_move| open * (1.0 + price_move) + option.fixed);
    let total = option.volatility * option.years.sqrt();
    let values = price(option.terms, &[option.forward, moved[0], moved[1]], &[total; 3])?;
    let discount = rulebook.discounting.factor(option.rate, option.years);
    let worth = |place: usize, forward: f64| {
        let value = values.get(place).copied().unwrap_or(0.0) * discount;
        match option.payoff {
            Payoff::Linear => value,
            Payoff::Inverse => value / forward,
        }
    };
    Ok([worth(1, moved[0]), worth(2, moved[1])])
}

fn least_of(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Least confidence of what each line is priced from: the index of its coin and its own quote, of an option those
/// of its expiry.
pub(in crate::margin) fn confidences(unit: &Unit<'_>, book: &Book, with_perpetual: bool) -> Vec<Option<f64>> {
    let own = confidence_of_index(unit, book);
    let by_expiry = confidence_by_expiry(unit, book, with_perpetual);
    let of_line = |line: &Line<'_>| {
        let least = if line.kind == ContractKind::Option {
            by_expiry.iter().find(|(expiry, _)| *expiry == line.expiry).and_then(|(_, least)| *least)
        } else {
            book.quotes.get(line.instrument).and_then(|quote| quote.confidence)
        };
        least_of(own, least)
    };
    unit.lines.iter().map(of_line).collect()
}

/// Confidence in the index of a unit's coin.
fn confidence_of_index(unit: &Unit<'_>, book: &Book) -> Option<f64> {
    unit.underlying.and_then(|coin| book.underlyings.get(coin)?.confidence)
}

/// Least confidence of each expiry: its forward, its rate, the volatilities of the options held; where it bears
/// on them, that of the perpetual held.
fn confidence_by_expiry(unit: &Unit<'_>, book: &Book, with_perpetual: bool) -> Vec<(Expiry, Option<f64>)> {
    let quote = |line: &Line<'_>| book.quotes.get(line.instrument);
    let perpetuals = unit.lines.iter().filter(|line| with_perpetual && line.kind == ContractKind::Perpetual);
    let perpetual = perpetuals.filter_map(|line| quote(line)?.confidence).reduce(f64::min);
    let of_expiry = |(expiry, lines): (Expiry, Vec<&Line<'_>>)| {
        let options = lines.iter().filter_map(|line| {
            let quote = quote(line)?;
            least_of(quote.confidence, quote.forward_confidence)
        });
        (expiry, least_of(options.reduce(f64::min), perpetual))
    };
    expiries(unit).into_iter().map(of_expiry).collect()
}

/// Marginal rates on the volume hedged between quote currencies, in the order of the pairs.
fn stable_hedge(unit: &Unit<'_>, context: &Context<'_>, from: &[f64], rate: &[f64]) -> f64 {
    const PAIRS: [(&str, &str); 3] = [("USDT", "USD"), ("USDT", "USDC"), ("USDC", "USD")];
    let mut left: Vec<(&str, f64)> = Vec::new();
    for line in &unit.lines {
        let Some(known) = context.book.instruments.get(line.instrument) else { continue };
        let quote = if known.payoff == Payoff::Inverse { "USD" } else { known.settle.as_str() };
        let cash = line.delta * unit.index;
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
pub(in crate::margin) fn check_peg(context: &Context<'_>, code: &str) -> Result<f64> {
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
