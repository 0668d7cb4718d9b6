//! Standard margin from paste to requirement: options, rates that grow with size, spreads, charges, orders.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{rules, table};
use crossmargin_engine::book::{Book, Input, Options, build};
use crossmargin_engine::liquidation::order::at_state;
use crossmargin_engine::liquidation::price::{alone, crossings};
use crossmargin_engine::liquidation::sweep::Target;
use crossmargin_engine::margin::component::{initial_total, maintenance_total};
use crossmargin_engine::margin::contributions::{Under, contributions, one_by_one};
use crossmargin_engine::margin::tiers::brackets_only;
use crossmargin_engine::margin::{PoolState, PoolView, evaluate};
use crossmargin_engine::market::MarketState;
use crossmargin_engine::path::Path;
use proptest::prelude::*;

fn book(id: &str, positions: &str, collateral: &str, market: &str, orders: Option<&str>) -> Book {
    let (positions, collateral, market) = (table(positions), table(collateral), table(market));
    let orders = orders.map(table);
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        orders: orders.as_ref(),
        ..Input::default()
    };
    build(&input, &rules(id), &Options::default()).book.expect("a book without errors")
}

fn evaluated(book: &Book) -> PoolState {
    state_of(book, 0).expect("an answer")
}

fn state_of(book: &Book, pool: usize) -> crossmargin_engine::error::Result<PoolState> {
    evaluate(&PoolView::of(book, &book.pools[pool]), &MarketState::today(book))
}

#[track_caller]
fn near(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{ours} against {expected}");
}

const OPTIONS: &str = "symbol|type|underlying|settle|contracts|contractSize|strike|optionType|secondsToExpiry|forward|markIv|markPrice|indexPrice|entryPrice";

fn derive(rows: &str, cash: f64) -> Book {
    book(
        "derive-sm",
        &format!("{OPTIONS}\n{rows}"),
        &format!("currency|cash\nUSDC|{cash}"),
        "underlying|indexPrice\nETH|1900\nUSDC|1",
        None,
    )
}

#[test]
fn the_first_example_of_derive_is_reproduced_from_paste_to_excess() {
    let book = derive("ETH-C|option|ETH|USDC|-3|1|1800|call|864000|1900|0.5|120|1900|", 2000.0);
    let state = evaluated(&book);
    near(state.excess_initial.unwrap(), 785.0);
    near(state.excess, 1127.0);
    near(state.requirement.maintenance, maintenance_total(&state.requirement.components));
    near(state.requirement.initial.unwrap(), initial_total(&state.requirement.components));
}

#[test]
fn perpetuals_of_deribit_are_counted_in_coin_or_at_the_index() {
    let coin = book(
        "deribit-sm",
        "symbol|contracts|contractSize|markPrice|entryPrice\nBTC-PERPETUAL|-2500000|1|100000|100000",
        "currency|cash|priceVenue\nBTC|2|100000",
        "underlying|indexPrice\nBTC|100000\nUSDC|1",
        None,
    );
    // 25 BTC: (2 % + 25 x 0.005 %) x 25 coins
    near(evaluated(&coin).requirement.initial.unwrap(), 0.02125 * 25.0 * 100_000.0);
    let linear = book(
        "deribit-sm",
        "symbol|contracts|contractSize|markPrice|entryPrice\nBTC_USDC-PERPETUAL|25|1|100500|100500",
        "currency|cash\nUSDC|100000",
        "underlying|indexPrice\nBTC|100000\nUSDC|1",
        None,
    );
    let state = evaluated(&linear);
    near(state.requirement.initial.unwrap(), 53_125.0);
    near(state.requirement.maintenance, 28_125.0);
}

#[test]
fn coin_settled_options_need_coins_that_are_worth_money() {
    let book = book(
        "deribit-sm",
        &format!(
            "{OPTIONS}\nBTC-27MAR26-102000-C|option|BTC|BTC|-2|1|102000|call|864000|100000|0.5|0.02|100000|"
        ),
        "currency|cash|priceVenue\nBTC|1|100000",
        "underlying|indexPrice\nBTC|100000",
        None,
    );
    let state = evaluated(&book);
    near(state.requirement.initial.unwrap(), 2.0 * 0.15 * 100_000.0);
    near(state.requirement.maintenance, 2.0 * 0.095 * 100_000.0);
    // what is owed is in the requirement, so it is not in the equity too
    near(state.equity.maintenance, 100_000.0);
    near(state.equity.gross, (1.0 - 0.04) * 100_000.0);
}

