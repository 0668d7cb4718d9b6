//! From a rulebook's text to a checked rulebook.

use std::collections::BTreeMap;

use super::charge::{Charge, ChargeKind, PriceBasis, Stage};
use super::path::segment;
use super::portfolio::{Gains, Profile, Scenario, ScenarioSet, Settlement, Treatment, VolatilityMove};
use super::raw::{RawLevel, RawMeasure, RawRulebook, RawTiers};
use super::raw_tail::RawTail;
use super::tail::Statistic;
use super::{
    Bands, DepegFactor, Discounting, Level, ListKey, MaintenanceOn, Measure, Numeraire, OptionValue,
    OrderRule, OtherCurrencies, PoolRule, RateSlice, RiskUnit, Rulebook, Source, Status, TierTable,
    VenueRatio, tree,
};
use crate::error::{Error, Result};

/// How a rulebook is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML, as the built-in ones and files are.
    Toml,
    /// JSON, as a mapping from Python arrives.
    Json,
}

/// Reads and checks a rulebook.
///
/// # Errors
///
/// [`Error::Rulebook`] names the key at fault: a key that is not in the schema, a number without a
/// source, an unknown word, a table whose floors do not rise.
pub fn read(text: &str, format: Format) -> Result<Rulebook> {
    let tree = tree::parse(text, format)?;
    let id = tree::id_of(&tree);
    let refused = |message: String| Error::Rulebook { id: id.clone(), key: "text".into(), message };
    let text = match format {
        Format::Toml => text.to_owned(),
        Format::Json => toml::to_string(&tree).map_err(|error| refused(error.to_string()))?,
    };
    let raw: RawRulebook = tree.try_into().map_err(|error: toml::de::Error| refused(error.to_string()))?;
    Reader { id: id.clone() }.rulebook(raw, text)
}

pub(super) struct Reader {
    id: String,
}

/// What a rulebook may say that it does not cover.
const REFUSABLE: [&str; 6] = ["option", "future", "spot", "coin_settled", "stable_settled", "orders"];

impl Reader {
    pub(super) fn refuse<T>(&self, key: &str, message: impl Into<String>) -> Result<T> {
        Err(Error::Rulebook { id: self.id.clone(), key: key.into(), message: message.into() })
    }

