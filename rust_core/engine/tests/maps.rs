//! Maps that evaluate along an axis only what is held on its coin, against the whole account evaluated at every node.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{rules, table};
use crossmargin_engine::answer::Value;
use crossmargin_engine::answer::map::{self, Figure, Question};
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::margin::{PoolView, evaluate};
use crossmargin_engine::market::MarketState;
use crossmargin_engine::rulebook::builtin;
use crossmargin_engine::rulebook::portfolio::{Treatment, VolatilityMove};

const EQUITY: Figure = Figure::Equity;
const MAINTENANCE: Figure = Figure::Maintenance;
const MOVES: [f64; 6] = [-0.4, -0.07, 0.0, 0.02, 0.3, 0.9];

/// Options and perpetuals on two coins, balances in both of them and in money.
fn book(rulebook: &str, settle: Option<&str>) -> Book {
    let mut rows =
        String::from("symbol|settle|contracts|markIv|forward|indexPrice|markPrice|entryPrice|leverage");
    for (coin, spot, size) in [("BTC", 90_000.0, 1.0), ("ETH", 3_000.0, 25.0)] {
        let own = settle.unwrap_or(coin);
        for (number, (date, factor, right)) in [
            ("30JAN26", 0.9, "P"),
            ("30JAN26", 1.1, "C"),
            ("27MAR26", 1.0, "C"),
            ("27MAR26", 1.0, "P"),
            ("25SEP26", 1.5, "C"),
        ]
        .into_iter()
        .enumerate()
        {
            let quantity = size * [-8.0, -5.0, 6.0, 2.0, -3.0][number];
            let (strike, volatility) = (spot * factor, 0.5 + 0.04 * number as f64);
            rows +=
                &format!("\n{coin}-{date}-{strike}-{right}|{own}|{quantity}|{volatility}|{spot}|{spot}|||");
        }
        let quantity = if settle.is_some() { 3.0 * size } else { 3.0 * size * spot };
        rows += &format!("\n{coin}-PERPETUAL|{own}|{quantity}|||{spot}|{spot}|{}|10", 0.98 * spot);
    }
    finished(&rules(rulebook), &rows, settle.unwrap_or("USDC"))
}

/// The same under a rulebook of scenarios without charges, which adds options up by expiry; some are marked apart from
/// their volatility, some calls and puts share a strike.
fn book_without_charges(rulebook: &str, settle: Option<&str>) -> Book {
    let mut own = builtin(rulebook).unwrap().clone();
    for profile in &mut own.profiles {
        profile.charges.clear();
        profile.scenarios.retain(|scenario| scenario.volatility != VolatilityMove::SkewLinear);
        profile.scenarios.retain(|scenario| scenario.volatility != VolatilityMove::SkewAbsolute);
        if let Some(scenario) = profile.scenarios.last_mut() {
            scenario.treatment = Treatment::MinusAbsolutePerExpiry;
        }
    }
    let mut rows =
        String::from("symbol|settle|contracts|markIv|forward|indexPrice|markPrice|entryPrice|leverage");
    for (coin, spot, size) in [("BTC", 90_000.0, 1.0), ("ETH", 3_000.0, 25.0)] {
        let settled = settle.unwrap_or(coin);
        let unit = if settle.is_some() { spot } else { 1.0 };
        for (date, factor, right, quantity, mark) in [
            ("30JAN26", 0.9, "P", -8.0, Some(0.0004)),
            ("30JAN26", 1.1, "C", -5.0, Some(0.05)),
            ("30JAN26", 0.8, "C", 2.0, Some(0.19)),
            ("27MAR26", 1.0, "C", 6.0, None),
            ("27MAR26", 1.0, "P", 2.0, None),
            ("25SEP26", 1.5, "C", -3.0, None),
        ] {
            let mark = mark.map_or_else(String::new, |mark: f64| (mark * unit).to_string());
            rows += &format!(
                "\n{coin}-{date}-{}-{right}|{settled}|{}|0.6|{spot}|{spot}|{mark}||",
                spot * factor,
                quantity * size
            );
        }
        let quantity = if settle.is_some() { 3.0 * size } else { 3.0 * size * spot };
        rows += &format!("\n{coin}-PERPETUAL|{settled}|{quantity}|||{spot}|{spot}|{}|10", 0.98 * spot);
    }
    finished(&RulebookChoice::One(Box::new(own)), &rows, settle.unwrap_or("USDC"))
}