#[test]
fn a_contract_without_a_rule_is_refused_by_name_and_row() {
    let option = "BTC-27MAR26-90000-C|option|BTC|USDC|-1|1|90000|call|864000|90000|0.5|900|90000|";
    for id in ["hyperliquid", "binance-usdm"] {
        let settle = if id == "hyperliquid" { "USDC" } else { "USDT" };
        let rows = format!("{OPTIONS}\n{}", option.replace("USDC", settle));
        let collateral = format!("currency|cash\n{settle}|1000");
        let book = book(id, &rows, &collateral, "underlying|indexPrice\nBTC|90000", None);
        let refusal = state_of(&book, 0).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!(
                "BTC-27MAR26-90000-C is not covered (row 2, BTC-27MAR26-90000-C): rulebook '{id}' has no rule for options on BTC settled in {settle}"
            )
        );
        let view = PoolView::of(&book, &book.pools[0]);
        assert!(crossings(&view, &Path::Together.into(), Target::Trigger, 10.0).is_err());
    }
}

#[test]
fn what_a_rulebook_refuses_is_refused_with_its_reason() {
    let book = book(
        "dydx-v4",
        "symbol|type|contracts|contractSize|markPrice|entryPrice|initialMarginRate|maintenanceMarginRate\nBTC/USD:BTC|swap|100|1|50000|50000|0.1|0.05",
        "currency|cash|priceVenue\nUSDC|1000|1\nBTC|1|50000",
        "underlying|indexPrice\nBTC|50000",
        None,
    );
    let refusal = state_of(&book, 0).unwrap_err().to_string();
    assert!(refusal.contains("every contract of the venue settles in USDC"), "{refusal}");
}

#[test]
fn open_interest_is_asked_for_where_the_initial_rate_depends_on_it() {
    let positions = "symbol|settle|contracts|contractSize|markPrice|entryPrice\nSOL-USD|USDC|100|1|200|200";
    let of = |market: &str| {
        evaluated(&book("dydx-v4", positions, "currency|cash\nUSDC|10000", market, None)).requirement
    };
    let unknown = of("underlying|indexPrice\nSOL|200");
    assert_eq!(unknown.initial, None);
    assert!(unknown.initial_missing.unwrap().contains("open interest"));
    near(unknown.maintenance, 0.05 * 20_000.0);
    // 35 million lie half way between 20 and 50: 10 % + 0.5 x 90 %
    let half = of("underlying|indexPrice|openInterest\nSOL|200|175000");
    near(half.initial.unwrap(), 0.55 * 20_000.0);
}

#[test]
fn rates_of_a_row_come_before_those_of_the_rulebook() {
    let book = book(
        "dydx-v4",
        "symbol|settle|contracts|contractSize|markPrice|entryPrice|initialMarginRate|maintenanceMarginRate\nBTC-USD|USDC|1|1|50000|50000|0.05|0.03",
        "currency|cash\nUSDC|10000",
        "underlying|indexPrice\nBTC|50000",
        None,
    );
    let state = evaluated(&book);
    near(state.requirement.initial.unwrap(), 2_500.0);
    near(state.requirement.maintenance, 1_500.0);
}

#[test]
fn orders_on_paradex_need_the_larger_open_size() {
    // venues.md 8.1: short 1, three to buy, two to sell: 2 % of three at 90,000
    let orders = "symbol|side|amount|price\nBTC-USD-PERP|buy|3|90000\nBTC-USD-PERP|sell|2|90000";
    let book = book(
        "paradex-cross",
        "symbol|contracts|contractSize|markPrice|entryPrice\nBTC-USD-PERP|-1|1|90000|90000",
        "currency|cash\nUSDC|10000",
        "underlying|indexPrice\nBTC|90000",
        Some(orders),
    );
    let state = evaluated(&book);
    let fees = 0.0003 * 90_000.0;
    near(state.requirement.initial.unwrap() - fees, 5_400.0);
    near(state.requirement.maintenance - fees, 900.0);
}

#[test]
fn an_order_to_buy_an_option_needs_premium_and_fee() {
    // venues.md 4.2: 0.3 at 3,500 with the index at 42,000 cost 1,053.78
    let held = "BTC/USDC:USDC-311231-48000-C|option|BTC|USDC|0|1|48000|call|864000|42000|0.9|3400|42000|";
    let book = book(
        "bybit-cross",
        &format!("{OPTIONS}\n{held}"),
        "currency|cash|priceVenue|collateralRate\nUSDC|5000|1|1",
        "symbol|forward|markIv|secondsToExpiry|indexPrice|strike\nBTC/USDC:USDC-311231-48000-C|42000|0.9|864000|42000|48000",
        Some("symbol|side|amount|price\nBTC/USDC:USDC-311231-48000-C|buy|0.3|3500"),
    );
    let state = evaluated(&book);
    near(state.requirement.initial.unwrap(), 1_053.78);
    near(state.requirement.order_margin, 1_053.78);
    assert_eq!(state.requirement.maintenance, 0.0);
}

