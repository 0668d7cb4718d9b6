//! Rulebooks as tables: the list, and every number of one with its source.

use super::{Answer, Value};
use crate::error::{Error, Result};
use crate::rulebook::{Level, Measure, Rulebook, Source};

/// The header of the list.
pub const LIST: [&str; 8] =
    ["id", "venue", "mode", "version", "effective", "source", "status", "liquidation_method"];

/// The header of one rulebook.
pub const PARTS: [&str; 6] = ["part", "key", "value", "unit", "source", "note"];

/// The list of rulebooks.
pub fn list(rulebooks: &[&Rulebook]) -> Answer {
    let mut answer = Answer::new(&LIST);
    for rulebook in rulebooks {
        let general = rulebook.sources.first().map(|(_, source)| source);
        answer.rows.push(vec![
            rulebook.id.as_str().into(),
            rulebook.venue.as_str().into(),
            rulebook.mode.as_str().into(),
            rulebook.version.as_str().into(),
            general.map_or("", |source| source.effective.as_str()).into(),
            general.map_or("", |source| source.address.as_str()).into(),
            rulebook.status().word().into(),
            rulebook.liquidation.policy.word().into(),
        ]);
    }
    answer
}

/// The words of `part`.
pub const PART_WORDS: [&str; 6] = ["all", "general", "tiers", "haircuts", "shocks", "liquidation"];

/// One rulebook, a row per number, each with its source, day and status.
///
/// # Errors
///
/// [`Error::Unknown`] for another part.
pub fn parts(rulebook: &Rulebook, part: &str) -> Result<Answer> {
    let wanted = part.trim().to_ascii_lowercase();
    let wanted = if wanted.is_empty() { "all".to_owned() } else { wanted };
    if !PART_WORDS.contains(&wanted.as_str()) {
        return Err(Error::Unknown { what: "part", value: part.to_owned(), known: PART_WORDS.join(", ") });
    }
    let mut writer = Writer { answer: Answer::new(&PARTS), rulebook };
    let asked = |name: &str| wanted == "all" || wanted == name;
    if asked("general") {
        writer.general();
    }
    if asked("tiers") {
        writer.tiers();
    }
    if asked("haircuts") {
        writer.haircuts();
    }
    if asked("shocks") {
        writer.shocks();
    }
    if asked("liquidation") {
        writer.liquidation();
    }
    Ok(writer.answer)
}

struct Writer<'a> {
    answer: Answer,
    rulebook: &'a Rulebook,
}

