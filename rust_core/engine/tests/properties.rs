//! Invariants over random books.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{book, own_rules, rules, table};
use crossmargin_engine::answer::price::{PathWord, Question, answers};
use crossmargin_engine::book::RulebookChoice;
use crossmargin_engine::liquidation::sweep::Target;
use crossmargin_engine::margin::{PoolView, evaluate};
use crossmargin_engine::market::MarketState;
use crossmargin_engine::path::Path;
use proptest::prelude::*;

const COINS: [(&str, f64); 5] =
    [("BTC", 94_058.0), ("ETH", 3208.2), ("SOL", 143.79), ("XRP", 2.1201), ("DOGE", 0.14386)];

prop_compose! {
    fn position()(coin in 0..COINS.len(), notional in 10.0..4e8_f64, long in any::<bool>(), drift in 0.7..1.3_f64, leverage in 1_u8..20)
        -> (usize, f64, f64, f64) {
        let (_, mark) = COINS[coin];
        let quantity = if long { notional / mark } else { -notional / mark };
        (coin, quantity, mark * drift, f64::from(leverage))
    }
}

fn lines(rows: &[(usize, f64, f64, f64)]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    rows.iter()
        .filter(|row| seen.insert(row.0))
        .map(|(coin, quantity, entry, leverage)| {
            let (name, mark) = COINS[*coin];
            format!("{name}|{quantity}|{entry}|{mark}|{leverage}")
        })
        .collect()
}

fn positions(lines: &[String]) -> String {
    format!("coin|szi|entry_price|mark_price|leverage\n{}", lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn prop_equity_equals_trigger_times_maintenance_at_every_liquidation_price(
        rows in prop::collection::vec(position(), 1..6), cash in 1e3..3e8_f64, together in any::<bool>()
    ) {
        let held = book(
            &table(&positions(&lines(&rows))),
            &table(&format!("currency|cash\nUSDC|{cash}")),
            None,
            &rules("hyperliquid"),
        );
        let path = if together { PathWord::Together } else { PathWord::Alone };
        let question = Question { path, ..Question::default() };
        for found in answers(&held, None, &question).unwrap() {
            for price in [found.down, found.up].into_iter().flatten() {
                let ratio = price / found.mark;
                let walk = if together { Path::Together } else { Path::Alone(found.underlying) };
                let view = PoolView::of(&held, &held.pools[found.pool]);
                let at = |ratio: f64| evaluate(&view, &walk.state(&held, ratio)).unwrap();
                let state = at(ratio);
                let scale = state.equity.gross.abs() + state.requirement.maintenance + cash;
                prop_assert!(state.excess.abs() <= 1e-9 * scale, "excess {} at {price}", state.excess);
                let tick = 1e-6;
                let (near, far) = (at(1.0 + (ratio - 1.0) * (1.0 - tick)), at(1.0 + (ratio - 1.0) * (1.0 + tick)));
                prop_assert!(near.excess > 0.0 && far.excess < 0.0, "{} and {}", near.excess, far.excess);
            }
        }
    }

    #[test]
    fn prop_the_order_of_rows_changes_no_bit(rows in prop::collection::vec(position(), 2..6), cash in 1e3..1e8_f64, turn in 0_usize..6) {
        let mut ordered = lines(&rows);
        let collateral = table(&format!("currency|cash\nUSDC|{cash}"));
        let first = book(&table(&positions(&ordered)), &collateral, None, &rules("hyperliquid"));
        let turn = turn % ordered.len();
        ordered.rotate_left(turn);
        let second = book(&table(&positions(&ordered)), &collateral, None, &rules("hyperliquid"));
        let bits = |held: &crossmargin_engine::book::Book| {
            let state = evaluate(&PoolView::of(held, &held.pools[0]), &MarketState::today(held)).unwrap();
            (state.excess.to_bits(), state.requirement.maintenance.to_bits(), state.equity.gross.to_bits())
        };
        prop_assert_eq!(bits(&first), bits(&second));
    }

    #[test]
    fn prop_collateral_in_a_moving_coin_bends_the_search_but_not_the_answer(
        coins in 0.1..50.0_f64, rate in 0.5..1.0_f64, quantity in -60.0..60.0_f64, cash in -1e5..1e6_f64
    ) {
        prop_assume!(quantity.abs() > 1e-3);
        let rulebook = own_rules("[measure]\nkind = \"tiers\"\n");
        let held = book(
            &table(&format!("symbol|underlying|contracts|entryPrice|markPrice|maintenanceMarginRate\nBTC|BTC|{quantity}|90000|90000|0.01")),
            &table(&format!("currency|cash|collateralRate|priceVenue\nBTC|{coins}|{rate}|90000\nUSD|{cash}||")),
            None,
            &RulebookChoice::One(Box::new(rulebook)),
        );
        for target in [Target::Trigger, Target::Bankruptcy] {
            let question = Question { target, ..Question::default() };
            for found in answers(&held, Some("BTC"), &question).unwrap() {
                for price in [found.down, found.up].into_iter().flatten() {
                    let view = PoolView::of(&held, &held.pools[0]);
                    let state = evaluate(&view, &Path::Alone(found.underlying).state(&held, price / found.mark)).unwrap();
                    let zero = if target == Target::Trigger { state.excess } else { state.equity.gross };
                    prop_assert!(zero.abs() <= 1e-9 * (coins * price + cash.abs() + quantity.abs() * price));
                }
            }
        }
    }
}
