//! Auto-deleveraging: whose winning positions are closed when nobody else pays, in the forms of several venues.

pub mod fill;
pub mod score;

use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::instrument::Payoff;

pub use score::{Form, RankValue, rank_value};

/// A position that may be deleveraged, money in the settlement currency of its contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its account.
    pub account: String,
    /// Its contract.
    pub symbol: String,
    /// Signed quantity: coins (linear), quote currency (inverse).
    pub quantity: f64,
    /// Average entry price.
    pub entry: f64,
    /// Mark price.
    pub mark: f64,
    /// Equity of the account, or of the isolated position.
    pub equity: f64,
    /// The same without unrealised profit and loss.
    pub wallet: f64,
    /// Maintenance margin of the account.
    pub maintenance: Option<f64>,
    /// Initial margin of the position.
    pub initial: Option<f64>,
    /// Price at which the position's share of the equity is gone.
    pub bankruptcy: Option<f64>,
    /// Linear or inverse.
    pub payoff: Payoff,
    /// Whether it is a position of the book.
    pub own: bool,
    /// Row of the table that it comes from.
    pub row: Option<usize>,
}

impl Candidate {
    /// Unrealised profit and loss.
    pub fn pnl(&self) -> f64 {
        self.payoff.profit(self.quantity, self.entry, self.mark)
    }

    /// Unsigned notional at the mark.
    pub fn notional(&self) -> f64 {
        self.payoff.notional(self.quantity, self.mark)
    }

    /// Notional over equity; `None` unless the equity is above zero.
    pub fn leverage(&self) -> Option<f64> {
        (self.equity > 0.0).then(|| self.notional() / self.equity)
    }

    /// Refuses what is no position.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] names the column, the value and the row.
    pub fn check(&self) -> Result<()> {
        let place = || Place { row: self.row, label: Some(self.account.clone()) };
        check_positive("entry", self.entry, place)?;
        check_positive("mark", self.mark, place)?;
        check_finite("equity", self.equity, place)?;
        check_finite("wallet", self.wallet, place)?;
        check_finite("qty", self.quantity, place)?;
        if self.quantity == 0.0 {
            return Err(Error::OutOfRange {
                name: "qty".into(),
                value: 0.0,
                must_be: "above zero (long) or below (short)",
                place: place(),
            });
        }
        Ok(())
    }
}
