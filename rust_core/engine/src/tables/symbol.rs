//! Symbols: what a venue's name of a contract says about it.

use super::{date, option_symbol};
use crate::instrument::{ContractKind, OptionTerms, Payoff};
use serde::Deserialize;
use std::sync::OnceLock;

/// How a symbol is written, which decides the unit of its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `BTCUSDT`, `BTCPERP`, `BTCUSDT-27MAR26`: quantity in coins, in USD for inverse ones.
    Joined,
    /// `BTCUSD_PERP`, `BTCUSD_260327`: inverse, quantity in contracts of 100 or 10 USD.
    BinanceCoin,
    /// `BTC/USDT:USDT`: quantity in contracts.
    Ccxt,
    /// `BTC-PERPETUAL`, `BTC_USDC-27MAR26`: quantity in USD (inverse) or coins.
    Deribit,
    /// `BTC-USDT-SWAP`: quantity in contracts.
    Okx,
    /// `BTC_USDT`: quantity in contracts.
    Gate,
    /// `ETH`, `kPEPE`, `xyz:AAPL`: quantity in coins.
    Coin,
}

/// What a symbol says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) underlying: String,
    /// `None`: the rulebook's default.
    pub(super) settle: Option<String>,
    pub(super) kind: ContractKind,
    pub(super) payoff: Payoff,
    pub(super) expiry: Option<String>,
    /// Strike and right, of an option.
    pub(super) option: Option<OptionTerms>,
    pub(super) form: Form,
    /// What another reading could be, if there is one.
    pub(super) doubt: Option<Doubt>,
}

/// Why a reading may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// `BTCUSD` or `BTC-27MAR26` where the venue is unknown: coin-margined on one, linear on another.
    Payoff,
    /// `BTC-USDT` or `BTC_USDT` where the venue is unknown: spot on one, a perpetual on another.
    Kind,
    /// Has separators that no known form explains.
    Separators,
}

/// Why a symbol is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSymbol {
    Unreadable,
    Total,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolWords {
    quotes: Vec<String>,
    coin_quotes: Vec<String>,
    coin_quote_venues: Vec<String>,
    coins: Vec<String>,
    totals: Vec<String>,
}

fn words() -> &'static SymbolWords {
    static WORDS: OnceLock<SymbolWords> = OnceLock::new();
    WORDS.get_or_init(|| toml::from_str(include_str!("symbols.toml")).unwrap_or_default())
}

/// Whether a word names a row that sums the others.
pub(super) fn is_total(text: &str) -> bool {
    let joined: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    words().totals.contains(&joined)
}

/// The name of a coin: upper case, except for the `k` of `kPEPE` and names with a prefix such as `xyz:AAPL`.
pub(super) fn coin_name(text: &str) -> String {
    let thousand = text.strip_prefix('k').is_some_and(|rest| {
        rest.len() > 1 && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    });
    if thousand || text.contains(':') { text.to_owned() } else { text.to_uppercase() }
}

/// The coin that a symbol or the name of a coin is about; `None` for what is no symbol.
pub(crate) fn coin_of(text: &str) -> Option<String> {
    parse(text, None).ok().map(|parsed| parsed.underlying)
}

/// Reads a symbol.
pub(super) fn parse(symbol: &str, venue: Option<&str>) -> Result<Parsed, NoSymbol> {
    let symbol = symbol.trim();
    if !symbol.chars().any(char::is_alphanumeric) {
        return Err(NoSymbol::Unreadable);
    }
    if is_total(symbol) {
        return Err(NoSymbol::Total);
    }
    let upper = symbol.to_uppercase();
    if let Some(option) = option_symbol::parse(&upper, venue) {
        return Ok(option);
    }
    let parsed = if venue == Some("hyperliquid") { hyperliquid(symbol) } else { None };
    Ok(parsed
        .or_else(|| ccxt(&upper, venue))
        .or_else(|| dashed(&upper, venue))
        .or_else(|| underscored(&upper, venue))
        .or_else(|| joined(&upper, venue))
        .unwrap_or_else(|| {
            let separators = upper.contains(['-', '_', '/']) && venue != Some("hyperliquid");
            Parsed {
                doubt: separators.then_some(Doubt::Separators),
                ..perpetual(&coin_name(symbol), None, Form::Coin)
            }
        }))
}

