//! Checks the portfolio and standard margin groups of a rulebook file.

use super::charge::PriceBasis;
use super::path::{labels, profile_name, segment};
use super::portfolio::{
    Blend, Borrowing, Extension, Gains, InterCredit, Profile, Scenario, ScenarioSet, Settlement,
    SignDiscount, SkewLeg, SkewShock, Treatment, VolatilityMove, VolatilityShock,
};
use super::raw_portfolio::{
    RawBlend, RawBorrowing, RawCredit, RawMove, RawProfile, RawScenarios, RawVolatility,
};
use super::read::Reader;
use crate::error::Result;

/// No relative move is larger: a price a hundred times today's.
const LARGEST_MOVE: f64 = 100.0;
/// No rate or factor of a rulebook is larger.
pub(super) const LARGEST_RATE: f64 = 1000.0;

/// Checks that a key names a source and gives it back, the group's own where there is none.
pub(super) type Known<'a> = dyn Fn(&Option<String>, &str) -> Result<String> + 'a;

impl Reader {
    pub(super) fn profiles(&self, raw: &[RawProfile], known: &Known<'_>) -> Result<Vec<Profile>> {
        let mut profiles: Vec<Profile> = Vec::with_capacity(raw.len());
        let names: Vec<Option<String>> =
            raw.iter().map(|raw| Some(profile_name(&raw.underlyings, raw.settlement.as_deref()))).collect();
        for (raw, label) in raw.iter().zip(labels(&names)) {
            profiles.push(self.profile(raw, &segment(&label), known)?);
        }
        // those that name coins come before the one for all others
        profiles.sort_by(|a, b| {
            let key = |p: &Profile| (p.underlyings.is_empty(), p.underlyings.clone(), p.settlement);
            key(a).cmp(&key(b))
        });
        for (index, profile) in profiles.iter().enumerate() {
            for other in profiles.iter().take(index) {
                let shared = profile.underlyings.iter().find(|name| other.underlyings.contains(name));
                let same = profile.underlyings.is_empty() && other.underlyings.is_empty();
                let overlap = profile.settlement == other.settlement
                    || profile.settlement == Settlement::Any
                    || other.settlement == Settlement::Any;
                if overlap && (same || shared.is_some()) {
                    let name = shared.map_or("*", String::as_str);
                    return self.refuse("profiles", format!("two profiles are about {name}"));
                }
            }
        }
        Ok(profiles)
    }

