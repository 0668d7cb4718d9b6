//! Published cases of `tests/golden`, each with its source in the file.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use crossmargin_engine::answer::{Evaluated, contributions, scalar};
use crossmargin_engine::book::{Input, Options, RulebookChoice, build};
use crossmargin_engine::instrument::Payoff;
use crossmargin_engine::liquidation::adl::rank_value;
use crossmargin_engine::liquidation::single::Single;
use crossmargin_engine::rulebook::{MaintenanceOn, cumulative_amounts};
use serde_json::Value;

fn case(id: &str) -> Value {
    let files = [
        include_str!("../../../tests/golden/venues.json"),
        include_str!("../../../tests/golden/methods.json"),
        include_str!("../../../tests/golden/inverse_liquidation_price.json"),
    ];
    let found = files.iter().find_map(|text| {
        let file: Value = serde_json::from_str(text).unwrap();
        file["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).cloned()
    });
    found.unwrap_or_else(|| panic!("no case {id}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn close(ours: f64, published: f64, relative: f64) {
    assert!((ours - published).abs() <= relative * published.abs().max(1e-300), "{ours} against {published}");
}

#[test]
fn bybit_deductions_follow_the_recursion() {
    let case = case("bybit_btcusdt_tiers");
    let tiers = case["inputs"]["tiers"].as_array().unwrap();
    let mut floors = vec![0.0];
    floors.extend(tiers.iter().map(|tier| number(&tier["risk_limit_usdt"])));
    floors.pop();
    let rates: Vec<f64> = tiers.iter().map(|tier| number(&tier["mmr"])).collect();
    let ours = cumulative_amounts(&floors, &rates, 0.0).unwrap();
    let published = numbers(&case["expected"]["mm_deduction"]);
    assert_eq!(ours.len(), published.len());
    for (ours, published) in ours.iter().zip(published) {
        assert!((ours - published).abs() <= 1e-9 * published.abs().max(1e3), "{ours} against {published}");
    }
}

#[test]
fn the_rank_value_of_binance_is_a_product_of_two_ratios() {
    let case = case("binance_adl_leverage_pnl");
    let inputs = &case["inputs"];
    let ours = rank_value(
        number(&inputs["unrealized_profit"]),
        number(&inputs["wallet_balance"]),
        number(&inputs["margin_ratio"]),
    )
    .unwrap();
    // published to two decimals
    assert!((ours.pnl_percent - number(&case["expected"]["pnl_percent"])).abs() <= 0.005);
    assert!((ours.leverage_pnl - number(&case["expected"]["leverage_pnl"])).abs() <= 0.005);
}

#[test]
fn inverse_prices_with_maintenance_on_the_entry_notional_are_those_of_the_issue() {
    for id in ["inverse-nomm-2x-long", "inverse-nomm-2x-short", "inverse-mm-10101-issue2419"] {
        let case = case(id);
        let inputs = &case["inputs"];
        let long = inputs["side"] == "long";
        let (entry, leverage) = (number(&inputs["entry"]), number(&inputs["leverage"]));
        let single = Single {
            quantity: if long { entry } else { -entry },
            entry,
            collateral: leverage.recip(),
            rate: number(&inputs["maintenance_rate"]),
            amount: 0.0,
            other: 0.0,
            payoff: Payoff::Inverse,
            maintenance_on: MaintenanceOn::Entry,
        };
        let ours = single.prices().unwrap().liquidation.unwrap();
        close(ours, number(&case["expected"]["liquidation_price"]), 1e-9);
    }
}

#[test]
fn components_of_value_at_risk_are_those_of_the_closed_form() {
    let case = case("liq.risk_contribution_order");
    let inputs = &case["inputs"];
    let mut positions = String::from("symbol|contracts|markPrice|entryPrice\n");
    let mut market = String::from("symbol|annualVol\n");
    for (index, value) in numbers(&inputs["pos"]).iter().enumerate() {
        positions.push_str(&format!("LEG{index}|{value}|1|1\n"));
        market.push_str(&format!("LEG{index}|{}\n", numbers(&inputs["ann_vol"])[index]));
    }
    let correlations: Vec<Vec<f64>> = inputs["R"].as_array().unwrap().iter().map(numbers).collect();
    let rulebook = common::own_rules(&format!(
        "[measure]\nkind = \"normal_value_at_risk\"\nconfidence = {}\nhorizon_days = 1.0\ndays_per_year = {:?}\n",
        number(&inputs["alpha"]),
        number(&inputs["days"])
    ));
    let (positions, market) = (common::table(&positions), common::table(&market));
    let input = Input {
        positions: Some(&positions),
        market: Some(&market),
        correlations: Some(&correlations),
        ..Input::default()
    };
    let book = build(&input, &RulebookChoice::One(Box::new(rulebook)), &Options::default()).book.unwrap();
    let total = scalar::maintenance_margin(&book, &Evaluated::new(&book), "all").unwrap();
    close(total, number(&case["expected"]["var"]), 1e-9);
    let table = contributions::table(
        &book,
        &contributions::Question { measure: "MM".into(), group_by: "position".into(), options: Vec::new() },
    )
    .unwrap();
    let column = |name: &str| {
        let place = table.header.iter().position(|header| *header == name).unwrap();
        table.rows.iter().map(|row| row[place].clone()).collect::<Vec<_>>()
    };
    for (name, key) in [("component", "component"), ("incremental", "incremental")] {
        for (ours, published) in column(name).iter().zip(numbers(&case["expected"][key])) {
            let crossmargin_engine::answer::Value::Number(ours) = ours else { panic!("{name} is no number") };
            close(*ours, published, 1e-9);
        }
    }
}