/// Perpetuals on two coins.
fn futures(rulebook: &str) -> Book {
    let rows = "symbol|contracts|markPrice|indexPrice|entryPrice|leverage\nBTC|2|90000|90000|91000|20\nETH|-30|3000|3000|2900|10";
    finished(&rules(rulebook), rows, "USDC")
}

fn finished(choice: &RulebookChoice, rows: &str, money: &str) -> Book {
    let positions = table(rows);
    let collateral =
        table(&format!("currency|cash|collateralRate\nBTC|12|0.95\nETH|150|0.9\n{money}|400000|1"));
    let market = table("underlying|indexPrice|markPrice\nBTC|90000|90000\nETH|3000|3000\nUSDC|1|1\nUSD|1|1");
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        ..Input::default()
    };
    let options = Options { as_of: Some("2026-01-13T12:00:00Z".into()), ..Options::default() };
    build(&input, choice, &options).book.expect("a book without errors")
}

/// A state with one axis moved.
fn moved(book: &Book, state: MarketState, axis: &str, relative: f64) -> MarketState {
    let coins = |of: &str| -> Vec<usize> {
        let named = |name: &str| of.is_empty() && name != "USDC" || name == of;
        (0..book.underlyings.len()).filter(|coin| named(&book.underlyings[*coin].name)).collect()
    };
    match axis.strip_prefix("VOL") {
        Some(of) => coins(of.trim_start_matches(':')).into_iter().fold(state, |state, coin| {
            let (own, absolute) = state.volatility(coin);
            state.with_volatility(coin, (1.0 + own) * (1.0 + relative) - 1.0, absolute)
        }),
        None => coins(axis.trim_start_matches("ALL")).into_iter().fold(state, |state, coin| {
            let ratio = state.ratio(coin) * (1.0 + relative);
            state.with(coin, ratio)
        }),
    }
}

#[test]
fn every_node_is_the_whole_account_at_its_state() {
    let books = [
        book("custom-scan", Some("USD")),
        book("deribit-spm", None),
        book("deribit-spm", Some("USDC")),
        book("span-16", Some("USD")),
        futures("hyperliquid"),
        book_without_charges("custom-scan", Some("USD")),
        book_without_charges("deribit-spm", None),
        book_without_charges("derive-pm2", Some("USDC")),
    ];
    let mut compared = 0;
    for book in &books {
        let rulebook = &book.rulebooks[0].id;
        let pairs = [
            ("BTC", "ETH"),
            ("BTC", "VOL"),
            ("VOL", "ETH"),
            ("ETH", "VOL:ETH"),
            ("BTC", "VOL:ETH"),
            ("BTC", "BTC"),
            ("ALL", "ETH"),
            ("ALL", "VOL"),
        ];
        for ((x, y), figure) in pairs.into_iter().flat_map(|pair| [(pair, EQUITY), (pair, MAINTENANCE)]) {
            let question = Question { x: (x, &MOVES), y: (y, &MOVES), figure, account: "" };
            let found = map::table(book, &question).expect("a map");
            for (row, down) in found.rows.iter().zip(MOVES) {
                for (value, along) in row[1..].iter().zip(MOVES) {
                    let state = moved(book, moved(book, MarketState::today(book), x, along), y, down);
                    let (mut expected, mut scale) = (0.0, 0.0);
                    for pool in &book.pools {
                        let whole = evaluate(&PoolView::of(book, pool), &state).unwrap();
                        let needed = whole.requirement.maintenance;
                        expected += if figure == EQUITY { whole.equity.maintenance } else { needed };
                        scale += whole.equity.gross.abs() + needed;
                    }
                    let Value::Number(value) = value else { panic!("{rulebook} {x} {y}: {value:?}") };
                    assert!(
                        (value - expected).abs() <= 1e-13 * scale,
                        "{rulebook}, {x} {along}, {y} {down}: {value} {expected}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, books.len() * 16 * MOVES.len() * MOVES.len());
}
