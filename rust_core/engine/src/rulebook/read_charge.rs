//! Checks the charges of a rulebook file.

use super::charge::{Charge, ChargeKind, Growth, PriceBasis, Stage};
use super::raw_portfolio::RawCharge;
use super::read::Reader;
use super::read_portfolio::{Known, LARGEST_RATE};
use crate::error::Result;
use crate::instrument::ContractKind;

/// No amount of money of a rulebook is larger.
const LARGEST_AMOUNT: f64 = 1e15;

impl Reader {
    pub(super) fn charge(
        &self,
        raw: &RawCharge,
        key: &str,
        group: &str,
        known: &Known<'_>,
    ) -> Result<Charge> {
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
            "roll" => (&["minimum", "annualised", "growth", "price"], false),
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
            "tiered_delta" => (&["from", "multiplier", "price"], true),
            "stable_hedge" => (&["from", "rates"], false),
            "depeg" => (&["threshold"], true),
            "impact" => (&["size", "coefficient", "free_share"], false),
            "unwind" => (&["size", "participation"], true),
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
            ("size", raw.size.is_some()),
            ("coefficient", raw.coefficient.is_some()),
            ("free_share", raw.free_share.is_some()),
            ("participation", raw.participation.is_some()),
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
        let price = || self.price_basis(&format!("{key}.price"), raw.price.as_deref(), PriceBasis::Index);
        Ok(match raw.on.as_str() {
            "roll" => ChargeKind::Roll {
                minimum: need("minimum", raw.minimum, 0.0, 10.0)?,
                annualised: need("annualised", raw.annualised, 0.0, 10.0)?,
                growth: self.word(
                    &format!("{key}.growth"),
                    raw.growth.as_deref(),
                    &[("linear", Growth::Linear), ("exponential", Growth::Exponential)],
                )?,
                price: price()?,
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
                ChargeKind::TieredDelta { price: price()?, from, multiplier }
            }
            "stable_hedge" => {
                let (from, rate) = self.slices(raw, raw.rates.as_ref(), key, "rates")?;
                ChargeKind::StableHedge { from, rate }
            }
            "depeg" => ChargeKind::Depeg { threshold: need("threshold", raw.threshold, 0.0, 10.0)? },
            "net_option_value" => ChargeKind::NetOptionValue,
            "fixed" => ChargeKind::Fixed,
            "impact" => ChargeKind::Impact {
                gross: self.is_gross(raw, key)?,
                coefficient: need("coefficient", raw.coefficient.or(Some(1.0)), 0.0, 100.0)?,
                free_share: need("free_share", raw.free_share.or(Some(0.0)), 0.0, 100.0)?,
            },
            "unwind" => ChargeKind::Unwind {
                gross: self.is_gross(raw, key)?,
                participation: need("participation", raw.participation, 1e-6, 1.0)?,
            },
            other => {
                return self.refuse(
                    &format!("{key}.on"),
                    format!(
                        "must be one of roll, size, naked_shorts, notional, minimum_delta, short_options, calendar, forward_contingency, confidence, funding, fee, tiered_delta, stable_hedge, depeg, net_option_value, fixed, impact, unwind, was '{other}'"
                    ),
                );
            }
        })
    }

    fn is_gross(&self, raw: &RawCharge, key: &str) -> Result<bool> {
        let words = [("net", false), ("gross", true)];
        self.word(&format!("{key}.size"), raw.size.as_deref().or(Some("net")), &words)
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
}
