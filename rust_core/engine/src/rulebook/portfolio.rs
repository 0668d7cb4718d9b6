//! What a rulebook says about one coin in portfolio or standard margin: scenarios, shocks, group maps,
//! charges, option formulas. Data only; `margin` applies it.

use super::charge::{Charge, PriceBasis};
use super::options::StandardOptions;
use crate::instrument::Payoff;

/// How a volatility is shocked, by time to expiry.
///
/// The scale is `(reference_days / max(days, floor_days))^power`; `up` and `down` are multiplied by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityShock {
    /// Relative move up at the reference tenor.
    pub up: f64,
    /// Relative move down at the reference tenor, positive.
    pub down: f64,
    /// Power below the boundary.
    pub short_power: f64,
    /// Power above the boundary.
    pub long_power: f64,
    /// Days to expiry that divide short from long.
    pub boundary_days: f64,
    /// Whether the boundary itself belongs to the short side.
    pub boundary_is_short: bool,
    /// Tenor at which the scale is 1.
    pub reference_days: f64,
    /// Shortest tenor that the scale sees.
    pub floor_days: f64,
    /// Least volatility after a move up; zero for none.
    pub minimum_up: f64,
    /// Least relative move up after scaling; zero for none.
    pub minimum_up_shock: f64,
}

impl VolatilityShock {
    /// The factor on the relative moves at a time to expiry in years of 365 days.
    pub fn scale(&self, years: f64) -> f64 {
        let days = years * 365.0;
        let short =
            if self.boundary_is_short { days <= self.boundary_days } else { days < self.boundary_days };
        let power = if short { self.short_power } else { self.long_power };
        (self.reference_days / days.max(self.floor_days)).powf(power)
    }

    /// The moves at a time to expiry in years of 365 days.
    pub fn at(&self, years: f64) -> VolatilityRatios {
        let scale = self.scale(years);
        VolatilityRatios {
            raised: 1.0 + (self.up * scale).max(self.minimum_up_shock),
            lowered: (1.0 - self.down * scale).max(0.0),
            least_raised: self.minimum_up,
        }
    }
}

/// What the moves make of every volatility of an expiry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityRatios {
    /// After the move up over before, where the least volatility does not bind.
    pub raised: f64,
    /// After the move down over before, zero at the least.
    pub lowered: f64,
    /// The least volatility after the move up; zero for none.
    pub least_raised: f64,
}

impl VolatilityRatios {
    /// No moves.
    pub const NONE: Self = Self { raised: 1.0, lowered: 1.0, least_raised: 0.0 };

    /// The volatility after the move up.
    pub fn raised(&self, volatility: f64) -> f64 {
        (volatility * self.raised).max(self.least_raised)
    }

    /// The volatility after the move down.
    pub fn lowered(&self, volatility: f64) -> f64 {
        volatility * self.lowered
    }
}

/// One leg of a skew shock: the cap of the relative move is `base + slope x sqrt(years)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkewLeg {
    /// Cap at expiry.
    pub base: f64,
    /// How the cap changes with the square root of time.
    pub slope: f64,
}

/// Moves of volatility that depend on the strike: against log moneyness, or against its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkewShock {
    /// Against log moneyness: one wing up, the other down.
    pub linear: SkewLeg,
    /// Against its size: both wings the same way.
    pub absolute: SkewLeg,
    /// Least log moneyness at which the cap is reached.
    pub minimum_width: f64,
    /// Widths of that many standard deviations reach the cap.
    pub width_scale: f64,
    /// Volatility of the width.
    pub volatility: f64,
    /// How that volatility changes with the square root of time.
    pub volatility_slope: f64,
}

impl SkewShock {
    /// The volatility after the shock: `volatility x max(0, 1 + clip(k cap / k*, -cap, cap))`.
    ///
    /// The clip is `min(cap, max(-cap, x))` in that order, which matters when the cap is negative.
    pub fn shocked(&self, volatility: f64, log_strike: f64, years: f64, absolute: bool) -> f64 {
        let (cap, width) = self.cap_and_width(years, absolute);
        let moneyness = if absolute { log_strike.abs() } else { log_strike };
        let clipped = (moneyness * cap / width).max(-cap).min(cap);
        volatility * (1.0 + clipped).max(0.0)
    }

