//! Charges along a stretch.

use super::Between;
use super::enclosed::Enclosed;
use super::lines::{Moving, MovingUnit};
use crate::error::Result;
use crate::instrument::{ContractKind, OptionRight, Payoff};
use crate::margin::scenario::exposure::{Expiry, Unit};
use crate::margin::scenario::{Context, charged, confidences};
use crate::rulebook::charge::{Charge, ChargeKind, Growth, PriceBasis};

/// The base of a charge of a unit; `None` for what has no bounds.
pub(super) fn charge_between(
    between: &Between<'_>,
    unit: &MovingUnit<'_, '_>,
    charge: &Charge,
    contexts: (&Context<'_>, &Context<'_>),
) -> Result<Option<Enclosed>> {
    let ends = (charged(unit.start, charge, contexts.0)?.base, charged(unit.end, charge, contexts.1)?.base);
    if charge.maintenance == 0.0 {
        // nothing of it is asked for at the maintenance level
        return Ok(Some(Enclosed::constant(0.0).with_ends(ends.0, ends.1)));
    }
    if charge.kind == ChargeKind::Fixed {
        return Ok(Some(Enclosed::constant(ends.0)));
    }
    let several =
        unit.lines.iter().any(|line| Some(line.start.coin) != unit.lines.first().map(|l| l.start.coin));
    let mut total = Enclosed::default();
    let collateral = collateral_values(contexts, between.width);
    if !several {
        let parts = Parts {
            unit,
            lines: unit.lines.iter().collect(),
            with_balances: true,
            index: unit.index,
            collateral,
        };
        let Some(found) = parts.base(charge, contexts.0, between) else { return Ok(None) };
        return Ok(Some(found.with_ends(ends.0, ends.1)));
    }
    let none = Parts { unit, lines: Vec::new(), with_balances: true, index: unit.index, collateral };
    let Some(found) = none.base(charge, contexts.0, between) else { return Ok(None) };
    total = total.plus(found);
    let mut coins: Vec<usize> = unit.lines.iter().map(|line| line.start.coin).collect();
    coins.sort_unstable();
    coins.dedup();
    for coin in coins {
        let lines: Vec<&Moving<'_, '_>> = unit.lines.iter().filter(|line| line.start.coin == coin).collect();
        let index = lines
            .first()
            .map_or(unit.index, |line| Enclosed::growing(line.start.index, line.end.index, between.width));
        let part = Parts { unit, lines, with_balances: false, index, collateral: Vec::new() };
        let Some(found) = part.base(charge, contexts.0, between) else { return Ok(None) };
        total = total.plus(found);
    }
    Ok(Some(total.with_ends(ends.0, ends.1)))
}

/// Values of the balances that are looked at with a unit, with the confidence in each.
fn collateral_values(contexts: (&Context<'_>, &Context<'_>), width: f64) -> Vec<(Enclosed, Option<f64>)> {
    let pairs = contexts.0.collateral.iter().zip(&contexts.1.collateral);
    pairs.map(|(from, to)| (Enclosed::growing(from.0, to.0, width), from.1)).collect()
}

/// The lines of one coin of a unit.
struct Parts<'m, 'u, 'a> {
    unit: &'m MovingUnit<'u, 'a>,
    lines: Vec<&'m Moving<'u, 'a>>,
    /// Whether balances of the unit count with these lines.
    with_balances: bool,
    index: Enclosed,
    collateral: Vec<(Enclosed, Option<f64>)>,
}

