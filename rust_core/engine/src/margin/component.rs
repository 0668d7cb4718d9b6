//! The parts of a requirement: every branch, with whether it counts; the rows that count sum to the total.

use crate::numeric::accumulate::sum;

/// What of a tail a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailPart {
    /// Value at risk or expected shortfall.
    Main,
    /// The worst stress scenario.
    Stress,
    /// The same over a longer, unscaled window, which bounds it from below.
    Floor,
}

/// What a part of a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentKind {
    /// The worst of a set of scenarios of a profile, and which one; `None` where none loses.
    Scenarios {
        /// Index of the profile.
        profile: usize,
        /// Index of the set.
        set: usize,
        /// Index of the scenario.
        scenario: Option<usize>,
    },
    /// A charge of a profile.
    Charge {
        /// Index of the profile.
        profile: usize,
        /// Index of the charge.
        charge: usize,
    },
    /// A credit between coins, below zero.
    Credit {
        /// Index of the credit.
        credit: usize,
    },
    /// The closed formula of one position of the pool.
    Position {
        /// Index of the position.
        position: usize,
    },
    /// An expiry whose largest loss is smaller than its positions one by one, below zero.
    ExpiryOffset {
        /// Seconds to expiry, which name it.
        seconds: u64,
    },
    /// A part of the tail of scenarios of all risk factors together.
    Tail(TailPart),
    /// A parametric measure of the whole pool.
    ValueAtRisk,
    /// What open orders add.
    Orders,
    /// A currency whose balance is below zero.
    Borrowing {
        /// Index of the rulebook's entry.
        entry: usize,
        /// Index of the currency.
        currency: usize,
    },
}

/// One level's figure of a component.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Share {
    /// Money after the level's factor, reporting currency.
    pub amount: f64,
    /// Whether it is part of the total.
    pub counts: bool,
}

/// One part of a requirement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Index of the coin it is about; `None` where it is about the whole pool.
    pub unit: Option<usize>,
    /// What it is.
    pub kind: ComponentKind,
    /// Money before rates and factors, reporting currency.
    pub base: f64,
    /// What the base is made of, in the order in which [`crate::answer::explain`] names it; `None` where there
    /// is nothing to say, or where several coins are added up.
    pub figures: Option<[f64; 3]>,
    /// At the initial level.
    pub initial: Share,
    /// At the maintenance level.
    pub maintenance: Share,
}

/// The sum of what counts at the maintenance level.
pub fn maintenance_total(components: &[Component]) -> f64 {
    sum(components.iter().filter(|c| c.maintenance.counts).map(|c| c.maintenance.amount))
}

/// The sum of what counts at the initial level.
pub fn initial_total(components: &[Component]) -> f64 {
    sum(components.iter().filter(|c| c.initial.counts).map(|c| c.initial.amount))
}