    /// How steeply the relative move may change with log moneyness.
    pub fn steepness(&self, years: f64, absolute: bool) -> f64 {
        let (cap, width) = self.cap_and_width(years, absolute);
        (cap / width).abs()
    }

    /// The largest relative move and the log moneyness at which it is reached.
    fn cap_and_width(&self, years: f64, absolute: bool) -> (f64, f64) {
        let root = years.sqrt();
        let leg = if absolute { self.absolute } else { self.linear };
        let width = self.width_scale * root * (self.volatility + root * self.volatility_slope);
        (leg.base + leg.slope * root, width.max(self.minimum_width))
    }
}

/// How the volatility moves in a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolatilityMove {
    /// It stays.
    Same,
    /// Up by the profile's shock.
    Up,
    /// Down by the profile's shock.
    Down,
    /// By a relative move that no tenor changes.
    Relative(f64),
    /// By the linear skew shock.
    SkewLinear,
    /// By the absolute skew shock.
    SkewAbsolute,
}

impl VolatilityMove {
    /// The words of the scenario list.
    pub fn words(self) -> String {
        match self {
            Self::Same => "volatility same".into(),
            Self::Up => "volatility up".into(),
            Self::Down => "volatility down".into(),
            Self::Relative(change) => format!("volatility {:+} %", round(100.0 * change)),
            Self::SkewLinear => "skew linear".into(),
            Self::SkewAbsolute => "skew absolute".into(),
        }
    }
}

/// What is done with the profit and loss of a scenario before the worst is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Added up over expiries and multiplied by the weight.
    Plain,
    /// Each expiry's net result enters as its negative size: no netting across expiries.
    MinusAbsolutePerExpiry,
    /// Beyond the range of prices: scaled back to its edge and dampened by an amount of money.
    Extended,
}

/// One scenario of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// Index of its set in [`Profile::sets`].
    pub set: usize,
    /// Relative move of the price and of every forward.
    pub price_move: f64,
    /// Move of the volatility.
    pub volatility: VolatilityMove,
    /// The share of the profit and loss that counts.
    pub weight: f64,
    /// What is done with the result.
    pub treatment: Treatment,
    /// Days that options age.
    pub days: f64,
    /// Further relative move of dated forwards, per year to expiry.
    pub basis: f64,
    /// Absolute change of the discount rate.
    pub rate: f64,
}

impl Scenario {
    /// The words of the scenario list, such as `-16 %, volatility up`.
    pub fn words(&self) -> String {
        let mut text = format!("{:+} %, {}", round(100.0 * self.price_move), self.volatility.words());
        if self.basis != 0.0 {
            text.push_str(&format!(", basis {:+} % a year", round(100.0 * self.basis)));
        }
        if self.rate != 0.0 {
            text.push_str(&format!(", rate {:+} %", round(100.0 * self.rate)));
        }
        if self.days != 0.0 {
            text.push_str(&format!(", {} days later", round(self.days)));
        }
        if self.weight != 1.0_f64 {
            text.push_str(&format!(", {} % counted", round(100.0 * self.weight)));
        }
        text
    }
}

/// Two decimals for words, without a negative zero.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

/// The net value of an expiry after a shock is multiplied by a factor that depends on its sign.
///
/// Long: `base exp(-years (rate long_multiple + long_add))`. Short:
/// `min(1 / discount, base exp(years (rate short_multiple + short_add)))`, 1 where there is no base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignDiscount {
    /// Factor of a net value above zero.
    pub long_base: f64,
    /// Multiple of the rate in its decay.
    pub long_rate_multiple: f64,
    /// What is added to the rate in its decay.
    pub long_rate_add: f64,
    /// Factor of a net value below zero; `None` leaves it alone.
    pub short_base: Option<f64>,
    /// Multiple of the rate in its growth.
    pub short_rate_multiple: f64,
    /// What is added to the rate in its growth.
    pub short_rate_add: f64,
}

