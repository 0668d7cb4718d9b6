//! Charges for leaving a position that is large for its market (methods.md sections 3.5 and 3.6).

use super::charges::Charged;
use super::exposure::Unit;
use crate::book::Book;
use crate::error::{Error, Place, Result};
use crate::numeric::accumulate::sum;
use crate::statistics::liquidity::{Depth, concentration, unwind_factor};

/// Half spread and square-root impact on the delta of a coin.
///
/// # Errors
///
/// [`Error::Missing`] for a volume or a volatility that the market table does not give.
pub(super) fn impact(
    unit: &Unit<'_>,
    book: &Book,
    gross: bool,
    coefficient: f64,
    free_share: f64,
) -> Result<Charged> {
    let coins = coins_to_leave(unit, gross);
    if coins == 0.0 {
        return Ok(Charged::of(0.0, [0.0; 3]));
    }
    let (depth, half_spread) = depth_of(unit, book, coefficient)?;
    let found = concentration(coins, unit.index, half_spread, &depth, free_share, 1.0)?;
    Ok(Charged::of(found.addon, [coins, found.days, found.impact]))
}

/// What the days beyond the first add to the deviation of one day.
///
/// # Errors
///
/// As [`impact`].
pub(super) fn unwind(unit: &Unit<'_>, book: &Book, gross: bool, participation: f64) -> Result<Charged> {
    let coins = coins_to_leave(unit, gross);
    if coins == 0.0 {
        return Ok(Charged::of(0.0, [0.0; 3]));
    }
    let (depth, _) = depth_of(unit, book, 0.0)?;
    let days = coins / (participation * depth.daily_volume);
    let more = unwind_factor(days.max(1.0))? - 1.0;
    Ok(Charged::of(coins * unit.index * depth.daily_volatility * more, [coins, days, more]))
}

/// Coins of a unit that must be bought or sold to leave it.
fn coins_to_leave(unit: &Unit<'_>, gross: bool) -> f64 {
    if gross {
        sum(unit.lines.iter().map(|line| line.delta.abs()))
    } else {
        sum(unit.lines.iter().map(|line| line.delta)).abs()
    }
}

/// Volume, volatility and half spread of a unit's coin.
fn depth_of(unit: &Unit<'_>, book: &Book, coefficient: f64) -> Result<(Depth, f64)> {
    let coin = unit.lines.first().and_then(|line| book.underlyings.get(line.coin));
    let missing = |what: &str, column: &str| Error::Missing {
        what: format!("{what} of {}", coin.map_or("?", |known| known.name.as_str())),
        why: format!("a charge of the rulebook needs it; give {column} on the Market sheet"),
        place: Place::default(),
    };
    let daily_volume = coin
        .and_then(|known| known.average_daily_volume)
        .ok_or_else(|| missing("average daily volume", "adv"))?;
    let daily_volatility = coin
        .and_then(|known| known.daily_volatility)
        .ok_or_else(|| missing("volatility", "dailyVol or annualVol"))?;
    let half_spread = coin.and_then(|known| known.half_spread).unwrap_or(0.0);
    Ok((Depth { daily_volume, daily_volatility, coefficient }, half_spread))
}