/// A linear perpetual.
pub(super) fn perpetual(underlying: &str, settle: Option<&str>, form: Form) -> Parsed {
    Parsed {
        underlying: underlying.to_owned(),
        settle: settle.map(str::to_owned),
        kind: ContractKind::Perpetual,
        payoff: Payoff::Linear,
        expiry: None,
        option: None,
        form,
        doubt: None,
    }
}

/// An inverse perpetual.
pub(super) fn inverse(underlying: &str, form: Form) -> Parsed {
    Parsed { payoff: Payoff::Inverse, ..perpetual(underlying, Some(underlying), form) }
}

impl Parsed {
    fn dated(self, expiry: Option<String>) -> Self {
        match expiry {
            Some(_) => Self { kind: ContractKind::Future, expiry, ..self },
            None => self,
        }
    }

    fn spot(self) -> Self {
        Self { kind: ContractKind::Spot, payoff: Payoff::Linear, ..self }
    }

    fn doubted(self, doubt: Doubt, doubted: bool) -> Self {
        Self { doubt: doubted.then_some(doubt), ..self }
    }
}

fn hyperliquid(symbol: &str) -> Option<Parsed> {
    if let Some((base, quote)) = symbol.split_once('/') {
        if quote.contains(':') {
            return None; // ccxt's name of the same contract
        }
        return Some(perpetual(&coin_name(base), Some(&coin_name(quote)), Form::Coin).spot());
    }
    let coin = perpetual(&coin_name(symbol), None, Form::Coin);
    Some(if symbol.starts_with('@') { coin.spot() } else { coin })
}

/// `BTC/USDT`, `BTC/USDT:USDT`, `BTC/USD:BTC-260327`.
fn ccxt(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    let (base, rest) = upper.split_once('/')?;
    let Some((quote, rest)) = rest.split_once(':') else {
        let known = is_quote(rest) || venue == Some("ccxt");
        return known
            .then(|| perpetual(base, Some(rest), Form::Ccxt).spot().doubted(Doubt::Kind, venue.is_none()));
    };
    let (settle, date) = rest.split_once('-').map_or((rest, None), |(s, d)| (s, Some(d)));
    let expiry = date.map(date::compact);
    if quote.is_empty() || settle.is_empty() || matches!(expiry, Some(None)) {
        return None;
    }
    let contract = if settle == base && quote != settle {
        inverse(base, Form::Ccxt)
    } else {
        perpetual(base, Some(settle), Form::Ccxt)
    };
    Some(contract.dated(expiry.flatten()))
}

/// Deribit, OKX, Bybit's dated contracts, and `BTC-PERP`.
fn dashed(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    let parts: Vec<&str> = upper.split('-').collect();
    match parts.as_slice() {
        [base, quote, "SWAP"] => Some(okx(base, quote)),
        [base, quote, last] if is_quote(quote) && date::compact(last).is_some() => {
            Some(okx(base, quote).dated(date::compact(last)))
        }
        [base, _, "PERP"] => Some(perpetual(base, None, Form::Coin)),
        [base, "PERP"] => Some(perpetual(base, None, Form::Coin)),
        [pair, last] => {
            let expiry = date::named(last);
            if *last == "PERPETUAL" || expiry.is_some() {
                return deribit_or_bybit(pair, expiry, venue);
            }
            let spot = || perpetual(pair, Some(last), Form::Coin).spot();
            is_quote(last).then(|| spot().doubted(Doubt::Kind, venue.is_none()))
        }
        _ => None,
    }
}

