//! Stages 3 and 4 of one risk unit: group map, worst scenario, and who is responsible for it.

use super::exposure::{Expiry, Line, Unit};
use crate::rulebook::Rulebook;
use crate::rulebook::portfolio::{Extension, Profile, Settlement, Treatment};

/// A unit in every scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// Result per scenario as it counts, reporting currency.
    pub counted: Vec<f64>,
    /// Result per scenario before weight, dampener and share of gains, reporting currency.
    pub raw: Vec<f64>,
}

/// The first of the places with the largest figure.
pub(in crate::margin) fn first_largest(figures: impl Iterator<Item = (usize, f64)>) -> Option<(usize, f64)> {
    figures.fold(None, |best: Option<(usize, f64)>, (place, figure)| match best {
        Some((_, most)) if most >= figure => best,
        _ => Some((place, figure)),
    })
}

/// The options of a unit by expiry, in the order of expiries.
pub(in crate::margin) fn expiries<'u, 'a>(unit: &'u Unit<'a>) -> Vec<(Expiry, Vec<&'u Line<'a>>)> {
    let mut groups: Vec<(Expiry, Vec<&Line<'a>>)> = Vec::new();
    for line in unit.lines.iter().filter(|line| line.option.is_some()) {
        match groups.iter_mut().find(|(expiry, _)| *expiry == line.expiry) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((line.expiry, vec![line])),
        }
    }
    groups.sort_by_key(|(expiry, _)| *expiry);
    groups
}

/// The factor of an expiry's net value by its sign, 1 without a rule; its options have a rate and years left.
pub(super) fn sign_factor(
    rulebook: &Rulebook,
    profile: &Profile,
    expiry: Option<(f64, f64)>,
    value: f64,
) -> f64 {
    let (Some(discount), Some((rate, years))) = (profile.discount, expiry) else { return 1.0 };
    let rate = match rulebook.discounting {
        crate::rulebook::Discounting::Rate => rate,
        _ => rate.max(0.0),
    };
    if value >= 0.0 { discount.long(rate, years) } else { discount.short(rate, years) }
}

