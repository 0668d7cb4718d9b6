//! A venue's way of liquidating as data: what goes first, how much at a time, until when, at which cost.

use indexmap::IndexMap;

use crate::error::{Error, Place, Result};

/// How sure it is that a venue liquidates in the order shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The venue publishes it.
    Documented,
    /// The venue does not publish its order; this one is assumed.
    Assumed,
    /// The caller chose the policy.
    Chosen,
}

impl Certainty {
    /// The word shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Assumed => "assumed",
            Self::Chosen => "chosen",
        }
    }
}

/// What is closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everything in one step.
    AllAtOnce,
    /// The position in the highest bracket goes down some brackets at a time.
    TierSteps,
    /// The same fraction of every position.
    ProRata,
    /// The same fraction of everything, collateral included, goes to a bidder at a discount.
    EqualSlice,
    /// Most negative unrealised result first.
    LargestLoss,
    /// Largest notional first.
    LargestNotional,
    /// Largest share of the maintenance measure first.
    HighestRiskContribution,
    /// The contract that loses most in the worst scenario of its unit first.
    LargestMarginContribution,
    /// Perpetuals and futures before options.
    FuturesThenOptions,
    /// Class after class, as the rulebook lists them.
    StagedByClass,
    /// Collateral that counts at a rate is sold before any position.
    CollateralFirst,
    /// Most of the margin's shortfall repaired per unit of cost first.
    MarginalPerCost,
    /// Largest margin freed by closing the whole position first, whole positions.
    Incremental,
    /// The cheapest set of whole positions that reaches the stop level.
    CheapestSet,
    /// A seeded random order.
    Random,
    /// The order that the caller lists.
    UserList,
}

impl Policy {
    /// Every policy with its name.
    pub const ALL: [(&'static str, Self); 16] = [
        ("all_at_once", Self::AllAtOnce),
        ("tier_steps", Self::TierSteps),
        ("pro_rata", Self::ProRata),
        ("equal_slice", Self::EqualSlice),
        ("largest_loss", Self::LargestLoss),
        ("largest_notional", Self::LargestNotional),
        ("highest_risk_contribution", Self::HighestRiskContribution),
        ("largest_margin_contribution", Self::LargestMarginContribution),
        ("futures_then_options", Self::FuturesThenOptions),
        ("staged_by_class", Self::StagedByClass),
        ("collateral_first", Self::CollateralFirst),
        ("marginal_per_cost", Self::MarginalPerCost),
        ("incremental", Self::Incremental),
        ("cheapest_set", Self::CheapestSet),
        ("random", Self::Random),
        ("user_list", Self::UserList),
    ];

    /// The name of the policy.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, policy)| *policy == self).map_or("", |(word, _)| word)
    }

    /// Whether it picks for what a closing frees, so that a closing which frees nothing is no choice of it.
    pub fn optimises(self) -> bool {
        matches!(self, Self::MarginalPerCost | Self::Incremental)
    }
}

/// How much of the chosen position a step closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepSize {
    /// All of it.
    Whole,
    /// Just enough to reach the stop level, all of it if that does not suffice.
    Needed,
    /// A fraction of what is left of it.
    Fraction(f64),
    /// The smallest multiple of a fraction that reaches the stop level, all of it if none does.
    Multiples(f64),
}

impl StepSize {
    /// Reads `whole`, `needed`, a fraction such as `0.25`, or `multiples:0.2`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word, [`Error::OutOfRange`] for a number outside its range.
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "whole" => return Ok(Self::Whole),
            "needed" => return Ok(Self::Needed),
            _ => {}
        }
        if let Some(share) = text.strip_prefix("multiples") {
            let share = share.trim_start_matches([' ', ':', '=']);
            return Ok(Self::Multiples(number("multiples", share, 1e-3, 1.0, "from 0.001 to 1")?));
        }
        let must_be = "whole, needed, multiples:0.2, or above 0 and at most 1";
        Ok(Self::Fraction(number("step", &text, 1e-6, 1.0, must_be)?))
    }
}

/// When liquidation stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// When the account is no longer liquidatable.
    Healthy,
    /// When the initial margin is covered.
    Initial,
    /// When nothing is left.
    Flat,
    /// When equity covers this multiple of the maintenance margin.
    Multiple(f64),
}

impl Stop {
    /// Reads `healthy`, `initial`, `flat`, `usage:0.7`, or a multiple of the maintenance margin (`1.5`, `mm:1.5`).
    ///
    /// # Errors
    ///
    /// As [`StepSize::read`].
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "healthy" | "mm" | "maintenance" => return Ok(Self::Healthy),
            "initial" | "im" => return Ok(Self::Initial),
            "flat" => return Ok(Self::Flat),
            _ => {}
        }
        let text = text.strip_prefix("mm:").unwrap_or(&text);
        if let Some(usage) = text.strip_prefix("usage") {
            let usage = usage.trim_start_matches([' ', ':', '=']);
            let usage = number("stop usage", usage, 1e-6, 1.0, "above 0 and at most 1")?;
            return Ok(Self::Multiple(usage.recip()));
        }
        let must_be = "healthy, initial, flat, usage:0.7 or a multiple of the maintenance margin from 1";
        Ok(Self::Multiple(number("stop", text, 1.0, 1e6, must_be)?))
    }
}

