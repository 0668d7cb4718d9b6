use super::super::{IsolatedMargin, Leg, MarginMode, TierSource, read_positions};
use super::{defaults, errors, table};
use crate::instrument::Payoff;

#[test]
fn a_hyperliquid_book_is_understood_as_it_is() {
    let read = read_positions(
        &table(
            "coin|side|size|entry_price|mark_price|position_value|unrealized_pnl|leverage|margin_used|margin_table|liquidation_price|cumulative_funding|liquidation_price_withheld\n\
             ETH|SHORT|-20|3100|3200|64000|-2000|15|4266.67|25/15@100M|5028.5|-64|0\n\
             ASTER|SHORT|-3000|0.73|0.72|2160|30|3|720|5||-9|1\n\
             kPEPE|LONG|1000|0.006|0.0061|6.1|0.1|10|0.61|10/5@3M||0|1",
        ),
        &defaults(),
    );
    assert_eq!(errors(&read.findings), []);
    assert_eq!(read.venue, Some("hyperliquid"));
    let first = &read.rows[0];
    assert_eq!((first.quantity, first.leg, first.mode), (-20.0, Leg::Net, MarginMode::Cross));
    assert_eq!((first.unrealised_pnl, first.leverage), (Some(-2000.0), Some(15.0)));
    assert_eq!((first.reported.notional, first.reported.liquidation_price), (Some(64000.0), Some(5028.5)));
    assert_eq!(first.reported.initial_margin, Some(4266.67));
    assert_eq!(read.rows[1].tier, TierSource::Table("5".into()));
    assert_eq!(read.rows[1].reported.liquidation_price, None);
    assert_eq!(read.instruments[2].underlying, "kPEPE");
    assert!(read.units.iter().all(|unit| unit.read_as == "coin"));
    let ignored: Vec<&str> =
        (read.columns.iter().filter(|c| c.understood_as == "ignored")).map(|c| c.header.as_str()).collect();
    assert_eq!(ignored, ["cumulative_funding", "liquidation_price_withheld"]);
}

#[test]
fn a_hyperliquid_state_keeps_its_nested_leverage() {
    let read = read_positions(
        &table(
            "type|position.coin|position.szi|position.leverage.type|position.leverage.value|position.entryPx|position.positionValue|position.unrealizedPnl|position.marginUsed\n\
             oneWay|ETH|-2|isolated|20|3000|6100|-100|250",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("hyperliquid"), vec![]));
    assert_eq!(read.rows[0].mode, MarginMode::Isolated(IsolatedMargin::Equity(250.0)));
    assert_eq!(read.rows[0].leverage, Some(20.0));
    let nested =
        read_positions(&table("coin|szi|leverage\nETH|-2|{'type': 'cross', 'value': 20}"), &defaults());
    assert_eq!((nested.rows[0].leverage, nested.rows[0].mode), (Some(20.0), MarginMode::Cross));
}

#[test]
fn a_binance_position_risk_is_understood_with_its_legs_and_isolated_wallet() {
    let read = read_positions(
        &table(
            "symbol|positionSide|positionAmt|entryPrice|breakEvenPrice|markPrice|unRealizedProfit|liquidationPrice|isolatedMargin|notional|marginAsset|isolatedWallet|initialMargin|maintMargin|positionInitialMargin|openOrderInitialMargin|adl|bidNotional|askNotional|updateTime\n\
             ADAUSDT|BOTH|30|0.6|0.61|0.6|0|0|0|18|USDT|0|18|0.4|18|0|2|0|0|1720736417660\n\
             BTCUSDT|LONG|1|60000|60010|61000|1000|30000|0|61000|USDT|0|6100|244|6100|0|2|0|0|1720736417661\n\
             BTCUSDT|SHORT|-2|62000|61990|61000|2000|0|0|-122000|USDT|0|12200|488|12200|0|2|0|0|1720736417661\n\
             ETHUSDT|BOTH|-3|2000|2001|2000|0|2400|600|-6000|USDT|600|600|30|600|0|2|0|0|1720736417661\n\
             XRPUSDT|BOTH|0|0.0|0.0|0|0|0|0|0|USDT|0|0|0|0|0|0|0|0|0",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("binance"), vec![]));
    assert_eq!(
        read.rows.iter().map(|r| (r.leg, r.quantity)).collect::<Vec<_>>(),
        [(Leg::Net, 30.0), (Leg::Long, 1.0), (Leg::Short, -2.0), (Leg::Net, -3.0)]
    );
    assert_eq!(read.rows[2].reported.notional, Some(122_000.0));
    assert_eq!(read.rows[2].reported.maintenance_margin, Some(488.0));
    assert_eq!(read.rows[0].reported.liquidation_price, None);
    assert_eq!(read.rows[3].mode, MarginMode::Isolated(IsolatedMargin::Cash(600.0)));
    assert_eq!(read.rows[1].mode, MarginMode::Cross);
    assert_eq!(read.rows[1].entry_price, Some(60000.0));
    assert_eq!(read.timestamp.as_deref(), Some("1720736417661"));
    assert!(read.instruments.iter().all(|i| i.settle == "USDT"));
    let second = read.columns.iter().find(|c| c.header == "breakEvenPrice").unwrap();
    assert_eq!(
        (second.understood_as.as_str(), second.note.as_str()),
        ("ignored", "'entryPrice' is used for entryPrice")
    );
}

