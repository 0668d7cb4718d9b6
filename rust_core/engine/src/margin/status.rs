//! Usage and status: the words for people beside the money that decides.

use super::Equity;
use crate::rulebook::{Level, Rulebook};

/// What a pool's figures mean, from calm to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// Usage has reached the watch band.
    Watch,
    /// Usage has reached the call band.
    Call,
    /// Equity is below the initial margin.
    Restricted,
    /// The excess is below zero.
    Liquidatable,
    /// The gross equity is below zero.
    Bankrupt,
}

impl Status {
    /// The word of the status column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Watch => "watch",
            Self::Call => "call",
            Self::Restricted => "restricted",
            Self::Liquidatable => "liquidatable",
            Self::Bankrupt => "bankrupt",
        }
    }
}

/// Whether an excess breaks a level.
pub fn broken(level: &Level, excess: f64) -> bool {
    excess < 0.0 || (level.inclusive && excess <= 0.0)
}

/// `trigger x maintenance / equity`: defined for an equity above zero; zero when nothing is required
/// and nothing is owed (design.md section 2).
pub(super) fn usage(rulebook: &Rulebook, equity: &Equity, maintenance: f64) -> Option<f64> {
    if maintenance == 0.0 && equity.maintenance >= 0.0 {
        Some(0.0)
    } else if equity.maintenance > 0.0 {
        Some(rulebook.maintenance.trigger * maintenance / equity.maintenance)
    } else {
        None
    }
}

pub(super) fn status(
    rulebook: &Rulebook,
    equity: &Equity,
    excess: f64,
    excess_initial: Option<f64>,
    usage: Option<f64>,
) -> Status {
    let nothing_at_stake = usage == Some(0.0);
    if equity.gross < 0.0 {
        Status::Bankrupt
    } else if broken(&rulebook.maintenance, excess) && !nothing_at_stake {
        Status::Liquidatable
    } else if excess_initial.is_some_and(|excess| excess < 0.0) {
        Status::Restricted
    } else {
        match usage {
            Some(usage) if usage >= rulebook.bands.call => Status::Call,
            Some(usage) if usage >= rulebook.bands.watch => Status::Watch,
            _ => Status::Ok,
        }
    }
}