/// What a staged liquidation takes one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Open orders.
    Orders,
    /// Perpetuals and dated futures.
    Futures,
    /// Options.
    Options,
    /// Coins held as positions.
    Spot,
    /// Balances that count at a rate.
    Collateral,
}

impl Stage {
    /// Every stage with its name, in the order that holds where a rulebook gives none (orders.md, section 2.1).
    pub const ALL: [(&'static str, Self); 5] = [
        ("orders", Self::Orders),
        ("futures", Self::Futures),
        ("options", Self::Options),
        ("spot", Self::Spot),
        ("collateral", Self::Collateral),
    ];
}

/// Whether the venue hedges the delta of what it liquidates with a perpetual, which may open a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hedge {
    /// It does not.
    Never,
    /// After each closing, the coin of what was closed.
    After,
    /// Before anything is closed, every coin.
    First,
}

impl Hedge {
    /// Every way with its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("none", Self::Never), ("after", Self::After), ("first", Self::First)];
}

/// A Dutch auction of slices of an account.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Auction {
    /// Discount at the start, a fraction of the value.
    pub start: f64,
    /// Discount at the end of its fast part.
    pub fast: f64,
    /// Length of the fast part, seconds.
    pub fast_seconds: f64,
    /// Length of the slow part, at whose end the discount is 1, seconds.
    pub slow_seconds: f64,
    /// Time over which the offer for an account without value grows to its maintenance margin, seconds.
    pub insolvent_seconds: f64,
    /// Fee at the start, a fraction of the value of the first slice at no discount.
    pub fee: f64,
}

/// The venue's way of liquidating.
#[derive(Debug, Clone, PartialEq)]
pub struct LiquidationRule {
    /// What is closed first.
    pub policy: Policy,
    /// Whether the venue publishes that.
    pub certainty: Certainty,
    /// How much a step closes; `None` leaves it to the policy.
    pub step: Option<StepSize>,
    /// When it stops.
    pub stop: Stop,
    /// Whether open orders are cancelled first.
    pub cancel_orders: bool,
    /// Whether a long and a short leg of one contract are closed against each other first.
    pub close_opposing: bool,
    /// How many brackets a tier step goes down.
    pub tiers_at_once: usize,
    /// Classes in the order of `staged_by_class`.
    pub stages: Vec<Stage>,
    /// Whether delta is hedged.
    pub hedge: Hedge,
    /// Symbol of the perpetual that hedges what settles in its coin, `{coin}` for the coin; for books that hold none.
    pub hedge_in_coin: Option<String>,
    /// The same for what settles in another currency, `{settle}`.
    pub hedge_in_stable: Option<String>,
    /// Positions above this notional are closed in two tranches, reporting currency.
    pub large_above: Option<f64>,
    /// The fraction of a large position that is closed in the first tranche.
    pub large_first: f64,
    /// Below `takeover_below x maintenance margin` the whole pool is taken over.
    pub takeover_below: Option<f64>,
    /// Who takes it over.
    pub takeover: String,
    /// Fee on the liquidated notional, a fraction.
    pub fee: f64,
    /// The same by coin, upper case.
    pub fees: IndexMap<String, f64>,
    /// Fee on the notional of liquidated options.
    pub option_fee: Option<f64>,
    /// Largest fee on options, a fraction of their value.
    pub option_fee_cap: Option<f64>,
    /// Fee on the maintenance margin of what is liquidated, a fraction.
    pub maintenance_fee: f64,
    /// Whether a fee is no more than the closing's share of the equity.
    pub fee_within_equity: bool,
    /// Coefficient of the square-root law of impact.
    pub impact_coefficient: f64,
    /// The auction of `equal_slice`.
    pub auction: Option<Auction>,
    /// What the venue says, in a sentence.
    pub note: String,
    /// Key of its source.
    pub source: String,
    /// Keys of the sources of single items, such as `fee`, where they differ.
    pub cites: IndexMap<String, String>,
}

impl LiquidationRule {
    /// Key of the source of an item.
    pub fn source_of(&self, item: &str) -> &str {
        self.cites.get(item).unwrap_or(&self.source)
    }
}

/// A number in a range, from text.
pub(crate) fn number(
    key: &'static str,
    text: &str,
    low: f64,
    high: f64,
    must_be: &'static str,
) -> Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value >= low && value <= high => Ok(value),
        Ok(value) => Err(Error::OutOfRange { name: key.into(), value, must_be, place: Place::default() }),
        Err(_) => Err(Error::Unknown { what: key, value: text.to_owned(), known: must_be.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_stops_are_read_from_words_and_numbers() {
        assert_eq!(StepSize::read("Needed").unwrap(), StepSize::Needed);
        assert_eq!(StepSize::read("multiples:0.2").unwrap(), StepSize::Multiples(0.2));
        assert_eq!(StepSize::read(" 0.25 ").unwrap(), StepSize::Fraction(0.25));
        assert_eq!(Stop::read("usage:0.8").unwrap(), Stop::Multiple(1.25));
        assert_eq!(Stop::read("1.15").unwrap(), Stop::Multiple(1.15));
        assert_eq!(Stop::read("mm:1.15").unwrap(), Stop::Multiple(1.15));
        assert_eq!(Stop::read("IM").unwrap(), Stop::Initial);
        assert!(StepSize::read("0").unwrap_err().to_string().contains("multiples:0.2"));
        assert!(Stop::read("0.5").unwrap_err().to_string().contains("was 0.5"));
    }
}