#[test]
fn binance_coin_contracts_are_counted_by_their_notional() {
    let read = read_positions(
        &table(
            "symbol|positionAmt|entryPrice|markPrice|unRealizedProfit|notionalValue|positionSide\nBTCUSD_PERP|-10|50000|50000|0|-0.02|BOTH\nETHUSD_PERP|10|2500|2500|0||BOTH",
        ),
        &defaults(),
    );
    assert_eq!(read.rows[0].quantity, -1000.0);
    assert_eq!(errors(&read.findings), [("unit_unknown", Some(3))]);
}

#[test]
fn okx_positions_are_contracts() {
    let read = read_positions(
        &table(
            "instId|instType|mgnMode|posSide|pos|posCcy|avgPx|markPx|upl|lever|liqPx|imr|mmr|margin|notionalUsd|uTime|ccy\n\
             BTC-USDT-SWAP|SWAP|cross|net|-300||99000|100000|-3000|10|130000|30000|1200||300120|1720736417660|USDT\n\
             BTC-USD-SWAP|SWAP|isolated|long|50||100000|100000|0|10|90000|0.005|0.0002|0.005|5000|1720736417660|BTC",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("okx"), vec![]));
    assert_eq!((read.rows[0].quantity, read.rows[0].leg), (-3.0, Leg::Net));
    assert_eq!((read.rows[1].quantity, read.rows[1].leg), (5000.0, Leg::Long));
    assert_eq!(read.rows[1].mode, MarginMode::Isolated(IsolatedMargin::Cash(0.005)));
    assert_eq!(read.rows[1].reported.notional, Some(0.05));
    assert_eq!(read.units[0].read_as, "contracts");
    assert_eq!(read.instruments[1].payoff, Payoff::Inverse);
}

#[test]
fn deribit_positions_are_usd_or_coins() {
    let read = read_positions(
        &table(
            "instrument_name|kind|direction|size|size_currency|average_price|mark_price|index_price|floating_profit_loss|total_profit_loss|initial_margin|maintenance_margin|leverage|delta|settlement_price|estimated_liquidation_price\n\
             BTC-PERPETUAL|future|sell|-10000|-0.1|100000|100000|99990|0.001|0.002|0.002|0.001|50|-0.1|100000|\n\
             BTC_USDC-PERPETUAL|future|buy|0.5|0.5|100000|100000|99990|12|12|1000|500|50|0.5|100000|\n\
             ETH-PERPETUAL|future|zero|0|0|0|2500|2500|0|0|0|0|50|0|2500|",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("deribit"), vec![]));
    assert_eq!(read.rows.iter().map(|r| r.quantity).collect::<Vec<_>>(), [-10000.0, 0.5]);
    assert_eq!(read.units.iter().map(|u| u.read_as).collect::<Vec<_>>(), ["USD", "coin"]);
    // What is not booked yet, not what has been earned since the position was opened.
    assert_eq!(read.rows[0].unrealised_pnl, Some(0.001));
}

#[test]
fn bybit_positions_are_coins_or_usd() {
    let read = read_positions(
        &table(
            "symbol|side|size|positionIdx|avgPrice|markPrice|positionValue|unrealisedPnl|leverage|liqPrice|positionIM|positionMM|tradeMode|positionBalance|updatedTime|adlRankIndicator\n\
             BTCUSDT|Sell|0.5|0|99000|100000|49500|-500|10||5000|250|0|5000|1720736417660|2\n\
             BTCUSD|Buy|20000|0|100000|100000|0.2|0|5|80000|0.04|0.001|1|0.04|1720736417660|2",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("bybit"), vec![]));
    assert_eq!(read.rows.iter().map(|r| r.quantity).collect::<Vec<_>>(), [-0.5, 20000.0]);
    assert_eq!(read.rows[0].mode, MarginMode::Cross);
    assert_eq!(read.rows[1].mode, MarginMode::Isolated(IsolatedMargin::Cash(0.04)));
    assert_eq!(read.units.iter().map(|u| u.read_as).collect::<Vec<_>>(), ["coin", "USD"]);
}

#[test]
fn ccxt_positions_are_contracts_with_a_side() {
    let read = read_positions(
        &table(
            "info|id|symbol|timestamp|datetime|hedged|side|contracts|contractSize|entryPrice|markPrice|notional|leverage|collateral|initialMargin|maintenanceMargin|initialMarginPercentage|maintenanceMarginPercentage|unrealizedPnl|liquidationPrice|marginMode|percentage|marginRatio\n\
             {}||BTC/USDT:USDT|1720736417660|2024-07-11T22:20:17.660Z|false|short|3|0.01|99000|100000|3000|10|300|300|12|0.1|0.004|-30|130000|isolated|-1|0.04",
        ),
        &defaults(),
    );
    assert_eq!((read.venue, errors(&read.findings)), (Some("ccxt"), vec![]));
    let row = &read.rows[0];
    assert!((row.quantity + 0.03).abs() < 1e-15);
    assert_eq!(row.mode, MarginMode::Isolated(IsolatedMargin::Equity(300.0)));
    assert_eq!(row.initial_rate, Some(0.1));
    assert_eq!(row.tier, TierSource::ReportedRate { rate: 0.004 });
}

#[test]
fn okx_positions_with_a_trade_id_and_a_realised_profit_are_no_history() {
    let read = read_positions(
        &table(
            "instId|pos|avgPx|markPx|realizedPnl|pnl|fee|tradeId|notionalUsd|upl\nBTC-USDT-SWAP|1|1e5|1e5|3|4|-1|99|1000|2",
        ),
        &defaults(),
    );
    assert_eq!(errors(&read.findings), []);
    assert_eq!(read.rows[0].unrealised_pnl, Some(2.0));
}
