//! Linear programmes, small and dense in rows: minimise `c x` where `A x <= b` and `0 <= x <= u`.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, SupportedConeT,
};

use crate::error::{Error, Result};

/// Most iterations of the solver; it needs some twenty.
const ITERATIONS: u32 = 200;

/// `sum of coefficient x variable <= bound`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Variables with their coefficients.
    pub terms: Vec<(usize, f64)>,
    /// The bound.
    pub at_most: f64,
}

/// A programme.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Programme {
    /// Cost of one unit of each variable.
    pub cost: Vec<f64>,
    /// Largest value of each variable, which is never below zero; infinity for none.
    pub upper: Vec<f64>,
    /// What must hold.
    pub rows: Vec<Row>,
}

/// An optimal point.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// Its variables.
    pub point: Vec<f64>,
    /// Its cost.
    pub cost: f64,
    /// What no point can be cheaper than: the smaller of primal and dual objective.
    pub bound: f64,
}

impl Programme {
    /// Adds a variable and returns its place.
    pub fn variable(&mut self, cost: f64, upper: f64) -> usize {
        self.cost.push(cost);
        self.upper.push(upper);
        self.cost.len() - 1
    }

    /// The optimum; `None` where nothing fulfils all rows.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`] where the solver finds neither.
    pub fn solve(&self) -> Result<Option<Optimum>> {
        let count = self.cost.len();
        let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut bounds = Vec::new();
        let mut put = |terms: &[(usize, f64)], at_most: f64| {
            // rows of one size: the solver's tolerances are absolute
            let largest = terms.iter().map(|(_, own)| own.abs()).fold(0.0, f64::max);
            let scale = if largest > 0.0 { largest.recip() } else { 1.0 };
            for (variable, own) in terms.iter().filter(|(_, own)| *own != 0.0) {
                rows.push(bounds.len());
                columns.push(*variable);
                values.push(scale * own);
            }
            bounds.push(scale * at_most);
        };
        for row in &self.rows {
            put(&row.terms, row.at_most);
        }
        for (variable, upper) in self.upper.iter().enumerate() {
            put(&[(variable, -1.0)], 0.0);
            if upper.is_finite() {
                put(&[(variable, 1.0)], *upper);
            }
        }
        let matrix = CscMatrix::new_from_triplets(bounds.len(), count, rows, columns, values);
        let failed =
            |why: String| Error::NoAnswer { why: format!("the linear programme has no solution: {why}") };
        let settings = DefaultSettingsBuilder::default().verbose(false).max_iter(ITERATIONS).build();
        let settings = settings.map_err(|error| failed(error.to_string()))?;
        let cones: [SupportedConeT<f64>; 1] = [NonnegativeConeT(bounds.len())];
        let zero = CscMatrix::zeros((count, count));
        let mut solver = DefaultSolver::new(&zero, &self.cost, &matrix, &bounds, &cones, settings)
            .map_err(|error| failed(error.to_string()))?;
        solver.solve();
        let found = &solver.solution;
        match found.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(Some(Optimum {
                point: found.x.iter().map(|own| own.max(0.0)).collect(),
                cost: found.obj_val,
                bound: found.obj_val.min(found.obj_val_dual),
            })),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Ok(None),
            other => Err(failed(format!("{other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_point_and_its_bound_are_those_of_the_knapsack() {
        // methods.json liq.knapsack_greedy: Dantzig 1957
        let (relief, cost) = ([4000.0, 2500.0, 6000.0, 1500.0], [900.0, 300.0, 1800.0, 120.0]);
        let mut own = Programme::default();
        for money in cost {
            own.variable(money, 1.0);
        }
        own.rows.push(Row {
            terms: relief.iter().enumerate().map(|(place, freed)| (place, -freed)).collect(),
            at_most: -6000.0,
        });
        let found = own.solve().unwrap().unwrap();
        for (value, expected) in found.point.iter().zip([0.5, 1.0, 0.0, 1.0]) {
            assert!((value - expected).abs() < 1e-6, "{found:?}");
        }
        assert!((found.cost - 870.0).abs() < 1e-4 && found.bound <= 870.0 + 1e-4, "{found:?}");
        own.rows[0].at_most = -14_001.0;
        assert_eq!(own.solve().unwrap(), None);
    }
}
