//! Options as venues export them, from paste to book: what is read, what follows, what is refused.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{rules, table};
use crossmargin_engine::book::{Book, Input, Options, Outcome, build};
use crossmargin_engine::finding::{Finding, Severity};
use crossmargin_engine::instrument::{ContractKind, OptionRight, Payoff};
use crossmargin_engine::market::{notional, option_value, pnl_of_move};

/// 60 days before 2026-03-27 08:00 UTC.
const AS_OF: &str = "2026-01-26T08:00:00Z";
const YEARS: f64 = 60.0 / 365.0;

fn outcome(positions: &str, collateral: &str, market: &str, as_of: Option<&str>) -> Outcome {
    let (positions, collateral, market) = (table(positions), table(collateral), table(market));
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        ..Input::default()
    };
    let options = Options { as_of: as_of.map(str::to_owned), partial: false, rebook: false };
    build(&input, &rules("hyperliquid"), &options)
}

fn read(positions: &str, market: &str) -> (Book, Vec<Finding>) {
    let outcome = outcome(positions, "currency|cash\nUSDC|1000", market, Some(AS_OF));
    (outcome.book.expect("a book without errors"), outcome.findings)
}

fn errors(outcome: &Outcome) -> Vec<(&'static str, Option<usize>, &str)> {
    let severe = outcome.findings.iter().filter(|finding| finding.severity == Severity::Error);
    severe.map(|finding| (finding.code, finding.row, finding.column.as_str())).collect()
}

fn refused(positions: &str, market: &str) -> Vec<(&'static str, Option<usize>, String)> {
    let outcome = outcome(positions, "currency|cash\nUSDC|1000", market, Some(AS_OF));
    errors(&outcome).into_iter().map(|(code, row, column)| (code, row, column.to_owned())).collect()
}

fn has(findings: &[Finding], code: &str) -> bool {
    findings.iter().any(|finding| finding.code == code)
}

#[track_caller]
fn near(ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance, "{ours} against {expected}");
}

const NO_MARKET: &str = "underlying|indexPrice\nUSDT|1";
const SPOT: &str = "underlying|indexPrice\nBTC|90000\nUSDT|1";

#[test]
fn positions_of_deribit_are_worth_their_mark_in_coins_and_imply_their_volatility() {
    let (book, findings) = read(
        "instrument_name|kind|direction|size|average_price|average_price_usd|mark_price|index_price|floating_profit_loss|total_profit_loss|initial_margin|maintenance_margin|delta|gamma|vega|theta|underlying_price|leverage\n\
         BTC-27MAR26-90000-C|option|buy|2|0.08|7200|0.095|89900|0.03|0.03|0|0|1.1|0|0|0|90500|\n\
         BTC-27MAR26-80000-P|option|sell|-3|0.03|2700|0.035|89900|-0.01|-0.01|0.5|0.4|0.8|0|0|0|90500|0",
        NO_MARKET,
    );
    let [call, put] = [&book.positions[1], &book.positions[0]];
    assert_eq!((call.quantity, put.quantity), (2.0, -3.0));
    assert_eq!((call.unrealised_pnl, call.pnl_known), (2.0 * 0.095, true));
    assert_eq!(put.unrealised_pnl, -3.0 * 0.035);
    assert_eq!((call.entry_price, call.leverage), (Some(0.08), None));
    let instrument = &book.instruments[call.instrument];
    assert_eq!((instrument.kind, instrument.payoff), (ContractKind::Option, Payoff::Inverse));
    assert_eq!((instrument.settle.as_str(), instrument.expiry.as_deref()), ("BTC", Some("2026-03-27")));
    let terms = instrument.option.unwrap();
    assert_eq!((terms.right, terms.strike.0), (OptionRight::Call, 90_000.0));
    let quote = &book.quotes[call.instrument];
    near(quote.years, YEARS, 1e-15);
    assert_eq!(quote.forward, Some(90_500.0));
    near(option_value(&book, call.instrument, 1.0, quote.implied_volatility.unwrap()), 0.095, 1e-12);
    assert_eq!(book.underlyings[0].index_price, Some(89_900.0));
    assert!(has(&findings, "volatility_implied"));
    assert_eq!(notional(&book, call, 1.2), 2.0);
}

