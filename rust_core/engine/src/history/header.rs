//! What the header of a history's column means.

use super::{Factor, FactorKind};

/// The meaning of a header.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// The bar's date.
    Date,
    /// The coin of the row.
    Symbol,
    /// The expiry that the row is about.
    Expiry,
    /// What of a bar is not its close.
    Ignored,
    /// Traded volume of the row's coin.
    Volume,
    /// A factor of the row's coin.
    OfRow(FactorKind),
    /// A factor of the row's coin in points: hundredths of what is meant.
    InPoints(FactorKind),
    /// A factor of a coin that the header names.
    Named(Factor),
}

/// The maturity of an index of implied volatility such as DVOL, days.
const INDEX_DAYS: f64 = 30.0;

const DATES: [&str; 11] = [
    "date",
    "day",
    "time",
    "timestamp",
    "datetime",
    "opentimeutc",
    "snapshotutc",
    "opentime",
    "closetime",
    "timeutc",
    "dateutc",
];
const SYMBOLS: [&str; 8] =
    ["symbol", "coin", "currency", "underlying", "asset", "pair", "ticker", "instrument"];
const PRICES: [&str; 13] = [
    "close",
    "price",
    "closeusd",
    "closeprice",
    "priceclose",
    "adjclose",
    "last",
    "markprice",
    "mark",
    "indexusd",
    "index",
    "indexprice",
    "closeusdt",
];
const VOLUMES: [&str; 5] = ["volume", "volumebase", "volumeusd", "volumecoin", "volumebtc"];
/// What stands beside closes and is none of them, as whole headers.
const REST: [&str; 26] = [
    "open",
    "high",
    "low",
    "volumeusdtapprox",
    "repaired",
    "volumepartial",
    "trades",
    "quotevolume",
    "source",
    "venue",
    "exchange",
    "rank",
    "id",
    "name",
    "note",
    "change",
    "marketcap",
    "vwap",
    "forward",
    "returns",
    "oi",
    "openinterest",
    "funding",
    "liquidation",
    "liquidations",
    "basis",
];
/// Words that a price column may have beside its coin.
const OF_A_PRICE: [&str; 8] = ["price", "close", "last", "mark", "index", "spot", "perp", "perpetual"];
/// What a price may be quoted in; alone such a word is the coin itself.
const QUOTED_IN: [&str; 3] = ["usd", "usdt", "usdc"];
const VOLATILITY: [&str; 6] = ["vol", "iv", "volatility", "impliedvol", "impliedvolatility", "atmvol"];

/// Reads a header; in tables with a row per symbol words without a coin are about the row's coin.
pub(super) fn meaning(header: &str) -> Meaning {
    let plain: String = header.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let is = |list: &[&str]| list.contains(&plain.as_str());
    if is(&DATES) {
        return Meaning::Date;
    }
    if is(&SYMBOLS) {
        return Meaning::Symbol;
    }
    if plain.starts_with("expir") {
        return Meaning::Expiry;
    }
    if is(&PRICES) {
        return Meaning::OfRow(FactorKind::Price);
    }
    if is(&VOLUMES) {
        return Meaning::Volume;
    }
    if plain == "dvol" || plain == "dvolclose" {
        return Meaning::InPoints(FactorKind::Volatility { days: INDEX_DAYS });
    }
    if is(&REST) || plain.is_empty() {
        return Meaning::Ignored;
    }
    let words: Vec<String> = header
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let days =
        words.iter().find_map(|word| word.strip_suffix('d').and_then(|number| number.parse::<f64>().ok()));
    let volatility = words.iter().any(|word| VOLATILITY.contains(&word.as_str()));
    let basis = words.iter().any(|word| word == "basis");
    let coin = words.iter().find(|word| {
        let number = word.strip_suffix('d').is_some_and(|rest| rest.parse::<f64>().is_ok());
        !number
            && !VOLATILITY.contains(&word.as_str())
            && !["basis", "annual", "atm", "price", "close", "rr25", "usd", "usdt"].contains(&word.as_str())
    });
    let skewed = words.iter().any(|word| word.starts_with("rr") || word.starts_with("bf"));
    if skewed {
        return Meaning::Ignored;
    }
    let kind = match (volatility, basis, days) {
        (true, false, Some(days)) => FactorKind::Volatility { days },
        (false, true, Some(days)) => FactorKind::Basis { days },
        (false, false, None) => return priced(header),
        _ => return Meaning::Ignored,
    };
    match coin {
        Some(coin) => Meaning::Named(Factor { coin: coin.to_uppercase(), kind }),
        None => Meaning::OfRow(kind),
    }
}

