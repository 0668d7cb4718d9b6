//! Risk profiles: the parameters of limits, caps and sizes, as data (methods.md section 7).

use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::{Error, Place, Result};
use crate::tables::LimitRow;

/// A trader's risk profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Confidence of value at risk and expected shortfall.
    pub confidence: f64,
    /// Days of value at risk and expected shortfall.
    pub horizon_days: f64,
    /// Margin period of risk, days.
    pub close_out_days: f64,
    /// Value at risk allowed, a share of the equity.
    pub loss_budget: f64,
    /// Yearly volatility aimed at, of the result over the equity.
    pub volatility_target: f64,
    /// Probability of liquidation allowed within `liquidation_days`.
    pub liquidation_probability: f64,
    /// Days within which liquidation is looked for.
    pub liquidation_days: f64,
    /// Share of the market's depth that a position may take.
    pub depth_share: f64,
    /// How far from the mid the depth is counted: 0.01 or 0.02.
    pub depth_move: f64,
    /// Share of a day's volume that can be sold in a day.
    pub participation: f64,
    /// Share of a day's volume that has no impact.
    pub free_share: f64,
    /// Coefficient of the square-root law of impact.
    pub impact: f64,
    /// Share of the stress in a margin by volatility.
    pub stress_share: f64,
    /// Relative move of the stress.
    pub stress_move: f64,
    /// Paths of a simulation; `None` leaves it to what a step costs.
    pub paths: Option<usize>,
    /// Steps of a path; `None` leaves it to what one costs.
    pub steps: Option<usize>,
    /// Seed of a simulation.
    pub seed: u64,
    /// Where volatilities and correlations come from.
    pub volatility: VolatilitySource,
    /// Limits that hold where no table is given.
    pub limits: Vec<LimitRow>,
    /// Keys of a tail that differ from the rulebook's, such as `scenarios`, as given.
    pub tail: Vec<(String, String)>,
}

/// Where volatilities and correlations come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolatilitySource {
    /// The market table where it says enough, else the history.
    Either,
    /// The market table.
    Market,
    /// The history.
    History,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfiles {
    source: String,
    retrieved: String,
    status: String,
    profile: Vec<RawProfile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    confidence: f64,
    horizon_days: f64,
    close_out_days: f64,
    loss_budget: f64,
    volatility_target: f64,
    liquidation_probability: f64,
    liquidation_days: f64,
    depth_share: f64,
    depth_move: f64,
    participation: f64,
    free_share: f64,
    impact: f64,
    stress_share: f64,
    stress_move: f64,
    limits: Vec<RawLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    metric: String,
    limit: f64,
    #[serde(default)]
    warn: Option<f64>,
    #[serde(default)]
    hard: Option<f64>,
    #[serde(default)]
    unit: String,
}

/// The built-in profiles with their source, or why they cannot be read.
struct Builtin {
    source: String,
    profiles: Vec<Profile>,
}

fn builtin() -> Result<&'static Builtin> {
    static BUILTIN: OnceLock<std::result::Result<Builtin, String>> = OnceLock::new();
    let read = || {
        let raw: RawProfiles =
            toml::from_str(include_str!("profiles.toml")).map_err(|error| error.to_string())?;
        let source = format!("{} ({}, {})", raw.source, raw.status, raw.retrieved);
        Ok(Builtin { source, profiles: raw.profile.into_iter().map(RawProfile::made).collect() })
    };
    BUILTIN
        .get_or_init(read)
        .as_ref()
        .map_err(|message| Error::NoAnswer { why: format!("the risk profiles cannot be read: {message}") })
}

/// Where the numbers of the built-in profiles come from.
///
/// # Errors
///
/// None but of a defect of the profiles themselves.
pub fn source() -> Result<&'static str> {
    builtin().map(|known| known.source.as_str())
}

/// Paths of a simulation and the steps of each.
const FOLLOWED: (usize, usize) = (10_000, 24);
/// The same where every step measures a tail: a sheet that recalculates waits for it.
const FOLLOWED_UNDER_A_TAIL: (usize, usize) = (2_000, 12);