/// OKX settles what is quoted in USD in the coin.
pub(super) fn okx(base: &str, quote: &str) -> Parsed {
    if quote == "USD" { inverse(base, Form::Okx) } else { perpetual(base, Some(quote), Form::Okx) }
}

fn deribit_or_bybit(pair: &str, expiry: Option<String>, venue: Option<&str>) -> Option<Parsed> {
    if let Some((base, quote)) = pair.split_once('_') {
        return Some(perpetual(base, Some(quote), Form::Deribit).dated(expiry));
    }
    if let (Some((base, quote)), Some(_)) = (split_quote(pair, venue), &expiry) {
        return Some(perpetual(base, Some(quote), Form::Joined).dated(expiry));
    }
    if pair.is_empty() {
        return None;
    }
    // Bybit's `BTC-27MAR26` is linear in USDC, Deribit's the same name is inverse.
    if venue == Some("bybit") {
        return Some(perpetual(pair, Some("USDC"), Form::Joined).dated(expiry));
    }
    let doubted = expiry.is_some() && venue.is_none();
    Some(inverse(pair, Form::Deribit).dated(expiry).doubted(Doubt::Payoff, doubted))
}

/// Binance's dated and coin-margined contracts, Deribit's and Gate's pairs.
fn underscored(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    let (pair, last) = upper.split_once('_')?;
    let expiry = date::compact(last);
    if last == "PERP" || expiry.is_some() {
        let (base, quote) = split_quote(pair, venue)?;
        return Some(match quote {
            "USD" => inverse(base, Form::BinanceCoin).dated(expiry),
            _ => perpetual(base, Some(quote), Form::Joined).dated(expiry),
        });
    }
    if pair.is_empty() || !(is_quote(last) || words().coin_quotes.iter().any(|q| q == last)) {
        return None;
    }
    match (venue, last) {
        (Some("deribit"), _) => Some(perpetual(pair, Some(last), Form::Deribit).spot()),
        (_, "USD") => Some(inverse(pair, Form::Gate).doubted(Doubt::Payoff, true)),
        _ => Some(perpetual(pair, Some(last), Form::Gate).doubted(Doubt::Kind, true)),
    }
}

/// `BTCUSDT`, `BTCUSD`, `BTCPERP`, Bybit's `BTCUSDH26`.
fn joined(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    if upper.contains(['-', '_', '/', ':']) || words().coins.iter().any(|coin| coin == upper) {
        return None;
    }
    if let Some(base) = upper.strip_suffix("PERP").filter(|base| !base.is_empty()) {
        return Some(perpetual(base, Some("USDC"), Form::Joined));
    }
    if venue == Some("bybit")
        && let Some((pair, code)) = upper.split_at_checked(upper.len().saturating_sub(3))
        && let (Some(base), Some(expiry)) = (pair.strip_suffix("USD"), date::quarter(code))
    {
        return Some(inverse(base, Form::Joined).dated(Some(expiry)));
    }
    let (base, quote) = split_quote(upper, venue)?;
    Some(match quote {
        // Bybit's and BitMEX's name of the inverse perpetual.
        "USD" => inverse(base, Form::Joined).doubted(Doubt::Payoff, venue != Some("bybit")),
        _ => perpetual(base, Some(quote), Form::Joined),
    })
}

fn is_quote(word: &str) -> bool {
    words().quotes.iter().any(|quote| quote == word)
}

/// Splits `BTCUSDT` into coin and quote currency.
fn split_quote<'s>(joined: &'s str, venue: Option<&str>) -> Option<(&'s str, &'s str)> {
    let list = words();
    let in_coins = venue.is_some_and(|v| list.coin_quote_venues.iter().any(|known| known == v));
    let quotes = list.quotes.iter().chain(list.coin_quotes.iter().filter(|_| in_coins));
    let longest = quotes.filter(|q| joined.ends_with(q.as_str())).map(String::len).max()?;
    joined.split_at_checked(joined.len().checked_sub(longest)?).filter(|(base, _)| !base.is_empty())
}