/// A contract, a pair or a coin is the price of its coin; several words are only where the others are known.
fn priced(header: &str) -> Meaning {
    let is = |list: &[&str], word: &str| list.contains(&word.to_lowercase().as_str());
    let words: Vec<&str> =
        header.split(|c: char| c.is_whitespace() || c == '_').filter(|word| !word.is_empty()).collect();
    // price_usd is a price in dollars, usdt_price that of a coin
    if let [first, rest @ ..] = words.as_slice()
        && is(&OF_A_PRICE, first)
        && !rest.is_empty()
        && rest.iter().all(|word| is(&QUOTED_IN, word))
    {
        return Meaning::OfRow(FactorKind::Price);
    }
    let mut own: Vec<&str> = words.into_iter().filter(|word| !is(&OF_A_PRICE, word)).collect();
    if own.len() > 1 {
        own.retain(|word| !is(&QUOTED_IN, word));
    }
    match own.as_slice() {
        [symbol] if !is(&REST, symbol) => crate::tables::coin_of(symbol)
            .map_or(Meaning::Ignored, |coin| Meaning::Named(Factor::price(&coin))),
        _ => Meaning::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_public_histories_are_understood() {
        let cases = [
            ("date", Meaning::Date),
            ("snapshot_utc", Meaning::Date),
            ("symbol", Meaning::Symbol),
            ("expiry", Meaning::Expiry),
            ("close", Meaning::OfRow(FactorKind::Price)),
            ("price_close", Meaning::OfRow(FactorKind::Price)),
            ("index_usd", Meaning::OfRow(FactorKind::Price)),
            ("volume_base", Meaning::Volume),
            ("open", Meaning::Ignored),
            ("price_open", Meaning::Ignored),
            ("forward_usd", Meaning::Ignored),
            ("funding_rate_8h_mean", Meaning::Ignored),
            ("liquidation_long_usd", Meaning::Ignored),
            ("dvol_close", Meaning::InPoints(FactorKind::Volatility { days: 30.0 })),
            ("atm_iv_30d", Meaning::OfRow(FactorKind::Volatility { days: 30.0 })),
            ("basis_annual_90d", Meaning::OfRow(FactorKind::Basis { days: 90.0 })),
            ("rr25_7d", Meaning::Ignored),
            ("BTC", Meaning::Named(Factor::price("BTC"))),
            ("BTC close", Meaning::Named(Factor::price("BTC"))),
            ("BTCUSDT", Meaning::Named(Factor::price("BTC"))),
            ("ETH-USD", Meaning::Named(Factor::price("ETH"))),
            ("USDC", Meaning::Named(Factor::price("USDC"))),
            ("price_usd", Meaning::OfRow(FactorKind::Price)),
            ("usdt close", Meaning::Named(Factor::price("USDT"))),
            ("BTC usd", Meaning::Named(Factor::price("BTC"))),
            (
                "BTC vol 30d",
                Meaning::Named(Factor { coin: "BTC".into(), kind: FactorKind::Volatility { days: 30.0 } }),
            ),
            (
                "ETH basis 7d",
                Meaning::Named(Factor { coin: "ETH".into(), kind: FactorKind::Basis { days: 7.0 } }),
            ),
        ];
        for (header, expected) in cases {
            assert_eq!(meaning(header), expected, "{header}");
        }
    }
}
