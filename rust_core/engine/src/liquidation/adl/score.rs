//! What venues rank positions by.

use super::Candidate;
use crate::error::{Error, Place, Result, check_finite};

/// A way of choosing who is deleveraged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Profit over wallet balance x margin ratio (binance.com/en/support/faq/360033525471).
    Binance,
    /// Profit percentage x effective leverage, divided by it if negative (Bybit, BitMEX; methods.md section 5.6).
    Bybit,
    /// `(mark / entry) x (notional / account value)` (hyperliquid.gitbook.io, trading/auto-deleveraging).
    Hyperliquid,
    /// Return on the initial margin over the account's margin ratio (venues.md section 2.3).
    Okx,
    /// Profit over equity.
    PnlRatio,
    /// Size.
    Size,
    /// No queue: all winners by the same share.
    ProRata,
    /// No queue: the largest leverage becomes as small as it can be.
    WaterFilling,
}

impl Form {
    /// Every form with its name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("binance", Self::Binance),
        ("bybit", Self::Bybit),
        ("hyperliquid", Self::Hyperliquid),
        ("okx", Self::Okx),
        ("pnl_ratio", Self::PnlRatio),
        ("size", Self::Size),
        ("pro_rata", Self::ProRata),
        ("water_filling", Self::WaterFilling),
    ];

    /// The name.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, form)| *form == self).map_or("", |(word, _)| word)
    }

    /// Whether positions stand in a queue.
    pub fn has_queue(self) -> bool {
        !matches!(self, Self::ProRata | Self::WaterFilling)
    }

    /// Whether a position can be chosen: winners only, except where losers stand at the end of the queue and where
    /// leverage alone counts.
    pub fn takes(self, candidate: &Candidate) -> bool {
        matches!(self, Self::Bybit | Self::WaterFilling) || candidate.pnl() > 0.0
    }

    /// What a position is ranked by, the largest first; infinite where an account without equity has a profit.
    ///
    /// `inverted` turns Hyperliquid's ratio over for shorts: it is published without a side, and for a short it
    /// falls as the profit rises.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names the column that the form needs.
    pub fn score(self, candidate: &Candidate, inverted: bool) -> Result<f64> {
        let needed = |found: Option<f64>, column: &'static str| {
            found.ok_or_else(|| Error::Missing {
                what: format!("{column} of {}", candidate.account),
                why: format!("the form {} needs it", self.word()),
                place: Place { row: candidate.row, label: Some(candidate.symbol.clone()) },
            })
        };
        let over = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::INFINITY };
        let pnl = candidate.pnl();
        match self {
            Self::Binance => {
                let margin = needed(candidate.maintenance, "mm")?;
                let ratio = if candidate.equity > 0.0 { margin / candidate.equity } else { 0.0 };
                Ok(rank_value(pnl, candidate.wallet, ratio)?.leverage_pnl)
            }
            Self::Bybit => {
                let side = candidate.quantity.signum();
                let percent = side * (candidate.mark - candidate.entry) / candidate.entry;
                // without a bankruptcy price above zero the leverage is that of the equity, which is the same
                let leverage = match candidate.bankruptcy {
                    Some(bankruptcy) => over(candidate.mark, side * (candidate.mark - bankruptcy)),
                    None => over(candidate.notional(), candidate.equity),
                };
                Ok(if percent > 0.0 { percent * leverage } else { percent / leverage })
            }
            Self::Hyperliquid => {
                let ratio = candidate.mark / candidate.entry;
                let ratio = if inverted && candidate.quantity < 0.0 { ratio.recip() } else { ratio };
                Ok(ratio * over(candidate.notional(), candidate.equity))
            }
            Self::Okx => {
                let initial = needed(candidate.initial, "leverage")?;
                let margin = needed(candidate.maintenance, "mm")?;
                Ok(over(pnl, initial) * over(margin, candidate.equity))
            }
            Self::PnlRatio => Ok(over(pnl, candidate.equity)),
            Self::Size => Ok(candidate.quantity.abs()),
            Self::ProRata => Ok(candidate.notional()),
            Self::WaterFilling => Ok(over(candidate.notional(), candidate.equity)),
        }
    }
}

