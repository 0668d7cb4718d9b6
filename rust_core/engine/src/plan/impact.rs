//! What a trade of each of several sizes would change, contract by contract.

use rayon::prelude::*;

use super::{Figure, Prepared, Stage};
use crate::error::{Error, Result};
use crate::instrument::ContractKind;
use crate::margin::PoolState;
use crate::market::MarketState;

/// A contract in a pool that may be traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// Index of the pool.
    pub pool: usize,
    /// Its place in the pool.
    pub place: usize,
}

/// Every contract of a stage that may stand for its coin: perpetuals of coins that the pool holds or is collateralised
/// in; where there is none, everything that is held.
pub fn usual(stage: &Stage<'_>) -> Vec<Contract> {
    let book = stage.book();
    let kind = |contract: &Contract| {
        let own = stage.contracts(contract.pool).get(contract.place);
        own.and_then(|own| book.instruments.get(own.instrument)).map(|known| known.kind)
    };
    let all: Vec<Contract> = (0..book.pools.len())
        .filter(|pool| !stage.is_isolated(*pool))
        .flat_map(|pool| (0..stage.contracts(pool).len()).map(move |place| Contract { pool, place }))
        .collect();
    let perpetuals: Vec<Contract> =
        all.iter().copied().filter(|own| kind(own) == Some(ContractKind::Perpetual)).collect();
    if perpetuals.is_empty() { all } else { perpetuals }
}

/// One row of changes.
#[derive(Debug)]
pub struct Impact {
    /// The contract.
    pub contract: Contract,
    /// The change at each size, or why there is none.
    pub changes: Vec<Result<f64>>,
}

/// The change of a figure of the pool for every contract and size, dealt at the mark and without fees; sizes are signed
/// quantities. Contracts in parallel, each by itself, so that threads change no bit.
///
/// # Errors
///
/// As [`crate::margin::evaluate`] of a pool as it is.
pub fn impacts(
    stage: &Stage<'_>,
    contracts: &[Contract],
    sizes: &[f64],
    figure: &(impl Fn(&super::Account<'_>, &PoolState) -> Result<f64> + Sync),
) -> Result<Vec<Impact>> {
    let book = stage.book();
    let mut prepared: Vec<(usize, Prepared, f64)> = Vec::new();
    for contract in contracts {
        if prepared.iter().any(|(pool, ..)| *pool == contract.pool) {
            continue;
        }
        let account = stage.account(contract.pool)?;
        let further = stage.instruments(contract.pool);
        let own = Prepared::new(&account, &further, MarketState::today(book))?;
        let before = figure(&account, &own.evaluate(&account)?)?;
        prepared.push((contract.pool, own, before));
    }
    let one = |contract: &Contract| {
        let own = prepared.iter().find(|(pool, ..)| *pool == contract.pool);
        let changes = sizes.iter().map(|size| {
            let (sample, (_, prepared, before)) = stage
                .contracts(contract.pool)
                .get(contract.place)
                .zip(own)
                .ok_or_else(|| Error::NoAnswer { why: "the contract is not there".into() })?;
            let mut account = stage.account(contract.pool)?;
            account.trade(sample, *size, None, 0.0)?;
            Ok(figure(&account, &prepared.evaluate(&account)?)? - before)
        });
        Impact { contract: *contract, changes: changes.collect() }
    };
    Ok(contracts.par_iter().map(one).collect())
}

/// A figure that a state alone has.
///
/// # Errors
///
/// [`Error::NoAnswer`] where the account has none.
pub fn of_state(figure: Figure, state: &PoolState) -> Result<f64> {
    figure.of(state).ok_or_else(|| Error::NoAnswer {
        why: match figure {
            Figure::Initial | Figure::ExcessInitial => state
                .requirement
                .initial_missing
                .clone()
                .unwrap_or_else(|| "there is no initial margin".into()),
            _ => format!("usage needs an adjusted equity above zero, it is {:.2}", state.equity.maintenance),
        },
    })
}
