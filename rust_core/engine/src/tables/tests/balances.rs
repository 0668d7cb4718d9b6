use super::super::{BalanceTotal, Defaults, read_balances};
use super::{defaults, errors, of, table};
use crate::finding::Severity;

/// Cash and equity of the first row; at least one of them, and their difference is the unrealised profit and loss.
fn first(text: &str) -> (Option<&'static str>, Option<f64>, Option<f64>, f64) {
    let read = read_balances(&table(text), &defaults());
    assert_eq!(errors(&read.findings), [], "{text}");
    let row = &read.rows[0];
    (read.venue, row.cash, row.equity, row.debt)
}

#[test]
fn binance_counts_the_cross_wallet_and_its_profit_once() {
    let text = "asset|walletBalance|unrealizedProfit|marginBalance|maintMargin|initialMargin|positionInitialMargin|openOrderInitialMargin|crossWalletBalance|crossUnPnl|availableBalance|maxWithdrawAmount\n\
                USDT|1000|-60|940|5|100|100|0|800|-50|650|650";
    assert_eq!(first(text), (Some("binance"), Some(800.0), Some(750.0), 0.0));
    let read = read_balances(&table(text), &defaults());
    assert_eq!(
        (read.rows[0].reported.initial_margin, read.rows[0].reported.maintenance_margin),
        (Some(100.0), Some(5.0))
    );
    let wallet = "asset|walletBalance|unrealizedProfit|marginBalance\nUSDT|1000|-60|940";
    assert_eq!(first(wallet), (Some("binance"), Some(1000.0), Some(940.0), 0.0));
    let balance = "accountAlias|asset|balance|crossWalletBalance|crossUnPnl\nx|USDT|1000|1000|5";
    assert_eq!(first(balance), (Some("binance"), Some(1000.0), Some(1005.0), 0.0));
}

#[test]
fn hyperliquid_account_value_is_equity_in_the_default_currency() {
    let text = "marginSummary.accountValue|crossMarginSummary.accountValue|marginSummary.totalRawUsd|crossMaintenanceMarginUsed|withdrawable\n1500|1400|9000|20|100";
    assert_eq!(first(text), (Some("hyperliquid"), None, Some(1400.0), 0.0));
    let read = read_balances(&table(text), &defaults());
    assert_eq!(
        (read.rows[0].currency.as_str(), read.rows[0].reported.maintenance_margin),
        ("USDC", Some(20.0))
    );
    assert!(of(&read.findings, Severity::Info).contains(&("currency_assumed", None)));
    assert_eq!(
        first("coin|total|hold|entryNtl\nHYPE|10|0|250"),
        (Some("hyperliquid"), Some(10.0), None, 0.0)
    );
}

#[test]
fn deribit_cash_holds_what_the_session_realised_and_equity_stands_beside_it() {
    let text = "currency|balance|equity|margin_balance|session_upl|session_rpl|initial_margin|maintenance_margin|options_value\n\
                BTC|10|10.7|10.7|0.5|0.2|1|0.5|0";
    let (venue, cash, equity, _) = first(text);
    assert_eq!((venue, cash, equity), (Some("deribit"), Some(10.2), Some(10.7)));
}

#[test]
fn okx_equity_is_after_debts_and_is_given_before_them() {
    assert_eq!(
        first("ccy|eq|cashBal|upl|liab|imr|mmr|uTime\nUSDT|950|1000|-50|0|100|10|1720736417660"),
        (Some("okx"), Some(1000.0), Some(950.0), 0.0)
    );
    // The liability is the negative equity, here of an unrealised loss: cash + profit - debt is the equity again.
    let (_, cash, equity, debt) = first("ccy|eq|cashBal|upl|liab\nUSDT|-100|20|-120|100");
    assert_eq!((cash, equity, debt), (Some(120.0), Some(0.0), 100.0));
}

