//! Symbols of options: what a venue's name of one says about it.

use super::date;
use super::symbol::{Doubt, Form, Parsed, inverse, okx, perpetual};
use crate::instrument::{ContractKind, OptionRight, OptionTerms, Strike};

/// Reads the symbol of an option; `None` if no strike with C or P after it stands in the symbol.
pub(super) fn parse(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    let parts: Vec<&str> = upper.split(['-', '_', ':']).collect();
    let tail = |pair: &[&str]| match pair {
        [text, word] => Some(OptionTerms { right: right(word)?, strike: strike(text)? }),
        _ => None,
    };
    let found = parts.windows(2).filter_map(tail).next_back().filter(|_| parts.len() >= 3)?;
    let contract = ccxt(upper).or_else(|| dashed(upper, venue)).unwrap_or_else(|| {
        // the coin is a guess, the strike and the right are not
        let base = parts.first().copied().unwrap_or(upper);
        let expiry = parts.iter().find_map(|part| expiry(part));
        Parsed { doubt: Some(Doubt::Separators), expiry, ..perpetual(base, None, Form::Coin) }
    });
    Some(Parsed { kind: ContractKind::Option, option: Some(found), ..contract })
}

/// Whether a symbol is written like that of an option.
pub(crate) fn is_option_symbol(symbol: &str) -> bool {
    parse(&symbol.trim().to_uppercase(), None).is_some()
}

/// C or P, or the whole word.
pub(super) fn right(word: &str) -> Option<OptionRight> {
    match word {
        "C" | "CALL" => Some(OptionRight::Call),
        "P" | "PUT" => Some(OptionRight::Put),
        _ => None,
    }
}

/// Digits with a point, or with the `d` that stands for one (`0d5`).
fn strike(text: &str) -> Option<Strike> {
    let digits = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'D'));
    text.replace('D', ".").parse().ok().filter(|_| digits).map(Strike)
}

fn expiry(text: &str) -> Option<String> {
    date::compact(text).or_else(|| date::named(text))
}

/// `BTC/USD:BTC-260327-90000-C`.
fn ccxt(upper: &str) -> Option<Parsed> {
    let (base, rest) = upper.split_once('/')?;
    let (quote, rest) = rest.split_once(':')?;
    let mut parts = rest.split('-');
    let (settle, date) = (parts.next()?, expiry(parts.next()?)?);
    if base.is_empty() || quote.is_empty() || settle.is_empty() {
        return None;
    }
    let contract =
        if settle == base { inverse(base, Form::Ccxt) } else { perpetual(base, Some(settle), Form::Ccxt) };
    Some(Parsed { expiry: Some(date), ..contract })
}

/// Deribit, OKX, Bybit, Binance, Derive and Paradex.
fn dashed(upper: &str, venue: Option<&str>) -> Option<Parsed> {
    let mut parts: Vec<&str> = upper.split('-').collect();
    // Bybit writes the currency last: `BTC-27MAR26-90000-C-USDT`
    let last = parts.pop()?;
    let settle = if right(last).is_none() { Some(last) } else { None };
    if settle.is_some() {
        right(parts.pop()?)?;
    }
    strike(parts.pop()?)?;
    let date = parts.pop()?;
    let date_is_named = date::named(date).is_some();
    let days = expiry(date)?;
    let contract = match (parts.as_slice(), date_is_named) {
        ([base], _) if let Some(settle) = settle => perpetual(base, Some(settle), Form::Joined),
        ([pair], true) => deribit_or_bybit(pair, venue)?,
        // Binance writes two digits of the year, Derive four
        ([base], false) if date.len() == 6 => perpetual(base, Some("USDT"), Form::Joined),
        ([base], false) => perpetual(base, Some("USDC"), Form::Joined),
        ([base, quote], false) => okx(base, quote),
        ([base, "USD"], true) => perpetual(base, Some("USDC"), Form::Joined),
        ([base, quote], true) => perpetual(base, Some(quote), Form::Joined),
        _ => return None,
    };
    (!contract.underlying.is_empty()).then_some(Parsed { expiry: Some(days), ..contract })
}

