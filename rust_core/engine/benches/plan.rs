//! Benches of what-if questions that assert their answer before they time it. Names say the work.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]
#![allow(missing_docs, reason = "the macros of the harness make undocumented items")]

use criterion::{Criterion, criterion_group, criterion_main};
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::cell::{Cell, Table};
use crossmargin_engine::market::MarketState;
use crossmargin_engine::plan::{Account, Prepared};
use crossmargin_engine::rulebook::builtin;

/// A pseudo-random fraction that depends on its index alone.
fn fraction(index: usize) -> f64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 1,000 options on one coin: 10 expiries, 50 strikes, calls and puts.
fn option_book(rulebook: &str) -> Book {
    let rules = builtin(rulebook).unwrap();
    let coin = if rulebook.starts_with("deribit") { "BTC" } else { rules.settle.as_str() };
    let months = [
        "27MAR26", "24APR26", "29MAY26", "26JUN26", "31JUL26", "28AUG26", "25SEP26", "30OCT26", "27NOV26",
        "25DEC26",
    ];
    let header = ["symbol", "contracts", "forward", "markIv", "indexPrice", "settle"]
        .map(|word| Cell::Text(word.to_owned()));
    let mut rows = vec![header.to_vec()];
    for index in 0..1000 {
        let (month, rest) = (index % 10, index / 10);
        let strike = 40_000 + 2000 * (rest % 50);
        let right = if rest < 50 { "C" } else { "P" };
        rows.push(vec![
            Cell::Text(format!("BTC-{}-{strike}-{right}", months[month])),
            Cell::Number(((fraction(index) - 0.5) * 20.0 * 10.0).round() / 10.0 + 0.05),
            Cell::Number(90_000.0 * (1.0 + 0.004 * month as f64)),
            Cell::Number(0.4 + 0.3 * fraction(index + 5000)),
            Cell::Number(90_000.0),
            Cell::Text(coin.into()),
        ]);
    }
    let positions = Table::from_rows(rows);
    let cells = |row: [&str; 3]| row.map(Cell::from_text).to_vec();
    let collateral = Table::from_rows(vec![
        vec![Cell::Text("currency".into()), Cell::Text("cash".into())],
        vec![Cell::Text(coin.into()), Cell::Number(if coin == "BTC" { 500.0 } else { 5e7 })],
    ]);
    let market = Table::from_rows(vec![
        cells(["underlying", "indexPrice", "markPrice"]),
        vec![Cell::Text("BTC".into()), Cell::Number(90_000.0), Cell::Number(90_000.0)],
        vec![
            Cell::Text(if coin == "BTC" { "USDC" } else { coin }.into()),
            Cell::Number(1.0),
            Cell::Number(1.0),
        ],
    ]);
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        ..Input::default()
    };
    let rules = RulebookChoice::One(Box::new(rules.clone()));
    let options = Options { as_of: Some("2026-01-13T12:00:00Z".into()), ..Options::default() };
    build(&input, &rules, &options).book.expect("a book without errors")
}

fn what_if(criterion: &mut Criterion) {
    for rulebook in ["deribit-spm", "derive-pm2", "paradex-pm"] {
        let book = option_book(rulebook);
        let today = MarketState::today(&book);
        let account = Account::of(&book, &book.pools[0]);
        let prepared = Prepared::new(&account, &[], today.clone()).unwrap();
        let changed = || {
            let mut changed = account.clone();
            changed.deal(0, 40.0, None, 0.0).unwrap();
            changed
        };
        let full = changed().evaluate(&today).unwrap();
        assert_ne!(full, account.evaluate(&today).unwrap(), "the trade of the bench changes nothing");
        assert_eq!(prepared.evaluate(&changed()).unwrap(), full);
        // a regression means that sheets with many what-ifs become slow
        criterion.bench_function(&format!("what_if/{rulebook}/1000_options/from_nothing"), |bench| {
            bench.iter(|| changed().evaluate(&today));
        });
        criterion.bench_function(&format!("what_if/{rulebook}/1000_options/prepared"), |bench| {
            bench.iter(|| prepared.evaluate(&changed()));
        });
    }
}

criterion_group!(
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = what_if
);
criterion_main!(benches);