#[test]
fn positions_of_okx_count_contracts_and_need_their_size() {
    let head = "instId|instType|mgnMode|posSide|pos|avgPx|markPx|upl|lever|optVal|deltaBS|notionalUsd|idxPx|fwdPx|markVol|uTime";
    let row = "BTC-USD-260327-90000-C|OPTION|cross|net|-50|0.08|0.095|-0.0075||-0.0475|-0.3|45000|89900|90500|0.6|1769414400000";
    let (book, _) = read(&format!("{head}|ctVal\n{row}|0.01"), NO_MARKET);
    let held = &book.positions[0];
    assert_eq!(held.quantity, -0.5);
    near(held.unrealised_pnl, -0.0475, 1e-15);
    assert_eq!(book.instruments[0].payoff, Payoff::Inverse);
    let refused = refused(&format!("{head}\n{row}"), NO_MARKET);
    assert_eq!(refused, [("unit_unknown", Some(2), "pos".to_owned())]);
}

#[test]
fn positions_of_bybit_binance_derive_and_paradex_are_linear_in_coins() {
    for (name, settle, text) in [
        (
            "bybit",
            "USDC",
            "symbol|category|positionIdx|side|size|avgPrice|markPrice|positionValue|unrealisedPnl|leverage|forward|markIv\nBTC-27MAR26-90000-C|option|0|Buy|2|8000|8600|17200|1200||90500|0.6",
        ),
        (
            "bybit in usdt",
            "USDT",
            "symbol|category|positionIdx|side|size|avgPrice|markPrice|positionValue|unrealisedPnl|forward|markIv\nBTC-27MAR26-90000-C-USDT|option|0|Buy|2|8000|8600|17200|1200|90500|60%",
        ),
        (
            "binance",
            "USDT",
            "symbol|side|quantity|entryPrice|markPrice|markValue|unrealizedPNL|strikePrice|expiryDate|positionCost|optionSide|quoteAsset|forward|markIV\nBTC-260327-90000-C|LONG|2|8000|8600|17200|1200|90000|1774598400000|16000|CALL|USDT|90500|0.6",
        ),
        (
            "derive",
            "USDC",
            "instrument_name|instrument_type|amount|average_price|mark_price|index_price|unrealized_pnl|forward_price|iv\nBTC-20260327-90000-C|option|2|8000|8600|89900|1200|90500|0.6",
        ),
        (
            "paradex",
            "USDC",
            "symbol|side|size|average_entry_price|mark_price|forward|mark_iv\nBTC-USD-27MAR26-90000-C|LONG|2|8000|8600|90500|0.6",
        ),
    ] {
        let (book, _) = read(text, SPOT);
        let held = &book.positions[0];
        assert_eq!((held.quantity, held.unrealised_pnl), (2.0, 17_200.0), "{name}");
        let instrument = &book.instruments[0];
        assert_eq!((instrument.settle.as_str(), instrument.payoff), (settle, Payoff::Linear), "{name}");
        assert_eq!(book.quotes[0].implied_volatility, Some(0.6), "{name}");
        near(notional(&book, held, 1.1), 2.0 * 90_500.0 * 1.1, 1e-9);
    }
}

const LINEAR: &str = "symbol|size|forward|markIv|markPrice\n";
const SYMBOL: &str = "BTC_USDC-27MAR26-90000-C";

#[test]
fn an_option_follows_its_forward_at_its_own_volatility_and_does_not_move_at_a_ratio_of_one() {
    // discounted where the rulebook discounts; in the coin the value is over the moved forward
    for (rulebook, symbol, rate, coin) in [
        ("hyperliquid", SYMBOL, 0.0, false),
        ("hyperliquid", "BTC/USD:BTC-260327-90000-C", 0.0, true),
        ("derive-pm2", SYMBOL, 0.05, false),
    ] {
        let positions = table(&format!("symbol|size|forward|markIv|rate\n{symbol}|-2|90500|0.6|5%"));
        let market = table(SPOT);
        let input = Input { positions: Some(&positions), market: Some(&market), ..Input::default() };
        let options = Options { as_of: Some(AS_OF.into()), partial: false, rebook: false };
        let outcome = build(&input, &rules(rulebook), &options);
        assert!(has(&outcome.findings, "mark_computed"));
        let book = outcome.book.expect("a book without errors");
        let held = &book.positions[0];
        assert_eq!(pnl_of_move(&book, held, 1.0), 0.0);
        let worth = |forward: f64| {
            let total = 0.6 * YEARS.sqrt();
            let black = crossmargin_engine::pricing::value(OptionRight::Call, forward, 90_000.0, total);
            black.unwrap() * (-rate * YEARS).exp() / (if coin { forward } else { 1.0 })
        };
        near(held.mark_price, worth(90_500.0), 1e-12 * held.mark_price);
        near(pnl_of_move(&book, held, 1.1), -2.0 * (worth(90_500.0 * 1.1) - worth(90_500.0)), 1e-9);
    }
}

