//! Option values against references computed elsewhere, on every instruction set of the machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crossmargin_engine::pricing::black76::{both, log_moneyness};
use crossmargin_engine::pricing::greeks::ForwardOption;
use crossmargin_engine::pricing::kernel::strike_row;
use crossmargin_engine::pricing::level::{Level, available, level};
use crossmargin_engine::pricing::{OptionRight, SpotOption, implied};
use serde_json::Value;

/// Forward, strike, total volatility, call and put.
fn references() -> Vec<[f64; 5]> {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/golden/pricing/black76_mpmath.json")).unwrap();
    let rows = file["cases"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let numbers: Vec<f64> =
                row.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap()).collect();
            numbers.try_into().unwrap()
        })
        .collect()
}

fn kernel(level: Level, forward: f64, strike: f64, total_volatility: f64) -> (f64, f64) {
    let (mut call, mut put) = ([0.0], [0.0]);
    let moneyness = log_moneyness(forward, strike);
    strike_row(level, strike, moneyness, &[forward], &[0.0], &[total_volatility], &mut call, &mut put)
        .unwrap();
    (call[0], put[0])
}

/// Largest error over `min(forward, strike)` and over the value of the out-of-the-money side, and of the
/// in-the-money side in units in its last place beyond the first of the two.
fn errors(level: Level) -> (f64, f64, f64) {
    let mut worst = (0.0_f64, 0.0_f64, 0.0_f64);
    for [forward, strike, total_volatility, call, put] in references() {
        let (our_call, our_put) = kernel(level, forward, strike, total_volatility);
        let sides = [(our_call, call), (our_put, put)];
        let [(ours, value), (our_inside, inside)] =
            if forward < strike { sides } else { [sides[1], sides[0]] };
        let scale = forward.min(strike);
        worst.0 = worst.0.max((ours - value).abs() / scale);
        worst.1 = worst.1.max((ours / value - 1.0).abs());
        let beyond = (our_inside - inside).abs() - 3e-15 * scale;
        worst.2 = worst.2.max(beyond / (inside.abs() * f64::EPSILON));
    }
    worst
}

#[test]
fn values_agree_with_sixty_digits_on_every_instruction_set() {
    for level in available() {
        let (absolute, relative, inside) = errors(level);
        assert!(absolute < 3e-15, "{level}: {absolute:e} of min(F, K)");
        assert!(relative < 1e-11, "{level}: {relative:e} of the value");
        assert!(inside <= 2.0, "{level}: {inside} units in the last place");
    }
}

#[test]
fn fused_levels_and_the_scalar_value_give_the_same_bits() {
    let fused: Vec<Level> = available().into_iter().filter(|level| level.is_fused()).collect();
    for [forward, strike, total_volatility, ..] in references() {
        let scalar = both(forward, strike, total_volatility).unwrap();
        for &fused in &fused {
            if level().is_fused() {
                assert_eq!(kernel(fused, forward, strike, total_volatility), scalar);
            }
        }
        let portable = kernel(Level::Portable, forward, strike, total_volatility);
        let scale = forward.max(strike);
        assert!(
            (portable.0 - scalar.0).abs() <= 1e-14 * scale && (portable.1 - scalar.1).abs() <= 1e-14 * scale
        );
    }
}