    fn rulebook(&self, raw: RawRulebook, text: String) -> Result<Rulebook> {
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if raw.id.is_empty() || !raw.id.chars().all(lawful) {
            return self.refuse("id", "ids are lower case letters, digits and hyphens");
        }
        let sources = self.sources(&raw)?;
        let known = |key: &Option<String>, group: &str| -> Result<String> {
            let key = key.clone().unwrap_or_else(|| "general".into());
            if sources.contains_key(&key) {
                Ok(key)
            } else {
                self.refuse(&format!("{group}.source"), format!("no source named '{key}' in [sources]"))
            }
        };
        let measure_source = known(&raw.measure.source, "measure")?;
        let levels_source = known(&raw.levels.source, "levels")?;
        let collateral_source = known(&raw.collateral.source, "collateral")?;
        let tiers_source = known(&raw.tiers.source, "tiers")?;
        let liquidation_source = known(&raw.liquidation.source, "liquidation")?;
        for table in &raw.tiers.tables {
            known(&table.source, &format!("tiers.tables.{}", segment(&table.name)))?;
        }
        let (tables, listed) = self.tables(&raw.tiers, &tiers_source)?;
        let report_currency = raw.report_currency.to_uppercase();
        let mut profiles = self.profiles(&raw.profiles, &known)?;
        if raw.measure.kind == "scan" {
            profiles.push(self.scan_profile(&raw.measure, &measure_source)?);
        }
        if matches!(raw.measure.kind.as_str(), "scan" | "scenarios") {
            let empty = profiles.iter().find(|p| p.scenarios.is_empty() && p.charges.is_empty());
            match empty {
                Some(profile) => {
                    let names = profile.underlyings.join("+");
                    let names = if names.is_empty() { "*" } else { &names };
                    return self.refuse(
                        &format!("profiles.{names}"),
                        "has neither scenarios nor charges; what it holds would need no margin",
                    );
                }
                None if profiles.is_empty() => {
                    return self.refuse("profiles", "is missing; a measure of scenarios needs at least one");
                }
                None => {}
            }
        }
        if matches!(raw.measure.kind.as_str(), "tiers" | "expected_shortfall" | "value_at_risk") {
            for (index, profile) in profiles.iter().enumerate() {
                if let Some(charge) = profile.charges.iter().find(|charge| charge.stage != Stage::Outside) {
                    let key = format!("profiles[{}].charges.{}.stage", index + 1, charge.name);
                    return self
                        .refuse(&key, "must be outside: only scenarios of a profile have other stages");
                }
            }
        }
        if let Some(key) = raw.refusals.keys().find(|key| !REFUSABLE.contains(&key.as_str())) {
            return self.refuse("refusals", format!("'{key}' is none of {}", REFUSABLE.join(", ")));
        }
        Ok(Rulebook {
            pool: self.word(
                "pool.kind",
                raw.pool.kind.as_deref(),
                &[("account", PoolRule::Account), ("account_settle", PoolRule::AccountSettle)],
            )?,
            measure: self.measure(&raw.measure, &raw.tail)?,
            measure_source,
            discounting: self.word(
                "pricing.discounting",
                raw.pricing.discounting.as_deref(),
                &[
                    ("nothing", Discounting::Nothing),
                    ("rate_at_least_zero", Discounting::RateAtLeastZero),
                    ("rate", Discounting::Rate),
                ],
            )?,
            settlement_average_seconds: self.number(
                "pricing.settlement_average_seconds",
                raw.pricing.settlement_average_seconds,
                0.0,
                86_400.0,
            )?,
            profiles,
            credits: self.credits(&raw.credits, &known)?,
            borrowing: self.borrowing(&raw.borrowing, &known)?,
            refusals: raw.refusals.clone(),
            initial: self.level("levels.initial", &raw.levels.initial)?,
            maintenance: self.level("levels.maintenance", &raw.levels.maintenance)?,
            levels_source,
            assumed_share_of_initial: self.optional(
                "tiers.assumed_share_of_initial",
                raw.tiers.assumed_share_of_initial,
                0.0,
                1.0,
            )?,
            tables,
            list_key: self.word(
                "tiers.list_by",
                raw.tiers.list_by.as_deref(),
                &[("underlying", ListKey::Underlying), ("symbol", ListKey::Symbol)],
            )?,
            listed,
            other_currencies: self.word(
                "collateral.other_currencies",
                raw.collateral.other_currencies.as_deref(),
                &[
                    ("rate_required", OtherCurrencies::RateRequired),
                    ("ignored", OtherCurrencies::Ignored),
                    ("full", OtherCurrencies::Full),
                ],
            )?,
            collateral_rates: self.rates(&raw)?,
            initial_rates: raw
                .collateral
                .initial_rates
                .iter()
                .map(|(currency, rate)| {
                    let key = format!("collateral.initial_rates.{}", segment(currency));
                    Ok((currency.to_uppercase(), self.number(&key, *rate, 0.0, 1.0)?))
                })
                .collect::<Result<_>>()?,
            divide_by_peg: raw.collateral.divide_by_peg.unwrap_or(false),
            collateral_source,
            venue_ratio: self.word(
                "venue_ratio",
                raw.venue_ratio.as_deref(),
                &[
                    ("maintenance_over_equity", VenueRatio::MaintenanceOverEquity),
                    ("equity_over_maintenance", VenueRatio::EquityOverMaintenance),
                ],
            )?,
            balance_total_is_equity: self.word(
                "balance_total",
                raw.balance_total.as_deref(),
                &[("cash", false), ("equity", true)],
            )?,
            liquidation: self.liquidation(&raw.liquidation, liquidation_source, &sources)?,
            bands: Bands {
                watch: self.number("bands.watch", raw.bands.watch.unwrap_or(0.5), 0.0, 1.0)?,
                call: self.number("bands.call", raw.bands.call.unwrap_or(0.7), 0.0, 1.0)?,
            },
            id: raw.id,
            version: raw.version,
            venue: raw.venue,
            mode: raw.mode,
            settle: raw.settle.to_uppercase(),
            report_currency,
            sources,
            text,
        })
    }

