//! The rulebooks that are compiled in.

use std::sync::OnceLock;

use super::{Format, Rulebook, Status, read};
use crate::error::{Error, Result};

/// In alphabetical order of ids, the versions of one id from old to new.
const TEXTS: &[&str] = &[
    include_str!("../../rulebooks/binance-usdm.toml"),
    include_str!("../../rulebooks/bybit-cross.toml"),
    include_str!("../../rulebooks/custom.toml"),
    include_str!("../../rulebooks/custom-scan.toml"),
    include_str!("../../rulebooks/deribit-sm.toml"),
    include_str!("../../rulebooks/deribit-spm-2024-06.toml"),
    include_str!("../../rulebooks/deribit-spm.toml"),
    include_str!("../../rulebooks/deribit-spm-2026-09.toml"),
    include_str!("../../rulebooks/derive-pm1.toml"),
    include_str!("../../rulebooks/derive-pm2.toml"),
    include_str!("../../rulebooks/derive-sm.toml"),
    include_str!("../../rulebooks/dydx-v4.toml"),
    include_str!("../../rulebooks/es.toml"),
    include_str!("../../rulebooks/hyperliquid.toml"),
    include_str!("../../rulebooks/okx-pm.toml"),
    include_str!("../../rulebooks/paradex-cross.toml"),
    include_str!("../../rulebooks/paradex-pm.toml"),
    include_str!("../../rulebooks/span-16.toml"),
    include_str!("../../rulebooks/var.toml"),
];

fn all() -> &'static Result<Vec<Rulebook>> {
    static ALL: OnceLock<Result<Vec<Rulebook>>> = OnceLock::new();
    ALL.get_or_init(|| TEXTS.iter().map(|text| read(text, Format::Toml)).collect())
}

/// Every built-in rulebook, all versions, in alphabetical order.
///
/// # Errors
///
/// [`Error::Rulebook`] if a built-in file breaks the schema, which a test excludes.
pub fn builtins() -> Result<&'static [Rulebook]> {
    match all() {
        Ok(rulebooks) => Ok(rulebooks),
        Err(error) => Err(error.clone()),
    }
}

/// The ids of the built-in rulebooks, each once, in alphabetical order.
///
/// # Errors
///
/// As [`builtins`].
pub fn builtin_ids() -> Result<Vec<&'static str>> {
    let mut ids: Vec<&str> = builtins()?.iter().map(|rulebook| rulebook.id.as_str()).collect();
    ids.dedup();
    Ok(ids)
}

/// The built-in rulebook with an id or `id@version`; spaces around it and case do not matter.
///
/// An id without a version means its newest version that is not estimated as a whole: numbers at second hand are
/// used only where they are asked for. Where every version is estimated, it is the newest.
///
/// # Errors
///
/// [`Error::Unknown`] names the ids, or the versions of the id, that exist.
pub fn builtin(id: &str) -> Result<&'static Rulebook> {
    let rulebooks = builtins()?;
    let wanted = id.trim();
    if let Some(exact) = rulebooks.iter().find(|rulebook| rulebook.label().eq_ignore_ascii_case(wanted)) {
        return Ok(exact);
    }
    let name = wanted.split_once('@').map_or(wanted, |(name, _)| name);
    let versions: Vec<&Rulebook> =
        rulebooks.iter().filter(|rulebook| rulebook.id.eq_ignore_ascii_case(name)).collect();
    let known = if name.len() < wanted.len() && !versions.is_empty() {
        versions.iter().map(|rulebook| rulebook.label()).collect::<Vec<_>>()
    } else if let Some(newest) = versions.last() {
        let general = |rulebook: &Rulebook| rulebook.sources.first().map(|(_, source)| source.status);
        let founded = versions.iter().rev().find(|rulebook| general(rulebook) != Some(Status::Estimated));
        return Ok(founded.unwrap_or(newest));
    } else {
        builtin_ids()?.into_iter().map(str::to_owned).collect()
    };
    Err(Error::Unknown { what: "rulebook", value: wanted.to_owned(), known: known.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_rulebook_obeys_its_schema_and_is_listed_in_order() {
        let ids = builtin_ids().unwrap();
        assert!(ids.len() >= 8);
        assert!(ids.is_sorted());
        let mut labels: Vec<String> = builtins().unwrap().iter().map(Rulebook::label).collect();
        let all = labels.len();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), all);
    }

    #[test]
    fn an_unknown_id_names_the_known_ones_and_an_unknown_version_the_versions() {
        let refusal = builtin("deribit-xyz").unwrap_err().to_string();
        assert!(
            refusal.starts_with("unknown rulebook 'deribit-xyz'; known: binance-usdm, bybit-cross, custom, "),
            "{refusal}"
        );
        let refusal = builtin("deribit-spm@1999.01").unwrap_err().to_string();
        assert_eq!(
            refusal,
            "unknown rulebook 'deribit-spm@1999.01'; known: deribit-spm@2024.06, deribit-spm@2026.02, deribit-spm@2026.09"
        );
    }

    #[test]
    fn a_plain_id_is_the_newest_version_that_is_not_second_hand() {
        assert_eq!(builtin(" Deribit-SPM ").unwrap().version, "2026.02");
        assert_eq!(builtin("deribit-spm@2026.09").unwrap().version, "2026.09");
        assert_eq!(builtin("deribit-spm@2024.06").unwrap().version, "2024.06");
    }

    #[test]
    fn published_cumulative_amounts_of_binance_are_what_we_compute() {
        // fapi/v1/leverageBracket, 2026-03-05: BTCUSDT bracket 12 has the amount 421,482,000
        let rulebook = builtin("binance-usdm").unwrap();
        let table = &rulebook.tables[rulebook.table_named("BTCUSDT").unwrap()].0;
        assert!((table.brackets.last().unwrap().amount - 421_482_000.0).abs() < 1e-6);
    }
}