impl Writer<'_> {
    fn row(&mut self, part: &str, key: impl Into<String>, value: impl Into<Value>, unit: &str, source: &str) {
        let known: Option<&Source> = self.rulebook.sources.get(source);
        let cited = known.map_or_else(String::new, |source| {
            format!("{} (read {}, effective {})", source.address, source.retrieved, source.effective)
        });
        let note = known.map_or_else(String::new, |source| {
            if source.note.is_empty() {
                source.status.word().to_owned()
            } else {
                format!("{}; {}", source.status.word(), source.note)
            }
        });
        self.answer.rows.push(vec![
            part.into(),
            Value::Text(key.into()),
            value.into(),
            unit.into(),
            cited.into(),
            note.into(),
        ]);
    }

    fn general(&mut self) {
        let rulebook = self.rulebook;
        self.row("general", "id", rulebook.id.as_str(), "", "general");
        self.row("general", "version", rulebook.version.as_str(), "", "general");
        self.row("general", "report_currency", rulebook.report_currency.as_str(), "currency", "general");
        self.row("general", "settle", rulebook.settle.as_str(), "currency", "general");
        let levels = [("initial", rulebook.initial), ("maintenance", rulebook.maintenance)];
        for (name, level) in levels {
            self.level(name, level);
        }
        self.row("general", "watch", rulebook.bands.watch, "usage", "general");
        self.row("general", "call", rulebook.bands.call, "usage", "general");
        if let Some(share) = rulebook.assumed_share_of_initial {
            self.row("general", "assumed_share_of_initial", share, "fraction", &rulebook.measure_source);
        }
    }

    fn level(&mut self, name: &str, level: Level) {
        let source = self.rulebook.levels_source.clone();
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        self.row("general", format!("{name}.factor"), level.factor, "fraction", &source);
        self.row("general", format!("{name}.trigger"), level.trigger, "fraction", &source);
        self.row("general", format!("{name}.inclusive"), yes(level.inclusive), "", &source);
        self.row("general", format!("{name}.haircut"), yes(level.haircut), "", &source);
        self.row("general", format!("{name}.gains"), yes(level.gains), "", &source);
    }

    fn tiers(&mut self) {
        let rulebook = self.rulebook;
        for (index, (table, source)) in rulebook.tables.iter().enumerate() {
            let users: Vec<&str> = rulebook
                .listed
                .iter()
                .filter(|(_, listed)| **listed == index)
                .map(|(user, _)| user.as_str())
                .collect();
            for (number, bracket) in table.brackets.iter().enumerate() {
                let key = format!("{}.{}", table.name, number + 1);
                self.row("tiers", format!("{key}.floor"), bracket.floor, &rulebook.settle, source);
                self.row("tiers", format!("{key}.maintenance_rate"), bracket.rate, "fraction", source);
                self.row("tiers", format!("{key}.amount"), bracket.amount, &rulebook.settle, source);
                if let Some(leverage) = bracket.max_leverage {
                    self.row("tiers", format!("{key}.max_leverage"), leverage, "times", source);
                }
            }
            self.row("tiers", format!("{}.used_by", table.name), users.join(" "), "", source);
        }
    }

    fn haircuts(&mut self) {
        let rulebook = self.rulebook;
        for (currency, slices) in &rulebook.collateral_rates {
            for slice in slices {
                let key = format!("{currency} from {}", slice.from);
                self.row("haircuts", key, slice.rate, "collateral rate", &rulebook.collateral_source);
            }
        }
        let word = match rulebook.other_currencies {
            crate::rulebook::OtherCurrencies::Ignored => "ignored",
            crate::rulebook::OtherCurrencies::RateRequired => "rate required",
        };
        self.row("haircuts", "other_currencies", word, "", &rulebook.collateral_source);
    }

    fn shocks(&mut self) {
        let rulebook = self.rulebook;
        let source = rulebook.measure_source.clone();
        match &rulebook.measure {
            Measure::Tiers { .. } => self.row("shocks", "measure", "tiers: no scenarios", "", &source),
            Measure::Scenarios { numeraire, unit, .. } => {
                let numeraire = match numeraire {
                    crate::rulebook::Numeraire::Report => "report",
                    crate::rulebook::Numeraire::Settle => "settle",
                };
                let unit = match unit {
                    crate::rulebook::RiskUnit::Underlying => "underlying",
                    crate::rulebook::RiskUnit::Pool => "account",
                };
                self.row("shocks", "numeraire", numeraire, "", &source);
                self.row("shocks", "unit", unit, "", &source);
                for profile in &rulebook.profiles {
                    let names = profile.underlyings.join(" ");
                    let names = if names.is_empty() { "*" } else { names.as_str() };
                    for (number, scenario) in profile.scenarios.iter().enumerate() {
                        let set = profile.sets.get(scenario.set).map_or("", |set| set.name.as_str());
                        let key = format!("{names}.{set}.{}", number + 1);
                        self.row("shocks", key, scenario.words(), "", &profile.source);
                    }
                    for charge in &profile.charges {
                        let key = format!("{names}.{}", charge.name);
                        self.row("shocks", format!("{key}.stage"), charge.stage.word(), "", &charge.source);
                        self.row("shocks", format!("{key}.initial"), charge.initial, "rate", &charge.source);
                        self.row(
                            "shocks",
                            format!("{key}.maintenance"),
                            charge.maintenance,
                            "rate",
                            &charge.source,
                        );
                    }
                }
            }
            Measure::NormalValueAtRisk { confidence, horizon_days, days_per_year } => {
                self.row("shocks", "confidence", *confidence, "probability", &source);
                self.row("shocks", "horizon_days", *horizon_days, "days", &source);
                self.row("shocks", "days_per_year", *days_per_year, "days", &source);
            }
        }
    }

    fn liquidation(&mut self) {
        let rule = self.rulebook.liquidation.clone();
        let source = rule.source.clone();
        self.row("liquidation", "policy", rule.policy.word(), "", &source);
        self.row("liquidation", "certainty", rule.certainty.word(), "", &source);
        self.row("liquidation", "cancel_orders", if rule.cancel_orders { "yes" } else { "no" }, "", &source);
        if let Some(above) = rule.large_above {
            self.row("liquidation", "large_above", above, "report currency", &source);
            self.row("liquidation", "large_first", rule.large_first, "fraction", &source);
        }
        if let Some(below) = rule.takeover_below {
            self.row("liquidation", "takeover_below", below, "x maintenance margin", &source);
            self.row("liquidation", "takeover", rule.takeover.as_str(), "", &source);
        }
        self.row("liquidation", "fee", rule.fee, "fraction", &source);
        self.row("liquidation", "note", rule.note.as_str(), "", &source);
    }
}
