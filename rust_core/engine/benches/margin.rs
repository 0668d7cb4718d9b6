//! Benches that assert their answer before they time it. Names say the work.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]
#![allow(missing_docs, reason = "the macros of the harness make undocumented items")]

use criterion::{Criterion, criterion_group, criterion_main};
use crossmargin_engine::answer::Evaluated;
use crossmargin_engine::answer::price::{Question, answers};
use crossmargin_engine::answer::summary::summary;
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::cell::{Column, Table};
use crossmargin_engine::liquidation::single::{Brackets, Columns, linear_prices};
use crossmargin_engine::rulebook::{builtin, cumulative_amounts};

/// A pseudo-random fraction that depends on its index alone.
fn fraction(index: usize) -> f64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn numbers(count: usize, of: impl Fn(usize) -> f64) -> Column {
    Column::Numbers { values: (0..count).map(of).collect(), present: None }
}

/// A cross account of many coins, one position each.
fn tables(count: usize) -> (Table, Table) {
    let words: Vec<String> = (0..count).map(|index| format!("C{index:05}")).collect();
    let mark = |index: usize| 1.0 + 1e4 * fraction(index);
    let positions = Table {
        header: ["coin", "szi", "entry_price", "mark_price", "leverage"].map(str::to_owned).to_vec(),
        columns: vec![
            Column::Words { codes: (0..count as u32).collect(), words },
            numbers(count, |index| (fraction(index + count) - 0.5) * 1e6 / mark(index)),
            numbers(count, |index| mark(index) * (0.9 + 0.2 * fraction(index + 2 * count))),
            numbers(count, mark),
            numbers(count, |_| 10.0),
        ],
    };
    let collateral = Table {
        header: vec!["currency".into(), "cash".into()],
        columns: vec![
            Column::Words { codes: vec![0], words: vec!["USDC".into()] },
            Column::Numbers { values: vec![1e5 * count as f64], present: None },
        ],
    };
    (positions, collateral)
}

fn book(tables: &(Table, Table)) -> Book {
    let input = Input { positions: Some(&tables.0), collateral: Some(&tables.1), ..Input::default() };
    let rules = RulebookChoice::One(Box::new(builtin("hyperliquid").unwrap().clone()));
    build(&input, &rules, &Options::default()).book.expect("a book without errors")
}

fn ten_thousand_positions(criterion: &mut Criterion) {
    let pasted = tables(10_000);
    let held = book(&pasted);
    assert_eq!(held.positions.len(), 10_000);
    let evaluated = Evaluated::new(&held);
    assert_eq!(summary(&held, &evaluated, "account").unwrap().rows.len(), 1);
    assert_eq!(answers(&held, None, &Question::default()).unwrap().len(), 10_000);
    // a regression means that a desk waits for its own paste
    criterion.bench_function("book/10k_positions", |bench| bench.iter(|| book(&pasted)));
    criterion.bench_function("evaluate/10k_positions", |bench| bench.iter(|| Evaluated::new(&held)));
    // a regression means that the sweep no longer touches only the coin that moves
    criterion.bench_function("liquidation_price/10k_coins_alone", |bench| {
        bench.iter(|| answers(&held, None, &Question::default()));
    });
}

fn a_million_linear_prices(criterion: &mut Criterion) {
    let count = 1_000_000;
    let column = |of: &dyn Fn(usize) -> f64| (0..count).map(of).collect::<Vec<f64>>();
    let quantity = column(&|index| if index % 2 == 0 { 2.0 } else { -2.0 });
    let entry = column(&|index| 50_000.0 * (0.9 + 0.2 * fraction(index)));
    let collateral = column(&|index| 5_000.0 + 20_000.0 * fraction(index + count));
    let floors = [0.0, 5e4, 1e5, 5e5];
    let rates = [0.004, 0.005, 0.01, 0.02];
    let amounts = cumulative_amounts(&floors, &rates, 0.0).unwrap();
    let mut out = vec![0.0; count];
    let mut run = || {
        let columns = Columns { quantity: &quantity, entry: &entry, collateral: &collateral };
        linear_prices(columns, Brackets { floors: &floors, rates: &rates, amounts: &amounts }, &mut out)
            .unwrap();
        out.iter().filter(|price| price.is_finite()).count()
    };
    assert_eq!(run(), count, "every account of the bench has a price");
    // bound by memory: four columns of eight megabytes in and out
    criterion.bench_function("liquidation_price/1m_linear_accounts", |bench| bench.iter(&mut run));
}

criterion_group!(benches, ten_thousand_positions, a_million_linear_prices);
criterion_main!(benches);
