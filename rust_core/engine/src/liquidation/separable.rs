//! The excess of an account of brackets as a sum of one function per coin, for simulations that need it at every
//! step: linear contracts, money that no coin moves, brackets on the mark or the entry.

use crate::error::Result;
use crate::instrument::Payoff;
use crate::margin::equity::{Counting, counting, holdings};
use crate::margin::tiers::{brackets_only, maintenance_notional};
use crate::margin::{PoolView, excess};
use crate::market::{MarketState, payoff, settle_of, underlying_of};
use crate::numeric::accumulate::sum;
use crate::rulebook::tiers::TierTable;
use crate::rulebook::{MaintenanceOn, Measure};

/// A share of the account's size by which the sum may differ from the evaluation at the states it is compared at.
const ROUNDING: f64 = 1e-10;
/// Ratios of coins at which both are compared, the second for every other coin.
const COMPARED: [(f64, f64); 4] = [(1.5, 1.5), (0.5, 0.5), (1.3, 0.6), (0.7, 1.9)];

/// One position, reporting currency.
struct Leg<'a> {
    coin: usize,
    /// Result of a rise of the coin by 100 %.
    slope: f64,
    /// Notional today, settlement currency; it moves with the coin unless it is that of the entry.
    notional: f64,
    moves: bool,
    table: &'a TierTable,
    /// Trigger, factor and price of the settlement currency.
    weight: f64,
    /// `weight x maintenance margin` today.
    today: f64,
}

/// An account whose excess is a sum over its positions.
pub(super) struct Separable<'a> {
    excess: f64,
    legs: Vec<Leg<'a>>,
}