    fn sources(&self, raw: &RawRulebook) -> Result<indexmap::IndexMap<String, Source>> {
        let mut sources = indexmap::IndexMap::new();
        let general = Source {
            address: raw.source.clone(),
            retrieved: raw.retrieved.clone(),
            effective: raw.effective.clone(),
            status: self.status("status", raw.status.as_deref().unwrap_or("estimated"))?,
            note: raw.note.clone(),
        };
        sources.insert("general".to_owned(), general);
        for (key, source) in &raw.sources {
            sources.insert(
                key.clone(),
                Source {
                    address: source.address.clone(),
                    retrieved: source.retrieved.clone(),
                    effective: source.effective.clone(),
                    status: self.status(&format!("sources.{key}.status"), &source.status)?,
                    note: source.note.clone(),
                },
            );
        }
        for (key, source) in &sources {
            if source.address.trim().is_empty() {
                return self.refuse(&format!("sources.{key}"), "a number without a source is refused");
            }
        }
        Ok(sources)
    }

    fn status(&self, key: &str, word: &str) -> Result<Status> {
        self.word(
            key,
            Some(word),
            &[
                ("verified", Status::Verified),
                ("documented", Status::Documented),
                ("estimated", Status::Estimated),
            ],
        )
    }

    /// The meaning of a word; the first of the vocabulary is the default.
    pub(super) fn word<T: Copy>(&self, key: &str, word: Option<&str>, vocabulary: &[(&str, T)]) -> Result<T> {
        let found = match word {
            None => vocabulary.first(),
            Some(word) => vocabulary.iter().find(|(known, _)| *known == word),
        };
        match found {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let known: Vec<&str> = vocabulary.iter().map(|(known, _)| *known).collect();
                self.refuse(
                    key,
                    format!("must be one of {}, was '{}'", known.join(", "), word.unwrap_or_default()),
                )
            }
        }
    }

    pub(super) fn number(&self, key: &str, value: f64, low: f64, high: f64) -> Result<f64> {
        if value.is_finite() && value >= low && value <= high {
            Ok(value)
        } else {
            self.refuse(key, format!("must be between {low} and {high}, was {value}"))
        }
    }

    pub(super) fn optional(&self, key: &str, value: Option<f64>, low: f64, high: f64) -> Result<Option<f64>> {
        value.map(|value| self.number(key, value, low, high)).transpose()
    }

    pub(super) fn required<T: Clone>(&self, key: &str, value: Option<&T>) -> Result<T> {
        match value {
            Some(value) => Ok(value.clone()),
            None => self.refuse(key, "is missing; this measure needs it"),
        }
    }

    fn level(&self, key: &str, raw: &RawLevel) -> Result<Level> {
        Ok(Level {
            factor: self.number(&format!("{key}.factor"), raw.factor.unwrap_or(1.0), 0.0, 100.0)?,
            trigger: self.number(&format!("{key}.trigger"), raw.trigger.unwrap_or(1.0), 1e-6, 100.0)?,
            inclusive: raw.inclusive.unwrap_or(false),
            haircut: raw.haircut.unwrap_or(true),
            gains: raw.gains.unwrap_or(true),
            option_value: self.word(
                &format!("{key}.option_value"),
                raw.option_value.as_deref(),
                &[("all", OptionValue::All), ("nothing", OptionValue::Nothing)],
            )?,
            depeg: match (raw.depeg_threshold, raw.depeg_rate) {
                (None, None) => None,
                (Some(threshold), Some(rate)) => Some(DepegFactor {
                    threshold: self.number(&format!("{key}.depeg_threshold"), threshold, 0.0, 10.0)?,
                    rate: self.number(&format!("{key}.depeg_rate"), rate, 0.0, 1000.0)?,
                }),
                _ => return self.refuse(key, "depeg_threshold and depeg_rate go together"),
            },
        })
    }

    fn measure(&self, raw: &RawMeasure, tail: &RawTail) -> Result<Measure> {
        match raw.kind.as_str() {
            "tiers" => Ok(Measure::Tiers {
                maintenance_on: self.word(
                    "measure.maintenance_on",
                    raw.maintenance_on.as_deref(),
                    &[("mark", MaintenanceOn::Mark), ("entry", MaintenanceOn::Entry)],
                )?,
                orders: self.word(
                    "measure.orders",
                    raw.orders.as_deref(),
                    &[
                        ("per_instrument", OrderRule::PerInstrument),
                        ("additive", OrderRule::Additive),
                        ("none", OrderRule::None),
                    ],
                )?,
            }),
            "scan" | "scenarios" => Ok(Measure::Scenarios {
                numeraire: self.word(
                    "measure.numeraire",
                    raw.numeraire.as_deref(),
                    &[("report", Numeraire::Report), ("settle", Numeraire::Settle)],
                )?,
                unit: self.word(
                    "measure.unit",
                    raw.unit.as_deref(),
                    &[("underlying", RiskUnit::Underlying), ("account", RiskUnit::Pool)],
                )?,
                collateral_in_scan: raw.collateral_in_scan.unwrap_or(false),
                haircut_and_scan: raw.haircut_and_scan.unwrap_or(false),
                orders: self.word(
                    "measure.orders",
                    raw.orders.as_deref(),
                    &[("variants", OrderRule::Variants), ("none", OrderRule::None)],
                )?,
            }),
            "normal_value_at_risk" => Ok(Measure::NormalValueAtRisk {
                confidence: self.number(
                    "measure.confidence",
                    self.required("measure.confidence", raw.confidence.as_ref())?,
                    0.5,
                    1.0 - 1e-12,
                )?,
                horizon_days: self.number(
                    "measure.horizon_days",
                    self.required("measure.horizon_days", raw.horizon_days.as_ref())?,
                    1e-9,
                    3650.0,
                )?,
                days_per_year: self.number(
                    "measure.days_per_year",
                    raw.days_per_year.unwrap_or(365.0),
                    1.0,
                    366.0,
                )?,
            }),
            "expected_shortfall" => {
                Ok(Measure::Tail(Box::new(self.tail(raw, tail, Statistic::ExpectedShortfall)?)))
            }
            "value_at_risk" => Ok(Measure::Tail(Box::new(self.tail(raw, tail, Statistic::ValueAtRisk)?))),
            other => self.refuse(
                "measure.kind",
                format!(
                    "must be one of tiers, scan, scenarios, expected_shortfall, value_at_risk, normal_value_at_risk, was '{other}'"
                ),
            ),
        }
    }

    /// The short form of a scan: price moves for every coin, and a rate on the gross notional.
    fn scan_profile(&self, raw: &RawMeasure, source: &str) -> Result<Profile> {
        let symmetric = raw.price_move.map(|size| vec![-size, 0.0, size]);
        let price_moves =
            self.required("measure.price_moves", raw.price_moves.as_ref().or(symmetric.as_ref()))?;
        if price_moves.is_empty() || price_moves.iter().any(|m| !m.is_finite() || *m <= -1.0) {
            return self.refuse("measure.price_moves", "needs finite relative moves above -1, such as -0.15");
        }
        let rate =
            self.number("measure.gross_notional_rate", raw.gross_notional_rate.unwrap_or(0.0), 0.0, 1.0)?;
        let charge = Charge {
            name: "gross notional".into(),
            kind: ChargeKind::Notional {
                kinds: vec![
                    crate::instrument::ContractKind::Perpetual,
                    crate::instrument::ContractKind::Future,
                    crate::instrument::ContractKind::Spot,
                    crate::instrument::ContractKind::Option,
                ],
                price: PriceBasis::Mark,
                short_only: false,
                collateral: false,
            },
            stage: Stage::Inside,
            initial: rate,
            maintenance: rate,
            source: source.to_owned(),
        };
        Ok(Profile {
            underlyings: Vec::new(),
            settlement: Settlement::Any,
            volatility: None,
            skew: None,
            discount: None,
            sets: vec![ScenarioSet { name: "scan".into(), source: source.to_owned() }],
            scenarios: price_moves
                .into_iter()
                .map(|price_move| Scenario {
                    set: 0,
                    price_move,
                    volatility: VolatilityMove::Same,
                    weight: 1.0,
                    treatment: Treatment::Plain,
                    days: 0.0,
                    basis: 0.0,
                    rate: 0.0,
                })
                .collect(),
            extension: None,
            gains: Gains { share: 1.0, cap: f64::INFINITY },
            price: PriceBasis::Mark,
            blend: None,
            charges: if rate > 0.0 { vec![charge] } else { Vec::new() },
            initial_factor: None,
            maintenance_factor: None,
            delta_one: None,
            options: None,
            source: source.to_owned(),
        })
    }

    #[expect(clippy::type_complexity, reason = "two results of one pass over the tables")]
    fn tables(
        &self,
        raw: &RawTiers,
        group_source: &str,
    ) -> Result<(Vec<(TierTable, String)>, BTreeMap<String, usize>)> {
        let mut tables = Vec::new();
        let mut listed = BTreeMap::new();
        for table in &raw.tables {
            let key = format!("tiers.tables.{}", segment(&table.name));
            let rates = match (&table.maintenance_rates, &table.max_leverage) {
                (Some(rates), _) => rates.clone(),
                (None, Some(leverages)) => {
                    let share = self.required(
                        "tiers.maintenance_share_of_initial",
                        raw.maintenance_share_of_initial.as_ref(),
                    )?;
                    leverages.iter().map(|leverage| share / leverage).collect()
                }
                (None, None) => return self.refuse(&key, "needs maintenance_rates or max_leverage"),
            };
            let leverages: Vec<Option<f64>> =
                table.max_leverage.iter().flatten().map(|leverage| Some(*leverage)).collect();
            if !leverages.is_empty() && leverages.len() != table.floors.len() {
                return self.refuse(&key, "max_leverage and floors differ in length");
            }
            let built = TierTable::new(&table.name, &table.floors, &rates, &leverages)
                .or_else(|error| self.refuse(&key, error.to_string()))?;
            for user in &table.used_by {
                if listed.insert(user.to_uppercase(), tables.len()).is_some() {
                    return self.refuse(&key, format!("'{user}' is listed twice"));
                }
            }
            tables.push((built, table.source.clone().unwrap_or_else(|| group_source.to_owned())));
        }
        Ok((tables, listed))
    }

    fn rates(&self, raw: &RawRulebook) -> Result<BTreeMap<String, Vec<RateSlice>>> {
        let mut rates = BTreeMap::new();
        for (currency, rate) in &raw.collateral.rates {
            let key = format!("collateral.rates.{}", segment(currency));
            let rising = rate.from.windows(2).all(|pair| matches!(pair, [low, high] if low < high));
            if rate.from.len() != rate.rate.len() || rate.from.first() != Some(&0.0) || !rising {
                return self
                    .refuse(&key, "from and rate need one entry per slice, from starts at 0 and rises");
            }
            let mut slices = Vec::new();
            for (&from, &fraction) in rate.from.iter().zip(&rate.rate) {
                slices.push(RateSlice { from, rate: self.number(&key, fraction, 0.0, 1.0)? });
            }
            rates.insert(currency.to_uppercase(), slices);
        }
        Ok(rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"
id = "test"
version = "1"
venue = "test"
report_currency = "USD"
settle = "USD"
source = "made up for a test"
retrieved = "2026-11-20"
effective = "2026-11-20"
"#;

    fn refusal(rest: &str) -> String {
        read(&format!("{HEAD}{rest}"), Format::Toml).unwrap_err().to_string()
    }

    #[test]
    fn a_key_outside_the_schema_is_refused_by_name() {
        assert!(refusal("[measure]\nkind = \"tiers\"\nlevrage = 3\n").contains("levrage"));
    }

    #[test]
    fn an_unknown_word_names_the_words_that_are_known() {
        assert_eq!(
            refusal("[measure]\nkind = \"tiers\"\nmaintenance_on = \"spot\"\n"),
            "rulebook 'test', measure.maintenance_on: must be one of mark, entry, was 'spot'"
        );
    }

    #[test]
    fn a_source_that_is_not_declared_is_refused() {
        assert!(
            refusal("[measure]\nkind = \"tiers\"\nsource = \"page\"\n").contains("no source named 'page'")
        );
    }

    #[test]
    fn a_scan_without_moves_is_refused() {
        assert!(refusal("[measure]\nkind = \"scan\"\n").contains("measure.price_moves"));
    }
}