#[test]
fn two_rows_of_one_currency_must_agree_about_what_counts() {
    let positions = format!("{LINEAR}{SYMBOL}|2|90500|0.6|9000");
    for column in ["initialRate", "confidence", "inScan"] {
        let collateral = format!("currency|cash|{column}\nUSDC|1000|0\nUSDC|1000|1");
        let outcome = outcome(&positions, &collateral, SPOT, Some(AS_OF));
        assert_eq!(errors(&outcome), [("balances_disagree", Some(3), "currency")], "{column}");
    }
}

#[test]
fn the_part_of_a_forward_that_settlement_has_fixed_does_not_move() {
    let text = "symbol|size|forwardFixed|forwardVariable|markIv|secondsToExpiry\nBTC_USDC-27MAR26-90000-C|1|60000|31000|0.6|0";
    let (book, _) = read(text, SPOT);
    let quote = &book.quotes[0];
    assert_eq!((quote.forward, quote.forward_fixed, quote.years), (Some(91_000.0), 60_000.0, 0.0));
    assert_eq!(book.positions[0].unrealised_pnl, 1_000.0);
    near(pnl_of_move(&book, &book.positions[0], 1.1), 3_100.0, 1e-9);
    let apart = format!("symbol|size|forward|forwardFixed|markIv\n{SYMBOL}|1|90000|95000|0.6");
    assert_eq!(refused(&apart, SPOT), [("forward_fixed_too_large", Some(2), "forwardFixed".to_owned())]);
}

#[test]
fn a_forward_comes_from_the_row_the_market_another_option_or_a_future_and_never_from_the_index() {
    let bare = format!("symbol|size|markIv|markPrice\n{SYMBOL}|1|0.6|");
    assert_eq!(refused(&bare, SPOT), [("forward_missing", Some(2), "forward".to_owned())]);
    let forward = |positions: &str, market: &str| {
        let (book, _) = read(positions, market);
        let place = book.instruments.iter().position(|i| i.symbol == SYMBOL).unwrap();
        book.quotes[place].forward.unwrap()
    };
    let by_symbol = format!(
        "symbol|underlying|expiry|forward|indexPrice\n{SYMBOL}|||91000|\n|BTC|2026-03-27|92000|\n|BTC|||90000\nUSDT||||1"
    );
    assert_eq!(forward(&bare, &by_symbol), 91_000.0);
    let by_expiry = "underlying|expiry|forward|rate|forwardConfidence|rateConfidence|indexPrice|openInterest|confidence\nBTC|2026-03-27T08:00:00Z|92000|0.03|0.9|0.8||\nBTC|2026-06-26|99000|||||\nBTC|||||||90000|5000|0.7\nUSDT||||||1||";
    let (book, _) = read(&bare, &by_expiry.replace("BTC|||||||90000|5000|0.7", "BTC||||||90000|5000|0.7"));
    let quote = &book.quotes[0];
    assert_eq!((quote.forward, quote.rate, quote.forward_confidence), (Some(92_000.0), 0.03, Some(0.8)));
    let coin = &book.underlyings[0];
    assert_eq!(
        (coin.index_price, coin.open_interest, coin.confidence),
        (Some(90_000.0), Some(5_000.0), Some(0.7))
    );
    let by_option =
        format!("symbol|size|markIv|forward\n{SYMBOL}|1|0.6|\nBTC_USDC-27MAR26-95000-C|1|0.6|90700");
    assert_eq!(forward(&by_option, SPOT), 90_700.0);
    let by_future = format!(
        "symbol|size|markIv|markPrice|leverage|entryPrice\n{SYMBOL}|1|0.6|||\nBTC_USDC-27MAR26|1||90800|5|90000"
    );
    assert_eq!(forward(&by_future, SPOT), 90_800.0);
}