#[test]
fn bybit_equity_is_after_debts_and_is_given_before_them() {
    let (venue, cash, equity, debt) = first(
        "coin|equity|usdValue|walletBalance|spotBorrow|unrealisedPnl|marginCollateral|collateralSwitch\nUSDT|870|870|1000|100|-30|true|true",
    );
    assert_eq!((venue, cash, equity, debt), (Some("bybit"), Some(1000.0), Some(970.0), 100.0));
    let read = read_balances(
        &table(
            "coin|equity|walletBalance|marginCollateral|collateralSwitch\nA|1|1|true|false\nB|1|1|false|true\nC|1|1|true|true",
        ),
        &defaults(),
    );
    assert_eq!(read.rows.iter().map(|r| r.enabled).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn a_bare_total_is_read_by_venue_and_said() {
    let read = |text: &str, default| {
        let defaults = Defaults { settle: "USDT".into(), balance_total: default };
        let read = read_balances(&table(text), &defaults);
        let said = read.findings.iter().find(|f| f.code == "total_read_as").map(|f| f.message.clone());
        (read.rows[0].cash, read.rows[0].equity, said.unwrap())
    };
    let (cash, equity, said) = read("currency|free|used|total\nUSDT|1|2|3", BalanceTotal::Cash);
    assert_eq!((cash, equity), (None, Some(3.0)));
    assert!(said.contains("equity") && said.contains("ccxt"));
    let (cash, equity, _) = read("currency|total\nUSDT|3", BalanceTotal::Cash);
    assert_eq!((cash, equity), (Some(3.0), None));
    let (cash, equity, _) = read("currency|total\nUSDT|3", BalanceTotal::Equity);
    assert_eq!((cash, equity), (None, Some(3.0)));
    let (cash, equity, _) = read("currency|balance|session_upl|equity\nBTC|3|1|4", BalanceTotal::Equity);
    assert_eq!((cash, equity), (Some(3.0), Some(4.0)));
}

#[test]
fn a_single_total_without_currency_is_in_the_default_currency_and_two_are_refused() {
    let one = read_balances(&table("total\n500"), &defaults());
    assert_eq!((one.rows[0].currency.as_str(), one.rows[0].cash), ("USDC", Some(500.0)));
    let two = read_balances(&table("total\n500\n600"), &defaults());
    assert_eq!(errors(&two.findings), [("column_missing", None)]);
}

#[test]
fn haircuts_rates_caps_and_prices_are_read() {
    let read = read_balances(
        &table(
            "account|currency|cash|haircut|collateralRate|cap|priceVenue|priceRef|debt\nx|btc|2|5%|||100000|100100|\nx|eth|2||0.9|50|||1",
        ),
        &defaults(),
    );
    assert_eq!(errors(&read.findings), []);
    assert_eq!(read.rows.iter().map(|r| r.collateral_rate).collect::<Vec<_>>(), [Some(0.95), Some(0.9)]);
    let row = &read.rows[0];
    assert_eq!(
        (row.account.as_deref(), row.currency.as_str(), row.price_venue, row.price_reference),
        (Some("x"), "BTC", Some(100_000.0), Some(100_100.0))
    );
    assert_eq!((read.rows[1].cap, read.rows[1].debt), (Some(50.0), 1.0));
}

#[test]
fn bad_balances_are_refused_with_their_row() {
    let read = read_balances(
        &table("currency|cash|haircut\nA|x|\nB|1|1.5\nC||\n|1|\n#N/A|1|\nTOTAL|5|\nD|NaN|"),
        &defaults(),
    );
    assert_eq!(
        errors(&read.findings),
        [
            ("not_a_number", Some(2)),
            ("rate_out_of_range", Some(3)),
            ("balance_missing", Some(4)),
            ("currency_missing", Some(5)),
            ("error_cell", Some(6)),
            ("not_finite", Some(8))
        ]
    );
    assert!(read.rows.is_empty());
    assert!(of(&read.findings, Severity::Info).contains(&("total_row", Some(7))));
}

#[test]
fn a_hand_made_table_with_free_and_used_is_not_taken_for_an_export() {
    let text = "account|currency|total|free|used|debt|collateralEnabled|collateralRate|cap|priceVenue|priceRef\nmain|USDT|100|60|40|0|yes|1|||1";
    assert_eq!(first(text), (None, Some(100.0), None, 0.0));
}

#[test]
fn bybit_spot_borrowing_is_preferred_to_all_borrowing() {
    let (_, cash, equity, debt) =
        first("coin|equity|walletBalance|borrowAmount|spotBorrow|unrealisedPnl\nUSDT|-70|-100|100|0|30");
    assert_eq!((cash, equity, debt), (Some(-100.0), Some(-70.0), 0.0));
    let (_, cash, equity, debt) =
        first("coin|equity|walletBalance|borrowAmount|unrealisedPnl\nUSDT|-70|-100|100|30");
    assert_eq!((cash, equity, debt), (Some(0.0), Some(30.0), 100.0));
}