impl SignDiscount {
    /// The factor of a net value above zero.
    pub fn long(&self, rate: f64, years: f64) -> f64 {
        self.long_base * (-years * (rate * self.long_rate_multiple + self.long_rate_add)).exp()
    }

    /// The factor of a net value below zero.
    pub fn short(&self, rate: f64, years: f64) -> f64 {
        self.short_base.map_or(1.0, |base| {
            let grown = base * (years * (rate * self.short_rate_multiple + self.short_rate_add)).exp();
            grown.min((rate * years).exp())
        })
    }
}

/// Results beyond the range of prices (Deribit's extended table).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extension {
    /// Edge of the range, a relative move.
    pub range: f64,
    /// Share that counts at the edge.
    pub factor: f64,
    /// Money by which the result is dampened per range beyond the edge, reporting currency.
    pub dampener: f64,
}

/// How far gains of a scenario count: a share of them, up to an amount of money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gains {
    /// The share.
    pub share: f64,
    /// The most, reporting currency.
    pub cap: f64,
}

/// Which settlement a profile is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Settlement {
    /// Any.
    Any,
    /// In the coin itself.
    Coin,
    /// In a stable currency.
    Stable,
}

/// Rates of perpetuals and futures in standard margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeltaOneRates {
    /// Initial rate of a small position.
    pub initial: f64,
    /// Maintenance rate of a small position.
    pub maintenance: f64,
    /// What each coin of the position adds to both rates.
    pub increment: f64,
    /// Open interest from which the initial rate rises towards 1, reporting currency.
    pub open_interest_lower: Option<f64>,
    /// Open interest at which it is 1, reporting currency.
    pub open_interest_upper: Option<f64>,
    /// The initial rate that open interest raises is cut down to whole multiples of this.
    pub rate_step: Option<f64>,
    /// At which price linear contracts are counted.
    pub price: PriceBasis,
    /// Whether a lower leverage chosen by the user raises the initial rate to its reciprocal.
    pub user_leverage: bool,
    /// Whether orders at a worse price than the mark need the difference at the initial level.
    pub open_loss: bool,
}

/// A named set of scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioSet {
    /// Its name, such as `grid` or `tails`.
    pub name: String,
    /// Key of its source.
    pub source: String,
}

/// A mix of two worst cases: `share x worst of one set + (1 - share) x worst of the others`.
///
/// SPAN 2 weighs historical and stress scenarios so (cmegroup.com, SPAN 2 methodology: total =
/// x historical + (1 - x) stress + liquidity + concentration).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend {
    /// Index of the set that has a share of its own.
    pub set: usize,
    /// The share.
    pub share: f64,
}

/// What a rulebook says about some coins.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The coins; empty for every coin that no other profile names.
    pub underlyings: Vec<String>,
    /// Which settlement it is about.
    pub settlement: Settlement,
    /// Shock of volatility.
    pub volatility: Option<VolatilityShock>,
    /// Shock of skew.
    pub skew: Option<SkewShock>,
    /// Factor on an expiry's net value by sign.
    pub discount: Option<SignDiscount>,
    /// Sets of scenarios.
    pub sets: Vec<ScenarioSet>,
    /// The scenarios of all sets, in order.
    pub scenarios: Vec<Scenario>,
    /// Results beyond the range of prices.
    pub extension: Option<Extension>,
    /// How far gains count.
    pub gains: Gains,
    /// The price at which scenarios move perpetuals, futures and spot.
    pub price: PriceBasis,
    /// Whether one set is mixed with the others instead of competing with them.
    pub blend: Option<Blend>,
    /// Charges.
    pub charges: Vec<Charge>,
    /// Factor of the initial level instead of the rulebook's.
    pub initial_factor: Option<f64>,
    /// Factor of the maintenance level instead of the rulebook's.
    pub maintenance_factor: Option<f64>,
    /// Rates of perpetuals and futures in standard margin.
    pub delta_one: Option<DeltaOneRates>,
    /// Formulas of options in standard margin.
    pub options: Option<StandardOptions>,
    /// Key of its source.
    pub source: String,
}