impl<'a> Separable<'a> {
    /// The account in the order of `coins`; `None` where its excess is no such sum.
    ///
    /// # Errors
    ///
    /// As [`crate::margin::evaluate`].
    pub(super) fn of(view: &PoolView<'a>, coins: &[usize]) -> Result<Option<Self>> {
        let rulebook = view.rulebook()?;
        let Measure::Tiers { maintenance_on, .. } = rulebook.measure else { return Ok(None) };
        let level = &rulebook.maintenance;
        if !brackets_only(view)? || !level.gains || level.depeg.is_some() {
            return Ok(None);
        }
        let today = MarketState::today(view.book);
        let moved = coins.iter().fold(today.clone(), |state, coin| state.with(*coin, 2.0));
        for holding in holdings(view, &today) {
            let still = view.price(holding.currency, &today)? == view.price(holding.currency, &moved)?;
            let linear = !level.haircut || counting(view, &holding)? == Counting::Full;
            let disabled = holding.balance.is_some_and(|balance| !balance.enabled);
            if !still || (holding.settles && (!linear || disabled)) {
                return Ok(None);
            }
        }
        let mut legs = Vec::with_capacity(view.positions.len());
        for position in view.positions {
            let coin = coins.iter().position(|coin| *coin == underlying_of(view.book, position));
            let (Some(coin), Some(table)) = (coin, view.book.tables.get(position.table)) else {
                return Ok(None);
            };
            if payoff(view.book, position) != Payoff::Linear {
                return Ok(None);
            }
            let price = view.price(settle_of(view.book, position), &today)?;
            let weight = level.trigger * level.factor * price;
            let notional = maintenance_notional(view, position, maintenance_on, 1.0);
            legs.push(Leg {
                coin,
                slope: price * position.quantity * position.mark_price,
                notional,
                moves: maintenance_on == MaintenanceOn::Mark || position.entry_price.is_none(),
                table,
                weight,
                today: weight * table.maintenance_margin(notional),
            });
        }
        let found = Self { excess: excess(view, &today)?, legs };
        let size = found.excess.abs() + sum(found.legs.iter().map(|leg| leg.slope.abs()));
        for (even, odd) in COMPARED {
            let ratios: Vec<f64> =
                (0..coins.len()).map(|place| if place % 2 == 0 { even } else { odd }).collect();
            let state =
                coins.iter().zip(&ratios).fold(today.clone(), |state, (coin, r)| state.with(*coin, *r));
            if (found.at(&ratios) - excess(view, &state)?).abs() > ROUNDING * size {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The excess with the coins at some ratios of their prices.
    pub(super) fn at(&self, ratios: &[f64]) -> f64 {
        let own = |leg: &Leg<'_>| {
            let ratio = ratios.get(leg.coin).copied().unwrap_or(f64::NAN);
            let notional = if leg.moves { leg.notional * ratio } else { leg.notional };
            leg.slope * (ratio - 1.0) - (leg.weight * leg.table.maintenance_margin(notional) - leg.today)
        };
        self.excess + sum(self.legs.iter().map(own))
    }

    /// Its derivatives by the logarithm of each coin's price.
    pub(super) fn slopes(&self, ratios: &[f64]) -> Vec<f64> {
        let mut found = vec![0.0; ratios.len()];
        for leg in &self.legs {
            let (Some(slot), Some(ratio)) = (found.get_mut(leg.coin), ratios.get(leg.coin)) else { continue };
            let margin = if leg.moves {
                leg.weight * leg.table.bracket(leg.notional * ratio).rate * leg.notional * ratio
            } else {
                0.0
            };
            *slot += leg.slope * ratio - margin;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, Input, Options, RulebookChoice, build};
    use crate::cell::{Cell, Table};
    use crate::rulebook::builtin;

    fn table(text: &str) -> Table {
        let cell = |text: &str| text.parse().map_or_else(|_| Cell::from_text(text), Cell::Number);
        Table::from_rows(text.lines().map(|line| line.split('|').map(cell).collect()).collect())
    }

    fn book(collateral: &str) -> Book {
        let positions =
            table("coin|szi|entryPx|markPx|leverage\nBTC|900|90000|90000|20\nETH|-20000|3000|3000|10");
        let (collateral, market) =
            (table(collateral), table("underlying|indexPrice\nBTC|90000\nETH|3000\nUSDC|1"));
        let input = Input {
            positions: Some(&positions),
            collateral: Some(&collateral),
            market: Some(&market),
            ..Input::default()
        };
        let rules = RulebookChoice::One(Box::new(builtin("hyperliquid").unwrap().clone()));
        build(&input, &rules, &Options::default()).book.unwrap()
    }

    #[test]
    fn the_sum_is_the_excess_across_brackets_and_its_slopes_are_its_derivatives() {
        let book = book("currency|cash\nUSDC|9000000");
        let view = PoolView::of(&book, &book.pools[0]);
        let found = Separable::of(&view, &[0, 1]).unwrap().expect("two linear contracts in USDC");
        let exact = |ratios: &[f64]| {
            let state = MarketState::today(&book).with(0, ratios[0]).with(1, ratios[1]);
            excess(&view, &state).unwrap()
        };
        for step in 0..40 {
            let ratios = [0.4 + 0.05 * f64::from(step), 2.4 - 0.05 * f64::from(step)];
            assert!((found.at(&ratios) - exact(&ratios)).abs() < 1e-6, "{ratios:?}");
            let slopes = found.slopes(&ratios);
            for coin in 0..2 {
                let mut up = ratios;
                up[coin] *= 1.0 + 1e-6;
                let slope = (exact(&up) - exact(&ratios)) / 1e-6;
                assert!((slopes[coin] - slope).abs() < 1e-4 * slope.abs().max(1e6), "{ratios:?} {coin}");
            }
        }
    }

    #[test]
    fn an_account_with_coins_as_collateral_is_no_such_sum() {
        let book = book("currency|cash|collateralRate\nUSDC|9000000|\nBTC|10|0.9");
        let view = PoolView::of(&book, &book.pools[0]);
        let counts = crate::margin::equity::equity(&view, &MarketState::today(&book)).unwrap();
        assert!(counts.gross > 9_000_001.0, "the coins must count for the test to mean anything");
        assert!(Separable::of(&view, &[0, 1]).unwrap().is_none());
    }
}