/// Deribit's `BTC-27MAR26-90000-C` is settled in the coin, Bybit's of the same name in USDC.
fn deribit_or_bybit(pair: &str, venue: Option<&str>) -> Option<Parsed> {
    if let Some((base, quote)) = pair.split_once('_') {
        return Some(perpetual(base, Some(quote), Form::Deribit));
    }
    if venue == Some("bybit") {
        return Some(perpetual(pair, Some("USDC"), Form::Joined));
    }
    let doubt = venue.is_none().then_some(Doubt::Payoff);
    Some(Parsed { doubt, ..inverse(pair, Form::Deribit) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::Payoff;

    #[test]
    fn symbols_of_every_venue_say_coin_settlement_expiry_strike_and_right() {
        for (symbol, venue, coin, settle, payoff, form) in [
            ("BTC-27MAR26-90000-C", Some("deribit"), "BTC", Some("BTC"), Payoff::Inverse, Form::Deribit),
            ("BTC_USDC-27MAR26-90000-C", None, "BTC", Some("USDC"), Payoff::Linear, Form::Deribit),
            ("BTC-USD-260327-90000-C", Some("okx"), "BTC", Some("BTC"), Payoff::Inverse, Form::Okx),
            ("BTC-27MAR26-90000-C", Some("bybit"), "BTC", Some("USDC"), Payoff::Linear, Form::Joined),
            ("BTC-27MAR26-90000-C-USDT", None, "BTC", Some("USDT"), Payoff::Linear, Form::Joined),
            ("BTC-260327-90000-C", None, "BTC", Some("USDT"), Payoff::Linear, Form::Joined),
            ("BTC-20260327-90000-C", None, "BTC", Some("USDC"), Payoff::Linear, Form::Joined),
            ("BTC-USD-27MAR26-90000-C", None, "BTC", Some("USDC"), Payoff::Linear, Form::Joined),
            ("BTC/USD:BTC-260327-90000-C", None, "BTC", Some("BTC"), Payoff::Inverse, Form::Ccxt),
            ("BTC/USDC:USDC-260327-90000-C", None, "BTC", Some("USDC"), Payoff::Linear, Form::Ccxt),
        ] {
            let parsed = parse(symbol, venue).unwrap();
            assert_eq!((parsed.underlying.as_str(), parsed.settle.as_deref()), (coin, settle), "{symbol}");
            assert_eq!((parsed.payoff, parsed.form, parsed.doubt), (payoff, form, None), "{symbol}");
            assert_eq!(parsed.expiry.as_deref(), Some("2026-03-27"), "{symbol}");
            assert_eq!(parsed.kind, ContractKind::Option);
            let terms = OptionTerms { strike: Strike(90_000.0), right: OptionRight::Call };
            assert_eq!(parsed.option, Some(terms), "{symbol}");
        }
    }

    #[test]
    fn a_strike_may_have_decimals_and_a_name_of_two_venues_is_doubted() {
        let half = parse("XRP_USDC-27MAR26-0D5-P", None).unwrap();
        assert_eq!(half.option, Some(OptionTerms { strike: Strike(0.5), right: OptionRight::Put }));
        let doubted = parse("BTC-27MAR26-90000-C", None).unwrap();
        assert_eq!((doubted.payoff, doubted.doubt), (Payoff::Inverse, Some(Doubt::Payoff)));
        let odd = parse("MY-BOOK-90000-C", None).unwrap();
        assert_eq!((odd.expiry, odd.doubt), (None, Some(Doubt::Separators)));
        for symbol in ["BTC-27MAR26", "BTC-USDT-SWAP", "BTCUSDT", "A-C", "1000-P"] {
            assert_eq!(parse(symbol, None), None, "{symbol}");
        }
    }
}
