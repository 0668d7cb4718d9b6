//! A cascade of one owner: irrevocable, bounded, and the same price for all of its pools.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{book, rules, table};
use crossmargin_engine::book::Book;
use crossmargin_engine::liquidation::order::Options;
use crossmargin_engine::liquidation::own_cascade::{Market, OwnCascade, own_cascade};
use crossmargin_engine::market::MarketState;

fn held(adv: f64) -> Book {
    let positions = table(
        "account|symbol|contracts|entryPrice|markPrice|maintenanceMarginRate|leverage\n\
         a|BTC|100|60000|60000|0.05|10\n\
         b|BTC|50|60000|60000|0.05|10",
    );
    let collateral = table("account|currency|cash\na|USD|800000\nb|USD|500000");
    let market = table(&format!("underlying|dailyVol|adv|halfSpread\nBTC|0.03|{adv}|0.0001"));
    book(&positions, &collateral, Some(&market), &rules("custom"))
}

fn struck(book: &Book, market: &Market) -> OwnCascade {
    let state = MarketState::today(book).with(0, 0.9);
    let pools: Vec<(usize, MarketState)> = (0..book.pools.len()).map(|pool| (pool, state.clone())).collect();
    let options = Options { go_on: false, max_steps: 500, ..Options::default() };
    own_cascade(book, &pools, &options, market).expect("a cascade")
}

#[test]
fn what_is_sold_stays_sold_and_a_price_that_fell_stays_there() {
    let book = held(2_000.0);
    let found = struck(&book, &Market::default());
    assert!(found.rounds.len() > 2 && found.ended);
    let sold: Vec<(f64, f64)> = found.rounds.iter().map(|own| (own.coins[0].1, own.coins[0].2)).collect();
    for pair in sold.windows(2) {
        assert!(pair[1].0 <= pair[0].0 && pair[1].1 <= pair[0].1, "{pair:?}");
    }
    // 0.03 x sqrt(sold / 2,000) below the price of the scenario, for the pool that was not struck first too
    let (coins, ratio) = sold.last().copied().expect("a round");
    assert!((1.0 - ratio - 0.03 * (-coins / 2_000.0).sqrt()).abs() < 1e-12);
    for state in &found.states {
        assert!((state.ratio(0) - 0.9 * ratio).abs() < 1e-12);
    }
}

#[test]
fn rounds_and_an_empty_market_end_it() {
    let book = held(2_000.0);
    let bounded = struck(&book, &Market { rounds: 2, ..Market::default() });
    assert_eq!((bounded.rounds.len(), bounded.ended), (2, false));
    let empty = struck(&book, &Market { coefficient: Some(100.0), depth_share: 0.01, ..Market::default() });
    assert!(!empty.ended);
    let deep = struck(&held(1e12), &Market::default());
    assert!(deep.ended && deep.rounds.len() < 8);
    assert!((deep.rounds.last().expect("a round").coins[0].2 - 1.0).abs() < 1e-6);
}
