//! What the header of a history's column means.

use super::{Factor, FactorKind};

/// The meaning of a header.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// The bar's date.
    Date,
    /// The coin of the row.
    Symbol,
    /// What of a bar is not its close.
    Ignored,
    /// Traded volume of the row's coin.
    Volume,
    /// A factor of the row's coin.
    OfRow(FactorKind),
    /// A factor of a coin that the header names.
    Named(Factor),
}

const DATES: [&str; 9] =
    ["date", "day", "time", "timestamp", "datetime", "opentimeutc", "snapshotutc", "opentime", "closetime"];
const SYMBOLS: [&str; 8] =
    ["symbol", "coin", "currency", "underlying", "asset", "pair", "ticker", "instrument"];
const PRICES: [&str; 12] = [
    "close",
    "price",
    "closeusd",
    "closeprice",
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
const REST: [&str; 9] = [
    "open",
    "high",
    "low",
    "volumeusdtapprox",
    "repaired",
    "volumepartial",
    "trades",
    "quotevolume",
    "source",
];
const VOLATILITY: [&str; 6] = ["vol", "iv", "volatility", "impliedvol", "impliedvolatility", "atmvol"];

/// Reads a header; of `by_row` tables words without a coin are about the row's coin.
pub(super) fn meaning(header: &str) -> Meaning {
    let plain: String = header.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let is = |list: &[&str]| list.contains(&plain.as_str());
    if is(&DATES) {
        return Meaning::Date;
    }
    if is(&SYMBOLS) {
        return Meaning::Symbol;
    }
    if is(&PRICES) {
        return Meaning::OfRow(FactorKind::Price);
    }
    if is(&VOLUMES) {
        return Meaning::Volume;
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
        (false, false, None) => {
            // a contract or a pair is the price of its coin
            let coin = crate::tables::coin_of(header);
            return coin.map_or(Meaning::Ignored, |coin| Meaning::Named(Factor::price(&coin)));
        }
        _ => return Meaning::Ignored,
    };
    match coin {
        Some(coin) => Meaning::Named(Factor { coin: coin.to_uppercase(), kind }),
        None => Meaning::OfRow(kind),
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
            ("close", Meaning::OfRow(FactorKind::Price)),
            ("index_usd", Meaning::OfRow(FactorKind::Price)),
            ("volume_base", Meaning::Volume),
            ("open", Meaning::Ignored),
            ("atm_iv_30d", Meaning::OfRow(FactorKind::Volatility { days: 30.0 })),
            ("basis_annual_90d", Meaning::OfRow(FactorKind::Basis { days: 90.0 })),
            ("rr25_7d", Meaning::Ignored),
            ("BTC", Meaning::Named(Factor::price("BTC"))),
            ("BTCUSDT", Meaning::Named(Factor::price("BTC"))),
            ("ETH-USD", Meaning::Named(Factor::price("ETH"))),
            ("USDC", Meaning::Named(Factor::price("USDC"))),
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
