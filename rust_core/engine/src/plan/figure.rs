//! Which figure of an account a question is about.

use crate::error::{Error, Result};
use crate::margin::PoolState;

/// A figure of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Adjusted equity.
    Equity,
    /// Maintenance margin.
    Maintenance,
    /// Initial margin with open orders.
    Initial,
    /// `trigger x maintenance / adjusted equity`.
    Usage,
    /// Adjusted equity less `trigger x maintenance`.
    Excess,
    /// The same at the initial level.
    ExcessInitial,
    /// Relative move of one coin to the nearest trigger, signed.
    Nearest,
}

impl Figure {
    /// Reads a word.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] names the words.
    pub fn read(word: &str) -> Result<Self> {
        match word.trim().to_lowercase().replace([' ', '_', '-'], "").as_str() {
            "equity" => Ok(Self::Equity),
            "mm" | "maintenance" | "maintenancemargin" => Ok(Self::Maintenance),
            "im" | "initial" | "initialmargin" => Ok(Self::Initial),
            "usage" => Ok(Self::Usage),
            "excess" | "excessmm" => Ok(Self::Excess),
            "excessim" => Ok(Self::ExcessInitial),
            "nearest" | "nearestpct" => Ok(Self::Nearest),
            _ => Err(Error::Unknown {
                what: "measure",
                value: word.to_owned(),
                known: "MM, IM, usage, excess, excess_im, equity, nearest".into(),
            }),
        }
    }

    /// Its figure in a state, where the state alone has it.
    pub fn of(self, state: &PoolState) -> Option<f64> {
        match self {
            Self::Equity => Some(state.equity.maintenance),
            Self::Maintenance => Some(state.requirement.maintenance),
            Self::Initial => state.requirement.initial,
            Self::Usage => state.usage,
            Self::Excess => Some(state.excess),
            Self::ExcessInitial => state.excess_initial,
            Self::Nearest => None,
        }
    }
}
