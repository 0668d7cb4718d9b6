//! Checks the portfolio and standard margin groups of a rulebook file.

use super::path::{labels, profile_name, segment};
use super::portfolio::{
    Charge, ChargeKind, Extension, Gains, Growth, InterCredit, PriceBasis, Profile, Scenario, ScenarioSet,
    Settlement, SignDiscount, SkewLeg, SkewShock, Stage, Treatment, VolatilityMove, VolatilityShock,
};
use super::raw_portfolio::{RawCharge, RawCredit, RawMove, RawProfile, RawScenarios, RawVolatility};
use super::read::Reader;
use crate::error::Result;
use crate::instrument::ContractKind;

/// No relative move is larger: a price a hundred times today's.
const LARGEST_MOVE: f64 = 100.0;
/// No amount of money of a rulebook is larger.
const LARGEST_AMOUNT: f64 = 1e15;
/// No rate or factor of a rulebook is larger.
const LARGEST_RATE: f64 = 1000.0;

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
        let price_moves = if raw.price_moves.is_empty() { &multiplied } else { &raw.price_moves };
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
                "needs finite relative moves above -1, such as -0.15",
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

    fn charge(&self, raw: &RawCharge, key: &str, group: &str, known: &Known<'_>) -> Result<Charge> {
        let stage = self.word(
            &format!("{key}.stage"),
            Some(&raw.stage),
            &[
                ("alternative", Stage::Alternative),
                ("inside", Stage::Inside),
                ("floor", Stage::Floor),
                ("outside", Stage::Outside),
            ],
        )?;
        self.charge_keys(raw, key)?;
        let rate = raw.rate.unwrap_or(1.0);
        // a fixed amount is money, everything else a rate
        let largest = if raw.on == "fixed" { LARGEST_AMOUNT } else { LARGEST_RATE };
        let own = raw.source.clone().or_else(|| Some(group.to_owned()));
        Ok(Charge {
            name: raw.name.clone(),
            kind: self.charge_kind(raw, key)?,
            stage,
            initial: self.number(
                &format!("{key}.initial"),
                raw.initial.unwrap_or(raw.maintenance.unwrap_or(rate) + raw.initial_more.unwrap_or(0.0)),
                0.0,
                largest,
            )?,
            maintenance: self.number(
                &format!("{key}.maintenance"),
                raw.maintenance.unwrap_or(rate),
                0.0,
                largest,
            )?,
            source: known(&own, key)?,
        })
    }

    /// Refuses keys that a charge does not read, and a charge whose rate nobody gives.
    fn charge_keys(&self, raw: &RawCharge, key: &str) -> Result<()> {
        let (own, rated): (&[&str], bool) = match raw.on.as_str() {
            "roll" => (&["minimum", "annualised", "growth"], false),
            "size" => (&["threshold", "increment", "cap"], false),
            "naked_shorts" | "calendar" => (&[], true),
            "fixed" => (&[], true),
            "net_option_value" => (&[], false),
            "notional" => (&["kinds", "price", "short_only", "collateral"], true),
            "minimum_delta" => (&["unhedged", "hedged"], false),
            "short_options" => (&["count"], true),
            "forward_contingency" => (&["moves", "multipliers", "add", "per_year"], false),
            "confidence" => {
                (&["threshold", "kinds", "short_only", "collateral", "with_perpetual", "price"], true)
            }
            "funding" => (&["hours"], false),
            "fee" => (&["option_cap"], true),
            "tiered_delta" => (&["from", "multiplier"], true),
            "stable_hedge" => (&["from", "rates"], false),
            "depeg" => (&["threshold"], true),
            _ => return Ok(()), // refused by its name
        };
        let given = [
            ("minimum", raw.minimum.is_some()),
            ("annualised", raw.annualised.is_some()),
            ("growth", raw.growth.is_some()),
            ("threshold", raw.threshold.is_some()),
            ("increment", raw.increment.is_some()),
            ("cap", raw.cap.is_some()),
            ("kinds", raw.kinds.is_some()),
            ("price", raw.price.is_some()),
            ("short_only", raw.short_only.is_some()),
            ("collateral", raw.collateral.is_some()),
            ("with_perpetual", raw.with_perpetual.is_some()),
            ("unhedged", raw.unhedged.is_some()),
            ("hedged", raw.hedged.is_some()),
            ("count", raw.count.is_some()),
            ("moves", raw.moves.is_some()),
            ("multipliers", raw.multipliers.is_some()),
            ("add", raw.add.is_some()),
            ("per_year", raw.per_year.is_some()),
            ("hours", raw.hours.is_some()),
            ("option_cap", raw.option_cap.is_some()),
            ("from", raw.from.is_some()),
            ("multiplier", raw.multiplier.is_some()),
            ("rates", raw.rates.is_some()),
        ];
        if let Some((name, _)) = given.iter().find(|(name, given)| *given && !own.contains(name)) {
            return self.refuse(&format!("{key}.{name}"), format!("is not read by a charge on {}", raw.on));
        }
        let any = raw.rate.is_some() || raw.initial.is_some() || raw.maintenance.is_some();
        if rated && !any {
            return self
                .refuse(&format!("{key}.rate"), format!("is missing; a charge on {} needs it", raw.on));
        }
        Ok(())
    }

    fn charge_kind(&self, raw: &RawCharge, key: &str) -> Result<ChargeKind> {
        let need = |part: &str, value: Option<f64>, low: f64, high: f64| {
            let key = format!("{key}.{part}");
            let value = self.required(&key, value.as_ref())?;
            self.number(&key, value, low, high)
        };
        let price = || {
            self.word(
                &format!("{key}.price"),
                raw.price.as_deref(),
                &[("index", PriceBasis::Index), ("mark", PriceBasis::Mark)],
            )
        };
        Ok(match raw.on.as_str() {
            "roll" => ChargeKind::Roll {
                minimum: need("minimum", raw.minimum, 0.0, 10.0)?,
                annualised: need("annualised", raw.annualised, 0.0, 10.0)?,
                growth: self.word(
                    &format!("{key}.growth"),
                    raw.growth.as_deref(),
                    &[("linear", Growth::Linear), ("exponential", Growth::Exponential)],
                )?,
            },
            "size" => ChargeKind::Size {
                threshold: need("threshold", raw.threshold, 0.0, f64::MAX)?,
                increment: need("increment", raw.increment, 0.0, 10.0)?,
                cap: need("cap", raw.cap, 0.0, 10.0)?,
            },
            "naked_shorts" => ChargeKind::NakedShorts,
            "notional" => ChargeKind::Notional {
                kinds: self.kinds(raw, key)?,
                price: price()?,
                short_only: raw.short_only.unwrap_or(false),
                collateral: raw.collateral.unwrap_or(false),
            },
            "minimum_delta" => ChargeKind::MinimumDelta {
                unhedged: need("unhedged", raw.unhedged, 0.0, 10.0)?,
                hedged: need("hedged", raw.hedged, 0.0, 10.0)?,
            },
            "short_options" => ChargeKind::ShortOptions {
                larger_side: self.word(
                    &format!("{key}.count"),
                    raw.count.as_deref(),
                    &[("sum", false), ("larger_of_calls_and_puts", true)],
                )?,
            },
            "calendar" => ChargeKind::Calendar,
            "forward_contingency" => {
                let multiplied: Option<Vec<f64>> = raw
                    .multipliers
                    .as_ref()
                    .map(|multipliers| multipliers.iter().map(|multiple| multiple - 1.0).collect());
                let moves =
                    self.required(&format!("{key}.moves"), raw.moves.clone().or(multiplied).as_ref())?;
                let Ok(moves) = <[f64; 2]>::try_from(moves) else {
                    return self.refuse(&format!("{key}.moves"), "needs two relative moves");
                };
                if moves.iter().any(|m| !m.is_finite() || *m <= -1.0) {
                    return self.refuse(&format!("{key}.moves"), "needs finite relative moves above -1");
                }
                ChargeKind::ForwardContingency {
                    moves,
                    add: need("add", raw.add, 0.0, 100.0)?,
                    per_year: need("per_year", raw.per_year, 0.0, 100.0)?,
                }
            }
            "confidence" => ChargeKind::Confidence {
                threshold: need("threshold", raw.threshold, 0.0, 1.0)?,
                kinds: match (&raw.kinds, raw.collateral) {
                    (None, Some(true)) => Vec::new(), // collateral alone
                    _ => self.kinds(raw, key)?,
                },
                short_only: raw.short_only.unwrap_or(false),
                collateral: raw.collateral.unwrap_or(false),
                with_perpetual: raw.with_perpetual.unwrap_or(true),
                price: price()?,
            },
            "funding" => ChargeKind::Funding { hours: need("hours", raw.hours, 0.0, 8760.0)? },
            "fee" => ChargeKind::Fee { option_cap: raw.option_cap.unwrap_or(f64::INFINITY) },
            "tiered_delta" => {
                let (from, multiplier) = self.slices(raw, raw.multiplier.as_ref(), key, "multiplier")?;
                ChargeKind::TieredDelta { from, multiplier }
            }
            "stable_hedge" => {
                let (from, rate) = self.slices(raw, raw.rates.as_ref(), key, "rates")?;
                ChargeKind::StableHedge { from, rate }
            }
            "depeg" => ChargeKind::Depeg { threshold: need("threshold", raw.threshold, 0.0, 10.0)? },
            "net_option_value" => ChargeKind::NetOptionValue,
            "fixed" => ChargeKind::Fixed,
            other => {
                return self.refuse(
                    &format!("{key}.on"),
                    format!(
                        "must be one of roll, size, naked_shorts, notional, minimum_delta, short_options, calendar, forward_contingency, confidence, funding, fee, tiered_delta, stable_hedge, depeg, net_option_value, fixed, was '{other}'"
                    ),
                );
            }
        })
    }

    fn slices(
        &self,
        raw: &RawCharge,
        values: Option<&Vec<f64>>,
        key: &str,
        name: &str,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let from = self.required(&format!("{key}.from"), raw.from.as_ref())?;
        let values = self.required(&format!("{key}.{name}"), values)?;
        let rising = from.windows(2).all(|pair| matches!(pair, [low, high] if low < high));
        let finite = from.iter().chain(&values).all(|v| v.is_finite() && *v >= 0.0);
        if from.len() != values.len() || from.first() != Some(&0.0) || !rising || !finite {
            return self.refuse(
                key,
                format!("from and {name} need one entry per slice, from starts at 0 and rises"),
            );
        }
        Ok((from, values))
    }

    fn kinds(&self, raw: &RawCharge, key: &str) -> Result<Vec<ContractKind>> {
        // a charge on collateral alone names no kind
        let words = match (&raw.kinds, raw.collateral) {
            (None, Some(true)) => Vec::new(),
            (kinds, _) => self.required(&format!("{key}.kinds"), kinds.as_ref())?,
        };
        words
            .iter()
            .map(|word| {
                self.word(
                    &format!("{key}.kinds"),
                    Some(word),
                    &[
                        ("perpetual", ContractKind::Perpetual),
                        ("future", ContractKind::Future),
                        ("spot", ContractKind::Spot),
                        ("option", ContractKind::Option),
                    ],
                )
            })
            .collect()
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
}