    fn profile(&self, raw: &RawProfile, label: &str, known: &Known<'_>) -> Result<Profile> {
        let key = |part: &str| format!("profiles.{label}.{part}");
        if raw.underlyings.is_empty() {
            return self.refuse(&key("underlyings"), "names no coin; [\"*\"] stands for all others");
        }
        let all = raw.underlyings.iter().any(|name| name == "*");
        let source = known(&raw.source, &key("source"))?;
        let mut sets = Vec::new();
        let mut scenarios = Vec::new();
        for set in &raw.scenarios {
            let own = set.source.clone().or_else(|| Some(source.clone()));
            let at = key(&format!("scenarios.{}", segment(&set.set)));
            let source = known(&own, &at)?;
            // lists under one name are one set: its worst is taken once
            let index = match sets.iter().position(|known: &ScenarioSet| known.name == set.set) {
                Some(index) => index,
                None => {
                    sets.push(ScenarioSet { name: set.set.clone(), source });
                    sets.len() - 1
                }
            };
            self.scenarios(set, index, &at, &mut scenarios)?;
        }
        let skewed =
            |s: &Scenario| matches!(s.volatility, VolatilityMove::SkewLinear | VolatilityMove::SkewAbsolute);
        let tenored = |s: &Scenario| matches!(s.volatility, VolatilityMove::Up | VolatilityMove::Down);
        if raw.volatility.is_none() && scenarios.iter().any(tenored) {
            return self
                .refuse(&key("volatility"), "is missing; the scenarios move the volatility up or down");
        }
        if raw.skew.is_none() && scenarios.iter().any(skewed) {
            return self.refuse(&key("skew"), "is missing; the scenarios shock the skew");
        }
        if raw.extension.is_none() && scenarios.iter().any(|s| s.treatment == Treatment::Extended) {
            return self
                .refuse(&key("extension"), "is missing; scenarios with the treatment extended need it");
        }
        let blended: Vec<String> = sets.iter().map(|set| set.name.clone()).collect();
        Ok(Profile {
            underlyings: if all {
                Vec::new()
            } else {
                raw.underlyings.iter().map(|u| u.to_uppercase()).collect()
            },
            settlement: self.word(
                &key("settlement"),
                raw.settlement.as_deref(),
                &[("any", Settlement::Any), ("coin", Settlement::Coin), ("stable", Settlement::Stable)],
            )?,
            volatility: raw
                .volatility
                .as_ref()
                .map(|v| self.volatility(v, &key("volatility")))
                .transpose()?,
            skew: raw.skew.as_ref().map(|s| self.skew(s, &key("skew"))).transpose()?,
            discount: raw.discount.as_ref().map(|d| self.discount(d, &key("discount"))).transpose()?,
            sets,
            scenarios,
            extension: raw
                .extension
                .as_ref()
                .map(|e| {
                    Ok(Extension {
                        range: self.number(&key("extension.range"), e.range, 1e-6, LARGEST_MOVE)?,
                        factor: self.number(&key("extension.factor"), e.factor, 0.0, LARGEST_RATE)?,
                        dampener: self.number(&key("extension.dampener"), e.dampener, 0.0, f64::MAX)?,
                    })
                })
                .transpose()?,
            gains: match &raw.gains {
                None => Gains { share: 1.0, cap: f64::INFINITY },
                Some(gains) => Gains {
                    share: self.number(&key("gains.share"), gains.share, 0.0, 1.0)?,
                    cap: self.number(&key("gains.cap"), gains.cap.unwrap_or(f64::MAX), 0.0, f64::MAX)?,
                },
            },
            price: self.price_basis(&key("price"), raw.price.as_deref(), PriceBasis::Mark)?,
            blend: raw.blend.as_ref().map(|b| self.blend(b, &blended, &key("blend"))).transpose()?,
            charges: raw
                .charges
                .iter()
                .map(|charge| {
                    self.charge(charge, &key(&format!("charges.{}", segment(&charge.name))), &source, known)
                })
                .collect::<Result<_>>()?,
            initial_factor: self.optional(&key("initial_factor"), raw.initial_factor, 0.0, 100.0)?,
            maintenance_factor: self.optional(
                &key("maintenance_factor"),
                raw.maintenance_factor,
                0.0,
                100.0,
            )?,
            delta_one: raw.delta_one.as_ref().map(|d| self.delta_one(d, &key("delta_one"))).transpose()?,
            options: raw.options.as_ref().map(|o| self.options(o, &key("options"))).transpose()?,
            source,
        })
    }

    /// The index or the mark, or what holds where nothing is said.
    pub(super) fn price_basis(
        &self,
        key: &str,
        word: Option<&str>,
        otherwise: PriceBasis,
    ) -> Result<PriceBasis> {
        let words = [("index", PriceBasis::Index), ("mark", PriceBasis::Mark)];
        word.map_or(Ok(otherwise), |word| self.word(key, Some(word), &words))
    }

    fn blend(&self, raw: &RawBlend, sets: &[String], key: &str) -> Result<Blend> {
        let Some(set) = sets.iter().position(|name| *name == raw.set) else {
            let known = if sets.is_empty() { "none".to_owned() } else { sets.join(", ") };
            return self.refuse(
                &format!("{key}.set"),
                format!("names the set '{}', the profile has {known}", raw.set),
            );
        };
        if sets.len() < 2 {
            return self.refuse(&format!("{key}.set"), "is the only set; a blend needs two");
        }
        Ok(Blend { set, share: self.number(&format!("{key}.share"), raw.share, 0.0, 1.0)? })
    }

    fn volatility(&self, raw: &RawVolatility, key: &str) -> Result<VolatilityShock> {
        let rate =
            |part: &str, value: f64, high: f64| self.number(&format!("{key}.{part}"), value, 0.0, high);
        let days = |part: &str, value: Option<f64>, otherwise: f64| {
            self.number(&format!("{key}.{part}"), value.unwrap_or(otherwise), 1e-9, 36_500.0)
        };
        Ok(VolatilityShock {
            up: rate("up", raw.up, LARGEST_MOVE)?,
            down: rate("down", raw.down, LARGEST_MOVE)?,
            short_power: rate("short_power", raw.short_power, 10.0)?,
            long_power: rate("long_power", raw.long_power, 10.0)?,
            boundary_days: days("boundary_days", raw.boundary_days, 30.0)?,
            boundary_is_short: self.word(
                &format!("{key}.boundary"),
                raw.boundary.as_deref(),
                &[("long", false), ("short", true)],
            )?,
            reference_days: days("reference_days", raw.reference_days, 30.0)?,
            floor_days: self.number(
                &format!("{key}.floor_days"),
                raw.floor_days.unwrap_or(1.0),
                0.0,
                36_500.0,
            )?,
            minimum_up: rate("minimum_up", raw.minimum_up, LARGEST_MOVE)?,
            minimum_up_shock: rate("minimum_up_shock", raw.minimum_up_shock, LARGEST_MOVE)?,
        })
    }