/// Binance's rank value and its first factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankValue {
    /// `max(0, unrealised profit) / max(1, wallet balance)`.
    pub pnl_percent: f64,
    /// `pnl percent x margin ratio`; the largest is deleveraged first.
    pub leverage_pnl: f64,
}

/// The rank value of a position in Binance's auto-deleveraging queue.
///
/// Money in the settlement currency; `margin_ratio` is maintenance margin over margin balance. Source:
/// binance.com/en/support/faq/360033525471.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a value that is not finite, or a margin ratio below zero.
pub fn rank_value(unrealised_pnl: f64, wallet_balance: f64, margin_ratio: f64) -> Result<RankValue> {
    check_finite("unrealised profit", unrealised_pnl, Place::default)?;
    check_finite("wallet balance", wallet_balance, Place::default)?;
    if !(margin_ratio.is_finite() && margin_ratio >= 0.0) {
        return Err(Error::OutOfRange {
            name: "margin ratio".into(),
            value: margin_ratio,
            must_be: "finite and not below zero",
            place: Place::default(),
        });
    }
    let pnl_percent = unrealised_pnl.max(0.0) / wallet_balance.max(1.0);
    Ok(RankValue { pnl_percent, leverage_pnl: pnl_percent * margin_ratio })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::Payoff;

    fn candidate(quantity: f64, entry: f64, mark: f64, equity: f64) -> Candidate {
        let pnl = quantity * (mark - entry);
        Candidate {
            account: "a".into(),
            symbol: "X".into(),
            quantity,
            entry,
            mark,
            equity,
            wallet: equity - pnl,
            maintenance: Some(50.0),
            initial: Some(100.0),
            bankruptcy: Some(mark - equity / quantity),
            payoff: Payoff::Linear,
            own: false,
            row: None,
        }
    }

    #[test]
    fn the_queue_of_profit_and_effective_leverage_is_the_published_one() {
        // methods.json adl.bitmex
        let won = Candidate { bankruptcy: Some(9_000.0), ..candidate(1.0, 10_000.0, 11_000.0, 2_000.0) };
        assert!((Form::Bybit.score(&won, false).unwrap() - 0.55).abs() < 1e-12);
        let lost = Candidate { bankruptcy: Some(9_000.0), ..candidate(1.0, 10_000.0, 9_500.0, 500.0) };
        assert!((Form::Bybit.score(&lost, false).unwrap() + 0.002_631_578_947_368_421).abs() < 1e-12);
        // a short that mirrors a long in percent of the entry and in leverage stands where the long stands
        let short = candidate(-1.0, 10_000.0, 9_000.0, 3_000.0);
        assert!((Form::Bybit.score(&short, false).unwrap() - 0.1 * 3.0).abs() < 1e-12);
    }

    #[test]
    fn scores_follow_their_formulas_by_hand() {
        let won = candidate(2.0, 100.0, 150.0, 400.0);
        // profit 100, wallet 300, maintenance 50: 1/3 x 50/400
        assert!((Form::Binance.score(&won, false).unwrap() - 100.0 / 300.0 * 0.125).abs() < 1e-15);
        assert!((Form::Hyperliquid.score(&won, false).unwrap() - 1.5 * 300.0 / 400.0).abs() < 1e-15);
        assert!((Form::Okx.score(&won, false).unwrap() - 1.0 * 0.125).abs() < 1e-15);
        let short = candidate(-2.0, 100.0, 50.0, 400.0);
        assert!((Form::Hyperliquid.score(&short, false).unwrap() - 0.5 * 0.25).abs() < 1e-15);
        assert!((Form::Hyperliquid.score(&short, true).unwrap() - 2.0 * 0.25).abs() < 1e-15);
    }

    #[test]
    fn what_a_form_needs_and_does_not_have_is_named() {
        let bare = Candidate { maintenance: None, ..candidate(1.0, 100.0, 110.0, 50.0) };
        assert!(Form::Binance.score(&bare, false).unwrap_err().to_string().contains("mm of a"));
    }
}
