//! The most that can leave an account with its initial margin still covered.

use super::{Account, Prepared};
use crate::error::{Error, Place, Result};
use crate::margin::PoolState;
use crate::market::MarketState;
use crate::numeric::rounding::of_steps;

/// Digits of the amount.
const DIGITS: i32 = 8;
/// Amounts that are looked at before halving.
const POINTS: usize = 64;

/// The most that can leave, proved on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawal {
    /// Amount, coins.
    pub amount: f64,
    /// What is held of the currency less what is borrowed of it: nothing is borrowed to be withdrawn.
    pub held: f64,
    /// The smallest amount that is told apart, coins.
    pub step: f64,
    /// The account before it.
    pub before: PoolState,
    /// The account after it.
    pub after: PoolState,
    /// The account after one step more; `None` where there is no more.
    pub beyond: Option<PoolState>,
}

/// The largest amount of a currency that can leave so that the excess over the initial margin is at least zero; zero
/// where it is below already and no amount mends that.
///
/// Collateral rates with their slices and caps, scenarios that move collateral and open orders are all in the measure.
/// Where collateral offsets a position, less of it may need more margin or less: amounts are looked at from the largest
/// down, and the first that is allowed is refined to one step.
///
/// # Errors
///
/// [`Error::Missing`] where the initial margin cannot be computed, or for a price; as [`crate::margin::evaluate`].
pub fn withdrawal(account: &Account<'_>, currency: usize) -> Result<Withdrawal> {
    let today = MarketState::today(account.book);
    let prepared = Prepared::new(account, &[], today.clone())?;
    let after = |amount: f64| -> Result<Account<'_>> {
        let mut changed = account.clone();
        changed.credit(currency, -amount)?;
        Ok(changed)
    };
    let allowed = |amount: f64| -> Result<bool> {
        let state = prepared.evaluate(&after(amount)?)?;
        let excess = state.excess_initial.ok_or_else(|| Error::Missing {
            what: "initial margin".into(),
            why: state
                .requirement
                .initial_missing
                .clone()
                .unwrap_or_else(|| "an isolated position has none of its own".into()),
            place: Place::default(),
        })?;
        Ok(excess >= 0.0)
    };
    let held = account.held_of(currency).max(0.0);
    let before = account.evaluate(&today)?;
    let step = if held > 0.0 { 10.0_f64.powf(held.log10().floor() - f64::from(DIGITS)) } else { 1e-8 };
    let most = (held / step).floor();
    let amount_of = |steps: f64| if steps >= most { held } else { of_steps(steps, step) };
    let mut outside = None;
    let mut inside = None;
    for point in (0..=POINTS).rev() {
        let steps = (most * point as f64 / POINTS as f64).floor();
        if allowed(amount_of(steps))? {
            inside = Some(steps);
            break;
        }
        outside = Some(steps);
    }
    let Some(mut low) = inside else {
        return Ok(Withdrawal { amount: 0.0, held, step, after: before.clone(), before, beyond: None });
    };
    let mut beyond = None;
    if let Some(mut high) = outside {
        while high - low > 1.0 {
            let middle = f64::midpoint(low, high).floor();
            if allowed(amount_of(middle))? { low = middle } else { high = middle }
        }
        beyond = Some(after(amount_of(high))?.evaluate(&today)?);
    }
    let amount = amount_of(low);
    Ok(Withdrawal { amount, held, step, before, after: after(amount)?.evaluate(&today)?, beyond })
}