    fn skew(&self, raw: &super::raw_portfolio::RawSkew, key: &str) -> Result<SkewShock> {
        let number = |part: &str, value: f64| {
            self.number(&format!("{key}.{part}"), value, -LARGEST_RATE, LARGEST_RATE)
        };
        Ok(SkewShock {
            linear: SkewLeg {
                base: number("linear_cap", raw.linear_cap)?,
                slope: number("linear_slope", raw.linear_slope)?,
            },
            absolute: SkewLeg {
                base: number("absolute_cap", raw.absolute_cap)?,
                slope: number("absolute_slope", raw.absolute_slope)?,
            },
            minimum_width: self.number(
                &format!("{key}.minimum_width"),
                raw.minimum_width,
                1e-9,
                LARGEST_RATE,
            )?,
            width_scale: number("width_scale", raw.width_scale)?,
            volatility: number("volatility", raw.volatility)?,
            volatility_slope: number("volatility_slope", raw.volatility_slope)?,
        })
    }

    fn discount(&self, raw: &super::raw_portfolio::RawDiscount, key: &str) -> Result<SignDiscount> {
        let number = |part: &str, value: f64| {
            self.number(&format!("{key}.{part}"), value, -LARGEST_RATE, LARGEST_RATE)
        };
        Ok(SignDiscount {
            long_base: self.number(&format!("{key}.long_base"), raw.long_base, 0.0, LARGEST_RATE)?,
            long_rate_multiple: number("long_rate_multiple", raw.long_rate_multiple)?,
            long_rate_add: number("long_rate_add", raw.long_rate_add)?,
            short_base: self.optional(&format!("{key}.short_base"), raw.short_base, 0.0, LARGEST_RATE)?,
            short_rate_multiple: number("short_rate_multiple", raw.short_rate_multiple)?,
            short_rate_add: number("short_rate_add", raw.short_rate_add)?,
        })
    }