impl RawProfile {
    fn made(self) -> Profile {
        let limits = self.limits.into_iter().map(|own| LimitRow {
            id: own.metric.clone(),
            metric: own.metric,
            limit: Some(own.limit),
            warn: own.warn,
            hard: own.hard,
            unit: own.unit,
            ..LimitRow::default()
        });
        Profile {
            limits: limits.collect(),
            name: self.name,
            confidence: self.confidence,
            horizon_days: self.horizon_days,
            close_out_days: self.close_out_days,
            loss_budget: self.loss_budget,
            volatility_target: self.volatility_target,
            liquidation_probability: self.liquidation_probability,
            liquidation_days: self.liquidation_days,
            depth_share: self.depth_share,
            depth_move: self.depth_move,
            participation: self.participation,
            free_share: self.free_share,
            impact: self.impact,
            stress_share: self.stress_share,
            stress_move: self.stress_move,
            paths: None,
            steps: None,
            seed: 0,
            volatility: VolatilitySource::Either,
            tail: Vec::new(),
        }
    }
}

impl Profile {
    /// The profile with a name; `standard` where none is given.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] names those there are.
    pub fn named(name: &str) -> Result<Self> {
        let wanted = match name.trim() {
            "" => "standard",
            name => name,
        };
        let known = &builtin()?.profiles;
        known.iter().find(|own| own.name.eq_ignore_ascii_case(wanted)).cloned().ok_or_else(|| {
            Error::Unknown {
                what: "risk profile",
                value: name.to_owned(),
                known: known.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// A profile from pairs of key and value: `profile` names the one that the others change.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for a word that is no key or no number; [`Error::OutOfRange`] for a number outside its
    /// range.
    pub fn of(pairs: &[(String, String)]) -> Result<Self> {
        let plain = |key: &str| key.trim().to_lowercase().replace([' ', '-'], "_");
        let base = pairs.iter().rev().find(|(key, _)| plain(key) == "profile");
        let mut made = Self::named(base.map_or("", |(_, name)| name.as_str()))?;
        for (key, value) in pairs {
            let key = plain(key);
            if key != "profile" {
                made.set(&key, value.trim())?;
            }
        }
        Ok(made)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let positive = |key: &str| number(key, value, 0.0, f64::INFINITY, "finite and above zero");
        let share = |key: &str| number(key, value, 0.0, 1.0, "above 0 and below 1");
        match key {
            "confidence" => {
                self.confidence = share(key)?;
                if self.confidence <= 0.5 {
                    return outside(key, self.confidence, "above 0.5 and below 1");
                }
            }
            "horizon_days" => self.horizon_days = positive(key)?,
            "close_out_days" | "mpor" => self.close_out_days = positive("close_out_days")?,
            "loss_budget" => self.loss_budget = positive(key)?,
            "volatility_target" => self.volatility_target = positive(key)?,
            "liquidation_probability" => self.liquidation_probability = share(key)?,
            "liquidation_days" => self.liquidation_days = positive(key)?,
            "depth_share" => self.depth_share = positive(key)?,
            "depth_move" => {
                self.depth_move = positive(key)?;
                if ![0.01, 0.02].iter().any(|own: &f64| own.total_cmp(&self.depth_move).is_eq()) {
                    return outside(key, self.depth_move, "0.01 or 0.02, the depths of the Market sheet");
                }
            }
            "participation" => self.participation = positive(key)?,
            "free_share" => self.free_share = at_least_zero(key, value)?,
            "impact" => self.impact = at_least_zero(key, value)?,
            "stress_share" => self.stress_share = at_least_zero(key, value)?.min(1.0),
            "stress_move" => self.stress_move = positive(key)?,
            "paths" => self.paths = Some(whole(key, value, 100, 10_000_000)?),
            "steps" => self.steps = Some(whole(key, value, 1, 100_000)?),
            "seed" => self.seed = whole(key, value, 0, usize::MAX >> 12)? as u64,
            "volatility" => {
                self.volatility = match value.to_lowercase().as_str() {
                    "either" | "" => VolatilitySource::Either,
                    "market" => VolatilitySource::Market,
                    "history" => VolatilitySource::History,
                    _ => {
                        return Err(Error::Unknown {
                            what: "source of volatilities",
                            value: value.to_owned(),
                            known: "either, market, history".into(),
                        });
                    }
                }
            }
            _ => match crate::rulebook::path_of(key) {
                Ok(path) => self.tail.push((path, value.to_owned())),
                Err(_) => {
                    return Err(Error::Unknown {
                        what: "option",
                        value: key.to_owned(),
                        known: format!("profile, {}, and keys of a tail such as scenarios", KEYS.join(", ")),
                    });
                }
            },
        }
        Ok(())
    }

    /// Paths of a simulation and the steps of each, of an account whose margin is a tail of scenarios or is not.
    pub fn followed(&self, is_tail: bool) -> (usize, usize) {
        let (paths, steps) = if is_tail { FOLLOWED_UNDER_A_TAIL } else { FOLLOWED };
        (self.paths.unwrap_or(paths), self.steps.unwrap_or(steps))
    }
}

const KEYS: [&str; 18] = [
    "confidence",
    "horizon_days",
    "close_out_days",
    "loss_budget",
    "volatility_target",
    "liquidation_probability",
    "liquidation_days",
    "depth_share",
    "depth_move",
    "participation",
    "free_share",
    "impact",
    "stress_share",
    "stress_move",
    "paths",
    "steps",
    "seed",
    "volatility",
];

fn outside<T>(name: &str, value: f64, must_be: &'static str) -> Result<T> {
    Err(Error::OutOfRange { name: name.into(), value, must_be, place: Place::default() })
}

fn parsed(key: &str, text: &str) -> Result<f64> {
    let (digits, scale) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits.trim_end(), 0.01));
    digits.parse::<f64>().map(|value| scale * value).map_err(|_| Error::Unknown {
        what: "number",
        value: text.to_owned(),
        known: format!("{key} takes a number"),
    })
}

fn number(key: &str, text: &str, above: f64, below: f64, must_be: &'static str) -> Result<f64> {
    let value = parsed(key, text)?;
    if value > above && value < below { Ok(value) } else { outside(key, value, must_be) }
}

fn at_least_zero(key: &str, text: &str) -> Result<f64> {
    let value = parsed(key, text)?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { outside(key, value, "finite and at least 0") }
}

fn whole(key: &str, text: &str, least: usize, most: usize) -> Result<usize> {
    let value = parsed(key, text)?;
    if value.fract() == 0.0 && value >= least as f64 && value <= most as f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        return Ok(value as usize);
    }
    let must_be = match key {
        "paths" => "a whole number from 100 to 10,000,000",
        "steps" => "a whole number from 1 to 100,000",
        _ => "a whole number from 0",
    };
    outside(key, value, must_be)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(own: &Profile) -> [f64; 14] {
        [
            own.confidence,
            own.horizon_days,
            own.close_out_days,
            own.loss_budget,
            own.volatility_target,
            own.liquidation_probability,
            own.liquidation_days,
            own.depth_share,
            own.depth_move,
            own.participation,
            own.free_share,
            own.impact,
            own.stress_share,
            own.stress_move,
        ]
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        text.split(';').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn profiles_are_data_and_single_numbers_change() {
        let base = Profile::named("").unwrap();
        assert_eq!(base.name, "standard");
        let changed = Profile::of(&pairs("loss_budget=8%;profile=Aggressive;scenarios=historical")).unwrap();
        assert_eq!((changed.name.as_str(), changed.loss_budget), ("aggressive", 0.08));
        assert_eq!(changed.tail, [("tail.scenarios".to_owned(), "historical".to_owned())]);
        for name in ["conservative", "standard", "aggressive"] {
            let own = Profile::named(name).unwrap();
            assert!(!own.limits.is_empty() && figures(&own).iter().all(|value| *value > 0.0));
        }
        assert!(source().unwrap().contains("estimated"));
    }

    #[test]
    fn what_is_no_parameter_is_refused_by_name() {
        let why = |text: &str| Profile::of(&pairs(text)).unwrap_err().to_string();
        assert_eq!(why("loss_budget=-0.1"), "loss_budget must be finite and above zero, was -0.1");
        assert_eq!(
            why("liquidation_probability=1.5"),
            "liquidation_probability must be above 0 and below 1, was 1.5"
        );
        assert_eq!(why("liquidation_days=-1"), "liquidation_days must be finite and above zero, was -1");
        assert_eq!(why("confidence=0.4"), "confidence must be above 0.5 and below 1, was 0.4");
        assert_eq!(why("paths=12.5"), "paths must be a whole number from 100 to 10,000,000, was 12.5");
        assert!(why("budget=5").starts_with("unknown option 'budget'; known: profile, confidence"));
        assert!(why("profile=brave").starts_with("unknown risk profile 'brave'; known: conservative"));
        assert!(why("impact=much").starts_with("unknown number 'much'; known: impact takes a number"));
    }
}