#[test]
fn a_lost_peg_and_an_unsure_oracle_raise_the_initial_margin_only() {
    let rows = format!("{OPTIONS}\nETH-C|option|ETH|USDC|-3|1|1800|call|864000|1900|0.5|120|1900|");
    let of = |market: &str| {
        let book = book("derive-sm", &rows, "currency|cash\nUSDC|2000", market, None);
        let state = evaluated(&book);
        (state.requirement.initial.unwrap(), state.requirement.maintenance)
    };
    let calm = of("underlying|indexPrice|confidence\nETH|1900|0.9\nUSDC|1|");
    let (lost, still) = of("underlying|indexPrice|confidence\nETH|1900|0.9\nUSDC|0.89|");
    near(lost - calm.0, 0.1 * 2.0 * 3.0 * 1900.0);
    near(still, calm.1);
    let (unsure, still) = of("underlying|indexPrice|confidence\nETH|1900|0.4\nUSDC|1|");
    near(unsure - calm.0, 0.6 * 3.0 * 1900.0);
    near(still, calm.1);
}

#[test]
fn a_spread_bears_its_margin_together_and_contributions_sum_to_it() {
    let rows = "ETH-A|option|ETH|USDC|-2|1|1100|call|864000|1900|0.8|802|1900|\n\
                ETH-B|option|ETH|USDC|1|1|1300|call|864000|1900|0.8|603|1900|\n\
                ETH-D|option|ETH|USDC|-1|1|1700|put|1728000|1900|0.8|50|1900|";
    let book = derive(rows, 10_000.0);
    let view = PoolView::of(&book, &book.pools[0]);
    assert!(!brackets_only(&view).unwrap());
    let parts = contributions(&view, &MarketState::today(&book), Under::Own, &one_by_one(&view)).unwrap();
    let (parts, total) = (parts.rows, parts.whole.maintenance);
    // at 1,300 the spread loses 400 - 0, one net call sold costs 1.1 forwards
    let spread: f64 = 2.0 * 200.0 + 1.1 * 1900.0;
    let put = 0.09 * 1900.0 + 50.0;
    near(total, spread.min(2.0 * (0.09 * 1900.0 + 802.0)) + put);
    near(parts.iter().map(|part| part.component).sum(), total);
}

#[test]
fn a_pool_with_options_has_liquidation_prices_and_an_order() {
    let rows = "ETH-A|option|ETH|USDC|-3|1|1800|call|864000|1900|0.5|120|1900|130\n\
                ETH-PERP|perpetual|ETH|USDC|1|1|||||0.5|1901||1900";
    let book = derive(rows, 2000.0);
    let found = alone(&book, (0, &book.pools[0]), Target::Trigger, 10.0).unwrap();
    let up = found[0].up.expect("calls sold are liquidated above");
    let ratio = up / found[0].mark;
    let view = PoolView::of(&book, &book.pools[0]);
    let excess = |ratio: f64| evaluate(&view, &MarketState::today(&book).with(0, ratio)).unwrap().excess;
    assert!(excess(ratio * (1.0 - 1e-9)) > 0.0 && excess(ratio * (1.0 + 1e-9)) < 0.0);
    for policy in ["tier_steps", "largest_loss", "highest_risk_contribution", "pro_rata"] {
        let policy = crossmargin_engine::rulebook::Policy::ALL.iter().find(|(word, _)| *word == policy);
        let options = crossmargin_engine::liquidation::order::Options {
            policy: policy.map(|(_, policy)| *policy),
            ..Default::default()
        };
        let state = MarketState::today(&book).with(0, ratio * 1.02);
        let order = at_state(&book, &book.pools[0], &state, &options).unwrap();
        assert!(!order.rows.is_empty());
    }
}

