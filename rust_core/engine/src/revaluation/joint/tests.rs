//! Books of every kind of line against a scalar calculation of each line by itself, and screening against full
//! valuation on generated books.

use super::*;
use crate::instrument::{OptionRight, Payoff};
use crate::pricing::black76;
use crate::pricing::level::{available, level};
use crate::statistics::{Ties, tail};

const COINS: usize = 3;

/// Numbers from 0 to 1 of a linear congruence; good enough to make books.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }
}

/// Per coin a price, two volatilities and a basis; and a stable currency that moves by itself.
fn moves(draw: &mut Draw, count: usize) -> Vec<Vec<f64>> {
    let mut rows = vec![Vec::new(); 4 * COINS + 1];
    for _ in 0..count {
        let chi: f64 = (0..4).map(|_| draw.normal().powi(2)).sum();
        let scale = (2.0 / chi).sqrt();
        let common = draw.normal();
        for (factor, row) in rows.iter_mut().enumerate() {
            let size = match factor {
                own if own < COINS => 0.05 * (0.8 * common + 0.6 * draw.normal()),
                own if own < 3 * COINS => 0.08 * (0.9 * draw.normal() - 0.4 * common),
                own if own < 4 * COINS => 0.02 * draw.normal(),
                _ => 0.003 * draw.normal(),
            };
            row.push(scale * size);
        }
    }
    rows
}

const FORWARDS: [f64; COINS] = [60_000.0, 3_000.0, 150.0];

/// The kinds of books that are made.
#[derive(Clone, Copy)]
enum Family {
    Mixed,
    OneDay,
    AtTheMoney,
    Concentrated,
    Calendar,
    InCoin,
    WithBasis,
}

const FAMILIES: [Family; 7] = [
    Family::Mixed,
    Family::OneDay,
    Family::AtTheMoney,
    Family::Concentrated,
    Family::Calendar,
    Family::InCoin,
    Family::WithBasis,
];

fn option(draw: &mut Draw, family: Family) -> Line {
    let coin = if matches!(family, Family::Concentrated) { 0 } else { draw.below(COINS) };
    let days = match family {
        Family::OneDay => 1.0,
        Family::AtTheMoney => 0.3 + 3.0 * draw.uniform(),
        Family::Calendar if draw.uniform() < 0.5 => 2.0,
        Family::Calendar => 60.0,
        _ => 400.0_f64.powf(draw.uniform()),
    };
    let total_volatility = (0.4 + 0.8 * draw.uniform()) * (days / 365.0_f64).sqrt();
    let width = if matches!(family, Family::AtTheMoney | Family::Calendar) { 0.3 } else { 2.5 };
    let strike = FORWARDS[coin] * (width * total_volatility * (2.0 * draw.uniform() - 1.0)).exp();
    let size = 1_000.0 / FORWARDS[coin] * draw.normal().abs();
    let quantity = match family {
        Family::AtTheMoney => -size,
        Family::Calendar if days < 10.0 => -3.0 * size,
        Family::Calendar => size,
        Family::Concentrated if draw.uniform() < 0.1 => -50.0 * size,
        _ => size * draw.normal(),
    };
    let in_coin = matches!(family, Family::InCoin) && draw.uniform() < 0.8;
    let with_basis = matches!(family, Family::WithBasis);
    let share = (days / 100.0).min(1.0);
    Line {
        money: if in_coin { FORWARDS[coin] } else { 1.0 },
        currency: if in_coin { Some(coin) } else { with_basis.then_some(4 * COINS) },
        carried: 0.01 * draw.normal(),
        body: Body::Option(OptionLine {
            quantity,
            right: if draw.uniform() < 0.5 { OptionRight::Call } else { OptionRight::Put },
            payoff: if in_coin { Payoff::Inverse } else { Payoff::Linear },
            strike,
            forward: FORWARDS[coin],
            fixed: if with_basis && draw.uniform() < 0.1 { 0.4 * FORWARDS[coin] } else { 0.0 },
            total_volatility,
            discount: if with_basis { 0.99 } else { 1.0 },
            base: if draw.uniform() < 0.5 { None } else { Some(0.0) },
            moves: ForwardMove {
                factor: coin,
                basis: with_basis
                    .then(|| Combination { first: (3 * COINS + coin, days / 365.0), second: None }),
            },
            volatility: Some(match family {
                Family::InCoin => Combination::between((COINS + coin, 2 * COINS + coin, share), 1.0),
                _ => Combination { first: (COINS + coin, 1.0), second: None },
            }),
        }),
    }
}

fn book(draw: &mut Draw, family: Family, count: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..count).map(|_| option(draw, family)).collect();
    for (coin, price) in FORWARDS.into_iter().enumerate() {
        let forward = ForwardMove { factor: coin, basis: None };
        let slope = 500.0 * draw.normal();
        lines.push(Line {
            money: 1.0,
            currency: Some(4 * COINS),
            carried: 100.0,
            body: Body::Linear { forward, slope },
        });
        lines.push(Line {
            money: price,
            currency: Some(coin),
            carried: -0.1,
            body: Body::Inverse { forward, slope: slope / price },
        });
    }
    lines.push(Line { money: FORWARDS[1], currency: Some(1), carried: 0.3, body: Body::Balance });
    lines
}

