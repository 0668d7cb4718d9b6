//! What a limit can be about.

use crate::error::{Error, Result};

/// A measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Gross notional over adjusted equity.
    Leverage,
    /// `trigger x maintenance margin / adjusted equity`.
    Usage,
    /// Money left above the maintenance margin.
    Excess,
    /// Money left above the initial margin.
    InitialExcess,
    /// Initial margin, money.
    InitialMargin,
    /// Maintenance margin, money.
    MaintenanceMargin,
    /// Sum of unsigned notionals, money.
    Gross,
    /// Unsigned sum of signed notionals, money.
    Net,
    /// Unsigned delta, money.
    Delta,
    /// Largest share of an underlying in the gross notional.
    Concentration,
    /// Sum of squared shares of the underlyings in the gross notional (Herfindahl).
    Herfindahl,
    /// Expected shortfall, money.
    ExpectedShortfall,
    /// Value at risk, money.
    ValueAtRisk,
    /// Yearly volatility of the result over the equity.
    Volatility,
    /// Delta over the market's depth.
    Depth,
    /// Days to sell the delta at the profile's participation.
    DaysToLiquidate,
    /// Probability of liquidation within the profile's days.
    LiquidationProbability,
    /// Relative move of one coin to the nearest trigger.
    Nearest,
    /// The same in one-day sigmas.
    NearestSigmas,
    /// Leverage in an underlying over its dynamic cap.
    LeverageCap,
}

impl Metric {
    /// Every metric with its words, the canonical one first.
    pub const ALL: [(Self, &'static [&'static str]); 20] = [
        (Self::Leverage, &["leverage"]),
        (Self::Usage, &["usage", "margin_usage"]),
        (Self::Excess, &["excess", "excess_mm"]),
        (Self::InitialExcess, &["excess_im"]),
        (Self::InitialMargin, &["im", "initial_margin"]),
        (Self::MaintenanceMargin, &["mm", "maintenance_margin"]),
        (Self::Gross, &["gross", "gross_exposure", "exposure", "notional"]),
        (Self::Net, &["net", "net_exposure"]),
        (Self::Delta, &["delta", "delta_usd"]),
        (Self::Concentration, &["concentration", "largest_share"]),
        (Self::Herfindahl, &["herfindahl", "hhi"]),
        (Self::ExpectedShortfall, &["es", "expected_shortfall"]),
        (Self::ValueAtRisk, &["var", "value_at_risk"]),
        (Self::Volatility, &["volatility", "vol"]),
        (Self::Depth, &["depth", "depth_share"]),
        (Self::DaysToLiquidate, &["days", "days_to_liquidate"]),
        (Self::LiquidationProbability, &["liquidation_probability", "p_liq", "liqprob"]),
        (Self::Nearest, &["nearest", "nearest_pct", "nearest_trigger"]),
        (Self::NearestSigmas, &["sigmas", "nearest_sigmas"]),
        (Self::LeverageCap, &["leverage_cap", "dynamic_leverage"]),
    ];

    /// The metric with a word; case, blanks and dashes do not matter.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] lists the metrics.
    pub fn named(word: &str) -> Result<Self> {
        let plain = word.trim().to_lowercase().replace([' ', '-'], "_");
        let found = Self::ALL.iter().find(|(_, words)| words.contains(&plain.as_str()));
        found.map(|(metric, _)| *metric).ok_or_else(|| Error::Unknown {
            what: "metric",
            value: word.trim().to_owned(),
            known: Self::ALL.iter().map(|(metric, _)| metric.word()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The word of the metric column.
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(metric, _)| *metric == self)
            .and_then(|(_, words)| words.first().copied())
            .unwrap_or("")
    }

    /// Whether a limit is the least that is allowed, not the most.
    pub fn is_floor(self) -> bool {
        matches!(self, Self::Excess | Self::InitialExcess | Self::Nearest | Self::NearestSigmas)
    }

    /// Whether it is an amount of money.
    pub fn is_money(self) -> bool {
        matches!(
            self,
            Self::Excess
                | Self::InitialExcess
                | Self::InitialMargin
                | Self::MaintenanceMargin
                | Self::Gross
                | Self::Net
                | Self::Delta
                | Self::ExpectedShortfall
                | Self::ValueAtRisk
        )
    }

    /// Whether it belongs to whole accounts and not to a coin or a symbol.
    pub fn is_of_account(self) -> bool {
        matches!(
            self,
            Self::Usage
                | Self::Excess
                | Self::InitialExcess
                | Self::Volatility
                | Self::LiquidationProbability
        )
    }

    /// Whether a share or a probability, which a limit of 1 or more cannot bound.
    pub(super) fn is_probability(self) -> bool {
        self == Self::LiquidationProbability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_metric() {
        let mut seen = Vec::new();
        for (metric, words) in Metric::ALL {
            for word in words {
                assert_eq!(Metric::named(&word.to_uppercase().replace('_', " ")).unwrap(), metric);
                assert!(!seen.contains(word), "{word}");
                seen.push(word);
            }
        }
        let refusal = Metric::named("levrage").unwrap_err().to_string();
        assert!(refusal.starts_with("unknown metric 'levrage'; known: leverage, usage, excess"), "{refusal}");
    }
}
