//! What trades cost by their fractions, and supporting planes of the part that grows faster than size.
//!
//! The impact of dealing in a coin is convex in the coins dealt, so that a tangent of it never lies above it: a programme
//! that takes the largest of some tangents for the impact takes it too low, never too high, and its optimum stays a lower
//! bound.

use super::Problem;
use crate::error::Result;
use crate::market::underlying_of;
use crate::numeric::accumulate::sum;
use crate::plan::linear::Row;

/// Fractions of all that can be dealt in a coin at which its impact has a tangent from the beginning.
const FIRST: [f64; 8] = [0.001, 0.004, 0.016, 0.05, 0.12, 0.25, 0.5, 1.0];

/// What the trades of a programme cost.
pub(super) struct Costs {
    /// By variable: money in proportion to its fraction.
    paid: Vec<f64>,
    /// By variable: money moved, of which less is better where nothing costs anything.
    moved: Vec<f64>,
    /// By variable: the place of its coin among the impacts, and the coins of its largest size.
    coins: Vec<Option<(usize, f64)>>,
    /// By coin: the impact of one coin, and the most coins that can be dealt.
    impacts: Vec<(f64, f64)>,
}

/// Impact of dealing coins grows with this power of them.
const POWER: f64 = 1.5;

impl Costs {
    pub(super) fn of(problem: &Problem<'_>) -> Result<Self> {
        let mut own = Self { paid: Vec::new(), moved: Vec::new(), coins: Vec::new(), impacts: Vec::new() };
        let mut known: Vec<usize> = Vec::new();
        for variable in 0..problem.trades.len() {
            let Some((action, contract)) =
                problem.action(variable).and_then(|own| own.contract.as_ref().map(|known| (own, known)))
            else {
                own.paid.push(0.0);
                own.moved.push(0.0);
                own.coins.push(None);
                continue;
            };
            let account = problem.account;
            let (_, moved) = action.apply(&mut account.clone(), action.most_steps(), problem.cost)?;
            own.paid.push(problem.cost.in_proportion(account, contract, action.most)?);
            own.moved.push(moved);
            let coins = problem.cost.coins(account, contract, action.most)?;
            if coins <= 0.0 {
                own.coins.push(None);
                continue;
            }
            let coin = underlying_of(account.book, contract);
            let place = match known.iter().position(|own| *own == coin) {
                Some(place) => place,
                None => {
                    known.push(coin);
                    own.impacts.push((problem.cost.impact(account, coin, 1.0)?, 0.0));
                    known.len() - 1
                }
            };
            if let Some((_, most)) = own.impacts.get_mut(place) {
                *most += coins;
            }
            own.coins.push(Some((place, coins)));
        }
        Ok(own)
    }

    /// How many coins have an impact.
    pub(super) fn count(&self) -> usize {
        self.impacts.len()
    }

    /// What one unit of every variable costs in proportion; money moved where nothing costs anything.
    pub(super) fn objective(&self, free: bool) -> &[f64] {
        if free { &self.moved } else { &self.paid }
    }

    /// Coins dealt of every coin at a point.
    fn dealt(&self, point: &[f64]) -> Vec<f64> {
        let mut dealt = vec![0.0; self.impacts.len()];
        for (fraction, own) in point.iter().zip(&self.coins) {
            if let Some((place, coins)) = own
                && let Some(slot) = dealt.get_mut(*place)
            {
                *slot += fraction * coins;
            }
        }
        dealt
    }

    /// What a little more of every variable costs at a point, by its fraction.
    pub(super) fn slopes(&self, point: &[f64]) -> Vec<f64> {
        let dealt = self.dealt(point);
        let own = self.paid.iter().zip(&self.coins).map(|(paid, own)| {
            let steep = own.and_then(|(place, coins)| {
                let ((unit, _), dealt) = (self.impacts.get(place)?, dealt.get(place)?);
                Some(coins * POWER * unit * dealt.sqrt())
            });
            paid + steep.unwrap_or(0.0)
        });
        own.collect()
    }