#[test]
fn a_row_gives_the_bits_of_its_scenarios_one_by_one() {
    let (strike, forward) = (61_000.0, 58_500.0);
    for level in available() {
        for count in [1, 7, 8, 9, 33, 64, 67] {
            let moves: Vec<f64> = (0..count).map(|i| 0.4 * f64::from(i) / f64::from(count) - 0.2).collect();
            let forwards: Vec<f64> = moves.iter().map(|m| forward * (1.0 + m)).collect();
            let log_shocks: Vec<f64> = moves.iter().map(|m| m.ln_1p()).collect();
            let volatilities: Vec<f64> =
                moves.iter().map(|m| if *m > 0.19 { 0.0 } else { 0.15 - m }).collect();
            let (mut calls, mut puts) = (vec![0.0; moves.len()], vec![0.0; moves.len()]);
            let moneyness = log_moneyness(forward, strike);
            strike_row(
                level,
                strike,
                moneyness,
                &forwards,
                &log_shocks,
                &volatilities,
                &mut calls,
                &mut puts,
            )
            .unwrap();
            for scenario in 0..moves.len() {
                let at = scenario..=scenario;
                let (mut call, mut put) = ([0.0], [0.0]);
                let (f, l, v) = (&forwards[at.clone()], &log_shocks[at.clone()], &volatilities[at]);
                strike_row(level, strike, moneyness, f, l, v, &mut call, &mut put).unwrap();
                assert_eq!((calls[scenario], puts[scenario]), (call[0], put[0]));
                if volatilities[scenario] <= 0.0 {
                    assert_eq!(calls[scenario], (forwards[scenario] - strike).max(0.0));
                    assert_eq!(puts[scenario], (strike - forwards[scenario]).max(0.0));
                }
            }
        }
    }
}

#[test]
fn columns_of_different_length_are_refused() {
    let (mut calls, mut puts) = ([0.0; 2], [0.0; 2]);
    let refusal =
        strike_row(level(), 1.0, 0.0, &[1.0; 2], &[0.0; 3], &[0.1; 2], &mut calls, &mut puts).unwrap_err();
    assert_eq!(refusal.to_string(), "log_shocks has 3 rows, expected 2");
}

fn published() -> Vec<Value> {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/golden/pricing/published_options.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn spot_option(inputs: &Value) -> SpotOption {
    let number = |key: &str| inputs[key].as_f64().unwrap();
    SpotOption {
        right: if inputs["type"] == "call" { OptionRight::Call } else { OptionRight::Put },
        spot: number("spot"),
        strike: number("strike"),
        years: number("time_years"),
        volatility: number("vol"),
        rate: number("rate"),
        dividend_yield: number("dividend_yield"),
    }
}

fn forward_value(right: OptionRight, inputs: &Value) -> f64 {
    let number = |key: &str| inputs[key].as_f64().unwrap();
    let option = ForwardOption {
        right,
        forward: number("forward"),
        strike: number("strike"),
        years: number("seconds_to_expiry") / (number("year_days") * 86_400.0),
        volatility: number("vol"),
        discount_factor: number("discount"),
    };
    option.value().unwrap()
}

#[test]
fn published_prices_and_sensitivities_are_met() {
    let mut checked = 0;
    for case in published() {
        let inputs = &case["inputs"];
        let tolerance = case["tolerance"]["abs"].as_f64().unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let ours = match name.as_str() {
                "call" => forward_value(OptionRight::Call, inputs),
                "put" => forward_value(OptionRight::Put, inputs),
                "price" => spot_option(inputs).value().unwrap(),
                "implied_vol_roundtrip" => {
                    let option = spot_option(inputs).on_forward().unwrap();
                    let undiscounted = option.value().unwrap() / option.discount_factor;
                    implied::volatility(
                        option.right,
                        undiscounted,
                        option.forward,
                        option.strike,
                        option.years,
                    )
                    .unwrap()
                }
                sensitivity => {
                    let greeks = spot_option(inputs).greeks().unwrap();
                    match sensitivity {
                        "delta" => greeks.delta,
                        "theta" => greeks.theta,
                        "theta_per_day" => greeks.theta_per_day,
                        "rho" => greeks.rho,
                        "div_rho" => greeks.dividend_rho,
                        "elasticity" => greeks.elasticity,
                        other => unreachable!("no number is called {other}"),
                    }
                }
            };
            let expected = expected.as_f64().unwrap();
            assert!(
                (ours - expected).abs() <= tolerance,
                "{}, {name}: {ours} and not {expected}",
                case["id"]
            );
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked}");
}
