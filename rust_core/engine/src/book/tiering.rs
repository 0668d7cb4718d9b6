//! Finds the maintenance table of every position: the row's own, the list's, or an assumed one (decisions.md 4).

use std::collections::BTreeMap;

use super::TableOrigin;
use crate::error::Result;
use crate::instrument::{ContractKind, Instrument};
use crate::rulebook::{ListKey, Measure, Rulebook, TierTable};
use crate::tables::{Brackets, TierSource};

/// The tables in use, each once.
#[derive(Debug, Default)]
pub(super) struct Tiering {
    pub(super) tables: Vec<TierTable>,
    by_key: BTreeMap<(usize, String), usize>,
    given: BTreeMap<String, TierTable>,
    /// Published cumulative amounts that differ from ours: (row, symbol, published, computed).
    pub(super) differences: Vec<(usize, String, f64, f64)>,
}

/// What a row says about its initial margin, from which a maintenance rate may be assumed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InitialRate {
    /// Rate of the row, a fraction.
    pub(super) rate: Option<f64>,
    /// Leverage of the row.
    pub(super) leverage: Option<f64>,
}

/// Why a row has no table.
#[derive(Debug)]
pub(super) enum NoTable {
    /// It names one that the rulebook does not have.
    Unknown(String),
    /// Nothing is given and nothing can be assumed.
    Nothing,
}

impl Tiering {
    /// Takes the bracket tables given with the book; the cumulative amounts are computed.
    ///
    /// # Errors
    ///
    /// A table whose floors do not rise, with the symbol.
    pub(super) fn with_given(brackets: &Brackets) -> Result<Self> {
        let mut tiering = Self::default();
        let mut rows: BTreeMap<String, Vec<&crate::tables::BracketRow>> = BTreeMap::new();
        for bracket in &brackets.rows {
            rows.entry(bracket.symbol.to_uppercase()).or_default().push(bracket);
        }
        for (symbol, mut brackets) in rows {
            brackets.sort_by(|a, b| a.floor.total_cmp(&b.floor).then(a.row.cmp(&b.row)));
            let floors: Vec<f64> = brackets.iter().map(|b| b.floor).collect();
            let rates: Vec<f64> = brackets.iter().map(|b| b.maintenance_rate).collect();
            let leverages: Vec<Option<f64>> = brackets.iter().map(|b| b.max_leverage).collect();
            let table = TierTable::new(&symbol, &floors, &rates, &leverages)?;
            for (bracket, row) in table.brackets.iter().zip(&brackets) {
                if let Some(published) = row.amount
                    && (published - bracket.amount).abs() > 1e-6 * bracket.amount.abs().max(1.0)
                {
                    tiering.differences.push((row.row, row.symbol.clone(), published, bracket.amount));
                }
            }
            tiering.given.insert(symbol, table);
        }
        Ok(tiering)
    }

    fn intern(&mut self, rulebook: usize, key: &str, table: impl FnOnce() -> TierTable) -> usize {
        if let Some(index) = self.by_key.get(&(rulebook, key.to_owned())) {
            return *index;
        }
        let index = self.tables.len();
        self.tables.push(table());
        self.by_key.insert((rulebook, key.to_owned()), index);
        index
    }

    /// The table of one row.
    pub(super) fn table_of(
        &mut self,
        rulebook: (usize, &Rulebook),
        instrument: &Instrument,
        source: &TierSource,
        initial: InitialRate,
    ) -> std::result::Result<(usize, TableOrigin), NoTable> {
        let (number, rules) = rulebook;
        if instrument.kind == ContractKind::Option || !matches!(rules.measure, Measure::Tiers { .. }) {
            return Ok((self.intern(number, "none", TierTable::absent), TableOrigin::None));
        }
        match source {
            TierSource::Table(name) => {
                if let Some(table) = self.given.get(&name.to_uppercase()).cloned() {
                    return Ok((self.given_table(number, table), TableOrigin::Row));
                }
                let index = rules.table_named(name).ok_or_else(|| NoTable::Unknown(name.clone()))?;
                Ok((self.listed(number, rules, index), TableOrigin::Row))
            }
            TierSource::Rate { rate, amount } => {
                let key = format!("rate {rate} amount {amount}");
                let single = || TierTable::single(format!("{rate}"), *rate, *amount, None);
                Ok((self.intern(number, &key, single), TableOrigin::Rate))
            }
            TierSource::Rulebook | TierSource::ReportedRate { .. } => {
                if let Some(table) = self.given_for(rules, instrument) {
                    return Ok((self.given_table(number, table), TableOrigin::Listed));
                }
                if let Some(index) = rules.table_listed(instrument) {
                    return Ok((self.listed(number, rules, index), TableOrigin::Listed));
                }
                let rates = rules.profile(&instrument.underlying, instrument.payoff);
                if rates.is_some_and(|profile| profile.delta_one.is_some()) {
                    return Ok((self.intern(number, "none", TierTable::absent), TableOrigin::None));
                }
                if let TierSource::ReportedRate { rate } = source {
                    let own = TierSource::Rate { rate: *rate, amount: 0.0 };
                    return self.table_of(rulebook, instrument, &own, initial);
                }
                match (rules.assumed_share_of_initial, initial.rate, initial.leverage) {
                    (Some(share), Some(rate), _) => {
                        let name = format!("assumed from an initial rate of {rate}");
                        let single = || TierTable::single(name.clone(), share * rate, 0.0, None);
                        Ok((self.intern(number, &name, single), TableOrigin::Assumed))
                    }
                    (Some(share), None, Some(leverage)) => {
                        let name = format!("assumed from {leverage}x");
                        let single =
                            || TierTable::single(name.clone(), share / leverage, 0.0, Some(leverage));
                        Ok((self.intern(number, &name, single), TableOrigin::Assumed))
                    }
                    _ => Err(NoTable::Nothing),
                }
            }
        }
    }

    /// The pasted brackets of a contract, found as the rulebook's own list is.
    fn given_for(&self, rules: &Rulebook, instrument: &Instrument) -> Option<TierTable> {
        let given = |name: &str| self.given.get(&name.to_uppercase()).cloned();
        let perpetual = instrument.kind == ContractKind::Perpetual;
        given(&instrument.symbol)
            .or_else(|| {
                perpetual.then(|| given(&format!("{}{}", instrument.underlying, instrument.settle)))?
            })
            .or_else(|| (rules.list_key == ListKey::Underlying).then(|| given(&instrument.underlying))?)
    }

    fn given_table(&mut self, number: usize, table: TierTable) -> usize {
        let key = format!("given {}", table.name);
        self.intern(number, &key, || table)
    }

    fn listed(&mut self, number: usize, rules: &Rulebook, index: usize) -> usize {
        let Some((table, _)) = rules.tables.get(index) else { return 0 };
        self.intern(number, &format!("rulebook {}", table.name), || table.clone())
    }
}