/// A line's result in one scenario, from the definitions alone.
fn alone(line: &Line, rows: &[Vec<f64>], scenario: usize) -> f64 {
    let size = |factor: usize| rows[factor][scenario];
    let combined = |own: Option<Combination>| {
        own.map_or(0.0, |own| {
            own.first.1 * size(own.first.0) + own.second.map_or(0.0, |(factor, weight)| weight * size(factor))
        })
    };
    let ratio = |forward: &ForwardMove| (size(forward.factor) + combined(forward.basis)).exp();
    let gain = match &line.body {
        Body::Balance => 0.0,
        Body::Linear { forward, slope } => slope * (ratio(forward) - 1.0),
        Body::Inverse { forward, slope } => slope * (1.0 - 1.0 / ratio(forward)),
        Body::Option(option) => {
            let in_coin = option.payoff == Payoff::Inverse;
            let value = |forward: f64, total: f64| {
                let value = black76::value(option.right, forward, option.strike, total).unwrap();
                option.discount * if in_coin { value / forward } else { value }
            };
            let base = option.base.unwrap_or_else(|| value(option.forward, option.total_volatility));
            let forward = (option.forward - option.fixed) * ratio(&option.moves) + option.fixed;
            let total = option.total_volatility * combined(option.volatility).exp();
            option.quantity * (value(forward, total) - base)
        }
    };
    let own = line.currency.map_or(1.0, |factor| size(factor).exp());
    line.money * (own * (line.carried + gain) - line.carried)
}

fn views(rows: &[Vec<f64>]) -> FactorMoves<'_> {
    FactorMoves::new(rows.iter().map(Vec::as_slice).collect(), Some(1)).unwrap()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_kind_of_line_gives_what_its_definition_says() {
    let mut draw = Draw(3);
    let rows = moves(&mut draw, 37);
    for family in FAMILIES {
        let lines = book(&mut draw, family, 40);
        let expected: Vec<f64> =
            (0..37).map(|scenario| lines.iter().map(|line| alone(line, &rows, scenario)).sum()).collect();
        for level in available() {
            let made = JointBook::new(level, &lines).unwrap();
            let found = made.profits(&views(&rows), &Workers::Here, &Watch::new()).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-12 * made.scale(), "{level}: {found} {expected}");
            }
            let weights = [(3, 0.25), (17, 0.5), (36, 0.25)];
            let weighed = made.weighed(&views(&rows), &weights, &Workers::Here, &Watch::new()).unwrap();
            for (line, found) in lines.iter().zip(weighed) {
                let expected: f64 = weights.iter().map(|(place, w)| w * alone(line, &rows, *place)).sum();
                assert!((found - expected).abs() < 1e-12 * made.scale(), "{level}: {found} {expected}");
            }
        }
    }
}