#[test]
fn forwards_of_one_expiry_that_are_apart_are_a_warning_and_each_option_keeps_its_own() {
    let text = format!("{LINEAR}{SYMBOL}|1|90500|0.6|\nBTC_USDC-27MAR26-95000-C|1|90700|0.6|");
    let (book, findings) = read(&text, SPOT);
    assert_eq!((book.quotes[0].forward, book.quotes[1].forward), (Some(90_500.0), Some(90_700.0)));
    assert!(has(&findings, "forwards_apart"));
    let close = text.replace("90700", "90550");
    assert!(!has(&read(&close, SPOT).1, "forwards_apart"));
}

#[test]
fn rows_of_one_option_that_quote_it_differently_are_a_warning() {
    let text = format!("account|{LINEAR}a|{SYMBOL}|1|90500|0.6|\nb|{SYMBOL}|1|90500|0.62|");
    let collateral = "account|currency|cash\na|USDC|1000\nb|USDC|1000";
    let outcome = outcome(&text, collateral, SPOT, Some(AS_OF));
    assert!(has(&outcome.findings, "quotes_differ"));
    assert_eq!(outcome.book.unwrap().quotes[0].implied_volatility, Some(0.6));
}

#[test]
fn without_a_time_a_forward_or_a_volatility_an_option_is_refused() {
    let option = format!("symbol|size|forward|markIv\n{SYMBOL}|1|90500|0.6");
    let collateral = "currency|cash\nUSDC|1000";
    let missing = outcome(&option, collateral, SPOT, None);
    assert_eq!(errors(&missing), [("as_of_missing", Some(2), "expiry")]);
    assert!(missing.book.is_err());
    let unread = outcome(&option, collateral, SPOT, Some("end of day"));
    assert_eq!(errors(&unread), [("as_of_missing", Some(2), "expiry")]);
    let late = outcome(&option, collateral, SPOT, Some("2026-03-27T08:00:00Z"));
    assert_eq!(errors(&late), [("expired", Some(2), "expiry")]);
    let message = &late.findings.iter().find(|f| f.code == "expired").unwrap().message;
    assert!(message.contains("2026-03-27") && message.contains("2026-03-27T08:00:00Z"), "{message}");
    let seconds = format!("symbol|size|forward|markIv|secondsToExpiry\n{SYMBOL}|1|90500|0.6|-1");
    assert_eq!(errors(&outcome(&seconds, collateral, SPOT, None)), [("expired", Some(2), "expiry")]);
    let stamped = format!("symbol|size|forward|markIv|timestamp\n{SYMBOL}|1|90500|0.6|1769414400000");
    let stamped = outcome(&stamped, collateral, SPOT, None).book.unwrap();
    near(stamped.quotes[0].years, YEARS, 1e-15);
    assert_eq!(
        refused(&format!("symbol|size|forward\n{SYMBOL}|1|90500"), SPOT),
        [("volatility_missing", Some(2), "markIv".to_owned())]
    );
    assert_eq!(
        refused(&format!("symbol|size|forward|markPrice\n{SYMBOL}|1|90500|400"), SPOT),
        [("volatility_missing", Some(2), "markIv".to_owned())]
    );
}

#[test]
fn a_dollar_mark_of_a_coin_settled_option_is_refused_and_a_deep_put_is_not() {
    let coin = |row: &str| format!("symbol|venue|size|forward|markIv|markPrice\n{row}");
    assert_eq!(
        refused(&coin("BTC-27MAR26-90000-C|deribit|1|90500|0.6|8600"), SPOT),
        [("mark_in_quote_currency", Some(2), "markPrice".to_owned())]
    );
    let (book, _) = read(&coin("BTC-27MAR26-300000-P|deribit|1|90500|0.6|2.3149"), SPOT);
    near(book.positions[0].unrealised_pnl, 2.3149, 1e-15);
}

#[test]
fn a_mark_that_its_volatility_does_not_explain_is_a_warning() {
    let row = |mark: &str| format!("{LINEAR}{SYMBOL}|1|90500|0.6|{mark}");
    assert!(!has(&read(&row("9000"), SPOT).1, "mark_and_volatility_disagree"));
    assert!(has(&read(&row("9900"), SPOT).1, "mark_and_volatility_disagree"));
}

