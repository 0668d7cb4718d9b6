//! What is known about currencies: which are stable, which follow another coin.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

const TEXT: &str = include_str!("currencies.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    stable: Vec<String>,
    follows: BTreeMap<String, Vec<String>>,
}

fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| {
        toml::from_str(TEXT).unwrap_or(Facts { stable: Vec::new(), follows: BTreeMap::new() })
    })
}

/// Whether a currency stays where it is on a path of prices.
pub fn is_stable(code: &str) -> bool {
    facts().stable.iter().any(|stable| stable.eq_ignore_ascii_case(code))
}

/// The coin whose price a currency follows: itself, or the coin it is a wrapped or staked form of.
pub fn followed_coin(code: &str) -> String {
    let upper = code.to_uppercase();
    facts()
        .follows
        .iter()
        .find(|(_, forms)| forms.iter().any(|form| form.eq_ignore_ascii_case(&upper)))
        .map_or(upper, |(coin, _)| coin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_read() {
        assert!(is_stable("USDT") && is_stable("usdc") && !is_stable("BTC"));
        assert_eq!(followed_coin("wstETH"), "ETH");
        assert_eq!(followed_coin("btc"), "BTC");
    }
}
