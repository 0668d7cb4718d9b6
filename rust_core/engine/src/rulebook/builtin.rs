//! The rulebooks that are compiled in.

use std::sync::OnceLock;

use super::{Format, Rulebook, read};
use crate::error::{Error, Result};

/// Alphabetical by id; of one id the version that the plain id means stands last.
const TEXTS: &[&str] = &[
    include_str!("../../rulebooks/binance-usdm.toml"),
    include_str!("../../rulebooks/bybit-cross.toml"),
    include_str!("../../rulebooks/custom.toml"),
    include_str!("../../rulebooks/deribit-sm.toml"),
    include_str!("../../rulebooks/deribit-spm-2024-06.toml"),
    include_str!("../../rulebooks/deribit-spm-2026-09.toml"),
    include_str!("../../rulebooks/deribit-spm.toml"),
    include_str!("../../rulebooks/derive-pm2.toml"),
    include_str!("../../rulebooks/derive-sm.toml"),
    include_str!("../../rulebooks/dydx-v4.toml"),
    include_str!("../../rulebooks/hyperliquid.toml"),
    include_str!("../../rulebooks/okx-pm.toml"),
    include_str!("../../rulebooks/paradex-cross.toml"),
    include_str!("../../rulebooks/paradex-pm.toml"),
    include_str!("../../rulebooks/span-16.toml"),
];

fn all() -> &'static Result<Vec<Rulebook>> {
    static ALL: OnceLock<Result<Vec<Rulebook>>> = OnceLock::new();
    ALL.get_or_init(|| TEXTS.iter().map(|text| read(text, Format::Toml)).collect())
}

/// The ids of the built-in rulebooks, in alphabetical order, each once whatever its number of versions.
///
/// # Errors
///
/// [`Error::Rulebook`] if a built-in file breaks the schema, which a test excludes.
pub fn builtin_ids() -> Result<Vec<&'static str>> {
    match all() {
        Ok(rulebooks) => {
            let mut ids: Vec<&str> = rulebooks.iter().map(|rulebook| rulebook.id.as_str()).collect();
            ids.dedup();
            Ok(ids)
        }
        Err(error) => Err(error.clone()),
    }
}

/// The built-in rulebook with an id, or with `id@version`; spaces around it and case do not matter.
///
/// Of several versions the plain id names the last of the list.
///
/// # Errors
///
/// [`Error::Unknown`] names the ids that exist.
pub fn builtin(id: &str) -> Result<&'static Rulebook> {
    let rulebooks = all().as_ref().map_err(Clone::clone)?;
    let wanted = id.trim();
    let named = |rulebook: &&Rulebook| {
        rulebook.id.eq_ignore_ascii_case(wanted) || rulebook.label().eq_ignore_ascii_case(wanted)
    };
    if let Some(found) = rulebooks.iter().rev().find(named) {
        return Ok(found);
    }
    let (id, version) = wanted.split_once('@').unwrap_or((wanted, ""));
    let of_id: Vec<&Rulebook> =
        rulebooks.iter().filter(|rulebook| rulebook.id.eq_ignore_ascii_case(id.trim())).collect();
    let known = if version.is_empty() || of_id.is_empty() {
        builtin_ids()?.join(", ")
    } else {
        of_id.iter().map(|rulebook| rulebook.label()).collect::<Vec<_>>().join(", ")
    };
    Err(Error::Unknown { what: "rulebook", value: wanted.to_owned(), known })
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
            "unknown rulebook 'deribit-xyz'; known: binance-usdm, bybit-cross, custom, deribit-sm, deribit-spm, derive-pm2, derive-sm, dydx-v4, hyperliquid, okx-pm, paradex-cross, paradex-pm, span-16"
        );
    }

    #[test]
    fn every_label_is_found_and_no_id_is_listed_twice() {
        for rulebook in all().as_ref().unwrap() {
            assert_eq!(builtin(&rulebook.label()).unwrap().label(), rulebook.label());
        }
        let ids = builtin_ids().unwrap();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_plain_id_means_the_last_of_its_versions() {
        assert_eq!(builtin(" Deribit-SPM ").unwrap().label(), "deribit-spm@2026.02");
        assert_eq!(builtin("deribit-spm@2024.06").unwrap().version, "2024.06");
        let refusal = builtin("deribit-spm@1999").unwrap_err().to_string();
        assert_eq!(
            refusal,
            "unknown rulebook 'deribit-spm@1999'; known: deribit-spm@2024.06, deribit-spm@2026.09, deribit-spm@2026.02"
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