#[test]
fn moves_that_are_kept_give_books_without_options_the_same_bits() {
    let mut draw = Draw(11);
    let rows = moves(&mut draw, 1_003);
    let kept = KeptMoves::default();
    let plain = |line: &Line| match line.body {
        Body::Balance => true,
        Body::Linear { forward, .. } | Body::Inverse { forward, .. } => forward.basis.is_none(),
        Body::Option(_) => false,
    };
    let known = || FactorMoves::known(rows.iter().map(Vec::as_slice).collect(), 1_003, &kept).unwrap();
    let mut looked_at = 0;
    for family in FAMILIES {
        let mut lines = book(&mut draw, family, 60);
        let whole = JointBook::new(level(), &lines).unwrap();
        assert!(whole.plain_profits(&known(), &Watch::new()).unwrap().is_none());
        lines.retain(plain);
        looked_at += lines.len();
        let made = JointBook::new(level(), &lines).unwrap();
        let blocks = made.profits(&views(&rows), &Workers::Here, &Watch::new()).unwrap();
        assert!(made.plain_profits(&views(&rows), &Watch::new()).unwrap().is_none() || lines.is_empty());
        for _ in 0..2 {
            let found = made.plain_profits(&known(), &Watch::new()).unwrap().unwrap();
            assert_eq!(bits(&found), bits(&blocks));
        }
        for asked in available() {
            let made = JointBook::new(asked, &lines).unwrap();
            let blocks = made.profits(&views(&rows), &Workers::Here, &Watch::new()).unwrap();
            let found = made.profits(&known(), &Workers::Here, &Watch::new()).unwrap();
            assert_eq!(bits(&found), bits(&blocks), "{asked}");
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}

#[test]
fn a_scenario_gives_the_same_bits_in_any_company_and_on_any_number_of_threads() {
    let mut draw = Draw(5);
    let rows = moves(&mut draw, 1_003);
    let lines = book(&mut draw, Family::InCoin, 30);
    let mut of_levels = Vec::new();
    for level in available() {
        let made = JointBook::new(level, &lines).unwrap();
        let all = made.profits(&views(&rows), &Workers::Here, &Watch::new()).unwrap();
        for threads in [1, 2, 8] {
            let workers = Workers::new(Some(threads)).unwrap();
            let again = made.profits(&views(&rows), &workers, &Watch::new()).unwrap();
            assert_eq!(bits(&all), bits(&again));
            let some: Vec<usize> = (0..1_003).rev().step_by(7).collect();
            let found = made.profits_in(&views(&rows), &some, &workers, &Watch::new()).unwrap();
            let expected: Vec<f64> = some.iter().map(|place| all[*place]).collect();
            assert_eq!(bits(&found), bits(&expected));
        }
        let asked = Asked { confidence: 0.97, probabilities: None, method: Method::Full, threads: Some(2) };
        let measured = made.measured(&views(&rows), asked, &Watch::new()).unwrap();
        if level.is_fused() {
            of_levels.push((bits(&all), bits(&measured.components)));
        }
    }
    assert!(of_levels.windows(2).all(|two| two[0] == two[1]));
}

#[test]
fn screened_books_have_the_tails_of_full_ones_to_the_bit() {
    let level = crate::pricing::level();
    let mut screened = 0;
    for number in 0..70 {
        let mut draw = Draw(number);
        let rows = moves(&mut draw, 1_500);
        let views = views(&rows);
        let lines = book(&mut draw, FAMILIES[number as usize % FAMILIES.len()], 12);
        let made = JointBook::new(level, &lines).unwrap();
        let full = made.profits(&views, &Workers::Here, &Watch::new()).unwrap();
        let probabilities: Vec<f64> = (0..1_500).map(|_| draw.uniform()).collect();
        for probabilities in [None, Some(&probabilities[..])] {
            let need = match probabilities {
                None => Need::Largest(16),
                Some(probabilities) => Need::Mass { probabilities, share: 0.01, least: 1 },
            };
            // directly, because books as small as these are not worth it
            let found = made.screened(&views, need, 0, &Workers::Here, &Watch::new()).unwrap();
            let Some(found) = found else { continue };
            screened += 1;
            assert!(found.done.valued < 600, "{:?}", found.done);
            let read = |profits: &[f64]| {
                let losses: Vec<f64> = profits.iter().map(|gain| -gain).collect();
                tail(&losses, probabilities, 0.99, Ties::Mean).unwrap()
            };
            let (one, other) = (read(&full), read(&found.profits));
            assert_eq!(one.weights, other.weights, "book {number}");
            assert_eq!(one.expected_shortfall.to_bits(), other.expected_shortfall.to_bits());
            assert_eq!(one.value_at_risk.to_bits(), other.value_at_risk.to_bits());
            let off = full.iter().zip(&found.profits).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off > 0.0, "nothing was screened");
        }
    }
    assert!(screened > 120, "{screened} of 140");
}

#[test]
fn components_sum_to_the_expected_shortfall() {
    let mut draw = Draw(8);
    let rows = moves(&mut draw, 700);
    for family in FAMILIES {
        let made = JointBook::new(crate::pricing::level(), &book(&mut draw, family, 25)).unwrap();
        let asked = Asked { confidence: 0.98, probabilities: None, method: Method::Full, threads: None };
        let found = made.measured(&views(&rows), asked, &Watch::new()).unwrap();
        let total = sum(found.components.iter().copied());
        let shortfall = found.tail.expected_shortfall;
        assert!((total - shortfall).abs() <= 1e-12 * shortfall.abs(), "{total} {shortfall}");
    }
}

#[test]
fn small_books_and_needs_of_every_scenario_are_valued_in_full_and_say_so() {
    let mut draw = Draw(2);
    let rows = moves(&mut draw, 300);
    let made = JointBook::new(crate::pricing::level(), &book(&mut draw, Family::Mixed, 5)).unwrap();
    for (need, why) in [(Need::Every, "every scenario is needed"), (Need::Largest(4), "the book is small")] {
        let found =
            made.priced(&views(&rows), need, Method::Screened, &Workers::Here, &Watch::new()).unwrap();
        assert_eq!((found.done.method, found.done.fallback), (Method::Full, why));
        assert_eq!(found.done.valued, 300);
    }
}

#[test]
fn a_move_that_is_not_finite_is_refused_with_its_place() {
    let row = [0.0, f64::NAN, 0.1];
    let refusal = FactorMoves::new(vec![&[0.0, 0.1, 0.2], &row], None).unwrap_err().to_string();
    assert_eq!(refusal, "moves must be a finite number, was NaN (factor 1, scenario 1)");
    let refusal = FactorMoves::new(vec![&[0.0, 0.1], &row], None).unwrap_err().to_string();
    assert_eq!(refusal, "moves of factor 1 has 3 rows, expected 2");
}

#[test]
fn a_stopped_calculation_refuses() {
    let mut draw = Draw(1);
    let rows = moves(&mut draw, 50);
    let made = JointBook::new(crate::pricing::level(), &book(&mut draw, Family::Mixed, 5)).unwrap();
    let watch = Watch::new();
    watch.stop();
    let refusal = made.profits(&views(&rows), &Workers::Here, &watch).unwrap_err().to_string();
    assert_eq!(refusal, "the calculation was stopped");
}
