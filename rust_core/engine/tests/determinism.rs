//! The same input gives the same bits, whatever the number of threads.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{book, rules, table};
use crossmargin_engine::answer::{Evaluated, Value, accounts, grid, price, stress, summary};

fn many_accounts() -> (String, String) {
    let coins = [("BTC", 94_058.0), ("ETH", 3208.2), ("SOL", 143.79)];
    let mut positions = String::from("account|coin|szi|entry_price|mark_price|leverage\n");
    let mut collateral = String::from("account|currency|cash\n");
    for account in 0..400_u32 {
        for (index, (coin, mark)) in coins.iter().enumerate() {
            let step = f64::from((account * 7919 + 104_729 * index as u32) % 1000) / 1000.0;
            let quantity = (step - 0.5) * 2e6 / mark;
            positions
                .push_str(&format!("a{account}|{coin}|{quantity}|{}|{mark}|10\n", mark * (0.9 + 0.2 * step)));
        }
        collateral.push_str(&format!("a{account}|USDC|{}\n", 1e5 + f64::from(account)));
    }
    (positions, collateral)
}

fn bits(threads: usize) -> Vec<String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let (positions, collateral) = many_accounts();
        let held = book(&table(&positions), &table(&collateral), None, &rules("hyperliquid"));
        let evaluated = Evaluated::new(&held);
        let asked = grid::Question {
            underlying: "ALL".into(),
            volatility_moves: vec![0.0, 0.2],
            days: vec![0.0, 1.0],
            measure: "first".into(),
            ..grid::Question::default()
        };
        let ranked = [accounts::Ranked { book: &held, evaluated: &evaluated }];
        let struck = accounts::Question {
            top: 30.0,
            sort: String::new(),
            options: vec![("stress".into(), "OCT2025".into())],
        };
        let by_account = [("group_by".to_owned(), "account".to_owned())];
        let tables = [
            grid::table(&held, &evaluated, &asked).unwrap(),
            stress::table(&held, &evaluated, "OCT2025", None, &by_account).unwrap(),
            accounts::table(&ranked, &struck).unwrap(),
            summary::summary(&held, &evaluated, "account").unwrap(),
            price::table(&held, None, &price::Question::default()).unwrap(),
        ];
        let mut all = vec![held.hash.clone()];
        for value in tables.iter().flat_map(|table| table.rows.iter().flatten()) {
            all.push(match value {
                Value::Number(number) => format!("{:016x}", number.to_bits()),
                Value::Text(text) => text.clone(),
                Value::Missing => "missing".into(),
            });
        }
        all
    })
}

#[test]
fn one_two_and_eight_threads_give_the_same_bits() {
    let one = bits(1);
    assert!(one.len() > 5000, "the test looked at {} values", one.len());
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(8));
}