/// The rate of an expiry and the years that it has left, from the first of its options.
fn rate_and_years(lines: &[&Line<'_>]) -> Option<(f64, f64)> {
    lines.first().and_then(|line| line.option).map(|option| (option.rate, option.years))
}

/// Result of one line in a scenario with the factor of its expiry.
fn line_result(line: &Line<'_>, scenario: usize, price_move: f64, factor: f64) -> f64 {
    let value = line.values.get(scenario).copied().unwrap_or(0.0);
    line.result(factor * value, price_move)
}

impl Scanned {
    /// Every scenario of a unit. Each scenario adds its lines in their order; line by line is how memory is read.
    pub(in crate::margin) fn of(unit: &Unit<'_>, rulebook: &Rulebook, profile: &Profile) -> Self {
        let scenarios = &profile.scenarios;
        let mut raw = vec![0.0; scenarios.len()];
        for (_, lines) in expiries(unit) {
            let factors = group_factors(rulebook, profile, &lines, scenarios.len());
            let mut results = vec![0.0; scenarios.len()];
            for line in lines {
                line.add_results(scenarios, factors.as_deref(), &mut results);
            }
            for ((total, result), scenario) in raw.iter_mut().zip(results).zip(scenarios) {
                *total += match scenario.treatment {
                    Treatment::MinusAbsolutePerExpiry => -result.abs(),
                    Treatment::Plain | Treatment::Extended => result,
                };
            }
        }
        Self::beside(unit, profile, raw)
    }

    /// The same where its options have been added up: `raw` has their result in each scenario.
    pub(super) fn beside(unit: &Unit<'_>, profile: &Profile, mut raw: Vec<f64>) -> Self {
        let scenarios = &profile.scenarios;
        for line in unit.lines.iter().filter(|line| line.option.is_none()) {
            line.add_results(scenarios, None, &mut raw);
        }
        for balance in &unit.scanned {
            for (total, scenario) in raw.iter_mut().zip(scenarios) {
                *total += balance.value * scenario.price_move;
            }
        }
        let counted = raw.iter().zip(scenarios);
        let counted =
            counted.map(|(total, own)| counts(*total, own.price_move, own.weight, own.treatment, profile));
        Self { counted: counted.collect(), raw }
    }

    /// The scenario of a set with the largest loss, the first of ties, and that loss; none where none loses.
    pub fn worst(&self, profile: &Profile, set: usize) -> Option<(usize, f64)> {
        let of_set = profile.scenarios.iter().enumerate().filter(|(_, scenario)| scenario.set == set);
        let losses = of_set.map(|(index, _)| (index, -self.counted.get(index).copied().unwrap_or(0.0)));
        first_largest(losses.filter(|(_, loss)| *loss > 0.0))
    }

    /// The scenario of all sets with the largest loss, the first of ties, and that loss.
    pub fn largest(&self, profile: &Profile) -> Option<(usize, f64)> {
        first_largest((0..profile.sets.len()).filter_map(|set| self.worst(profile, set)))
    }

    /// The scenarios that lose as much as the worst of a set, among those that compete with it.
    pub(in crate::margin) fn tied(&self, profile: &Profile, set: usize, loss: f64) -> Vec<usize> {
        let scenarios = profile.scenarios.iter().zip(&self.counted).enumerate();
        let tied = scenarios.filter(|(_, (s, result))| -**result >= loss && profile.competes(set, s.set));
        tied.map(|(index, _)| index).collect()
    }

    /// The scenarios that the requirement is taken from: the worst of all, or of each side of a blend.
    pub fn deciding(&self, profile: &Profile) -> Vec<(usize, f64)> {
        let side = |own: bool| {
            let sets = (0..profile.sets.len()).filter(move |set| profile.blended(*set) == own);
            first_largest(sets.filter_map(|set| self.worst(profile, set)))
        };
        [true, false].into_iter().filter_map(side).collect()
    }
}

/// The factor of an expiry's net value in a scenario.
fn group_factor(rulebook: &Rulebook, profile: &Profile, lines: &[&Line<'_>], scenario: usize) -> f64 {
    if profile.discount.is_none() {
        return 1.0;
    }
    let mut net = 0.0;
    for line in lines {
        net += line.quantity * line.values.get(scenario).copied().unwrap_or(0.0);
    }
    sign_factor(rulebook, profile, rate_and_years(lines), net)
}

/// The same for every scenario; `None` where all are 1.
fn group_factors(
    rulebook: &Rulebook,
    profile: &Profile,
    lines: &[&Line<'_>],
    scenarios: usize,
) -> Option<Vec<f64>> {
    profile.discount.as_ref()?;
    let mut nets = vec![0.0; scenarios];
    for line in lines {
        for (net, value) in nets.iter_mut().zip(line.values) {
            *net += line.quantity * value;
        }
    }
    let expiry = rate_and_years(lines);
    Some(nets.into_iter().map(|net| sign_factor(rulebook, profile, expiry, net)).collect())
}

/// What counts of a result: its weight, its scaling back to the edge of the range, its share of gains.
fn counts(total: f64, price_move: f64, weight: f64, treatment: Treatment, profile: &Profile) -> f64 {
    let weighted = match (treatment, profile.extension) {
        (Treatment::Extended, Some(extension)) => {
            weight * extended(total, price_move, &extension, profile.settlement == Settlement::Coin)
        }
        _ => weight * total,
    };
    if weighted > 0.0 { (weighted * profile.gains.share).min(profile.gains.cap) } else { weighted }
}

/// A result beyond the range: `total x factor x range / |move|`, for coin-settled books expressed at the
/// edge of the range, less `dampener` per range beyond it (venues.md section 1.3, step 3).
fn extended(total: f64, price_move: f64, extension: &Extension, coin: bool) -> f64 {
    let edge = 1.0 + price_move.signum() * extension.range;
    let scaled = total * extension.factor * extension.range / price_move.abs();
    let scaled = if coin { scaled * (1.0 + price_move) / edge } else { scaled };
    let beyond = ((price_move.abs() / extension.range).max(1.0) - 1.0) * extension.dampener;
    let dampened = (if coin { beyond / edge } else { beyond }).min(scaled.abs());
    scaled - scaled.signum() * dampened
}

/// How the loss of a scenario is shared: one figure per line, then one per balance that is scanned. They sum to
/// what counts, scaled where the whole is.
pub(in crate::margin) fn shares(
    unit: &Unit<'_>,
    rulebook: &Rulebook,
    profile: &Profile,
    scanned: &Scanned,
    index: usize,
) -> (Vec<f64>, Vec<f64>) {
    let Some(scenario) = profile.scenarios.get(index) else {
        return (vec![0.0; unit.lines.len()], vec![0.0; unit.scanned.len()]);
    };
    let raw = scanned.raw.get(index).copied().unwrap_or(0.0);
    let counted = scanned.counted.get(index).copied().unwrap_or(0.0);
    let scale = if raw == 0.0 { 0.0 } else { counted / raw };
    let groups: Vec<(Expiry, f64, f64)> = expiries(unit)
        .iter()
        .map(|(expiry, lines)| {
            let factor = group_factor(rulebook, profile, lines, index);
            let mut result = 0.0;
            for line in lines {
                result += line_result(line, index, scenario.price_move, factor);
            }
            let sign = match scenario.treatment {
                Treatment::MinusAbsolutePerExpiry if result > 0.0 => -1.0,
                _ => 1.0,
            };
            (*expiry, factor, sign)
        })
        .collect();
    let lines = unit.lines.iter().map(|line| {
        let (factor, sign) = match line.option {
            Some(_) => groups
                .iter()
                .find(|(expiry, ..)| *expiry == line.expiry)
                .map_or((1.0, 1.0), |(_, factor, sign)| (*factor, *sign)),
            None => (1.0, 1.0),
        };
        -scale * sign * line_result(line, index, scenario.price_move, factor)
    });
    let lines = lines.collect();
    let balances = unit.scanned.iter().map(|balance| -scale * balance.value * scenario.price_move).collect();
    (lines, balances)
}
