//! Where a cure is to bring an account.

use crate::error::{Error, Place, Result};
use crate::margin::{PoolState, PoolView};

/// A level to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Usage at most this.
    Usage(f64),
    /// Excess over the maintenance level at least this, reporting currency.
    Excess(f64),
    /// Excess over the initial level at least this, reporting currency.
    ExcessInitial(f64),
}

impl Target {
    /// Reads `usage=0.7`, `excess=10000`, `excess_im=0`, `MM`, `IM`, or an amount of money, which is one of excess.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word, [`Error::OutOfRange`] for the number.
    pub fn read(text: &str) -> Result<Self> {
        let word = text.trim().to_lowercase().replace('_', "");
        let unknown = || Error::Unknown {
            what: "target",
            value: text.to_owned(),
            known: "usage=0.7, excess=10000, excess_im=0, MM, IM, or an amount of excess".into(),
        };
        let (name, number) = match word.find(['=', '<', '>', ':']) {
            Some(place) => {
                let (name, rest) = word.split_at(place);
                (name.trim().to_owned(), rest.trim_start_matches(['=', '<', '>', ':']).trim().to_owned())
            }
            None => match word.as_str() {
                "mm" => return Ok(Self::Excess(0.0)),
                "im" => return Ok(Self::ExcessInitial(0.0)),
                "" => return Ok(Self::Usage(0.7)),
                _ => ("excess".to_owned(), word.clone()),
            },
        };
        let (digits, percent) = number.strip_suffix('%').map_or((number.as_str(), 1.0), |own| (own, 100.0));
        let value: f64 = digits.trim().replace(',', "").parse().map_err(|_| unknown())?;
        let value = value / percent;
        let refused = |must_be| Error::OutOfRange {
            name: format!("target {name}"),
            value,
            must_be,
            place: Place::default(),
        };
        match name.as_str() {
            "usage" if value > 0.0 && value <= 1.0 => Ok(Self::Usage(value)),
            "usage" => Err(refused("above 0 and at most 1")),
            "excess" | "excessmm" if value.is_finite() => Ok(Self::Excess(value)),
            "excessim" if value.is_finite() => Ok(Self::ExcessInitial(value)),
            "excess" | "excessmm" | "excessim" => Err(refused("a finite number")),
            _ => Err(unknown()),
        }
    }

    /// What equity must cover: this multiple of the maintenance margin and an amount besides; `None` where the initial
    /// margin decides.
    pub fn multiple(self, trigger: f64) -> Option<(f64, f64)> {
        match self {
            Self::Usage(usage) => Some((trigger / usage, 0.0)),
            Self::Excess(money) => Some((trigger, money)),
            Self::ExcessInitial(_) => None,
        }
    }

    /// Money above the target; it is reached at zero and above.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] for an initial margin that does not exist.
    pub fn above(self, view: &PoolView<'_>, state: &PoolState) -> Result<f64> {
        let trigger = view.rulebook()?.maintenance.trigger;
        match (self, self.multiple(trigger)) {
            (Self::ExcessInitial(money), _) => {
                let excess = state.excess_initial.ok_or_else(|| Error::Missing {
                    what: "initial margin".into(),
                    why: state
                        .requirement
                        .initial_missing
                        .clone()
                        .unwrap_or_else(|| "an isolated position has none of its own".into()),
                    place: Place::default(),
                })?;
                Ok(excess - money)
            }
            // the engine's own excess, so that a target of zero is its decision to the bit
            (Self::Excess(money), _) => Ok(state.excess - money),
            (_, Some((multiple, _))) => {
                Ok(state.equity.maintenance - multiple * state.requirement.maintenance)
            }
            (Self::Usage(_), None) => Ok(state.excess),
        }
    }

    /// What it asks for, in words.
    pub fn words(self) -> String {
        match self {
            Self::Usage(usage) => format!("usage {usage}"),
            Self::Excess(money) => format!("excess {money}"),
            Self::ExcessInitial(money) => format!("excess_im {money}"),
        }
    }

    /// The figure that it is about, in words.
    pub fn shown(self, state: &PoolState) -> String {
        match self {
            Self::Usage(_) => state.usage.map_or_else(
                || format!("no usage, adjusted equity {:.2}", state.equity.maintenance),
                |usage| format!("usage {usage:.6}"),
            ),
            Self::Excess(_) => format!("excess {:.2}", state.excess),
            Self::ExcessInitial(_) => state
                .excess_initial
                .map_or_else(|| "no excess_im".into(), |own| format!("excess_im {own:.2}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        assert_eq!(Target::read("usage=0.7").unwrap(), Target::Usage(0.7));
        assert_eq!(Target::read("usage<=70%").unwrap(), Target::Usage(0.7));
        assert_eq!(Target::read("25,000").unwrap(), Target::Excess(25_000.0));
        assert_eq!(Target::read("IM").unwrap(), Target::ExcessInitial(0.0));
        assert_eq!(Target::read("excess_im = 5").unwrap(), Target::ExcessInitial(5.0));
        assert!(Target::read("usage=0").is_err() && Target::read("soon").is_err());
    }
}