#[test]
fn equity_holds_option_values_and_cash_does_not() {
    let positions = format!("{LINEAR}{SYMBOL}|2|90500|0.6|9000\nBTC_USDC-27MAR26-80000-P|-1|90500|0.6|4500");
    let cash = |collateral: &str| {
        let outcome = outcome(&positions, collateral, SPOT, Some(AS_OF));
        outcome.book.unwrap().pools[0].balances[0].cash
    };
    assert_eq!(cash("currency|cash\nUSDC|50000"), 50_000.0);
    assert_eq!(cash("currency|equity\nUSDC|50000"), 50_000.0 - 2.0 * 9_000.0 + 4_500.0);
}

#[test]
fn funding_due_is_part_of_the_result_of_a_perpetual_and_other_columns_reach_the_book() {
    let positions = "symbol|size|entryPrice|markPrice|leverage|unrealizedFunding|fundingRate|confidence\nBTC|1|90000|90100|10|-7|0.0001|0.95";
    let collateral = "currency|cash|collateralRate|initialRate|confidence|inScan\nUSDC|1000|0.95|0.9|0.8|no";
    let market = "underlying|indexPrice\nBTC|90000\nUSDC|0.98";
    let outcome = outcome(positions, collateral, market, None);
    let book = outcome.book.unwrap();
    assert_eq!(book.positions[0].unrealised_pnl, 93.0);
    let quote = &book.quotes[0];
    assert_eq!(
        (quote.forward, quote.funding_rate, quote.confidence),
        (Some(90_100.0), Some(1e-4), Some(0.95))
    );
    let balance = &book.pools[0].balances[0];
    assert_eq!(
        (balance.initial_rate, balance.confidence, balance.in_scan),
        (Some(0.9), Some(0.8), Some(false))
    );
    let usdc = book.currencies.iter().find(|currency| currency.code == "USDC").unwrap();
    assert_eq!((usdc.peg, usdc.price[0]), (Some(0.98), Some(1.0)));
}

#[test]
fn an_order_on_an_option_is_priced_from_the_market_table() {
    let positions = format!("{LINEAR}{SYMBOL}|2|90500|0.6|9000");
    let orders = table(
        "symbol|side|amount|price\nBTC_USDC-27MAR26-95000-C|sell|1|6000\nBTC_USDC-26JUN26-95000-C|buy|1|6000",
    );
    let (positions, collateral) = (table(&positions), table("currency|cash\nUSDC|1000"));
    let market = table(
        "symbol|underlying|indexPrice|markIv\nBTC_USDC-27MAR26-95000-C|||0.55\n|BTC|90000|\nBTC_USDC-26JUN26-95000-C|||0.5",
    );
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        orders: Some(&orders),
        ..Input::default()
    };
    let options = Options { as_of: Some(AS_OF.into()), partial: true, rebook: false };
    let outcome = build(&input, &rules("hyperliquid"), &options);
    assert_eq!(errors(&outcome), [("forward_missing", Some(3), "forward")]);
    let book = outcome.book.unwrap();
    let order = &book.pools[0].orders[0];
    assert_eq!((order.quantity, order.price, book.pools[0].orders.len()), (-1.0, 6_000.0, 1));
    assert_eq!(book.quotes[order.instrument].forward, Some(90_500.0));
}

#[test]
fn no_order_of_rows_is_observable() {
    let head = "symbol|size|forward|markIv|markPrice\n";
    let rows = [
        format!("{SYMBOL}|1|90500|0.6|9000"),
        format!("{SYMBOL}|1|90500||9000"),
        format!("{SYMBOL}|1|90600|0.61|9000"),
        "BTC_USDC-27MAR26-95000-C|1||0.6|".to_owned(),
    ];
    let mut books = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 2, 0]] {
        let text: Vec<&str> = order.iter().map(|place| rows[*place].as_str()).collect();
        let (book, _) = read(&format!("{head}{}", text.join("\n")), SPOT);
        books.push((book.quotes, book.positions.iter().map(|p| p.unrealised_pnl).collect::<Vec<_>>()));
    }
    assert!(books.windows(2).all(|pair| pair[0] == pair[1]), "{books:?}");
}
