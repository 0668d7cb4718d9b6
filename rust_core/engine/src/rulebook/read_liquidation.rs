//! Reads how a venue liquidates.

use indexmap::IndexMap;

use super::Source;
use super::liquidation::{Auction, Certainty, Hedge, LiquidationRule, Policy, Stage, StepSize, Stop};
use super::raw::{RawAuction, RawLiquidation};
use super::read::Reader;
use crate::error::Result;

/// What may have a source of its own.
const CITED: [&str; 7] = ["policy", "step", "stop", "cancel_orders", "hedge", "fee", "auction"];
const MOST_TIERS: f64 = 1_000.0;
const A_YEAR: f64 = 31_536_000.0;

impl Reader {
    pub(super) fn liquidation(
        &self,
        raw: &RawLiquidation,
        source: String,
        sources: &IndexMap<String, Source>,
    ) -> Result<LiquidationRule> {
        let key = |name: &str| format!("liquidation.{name}");
        let policy = Some(raw.policy.as_deref().unwrap_or(Policy::HighestRiskContribution.word()));
        let certainty = [("assumed", Certainty::Assumed), ("documented", Certainty::Documented)];
        let step = match raw.step.as_deref() {
            None | Some("default") => None,
            Some(text) => {
                let read = StepSize::read(text);
                Some(read.or_else(|fault| self.refuse(&key("step"), fault.to_string()))?)
            }
        };
        let stop = match raw.stop.as_deref() {
            None => Stop::Healthy,
            Some(text) => Stop::read(text).or_else(|fault| self.refuse(&key("stop"), fault.to_string()))?,
        };
        let stages = match &raw.stages {
            None => Stage::ALL.map(|(_, stage)| stage).to_vec(),
            Some(words) => words
                .iter()
                .map(|word| self.word(&key("stages"), Some(word), &Stage::ALL))
                .collect::<Result<_>>()?,
        };
        let tiers = self.number(&key("tiers_at_once"), raw.tiers_at_once.unwrap_or(1.0), 1.0, MOST_TIERS)?;
        if tiers.fract() != 0.0 {
            return self.refuse(&key("tiers_at_once"), format!("must be a whole number, was {tiers}"));
        }
        let mut fees = IndexMap::new();
        for (coin, fee) in &raw.fees {
            let fee = self.number(&format!("liquidation.fees.{coin}"), *fee, 0.0, 1.0)?;
            fees.insert(coin.to_uppercase(), fee);
        }
        for (item, cited) in &raw.cites {
            if !CITED.contains(&item.as_str()) {
                let known = CITED.join(", ");
                return self.refuse(&key("cites"), format!("must be one of {known}, was '{item}'"));
            }
            if !sources.contains_key(cited) {
                return self.refuse(&key("cites"), format!("no source named '{cited}' in [sources]"));
            }
        }
        Ok(LiquidationRule {
            policy: self.word(&key("policy"), policy, &Policy::ALL)?,
            certainty: self.word(&key("certainty"), raw.certainty.as_deref(), &certainty)?,
            step,
            stop,
            cancel_orders: raw.cancel_orders.unwrap_or(false),
            close_opposing: raw.close_opposing.unwrap_or(false),
            tiers_at_once: tiers as usize,
            stages,
            hedge: self.word(&key("hedge"), raw.hedge.as_deref(), &Hedge::ALL)?,
            hedge_in_coin: raw.hedge_in_coin.clone(),
            hedge_in_stable: raw.hedge_in_stable.clone(),
            large_above: self.optional(&key("large_above"), raw.large_above, 0.0, f64::MAX)?,
            large_first: self.number(&key("large_first"), raw.large_first.unwrap_or(1.0), 0.0, 1.0)?,
            takeover_below: self.optional(&key("takeover_below"), raw.takeover_below, 0.0, 1.0)?,
            takeover: raw.takeover.clone().unwrap_or_default(),
            fee: self.number(&key("fee"), raw.fee.unwrap_or(0.0), 0.0, 1.0)?,
            fees,
            option_fee: self.optional(&key("option_fee"), raw.option_fee, 0.0, 1.0)?,
            option_fee_cap: self.optional(&key("option_fee_cap"), raw.option_fee_cap, 0.0, 1.0)?,
            maintenance_fee: self.number(
                &key("maintenance_fee"),
                raw.maintenance_fee.unwrap_or(0.0),
                0.0,
                1.0,
            )?,
            fee_within_equity: raw.fee_within_equity.unwrap_or(false),
            impact_coefficient: self.number(
                &key("impact_coefficient"),
                raw.impact_coefficient.unwrap_or(1.0),
                0.0,
                100.0,
            )?,
            auction: raw.auction.as_ref().map(|own| self.auction(own)).transpose()?,
            note: raw.note.clone().unwrap_or_default(),
            source,
            cites: raw.cites.clone(),
        })
    }

    fn auction(&self, raw: &RawAuction) -> Result<Auction> {
        let share =
            |name: &str, value: f64| self.number(&format!("liquidation.auction.{name}"), value, 0.0, 1.0);
        let seconds =
            |name: &str, value: f64| self.number(&format!("liquidation.auction.{name}"), value, 0.0, A_YEAR);
        Ok(Auction {
            start: share("start", raw.start)?,
            fast: share("fast", raw.fast)?,
            fast_seconds: seconds("fast_seconds", raw.fast_seconds)?,
            slow_seconds: seconds("slow_seconds", raw.slow_seconds)?,
            insolvent_seconds: seconds("insolvent_seconds", raw.insolvent_seconds)?,
            fee: share("fee", raw.fee.unwrap_or(0.0))?,
        })
    }
}