impl Parts<'_, '_, '_> {
    fn base(&self, charge: &Charge, context: &Context<'_>, between: &Between<'_>) -> Option<Enclosed> {
        let (width, index) = (between.width, self.index);
        let none = Enclosed::default();
        let price = |basis: PriceBasis, line: &Moving<'_, '_>| match basis {
            PriceBasis::Index => index,
            PriceBasis::Mark => line.mark_money(width),
        };
        let deltas = || Enclosed::total(self.lines.iter().map(|line| line.delta));
        Some(match &charge.kind {
            ChargeKind::Roll { minimum, annualised, growth, price: basis } => {
                let by_expiry = self.by_expiry(|line| match basis {
                    PriceBasis::Index => line.delta,
                    PriceBasis::Mark => line.delta.times(line.mark_money(width), width),
                });
                let rated = by_expiry.into_iter().map(|(years, delta)| {
                    let grown = match growth {
                        Growth::Linear => annualised * years,
                        Growth::Exponential => (annualised * years).exp_m1(),
                    };
                    delta.size(width).times_constant(grown.max(*minimum))
                });
                let total = Enclosed::total(rated);
                if *basis == PriceBasis::Index { index.times(total, width) } else { total }
            }
            ChargeKind::Size { threshold, increment, cap } => {
                let bought =
                    |line: &&&Moving<'_, '_>| line.start.option.is_some() && line.start.quantity > 0.0;
                let relief = Enclosed::total(self.lines.iter().filter(bought).map(|line| line.delta));
                let risk =
                    Enclosed::total(self.lines.iter().filter(|line| !bought(line)).map(|line| line.delta));
                let both = relief.plus(risk);
                let below = both.larger(risk, width).smaller(none, width);
                let above = both.smaller(risk, width).larger(none, width);
                let range = risk.range(width);
                let net = if range.1 < 0.0 {
                    below
                } else if range.0 >= 0.0 {
                    above
                } else {
                    below.either(above)
                }
                .size(width);
                let free = Enclosed::growing(threshold / self.index.start, threshold / self.index.end, width);
                let rate = net.minus(free).positive(width).times_constant(*increment);
                let rate = if cap.is_finite() { rate.smaller(Enclosed::constant(*cap), width) } else { rate };
                index.times(net, width).times(rate, width)
            }
            ChargeKind::NakedShorts => self.constant_coins(naked_shorts(&self.lines)),
            ChargeKind::Notional { kinds, price: basis, short_only, collateral } => {
                let counted = self.lines.iter().filter(|line| {
                    kinds.contains(&line.start.kind) && (!short_only || line.start.quantity < 0.0)
                });
                let parts = counted.map(|line| line.coins().times(price(*basis, line), width));
                let total = Enclosed::total(parts);
                let scanned = if *collateral && self.with_balances { self.scanned(width) } else { none };
                total.plus(scanned)
            }
            ChargeKind::MinimumDelta { unhedged, hedged } => {
                let net = deltas().size(width);
                let gross = Enclosed::total(self.lines.iter().map(|line| line.delta.size(width)));
                let both = gross.minus(net).times_constant(0.5 * hedged);
                index.times(net.times_constant(*unhedged).plus(both), width)
            }
            ChargeKind::ShortOptions { larger_side } => {
                let sold = |right: OptionRight| -> f64 {
                    let own = self
                        .lines
                        .iter()
                        .filter(|line| line.start.option.is_some_and(|option| option.terms.right == right));
                    own.map(|line| (-line.start.quantity).max(0.0)).sum()
                };
                let (calls, puts) = (sold(OptionRight::Call), sold(OptionRight::Put));
                self.constant_coins(if *larger_side { calls.max(puts) } else { calls + puts })
            }
            ChargeKind::Calendar => {
                let deltas = self.by_expiry(|line| line.delta);
                let long = Enclosed::total(deltas.iter().map(|(_, delta)| delta.positive(width)));
                let short = Enclosed::total(
                    deltas.iter().map(|(_, delta)| delta.times_constant(-1.0).positive(width)),
                );
                index.times(long.smaller(short, width), width)
            }
            ChargeKind::ForwardContingency { moves, add, per_year } => {
                return self.forward_contingency(*moves, *add, *per_year, width);
            }
            ChargeKind::Confidence {
                threshold,
                kinds,
                short_only,
                collateral,
                with_perpetual,
                price: basis,
            } => {
                let known = confidences(self.unit.start, between.view.book, *with_perpetual);
                let coin = self.lines.first().map(|line| line.start.coin);
                let own = self.unit.lines.iter().zip(known).filter(|(line, _)| Some(line.start.coin) == coin);
                let parts = own.map(|(line, least)| {
                    let counts =
                        kinds.contains(&line.start.kind) && (!short_only || line.start.quantity < 0.0);
                    match least {
                        Some(least) if counts && least < *threshold => {
                            line.coins().times(price(*basis, line), width).times_constant(1.0 - least)
                        }
                        _ => none,
                    }
                });
                let held = self.collateral.iter().filter(|_| *collateral);
                let held = held.map(|(value, least)| match least {
                    // whichever confidence counts, no more than the whole value moves
                    _ if value.start == 0.0 => none,
                    _ => none.either(*value),
                });
                Enclosed::total(parts).plus(Enclosed::total(held))
            }
            ChargeKind::Funding { hours } => Enclosed::total(self.lines.iter().map(|line| {
                let rate = between.view.book.quotes.get(line.start.instrument).and_then(|q| q.funding_rate);
                let paid = line.start.quantity.signum() * rate.unwrap_or(0.0) * hours / 8.0;
                line.coins().times(line.mark_money(width), width).times_constant(paid.max(0.0))
            })),
            ChargeKind::Fee { option_cap } => Enclosed::total(self.lines.iter().map(|line| {
                let size = line.coins().times(index, width);
                match line.start.option {
                    Some(_) if option_cap.is_finite() && charge.maintenance > 0.0 => {
                        let value = line.base.times(line.money, width);
                        let most =
                            value.times_constant(line.start.quantity.abs() * option_cap / charge.maintenance);
                        size.smaller(most, width)
                    }
                    _ => size,
                }
            })),
            ChargeKind::TieredDelta { price: basis, from, multiplier } => {
                let sizes = self.lines.iter().map(|line| match basis {
                    PriceBasis::Index => line.delta.size(width),
                    PriceBasis::Mark => line.delta.size(width).times(line.mark_money(width), width),
                });
                let total = Enclosed::total(sizes);
                let size = if *basis == PriceBasis::Index { index.times(total, width) } else { total };
                let range = size.times_constant(charge.maintenance).range(width);
                let tier = |raw: f64| from.iter().rposition(|from| raw >= *from).unwrap_or(0);
                if tier(range.0) == tier(range.1) {
                    size.times_constant(multiplier.get(tier(range.0)).copied().unwrap_or(1.0))
                } else {
                    Enclosed::jumping(size.start, size.end)
                }
            }
            ChargeKind::StableHedge { rate, .. } => {
                // every volume moves no faster than all cash deltas together, once per pair of currencies
                let steepest = rate.iter().copied().fold(0.0, f64::max);
                let cash = self.lines.iter().map(|line| line.delta.times(index, width));
                let bound: f64 = cash.map(|own| own.low.abs().max(own.high.abs())).sum();
                let bound = 4.0 * steepest * bound;
                Enclosed { low: -bound, high: bound, ..none }
            }
            ChargeKind::Depeg { threshold } => {
                let lost = (threshold - context.peg.unwrap_or(context.peg_ratio)).max(0.0);
                Enclosed::total(self.lines.iter().map(|line| {
                    let counts = match line.start.kind {
                        ContractKind::Perpetual => true,
                        ContractKind::Option => line.start.quantity < 0.0,
                        ContractKind::Future | ContractKind::Spot => false,
                    };
                    let size = line.coins().times(index, width);
                    if counts { size.times_constant(lost) } else { none }
                }))
            }
            ChargeKind::NetOptionValue => Enclosed::total(self.lines.iter().map(|line| {
                let value = line.base.times(line.money, width).times_constant(-line.start.quantity);
                if line.start.option.is_some() { value } else { none }
            })),
            ChargeKind::Fixed => Enclosed::constant(1.0),
            ChargeKind::Impact { .. } | ChargeKind::Unwind { .. } => return None,
        })
    }

    fn constant_coins(&self, coins: f64) -> Enclosed {
        self.index.times_constant(coins)
    }

    fn scanned(&self, width: f64) -> Enclosed {
        let (start, end): (&Unit<'_>, &Unit<'_>) = (self.unit.start, self.unit.end);
        let pairs = start.scanned.iter().zip(&end.scanned);
        Enclosed::total(pairs.map(|(from, to)| Enclosed::growing(from.value.abs(), to.value.abs(), width)))
    }

    /// Sums of a figure of the lines by expiry, with its years.
    fn by_expiry(&self, figure: impl Fn(&Moving<'_, '_>) -> Enclosed) -> Vec<(f64, Enclosed)> {
        let mut groups: Vec<(Expiry, f64, Enclosed)> = Vec::new();
        for line in &self.lines {
            match groups.iter_mut().find(|(expiry, ..)| *expiry == line.start.expiry) {
                Some((.., sum)) => *sum = sum.plus(figure(line)),
                None => groups.push((line.start.expiry, line.start.years, figure(line))),
            }
        }
        groups.into_iter().map(|(_, years, sum)| (years, sum)).collect()
    }

    fn forward_contingency(&self, moves: [f64; 2], add: f64, per_year: f64, width: f64) -> Option<Enclosed> {
        let mut groups: Vec<(Expiry, f64, [Enclosed; 2])> = Vec::new();
        for line in self.lines.iter().filter(|line| line.start.option.is_some()) {
            let mut own = [Enclosed::default(); 2];
            for (slot, price_move) in own.iter_mut().zip(moves) {
                let moved = line.option_moved(price_move)?;
                let value = |forward: f64, total: f64| {
                    let strike = moved.strike;
                    let value = crate::pricing::black76::value(moved.right, forward, strike, total).ok()?;
                    let money = line.discount() * value;
                    Some(if line.payoff == Payoff::Inverse { money / forward } else { money })
                };
                let totals = moved.ends_of_total(line.start.option?, line.end.option?);
                let ends = (value(moved.forwards.0, totals.0)?, value(moved.forwards.1, totals.1)?);
                let worth = match line.payoff {
                    Payoff::Linear => moved.in_money(ends.0, ends.1),
                    Payoff::Inverse => moved.in_coin(ends.0, ends.1),
                };
                *slot = line.result(worth, price_move, width);
            }
            match groups.iter_mut().find(|(expiry, ..)| *expiry == line.start.expiry) {
                Some((.., sums)) => {
                    for (sum, own) in sums.iter_mut().zip(own) {
                        *sum = sum.plus(own);
                    }
                }
                None => groups.push((line.start.expiry, line.start.years, own)),
            }
        }
        let parts = groups.into_iter().map(|(_, years, [first, second])| {
            let worst = first.smaller(second, width).smaller(Enclosed::default(), width);
            worst.times_constant(-(add + per_year * years))
        });
        Some(Enclosed::total(parts))
    }
}

/// Options sold less options bought, per expiry and strike; coins.
fn naked_shorts(lines: &[&Moving<'_, '_>]) -> f64 {
    let mut strikes: Vec<(Expiry, f64, f64)> = Vec::new();
    for line in lines {
        let Some(option) = line.start.option else { continue };
        let strike = option.terms.strike.0;
        let same = |known: &&mut (Expiry, f64, f64)| {
            known.0 == line.start.expiry && known.1.total_cmp(&strike).is_eq()
        };
        match strikes.iter_mut().find(same) {
            Some((.., net)) => *net += line.start.quantity,
            None => strikes.push((line.start.expiry, strike, line.start.quantity)),
        }
    }
    strikes.iter().map(|(.., net)| (-net).max(0.0)).sum()
}