    fn scenarios(&self, raw: &RawScenarios, set: usize, key: &str, into: &mut Vec<Scenario>) -> Result<()> {
        let multiplied: Vec<f64> = raw.price_multipliers.iter().map(|multiple| multiple - 1.0).collect();
        let range = self.optional(&format!("{key}.price_range"), raw.price_range, 1e-9, LARGEST_MOVE)?;
        if let (Some(_), false) = (range, multiplied.is_empty()) {
            return self.refuse(&format!("{key}.price_range"), "counts price_moves, not price_multipliers");
        }
        let ranged: Vec<f64> = raw.price_moves.iter().map(|m| m * range.unwrap_or(1.0)).collect();
        let price_moves = if raw.price_moves.is_empty() { &multiplied } else { &ranged };
        if !(raw.price_moves.is_empty() || multiplied.is_empty()) {
            return self
                .refuse(&format!("{key}.price_multipliers"), "and price_moves say the same; give one");
        }
        if price_moves.is_empty() {
            return self.refuse(&format!("{key}.price_moves"), "is empty; a set needs at least one move");
        }
        if price_moves.iter().any(|m| !m.is_finite() || *m <= -1.0 || *m > LARGEST_MOVE) {
            return self.refuse(
                &format!("{key}.price_moves"),
                "needs finite relative moves above -1, such as -0.15, price_range included",
            );
        }
        let same = [RawMove::Word("same".into())];
        let moves = if raw.volatility.is_empty() { &same[..] } else { &raw.volatility };
        let mut volatility = Vec::with_capacity(moves.len());
        for raw in moves {
            volatility.push(match raw {
                RawMove::Relative(change) => VolatilityMove::Relative(self.number(
                    &format!("{key}.volatility"),
                    *change,
                    -1.0,
                    LARGEST_MOVE,
                )?),
                RawMove::Word(word) => self.word(
                    &format!("{key}.volatility"),
                    Some(word),
                    &[
                        ("same", VolatilityMove::Same),
                        ("up", VolatilityMove::Up),
                        ("down", VolatilityMove::Down),
                        ("skew_linear", VolatilityMove::SkewLinear),
                        ("skew_absolute", VolatilityMove::SkewAbsolute),
                    ],
                )?,
            });
        }
        let list =
            self.word(&format!("{key}.layout"), raw.layout.as_deref(), &[("grid", false), ("list", true)])?;
        let pairs: Vec<(f64, VolatilityMove)> = if list {
            if price_moves.len() != volatility.len() {
                return self
                    .refuse(&format!("{key}.layout"), "a list needs one volatility move per price move");
            }
            price_moves.iter().copied().zip(volatility).collect()
        } else {
            price_moves.iter().flat_map(|m| volatility.iter().map(|v| (*m, *v))).collect()
        };
        let per_move = raw.weights.len() == price_moves.len();
        if !(raw.weights.is_empty() || per_move || raw.weights.len() == pairs.len()) {
            return self.refuse(&format!("{key}.weights"), "needs one weight per price move or per scenario");
        }
        let treatment = self.word(
            &format!("{key}.treatment"),
            raw.treatment.as_deref(),
            &[
                ("plain", Treatment::Plain),
                ("minus_absolute_per_expiry", Treatment::MinusAbsolutePerExpiry),
                ("extended", Treatment::Extended),
            ],
        )?;
        let vols = if list { 1 } else { pairs.len() / price_moves.len() };
        for (place, (price_move, volatility)) in pairs.into_iter().enumerate() {
            let own = if raw.weights.len() > price_moves.len() { place } else { place / vols };
            let weight = raw.weights.get(own).copied().or(raw.weight).unwrap_or(1.0);
            into.push(Scenario {
                set,
                price_move,
                volatility,
                weight: self.number(&format!("{key}.weight"), weight, 0.0, LARGEST_RATE)?,
                treatment,
                days: self.number(&format!("{key}.days"), raw.days, 0.0, 3650.0)?,
                basis: self.number(&format!("{key}.basis"), raw.basis, -LARGEST_MOVE, LARGEST_MOVE)?,
                rate: self.number(&format!("{key}.rate"), raw.rate, -LARGEST_MOVE, LARGEST_MOVE)?,
            });
        }
        Ok(())
    }

    pub(super) fn credits(&self, raw: &[RawCredit], known: &Known<'_>) -> Result<Vec<InterCredit>> {
        raw.iter()
            .enumerate()
            .map(|(index, raw)| {
                let key = format!("credits.{}", index + 1);
                if raw.legs.len() < 2 {
                    return self.refuse(&format!("{key}.legs"), "a spread needs two legs or more");
                }
                let legs = raw
                    .legs
                    .iter()
                    .map(|leg| {
                        let delta = self.number(&format!("{key}.legs"), leg.delta, -1e9, 1e9)?;
                        if delta == 0.0 {
                            return self.refuse(&format!("{key}.legs"), "the delta of a leg is not zero");
                        }
                        Ok((leg.underlying.to_uppercase(), delta))
                    })
                    .collect::<Result<_>>()?;
                Ok(InterCredit {
                    legs,
                    rate: self.number(&format!("{key}.rate"), raw.rate, 0.0, 1.0)?,
                    source: known(&raw.source, &key)?,
                })
            })
            .collect()
    }

    pub(super) fn borrowing(&self, raw: &[RawBorrowing], known: &Known<'_>) -> Result<Vec<Borrowing>> {
        let mut entries: Vec<Borrowing> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.iter().enumerate() {
            let key = |part: &str| format!("borrowing.{}.{part}", index + 1);
            let all = raw.currencies.iter().any(|name| name == "*");
            let named: Vec<String> = raw.currencies.iter().map(|name| name.to_uppercase()).collect();
            if named.is_empty() {
                return self.refuse(&key("currencies"), "names no currency; [\"*\"] stands for all others");
            }
            let currencies = if all { Vec::new() } else { named };
            let twice = entries.iter().any(|other| {
                other.currencies == currencies
                    || other.currencies.iter().any(|name| currencies.contains(name))
            });
            if twice {
                return self.refuse(&key("currencies"), "names a currency that another entry is about");
            }
            entries.push(Borrowing {
                currencies,
                initial: self.number(&key("initial"), raw.initial, 0.0, LARGEST_RATE)?,
                maintenance: self.number(&key("maintenance"), raw.maintenance, 0.0, LARGEST_RATE)?,
                source: known(&raw.source, &key("source"))?,
            });
        }
        entries.sort_by_key(|entry| entry.currencies.is_empty());
        Ok(entries)
    }
}