#[test]
fn bybit_has_two_perpetuals_on_bitcoin_with_brackets_of_their_own() {
    let book = book(
        "bybit-cross",
        "symbol|contracts|contractSize|markPrice|entryPrice|leverage\nBTCUSDT|10|1|100000|100000|10\nBTCPERP|10|1|100000|100000|10",
        "currency|cash|priceVenue\nUSDT|500000|1\nUSDC|500000|1",
        "underlying|indexPrice\nBTC|100000\nUSDT|1\nUSDC|1",
        None,
    );
    let mm: Vec<f64> =
        evaluated(&book).requirement.by_position.iter().map(|margin| margin.maintenance).collect();
    let total: f64 = mm.iter().sum();
    // 1M: 0.5 % of the first bracket of BTCUSDT; 0.67 % less 1,800 of BTCPERP
    near(total, 5_000.0 + 0.0067 * 1e6 - 1_800.0);
    assert!(brackets_only(&PoolView::of(&book, &book.pools[0])).unwrap());
}

fn rulebooks() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["derive-sm", "paradex-cross", "bybit-cross", "deribit-sm"])
}

/// (quantity, strike, call, days)
fn legs() -> impl Strategy<Value = Vec<(f64, f64, bool, f64)>> {
    let leg = (
        prop::sample::select(vec![-3.0, -1.0, -0.5, 0.5, 1.0, 2.0]),
        prop::sample::select(vec![60_000.0, 80_000.0, 90_000.0, 100_000.0, 110_000.0, 140_000.0]),
        any::<bool>(),
        prop::sample::select(vec![3.0, 30.0]),
    );
    prop::collection::vec(leg, 1..6)
}

fn option_rows(legs: &[(f64, f64, bool, f64)]) -> String {
    let mut text = OPTIONS.to_owned();
    for (place, (quantity, strike, call, days)) in legs.iter().enumerate() {
        let right = if *call { "call" } else { "put" };
        let seconds = days * 86_400.0;
        text.push_str(&format!(
            "\nBTC-{place}|option|BTC|USDC|{quantity}|1|{strike}|{right}|{seconds}|100100|0.6||100000|"
        ));
    }
    text
}

fn of_legs(id: &str, legs: &[(f64, f64, bool, f64)]) -> (Book, PoolState) {
    let built = book(
        id,
        &option_rows(legs),
        "currency|cash|priceVenue\nUSDC|100000|1",
        "underlying|indexPrice\nBTC|100000\nUSDC|1",
        None,
    );
    let state = evaluated(&built);
    (built, state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn books_of_bought_options_never_need_more_than_they_are_worth(id in rulebooks(), legs in legs()) {
        let bought: Vec<_> = legs.iter().map(|(q, k, c, d)| (q.abs(), *k, *c, *d)).collect();
        let (book, state) = of_legs(id, &bought);
        let worth: f64 = book.positions.iter().map(|position| position.unrealised_pnl).sum();
        let fees: f64 = bought.iter().map(|(q, ..)| 0.0003 * q * 100_000.0).sum();
        prop_assert!(state.requirement.maintenance <= worth + fees + 1e-9 * worth);
        prop_assert!(state.requirement.initial.unwrap() <= worth + fees + 1e-9 * worth);
    }

    #[test]
    fn a_spread_never_needs_more_than_its_legs_one_by_one(id in rulebooks(), legs in legs()) {
        let (_, whole) = of_legs(id, &legs);
        let apart: f64 = legs
            .iter()
            .map(|leg| of_legs(id, std::slice::from_ref(leg)).1.requirement.maintenance)
            .sum();
        prop_assert!(whole.requirement.maintenance <= apart + 1e-9 * apart.abs());
        let parts: f64 = whole.requirement.by_position.iter().map(|margin| margin.maintenance).sum();
        prop_assert!((parts - whole.requirement.maintenance).abs() <= 1e-9 * apart.abs().max(1.0));
    }

    #[test]
    fn splitting_a_position_into_rows_changes_nothing(id in rulebooks(), legs in legs()) {
        let (_, whole) = of_legs(id, &legs);
        let halves: Vec<String> = option_rows(&legs)
            .lines()
            .flat_map(|line| {
                let cells: Vec<&str> = line.split('|').collect();
                match cells[4].parse::<f64>() {
                    Ok(quantity) => {
                        let mut half = cells.clone();
                        let text = (quantity / 2.0).to_string();
                        half[4] = &text;
                        vec![half.join("|"); 2]
                    }
                    Err(_) => vec![line.to_owned()],
                }
            })
            .collect();
        let split = book(
            id,
            &halves.join("\n"),
            "currency|cash|priceVenue\nUSDC|100000|1",
            "underlying|indexPrice\nBTC|100000\nUSDC|1",
            None,
        );
        let split = evaluated(&split);
        prop_assert_eq!(split.requirement.maintenance.to_bits(), whole.requirement.maintenance.to_bits());
        prop_assert_eq!(split.excess.to_bits(), whole.excess.to_bits());
    }
}
