use super::super::read_positions;
use super::{defaults, table};
use crate::instrument::{ContractKind, Instrument, Payoff};

use ContractKind::{Future, Perpetual, Spot};
use Payoff::{Inverse, Linear};

/// Headers that make a table the export of a venue.
fn header(venue: &str) -> &'static str {
    match venue {
        "binance" => "symbol|positionAmt|unRealizedProfit|contractSize",
        "okx" => "instId|pos|avgPx|ctVal",
        "deribit" => "instrument_name|size|floating_profit_loss|contract_size",
        "bybit" => "symbol|size|positionIdx|contractSize",
        "hyperliquid" => "coin|szi|positionValue|contractSize",
        "ccxt" => "symbol|contracts|unrealizedPnl|contractSize|entryPrice",
        _ => "symbol|qty|remark|contractSize",
    }
}

fn instrument(venue: &str, symbol: &str) -> Instrument {
    let read = read_positions(&table(&format!("{}\n{symbol}|1||1", header(venue))), &defaults());
    assert_eq!(read.venue.unwrap_or("any"), venue);
    read.instruments.into_iter().next().unwrap_or_else(|| panic!("{symbol}: {:?}", read.findings))
}

#[test]
fn every_venues_symbols_are_read() {
    let day = Some("2026-03-27");
    for (venue, symbol, underlying, settle, kind, payoff, expiry) in [
        ("binance", "BTCUSDT", "BTC", "USDT", Perpetual, Linear, None),
        ("binance", "BTCUSDC", "BTC", "USDC", Perpetual, Linear, None),
        ("binance", "ETHBTC", "ETH", "BTC", Perpetual, Linear, None),
        ("binance", "1000PEPEUSDT", "1000PEPE", "USDT", Perpetual, Linear, None),
        ("binance", "BTCUSD_PERP", "BTC", "BTC", Perpetual, Inverse, None),
        ("binance", "BTCUSDT_260327", "BTC", "USDT", Future, Linear, day),
        ("binance", "BTCUSD_260327", "BTC", "BTC", Future, Inverse, day),
        ("ccxt", "BTC/USDT:USDT", "BTC", "USDT", Perpetual, Linear, None),
        ("ccxt", "BTC/USD:BTC", "BTC", "BTC", Perpetual, Inverse, None),
        ("ccxt", "BTC/USDT:USDT-260327", "BTC", "USDT", Future, Linear, day),
        ("ccxt", "BTC/USD:BTC-260327", "BTC", "BTC", Future, Inverse, day),
        ("ccxt", "BTC/USDT", "BTC", "USDT", Spot, Linear, None),
        ("deribit", "BTC-PERPETUAL", "BTC", "BTC", Perpetual, Inverse, None),
        ("deribit", "BTC-27MAR26", "BTC", "BTC", Future, Inverse, day),
        ("deribit", "BTC_USDC-PERPETUAL", "BTC", "USDC", Perpetual, Linear, None),
        ("deribit", "BTC_USDC-27MAR26", "BTC", "USDC", Future, Linear, day),
        ("deribit", "BTC_USDC", "BTC", "USDC", Spot, Linear, None),
        ("okx", "BTC-USDT-SWAP", "BTC", "USDT", Perpetual, Linear, None),
        ("okx", "BTC-USD-SWAP", "BTC", "BTC", Perpetual, Inverse, None),
        ("okx", "BTC-USDT-260327", "BTC", "USDT", Future, Linear, day),
        ("okx", "BTC-USD-260327", "BTC", "BTC", Future, Inverse, day),
        ("okx", "BTC-USDT", "BTC", "USDT", Spot, Linear, None),
        ("bybit", "BTCUSDT", "BTC", "USDT", Perpetual, Linear, None),
        ("bybit", "BTCPERP", "BTC", "USDC", Perpetual, Linear, None),
        ("bybit", "BTCUSD", "BTC", "BTC", Perpetual, Inverse, None),
        ("bybit", "BTCUSDH26", "BTC", "BTC", Future, Inverse, day),
        ("bybit", "BTC-27MAR26", "BTC", "USDC", Future, Linear, day),
        ("bybit", "BTCUSDT-27MAR26", "BTC", "USDT", Future, Linear, day),
        ("hyperliquid", "ETH", "ETH", "USDC", Perpetual, Linear, None),
        ("hyperliquid", "kPEPE", "kPEPE", "USDC", Perpetual, Linear, None),
        ("hyperliquid", "xyz:AAPL", "xyz:AAPL", "USDC", Perpetual, Linear, None),
        ("hyperliquid", "PURR/USDC", "PURR", "USDC", Spot, Linear, None),
        ("any", "btc", "BTC", "USDC", Perpetual, Linear, None),
        ("any", "WBTC", "WBTC", "USDC", Perpetual, Linear, None),
        ("any", "FDUSD", "FDUSD", "USDC", Perpetual, Linear, None),
        ("any", "ETH-PERP", "ETH", "USDC", Perpetual, Linear, None),
    ] {
        let expected = Instrument {
            symbol: symbol.into(),
            underlying: underlying.into(),
            settle: settle.into(),
            kind,
            payoff,
            expiry: expiry.map(str::to_owned),
            expiry_instant: None,
            option: None,
        };
        assert_eq!(instrument(venue, symbol), expected, "{venue} {symbol}");
    }
}