impl Profile {
    /// Whether a set has a share of its own in a blend.
    pub fn blended(&self, set: usize) -> bool {
        self.blend.is_some_and(|blend| blend.set == set)
    }

    /// The share of a set's worst case that is part of the requirement.
    pub fn share(&self, set: usize) -> f64 {
        match self.blend {
            None => 1.0,
            Some(blend) if self.blended(set) => blend.share,
            Some(blend) => 1.0 - blend.share,
        }
    }

    /// Whether the scenarios of two sets compete for one worst case.
    pub fn competes(&self, set: usize, other: usize) -> bool {
        self.blended(set) == self.blended(other)
    }

    /// Whether the profile is about a contract of a coin.
    pub fn covers(&self, underlying: &str, payoff: Payoff) -> bool {
        let named = self.underlyings.is_empty()
            || self.underlyings.iter().any(|known| known.eq_ignore_ascii_case(underlying));
        named
            && match self.settlement {
                Settlement::Any => true,
                Settlement::Coin => payoff == Payoff::Inverse,
                Settlement::Stable => payoff == Payoff::Linear,
            }
    }
}

/// What a negative balance of a currency needs, outside the factors of the levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Borrowing {
    /// Currencies, upper case; empty for every currency that no other entry names.
    pub currencies: Vec<String>,
    /// Share of what is borrowed at the initial level.
    pub initial: f64,
    /// The same at the maintenance level.
    pub maintenance: f64,
    /// Key of its source.
    pub source: String,
}

/// A credit for opposite risks in different coins, in order of priority (SPAN).
#[derive(Debug, Clone, PartialEq)]
pub struct InterCredit {
    /// The coins with the deltas of one spread.
    pub legs: Vec<(String, f64)>,
    /// Share of the price risk that is credited.
    pub rate: f64,
    /// Key of its source.
    pub source: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOCK: VolatilityShock = VolatilityShock {
        up: 0.5,
        down: 0.25,
        short_power: 0.3,
        long_power: 0.13,
        boundary_days: 30.0,
        boundary_is_short: false,
        reference_days: 30.0,
        floor_days: 1.0,
        minimum_up: 0.5,
        minimum_up_shock: 0.0,
    };

    #[test]
    fn the_scale_is_one_at_the_reference_tenor_and_stops_growing_below_the_floor() {
        assert_eq!(SHOCK.scale(30.0 / 365.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(SHOCK.scale(0.1 / 365.0).to_bits(), SHOCK.scale(1.0 / 365.0).to_bits());
        assert!((SHOCK.scale(7.0 / 365.0) - (30.0_f64 / 7.0).powf(0.3)).abs() < 1e-15);
    }

    #[test]
    fn a_floor_on_the_volatility_is_not_a_floor_on_the_shock() {
        assert_eq!(SHOCK.at(30.0 / 365.0).raised(0.2).to_bits(), 0.5_f64.to_bits());
        let on_shock = VolatilityShock { minimum_up: 0.0, minimum_up_shock: 0.4, up: 0.1, ..SHOCK };
        assert!((on_shock.at(30.0 / 365.0).raised(0.2) - 0.28).abs() < 1e-15);
    }

    #[test]
    fn a_negative_cap_is_clipped_from_above_last() {
        let leg = SkewLeg { base: -0.1, slope: 0.0 };
        let skew = SkewShock {
            linear: leg,
            absolute: leg,
            minimum_width: 0.01,
            width_scale: 4.0,
            volatility: 0.6,
            volatility_slope: 0.0,
        };
        // k cap / k* = -0.05; max(0.1, .) = 0.1; min(-0.1, .) = -0.1
        let years = 1.0 / 5.76; // width 4 x sqrt(years) x 0.6 = 1
        assert!((skew.shocked(1.0, 0.5, years, false) - 0.9).abs() < 1e-12);
    }
}