    /// The impact of every coin at a point.
    pub(super) fn impacts(&self, point: &[f64]) -> Vec<f64> {
        let dealt = self.dealt(point);
        self.impacts.iter().zip(dealt).map(|((unit, _), dealt)| unit * dealt.powf(POWER)).collect()
    }

    /// Tangents that stand from the beginning; `at` are the variables of the impacts.
    pub(super) fn first_tangents(&self, at: &[usize]) -> Vec<Row> {
        let places = (0..self.impacts.len()).zip(&self.impacts);
        places
            .flat_map(|(place, (_, most))| FIRST.map(|part| self.tangent(place, part * most, at)))
            .flatten()
            .collect()
    }

    /// Tangents at a point of the coins whose impact lies above what the programme takes it for by more than `slack`.
    pub(super) fn tangents(&self, point: &[f64], taken: &[f64], slack: f64, at: &[usize]) -> Vec<Row> {
        let (impacts, dealt) = (self.impacts(point), self.dealt(point));
        let rows = impacts.iter().zip(dealt).enumerate().filter_map(|(place, (impact, dealt))| {
            let known = taken.get(place).copied().unwrap_or(0.0);
            if impact - known > slack { self.tangent(place, dealt, at) } else { None }
        });
        rows.collect()
    }

    /// How far the impacts at a point lie above what the programme takes them for, in all.
    pub(super) fn missed(&self, point: &[f64], taken: &[f64]) -> f64 {
        sum(self.impacts(point).iter().zip(taken).map(|(own, taken)| (own - taken).max(0.0)))
    }

    /// `impact >= unit (1.5 sqrt(dealt) x coins - 0.5 dealt^1.5)`.
    fn tangent(&self, place: usize, dealt: f64, at: &[usize]) -> Option<Row> {
        let ((unit, _), variable) = (self.impacts.get(place)?, at.get(place)?);
        let slope = POWER * unit * dealt.sqrt();
        let mut terms: Vec<(usize, f64)> = self
            .coins
            .iter()
            .enumerate()
            .filter_map(|(other, own)| {
                own.filter(|(coin, _)| *coin == place).map(|own| (other, slope * own.1))
            })
            .collect();
        terms.push((*variable, -1.0));
        Some(Row { terms, at_most: (POWER - 1.0) * unit * dealt.powf(POWER) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tangent_touches_the_impact_where_it_is_drawn_and_lies_below_it_elsewhere() {
        // two contracts on one coin, 3 and 5 coins of it; 7 a coin to the power of 1.5
        let own = Costs {
            paid: vec![1.0, 2.0],
            moved: vec![0.0; 2],
            coins: vec![Some((0, 3.0)), Some((0, 5.0))],
            impacts: vec![(7.0, 8.0)],
        };
        let row = own.tangents(&[0.5, 0.5], &[0.0], 0.0, &[2]).remove(0);
        for (first, second) in [(0.0, 0.0), (0.5, 0.5), (1.0, 0.2), (1.0, 1.0), (0.0, 0.8)] {
            let coins: f64 = 3.0 * first + 5.0 * second;
            let impact = 7.0 * coins * coins.sqrt();
            let least = row.terms[0].1 * first + row.terms[1].1 * second - row.at_most;
            assert!(least <= impact + 1e-12, "{least} above {impact}");
            assert_eq!(coins == 4.0, (impact - least).abs() < 1e-12);
        }
        // by differences: 1 x 0.5 + 7 x 4^1.5 and a little more of the second
        let whole = |second: f64| 2.0 * second + 7.0 * (1.5 + 5.0 * second).powf(1.5);
        let slope = (whole(0.5 + 1e-6) - whole(0.5 - 1e-6)) / 2e-6;
        assert!((own.slopes(&[0.5, 0.5])[1] - slope).abs() < 1e-4 * slope);
    }
}