#[test]
fn explicit_columns_win_over_the_symbol() {
    let read = |text: &str| read_positions(&table(text), &defaults()).instruments.remove(0);
    let linear = read("symbol|qty|settle\nBTC-27MAR26|1|USDT");
    assert_eq!((linear.settle.as_str(), linear.payoff, linear.kind), ("USDT", Linear, Future));
    let inverse = read("symbol|qty|inverse|type\nBTCUSDT|1|yes|swap");
    assert_eq!((inverse.settle.as_str(), inverse.payoff), ("BTC", Inverse));
    let dated = read("symbol|qty|expiry|underlying\nmy future|1|2026-03-27|eth");
    assert_eq!(
        (dated.underlying.as_str(), dated.kind, dated.expiry.as_deref()),
        ("ETH", Future, Some("2026-03-27"))
    );
    let perpetual = read("instrument_name|size|kind|floating_profit_loss\nBTC-PERPETUAL|10|future|0");
    assert_eq!(perpetual.kind, Perpetual);
    let spot = read("symbol|qty|type\nBTCUSDT|1|spot");
    assert_eq!((spot.kind, spot.settle.as_str()), (Spot, "USDT"));
}

#[test]
fn a_symbol_that_venues_read_differently_is_a_warning_unless_columns_explain_it() {
    let codes = |text: &str| -> Vec<&'static str> {
        read_positions(&table(text), &defaults()).findings.iter().map(|f| f.code).collect()
    };
    assert_eq!(codes("symbol|qty\nBTC-27MAR26|1"), ["payoff_assumed"]);
    assert_eq!(codes("symbol|qty|settle\nBTC-27MAR26|1|USDC"), Vec::<&str>::new());
    assert_eq!(codes("symbol|qty\nBTC-USDT|1"), ["kind_assumed"]);
    assert_eq!(codes("symbol|qty|type\nBTC-USDT|1|spot"), Vec::<&str>::new());
    assert_eq!(codes("symbol|qty\nmy-thing|1"), ["symbol_not_understood"]);
    assert_eq!(codes("symbol|qty\nBTC|1"), Vec::<&str>::new());
}

#[test]
fn a_venue_column_says_whose_symbols_a_row_has() {
    let read = read_positions(
        &table(
            "venue|symbol|qty\nBybit|BTC-27MAR26|1\nDeribit|BTC-27MAR26|1\nBinance USDM|ETHBTC|1\nHyperliquid|BTCUSD|1",
        ),
        &defaults(),
    );
    let seen: Vec<_> =
        read.instruments.iter().map(|i| (i.underlying.as_str(), i.settle.as_str(), i.payoff)).collect();
    let expected = [
        ("BTC", "USDC", Linear),
        ("BTC", "BTC", Inverse),
        ("ETH", "BTC", Linear),
        ("BTCUSD", "USDC", Linear),
    ];
    assert_eq!(seen, expected);
    assert_eq!(read.findings, []);
}
