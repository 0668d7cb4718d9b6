//! Rank values of auto-deleveraging queues.

use crate::error::{Error, Place, Result, check_finite};

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
