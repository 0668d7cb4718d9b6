//! Charges of a rulebook: what each is taken on, where it enters, and its rates. Data only; `margin` applies it.

use crate::instrument::ContractKind;

/// Where a charge enters (design.md section 1, stages 4 to 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Competes with the scenarios: the largest counts.
    Alternative,
    /// Added to the worst scenario, inside the level's factor.
    Inside,
    /// The unit needs no less than this, inside the level's factor.
    Floor,
    /// Added after the level's factor.
    Outside,
}

impl Stage {
    /// The word of the components table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alternative => "competes with the scenarios",
            Self::Inside => "added to the worst scenario",
            Self::Floor => "floor",
            Self::Outside => "added after the factor",
        }
    }
}

/// How a rate grows with the time to expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// `rate x years`.
    Linear,
    /// `exp(rate x years) - 1`.
    Exponential,
}

/// At which price a quantity of coins is turned into money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceBasis {
    /// The index of the coin.
    Index,
    /// The contract's own mark (a forward for options).
    Mark,
}

impl PriceBasis {
    /// The word of a rulebook and of formulas.
    pub fn word(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Mark => "mark",
        }
    }
}

/// What a charge is taken on.
#[derive(Debug, Clone, PartialEq)]
pub enum ChargeKind {
    /// Basis risk: per expiry the net delta in money times `max(minimum, growth(annualised, years))`.
    Roll {
        /// Least rate.
        minimum: f64,
        /// Rate per year.
        annualised: f64,
        /// How it grows with time.
        growth: Growth,
        /// At which price.
        price: PriceBasis,
    },
    /// Size: `increment` per coin of net delta above a threshold, up to `cap`; deltas of long options only
    /// reduce.
    Size {
        /// Money of delta that is free, reporting currency.
        threshold: f64,
        /// Rate per coin above it.
        increment: f64,
        /// Largest rate.
        cap: f64,
    },
    /// Per expiry and strike, options sold less options bought, calls and puts together, at the index.
    NakedShorts,
    /// Unsigned quantities of some kinds of contract at a price.
    Notional {
        /// Which kinds.
        kinds: Vec<ContractKind>,
        /// At which price.
        price: PriceBasis,
        /// Whether only quantities below zero count.
        short_only: bool,
        /// Whether collateral that the scenarios move counts too.
        collateral: bool,
    },
    /// `(unhedged |net delta| + hedged (gross - |net|) / 2) x index`.
    MinimumDelta {
        /// Rate of what is not hedged.
        unhedged: f64,
        /// Rate of what is.
        hedged: f64,
    },
    /// Options sold, in coins at the index.
    ShortOptions {
        /// Whether the larger of calls and puts counts instead of both.
        larger_side: bool,
    },
    /// Spreads between net deltas of opposite sign of different expiries, in coins at the index.
    Calendar,
    /// Per expiry the worse of two moves, undiscounted, options only, times `add + per_year x years`.
    ForwardContingency {
        /// The two moves.
        moves: [f64; 2],
        /// Factor at expiry.
        add: f64,
        /// Growth of the factor per year.
        per_year: f64,
    },
    /// `1 - confidence` of the notional where the least confidence of the prices used is below a threshold.
    Confidence {
        /// The threshold.
        threshold: f64,
        /// Which kinds of contract; options per expiry, with the confidence of its forward and rate.
        kinds: Vec<ContractKind>,
        /// Whether only quantities below zero count.
        short_only: bool,
        /// Whether collateral counts too.
        collateral: bool,
        /// Whether the confidence in a perpetual that is held bears on options too.
        with_perpetual: bool,
        /// At which price.
        price: PriceBasis,
    },
    /// What a funding rate takes over some hours, at least zero per contract.
    Funding {
        /// The hours.
        hours: f64,
    },
    /// Fees of closing: a rate on the notional of each contract, capped by a share of an option's value.
    Fee {
        /// Largest share of an option's value.
        option_cap: f64,
    },
    /// A rate on the unsigned delta, times a multiplier by size of the raw charge.
    TieredDelta {
        /// At which price.
        price: PriceBasis,
        /// Raw charge from which each multiplier applies, reporting currency.
        from: Vec<f64>,
        /// The multipliers.
        multiplier: Vec<f64>,
    },
    /// Hedges between stablecoins: marginal rates on the volume hedged between quote currencies.
    StableHedge {
        /// Volume from which each rate applies, reporting currency.
        from: Vec<f64>,
        /// The rates.
        rate: Vec<f64>,
    },
    /// A stablecoin that has lost its peg: `max(0, threshold - peg)` of perpetuals and options sold, at the
    /// index.
    Depeg {
        /// The threshold.
        threshold: f64,
    },
    /// An amount of money that the venue sets for the account, whatever it holds: its rates are the money.
    Fixed,
    /// Option value to be received counts against the requirement, value owed adds to it.
    NetOptionValue,
    /// What it costs to leave a large position: `|Q| P [s/2 + (2/3) Y sigma sqrt((|Q| - theta V)^+ / V)]` of the
    /// delta, by spread, daily volatility and volume of the market table (methods.md section 3.5).
    Impact {
        /// Whether long and short deltas of a coin are left one by one, not their difference.
        gross: bool,
        /// Coefficient `Y` of the square-root law.
        coefficient: f64,
        /// Share `theta` of a day's volume that has no impact.
        free_share: f64,
    },
    /// What the days beyond the first add to a one-day measure where the delta is sold evenly: its deviation of a
    /// day times `sqrt((1 + T)(1 + 2T) / (6T)) - 1`, with `T` its share of the daily volume over the participation,
    /// at least a day (methods.md section 3.6). The rate is the quantile.
    Unwind {
        /// As for the impact.
        gross: bool,
        /// Share of a day's volume that can be sold in a day.
        participation: f64,
    },
}

/// One charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// What the venue calls it.
    pub name: String,
    /// What it is taken on.
    pub kind: ChargeKind,
    /// Where it enters.
    pub stage: Stage,
    /// Its rate at the initial level.
    pub initial: f64,
    /// Its rate at the maintenance level.
    pub maintenance: f64,
    /// Key of its source.
    pub source: String,
}
