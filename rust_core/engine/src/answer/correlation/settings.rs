//! Options of a question about correlations.

use super::Source;
use crate::error::{Error, Place, Result};
use crate::rulebook::tail::CovarianceRule;

/// Decay of a fast and of a slow estimate (methods.md section 3.4).
const FAST: f64 = 0.94;
const SLOW: f64 = 0.99;
/// How far stressed correlations are moved; illustrative.
const SHARE: f64 = 0.5;
/// Falls of the driver that downside betas count: its worst tenth (methods.md section 3.7).
const QUANTILE: f64 = 0.1;

const KNOWN: &str = "decay, method, window, fast, slow, driver, quantile, share";

/// What the question says, or the defaults.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) decay: f64,
    pub(super) fast: f64,
    pub(super) slow: f64,
    pub(super) method: CovarianceRule,
    /// Moves that count, where the question says so.
    pub(super) window: Option<usize>,
    pub(super) driver: String,
    pub(super) quantile: f64,
    pub(super) share: f64,
}

impl Settings {
    pub(super) fn read(source: &Source<'_>, options: &[(String, String)]) -> Result<Self> {
        let method = if source.history.is_none() && source.book.is_some() {
            CovarianceRule::Market
        } else {
            CovarianceRule::Ewma
        };
        let mut found = Self {
            decay: FAST,
            fast: FAST,
            slow: SLOW,
            method,
            window: None,
            driver: "BTC".into(),
            quantile: QUANTILE,
            share: SHARE,
        };
        for (key, text) in options {
            match key.trim().to_lowercase().as_str() {
                "decay" => found.decay = decay("decay", text)?,
                "fast" => found.fast = decay("fast", text)?,
                "slow" => found.slow = decay("slow", text)?,
                "method" => found.method = covariance(text)?,
                "window" => found.window = Some(count(text)?),
                "driver" => found.driver = text.trim().to_uppercase(),
                "quantile" => found.quantile = decay("quantile", text)?,
                "share" => {
                    found.share = number("share", text)?;
                    check("share", found.share, (0.0..=1.0).contains(&found.share), "from 0 to 1")?;
                }
                _ => return Err(Error::Unknown { what: "option", value: key.clone(), known: KNOWN.into() }),
            }
        }
        let ordered = found.fast < found.slow;
        check("fast", found.fast, ordered, "below slow: a smaller decay forgets sooner")?;
        Ok(found)
    }
}

fn covariance(text: &str) -> Result<CovarianceRule> {
    let word = text.trim().to_lowercase();
    let found = CovarianceRule::ALL.iter().find(|(known, _)| *known == word).map(|(_, rule)| *rule);
    found.ok_or_else(|| Error::Unknown {
        what: "method",
        value: text.to_owned(),
        known: CovarianceRule::ALL.map(|(known, _)| known).join(", "),
    })
}

fn number(name: &'static str, text: &str) -> Result<f64> {
    text.trim().parse().map_err(|_| Error::Unknown {
        what: name,
        value: text.to_owned(),
        known: "a number".into(),
    })
}

fn check(name: &str, value: f64, holds: bool, must_be: &'static str) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::OutOfRange { name: name.into(), value, must_be, place: Place::default() })
}

fn decay(name: &'static str, text: &str) -> Result<f64> {
    let value = number(name, text)?;
    check(name, value, value > 0.0 && value < 1.0, "above 0 and below 1")?;
    Ok(value)
}

fn count(text: &str) -> Result<usize> {
    let value = number("window", text)?;
    let whole = value.is_finite() && value.fract() == 0.0 && (2.0..1e7).contains(&value);
    check("window", value, whole, "a whole number of moves, 2 at least")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number in range")]
    Ok(value as usize)
}
