//! The rulebooks that are compiled in.

use std::sync::OnceLock;

use super::{Format, Rulebook, read};
use crate::error::{Error, Result};

const TEXTS: [&str; 8] = [
    include_str!("../../rulebooks/binance-usdm.toml"),
    include_str!("../../rulebooks/custom.toml"),
    include_str!("../../rulebooks/deribit-spm.toml"),
    include_str!("../../rulebooks/derive-pm2.toml"),
    include_str!("../../rulebooks/hyperliquid.toml"),
    include_str!("../../rulebooks/okx-pm.toml"),
    include_str!("../../rulebooks/paradex-pm.toml"),
    include_str!("../../rulebooks/span-16.toml"),
];

fn all() -> &'static Result<Vec<Rulebook>> {
    static ALL: OnceLock<Result<Vec<Rulebook>>> = OnceLock::new();
    ALL.get_or_init(|| TEXTS.iter().map(|text| read(text, Format::Toml)).collect())
}

/// The ids of the built-in rulebooks, in alphabetical order.
///
/// # Errors
///
/// [`Error::Rulebook`] if a built-in file breaks the schema, which a test excludes.
pub fn builtin_ids() -> Result<Vec<&'static str>> {
    match all() {
        Ok(rulebooks) => Ok(rulebooks.iter().map(|rulebook| rulebook.id.as_str()).collect()),
        Err(error) => Err(error.clone()),
    }
}

/// The built-in rulebook with an id; spaces around it and case do not matter.
///
/// # Errors
///
/// [`Error::Unknown`] names the ids that exist.
pub fn builtin(id: &str) -> Result<&'static Rulebook> {
    let rulebooks = all().as_ref().map_err(Clone::clone)?;
    let wanted = id.trim();
    rulebooks
        .iter()
        .find(|rulebook| {
            rulebook.id.eq_ignore_ascii_case(wanted) || rulebook.label().eq_ignore_ascii_case(wanted)
        })
        .ok_or_else(|| Error::Unknown {
            what: "rulebook",
            value: wanted.to_owned(),
            known: rulebooks.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(", "),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rulebook_obeys_its_schema_and_is_listed_in_order() {
        let ids = builtin_ids().unwrap();
        assert!(ids.len() >= 3);
        assert!(ids.is_sorted());
    }

    #[test]
    fn an_unknown_id_names_the_known_ones() {
        let refusal = builtin("deribit-xyz").unwrap_err().to_string();
        assert_eq!(
            refusal,
            "unknown rulebook 'deribit-xyz'; known: binance-usdm, custom, deribit-spm, derive-pm2, hyperliquid, okx-pm, paradex-pm, span-16"
        );
    }

    #[test]
    fn published_cumulative_amounts_of_binance_are_what_we_compute() {
        // fapi/v1/leverageBracket, 2026-03-05: BTCUSDT bracket 12 has the amount 421,482,000
        let rulebook = builtin("binance-usdm").unwrap();
        let table = &rulebook.tables[rulebook.table_named("BTCUSDT").unwrap()].0;
        assert!((table.brackets.last().unwrap().amount - 421_482_000.0).abs() < 1e-6);
    }
}
